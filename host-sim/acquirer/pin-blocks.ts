/**
 * PINs out of their blocks, which only a host may do. Errors say neither PIN nor key (I9).
 * Source: ISO 9564-1:2017, §9.3.2 (format 0) and §9.4.2 (format 4).
 * @module
 */
import { CodedError } from "../../src/core/errors";
import { aesDecryptBlock, type DesKey } from "./ciphers";

/** Place of the errors here: they are answered with a code of their own. */
export const PIN_BLOCK_PLACE = "PIN block";

const DIGITS_MIN = 4;
const DIGITS_MAX = 12;
/** Digits of the card number in a block of format 0: the rightmost without the check digit. */
const PAN_PART_DIGITS = 12;

/**
 * Format 0 under triple DES.
 * @param block - 8 bytes, DE 52
 * @param pik - of 16 bytes
 * @returns the digits as typed
 * @throws {CodedError} "format" when no PIN of 4–12 digits for this card comes out of it
 */
export function decryptFormat0(block: Uint8Array, pan: string, pik: DesKey): string {
	if (block.length !== 8 || pan.length <= PAN_PART_DIGITS) throw new CodedError("format", PIN_BLOCK_PLACE);
	const clear = block.slice();
	pik.decrypt(clear);
	const panStart = pan.length - 1 - PAN_PART_DIGITS;
	for (let i = 0; i < PAN_PART_DIGITS; i++) {
		const digit = pan.charCodeAt(panStart + i) - 48;
		clear[2 + (i >> 1)] ^= (i & 1) === 0 ? digit << 4 : digit;
	}
	return pinOf(clear, 0, 15);
}

/**
 * Format 4 under AES.
 * @param block - 16 bytes, DE 52
 * @param key - 16 bytes
 * @returns the digits as typed
 * @throws {CodedError} "format" when no PIN of 4–12 digits for this card comes out of it
 */
export function decryptFormat4(block: Uint8Array, pan: string, key: Uint8Array): string {
	if (block.length !== 16 || pan.length < PAN_PART_DIGITS) throw new CodedError("format", PIN_BLOCK_PLACE);
	const middle = aesDecryptBlock(key, block);
	const panField = new Uint8Array(16);
	// The first nibble counts the digits above 12; the number follows, zeros to the end.
	const nibbles = `${pan.length - PAN_PART_DIGITS}${pan}`;
	for (let i = 0; i < nibbles.length; i++) {
		const digit = nibbles.charCodeAt(i) - 48;
		panField[i >> 1] |= (i & 1) === 0 ? digit << 4 : digit;
	}
	for (let i = 0; i < 16; i++) middle[i] ^= panField[i];
	return pinOf(aesDecryptBlock(key, middle), 4, 10); // The last 8 bytes are random.
}

/** Control nibble, count, 14 nibbles of digits and fill. Wipes the block. */
function pinOf(clear: Uint8Array, format: number, fill: number): string {
	const digits = clear[0] & 15;
	let wrong = clear[0] >> 4 !== format || digits < DIGITS_MIN || digits > DIGITS_MAX;
	let pin = "";
	for (let i = 0; i < 14; i++) {
		const nibble = (i & 1) === 0 ? clear[1 + (i >> 1)] >> 4 : clear[1 + (i >> 1)] & 15;
		if (i < digits ? nibble > 9 : nibble !== fill) wrong = true;
		if (i < digits) pin += String.fromCharCode(48 + nibble);
	}
	clear.fill(0);
	if (wrong) throw new CodedError("format", PIN_BLOCK_PLACE);
	return pin;
}
