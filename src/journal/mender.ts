/**
 * Two copies of the journal are kept alike: a block that lacks something on one of them is written anew from the other
 * (DESIGN.md, "Mirror"). Runs in idle time, one block a step, and looks through the whole log again and again, so that
 * flips are found before a second one meets them.
 * @module
 */
import { readU16, writeU16 } from "../core/bytes";
import { CodedError } from "../core/errors";
import { BOTH, type Copies } from "./copies";
import { BlockKind, HEADER_BYTES, isLater, RecordType, recordHead } from "./format";
import { LOADED_AT, type LogReader } from "./log-reader";
import { type LogWriter, PAYLOAD_AT } from "./log-writer";
import { FREE_BLOCKS_MIN, type Reclaimer } from "./reclaimer";
import type { Ring } from "./ring";

/** Payload of a mend record: 1 when it begins and 0 when it has ended, copy, block. */
const MEND_BYTES = 4;
const BEGINS = 1;
const ENDED = 0;
/** At most this much is programmed at once; whole pages of every flash there is. */
const CHUNK_BYTES = 256;

export class Mender {
	readonly #copies: Copies;
	readonly #ring: Ring;
	readonly #reader: LogReader;
	readonly #writer: LogWriter;
	readonly #reclaimer: Reclaimer;
	#scrubAt = -1; // Block that was looked at last.
	#unfinishedCopy = 0;
	#unfinishedBlock = 0;
	#evacuating = false;
	#evacuateTo = 0; // Sequence of the newest block that can not be mended where it is.

	/** Blocks written anew in this run. */
	mendedBlocks = 0;

	constructor(copies: Copies, ring: Ring, reader: LogReader, writer: LogWriter, reclaimer: Reclaimer) {
		this.#copies = copies;
		this.#ring = ring;
		this.#reader = reader;
		this.#writer = writer;
		this.#reclaimer = reclaimer;
	}

	/** A mount begins. */
	reset(): void {
		this.#scrubAt = -1;
		this.#evacuating = false;
	}

