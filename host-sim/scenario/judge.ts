/**
 * Compares what came of a scenario with what its script expects: each difference was found by the terminal itself, its
 * cause is the one that was injected, the remedy is the table's, and the ledgers hold what people were told. Nothing that
 * the terminal says of its own success counts; what it says of a cause and of its steps is compared with the script.
 * @module
 */
import type { Config } from "../../src/config";
import { type CaseStateName, caseStateName, MOVERS, type Mover } from "../../src/settlement/case-states";
import type { CauseName } from "../../src/settlement/cause";
import type { CaseRow } from "../../src/settlement/finding";
import type { StepKind } from "../../src/settlement/remedies";
import type { SettlementReport } from "../../src/settlement/settlement-report";
import { type CaseFile, type CaseWaits, isClosed, waitsOf } from "../world/case-file";
import type { MoneyReport } from "../world/check-money";
import type { InjectedAt } from "./run-scenario";
import {
	type Expectation,
	type ExpectedCase,
	INJECTED_CAUSES,
	type Injected,
	type Label,
	THE_BATCH,
	type Words,
} from "./scenario";

export interface Evidence {
	readonly expected: Expectation;
	readonly stans: ReadonlyMap<Label, number>;
	readonly injected: readonly InjectedAt[];
	readonly cases: readonly CaseFile[];
	readonly settled: readonly SettlementReport[];
	readonly money: MoneyReport;
	readonly config: Config;
	/** When the line came back last, virtual ms; 0: it was never gone. */
	readonly lineBackMs: number;
	/** How often somebody was asked to take a card, and whether one is in the reader now. */
	readonly cardAnnounced: number;
	readonly cardStillIn: boolean;
}

/** One thing that has to hold. */
export interface Check {
	readonly name: Words;
	readonly holds: boolean;
	/** What is not so, for whoever has to find out why; empty when it holds. */
	readonly wrong: readonly string[];
}

/** One case, beside what was injected. */
export interface Finding {
	readonly id: number;
	readonly stan: number;
	readonly row: CaseRow;
	readonly cause: CauseName;
	/** The cause that it should have: of what was injected, "notKnown" where nothing was. */
	readonly injected: CauseName;
	readonly fault: Injected | undefined;
	readonly remedy: StepKind | undefined;
	readonly remedies: readonly StepKind[];
	readonly state: CaseStateName;
	readonly mover: Mover;
	/**
	 * Virtual seconds from the moment it could be found, with a line there, to its end, without what it has waited for
	 * others; undefined while it is open.
	 */
	readonly secondsToResolve: number | undefined;
	/** Of it: from then until it was found, which the next comparison of the books decides. */
	readonly secondsToFind: number;
	/** Until it could be found, on purpose: so long a frame may lie in a network, so long a posting may take. */
	readonly deliberateSeconds: number;
	readonly waits: CaseWaits;
}

export function judge(evidence: Evidence): { checks: Check[]; findings: Finding[] } {
	const findings = evidence.cases.map((file) => findingOf(file, evidence));
	const { expected, stans } = evidence;
	const found: string[] = [];
	const causes: string[] = [];
	const remedies: string[] = [];
	const seen = new Set<number>();
	for (const wanted of expected.cases) {
		const stan = wanted.of === THE_BATCH ? 0 : (stans.get(wanted.of) ?? -1);
		const finding = findings.find((candidate) => candidate.stan === stan && !seen.has(candidate.id));
		const file = evidence.cases.find(({ id }) => id === finding?.id);
		if (finding === undefined || file === undefined) {
			found.push(`"${wanted.of}" (trace ${stan}): no case`);
			continue;
		}
		seen.add(finding.id);
		compare(wanted, file, finding, { found, causes, remedies });
	}
	for (const { id, stan, row } of findings) {
		if (!seen.has(id)) found.push(`case ${id} (trace ${stan}, ${row}) that nobody expects`);
	}
	const settled = evidence.settled.map(({ result }) => result ?? "error");
	const wrongSettled =
		settled.join() === expected.settled.join() ? [] : [`${settled.join() || "none"}, not ${expected.settled.join()}`];
	return {
		checks: [
			check("差异已全部发现", "found by the terminal itself", found),
			check("原因正确", "cause is the one that was injected", causes),
			check("处理正确", "remedy and state as the table has them", remedies),
			check("批结算", "settled as expected", wrongSettled),
			check("遗留卡已提醒并取走", "a card that was left was announced, and taken", cardWrong(evidence)),
			check("账实相符", "money is where people were told, or it is said where not", moneyWrong(evidence)),
		],
		findings,
	};
}

function check(zh: string, en: string, wrong: readonly string[]): Check {
	return { name: { zh, en }, holds: wrong.length === 0, wrong };
}

