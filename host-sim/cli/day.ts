/**
 * `npm start -- --scenario day`: a trading day with faults, and the proof that nobody was charged for nothing.
 * @module
 */
import pc from "picocolors";
import { LOCAL_OFFSET_MS } from "../../src/config";
import { ConsoleLog } from "../node/console-log";
import { type DayEvent, type DayOptions, type DayResult, isBalanced } from "../node/day-result";
import { TradingDay } from "../node/trading-day";
import { readDay, replayLine } from "./day-options";
import { jsonOf, printStatement } from "./day-statement";

/** How a day is told. */
export interface DayOutput {
	readonly seed: number;
	/** The terminal's own log as well, on stderr. */
	readonly log: boolean;
	readonly json: boolean;
}

const SOURCES: Readonly<Record<DayEvent["source"], (text: string) => string>> = {
	terminal: pc.cyan,
	host: pc.magenta,
	power: pc.red,
	link: pc.yellow,
	cashier: pc.green,
	flash: pc.blue,
};

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

/** @returns whether the money is where people were told it is (I6). @throws {UsageError} for options that do not fit */
export async function runDay(options: Parameters<typeof readDay>[0] & DayOutput): Promise<boolean> {
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
		return false;
	}
	printStatement(result, print);
	const good = reversals ? isBalanced(result) : result.conserved;
	if (!good && reversals) print(replayLine(seed, day));
	if (json) process.stdout.write(`${JSON.stringify(jsonOf(result))}\n`);
	return good;
}
