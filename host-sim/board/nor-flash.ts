/**
 * NOR flash that is meaner than flash. Rules enforced: a program only clears bits; one write becomes an operation
 * for each 256-byte page; erase is by block; writes keep the alignment, and above alignment 1 no unit is programmed
 * twice between erases. Breaking a rule is a bug of the firmware and throws an AssertionError, except on cells whose
 * content it cannot know (flash-damage.ts).
 *
 * Power goes at any chosen operation: before it, within it (flash-tear.ts) or after it and before the call returns.
 * Cells of the interrupted operation may stay marginal: each read may see them otherwise, in this boot and in later
 * ones, until their block is erased. A cut's name (flash-cut.ts) gives the same bytes whenever the same run reaches
 * it with the same seed.
 *
 * DESIGN.md beside this file has the fault model and its sources.
 * @module
 */
import { assert } from "../../src/core/assert";
import { CodedError } from "../../src/core/errors";
import type { FlashPartition } from "../../src/ports";
import { FlashCut } from "./flash-cut";
import { type DamageKind, destroyBlock, flipBit, stickBit } from "./flash-damage";
import {
	type BlockFault,
	FlashMedium,
	type FlashMediumOptions,
	type MarginalCells,
	PAGE_BYTES,
	type PartitionFault,
} from "./flash-medium";
import { tearErase, tearProgram } from "./flash-tear";
import { Power, PowerLost } from "./power";
import { SeededRandom } from "./seeded-random";

/** Typical and maximum. Source: W25Q128JV datasheet, revision M, §9.6: tPP; tSE, tBE1 (32 KiB), tBE2 (64 KiB). */
const PROGRAM_TYPICAL_US = 400;
const PROGRAM_MAXIMUM_US = 3_000;
const ERASE_TYPICAL_US = [45_000, 120_000, 150_000];
const ERASE_MAXIMUM_US = [400_000, 1_600_000, 2_000_000];

/** How marginal cells read until the mood changes: all as 0, all as 1, each as it likes. */
const MOODS = 3;
/** What a worn block does to a program or erase, as a shape of flash-tear.ts: any bits. */
const WORN_PROGRAM_SHAPE = 4;
const WORN_ERASE_SHAPE = 5;
/** Shorter reads are copied byte by byte: a view costs more. */
const SHORT_READ_BYTES = 32;

export interface NorFlashOptions extends Partial<FlashMediumOptions> {
	/** Silicon of an earlier boot; then `blocks`, `image` and the like are its own and not given. */
	medium?: FlashMedium;
	power?: Power;
	/** Shared by the partitions of one board, for one boot; default: one of its own. */
	cut?: FlashCut;
	/** For torn results, marginal reads and damage; default seed 0. */
	random?: SeededRandom;
	/** Interrupted cells may read differently at each read; default true. */
	marginalCells?: boolean;
}

export class NorFlash implements FlashPartition {
	readonly medium: FlashMedium;
	pagesProgrammed = 0;
	blocksErased = 0;
	bytesProgrammed = 0;
	bytesRead = 0;
	/** Datasheet time of this boot's operations. */
	typicalUs = 0;
	maximumUs = 0;

	readonly #cut: FlashCut;
	readonly #power: Power;
	readonly #random: SeededRandom;
	readonly #marginalCells: boolean;
	readonly #status: { size: number; blockLength: number; blocks: number; writeAlign: number; eraseValue: number };
	readonly #eraseTime: number;
	/** Made when the first marginal cell, or the noise of a dead chip, is read. */
	#readRandom: SeededRandom | undefined;
	#mood = -1;
	#damages = 0;
	#closed = false;

	constructor(options: NorFlashOptions) {
		const { medium, blocks, power = new Power(), cut = new FlashCut(), marginalCells = true } = options;
		const random = options.random ?? new SeededRandom(0);
		assert((medium === undefined) !== (blocks === undefined), "a flash has a medium, or blocks to make one");
		this.medium = medium ?? new FlashMedium(options as FlashMediumOptions);
		this.medium.beginBoot();
		this.#power = power;
		this.#cut = cut;
		// Two partitions of one board may be given the same generator, and must not flip or blur alike.
		this.#random = cut.partitions === 0 ? random : random.fork(`partition ${cut.partitions}`);
		cut.partitions += 1;
		this.#marginalCells = marginalCells;
		const { size, blockLength, writeAlign } = this.medium;
		this.#status = { size, blockLength, blocks: this.medium.blocks, writeAlign, eraseValue: 0xff };
		this.#eraseTime = blockLength <= 4_096 ? 0 : blockLength <= 32_768 ? 1 : 2;
	}

