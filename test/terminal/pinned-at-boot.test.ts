/** Nobody is told, and nothing sent, because of what a boot has read before that is certain (I7; journal, rule 2). */
import { strict as assert } from "node:assert";
import { Rig } from "../host-sim/world/rig";

describe("terminal: what a boot has read", () => {
	it("is pinned before a screen speaks of money, and before a byte leaves", () => {
		let watching = false;
		let screens = 0;
		let writes = 0;
		const rig = new Rig({
			rebootMs: 0,
			onScreen: (screen, self) => {
				if (!watching || screen.told === undefined) return;
				screens++;
				assert.ok(self.shop.terminal.log.journal.pinned, `screen ${screen.name}`);
			},
			beforeWrite: (_bytes, self) => {
				if (!watching) return;
				writes++;
				assert.ok(self.shop.terminal.log.journal.pinned, "a request");
			},
		});
		rig.faults.arm("answerLost", 4); // The sale, and the first tries of its reversal.
		rig.sell(1_000);
		rig.setLink(false);
		rig.time.advance(300_000);
		for (let boot = 0; boot < 5; boot++) {
			rig.shop.pullPlug();
			watching = true;
			rig.shop.boot();
			rig.time.advance(1_000);
		}
		rig.setLink(true);
		rig.time.advance(600_000);
		assert.ok(screens >= 5 && writes > 0, `${screens} ${writes}`);
	});
});
