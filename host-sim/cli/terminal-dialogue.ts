/**
 * `--interactive`: a person is cashier and customer. Lines of standard input are taken one at a time, only when the
 * terminal waits for a person, so that typing and a pipe do the same.
 * @module
 */
import { CodedError } from "../../src/core/errors";
import { luhnValid } from "../../src/core/luhn";
import { parseAmount } from "../../src/core/money";
import { maskPan } from "../../src/iso8583/mask";
import type { Screen, ScreenName } from "../../src/ports";
import { alarmTitle, amountText, type Language } from "../../src/ui/texts";
import { TEST_CARDS, type TestCard } from "../test-cards";
import { type CommandContext, findCommand, runCommand } from "./terminal-commands";
import type { Station } from "./terminal-station";

export interface DialogueOptions {
	station: Station;
	/** A person types: keys are taken at once, and a PIN is not shown. */
	typed: boolean;
	/** Of what the commands print. */
	language: Language;
	print(text: string): void;
	/** What the terminal waits for; without the end of the line. */
	prompt(text: string): void;
	status(): string;
	/** The person leaves; the terminal has nothing under way. */
	onQuit(): void;
	/** See CommandContext.save. */
	save(name: string, extension: string, bytes: Uint8Array): string;
}

/** What the terminal waits for; "nothing" while it works. */
type Want = "nothing" | "delivery" | "paper" | "card" | "pin" | "amount";

const PROMPTS: Readonly<Record<Exclude<Want, "nothing">, string>> = {
	delivery: "Does the customer know of the approval? y/n: ",
	paper: "Tell the customer, then press Enter: ",
	card: "Card, a name or a number (l lists them, c cancels): ",
	pin: "PIN (c cancels): ",
	amount: "Amount (help, s status, m manager, q quit): ",
};
/** Terminal's ms between two looks at what a command waits for. */
const LOOK_MS = 50;
/** Lines that wait to be taken; more come when these are. */
const LINES_MAX = 10_000;
const CONCEAL = "\x1b[8m";
const REVEAL = "\x1b[28m";

export class Dialogue {
	readonly #o: DialogueOptions;
	readonly #lines: string[] = [];
	#ended = false;
	#quit = false;
	#pumping = false;
	#prompted: Want = "nothing";
	/** Amount of the last sale that was refused for its doubts: `m` goes on with it. */
	#refusedMinor = 0;
	#manager = false;
	/** A command waits for what it has begun: no further line is taken. */
	#waiting: { happened(): boolean; endMs: number; then(late: boolean): void } | undefined;
	/** Screens since the last command began. */
	#shown = new Set<ScreenName>();

	constructor(options: DialogueOptions) {
		this.#o = options;
		options.station.terminal.onSaleEnd = () => this.wake();
	}

