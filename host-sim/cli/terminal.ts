/**
 * `npm run terminal`: a payment terminal in a process of its own. Its flash is a file, its host is on TCP, its time
 * is real; `kill -9` is a power cut, and the next start is the next boot.
 * @module
 */
import * as fs from "node:fs";
import * as path from "node:path";
import * as readline from "node:readline";
import { KEY_SCHEMES, type KeySchemeName, makeConfig } from "../../src/config";
import { CodedError } from "../../src/core/errors";
import { formatAmount, parseAmount } from "../../src/core/money";
import type { LogLevel, Screen, ScreenName, Slip } from "../../src/ports";
import { amountText, type Language } from "../../src/ui/texts";
import { TEST_TERMINAL } from "../acquirer/test-keys";
import { ConsoleLog } from "../node/console-log";
import { flashExists, mirrorPath } from "../node/flash-files";
import { readTlsFiles, type TlsFiles } from "../node/tls-files";
import { TEST_CARDS, type TestCard } from "../test-cards";
import { endOnClosedOutput, failCli, onEndSignals, parseCli, UsageError } from "./args";
import { readKeyFile } from "./key-file";
import { drawScreen, drawSlip, screenLine } from "./terminal-box";
import { Cashier, type SalesResult } from "./terminal-cashier";
import { Dialogue, statusText } from "./terminal-dialogue";
import { Station } from "./terminal-station";

const USAGE = `npm run terminal -- --flash FILE [options]

A payment terminal over a file of flash. kill -9 is a power cut; the next start is the next boot.
What screen and slip told people is written to FILE.till.jsonl.

  --flash FILE       the flash; one process at a time
  --data DIR         in place of --flash: all files in DIR, the flash is DIR/flash
  --mirror           a second copy of the journal, in FILE.mirror, which is made where there is none. Whichever of the
                     two files is lost or erased is written anew from the other one
  --provision        create FILE, or take an erased one, and begin a journal in it
                     The test keys are loaded then; the host gives the batch at sign-on
  --scheme NAME      session: a sign-on brings the working keys (default); dukpt: each exchange has its own
  --load-keys FILE   load the keys of a JSON file, each with its check value, as a technician does
  --blocks N         with --provision: size of a new file, blocks of 4096 bytes (256)
  --host HOST:PORT   the acquirer (127.0.0.1:8583)
  --tls DIR          TLS with both certificates: those in DIR, made by npm run certs. Without it plain TCP, which
                     anybody on the way can read and change: test cards only
  --interactive      amount, card and PIN from standard input (what happens without --sales)
  --sales N          sell N times by itself; 0 only brings what is open to its end
  --seed N           with --sales: seed of amounts and cards (1)
  --card NAME        with --sales: always this test card
  --amount 12.34     with --sales: always this amount
  --wait S           with --sales: seconds that the host may stay away, and that the end may take (15)
  --speed N          time runs N times faster, for a host that does the same (1)
  --language zh|en   of screens and slips (zh)
  --merchant-copy    print the merchant's copy of each slip, too; any slip: reprint TRACE merchant
  --log LEVEL        E W I D or V, on standard error (W)
  --json             one JSON object a line
  --no-reversals     never reverse anything, to show what reversals are for
  --help             this text

Ctrl-C ends the sale under way, then the terminal; once more ends it at once.
Exit codes: 0 all sold and nothing in doubt, 1 not so, 2 bad option, certificate or flash file, 70 the firmware
restarted. A first Ctrl-C lets the customer be served to the end; another one ends at once, with 130 (SIGTERM: 143).`;

const EXIT_NOT_DONE = 1;
const EXIT_RESTART = 70;

const options = parseCli({
	usage: USAGE,
	options: {
		flash: { type: "text" },
		data: { type: "text" },
		mirror: { type: "flag" },
		provision: { type: "flag" },
		"load-keys": { type: "text" },
		scheme: { type: "text", oneOf: KEY_SCHEMES, default: "session" },
		blocks: { type: "number", min: 8, max: 16_384 },
		host: { type: "text", default: "127.0.0.1:8583" },
		tls: { type: "text" },
		interactive: { type: "flag" },
		sales: { type: "number", min: 0, max: 1_000_000 },
		seed: { type: "number", min: 0, max: Number.MAX_SAFE_INTEGER },
		card: { type: "text" },
		amount: { type: "text" },
		wait: { type: "number", min: 0, max: 86_400 },
		speed: { type: "number", min: 1, max: 1000, default: 1 },
		language: { type: "text", oneOf: ["zh", "en"], default: "zh" },
		log: { type: "text", oneOf: ["E", "W", "I", "D", "V"], default: "W" },
		json: { type: "flag" },
		"merchant-copy": { type: "flag" },
		"no-reversals": { type: "flag" },
	},
});
const language = options.language as Language;

endOnClosedOutput();

function report(event: { kind: string; text: string } & Record<string, unknown>): void {
	console.log(options.json ? JSON.stringify(event) : event.text);
}

