/**
 * Requests as the acquirer reads them. What a request must carry is checked here, whole, before anything is done with
 * it; which kind it is follows from its MTI, DE 3 and 60.1 alone.
 * Source: the table of messages in PROTOCOL.md; test/vectors/unionpay.json.
 * @module
 */
import { CodedError } from "../../src/core/errors";
import type { MessageDecoder } from "../../src/iso8583/decoder";
import { maskLast4, maskPan } from "../../src/iso8583/mask";
import type { FarSideType } from "./far-sides";
import type { MovementKey } from "./movement";

export const MTI_SIGN_ON = "0800";
export const MTI_SIGN_OFF = "0820";
export const MTI_SYNC = "0300";
export const MTI_REVERSAL = "0400";
export const MTI_SETTLEMENT = "0500";
export const MTI_UPLOAD = "0320";

/** What the host carries out beside sign-on and sign-off; anything else is answered 40. */
export type RequestKind =
	| "sale"
	| "repayment"
	| "topUp"
	| "void"
	| "balance"
	| "query"
	| "reversal"
	| "voidReversal"
	| "offlineSale"
	| "refund"
	| "resend";

interface KindRow {
	readonly kind: RequestKind;
	readonly mti: string;
	/** DE 3. */
	readonly processingCode: string;
	/** DE 60.1. */
	readonly type: string;
}

/** DE 3 of a repayment or top-up. */
const FAR_SIDE_CODE = "500000";

/** A message that lacks DE 3 or 60 is the first of its MTI with a fault in its format, and is answered as such. */
const KINDS: readonly KindRow[] = [
	{ kind: "sale", mti: "0200", processingCode: "000000", type: "22" },
	{ kind: "void", mti: "0200", processingCode: "200000", type: "23" },
	{ kind: "query", mti: "0200", processingCode: "310000", type: "02" },
	{ kind: "balance", mti: "0200", processingCode: "310000", type: "01" },
	{ kind: "repayment", mti: "0200", processingCode: FAR_SIDE_CODE, type: "51" },
	{ kind: "topUp", mti: "0200", processingCode: FAR_SIDE_CODE, type: "52" },
	{ kind: "reversal", mti: MTI_REVERSAL, processingCode: "000000", type: "22" },
	{ kind: "reversal", mti: MTI_REVERSAL, processingCode: FAR_SIDE_CODE, type: "51" },
	{ kind: "reversal", mti: MTI_REVERSAL, processingCode: FAR_SIDE_CODE, type: "52" },
	{ kind: "voidReversal", mti: MTI_REVERSAL, processingCode: "200000", type: "23" },
	{ kind: "offlineSale", mti: "0220", processingCode: "000000", type: "36" },
	{ kind: "resend", mti: "0220", processingCode: "000000", type: "30" },
	{ kind: "refund", mti: "0220", processingCode: "200000", type: "25" },
];

/** Requests that can move money, by MTI: the faults strike these, whatever else is wrong with them. */
const MONEY_MTIS = ["0200", "0220", MTI_REVERSAL];

/** MTIs of messages that carry no MAC. Source: the table of messages. */
const PLAIN_MTIS = [MTI_SIGN_ON, MTI_SIGN_OFF, MTI_SETTLEMENT, MTI_UPLOAD];

/** MTIs of requests; the dialect's others are answers. */
const REQUEST_MTIS = [...MONEY_MTIS, ...PLAIN_MTIS, MTI_SYNC];

export function isRequest(mti: string): boolean {
	return REQUEST_MTIS.includes(mti);
}

export function canMoveMoney(mti: string): boolean {
	return MONEY_MTIS.includes(mti);
}

/** What protects a message: nothing, the session's MAC, or the MAC of sync messages. */
export function protectionOf(mti: string): "none" | "session" | "sync" {
	if (mti === MTI_SYNC) return "sync";
	return PLAIN_MTIS.includes(mti) ? "none" : "session";
}

