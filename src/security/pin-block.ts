/**
 * PIN block, ISO 9564-1 format 0, enciphered under the PIN key: the clear block never leaves this module and is wiped.
 * Source: ISO 9564-1:2017, §9.3.2.
 * @module
 */
import { assert } from "../core/assert";
import { checkRange } from "../core/bytes";
import { CodedError } from "../core/errors";
import { tdesEncryptBlock } from "./des";

export const PIN_BLOCK_BYTES = 8;
const PIN_DIGITS_MIN = 4;
const PIN_DIGITS_MAX = 12;
/** Digits of the card number in the block: the rightmost without the check digit. */
const PAN_PART_DIGITS = 12;

/**
 * @param pin - 4 to 12 ASCII digits; the caller owns and zeroes it
 * @param pan - at least 13 digits, check digit included
 * @param pik - 16 or 24 bytes
 * @param out - 8 bytes at `outOffset`
 * @throws {CodedError} "length" | "charset", naming neither PIN nor card number; `out` is then untouched
 */
export function encryptPinBlock(
	pin: Uint8Array,
	pan: string,
	pik: Uint8Array,
	out: Uint8Array,
	outOffset: number,
): void {
	assert(pik.length === 16 || pik.length === 24, "the PIN key is triple DES");
	checkRange(out, outOffset, PIN_BLOCK_BYTES, "PIN block");
	// The number of digits is half a secret: the error does not tell it.
	if (pin.length < PIN_DIGITS_MIN || pin.length > PIN_DIGITS_MAX) throw new CodedError("length", "PIN");
	if (pan.length <= PAN_PART_DIGITS) throw new CodedError("length", "PIN block card number");
	for (let i = 0; i < pin.length; i++) {
		if (pin[i] < 48 || pin[i] > 57) throw new CodedError("charset", "PIN");
	}
	const panStart = pan.length - 1 - PAN_PART_DIGITS;
	for (let i = panStart; i < pan.length; i++) {
		const code = pan.charCodeAt(i);
		if (!(code >= 48 && code <= 57)) throw new CodedError("charset", "PIN block card number");
	}
	const block = new Uint8Array(PIN_BLOCK_BYTES).fill(0xff);
	block[0] = pin.length; // Format 0 in the high nibble.
	for (let i = 0; i < pin.length; i++) {
		const at = 1 + (i >> 1);
		const digit = pin[i] - 48;
		block[at] = (i & 1) === 0 ? (digit << 4) | 0x0f : (block[at] & 0xf0) | digit;
	}
	for (let i = 0; i < PAN_PART_DIGITS; i++) {
		const digit = pan.charCodeAt(panStart + i) - 48;
		block[2 + (i >> 1)] ^= (i & 1) === 0 ? digit << 4 : digit;
	}
	tdesEncryptBlock(pik, block, 0, block, 0);
	for (let i = 0; i < PIN_BLOCK_BYTES; i++) out[outOffset + i] = block[i];
	block.fill(0);
}
