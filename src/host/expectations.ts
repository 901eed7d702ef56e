/**
 * What makes an answer belong to its request, for the exchanges that are open and for those that are over, in one typed
 * array (I10): as objects they would be the better half of the board's heap when a window of advices is in flight.
 * Every code of the protocol in it is digits, and becomes a number.
 * @module
 */
import { assert } from "../core/assert";
import type { MessageDecoder } from "../iso8583/decoder";
import { mtiWord } from "../iso8583/dialect";
import type { Expected } from "../iso8583/exchange";

/** Words of a row: MTI, type and what is there; STAN and 60.3; batch and the upper part of the amount; DE 3; ... */
const WORDS = 6;
const HEAD = 0;
const STAN = 1;
const BATCH = 2;
const PROCESSING_CODE = 3;
const AMOUNT = 4;
const TICKET = 5;

/** Of the head: 16 bits MTI, 7 bits type, then these. */
const TYPE_SHIFT = 16;
const TAKEN = 1 << 23;
const HAS_PROCESSING_CODE = 1 << 24;
const HAS_AMOUNT = 1 << 25;
const HAS_BATCH = 1 << 26;
const HAS_NETWORK_CODE = 1 << 27;
const SESSION_MAC = 1 << 28;
const SYNC_MAC = 1 << 29;
/** STAN and batch take 20 bits of a word, what else is in it the upper ones. */
const SIX_DIGITS = 0xf_ffff;
const UPPER_SHIFT = 20;
const LOW_VALUES = 0x1_0000_0000;

export class Expectations {
	readonly #rows: Uint32Array;

	constructor(rows: number) {
		this.#rows = new Uint32Array(rows * WORDS);
	}

	put(row: number, expected: Expected): void {
		const { mti, processingCode, amountMinor, stan, messageType, batch, networkCode, ticket, mac } = expected;
		const rows = this.#rows;
		const at = row * WORDS;
		let head = mtiWord(mti) | (digits(messageType, 2) << TYPE_SHIFT) | TAKEN;
		if (processingCode !== undefined) head |= HAS_PROCESSING_CODE;
		if (amountMinor !== undefined) head |= HAS_AMOUNT;
		if (batch !== undefined) head |= HAS_BATCH;
		if (networkCode !== undefined) head |= HAS_NETWORK_CODE;
		if (mac !== "none") head |= mac === "sync" ? SYNC_MAC : SESSION_MAC;
		rows[at + HEAD] = head;
		rows[at + STAN] = stan | (networkCode === undefined ? 0 : digits(networkCode, 3) << UPPER_SHIFT);
		rows[at + BATCH] = (batch ?? 0) | (Math.floor((amountMinor ?? 0) / LOW_VALUES) << UPPER_SHIFT);
		rows[at + PROCESSING_CODE] = processingCode === undefined ? 0 : digits(processingCode, 6);
		rows[at + AMOUNT] = (amountMinor ?? 0) >>> 0;
		rows[at + TICKET] = ticket;
	}

	/** Moves a row; where it was is free. */
	move(from: number, to: number): void {
		this.#rows.copyWithin(to * WORDS, from * WORDS, (from + 1) * WORDS);
		this.#rows[from * WORDS] = 0;
	}

	stan(row: number): number {
		return this.#rows[row * WORDS + STAN] & SIX_DIGITS;
	}

	ticket(row: number): number {
		return this.#rows[row * WORDS + TICKET];
	}

	mac(row: number): Expected["mac"] {
		const head = this.#rows[row * WORDS];
		if ((head & SYNC_MAC) !== 0) return "sync";
		return (head & SESSION_MAC) === 0 ? "none" : "session";
	}

	/** Undefined when the answer may have any amount. */
	amountMinor(row: number): number | undefined {
		const at = row * WORDS;
		if ((this.#rows[at] & HAS_AMOUNT) === 0) return undefined;
		return (this.#rows[at + BATCH] >>> UPPER_SHIFT) * LOW_VALUES + this.#rows[at + AMOUNT];
	}

	/** Is this message the answer of that row? False for a row that is free. */
	fits(row: number, message: MessageDecoder): boolean {
		const rows = this.#rows;
		const at = row * WORDS;
		const head = rows[at + HEAD];
		if ((head & TAKEN) === 0 || mtiWord(message.mti) !== (head & 0xffff)) return false;
		if (!message.has(11) || message.number(11) !== (rows[at + STAN] & SIX_DIGITS)) return false;
		if ((head & HAS_PROCESSING_CODE) === 0 ? message.has(3) : !isCode(message, rows[at + PROCESSING_CODE]))
			return false;
		if (!message.has(39) || !message.has(60) || message.count(60) < 8) return false;
		if (message.numberAt(60, 0, 2) !== ((head >>> TYPE_SHIFT) & 0x7f)) return false;
		if ((head & HAS_BATCH) !== 0 && message.numberAt(60, 2, 6) !== (rows[at + BATCH] & SIX_DIGITS)) return false;
		if ((head & HAS_NETWORK_CODE) === 0) return true;
		return message.count(60) >= 11 && message.numberAt(60, 8, 3) === rows[at + STAN] >>> UPPER_SHIFT;
	}
}

function isCode(message: MessageDecoder, code: number): boolean {
	return message.has(3) && message.count(3) === 6 && message.number(3) === code;
}

function digits(text: string, count: number): number {
	const value = Number(text);
	assert(text.length === count && Number.isInteger(value) && value >= 0, "a code of the protocol is digits");
	return value;
}
