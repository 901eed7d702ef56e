/**
 * Goal: a seed says everything. The same seed gives the same run whether anybody reads its story or not, troubles can be
 * held back one by one, and a run stops where it is told to.
 */
import { deepEqual, equal, notEqual, ok } from "node:assert/strict";
import type { StoryLine } from "../../../host-sim/world/report";
import { runWorld } from "../../../host-sim/world/world";

describe("world", () => {
	it("the same seed gives the same run, also when somebody reads its story", () => {
		for (const seed of [1, 2, 3, 2 ** 40 + 7]) {
			const lines: StoryLine[] = [];
			const first = runWorld({ seed });
			deepEqual(runWorld({ seed, onStory: (line) => lines.push(line) }), first);
			ok(lines.length > 100);
			equal(first.failures.length, 0);
		}
	});

	it("another seed gives another run", () => {
		const hashes = new Set([1, 2, 3, 4, 5, 6].map((seed) => runWorld({ seed, customers: 5 }).hash));
		equal(hashes.size, 6);
	});

	it("a kind of trouble that is held back does not strike, and one strike that is not named does not either", () => {
		const seed = 1;
		const all = runWorld({ seed });
		const kinds = new Set(all.strikes.map((name) => name.replace(/#.*/, "")));
		ok(kinds.size > 5);
		const [kind] = kinds;
		const less = runWorld({ seed, without: [kind] });
		ok(!less.strikes.some((name) => name.startsWith(`${kind}#`)));
		notEqual(less.hash, all.hash);
		const only = [all.strikes[0], all.strikes[3]];
		for (const name of runWorld({ seed, only }).strikes) ok(only.includes(name), name);
		deepEqual(runWorld({ seed, only: [] }).strikes, []);
	});

	it("all strikes by name are the same run as none held back", () => {
		const all = runWorld({ seed: 5 });
		equal(runWorld({ seed: 5, only: all.strikes }).hash, all.hash);
	});

	it("a run stops at its step, and tells the same story up to there", () => {
		const whole: StoryLine[] = [];
		const part: StoryLine[] = [];
		runWorld({ seed: 7, onStory: (line) => whole.push(line) });
		const report = runWorld({ seed: 7, untilStep: 200, onStory: (line) => part.push(line) });
		equal(report.steps, 200);
		deepEqual(part, whole.slice(0, part.length));
		ok(whole[part.length].step > 200);
	});

	it("without customers nothing is sold and the world comes to rest", () => {
		const report = runWorld({ seed: 9, customers: 0 });
		equal(report.sales, 0);
		deepEqual(report.failures, []);
	});

	it("what breaks does break: over some seeds every kind of trouble strikes", () => {
		const struck = new Set<string>();
		for (let seed = 100; seed < 160; seed++) {
			for (const name of runWorld({ seed }).strikes) struck.add(name.replace(/#.*/, ""));
		}
		ok(struck.size > 30, [...struck].join(" "));
	});
});
