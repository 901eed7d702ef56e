/**
 * Where the parts of a frame lie in a dialect, and how those that are no fields are read and written: length, MTI,
 * bitmap. Source: the dialect's columns; the bytes of each dialect are in DESIGN.md.
 * @module
 */
import { assert } from "../core/assert";
import { hexDigit, readU16, writeU16, writeU32 } from "../core/bytes";
import { CodedError } from "../core/errors";
import type { Dialect } from "./dialect";

/** Bytes of one bitmap, however it travels. */
export const BITMAP_BYTES = 8;

/** Offsets count from the first byte of the frame's length. */
export interface Layout {
	/** Of the length in front of a frame. */
	readonly lengthBytes: number;
	readonly tpduBytes: number;
	readonly headerBytes: number;
	/** Where the MTI, and with it the range of the MAC, begins. */
	readonly mtiOffset: number;
	readonly bitmapOffset: number;
	/** Of one bitmap in a frame. */
	readonly bitmapBytes: number;
	/** Where the fields begin; the secondary bitmap is the first of them. */
	readonly fieldsOffset: number;
	/** Longest frame, its length included: what a buffer for any message needs. */
	readonly frameBytesMax: number;
}

export function layoutOf(dialect: Dialect): Layout {
	const lengthBytes = frameLengthBytes(dialect);
	const tpduBytes = dialect.tpdu.length / 2;
	const headerBytes = dialect.header.length / 2;
	const mtiOffset = lengthBytes + tpduBytes + headerBytes;
	const bitmapOffset = mtiOffset + (dialect.mtiCoding === "bcd" ? 2 : 4);
	const bitmapBytes = dialect.bitmapCoding === "binary" ? BITMAP_BYTES : 2 * BITMAP_BYTES;
	const fieldsOffset = bitmapOffset + bitmapBytes;
	const frameBytesMax = lengthBytes + dialect.frameBytesMax;
	assert(Number.isInteger(mtiOffset), "TPDU and header are whole bytes in hex");
	assert(
		frameBytesMax <= (dialect.frameLength === "u16" ? 0xffff : 9999),
		"a frame's length can say its longest frame",
	);
	return { lengthBytes, tpduBytes, headerBytes, mtiOffset, bitmapOffset, bitmapBytes, fieldsOffset, frameBytesMax };
}

type LengthColumns = Pick<Dialect, "frameLength" | "frameLengthCountsItself">;

export function frameLengthBytes(dialect: Pick<Dialect, "frameLength">): number {
	return dialect.frameLength === "u16" ? 2 : 4;
}

/** How many bytes follow the length at the frame's beginning, as it says; −1 when it is no length. */
export function readFrameLength(dialect: LengthColumns, bytes: Uint8Array): number {
	let length = 0;
	if (dialect.frameLength === "u16") length = readU16(bytes, 0);
	else {
		for (let i = 0; i < 4; i++) {
			const digit = bytes[i] - 48;
			if (!(digit >= 0 && digit <= 9)) return -1;
			length = length * 10 + digit;
		}
	}
	if (!dialect.frameLengthCountsItself) return length;
	return Math.max(-1, length - frameLengthBytes(dialect));
}

/** @param length - bytes that follow */
export function writeFrameLength(dialect: LengthColumns, bytes: Uint8Array, length: number): void {
	let rest = dialect.frameLengthCountsItself ? length + frameLengthBytes(dialect) : length;
	if (dialect.frameLength === "u16") {
		writeU16(bytes, 0, rest);
		return;
	}
	for (let i = 3; i >= 0; i--) {
		const digit = rest % 10;
		rest = (rest - digit) / 10;
		bytes[i] = 48 + digit;
	}
}

/** The MTI as mtiWord() has it; −1 when it is not four digits. */
export function readMti(dialect: Pick<Dialect, "mtiCoding">, bytes: Uint8Array, offset: number): number {
	if (dialect.mtiCoding === "bcd") return readU16(bytes, offset);
	let word = 0;
	for (let i = offset; i < offset + 4; i++) {
		const digit = bytes[i] - 48;
		if (!(digit >= 0 && digit <= 9)) return -1;
		word = (word << 4) | digit;
	}
	return word;
}

export function writeMti(dialect: Pick<Dialect, "mtiCoding">, bytes: Uint8Array, offset: number, word: number): void {
	if (dialect.mtiCoding === "bcd") writeU16(bytes, offset, word);
	else for (let i = 0; i < 4; i++) bytes[offset + i] = 48 + ((word >> (12 - 4 * i)) & 15);
}

/**
 * Both halves of a bitmap of 64 fields as `words[index]` and the next, the first field in the highest bit.
 * @throws {CodedError} "charset" where it travels as hex and is none
 */
export function readBitmap(
	dialect: Pick<Dialect, "bitmapCoding">,
	bytes: Uint8Array,
	offset: number,
	words: Int32Array,
	index: number,
): void {
	if (dialect.bitmapCoding === "binary") {
		words[index] = (readU16(bytes, offset) << 16) | readU16(bytes, offset + 2);
		words[index + 1] = (readU16(bytes, offset + 4) << 16) | readU16(bytes, offset + 6);
		return;
	}
	for (let i = 0; i < 2 * BITMAP_BYTES; i++) {
		const code = bytes[offset + i];
		const nibble = code >= 97 ? -1 : hexDigit(code); // Upper case only: one message has one encoding.
		if (nibble < 0) throw new CodedError("charset", `iso8583 bitmap +${offset + i}`);
		const word = index + (i >> 3);
		words[word] = (words[word] << 4) | nibble;
	}
}

/** Writes what {@link readBitmap} reads. */
export function writeBitmap(
	dialect: Pick<Dialect, "bitmapCoding">,
	bytes: Uint8Array,
	offset: number,
	words: Int32Array,
	index: number,
): void {
	if (dialect.bitmapCoding === "binary") {
		writeU32(bytes, offset, words[index]);
		writeU32(bytes, offset + 4, words[index + 1]);
		return;
	}
	for (let i = 0; i < 2 * BITMAP_BYTES; i++) {
		bytes[offset + i] = hexCode((words[index + (i >> 3)] >>> (28 - 4 * (i & 7))) & 15);
	}
}

/** `count` bytes from the hex at `source[from]`, which has been checked. */
export function unpackHex(source: Uint8Array, from: number, out: Uint8Array, to: number, count: number): void {
	for (let i = 0; i < count; i++) {
		out[to + i] = (hexDigit(source[from + 2 * i]) << 4) | hexDigit(source[from + 2 * i + 1]);
	}
}

/** `count` bytes at `source[from]` as upper-case hex; `out` may be `source` when `to` is `from`. */
export function packHex(source: Uint8Array, from: number, out: Uint8Array, to: number, count: number): void {
	for (let i = count - 1; i >= 0; i--) {
		const byte = source[from + i];
		out[to + 2 * i + 1] = hexCode(byte & 15);
		out[to + 2 * i] = hexCode(byte >> 4);
	}
}

function hexCode(nibble: number): number {
	return nibble < 10 ? 48 + nibble : 55 + nibble;
}
