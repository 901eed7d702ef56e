/**
 * The host's own ciphers and MACs, written against the standards and not against the terminal's code: what both sides
 * compute is compared on the wire. Keys are borrowed. What is used once leaves no round keys behind; the objects for many
 * uses hold theirs until they are wiped.
 * Source: FIPS 46-3 (DES), SP 800-67 (triple DES, K3 = K1), FIPS 197 (AES), RFC 4493 (CMAC), ANSI X9.19 (= ISO/IEC
 * 9797-1 algorithm 3, padding 1); the card network's "ECB" MAC as publicly described, test/vectors/unionpay.json.
 * @module
 */
/// <reference path="../../src/security/des-js.d.ts" />
import { cmac, ecb } from "@noble/ciphers/aes.js";
import des from "des.js";
import { assert } from "../../src/core/assert";
import type { MacName } from "../../src/iso8583/dialect";

export const DES_BLOCK_BYTES = 8;
export const MAC_BYTES = 8;
const CHECK_VALUE_BYTES = 4;

type Des = ReturnType<typeof des.DES.create>;

/** A DES key with its round keys, each set made when it is first needed: making one costs more than a block. */
class SingleDesKey {
	readonly #key: Uint8Array;
	#encipher: Des | undefined;
	#decipher: Des | undefined;

	/** @param key - 8 bytes, parity ignored */
	constructor(key: Uint8Array) {
		this.#key = key;
	}

	encrypt(bytes: Uint8Array, at: number): void {
		this.#encipher ??= des.DES.create({ type: "encrypt", key: this.#key });
		this.#encipher._update(bytes, at, bytes, at);
	}

	decrypt(bytes: Uint8Array, at: number): void {
		this.#decipher ??= des.DES.create({ type: "decrypt", key: this.#key });
		this.#decipher._update(bytes, at, bytes, at);
	}

	wipe(): void {
		for (const cipher of [this.#encipher, this.#decipher]) {
			cipher?._desState.keys.fill(0);
			cipher?._desState.tmp.fill(0);
		}
		this.#encipher = undefined;
		this.#decipher = undefined;
	}
}

/** A key of DES or triple DES, for many blocks: its round keys stay in memory until {@link wipe}. */
export class DesKey {
	readonly #left: SingleDesKey;
	/** Undefined: single DES. */
	readonly #right: SingleDesKey | undefined;

	/** @param key - 8 bytes: DES; 16: triple DES. Borrowed */
	constructor(key: Uint8Array) {
		assert(key.length === 8 || key.length === 16, "a key of the host is single or double length");
		this.#left = new SingleDesKey(key.subarray(0, 8));
		this.#right = key.length === 8 ? undefined : new SingleDesKey(key.subarray(8, 16));
	}

