/**
 * The flash journal: append-only, power-cut safe, bounded. Format, rules and recovery table are in DESIGN.md.
 * Invariants: I7 (always mounts, nothing acknowledged is lost), I8 (room to finish), I10 (bounded).
 * @module
 */
import { assert } from "../core/assert";
import { equalBytes, readU16, readU32, writeU16, writeU32 } from "../core/bytes";
import { CodedError } from "../core/errors";
import type { FlashPartition } from "../ports";
import { BlockScanner } from "./block-scanner";
import {
	type BlockHeader,
	BlockKind,
	decodeHeader,
	emptyHeader,
	encodeHeader,
	FORMAT,
	HEADER_BYTES,
	headLength,
	headType,
	isLater,
	PAYLOAD_BYTES_MAX,
	RECORD_OVERHEAD_BYTES,
	RecordType,
	recordBytes,
	recordCrc,
	recordHead,
} from "./format";
import { type MountStatus, Recovery } from "./recovery";
import { Ring } from "./ring";

/** Free blocks without which nothing new is begun: DESIGN.md, rule 11. */
export const BLOCKS_RESERVED = 3;
const WRITE_TRIES_MAX = 4;
/** Cells of an interrupted operation may read differently each time; a CRC tells when they read right. */
const READ_TRIES_MAX = 32;
const MARK_OWN_BYTES = 6;
/** What a client may keep in the settlement mark. */
export const MARK_BYTES_MAX = PAYLOAD_BYTES_MAX - MARK_OWN_BYTES;

/** What the owner of the records must tell the journal. */
export interface JournalClient {
	/** A mount begins to read: forget what an earlier try has visited. */
	reset(): void;
	/** One record at mount, in log order; the bytes are borrowed. Marks come as type 3 with the client's bytes. */
	visit(type: number, position: number, bytes: Uint8Array, start: number, byteLength: number): void;
	/** May this record be dropped when its block is reclaimed? */
	isLive(type: number, position: number, bytes: Uint8Array, start: number): boolean;
	/** A record the client may remember by position now stands elsewhere. */
	moved(from: number, to: number): void;
}

/** What a mount found. */
export interface MountResult {
	status: MountStatus;
	/** Provisioning was begun and not finished. */
	interrupted: boolean;
	/** Blocks of the log that could not be found; 0 unless flash lost a block. */
	lostBlocks: number;
	/** Places where a record was damaged after it was written; 0 unless flash lost bits. */
	damagedRecords: number;
	id: number;
	generation: number;
}

export class Journal {
	readonly #flash: FlashPartition;
	readonly #client: JournalClient;
	readonly #blockLength: number;
	readonly #align: number;
	readonly #buffer: Uint8Array;
	readonly #scanner: BlockScanner;
	readonly #header: BlockHeader = emptyHeader();
	readonly #ring: Ring;
	readonly #check = new Uint8Array(64);
	readonly #recovery: Recovery;
	#mounted = false;
	#pinned = false;
	#busy = false; // A visitor is running, or a reclaim is.
	#id = 0;
	#generation = 0;
	#headEnd = 0;
	#sequenceMax = 0;
	#tailSequence = 0;
	#tailOffset = 0;
	#visitSequence = 0; // Where reading begins: later than the tail while the newest mark is provisional.
	#visitOffset = 0;
	#markPosition = -1;
	#ready = -1; // Free block erased by this run.
	#futileUntilFree = 0; // Log bytes that must pass before the next try at reclaiming.
	#seenPosition = -1; // Of the record read last in a visit, whatever its type.
	#carrySequence = 0;
	#carryOffset = 0;

	/** Blocks erased because nothing had been erased ahead; a sale must never cause one. */
	erasesUnprepared = 0;

