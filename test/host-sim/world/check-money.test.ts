/**
 * Goal: the check that everything else is judged by can fail, each way it is meant to.
 * Method: ledgers and a notebook that agree, then one thing changed at a time.
 */
import { strict as assert } from "node:assert";
import type { LedgerEntry } from "../../../host-sim/acquirer/statement";
import { checkMoney, type Witness } from "../../../host-sim/world/check-money";
import type { Told } from "../../../src/ports";

const SALE: LedgerEntry = {
	key: "m/t/1/7",
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
