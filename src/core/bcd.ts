/**
 * Packed BCD, two digits a byte, high nibble first. Decoders never trust a nibble: 0xA–0xF is an error.
 * @module
 */
import { checkRange } from "./bytes";
import { CodedError } from "./errors";

/** Bytes that `digits` digits take. */
export function bcdBytes(digits: number): number {
	return (digits + 1) >> 1;
}

/**
 * Writes a non-negative integer right-aligned in `digits` digits (an even count).
 * @throws {CodedError} "range" when it is negative, not an integer or too long; "length" without room
 */
export function writeBcd(bytes: Uint8Array, offset: number, value: number, digits: number, place: string): void {
	checkRange(bytes, offset, bcdBytes(digits), place);
	if (!Number.isSafeInteger(value) || value < 0) throw new CodedError("range", place);
	let rest = value;
	for (let i = offset + bcdBytes(digits) - 1; i >= offset; i--) {
		const low = rest % 10;
		rest = (rest - low) / 10;
		const high = rest % 10;
		rest = (rest - high) / 10;
		bytes[i] = (high << 4) | low;
	}
	if (rest !== 0) throw new CodedError("range", place, `more than ${digits} digits`);
}

/**
 * @returns the number in `byteLength` bytes of BCD (at most 7 bytes, 14 digits, exact)
 * @throws {CodedError} "charset" on a nibble above 9; "length" outside the bytes
 */
export function readBcd(bytes: Uint8Array, offset: number, byteLength: number, place: string): number {
	checkRange(bytes, offset, byteLength, place);
	if (byteLength > 7) throw new CodedError("length", place);
	let value = 0;
	for (let i = offset; i < offset + byteLength; i++) {
		const high = bytes[i] >> 4;
		const low = bytes[i] & 15;
		if (high > 9 || low > 9) throw new CodedError("charset", place, `byte ${i - offset}`);
		value = value * 100 + high * 10 + low;
	}
	return value;
}

/** Digits as text, leading zeros kept; `digits` counts from the first nibble. @throws {CodedError} as readBcd */
export function readBcdText(bytes: Uint8Array, offset: number, digits: number, place: string): string {
	checkRange(bytes, offset, bcdBytes(digits), place);
	let text = "";
	for (let i = 0; i < digits; i++) {
		const byte = bytes[offset + (i >> 1)];
		const nibble = (i & 1) === 0 ? byte >> 4 : byte & 15;
		if (nibble > 9) throw new CodedError("charset", place, `digit ${i}`);
		text += String.fromCharCode(48 + nibble);
	}
	return text;
}

/**
 * Packs decimal text from the left; an odd count is padded with a trailing zero nibble.
 * @returns bytes written
 * @throws {CodedError} "charset" with the position, "length" without room
 */
export function writeBcdText(bytes: Uint8Array, offset: number, text: string, place: string): number {
	const byteLength = bcdBytes(text.length);
	checkRange(bytes, offset, byteLength, place);
	for (let i = 0; i < byteLength; i++) {
		const high = text.charCodeAt(2 * i) - 48;
		const low = 2 * i + 1 < text.length ? text.charCodeAt(2 * i + 1) - 48 : 0;
		if (!(high >= 0 && high <= 9)) throw new CodedError("charset", place, `position ${2 * i}`);
		if (!(low >= 0 && low <= 9)) throw new CodedError("charset", place, `position ${2 * i + 1}`);
		bytes[offset + i] = (high << 4) | low;
	}
	return byteLength;
}