	/**
	 * @param flash - at least 4 blocks of a power of two, 512 bytes to 32 KiB, erased value 0xFF
	 * @throws {CodedError} "format" when the partition can not hold a journal
	 */
	constructor(flash: FlashPartition, client: JournalClient) {
		const { size, blockLength, blocks, writeAlign = 1, eraseValue = 0xff } = flash.status();
		const powerOfTwo = (blockLength & (blockLength - 1)) === 0;
		if (!powerOfTwo || blockLength < 1024 || blockLength > 32768) {
			throw new CodedError("format", "journal partition", `block length ${blockLength}`);
		}
		if (size !== blockLength * blocks) throw new CodedError("format", "journal partition", "size is not whole blocks");
		if (blocks < 4 || blocks > 65535) throw new CodedError("format", "journal partition", `${blocks} blocks`);
		if (writeAlign < 1 || writeAlign > 32 || (writeAlign & (writeAlign - 1)) !== 0) {
			throw new CodedError("format", "journal partition", `write unit ${writeAlign}`);
		}
		if (eraseValue !== 0xff) throw new CodedError("format", "journal partition", "erased bytes are not 0xFF");
		this.#flash = flash;
		this.#client = client;
		this.#blockLength = blockLength;
		this.#align = writeAlign;
		this.#buffer = new Uint8Array(HEADER_BYTES + recordBytes(PAYLOAD_BYTES_MAX + 8, 32));
		this.#scanner = new BlockScanner(flash, this.#buffer, blockLength, writeAlign);
		this.#ring = new Ring(blocks);
		this.#recovery = new Recovery(flash, this.#ring, this.#scanner, this.#buffer, this.#header, blockLength);
	}

	/** Bytes of memory this journal holds, whatever is live. */
	get ramBytes(): number {
		return this.#ring.ramBytes + this.#recovery.ramBytes + this.#buffer.byteLength + this.#check.byteLength;
	}

	get freeBlocks(): number {
		return this.#ring.freeBlocks;
	}

	get logBlocks(): number {
		return this.#ring.chainBlocks;
	}

	get id(): number {
		return this.#id;
	}

	get generation(): number {
		return this.#generation;
	}

	get pinned(): boolean {
		return this.#pinned;
	}

	/**
	 * Reads everything, writes nothing. Every live record goes to the client's `visit`, in log order; the last one is
	 * provisional until {@link pin}.
	 * @throws {CodedError} "damaged" when the newest cells read differently at each of many tries
	 */
	mount(): MountResult {
		const recovery = this.#recovery;
		this.#mounted = false;
		this.#pinned = false;
		this.#ready = -1;
		for (let tries = 0; tries < READ_TRIES_MAX; tries++) {
			recovery.findHead();
			const result: MountResult = {
				status: recovery.status,
				interrupted: recovery.interrupted,
				lostBlocks: 0,
				damagedRecords: 0,
				id: recovery.id,
				generation: recovery.generation,
			};
			if (recovery.status !== "ok") return result;
			recovery.findChain();
			this.#id = recovery.id;
			this.#generation = recovery.generation;
			this.#sequenceMax = recovery.sequenceMax;
			this.#headEnd = recovery.headEnd;
			this.#tailSequence = recovery.tailSequence;
			this.#tailOffset = recovery.tailOffset;
			this.#visitSequence = recovery.visitSequence;
			this.#visitOffset = recovery.visitOffset;
			result.lostBlocks = recovery.lostBlocks;
			result.damagedRecords = this.#visitAll();
			// Marginal cells may have read otherwise the second time: then this reading is nobody's truth.
			if (this.#visitedAsFound()) {
				this.#mounted = true;
				return result;
			}
		}
		throw new CodedError("damaged", "journal mount", "the newest records read differently at each try");
	}

