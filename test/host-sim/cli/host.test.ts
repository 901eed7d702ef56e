import * as assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as net from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import { ALL_FAULT_NAMES } from "../../../host-sim/acquirer/fault-names";
import type { OfficeReport } from "../../../host-sim/acquirer/office-report";
import type { LedgerEntry } from "../../../host-sim/acquirer/statement";
import { frameOf, frameOfKind, readAnswer, signOnFrame, type TestKeys, unwrapKeys } from "../acquirer/host-under-test";
import { idOf, NO_EVIDENCE, NONCE, OfficeTerminal } from "../acquirer/office-rig";

const ROOT = path.join(__dirname, "../../..");
const COMMAND = ["-r", "ts-node/register", "host-sim/cli/host.ts"];

describe("npm run host", function () {
	this.timeout(30_000);
	let directory = "";
	const children: ChildProcess[] = [];

	beforeEach(() => {
		directory = path.join(fs.mkdtempSync(path.join(os.tmpdir(), "host-cli-")), "data");
	});

	afterEach(() => {
		for (const child of children.splice(0)) child.kill("SIGKILL");
		fs.rmSync(path.dirname(directory), { recursive: true });
	});

	function run(...argv: string[]): { status: number | null; stdout: string; stderr: string } {
		return spawnSync(process.execPath, [...COMMAND, ...argv], { cwd: ROOT, encoding: "utf8" });
	}

	/** Starts a host with --json. */
	async function start(...argv: string[]): Promise<Started> {
		const child = spawn(process.execPath, [...COMMAND, "--port", "0", "--json", ...argv], { cwd: ROOT });
		children.push(child);
		let text = "";
		const ended = new Promise<Ended>((resolve) => {
			child.on("close", (code, signal) => {
				resolve({
					code,
					signal,
					lines: text
						.trim()
						.split("\n")
						.map((line) => JSON.parse(line)),
				});
			});
		});
		await new Promise<void>((resolve) => {
			child.stdout.on("data", (data: Buffer) => {
				text += data.toString();
				if (/"listening".*\n/.test(text)) resolve();
			});
			child.on("close", () => resolve());
		});
		// What was due while nobody ran the host is told before it listens.
		const listening = text.split("\n").find((line) => line.includes('"listening"')) ?? "";
		return { child, port: JSON.parse(listening).port, ended, printed: () => text };
	}

	it("refuses a mistake with one line on stderr, nothing on stdout, and exit code 2", async () => {
		const busy = net.createServer();
		const port = await new Promise<number>((resolve) => {
			busy.listen(0, "127.0.0.1", () => resolve((busy.address() as net.AddressInfo).port));
		});
		for (const [argv, message] of [
			[["--bogus"], /--bogus/],
			[["--port", "x"], /--port/],
			[["--fault", "coffee=1"], /coffee/],
			[["--show"], /--data/],
			[["--show", "--data", directory], /data directory/],
			[["--port", "0", "--data", ROOT], /belongs to something else/],
			[["--port", String(port)], /in use/],
		] as [string[], RegExp][]) {
			const { status, stdout, stderr } = run(...argv);
			assert.deepEqual([status, stdout], [2, ""], argv.join(" "));
			assert.match(stderr, message);
			assert.equal(stderr.trim().split("\n").length, 1, stderr);
		}
		busy.close();
	});

	it("--help says what it can do, each fault by name, and exits 0", () => {
		const { status, stdout } = run("--help");
		assert.equal(status, 0);
		assert.match(stdout, /--fault NAME=RATE/);
		for (const name of ALL_FAULT_NAMES) assert.match(stdout, new RegExp(`\\b${name}\\b`), name);
		for (const name of ["no-sync", "posting-delay", "desk", "desk-delay", "console", "speed", "show"]) {
			assert.match(stdout, new RegExp(`^  --${name}\\b`, "m"));
		}
	});

	it("one masked line for each message; SIGTERM ends it with the totals as the last line", async () => {
		const { child, port, ended } = await start();
		const keys = await signOn(port);
		assert.equal(readAnswer(await exchange(port, frameOf("0200", { keys })), keys).code, "00");
		child.kill("SIGTERM");
		const { code, lines } = await ended;
		assert.equal(code, 0);
		assert.match(lines[1].text ?? "", /^sign-on terminal 12345678 stan 000001 -> 00 batch 000001$/);
		assert.match(lines[2].text ?? "", /^sale batch 1 stan 2 12\.34 621234\*{6}1232 -> 00 rrn /);
		assert.deepEqual(lines.at(-1)?.totals?.cardNetMinor, 1234);
	});

	it("with --data: the crash fault exits 70, kill -9 loses nothing, --show tells what is there", async () => {
		const crashing = await start("--data", directory, "--fault", "crash=1");
		const keys = await signOn(crashing.port);
		assert.equal((await exchange(crashing.port, frameOf("0200", { keys }))).length, 0);
		assert.equal((await crashing.ended).code, 70);
		const oneSided = JSON.parse(run("--show", "--json", "--data", directory).stdout);
		assert.deepEqual([oneSided.totals.oneSided, oneSided.entries.length], [1, 1]);

		const killed = await start("--data", directory);
		const anew = await signOn(killed.port);
		assert.equal(readAnswer(await exchange(killed.port, frameOf("0200", { stan: 3, keys: anew })), anew).code, "00");
		assert.equal(readAnswer(await exchange(killed.port, frameOf("0400", { keys: anew })), anew).code, "00");
		killed.child.kill("SIGKILL");
		assert.equal((await killed.ended).signal, "SIGKILL");
		const { stdout, status } = run("--show", "--data", directory);
		assert.equal(status, 0);
		assert.match(stdout, /conserved: no one-sided entry/);
		assert.match(stdout, /12\.34 reversed: card 0\.00 merchant 0\.00/);
	});

	it("with --data: kill -9 between a far side's failure and its 407 loses neither; --json tells both sides", async () => {
		const first = await start("--data", directory, "--fault", "farSideFailed=1");
		const keys = await signOn(first.port);
		const payment = frameOfKind("topUp", { keys, payee: "13800138000" });
		assert.equal(readAnswer(await exchange(first.port, payment), keys).code, "00");
		first.child.kill("SIGKILL");
		await first.ended;
		const before = JSON.parse(run("--show", "--json", "--data", directory).stdout);
		assert.deepEqual([before.totals.oneSided, before.entries[0].farSide], [1, "failed"]);
		assert.match(run("--show", "--data", directory).stdout, /far side 0\.00 {2}ONE-SIDED \(failed\)/);

		const second = await start("--data", directory);
		await signOn(second.port);
		const terminal = new OfficeTerminal(undefined);
		const resend = terminal.syncFrame("407", `${NONCE}${idOf(1)}000001000002`, 1);
		assert.equal(terminal.read(await exchange(second.port, resend))?.code, "00");
		second.child.kill("SIGKILL");
		await second.ended;
		const { totals, entries, office } = JSON.parse(run("--show", "--json", "--data", directory).stdout);
		assert.deepEqual([totals.farSidesNetMinor, totals.conserved, entries[0].farSide], [1234, true, "done"]);
		assert.deepEqual([office.requests[0].reference, office.requests[0].state], ["FAR000000001", 5]);
		assert.match(run("--show", "--data", directory).stdout, /merchant {2}net 0\.00\nfar sides net 12\.34/);
	});

	it("--no-sync answers sync messages 40; without it the office answers, and --json tells what it has in its books", async () => {
		for (const sync of [false, true]) {
			const { child, port, ended } = await start(...(sync ? [] : ["--no-sync"]), "--desk", "evidence");
			const keys = await signOn(port);
			assert.equal(readAnswer(await exchange(port, frameOf("0200", { keys })), keys).code, "00");
			const terminal = new OfficeTerminal(undefined);
			const data = `${NONCE}${idOf(1)}000001000002000000000234${NO_EVIDENCE}`;
			const answer = terminal.read(await exchange(port, terminal.syncFrame("404", data, 1)));
			assert.deepEqual([answer?.code, answer?.data.slice(0, 16)], [sync ? "00" : "40", NONCE]);
			child.kill("SIGTERM");
			const { lines } = await ended;
			const { entries, office } = lines.at(-1) as unknown as { entries: LedgerEntry[]; office: OfficeReport };
			assert.deepEqual([entries[0].cardNetMinor, entries[0].merchantNetMinor], [1234, 1234]);
			const states = office.requests.map(({ reference, state }) => `${reference} ${state}`);
			assert.deepEqual(states, sync ? ["CRD000000001 2"] : []);
		}
	});

	it("--console: the account is refused and mended, what the desk has open is granted or denied; nonsense does nothing", async () => {
		const { child, port, ended, printed } = await start("--console", "--desk", "evidence", "--posting-delay", "3600");
		const keys = await signOn(port);
		const terminal = new OfficeTerminal(undefined);
		const sell = async (stan: number) => exchange(port, frameOf("0200", { stan, keys }));
		const ask = async (id: number) =>
			exchange(port, terminal.syncFrame("404", `${NONCE}${idOf(id)}00000100000${id}000000000234${NO_EVIDENCE}`, 1));
		for (const stan of [2, 3]) await sell(stan);
		for (const id of [2, 3]) await ask(id);
		const orders = ["refuse 44", "mend", "mend", "mend it", "refuse 0", "grant CRD000000001", "deny crd000000002"];
		orders.push("grant CRD000000001", "deny CRD000000009", "", "help", "show");
		child.stdin?.write(orders.map((order) => `${order}\n`).join(""));
		child.stdin?.end();
		await waitFor(() => printed().includes('"ledgers"'));
		child.kill("SIGTERM");
		const { lines } = await ended;
		const said = lines.filter(({ kind }) => kind === "office").map(({ text }) => text ?? "");
		const wanted = [
			/takes no postings: reason 44/,
			/is in order again: 0 postings/,
			/is in order, and nothing was refused/,
			/no such order/,
			/REASON is a number/,
			/CRD000000001 granted/,
			/CRD000000002 denied/,
			/CRD000000001 is closed/,
			/no request with that reference/,
			/no such order/,
			/grant REFERENCE/,
		];
		assert.equal(said.length, wanted.length, said.join("\n"));
		for (const [place, pattern] of wanted.entries()) assert.match(said[place], pattern);
		const ledgers = lines.filter(({ kind }) => kind === "ledgers");
		assert.equal(ledgers.length, 2); // By "show", and at the end.
		const { entries, office } = ledgers[0] as unknown as { entries: LedgerEntry[]; office: OfficeReport };
		assert.deepEqual(
			entries.map(({ cardNetMinor, posting }) => `${cardNetMinor} ${posting}`),
			["1000 pending", "1234 pending"],
		);
		assert.deepEqual(office.refusedAccounts, []);
	});

	it("--console: a fault that is struck by hand strikes the next request, and the one behind it is answered", async () => {
		const { child, port, printed } = await start("--console");
		const keys = await signOn(port);
		child.stdin?.write("fault connectionCut\n");
		await waitFor(() => printed().includes("connectionCut strikes once"));
		assert.equal((await exchange(port, frameOf("0200", { keys }))).length, 0);
		assert.equal(readAnswer(await exchange(port, frameOf("0200", { keys })), keys).code, "00");
	});

	it("kill -9 with --data keeps the office's books: what was decided stays, what is due is posted after the restart", async () => {
		const slow = ["--data", directory, "--posting-delay", "2", "--desk", "late", "--desk-delay", "1"];
		const first = await start(...slow, "--fault", "postingLost=1", "--console");
		const keys = await signOn(first.port);
		await exchange(first.port, frameOf("0200", { keys }));
		const terminal = new OfficeTerminal(undefined);
		const claim = terminal.syncFrame("403", `${NONCE}${idOf(1)}000001000002000000001234${NO_EVIDENCE}`, 1);
		const received = terminal.read(await exchange(first.port, claim));
		assert.equal(received?.data.slice(40, 42), "01");
		first.child.kill("SIGKILL");
		await first.ended;
		const shown = JSON.parse(run("--show", "--json", "--data", directory).stdout);
		assert.equal(shown.office.requests.length, 1);
		assert.match(
			run("--show", "--data", directory).stdout,
			/^desk {6}CLM000000001 manual posting batch 1 stan 2 12\.34 /m,
		);

		const second = await start(...slow);
		const state = terminal.syncFrame("405", NONCE + idOf(1), 1);
		await waitFor(async () => {
			const answer = terminal.read(await exchange(second.port, state));
			return answer?.data.slice(40, 42) === "05";
		});
		second.child.kill("SIGTERM");
		const { lines } = await second.ended;
		const { totals } = lines.at(-1) as { totals: { cardNetMinor: number; merchantNetMinor?: number } };
		assert.deepEqual([totals.cardNetMinor, totals.merchantNetMinor], [1234, 1234]);
	});
});

