/** Messages that a dialect's table allows, by chance: any of its messages, any of its fields, any value that fits. */
import type { SeededRandom } from "../../host-sim/board/seeded-random";
import { CodedError } from "../../src/core/errors";
import type { MessageDecoder } from "../../src/iso8583/decoder";
import {
	classOf,
	DE_MAX,
	type Dialect,
	type FieldRule,
	firstOutside,
	isDigits,
	lengthMaxIn,
} from "../../src/iso8583/dialect";
import type { MessageEncoder } from "../../src/iso8583/encoder";
import { layoutOf } from "../../src/iso8583/layout";

/** A field's value: digits and track data as text, all else as bytes. */
export type Value = string | Uint8Array;

export interface Message {
	readonly mti: string;
	readonly tpdu: Uint8Array;
	readonly header: Uint8Array;
	readonly secondary: boolean;
	/** By field number, ascending. */
	readonly fields: Map<number, Value>;
}

const DIGITS = "0123456789";
const TRACK = "0123456789D";

/** A value that the rule allows in the message. */
export function randomValue(random: SeededRandom, rule: FieldRule, mti: string): Value {
	const lengthMax = lengthMaxIn(rule, mti);
	// Short ones, so that many fields fit; now and then the longest, and one around it.
	const wish = random.chance(1, 8) ? lengthMax - random.below(2) : random.below(Math.min(lengthMax, 40) + 1);
	const length = rule.prefix === 0 ? rule.lengthMax : wish;
	if (isDigits(rule)) {
		const alphabet = rule.format === "n" ? DIGITS : TRACK;
		let text = "";
		for (let i = 0; i < length; i++) text += alphabet[random.below(alphabet.length)];
		return text;
	}
	const bytes = new Uint8Array(length);
	if (rule.format === "b") {
		random.fill(bytes);
		return bytes;
	}
	const allowed = classOf(rule);
	for (let i = 0; i < length; i++) {
		do bytes[i] = rule.wide ? random.below(256) : 0x20 + random.below(0x5f);
		while (firstOutside(allowed, bytes, i, i + 1) === i);
	}
	return bytes;
}

export function randomMessage(random: SeededRandom, dialect: Dialect): Message {
	const rule = random.pick(dialect.messages);
	const mti = random.chance(1, 2) ? rule.mti : rule.answer;
	const { tpduBytes, headerBytes } = layoutOf(dialect);
	const tpdu = new Uint8Array(tpduBytes);
	const header = new Uint8Array(headerBytes);
	random.fill(tpdu);
	random.fill(header);
	const share = 1 + random.below(8);
	const secondary = random.chance(1, 4);
	const fields = new Map<number, Value>();
	for (let de = 2; de <= DE_MAX; de++) {
		const field = dialect.fields[de];
		if (field === undefined || (de > 64 && !secondary) || (de === 64 && secondary)) continue;
		if (random.chance(share, 8)) fields.set(de, randomValue(random, field, mti));
	}
	const above = [...fields.keys()].some((de) => de > 64);
	return { mti, tpdu, header, secondary: secondary && above, fields };
}

/**
 * Fields for which there is no room any more are left out, in `message` too.
 * @returns bytes written
 */
export function encodeMessage(encoder: MessageEncoder, dialect: Dialect, message: Message): number {
	const { mti, tpdu, header, secondary, fields } = message;
	encoder.begin(mti, { tpdu, header, secondary });
	let above64 = 0;
	for (const [de, value] of fields) {
		try {
			putValue(encoder, de, value);
			if (de > 64) above64++;
		} catch (error) {
			if (!(error instanceof CodedError) || error.code !== "length") throw error;
			fields.delete(de);
		}
	}
	if (secondary && above64 === 0) return encodeMessage(encoder, dialect, { ...message, secondary: false });
	return encoder.finish();
}

export function putValue(encoder: MessageEncoder, de: number, value: Value): void {
	if (typeof value === "string") encoder.digits(de, value);
	else encoder.bytes(de, value);
}

/** What a decoder holds, as a message. */
export function readMessage(decoder: MessageDecoder): Message {
	const fields = new Map<number, Value>();
	for (let de = 2; de <= DE_MAX; de++) {
		const rule = decoder.dialect.fields[de];
		if (rule === undefined || !decoder.has(de)) continue;
		fields.set(de, isDigits(rule) ? decoder.text(de) : decoder.bytes(de).slice());
	}
	return {
		mti: decoder.mti,
		tpdu: decoder.tpdu().slice(),
		header: decoder.header().slice(),
		secondary: decoder.has(1),
		fields,
	};
}

/**
 * The same message with everything else in the places that the table hides: what is shown of it must not change.
 */
export function otherSecrets(random: SeededRandom, dialect: Dialect, message: Message): Message {
	const fields = new Map<number, Value>();
	for (const [de, value] of message.fields) {
		const rule = dialect.fields[de];
		const [first, last] = rule === undefined ? [0, 0] : shownEnds(rule, value.length);
		if (rule === undefined || rule.masking === "show" || value.length - first - last <= 0) {
			fields.set(de, value);
			continue;
		}
		const fixedLength: FieldRule = { ...rule, prefix: 0, lengthMax: value.length };
		const other = randomValue(random, fixedLength, message.mti);
		if (typeof value === "string" && typeof other === "string") {
			fields.set(
				de,
				value.slice(0, first) + other.slice(first, value.length - last) + value.slice(value.length - last),
			);
		} else if (typeof value !== "string" && typeof other !== "string") {
			for (let i = 0; i < first; i++) other[i] = value[i];
			for (let i = value.length - last; i < value.length; i++) other[i] = value[i];
			fields.set(de, other);
		}
	}
	return { ...message, fields };
}

/** Below this a number is too short for first 6 and last 4. Source: PCI DSS 4.0, §3.4.1. */
const PAN_DIGITS_MIN = 13;

/** How many of the first and of the last characters may be shown, by the table. */
function shownEnds(rule: FieldRule, length: number): [number, number] {
	if (rule.masking === "pan" && length >= PAN_DIGITS_MIN) return [6, 4];
	if (rule.masking === "pan" || rule.masking === "last4") return [0, length > 4 ? 4 : 0];
	return [0, 0];
}
