/**
 * `npm run host`: the host of the simulation on a TCP port, for terminals in other processes. One line for each
 * message; Ctrl-C prints the ledgers.
 * @module
 */
import { KEY_SCHEMES } from "../../src/config";
import { CodedError } from "../../src/core/errors";
import { formatAmount } from "../../src/core/money";
import { UNIONPAY } from "../../src/iso8583/unionpay";
import { UNIONPAY_DUKPT } from "../../src/iso8583/unionpay-dukpt";
import { FaultPlan, parseFault } from "../acquirer/faults";
import type { HostEvent } from "../acquirer/host-events";
import { type LedgerStore, MemoryLedgerStore } from "../acquirer/ledger-store";
import { type LedgerEntry, readStatement, type Statement } from "../acquirer/statement";
import { SeededRandom } from "../board/seeded-random";
import { AcquirerServer } from "../node/acquirer-server";
import { FileLedgerStore } from "../node/file-ledger-store";
import { checkPortFree } from "../node/host-port";
import { ScaledClock } from "../node/scaled-clock";
import { readTlsFiles, type TlsFiles } from "../node/tls-files";
import { TEST_CARDS } from "../test-cards";
import { endOnClosedOutput, failCli, parseCli, UsageError } from "./args";

const USAGE = `npm run host -- [options]

The acquirer, the issuer and the merchant's account, on a port of 127.0.0.1.

  --port N           port, 0 for any free one (8583)
  --tls DIR          TLS with both certificates: those in DIR, made by npm run certs. Without it plain TCP, which
                     anybody on the way can read and change: test cards only
  --scheme NAME      of the terminals' keys: session (default), or dukpt (AES-DUKPT, PIN block format 4)
  --data DIR         keep the ledgers in DIR (else in memory, gone at the end)
  --fault NAME=RATE  a fault, RATE from 0 to 1; may be given many times
                     requestLost requestLate connectionCut crash answerLost answerLate
                     answerDoubled answerSplit wrongAmount badMac
                     keysForgotten keysChanged replayedAnswer strangerAnswer slowAnswer
                     answerGarbled answerReordered reversalForgotten hostHalfOpen crashAfterRecord
                     reversalRefused
                     of sign-ons: signOnLost signOnAnswerLost signOnRefused wrongCheckValue wrongBatch
  --seed N           seed of faults and authorization codes (1)
  --speed N          time runs N times faster, for terminals that do the same (1)
  --show             with --data: print the ledgers of DIR and exit; nothing is changed
  --json             one JSON object a line; the last one holds the totals
  --help             this text

The crash faults: with --data the process ends like a crash (exit code 70), else it restarts in place after 1 s.
Exit codes: 0 ended by Ctrl-C, 1 the ledgers cannot be written, 2 bad option, port, directory or certificate, 70 a crash fault.`;

const EXIT_STORE = 1;
const EXIT_CRASH = 70;
const RESTART_MS = 1000;

const options = parseCli({
	usage: USAGE,
	options: {
		port: { type: "number", min: 0, max: 65535, default: 8583 },
		tls: { type: "text" },
		scheme: { type: "text", oneOf: KEY_SCHEMES, default: "session" },
		data: { type: "text" },
		fault: { type: "list" },
		seed: { type: "number", min: 0, max: Number.MAX_SAFE_INTEGER, default: 1 },
		speed: { type: "number", min: 1, max: 1000, default: 1 },
		show: { type: "flag" },
		json: { type: "flag" },
	},
});

endOnClosedOutput();

function print(event: { kind: string; text: string; at?: number }): void {
	if (options.json) console.log(JSON.stringify(event));
	else if (event.at === undefined) console.log(event.text);
	else console.log(`${new Date(event.at).toISOString().slice(11, 23)} ${event.text}`);
}

function openStore(readOnly: boolean): LedgerStore {
	if (options.data === undefined) return new MemoryLedgerStore();
	return new FileLedgerStore(options.data, {
		readOnly,
		onTornLine: (ledger, byteCount) => {
			const done = readOnly ? "skipped" : "cut off";
			const text = `torn last line of the ${ledger} ledger ${done}, ${byteCount} bytes`;
			if (readOnly && options.json) return; // There the one object is all that is printed.
			print({ kind: "torn", text });
		},
	});
}

