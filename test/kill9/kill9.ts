/**
 * `npm run kill9`: the kill campaign as a command; see campaign.ts.
 */
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { parseFault } from "../../host-sim/acquirer/faults";
import { exitOnSignals, failCli, parseCli } from "../../host-sim/cli/args";
import { CodedError } from "../../src/core/errors";
import { Campaign, type CampaignResult } from "./campaign";

const USAGE = `npm run kill9 -- [options]

Runs host and terminal as two processes, kills them with SIGKILL while they trade, and compares the host's ledgers
with what people were told.

  --terminal-kills N  (30)
  --host-kills N      (10)
  --seed N            of the moments, customers and faults (1); the operating system has its own share in the moments
  --speed N           time of both runs N times faster (100)
  --quiet S           real seconds that the end may take (60)
  --fault NAME=RATE   a fault of the host while it sells; may be given many times
  --mirror            the terminal keeps two copies of its journal, in two files
  --no-reversals      the terminal never reverses: with --fault answerLost=0.2 the check must fail
  --keep              keep flash, notes and ledgers also when all is well
  --json              the last line is one JSON object
  --help              this text

Exit codes: 0 money is where people were told it is, 1 it is not, 2 bad option.`;

const options = parseCli({
	usage: USAGE,
	options: {
		"terminal-kills": { type: "number", min: 0, max: 60, default: 30 },
		"host-kills": { type: "number", min: 0, max: 60, default: 10 },
		seed: { type: "number", min: 0, max: 1_000_000_000, default: 1 },
		speed: { type: "number", min: 1, max: 1000, default: 100 },
		quiet: { type: "number", min: 1, max: 86_400, default: 60 },
		fault: { type: "list" },
		mirror: { type: "flag" },
		"no-reversals": { type: "flag" },
		keep: { type: "flag" },
		json: { type: "flag" },
	},
});

function print(line: string): void {
	process.stdout.write(`${line}\n`);
}

function finish(result: CampaignResult, directory: string): void {
	const { kills, hostKills, sales, approved, reversed, interrupted, asked, oneSided, conserved, failures } = result;
	print(`${kills} terminal kills, ${hostKills} host kills, ${result.seconds} s`);
	print(`${sales} sales: ${approved} told paid, ${reversed} debits taken back`);
	print(`${interrupted} interrupted by a kill, ${asked} approvals asked about`);
	for (const failure of failures.slice(0, 20)) print(`WRONG: ${failure}`);
	if (failures.length > 20) print(`WRONG: and ${failures.length - 20} more`);
	const ok = conserved && failures.length === 0;
	if (!conserved) print(`NOT conserved: ${oneSided} one-sided`);
	else
		print(ok ? "conserved: money is where people were told it is" : "conserved, but the run did not go as it should");
	if (!ok) {
		print(`kept: ${directory}`);
		const argv = process.argv.slice(2).filter((word) => word !== "--json");
		const seed = argv.some((word) => word.startsWith("--seed")) ? "" : ` --seed ${options.seed}`;
		print(`again: npm run kill9 -- ${argv.join(" ")}${seed}`);
	} else if (!options.keep) fs.rmSync(directory, { recursive: true });
	if (options.json) {
		print(JSON.stringify({ seed: options.seed, kills, hostKills, sales, approved, reversed, oneSided, conserved }));
	}
	process.exitCode = ok ? 0 : 1;
}

async function main(): Promise<void> {
	for (const fault of options.fault) parseFault(fault);
	const directory = fs.mkdtempSync(path.join(os.tmpdir(), "kill9-"));
	print(`seed ${options.seed}, speed ${options.speed}, ${directory}`);
	const campaign = new Campaign({
		directory,
		seed: options.seed,
		terminalKills: options["terminal-kills"],
		hostKills: options["host-kills"],
		speed: options.speed,
		quietS: options.quiet,
		faults: options.fault,
		mirror: options.mirror,
		reversals: !options["no-reversals"],
		print,
	});
	finish(await campaign.run(), directory);
}

exitOnSignals();
main().catch((error: unknown) => {
	if (error instanceof CodedError) failCli(error);
	throw error;
});
