/** Goal: `npm start` and `npm run days` take --mirror, say what became of the copies, and refuse what makes no sense. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as path from "node:path";
import { replayLine } from "../../../host-sim/cli/day-options";

const ROOT = path.join(__dirname, "../../..");

function run(command: "day" | "days", ...argv: string[]) {
	const program = ["-r", "ts-node/register", `host-sim/cli/${command === "day" ? "start" : command}.ts`, ...argv];
	return spawnSync(process.execPath, program, { cwd: ROOT, encoding: "utf8", timeout: 60_000 });
}

describe("npm start -- --mirror", function () {
	this.timeout(60_000);

	it("shows both copies in statement and figures, and exits 0 when both are whole", () => {
		const { status, stdout, stderr } = run("day", "--mirror", "--faults", "flashBlock", "--sales", "12", "--json");
		assert.equal(status, 0, stdout + stderr);
		assert.match(stdout, /^A trading day: 12 customers, faults: flashBlock, seed 1, two copies of the journal$/m);
		const figures = JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as Record<string, unknown>;
		const { blocksDestroyed, blocksMended, copies, copiesWhole, conserved } = figures;
		assert.deepEqual([copies, copiesWhole, conserved], [2, 2, true]);
		assert.match(
			stdout,
			new RegExp(`^ +Flash blocks destroyed / mended \\S+ +${blocksDestroyed}/${blocksMended}$`, "m"),
		);
		assert.match(stdout, /^ +Copies of the journal, whole \S+ +2\/2$/m);
	});

	it("without it says nothing of copies", () => {
		const { status, stdout } = run("day", "--faults", "none", "--sales", "2");
		assert.equal(status, 0, stdout);
		assert.doesNotMatch(stdout, /[Cc]opies|blocks destroyed/);
	});

	it("days counts the blocks of all days", () => {
		const argv = ["--mirror", "--faults", "flashBlock", "--sales", "10", "--seeds", "1..2", "--json"];
		const { status, stdout } = run("days", ...argv);
		assert.equal(status, 0, stdout);
		assert.match(stdout, /^seed 1: .* \d+ blocks destroyed, \d+ mended, conserved true$/m);
		const figures = JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as Record<string, unknown>;
		assert.deepEqual([figures.days, figures.balanced], [2, 2]);
		assert.equal(typeof figures.blocksDestroyed, "number");
	});

	it("destroys no block of the only copy: refused in one line, before anything has begun", () => {
		for (const command of ["day", "days"] as const) {
			const { status, stdout, stderr } = run(command, "--faults", "flashBlock");
			assert.deepEqual([status, stdout, stderr], [2, "", "error: --faults flashBlock needs --mirror\n"]);
		}
	});

	it("names the command that runs a day again with all that matters", () => {
		const day = { sales: 9, faults: "all", reversals: true } as const;
		assert.equal(replayLine(3, day), "replay: npm start -- --seed 3 --sales 9 --faults all");
		assert.equal(
			replayLine(3, { ...day, mirror: true, reversals: false }),
			"replay: npm start -- --seed 3 --sales 9 --faults all --mirror --no-reversals",
		);
	});
});
