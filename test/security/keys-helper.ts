/** Key stores for tests: keys as hex, the buffers that were filled, and a power cut around a write. */
import { fromHex, toHex } from "../../src/core/bytes";
import type { KeyName, KeyStore } from "../../src/ports";

export class TestKeys implements KeyStore {
	readonly keys: Partial<Record<KeyName, string>>;
	/** Every buffer handed to read(), so that a test can see what is left in it. */
	readonly buffers = new Set<Uint8Array>();
	/** Names of what was written, in order. */
	readonly writes: KeyName[] = [];

	constructor(keys: Partial<Record<KeyName, string>>) {
		this.keys = keys;
	}

	read(name: KeyName, out: Uint8Array): number {
		this.buffers.add(out);
		const key = fromHex(this.keys[name] ?? "");
		out.set(key);
		return key.length;
	}

	write(name: KeyName, key: Uint8Array): void {
		this.writes.push(name);
		this.keys[name] = toHex(key);
	}

	/** True when key material was handed out and every byte of it is gone. */
	wiped(): boolean {
		return this.buffers.size > 0 && [...this.buffers].every((buffer) => buffer.every((byte) => byte === 0));
	}
}

/** Thrown by a store whose power goes. */
export class PowerCut extends Error {}

/** A store that is cut at one of its writes: before the new content counts, or after it. */
export class CutKeys extends TestKeys {
	/** Writes until the cut; the write with 0 left is cut. */
	#left: number;
	readonly #after: boolean;

	constructor(keys: Partial<Record<KeyName, string>>, left: number, after: boolean) {
		super(keys);
		this.#left = left;
		this.#after = after;
	}

	override write(name: KeyName, key: Uint8Array): void {
		this.buffers.add(key);
		if (this.#left-- > 0) {
			super.write(name, key);
			return;
		}
		if (this.#after) super.write(name, key);
		throw new PowerCut();
	}
}
