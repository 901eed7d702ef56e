/**
 * Messages as the acquirer reads and answers them. What a request must carry is checked here, whole, before anything
 * is done with it; an answer is built from the request and an outcome, field by field as the first dialect has it.
 * @module
 */
import { CodedError } from "../../src/core/errors";
import { formatAmount } from "../../src/core/money";
import type { MessageDecoder } from "../../src/iso8583/decoder";
import type { MacWriter, MessageEncoder } from "../../src/iso8583/encoder";
import { maskPan } from "../../src/iso8583/mask";
import { hostDate, hostTime, settlementDate } from "./host-time";
import type { MovementKey } from "./movement";
import type { Outcome } from "./processor";

/** Codes of the messages that move money here; others are answered 40. */
export const MTI_SALE = "0200";
export const MTI_REVERSAL = "0400";
const PROCESSING_SALE = "000000";
const TYPE_SALE = "22";
/** ISO 4217, renminbi. */
const CURRENCY = "156";

/** What sale and reversal have in common, copied out of a frame. */
export interface RequestFields {
	readonly mti: string;
	readonly key: MovementKey;
	readonly pan: string;
	readonly maskedPan: string;
	readonly amountMinor: number;
	/** YYMM. */
	readonly expiry: string;
	/** DE 39 of a reversal, else empty. */
	readonly reason: string;
	/** Read from the chip through its contacts: the answer carries issuer data. */
	readonly contactChip: boolean;
	/** What the answer gives back unchanged. */
	readonly echo: EchoFields;
}

/** Fields an answer repeats; undefined where the request has none. */
export interface EchoFields {
	readonly mti: string;
	readonly tpdu: Uint8Array;
	readonly header: Uint8Array;
	readonly pan: string | undefined;
	readonly processingCode: string | undefined;
	readonly amount: string | undefined;
	readonly stan: string | undefined;
	readonly expiry: string | undefined;
	readonly condition: string | undefined;
	readonly terminalId: string | undefined;
	readonly merchantId: string | undefined;
	readonly currency: string | undefined;
	readonly private60: string | undefined;
}

/** True for a sale, or for the reversal of one: what this host can carry out. */
export function isSupported(message: MessageDecoder): boolean {
	if (message.mti !== MTI_SALE && message.mti !== MTI_REVERSAL) return false;
	// A message that lacks these is a sale with a fault in its format, and is answered as such.
	const otherCode = message.has(3) && !message.equals(3, PROCESSING_SALE);
	const otherType = message.has(60) && message.count(60) >= 2 && !message.equalsAt(60, 0, TYPE_SALE);
	return !otherCode && !otherType;
}

/** What is given back whatever else is wrong with the message. */
export function readEcho(message: MessageDecoder): EchoFields {
	const text = (de: number): string | undefined => (message.has(de) ? message.text(de) : undefined);
	return {
		mti: message.mti,
		tpdu: message.tpdu().slice(),
		header: message.header().slice(),
		pan: text(2),
		processingCode: text(3),
		amount: text(4),
		stan: text(11),
		expiry: text(14),
		condition: text(25),
		terminalId: text(41),
		merchantId: text(42),
		currency: text(49),
		private60: text(60),
	};
}

/**
 * Copies a sale or a reversal out of its frame.
 * @throws {CodedError} "missing" | "mismatch" | "range" with the field: to be answered 30
 */
export function readRequest(message: MessageDecoder, echo: EchoFields): RequestFields {
	const pan = message.text(2);
	const expiry = message.text(14);
	for (const de of [3, 22, 25]) message.offset(de);
	if (!message.equals(49, CURRENCY)) throw new CodedError("mismatch", "DE 49");
	// Two readings of one card in one message have to agree, or one of them is not the card that was there.
	if (message.has(35) && !message.text(35).startsWith(`${pan}D${expiry}`)) throw new CodedError("mismatch", "DE 35");
	return {
		mti: message.mti,
		key: {
			merchantId: message.text(42),
			terminalId: message.text(41),
			batch: message.numberAt(60, 2, 6),
			stan: message.number(11),
		},
		pan,
		maskedPan: maskPan(pan),
		amountMinor: message.number(4),
		expiry,
		reason: message.mti === MTI_REVERSAL ? message.text(39) : "",
		contactChip: message.text(22).startsWith("05"),
		echo,
	};
}

