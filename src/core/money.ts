/**
 * Money is a count of minor units (fen) in a safe integer of at most 12 digits; it is never a fraction.
 * @module
 */
import { CodedError } from "./errors";

/** Twelve digits, the length of DE 4 (ISO 8583:1987). */
export const AMOUNT_MINOR_MAX = 999_999_999_999;

/** @throws {CodedError} "range" unless it is an integer from 0 to twelve digits */
export function checkAmount(amountMinor: number, place = "amount"): number {
	if (!Number.isSafeInteger(amountMinor) || amountMinor < 0) throw new CodedError("range", place);
	if (amountMinor > AMOUNT_MINOR_MAX) throw new CodedError("overflow", place, "more than 12 digits");
	return amountMinor;
}

/** Sum of two amounts. @throws {CodedError} "overflow" beyond twelve digits: a total is never clipped */
export function addAmount(a: number, b: number, place = "amount"): number {
	return checkAmount(checkAmount(a, place) + checkAmount(b, place), place);
}

/** Difference that must not be negative. @throws {CodedError} "range" when it is */
export function subtractAmount(a: number, b: number, place = "amount"): number {
	return checkAmount(checkAmount(a, place) - checkAmount(b, place), place);
}

/**
 * Reads what a person types: "12", "12.3", "12.34".
 * @returns minor units
 * @throws {CodedError} "format" for anything else, "overflow" beyond twelve digits
 */
export function parseAmount(text: string, place = "amount"): number {
	const match = /^(\d{1,13})(?:\.(\d{1,2}))?$/.exec(text);
	if (match === null) throw new CodedError("format", place, "digits with at most two decimals, e.g. 12.34");
	const fraction = (match[2] ?? "").padEnd(2, "0");
	return checkAmount(Number(match[1]) * 100 + Number(fraction), place);
}

/** "1234.56": two decimals, no grouping, exact. */
export function formatAmount(amountMinor: number): string {
	const fraction = amountMinor % 100;
	return `${(amountMinor - fraction) / 100}.${fraction < 10 ? "0" : ""}${fraction}`;
}