	/** Enciphers every block of `bytes` in place (ECB). */
	encrypt(bytes: Uint8Array): void {
		assert(bytes.length % DES_BLOCK_BYTES === 0, "whole DES blocks");
		for (let at = 0; at < bytes.length; at += DES_BLOCK_BYTES) {
			this.#left.encrypt(bytes, at);
			if (this.#right === undefined) continue;
			this.#right.decrypt(bytes, at);
			this.#left.encrypt(bytes, at);
		}
	}

	/** The way back of {@link encrypt}. */
	decrypt(bytes: Uint8Array): void {
		assert(bytes.length % DES_BLOCK_BYTES === 0, "whole DES blocks");
		for (let at = 0; at < bytes.length; at += DES_BLOCK_BYTES) {
			this.#left.decrypt(bytes, at);
			if (this.#right === undefined) continue;
			this.#right.encrypt(bytes, at);
			this.#left.decrypt(bytes, at);
		}
	}

	/** The check value: the encryption of zeros, cut. @returns 4 new bytes */
	checkValue(): Uint8Array {
		const block = new Uint8Array(DES_BLOCK_BYTES);
		this.encrypt(block);
		return block.slice(0, CHECK_VALUE_BYTES);
	}

	/** The last block of a chain of single DES from zeros, triple DES at its end (ANSI X9.19); filled with zeros. */
	chain(bytes: Uint8Array, start: number, end: number, block: Uint8Array): void {
		block.fill(0);
		for (let at = start; at < end; at += DES_BLOCK_BYTES) {
			for (let i = 0; i < DES_BLOCK_BYTES && at + i < end; i++) block[i] ^= bytes[at + i];
			this.#left.encrypt(block, 0);
		}
		if (this.#right === undefined) return;
		this.#right.decrypt(block, 0);
		this.#left.encrypt(block, 0);
	}

	/** No round key is left in memory. */
	wipe(): void {
		this.#left.wipe();
		this.#right?.wipe();
	}
}

/** {@link DesKey.encrypt} for one time. */
export function desEncrypt(key: Uint8Array, bytes: Uint8Array): void {
	const once = new DesKey(key);
	once.encrypt(bytes);
	once.wipe();
}

/** The way back of {@link desEncrypt}. */
export function desDecrypt(key: Uint8Array, bytes: Uint8Array): void {
	const once = new DesKey(key);
	once.decrypt(bytes);
	once.wipe();
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
	const once = new DesKey(key);
	const value = once.checkValue();
	once.wipe();
	return value;
}

/** Bytes of a session MAC key that each algorithm takes. */
export const MAC_KEY_BYTES: Readonly<Record<MacName, readonly number[]>> = {
	unionpay: [8, 16],
	"x9.19": [16],
	cmac: [16],
};

/** The session MAC that the dialect names, under one key, for many messages. */
export class SessionMac {
	readonly #name: MacName;
	readonly #key: Uint8Array;
	readonly #des: DesKey | undefined;
	readonly #block = new Uint8Array(DES_BLOCK_BYTES);
	readonly #text = new Uint8Array(2 * DES_BLOCK_BYTES);

	/** @param key - borrowed. @param desKey - of the same key, where the owner has it already */
	constructor(name: MacName, key: Uint8Array, desKey?: DesKey) {
		assert(MAC_KEY_BYTES[name].includes(key.length), "the algorithm takes a key of this length");
		this.#name = name;
		this.#key = key;
		if (name !== "cmac") this.#des = desKey ?? new DesKey(key);
	}

	/** Over `bytes[start, end)`. @returns 8 bytes as they stand in DE 64 or 128, good until the next call */
	over(bytes: Uint8Array, start: number, end: number): Uint8Array {
		const block = this.#block;
		if (this.#des === undefined) block.set(cmac8(this.#key, bytes.subarray(start, end)));
		else if (this.#name === "x9.19") this.#des.chain(bytes, start, end, block);
		else this.#unionpay(this.#des, bytes, start, end);
		return block;
	}

	wipe(): void {
		this.#des?.wipe();
	}

	/** The sum of all blocks as 16 hex digits; the first half enciphered, the second added, that enciphered; as hex. */
	#unionpay(key: DesKey, bytes: Uint8Array, start: number, end: number): void {
		const block = this.#block;
		const text = this.#text;
		block.fill(0);
		for (let at = start; at < end; at++) block[(at - start) & 7] ^= bytes[at];
		spell(block, text);
		block.set(text.subarray(0, DES_BLOCK_BYTES));
		key.encrypt(block);
		for (let i = 0; i < DES_BLOCK_BYTES; i++) block[i] ^= text[DES_BLOCK_BYTES + i];
		key.encrypt(block);
		spell(block, text);
		block.set(text.subarray(0, MAC_BYTES));
	}
}

/** {@link SessionMac} for one message. @returns 8 new bytes */
export function sessionMac(name: MacName, key: Uint8Array, message: Uint8Array): Uint8Array {
	const once = new SessionMac(name, key);
	const mac = once.over(message, 0, message.length).slice();
	once.wipe();
	return mac;
}

/** Bytes as upper-case hex characters. */
function spell(bytes: Uint8Array, text: Uint8Array): void {
	for (let i = 0; i < bytes.length; i++) {
		text[2 * i] = hexDigit(bytes[i] >> 4);
		text[2 * i + 1] = hexDigit(bytes[i] & 15);
	}
}

function hexDigit(nibble: number): number {
	return nibble < 10 ? 48 + nibble : 55 + nibble;
}

/** Equal in length and content; takes the same time wherever they differ. */
export function sameSecret(a: Uint8Array, b: Uint8Array): boolean {
	return a.length === b.length && isMacAt(a, b, 0);
}

/** Whether `mac` stands at `bytes[offset]`; takes the same time wherever they differ. */
export function isMacAt(mac: Uint8Array, bytes: Uint8Array, offset: number): boolean {
	if (offset + mac.length > bytes.length) return false;
	let difference = 0;
	for (let i = 0; i < mac.length; i++) difference |= mac[i] ^ bytes[offset + i];
	return difference === 0;
}
