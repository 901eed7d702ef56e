/**
 * What an acquirer's messages look like, as data: a deviation is a row in a table, never a patch of the codec.
 * A field is format × length × prefix × padding × masking. Encoder, decoder and masking read nothing else.
 * Source: ISO 8583:1987, §4; the first table is unionpay.ts.
 * @module
 */

/** n digits and z track data are packed two a byte; an and ans are ASCII; b is bytes. */
export type Format = "n" | "z" | "an" | "ans" | "b";

/** On which side the digits of an odd count stand; the zero nibble takes the other side. */
export type Justify = "left" | "right";

/** What a log may show: all, first 6 and last 4, the last 4 only, or nothing but the length. */
export type Masking = "show" | "pan" | "last4" | "hide";

/** Algorithms security/mac.ts knows. */
export type MacName = "unionpay";

export interface FieldRule {
	readonly format: Format;
	/** Exact when `prefix` is 0, else the maximum. Unit: digits (n, z), characters (an, ans), bytes (b). */
	readonly lengthMax: number;
	/** Bytes of BCD that carry the length: 0 fixed, 1 LL, 2 LLL. */
	readonly prefix: 0 | 1 | 2;
	readonly justify: Justify;
	readonly masking: Masking;
	/** One message in which the field may be longer. */
	readonly longer?: { readonly mti: string; readonly lengthMax: number };
	/** Text of people: bytes from 0x80 on (GBK, UTF-8) pass the decoder and read as "?". */
	readonly wide?: boolean;
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
}

export interface Dialect {
	readonly name: string;
	/** Default of the encoder, 5 bytes in hex. */
	readonly tpdu: string;
	/** Default of the encoder, 6 bytes in hex. */
	readonly header: string;
	/** Other MTIs than these are refused. */
	readonly messages: readonly MessageRule[];
	/** Index = DE, 0…128; undefined: refused. DE 1 is the secondary bitmap. */
	readonly fields: readonly (FieldRule | undefined)[];
	/** DE 64, or 128 when there is a secondary bitmap. */
	readonly mac: MacName;
	/** Longest frame without its 2-byte length. */
	readonly frameBytesMax: number;
}

/** Field numbers run from 1 to this. */
export const DE_MAX = 128;
export const TPDU_BYTES = 5;
export const HEADER_BYTES = 6;
/** Every frame begins with its length. */
export const LENGTH_BYTES = 2;
/** Where the MTI, and with it the MAC's range, begins. */
export const MTI_OFFSET = LENGTH_BYTES + TPDU_BYTES + HEADER_BYTES;
export const BITMAP_OFFSET = MTI_OFFSET + 2;
/** Where the fields begin: the secondary bitmap is the first of them. */
export const FIELDS_OFFSET = BITMAP_OFFSET + 8;
export const MAC_BYTES = 8;

/** True when the value is packed two digits a byte. */
export function isPacked(rule: FieldRule): boolean {
	return rule.format === "n" || rule.format === "z";
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

/** True for a byte the field's character set allows. Hosts fill `an` fields with spaces, so a space passes. */
export function byteAllowed(rule: FieldRule, byte: number): boolean {
	switch (rule.format) {
		case "b":
			return true;
		case "ans":
			return (byte >= 0x20 && byte <= 0x7e) || (byte >= 0x80 && rule.wide === true);
		default:
			return (byte >= 48 && byte <= 57) || (byte >= 65 && byte <= 90) || (byte >= 97 && byte <= 122) || byte === 0x20;
	}
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
