/**
 * `npm run bench -- journal`: figures of ours beside those of the stores that were measured on the same workload, and
 * beside what it may cost at most. Prints figures and ratios; asserts nothing, and exits 0 whatever they are.
 */
import { endOnClosedOutput, failCli, parseCli, UsageError } from "../../host-sim/cli/args";
import { benchCuts } from "./cut-bench";
import { JournalBench } from "./journal-bench";
import { type JournalResult, reportJournal, resultsJson } from "./journal-report";

const USAGE = `npm run bench -- journal [--json]

  journal   1 MiB of 4 KiB blocks, 10,000 sales of 152 bytes in two records, settled every 500, after one full turn;
            write units 1, 16 and 32, with mirror and without; 600 power cuts at random and 600 at erases
  --json    the last line is one JSON object: under "journal" write unit 1 and one copy, beside it the others
  --help
`;

const SETUPS = [
	{ name: "write unit 1", key: "journal", writeAlign: 1, mirror: false },
	{ name: "write unit 16", key: "journalAlign16", writeAlign: 16, mirror: false },
	{ name: "write unit 32", key: "journalAlign32", writeAlign: 32, mirror: false },
	{ name: "mirror, unit 1", key: "journalMirror", writeAlign: 1, mirror: true },
	{ name: "mirror, unit 16", key: "journalMirrorAlign16", writeAlign: 16, mirror: true },
] as const;
const CUTS = 600;

function main(argv: readonly string[]): void {
	const [words, flags] = [argv.filter((word) => !word.startsWith("-")), argv.filter((word) => word.startsWith("-"))];
	const { json } = parseCli({ usage: USAGE, options: { json: { type: "flag" } }, argv: flags });
	if (words.length !== 1 || words[0] !== "journal") throw new UsageError("say what to measure: journal");
	const results = SETUPS.map(measure);
	process.stdout.write(reportJournal(results));
	if (json) process.stdout.write(`${resultsJson(results)}\n`);
}

function measure({ name, key, writeAlign, mirror }: (typeof SETUPS)[number], n: number): JournalResult {
	const tell = (what: string) => process.stderr.write(`${n + 1} of ${SETUPS.length}, ${name}: ${what}\n`);
	const figures = new JournalBench({ writeAlign, mirror }).run((sold, sales) => {
		if (sold % (sales / 2) === 0) tell(`${sold} of ${sales} sales`);
	});
	tell(`${CUTS} power cuts at random`);
	const random = benchCuts("random", CUTS, { align: writeAlign, mirror });
	tell(`${CUTS} power cuts at erases`);
	const erase = benchCuts("erase", CUTS, { align: writeAlign, mirror });
	return { name, key, figures, random, erase };
}

endOnClosedOutput();
try {
	main(process.argv.slice(2));
} catch (error) {
	failCli(error);
}
