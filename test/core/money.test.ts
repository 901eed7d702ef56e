import { equal, throws } from "node:assert/strict";
import fc from "fast-check";
import {
	AMOUNT_MINOR_MAX,
	addAmount,
	checkAmount,
	formatAmount,
	parseAmount,
	subtractAmount,
} from "../../src/core/money";
import { coded } from "../iso8583/vector-helpers";

describe("core money", () => {
	it("reads what a person types, exactly", () => {
		equal(parseAmount("12"), 1200);
		equal(parseAmount("12.3"), 1230);
		equal(parseAmount("12.34"), 1234);
		equal(parseAmount("0.01"), 1);
		equal(parseAmount("0"), 0);
		equal(parseAmount("007.50"), 750);
		equal(parseAmount("1.1"), 110);
		equal(parseAmount("9999999999.99"), AMOUNT_MINOR_MAX);
	});

	it("refuses what is no amount", () => {
		for (const bad of [
			"",
			".",
			"1.",
			".5",
			"1.234",
			"-1",
			"+1",
			"1,5",
			"1e3",
			" 1",
			"1 ",
			"1\n",
			"abc",
			"0x10",
			"１",
		]) {
			throws(() => parseAmount(bad), coded("format", "amount"), JSON.stringify(bad));
		}
		throws(() => parseAmount("1".repeat(14)), coded("format"));
	});

	it("says overflow beyond twelve digits of minor units", () => {
		throws(() => parseAmount("10000000000"), coded("overflow", "amount"));
		throws(() => parseAmount("9999999999999.99"), coded("overflow"));
		throws(() => checkAmount(AMOUNT_MINOR_MAX + 1), coded("overflow"));
		throws(() => addAmount(AMOUNT_MINOR_MAX, 1, "total"), coded("overflow", "total"));
		equal(addAmount(AMOUNT_MINOR_MAX - 1, 1), AMOUNT_MINOR_MAX);
	});

	it("never is negative, fractional or unsafe", () => {
		for (const bad of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53]) {
			throws(() => checkAmount(bad), coded("range", "amount"), String(bad));
			throws(() => addAmount(1, bad), coded("range"));
			throws(() => subtractAmount(1, bad), coded("range"));
		}
		throws(() => subtractAmount(1, 2), coded("range"));
		throws(() => addAmount(5, -3), coded("range"));
		equal(subtractAmount(2, 2), 0);
	});

	it("formats with two decimals and parses back to the same (property)", () => {
		equal(formatAmount(0), "0.00");
		equal(formatAmount(5), "0.05");
		equal(formatAmount(123_456), "1234.56");
		equal(formatAmount(AMOUNT_MINOR_MAX), "9999999999.99");
		fc.assert(
			fc.property(fc.integer({ min: 0, max: AMOUNT_MINOR_MAX }), (amount) => {
				equal(parseAmount(formatAmount(amount)), amount);
			}),
			{ numRuns: 1000, seed: 14 },
		);
	});

	it("adds and subtracts back (property)", () => {
		const half = fc.integer({ min: 0, max: 499_999_999_999 });
		fc.assert(
			fc.property(half, half, (a, b) => equal(subtractAmount(addAmount(a, b), b), a)),
			{ numRuns: 300, seed: 15 },
		);
	});
});
