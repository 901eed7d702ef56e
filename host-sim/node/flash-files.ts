/**
 * The flash of one terminal in files: the journal's, and where it is wanted a mirror beside it (S13). Either of the two
 * may be missing: it is made, erased and as large as the other, and the journal fills it. A file that is there and is
 * not what it should be is refused, and nothing is created or changed.
 * @module
 */
import * as fs from "node:fs";
import { CodedError } from "../../src/core/errors";
import { FlashCut } from "../board/flash-cut";
import type { NorFlash } from "../board/nor-flash";
import type { Power } from "../board/power";
import type { SeededRandom } from "../board/seeded-random";
import { FileFlash, isThere } from "./file-flash";

export interface FlashFilesOptions {
	path: string;
	/** Keep a second copy in {@link mirrorPath}. */
	mirror: boolean;
	/** Blocks of a flash to begin where there is none; absent: that is an error. */
	createBlocks?: number;
}

/** The mirror of a flash file. */
export function mirrorPath(flashPath: string): string {
	return `${flashPath}.mirror`;
}

/** Where a flash file's terminal keeps masked frames. */
export function evidencePath(flashPath: string): string {
	return `${flashPath}.evidence`;
}

/** True when there is a flash to start from: the file, or with a mirror either of the two. */
export function flashExists(flashPath: string, mirror: boolean): boolean {
	return isThere(flashPath) || (mirror && isThere(mirrorPath(flashPath)));
}

export class FlashFiles {
	/** The journal's file, and the mirror's. */
	readonly #files: readonly FileFlash[];

	private constructor(files: readonly FileFlash[]) {
		this.#files = files;
	}

	/**
	 * @throws {CodedError} as FileFlash.open; "length" when the two are not of one size, "state" when they are one file,
	 * or when a mirror is there and not wanted: it would fall behind, and be an old truth one day
	 */
	static open(options: FlashFilesOptions): FlashFiles {
		const { path, mirror, createBlocks } = options;
		const second = mirrorPath(path);
		if (!mirror) {
			if (isThere(second)) {
				throw new CodedError("state", `flash file ${path}`, `has a mirror, ${second}: use it as well, or move it away`);
			}
			return new FlashFiles([FileFlash.open(path, createBlocks === undefined ? {} : { createBlocks })]);
		}
		const files: FileFlash[] = [];
		try {
			// What is there says how large the other one has to be.
			for (const name of [path, second]) if (isThere(name)) files.push(FileFlash.open(name));
			const blocks = files.length > 0 ? files[0].medium.blocks : createBlocks;
			if (files.length === 2) checkPair(files[0], files[1]);
			if (blocks !== undefined) {
				for (const name of [path, second]) {
					if (!files.some((file) => file.path === name)) files.push(FileFlash.open(name, { createBlocks: blocks }));
				}
			} else files.push(FileFlash.open(path)); // Says that it is missing.
			return new FlashFiles(files.sort((a, b) => a.path.length - b.path.length));
		} catch (error) {
			for (const file of files) file.close();
			throw error;
		}
	}

	/** The partitions of one boot, with one count of operations. */
	boot(power: Power, random: SeededRandom): { journal: NorFlash; mirror?: NorFlash } {
		const cut = new FlashCut();
		const [journal, mirror] = this.#files.map((file) => file.boot(power, random, cut));
		return mirror === undefined ? { journal } : { journal, mirror };
	}

	/** Gives the files back. Idempotent. */
	close(): void {
		for (const file of this.#files) file.close();
	}
}

function checkPair(first: FileFlash, second: FileFlash): void {
	const place = `flash file ${second.path}`;
	if (first.medium.size !== second.medium.size) {
		const detail = `${second.medium.size} bytes, and ${first.path} has ${first.medium.size}: two copies are of one size`;
		throw new CodedError("length", place, detail);
	}
	const [a, b] = [first, second].map(({ path }) => fs.statSync(path));
	if (a.dev === b.dev && a.ino === b.ino) throw new CodedError("state", place, `is the same file as ${first.path}`);
}
