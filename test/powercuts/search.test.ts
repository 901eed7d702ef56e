/**
 * A slice of each search of `npm run powercuts`: the journal holds what it has acknowledged, whatever moment power
 * fails (I7), and what is under way can end (I8).
 */
import { strict as assert } from "node:assert";
import { noCounts } from "./history";
import { planTasks } from "./modes";
import type { SearchOptions, Task } from "./options";
import { Pool } from "./pool";
import { search } from "./search";

const HERE = new Pool(1);

async function find(options: Partial<SearchOptions>, only?: (task: Task, index: number) => boolean) {
	const all = { mode: "random", seed: 1, amount: 400, mirror: false, ...options };
	const run = { pool: HERE, failuresMax: 10, ...(only === undefined ? {} : { only }) };
	const result = await search(all, run);
	assert.deepEqual(result.failures, []);
	return result;
}

describe("powercuts, a slice", () => {
	for (const mode of ["random", "erase", "double", "marginal"]) {
		for (const align of [1, 4, 16, 32]) {
			it(`of mode ${mode} finds nothing lost, changed or back at a write unit of ${align}`, async () => {
				const { counts } = await find({ mode, align, seed: align });
				assert.equal(counts.cuts, 400);
				assert.ok(counts.boots >= 800, `${counts.boots} boots: each is looked at before it is gone by`);
			});
		}
		it(`of mode ${mode} finds nothing with two copies`, async () => {
			assert.equal((await find({ mode, mirror: true, amount: 300 })).counts.cuts, 300);
		});
	}

	it("of 200 brown-outs in a row finds nothing, and that what has no room is refused", async () => {
		const { counts } = await find({ mode: "brownouts", amount: 402 * 8, seed: 2 });
		assert.ok(counts.refusals > 20, `${counts.refusals} refusals`);
		assert.equal(counts.stranded, 0);
	});

	for (const align of [1, 4, 16]) {
		it(`of all cuts of a short day and of the boots after them finds nothing at a write unit of ${align}`, async () => {
			const options = { mode: "exhaustive", align };
			const days = planTasks({ seed: 1, amount: 0, mirror: false, ...options });
			const erases = days.filter(({ byteLength }) => byteLength === 1024);
			assert.ok(erases.length >= 12, `${erases.length} erases: the days go round the ring`);
			// An erase, a program and one of a day's first operations.
			const chosen = new Set([erases[2 + (align % 3)], days[40 + align], days[2]]);
			const { counts } = await find(options, (task) => [...chosen].some((one) => sameTask(one, task)));
			assert.ok(counts.cuts > 4_000, `${counts.cuts} cuts`);
		});
	}

	it("of sales on a small partition finds nothing, and nothing slower", async () => {
		const { counts, notes } = await find({ mode: "sales", amount: 12_000 });
		assert.ok(counts.cuts > 80, `${counts.cuts} cuts`);
		assert.equal(counts.appends >= 24_000, true, `${counts.appends} appends`);
		assert.equal(notes.length, 10);
		assert.equal(counts.refusals, 0);
	});

	it("of 1,000 reboots without a sale finds not a byte changed", async () => {
		const { counts, notes } = await find({ mode: "reboots", amount: 1_000 });
		assert.deepEqual([counts.boots, notes], [1_000, ["1000 reboots: 0 erases, 0 programs"]]);
	});

	it("of destroyed blocks of either copy finds nothing, and that they are mended", async () => {
		const { counts } = await find({ mode: "destroy", amount: 600, mirror: true });
		assert.ok(counts.destroyed >= 600 && counts.mended > 30 && counts.cuts > 100, JSON.stringify(counts));
	});

	it("is the same for one thread and for several", async () => {
		const options = { mode: "random", seed: 1, amount: 1_150, mirror: false, broken: "no-reserve" };
		const pool = new Pool(2);
		const results = [];
		for (const on of [HERE, pool]) results.push(await search(options, { pool: on, failuresMax: 2 }));
		await pool.close();
		const [one, two] = results.map(({ counts, kinds, failures, tasksDone }) => ({
			counts,
			kinds,
			failures,
			tasksDone,
		}));
		assert.deepEqual(one, two);
		assert.notDeepEqual(one.counts, noCounts());
		assert.ok(one.failures.length > 0);
	});
});

function sameTask(a: Task, b: Task): boolean {
	return a.life === b.life && a.operation === b.operation;
}
