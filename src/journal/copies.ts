/**
 * The flash below the journal: one partition, or two that hold the same bytes at the same places (DESIGN.md,
 * "Mirror"). Every write goes to the first copy and then to the second, and is read back on both.
 *
 * A copy that fails three times in a row while the other one works is given up for this run; the journal goes on with
 * the other. With one partition every error is the caller's.
 * @module
 */
import { AssertionError } from "../core/assert";
import { CodedError } from "../core/errors";
import type { FlashPartition } from "../ports";

const BLOCKS_MIN = 6; // With fewer blocks the reserve is never free.
const BLOCKS_MAX = 4096; // 16 MiB of 4 KiB blocks. A boot skips up to as many sequence numbers (rule 2).
const BLOCK_BYTES_MIN = 1024;
const BLOCK_BYTES_MAX = 32768;
const WRITE_ALIGN_MAX = 32;
const CHECK_BYTES = 32;
/** Reads that may fail in a row before a copy is given up. */
const READ_TRIES_MAX = 8;
/** Failures in a row after which a copy is given up. */
const FAILURES_MAX = 3;

/** Where each copy's failures of one kind are counted. */
const PROGRAM = 0;
const ERASE = 2;

/** Copies as bits: 1 is the first, 2 the second. */
export const BOTH = 3;

export class Copies {
	readonly count: number;
	readonly blockLength: number;
	readonly blocks: number;
	/** The greatest write unit of the copies. */
	readonly align: number;
	readonly #partitions: FlashPartition[];
	readonly #check = new Uint8Array(CHECK_BYTES);
	// In a row, of each copy: programs, then erases. A blank block that is erased proves nothing about programs.
	readonly #failures = new Uint8Array(4);
	readonly #noted: Uint8Array[] = []; // For each of two copies one bit a block: look at it, it may lack something.
	/** The copy that was given up in this run, −1 when none was. */
	lost = -1;

	/** @throws {CodedError} "format" when the partitions can not hold a journal, or do not fit each other */
	constructor(primary: FlashPartition, mirror?: FlashPartition) {
		const geometry = checkGeometry(primary, "journal partition");
		this.#partitions = [primary];
		this.blockLength = geometry.blockLength;
		this.blocks = geometry.blocks;
		this.align = geometry.align;
		if (mirror !== undefined) {
			const second = checkGeometry(mirror, "mirror partition");
			if (second.blockLength !== geometry.blockLength || second.blocks !== geometry.blocks) {
				throw new CodedError("format", "mirror partition", "its blocks are not those of the journal partition");
			}
			this.#partitions.push(mirror);
			this.align = Math.max(geometry.align, second.align);
			for (let copy = 0; copy < 2; copy++) this.#noted.push(new Uint8Array((this.blocks + 7) >> 3));
		}
		this.count = this.#partitions.length;
	}

