/**
 * The bytes of a case: one record of fixed length for each version, and the greatest version counts (a copy keeps its
 * own). Numbers big-endian. Times are the host's, seconds since 1970 of its local time, 0 while it is not known.
 *
 * | at | bytes | what |
 * |---|---|---|
 * | 0 | 1 | format, 1 |
 * | 1 | 4 | case id, never used twice |
 * | 5 | 2 | version, from 1; compared as a signed difference |
 * | 7 | 1 | row; finding.ts |
 * | 8 | 1 | state; case-states.ts |
 * | 9 | 1 | cause; cause.ts |
 * | 10 | 3 | facts that gave it, bits |
 * | 13 | 1 | number of the step of the row that began last, 0 for none; remedies.ts |
 * | 14 | 1 | turns: steps that came round again, changes of the row |
 * | 15 | 1 | kind of the transaction, the host's where this terminal has none |
 * | 16 | 3 | batch |
 * | 19 | 3 | STAN |
 * | 22 | 6 | amount as this terminal knows it, BCD; 0: no record |
 * | 28 | 6 | amount in the host's books, BCD |
 * | 34 | 1 | flags of the host's entry; 0: not found |
 * | 35 | 6 | what our own requests have had given back to the card, BCD |
 * | 41 | 12 | RRN, ASCII, spaces for none |
 * | 53 | 6 | card: first six digits 3, last four 2, count of digits 1; zeros where it is not known |
 * | 59 | 4 | transaction id, 0: unknown here |
 * | 63 | 4 | transaction id of the advice that resends it, 0 for none |
 * | 67 | 4 | opened |
 * | 71 | 4 | due; 0: at once |
 * | 75 | 16 | request id, the same on every repeat; zeros before the first request |
 * | 91 | 1 | request: 0 none, 1 claim, 2 credit, 3 far side |
 * | 92 | 6 | its amount, BCD |
 * | 98 | 12 | the host's reference, ASCII, spaces for none |
 * | 110 | 1 | state of the request, 0: not answered |
 * | 111 | 1 | reason that the host has given last |
 * | 112 | 4 | expected by |
 * | 116 | 2 | tries |
 * | 118 | 1 | operator's answer: 0 none, 1 yes, 2 no |
 * | 119 | 1 | outcome, 0 while it is open |
 * | 120 | 4 | the greatest case id used when this was written |
 * | 124 | 84 | the last 14 events, the newest last: event 1, state after it 1, time 4; event 0: none |
 * @module
 */
import { readBcd, readBcdText, writeBcd, writeBcdText } from "../core/bcd";
import {
	checkRange,
	readAscii,
	readU16,
	readU24,
	readU32,
	writeAscii,
	writeU16,
	writeU24,
	writeU32,
} from "../core/bytes";
import { CodedError } from "../core/errors";
import { caseStateName } from "./case-states";
import { causeName } from "./cause";
import { isCaseRow, rowName } from "./finding";

export const CASE_RECORD_TYPE = 15;
export const CASE_RECORD_BYTES = 208;
export const CASE_EVENTS_MAX = 14;
export const REQUEST_ID_BYTES = 16;
export const REFERENCE_CHARACTERS = 12;

const FORMAT = 1;
const RRN_CHARACTERS = 12;
const EVENT_BYTES = 6;
const RING_AT = 124;

/** What was asked of the host last. Numbers are what flash holds. */
export const RequestType = { none: 0, claim: 1, credit: 2, farSide: 3 } as const;

/** Where a request stands. Source: PROTOCOL "Sync messages". */
export const RequestState = { none: 0, received: 1, evidenceWanted: 2, granted: 3, refused: 4, done: 5 } as const;

export const OperatorAnswer = { none: 0, yes: 1, no: 2 } as const;

export interface CaseEvent {
	/** Number of the event; case-states.ts. */
	event: number;
	/** State after it. */
	state: number;
	timeS: number;
}

