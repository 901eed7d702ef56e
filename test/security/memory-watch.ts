/**
 * Sees into memory that is private: while it watches, every Uint8Array and Uint32Array that anybody makes with `new` or
 * `from`, libraries included, is kept in a list. What still holds a secret afterwards was not wiped.
 */

/** What was made while watching, in pieces of memory. */
export class MemoryWatch {
	readonly #memory = new Set<ArrayBufferLike>();

	/** Runs `action` and keeps what it makes. May be called again. */
	watch<T>(action: () => T): T {
		const before = { Uint8Array, Uint32Array };
		const memory = this.#memory;
		const handler: ProxyHandler<typeof Uint8Array | typeof Uint32Array> = {
			construct(target, args, newTarget) {
				const made = Reflect.construct(target, args, newTarget) as Uint8Array;
				memory.add(made.buffer);
				return made;
			},
		};
		globalThis.Uint8Array = new Proxy(Uint8Array, handler as ProxyHandler<typeof Uint8Array>);
		globalThis.Uint32Array = new Proxy(Uint32Array, handler as ProxyHandler<typeof Uint32Array>);
		try {
			return action();
		} finally {
			Object.assign(globalThis, before);
		}
	}

	get pieces(): number {
		return this.#memory.size;
	}

	/** True when one of the pieces holds these bytes. @param secret - hex, at least 6 bytes to mean anything */
	holds(secret: string): boolean {
		const wanted = Buffer.from(secret, "hex");
		for (const memory of this.#memory) if (Buffer.from(memory).includes(wanted)) return true;
		return false;
	}
}
