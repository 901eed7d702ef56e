/**
 * The ring of the partition `evidence`: whole entries, each with its CRC, oldest block given up first. Nothing here is
 * needed to settle money, so a ring that fails is a ring less, and never a terminal less: errors of its flash end in
 * `broken`, not in an exception.
 *
 * Rules, after the journal's: a mount reads headers and writes nothing; the first entry after a boot begins a block that
 * this run has erased, as the tail of the last one may read otherwise next time; an erase happens in {@link EvidenceRing.idle}
 * only; what was written is read back. One mount is one object.
 * @module
 */
import { AssertionError } from "../core/assert";
import { CodedError } from "../core/errors";
import type { FlashPartition } from "../ports";
import {
	announcedBytes,
	closeEntry,
	ENTRY_BYTES_MAX,
	ENTRY_HEAD_BYTES,
	ENTRY_OVERHEAD_BYTES,
	encodeRingHeader,
	entryIsWhole,
	RING_HEADER_BYTES,
	ringTurn,
} from "./evidence-ring-format";

const ALIGN_MAX = 64;
const NONE = -1;

/** Where a reader of the ring is. */
export interface RingPlace {
	block: number;
	/** Blocks still to be read, this one included. */
	blocksLeft: number;
	turn: number;
	offset: number;
}

export class EvidenceRing {
	readonly #flash: FlashPartition;
	readonly #blocks: number;
	readonly #blockBytes: number;
	readonly #align: number;
	readonly #headerBytes: number;
	/** The entry under way, its payload from ENTRY_HEAD_BYTES on; and the copy that is read back. */
	readonly entry = new Uint8Array(ENTRY_BYTES_MAX + ALIGN_MAX);
	readonly #check = new Uint8Array(ENTRY_BYTES_MAX + ALIGN_MAX);
	/** Blocks that have failed in this run. */
	readonly #bad: Uint8Array;
	/** The block with the greatest turn. */
	#last = NONE;
	#turn = 0;
	/** The block that takes entries; NONE before the first of this run. */
	#open = NONE;
	#offset = 0;
	/** Erased by this run, to be opened next. */
	#erased = NONE;
	/** Flash fails, or is no place for a ring: nothing is written any more. */
	broken = false;

	/** @throws {CodedError} "range" for a partition that can hold no ring, "format" for an encrypted one */
	constructor(flash: FlashPartition) {
		const { size, blockLength, blocks, writeAlign = 1, eraseValue = 0xff, encrypted = false } = flash.status();
		if (encrypted || eraseValue !== 0xff) throw new CodedError("format", "evidence partition");
		const fits = blocks >= 2 && blockLength >= 2 * ENTRY_BYTES_MAX && blocks * blockLength <= size;
		if (!fits || writeAlign < 1 || ALIGN_MAX % writeAlign !== 0) throw new CodedError("range", "evidence partition");
		this.#flash = flash;
		this.#blocks = blocks;
		this.#blockBytes = blockLength;
		this.#align = writeAlign;
		this.#headerBytes = this.padded(RING_HEADER_BYTES);
		this.#bad = new Uint8Array(blocks);
	}

