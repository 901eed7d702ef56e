/**
 * NOR flash that is meaner than flash. Rules enforced: a program only clears bits; one write becomes an operation
 * for each 256-byte page; erase is by block; writes keep the alignment, and above alignment 1 no unit is programmed
 * twice between erases. Breaking a rule is a bug of the firmware and throws an AssertionError.
 *
 * Power goes at any chosen operation: before it, within it (see flash-tear.ts) or after it and before the call
 * returns. Cells of the interrupted operation may stay marginal: each read may see them otherwise, in this boot and
 * in later ones, until their block is erased.
 *
 * Operations are numbered from 1 in each boot: one page program or one block erase each. A cut's name is
 * `operation.variant`, and gives the same bytes whenever the same run reaches it with the same seed.
 * Source of times: W25Q128JV datasheet, §9.6 AC electrical characteristics.
 * @module
 */
import { assert } from "../../src/core/assert";
import { CodedError } from "../../src/core/errors";
import type { FlashPartition } from "../../src/ports";
import { type BlockFault, FlashMedium, type FlashMediumOptions, PAGE_BYTES } from "./flash-medium";
import { tearErase, tearProgram } from "./flash-tear";
import { Power, PowerLost } from "./power";
import { SeededRandom } from "./seeded-random";

/** W25Q128JV: page program 0.4 ms typical, 3 ms maximum; 4 KiB erase 45 ms typical, 400 ms maximum. */
const PROGRAM_TYPICAL_US = 400;
const PROGRAM_MAXIMUM_US = 3_000;
const ERASE_TYPICAL_US = 45_000;
const ERASE_MAXIMUM_US = 400_000;

/** Before the operation; somewhere within it; after it, but the call never returns. */
export type CutMode = "before" | "torn" | "after";

export interface NorFlashOptions extends Partial<FlashMediumOptions> {
	/** Silicon of an earlier boot; then `blocks`, `image` and the like are its own and not given. */
	medium?: FlashMedium;
	power?: Power;
	/** For torn results, marginal reads and flips; default seed 0. */
	random?: SeededRandom;
	/** Interrupted cells may read differently at each read; default true. */
	marginalCells?: boolean;
}

/** How marginal cells read until the mood changes: all as 0, all as 1, each as it likes. */
const MOODS = 3;

export class NorFlash implements FlashPartition {
	readonly medium: FlashMedium;
	/** Page programs and block erases begun in this boot; the number of the last one. */
	operations = 0;
	pagesProgrammed = 0;
	blocksErased = 0;
	bytesProgrammed = 0;
	bytesRead = 0;
	/** Datasheet time of this boot's operations. */
	typicalUs = 0;
	maximumUs = 0;

	readonly #power: Power;
	readonly #random: SeededRandom;
	readonly #marginalRandom: SeededRandom;
	readonly #marginalCells: boolean;
	readonly #status: { size: number; blockLength: number; blocks: number; writeAlign: number; eraseValue: number };
	#cutOperation = 0;
	#cutMode: CutMode = "before";
	#cutVariant = 0;
	#mood: number;
	#flips = 0;
	#closed = false;

	constructor(options: NorFlashOptions) {
		const { medium, blocks, power = new Power(), random = new SeededRandom(0), marginalCells = true } = options;
		assert((medium === undefined) !== (blocks === undefined), "a flash has a medium, or blocks to make one");
		this.medium = medium ?? new FlashMedium(options as FlashMediumOptions);
		this.medium.boots += 1;
		this.#power = power;
		this.#random = random;
		this.#marginalRandom = random.fork("marginal").fork(this.medium.boots);
		this.#marginalCells = marginalCells;
		this.#mood = this.#marginalRandom.below(MOODS);
		const { size, blockLength, writeAlign } = this.medium;
		this.#status = { size, blockLength, blocks: this.medium.blocks, writeAlign, eraseValue: 0xff };
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
		this.#check(byteOffset, buffer.length, "write");
		const { writeAlign } = this.medium;
		assert(
			writeAlign === 1 || (byteOffset % writeAlign === 0 && buffer.length % writeAlign === 0),
			`flash write of ${buffer.length} at ${byteOffset} breaks the alignment of ${writeAlign}`,
		);
		const end = byteOffset + buffer.length;
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
		assert(
			Number.isInteger(start) && Number.isInteger(end) && start >= 0 && start < end && end <= this.medium.blocks,
			`flash erase of blocks ${start} to ${end} of ${this.medium.blocks}`,
		);
		for (let block = start; block < end; block++) this.#erase(block);
	}

