/**
 * What `npm run decode` is given: hex on the command line, a file or standard input with raw bytes or hex text, told
 * apart; then cut into frames. Bounded: nothing above INPUT_BYTES_MAX is read.
 * @module
 */
import * as fs from "node:fs";
import { fromHex } from "../../src/core/bytes";
import { CodedError } from "../../src/core/errors";
import type { Dialect } from "../../src/iso8583/dialect";
import { layoutOf, readFrameLength } from "../../src/iso8583/layout";
import { STANDARD_INPUT, UsageError } from "./args";

export const INPUT_BYTES_MAX = 1 << 20;

/**
 * The bytes that the words name.
 * @throws {UsageError} for words that are neither hex nor a file, hex that is none, or more than INPUT_BYTES_MAX
 */
export function readInput(words: readonly string[]): Uint8Array {
	if (words.length === 0) throw new UsageError("give a frame in hex, a file, or - for standard input");
	if (words.length === 1 && words[0] === STANDARD_INPUT) return toldApart(readBounded(0, "standard input"));
	const file = words.length === 1 ? openFile(words[0]) : undefined;
	if (file !== undefined) {
		try {
			return toldApart(readBounded(file, words[0]));
		} finally {
			fs.closeSync(file);
		}
	}
	const text = words.join(" ");
	if (!isHexText(text)) throw new UsageError(`"${shortened(text)}" is neither a file nor hex`);
	return hexBytes(text);
}

/** Raw bytes as they are; text of hex digits as the bytes they spell. */
function toldApart(bytes: Uint8Array): Uint8Array {
	if (bytes.length === 0) throw new UsageError("nothing to decode");
	const text = Buffer.from(bytes).toString("latin1");
	return isHexText(text) ? hexBytes(text) : bytes;
}

/** No frame is hex text by chance: it would begin with a length of 12,336 bytes or more. */
function isHexText(text: string): boolean {
	return /^(?:\s|0[xX](?=[0-9a-fA-F])|[0-9a-fA-F])+$/.test(text) && /[0-9a-fA-F]/.test(text);
}

function hexBytes(text: string): Uint8Array {
	const digits = text.replace(/0[xX]/g, "").replace(/\s/g, "");
	try {
		return fromHex(digits, "hex");
	} catch (error) {
		if (error instanceof CodedError) throw new UsageError(`an odd number of hex digits: ${digits.length}`);
		throw error;
	}
}

/** @returns undefined when no file has that name: then it may be hex, which may be longer than a name can be */
function openFile(name: string): number | undefined {
	try {
		return fs.openSync(name, "r");
	} catch (error) {
		const { code } = error as NodeJS.ErrnoException;
		if (code === "ENOENT" || code === "ENAMETOOLONG" || code === "ENOTDIR") return undefined;
		throw new UsageError(`${shortened(name)} cannot be read: ${code}`);
	}
}

function readBounded(file: number, name: string): Uint8Array {
	const chunk = Buffer.alloc(65_536);
	const chunks: Buffer[] = [];
	let total = 0;
	for (;;) {
		const count = readSome(file, chunk, name);
		if (count === 0) break;
		total += count;
		if (total > INPUT_BYTES_MAX) throw new UsageError(`${name} has more than ${INPUT_BYTES_MAX} bytes`);
		chunks.push(Buffer.from(chunk.subarray(0, count)));
	}
	return Uint8Array.from(Buffer.concat(chunks));
}

/** @returns bytes read, 0 at the end */
function readSome(file: number, chunk: Buffer, name: string): number {
	try {
		return fs.readSync(file, chunk, 0, chunk.length, null);
	} catch (error) {
		const { code } = error as NodeJS.ErrnoException;
		if (code === "EOF") return 0; // So ends a closed standard input on some systems.
		throw new UsageError(`${shortened(name)} cannot be read: ${code}`);
	}
}

function shortened(text: string): string {
	return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}

/** Where a frame stands in the input. */
export interface FramePlace {
	readonly start: number;
	readonly end: number;
	/** Why it is not simply as long as it says. "cut": less is there. "noLength": what stands there can be no length. */
	readonly oddity: "none" | "cut" | "noLength";
}

/** Cuts the input by the frames' own lengths; a length that cannot be ends it, with the rest as the last one. */
export function framePlaces(bytes: Uint8Array, dialect: Dialect): FramePlace[] {
	const { lengthBytes } = layoutOf(dialect);
	const places: FramePlace[] = [];
	for (let start = 0; start < bytes.length; ) {
		const rest = bytes.length - start;
		const announced = rest < lengthBytes ? 0 : readFrameLength(dialect, bytes.subarray(start));
		const end = start + lengthBytes + announced;
		const possible = announced > 0 && announced <= dialect.frameBytesMax;
		if (!possible || end > bytes.length) {
			places.push({ start, end: bytes.length, oddity: possible ? "cut" : "noLength" });
			break;
		}
		places.push({ start, end, oddity: "none" });
		start = end;
	}
	return places;
}
