/**
 * Goal: paper never says anything else of the money than the books: a slip once more only for what is charged, a notice for
 * what is not; after any restart; and never in a customer's way. Method: a whole terminal against the whole host, with the
 * host's faults armed; what is out of the printer is compared with the ledgers.
 */
import assert from "node:assert/strict";
import type { MoneySlip, Screen, SettlementSlip, Slip } from "../../src/ports";
import { State } from "../../src/transactions/states";
import { slipLines } from "../../src/ui/slips";
import { Rig, type RigOptions } from "../host-sim/world/rig";
import { someCase } from "../settlement/some-cases";

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

interface Office {
	rig: Rig;
	/** Whole slips, in order. */
	slips: Slip[];
	/** What was shown since. */
	screens: Screen[];
	/** Prints, waits for the paper, and returns what came out. */
	print(action: () => string | undefined): { refusal: string | undefined; out: Slip[]; last: Screen | undefined };
}

function office(options: RigOptions = {}): Office {
	const screens: Screen[] = [];
	const rig = new Rig({ config: { settleAtMinute: -1 }, ...options, onScreen: (screen) => screens.push(screen) });
	const slips: Slip[] = [];
	rig.shop.till.onSlip = (slip, paper) => {
		if (paper === "whole") slips.push(slip);
	};
	return {
		rig,
		slips,
		screens,
		print(action) {
			const [from, shown] = [slips.length, screens.length];
			const refusal = action();
			const last = screens.slice(shown).at(-1);
			rig.time.advance(5_000);
			return { refusal, out: slips.slice(from), last };
		},
	};
}

function money(slips: readonly Slip[]): MoneySlip[] {
	return slips.filter((slip): slip is MoneySlip => slip.name !== "case" && slip.name !== "settlement");
}

function conserved(rig: Rig): void {
	assert.deepEqual([rig.money().oneSided, rig.money().conserved], [0, true]);
}

describe("a sales slip once more", () => {
	it("of the last sale, in both copies, marked; all else is what the first one said", () => {
		const { rig, slips, print } = office();
		rig.sell(1_500);
		rig.sell(68_800, "chip-pin");
		rig.sell(900, "poor");
		const [, original] = money(slips);
		const { refusal, out } = print(() => rig.shop.terminal.reprint());
		assert.equal(refusal, undefined);
		assert.deepEqual(out, [
			{ ...original, copy: "merchant", reprint: true },
			{ ...original, copy: "customer", reprint: true },
		]);
		assert.deepEqual([original.entryMode, original.withPin, original.kind], ["chip", true, "sale"]);
		conserved(rig);
	});

	it("by trace number, one copy, after a power cut and a boot", () => {
		const { rig, slips, print } = office();
		const { stan } = rig.sell(1_500);
		rig.sell(700);
		rig.shop.pullPlug();
		rig.time.advance(10_000);
		const [original] = money(slips);
		assert.equal(original.stan, stan);
		const { out } = print(() => rig.shop.terminal.reprint(stan, ["merchant"]));
		assert.deepEqual(out, [{ ...original, copy: "merchant", reprint: true }]);
	});

	it("is refused for what is not charged, and the screen says what became of it", () => {
		const { rig, print } = office();
		const poor = rig.sell(900, "poor");
		rig.faults.arm("answerLost");
		const lost = rig.sell(2_000);
		const { terminal } = rig.shop;
		const declined = print(() => terminal.reprint(poor.stan));
		assert.deepEqual([declined.refusal, declined.out], ["notCharged", []]);
		assert.deepEqual(
			[declined.last?.name, declined.last?.code, declined.last?.told, declined.last?.amountMinor],
			["declined", "51", "notCharged", 900],
		);
		const reversed = print(() => terminal.reprint(lost.stan));
		assert.deepEqual([reversed.refusal, reversed.out, reversed.last?.told], ["notCharged", [], "notCharged"]);
		assert.match(reversed.last?.name ?? "", /reversalStarted|reversalDone/);
		const none = print(() => terminal.reprint());
		assert.deepEqual([none.refusal, none.out, none.last?.name], ["queryNone", [], "queryNone"]);
		const unknown = print(() => terminal.reprint(4_711));
		assert.deepEqual([unknown.refusal, unknown.out, unknown.last?.stan], ["queryNone", [], 4_711]);
		rig.settle();
		conserved(rig);
	});

	it("waits for the answer whether a sale was delivered, and prints nothing while a customer is served", () => {
		const { rig, print } = office({ cashierMs: 60_000 });
		rig.come(1_500);
		rig.runUntil(() => rig.shop.till.screen?.name === "approved");
		assert.equal(rig.shop.terminal.reprint(), "refusedBusy");
		rig.shop.pullPlug();
		rig.runUntil(() => rig.shop.till.screen?.name === "askDelivered");
		const asked = print(() => rig.shop.terminal.reprint());
		assert.deepEqual([asked.refusal, asked.out, asked.last?.name], ["refusedDelivery", [], "askDelivered"]);
		rig.shop.terminal.answerDelivery(true);
		assert.deepEqual(print(() => rig.shop.terminal.reprint()).out.length, 2);
		conserved(rig);
	});

	it("says so when there is no paper, and that sale stays as it is", () => {
		const { rig, screens, print } = office();
		rig.sell(1_500);
		rig.shop.till.paperSlips = 0;
		const { refusal, out } = print(() => rig.shop.terminal.reprint());
		assert.deepEqual([refusal, out], [undefined, []]);
		assert.ok(screens.some(({ name }) => name === "notPrinted"));
		assert.equal(rig.shop.terminal.log.index.states[0], State.delivered);
	});

	it("a customer who comes meanwhile has the next slip, and nobody waits for the rest", () => {
		const { rig, slips } = office();
		rig.sell(1_500);
		for (let n = 0; n < 4; n++) assert.equal(rig.shop.terminal.reprint(), undefined);
		assert.equal(rig.shop.terminal.reprint(), "printFull");
		const before = slips.length;
		const visit = rig.sell(700);
		const of = money(slips.slice(before));
		const mine = of.findIndex(({ stan }) => stan === visit.stan);
		assert.ok(mine >= 0 && mine < 4, `slip ${mine}`);
		assert.deepEqual(visit.screens.includes("approvedNoPaper"), false);
		rig.time.advance(20_000);
		assert.equal(slips.length, before + 9);
		conserved(rig);
	});

	it("with the setting for it, the merchant's copy follows each sale", () => {
		const { rig, slips } = office({ config: { merchantCopy: true, settleAtMinute: -1 } });
		rig.sell(1_500);
		rig.time.advance(5_000);
		assert.deepEqual(
			slips.map(({ copy, reprint }) => [copy, reprint]),
			[
				["customer", false],
				["merchant", false],
			],
		);
		conserved(rig);
	});
});

