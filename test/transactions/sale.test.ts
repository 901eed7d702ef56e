/**
 * Sales against the simulated host: what people are told and what the ledgers hold, for every card, every fault and
 * every way a customer changes their mind (I6).
 */
import { strict as assert } from "node:assert";
import { FAULT_NAMES } from "../../host-sim/acquirer/faults";
import { Till } from "../../host-sim/board/till";
import type { Told } from "../../src/ports";
import { State } from "../../src/transactions/states";
import { Rig } from "../host-sim/world/rig";

/** Nothing is under way, nothing is one-sided, and the terminal never had to restart. */
function assertAtRest(rig: Rig): void {
	const money = rig.money();
	const wrong = money.rows.filter((row) => row.wrong !== undefined);
	assert.deepEqual(wrong, []);
	assert.ok(money.conserved);
	assert.ok(rig.shop.terminal.atRest, "at rest");
	assert.equal(rig.shop.restarts, 0);
}

function toldOf(rig: Rig, stan = 2): Told | undefined {
	return rig.shop.till.told(stan);
}

describe("transactions: sale", () => {
	const outcomes: [card: string, told: Told | undefined, last: string, code?: string][] = [
		["chip", "paid", "approved"],
		["chip-pin", "paid", "approved"],
		["magstripe-pin", "paid", "approved"],
		["contactless", "paid", "approved"],
		["magstripe-19", "paid", "approved"],
		["expired", undefined, "cardExpired"],
		["poor", "notCharged", "declined", "51"],
		["lost", "notCharged", "declined", "41"],
		["restricted", "notCharged", "declined", "62"],
		["chip-refuses", "notCharged", "cardRefused"],
		["wrong-pin", "notCharged", "declined", "55"],
		["unknown", "notCharged", "declined", "14"],
		["bad-check-digit", undefined, "cardInvalid"],
	];
	for (const [card, told, last, code] of outcomes) {
		it(`with card "${card}" ends in ${last}${code === undefined ? "" : ` ${code}`}, and the ledgers agree`, () => {
			const rig = new Rig();
			const visit = rig.sell(1_234, card);
			assert.ok(visit.ended && !visit.cut);
			assert.ok(visit.screens.includes(last as never), visit.screens.join(" "));
			assert.equal(toldOf(rig), told);
			if (code !== undefined) assert.equal(rig.shop.terminal.log.outcome(1)?.code, code);
			rig.settle();
			assert.equal(toldOf(rig), told);
			assertAtRest(rig);
			assert.equal(rig.money().paidMinor, told === "paid" ? 1_234 : 0);
			assert.equal(rig.shop.till.slipOut(2), told === "paid");
		});
	}

	it("puts on the slip what the host answered, and no more of the card than may be seen", () => {
		const rig = new Rig();
		rig.sell(56_789, "chip-pin");
		const slip = rig.shop.till.notes.find((note) => note.source === "slip")?.slip;
		const outcome = rig.shop.terminal.log.outcome(1);
		assert.ok(slip && outcome);
		assert.equal(slip.card, "621234******2008");
		assert.equal(slip.amountMinor, 56_789);
		assert.equal(slip.rrn, outcome.rrn);
		assert.equal(slip.rrn.length, 12);
		assert.equal(slip.authorization, outcome.authorization);
		assert.equal(slip.stan, 2);
		assert.equal(slip.batch, 1);
		assert.equal(slip.told, "paid");
	});

	for (const fault of FAULT_NAMES) {
		it(`struck by ${fault} alone ends with the money where people were told it is`, () => {
			for (const card of ["contactless", "chip-pin", "chip-refuses"]) {
				for (let seed = 1; seed <= 4; seed++) {
					const rig = new Rig({ seed });
					rig.faults.arm(fault);
					const visit = rig.sell(2_000, card);
					assert.ok(visit.ended, `seed ${seed}`);
					assert.notEqual(toldOf(rig), undefined);
					rig.settle();
					assertAtRest(rig);
				}
			}
		});

		it(`struck by ${fault} twice in a row, in the reversal too, still does`, () => {
			for (let seed = 1; seed <= 4; seed++) {
				const rig = new Rig({ seed });
				rig.faults.arm("answerLost");
				rig.faults.at(2, fault);
				rig.faults.at(3, fault);
				rig.sell(2_000, "contactless");
				rig.time.advance(200_000);
				rig.settle();
				assertAtRest(rig);
				assert.equal(toldOf(rig), "notCharged");
			}
		});
	}

	it("with the answer lost is told as not charged, and reversed", () => {
		const rig = new Rig();
		rig.faults.arm("answerLost");
		const visit = rig.come(2_000);
		rig.runUntil(() => visit.ended);
		assert.equal(visit.screens.at(-1), "noAnswer");
		assert.equal(rig.entries()[0].cardNetMinor, 2_000, "the card is debited at this moment");
		rig.settle();
		assert.equal(rig.entries()[0].cardNetMinor, 0);
		assert.equal(rig.entries()[0].reversals, 1);
		assertAtRest(rig);
	});

	it("with the answer in pieces of a few bytes is approved like any other", () => {
		for (let seed = 1; seed <= 8; seed++) {
			const rig = new Rig({ seed });
			rig.faults.arm("answerSplit");
			rig.sell(2_000);
			assert.equal(toldOf(rig), "paid");
		}
	});

	it("takes a doubled answer once: one slip, one debit", () => {
		const rig = new Rig();
		rig.faults.arm("answerDoubled");
		rig.sell(2_000);
		rig.settle();
		assert.equal(rig.shop.till.notesOf(2).filter((note) => note.source === "slip").length, 1);
		assert.match(rig.logText(), /late answer to stan=2: approve, no effect/);
		assertAtRest(rig);
	});

	it("asks for a PIN only where the card wants one, and sends it enciphered", () => {
		const rig = new Rig();
		rig.sell(1_000, "contactless");
		assert.equal(rig.shop.keypad.requests, 0);
		const visit = rig.sell(1_000, "chip-pin");
		assert.equal(rig.shop.keypad.requests, 1);
		assert.ok(visit.screens.includes("enterPin"));
		assert.equal(toldOf(rig, 2), "paid");
	});

	it("is cancelled at the PIN without a trace", () => {
		const rig = new Rig();
		const visit = rig.come(1_000, "chip-pin");
		rig.runUntil(() => rig.shop.terminal.phase === "pin");
		rig.shop.keypad.withdraw();
		rig.shop.terminal.cancel();
		assert.ok(visit.ended);
		assert.equal(visit.screens.at(-1), "cancelled");
		rig.settle();
		assert.equal(rig.entries().length, 0);
		assert.equal(rig.shop.terminal.log.index.count, 0);
		assert.equal(rig.sell().screens.at(-1), "approved", "the next sale works");
	});

	it("ends without a trace when the cardholder presses cancel", () => {
		const rig = new Rig();
		rig.shop.keypad.enter({ delayMs: 100 });
		const visit = rig.sell(1_000, "chip-pin");
		assert.equal(visit.screens.at(-1), "cancelled");
		assert.equal(rig.shop.terminal.log.index.count, 0);
	});

	for (const fault of ["unreadable", "pulled"] as const) {
		it(`with a card that is ${fault} says so and leaves no trace`, () => {
			const rig = new Rig();
			const visit = rig.sell(1_000, "chip", { fault });
			assert.equal(visit.screens.at(-1), "cardUnreadable");
			assert.equal(rig.entries().length, 0);
			assert.equal(rig.shop.terminal.log.index.count, 0);
			assert.equal(rig.sell().screens.at(-1), "approved");
		});
	}

	it("with a chip card that is gone at the approval is reversed with reason 06", () => {
		const rig = new Rig();
		const visit = rig.sell(1_000, "chip", { fault: "gone" });
		assert.equal(visit.screens.at(-1), "cardRefused");
		assert.equal(rig.shop.terminal.log.reason(1), "06");
		assert.equal(toldOf(rig), "notCharged");
		rig.settle();
		assertAtRest(rig);
	});

	it("with a chip that answers AAC is reversed with reason 06, and is never told as paid", () => {
		const rig = new Rig();
		rig.sell(1_000, "chip-refuses");
		assert.equal(rig.shop.terminal.log.reason(1), "06");
		rig.settle();
		assert.deepEqual(
			rig.shop.till.notesOf(1).map((note) => note.told),
			rig.shop.till.notesOf(1).map(() => "notCharged"),
		);
		assertAtRest(rig);
	});

	it("waits for a chip that thinks, and cannot be cancelled meanwhile", () => {
		const rig = new Rig();
		const visit = rig.come(1_000, "chip", { verdictMs: 9_000 });
		rig.runUntil(() => rig.shop.terminal.phase === "verdict");
		assert.equal(rig.shop.terminal.cancel(), false);
		assert.equal(toldOf(rig), undefined, "nothing is told before the card's consent");
		rig.runUntil(() => visit.ended);
		assert.equal(toldOf(rig), "paid");
	});

	it("takes a chip that never gives its verdict for one that has not consented", () => {
		const rig = new Rig();
		const visit = rig.come(1_000, "chip", { verdictMs: 3_600_000 });
		rig.runUntil(() => visit.ended);
		assert.equal(visit.screens.at(-1), "cardRefused");
		assert.equal(rig.shop.terminal.log.reason(1), "06");
		rig.settle();
		assertAtRest(rig);
	});

	it("does not wait for a card, or a PIN, for ever", () => {
		const rig = new Rig();
		const slow = rig.come(1_000, "chip", { delayMs: 3_600_000 });
		rig.runUntil(() => slow.ended);
		assert.equal(slow.screens.at(-1), "cancelled");
		assert.equal(rig.sell().screens.at(-1), "approved");
	});

	it("takes a printer that never answers for one without paper", () => {
		const rig = new Rig({ till: new Till({ printMs: 3_600_000 }) });
		const visit = rig.come(1_000, "contactless");
		rig.runUntil(() => visit.screens.at(-1) === "approvedNoPaper");
		assert.equal(toldOf(rig), "paid");
		rig.runUntil(() => visit.ended);
		assert.equal(rig.shop.terminal.log.index.states[0], State.delivered);
	});

	it("can be cancelled until the request leaves, and not after", () => {
		const phases: Record<string, boolean> = { card: true, pin: true, host: false, verdict: false, printing: false };
		for (const [phase, cancellable] of Object.entries(phases)) {
			const rig = new Rig();
			const visit = rig.come(1_000, "chip-pin", { verdictMs: 500 });
			assert.ok(
				rig.runUntil(() => rig.shop.terminal.phase === phase),
				phase,
			);
			assert.equal(rig.shop.terminal.cancel(), cancellable, phase);
			assert.equal(visit.ended, cancellable, phase);
			rig.runUntil(() => visit.ended);
			rig.settle();
			assertAtRest(rig);
			assert.equal(toldOf(rig), cancellable ? undefined : "paid", phase);
			assert.equal(rig.sell(1, "chip-pin").screens.at(-1), "approved", `after ${phase}`);
		}
	});

	it("can be cancelled while it waits for reversals, which then go on", () => {
		const rig = new Rig();
		rig.faults.arm("answerLost", 2);
		rig.sell(1_000);
		rig.time.advance(1_000);
		const visit = rig.come(2_000);
		assert.equal(rig.shop.terminal.phase, "reversals");
		assert.ok(rig.shop.terminal.cancel());
		assert.ok(visit.ended);
		rig.settle();
		assertAtRest(rig);
	});

	it("has nothing to cancel when idle", () => {
		const rig = new Rig();
		assert.equal(rig.shop.terminal.cancel(), true);
		assert.equal(rig.shop.terminal.phase, "idle");
	});

	it("without a link to the host leaves no trace and can be tried again", () => {
		const rig = new Rig();
		rig.setLink(false);
		const visit = rig.sell();
		assert.equal(visit.screens.at(-1), "noLink");
		assert.equal(rig.shop.terminal.log.index.count, 0);
		assert.equal(toldOf(rig), undefined);
		rig.setLink(true);
		assert.equal(rig.sell().screens.at(-1), "approved");
	});

	it("on a link that dies silently after the connect is reversed when it is back", () => {
		const rig = new Rig();
		rig.sell();
		rig.setLink(false);
		const visit = rig.sell(5_000);
		assert.equal(visit.screens.at(-1), "noAnswer");
		rig.time.advance(2 * 3_600_000);
		assert.equal(rig.shop.terminal.log.doubts, 1);
		const stan = rig.shop.terminal.log.index.stans[1];
		rig.settle();
		assertAtRest(rig);
		assert.equal(toldOf(rig, stan), "notCharged");
	});

	it("with paper out is acknowledged on the screen, and is then delivered", () => {
		const rig = new Rig({ paperSlips: 0, cashierMs: 3_600_000 });
		const visit = rig.come();
		rig.runUntil(() => rig.shop.terminal.phase === "paper");
		assert.equal(visit.screens.at(-1), "approvedNoPaper");
		assert.equal(toldOf(rig), "paid");
		assert.equal(rig.shop.terminal.log.index.states[0], State.approved);
		assert.equal(rig.shop.terminal.sale(100), "refusedBusy");
		rig.shop.terminal.acknowledge();
		assert.ok(visit.ended);
		assert.equal(rig.shop.terminal.log.index.states[0], State.delivered);
		rig.shop.terminal.acknowledge();
		assert.equal(rig.shop.terminal.log.index.states[0], State.delivered, "twice does nothing");
		assertAtRest(rig);
	});

	it("declined many times over fills nothing: spent ones make way", () => {
		const rig = new Rig({ blocks: 8, config: { transactionsMax: 64 } });
		for (let n = 0; n < 200; n++) assert.equal(rig.sell(5_000, "poor").screens.at(-1), "declined", `sale ${n}`);
		assert.equal(rig.sell().screens.at(-1), "approved");
		assert.equal(rig.shop.terminal.log.index.stans.includes(201), true);
		assert.equal(rig.shop.erasesInSale, 0);
		assertAtRest(rig);
	});
});
