/**
 * What the terminal knows of its live transactions without reading flash: typed arrays only, bounded (I10).
 * A slot is good until the next call that adds one; the id is what others keep.
 * @module
 */
import { assert } from "../core/assert";
import { isSpent, State } from "./states";

/** No record at all. */
export const NOWHERE = 0xffff_ffff;

export class TransactionIndex {
	readonly capacity: number;
	count = 0;
	readonly ids: Uint32Array;
	readonly stans: Uint32Array;
	readonly states: Uint8Array;
	readonly steps: Uint8Array;
	readonly flags: Uint8Array;
	readonly tries: Uint16Array;
	readonly amounts: Float64Array;
	readonly intentAt: Uint32Array;
	readonly outcomeAt: Uint32Array;
	readonly stepAt: Uint32Array;
	/** 1: a copy of the intent stands behind the record that says what became of it. */
	readonly intentLast: Uint8Array;

	constructor(capacity: number) {
		this.capacity = capacity;
		this.ids = new Uint32Array(capacity);
		this.stans = new Uint32Array(capacity);
		this.states = new Uint8Array(capacity);
		this.steps = new Uint8Array(capacity);
		this.flags = new Uint8Array(capacity);
		this.tries = new Uint16Array(capacity);
		this.amounts = new Float64Array(capacity);
		this.intentAt = new Uint32Array(capacity);
		this.outcomeAt = new Uint32Array(capacity);
		this.stepAt = new Uint32Array(capacity);
		this.intentLast = new Uint8Array(capacity);
	}

	clear(): void {
		this.count = 0;
	}

	/** @returns the slot, or −1; newest first, for that is who is asked for */
	find(id: number): number {
		for (let slot = this.count - 1; slot >= 0; slot--) if (this.ids[slot] === id) return slot;
		return -1;
	}

	/** The newest transaction with this STAN, or −1. */
	findStan(stan: number): number {
		let best = -1;
		for (let slot = 0; slot < this.count; slot++) {
			if (this.stans[slot] === stan && (best < 0 || this.ids[slot] > this.ids[best])) best = slot;
		}
		return best;
	}

	/** True while a slot is free or a spent transaction can make way. */
	get hasRoom(): boolean {
		if (this.count < this.capacity) return true;
		for (let slot = 0; slot < this.count; slot++) if (isSpent(this.states[slot])) return true;
		return false;
	}

	/** @returns an empty slot for `id`, the oldest spent transaction making way when all are taken */
	add(id: number): number {
		if (this.count === this.capacity) this.#evict();
		assert(this.count < this.capacity, "I10 the index has room: a sale asks before it begins");
		const slot = this.count++;
		this.ids[slot] = id;
		this.stans[slot] = 0;
		this.states[slot] = 0;
		this.steps[slot] = 0;
		this.flags[slot] = 0;
		this.tries[slot] = 0;
		this.amounts[slot] = 0;
		this.intentAt[slot] = NOWHERE;
		this.outcomeAt[slot] = NOWHERE;
		this.stepAt[slot] = NOWHERE;
		this.intentLast[slot] = 0;
		return slot;
	}

	remove(slot: number): void {
		const last = --this.count;
		for (const array of this.#arrays()) array.copyWithin(slot, slot + 1, last + 1);
	}

	/** Where the record stands that makes a spent transaction spent. */
	lastAt(slot: number): number {
		return this.states[slot] === State.reversed ? this.stepAt[slot] : this.outcomeAt[slot];
	}

	/** A record now stands elsewhere: at the end of the log. */
	moved(from: number, to: number): void {
		for (let slot = 0; slot < this.count; slot++) {
			if (this.intentAt[slot] === from) {
				this.intentAt[slot] = to;
				this.intentLast[slot] = 1;
			}
			if (this.lastAt(slot) === from) this.intentLast[slot] = 0;
			if (this.outcomeAt[slot] === from) this.outcomeAt[slot] = to;
			if (this.stepAt[slot] === from) this.stepAt[slot] = to;
		}
	}

	#evict(): void {
		let oldest = -1;
		for (let slot = 0; slot < this.count; slot++) {
			if (!isSpent(this.states[slot])) continue;
			if (oldest < 0 || this.#goesBefore(slot, oldest)) oldest = slot;
		}
		if (oldest >= 0) this.remove(oldest);
	}

	/** One whose intent would be left behind without its end goes only when there is no other. */
	#goesBefore(slot: number, other: number): boolean {
		if (this.intentLast[slot] !== this.intentLast[other]) return this.intentLast[slot] < this.intentLast[other];
		return this.ids[slot] < this.ids[other];
	}

	#arrays(): (Uint32Array | Uint16Array | Uint8Array | Float64Array)[] {
		return [
			this.ids,
			this.stans,
			this.states,
			this.steps,
			this.flags,
			this.tries,
			this.amounts,
			this.intentAt,
			this.outcomeAt,
			this.stepAt,
			this.intentLast,
		];
	}
}
