/**
 * Goal: host and terminal started with --tls speak to each other with the certificates of a directory, and a
 * certificate that would not do is one line and exit code 2 before anything has begun; without --tls both say so.
 */
import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { type KeyPair, makeKeys, TestCa } from "../../../host-sim/node/test-ca";
import { writeTlsFiles } from "../../../host-sim/node/tls-files";

const DAY_MS = 86_400_000;

const ROOT = path.join(__dirname, "../../..");
const SPEED = ["--speed", "30"];

describe("--tls of host and terminal", function () {
	this.timeout(60_000);
	let keys: KeyPair;
	let directory = "";
	const children: ChildProcess[] = [];

	before(async () => {
		keys = await makeKeys();
	});

	beforeEach(() => {
		directory = fs.mkdtempSync(path.join(os.tmpdir(), "tls-cli-"));
	});

	afterEach(() => {
		for (const child of children.splice(0)) child.kill("SIGKILL");
		fs.rmSync(directory, { recursive: true });
	});

	const at = (name: string) => path.join(directory, name);
	const command = (name: "host" | "terminal", argv: string[]) => [
		...["-r", "ts-node/register", `host-sim/cli/${name}.ts`],
		...argv,
	];

	function run(name: "host" | "terminal", ...argv: string[]) {
		return spawnSync(process.execPath, command(name, argv), { cwd: ROOT, encoding: "utf8", timeout: 30_000 });
	}

	async function makeCertificates(
		name: string,
		options: { expired?: boolean; terminal?: string } = {},
	): Promise<string> {
		const ca = await TestCa.create({ keys });
		const leaf = { keys, ...(options.expired === true ? { untilMs: Date.now() - DAY_MS / 2 } : {}) };
		const [host, terminal] = [await ca.issueHost(leaf), await ca.issueTerminal(options.terminal ?? "12345678", leaf)];
		writeTlsFiles(at(name), { ca, host, terminal }, false);
		return at(name);
	}

	/** Starts a host. @returns its first line, once it listens */
	function startHost(...argv: string[]): Promise<{ port: number; tls: boolean; text: string }> {
		const child = spawn(process.execPath, command("host", ["--port", "0", "--json", ...SPEED, ...argv]), { cwd: ROOT });
		children.push(child);
		let text = "";
		return new Promise((resolve, reject) => {
			child.stdout.on("data", (data: Buffer) => {
				text += data.toString();
				if (text.includes("\n")) resolve(JSON.parse(text.split("\n")[0]));
			});
			child.on("close", () => reject(new Error(`the host ended: ${text}`)));
		});
	}

	/** Two sales on a new terminal. */
	function sell(port: number, ...argv: string[]) {
		const flash = ["--flash", at(`flash ${argv.length}`), "--provision"];
		const sale = ["--sales", "2", "--card", "chip", "--wait", "1", ...SPEED, "--language", "en", "--json"];
		return run("terminal", ...flash, "--host", `127.0.0.1:${port}`, ...sale, ...argv);
	}

	it("sells over TLS with the certificates of one directory", async () => {
		const certificates = await makeCertificates("certs");
		const { port, tls, text } = await startHost("--tls", certificates);
		assert.equal(tls, true);
		assert.match(text, /TLS with both certificates \(valid until \d{4}-\d\d-\d\d\)/);
		const { status, stdout, stderr } = sell(port, "--tls", certificates);
		assert.equal(status, 0, stdout + stderr);
		const [opened, ...lines] = stdout.trim().split("\n");
		assert.match(opened, /"tls":true.* over TLS with both certificates/);
		assert.match(lines.at(-1) ?? "", /"approved":2/);
	});

	it("without --tls both say that the link is plain; a terminal with TLS then sells nothing and says why", async () => {
		const { port, tls, text } = await startHost();
		assert.equal(tls, false);
		assert.match(text, /PLAIN TCP \(no --tls\): test cards only/);
		const plain = sell(port);
		assert.equal(plain.status, 0, plain.stdout + plain.stderr);
		assert.match(plain.stdout, /"tls":false.* over PLAIN TCP \(no --tls\): test cards only/);
		const { status, stdout, stderr } = sell(port, "--tls", await makeCertificates("certs"));
		assert.equal(status, 1);
		assert.match(stdout.trim().split("\n").at(-1) ?? "", /"approved":0/);
		assert.match(stderr, /W \(\d+\) link: no host: the host hung up before the connection stood/);
	});

	it("refuses certificates that would not do, in one line, before anything has begun", async () => {
		const expired = await makeCertificates("expired", { expired: true });
		const other = await makeCertificates("other", { terminal: "87654321" });
		const none = at("none");
		for (const [name, certificates, words] of [
			["host", none, /^error: \S*none\/host\.key: missing, does not exist; npm run certs -- --out \S*none makes it\n$/],
			["host", expired, /^error: \S*host\.pem: state, has expired on \S+\n$/],
			["terminal", none, /^error: \S*none\/terminal\.key: missing, does not exist; npm run certs/],
			["terminal", expired, /^error: \S*terminal\.pem: state, has expired on \S+\n$/],
			["terminal", other, /^error: the certificate in \S*other is for terminal 87654321, and this one is 12345678\n$/],
		] as const) {
			const more = name === "host" ? ["--port", "0", "--data", at("ledgers")] : ["--flash", at("flash"), "--provision"];
			const { status, stdout, stderr } = run(name, "--tls", certificates, ...more);
			assert.deepEqual([status, stdout], [2, ""], stderr);
			assert.match(stderr, words);
			assert.deepEqual(fs.readdirSync(directory).sort(), ["expired", "other"]);
		}
	});
});
