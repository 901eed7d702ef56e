/**
 * Two copies of the journal (S13). Method: one copy, a block of it or a bit of it is lost, at rest and while working;
 * everything that was acknowledged must still be read, and afterwards either copy alone must hold it again.
 */
import { strict as assert } from "node:assert";
import { CUT_AFTER, FlashCut } from "../../host-sim/board/flash-cut";
import { destroyBlock } from "../../host-sim/board/flash-damage";
import { FlashMedium } from "../../host-sim/board/flash-medium";
import { NorFlash } from "../../host-sim/board/nor-flash";
import { Power, PowerLost } from "../../host-sim/board/power";
import { SeededRandom } from "../../host-sim/board/seeded-random";
import { CodedError } from "../../src/core/errors";
import { Journal } from "../../src/journal/journal";
import { begin, checkThings, end, type Opened, thing } from "./checks";
import { BEGIN, Things } from "./things";

interface Pair extends Opened {
	media: FlashMedium[];
	flashes: NorFlash[];
}

function mountPair(media: FlashMedium[], expected: string, random = new SeededRandom(5)): Pair {
	const flashes = media.map((medium) => new NorFlash({ medium, random }));
	const things = new Things();
	const journal = new Journal(flashes[0], things, flashes[1]);
	assert.equal(journal.mount().status, expected);
	return { flash: flashes[0], flashes, media, things, journal };
}

function newPair(blocks = 16, writeAlign = 1): Pair {
	const media = [new FlashMedium({ blocks, writeAlign }), new FlashMedium({ blocks, writeAlign })];
	const flashes = media.map((medium) => new NorFlash({ medium }));
	new Journal(flashes[0], new Things(), flashes[1]).provision(77, Uint8Array.of(7));
	return mountPair(media, "ok");
}

/** A pair with 40 things, some blocks of log, and what they are. */
function filled(): { pair: Pair; lengths: Map<number, number> } {
	const pair = newPair();
	const lengths = new Map<number, number>();
	for (let id = 1; id <= 40; id++) {
		pair.journal.prepare(300);
		begin(pair, id, 260);
		lengths.set(id, 260);
	}
	return { pair, lengths };
}

function untilQuiet(journal: Journal): number {
	let steps = 0;
	// Once more than the log is long: then every block has been looked at.
	for (let quiet = 0; quiet <= journal.logBlocks + 1; steps++) {
		quiet = journal.idle() ? 0 : quiet + 1;
		assert.ok(steps < 2_000, "mending ends");
	}
	return steps;
}

/** Each copy alone, on its own flash, holds every thing. */
function checkEachAlone(media: FlashMedium[], lengths: Map<number, number>, random = new SeededRandom(6)): void {
	for (const [copy, medium] of media.entries()) {
		const flash = new NorFlash({ medium: medium.clone(), random });
		const things = new Things();
		const journal = new Journal(flash, things);
		const result = journal.mount();
		assert.deepEqual([copy, result.status, result.lostBlocks, result.damagedRecords], [copy, "ok", 0, 0]);
		checkThings({ flash, things, journal }, lengths);
	}
}

const ruin = (medium: FlashMedium, block: number, seed: number) =>
	destroyBlock(medium, block, "noise", new SeededRandom(seed));