export interface CaseRecord {
	id: number;
	version: number;
	/** {@link Row} */
	row: number;
	/** {@link CaseState} */
	state: number;
	/** {@link Cause} */
	cause: number;
	/** Bits of CauseFact. */
	facts: number;
	step: number;
	turns: number;
	kind: number;
	batch: number;
	stan: number;
	amountMinor: number;
	hostMinor: number;
	hostFlags: number;
	creditedMinor: number;
	/** 12 characters, or empty. */
	rrn: string;
	/** Empty where the card is not known; then all three are. */
	panFirst: string;
	panLast: string;
	panDigits: number;
	transactionId: number;
	resendId: number;
	openedS: number;
	dueS: number;
	/** 16 bytes. */
	requestId: Uint8Array;
	/** {@link RequestType} */
	requestType: number;
	requestMinor: number;
	/** 12 characters, or empty. */
	reference: string;
	/** {@link RequestState} */
	requestState: number;
	reason: number;
	expectedS: number;
	tries: number;
	/** {@link OperatorAnswer} */
	answer: number;
	/** Outcome; case-states.ts. */
	outcome: number;
	idMax: number;
	/** At most 14, the oldest first. */
	events: CaseEvent[];
}

/** Numbers of one byte: name and place. */
const BYTES = [
	["row", 7],
	["state", 8],
	["cause", 9],
	["step", 13],
	["turns", 14],
	["kind", 15],
	["hostFlags", 34],
	["panDigits", 58],
	["requestType", 91],
	["requestState", 110],
	["reason", 111],
	["answer", 118],
	["outcome", 119],
] as const;
/** Of two bytes, three and four. */
const WORDS = [
	["version", 5],
	["tries", 116],
] as const;
const TRIPLES = [
	["facts", 10],
	["batch", 16],
	["stan", 19],
] as const;
const LONGS = [
	["id", 1],
	["transactionId", 59],
	["resendId", 63],
	["openedS", 67],
	["dueS", 71],
	["expectedS", 112],
	["idMax", 120],
] as const;
/** 12 digits. */
const AMOUNTS = [
	["amountMinor", 22],
	["hostMinor", 28],
	["creditedMinor", 35],
	["requestMinor", 92],
] as const;

/**
 * @param bytes - at least CASE_RECORD_BYTES
 * @throws {CodedError} "range" | "length" | "charset" with the field, for what it does not hold
 */
export function encodeCase(bytes: Uint8Array, record: CaseRecord): void {
	checkRange(bytes, 0, CASE_RECORD_BYTES, "case record");
	bytes.fill(0, 0, CASE_RECORD_BYTES);
	bytes[0] = FORMAT;
	for (const [name, at] of BYTES) bytes[at] = checked(record[name], 0xff, name);
	for (const [name, at] of WORDS) writeU16(bytes, at, checked(record[name], 0xffff, name));
	for (const [name, at] of TRIPLES) writeU24(bytes, at, checked(record[name], 0xff_ffff, name));
	for (const [name, at] of LONGS) writeU32(bytes, at, checked(record[name], 0xffff_ffff, name));
	for (const [name, at] of AMOUNTS) writeBcd(bytes, at, record[name], 12, `case ${name}`);
	const { requestId, events } = record;
	if (requestId.length !== REQUEST_ID_BYTES) throw new CodedError("length", "case request id");
	bytes.set(requestId, 75);
	writeText(bytes, 41, record.rrn, RRN_CHARACTERS, "case RRN");
	writeText(bytes, 98, record.reference, REFERENCE_CHARACTERS, "case reference");
	writeCard(bytes, record);
	if (events.length > CASE_EVENTS_MAX) throw new CodedError("length", "case events");
	for (let n = 0; n < events.length; n++) {
		const at = RING_AT + EVENT_BYTES * n;
		const { event, state, timeS } = events[n];
		bytes[at] = checked(event, 0xff, "event");
		bytes[at + 1] = checked(state, 0xff, "event state");
		writeU32(bytes, at + 2, checked(timeS, 0xffff_ffff, "event time"));
	}
}

