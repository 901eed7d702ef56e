/** Goal: what is given back never exceeds what was taken, and each of it is done once; questions move nothing. */
import * as assert from "node:assert/strict";
import { TEST_CARDS } from "../../../host-sim/test-cards";
import { toHex } from "../../../src/core/bytes";
import { card, HostUnderTest, originalOf, type Request } from "./host-under-test";

/** Card and merchant nets of all ledgers. */
function nets(host: HostUnderTest): number[] {
	const { totals } = host.acquirer.statement();
	return [totals.cardNetMinor, totals.merchantNetMinor];
}

describe("host: refund", () => {
	const refund = (rrn: string, more: Request = {}): Request => ({
		stan: 50,
		amountMinor: 500,
		original: originalOf(0, 0),
		rrn,
		...more,
	});

	it("gives back of the sale its slip names, once, and takes it from the merchant", () => {
		const host = new HostUnderTest();
		const { rrn } = host.sale();
		const first = host.ask("refund", refund(rrn));
		assert.deepEqual([first.mti, first.code, first.amountMinor, first.macRight], ["0230", "00", 500, true]);
		host.time.advance(100_000);
		host.restart();
		assert.equal(toHex(host.ask("refund", refund(rrn)).frame), toHex(first.frame));
		assert.deepEqual(nets(host), [734, 734]);
		assert.equal(host.acquirer.balance("chip"), card("chip").balanceMinor - 734);
		assert.deepEqual(host.entry(50).refund, { type: "refund", original: host.entry(2).key });
		assert.equal(host.acquirer.statement().totals.refunds, 1);
	});

	it("credits never exceed the debit: refunds add up to it and not a fen more", () => {
		const host = new HostUnderTest();
		const { rrn } = host.sale();
		assert.equal(host.ask("refund", refund(rrn, { amountMinor: 1235 })).code, "64");
		assert.equal(host.ask("refund", refund(rrn, { stan: 51, amountMinor: 1000 })).code, "00");
		assert.equal(host.ask("refund", refund(rrn, { stan: 52, amountMinor: 235 })).code, "64");
		assert.equal(host.ask("refund", refund(rrn, { stan: 53, amountMinor: 234 })).code, "00");
		assert.equal(host.ask("refund", refund(rrn, { stan: 54, amountMinor: 1 })).code, "12", "nothing is left");
		assert.deepEqual(nets(host), [0, 0]);
		assert.equal(host.acquirer.balance("chip"), card("chip").balanceMinor);
	});

	it("may name batch and STAN instead; an RRN that contradicts them names nothing", () => {
		const host = new HostUnderTest();
		const { rrn } = host.sale();
		assert.equal(host.ask("refund", { stan: 50, amountMinor: 1, original: originalOf(1, 2) }).code, "00");
		assert.equal(host.ask("refund", { stan: 51, amountMinor: 1, original: originalOf(1, 2), rrn }).code, "00");
		const other = refund("112200009999", { stan: 52, original: originalOf(1, 2) });
		assert.equal(host.ask("refund", other).code, "25");
	});

	it("of an offline sale or a resent one works as of any; a resent one is found by the RRN of its slip", () => {
		const host = new HostUnderTest();
		const offline = host.ask("offlineSale");
		assert.equal(host.ask("refund", refund(offline.rrn)).code, "00");
		host.ask("resend", { stan: 60, original: originalOf(1, 3), rrn: "112209300001" });
		assert.equal(host.ask("refund", refund("112209300001", { stan: 51 })).code, "00");
		assert.deepEqual(nets(host), [2 * 734, 2 * 734]);
	});

	it("unknown original 25, other card 64, reversed original 12, declined original 25", () => {
		const host = new HostUnderTest();
		const { rrn } = host.sale();
		const declined = host.sale({ stan: 3, card: "poor" });
		assert.equal(host.ask("refund", refund("112299999999")).code, "25");
		assert.equal(host.ask("refund", refund(rrn, { stan: 51, card: "contactless" })).code, "64");
		assert.equal(host.ask("refund", refund(declined.rrn, { stan: 52, card: "poor" })).code, "25");
		host.reversal();
		assert.equal(host.ask("refund", refund(rrn, { stan: 53 })).code, "12");
		assert.deepEqual(nets(host), [0, 0]);
	});

	it("a refusal stays one: a copy that lay in the network does not succeed after the terminal was told no", () => {
		const host = new HostUnderTest();
		const rrn = "112200000002"; // Of the next record but one.
		assert.equal(host.ask("refund", refund(rrn)).code, "25");
		assert.equal(host.sale().rrn, rrn);
		assert.equal(host.ask("refund", refund(rrn)).code, "25");
		assert.deepEqual(nets(host), [1234, 1234]);
	});

	it("another one under a used number is refused with 94", () => {
		const host = new HostUnderTest();
		const { rrn } = host.sale();
		host.ask("refund", refund(rrn));
		assert.equal(host.ask("refund", refund(rrn, { amountMinor: 501 })).code, "94");
		assert.equal(host.ask("refund", refund(rrn, { stan: 2 })).code, "94", "the sale's own number");
		assert.equal(host.sale({ stan: 50, amountMinor: 500 }).code, "94");
		assert.deepEqual(nets(host), [734, 734]);
	});

	it("a crash between the card's credit and the record is one-sided until the repeat mends it", () => {
		const host = new HostUnderTest();
		const { rrn } = host.sale();
		host.faults.arm("crash");
		host.send("0220", { ...refund(rrn), processingCode: "200000", type: "25" });
		host.restart();
		assert.deepEqual([nets(host), host.acquirer.statement().totals.oneSided], [[734, 1234], 1]);
		assert.equal(host.ask("refund", refund(rrn)).code, "00");
		assert.deepEqual(nets(host), [734, 734]);
	});

	it("a death after the record, before the merchant's debit, is finished by the restart", () => {
		const host = new HostUnderTest();
		const { rrn } = host.sale();
		host.ask("refund", refund(rrn));
		const { store } = host;
		const other = new HostUnderTest({
			store: {
				append: (ledger, entry) => store.append(ledger, entry),
				// The same store without the merchant's last line.
				load: (ledger) => (ledger === "merchant" ? store.load(ledger).slice(0, 1) : store.load(ledger)),
			},
		});
		assert.deepEqual(nets(other), [734, 734]);
	});

	it("under a number whose debit a crash has kept from the records, it is refused and not kept", () => {
		const host = new HostUnderTest();
		host.faults.arm("crash");
		host.send("0200", { stan: 50 });
		host.restart();
		assert.equal(host.ask("refund", refund("112299999999")).code, "94");
		assert.equal(host.reversal({ stan: 50 }).code, "00", "the debit can still be taken back");
		assert.deepEqual(nets(host), [0, 0]);
	});

	it("a reversal of the sale after a refund gives back the rest and no more", () => {
		const host = new HostUnderTest();
		const { rrn } = host.sale();
		host.ask("refund", refund(rrn));
		assert.equal(host.reversal().code, "00");
		assert.deepEqual(nets(host), [0, 0]);
		assert.equal(host.acquirer.balance("chip"), card("chip").balanceMinor);
		host.restart();
		assert.deepEqual(nets(host), [0, 0]);
	});

	it("is never reversed: a 0400 over its number is refused with 64", () => {
		const host = new HostUnderTest();
		const { rrn } = host.sale();
		host.ask("refund", refund(rrn));
		assert.equal(host.reversal({ stan: 50, amountMinor: 500 }).code, "64");
		assert.equal(host.voidReversal({ stan: 50, amountMinor: 500, original: originalOf(1, 2) }).code, "64");
		assert.deepEqual(nets(host), [734, 734]);
	});
});

