/** `npm run powercuts` as a person or a program calls it. */
import { strict as assert } from "node:assert";
import { spawnSync } from "node:child_process";
import { join } from "node:path";

function run(...args: string[]) {
	const argv = ["-r", "ts-node/register", join(__dirname, "powercuts.ts"), ...args];
	const { status, stdout, stderr } = spawnSync(process.execPath, argv, { encoding: "utf8" });
	const lines = stdout.trimEnd().split("\n");
	return { status, lines, last: lines[lines.length - 1], stderr };
}

describe("npm run powercuts", () => {
	it("searches in the four common modes, prints a row for each, and ends with one object", () => {
		const { status, lines, last } = run("--cuts", "60", "--seed", "5", "--jobs", "1", "--json");
		assert.equal(status, 0);
		const rows = lines.slice(1, -1).map((line) => line.split(" ")[0]);
		assert.deepEqual(
			rows.filter((word) => word !== ""),
			["random", "erase", "double", "marginal"],
		);
		const json = JSON.parse(last);
		const { cuts, lost, changed, resurrected, unmountable, other } = json;
		assert.deepEqual([cuts, lost, changed, resurrected, unmountable, other], [240, 0, 0, 0, 0, 0]);
		assert.deepEqual(
			json.modes.map((mode: { mode: string; cuts: number }) => `${mode.mode} ${mode.cuts}`),
			["random 60", "erase 60", "double 60", "marginal 60"],
		);
	});

	it("with a failure exits 1 and prints the command that shows it again", () => {
		const args = ["--mode", "erase", "--align", "4", "--broken", "no-crc"];
		const { status, lines, last } = run(...args, "--cuts", "100", "--jobs", "1", "--json");
		assert.equal(status, 1);
		const json = JSON.parse(last);
		assert.equal(json.lost + json.changed + json.resurrected + json.unmountable + json.other, 1);
		const [name] = json.modes[0].failures;
		assert.ok(lines.some((line) => line.endsWith(`npm run powercuts -- ${args.join(" ")} --replay ${name}`)));
		const again = run(...args, "--replay", name);
		assert.equal(again.status, 1);
		assert.match(again.lines.join("\n"), /POWER LOST at/);
		assert.match(again.last, new RegExp(`^[A-Z]+ after \\d+ cuts, the last one ${name.split(":")[1]}: `));
		const whole = run(...args.slice(0, 4), "--replay", name);
		assert.deepEqual([whole.status, whole.last], [0, "no failure in 100 cuts"]);
	});

	it("refuses what it does not understand, with one line and exit code 2", () => {
		const cases: [RegExp, ...string[]][] = [
			[/--mode is one of random, erase/, "--mode", "sideways"],
			[/--cuts is an integer from 1 /, "--cuts", "0"],
			[/--cuts is an integer/, "--cuts", "many"],
			[/--seed is an integer/, "--seed=-1"],
			[/--align is one of 1, 4, 16, 32/, "--align", "8"],
			[/--blocks is an integer from 6 to 256/, "--blocks", "5"],
			[/--broken is all, or one of no-boot-record/, "--broken", "no-bugs"],
			[/--broken all takes/, "--broken", "all", "--mode", "random"],
			[/--replay needs the --mode/, "--replay", "12:3.4"],
			[/--replay takes a name/, "--mode", "random", "--replay", "light:3.4"],
			[/--replay takes a name/, "--mode", "exhaustive", "--align", "1", "--replay", "12:3.4"],
			[/--replay needs the --align/, "--mode", "exhaustive", "--replay", "light:3.4"],
			[/cut: format/, "--mode", "exhaustive", "--align", "1", "--replay", "light:3"],
			[/Unknown option/, "--cut", "3"],
			[/Unexpected argument/, "3"],
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
		for (const word of ["exhaustive", "brownouts", "header-before-data", "Exit code"]) {
			assert.ok(
				lines.some((line) => line.includes(word)),
				word,
			);
		}
	});
});
