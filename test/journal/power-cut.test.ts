/**
 * Goal: no power cut, wherever it falls, loses, changes or brings back a record, or makes a journal unmountable.
 * Method: a short workload cut at each of its operations in each way; and seeded random workloads with random cuts,
 * aged, crowded and with rows of brown-outs.
 */
import { strict as assert } from "node:assert";
import type { FlashMedium } from "../../host-sim/board/flash-medium";
import { NorFlash } from "../../host-sim/board/nor-flash";
import { Power, PowerLost } from "../../host-sim/board/power";
import { SeededRandom } from "../../host-sim/board/seeded-random";
import { CodedError } from "../../src/core/errors";
import { Journal } from "../../src/journal/journal";
import { begin, checkThings, end, forEachCut, type Opened, provisioned, reboot } from "./checks";
import { searchPowerCuts, Things } from "./power-cut-search";

/** Mounts as a board does: where the last record reads differently from moment to moment, again. */
function bootPinned(medium: FlashMedium, random: SeededRandom): Opened {
	const opened = reboot(medium, undefined, random);
	for (let tries = 0; ; tries++) {
		try {
			opened.journal.pin();
			return opened;
		} catch (error) {
			if (!(error instanceof CodedError) || error.code !== "damaged" || tries > 40) throw error;
			opened.journal.mount();
		}
	}
}

describe("journal, power cuts", () => {
	for (const writeAlign of [1, 4, 16]) {
		it(`a short day cut at each operation, in each way, is all there but for the open operation, at a write unit of ${writeAlign}`, () => {
			// Small blocks: the day opens blocks, reclaims, settles and ends things within few operations.
			const start = provisioned({ blocks: 8, blockLength: 1024, writeAlign });
			const early = new Map<number, number>();
			for (let id = 1; id <= 6; id++) {
				begin(start, id, 200);
				early.set(id, 200);
			}
			let acked = new Map(early);
			let open = new Map(early);
			let mark = "07";
			let openMark = "07";
			const doing = (next: Map<number, number>, nextMark: string, work: () => void) => {
				open = next;
				openMark = nextMark;
				work();
				acked = next;
				mark = nextMark;
			};
			const day = (flash: NorFlash) => {
				acked = open = new Map(early);
				mark = openMark = "07";
				const things = new Things();
				const journal = new Journal(flash, things);
				assert.equal(journal.mount().status, "ok");
				const opened = { flash, things, journal };
				for (let id = 10; id < 16; id++) {
					journal.prepare(400);
					doing(new Map(acked).set(id, 150), mark, () => begin(opened, id, 150));
				}
				for (const id of [1, 2, 3, 4, 10, 11]) {
					const next = new Map(acked);
					next.delete(id);
					doing(next, mark, () => end(opened, id));
				}
				journal.prepare(400);
				journal.beginCarry();
				const out = new Uint8Array(448);
				for (const [id, position] of things.live) {
					things.live.set(id, journal.append(8, out.subarray(0, journal.read(position, out))));
				}
				doing(acked, "55", () => journal.settle(Uint8Array.of(0x55)));
				journal.idle();
				doing(new Map(acked).set(20, 100), mark, () => begin(opened, 20, 100));
			};
			const isEither = (opened: Opened, cut: string) => {
				const { things } = opened;
				const ids = [...things.live.keys()].sort((a, b) => a - b).join();
				const either = [acked, open].map((map) => [...map.keys()].sort((a, b) => a - b).join());
				assert.ok(either.includes(ids), `cut ${cut}: ${ids} is none of ${either.join(" | ")}`);
				assert.ok([mark, openMark].includes(things.mark), `cut ${cut}: mark ${things.mark}`);
				return ids === either[0] ? acked : open;
			};
			const cuts = forEachCut(
				6,
				() => start.flash.medium.clone(),
				day,
				(medium, cut) => {
					isEither(reboot(medium, undefined, new SeededRandom(1)), cut); // Reads, and goes dark again.
					const first = bootPinned(medium, new SeededRandom(2));
					const truth = isEither(first, cut);
					const { mark: firstMark } = first.things;
					checkThings(first, truth);
					// From here on nothing may differ, however the marginal cells read now.
					for (let boot = 3; boot < 6; boot++) {
						const again = reboot(medium, undefined, new SeededRandom(boot));
						assert.deepEqual([again.things.mark, cut], [firstMark, cut]);
						checkThings(again, truth);
						const flash = new NorFlash({ medium });
						assert.equal(new Journal(flash, new Things()).mount().damagedRecords, 0, `cut ${cut}`);
					}
				},
			);
			assert.ok(cuts > 250, `${cuts} cuts`);
		});
	}

	it("200 brown-outs in a row, at the first operations of a boot, lose nothing and use up nothing", () => {
		const opened = provisioned({ blocks: 10 });
		const lengths = new Map<number, number>();
		for (let id = 1; id < 30; id++) {
			begin(opened, id, 100);
			lengths.set(id, 100);
		}
		const { medium } = opened.flash;
		const { freeBlocks } = opened.journal;
		const random = new SeededRandom(3);
		for (let n = 0; n < 200; n++) {
			const power = new Power();
			const flash = new NorFlash({ medium, power, random: random.fork(n) });
			flash.cutAt(1 + random.below(4), random.pick(["before", "torn", "torn", "after"] as const), random.below(18));
			const things = new Things();
			const journal = new Journal(flash, things);
			try {
				assert.equal(journal.mount().status, "ok");
				assert.deepEqual([...things.live.keys()], [...lengths.keys()], `brown-out ${n}`);
				journal.pin();
				journal.prepare(100);
				power.cut();
			} catch (error) {
				const differs = error instanceof CodedError && error.code === "damaged";
				if (!(error instanceof PowerLost) && !differs) throw error;
			}
		}
		const last = bootPinned(medium, random.fork("last"));
		checkThings(last, lengths);
		assert.ok(last.journal.freeBlocks >= freeBlocks - 2, `${last.journal.freeBlocks} of ${freeBlocks} blocks free`);
		assert.ok(last.journal.prepare(100));
	});

	for (const writeAlign of [1, 4, 16, 32]) {
		it(`a random search finds nothing lost, changed or resurrected, at a write unit of ${writeAlign}`, () => {
			let cuts = 0;
			for (let seed = 1; seed <= 6; seed++) {
				cuts += searchPowerCuts({ seed, blocks: 8, writeAlign, cuts: 100 }).cuts;
				cuts += searchPowerCuts({ seed, blocks: 64, writeAlign, cuts: 100, liveMax: 60 }).cuts;
				cuts += searchPowerCuts({ seed, blocks: 10, writeAlign, cuts: 100, brownOuts: true }).cuts;
				cuts += searchPowerCuts({ seed, blocks: 6, writeAlign, cuts: 100, liveMax: 4, brownOuts: true }).cuts;
			}
			assert.equal(cuts, 2400);
		});
	}

	it("nor in a crowded ring, which refuses new things and never strands one", () => {
		let refusals = 0;
		for (let seed = 1; seed <= 4; seed++) {
			for (const [blocks, brownOuts] of [
				[8, false],
				[10, false],
				[10, true],
				[16, false],
			] as const) {
				const result = searchPowerCuts({ seed, blocks, cuts: 100, liveMax: 400, heavy: true, brownOuts });
				refusals += result.refusals;
				assert.equal(result.stranded, 0);
			}
		}
		assert.ok(refusals > 20, `${refusals} refusals`);
	});
});
