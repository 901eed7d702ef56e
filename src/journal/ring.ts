/**
 * Which blocks are the log, in which order, where it begins and ends, and which blocks are free. Bounded typed arrays
 * only: 5.4 bytes a block up to 256 blocks, and 32 more.
 * @module
 */
import { assert } from "../core/assert";
import { HEADER_BYTES, isLater, RETIRED_MAX } from "./format";

/** Blocks that are remembered as suspect, or as retired and not yet written down, at one time. */
const LIST_MAX = 8;

export class Ring {
	readonly blocks: number;
	/** Of the bits that tell one block from another. */
	readonly blocksMask: number;
	readonly #sequences: Uint32Array;
	readonly #next: Uint8Array | Uint16Array;
	readonly #inChain: Uint8Array; // One bit a block.
	readonly #retired: Uint8Array; // One bit a block: it is worn out.
	readonly #suspects = new Uint16Array(LIST_MAX); // Block + 1: its last program failed.
	readonly #fresh = new Uint16Array(LIST_MAX); // Block + 1: retired, and no mark says so yet.
	#suspectNext = 0;
	readonly #held: Uint8Array; // One bit a block: not to be erased before this boot has pinned.
	#withheld = 0; // Retired or held blocks outside the log: neither free nor used.

	/** The newest block of the log. */
	head = 0;
	/** Offset in the head after the last record. */
	headEnd = 0;
	/** What the head's header says of the block before it. */
	headPreviousSequence = 0;
	headPreviousEnd = 0;
	/** The oldest block of the log. */
	tail = 0;
	tailSequence = 0;
	tailOffset = 0;
	/** Where reading begins: later than the tail while the newest mark is provisional. */
	visitSequence = 0;
	visitOffset = 0;
	/** Highest sequence of any header, whether it counts or not. */
	sequenceMax = 0;
	chainBlocks = 0;

	constructor(blocks: number) {
		this.blocks = blocks;
		this.blocksMask = 0xffff_ffff >>> Math.clz32(blocks - 1);
		this.#sequences = new Uint32Array(blocks);
		this.#next = blocks <= 256 ? new Uint8Array(blocks) : new Uint16Array(blocks);
		this.#inChain = new Uint8Array((blocks + 7) >> 3);
		this.#retired = new Uint8Array((blocks + 7) >> 3);
		this.#held = new Uint8Array((blocks + 7) >> 3);
	}

	get ramBytes(): number {
		const bits = this.#inChain.byteLength + this.#retired.byteLength + this.#held.byteLength;
		const lists = this.#suspects.byteLength + this.#fresh.byteLength;
		return this.#sequences.byteLength + this.#next.byteLength + bits + lists;
	}

	get freeBlocks(): number {
		return this.blocks - this.chainBlocks - this.#withheld;
	}

	/** A mount begins. */
	clear(): void {
		this.#inChain.fill(0);
		this.#retired.fill(0);
		this.#suspects.fill(0);
		this.#fresh.fill(0);
		this.#held.fill(0);
		this.#withheld = 0;
		this.chainBlocks = 0;
	}

	sequence(block: number): number {
		return this.#sequences[block];
	}

	setSequence(block: number, sequence: number): void {
		this.#sequences[block] = sequence;
	}

	/** The block after `block` in the log; meaningless for the head. */
	next(block: number): number {
		return this.#next[block];
	}

	link(block: number, next: number): void {
		this.#next[block] = next;
	}

