/**
 * Writes the log: seals a record, programs it on every copy and reads it back, opens blocks, erases ahead. Where a
 * block fails the record goes to another one (DESIGN.md, rule 9).
 * @module
 */
import { readU16, writeU16, writeU32 } from "../core/bytes";
import { CodedError } from "../core/errors";
import { BOTH, type Copies } from "./copies";
import {
	type BlockHeader,
	BlockKind,
	emptyHeader,
	encodeHeader,
	HEADER_BYTES,
	headLength,
	recordBytes,
	recordCrc,
	recordHead,
} from "./format";
import type { Ring } from "./ring";

/** Blocks that may fail one after the other before the flash is given up. */
export const WRITE_TRIES_MAX = 4;

/** Where the payload of the next record is put in the buffer: room for a block header and the head comes before. */
export const PAYLOAD_AT = HEADER_BYTES + 2;

export class LogWriter {
	readonly #copies: Copies;
	readonly #ring: Ring;
	readonly #blockLength: number;
	readonly #align: number;
	readonly #header: BlockHeader = emptyHeader();
	#ready = -1; // Free block erased by this run.
	#headClosed = false; // A program in the head failed: what lies after its end is no longer erased.
	#lostSeen = -1;

	/** One block header and one record; shared with the reader. */
	readonly buffer: Uint8Array;
	id = 0;
	generation = 0;
	/** Log bytes written in this run. */
	bytesWritten = 0;
	/** Blocks erased because nothing had been erased ahead. */
	erasesUnprepared = 0;

	constructor(copies: Copies, ring: Ring, buffer: Uint8Array) {
		this.#copies = copies;
		this.#ring = ring;
		this.buffer = buffer;
		this.#blockLength = copies.blockLength;
		this.#align = copies.align;
		this.#header.blockShift = 31 - Math.clz32(copies.blockLength);
		this.#header.alignShift = 31 - Math.clz32(copies.align);
	}

	get ramBytes(): number {
		return this.buffer.byteLength;
	}

	/** A mount begins: what was erased ahead is not known to be so any more. */
	reset(): void {
		this.#copies.reset();
		this.#ready = -1;
		this.#headClosed = false;
		this.#lostSeen = -1;
	}

	/** The copy that was given up, −1 when none was. */
	get lostCopy(): number {
		return this.#copies.lost;
	}

	/** The free block that this run has erased ahead, −1 without one. */
	get ready(): number {
		return this.#ready;
	}

	/** Offset in the head from which a record may be written; the block's length when none may. */
	get writeOffset(): number {
		return this.#headClosed ? this.#blockLength : this.#ring.headEnd;
	}

