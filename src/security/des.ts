/**
 * One block of DES or triple DES, by des.js; its round keys are wiped after each block.
 * Source: FIPS 46-3; NIST SP 800-67 rev. 2, §3.1 (E-D-E; two-key: K3 = K1).
 * @module
 */
import des from "des.js";
import { assert } from "../core/assert";
import { checkRange } from "../core/bytes";

export const DES_BLOCK_BYTES = 8;

/**
 * Single DES.
 * @param key - 8 bytes, parity ignored
 * @param out - may be `input`
 * @throws {CodedError} "length" when a block is not inside its bytes
 */
export function desEncryptBlock(
	key: Uint8Array,
	input: Uint8Array,
	inputOffset: number,
	out: Uint8Array,
	outOffset: number,
): void {
	assert(key.length === 8, "a DES key has 8 bytes");
	block("encrypt", key, input, inputOffset, out, outOffset);
}

/**
 * Triple DES.
 * @param key - 16 bytes (K1, K2) or 24 (K1, K2, K3)
 * @param out - may be `input`
 * @throws {CodedError} "length" when a block is not inside its bytes
 */
export function tdesEncryptBlock(
	key: Uint8Array,
	input: Uint8Array,
	inputOffset: number,
	out: Uint8Array,
	outOffset: number,
): void {
	assert(key.length === 16 || key.length === 24, "a triple-DES key has 16 or 24 bytes");
	block("encrypt", key.subarray(0, 8), input, inputOffset, out, outOffset);
	block("decrypt", key.subarray(8, 16), out, outOffset, out, outOffset);
	block("encrypt", key.length === 24 ? key.subarray(16, 24) : key.subarray(0, 8), out, outOffset, out, outOffset);
}

function block(
	type: "encrypt" | "decrypt",
	key: Uint8Array,
	input: Uint8Array,
	inputOffset: number,
	out: Uint8Array,
	outOffset: number,
): void {
	checkRange(input, inputOffset, DES_BLOCK_BYTES, "DES input");
	checkRange(out, outOffset, DES_BLOCK_BYTES, "DES output");
	const cipher = des.DES.create({ type, key });
	cipher._update(input, inputOffset, out, outOffset);
	cipher._desState.keys.fill(0);
	cipher._desState.tmp.fill(0);
}
