/**
 * Goal: what is no journal is never taken for one and never formatted silently. Method: images that other stores have
 * really written (images/README.md), common contents of a partition, journals erased in part, journals of a later
 * format. A mount writes nothing; only provisioning, asked for, makes any of them a journal.
 */
import { strict as assert } from "node:assert";
import { FlashMedium } from "../../host-sim/board/flash-medium";
import { NorFlash } from "../../host-sim/board/nor-flash";
import { SeededRandom } from "../../host-sim/board/seeded-random";
import type { MountResult } from "../../src/journal/client";
import { decodeHeader, emptyHeader, encodeHeader, FORMAT } from "../../src/journal/format";
import { Journal } from "../../src/journal/journal";
import { ImageClient } from "./image-client";
import { mediumOf, readFixture } from "./image-fixture";

const BLOCKS = 16;
const BLOCK = 4096;

function mediumWith(fill: (image: Uint8Array) => void, writeAlign = 1): FlashMedium {
	const image = new Uint8Array(BLOCKS * BLOCK).fill(0xff);
	fill(image);
	return new FlashMedium({ blocks: BLOCKS, blockLength: BLOCK, writeAlign, image });
}

/** Mounts and checks that nothing was written, and that nothing can be unless the answer is ok. */
function mountOf(medium: FlashMedium, mirror?: FlashMedium): MountResult {
	const media = mirror === undefined ? [medium] : [medium, mirror];
	const before = media.map(({ image }) => image.slice());
	const flashes = media.map((one) => new NorFlash({ medium: one }));
	const journal = new Journal(flashes[0], new ImageClient(), flashes[1]);
	const result = journal.mount();
	if (result.status !== "ok" && result.status !== "rebuilt") {
		assert.throws(() => journal.pin(), /I7/);
		assert.throws(() => journal.append(8, new Uint8Array(4)), /I7/);
		assert.throws(() => journal.prepare(100), /I7/);
		assert.throws(() => journal.beginCarry(), /I7/);
		assert.throws(() => journal.forEach(() => {}), /I7/);
		journal.idle();
	}
	for (const [n, flash] of flashes.entries()) {
		assert.equal(flash.operations, 0);
		assert.deepEqual(media[n].image, before[n]);
	}
	return result;
}

/** Provisions, and uses the journal over a reboot. */
function provisionAndUse(medium: FlashMedium): void {
	new Journal(new NorFlash({ medium }), new ImageClient()).provision(0xfeed, Uint8Array.of(5));
	for (const id of [1, 2]) {
		const client = new ImageClient();
		const journal = new Journal(new NorFlash({ medium }), client);
		const { status, id: journalId } = journal.mount();
		assert.deepEqual([status, journalId, client.mark, client.live.size], ["ok", 0xfeed, "05", id - 1]);
		assert.ok(journal.prepare(100));
		client.begin(journal, id, new Uint8Array(40), 40);
	}
	assert.equal(mountOf(medium).status, "ok");
}

const byNumber = (a: number, b: number) => a - b;
const byId = (a: [number, string], b: [number, string]) => a[0] - b[0];

const text = (image: Uint8Array) => {
	const line = new TextEncoder().encode("2026-11-22 23:59:59 sale 000042 amount 000000001234 outcome 00\r\n");
	for (let at = 0; at < image.length; at += line.length) image.set(line.subarray(0, image.length - at), at);
};

/** What a card reader's or a data logger's partition begins with: BIOS parameter block, FATs, root directory. */
const fat = (image: Uint8Array) => {
	image.fill(0);
	image.set([0xeb, 0x3c, 0x90, ...new TextEncoder().encode("MSDOS5.0")], 0);
	image.set([0x00, 0x10, 1, 1, 0, 1, 0x00, 0x02, 16, 0, 0xf8, 1, 0], 11);
	image.set(new TextEncoder().encode("NO NAME    FAT12   "), 43);
	image.set([0x55, 0xaa], 510);
	image.set([0xf8, 0xff, 0xff], BLOCK);
	image.set(new TextEncoder().encode("SALES   TXT"), 2 * BLOCK);
};

describe("journal, images of other things", () => {
	const images: [string, () => FlashMedium][] = [
		...["littlefs", "flashdb-kvdb", "flashdb-tsdb", "fcb", "nvs"].map((name): [string, () => FlashMedium] => [
			`a partition of ${readFixture(name).what.split(/[:,]/)[0]}`,
			() => mediumOf(readFixture(name)),
		]),
		["a FAT file system", () => mediumWith(fat)],
		["a partition of zeros", () => mediumWith((image) => image.fill(0))],
		["a partition of text", () => mediumWith(text)],
		["an application image", () => mediumWith((image) => image.set([0xe9, 6, 2, 0x20, 0x54, 0x12, 0x08, 0x40]))],
		["noise", () => mediumWith((image) => new SeededRandom(1).fill(image))],
		["noise, with a write unit of 16", () => mediumWith((image) => new SeededRandom(2).fill(image), 16)],
		["one programmed bit at the very end", () => mediumWith((image) => image.fill(0xfe, image.length - 1))],
	];
	for (const [what, make] of images) {
		it(`${what} is foreign, and becomes a journal by provisioning alone`, () => {
			const medium = make();
			assert.equal(mountOf(medium).status, "foreign");
			assert.equal(mountOf(make(), make()).status, "foreign", "both copies");
			assert.equal(
				mountOf(
					make(),
					mediumWith(() => undefined),
				).status,
				"foreign",
				"beside a blank mirror",
			);
			assert.equal(
				mountOf(
					mediumWith(() => undefined),
					make(),
				).status,
				"foreign",
				"beside a blank primary",
			);
			provisionAndUse(medium);
		});
	}
});

