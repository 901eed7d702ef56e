/** Which batches of a host come after the one settled last: 1 follows 999999, and half of the ring is the past. */
import { strict as assert } from "node:assert";
import { isAhead } from "../../src/transactions/counters";

describe("transactions: a batch after another", () => {
	it("is any at first, and later only one within the next half of the ring", () => {
		for (const batch of [1, 500_000, 999_999]) assert.equal(isAhead(batch, 0), true);
		assert.deepEqual([isAhead(8, 7), isAhead(7, 7), isAhead(6, 7), isAhead(1, 7)], [true, false, false, false]);
		assert.deepEqual([isAhead(1, 999_999), isAhead(2, 999_999), isAhead(999_998, 999_999)], [true, true, false]);
		assert.deepEqual([isAhead(500_006, 7), isAhead(500_007, 7)], [true, false]);
	});
});
