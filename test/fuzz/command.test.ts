/** `npm run fuzz` as a person or a program calls it. */
import * as assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";

function run(...args: string[]) {
	const argv = ["-r", "ts-node/register", join(__dirname, "fuzz.ts"), ...args];
	const { status, stdout, stderr } = spawnSync(process.execPath, argv, { encoding: "utf8" });
	const lines = stdout.trimEnd().split("\n");
	return { status, lines, last: lines[lines.length - 1], stderr };
}

describe("npm run fuzz", () => {
	it("searches the targets that are named, prints a row for each, and ends with one object", () => {
		const args = ["--target", "framer", "--target", "encoder", "--cases", "300", "--seed", "7", "--jobs", "1"];
		const { status, lines, last } = run(...args, "--json");
		assert.equal(status, 0);
		assert.deepEqual(
			lines.slice(1, 4).map((line) => line.split(" ")[0]),
			["framer", "encoder", "all"],
		);
		const { cases, escapes, seed, targets } = JSON.parse(last);
		assert.deepEqual([cases, escapes, seed], [600, 0, 7]);
		assert.deepEqual([targets.framer.cases, targets.encoder.cases], [300, 300]);
	});

	it("with an escape exits 1, and prints the input and the command that shows it again", () => {
		const { status, lines, last } = run("--target", "broken-error-text", "--cases", "50", "--jobs", "1", "--json");
		assert.equal(status, 1);
		const { escapes, found } = JSON.parse(last);
		assert.ok(escapes > 0);
		assert.ok(lines.some((line) => /^SECRET in broken-error-text, seed 1, case \d+: /.test(line)));
		assert.ok(lines.some((line) => /^ {2}frame [0-9A-F]+$/.test(line)));
		const command = `npm run fuzz -- --target broken-error-text --seed 1 --case ${found[0].case}`;
		assert.equal(found[0].replay, command);
		assert.ok(lines.includes(`  ${command}`));
		const again = run(...command.split(" ").slice(4));
		assert.equal(again.status, 1);
		assert.match(again.lines[0], new RegExp(`^SECRET in broken-error-text, seed 1, case ${found[0].case}: `));
	});

	it("shows a case that holds as one that holds", () => {
		const { status, last } = run("--target", "encoder", "--seed", "7", "--case", "3");
		assert.deepEqual([status, last], [0, "no escape in encoder, seed 7, case 3"]);
	});

	it("refuses what it does not understand, with one line and exit code 2", () => {
		const cases: [RegExp, ...string[]][] = [
			[/--target is one of decoder, /, "--target", "journal"],
			[/--seconds is an integer from 1 /, "--seconds", "0"],
			[/--seed is an integer/, "--seed=-1"],
			[/--case needs the --target/, "--case", "7"],
			[/--case takes no --cases/, "--target", "framer", "--case", "7", "--seconds", "9"],
			[/Unknown option/, "--second", "3"],
			[/Unexpected argument/, "decoder"],
		];
		for (const [message, ...args] of cases) {
			const { status, stderr, lines } = run(...args);
			assert.match(stderr, message);
			assert.deepEqual([status, stderr.trimEnd().split("\n").length, lines.join("")], [2, 1, ""], args.join(" "));
		}
	});

	it("explains itself", () => {
		const { status, lines } = run("--help");
		assert.equal(status, 0);
		for (const word of ["terminal", "broken-overread", "--seconds", "Exit code"]) {
			assert.ok(
				lines.some((line) => line.includes(word)),
				word,
			);
		}
	});
});