/** @returns undefined for a message this host does not carry out */
export function kindOf(message: MessageDecoder): RequestKind | undefined {
	const typed = message.has(60) && message.count(60) >= 2;
	const row = KINDS.find(
		({ mti, processingCode, type }) =>
			mti === message.mti &&
			(!message.has(3) || message.equals(3, processingCode)) &&
			(!typed || message.equalsAt(60, 0, type)),
	);
	return row?.kind;
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

/** What a void, a refund, a resend or a query says of the transaction it is about. */
export interface OriginalReference {
	/** By batch and STAN; undefined where 61 has zeros and only DE 37 tells it. */
	readonly key: MovementKey | undefined;
	/** DE 37, empty where there is none. */
	readonly rrn: string;
	/** DE 38, empty where there is none. */
	readonly authorization: string;
}

/** Opens PIN blocks: the keys that the message came under. */
export interface PinOpener {
	/** @param block - DE 52. @returns digits. @throws {CodedError} "format" at PIN_BLOCK_PLACE */
	decryptPin(block: Uint8Array, pan: string): string;
}

/** A request copied out of its frame, authenticated. */
export interface RequestFields {
	readonly kind: RequestKind;
	readonly key: MovementKey;
	/** Empty for a query. */
	readonly pan: string;
	/** The card number as logs and records show it. */
	readonly maskedPan: string;
	readonly amountMinor: number;
	/** YYMM; undefined in an offline sale and a resend: the issuer goes by its own. */
	readonly expiry: string | undefined;
	/** DE 39 of a reversal, else empty. */
	readonly reason: string;
	/** Of a repayment, a top-up, or the reversal of one. */
	readonly farSide: FarSideType | undefined;
	/** Whom a repayment or top-up is for, masked; empty in a reversal. */
	readonly payee: string;
	/** Read from the chip through its contacts: the answer carries issuer data. */
	readonly contactChip: boolean;
	readonly original: OriginalReference | undefined;
	/** As typed; undefined when the message carries no PIN block. */
	readonly pin: string | undefined;
	/** Host's wall time of arrival, ms since 1970. */
	readonly at: number;
}

/** ISO 4217, renminbi. */
export const CURRENCY = "156";

/** Fields each kind needs beside 11, 41, 42 and 60; a query needs none of the card's. */
const NEEDED: Readonly<Record<RequestKind, readonly number[]>> = {
	sale: [2, 3, 4, 14, 22, 25, 49],
	repayment: [2, 3, 4, 14, 22, 25, 49, 103],
	topUp: [2, 3, 4, 14, 22, 25, 49, 103],
	void: [2, 3, 4, 14, 22, 25, 49, 61],
	balance: [2, 3, 14, 22, 25, 49],
	query: [3, 61],
	reversal: [2, 3, 4, 14, 22, 25, 39, 49],
	voidReversal: [2, 3, 4, 14, 22, 25, 39, 49, 61],
	offlineSale: [2, 3, 4, 12, 13, 22, 25, 49],
	refund: [2, 3, 4, 14, 22, 25, 49, 61],
	resend: [2, 3, 4, 12, 13, 22, 25, 49, 61],
};

/** Those that are about another transaction. */
const WITH_ORIGINAL: readonly RequestKind[] = ["void", "voidReversal", "query", "refund", "resend"];

/**
 * @param kind - of {@link kindOf}
 * @throws {CodedError} "missing" | "mismatch" | "length" | "range" with the field: to be answered 30; and what `keys` throw
 */
export function readRequest(kind: RequestKind, message: MessageDecoder, keys: PinOpener, at: number): RequestFields {
	for (const de of NEEDED[kind]) message.offset(de);
	const pan = message.has(2) ? message.text(2) : "";
	const expiry = message.has(14) ? message.text(14) : undefined;
	if (message.has(49) && !message.equals(49, CURRENCY)) throw new CodedError("mismatch", "DE 49");
	// Two readings of one card in one message have to agree, or one of them is not the card that was there.
	if (message.has(35) && !message.text(35).startsWith(`${pan}D${expiry ?? ""}`)) {
		throw new CodedError("mismatch", "DE 35");
	}
	const key: MovementKey = {
		merchantId: message.text(42),
		terminalId: message.text(41),
		batch: message.numberAt(60, 2, 6),
		stan: message.number(11),
	};
	return {
		kind,
		key,
		pan,
		maskedPan: pan === "" ? "" : maskPan(pan),
		amountMinor: message.has(4) ? message.number(4) : 0,
		expiry,
		reason: message.mti === MTI_REVERSAL ? message.text(39) : "",
		farSide: farSideOf(message),
		payee: kind === "repayment" || kind === "topUp" ? readPayee(kind, message.text(103)) : "",
		contactChip: message.has(22) && message.equalsAt(22, 0, "05"),
		original: WITH_ORIGINAL.includes(kind) ? readOriginal(kind, message, key) : undefined,
		pin: message.has(52) ? keys.decryptPin(message.bytes(52), pan) : undefined,
		at,
	};
}

function farSideOf(message: MessageDecoder): FarSideType | undefined {
	if (!message.has(3) || !message.equals(3, FAR_SIDE_CODE)) return undefined;
	return message.equalsAt(60, 0, "51") ? "repayment" : "topUp";
}

/** DE 103: a card number of 12 to 19 digits, a phone number of 11. @returns it masked */
function readPayee(kind: FarSideType, text: string): string {
	const digits = text.trim();
	const right = kind === "repayment" ? /^\d{12,19}$/.test(digits) : /^\d{11}$/.test(digits);
	if (!right) throw new CodedError("range", "DE 103");
	return kind === "repayment" ? maskPan(digits) : maskLast4(digits);
}

/** DE 61: batch 6, STAN 6, and for most a date 4, which says nothing that the other two do not. */
function readOriginal(kind: RequestKind, message: MessageDecoder, key: MovementKey): OriginalReference {
	const batch = message.numberAt(61, 0, 6);
	const stan = message.numberAt(61, 6, 6);
	const rrn = message.has(37) ? message.text(37) : "";
	const named = batch !== 0 && stan !== 0;
	// A refund may come from another terminal of the shop, which knows only what the slip says.
	if (!named && (kind !== "refund" || rrn === "")) throw new CodedError("missing", "DE 61");
	return {
		key: named ? { merchantId: key.merchantId, terminalId: key.terminalId, batch, stan } : undefined,
		rrn,
		authorization: message.has(38) ? message.text(38) : "",
	};
}
