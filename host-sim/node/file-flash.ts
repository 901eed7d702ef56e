/**
 * A flash image in a file. Each program and each erase is one `pwrite` before the call returns, so `kill -9` of the
 * process is a power cut: what was written stays in the system's page cache, what was not never happened.
 *
 * One process at a time: a lock file beside the image names the process and when it began, so that a lock left by a
 * killed one is recognised even when its number was given to another. An image comes into being whole, by a rename.
 * Nothing is created unless asked for, and a file that is no image is never written to.
 * @module
 */
import * as fs from "node:fs";
import { CodedError } from "../../src/core/errors";
import { FlashCut } from "../board/flash-cut";
import { BLOCK_BYTES, FlashMedium } from "../board/flash-medium";
import { NorFlash } from "../board/nor-flash";
import type { Power } from "../board/power";
import type { SeededRandom } from "../board/seeded-random";
import { FileLock } from "./file-lock";

export interface FileFlashOptions {
	/** Blocks of an image to create where there is none; default: a missing file is an error. */
	createBlocks?: number;
	/** Default 4096 bytes. */
	blockLength?: number;
	/** Default 1. */
	writeAlign?: number;
}

/** A journal needs a block to write, one to reclaim into, and two to hold something. */
const BLOCKS_MIN = 4;
/** 64 MiB of flash: no terminal has more, and a wrong path may be a large file. */
const IMAGE_BYTES_MAX = 64 * 1024 * 1024;

export class FileFlash {
	readonly path: string;
	/** The silicon; it goes with the process, its content stays in the file. */
	readonly medium: FlashMedium;
	readonly #lock: FileLock;
	#fd: number;

	private constructor(path: string, lock: FileLock, fd: number, image: Uint8Array, options: FileFlashOptions) {
		const { blockLength = BLOCK_BYTES, writeAlign = 1 } = options;
		this.path = path;
		this.#lock = lock;
		this.#fd = fd;
		const erased = new Uint8Array(blockLength).fill(0xff);
		this.medium = new FlashMedium({
			blocks: image.length / blockLength,
			blockLength,
			writeAlign,
			image,
			backing: {
				program: (offset, bytes) => this.#write(bytes, offset),
				erase: (offset) => this.#write(erased, offset),
			},
		});
	}

	/**
	 * @throws {CodedError} with one line: "missing"; "format" for what is no file; "length" for a size that is not
	 * whole blocks, or fewer than 4; "state" while another process has it; "flash" when the system refuses
	 */
	static open(path: string, options: FileFlashOptions = {}): FileFlash {
		const { blockLength = BLOCK_BYTES, createBlocks } = options;
		const place = `flash file ${path}`;
		if (createBlocks !== undefined) checkSize(createBlocks * blockLength, blockLength, place);
		else if (!isThere(path)) throw new CodedError("missing", place, "no such file, a flash image is expected");
		const lock = FileLock.acquire(path, place);
		let fd = -1;
		try {
			if (createBlocks !== undefined && !isThere(path)) createImage(path, createBlocks * blockLength);
			const stat = fs.statSync(path);
			if (!stat.isFile()) {
				const what = stat.isDirectory() ? "a directory" : "not a file";
				throw new CodedError("format", place, `${what}, a file of whole blocks is expected`);
			}
			checkSize(stat.size, blockLength, place);
			fd = fs.openSync(path, "r+");
			return new FileFlash(path, lock, fd, readImage(fd, stat.size, place), options);
		} catch (error) {
			if (fd >= 0) fs.closeSync(fd);
			lock.release();
			throw error instanceof CodedError ? error : new CodedError("flash", place, systemCode(error));
		}
	}

	/** The flash of one boot. @param cut - shared by the partitions of the board */
	boot(power: Power, random?: SeededRandom, cut = new FlashCut()): NorFlash {
		return new NorFlash({ medium: this.medium, power, cut, ...(random === undefined ? {} : { random }) });
	}

	/** Gives the file back. Idempotent. */
	close(): void {
		if (this.#fd < 0) return;
		fs.closeSync(this.#fd);
		this.#fd = -1;
		this.#lock.release();
	}

	#write(bytes: Uint8Array, offset: number): void {
		const place = `flash file ${this.path}`;
		if (this.#fd < 0) throw new CodedError("state", place, "closed");
		let done = 0;
		try {
			while (done < bytes.length) done += fs.writeSync(this.#fd, bytes, done, bytes.length - done, offset + done);
		} catch (error) {
			throw new CodedError("flash", place, systemCode(error));
		}
	}
}

/** Something has this name: also a link that leads nowhere, or what may not be looked at. Whoever opens it is told. */
export function isThere(path: string): boolean {
	try {
		return fs.lstatSync(path, { throwIfNoEntry: false }) !== undefined;
	} catch {
		return true;
	}
}

/** A truncated image is refused as well as a file that never was one: by its size. */
function checkSize(size: number, blockLength: number, place: string): void {
	const detail =
		size > IMAGE_BYTES_MAX
			? `${size} bytes, at most ${IMAGE_BYTES_MAX} are expected`
			: size < BLOCKS_MIN * blockLength
				? `${size} bytes, at least ${BLOCKS_MIN} blocks of ${blockLength} are expected`
				: size % blockLength !== 0
					? `${size} bytes, whole blocks of ${blockLength} are expected`
					: "";
	if (detail !== "") throw new CodedError("length", place, detail);
}

/** Whole or not at all; the caller holds the lock. */
function createImage(path: string, size: number): void {
	const draft = `${path}.${process.pid}.new`;
	try {
		fs.writeFileSync(draft, new Uint8Array(size).fill(0xff), { flag: "wx" });
		fs.renameSync(draft, path);
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code !== "EEXIST") fs.rmSync(draft, { force: true });
		throw error;
	}
}

function readImage(fd: number, size: number, place: string): Uint8Array {
	const image = new Uint8Array(size);
	let done = 0;
	while (done < size) {
		const count = fs.readSync(fd, image, done, size - done, done);
		if (count === 0) throw new CodedError("length", place, "the file shrank while it was read");
		done += count;
	}
	return image;
}

/** "EACCES" and the like: the system's word without its paths. */
function systemCode(error: unknown): string {
	const code = (error as NodeJS.ErrnoException).code;
	if (code === "EACCES" || code === "EPERM") return "permission denied";
	return code ?? "unreadable";
}
