/**
 * Goal: an advice that the host has refused becomes a case while the shop is open, with a cause that is not guessed, and
 * once. Method: a whole terminal against the whole host; no digest holds what was refused, so that the list has to be read.
 */
import assert from "node:assert/strict";
import { caseStateName } from "../../src/settlement/case-states";
import { causeName } from "../../src/settlement/cause";
import { rowName } from "../../src/settlement/finding";
import { KIND_OFFLINE_SALE, KIND_REFUND } from "../../src/transactions/records";
import { Rig } from "../host-sim/world/rig";

const HOUR_MS = 3_600_000;

function cardOf(rig: Rig, name: string) {
	const card = rig.cards.find((candidate) => candidate.name === name);
	assert.ok(card?.sequence !== undefined);
	return { pan: card.pan, expiry: card.expiry, sequence: card.sequence };
}

function advice(rig: Rig, amountMinor: number) {
	const timeS = Math.floor(rig.time.nowMs / 1_000);
	return { amountMinor, timeS, entryMode: "072", condition: "00", field60Rest: "00060" };
}

function casesOf(rig: Rig): (string | undefined)[][] {
	const { cases } = rig.shop.terminal;
	const list: (string | undefined)[][] = [];
	for (let id = cases.next(0); id !== 0; id = cases.next(id)) {
		const { row, cause, state } = cases.get(id);
		list.push([rowName(row), causeName(cause), caseStateName(state)]);
	}
	return list;
}

describe("settlement: an advice that was refused", () => {
	it("an offline sale on a lost card is a loss within the hour, and found once, before and at the settlement", () => {
		const rig = new Rig();
		rig.sell(2_000);
		rig.shop.terminal.forward({ ...advice(rig, 5_000), kind: KIND_OFFLINE_SALE }, cardOf(rig, "lost"));
		rig.time.advance(HOUR_MS);
		assert.deepEqual(casesOf(rig), [["offlineDeclined", "issuer", "loss"]]);
		rig.sell(3_000);
		rig.time.advance(5 * HOUR_MS);
		assert.equal(rig.shop.terminal.settle(), true);
		rig.time.advance(HOUR_MS);
		assert.equal(rig.shop.terminal.log.settledUpTo.batch, 1);
		assert.deepEqual(casesOf(rig), [["offlineDeclined", "issuer", "loss"]]);
	});

	it("a refund of more than was paid is with support, and nobody is blamed for it", () => {
		const rig = new Rig();
		const { stan } = rig.sell(68_800);
		const { log } = rig.shop.terminal;
		const outcome = log.outcome(log.findByStan(log.batch, stan));
		assert.ok(outcome !== undefined);
		const { rrn, authorization, hostTime } = outcome;
		const original = { originalBatch: 1, originalStan: stan, originalDate: hostTime.slice(6, 10), rrn, authorization };
		const card = cardOf(rig, "contactless");
		rig.shop.terminal.forward({ ...advice(rig, 70_000), kind: KIND_REFUND, original }, card);
		rig.time.advance(HOUR_MS);
		assert.deepEqual(casesOf(rig), [["refundDiffers", "notKnown", "support"]]);
	});
});
