/**
 * What somebody without keys puts on the line himself: noise, floods, messages of others, the host's answers with other
 * fields under the old MAC, and answers of his own under none.
 */
import type { SeededRandom } from "../../host-sim/board/seeded-random";
import { CodedError } from "../../src/core/errors";
import { MessageDecoder } from "../../src/iso8583/decoder";
import type { Dialect } from "../../src/iso8583/dialect";
import { MessageEncoder } from "../../src/iso8583/encoder";
import { layoutOf } from "../../src/iso8583/layout";
import { encodeMessage, randomMessage, randomValue, readMessage, type Value } from "./messages";

const FLOOD_BYTES = 65_536;

export class Forger {
	readonly #dialect: Dialect;
	readonly #random: SeededRandom;
	readonly #decoder: MessageDecoder;
	readonly #out: Uint8Array;
	readonly #encoder: MessageEncoder;

	constructor(dialect: Dialect, random: SeededRandom) {
		this.#dialect = dialect;
		this.#random = random;
		this.#decoder = new MessageDecoder(dialect);
		this.#out = new Uint8Array(layoutOf(dialect).frameBytesMax);
		this.#encoder = new MessageEncoder(dialect, this.#out);
	}

	/** Nothing that answers anything: noise, floods, messages of others. */
	noise(): Uint8Array {
		const random = this.#random;
		const dialect = this.#dialect;
		switch (random.below(6)) {
			case 0:
				return new Uint8Array(FLOOD_BYTES);
			case 1: {
				const flood = new Uint8Array(FLOOD_BYTES);
				random.fill(flood);
				return flood;
			}
			case 2: {
				// Frames of one byte, one behind the other.
				const flood = new Uint8Array(random.chance(1, 2) ? FLOOD_BYTES : 30);
				for (let at = 1; at < flood.length; at += 3) flood[at] = 1;
				return flood;
			}
			case 3: {
				const noise = new Uint8Array(1 + random.below(64));
				random.fill(noise);
				return noise;
			}
			default:
				return this.#out.slice(0, encodeMessage(this.#encoder, dialect, randomMessage(random, dialect)));
		}
	}

	/** The same message with one to three fields that say something else, or are not there, or were not; the old MAC. */
	rewritten(bytes: Uint8Array): Uint8Array {
		const random = this.#random;
		const dialect = this.#dialect;
		const decoder = this.#decoder;
		try {
			decoder.decode(bytes, bytes.length);
		} catch (error) {
			if (!(error instanceof CodedError)) throw error;
			return bytes;
		}
		const message = readMessage(decoder);
		const fields = new Map(message.fields);
		for (let changes = 1 + random.below(3); changes > 0; changes--) {
			const de = random.pick(ANSWER_FIELDS);
			const rule = dialect.fields[de];
			if (rule === undefined || (de === 64 && message.secondary)) continue;
			if (random.chance(1, 6)) fields.delete(de);
			else if (random.chance(1, 3))
				fields.set(de, nearly(random, fields.get(de) ?? randomValue(random, rule, message.mti)));
			else if (de === 39) fields.set(de, ascii(random.pick(CODES)));
			else fields.set(de, randomValue(random, rule, message.mti));
		}
		const sorted = new Map([...fields].sort(([a], [b]) => a - b));
		return this.#out.slice(0, encodeMessage(this.#encoder, dialect, { ...message, fields: sorted }));
	}

	/** An answer of his own to what the terminal asks, under no key. */
	forged(request: Uint8Array): Uint8Array {
		const random = this.#random;
		const dialect = this.#dialect;
		const decoder = this.#decoder;
		decoder.decode(request, request.length);
		const asked = readMessage(decoder);
		const rule = decoder.rule;
		const fields = new Map<number, Value>();
		for (const de of [3, 4, 11, 41, 42, 49, 60]) {
			const value = asked.fields.get(de);
			if (value !== undefined) fields.set(de, value);
		}
		fields.set(12, "093000");
		fields.set(13, "1122");
		fields.set(37, ascii("112200000001"));
		fields.set(38, ascii("000001"));
		fields.set(39, ascii(random.chance(1, 2) ? "00" : random.pick(CODES)));
		if (random.chance(1, 8)) fields.set(62, randomBytes(random, random.pick([0, 8, 40, 40, 41, 84])));
		if (random.chance(7, 8)) fields.set(64, random.chance(1, 2) ? hexCharacters(random) : randomBytes(random, 8));
		const sorted = new Map([...fields].sort(([a], [b]) => a - b));
		const mti = rule?.answer ?? asked.mti;
		return this.#out.slice(
			0,
			encodeMessage(this.#encoder, dialect, { ...asked, mti, secondary: false, fields: sorted }),
		);
	}
}

const ANSWER_FIELDS = [2, 3, 4, 11, 12, 13, 25, 32, 37, 38, 39, 39, 39, 41, 42, 44, 49, 55, 60, 60, 62, 62, 63, 64];
const CODES = ["00", "00", "11", "10", "05", "51", "55", "96", "A0", "97", "99", "12", "25", "zz", "  "];

function ascii(text: string): Uint8Array {
	return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

function randomBytes(random: SeededRandom, byteLength: number): Uint8Array {
	const bytes = new Uint8Array(byteLength);
	random.fill(bytes);
	return bytes;
}

function hexCharacters(random: SeededRandom): Uint8Array {
	return Uint8Array.from({ length: 8 }, () => "0123456789ABCDEF".charCodeAt(random.below(16)));
}

/** The same with one digit, or one bit, that is another. */
function nearly(random: SeededRandom, value: Value): Value {
	if (value.length === 0) return value;
	const at = random.below(value.length);
	if (typeof value === "string") return `${value.slice(0, at)}${random.below(10)}${value.slice(at + 1)}`;
	const bytes = value.slice();
	const bit = 1 << random.below(4);
	if ((bytes[at] & 0xf0) === 0x30 && (bytes[at] ^ bit) <= 0x39) bytes[at] ^= bit;
	return bytes;
}
