/**
 * Paper about a case, as data. For the merchant: number, cause, what was asked of the host and when, its answer, its
 * reference, when to expect the next (S17). For the customer: what is given back, under which reference, until when (S20).
 * @module
 */
import { toHex } from "../core/bytes";
import type { CaseSlip, MoneySlip, SlipRequest } from "../ports";
import { type CaseRecord, RequestState, RequestType } from "./case-records";
import { caseStateName, eventName, isOpen, MOVERS, Outcome } from "./case-states";
import { causeName, factNames } from "./cause";
import { isCaseRow, Row, rowName } from "./finding";
import { type Step, stepAt } from "./remedies";

/** Who prints it. */
export interface SlipOwner {
	readonly terminalId: string;
	readonly merchantId: string;
}

const REQUEST_STATE_NAMES = Object.keys(RequestState) as (keyof typeof RequestState)[];
const OUTCOME_NAMES = Object.keys(Outcome) as (keyof typeof Outcome)[];

/** @param time - now, ms since 1970 */
export function caseSlip(record: CaseRecord, owner: SlipOwner, time: number, reprint = false): CaseSlip {
	const { id, batch, stan, rrn, amountMinor, hostMinor, hostFlags, openedS, state, dueS } = record;
	const name = caseStateName(state) ?? "found";
	const request = slipRequest(record);
	const step = stepOf(record);
	return {
		name: "case",
		copy: "merchant",
		reprint,
		terminalId: owner.terminalId,
		merchantId: owner.merchantId,
		time,
		caseId: id,
		row: rowName(record.row) ?? "",
		cause: causeName(record.cause) ?? "notKnown",
		facts: factNames(record.facts),
		state: name,
		outcome: OUTCOME_NAMES[record.outcome] ?? "open",
		// What waits, waits for the merchant only where he has been told to do something.
		mover: name === "waiting" && step?.kind !== "tell" ? "bank" : MOVERS[name],
		batch,
		stan,
		card: caseCard(record),
		rrn,
		amountMinor,
		...(hostFlags === 0 && hostMinor === 0 ? {} : { hostMinor }),
		openedAt: openedS * 1_000,
		...(request === undefined ? {} : { request }),
		nextAt: isOpen(state) && dueS < 0xffff_ffff ? dueS * 1_000 : 0,
	};
}

/** Masked; empty where it is not known. */
export function caseCard({ panFirst, panLast, panDigits }: CaseRecord): string {
	return panDigits === 0 ? "" : `${panFirst}${"*".repeat(Math.max(0, panDigits - 10))}${panLast}`;
}

/** The request's id as it goes to the host's desk: hex; empty before the first one. */
export function requestIdText(record: CaseRecord): string {
	return record.requestType === RequestType.none ? "" : toHex(record.requestId);
}

/** Of what is given back to a card: nothing yet, on its way, or done. */
export type Return = "none" | "asked" | "granted" | "done";

/** How far a case is with giving the card its money back. */
export function returnOf(record: CaseRecord): Return {
	const { requestType, requestState, row, state, outcome } = record;
	const credit = requestType === RequestType.credit;
	// Also without a request of ours, where the bank was first.
	if (record.creditedMinor > 0 || (credit && requestState === RequestState.done)) return "done";
	if (row === Row.debited && outcome === Outcome.agreed) return "done";
	// A debit that must not be comes back, whoever has to see to it: that is what the case is open for.
	if (row === Row.debited && isOpen(state))
		return credit && requestState === RequestState.granted ? "granted" : "asked";
	if (!credit || !isOpen(state) || requestState === RequestState.refused) return "none";
	return requestState === RequestState.granted ? "granted" : "asked";
}

/** What a slip for the customer has of the case that gives the money back. */
export function returnFacts(record: CaseRecord): Partial<MoneySlip> {
	const { id, requestType, requestMinor, reference, expectedS, row } = record;
	const credit = requestType === RequestType.credit;
	return {
		caseId: id,
		...(credit && reference !== "" ? { reference } : {}),
		...(credit && expectedS > 0 ? { expectedAt: expectedS * 1_000 } : {}),
		...(credit && row === Row.otherAmount ? { returnMinor: requestMinor } : {}),
	};
}

function slipRequest(record: CaseRecord): SlipRequest | undefined {
	const { requestType, requestMinor, requestState, reason, reference, expectedS, events } = record;
	const step = stepOf(record);
	const isMovement = step?.kind === "resend" || step?.kind === "reverse";
	if (requestType === RequestType.none && !isMovement) return undefined;
	let askedAt = 0;
	let answeredAt = 0;
	for (const { event, timeS } of events) {
		const name = eventName(event);
		if (name === "asked") {
			askedAt = timeS * 1_000;
			answeredAt = 0;
		} else if (name?.startsWith("answered") === true || name === "moved") answeredAt = timeS * 1_000;
	}
	const what = isMovement ? step.kind : requestWord(requestType);
	if (isMovement) {
		const answer = answeredAt > 0 ? "moved" : "none";
		const { amountMinor, hostMinor } = record;
		const about = { amountMinor: step.kind === "reverse" ? hostMinor : amountMinor, reference: "", reason: 0 };
		return { what, ...about, askedAt, answer, answeredAt, expectedAt: 0 };
	}
	const answer = REQUEST_STATE_NAMES[requestState] ?? "none";
	return {
		what,
		amountMinor: requestMinor,
		askedAt,
		answer,
		answeredAt,
		reason,
		reference,
		expectedAt: expectedS * 1_000,
	};
}

function requestWord(requestType: number): "claim" | "credit" | "farSide" {
	if (requestType === RequestType.claim) return "claim";
	return requestType === RequestType.credit ? "credit" : "farSide";
}

/** The step that has begun. */
export function stepOf(record: CaseRecord): Step | undefined {
	const row = rowName(record.row);
	return row === undefined || !isCaseRow(row) ? undefined : stepAt(row, record.step);
}
