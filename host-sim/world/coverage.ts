/**
 * What happened in worlds, counted by name, and what never did: every kind of trouble, every cell of the transition
 * table, every row of the journal's recovery table. A search that never went somewhere has proven nothing about it, so
 * a row that stays empty is named; and one that no world can fill has its reason here, which is an error as soon as a
 * world does fill it.
 * @module
 */
import { CASE_STATE_NAMES } from "../../src/settlement/case-states";
import { REMEDIES, STEP_KINDS } from "../../src/settlement/remedies";
import { EVENTS, type Event, STATE_NAMES, type StateName, TABLE } from "../../src/transactions/states";
import type { Coverage } from "./report";
import { STRIKE_KINDS } from "./strikes";

/** The labelled rows of "Recovery table" in src/journal/DESIGN.md. */
export const RECOVERY_ROWS = ["A", "B", "C", "D", "E", "F", "G", "H", "I", "J", "K", "L", "M"] as const;
export type RecoveryRow = (typeof RECOVERY_ROWS)[number];

export interface CoverageGroup {
	/** What its keys begin with, before the colon. */
	readonly prefix: string;
	readonly title: string;
	/** All of its keys, in the order they are shown. */
	readonly keys: readonly string[];
	/** Why it has none. */
	readonly note?: string;
}

export const COVERAGE_GROUPS: readonly CoverageGroup[] = [
	{
		prefix: "fault",
		title: "Faults, by kind",
		keys: [...new Set(STRIKE_KINDS)].map((kind) => `fault:${kind}`),
	},
	{
		prefix: "transition",
		title: "Transitions of a transaction, by state and event (src/transactions/states.ts)",
		keys: STATE_NAMES.flatMap((state) =>
			EVENTS.filter((event) => TABLE[state][event] !== undefined).map((event) => transitionKey(state, event)),
		),
	},
	{
		prefix: "recovery",
		title: "Rows of the journal's recovery table (src/journal/DESIGN.md)",
		keys: RECOVERY_ROWS.map((row) => `recovery:${row}`),
	},
	{
		prefix: "case",
		title: "Cases opened, by row of the remedies table (src/settlement/remedies.ts)",
		keys: Object.keys(REMEDIES).map((row) => `case:${row}`),
	},
	{
		prefix: "remedy",
		title: "Steps of remedies that began",
		keys: STEP_KINDS.map((kind) => `remedy:${kind}`),
	},
	{
		prefix: "evidence",
		title: "Evidence that was made and checked",
		keys: ["evidence:case"],
	},
	{
		prefix: "caseState",
		title: "States that cases came to (src/settlement/case-states.ts)",
		keys: CASE_STATE_NAMES.map((state) => `caseState:${state}`),
	},
];

/** Events that are told of an exchange under way only. What comes late is an approval, a decline or a refusal. */
const OF_EXCHANGES: readonly Event[] = ["amountDiffers", "badMac", "noAnswer"];
const OF_LATE_ANSWERS: readonly Event[] = ["approve", "decline", "refuse"];
const PAST_EXCHANGE: readonly StateName[] = [
	...(["approved", "delivered", "declined", "reversing", "unconfirmed", "reversed"] as const),
	...(["forwarded", "forwardRefused"] as const),
];
const PAST_ADVICE: readonly StateName[] = ["forwarded", "forwardRefused"];
const PAST_SALE = PAST_EXCHANGE.filter((state) => !PAST_ADVICE.includes(state));

/** Key → why no world can exercise it. */
export const NEVER_IN_A_WORLD: Readonly<Record<string, string>> = {
	...reasons(
		PAST_EXCHANGE,
		OF_EXCHANGES,
		"the exchange is over: a late answer is handed on as approve, decline or refuse, or not at all (wrong MAC)",
	),
	...reasons(PAST_ADVICE, OF_LATE_ANSWERS, "a late or doubled answer to an advice is logged, and handed on to nobody"),
	...reasons(
		PAST_SALE,
		["refuse"],
		"takes a late approval of a part of the amount, and the simulated issuer approves all or nothing",
	),
	...reasons(
		["forwarding"],
		["refuse"],
		"takes the approval of a part of the amount, and the simulated issuer approves all or nothing",
	),
	...reasons(
		["abandoned"],
		["reverseAgain"],
		"takes a host that holds what was never sent: test/transactions has the transition",
	),
	...reasons(
		["unconfirmed"],
		["reverseAgain"],
		"a case of it waits for the second reversal, which is to come anyway: test/transactions has the transition",
	),
	...reasons(
		["reversed"],
		["approve", "decline"],
		"a connection that carries nothing for longer than lateOriginalMs was closed long ago: its late answer finds nobody",
	),
	"case:farSide": "this terminal makes neither repayments nor top-ups yet: test/host-sim/acquirer has the host's side",
	"remedy:farSide":
		"this terminal makes neither repayments nor top-ups yet: test/host-sim/acquirer has the host's side",
	"recovery:A": "every terminal of a world is provisioned before anything breaks; a mount that answers this breaks I7",
	"recovery:B": "nobody else writes to a terminal's flash; a mount that answers this breaks I7",
	"recovery:C": "there is one firmware in a world; a mount that answers this breaks I7",
	"recovery:D": "power does not fail while a terminal is provisioned: test/journal does that",
	"recovery:H": "takes a record lost on each copy there is, and a world damages one copy, and only where there are two",
	"recovery:J": "takes a block lost on each copy there is, and a world damages one copy, and only where there are two",
	"recovery:K": "nobody puts another journal's flash into a terminal; a mount that answers this breaks I7",
};