describe("journal with a mirror", () => {
	for (const writeAlign of [1, 16]) {
		it(`has every record on both copies before append returns, at a write unit of ${writeAlign}`, () => {
			const pair = newPair(10, writeAlign);
			const lengths = new Map<number, number>();
			for (let id = 1; id <= 60; id++) {
				assert.ok(pair.journal.prepare(300));
				begin(pair, id, 100);
				lengths.set(id, 100);
				if (id % 3 === 0) {
					end(pair, id - 1);
					lengths.delete(id - 1);
				}
				if (id % 5 === 0) checkEachAlone(pair.media, lengths);
			}
		});
	}

	it("is rebuilt from the other copy when one is blank, or full of something else", () => {
		for (const copy of [0, 1]) {
			for (const kind of ["blank", "noise"]) {
				const { pair, lengths } = filled();
				const { media } = pair;
				if (kind === "blank") media[copy].image.fill(0xff);
				else for (let block = 0; block < media[copy].blocks; block++) ruin(media[copy], block, block);
				const again = mountPair(media, "rebuilt");
				checkThings(again, lengths);
				assert.deepEqual(
					again.flashes.map((flash) => flash.operations),
					[0, 0],
					"a mount writes nothing",
				);
				again.journal.pin();
				untilQuiet(again.journal);
				assert.ok(again.journal.mendedBlocks > 0);
				checkEachAlone(media, lengths);
				checkThings(mountPair(media, "ok"), lengths);
			}
		}
	});

	it("reads and mends any block that one copy has lost, found at mount or while running", () => {
		for (const copy of [0, 1]) {
			for (let block = 0; block < 10; block++) {
				for (const running of [false, true]) {
					const { pair, lengths } = filled();
					const { media } = pair;
					if (running) pair.journal.idle();
					ruin(media[copy], block, block);
					const now = running ? pair : mountPair(media, "ok");
					checkThings(now, lengths);
					begin(now, 100, 90);
					const more = new Map(lengths).set(100, 90);
					untilQuiet(now.journal);
					checkThings(now, more);
					checkEachAlone(media, more);
				}
			}
		}
	});

	it("finds and mends flipped bits in idle time", () => {
		const { pair, lengths } = filled();
		const random = new SeededRandom(9);
		for (let round = 0; round < 60; round++) {
			pair.flashes[random.below(2)].flipBits(1 + random.below(2));
			untilQuiet(pair.journal);
			checkThings(pair, lengths);
			checkEachAlone(pair.media, lengths);
		}
		assert.ok(pair.journal.mendedBlocks > 10, `${pair.journal.mendedBlocks} mended`);
	});

	it("keeps what stands damaged in the same block of both copies, at different places, and moves it away", () => {
		const { pair, lengths } = filled();
		const [first, second] = [3, 8].map((id) => pair.things.live.get(id)!);
		assert.equal(Math.floor(first / 4096), Math.floor(second / 4096), "one block");
		pair.media[0].image[first + 20] ^= 1;
		pair.media[1].image[second + 20] ^= 1;
		const again = mountPair(pair.media, "ok");
		checkThings(again, lengths);
		begin(again, 100, 50);
		untilQuiet(again.journal);
		const all = new Map(lengths).set(100, 50);
		checkThings(again, all);
		checkEachAlone(pair.media, all);
	});

	it("goes on with the other copy when one stops to work, and mends it when it is back", () => {
		for (const copy of [0, 1]) {
			const { pair, lengths } = filled();
			pair.media[copy].readOnly = true;
			for (let id = 101; id <= 130; id++) {
				assert.ok(pair.journal.prepare(300));
				begin(pair, id, 60);
				lengths.set(id, 60);
			}
			assert.equal(pair.journal.lostCopy, copy);
			assert.equal(pair.journal.retiredBlocks, 0, "its blocks are not to blame");
			checkThings(pair, lengths);
			pair.media[copy].readOnly = false;
			const again = mountPair(pair.media, "ok");
			checkThings(again, lengths);
			begin(again, 200, 60);
			lengths.set(200, 60);
			untilQuiet(again.journal);
			checkEachAlone(pair.media, lengths);
		}
	});

	it("goes on in whatever way a copy dies, while running or between boots", () => {
		for (const copy of [0, 1]) {
			for (const writes of ["refused", "ignored"] as const) {
				for (const reads of ["content", "noise", "ones", "zeros", "refused"] as const) {
					for (const running of [true, false]) {
						const { pair, lengths } = filled();
						if (running) pair.flashes[copy].failPartition({ writes, reads });
						else new NorFlash({ medium: pair.media[copy] }).failPartition({ writes, reads });
						const lost = reads === "noise" || reads === "ones" || reads === "zeros";
						const now = running ? pair : mountPair(pair.media, lost ? "rebuilt" : "ok");
						for (let id = 101; id <= 125; id++) {
							assert.ok(now.journal.prepare(300));
							begin(now, id, 90);
							lengths.set(id, 90);
							now.journal.idle();
						}
						const name = `copy ${copy} ${writes} ${reads} ${running}`;
						assert.deepEqual([now.journal.lostCopy, now.journal.retiredBlocks], [copy, 0], name);
						checkThings(now, lengths);
					}
				}
			}
		}
	});

	it("does a mending that was cut once more, though the block reads as whole at the next boot", () => {
		const { pair, lengths } = filled();
		const block = Math.floor(pair.things.live.get(5)! / 4096);
		ruin(pair.media[1], block, 3);
		const erasesBefore = pair.media[1].erases[block];
		let within = 0;
		// An erase and 16 pages are the mending; what comes first is the boot.
		for (let operation = 1; within < 17; operation++) {
			const media = pair.media.map((medium) => medium.clone());
			const power = new Power();
			const cut = new FlashCut();
			const flashes = media.map((medium) => new NorFlash({ medium, power, cut }));
			cut.cutAt(operation, CUT_AFTER);
			const journal = new Journal(flashes[0], new Things(), flashes[1]);
			assert.throws(() => {
				journal.mount();
				journal.pin();
				untilQuiet(journal);
			}, PowerLost);
			const erases = media[1].erases[block];
			if (erases === erasesBefore) continue;
			within++;
			// Its marginal cells read right as long as this boot looks …
			const whole = media[0].image.subarray(block * 4096, (block + 1) * 4096);
			media[1].image.set(whole, block * 4096);
			const again = mountPair(media, "ok");
			begin(again, 100, 50);
			untilQuiet(again.journal);
			// … and otherwise later, unless they were erased and programmed once more.
			if (media[1].erases[block] === erases) ruin(media[1], block, operation);
			checkEachAlone(media, new Map(lengths).set(100, 50));
		}
	});

	it("does not use a block that is worn out on one copy, and remembers it", () => {
		const { pair, lengths } = filled();
		const worn = Math.floor(pair.things.live.get(12)! / 4096);
		ruin(pair.media[1], worn, 1);
		pair.flashes[1].failBlock(worn, { silent: true });
		untilQuiet(pair.journal);
		assert.equal(pair.journal.retiredBlocks, 1);
		checkThings(pair, lengths);
		const again = mountPair(pair.media, "ok");
		assert.equal(again.journal.retiredBlocks, 1);
		for (const position of again.things.live.values()) assert.notEqual(Math.floor(position / 4096), worn);
		for (let id = 200; id < 300; id++) {
			again.journal.prepare(300);
			const position = begin(again, id, 200);
			assert.notEqual(Math.floor(position / 4096), worn);
			end(again, id);
			again.journal.idle();
		}
		checkThings(again, lengths);
	});

	it("is never merged with another journal, nor with itself after the copies went on apart", () => {
		const a = newPair();
		const b = newPair();
		const other = [a.media[0], b.media[1]];
		new Journal(new NorFlash({ medium: b.media[0] }), new Things(), new NorFlash({ medium: b.media[1] })).provision(
			78,
			Uint8Array.of(1),
		);
		const before = other.map((medium) => medium.image.slice());
		assert.equal(mountPair(other, "foreign").journal.pinned, false);
		assert.deepEqual(
			other.map((medium) => medium.image),
			before,
		);
		const { pair } = filled();
		for (const medium of pair.media) {
			const flash = new NorFlash({ medium });
			const journal = new Journal(flash, new Things());
			journal.mount();
			journal.append(BEGIN, thing(500 + pair.media.indexOf(medium), 40));
		}
		mountPair(pair.media, "foreign");
	});

	it("is foreign beside a whole journal of another write unit, which is left as it is", () => {
		const { pair } = filled();
		const other = newPair(16, 16).media[1];
		// As plain memory, so that both chips would take the bytes of either.
		const second = new FlashMedium({ blocks: 16, image: other.image.slice() });
		for (const media of [
			[pair.media[0], second],
			[second, pair.media[0]],
		]) {
			const before = media.map((medium) => medium.image.slice());
			mountPair(media, "foreign");
			assert.deepEqual(
				media.map((medium) => medium.image),
				before,
			);
		}
	});

	it("is provisioned whatever stood on either copy, and refuses a copy that does not take it", () => {
		const { pair } = filled();
		const flashes = pair.media.map((medium) => new NorFlash({ medium }));
		new Journal(flashes[0], new Things(), flashes[1]).provision(99, Uint8Array.of(3));
		const fresh = mountPair(pair.media, "ok");
		assert.deepEqual([fresh.journal.id, fresh.things.mark, fresh.things.live.size], [99, "03", 0]);
		checkEachAlone(pair.media, new Map());
		pair.media[1].readOnly = true;
		const journal = new Journal(
			new NorFlash({ medium: pair.media[0] }),
			new Things(),
			new NorFlash({ medium: pair.media[1] }),
		);
		assert.throws(
			() => journal.provision(100, Uint8Array.of(3)),
			(error) => error instanceof CodedError && error.code === "flash",
		);
	});

	it("fits only partitions of the same blocks", () => {
		const flash = new NorFlash({ blocks: 10 });
		for (const other of [new NorFlash({ blocks: 11 }), new NorFlash({ blocks: 20, blockLength: 2048 })]) {
			assert.throws(
				() => new Journal(flash, new Things(), other),
				(error) => error instanceof CodedError && error.code === "format",
			);
		}
	});
});