function show(): void {
	if (options.data === undefined) throw new UsageError("--show needs --data DIR");
	const statement = readStatement(openStore(true), TEST_CARDS);
	if (options.json) {
		console.log(JSON.stringify(statement));
		return;
	}
	for (const entry of statement.entries) console.log(entryLine(entry));
	printTotals(statement);
}

function entryLine(entry: LedgerEntry): string {
	const { refund } = entry;
	if (refund !== undefined) {
		const taken = entry.reversed ? "reversed" : entry.code || "never came";
		return `${entry.key} ${formatAmount(entry.amountMinor)} ${refund.type} of ${refund.original || "nothing known"}: ${taken}`;
	}
	const state = entry.reversals > 0 ? "reversed" : entry.debits > 0 ? "debited" : entry.code || "never came";
	const sides = `card ${formatAmount(entry.cardNetMinor)} merchant ${formatAmount(entry.merchantNetMinor)}`;
	const oneSided = entry.cardNetMinor === entry.merchantNetMinor ? "" : "  ONE-SIDED";
	return `${entry.key} ${formatAmount(entry.amountMinor)} ${state}: ${sides}${oneSided}`;
}

function printTotals({ entries, totals }: Statement): void {
	if (options.json) {
		console.log(JSON.stringify({ kind: "ledgers", totals }));
		return;
	}
	console.log(
		[
			`movements ${totals.movements}: approved ${totals.approved}, declined ${totals.declined}, ` +
				`reversed ${totals.reversed}, reversals without an original ${totals.tombstones}, ` +
				`voids and refunds ${totals.refunds}`,
			`issuer    debited ${formatAmount(totals.debitedMinor)}, credited back ` +
				`${formatAmount(totals.creditedBackMinor)}, net ${formatAmount(totals.cardNetMinor)}`,
			`merchant  net ${formatAmount(totals.merchantNetMinor)}`,
			totals.conserved ? "conserved: no one-sided entry" : `NOT conserved: ${totals.oneSided} one-sided`,
		].join("\n"),
	);
	for (const entry of entries) if (entry.cardNetMinor !== entry.merchantNetMinor) console.log(entryLine(entry));
}

async function serve(): Promise<void> {
	const random = new SeededRandom(options.seed);
	const faults = new FaultPlan(random.fork("faults"));
	for (const text of options.fault) {
		const { name, rate } = parseFault(text);
		faults.setRate(name, rate);
	}
	const tls = options.tls === undefined ? undefined : readTlsFiles(options.tls, "host", Date.now());
	const durable = options.data !== undefined;
	await checkPortFree(options.port); // Before any ledger is begun: nothing half written.
	const server = new AcquirerServer({
		port: options.port,
		clock: new ScaledClock({ scale: options.speed }),
		random: random.fork("host"),
		store: openStore(false),
		dialect: options.scheme === "dukpt" ? UNIONPAY_DUKPT : UNIONPAY,
		faults,
		...(tls === undefined ? {} : { tls: tls.identity }),
		...(durable ? {} : { restartMs: RESTART_MS }),
		onEvent: (event: HostEvent) => print(event),
		onCrash: (reason) => {
			// No farewell: what a crash leaves behind is what the store holds.
			if (reason === "store") process.exit(EXIT_STORE);
			if (durable) process.exit(EXIT_CRASH);
		},
		onRestart: () => print({ kind: "restart", text: "restarted from the ledgers" }),
		onError: failCli,
	});
	const port = await server.listen();
	const where = durable ? `ledgers in ${options.data}` : "ledgers in memory";
	const text = `host listening on 127.0.0.1:${port}, ${linkText(tls)}, ${where}, seed ${options.seed}, process ${process.pid}`;
	if (options.json)
		console.log(JSON.stringify({ kind: "listening", port, tls: tls !== undefined, seed: options.seed, text }));
	else console.log(text);
	for (const signal of ["SIGINT", "SIGTERM"] as const) {
		process.once(signal, () => {
			printTotals(server.statement());
			void server.close().then(() => process.exit(0));
		});
	}
}

function linkText(tls: TlsFiles | undefined): string {
	if (tls === undefined) return "PLAIN TCP (no --tls): test cards only";
	return `TLS with both certificates (valid until ${new Date(tls.untilMs).toISOString().slice(0, 10)})`;
}

async function main(): Promise<void> {
	try {
		if (options.show) show();
		else await serve();
	} catch (error) {
		if (error instanceof CodedError || error instanceof UsageError) failCli(error);
		throw error;
	}
}

void main();
