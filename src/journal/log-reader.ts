/**
 * Reads the log: one header, one record, or every record in order. Shares its window with the writer, so a record
 * found is borrowed until the next read or write.
 * @module
 */
import { readU16, readU32 } from "../core/bytes";
import type { FlashPartition } from "../ports";
import { BlockScanner } from "./block-scanner";
import {
	type BlockHeader,
	decodeHeader,
	emptyHeader,
	HEADER_BYTES,
	type HeaderRead,
	headLength,
	headType,
	RECORD_OVERHEAD_BYTES,
	RecordType,
	recordCrc,
} from "./format";
import type { Ring } from "./ring";

/** One record; the bytes are borrowed. A boot record comes as what it wraps, a confirm not at all. */
export type RecordVisitor = (
	type: number,
	position: number,
	bytes: Uint8Array,
	start: number,
	byteLength: number,
) => void;

/** Where {@link LogReader.load} leaves a record's two head bytes in the window; its payload follows. */
export const LOADED_AT = HEADER_BYTES + 2;

export class LogReader {
	readonly #flash: FlashPartition;
	readonly #ring: Ring;
	readonly #buffer: Uint8Array;
	readonly #blockLength: number;
	readonly #headerBytes = new Uint8Array(HEADER_BYTES);

	readonly scanner: BlockScanner;
	/** The header that {@link readHeader} read last. */
	readonly header: BlockHeader = emptyHeader();
	/** Position of the record that {@link visitAll} saw last, whatever its type; −1 before the first. */
	seenPosition = -1;
	/** End of the last block asked for with {@link findEnd}, and whether its successor names it. */
	end = 0;
	endKnown = false;

	constructor(flash: FlashPartition, ring: Ring, buffer: Uint8Array, blockLength: number, align: number) {
		this.#flash = flash;
		this.#ring = ring;
		this.#buffer = buffer;
		this.#blockLength = blockLength;
		this.scanner = new BlockScanner(flash, buffer, blockLength, align);
	}

	get ramBytes(): number {
		return this.#headerBytes.byteLength;
	}

	readHeader(block: number): HeaderRead {
		this.#flash.read(this.#headerBytes, block * this.#blockLength);
		return decodeHeader(this.#headerBytes, 0, this.header);
	}

	/** Sets `end` and `endKnown` for a block of the log: what is valid in it ends where its successor says. */
	findEnd(block: number): void {
		const ring = this.#ring;
		this.endKnown = false;
		if (block === ring.head) {
			this.end = ring.headEnd;
			return;
		}
		const next = ring.next(block);
		let named = ring.headPreviousSequence;
		this.end = ring.headPreviousEnd;
		if (next !== ring.head) {
			const valid = this.readHeader(next) === "valid";
			named = valid ? this.header.previousSequence : ~ring.sequence(block);
			this.end = this.header.previousEnd;
		}
		this.endKnown = named >>> 0 === ring.sequence(block);
		// After a lost block the end is unknown: the whole block is looked through.
		if (!this.endKnown) this.end = this.#blockLength;
	}

	/**
	 * Every record from where reading begins to the end of the log.
	 * @returns places found damaged
	 */
	visitAll(visit: RecordVisitor): number {
		const ring = this.#ring;
		this.seenPosition = -1;
		let damaged = 0;
		let block = ring.tail;
		while (block !== ring.head && ring.sequence(block) !== ring.visitSequence) block = ring.next(block);
		let from = ring.visitOffset;
		for (let n = 0; n < ring.chainBlocks; n++) {
			this.findEnd(block);
			damaged += this.visitBlock(block, from, visit);
			if (block === ring.head) break;
			from = HEADER_BYTES;
			block = ring.next(block);
		}
		return damaged;
	}

	/**
	 * Every record of one block from `from` to `end`, as {@link findEnd} has set it.
	 * @returns places found damaged
	 */
	visitBlock(block: number, from: number, visit: RecordVisitor): number {
		const { scanner } = this;
		const base = block * this.#blockLength;
		scanner.start(block, this.#ring.sequence(block), from, this.end);
		while (scanner.next()) {
			this.seenPosition = base + scanner.offset;
			let type = headType(scanner.head);
			let start = scanner.at + 2;
			let byteLength = headLength(scanner.head);
			if (type === RecordType.boot) {
				if (byteLength < 2) continue;
				type = headType(readU16(this.#buffer, start));
				start += 2;
				byteLength -= 2;
			}
			if (type !== RecordType.confirm) visit(type, base + scanner.offset, this.#buffer, start, byteLength);
		}
		return scanner.damaged + (this.endKnown && scanner.endsBad ? 1 : 0);
	}

	/**
	 * Loads a record, unwrapping a boot record: head bytes at {@link LOADED_AT} of the window, payload after them.
	 * @returns payload bytes, −1 when it is no valid record
	 */
	load(position: number): number {
		const buffer = this.#buffer;
		const block = Math.floor(position / this.#blockLength);
		const offset = position % this.#blockLength;
		const at = LOADED_AT;
		if (offset + RECORD_OVERHEAD_BYTES > this.#blockLength) return -1;
		this.#flash.read(buffer.subarray(at, at + 2), position);
		const head = readU16(buffer, at);
		const total = headLength(head) + RECORD_OVERHEAD_BYTES;
		if (at + total > buffer.length || offset + total > this.#blockLength) return -1;
		this.#flash.read(buffer.subarray(at, at + total), position);
		// Marginal cells may have read otherwise just now: the length that was bounded is the one that counts.
		if (readU16(buffer, at) !== head) return -1;
		const crc = readU32(buffer, at + 2 + headLength(head));
		if (crc !== recordCrc(buffer, at, this.#ring.sequence(block), offset)) return -1;
		if (headType(head) !== RecordType.boot) return headLength(head);
		if (headLength(head) < 2) return -1;
		buffer.copyWithin(at, at + 2, at + total); // The wrapped head and payload.
		return headLength(head) - 2;
	}

	/** Type of the record loaded last. */
	get loadedType(): number {
		return headType(readU16(this.#buffer, LOADED_AT));
	}
}
