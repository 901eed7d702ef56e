/**
 * A scenario as data: who comes when, what goes wrong, what people do about it, and what must come of it. The runner
 * (run-scenario.ts) carries it out in virtual time; the judge (judge.ts) compares. Nothing in a scenario is code, so that
 * what is injected and what is expected can be read side by side.
 * @module
 */
import type { ConfigOptions } from "../../src/config";
import type { CaseStateName } from "../../src/settlement/case-states";
import type { CauseName } from "../../src/settlement/cause";
import type { CaseRow } from "../../src/settlement/finding";
import type { StepKind } from "../../src/settlement/remedies";
import type { OfficeOptions } from "../acquirer/acquirer";
import type { FaultName } from "../acquirer/faults";

/** What people read, in both languages. */
export interface Words {
	readonly zh: string;
	readonly en: string;
}

/** What befalls one sale, on purpose. Beside the host's faults: */
export type Injected =
	| FaultName
	/** The same customer is charged twice by mistake. */
	| "soldTwice"
	/** The flash that held the sale loses it. */
	| "flashLost"
	/** An offline sale whose card the issuer does not honour. */
	| "issuerDeclines"
	/** More is refunded than was paid. */
	| "refundTooMuch";

/** The cause that a terminal should come to, whatever it knows of the fault. */
export const INJECTED_CAUSES: Readonly<Partial<Record<Injected, CauseName>>> = {
	recordLost: "systemFault",
	postingLost: "bankDelay",
	postingLate: "bankDelay",
	postingRefused: "merchantAccount",
	reversedWrongly: "hostMismatch",
	amountAltered: "hostMismatch",
	reversalForgotten: "systemFault",
	declinedBooked: "systemFault",
	reversalRefused: "systemFault",
	requestLost: "network",
	requestLate: "network",
	soldTwice: "operatorError",
	flashLost: "terminalDevice",
	issuerDeclines: "issuer",
};

/** A moment: "13:05", "13:05:30", and with days behind the first one "+1 09:00". Local time of the terminal. */
export type Moment = string;

/** A name for a sale within its scenario. */
export type Label = string;

/** Of a case that is about a batch, and about no sale of it. */
export const THE_BATCH: Label = "the batch";

export type Act = { readonly at: Moment } & (
	| {
			/** A customer pays. */
			readonly do: "sale";
			readonly as: Label;
			readonly amountMinor: number;
			/** Name of a test card; default "contactless". */
			readonly card?: string;
			/** What the host does wrong with this sale. */
			readonly fault?: FaultName;
			/** What is wrong with it beside that, for the comparison with what was found. */
			readonly injected?: Injected;
			/** The line goes down so long after the amount was entered, s. */
			readonly lineGoneAfterS?: number;
			/** The card stays in the reader for so long after the sale, s. */
			readonly leftS?: number;
	  }
	/** Handed in without asking the issuer. */
	| {
			readonly do: "offlineSale";
			readonly as: Label;
			readonly amountMinor: number;
			readonly card: string;
			readonly injected?: Injected;
	  }
	| {
			readonly do: "refund";
			readonly as: Label;
			/** The sale it belongs to. */
			readonly of: Label;
			readonly amountMinor: number;
			readonly injected?: Injected;
	  }
	/** Strikes the next occasion of its kind. */
	| { readonly do: "fault"; readonly fault: FaultName; readonly times?: number }
	/** The operator answers the case that asks. */
	| { readonly do: "answer"; readonly yes: boolean }
	/** The settlement key. */
	| { readonly do: "settle" }
	| { readonly do: "link"; readonly up: boolean }
	/** The plug is pulled; power is back 3 s later. */
	| { readonly do: "powerCut" }
	/** Power goes, and with it the flash blocks that this sale was written to. */
	| { readonly do: "loseFlash"; readonly of: Label }
	/** The merchant's account takes postings again. */
	| { readonly do: "mendAccount" }
);

export interface ExpectedCase {
	/** The sale it is about. */
	readonly of: Label;
	/** Rows of the remedies table, in the order it had them. */
	readonly rows: readonly CaseRow[];
	readonly cause: CauseName;
	/** Steps, in the order they were begun. */
	readonly remedies: readonly StepKind[];
	readonly state: CaseStateName;
}

/** Money that is still out of place in the end, and what tells a person so. */
export interface OutOfPlace {
	readonly of: Label;
	/**
	 * case: an open case names it. settlement: the batch was told to be 不平, and an open case names the batch. statement: this host tells nothing of it, and
	 * the clerk has to compare the bank's statement with the total of the settlement.
	 */
	readonly shownBy: "case" | "settlement" | "statement";
}

export interface Expectation {
	readonly cases: readonly ExpectedCase[];
	/** What the host made of each batch, in order. */
	readonly settled: readonly ("balanced" | "unbalanced" | "error")[];
	/** Default: nothing. */
	readonly outOfPlace?: readonly OutOfPlace[];
	/** The card that was left in the reader was announced, and taken. Default: none was left. */
	readonly cardLeft?: boolean;
}

export interface Scenario {
	readonly name: string;
	/** One line for a list. */
	readonly what: Words;
	/** Row of the remedies table that it shows; absent: it shows something else. */
	readonly row?: CaseRow;
	/** Ordinary customers, drawn by the seed; between them come those of {@link acts}. */
	readonly guests?: { readonly from: Moment; readonly to: Moment; readonly count: number };
	/** In the order of their moments. */
	readonly acts: readonly Act[];
	/** When it is over. */
	readonly end: Moment;
	readonly config?: ConfigOptions;
	/** The host's desk, its postings. */
	readonly office?: OfficeOptions;
	/** A host without a memory of reversals of what it does not know. */
	readonly forgetful?: boolean;
	/** Which way an amount is altered, and what wrong totals come to: the seed does not choose it. */
	readonly altered?: "more" | "less";
	readonly totals?: "unbalanced" | "error";
	readonly expected: Expectation;
	/** With a host that knows none of the sync messages. */
	readonly expectedWithoutSync: Expectation;
}

/** Midnight of the day on which every scenario begins, terminal's local time, as ms since 1970 of UTC+8. */
const MIDNIGHT_MS = Date.UTC(2026, 10, 22) - 8 * 3_600_000;
const DAY_MS = 86_400_000;
const MOMENT = /^(?:\+(\d{1,3}) )?(\d\d):(\d\d)(?::(\d\d))?$/;

/** @returns ms since 1970, NaN for what is no moment */
export function momentMs(moment: Moment): number {
	const parts = MOMENT.exec(moment);
	if (parts === null) return Number.NaN;
	const [, days = "0", hours, minutes, seconds = "0"] = parts;
	const timeS = (Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds);
	return MIDNIGHT_MS + Number(days) * DAY_MS + timeS * 1_000;
}
