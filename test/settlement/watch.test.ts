/** Watches on a journal: durable when begun and when done, grouped, bounded, found again after a boot. */
import { strict as assert } from "node:assert";
import { CodedError } from "../../src/core/errors";
import { GROUP_MAX, type KnownWatch, WATCHES_MAX, type Watch, watchesFor } from "../../src/settlement/watch";
import { KeeperBench, type KeeperBoot } from "./keeper-bench";

function watch(stan: number): Watch {
	return { stan, kind: 1 + (stan % 2), amountMinor: 100 * stan, rrn: `${stan}`.padStart(12, "0"), dueS: 10 * stan };
}

function list(from: number, count: number): Watch[] {
	return Array.from({ length: count }, (_, at) => watch(from + at));
}

function all({ watches }: KeeperBoot): KnownWatch[] {
	const found: KnownWatch[] = [];
	for (let n = watches.next(0); n !== 0; n = watches.next(n)) found.push(watches.get(n));
	return found.sort((a, b) => a.batch - b.batch || a.stan - b.stan);
}

const expected = (batch: number, watched: Watch[]) => watched.map((one) => ({ batch, ...one }));

describe("settlement: watches", () => {
	it("are found again after a boot, each with all that it was begun with", () => {
		const bench = new KeeperBench();
		assert.ok(bench.watches.add(7, list(1, 40)));
		assert.ok(bench.watches.add(8, list(30, 3)));
		const whole = [...expected(7, list(1, 40)), ...expected(8, list(30, 3))];
		assert.deepEqual(all(bench.now), whole);
		assert.deepEqual(all(bench.boot().now), whole);
		assert.equal(bench.watches.count, 43);
		assert.ok(bench.watches.has(7, 40) && bench.watches.has(8, 30) && !bench.watches.has(8, 1));
	});

	it("take one record for fifteen", () => {
		const bench = new KeeperBench();
		const { append } = bench.now.journal;
		const lengths: number[] = [];
		bench.now.journal.append = (type, bytes, byteLength = bytes.length) => {
			lengths.push(byteLength);
			return append.call(bench.now.journal, type, bytes, byteLength);
		};
		bench.watches.add(7, list(1, 2 * GROUP_MAX + 1));
		assert.deepEqual(lengths, [401, 401, 37]);
		lengths.length = 0;
		assert.equal(bench.watches.doneAll(7, [1, 2, 16, 31]), 4);
		assert.deepEqual(lengths, [401 - 52, 401 - 26, 11]);
	});

	it("are done one by one, durably, and nothing else is", () => {
		const bench = new KeeperBench();
		bench.watches.add(7, list(1, 20));
		bench.watches.add(8, list(1, 20));
		let left = [...expected(7, list(1, 20)), ...expected(8, list(1, 20))];
		for (const [batch, stan] of [
			[7, 3],
			[8, 20],
			[7, 20],
			[7, 1],
			[8, 15],
		]) {
			assert.ok(bench.watches.done(batch, stan));
			assert.ok(!bench.watches.done(batch, stan));
			left = left.filter((one) => one.batch !== batch || one.stan !== stan);
			assert.deepEqual(all(bench.now), left);
			assert.deepEqual(all(bench.boot().now), left);
		}
		assert.equal(
			bench.watches.doneAll(
				7,
				list(1, 20).map(({ stan }) => stan),
			),
			17,
		);
		assert.equal(
			bench.watches.doneAll(
				8,
				list(1, 20).map(({ stan }) => stan),
			),
			18,
		);
		assert.equal(bench.boot().watches.count, 0);
	});

	it("are begun once, though the same settlement is written again", () => {
		const bench = new KeeperBench();
		bench.watches.add(7, list(1, 5));
		const { operations } = bench.now.flash;
		assert.ok(bench.watches.add(7, list(1, 5)));
		assert.equal(bench.now.flash.operations, operations);
		assert.ok(bench.watches.add(7, [...list(4, 4), watch(7)]));
		assert.deepEqual(all(bench.boot().now), expected(7, list(1, 7)));
	});

	it("of which one is done between two steps of a walk are all gone through", () => {
		const { watches } = new KeeperBench();
		watches.add(7, list(1, 30));
		const seen: number[] = [];
		for (let n = watches.next(0); n !== 0; n = watches.next(n)) {
			const { stan } = watches.get(n);
			seen.push(stan);
			if (stan % 3 !== 0) watches.done(7, stan);
			if (stan === 10) watches.add(8, [watch(99)]);
		}
		assert.deepEqual(seen, [...list(1, 30).map(({ stan }) => stan), 99]);
		assert.throws(() => watches.get(1), { code: "missing" });
	});

	it("are told when due; without the host's time only what is due at once", () => {
		const { watches } = new KeeperBench();
		watches.add(7, [{ ...watch(1), dueS: 0 }, watch(2), watch(3)]);
		const due = (nowS: number) => {
			const stans = [];
			for (let n = watches.nextDue(nowS, 0); n !== 0; n = watches.nextDue(nowS, n)) stans.push(watches.get(n).stan);
			return stans;
		};
		assert.deepEqual([due(0), due(20), due(1_000)], [[1], [1, 2], [1, 2, 3]]);
		watches.postpone(watches.next(0), 500);
		assert.deepEqual([due(0), due(499), due(500)], [[], [2, 3], [1, 2, 3]]);
	});

	it("that do not all fit are none of them begun", () => {
		const bench = new KeeperBench({ watchesMax: 20 });
		assert.ok(bench.watches.add(7, list(1, 18)));
		assert.equal(bench.watches.room, 2);
		const { operations } = bench.now.flash;
		assert.ok(!bench.watches.add(7, list(19, 3)));
		assert.equal(bench.now.flash.operations, operations);
		assert.ok(bench.watches.add(7, list(17, 4)));
		assert.equal(bench.watches.room, 0);
		assert.throws(() => new KeeperBench({ watchesMax: 19, medium: bench.medium }), { code: "full" });
	});

	it("hold a whole settlement's, in bounded memory; fewer in a small journal", () => {
		const bench = new KeeperBench();
		assert.ok(bench.watches.add(7, list(1, WATCHES_MAX)));
		assert.equal(bench.boot().watches.count, WATCHES_MAX);
		assert.equal(bench.watches.ramBytes, 256 * 26 + 401);
		assert.equal(watchesFor(1 << 20), 256);
		assert.equal(watchesFor(64 * 1_024), 60);
		assert.equal(watchesFor(6 * 4_096), 15);
	});

	it("ask for room: of each group for two records, of those that may come for the same (I8)", () => {
		const { watches } = new KeeperBench({ watchesMax: 32 });
		assert.equal(watches.roomBytes, 2 * (416 + 416 + 96));
		watches.add(7, list(1, 15));
		assert.equal(watches.roomBytes, 2 * 416 + 2 * (416 + 96));
		watches.doneAll(7, [1, 2, 3]);
		assert.equal(watches.roomBytes, 2 * 352 + 2 * (416 + 160));
	});

	it("refuse what a watch does not hold, and have then begun nothing of that record", () => {
		const bench = new KeeperBench();
		const refusals: [number, Partial<Watch>, string, string][] = [
			[7, { stan: 0 }, "range", "watch STAN"],
			[7, { stan: 1_000_000 }, "range", "watch STAN"],
			[0, {}, "range", "watch batch"],
			[7, { kind: 256 }, "range", "watch kind"],
			[7, { amountMinor: -1 }, "range", "watch amount"],
			[7, { rrn: "1234567890123" }, "length", "watch RRN"],
			[7, { rrn: "é" }, "charset", "watch RRN"],
			[7, { dueS: 2 ** 32 }, "range", "watch due"],
		];
		for (const [batch, changes, code, place] of refusals) {
			assert.throws(() => bench.watches.add(batch, [{ ...watch(1), ...changes }]), { code, place });
		}
		assert.equal(bench.boot().watches.count, 0);
	});

	it("of firmware to come, or cut off, keep the terminal from being mounted", () => {
		const { watches } = new KeeperBench();
		const bytes = new Uint8Array(37);
		bytes.set([1, 0, 0, 0, 1, 0, 1, 0, 0, 7, 1]);
		assert.throws(() => watches.visit(14, 0, new Uint8Array([2, ...bytes.slice(1)]), 0, 37), { code: "newer" });
		for (let byteLength = 0; byteLength < 37; byteLength++) {
			assert.throws(() => watches.visit(14, 0, bytes, 0, byteLength), { code: "length" });
		}
		watches.visit(14, 0, bytes, 0, 37);
		assert.equal(watches.count, 1);
	});

	it("are as they were where the journal has no room", () => {
		const bench = new KeeperBench();
		bench.watches.add(7, list(1, 3));
		const { append } = bench.now.journal;
		bench.now.journal.append = () => {
			throw new CodedError("full", "test");
		};
		assert.throws(() => bench.watches.done(7, 2), { code: "full" });
		assert.throws(() => bench.watches.add(8, list(1, 3)), { code: "full" });
		bench.now.journal.append = append;
		assert.deepEqual(all(bench.now), expected(7, list(1, 3)));
		assert.ok(bench.watches.done(7, 2));
		assert.deepEqual(all(bench.boot().now), expected(7, [watch(1), watch(3)]));
	});
});