	status(): { size: number; blockLength: number; blocks: number; writeAlign: number; eraseValue: number } {
		this.#power.check();
		return this.#status;
	}

	read(byteLength: number, byteOffset: number): ArrayBuffer;
	read(buffer: Uint8Array, byteOffset: number): number;
	read(target: number | Uint8Array, byteOffset: number): ArrayBuffer | number {
		if (typeof target === "number") {
			const bytes = new Uint8Array(target);
			this.#read(bytes, byteOffset);
			return bytes.buffer;
		}
		this.#read(target, byteOffset);
		return target.length;
	}

	write(buffer: Uint8Array, byteOffset: number): void {
		const { length } = buffer;
		this.#check(byteOffset, length, "write");
		const { writeAlign } = this.medium;
		if (writeAlign > 1 && (byteOffset % writeAlign !== 0 || length % writeAlign !== 0)) {
			assert(false, `flash write of ${length} at ${byteOffset} breaks the alignment of ${writeAlign}`);
		}
		const end = byteOffset + length;
		let at = byteOffset;
		while (at < end) {
			const next = Math.min(end, at - (at % PAGE_BYTES) + PAGE_BYTES);
			this.#program(buffer, at - byteOffset, at, next - at);
			at = next;
		}
	}

	eraseBlock(start: number, end = start + 1): void {
		this.#power.check();
		assert(!this.#closed, "flash erase after close");
		if (!Number.isInteger(start) || !Number.isInteger(end) || start < 0 || start >= end || end > this.medium.blocks) {
			assert(false, `flash erase of blocks ${start} to ${end} of ${this.medium.blocks}`);
		}
		for (let block = start; block < end; block++) this.#erase(block);
	}

	/** May be called twice, and on a dead board. */
	close(): void {
		this.#closed = true;
	}

	/** Page programs and block erases that the board has begun in this boot; the number of the last one. */
	get operations(): number {
		return this.#cut.operations;
	}

	/** @see FlashCut.cutAt */
	cutAt(operation: number, byte: number, shape = 0): void {
		this.#cut.cutAt(operation, byte, shape);
	}

	/** Flips `count` random bits at rest, in `[start, end)`, up or down. @returns the offsets of their bytes */
	flipBits(count: number, start = 0, end = this.medium.size): number[] {
		const random = this.#forkForDamage();
		const offsets: number[] = [];
		for (let i = 0; i < count; i++) {
			const offset = start + random.below(end - start);
			flipBit(this.medium, offset, random.below(8));
			offsets.push(offset);
		}
		return offsets;
	}

	/** The cell of `bit` (0 is the lowest) of the byte at `offset` reads `value` after each operation, for good. */
	stickBit(offset: number, bit: number, value: 0 | 1): void {
		stickBit(this.medium, offset, bit, value);
	}

	/** From now on, and after each reboot, `block` fails; by default at both operations and with an error. */
	failBlock(block: number, fault: Partial<BlockFault> = {}): void {
		assert(block >= 0 && block < this.medium.blocks, "a fault is in a block");
		this.medium.faults.set(block, { program: true, erase: true, silent: false, ...fault });
	}

	/** The content of `block` is lost. */
	destroyBlock(block: number, kind: DamageKind, random: SeededRandom = this.#forkForDamage()): void {
		destroyBlock(this.medium, block, kind, random);
	}

	/** The content of every block is lost, as on a board that was given another chip. */
	destroyPartition(kind: DamageKind, random: SeededRandom = this.#forkForDamage()): void {
		for (let block = 0; block < this.medium.blocks; block++) destroyBlock(this.medium, block, kind, random);
	}

	/**
	 * From now on the partition is dead; by default it refuses writes and reads as 0xFF.
	 * @param boots - for this boot and `boots - 1` more, then it works again with what it held; default: for good
	 */
	failPartition(fault: Partial<PartitionFault> = {}, boots = Infinity): void {
		this.medium.partitionFault = { writes: "refused", reads: "ones", ...fault };
		this.medium.worksFromBoot = this.medium.boots + boots;
	}

	#forkForDamage(): SeededRandom {
		return this.#random
			.fork("damage")
			.fork(this.medium.boots)
			.fork(this.#damages++);
	}

	#check(offset: number, byteLength: number, what: string): void {
		this.#power.check();
		// The messages are made only when needed: this is called for every few bytes of a mount.
		if (!this.#closed && Number.isInteger(offset) && offset >= 0 && offset + byteLength <= this.medium.size) return;
		assert(!this.#closed, `flash ${what} after close`);
		assert(false, `flash ${what} of ${byteLength} at ${offset} of ${this.medium.size}`);
	}

	#read(buffer: Uint8Array, offset: number): void {
		const { length } = buffer;
		this.#check(offset, length, "read");
		const { image, marginal, partitionFault } = this.medium;
		this.bytesRead += length;
		if (partitionFault !== undefined && partitionFault.reads !== "content") {
			this.#readDead(buffer, offset, partitionFault.reads);
			return;
		}
		if (length <= SHORT_READ_BYTES) for (let i = 0; i < length; i++) buffer[i] = image[offset + i];
		else buffer.set(image.subarray(offset, offset + length));
		if (marginal.size > 0) this.#blur(buffer, offset);
	}

	#readDead(buffer: Uint8Array, offset: number, reads: PartitionFault["reads"]): void {
		if (reads === "refused") throw new CodedError("flash", `flash +${offset}`, "no answer");
		if (reads === "noise") this.#forReads().fill(buffer);
		else buffer.fill(reads === "zeros" ? 0 : 0xff);
	}

