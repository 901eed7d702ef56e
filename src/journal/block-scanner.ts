/**
 * Finds the valid records of one block, in order, through a window of memory the caller owns. A bad record never
 * ends a block: the scan goes on at the next offset that reads as a record (DESIGN.md, rule 8).
 * @module
 */
import { readU16, readU32 } from "../core/bytes";
import type { FlashPartition } from "../ports";
import { headLength, headPlausible, recordBytes, recordCrc } from "./format";

export class BlockScanner {
	readonly #flash: FlashPartition;
	readonly #window: Uint8Array;
	readonly #blockLength: number;
	readonly #align: number;
	#blockStart = 0;
	#sequence = 0;
	#end = 0;
	#cursor = 0;
	#windowOffset = 0; // Block offset of window[0].
	#windowBytes = 0;
	#inBadRegion = false;

	/** Block offset of the record found last. */
	offset = 0;
	/** Index of its two head bytes in the window. */
	at = 0;
	head = 0;
	/** Places where something was written that is no valid record, with a valid one after it. */
	damaged = 0;

	/** @param window - at least one record of the greatest length; shared with the journal's writes */
	constructor(flash: FlashPartition, window: Uint8Array, blockLength: number, align: number) {
		this.#flash = flash;
		this.#window = window;
		this.#blockLength = blockLength;
		this.#align = align;
	}

	/** Begins at `from`; records end at `end` or before. */
	start(block: number, sequence: number, from: number, end: number): void {
		this.#blockStart = block * this.#blockLength;
		this.#sequence = sequence;
		this.#cursor = from;
		this.#end = end;
		this.#windowBytes = 0;
		this.#inBadRegion = false;
		this.damaged = 0;
	}

	/** Flash bytes from the end of the record found last. */
	get cursor(): number {
		return this.#cursor;
	}

	/** @returns true with `offset`, `at` and `head` set; false at the end */
	next(): boolean {
		while (this.#cursor + 6 <= this.#end) {
			this.#fill(this.#cursor, 2);
			const head = readU16(this.#window, this.#cursor - this.#windowOffset);
			if (headPlausible(head)) {
				const total = recordBytes(headLength(head), this.#align);
				if (this.#cursor + total <= this.#end) {
					this.#fill(this.#cursor, total);
					const at = this.#cursor - this.#windowOffset;
					const crcAt = at + 2 + headLength(head);
					if (readU32(this.#window, crcAt) === recordCrc(this.#window, at, this.#sequence, this.#cursor)) {
						if (this.#inBadRegion) this.damaged++;
						this.#inBadRegion = false;
						this.offset = this.#cursor;
						this.at = at;
						this.head = head;
						this.#cursor += total;
						return true;
					}
				}
			}
			if (head !== 0xffff) this.#inBadRegion = true;
			this.#cursor += this.#align;
		}
		return false;
	}

	/** Something written before `end` was no valid record: a damaged block when its end is known. */
	get endsBad(): boolean {
		return this.#inBadRegion;
	}

	/** Makes the window hold `byteLength` bytes from block offset `offset`. */
	#fill(offset: number, byteLength: number): void {
		const have = this.#windowOffset + this.#windowBytes;
		if (this.#windowBytes > 0 && offset >= this.#windowOffset && offset + byteLength <= have) return;
		let kept = 0;
		if (this.#windowBytes > 0 && offset >= this.#windowOffset && offset < have) {
			this.#window.copyWithin(0, offset - this.#windowOffset, this.#windowBytes);
			kept = have - offset;
		}
		const wanted = Math.min(this.#window.length, this.#end - offset) - kept;
		this.#flash.read(this.#window.subarray(kept, kept + wanted), this.#blockStart + offset + kept);
		this.#windowOffset = offset;
		this.#windowBytes = kept + wanted;
	}
}
