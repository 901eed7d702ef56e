/** The command line of the bench; what it measures is in journal-bench.test.ts. */
import * as assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";

function bench(...argv: string[]): { status: number | null; stdout: string; stderr: string } {
	const args = ["-r", "ts-node/register", join(__dirname, "bench.ts"), ...argv];
	return spawnSync(process.execPath, args, { encoding: "utf8" });
}

describe("npm run bench", () => {
	it("--help says what can be measured, and measures nothing", () => {
		const { status, stdout, stderr } = bench("--help");
		assert.deepEqual([status, stderr], [0, ""]);
		assert.match(stdout, /^npm run bench -- journal \[--json\]$/m);
	});

	for (const argv of [[], ["littlefs", "--json"], ["journal", "--fast"]]) {
		it(`refuses "${argv.join(" ")}" in one line, exit code 2`, () => {
			const { status, stdout, stderr } = bench(...argv);
			assert.deepEqual([status, stdout], [2, ""]);
			assert.match(stderr, /^error: [^\n]+\n$/);
		});
	}
});
