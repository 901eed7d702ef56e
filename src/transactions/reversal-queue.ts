/**
 * The store-and-forward queue: which reversals wait, when each is due. RAM only: flash holds the reversals, and a boot
 * fills the queue again. Bounded at 64 entries (I10); no entry ever leaves but by an answer (I3).
 * @module
 */
import { assert } from "../core/assert";
import { backOffMs } from "../core/back-off";
import type { RandomSource } from "../ports";

export const QUEUE_MAX = 64;
const NEVER = Number.POSITIVE_INFINITY;

export interface BackOff {
	firstMs: number;
	greatestMs: number;
	jitterPercent: number;
}

export class ReversalQueue {
	readonly #ids = new Uint32Array(QUEUE_MAX);
	readonly #dueMs = new Float64Array(QUEUE_MAX);
	readonly #failures = new Uint8Array(QUEUE_MAX);
	/** 1: only waiting for lateOriginalMs, so a working link is no reason to hurry. */
	readonly #watching = new Uint8Array(QUEUE_MAX);
	readonly #random: RandomSource;
	readonly #dice = new Uint8Array(2);
	readonly #backOff: BackOff;
	count = 0;

	constructor(random: RandomSource, backOff: BackOff) {
		this.#random = random;
		this.#backOff = backOff;
	}

	has(id: number): boolean {
		return this.find(id) >= 0;
	}

	/** Adds or changes: due at `dueMs` of the monotonic clock. Failures begin anew. */
	put(id: number, dueMs: number, watching: boolean): void {
		let at = this.find(id);
		if (at < 0) {
			assert(this.count < QUEUE_MAX, "I10 the queue has room: doubts are limited below it");
			at = this.count++;
			this.#ids[at] = id;
		}
		this.#dueMs[at] = dueMs;
		this.#failures[at] = 0;
		this.#watching[at] = watching ? 1 : 0;
	}

	remove(id: number): void {
		const at = this.find(id);
		if (at < 0) return;
		this.count--;
		for (const array of [this.#ids, this.#dueMs, this.#failures, this.#watching]) {
			array.copyWithin(at, at + 1, this.count + 1);
		}
	}

	/** @returns the id that is due and oldest, or 0 */
	due(nowMs: number): number {
		let best = 0;
		for (let at = 0; at < this.count; at++) {
			if (this.#dueMs[at] <= nowMs && (best === 0 || this.#ids[at] < best)) best = this.#ids[at];
		}
		return best;
	}

	/** When the next one is due; Infinity when none waits. */
	nextDueMs(): number {
		let next = NEVER;
		for (let at = 0; at < this.count; at++) next = Math.min(next, this.#dueMs[at]);
		return next;
	}

	/** No answer: the next try after a time that doubles, ± jitter. */
	backOff(id: number, nowMs: number): void {
		const at = this.find(id);
		if (at < 0) return;
		const { firstMs, greatestMs, jitterPercent } = this.#backOff;
		this.#random.fill(this.#dice);
		const dice = (this.#dice[0] << 8) | this.#dice[1];
		const waitMs = backOffMs(this.#failures[at], firstMs, greatestMs, jitterPercent, dice);
		this.#failures[at] = Math.min(255, this.#failures[at] + 1);
		this.#dueMs[at] = nowMs + waitMs;
	}

	/** The next try at a set time, e.g. daily. */
	postpone(id: number, dueMs: number): void {
		const at = this.find(id);
		if (at >= 0) this.#dueMs[at] = dueMs;
	}

	/** The link works: whoever was only backing off need not wait any longer. */
	hurry(nowMs: number): void {
		for (let at = 0; at < this.count; at++) {
			if (this.#watching[at] === 0 && this.#failures[at] > 0) this.#dueMs[at] = Math.min(this.#dueMs[at], nowMs);
		}
	}

	private find(id: number): number {
		for (let at = 0; at < this.count; at++) if (this.#ids[at] === id) return at;
		return -1;
	}
}
