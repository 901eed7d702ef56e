/** `npm run campaign` and `npm run replay` as a person or a job runner calls them, with the real world. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";

const argvOf = (command: string, args: readonly string[]) => [
	...["-r", "ts-node/register", join(__dirname, `../../../host-sim/cli/${command}.ts`)],
	...args,
];

function run(command: "campaign" | "replay", ...args: string[]) {
	const { status, stdout, stderr } = spawnSync(process.execPath, argvOf(command, args), { encoding: "utf8" });
	const lines = stdout.trimEnd().split("\n");
	return { status, lines, last: lines[lines.length - 1], stderr };
}

/** Refused with one line and exit code 2, before anything is done. */
function checkRefusals(command: "campaign" | "replay", cases: readonly [RegExp, ...string[]][]): void {
	for (const [message, ...args] of cases) {
		const { status, stderr, lines } = run(command, ...args);
		assert.match(stderr, message);
		assert.deepEqual([status, stderr.trimEnd().split("\n").length, lines.join("")], [2, 1, ""], args.join(" "));
	}
}

async function outputOf(child: ChildProcess): Promise<string> {
	let text = "";
	child.stdout?.on("data", (data) => {
		text += data;
	});
	await once(child, "close");
	return text;
}

const SMALL = ["--seeds", "1..8", "--customers", "4", "--jobs", "1"];

describe("npm run campaign", function () {
	this.timeout(90_000);

	it("runs its seeds, prints the table of what happened, and ends with one object", () => {
		const { status, lines, last } = run("campaign", ...SMALL, "--json");
		const { seeds, sales, failures, salesPerSecond, coverage, emptyRows, failed, wrongReasons } = JSON.parse(last);
		assert.deepEqual([status, seeds, failures, failed, wrongReasons], [0, 8, 0, [], []], last);
		assert.ok(sales > 8 && salesPerSecond > 0 && emptyRows.length > 0);
		assert.ok(Object.keys(coverage).some((key) => key.startsWith("transition:waiting/")));
		assert.ok(lines.includes("0 failures") && lines.includes("NEVER EXERCISED"));
	});

	it("does in shards what it does in one: each seed once, the same sales, the same things happen", () => {
		const whole = JSON.parse(run("campaign", ...SMALL, "--json").last);
		const parts = ["0/2", "1/2"].map((shard) => JSON.parse(run("campaign", ...SMALL, "--json", "--shard", shard).last));
		for (const name of ["seeds", "sales", "approved", "reversed", "powerCuts", "steps", "virtualMs"]) {
			assert.equal(parts[0][name] + parts[1][name], whole[name], name);
		}
		for (const key of Object.keys(whole.coverage)) {
			assert.equal((parts[0].coverage[key] ?? 0) + (parts[1].coverage[key] ?? 0), whole.coverage[key], key);
		}
	});

	it("ends with what there is when it is interrupted, even twice at once as npm does", async () => {
		const args = argvOf("campaign", ["--seeds", "1..100000000", "--jobs", "1", "--json"]);
		const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
		const text = outputOf(child);
		await once(child.stderr as NonNullable<typeof child.stderr>, "data"); // Progress: it is under way.
		child.kill("SIGINT");
		child.kill("SIGINT");
		const lines = (await text).trimEnd().split("\n");
		const { seeds, planned, interrupted, failures } = JSON.parse(lines[lines.length - 1]);
		assert.deepEqual([planned, interrupted], [100_000_000, true]);
		assert.ok(seeds > 0 && seeds < planned);
		assert.equal(child.exitCode, failures > 0 ? 1 : 130);
	});

	it("refuses what it does not understand", () => {
		checkRefusals("campaign", [
			[/--seeds is A\.\.B/, "--seeds", "9..1"],
			[/--shard is k\/n .*, not "2\/2"/, "--shard", "2/2"],
			[/--without names a kind of trouble, not "rain": powerCut /, "--without", "rain"],
		]);
	});

	it("takes one number as that seed alone, and prints its shard back as it was given", () => {
		const args = ["--customers", "2", "--jobs", "1", "--json"];
		const alone = run("campaign", "--seeds", "5", ...args);
		assert.equal(JSON.parse(alone.last).seeds, 1, "not 1 to 5");
		assert.ok(alone.lines.some((line) => line.startsWith("1 seed, 1 thread, ")));
		const last = run("campaign", "--seeds", "1..3", "--shard", "2/3", ...args);
		assert.equal(JSON.parse(last.last).shard, "2/3");
		assert.ok(last.lines.some((line) => line.startsWith("1 seed, shard 2/3 (seed index mod 3), 1 thread, ")));
	});

	it("explains itself", () => {
		const { status, lines } = run("campaign", "--help");
		assert.equal(status, 0);
		for (const word of ["--shard k/n", "brownOutLoop", "Exit code"]) assert.ok(lines.join("\n").includes(word), word);
	});
});

