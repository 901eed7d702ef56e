/**
 * The bytes of intents, advices, outcomes, steps and counters. The tables are in DESIGN.md beside this file.
 * @module
 */
import { assert } from "../core/assert";
import { readBcd, readBcdText, writeBcd, writeBcdText } from "../core/bcd";
import { readAscii, readU16, readU24, readU32, writeAscii, writeU16, writeU24, writeU32 } from "../core/bytes";
import { CodedError } from "../core/errors";

export const TransactionRecord = { intent: 8, outcome: 9, step: 10, reserved: 11, advice: 12, closing: 13 } as const;

/** Numbers are what flash holds; they never change. */
export const KIND_SALE = 1;
export const KIND_OFFLINE_SALE = 2;
export const KIND_REFUND = 3;
export const KIND_RESEND = 4;
/** Where an intent or an advice has its kind. */
export const INTENT_KIND_AT = 7;
export const SEALED_CARD_BYTES = 31;
export const INTENT_CLEAR_BYTES = 33;
export const INTENT_BYTES = INTENT_CLEAR_BYTES + SEALED_CARD_BYTES;
/** An advice is an intent, the key of its original, and one sealed text: the card, and behind it the chip data. */
export const ADVICE_CLEAR_BYTES = 59;
export const ADVICE_EMV_BYTES_MAX = 255;
export const ADVICE_BYTES_MIN = ADVICE_CLEAR_BYTES + SEALED_CARD_BYTES;
export const ADVICE_BYTES_MAX = ADVICE_BYTES_MIN + ADVICE_EMV_BYTES_MAX;
/** The longest record of this folder. */
export const RECORD_BYTES_MAX = ADVICE_BYTES_MAX;
export const OUTCOME_BYTES = 32;
export const STEP_BYTES = 11;
export const RESERVED_BYTES = 7;
/** Before STANs were reserved as well. */
const RESERVED_1_BYTES = 4;
export const CLOSING_BYTES = 17;
export const MARK_BYTES = 21;
/** Behind the counters, from version 4 on: both heads of the evidence chain (settlement/EVIDENCE.md, "Chain"). */
export const MARK_HEADS_BYTES = 64;
const MARK_VERSION = 4;
/** Bytes of the versions 1 to 3. */
const MARK_VERSION_BYTES = [11, 18, MARK_BYTES, MARK_BYTES + MARK_HEADS_BYTES] as const;

/**
 * amountDiffers: a verified answer had another amount. reversalRefused: the reversal needs a person. unsendable: the
 * advice cannot be built, a person has to look why. overdue: the advice was tried as often as the alarm says.
 *
 * The others are facts, by which a cause is told later. restarted: power came back between request and answer. lineLost:
 * the line was lost while the answer was waited for, as against silence. badMac: an answer came whose MAC is wrong.
 * deviceFault: flash failed somewhere while the answer was waited for, or the reader gave no verdict of the card.
 */
export const Flag = {
	amountDiffers: 1,
	reversalRefused: 2,
	unsendable: 4,
	overdue: 8,
	restarted: 16,
	lineLost: 32,
	badMac: 64,
	deviceFault: 128,
} as const;

/** True for what is never reversed: repeated unchanged until it is answered. */
export function isAdvice(kind: number): boolean {
	return kind >= KIND_OFFLINE_SALE && kind <= KIND_RESEND;
}

/** What a sale or an advice is, as flash holds it; the card's data only sealed. */
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

/** The time an intent carries, seconds since 1970: a clock that is far off is no reason not to sell. */
export function intentSeconds(nowMs: number): number {
	return Math.max(0, Math.min(0xffff_ffff, Math.floor(nowMs / 1_000)));
}

/**
 * Writes bytes 0–32; the sealed card follows them.
 * @throws {CodedError} "length" | "charset" | "range" for what the fields do not hold
 */
