/** What a search prints: progress on stderr, a table and escapes on stdout, and the object for programs. */
import type { FoundEscape } from "./block";
import type { SearchResult, TargetResult } from "./search";

const LINE_EVERY_S = 5;
const REWRITE_EVERY_S = 0.2;
const INPUT_LINES_MAX = 20;
const STACK_LINES_MAX = 6;

/** Now and then a line; in a terminal one line that is written anew. */
export class Progress {
	#last = 0;
	readonly #terminal = process.stderr.isTTY === true;

	show({ seconds, options, targets }: SearchResult): void {
		if (seconds - this.#last < (this.#terminal ? REWRITE_EVERY_S : LINE_EVERY_S)) return;
		this.#last = seconds;
		const escapes = sum(targets, (target) => target.escapes);
		const found = escapes === 0 ? "no escape" : `${escapes} ESCAPED`;
		const cases = grouped(sum(targets, (target) => target.cases));
		const line = `${Math.round(seconds)} of ${options.seconds} s: ${cases} cases, ${found}`;
		process.stderr.write(this.#terminal ? `\r\x1b[K${line}` : `${line}\n`);
	}

	/** Nothing of it stays in a terminal. */
	end(): void {
		if (this.#terminal) process.stderr.write("\r\x1b[K");
	}
}

export function printResult({ targets, found, seconds, options }: SearchResult): void {
	const rows = targets.map((target) => [
		target.name,
		grouped(target.cases),
		grouped(perSecond(target)),
		`${target.escapes}`,
	]);
	const cases = sum(targets, (target) => target.cases);
	const escapes = sum(targets, (target) => target.escapes);
	rows.push(["all", grouped(cases), grouped(Math.round(cases / Math.max(seconds, 0.001))), `${escapes}`]);
	printTable([["target", "cases", "cases/s", "escapes"], ...rows]);
	out(`${seconds.toFixed(1)} s, seed ${options.seed}, ${options.jobs} threads; cases/s of a target: of one thread`);
	for (const one of found) printEscape(one);
}

export function printEscape(found: FoundEscape): void {
	out(`${found.kind.toUpperCase()} in ${found.target}, seed ${found.seed}, case ${found.case}: ${found.message}`);
	for (const line of found.stack.split("\n").slice(1, STACK_LINES_MAX)) out(`  ${line.trim()}`);
	for (const line of found.input.slice(0, INPUT_LINES_MAX)) out(`  ${line}`);
	if (found.input.length > INPUT_LINES_MAX) out(`  and ${found.input.length - INPUT_LINES_MAX} more: see the replay`);
	out(`  ${replayCommand(found)}`);
}

/** The one command that shows it again. */
export function replayCommand({ target, seed, case: number }: Pick<FoundEscape, "target" | "seed" | "case">): string {
	return `npm run fuzz -- --target ${target} --seed ${seed} --case ${number}`;
}

export function toJson({ targets, found, seconds, options }: SearchResult): Record<string, unknown> {
	return {
		cases: sum(targets, (target) => target.cases),
		escapes: sum(targets, (target) => target.escapes),
		seconds,
		seed: options.seed,
		targets: Object.fromEntries(
			targets.map((target) => [
				target.name,
				{ cases: target.cases, casesPerSecond: perSecond(target), escapes: target.escapes },
			]),
		),
		found: found.map((one) => ({
			target: one.target,
			case: one.case,
			kind: one.kind,
			message: one.message,
			replay: replayCommand(one),
		})),
	};
}

export function out(line: string): void {
	process.stdout.write(`${line}\n`);
}

export function grouped(count: number): string {
	return count.toLocaleString("en");
}

function perSecond({ cases, seconds }: TargetResult): number {
	return Math.round(cases / Math.max(seconds, 0.001));
}

function sum(targets: readonly TargetResult[], of: (target: TargetResult) => number): number {
	return targets.reduce((total, target) => total + of(target), 0);
}

/** The first column to the left, numbers to the right. */
function printTable(rows: readonly (readonly string[])[]): void {
	const widths = rows[0].map((_, n) => Math.max(...rows.map((row) => row[n].length)));
	for (const row of rows) {
		out(row.map((cell, n) => (n === 0 ? cell.padEnd(widths[n]) : cell.padStart(widths[n]))).join("  "));
	}
}