	#forReads(): SeededRandom {
		this.#readRandom ??= this.#random.fork("reads").fork(this.medium.boots);
		return this.#readRandom;
	}

	/** Marginal cells in what was just read. */
	#blur(buffer: Uint8Array, offset: number): void {
		const { blockLength, marginal } = this.medium;
		const end = offset + buffer.length;
		let drawn = false;
		for (let block = Math.floor(offset / blockLength); block * blockLength < end; block++) {
			const cells = marginal.get(block);
			if (cells !== undefined) drawn = this.#blurBlock(buffer, offset, block * blockLength, cells, drawn);
		}
	}

	#blurBlock(buffer: Uint8Array, offset: number, base: number, cells: MarginalCells, drawn: boolean): boolean {
		const { mask } = cells;
		const random = this.#forReads();
		const to = Math.min(offset + buffer.length, base + cells.to);
		let moodDrawn = drawn;
		for (let i = Math.max(offset, base + cells.from); i < to; i++) {
			const bits = mask[i - base];
			if (bits === 0) continue;
			// A mood that lasts for a few reads lets a torn record pass as sound once: the meanest case.
			if (!moodDrawn && (this.#mood < 0 || random.chance(1, 4))) this.#mood = random.below(MOODS);
			moodDrawn = true;
			const seen = this.#mood === 0 ? 0 : this.#mood === 1 ? 0xff : random.u32();
			buffer[i - offset] = (buffer[i - offset] & ~bits) | (seen & bits);
		}
		return moodDrawn;
	}

	/** One page program of `bytes[from, from + length)` at `at`. */
	#program(bytes: Uint8Array, from: number, at: number, length: number): void {
		const { medium } = this;
		const { image, partitionFault } = medium;
		if (partitionFault === undefined) this.#checkProgram(bytes, from, at, length);
		const byte = this.#cut.begin(length);
		if (byte === 0) this.#die("before a program");
		if (medium.readOnly) this.#refuse(byte, `flash +${at}`, "read-only");
		if (partitionFault?.writes === "refused") this.#refuse(byte, `flash +${at}`, "no answer");
		this.pagesProgrammed += 1;
		this.bytesProgrammed += length;
		this.typicalUs += PROGRAM_TYPICAL_US;
		this.maximumUs += PROGRAM_MAXIMUM_US;
		const torn = byte > 0 && byte < length;
		let failing: BlockFault | undefined;
		if (partitionFault === undefined) {
			const block = Math.floor(at / medium.blockLength);
			failing = this.#fault(block, "program");
			medium.setUnits(at, length, 1);
			if (torn || failing !== undefined) {
				const shape = torn ? this.#cut.shape : WORN_PROGRAM_SHAPE;
				const random = this.#random.fork(torn ? this.#cut.name : `${this.operations} worn`);
				tearProgram(medium, bytes, from, at, length, byte, shape, random, this.#marginalCells && torn);
			} else {
				for (let i = 0; i < length; i++) image[at + i] &= bytes[from + i];
			}
			medium.holdStuckBits(block, at, at + length);
			if (medium.backing !== undefined) medium.backing.program(at, image.subarray(at, at + length));
		}
		if (byte > 0) this.#die(torn ? "in a program" : "after a program");
		if (failing !== undefined) this.#complain(failing, `flash +${at}`, "program failed");
	}

	#checkProgram(bytes: Uint8Array, from: number, at: number, length: number): void {
		const { image, programmed, writeAlign } = this.medium;
		for (let i = 0; i < length; i++) {
			const rising = bytes[from + i] & ~image[at + i];
			if (rising === 0 || (rising & ~this.medium.unknowable(at + i)) === 0) continue;
			assert(false, `flash program at ${at + i} would raise bits: the block is not erased there`);
		}
		if (programmed.length === 0) return;
		for (let unit = at / writeAlign; unit < (at + length) / writeAlign; unit++) {
			if (programmed[unit] === 0 || this.medium.lost.has(Math.floor(at / this.medium.blockLength))) continue;
			assert(false, `flash unit at ${unit * writeAlign} is programmed a second time`);
		}
	}

	#erase(block: number): void {
		const { medium } = this;
		const { blockLength, partitionFault } = medium;
		const byte = this.#cut.begin(blockLength);
		if (byte === 0) this.#die("before an erase");
		if (medium.readOnly) this.#refuse(byte, `flash block ${block}`, "read-only");
		if (partitionFault?.writes === "refused") this.#refuse(byte, `flash block ${block}`, "no answer");
		this.blocksErased += 1;
		this.typicalUs += ERASE_TYPICAL_US[this.#eraseTime];
		this.maximumUs += ERASE_MAXIMUM_US[this.#eraseTime];
		const torn = byte > 0 && byte < blockLength;
		let failing: BlockFault | undefined;
		if (partitionFault === undefined) {
			medium.erases[block] += 1;
			failing = this.#fault(block, "erase");
			if (failing !== undefined) this.#eraseWorn(block, failing, byte < 0);
			else if (torn) this.#tearErase(block, byte, this.#cut.shape, this.#cut.name);
			else medium.erase(block);
			// Whatever the block reads as, it may not be programmed before a whole erase.
			if (torn) medium.setUnits(block * blockLength, blockLength, 1);
		}
		if (byte > 0) this.#die(torn ? "in an erase" : "after an erase");
		if (failing !== undefined) this.#complain(failing, `flash block ${block}`, "erase failed");
	}

	#eraseWorn(block: number, fault: BlockFault, returns: boolean): void {
		if (fault.partly === true) this.#tearErase(block, 0, WORN_ERASE_SHAPE, `${this.operations} worn`);
		// Who was told that all is well cannot know what the block holds.
		if (fault.silent && returns) this.medium.lost.add(block);
	}

	#tearErase(block: number, byte: number, shape: number, name: string): void {
		const { medium } = this;
		const { blockLength, image } = medium;
		const base = block * blockLength;
		tearErase(medium, block, byte, shape, this.#random.fork(name), this.#marginalCells);
		medium.holdStuckBits(block, base, base + blockLength);
		medium.backing?.program(base, image.subarray(base, base + blockLength));
	}

	#fault(block: number, operation: "program" | "erase"): BlockFault | undefined {
		const { faults } = this.medium;
		const fault = faults.size === 0 ? undefined : faults.get(block);
		return fault?.[operation] === true ? fault : undefined;
	}

	#complain(fault: BlockFault, place: string, detail: string): void {
		if (fault.protects === true) this.medium.readOnly = true;
		if (!fault.silent) throw new CodedError("flash", place, detail);
	}

	/** The chip did nothing, and power may have gone meanwhile. */
	#refuse(byte: number, place: string, detail: string): never {
		if (byte > 0) this.#die("in a refused operation");
		throw new CodedError("flash", place, detail);
	}

	#die(where: string): never {
		this.#power.cut();
		throw new PowerLost(`power lost ${where}, cut=${this.#cut.name}`);
	}
}
