import assert from "node:assert/strict";
import { SUSPICIONS_MAX, Suspicions } from "../../src/settlement/suspicions";

describe("a difference is a suspicion before it is a finding", () => {
	it("keeps the time at which it was seen first, and begins anew with another difference", () => {
		const suspicions = new Suspicions();
		suspicions.see(1, 7, 10, 3, 100);
		suspicions.see(1, 7, 10, 3, 200);
		assert.equal(suspicions.sinceMs[suspicions.find(7, 10)], 100);
		suspicions.see(2, 7, 10, 3, 300);
		assert.equal(suspicions.sinceMs[suspicions.find(7, 10)], 300);
		assert.equal(suspicions.count, 1);
	});

	it("forgets what a whole comparison of the same batch does not see again, and nothing before its end", () => {
		const suspicions = new Suspicions();
		suspicions.see(1, 7, 10, 3, 100);
		suspicions.see(1, 7, 11, 4, 100);
		suspicions.see(1, 6, 9, 2, 100);
		suspicions.beginPass(7);
		suspicions.see(1, 7, 11, 4, 200);
		assert.equal(suspicions.count, 3);
		suspicions.endPass(7);
		assert.deepEqual([suspicions.find(7, 10), suspicions.has(7), suspicions.has(6)], [-1, true, true]);
		assert.equal(suspicions.sinceMs[suspicions.find(7, 11)], 100);
		assert.equal(suspicions.ids[suspicions.find(6, 9)], 2);
	});

	it("is bounded: what has no place is counted, and has one later", () => {
		const suspicions = new Suspicions();
		suspicions.beginPass(7);
		for (let stan = 1; stan <= SUSPICIONS_MAX + 3; stan++) suspicions.see(1, 7, stan, stan, 0);
		suspicions.endPass(7);
		assert.deepEqual([suspicions.count, suspicions.leftOut], [SUSPICIONS_MAX, 3]);
		suspicions.remove(7, 1);
		suspicions.see(1, 7, SUSPICIONS_MAX + 1, 0, 0);
		assert.equal(suspicions.count, SUSPICIONS_MAX);
		assert.ok(suspicions.find(7, SUSPICIONS_MAX + 1) >= 0);
	});
});
