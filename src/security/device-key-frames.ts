/**
 * Tags of full frames, which are kept nowhere: an HMAC under a salt of their own, that is derived from the device's key
 * and stored nowhere either. For a pack the salts are sealed under the pack's salt, which the acquirer can compute, and
 * nobody else. Why it is done so: settlement/EVIDENCE.md, "Frames".
 *
 * Invariants: a salt is used for one frame (session drawn at random in each boot, counter); no salt leaves this folder
 * but sealed. The session key lives in private memory, as working keys do.
 * Source: HMAC, RFC 2104 with SHA-256; AES-CMAC, RFC 4493.
 * @module
 */
import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { assert } from "../core/assert";
import { writeAscii, writeU32 } from "../core/bytes";
import { CodedError } from "../core/errors";
import type { RandomSource } from "../ports";
import { AES_KEY_BYTES, Aes } from "./aes";
import { isZero } from "./constant-time";
import { DEVICE_SEED_BYTES, type DeviceKeyStore, makeDeviceKey, readSeed } from "./device-key";

export const SESSION_BYTES = 8;
/** Session and counter: what names the salt of a frame. */
export const FRAME_ID_BYTES = SESSION_BYTES + 4;
export const FRAME_TAG_BYTES = 32;
export const FRAME_SALT_BYTES = 16;
export const PACK_NONCE_BYTES = 16;
export const PACK_CHECK_BYTES = 8;
const PACK_SALT_BYTES = 16;
const HASH_BYTES = 32;
const ENTRY_BYTES_MAX = 528;
const HAK_BYTES_MAX = 32;

const SESSION_TEXT = "unsettled evidence session";
const PACK_TEXT = "unsettled evidence salt";
const SALT_TEXT = "salt";
const FRAME_TEXT = "frame";
const CHECK_TEXT = "check";

export class FrameTags {
	readonly #keys: DeviceKeyStore;
	readonly #random: RandomSource;
	readonly #session = new Uint8Array(SESSION_BYTES);
	readonly #sessionKey = new Uint8Array(HASH_BYTES);
	/** Of the session whose salts were asked for last: a pack goes through them in their order. */
	readonly #pastSession = new Uint8Array(SESSION_BYTES);
	readonly #pastKey = new Uint8Array(HASH_BYTES);
	#pastKnown = false;
	/** 0 before the session is drawn. */
	#counter = 0;
	readonly #packSalt = new Uint8Array(PACK_SALT_BYTES);
	#packOpen = false;

	constructor(keys: DeviceKeyStore, random: RandomSource) {
		this.#keys = keys;
		this.#random = random;
	}