describe("what a customer is told on paper (S20)", () => {
	it("a declined sale: not charged, and why; one that is charged gets no such paper", () => {
		const { rig, print } = office();
		const poor = rig.sell(900, "poor");
		const paid = rig.sell(1_500);
		const [slip] = money(print(() => rig.shop.terminal.notice(poor.stan)).out);
		assert.deepEqual([slip.name, slip.told, slip.code, slip.amountMinor], ["notCharged", "notCharged", "51", 900]);
		assert.match(slipLines(slip, "zh").join(""), /51 余额不足.*未扣款/);
		const charged = print(() => rig.shop.terminal.notice(paid.stan));
		assert.deepEqual([charged.refusal, charged.out, charged.last?.told], ["noticeCharged", [], "paid"]);
		assert.equal(print(() => rig.shop.terminal.notice(4_711)).refusal, "queryNone");
		conserved(rig);
	});

	it("no answer: first on its way back, then returned, also after a restart", () => {
		const { rig, print } = office({ config: { settleAtMinute: -1 } });
		rig.faults.arm("answerLost");
		rig.setLink(true);
		const { stan } = rig.sell(2_000);
		rig.setLink(false);
		rig.shop.pullPlug();
		rig.time.advance(10_000);
		const first = money(print(() => rig.shop.terminal.notice(stan)).out);
		assert.deepEqual([first[0]?.told, first[0]?.amountMinor], ["notCharged", 2_000]);
		assert.ok(first[0]?.name === "returning" || first[0]?.name === "returned");
		rig.settle();
		const [last] = money(print(() => rig.shop.terminal.notice(stan)).out);
		assert.deepEqual([last.name, last.told], ["returned", "notCharged"]);
		conserved(rig);
	});

	it("while a case has still to bring a debit back, its number is on the paper; behind it the money is returned", () => {
		const { rig, print, slips } = office();
		rig.faults.arm("answerLost");
		const { stan } = rig.sell(5_000);
		rig.settle();
		const { terminal } = rig.shop;
		const card = {
			panFirst: "621234",
			panLast: "4020",
			panDigits: 16,
			transactionId: terminal.log.findByStan(1, stan),
		};
		terminal.cases.open({ ...someCase(stan, "debited"), batch: 1, amountMinor: 5_000, hostMinor: 5_000, ...card }, 0);
		const [slip] = money(print(() => terminal.notice(stan)).out);
		assert.deepEqual([slip.name, slip.told, slip.caseId], ["returning", "notCharged", 1]);
		const again = print(() => terminal.reprint(stan));
		assert.deepEqual([again.refusal, again.out, again.last?.caseId], ["notCharged", [], 1]);
		terminal.sync();
		rig.time.advance(HOUR_MS);
		assert.equal(terminal.cases.openCount, 0);
		const [end] = money(print(() => terminal.notice(stan)).out);
		assert.deepEqual([end.name, end.told, end.caseId], ["returned", "notCharged", 1]);
		assert.equal(
			money(slips).some(({ told }) => told === "paid"),
			false,
		);
		conserved(rig);
	});

	it("sold twice by mistake: charged until it is given back, then not; and its slip is not printed any more", () => {
		const { rig, print } = office();
		const first = rig.sell(3_000);
		const twin = rig.sell(3_000);
		rig.time.advance(HOUR_MS);
		const { terminal } = rig.shop;
		const id = terminal.nextQuestion();
		assert.notEqual(id, 0, "the terminal asks");
		assert.equal(terminal.cases.get(id).stan, twin.stan);
		assert.equal(print(() => terminal.notice(twin.stan)).refusal, "noticeCharged");
		assert.equal(terminal.answerCase(id, true), true);
		rig.time.advance(3 * HOUR_MS);
		const [slip] = money(print(() => terminal.notice(twin.stan)).out);
		assert.deepEqual([slip.name, slip.told, slip.caseId], ["returned", "notCharged", id]);
		assert.match(slip.reference ?? "", /\S/);
		const again = print(() => terminal.reprint(twin.stan));
		assert.deepEqual([again.refusal, again.out, again.last?.name], ["notCharged", [], "moneyReturned"]);
		assert.equal(print(() => terminal.reprint(first.stan)).out.length, 2);
		conserved(rig);
	});

	it("a refund says nothing of its own about the sale, and the money checker hears nothing of it", () => {
		const { rig, print } = office();
		const { stan } = rig.sell(3_000);
		const { terminal } = rig.shop;
		const notes = rig.shop.till.notes.length;
		const outcome = terminal.log.outcome(terminal.log.findByStan(1, stan));
		assert.ok(outcome);
		const original = { originalBatch: 1, originalStan: stan, originalDate: outcome.hostTime.slice(6, 10) };
		const id = terminal.forward(
			{
				...{
					kind: 3,
					amountMinor: 1_000,
					timeS: 1_795_000_000,
					entryMode: "072",
					condition: "00",
					field60Rest: "00060",
				},
				original: { ...original, rrn: outcome.rrn, authorization: outcome.authorization },
			},
			{ pan: rig.cards.find(({ name }) => name === "contactless")?.pan ?? "", expiry: "3012" },
		);
		rig.time.advance(MINUTE_MS);
		const refundStan = terminal.log.index.stans[terminal.log.find(id as number)];
		const { out } = print(() => terminal.reprint(refundStan, ["customer"]));
		assert.deepEqual([money(out)[0].kind, money(out)[0].told, money(out)[0].amountMinor], ["refund", undefined, 1_000]);
		assert.equal(rig.shop.till.notes.length, notes);
	});
});

