/**
 * Decodes one frame without copying: it keeps offsets, values are made when asked for. Everything is checked before
 * the first value is handed out: lengths, digits, character sets, bitmap, trailing bytes. A frame is refused whole
 * (I11), with field and offset, never with a value (I9). Nothing past `byteLength` is read.
 * Source: ISO 8583:1987, §4; see DESIGN.md.
 * @module
 */
import { assert } from "../core/assert";
import type { ErrorCode } from "../core/errors";
import { CodedError } from "../core/errors";
import type { Dialect, FieldRule, MessageRule } from "./dialect";
import {
	bytesOf,
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
import { BITMAP_BYTES, layoutOf, readBitmap, readFrameLength, readMti, unpackHex } from "./layout";
import { TextMaker } from "./text-maker";

/** Compares the 8 bytes at `bytes[macOffset]` with the MAC over `bytes[start, end)`, in constant time. */
export interface MacVerifier {
	verify(bytes: Uint8Array, start: number, end: number, macOffset: number): boolean;
}

const NO_FRAME = new Uint8Array(0);
/** The secondary bitmap is DE 1. */
const SECONDARY = 1;

export class MessageDecoder {
	readonly dialect: Dialect;
	readonly #layout: Layout;
	/** Of the content, behind the length prefix; 0 = absent. Index = DE. */
	readonly #offsets = new Uint16Array(DE_MAX + 1);
	/** Digits, characters or bytes of the value. Index = DE. */
	readonly #counts = new Uint16Array(DE_MAX + 1);
	/** What the content may be made of. Index = DE. */
	readonly #classes = new Uint8Array(DE_MAX + 1);
	/** Both bitmaps, 32 fields a word, the first field in the highest bit. */
	readonly #bitmap = new Int32Array(4);
	/** MTI of each message of the dialect, and of its answer. */
	readonly #mtiWords: Uint16Array;
	readonly #texts = new TextMaker();
	/** Only where a MAC travels as hex: what it covers, and the MAC as bytes behind it. */
	readonly #macCopy: Uint8Array | undefined;
	#frame: Uint8Array = NO_FRAME;
	#mti = "";

	constructor(dialect: Dialect) {
		this.dialect = dialect;
		this.#layout = layoutOf(dialect);
		const { messages } = dialect;
		this.#mtiWords = new Uint16Array(2 * messages.length);
		for (let n = 0; n < messages.length; n++) {
			this.#mtiWords[2 * n] = mtiWord(messages[n].mti);
			this.#mtiWords[2 * n + 1] = mtiWord(messages[n].answer);
		}
		for (let de = 0; de <= DE_MAX; de++) {
			const rule = dialect.fields[de];
			if (rule !== undefined) this.#classes[de] = classOf(rule);
		}
		const hexMac = dialect.fields[64]?.coding === "hex" || dialect.fields[DE_MAX]?.coding === "hex";
		this.#macCopy = hexMac ? new Uint8Array(this.#layout.frameBytesMax) : undefined;
	}

	/**
	 * Takes in a frame, its length included. The decoder borrows `frame`: values are good as long as it is.
	 * After an error the decoder is empty.
	 * @throws {CodedError} "length" | "charset" | "format" | "unknown", with field and offset
	 */
	decode(frame: Uint8Array, byteLength: number): void {
		this.clear();
		let whole = false;
		try {
			this.scan(frame, byteLength);
			whole = true;
		} finally {
			if (!whole) this.clear();
		}
	}

	/**
	 * For tools that show what a bad frame holds: as {@link decode}, but the fields before the place where it is wrong
	 * stay readable. They are checked one by one, not as a message; nothing may be decided by them.
	 * @returns what decode() would throw; undefined when nothing is wrong
	 */
	examine(frame: Uint8Array, byteLength: number): CodedError | undefined {
		this.clear();
		try {
			this.scan(frame, byteLength);
			return undefined;
		} catch (error) {
			if (error instanceof CodedError) return error;
			this.clear();
			throw error;
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

	/**
	 * Which of the dialect's messages this is, request or answer: by MTI, DE 3, 60.1, 60.3. Undefined when none fits.
	 */
	get rule(): MessageRule | undefined {
		const rules = this.dialect.messages;
		for (let i = 0; i < rules.length; i++) if (this.isMessage(rules[i])) return rules[i];
		return undefined;
	}

	/** Borrowed view of the TPDU; empty where the dialect has none. */
	tpdu(): Uint8Array {
		const { lengthBytes, tpduBytes } = this.#layout;
		return this.#frame.subarray(lengthBytes, lengthBytes + tpduBytes);
	}

	/** Borrowed view of the header; empty where the dialect has none. */
	header(): Uint8Array {
		const { headerBytes, mtiOffset } = this.#layout;
		return this.#frame.subarray(mtiOffset - headerBytes, mtiOffset);
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

	/** Bytes that the content takes in the frame, without its length prefix. @throws {CodedError} "missing" */
	byteLength(de: number): number {
		this.offset(de);
		return bytesOf(this.fieldRule(de), this.#counts[de]);
	}

	/** Digits, characters or bytes of the value. @throws {CodedError} "missing" */
	count(de: number): number {
		this.offset(de);
		return this.#counts[de];
	}

	/** n, z: digits without padding, leading zeros kept; an, ans: text; b: hex. @throws {CodedError} "missing" */
	text(de: number): string {
		return this.textFrom(de, this.offset(de), 0, this.#counts[de]);
	}

	/**
	 * Part of {@link text}: `count` digits, characters or bytes from the `start`-th on; "60.2" is textAt(60, 2, 6).
	 * @throws {CodedError} "missing"; "length" when the value is shorter
	 */
	textAt(de: number, start: number, count: number): string {
		return this.textFrom(de, this.part(de, start, count), start, count);
	}

	/** An n field of at most 15 digits. @throws {CodedError} "missing"; "range" when it is longer */
	number(de: number): number {
		return this.numberAt(de, 0, this.count(de));
	}

	/** Part of an n field as a number; "60.2" is numberAt(60, 2, 6). @throws {CodedError} as textAt, number */
	numberAt(de: number, start: number, count: number): number {
		const offset = this.part(de, start, count);
		const rule = this.fieldRule(de);
		assert(rule.format === "n", "number() is for n");
		if (count > 15) throw new CodedError("range", fieldPlace(de, offset), `${count} digits`);
		let value = 0;
		for (let i = start; i < start + count; i++) value = value * 10 + this.nibble(de, rule, offset, i);
		return value;
	}

	/**
	 * Borrowed view of the content as it stands in the frame: packed digits, characters, bytes. Where bytes travel as hex
	 * it is a copy of what they spell.
	 * @throws {CodedError} "missing"
	 */
	bytes(de: number): Uint8Array {
		const offset = this.offset(de);
		const end = offset + this.byteLength(de);
		if (this.fieldRule(de).coding !== "hex") return this.#frame.subarray(offset, end);
		const bytes = new Uint8Array((end - offset) >> 1);
		unpackHex(this.#frame, offset, bytes, 0, bytes.length);
		return bytes;
	}

	/** True when the field is there and reads `text`; makes no garbage. Not for b. */
	equals(de: number, text: string): boolean {
		return this.has(de) && this.#counts[de] === text.length && this.equalsAt(de, 0, text);
	}

	/** True when the field is there, long enough, and reads `text` from `start` on; makes no garbage. Not for b. */
	equalsAt(de: number, start: number, text: string): boolean {
		if (!this.has(de) || start + text.length > this.#counts[de]) return false;
		const rule = this.fieldRule(de);
		assert(rule.format !== "b", "equals() is not for b");
		const offset = this.#offsets[de];
		const digits = isDigits(rule);
		for (let i = 0; i < text.length; i++) {
			const code = text.charCodeAt(i);
			if (digits) {
				if (this.nibble(de, rule, offset, start + i) !== nibbleOf(rule.format, code)) return false;
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
		return this.#layout.mtiOffset;
	}

	/** False when the MAC is wrong or there is none. @throws what `scheme` throws */
	verify(scheme: MacVerifier): boolean {
		const de = this.macDe;
		if (de === 0) return false;
		const start = this.#layout.mtiOffset;
		const end = this.#offsets[de];
		const copy = this.#macCopy;
		if (copy === undefined || this.fieldRule(de).coding !== "hex") return scheme.verify(this.#frame, start, end, end);
		for (let at = start; at < end; at++) copy[at] = this.#frame[at];
		unpackHex(this.#frame, end, copy, end, MAC_BYTES);
		return scheme.verify(copy, start, end, end);
	}

	private isMessage(rule: MessageRule): boolean {
		if (rule.mti !== this.#mti && rule.answer !== this.#mti) return false;
		const { processingCode, transactionType, networkCode } = rule;
		if (processingCode !== undefined && !this.equals(3, processingCode)) return false;
		if (transactionType !== undefined && !this.equalsAt(60, 0, transactionType)) return false;
		return networkCode === undefined || this.equalsAt(60, 8, networkCode);
	}

	private scan(frame: Uint8Array, byteLength: number): void {
		const { dialect } = this;
		const { lengthBytes, mtiOffset, fieldsOffset } = this.#layout;
		if (byteLength > frame.length || byteLength < fieldsOffset) {
			throw new CodedError("length", "iso8583 frame", `${byteLength} bytes`);
		}
		const announced = readFrameLength(dialect, frame);
		if (announced !== byteLength - lengthBytes || announced > dialect.frameBytesMax) {
			throw new CodedError("length", "iso8583 frame +0", `announced ${announced}, is ${byteLength - lengthBytes}`);
		}
		const known = this.#mtiWords.indexOf(readMti(dialect, frame, mtiOffset));
		if (known < 0) throw new CodedError("unknown", `iso8583 MTI +${mtiOffset}`);
		const message = dialect.messages[known >> 1];
		this.#mti = (known & 1) === 0 ? message.mti : message.answer;
		this.#frame = frame;
		this.fields(byteLength);
	}

	private fields(end: number): void {
		let position = this.bitmaps(end);
		const words = this.#offsets[SECONDARY] > 0 ? 4 : 2;
		for (let word = 0; word < words; word++) {
			let bits = this.#bitmap[word];
			while (bits !== 0) {
				const first = Math.clz32(bits);
				bits &= ~(0x80000000 >>> first);
				const de = 32 * word + first + 1;
				if (de === SECONDARY) continue;
				position = this.field(de, position, end);
				// A MAC in 64 would leave the fields above it without protection.
				if (de === 64 && words === 4) throw new CodedError("format", fieldPlace(de, position), "MAC is DE 128");
			}
		}
		if (position !== end) throw new CodedError("length", `iso8583 frame +${position}`, `${end - position} left over`);
	}

	/** Reads the primary bitmap, and the secondary where it is announced. @returns where the other fields begin */
	private bitmaps(end: number): number {
		const { dialect } = this;
		const { bitmapOffset, bitmapBytes, fieldsOffset } = this.#layout;
		const bitmap = this.#bitmap;
		const frame = this.#frame;
		readBitmap(dialect, frame, bitmapOffset, bitmap, 0);
		if ((bitmap[0] & 0x80000000) === 0) return fieldsOffset;
		if (dialect.fields[SECONDARY] === undefined) fail("unknown", SECONDARY, fieldsOffset);
		const next = fieldsOffset + bitmapBytes;
		if (next > end) fail("length", SECONDARY, fieldsOffset);
		readBitmap(dialect, frame, fieldsOffset, bitmap, 2);
		if ((bitmap[2] | bitmap[3]) === 0) throw new CodedError("format", fieldPlace(SECONDARY, fieldsOffset), "empty");
		this.#offsets[SECONDARY] = fieldsOffset;
		this.#counts[SECONDARY] = BITMAP_BYTES;
		return next;
	}

	/** Checks one field and notes where it is. @returns where the next begins */
	private field(de: number, start: number, end: number): number {
		const rule = this.dialect.fields[de];
		if (rule === undefined) fail("unknown", de, start);
		let content = start;
		let count = rule.lengthMax;
		if (rule.prefix > 0) {
			content = start + prefixBytes(rule);
			if (content > end) fail("length", de, start);
			count = this.length(de, rule, start, content);
			if (count > lengthMaxIn(rule, this.#mti)) fail("length", de, start);
		}
		const next = content + bytesOf(rule, count);
		if (next > end) fail("length", de, content);
		const outside = firstOutside(this.#classes[de], this.#frame, content, next);
		if (outside < next) fail("charset", de, outside);
		if ((count & 1) !== 0 && rule.coding === "bcd") this.checkPadding(de, rule, content, next);
		this.#offsets[de] = content;
		this.#counts[de] = count;
		return next;
	}

	/** The number in the length prefix. */
	private length(de: number, rule: FieldRule, start: number, end: number): number {
		const frame = this.#frame;
		let count = 0;
		if (rule.prefixCoding === "bcd") {
			for (let at = start; at < end; at++) {
				const high = frame[at] >> 4;
				const low = frame[at] & 15;
				if (high > 9 || low > 9) fail("charset", de, at);
				count = count * 100 + high * 10 + low;
			}
			return count;
		}
		for (let at = start; at < end; at++) {
			const digit = frame[at] - 48;
			if (digit < 0 || digit > 9) fail("charset", de, at);
			count = count * 10 + digit;
		}
		return count;
	}

	/** One message has one encoding: padding that is not zero is refused. */
	private checkPadding(de: number, rule: FieldRule, start: number, end: number): void {
		const right = rule.justify === "right";
		const at = right ? start : end - 1;
		const byte = this.#frame[at];
		if ((right ? byte >> 4 : byte & 15) !== 0) fail("format", de, at);
	}

	private fieldRule(de: number): FieldRule {
		const rule = this.dialect.fields[de];
		assert(rule !== undefined, "a decoded field has a rule");
		return rule;
	}

	private part(de: number, start: number, count: number): number {
		const offset = this.offset(de);
		if (start < 0 || count < 0 || start + count > this.#counts[de]) {
			throw new CodedError("length", fieldPlace(de, offset), `${count} from ${start} of ${this.#counts[de]}`);
		}
		return offset;
	}

	private textFrom(de: number, offset: number, start: number, count: number): string {
		const rule = this.fieldRule(de);
		const texts = this.#texts;
		switch (rule.coding) {
			case "bcd":
				return texts.nibbles(this.#frame, offset, this.firstNibble(de, rule) + start, count);
			case "binary":
				return texts.nibbles(this.#frame, offset, 2 * start, 2 * count);
			case "hex":
				return texts.ascii(this.#frame, offset + 2 * start, offset + 2 * (start + count));
			default: {
				const from = offset + start;
				if (rule.format === "z") return texts.track(this.#frame, from, from + count);
				return texts.ascii(this.#frame, from, from + count);
			}
		}
	}

	/** Of packed digits: 1 when padding stands before them. */
	private firstNibble(de: number, rule: FieldRule): number {
		return rule.justify === "right" ? this.#counts[de] & 1 : 0;
	}

	/** Of n and z: the `index`-th digit, 13 for the separator. */
	private nibble(de: number, rule: FieldRule, offset: number, index: number): number {
		if (rule.coding !== "bcd") return this.#frame[offset + index] & 15; // Track characters are 0x30 + nibble.
		const nibble = this.firstNibble(de, rule) + index;
		const byte = this.#frame[offset + (nibble >> 1)];
		return (nibble & 1) === 0 ? byte >> 4 : byte & 15;
	}
}

function fail(code: ErrorCode, de: number, offsetBytes: number): never {
	throw new CodedError(code, fieldPlace(de, offsetBytes));
}