describe("npm run replay", function () {
	this.timeout(60_000);

	it("tells the story of a seed, the same each time, and its verdict", () => {
		const first = run("replay", "--seed", "3", "--customers", "4", "--json");
		assert.equal(first.status, 0, first.lines.slice(-5).join("\n"));
		const { seed, hash, steps, failures, failed, unstruck } = JSON.parse(first.last);
		assert.deepEqual([seed, failures, failed, unstruck], [3, 0, [], []]);
		assert.ok(first.lines.includes(`hash ${hash}`) && first.lines.includes("no promise was broken"));
		const timeline = first.lines.filter((line) =>
			/^ *\d+ {2}\d\d:\d\d:\d\d\.\d{3} {2}(T\d| {2}) {2}\w+ +\S/.test(line),
		);
		assert.ok(timeline.length > 10 && steps > 10);
		for (const source of ["people", "screen", "power", "host"]) {
			assert.ok(
				timeline.some((line) => line.includes(`  ${source} `)),
				source,
			);
		}
		// Once more, with log lines and frames: nothing else changes.
		const detailed = run("replay", "--seed", "3", "--customers", "4", "--json", "--log").lines;
		assert.ok(detailed.length > first.lines.length);
		assert.deepEqual(
			detailed.filter((line) => !/ {2}(log|link) {2,}/.test(line)),
			first.lines,
		);
	});

	it("stops where it is told to, and judges nothing then", () => {
		const { status, lines, last } = run("replay", "--seed", "3", "--customers", "4", "--until", "40");
		assert.equal(status, 0);
		assert.equal(last, "stopped at step 40: nothing was broken so far, and nothing is judged");
		assert.ok(lines.every((line) => Number(/^ *(\d+) {2}\d\d:/.exec(line)?.[1] ?? 0) <= 40));
	});

	it("stops before the first step when it is told to", () => {
		const { status, lines, last } = run("replay", "--seed", "3", "--customers", "4", "--until", "0");
		assert.deepEqual([status, last], [0, "stopped at step 0: nothing was broken so far, and nothing is judged"]);
		assert.ok(
			lines.some((line) => /^ {7}0 .* power +on$/.test(line)),
			"what was there in the beginning is told",
		);
	});

	it("says so when a strike that it was asked for never happens, and is no success", () => {
		const [name] = JSON.parse(run("replay", "--seed", "3", "--json").last).strikes;
		const { status, lines, last } = run("replay", "--seed", "3", "--only", `${name},badMac#999,crash#888`, "--json");
		assert.equal(status, 3);
		assert.ok(lines.includes("--only: badMac#999, crash#888 NEVER STRUCK in this world"));
		assert.equal(lines.at(-2), "no promise was broken, but this is not the story that was asked for");
		assert.deepEqual(JSON.parse(last).unstruck, ["badMac#999", "crash#888"]);
		// Cut short, it may still come.
		const short = run("replay", "--seed", "3", "--only", "badMac#999", "--until", "40");
		assert.equal(short.status, 0);
		assert.ok(short.lines.includes("--only: badMac#999 did not strike up to this step"));
	});

	it("does what the READMEs show: each strike that they name happens", () => {
		const commands = ["README.md", "README.zh-CN.md"].flatMap((file) => {
			const text = readFileSync(join(__dirname, "../../..", file), "utf8");
			return [...text.matchAll(/npm run replay -- (--[^\n`]*--only "[^"]+")/g)].map(([, args]) => args);
		});
		assert.ok(commands.length >= 1);
		for (const command of new Set(commands)) {
			const { status, last } = run("replay", ...command.replaceAll('"', "").split(" "));
			assert.deepEqual([status, last], [0, "no promise was broken"], command);
		}
	});

	it("holds trouble back by kind, or all but what is named", () => {
		const plain = JSON.parse(run("replay", "--seed", "3", "--json").last);
		const { strikes } = plain;
		assert.ok(strikes.length > 0);
		const [name] = strikes;
		const kind = name.slice(0, name.indexOf("#"));
		const without = JSON.parse(run("replay", "--seed", "3", "--json", "--without", kind).last);
		assert.ok(without.strikes.every((other: string) => !other.startsWith(`${kind}#`)));
		assert.deepEqual(JSON.parse(run("replay", "--seed", "3", "--json", "--only", name).last).strikes, [name]);
		assert.deepEqual(JSON.parse(run("replay", "--seed", "3", "--json", "--only", "none").last).strikes, []);
		const all = JSON.parse(run("replay", "--seed", "3", "--json", "--only", strikes.join(",")).last);
		assert.deepEqual(
			all,
			JSON.parse(run("replay", "--seed", "3", "--json").last),
			"naming all of them changes nothing",
		);
	});

	it("refuses what it does not understand", () => {
		checkRefusals("replay", [
			[/--seed is missing/],
			[/--only names strikes as kind#n/, "--seed", "1", "--only", "powerCut"],
			[/--without names a kind of trouble/, "--seed", "1", "--without", "powerCut#1"],
		]);
	});
});
