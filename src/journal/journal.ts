/**
 * The flash journal: append-only, power-cut safe, bounded. Format, rules and recovery table are in DESIGN.md.
 * Invariants: I7 (always mounts, nothing acknowledged is lost), I8 (room to finish), I10 (bounded).
 * @module
 */
import { assert } from "../core/assert";
import { writeU16 } from "../core/bytes";
import { CodedError } from "../core/errors";
import type { FlashPartition } from "../ports";
import type { JournalClient, MountResult } from "./client";
import { Copies } from "./copies";
import {
	BlockKind,
	BOOT_PAYLOAD_BYTES_MAX,
	HEADER_BYTES,
	isLater,
	isMark,
	MARK_OWN_BYTES_MAX,
	markOwnBytes,
	PAYLOAD_BYTES_MAX,
	RecordType,
	recordBytes,
	recordHead,
} from "./format";
import { LOADED_AT, LogReader, type RecordVisitor } from "./log-reader";
import { LogWriter, PAYLOAD_AT, WRITE_TRIES_MAX } from "./log-writer";
import { Mender } from "./mender";
import { provision } from "./provisioner";
import { FREE_BLOCKS_MIN, Reclaimer } from "./reclaimer";
import { Case, caseLetters, Recovery } from "./recovery";
import { Ring } from "./ring";

/** Cells of an interrupted operation may read differently each time; a CRC tells when they read right. */
const READ_TRIES_MAX = 32;
/** One record only, and giving up costs a restart. */
const PIN_READ_TRIES_MAX = 512;
/**
 * How far a boot's sequence lies beyond the highest it can read. A torn header that can not be read now may be
 * readable later; no block may then share its sequence (rule 2).
 */
const BOOT_SEQUENCE_GAP = 2 * WRITE_TRIES_MAX;
/** The first makes the boot block count; the second tells later boots that the first was written whole (rule 3). */
const CONFIRMS = 2;
/** What a client may keep in the settlement mark. */
export const MARK_BYTES_MAX = PAYLOAD_BYTES_MAX - MARK_OWN_BYTES_MAX;

/**
 * Free blocks without which nothing new is begun: half of the ring, because what lies before a dead record may all be
 * live and has to be copied first, with a boot and its block between any two steps (DESIGN.md, rule 11).
 */
export function blocksReserved(blocks: number): number {
	// In the smallest rings the head and the block after it must remain.
	return Math.min((blocks + 3) >> 1, blocks - 3);
}

export class Journal {
	readonly #copies: Copies;
	readonly #client: JournalClient;
	readonly #blockLength: number;
	readonly #align: number;
	readonly #reserved: number;
	readonly #buffer: Uint8Array;
	readonly #ring: Ring;
	readonly #reader: LogReader;
	readonly #writer: LogWriter;
	readonly #recovery: Recovery;
	readonly #reclaimer: Reclaimer;
	readonly #mender: Mender;
	readonly #visitMounting: RecordVisitor;
	#mounted = false;
	#pinned = false;
	#busy = false; // A visitor is running, or a reclaim is.
	#carrySequence = 0;
	#carryOffset = 0;