	#visitAll(): number {
		let damaged = 0;
		this.#markPosition = -1;
		this.#seenPosition = -1;
		this.#client.reset();
		this.#busy = true;
		this.#eachBlock((block, from, end, exact) => {
			damaged += this.#eachRecord(block, from, end, exact, (type, position, bytes, start, byteLength) => {
				if (type === RecordType.mark) {
					this.#markPosition = position;
					this.#client.visit(type, position, bytes, start + MARK_OWN_BYTES, byteLength - MARK_OWN_BYTES);
				} else this.#client.visit(type, position, bytes, start, byteLength);
			});
		});
		this.#busy = false;
		return damaged;
	}

	/** Did the visit see the head end with the record, and the mark, that finding the head saw? */
	#visitedAsFound(): boolean {
		const recovery = this.#recovery;
		const headStart = this.#ring.head * this.#blockLength;
		if (this.#seenPosition !== headStart + recovery.visitEndsAt) return false;
		if (recovery.markOffset >= 0) return this.#markPosition === headStart + recovery.markOffset;
		return this.#markPosition < headStart || this.#markPosition >= headStart + this.#blockLength;
	}

	/**
	 * Makes what this boot has read the truth for every later boot (rule 2). Writes once a boot; later calls do nothing.
	 * @throws {CodedError} "full" without a free block, "flash" when flash does not take it
	 */
	pin(): void {
		assert(this.#mounted, "I7 pin before mount");
		if (this.#pinned) return;
		const recovery = this.#recovery;
		const ring = this.#ring;
		const oldHead = ring.head;
		const from = oldHead * this.#blockLength + recovery.lastOffset;
		// The copy becomes: head bytes and payload of the old record, as payload of the boot record.
		let innerBytes = -1;
		for (let tries = 0; innerBytes < 0 && tries < READ_TRIES_MAX; tries++) innerBytes = this.#loadRecord(from);
		if (innerBytes < 0) throw new CodedError("damaged", "journal pin", "the last record reads differently now");
		writeU16(this.#buffer, HEADER_BYTES, recordHead(RecordType.boot, innerBytes + 2, false));
		const position = recovery.restates
			? this.#writeBlock(BlockKind.boot, recovery.restatedSequence, recovery.restatedEnd)
			: this.#writeBlock(BlockKind.boot, ring.sequence(oldHead), recovery.lastOffset);
		if (recovery.restates) {
			const previous = ring.previous(oldHead); // Void from now on, and free.
			assert(previous >= 0, "I7 a boot block follows what it restates");
			ring.link(previous, ring.head);
			ring.remove(oldHead);
		}
		this.#pinned = true;
		this.#appendHere(RecordType.confirm, 0, false);
		this.#advanceTail(this.#visitSequence, this.#visitOffset);
		if (this.#markPosition === from) this.#markPosition = position;
		this.#client.moved(from, position);
	}

	/**
	 * Appends one record, durable when this returns.
	 * @param type - 8 to 62
	 * @returns its position
	 * @throws {CodedError} "length" over 448 bytes, "full", "flash"
	 */
	append(type: number, payload: Uint8Array, byteLength = payload.length): number {
		assert(type >= RecordType.clientMin && type <= RecordType.clientMax, `I7 record type ${type}`);
		assert(!this.#busy, "I7 append from inside a visit");
		if (byteLength > PAYLOAD_BYTES_MAX || byteLength > payload.length) {
			throw new CodedError("length", "journal append", `${byteLength} bytes, at most ${PAYLOAD_BYTES_MAX}`);
		}
		this.pin();
		if (this.#ring.freeBlocks < BLOCKS_RESERVED) this.#reclaimUntil(BLOCKS_RESERVED);
		this.#buffer.set(payload.subarray(0, byteLength), HEADER_BYTES + 2);
		return this.#appendHere(type, byteLength, false);
	}

	/**
	 * Reads the record at `position` into `out`.
	 * @returns its payload's bytes
	 * @throws {CodedError} "range" outside the log, "damaged" when it is no valid record, "length" when `out` is short
	 */
	read(position: number, out: Uint8Array): number {
		const block = Math.floor(position / this.#blockLength);
		const offset = position % this.#blockLength;
		const known = position >= 0 && block < this.#ring.blocks && this.#ring.inChain(block) && offset >= HEADER_BYTES;
		if (!known) throw new CodedError("range", `journal position ${position}`);
		let byteLength = this.#loadRecord(position);
		if (byteLength < 0) throw new CodedError("damaged", `journal position ${position}`);
		if (byteLength > out.length) throw new CodedError("length", `journal position ${position}`);
		let start = HEADER_BYTES + 4; // #loadRecord leaves head at +2, payload at +4.
		if (headType(readU16(this.#buffer, HEADER_BYTES + 2)) === RecordType.mark) {
			start += MARK_OWN_BYTES;
			byteLength -= MARK_OWN_BYTES;
		}
		out.set(this.#buffer.subarray(start, start + byteLength));
		return byteLength;
	}

	/**
	 * Room for `byteLength` bytes of payload in records that follow, and a block erased ahead (I8). Called before the
	 * card is asked for, so that no sale waits for an erase.
	 * @returns false when there is no such room; nothing new may be begun then
	 */
	prepare(byteLength: number): boolean {
		const usable = this.#blockLength - HEADER_BYTES - recordBytes(PAYLOAD_BYTES_MAX, this.#align);
		const wanted = BLOCKS_RESERVED + Math.ceil(byteLength / usable);
		if (!this.#pinned && this.#ring.freeBlocks === 0) return false;
		this.pin();
		if (this.#ring.freeBlocks < wanted && !this.#reclaimUntil(wanted)) return false;
		this.#eraseAhead();
		return true;
	}

	/** Erases one block ahead when there is none; for moments without a customer. Does nothing before {@link pin}. */
	idle(): void {
		if (this.#pinned && this.#ring.freeBlocks > 0) this.#eraseAhead();
	}

	/** From here on the client appends again what it still needs; {@link settle} then drops all that is older. */
	beginCarry(): void {
		this.pin();
		this.#carrySequence = this.#ring.sequence(this.#ring.head);
		this.#carryOffset = this.#headEnd;
	}

	/**
	 * Writes the mark: everything before {@link beginCarry} is settled and its blocks are free.
	 * @param data - kept until the next mark, at most {@link MARK_BYTES_MAX} bytes
	 */
	settle(data: Uint8Array, byteLength = data.length): void {
		if (byteLength > MARK_BYTES_MAX) throw new CodedError("length", "journal mark", `${byteLength} bytes`);
		assert(this.#pinned && this.#carryOffset > 0, "I7 settle before beginCarry");
		this.#buffer.set(data.subarray(0, byteLength), HEADER_BYTES + 2 + MARK_OWN_BYTES);
		this.#mark(this.#carrySequence, this.#carryOffset, byteLength);
		this.#carryOffset = 0;
		this.#futileUntilFree = 0;
	}

	/**
	 * Makes the partition an empty journal, whatever it held. Interruptible and repeatable; mount afterwards.
	 * @param id - random, tells this journal from others
	 * @param data - the first mark's client bytes
	 */
	provision(id: number, data: Uint8Array): void {
		if (data.length > MARK_BYTES_MAX) throw new CodedError("length", "journal mark", `${data.length} bytes`);
		this.#mounted = false;
		const generation = this.#recovery.generationMax() + 1;
		if (generation > 0xffff) throw new CodedError("overflow", "journal generation");
		const header = this.#header;
		header.format = FORMAT;
		header.kind = BlockKind.provisioning;
		header.id = id >>> 0;
		header.generation = generation;
		header.sequence = 0;
		header.previousSequence = 0;
		header.previousEnd = 0;
		header.tailSequence = 1;
		header.tailOffset = HEADER_BYTES;
		this.#setGeometry();
		this.#flash.eraseBlock(0);
		encodeHeader(this.#buffer, 0, header);
		this.#flash.write(this.#buffer.subarray(0, HEADER_BYTES), 0);
		for (let block = 1; block < this.#ring.blocks; block++) this.#flash.eraseBlock(block);
		this.#ring.clear();
		this.#id = header.id;
		this.#generation = generation;
		this.#sequenceMax = 0;
		this.#tailSequence = this.#visitSequence = 1;
		this.#tailOffset = this.#visitOffset = HEADER_BYTES;
		this.#ring.head = 0; // So that block 1 is the next free one.
		this.#ring.tail = 1;
		this.#ready = 1;
		this.#pinned = true;
		writeU32(this.#buffer, HEADER_BYTES + 2, 1);
		writeU16(this.#buffer, HEADER_BYTES + 6, HEADER_BYTES);
		this.#buffer.set(data, HEADER_BYTES + 2 + MARK_OWN_BYTES);
		writeU16(this.#buffer, HEADER_BYTES, recordHead(RecordType.mark, data.length + MARK_OWN_BYTES, false));
		this.#writeBlock(BlockKind.log, 0, 0);
		this.#appendHere(RecordType.confirm, 0, false);
		this.#ready = -1;
		this.#pinned = false;
	}

	/** Every live record again, in log order; the visitor must not append. */
	forEach(visit: JournalClient["visit"]): void {
		assert(this.#mounted, "I7 read before mount");
		this.#busy = true;
		this.#eachBlock((block, from, end, exact) => {
			this.#eachRecord(block, from, end, exact, (type, position, bytes, start, byteLength) => {
				if (type !== RecordType.mark) visit(type, position, bytes, start, byteLength);
			});
		});
		this.#busy = false;
	}

	close(): void {
		this.#mounted = false;
		this.#flash.close();
	}

	#eachBlock(visit: (block: number, from: number, end: number, exact: boolean) => void): void {
		const ring = this.#ring;
		let block = ring.tail;
		while (block !== ring.head && ring.sequence(block) !== this.#visitSequence) block = ring.next(block);
		let from = this.#visitOffset;
		for (let n = 0; n < ring.chainBlocks; n++) {
			if (block === ring.head) {
				visit(block, from, this.#headEnd, false);
				return;
			}
			const next = ring.next(block);
			this.#readHeader(next);
			// After a lost block the end is unknown: the whole block is looked through.
			const known = this.#header.previousSequence === ring.sequence(block);
			visit(block, from, known ? this.#header.previousEnd : this.#blockLength, known);
			from = HEADER_BYTES;
			block = next;
		}
	}

	/** @returns places found damaged */
	#eachRecord(block: number, from: number, end: number, exact: boolean, visit: JournalClient["visit"]): number {
		const scanner = this.#scanner;
		scanner.start(block, this.#ring.sequence(block), from, end);
		while (scanner.next()) {
			this.#seenPosition = block * this.#blockLength + scanner.offset;
			let type = headType(scanner.head);
			let start = scanner.at + 2;
			let byteLength = headLength(scanner.head);
			if (type === RecordType.confirm) continue;
			if (type === RecordType.boot) {
				if (byteLength < 2) continue;
				type = headType(readU16(this.#buffer, start));
				start += 2;
				byteLength -= 2;
				if (type === RecordType.confirm) continue;
			}
			visit(type, block * this.#blockLength + scanner.offset, this.#buffer, start, byteLength);
		}
		return scanner.damaged + (exact && scanner.endsBad ? 1 : 0);
	}

	#readHeader(block: number): void {
		const view = this.#check.subarray(0, HEADER_BYTES);
		this.#flash.read(view, block * this.#blockLength);
		decodeHeader(view, 0, this.#header);
	}

	/**
	 * Loads a record, unwrapping a boot record: head bytes at HEADER_BYTES + 2, payload at + 4 of the buffer.
	 * @returns payload bytes, −1 when it is no valid record
	 */
	#loadRecord(position: number): number {
		const block = Math.floor(position / this.#blockLength);
		const offset = position % this.#blockLength;
		const at = HEADER_BYTES + 2;
		if (offset + RECORD_OVERHEAD_BYTES > this.#blockLength) return -1;
		this.#flash.read(this.#buffer.subarray(at, at + 2), position);
		const head = readU16(this.#buffer, at);
		const total = 2 + headLength(head) + 4;
		if (at + total > this.#buffer.length || offset + total > this.#blockLength) return -1;
		this.#flash.read(this.#buffer.subarray(at, at + total), position);
		const crc = readU32(this.#buffer, at + 2 + headLength(head));
		if (crc !== recordCrc(this.#buffer, at, this.#ring.sequence(block), offset)) return -1;
		if (headType(head) !== RecordType.boot) return headLength(head);
		this.#buffer.copyWithin(at, at + 2, at + total); // The wrapped head and payload.
		return headLength(head) - 2;
	}

	/** Appends the record whose payload stands at HEADER_BYTES + 2 of the buffer. @returns its position */
	#appendHere(type: number, byteLength: number, copy: boolean): number {
		const total = recordBytes(byteLength, this.#align);
		writeU16(this.#buffer, HEADER_BYTES, recordHead(type, byteLength, copy));
		const head = this.#ring.head;
		if (this.#headEnd + total <= this.#blockLength) {
			const position = head * this.#blockLength + this.#headEnd;
			this.#seal(byteLength, total, this.#ring.sequence(head), this.#headEnd);
			if (this.#program(HEADER_BYTES, total, position)) {
				this.#headEnd += total;
				this.#futileUntilFree -= total;
				return position;
			}
		}
		this.#futileUntilFree -= total;
		return this.#writeBlock(BlockKind.log, this.#ring.sequence(head), this.#headEnd);
	}

	/**
	 * Opens a block with the record at HEADER_BYTES of the buffer (head and payload set) as its first, and makes it the
	 * head of the log. @returns the record's position
	 */
	#writeBlock(kind: number, previousSequence: number, previousEnd: number): number {
		const byteLength = headLength(readU16(this.#buffer, HEADER_BYTES));
		const total = recordBytes(byteLength, this.#align);
		const ring = this.#ring;
		let after = this.#pinned ? ring.head : this.#recovery.newestBlock;
		for (let tries = 0; tries < WRITE_TRIES_MAX; tries++) {
			const block = this.#takeErased(after);
			const sequence = (this.#sequenceMax + 1) >>> 0;
			this.#sequenceMax = sequence;
			const header = this.#header;
			header.format = FORMAT;
			header.kind = kind;
			header.id = this.#id;
			header.generation = this.#generation;
			header.sequence = sequence;
			header.previousSequence = previousSequence;
			header.previousEnd = previousEnd;
			header.tailSequence = this.#tailSequence;
			header.tailOffset = this.#tailOffset;
			this.#setGeometry();
			encodeHeader(this.#buffer, 0, header);
			this.#seal(byteLength, total, sequence, HEADER_BYTES);
			if (this.#program(0, HEADER_BYTES + total, block * this.#blockLength)) {
				ring.setSequence(block, sequence);
				if (ring.chainBlocks > 0) ring.link(ring.head, block);
				ring.add(block);
				ring.head = block;
				this.#headEnd = HEADER_BYTES + total;
				return block * this.#blockLength + HEADER_BYTES;
			}
			after = block;
		}
		throw new CodedError("flash", "journal", "no block takes a record");
	}

	#setGeometry(): void {
		this.#header.blockShift = 31 - Math.clz32(this.#blockLength);
		this.#header.alignShift = 31 - Math.clz32(this.#align);
	}

	/** CRC and padding of the record at HEADER_BYTES. */
	#seal(byteLength: number, total: number, sequence: number, offset: number): void {
		const end = HEADER_BYTES + 2 + byteLength;
		writeU32(this.#buffer, end, recordCrc(this.#buffer, HEADER_BYTES, sequence, offset));
		this.#buffer.fill(0xff, end + 4, HEADER_BYTES + total);
	}

	/** Writes and reads back. @returns false when flash holds something else */
	#program(start: number, byteLength: number, position: number): boolean {
		const view = this.#buffer.subarray(start, start + byteLength);
		this.#flash.write(view, position);
		for (let done = 0; done < byteLength; done += this.#check.length) {
			const part = Math.min(this.#check.length, byteLength - done);
			const read = this.#check.subarray(0, part);
			this.#flash.read(read, position + done);
			if (!equalBytes(read, view.subarray(done, done + part))) return false;
		}
		return true;
	}

	#takeErased(after: number): number {
		const ready = this.#ready;
		if (ready >= 0) {
			this.#ready = -1;
			return ready;
		}
		const block = this.#ring.nextFree(after);
		if (block < 0) throw new CodedError("full", "journal", "no free block");
		this.erasesUnprepared++;
		this.#flash.eraseBlock(block);
		return block;
	}

	#eraseAhead(): void {
		if (this.#ready >= 0) return;
		const block = this.#ring.nextFree(this.#ring.head);
		if (block < 0) return;
		this.#flash.eraseBlock(block);
		this.#ready = block;
	}

	/** Copies live records of the oldest blocks forward until `wanted` are free. @returns false when that cannot be */
	#reclaimUntil(wanted: number): boolean {
		if (this.#busy) return false;
		if (this.#ring.freeBlocks >= wanted) return true;
		if (this.#futileUntilFree > 0 || this.#markPosition < 0) return false;
		const usable = this.#blockLength - HEADER_BYTES - recordBytes(PAYLOAD_BYTES_MAX, this.#align);
		const needed = Math.ceil(this.#liveBytes() / usable) + 1;
		if (this.#ring.blocks - needed < wanted) {
			this.#futileUntilFree = this.#blockLength;
			return false;
		}
		for (let n = this.#ring.chainBlocks; n > 0 && this.#ring.freeBlocks < wanted; n--) this.#reclaimTail();
		return this.#ring.freeBlocks >= wanted;
	}

	#liveBytes(): number {
		let total = 0;
		this.#busy = true;
		this.#eachBlock((block, from, end, exact) => {
			this.#eachRecord(block, from, end, exact, (type, position, bytes, start, byteLength) => {
				const live =
					type === RecordType.mark
						? position === this.#markPosition
						: this.#client.isLive(type, position, bytes, start);
				if (live) total += recordBytes(byteLength, this.#align);
			});
		});
		this.#busy = false;
		return total;
	}

	/** Rule 10: copies, then the mark, then the block is free. */
	#reclaimTail(): void {
		const ring = this.#ring;
		const block = ring.tail;
		if (block === ring.head || ring.freeBlocks === 0) return;
		const next = ring.next(block);
		this.#readHeader(next);
		const known = this.#header.previousSequence === ring.sequence(block);
		const end = known ? this.#header.previousEnd : this.#blockLength;
		const scanner = this.#scanner;
		this.#busy = true;
		for (let from = this.#tailOffset; ; ) {
			scanner.start(block, ring.sequence(block), from, end);
			if (!scanner.next()) break;
			from = scanner.cursor;
			const position = block * this.#blockLength + scanner.offset;
			const byteLength = this.#loadRecord(position);
			if (byteLength < 0) continue;
			const type = headType(readU16(this.#buffer, HEADER_BYTES + 2));
			if (type === RecordType.confirm || type === RecordType.mark) continue;
			if (!this.#client.isLive(type, position, this.#buffer, HEADER_BYTES + 4)) continue;
			this.#buffer.copyWithin(HEADER_BYTES + 2, HEADER_BYTES + 4, HEADER_BYTES + 4 + byteLength);
			this.#client.moved(position, this.#appendHere(type, byteLength, true));
		}
		const markBytes = this.#loadRecord(this.#markPosition);
		assert(markBytes >= MARK_OWN_BYTES, "I7 the mark can be read");
		this.#buffer.copyWithin(HEADER_BYTES + 2, HEADER_BYTES + 4, HEADER_BYTES + 4 + markBytes);
		this.#mark(ring.sequence(next), HEADER_BYTES, markBytes - MARK_OWN_BYTES);
		this.#busy = false;
	}

	/** Appends a mark whose client bytes stand in the buffer, and frees what lies before its tail. */
	#mark(tailSequence: number, tailOffset: number, clientBytes: number): void {
		writeU32(this.#buffer, HEADER_BYTES + 2, tailSequence);
		writeU16(this.#buffer, HEADER_BYTES + 6, tailOffset);
		this.#markPosition = this.#appendHere(RecordType.mark, clientBytes + MARK_OWN_BYTES, false);
		this.#advanceTail(tailSequence, tailOffset);
	}

	#advanceTail(tailSequence: number, tailOffset: number): void {
		const ring = this.#ring;
		while (ring.sequence(ring.tail) !== tailSequence) {
			assert(ring.tail !== ring.head && isLater(tailSequence, ring.sequence(ring.tail)), "I7 the tail is in the log");
			const freed = ring.tail;
			ring.tail = ring.next(freed);
			ring.remove(freed);
		}
		this.#tailSequence = this.#visitSequence = tailSequence;
		this.#tailOffset = this.#visitOffset = tailOffset;
	}
}
