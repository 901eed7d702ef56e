/**
 * Goal: no customer is charged for nothing and no sale is lost, whatever moment the terminal's or the host's process
 * is killed with SIGKILL (I3, I4, I6, I7).
 * Method: the two commands as real processes; kills at seeded moments, a third of the terminal's aimed at the time
 * between a request and its outcome; then quiet; then the host's ledgers are compared with the till's notes on disk.
 * The terminal's own journal is not asked.
 */

import { spawnSync } from "node:child_process";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { LedgerEntry } from "../../host-sim/acquirer/statement";
import { SeededRandom } from "../../host-sim/board/seeded-random";
import { notesPath, TillNotes } from "../../host-sim/cli/terminal-notes";
import { checkMoney, type MoneyReport } from "../../host-sim/world/check-money";
import { Command, type Event } from "./process";

export interface CampaignOptions {
	/** An empty directory for flash, notes and ledgers. */
	directory: string;
	seed: number;
	terminalKills: number;
	hostKills: number;
	/** Both processes' time. */
	speed: number;
	/** Real seconds that the end may take. */
	quietS: number;
	/** NAME=RATE for the host, until the quiet begins. */
	faults: readonly string[];
	/** Two copies of the terminal's journal, in two files. */
	mirror?: boolean;
	/** False: the terminal's automatic reversals are off, to see the check fail. */
	reversals: boolean;
	print(line: string): void;
}

export interface CampaignResult {
	kills: number;
	hostKills: number;
	/** Sales that people were told something about, or the host knows of. */
	sales: number;
	approved: number;
	/** Debits taken back. */
	reversed: number;
	/** Sales that a kill left without an outcome. */
	interrupted: number;
	/** Approvals of which the cashier was asked after a kill. */
	asked: number;
	oneSided: number;
	conserved: boolean;
	/** What is wrong, a line each; empty when all is well. */
	failures: string[];
	seconds: number;
}

/** A batch holds 990 sales, and this version settles none. */
const SALES_MAX = 950;
const KILL_MS_MAX = 700;
/** After a request has left; the answer comes within a few ms. */
const AIMED_MS_MAX = 8;
const BOOT_MS_MAX = 60;
const HOST_KILL_MS_MAX = 500;
/** Terminals that end by themselves before they can be killed. */
const MISSES_MAX = 20;
/** The host's crash fault ends its process with this. */
const EXIT_CRASH_FAULT = 70;

/** The terminal's log says that a request has left. */
function isRequest(event: Event): boolean {
	return event.kind === "log" && /sale stan=\d+ \S+ sent/.test(String(event.line));
}

export class Campaign {
	readonly #o: CampaignOptions;
	readonly #random: SeededRandom;
	readonly #flash: string;
	readonly #data: string;
	readonly #failures: string[] = [];
	readonly #interrupted = new Set<unknown>();
	readonly #asked = new Set<unknown>();
	/** The one that runs, or is about to. */
	#host: Promise<Command> | undefined;
	#closing = false;
	#port = 0;
	#runs = 0;
	#sold = 0;
	#hostKills = 0;
	#kills = 0;

	constructor(options: CampaignOptions) {
		this.#o = options;
		this.#random = new SeededRandom(options.seed).fork("kills");
		this.#flash = path.join(options.directory, "flash");
		this.#data = path.join(options.directory, "ledgers");
	}

