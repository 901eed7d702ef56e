/**
 * The sync messages, 0300 and 0310: what the terminal asks of the host's books, and how it reads the answers. DE 62 begins
 * with a nonce of 8 bytes that the answer repeats; behind it numbers are BCD unless said. The MAC is AES-CMAC under the host
 * authentication key; the line has checked the answer's before it is read here.
 *
 * Invariants: an answer is believed whole or not at all (I11): its nonce is the request's, what it says is about what was
 * asked, and nothing is left over. What is wrong is named by its place, never by its value. Of {@link QUESTIONS_MAX} requests
 * on the line each has its own nonce ({@link SyncMessages.sent}, {@link SyncMessages.ended}); without a word of that, an
 * answer is read as one to the request built last. Source: PROTOCOL.md, "Sync messages".
 * @module
 */
import type { Config } from "../config";
import { assert } from "../core/assert";
import { readBcd, writeBcd } from "../core/bcd";
import { readAscii, readU16, readU32 } from "../core/bytes";
import { CodedError } from "../core/errors";
import type { MessageDecoder } from "../iso8583/decoder";
import type { Dialect } from "../iso8583/dialect";
import { type MacWriter, MessageEncoder } from "../iso8583/encoder";
import type { Expected } from "../iso8583/exchange";
import type { RandomSource } from "../ports";
import { KIND_OFFLINE_SALE, KIND_REFUND, KIND_SALE } from "../transactions/records";
import { DIGEST_BYTES } from "./batch-digest";
import { REFERENCE_CHARACTERS, REQUEST_ID_BYTES, RequestState } from "./case-records";
import { KIND_VOID } from "./finding";
import { readStamp, STAMP_BYTES } from "./host-time";
import {
	type DigestAnswer,
	type Entry,
	type EntryPage,
	PAGE_ENTRIES_MAX,
	type RequestAnswer,
	RRN_BYTES,
} from "./sync-answers";

export { HostFlag as EntryFlag } from "./finding";

/** Kind of an entry: the terminal's numbers; a resend is the sale it stands for. Others are shown as they come. */
export const EntryKind = {
	sale: KIND_SALE,
	offlineSale: KIND_OFFLINE_SALE,
	refund: KIND_REFUND,
	void: KIND_VOID,
} as const;

/** 60.3. */
export const SyncCode = {
	list: "401",
	transaction: "402",
	claim: "403",
	credit: "404",
	requestState: "405",
	digest: "406",
	farSide: "407",
} as const;
export type SyncCode = (typeof SyncCode)[keyof typeof SyncCode];

/**
 * What DE 39 says. "taken": the answer has been read. "unsupported": the host does not know sync messages. "refused": it
 * does, and says no; its code is in DE 39.
 */
export type SyncVerdict = "taken" | "unsupported" | "refused";

/** The host's key of a movement. */
export interface MovementKey {
	readonly batch: number;
	readonly stan: number;
}

/** Of evidence: a digest, the head of the chain. */
export const EVIDENCE_BYTES = 32;
export const STAN_MAX = 999_999;

/** Requests that may wait for their answers at a time (I10). */
export const QUESTIONS_MAX = 2;

const NONCE_BYTES = 8;
const NUMBER_BYTES = 3;
const AMOUNT_BYTES = 6;
const ENTRY_BYTES = 24;
/** Where an entry has what. */
const KIND_AT = 3;
const AMOUNT_AT = 4;
const FLAGS_AT = 10;
const REASON_AT = 11;
const RRN_AT = 12;
const SUM_BYTES = 2 + AMOUNT_BYTES;

const TYPE = "00";
const APPROVED = "00";
/** Invalid transaction, format error, function not supported: so answers who does not know a message. */
const UNKNOWN_TO_HOST = ["12", "30", "40"];
/** The longest request is 404: nonce, id, batch, STAN, amount, digest. */
const DATA_BYTES_MAX = NONCE_BYTES + REQUEST_ID_BYTES + 2 * NUMBER_BYTES + AMOUNT_BYTES + EVIDENCE_BYTES;
/** Of DE 62 and all before it; a dialect may take two bytes for each. */
const FRAME_BYTES = 320;
const PLACE = "sync DE 62";
/** Of each request: both halves of its nonce, DE 60.3, and the STANs it asks for. */
const ASKED_NUMBERS = 5;
const NONCE = 0;
const CODE = 2;
const FROM = 3;
const TO = 4;

