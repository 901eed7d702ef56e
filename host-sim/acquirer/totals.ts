/**
 * DE 48 of a settlement: [debit amount 12, count 3, credit amount 12, count 3, result 1] domestic, then foreign.
 * Source: PROTOCOL.md, "Messages"; test/vectors/unionpay.json, settlement.
 * @module
 */
import { CodedError } from "../../src/core/errors";

/** The result digit of an answer. */
export const RESULT_BALANCED = 1;
export const RESULT_UNBALANCED = 2;
export const RESULT_ERROR = 3;

/** One side of DE 48. Amounts in minor units. */
export interface Totals {
	readonly debitMinor: number;
	readonly debits: number;
	readonly creditMinor: number;
	readonly credits: number;
	/** 0 in a request. */
	readonly result: number;
}

/** No foreign cards in this simulation. */
export const NO_TOTALS: Totals = Object.freeze({ debitMinor: 0, debits: 0, creditMinor: 0, credits: 0, result: 0 });

const SIDE_DIGITS = 31;
export const TOTALS_DIGITS = 2 * SIDE_DIGITS;
/** Three digits. */
export const COUNT_MAX = 999;

/** @param foreign - the second half. @throws {CodedError} "length" | "charset" */
export function readTotals(text: string, foreign = false): Totals {
	if (text.length !== TOTALS_DIGITS) throw new CodedError("length", "DE 48", `${text.length} digits`);
	if (!/^[0-9]*$/.test(text)) throw new CodedError("charset", "DE 48");
	const start = foreign ? SIDE_DIGITS : 0;
	const part = (from: number, to: number): number => Number(text.slice(start + from, start + to));
	return {
		debitMinor: part(0, 12),
		debits: part(12, 15),
		creditMinor: part(15, 27),
		credits: part(27, 30),
		result: part(30, 31),
	};
}

/** @throws {CodedError} "range" for a count or an amount that has too many digits: a total is never clipped */
export function writeTotals(domestic: Totals, foreign: Totals): string {
	return writeSide(domestic) + writeSide(foreign);
}

export function sameTotals(a: Totals, b: Totals): boolean {
	const amounts = a.debitMinor === b.debitMinor && a.creditMinor === b.creditMinor;
	return amounts && a.debits === b.debits && a.credits === b.credits;
}

function writeSide({ debitMinor, debits, creditMinor, credits, result }: Totals): string {
	return digits(debitMinor, 12) + digits(debits, 3) + digits(creditMinor, 12) + digits(credits, 3) + digits(result, 1);
}

function digits(value: number, count: number): string {
	const text = `${value}`.padStart(count, "0");
	if (text.length !== count) throw new CodedError("range", "DE 48", `more than ${count} digits`);
	return text;
}
