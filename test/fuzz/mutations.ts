/**
 * Makes a frame wrong: as noise does (bits, bytes, truncations), as a broken peer does (lengths and bitmaps that lie,
 * nibbles that are no digits, fields twice), and as somebody who means it does (pieces of two frames in one).
 */
import type { SeededRandom } from "../../host-sim/board/seeded-random";
import { CodedError } from "../../src/core/errors";
import { MessageDecoder } from "../../src/iso8583/decoder";
import { DE_MAX, type Dialect, prefixBytes } from "../../src/iso8583/dialect";
import { type Layout, layoutOf, writeFrameLength } from "../../src/iso8583/layout";

const CHANGES_MAX = 4;
/** Longer than any frame may be: what is mutated may grow, but not for ever. */
const GROWN_BYTES_MAX = 2_048;

type Mutation = (random: SeededRandom, bytes: Uint8Array) => Uint8Array;

export class Mutator {
	readonly #dialect: Dialect;
	readonly #layout: Layout;
	readonly #decoder: MessageDecoder;
	/** Frames to take pieces from. */
	readonly #corpus: readonly Uint8Array[];
	readonly #mutations: readonly Mutation[];

	constructor(dialect: Dialect, corpus: readonly Uint8Array[]) {
		this.#dialect = dialect;
		this.#layout = layoutOf(dialect);
		this.#decoder = new MessageDecoder(dialect);
		this.#corpus = corpus;
		this.#mutations = [
			flipBit,
			flipBit,
			setByte,
			truncate,
			insert,
			remove,
			(random, bytes) => this.#badNibble(random, bytes),
			(random, bytes) => this.#bitmapLies(random, bytes),
			(random, bytes) => this.#lengthLies(random, bytes),
			(random, bytes) => this.#lengthLies(random, bytes),
			(random, bytes) => this.#fieldTwice(random, bytes),
			(random, bytes) => this.#splice(random, bytes),
		];
	}

	/** @returns a new frame with one to four things wrong; its length usually right again */
	mutate(random: SeededRandom, frame: Uint8Array): Uint8Array {
		let bytes: Uint8Array = frame.slice();
		for (let changes = 1 + random.below(CHANGES_MAX); changes > 0; changes--) {
			bytes = random.pick(this.#mutations)(random, bytes);
			if (bytes.length > GROWN_BYTES_MAX) bytes = bytes.slice(0, GROWN_BYTES_MAX);
		}
		if (random.chance(4, 5)) this.#setLength(bytes, bytes.length - this.#layout.lengthBytes);
		return bytes;
	}

	#setLength(bytes: Uint8Array, length: number): void {
		if (bytes.length >= this.#layout.lengthBytes && length >= 0) writeFrameLength(this.#dialect, bytes, length);
	}

	/** Offset, length and prefix of a field that is there, by chance; undefined when there is no message. */
	#field(random: SeededRandom, bytes: Uint8Array): { start: number; end: number; prefix: number } | undefined {
		const decoder = this.#decoder;
		try {
			decoder.decode(bytes, bytes.length);
		} catch (error) {
			if (!(error instanceof CodedError)) throw error;
			return undefined;
		}
		const present: number[] = [];
		for (let de = 2; de <= DE_MAX; de++) if (decoder.has(de)) present.push(de);
		if (present.length === 0) return undefined;
		const de = random.pick(present);
		const content = decoder.offset(de);
		const next = present[present.indexOf(de) + 1];
		const prefixOf = (field: number) => {
			const rule = decoder.dialect.fields[field];
			return rule === undefined ? 0 : prefixBytes(rule);
		};
		const end = next === undefined ? bytes.length : decoder.offset(next) - prefixOf(next);
		return { start: content - prefixOf(de), end, prefix: prefixOf(de) };
	}

	/** The prefix of a field, or of the frame, says something else. */
	#lengthLies(random: SeededRandom, bytes: Uint8Array): Uint8Array {
		const field = this.#field(random, bytes);
		if (field === undefined || field.prefix === 0) {
			this.#setLength(bytes, random.pick([0, 1, bytes.length, 0xffff, random.below(65_536)]));
			return bytes;
		}
		for (let at = field.start; at < field.start + field.prefix; at++) {
			bytes[at] = random.chance(1, 4) ? random.below(256) : (random.below(10) << 4) | random.below(10);
		}
		return bytes;
	}

	#fieldTwice(random: SeededRandom, bytes: Uint8Array): Uint8Array {
		const field = this.#field(random, bytes);
		if (field === undefined) return bytes;
		return joined(bytes.subarray(0, field.end), bytes.subarray(field.start));
	}

	/** The beginning of one, the end of another; as a rule where a field ends. */
	#splice(random: SeededRandom, bytes: Uint8Array): Uint8Array {
		const other = random.pick(this.#corpus);
		const whole = random.chance(3, 4);
		const head = (whole ? this.#field(random, bytes)?.end : undefined) ?? random.below(bytes.length + 1);
		const tail = (whole ? this.#field(random, other)?.start : undefined) ?? random.below(other.length + 1);
		return joined(bytes.subarray(0, head), other.subarray(tail));
	}

	/** Somewhere behind the bitmap. */
	#badNibble(random: SeededRandom, bytes: Uint8Array): Uint8Array {
		const { fieldsOffset } = this.#layout;
		if (bytes.length <= fieldsOffset) return bytes;
		const at = fieldsOffset + random.below(bytes.length - fieldsOffset);
		const nibble = 10 + random.below(6);
		bytes[at] = random.chance(1, 2) ? (nibble << 4) | (bytes[at] & 15) : (bytes[at] & 0xf0) | nibble;
		return bytes;
	}

	/** Fields that are not there, or the other way round. */
	#bitmapLies(random: SeededRandom, bytes: Uint8Array): Uint8Array {
		const { bitmapOffset, bitmapBytes, fieldsOffset } = this.#layout;
		const end = Math.min(bytes.length, fieldsOffset + (random.chance(1, 4) ? bitmapBytes : 0));
		if (end <= bitmapOffset) return bytes;
		const at = bitmapOffset + random.below(end - bitmapOffset);
		if (bitmapBytes === 8) bytes[at] ^= 0x80 >> random.below(8);
		else bytes[at] = "0123456789ABCDEF".charCodeAt(random.below(16));
		return bytes;
	}
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
	const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
	let at = 0;
	for (const part of parts) {
		bytes.set(part, at);
		at += part.length;
	}
	return bytes;
}

function flipBit(random: SeededRandom, bytes: Uint8Array): Uint8Array {
	if (bytes.length > 0) bytes[random.below(bytes.length)] ^= 0x80 >> random.below(8);
	return bytes;
}

function setByte(random: SeededRandom, bytes: Uint8Array): Uint8Array {
	if (bytes.length > 0) bytes[random.below(bytes.length)] = random.pick([0, 0xff, 0x20, 0x99, random.below(256)]);
	return bytes;
}

function truncate(random: SeededRandom, bytes: Uint8Array): Uint8Array {
	return bytes.slice(0, random.below(bytes.length + 1));
}

function insert(random: SeededRandom, bytes: Uint8Array): Uint8Array {
	const at = random.below(bytes.length + 1);
	const piece = new Uint8Array(1 + random.below(8));
	random.fill(piece);
	return joined(bytes.subarray(0, at), piece, bytes.subarray(at));
}

function remove(random: SeededRandom, bytes: Uint8Array): Uint8Array {
	const at = random.below(bytes.length + 1);
	return joined(bytes.subarray(0, at), bytes.subarray(at + 1 + random.below(8)));
}