	/** May be called twice, and on a dead board. */
	close(): void {
		this.#closed = true;
	}

	/**
	 * Power goes at operation `operation` of this boot, counted from 1; one cut waits at a time. With "torn",
	 * `variant` chooses what is left behind.
	 */
	cutAt(operation: number, mode: CutMode, variant = 0): void {
		assert(operation > this.operations, "a cut lies in the future");
		assert(Number.isInteger(variant) && variant >= 0, "a variant is a count");
		this.#cutOperation = operation;
		this.#cutMode = mode;
		this.#cutVariant = variant;
	}

	/** Flips `count` random bits at rest, in `[start, end)`, up or down. @returns the offsets of their bytes */
	flipBits(count: number, start = 0, end = this.medium.size): number[] {
		const random = this.#random
			.fork("flips")
			.fork(this.medium.boots)
			.fork(this.#flips++);
		const offsets: number[] = [];
		for (let i = 0; i < count; i++) {
			const offset = start + random.below(end - start);
			this.medium.image[offset] ^= 1 << random.below(8);
			this.medium.backing?.program(offset, this.medium.image.subarray(offset, offset + 1));
			offsets.push(offset);
		}
		return offsets;
	}

	/** From now on, and after each reboot, `block` fails; by default at both operations and with an error. */
	failBlock(block: number, fault: Partial<BlockFault> = {}): void {
		assert(block >= 0 && block < this.medium.blocks, "a fault is in a block");
		this.medium.faults.set(block, { program: true, erase: true, silent: false, ...fault });
	}

	#check(offset: number, byteLength: number, what: string): void {
		this.#power.check();
		assert(!this.#closed, `flash ${what} after close`);
		assert(
			Number.isInteger(offset) && offset >= 0 && offset + byteLength <= this.medium.size,
			`flash ${what} of ${byteLength} at ${offset} of ${this.medium.size}`,
		);
	}

	#read(buffer: Uint8Array, offset: number): void {
		const { length } = buffer;
		this.#check(offset, length, "read");
		const { image } = this.medium;
		// A view costs more than copying a record's header.
		if (length <= 32) for (let i = 0; i < length; i++) buffer[i] = image[offset + i];
		else buffer.set(image.subarray(offset, offset + length));
		this.bytesRead += length;
		if (this.medium.marginal.size > 0) this.#blur(buffer, offset);
	}

	/** Marginal cells in what was just read. */
	#blur(buffer: Uint8Array, offset: number): void {
		const { blockLength, marginal } = this.medium;
		const end = offset + buffer.length;
		let drawn = false;
		for (const [block, masks] of marginal) {
			const base = block * blockLength;
			const from = Math.max(offset, base);
			const to = Math.min(end, base + blockLength);
			for (let i = from; i < to; i++) {
				const mask = masks[i - base];
				if (mask === 0) continue;
				// A mood that lasts for a few reads lets a torn record pass as sound once: the meanest case.
				if (!drawn && this.#marginalRandom.chance(1, 4)) this.#mood = this.#marginalRandom.below(MOODS);
				drawn = true;
				const bits = this.#mood === 0 ? 0 : this.#mood === 1 ? 0xff : this.#marginalRandom.u32();
				buffer[i - offset] = (buffer[i - offset] & ~mask) | (bits & mask);
			}
		}
	}

