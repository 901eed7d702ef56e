/**
 * What an acquirer's messages look like, as data: a deviation is a row in a table, never a patch of the codec.
 * A field is format × coding × length × prefix × padding × masking; a frame is its length, TPDU, header, MTI and bitmap,
 * each with a coding. Encoder, decoder, framer and masking read nothing else.
 * Source: ISO 8583:1987, §4; the first table is unionpay.ts.
 * @module
 */

/** What a value is made of: n digits, z track data (digits and D), an and ans text, b bytes. */
export type Format = "n" | "z" | "an" | "ans" | "b";

/**
 * How a value travels. n, z: "bcd" two digits a byte, or "ascii" one character each. an, ans: "ascii". b: "binary", or
 * "hex" two upper-case characters for each byte.
 */
export type Coding = "bcd" | "ascii" | "binary" | "hex";

/** How a number of the codec's own travels: the MTI, the length of a field. */
export type DigitCoding = "bcd" | "ascii";

/** On which side the digits of an odd count stand; the zero nibble takes the other side. Only for "bcd". */
export type Justify = "left" | "right";

/** What a log may show: all, first 6 and last 4, the last 4 only, or nothing but the length. */
export type Masking = "show" | "pan" | "last4" | "hide";

/** Algorithms security/mac.ts knows. */
export type MacName = "unionpay" | "x9.19" | "cmac";

/** What protects a message: nothing, the session's MAC (Dialect.mac), or AES-CMAC under the host authentication key. */
export type MessageMac = "none" | "session" | "sync";

/** Rows are made by {@link fieldRule}: all columns, in one order. */
export interface FieldRule {
	readonly format: Format;
	readonly coding: Coding;
	/** Exact when `prefix` is 0, else the maximum. Unit: digits (n, z), characters (an, ans), bytes (b). */
	readonly lengthMax: number;
	/** Digits of the length in front of the value, in the same unit: 0 fixed, 2 LL, 3 LLL. */
	readonly prefix: 0 | 2 | 3;
	readonly prefixCoding: DigitCoding;
	readonly justify: Justify;
	readonly masking: Masking;
	/** One message in which the field may be longer. */
	readonly longer: { readonly mti: string; readonly lengthMax: number } | undefined;
	/** Text of people: bytes from 0x80 on (GBK, UTF-8) pass the decoder and read as "?". */
	readonly wide: boolean;
}

/** A request and its answer. Undefined: the message does not carry it, or carries the original's. */
export interface MessageRule {
	readonly name: string;
	readonly mti: string;
	/** The answer's MTI. */
	readonly answer: string;
	/** DE 3. */
	readonly processingCode: string | undefined;
	/** DE 60.1. */
	readonly transactionType: string | undefined;
	/** DE 60.3, where it tells messages of one MTI apart. */
	readonly networkCode: string | undefined;
	/** Of request and answer. */
	readonly mac: MessageMac;
}

export interface Dialect {
	readonly name: string;
	/** What a frame begins with: its length in 2 bytes, big-endian, or in 4 ASCII digits. */
	readonly frameLength: "u16" | "ascii4";
	/** True when that length counts itself. */
	readonly frameLengthCountsItself: boolean;
	/** Default of the encoder, in hex; its size is the TPDU's in every frame. "" none. */
	readonly tpdu: string;
	/** Default of the encoder, in hex; its size is the header's in every frame. "" none. */
	readonly header: string;
	readonly mtiCoding: DigitCoding;
	/** Of both bitmaps: 8 bytes, or 16 upper-case hex characters. */
	readonly bitmapCoding: "binary" | "hex";
	/** Other MTIs than these are refused. */
	readonly messages: readonly MessageRule[];
	/** Index = DE, 0…128; undefined: refused. DE 1 is the secondary bitmap, coded as the first one. */
	readonly fields: readonly (FieldRule | undefined)[];
	/** DE 64, or 128 when there is a secondary bitmap. */
	readonly mac: MacName;
	/** Longest frame without its length. */
	readonly frameBytesMax: number;
}

/** Field numbers run from 1 to this. */
export const DE_MAX = 128;
export const MAC_BYTES = 8;

/** Of the length in front of a frame of UNIONPAY. Of any dialect: layoutOf(). */
export const LENGTH_BYTES = 2;

/** A row: what it does not name is fixed length, BCD prefix, left-justified, shown. */
export function fieldRule(
	row: Pick<FieldRule, "format" | "coding" | "lengthMax"> & Partial<Omit<FieldRule, "format" | "coding" | "lengthMax">>,
): FieldRule {
	return {
		format: row.format,
		coding: row.coding,
		lengthMax: row.lengthMax,
		prefix: row.prefix ?? 0,
		prefixCoding: row.prefixCoding ?? "bcd",
		justify: row.justify ?? "left",
		masking: row.masking ?? "show",
		longer: row.longer,
		wide: row.wide ?? false,
	};
}

