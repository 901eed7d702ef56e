/**
 * The device's own key: Ed25519, from a seed that is made on the device and never shown. It signs evidence, and nothing
 * else; what it signs begins with a text that says so, so that a signature cannot be taken for one of another use. From
 * the same seed device-key-frames.ts derives, by HMAC, the salts of frames.
 *
 * Invariants: the seed is durable before its public key is told to anybody, or a pack would be signed by a key that no
 * boot has again; a seed that is there is never replaced here. Keys live for one operation (DESIGN.md, rule 1); the
 * library's own blocks over the seed are not in our hands, and left to the collector.
 * Source: RFC 8032, §5.1; tweetnacl 1.0.3, the only library found that does without BigInt.
 * @module
 */
import nacl from "tweetnacl";
import { assert } from "../core/assert";
import { CodedError } from "../core/errors";
import type { KeyStore, RandomSource } from "../ports";
import { isZero } from "./constant-time";

export const DEVICE_SEED_BYTES = 32;
export const PUBLIC_KEY_BYTES = 32;
export const SIGNATURE_BYTES = 64;
/** An entry that is longer than any seed is one of somebody else's. */
const ENTRY_BYTES_MAX = 528;

/** What is needed of the key store. */
export type DeviceKeyStore = Pick<KeyStore, "read" | "write">;

/**
 * Draws the seed, where there is none yet: at provisioning, or when it is first needed.
 * @returns true when it was drawn now
 * @throws {CodedError} "range" when the platform's generator gives zeros; what the key store throws
 */
export function makeDeviceKey(keys: DeviceKeyStore, random: RandomSource): boolean {
	const seed = new Uint8Array(ENTRY_BYTES_MAX);
	try {
		if (readSeed(keys, seed)) return false;
		const fresh = seed.subarray(0, DEVICE_SEED_BYTES);
		random.fill(fresh);
		if (isZero(fresh, 0, DEVICE_SEED_BYTES)) throw new CodedError("range", "security DEVICE");
		keys.write("DEVICE", fresh);
		return true;
	} finally {
		seed.fill(0);
	}
}

/**
 * @param out - room for any entry; its first DEVICE_SEED_BYTES bytes are the seed
 * @returns false when there is none
 * @throws {CodedError} "format" for an entry that is none: it is not replaced, or old evidence had no key any more
 */
export function readSeed(keys: DeviceKeyStore, out: Uint8Array): boolean {
	const byteLength = keys.read("DEVICE", out);
	if (byteLength === 0) return false;
	if (byteLength !== DEVICE_SEED_BYTES || isZero(out, 0, DEVICE_SEED_BYTES)) {
		throw new CodedError("format", "security DEVICE");
	}
	return true;
}

export class DeviceKey {
	readonly #keys: DeviceKeyStore;
	readonly #random: RandomSource;
	readonly #seed = new Uint8Array(ENTRY_BYTES_MAX);
	/** Computed once a boot: as expensive as a signature. Not stored: a wrong one beside the seed would give the key away. */
	readonly #public = new Uint8Array(PUBLIC_KEY_BYTES);
	#known = false;

	constructor(keys: DeviceKeyStore, random: RandomSource) {
		this.#keys = keys;
		this.#random = random;
	}

	/**
	 * The public key into `out`; makes the key where there is none. 22 M steps of XS at first, then none.
	 * @throws {CodedError} as {@link makeDeviceKey}; "format" for an entry that is no seed
	 */
	publicKey(out: Uint8Array): void {
		this.prepare();
		out.set(this.#public);
	}

	/**
	 * Signs `message`, at most 128 bytes of a stated purpose. 22 M steps of XS: never while somebody waits.
	 * @param out - SIGNATURE_BYTES bytes
	 * @throws {CodedError} as {@link publicKey}
	 */
	sign(message: Uint8Array, out: Uint8Array): void {
		assert(message.length <= 128 && out.length === SIGNATURE_BYTES, "a signature is over a digest");
		this.prepare();
		const secret = new Uint8Array(DEVICE_SEED_BYTES + PUBLIC_KEY_BYTES);
		try {
			if (!readSeed(this.#keys, this.#seed)) throw new CodedError("missing", "security DEVICE");
			for (let i = 0; i < DEVICE_SEED_BYTES; i++) secret[i] = this.#seed[i];
			secret.set(this.#public, DEVICE_SEED_BYTES);
			out.set(nacl.sign.detached(message, secret));
		} finally {
			secret.fill(0);
			this.#seed.fill(0);
		}
	}

	private prepare(): void {
		if (this.#known) return;
		makeDeviceKey(this.#keys, this.#random);
		try {
			if (!readSeed(this.#keys, this.#seed)) throw new CodedError("missing", "security DEVICE");
			const pair = nacl.sign.keyPair.fromSeed(this.#seed.subarray(0, DEVICE_SEED_BYTES));
			pair.secretKey.fill(0);
			this.#public.set(pair.publicKey);
			this.#known = true;
		} finally {
			this.#seed.fill(0);
		}
	}
}
