/**
 * A screen without glass: each screen is one line of the log. Card numbers arrive masked (I9).
 * @module
 */
import { formatAmount } from "../../src/core/money";
import type { Clock, Display, LogSink, Screen } from "../../src/ports";

export class LogDisplay implements Display {
	readonly #log: LogSink;
	readonly #clock: Clock;

	constructor(options: { log: LogSink; clock: Clock }) {
		this.#log = options.log;
		this.#clock = options.clock;
	}

	show(screen: Screen): void {
		const { name, stan, amountMinor, card, code, told, printed, count, plain } = screen;
		let text: string = name;
		if (stan !== undefined) text += ` stan=${stan}`;
		if (amountMinor !== undefined) text += ` amount=${formatAmount(amountMinor)}`;
		if (card !== undefined) text += ` card=${card}`;
		if (code !== undefined) text += ` code=${code}`;
		if (printed !== undefined) text += ` printed=${printed}`;
		if (count !== undefined && count > 0) text += ` doubts=${count}`;
		if (plain === true) text += " plain";
		if (told !== undefined) text += ` told=${told}`;
		this.#log.write("I", this.#clock.monotonic(), "display", text);
	}
}
