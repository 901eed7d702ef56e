/**
 * The key store of a simulated board: outlives its boots, as an encrypted partition or a secure element does. A write
 * is whole or it has not happened. Test keys only.
 * @module
 */
import { fromHex } from "../../src/core/bytes";
import { CodedError } from "../../src/core/errors";
import { KEY_BYTES_MAX, type KeyName, type KeyStore } from "../../src/ports";

/** Of keys that are given as a table; what the firmware writes is its own business. */
const KEY_LENGTHS = [8, 16, 24, 32];

export class MemoryKeys implements KeyStore {
	readonly #keys = new Map<string, Uint8Array>();

	/**
	 * @param table - hex digits by name; a name left out is a key the board does not hold
	 * @throws {CodedError} "charset" | "length" with the key's name, never with its digits (I9)
	 */
	constructor(table: Readonly<Partial<Record<KeyName, string>>> = {}) {
		for (const [name, hex] of Object.entries(table)) {
			const key = fromHex(hex, `key ${name}`);
			if (!KEY_LENGTHS.includes(key.length)) throw new CodedError("length", `key ${name}`, `${key.length} bytes`);
			this.write(name as KeyName, key);
		}
	}

	read(name: KeyName, out: Uint8Array): number {
		const key = this.#keys.get(name);
		if (key === undefined) return 0;
		if (out.length < key.length) throw new CodedError("length", `key ${name}`, `room for ${out.length} bytes`);
		out.set(key);
		return key.length;
	}

	write(name: KeyName, key: Uint8Array): void {
		if (key.length === 0 || key.length > KEY_BYTES_MAX)
			throw new CodedError("length", `key ${name}`, `${key.length} bytes`);
		this.#keys.get(name)?.fill(0);
		this.#keys.set(name, key.slice());
	}
}
