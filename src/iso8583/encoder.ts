/**
 * Writes one message into memory the caller owns, field by field in ascending order, without garbage.
 * Invariants: a field is written whole or not at all; bytes past the result are untouched; the MAC is the last
 * field and covers a bitmap that already names it. Source: ISO 8583:1987, §4; see DESIGN.md.
 * @module
 */
import { assert } from "../core/assert";
import { fromHex } from "../core/bytes";
import { CodedError } from "../core/errors";
import type { Dialect, FieldRule, Format } from "./dialect";
import {
	bytesOf,
	charAllowed,
	classOf,
	DE_MAX,
	fieldPlace,
	firstOutside,
	isDigits,
	lengthMaxIn,
	MAC_BYTES,
	mtiWord,
	nibbleOf,
	prefixBytes,
} from "./dialect";
import type { Layout } from "./layout";
import { layoutOf, packHex, writeBitmap, writeFrameLength, writeMti } from "./layout";

/** Computes a MAC over `bytes[start, end)` into 8 bytes at `out[outOffset]`. security/ has the implementations. */
export interface MacWriter {
	mac(bytes: Uint8Array, start: number, end: number, out: Uint8Array, outOffset: number): void;
}

export interface BeginOptions {
	/** As many bytes as the dialect's, instead of them. */
	readonly tpdu?: Uint8Array;
	/** As many bytes as the dialect's, instead of them. */
	readonly header?: Uint8Array;
	/** Announces a field above 64: the bitmap's place is fixed before the first field is written. */
	readonly secondary?: boolean;
}

export class MessageEncoder {
	readonly #dialect: Dialect;
	readonly #layout: Layout;
	readonly #out: Uint8Array;
	/** No byte of a frame lies at or behind this. */
	readonly #limit: number;
	readonly #tpdu: Uint8Array;
	readonly #header: Uint8Array;
	#mti = "";
	/** Where the next field begins; 0 outside begin … finish. */
	#position = 0;
	#lastDe = 0;
	/** Both bitmaps, as the decoder has them. */
	readonly #bitmap = new Int32Array(4);
	#secondary = false;

	/** @param out - holds the result from its first byte on; layoutOf(dialect).frameBytesMax bytes always suffice */
	constructor(dialect: Dialect, out: Uint8Array) {
		this.#dialect = dialect;
		this.#layout = layoutOf(dialect);
		this.#out = out;
		this.#limit = Math.min(out.length, this.#layout.frameBytesMax);
		this.#tpdu = fromHex(dialect.tpdu, "iso8583 TPDU");
		this.#header = fromHex(dialect.header, "iso8583 header");
	}

	/** What it writes into; what was written last is borrowed until the next begin(). */
	get frame(): Uint8Array {
		return this.#out;
	}

