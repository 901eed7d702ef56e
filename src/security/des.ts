/**
 * DES and triple DES by des.js, block by block; round keys are wiped after each use. And what a DES key must be like.
 * Source: FIPS 46-3; NIST SP 800-67 rev. 2, §3.1 (E-D-E; two-key: K3 = K1), §3.3.2 (keys that do not weaken it).
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

/** The way back of {@link desEncryptBlock}. */
export function desDecryptBlock(
	key: Uint8Array,
	input: Uint8Array,
	inputOffset: number,
	out: Uint8Array,
	outOffset: number,
): void {
	assert(key.length === 8, "a DES key has 8 bytes");
	block("decrypt", key, input, inputOffset, out, outOffset);
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
	block("encrypt", lastPart(key), out, outOffset, out, outOffset);
}

/** The way back of {@link tdesEncryptBlock}. */
export function tdesDecryptBlock(
	key: Uint8Array,
	input: Uint8Array,
	inputOffset: number,
	out: Uint8Array,
	outOffset: number,
): void {
	assert(key.length === 16 || key.length === 24, "a triple-DES key has 16 or 24 bytes");
	block("decrypt", lastPart(key), input, inputOffset, out, outOffset);
	block("encrypt", key.subarray(8, 16), out, outOffset, out, outOffset);
	block("decrypt", key.subarray(0, 8), out, outOffset, out, outOffset);
}

/**
 * Cipher block chaining from an initial value of zeros, of which only the last block is kept; the input's last block is
 * filled with zeros. One set of round keys for the whole of it.
 * @param key - 8 bytes
 * @param out - DES_BLOCK_BYTES bytes; zeros for an empty input
 * @throws {CodedError} "length" when the range is not inside `bytes`
 */
export function desCbcLastBlock(key: Uint8Array, bytes: Uint8Array, start: number, end: number, out: Uint8Array): void {
	assert(key.length === 8 && out.length === DES_BLOCK_BYTES && start <= end, "DES chain");
	checkRange(bytes, start, end - start, "DES input");
	const cipher = des.DES.create({ type: "encrypt", key });
	out.fill(0);
	for (let at = start; at < end; at += DES_BLOCK_BYTES) {
		const byteLength = Math.min(DES_BLOCK_BYTES, end - at);
		for (let i = 0; i < byteLength; i++) out[i] ^= bytes[at + i];
		cipher._update(out, 0, out, 0);
	}
	cipher._desState.keys.fill(0);
	cipher._desState.tmp.fill(0);
}

/**
 * Whether these bytes are as strong a key as their length says: no part is zero, and no two parts that follow each
 * other are the same, for encrypting under one and decrypting under the other would cancel out. Parity bits are no part
 * of a key, so they do not count here; nor are they checked: many real keys come without adjusted parity.
 * @param byteLength - 8, 16 or 24 of `key`
 */
export function isStrongDesKey(key: Uint8Array, byteLength: number): boolean {
	if (byteLength !== 8 && byteLength !== 16 && byteLength !== 24) return false;
	for (let part = 0; part < byteLength; part += 8) {
		let any = 0;
		let difference = part === 0 ? 1 : 0;
		for (let i = part; i < part + 8; i++) {
			any |= key[i] & 0xfe;
			if (part > 0) difference |= (key[i] ^ key[i - 8]) & 0xfe;
		}
		if (any === 0 || difference === 0) return false;
	}
	return true;
}

function lastPart(key: Uint8Array): Uint8Array {
	return key.length === 24 ? key.subarray(16, 24) : key.subarray(0, 8);
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