describe("journal, one erased in part", () => {
	/** Ten blocks of the log, two things live in each, on the first turn of the ring: no older block is there. */
	const whole = () => {
		const medium = mediumWith(() => undefined);
		new Journal(new NorFlash({ medium }), new ImageClient()).provision(9, new Uint8Array(1));
		const client = new ImageClient();
		const journal = new Journal(new NorFlash({ medium }), client);
		journal.mount();
		const lastPosition = 9 * BLOCK + 1000;
		for (let id = 1; Math.max(0, ...client.live.values()) < lastPosition; id++) {
			client.begin(journal, id, new Uint8Array(400).fill(id), 400);
		}
		return { medium, things: client.contents(journal), positions: new Map(client.live) };
	};
	const erase = (from: number, to: number) => (image: Uint8Array) => void image.fill(0xff, from, to);
	const blocks = (wanted: (block: number) => boolean) => (image: Uint8Array) => {
		for (let block = 0; block < BLOCKS; block++) if (wanted(block)) erase(block * BLOCK, (block + 1) * BLOCK)(image);
	};
	const ways: [string, (image: Uint8Array) => void][] = [
		["every second block, from the first", blocks((block) => block % 2 === 0)],
		["every second block, from the second", blocks((block) => block % 2 === 1)],
		["the first half", erase(0, 5 * BLOCK)],
		["the first half of a block", erase(4 * BLOCK, 4.5 * BLOCK)],
		["the second half of a block", erase(4.5 * BLOCK, 5 * BLOCK)],
		["all but one block in the middle", blocks((block) => block !== 4)],
	];
	for (const [what, change] of ways) {
		it(`${what}: what is left is there, the loss is reported, and the journal goes on`, () => {
			const { medium, things, positions } = whole();
			const before = medium.image.slice();
			change(medium.image);
			const left = [...positions].filter(([, at]) => {
				const header = Math.floor(at / BLOCK) * BLOCK;
				const same = (from: number, to: number) =>
					medium.image.subarray(from, to).every((byte, n) => byte === before[from + n]);
				return same(header, header + 32) && same(at, at + 400);
			});
			const result = mountOf(medium);
			assert.equal(result.status, "ok");
			assert.ok(result.lostBlocks + result.damagedRecords > 0, JSON.stringify(result));
			const client = new ImageClient();
			const journal = new Journal(new NorFlash({ medium }), client);
			journal.mount();
			journal.pin();
			const found = client.contents(journal);
			// Copies of reclaimed records come later in the log than they were.
			assert.deepEqual([...found.keys()].sort(byNumber), left.map(([id]) => id).sort(byNumber));
			for (const [id, bytes] of found) assert.equal(bytes, things.get(id));
			assert.ok(found.size > 0 && found.size < things.size);
			for (let id = 1000; id < 1010; id++) client.begin(journal, id, new Uint8Array(100), 100);
			const again = new ImageClient();
			const next = new Journal(new NorFlash({ medium }), again);
			assert.equal(next.mount().status, "ok");
			assert.deepEqual([...again.contents(next)].sort(byId), [...client.contents(journal)].sort(byId));
		});
	}

	it("all of it but the provisioning header is an interrupted provisioning, not a blank partition", () => {
		const { medium } = whole();
		erase(BLOCK, BLOCKS * BLOCK)(medium.image);
		const { status, interrupted } = mountOf(medium);
		assert.deepEqual([status, interrupted], ["unprovisioned", true]);
		provisionAndUse(medium);
	});

	it("all headers: what the records are without them is foreign", () => {
		const { medium } = whole();
		for (let block = 0; block < BLOCKS; block++) erase(block * BLOCK, block * BLOCK + 32)(medium.image);
		assert.equal(mountOf(medium).status, "foreign");
		provisionAndUse(medium);
	});
});

describe("journal, formats of another time", () => {
	const withFormat = (format: number, only = -1) => {
		const medium = mediumWith(() => undefined);
		new Journal(new NorFlash({ medium }), new ImageClient()).provision(9, new Uint8Array(1));
		const header = emptyHeader();
		for (let block = 0; block < BLOCKS; block++) {
			if (only >= 0 && block !== only) continue;
			if (decodeHeader(medium.image, block * BLOCK, header) !== "valid") continue;
			encodeHeader(medium.image, block * BLOCK, { ...header, format });
		}
		return medium;
	};
	for (const format of [FORMAT + 1, 100, 255]) {
		it(`format ${format} is newer, in each block or one, in either copy, whatever the other holds`, () => {
			assert.equal(mountOf(withFormat(format)).status, "newer");
			assert.equal(mountOf(withFormat(format, 0)).status, "newer");
			assert.equal(mountOf(withFormat(format, 1)).status, "newer");
			const others = [() => withFormat(FORMAT), () => mediumWith(() => undefined), () => mediumWith(text)];
			for (const other of others) {
				assert.equal(mountOf(withFormat(format), other()).status, "newer");
				assert.equal(mountOf(other(), withFormat(format)).status, "newer");
			}
			provisionAndUse(withFormat(format));
		});
	}

	it("format 0 was never written: it is foreign", () => {
		assert.equal(mountOf(withFormat(0)).status, "foreign");
	});
});
