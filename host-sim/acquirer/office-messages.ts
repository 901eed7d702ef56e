/**
 * The messages of the back office: settlement (0500), batch upload (0320) and the sync messages (0300, 60.3 = 401 to 407).
 * It reads DE 48, 60 and 62, has the back office do it, and says what the answer carries; who sends it, and whether its MAC
 * is right, is settled before.
 * Source: PROTOCOL.md, "Messages" and "Sync messages"; test/vectors/unionpay.json.
 * @module
 */
import { CodedError } from "../../src/core/errors";
import type { MessageDecoder } from "../../src/iso8583/decoder";
import { maskPan } from "../../src/iso8583/mask";
import type { BackOffice } from "./back-office";
import type { HostEntry } from "./batch-view";
import { refusedRequest } from "./desk";
import type { FaultPlan } from "./faults";
import { type PageRange, spoilPage } from "./page-faults";
import { Reason } from "./posting-reasons";
import type { IntegerSource } from "./random";
import type { BatchKey, UploadRow } from "./settlement-book";
import {
	fitsDigest,
	isSyncCode,
	NONCE_BYTES,
	PAGE_ENTRIES_MAX,
	readSync,
	SyncCode,
	type SyncFields,
	writeDigest,
	writePage,
	writeRequest,
	writeTransaction,
} from "./sync-messages";
import type { TerminalEntry } from "./test-keys";
import { readTotals } from "./totals";

const FIELD_60_DIGITS = 11;
/** 60.3 of a settlement, of an upload and of its end. */
const SETTLEMENT = "201";
const UPLOAD = "201";
const UPLOAD_END_BALANCED = "207";
const UPLOAD_END_UNBALANCED = "202";
const ROW_DIGITS = 2 + 6 + 20 + 12;
const ROWS_MAX = 8;
/** Of the rows that the end of an upload tells. */
const TOLD_DIGITS = 4;
const STAN_MAX = 999_999;
/** Hex: a 407 comes with none. */
const NO_EVIDENCE = "0".repeat(64);
const NO_BYTES = new Uint8Array(0);
/** Of the answer to a 406. */
const DIGEST_BYTES = 32;
const SUM_BYTES = 8;
const SUMS = 4;

/** What the answer to a settlement or an upload carries beside what it echoes. */
export interface OfficeAnswer {
	/** DE 39. */
	readonly code: string;
	/** DE 48, digits; empty where there is none. */
	readonly totals: string;
	/** DE 37. */
	readonly rrn: string;
	/** DE 12, 13, 15: of a repeat those of the first answer. */
	readonly at: number;
}

/** What the answer to a sync message carries. */
export interface SyncReply {
	readonly code: string;
	/** DE 62: the nonce, and behind it the answer. */
	readonly data: Uint8Array;
	/** For a line. */
	readonly what: string;
	/** Carried out, and never answered: a fault. */
	readonly lost: boolean;
}

export interface OfficeMessagesOptions {
	readonly office: BackOffice;
	readonly faults: FaultPlan;
	/** For what faults do to a page. */
	readonly random: IntegerSource;
	/** False: this host knows none of the sync messages. */
	readonly sync: boolean;
}

export class OfficeMessages {
	readonly #options: OfficeMessagesOptions;

	constructor(options: OfficeMessagesOptions) {
		this.#options = options;
	}

	/**
	 * 0500 and 0320.
	 * @param newRrn - for an answer that no record stands behind
	 * @throws what the store throws: then nothing may be answered
	 */
	settlement(message: MessageDecoder, terminal: TerminalEntry, now: number, newRrn: () => string): OfficeAnswer {
		const { office } = this.#options;
		const read = attempt(() => (message.mti === "0500" ? readSettlement(message) : readUpload(message)));
		if (read === undefined) return { code: "30", totals: "", rrn: newRrn(), at: now };
		const batch = { merchantId: terminal.merchantId, terminalId: terminal.terminalId, batch: read.batch };
		if (read.kind === "settlement") {
			const { answer, rrn, at } = office.settle(batch, read.stan, read.totals, now);
			return { code: "00", totals: answer, rrn, at };
		}
		const taken = read.kind === "end" || office.upload(batch, read.rows, now);
		if (read.kind === "end") office.endUpload(batch, read.balanced, read.told, now);
		return { code: taken ? "00" : "30", totals: "", rrn: newRrn(), at: now };
	}

