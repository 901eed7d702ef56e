/**
 * Goal: a terminal whose journal was written by firmware of format 1 goes on with this one and loses nothing.
 * Method: images that the last code of format 1 wrote (images/README.md).
 */
import { strict as assert } from "node:assert";
import type { FlashMedium } from "../../host-sim/board/flash-medium";
import { NorFlash } from "../../host-sim/board/nor-flash";
import { decodeHeader, emptyHeader, FORMAT } from "../../src/journal/format";
import { Journal } from "../../src/journal/journal";
import { breakJournal } from "./broken-journal";
import { CutLife } from "./cut-life";
import { ImageClient } from "./image-client";
import { type JournalFixture, mediumOf, readFixture } from "./image-fixture";

const NAMES = ["format-1-align-1", "format-1-align-16", "format-1-cut-1", "format-1-cut-16"];

const heldBy = ({ live }: JournalFixture) => new Map(Object.entries(live).map(([id, bytes]) => [Number(id), bytes]));

/** Formats of the blocks that have a header. */
function formats(medium: FlashMedium): Set<number> {
	const header = emptyHeader();
	const found = new Set<number>();
	for (let block = 0; block < medium.blocks; block++) {
		const read = decodeHeader(medium.image, block * medium.blockLength, header);
		if (read === "valid" || read === "newer") found.add(header.format);
	}
	return found;
}

for (const name of NAMES) {
	describe(`journal, upgrade of ${name}`, () => {
		const fixture = readFixture<JournalFixture>(name);
		const life = (seed: number) =>
			new CutLife({ medium: mediumOf(fixture), seed, things: heldBy(fixture), mark: fixture.mark });

		it("the image is of format 1 alone", () => {
			assert.deepEqual([...formats(mediumOf(fixture))], [1]);
			assert.ok(FORMAT > 1);
		});

		it("mounts, writes nothing, and holds what was acknowledged", () => {
			const medium = mediumOf(fixture);
			const before = medium.image.slice();
			const flash = new NorFlash({ medium });
			const client = new ImageClient();
			const journal = new Journal(flash, client);
			const { status, lostBlocks, damagedRecords, id, generation } = journal.mount();
			assert.deepEqual([status, lostBlocks, damagedRecords], ["ok", 0, 0]);
			assert.deepEqual([id, generation, client.mark], [fixture.id, fixture.generation, fixture.mark]);
			assert.deepEqual(
				[...client.contents(journal)].sort(([a], [b]) => a - b),
				[...heldBy(fixture)].sort(([a], [b]) => a - b),
			);
			assert.equal(flash.operations, 0);
			assert.deepEqual(medium.image, before);
		});

		it("the first boot, cut at each operation in each shape, loses nothing", () => {
			let operation = 1;
			for (let wasCut = true; wasCut; operation++) {
				wasCut = false;
				for (let shape = 0; shape < 18; shape++) {
					const one = life(operation * 100 + shape);
					wasCut = one.boot(0, operation, shape === 0 ? 0 : shape === 1 ? 0xffff_ffff : 7 + 5 * shape, shape);
					one.boot(0, 1);
					one.boot(0, 3, 20, shape);
					one.boot(10);
					one.boot(0);
				}
			}
			assert.ok(operation > 4, `${operation} operations`);
		});

		it("goes on round the ring, over 120 cuts, until nothing of format 1 is left", () => {
			for (const seed of [1, 2, 3]) {
				const one = life(seed);
				one.bootsCut(120);
				one.boot(60);
				assert.ok(one.appends > 300, `${one.appends} appends`);
				assert.ok(Math.min(...one.medium.erases) > 2, `erases ${one.medium.erases}`);
				assert.deepEqual([...formats(one.medium)], [FORMAT]);
			}
		});

		it("firmware that knows format 1 only answers newer from the first write on, and touches nothing", () => {
			const old = breakJournal({
				file: "format.ts",
				from: `export const FORMAT = ${FORMAT};`,
				to: "export const FORMAT = 1;",
			});
			const one = life(9);
			const client = new ImageClient();
			assert.equal(old(new NorFlash({ medium: one.medium }), client).mount().status, "ok");
			one.boot(0);
			const before = one.medium.image.slice();
			const flash = new NorFlash({ medium: one.medium });
			const journal = old(flash, client);
			assert.equal(journal.mount().status, "newer");
			assert.throws(() => journal.pin(), /I7/);
			assert.throws(() => journal.append(8, new Uint8Array(4)), /I7/);
			assert.equal(flash.operations, 0);
			assert.deepEqual(one.medium.image, before);
		});
	});
}
