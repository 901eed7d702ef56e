/**
 * What a boot reads: the newest block that counts, and the chain of blocks from it back to the tail. Writes nothing.
 * The cases A to K are those of the recovery table in DESIGN.md.
 * @module
 */
import { readU16, readU32 } from "../core/bytes";
import type { FlashPartition } from "../ports";
import type { BlockScanner } from "./block-scanner";
import {
	type BlockHeader,
	BlockKind,
	decodeHeader,
	HEADER_BYTES,
	headIsCopy,
	headLength,
	headType,
	isLater,
	RecordType,
} from "./format";
import type { Ring } from "./ring";

export type MountStatus = "ok" | "unprovisioned" | "foreign" | "newer";

export class Recovery {
	readonly #flash: FlashPartition;
	readonly #ring: Ring;
	readonly #scanner: BlockScanner;
	readonly #buffer: Uint8Array;
	readonly #header: BlockHeader;
	readonly #blockLength: number;
	readonly #scratch = new Uint8Array(HEADER_BYTES);
	readonly #valid: Uint8Array; // One bit a block: header of this journal.
	#provisioning = 0; // Greatest generation of a provisioning header.

	status: MountStatus = "unprovisioned";
	interrupted = false;
	id = 0;
	generation = 0;
	sequenceMax = 0;
	/** Block that holds `sequenceMax`, whether it counts or not: the next block to write comes after it. */
	newestBlock = 0;
	/** Offset after the last record of the head that a visit reads. */
	headEnd = 0;
	/** Offset of the record the next boot block copies: the head's last valid one, or the one it restates. */
	lastOffset = 0;
	/** The tail as far as it is certain: what a mark that may vanish has freed still belongs to the log. */
	tailSequence = 0;
	tailOffset = 0;
	/** The tail as the newest mark has it, be it provisional: where a visit begins. */
	visitSequence = 0;
	visitOffset = 0;
	/** Offset of the record that a visit of the head must see last. */
	visitEndsAt = 0;
	/** Offset in the head of the newest mark in it, −1 without one. */
	markOffset = -1;
	/** The head holds no news: the next boot block replaces it (rule 5). */
	restates = false;
	restatedSequence = 0;
	restatedEnd = 0;
	lostBlocks = 0;

	#kind = 0;
	#trusted = false;
	#news = 0;

	constructor(
		flash: FlashPartition,
		ring: Ring,
		scanner: BlockScanner,
		buffer: Uint8Array,
		header: BlockHeader,
		blockLength: number,
	) {
		this.#flash = flash;
		this.#ring = ring;
		this.#scanner = scanner;
		this.#buffer = buffer;
		this.#header = header;
		this.#blockLength = blockLength;
		this.#valid = new Uint8Array((ring.blocks + 7) >> 3);
	}

	get ramBytes(): number {
		return this.#scratch.byteLength + this.#valid.byteLength;
	}