	/**
	 * Tags `frame[0, byteLength)`. The first one of a boot draws the session, and the device's key where there is none.
	 * @param id - FRAME_ID_BYTES bytes: session and counter
	 * @param tag - FRAME_TAG_BYTES bytes
	 * @throws {CodedError} as makeDeviceKey
	 */
	tag(frame: Uint8Array, byteLength: number, id: Uint8Array, tag: Uint8Array): void {
		if (this.#counter === 0) this.begin();
		assert(this.#counter < 0xffff_ffff, "I4 a salt is used once");
		id.set(this.#session);
		writeU32(id, SESSION_BYTES, this.#counter++);
		const salt = new Uint8Array(FRAME_SALT_BYTES);
		try {
			deriveSalt(this.#sessionKey, id, salt);
			const mac = hmac.create(sha256, salt);
			mac.update(frame.subarray(0, byteLength));
			mac.digestInto(tag);
			mac.destroy();
		} finally {
			salt.fill(0);
		}
	}

	/**
	 * Draws a pack's nonce and computes its salt, which stays here until {@link endPack}.
	 * @param nonce - PACK_NONCE_BYTES bytes
	 * @param check - PACK_CHECK_BYTES bytes, by which a salt is recognised
	 * @throws {CodedError} "unprovisioned" without a host authentication key
	 */
	beginPack(nonce: Uint8Array, check: Uint8Array): void {
		const key = new Uint8Array(HAK_BYTES_MAX);
		try {
			const byteLength = this.#keys.read("HAK", key);
			if (!AES_KEY_BYTES.includes(byteLength) || isZero(key, 0, byteLength)) {
				throw new CodedError("unprovisioned", "security HAK");
			}
			this.#random.fill(nonce.subarray(0, PACK_NONCE_BYTES));
			const text = new Uint8Array(PACK_TEXT.length + PACK_NONCE_BYTES);
			text.set(nonce.subarray(0, PACK_NONCE_BYTES), writeAscii(text, 0, PACK_TEXT, "pack salt"));
			new Aes().cmac(key.subarray(0, byteLength), text, 0, text.length, this.#packSalt, 0, PACK_SALT_BYTES);
			this.#packOpen = true;
			keyedHash(this.#packSalt, CHECK_TEXT, new Uint8Array(0), check.subarray(0, PACK_CHECK_BYTES));
		} finally {
			key.fill(0);
		}
	}

	/**
	 * The salt of one frame, sealed under the pack's.
	 * @param id - FRAME_ID_BYTES bytes, as {@link tag} gave them
	 * @param out - FRAME_SALT_BYTES bytes
	 * @throws {CodedError} "missing" when the device's key is gone
	 */
	sealSalt(id: Uint8Array, out: Uint8Array): void {
		assert(this.#packOpen, "a pack is open");
		const salt = new Uint8Array(FRAME_SALT_BYTES);
		try {
			deriveSalt(this.keyOf(id), id, salt);
			keyedHash(this.#packSalt, FRAME_TEXT, id, out);
			for (let i = 0; i < FRAME_SALT_BYTES; i++) out[i] ^= salt[i];
		} finally {
			salt.fill(0);
		}
	}

	/** The pack's salt is gone. May be called twice. */
	endPack(): void {
		this.#packSalt.fill(0);
		this.#packOpen = false;
		this.#pastKey.fill(0);
		this.#pastKnown = false;
	}

	private begin(): void {
		makeDeviceKey(this.#keys, this.#random);
		this.#random.fill(this.#session);
		this.deriveSession(this.#session, this.#sessionKey);
		this.#counter = 1;
	}

	private keyOf(id: Uint8Array): Uint8Array {
		if (this.#counter !== 0 && beginsWith(id, this.#session)) return this.#sessionKey;
		if (!this.#pastKnown || !beginsWith(id, this.#pastSession)) {
			this.#pastKnown = false;
			for (let i = 0; i < SESSION_BYTES; i++) this.#pastSession[i] = id[i];
			this.deriveSession(this.#pastSession, this.#pastKey);
			this.#pastKnown = true;
		}
		return this.#pastKey;
	}

	private deriveSession(session: Uint8Array, out: Uint8Array): void {
		const seed = new Uint8Array(ENTRY_BYTES_MAX);
		try {
			if (!readSeed(this.#keys, seed)) throw new CodedError("missing", "security DEVICE");
			keyedHash(seed.subarray(0, DEVICE_SEED_BYTES), SESSION_TEXT, session, out);
		} finally {
			seed.fill(0);
		}
	}
}

function deriveSalt(sessionKey: Uint8Array, id: Uint8Array, out: Uint8Array): void {
	keyedHash(sessionKey, SALT_TEXT, id.subarray(SESSION_BYTES, FRAME_ID_BYTES), out);
}

/** The beginning of HMAC(key, text ‖ bytes), as long as `out`. */
function keyedHash(key: Uint8Array, text: string, bytes: Uint8Array, out: Uint8Array): void {
	const head = new Uint8Array(text.length);
	writeAscii(head, 0, text, "evidence");
	const whole = new Uint8Array(HASH_BYTES);
	const mac = hmac.create(sha256, key);
	mac.update(head);
	mac.update(bytes);
	mac.digestInto(whole);
	mac.destroy();
	for (let i = 0; i < out.length; i++) out[i] = whole[i];
	whole.fill(0);
}

function beginsWith(id: Uint8Array, session: Uint8Array): boolean {
	for (let i = 0; i < SESSION_BYTES; i++) if (id[i] !== session[i]) return false;
	return true;
}
