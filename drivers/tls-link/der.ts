/**
 * Reads DER: one pass over bytes that somebody else wrote, so every length is checked before it is believed, and only
 * the one encoding that DER allows is taken. No copies: elements are views.
 * Source: ITU-T X.690 (02/2021) §8.1, §10, §11.
 * @module
 */
import { CodedError } from "../../src/core/errors";

export const BOOLEAN = 0x01;
export const INTEGER = 0x02;
export const BIT_STRING = 0x03;
export const OCTET_STRING = 0x04;
export const OBJECT_ID = 0x06;
export const UTC_TIME = 0x17;
export const GENERALIZED_TIME = 0x18;
export const SEQUENCE = 0x30;

export class DerReader {
	readonly #bytes: Uint8Array;
	readonly #place: string;
	#at = 0;
	/** Where the contents of the element looked at last begin, and end. */
	#start = 0;
	#end = 0;

	/** @param place - for errors */
	constructor(bytes: Uint8Array, place: string) {
		this.#bytes = bytes;
		this.#place = place;
	}

	get done(): boolean {
		return this.#at === this.#bytes.length;
	}

	/** The tag of the next element; −1 at the end. */
	get tag(): number {
		return this.done ? -1 : this.#bytes[this.#at];
	}

	/** @returns the contents of the next element, which must have this tag */
	contents(tag: number): Uint8Array {
		this.#next(tag);
		return this.#bytes.subarray(this.#start, this.#end);
	}

	/** @returns the next element whole, with tag and length */
	whole(tag: number): Uint8Array {
		const start = this.#at;
		this.#next(tag);
		return this.#bytes.subarray(start, this.#end);
	}

	/** A reader over the contents of the next element. */
	inside(tag: number): DerReader {
		return new DerReader(this.contents(tag), this.#place);
	}

	/** @throws {CodedError} "length" when something is left */
	end(): void {
		if (!this.done) throw new CodedError("length", this.#place, `${this.#bytes.length - this.#at} bytes too many`);
	}

	#next(tag: number): void {
		const bytes = this.#bytes;
		if (this.tag !== tag) throw new CodedError("format", this.#place, `tag ${this.tag} instead of ${tag}`);
		const first = this.#byte(this.#at + 1);
		let start = this.#at + 2;
		let length = first;
		if (first >= 0x80) {
			const count = first & 0x7f;
			if (count < 1 || count > 3) throw new CodedError("length", this.#place, "length of a length");
			length = 0;
			for (let i = 0; i < count; i++) length = (length << 8) | this.#byte(start++);
			const least = count === 1 ? 0x80 : 1 << (8 * (count - 1));
			if (length < least) throw new CodedError("format", this.#place, "a length longer than it must be");
		}
		if (length > bytes.length - start) throw new CodedError("length", this.#place, `${length} bytes at ${start}`);
		this.#start = start;
		this.#end = start + length;
		this.#at = this.#end;
	}

	#byte(offset: number): number {
		if (offset >= this.#bytes.length) throw new CodedError("length", this.#place, "cut short");
		return this.#bytes[offset];
	}
}
