/** `npm run mutants`: deliberate bugs of the firmware, one at a time, and who notices. */
import { availableParallelism } from "node:os";
import { exitOnSignals, failCli, parseCli, UsageError } from "../../host-sim/cli/args";
import { counted } from "../../host-sim/cli/campaign-print";
import { MUTANTS } from "./mutants";
import type { Mutant } from "./mutate";
import { type Hunt, hunt, type SeedControl, type Verdict } from "./run";

const USAGE = `
npm run mutants -- [options]

  --only NAME    this mutant only; may be given many times
  --seeds N      one number: the campaign has the seeds 1 to N for each (default 300); 0: the tests only
  --jobs J       mutants at a time (default 2)
  --list         names them, and what each breaks, and runs nothing
  --json         the last line is one JSON object; with --list it is all there is
  --help

Each deliberate bug of test/mutants/mutants.ts is put into the firmware, in memory. The campaign runs over it seed after
seed until one fails; what no seed catches is given to the test files that the list names for it.
Exit code: 0 all are caught; 1 one survives, or the list is not true of the code any more, or the code as it is fails; 2 a
mistake on the command line; 130 or 143 interrupted by Ctrl-C or SIGTERM, after the verdicts that there were.
`;

const SEEDS_DEFAULT = 300;
const JOBS_DEFAULT = 2;
const NAME_COLUMNS = Math.max(...MUTANTS.map(({ name }) => name.length));
const HOW_CHARACTERS = 100;

function out(line: string): void {
	process.stdout.write(`${line}\n`);
}

function chosen(names: readonly string[]): readonly Mutant[] {
	for (const name of names) {
		if (!MUTANTS.some((mutant) => mutant.name === name)) throw new UsageError(`--only: there is no mutant "${name}"`);
	}
	return names.length === 0 ? MUTANTS : MUTANTS.filter(({ name }) => names.includes(name));
}

function printList(mutants: readonly Mutant[], json: boolean): void {
	if (json) {
		const list = mutants.map(({ changes, ...rest }) => ({ ...rest, files: changes.map(({ file }) => file) }));
		out(JSON.stringify({ mutants: mutants.length, list }));
		return;
	}
	for (const { name, breaks, what } of mutants) {
		out(`${name.padEnd(NAME_COLUMNS)}  ${breaks.join(" ").padEnd(5)}  ${what}`);
	}
}

function printControl({ seeds, sales, seconds, failures }: SeedControl): void {
	if (seeds > 0) {
		const fail = `${failures.length} ${failures.length === 1 ? "fails" : "fail"}`;
		out(`control: ${counted(seeds, "seed")}, ${counted(sales, "sale")} in ${seconds.toFixed(1)} s, ${fail}`);
	}
	for (const { seed, failure } of failures) out(`  seed ${seed} fails without any mutant: ${shortly(failure)}`);
}

function printVerdict(verdict: Verdict): void {
	const name = verdict.name.padEnd(NAME_COLUMNS);
	if (verdict.caught === "campaign")
		out(`${name}  ${counted(verdict.seeds, "seed").padEnd(10)}  ${shortly(verdict.how)}`);
	else if (verdict.caught === "tests") out(`${name}  test        ${shortly(verdict.how)}`);
	else if (verdict.caught === "no") out(`${name}  SURVIVES    ${verdict.how}`);
	else out(`${name}  ROTTEN      ${verdict.how}`);
}

function shortly(text: string): string {
	const line = text.replace(/\s+/g, " ");
	return line.length <= HOW_CHARACTERS ? line : `${line.slice(0, HOW_CHARACTERS - 1)}…`;
}

function printEnd({ verdicts, failingTests }: Hunt, seeds: number): void {
	const count = (caught: Verdict["caught"]) => verdicts.filter((verdict) => verdict.caught === caught);
	const byCampaign = count("campaign")
		.map((verdict) => verdict.seeds)
		.sort((a, b) => a - b);
	out("");
	out(
		`${counted(verdicts.length, "mutant")}: ${byCampaign.length} caught by the campaign, ${count("tests").length} by a test`,
	);
	if (byCampaign.length > 0) {
		const median = byCampaign[byCampaign.length >> 1];
		out(`  the campaign took ${counted(median, "seed")} at the median, ${byCampaign.at(-1)} at most, of ${seeds}`);
	}
	const missed = verdicts.filter(({ name, caught }) => caught === "tests" && expectedOf(name) === "campaign");
	if (missed.length > 0 && seeds > 0) out(`  expected of the campaign: ${missed.map(({ name }) => name).join(" ")}`);
	for (const { name, how } of count("no")) out(`SURVIVES: ${name}: ${how}`);
	for (const { how } of count("rotten")) out(`ROTTEN: ${how}`);
	for (const title of failingTests) out(`fails without any mutant: ${title}`);
}

function expectedOf(name: string): Mutant["expected"] | undefined {
	return MUTANTS.find((mutant) => mutant.name === name)?.expected;
}

async function main(): Promise<boolean> {
	const values = parseCli({
		usage: USAGE,
		options: {
			only: { type: "list" },
			seeds: { type: "number", min: 0, max: 1_000_000, default: SEEDS_DEFAULT },
			jobs: { type: "number", min: 1, max: 64, default: Math.min(JOBS_DEFAULT, availableParallelism()) },
			list: { type: "flag" },
			json: { type: "flag" },
		},
	});
	const mutants = chosen(values.only);
	if (values.list) {
		printList(mutants, values.json);
		return true;
	}
	const { seeds, jobs } = values;
	exitOnSignals();
	const result = await hunt({ mutants, seeds, jobs, onControl: printControl, onVerdict: printVerdict });
	printEnd(result, seeds);
	if (values.json) {
		const survivors = result.verdicts.filter(({ caught }) => caught === "no").map(({ name }) => name);
		const { failures: failed, ...figures } = result.control;
		const control = { ...figures, failures: failed.length, failed };
		out(JSON.stringify({ mutants: mutants.length, survivors, ...result, control }));
	}
	return result.good;
}

main().then(
	(good) => {
		process.exitCode = good ? 0 : 1; // Not at once: a pipe still has to take what was printed.
	},
	(error) => failCli(error),
);
