/** The command line of the bench; what it measures is in the tests beside this one. */
import * as assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";

function bench(...argv: string[]): { status: number | null; stdout: string; stderr: string } {
	const args = ["-r", "ts-node/register", join(__dirname, "bench.ts"), ...argv];
	return spawnSync(process.execPath, args, { encoding: "utf8" });
}

describe("npm run bench", () => {
	it("--help says what can be measured, and measures nothing", () => {
		for (const argv of [["--help"], ["journal", "--help"], ["iso8583", "--help"]]) {
			const { status, stdout, stderr } = bench(...argv);
			assert.deepEqual([status, stderr], [0, ""]);
			assert.match(stdout, /^npm run bench -- journal \[--json\]$/m);
			assert.match(stdout, /^npm run bench -- advices \[--count N\] \[--rtt MS\] \[--json\]$/m);
			assert.match(stdout, /^npm run bench -- iso8583 \[--seconds N\] \[--json\]$/m);
		}
	});

	const wrong = [
		[],
		["--json"],
		["littlefs", "--json"],
		["toString"],
		["journal", "--fast"],
		["journal", "--seconds", "3"],
		["journal", "iso8583"],
		["iso8583", "--seconds", "0"],
		["advices", "--count", "1001"],
		["advices", "--seconds", "3"],
	];
	for (const argv of wrong) {
		it(`refuses "${argv.join(" ")}" in one line, exit code 2`, () => {
			const { status, stdout, stderr } = bench(...argv);
			assert.deepEqual([status, stdout], [2, ""]);
			assert.match(stderr, /^error: [^\n]+\n$/);
		});
	}
});
