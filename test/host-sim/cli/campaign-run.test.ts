/**
 * Goal: a campaign adds up what its seeds did, names those that fail with the command that shows it, and makes the
 * first of them small.
 * Method: a planted world (test/host-sim/node/planted-world.ts) of which the answers are known.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { coverageLines, resultLines, toJson } from "../../../host-sim/cli/campaign-print";
import { Campaign, type CampaignOptions } from "../../../host-sim/cli/campaign-run";
import { allKeys, NEVER_IN_A_WORLD } from "../../../host-sim/world/coverage";
import { FAILS, FAILS_ALWAYS, FAILS_BY_ONE, HANGS } from "../node/planted-world";

const SILENT = { onReport: () => {}, onShrink: () => {} };

function campaignOf(first: number, last: number, more: Partial<CampaignOptions> = {}): Campaign {
	const world = join(__dirname, "../node/planted-world.ts");
	return new Campaign({ jobs: 2, hangMs: 1_500, world, seeds: { first, last }, common: {}, shrinkMax: 3, ...more });
}

const shown = (result: Parameters<typeof resultLines>[0]) => resultLines(result, 2, undefined).join("\n");

describe("a campaign", function () {
	this.timeout(60_000);

	it("adds up what its seeds did", async () => {
		const result = await campaignOf(1, 50).run(SILENT);
		const { seeds, planned, sales, approved, reversed, powerCuts, failures, coverage } = result;
		assert.deepEqual(
			{ seeds, planned, sales, approved, reversed, powerCuts, failures },
			{
				...{ seeds: 50, planned: 50, sales: 500, approved: 450, reversed: 50, powerCuts: 100, failures: 0 },
			},
		);
		assert.deepEqual(coverage, { "fault:powerCut": 100, "transition:waiting/approve": 500 });
		const lines = shown(result);
		assert.match(lines, /^50 seeds, 2 threads, [\d.]+ s$/m);
		assert.match(lines, /^500 sales: 450 approved, 50 reversed; 100 power cuts; 50 days of virtual time$/m);
		assert.match(lines, /^0 failures$/m);
	});

	it("runs the seeds of its shard alone, with what all worlds have in common", async () => {
		const common = { customers: 3 };
		const result = await campaignOf(1, 50, { shard: { index: 1, count: 4 }, common }).run(SILENT);
		assert.deepEqual([result.seeds, result.sales], [13, 39]);
		assert.match(
			resultLines(result, 2, { index: 1, count: 4 }).join("\n"),
			/^13 seeds, shard 1\/4 \(seed index mod 4\), /m,
		);
		assert.equal(toJson(result, 2, { index: 1, count: 4 }).shard, "1/4");
	});

	it("speaks of one seed as one", async () => {
		const result = await campaignOf(2, 2, { common: { customers: 1 }, jobs: 1 }).run(SILENT);
		const lines = resultLines(result, 1, undefined).join("\n");
		assert.match(lines, /^1 seed, 1 thread, [\d.]+ s$/m);
		assert.match(lines, /^1 sale: \d+ approved, .* power cuts; 1 day of virtual time$/m);
	});

	it("names the failing seeds in order, each with what broke and the command that shows it", async () => {
		const result = await campaignOf(HANGS - 2, FAILS_ALWAYS + 2).run(SILENT);
		assert.deepEqual([result.seeds, result.failures], [8, 6]);
		const lines = shown(result);
		const order = [...lines.matchAll(/^FAILED seed (\d+): (\w+) at/gm)].map(
			([, seed, invariant]) => `${seed} ${invariant}`,
		);
		assert.deepEqual(order, ["1000 world", "1001 world", "1002 world", "1003 I6", "1004 I6", "1005 I6"]);
		assert.match(lines, /^FAILED seed 1003: I6 at step 33 terminal 0: planted\n {2}npm run replay -- --seed 1003$/m);
		assert.match(lines, /^6 SEEDS FAILED$/m);
	});

	it("makes the first failing seeds small, and prints the smaller command", async () => {
		const told = new Set<number>();
		const watcher = { onReport: () => {}, onShrink: ({ seed }: { seed: number }) => told.add(seed) };
		const result = await campaignOf(FAILS, FAILS_ALWAYS, { shrinkMax: 2 }).run(watcher);
		const shrunk = result.failing.map((failing) => failing.shrunk?.replay);
		assert.deepEqual(shrunk, [
			`npm run replay -- --seed ${FAILS} --customers 4 --only "badMac#2,powerCut#3"`,
			`npm run replay -- --seed ${FAILS_BY_ONE} --customers 1 --only "powerCut#5"`,
			undefined,
		]);
		assert.deepEqual([...told].sort(), [FAILS, FAILS_BY_ONE]);
		assert.match(
			shown(result),
			/^ {2}shrunk to 2 strikes and 4 sales:\n {2}npm run replay -- --seed 1003 --customers 4/m,
		);
	});

	it("says so when the runs for shrinking were used up", async () => {
		const result = await campaignOf(FAILS, FAILS, { shrinkRunsMax: 5 }).run(SILENT);
		assert.equal(result.failing[0].shrunk?.complete, false);
		assert.match(shown(result), /^ {2}shrunk to \d+ strikes and \d+ sales, perhaps not the least:$/m);
	});

	it("says why a seed cannot be made small", async () => {
		const result = await campaignOf(HANGS, HANGS).run(SILENT);
		assert.match(shown(result), /^ {2}not shrunk: no seed has ended for 1.5 s$/m);
	});

	it("gives no new seeds out when time is up, and says so", async () => {
		const result = await campaignOf(1, Number.MAX_SAFE_INTEGER - 1, { seconds: 0.05 }).run(SILENT);
		assert.ok(result.seeds >= 4 && result.seeds < 1_000_000, `${result.seeds}`);
		assert.match(shown(result), /^[\d,]+ seeds of 9,007,199,254,740,990, .*; time is up$/m);
	});

	it("ends with what there is when it is interrupted, in the middle of a seed, and shrinks nothing", async () => {
		const campaign = campaignOf(FAILS_ALWAYS - 5, 1_000_000_000, { jobs: 1 });
		const watcher = { onReport: () => campaign.interrupt(), onShrink: () => assert.fail("it shrinks") };
		const result = await campaign.run(watcher);
		assert.ok(result.seeds >= 1 && result.interrupted);
		assert.deepEqual([result.failing[0].shrunk, result.failing[0].unshrunk], [undefined, undefined]);
		assert.match(shown(result), /; interrupted$/m);
	});

	it("for programs is one object with every figure, and the failing seeds", async () => {
		const result = await campaignOf(FAILS - 3, FAILS, { jobs: 1, shrinkMax: 1 }).run(SILENT);
		const object = JSON.parse(JSON.stringify(toJson(result, 1, undefined)));
		const { seeds, sales, failures, salesPerSecond, approved, reversed, powerCuts, coverage, emptyRows } = object;
		assert.deepEqual([seeds, sales, failures, approved, reversed, powerCuts], [4, 10, 4, 9, 1, 2]);
		assert.equal(salesPerSecond, Math.round(10 / result.seconds));
		assert.equal(coverage["fault:powerCut"], 2);
		assert.ok(emptyRows.includes("fault:badMac") && !emptyRows.includes("fault:powerCut"));
		const [thrown, , , last] = object.failed;
		assert.deepEqual(last, {
			...{ seed: FAILS, invariant: "I6", step: 33, text: "planted" },
			replay: `npm run replay -- --seed ${FAILS}`,
		});
		assert.deepEqual(Object.keys(thrown), ["seed", "invariant", "step", "text", "replay", "shrunk"]);
	});
});

describe("the table of what happened", () => {
	it("shows each row with its count, in groups, and names those that never happened", () => {
		const lines = coverageLines({ "fault:badMac": 1_234_567, "transition:reversing/boot": 7 });
		const text = lines.join("\n");
		assert.match(text, /^Faults, by kind: 1 of \d+$/m);
		assert.match(text, /badMac 1,234,567/);
		assert.match(text, /^ {2}reversing +approve 0, .*boot 7/m);
		assert.match(text, /^Steps of remedies that began: 0 of \d+$/m);
		const named = text.slice(text.indexOf("NEVER EXERCISED"));
		const open = allKeys().filter((key) => NEVER_IN_A_WORLD[key] === undefined);
		for (const key of open) {
			const happened = key === "fault:badMac" || key === "transition:reversing/boot";
			assert.equal(new RegExp(`${key}(,|$)`, "m").test(named), !happened, key);
		}
		const explained = text.slice(text.indexOf("Never, as no world can do it"), text.indexOf("NEVER EXERCISED"));
		for (const [key, reason] of Object.entries(NEVER_IN_A_WORLD)) {
			const under = explained.slice(explained.indexOf(`  ${reason}:\n`));
			assert.ok(explained.includes(`  ${reason}:\n`) && new RegExp(`${key}(,|$)`, "m").test(under), key);
		}
		assert.ok(lines.every(({ length }) => length <= 120));
	});

	it("has nothing to say of rows when all of them happened, but finds each reason wrong", () => {
		const all = Object.fromEntries(allKeys().map((key) => [key, 1]));
		const text = coverageLines(all).join("\n");
		assert.ok(!text.includes("NEVER EXERCISED"));
		assert.equal(text.includes("ERROR: a reason"), Object.keys(NEVER_IN_A_WORLD).length > 0);
	});
});
