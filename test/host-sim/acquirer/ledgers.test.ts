import * as assert from "node:assert/strict";
import { IssuerLedger } from "../../../host-sim/acquirer/issuer";
import { MemoryLedgerStore } from "../../../host-sim/acquirer/ledger-store";
import { MerchantLedger } from "../../../host-sim/acquirer/merchant";
import { isMovementKey, MovementMap } from "../../../host-sim/acquirer/movement";
import { AcquirerRecords, type ReversalRecord, type SaleRecord } from "../../../host-sim/acquirer/records";
import { SeededRandom } from "../../../host-sim/board/seeded-random";
import { TEST_CARDS } from "../../../host-sim/test-cards";
import { AssertionError } from "../../../src/core/assert";
import { CodedError } from "../../../src/core/errors";
import { card, NOW } from "./host-under-test";

const KEY = { merchantId: "123456789012345", terminalId: "12345678", batch: 1, stan: 2 };
const CHIP = card("chip");
const MASKED = "621234******1232";

// Each ledger keeps its rules alone: the acquirer in front of it could forget all of its own.
describe("host: issuer's ledger", () => {
	function open(store = new MemoryLedgerStore()): IssuerLedger {
		return new IssuerLedger(TEST_CARDS, store, new SeededRandom(1));
	}

	function authorize(issuer: IssuerLedger, amountMinor = 500): string {
		const { pan, expiry } = CHIP;
		return issuer.authorize({ key: KEY, pan, expiry, amountMinor, pin: undefined, at: NOW, month: "2611" }).code;
	}

	it("debits a movement once, whatever is repeated, and refuses another amount under its number", () => {
		const issuer = open();
		assert.deepEqual([authorize(issuer), authorize(issuer), authorize(issuer, 600)], ["00", "00", "94"]);
		assert.equal(issuer.balance("chip"), CHIP.balanceMinor - 500);
	});

	it("credits back once, exactly the debit, and never debits again", () => {
		const store = new MemoryLedgerStore();
		const issuer = open(store);
		authorize(issuer);
		assert.equal(issuer.reverse(KEY, "debit", MASKED, 499, NOW), "mismatch");
		assert.equal(issuer.reverse(KEY, "debit", MASKED, 500, NOW), "credited");
		assert.equal(issuer.reverse(KEY, "debit", MASKED, 500, NOW), "credited");
		assert.equal(authorize(issuer), "12");
		assert.equal(open(store).balance("chip"), CHIP.balanceMinor);
		assert.equal(store.load("issuer").length, 2);
	});

	it("refuses an original whose reversal was there before it", () => {
		const store = new MemoryLedgerStore();
		assert.equal(open(store).reverse(KEY, "debit", MASKED, 500, NOW), "unknown");
		assert.equal(authorize(open(store)), "12");
		assert.equal(open(store).balance("chip"), CHIP.balanceMinor);
	});

	it("gives back by refunds no more than the debit, to its own card, and nothing after its reversal", () => {
		const store = new MemoryLedgerStore();
		const issuer = open(store);
		authorize(issuer);
		const refund = (stan: number, amountMinor: number, maskedPan = MASKED): string =>
			issuer.refund({ key: { ...KEY, stan }, original: KEY, maskedPan, amountMinor, at: NOW });
		assert.deepEqual([refund(10, 501), refund(11, 200, "621234******4020"), refund(12, 0)], ["64", "64", "13"]);
		assert.deepEqual([refund(13, 300), refund(13, 300), refund(13, 200), refund(14, 201)], ["00", "00", "94", "64"]);
		assert.equal(refund(2, 100), "94", "the debit's own number");
		assert.equal(issuer.balance("chip"), CHIP.balanceMinor - 200);
		assert.equal(issuer.reverse(KEY, "debit", MASKED, 500, NOW), "credited");
		assert.equal(refund(15, 1), "12");
		assert.equal(open(store).balance("chip"), CHIP.balanceMinor);
	});

	it("a fact that breaks the rules is damage, not money: a refund beyond the debit, an undo of nothing", () => {
		const key = { ...KEY, stan: 9 };
		for (const fact of [
			{ kind: "refund", key, original: KEY, amountMinor: 501, at: NOW },
			{ kind: "refund", key, original: key, amountMinor: 1, at: NOW },
			{ kind: "refund", key, original: KEY, amountMinor: -5, at: NOW },
			{ kind: "refund", key, original: KEY, amountMinor: 0.5, at: NOW },
			{ kind: "undo", key: KEY, amountMinor: 500, at: NOW },
		]) {
			const store = new MemoryLedgerStore();
			authorize(open(store));
			store.append("issuer", fact);
			assert.throws(() => open(store), CodedError, JSON.stringify(fact));
		}
	});

	it("shows nothing in memory that the store has not taken", () => {
		const store = new MemoryLedgerStore();
		const issuer = open(store);
		store.append = () => {
			throw new Error("disk gone");
		};
		assert.throws(() => authorize(issuer), /disk gone/);
		assert.equal(issuer.balance("chip"), CHIP.balanceMinor);
		assert.equal(issuer.movement(KEY), undefined);
	});
});