	/** The terminal may wait for something else now; looked at when the firmware has returned. */
	wake(): void {
		if (this.#pumping) return;
		this.#pumping = true;
		setImmediate(() => {
			this.#pumping = false;
			this.#pump();
		});
	}

	onScreen(screen: Screen): void {
		this.#shown.add(screen.name);
		if (screen.name === "refusedDoubts") this.#o.print("The key m lets the manager go on with this sale.");
		this.#prompted = "nothing";
		this.wake();
	}

	line(text: string): void {
		const { typed, station, print, status } = this.#o;
		const key = text.trim().toLowerCase();
		if (typed && this.#want() === "nothing" && (key === "c" || key === "s" || key === "q")) {
			if (key === "s") print(status());
			else if (key === "q") this.quit();
			else if (this.#waiting !== undefined) this.#endWait(true);
			else this.#cancel();
			return;
		}
		if (this.#lines.length >= LINES_MAX) print("Too many lines at once: this one is not taken.");
		else this.#lines.push(text);
		station.attempt(() => this.#pump());
	}

	/** No more lines come: what is under way ends, then the terminal does. */
	end(): void {
		this.#ended = true;
		this.wake();
	}

	/** At the next moment at which nothing is under way. */
	quit(): void {
		if (this.#o.typed && this.#prompted === "pin") this.#o.print(REVEAL);
		this.#quit = true;
		this.#lines.length = 0;
		this.#waiting = undefined;
		this.#o.station.attempt(() => this.#o.station.terminal.cancel());
		this.wake();
	}

	#want(): Want {
		const { terminal, reader, keypad } = this.#o.station;
		if (this.#waiting !== undefined) return "nothing";
		switch (terminal.phase) {
			case "idle":
				return terminal.asksDelivery ? "delivery" : "amount";
			case "card":
				return reader.waiting ? "card" : "nothing";
			case "pin":
				return keypad.waiting ? "pin" : "nothing";
			case "paper":
				return "paper";
			default:
				return "nothing";
		}
	}

	#pump(): void {
		for (;;) {
			const want = this.#want();
			if (want === "nothing") return;
			const text = this.#quit ? undefined : this.#lines.shift();
			if (text !== undefined) {
				if (!this.#o.typed) {
					if (want !== this.#prompted) this.#o.prompt(PROMPTS[want]);
					this.#o.print(echo(want, text.trim()));
				}
				this.#prompted = "nothing";
				this.#take(want, text.trim());
				continue;
			}
			if (this.#quit || this.#ended) {
				this.#leave(want);
				return;
			}
			if (want === this.#prompted) return;
			this.#prompted = want;
			this.#o.prompt(PROMPTS[want] + (want === "pin" && this.#o.typed ? CONCEAL : ""));
			return;
		}
	}

	/** Nobody is there any more: a sale that waits for a person is cancelled, a question stays for the next boot. */
	#leave(want: Want): void {
		const { station, onQuit } = this.#o;
		if (want === "card" || want === "pin") station.attempt(() => station.terminal.cancel());
		if (want === "paper") station.attempt(() => station.terminal.acknowledge());
		onQuit();
	}

	#take(want: Want, text: string): void {
		const { station, print, status, typed } = this.#o;
		if (want === "pin" && typed) print(REVEAL);
		const key = text.toLowerCase();
		if (key === "s") {
			print(status());
			return;
		}
		if (key === "q") {
			this.quit();
			return;
		}
		switch (want) {
			case "delivery":
				if (key === "y" || key === "n") station.attempt(() => station.terminal.answerDelivery(key === "y"));
				else print("y or n.");
				return;
			case "paper":
				station.attempt(() => station.terminal.acknowledge());
				return;
			case "card":
				this.#card(text);
				return;
			case "pin":
				this.#pin(text);
				return;
			default:
				this.#amount(text);
		}
	}

	#amount(text: string): void {
		const { print } = this.#o;
		if (text === "" || text === "c") return;
		if (text.toLowerCase() === "m") {
			this.#manager = true;
			if (this.#refusedMinor > 0) this.#sell(this.#refusedMinor);
			else print("The manager approves the next sale.");
			return;
		}
		const command = findCommand(text);
		if (command !== undefined) {
			this.#shown = new Set();
			runCommand(command, this.#context());
			return;
		}
		let amountMinor = 0;
		try {
			amountMinor = parseAmount(text);
		} catch (error) {
			if (!(error instanceof CodedError)) throw error;
			print("No amount: digits with at most two decimals, such as 12.34. No command either: help lists them.");
			return;
		}
		this.#sell(amountMinor);
	}

	#context(): CommandContext {
		const { station, language, print, status } = this.#o;
		return {
			terminal: station.terminal,
			language,
			print,
			status,
			now: () => station.clock.now(),
			save: (name, extension, bytes) => this.#o.save(name, extension, bytes),
			attempt: (action) => station.attempt(action),
			shown: (name) => this.#shown.has(name),
			wait: (happened, ms, then) => {
				this.#waiting = { happened, endMs: station.clock.monotonic() + ms, then };
				this.#look();
			},
		};
	}

	/** Has it happened, or is it late? */
	#look(): void {
		const waiting = this.#waiting;
		if (waiting === undefined) return;
		if (waiting.happened()) this.#endWait(false);
		else if (this.#o.station.clock.monotonic() >= waiting.endMs) this.#endWait(true);
		else {
			this.#o.station.later(LOOK_MS, () => {
				if (waiting === this.#waiting) this.#look();
			});
		}
	}

	#endWait(late: boolean): void {
		const waiting = this.#waiting;
		this.#waiting = undefined;
		this.#prompted = "nothing";
		waiting?.then(late);
		this.wake();
	}

	#sell(amountMinor: number): void {
		const { station } = this.#o;
		const manager = this.#manager;
		this.#manager = false;
		this.#refusedMinor = 0;
		station.attempt(() => {
			const refusal = station.terminal.sale(amountMinor, manager);
			if (refusal === "refusedDoubts") this.#refusedMinor = amountMinor;
		});
	}

	#card(text: string): void {
		const { station, print } = this.#o;
		if (text === "c") {
			this.#cancel();
			return;
		}
		if (text === "l" || text === "") {
			print(TEST_CARDS.map((card) => `  ${card.name.padEnd(16)} ${card.note}`).join("\n"));
			return;
		}
		const card = findCard(text);
		if (card === undefined) print("No such test card; l lists them. A number has 12 to 19 digits.");
		else station.attempt(() => station.reader.present({ card }));
	}

