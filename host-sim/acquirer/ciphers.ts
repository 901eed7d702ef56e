/**
 * The host's own ciphers and MACs, written against the standards and not against the terminal's code: what both sides
 * compute is compared on the wire. Keys are borrowed; scratch is wiped.
 * Source: FIPS 46-3 (DES), SP 800-67 (triple DES, K3 = K1), FIPS 197 (AES), RFC 4493 (CMAC), ANSI X9.19 (= ISO/IEC
 * 9797-1 algorithm 3, padding 1); the card network's "ECB" MAC as publicly described, test/vectors/unionpay.json.
 * @module
 */
/// <reference path="../../src/security/des-js.d.ts" />
import { cmac, ecb } from "@noble/ciphers/aes.js";
import des from "des.js";
import { assert } from "../../src/core/assert";
import { toHex } from "../../src/core/bytes";
import type { MacName } from "../../src/iso8583/dialect";

export const DES_BLOCK_BYTES = 8;
export const MAC_BYTES = 8;

/** One block of DES in place. @param key - 8 bytes, parity ignored */
function desBlock(type: "encrypt" | "decrypt", key: Uint8Array, bytes: Uint8Array, at: number): void {
	const cipher = des.DES.create({ type, key });
	cipher._update(bytes, at, bytes, at);
	cipher._desState.keys.fill(0);
	cipher._desState.tmp.fill(0);
}

/** Enciphers every block of `bytes` in place (ECB). @param key - 8 bytes: DES; 16: triple DES */
export function desEncrypt(key: Uint8Array, bytes: Uint8Array): void {
	assert(key.length === 8 || key.length === 16, "a key of the host is single or double length");
	assert(bytes.length % DES_BLOCK_BYTES === 0, "whole DES blocks");
	for (let at = 0; at < bytes.length; at += DES_BLOCK_BYTES) {
		desBlock("encrypt", key.subarray(0, 8), bytes, at);
		if (key.length === 8) continue;
		desBlock("decrypt", key.subarray(8, 16), bytes, at);
		desBlock("encrypt", key.subarray(0, 8), bytes, at);
	}
}

/** The way back of {@link desEncrypt}. */
export function desDecrypt(key: Uint8Array, bytes: Uint8Array): void {
	assert(key.length === 8 || key.length === 16, "a key of the host is single or double length");
	assert(bytes.length % DES_BLOCK_BYTES === 0, "whole DES blocks");
	for (let at = 0; at < bytes.length; at += DES_BLOCK_BYTES) {
		desBlock("decrypt", key.subarray(0, 8), bytes, at);
		if (key.length === 8) continue;
		desBlock("encrypt", key.subarray(8, 16), bytes, at);
		desBlock("decrypt", key.subarray(0, 8), bytes, at);
	}
}

/** One block of AES. @returns 16 new bytes */
export function aesEncryptBlock(key: Uint8Array, block: Uint8Array): Uint8Array {
	assert(block.length === 16, "an AES block has 16 bytes");
	return ecb(key, { disablePadding: true }).encrypt(block);
}

/** The way back of {@link aesEncryptBlock}. */
export function aesDecryptBlock(key: Uint8Array, block: Uint8Array): Uint8Array {
	assert(block.length === 16, "an AES block has 16 bytes");
	return ecb(key, { disablePadding: true }).decrypt(block);
}

/** AES-CMAC, cut to its first 8 bytes. */
export function cmac8(key: Uint8Array, message: Uint8Array): Uint8Array {
	return cmac(message, key).slice(0, MAC_BYTES);
}

/** The check value of a DES key: its encryption of zeros, cut to 4 bytes. */
export function checkValue(key: Uint8Array): Uint8Array {
	const block = new Uint8Array(DES_BLOCK_BYTES);
	desEncrypt(key, block);
	return block.slice(0, 4);
}

/** Bytes of a session MAC key that each algorithm takes. */
export const MAC_KEY_BYTES: Readonly<Record<MacName, readonly number[]>> = {
	unionpay: [8, 16],
	"x9.19": [16],
	cmac: [16],
};

/** The session MAC that the dialect names. @returns 8 new bytes as they stand in DE 64 or 128 */
export function sessionMac(name: MacName, key: Uint8Array, message: Uint8Array): Uint8Array {
	assert(MAC_KEY_BYTES[name].includes(key.length), "the algorithm takes a key of this length");
	if (name === "cmac") return cmac8(key, message);
	return name === "unionpay" ? unionpayMac(key, message) : x919Mac(key, message);
}

function unionpayMac(key: Uint8Array, message: Uint8Array): Uint8Array {
	const sum = new Uint8Array(8);
	for (let i = 0; i < message.length; i++) sum[i % 8] ^= message[i];
	const text = asciiOf(toHex(sum));
	const block = text.slice(0, 8);
	desEncrypt(key, block);
	for (let i = 0; i < 8; i++) block[i] ^= text[8 + i];
	desEncrypt(key, block);
	return asciiOf(toHex(block)).slice(0, MAC_BYTES);
}

function x919Mac(key: Uint8Array, message: Uint8Array): Uint8Array {
	const block = new Uint8Array(8);
	const left = key.subarray(0, 8);
	for (let at = 0; at < message.length; at += 8) {
		for (let i = 0; i < 8 && at + i < message.length; i++) block[i] ^= message[at + i];
		desBlock("encrypt", left, block, 0);
	}
	// Single DES along the chain, triple DES at its end.
	desBlock("decrypt", key.subarray(8, 16), block, 0);
	desBlock("encrypt", left, block, 0);
	return block;
}

function asciiOf(text: string): Uint8Array {
	const bytes = new Uint8Array(text.length);
	for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
	return bytes;
}

/** Equal in length and content; takes the same time wherever they differ. */
export function sameSecret(a: Uint8Array, b: Uint8Array): boolean {
	if (a.length !== b.length) return false;
	let difference = 0;
	for (let i = 0; i < a.length; i++) difference |= a[i] ^ b[i];
	return difference === 0;
}
