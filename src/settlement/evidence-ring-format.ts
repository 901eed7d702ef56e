/**
 * The bytes of the evidence ring: headers of blocks, frames, anchors. The tables are in EVIDENCE.md beside this file.
 * Every length is bounded before it is believed; a CRC seeded with the block's turn and the entry's offset keeps
 * entries of earlier turns from being read.
 * @module
 */
import { writeBcdText } from "../core/bcd";
import { readU16, readU24, readU32, writeU16, writeU24, writeU32 } from "../core/bytes";
import { CRC_START, crc32c, crcFinish, crcUpdate, crcWord } from "../core/crc32c";
import { CodedError } from "../core/errors";
import { FRAME_ID_BYTES, FRAME_TAG_BYTES } from "../security/device-key-frames";
import { CHECKPOINT_BYTES } from "./chain-links";

export const RING_HEADER_BYTES = 16;
const MAGIC = 0x45565231; // "EVR1"
const VERSION = 1;
export const ENTRY_HEAD_BYTES = 3;
const CRC_BYTES = 4;
export const ENTRY_OVERHEAD_BYTES = ENTRY_HEAD_BYTES + CRC_BYTES;

export const RingType = { frame: 1, anchor: 2 } as const;
export const FRAME_CLEAR_BYTES = FRAME_ID_BYTES + 1 + 2 + 6 + 2 + 12 + FRAME_TAG_BYTES;
/** UTF-8 of a frame's line; a longer one is cut, and says so. */
export const LINE_BYTES_MAX = 900;
export const ANCHOR_BYTES = 23 + CHECKPOINT_BYTES;
export const PAYLOAD_BYTES_MAX = FRAME_CLEAR_BYTES + LINE_BYTES_MAX;
export const ENTRY_BYTES_MAX = ENTRY_OVERHEAD_BYTES + PAYLOAD_BYTES_MAX;

export const FrameFlag = { received: 1, cut: 2 } as const;
const FRAME_TAG_AT = FRAME_CLEAR_BYTES - FRAME_TAG_BYTES;

/** What is recorded of a frame beside its line. */
export interface FrameFacts {
	/** Bits of {@link FrameFlag}. */
	flags: number;
	/** Frames that were not recorded between the one before and this one. */
	lost: number;
	/** ms since 1970, terminal's clock. */
	timeMs: number;
	/** Of the frame, its length included. */
	frameBytes: number;
	/** Its own key; zeros when it could not be decoded. */
	batch: number;
	stan: number;
	/** Of the transaction it is about, where that is another: void, refund, resend, sync. Zeros: none. */
	subjectBatch: number;
	subjectStan: number;
}

export function newFrameFacts(): FrameFacts {
	return { flags: 0, lost: 0, timeMs: 0, frameBytes: 0, batch: 0, stan: 0, subjectBatch: 0, subjectStan: 0 };
}

/** A head that the host has acknowledged. */
export interface Anchor {
	/** The mark that the chain begins behind: the id it settled up to. */
	readonly mark: number;
	/** Transactions up to this id are in. */
	readonly id: number;
	/** ms since 1970, terminal's clock. */
	readonly timeMs: number;
	/** DE 60.3 of the message that told it. */
	readonly code: number;
	/** YYYYMMDDhhmmss as the host's answer has it, 14 zeros when it told none. */
	readonly hostTime: string;
	/** Both heads, as ChainHead.write writes them: CHECKPOINT_BYTES bytes. */
	readonly heads: Uint8Array;
}

/** @param out - RING_HEADER_BYTES bytes */
export function encodeRingHeader(out: Uint8Array, turn: number): void {
	out.fill(0, 0, RING_HEADER_BYTES);
	writeU32(out, 0, MAGIC);
	out[4] = VERSION;
	writeU32(out, 8, turn);
	writeU32(out, 12, crc32c(out, 0, 12));
}

/** @returns the block's turn, 0 for a block without a good header */
export function ringTurn(bytes: Uint8Array): number {
	if (readU32(bytes, 0) !== MAGIC || bytes[4] !== VERSION) return 0;
	return readU32(bytes, 12) === crc32c(bytes, 0, 12) ? readU32(bytes, 8) : 0;
}

/** Writes head and CRC around the payload, which is in place at ENTRY_HEAD_BYTES. @returns bytes of the entry */
export function closeEntry(
	bytes: Uint8Array,
	type: number,
	payloadBytes: number,
	turn: number,
	offset: number,
): number {
	writeU16(bytes, 0, payloadBytes);
	bytes[2] = type;
	const end = ENTRY_HEAD_BYTES + payloadBytes;
	writeU32(bytes, end, entryCrc(bytes, end, turn, offset));
	return end + CRC_BYTES;
}

/** @returns the length of the payload that a head announces, 0 when no entry begins like this */
export function announcedBytes(bytes: Uint8Array): number {
	const payloadBytes = readU16(bytes, 0);
	const type = bytes[2];
	if (type === RingType.anchor) return payloadBytes === ANCHOR_BYTES ? payloadBytes : 0;
	const fits = payloadBytes >= FRAME_CLEAR_BYTES && payloadBytes <= PAYLOAD_BYTES_MAX;
	return type === RingType.frame && fits ? payloadBytes : 0;
}

/** @param bytes - a whole entry. @returns whether it is this block's, at this offset, and whole */
export function entryIsWhole(bytes: Uint8Array, payloadBytes: number, turn: number, offset: number): boolean {
	const end = ENTRY_HEAD_BYTES + payloadBytes;
	return readU32(bytes, end) === entryCrc(bytes, end, turn, offset);
}

