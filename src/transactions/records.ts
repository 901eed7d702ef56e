/**
 * The bytes of intents, outcomes and steps. The tables are in DESIGN.md beside this file.
 * @module
 */
import { readBcd, readBcdText, writeBcd, writeBcdText } from "../core/bcd";
import { readAscii, readU16, readU24, readU32, writeAscii, writeU16, writeU24, writeU32 } from "../core/bytes";
import { CodedError } from "../core/errors";

export const TransactionRecord = { intent: 8, outcome: 9, step: 10, reserved: 11 } as const;

export const KIND_SALE = 1;
export const SEALED_CARD_BYTES = 31;
export const INTENT_CLEAR_BYTES = 33;
export const INTENT_BYTES = INTENT_CLEAR_BYTES + SEALED_CARD_BYTES;
export const OUTCOME_BYTES = 32;
export const STEP_BYTES = 11;
export const MARK_BYTES = 18;
const MARK_VERSION = 2;
const MARK_1_BYTES = 11;

export const Flag = { amountDiffers: 1, reversalRefused: 2 } as const;

/** What a sale is, as flash holds it; the card's data only sealed. */
export interface Intent {
	id: number;
	stan: number;
	kind: number;
	batch: number;
	amountMinor: number;
	/** Seconds since 1970. */
	timeS: number;
	/** DE 22, 3 digits. */
	entryMode: string;
	/** DE 25, 2 digits. */
	condition: string;
	/** DE 60.3 to 60.5, 5 digits. */
	field60Rest: string;
	panFirst: string;
	panLast: string;
	panDigits: number;
}

/** Writes bytes 0–32; the sealed card follows them. */
export function encodeIntent(bytes: Uint8Array, intent: Intent): void {
	writeU32(bytes, 0, intent.id);
	writeU24(bytes, 4, intent.stan);
	bytes[7] = intent.kind;
	writeU24(bytes, 8, intent.batch);
	writeBcd(bytes, 11, intent.amountMinor, 12, "intent amount");
	writeU32(bytes, 17, intent.timeS);
	writeBcdText(bytes, 21, intent.entryMode, "intent entry mode");
	writeBcdText(bytes, 23, intent.condition, "intent condition");
	writeBcdText(bytes, 24, intent.field60Rest, "intent field 60");
	writeBcdText(bytes, 27, intent.panFirst, "intent card");
	writeBcdText(bytes, 30, intent.panLast, "intent card");
	bytes[32] = intent.panDigits;
}

/** @throws {CodedError} "length" | "charset" for bytes no firmware wrote */
export function decodeIntent(bytes: Uint8Array, start: number, byteLength: number): Intent {
	if (byteLength !== INTENT_BYTES) throw new CodedError("length", "intent record", `${byteLength} bytes`);
	return {
		id: readU32(bytes, start),
		stan: readU24(bytes, start + 4),
		kind: bytes[start + 7],
		batch: readU24(bytes, start + 8),
		amountMinor: readBcd(bytes, start + 11, 6, "intent amount"),
		timeS: readU32(bytes, start + 17),
		entryMode: readBcdText(bytes, start + 21, 3, "intent entry mode"),
		condition: readBcdText(bytes, start + 23, 2, "intent condition"),
		field60Rest: readBcdText(bytes, start + 24, 5, "intent field 60"),
		panFirst: readBcdText(bytes, start + 27, 6, "intent card"),
		panLast: readBcdText(bytes, start + 30, 4, "intent card"),
		panDigits: bytes[start + 32],
	};
}

/** The card number as screen, slip and log may show it. */
export function maskedCard(intent: Intent): string {
	return `${intent.panFirst}${"*".repeat(Math.max(0, intent.panDigits - 10))}${intent.panLast}`;
}

/** Nonce of an intent's sealed card: journal id 4, generation 2, record type 2, transaction id 4 (I4). */
export function intentNonce(out: Uint8Array, journalId: number, generation: number, id: number): void {
	writeU32(out, 0, journalId);
	writeU16(out, 4, generation);
	writeU16(out, 6, TransactionRecord.intent);
	writeU32(out, 8, id);
}

