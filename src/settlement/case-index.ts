/**
 * Where each case stands, in typed arrays (I10), in the order of their ids; and which closed one makes way for another. A
 * slot is good until the next call that adds or removes one; the id is what others keep.
 * @module
 */

import { assert } from "../core/assert";
import { isOpen } from "./case-states";
import { isDueS } from "./due";
import { type CaseRow, Row } from "./finding";

export class CaseIndex {
	readonly openMax: number;
	readonly closedMax: number;
	/** Open and closed. */
	count = 0;
	openCount = 0;
	readonly ids: Uint32Array;
	readonly versions: Uint16Array;
	readonly states: Uint8Array;
	readonly rows: Uint8Array;
	/** 1: money was given back to the card by a request of it. */
	readonly credited: Uint8Array;
	readonly batches: Uint32Array;
	readonly stans: Uint32Array;
	/** Host seconds. */
	readonly dues: Uint32Array;
	/** Host seconds by which the host has promised to decide on a request of an open case; 0: none. */
	readonly promises: Uint32Array;
	readonly positions: Uint32Array;
	readonly #arrays: readonly (Uint32Array | Uint16Array | Uint8Array)[];

	constructor(openMax: number, closedMax: number) {
		this.openMax = openMax;
		this.closedMax = closedMax;
		const slots = openMax + closedMax + 1; // One more while another makes way.
		this.ids = new Uint32Array(slots);
		this.versions = new Uint16Array(slots);
		this.states = new Uint8Array(slots);
		this.rows = new Uint8Array(slots);
		this.credited = new Uint8Array(slots);
		this.batches = new Uint32Array(slots);
		this.stans = new Uint32Array(slots);
		this.dues = new Uint32Array(slots);
		this.promises = new Uint32Array(slots);
		this.positions = new Uint32Array(slots);
		this.#arrays = [
			this.ids,
			this.versions,
			this.states,
			this.rows,
			this.credited,
			this.batches,
			this.stans,
			this.dues,
			this.promises,
			this.positions,
		];
	}

	/** Bytes of the arrays: 29 a slot, whatever is open. */
	get ramBytes(): number {
		let bytes = 0;
		for (const array of this.#arrays) bytes += array.byteLength;
		return bytes;
	}

	get closedCount(): number {
		return this.count - this.openCount;
	}

	clear(): void {
		this.count = 0;
		this.openCount = 0;
	}

	/** @returns the slot, or −1. O(log n) */
	find(id: number): number {
		const slot = this.firstFrom(id);
		return slot < this.count && this.ids[slot] === id ? slot : -1;
	}

	/** The first slot whose id is not below `id`; the count when there is none. */
	firstFrom(id: number): number {
		let from = 0;
		let to = this.count;
		while (from < to) {
			const middle = (from + to) >>> 1;
			if (this.ids[middle] < id) from = middle + 1;
			else to = middle;
		}
		return from;
	}

	/** The first slot behind case `after` with this transaction, or −1. @param row - of this row only */
	nextOf(batch: number, stan: number, row: CaseRow | undefined, openOnly: boolean, after: number): number {
		for (let slot = this.firstFrom(after + 1); slot < this.count; slot++) {
			if (this.stans[slot] !== stan || this.batches[slot] !== batch) continue;
			if (row !== undefined && this.rows[slot] !== Row[row]) continue;
			if (!openOnly || isOpen(this.states[slot])) return slot;
		}
		return -1;
	}

	/** The first open one behind case `after` that is due at `nowS`, or −1. */
	nextDue(nowS: number, after: number): number {
		for (let slot = this.firstFrom(after + 1); slot < this.count; slot++) {
			if (isOpen(this.states[slot]) && isDueS(this.dues[slot], nowS)) return slot;
		}
		return -1;
	}

	/** Open cases of a row. */
	countOpen(row: CaseRow): number {
		let count = 0;
		for (let slot = 0; slot < this.count; slot++) {
			if (this.rows[slot] === Row[row] && isOpen(this.states[slot])) count++;
		}
		return count;
	}

	/** Open cases whose request should have been decided by `beforeS`, host seconds. */
	countPromised(beforeS: number): number {
		let count = 0;
		for (let slot = 0; slot < this.count; slot++) {
			const promiseS = this.promises[slot];
			if (promiseS !== 0 && promiseS <= beforeS) count++;
		}
		return count;
	}

	/** @returns a slot for `id`, in which only that is known */
	add(id: number): number {
		assert(this.count < this.ids.length, "I10 closed cases have made way");
		const slot = this.firstFrom(id);
		for (const array of this.#arrays) {
			array.copyWithin(slot + 1, slot, this.count);
			array[slot] = 0;
		}
		this.count++;
		this.ids[slot] = id;
		return slot;
	}

	setState(slot: number, state: number): void {
		const was = this.states[slot];
		this.states[slot] = state;
		this.openCount += (isOpen(state) ? 1 : 0) - (was !== 0 && isOpen(was) ? 1 : 0);
	}

	/** As long as more closed ones are there than are kept. What makes way is dead on flash from here on. */
	/** @param keptId - the one that has just changed: whoever hears of that still looks at it; 0 for none */
	makeWay(keptId = 0): void {
		while (this.closedCount > this.closedMax) {
			const unneeded = this.oldestClosed(false, keptId);
			const slot = unneeded >= 0 ? unneeded : this.oldestClosed(true, keptId);
			assert(slot >= 0, "I10 of two closed cases one can make way");
			for (const array of this.#arrays) array.copyWithin(slot, slot + 1, this.count);
			this.count--;
		}
	}

	/** A record of a case now stands elsewhere. @returns false when it was none of theirs */
	moved(from: number, to: number): boolean {
		for (let slot = 0; slot < this.count; slot++) {
			if (this.positions[slot] !== from) continue;
			this.positions[slot] = to;
			return true;
		}
		return false;
	}

	/** The newest case stays: its number must not be given again. */
	private oldestClosed(needed: boolean, keptId: number): number {
		for (let slot = 0; slot < this.count - 1; slot++) {
			if (isOpen(this.states[slot]) || this.ids[slot] === keptId) continue;
			if (needed || !this.isNeeded(slot)) return slot;
		}
		return -1;
	}

	/** The comparison goes by it: the sale stands for less, or the operator has said that both stand. */
	private isNeeded(slot: number): boolean {
		return this.credited[slot] === 1 || this.rows[slot] === Row.doubled;
	}
}