describe("host: merchant's ledger and acquirer's records", () => {
	it("a movement is posted once, taken back once, and not posted after that", () => {
		const store = new MemoryLedgerStore();
		const merchant = new MerchantLedger(store);
		assert.deepEqual([merchant.credit(KEY, 500, NOW), merchant.credit(KEY, 500, NOW)], [true, false]);
		merchant.reverse(KEY, NOW);
		merchant.reverse(KEY, NOW);
		assert.equal(merchant.credit(KEY, 500, NOW), false);
		assert.equal(store.load("merchant").length, 2);
	});

	it("a movement reversed before it was posted is never posted, also after a restart", () => {
		const store = new MemoryLedgerStore();
		new MerchantLedger(store).reverse(KEY, NOW);
		assert.equal(new MerchantLedger(store).credit(KEY, 500, NOW), false);
	});

	it("takes back by refunds no more than was posted, and a void that is undone once", () => {
		const store = new MemoryLedgerStore();
		const merchant = new MerchantLedger(store);
		merchant.credit(KEY, 500, NOW);
		const other = { ...KEY, stan: 9 };
		merchant.refund(other, KEY, 500, NOW);
		merchant.refund(other, KEY, 500, NOW);
		assert.equal(merchant.movement(KEY)?.refundedMinor, 500);
		assert.throws(() => merchant.refund({ ...KEY, stan: 10 }, KEY, 1, NOW), AssertionError);
		merchant.reverse(other, NOW);
		merchant.reverse(other, NOW);
		assert.equal(new MerchantLedger(store).movement(KEY)?.refundedMinor, 0);
		assert.equal(store.load("merchant").length, 3);
	});

	it("I4 a batch is recorded once and only rises, also when it is read back", () => {
		const store = new MemoryLedgerStore();
		const records = new AcquirerRecords(store);
		const { merchantId, terminalId } = KEY;
		const batch = { kind: "batch" as const, merchantId, terminalId, batch: 3, at: NOW };
		records.addBatch(batch);
		assert.throws(() => records.addBatch(batch), AssertionError);
		assert.equal(new AcquirerRecords(store).batchGiven(KEY), 3);
		store.append("acquirer", { ...batch, batch: 2 });
		assert.throws(() => new AcquirerRecords(store), CodedError);
	});

	it("a record that contradicts an earlier one is our own bug, and is not written", () => {
		const store = new MemoryLedgerStore();
		const records = new AcquirerRecords(store);
		const common = { key: KEY, card: MASKED, amountMinor: 500, rrn: "112200000001", at: NOW };
		const sale: SaleRecord = { kind: "sale", ...common, code: "00", authorization: "A1B2C3" };
		const reversal: ReversalRecord = { kind: "reversal", ...common, reason: "98" };
		records.add(reversal);
		assert.throws(() => records.add(sale), AssertionError);
		assert.throws(() => records.add(reversal), AssertionError);
		assert.equal(store.load("acquirer").length, 1);
	});
});

describe("host: ledgers in memory", () => {
	it("nobody can change what was written: not its writer, not a reader, not the list that was read", () => {
		const store = new MemoryLedgerStore();
		const fact = { kind: "credit", key: { ...KEY }, amountMinor: 500, at: NOW };
		store.append("merchant", fact);
		assert.throws(() => {
			fact.amountMinor = 1;
		}, TypeError);
		assert.throws(() => {
			fact.key.stan = 1;
		}, TypeError);
		const read = store.load("merchant");
		assert.throws(() => Object.assign(read[0], { at: 0 }), TypeError);
		read.length = 0;
		assert.deepEqual(store.load("merchant"), [{ kind: "credit", key: KEY, amountMinor: 500, at: NOW }]);
	});
});

describe("host: movements", () => {
	it("are found by all four parts of their key, and come in the order they were added", () => {
		const map = new MovementMap<number>();
		const keys = [
			KEY,
			{ ...KEY, stan: 3 },
			{ ...KEY, batch: 2 },
			{ ...KEY, terminalId: "12345677" },
			{ ...KEY, merchantId: "123456789012346" },
			// No number runs into the next batch.
			{ ...KEY, batch: 1, stan: 999_999 },
			{ ...KEY, batch: 2, stan: 0 },
		];
		for (const [n, key] of keys.entries()) {
			assert.equal(map.get(key), undefined);
			map.add(key, n);
		}
		assert.deepEqual(
			keys.map((key) => map.get({ ...key })),
			keys.map((_, n) => n),
		);
		assert.deepEqual([...map.values()], [0, 1, 2, 3, 4, 5, 6]);
		assert.throws(() => map.add({ ...KEY }, 9), AssertionError);
	});

	it("numbers that no message can carry are no key: what a file holds of them is damage", () => {
		for (const part of [{ stan: 1_000_000 }, { stan: -1 }, { stan: 1.5 }, { batch: 1_000_000 }, { terminalId: 7 }]) {
			assert.equal(isMovementKey({ ...KEY, ...part }), false, JSON.stringify(part));
			const store = new MemoryLedgerStore();
			store.append("merchant", { kind: "credit", key: { ...KEY, ...part }, amountMinor: 500, at: NOW });
			assert.throws(() => new MerchantLedger(store), CodedError);
		}
	});
});
