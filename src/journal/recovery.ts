/**
 * What a boot reads: the newest block that counts, the last fact of the log, and the chain of blocks from it back to
 * the tail. Writes nothing. The cases A to L are those of the recovery table in DESIGN.md.
 * @module
 */
import { readU16, readU32 } from "../core/bytes";
import type { BlockScanner } from "./block-scanner";
import type { Copies } from "./copies";
import {
	type BlockHeader,
	BlockKind,
	HEADER_BYTES,
	headIsCopy,
	headLength,
	headType,
	isLater,
	isMark,
	RecordType,
} from "./format";
import { Headers, type MountStatus } from "./headers";
import type { LogReader } from "./log-reader";
import type { Ring } from "./ring";

/** Rows of the recovery table as bits: A is bit 0. */
export const Case = {
	blank: 1 << 0,
	foreign: 1 << 1,
	newer: 1 << 2,
	interrupted: 1 << 3,
	logEmpty: 1 << 4,
	bootUncounted: 1 << 5,
	boot: 1 << 6,
	bootDamaged: 1 << 7,
	log: 1 << 8,
	chainLacks: 1 << 9,
	apart: 1 << 10,
	oneCopy: 1 << 11,
	mending: 1 << 12,
} as const;
const CASES = 13;
const LETTER_A = 65;

/** The letters of the rows in `bits`. */
export function caseLetters(bits: number): string {
	let letters = "";
	for (let row = 0; row < CASES; row++) {
		if ((bits & (1 << row)) !== 0) letters += String.fromCharCode(LETTER_A + row);
	}
	return letters;
}

export class Recovery {
	readonly #ring: Ring;
	readonly #reader: LogReader;
	readonly #scanner: BlockScanner;
	readonly #header: BlockHeader;
	readonly #blockLength: number;
	readonly #align: number;

	readonly headers: Headers;
	status: MountStatus = "unprovisioned";
	/** Provisioning was begun and not finished. */
	interrupted = false;
	/** Block with the highest sequence, whether it counts or not: the next block to write comes after it. */
	newestBlock = 0;
	/** Offset in the head of the last fact: the record that the next boot block copies. */
	lastOffset = 0;
	/** The last fact is the head's first record: the next boot block takes the head's place (rule 5). */
	restates = false;
	lostBlocks = 0;
	/** Rows of the recovery table that this boot went through, bits of `Case`. */
	cases = 0;

	// What inspect found in one block.
	#kind = 0;
	#counts = false;
	#firstIsBoot = false;
	#records = 0;
	#factOffset = -1;
	#factEnd = 0;
	#anyOffset = -1;
	#anyEnd = 0;
	#previousSequence = 0;
	#previousEnd = 0;
	#tailSequence = 0;
	#tailOffset = 0;
	#visitSequence = 0;
	#visitOffset = 0;

	constructor(copies: Copies, ring: Ring, reader: LogReader) {
		this.#ring = ring;
		this.#reader = reader;
		this.#scanner = reader.scanner;
		this.#header = reader.header;
		this.#blockLength = copies.blockLength;
		this.#align = copies.align;
		this.headers = new Headers(copies, ring, reader);
	}

