/**
 * `npm start`: a trading day with faults, and the proof that nobody was charged for nothing.
 * Exit code 0 only if the money is where people were told it is (I6), 1 if not, 2 for a mistake on the command line.
 * @module
 */
import pc from "picocolors";
import { LOCAL_OFFSET_MS } from "../../src/config";
import { ConsoleLog } from "../node/console-log";
import { type DayEvent, type DayOptions, type DayResult, isBalanced } from "../node/day-result";
import { TradingDay } from "../node/trading-day";
import { endOnClosedOutput, failCli, parseCli } from "./args";
import { DAY_OPTIONS, DAY_USAGE, readDay, replayLine } from "./day-options";
import { jsonOf, printStatement } from "./day-statement";

const USAGE = `
npm start -- [options]

A trading day: a terminal and its host over real loopback TCP, with answers lost, the link down, power cut and the
host crashing, in compressed time. At the end both ledgers are compared with what screen and slip told people.

  --seed N          which day: customers, amounts, rates (default 1). The network is real and so is its timing, so two
                    runs of one seed differ a little
  --sales N         customers, 1 to 990: one batch (default 200)
${DAY_USAGE}
  --log             the terminal's own log as well, on stderr
  --json            the last line is one JSON object
  --help

Exit code: 0 every sale's money is where people were told it is, and every copy of the journal is whole; 1 not so;
2 a mistake on the command line.
`;

const options = parseCli({
	usage: USAGE,
	options: {
		seed: { type: "number", min: 0, max: 0xffff_ffff, default: 1 },
		sales: { type: "number", min: 1, max: 990, default: 200 },
		...DAY_OPTIONS,
		log: { type: "flag" },
		json: { type: "flag" },
	},
});

const SOURCES: Readonly<Record<DayEvent["source"], (text: string) => string>> = {
	terminal: pc.cyan,
	host: pc.magenta,
	power: pc.red,
	link: pc.yellow,
	cashier: pc.green,
	flash: pc.blue,
};

endOnClosedOutput();

let progress = "";

function print(line: string): void {
	if (progress !== "") process.stdout.write("\r\x1b[K");
	process.stdout.write(`${line}\n`);
	if (progress !== "") process.stdout.write(progress);
}

function onEvent(event: DayEvent): void {
	const time = new Date(event.timeMs + LOCAL_OFFSET_MS).toISOString().slice(11, 19);
	print(`${pc.dim(time)} ${SOURCES[event.source](event.source.padEnd(8))} ${event.text}`);
}

function onProgress(done: number, sales: number): void {
	const text = `${done} of ${sales} customers`;
	if (process.stdout.isTTY) {
		process.stdout.write(`\r\x1b[K${text}`);
		progress = done < sales ? text : "";
		if (done === sales) process.stdout.write("\n");
	} else if (done % Math.max(1, Math.floor(sales / 10)) === 0) print(`-------- ${text}`);
}

async function main(): Promise<void> {
	const { seed, log, json } = options;
	const day = await readDay(options);
	const { sales, faults, mirror, reversals, tls } = day;
	const more = [
		...(mirror === true ? [", two copies of the journal"] : []),
		...(tls === undefined ? [] : [", over TLS"]),
		...(reversals ? [] : [", automatic reversals OFF"]),
	];
	print(`A trading day: ${sales} customers, faults: ${faults}, seed ${seed}${more.join("")}`);
	let result: DayResult;
	try {
		const run: DayOptions = { ...day, seed, onEvent, onProgress };
		if (log) run.log = new ConsoleLog({ stream: process.stderr });
		result = await TradingDay.run(run);
	} catch (error) {
		process.stderr.write(`error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
		process.stderr.write(`${replayLine(seed, day)}\n`);
		process.exit(1);
	}
	printStatement(result, print);
	const good = reversals ? isBalanced(result) : result.conserved;
	if (!good && reversals) print(replayLine(seed, day));
	if (json) process.stdout.write(`${JSON.stringify(jsonOf(result))}\n`);
	process.exitCode = good ? 0 : 1;
}

main().then(
	// Sockets in TIME_WAIT and idle timers are nobody's business any more.
	() => process.exit(),
	(error) => failCli(error),
);
