/**
 * Decodes one frame without copying: it keeps offsets, values are made when asked for. Everything is checked before
 * the first value is handed out: lengths, nibbles, character sets, bitmap, trailing bytes. A frame is refused whole
 * (I11), with field and offset, never with a value (I9). Nothing past `byteLength` is read.
 * Source: ISO 8583:1987, §4; see DESIGN.md.
 * @module
 */
import { assert } from "../core/assert";
import { readAscii, readU16, toHex } from "../core/bytes";
import type { ErrorCode } from "../core/errors";
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
	MTI_OFFSET,
	mtiWord,
	nibbleAllowed,
	nibbleOf,
	TPDU_BYTES,
} from "./dialect";

/** Compares the 8 bytes at `bytes[macOffset]` with the MAC over `bytes[start, end)`, in constant time. */
export interface MacVerifier {
	verify(bytes: Uint8Array, start: number, end: number, macOffset: number): boolean;
}

const NO_FRAME = new Uint8Array(0);

export class MessageDecoder {
	readonly dialect: Dialect;
	/** Of the content, behind the length prefix; 0 = absent. Index = DE. */
	readonly #offsets = new Uint16Array(DE_MAX + 1);
	/** Digits, characters or bytes. Index = DE. */
	readonly #counts = new Uint16Array(DE_MAX + 1);
	readonly #mtis: readonly string[];
	readonly #mtiWords: readonly number[];
	#frame: Uint8Array = NO_FRAME;
	#mti = "";

	constructor(dialect: Dialect) {
		assert(LENGTH_BYTES + dialect.frameBytesMax <= 0xffff, "offsets are 16 bits");
		this.dialect = dialect;
		this.#mtis = dialect.messages.flatMap((rule) => [rule.mti, rule.answer]);
		this.#mtiWords = this.#mtis.map(mtiWord);
	}

	/**
	 * Takes in a frame, its 2-byte length included. The decoder borrows `frame`: values are good as long as it is.
	 * After an error the decoder is empty.
	 * @throws {CodedError} "length" | "charset" | "format" | "unknown", with field and offset
	 */
	decode(frame: Uint8Array, byteLength: number): void {
		this.clear();
		if (byteLength > frame.length || byteLength < FIELDS_OFFSET) {
			throw new CodedError("length", "iso8583 frame", `${byteLength} bytes`);
		}
		const announced = readU16(frame, 0);
		if (announced !== byteLength - LENGTH_BYTES || announced > this.dialect.frameBytesMax) {
			throw new CodedError("length", "iso8583 frame +0", `announced ${announced}, is ${byteLength - LENGTH_BYTES}`);
		}
		const known = this.#mtiWords.indexOf(readU16(frame, MTI_OFFSET));
		if (known < 0) throw new CodedError("unknown", `iso8583 MTI +${MTI_OFFSET}`);
		this.#mti = this.#mtis[known];
		this.#frame = frame;
		let whole = false;
		try {
			this.#fields(byteLength);
			whole = true;
		} finally {
			if (!whole) this.clear();
		}
	}

	/** Forgets the frame. */
	clear(): void {
		this.#offsets.fill(0);
		this.#frame = NO_FRAME;
		this.#mti = "";
	}

	/** "0210"; empty before a decode and after one that failed. */
	get mti(): string {
		return this.#mti;
	}

	/** Borrowed view of the 5 bytes. */
	tpdu(): Uint8Array {
		return this.#frame.subarray(LENGTH_BYTES, LENGTH_BYTES + TPDU_BYTES);
	}

	/** Borrowed view of the 6 bytes. */
	header(): Uint8Array {
		return this.#frame.subarray(MTI_OFFSET - HEADER_BYTES, MTI_OFFSET);
	}

	has(de: number): boolean {
		return this.#offsets[de] > 0; // Undefined for a DE out of range compares false.
	}

	/** Where the content lies in the frame, behind its length prefix. @throws {CodedError} "missing" */
	offset(de: number): number {
		const offset = this.#offsets[de];
		if (!(offset > 0)) throw new CodedError("missing", `iso8583 DE ${de}`);
		return offset;
	}

