/**
 * The story of one world as a person reads it: a timeline, then the verdict.
 * @module
 */
import { COVERAGE_GROUPS } from "../world/coverage";
import type { StoryLine, StorySource, WorldOptions, WorldReport } from "../world/report";
import { replayCommand } from "./campaign-options";
import { counted, grouped } from "./campaign-print";

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
	const hours = (virtualMs / 3_600_000).toFixed(1);
	return [
		"",
		`seed ${report.seed}: ${counted(terminals, "terminal")}, ${counted(sales, "sale")}, ${grouped(approved)} approved, ` +
			`${grouped(reversed)} reversed, ${counted(powerCuts, "power cut")}, ${counted(strikes.length, "strike")}, ` +
			`${counted(steps, "step")}, ${hours} h of virtual time`,
		...coverageInShort(report),
		`hash ${hash}`,
		...failures.flatMap(({ invariant, step, atMs, terminal, text }) => [
			`FAILED ${invariant} at step ${step}, ${localTime(atMs).join(" ")}` +
				`${terminal < 0 ? "" : `, terminal ${terminal}`}: ${text}`,
		]),
		...unstruckLines(report, options),
		verdict(report, options),
	];
}

/** The run was cut short by `untilStep`: nothing can be said of what would have come. */
function stopped({ steps }: WorldReport, { untilStep }: WorldOptions): boolean {
	return untilStep !== undefined && steps >= untilStep;
}

/**
 * A story that is told for the sake of a strike which is not in it proves nothing.
 * @returns strikes that were asked for by name and did not happen
 */
export function unstruck({ strikes }: WorldReport, { only = [] }: WorldOptions): string[] {
	const struck = new Set(strikes);
	return only.filter((name) => !struck.has(name));
}

function unstruckLines(report: WorldReport, options: WorldOptions): string[] {
	const names = unstruck(report, options);
	if (names.length === 0) return [];
	const when = stopped(report, options) ? "did not strike up to this step" : "NEVER STRUCK in this world";
	return [`--only: ${names.join(", ")} ${when}`];
}

function verdict(report: WorldReport, options: WorldOptions): string {
	if (report.failures.length > 0) return `FAILED: ${replayCommand(options)}`;
	if (stopped(report, options)) {
		return `stopped at step ${options.untilStep}: nothing was broken so far, and nothing is judged`;
	}
	const missing = unstruck(report, options).length > 0;
	return missing ? "no promise was broken, but this is not the story that was asked for" : "no promise was broken";
}

/** A promise was broken. */
const EXIT_BROKEN = 1;
/** Nothing was broken, but strikes that were asked for by name did not happen. */
const EXIT_UNSTRUCK = 3;

/** @returns the exit code of `npm run replay` */
export function exitCodeOf(report: WorldReport, options: WorldOptions): number {
	if (report.failures.length > 0) return EXIT_BROKEN;
	return unstruck(report, options).length > 0 && !stopped(report, options) ? EXIT_UNSTRUCK : 0;
}

/** For programs: with names as in the campaign's object, where `failures` is a number, too. */
export function storyJson(report: WorldReport, options: WorldOptions): Record<string, unknown> {
	const { failures, ...figures } = report;
	return { ...figures, failures: failures.length, failed: failures, unstruck: unstruck(report, options) };
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
