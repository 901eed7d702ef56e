/**
 * Goal: a failing seed becomes as small as it can, and stays the same failure.
 * Method: planted worlds that fail by two strikes of forty, by one, by none, or only together with others.
 */
import assert from "node:assert/strict";
import * as fc from "fast-check";
import type { WorldOptions, WorldReport } from "../../../host-sim/world/report";
import { type ShrinkOptions, shrink } from "../../../host-sim/world/shrink";
import { STRIKE_KINDS } from "../../../host-sim/world/strikes";
import { FAILS, FAILS_ALWAYS, FAILS_BY_ONE, runWorld } from "../node/planted-world";

function small(seed: number, more: Partial<ShrinkOptions> = {}) {
	return shrink({ run: runWorld, options: { seed }, invariant: "I6", ...more });
}

/** A world of `strikes` strikes of four kinds that breaks I6 when `fails` says so of those that struck. */
function worldOf(strikes: number, fails: (struck: readonly string[], customers: number) => boolean) {
	return (options: WorldOptions): WorldReport => {
		const names = Array.from({ length: strikes }, (_, n) => `kind${n % 4}#${1 + Math.floor(n / 4)}`);
		const struck = names.filter(
			(name) =>
				options.without?.includes(name.slice(0, name.indexOf("#"))) !== true &&
				(options.only === undefined || options.only.includes(name)),
		);
		const report = runWorld({ seed: 1, customers: options.customers ?? 20 });
		const failure = { invariant: "I6", step: 1, atMs: 0, terminal: 0, text: "" };
		return { ...report, strikes: struck, failures: fails(struck, options.customers ?? 20) ? [failure] : [] };
	};
}

describe("shrinking", () => {
	it("leaves the two strikes and the four customers that the failure takes", () => {
		const shrunk = small(FAILS);
		assert.deepEqual(shrunk?.options, { seed: FAILS, only: ["badMac#2", "powerCut#3"], customers: 4 });
		assert.deepEqual(shrunk?.report.strikes, ["badMac#2", "powerCut#3"]);
		assert.equal(shrunk?.complete, true);
	});

	it("leaves one strike, and one customer, where one is enough", () => {
		assert.deepEqual(small(FAILS_BY_ONE)?.options, { seed: FAILS_BY_ONE, only: ["powerCut#5"], customers: 1 });
	});

	it("leaves none where the failure needs none", () => {
		assert.deepEqual(small(FAILS_ALWAYS)?.options, { seed: FAILS_ALWAYS, only: [], customers: 1 });
	});

	it("keeps to what the failing run was told", () => {
		const options = { seed: FAILS, customers: 9, without: ["paperOut"] };
		const shrunk = small(FAILS, { options });
		assert.deepEqual(shrunk?.options, { seed: FAILS, only: ["badMac#2", "powerCut#3"], customers: 4 });
		assert.equal(small(FAILS, { options: { ...options, customers: 3 } }), undefined);
	});

	it("does not take another failure for the same", () => {
		// Where nothing strikes, this one breaks "rest" first, and I6 after it.
		assert.notDeepEqual(small(FAILS)?.options.only, []);
		assert.equal(small(FAILS, { invariant: "I7" }), undefined);
	});

	it("says that a run does not fail again", () => {
		assert.equal(small(7), undefined);
	});

	it("tells of each run, and stops when they are used up, with the smallest that failed", () => {
		const told: number[] = [];
		const shrunk = small(FAILS, { runsMax: 9, onProgress: ({ runs }) => told.push(runs) });
		assert.deepEqual(told, [1, 2, 3, 4, 5, 6, 7, 8, 9]);
		assert.equal(shrunk?.complete, false);
		assert.equal(shrunk?.runs, 9);
		assert.ok(runWorld(shrunk.options).failures.length > 0);
		assert.equal(small(FAILS, { runsMax: 1 })?.complete, false);
	});

	it("finds the least set of strikes, whichever it is, and never more than it takes", () => {
		fc.assert(
			fc.property(fc.uniqueArray(fc.nat(59), { maxLength: 4 }), fc.integer({ min: 1, max: 20 }), (wanted, least) => {
				const needed = wanted.map((n) => `kind${n % 4}#${1 + Math.floor(n / 4)}`);
				const run = worldOf(
					60,
					(struck, customers) => customers >= least && needed.every((name) => struck.includes(name)),
				);
				const shrunk = shrink({ run, options: { seed: 1 }, invariant: "I6" });
				assert.deepEqual([...(shrunk?.options.only ?? [])].sort(), [...needed].sort());
				assert.equal(shrunk?.options.customers, least);
				assert.equal(shrunk?.complete, true);
			}),
		);
	});

	it("keeps strikes that are needed only together", () => {
		const run = worldOf(40, (struck) => struck.length >= 13);
		assert.equal(shrink({ run, options: { seed: 1 }, invariant: "I6" })?.options.only?.length, 13);
	});

	it("leaves out what fewer customers make needless", () => {
		const run = worldOf(
			40,
			(struck, customers) => struck.includes("kind1#2") && (customers < 7 || struck.includes("kind2#5")),
		);
		const shrunk = shrink({ run, options: { seed: 1 }, invariant: "I6" });
		assert.deepEqual(shrunk?.options, { seed: 1, only: ["kind1#2"], customers: 1 });
	});

	it("finds which kinds it takes where a run that breaks off tells no strikes", () => {
		const run = ({ without = [], only }: WorldOptions): WorldReport =>
			worldOf(0, () => only === undefined && !without.includes("powerCut"))({ seed: 1 });
		const shrunk = shrink({ run, options: { seed: 1 }, invariant: "I6" });
		assert.deepEqual(
			shrunk?.options.without,
			STRIKE_KINDS.filter((kind) => kind !== "powerCut"),
		);
		assert.equal(shrunk?.options.only, undefined);
	});
});