	/** Sets `status`, and when it is ok or rebuilt the ring: head, order and tail. */
	recover(): void {
		const { headers } = this;
		this.#ring.clear();
		this.lostBlocks = 0;
		headers.read();
		this.status = headers.status;
		this.interrupted = headers.interrupted;
		this.cases = this.headerCases();
		if (this.status !== "ok" && this.status !== "rebuilt") return;
		this.newestBlock = headers.newest();
		if (this.newestBlock >= 0) this.#ring.sequenceMax = this.#ring.sequence(this.newestBlock);
		for (;;) {
			const head = headers.newest();
			if (head < 0) {
				// Headers without a record that counts: a provisioning that was cut, or nothing of ours.
				this.interrupted = headers.provisioning === headers.generation;
				this.status = this.interrupted ? "unprovisioned" : "foreign";
				this.cases |= this.interrupted ? Case.interrupted : Case.foreign;
				return;
			}
			this.inspect(head, this.#blockLength);
			this.cases |= this.headCase();
			if (this.#counts) {
				this.findLastFact(head);
				const certain = this.isCertain();
				this.findChain();
				if (this.lostBlocks > 0) this.cases |= Case.chainLacks;
				if (!certain) this.holdFallbacks();
				return;
			}
			headers.dismiss(head);
		}
	}

	/** What the headers alone have decided. Sequences without an order have no letter. */
	private headerCases(): number {
		const { status, headers } = this;
		const cases = headers.onOneCopy ? Case.oneCopy : 0;
		if (status === "newer") return cases | Case.newer;
		if (status === "unprovisioned") return cases | (this.interrupted ? Case.interrupted : Case.blank);
		if (status !== "foreign" || headers.unordered) return cases;
		return cases | (headers.found ? Case.apart : Case.foreign);
	}

	/** The block that inspect has just read, taken for the head. */
	private headCase(): number {
		if (this.#kind === BlockKind.boot) {
			if (!this.#counts) return Case.bootUncounted;
			return this.#firstIsBoot ? Case.boot : Case.bootDamaged;
		}
		return this.#records === 0 ? Case.logEmpty : Case.log;
	}

	/** Reads a block up to `end`: does it count, which is its last fact, which tail does it know? */
	private inspect(block: number, end: number): void {
		const header = this.#header;
		this.#counts = false;
		this.#firstIsBoot = false;
		this.#factOffset = -1;
		this.#anyOffset = -1;
		if (this.#reader.readLogHeader(block) === 0) return;
		this.#kind = header.kind;
		this.#previousSequence = header.previousSequence;
		this.#previousEnd = header.previousEnd;
		this.#tailSequence = this.#visitSequence = header.tailSequence;
		this.#tailOffset = this.#visitOffset = header.tailOffset;
		const sequence = this.#ring.sequence(block);
		const scanner = this.#scanner;
		scanner.start(block, sequence, HEADER_BYTES, Math.min(end, this.#blockLength));
		let records = 0;
		let news = 0;
		this.#records = 0;
		while (scanner.next()) {
			records++;
			let payload = scanner.at + 2;
			let type = headType(scanner.head);
			const first = scanner.offset === HEADER_BYTES;
			const isBoot = first && type === RecordType.boot && this.#kind === BlockKind.boot;
			// Copies count for nothing while the mark that ends their reclaim is missing (rule 10).
			const isNews = !isBoot && type !== RecordType.confirm && !headIsCopy(scanner.head);
			// A mark is certain when something was written after it; that of a boot record, when its block is (rule 3).
			if (records > (this.#firstIsBoot ? 2 : 1) || (isNews && records > 1)) {
				this.#tailSequence = this.#visitSequence;
				this.#tailOffset = this.#visitOffset;
			}
			if (isBoot) {
				this.#firstIsBoot = true;
				type = headLength(scanner.head) >= 2 ? headType(readU16(scanner.bytes, payload)) : 0;
				payload += 2;
			}
			if (isMark(type)) {
				const tail = readU32(scanner.bytes, payload);
				const tailOffset = readU16(scanner.bytes, payload + 4);
				// A mark frees what lies before it and never takes back what an earlier one has freed. What a boot block
				// wraps stood in a block before it.
				const last = isBoot ? this.#previousSequence : sequence;
				const back =
					isLater(this.#visitSequence, tail) || (tail === this.#visitSequence && tailOffset < this.#visitOffset);
				if (!back && !isLater(tail, last) && (tail !== sequence || tailOffset <= scanner.offset)) {
					this.#visitSequence = tail;
					this.#visitOffset = tailOffset;
				}
			}
			if (isNews) news++;
			if (isNews || isBoot) {
				this.#factOffset = scanner.offset;
				this.#factEnd = scanner.cursor;
			}
			this.#anyOffset = scanner.offset;
			this.#anyEnd = scanner.cursor;
		}
		this.#records = records;
		if (this.#kind === BlockKind.boot) {
			this.#counts = this.#firstIsBoot ? records > 1 : news > 0; // Cases F, G, H.
		} else {
			// The first block of a journal counts once the confirm that ends provisioning stands in it.
			this.#counts = records > 1 || (records === 1 && this.#tailSequence !== sequence);
		}
	}

	/**
	 * The head may end with copies of a reclaim that was cut, or hold nothing else: they are void, and the log ends with
	 * the last fact before them, be it blocks back (rule 10).
	 */
	private findLastFact(newest: number): void {
		const ring = this.#ring;
		let head = this.stepBack(newest);
		if (head < 0) {
			// Facts are missing: flash was damaged. What there is must do.
			head = newest;
			this.inspect(head, this.#blockLength);
			this.#factOffset = this.#anyOffset;
			this.#factEnd = this.#anyEnd;
		}
		ring.head = head;
		ring.headEnd = this.#factEnd;
		ring.headPreviousSequence = this.#previousSequence;
		ring.headPreviousEnd = this.#previousEnd;
		this.lastOffset = this.#factOffset;
		this.restates = this.#factOffset === HEADER_BYTES;
	}

	/**
	 * From a block that was inspected back to the one that holds its last fact, which is inspected then.
	 * @returns that block, −1 when it is not found
	 */
	private stepBack(from: number): number {
		const ring = this.#ring;
		let block = from;
		let voidRecords = 0;
		for (let n = 0; this.#factOffset < 0; n++) {
			const previous = this.find(this.#previousSequence, block);
			const older = isLater(ring.sequence(block), this.#previousSequence);
			if (previous < 0 || !older || n === ring.blocks) return -1;
			voidRecords += this.#records;
			this.inspect(previous, Math.min(this.#previousEnd, this.#blockLength));
			block = previous;
		}
		this.#records += voidRecords;
		return block;
	}

	/** May a later boot find that the block inspected last does not count? Then its boot was cut while it pinned. */
	private isCertain(): boolean {
		return !this.#firstIsBoot || this.#records > 2;
	}

	/**
	 * The head is a boot block that one record follows, and that record may be torn: a later boot may not count it, and
	 * go by what it replaced. So that is not erased before this boot has pinned for itself (rule 4).
	 */
	private holdFallbacks(): void {
		const ring = this.#ring;
		let sequence = ring.sequence(ring.head);
		let held = -1;
		let certain = false;
		for (let n = 0; n < ring.blocks && !certain; n++) {
			const candidate = this.nextOlder((sequence - 1) >>> 0);
			// What comes before the head in the log is in the chain, and safe.
			if (candidate < 0 || !isLater(ring.sequence(candidate), ring.headPreviousSequence)) return;
			sequence = ring.sequence(candidate);
			this.inspect(candidate, this.#blockLength);
			if (!this.#counts) continue;
			const block = this.stepBack(candidate);
			if (block < 0) return;
			certain = this.isCertain();
			// Short of room, the oldest, which is certain, is worth more than those between.
			if (ring.freeBlocks <= 1 && held >= 0) ring.release(held);
			if (ring.freeBlocks <= 1) return;
			ring.hold(block);
			held = block;
		}
	}

	/** Links the head's chain into the ring, oldest first, and counts blocks that are missing (case J). */
	private findChain(): void {
		const ring = this.#ring;
		ring.visitSequence = this.#visitSequence;
		ring.visitOffset = this.insideBlock(this.#visitOffset);
		ring.tailSequence = this.#tailSequence;
		ring.tailOffset = this.insideBlock(this.#tailOffset);
		if (this.walkChain(false)) return;
		// A block that only a provisional mark has freed is gone: so its erase was begun, and the mark is certain.
		ring.tailSequence = ring.visitSequence;
		ring.tailOffset = ring.visitOffset;
		this.walkChain(true);
	}

	/** Where a record can begin; anything else that a damaged record or header says is taken for the first place. */
	private insideBlock(offset: number): number {
		const inside = offset >= HEADER_BYTES && offset <= this.#blockLength && (offset & (this.#align - 1)) === 0;
		return inside ? offset : HEADER_BYTES;
	}

	/**
	 * @param certain - the tail is certain: what is missing is lost
	 * @returns false when a block older than where reading begins is missing
	 */
	private walkChain(certain: boolean): boolean {
		const ring = this.#ring;
		ring.clear();
		this.lostBlocks = 0;
		ring.add(ring.head);
		let block = ring.head;
		let wanted = ring.headPreviousSequence;
		while (ring.sequence(block) !== ring.tailSequence) {
			// Sequences only grow: a header that says otherwise is damaged.
			let previous = isLater(ring.sequence(block), wanted) ? this.find(wanted, block) : -1;
			if (previous < 0) {
				if (!certain && !isLater(ring.sequence(block), ring.visitSequence)) return false;
				const older = (ring.sequence(block) - 1) >>> 0;
				previous = this.nextOlder(isLater(older, wanted) ? wanted : older);
				if (previous >= 0 || isLater(ring.sequence(block), ring.tailSequence)) this.lostBlocks++;
				if (previous < 0) {
					ring.tailSequence = ring.visitSequence = ring.sequence(block);
					ring.tailOffset = ring.visitOffset = HEADER_BYTES;
					break;
				}
			}
			ring.add(previous);
			ring.link(previous, block);
			block = previous;
			// An unreadable header says nothing; no block has its own sequence before it.
			const valid = this.#reader.readLogHeader(block) !== 0;
			wanted = valid ? this.#header.previousSequence : ring.sequence(block);
		}
		ring.tail = block;
		return true;
	}

	/** The block of this sequence; most often the one just before `near`. */
	private find(sequence: number, near: number): number {
		const { blocks } = this.#ring;
		for (let i = 1; i < blocks; i++) {
			const block = (near + blocks - i) % blocks;
			if (this.headers.isValid(block) && !this.#ring.inChain(block) && this.#ring.sequence(block) === sequence)
				return block;
		}
		return -1;
	}

	/** The newest block not later than `sequence` and not older than the tail, or −1. */
	private nextOlder(sequence: number): number {
		const ring = this.#ring;
		let best = -1;
		for (let block = 0; block < ring.blocks; block++) {
			if (!this.headers.isValid(block) || ring.inChain(block)) continue;
			const candidate = ring.sequence(block);
			if (isLater(candidate, sequence) || isLater(ring.tailSequence, candidate)) continue;
			if (best < 0 || isLater(candidate, ring.sequence(best))) best = block;
		}
		return best;
	}
}