export class SyncMessages {
	readonly #encoder: MessageEncoder;
	readonly #config: Config;
	readonly #mac: MacWriter;
	readonly #random: RandomSource;
	/** By place: what was asked, for the answers. */
	readonly #asked = new Uint32Array(QUESTIONS_MAX * ASKED_NUMBERS);
	/** Bits of the places whose answers are waited for. */
	#waiting = 0;
	/** The place of the request built last, or of the answer that is read. */
	#place = 0;
	readonly #data = new Uint8Array(DATA_BYTES_MAX);
	#length = 0;
	#expected: Expected | undefined;

	/**
	 * @param mac - SyncMac
	 * @param encoder - see MessageBuilder
	 */
	constructor(
		dialect: Dialect,
		config: Config,
		mac: MacWriter,
		random: RandomSource,
		encoder = new MessageEncoder(dialect, new Uint8Array(FRAME_BYTES)),
	) {
		this.#encoder = encoder;
		this.#config = config;
		this.#mac = mac;
		this.#random = random;
	}

	/** The request built last; borrowed until the next message, whoever builds it. */
	get frame(): Uint8Array {
		return this.#encoder.frame;
	}

	/** What makes an answer that of the request built last: an object of its own for each. */
	get expected(): Expected {
		assert(this.#expected !== undefined, "a request is built before it is sent");
		return this.#expected;
	}

	/** The request built last is on its way. @returns its place, until {@link ended} */
	sent(): number {
		this.#waiting |= 1 << this.#place;
		return this.#place;
	}

	/** An exchange is over. Until the next request is built, an answer is read as one to its request. */
	ended(place: number): void {
		this.#waiting &= ~(1 << place);
		this.#place = place;
	}

	/**
	 * 401: entries of a batch, ascending. A batch that runs over 999999 is asked for in two ranges.
	 * @param trace - DE 11 of the message, as in all of these
	 * @returns bytes of {@link frame}, as all of these do
	 * @throws {CodedError} "unprovisioned" without a host authentication key, as all of these do
	 */
	list(trace: number, batch: number, fromStan: number, toStan: number): number {
		assert(fromStan <= toStan, "a range of STANs ascends");
		this.begin(SyncCode.list);
		this.number(batch);
		this.number(fromStan);
		this.number(toStan);
		this.asked(FROM, fromStan);
		this.asked(TO, toStan);
		return this.finish(trace, batch);
	}

	/** 402: one transaction. */
	transaction(trace: number, { batch, stan }: MovementKey): number {
		this.begin(SyncCode.transaction);
		this.number(batch);
		this.number(stan);
		this.asked(FROM, stan);
		return this.finish(trace, batch);
	}

	/**
	 * 403: the merchant's account is to get what it is owed.
	 * @param requestId - 16 bytes, the same at each repeat: it makes the request once only
	 * @param evidence - digest, 32 bytes
	 */
	claim(trace: number, key: MovementKey, requestId: Uint8Array, amountMinor: number, evidence: Uint8Array): number {
		return this.request(SyncCode.claim, trace, key, requestId, amountMinor, evidence);
	}

	/** 404: the card is to get back what it was debited wrongly. Parameters as {@link claim}. */
	credit(trace: number, key: MovementKey, requestId: Uint8Array, amountMinor: number, evidence: Uint8Array): number {
		return this.request(SyncCode.credit, trace, key, requestId, amountMinor, evidence);
	}

	/** 405: where a request stands. @param batch - of the request's transaction */
	requestState(trace: number, batch: number, requestId: Uint8Array): number {
		this.begin(SyncCode.requestState);
		this.bytes(requestId, REQUEST_ID_BYTES);
		return this.finish(trace, batch);
	}

	/** 406: what stands in a batch, up to a STAN. @param chainHead - of the evidence, 32 bytes */
	digest(trace: number, batch: number, toStan: number, chainHead: Uint8Array): number {
		this.begin(SyncCode.digest);
		this.number(batch);
		this.number(toStan);
		this.bytes(chainHead, EVIDENCE_BYTES);
		return this.finish(trace, batch);
	}

	/** 407: a repayment or top-up is to be sent to the far side again. */
	farSide(trace: number, { batch, stan }: MovementKey, requestId: Uint8Array): number {
		this.begin(SyncCode.farSide);
		this.bytes(requestId, REQUEST_ID_BYTES);
		this.number(batch);
		this.number(stan);
		return this.finish(trace, batch);
	}

	/**
	 * Answer to 401. Makes no garbage but one view.
	 * @param page - empty when the verdict is another than "taken", and after an error
	 * @throws {CodedError} "missing" without DE 62; "mismatch" for another nonce; "length", "charset", "range" for what is no
	 * entry; "order" for entries that do not ascend or are not of the range; "format" for a page that contradicts itself
	 */
	readPage(answer: MessageDecoder, page: EntryPage): SyncVerdict {
		page.clear();
		const bytes = this.open(answer, this.isAsked(SyncCode.list));
		if (typeof bytes === "string") return bytes;
		checkLength(bytes, NONCE_BYTES + 2, bytes.length);
		const count = bytes[NONCE_BYTES];
		const more = bytes[NONCE_BYTES + 1];
		if (count > PAGE_ENTRIES_MAX) throw new CodedError("range", `${PLACE} count`);
		if (more > 1) throw new CodedError("range", `${PLACE} more`);
		const first = NONCE_BYTES + 2;
		checkLength(bytes, first + count * ENTRY_BYTES, first + count * ENTRY_BYTES);
		const toStan = this.wasAsked(TO);
		let lastStan = this.wasAsked(FROM) - 1;
		for (let n = 0; n < count; n++) {
			const at = first + n * ENTRY_BYTES;
			const stan = readBcd(bytes, at, NUMBER_BYTES, `${PLACE} entry STAN`);
			if (stan <= lastStan || stan > toStan) throw new CodedError("order", `${PLACE} entry ${n}`);
			lastStan = stan;
			page.stans[n] = stan;
			page.kinds[n] = kindOf(bytes, at);
			page.amounts[n] = readBcd(bytes, at + AMOUNT_AT, AMOUNT_BYTES, `${PLACE} entry amount`);
			page.flags[n] = bytes[at + FLAGS_AT];
			page.reasons[n] = bytes[at + REASON_AT];
			checkRrn(bytes, at + RRN_AT);
			for (let i = 0; i < RRN_BYTES; i++) page.rrns[n * RRN_BYTES + i] = bytes[at + RRN_AT + i];
		}
		// A list that never ends: more, and nothing that could be behind it.
		if (more === 1 && (count === 0 || lastStan === toStan)) throw new CodedError("format", `${PLACE} more`);
		page.count = count;
		page.more = more === 1;
		return "taken";
	}

	/** Answer to 402. @throws {CodedError} as readPage; "mismatch" for another transaction */
	readEntry(answer: MessageDecoder, entry: Entry): SyncVerdict {
		entry.clear();
		const bytes = this.open(answer, this.isAsked(SyncCode.transaction));
		if (typeof bytes === "string") return bytes;
		const at = NONCE_BYTES + 1;
		const end = at + ENTRY_BYTES + 2 * STAMP_BYTES;
		checkLength(bytes, end, end);
		const found = bytes[NONCE_BYTES];
		if (found > 1) throw new CodedError("range", `${PLACE} found`);
		if (found === 0) {
			for (let i = at; i < end; i++) if (bytes[i] !== 0) throw new CodedError("format", `${PLACE} found`);
			return "taken";
		}
		const stan = readBcd(bytes, at, NUMBER_BYTES, `${PLACE} entry STAN`);
		if (stan !== this.wasAsked(FROM)) throw new CodedError("mismatch", `${PLACE} entry STAN`);
		const kind = kindOf(bytes, at);
		const amountMinor = readBcd(bytes, at + AMOUNT_AT, AMOUNT_BYTES, `${PLACE} entry amount`);
		checkRrn(bytes, at + RRN_AT);
		const recordedAt = readStamp(bytes, at + ENTRY_BYTES, `${PLACE} recorded at`);
		const postedAt = readStamp(bytes, at + ENTRY_BYTES + STAMP_BYTES, `${PLACE} posted at`);
		entry.found = true;
		entry.kind = kind;
		entry.amountMinor = amountMinor;
		entry.flags = bytes[at + FLAGS_AT];
		entry.reason = bytes[at + REASON_AT];
		entry.rrn = readAscii(bytes, at + RRN_AT, at + RRN_AT + RRN_BYTES).trim();
		entry.recordedAt = recordedAt;
		entry.postedAt = postedAt;
		return "taken";
	}

	/** Answer to 403, 404, 405 and 407. @throws {CodedError} as readPage */
	readRequest(answer: MessageDecoder, request: RequestAnswer): SyncVerdict {
		request.clear();
		const { claim, credit, requestState, farSide } = SyncCode;
		const asked = this.isAsked(claim) || this.isAsked(credit) || this.isAsked(requestState) || this.isAsked(farSide);
		const bytes = this.open(answer, asked);
		if (typeof bytes === "string") return bytes;
		const stateAt = NONCE_BYTES + REFERENCE_CHARACTERS;
		const end = stateAt + 2 + STAMP_BYTES;
		checkLength(bytes, end, end);
		for (let i = NONCE_BYTES; i < stateAt; i++) {
			if (bytes[i] < 0x20 || bytes[i] > 0x7e) throw new CodedError("charset", `${PLACE} reference`);
		}
		const state = bytes[stateAt];
		if (state < RequestState.received || state > RequestState.done) throw new CodedError("range", `${PLACE} state`);
		const expectedAt = readStamp(bytes, stateAt + 2, `${PLACE} expected by`);
		request.reference = readAscii(bytes, NONCE_BYTES, stateAt).trim();
		request.state = state;
		request.reason = bytes[stateAt + 1];
		request.expectedAt = expectedAt;
		return "taken";
	}

	/** Answer to 406. Makes no garbage but one view. @throws {CodedError} as readPage */
	readDigest(answer: MessageDecoder, digest: DigestAnswer): SyncVerdict {
		digest.clear();
		const bytes = this.open(answer, this.isAsked(SyncCode.digest));
		if (typeof bytes === "string") return bytes;
		const first = NONCE_BYTES + DIGEST_BYTES;
		const end = first + digest.sums.length * SUM_BYTES;
		checkLength(bytes, end, end);
		for (let n = 0; n < digest.sums.length; n++) {
			const at = first + n * SUM_BYTES;
			const sumMinor = readBcd(bytes, at + 2, AMOUNT_BYTES, `${PLACE} sum`);
			if (readU16(bytes, at) === 0 && sumMinor !== 0) throw new CodedError("format", `${PLACE} sum`, "of nothing");
		}
		for (let n = 0; n < digest.sums.length; n++) {
			const at = first + n * SUM_BYTES;
			digest.sums[n].count = readU16(bytes, at);
			digest.sums[n].sumMinor = readBcd(bytes, at + 2, AMOUNT_BYTES, `${PLACE} sum`);
		}
		for (let i = 0; i < DIGEST_BYTES; i++) digest.digest[i] = bytes[NONCE_BYTES + i];
		return "taken";
	}

	private request(
		code: SyncCode,
		trace: number,
		{ batch, stan }: MovementKey,
		requestId: Uint8Array,
		amountMinor: number,
		evidence: Uint8Array,
	): number {
		this.begin(code);
		this.bytes(requestId, REQUEST_ID_BYTES);
		this.number(batch);
		this.number(stan);
		writeBcd(this.#data, this.#length, amountMinor, 2 * AMOUNT_BYTES, "sync amount");
		this.#length += AMOUNT_BYTES;
		this.bytes(evidence, EVIDENCE_BYTES);
		return this.finish(trace, batch);
	}

	private begin(code: SyncCode): void {
		this.#expected = undefined;
		this.#place = 0;
		while ((this.#waiting & (1 << this.#place)) !== 0) this.#place++;
		assert(this.#place < QUESTIONS_MAX, "I10 no more questions at a time");
		this.asked(CODE, Number(code));
		this.#random.fill(this.#data.subarray(0, NONCE_BYTES));
		this.asked(NONCE, readU32(this.#data, 0));
		this.asked(NONCE + 1, readU32(this.#data, 4));
		this.#length = NONCE_BYTES;
	}

	private asked(what: number, value: number): void {
		this.#asked[this.#place * ASKED_NUMBERS + what] = value;
	}

	private wasAsked(what: number): number {
		return this.#asked[this.#place * ASKED_NUMBERS + what];
	}

	private isAsked(code: SyncCode): boolean {
		return this.wasAsked(CODE) === Number(code);
	}

	/** A batch or a STAN. */
	private number(value: number): void {
		assert(value >= 1 && value <= STAN_MAX, "a batch or a STAN");
		writeBcd(this.#data, this.#length, value, 2 * NUMBER_BYTES, "sync number");
		this.#length += NUMBER_BYTES;
	}

	private bytes(bytes: Uint8Array, byteLength: number): void {
		assert(bytes.length === byteLength, "id, nonce and digest have their lengths");
		this.#data.set(bytes, this.#length);
		this.#length += byteLength;
	}

	private finish(trace: number, batch: number): number {
		const encoder = this.#encoder;
		const code = `${this.wasAsked(CODE)}`;
		encoder.begin("0300");
		encoder.number(11, trace);
		encoder.ascii(41, this.#config.terminalId);
		encoder.ascii(42, this.#config.merchantId);
		encoder.digits(60, `${TYPE}${`${batch}`.padStart(6, "0")}${code}`);
		encoder.bytes(62, this.#data, 0, this.#length);
		const byteLength = encoder.finishWithMac(this.#mac);
		this.#expected = {
			mti: "0310",
			stan: trace,
			messageType: TYPE,
			batch,
			networkCode: code,
			ticket: 0,
			mac: "sync",
		};
		return byteLength;
	}

	/** @param asked - it was. @returns DE 62, its nonce checked, or why there is none to read */
	private open(answer: MessageDecoder, asked: boolean): Uint8Array | SyncVerdict {
		assert(asked, "an answer is read as what was asked");
		const refusal = refusalOf(answer);
		// Who does not know the message knows of no nonce.
		if (refusal !== undefined && !answer.has(62)) return refusal;
		if (!answer.has(62)) throw new CodedError("missing", PLACE);
		const bytes = answer.bytes(62);
		checkLength(bytes, NONCE_BYTES, bytes.length);
		const isOurs = readU32(bytes, 0) === this.wasAsked(NONCE) && readU32(bytes, 4) === this.wasAsked(NONCE + 1);
		if (!isOurs) throw new CodedError("mismatch", `${PLACE} nonce`);
		return refusal ?? bytes;
	}
}

function refusalOf(answer: MessageDecoder): SyncVerdict | undefined {
	if (answer.equals(39, APPROVED)) return undefined;
	for (const code of UNKNOWN_TO_HOST) if (answer.equals(39, code)) return "unsupported";
	return "refused";
}

function checkLength(bytes: Uint8Array, least: number, most: number): void {
	if (bytes.length < least || bytes.length > most) {
		throw new CodedError("length", PLACE, `${bytes.length} bytes`);
	}
}

/** A number that the terminal does not know is the comparison's business; none is not. */
function kindOf(bytes: Uint8Array, entryAt: number): number {
	const kind = bytes[entryAt + KIND_AT];
	if (kind === 0) throw new CodedError("range", `${PLACE} entry kind`);
	return kind;
}

/** Letters, digits and spaces, as DE 37. */
function checkRrn(bytes: Uint8Array, start: number): void {
	for (let i = start; i < start + RRN_BYTES; i++) {
		const code = bytes[i];
		const digit = code >= 0x30 && code <= 0x39;
		const letter = (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a);
		if (!digit && !letter && code !== 0x20) throw new CodedError("charset", `${PLACE} entry RRN`);
	}
}
