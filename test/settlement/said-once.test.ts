/**
 * Goal: what is asked of the desk is asked once, and what a person says is what is done. Method: whole terminals and the
 * whole host on virtual time; the host's own account of what it was asked.
 */
import assert from "node:assert/strict";
import { Rig } from "../host-sim/world/rig";

const HOUR_MS = 3_600_000;

describe("settlement: said once", () => {
	it("a request whose answer was lost goes out again as the same one: the desk decides once", () => {
		const said: string[] = [];
		const rig = new Rig({ config: { settleAtMinute: -1 }, onHostEvent: (text) => said.push(text) });
		rig.sell(2_000);
		rig.faults.arm("postingLost");
		rig.sell(68_800);
		rig.faults.arm("requestAnswerLost", 2);
		rig.time.advance(12 * HOUR_MS);
		const asked = said.filter((text) => text.startsWith("request 403"));
		assert.equal(asked.length, 1, asked.join("; "));
		assert.deepEqual([rig.money().oneSided, rig.money().conserved], [0, true]);
	});

	it("an operator's no leaves both of two equal sales: neither is given back", () => {
		const rig = new Rig({ config: { settleAtMinute: -1 } });
		const { terminal } = rig.shop;
		rig.sell(5_000);
		rig.sell(5_000);
		rig.time.advance(HOUR_MS);
		assert.ok(terminal.answerCase(terminal.nextQuestion(), false));
		rig.time.advance(12 * HOUR_MS);
		const rows = rig.money().rows.filter(({ debits }) => debits > 0);
		assert.deepEqual(
			rows.map(({ cardNetMinor, merchantNetMinor }) => [cardNetMinor, merchantNetMinor]),
			[
				[5_000, 5_000],
				[5_000, 5_000],
			],
		);
		assert.equal(terminal.nextQuestion(), 0, "and nobody is asked again");
	});

	it("a host without sync that says unbalanced leaves a case for a person, whatever the upload says", () => {
		const rig = new Rig({ config: { settleAtMinute: -1 }, sync: false });
		const { terminal } = rig.shop;
		rig.sell(2_000);
		rig.faults.arm("recordLost");
		rig.sell(68_800);
		terminal.settle();
		rig.time.advance(HOUR_MS);
		assert.equal(terminal.log.settledUpTo.batch, 1);
		assert.notEqual(terminal.cases.findOpen(1, 0, "unbalanced"), 0);
	});
});