	/** Reads the headers. Entries of a block whose header is gone are gone. */
	mount(): void {
		const header = new Uint8Array(RING_HEADER_BYTES);
		this.#last = NONE;
		this.#turn = 0;
		this.#open = NONE;
		this.#erased = NONE;
		for (let block = 0; block < this.#blocks; block++) {
			if (!this.readFlash(header, block * this.#blockBytes)) return;
			const turn = ringTurn(header);
			if (turn <= this.#turn) continue;
			this.#turn = turn;
			this.#last = block;
		}
	}

	/** True when an entry of this length can be written now, without an erase. */
	hasRoom(payloadBytes: number): boolean {
		return !this.broken && (this.fits(payloadBytes) || this.#erased !== NONE);
	}

	/**
	 * Erases the next block ahead; before the first entry of a boot only when there is one to come.
	 * @param wanted - an entry waits
	 * @returns true when it did erase, or tried: enough for this time
	 */
	idle(wanted: boolean): boolean {
		if (this.broken || this.#erased !== NONE || (this.#open === NONE && !wanted)) return false;
		const block = this.next();
		if (block === NONE) return false;
		if (!this.erase(block)) {
			this.#bad[block] = 1;
			return true;
		}
		this.#erased = block;
		return true;
	}

	/**
	 * Writes the entry whose payload stands in {@link entry} from ENTRY_HEAD_BYTES on.
	 * @returns false when it is not written: no room, or a block that failed; the payload is as it was
	 */
	append(type: number, payloadBytes: number): boolean {
		if (this.broken) return false;
		if (!this.fits(payloadBytes) && !this.openNext()) return false;
		const entryBytes = closeEntry(this.entry, type, payloadBytes, this.#turn, this.#offset);
		const padded = this.padded(entryBytes);
		this.entry.fill(0xff, entryBytes, padded);
		const offset = this.#offset;
		this.#offset += padded;
		if (this.program(this.entry, padded, this.#open * this.#blockBytes + offset)) return true;
		this.#bad[this.#open] = 1;
		this.#open = NONE;
		return false;
	}

	/** Where reading begins: at the oldest entry. */
	begin(): RingPlace {
		const blocksLeft = this.#last === NONE ? 0 : this.#blocks + 1;
		const place = { block: this.#last, blocksLeft, turn: 0, offset: 0 };
		this.nextBlock(place);
		return place;
	}

	/**
	 * The next entry into {@link entry}; it may be overwritten by the next call of anything.
	 * @returns its type and length (type << 16 | payload bytes), 0 at the end
	 */
	read(place: RingPlace): number {
		while (place.blocksLeft > 0) {
			const found = this.readIn(place);
			if (found !== 0) return found;
			this.nextBlock(place);
		}
		return 0;
	}

	private readIn(place: RingPlace): number {
		const { entry } = this;
		const base = place.block * this.#blockBytes;
		const last = this.#blockBytes - ENTRY_OVERHEAD_BYTES;
		while (place.offset <= last) {
			if (!this.readFlash(this.view(entry, ENTRY_HEAD_BYTES), base + place.offset)) return 0;
			if (entry[0] === 0xff) {
				// No entry begins like this: an erased rest is not gone through byte by byte.
				const written = this.firstWritten(base, place.offset);
				place.offset = Math.max(place.offset + this.#align, written - (written % this.#align));
				continue;
			}
			const payloadBytes = announcedBytes(entry);
			const entryBytes = payloadBytes + ENTRY_OVERHEAD_BYTES;
			if (payloadBytes !== 0 && place.offset + entryBytes <= this.#blockBytes) {
				if (!this.readFlash(this.view(entry, entryBytes), base + place.offset)) return 0;
				if (entryIsWhole(entry, payloadBytes, place.turn, place.offset)) {
					place.offset += this.padded(entryBytes);
					return (entry[2] << 16) | payloadBytes;
				}
			}
			place.offset += this.#align;
		}
		return 0;
	}

	/** The first byte from `offset` on that is not erased, or the block's length; looked at in pieces. */
	private firstWritten(base: number, offset: number): number {
		const piece = this.#check;
		for (let at = offset; at < this.#blockBytes; at += piece.length) {
			const count = Math.min(piece.length, this.#blockBytes - at);
			if (!this.readFlash(this.view(piece, count), base + at)) return this.#blockBytes;
			for (let i = 0; i < count; i++) if (piece[i] !== 0xff) return at + i;
		}
		return this.#blockBytes;
	}

	private nextBlock(place: RingPlace): void {
		const header = this.view(this.entry, RING_HEADER_BYTES);
		const before = place.turn;
		while (--place.blocksLeft > 0) {
			place.block = (place.block + 1) % this.#blocks;
			place.offset = this.#headerBytes;
			if (!this.readFlash(header, place.block * this.#blockBytes)) break;
			place.turn = ringTurn(header);
			// Turns only rise along the ring: another one is a block that was not given up whole.
			if (place.turn > before) return;
		}
		place.blocksLeft = 0;
	}

	private fits(payloadBytes: number): boolean {
		if (this.#open === NONE) return false;
		return this.#offset + this.padded(payloadBytes + ENTRY_OVERHEAD_BYTES) <= this.#blockBytes;
	}

	/** The block that is used next, NONE when all have failed. */
	private next(): number {
		for (let n = 1; n <= this.#blocks; n++) {
			const block = (this.#last + n) % this.#blocks;
			if (this.#bad[block] === 0 && block !== this.#open) return block;
		}
		return NONE;
	}

	private openNext(): boolean {
		const block = this.#erased;
		if (block === NONE) return false;
		this.#erased = NONE;
		if (this.#turn >= 0xffff_ffff) {
			this.broken = true;
			return false;
		}
		const header = new Uint8Array(this.#headerBytes).fill(0xff);
		encodeRingHeader(header, this.#turn + 1);
		this.#turn++;
		this.#last = block;
		this.#open = block;
		this.#offset = this.#headerBytes;
		if (this.program(header, header.length, block * this.#blockBytes)) return true;
		this.#bad[block] = 1;
		this.#open = NONE;
		return false;
	}

	private erase(block: number): boolean {
		try {
			this.#flash.eraseBlock(block);
		} catch (error) {
			if (error instanceof AssertionError) throw error;
			return false;
		}
		return this.firstWritten(block * this.#blockBytes, 0) === this.#blockBytes && !this.broken;
	}

	private program(bytes: Uint8Array, byteLength: number, at: number): boolean {
		try {
			this.#flash.write(this.view(bytes, byteLength), at);
		} catch (error) {
			if (error instanceof AssertionError) throw error; // Whatever else it was, the read below tells.
		}
		if (!this.readFlash(this.view(this.#check, byteLength), at)) return false;
		for (let i = 0; i < byteLength; i++) if (this.#check[i] !== bytes[i]) return false;
		return true;
	}

	/** @returns false when flash cannot be read: then this ring is over. On a dead board each further port call says so too. */
	private readFlash(out: Uint8Array, at: number): boolean {
		try {
			this.#flash.read(out, at);
			return true;
		} catch (error) {
			if (error instanceof AssertionError) throw error;
			this.broken = true;
			return false;
		}
	}

	private view(bytes: Uint8Array, byteLength: number): Uint8Array {
		return bytes.length === byteLength ? bytes : bytes.subarray(0, byteLength);
	}

	private padded(byteLength: number): number {
		return byteLength + ((this.#align - (byteLength % this.#align)) % this.#align);
	}
}
