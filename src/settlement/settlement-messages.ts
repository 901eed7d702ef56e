/**
 * Settlement (0500) and batch upload (0320). Neither carries a MAC: what decides money is asked for by sync messages.
 * DE 48 of a settlement is [debit amount 12, count 3, credit amount 12, count 3, result 1] domestic, then foreign: 62
 * digits; this terminal knows no foreign cards. DE 48 of an upload is a count of rows 2 and up to 8 rows of [class 2,
 * STAN 6, card number 20 with leading zeros, amount 12]; of its end the count of all rows, 4.
 *
 * Invariants: a total is never clipped. A frame that holds card numbers is wiped once it is sent.
 * Source: PROTOCOL.md, "Messages"; test/vectors/unionpay.json.
 * @module
 */
import type { Config } from "../config";
import { assert } from "../core/assert";
import { CodedError } from "../core/errors";
import { checkAmount } from "../core/money";
import type { MessageDecoder } from "../iso8583/decoder";
import type { Dialect } from "../iso8583/dialect";
import { MessageEncoder } from "../iso8583/encoder";
import type { Expected } from "../iso8583/exchange";
import { KIND_REFUND } from "../transactions/records";
import { sameTotals, type Totals } from "./batch-totals";

/** Rows of one upload page at most. */
export const UPLOAD_ROWS_MAX = 8;
/** Counts have three digits. */
export const COUNT_MAX = 999;

/** What the host makes of a batch. "error": it has no totals to compare with. */
export type SettlementResult = "balanced" | "unbalanced" | "error";

/** The amounts and counts of one side. */
export interface MutableTotals extends Totals {
	debitMinor: number;
	debits: number;
	creditMinor: number;
	credits: number;
}

/** DE 48 of an answer; reused. */
export class SettlementAnswer {
	/**
	 * The result digits, domestic and foreign together; "balanced" only where the host's totals are also those that it was
	 * sent: who contradicts himself has not balanced.
	 */
	result: SettlementResult = "error";
	readonly domestic: MutableTotals = { debitMinor: 0, debits: 0, creditMinor: 0, credits: 0 };
	readonly foreign: MutableTotals = { debitMinor: 0, debits: 0, creditMinor: 0, credits: 0 };
}

const TYPE = "00";
const APPROVED = "00";
/** 60.3. */
const SETTLEMENT = "201";
const UPLOAD = "201";
const UPLOAD_END_BALANCED = "207";
const UPLOAD_END_UNBALANCED = "202";
/** Of DE 48. */
const SIDE_DIGITS = 31;
const PAN_DIGITS = 20;
const PAN_DIGITS_MIN = 12;
const PAN_DIGITS_MAX = 19;
const NO_TOTALS: Totals = { debitMinor: 0, debits: 0, creditMinor: 0, credits: 0 };
const NOTHING_FOREIGN = "0".repeat(SIDE_DIGITS);
const ZEROS = "0".repeat(PAN_DIGITS);
const RESULT_BALANCED = 1;
const RESULT_ERROR = 3;
/** An upload of 8 rows, where a dialect packs no digits. */
const FRAME_BYTES = 448;

export class SettlementMessages {
	readonly #encoder: MessageEncoder;
	readonly #config: Config;
	#expected: Expected | undefined;
	/** What was sent last. */
	readonly #sent: MutableTotals = { debitMinor: 0, debits: 0, creditMinor: 0, credits: 0 };
	/** The rows of a page, piece by piece: one text is made of them at the end. */
	readonly #pieces: string[] = [];
	/** Rows of the page that is being put together. */
	rows = 0;

