/**
 * Message authentication codes, chosen by the name in the dialect.
 *
 * "unionpay": XOR of all 8-byte blocks, the last zero-padded → 16 hex characters → encrypt the first 8 → XOR with the
 * last 8 → encrypt → hex → its first 8 characters are the MAC. Single DES under 8 bytes of key, triple under 16.
 * It detects noise, not attack (blocks that cancel out forge it): the link needs TLS. Source: public descriptions of
 * the card network's terminal specification (ECB algorithm); the vectors in test/vectors/unionpay.json.
 * @module
 */
import { assert } from "../core/assert";
import { checkRange } from "../core/bytes";
import { desEncryptBlock, tdesEncryptBlock } from "./des";

export type MacName = "unionpay";

export const MAC_BYTES = 8;

/** An algorithm with its scratch memory. */
export interface MacAlgorithm {
	/** Key lengths it takes, in bytes. */
	readonly keyBytes: readonly number[];
	/** MAC over `bytes[start, end)` into 8 bytes at `out[outOffset]`, which may lie in `bytes` behind `end`. */
	compute(key: Uint8Array, bytes: Uint8Array, start: number, end: number, out: Uint8Array, outOffset: number): void;
}

/** @returns a new instance of the algorithm the dialect names */
export function createMac(name: MacName): MacAlgorithm {
	assert(name === "unionpay", "a MAC algorithm this build has");
	return new UnionpayMac();
}

class UnionpayMac implements MacAlgorithm {
	readonly keyBytes = [8, 16] as const;
	readonly #block = new Uint8Array(8);
	readonly #hex = new Uint8Array(16);

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
