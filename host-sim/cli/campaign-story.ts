/**
 * The story of one world as a person reads it: a timeline, then the verdict.
 * @module
 */
import { COVERAGE_GROUPS } from "../world/coverage";
import type { StoryLine, StorySource, WorldOptions, WorldReport } from "../world/report";
import { replayCommand } from "./campaign-options";
import { grouped } from "./campaign-print";

/** What only a developer wants to read: every frame, every line of a terminal's log. */
const DETAILS: readonly StorySource[] = ["log", "link"];
const ZONE_MS = 8 * 3_600_000;
const STEP_WIDTH = 8;
const SOURCE_WIDTH = 6;

/** Lines of the timeline: step, local time (UTC+8), terminal, who, what. */
export class StoryPrinter {
	readonly #write: (line: string) => void;
	readonly #details: boolean;
	#day = "";

	constructor(write: (line: string) => void, details: boolean) {
		this.#write = write;
		this.#details = details;
	}

	line({ step, atMs, terminal, source, text }: StoryLine): void {
		if (!this.#details && DETAILS.includes(source)) return;
		const [day, time] = localTime(atMs);
		if (day !== this.#day) this.#write(`${" ".repeat(STEP_WIDTH)}  ${day}`);
		this.#day = day;
		const who = terminal < 0 ? "  " : `T${terminal}`;
		const words = text.replace(/\s+/g, " ").trimEnd();
		this.#write(`${String(step).padStart(STEP_WIDTH)}  ${time}  ${who}  ${source.padEnd(SOURCE_WIDTH)}  ${words}`);
	}
}

/** What came of it. */
export function verdictLines(report: WorldReport, options: WorldOptions): string[] {
	const { terminals, sales, approved, reversed, powerCuts, steps, virtualMs, failures, strikes, hash } = report;
	const stopped = options.untilStep !== undefined && steps >= options.untilStep;
	const hours = (virtualMs / 3_600_000).toFixed(1);
	return [
		"",
		`seed ${report.seed}: ${terminals} terminal${terminals === 1 ? "" : "s"}, ${sales} sales, ${approved} approved, ` +
			`${reversed} reversed, ${powerCuts} power cuts, ${strikes.length} strikes, ` +
			`${grouped(steps)} steps, ${hours} h of virtual time`,
		...coverageInShort(report),
		`hash ${hash}`,
		...failures.flatMap(({ invariant, step, atMs, terminal, text }) => [
			`FAILED ${invariant} at step ${step}, ${localTime(atMs).join(" ")}` +
				`${terminal < 0 ? "" : `, terminal ${terminal}`}: ${text}`,
		]),
		verdict(failures.length, stopped ? options.untilStep : undefined, options),
	];
}

function verdict(failures: number, untilStep: number | undefined, options: WorldOptions): string {
	if (failures > 0) return `FAILED: ${replayCommand(options)}`;
	if (untilStep !== undefined) return `stopped at step ${untilStep}: nothing was broken so far, and nothing is judged`;
	return "no promise was broken";
}

/** A line for each group: faults with their counts, the others as so many of so many. */
function coverageInShort({ coverage }: WorldReport): string[] {
	return COVERAGE_GROUPS.filter(({ keys }) => keys.length > 0).map(({ prefix, title, keys }) => {
		const done = keys.filter((key) => (coverage[key] ?? 0) > 0);
		const counts = done.map((key) => `${key.slice(prefix.length + 1)} ${coverage[key]}`);
		const short = title.replace(/ \(.*\)$/, "");
		return `${short}: ${done.length} of ${keys.length}${done.length === 0 ? "" : `: ${counts.join(", ")}`}`;
	});
}

/** @returns day, and time to the millisecond, eight hours ahead of UTC */
function localTime(atMs: number): [string, string] {
	const text = new Date(atMs + ZONE_MS).toISOString();
	return [text.slice(0, 10), text.slice(11, 23)];
}
