/**
 * One-shot timers in the order they are due; those due at the same time in the order they were set. Bounded (I10).
 * @module
 */
import { assert } from "../../src/core/assert";

interface Timer {
	readonly id: number;
	readonly dueMs: number;
	readonly callback: () => void;
}

const TIMERS_MAX = 4096;

export class TimerQueue {
	/** Latest first: the next one is taken from the end. */
	readonly #timers: Timer[] = [];
	#nextId = 1;

	get size(): number {
		return this.#timers.length;
	}

	/** When the next timer is due; Infinity when none waits. */
	get nextDueMs(): number {
		return this.#timers.length === 0 ? Number.POSITIVE_INFINITY : this.#timers[this.#timers.length - 1].dueMs;
	}

	/** @returns an id, never 0 and never used again */
	add(dueMs: number, callback: () => void): number {
		assert(this.#timers.length < TIMERS_MAX, "too many timers (I10)");
		assert(dueMs >= 0 && dueMs < Number.POSITIVE_INFINITY, "a timer is due at some time");
		const timer = { id: this.#nextId++, dueMs, callback };
		let i = this.#timers.length;
		while (i > 0 && this.#timers[i - 1].dueMs <= dueMs) i--;
		this.#timers.splice(i, 0, timer);
		return timer.id;
	}

	/** An unknown id does nothing. */
	remove(id: number): void {
		const i = this.#timers.findIndex((timer) => timer.id === id);
		if (i >= 0) this.#timers.splice(i, 1);
	}

	/** Takes the next timer due at `nowMs` off the queue. @returns its callback */
	takeDue(nowMs: number): (() => void) | undefined {
		return this.nextDueMs <= nowMs ? this.#timers.pop()?.callback : undefined;
	}

	clear(): void {
		this.#timers.length = 0;
	}
}
