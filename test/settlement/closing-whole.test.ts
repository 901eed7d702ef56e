/**
 * Goal: a batch that closes is released by its own comparison and with all that it has found, whatever else is compared,
 * lost or under way meanwhile. Each of these has let a customer's money slip once: worlds have found them.
 */
import assert from "node:assert/strict";
import { CaseState } from "../../src/settlement/case-states";
import { KIND_OFFLINE_SALE } from "../../src/transactions/records";
import { Rig } from "../host-sim/world/rig";

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

function settled(rig: Rig): number {
	return rig.shop.terminal.log.settledUpTo.batch;
}

function offlineSale(rig: Rig, amountMinor: number): number {
	const { terminal } = rig.shop;
	const card = rig.cards.find(({ name }) => name === "contactless");
	assert.ok(card?.sequence !== undefined);
	const { pan, expiry, sequence } = card;
	const timeS = Math.floor(rig.time.nowMs / 1_000);
	const kind = KIND_OFFLINE_SALE;
	const advice = { kind, amountMinor, timeS, entryMode: "072", condition: "00", field60Rest: "00060" };
	const id = terminal.forward(advice, { pan, expiry, sequence });
	assert.ok(typeof id === "number");
	return terminal.log.index.stans[terminal.log.find(id)];
}

function isOpenCase(rig: Rig, stan: number): boolean {
	const { cases } = rig.shop.terminal;
	for (let id = cases.nextOpen(0); id !== 0; id = cases.nextOpen(id)) if (cases.get(id).stan === stan) return true;
	return false;
}

