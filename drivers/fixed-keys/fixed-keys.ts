/**
 * A key store over a table: keys that are written in the program are known to everybody who has the program. For the
 * simulator only, which says so when it starts.
 * @module
 */
import { fromHex } from "../../src/core/bytes";
import { CodedError } from "../../src/core/errors";
import type { KeyName, KeyStore } from "../../src/ports";

export class FixedKeys implements KeyStore {
	readonly #keys = new Map<string, Uint8Array>();

	/**
	 * @param table - hex digits by name; a name left out is a key the board does not hold
	 * @throws {CodedError} "length" | "charset" with the key's name, never with its digits (I9)
	 */
	constructor(table: Readonly<Partial<Record<KeyName, string>>>) {
		for (const [name, hex] of Object.entries(table)) this.#keys.set(name, fromHex(hex, `key ${name}`));
	}

	read(name: KeyName, out: Uint8Array): number {
		const key = this.#keys.get(name);
		if (key === undefined) return 0;
		if (out.length < key.length) throw new CodedError("length", `key ${name}`, `room for ${out.length} bytes`);
		out.set(key);
		return key.length;
	}

	/** Wipes the keys; from then on the board holds none. May be called twice. */
	close(): void {
		for (const key of this.#keys.values()) key.fill(0);
		this.#keys.clear();
	}
}
