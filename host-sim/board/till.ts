/**
 * The cashier's notebook (I6): what screen and slips told people about their money, written down outside the
 * terminal. It outlives every power cut and never asks the terminal anything, so that it can bear witness against
 * it. Each boot gets a screen and a printer that report here.
 *
 * A trace number stands for one sale (it runs on across batches, I4). For each the latest statement that somebody
 * could read counts; half a slip tells nobody anything, but the notebook says that it hangs there. Paper that says nothing
 * about a sale's money (a case, a settlement, a refund) leaves no statement: it is only handed on.
 * @module
 */
import { assert } from "../../src/core/assert";
import type { Clock, Display, MoneySlip, Printer, Screen, Slip, Told } from "../../src/ports";
import type { Power } from "./power";

/** "printing" only until the slip is out or power fails; "none": no paper. */
export type PaperState = "printing" | "whole" | "half" | "none";

export interface TillNote {
	/** Order of all notes, from 0. */
	readonly index: number;
	readonly source: "screen" | "slip";
	readonly stan: number;
	/** The screen's or slip's name. */
	readonly name: string;
	readonly told: Told;
	readonly amountMinor: number | undefined;
	/** Slips only. */
	readonly slip: MoneySlip | undefined;
	paper: PaperState | undefined;
}

export interface TillOptions {
	/** How long a slip takes, this time; default 800 ms. */
	printMs?: number | (() => number);
	/** From the slip being out to the terminal hearing of it; default 50 ms. A cut may fall in between. */
	reportMs?: number;
	/** Slips on the roll; default no end. */
	paperSlips?: number;
	/** Default 1,000,000; a fuller notebook is a bug of the run, not something to forget quietly. */
	notesMax?: number;
}

const PRINT_MS = 800;
const REPORT_MS = 50;
const NOTES_MAX = 1_000_000;

export class Till {
	/** Everything told, in order. */
	readonly notes: TillNote[] = [];
	/** Slips left on the roll; set it to refill. */
	paperSlips: number;
	/** The last screen of all, also those that say nothing about money. */
	screen: Screen | undefined;
	/** Each screen as it comes, for a command line that shows it; must not throw. */
	onScreen: ((screen: Screen) => void) | undefined;
	/** Each slip that is out, whole or half; must not throw. */
	onSlip: ((slip: Slip, paper: PaperState) => void) | undefined;
	readonly #printMs: () => number;
	readonly #reportMs: number;
	readonly #notesMax: number;
	readonly #latest = new Map<number, { told: Told; amountMinor: number | undefined }>();

	constructor(options: TillOptions = {}) {
		const { printMs = PRINT_MS } = options;
		this.#printMs = typeof printMs === "number" ? () => printMs : printMs;
		this.#reportMs = options.reportMs ?? REPORT_MS;
		this.#notesMax = options.notesMax ?? NOTES_MAX;
		this.paperSlips = options.paperSlips ?? Number.POSITIVE_INFINITY;
	}

	/** Screen and printer of one boot. */
	attach(power: Power, clock: Clock): { display: Display; printer: Printer } {
		const display: Display = {
			show: (screen) => {
				power.check();
				this.#show(screen);
			},
		};
		let busy = false;
		const printer: Printer = {
			print: (slip, onDone) => {
				power.check();
				if (busy) {
					clock.setTimer(this.#reportMs, () => onDone(false));
					return;
				}
				busy = true;
				this.#print(slip, power, clock, (printed) => {
					busy = false;
					onDone(printed);
				});
			},
		};
		return { display, printer };
	}

	/** What people were last told about `stan`; undefined: nothing yet. */
	told(stan: number): Told | undefined {
		return this.#latest.get(stan)?.told;
	}

	/** The amount that was told with it. */
	toldAmount(stan: number): number | undefined {
		return this.#latest.get(stan)?.amountMinor;
	}

	/** Trace numbers somebody was told something about, in the order of their first statement. */
	stans(): number[] {
		return [...this.#latest.keys()];
	}

	/** All statements about `stan`, in order. */
	notesOf(stan: number): TillNote[] {
		return this.notes.filter((note) => note.stan === stan);
	}

	/** Whether a whole slip of `stan` is out; of one kind, when `name` is given. */
	slipOut(stan: number, name?: Slip["name"]): boolean {
		return this.notes.some(
			(note) => note.stan === stan && note.paper === "whole" && (name === undefined || note.name === name),
		);
	}

	#show(screen: Screen): void {
		this.screen = screen;
		if (screen.told !== undefined) {
			assert(screen.stan !== undefined, "I6 a screen that speaks of money names its sale");
			this.#note("screen", screen.stan, screen.name, screen.told, screen.amountMinor, undefined);
			this.#latest.set(screen.stan, { told: screen.told, amountMinor: screen.amountMinor });
		}
		this.onScreen?.(screen);
	}

	#print(slip: Slip, power: Power, clock: Clock, onDone: (printed: boolean) => void): void {
		const note =
			slip.told === undefined
				? undefined
				: this.#note("slip", slip.stan, slip.name, slip.told, slip.amountMinor, { ...slip });
		if (this.paperSlips < 1) {
			if (note !== undefined) note.paper = "none";
			clock.setTimer(this.#reportMs, () => onDone(false));
			return;
		}
		this.paperSlips -= 1;
		if (note !== undefined) note.paper = "printing";
		const forget = power.onCut(() => this.#out(slip, note, "half"));
		clock.setTimer(this.#printMs(), () => {
			forget();
			this.#out(slip, note, "whole");
			clock.setTimer(this.#reportMs, () => onDone(true));
		});
	}

	#out(slip: Slip, note: TillNote | undefined, paper: PaperState): void {
		if (note !== undefined) {
			note.paper = paper;
			if (paper === "whole") this.#latest.set(note.stan, { told: note.told, amountMinor: note.amountMinor });
		}
		this.onSlip?.(note?.slip ?? slip, paper);
	}

	#note(
		source: TillNote["source"],
		stan: number,
		name: string,
		told: Told,
		amountMinor: number | undefined,
		slip: MoneySlip | undefined,
	): TillNote {
		assert(this.notes.length < this.#notesMax, "the till's notebook is full");
		const note = { index: this.notes.length, source, stan, name, told, amountMinor, slip, paper: undefined };
		this.notes.push(note);
		return note;
	}
}
