/**
 * `npm run replay`: the story of one world, as its seed has it.
 * @module
 */
import type { WorldOptions } from "../world/report";
import { runWorld } from "../world/world";
import { endOnClosedOutput, failCli, parseCli, UsageError } from "./args";
import { CUSTOMERS_MAX, readKinds, readStrikes } from "./campaign-options";
import { StoryPrinter, verdictLines } from "./campaign-story";

const USAGE = `
npm run replay -- --seed N [options]

  --seed N          the world
  --until STEP      stop there; nothing is judged then
  --log             also the terminals' log lines, and every frame
  --without KINDS   trouble that never strikes, comma-separated
  --only STRIKES    the only strikes that happen, by name: "powerCut#3,badMac#1", or none
  --customers N     default: what the seed picks
  --json            the last line is the report as one JSON object
  --help

A line is a step, local time, the terminal (T0 is the first), who speaks, and what. The same seed and options give the
same story and the same hash. Exit code: 0 no promise was broken; 1 one was; 2 a mistake on the command line.
`;

const values = parseCli({
	usage: USAGE,
	options: {
		seed: { type: "number", min: 0, max: Number.MAX_SAFE_INTEGER },
		until: { type: "number", min: 1, max: Number.MAX_SAFE_INTEGER },
		log: { type: "flag" },
		without: { type: "list" },
		only: { type: "list" },
		customers: { type: "number", min: 1, max: CUSTOMERS_MAX },
		json: { type: "flag" },
	},
});

endOnClosedOutput();

function out(line: string): void {
	process.stdout.write(`${line}\n`);
}

function readWorld(): WorldOptions {
	const { seed, until, customers } = values;
	if (seed === undefined) throw new UsageError("--seed is missing: which world?");
	const without = readKinds("without", values.without);
	return {
		seed,
		...(until === undefined ? {} : { untilStep: until }),
		...(customers === undefined ? {} : { customers }),
		...(without.length === 0 ? {} : { without }),
		...(values.only.length === 0 ? {} : { only: readStrikes("only", values.only) }),
	};
}

function main(): boolean {
	const options = readWorld();
	const printer = new StoryPrinter(out, values.log);
	const report = runWorld({ ...options, onStory: (line) => printer.line(line) });
	for (const line of verdictLines(report, options)) out(line);
	if (values.json) out(JSON.stringify(report));
	return report.failures.length === 0;
}

try {
	process.exitCode = main() ? 0 : 1; // Not at once: a pipe still has to take what was printed.
} catch (error) {
	failCli(error);
}
