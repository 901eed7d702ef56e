/**
 * Goal: what the terminal has told to be nothing (declined, reversed) is compared with the host's books like all else, though
 * its records made room long ago: a debit that the host holds for it is found, explained and given back, by no restart and
 * with no question that comes for ever. Worlds have found each of these.
 */
import assert from "node:assert/strict";
import { caseStateName } from "../../src/settlement/case-states";
import { causeName } from "../../src/settlement/cause";
import { rowName } from "../../src/settlement/finding";
import { Rig } from "../host-sim/world/rig";

const HOUR_MS = 3_600_000;

function casesOf(rig: Rig): string[] {
	const { cases } = rig.shop.terminal;
	const known: string[] = [];
	for (let id = cases.next(0); id !== 0; id = cases.next(id)) {
		const { row, state, cause } = cases.get(id);
		known.push(`${rowName(row)} ${causeName(cause)} ${caseStateName(state)}`);
	}
	return known;
}

/** A sale that is declined and booked; then others that are declined, until its records have made room. */
function declinedLongAgo(): Rig {
	const rig = new Rig({ blocks: 8, config: { settleAtMinute: -1, syncEveryMs: 24 * HOUR_MS } });
	rig.sell(2_000);
	rig.faults.arm("declinedBooked");
	rig.sell(68_800);
	const { log } = rig.shop.terminal;
	const id = log.index.newestId;
	for (let n = 0; n < 400; n++) {
		try {
			log.intent(id);
		} catch {
			assert.ok(log.index.find(id) >= 0, "it is known that it was declined");
			return rig;
		}
		rig.sell(99_000_000 + n);
	}
	assert.fail("its records have not made room");
}

describe("settlement: a transaction that is spent", () => {
	it("is reversed again when the host holds it all the same", () => {
		const rig = new Rig({ config: { settleAtMinute: -1 } });
		rig.sell(2_000);
		rig.faults.arm("declinedBooked");
		rig.sell(68_800);
		assert.equal(rig.money().oneSided, 1);
		rig.time.advance(2 * HOUR_MS);
		assert.deepEqual(casesOf(rig), ["debited systemFault resolved"]);
		assert.deepEqual([rig.money().oneSided, rig.money().conserved], [0, true]);
		assert.equal(rig.shop.terminal.cases.get(1).requestType, 0, "by its own reversal: nobody was asked");
	});

	it("is found though its records have made room, and given back by the desk", () => {
		const rig = declinedLongAgo();
		rig.shop.terminal.sync();
		rig.time.advance(4 * HOUR_MS);
		assert.equal(rig.medium.boots, 1, "started once");
		assert.deepEqual(casesOf(rig), ["debited systemFault resolved"]);
		assert.deepEqual([rig.money().oneSided, rig.money().conserved], [0, true]);
		assert.doesNotMatch(rig.logText(), /is not taken/);
	});
});