/** What the host said. Absent texts are spaces on flash. */
export interface Outcome {
	code: string;
	rrn: string;
	authorization: string;
	/** hhmmssMMDD, digits. */
	hostTime: string;
}

export function encodeOutcome(bytes: Uint8Array, id: number, step: number, state: number, outcome: Outcome): void {
	writeU32(bytes, 0, id);
	bytes[4] = step;
	bytes[5] = state;
	bytes.fill(0x20, 6, 26);
	writeAscii(bytes, 6, outcome.code, "outcome code");
	writeAscii(bytes, 8, outcome.rrn, "outcome RRN");
	writeAscii(bytes, 20, outcome.authorization, "outcome authorization");
	writeBcdText(bytes, 26, outcome.hostTime, "outcome time");
	bytes[31] = 0;
}

/** @throws {CodedError} "length" | "charset" */
export function decodeOutcome(bytes: Uint8Array, start: number, byteLength: number): Outcome {
	if (byteLength !== OUTCOME_BYTES) throw new CodedError("length", "outcome record", `${byteLength} bytes`);
	return {
		code: readAscii(bytes, start + 6, start + 8).trim(),
		rrn: readAscii(bytes, start + 8, start + 20).trim(),
		authorization: readAscii(bytes, start + 20, start + 26).trim(),
		hostTime: readBcdText(bytes, start + 26, 10, "outcome time"),
	};
}

/** A change of state that needs no words of the host. */
export interface StepRecord {
	reason: string;
	tries: number;
	flags: number;
}

export function encodeStep(bytes: Uint8Array, id: number, step: number, state: number, record: StepRecord): void {
	writeU32(bytes, 0, id);
	bytes[4] = step;
	bytes[5] = state;
	writeAscii(bytes, 6, record.reason, "step reason");
	writeU16(bytes, 8, record.tries);
	bytes[10] = record.flags;
}

/** @throws {CodedError} "length" */
export function decodeStep(bytes: Uint8Array, start: number, byteLength: number): StepRecord {
	if (byteLength !== STEP_BYTES) throw new CodedError("length", "step record", `${byteLength} bytes`);
	return {
		reason: readAscii(bytes, start + 6, start + 8),
		tries: readU16(bytes, start + 8),
		flags: bytes[start + 10],
	};
}

/** What the settlement mark carries for this folder: counters that no other record has to carry then. */
export interface MarkData {
	/** The batch that sales carry from here on. */
	batch: number;
	/** The id used last: everything up to it is settled but what was carried forward. */
	idMax: number;
	/** The STAN used last. */
	stanMax: number;
	/** Ids up to here may have been used. */
	idReserved: number;
	/** The batch that was settled last; 0 before the first. */
	settledBatch: number;
}

export function encodeMark(mark: MarkData): Uint8Array {
	const bytes = new Uint8Array(MARK_BYTES);
	bytes[0] = MARK_VERSION;
	writeU24(bytes, 1, mark.batch);
	writeU32(bytes, 4, mark.idMax);
	writeU24(bytes, 8, mark.stanMax);
	writeU32(bytes, 11, mark.idReserved);
	writeU24(bytes, 15, mark.settledBatch);
	return bytes;
}

/**
 * Version 1 had no settlement: it ends behind the STAN.
 * @throws {CodedError} "newer" for a version this firmware does not know, "length"
 */
export function decodeMark(bytes: Uint8Array, start: number, byteLength: number): MarkData {
	const version = byteLength < 1 ? 0 : bytes[start];
	if (version !== 1 && version !== MARK_VERSION) throw new CodedError("newer", "settlement mark");
	if (byteLength < (version === 1 ? MARK_1_BYTES : MARK_BYTES)) {
		throw new CodedError("length", "settlement mark", `${byteLength} bytes`);
	}
	const idMax = readU32(bytes, start + 4);
	return {
		batch: readU24(bytes, start + 1),
		idMax,
		stanMax: readU24(bytes, start + 8),
		idReserved: version === 1 ? idMax : readU32(bytes, start + 11),
		settledBatch: version === 1 ? 0 : readU24(bytes, start + 15),
	};
}
