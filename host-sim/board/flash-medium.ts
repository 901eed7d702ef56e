/**
 * The silicon of a simulated NOR flash: what stays when power goes. A boot is a new NorFlash over the same medium.
 *
 * Beside the cells' content it keeps what content cannot say: which cells are marginal (an operation on them was
 * interrupted), which write units were programmed (flash with ECC forbids a second time, even with the same bytes),
 * which blocks are worn out, and how often each was erased.
 * @module
 */
import { assert } from "../../src/core/assert";

/** A page program never crosses this. Source: W25Q128JV datasheet, §8.2.15. */
export const PAGE_BYTES = 256;
export const BLOCK_BYTES = 4096;

/** Where each finished or torn operation goes as well: a file, say. */
export interface FlashBacking {
	/** The cells at `offset` now hold `bytes`: borrowed, valid during the call. */
	program(offset: number, bytes: Uint8Array): void;
	/** The cells hold 0xFF. */
	erase(offset: number, byteLength: number): void;
}

/** What a worn block does. Both kinds leave a failed program half done and a failed erase without effect. */
export interface BlockFault {
	program: boolean;
	erase: boolean;
	/** True: the call returns as if all were well, as raw NOR does. False: the driver throws a coded error. */
	silent: boolean;
}

export interface FlashMediumOptions {
	blocks: number;
	/** Bytes, a multiple of 256; default 4096. */
	blockLength?: number;
	/** Bytes, a power of two up to 256; default 1. Above 1 no unit is programmed twice. */
	writeAlign?: number;
	/** Content to begin with, shared with the caller; default all 0xFF. */
	image?: Uint8Array;
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
	/** Block → one mask a byte of the cells that read as they please until the block is erased. */
	readonly marginal = new Map<number, Uint8Array>();
	readonly faults = new Map<number, BlockFault>();
	/** One flag a write unit; empty where a unit may be programmed again. */
	readonly programmed: Uint8Array;
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
		this.programmed = new Uint8Array(writeAlign === 1 ? 0 : this.size / writeAlign);
		for (let unit = 0; unit < this.programmed.length; unit++) {
			for (let i = unit * writeAlign; i < (unit + 1) * writeAlign; i++) {
				if (this.image[i] !== 0xff) this.programmed[unit] = 1;
			}
		}
	}

	/** The same silicon once more, without the backing: for a search that goes on from here in several ways. */
	clone(): FlashMedium {
		const { blocks, blockLength, writeAlign } = this;
		const copy = new FlashMedium({ blocks, blockLength, writeAlign, image: this.image.slice() });
		copy.erases.set(this.erases);
		copy.programmed.set(this.programmed);
		for (const [block, mask] of this.marginal) copy.marginal.set(block, mask.slice());
		for (const [block, fault] of this.faults) copy.faults.set(block, { ...fault });
		copy.readOnly = this.readOnly;
		copy.boots = this.boots;
		return copy;
	}

	/** The masks of `block`, made when missing. */
	marginalMask(block: number): Uint8Array {
		let mask = this.marginal.get(block);
		if (mask === undefined) {
			mask = new Uint8Array(this.blockLength);
			this.marginal.set(block, mask);
		}
		return mask;
	}
}
