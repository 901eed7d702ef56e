/**
 * `npm run host`: the host of the simulation on a TCP port, for terminals in other processes. One line for each
 * message; Ctrl-C prints the ledgers.
 * @module
 */
import * as readline from "node:readline";
import { KEY_SCHEMES } from "../../src/config";
import { CodedError } from "../../src/core/errors";
import { UNIONPAY } from "../../src/iso8583/unionpay";
import { UNIONPAY_DUKPT } from "../../src/iso8583/unionpay-dukpt";
import { FaultPlan, parseFault } from "../acquirer/faults";
import type { HostEvent } from "../acquirer/host-events";
import { type LedgerStore, MemoryLedgerStore } from "../acquirer/ledger-store";
import { type OfficeReport, readOffice } from "../acquirer/office-report";
import { readStatement, type Statement } from "../acquirer/statement";
import { SeededRandom } from "../board/seeded-random";
import { AcquirerServer } from "../node/acquirer-server";
import { FileLedgerStore } from "../node/file-ledger-store";
import { checkPortFree } from "../node/host-port";
import { ScaledClock } from "../node/scaled-clock";
import { readTlsFiles, type TlsFiles } from "../node/tls-files";
import { TEST_CARDS } from "../test-cards";
import { endOnClosedOutput, failCli, onEndSignals, parseCli, UsageError } from "./args";
import { entryLine, summaryLines } from "./host-books";
import { carryOut } from "./host-console";

const USAGE = `npm run host -- [options]

The acquirer, its back office, the issuer, the merchant's account, and the far sides of repayments and top-ups, on a port
of 127.0.0.1.

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
                     of new sales in the books: recordLost reversedWrongly amountAltered postingLost
                     postingRefused postingLate postingChanges declinedBooked
                     of settlements and uploads: settlementAnswerLost settlementOtherBatch settlementStranger
                     totalsWrong
                     of sync messages: syncAnswerLost syncBadMac syncReordered syncStranger digestWrong
                     of lists: entryChanges entryLies entryRepeats entriesUnordered entryOfAnother listEndless
                     pageGarbled
                     of repayments and top-ups: farSideFailed farSideRefused, and sent again farSideRefuses
                     of the desk: requestAnswerLost deskRefuses deskWantsEvidence deskLate deskPostsTwice
  --no-sync          a host that knows none of the sync messages: it answers them 40
  --posting-delay N  seconds from a sale's record to its posting to the merchant's account (0)
  --desk POLICY      what the desk does with requests for manual posting, for credit and for another try at a far side:
                     grant (default), refuse, evidence (wants it first; of the last kind it grants), or late (grants
                     after --desk-delay)
  --desk-delay N     seconds (14400, four hours); both are seconds of the host, which --speed makes shorter
  --console          orders on standard input, one a line: show, help, faults;
                     refuse [REASON], mend: the merchant's account takes no postings, and takes them again
                     grant REFERENCE, deny REFERENCE: what the desk has open
                     fault NAME [N]: strikes the next N times by hand; rate NAME=RATE; heal: none strikes any more
  --seed N           seed of faults and authorization codes (1)
  --speed N          time runs N times faster, for terminals that do the same (1)
  --show             with --data: print the ledgers and the office's books of DIR and exit; nothing is changed
  --json             one JSON object a line; the last one holds the ledgers, movement by movement, their totals, and the
                     office's books: the desk's requests, batches, accounts that take no postings
  --help             this text

The crash faults: with --data the process ends like a crash (exit code 70), else it restarts in place after 1 s.
Exit codes: 0 ended by Ctrl-C or SIGTERM, the ledgers printed, 1 the ledgers cannot be written, 2 bad option, port, directory or certificate, 70 a crash fault.`;

const EXIT_STORE = 1;
const EXIT_CRASH = 70;
const RESTART_MS = 1000;

const DESK_POLICIES = ["grant", "refuse", "evidence", "late"] as const;
/** A month. */
const SECONDS_MAX = 30 * 24 * 3600;

const options = parseCli({
	usage: USAGE,
	options: {
		port: { type: "number", min: 0, max: 65535, default: 8583 },
		tls: { type: "text" },
		scheme: { type: "text", oneOf: KEY_SCHEMES, default: "session" },
		data: { type: "text" },
		fault: { type: "list" },
		"no-sync": { type: "flag" },
		"posting-delay": { type: "number", min: 0, max: SECONDS_MAX, default: 0 },
		desk: { type: "text", oneOf: DESK_POLICIES, default: "grant" },
		"desk-delay": { type: "number", min: 0, max: SECONDS_MAX, default: 14_400 },
		console: { type: "flag" },
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
	const store = openStore(true);
	const statement = readStatement(store, TEST_CARDS);
	const office = readOffice(store, Date.now());
	if (options.json) console.log(JSON.stringify({ ...statement, office }));
	else console.log([...statement.entries.map(entryLine), ...summaryLines(statement, office)].join("\n"));
}

/** What there is at the end, or when somebody asks. */
function printBooks(statement: Statement, office: OfficeReport): void {
	if (options.json) console.log(JSON.stringify({ kind: "ledgers", ...statement, office }));
	else console.log(summaryLines(statement, office).join("\n"));
}

/** Lines of standard input are orders of a person at the office. */
function listenToOffice(server: AcquirerServer, faults: FaultPlan): void {
	const input = readline.createInterface({ input: process.stdin, terminal: false });
	input.on("line", (line) => {
		if (line.trim() === "show") printBooks(server.statement(), server.office());
		else print({ kind: "office", text: carryOut(server, faults, line) });
	});
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
		sync: !options["no-sync"],
		office: {
			postingDelayMs: options["posting-delay"] * 1000,
			desk: {
				policy: DESK_POLICIES.find((policy) => policy === options.desk) ?? "grant",
				lateMs: options["desk-delay"] * 1000,
			},
		},
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
	if (options.console) listenToOffice(server, faults);
	onEndSignals(() => {
		printBooks(server.statement(), server.office());
		void server.close().then(() => process.exit(0));
	});
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
