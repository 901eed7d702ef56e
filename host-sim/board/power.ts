/**
 * The supply of one simulated board. A power cut is the device going dead in the middle of whatever it does: from
 * then on each port call throws {@link PowerLost}, and no timer, link, reader or printer calls back any more.
 * A new boot is a new Power.
 * @module
 */
import { assert } from "../../src/core/assert";

/** The board is dead. Nothing on it may catch this to go on: each further port call throws it again. */
export class PowerLost extends Error {
	/** A field, not an assignment: where the engine's own prototypes are frozen that would throw. */
	override readonly name = "PowerLost";

	constructor(message = "power lost") {
		super(message);
	}
}

const LISTENERS_MAX = 64;

/** Shared by all simulated devices of one board, for one boot. */
export class Power {
	#on = true;
	readonly #listeners = new Set<() => void>();

	get on(): boolean {
		return this.#on;
	}

	/** For good, and at once; a second cut does nothing. Those who asked are told, in the order they asked. */
	cut(): void {
		if (!this.#on) return;
		this.#on = false;
		for (const listener of this.#listeners) listener();
		this.#listeners.clear();
	}

	/** First line of every port call. @throws {PowerLost} after the cut */
	check(): void {
		if (!this.#on) throw new PowerLost();
	}

	/**
	 * `listener` runs inside {@link cut}; it belongs to what is outside the board (sockets, paper, the test).
	 * @returns a function that takes it off the list
	 */
	onCut(listener: () => void): () => void {
		assert(this.#listeners.size < LISTENERS_MAX, "a power supply has at most 64 listeners (I10)");
		this.#listeners.add(listener);
		return () => {
			this.#listeners.delete(listener);
		};
	}

	/**
	 * How devices call back into the firmware: not at all after the cut, and a PowerLost that the callback runs
	 * into ends here, as the processor that ran it is dead. Any other error is the caller's.
	 */
	deliver(callback: () => void): void {
		if (!this.#on) return;
		try {
			callback();
		} catch (error) {
			if (!(error instanceof PowerLost) || this.#on) throw error;
		}
	}
}
