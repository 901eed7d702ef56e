/** A printer that reports when its sale is over, also when the next one is under way (I5). */
import { strict as assert } from "node:assert";
import { Till } from "../../host-sim/board/till";
import { State } from "../../src/transactions/states";
import { Rig } from "../host-sim/world/rig";

describe("transactions: a printer that reports late", () => {
	/** Taken for one without paper after 30 s, acknowledged 2 s later. */
	const slowPrinter = () => new Rig({ till: new Till({ printMs: 45_000 }) });

	it("tells nothing new of a sale that was acknowledged", () => {
		const rig = slowPrinter();
		const visit = rig.come(1_000, "contactless");
		rig.runUntil(() => visit.ended);
		rig.time.advance(60_000);
		assert.equal(rig.shop.restarts, 0);
		assert.equal(rig.shop.terminal.log.index.states[0], State.delivered);
		assert.equal(rig.shop.terminal.phase, "idle");
	});

	it("does not end the sale after it", () => {
		const rig = slowPrinter();
		const first = rig.come(1_000, "contactless");
		rig.runUntil(() => first.ended);
		const second = rig.come(2_000, "contactless", { delayMs: 40_000 });
		rig.time.advance(20_000);
		assert.equal(second.ended, false, "it waits for its card");
		assert.equal(rig.shop.terminal.phase, "card");
		assert.equal(rig.shop.restarts, 0);
	});
});
