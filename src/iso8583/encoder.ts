/**
 * Writes one message into memory the caller owns, field by field in ascending order, without garbage.
 * Invariants: a field is written whole or not at all; bytes past the result are untouched; the MAC is the last
 * field and covers a bitmap that already names it. Source: ISO 8583:1987, §4; see DESIGN.md.
 * @module
 */
import { assert } from "../core/assert";
import { fromHex, writeU16 } from "../core/bytes";
import { CodedError } from "../core/errors";
import type { Dialect, FieldRule } from "./dialect";
import {
	BITMAP_OFFSET,
	byteAllowed,
	DE_MAX,
	FIELDS_OFFSET,
	fieldPlace,
	HEADER_BYTES,
	isPacked,
	LENGTH_BYTES,
	lengthMaxIn,
	MAC_BYTES,
	MTI_OFFSET,
	mtiWord,
	nibbleOf,
	TPDU_BYTES,
} from "./dialect";

/** Computes a MAC over `bytes[start, end)` into 8 bytes at `out[outOffset]`. security/ has the implementations. */
export interface MacWriter {
	mac(bytes: Uint8Array, start: number, end: number, out: Uint8Array, outOffset: number): void;
}

export interface BeginOptions {
	/** 5 bytes instead of the dialect's. */
	readonly tpdu?: Uint8Array;
	/** 6 bytes instead of the dialect's. */
	readonly header?: Uint8Array;
	/** Announces a field above 64: the bitmap's place is fixed before the first field is written. */
	readonly secondary?: boolean;
}

export class MessageEncoder {
	readonly #dialect: Dialect;
	readonly #out: Uint8Array;
	readonly #tpdu: Uint8Array;
	readonly #header: Uint8Array;
	readonly #mtis: readonly number[];
	#mti = "";
	/** Where the next field begins; 0 outside begin … finish. */
	#position = 0;
	#lastDe = 0;
	#secondary = false;

