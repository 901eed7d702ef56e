import * as assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as net from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import { frameOf, readAnswer, signOnFrame, type TestKeys, unwrapKeys } from "../acquirer/host-under-test";

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

	/** Starts a host with --json. @returns its port, and how and with what lines it ended */
	async function start(...argv: string[]): Promise<{ child: ChildProcess; port: number; ended: Promise<Ended> }> {
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
				if (text.includes('"listening"') && text.includes("\n")) resolve();
			});
			child.on("close", () => resolve());
		});
		return { child, port: JSON.parse(text.split("\n")[0]).port, ended };
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
			[["--data", ROOT], /belongs to something else/],
			[["--port", String(port)], /in use/],
		] as [string[], RegExp][]) {
			const { status, stdout, stderr } = run(...argv);
			assert.deepEqual([status, stdout], [2, ""], argv.join(" "));
			assert.match(stderr, message);
			assert.equal(stderr.trim().split("\n").length, 1, stderr);
		}
		busy.close();
	});

	it("--help says what it can do and exits 0", () => {
		const { status, stdout } = run("--help");
		assert.equal(status, 0);
		assert.match(stdout, /--fault NAME=RATE/);
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
});

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
