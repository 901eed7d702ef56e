import assert from "node:assert/strict";
import { isDueS, NEVER_DUE, promiseDueS } from "../../src/settlement/due";

const NOW_S = 1_800_000_000;
const DAY_S = 86_400;

describe("when something is due", () => {
	it("is when its time has come, and what has no time never", () => {
		assert.deepEqual(
			[0, NOW_S - 1, NOW_S, NOW_S + 1, NOW_S + 7 * DAY_S, NEVER_DUE].map((dueS) => isDueS(dueS, NOW_S)),
			[true, true, true, false, false, false],
		);
	});

	it("is now where the time is weeks or years ahead: the clock was off when it was set", () => {
		assert.equal(isDueS(NOW_S + 60 * DAY_S, NOW_S), true);
		assert.equal(isDueS(NOW_S + 365 * DAY_S, NOW_S), true);
		assert.equal(isDueS(NOW_S + 365 * DAY_S, 0), false, "while the host's time is not known only what is due at once");
	});

	it("of what a desk has promised is its time, within bounds; a time that nobody can mean is none", () => {
		const due = (promisedS: number) => promiseDueS(promisedS, NOW_S, NOW_S + 300, NOW_S + 3_600);
		assert.equal(due(NOW_S + 4 * 3_600), NOW_S + 4 * 3_600);
		assert.equal(due(NOW_S + 1), NOW_S + 300, "not each second");
		assert.equal(due(NOW_S + 30 * DAY_S), NOW_S + 7 * DAY_S, "asked on the way");
		for (const none of [0, NOW_S, NOW_S - DAY_S, NOW_S + 400 * DAY_S]) assert.equal(due(none), NOW_S + 3_600);
	});
});
