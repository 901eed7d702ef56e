/**
 * AES-DUKPT as a host derives it: from the base derivation key, without registers, for any counter.
 * Source: ANSI X9.24-3:2017, §6.3 (derivation data, key usages), §6.4.2 (host).
 * @module
 */
import { assert } from "../../src/core/assert";
import { writeU32 } from "../../src/core/bytes";
import { aesEncryptBlock } from "./ciphers";

/** Key usages of the derivation data. */
export const USAGE_PIN = 0x1000;
/** MAC generation, by the terminal: requests. */
export const USAGE_MAC_REQUEST = 0x2000;
/** MAC verification, by the terminal: answers. */
export const USAGE_MAC_ANSWER = 0x2001;
const USAGE_DERIVATION = 0x8000;
const USAGE_INITIAL_KEY = 0x8001;

export const INITIAL_KEY_ID_BYTES = 8;
export const COUNTER_BYTES = 4;

/** Version 1, first block, AES-128 keys of 128 bits. */
function derivationData(usage: number): Uint8Array {
	const data = new Uint8Array(16);
	data[0] = 1;
	data[1] = 1;
	data[2] = usage >>> 8;
	data[3] = usage & 0xff;
	data[5] = 2;
	data[7] = 128;
	return data;
}

/** The key a terminal is provisioned with. @param bdk - 16 bytes. @param keyId - 8 bytes. @returns 16 new bytes */
export function initialKey(bdk: Uint8Array, keyId: Uint8Array): Uint8Array {
	assert(keyId.length === INITIAL_KEY_ID_BYTES, "an initial key id has 8 bytes");
	const data = derivationData(USAGE_INITIAL_KEY);
	data.set(keyId, 8);
	return aesEncryptBlock(bdk, data);
}

/**
 * The working key of one transaction.
 * @param initial - {@link initialKey}
 * @param counter - 1 to 2^32 − 1
 * @returns 16 new bytes
 */
export function workingKey(initial: Uint8Array, keyId: Uint8Array, counter: number, usage: number): Uint8Array {
	return derive(transactionKey(initial, keyId, counter), keyId, counter, usage);
}

/**
 * What all working keys of one counter are derived from: {@link derive} with their usage.
 * @param counter - 1 to 2^32 − 1
 * @returns 16 new bytes
 */
export function transactionKey(initial: Uint8Array, keyId: Uint8Array, counter: number): Uint8Array {
	assert(Number.isInteger(counter) && counter >= 1 && counter <= 0xffffffff, "a counter has 32 bits and is not 0");
	let key: Uint8Array = initial;
	let done = 0;
	// One derivation for each bit that is set, the highest first.
	for (let bit = 31; bit >= 0; bit--) {
		const mask = (1 << bit) >>> 0;
		if ((counter & mask) === 0) continue;
		done = (done | mask) >>> 0;
		key = derive(key, keyId, done, USAGE_DERIVATION);
	}
	return key;
}

/** One step of a derivation. @returns 16 new bytes */
export function derive(key: Uint8Array, keyId: Uint8Array, counter: number, usage: number): Uint8Array {
	const data = derivationData(usage);
	data.set(keyId.subarray(4), 8); // The derivation id's right half.
	writeU32(data, 12, counter);
	return aesEncryptBlock(key, data);
}