function reasons(
	states: readonly StateName[],
	events: readonly Event[],
	reason: string,
): Readonly<Record<string, string>> {
	const keys = states.flatMap((state) => events.map((event) => transitionKey(state, event)));
	return Object.fromEntries(keys.map((key) => [key, reason]));
}

/** Of all groups, in their order. */
export function allKeys(): string[] {
	return COVERAGE_GROUPS.flatMap(({ keys }) => keys);
}

function transitionKey(state: StateName, event: Event): string {
	return `transition:${state}/${event}`;
}

/** Adds the second to the first. */
export function mergeCoverage(into: Coverage, more: Coverage): void {
	for (const key of Object.keys(more)) into[key] = (into[key] ?? 0) + more[key];
}

/** Counts inside one world. The keys of transitions and rows are made once: counting them builds no text. */
export class CoverageCounter {
	readonly #counts: Coverage = {};

	count(key: string, times = 1): void {
		this.#counts[key] = (this.#counts[key] ?? 0) + times;
	}

	transition(from: StateName, event: Event): void {
		this.count(TRANSITION_KEYS[from][event]);
	}

	recovery(row: RecoveryRow): void {
		this.count(ROW_KEYS[row]);
	}

	/** Rows as the journal tells them after a mount and its pin (`Journal.cases`): "GI". */
	recoveryCases(letters: string): void {
		for (const letter of letters) this.count(ROW_KEYS[letter] ?? `recovery:${letter}`);
	}

	/** Those of `Strikes`, by kind. */
	addFaults(counts: Readonly<Record<string, number>>): void {
		for (const kind of Object.keys(counts)) this.count(`fault:${kind}`, counts[kind]);
	}

	/** In the order of the groups, whatever came first; what belongs to none of them comes last, by name. */
	coverage(): Coverage {
		const counts = this.#counts;
		const ordered: Coverage = {};
		for (const key of ALL_KEYS) if (counts[key] !== undefined) ordered[key] = counts[key];
		for (const key of Object.keys(counts).sort()) ordered[key] = counts[key];
		return ordered;
	}
}

const TRANSITION_KEYS: Readonly<Record<string, Readonly<Record<string, string>>>> = Object.fromEntries(
	STATE_NAMES.map((state) => [state, Object.fromEntries(EVENTS.map((event) => [event, transitionKey(state, event)]))]),
);
const ROW_KEYS: Readonly<Record<string, string>> = Object.fromEntries(
	RECOVERY_ROWS.map((row) => [row, `recovery:${row}`]),
);
const ALL_KEYS: readonly string[] = allKeys();

export interface CoverageSummary {
	/** Rows that never happened and have no reason: the next thing to make happen. */
	readonly empty: readonly string[];
	/** Rows that never happened, as no world can make them. */
	readonly explained: readonly { readonly key: string; readonly reason: string }[];
	/** Reasons that are wrong: their row did happen, or there is no such row. */
	readonly refuted: readonly string[];
	/** Counted, and in no group: a name was changed in one place only. */
	readonly unknown: readonly string[];
}

/** @param reasons - key → why no world can exercise it */
export function summarize(
	coverage: Coverage,
	reasons: Readonly<Record<string, string>> = NEVER_IN_A_WORLD,
): CoverageSummary {
	const happened = (key: string) => (coverage[key] ?? 0) > 0;
	const missing = ALL_KEYS.filter((key) => !happened(key));
	return {
		empty: missing.filter((key) => reasons[key] === undefined),
		explained: missing.filter((key) => reasons[key] !== undefined).map((key) => ({ key, reason: reasons[key] })),
		refuted: Object.keys(reasons).filter((key) => happened(key) || !ALL_KEYS.includes(key)),
		unknown: Object.keys(coverage).filter((key) => !ALL_KEYS.includes(key)),
	};
}