/** Institution numbers of DE 32 and 44: of no real bank. */
const ACQUIRER_ID = "48021000";
const ISSUER_ID = "03080000";

export interface AnswerOptions {
	/** Other amount than the request's: a fault. */
	readonly amountMinor?: number;
	readonly contactChip?: boolean;
	/** Undefined: the request had no MAC, and neither has the answer. */
	readonly mac: MacWriter | undefined;
}

/** @returns bytes written by the encoder. Source of the fields: test/vectors, sale-response and reversal-response */
export function writeAnswer(out: MessageEncoder, echo: EchoFields, outcome: Outcome, options: AnswerOptions): number {
	const approvedSale = echo.mti === MTI_SALE && outcome.code === "00";
	out.begin(answerMti(echo.mti), { tpdu: swappedTpdu(echo.tpdu), header: echo.header });
	if (approvedSale && echo.pan !== undefined) out.digits(2, echo.pan);
	if (echo.processingCode !== undefined) out.digits(3, echo.processingCode);
	if (options.amountMinor !== undefined) out.number(4, options.amountMinor);
	else if (echo.amount !== undefined) out.digits(4, echo.amount);
	if (echo.stan !== undefined) out.digits(11, echo.stan);
	out.digits(12, hostTime(outcome.at));
	out.digits(13, hostDate(outcome.at));
	if (approvedSale && echo.expiry !== undefined) out.digits(14, echo.expiry);
	if (approvedSale) out.digits(15, settlementDate(outcome.at));
	if (echo.mti === MTI_SALE && echo.condition !== undefined) out.digits(25, echo.condition);
	out.digits(32, ACQUIRER_ID);
	out.ascii(37, outcome.rrn);
	if (approvedSale) out.ascii(38, outcome.authorization);
	out.ascii(39, outcome.code);
	if (echo.terminalId !== undefined) out.ascii(41, echo.terminalId);
	if (echo.merchantId !== undefined) out.ascii(42, echo.merchantId);
	if (approvedSale) out.ascii(44, ISSUER_ID.padEnd(11) + ACQUIRER_ID.padEnd(11));
	if (echo.currency !== undefined) out.ascii(49, echo.currency);
	if (approvedSale && options.contactChip === true) out.bytes(55, issuerData(outcome));
	if (echo.private60 !== undefined) out.digits(60, echo.private60);
	if (approvedSale) out.ascii(63, "CUP");
	return options.mac === undefined ? out.finish() : out.finishWithMac(options.mac);
}

/** "0200" → "0210". */
function answerMti(mti: string): string {
	return `${mti.slice(0, 2)}${Number(mti[2]) + 1}${mti[3]}`;
}

/** Destination and origin change places. */
function swappedTpdu(tpdu: Uint8Array): Uint8Array {
	return Uint8Array.of(tpdu[0], tpdu[3], tpdu[4], tpdu[1], tpdu[2]);
}

/**
 * Issuer authentication data: tag 91, 8 bytes of cryptogram and 2 of response code. Source: EMV Book 3, annex A1.
 * The simulated issuer holds no card keys: digits of the RRN stand for the cryptogram, the same at each repeat.
 */
function issuerData(outcome: Outcome): Uint8Array {
	const data = new Uint8Array(12);
	data[0] = 0x91;
	data[1] = 10;
	for (let i = 0; i < 8; i++) data[2 + i] = outcome.rrn.charCodeAt(4 + i);
	data[10] = outcome.code.charCodeAt(0);
	data[11] = outcome.code.charCodeAt(1);
	return data;
}

/** One line for a person: what was asked, by which card (masked), what was answered. */
export function describe(request: RequestFields, outcome: Outcome): string {
	const name = request.mti === MTI_REVERSAL ? `reversal reason ${request.reason}` : "sale";
	const movement = `batch ${request.key.batch} stan ${request.key.stan} ${formatAmount(request.amountMinor)}`;
	const again = outcome.repeat ? " (repeat)" : "";
	return `${name} ${movement} ${request.maskedPan} -> ${outcome.code} rrn ${outcome.rrn}${again}`;
}
