/**
 * The silicon of a simulated NOR flash: what stays when power goes. A boot is a new NorFlash over the same medium.
 *
 * Beside the cells' content it keeps what content cannot say: which cells are marginal (an operation on them was
 * interrupted), which write units were programmed (flash with ECC forbids a second time, even with the same bytes),
 * what is worn out or dead (flash-damage.ts), and how often each block was erased.
 * @module
 */
import { assert } from "../../src/core/assert";

/** A page program never crosses this. Source: W25Q128JV datasheet, revision M, §8.2.13. */
export const PAGE_BYTES = 256;
/** The smallest erase. Source: the same, §8.2.15. */
export const BLOCK_BYTES = 4096;

/** Where each finished or torn operation goes as well: a file, say. */
export interface FlashBacking {
	/** The cells at `offset` now hold `bytes`: borrowed, valid during the call. */
	program(offset: number, bytes: Uint8Array): void;
	/** The cells hold 0xFF. */
	erase(offset: number, byteLength: number): void;
}

/** Of one block: `mask` has a byte for each of its bytes, and none is set outside `[from, to)`. */
export interface MarginalCells {
	mask: Uint8Array;
	from: number;
	to: number;
}

/** What a worn block does: a failed program clears some of its bits, a failed erase none. */
export interface BlockFault {
	program: boolean;
	erase: boolean;
	/** True: the call returns as if all were well, as raw NOR does. False: the driver throws a coded error. */
	silent: boolean;
	/** A failed erase leaves a mixture of risen and old bits. */
	partly?: boolean;
	/** After the first failure the chip protects itself: from then on the whole partition is read-only. */
	protects?: boolean;
}

/** A cell that reads `value` after each program of its byte and each erase of its block. */
export interface StuckBit {
	offset: number;
	mask: number;
	value: 0 | 1;
}

/** A partition that fails as a whole: its chip is gone, or does not listen. */
export interface PartitionFault {
	/** Each program and erase throws a coded error, or returns and has no effect. */
	writes: "refused" | "ignored";
	/** Reads give the content, other bytes at each read, a line stuck high or low, or a coded error. */
	reads: "content" | "noise" | "ones" | "zeros" | "refused";
}

export interface FlashMediumOptions {
	blocks: number;
	/** Bytes, a multiple of 256; default 4096. */
	blockLength?: number;
	/** Bytes, a power of two up to 256; default 1. Above 1 no unit is programmed twice. */
	writeAlign?: number;
	/** Content to begin with, shared with the caller; default all 0xFF. */
	image?: Uint8Array;
	/** Flags of the units that were programmed; default: those in which `image` is not all 0xFF. */
	programmed?: Uint8Array;
	backing?: FlashBacking;
}

export class FlashMedium {
	readonly blocks: number;
	readonly blockLength: number;
	readonly writeAlign: number;
	readonly size: number;
	readonly image: Uint8Array;
	readonly backing: FlashBacking | undefined;
	/** Erases of each block over the medium's life. */
	readonly erases: Uint32Array;
	/** By block: the cells that read as they please until it is erased. */
	readonly marginal = new Map<number, MarginalCells>();
	/** By block: the bits that flipped at rest since it was erased. */
	readonly flipped = new Map<number, Uint8Array>();
	/** Blocks whose content nobody knows until they are erased: destroyed, or erased by a call that lied. */
	readonly lost = new Set<number>();
	readonly faults = new Map<number, BlockFault>();
	/** By block. */
	readonly stuck = new Map<number, StuckBit[]>();
	/** The whole partition is dead, until boot number {@link worksFromBoot}. */
	partitionFault: PartitionFault | undefined;
	worksFromBoot = 0;
	/** One flag a write unit; empty where a unit may be programmed again. */
	readonly programmed: Uint8Array;
	/** What each block held before its last whole erase; never written to, so that clones share it. */
	readonly previous: (Uint8Array | undefined)[];
	/** Programs and erases throw: the chip protects itself after a fault. */
	readOnly = false;
	/** How many NorFlash were made over this medium. */
	boots = 0;

