/**
 * A PIN keypad without keys: the program types. A request that nobody answers waits until it is cancelled.
 * @module
 */
import { assert } from "../../src/core/assert";
import { CodedError } from "../../src/core/errors";
import type { Clock, Keypad } from "../../src/ports";

export class MemoryKeypad implements Keypad {
	readonly #clock: Clock;
	#onPin: ((pin: Uint8Array | undefined) => void) | undefined;
	#typed: Uint8Array | undefined;
	#timer = 0;
	#closed = false;

	constructor(options: { clock: Clock }) {
		this.#clock = options.clock;
	}

	/** ASCII digits for the request that waits, else for the next one; undefined is the cancel key. The bytes go over. */
	type(pin: Uint8Array | undefined): void {
		this.#check();
		this.#typed?.fill(0);
		this.#typed = pin;
		if (this.#onPin !== undefined) this.#answer();
	}

	requestPin(_amountMinor: number, onPin: (pin: Uint8Array | undefined) => void): void {
		this.#check();
		assert(this.#onPin === undefined, "one PIN request at a time");
		this.#onPin = onPin;
		if (this.#typed !== undefined) this.#answer();
	}

	cancelPin(): void {
		this.#check();
		this.#end();
	}

	/** Wipes what was typed. May be called twice. */
	close(): void {
		if (this.#closed) return;
		this.#end();
		this.#closed = true;
	}

	#end(): void {
		if (this.#timer !== 0) this.#clock.clearTimer(this.#timer);
		this.#timer = 0;
		this.#onPin = undefined;
		this.#typed?.fill(0);
		this.#typed = undefined;
	}

	#answer(): void {
		if (this.#timer !== 0) this.#clock.clearTimer(this.#timer);
		this.#timer = this.#clock.setTimer(0, () => {
			this.#timer = 0;
			const onPin = this.#onPin;
			const pin = this.#typed;
			this.#onPin = undefined;
			this.#typed = undefined; // From here on the firmware wipes it.
			onPin?.(pin);
		});
	}

	#check(): void {
		if (this.#closed) throw new CodedError("state", "keypad", "closed");
	}
}
