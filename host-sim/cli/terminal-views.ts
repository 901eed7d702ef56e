/**
 * What a person at the command line reads of transactions and cases: lines of text in the language of the screens.
 * @module
 */
import { responseText } from "../../src/iso8583/response-codes";
import type { CaseSlip, SlipLine } from "../../src/ports";
import type { CaseRecord } from "../../src/settlement/case-records";
import { caseScreen } from "../../src/settlement/case-screens";
import { caseSlip, requestIdText } from "../../src/settlement/case-slips";
import { caseStateName, eventName } from "../../src/settlement/case-states";
import { rowName } from "../../src/settlement/finding";
import type { HostView } from "../../src/settlement/inquiry";
import type { QueryHit } from "../../src/settlement/query";
import type { Terminal } from "../../src/terminal";
import { isCarried, State, stateName } from "../../src/transactions/states";
import {
	ANSWERED_TEXTS,
	ASKED_TEXTS,
	CASE_STATE_TEXTS,
	CAUSE_TEXTS,
	EVENT_TEXTS,
	FACT_TEXTS,
	HOST_TEXTS,
	LOCAL_TEXTS,
	MOVER_TEXTS,
	OUTCOME_TEXTS,
	ROW_TEXTS,
	wordOf,
} from "../../src/ui/case-texts";
import { timeText } from "../../src/ui/slips";
import { amountText, type Language, screenTitle, stanText } from "../../src/ui/texts";

/** Of a case's slip only what it says is used here. */
const NOBODY = { terminalId: "", merchantId: "" };

/** One case in a line. */
export function caseLine(record: CaseRecord, language: Language): string {
	const { id, batch, stan, amountMinor, hostMinor } = record;
	const slip = caseSlip(record, NOBODY, 0);
	const what = wordOf(ROW_TEXTS, slip.row, language);
	const cause = wordOf(CAUSE_TEXTS, slip.cause, language);
	const end = slip.outcome === "open" ? nextStep(slip, language) : wordOf(OUTCOME_TEXTS, slip.outcome, language);
	const state = wordOf(CASE_STATE_TEXTS, slip.state, language);
	const money = amountText(amountMinor || hostMinor);
	return `case ${id}: batch ${batch} trace ${stanText(stan)} ${money}: ${what}; ${cause}; ${state}; ${end}`;
}

/** All of one case: cause, facts, request, history, next step. */
export function caseText(record: CaseRecord, language: Language): string {
	const slip = caseSlip(record, NOBODY, 0);
	const { request, facts, hostMinor, amountMinor } = slip;
	const known = (minor: number | undefined) => (minor === undefined || minor === 0 ? "no record" : amountText(minor));
	const lines = [
		`case ${record.id}: ${screenTitle(caseScreen(record).name, language)}`,
		`  transaction  batch ${slip.batch}, trace ${stanText(slip.stan)}${slip.card === "" ? "" : `, card ${slip.card}`}` +
			(slip.rrn === "" ? "" : `, reference ${slip.rrn}`),
		`  terminal has ${known(amountMinor)}, host has ${known(hostMinor)}`,
		`  differs      ${wordOf(ROW_TEXTS, slip.row, language)}`,
		`  cause        ${wordOf(CAUSE_TEXTS, slip.cause, language)}`,
		`  facts        ${facts.length === 0 ? "none recorded" : facts.map((fact) => wordOf(FACT_TEXTS, fact, language)).join("; ")}`,
	];
	if (request !== undefined) {
		const { what, amountMinor: askedMinor, askedAt, answer, answeredAt, reference, expectedAt, reason } = request;
		const id = requestIdText(record);
		lines.push(
			`  asked        ${wordOf(ASKED_TEXTS, what, language)} ${amountText(askedMinor)}${at(askedAt)}${id === "" ? "" : `, request ${id}`}`,
			`  answer       ${wordOf(ANSWERED_TEXTS, answer, language)}${at(answeredAt)}` +
				(reason === 0 ? "" : `, reason ${reason}`) +
				(reference === "" ? "" : `, reference ${reference}`) +
				(expectedAt === 0 ? "" : `, expected by ${timeText(expectedAt)}`),
		);
	}
	if (record.creditedMinor > 0) lines.push(`  given back   ${amountText(record.creditedMinor)}`);
	lines.push(`  state        ${wordOf(CASE_STATE_TEXTS, slip.state, language)}`);
	if (slip.outcome === "open") lines.push(`  next         ${nextStep(slip, language)}`);
	else lines.push(`  outcome      ${wordOf(OUTCOME_TEXTS, slip.outcome, language)}`);
	for (const { event, state, timeS } of record.events) {
		const happened = wordOf(EVENT_TEXTS, eventName(event) ?? "?", language);
		const after = wordOf(CASE_STATE_TEXTS, caseStateName(state) ?? "?", language);
		lines.push(`  ${timeS === 0 ? "time not known     " : timeText(timeS * 1_000)}  ${happened} → ${after}`);
	}
	return lines.join("\n");
}

