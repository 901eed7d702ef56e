/**
 * The batch that a host gives at sign-on: taken while nothing was begun in the open one, durably and with every counter
 * as it was; and a terminal without a batch is another thing than one that has lost its mark (I4).
 */
import { strict as assert } from "node:assert";
import { CUT_AFTER, CUT_BEFORE, TEAR_SHAPES } from "../../host-sim/board/flash-cut";
import { PowerLost } from "../../host-sim/board/power";
import { AssertionError } from "../../src/core/assert";
import { CodedError } from "../../src/core/errors";
import { State } from "../../src/transactions/states";
import { DECLINED, LogBench, snapshot } from "./log-bench";

const failsWith = (code: string) => (error: unknown) => error instanceof CodedError && error.code === code;

/** Batch 7 with all that a settlement carries, settled: the terminal proposes 8, and nothing was begun in it. */
function settledBench(writeAlign = 1): LogBench {
	const bench = new LogBench({ writeAlign }).provision(7);
	bench.deliver();
	bench.doubt(2);
	bench.log.apply(bench.doubt(3), "reversalAccepted");
	bench.offlineSale(4);
	const tried = bench.refund(7, 1, 5);
	bench.log.noteTry(tried);
	bench.log.noteTry(tried);
	bench.log.takeStan();
	assert.equal(bench.log.settle(8), undefined);
	return bench;
}

function world(bench: LogBench): unknown {
	const { log } = bench;
	const { batch, stan } = log.settledUpTo;
	return { settled: { batch, stan }, open: snapshot(log) };
}

describe("transactions: the batch that the host gives", () => {
	it("is missing after provisioning with none: nothing is begun, and it is not as if the mark were lost", () => {
		const bench = new LogBench();
		bench.log.provision(0xcafe0001, 0);
		bench.boot();
		assert.equal(bench.log.batch, 0);
		assert.equal(bench.log.markSeen, true);
		assert.throws(() => bench.begin(), AssertionError);
		assert.throws(() => bench.offlineSale(), AssertionError);
		assert.throws(() => bench.log.settle(2), failsWith("state"));
		assert.equal(bench.log.takeStan(), 1, "a sign-on has a number all the same");
		assert.equal(bench.log.adoptBatch(321), "adopted");
		assert.equal(bench.log.batch, 321);
		bench.boot();
		assert.equal(bench.log.batch, 321);
		assert.equal(bench.log.intent(bench.deliver()).batch, 321);
	});

	it("is not there when the mark is lost, and the log says so", () => {
		const bench = new LogBench().provision(5);
		bench.deliver();
		assert.equal(bench.log.markSeen, true);
		// It stands in block 1, behind the header, and the boot's block begins with a copy of it.
		const { image, blockLength } = bench.medium;
		for (const block of [1, 2]) image.fill(0, block * blockLength + 32, block * blockLength + 60);
		bench.boot();
		assert.equal(bench.log.batch, 0);
		assert.equal(bench.log.markSeen, false);
	});

	for (const batch of [-1, 1_000_000, 1.5, Number.NaN, "6" as unknown as number]) {
		it(`is not ${typeof batch === "string" ? "a text" : batch}, at provisioning or at sign-on`, () => {
			const bench = new LogBench().provision(5);
			const operations = bench.flash.operations;
			assert.throws(() => bench.log.adoptBatch(batch), failsWith("range"));
			assert.throws(() => bench.log.provision(1, batch), failsWith("range"));
			assert.throws(() => bench.log.adoptBatch(0), failsWith("range"));
			assert.equal(bench.flash.operations, operations);
			assert.equal(bench.log.batch, 5);
		});
	}

	it("is the same without a write, and refused without one where something was begun, or it was settled last", () => {
		const bench = new LogBench().provision(5);
		const without = (batch: number, result: string) => {
			const operations = bench.flash.operations;
			const before = bench.log.batch;
			assert.equal(bench.log.adoptBatch(batch), result);
			assert.equal(bench.flash.operations, operations);
			assert.equal(bench.log.batch, before);
		};
		without(5, "same");
		assert.equal(bench.log.adoptBatch(6), "adopted");
		without(6, "same");
		bench.log.apply(bench.begin(), "decline", { outcome: DECLINED });
		without(7, "refused");
		bench.boot();
		without(7, "refused");
		assert.equal(bench.log.settle(9), undefined);
		without(6, "refused");
		bench.boot();
		without(6, "refused");
		without(5, "refused"); // An older one is closed at the host for good: sales in it would never be settled.
		assert.equal(bench.log.adoptBatch(10), "adopted");
		bench.offlineSale();
		without(6, "refused");
		without(8, "refused");
	});

	it("changes nothing but the batch, over and over", () => {
		const bench = settledBench();
		const before = world(bench);
		for (let batch = 20; batch < 60; batch++) {
			assert.equal(bench.log.adoptBatch(batch), "adopted");
			assert.deepEqual(world(bench), before, `batch ${batch}`);
			if (batch % 3 === 0) bench.boot();
			assert.deepEqual(world(bench), before, `batch ${batch}, later`);
			assert.equal(bench.log.batch, batch);
		}
		const id = bench.deliver();
		assert.ok(bench.stan(id) > 6);
		assert.equal(bench.log.settle(61), undefined);
		bench.boot();
		assert.equal(bench.log.settledUpTo.batch, 59);
		assert.equal(bench.log.index.count, 4);
	});

	for (const writeAlign of [1, 16]) {
		it(`is the old one or the new one, cut anywhere, and no counter is lost, alignment ${writeAlign}`, () => {
			const whole = settledBench(writeAlign);
			const before = world(whole);
			const from = whole.flash.operations;
			assert.equal(whole.log.adoptBatch(30), "adopted");
			const operations = whole.flash.operations - from;
			assert.ok(operations > 9, `${operations} operations`);
			const nextStan = whole.log.takeStan();
			const seen = { 8: 0, 30: 0 };
			for (let n = 1; n <= operations; n++) {
				const places: [number, number][] = [
					[CUT_BEFORE, 0],
					[CUT_AFTER, 0],
				];
				for (const shape of [0, 5, 9, 13, TEAR_SHAPES - 1]) places.push([5 + 7 * shape + n, shape]);
				for (const [byte, shape] of places) {
					const bench = settledBench(writeAlign);
					const ids = Math.max(...bench.log.index.ids.subarray(0, bench.log.index.count));
					bench.flash.cutAt(bench.flash.operations + n, byte, shape);
					assert.throws(() => bench.log.adoptBatch(30), PowerLost);
					const name = `operation ${n} byte ${byte} shape ${shape}`;
					for (let tries = 0; ; tries++) {
						bench.boot();
						try {
							bench.log.journal.pin();
							break;
						} catch (error) {
							if (!(error instanceof CodedError) || error.code !== "damaged" || tries > 40) throw error;
						}
					}
					const { batch } = bench.log;
					assert.ok(batch === 8 || batch === 30, `${name}: batch ${batch}`);
					seen[batch]++;
					assert.deepEqual(world(bench), before, name);
					assert.deepEqual(world(bench.boot()), before, `${name}, later`);
					assert.equal(bench.log.batch, batch, name);
					const id = bench.begin();
					assert.ok(id > ids && bench.stan(id) >= nextStan, `${name}: id ${id} STAN ${bench.stan(id)}`);
					assert.equal(bench.state(id), State.waiting);
				}
			}
			assert.ok(seen[8] > operations && seen[30] >= 1, JSON.stringify(seen));
		});
	}
});
