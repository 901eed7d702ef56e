/**
 * A keypad whose cardholders follow a script: a PIN after some time, or the cancel key. Without a script it waits
 * for one.
 * @module
 */
import { assert } from "../../src/core/assert";
import type { Clock, Keypad } from "../../src/ports";
import type { Power } from "./power";

/** Without `pin` the cardholder presses cancel. */
export interface PinEntry {
	pin?: string;
	/** Default 0: with the next turn of the clock. */
	delayMs?: number;
}

const ENTRIES_MAX = 1024;

export class ScriptedKeypad implements Keypad {
	/** How often a PIN was asked for. */
	requests = 0;
	readonly #power: Power;
	readonly #clock: Clock;
	readonly #script: PinEntry[] = [];
	#onPin: ((pin: Uint8Array | undefined) => void) | undefined;
	#timer = 0;

	constructor(options: { power: Power; clock: Clock; script?: readonly PinEntry[] }) {
		this.#power = options.power;
		this.#clock = options.clock;
		for (const entry of options.script ?? []) this.enter(entry);
	}

	/** True while a request waits for keys that no script presses. */
	get waiting(): boolean {
		return this.#onPin !== undefined && this.#timer === 0;
	}

	/** The keys of the next request; of the one that waits, when one does. */
	enter(entry: PinEntry): void {
		assert(entry.pin === undefined || /^[0-9]{4,12}$/.test(entry.pin), "a PIN has 4 to 12 digits");
		assert(this.#script.length < ENTRIES_MAX, "the keypad's script is full (I10)");
		this.#script.push(entry);
		if (this.waiting) this.#next();
	}

	/** Keys that were not asked for are not pressed. */
	withdraw(): void {
		this.#script.length = 0;
	}

	requestPin(_amountMinor: number, onPin: (pin: Uint8Array | undefined) => void): void {
		this.#power.check();
		assert(this.#onPin === undefined, "one PIN request at a time");
		this.requests += 1;
		this.#onPin = onPin;
		this.#next();
	}

	cancelPin(): void {
		this.#power.check();
		if (this.#timer !== 0) this.#clock.clearTimer(this.#timer);
		this.#timer = 0;
		this.#onPin = undefined;
	}

	#next(): void {
		const onPin = this.#onPin;
		const entry = this.#script.shift();
		if (onPin === undefined || entry === undefined) return;
		this.#timer = this.#clock.setTimer(entry.delayMs ?? 0, () => {
			this.#timer = 0;
			this.#onPin = undefined;
			const digits = entry.pin;
			const pin = digits === undefined ? undefined : Uint8Array.from(digits, (digit) => digit.charCodeAt(0));
			this.#power.deliver(() => onPin(pin));
		});
	}
}
