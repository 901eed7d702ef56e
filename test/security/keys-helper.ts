/** A key store for tests: keys as hex, and the buffers it was asked to fill. */
import { fromHex } from "../../src/core/bytes";
import type { KeyName, KeyStore } from "../../src/ports";

export class TestKeys implements KeyStore {
	readonly keys: Partial<Record<KeyName, string>>;
	/** Every buffer handed to read(), so that a test can see what is left in it. */
	readonly buffers = new Set<Uint8Array>();

	constructor(keys: Partial<Record<KeyName, string>>) {
		this.keys = keys;
	}

	read(name: KeyName, out: Uint8Array): number {
		this.buffers.add(out);
		const key = fromHex(this.keys[name] ?? "");
		out.set(key);
		return key.length;
	}

	/** True when key material was handed out and every byte of it is gone. */
	wiped(): boolean {
		return this.buffers.size > 0 && [...this.buffers].every((buffer) => buffer.every((byte) => byte === 0));
	}
}
