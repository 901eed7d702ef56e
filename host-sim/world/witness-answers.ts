/**
 * Whether an answer that reaches a terminal is its host's: the MAC, by the host's own arithmetic and not by the
 * firmware's. Keys come the way the terminal's do, in the sign-on's answer under its master key, or by the counter that
 * its request has named.
 *
 * Sound: an answer that the terminal may believe verifies here. More may: keys of a sign-on that the terminal did not
 * take are known here as well.
 * @module
 */
import { fromHex, readU32 } from "../../src/core/bytes";
import type { MessageDecoder } from "../../src/iso8583/decoder";
import type { KeyStore } from "../../src/ports";
import { cmac8, desDecrypt, sameSecret, sessionMac } from "../acquirer/ciphers";
import { INITIAL_KEY_ID_BYTES, initialKey, USAGE_MAC_ANSWER, workingKey } from "../acquirer/dukpt";
import { TEST_BDK } from "../acquirer/test-keys";

/** DE 62 of a sign-on: PIK 16, check value 4, MAK 16, check value 4. */
const MAK_OFFSET = 20;
const KEY_BYTES = 16;
const KEY_BLOCK_BYTES = 40;
const DES_BLOCK_BYTES = 8;
const TMK_BYTES_MAX = 24;
/** Sets of keys, and counters by STAN: later ones push the earliest out, and what came under those counts unverified. */
const KNOWN_MAX = 64;

/** The MAC key of one sign-on. */
interface SessionSet {
	/** Under the terminal's master key, as it came. */
	readonly wrapped: Uint8Array;
	mak: Uint8Array | undefined;
}

export class AnswerProof {
	readonly #keys: KeyStore;
	readonly #dukpt: boolean;
	readonly #sets: SessionSet[] = [];
	/** Of DUKPT: the counters that requests of a STAN have named. */
	readonly #counters: { readonly stan: number; readonly counter: number }[] = [];
	#initial: Uint8Array | undefined;
	#keyId = new Uint8Array(0);
	/** Something was pushed out. */
	#forgotten = false;

	/** @param keys - the terminal's, read only */
	constructor(keys: KeyStore, dukpt: boolean) {
		this.#keys = keys;
		this.#dukpt = dukpt;
	}

	/** A request with a counter leaves. */
	named(stan: number, control: Uint8Array): void {
		if (this.#initial === undefined) {
			this.#keyId = control.slice(0, INITIAL_KEY_ID_BYTES);
			this.#initial = initialKey(fromHex(TEST_BDK), this.#keyId);
		}
		this.#keep(this.#counters, { stan, counter: readU32(control, INITIAL_KEY_ID_BYTES) });
	}

	/** The host has answered a sign-on; what it gives is opened when somebody wants to know. */
	signedOn(message: MessageDecoder): void {
		if (this.#dukpt || !message.has(62) || message.byteLength(62) < KEY_BLOCK_BYTES) return;
		this.#keep(this.#sets, {
			wrapped: message.bytes(62).slice(MAK_OFFSET, MAK_OFFSET + KEY_BYTES),
			mak: undefined,
		});
	}

	/** @returns false when no key that this terminal may have makes the MAC of this answer */
	mayBelieve(message: MessageDecoder, frame: Uint8Array, stan: number): boolean {
		const de = message.macDe;
		if (de === 0) return false;
		if (this.#forgotten) return true;
		const covered = frame.subarray(message.macStart, message.offset(de));
		const mac = message.bytes(de);
		if (!this.#dukpt) {
			for (let n = this.#sets.length - 1; n >= 0; n--) {
				const mak = this.#open(this.#sets[n]);
				if (mak === undefined || sameSecret(sessionMac(message.dialect.mac, mak, covered), mac)) return true;
			}
			return false;
		}
		const initial = this.#initial;
		if (initial === undefined) return false;
		for (let n = this.#counters.length - 1; n >= 0; n--) {
			const known = this.#counters[n];
			if (known.stan !== stan) continue;
			const key = workingKey(initial, this.#keyId, known.counter, USAGE_MAC_ANSWER);
			if (sameSecret(cmac8(key, covered), mac)) return true;
		}
		return false;
	}

	/** @returns undefined where the master key is not one that opens it */
	#open(set: SessionSet): Uint8Array | undefined {
		if (set.mak !== undefined) return set.mak;
		const tmk = new Uint8Array(TMK_BYTES_MAX);
		if (this.#keys.read("TMK", tmk) !== KEY_BYTES) return undefined;
		const mak = set.wrapped.slice();
		desDecrypt(tmk.subarray(0, KEY_BYTES), mak);
		const single = mak.subarray(DES_BLOCK_BYTES).every((byte) => byte === 0);
		set.mak = single ? mak.slice(0, DES_BLOCK_BYTES) : mak;
		return set.mak;
	}

	#keep<T>(list: T[], value: T): void {
		if (list.length === KNOWN_MAX) {
			list.shift();
			this.#forgotten = true;
		}
		list.push(value);
	}
}
