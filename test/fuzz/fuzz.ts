/**
 * `npm run fuzz`: searches for bytes from outside that get something else out of terminal or host than a coded error or
 * a right message. Seeded: the same seed gives the same cases. Prints, for each escape, the command that shows it again.
 */
import { availableParallelism } from "node:os";
import { endOnClosedOutput, failCli, parseCli, UsageError } from "../../host-sim/cli/args";
import { PLANTED } from "./planted";
import { grouped, out, Progress, printEscape, printResult, toJson } from "./report";
import { replay, search } from "./search";
import type { Target } from "./target";
import { findTarget, TARGETS } from "./targets";

const listed = (targets: readonly Target[]) =>
	targets.map(({ name, brief }) => `    ${name.padEnd(18)} ${brief}`).join("\n");

const USAGE = `
npm run fuzz -- [options]

  --seconds N       default 60; each target has a block of cases whatever the time
  --seed S          default 1; the same seed gives the same cases
  --target NAME     may be given many times; without it all of these:
${listed(TARGETS)}
                    broken on purpose, to see the search find it: ${PLANTED.map(({ name }) => name).join(", ")}
  --cases N         of each target, however long it takes
  --case N          one case of the --target again, with its input
  --jobs J          threads; what a case does, does not depend on it (default: one for each core)
  --json            the last line is one JSON object
  --help

An escape is an exception that is no coded error, or one with a code that the interface does not name; a read past the
end; a write where only reading is allowed; a message that does not encode to the bytes it came from; memory above the
longest frame; a case that does not end; a secret in an error, a log or a masked text; money moved without a right MAC.
Exit code: 0 no escape; 1 an escape; 2 a mistake on the command line.
`;

const HOURS_MAX = 1_000;

const values = parseCli({
	usage: USAGE,
	options: {
		seconds: { type: "number", min: 1, max: HOURS_MAX * 3_600 },
		seed: { type: "number", min: 0, max: Number.MAX_SAFE_INTEGER, default: 1 },
		target: { type: "list" },
		cases: { type: "number", min: 1, max: Number.MAX_SAFE_INTEGER },
		case: { type: "number", min: 0, max: Number.MAX_SAFE_INTEGER },
		jobs: { type: "number", min: 1, max: 256, default: availableParallelism() },
		json: { type: "flag" },
	},
});

endOnClosedOutput();

function targetOf(name: string): Target {
	const target = findTarget(name);
	if (target === undefined) {
		throw new UsageError(`--target is one of ${TARGETS.map((known) => known.name).join(", ")}, not "${name}"`);
	}
	return target;
}

async function runSearch(targets: readonly Target[]): Promise<boolean> {
	const { seed, jobs, cases, json } = values;
	const seconds = values.seconds ?? (cases === undefined ? 60 : HOURS_MAX * 3_600);
	const progress = new Progress();
	const result = await search(targets, { seed, seconds, jobs, casesMax: cases }, (partial) => progress.show(partial));
	progress.end();
	printResult(result);
	if (json) out(JSON.stringify(toJson(result)));
	return result.found.length === 0;
}

async function runReplay(target: Target, number: number): Promise<boolean> {
	const result = await replay(target, values.seed, number);
	const shown = result.escapes.find((found) => found.case === number) ?? result.escapes[0];
	if (shown === undefined) out(`no escape in ${target.name}, seed ${values.seed}, case ${grouped(number)}`);
	else printEscape(shown);
	if (values.json) out(JSON.stringify({ cases: result.cases, escapes: result.escapes.length, found: shown ?? null }));
	return shown === undefined;
}

async function main(): Promise<boolean> {
	const names = [...new Set(values.target)];
	const targets = names.length === 0 ? TARGETS : names.map(targetOf);
	if (values.case === undefined) return runSearch(targets);
	if (names.length !== 1) throw new UsageError("--case needs the --target that it is of");
	if (values.cases !== undefined || values.seconds !== undefined) {
		throw new UsageError("--case takes no --cases and no --seconds");
	}
	return runReplay(targets[0], values.case);
}

main().then(
	(good) => {
		process.exitCode = good ? 0 : 1; // Not at once: a pipe still has to take what was printed.
	},
	(error) => failCli(error),
);
