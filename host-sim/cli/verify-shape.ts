/**
 * What an evidence pack must look like, as data: every member, its kind and its bounds. See src/settlement/EVIDENCE.md.
 * @module
 */
import type { PackValue } from "./verify-json";

export type Shape =
	| { readonly is: "integer"; readonly min: number; readonly max: number }
	| { readonly is: "text"; readonly max: number; readonly pattern?: RegExp }
	| { readonly is: "array"; readonly of: Shape; readonly max: number }
	/** A name that ends with "?" may be absent. */
	| { readonly is: "object"; readonly members: Readonly<Record<string, Shape>> };

const integer = (min: number, max: number): Shape => ({ is: "integer", min, max });
const text = (max: number, pattern?: RegExp): Shape =>
	pattern === undefined ? { is: "text", max } : { is: "text", max, pattern };
const array = (of: Shape, max: number): Shape => ({ is: "array", of, max });
const object = (members: Readonly<Record<string, Shape>>): Shape => ({ is: "object", members });
const hex = (bytes: number): Shape => text(2 * bytes, new RegExp(`^[0-9a-f]{${2 * bytes}}$`));
const digits = (count: number): Shape => text(count, new RegExp(`^[0-9]{${count}}$`));

const U8 = integer(0, 0xff);
const U16 = integer(0, 0xffff);
const U24 = integer(0, 0xff_ffff);
const U32 = integer(0, 0xffff_ffff);
const TIME = integer(0, 999_999_999_999_999);
const AMOUNT = integer(0, 999_999_999_999);
const WORDS = text(400);
const PRINTABLE = /^[\x20-\x7e]*$/;

const CARD = object({ first: text(6, /^\d*$/), last: text(4, /^\d*$/) });

const HEADS = { begun: hex(32), ended: hex(32), id: U32 };

const TRANSACTION = object({
	"advice?": object({
		authorization: text(6, PRINTABLE),
		originalBatch: U24,
		originalDate: digits(4),
		originalStan: U24,
		rrn: text(12, PRINTABLE),
	}),
	"amountMinor?": AMOUNT,
	"batch?": U24,
	"card?": object({ first: digits(6), last: digits(4) }),
	"cardDigits?": U8,
	"condition?": digits(2),
	"ended?": object({
		"authorization?": text(6, PRINTABLE),
		"code?": text(2, PRINTABLE),
		flags: U8,
		"hostTime?": digits(10),
		reason: text(2, PRINTABLE),
		"rrn?": text(12, PRINTABLE),
		state: U8,
		stateName: text(40, PRINTABLE),
	}),
	"entryMode?": digits(3),
	"field60?": digits(5),
	id: U32,
	"kind?": U8,
	"lost?": integer(1, 1),
	"positions?": object({ "intent?": U32, "outcome?": U32, "step?": U32 }),
	"stan?": U24,
	"time?": U32,
});

const CASE = object({
	cause: WORDS,
	due: TIME,
	facts: array(WORDS, 64),
	history: array(object({ at: TIME, what: WORDS }), 64),
	hostAmountMinor: integer(-1, 999_999_999_999),
	hostFlags: U8,
	id: U32,
	opened: TIME,
	requests: array(
		object({
			amountMinor: AMOUNT,
			answered: TIME,
			at: TIME,
			batch: U24,
			code: U16,
			expected: text(12, /^\d*$/),
			id: hex(16),
			reason: U8,
			reference: text(12, PRINTABLE),
			stan: U24,
			state: U8,
		}),
		64,
	),
	row: WORDS,
	state: WORDS,
	step: WORDS,
	transaction: object({
		amountMinor: AMOUNT,
		batch: U24,
		card: CARD,
		id: U32,
		rrn: text(12, PRINTABLE),
		stan: U24,
	}),
	turn: WORDS,
});

