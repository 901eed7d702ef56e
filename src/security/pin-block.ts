/**
 * PIN blocks, enciphered: format 0 under a triple-DES key, format 4 under an AES key. The clear block never leaves this
 * module and is wiped. Source: ISO 9564-1:2017, §9.3.2 (format 0), §9.4.2 (format 4).
 * @module
 */
import { assert } from "../core/assert";
import { checkRange } from "../core/bytes";
import { CodedError } from "../core/errors";
import type { RandomSource } from "../ports";
import { AES_BLOCK_BYTES, type Aes } from "./aes";
import { tdesEncryptBlock } from "./des";

/** Format 0. */
export const PIN_BLOCK_BYTES = 8;
/** Format 4. */
export const PIN_BLOCK_4_BYTES = AES_BLOCK_BYTES;
const PIN_DIGITS_MIN = 4;
const PIN_DIGITS_MAX = 12;
/** Digits of the card number in format 0: the rightmost without the check digit. */
const PAN_PART_DIGITS = 12;
const PAN_DIGITS_MIN = 12;
const PAN_DIGITS_MAX = 19;
/** Of format 4's PIN field: the digits with their fill, then random bytes. */
const PIN_HALF_BYTES = 8;

/**
 * Format 0: `0`, count, digits, filled with `F`, XOR `0000` and 12 digits of the card number; triple DES.
 * @param pin - 4 to 12 ASCII digits; the caller owns and zeroes it
 * @param pan - 13 to 19 digits, check digit included
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
	checkPin(pin);
	checkPan(pan, PAN_PART_DIGITS + 1);
	const block = new Uint8Array(PIN_BLOCK_BYTES);
	writePin(pin, 0, 0xff, block);
	const panStart = pan.length - 1 - PAN_PART_DIGITS;
	for (let i = 0; i < PAN_PART_DIGITS; i++) {
		const digit = pan.charCodeAt(panStart + i) - 48;
		block[2 + (i >> 1)] ^= (i & 1) === 0 ? digit << 4 : digit;
	}
	tdesEncryptBlock(pik, block, 0, block, 0);
	for (let i = 0; i < PIN_BLOCK_BYTES; i++) out[outOffset + i] = block[i];
	block.fill(0);
}

/**
 * Format 4: `4`, count, digits, filled with `A`, 8 random bytes → AES → XOR (count of digits above 12, card number,
 * filled with `0`) → AES. The same PIN of the same card never gives the same block, and the block fits one card only.
 * @param pin - 4 to 12 ASCII digits; the caller owns and zeroes it
 * @param pan - 12 to 19 digits, check digit included
 * @param key - 16, 24 or 32 bytes
 * @param out - 16 bytes at `outOffset`
 * @throws {CodedError} "length" | "charset", naming neither PIN nor card number; `out` is then untouched
 */
export function encryptPinBlock4(
	pin: Uint8Array,
	pan: string,
	key: Uint8Array,
	aes: Aes,
	random: RandomSource,
	out: Uint8Array,
	outOffset: number,
): void {
	checkRange(out, outOffset, PIN_BLOCK_4_BYTES, "PIN block");
	checkPin(pin);
	checkPan(pan, PAN_DIGITS_MIN);
	const block = new Uint8Array(PIN_BLOCK_4_BYTES);
	// The whole of it, and the first half overwritten: a view would be one more object for the same bytes.
	random.fill(block);
	writePin(pin, 4, 0xaa, block);
	aes.encryptBlock(key, block, 0, block, 0);
	// PAN field: the count, then the digits, of which the first shares the count's byte.
	block[0] ^= (pan.length - PAN_DIGITS_MIN) << 4;
	for (let i = 0; i < pan.length; i++) {
		const digit = pan.charCodeAt(i) - 48;
		block[(i + 1) >> 1] ^= (i & 1) === 0 ? digit : digit << 4;
	}
	aes.encryptBlock(key, block, 0, block, 0);
	for (let i = 0; i < PIN_BLOCK_4_BYTES; i++) out[outOffset + i] = block[i];
	block.fill(0);
}

function checkPin(pin: Uint8Array): void {
	// The number of digits is half a secret: the error does not tell it.
	if (pin.length < PIN_DIGITS_MIN || pin.length > PIN_DIGITS_MAX) throw new CodedError("length", "PIN");
	for (let i = 0; i < pin.length; i++) {
		if (pin[i] < 48 || pin[i] > 57) throw new CodedError("charset", "PIN");
	}
}

function checkPan(pan: string, digitsMin: number): void {
	if (pan.length < digitsMin || pan.length > PAN_DIGITS_MAX) throw new CodedError("length", "PIN block card number");
	for (let i = 0; i < pan.length; i++) {
		const code = pan.charCodeAt(i);
		if (!(code >= 48 && code <= 57)) throw new CodedError("charset", "PIN block card number");
	}
}

/** Format, count, digits and fill into the first 8 bytes of `block`. @param fill - the nibble, twice */
function writePin(pin: Uint8Array, format: number, fill: number, block: Uint8Array): void {
	for (let i = 0; i < PIN_HALF_BYTES; i++) block[i] = fill;
	block[0] = (format << 4) | pin.length;
	for (let i = 0; i < pin.length; i++) {
		const at = 1 + (i >> 1);
		const digit = pin[i] - 48;
		block[at] = (i & 1) === 0 ? (digit << 4) | (fill & 0x0f) : (block[at] & 0xf0) | digit;
	}
}