	get ramBytes(): number {
		let bytes = this.#check.byteLength;
		for (const bits of this.#noted) bytes += bits.byteLength;
		return bytes;
	}

	/** True when two copies are in use. */
	get mirrored(): boolean {
		return this.count === 2 && this.lost < 0;
	}

	/** A mount begins: a copy that was given up is tried again. */
	reset(): void {
		this.lost = -1;
		this.#failures.fill(0);
		for (const bits of this.#noted) bits.fill(0);
	}

	/** True when the last operation on each copy in use succeeded: what failed before were single blocks. */
	get settled(): boolean {
		for (let copy = 0; copy < this.count; copy++) if (copy !== this.lost && this.fails(copy)) return false;
		return true;
	}

	/**
	 * Fills `buffer` from `position` of a copy; with 0xFF when the copy is lost.
	 * @throws the device's error when no copy is left
	 */
	read(copy: number, buffer: Uint8Array, position: number): void {
		for (let tries = 1; copy !== this.lost; tries++) {
			try {
				this.#partitions[copy].read(buffer, position);
				return;
			} catch (error) {
				if (error instanceof AssertionError || this.count === 1 || this.lost >= 0) throw error;
				// Where the other one cannot be read either, it is the board that is dead and not a copy.
				this.#partitions[1 - copy].read(buffer, position);
				if (tries === READ_TRIES_MAX) this.lost = copy; // One slip is no dead chip.
			}
		}
		buffer.fill(0xff);
	}

	/** Is every byte of this copy 0xFF? */
	isBlank(copy: number): boolean {
		for (let block = 0; block < this.blocks; block++) if (!this.isBlankBlock(copy, block)) return false;
		return true;
	}

	private isBlankBlock(copy: number, block: number): boolean {
		const check = this.#check;
		const start = block * this.blockLength;
		let all = 0xff;
		for (let offset = 0; offset < this.blockLength; offset += CHECK_BYTES) {
			this.read(copy, check, start + offset);
			for (let i = 0; i < CHECK_BYTES; i++) all &= check[i];
		}
		return all === 0xff;
	}

	/** Programs `bytes[start, start + byteLength)` on each copy and reads it back. @returns false when one differs */
	program(bytes: Uint8Array, start: number, byteLength: number, position: number): boolean {
		for (let copy = 0; copy < this.count; copy++) {
			if (copy === this.lost) continue;
			const good = this.programOne(copy, bytes, start, byteLength, position);
			if (!good && copy !== this.lost) return false;
		}
		return true;
	}

	/** The same on one copy. */
	programOne(copy: number, bytes: Uint8Array, start: number, byteLength: number, position: number): boolean {
		let good = true;
		try {
			this.#partitions[copy].write(bytes.subarray(start, start + byteLength), position);
		} catch (error) {
			if (error instanceof AssertionError) throw error;
			good = false; // A device that is gone for good also refuses the read below.
		}
		const check = this.#check;
		const size = this.blocks * this.blockLength;
		for (let done = 0; done < byteLength; done += CHECK_BYTES) {
			// Always whole chunks, so that no view is made: the last of the partition is read from further back.
			const from = Math.min(position + done, size - CHECK_BYTES);
			const skip = position + done - from;
			const part = Math.min(CHECK_BYTES - skip, byteLength - done);
			this.read(copy, check, from);
			for (let i = 0; i < part; i++) if (check[skip + i] !== bytes[start + done + i]) good = false;
		}
		return this.judge(copy, PROGRAM, good);
	}

	/** Erases a block on each copy and looks whether it is blank. @returns false when one is not */
	erase(block: number): boolean {
		for (let copy = 0; copy < this.count; copy++) {
			if (copy === this.lost) continue;
			if (!this.eraseOne(copy, block) && copy !== this.lost) return false;
		}
		return true;
	}

	/** The same on one copy. */
	eraseOne(copy: number, block: number): boolean {
		let blank = true;
		try {
			this.#partitions[copy].eraseBlock(block);
		} catch (error) {
			if (error instanceof AssertionError) throw error;
			blank = false;
		}
		if (!this.isBlankBlock(copy, block)) blank = false;
		return this.judge(copy, ERASE, blank);
	}

	/** A copy that fails again and again is no worn block: it is given up. */
	private judge(copy: number, what: number, good: boolean): boolean {
		const failures = this.#failures;
		const at = what + copy;
		if (good) failures[at] = 0;
		else if (failures[at] < FAILURES_MAX) failures[at] += 1;
		const alone = this.count === 1 || this.lost >= 0 || this.fails(1 - copy);
		if (failures[at] >= FAILURES_MAX && !alone) this.lost = copy;
		return good;
	}

	private fails(copy: number): boolean {
		return this.#failures[PROGRAM + copy] > 0 || this.#failures[ERASE + copy] > 0;
	}

	/** Something of `block` was missing on the copies in `bits`. */
	note(block: number, bits: number): void {
		if (this.count < 2) return;
		for (let copy = 0; copy < 2; copy++) {
			if ((bits & (1 << copy)) !== 0) this.#noted[copy][block >> 3] |= 1 << (block & 7);
		}
	}

	isNoted(block: number): boolean {
		if (this.count < 2) return false;
		return ((this.#noted[0][block >> 3] | this.#noted[1][block >> 3]) & (1 << (block & 7))) !== 0;
	}

	clearNotes(block: number): void {
		for (const bits of this.#noted) bits[block >> 3] &= ~(1 << (block & 7));
	}

	close(): void {
		for (const partition of this.#partitions) partition.close();
	}
}

/** @throws {CodedError} "format" when the partition can not hold a journal */
function checkGeometry(flash: FlashPartition, place: string): { blockLength: number; blocks: number; align: number } {
	const { size, blockLength, blocks, writeAlign = 1, eraseValue = 0xff, encrypted = false } = flash.status();
	const refuse = (why: string): never => {
		throw new CodedError("format", place, why);
	};
	if (!isPowerOfTwo(blockLength, BLOCK_BYTES_MIN, BLOCK_BYTES_MAX)) refuse(`block length ${blockLength}`);
	if (!(Number.isInteger(blocks) && blocks >= BLOCKS_MIN && blocks <= BLOCKS_MAX)) refuse(`${blocks} blocks`);
	if (size !== blockLength * blocks) refuse("size is not whole blocks");
	if (!isPowerOfTwo(writeAlign, 1, WRITE_ALIGN_MAX)) refuse(`write unit ${writeAlign}`);
	if (eraseValue !== 0xff) refuse("erased bytes are not 0xFF");
	// The flash controller would decipher erased cells to noise: nothing here could tell written from blank.
	if (encrypted) refuse("it is encrypted by the flash controller");
	return { blockLength, blocks, align: writeAlign };
}

function isPowerOfTwo(value: number, min: number, max: number): boolean {
	return Number.isInteger(value) && value >= min && value <= max && (value & (value - 1)) === 0;
}
