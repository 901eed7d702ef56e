/**
 * Goal: a day on a terminal with a mirror, over real TCP, while power goes and blocks of either copy are destroyed, ends
 * with the books balanced and both copies whole; without a mirror nothing of that happens. Method: short days; their
 * figures come from the host's ledgers, the till's notebook and the silicon.
 */
import assert from "node:assert/strict";
import { type DayEvent, type DayOptions, isBalanced } from "../../../host-sim/node/day-result";
import { TradingDay } from "../../../host-sim/node/trading-day";

const DAY = { sales: 30, reversals: true, scale: 400 } as const;

describe("trading day with a mirror", function () {
	this.timeout(40_000);

	async function run(options: Pick<DayOptions, "seed" | "faults"> & Partial<DayOptions>) {
		const events: DayEvent[] = [];
		const result = await TradingDay.run({ ...DAY, ...options, onEvent: (event) => events.push(event) });
		return { result, events: events.filter(({ source }) => source === "flash") };
	}

	it("loses blocks of either copy, mends them, and ends balanced with two whole copies", async () => {
		const days = await Promise.all([5, 10, 11].map((seed) => run({ seed, faults: "flashBlock", mirror: true })));
		for (const { result, events } of days) {
			const { conserved, atRest, copies, copiesWhole, powerCuts, firmwareRestarts } = result;
			assert.deepEqual(
				{ conserved, atRest, copies, copiesWhole, powerCuts, firmwareRestarts },
				{ conserved: true, atRest: true, copies: 2, copiesWhole: 2, powerCuts: 0, firmwareRestarts: 0 },
			);
			assert.ok(isBalanced(result));
			assert.equal(events.length, result.blocksDestroyed);
			for (const { text } of events) assert.match(text, /^the (journal|mirror) lost block \d+: /);
		}
		const sum = (pick: (day: (typeof days)[number]["result"]) => number) =>
			days.reduce((total, { result }) => total + pick(result), 0);
		assert.ok(sum((day) => day.blocksDestroyed) >= 3, `${sum((day) => day.blocksDestroyed)} destroyed`);
		assert.ok(sum((day) => day.blocksMended) >= 1, `${sum((day) => day.blocksMended)} mended`);
		assert.equal(
			sum((day) => day.erasesInSale),
			0,
		);
	});

	it("survives that together with power cuts, a bad network and a crashing host", async () => {
		const { result } = await run({ seed: 5, faults: "all", mirror: true, sales: 40 });
		assert.equal(result.oneSided, 0);
		assert.ok(result.conserved && result.atRest);
		assert.ok(result.powerCuts > 0);
	});

	it("programs twice what one copy does, and one copy is what a day has if nobody asks for two", async () => {
		const [one, two] = await Promise.all([
			run({ seed: 4, faults: "none" }),
			run({ seed: 4, faults: "none", mirror: true }),
		]);
		assert.deepEqual([one.result.copies, one.result.copiesWhole, one.result.blocksDestroyed], [1, 1, 0]);
		const ratio = two.result.flashBytesPerSale / one.result.flashBytesPerSale;
		assert.ok(ratio > 1.9 && ratio < 2.1, `${ratio}`);
	});

	it("is not balanced when a copy lacks something", async () => {
		const { result } = await run({ seed: 4, faults: "none", mirror: true, sales: 3 });
		assert.ok(isBalanced(result));
		assert.equal(isBalanced({ ...result, copiesWhole: 1 }), false);
	});
});
