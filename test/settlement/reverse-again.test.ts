/**
 * Goal: a debit that should not be is reversed again by itself, though no customer comes. Method: a request that lies in the
 * network until its reversal was accepted by a host without a memory, and whose answer finds nobody.
 */
import assert from "node:assert/strict";
import { caseStateName } from "../../src/settlement/case-states";
import { rowName } from "../../src/settlement/finding";
import { Rig } from "../host-sim/world/rig";

describe("settlement: a debit that should not be", () => {
	it("is reversed again at once, and not only when the next customer comes", () => {
		const rig = new Rig({ forgetful: true, config: { lateOriginalMs: 1_000 } });
		rig.sell(2_000);
		rig.faults.arm("requestLate", 1);
		rig.sell(68_800);
		rig.time.advance(3_000);
		rig.setLink(false);
		rig.time.advance(120_000);
		rig.setLink(true);
		assert.equal(rig.money().oneSided, 1);
		rig.time.advance(20 * 60_000);
		const { cases } = rig.shop.terminal;
		assert.equal(cases.count, 1);
		const { row, state } = cases.get(1);
		assert.deepEqual([rowName(row), caseStateName(state)], ["debited", "resolved"]);
		assert.deepEqual([rig.money().oneSided, rig.money().conserved], [0, true]);
	});
});
