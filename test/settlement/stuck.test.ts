/**
 * Goal: what does not get through is also somebody's business (I3), and what a host cannot tell is a case for a person.
 * Method: whole terminals against the whole host on virtual time, with a host that refuses, is silent, or knows no sync.
 */
import assert from "node:assert/strict";
import { caseStateName } from "../../src/settlement/case-states";
import { causeName } from "../../src/settlement/cause";
import { rowName } from "../../src/settlement/finding";
import { Rig } from "../host-sim/world/rig";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

function casesOf(rig: Rig): string[] {
	const { cases } = rig.shop.terminal;
	const known: string[] = [];
	for (let id = cases.next(0); id !== 0; id = cases.next(id)) {
		const record = cases.get(id);
		known.push(`${rowName(record.row)} ${causeName(record.cause)} ${caseStateName(record.state)}`);
	}
	return known;
}

describe("a movement that does not get through", () => {
	it("is a case while the host refuses its reversal, and closes by itself when that is taken", () => {
		for (const sync of [true, false]) {
			const screens: string[] = [];
			// Not settled in between: the totals of a host that has the debit would differ.
			const rig = new Rig({ sync, config: { settleAtMinute: -1 }, onScreen: ({ name }) => screens.push(name) });
			rig.faults.arm("answerLost", 1);
			rig.faults.arm("reversalRefused", 1);
			rig.sell(5_000);
			rig.time.advance(HOUR_MS);
			assert.deepEqual(casesOf(rig), ["reversalStuck systemFault support"], `sync ${sync}`);
			assert.ok(screens.includes("caseReversalStuck"));
			rig.time.advance(2 * DAY_MS);
			assert.deepEqual(casesOf(rig), ["reversalStuck systemFault resolved"], `sync ${sync}`);
			assert.deepEqual([rig.money().oneSided, rig.money().conserved], [0, true]);
		}
	});

	it("is a case when nobody has answered for as often as the alarm says, without any line at all", () => {
		const rig = new Rig({ config: { reversalTriesAlarm: 4 } });
		rig.faults.setRate("answerLost", 1);
		rig.sell(5_000);
		rig.time.advance(HOUR_MS);
		assert.deepEqual(casesOf(rig), ["reversalStuck network support"]);
		rig.faults.clear();
		rig.time.advance(2 * HOUR_MS);
		assert.deepEqual(casesOf(rig), ["reversalStuck network resolved"]);
		assert.equal(rig.money().oneSided, 0);
	});

	it("stays one case over restarts, and is not told again once a person has closed it", () => {
		const rig = new Rig({ config: { reversalTriesAlarm: 4 } });
		rig.faults.setRate("answerLost", 1);
		rig.sell(5_000);
		rig.time.advance(HOUR_MS);
		rig.shop.pullPlug();
		rig.time.advance(HOUR_MS);
		assert.deepEqual(casesOf(rig), ["reversalStuck network support"]);
		assert.equal(rig.shop.terminal.answerCase(1, true), true);
		rig.shop.pullPlug();
		rig.time.advance(HOUR_MS);
		assert.deepEqual(casesOf(rig), ["reversalStuck network resolved"]);
		// The queue has not heard of it (I3).
		assert.ok(rig.shop.terminal.summary().queued > 0);
		rig.faults.clear();
		rig.time.advance(2 * HOUR_MS);
		assert.equal(rig.money().oneSided, 0);
	});
});

describe("a batch at a host that knows nothing of sync", () => {
	it("whose totals differ is uploaded, released, and a case for a person", () => {
		const rig = new Rig({ sync: false });
		rig.sell(2_000);
		rig.faults.arm("recordLost", 1);
		rig.sell(68_800);
		rig.shop.terminal.settle();
		rig.time.advance(HOUR_MS);
		assert.equal(rig.shop.terminal.log.settledUpTo.batch, 1);
		assert.deepEqual(casesOf(rig), ["unbalanced notKnown support"]);
		const record = rig.shop.terminal.cases.get(1);
		assert.deepEqual([record.batch, record.stan, record.amountMinor], [1, 0, 70_800]);
		assert.equal(rig.shop.terminal.answerCase(1, true), true);
		assert.deepEqual(casesOf(rig), ["unbalanced notKnown resolved"]);
	});
});
