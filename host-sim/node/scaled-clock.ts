/**
 * A board's clock on the desktop: real time, made to run `scale` times faster. After a power cut it is as dead as
 * the board: no timer fires, each call throws.
 *
 * With `stallMs`, time that the process could not use does not pass: however long a computation, a garbage
 * collection or another program holds it up, no more than `stallMs` of real time goes by at once. Without that, a
 * hiccup of 0.2 s at scale 300 is a minute, and all answers time out.
 * @module
 */
import { performance } from "node:perf_hooks";
import { assert } from "../../src/core/assert";
import type { Clock } from "../../src/ports";
import { Power } from "../board/power";
import { TimerQueue } from "../board/timer-queue";

export interface ScaledClockOptions {
	/** Simulated ms per real ms; default 1. */
	scale?: number;
	/** Wall time at the start, ms since 1970; default: the desktop's. */
	startMs?: number;
	power?: Power;
	/** Most real ms that pass at once; default: no limit. */
	stallMs?: number;
}

/** `setTimeout` fires at once above 2^31 − 1. */
const SLEEP_MS_MAX = 1_000_000_000;

export class ScaledClock implements Clock {
	readonly scale: number;
	readonly #power: Power;
	readonly #timers = new TimerQueue();
	readonly #stallMs: number;
	readonly #ticker: ReturnType<typeof setInterval> | undefined;
	#wallStartMs: number;
	#lastRealMs = performance.now();
	/** Simulated ms since boot. */
	#elapsedMs = 0;
	#sleep: ReturnType<typeof setTimeout> | undefined;
	#closed = false;

	constructor(options: ScaledClockOptions = {}) {
		const { scale = 1, startMs = Date.now(), power = new Power(), stallMs = Number.POSITIVE_INFINITY } = options;
		assert(scale > 0 && stallMs > 0, "a clock runs forward");
		this.scale = scale;
		this.#wallStartMs = startMs;
		this.#power = power;
		this.#stallMs = stallMs;
		if (stallMs < SLEEP_MS_MAX) {
			// Someone must look at least that often, or idle time would be lost as well.
			this.#ticker = setInterval(() => this.#fire(), Math.max(1, Math.floor(stallMs / 2)));
			this.#ticker.unref();
		}
		power.onCut(() => this.close());
	}

	now(): number {
		this.#power.check();
		return this.#wallStartMs + Math.floor(this.#elapsed());
	}

	monotonic(): number {
		this.#power.check();
		return Math.floor(this.#elapsed());
	}

	setTimer(ms: number, callback: () => void): number {
		this.#power.check();
		assert(!this.#closed, "a timer on a closed clock");
		const id = this.#timers.add(this.#elapsed() + Math.max(0, ms), callback);
		this.#arm();
		return id;
	}

	clearTimer(id: number): void {
		this.#power.check();
		this.#timers.remove(id);
		this.#arm();
	}

	/** Wall time jumps, as when somebody sets it; monotonic time and timers do not. */
	jump(ms: number): void {
		this.#wallStartMs += ms;
	}

	/** No timer fires any more. Idempotent. */
	close(): void {
		this.#closed = true;
		this.#timers.clear();
		clearTimeout(this.#sleep);
		clearInterval(this.#ticker);
	}

	#elapsed(): number {
		const realMs = performance.now();
		this.#elapsedMs += Math.min(realMs - this.#lastRealMs, this.#stallMs) * this.scale;
		this.#lastRealMs = realMs;
		return this.#elapsedMs;
	}

	/** One sleep, for the timer that is due first. */
	#arm(): void {
		clearTimeout(this.#sleep);
		this.#sleep = undefined;
		const { nextDueMs } = this.#timers;
		if (nextDueMs === Number.POSITIVE_INFINITY) return;
		const realMs = (nextDueMs - this.#elapsed()) / this.scale;
		this.#sleep = setTimeout(() => this.#fire(), Math.min(Math.max(0, Math.ceil(realMs)), SLEEP_MS_MAX));
	}

	/** What is due now, in order; what the callbacks set for now waits for the next turn, so that I/O gets its own. */
	#fire(): void {
		if (this.#closed) return;
		const nowMs = this.#elapsed();
		for (let left = this.#timers.size; left > 0 && !this.#closed; left--) {
			const callback = this.#timers.takeDue(nowMs);
			if (callback === undefined) break;
			this.#power.deliver(callback);
		}
		if (!this.#closed) this.#arm();
	}
}
