/**
 * The MAC of sync messages: AES-CMAC under the host authentication key, first 8 bytes. That key is loaded by a
 * technician and does not change with a sign-on, so what decides money in a sync is authentic whatever became of the
 * working keys. Source: PROTOCOL.md, "Security of messages"; RFC 4493.
 * @module
 */
import { checkRange } from "../core/bytes";
import { CodedError } from "../core/errors";
import type { KeyStore } from "../ports";
import { AES_KEY_BYTES } from "./aes";
import { equalSecret } from "./constant-time";
import { createMac, MAC_BYTES } from "./mac";

const HAK_BYTES_MAX = 32;

export class SyncMac {
	readonly #keys: KeyStore;
	readonly #algorithm = createMac("cmac");
	readonly #key = new Uint8Array(HAK_BYTES_MAX);
	/** Views of the private buffer, one for each length of a key. */
	readonly #views = AES_KEY_BYTES.map((byteLength) => this.#key.subarray(0, byteLength));
	readonly #expected = new Uint8Array(MAC_BYTES);

	constructor(keys: KeyStore) {
		this.#keys = keys;
	}

	/** MAC over `bytes[start, end)` into 8 bytes at `out[outOffset]`. @throws {CodedError} "unprovisioned" | "length" */
	mac(bytes: Uint8Array, start: number, end: number, out: Uint8Array, outOffset: number): void {
		try {
			const byteLength = this.#keys.read("HAK", this.#key);
			const view = this.#views.find((candidate) => candidate.length === byteLength);
			if (view === undefined || !this.#algorithm.takes(this.#key, byteLength)) {
				throw new CodedError("unprovisioned", "security HAK");
			}
			this.#algorithm.compute(view, bytes, start, end, out, outOffset);
		} finally {
			this.#key.fill(0);
		}
	}

	/**
	 * Compares in constant time the MAC over `bytes[start, end)` with the 8 bytes at `bytes[macOffset]`.
	 * @throws {CodedError} "unprovisioned"; "length" when they are not inside `bytes`
	 */
	verify(bytes: Uint8Array, start: number, end: number, macOffset: number): boolean {
		checkRange(bytes, macOffset, MAC_BYTES, "security MAC");
		const expected = this.#expected;
		this.mac(bytes, start, end, expected, 0);
		const same = equalSecret(expected, 0, bytes, macOffset, MAC_BYTES);
		expected.fill(0);
		return same;
	}
}
