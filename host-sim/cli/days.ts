/**
 * `npm run days`: many trading days, several at a time in one process, a line for each and a sum.
 * @module
 */
import { type DayResult, isBalanced } from "../node/day-result";
import { TradingDay } from "../node/trading-day";
import { endOnClosedOutput, failCli, parseCli, UsageError } from "./args";
import { DAY_OPTIONS, DAY_USAGE, readDay, replayLine } from "./day-options";

const USAGE = `
npm run days -- [options]

  --seeds A..B      which days (default 1..50)
  --sales N         customers a day (default 60)
${DAY_USAGE}
  --parallel N      days at a time (default 8)
  --json            the last line is one JSON object
  --help

Exit code: 0 every day is balanced; 1 one is not; 2 a mistake on the command line. With --no-reversals: 0 when most
days are unbalanced, which proves that the check can fail.
`;

const values = parseCli({
	usage: USAGE,
	options: {
		seeds: { type: "text", default: "1..50" },
		sales: { type: "number", min: 1, max: 990, default: 60 },
		...DAY_OPTIONS,
		parallel: { type: "number", min: 1, max: 64, default: 8 },
		json: { type: "flag" },
	},
});

endOnClosedOutput();

/** @throws {UsageError} */
function readRange(text: string): { first: number; last: number } {
	const match = /^(\d{1,10})(?:\.\.(\d{1,10}))?$/.exec(text);
	const first = Number(match?.[1]);
	const last = match?.[2] === undefined ? first : Number(match[2]);
	if (match === null || last < first || last > 0xffff_ffff) throw new UsageError("--seeds is A..B, e.g. 1..50");
	return { first, last };
}

async function main(): Promise<boolean> {
	const { first, last } = readRange(values.seeds);
	const options = await readDay(values);
	const { mirror, reversals } = options;
	let next = first;
	let balanced = 0;
	let failed = 0;
	const sum = {
		sales: 0,
		approved: 0,
		declined: 0,
		reversed: 0,
		inDoubt: 0,
		oneSided: 0,
		powerCuts: 0,
		hostCrashes: 0,
		blocksDestroyed: 0,
		blocksMended: 0,
	};
	const line = (day: DayResult) => {
		const good = reversals ? isBalanced(day) : day.conserved;
		if (good) balanced++;
		for (const name of Object.keys(sum) as (keyof typeof sum)[]) sum[name] += day[name];
		const parts = [
			`seed ${day.seed}: ${day.approved} approved, ${day.declined} declined, ${day.reversed} reversed`,
			`${day.inDoubt} in doubt, ${day.powerCuts} cuts, ${day.hostCrashes} crashes, one-sided ${day.oneSided}`,
			...(day.tls ? [day.tlsProtocol ?? "NO TLS CONNECTION"] : []),
			...(mirror === true ? [`${day.blocksDestroyed} blocks destroyed, ${day.blocksMended} mended`] : []),
			`conserved ${day.conserved}`,
			...(day.atRest ? [] : ["NOT AT REST"]),
			...(day.copiesWhole === day.copies ? [] : [`${day.copiesWhole} of ${day.copies} COPIES WHOLE`]),
			...(day.firmwareRestarts > 0 ? [`${day.firmwareRestarts} restarts`] : []),
		];
		process.stdout.write(`${parts.join(", ")}\n`);
		if (!good && reversals) process.stdout.write(`  ${replayLine(day.seed, options)}\n`);
	};
	const worker = async () => {
		while (next <= last) {
			const seed = next++;
			try {
				line(await TradingDay.run({ ...options, seed }));
			} catch (error) {
				failed++;
				process.stdout.write(`seed ${seed}: FAILED ${error instanceof Error ? error.stack : String(error)}\n`);
			}
		}
	};
	await Promise.all(Array.from({ length: values.parallel }, worker));
	const days = last - first + 1;
	process.stdout.write(
		`${days} days, ${balanced} balanced, ${days - balanced - failed} unbalanced, ${failed} failed\n`,
	);
	if (values.json) process.stdout.write(`${JSON.stringify({ days, balanced, failed, tls: values.tls, ...sum })}\n`);
	return reversals ? balanced === days : failed === 0 && (days - balanced) * 2 > days;
}

main().then(
	(good) => process.exit(good ? 0 : 1),
	(error) => failCli(error),
);