export function encodeIntent(bytes: Uint8Array, intent: Intent): void {
	const { timeS, entryMode, condition, field60Rest } = intent;
	if (!Number.isInteger(timeS) || timeS < 0 || timeS > 0xffff_ffff) throw new CodedError("range", "intent time");
	if (entryMode.length !== 3) throw new CodedError("length", "intent entry mode");
	if (condition.length !== 2) throw new CodedError("length", "intent condition");
	if (field60Rest.length !== 5) throw new CodedError("length", "intent field 60");
	writeU32(bytes, 0, intent.id);
	writeU24(bytes, 4, intent.stan);
	bytes[INTENT_KIND_AT] = intent.kind;
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

/**
 * Of a record "intent" or "advice": they begin alike, and the kind says which it is.
 * @throws {CodedError} "length" | "charset" for bytes no firmware wrote
 */
export function decodeIntent(bytes: Uint8Array, start: number, byteLength: number): Intent {
	if (byteLength >= INTENT_BYTES && isAdvice(bytes[start + INTENT_KIND_AT])) checkAdviceLength(byteLength);
	else if (byteLength !== INTENT_BYTES) throw new CodedError("length", "intent record", `${byteLength} bytes`);
	return {
		id: readU32(bytes, start),
		stan: readU24(bytes, start + 4),
		kind: bytes[start + INTENT_KIND_AT],
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

/** What an advice has beyond an intent: the key of the transaction it belongs to, and what the host had said to that. */
export interface AdviceFacts {
	/** 0 for an offline sale, which is its own original. */
	originalBatch: number;
	originalStan: number;
	/** MMDD, 4 digits. */
	originalDate: string;
	/** DE 37 of the original's answer, 12 characters; empty without an original. */
	rrn: string;
	/** DE 38 of the original's answer, 6 characters; empty where there was none. */
	authorization: string;
}

/** An offline sale has no original but itself. */
export const NO_ORIGINAL: AdviceFacts = {
	originalBatch: 0,
	originalStan: 0,
	originalDate: "0000",
	rrn: "",
	authorization: "",
};

/**
 * Writes bytes 33–58, behind {@link encodeIntent}; the sealed text follows them. Only an offline sale has no original.
 * @throws {CodedError} "range" | "length" | "charset" for facts that no advice can have
 */
export function encodeAdvice(bytes: Uint8Array, facts: AdviceFacts): void {
	const { originalBatch, originalStan, originalDate, rrn, authorization } = facts;
	if (bytes[INTENT_KIND_AT] !== KIND_OFFLINE_SALE) {
		if (!inSixDigits(originalBatch)) throw new CodedError("range", "advice original batch");
		if (!inSixDigits(originalStan)) throw new CodedError("range", "advice original STAN");
		if (rrn.length !== 12) throw new CodedError("length", "advice RRN");
	}
	if (originalDate.length !== 4) throw new CodedError("length", "advice date");
	if (authorization !== "" && authorization.length !== 6) throw new CodedError("length", "advice authorization");
	writeU24(bytes, 33, originalBatch);
	writeU24(bytes, 36, originalStan);
	writeBcdText(bytes, 39, originalDate, "advice date");
	bytes.fill(0x20, 41, ADVICE_CLEAR_BYTES);
	writeAscii(bytes, 41, rrn, "advice RRN");
	writeAscii(bytes, 53, authorization, "advice authorization");
}

/** A batch or a STAN: 1 to 999999. */
function inSixDigits(value: number): boolean {
	return Number.isInteger(value) && value >= 1 && value <= 999_999;
}

/** @throws {CodedError} "length" | "charset" for bytes no firmware wrote */
export function decodeAdvice(bytes: Uint8Array, start: number, byteLength: number): AdviceFacts {
	checkAdviceLength(byteLength);
	return {
		originalBatch: readU24(bytes, start + 33),
		originalStan: readU24(bytes, start + 36),
		originalDate: readBcdText(bytes, start + 39, 4, "advice date"),
		rrn: textOrNone(readAscii(bytes, start + 41, start + 53)),
		authorization: textOrNone(readAscii(bytes, start + 53, start + 59)),
	};
}

/** All spaces is none; spaces within what the host had said stay, or the advice would be another message. */
function textOrNone(text: string): string {
	return text.trim() === "" ? "" : text;
}

function checkAdviceLength(byteLength: number): void {
	const fits = byteLength >= ADVICE_BYTES_MIN && byteLength <= ADVICE_BYTES_MAX;
	if (!fits) throw new CodedError("length", "advice record", `${byteLength} bytes`);
}

/** The card number as screen, slip and log may show it. */
export function maskedCard(intent: Intent): string {
	return `${intent.panFirst}${"*".repeat(Math.max(0, intent.panDigits - 10))}${intent.panLast}`;
}

/** Nonce of a record's sealed text: journal id 4, generation 2, record type 2, transaction id 4 (I4). */
export function intentNonce(
	out: Uint8Array,
	journalId: number,
	generation: number,
	id: number,
	type: number = TransactionRecord.intent,
): void {
	writeU32(out, 0, journalId);
	writeU16(out, 4, generation);
	writeU16(out, 6, type);
	writeU32(out, 8, id);
}

/** Where an outcome record has its flags. */
export const OUTCOME_FLAGS_AT = 31;

/** What the host said. Absent texts are spaces on flash. */
export interface Outcome {
	code: string;
	rrn: string;
	authorization: string;
	/** hhmmssMMDD, digits. */
	hostTime: string;
}

export function encodeOutcome(
	bytes: Uint8Array,
	id: number,
	step: number,
	state: number,
	outcome: Outcome,
	flags = 0,
): void {
	writeU32(bytes, 0, id);
	bytes[4] = step;
	bytes[5] = state;
	bytes.fill(0x20, 6, 26);
	writeAscii(bytes, 6, outcome.code, "outcome code");
	writeAscii(bytes, 8, outcome.rrn, "outcome RRN");
	writeAscii(bytes, 20, outcome.authorization, "outcome authorization");
	writeBcdText(bytes, 26, outcome.hostTime, "outcome time");
	bytes[OUTCOME_FLAGS_AT] = flags;
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

/**
 * Numbers up to these may have been used, though no other record says so. Each reservation has a greater id than all
 * before it, so that the greatest is the newest.
 * @param stan - 0 when none was ever used
 */
export function encodeReserved(bytes: Uint8Array, id: number, stan: number): void {
	writeU32(bytes, 0, id);
	writeU24(bytes, 4, stan);
}

/** STAN of a reservation; 0 in one of earlier firmware, which reserved none. @throws {CodedError} "length" */
export function reservedStan(bytes: Uint8Array, start: number, byteLength: number): number {
	if (byteLength === RESERVED_1_BYTES) return 0;
	if (byteLength !== RESERVED_BYTES) throw new CodedError("length", "reserved record", `${byteLength} bytes`);
	return readU24(bytes, start + 4);
}

/** Where a batch ends and the next one begins, while the host has still to settle it. */
export interface Closing {
	/** The batch that closes. */
	readonly batch: number;
	/** What sales carry from here on. */
	readonly nextBatch: number;
	/** The id used last in it: what has a greater one belongs to the next batch. No other closing has this one. */
	readonly id: number;
	/** The STAN that a transaction used last in it; 0 when none ever did. */
	readonly stan: number;
	/** Seconds since 1970. */
	readonly timeS: number;
}

export function encodeClosing(bytes: Uint8Array, closing: Closing): void {
	writeU24(bytes, 0, closing.batch);
	writeU24(bytes, 3, closing.nextBatch);
	writeU32(bytes, 6, closing.id);
	writeU24(bytes, 10, closing.stan);
	writeU32(bytes, 13, closing.timeS);
}

/** @throws {CodedError} "length" */
export function decodeClosing(bytes: Uint8Array, start: number, byteLength: number): Closing {
	if (byteLength !== CLOSING_BYTES) throw new CodedError("length", "closing record", `${byteLength} bytes`);
	return {
		batch: readU24(bytes, start),
		nextBatch: readU24(bytes, start + 3),
		id: readU32(bytes, start + 6),
		stan: readU24(bytes, start + 10),
		timeS: readU32(bytes, start + 13),
	};
}

/** What the settlement mark carries for this folder: counters that no other record has to carry then. */
export interface MarkData {
	/** The batch that sales carry from here on; 0 when the host has still to give one. */
	batch: number;
	/** The id used last: everything up to it is settled but what was carried forward. */
	idMax: number;
	/** The STAN used last by a transaction. */
	stanMax: number;
	/** Ids up to here may have been used. */
	idReserved: number;
	/** The batch that was settled last; 0 before the first. */
	settledBatch: number;
	/** STANs up to here may have been used; 0 when none was. */
	stanReserved: number;
	/** MARK_HEADS_BYTES bytes; absent at the beginning of a journal. */
	heads?: Uint8Array | undefined;
}

/** Without heads it is a mark of version 3. */
export function encodeMark(mark: MarkData): Uint8Array {
	const { heads } = mark;
	assert(heads === undefined || heads.length === MARK_HEADS_BYTES, "a mark has both heads or none");
	const bytes = new Uint8Array(heads === undefined ? MARK_BYTES : MARK_BYTES + MARK_HEADS_BYTES);
	bytes[0] = heads === undefined ? MARK_VERSION - 1 : MARK_VERSION;
	if (heads !== undefined) bytes.set(heads, MARK_BYTES);
	writeU24(bytes, 1, mark.batch);
	writeU32(bytes, 4, mark.idMax);
	writeU24(bytes, 8, mark.stanMax);
	writeU32(bytes, 11, mark.idReserved);
	writeU24(bytes, 15, mark.settledBatch);
	writeU24(bytes, 18, mark.stanReserved);
	return bytes;
}

/**
 * Version 1 had no settlement: it ends behind the STAN. Version 2 reserved no STANs.
 * @throws {CodedError} "newer" for a version this firmware does not know, "length"
 */
export function decodeMark(bytes: Uint8Array, start: number, byteLength: number): MarkData {
	const version = byteLength < 1 ? 0 : bytes[start];
	if (version < 1 || version > MARK_VERSION) throw new CodedError("newer", "settlement mark");
	if (byteLength < MARK_VERSION_BYTES[version - 1]) {
		throw new CodedError("length", "settlement mark", `${byteLength} bytes`);
	}
	const idMax = readU32(bytes, start + 4);
	const stanMax = readU24(bytes, start + 8);
	return {
		batch: readU24(bytes, start + 1),
		idMax,
		stanMax,
		idReserved: version === 1 ? idMax : readU32(bytes, start + 11),
		settledBatch: version === 1 ? 0 : readU24(bytes, start + 15),
		stanReserved: version < 3 ? stanMax : readU24(bytes, start + 18),
		...(version < 4 ? {} : { heads: bytes.slice(start + MARK_BYTES, start + MARK_BYTES + MARK_HEADS_BYTES) }),
	};
}