/** Screens that come between sales and are somebody's business. */
const NOTICES: readonly ScreenName[] = [
	...(["interrupted", "askDelivered", "deliveredNoted", "reversalStarted"] as const),
	...(["reversalDone", "reversalRefused", "outOfService"] as const),
];

function main(): void {
	const plainLinks = options.tls === undefined;
	const { terminalId, merchantId } = TEST_TERMINAL;
	const config = makeConfig({
		terminalId,
		merchantId,
		keyScheme: options.scheme as KeySchemeName,
		plainLinks,
		autoReversal: !options["no-reversals"],
		merchantCopy: options["merchant-copy"],
	});
	const { host, port } = readHost(options.host);
	const tls = options.tls === undefined ? undefined : readTls(options.tls, config.terminalId);
	const { data, mirror, sales, provision } = options;
	if (data !== undefined && options.flash !== undefined) throw new UsageError("--flash and --data exclude each other");
	const flash = data === undefined ? options.flash : path.join(data, "flash");
	if (flash === undefined) throw new UsageError("--flash FILE is needed, or --data DIR");
	if (sales !== undefined && options.interactive) throw new UsageError("--sales and --interactive exclude each other");
	for (const name of ["seed", "card", "amount", "wait"] as const) {
		if (sales === undefined && options[name] !== undefined) throw new UsageError(`--${name} goes with --sales`);
	}
	if (!provision && options.blocks !== undefined) throw new UsageError("--blocks goes with --provision");
	const keys = options["load-keys"] === undefined ? undefined : readKeyFile(options["load-keys"]);
	if (!provision && !flashExists(flash, mirror)) {
		if (!mirror && flashExists(flash, true)) {
			throw new UsageError(`flash file ${flash} does not exist, but its mirror does: start with --mirror`);
		}
		throw new UsageError(`flash file ${flash} does not exist; --provision creates it`);
	}
	const card = readCard(options.card);
	const amountMinor = readAmount(options.amount, config.saleMinorMin, config.saleMinorMax);

	if (data !== undefined && provision) makeDirectory(data);
	let onScreen: (screen: Screen) => void = () => {};
	let onSlip: (slip: Slip) => void = () => {};
	const station = new Station({
		flashPath: flash,
		mirror,
		...(provision ? { provision: { blocks: options.blocks ?? 256 } } : {}),
		...(keys === undefined ? {} : { keys }),
		host,
		port,
		...(tls === undefined ? {} : { tls: tls.identity }),
		speed: options.speed,
		config,
		log: new ConsoleLog({ level: options.log as LogLevel }),
		onScreen: (screen) => onScreen(screen),
		onSlip: (slip) => onSlip(slip),
		onRestart: (reason) => {
			report({ kind: "restart", reason, text: `the firmware restarts: ${reason}` });
			process.exit(EXIT_RESTART);
		},
	});
	const begun = station.provisioned ? ", provisioned" : "";
	const torn = station.notes.tornBytes > 0 ? `, torn note of ${station.notes.tornBytes} bytes cut off` : "";
	const copies = mirror ? ` and ${mirrorPath(flash)}` : "";
	const text = `terminal ${config.terminalId}, flash ${flash}${copies}${begun}, host ${host}:${port} ${linkText(tls)}${torn}`;
	report({
		kind: "opened",
		terminal: config.terminalId,
		tls: tls !== undefined,
		provisioned: station.provisioned,
		mount: station.mount,
		process: process.pid,
		text: `${text}, process ${process.pid}`,
	});

	if (sales === undefined) {
		const dialogue = converse(station, flash);
		onScreen = (screen) => {
			if (options.json) reportScreen(screen);
			else console.log(`\n${drawScreen(screen, language)}`);
			dialogue.onScreen(screen);
		};
		onSlip = (slip) => {
			if (options.json) console.log(JSON.stringify({ kind: "slip", slip }));
			else console.log(drawSlip(slip, language));
		};
		station.boot();
		return;
	}
	const cashier = new Cashier({
		station,
		sales,
		seed: options.seed ?? 1,
		language,
		...(card === undefined ? {} : { card }),
		...(amountMinor === undefined ? {} : { amountMinor }),
		autoReversal: config.autoReversal,
		waitMs: (options.wait ?? 15) * 1000,
		speed: options.speed,
		lateOriginalMs: config.lateOriginalMs,
		report,
	});
	onScreen = (screen) => {
		if (NOTICES.includes(screen.name)) reportScreen(screen);
		cashier.onScreen(screen);
	};
	onSignal(() => cashier.stop(), station);
	station.boot();
	void cashier.run().then((result) => finish(station, result));
}

function reportScreen(screen: Screen): void {
	report({ kind: "screen", ...screen, text: `screen: ${screenLine(screen, language)}` });
}