	/** Greatest generation in any header, whatever journal it belongs to. */
	generationMax(): number {
		let generation = 0;
		for (let block = 0; block < this.#ring.blocks; block++) {
			const read = this.#readHeader(block);
			if (read === "valid" || read === "newer") generation = Math.max(generation, this.#header.generation);
		}
		return generation;
	}

	/** Sets `status` and, when it is ok, everything about the head. */
	findHead(): void {
		this.#readHeaders();
		if (this.status !== "ok") return;
		const ring = this.#ring;
		for (;;) {
			const head = this.#newestValid();
			if (head < 0) {
				// Headers without a record that counts: a provisioning that was cut, or nothing of ours.
				this.interrupted = this.#provisioning === this.generation;
				this.status = this.interrupted ? "unprovisioned" : "foreign";
				return;
			}
			this.#inspect(head);
			if (!this.#trusted) {
				this.#valid[head >> 3] &= ~(1 << (head & 7)); // Cases E and F.
				continue;
			}
			ring.head = head;
			if (this.#kind === BlockKind.log && this.#news === 0 && !this.#stepBackFromCopies(head)) this.#inspect(head);
			return;
		}
	}

	/** Links the head's chain into the ring, oldest first, and counts blocks that are missing (case J). */
	findChain(): void {
		this.lostBlocks = 0;
		if (this.#walkChain()) return;
		// A block that only a provisional mark has freed is gone: so its erase was begun, and the mark is certain.
		this.tailSequence = this.visitSequence;
		this.tailOffset = this.visitOffset;
		this.#walkChain();
	}

	/** @returns false when a block older than the visit's start is missing */
	#walkChain(): boolean {
		const ring = this.#ring;
		ring.clear();
		ring.add(ring.head);
		let block = ring.head;
		while (ring.sequence(block) !== this.tailSequence) {
			this.#readHeader(block);
			let previous = this.#find(this.#header.previousSequence, block);
			if (previous < 0) {
				if (!isLater(ring.sequence(block), this.visitSequence)) return false;
				this.lostBlocks++;
				previous = this.#nextOlder(this.#header.previousSequence);
				if (previous < 0) {
					this.tailSequence = this.visitSequence = ring.sequence(block);
					this.tailOffset = this.visitOffset = HEADER_BYTES;
					break;
				}
			}
			ring.add(previous);
			ring.link(previous, block);
			block = previous;
		}
		ring.tail = block;
		return true;
	}

	#readHeader(block: number): ReturnType<typeof decodeHeader> {
		this.#flash.read(this.#scratch, block * this.#blockLength);
		return decodeHeader(this.#scratch, 0, this.#header);
	}

	#readHeaders(): void {
		const header = this.#header;
		const ring = this.#ring;
		let blank = 0;
		let newer = false;
		let conflict = false;
		let found = false;
		this.#valid.fill(0);
		this.#provisioning = -1;
		this.interrupted = false;
		this.generation = 0;
		for (let block = 0; block < ring.blocks; block++) {
			const read = this.#readHeader(block);
			if (read === "blank") blank++;
			if (read === "newer") newer = true;
			if (read !== "valid" || 1 << header.blockShift !== this.#blockLength) continue;
			if (header.kind === BlockKind.provisioning) {
				this.#provisioning = Math.max(this.#provisioning, header.generation);
				continue;
			}
			if (found && header.generation < this.generation) continue;
			if (!found || header.generation > this.generation) {
				found = true;
				conflict = false;
				this.id = header.id;
				this.generation = header.generation;
				this.#valid.fill(0);
			} else if (header.id !== this.id) {
				conflict = true;
				continue;
			}
			this.#valid[block >> 3] |= 1 << (block & 7);
			ring.setSequence(block, header.sequence);
		}
		if (newer) this.status = "newer";
		else if (this.#provisioning >= 0 && (!found || this.#provisioning > this.generation)) {
			this.status = "unprovisioned";
			this.interrupted = true;
		} else if (found) this.status = conflict ? "foreign" : "ok";
		else this.status = blank === ring.blocks ? "unprovisioned" : "foreign";
		if (this.status !== "ok") return;
		this.newestBlock = this.#newestValid();
		this.sequenceMax = ring.sequence(this.newestBlock);
	}

	#isValid(block: number): boolean {
		return (this.#valid[block >> 3] & (1 << (block & 7))) !== 0;
	}

	#newestValid(): number {
		let newest = -1;
		for (let block = 0; block < this.#ring.blocks; block++) {
			if (!this.#isValid(block)) continue;
			if (newest < 0 || isLater(this.#ring.sequence(block), this.#ring.sequence(newest))) newest = block;
		}
		return newest;
	}

	/** The block of this sequence; most often the one just before `near`. */
	#find(sequence: number, near: number): number {
		const blocks = this.#ring.blocks;
		for (let i = 1; i < blocks; i++) {
			const block = (near + blocks - i) % blocks;
			if (this.#isValid(block) && !this.#ring.inChain(block) && this.#ring.sequence(block) === sequence) return block;
		}
		return -1;
	}

	/** The newest block older than `sequence` and not older than the tail, or −1. */
	#nextOlder(sequence: number): number {
		let best = -1;
		for (let block = 0; block < this.#ring.blocks; block++) {
			if (!this.#isValid(block) || this.#ring.inChain(block)) continue;
			const candidate = this.#ring.sequence(block);
			if (isLater(candidate, sequence) || isLater(this.tailSequence, candidate)) continue;
			if (best < 0 || isLater(candidate, this.#ring.sequence(best))) best = block;
		}
		return best;
	}

	/** Reads the whole block: does it count, where does it end, which tail does it know? */
	#inspect(block: number): void {
		const header = this.#header;
		this.#trusted = false;
		this.#news = 0;
		this.markOffset = -1;
		if (this.#readHeader(block) !== "valid") return; // A marginal header that reads differently now.
		this.#kind = header.kind;
		this.tailSequence = header.tailSequence;
		this.tailOffset = header.tailOffset;
		this.visitSequence = header.tailSequence;
		this.visitOffset = header.tailOffset;
		this.restatedSequence = header.previousSequence;
		this.restatedEnd = header.previousEnd;
		const scanner = this.#scanner;
		scanner.start(block, this.#ring.sequence(block), HEADER_BYTES, this.#blockLength);
		let records = 0;
		let startsWithBoot = false;
		let secondOffset = 0;
		let secondEnd = 0;
		while (scanner.next()) {
			records++;
			let payload = scanner.at + 2;
			let type = headType(scanner.head);
			const news = type !== RecordType.confirm && !headIsCopy(scanner.head);
			// A mark is certain when something was written after it; that of a boot record, when news was.
			if (records > 1 && (news || !startsWithBoot || this.#news > 0)) {
				this.tailSequence = this.visitSequence;
				this.tailOffset = this.visitOffset;
			}
			if (type === RecordType.boot && scanner.offset === HEADER_BYTES) {
				startsWithBoot = true;
				type = headLength(scanner.head) >= 2 ? headType(readU16(this.#buffer, payload)) : 0;
				payload += 2;
			} else if (news) this.#news++;
			if (type === RecordType.mark) {
				this.visitSequence = readU32(this.#buffer, payload);
				this.visitOffset = readU16(this.#buffer, payload + 4);
				this.markOffset = scanner.offset;
			}
			this.lastOffset = scanner.offset;
			this.headEnd = scanner.cursor;
			if (records === 2) {
				secondOffset = scanner.offset;
				secondEnd = scanner.cursor;
			}
		}
		this.visitEndsAt = this.lastOffset;
		if (this.#kind === BlockKind.log) {
			// A header and its only record were one operation, the last one: the block is no more sound than the record.
			this.restates = records === 1;
			// The first block of a journal counts once the confirm that ends provisioning stands in it.
			this.#trusted = records > 1 || (records === 1 && this.tailSequence !== this.#ring.sequence(block));
			return;
		}
		this.#trusted = startsWithBoot ? records > 1 : this.#news > 0; // Cases F, G, H.
		this.restates = startsWithBoot && this.#news === 0;
		if (this.restates) {
			this.lastOffset = HEADER_BYTES;
			this.headEnd = secondEnd;
			this.visitEndsAt = secondOffset;
		}
	}

	/**
	 * The newest block holds nothing but copies of a reclaim that was cut: if all of it followed a boot record, that
	 * boot block is the head and what comes after it is void (rule 5).
	 */
	#stepBackFromCopies(head: number): boolean {
		this.#readHeader(head);
		this.#ring.clear();
		const previous = this.#find(this.#header.previousSequence, head);
		if (previous < 0) return false;
		this.#inspect(previous);
		if (this.#kind !== BlockKind.boot || !this.#trusted || !this.restates) return false;
		this.#ring.head = previous;
		return true;
	}
}