	async run(): Promise<CampaignResult> {
		const startedMs = performance.now();
		this.#host = this.#startHost(this.#o.faults);
		await this.#host;
		let terminal = await this.#startTerminal(["--provision"]);
		let misses = 0;
		for (const victim of this.#plan()) {
			if (this.#failures.length > 0 || misses > MISSES_MAX) break;
			if (victim === "host") {
				await sleep(this.#random.below(HOST_KILL_MS_MAX));
				const host = await this.#host;
				if (await this.#expectKilled(host, "host")) this.#host = this.#startHost(this.#o.faults);
				await this.#host;
				this.#hostKills++;
				this.#o.print(`host killed, ${this.#hostKills} of ${this.#o.hostKills}; back`);
				continue;
			}
			for (;;) {
				const how = await this.#moment(terminal);
				const killed = await this.#expectKilled(terminal, "terminal");
				terminal = await this.#startTerminal([]);
				if (killed) {
					this.#kills++;
					this.#o.print(
						`terminal killed ${how}, ${this.#kills} of ${this.#o.terminalKills}; ${this.#sold} sales so far`,
					);
					break;
				}
				if (++misses > MISSES_MAX || this.#failures.length > 0) break;
			}
			if (this.#sold > SALES_MAX) this.#failures.push(`more than ${SALES_MAX} sales: the batch is nearly full`);
		}
		if (misses > MISSES_MAX) this.#failures.push("the terminal keeps ending by itself");
		await terminal.end("SIGTERM");
		this.#closing = true;
		await (await this.#host).end("SIGTERM");
		const report = await this.#quiet();
		return { ...this.#judge(report), seconds: Math.round((performance.now() - startedMs) / 1000) };
	}

	/** Victims in random order. */
	#plan(): ("host" | "terminal")[] {
		const { terminalKills, hostKills } = this.#o;
		const left = { host: hostKills, terminal: terminalKills };
		const plan: ("host" | "terminal")[] = [];
		while (left.host + left.terminal > 0) {
			const victim = this.#random.below(left.host + left.terminal) < left.host ? "host" : "terminal";
			left[victim]--;
			plan.push(victim);
		}
		return plan;
	}

	/** Waits for the moment of the next kill. @returns its description */
	async #moment(terminal: Command): Promise<string> {
		const kind = this.#random.below(6);
		const delayMs = this.#random.below(KILL_MS_MAX);
		const fineMs = this.#random.below(AIMED_MS_MAX);
		if (kind === 0) {
			const bootMs = delayMs % BOOT_MS_MAX;
			await sleep(bootMs);
			return `${bootMs} ms into its boot`;
		}
		await terminal.next(isRequest);
		await sleep(delayMs);
		if (kind > 2) return "while it sells";
		await terminal.next(isRequest);
		await sleep(fineMs);
		return `${fineMs} ms after a request`;
	}

	/** @returns false when it had ended by itself */
	async #expectKilled(command: Command, name: string): Promise<boolean> {
		const { signal, code } = await command.end("SIGKILL");
		if (signal === "SIGKILL") return true;
		const why = command.errors.slice(-3).join(" / ");
		const expected = name === "host" ? [EXIT_CRASH_FAULT] : [0, 1];
		if (!expected.includes(code ?? -1)) this.#failures.push(`${name} ended with ${code}: ${why}`);
		return false;
	}

	async #startHost(faults: readonly string[]): Promise<Command> {
		const { seed, speed } = this.#o;
		const argv = [
			"--port",
			`${this.#port}`,
			"--data",
			this.#data,
			"--speed",
			`${speed}`,
			"--seed",
			`${seed + this.#hostKills}`,
		];
		for (const fault of faults) argv.push("--fault", fault);
		const host = new Command("host", argv, () => {});
		const listening = await host.next((event) => event.kind === "listening");
		if (listening === undefined) throw new Error(`the host does not start: ${host.errors.join(" / ")}`);
		this.#port = Number(listening.port);
		void host.ended.then(({ code }) => {
			if (code === EXIT_CRASH_FAULT && !this.#closing) this.#host = this.#startHost(faults);
		});
		return host;
	}

	/** @returns it, when its flash is open and it is about to boot */
	async #startTerminal(more: readonly string[]): Promise<Command> {
		const { seed, speed, mirror = false, reversals } = this.#o;
		const argv = ["--flash", this.#flash, "--host", `127.0.0.1:${this.#port}`, "--speed", `${speed}`, "--log", "I"];
		argv.push("--sales", "10000", "--seed", `${seed * 1000 + this.#runs++}`, "--wait", "60", ...more);
		if (mirror) argv.push("--mirror");
		if (!reversals) argv.push("--no-reversals");
		const terminal = new Command("terminal", argv, (event) => this.#onEvent(event));
		const opened = await terminal.next((event) => event.kind === "opened");
		if (opened === undefined) throw new Error(`the terminal does not start: ${terminal.errors.join(" / ")}`);
		return terminal;
	}

	#onEvent(event: Event): void {
		if (event.kind === "sale") this.#sold++;
		if (event.kind !== "screen") return;
		if (event.name === "interrupted") this.#interrupted.add(event.stan);
		if (event.name === "askDelivered") this.#asked.add(event.stan);
	}

	/** No more customers, no more kills: both live until nothing waits. */
	async #quiet(): Promise<MoneyReport & { entries: LedgerEntry[] }> {
		const { mirror = false, reversals, speed, quietS, print } = this.#o;
		const host = await this.#startHost([]);
		print(`quiet: at most ${quietS} s of real time, ${Math.round((quietS * speed) / 60)} min of the terminal's`);
		const argv = ["--flash", this.#flash, "--host", `127.0.0.1:${this.#port}`, "--speed", `${speed}`];
		argv.push("--sales", "0", "--wait", `${quietS}`);
		argv.push(...(mirror ? ["--mirror"] : []), ...(reversals ? [] : ["--no-reversals"]));
		const terminal = new Command("terminal", argv, (event) => this.#onEvent(event));
		const { code } = await terminal.ended;
		const atRest = terminal.last?.kind === "statement" && terminal.last.atRest === true;
		if (reversals && (code !== 0 || !atRest)) {
			this.#failures.push(`not at rest after the quiet, exit code ${code}: ${String(terminal.last?.text)}`);
		}
		await host.end("SIGTERM");
		const shown = spawnSync(
			process.execPath,
			["-r", "ts-node/register", "host-sim/cli/host.ts", "--show", "--json", "--data", this.#data],
			{ cwd: path.join(__dirname, "../.."), encoding: "utf8", maxBuffer: 64 * 1024 * 1024 },
		);
		const { entries } = JSON.parse(shown.stdout) as { entries: LedgerEntry[] };
		return { ...checkMoney(entries, new TillNotes(notesPath(this.#flash))), entries };
	}

	#judge(report: MoneyReport & { entries: LedgerEntry[] }): Omit<CampaignResult, "seconds"> {
		const failures = [...this.#failures];
		for (const { stan, wrong, cardNetMinor, merchantNetMinor } of report.rows) {
			if (wrong !== undefined)
				failures.push(`stan ${stan}: ${wrong} (card ${cardNetMinor}, merchant ${merchantNetMinor})`);
		}
		if (!report.conserved && report.oneSided === 0) failures.push("the ledgers' sums differ");
		if (report.rows.length === 0) failures.push("nothing was sold: the run proves nothing");
		return {
			kills: this.#kills,
			hostKills: this.#hostKills,
			sales: report.rows.length,
			approved: report.paid,
			reversed: report.entries.filter((entry) => entry.reversals > 0).length,
			interrupted: this.#interrupted.size,
			asked: this.#asked.size,
			oneSided: report.oneSided,
			conserved: report.conserved,
			failures,
		};
	}
}
