/**
 * Screens and slips drawn with characters: what the person at a command line sees of the terminal.
 * @module
 */
import type { Screen, Slip } from "../../src/ports";
import { padRight } from "../../src/ui/columns";
import { SLIP_COLUMNS, slipLines } from "../../src/ui/slips";
import { type Language, SCREEN_COLUMNS, screenLines } from "../../src/ui/texts";

/** A display: a solid frame. */
export function drawScreen(screen: Screen, language: Language): string {
	const edge = "─".repeat(SCREEN_COLUMNS + 2);
	const lines = screenLines(screen, language).map((line) => `│ ${padRight(line, SCREEN_COLUMNS)} │`);
	return [`┌${edge}┐`, ...lines, `└${edge}┘`].join("\n");
}

/** Paper: torn above and below. */
export function drawSlip(slip: Slip, language: Language): string {
	const edge = "~".repeat(SLIP_COLUMNS + 4);
	const lines = slipLines(slip, language).map((line) => `| ${padRight(line, SLIP_COLUMNS)} |`);
	return [edge, ...lines, edge].join("\n");
}

/** A screen in one line, for a list of events. */
export function screenLine(screen: Screen, language: Language): string {
	return screenLines(screen, language).join(" | ");
}
