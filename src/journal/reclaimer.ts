/**
 * Frees the oldest blocks by copying forward what is still live in them (DESIGN.md, rules 10 and 11), and writes the
 * marks that say where the log begins. Nothing is begun that could leave too few blocks for the next boots.
 * @module
 */
import { writeU16, writeU32 } from "../core/bytes";
import { CodedError } from "../core/errors";
import { HEADER_BYTES, PAYLOAD_BYTES_MAX, RecordType, recordBytes } from "./format";
import { LOADED_AT, type LogReader } from "./log-reader";
import { type LogWriter, PAYLOAD_AT } from "./log-writer";
import type { Ring } from "./ring";

/**
 * Free blocks that every write but the boot's own must leave: one for the next boot, one for the boot after it while
 * the first one's is still the head, and one that such a boot may have to hold (rule 4).
 */
export const FREE_BLOCKS_MIN = 3;
/** What a reclaim leaves where nothing can be appended otherwise: at worst there is no writing, as before. */
const FREE_BLOCKS_LAST = 1;
/** A mark's payload begins with the tail: sequence and offset. */
export const MARK_OWN_BYTES = 6;

/** The part of the journal's client that a reclaim asks. */
export interface LiveRecords {
	isLive(type: number, position: number, bytes: Uint8Array, start: number): boolean;
	moved(from: number, to: number): void;
}

export class Reclaimer {
	readonly #ring: Ring;
	readonly #reader: LogReader;
	readonly #writer: LogWriter;
	readonly #client: LiveRecords;
	readonly #blockLength: number;
	readonly #align: number;
	#futileAt = -1; // Log bytes written when the last try gained nothing more.

	/** Position of the newest mark, −1 when it is damaged. */
	markPosition = -1;

	constructor(
		ring: Ring,
		reader: LogReader,
		writer: LogWriter,
		client: LiveRecords,
		blockLength: number,
		align: number,
	) {
		this.#ring = ring;
		this.#reader = reader;
		this.#writer = writer;
		this.#client = client;
		this.#blockLength = blockLength;
		this.#align = align;
	}

	/** A mount begins, or a settlement has changed what is live. */
	reset(): void {
		this.#futileAt = -1;
	}

	/**
	 * Reclaims until `wanted` blocks are free, or as near to it as can be had safely.
	 * @param patienceBytes - after a futile try, log bytes that must pass before the next
	 */
	reclaimUntil(wanted: number, patienceBytes: number): boolean {
		const ring = this.#ring;
		const writer = this.#writer;
		if (ring.freeBlocks >= wanted) return true;
		if (this.#futileAt >= 0 && writer.bytesWritten - this.#futileAt < patienceBytes) return false;
		if (this.markPosition >= 0) {
			try {
				let keepFree = FREE_BLOCKS_MIN;
				let count = this.#plan(wanted, keepFree);
				if (count === 0 && !this.#canAppend()) {
					keepFree = FREE_BLOCKS_LAST;
					count = this.#plan(wanted, keepFree);
				}
				while (count > 0 && this.#reclaimTail(keepFree)) count--;
			} catch (error) {
				// A block failed and was retired, so that the plan does not hold any more.
				if (!(error instanceof CodedError) || error.code !== "full") throw error;
			}
		}
		if (ring.freeBlocks >= wanted) return true;
		this.#futileAt = writer.bytesWritten;
		return false;
	}

	/**
	 * Goes through the oldest blocks as a reclaim would, without writing.
	 * @returns how many to reclaim: until `wanted` are free, else until most are, 0 when nothing is gained
	 */
	#plan(wanted: number, keepFree: number): number {
		const ring = this.#ring;
		const markBytes = this.#reader.load(this.markPosition);
		if (markBytes < MARK_OWN_BYTES) return 0;
		let free = ring.freeBlocks;
		let end = this.#writer.writeOffset;
		let best = 0;
		let bestFree = free;
		const add = (payloadBytes: number) => {
			const total = recordBytes(payloadBytes, this.#align);
			if (end + total > this.#blockLength) {
				free--;
				end = HEADER_BYTES;
			}
			end += total;
		};
		let block = ring.tail;
		for (let n = 1; block !== ring.head; n++, block = ring.next(block)) {
			this.#liveIn(block, n === 1 ? ring.tailOffset : HEADER_BYTES, add);
			add(markBytes);
			// Cut right after the mark, the boot does not know it for certain: this block is not free for it yet.
			if (free < keepFree) break;
			free++;
			if (free > bestFree) {
				best = n;
				bestFree = free;
			}
			if (free >= wanted) break;
		}
		return best;
	}

	/** Payload bytes of every record of a block that a reclaim would copy. */
	#liveIn(block: number, from: number, add: (payloadBytes: number) => void): void {
		this.#reader.findEnd(block);
		this.#reader.visitBlock(block, from, (type, position, bytes, start, byteLength) => {
			if (type >= RecordType.clientMin && this.#client.isLive(type, position, bytes, start)) add(byteLength);
		});
	}

	/** Rule 10: copies, then the mark, then the block is free. @returns false when the mark can not be read */
	#reclaimTail(keepFree: number): boolean {
		const ring = this.#ring;
		const reader = this.#reader;
		const writer = this.#writer;
		const { scanner } = reader;
		const { buffer } = writer;
		const block = ring.tail;
		const sequence = ring.sequence(block);
		reader.findEnd(block);
		const { end } = reader;
		for (let from = ring.tailOffset; ; ) {
			scanner.start(block, sequence, from, end);
			if (!scanner.next()) break;
			from = scanner.cursor;
			const position = block * this.#blockLength + scanner.offset;
			const byteLength = reader.load(position);
			const type = reader.loadedType;
			if (byteLength < 0 || type < RecordType.clientMin) continue;
			if (!this.#client.isLive(type, position, buffer, LOADED_AT + 2)) continue;
			buffer.copyWithin(PAYLOAD_AT, LOADED_AT + 2, LOADED_AT + 2 + byteLength);
			this.#client.moved(position, writer.append(type, byteLength, true, keepFree));
		}
		const markBytes = reader.load(this.markPosition);
		if (markBytes < MARK_OWN_BYTES) return false;
		buffer.copyWithin(PAYLOAD_AT, LOADED_AT + 2, LOADED_AT + 2 + markBytes);
		this.mark(ring.sequence(ring.next(block)), HEADER_BYTES, markBytes - MARK_OWN_BYTES, keepFree);
		return true;
	}

	/** May the client append a record of the greatest length? */
	#canAppend(): boolean {
		const fits = this.#writer.writeOffset + recordBytes(PAYLOAD_BYTES_MAX, this.#align) <= this.#blockLength;
		return this.#ring.freeBlocks >= FREE_BLOCKS_MIN + (fits ? 0 : 1);
	}

	/** Appends a mark whose client bytes stand in the buffer behind its own, and frees what lies before its tail. */
	mark(tailSequence: number, tailOffset: number, clientBytes: number, keepFree = FREE_BLOCKS_MIN): void {
		sealMark(this.#writer.buffer, tailSequence, tailOffset);
		const byteLength = clientBytes + MARK_OWN_BYTES;
		this.markPosition = this.#writer.append(RecordType.mark, byteLength, false, keepFree);
		this.#ring.advanceTail(tailSequence, tailOffset);
	}
}

/** Writes a mark's own bytes to where the writer takes a payload from. */
export function sealMark(buffer: Uint8Array, tailSequence: number, tailOffset: number): void {
	writeU32(buffer, PAYLOAD_AT, tailSequence);
	writeU16(buffer, PAYLOAD_AT + 4, tailOffset);
}