function converse(station: Station, flash: string): Dialogue {
	const typed = process.stdin.isTTY === true;
	const dialogue: Dialogue = new Dialogue({
		station,
		typed,
		language: "en", // What is said beside screens and slips.
		print: (text) => (options.json ? report({ kind: "said", text }) : console.log(text)),
		prompt: (text) => {
			if (!options.json) process.stdout.write(text);
		},
		status: () => statusText(station),
		save: (name, extension, bytes) => saveNew(`${flash}.${name}`, extension, bytes),
		onQuit: () => {
			if (!options.json) console.log(`\n${statusText(station)}`);
			finish(station, undefined);
		},
	});
	const input = readline.createInterface({ input: process.stdin, terminal: false });
	input.on("line", (line) => dialogue.line(line));
	input.on("close", () => dialogue.end());
	onSignal(() => dialogue.quit(), station);
	return dialogue;
}

/** First an orderly end, then one at once: what is under way then is settled at the next boot. */
function onSignal(stop: () => void, station: Station): void {
	onEndSignals(
		() => {
			process.stderr.write("ends when the customer has been served; Ctrl-C once more ends at once\n");
			stop();
		},
		() => station.close(),
	);
}

function finish(station: Station, result: SalesResult | undefined): void {
	const { terminal } = station;
	const summary = terminal.summary();
	const asks = terminal.asksDelivery;
	station.close();
	const settled = summary.doubts === 0 && !asks;
	if (result !== undefined) {
		const { sales, ended, approved, approvedMinor, declined, noAnswer, notBegun, atRest } = result;
		const waiting = atRest
			? "nothing waits"
			: `${summary.doubts} in doubt (${amountText(summary.doubtSumMinor)}), ${summary.queued} reversals wait`;
		const text = [
			`sales ${ended} of ${sales}: approved ${approved} (${amountText(approvedMinor)}), declined ${declined}, ` +
				`no answer ${noAnswer}, not begun ${notBegun}`,
			`batch ${summary.batch}: charged ${summary.charged} (${amountText(summary.chargedMinor)}); ${waiting}` +
				(!atRest && settled ? " to be sent once more, as a late original may still arrive" : ""),
		].join("\n");
		report({ kind: "statement", ...result, ...summary, asksDelivery: asks, text });
	} else if (options.json) report({ kind: "statement", ...summary, asksDelivery: asks, text: "" });
	const sold = result === undefined || result.ended === result.sales;
	process.exit(sold && settled ? 0 : EXIT_NOT_DONE);
}

/** What was saved before is kept: the second one of a name has a number behind it. */
function saveNew(stem: string, extension: string, bytes: Uint8Array): string {
	for (let n = 1; ; n++) {
		const path = `${stem}${n === 1 ? "" : `-${n}`}.${extension}`;
		try {
			fs.writeFileSync(path, bytes, { flag: "wx" });
			return path;
		} catch (error) {
			if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
		}
	}
}

function makeDirectory(directory: string): void {
	try {
		if (!fs.existsSync(directory)) fs.mkdirSync(directory);
	} catch (error) {
		throw new UsageError(`--data ${directory} cannot be made: ${(error as NodeJS.ErrnoException).code}`);
	}
}

function readHost(text: string): { host: string; port: number } {
	const match = /^([A-Za-z0-9][A-Za-z0-9.-]{0,252}):(\d{1,5})$/.exec(text);
	const port = Number(match?.[2]);
	if (match === null || port < 1 || port > 65_535) {
		throw new UsageError(`--host is HOST:PORT such as 127.0.0.1:8583, not "${text}"`);
	}
	return { host: match[1], port };
}

/** A certificate of another terminal is good for a connection on which every message is refused. */
function readTls(directory: string, terminalId: string): TlsFiles {
	const tls = readTlsFiles(directory, "terminal", Date.now());
	if (tls.name === terminalId) return tls;
	throw new UsageError(`the certificate in ${directory} is for terminal ${tls.name}, and this one is ${terminalId}`);
}

function linkText(tls: TlsFiles | undefined): string {
	return tls === undefined ? "over PLAIN TCP (no --tls): test cards only" : "over TLS with both certificates";
}

function readCard(name: string | undefined): TestCard | undefined {
	if (name === undefined) return undefined;
	const card = TEST_CARDS.find((candidate) => candidate.name === name);
	if (card === undefined) {
		throw new UsageError(`--card is one of ${TEST_CARDS.map((candidate) => candidate.name).join(", ")}`);
	}
	return card;
}

function readAmount(text: string | undefined, least: number, greatest: number): number | undefined {
	if (text === undefined) return undefined;
	const amountMinor = parseAmount(text, "--amount");
	if (amountMinor < least || amountMinor > greatest) {
		throw new UsageError(`--amount is from ${formatAmount(least)} to ${formatAmount(greatest)}`);
	}
	return amountMinor;
}

try {
	main();
} catch (error) {
	if (error instanceof CodedError || error instanceof UsageError) failCli(error);
	throw error;
}
