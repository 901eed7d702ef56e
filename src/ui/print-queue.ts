/**
 * The printer, for several who want it: one slip at a time, each in its turn. The slip of a sale goes before all that waits,
 * as a customer stands there; while nothing waits, what is asked for goes to the printer in the same call.
 *
 * A printer that says nothing for longer than a slip may take is asked again: what was given to it is reported when it
 * reports it, and it can say itself that it is still busy.
 * @module
 */
import type { Clock, Printer, Slip } from "../ports";

/** Slips that wait at once, the one at the printer not counted (I10). */
export const WAITING_MAX = 8;

type OnDone = (printed: boolean) => void;

export class PrintQueue implements Printer {
	readonly #printer: Printer;
	readonly #clock: Clock;
	readonly #slipMsMax: number;
	readonly #waiting: { slip: Slip; onDone: OnDone }[] = [];
	/** Counts slips given to the printer, so that one that is late frees nobody else's place. */
	#serial = 0;
	/** The one at the printer; 0 for none. */
	#at = 0;
	#timer = 0;

	/** @param slipMsMax - what a slip may take */
	constructor(printer: Printer, clock: Clock, slipMsMax: number) {
		this.#printer = printer;
		this.#clock = clock;
		this.#slipMsMax = slipMsMax;
	}

	get waiting(): number {
		return this.#waiting.length;
	}

	/** True while a slip is at the printer. */
	get busy(): boolean {
		return this.#at !== 0;
	}

	/** True when so many slips more that have time find a place. */
	takes(slips: number): boolean {
		return this.#waiting.length + slips <= WAITING_MAX;
	}

	/** A slip that somebody stands and waits for: the next one. */
	print(slip: Slip, onDone: OnDone): void {
		if (this.#at === 0) this.give(slip, onDone);
		else this.#waiting.unshift({ slip, onDone });
	}

	/** One that has time. @returns false when too many wait: nothing is called back then */
	later(slip: Slip, onDone: OnDone): boolean {
		if (this.#at === 0) this.give(slip, onDone);
		else if (this.#waiting.length >= WAITING_MAX) return false;
		else this.#waiting.push({ slip, onDone });
		return true;
	}

	private give(slip: Slip, onDone: OnDone): void {
		this.#serial++;
		const serial = this.#serial;
		this.#at = serial;
		this.#timer = this.#clock.setTimer(this.#slipMsMax, () => this.free(serial));
		this.#printer.print(slip, (printed) => {
			this.free(serial);
			onDone(printed);
		});
	}

	private free(serial: number): void {
		if (serial !== this.#at) return;
		this.#clock.clearTimer(this.#timer);
		this.#at = 0;
		const next = this.#waiting.shift();
		if (next !== undefined) this.give(next.slip, next.onDone);
	}
}
