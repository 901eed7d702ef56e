/** What a search prints: progress on stderr, a table and failures on stdout, and the object for programs. */
import { FAILURE_KINDS } from "./failure";
import { modeOf } from "./modes";
import type { SearchOptions } from "./options";
import type { SearchResult } from "./search";

const LINE_EVERY_S = 10;
const REWRITE_EVERY_S = 0.2;

const COLUMNS = [
	["mode", 11],
	["unit", 5],
	["copies", 7],
	["cuts", 10],
	...FAILURE_KINDS.map((kind) => [kind, kind.length + 1] as const),
	["boots", 10],
	["appends", 11],
	["refusals", 9],
	["seconds", 8],
	["cuts/s", 7],
] as const;

/** Now and then a line; in a terminal one line that is written anew. */
export class Progress {
	#last = 0;
	readonly #terminal = process.stderr.isTTY === true;

	show(result: SearchResult): void {
		const { options, counts, failures, seconds, tasks, tasksDone } = result;
		if (seconds < this.#last) this.#last = 0; // The next search.
		if (seconds - this.#last < (this.#terminal ? REWRITE_EVERY_S : LINE_EVERY_S)) return;
		this.#last = seconds;
		const percent = Math.floor((100 * tasksDone) / tasks);
		const rate = Math.round(counts.cuts / seconds);
		const found = failures.length === 0 ? "no failure" : `${failures.length} FAILED`;
		const line = `${describe(options)}: ${percent} %, ${grouped(counts.cuts)} cuts, ${grouped(rate)}/s, ${found}`;
		process.stderr.write(this.#terminal ? `\r\x1b[K${line}` : `${line}\n`);
	}

	/** Nothing of it stays in a terminal. */
	end(): void {
		if (this.#terminal) process.stderr.write("\r\x1b[K");
	}
}

export function printHeader(): void {
	printRow(COLUMNS.map(([title]) => title));
}

export function printResult(result: SearchResult): void {
	const { options, counts, kinds, seconds, notes, failures } = result;
	printRow([
		options.mode,
		`${options.align ?? "all"}`,
		options.mirror ? "2" : "1",
		grouped(counts.cuts),
		...FAILURE_KINDS.map((kind) => `${kinds[kind]}`),
		grouped(counts.boots),
		grouped(counts.appends),
		grouped(counts.refusals),
		seconds.toFixed(1),
		grouped(Math.round(counts.cuts / Math.max(seconds, 0.001))),
	]);
	if (counts.destroyed > 0) {
		notes.push(
			`${grouped(counts.destroyed)} blocks or copies destroyed, ${grouped(counts.mended)} blocks mended in quiet time`,
		);
	}
	if (counts.stranded > 0) {
		notes.push(
			`${counts.stranded} times a ring of fewer than ten blocks, which promises none, had no room to end a thing`,
		);
	}
	for (const note of notes) out(`  ${note}`);
	for (const { kind, message, name } of failures) {
		out(`  ${kind.toUpperCase()}: ${shortened(message)}`);
		out(`    ${replayCommand(options, name)}`);
	}
}

/** The one command that shows a failure again; ends with its name. */
export function replayCommand(options: SearchOptions, name: string): string {
	const { mode, align, mirror, blocks, broken } = options;
	const parts = [`npm run powercuts -- --mode ${mode}`];
	if (align !== undefined) parts.push(`--align ${align}`);
	if (blocks !== undefined) parts.push(`--blocks ${blocks}`);
	if (mirror && modeOf(mode).mirror !== true) parts.push("--mirror");
	if (broken !== undefined) parts.push(`--broken ${broken}`);
	return `${parts.join(" ")} --replay ${name}`;
}

/** The sums of all searches, and each by itself. */
export function toJson(results: readonly SearchResult[]): Record<string, unknown> {
	const modes = results.map((result) => {
		const { options, counts, kinds, failures, seconds, notes } = result;
		const { mode, seed, align, blocks, mirror, broken } = options;
		const { cuts, ...rest } = counts;
		const names = failures.map(({ name }) => name);
		return { mode, seed, align, blocks, mirror, broken, cuts, ...kinds, ...rest, seconds, notes, failures: names };
	});
	const sum = (name: "cuts" | "boots" | "appends" | "refusals" | "seconds" | (typeof FAILURE_KINDS)[number]) =>
		modes.reduce((total, mode) => total + mode[name], 0);
	return {
		cuts: sum("cuts"),
		...Object.fromEntries(FAILURE_KINDS.map((kind) => [kind, sum(kind)])),
		boots: sum("boots"),
		appends: sum("appends"),
		refusals: sum("refusals"),
		seconds: sum("seconds"),
		modes,
	};
}

export function out(line: string): void {
	process.stdout.write(`${line}\n`);
}

export function grouped(count: number): string {
	return count.toLocaleString("en");
}

function describe(options: SearchOptions): string {
	const { mode, align, mirror, broken } = options;
	const parts = [mode];
	if (align !== undefined) parts.push(`align ${align}`);
	if (mirror) parts.push("mirror");
	if (broken !== undefined) parts.push(`broken ${broken}`);
	return parts.join(", ");
}

function printRow(cells: readonly string[]): void {
	// Words begin, numbers end, where their column does.
	const padded = cells.map((cell, n) => (n === 0 ? cell.padEnd(COLUMNS[n][1]) : cell.padStart(COLUMNS[n][1])));
	out(padded.join(" ").trimEnd());
}

/** Hex of two long records fills a screen. */
function shortened(message: string): string {
	return message.replace(/[0-9A-F]{60,}/g, (hex) => `${hex.slice(0, 40)}…`);
}
