/**
 * Frees the oldest blocks by copying forward what is still live in them (DESIGN.md, rules 10 and 11), and writes the
 * marks that say where the log begins. Nothing is begun that could leave too few blocks for the next boots.
 * @module
 */
import { assert } from "../core/assert";
import { readU16, writeU16, writeU32 } from "../core/bytes";
import { CodedError } from "../core/errors";
import type { Copies } from "./copies";
import {
	HEADER_BYTES,
	isMark,
	MARK_OWN_BYTES_MAX,
	MARK_TAIL_BYTES,
	markOwnBytes,
	PAYLOAD_BYTES_MAX,
	RETIRED_MAX,
	RecordType,
	recordBytes,
} from "./format";
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
	#clientBytesAt = 0;

	/** Position of the newest mark, −1 when it is damaged. */
	markPosition = -1;

	constructor(ring: Ring, reader: LogReader, writer: LogWriter, client: LiveRecords, copies: Copies) {
		this.#ring = ring;
		this.#reader = reader;
		this.#writer = writer;
		this.#client = client;
		this.#blockLength = copies.blockLength;
		this.#align = copies.align;
	}

	/**
	 * What a settlement's mark must leave free: as always where it can be had, else one block, as the mark is what makes
	 * room again. Cut right after it, at worst nothing can be written, as before.
	 */
	get leastFree(): number {
		return Math.max(FREE_BLOCKS_LAST, Math.min(FREE_BLOCKS_MIN, this.#ring.freeBlocks - 1));
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
				let count = this.plan(wanted, keepFree);
				if (count === 0 && !this.canAppend()) {
					keepFree = FREE_BLOCKS_LAST;
					count = this.plan(wanted, keepFree);
				}
				while (count > 0 && this.reclaimTail(keepFree)) count--;
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
	private plan(wanted: number, keepFree: number): number {
		const ring = this.#ring;
		const loaded = this.loadMark();
		if (loaded < 0) return 0;
		const markBytes = loaded + this.ownBytes(loaded);
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
			this.liveIn(block, n === 1 ? ring.tailOffset : HEADER_BYTES, add);
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
	private liveIn(block: number, from: number, add: (payloadBytes: number) => void): void {
		this.#reader.findEnd(block);
		this.#reader.visitBlock(block, from, (type, position, bytes, start, byteLength) => {
			if (type >= RecordType.clientMin && this.#client.isLive(type, position, bytes, start)) add(byteLength);
		});
	}

	/**
	 * Reclaims the oldest block though nothing is gained by it: it holds what stands on one copy only.
	 * @returns false when there is no room for that now
	 */
	evacuateTail(): boolean {
		if (this.#ring.tail === this.#ring.head || this.#ring.freeBlocks <= FREE_BLOCKS_MIN + 1) return false;
		try {
			return this.reclaimTail(FREE_BLOCKS_MIN);
		} catch (error) {
			if (!(error instanceof CodedError) || error.code !== "full") throw error;
			return false;
		}
	}

	/** Rule 10: copies, then the mark, then the block is free. @returns false when the mark can not be read */
	private reclaimTail(keepFree: number): boolean {
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
		return this.remark(ring.sequence(ring.next(block)), HEADER_BYTES, keepFree);
	}

	/** Appends the newest mark once more, with another tail. @returns false when it can not be read */
	remark(tailSequence: number, tailOffset: number, keepFree: number): boolean {
		const clientBytes = this.loadMark();
		if (clientBytes < 0) return false;
		const from = this.#clientBytesAt;
		this.#writer.buffer.copyWithin(PAYLOAD_AT + this.ownBytes(clientBytes), from, from + clientBytes);
		this.mark(tailSequence, tailOffset, clientBytes, keepFree);
		return true;
	}

	/** Loads the newest mark; its client bytes stand at #clientBytesAt then. @returns how many, −1 without a mark */
	private loadMark(): number {
		const markBytes = this.markPosition < 0 ? -1 : this.#reader.load(this.markPosition);
		const type = this.#reader.loadedType;
		if (markBytes < 0 || !isMark(type)) return -1;
		const own = markOwnBytes(type, this.#writer.buffer, LOADED_AT + 2, markBytes);
		this.#clientBytesAt = LOADED_AT + 2 + own;
		return own < 0 ? -1 : markBytes - own;
	}

	/** Bytes that a mark written now has before the client's own. */
	ownBytes(clientBytes: number): number {
		// A mark of format 1 may have more of the client's bytes than leave room for the retired blocks.
		if (clientBytes > PAYLOAD_BYTES_MAX - MARK_OWN_BYTES_MAX) return MARK_TAIL_BYTES;
		return markOwnBytesNow(this.#ring);
	}

	/** A mount has read this mark: it is the newest so far, and names blocks that are worn out. */
	takeMark(type: number, position: number, bytes: Uint8Array, start: number): void {
		this.markPosition = position;
		if (type !== RecordType.markRetired) return;
		const count = bytes[start + MARK_TAIL_BYTES];
		for (let n = 0; n < count; n++) {
			const block = readU16(bytes, start + MARK_TAIL_BYTES + 1 + 2 * n);
			if (block < this.#ring.blocks) this.#ring.retire(block, true);
		}
	}

	/** Writes down which blocks are retired, when a mark does not say so yet. */
	rememberRetired(): void {
		const ring = this.#ring;
		if (!ring.hasFresh || ring.freeBlocks <= FREE_BLOCKS_MIN) return;
		this.remark(ring.tailSequence, ring.tailOffset, FREE_BLOCKS_MIN);
	}

	/** May the client append a record of the greatest length? */
	private canAppend(): boolean {
		const fits = this.#writer.writeOffset + recordBytes(PAYLOAD_BYTES_MAX, this.#align) <= this.#blockLength;
		return this.#ring.freeBlocks >= FREE_BLOCKS_MIN + (fits ? 0 : 1);
	}

	/** Appends a mark whose client bytes stand in the buffer behind its own, and frees what lies before its tail. */
	mark(tailSequence: number, tailOffset: number, clientBytes: number, keepFree = FREE_BLOCKS_MIN): void {
		const ring = this.#ring;
		const named = ring.retiredBlocks;
		const own = this.ownBytes(clientBytes);
		const type = own === MARK_TAIL_BYTES ? RecordType.mark : RecordType.markRetired;
		sealMark(this.#writer.buffer, tailSequence, tailOffset, ring, own);
		this.markPosition = this.#writer.append(type, clientBytes + own, false, keepFree);
		// What failed while this was written is not in it.
		if (ring.retiredBlocks === named && type === RecordType.markRetired) ring.remembered();
		ring.advanceTail(tailSequence, tailOffset);
		assert(ring.tailSequence === tailSequence, "I7 the new tail is in the log");
	}
}

/** Bytes of a mark before the client's own, with the blocks that are retired now. */
export function markOwnBytesNow(ring: Ring): number {
	return MARK_TAIL_BYTES + 1 + 2 * Math.min(ring.retiredBlocks, RETIRED_MAX);
}

/**
 * Writes a mark's own bytes to where the writer takes a payload from.
 * @param own - how many they are: the tail alone, or all of them
 */
export function sealMark(buffer: Uint8Array, tailSequence: number, tailOffset: number, ring: Ring, own: number): void {
	writeU32(buffer, PAYLOAD_AT, tailSequence);
	writeU16(buffer, PAYLOAD_AT + 4, tailOffset);
	if (own === MARK_TAIL_BYTES) return;
	const countAt = PAYLOAD_AT + MARK_TAIL_BYTES;
	const end = PAYLOAD_AT + own;
	let at = countAt + 1;
	for (let block = 0; block < ring.blocks && at < end; block++) {
		if (!ring.isRetired(block)) continue;
		writeU16(buffer, at, block);
		at += 2;
	}
	buffer[countAt] = (at - countAt - 1) >> 1;
}
