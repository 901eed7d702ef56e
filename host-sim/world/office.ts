/**
 * What the host's back office has done to the books of a world, and what its terminals made of it: each fault that was
 * injected, each case with all its changes; and the verdict, by ledgers, till and cases together (I6).
 *
 * A terminal's word never makes money right. An open case excuses a difference only while it names the very sale, and
 * only when somebody else has to move.
 * @module
 */
import { caseStateName, MOVERS, Outcome } from "../../src/settlement/case-states";
import type { CauseName } from "../../src/settlement/cause";
import type { CaseRow } from "../../src/settlement/finding";
import type { Terminal } from "../../src/terminal";
import type { FaultName } from "../acquirer/fault-names";
import type { Injection } from "../acquirer/mishaps";
import { type CaseFile, CaseFiles, isClosed, waitsOf } from "./case-file";
import type { MoneyRow } from "./check-money";

/** The cause that a terminal should come to. What is not there puts no money out of place. */
export const CAUSE_OF_FAULT: Readonly<Partial<Record<FaultName | "enteredTwice", CauseName>>> = {
	recordLost: "systemFault",
	postingLost: "bankDelay",
	postingLate: "bankDelay",
	postingRefused: "merchantAccount",
	reversedWrongly: "hostMismatch",
	amountAltered: "hostMismatch",
	postingChanges: "bankDelay",
	declinedBooked: "systemFault",
	reversalForgotten: "systemFault",
	enteredTwice: "operatorError",
};

/** How many cases of an injected fault came to a cause: "recordLost>systemFault". */
export type CauseMatrix = Record<string, number>;

export interface OfficeVerdict {
	/** What is wrong, by trace number; 0: no one sale's. */
	readonly wrong: { readonly stan: number; readonly text: string }[];
	readonly matrix: CauseMatrix;
	/** Of each case that was closed after `sinceMs`: ms from then, without what it has waited for on purpose or for others. */
	readonly resolveMs: number[];
}

export interface OfficeOptions {
	readonly terminalId: string;
	/** Of the configuration. */
	lateOriginalMs(): number;
	/** Virtual time. */
	nowMs(): number;
	/** Somebody at the terminal has said that a debit stands, and it should not: their word, and not the terminal's. */
	isDenied(stan: number): boolean;
	/** A case has changed. */
	onCase(file: CaseFile, terminal: Terminal): void;
}

/** Of one terminal. */
export class Office {
	/** By trace number: what was done to it, in order. */
	readonly injected = new Map<number, string[]>();
	readonly #files: CaseFiles;
	readonly #o: OfficeOptions;
	#terminal: Terminal | undefined;

	constructor(options: OfficeOptions) {
		this.#o = options;
		this.#files = new CaseFiles(() => options.nowMs());
		this.#files.onChange = (file) => {
			if (this.#terminal !== undefined) options.onCase(file, this.#terminal);
		};
	}

	get cases(): readonly CaseFile[] {
		return this.#files.files;
	}

	/** The terminal of a boot, before it starts. */
	attach(terminal: Terminal): void {
		this.#terminal = terminal;
		this.#files.watch(terminal);
	}

