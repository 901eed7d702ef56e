/**
 * How a key comes into the terminal: a technician brings it, whole or in components of several custodians, with its
 * check value; or the device makes it. Nothing is half done: what does not fit leaves the key store as it was.
 *
 * Check values: a DES key's is its encryption of eight zero bytes, 3 or 4 bytes of it; an AES key's is its CMAC of
 * sixteen zero bytes, 3 to 5 bytes of it. Source: ANSI X9.24-1:2017, Annex A.
 * @module
 */
import { assert } from "../core/assert";
import { CodedError } from "../core/errors";
import type { KeyStore, RandomSource } from "../ports";
import { AES_BLOCK_BYTES, AES_KEY_BYTES, Aes } from "./aes";
import { SEAL_KEY_BYTES } from "./card-seal";
import { equalSecret, isZero } from "./constant-time";
import { DES_BLOCK_BYTES, isStrongDesKey, tdesEncryptBlock } from "./des";

const CHECK_BYTES_MIN = 3;
const DES_CHECK_BYTES_MAX = 4;
const AES_CHECK_BYTES_MAX = 5;
const COMPONENTS_MAX = 3;

/**
 * Loads the terminal master key (triple DES, 16 or 24 bytes) or the host authentication key (AES, 16, 24 or 32 bytes).
 * Parity bits are taken as they come: many real keys have none, and the check value is the better test. A key whose
 * parts make it weaker than its length is refused even when its check value fits: somebody typed a component twice.
 * @param key - borrowed, to be wiped by the caller
 * @param checkValue - 3 or 4 bytes for the TMK, 3 to 5 for the HAK
 * @throws {CodedError} "length"; "auth" when the check value does not fit, or the key is none; what the key store throws
 */
export function loadKey(keys: KeyStore, name: "TMK" | "HAK", key: Uint8Array, checkValue: Uint8Array): void {
	const place = `security ${name}`;
	if (name === "TMK") {
		if (key.length !== 16 && key.length !== 24) throw new CodedError("length", place);
		checkCheckLength(checkValue, DES_CHECK_BYTES_MAX, place);
		const block = new Uint8Array(DES_BLOCK_BYTES);
		tdesEncryptBlock(key, block, 0, block, 0);
		const right = equalSecret(block, 0, checkValue, 0, checkValue.length);
		block.fill(0);
		if (!right) throw new CodedError("auth", place, "check value");
		if (!isStrongDesKey(key, key.length)) throw new CodedError("auth", place, "no key of its length");
	} else {
		if (!AES_KEY_BYTES.includes(key.length)) throw new CodedError("length", place);
		checkAesKey(key, checkValue, place);
	}
	keys.write(name, key);
}

/**
 * @param key - 16, 24 or 32 bytes
 * @throws {CodedError} "length" of the check value; "auth" when it does not fit, or for a key of zeros
 */
export function checkAesKey(key: Uint8Array, checkValue: Uint8Array, place: string): void {
	checkCheckLength(checkValue, AES_CHECK_BYTES_MAX, place);
	const block = new Uint8Array(AES_BLOCK_BYTES);
	new Aes().cmac(key, block, 0, AES_BLOCK_BYTES, block, 0, AES_BLOCK_BYTES);
	const right = equalSecret(block, 0, checkValue, 0, checkValue.length);
	block.fill(0);
	if (!right) throw new CodedError("auth", place, "check value");
	if (isZero(key, 0, key.length)) throw new CodedError("auth", place, "no key");
}

/**
 * Puts together the components of a key that custodians type one by one: their XOR. One component is the key itself.
 * @param parts - one to three, each as long as `out`; borrowed, to be wiped by the caller
 * @param out - the key; zeros after an error
 * @throws {CodedError} "length" of their number or of one; "range" for a component of zeros, which is nobody's secret
 */
export function combineComponents(parts: readonly Uint8Array[], out: Uint8Array): void {
	out.fill(0);
	if (parts.length === 0 || parts.length > COMPONENTS_MAX) throw new CodedError("length", "key components");
	for (const part of parts) {
		if (part.length !== out.length) throw new CodedError("length", "key component");
		if (isZero(part, 0, part.length)) throw new CodedError("range", "key component");
	}
	for (const part of parts) {
		for (let i = 0; i < out.length; i++) out[i] ^= part[i];
	}
}

/**
 * Makes the key of what is sealed in flash: drawn on the device, and never shown to anybody. One that was there is
 * replaced, and nothing sealed under it can be opened any more: for a new journal, whose nonces may then begin anew (I4).
 * @throws {CodedError} "range" when the platform's generator gives zeros; what the key store throws
 */
export function makeStoreKey(keys: KeyStore, random: RandomSource): void {
	const key = new Uint8Array(SEAL_KEY_BYTES);
	try {
		random.fill(key);
		if (isZero(key, 0, SEAL_KEY_BYTES)) throw new CodedError("range", "security STORE");
		keys.write("STORE", key);
	} finally {
		key.fill(0);
	}
}

function checkCheckLength(checkValue: Uint8Array, bytesMax: number, place: string): void {
	assert(bytesMax <= AES_BLOCK_BYTES, "a check value is the beginning of a block");
	if (checkValue.length < CHECK_BYTES_MIN || checkValue.length > bytesMax) {
		throw new CodedError("length", place, "check value");
	}
}
