/**
 * Message authentication codes, chosen by the name in the dialect.
 *
 * "unionpay": XOR of all 8-byte blocks, the last zero-padded → 16 hex characters → encrypt the first 8 → XOR with the
 * last 8 → encrypt → hex → its first 8 characters are the MAC. Single DES under 8 bytes of key, triple under 16.
 * It detects noise, not attack (blocks that cancel out forge it): the link needs TLS. Source: public descriptions of
 * the card network's terminal specification (ECB algorithm); the vectors in test/vectors/unionpay.json.
 *
 * "x9.19": single DES in a chain, triple DES at its end, 8 bytes. Source: ANSI X9.19-1996 = ISO/IEC 9797-1:2011, MAC
 * algorithm 3 with padding method 1.
 *
 * "cmac": AES-CMAC, its first 8 bytes. Source: NIST SP 800-38B, RFC 4493.
 * @module
 */
import { assert } from "../core/assert";
import { checkRange } from "../core/bytes";
import { AES_KEY_BYTES, Aes } from "./aes";
import { isZero } from "./constant-time";
import {
	DES_BLOCK_BYTES,
	desCbcLastBlock,
	desDecryptBlock,
	desEncryptBlock,
	isStrongDesKey,
	tdesEncryptBlock,
} from "./des";

export type MacName = "unionpay" | "x9.19" | "cmac";

export const MAC_BYTES = 8;

/** An algorithm with its scratch memory. */
export interface MacAlgorithm {
	/** Whether the first `byteLength` bytes of `key` are a key for it: the length fits and the strength is that of it. */
	takes(key: Uint8Array, byteLength: number): boolean;
	/** MAC over `bytes[start, end)` into 8 bytes at `out[outOffset]`, which may lie in `bytes` behind `end`. */
	compute(key: Uint8Array, bytes: Uint8Array, start: number, end: number, out: Uint8Array, outOffset: number): void;
}

/** @returns a new instance of the algorithm the dialect names */
export function createMac(name: MacName): MacAlgorithm {
	if (name === "x9.19") return new RetailMac();
	if (name === "cmac") return new CmacMac();
	assert(name === "unionpay", "a MAC algorithm this build has");
	return new UnionpayMac();
}

class UnionpayMac implements MacAlgorithm {
	readonly #block = new Uint8Array(DES_BLOCK_BYTES);
	readonly #hex = new Uint8Array(2 * DES_BLOCK_BYTES);

	/** Two equal halves pass: that is a single-length key in other words, and single length is allowed here. */
	takes(key: Uint8Array, byteLength: number): boolean {
		if (byteLength === 8) return isStrongDesKey(key, 8);
		return byteLength === 16 && isStrongDesKey(key, 8) && isStrongDesKey(key.subarray(8, 16), 8);
	}

	compute(key: Uint8Array, bytes: Uint8Array, start: number, end: number, out: Uint8Array, outOffset: number): void {
		assert(start <= end, "MAC range");
		checkRange(bytes, start, end - start, "MAC input");
		checkRange(out, outOffset, MAC_BYTES, "MAC output");
		const encrypt = key.length === 8 ? desEncryptBlock : tdesEncryptBlock;
		const block = this.#block;
		const hex = this.#hex;
		block.fill(0);
		for (let i = start; i < end; i++) block[(i - start) & 7] ^= bytes[i];
		writeHex(block, 8, hex, 0);
		encrypt(key, hex, 0, block, 0);
		for (let i = 0; i < 8; i++) block[i] ^= hex[8 + i];
		encrypt(key, block, 0, block, 0);
		writeHex(block, MAC_BYTES / 2, out, outOffset);
		block.fill(0);
		hex.fill(0);
	}
}

class RetailMac implements MacAlgorithm {
	readonly #block = new Uint8Array(DES_BLOCK_BYTES);

	/** Equal halves would make it the single-DES chain that it was made to replace. */
	takes(key: Uint8Array, byteLength: number): boolean {
		return byteLength === 16 && isStrongDesKey(key, 16);
	}

	compute(key: Uint8Array, bytes: Uint8Array, start: number, end: number, out: Uint8Array, outOffset: number): void {
		assert(key.length === 16, "an X9.19 key has 16 bytes");
		// Padding method 1 leaves an empty message empty, and the chain without a block: messages have an MTI.
		assert(start < end, "MAC range");
		checkRange(bytes, start, end - start, "MAC input");
		checkRange(out, outOffset, MAC_BYTES, "MAC output");
		const block = this.#block;
		const left = key.subarray(0, 8);
		desCbcLastBlock(left, bytes, start, end, block);
		desDecryptBlock(key.subarray(8, 16), block, 0, block, 0);
		desEncryptBlock(left, block, 0, out, outOffset);
		block.fill(0);
	}
}

class CmacMac implements MacAlgorithm {
	readonly #aes = new Aes();

	takes(key: Uint8Array, byteLength: number): boolean {
		return AES_KEY_BYTES.includes(byteLength) && !isZero(key, 0, byteLength);
	}

	compute(key: Uint8Array, bytes: Uint8Array, start: number, end: number, out: Uint8Array, outOffset: number): void {
		this.#aes.cmac(key, bytes, start, end, out, outOffset, MAC_BYTES);
	}
}

/** ASCII hex, upper case, of the first `count` bytes. */
function writeHex(bytes: Uint8Array, count: number, out: Uint8Array, outOffset: number): void {
	for (let i = 0; i < count; i++) {
		out[outOffset + 2 * i] = hexCode(bytes[i] >> 4);
		out[outOffset + 2 * i + 1] = hexCode(bytes[i] & 15);
	}
}

function hexCode(nibble: number): number {
	return nibble < 10 ? 48 + nibble : 55 + nibble;
}
