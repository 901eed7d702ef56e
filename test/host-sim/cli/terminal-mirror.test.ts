/**
 * Goal: the terminal command with journal and mirror in two files: whichever is deleted, zeroed or killed over, the next
 * process has all of it. Method: real processes; who was told what is read from the notebook and the host's ledgers.
 */
import * as assert from "node:assert/strict";
import { spawn } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { FaultPlan } from "../../../host-sim/acquirer/faults";
import { MemoryLedgerStore } from "../../../host-sim/acquirer/ledger-store";
import { SeededRandom } from "../../../host-sim/board/seeded-random";
import { notesPath, TillNotes } from "../../../host-sim/cli/terminal-notes";
import { AcquirerServer } from "../../../host-sim/node/acquirer-server";
import { mirrorPath } from "../../../host-sim/node/flash-files";
import { ScaledClock } from "../../../host-sim/node/scaled-clock";
import { checkMoney } from "../../../host-sim/world/check-money";

const ROOT = path.join(__dirname, "../../..");
const SPEED = 150;

describe("npm run terminal -- --mirror", function () {
	this.timeout(40_000);
	let directory = "";
	let data = "";
	let flash = "";
	let mirror = "";
	let server: AcquirerServer;
	let faults: FaultPlan;
	let port = 0;

	beforeEach(async () => {
		directory = fs.mkdtempSync(path.join(os.tmpdir(), "terminal-mirror-"));
		data = path.join(directory, "data");
		flash = path.join(data, "flash");
		mirror = mirrorPath(flash);
		faults = new FaultPlan(new SeededRandom(5));
		const clock = new ScaledClock({ scale: SPEED });
		const random = new SeededRandom(1);
		server = new AcquirerServer({ port: 0, clock, random, store: new MemoryLedgerStore(), faults });
		port = await server.listen();
	});

	afterEach(async () => {
		await server.close();
		fs.rmSync(directory, { recursive: true });
	});

	function run(...more: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
		const argv = ["--data", data, "--host", `127.0.0.1:${port}`, "--speed", `${SPEED}`, "--blocks", "16", ...more];
		// Only who provisions says how large.
		if (!more.includes("--provision")) argv.splice(argv.indexOf("--blocks"), 2);
		const child = spawn(process.execPath, ["-r", "ts-node/register", "host-sim/cli/terminal.ts", ...argv], {
			cwd: ROOT,
			stdio: ["ignore", "pipe", "pipe"],
		});
		const output = { stdout: "", stderr: "" };
		child.stdout.on("data", (text: Buffer) => {
			output.stdout += text.toString();
		});
		child.stderr.on("data", (text: Buffer) => {
			output.stderr += text.toString();
		});
		return new Promise((resolve) => child.on("close", (code) => resolve({ code, ...output })));
	}

	function conserved(): boolean {
		return checkMoney(server.statement().entries, new TillNotes(notesPath(flash))).conserved;
	}

	it("keeps two files that are alike; either may be deleted or zeroed, and nothing is lost", async () => {
		const first = await run("--mirror", "--provision", "--sales", "2", "--card", "chip");
		assert.equal(first.code, 0, first.stderr);
		assert.match(first.stdout, /flash \S+data\/flash and \S+data\/flash\.mirror, provisioned, /);
		const whole = fs.readFileSync(flash);
		assert.equal(whole.length, 16 * 4096);
		assert.deepEqual(fs.readFileSync(mirror), whole);
		const losses: [name: string, lose: (file: string) => void][] = [
			["deleted", (file) => fs.rmSync(file)],
			["zeroed", (file) => fs.writeFileSync(file, new Uint8Array(whole.length))],
		];
		let sold = 2;
		for (const lost of [flash, mirror]) {
			for (const [name, lose] of losses) {
				lose(lost);
				const { code, stdout, stderr } = await run("--mirror", "--sales", "1", "--card", "chip", "--json");
				const where = `${path.basename(lost)} ${name}`;
				assert.equal(code, 0, `${where}: ${stderr}`);
				assert.match(stderr, /W \(\d+\) terminal: one copy of the journal held nothing of it: it is made anew/, where);
				const lines = stdout.split("\n").filter((line) => line !== "");
				const opened = JSON.parse(lines[0]) as Record<string, unknown>;
				const statement = JSON.parse(lines[lines.length - 1]) as Record<string, unknown>;
				assert.deepEqual([opened.mount, opened.provisioned], ["rebuilt", false], where);
				assert.deepEqual([statement.charged, statement.copies], [++sold, 2], where);
			}
		}
		const stans = new TillNotes(notesPath(flash)).stans();
		assert.equal(new Set(stans).size, sold, "none was lost, and none came twice");
		assert.ok(conserved());
	});

	it("a doubt whose first copy went with the power is reversed from the second", async () => {
		faults.arm("answerLost");
		await run("--mirror", "--provision", "--sales", "1", "--card", "chip", "--no-reversals");
		assert.equal(conserved(), false, "the card is debited, and people were told that it is not");
		fs.rmSync(flash);
		const { code, stdout } = await run("--mirror", "--sales", "0");
		assert.equal(code, 0, stdout);
		assert.ok(conserved());
	});

	it("refuses in one line: a mirror left out, one of another journal, a truncated one, provisioning over one", async () => {
		await run("--mirror", "--provision", "--sales", "1", "--card", "chip");
		const whole = fs.readFileSync(mirror);
		const refused = async (pattern: RegExp, ...more: string[]) => {
			const before = [fs.readFileSync(flash), fs.existsSync(mirror) ? fs.readFileSync(mirror) : undefined];
			const { code, stderr } = await run(...more);
			assert.equal(code, 2, stderr);
			assert.match(stderr, pattern);
			assert.equal(stderr.trim().split("\n").length, 1, stderr);
			const after = [fs.readFileSync(flash), fs.existsSync(mirror) ? fs.readFileSync(mirror) : undefined];
			assert.deepEqual(after, before);
		};
		await refused(/data\/flash: state, has a mirror, /, "--sales", "1");
		await refused(/data\/flash: state, is provisioned already/, "--mirror", "--provision", "--sales", "1");
		fs.writeFileSync(mirror, whole.subarray(0, 5 * 4096 + 17));
		await refused(/flash\.mirror: length, 20497 bytes, whole blocks of 4096 are expected/, "--mirror", "--sales", "1");
		// A journal of its own begins, and the old mirror comes back.
		for (const file of [flash, mirror, notesPath(flash)]) fs.rmSync(file);
		await run("--provision", "--sales", "0");
		fs.writeFileSync(mirror, whole);
		await refused(/data\/flash: foreign, .*all is left as it is/, "--mirror", "--sales", "1");
	});
});
