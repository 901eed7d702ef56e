/**
 * A printer without paper: each slip is one line of the log, and that line is the slip. Card numbers arrive masked
 * (I9).
 * @module
 */
import { assert } from "../../src/core/assert";
import { formatAmount } from "../../src/core/money";
import type { Clock, LogSink, Printer, Slip, SlipSum } from "../../src/ports";

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
		const text = `${slip.name} slip, ${slip.copy} copy${slip.reprint ? ", reprint" : ""}: ${valuesOf(slip)}`;
		this.#log.write("I", this.#clock.monotonic(), "printer", text);
		this.#clock.setTimer(0, () => {
			this.#busy = false;
			onDone(true);
		});
	}
}

function valuesOf(slip: Slip): string {
	if (slip.name === "settlement") {
		const { batch, result, sales, offlineSales, refunds, carriedCount, differencesCount, openCases } = slip;
		const sums = `sales=${sumText(sales)} offline=${sumText(offlineSales)} refunds=${sumText(refunds)}`;
		const open = `carried=${carriedCount} differences=${differencesCount} cases=${openCases}`;
		return `batch=${batch} result=${result ?? "none"} ${sums} ${open}`;
	}
	if (slip.name === "case") {
		const { caseId, batch, stan, amountMinor, card, row, cause, state, request } = slip;
		const what = `case=${caseId} batch=${batch} stan=${stan} amount=${formatAmount(amountMinor)} card=${card}`;
		const asked =
			request === undefined ? "" : ` asked=${request.what} answer=${request.answer} ref=${request.reference}`;
		return `${what} row=${row} cause=${cause} state=${state}${asked}`;
	}
	const { batch, stan, amountMinor, card, rrn, authorization, told = "nothing", reference = "" } = slip;
	const money = `batch=${batch} stan=${stan} amount=${formatAmount(amountMinor)} card=${card} rrn=${rrn}`;
	const returned = reference === "" ? "" : ` ref=${reference}`;
	return `${money} authorization=${authorization} told=${told}${returned}`;
}

/** Count and sum. */
function sumText({ count, sumMinor }: SlipSum): string {
	return `${count}/${formatAmount(sumMinor)}`;
}
