/**
 * Goal: the figures of `npm run bench -- advices` are those of the line, the flash and the ledgers.
 * Method: a queue in small; figures that cannot be otherwise; the report from made-up figures.
 */
import * as assert from "node:assert/strict";
import { type AdvicesFigures, benchAdvices } from "./advices-bench";
import { advicesBudgetLines, advicesJson, reportAdvices } from "./advices-report";

const GOOD: AdvicesFigures = {
	setup: { count: 1_000, roundTripMs: 100 },
	drainS: 6.5,
	sendS: 6.3,
	inFlightMax: 16,
	sent: 1_000,
	outOfOrder: 1,
	outOfOrderOfOne: 0,
	flashBytesToTake: 97,
	flashBytesToSend: 38.6,
	accepted: 1_000,
	conserved: true,
};

describe("bench of the advices", () => {
	it("drains a queue in windows of 16: each takes a round trip, and the money is there", () => {
		const figures = benchAdvices({ count: 160, roundTripMs: 200 });
		const { drainS, sendS, inFlightMax, sent, outOfOrderOfOne, accepted, conserved } = figures;
		assert.deepEqual([inFlightMax, sent, outOfOrderOfOne, accepted, conserved], [16, 160, 0, 160, true]);
		assert.ok(sendS >= 2 && sendS < 2.5, `${sendS} s for ten round trips`);
		assert.ok(drainS > sendS && drainS < 3, `${drainS} s with connecting and signing on`);
		// The record of an advice is 90 bytes and its overhead; that of its outcome 32.
		assert.ok(figures.flashBytesToTake >= 96 && figures.flashBytesToTake < 110, `${figures.flashBytesToTake} bytes`);
		assert.ok(figures.flashBytesToSend >= 38 && figures.flashBytesToSend < 60, `${figures.flashBytesToSend} bytes`);
	});

	it("says EXCEEDED for what is too slow, too many, out of order or missing", () => {
		const verdicts = (changes: Partial<AdvicesFigures>) =>
			reportAdvices({ ...GOOD, ...changes }).match(/held|EXCEEDED/g);
		assert.deepEqual(verdicts({}), ["held", "held", "held", "held"]);
		assert.deepEqual(verdicts({ drainS: 20.1 }), ["EXCEEDED", "held", "held", "held"]);
		assert.deepEqual(verdicts({ inFlightMax: 17 }), ["held", "EXCEEDED", "held", "held"]);
		assert.deepEqual(verdicts({ outOfOrderOfOne: 1 }), ["held", "held", "EXCEEDED", "held"]);
		assert.deepEqual(verdicts({ accepted: 999 }), ["held", "held", "held", "EXCEEDED"]);
		assert.equal(advicesBudgetLines({ ...GOOD, setup: { count: 500, roundTripMs: 50 } })[0].bound, 5);
	});

	it("has them in its JSON", () => {
		const { drainSeconds, inFlightMax, orderKept, flashBytesPerAdvice } = advicesJson(GOOD);
		assert.deepEqual([drainSeconds, inFlightMax, orderKept, flashBytesPerAdvice], [6.5, 16, true, 135.6]);
	});
});
