/** The timeline and the verdict that `npm run replay` prints. */
import assert from "node:assert/strict";
import { exitCodeOf, StoryPrinter, storyJson, verdictLines } from "../../../host-sim/cli/campaign-story";
import type { StoryLine, StorySource, WorldOptions } from "../../../host-sim/world/report";
import { FAILS, runWorld } from "../node/planted-world";

const NEW_YEAR_MS = Date.UTC(2026, 11, 31, 15, 59, 59, 990);

function printed(details: boolean, ...lines: Partial<StoryLine>[]): string[] {
	const out: string[] = [];
	const printer = new StoryPrinter((line) => out.push(line), details);
	const whole = { step: 7, atMs: NEW_YEAR_MS, terminal: -1, source: "world" as StorySource, text: "x" };
	for (const line of lines) printer.line({ ...whole, ...line });
	return out;
}

describe("the story of a world", () => {
	it("has step, local time, terminal, source and text in columns, and a line for each new day", () => {
		const lines = printed(
			false,
			{ source: "people", terminal: 0, text: "customer pays 100 with chip" },
			{ step: 123_456, atMs: NEW_YEAR_MS + 10, text: "powerCut#1" },
		);
		assert.deepEqual(lines, [
			"          2026-12-31",
			"       7  23:59:59.990  T0  people  customer pays 100 with chip",
			"          2027-01-01",
			"  123456  00:00:00.000      world   powerCut#1",
		]);
	});

	it("leaves frames and log lines to those who ask for them", () => {
		const sources: StorySource[] = [
			...(["people", "screen", "slip", "log", "link", "host", "power", "flash", "clock", "check", "world"] as const),
		];
		const all = sources.map((source) => ({ source, text: source }));
		const words = (lines: string[]) => lines.slice(1).map((line) => line.trimEnd().split(" ").at(-1));
		assert.deepEqual(words(printed(true, ...all)), sources);
		assert.deepEqual(
			words(printed(false, ...all)),
			sources.filter((source) => source !== "log" && source !== "link"),
		);
	});

	it("keeps each entry on its line", () => {
		assert.match(printed(false, { text: "two\nlines  and\tblanks " })[1], / two lines and blanks$/);
	});

	it("ends with figures, what happened in short, the hash, and each broken promise", () => {
		const options = { seed: FAILS, customers: 5 };
		const lines = verdictLines(runWorld(options), options);
		assert.equal(
			lines[1],
			`seed ${FAILS}: 1 terminal, 5 sales, 4 approved, 1 reversed, 2 power cuts, 40 strikes, 100 steps, 24.0 h of virtual time`,
		);
		assert.ok(lines.some((line) => /^Faults, by kind: 1 of \d+: powerCut 2$/.test(line)));
		assert.ok(lines.includes(`hash ${FAILS}`));
		assert.deepEqual(lines.slice(-2), [
			"FAILED I6 at step 33, 1970-01-01 08:00:01.000, terminal 0: planted",
			`FAILED: npm run replay -- --seed ${FAILS} --customers 5`,
		]);
	});

	it("ends with success, a broken promise, or strikes that were asked for and never came", () => {
		const good = { seed: 1, only: ["powerCut#1"] };
		const missing = { seed: 1, only: ["powerCut#999999"] };
		const failing = { seed: FAILS };
		const stoppedEarly = { ...missing, untilStep: 1 };
		const runs: readonly WorldOptions[] = [good, missing, failing, stoppedEarly];
		const codes = runs.map((options) => exitCodeOf(runWorld(options), options));
		assert.deepEqual(codes, [0, 3, 1, 0]);
		const { failures, failed } = storyJson(runWorld(failing), failing);
		assert.deepEqual([failures, failed], [1, runWorld(failing).failures]);
	});

	it("says that nothing was broken, or that the run was stopped before anything could be judged", () => {
		assert.equal(verdictLines(runWorld({ seed: 1 }), { seed: 1 }).at(-1), "no promise was broken");
		assert.equal(
			verdictLines(runWorld({ seed: 1 }), { seed: 1, untilStep: 100 }).at(-1),
			"stopped at step 100: nothing was broken so far, and nothing is judged",
		);
	});
});
