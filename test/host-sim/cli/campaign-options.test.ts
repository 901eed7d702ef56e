/** What the campaign's and the replay's command lines mean: seeds, shards, kinds, strikes. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { UsageError } from "../../../host-sim/cli/args";
import {
	readKinds,
	readSeeds,
	readShard,
	readStrikes,
	replayCommand,
	ShardSeeds,
} from "../../../host-sim/cli/campaign-options";
import type { WorldOptions } from "../../../host-sim/world/report";

const MANY = 1_000_000;

describe("the campaign's options", () => {
	it("the shards of a campaign have each of its seeds exactly once", () => {
		const sizes = fc.tuple(fc.nat(1_000_000), fc.nat(400), fc.integer({ min: 1, max: 40 }));
		fc.assert(
			fc.property(sizes, ([first, more, count]) => {
				const range = { first, last: first + more };
				const shards = Array.from({ length: count }, (_, k) => new ShardSeeds(range, readShard(`${k}/${count}`)));
				const counts = shards.map((shard) => shard.count);
				const parts = shards.map((shard) => shard.take(MANY));
				assert.deepEqual(
					parts.map(({ length }) => length),
					counts,
					"each knows how many it has",
				);
				assert.ok(Math.max(...counts) - Math.min(...counts) <= 1, "they share the work");
				const all = parts.flat().sort((a, b) => a - b);
				assert.deepEqual(
					all,
					Array.from({ length: more + 1 }, (_, n) => first + n),
				);
			}),
		);
	});

	it("a shard's seeds are those whose index is k modulo n", () => {
		assert.deepEqual(new ShardSeeds({ first: 100, last: 109 }, { index: 1, count: 4 }).take(MANY), [101, 105, 109]);
		assert.deepEqual(new ShardSeeds({ first: 1, last: 2 }, { index: 3, count: 4 }).take(MANY), []);
	});

	it("hands seeds out in order, a few at a time, up to the greatest there are", () => {
		const seeds = new ShardSeeds({ first: 1, last: 5 });
		assert.deepEqual([seeds.take(2), seeds.take(2), seeds.take(2), seeds.take(2)], [[1, 2], [3, 4], [5], []]);
		const max = Number.MAX_SAFE_INTEGER;
		assert.deepEqual(new ShardSeeds({ first: max - 1, last: max }).take(9), [max - 1, max]);
	});

	it("the manifests in the README give each of their shards once", () => {
		const readme = readFileSync(join(__dirname, "../../../README.md"), "utf8");
		const [, completions] = /completions: (\d+)/.exec(readme) ?? [];
		const [, first, last] = /--seeds, (\d+)\.\.(\d+), --shard/.exec(readme) ?? [];
		const [, shards] = /\$\(JOB_COMPLETION_INDEX\)\/(\d+)/.exec(readme) ?? [];
		assert.ok(completions !== undefined && completions === shards);
		assert.ok(Number(last) > Number(first));
		const [, threads] = /--jobs, "(\d+)"/.exec(readme) ?? [];
		const [, cores] = /limits:\n +cpu: "(\d+)"/.exec(readme) ?? [];
		assert.ok(threads !== undefined && threads === cores, "Node 20 does not see the limit of a container");
		assert.match(readme, /--shard \$\{\{ strategy\.job-index \}\}\/\$\{\{ strategy\.job-total \}\}$/m);
	});

	it("reads ranges and shards, and refuses what is none", () => {
		assert.deepEqual(readSeeds("7"), { first: 7, last: 7 });
		assert.deepEqual(readSeeds("0..9007199254740991"), { first: 0, last: Number.MAX_SAFE_INTEGER });
		for (const text of ["", "..", "1..", "2..1", "-1..2", "1..9007199254740992", "1-5", "1...3", "a", "1e3"]) {
			assert.throws(() => readSeeds(text), UsageError, text);
		}
		assert.deepEqual(readShard("0/4"), { index: 0, count: 4 });
		assert.deepEqual(readShard("3/4"), { index: 3, count: 4 });
		// Counted from 0: 4/4 would be the fifth of four. Leading zeros would not be printed back.
		for (const text of ["", "1", "1/0", "0/0", "4/4", "5/4", "-1/4", "1/4/2", "a/b", "01/4", "1/04"]) {
			assert.throws(() => readShard(text), /^UsageError: --shard is k\/n with .*k from 0 to n − 1, not /, text);
		}
		assert.throws(() => readSeeds("9..1"), /A from 0 and B from A to 9007199254740991, or one seed, not "9\.\.1"$/);
	});

	it("reads kinds and strikes by name, once each, and refuses names that nobody knows", () => {
		assert.deepEqual(readKinds("without", ["badMac,crash", "badMac", "brownOut"]), ["badMac", "crash", "brownOut"]);
		assert.throws(() => readKinds("without", ["badmac"]), /--without names a kind of trouble, not "badmac": powerCut /);
		assert.throws(() => readKinds("without", ["badMac,"]), /empty name/);
		assert.deepEqual(readStrikes("only", ["badMac#1,crash#12"]), ["badMac#1", "crash#12"]);
		assert.deepEqual(readStrikes("only", ["none"]), []);
		for (const text of ["badMac", "badMac#0", "badMac#", "#1", "noSuch#1", "badMac#1 crash#1"]) {
			assert.throws(() => readStrikes("only", [text]), UsageError, text);
		}
	});

	it("the replay command of a world, read again, is the same world", () => {
		const worlds: WorldOptions[] = [
			{ seed: 5 },
			{ seed: Number.MAX_SAFE_INTEGER, customers: 12, without: ["badMac", "crash"] },
			{ seed: 0, only: [] },
			{ seed: 1, only: ["powerCut#3", "badMac#1"], customers: 1 },
		];
		for (const world of worlds) {
			const words = replayCommand(world).replaceAll('"', "").split(" ");
			assert.deepEqual(words.slice(0, 4), ["npm", "run", "replay", "--"]);
			const value = (name: string) => words[words.indexOf(`--${name}`) + 1];
			const has = (name: string) => words.includes(`--${name}`);
			assert.deepEqual(
				{
					seed: Number(value("seed")),
					...(has("customers") ? { customers: Number(value("customers")) } : {}),
					...(has("without") ? { without: readKinds("without", [value("without")]) } : {}),
					...(has("only") ? { only: readStrikes("only", [value("only")]) } : {}),
				},
				world,
			);
		}
	});
});