	/** One block: mended, moved away, or looked at. @returns true while something is known that waits to be mended */
	step(): boolean {
		if (!this.#copies.mirrored) return false;
		const noted = this.nextNoted();
		if (noted >= 0) {
			try {
				return this.mend(noted);
			} catch (error) {
				// Without room nothing is begun: after the next settlement there is some.
				if (!(error instanceof CodedError) || error.code !== "full") throw error;
				return false;
			}
		}
		if (this.#evacuating) return this.evacuate();
		return this.scrub();
	}

	/**
	 * Is the record that was just loaded the beginning of a mending whose end is not there? Then power failed in it, and
	 * what the block reads like proves nothing.
	 */
	readUnfinished(bytes: Uint8Array, byteLength: number): boolean {
		if (this.#reader.loadedType !== RecordType.mend || byteLength < MEND_BYTES) return false;
		this.#unfinishedCopy = bytes[LOADED_AT + 3];
		this.#unfinishedBlock = readU16(bytes, LOADED_AT + 4);
		return bytes[LOADED_AT + 2] === BEGINS && this.#unfinishedCopy < 2 && this.#unfinishedBlock < this.#ring.blocks;
	}

	/** Does that mending once more, before anything else is written. */
	finish(): void {
		const block = this.#unfinishedBlock;
		const copy = this.#unfinishedCopy;
		if (!this.#copies.mirrored || !this.#ring.inChain(block) || block === this.#ring.head) return;
		if ((this.lacking(block) & (1 << (1 - copy))) !== 0) {
			// What the other one lacks may stand here: nothing is erased, everything is moved away.
			this.moveAway(block);
			return;
		}
		this.rewrite(copy, block);
		this.writeMend(ENDED, copy, block, 0);
	}

	/** Something is known that one copy lacks. */
	get hasWork(): boolean {
		return this.#copies.mirrored && this.nextNoted() >= 0;
	}

	/** Compares one block, and writes nothing. @returns true when something is known that one copy lacks */
	look(): boolean {
		if (!this.#copies.mirrored) return false;
		return this.hasWork || this.scrub();
	}

	private nextNoted(): number {
		const ring = this.#ring;
		let block = ring.tail;
		for (let n = 0; n < ring.chainBlocks; n++, block = ring.next(block)) {
			if (this.#copies.isNoted(block)) return block;
		}
		return -1;
	}

	/** Looks at a block that was noted, and writes it anew on the copy that lacks something. */
	private mend(block: number): boolean {
		const lacking = this.lacking(block);
		if (lacking === 0) {
			this.#copies.clearNotes(block);
			return true;
		}
		if (lacking === BOTH) {
			this.moveAway(block);
			return true;
		}
		const copy = lacking === 1 ? 0 : 1;
		this.writeMend(BEGINS, copy, block, FREE_BLOCKS_MIN);
		this.rewrite(copy, block);
		this.writeMend(ENDED, copy, block, 0);
		return this.#copies.mirrored;
	}

	/** Copies (as bits) that do not hold the block's header and every record up to its end. */
	private lacking(block: number): number {
		const { scanner } = this.#reader;
		const headers = this.#reader.readLogHeader(block);
		this.#reader.findEnd(block);
		const { end } = this.#reader;
		scanner.start(block, this.#ring.sequence(block), HEADER_BYTES, end);
		while (scanner.next());
		return scanner.lacking | (BOTH & ~headers);
	}

	/** Erases the block on one copy and programs what the other one holds. */
	private rewrite(copy: number, block: number): void {
		const copies = this.#copies;
		const { buffer } = this.#writer;
		this.#reader.findEnd(block);
		const { end } = this.#reader;
		const start = block * copies.blockLength;
		let good = copies.eraseOne(copy, block);
		for (let offset = 0; offset < end && good; offset += CHUNK_BYTES) {
			const byteLength = Math.min(CHUNK_BYTES, end - offset);
			copies.read(1 - copy, buffer.subarray(0, byteLength), start + offset);
			good = copies.programOne(copy, buffer, 0, byteLength, start + offset);
		}
		copies.clearNotes(block);
		if (good && this.lacking(block) === 0) {
			this.mendedBlocks++;
			this.#ring.trust(block);
		} else if (copies.mirrored) {
			// Worn out on one copy: what it holds goes elsewhere, and then the block is not used any more.
			this.#ring.retire(block);
			this.moveAway(block);
		}
	}

	private moveAway(block: number): void {
		const sequence = this.#ring.sequence(block);
		this.#copies.clearNotes(block);
		if (!this.#evacuating || isLater(sequence, this.#evacuateTo)) this.#evacuateTo = sequence;
		this.#evacuating = true;
	}

	/** Moves the tail on, one block a step, until the blocks that can not be mended are out of the log. */
	private evacuate(): boolean {
		if (isLater(this.#ring.tailSequence, this.#evacuateTo)) {
			this.#evacuating = false;
			return false;
		}
		return this.#reclaimer.evacuateTail();
	}

	/** Compares the copies of the next block. */
	private scrub(): boolean {
		const ring = this.#ring;
		const known = this.#scrubAt >= 0 && ring.inChain(this.#scrubAt) && this.#scrubAt !== ring.head;
		this.#scrubAt = known ? ring.next(this.#scrubAt) : ring.tail;
		const lacking = this.lacking(this.#scrubAt);
		this.#copies.note(this.#scrubAt, lacking);
		return lacking !== 0;
	}

	/** The record opens a block of its own where the head is the block to be mended. */
	private writeMend(state: number, copy: number, block: number, keepFree: number): void {
		const { buffer } = this.#writer;
		const ring = this.#ring;
		buffer[PAYLOAD_AT] = state;
		buffer[PAYLOAD_AT + 1] = copy;
		writeU16(buffer, PAYLOAD_AT + 2, block);
		if (block !== ring.head) {
			this.#writer.append(RecordType.mend, MEND_BYTES, false, keepFree);
			return;
		}
		if (ring.freeBlocks <= keepFree) throw new CodedError("full", "journal", `${ring.freeBlocks} blocks free`);
		writeU16(buffer, HEADER_BYTES, recordHead(RecordType.mend, MEND_BYTES, false));
		this.#writer.openBlock(BlockKind.log, ring.sequence(block), ring.headEnd, block);
	}
}
