/**
 * Reads the log: one header, one record, or every record in order, from whichever copy holds it. Shares its window
 * with the writer, so a record found is borrowed until the next read or write.
 * @module
 */
import { readU16, readU32 } from "../core/bytes";
import { BlockScanner } from "./block-scanner";
import type { Copies } from "./copies";
import {
	type BlockHeader,
	decodeHeader,
	emptyHeader,
	HEADER_BYTES,
	type HeaderRead,
	headLength,
	headType,
	isLater,
	isMark,
	RECORD_OVERHEAD_BYTES,
	RecordType,
	recordCrc,
} from "./format";
import type { Ring } from "./ring";

/** One record; the bytes are borrowed. A boot record comes as what it wraps; the journal's own come only as marks. */
export type RecordVisitor = (
	type: number,
	position: number,
	bytes: Uint8Array,
	start: number,
	byteLength: number,
) => void;

/** Where {@link LogReader.load} leaves a record's two head bytes in the window; its payload follows. */
export const LOADED_AT = HEADER_BYTES + 2;
const CRC_AT = 28;

export class LogReader {
	readonly #copies: Copies;
	readonly #ring: Ring;
	readonly #buffer: Uint8Array;
	readonly #blockLength: number;
	readonly #headerBytes = new Uint8Array(HEADER_BYTES);

	readonly scanner: BlockScanner;
	/** The header that was read last. */
	readonly header: BlockHeader = emptyHeader();
	/** The journal whose headers {@link readHeader} takes for valid. */
	id = 0;
	generation = 0;
	#headersConflict = false;
	/** Position of the record that {@link visitAll} saw last, whatever its type; −1 before the first. */
	seenPosition = -1;
	/** End of the last block asked for with {@link findEnd}, and whether its successor names it. */
	end = 0;
	endKnown = false;

	constructor(copies: Copies, ring: Ring, buffer: Uint8Array) {
		this.#copies = copies;
		this.#ring = ring;
		this.#buffer = buffer;
		this.#blockLength = copies.blockLength;
		this.scanner = new BlockScanner(copies, buffer);
	}

	/** Two valid headers or records that differ stood at one place: the copies have gone on apart. */
	get conflict(): boolean {
		return this.#headersConflict || this.scanner.conflict;
	}

	clearConflict(): void {
		this.#headersConflict = false;
		this.scanner.conflict = false;
	}

	get ramBytes(): number {
		return this.#headerBytes.byteLength + this.scanner.ramBytes;
	}

	/** The header as one copy holds it, of whatever journal. */
	readHeaderOf(copy: number, block: number): HeaderRead {
		this.#copies.read(copy, this.#headerBytes, block * this.#blockLength);
		return decodeHeader(this.#headerBytes, 0, this.header);
	}

	/**
	 * Reads the header of a block of this journal: the later one where the copies differ.
	 * @returns copies (as bits) that hold it, 0 when none does
	 */
	readHeader(block: number): number {
		if (this.#copies.count === 1) return this.readOwn(0, block) ? 1 : 0;
		const second = this.readOwn(1, block);
		const secondSequence = this.header.sequence;
		const secondCrc = readU32(this.#headerBytes, CRC_AT);
		const first = this.readOwn(0, block);
		if (!first) return second && this.readOwn(1, block) ? 2 : 0;
		if (!second) return 1;
		if (this.header.sequence === secondSequence) {
			if (readU32(this.#headerBytes, CRC_AT) !== secondCrc) this.#headersConflict = true;
			return 3;
		}
		if (!isLater(secondSequence, this.header.sequence)) return 1;
		return this.readOwn(1, block) ? 2 : 0;
	}

	/**
	 * Reads the header that gave a block its sequence. A marginal one may read differently now, and an older one may stand
	 * on the other copy: they are not this block's.
	 * @returns copies (as bits) that hold it, 0 when none does
	 */
	readLogHeader(block: number): number {
		const copies = this.readHeader(block);
		return copies !== 0 && this.header.sequence === this.#ring.sequence(block) ? copies : 0;
	}

	private readOwn(copy: number, block: number): boolean {
		if (this.readHeaderOf(copy, block) !== "valid") return false;
		return this.header.id === this.id && this.header.generation === this.generation;
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
			const valid = this.readLogHeader(next) !== 0;
			named = valid ? this.header.previousSequence : ~ring.sequence(block);
			this.end = this.header.previousEnd;
		}
		const aligned = (this.end & (this.#copies.align - 1)) === 0;
		const inside = this.end >= HEADER_BYTES && this.end <= this.#blockLength && aligned;
		this.endKnown = inside && named >>> 0 === ring.sequence(block);
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
		while (block !== ring.head && isLater(ring.visitSequence, ring.sequence(block))) block = ring.next(block);
		let from = ring.sequence(block) === ring.visitSequence ? ring.visitOffset : HEADER_BYTES;
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
			const { bytes } = scanner;
			let type = headType(scanner.head);
			let start = scanner.at + 2;
			let byteLength = headLength(scanner.head);
			if (type === RecordType.boot) {
				if (byteLength < 2) continue;
				type = headType(readU16(bytes, start));
				start += 2;
				byteLength -= 2;
			}
			if (type >= RecordType.clientMin || isMark(type)) visit(type, base + scanner.offset, bytes, start, byteLength);
		}
		return scanner.damaged + (this.endKnown && scanner.endsBad ? 1 : 0);
	}

	/**
	 * Loads a record, unwrapping a boot record: head bytes at {@link LOADED_AT} of the window, payload after them.
	 * @returns payload bytes, −1 when no copy holds a valid record there
	 */
	load(position: number): number {
		const copies = this.#copies;
		let byteLength = copies.lost === 0 ? -1 : this.loadFrom(0, position);
		if (byteLength >= 0 || copies.count === 1) return byteLength;
		byteLength = copies.lost === 1 ? -1 : this.loadFrom(1, position);
		if (byteLength >= 0) copies.note(Math.floor(position / this.#blockLength), 1);
		return byteLength;
	}

	private loadFrom(copy: number, position: number): number {
		const copies = this.#copies;
		const buffer = this.#buffer;
		const block = Math.floor(position / this.#blockLength);
		const offset = position % this.#blockLength;
		const at = LOADED_AT;
		if (offset + RECORD_OVERHEAD_BYTES > this.#blockLength) return -1;
		copies.read(copy, buffer.subarray(at, at + 2), position);
		const head = readU16(buffer, at);
		const total = headLength(head) + RECORD_OVERHEAD_BYTES;
		if (at + total > buffer.length || offset + total > this.#blockLength) return -1;
		copies.read(copy, buffer.subarray(at, at + total), position);
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
