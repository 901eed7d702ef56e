/**
 * Goal: no seed is lost or run twice, whatever happens to a thread; what breaks one is told with its seed.
 * Method: a planted world that throws, ends its thread or hangs for some seeds, in the middle of a chunk.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { WorldPool } from "../../../host-sim/node/world-pool";
import type { WorldReport } from "../../../host-sim/world/report";
import { DIES, FAILS, FAILS_ALWAYS, HANGS, SLOW, THROWS } from "./planted-world";

const WORLD = join(__dirname, "planted-world.ts");
const HANG_MS = 1_500;

/** Runs the chunks, one after the other. */
async function run(jobs: number, chunks: number[][], hangMs = HANG_MS, world = WORLD): Promise<WorldReport[]> {
	const pool = new WorldPool({ jobs, hangMs, world });
	const left = [...chunks];
	const reports: WorldReport[] = [];
	try {
		await pool.runSeeds(
			() => left.shift(),
			{},
			(report) => reports.push(report),
		);
	} finally {
		await pool.close();
	}
	return reports.sort((a, b) => a.seed - b.seed);
}

const seedsOf = (reports: readonly WorldReport[]) => reports.map(({ seed }) => seed);
const textOf = (reports: readonly WorldReport[], seed: number) =>
	reports.find((report) => report.seed === seed)?.failures[0]?.text ?? "";

describe("the pool of worlds", function () {
	this.timeout(60_000);

	it("runs each seed once, on several threads", async () => {
		const chunks = Array.from({ length: 25 }, (_, n) => [4 * n, 4 * n + 1, 4 * n + 2, 4 * n + 3]);
		const reports = await run(2, chunks);
		assert.deepEqual(
			seedsOf(reports),
			Array.from({ length: 100 }, (_, n) => n),
		);
		assert.ok(reports.every(({ failures, sales }) => failures.length === 0 && sales === 10));
	});

	it("takes an exception for a failure of its seed, and the thread goes on", async () => {
		const reports = await run(1, [[1, THROWS, 2], [3]]);
		assert.deepEqual(seedsOf(reports), [1, 2, 3, THROWS]);
		assert.match(textOf(reports, THROWS), /^Error: out of the world at .*planted-world/);
		assert.equal(reports.filter(({ failures }) => failures.length > 0).length, 1);
	});

	it("blames a thread that dies on the seed it was at, and runs the rest in another", async () => {
		const reports = await run(2, [[1, 2, DIES, 3], [4], [DIES, 5], [6, DIES]]);
		assert.deepEqual(seedsOf(reports), [1, 2, 3, 4, 5, 6, DIES, DIES, DIES]);
		assert.equal(textOf(reports, DIES), "the thread has died: exit code 7");
	});

	it("ends a thread in which no seed ends, blames the seed, and runs the rest in another", async () => {
		const reports = await run(1, [[1, HANGS, 2], [3]]);
		assert.deepEqual(seedsOf(reports), [1, 2, 3, HANGS]);
		assert.equal(textOf(reports, HANGS), "no seed has ended for 1.5 s");
	});

	it("blames nobody where seeds are many and slow, but end", async () => {
		const reports = await run(1, [[SLOW, SLOW, SLOW, SLOW, SLOW]]);
		assert.deepEqual(
			reports.map(({ failures }) => failures.length),
			[0, 0, 0, 0, 0],
		);
	});

	it("is an error of its own when a thread cannot begin, and no seed is blamed", async () => {
		await assert.rejects(
			run(2, [[1], [2]], HANG_MS, join(__dirname, "no-such-world")),
			/a thread cannot begin: .*Cannot/,
		);
	});

	it("drops what is under way when it is aborted, and blames nobody", async () => {
		const pool = new WorldPool({ jobs: 2, hangMs: HANG_MS, world: WORLD });
		const chunks = [[1, HANGS], [HANGS]];
		const reports: WorldReport[] = [];
		await pool.runSeeds(
			() => chunks.shift(),
			{},
			(report) => {
				reports.push(report);
				void pool.abort();
			},
		);
		assert.deepEqual(seedsOf(reports), [1]);
	});

	it("shrinks in its threads, tells of each run, and says why what cannot be shrunk was not", async () => {
		const pool = new WorldPool({ jobs: 2, hangMs: HANG_MS, world: WORLD });
		const progress = [0, 0, 0, 0];
		const tasks = [FAILS, FAILS_ALWAYS, 5, DIES].map((seed) => ({ options: { seed }, invariant: "I6" }));
		const results = await pool.shrink(tasks, (n) => {
			progress[n]++;
		});
		await pool.close();
		const [first, second, third, fourth] = results;
		assert.ok(typeof first === "object" && typeof second === "object");
		assert.deepEqual(first.options, { seed: FAILS, only: ["badMac#2", "powerCut#3"], customers: 4 });
		assert.deepEqual(second.options, { seed: FAILS_ALWAYS, only: [], customers: 1 });
		assert.equal(third, "it does not fail again: the run depends on more than its seed");
		assert.equal(fourth, "the thread has died: exit code 7");
		assert.deepEqual(progress, [first.runs, second.runs, 1, 0]);
	});
});
