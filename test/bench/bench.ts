/**
 * `npm run bench`: figures of ours beside those of others on the same work, and beside what it may cost at most. Prints
 * figures and ratios; asserts nothing about them, and exits 0 whatever they are.
 */
import { endOnClosedOutput, failCli, parseCli, UsageError } from "../../host-sim/cli/args";
import { ADVICES_MAX, benchAdvices } from "./advices-bench";
import { advicesJson, reportAdvices } from "./advices-report";
import { benchCuts } from "./cut-bench";
import { measureIso8583Rates, ROUNDS } from "./iso8583-bench";
import { OurCodec, PeerCodec } from "./iso8583-codecs";
import { measureGarbage } from "./iso8583-garbage";
import { iso8583Json, reportIso8583 } from "./iso8583-report";
import { JournalBench } from "./journal-bench";
import { type JournalResult, reportJournal, resultsJson } from "./journal-report";

const USAGE = `npm run bench -- journal [--json]
npm run bench -- iso8583 [--seconds N] [--json]
npm run bench -- advices [--count N] [--rtt MS] [--json]

  journal   1 MiB of 4 KiB blocks, 10,000 sales of 152 bytes in two records, settled every 500, after one full turn;
            write units 1, 16 and 32, with mirror and without; 600 power cuts at random and 600 at erases
  iso8583   a sale request of 16 fields, encoded, decoded, and both, by our codec and by npm's iso_8583 in alternating
            rounds; bytes that each message allocates
  advices   offline sales and refunds that waited for the line, drained by a terminal on virtual time
  --seconds for the rates; default 20
  --count   advices; default and most 1,000
  --rtt     round trip of the line; default 100 ms
  --json    the last line is one JSON object, under the name of what was measured; of the journal write unit 1 and one
            copy, beside it the others
  --help

Exit code: 0 measured, whatever the figures are; 2 a mistake on the command line.
`;

/** What can be measured, each with its options. */
const BENCHES: Readonly<Record<string, (flags: readonly string[]) => void>> = {
	journal: benchJournal,
	iso8583: benchIso8583,
	advices: benchAdvicesQueue,
};

const SETUPS = [
	{ name: "write unit 1", key: "journal", writeAlign: 1, mirror: false },
	{ name: "write unit 16", key: "journalAlign16", writeAlign: 16, mirror: false },
	{ name: "write unit 32", key: "journalAlign32", writeAlign: 32, mirror: false },
	{ name: "mirror, unit 1", key: "journalMirror", writeAlign: 1, mirror: true },
	{ name: "mirror, unit 16", key: "journalMirrorAlign16", writeAlign: 16, mirror: true },
] as const;
const CUTS = 600;

function main(argv: readonly string[]): void {
	const [first = "", ...rest] = argv;
	if (first === "--help" || first === "-h") parseCli({ usage: USAGE, options: {}, argv });
	const bench = Object.hasOwn(BENCHES, first) ? BENCHES[first] : undefined;
	if (bench === undefined) throw new UsageError(`say first what to measure: ${Object.keys(BENCHES).join(", ")}`);
	bench(rest);
}

function tell(what: string): void {
	process.stderr.write(`${what}\n`);
}

function benchJournal(argv: readonly string[]): void {
	const { json } = parseCli({ usage: USAGE, options: { json: { type: "flag" } }, argv });
	const results = SETUPS.map(measure);
	process.stdout.write(reportJournal(results));
	if (json) process.stdout.write(`${resultsJson(results)}\n`);
}

function measure({ name, key, writeAlign, mirror }: (typeof SETUPS)[number], n: number): JournalResult {
	const about = `${n + 1} of ${SETUPS.length}, ${name}`;
	const figures = new JournalBench({ writeAlign, mirror }).run((sold, sales) => {
		if (sold % (sales / 2) === 0) tell(`${about}: ${sold} of ${sales} sales`);
	});
	tell(`${about}: ${CUTS} power cuts at random`);
	const random = benchCuts("random", CUTS, { align: writeAlign, mirror });
	tell(`${about}: ${CUTS} power cuts at erases`);
	const erase = benchCuts("erase", CUTS, { align: writeAlign, mirror });
	return { name, key, figures, random, erase };
}

function benchIso8583(argv: readonly string[]): void {
	const { json, seconds } = parseCli({
		usage: USAGE,
		options: { json: { type: "flag" }, seconds: { type: "number", min: 1, max: 3_600, default: 20 } },
		argv,
	});
	const rates = measureIso8583Rates(seconds, (round) => {
		if (round % 3 === 0) tell(round === 0 ? "warm" : `round ${round} of ${ROUNDS}`);
	});
	tell("bytes a message");
	const garbage = measureGarbage();
	const [frameBytes, peerFrameBytes] = [new OurCodec().frameBytes, new PeerCodec().frameBytes];
	const result = { rates, garbage, frameBytes, peerFrameBytes };
	process.stdout.write(reportIso8583(result));
	if (json) process.stdout.write(`${JSON.stringify({ iso8583: iso8583Json(result) })}\n`);
}

function benchAdvicesQueue(argv: readonly string[]): void {
	const { json, count, rtt } = parseCli({
		usage: USAGE,
		options: {
			json: { type: "flag" },
			count: { type: "number", min: 1, max: ADVICES_MAX, default: ADVICES_MAX },
			rtt: { type: "number", min: 2, max: 10_000, default: 100 },
		},
		argv,
	});
	const figures = benchAdvices({ count, roundTripMs: rtt });
	process.stdout.write(reportAdvices(figures));
	if (json) process.stdout.write(`${JSON.stringify({ advices: advicesJson(figures) })}\n`);
}

endOnClosedOutput();
try {
	main(process.argv.slice(2));
} catch (error) {
	failCli(error);
}
