/**
 * Time that stands still until it is moved: for tests and for worlds in one process. One {@link VirtualTime} runs on
 * through power cuts; each board, in each boot, has a clock of its own over it.
 * @module
 */
import { assert } from "../../src/core/assert";
import type { Clock } from "../../src/ports";
import { Power } from "./power";
import { TimerQueue } from "./timer-queue";

export class VirtualTime {
	readonly #timers = new TimerQueue();
	#nowMs: number;

	/** @param nowMs - ms since 1970 */
	constructor(nowMs = 0) {
		this.#nowMs = nowMs;
	}

	get nowMs(): number {
		return this.#nowMs;
	}

	/** Timers that wait, of all clocks. */
	get pending(): number {
		return this.#timers.size;
	}

	/** When the next timer is due, ms since 1970; Infinity when none waits. */
	get nextDueMs(): number {
		return this.#timers.nextDueMs;
	}

	/** A clock that begins at 0 ms since boot; without `power` one that nobody cuts. */
	clock(power: Power = new Power()): VirtualClock {
		return new VirtualClock(this, this.#timers, power);
	}

	/** Moves on by `ms`, and fires what becomes due, each at its own time. */
	advance(ms: number): void {
		assert(ms >= 0, "time does not go back");
		const end = this.#nowMs + ms;
		while (this.#timers.nextDueMs <= end) {
			this.#nowMs = Math.max(this.#nowMs, this.#timers.nextDueMs);
			this.#timers.takeDue(this.#nowMs)?.();
		}
		this.#nowMs = end;
	}

	/** Moves to the next timer and fires it. @returns false when none waits */
	step(): boolean {
		if (this.#timers.size === 0) return false;
		this.#nowMs = Math.max(this.#nowMs, this.#timers.nextDueMs);
		this.#timers.takeDue(this.#nowMs)?.();
		return true;
	}
}

export class VirtualClock implements Clock {
	readonly #time: VirtualTime;
	readonly #timers: TimerQueue;
	readonly #power: Power;
	readonly #bootMs: number;
	#wallOffsetMs = 0;

	constructor(time: VirtualTime, timers: TimerQueue, power: Power) {
		this.#time = time;
		this.#timers = timers;
		this.#power = power;
		this.#bootMs = time.nowMs;
	}

	now(): number {
		this.#power.check();
		return this.#time.nowMs + this.#wallOffsetMs;
	}

	monotonic(): number {
		this.#power.check();
		return this.#time.nowMs - this.#bootMs;
	}

	setTimer(ms: number, callback: () => void): number {
		this.#power.check();
		return this.#timers.add(this.#time.nowMs + Math.max(0, ms), () => this.#power.deliver(callback));
	}

	clearTimer(id: number): void {
		this.#power.check();
		this.#timers.remove(id);
	}

	/** Wall time jumps, as when somebody sets it; monotonic time and timers do not. */
	jump(ms: number): void {
		this.#wallOffsetMs += ms;
	}
}
