/**
 * Answers of the host, field by field as the first dialect has them: from what a request gives back and an outcome.
 * Source of the fields: test/vectors/unionpay.json (sign-on, sale, reversal and sync answers).
 * @module
 */
import { formatAmount } from "../../src/core/money";
import type { MacWriter, MessageEncoder } from "../../src/iso8583/encoder";
import { hostDate, hostTime, settlementDate } from "./host-time";
import type { Outcome } from "./outcome";
import { CURRENCY, type EchoFields, type RequestFields } from "./requests";

/** Institution numbers of DE 32 and 44: of no real bank. */
const ACQUIRER_ID = "48021000";
const ISSUER_ID = "03080000";

/** What a fault makes of an answer: other fields than the request's. */
export interface OtherFields {
	readonly amountMinor?: number;
	readonly terminalId?: string;
	readonly stan?: number;
}

/** No fault: every field is the request's or the outcome's. */
export const AS_ASKED: OtherFields = Object.freeze({});

/**
 * @param mac - undefined: the answer goes without a MAC
 * @param contactChip - an approval carries issuer data
 * @returns bytes written by the encoder
 */
export function writeAnswer(
	out: MessageEncoder,
	echo: EchoFields,
	outcome: Outcome,
	mac: MacWriter | undefined,
	contactChip: boolean,
	other: OtherFields,
): number {
	const carriesCard = echo.mti === "0200" || echo.mti === "0220";
	const approved = carriesCard && outcome.code === "00";
	begin(out, echo);
	if (approved && echo.pan !== undefined) out.digits(2, echo.pan);
	if (echo.processingCode !== undefined) out.digits(3, echo.processingCode);
	const amountMinor = other.amountMinor ?? outcome.amountMinor;
	if (amountMinor !== undefined) out.number(4, amountMinor);
	else if (echo.amount !== undefined) out.digits(4, echo.amount);
	if (other.stan !== undefined) out.number(11, other.stan);
	else if (echo.stan !== undefined) out.digits(11, echo.stan);
	out.digits(12, hostTime(outcome.at));
	out.digits(13, hostDate(outcome.at));
	if (approved && echo.expiry !== undefined) out.digits(14, echo.expiry);
	if (approved) out.digits(15, settlementDate(outcome.at));
	if (carriesCard && echo.condition !== undefined) out.digits(25, echo.condition);
	out.digits(32, ACQUIRER_ID);
	out.ascii(37, outcome.rrn);
	if (approved && outcome.authorization !== "") out.ascii(38, outcome.authorization);
	out.ascii(39, outcome.code);
	const terminalId = other.terminalId ?? echo.terminalId;
	if (terminalId !== undefined) out.ascii(41, terminalId);
	if (echo.merchantId !== undefined) out.ascii(42, echo.merchantId);
	if (approved) out.ascii(44, ISSUER_ID.padEnd(11) + ACQUIRER_ID.padEnd(11));
	if (echo.currency !== undefined) out.ascii(49, echo.currency);
	if (approved && outcome.balanceMinor !== undefined) out.ascii(54, balanceField(outcome.balanceMinor));
	if (approved && contactChip) out.bytes(55, issuerData(outcome));
	if (echo.private60 !== undefined) out.digits(60, echo.private60);
	if (approved) out.ascii(63, "CUP");
	return mac === undefined ? out.finish() : out.finishWithMac(mac);
}

export interface SignOnAnswer {
	/** DE 39. */
	readonly code: string;
	/** DE 60. */
	readonly private60: string;
	/** DE 62, empty where there is none. */
	readonly keys: Uint8Array;
	readonly at: number;
}

/** The answer to a sign-on or sign-off: no MAC, there is no key yet or no longer one. */
export function writeSignOnAnswer(out: MessageEncoder, echo: EchoFields, answer: SignOnAnswer): number {
	begin(out, echo);
	if (echo.stan !== undefined) out.digits(11, echo.stan);
	out.digits(12, hostTime(answer.at));
	out.digits(13, hostDate(answer.at));
	out.digits(32, ACQUIRER_ID);
	out.ascii(37, `${hostDate(answer.at)}00000000`); // No record stands behind it.
	out.ascii(39, answer.code);
	if (echo.terminalId !== undefined) out.ascii(41, echo.terminalId);
	if (echo.merchantId !== undefined) out.ascii(42, echo.merchantId);
	out.digits(60, answer.private60);
	if (answer.keys.length > 0) out.bytes(62, answer.keys);
	return out.finish();
}