/**
 * @throws {CodedError} "newer" for a format, state, row or cause of firmware to come; "length" | "charset" for bytes that
 * no firmware wrote
 */
export function decodeCase(bytes: Uint8Array, start: number, byteLength: number): CaseRecord {
	checkCase(bytes, start, byteLength);
	if (causeName(bytes[start + 9]) === undefined) throw new CodedError("newer", "case record", "unknown cause");
	const record = {
		rrn: readAscii(bytes, start + 41, start + 41 + RRN_CHARACTERS).trim(),
		panFirst: "",
		panLast: "",
		requestId: bytes.slice(start + 75, start + 75 + REQUEST_ID_BYTES),
		reference: readAscii(bytes, start + 98, start + 98 + REFERENCE_CHARACTERS).trim(),
		events: readEvents(bytes, start + RING_AT),
	} as CaseRecord;
	for (const [name, at] of BYTES) record[name] = bytes[start + at];
	for (const [name, at] of WORDS) record[name] = readU16(bytes, start + at);
	for (const [name, at] of TRIPLES) record[name] = readU24(bytes, start + at);
	for (const [name, at] of LONGS) record[name] = readU32(bytes, start + at);
	for (const [name, at] of AMOUNTS) record[name] = readBcd(bytes, start + at, 6, `case ${name}`);
	if (record.panDigits > 0) {
		record.panFirst = readBcdText(bytes, start + 53, 6, "case card");
		record.panLast = readBcdText(bytes, start + 56, 4, "case card");
	}
	return record;
}

/** What a mount needs of a record, without making anything. */
export const CaseAt = {
	id: 1,
	version: 5,
	row: 7,
	state: 8,
	batch: 16,
	stan: 19,
	credited: 35,
	due: 71,
	requestState: 110,
	expected: 112,
	outcome: 119,
	idMax: 120,
} as const;

/** @throws {CodedError} "newer" | "length"; see {@link decodeCase} */
export function checkCase(bytes: Uint8Array, start: number, byteLength: number): void {
	if (byteLength > 0 && bytes[start] !== FORMAT) throw new CodedError("newer", "case record", "unknown format");
	if (byteLength !== CASE_RECORD_BYTES) throw new CodedError("length", "case record", `${byteLength} bytes`);
	const row = rowName(bytes[start + CaseAt.row]);
	if (row === undefined || !isCaseRow(row)) throw new CodedError("newer", "case record", "unknown row");
	if (caseStateName(bytes[start + CaseAt.state]) === undefined) {
		throw new CodedError("newer", "case record", "unknown state");
	}
}

function readEvents(bytes: Uint8Array, start: number): CaseEvent[] {
	const events: CaseEvent[] = [];
	for (let at = start; at < start + CASE_EVENTS_MAX * EVENT_BYTES && bytes[at] !== 0; at += EVENT_BYTES) {
		events.push({ event: bytes[at], state: bytes[at + 1], timeS: readU32(bytes, at + 2) });
	}
	return events;
}

function checked(value: number, most: number, place: string): number {
	if (!Number.isInteger(value) || value < 0 || value > most) throw new CodedError("range", `case ${place}`);
	return value;
}

/** Empty, or of full length: a text that is cut off would be another one. */
function writeText(bytes: Uint8Array, at: number, text: string, characters: number, place: string): void {
	if (text.length > characters) throw new CodedError("length", place);
	bytes.fill(0x20, at, at + characters);
	writeAscii(bytes, at, text, place);
}

function writeCard(bytes: Uint8Array, { panFirst, panLast, panDigits }: CaseRecord): void {
	if (panDigits === 0 && panFirst === "" && panLast === "") return;
	if (panFirst.length !== 6 || panLast.length !== 4 || panDigits === 0) throw new CodedError("length", "case card");
	writeBcdText(bytes, 53, panFirst, "case card");
	writeBcdText(bytes, 56, panLast, "case card");
}
