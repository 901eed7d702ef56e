/**
 * Goal: the check that everything else is judged by can fail, each way it is meant to.
 * Method: ledgers and a notebook that agree, then one thing changed at a time.
 */
import { strict as assert } from "node:assert";
import type { LedgerEntry } from "../../../host-sim/acquirer/statement";
import { checkMoney, checkMoneyOfAll, type Witness } from "../../../host-sim/world/check-money";
import type { MoneyPromise } from "../../../host-sim/world/people";
import type { Told } from "../../../src/ports";

const SALE: LedgerEntry = {
	key: "m/t/1/7",
	terminalId: "t",
	batch: 1,
	stan: 7,
	amountMinor: 1_000,
	cardNetMinor: 1_000,
	merchantNetMinor: 1_000,
	debits: 1,
	reversals: 0,
	code: "00",
	reversed: false,
};
const TAKEN_BACK: LedgerEntry = { ...SALE, cardNetMinor: 0, merchantNetMinor: 0, reversals: 1, reversed: true };

function told(what: Told | undefined, amountMinor = 1_000): Witness {
	return {
		told: () => what,
		toldAmount: () => (what === undefined ? undefined : amountMinor),
		stans: () => (what === undefined ? [] : [7]),
	};
}

describe("the check of the money (I6)", () => {
	const good: [string, LedgerEntry[], Witness][] = [
		["paid, one debit and one credit", [SALE], told("paid")],
		["not charged, and taken back", [TAKEN_BACK], told("notCharged")],
		["not charged, and the host knows nothing", [], told("notCharged")],
		["nothing told, and taken back", [TAKEN_BACK], told(undefined)],
	];
	for (const [name, entries, till] of good) {
		it(`holds for: ${name}`, () => {
			const report = checkMoney(entries, till);
			assert.deepEqual([report.oneSided, report.conserved], [0, true]);
		});
	}

	const bad: [string, LedgerEntry[], Witness][] = [
		["paid, and the host knows nothing", [], told("paid")],
		["paid, and taken back", [TAKEN_BACK], told("paid")],
		["paid, the merchant not credited", [{ ...SALE, merchantNetMinor: 0 }], told("paid")],
		["paid another amount than was debited", [SALE], told("paid", 999)],
		["not charged, and the debit stands", [SALE], told("notCharged")],
		["not charged, the card debited and nobody credited", [{ ...SALE, merchantNetMinor: 0 }], told("notCharged")],
		["not charged, and the merchant is credited", [{ ...SALE, cardNetMinor: 0 }], told("notCharged")],
		["nothing told, and the debit stands", [SALE], told(undefined)],
		["two movements under one number", [SALE, { ...SALE, batch: 2, key: "m/t/2/7" }], told("paid")],
	];
	for (const [name, entries, till] of bad) {
		it(`fails for: ${name}`, () => {
			const report = checkMoney(entries, till);
			assert.deepEqual([report.oneSided, report.conserved], [1, false]);
		});
	}
});

const OFFLINE: MoneyPromise = {
	terminalId: "t",
	kind: "offlineSale",
	batch: 1,
	stan: 7,
	amountMinor: 1_000,
	originalBatch: 0,
	originalStan: 0,
};
const REFUND: MoneyPromise = {
	...OFFLINE,
	kind: "refund",
	stan: 9,
	amountMinor: 400,
	originalBatch: 1,
	originalStan: 7,
};
const RESEND: MoneyPromise = { ...REFUND, kind: "resend", amountMinor: 1_000 };
const DECLINED: LedgerEntry = { ...SALE, cardNetMinor: 0, merchantNetMinor: 0, debits: 0, code: "51" };
/** What is left of the sale, and the refund that has taken the rest. */
const LESS: LedgerEntry = { ...SALE, cardNetMinor: 600, merchantNetMinor: 600 };
const GIVEN: LedgerEntry = {
	...SALE,
	key: "m/t/1/9",
	stan: 9,
	amountMinor: 400,
	cardNetMinor: 0,
	merchantNetMinor: 0,
	debits: 0,
	refund: { type: "refund", original: "m/t/1/7" },
};
const REFUSED: LedgerEntry = { ...GIVEN, code: "64" };
const CUT = { stan: 0, batch: 0 };