/** True when the value is digits, packed or not. */
export function isDigits(rule: FieldRule): boolean {
	return rule.format === "n" || rule.format === "z";
}

/** Bytes that `count` digits, characters or bytes of the value take in a frame. */
export function bytesOf(rule: FieldRule, count: number): number {
	if (rule.coding === "bcd") return (count + 1) >> 1;
	return rule.coding === "hex" ? 2 * count : count;
}

/** Bytes that the length prefix takes. */
export function prefixBytes(rule: FieldRule): number {
	return rule.prefixCoding === "bcd" ? (rule.prefix + 1) >> 1 : rule.prefix;
}

/** The length limit of a field in a message. */
export function lengthMaxIn(rule: FieldRule, mti: string): number {
	const longer = rule.longer;
	return longer !== undefined && longer.mti === mti ? longer.lengthMax : rule.lengthMax;
}

/** The nibble of a character, or −1: digits, and D as the separator of track data. */
export function nibbleOf(format: Format, charCode: number): number {
	if (charCode >= 48 && charCode <= 57) return charCode - 48;
	return charCode === 68 && format === "z" ? 13 : -1;
}

/** True for a nibble the format allows. */
export function nibbleAllowed(format: Format, nibble: number): boolean {
	return nibble <= 9 || (nibble === 13 && format === "z");
}

/** Sets of bytes, each a bit of {@link CLASSES}. */
const PACKED_DIGITS = 1;
const PACKED_TRACK = 2;
const DIGIT = 4;
const TRACK = 8;
const ALPHANUMERIC = 16;
const PRINTABLE = 32;
const WIDE = 64;
const HEX = 128;
const ANY = 255;

/** The sets a byte belongs to. Module data: on the board it is preloaded and lives in flash. */
const CLASSES = new Uint8Array(256);
for (let byte = 0; byte < 256; byte++) {
	const isDigit = byte >= 0x30 && byte <= 0x39;
	const isLetter = (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a);
	const isPrintable = byte >= 0x20 && byte <= 0x7e;
	CLASSES[byte] =
		(nibbleAllowed("n", byte >> 4) && nibbleAllowed("n", byte & 15) ? PACKED_DIGITS : 0) |
		(nibbleAllowed("z", byte >> 4) && nibbleAllowed("z", byte & 15) ? PACKED_TRACK : 0) |
		(isDigit ? DIGIT : 0) |
		// Track characters are 0x30 + nibble, so the separator D travels as "=". Source: ISO/IEC 7811-2, track 2.
		(isDigit || byte === 0x3d ? TRACK : 0) |
		// Hosts fill `an` fields with spaces, so a space passes.
		(isDigit || isLetter || byte === 0x20 ? ALPHANUMERIC : 0) |
		(isPrintable ? PRINTABLE : 0) |
		(isPrintable || byte >= 0x80 ? WIDE : 0) |
		(isDigit || (byte >= 0x41 && byte <= 0x46) ? HEX : 0);
}

/** The bytes a value may be made of in a frame, for {@link firstOutside}. */
export function classOf(rule: FieldRule): number {
	if (rule.coding === "binary") return ANY;
	if (rule.coding === "hex") return HEX;
	switch (rule.format) {
		case "n":
			return rule.coding === "bcd" ? PACKED_DIGITS : DIGIT;
		case "z":
			return rule.coding === "bcd" ? PACKED_TRACK : TRACK;
		case "an":
			return ALPHANUMERIC;
		default:
			return rule.wide ? WIDE : PRINTABLE;
	}
}

/** Where in `bytes[start, end)` the first byte stands that is not of the class; `end` when there is none. */
export function firstOutside(byteClass: number, bytes: Uint8Array, start: number, end: number): number {
	if (byteClass === ANY) return end;
	const classes = CLASSES; // A local alias is measurably faster on XS.
	for (let at = start; at < end; at++) if ((classes[bytes[at]] & byteClass) === 0) return at;
	return end;
}

/** True for a character that an `an` or `ans` field may be given. */
export function charAllowed(byteClass: number, charCode: number): boolean {
	return charCode < 0x80 && (CLASSES[charCode] & byteClass) !== 0;
}

/** Place of a coded error: field and offset in the frame, never the value (I9, I11). */
export function fieldPlace(de: number, offsetBytes: number): string {
	return `iso8583 DE ${de} +${offsetBytes}`;
}

/** Bytes of an MTI as one number: "0200" is 0x0200; −1 when it is not four digits. */
export function mtiWord(mti: string): number {
	if (mti.length !== 4) return -1;
	let word = 0;
	for (let i = 0; i < 4; i++) {
		const nibble = nibbleOf("n", mti.charCodeAt(i));
		if (nibble < 0) return -1;
		word = (word << 4) | nibble;
	}
	return word;
}
