/**
 * What happens in a world, in order: one running hash of everything that can be observed, and the lines that a person
 * reads. The hash is of values, not of the lines: it is the same whether anybody reads or not.
 *
 * Two lanes of 32 bits, one by the steps of FNV-1a, one by those of a multiplicative hash: not for secrets.
 * @module
 */
import type { VirtualTime } from "../board/virtual-clock";
import type { StoryLine, StorySource } from "./report";

const TWO_32 = 4294967296;
const HEX_DIGITS = 8;

export class Story {
	/** Timers fired so far. */
	step = 0;
	readonly #time: VirtualTime;
	readonly #onLine: ((line: StoryLine) => void) | undefined;
	#a = 0x811c9dc5;
	#b = 0x2545f491;

	constructor(time: VirtualTime, onLine: ((line: StoryLine) => void) | undefined) {
		this.#time = time;
		this.#onLine = onLine;
	}

	/** True when somebody reads the lines. */
	get read(): boolean {
		return this.#onLine !== undefined;
	}

	/** A line that is part of the trace. */
	line(terminal: number, source: StorySource, text: string): void {
		this.#begin(terminal, text.length);
		let a = this.#a;
		let b = this.#b;
		for (let i = 0; i < text.length; i++) {
			const code = text.charCodeAt(i);
			a = Math.imul(a ^ code, 0x01000193);
			b = Math.imul(b + code, 0x9e3779b1) ^ (b >>> 15);
		}
		this.#a = a;
		this.#b = b;
		this.tell(terminal, source, text);
	}

	/** Bytes that are part of the trace; `text` is made only for a reader. */
	bytes(terminal: number, bytes: Uint8Array, source: StorySource, text: () => string): void {
		this.#begin(terminal, bytes.length);
		let a = this.#a;
		let b = this.#b;
		for (let i = 0; i < bytes.length; i++) {
			const byte = bytes[i];
			a = Math.imul(a ^ byte, 0x01000193);
			b = Math.imul(b + byte, 0x9e3779b1) ^ (b >>> 15);
		}
		this.#a = a;
		this.#b = b;
		if (this.read) this.tell(terminal, source, text());
	}

	/** A line for the reader alone. */
	tell(terminal: number, source: StorySource, text: string): void {
		this.#onLine?.({ step: this.step, atMs: this.#time.nowMs, terminal, source, text });
	}

	/** Sixteen hex digits. */
	get hash(): string {
		return hex(this.#a) + hex(this.#b);
	}

	#begin(terminal: number, length: number): void {
		const { nowMs } = this.#time;
		this.#mix(nowMs % TWO_32);
		this.#mix(Math.floor(nowMs / TWO_32));
		this.#mix(terminal);
		this.#mix(length);
	}

	#mix(value: number): void {
		this.#a = Math.imul(this.#a ^ value, 0x01000193);
		this.#b = Math.imul(this.#b + value, 0x9e3779b1) ^ (this.#b >>> 15);
	}
}

function hex(word: number): string {
	return (word >>> 0).toString(16).padStart(HEX_DIGITS, "0");
}
