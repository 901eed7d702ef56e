/**
 * Goal: a slice of the search with every run of the tests, and the search can fail.
 * Method: each target for a fixed number of cases of one seed; things broken on purpose, each of which has to be found,
 * and found as what it is; the same case twice.
 */
import * as assert from "node:assert/strict";
import type { SeededRandom } from "../../host-sim/board/seeded-random";
import { CodedError } from "../../src/core/errors";
import { blockStart, runBlock } from "./block";
import { guardedBytes } from "./guarded";
import { PLANTED } from "./planted";
import { search } from "./search";
import { type CaseInput, Escape, mustBeCoded, type Target } from "./target";
import { findTarget, TARGETS } from "./targets";

const SEED = 20_261_122;
/** Two to three seconds in all. */
const CASES: Readonly<Record<string, number>> = {
	decoder: 4_000,
	"decoder-dukpt": 1_500,
	"decoder-ascii": 1_500,
	framer: 1_200,
	encoder: 2_000,
	keys: 1_000,
	files: 3_000,
	decode: 500,
	host: 120,
	terminal: 60,
};
/** In which something broken has to be found. */
const PLANTED_CASES = 5_000;

function target(name: string): Target {
	const found = findTarget(name);
	assert.ok(found !== undefined, name);
	return found;
}

/** A target whose cases are `run`. */
function targetOf(name: string, run: (random: SeededRandom, input: CaseInput) => void, blockCases = 100): Target {
	return { name, brief: "", blockCases, weight: 1, make: () => run };
}

describe("fuzz", () => {
	it("has a slice of every target here", () => {
		assert.deepEqual(
			TARGETS.map(({ name }) => name),
			Object.keys(CASES),
		);
	});

	for (const [name, cases] of Object.entries(CASES)) {
		it(`finds nothing in ${cases} cases of ${name}`, () => {
			const { escapes, cases: done } = runBlock(target(name), { target: name, seed: SEED, from: 0, to: cases });
			assert.deepEqual(escapes, []);
			assert.equal(done, cases);
		});
	}

	for (const planted of PLANTED.filter(({ name }) => name !== "broken-hangs")) {
		it(`finds what ${planted.name} has`, () => {
			const task = { target: planted.name, seed: SEED, from: 0, to: PLANTED_CASES };
			const [found] = runBlock(planted, task).escapes;
			assert.equal(found?.kind, planted.kind);
			assert.ok(found.input.length > 0, "what it was fed is told");
			const again = runBlock(planted, { ...task, from: blockStart(planted, found.case), to: found.case + 1 });
			const last = again.escapes[again.escapes.length - 1];
			assert.deepEqual([last.case, last.kind, last.input], [found.case, found.kind, found.input]);
		});
	}

	it("ends a case that does not end, with its thread, and goes on", async function () {
		this.timeout(60_000);
		const options = { seed: SEED, seconds: 20, jobs: 1, casesMax: 1_000, hangMs: 1_500 };
		const { found } = await search([target("broken-hangs")], options);
		assert.ok(found.length > 0 && found.length <= 2);
		for (const { kind, message } of found)
			assert.deepEqual([kind, message], ["endless", "a case did not end in 1.5 s"]);
	});

	it("gives each case its own draws, whatever ran before it", () => {
		const draws = (from: number) => {
			const drawn: number[] = [];
			const counting = targetOf("draws", (random) => {
				drawn.push(random.u32());
			});
			runBlock(counting, { target: "draws", seed: SEED, from, to: 10 });
			return drawn;
		};
		assert.deepEqual(draws(4), draws(0).slice(4));
		assert.equal(new Set(draws(0)).size, 10);
	});

	it("tells what escaped: the kind, the case, the input", () => {
		const thrown: unknown[] = [
			new TypeError("x"),
			new CodedError("full", "somewhere"),
			new Escape("overread", "byte 7 of 7"),
			"a word",
		];
		const broken = targetOf("broken", (random, input) => {
			input.bytes("frame", Uint8Array.of(1, 255));
			throw random.pick(thrown);
		});
		const kinds = new Set<string>();
		for (let from = 0; from < 60; from += 3) {
			for (const { kind, input } of runBlock(broken, { target: "broken", seed: 1, from, to: from + 3 }).escapes) {
				kinds.add(kind);
				assert.deepEqual(input, ["frame 01FF"]);
			}
		}
		assert.deepEqual([...kinds].sort(), ["code", "exception", "overread"]);
	});

	it("guards: a read past the limit, a view past it, a write, and reading without end are escapes", () => {
		const view = guardedBytes(Uint8Array.of(1, 2, 3, 4), 2);
		assert.deepEqual([view[0], view[1], view.length, [...view.subarray(0, 2)]], [1, 2, 4, [1, 2]]);
		const kind = (word: string) => (error: unknown) => error instanceof Escape && error.kind === word;
		assert.throws(() => view[2], kind("overread"));
		assert.throws(() => view.subarray(1, 3), kind("overread"));
		assert.throws(() => {
			view[0] = 7;
		}, kind("overwrite"));
		assert.throws(() => {
			for (let n = 0; n < 1_000_000; n++) view[0];
		}, kind("endless"));
	});

	it("lets pass only errors of the codes that are allowed, and only with a place in them", () => {
		const kind = (word: string) => (error: unknown) => error instanceof Escape && error.kind === word;
		mustBeCoded(new CodedError("length", "iso8583 frame +0", "announced 65535, is 1460"), ["length"]);
		assert.throws(() => mustBeCoded(new CodedError("full", "x"), ["length"]), kind("code"));
		assert.throws(() => mustBeCoded(new RangeError("x"), ["length"]), RangeError);
		for (const told of ["621234", "0123ABCDEF", "\u0000"]) {
			assert.throws(() => mustBeCoded(new CodedError("length", "x", told), ["length"]), kind("secret"), told);
		}
	});
});