describe("host: void", () => {
	const request: Request = { stan: 60, original: originalOf(1, 2) };

	it("gives all of the sale back, once; a repeat gets the same answer byte for byte", () => {
		const host = new HostUnderTest();
		host.sale();
		const first = host.ask("void", request);
		assert.deepEqual([first.mti, first.code, first.macRight], ["0210", "00", true]);
		assert.equal(toHex(host.ask("void", request).frame), toHex(first.frame));
		assert.deepEqual(nets(host), [0, 0]);
		assert.equal(host.ask("void", { ...request, stan: 61 }).code, "12", "at most one");
		assert.deepEqual(nets(host), [0, 0]);
		assert.equal(host.sale().code, "00", "a repeat of the sale still tells how it was answered");
		assert.deepEqual(nets(host), [0, 0]);
	});

	it("its reversal makes the sale stand again; then it can be voided anew", () => {
		const host = new HostUnderTest();
		host.sale();
		host.ask("void", request);
		assert.equal(host.voidReversal(request).code, "00");
		assert.equal(host.voidReversal(request).code, "00");
		assert.deepEqual(nets(host), [1234, 1234]);
		assert.equal(host.ask("void", request).code, "12", "after its reversal");
		assert.equal(host.ask("void", { ...request, stan: 61 }).code, "00");
		assert.deepEqual(nets(host), [0, 0]);
		host.restart();
		assert.deepEqual(nets(host), [0, 0]);
	});

	it("its reversal before it buries it: the late void is refused with 12", () => {
		const host = new HostUnderTest();
		host.sale();
		assert.equal(host.voidReversal(request).code, "25");
		host.restart();
		assert.equal(host.ask("void", request).code, "12");
		assert.deepEqual(nets(host), [1234, 1234]);
	});

	it("a crash in its middle is taken back by its reversal, or completed by its repeat", () => {
		for (const mend of ["reversal", "repeat"]) {
			const host = new HostUnderTest();
			host.sale();
			host.faults.arm("crash");
			host.send("0200", { ...request, processingCode: "200000", type: "23" });
			host.restart();
			assert.deepEqual(nets(host), [0, 1234]);
			if (mend === "repeat") assert.equal(host.ask("void", request).code, "00");
			else assert.equal(host.voidReversal(request).code, "00");
			assert.deepEqual(nets(host), mend === "repeat" ? [0, 0] : [1234, 1234]);
		}
	});

	it("a crash in its reversal is finished by the restart", () => {
		const host = new HostUnderTest();
		host.sale();
		host.ask("void", request);
		host.faults.arm("crash");
		host.send("0400", { ...request, processingCode: "200000", type: "23" });
		host.restart();
		assert.deepEqual(nets(host), [1234, 1234]);
	});

	it("reversed after its sale was reversed, too, it does not bring the sale back", () => {
		const host = new HostUnderTest();
		host.sale();
		host.ask("void", request);
		assert.equal(host.reversal().code, "00");
		assert.equal(host.voidReversal(request).code, "00");
		assert.deepEqual(nets(host), [0, 0]);
		host.restart();
		assert.deepEqual(nets(host), [0, 0]);
		assert.equal(host.acquirer.balance("chip"), card("chip").balanceMinor);
	});

	it("reversed after the card has spent the money, it is owed below zero", () => {
		const host = new HostUnderTest();
		host.sale({ card: "poor", amountMinor: 100 });
		host.ask("void", { ...request, card: "poor", amountMinor: 100 });
		host.sale({ card: "poor", amountMinor: 80, stan: 3 });
		assert.equal(host.voidReversal({ ...request, card: "poor", amountMinor: 100 }).code, "00");
		assert.equal(host.acquirer.balance("poor"), -80);
		assert.equal(host.sale({ card: "poor", amountMinor: 1, stan: 4 }).code, "51");
		host.restart();
		assert.equal(host.acquirer.balance("poor"), -80);
	});

	it("unknown original 25, other amount or card 64, refunded in part 12", () => {
		const host = new HostUnderTest();
		const { rrn } = host.sale();
		assert.equal(host.ask("void", { stan: 61, original: originalOf(1, 9) }).code, "25");
		assert.equal(host.ask("void", { ...request, stan: 62, amountMinor: 1233 }).code, "64");
		assert.equal(host.ask("void", { ...request, stan: 63, card: "contactless" }).code, "64");
		host.ask("refund", { stan: 64, amountMinor: 1, original: originalOf(0, 0), rrn });
		assert.equal(host.ask("void", { ...request, stan: 65 }).code, "12");
		assert.deepEqual(nets(host), [1233, 1233]);
	});
});