	inject({ fault, key }: Injection): void {
		if (key.terminalId === this.#o.terminalId) this.note(key.stan, fault);
	}

	note(stan: number, fault: string): void {
		const known = this.injected.get(stan);
		if (known === undefined) this.injected.set(stan, [fault]);
		else known.push(fault);
	}

	/** Nothing is out of place, or all of it is somebody else's to move. @param rows - of this terminal */
	isSettled(rows: readonly MoneyRow[]): boolean {
		this.#readAgain();
		return rows.every((row) => this.#isExcused(row)) && !this.#terminalMoves;
	}

	/** @param sinceMs - when the world was healed */
	judge(rows: readonly MoneyRow[], sinceMs: number): OfficeVerdict {
		this.#readAgain();
		const wrong: { stan: number; text: string }[] = [];
		for (const row of rows) {
			if (this.#isExcused(row)) continue;
			wrong.push({ stan: row.stan, text: `${row.wrong}; ${this.#casesText(row.stan)}` });
		}
		const matrix: CauseMatrix = {};
		const resolveMs: number[] = [];
		for (const file of this.#files.files) {
			const { stan, cause, id, rows } = file;
			// What is stuck on its way, or declined, is no matter of the books.
			const faults = OF_THE_WAY.includes(rows[0]) ? [] : (this.injected.get(stan) ?? []);
			const fault = faults.find((name) => CAUSE_OF_FAULT[name as FaultName] !== undefined);
			const key = `${fault ?? "other"}>${cause}`;
			matrix[key] = (matrix[key] ?? 0) + 1;
			const should = fault === undefined ? undefined : CAUSE_OF_FAULT[fault as FaultName];
			// Another cause is a fact, too, where something else befell the same sale; a wrong one alone is no fact.
			if (should !== undefined && faults.length === 1 && cause !== should && !MAY_BE[fault!]?.includes(cause)) {
				wrong.push({ stan, text: `case ${id}: cause ${cause}, and ${fault} was injected` });
			}
			const end = file.changes[file.changes.length - 1].timeMs;
			if (isClosed(file) && end > sinceMs) resolveMs.push(this.#resolveMs(file, sinceMs, end));
		}
		return { wrong, matrix, resolveMs };
	}

	/** Not before the journal is pinned: until then a record whose writing was cut may read otherwise each time. */
	#readAgain(): void {
		if (this.#terminal?.log.journal.pinned) this.#files.readAgain(this.#terminal);
	}

	/** From the line's return, or from the finding, to the end; what it waited for on purpose or for others is not in it. */
	#resolveMs(file: CaseFile, sinceMs: number, endMs: number): number {
		const foundMs = file.changes[0].timeMs;
		const waits = waitsOf(file, this.#o.lateOriginalMs());
		const others = 1_000 * (waits.bank + waits.desk + waits.network + waits.operator);
		const fromMs = Math.max(foundMs, sinceMs);
		return Math.max(0, Math.floor(endMs - fromMs - others));
	}

	#isExcused(row: MoneyRow): boolean {
		if (row.wrong === undefined || this.#waitsForOthers(row.stan) || this.#isLoss(row)) return true;
		return this.#isDenied(row.stan) || this.#isFull;
	}

	#isDenied(stan: number): boolean {
		if (!this.#o.isDenied(stan)) return false;
		return this.#files.files.some((file) => file.stan === stan && file.record.outcome === Outcome.stands);
	}

	/** All places are taken by cases that wait for people: what differs beside them waits with an alarm. */
	get #isFull(): boolean {
		const { cases } = this.#terminal!;
		if (!cases.isFull) return false;
		for (let id = cases.nextOpen(0); id !== 0; id = cases.nextOpen(id)) {
			if (MOVERS[caseStateName(cases.state(id)) ?? "found"] === "terminal") return false;
		}
		return true;
	}

	/** An offline sale that its issuer has refused, or has taken back: the goods are gone, and no money is anywhere. */
	#isLoss({ stan, cardNetMinor, merchantNetMinor }: MoneyRow): boolean {
		if (cardNetMinor !== 0 || merchantNetMinor !== 0) return false;
		return this.#files.files.some((file) => file.stan === stan && caseStateName(file.record.state) === "loss");
	}

	#open(stan: number): CaseFile | undefined {
		return this.#files.files.find((file) => file.stan === stan && !isClosed(file));
	}

	#waitsForOthers(stan: number): boolean {
		const file = this.#open(stan);
		return file !== undefined && MOVERS[caseStateName(file.record.state) ?? "found"] !== "terminal";
	}

	get #terminalMoves(): boolean {
		return this.#files.files.some(
			(file) => !isClosed(file) && MOVERS[caseStateName(file.record.state) ?? "found"] === "terminal",
		);
	}

	#casesText(stan: number): string {
		const files = this.#files.files.filter((file) => file.stan === stan);
		if (files.length === 0) return "no case";
		return files
			.map(({ id, rows, record }) => `case ${id} ${rows.join(" ")} ${caseStateName(record.state) ?? "?"}`)
			.join(", ");
	}
}

/** Rows that no fault of the books brings about. */
const OF_THE_WAY: readonly CaseRow[] = ["reversalStuck", "adviceStuck", "offlineDeclined", "unbalanced"];

/** Causes that are also true of a fault: what a terminal knew before the host's books told it more. */
const MAY_BE: Readonly<Record<string, readonly CauseName[]>> = {
	// Mended before anybody here had asked: what is left to be seen is a posting that is late.
	postingRefused: ["bankDelay"],
	// Posted late as well: what is seen first is that.
	recordLost: ["bankDelay"],
	amountAltered: ["bankDelay"],
	// Its records were spent, and gone when the books were compared: nothing is known of it, or that flash has lost others.
	declinedBooked: ["notKnown", "terminalDevice"],
	// The request came later than any answer was waited for: that alone would have done it.
	reversalForgotten: ["network"],
};
