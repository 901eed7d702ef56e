/**
 * `npm run powercuts`: searches for a power cut after which the journal has lost, changed or brought back something, or
 * does not mount. Prints counts, and for each failure the command that shows it again.
 */
import { availableParallelism } from "node:os";
import { endOnClosedOutput, failCli, parseCli, UsageError } from "../../host-sim/cli/args";
import { BROKEN, brokenJournal } from "./broken";
import { COMMON_MODES, MODES, modeOf, parseReplay, runTask } from "./modes";
import type { SearchOptions } from "./options";
import { Pool } from "./pool";
import { grouped, out, Progress, printHeader, printResult, toJson } from "./report";
import { type SearchResult, search } from "./search";

const EXHAUSTIVE_ALIGNS = [1, 4, 16, 32];
const FAILURES_MAX = 10;
/** Cuts in which a broken journal must be caught. */
const BROKEN_CUTS_MAX = 50_000;

const listed = (entries: Readonly<Record<string, { brief?: string; what?: string }>>) =>
	Object.entries(entries)
		.map(([name, { brief, what }]) => `    ${name.padEnd(19)} ${brief ?? what}`)
		.join("\n");

const USAGE = `
npm run powercuts -- [options]

  --mode M          without it ${COMMON_MODES.join(", ")}, one after the other
${listed(MODES)}
  --cuts N          in each mode; default 10,000 (100,000 sales)
  --seed S          default 1; the same seed gives the same search
  --align A         write unit: 1, 4, 16 or 32; without it lives draw one, and exhaustive tries each
  --blocks B        blocks of the ring; without it lives draw 6, 8, 10, 16, 64 or 256
  --mirror          two copies
  --jobs J          threads; the result does not depend on it (default: one for each core)
  --replay NAME     one failure again, as the search has named it, with its story
  --broken NAME     a journal that is broken on purpose; all: each with the mode that finds it
${listed(BROKEN)}
  --json            the last line is one JSON object
  --help

Exit code: 0 nothing was found (--broken all: every one was caught); 1 a failure; 2 a mistake on the command line.
`;

const values = parseCli({
	usage: USAGE,
	options: {
		mode: { type: "text" },
		cuts: { type: "number", min: 1, max: 1_000_000_000 },
		seed: { type: "number", min: 0, max: Number.MAX_SAFE_INTEGER, default: 1 },
		align: { type: "text", oneOf: ["1", "4", "16", "32"] },
		blocks: { type: "number", min: 6, max: 256 },
		mirror: { type: "flag" },
		jobs: { type: "number", min: 1, max: 256, default: availableParallelism() },
		replay: { type: "text" },
		broken: { type: "text" },
		json: { type: "flag" },
	},
});

endOnClosedOutput();

function optionsOf(modeName: string, broken?: string): SearchOptions {
	const mode = modeOf(modeName);
	const wishes = broken === undefined || values.mode !== undefined ? {} : brokenJournal(broken).wishes;
	return {
		mode: modeName,
		seed: values.seed,
		amount: values.cuts ?? mode.amountDefault,
		align: values.align === undefined ? wishes?.align : Number(values.align),
		blocks: values.blocks ?? wishes?.blocks,
		mirror: values.mirror || mode.mirror === true,
		broken,
	};
}

/** One search a mode; exhaustive one for each write unit. */
function searchesOf(broken: string | undefined): SearchOptions[] {
	const common = broken === undefined ? COMMON_MODES : [brokenJournal(broken).mode];
	const modes = values.mode === undefined ? common : [values.mode];
	return modes.flatMap((mode) => {
		const options = optionsOf(mode, broken);
		if (mode !== "exhaustive" || options.align !== undefined) return [options];
		return EXHAUSTIVE_ALIGNS.map((align) => ({ ...options, align }));
	});
}

async function runAll(broken: string | undefined): Promise<boolean> {
	const pool = new Pool(values.jobs);
	const progress = new Progress();
	const results: SearchResult[] = [];
	const searches = searchesOf(broken);
	printHeader();
	for (const options of searches) {
		const result = await search(options, {
			pool,
			failuresMax: FAILURES_MAX,
			onProgress: (partial) => progress.show(partial),
		});
		progress.end();
		printResult(result);
		results.push(result);
	}
	await pool.close();
	if (values.json) out(JSON.stringify(toJson(results)));
	return results.every(({ failures }) => failures.length === 0);
}

/** Each broken journal with the mode that is meant for it, up to its first failure. */
async function runBroken(): Promise<boolean> {
	const pool = new Pool(values.jobs);
	const progress = new Progress();
	const caught: Record<string, number | null> = {};
	for (const [name, { mode, what }] of Object.entries(BROKEN)) {
		const options = { ...optionsOf(mode, name), amount: values.cuts ?? BROKEN_CUTS_MAX };
		const result = await search(options, {
			pool,
			failuresMax: 1,
			onProgress: (partial) => progress.show(partial),
		});
		progress.end();
		const [failure] = result.failures;
		caught[name] = failure === undefined ? null : result.counts.cuts;
		const how = failure === undefined ? "NOT CAUGHT" : `${failure.kind} after ${grouped(result.counts.cuts)} cuts`;
		out(`${name.padEnd(19)} ${mode.padEnd(10)} ${how.padEnd(28)} ${what}`);
	}
	await pool.close();
	const missed = Object.values(caught).filter((cuts) => cuts === null).length;
	out(`${Object.keys(BROKEN).length - missed} of ${Object.keys(BROKEN).length} caught`);
	if (values.json) out(JSON.stringify({ caught, missed }));
	return missed === 0;
}

function replay(name: string): boolean {
	const { mode, broken } = values;
	if (mode === undefined) throw new UsageError("--replay needs the --mode that found it");
	if (mode === "exhaustive" && values.align === undefined) throw new UsageError("--replay needs the --align as well");
	const options = optionsOf(mode, broken);
	const task = parseReplay(name, mode);
	const { counts, failure } = runTask(task, options, out);
	if (failure === undefined) out(`no failure in ${counts.cuts} cuts`);
	else out(`${failure.kind.toUpperCase()} after ${counts.cuts} cuts, the last one ${failure.cut}: ${failure.message}`);
	if (values.json) out(JSON.stringify({ cuts: counts.cuts, failure: failure ?? null }));
	return failure === undefined;
}

async function main(): Promise<boolean> {
	const { mode, broken } = values;
	if (mode !== undefined) modeOf(mode);
	if (mode === "exhaustive" && values.cuts !== undefined) throw new UsageError("--mode exhaustive takes no --cuts");
	if (values.replay !== undefined) return replay(values.replay);
	if (broken === "all") {
		if (mode !== undefined) throw new UsageError("--broken all takes each journal's own mode");
		return runBroken();
	}
	if (broken !== undefined) brokenJournal(broken);
	return runAll(broken);
}

main().then(
	(good) => {
		process.exitCode = good ? 0 : 1; // Not at once: a pipe still has to take what was printed.
	},
	(error) => failCli(error),
);
