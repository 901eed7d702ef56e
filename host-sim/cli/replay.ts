/**
 * `npm run replay`: the story of one world, as its seed has it.
 * @module
 */

import { runWorld } from "../node/checked-world";
import type { WorldOptions } from "../world/report";
import { failCli, parseCli, UsageError } from "./args";
import { CUSTOMERS_MAX, readKinds, readStrikes } from "./campaign-options";
import { exitCodeOf, StoryPrinter, storyJson, verdictLines } from "./campaign-story";

const USAGE = `
npm run replay -- --seed N [options]

  --seed N          the world
  --until STEP      stop there, 0: before the first; nothing is judged then
  --log             also the terminals' log lines, and every frame
  --without KINDS   trouble that never strikes, comma-separated
  --only STRIKES    the only strikes that happen, by name: "powerCut#3,badMac#1", or none. One that never happens in
                    this world is named at the end
  --customers N     default: what the seed picks
  --json            the last line is the report as one JSON object: failures is their number, failed the list of them,
                    unstruck what --only names and did not happen
  --help

A line is a step, local time, the terminal (T0 is the first), who speaks, and what. The same seed and options give the
same story and the same hash.
Exit code: 0 no promise was broken; 1 one was; 2 a mistake on the command line; 3 no promise was broken, but a strike of
--only never happened, so that the story is not the one that was asked for (with --until: 0, as it may still come).
`;

const values = parseCli({
	usage: USAGE,
	options: {
		seed: { type: "number", min: 0, max: Number.MAX_SAFE_INTEGER },
		until: { type: "number", min: 0, max: Number.MAX_SAFE_INTEGER },
		log: { type: "flag" },
		without: { type: "list" },
		only: { type: "list" },
		customers: { type: "number", min: 1, max: CUSTOMERS_MAX },
		json: { type: "flag" },
	},
});

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

/** @returns the exit code */
function main(): number {
	const options = readWorld();
	const printer = new StoryPrinter(out, values.log);
	const report = runWorld({ ...options, onStory: (line) => printer.line(line) });
	for (const line of verdictLines(report, options)) out(line);
	if (values.json) out(JSON.stringify(storyJson(report, options)));
	return exitCodeOf(report, options);
}

try {
	process.exitCode = main(); // Not at once: a pipe still has to take what was printed.
} catch (error) {
	failCli(error);
}