	inChain(block: number): boolean {
		return hasBit(this.#inChain, block);
	}

	add(block: number): void {
		assert(!this.inChain(block) && !this.isWithheld(block), `I7 block ${block} is free before it joins the log`);
		this.#inChain[block >> 3] |= 1 << (block & 7);
		this.chainBlocks++;
	}

	remove(block: number): void {
		assert(this.inChain(block), `I7 block ${block} is not part of the log`);
		this.#inChain[block >> 3] &= ~(1 << (block & 7));
		this.chainBlocks--;
		if (hasBit(this.#retired, block)) this.#withheld++;
	}

	/**
	 * `block` is worn out: what it holds stays readable, but nothing more is written to it.
	 * @param remembered - a mark says so already
	 */
	retire(block: number, remembered = false): void {
		if (hasBit(this.#retired, block)) return;
		if (!this.inChain(block) && !this.isWithheld(block)) this.#withheld++;
		this.#retired[block >> 3] |= 1 << (block & 7);
		if (remembered) return;
		const place = this.#fresh.indexOf(0);
		if (place >= 0) this.#fresh[place] = block + 1;
	}

	isRetired(block: number): boolean {
		return hasBit(this.#retired, block);
	}

	get retiredBlocks(): number {
		let count = 0;
		for (let block = 0; block < this.blocks; block++) if (hasBit(this.#retired, block)) count++;
		return count;
	}

	/** Is a block retired that no mark names yet, though a mark has room for it? */
	get hasFresh(): boolean {
		return this.#fresh[0] !== 0 && this.retiredBlocks <= RETIRED_MAX;
	}

	/** A mark names every retired block. */
	remembered(): void {
		this.#fresh.fill(0);
	}

	/** A program in `block` failed. Once can be bad luck: a second time in a row, and it is retired. */
	suspect(block: number): void {
		if (this.#suspects.includes(block + 1)) {
			this.trust(block);
			this.retire(block);
			return;
		}
		this.#suspects[this.#suspectNext] = block + 1;
		this.#suspectNext = (this.#suspectNext + 1) % LIST_MAX;
	}

	/** `block` has been filled without a failure. */
	trust(block: number): void {
		const place = this.#suspects.indexOf(block + 1);
		if (place >= 0) this.#suspects[place] = 0;
	}

	/** What failed was a whole copy and not its blocks: what no mark says yet is taken back. */
	forgive(): void {
		for (let i = 0; i < LIST_MAX; i++) {
			const block = this.#fresh[i] - 1;
			if (block < 0) continue;
			this.#retired[block >> 3] &= ~(1 << (block & 7));
			if (!this.inChain(block) && !hasBit(this.#held, block)) this.#withheld--;
		}
		this.#fresh.fill(0);
		this.#suspects.fill(0);
	}

	/** A free block that may still be the truth: it is not free until {@link release}. */
	hold(block: number): void {
		if (this.inChain(block) || this.isWithheld(block)) return;
		this.#held[block >> 3] |= 1 << (block & 7);
		this.#withheld++;
	}

	/** What was held is free. */
	release(block: number): void {
		if (!hasBit(this.#held, block)) return;
		this.#held[block >> 3] &= ~(1 << (block & 7));
		if (!hasBit(this.#retired, block)) this.#withheld--;
	}

	/** This boot has pinned: nothing else can be the truth any more. */
	releaseAll(): void {
		for (let block = 0; block < this.blocks; block++) this.release(block);
	}

	private isWithheld(block: number): boolean {
		return hasBit(this.#retired, block) || hasBit(this.#held, block);
	}

	/** The free block that comes next in turn after `block`, or −1. */
	nextFree(block: number): number {
		for (let i = 1; i <= this.blocks; i++) {
			const candidate = (block + i) % this.blocks;
			if (!this.inChain(candidate) && !this.isWithheld(candidate)) return candidate;
		}
		return -1;
	}

	/** The block of the log before `block`, or −1 for the tail. */
	previous(block: number): number {
		if (block === this.tail) return -1;
		for (let at = this.tail, n = 0; n < this.chainBlocks; n++, at = this.#next[at]) {
			if (this.#next[at] === block) return at;
		}
		return -1;
	}

	/**
	 * Frees all blocks before the new tail: a mark that says so is durable. Where that block is missing, which takes
	 * damaged flash, the oldest one after it is the tail.
	 */
	advanceTail(tailSequence: number, tailOffset: number): void {
		while (this.tail !== this.head && isLater(tailSequence, this.sequence(this.tail))) {
			const freed = this.tail;
			this.tail = this.next(freed);
			this.remove(freed);
		}
		const exact = this.sequence(this.tail) === tailSequence;
		this.tailSequence = this.visitSequence = this.sequence(this.tail);
		this.tailOffset = this.visitOffset = exact ? tailOffset : HEADER_BYTES;
	}
}

function hasBit(bits: Uint8Array, index: number): boolean {
	return (bits[index >> 3] & (1 << (index & 7))) !== 0;
}
