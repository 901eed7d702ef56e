import * as assert from "node:assert/strict";
import { toHex } from "../../../src/core/bytes";
import { CodedError } from "../../../src/core/errors";
import { card, HostUnderTest } from "./host-under-test";

describe("host: reversal", () => {
	it("gives the debit back, takes the merchant's credit back, and is the same however often it is repeated", () => {
		const host = new HostUnderTest();
		host.sale();
		const first = host.reversal();
		assert.deepEqual([first.mti, first.code, first.macRight], ["0410", "00", true]);
		for (let i = 0; i < 3; i++) {
			host.time.advance(100_000);
			assert.equal(toHex(host.reversal({ reason: "06" }).frame), toHex(first.frame));
		}
		const { cardNetMinor, merchantNetMinor, debits, reversals } = host.entry();
		assert.deepEqual([cardNetMinor, merchantNetMinor, debits, reversals], [0, 0, 1, 1]);
		assert.equal(host.acquirer.balance("chip"), card("chip").balanceMinor);
	});

	it("of an original nobody has seen is answered 25, each time, also after a restart", () => {
		const host = new HostUnderTest();
		assert.equal(host.reversal().code, "25");
		assert.equal(host.reversal().code, "25");
		host.restart();
		assert.equal(host.reversal().code, "25");
		assert.equal(host.acquirer.statement().totals.tombstones, 1);
	});

	it("comes before its original: the original is refused with 12 and never debits, also after a restart", () => {
		const host = new HostUnderTest();
		host.reversal();
		assert.equal(host.sale().code, "12");
		host.restart();
		assert.equal(host.sale().code, "12");
		assert.equal(host.reversal().code, "25");
		const { cardNetMinor, merchantNetMinor, debits } = host.entry();
		assert.deepEqual([cardNetMinor, merchantNetMinor, debits], [0, 0, 0]);
	});

	it("is followed by a repeat of its original: refused with 12, not approved again", () => {
		const host = new HostUnderTest();
		host.sale();
		host.reversal();
		assert.equal(host.sale().code, "12");
		assert.equal(host.entry().debits, 1);
		assert.equal(host.entry().cardNetMinor, 0);
	});

	it("of a declined sale is answered 00 and moves nothing", () => {
		const host = new HostUnderTest();
		const request = { card: "poor", amountMinor: 500 };
		assert.equal(host.sale(request).code, "51");
		assert.equal(host.reversal(request).code, "00");
		assert.equal(host.reversal(request).code, "00");
		assert.equal(host.acquirer.balance("poor"), 100);
		assert.equal(host.sale(request).code, "12");
	});

	it("over another amount or card than its original's is refused with 64 and moves nothing", () => {
		const host = new HostUnderTest();
		host.sale();
		assert.equal(host.reversal({ amountMinor: 1233 }).code, "64");
		assert.equal(host.reversal({ card: "contactless" }).code, "64");
		assert.equal(host.entry().cardNetMinor, 1234);
		assert.equal(host.reversal().code, "00", "the right one is still taken");
	});

	it("with a wrong MAC is answered A0 and neither reverses nor buries", () => {
		const host = new HostUnderTest();
		host.sale();
		assert.equal(host.reversal({ mac: "wrong" }).code, "A0");
		assert.equal(host.reversal({ mac: "wrong", stan: 3 }).code, "A0");
		assert.equal(host.entry().cardNetMinor, 1234);
		assert.equal(host.sale({ stan: 3 }).code, "00");
	});
});

describe("host: crash between two durable steps", () => {
	it("between debit and record leaves a debit without a credit, which the reversal takes back to net zero", () => {
		const host = new HostUnderTest();
		host.faults.arm("crash");
		assert.deepEqual(host.send("0200"), []);
		assert.deepEqual([host.crashes, host.acquirer.dead, host.hungUp], [1, true, true]);
		host.restart();
		const between = host.entry();
		assert.deepEqual([between.cardNetMinor, between.merchantNetMinor, between.code], [1234, 0, ""]);
		assert.equal(host.reversal().code, "00");
		const after = host.entry();
		assert.deepEqual([after.cardNetMinor, after.merchantNetMinor, after.debits, after.reversals], [0, 0, 1, 1]);
		assert.equal(host.sale().code, "12");
	});

	it("between debit and record is also mended by a repeat of the sale: one debit, one credit", () => {
		const host = new HostUnderTest();
		host.faults.arm("crash");
		host.send("0200");
		assert.equal(host.sale().code, "00");
		const { cardNetMinor, merchantNetMinor, debits } = host.entry();
		assert.deepEqual([cardNetMinor, merchantNetMinor, debits], [1234, 1234, 1]);
	});

	it("between debit and record: a reversal over another amount or card is refused by the issuer itself", () => {
		const host = new HostUnderTest();
		host.faults.arm("crash");
		host.send("0200");
		assert.equal(host.reversal({ amountMinor: 1233 }).code, "64");
		assert.equal(host.reversal({ card: "contactless" }).code, "64");
		host.restart();
		assert.equal(host.entry().cardNetMinor, 1234);
		assert.equal(host.reversal().code, "00");
		assert.equal(host.entry().cardNetMinor, 0);
	});

	it("after the record of a reversal is finished by the restart itself", () => {
		const host = new HostUnderTest();
		host.sale();
		host.faults.arm("crash");
		assert.deepEqual(host.send("0400"), []);
		host.restart();
		const { cardNetMinor, merchantNetMinor, reversals } = host.entry();
		assert.deepEqual([cardNetMinor, merchantNetMinor, reversals], [0, 0, 1]);
		assert.equal(host.reversal().code, "00");
	});

	it("after the record of a sale, before the merchant's credit, is finished by the restart itself", () => {
		const host = new HostUnderTest();
		host.sale();
		// The same store without the merchant's line: what a death between these two appends leaves.
		const { store } = host;
		const other = new HostUnderTest({
			store: {
				append: (ledger, entry) => store.append(ledger, entry),
				load: (ledger) => (ledger === "merchant" ? [] : store.load(ledger)),
			},
		});
		assert.equal(other.entry().merchantNetMinor, 1234);
	});

	it("drops the answers that were still to be sent", () => {
		const host = new HostUnderTest();
		host.faults.arm("answerLate");
		host.send("0200");
		host.faults.arm("crash");
		host.send("0200", { stan: 3 });
		assert.equal(host.time.pending, 0, "a dead host keeps no timer");
		host.time.advance(200_000);
		assert.equal(host.answers().length, 0);
	});

	it("does not answer when a ledger cannot be written, and gives up", () => {
		const host = new HostUnderTest();
		const broken = new HostUnderTest({
			store: {
				append: (ledger, entry) => {
					if (ledger === "acquirer") throw new CodedError("full", "acquirer ledger");
					host.store.append(ledger, entry);
				},
				load: (ledger) => host.store.load(ledger),
			},
		});
		assert.deepEqual(broken.send("0200"), []);
		assert.equal(broken.acquirer.dead, true);
		host.restart();
		assert.equal(host.reversal().code, "00");
		assert.equal(host.entry().cardNetMinor, 0);
	});
});
