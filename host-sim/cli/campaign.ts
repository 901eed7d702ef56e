/**
 * `npm run campaign`: one world for each seed, on all cores: a search that is to end with no one-sided entry, and a table
 * of what happened in it.
 * @module
 */
import { availableParallelism } from "node:os";
import { summarize } from "../world/coverage";
import { STRIKE_KINDS } from "../world/strikes";
import { failCli, onEndSignals, parseCli } from "./args";
import { CUSTOMERS_MAX, readKinds, readSeeds, readShard } from "./campaign-options";
import { CampaignProgress, resultLines, toJson } from "./campaign-print";
import { Campaign } from "./campaign-run";

/** Kinds of trouble, a few on a line. */
function listed(kinds: readonly string[]): string {
	const lines: string[] = [];
	for (let n = 0; n < kinds.length; n += 6) lines.push(`    ${kinds.slice(n, n + 6).join(" ")}`);
	return lines.join("\n");
}

const USAGE = `
npm run campaign -- [options]

  --seeds A..B      one world each, from 0 to 2^53 - 1; A alone is that one seed (default 1..1000; with --minutes: from 1
                    on, until time is up)
  --shard k/n       every n-th seed alone: of A..B those A + i with i mod n = k, where k is 0 to n-1. Together the shards
                    0/n to n-1/n have each seed once
  --minutes M       no new seeds after that
  --customers N     of each world (default: what its seed picks)
  --without KINDS   trouble that never strikes, comma-separated:
${listed([...new Set(STRIKE_KINDS)])}
  --jobs J          threads (default: one for each core)
  --shrink N        failing seeds that are made small (default 3)
  --json            the last line is one JSON object: failures is the number of failing seeds, failed the list of them
  --help

A seed fails when an invariant is broken, when its world does not come to rest, or when its thread dies or hangs.
Exit code: 0 no failure; 1 a failure, or a row of the table that was exercised although coverage.ts says that it cannot
be; 2 a mistake on the command line; 130 or 143 interrupted by Ctrl-C or SIGTERM: what there is was printed, and is
without a failure.
`;

const MINUTES_MAX = 60_000;
const DEFAULT_SEEDS = "1..1000";
const ENDLESS_SEEDS = `1..${Number.MAX_SAFE_INTEGER}`;

const values = parseCli({
	usage: USAGE,
	options: {
		seeds: { type: "text" },
		shard: { type: "text" },
		minutes: { type: "number", min: 0.01, max: MINUTES_MAX, fraction: true },
		customers: { type: "number", min: 1, max: CUSTOMERS_MAX },
		without: { type: "list" },
		jobs: { type: "number", min: 1, max: 256, default: availableParallelism() },
		shrink: { type: "number", min: 0, max: 20, default: 3 },
		json: { type: "flag" },
	},
});

/** Ends the campaign with what there is; asked again, at once. @returns the exit code that an interrupted one has */
function interruptible(campaign: Campaign): () => number {
	let code = 0;
	onEndSignals((exitCode) => {
		code = exitCode;
		campaign.interrupt();
	});
	return () => code;
}

async function main(): Promise<number> {
	const { minutes, customers, jobs, json } = values;
	const seeds = readSeeds(values.seeds ?? (minutes === undefined ? DEFAULT_SEEDS : ENDLESS_SEEDS));
	const shard = values.shard === undefined ? undefined : readShard(values.shard);
	const without = readKinds("without", values.without);
	const seconds = minutes === undefined ? undefined : minutes * 60;
	const campaign = new Campaign({
		jobs,
		seeds,
		...(shard === undefined ? {} : { shard }),
		...(seconds === undefined ? {} : { seconds }),
		common: { ...(customers === undefined ? {} : { customers }), ...(without.length === 0 ? {} : { without }) },
		shrinkMax: values.shrink,
	});
	const interruptedWith = interruptible(campaign);
	const progress = new CampaignProgress(seconds);
	const result = await campaign.run(progress);
	progress.end();
	for (const line of resultLines(result, jobs, shard)) process.stdout.write(`${line}\n`);
	if (json) process.stdout.write(`${JSON.stringify(toJson(result, jobs, shard))}\n`);
	if (result.failures > 0 || summarize(result.coverage).refuted.length > 0) return 1;
	return interruptedWith();
}

main().then(
	(code) => {
		process.exitCode = code; // Not at once: a pipe still has to take what was printed.
	},
	(error) => failCli(error),
);