describe("a case on paper (S17)", () => {
	it("of a merchant's account that takes nothing: the cause, whose move it is, and nothing that was not asked", () => {
		const { rig, print } = office();
		rig.faults.arm("postingRefused");
		rig.sell(68_800);
		rig.time.advance(2 * HOUR_MS);
		const { refusal, out } = print(() => rig.shop.terminal.printCase(1));
		assert.equal(refusal, undefined);
		const [slip] = out;
		assert.ok(slip.name === "case");
		assert.deepEqual(
			[slip.row, slip.cause, slip.state, slip.mover, slip.request],
			["merchantAccount", "merchantAccount", "waiting", "merchant", undefined],
		);
		assert.deepEqual([slip.amountMinor, slip.hostMinor, slip.card], [68_800, 68_800, "621234******4020"]);
		assert.match(slipLines(slip, "zh").join(""), /商户账户异常.*请商户联系开户行/);
		assert.deepEqual(
			[print(() => rig.shop.terminal.printCase(2)).refusal, print(() => rig.shop.terminal.printCase(0)).refusal],
			["caseUnknown", "caseUnknown"],
		);
	});

	it("of a posting that never came: what was asked, when, what the host answered, and its reference", () => {
		const { rig, print } = office();
		rig.faults.arm("postingLost");
		rig.sell(68_800);
		rig.time.advance(3 * HOUR_MS);
		const [slip] = print(() => rig.shop.terminal.printCase(1)).out;
		assert.ok(slip.name === "case");
		assert.deepEqual([slip.row, slip.cause, slip.outcome, slip.mover], ["overdue", "bankDelay", "agreed", "nobody"]);
		const { request } = slip;
		assert.ok(request);
		assert.deepEqual([request.what, request.amountMinor, request.answer], ["claim", 68_800, "done"]);
		assert.match(request.reference, /\S/);
		assert.ok(request.askedAt >= slip.openedAt && request.answeredAt >= request.askedAt && slip.openedAt > 0);
		const ageMs = rig.time.nowMs - request.askedAt;
		assert.ok(ageMs >= 0 && ageMs < 3 * HOUR_MS, `${ageMs} ms ago, by the same clock as the slip`);
	});
});

