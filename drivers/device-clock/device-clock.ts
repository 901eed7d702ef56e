/**
 * The clock of a board, over the SDK's modules "timer" and "time". Monotonic time is summed from steps of `ticks`,
 * so that it survives the counter's end (an ESP32 counts 32 bits of ms, which is 24 days) and a host that sets its
 * time back. Wall time is the engine's, which the platform sets.
 *
 * Invariants: monotonic time never goes back; after `close()` no timer fires and every call throws.
 * @module
 */
import { assert } from "../../src/core/assert";
import { CodedError } from "../../src/core/errors";
import type { Clock } from "../../src/ports";

/** What is used of the class of "timer"; `T` is its instance. */
export interface TimerIo<T> {
	set(callback: () => void, intervalMs: number): T;
	repeat(callback: () => void, intervalMs: number): T;
	clear(timer: T): void;
}

/** What is used of "time". */
export interface TimeIo {
	/** ms of a counter that may start and end anywhere. */
	readonly ticks: number;
	/** ms from `start` to `end`, right also across the counter's end. */
	delta(start: number, end: number): number;
}

export interface DeviceClockOptions<T> {
	timer: TimerIo<T>;
	time: TimeIo;
	/** The engine's `Date`. */
	wall: { now(): number };
}

/** Everything the firmware waits for at once, with room to spare (I10). */
const TIMERS_MAX = 32;
/** Timers of the SDK take 31 bits of ms. */
const INTERVAL_MS_MAX = 0x7fffffff;
/** The counter is looked at this often at least: much less than half its turn. */
const WATCH_MS = 86_400_000;

export class DeviceClock<T> implements Clock {
	readonly #timer: TimerIo<T>;
	readonly #time: TimeIo;
	readonly #wall: { now(): number };
	readonly #timers = new Map<number, T>();
	readonly #watch: T;
	#nextId = 1;
	#lastTicks: number;
	#elapsedMs = 0;
	#closed = false;

	constructor(options: DeviceClockOptions<T>) {
		this.#timer = options.timer;
		this.#time = options.time;
		this.#wall = options.wall;
		this.#lastTicks = this.#time.ticks;
		this.#watch = this.#timer.repeat(() => this.monotonic(), WATCH_MS);
	}

	now(): number {
		this.#check();
		return this.#wall.now();
	}

	monotonic(): number {
		this.#check();
		const ticks = this.#time.ticks;
		const stepMs = this.#time.delta(this.#lastTicks, ticks);
		if (stepMs > 0) this.#elapsedMs += stepMs;
		this.#lastTicks = ticks;
		return Math.floor(this.#elapsedMs);
	}

	setTimer(ms: number, callback: () => void): number {
		this.#check();
		assert(this.#timers.size < TIMERS_MAX, "I10 too many timers");
		const id = this.#nextId++;
		const intervalMs = Math.min(Math.max(0, Math.ceil(ms)), INTERVAL_MS_MAX);
		const timer = this.#timer.set(() => {
			this.#timers.delete(id);
			try {
				callback();
			} catch (error) {
				if (!this.#closed) throw error; // The board died inside the call: what still ran fails, and that is all.
			}
		}, intervalMs);
		this.#timers.set(id, timer);
		return id;
	}

	clearTimer(id: number): void {
		this.#check();
		const timer = this.#timers.get(id);
		if (timer === undefined) return;
		this.#timers.delete(id);
		this.#timer.clear(timer);
	}

	/** May be called twice. */
	close(): void {
		if (this.#closed) return;
		this.#closed = true;
		this.#timer.clear(this.#watch);
		for (const timer of this.#timers.values()) this.#timer.clear(timer);
		this.#timers.clear();
	}

	#check(): void {
		if (this.#closed) throw new CodedError("state", "clock", "closed");
	}
}