describe("the check of the money of what was promised without a screen (I6)", () => {
	const nothing = told(undefined);
	const paid = told("paid");
	const good: [string, LedgerEntry[], Witness, MoneyPromise[]][] = [
		["an offline sale that the host has debited", [SALE], nothing, [OFFLINE]],
		["an offline sale that the issuer has declined: a loss", [DECLINED], nothing, [OFFLINE]],
		["a refund: both nets of its sale are less by it, once", [LESS, GIVEN], paid, [REFUND]],
		["a refund of an offline sale", [LESS, GIVEN], nothing, [OFFLINE, REFUND]],
		[
			"a refund of more than was left of its sale, refused",
			[
				{ ...LESS, cardNetMinor: 300, merchantNetMinor: 300 },
				{ ...GIVEN, amountMinor: 700 },
				{ ...REFUSED, stan: 11, key: "m/t/1/11" },
			],
			paid,
			[
				{ ...REFUND, amountMinor: 700 },
				{ ...REFUND, stan: 11 },
			],
		],
		["a resend of a sale that stands", [SALE], paid, [RESEND]],
		["a call in which power went, and the host has heard of it", [SALE], nothing, [{ ...OFFLINE, ...CUT }]],
		["a call in which power went, and the host has not", [], nothing, [{ ...OFFLINE, ...CUT }]],
		["a refund in which power went, and the host has heard of it", [LESS, GIVEN], paid, [{ ...REFUND, ...CUT }]],
		["a refund in which power went, and the host has not", [SALE], paid, [{ ...REFUND, ...CUT }]],
	];
	for (const [name, entries, till, promises] of good) {
		it(`holds for: ${name}`, () => {
			const report = checkMoney(entries, till, promises);
			assert.deepEqual(
				report.rows.filter(({ wrong }) => wrong !== undefined),
				[],
			);
			assert.deepEqual([report.oneSided, report.conserved], [0, true]);
		});
	}

	const bad: [string, LedgerEntry[], Witness, MoneyPromise[]][] = [
		["an offline sale that the host knows nothing of", [], nothing, [OFFLINE]],
		["an offline sale that was taken back", [TAKEN_BACK], nothing, [OFFLINE]],
		[
			"an offline sale of another amount",
			[{ ...SALE, amountMinor: 900, cardNetMinor: 900, merchantNetMinor: 900 }],
			nothing,
			[OFFLINE],
		],
		["an offline sale that was declined, and money moved", [{ ...DECLINED, cardNetMinor: 1_000 }], nothing, [OFFLINE]],
		["an offline sale that was declined and reversed", [{ ...DECLINED, reversed: true }], nothing, [OFFLINE]],
		["an offline sale of which the till tells that it was not charged", [TAKEN_BACK], told("notCharged"), [OFFLINE]],
		[
			"a debit after a cut that promised another amount",
			[{ ...SALE, amountMinor: 7, cardNetMinor: 7, merchantNetMinor: 7 }],
			nothing,
			[{ ...OFFLINE, ...CUT }],
		],
		[
			"a second debit for one call in which power went",
			[SALE, { ...SALE, stan: 8, key: "m/t/1/8" }],
			nothing,
			[{ ...OFFLINE, ...CUT }],
		],
		["a refund that nobody has promised", [LESS, GIVEN], paid, []],
		["a refund that the host knows nothing of", [SALE], paid, [REFUND]],
		["a refund that has given nothing", [SALE, GIVEN], paid, [REFUND]],
		["a refund that has given twice", [{ ...SALE, cardNetMinor: 200, merchantNetMinor: 200 }, GIVEN], paid, [REFUND]],
		["a refund that the merchant has not paid", [{ ...LESS, merchantNetMinor: 1_000 }, GIVEN], paid, [REFUND]],
		["a refund of another amount", [LESS, GIVEN], paid, [{ ...REFUND, amountMinor: 399 }]],
		["a refund of another sale", [LESS, GIVEN], paid, [{ ...REFUND, originalStan: 5 }]],
		["a refund that was refused though its sale stands", [SALE, REFUSED], paid, [REFUND]],
		["a refund that was reversed", [SALE, { ...GIVEN, reversed: true }], paid, [REFUND]],
		["a refund of what was told not charged", [LESS, GIVEN], told("notCharged"), [REFUND]],
		["a void", [LESS, { ...GIVEN, refund: { type: "void", original: "m/t/1/7" } }], paid, [REFUND]],
		[
			"a resend that has moved money under its own number",
			[SALE, { ...SALE, stan: 9, key: "m/t/1/9" }],
			paid,
			[RESEND],
		],
		["a resend whose original is nowhere", [], nothing, [RESEND]],
	];
	for (const [name, entries, till, promises] of bad) {
		it(`fails for: ${name}`, () => {
			const report = checkMoney(entries, till, promises);
			assert.equal(report.conserved, false);
			assert.ok(report.oneSided >= 1);
		});
	}

	it("counts losses and refunds", () => {
		const loss = checkMoney([DECLINED], nothing, [OFFLINE]);
		assert.deepEqual([loss.losses, loss.lossMinor], [1, 1_000]);
		const refund = checkMoney([LESS, GIVEN], paid, [REFUND]);
		assert.deepEqual([refund.refunds, refund.refundedMinor], [1, 400]);
	});
});

describe("the check of the money of several terminals on one host (I6)", () => {
	const other: LedgerEntry = { ...TAKEN_BACK, key: "m/u/1/7", terminalId: "u" };
	const books = [
		{ terminalId: "t", till: told("paid"), promises: [] },
		{ terminalId: "u", till: told("notCharged"), promises: [] },
	];

	it("two terminals may use one number", () => {
		assert.deepEqual(checkMoneyOfAll([SALE, other], books).oneSided, 0);
	});

	it("fails where the money of one is with the other", () => {
		const report = checkMoneyOfAll(
			[
				{ ...SALE, terminalId: "u" },
				{ ...other, terminalId: "t" },
			],
			books,
		);
		assert.equal(report.oneSided, 2);
	});

	it("fails where a debit stands in each book that only one was told of", () => {
		assert.equal(checkMoneyOfAll([SALE, { ...SALE, terminalId: "u", key: "m/u/1/7" }], books).oneSided, 1);
	});

	it("fails for a terminal that is nobody's", () => {
		const report = checkMoneyOfAll([SALE, other, { ...TAKEN_BACK, terminalId: "v", key: "m/v/1/7" }], books);
		assert.equal(report.oneSided, 1);
	});

	it("a promise counts for its own terminal only", () => {
		const silent = books.map((book) => ({ ...book, till: told(undefined), promises: [OFFLINE] }));
		assert.equal(checkMoneyOfAll([SALE], silent).oneSided, 0);
		assert.equal(checkMoneyOfAll([{ ...SALE, terminalId: "u" }], silent).oneSided, 2);
	});
});