describe("a batch that closes", () => {
	it("is not released by the end of a comparison that was begun before its last sale", () => {
		// The customer comes while the digest is on the line: what is left of that comparison goes on behind the sale.
		for (let ms = 50; ms <= 1_000; ms += 50) {
			const rig = new Rig({
				latencyMs: 200,
				config: { settleAtMinute: -1, settleAtSales: 5 },
				office: { postingDelayMs: 20 * MINUTE_MS },
			});
			for (let n = 0; n < 3; n++) rig.sell(2_000 + n);
			rig.time.advance(40 * MINUTE_MS);
			// Two digests long: up to the newest, which is not posted yet, then what should be.
			rig.sell(2_003);
			rig.shop.terminal.sync();
			rig.time.advance(ms);
			rig.faults.arm("reversedWrongly");
			rig.sell(2_100);
			rig.time.advance(30 * MINUTE_MS);
			assert.equal(settled(rig), 1);
			const wrong = rig.money().rows.filter((row) => row.wrong !== undefined);
			const open = wrong.filter((row) => !isOpenCase(rig, row.stan)).map((row) => row.stan);
			assert.deepEqual(open, [], `${ms} ms`);
		}
	});

	it("remembers what is not posted yet while it waits for a difference and the next batch is compared", () => {
		const rig = new Rig({ config: { settleAtMinute: -1 } });
		rig.faults.arm("postingLost");
		rig.sell(2_000);
		rig.faults.arm("reversedWrongly");
		rig.sell(2_100);
		assert.ok(rig.shop.terminal.settle());
		rig.time.advance(2 * MINUTE_MS);
		assert.equal(settled(rig), 0, "the difference has to stand for a while");
		rig.shop.terminal.sync();
		rig.time.advance(20 * MINUTE_MS);
		assert.equal(settled(rig), 1);
		assert.equal(rig.shop.terminal.summary().watched, 1);
		rig.time.advance(2 * HOUR_MS);
		assert.equal(rig.money().oneSided, 0);
	});

	it("is not released on a bare answer because three answers of a host that shows its books were lost", () => {
		const rig = new Rig({ config: { settleAtMinute: -1 } });
		rig.sell(2_000);
		rig.shop.terminal.sync();
		rig.time.advance(MINUTE_MS);
		rig.faults.arm("recordLost");
		rig.sell(2_100);
		rig.shop.pullPlug();
		rig.time.advance(MINUTE_MS);
		rig.faults.arm("syncAnswerLost", 8);
		assert.ok(rig.shop.terminal.settle());
		rig.time.advance(12 * MINUTE_MS);
		assert.equal(rig.shop.terminal.hostKnowsSync, true);
		rig.time.advance(HOUR_MS);
		assert.equal(settled(rig), 1);
		assert.equal(rig.money().oneSided, 0);
	});

	it("of a host that has never answered them is asked for its books once more before it is released without", () => {
		const rig = new Rig({ config: { settleAtMinute: -1 } });
		rig.faults.setRate("syncAnswerLost", 1);
		rig.faults.arm("recordLost");
		rig.sell(2_100);
		rig.time.advance(30 * MINUTE_MS);
		assert.equal(rig.shop.terminal.hostKnowsSync, false);
		rig.faults.setRate("syncAnswerLost", 0);
		assert.ok(rig.shop.terminal.settle());
		rig.time.advance(HOUR_MS);
		assert.equal(rig.shop.terminal.hostKnowsSync, true);
		assert.equal(rig.money().oneSided, 0);
	});

	it("hands on an advice that is answered only after its release, and what comes of that is a case", () => {
		const rig = new Rig({ config: { settleAtMinute: -1 } });
		rig.sell(2_000);
		rig.faults.arm("answerLost");
		rig.faults.arm("reversedWrongly");
		const stan = offlineSale(rig, 2_100);
		assert.ok(rig.shop.terminal.settle());
		rig.time.advance(HOUR_MS);
		assert.equal(settled(rig), 1);
		assert.notEqual(rig.shop.terminal.cases.findAny(1, stan, "offlineDeclined"), 0);
	});

	it("hands on an advice whose end no boot knows any more: it is watched until it is seen posted, or is a case", () => {
		const rig = new Rig({ config: { settleAtMinute: -1 } });
		rig.sell(2_000);
		rig.faults.arm("answerLost");
		rig.faults.arm("postingLost");
		const stan = offlineSale(rig, 2_100);
		assert.ok(rig.shop.terminal.settle());
		rig.setLink(false);
		rig.time.advance(5_000);
		rig.setLink(true);
		while (settled(rig) === 0 || rig.shop.terminal.summary().advices > 0) rig.time.advance(1_000);
		// Answered, and cut before anybody has asked about it.
		rig.shop.pullPlug();
		rig.time.advance(3 * HOUR_MS);
		const { cases } = rig.shop.terminal;
		assert.equal(cases.state(cases.findAny(1, stan, "overdue")), CaseState.resolved);
	});

	it("is compared once more where a page hides what differs: the list has to come to the host's own sums", () => {
		// Each seed has the lie in another flag of another entry: some of them hide just what is wrong.
		for (let seed = 1; seed <= 24; seed++) {
			for (const fault of ["postingLost", "declinedBooked"] as const) {
				const rig = new Rig({ seed, config: { settleAtMinute: -1 } });
				rig.faults.arm(fault);
				rig.sell(2_000);
				rig.faults.arm("entryLies");
				rig.faults.arm("pageGarbled", seed % 2);
				rig.shop.terminal.settle();
				rig.time.advance(12 * HOUR_MS);
				assert.equal(settled(rig), 1, `seed ${seed}`);
				assert.deepEqual([rig.money().oneSided, rig.money().conserved], [0, true], `seed ${seed} ${fault}`);
			}
		}
	});

	it("goes on to be watched for what is not posted, when the operator says that two equal sales both stand", () => {
		const rig = new Rig({ config: { settleAtMinute: -1 } });
		const { terminal } = rig.shop;
		rig.sell(2_000);
		rig.faults.arm("postingLost");
		rig.sell(2_000);
		terminal.settle();
		rig.time.advance(5 * MINUTE_MS);
		assert.equal(settled(rig), 1);
		assert.equal(terminal.summary().watched, 1);
		assert.ok(terminal.answerCase(terminal.nextQuestion(), false));
		assert.equal(terminal.summary().watched, 1, "people have decided about the debit, not about the credit");
		rig.time.advance(12 * HOUR_MS);
		assert.equal(rig.money().oneSided, 0);
	});

	it("of a host that goes on to contradict itself is one case for a person, and not before hours have gone", () => {
		const rig = new Rig({ config: { settleAtMinute: -1 } });
		rig.sell(2_000);
		rig.sell(3_000);
		rig.faults.setRate("entryChanges", 1);
		rig.shop.terminal.settle();
		rig.time.advance(5 * HOUR_MS);
		assert.equal(settled(rig), 0);
		rig.time.advance(2 * HOUR_MS);
		assert.equal(settled(rig), 1);
		const { cases } = rig.shop.terminal;
		assert.notEqual(cases.findOpen(1, 0, "unbalanced"), 0);
	});
});
