/**
 * The mistake I1 and I2 exist against: a flash with a write-back cache. While it holds, the firmware reads what it has
 * written, and the silicon knows nothing of it.
 */
import type { NorFlash } from "../../host-sim/board/nor-flash";

export class WriteBackFlash {
	readonly #write: NorFlash["write"];
	readonly #pending: { bytes: Uint8Array; offset: number }[] = [];
	#holding = false;

	/** Takes the place of the flash's own read and write. */
	constructor(flash: NorFlash) {
		this.#write = flash.write.bind(flash);
		const read = flash.read.bind(flash) as (target: number | Uint8Array, offset: number) => ArrayBuffer | number;
		flash.write = (bytes, offset) => {
			if (this.#holding) this.#pending.push({ bytes: bytes.slice(), offset });
			else this.#write(bytes, offset);
		};
		flash.read = ((target: number | Uint8Array, offset: number) => {
			const result = read(target, offset);
			this.#overlay(typeof target === "number" ? new Uint8Array(result as ArrayBuffer) : target, offset);
			return result;
		}) as NorFlash["read"];
	}

	hold(): void {
		this.#holding = true;
	}

	/** Everything reaches the silicon, in order. */
	release(): void {
		this.#holding = false;
		for (const { bytes, offset } of this.#pending.splice(0)) this.#write(bytes, offset);
	}

	#overlay(target: Uint8Array, offset: number): void {
		for (const { bytes, offset: at } of this.#pending) {
			for (let i = 0; i < bytes.length; i++) {
				const to = at + i - offset;
				if (to >= 0 && to < target.length) target[to] &= bytes[i];
			}
		}
	}
}