	#pin(text: string): void {
		const { station, print } = this.#o;
		if (text === "c") station.attempt(() => station.keypad.enter({}));
		else if (/^\d{4,12}$/.test(text)) station.attempt(() => station.keypad.enter({ pin: text }));
		else print("A PIN has 4 to 12 digits.");
	}

	#cancel(): void {
		const { station, print } = this.#o;
		station.attempt(() => {
			if (!station.terminal.cancel()) print("Too late to cancel: the request is on its way.");
		});
	}
}

/** A piped line, shown as if it had been typed; a PIN is not shown, and a card number is masked (I9). */
function echo(want: Want, text: string): string {
	if (want === "pin") return "*".repeat(Math.min(text.length, 12));
	return text.replace(/\d{11,}/g, maskPan).slice(0, 80);
}

/**
 * A test card by its name or number. Any other number is read as a magnetic stripe without its second track, good
 * until 2030: whether it is taken is for the terminal (check digit) and the issuer (who does not know it) to say.
 */
export function findCard(text: string): TestCard | undefined {
	const known = TEST_CARDS.find((card) => card.name === text || card.pan === text);
	if (known !== undefined || !/^\d{12,19}$/.test(text)) return known;
	return {
		name: "typed",
		pan: text,
		expiry: "3012",
		entryMode: "magstripe",
		pinWanted: false,
		balanceMinor: 0,
		atIssuer: false,
		note: luhnValid(text) ? "typed number" : "typed number, check digit wrong",
	};
}

/** What `s` shows. */
export function statusText(station: Station): string {
	const { terminal } = station;
	const summary = terminal.summary();
	const { closing } = terminal.log;
	const asks = terminal.nextQuestion();
	return [
		`batch ${summary.batch}: ${summary.charged} charged, ${amountText(summary.chargedMinor)}`,
		...(closing === undefined ? [] : [`batch ${closing.batch} closes`]),
		`in doubt ${summary.doubts}, ${amountText(summary.doubtSumMinor)}; reversals waiting ${summary.queued}, advices ${summary.advices}`,
		`open cases ${summary.openCases}${asks === 0 ? "" : `, case ${asks} asks`}; to be seen posted ${summary.watched}`,
		...terminal.alarms.map(({ name, link }) => `alarm: ${alarmTitle(name, "en")}${link === "" ? "" : `, ${link}`}`),
		`flash: ${summary.transactions} transactions, ${summary.freeBlocks} blocks free, copies ${summary.copies}`,
	].join("\n");
}