function entryCrc(bytes: Uint8Array, end: number, turn: number, offset: number): number {
	return crcFinish(crcUpdate(crcWord(crcWord(CRC_START, turn), offset), bytes, 0, end));
}

/**
 * Writes a frame's payload; the line is in place behind it.
 * @param at - where the payload begins
 */
export function encodeFrame(bytes: Uint8Array, at: number, id: Uint8Array, facts: FrameFacts, tag: Uint8Array): void {
	bytes.set(id, at);
	let to = at + FRAME_ID_BYTES;
	bytes[to++] = facts.flags;
	writeU16(bytes, to, Math.min(0xffff, facts.lost));
	writeTime(bytes, to + 2, facts.timeMs);
	writeU16(bytes, to + 8, facts.frameBytes);
	to += 10;
	writeU24(bytes, to, facts.batch);
	writeU24(bytes, to + 3, facts.stan);
	writeU24(bytes, to + 6, facts.subjectBatch);
	writeU24(bytes, to + 9, facts.subjectStan);
	bytes.set(tag, at + FRAME_TAG_AT);
}

/** Reads what {@link encodeFrame} writes, into objects of the caller. */
export function decodeFrame(bytes: Uint8Array, at: number, id: Uint8Array, facts: FrameFacts, tag: Uint8Array): void {
	for (let i = 0; i < FRAME_ID_BYTES; i++) id[i] = bytes[at + i];
	let from = at + FRAME_ID_BYTES;
	facts.flags = bytes[from++];
	facts.lost = readU16(bytes, from);
	facts.timeMs = readTime(bytes, from + 2);
	facts.frameBytes = readU16(bytes, from + 8);
	from += 10;
	facts.batch = readU24(bytes, from);
	facts.stan = readU24(bytes, from + 3);
	facts.subjectBatch = readU24(bytes, from + 6);
	facts.subjectStan = readU24(bytes, from + 9);
	for (let i = 0; i < FRAME_TAG_BYTES; i++) tag[i] = bytes[at + FRAME_TAG_AT + i];
}

/** @throws {CodedError} "length" | "charset" for a host's time that is none */
export function encodeAnchor(bytes: Uint8Array, at: number, anchor: Anchor): void {
	if (anchor.hostTime.length !== 14) throw new CodedError("length", "anchor time");
	if (anchor.heads.length !== CHECKPOINT_BYTES) throw new CodedError("length", "anchor heads");
	writeU32(bytes, at, anchor.mark);
	writeU32(bytes, at + 4, anchor.id);
	writeTime(bytes, at + 8, anchor.timeMs);
	writeU16(bytes, at + 14, anchor.code);
	writeBcdText(bytes, at + 16, anchor.hostTime, "anchor time");
	bytes.set(anchor.heads, at + 23);
}

/** A copy that outlives the buffer. */
export function decodeAnchor(bytes: Uint8Array, at: number): Anchor {
	let hostTime = "";
	for (let i = 0; i < 7; i++) hostTime += bcdPair(bytes[at + 16 + i]);
	return {
		mark: readU32(bytes, at),
		id: readU32(bytes, at + 4),
		timeMs: readTime(bytes, at + 8),
		code: readU16(bytes, at + 14),
		hostTime,
		heads: bytes.slice(at + 23, at + 23 + CHECKPOINT_BYTES),
	};
}

/** Two digits; the CRC has vouched for them. */
function bcdPair(byte: number): string {
	return String.fromCharCode(48 + (byte >> 4), 48 + (byte & 15));
}

function writeTime(bytes: Uint8Array, at: number, timeMs: number): void {
	const ms = Math.max(0, Math.min(0xffff_ffff_ffff, Math.floor(timeMs)));
	writeU16(bytes, at, Math.floor(ms / 0x1_0000_0000));
	writeU32(bytes, at + 2, ms % 0x1_0000_0000);
}

function readTime(bytes: Uint8Array, at: number): number {
	return readU16(bytes, at) * 0x1_0000_0000 + readU32(bytes, at + 2);
}

/**
 * UTF-8 of a line, as much as fits; a character is never cut in two. A lone surrogate becomes "?".
 * @returns bytes written
 */
export function writeUtf8(out: Uint8Array, at: number, bytesMax: number, text: string): number {
	let to = at;
	const end = at + bytesMax;
	for (let i = 0; i < text.length; i++) {
		let code = text.charCodeAt(i);
		if (code >= 0xd800 && code <= 0xdfff) {
			const low = i + 1 < text.length ? text.charCodeAt(i + 1) : 0;
			if (code <= 0xdbff && low >= 0xdc00 && low <= 0xdfff) {
				code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
				i++;
			} else code = 0x3f;
		}
		const size = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
		if (to + size > end) return to - at;
		if (size === 1) out[to++] = code;
		else {
			const shift = 6 * (size - 1);
			out[to++] = (0xf00 >> size) | (code >> shift);
			for (let rest = shift - 6; rest >= 0; rest -= 6) out[to++] = 0x80 | ((code >> rest) & 0x3f);
		}
	}
	return to - at;
}

/** Bytes that `text` takes as UTF-8. */
export function utf8Bytes(text: string): number {
	let count = 0;
	for (let i = 0; i < text.length; i++) {
		const code = text.charCodeAt(i);
		if (code < 0x80) count += 1;
		else if (code < 0x800) count += 2;
		else if (code >= 0xd800 && code <= 0xdbff && (text.charCodeAt(i + 1) & 0xfc00) === 0xdc00) {
			count += 4;
			i++;
		} else count += code >= 0xd800 && code <= 0xdfff ? 1 : 3;
	}
	return count;
}