	/**
	 * Appends the record whose payload stands at {@link PAYLOAD_AT}.
	 * @param keepFree - free blocks that must be left (rule 11)
	 * @returns its position
	 * @throws {CodedError} "full" when fewer would be left, "flash"
	 */
	append(type: number, byteLength: number, copy: boolean, keepFree: number): number {
		const ring = this.#ring;
		const total = recordBytes(byteLength, this.#align);
		if (ring.freeBlocks < keepFree) throw new CodedError("full", "journal", `${ring.freeBlocks} blocks free`);
		writeU16(this.buffer, HEADER_BYTES, recordHead(type, byteLength, copy));
		const offset = this.writeOffset;
		if (offset + total <= this.#blockLength) {
			const position = ring.head * this.#blockLength + offset;
			this.seal(byteLength, total, ring.sequence(ring.head), offset);
			if (this.program(HEADER_BYTES, total, position)) {
				ring.headEnd += total;
				this.bytesWritten += total;
				return position;
			}
			this.#headClosed = true;
			ring.suspect(ring.head);
			this.#copies.note(ring.head, BOTH); // What stands before may be gone as well.
			if (ring.freeBlocks <= keepFree) {
				// Not "full", which says that nothing was written: the record may stand there for the next boot.
				throw new CodedError("flash", "journal", "a record does not read back, and there is no room to repeat it");
			}
		}
		if (ring.freeBlocks <= keepFree) throw new CodedError("full", "journal", `${ring.freeBlocks} blocks free`);
		return this.openBlock(BlockKind.log, ring.sequence(ring.head), ring.headEnd, ring.head);
	}

	/**
	 * Opens a block with the record at HEADER_BYTES of the buffer (head and payload set) as its first, and makes it the
	 * head of the log.
	 * @param after - the block is the next free one after this
	 * @returns the record's position
	 * @throws {CodedError} "full" | "flash"
	 */
	openBlock(kind: BlockKind, previousSequence: number, previousEnd: number, after: number): number {
		const byteLength = headLength(readU16(this.buffer, HEADER_BYTES));
		const total = HEADER_BYTES + recordBytes(byteLength, this.#align);
		const ring = this.#ring;
		const header = this.#header;
		header.kind = kind;
		header.id = this.id;
		header.generation = this.generation;
		header.previousSequence = previousSequence;
		header.previousEnd = previousEnd;
		header.tailSequence = ring.tailSequence;
		header.tailOffset = ring.tailOffset;
		let last = after;
		for (let tries = 0; tries < WRITE_TRIES_MAX; tries++) {
			const block = this.takeErased(last);
			const sequence = this.nextSequence(kind, block);
			ring.sequenceMax = sequence;
			header.sequence = sequence;
			encodeHeader(this.buffer, 0, header);
			this.seal(byteLength, total - HEADER_BYTES, sequence, HEADER_BYTES);
			this.bytesWritten += total;
			if (this.program(0, total, block * this.#blockLength)) {
				ring.setSequence(block, sequence);
				if (ring.chainBlocks > 0 && !this.#headClosed) ring.trust(ring.head);
				if (ring.chainBlocks > 0) ring.link(ring.head, block);
				ring.add(block);
				ring.head = block;
				ring.headEnd = total;
				ring.headPreviousSequence = previousSequence;
				ring.headPreviousEnd = previousEnd;
				this.#headClosed = false;
				return block * this.#blockLength + HEADER_BYTES;
			}
			ring.suspect(block);
			last = block;
		}
		throw new CodedError("flash", "journal", "no block takes a record");
	}

	/**
	 * Log blocks count on. A boot block's number is told by the block it stands in, so that two boots that were cut, and
	 * could not read each other, never give two blocks the same one (rule 2).
	 */
	private nextSequence(kind: BlockKind, block: number): number {
		const next = this.#ring.sequenceMax + 1;
		const skipped = kind === BlockKind.boot ? (block - next) & this.#ring.blocksMask : 0;
		return (next + skipped) >>> 0;
	}

	/** Programs a header alone, sequence 0, to an erased block. @returns false when flash holds something else */
	programHeader(block: number, kind: BlockKind, tailSequence: number, tailOffset: number): boolean {
		const header = this.#header;
		header.kind = kind;
		header.id = this.id;
		header.generation = this.generation;
		header.sequence = 0;
		header.previousSequence = 0;
		header.previousEnd = 0;
		header.tailSequence = tailSequence;
		header.tailOffset = tailOffset;
		encodeHeader(this.buffer, 0, header);
		return this.program(0, HEADER_BYTES, block * this.#blockLength);
	}

	/** Erases the next free block when none stands ready. */
	eraseAhead(): void {
		while (this.#ready < 0) {
			const block = this.#ring.nextFree(this.#ring.head);
			if (block < 0) return;
			if (this.erase(block)) this.#ready = block;
		}
	}

	/** Erases a free block, and retires it when it does not become blank. */
	erase(block: number): boolean {
		const blank = this.#copies.erase(block);
		this.#copies.clearNotes(block);
		if (!blank) this.#ring.retire(block);
		this.lookForLoss();
		return blank;
	}

	private takeErased(after: number): number {
		const ready = this.#ready;
		this.#ready = -1;
		if (ready >= 0) return ready;
		for (let tries = 0; tries < WRITE_TRIES_MAX; tries++) {
			const block = this.#ring.nextFree(after);
			if (block < 0) throw new CodedError("full", "journal", "no free block");
			this.erasesUnprepared++;
			if (this.erase(block)) return block;
		}
		throw new CodedError("flash", "journal", "no block can be erased");
	}

	/** CRC and padding of the record at HEADER_BYTES. */
	private seal(byteLength: number, total: number, sequence: number, offset: number): void {
		const end = PAYLOAD_AT + byteLength;
		writeU32(this.buffer, end, recordCrc(this.buffer, HEADER_BYTES, sequence, offset));
		this.buffer.fill(0xff, end + 4, HEADER_BYTES + total);
	}

	private program(start: number, byteLength: number, position: number): boolean {
		const good = this.#copies.program(this.buffer, start, byteLength, position);
		this.lookForLoss();
		return good;
	}

	/** When a whole copy was given up, its blocks are not to blame for what failed before. */
	private lookForLoss(): void {
		const { lost } = this.#copies;
		if (lost < 0 || this.#lostSeen >= 0) return;
		this.#lostSeen = lost;
		this.#ring.forgive();
	}
}