export interface SyncAnswer {
	/** DE 39. */
	readonly code: string;
	/** DE 62: the request's nonce, 8 bytes, and what was asked for; empty when it had none. */
	readonly data: Uint8Array;
	readonly at: number;
	readonly mac: MacWriter | undefined;
}

/** The answer to a sync message: the nonce comes back, the MAC is that of sync messages. */
export function writeSyncAnswer(out: MessageEncoder, echo: EchoFields, answer: SyncAnswer): number {
	begin(out, echo);
	if (echo.stan !== undefined) out.digits(11, echo.stan);
	out.digits(12, hostTime(answer.at));
	out.digits(13, hostDate(answer.at));
	out.ascii(39, answer.code);
	if (echo.terminalId !== undefined) out.ascii(41, echo.terminalId);
	if (echo.merchantId !== undefined) out.ascii(42, echo.merchantId);
	if (echo.private60 !== undefined) out.digits(60, echo.private60);
	if (answer.data.length > 0) out.bytes(62, answer.data);
	return answer.mac === undefined ? out.finish() : out.finishWithMac(answer.mac);
}

export interface BatchAnswer {
	/** DE 39. */
	readonly code: string;
	/** DE 48, digits; empty where there is none. */
	readonly totals: string;
	readonly rrn: string;
	readonly at: number;
}

/** The answer to a settlement or an upload: no MAC. */
export function writeBatchAnswer(out: MessageEncoder, echo: EchoFields, answer: BatchAnswer): number {
	begin(out, echo);
	if (echo.stan !== undefined) out.digits(11, echo.stan);
	out.digits(12, hostTime(answer.at));
	out.digits(13, hostDate(answer.at));
	const settled = answer.totals !== "";
	if (settled) out.digits(15, settlementDate(answer.at));
	out.digits(32, ACQUIRER_ID);
	out.ascii(37, answer.rrn);
	out.ascii(39, answer.code);
	if (echo.terminalId !== undefined) out.ascii(41, echo.terminalId);
	if (echo.merchantId !== undefined) out.ascii(42, echo.merchantId);
	if (settled) out.digits(48, answer.totals);
	if (settled && echo.currency !== undefined) out.ascii(49, echo.currency);
	if (echo.private60 !== undefined) out.digits(60, echo.private60);
	if (settled) out.ascii(63, "CUP");
	return out.finish();
}

/** The answer's MTI, TPDU and header. */
function begin(out: MessageEncoder, { mti, tpdu, header }: EchoFields): void {
	// "0200" → "0210"; in the TPDU destination and origin change places.
	const answerMti = `${mti.slice(0, 2)}${Number(mti[2]) + 1}${mti[3]}`;
	out.begin(answerMti, { tpdu: Uint8Array.of(tpdu[0], tpdu[3], tpdu[4], tpdu[1], tpdu[2]), header });
}

/** DE 54: account type 10, amount type 02 (available), currency, sign, 12 digits. Source: ISO 8583:1987, DE 54. */
function balanceField(balanceMinor: number): string {
	return `1002${CURRENCY}${balanceMinor < 0 ? "D" : "C"}${`${Math.abs(balanceMinor)}`.padStart(12, "0")}`;
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

const NAMES: Readonly<Record<RequestFields["kind"], string>> = {
	sale: "sale",
	repayment: "repayment",
	topUp: "top-up",
	void: "void",
	balance: "balance",
	query: "query",
	reversal: "reversal",
	voidReversal: "reversal of a void",
	offlineSale: "offline sale",
	refund: "refund",
	resend: "resend",
};

/** One line for a person: what was asked, by which card (masked), what was answered. */
export function describe(request: RequestFields, outcome: Outcome): string {
	const { kind, key, original } = request;
	const reason = request.reason === "" ? "" : ` reason ${request.reason}`;
	const movement = `batch ${key.batch} stan ${key.stan}`;
	const amount = request.amountMinor === 0 ? "" : ` ${formatAmount(request.amountMinor)}`;
	const card = request.maskedPan === "" ? "" : ` ${request.maskedPan}`;
	let about = "";
	if (original?.key !== undefined) about = ` of batch ${original.key.batch} stan ${original.key.stan}`;
	else if (original !== undefined) about = ` of rrn ${original.rrn}`;
	const again = outcome.repeat ? " (repeat)" : "";
	return `${NAMES[kind]}${reason} ${movement}${amount}${card}${about} -> ${outcome.code} rrn ${outcome.rrn}${again}`;
}
