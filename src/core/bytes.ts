/**
 * Bounded bytes: big-endian numbers, hex, ASCII, comparison. Every write checks its room first (I10, I11).
 * @module
 */
import { CodedError } from "./errors";

const HEX = "0123456789ABCDEF";

/** @throws {CodedError} "length" when `byteLength` bytes at `offset` do not lie inside `bytes` */
export function checkRange(bytes: Uint8Array, offset: number, byteLength: number, place: string): void {
	if (offset < 0 || byteLength < 0 || offset + byteLength > bytes.length) {
		throw new CodedError("length", place, `${byteLength} bytes at ${offset} of ${bytes.length}`);
	}
}

/** Unsigned 16-bit, big-endian. */
export function readU16(bytes: Uint8Array, offset: number): number {
	return (bytes[offset] << 8) | bytes[offset + 1];
}

/** Unsigned 16-bit, big-endian. */
export function writeU16(bytes: Uint8Array, offset: number, value: number): void {
	bytes[offset] = value >>> 8;
	bytes[offset + 1] = value;
}

/** Unsigned 24-bit, big-endian. */
export function readU24(bytes: Uint8Array, offset: number): number {
	return (bytes[offset] << 16) | (bytes[offset + 1] << 8) | bytes[offset + 2];
}

/** Unsigned 24-bit, big-endian. */
export function writeU24(bytes: Uint8Array, offset: number, value: number): void {
	bytes[offset] = value >>> 16;
	bytes[offset + 1] = value >>> 8;
	bytes[offset + 2] = value;
}

/** Unsigned 32-bit, big-endian. */
export function readU32(bytes: Uint8Array, offset: number): number {
	return ((bytes[offset] << 24) | (bytes[offset + 1] << 16) | (bytes[offset + 2] << 8) | bytes[offset + 3]) >>> 0;
}

/** Unsigned 32-bit, big-endian. */
export function writeU32(bytes: Uint8Array, offset: number, value: number): void {
	bytes[offset] = value >>> 24;
	bytes[offset + 1] = value >>> 16;
	bytes[offset + 2] = value >>> 8;
	bytes[offset + 3] = value;
}

/** Upper-case hex of `bytes[start, end)`. */
export function toHex(bytes: Uint8Array, start = 0, end = bytes.length): string {
	let text = "";
	for (let i = start; i < end; i++) text += HEX[bytes[i] >> 4] + HEX[bytes[i] & 15];
	return text;
}

/** The value of one hex digit, or −1. */
export function hexDigit(charCode: number): number {
	if (charCode >= 48 && charCode <= 57) return charCode - 48;
	if (charCode >= 65 && charCode <= 70) return charCode - 55;
	if (charCode >= 97 && charCode <= 102) return charCode - 87;
	return -1;
}

/**
 * @returns the bytes that `text` spells in hex, either case
 * @throws {CodedError} "length" for an odd count, "charset" with the position of the first other character
 */
export function fromHex(text: string, place = "hex"): Uint8Array {
	if (text.length % 2 !== 0) throw new CodedError("length", place, `${text.length} digits`);
	const bytes = new Uint8Array(text.length / 2);
	for (let i = 0; i < bytes.length; i++) {
		const high = hexDigit(text.charCodeAt(2 * i));
		const low = hexDigit(text.charCodeAt(2 * i + 1));
		if (high < 0 || low < 0) throw new CodedError("charset", place, `position ${2 * i + (high < 0 ? 0 : 1)}`);
		bytes[i] = (high << 4) | low;
	}
	return bytes;
}

/**
 * Writes printable ASCII.
 * @returns the offset after the last byte
 * @throws {CodedError} "length" without room, "charset" outside 0x20–0x7E
 */
export function writeAscii(bytes: Uint8Array, offset: number, text: string, place: string): number {
	checkRange(bytes, offset, text.length, place);
	for (let i = 0; i < text.length; i++) {
		const code = text.charCodeAt(i);
		if (code < 0x20 || code > 0x7e) throw new CodedError("charset", place, `position ${i}`);
		bytes[offset + i] = code;
	}
	return offset + text.length;
}

/** ASCII text of `bytes[start, end)`; the caller has checked the character set. */
export function readAscii(bytes: Uint8Array, start: number, end: number): string {
	let text = "";
	for (let i = start; i < end; i++) text += String.fromCharCode(bytes[i]);
	return text;
}

/** Equal in length and content; for public data only (see security/ for secrets). */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
	if (a.length !== b.length) return false;
	for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
	return true;
}
