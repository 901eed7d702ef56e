/** Card numbers in texts that anybody may read. */
import type { TestCard } from "../../host-sim/test-cards";
import { must } from "./target";

/** Digits in a row that give a number away: with at least four of those that are never shown. */
const WINDOW_DIGITS = 10;
const SHOWN_FIRST = 6;
const SHOWN_LAST = 4;
const HIDDEN_MIN = 4;

/** The test merchant's number, of which digits in a row stand in test card numbers too. */
const PUBLIC = "123456789012345";

/** What no text may hold. */
export function cardWindows(cards: readonly TestCard[]): string[] {
	const windows = new Set<string>();
	for (const { pan } of cards) for (const window of windowsOf(pan)) if (!PUBLIC.includes(window)) windows.add(window);
	return [...windows];
}

/** Rows of digits of which at least four are never shown, when the first six and the last four are. */
export function windowsOf(digits: string): string[] {
	const windows: string[] = [];
	for (let at = 0; at + WINDOW_DIGITS <= digits.length; at++) {
		const hidden = Math.min(at + WINDOW_DIGITS, digits.length - SHOWN_LAST) - Math.max(at, SHOWN_FIRST);
		if (hidden >= HIDDEN_MIN) windows.push(digits.slice(at, at + WINDOW_DIGITS));
	}
	return windows;
}

export function showsCard(windows: readonly string[], text: string): boolean {
	return windows.some((window) => text.includes(window));
}

export function mustShowNoCard(windows: readonly string[], text: string): void {
	must(!showsCard(windows, text), "secret", `a card number in: ${text}`);
}
