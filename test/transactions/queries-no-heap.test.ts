/**
 * Queries make no garbage: on the board a compare walks through a whole batch, and the engine's heap is small.
 * Method: a million steps of each in portions; the heap may not have grown within any but a few of them (a collection
 * in between only makes it smaller, and a growing portion is what an object for each step would give). That the
 * measure sees such objects is shown with a query that makes them.
 */
import { strict as assert } from "node:assert";
import { LogBench } from "./log-bench";

const PORTION = 2_000;
const PORTIONS = 500;

/** @returns heap bytes a step, collections left out: the median of the portions */
function bytesPerStep(step: (n: number) => void): number {
	const grown: number[] = [];
	for (let portion = -20; portion < PORTIONS; portion++) {
		const before = process.memoryUsage().heapUsed;
		for (let n = 0; n < PORTION; n++) step(n);
		// The first portions are compiled while they run.
		if (portion >= 0) grown.push(process.memoryUsage().heapUsed - before);
	}
	grown.sort((a, b) => a - b);
	return grown[PORTIONS >> 1] / PORTION;
}

describe("transactions: queries without a heap", function () {
	this.timeout(60_000);
	const bench = new LogBench({ blocks: 32, capacity: 256 }).provision(5);
	for (let n = 0; n < 100; n++) bench.deliver();
	for (let n = 0; n < 5; n++) bench.doubt();
	bench.log.settle(6);
	for (let n = 0; n < 95; n++) bench.deliver();
	const { log } = bench;
	const { index } = log;
	let at = 0;
	let sum = 0;

	const queries: Record<string, (n: number) => void> = {
		nextLive: () => {
			at = log.nextLive(at);
			sum += at;
		},
		nextInBatch: () => {
			at = log.nextInBatch(6, at);
			sum += at;
		},
		findByStan: (n) => {
			sum += log.findByStan(6, 101 + (n % 110));
		},
		find: (n) => {
			const slot = log.find(n % 256);
			// What a compare needs of a transaction, without its intent on flash.
			if (slot >= 0) sum += index.stans[slot] + index.kind(slot) + index.states[slot] + index.batch(slot);
		},
		settledUpTo: () => {
			sum += log.settledUpTo.batch + log.settledUpTo.id + log.settledUpTo.stan;
		},
		"doubts and sales of the batch": () => {
			sum += log.doubts + log.batchSales;
		},
	};

	for (const [name, query] of Object.entries(queries)) {
		it(`${name}: a million steps leave the heap as it was`, () => {
			at = 0;
			const bytes = bytesPerStep(query);
			assert.ok(bytes < 1, `${bytes} bytes a step`);
			assert.ok(sum > 0);
		});
	}

	it("the measure sees one small object a step", () => {
		const kept: { id: number }[] = [{ id: 0 }];
		const bytes = bytesPerStep(() => {
			at = log.nextLive(at);
			kept[0] = { id: at };
		});
		assert.ok(bytes >= 12, `${bytes} bytes a step`);
	});
});