async function waitFor(done: () => boolean | Promise<boolean>): Promise<void> {
	for (let tries = 0; tries < 200; tries++) {
		if (await done()) return;
		await new Promise((resolve) => setTimeout(resolve, 50));
	}
	throw new Error("it never came");
}

interface Started {
	child: ChildProcess;
	port: number;
	/** How and with what lines it ended. */
	ended: Promise<Ended>;
	/** So far. */
	printed(): string;
}

interface Ended {
	code: number | null;
	signal: NodeJS.Signals | null;
	lines: { kind: string; text?: string; totals?: { cardNetMinor: number } }[];
}

/** @returns the working keys, as a terminal gets them */
async function signOn(port: number): Promise<TestKeys> {
	return unwrapKeys(readAnswer(await exchange(port, signOnFrame())));
}

function exchange(port: number, bytes: Uint8Array): Promise<Uint8Array> {
	return new Promise((resolve) => {
		const socket = net.connect(port, "127.0.0.1", () => socket.write(bytes));
		let received = Buffer.alloc(0);
		socket.on("data", (data) => {
			received = Buffer.concat([received, data]);
			if (received.length >= 2 + received.readUInt16BE(0)) socket.destroy();
		});
		socket.on("error", () => {});
		socket.on("close", () => resolve(received));
	});
}