/** What this terminal knows of a transaction, in a line. */
export function hitText(hit: QueryHit, language: Language): string {
	const { batch, stan, amountMinor, card, code, rrn, authorization, time, caseId } = hit;
	const parts = [
		`batch ${batch} trace ${stanText(stan)} ${amountText(amountMinor)}`,
		card,
		time === 0 ? "" : timeText(time),
		wordOf(LOCAL_TEXTS, hit.local, language),
		code === "" || code === "00" ? "" : `${code} ${responseText(code)[language]}`,
		rrn === "" ? "" : `reference ${rrn}`,
		authorization === "" ? "" : `authorization ${authorization}`,
		caseId === 0 ? "" : `case ${caseId}`,
	];
	return parts.filter((part) => part !== "").join(", ");
}

/** What the host says of it, in a line. */
export function viewText(view: HostView, language: Language): string {
	const { says, batch, stan, amountMinor, rrn, recordedAt, postedAt, reason } = view;
	const parts = [
		`${wordOf(HOST_TEXTS, says, language)} (batch ${batch} trace ${stanText(stan)})`,
		amountMinor === 0 ? "" : amountText(amountMinor),
		recordedAt === 0 ? "" : `recorded ${timeText(recordedAt)}`,
		postedAt === 0 ? "" : `posted ${timeText(postedAt)}`,
		reason === 0 ? "" : `reason ${reason}`,
		rrn === "" ? "" : `reference ${rrn}`,
	];
	return parts.filter((part) => part !== "").join(", ");
}

/** Reversals and advices that wait, the oldest first. */
export function queueText(terminal: Terminal, language: Language): string {
	const { index } = terminal.log;
	const lines: string[] = [];
	for (let slot = 0; slot < index.count; slot++) {
		const state = index.states[slot];
		if (!isCarried(state)) continue;
		const what = state === State.forwarding ? "advice" : "reversal";
		const word = wordOf(LOCAL_TEXTS, stateName(state) ?? "", language);
		const once = state === State.unconfirmed ? ", to be sent once more" : "";
		const money = `trace ${stanText(index.stans[slot])} ${amountText(index.amount(slot))}`;
		lines.push(`${what}: batch ${index.batch(slot)} ${money}: ${word}${once}, tries ${index.tries[slot]}`);
	}
	return lines.length === 0 ? "Nothing waits." : lines.join("\n");
}

/** What differs in a batch. */
export function differenceText({ stan, amountMinor, what, caseId, state }: SlipLine, language: Language): string {
	const about = caseId === 0 ? "being checked" : `case ${caseId}, ${wordOf(CASE_STATE_TEXTS, state, language)}`;
	return `  trace ${stanText(stan)} ${amountText(amountMinor)}: ${wordOf(ROW_TEXTS, what, language)}; ${about}`;
}

/** Who does what next, and when it is looked at. */
function nextStep({ mover, nextAt }: CaseSlip, language: Language): string {
	return wordOf(MOVER_TEXTS, mover, language) + (nextAt === 0 ? "" : `, next look ${timeText(nextAt)}`);
}

function at(timeMs: number): string {
	return timeMs === 0 ? "" : `, ${timeText(timeMs)}`;
}

/** Name of a row, for lists that programs read. */
export function rowOf(record: CaseRecord): string {
	return rowName(record.row) ?? "";
}
