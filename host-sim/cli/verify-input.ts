/**
 * Reads what `npm run verify` is given: in bounded memory, and without waiting for a pipe that nobody writes to.
 * @module
 */
import * as fs from "node:fs";
import { STANDARD_INPUT, UsageError } from "./args";

/** A named pipe whose writer is silent for so long is given up; standard input is waited for. */
export const SILENCE_MS_MAX = 10_000;
const WAIT_MS = 20;
const PIECE_BYTES = 1 << 16;

const REASONS: Readonly<Record<string, string>> = {
	ENOENT: "there is no such file",
	EISDIR: "it is a directory",
	EACCES: "it may not be read",
};

/**
 * All bytes of a file, of a pipe with a name, or of standard input.
 * @param name - "-" for standard input
 * @throws {UsageError} for what cannot be read, says nothing, or is longer than `bytesMax`
 */
export function readBounded(name: string, bytesMax: number, silenceMsMax = SILENCE_MS_MAX): Uint8Array {
	let file = 0;
	try {
		// Not to block: opening a pipe that has no writer would wait for ever.
		if (name !== STANDARD_INPUT) file = fs.openSync(name, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
		const pieces: Buffer[] = [];
		let total = 0;
		for (;;) {
			const piece = Buffer.alloc(PIECE_BYTES);
			const count = readSome(file, piece, name, silenceMsMax);
			if (count === 0) return Buffer.concat(pieces);
			total += count;
			if (total > bytesMax) throw new UsageError(`${name} is longer than ${bytesMax >> 20} MiB`);
			pieces.push(piece.subarray(0, count));
		}
	} catch (error) {
		if (error instanceof UsageError) throw error;
		const { code = "" } = error as NodeJS.ErrnoException;
		throw new UsageError(`${name} cannot be read: ${REASONS[code] ?? code}`);
	} finally {
		if (file !== 0) fs.closeSync(file);
	}
}

/** @returns bytes read, 0 at the end */
function readSome(file: number, piece: Uint8Array, name: string, silenceMsMax: number): number {
	for (let silentMs = 0; ; silentMs += WAIT_MS) {
		try {
			return fs.readSync(file, piece, 0, piece.length, null);
		} catch (error) {
			if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
		}
		if (file !== 0 && silentMs >= silenceMsMax) {
			throw new UsageError(`${name} cannot be read: nothing came for ${silenceMsMax / 1_000} s`);
		}
		Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, WAIT_MS);
	}
}
