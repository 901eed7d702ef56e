/**
 * Which blocks are the log, in which order, and which are free. Bounded typed arrays only: 5 bytes a block.
 * @module
 */
import { assert } from "../core/assert";

export class Ring {
	readonly blocks: number;
	readonly #sequences: Uint32Array;
	readonly #next: Uint8Array | Uint16Array;
	readonly #inChain: Uint8Array; // One bit a block.
	head = 0;
	tail = 0;
	chainBlocks = 0;

	constructor(blocks: number) {
		this.blocks = blocks;
		this.#sequences = new Uint32Array(blocks);
		this.#next = blocks <= 256 ? new Uint8Array(blocks) : new Uint16Array(blocks);
		this.#inChain = new Uint8Array((blocks + 7) >> 3);
	}

	get ramBytes(): number {
		return this.#sequences.byteLength + this.#next.byteLength + this.#inChain.byteLength;
	}

	get freeBlocks(): number {
		return this.blocks - this.chainBlocks;
	}

	clear(): void {
		this.#inChain.fill(0);
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
		return (this.#inChain[block >> 3] & (1 << (block & 7))) !== 0;
	}

	add(block: number): void {
		assert(!this.inChain(block), `I7 block ${block} is already part of the log`);
		this.#inChain[block >> 3] |= 1 << (block & 7);
		this.chainBlocks++;
	}

	remove(block: number): void {
		assert(this.inChain(block), `I7 block ${block} is not part of the log`);
		this.#inChain[block >> 3] &= ~(1 << (block & 7));
		this.chainBlocks--;
	}

	/** The free block that comes next in turn after `block`, or −1. */
	nextFree(block: number): number {
		for (let i = 1; i <= this.blocks; i++) {
			const candidate = (block + i) % this.blocks;
			if (!this.inChain(candidate)) return candidate;
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
}
