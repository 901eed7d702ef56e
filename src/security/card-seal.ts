/**
 * Card data at rest: what a reversal or advice needs of the card, encrypted and authenticated, bound to its record by
 * the associated data. ChaCha20-Poly1305 under the key "STORE". Source: RFC 8439, §2.8.
 *
 * Invariant (I4): a nonce is used once under a key. The caller builds it from what never repeats: the journal's id,
 * its generation and the transaction id.
 * @module
 */
import { chacha20poly1305 } from "@noble/ciphers/chacha.js";
import { assert } from "../core/assert";
import { readBcdText, writeBcdText } from "../core/bcd";
import { CodedError } from "../core/errors";
import type { KeyStore } from "../ports";

export const SEAL_KEY_BYTES = 32;
export const SEAL_NONCE_BYTES = 12;
/** A sealed text is this much longer than the plain one. */
export const SEAL_TAG_BYTES = 16;

export class CardSeal {
	readonly #keys: KeyStore;
	readonly #key = new Uint8Array(SEAL_KEY_BYTES);

	constructor(keys: KeyStore) {
		this.#keys = keys;
	}

	/** True when the key is there. */
	ready(): boolean {
		const byteLength = this.#keys.read("STORE", this.#key);
		let any = 0; // A key of zeros is a key nobody set.
		for (let i = 0; i < SEAL_KEY_BYTES; i++) any |= this.#key[i];
		this.#key.fill(0);
		return byteLength === SEAL_KEY_BYTES && any !== 0;
	}

	/**
	 * @param nonce - 12 bytes, never used before
	 * @param aad - what the text belongs to; must be the same when it is opened
	 * @returns ciphertext and tag, SEAL_TAG_BYTES longer than `plain`
	 * @throws {CodedError} "unprovisioned"
	 */
	seal(plain: Uint8Array, nonce: Uint8Array, aad: Uint8Array): Uint8Array {
		assert(nonce.length === SEAL_NONCE_BYTES, "I4 a nonce has 12 bytes");
		try {
			return chacha20poly1305(this.need(), nonce, aad).encrypt(plain);
		} finally {
			this.#key.fill(0);
		}
	}

	/**
	 * @returns the plain text; the caller zeroes it after use
	 * @throws {CodedError} "auth" when text, nonce or associated data are not those of the sealing; "unprovisioned"
	 */
	open(sealed: Uint8Array, nonce: Uint8Array, aad: Uint8Array): Uint8Array {
		if (nonce.length !== SEAL_NONCE_BYTES || sealed.length < SEAL_TAG_BYTES) {
			throw new CodedError("auth", "card seal", "length");
		}
		try {
			const cipher = chacha20poly1305(this.need(), nonce, aad);
			let plain: Uint8Array | undefined;
			try {
				plain = cipher.decrypt(sealed);
			} catch {
				// The library has one error for this, with a text of its own: the code is what callers know.
			}
			if (plain === undefined) throw new CodedError("auth", "card seal");
			return plain;
		} finally {
			this.#key.fill(0);
		}
	}

	private need(): Uint8Array {
		if (this.#keys.read("STORE", this.#key) !== SEAL_KEY_BYTES) {
			throw new CodedError("unprovisioned", "security STORE");
		}
		return this.#key;
	}
}

/** What a reversal or advice needs of the card. */
export interface StoredCard {
	/** 12 to 19 digits. */
	pan: string;
	/** YYMM. */
	expiry: string;
	/** Three digits; absent where the card has none. */
	sequence?: string | undefined;
}

/** Count of PAN digits 1, PAN as BCD 10, expiry 2, sequence 2 (first nibble 1 = present, then three digits). */
export const CARD_BYTES = 15;
const PAN_OFFSET = 1;
const PAN_DIGITS_MIN = 12;
const PAN_DIGITS_MAX = 19;
const EXPIRY_OFFSET = 11;
const SEQUENCE_OFFSET = 13;
const PLACE = "stored card";

/** @returns CARD_BYTES bytes, to be zeroed by the caller. @throws {CodedError} "length" | "charset" */
export function packCard(card: StoredCard): Uint8Array {
	const { pan, expiry, sequence } = card;
	if (pan.length < PAN_DIGITS_MIN || pan.length > PAN_DIGITS_MAX) throw new CodedError("length", `${PLACE} number`);
	if (expiry.length !== 4) throw new CodedError("length", `${PLACE} expiry`);
	if (sequence !== undefined && sequence.length !== 3) throw new CodedError("length", `${PLACE} sequence`);
	const bytes = new Uint8Array(CARD_BYTES);
	bytes[0] = pan.length;
	writeBcdText(bytes, PAN_OFFSET, pan, `${PLACE} number`);
	writeBcdText(bytes, EXPIRY_OFFSET, expiry, `${PLACE} expiry`);
	if (sequence !== undefined) writeBcdText(bytes, SEQUENCE_OFFSET, `1${sequence}`, `${PLACE} sequence`);
	return bytes;
}

/** @throws {CodedError} "length" | "charset" | "format" for bytes {@link packCard} cannot have written */
export function unpackCard(bytes: Uint8Array): StoredCard {
	if (bytes.length !== CARD_BYTES) throw new CodedError("length", PLACE);
	const digits = bytes[0];
	if (digits < PAN_DIGITS_MIN || digits > PAN_DIGITS_MAX) throw new CodedError("format", `${PLACE} number`);
	// All 20 nibbles are read, so that what stands behind the number is checked as well.
	const number = readBcdText(bytes, PAN_OFFSET, 20, `${PLACE} number`);
	for (let i = digits; i < 20; i++) {
		if (number.charCodeAt(i) !== 48) throw new CodedError("format", `${PLACE} number`);
	}
	const pan = number.slice(0, digits);
	const expiry = readBcdText(bytes, EXPIRY_OFFSET, 4, `${PLACE} expiry`);
	const flagged = readBcdText(bytes, SEQUENCE_OFFSET, 4, `${PLACE} sequence`);
	if (flagged === "0000") return { pan, expiry };
	if (flagged.charCodeAt(0) !== 49) throw new CodedError("format", `${PLACE} sequence`);
	return { pan, expiry, sequence: flagged.slice(1) };
}
