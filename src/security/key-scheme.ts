/**
 * The seam between messages and keys: code outside security/ asks for a MAC or a PIN block and never sees a key byte.
 * Another scheme (DUKPT, SM4) is one more class.
 *
 * WorkingKeyScheme: MAK and PIK as a sign-on brought them. A key is read into a buffer of its own for one operation and
 * wiped after it, also when the operation fails.
 * @module
 */
import { CodedError } from "../core/errors";
import type { KeyName, KeyStore } from "../ports";
import type { MacAlgorithm, MacName } from "./mac";
import { createMac, MAC_BYTES } from "./mac";
import { encryptPinBlock } from "./pin-block";

export interface KeyScheme {
	/** True when every key a sale may need is there. */
	ready(): boolean;
	/** MAC over `bytes[start, end)` into 8 bytes at `out[outOffset]`. @throws {CodedError} "unprovisioned" */
	mac(bytes: Uint8Array, start: number, end: number, out: Uint8Array, outOffset: number): void;
	/**
	 * Compares in constant time the MAC over `bytes[start, end)` with the 8 bytes at `bytes[macOffset]`.
	 * @throws {CodedError} "unprovisioned"; "length" when they are not inside `bytes`
	 */
	verify(bytes: Uint8Array, start: number, end: number, macOffset: number): boolean;
	/**
	 * Enciphered PIN block into the first 8 bytes of `out`.
	 * @param pin - 4 to 12 ASCII digits, zeroed by the caller
	 * @throws {CodedError} "unprovisioned" | "length" | "charset"
	 */
	pinBlock(pin: Uint8Array, pan: string, out: Uint8Array): void;
}

/** The longest key of any name. */
const KEY_BYTES_MAX = 32;
const PIK_BYTES = [16, 24] as const;

export class WorkingKeyScheme implements KeyScheme {
	readonly #keys: KeyStore;
	readonly #algorithm: MacAlgorithm;
	readonly #key = new Uint8Array(KEY_BYTES_MAX);
	readonly #expected = new Uint8Array(MAC_BYTES);

	/** @param mac - the name in the dialect */
	constructor(keys: KeyStore, mac: MacName) {
		this.#keys = keys;
		this.#algorithm = createMac(mac);
	}

	ready(): boolean {
		try {
			return this.#read("MAK", this.#algorithm.keyBytes) > 0 && this.#read("PIK", PIK_BYTES) > 0;
		} finally {
			this.#key.fill(0);
		}
	}

	mac(bytes: Uint8Array, start: number, end: number, out: Uint8Array, outOffset: number): void {
		try {
			const key = this.#need("MAK", this.#algorithm.keyBytes);
			this.#algorithm.compute(key, bytes, start, end, out, outOffset);
		} finally {
			this.#key.fill(0);
		}
	}

	verify(bytes: Uint8Array, start: number, end: number, macOffset: number): boolean {
		if (macOffset < 0 || macOffset + MAC_BYTES > bytes.length) throw new CodedError("length", "security MAC");
		const expected = this.#expected;
		this.mac(bytes, start, end, expected, 0);
		let difference = 0;
		for (let i = 0; i < MAC_BYTES; i++) difference |= expected[i] ^ bytes[macOffset + i];
		expected.fill(0);
		return difference === 0;
	}

	pinBlock(pin: Uint8Array, pan: string, out: Uint8Array): void {
		try {
			encryptPinBlock(pin, pan, this.#need("PIK", PIK_BYTES), out, 0);
		} finally {
			this.#key.fill(0);
		}
	}

	/** View of the private buffer. @throws {CodedError} "unprovisioned" */
	#need(name: KeyName, allowed: readonly number[]): Uint8Array {
		const byteLength = this.#read(name, allowed);
		if (byteLength === 0) throw new CodedError("unprovisioned", `security ${name}`);
		return this.#key.subarray(0, byteLength);
	}

	/** Reads a key into the private buffer. @returns its length, 0 when there is none that can be used */
	#read(name: KeyName, allowed: readonly number[]): number {
		const key = this.#key;
		let byteLength = this.#keys.read(name, key);
		// Sign-on carries a single-length MAK in 16 bytes, the last 8 of them zero.
		if (name === "MAK" && byteLength === 16 && isZero(key, 8, 16)) byteLength = 8;
		// A key of zeros is a key nobody set.
		if (!allowed.includes(byteLength) || isZero(key, 0, 8)) return 0;
		return byteLength;
	}
}

function isZero(bytes: Uint8Array, start: number, end: number): boolean {
	let any = 0;
	for (let i = start; i < end; i++) any |= bytes[i];
	return any === 0;
}
