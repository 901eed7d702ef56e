/**
 * A key store that holds what it was given, as a provisioned board does. Test keys only.
 * @module
 */
import { fromHex } from "../../src/core/bytes";
import { CodedError } from "../../src/core/errors";
import type { KeyName, KeyStore } from "../../src/ports";

const KEY_LENGTHS = [8, 16, 24, 32];

export class StaticKeys implements KeyStore {
	readonly #keys = new Map<string, Uint8Array>();

	/**
	 * @param table - hex digits by name; a name left out is a key the board does not hold
	 * @throws {CodedError} "charset" | "length" with the key's name, never with its digits (I9)
	 */
	constructor(table: Readonly<Partial<Record<KeyName, string>>>) {
		for (const [name, hex] of Object.entries(table)) {
			const key = fromHex(hex, `key ${name}`);
			if (!KEY_LENGTHS.includes(key.length)) throw new CodedError("length", `key ${name}`, `${key.length} bytes`);
			this.#keys.set(name, key);
		}
	}

	read(name: KeyName, out: Uint8Array): number {
		const key = this.#keys.get(name);
		if (key === undefined) return 0;
		if (out.length < key.length) throw new CodedError("length", `key ${name}`, `room for ${out.length} bytes`);
		out.set(key);
		return key.length;
	}
}
