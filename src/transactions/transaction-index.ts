/**
 * What the terminal knows of its transactions without reading flash: typed arrays only, bounded (I10), in the order of
 * their ids, which is the order of selling. A slot is good until the next call that adds or removes one; the id is
 * what others keep. The queries make no garbage.
 * @module
 */
import { assert } from "../core/assert";
import { KIND_RESEND } from "./records";
import { isCarried, isCharged, isSpent, isUnderWay, State } from "./states";

/** No record at all. */
export const NOWHERE = 0xffff_ffff;
/**
 * Slots beyond the capacity. When the log is read, the end of a transaction may stand behind the beginning of the next
 * ones; and between the question for room and a sale's intent, records may move so that nothing can make way just then.
 */
const SPARE_SLOTS = 8;
/** Amounts are kept in two parts: so many values has the lower one. */
const LOW_VALUES = 0x1_0000_0000;

export class TransactionIndex {
	readonly capacity: number;
	count = 0;
	readonly ids: Uint32Array;
	readonly stans: Uint32Array;
	readonly states: Uint8Array;
	readonly steps: Uint8Array;
	readonly flags: Uint8Array;
	readonly tries: Uint16Array;
	/** 12 digits take 40 bits. */
	readonly #amountsLow: Uint32Array;
	readonly #amountsHigh: Uint8Array;
	readonly intentAt: Uint32Array;
	readonly outcomeAt: Uint32Array;
	readonly stepAt: Uint32Array;
	/** 1: a copy of the intent stands behind the record that says what became of it. */
	readonly intentLast: Uint8Array;
	/** Batch in the upper 24 bits, kind in the lower 8. */
	readonly #batchKinds: Uint32Array;
	/**
	 * Which movement of the host a transaction belongs to: its own, or an advice's original. The key itself has 40 bits;
	 * here are the 20 of the STAN and the lower 12 of the batch, so that a walk over many advices reads no flash.
	 */
	readonly #movements: Uint32Array;
	readonly #arrays: readonly (Uint32Array | Uint16Array | Uint8Array)[];
	/** Ids up to here are settled: of them only what was carried forward still counts. */
	settledId = 0;
	/** The transaction whose intent carries the STAN counter; 0 when the mark does. */
	newestId = 0;
	/** The greatest id that had to make way since {@link clear}. */
	evictedIdMax = 0;

