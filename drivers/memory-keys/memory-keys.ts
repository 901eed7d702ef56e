/**
 * A key store in RAM, for a platform that has no place for secrets. The memory belongs to the board, so that a restart
 * of the firmware finds what was written (DUKPT registers that went back would use keys twice, I4); each boot opens its
 * own store over it. Keys that are written in a program are known to everybody who has the program: for the simulator
 * only, which says so when it starts.
 * @module
 */
import { fromHex } from "../../src/core/bytes";
import { CodedError } from "../../src/core/errors";
import { KEY_BYTES_MAX, type KeyName, type KeyStore } from "../../src/ports";

export type KeyMemory = Map<KeyName, Uint8Array>;

/**
 * Memory as the factory leaves it.
 * @param table - hex digits by name; a name left out is a key the board does not hold
 * @throws {CodedError} "length" | "charset" with the key's name, never with its digits (I9)
 */
export function filledMemory(table: Readonly<Partial<Record<KeyName, string>>>): KeyMemory {
	const memory: KeyMemory = new Map();
	for (const [name, hex] of Object.entries(table)) memory.set(name as KeyName, fromHex(hex, `key ${name}`));
	return memory;
}

export class MemoryKeys implements KeyStore {
	#memory: KeyMemory | undefined;

	constructor(options: { memory: KeyMemory }) {
		this.#memory = options.memory;
	}

	/** @throws {CodedError} "length" when `out` is too short, "state" after close */
	read(name: KeyName, out: Uint8Array): number {
		const key = this.#open(name).get(name);
		if (key === undefined) return 0;
		if (out.length < key.length) throw new CodedError("length", `key ${name}`, `room for ${out.length} bytes`);
		out.set(key);
		return key.length;
	}

	/** @throws {CodedError} "length", "state" after close */
	write(name: KeyName, key: Uint8Array): void {
		const memory = this.#open(name);
		if (key.length < 1 || key.length > KEY_BYTES_MAX)
			throw new CodedError("length", `key ${name}`, `${key.length} bytes`);
		const old = memory.get(name);
		if (old?.length === key.length) {
			old.set(key); // The DUKPT registers change with each sale: no garbage.
			return;
		}
		memory.set(name, key.slice());
		old?.fill(0);
	}

	/** May be called twice. The memory keeps what it holds. */
	close(): void {
		this.#memory = undefined;
	}

	#open(name: KeyName): KeyMemory {
		if (this.#memory === undefined) throw new CodedError("state", `key ${name}`, "closed");
		return this.#memory;
	}
}
