/**
 * Goal: the terminal as a process: it sells to a host in another one, survives its own end, and refuses bad input.
 * Method: real processes and loopback TCP; what people were told is read from the notebook on disk.
 */
import * as assert from "node:assert/strict";
import { spawn } from "node:child_process";
import * as fs from "node:fs";
import * as http from "node:http";
import * as net from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import { FaultPlan } from "../../../host-sim/acquirer/faults";
import { MemoryLedgerStore } from "../../../host-sim/acquirer/ledger-store";
import { SeededRandom } from "../../../host-sim/board/seeded-random";
import { notesPath, TillNotes } from "../../../host-sim/cli/terminal-notes";
import { AcquirerServer } from "../../../host-sim/node/acquirer-server";
import { ScaledClock } from "../../../host-sim/node/scaled-clock";
import { checkMoney } from "../../../host-sim/world/check-money";

const ROOT = path.join(__dirname, "../../..");
/** Higher, and a busy machine would be a host that does not answer in time. */
const SPEED = 150;

interface Ended {
	code: number | null;
	stdout: string;
	stderr: string;
}

describe("npm run terminal", function () {
	this.timeout(40_000);
	let directory = "";
	let flash = "";
	let server: AcquirerServer | undefined;
	let clock: ScaledClock | undefined;
	let faults: FaultPlan;

	beforeEach(() => {
		directory = fs.mkdtempSync(path.join(os.tmpdir(), "terminal-cli-"));
		flash = path.join(directory, "flash");
		faults = new FaultPlan(new SeededRandom(5));
	});

	afterEach(async () => {
		await server?.close();
		clock?.close();
		server = undefined;
		fs.rmSync(directory, { recursive: true });
	});

	async function startHost(): Promise<number> {
		clock = new ScaledClock({ scale: SPEED });
		const random = new SeededRandom(1);
		server = new AcquirerServer({ port: 0, clock, random, store: new MemoryLedgerStore(), faults });
		return server.listen();
	}

	function begin(argv: readonly string[]) {
		const child = spawn(process.execPath, ["-r", "ts-node/register", "host-sim/cli/terminal.ts", ...argv], {
			cwd: ROOT,
		});
		const output = { stdout: "", stderr: "" };
		child.stdout.on("data", (data: Buffer) => {
			output.stdout += data.toString();
		});
		child.stderr.on("data", (data: Buffer) => {
			output.stderr += data.toString();
		});
		const ended = new Promise<Ended>((resolve) => child.on("close", (code) => resolve({ code, ...output })));
		return { child, output, ended };
	}

	function run(argv: readonly string[], input = ""): Promise<Ended> {
		const { child, ended } = begin(argv);
		child.stdin.end(input);
		return ended;
	}

	function at(port: number, ...more: string[]): string[] {
		return ["--flash", flash, "--host", `127.0.0.1:${port}`, "--speed", `${SPEED}`, ...more];
	}

	/** Brings what is open to its end. Nothing is sold, so a host that is late only makes it try again. */
	function finish(port: number): string[] {
		return ["--flash", flash, "--host", `127.0.0.1:${port}`, "--speed", "500", "--sales", "0"];
	}

	function lines(text: string): Record<string, unknown>[] {
		return text
			.trim()
			.split("\n")
			.map((line) => JSON.parse(line) as Record<string, unknown>);
	}

	function conserved(): boolean {
		return checkMoney(server?.statement().entries ?? [], new TillNotes(notesPath(flash))).conserved;
	}

	it("sells, prints a line for each and a statement; the next process goes on with the next trace number", async () => {
		const port = await startHost();
		const first = await run(at(port, "--provision", "--sales", "3", "--card", "chip-pin", "--amount", "12.34"));
		assert.equal(first.code, 0, first.stderr);
		assert.match(first.stdout, /^1\/3 000002 ¥12\.34 chip-pin: 交易成功 已扣款$/m);
		assert.match(first.stdout, /^sales 3 of 3: approved 3 \(¥37\.02\), declined 0, no answer 0, not begun 0$/m);
		assert.match(first.stderr, /without TLS/);
		const second = await run(at(port, "--sales", "1", "--card", "contactless", "--language", "en", "--json"));
		assert.equal(second.code, 0, second.stderr);
		const [, sale, statement] = lines(second.stdout);
		assert.deepEqual([sale.stan, sale.outcome, sale.text], [66, "approved", sale.text]);
		assert.match(String(sale.text), /Approved: charged/);
		assert.deepEqual([statement.kind, statement.charged, statement.atRest], ["statement", 4, true]);
		assert.equal(conserved(), true);
		const stans = new TillNotes(notesPath(flash)).stans();
		assert.deepEqual([stans.length, stans[0], stans[3]], [4, 2, 66], "above every number that was reserved");
		// Comparisons take numbers of their own in between.
		assert.ok(stans[0] < stans[1] && stans[1] < stans[2] && stans[2] < 66, `${stans}`);
	});

	it("a lost answer is told as not charged and reversed twice before it says that nothing waits", async () => {
		const port = await startHost();
		faults.arm("answerLost");
		const { code, stdout } = await run(at(port, "--provision", "--sales", "2", "--card", "chip"));
		assert.equal(code, 0, stdout);
		assert.match(stdout, /^1\/2 000002 .*主机无应答 未扣款/m);
		assert.match(stdout, /screen: 冲正成功 未扣款/);
		assert.match(stdout, /no answer 1,.*\n.*nothing waits/);
		assert.equal(new TillNotes(notesPath(flash)).told(2), "notCharged");
		assert.equal(conserved(), true);
	});

	it("killed while the host is thinking: the next process shows it as interrupted and reverses it", async () => {
		const port = await startHost();
		faults.arm("answerLost");
		const { child, output, ended } = begin(
			["--flash", flash, "--host", `127.0.0.1:${port}`].concat(["--provision", "--sales", "1", "--log", "I"]),
		);
		while (!/sale stan=2 \S+ sent/.test(output.stderr)) await new Promise((done) => setTimeout(done, 10));
		await until(() => (server?.statement().totals.approved ?? 0) > 0);
		child.kill("SIGKILL");
		await ended;
		assert.equal(conserved(), false, "the card is debited, and nobody was told anything");
		const next = await run(finish(port));
		assert.equal(next.code, 0, next.stdout);
		assert.match(next.stdout, /screen: 交易中断 未扣款/);
		assert.equal(new TillNotes(notesPath(flash)).told(2), "notCharged");
		assert.equal(conserved(), true);
	});

	it("--no-reversals leaves the doubt, and the exit code says so", async () => {
		const port = await startHost();
		faults.arm("answerLost");
		const { code, stdout } = await run(at(port, "--provision", "--sales", "1", "--card", "chip", "--no-reversals"));
		assert.equal(code, 1);
		assert.match(stdout, /1 in doubt/);
		assert.equal(conserved(), false);
	});

	it("interactive from a pipe: amounts, cards, PIN, cancel, status; what is refused is said in one line", async () => {
		const port = await startHost();
		const input = [
			...["12.34", "chip-pin", "12", "1234"],
			...["0", "-5", "abc", "1000000.01", "99887766554433"],
			...["20", "nosuch", "bad-check-digit", "20", "expired", "20", "6212345678901239", "20", "6221239999990009"],
			...["20", "contactless-", "c", "20", "magstripe-pin", "c", "7", "poor", "s", ""],
		].join("\n");
		const { code, stdout, stderr } = await run(at(port, "--provision"), input);
		assert.equal(code, 0, stderr);
		assert.match(stdout, /│ 交易成功 已扣款 {6}│\n│ 金额 ¥12\.34 {10}│\n│ 621234\*{6}2008 {5}│/);
		assert.match(stdout, /签购单.*持卡人存根.*金额 +¥12\.34/s);
		assert.equal(stdout.match(/│ 金额无效/g)?.length, 2);
		assert.equal(stdout.match(/^No amount: /gm)?.length, 3);
		assert.equal(stdout.match(/^No such test card/gm)?.length, 2);
		assert.equal(stdout.match(/│ 卡片无效/g)?.length, 2);
		assert.match(stdout, /A PIN has 4 to 12 digits/);
		assert.match(stdout, /│ 卡片已过期/);
		assert.match(stdout, /│ 14 无效卡号/);
		assert.match(stdout, /│ 51 余额不足/);
		assert.equal(stdout.match(/│ 交易已取消/g)?.length, 2);
		assert.match(stdout, /batch 1: 1 charged, ¥12\.34/);
		assert.doesNotMatch(stdout + stderr, /6212345678901239|6221239999990009|99887766554433/);
		assert.doesNotMatch(fs.readFileSync(notesPath(flash), "utf8"), /6212345678902008|6221239999990009/);
		const { totals } = server?.statement() ?? assert.fail();
		assert.deepEqual([totals.movements, totals.approved, totals.declined], [3, 1, 2]);
	});

	it("commands from a pipe: each waits for what it has begun, and the next process still knows the cases", async () => {
		const port = await startHost();
		faults.arm("recordLost");
		const input = [
			"68.80",
			"contactless",
			"reprint",
			"query 2",
			"sync",
			"settle",
			"cases",
			"bogus",
			"case 1",
			"status",
		];
		const first = await run(at(port, "--provision", "--language", "en"), `${input.join("\n")}\n`);
		assert.equal(first.code, 0, first.stdout + first.stderr);
		assert.equal(first.stdout.match(/\*\*\* REPRINT \*\*\*/g)?.length, 2);
		assert.match(first.stdout, /query 2\nbatch 1 trace 000002 ¥68\.80.*Host: debit unbooked \(batch 1/s);
		assert.match(
			first.stdout,
			/sync\n.*Compared; 1 differ; open cases 0\.\n {2}trace 000002 ¥68\.80: host does not know it/s,
		);
		assert.match(first.stdout, /Batch 1 is not settled yet; .*What differs from the host's books:\n {2}trace 000002/s);
		assert.match(first.stdout, /: bogus\nNo amount: .* No command either: help lists them\./);
		assert.match(first.stdout, /No such case; cases lists them\./);
		assert.match(first.stdout, /batch 2: 1 charged, ¥68\.80\nbatch 1 closes\n/);
		const host = ["--flash", flash, "--host", `127.0.0.1:${port}`, "--speed", "500", "--language", "en"];
		const next = await run(host, "wait 2000\ncases all\nprint case 1\n");
		assert.equal(next.code, 0, next.stdout + next.stderr);
		assert.match(
			next.stdout,
			/\ncase 1: batch 1 trace 000002 ¥68\.80: host does not know it; system fault at the host; resolved/,
		);
		assert.match(next.stdout, /SETTLEMENT.*Result +UNBALANCED.*What differs +1\D.*CASE.*Cause/s);
		assert.equal(conserved(), true);
	});

	it("the merchant's copy is printed where it is wanted; a pack of evidence lies beside the flash, or in --data", async () => {
		const port = await startHost();
		const input = "12.34\ncontactless\nwait 60\nevidence day\nevidence day\n";
		const data = path.join(directory, "data");
		const there = ["--data", data, "--host", `127.0.0.1:${port}`, "--speed", `${SPEED}`, "--language", "en"];
		const first = await run([...there, "--provision", "--merchant-copy"], input);
		assert.equal(first.code, 0, first.stdout + first.stderr);
		assert.deepEqual(first.stdout.match(/(CARDHOLDER|MERCHANT) COPY/g), ["CARDHOLDER COPY", "MERCHANT COPY"]);
		const packs = fs.readdirSync(data).filter((name) => name.endsWith(".json"));
		assert.equal(packs.length, 2, `${packs}`);
		for (const name of packs) assert.match(name, /^flash\.evidence-day-\d{8}(-2)?\.json$/);
		const second = await run(at(port, "--provision", "--language", "en"), input);
		assert.deepEqual(second.stdout.match(/(CARDHOLDER|MERCHANT) COPY/g), ["CARDHOLDER COPY"]);
	});

	it("cut while the slip is printed: the cashier is asked; n reverses, y keeps it, --sales answers by the notebook", async () => {
		const port = await startHost();
		const approvals = (file: string): RegExpMatchArray[] =>
			fs.existsSync(file) ? [...fs.readFileSync(file, "utf8").matchAll(/"stan":(\d+),"name":"approved"/g)] : [];
		for (const [answer, told, more] of [
			["n", "notCharged", ["--provision"]],
			["y", "paid", []],
			[undefined, "paid", []],
		] as [string | undefined, string, string[]][]) {
			const slow = ["--flash", flash, "--host", `127.0.0.1:${port}`, ...more, "--sales", "1", "--card", "chip"];
			const { child, ended } = begin(slow);
			const file = notesPath(flash);
			const before = approvals(file).length;
			await until(() => approvals(file).length > before);
			const stan = Number(approvals(file)[before][1]);
			child.kill("SIGKILL");
			await ended;
			if (answer !== undefined) {
				const { code, stdout } = await run(at(port), `50\n${answer}\n`);
				assert.match(stdout, /│ 顾客是否已获知成功？/);
				assert.match(stdout, /y or n\./);
				assert.match(stdout, answer === "y" ? /│ 已确认 交易有效/ : /│ 正在冲正 未扣款/);
				assert.equal(code, answer === "y" ? 0 : 1, "a reversal that is still on its way is a doubt");
			}
			const rest = await run(finish(port));
			assert.equal(rest.code, 0, rest.stdout);
			if (answer === undefined) assert.match(rest.stdout, /screen: 顾客是否已获知成功.*screen: 已确认 交易有效/s);
			assert.equal(new TillNotes(file).told(stan), told);
			assert.equal(conserved(), true);
		}
	});

	it("at the limit of doubts a sale is refused until the manager goes on with it", async () => {
		const port = await startHost();
		faults.arm("answerLost", 5);
		const input = `${"9\nchip\n".repeat(5)}7\nm\nchip\n`;
		const { code, stdout } = await run(at(port, "--provision", "--no-reversals"), input);
		assert.equal(code, 1);
		assert.match(stdout, /│ 待冲正交易过多 {7}│\n│ 共 5 笔/);
		assert.match(stdout, /quit\): m\n.*│ 交易成功 已扣款.*金额 +¥7\.00/s);
		assert.match(stdout, /in doubt 5, ¥45\.00/);
	});

	it("a host that is not there, or speaks HTTP: said on the screen, exit code 1, no money moved", async () => {
		const free = net.createServer();
		const port = await listen(free);
		free.close();
		const absent = await run(at(port, "--provision", "--sales", "2", "--wait", "1"));
		assert.equal(absent.code, 1);
		assert.match(absent.stdout, /gave up: 无法连接主机/);
		assert.match(absent.stdout, /sales 0 of 2/);
		assert.deepEqual(new TillNotes(notesPath(flash)).stans(), []);

		const web = http.createServer((_request, response) => response.end("hello"));
		const asked = await run(at(await listen(web), "--sales", "1", "--card", "chip", "--wait", "1"));
		web.close();
		assert.equal(asked.code, 1);
		assert.match(asked.stdout, /gave up: 无法连接主机/);
		assert.deepEqual(new TillNotes(notesPath(flash)).stans(), [], "not even a sign-on came to an end");
	});

	it("SIGINT ends the sale under way and then the terminal; the file is free for the next one", async () => {
		const port = await startHost();
		const { child, output, ended } = begin(
			["--flash", flash, "--host", `127.0.0.1:${port}`].concat(["--provision", "--sales", "100", "--card", "chip"]),
		);
		await until(() => output.stdout.includes("1/100"));
		child.kill("SIGINT");
		const { code, stdout } = await ended;
		assert.equal(code, 1);
		assert.match(stdout, /sales \d of 100/);
		assert.equal(fs.existsSync(`${flash}.lock`), false);
		assert.equal((await run(at(port, "--sales", "1", "--card", "chip"))).code, 0);
		assert.equal(conserved(), true);
	});

	it("bad options and flash files: one line on stderr, exit code 2, nothing written", async () => {
		const listed = () => fs.readdirSync(directory).sort().join(" ");
		const text = path.join(directory, "letter.txt");
		const zeros = path.join(directory, "zeros");
		const blank = path.join(directory, "blank");
		// Two of each: the cases run side by side, and the first thing a terminal does is to lock its file.
		for (const file of [text, `${text}-2`]) fs.writeFileSync(file, "Dear Sir, ");
		for (const file of [zeros, `${zeros}-2`]) fs.writeFileSync(file, new Uint8Array(65_536));
		fs.writeFileSync(blank, new Uint8Array(65_536).fill(0xff));
		const before = listed();
		const cases: [string[], RegExp][] = [
			[["--bogus"], /--bogus/],
			[[], /--flash FILE is needed/],
			[["--flash", flash, "--sales", "1"], /does not exist; --provision creates it/],
			[["--flash", flash, "--sales", "1", "--interactive"], /exclude each other/],
			[["--flash", flash, "--amount", "1"], /--amount goes with --sales/],
			[["--flash", flash, "--blocks", "64"], /--blocks goes with --provision/],
			[["--flash", flash, "--provision", "--sales", "1", "--amount", "0"], /0\.01 to 1000000\.00/],
			[["--flash", flash, "--provision", "--sales", "1", "--amount=-5"], /--amount: format/],
			[["--flash", flash, "--provision", "--sales", "1", "--card", "gold"], /--card is one of chip,/],
			[["--flash", flash, "--provision", "--host", "nowhere"], /HOST:PORT/],
			[["--flash", flash, "--provision", "--host", "127.0.0.1:70000"], /HOST:PORT/],
			[["--flash", text, "--sales", "1"], /10 bytes, at least 4 blocks of 4096 are expected/],
			[["--flash", `${text}-2`, "--sales", "1", "--provision"], /10 bytes, at least 4 blocks of 4096 are expected/],
			[["--flash", directory, "--sales", "1"], /a directory/],
			[["--flash", zeros, "--sales", "1"], /foreign, holds something that is no journal/],
			[["--flash", `${zeros}-2`, "--sales", "1", "--provision"], /foreign, holds something that is no journal/],
			[["--flash", blank, "--sales", "1"], /unprovisioned, erased.*--provision/],
			[["--flash", path.join(directory, "no", "flash"), "--provision", "--sales", "1"], /no such directory/],
		];
		// Four at a time: starting Node is all they do.
		for (let i = 0; i < cases.length; i += 4) {
			await Promise.all(
				cases.slice(i, i + 4).map(async ([argv, message]) => {
					const { code, stdout, stderr } = await run(argv);
					assert.deepEqual([code, stdout], [2, ""], argv.join(" ") + stderr);
					assert.match(stderr, message);
					assert.equal(stderr.trim().split("\n").length, 1, stderr);
				}),
			);
		}
		assert.equal(listed(), before);
		assert.equal(fs.readFileSync(`${text}-2`, "utf8"), "Dear Sir, ");
		assert.ok(fs.readFileSync(`${zeros}-2`).every((byte) => byte === 0));
		assert.ok(fs.readFileSync(blank).every((byte) => byte === 0xff));
		assert.equal((await run(["--help"])).code, 0);
	});

	it("a journal is begun once: not over a provisioned flash, nor beside an older notebook; one process at a time", async () => {
		const port = await startHost();
		const long = begin(at(port, "--provision", "--interactive"));
		await until(() => long.output.stdout.includes("欢迎光临"));
		const locked = await run(at(port, "--sales", "1"));
		assert.deepEqual([locked.code, locked.stdout], [2, ""]);
		assert.match(locked.stderr, /locked by process/);
		long.child.kill("SIGKILL");
		await long.ended;
		const again = await run(at(port, "--provision", "--sales", "1"));
		assert.deepEqual([again.code, again.stdout], [2, ""]);
		assert.match(again.stderr, /is provisioned already/);
		fs.rmSync(flash);
		const beside = await run(at(port, "--provision", "--sales", "1"));
		assert.deepEqual([beside.code, beside.stdout], [2, ""]);
		assert.match(beside.stderr, /of an earlier journal; move it away first/);
		assert.equal(fs.existsSync(flash), false);
	});
});

function listen(listener: net.Server): Promise<number> {
	return new Promise((resolve) => {
		listener.listen(0, "127.0.0.1", () => resolve((listener.address() as net.AddressInfo).port));
	});
}

async function until(condition: () => boolean): Promise<void> {
	while (!condition()) await new Promise((resolve) => setTimeout(resolve, 10));
}
