/**
 * Goal: every command of package.json behaves as a job runner needs it: a signal reaches it, and its exit codes are told.
 * Method: the scripts as they stand, started as npm starts them.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";

const ROOT = join(__dirname, "../../..");
const SCRIPTS: Readonly<Record<string, string>> = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")).scripts;
const ORPHAN_MS = 5_000;
const HELP_AT_ONCE = 2;

async function run(command: string, args: readonly string[]): Promise<{ code: number | null; stdout: string }> {
	const child = spawn(command, args, { cwd: ROOT, stdio: ["ignore", "pipe", "ignore"] });
	let stdout = "";
	child.stdout.on("data", (data) => {
		stdout += data;
	});
	const [code] = await once(child, "close");
	return { code, stdout };
}

describe("the commands", function () {
	this.timeout(120_000);

	it("take the place of npm's shell, so that a signal reaches them", () => {
		for (const [name, script] of Object.entries(SCRIPTS)) {
			// What runs several programs in turn needs a shell that stays.
			if (!script.includes("&&")) assert.match(script, /^exec /, name);
		}
	});

	it("end at once when npm is told to end, with what there is, and leave nothing running", async () => {
		const ends = async (signal: "SIGTERM" | "SIGINT", exitCode: number) => {
			const args = ["run", "-s", "campaign", "--", "--seeds", "1..100000000", "--jobs", "1", "--json"];
			const child = spawn("npm", args, { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"] });
			let stdout = "";
			child.stdout.on("data", (data) => {
				stdout += data;
			});
			const closed = once(child, "close"); // Not before everybody who may write to the pipe has ended.
			await once(child.stderr, "data"); // Progress: it is under way.
			child.kill(signal);
			const timer = setTimeout(() => child.stdout.destroy(new Error("somebody still runs")), ORPHAN_MS);
			await closed;
			clearTimeout(timer);
			assert.equal(child.exitCode, exitCode, signal);
			const { seeds, interrupted, failures } = JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "");
			assert.deepEqual([seeds > 0, interrupted, failures], [true, true, 0], signal);
		};
		await Promise.all([ends("SIGTERM", 143), ends("SIGINT", 130)]);
	});

	it("tell their exit codes in --help", async () => {
		const commands = Object.entries(SCRIPTS).flatMap(([name, script]) => {
			const [, words] = /^exec node (-r ts-node\/register \S+)$/.exec(script) ?? [];
			return words === undefined ? [] : [{ name, words: words.split(" ") }];
		});
		assert.ok(commands.length >= 15);
		const serve = async () => {
			for (let next = commands.pop(); next !== undefined; next = commands.pop()) {
				const { code, stdout } = await run(process.execPath, [...next.words, "--help"]);
				assert.equal(code, 0, next.name);
				assert.match(stdout, /^Exit codes?: 0 /m, next.name);
				assert.match(stdout, /: 74 its output cannot be written .* 130 .* 143 /s, next.name);
			}
		};
		await Promise.all(Array.from({ length: HELP_AT_ONCE }, serve));
	});
});