	/**
	 * Begins a message and forgets an unfinished one.
	 * @throws {CodedError} "unknown" for an MTI the dialect lacks; "length" for a bad TPDU, header, or no room
	 */
	begin(mti: string, options?: BeginOptions): void {
		this.#position = 0;
		const word = mtiWord(mti);
		if (word < 0 || !this.knows(mti)) throw new CodedError("unknown", "iso8583 MTI");
		const { lengthBytes, tpduBytes, headerBytes, mtiOffset, bitmapBytes, fieldsOffset } = this.#layout;
		const tpdu = options?.tpdu ?? this.#tpdu;
		const header = options?.header ?? this.#header;
		const secondary = options?.secondary === true;
		if (tpdu.length !== tpduBytes) throw new CodedError("length", "iso8583 TPDU");
		if (header.length !== headerBytes) throw new CodedError("length", "iso8583 header");
		const out = this.#out;
		const end = fieldsOffset + (secondary ? bitmapBytes : 0);
		if (end > this.#limit) throw new CodedError("length", "iso8583 frame", "no room");
		for (let i = 0; i < tpduBytes; i++) out[lengthBytes + i] = tpdu[i];
		for (let i = 0; i < headerBytes; i++) out[lengthBytes + tpduBytes + i] = header[i];
		writeMti(this.#dialect, out, mtiOffset, word);
		this.#bitmap.fill(0);
		if (secondary) this.setBit(1);
		this.#mti = mti;
		this.#secondary = secondary;
		this.#lastDe = 1;
		this.#position = end;
	}

	/** An n or z field; a fixed length must be exact. @throws {CodedError} "length" | "charset" | "order" | "unknown" */
	digits(de: number, text: string): void {
		const rule = this.rule(de);
		assert(isDigits(rule), "digits() is for n and z");
		const { format } = rule;
		const count = text.length;
		const start = this.prefix(de, rule, count);
		const end = this.room(de, start, bytesOf(rule, count));
		const out = this.#out;
		if (rule.coding === "bcd") {
			let index = leadingNibbles(rule, count);
			let at = start;
			if (index > 0) {
				out[at] = nibbleAt(de, at, format, text.charCodeAt(0));
				at++;
			}
			for (; index + 1 < count; index += 2, at++) {
				let high = text.charCodeAt(index) - 48;
				let low = text.charCodeAt(index + 1) - 48;
				if (high < 0 || high > 9 || low < 0 || low > 9) {
					high = nibbleOf(format, high + 48);
					low = nibbleOf(format, low + 48);
					// Either is −1 when it is no digit.
					if ((high | low) < 0) throw new CodedError("charset", fieldPlace(de, at));
				}
				out[at] = (high << 4) | low;
			}
			if (index < count) out[at] = nibbleAt(de, at, format, text.charCodeAt(index)) << 4;
		} else {
			for (let i = 0; i < count; i++) {
				const nibble = nibbleOf(format, text.charCodeAt(i));
				if (nibble < 0) throw new CodedError("charset", fieldPlace(de, start + i));
				out[start + i] = 0x30 + nibble; // The separator, nibble 13, is "=".
			}
		}
		this.advance(de, end);
	}

	/** A fixed n field from a non-negative integer, zeros before it. @throws {CodedError} "range" | … */
	number(de: number, value: number): void {
		const rule = this.rule(de);
		assert(rule.format === "n" && rule.prefix === 0, "number() is for n of fixed length");
		const count = rule.lengthMax;
		const start = this.#position;
		const end = this.room(de, start, bytesOf(rule, count));
		if (!Number.isSafeInteger(value) || value < 0) throw new CodedError("range", fieldPlace(de, start));
		const out = this.#out;
		const bcd = rule.coding === "bcd";
		const shift = leadingNibbles(rule, count);
		if (bcd && end > start) {
			out[start] = 0; // Padding, if any, is in the first byte or the last.
			out[end - 1] = 0;
		}
		let rest = value;
		for (let i = count - 1; i >= 0; i--) {
			const digit = rest % 10;
			rest = (rest - digit) / 10;
			if (!bcd) out[start + i] = 0x30 + digit;
			else {
				const at = start + ((i + shift) >> 1);
				out[at] = ((i + shift) & 1) === 0 ? (digit << 4) | (out[at] & 15) : digit;
			}
		}
		if (rest !== 0) throw new CodedError("range", fieldPlace(de, start), `more than ${count} digits`);
		this.advance(de, end);
	}

	/** An an or ans field; a fixed length must be exact. @throws {CodedError} "length" | "charset" | "order" | "unknown" */
	ascii(de: number, text: string): void {
		const rule = this.rule(de);
		assert(rule.format === "an" || rule.format === "ans", "ascii() is for an and ans");
		const start = this.prefix(de, rule, text.length);
		const end = this.room(de, start, text.length);
		const out = this.#out;
		const byteClass = classOf(rule);
		for (let i = 0; i < text.length; i++) {
			const code = text.charCodeAt(i);
			if (!charAllowed(byteClass, code)) throw new CodedError("charset", fieldPlace(de, start + i));
			out[start + i] = code;
		}
		this.advance(de, end);
	}

	/** `data[from, to)` into a b, an or ans field. @throws {CodedError} "length" | "charset" | "order" | "unknown" */
	bytes(de: number, data: Uint8Array, from = 0, to = data.length): void {
		const rule = this.rule(de);
		assert(!isDigits(rule), "bytes() is for b, an and ans");
		assert(from >= 0 && from <= to && to <= data.length, "bytes() range");
		const count = to - from;
		const start = this.prefix(de, rule, count);
		const end = this.room(de, start, bytesOf(rule, count));
		const out = this.#out;
		if (rule.coding === "hex") packHex(data, from, out, start, count);
		else {
			const outside = firstOutside(classOf(rule), data, from, to);
			if (outside < to) throw new CodedError("charset", fieldPlace(de, start + outside - from));
			for (let i = 0; i < count; i++) out[start + i] = data[from + i];
		}
		this.advance(de, end);
	}

	/**
	 * Ends a message that carries no MAC, or one that was written as a field.
	 * @returns bytes written, the frame's length included
	 * @throws {CodedError} "length" above the dialect's longest frame; "missing" when a secondary bitmap stays empty
	 */
	finish(): number {
		assert(this.#position > 0, "finish() without begin()");
		const end = this.#position;
		if (this.#secondary && this.#lastDe <= 64) throw new CodedError("missing", "iso8583 DE 1", "no field above 64");
		this.writeBitmaps();
		writeFrameLength(this.#dialect, this.#out, end - this.#layout.lengthBytes);
		this.#position = 0;
		return end;
	}

	/**
	 * Ends a message with its MAC in DE 64, or 128 behind a secondary bitmap, over MTI to the field before it.
	 * @returns bytes written, the frame's length included
	 * @throws {CodedError} as finish(), and what `scheme` throws
	 */
	finishWithMac(scheme: MacWriter): number {
		const de = this.#secondary ? DE_MAX : 64;
		const rule = this.rule(de);
		assert(rule.format === "b" && rule.prefix === 0 && rule.lengthMax === MAC_BYTES, "dialect MAC field");
		const start = this.#position;
		const end = this.room(de, start, bytesOf(rule, MAC_BYTES));
		// The bitmap is part of what the MAC covers, so its bit is set first.
		this.advance(de, end);
		this.writeBitmaps();
		scheme.mac(this.#out, this.#layout.mtiOffset, start, this.#out, start);
		if (rule.coding === "hex") packHex(this.#out, start, this.#out, start, MAC_BYTES);
		return this.finish();
	}

	private knows(mti: string): boolean {
		for (const message of this.#dialect.messages) if (message.mti === mti || message.answer === mti) return true;
		return false;
	}

	private rule(de: number): FieldRule {
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
	private prefix(de: number, rule: FieldRule, count: number): number {
		const start = this.#position;
		const fits = rule.prefix === 0 ? count === rule.lengthMax : count <= lengthMaxIn(rule, this.#mti);
		if (!fits) throw new CodedError("length", fieldPlace(de, start), `${count}`);
		if (rule.prefix === 0) return start;
		const content = this.room(de, start, prefixBytes(rule));
		const out = this.#out;
		const bcd = rule.prefixCoding === "bcd";
		let rest = count;
		for (let at = content - 1; at >= start; at--) {
			const digit = rest % 10;
			rest = (rest - digit) / 10;
			if (!bcd) {
				out[at] = 0x30 + digit;
				continue;
			}
			const high = rest % 10;
			rest = (rest - high) / 10;
			out[at] = (high << 4) | digit;
		}
		return content;
	}

	/** @returns the offset after `byteLength` bytes at `start`. @throws {CodedError} "length" without room for them */
	private room(de: number, start: number, byteLength: number): number {
		const end = start + byteLength;
		if (end > this.#limit) throw new CodedError("length", fieldPlace(de, start), "no room");
		return end;
	}

	private setBit(de: number): void {
		const bit = de - 1;
		this.#bitmap[bit >> 5] |= 0x80000000 >>> (bit & 31);
	}

	/** The secondary follows the primary at once. */
	private writeBitmaps(): void {
		const { bitmapOffset, bitmapBytes } = this.#layout;
		writeBitmap(this.#dialect, this.#out, bitmapOffset, this.#bitmap, 0);
		if (this.#secondary) writeBitmap(this.#dialect, this.#out, bitmapOffset + bitmapBytes, this.#bitmap, 2);
	}

	private advance(de: number, end: number): void {
		this.setBit(de);
		this.#lastDe = de;
		this.#position = end;
	}
}

/** An odd count of packed digits leaves one nibble: before the digits when right-justified, else behind them. */
function leadingNibbles(rule: FieldRule, count: number): number {
	return rule.justify === "right" ? count & 1 : 0;
}

/** @throws {CodedError} "charset" */
function nibbleAt(de: number, offsetBytes: number, format: Format, charCode: number): number {
	const nibble = nibbleOf(format, charCode);
	if (nibble < 0) throw new CodedError("charset", fieldPlace(de, offsetBytes));
	return nibble;
}