const FRAME = object({
	at: TIME,
	batch: U24,
	bytes: U16,
	"cut?": integer(1, 1),
	direction: text(8, /^(sent|received)$/),
	hmac: hex(32),
	id: hex(12),
	"lost?": U16,
	"salt?": hex(16),
	sha256: hex(32),
	stan: U24,
	text: text(900),
});

const LINKS_MAX = 200_000;

export const PACK_SHAPE = object({
	body: object({
		"case?": CASE,
		chain: object({
			anchors: array(object({ ...HEADS, at: TIME, code: U16, hostTime: digits(14) }), 64),
			from: object(HEADS),
			links: array(object(HEADS), LINKS_MAX),
			lost: U32,
			mark: U32,
		}),
		device: object({
			firmware: text(40, PRINTABLE),
			generation: U16,
			journal: U32,
			merchant: text(15, PRINTABLE),
			terminal: text(8, PRINTABLE),
		}),
		frames: array(FRAME, LINKS_MAX),
		made: TIME,
		ring: integer(0, 1),
		"salt?": object({ check: hex(8), nonce: hex(16) }),
		scope: object({
			"case?": U32,
			"from?": TIME,
			kind: text(11, /^(case|day|transaction)$/),
			"to?": TIME,
			"transactions?": array(U32, 16),
		}),
		timeline: array(object({ at: TIME, "id?": U32, "stan?": U24, what: WORDS }), 2 * LINKS_MAX),
		transactions: array(TRANSACTION, LINKS_MAX),
	}),
	digests: object({
		"case?": hex(32),
		chain: hex(32),
		device: hex(32),
		frames: hex(32),
		made: hex(32),
		ring: hex(32),
		"salt?": hex(32),
		scope: hex(32),
		timeline: hex(32),
		transactions: hex(32),
	}),
	format: text(40, PRINTABLE),
	key: hex(32),
	signature: hex(64),
});

export type ShapeProblem = "missing" | "unknown" | "kind" | "bounds";

/** The first place that is not as it must be, undefined when there is none. */
export function misshapen(
	value: PackValue | undefined,
	shape: Shape,
	path = "",
): { path: string; problem: ShapeProblem } | undefined {
	if (value === undefined) return { path, problem: "missing" };
	switch (shape.is) {
		case "integer":
			if (typeof value !== "number") return { path, problem: "kind" };
			return value < shape.min || value > shape.max ? { path, problem: "bounds" } : undefined;
		case "text":
			if (typeof value !== "string") return { path, problem: "kind" };
			return value.length > shape.max || shape.pattern?.test(value) === false ? { path, problem: "bounds" } : undefined;
		case "array": {
			if (!Array.isArray(value)) return { path, problem: "kind" };
			if (value.length > shape.max) return { path, problem: "bounds" };
			for (let n = 0; n < value.length; n++) {
				const wrong = misshapen(value[n], shape.of, `${path}[${n}]`);
				if (wrong !== undefined) return wrong;
			}
			return undefined;
		}
		case "object":
			return misshapenObject(value, shape.members, path);
	}
}

function misshapenObject(
	value: PackValue,
	members: Readonly<Record<string, Shape>>,
	path: string,
): { path: string; problem: ShapeProblem } | undefined {
	if (typeof value !== "object" || Array.isArray(value)) return { path, problem: "kind" };
	const object = value as { readonly [key: string]: PackValue };
	const inner = (name: string): string => (path === "" ? name : `${path}.${name}`);
	for (const key of Object.keys(object)) {
		if (!Object.hasOwn(members, key) && !Object.hasOwn(members, `${key}?`))
			return { path: inner(key), problem: "unknown" };
	}
	for (const [name, shape] of Object.entries(members)) {
		const optional = name.endsWith("?");
		const key = optional ? name.slice(0, -1) : name;
		if (optional && object[key] === undefined) continue;
		const wrong = misshapen(object[key], shape, inner(key));
		if (wrong !== undefined) return wrong;
	}
	return undefined;
}