	/** @param out - holds the result from its first byte on; LENGTH_BYTES + frameBytesMax bytes always suffice */
	constructor(dialect: Dialect, out: Uint8Array) {
		this.#dialect = dialect;
		this.#out = out;
		this.#tpdu = fromHex(dialect.tpdu, "iso8583 TPDU");
		this.#header = fromHex(dialect.header, "iso8583 header");
		assert(this.#tpdu.length === TPDU_BYTES && this.#header.length === HEADER_BYTES, "dialect TPDU and header");
		this.#mtis = dialect.messages.flatMap((rule) => [mtiWord(rule.mti), mtiWord(rule.answer)]);
	}

	/**
	 * Begins a message and forgets an unfinished one.
	 * @throws {CodedError} "unknown" for an MTI the dialect lacks; "length" for a bad TPDU, header, or no room
	 */
	begin(mti: string, options?: BeginOptions): void {
		this.#position = 0;
		const word = mtiWord(mti);
		if (word < 0 || !this.#mtis.includes(word)) throw new CodedError("unknown", "iso8583 MTI");
		const tpdu = options?.tpdu ?? this.#tpdu;
		const header = options?.header ?? this.#header;
		const secondary = options?.secondary === true;
		if (tpdu.length !== TPDU_BYTES) throw new CodedError("length", "iso8583 TPDU");
		if (header.length !== HEADER_BYTES) throw new CodedError("length", "iso8583 header");
		const out = this.#out;
		const end = FIELDS_OFFSET + (secondary ? 8 : 0);
		if (end > out.length) throw new CodedError("length", "iso8583 frame", "no room");
		for (let i = 0; i < TPDU_BYTES; i++) out[LENGTH_BYTES + i] = tpdu[i];
		for (let i = 0; i < HEADER_BYTES; i++) out[LENGTH_BYTES + TPDU_BYTES + i] = header[i];
		writeU16(out, MTI_OFFSET, word);
		for (let i = BITMAP_OFFSET; i < end; i++) out[i] = 0;
		if (secondary) out[BITMAP_OFFSET] = 0x80;
		this.#mti = mti;
		this.#secondary = secondary;
		this.#lastDe = 1;
		this.#position = end;
	}

	/** An n or z field; a fixed length must be exact. @throws {CodedError} "length" | "charset" | "order" | "unknown" */
	digits(de: number, text: string): void {
		const rule = this.#rule(de);
		assert(isPacked(rule), "digits() is for n and z");
		const count = text.length;
		const start = this.#prefix(de, rule, count);
		const end = this.#room(de, start, (count + 1) >> 1);
		const out = this.#out;
		// An odd count leaves one nibble: the first when right-justified, else the last.
		const shift = (count & 1) !== 0 && rule.justify === "right" ? 1 : 0;
		for (let at = start; at < end; at++) {
			const index = 2 * (at - start) - shift;
			const high = index < 0 ? 0 : nibbleOf(rule.format, text.charCodeAt(index));
			const low = index + 1 >= count ? 0 : nibbleOf(rule.format, text.charCodeAt(index + 1));
			if (high < 0 || low < 0) throw new CodedError("charset", fieldPlace(de, at));
			out[at] = (high << 4) | low;
		}
		this.#advance(de, end);
	}

	/** A fixed n field from a non-negative integer, zeros before it. @throws {CodedError} "range" | … */
	number(de: number, value: number): void {
		const rule = this.#rule(de);
		assert(rule.format === "n" && rule.prefix === 0, "number() is for n of fixed length");
		const count = rule.lengthMax;
		const start = this.#position;
		const end = this.#room(de, start, (count + 1) >> 1);
		if (!Number.isSafeInteger(value) || value < 0) throw new CodedError("range", fieldPlace(de, start));
		const out = this.#out;
		const shift = (count & 1) !== 0 && rule.justify === "right" ? 1 : 0;
		let rest = value;
		for (let at = end - 1; at >= start; at--) {
			const index = 2 * (at - start) - shift;
			let low = 0;
			if (index + 1 < count) {
				low = rest % 10;
				rest = (rest - low) / 10;
			}
			let high = 0;
			if (index >= 0) {
				high = rest % 10;
				rest = (rest - high) / 10;
			}
			out[at] = (high << 4) | low;
		}
		if (rest !== 0) throw new CodedError("range", fieldPlace(de, start), `more than ${count} digits`);
		this.#advance(de, end);
	}

	/** An an or ans field; a fixed length must be exact. @throws {CodedError} "length" | "charset" | "order" | "unknown" */
	ascii(de: number, text: string): void {
		const rule = this.#rule(de);
		assert(rule.format === "an" || rule.format === "ans", "ascii() is for an and ans");
		const start = this.#prefix(de, rule, text.length);
		const end = this.#room(de, start, text.length);
		const out = this.#out;
		for (let i = 0; i < text.length; i++) {
			const code = text.charCodeAt(i);
			if (code > 0x7e || !byteAllowed(rule, code)) throw new CodedError("charset", fieldPlace(de, start + i));
			out[start + i] = code;
		}
		this.#advance(de, end);
	}

	/** `data[from, to)` into a b, an or ans field. @throws {CodedError} "length" | "charset" | "order" | "unknown" */
	bytes(de: number, data: Uint8Array, from = 0, to = data.length): void {
		const rule = this.#rule(de);
		assert(!isPacked(rule), "bytes() is for b, an and ans");
		assert(from >= 0 && from <= to && to <= data.length, "bytes() range");
		const start = this.#prefix(de, rule, to - from);
		const end = this.#room(de, start, to - from);
		const out = this.#out;
		for (let i = from; i < to; i++) {
			if (!byteAllowed(rule, data[i])) throw new CodedError("charset", fieldPlace(de, start + i - from));
			out[start + i - from] = data[i];
		}
		this.#advance(de, end);
	}

	/**
	 * Ends a message that carries no MAC, or one that was written as a field.
	 * @returns bytes written, the 2-byte length included
	 * @throws {CodedError} "length" above the dialect's longest frame; "missing" when a secondary bitmap stays empty
	 */
	finish(): number {
		assert(this.#position > 0, "finish() without begin()");
		const end = this.#position;
		if (this.#secondary && this.#lastDe <= 64) throw new CodedError("missing", "iso8583 DE 1", "no field above 64");
		writeU16(this.#out, 0, end - LENGTH_BYTES);
		this.#position = 0;
		return end;
	}

	/**
	 * Ends a message with its MAC in DE 64, or 128 behind a secondary bitmap, over MTI to the field before it.
	 * @returns bytes written, the 2-byte length included
	 * @throws {CodedError} as finish(), and what `scheme` throws
	 */
	finishWithMac(scheme: MacWriter): number {
		const de = this.#secondary ? DE_MAX : 64;
		const rule = this.#rule(de);
		assert(rule.format === "b" && rule.prefix === 0 && rule.lengthMax === MAC_BYTES, "dialect MAC field");
		const start = this.#position;
		const end = this.#room(de, start, MAC_BYTES);
		// The bitmap is part of what the MAC covers, so its bit is set first.
		this.#advance(de, end);
		scheme.mac(this.#out, MTI_OFFSET, start, this.#out, start);
		return this.finish();
	}

	#rule(de: number): FieldRule {
		assert(this.#position > 0, "field without begin()");
		const rule = this.#dialect.fields[de];
		if (rule === undefined) throw new CodedError("unknown", fieldPlace(de, this.#position));
		if (de <= this.#lastDe) throw new CodedError("order", fieldPlace(de, this.#position), `after DE ${this.#lastDe}`);
		if (de > 64 && !this.#secondary) throw new CodedError("order", fieldPlace(de, this.#position), "no DE 1");
		// Behind a secondary bitmap DE 64 would leave the fields above it without protection.
		if (de === 64 && this.#secondary) throw new CodedError("order", fieldPlace(de, this.#position), "MAC is DE 128");
		return rule;
	}

	/** Checks the count and writes the length prefix. @returns where the content begins */
	#prefix(de: number, rule: FieldRule, count: number): number {
		const start = this.#position;
		const fits = rule.prefix === 0 ? count === rule.lengthMax : count <= lengthMaxIn(rule, this.#mti);
		if (!fits) throw new CodedError("length", fieldPlace(de, start), `${count}`);
		const content = this.#room(de, start, rule.prefix);
		let rest = count;
		for (let at = content - 1; at >= start; at--) {
			const pair = rest % 100;
			rest = (rest - pair) / 100;
			const low = pair % 10;
			this.#out[at] = (((pair - low) / 10) << 4) | low;
		}
		return content;
	}

	/** @returns the offset after `byteLength` bytes at `start`. @throws {CodedError} "length" without room for them */
	#room(de: number, start: number, byteLength: number): number {
		const end = start + byteLength;
		const limit = Math.min(this.#out.length, LENGTH_BYTES + this.#dialect.frameBytesMax);
		if (end > limit) throw new CodedError("length", fieldPlace(de, start), "no room");
		return end;
	}

	#advance(de: number, end: number): void {
		// The secondary bitmap follows the primary at once, so one formula serves both.
		this.#out[BITMAP_OFFSET + ((de - 1) >> 3)] |= 0x80 >> ((de - 1) & 7);
		this.#lastDe = de;
		this.#position = end;
	}
}
