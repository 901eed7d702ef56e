/**
 * Where each case stands, in typed arrays (I10), in the order of their ids; and which closed one makes way for another. A
 * slot is good until the next call that adds or removes one; the id is what others keep.
 * @module
 */
import { assert } from "../core/assert";
import { isBatchBefore } from "../transactions/counters";
import { isOpen } from "./case-states";
import { isDueS } from "./due";
import { type CaseRow, Row } from "./finding";

/** Bits of what outlasts a case: it was given back for, it was decided. */
export const Lasting = {
	/** Money was given back to the card by a request of it. */
	credited: 1,
	/** The table, or a person, had the last word, and the books may go on to differ. */
	decided: 2,
} as const;

/** Of which batches a comparison may still come: what was given back for them, or decided, is to be known. */
export interface LiveBatches {
	isLiveBatch(batch: number): boolean;
}

/** Places behind all others: for a batch with more differences than there are places, and for one while another makes way. */
const EXTRA = 2;

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
	/** What a comparison of its batch goes by as long as there is one: bits of {@link Lasting}. */
	readonly lasting: Uint8Array;
	readonly batches: Uint32Array;
	readonly stans: Uint32Array;
	/** Host seconds. */
	readonly dues: Uint32Array;
	/** Host seconds by which the host has promised to decide on a request of an open case; 0: none. */
	readonly promises: Uint32Array;
	readonly positions: Uint32Array;
	/** Not looked at before this uptime, whatever the host's clock says: seconds, the lower 16 bits, of an hour at most. */
	readonly holds: Uint16Array;
	/** Uptime since which the host says nothing to the request: minutes, the lower 16 bits; 0: it does. */
	readonly silents: Uint16Array;
	readonly #arrays: readonly (Uint32Array | Uint16Array | Uint8Array)[];
	readonly #batches: LiveBatches;

	constructor(openMax: number, closedMax: number, batches: LiveBatches) {
		this.openMax = openMax;
		this.closedMax = closedMax;
		this.#batches = batches;
		const slots = openMax + closedMax + EXTRA;
		this.ids = new Uint32Array(slots);
		this.versions = new Uint16Array(slots);
		this.states = new Uint8Array(slots);
		this.rows = new Uint8Array(slots);
		this.lasting = new Uint8Array(slots);
		this.batches = new Uint32Array(slots);
		this.stans = new Uint32Array(slots);
		this.dues = new Uint32Array(slots);
		this.promises = new Uint32Array(slots);
		this.positions = new Uint32Array(slots);
		this.holds = new Uint16Array(slots);
		this.silents = new Uint16Array(slots);
		this.#arrays = [
			this.ids,
			this.versions,
			this.states,
			this.rows,
			this.lasting,
			this.batches,
			this.stans,
			this.dues,
			this.promises,
			this.positions,
			this.holds,
			this.silents,
		];
	}

	/** Bytes of the arrays: 33 a slot, whatever is open. */
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

	/**
	 * As long as more closed ones are there than are kept. What makes way is dead on flash from here on. One that a
	 * comparison still goes by stays: for these there are the places that open ones do not take.
	 * @param keptId - the one that has just changed: whoever hears of that still looks at it; 0 for none
	 */
	makeWay(keptId = 0): void {
		while (this.closedCount > this.closedMax) {
			const unneeded = this.firstClosed((slot) => !this.isNeeded(slot), keptId);
			const slot =
				unneeded >= 0 ? unneeded : this.firstClosed((at) => !this.#batches.isLiveBatch(this.batches[at]), keptId);
			if (slot < 0) break;
			this.remove(slot);
		}
		assert(this.count < this.ids.length, "I10 cases are bounded");
	}

	/**
	 * The same while flash is read, and nobody can tell yet which batches are live: only for a place, and of those that a
	 * comparison may go by the one of the oldest batch. Any of a live batch has its place.
	 */
	makeWayUnread(): void {
		if (this.count < this.ids.length) return;
		let slot = this.firstClosed((at) => !this.isNeeded(at), 0);
		if (slot < 0) slot = this.firstClosed((at) => this.isOldestBatch(at), 0);
		assert(slot >= 0, "I10 of two closed cases one can make way");
		this.remove(slot);
	}

	/** Open ones, and closed ones that a comparison still goes by, take all places. O(n), and O(1) while places are free. */
	get isHeld(): boolean {
		const most = this.openMax + this.closedMax;
		if (this.count < most) return false;
		let held = this.openCount;
		for (let slot = 0; slot < this.count; slot++) {
			if (!isOpen(this.states[slot]) && this.isNeeded(slot) && this.#batches.isLiveBatch(this.batches[slot])) held++;
		}
		return held >= most;
	}

	/** One more than those has a place, if it is to be the last for long. */
	get hasOneMore(): boolean {
		return this.openCount < this.openMax && this.count <= this.openMax + this.closedMax;
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
	private firstClosed(mayGo: (slot: number) => boolean, keptId: number): number {
		for (let slot = 0; slot < this.count - 1; slot++) {
			if (!isOpen(this.states[slot]) && this.ids[slot] !== keptId && mayGo(slot)) return slot;
		}
		return -1;
	}

	/** No closed one is of an older batch; numbers come round. */
	private isOldestBatch(slot: number): boolean {
		for (let other = 0; other < this.count - 1; other++) {
			if (!isOpen(this.states[other]) && isBatchBefore(this.batches[other], this.batches[slot])) return false;
		}
		return true;
	}

	private remove(slot: number): void {
		for (const array of this.#arrays) array.copyWithin(slot, slot + 1, this.count);
		this.count--;
	}

	/** The comparison goes by it: the sale stands for less, or what differs has been decided and may go on to differ. */
	private isNeeded(slot: number): boolean {
		return this.lasting[slot] !== 0 || this.rows[slot] === Row.doubled;
	}
}
