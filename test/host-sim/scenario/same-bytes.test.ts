/** Goal: a scenario and a seed give the same lines and the same figures, to the byte; another seed gives another afternoon. */
import assert from "node:assert/strict";
import { scenarioJson } from "../../../host-sim/cli/scenario-json";
import { closingLines, timelineText } from "../../../host-sim/cli/scenario-print";
import { runScenario } from "../../../host-sim/scenario/run-scenario";
import { findScenario } from "../../../host-sim/scenario/scenarios";

function play(name: string, seed: number, sync = true): string {
	const scenario = findScenario(name);
	assert.ok(scenario !== undefined);
	const lines: string[] = [];
	let logged = "";
	const result = runScenario({
		scenario,
		seed,
		sync,
		onLine: (line) => lines.push(timelineText(line, undefined, 0)),
		log: {
			write: (level, uptimeMs, tag, text) => {
				logged += `${level} ${uptimeMs} ${tag} ${text}\n`;
			},
		},
	});
	lines.push(...closingLines(result, "en", 0), ...closingLines(result, "zh", 0));
	return `${lines.join("\n")}\n${logged}${JSON.stringify(scenarioJson(result, 0))}`;
}

describe("a scenario's bytes", () => {
	it("are the same for the same seed, and others for another one", () => {
		const first = play("afternoon", 7);
		assert.equal(play("afternoon", 7), first);
		assert.notEqual(play("afternoon", 8), first);
	});

	it("are the same with faults, power cuts and lost flash, with sync and without", () => {
		for (const name of ["answer-lost", "unknown-here", "line-returns"]) {
			for (const sync of [true, false]) assert.equal(play(name, 3, sync), play(name, 3, sync), name);
		}
	});

	it("carry no card number that is not masked, and no PIN", () => {
		const all = play("afternoon", 1) + play("unknown-here", 1);
		assert.doesNotMatch(all, /62\d{14,17}/);
		assert.doesNotMatch(all, /D3012/);
	});
});
