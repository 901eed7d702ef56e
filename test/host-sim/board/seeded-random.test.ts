import assert from "node:assert/strict";
import { SeededRandom } from "../../../host-sim/board/seeded-random";
import { AssertionError } from "../../../src/core/assert";

const first = (random: SeededRandom, count: number) => Array.from({ length: count }, () => random.u32());

describe("the seeded generator", () => {
	it("gives the published first outputs of xoshiro128** for the state 1, 2, 3, 4", () => {
		// Made with the authors' C code; the Rust crate rand_xoshiro tests against the same ones.
		assert.deepEqual(
			first(SeededRandom.fromState(1, 2, 3, 4), 10),
			[11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849, 3729100597, 4258142804],
		);
	});

	it("gives the same numbers for the same seed on every engine, for ever", () => {
		assert.deepEqual(first(new SeededRandom(0), 3), [2327930502, 365930506, 1132401092]);
		assert.deepEqual(first(new SeededRandom(42).fork("flash").fork(7), 3), [1770563128, 1818543083, 2631005947]);
	});

	it("keeps seeds apart, also those that differ only above 32 bits", () => {
		const seen = new Set<number>();
		for (const seed of [0, 1, 2, 3, 1000, 2 ** 32, 2 ** 32 + 1, 2 ** 33, Number.MAX_SAFE_INTEGER]) {
			seen.add(new SeededRandom(seed).u32());
		}
		assert.equal(seen.size, 9);
		assert.throws(() => new SeededRandom(-1), AssertionError);
		assert.throws(() => new SeededRandom(0.5), AssertionError);
	});

	it("forks by label alone: how much was drawn before does not matter", () => {
		const drawn = new SeededRandom(7);
		first(drawn, 100);
		assert.deepEqual(first(drawn.fork("link"), 5), first(new SeededRandom(7).fork("link"), 5));
		const labels = ["link", "Link", "", 1, "1", "#1", "$1", "11", 11];
		assert.equal(new Set(labels.map((label) => drawn.fork(label).u32())).size, labels.length);
		assert.equal(new Set(Array.from({ length: 5000 }, (_, i) => drawn.fork(i).u32())).size, 5000);
	});

	it("below() reaches every value about equally and chance() keeps its promise at the ends", () => {
		const random = new SeededRandom(3);
		const counts = new Array(7).fill(0);
		for (let i = 0; i < 70_000; i++) counts[random.below(7)]++;
		for (const count of counts) assert.ok(count > 9_500 && count < 10_500, `${counts}`);
		for (let i = 0; i < 100; i++) {
			assert.equal(random.chance(0, 5), false);
			assert.equal(random.chance(5, 5), true);
			assert.equal(random.below(1), 0);
			assert.ok(random.below(2 ** 32) >= 0);
		}
		assert.throws(() => random.below(0), AssertionError);
		assert.throws(() => random.pick([]), AssertionError);
	});

	it("below() favours nobody, also where the range does not divide 2^32", () => {
		const random = new SeededRandom(4);
		let low = 0;
		for (let i = 0; i < 30_000; i++) if (random.below(3 * 2 ** 30) < 2 ** 30) low++;
		assert.ok(low > 9_600 && low < 10_400, `${low}: by the remainder alone it would be 15000`);
	});

	it("fill() writes every byte, whatever the length", () => {
		const bytes = new Uint8Array(1027);
		new SeededRandom(5).fill(bytes);
		assert.ok(new Set(bytes).size > 240);
		assert.notEqual(bytes[1024] | bytes[1025] | bytes[1026], 0);
	});
});
