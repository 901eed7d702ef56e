/**
 * A case as a third party is told of it: words for numbers, milliseconds for seconds. Times of a case are the host's, as
 * the case has them (host-time.ts); 0 where they were not known.
 * @module
 */
import { LOCAL_OFFSET_MS } from "../config";
import { type CaseRecord, RequestType } from "./case-records";
import { CASE_STATE_NAMES, caseStateName, eventName, MOVERS } from "./case-states";
import { causeName, factNames } from "./cause";
import { NEVER_DUE } from "./due";
import type { EvidenceCase, EvidenceRequest } from "./evidence-facts";
import { isCaseRow, rowName } from "./finding";
import { stepAt } from "./remedies";

/** DE 60.3 of a request; 60.1 of a resend. */
const CODES: { readonly [T in number]: number } = {
	[RequestType.claim]: 403,
	[RequestType.credit]: 404,
	[RequestType.farSide]: 407,
};
const RESEND_CODE = 30;
const UNKNOWN = "unknown";
const NO_ENTRY = -1;

export function evidenceCase(record: CaseRecord): EvidenceCase {
	const row = rowName(record.row);
	const state = caseStateName(record.state) ?? CASE_STATE_NAMES[0];
	const step = row === undefined || !isCaseRow(row) ? undefined : stepAt(row, record.step);
	const { id, batch, stan, amountMinor, panFirst, panLast, rrn, transactionId, hostMinor, hostFlags } = record;
	return {
		id,
		row: row ?? UNKNOWN,
		cause: causeName(record.cause) ?? UNKNOWN,
		facts: factNames(record.facts),
		state,
		step: step?.kind ?? "none",
		turn: MOVERS[state],
		transaction: { id: transactionId, batch, stan, amountMinor, panFirst, panLast, rrn },
		hostAmountMinor: hostFlags === 0 ? NO_ENTRY : hostMinor,
		hostFlags,
		openedMs: record.openedS * 1_000,
		dueMs: record.dueS === NEVER_DUE ? 0 : record.dueS * 1_000,
		requests: requestsOf(record),
		history: record.events.map(({ event, timeS }) => ({ timeMs: timeS * 1_000, what: eventName(event) ?? UNKNOWN })),
	};
}

/** The one that was made last: a case has one open at a time, and its record holds no other. */
function requestsOf(record: CaseRecord): EvidenceRequest[] {
	const { requestType, requestId, requestMinor, batch, stan, requestState, reason, reference, expectedS } = record;
	const requests: EvidenceRequest[] = [];
	const common = { batch, stan, timeMs: lastOf(record, "asked") };
	if (requestType !== RequestType.none) {
		requests.push({
			...common,
			...{ id: requestId, code: CODES[requestType], amountMinor: requestMinor, state: requestState, reason, reference },
			expected: expectedS === 0 ? "" : digitsOf(expectedS * 1_000).slice(2),
			answeredMs: lastOf(record, "answered"),
		});
	} else if (record.resendId !== 0) {
		requests.push({
			...common,
			...{
				id: new Uint8Array(requestId.length),
				code: RESEND_CODE,
				amountMinor: record.amountMinor,
				state: 0,
				reason: 0,
			},
			...{ reference: "", expected: "", answeredMs: lastOf(record, "moved") },
		});
	}
	return requests;
}

/** When the last event whose name begins like this happened, ms; 0: never. */
function lastOf({ events }: CaseRecord, name: string): number {
	for (let n = events.length - 1; n >= 0; n--) {
		if (eventName(events[n].event)?.startsWith(name)) return events[n].timeS * 1_000;
	}
	return 0;
}

/** YYYYMMDDhhmmss of the local day. */
export function digitsOf(atMs: number): string {
	const text = new Date(atMs + LOCAL_OFFSET_MS).toISOString();
	let digits = "";
	for (let i = 0; i < 19; i++) if (text[i] >= "0" && text[i] <= "9") digits += text[i];
	return digits;
}