	/**
	 * @param flash - at least 6 blocks of a power of two, 1 to 32 KiB, erased value 0xFF
	 * @param mirror - a second partition of the same blocks, for a copy of everything
	 * @throws {CodedError} "format" when a partition can not hold a journal
	 */
	constructor(flash: FlashPartition, client: JournalClient, mirror?: FlashPartition) {
		const copies = new Copies(flash, mirror);
		const { blocks, blockLength } = copies;
		const buffer = new Uint8Array(LOADED_AT + recordBytes(BOOT_PAYLOAD_BYTES_MAX, copies.align));
		this.#copies = copies;
		this.#client = client;
		this.#blockLength = blockLength;
		this.#align = copies.align;
		this.#reserved = blocksReserved(blocks);
		this.#buffer = buffer;
		const ring = new Ring(blocks);
		this.#ring = ring;
		this.#reader = new LogReader(copies, ring, buffer);
		this.#writer = new LogWriter(copies, ring, buffer);
		this.#recovery = new Recovery(copies, ring, this.#reader);
		this.#reclaimer = new Reclaimer(ring, this.#reader, this.#writer, client, copies);
		this.#mender = new Mender(copies, ring, this.#reader, this.#writer, this.#reclaimer);
		this.#visitMounting = (type, position, bytes, start, byteLength) => {
			if (!isMark(type)) {
				client.visit(type, position, bytes, start, byteLength);
				return;
			}
			const own = markOwnBytes(type, bytes, start, byteLength);
			if (own < 0) return;
			this.#reclaimer.takeMark(type, position, bytes, start);
			client.visit(RecordType.mark, position, bytes, start + own, byteLength - own);
		};
	}

	/** Bytes of memory in this journal's arrays, whatever is live. */
	get ramBytes(): number {
		const parts = [this.#copies, this.#ring, this.#reader, this.#writer, this.#recovery.headers];
		let bytes = 0;
		for (const part of parts) bytes += part.ramBytes;
		return bytes;
	}

	get freeBlocks(): number {
		return this.#ring.freeBlocks;
	}

	get logBlocks(): number {
		return this.#ring.chainBlocks;
	}

	get id(): number {
		return this.#writer.id;
	}

	get generation(): number {
		return this.#writer.generation;
	}

	get pinned(): boolean {
		return this.#pinned;
	}

	/** Blocks that are worn out and no longer used. */
	get retiredBlocks(): number {
		return this.#ring.retiredBlocks;
	}

	/** Erases of each block since it was provisioned, at most: wear is even, and each block that is begun has a number. */
	get erasesEach(): number {
		return Math.floor(this.#ring.sequenceMax / this.#ring.blocks);
	}

	/** Bytes that may be live, and still to be written for what is open, before {@link prepare} answers false. */
	get usableBytes(): number {
		const { blocks, retiredBlocks } = this.#ring;
		return Math.max(0, blocks - this.#reserved - retiredBlocks) * this.usableOfBlock;
	}

	/** The copy that this run has given up: 0 the first, 1 the mirror, −1 none. */
	get lostCopy(): number {
		return this.#copies.lost;
	}

	/** Copies in use: 2 with a mirror that works. */
	get copies(): number {
		return this.#copies.mirrored ? 2 : 1;
	}

	/** Blocks of a copy that this run has written anew from the other one. */
	get mendedBlocks(): number {
		return this.#mender.mendedBlocks;
	}

	/** After a mount: what was read may stand on one copy only, until it is pinned. */
	get copiesDiffer(): boolean {
		return this.#mender.hasWork;
	}

	/** Rows of the recovery table (DESIGN.md) that the last mount went through, and {@link pin} after it: "GI". */
	get cases(): string {
		return caseLetters(this.#recovery.cases);
	}

	/** Blocks erased because nothing had been erased ahead; a sale must never cause one. */
	get erasesUnprepared(): number {
		return this.#writer.erasesUnprepared;
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
		this.#carryOffset = 0;
		this.#writer.reset();
		this.#reclaimer.reset();
		this.#mender.reset();
		for (let tries = 0; tries < READ_TRIES_MAX; tries++) {
			recovery.recover();
			const { status } = recovery;
			const result: MountResult = {
				status,
				interrupted: recovery.interrupted,
				lostBlocks: recovery.lostBlocks,
				damagedRecords: 0,
				id: recovery.headers.id,
				generation: recovery.headers.generation,
				cases: caseLetters(recovery.cases),
			};
			if (status !== "ok" && status !== "rebuilt") return result;
			this.#writer.id = result.id;
			this.#writer.generation = result.generation;
			this.#reclaimer.markPosition = -1;
			this.#client.reset();
			result.damagedRecords = this.visitAll(this.#visitMounting);
			// One journal that went on in two ways, each without the other: nobody can say which one is right.
			if (this.#reader.conflict) {
				recovery.cases |= Case.apart;
				return { ...result, status: "foreign", cases: caseLetters(recovery.cases) };
			}
			// Marginal cells may have read otherwise the second time: then this reading is nobody's truth.
			if (this.#reader.seenPosition === this.lastPosition()) {
				this.#mounted = true;
				return result;
			}
		}
		throw new CodedError("damaged", "journal mount", "the newest records read differently at each try");
	}

	/** Position of the last fact that recovery found. */
	private lastPosition(): number {
		return this.#ring.head * this.#blockLength + this.#recovery.lastOffset;
	}

	private visitAll(visit: RecordVisitor): number {
		this.#busy = true;
		try {
			return this.#reader.visitAll(visit);
		} finally {
			this.#busy = false;
		}
	}

	/**
	 * Makes what this boot has read the truth for every later boot (rule 2). Writes once a boot; later calls do nothing.
	 * @throws {CodedError} "damaged" when the last record reads otherwise than in the mount: mount again;
	 * "full" without a free block, "flash" when flash does not take it
	 */
	pin(): void {
		assert(this.#mounted, "I7 pin before mount");
		if (this.#pinned) return;
		const ring = this.#ring;
		const recovery = this.#recovery;
		const { newestBlock, lastOffset } = recovery;
		const oldHead = ring.head;
		const from = this.lastPosition();
		// The copy becomes: head bytes and payload of the old record, as payload of the boot record.
		let innerBytes = -1;
		for (let tries = 0; innerBytes < 0 && tries < PIN_READ_TRIES_MAX; tries++) innerBytes = this.#reader.load(from);
		if (innerBytes < 0) throw new CodedError("damaged", "journal pin", "the last record reads differently now");
		const unfinished = this.#mender.readUnfinished(this.#buffer, innerBytes);
		if (unfinished) recovery.cases |= Case.mending;
		this.#buffer.copyWithin(PAYLOAD_AT, LOADED_AT, LOADED_AT + 2 + innerBytes);
		writeU16(this.#buffer, HEADER_BYTES, recordHead(RecordType.boot, innerBytes + 2, false));
		// The log's first block has none before it and is never restated.
		const previous = recovery.restates ? ring.previous(oldHead) : -1;
		ring.sequenceMax = (ring.sequenceMax + BOOT_SEQUENCE_GAP) >>> 0;
		this.#mounted = false; // Where this fails half-way, only a new mount knows what is there.
		const position =
			previous >= 0
				? this.#writer.openBlock(BlockKind.boot, ring.headPreviousSequence, ring.headPreviousEnd, newestBlock)
				: this.#writer.openBlock(BlockKind.boot, ring.sequence(oldHead), lastOffset, newestBlock);
		const bootBlock = ring.head;
		for (let n = 0; n < CONFIRMS; n++) this.#writer.append(RecordType.confirm, 0, false, 0);
		if (previous >= 0) {
			ring.link(previous, bootBlock);
			ring.remove(oldHead); // Void from now on, and free.
		}
		ring.releaseAll();
		this.#mounted = true;
		this.#pinned = true;
		ring.advanceTail(ring.visitSequence, ring.visitOffset);
		if (this.#reclaimer.markPosition === from) this.#reclaimer.markPosition = position;
		this.#client.moved(from, position);
		if (unfinished) this.#mender.finish();
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
		checkLength(byteLength, payload, PAYLOAD_BYTES_MAX, "journal append");
		this.pin();
		this.reclaimUntil(this.#reserved, this.#blockLength);
		for (let i = 0; i < byteLength; i++) this.#buffer[PAYLOAD_AT + i] = payload[i];
		return this.#writer.append(type, byteLength, false, FREE_BLOCKS_MIN);
	}

	/**
	 * Reads the record at `position` into `out`.
	 * @returns its payload's bytes
	 * @throws {CodedError} "range" outside the log, "damaged" when it is no valid record, "length" when `out` is short
	 */
	read(position: number, out: Uint8Array): number {
		const block = Math.floor(position / this.#blockLength);
		const offset = position % this.#blockLength;
		const inside = Number.isInteger(position) && block >= 0 && block < this.#ring.blocks && offset >= HEADER_BYTES;
		if (!inside || !this.#ring.inChain(block)) throw new CodedError("range", `journal position ${position}`);
		let byteLength = this.#reader.load(position);
		if (byteLength < 0) throw new CodedError("damaged", `journal position ${position}`);
		let start = LOADED_AT + 2;
		const type = this.#reader.loadedType;
		if (isMark(type)) {
			const own = Math.max(0, markOwnBytes(type, this.#buffer, start, byteLength));
			start += own;
			byteLength -= own;
		}
		if (byteLength > out.length) throw new CodedError("length", `journal position ${position}`);
		for (let i = 0; i < byteLength; i++) out[i] = this.#buffer[start + i];
		return byteLength;
	}

	/**
	 * Room for `byteLength` bytes of payload in records that follow, and a block erased ahead (I8). Called before the
	 * card is asked for, so that no sale waits for an erase.
	 * @returns false when there is no such room; nothing new may be begun then
	 */
	prepare(byteLength: number): boolean {
		const wanted = this.#reserved + Math.ceil(byteLength / this.usableOfBlock);
		if (!this.#pinned && this.#ring.freeBlocks === 0) return false;
		this.pin();
		for (let tries = 0; tries < WRITE_TRIES_MAX; tries++) {
			if (!this.reclaimUntil(wanted, 1)) return false;
			this.#writer.eraseAhead();
			// A block that could not be erased was retired, and is one free block less.
			if (this.#ring.freeBlocks >= wanted) return this.#writer.ready >= 0;
		}
		return false;
	}

	/**
	 * For moments without a customer: erases one block ahead when there is none, writes down which blocks are worn out,
	 * and with a mirror mends one block, or compares one, of the two copies. Does nothing before {@link pin}.
	 * @returns true while there is more to mend: call again soon
	 */
	idle(): boolean {
		if (!this.#pinned) {
			if (!this.#mounted || !this.#mender.look()) return false;
			this.pin();
		}
		this.#writer.eraseAhead();
		if (this.#copies.settled) this.#reclaimer.rememberRetired();
		const more = this.#mender.step();
		this.#writer.eraseAhead(); // Mending may have taken the block that stood ready.
		return more;
	}

	/** From here on the client appends again what it still needs; {@link settle} then drops all that is older. */
	beginCarry(): void {
		this.pin();
		this.#carrySequence = this.#ring.sequence(this.#ring.head);
		this.#carryOffset = this.#ring.headEnd;
	}

	/**
	 * Writes the mark: everything before {@link beginCarry} is settled and its blocks are free.
	 * @param data - kept until the next mark, at most {@link MARK_BYTES_MAX} bytes
	 * @throws {CodedError} "length", "full", "flash"
	 */
	settle(data: Uint8Array, byteLength = data.length): void {
		checkLength(byteLength, data, MARK_BYTES_MAX, "journal mark");
		assert(this.#pinned && this.#carryOffset > 0, "I7 settle before beginCarry");
		const ring = this.#ring;
		this.#buffer.set(data.subarray(0, byteLength), PAYLOAD_AT + this.#reclaimer.ownBytes(byteLength));
		// Where carrying took so long that the ring came round, the tail is already later.
		const carryIsGone = isLater(ring.tailSequence, this.#carrySequence);
		const tailSequence = carryIsGone ? ring.tailSequence : this.#carrySequence;
		const tailOffset = carryIsGone ? ring.tailOffset : this.#carryOffset;
		this.#reclaimer.mark(tailSequence, tailOffset, byteLength, this.#reclaimer.leastFree);
		this.#carryOffset = 0;
		this.#reclaimer.reset();
	}

	/**
	 * Makes the partition an empty journal, whatever it held. Interruptible and repeatable; mount afterwards.
	 * @param id - random, tells this journal from others
	 * @param data - the first mark's client bytes
	 * @throws {CodedError} "length", "overflow" after 65,535 provisionings, "flash"
	 */
	provision(id: number, data: Uint8Array): void {
		checkLength(data.length, data, MARK_BYTES_MAX, "journal mark");
		this.#mounted = false;
		this.#pinned = false;
		provision(this.#ring, this.#writer, id, this.#recovery.headers.generationMax(), data);
	}

	/** Every live record again, in log order; the visitor must not append. */
	forEach(visit: JournalClient["visit"]): void {
		assert(this.#mounted, "I7 read before mount");
		this.visitAll((type, position, bytes, start, byteLength) => {
			if (!isMark(type)) visit(type, position, bytes, start, byteLength);
		});
	}

	close(): void {
		this.#mounted = false;
		this.#copies.close();
	}

	/** Whatever the records' lengths are. */
	private get usableOfBlock(): number {
		return this.#blockLength - HEADER_BYTES - recordBytes(PAYLOAD_BYTES_MAX, this.#align);
	}

	private reclaimUntil(wanted: number, patienceBytes: number): boolean {
		if (this.#ring.freeBlocks >= wanted) return true;
		if (this.#busy) return false;
		this.#busy = true;
		try {
			return this.#reclaimer.reclaimUntil(wanted, patienceBytes);
		} finally {
			this.#busy = false;
		}
	}
}

/** @throws {CodedError} "length" */
function checkLength(byteLength: number, bytes: Uint8Array, most: number, place: string): void {
	const within = Number.isInteger(byteLength) && byteLength >= 0 && byteLength <= Math.min(most, bytes.length);
	if (!within) throw new CodedError("length", place, `${byteLength} bytes, at most ${Math.min(most, bytes.length)}`);
}