describe("host: questions", () => {
	it("last-transaction query: approved, declined, taken back, unknown; no ledger moves", () => {
		const host = new HostUnderTest();
		const sale = host.sale();
		host.sale({ stan: 3, card: "poor" });
		host.sale({ stan: 4 });
		host.reversal({ stan: 4 });
		host.sale({ stan: 5 });
		host.ask("void", { stan: 6, original: originalOf(1, 5) });
		const before = host.store.load("acquirer").length;
		const ask = (stan: number) => host.ask("query", { stan: 100 + stan, original: originalOf(1, stan).slice(0, 12) });
		const found = ask(2);
		assert.deepEqual(
			[found.code, found.amountMinor, found.rrn, found.authorization, found.macRight],
			["00", 1234, sale.rrn, sale.authorization, true],
		);
		assert.deepEqual(
			[3, 4, 5, 6, 7].map((stan) => ask(stan).code),
			["51", "12", "12", "00", "25"],
		);
		assert.equal(host.store.load("acquirer").length, before);
	});

	it("balance: told to who knows the PIN, with its sign, and not to others", () => {
		const host = new HostUnderTest();
		const answer = host.ask("balance", { card: "magstripe-19" });
		assert.deepEqual([answer.code, answer.balance], ["00", "1002156C001000000000"]);
		const refused = host.ask("balance", { card: "magstripe-19", pin: "9999", stan: 3 });
		assert.deepEqual([refused.code, refused.balance], ["55", ""]);
		assert.equal(host.ask("balance", { card: "lost", stan: 4 }).code, "41");
		assert.equal(host.acquirer.statement().entries.length, 0);
	});

	it("writes no card number into events or ledgers, whatever kind of message", () => {
		const host = new HostUnderTest();
		const { rrn } = host.sale();
		host.ask("refund", { stan: 50, amountMinor: 1, original: originalOf(0, 0), rrn });
		host.ask("resend", { stan: 51, original: originalOf(1, 2) });
		host.ask("balance", { stan: 52, card: "magstripe-19" });
		host.ask("offlineSale", { stan: 53 });
		const text = JSON.stringify([
			host.events,
			...(["issuer", "acquirer", "merchant"] as const).map((l) => host.store.load(l)),
		]);
		for (const { pan } of TEST_CARDS) assert.equal(text.includes(pan), false);
	});
});
