/**
 * What happens in a scenario, a line at a time, for people: when, who, and what, in both languages. What the terminal says
 * is what its screen says.
 * @module
 */
import { formatAmount } from "../../src/core/money";
import type { Screen, ScreenName } from "../../src/ports";
import { amountText, screenLines, stanText } from "../../src/ui/texts";
import type { Words } from "./scenario";

export const WHO = ["terminal", "host", "bank", "cashier", "customer", "line", "power"] as const;
export type Who = (typeof WHO)[number];

export interface TimelineLine {
	/** Virtual wall time, ms since 1970. */
	readonly timeMs: number;
	readonly who: Who;
	readonly words: Words;
	/** It is what the screen says. */
	readonly screen?: Screen;
}

/** Between two customers, and on the way to a result: said by what follows. */
const PASSING: readonly ScreenName[] = [
	"ready",
	"signingOn",
	"connecting",
	"presentCard",
	"enterPin",
	"waitForHost",
	"sendingReversals",
];

/** @returns what the screen says in one line of each language; undefined for one that only leads to another */
export function screenWords(screen: Screen): Words | undefined {
	if (PASSING.includes(screen.name)) return undefined;
	return { zh: screenLines(screen, "zh").join(" "), en: screenLines(screen, "en").join(" ") };
}

/** "¥88.00". */
export const yuan = (amountMinor: number): string => `¥${formatAmount(amountMinor)}`;

export const sale = (stan: number, amountMinor: number): string => `#${stanText(stan)} ${amountText(amountMinor)}`;
