/** Partition images kept as files: see images/README.md. */
import { strict as assert } from "node:assert";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { FlashMedium } from "../../host-sim/board/flash-medium";

export interface ImageFixture {
	/** How it came about. */
	what: string;
	blocks: number;
	blockLength: number;
	writeAlign: number;
	/** The image, gzip in base64. */
	gzip: string;
}

/** A journal's image, and what it holds. */
export interface JournalFixture extends ImageFixture {
	id: number;
	generation: number;
	/** Client bytes of the newest mark, hex. */
	mark: string;
	/** Id → record, hex. */
	live: Record<string, string>;
}

export function readFixture<T extends ImageFixture = ImageFixture>(name: string): T {
	return JSON.parse(readFileSync(join(__dirname, "images", `${name}.json`), "utf8")) as T;
}

/** New silicon with the fixture's image on it. */
export function mediumOf(fixture: ImageFixture): FlashMedium {
	const { blocks, blockLength, writeAlign, gzip } = fixture;
	const image = new Uint8Array(gunzipSync(Buffer.from(gzip, "base64")));
	assert.equal(image.length, blocks * blockLength);
	return new FlashMedium({ blocks, blockLength, writeAlign, image });
}