	/** @param capacity - transactions kept, at least 1 */
	constructor(capacity: number) {
		this.capacity = capacity;
		const slots = capacity + SPARE_SLOTS;
		this.ids = new Uint32Array(slots);
		this.stans = new Uint32Array(slots);
		this.states = new Uint8Array(slots);
		this.steps = new Uint8Array(slots);
		this.flags = new Uint8Array(slots);
		this.tries = new Uint16Array(slots);
		this.#amountsLow = new Uint32Array(slots);
		this.#amountsHigh = new Uint8Array(slots);
		this.intentAt = new Uint32Array(slots);
		this.outcomeAt = new Uint32Array(slots);
		this.stepAt = new Uint32Array(slots);
		this.intentLast = new Uint8Array(slots);
		this.#batchKinds = new Uint32Array(slots);
		this.#movements = new Uint32Array(slots);
		this.#arrays = [
			this.ids,
			this.stans,
			this.states,
			this.steps,
			this.flags,
			this.tries,
			this.#amountsLow,
			this.#amountsHigh,
			this.intentAt,
			this.outcomeAt,
			this.stepAt,
			this.intentLast,
			this.#batchKinds,
			this.#movements,
		];
	}

	/** Bytes of the arrays: 39 a slot, whatever is live. */
	get ramBytes(): number {
		let bytes = 0;
		for (const array of this.#arrays) bytes += array.byteLength;
		return bytes;
	}

	/** Minor units. */
	amount(slot: number): number {
		return this.#amountsHigh[slot] * LOW_VALUES + this.#amountsLow[slot];
	}

	setAmount(slot: number, minor: number): void {
		this.#amountsLow[slot] = minor >>> 0;
		this.#amountsHigh[slot] = Math.floor(minor / LOW_VALUES);
	}

	clear(): void {
		this.count = 0;
		this.settledId = 0;
		this.newestId = 0;
		this.evictedIdMax = 0;
	}

	/** @returns the slot, or −1. O(log n) */
	find(id: number): number {
		const slot = this.firstFrom(id);
		return slot < this.count && this.ids[slot] === id ? slot : -1;
	}

	/** The newest transaction with this STAN, or −1. O(n) */
	findStan(stan: number): number {
		for (let slot = this.count - 1; slot >= 0; slot--) if (this.stans[slot] === stan) return slot;
		return -1;
	}

	/** The transaction with this key at the host, or −1. O(n) */
	findByStan(batch: number, stan: number): number {
		for (let slot = this.count - 1; slot >= 0; slot--) {
			if (this.stans[slot] === stan && this.#batchKinds[slot] >>> 8 === batch) return slot;
		}
		return -1;
	}

	/** The first slot behind transaction `after` that is not spent, or −1. O(log n), and what is passed over */
	nextLive(after: number): number {
		for (let slot = this.firstFrom(after + 1); slot < this.count; slot++) {
			if (!isSpent(this.states[slot])) return slot;
		}
		return -1;
	}

	/** The first slot behind transaction `after` that was sold in `batch`, or −1. O(log n), and what is passed over */
	nextInBatch(batch: number, after: number): number {
		for (let slot = this.firstFrom(after + 1); slot < this.count; slot++) {
			if (this.#batchKinds[slot] >>> 8 === batch) return slot;
		}
		return -1;
	}

	/** Batch that the transaction was sold in; 0 while its intent is not known. */
	batch(slot: number): number {
		return this.#batchKinds[slot] >>> 8;
	}

	/** Kind of the transaction; 0 while its intent is not known. */
	kind(slot: number): number {
		return this.#batchKinds[slot] & 0xff;
	}

	setBatchKind(slot: number, batch: number, kind: number): void {
		this.#batchKinds[slot] = ((batch << 8) | kind) >>> 0;
	}

	/** The transaction in `slot` belongs to this movement of the host. */
	setMovement(slot: number, batch: number, stan: number): void {
		this.#movements[slot] = movementOf(batch, stan);
	}

	/**
	 * The first slot from `slot` on, and before `end`, with a movement under way that may belong to this key; −1 when
	 * there is none. Of two batches 4,096 apart it takes one for the other. O(n)
	 */
	nextUnderWay(batch: number, stan: number, slot: number, end = this.count): number {
		return this.nextUnderWayOf(movementOf(batch, stan), slot, end);
	}

	/** True while an older movement for the same original is under way. O(n) */
	isHeldBack(slot: number): boolean {
		return this.nextUnderWayOf(this.#movements[slot], 0, slot) >= 0;
	}

	/** The next advice behind `slot` for the same original, or −1. O(n) */
	nextOfSameMovement(slot: number): number {
		const movement = this.#movements[slot];
		for (let next = slot + 1; next < this.count; next++) {
			if (this.#movements[next] === movement && this.states[next] === State.forwarding) return next;
		}
		return -1;
	}

	/** The transaction that the host's list has under this number, 0 for none: the number of a resend is its sale's there. O(n) */
	findListed(batch: number, stan: number): number {
		const slot = this.findByStan(batch, stan);
		return slot < 0 || this.kind(slot) === KIND_RESEND ? 0 : this.ids[slot];
	}

	/** The first advice from `slot` on, that the host has taken, and that may be for this original; −1. O(n) */
	nextForwarded(batch: number, stan: number, slot: number): number {
		const movement = movementOf(batch, stan);
		for (let at = slot; at < this.count; at++) {
			if (this.#movements[at] === movement && this.states[at] === State.forwarded) return at;
		}
		return -1;
	}

	/** The first advice behind transaction `after` that the host has still to be told, or −1. O(log n), and what is passed over */
	nextForwarding(after: number): number {
		for (let slot = this.firstFrom(after + 1); slot < this.count; slot++) {
			if (this.states[slot] === State.forwarding) return slot;
		}
		return -1;
	}

	/** True when the transaction has charged the card, as far as this terminal knows. */
	isCharged(slot: number): boolean {
		return isCharged(this.states[slot], this.kind(slot));
	}

	/** True while a new sale has a slot, or one can make way for it; the newest may: the sale is the newest then. */
	get hasRoom(): boolean {
		return this.count < this.capacity || this.oldestToGo(0) >= 0;
	}

	/** True while one more can be added: where nothing may be refused that was once taken. */
	get takesMore(): boolean {
		return this.count < this.ids.length || this.oldestToGo(this.newestId) >= 0;
	}

	/** @returns an empty slot for `id`, the oldest spent transaction making way when all are taken */
	add(id: number): number {
		if (this.count >= this.capacity) this.evict();
		assert(this.count < this.ids.length, "I10 the index has room: a sale asks before it begins");
		const slot = this.firstFrom(id);
		for (const array of this.#arrays) array.copyWithin(slot + 1, slot, this.count);
		this.count++;
		this.ids[slot] = id;
		this.stans[slot] = 0;
		this.setAmount(slot, 0);
		this.#batchKinds[slot] = 0;
		this.#movements[slot] = 0;
		this.forget(slot);
		return slot;
	}

	/** Nothing is known of the transaction in `slot` but its id. */
	forget(slot: number): void {
		this.states[slot] = 0;
		this.steps[slot] = 0;
		this.flags[slot] = 0;
		this.tries[slot] = 0;
		this.intentAt[slot] = NOWHERE;
		this.outcomeAt[slot] = NOWHERE;
		this.stepAt[slot] = NOWHERE;
		this.intentLast[slot] = 0;
	}

	/** An outcome has been written: what a step had said before is over, and its record is dead from here on. */
	endsSteps(slot: number, flags: number): void {
		this.stepAt[slot] = NOWHERE;
		this.flags[slot] = flags;
		this.tries[slot] = 0;
	}

	/** Removes every transaction for which `goes` says so; the others keep their order. */
	removeAll(goes: (slot: number) => boolean): void {
		let kept = 0;
		for (let slot = 0; slot < this.count; slot++) {
			if (goes(slot)) continue;
			if (kept !== slot) for (const array of this.#arrays) array[kept] = array[slot];
			kept++;
		}
		this.count = kept;
	}

	/**
	 * True when a settlement has ended it: all of its batch but what was carried forward. What was carried has a step that
	 * says so; without one it is a remainder, e.g. an advice whose end did not move with it.
	 */
	isSettled(slot: number): boolean {
		if (this.ids[slot] > this.settledId) return false;
		return !isCarried(this.states[slot]) || this.stepAt[slot] === NOWHERE;
	}

	/**
	 * May its slot be given away? Its records are then dead, oldest first: so not while a copy of the intent stands
	 * behind its end, or that copy alone would be a doubt at a later boot; and not while its intent carries the STAN.
	 */
	mayGo(slot: number, newestId = this.newestId): boolean {
		if (this.isSettled(slot)) return true; // The mark says so whatever is left of its records.
		return isSpent(this.states[slot]) && this.intentLast[slot] === 0 && this.ids[slot] !== newestId;
	}

	/** Where the record stands that makes a spent transaction spent. */
	lastAt(slot: number): number {
		return this.states[slot] === State.reversed ? this.stepAt[slot] : this.outcomeAt[slot];
	}

	/** A record of `slot` now stands elsewhere: at the end of the log. @returns false when it was none of its records */
	moved(slot: number, from: number, to: number): boolean {
		const intent = this.intentAt[slot] === from;
		if (!intent && this.outcomeAt[slot] !== from && this.stepAt[slot] !== from) return false;
		if (intent) {
			this.intentAt[slot] = to;
			this.intentLast[slot] = 1;
		}
		if (this.lastAt(slot) === from) this.intentLast[slot] = 0;
		if (this.outcomeAt[slot] === from) this.outcomeAt[slot] = to;
		if (this.stepAt[slot] === from) this.stepAt[slot] = to;
		return true;
	}

	private nextUnderWayOf(movement: number, from: number, end: number): number {
		for (let slot = from; slot < end; slot++) {
			if (this.#movements[slot] === movement && isUnderWay(this.states[slot])) return slot;
		}
		return -1;
	}

	/** The first slot whose id is not below `id`; the count when there is none. */
	private firstFrom(id: number): number {
		let from = 0;
		let to = this.count;
		while (from < to) {
			const middle = (from + to) >>> 1;
			if (this.ids[middle] < id) from = middle + 1;
			else to = middle;
		}
		return from;
	}

	private oldestToGo(newestId: number): number {
		for (let slot = 0; slot < this.count; slot++) if (this.mayGo(slot, newestId)) return slot;
		return -1;
	}

	private evict(): void {
		const slot = this.oldestToGo(this.newestId);
		if (slot < 0) return;
		this.evictedIdMax = Math.max(this.evictedIdMax, this.ids[slot]);
		for (const array of this.#arrays) array.copyWithin(slot, slot + 1, this.count);
		this.count--;
	}
}

function movementOf(batch: number, stan: number): number {
	return ((batch << 20) | stan) >>> 0;
}
