/**
 * What a campaign prints: progress on stderr; figures, the table of what happened and the failures on stdout; and the
 * object for programs.
 * @module
 */
import { CAUSE_NAMES } from "../../src/settlement/cause";
import { COVERAGE_GROUPS, type CoverageGroup, summarize } from "../world/coverage";
import { CAUSE_OF_FAULT } from "../world/office";
import type { Coverage } from "../world/report";
import type { Shard } from "./campaign-options";
import type { CampaignResult, CampaignWatcher, FailingSeed } from "./campaign-run";

const LINE_EVERY_S = 5;
const REWRITE_EVERY_S = 0.2;
const FAILING_SHOWN_MAX = 20;
const WIDTH = 110;
const HOUR_S = 3_600;
const DAY_MS = 24 * HOUR_S * 1_000;

/** Now and then a line; in a terminal one line that is written anew. */
export class CampaignProgress implements CampaignWatcher {
	#last = 0;
	readonly #began = performance.now();
	readonly #terminal = process.stderr.isTTY === true;
	readonly #secondsMax: number;

	constructor(secondsMax = Number.POSITIVE_INFINITY) {
		this.#secondsMax = secondsMax;
	}

	onReport(result: CampaignResult): void {
		this.#show(() => {
			const { seeds, planned, sales, failures, seconds } = result;
			const left = Math.min(((planned - seeds) * seconds) / Math.max(1, seeds), this.#secondsMax - seconds);
			const parts = [
				`${grouped(seeds)} of ${planned >= Number.MAX_SAFE_INTEGER / 2 ? "any" : grouped(planned)} seeds`,
				`${grouped(sales)} sales, ${grouped(perSecond(result))}/s`,
				failures === 0 ? "no failure" : `${grouped(failures)} FAILED`,
				`${clockOf(Math.max(0, left))} left`,
			];
			return parts.join(", ");
		});
	}

	onShrink({ seed }: FailingSeed, { runs, strikes, sales }: { runs: number; strikes: number; sales: number }): void {
		this.#show(() =>
			[
				`shrinking seed ${seed}: ${counted(runs, "run")}`,
				`${counted(strikes, "strike")} and ${counted(sales, "sale")} left`,
			].join(", "),
		);
	}

	/** Nothing of it stays in a terminal. */
	end(): void {
		if (this.#terminal) process.stderr.write("\r\x1b[K");
	}

	#show(line: () => string): void {
		const seconds = (performance.now() - this.#began) / 1_000;
		if (seconds - this.#last < (this.#terminal ? REWRITE_EVERY_S : LINE_EVERY_S)) return;
		this.#last = seconds;
		process.stderr.write(this.#terminal ? `\r\x1b[K${line()}` : `${line()}\n`);
	}
}

/** The whole report, line by line. */
export function resultLines(result: CampaignResult, jobs: number, shard: Shard | undefined): string[] {
	const { seeds, planned, sales, failures, seconds, interrupted } = result;
	const part = shard === undefined ? "" : `, shard ${shard.index}/${shard.count} (seed index mod ${shard.count})`;
	const short = seeds < planned ? ` of ${grouped(planned)}` : "";
	const ended = interrupted ? "; interrupted" : seeds < planned ? "; time is up" : "";
	return [
		...coverageLines(result.coverage),
		...causeLines(result),
		"",
		`${counted(seeds, "seed")}${short}${part}, ${counted(jobs, "thread")}, ${seconds.toFixed(1)} s${ended}`,
		`${counted(sales, "sale")}: ${grouped(result.approved)} approved, ${grouped(result.reversed)} reversed; ` +
			`${counted(result.powerCuts, "power cut")}; ${counted(Math.round(result.virtualMs / DAY_MS), "day")} of virtual time`,
		`${grouped(perSecond(result))} sales/s, ${(seeds / Math.max(seconds, 0.001)).toFixed(1)} seeds/s`,
		...failureLines(result),
		failures === 0 ? "0 failures" : `${grouped(failures)} ${failures === 1 ? "SEED FAILED" : "SEEDS FAILED"}`,
	];
}

/** How often each row of each group happened, and which never did. */
export function coverageLines(coverage: Coverage): string[] {
	const { empty, explained, refuted, unknown } = summarize(coverage);
	const lines = COVERAGE_GROUPS.flatMap((group) => groupLines(group, coverage));
	if (explained.length > 0) lines.push("", "Never, as no world can do it");
	for (const reason of new Set(explained.map((row) => row.reason))) {
		const keys = explained.filter((row) => row.reason === reason).map(({ key }) => key);
		lines.push(`  ${reason}:`, ...wrap(keys, "    "));
	}
	if (empty.length > 0) lines.push("", "NEVER EXERCISED", ...wrap(empty, "  "));
	if (refuted.length > 0) {
		lines.push("", "ERROR: a reason in host-sim/world/coverage.ts is wrong: the row was exercised, or is none");
		lines.push(...wrap(refuted, "  "));
	}
	if (unknown.length > 0) lines.push("", "Counted, but in no group", ...wrap(unknown, "  "));
	return lines;
}

function groupLines({ prefix, title, keys, note }: CoverageGroup, coverage: Coverage): string[] {
	if (keys.length === 0) return ["", title, `  ${note ?? "none"}`];
	const done = keys.filter((key) => (coverage[key] ?? 0) > 0).length;
	const lines = ["", `${title}: ${done} of ${keys.length}`];
	const names = keys.map((key) => key.slice(prefix.length + 1));
	const heads = [...new Set(names.map((name) => name.slice(0, name.indexOf("/") + 1)))];
	const indent = Math.max(...heads.map(({ length }) => length)) + 2;
	for (const head of heads) {
		const cells = names
			.filter((name) => name.startsWith(head))
			.map((name) => `${name.slice(head.length)} ${grouped(coverage[`${prefix}:${name}`] ?? 0)}`);
		const label = head === "" ? "" : head.slice(0, -1);
		lines.push(...wrap(cells, " ".repeat(indent), `  ${label}`.padEnd(indent)));
	}
	return lines;
}

/** Cells side by side, as many as fit. */
function wrap(cells: readonly string[], indent: string, first = indent): string[] {
	const lines: string[] = [];
	let line = first;
	let fresh = true;
	for (const cell of cells) {
		if (!fresh && line.length + cell.length + 2 > WIDTH) {
			lines.push(line);
			line = indent;
			fresh = true;
		}
		line += fresh ? (line.endsWith(" ") || line === "" ? cell : ` ${cell}`) : `, ${cell}`;
		fresh = false;
	}
	return [...lines, line];
}

/** Confusion matrix: each fault of the books against the causes that terminals came to. */
function causeLines(result: CampaignResult): string[] {
	const { cases, right } = diagonalOf(result.causes);
	const faults = [...new Set(Object.keys(result.causes).map((key) => key.slice(0, key.indexOf(">"))))].sort();
	if (faults.length === 0) return [];
	const width = Math.max(...faults.map(({ length }) => length)) + 4;
	const share = cases === 0 ? "" : `, ${((100 * right) / cases).toFixed(2)} % right`;
	const lines = ["", `Causes found, by the fault that was injected: ${counted(cases, "case")}${share}`];
	for (const fault of faults) {
		const cells = CAUSE_NAMES.filter((cause) => (result.causes[`${fault}>${cause}`] ?? 0) > 0).map(
			(cause) => `${cause} ${grouped(result.causes[`${fault}>${cause}`])}`,
		);
		lines.push(...wrap(cells, " ".repeat(width), `  ${fault}`.padEnd(width)));
	}
	if (faults.includes("other")) lines.push("  (other: no fault of the books, and not counted above)");
	const { closed, medianMs, worstMs, worstSeed } = resolveOf(result);
	if (closed > 0) {
		lines.push(
			`Cases closed after all was healed: ${grouped(closed)}; the terminals' own part of the time to it: ` +
				`median ${medianMs} ms, worst ${grouped(worstMs)} ms in seed ${worstSeed}`,
		);
	}
	return lines;
}

/** Of the cases of a known fault: how many, and how many with its cause. */
export function diagonalOf(causes: Readonly<Record<string, number>>): { cases: number; right: number } {
	let cases = 0;
	let right = 0;
	for (const key of Object.keys(causes)) {
		const [fault, cause] = key.split(">");
		const should = CAUSE_OF_FAULT[fault as keyof typeof CAUSE_OF_FAULT];
		if (should === undefined) continue;
		cases += causes[key];
		if (cause === should) right += causes[key];
	}
	return { cases, right };
}

/** Cases closed after their world was healed, and the terminals' own part of the time to it. */
interface Resolve {
	readonly closed: number;
	readonly medianMs: number;
	readonly worstMs: number;
	/** 0 for none. */
	readonly worstSeed: number;
}

function resolveOf({ resolveMs, slowestSeed: worstSeed }: CampaignResult): Resolve {
	const sorted = [...resolveMs].sort((a, b) => a - b);
	const closed = sorted.length;
	return { closed, medianMs: sorted[Math.floor(closed / 2)] ?? 0, worstMs: sorted[closed - 1] ?? 0, worstSeed };
}

function failureLines({ failing, failures }: CampaignResult): string[] {
	const lines: string[] = [];
	for (const { seed, failure, replay, shrunk, unshrunk } of failing.slice(0, FAILING_SHOWN_MAX)) {
		const terminal = failure.terminal < 0 ? "" : ` terminal ${failure.terminal}`;
		lines.push("", `FAILED seed ${seed}: ${failure.invariant} at step ${failure.step}${terminal}: ${failure.text}`);
		lines.push(`  ${replay}`);
		if (shrunk !== undefined) {
			const { strikes, sales, complete } = shrunk;
			const smaller = complete ? "" : ", perhaps not the least";
			lines.push(
				`  shrunk to ${counted(strikes, "strike")} and ${counted(sales, "sale")}${smaller}:`,
				`  ${shrunk.replay}`,
			);
		}
		if (unshrunk !== undefined) lines.push(`  not shrunk: ${unshrunk}`);
	}
	if (failures > FAILING_SHOWN_MAX) lines.push("", `and ${counted(failures - FAILING_SHOWN_MAX, "more failing seed")}`);
	if (failures > 0) lines.push("");
	return lines;
}

/** The last line of `--json`. */
export function toJson(result: CampaignResult, jobs: number, shard: Shard | undefined): Record<string, unknown> {
	const { empty, explained, refuted, unknown } = summarize(result.coverage);
	return {
		seeds: result.seeds,
		sales: result.sales,
		failures: result.failures,
		salesPerSecond: perSecond(result),
		approved: result.approved,
		reversed: result.reversed,
		powerCuts: result.powerCuts,
		seconds: Math.round(result.seconds * 1_000) / 1_000,
		planned: result.planned,
		interrupted: result.interrupted,
		...(shard === undefined ? {} : { shard: `${shard.index}/${shard.count}` }),
		jobs,
		steps: result.steps,
		virtualMs: result.virtualMs,
		coverage: result.coverage,
		causes: result.causes,
		diagonal: diagonalOf(result.causes),
		resolve: resolveOf(result),
		emptyRows: empty,
		explainedRows: explained.map(({ key }) => key),
		wrongReasons: refuted,
		unknownRows: unknown,
		failed: result.failing.map(({ seed, failure, replay, shrunk, unshrunk }) => ({
			seed,
			invariant: failure.invariant,
			step: failure.step,
			text: failure.text,
			replay,
			...(shrunk === undefined ? {} : { shrunk: shrunk.replay }),
			...(unshrunk === undefined ? {} : { unshrunk }),
		})),
	};
}

/** "1 seed", "1,000 seeds". */
export function counted(count: number, noun: string): string {
	return `${grouped(count)} ${noun}${count === 1 ? "" : "s"}`;
}

/** Thousands apart. */
export function grouped(count: number): string {
	return String(count).replace(/\B(?=(\d{3})+$)/g, ",");
}

export function perSecond({ sales, seconds }: Pick<CampaignResult, "sales" | "seconds">): number {
	return Math.round(sales / Math.max(seconds, 0.001));
}

function clockOf(seconds: number): string {
	const whole = Math.round(seconds);
	const [hours, minutes] = [Math.floor(whole / HOUR_S), Math.floor((whole % HOUR_S) / 60)];
	const tail = `${String(minutes).padStart(2, "0")}:${String(whole % 60).padStart(2, "0")}`;
	return hours > 0 ? `${hours}:${tail}` : tail;
}