describe("a settlement on paper (S11)", () => {
	const last = (slips: readonly Slip[]): SettlementSlip => {
		const slip = slips.filter((one): one is SettlementSlip => one.name === "settlement").at(-1);
		assert.ok(slip);
		return slip;
	};

	it("is printed by itself: balanced, totals by kind, the host's totals; and once more on demand", () => {
		const { rig, slips, print } = office();
		for (let n = 0; n < 3; n++) rig.sell(1_000 + n);
		rig.sell(500, "poor");
		const notes = rig.shop.till.notes.length;
		assert.equal(print(() => rig.shop.terminal.printSettlement()).refusal, "settlementUnknown");
		rig.shop.terminal.settle();
		rig.time.advance(10 * MINUTE_MS);
		const slip = last(slips);
		assert.deepEqual([slip.batch, slip.result, slip.sales], [1, "balanced", { count: 3, sumMinor: 3_003 }]);
		assert.deepEqual([slip.hostDebits, slip.hostCredits?.count], [slip.sales, 0]);
		assert.deepEqual([slip.differencesCount, slip.carriedCount, slip.openCases], [0, 0, 0]);
		const again = last(print(() => rig.shop.terminal.printSettlement()).out);
		assert.deepEqual({ ...again, time: 0 }, { ...slip, time: 0, reprint: true });
		assert.equal(rig.shop.till.notes.length, notes, "it tells nobody about a sale");
	});

	it("unbalanced: the host's totals, and each transaction that differs with its case", () => {
		const { rig, slips } = office();
		rig.sell(2_000);
		rig.faults.arm("recordLost");
		const lost = rig.sell(68_800);
		rig.sell(1_500);
		rig.shop.terminal.settle();
		rig.time.advance(2 * HOUR_MS);
		const slip = last(slips);
		assert.deepEqual([slip.result, slip.sales.count, slip.hostDebits?.count], ["unbalanced", 3, 2]);
		assert.deepEqual(
			slip.differences.map(({ stan, amountMinor, what, caseId }) => ({ stan, amountMinor, what, caseId })),
			[{ stan: lost.stan, amountMinor: 68_800, what: "notFound", caseId: 1 }],
		);
		assert.equal(slip.differencesCount, 1);
		conserved(rig);
	});

	it("what differs is listed before the batch is released as well, and what is carried is named", () => {
		const { rig, slips } = office();
		rig.sell(2_000);
		rig.faults.arm("recordLost");
		const lost = rig.sell(68_800);
		rig.shop.terminal.settle();
		rig.time.advance(MINUTE_MS);
		const [line] = rig.shop.terminal.differences(1);
		assert.deepEqual([line.stan, line.amountMinor, line.what], [lost.stan, 68_800, "notFound"]);
		rig.time.advance(2 * HOUR_MS);
		rig.faults.arm("answerLost");
		rig.sell(700);
		rig.sell(800);
		rig.shop.terminal.settle();
		rig.time.advance(3 * MINUTE_MS);
		const slip = last(slips);
		assert.equal(slip.batch, 2);
		assert.deepEqual(
			slip.carried.map(({ amountMinor, what }) => [amountMinor, what]),
			[[700, "unconfirmed"]],
		);
	});

	it("what was sold since in the next batch is on no list of the one that closes", () => {
		const { rig, slips } = office();
		rig.faults.arm("recordLost");
		rig.sell(68_800);
		rig.shop.terminal.settle();
		rig.time.advance(5 * MINUTE_MS);
		rig.faults.arm("answerLost");
		rig.sell(700);
		rig.runUntil(() => slips.some(({ name }) => name === "settlement"), HOUR_MS);
		const { index } = rig.shop.terminal.log;
		assert.ok(index.states.subarray(0, index.count).includes(State.unconfirmed), "a doubt of batch 2 waits meanwhile");
		const slip = last(slips);
		assert.deepEqual([slip.batch, slip.carriedCount, slip.carried, slip.sales.count], [1, 0, [], 1]);
	});
});