	/** 0300, its MAC right and its sender known. @throws what the store throws: then nothing may be answered */
	sync(message: MessageDecoder, terminal: TerminalEntry, now: number): SyncReply {
		const code = message.has(60) && message.count(60) === FIELD_60_DIGITS ? message.text(60).slice(8) : "";
		const sent = message.has(62) ? message.bytes(62) : NO_BYTES;
		const nonce = sent.length < NONCE_BYTES ? NO_BYTES : sent.slice(0, NONCE_BYTES);
		const refused = (as: string): SyncReply => ({ code: as, data: nonce, what: `sync ${code}`, lost: false });
		if (!this.#options.sync) return refused("40");
		if (nonce.length === 0 || !isSyncCode(code)) return refused(nonce.length === 0 ? "30" : "40");
		const fields = attempt(() => readFields(message, code, sent));
		const answer = fields === undefined ? undefined : this.#answer(code, fields, terminal, now);
		if (fields === undefined || answer === undefined) return refused("30");
		const data = new Uint8Array(NONCE_BYTES + answer.length);
		data.set(nonce);
		data.set(answer, NONCE_BYTES);
		const lost = isDeskCode(code) && this.#options.faults.nextDeskMessage().requestAnswerLost;
		return { code: "00", data, what: describe(code, fields), lost };
	}

	/** @returns undefined for numbers that no transaction can have, and for sums that no answer can */
	#answer(
		code: string,
		fields: SyncFields,
		{ merchantId, terminalId }: TerminalEntry,
		now: number,
	): Uint8Array | undefined {
		const { office } = this.#options;
		const { stan, toStan, amountMinor, id, digest } = fields;
		office.run(now);
		const batch: BatchKey = { merchantId, terminalId, batch: fields.batch };
		const key = { ...batch, stan };
		switch (code) {
			case SyncCode.list:
				if (stan < 1 || toStan < 1) return undefined;
				return this.#page(office.entries(batch, stan, toStan), { from: stan, to: toStan });
			case SyncCode.transaction:
				return stan < 1 ? undefined : writeTransaction(office.entry(key));
			case SyncCode.digest: {
				const held = stan < 1 ? undefined : office.digest(batch, stan);
				if (held === undefined || !fitsDigest(held)) return undefined;
				office.anchor({ ...batch, stan, head: digest, by: "406", at: now });
				return this.#digest(writeDigest(held));
			}
			case SyncCode.requestState: {
				const known = office.desk.stateOf({ merchantId, terminalId }, id, now);
				return writeRequest(known ?? refusedRequest(Reason.unknown));
			}
			case SyncCode.farSide:
				if (stan < 1) return undefined;
				return writeRequest(office.desk.take({ type: "407", id, key, amountMinor: 0, evidence: NO_EVIDENCE }, now));
			default: {
				if (stan < 1 || amountMinor < 1) return undefined;
				const type = code === SyncCode.claim ? "403" : "404";
				office.anchor({ ...batch, stan, head: digest, by: type, at: now });
				return writeRequest(office.desk.take({ type, id, key, amountMinor, evidence: digest }, now));
			}
		}
	}

	#digest(bytes: Uint8Array): Uint8Array {
		const { faults, random } = this.#options;
		if (!faults.nextDigest().digestWrong) return bytes;
		// A byte of the digest, or the last digits of a sum.
		if (random.below(2) === 0) bytes[random.below(DIGEST_BYTES)] ^= 1 + random.below(255);
		else bytes[DIGEST_BYTES + 1 + SUM_BYTES * random.below(SUMS)] ^= 1 + random.below(9);
		return bytes;
	}

	#page(held: readonly HostEntry[], range: PageRange): Uint8Array {
		const { faults, random } = this.#options;
		const struck = faults.nextPage();
		const page = { entries: held.slice(0, PAGE_ENTRIES_MAX), more: held.length > PAGE_ENTRIES_MAX };
		const { entries, more } = spoilPage(page, struck, range, random);
		const bytes = writePage(entries, more);
		if (struck.pageGarbled) bytes[random.below(bytes.length)] ^= 1 + random.below(255);
		return bytes;
	}
}

