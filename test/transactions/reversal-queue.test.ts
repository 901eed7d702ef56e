/** The queue of waiting reversals: when each is due, in what order, and that none is ever dropped. */
import { strict as assert } from "node:assert";
import { SeededRandom } from "../../host-sim/board/seeded-random";
import { AssertionError } from "../../src/core/assert";
import { QUEUE_MAX, ReversalQueue } from "../../src/transactions/reversal-queue";

const BACK_OFF = { firstMs: 5_000, greatestMs: 300_000, jitterPercent: 20 };

function queueOf(seed = 1, backOff = BACK_OFF): ReversalQueue {
	return new ReversalQueue(new SeededRandom(seed), backOff);
}

/** The waits of one entry that never gets an answer. */
function waits(queue: ReversalQueue, tries: number): number[] {
	const result: number[] = [];
	let nowMs = 1_000;
	queue.put(1, nowMs, false);
	for (let n = 0; n < tries; n++) {
		queue.backOff(1, nowMs);
		result.push(queue.nextDueMs() - nowMs);
		nowMs = queue.nextDueMs();
	}
	return result;
}

describe("transactions: queue of reversals", () => {
	it("doubles the wait up to the greatest, without jitter exactly", () => {
		const expected = [5_000, 10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000, 300_000];
		assert.deepEqual(waits(queueOf(1, { ...BACK_OFF, jitterPercent: 0 }), 9), expected);
	});

	it("jitters each wait by at most 20 % either way, and uses the range", () => {
		let least = 2;
		let greatest = 0;
		for (let seed = 1; seed <= 100; seed++) {
			for (const [n, wait] of waits(queueOf(seed), 10).entries()) {
				const share = wait / Math.min(300_000, 5_000 * 2 ** n);
				least = Math.min(least, share);
				greatest = Math.max(greatest, share);
			}
		}
		assert.ok(least >= 0.8 && least < 0.82, `least ${least}`);
		assert.ok(greatest <= 1.2 && greatest > 1.18, `greatest ${greatest}`);
	});

	it("goes on at the greatest wait for ever", () => {
		const long = waits(queueOf(), 2_000);
		for (const wait of long.slice(10)) assert.ok(wait >= 240_000 && wait <= 360_000);
	});

	it("hands out the oldest transaction that is due, not the one that has waited longest", () => {
		const queue = queueOf();
		queue.put(9, 100, false);
		queue.put(3, 200, false);
		queue.put(5, 5_000, false);
		assert.equal(queue.due(99), 0);
		assert.equal(queue.due(100), 9);
		assert.equal(queue.due(200), 3);
		queue.remove(3);
		assert.equal(queue.due(200), 9);
		queue.remove(9);
		assert.equal(queue.due(4_999), 0);
		assert.equal(queue.due(5_000), 5);
	});

	it("says when the next one is due, and never when none waits", () => {
		const queue = queueOf();
		assert.equal(queue.nextDueMs(), Number.POSITIVE_INFINITY);
		queue.put(1, 700, false);
		queue.put(2, 300, true);
		assert.equal(queue.nextDueMs(), 300);
	});

	it("hurries those that are backing off once the host answers, not those that only watch or are postponed anew", () => {
		const queue = queueOf();
		queue.put(1, 0, false);
		queue.backOff(1, 0);
		queue.put(2, 600_000, true);
		queue.put(3, 400_000, false);
		queue.hurry(1_000);
		assert.equal(queue.due(1_000), 1);
		queue.remove(1);
		assert.equal(queue.due(399_999), 0, "never tried, so not backing off");
		assert.equal(queue.due(400_000), 3);
	});

	it("begins anew when an entry is put again", () => {
		const queue = queueOf(1, { ...BACK_OFF, jitterPercent: 0 });
		queue.put(1, 0, false);
		for (let n = 0; n < 4; n++) queue.backOff(1, 0);
		assert.equal(queue.nextDueMs(), 40_000);
		queue.put(1, 50, false);
		assert.equal(queue.count, 1);
		assert.equal(queue.nextDueMs(), 50);
		queue.backOff(1, 50);
		assert.equal(queue.nextDueMs(), 5_050);
	});

	it("holds 64, and says so rather than drop one (I3, I10)", () => {
		const queue = queueOf();
		assert.equal(QUEUE_MAX, 64);
		for (let id = 1; id <= 64; id++) queue.put(id, id, false);
		assert.equal(queue.count, 64);
		queue.put(64, 1, false);
		assert.throws(() => queue.put(65, 1, false), AssertionError);
		assert.equal(queue.count, 64);
		for (let id = 1; id <= 64; id++) assert.ok(queue.has(id));
	});

	it("keeps the others when one is removed", () => {
		const queue = queueOf();
		for (let id = 1; id <= 10; id++) queue.put(id, id * 10, id % 2 === 0);
		for (const id of [1, 5, 10, 11]) queue.remove(id);
		assert.equal(queue.count, 7);
		const left: number[] = [];
		for (let nowMs = 0; nowMs <= 100; nowMs++) {
			const id = queue.due(nowMs);
			if (id === 0) continue;
			assert.equal(nowMs, id * 10);
			left.push(id);
			queue.remove(id);
		}
		assert.deepEqual(left, [2, 3, 4, 6, 7, 8, 9]);
	});

	it("does nothing for an id it does not hold", () => {
		const queue = queueOf();
		queue.backOff(7, 0);
		queue.postpone(7, 0);
		queue.remove(7);
		assert.equal(queue.count, 0);
		assert.equal(queue.has(7), false);
	});
});
