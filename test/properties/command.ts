/** `npm run properties`: the properties of the tests under other seeds than the one of `npm test`. */
import { endOnClosedOutput, failCli, parseCli, UsageError } from "../../host-sim/cli/args";
import { readSeeds, ShardSeeds } from "../../host-sim/cli/campaign-options";
import { inParallel } from "../xs/figures";
import { type Failure, propertyFiles, runSeed } from "./runs";

const USAGE = `
npm run properties -- [options]

Each test of npm test that draws its examples (fast-check) draws them again, under each of these seeds. npm test itself
is always seed 1.

  --seeds A..B   A alone is that one (default 2..11)
  --file TEXT    only test files whose path contains TEXT; may be given many times
  --jobs J       processes at a time (default 2)
  --json         the last line is one JSON object {seeds, files, passed, failures: [{seed, title, message}]}
  --help

Exit code: 0 all hold; 1 one does not, and its example is shown, made as small as it gets; 2 a mistake on the command line.
`;

const SEEDS_MAX = 100_000;
const SEED_MAX = 999_999_999;
const JOBS_DEFAULT = 2;
const SHOWN_MAX = 5;

const values = parseCli({
	usage: USAGE,
	options: {
		seeds: { type: "text", default: "2..11" },
		file: { type: "list" },
		jobs: { type: "number", min: 1, max: 64, default: JOBS_DEFAULT },
		json: { type: "flag" },
	},
});

endOnClosedOutput();

function out(line: string): void {
	process.stdout.write(`${line}\n`);
}

function chosenSeeds(): number[] {
	const range = readSeeds(values.seeds);
	if (range.last > SEED_MAX) throw new UsageError(`--seeds are at most ${SEED_MAX}`);
	const seeds = new ShardSeeds(range);
	if (seeds.count > SEEDS_MAX) throw new UsageError(`--seeds are at most ${SEEDS_MAX} at a time`);
	return seeds.take(seeds.count);
}

/** @returns exit code. @throws {UsageError} {CodedError} */
async function main(): Promise<number> {
	const seeds = chosenSeeds();
	const files = propertyFiles(values.file);
	if (files.length === 0)
		throw new UsageError(`no test file with properties has ${values.file.join(" or ")} in its path`);
	const failures: Failure[] = [];
	let passed = 0;
	let done = 0;
	await inParallel(values.jobs, seeds, async (seed) => {
		const run = await runSeed(seed, files);
		passed += run.passed;
		failures.push(...run.failures);
		done++;
		process.stderr.write(`seed ${done} of ${seeds.length}: ${passed} passed, ${failures.length} failed\n`);
	});
	failures.sort((a, b) => a.seed - b.seed);
	for (const { seed, title, message } of failures.slice(0, SHOWN_MAX)) out(`seed ${seed}: ${title}\n${message}\n`);
	if (failures.length > SHOWN_MAX) out(`and ${failures.length - SHOWN_MAX} more`);
	out(`seeds ${seeds.length}, files ${files.length}: ${passed} passed, ${failures.length} failed`);
	if (values.json) out(JSON.stringify({ seeds: seeds.length, files: files.length, passed, failures }));
	return failures.length === 0 ? 0 : 1;
}

main().then((code) => {
	process.exitCode = code;
}, failCli);
