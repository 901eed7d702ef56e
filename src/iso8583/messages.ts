/**
 * Which fields each message of the UnionPay dialects carries, as data, and the check of a decoded message against it.
 *
 * A request is ours or comes to our host: it carries what it must, and nothing that the message does not have. An answer
 * comes from hosts that add and leave out (a declined one lacks 38, 44, 55), so of it only that is demanded without which
 * it belongs to no request. The MAC is none of the sets: where the message's rule wants one, a request carries it.
 * Source: public descriptions of the card network's terminal specification; the vectors in test/vectors/unionpay.json.
 * @module
 */
import { CodedError } from "../core/errors";
import type { MessageDecoder } from "./decoder";
import { DE_MAX } from "./dialect";

/** A bit for each DE, the lowest first. */
type FieldSet = Uint8Array;

export interface MessageShape {
	/** A request without one of these is refused. */
	readonly request: FieldSet;
	/** What else a request may carry. */
	readonly optional: FieldSet;
	/** An answer without one of these answers nothing; what else it carries is not looked at. */
	readonly answer: FieldSet;
}

function set(...des: number[]): FieldSet {
	const bits = new Uint8Array((DE_MAX >> 3) + 1);
	for (const de of des) bits[de >> 3] |= 1 << (de & 7);
	return bits;
}

export function isInSet(fields: FieldSet, de: number): boolean {
	return ((fields[de >> 3] >> (de & 7)) & 1) !== 0;
}

const NO_FIELDS = set();
/** Trace, terminal, merchant, type and batch: of every message. */
const PARTIES = [11, 41, 42, 60];
/** Of every message about a movement of money. */
const MOVEMENT = [3, 4, 22, 25, 49, ...PARTIES];
/** What card and holder add, as far as they were there. DE 53 names the keys. */
const CARD = [14, 23, 26, 35, 36, 52, 53, 55];

const ANSWER = set(39, ...PARTIES);
const MOVEMENT_ANSWER = set(3, 39, ...PARTIES);

const UPLOAD: MessageShape = { request: set(48, ...PARTIES), optional: NO_FIELDS, answer: ANSWER };
const FAR_SIDE: MessageShape = { request: set(103, ...MOVEMENT), optional: set(2, ...CARD), answer: MOVEMENT_ANSWER };

/** By the name of the message in the dialect. */
export const SHAPES: Readonly<Record<string, MessageShape>> = {
	"sign-on": { request: set(63, ...PARTIES), optional: NO_FIELDS, answer: ANSWER },
	"sign-off": { request: set(...PARTIES), optional: set(63), answer: ANSWER },
	sale: { request: set(...MOVEMENT), optional: set(2, ...CARD), answer: MOVEMENT_ANSWER },
	void: { request: set(37, 61, ...MOVEMENT), optional: set(2, 38, ...CARD), answer: MOVEMENT_ANSWER },
	refund: { request: set(2, 37, 61, 63, ...MOVEMENT), optional: set(38, ...CARD), answer: MOVEMENT_ANSWER },
	balance: { request: set(3, 22, 25, ...PARTIES), optional: set(2, 49, ...CARD), answer: MOVEMENT_ANSWER },
	"last-transaction query": {
		request: set(3, 61, ...PARTIES),
		optional: set(2, 4, 22, 25, 49, ...CARD),
		answer: MOVEMENT_ANSWER,
	},
	reversal: {
		request: set(2, 39, ...MOVEMENT),
		optional: set(14, 23, 38, 53, 55, 61, 103),
		answer: MOVEMENT_ANSWER,
	},
	"offline sale": { request: set(2, 12, 13, ...MOVEMENT), optional: set(14, 23, 53, 55), answer: MOVEMENT_ANSWER },
	resend: {
		request: set(2, 12, 13, 61, ...MOVEMENT),
		optional: set(14, 23, 37, 38, 53, 55),
		answer: MOVEMENT_ANSWER,
	},
	settlement: { request: set(48, 49, 63, ...PARTIES), optional: NO_FIELDS, answer: ANSWER },
	"batch upload": UPLOAD,
	"batch upload end, balanced": UPLOAD,
	"batch upload end, unbalanced": UPLOAD,
	repayment: FAR_SIDE,
	"top-up": FAR_SIDE,
	sync: { request: set(62, ...PARTIES), optional: NO_FIELDS, answer: ANSWER },
};

/**
 * Whether a decoded message carries what its kind has to.
 * @returns "unknown" for a message or a request's field that the dialect's messages do not have, "missing" with the field
 * that is not there; undefined when the shape is right
 */
export function checkShape(message: MessageDecoder): CodedError | undefined {
	const rule = message.rule;
	if (rule === undefined) return new CodedError("unknown", "iso8583 message", `MTI ${message.mti}`);
	if (!Object.hasOwn(SHAPES, rule.name)) return undefined; // A dialect whose shapes nobody has written down.
	const shape = SHAPES[rule.name];
	const isRequest = message.mti === rule.mti;
	const mandatory = isRequest ? shape.request : shape.answer;
	for (let de = 2; de <= DE_MAX; de++) {
		if (message.has(de)) {
			if (!isRequest || isInSet(mandatory, de) || isInSet(shape.optional, de)) continue;
			if (de === message.macDe && rule.mac !== "none") continue;
			return new CodedError("unknown", `iso8583 DE ${de}`, `not of a ${rule.name}`);
		}
		if (isInSet(mandatory, de)) return new CodedError("missing", `iso8583 DE ${de}`, `of a ${rule.name}`);
	}
	if (isRequest && rule.mac !== "none" && message.macDe === 0) {
		return new CodedError("missing", "iso8583 DE 64", `of a ${rule.name}`);
	}
	return undefined;
}