/** What a settlement or an upload says, whole. */
type BatchMessage =
	| { readonly kind: "settlement"; readonly batch: number; readonly stan: number; readonly totals: string }
	| { readonly kind: "rows"; readonly batch: number; readonly rows: UploadRow[] }
	| { readonly kind: "end"; readonly batch: number; readonly balanced: boolean; readonly told: number };

/** Reads a message, and does nothing yet. @returns undefined for one that is to be answered 30 */
function attempt<T>(read: () => T): T | undefined {
	try {
		return read();
	} catch (error) {
		if (error instanceof CodedError) return undefined;
		throw error;
	}
}

/** 60.2, behind a 60.1 of 00. @throws {CodedError} "range" */
function readBatch(message: MessageDecoder): number {
	const batch = message.numberAt(60, 2, 6);
	if (!message.equalsAt(60, 0, "00") || !isBatchNumber(batch)) throw new CodedError("range", "DE 60");
	return batch;
}

function readSettlement(message: MessageDecoder): BatchMessage {
	const batch = readBatch(message);
	if (!message.equalsAt(60, 8, SETTLEMENT)) throw new CodedError("unknown", "DE 60.3");
	const totals = message.text(48);
	readTotals(totals); // Both sides have their digits.
	return { kind: "settlement", batch, stan: message.number(11), totals };
}

function readUpload(message: MessageDecoder): BatchMessage {
	const batch = readBatch(message);
	const text = message.text(48);
	if (message.equalsAt(60, 8, UPLOAD)) return { kind: "rows", batch, rows: readRows(text) };
	const balanced = message.equalsAt(60, 8, UPLOAD_END_BALANCED);
	if (!balanced && !message.equalsAt(60, 8, UPLOAD_END_UNBALANCED)) throw new CodedError("unknown", "DE 60.3");
	if (text.length !== TOLD_DIGITS) throw new CodedError("length", "DE 48");
	return { kind: "end", batch, balanced, told: Number(text) };
}

/** DE 62, and its batch is that of DE 60.2. @throws {CodedError} "length" | "charset" | "range" | "mismatch" */
function readFields(message: MessageDecoder, code: string, sent: Uint8Array): SyncFields {
	const batch = readBatch(message);
	const fields = readSync(code, sent);
	if (code === SyncCode.requestState) return { ...fields, batch };
	if (fields.batch !== batch) throw new CodedError("mismatch", "DE 62 batch");
	return fields;
}

/** DE 48 of an upload: count 2, then rows of class 2, STAN 6, card number 20 with leading zeros, amount 12. */
function readRows(text: string): UploadRow[] {
	const count = Number(text.slice(0, 2));
	if (text.length !== 2 + count * ROW_DIGITS || count < 1 || count > ROWS_MAX) throw new CodedError("length", "DE 48");
	const rows: UploadRow[] = [];
	for (let n = 0; n < count; n++) {
		const row = text.slice(2 + n * ROW_DIGITS, 2 + (n + 1) * ROW_DIGITS);
		const stan = Number(row.slice(2, 8));
		const pan = row.slice(8, 28).replace(/^0+/, "");
		if (stan < 1 || stan > STAN_MAX || pan.length < 12 || pan.length > 19) throw new CodedError("range", "DE 48 row");
		rows.push({ class: row.slice(0, 2), stan, card: maskPan(pan), amountMinor: Number(row.slice(28)) });
	}
	return rows;
}

function isDeskCode(code: string): boolean {
	return code === SyncCode.claim || code === SyncCode.adjustment || code === SyncCode.farSide;
}

function describe(code: string, { batch, stan, toStan, id }: SyncFields): string {
	if (code === SyncCode.requestState) return `sync 405 request ${id.slice(0, 8)}`;
	const to = code === SyncCode.list ? `..${toStan}` : "";
	return `sync ${code} batch ${batch} stan ${stan}${to}`;
}

/** What DE 60.2 can carry for a batch. */
function isBatchNumber(batch: number): boolean {
	return batch >= 1 && batch <= STAN_MAX;
}