	/** Bytes of the content, without its length prefix. @throws {CodedError} "missing" */
	byteLength(de: number): number {
		this.offset(de);
		const count = this.#counts[de];
		return isPacked(this.#rule(de)) ? (count + 1) >> 1 : count;
	}

	/** Digits, characters or bytes of the value. @throws {CodedError} "missing" */
	count(de: number): number {
		this.offset(de);
		return this.#counts[de];
	}

	/** n, z: digits without padding, leading zeros kept; an, ans: text; b: hex. @throws {CodedError} "missing" */
	text(de: number): string {
		return this.textAt(de, 0, this.count(de));
	}

	/**
	 * Part of {@link text}: `count` digits, characters or bytes from the `start`-th on; "60.2" is textAt(60, 2, 6).
	 * @throws {CodedError} "missing"; "length" when the value is shorter
	 */
	textAt(de: number, start: number, count: number): string {
		const offset = this.#part(de, start, count);
		const rule = this.#rule(de);
		if (rule.format === "b") return toHex(this.#frame, offset + start, offset + start + count);
		if (!isPacked(rule)) {
			if (rule.wide !== true) return readAscii(this.#frame, offset + start, offset + start + count);
			let text = "";
			for (let i = offset + start; i < offset + start + count; i++) {
				text += this.#frame[i] < 0x80 ? String.fromCharCode(this.#frame[i]) : "?";
			}
			return text;
		}
		let text = "";
		for (let i = start; i < start + count; i++) {
			const nibble = this.#nibble(de, rule, offset, i);
			text += String.fromCharCode(nibble === 13 ? 68 : 48 + nibble);
		}
		return text;
	}

	/** An n field of at most 15 digits. @throws {CodedError} "missing"; "range" when it is longer */
	number(de: number): number {
		return this.numberAt(de, 0, this.count(de));
	}

	/** Part of an n field as a number; "60.2" is numberAt(60, 2, 6). @throws {CodedError} as textAt, number */
	numberAt(de: number, start: number, count: number): number {
		const offset = this.#part(de, start, count);
		const rule = this.#rule(de);
		assert(rule.format === "n", "number() is for n");
		if (count > 15) throw new CodedError("range", fieldPlace(de, offset), `${count} digits`);
		let value = 0;
		for (let i = start; i < start + count; i++) value = value * 10 + this.#nibble(de, rule, offset, i);
		return value;
	}

	/** Borrowed view of the content. @throws {CodedError} "missing" */
	bytes(de: number): Uint8Array {
		const offset = this.offset(de);
		return this.#frame.subarray(offset, offset + this.byteLength(de));
	}

	/** True when the field is there and reads `text`; makes no garbage. Not for b. */
	equals(de: number, text: string): boolean {
		return this.has(de) && this.#counts[de] === text.length && this.equalsAt(de, 0, text);
	}

	/** True when the field is there, long enough, and reads `text` from `start` on; makes no garbage. Not for b. */
	equalsAt(de: number, start: number, text: string): boolean {
		if (!this.has(de) || start + text.length > this.#counts[de]) return false;
		const rule = this.#rule(de);
		assert(rule.format !== "b", "equals() is not for b");
		const offset = this.#offsets[de];
		const packed = isPacked(rule);
		for (let i = 0; i < text.length; i++) {
			const code = text.charCodeAt(i);
			if (packed) {
				if (this.#nibble(de, rule, offset, start + i) !== nibbleOf(rule.format, code)) return false;
			} else if (this.#frame[offset + start + i] !== code) return false;
		}
		return true;
	}

	/** The field that carries the MAC, always the last one; 0 when there is none. */
	get macDe(): number {
		if (this.has(DE_MAX)) return DE_MAX;
		return this.has(64) ? 64 : 0;
	}

	/** Where the range of the MAC begins: the MTI. It ends where the MAC's content begins: offset(macDe). */
	get macStart(): number {
		return MTI_OFFSET;
	}

	/** False when the MAC is wrong or there is none. @throws what `scheme` throws */
	verify(scheme: MacVerifier): boolean {
		const de = this.macDe;
		if (de === 0) return false;
		const offset = this.#offsets[de];
		return scheme.verify(this.#frame, MTI_OFFSET, offset, offset);
	}

	#fields(end: number): void {
		const frame = this.#frame;
		const primaryHasSecond = (frame[BITMAP_OFFSET] & 0x80) !== 0;
		// The secondary bitmap is DE 1 and follows the primary at once, so one formula reads both.
		const deMax = primaryHasSecond ? DE_MAX : 64;
		let position = FIELDS_OFFSET;
		let above64 = false;
		for (let de = 1; de <= deMax; de++) {
			if ((frame[BITMAP_OFFSET + ((de - 1) >> 3)] & (0x80 >> ((de - 1) & 7))) === 0) continue;
			position = this.#field(de, position, end);
			if (de > 64) above64 = true;
			// A MAC in 64 would leave the fields above it without protection.
			else if (de === 64 && primaryHasSecond) throw new CodedError("format", fieldPlace(de, position), "MAC is DE 128");
		}
		if (primaryHasSecond && !above64) throw new CodedError("format", fieldPlace(1, FIELDS_OFFSET), "empty");
		if (position !== end) throw new CodedError("length", `iso8583 frame +${position}`, `${end - position} left over`);
	}

	/** Checks one field and notes where it is. @returns where the next begins */
	#field(de: number, start: number, end: number): number {
		const rule = this.dialect.fields[de];
		if (rule === undefined) throw new CodedError("unknown", fieldPlace(de, start));
		const content = start + rule.prefix;
		if (content > end) fail("length", de, start);
		let count = rule.lengthMax;
		if (rule.prefix > 0) {
			count = 0;
			for (let at = start; at < content; at++) {
				const high = this.#frame[at] >> 4;
				const low = this.#frame[at] & 15;
				if (high > 9 || low > 9) fail("charset", de, at);
				count = count * 100 + high * 10 + low;
			}
			if (count > lengthMaxIn(rule, this.#mti)) fail("length", de, start);
		}
		const packed = isPacked(rule);
		const next = content + (packed ? (count + 1) >> 1 : count);
		if (next > end) fail("length", de, content);
		if (packed) this.#checkNibbles(de, rule, content, next, (count & 1) !== 0);
		else if (rule.format !== "b") {
			for (let at = content; at < next; at++) if (!byteAllowed(rule, this.#frame[at])) fail("charset", de, at);
		}
		this.#offsets[de] = content;
		this.#counts[de] = count;
		return next;
	}

	#checkNibbles(de: number, rule: FieldRule, start: number, end: number, odd: boolean): void {
		const frame = this.#frame;
		for (let at = start; at < end; at++) {
			if (!nibbleAllowed(rule.format, frame[at] >> 4)) fail("charset", de, at);
			if (!nibbleAllowed(rule.format, frame[at] & 15)) fail("charset", de, at);
		}
		if (!odd) return;
		// One message has one encoding: padding that is not zero is refused.
		const at = rule.justify === "right" ? start : end - 1;
		const padding = rule.justify === "right" ? frame[at] >> 4 : frame[at] & 15;
		if (padding !== 0) fail("format", de, at);
	}

	#rule(de: number): FieldRule {
		const rule = this.dialect.fields[de];
		assert(rule !== undefined, "a decoded field has a rule");
		return rule;
	}

	#part(de: number, start: number, count: number): number {
		const offset = this.offset(de);
		if (start < 0 || count < 0 || start + count > this.#counts[de]) {
			throw new CodedError("length", fieldPlace(de, offset), `${count} from ${start} of ${this.#counts[de]}`);
		}
		return offset;
	}

	#nibble(de: number, rule: FieldRule, offset: number, index: number): number {
		const shifted = rule.justify === "right" && (this.#counts[de] & 1) !== 0 ? index + 1 : index;
		const byte = this.#frame[offset + (shifted >> 1)];
		return (shifted & 1) === 0 ? byte >> 4 : byte & 15;
	}
}

function fail(code: ErrorCode, de: number, offsetBytes: number): never {
	throw new CodedError(code, fieldPlace(de, offsetBytes));
}
