/** Goal: `npm run certs` writes what host and terminal are started with, or one line that says why not. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { readTlsFiles } from "../../../host-sim/node/tls-files";

const ROOT = path.join(__dirname, "../../..");
const DAY_MS = 86_400_000;

describe("npm run certs", function () {
	this.timeout(30_000);
	let directory = "";

	beforeEach(() => {
		directory = path.join(fs.mkdtempSync(path.join(os.tmpdir(), "certs-cli-")), "certs");
	});

	afterEach(() => {
		fs.rmSync(path.dirname(directory), { recursive: true });
	});

	function run(...argv: string[]): { status: number | null; stdout: string; stderr: string } {
		const command = ["-r", "ts-node/register", "host-sim/cli/certs.ts", ...argv];
		return spawnSync(process.execPath, command, { cwd: ROOT, encoding: "utf8" });
	}

	it("writes a set for a terminal and some days, does not replace it unless forced, and makes a new CA each time", () => {
		const first = run("--out", directory, "--terminal", "A1B2C3D4", "--days", "3", "--json");
		assert.deepEqual([first.status, first.stderr], [0, ""]);
		const said = JSON.parse(first.stdout) as { directory: string; terminal: string; until: string; files: string[] };
		assert.deepEqual([said.directory, said.terminal], [directory, "A1B2C3D4"]);
		assert.deepEqual(fs.readdirSync(directory).sort(), said.files.sort());
		const { name, untilMs, identity } = readTlsFiles(directory, "terminal", Date.now());
		assert.equal(name, "A1B2C3D4");
		assert.ok(Math.abs(untilMs - Date.now() - 3 * DAY_MS) < 60_000);
		assert.equal(said.until, new Date(untilMs).toISOString());
		readTlsFiles(directory, "host", Date.now());

		const again = run("--out", directory);
		assert.deepEqual([again.status, again.stdout], [2, ""]);
		assert.equal(again.stderr, `error: ${path.join(directory, "ca.pem")} is there already; --force replaces it\n`);
		assert.equal(readTlsFiles(directory, "terminal", Date.now()).identity.ca, identity.ca);

		const forced = run("--out", directory, "--force");
		assert.equal(forced.status, 0, forced.stderr);
		assert.match(forced.stdout, /^9 files in .*, terminal 12345678, valid until \d{4}-.*\n$/);
		assert.notEqual(readTlsFiles(directory, "terminal", Date.now()).identity.ca, identity.ca);
	});

	it("refuses a mistake in one line with exit code 2, and makes no directory", () => {
		for (const [argv, words] of [
			[[], /--out DIR is needed/],
			[["--out", directory, "--days", "0"], /--days/],
			[["--out", directory, "--terminal", "1234567"], /--terminal is 8 letters or digits/],
		] as const) {
			const { status, stdout, stderr } = run(...argv);
			assert.deepEqual([status, stdout], [2, ""]);
			assert.match(stderr, /^error: [^\n]*\n$/);
			assert.match(stderr, words);
		}
		assert.equal(fs.existsSync(directory), false);
	});
});
