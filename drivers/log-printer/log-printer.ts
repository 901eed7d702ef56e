/**
 * A printer without paper: each slip is one line of the log, and that line is the slip. Card numbers arrive masked
 * (I9).
 * @module
 */
import { assert } from "../../src/core/assert";
import { formatAmount } from "../../src/core/money";
import type { Clock, LogSink, Printer, Slip } from "../../src/ports";

export class LogPrinter implements Printer {
	readonly #log: LogSink;
	readonly #clock: Clock;
	#busy = false;

	constructor(options: { log: LogSink; clock: Clock }) {
		this.#log = options.log;
		this.#clock = options.clock;
	}

	print(slip: Slip, onDone: (printed: boolean) => void): void {
		assert(!this.#busy, "one slip at a time");
		this.#busy = true;
		const { name, copy, reprint, stan, batch, amountMinor, card, rrn, authorization, told } = slip;
		let text = `${name} slip, ${copy} copy${reprint ? ", reprint" : ""}: batch=${batch} stan=${stan}`;
		text += ` amount=${formatAmount(amountMinor)} card=${card} rrn=${rrn} authorization=${authorization} told=${told}`;
		this.#log.write("I", this.#clock.monotonic(), "printer", text);
		this.#clock.setTimer(0, () => {
			this.#busy = false;
			onDone(true);
		});
	}
}