	/** @param encoder - see MessageBuilder */
	constructor(dialect: Dialect, config: Config, encoder = new MessageEncoder(dialect, new Uint8Array(FRAME_BYTES))) {
		this.#encoder = encoder;
		this.#config = config;
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

	/**
	 * 0500. A repeat, with a trace number of its own, gets the same answer.
	 * @param trace - DE 11 of the message, as in all of these
	 * @returns bytes of {@link frame}, as all of these do
	 * @throws {CodedError} "overflow" for a count above 999 or a sum above 12 digits; "range"
	 */
	settlement(trace: number, batch: number, totals: Totals): number {
		const { debitMinor, debits, creditMinor, credits } = totals;
		const side = `${amount(debitMinor)}${count(debits)}${amount(creditMinor)}${count(credits)}0`;
		const encoder = this.begin("0500", trace);
		encoder.digits(48, side + NOTHING_FOREIGN);
		encoder.ascii(49, this.#config.currency);
		this.field60(batch, SETTLEMENT);
		encoder.ascii(63, `${this.#config.operatorId} `);
		const byteLength = encoder.finish();
		this.#sent.debitMinor = debitMinor;
		this.#sent.debits = debits;
		this.#sent.creditMinor = creditMinor;
		this.#sent.credits = credits;
		this.expect("0510", trace, batch, SETTLEMENT);
		return byteLength;
	}

	/**
	 * 0510.
	 * @returns "refused" when DE 39 is another than 00; `answer` is then as it was
	 * @throws {CodedError} "missing" | "length" | "range" in DE 48
	 */
	readSettlement(message: MessageDecoder, answer: SettlementAnswer): "taken" | "refused" {
		if (!message.equals(39, APPROVED)) return "refused";
		if (message.count(48) !== 2 * SIDE_DIGITS) throw new CodedError("length", "settlement DE 48");
		const domestic = message.numberAt(48, SIDE_DIGITS - 1, 1);
		const foreign = message.numberAt(48, 2 * SIDE_DIGITS - 1, 1);
		if (domestic < RESULT_BALANCED || domestic > RESULT_ERROR) throw new CodedError("range", "settlement result");
		if (foreign > RESULT_ERROR) throw new CodedError("range", "settlement foreign result");
		readSide(message, 0, answer.domestic);
		readSide(message, SIDE_DIGITS, answer.foreign);
		if (domestic === RESULT_ERROR || foreign === RESULT_ERROR) answer.result = "error";
		else {
			const same = sameTotals(answer.domestic, this.#sent) && sameTotals(answer.foreign, NO_TOTALS);
			const balanced = same && domestic === RESULT_BALANCED && foreign <= RESULT_BALANCED;
			answer.result = balanced ? "balanced" : "unbalanced";
		}
		return "taken";
	}

	/** Begins a page without rows. */
	beginPage(): void {
		this.#pieces.length = 0;
		this.rows = 0;
	}

	/**
	 * Adds a row, of {@link UPLOAD_ROWS_MAX} at most.
	 * @param kind - of the transaction
	 * @param pan - 12 to 19 digits
	 * @throws {CodedError} "length" | "overflow" | "range"; the row is not added
	 */
	addRow(kind: number, stan: number, pan: string, amountMinor: number): void {
		assert(this.rows < UPLOAD_ROWS_MAX, "I10 a page has 8 rows");
		assert(stan >= 1 && stan <= 999_999, "a STAN");
		if (pan.length < PAN_DIGITS_MIN || pan.length > PAN_DIGITS_MAX) throw new CodedError("length", "upload card");
		const money = amount(amountMinor);
		this.#pieces.push(uploadClass(kind), six(stan), ZEROS.slice(pan.length), pan, money);
		this.rows++;
	}

	/**
	 * 0320 with the rows since {@link beginPage}. It holds card numbers: {@link wipe} it once it is sent.
	 * @throws {CodedError} "charset" for a card number that is none
	 */
	upload(trace: number, batch: number): number {
		assert(this.rows > 0, "a page has rows");
		const encoder = this.begin("0320", trace);
		try {
			encoder.digits(48, `0${this.rows}${this.#pieces.join("")}`);
		} finally {
			this.beginPage();
		}
		this.field60(batch, UPLOAD);
		const byteLength = encoder.finish();
		this.expect("0330", trace, batch, UPLOAD);
		return byteLength;
	}

	/** 0320 that ends an upload. @param rows - of all pages. @throws {CodedError} "range" above 9999 */
	uploadEnd(trace: number, batch: number, rows: number, balanced: boolean): number {
		const text = `${rows}`.padStart(4, "0");
		if (text.length !== 4) throw new CodedError("range", "upload rows");
		const code = balanced ? UPLOAD_END_BALANCED : UPLOAD_END_UNBALANCED;
		const encoder = this.begin("0320", trace);
		encoder.digits(48, text);
		this.field60(batch, code);
		const byteLength = encoder.finish();
		this.expect("0330", trace, batch, code);
		return byteLength;
	}

	/** 0330, of a page or of the end. @returns "refused" when DE 39 is another than 00 */
	readUpload(message: MessageDecoder): "taken" | "refused" {
		return message.equals(39, APPROVED) ? "taken" : "refused";
	}

	/** Overwrites {@link frame} and forgets the rows. */
	wipe(): void {
		this.frame.fill(0);
		this.beginPage();
	}

	/** DE 11 to 42. */
	private begin(mti: string, trace: number): MessageEncoder {
		const encoder = this.#encoder;
		this.#expected = undefined;
		encoder.begin(mti);
		encoder.number(11, trace);
		encoder.ascii(41, this.#config.terminalId);
		encoder.ascii(42, this.#config.merchantId);
		return encoder;
	}

	private field60(batch: number, networkCode: string): void {
		this.#encoder.digits(60, `${TYPE}${six(batch)}${networkCode}`);
	}

	private expect(mti: string, stan: number, batch: number, networkCode: string): void {
		this.#expected = { mti, stan, messageType: TYPE, batch, networkCode, ticket: 0, mac: "none" };
	}
}

/** The class of a transaction in an upload: 00 a debit, 01 a credit. */
export function uploadClass(kind: number): string {
	return kind === KIND_REFUND ? "01" : "00";
}

function readSide(message: MessageDecoder, start: number, totals: MutableTotals): void {
	totals.debitMinor = message.numberAt(48, start, 12);
	totals.debits = message.numberAt(48, start + 12, 3);
	totals.creditMinor = message.numberAt(48, start + 15, 12);
	totals.credits = message.numberAt(48, start + 27, 3);
}

function amount(amountMinor: number): string {
	return `${checkAmount(amountMinor, "settlement amount")}`.padStart(12, "0");
}

/** Three digits. */
function count(value: number): string {
	if (!Number.isInteger(value) || value < 0) throw new CodedError("range", "settlement count");
	if (value > COUNT_MAX) throw new CodedError("overflow", "settlement count", "more than 3 digits");
	return `${value}`.padStart(3, "0");
}

function six(value: number): string {
	return `${value}`.padStart(6, "0");
}
