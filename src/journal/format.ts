/**
 * The journal's bytes: block headers and record frames. The tables are in DESIGN.md beside this file.
 * @module
 */
import { readU16, readU32, writeU16, writeU32 } from "../core/bytes";
import { CRC_START, crc32c, crcFinish, crcUpdate, crcWord } from "../core/crc32c";

export const HEADER_BYTES = 32;
export const RECORD_OVERHEAD_BYTES = 6;
/** What a client may append; a boot record wraps one such record with its two header bytes. */
export const PAYLOAD_BYTES_MAX = 448;
export const BOOT_PAYLOAD_BYTES_MAX = PAYLOAD_BYTES_MAX + 2;

/** Written into every block. Blocks of format 1 (marks of type 3 only) are read as they are. */
export const FORMAT = 2;
const MAGIC = 0x5a4a;

export const BlockKind = { log: 1, boot: 2, provisioning: 3 } as const;
export type BlockKind = (typeof BlockKind)[keyof typeof BlockKind];

/**
 * Record types of the journal itself; a client's begin at 8 and end at 62. To the client every mark is a `mark`; those
 * written since format 2 are of type `markRetired`.
 */
export const RecordType = {
	boot: 1,
	confirm: 2,
	mark: 3,
	markRetired: 4,
	mend: 5,
	clientMin: 8,
	clientMax: 62,
} as const;

/** Blocks that a mark can name as retired. */
export const RETIRED_MAX = 24;
/** A mark begins with the tail (sequence, offset), then the count and numbers of the retired blocks. */
export const MARK_TAIL_BYTES = 6;
export const MARK_OWN_BYTES_MAX = MARK_TAIL_BYTES + 1 + 2 * RETIRED_MAX;

export function isMark(type: number): boolean {
	return type === RecordType.mark || type === RecordType.markRetired;
}

/** Bytes of a mark before the client's own; −1 when it is too short to be one. */
export function markOwnBytes(type: number, bytes: Uint8Array, start: number, byteLength: number): number {
	if (type === RecordType.mark) return byteLength < MARK_TAIL_BYTES ? -1 : MARK_TAIL_BYTES;
	const own = byteLength <= MARK_TAIL_BYTES ? -1 : MARK_TAIL_BYTES + 1 + 2 * bytes[start + MARK_TAIL_BYTES];
	return own > byteLength ? -1 : own;
}

/** A decoded block header; one object is reused. */
export interface BlockHeader {
	format: number;
	kind: number;
	id: number;
	generation: number;
	blockShift: number;
	alignShift: number;
	sequence: number;
	previousSequence: number;
	previousEnd: number;
	tailSequence: number;
	tailOffset: number;
}

export function emptyHeader(): BlockHeader {
	return {
		format: FORMAT,
		kind: BlockKind.log,
		id: 0,
		generation: 0,
		blockShift: 0,
		alignShift: 0,
		sequence: 0,
		previousSequence: 0,
		previousEnd: 0,
		tailSequence: 0,
		tailOffset: 0,
	};
}

/** Writes 32 bytes at `offset`. */
export function encodeHeader(bytes: Uint8Array, offset: number, header: BlockHeader): void {
	writeU16(bytes, offset, MAGIC);
	bytes[offset + 2] = header.format;
	bytes[offset + 3] = header.kind;
	writeU32(bytes, offset + 4, header.id);
	writeU16(bytes, offset + 8, header.generation);
	bytes[offset + 10] = header.blockShift;
	bytes[offset + 11] = header.alignShift;
	writeU32(bytes, offset + 12, header.sequence);
	writeU32(bytes, offset + 16, header.previousSequence);
	writeU16(bytes, offset + 20, header.previousEnd);
	writeU32(bytes, offset + 22, header.tailSequence);
	writeU16(bytes, offset + 26, header.tailOffset);
	writeU32(bytes, offset + 28, crc32c(bytes, offset, offset + 28));
}

/** What the first 32 bytes of a block are. */
export type HeaderRead = "blank" | "other" | "valid" | "newer";

/** Reads 32 bytes at `offset` into `header`; `header` means something only for "valid" and "newer". */
export function decodeHeader(bytes: Uint8Array, offset: number, header: BlockHeader): HeaderRead {
	let all = 0xff;
	for (let i = 0; i < HEADER_BYTES; i++) all &= bytes[offset + i];
	if (all === 0xff) return "blank";
	if (readU16(bytes, offset) !== MAGIC) return "other";
	if (readU32(bytes, offset + 28) !== crc32c(bytes, offset, offset + 28)) return "other";
	header.format = bytes[offset + 2];
	header.kind = bytes[offset + 3];
	header.id = readU32(bytes, offset + 4);
	header.generation = readU16(bytes, offset + 8);
	header.blockShift = bytes[offset + 10];
	header.alignShift = bytes[offset + 11];
	header.sequence = readU32(bytes, offset + 12);
	header.previousSequence = readU32(bytes, offset + 16);
	header.previousEnd = readU16(bytes, offset + 20);
	header.tailSequence = readU32(bytes, offset + 22);
	header.tailOffset = readU16(bytes, offset + 26);
	if (header.format === 0) return "other";
	return header.format > FORMAT ? "newer" : "valid";
}

/** True when sequence `a` is later than `b`; safe across the wrap of 32 bits. */
export function isLater(a: number, b: number): boolean {
	return ((a - b) | 0) > 0;
}

export function recordHead(type: number, payloadBytes: number, copy: boolean): number {
	return (copy ? 0x8000 : 0) | (type << 9) | payloadBytes;
}

export function headType(head: number): number {
	return (head >> 9) & 63;
}

export function headLength(head: number): number {
	return head & 511;
}

export function headIsCopy(head: number): boolean {
	return (head & 0x8000) !== 0;
}

/** True when a record of this head can exist at all; erased flash (0xFFFF) can not. */
export function headPlausible(head: number): boolean {
	const type = headType(head);
	const most = type === RecordType.boot ? BOOT_PAYLOAD_BYTES_MAX : PAYLOAD_BYTES_MAX;
	return type !== 0 && type <= RecordType.clientMax && headLength(head) <= most;
}

/** Bytes a record takes in flash, padding included. */
export function recordBytes(payloadBytes: number, align: number): number {
	return (payloadBytes + RECORD_OVERHEAD_BYTES + align - 1) & -align;
}

/** The CRC of a record whose head is at `bytes[at]`, as if it stood at `offset` of block `sequence`. */
export function recordCrc(bytes: Uint8Array, at: number, sequence: number, offset: number): number {
	const end = at + 2 + headLength(readU16(bytes, at));
	let crc = crcWord(CRC_START, sequence);
	crc = crcWord(crc, offset);
	crc = crcUpdate(crc, bytes, at, end);
	return crcFinish(crc);
}
