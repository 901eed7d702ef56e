/**
 * A flash partition in RAM, for a platform that has none: the rules of NOR flash hold (a program only clears bits,
 * an erase is by block and gives 0xFF), only power cuts it cannot survive. The memory belongs to the board, so that
 * a restart of the firmware finds it as it was; each boot opens its own partition over it.
 * Source of the interface: ECMA-419, 2nd edition, "Flash storage".
 * @module
 */
import { CodedError } from "../../src/core/errors";
import type { FlashPartition } from "../../src/ports";

const ERASED = 0xff;

/** Memory as it comes from the factory. */
export function blankMemory(byteLength: number): Uint8Array {
	return new Uint8Array(byteLength).fill(ERASED);
}

export class MemoryFlash implements FlashPartition {
	#memory: Uint8Array | undefined;
	readonly #status: { size: number; blockLength: number; blocks: number };

	/** @throws {CodedError} "range" when the memory is no whole number of blocks */
	constructor(options: { memory: Uint8Array; blockLength: number }) {
		const { memory, blockLength } = options;
		const blocks = memory.length / blockLength;
		if (!(blocks >= 1 && Number.isInteger(blocks))) {
			throw new CodedError("range", "memory flash", `${memory.length} bytes in blocks of ${blockLength}`);
		}
		this.#memory = memory;
		this.#status = { size: memory.length, blockLength, blocks };
	}

	status(): { size: number; blockLength: number; blocks: number } {
		this.#open();
		return this.#status;
	}

	read(byteLength: number, byteOffset: number): ArrayBuffer;
	read(buffer: Uint8Array, byteOffset: number): number;
	read(target: number | Uint8Array, byteOffset: number): ArrayBuffer | number {
		if (typeof target === "number") {
			const memory = this.#range(byteOffset, target, "read");
			return memory.slice(byteOffset, byteOffset + target).buffer as ArrayBuffer;
		}
		const { length } = target;
		const memory = this.#range(byteOffset, length, "read");
		target.set(memory.subarray(byteOffset, byteOffset + length));
		return length;
	}

	write(buffer: Uint8Array, byteOffset: number): void {
		const { length } = buffer;
		const memory = this.#range(byteOffset, length, "write");
		for (let i = 0; i < length; i++) memory[byteOffset + i] &= buffer[i];
	}

	eraseBlock(start: number, end = start + 1): void {
		const { blocks, blockLength } = this.#status;
		const memory = this.#open();
		if (!(Number.isInteger(start) && Number.isInteger(end) && start >= 0 && start < end && end <= blocks)) {
			throw new CodedError("flash", "memory flash", `erase of blocks ${start} to ${end} of ${blocks}`);
		}
		memory.fill(ERASED, start * blockLength, end * blockLength);
	}

	/** May be called twice. The memory keeps what it holds. */
	close(): void {
		this.#memory = undefined;
	}

	#open(): Uint8Array {
		if (this.#memory === undefined) throw new CodedError("state", "memory flash", "closed");
		return this.#memory;
	}

	#range(offset: number, byteLength: number, what: string): Uint8Array {
		const memory = this.#open();
		const whole = Number.isInteger(offset) && Number.isInteger(byteLength);
		if (!whole || offset < 0 || byteLength < 0 || offset + byteLength > memory.length) {
			throw new CodedError("flash", "memory flash", `${what} of ${byteLength} at ${offset} of ${memory.length}`);
		}
		return memory;
	}
}
