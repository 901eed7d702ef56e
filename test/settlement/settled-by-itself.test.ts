/**
 * Goal: a batch is settled without anybody's key: at its hour, with so many sales, and before the journal is full; and what
 * is computed for that holds after any restart. Method: whole terminals against the whole host on virtual time.
 */
import assert from "node:assert/strict";
import { LOCAL_OFFSET_MS } from "../../src/config";
import { Rig } from "../host-sim/world/rig";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Virtual time to the next time that the clock on the wall shows this hour and minute. */
function until(rig: Rig, hour: number, minute: number): number {
	const nowMs = (rig.time.nowMs + LOCAL_OFFSET_MS) % DAY_MS;
	const atMs = hour * HOUR_MS + minute * 60_000;
	return atMs > nowMs ? atMs - nowMs : atMs + DAY_MS - nowMs;
}

function settled(rig: Rig): number {
	return rig.shop.terminal.log.settledUpTo.batch;
}

describe("a batch is settled by itself", () => {
	it("at its hour, and not before", () => {
		const rig = new Rig();
		rig.sell(2_000);
		rig.time.advance(until(rig, 23, 29));
		assert.equal(settled(rig), 0);
		rig.time.advance(3 * 60_000);
		assert.equal(settled(rig), 1);
		// What is sold behind it waits for the next one.
		rig.sell(2_100);
		rig.time.advance(until(rig, 23, 29));
		assert.equal(settled(rig), 1);
		rig.time.advance(3 * 60_000);
		assert.equal(settled(rig), 2);
	});

	it("a terminal that was off at its hour settles when it is on again, before the next sale is in the batch", () => {
		const rig = new Rig({ rebootMs: 0 });
		rig.sell(2_000);
		rig.shop.pullPlug();
		rig.time.advance(until(rig, 8, 0));
		assert.equal(settled(rig), 0);
		rig.shop.boot();
		rig.time.advance(60_000);
		assert.equal(settled(rig), 1);
		assert.equal(rig.shop.terminal.log.batch, 2);
	});

	it("a day without a sale settles nothing, and at no hour nothing is settled", () => {
		const quiet = new Rig();
		quiet.time.advance(3 * DAY_MS);
		assert.equal(settled(quiet), 0);
		const never = new Rig({ config: { settleAtMinute: -1 } });
		never.sell(2_000);
		never.time.advance(3 * DAY_MS);
		assert.equal(settled(never), 0);
	});

	it("with as many sales as it is to have", () => {
		const rig = new Rig({ config: { settleAtSales: 5 } });
		for (let n = 0; n < 4; n++) rig.sell(1_000 + n);
		rig.time.advance(60_000);
		assert.equal(settled(rig), 0);
		rig.sell(1_010);
		rig.time.advance(60_000);
		assert.equal(settled(rig), 1);
	});

	it("before the journal is full: no customer is ever refused for it", () => {
		const rig = new Rig({ blocks: 12, config: { settleAtMinute: -1 } });
		for (let n = 0; n < 200; n++) {
			const visit = rig.sell(1_000 + n);
			assert.ok(!visit.screens.includes("refusedFull"), `sale ${n}`);
			rig.time.advance(30_000);
		}
		assert.ok(settled(rig) >= 1);
		assert.equal(rig.money().oneSided, 0);
	});
});
