/**
 * What an event changes in a case beside its state, and what it must have: the bookkeeping that goes with the tables of
 * case-states.ts and remedies.ts.
 * @module
 */
import { assert } from "../core/assert";
import { equalBytes } from "../core/bytes";
import { addAmount } from "../core/money";
import {
	CASE_EVENTS_MAX,
	type CaseRecord,
	OperatorAnswer,
	REQUEST_ID_BYTES,
	RequestState,
	RequestType,
} from "./case-records";
import { CaseState, type CaseStep, type Event, eventNumber, FIRST_STATE, Outcome } from "./case-states";
import { type CaseRow, isCaseRow, Row, rowName } from "./finding";
import { BEGIN_EVENTS, isRequest, type StepKind, stepAt } from "./remedies";

/** What a case begins with. */
export interface NewCase {
	row: CaseRow;
	/** Number; cause.ts. */
	cause: number;
	/** Bits of CauseFact. */
	facts: number;
	batch: number;
	stan: number;
	kind: number;
	/** 0: no record here. */
	amountMinor: number;
	hostMinor: number;
	/** 0: not found. */
	hostFlags: number;
	/** 12 characters, or empty. */
	rrn: string;
	/** First six and last four digits, and their count in all; empty and 0 where the card is not known. */
	panFirst: string;
	panLast: string;
	panDigits: number;
	/** 0: unknown here. */
	transactionId: number;
	/** Host seconds; 0: at once. */
	dueS: number;
}

/** What an event may change beside the state. All but `dueS` is durable, whatever the event. */
export type CaseChanges = Partial<
	Pick<
		CaseRecord,
		| "cause"
		| "facts"
		| "step"
		| "turns"
		| "hostMinor"
		| "hostFlags"
		| "rrn"
		| "creditedMinor"
		| "resendId"
		| "requestId"
		| "requestMinor"
		| "reference"
		| "reason"
		| "expectedS"
		| "tries"
		| "dueS"
	>
> & {
	/** With `differs` only, which begins the steps of that row. */
	row?: CaseRow;
};

/** The request of a step, and what an event says of one. */
const REQUEST_TYPES: { readonly [K in StepKind]?: number } = {
	claim: RequestType.claim,
	credit: RequestType.credit,
	farSide: RequestType.farSide,
};
const REQUEST_STATES: { readonly [E in Event]?: number } = {
	answeredReceived: RequestState.received,
	answeredEvidence: RequestState.evidenceWanted,
	answeredGranted: RequestState.granted,
	answeredRefused: RequestState.refused,
	answeredDone: RequestState.done,
};
const ANSWERS: { readonly [E in Event]?: number } = {
	operatorYes: OperatorAnswer.yes,
	operatorNo: OperatorAnswer.no,
};
/** Events that have to name the step they begin. */
const STEP_EVENTS: readonly Event[] = ["asked", "waits", "asksOperator", "over"];

/** A case as it begins; its first event is still to come. */
export function newCase(found: NewCase, id: number, nowS: number): CaseRecord {
	return {
		...found,
		id,
		version: 0,
		row: Row[found.row],
		state: FIRST_STATE,
		step: 0,
		turns: 0,
		creditedMinor: 0,
		resendId: 0,
		openedS: nowS,
		requestId: new Uint8Array(REQUEST_ID_BYTES),
		requestType: RequestType.none,
		requestMinor: 0,
		reference: "",
		requestState: RequestState.none,
		reason: 0,
		expectedS: 0,
		tries: 0,
		answer: OperatorAnswer.none,
		outcome: Outcome.open,
		idMax: id,
		events: [],
	};
}

/** Changes `record` as the event, its step of the table and its caller say. */
export function changeCase(record: CaseRecord, event: Event, step: CaseStep, changes: CaseChanges): void {
	const { row, ...others } = changes;
	const place = `case ${record.id} ${event}`;
	const idBefore = record.requestId;
	Object.assign(record, others);
	record.state = CaseState[step.to];
	if (step.outcome !== undefined) record.outcome = Outcome[step.outcome];
	record.answer = ANSWERS[event] ?? record.answer;
	if (event === "differs") {
		assert(row !== undefined && Row[row] !== record.row, `${place} has another row`);
		record.row = Row[row];
		record.step = 0;
		record.turns = Math.min(0xff, record.turns + 1);
	} else assert(row === undefined, `${place} keeps its row`);
	if (STEP_EVENTS.includes(event)) beginStep(record, event, idBefore);
	const requestState = REQUEST_STATES[event];
	if (requestState !== undefined) noteAnswer(record, requestState);
}

/** One version more, with its event. */
export function stampCase(record: CaseRecord, event: Event, nowS: number): void {
	record.version = (record.version + 1) & 0xffff;
	record.events.push({ event: eventNumber(event), state: record.state, timeS: nowS });
	if (record.events.length > CASE_EVENTS_MAX) record.events.shift();
}

/** The step is the row's, begins with this event, and has what its kind needs: an id that was never used (I4). */
function beginStep(record: CaseRecord, event: Event, idBefore: Uint8Array): void {
	const place = `case ${record.id} ${event}`;
	const row = rowName(record.row);
	assert(row !== undefined && isCaseRow(row), `${place} has a row`);
	const begun = stepAt(row, record.step);
	assert(begun !== undefined && BEGIN_EVENTS[begun.kind] === event, `${place} begins a step of its row`);
	if (!isRequest(begun.kind)) return;
	const { requestId } = record;
	assert(
		requestId.some((byte) => byte !== 0),
		`I4 ${place} has a request id`,
	);
	assert(!equalBytes(requestId, idBefore), `I4 ${place} has a request id of its own`);
	record.requestType = REQUEST_TYPES[begun.kind] ?? RequestType.none;
	record.requestState = RequestState.none;
	record.reference = "";
	record.reason = 0;
	record.expectedS = 0;
}

/** What is done stays done, and is counted once. */
function noteAnswer(record: CaseRecord, requestState: number): void {
	if (record.requestState === RequestState.done) return;
	record.requestState = requestState;
	// What a credit for a difference gives back was never part of what people were told.
	const whole = record.row !== Row.otherAmount;
	if (whole && requestState === RequestState.done && record.requestType === RequestType.credit) {
		record.creditedMinor = addAmount(record.creditedMinor, record.requestMinor, "case credits");
	}
}
