/** Output that cannot be written: each command ends with its exit code and at most one line, never with a stack trace. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, openSync } from "node:fs";
import { join } from "node:path";
import { EXIT_CLOSED_OUTPUT, EXIT_OUTPUT } from "../../../host-sim/cli/args";

/** Each write to it fails as on a full disk. Linux has one. */
const FULL = "/dev/full";
const COMMANDS: readonly (readonly [path: string, ...args: string[]])[] = [
	["host-sim/cli/campaign.ts", "--seeds", "1..2", "--customers", "2", "--jobs", "1"],
	["host-sim/cli/campaign.ts", "--help"],
	["host-sim/cli/replay.ts", "--seed", "3", "--customers", "4"],
	["test/mutants/command.ts", "--list"],
];

const argvOf = ([path, ...args]: (typeof COMMANDS)[number]) => [
	...["-r", "ts-node/register", join(__dirname, "../../..", path)],
	...args,
];

describe("output that cannot be written", function () {
	this.timeout(60_000);

	it("on a full disk is told in one line, and is no success", async function () {
		if (!existsSync(FULL)) this.skip();
		for (const command of COMMANDS) {
			const full = openSync(FULL, "w");
			const child = spawn(process.execPath, argvOf(command), { stdio: ["ignore", full, "pipe"] });
			let stderr = "";
			child.stderr?.on("data", (data) => {
				stderr += data;
			});
			const [code] = await once(child, "close");
			closeSync(full);
			assert.deepEqual(
				[code, stderr],
				[EXIT_OUTPUT, "error: the output cannot be written: ENOSPC\n"],
				command.join(" "),
			);
		}
	});

	it("as its reader has gone ends the command without a word, and is no success", async () => {
		for (const command of COMMANDS) {
			const child = spawn(process.execPath, argvOf(command), { stdio: ["ignore", "pipe", "pipe"] });
			child.stdout.destroy();
			let stderr = "";
			child.stderr.on("data", (data) => {
				stderr += data;
			});
			const [code] = await once(child, "close");
			assert.deepEqual([code, stderr], [EXIT_CLOSED_OUTPUT, ""], command.join(" "));
		}
	});

	it("on stderr costs no result", async () => {
		// Long enough for a line of progress.
		const argv = ["-r", "ts-node/register", join(__dirname, "../../../host-sim/cli/campaign.ts")];
		const args = ["--minutes", "0.12", "--jobs", "1", "--json"];
		const child = spawn(process.execPath, [...argv, ...args], { stdio: ["ignore", "pipe", "pipe"] });
		child.stderr.destroy();
		let stdout = "";
		child.stdout.on("data", (data) => {
			stdout += data;
		});
		const [code] = await once(child, "close");
		assert.equal(code, 0, stdout);
		assert.equal(JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "").failures, 0);
	});
});
