/**
 * What the lines of a terminal's log say of broken promises: restarts, boots that come to no end, and what can never be
 * sent.
 * @module
 */
import type { ErrorCode } from "../../src/core/errors";

const RESTART = "restart: ";
const BOOT = "boot: ";
/** Flash reads one way and then another, or does not take what is written: the next boot may be luckier. */
const FLASH_FAILS: readonly (string | undefined)[] = ["damaged", "flash"] satisfies ErrorCode[];
/** How an error's message ends: code, and what goes with it (core/errors.ts). */
const CODE =
	/: (length|charset|range|format|overflow|duplicate|order|unknown|missing|mismatch|full|flash|unprovisioned|foreign|newer|damaged|auth|state)(, .*)?$/;

/**
 * @param text - of a line of level E
 * @param worn - blocks of this terminal's flash are worn out
 * @returns the invariant that it says is broken, "world" where it names none; undefined: none
 */
export function brokenBy(tag: string, text: string, worn: boolean): string | undefined {
	if (tag === "saf") return text.includes("cannot be built") ? "I3" : undefined;
	if (tag !== "terminal") return undefined;
	if (text.startsWith(RESTART)) return brokenByRestart(text.slice(RESTART.length));
	// A boot that fails for anything else fails again.
	if (text.startsWith(BOOT)) return codeOf(text) === "damaged" ? undefined : "I7";
	if (text.startsWith("journal damaged")) return worn ? undefined : "I7";
	return text.startsWith("journal") ? "I7" : undefined;
}

/** The firmware has asked for it: our own bug, but where flash has failed. */
function brokenByRestart(what: string): string | undefined {
	const code = codeOf(what);
	if (code === "full") return "I8";
	if (FLASH_FAILS.includes(code)) return undefined;
	const [invariant] = /^I\d+/.exec(what) ?? ["world"];
	return invariant;
}

/** Code of an error in its message; undefined for an assertion, or something that nobody has foreseen. */
function codeOf(message: string): string | undefined {
	return CODE.exec(message)?.[1];
}
