/**
 * One block of AES, and AES-CMAC, by @noble/ciphers. The library makes a key schedule for each use and wipes it; what
 * it wants in aligned memory of its own passes through the scratch here, which is wiped as well.
 * Source: FIPS 197; NIST SP 800-38B and RFC 4493 (CMAC).
 * @module
 */
import { cmac, ecb } from "@noble/ciphers/aes.js";
import { assert } from "../core/assert";
import { checkRange } from "../core/bytes";

export const AES_BLOCK_BYTES = 16;
/** Bytes of an AES key. */
export const AES_KEY_BYTES: readonly number[] = [16, 24, 32];

const NO_PADDING = { disablePadding: true } as const;

/** The two operations with their scratch: one for each user, made once. */
export class Aes {
	readonly #input = new Uint8Array(AES_BLOCK_BYTES);
	readonly #output = new Uint8Array(AES_BLOCK_BYTES);

	/**
	 * Enciphers one block.
	 * @param key - 16, 24 or 32 bytes
	 * @param out - may be `input`
	 * @throws {CodedError} "length" when a block is not inside its bytes
	 */
	encryptBlock(key: Uint8Array, input: Uint8Array, inputOffset: number, out: Uint8Array, outOffset: number): void {
		assert(AES_KEY_BYTES.includes(key.length), "an AES key has 16, 24 or 32 bytes");
		checkRange(input, inputOffset, AES_BLOCK_BYTES, "AES input");
		checkRange(out, outOffset, AES_BLOCK_BYTES, "AES output");
		const from = this.#input;
		const to = this.#output;
		for (let i = 0; i < AES_BLOCK_BYTES; i++) from[i] = input[inputOffset + i];
		ecb(key, NO_PADDING).encrypt(from, to);
		for (let i = 0; i < AES_BLOCK_BYTES; i++) out[outOffset + i] = to[i];
		from.fill(0);
		to.fill(0);
	}

	/**
	 * AES-CMAC over `bytes[start, end)`, its first `byteLength` bytes at `out[outOffset]`, which may lie in `bytes`.
	 * @param key - 16, 24 or 32 bytes
	 * @param byteLength - 1 to 16
	 * @throws {CodedError} "length" when a range is not inside its bytes
	 */
	cmac(
		key: Uint8Array,
		bytes: Uint8Array,
		start: number,
		end: number,
		out: Uint8Array,
		outOffset: number,
		byteLength: number,
	): void {
		assert(AES_KEY_BYTES.includes(key.length), "an AES key has 16, 24 or 32 bytes");
		assert(start <= end && byteLength >= 1 && byteLength <= AES_BLOCK_BYTES, "CMAC range");
		checkRange(bytes, start, end - start, "MAC input");
		checkRange(out, outOffset, byteLength, "MAC output");
		const tag = this.#output;
		const state = cmac.create(key);
		state.update(bytes.subarray(start, end));
		state.digestInto(tag);
		state.destroy();
		for (let i = 0; i < byteLength; i++) out[outOffset + i] = tag[i];
		tag.fill(0);
	}
}