	constructor(options: FlashMediumOptions) {
		const { blocks, blockLength = BLOCK_BYTES, writeAlign = 1, backing } = options;
		assert(Number.isInteger(blocks) && blocks > 0, "a flash has blocks");
		assert(blockLength > 0 && blockLength % PAGE_BYTES === 0, "a block is whole pages");
		assert(writeAlign >= 1 && PAGE_BYTES % writeAlign === 0, "a page is whole write units");
		this.blocks = blocks;
		this.blockLength = blockLength;
		this.writeAlign = writeAlign;
		this.size = blocks * blockLength;
		this.backing = backing;
		this.image = options.image ?? new Uint8Array(this.size).fill(0xff);
		assert(this.image.length === this.size, "an image is as long as its flash");
		this.erases = new Uint32Array(blocks);
		this.previous = new Array(blocks).fill(undefined);
		this.programmed = options.programmed ?? new Uint8Array(writeAlign === 1 ? 0 : this.size / writeAlign);
		if (options.image !== undefined && options.programmed === undefined) this.#guessProgrammed();
	}

	#guessProgrammed(): void {
		const { image, programmed, writeAlign } = this;
		for (let unit = 0; unit < programmed.length; unit++) {
			for (let i = unit * writeAlign; i < (unit + 1) * writeAlign; i++) {
				if (image[i] !== 0xff) programmed[unit] = 1;
			}
		}
	}

	/** The same silicon once more, without the backing: for a search that goes on from here in several ways. */
	clone(): FlashMedium {
		const { blocks, blockLength, writeAlign } = this;
		const image = this.image.slice();
		const copy = new FlashMedium({ blocks, blockLength, writeAlign, image, programmed: this.programmed.slice() });
		copy.erases.set(this.erases);
		for (const [block, { mask, from, to }] of this.marginal) copy.marginal.set(block, { mask: mask.slice(), from, to });
		for (const [block, mask] of this.flipped) copy.flipped.set(block, mask.slice());
		for (const block of this.lost) copy.lost.add(block);
		for (const [block, fault] of this.faults) copy.faults.set(block, { ...fault });
		for (const [block, bits] of this.stuck) copy.stuck.set(block, bits.slice());
		for (let block = 0; block < blocks; block++) copy.previous[block] = this.previous[block];
		copy.partitionFault = this.partitionFault;
		copy.worksFromBoot = this.worksFromBoot;
		copy.readOnly = this.readOnly;
		copy.boots = this.boots;
		return copy;
	}

	/** Power comes up: what was dead for some boots only may work again. */
	beginBoot(): void {
		this.boots += 1;
		if (this.boots >= this.worksFromBoot) this.partitionFault = undefined;
	}

	/** The masks of `block`, made when missing, with room for changes in `[from, to)` of it. */
	marginalMask(block: number, from: number, to: number): Uint8Array {
		let cells = this.marginal.get(block);
		if (cells === undefined) {
			cells = { mask: new Uint8Array(this.blockLength), from, to };
			this.marginal.set(block, cells);
		}
		cells.from = Math.min(cells.from, from);
		cells.to = Math.max(cells.to, to);
		return cells.mask;
	}

	/** A whole erase: every cell of `block` is 1, but those that are stuck. */
	erase(block: number): void {
		const base = block * this.blockLength;
		const end = base + this.blockLength;
		this.previous[block] = this.image.slice(base, end);
		this.image.fill(0xff, base, end);
		this.marginal.delete(block);
		this.flipped.delete(block);
		this.lost.delete(block);
		this.setUnits(base, this.blockLength, 0);
		this.holdStuckBits(block, base, end);
		if (this.stuck.has(block)) this.backing?.program(base, this.image.subarray(base, end));
		else this.backing?.erase(base, this.blockLength);
	}

	/** Flags the write units of a range: 1 programmed, 0 erased. */
	setUnits(offset: number, byteLength: number, flag: number): void {
		const { programmed, writeAlign } = this;
		if (programmed.length > 0) programmed.fill(flag, offset / writeAlign, (offset + byteLength) / writeAlign);
	}

	/** After an operation on `[from, to)` of `block`: its stuck cells are as they always are. */
	holdStuckBits(block: number, from: number, to: number): void {
		if (this.stuck.size === 0) return;
		for (const { offset, mask, value } of this.stuck.get(block) ?? []) {
			if (offset < from || offset >= to) continue;
			if (value === 1) this.image[offset] |= mask;
			else this.image[offset] &= ~mask;
		}
	}

	/** The bits at `offset` whose content the firmware cannot be blamed for: marginal, flipped, stuck, lost. */
	unknowable(offset: number): number {
		const block = Math.floor(offset / this.blockLength);
		if (this.lost.has(block)) return 0xff;
		const i = offset % this.blockLength;
		let mask = (this.marginal.get(block)?.mask[i] ?? 0) | (this.flipped.get(block)?.[i] ?? 0);
		for (const bit of this.stuck.get(block) ?? []) if (bit.offset === offset) mask |= bit.mask;
		return mask;
	}
}
