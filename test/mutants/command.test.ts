/** `npm run mutants` as a program or a job runner calls it. */
import { strict as assert } from "node:assert";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { MUTANTS } from "./mutants";

const COMMAND = ["-r", "ts-node/register", join(__dirname, "command.ts")];
const LOOK_MS = 100;

/** Processes by parent, as Linux has them. */
function childrenOf(parent: number): number[] {
	return readdirSync("/proc")
		.filter((name) => /^\d+$/.test(name))
		.filter((name) => {
			try {
				// "pid (name) state parent …": a name may have blanks and parentheses.
				const [, rest] = /\) (.*)$/s.exec(readFileSync(`/proc/${name}/stat`, "latin1")) ?? [];
				return rest !== undefined && Number(rest.split(" ")[1]) === parent;
			} catch {
				return false; // Gone by now.
			}
		})
		.map(Number);
}

function isAlive(pid: number): boolean {
	try {
		return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, "latin1"));
	} catch {
		return false;
	}
}

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe("npm run mutants", function () {
	this.timeout(60_000);

	it("lists the mutants for programs as one object", () => {
		const { status, stdout } = spawnSync(process.execPath, [...COMMAND, "--list", "--json"], { encoding: "utf8" });
		const { mutants, list } = JSON.parse(stdout);
		assert.deepEqual([status, mutants, list.length], [0, MUTANTS.length, MUTANTS.length]);
		const [{ changes, ...first }] = MUTANTS;
		assert.deepEqual(list[0], { ...first, files: changes.map(({ file }) => file) });
	});

	it("told to end, ends the tests that run for it as well", async function () {
		if (process.platform !== "linux") this.skip();
		// Its tests take seconds: there is time to look.
		const args = [...COMMAND, "--seeds", "0", "--only", "wall-clock-in-queue"];
		const child = spawn(process.execPath, args, { stdio: "ignore" });
		const ended = once(child, "exit");
		const trialsOf = () =>
			childrenOf(child.pid as number).filter((pid) =>
				readFileSync(`/proc/${pid}/cmdline`, "latin1").includes("trial-process"),
			);
		let trials: number[] = [];
		while (trials.length === 0 && child.exitCode === null) {
			await wait(LOOK_MS);
			trials = trialsOf();
		}
		child.kill("SIGTERM");
		const [code] = await ended;
		await wait(LOOK_MS * 5);
		assert.ok(trials.length > 0, "a test has begun");
		assert.deepEqual([code, trials.filter(isAlive)], [143, []]);
	});
});