	/** One page program of `bytes[from, from + length)` at `at`. */
	#program(bytes: Uint8Array, from: number, at: number, length: number): void {
		const { medium } = this;
		const { image } = medium;
		this.#checkProgram(bytes, from, at, length);
		const mode = this.#begin();
		if (mode === "before") this.#die("before a program");
		if (medium.readOnly) throw new CodedError("flash", `flash +${at}`, "read-only");
		this.pagesProgrammed += 1;
		this.bytesProgrammed += length;
		this.typicalUs += PROGRAM_TYPICAL_US;
		this.maximumUs += PROGRAM_MAXIMUM_US;
		const fault = this.#fault(at);
		const failing = fault?.program === true;
		if (medium.programmed.length > 0) {
			medium.programmed.fill(1, at / medium.writeAlign, (at + length) / medium.writeAlign);
		}
		if (mode === "torn" || failing) {
			const variant = mode === "torn" ? this.#cutVariant : 4; // A failing block clears some bits.
			const random = this.#random.fork(`${this.operations}.${variant}`);
			tearProgram(medium, bytes, from, at, length, variant, random, this.#marginalCells && mode === "torn");
		} else {
			for (let i = 0; i < length; i++) image[at + i] &= bytes[from + i];
		}
		if (medium.backing !== undefined) medium.backing.program(at, image.subarray(at, at + length));
		if (mode !== undefined) this.#die("in or after a program");
		if (failing && !fault.silent) throw new CodedError("flash", `flash +${at}`, "program failed");
	}

	#checkProgram(bytes: Uint8Array, from: number, at: number, length: number): void {
		const { image, marginal, blockLength, programmed, writeAlign } = this.medium;
		for (let i = 0; i < length; i++) {
			if ((bytes[from + i] & ~image[at + i]) === 0) continue;
			// What a marginal cell holds nobody can know, so nobody can be blamed for it.
			const offset = at + i;
			const mask = marginal.get(Math.floor(offset / blockLength))?.[offset % blockLength] ?? 0;
			const rising = bytes[from + i] & ~image[offset] & ~mask;
			assert(rising === 0, `flash program at ${offset} would raise bits: the block is not erased there`);
		}
		if (programmed.length === 0) return;
		for (let unit = at / writeAlign; unit < (at + length) / writeAlign; unit++) {
			assert(programmed[unit] === 0, `flash unit at ${unit * writeAlign} is programmed a second time`);
		}
	}

	#erase(block: number): void {
		const { medium } = this;
		const { blockLength } = medium;
		const base = block * blockLength;
		const mode = this.#begin();
		if (mode === "before") this.#die("before an erase");
		if (medium.readOnly) throw new CodedError("flash", `flash block ${block}`, "read-only");
		this.blocksErased += 1;
		medium.erases[block] += 1;
		this.typicalUs += ERASE_TYPICAL_US;
		this.maximumUs += ERASE_MAXIMUM_US;
		const fault = this.#fault(base);
		const failing = fault?.erase === true;
		if (mode === "torn") {
			const random = this.#random.fork(`${this.operations}.${this.#cutVariant}`);
			if (!failing) tearErase(medium, block, this.#cutVariant, random, this.#marginalCells);
			// Whatever the block reads as, it may not be programmed before a whole erase.
			this.#setUnits(base, 1);
			medium.backing?.program(base, medium.image.subarray(base, base + blockLength));
		} else if (!failing) {
			medium.image.fill(0xff, base, base + blockLength);
			medium.marginal.delete(block);
			this.#setUnits(base, 0);
			medium.backing?.erase(base, blockLength);
		}
		if (mode !== undefined) this.#die("in or after an erase");
		if (failing && !fault.silent) throw new CodedError("flash", `flash block ${block}`, "erase failed");
	}

	#setUnits(base: number, flag: number): void {
		const { programmed, writeAlign, blockLength } = this.medium;
		if (programmed.length > 0) programmed.fill(flag, base / writeAlign, (base + blockLength) / writeAlign);
	}

	#fault(offset: number): BlockFault | undefined {
		const { faults, blockLength } = this.medium;
		return faults.size === 0 ? undefined : faults.get(Math.floor(offset / blockLength));
	}

	/** Counts the operation. @returns how it is cut, or undefined */
	#begin(): CutMode | undefined {
		this.operations += 1;
		return this.operations === this.#cutOperation ? this.#cutMode : undefined;
	}

	#die(where: string): never {
		this.#power.cut();
		throw new PowerLost(`power lost ${where}, cut=${this.operations}.${this.#cutVariant}`);
	}
}