function compare(
	wanted: ExpectedCase,
	file: CaseFile,
	finding: Finding,
	lists: Readonly<Record<"found" | "causes" | "remedies", string[]>>,
): void {
	const of = `case ${file.id} of "${wanted.of}"`;
	const differs = (list: string[], what: string, is: string, should: string) => {
		if (is !== should) list.push(`${of}: ${what} ${is || "none"}, not ${should || "none"}`);
	};
	differs(lists.found, "row", file.rows.join(" → "), wanted.rows.join(" → "));
	differs(lists.causes, "cause", finding.cause, wanted.cause);
	differs(lists.causes, "cause", finding.cause, finding.injected);
	differs(lists.remedies, "remedies", finding.remedies.join(", "), wanted.remedies.join(", "));
	differs(lists.remedies, "state", finding.state, wanted.state);
}

function cardWrong({ expected, cardAnnounced, cardStillIn }: Evidence): string[] {
	if (expected.cardLeft !== true) return cardAnnounced === 0 ? [] : ["a card was announced, and nobody had left one"];
	if (cardAnnounced === 0) return ["the card was not announced"];
	return cardStillIn ? ["the card is still in the reader"] : [];
}

/** I6: what is out of place is what the script says, and each of it has somebody whose move it is. */
function moneyWrong({ expected, stans, money, cases, settled }: Evidence): string[] {
	const wrong: string[] = [];
	const { outOfPlace = [] } = expected;
	for (const row of money.rows) {
		if (row.wrong === undefined) continue;
		const out = outOfPlace.find(({ of }) => stans.get(of) === row.stan);
		if (out === undefined) wrong.push(`trace ${row.stan}: ${row.wrong}`);
		else if (out.shownBy === "case" && !cases.some((file) => file.stan === row.stan && !isClosed(file))) {
			wrong.push(`trace ${row.stan}: ${row.wrong}, and no open case names it`);
		} else if (out.shownBy === "settlement") {
			const told = settled.some(({ result }) => result !== "balanced");
			const named = cases.some((file) => file.stan === 0 && !isClosed(file));
			if (!told) wrong.push(`trace ${row.stan}: ${row.wrong}, and no settlement was told to be unbalanced`);
			else if (!named) wrong.push(`trace ${row.stan}: ${row.wrong}, and no open case names the batch`);
		}
	}
	for (const { of } of outOfPlace) {
		const row = money.rows.find(({ stan }) => stan === stans.get(of));
		if (row?.wrong === undefined) wrong.push(`"${of}" is in place, and should not be`);
	}
	const equal = money.cardNetMinor === money.merchantNetMinor;
	if (outOfPlace.length === 0 && !equal) {
		wrong.push(`cards have paid ${money.cardNetMinor}, the merchant has ${money.merchantNetMinor}`);
	}
	return wrong;
}

function findingOf(file: CaseFile, { injected, config, lineBackMs }: Evidence): Finding {
	const { record, rows, remedies, changes, cause, id, stan } = file;
	const fault = injected.find((candidate) => candidate.stan === stan);
	const waits = waitsOf(file, config.lateOriginalMs);
	const [foundMs, endMs] = [changes[0].timeMs, changes[changes.length - 1].timeMs];
	const outMs = fault?.timeMs ?? foundMs;
	const deliberateMs = Math.min(deliberateOf(rows[0], config), Math.max(0, foundMs - outMs));
	const couldMs = Math.min(foundMs, Math.max(outMs + deliberateMs, lineBackMs));
	const others = waits.network + waits.bank + waits.desk + waits.operator;
	const state = caseStateName(record.state) ?? "found";
	return {
		id,
		stan,
		row: rows[rows.length - 1],
		cause,
		injected: (fault === undefined ? undefined : INJECTED_CAUSES[fault.injected]) ?? "notKnown",
		fault: fault?.injected,
		remedy: remedies[remedies.length - 1],
		remedies,
		state,
		mover: MOVERS[state],
		secondsToResolve: isClosed(file) ? rounded((endMs - couldMs) / 1_000 - others) : undefined,
		secondsToFind: rounded((foundMs - couldMs) / 1_000),
		deliberateSeconds: rounded(deliberateMs / 1_000),
		waits: {
			network: rounded(waits.network),
			desk: rounded(waits.desk),
			operator: rounded(waits.operator),
			bank: rounded(waits.bank),
		},
	};
}

/** How old a difference has to be before it is a finding. */
function deliberateOf(row: CaseRow, config: Config): number {
	if (row === "doubled") return 0;
	// Found in the moment that the alarm says: so many tries, or a refusal.
	if (row === "reversalStuck" || row === "adviceStuck") return Number.POSITIVE_INFINITY;
	return row === "overdue" ? Math.max(config.postingDueMs, config.lateOriginalMs) : config.lateOriginalMs;
}

/** To a thousandth. */
function rounded(seconds: number): number {
	return Math.floor(Math.max(0, seconds) * 1_000 + 0.5) / 1_000;
}
