/**
 * Finds the valid records of one block, in order, through a window of memory for each copy of the flash. A record
 * counts when it is valid on either copy. A bad record never ends a block: the scan goes on at the next offset that
 * reads as a record (DESIGN.md, rule 8).
 * @module
 */
import { readU16, readU32 } from "../core/bytes";
import type { Copies } from "./copies";
import { headLength, headPlausible, recordBytes, recordCrc } from "./format";

/** A piece of a block as one copy holds it. */
interface Window {
	readonly bytes: Uint8Array;
	/** Block offset of `bytes[0]`. */
	offset: number;
	/** Bytes that hold something. */
	count: number;
}

export class BlockScanner {
	readonly #copies: Copies;
	readonly #windows: Window[] = [];
	readonly #blockLength: number;
	readonly #align: number;
	#block = 0;
	#sequence = 0;
	#end = 0;
	#cursor = 0;
	#crc = 0;
	#expected = 0; // Where the next record stands when nothing is missing.

	/** The window that holds the record found last; borrowed until the next read or write. */
	bytes: Uint8Array;
	/** Block offset of the record found last. */
	offset = 0;
	/** Index of its two head bytes in {@link bytes}. */
	at = 0;
	head = 0;
	/** Gaps with a valid record after them: something was damaged on every copy after it was written. */
	damaged = 0;
	/** Copies (as bits) that lack a record which the other one has. */
	lacking = 0;
	/** Two valid records that differ stood at one place: the copies have gone on apart. Set until it is reset. */
	conflict = false;

	/** @param window - at least one record of the greatest length; shared with the journal's writes */
	constructor(copies: Copies, window: Uint8Array) {
		this.#copies = copies;
		this.#blockLength = copies.blockLength;
		this.#align = copies.align;
		this.bytes = window;
		this.#windows.push({ bytes: window, offset: 0, count: 0 });
		if (copies.count === 2) this.#windows.push({ bytes: new Uint8Array(window.length), offset: 0, count: 0 });
	}

	/** Beside the shared window. */
	get ramBytes(): number {
		return this.#windows.length === 2 ? this.#windows[1].bytes.byteLength : 0;
	}

	/** Begins at `from`; records end at `end` or before. */
	start(block: number, sequence: number, from: number, end: number): void {
		this.#block = block;
		this.#sequence = sequence;
		this.#cursor = from;
		this.#expected = from;
		this.#end = end;
		for (const window of this.#windows) window.count = 0;
		this.damaged = 0;
		this.lacking = 0;
	}

	/** Block offset of the end of the record found last. */
	get cursor(): number {
		return this.#cursor;
	}

	/** @returns true with `bytes`, `offset`, `at` and `head` set; false at the end */
	next(): boolean {
		const { lost } = this.#copies;
		const two = this.#copies.mirrored;
		while (this.#cursor + 6 <= this.#end) {
			let copy = lost === 0 ? 1 : 0;
			let total = this.validAt(copy);
			if (two) {
				const crc = this.#crc;
				const other = this.validAt(1);
				if (total === 0 && other > 0) {
					copy = 1;
					total = other;
					this.lacking |= 1;
				} else if (total > 0 && other === 0) this.lacking |= 2;
				else if (total > 0 && (other !== total || this.#crc !== crc)) this.conflict = true;
			}
			if (total > 0) {
				const window = this.#windows[copy];
				this.bytes = window.bytes;
				this.offset = this.#cursor;
				this.at = this.#cursor - window.offset;
				this.head = readU16(window.bytes, this.at);
				if (this.#cursor !== this.#expected) this.damaged++;
				this.#cursor += total;
				this.#expected = this.#cursor;
				if (this.lacking > 0) this.#copies.note(this.#block, this.lacking);
				return true;
			}
			this.#cursor += this.#align;
		}
		return false;
	}

	/** After the last record: what should reach up to the block's end does not. */
	get endsBad(): boolean {
		return this.#expected !== this.#end;
	}

	/** @returns bytes of the valid record at the cursor as a copy holds it, 0 without one */
	private validAt(copy: number): number {
		const cursor = this.#cursor;
		const window = this.#windows[copy];
		this.fill(copy, 2);
		const head = readU16(window.bytes, cursor - window.offset);
		if (!headPlausible(head)) return 0;
		const total = recordBytes(headLength(head), this.#align);
		if (cursor + total > this.#end) return 0;
		this.fill(copy, total);
		const at = cursor - window.offset;
		// Marginal cells may have read otherwise just now: the length that was bounded is the one that counts.
		if (readU16(window.bytes, at) !== head) return 0;
		const crc = readU32(window.bytes, at + 2 + headLength(head));
		this.#crc = crc;
		return crc === recordCrc(window.bytes, at, this.#sequence, cursor) ? total : 0;
	}

	/** Makes a window hold `byteLength` bytes from the cursor. */
	private fill(copy: number, byteLength: number): void {
		const window = this.#windows[copy];
		const offset = this.#cursor;
		const have = window.offset + window.count;
		const inside = window.count > 0 && offset >= window.offset;
		if (inside && offset + byteLength <= have) return;
		let kept = 0;
		if (inside && offset < have) {
			window.bytes.copyWithin(0, offset - window.offset, window.count);
			kept = have - offset;
		}
		const wanted = Math.min(window.bytes.length, this.#end - offset) - kept;
		const target = window.bytes.subarray(kept, kept + wanted);
		this.#copies.read(copy, target, this.#block * this.#blockLength + offset + kept);
		window.offset = offset;
		window.count = kept + wanted;
	}
}
