/** `npm run test:xs`: firmware and world on the real engine of the board. */
import { endOnClosedOutput, failCli, parseCli, UsageError } from "../../host-sim/cli/args";
import { readSeeds, ShardSeeds } from "../../host-sim/cli/campaign-options";
import { compareSeed, type Difference, findDifference, type SeedResult } from "./compare";
import { bundleWorld, NodeEngine, XsEngine } from "./engines";
import { inParallel, measureFigures } from "./figures";
import { isGood, resultLines, toJson, type XsResult } from "./report";
import { XsError } from "./xs-worker";

const USAGE = `
npm run test:xs -- [options]

  --seeds A..B   worlds whose reports and traces are compared; A alone is that one (default 1..200; with --figures: none)
  --figures      byte codes of a sale, and slots of the heap: modules, terminal, live transactions, peaks
  --jobs J       XS engines at a time (default 2)
  --json         the last line is one JSON object
  --help

The same script, firmware and world, runs on Node and on XS, as @agoric/xsnap has compiled it. Where they differ, the
first step at which they do is looked for, and both stories are told there.
Exit code: 0 all are equal, and the terminal fits the board; 1 not so; 2 a mistake on the command line, or there is no
XS engine.
`;

const DEFAULT_SEEDS = "1..200";
const SEEDS_MAX = 100_000;
const JOBS_DEFAULT = 2;
/** Looking for a step takes twenty runs: the first differences tell enough. */
const DIFFERENCES_MAX = 3;
const PROGRESS_EVERY_MS = 5_000;
const EXIT_NO_ENGINE = 2;

const values = parseCli({
	usage: USAGE,
	options: {
		seeds: { type: "text" },
		figures: { type: "flag" },
		jobs: { type: "number", min: 1, max: 64, default: JOBS_DEFAULT },
		json: { type: "flag" },
	},
});

endOnClosedOutput();

function tell(text: string): void {
	process.stderr.write(`${text}\n`);
}

function chosenSeeds(): number[] {
	const text = values.seeds ?? (values.figures ? undefined : DEFAULT_SEEDS);
	if (text === undefined) return [];
	const range = new ShardSeeds(readSeeds(text));
	if (range.count > SEEDS_MAX) throw new UsageError(`--seeds are at most ${SEEDS_MAX}`);
	return range.take(range.count);
}

/** @returns in the order of the seeds */
async function compareSeeds(seeds: readonly number[], script: string): Promise<SeedResult[]> {
	const node = new NodeEngine(script);
	const engines: XsEngine[] = [];
	const free: XsEngine[] = [];
	const results: SeedResult[] = [];
	let toldMs = performance.now();
	try {
		await inParallel(values.jobs, seeds, async (seed) => {
			let xs = free.pop();
			if (xs === undefined) {
				xs = new XsEngine(script);
				engines.push(xs);
			}
			const result = await compareSeed({ seed }, node, xs);
			free.push(xs);
			results.push(result);
			if (!result.equal) tell(`seed ${seed} differs`);
			if (performance.now() - toldMs < PROGRESS_EVERY_MS) return;
			toldMs = performance.now();
			tell(`${results.length} of ${seeds.length} seeds, ${results.filter(({ equal }) => !equal).length} different`);
		});
	} finally {
		await Promise.all(engines.map((engine) => engine.close()));
	}
	return results.sort((a, b) => a.seed - b.seed);
}

/** Machines that have run nothing yet: what they find depends on the seed alone. */
async function findDifferences(seeds: readonly number[], script: string): Promise<Difference[]> {
	const differences: Difference[] = [];
	for (const seed of seeds.slice(0, DIFFERENCES_MAX)) {
		tell(`seed ${seed}: where do they part?`);
		const xs = new XsEngine(script);
		try {
			differences.push(await findDifference({ seed }, [new NodeEngine(script), xs]));
		} finally {
			await xs.close();
		}
	}
	return differences;
}

async function main(): Promise<boolean> {
	const seeds = chosenSeeds();
	const began = performance.now();
	const script = seeds.length === 0 ? "" : bundleWorld();
	const results = await compareSeeds(seeds, script);
	const seconds = (performance.now() - began) / 1_000;
	const different = results.filter(({ equal }) => !equal).map(({ seed }) => seed);
	const differences = await findDifferences(different, script);
	const figures = values.figures ? await measureFigures(values.jobs, (what) => tell(`figures: ${what}`)) : undefined;
	const result: XsResult = { results, differences, figures, seconds };
	for (const line of resultLines(result)) process.stdout.write(`${line}\n`);
	if (values.json) process.stdout.write(`${JSON.stringify(toJson(result))}\n`);
	return isGood(result);
}

main().then(
	(good) => {
		process.exitCode = good ? 0 : 1; // Not at once: a pipe still has to take what was printed.
	},
	(error) => {
		if (!(error instanceof XsError)) return failCli(error);
		process.stderr.write(`error: ${error.message}\n`);
		process.exit(error.trouble === "absent" ? EXIT_NO_ENGINE : 1);
	},
);
