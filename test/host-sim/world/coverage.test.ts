import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
	allKeys,
	COVERAGE_GROUPS,
	CoverageCounter,
	mergeCoverage,
	NEVER_IN_A_WORLD,
	RECOVERY_ROWS,
	summarize,
} from "../../../host-sim/world/coverage";
import { STRIKE_KINDS } from "../../../host-sim/world/strikes";
import { CASE_STATE_NAMES } from "../../../src/settlement/case-states";
import { REMEDIES, STEP_KINDS } from "../../../src/settlement/remedies";
import { EVENTS, STATE_NAMES, TABLE } from "../../../src/transactions/states";

describe("coverage", () => {
	it("has a row for every kind of trouble, every cell of the transition table and every labelled row of recovery", () => {
		const cells = STATE_NAMES.flatMap((state) =>
			Object.keys(TABLE[state]).map((event) => `transition:${state}/${event}`),
		);
		const keys = allKeys();
		assert.equal(new Set(keys).size, keys.length, "no key twice");
		for (const kind of STRIKE_KINDS) assert.ok(keys.includes(`fault:${kind}`), kind);
		for (const cell of cells) assert.ok(keys.includes(cell), cell);
		for (const row of Object.keys(REMEDIES)) assert.ok(keys.includes(`case:${row}`), row);
		for (const kind of STEP_KINDS) assert.ok(keys.includes(`remedy:${kind}`), kind);
		for (const state of CASE_STATE_NAMES) assert.ok(keys.includes(`caseState:${state}`), state);
		const ofCases = Object.keys(REMEDIES).length + STEP_KINDS.length + CASE_STATE_NAMES.length;
		assert.ok(keys.includes("evidence:case"));
		assert.equal(keys.length, new Set(STRIKE_KINDS).size + cells.length + RECOVERY_ROWS.length + ofCases + 1);
	});

	it("knows the rows of the journal's own recovery table", () => {
		const design = readFileSync(join(__dirname, "../../../src/journal/DESIGN.md"), "utf8");
		const table = design.slice(design.indexOf("## Recovery table"), design.indexOf("The last fact is *provisional*"));
		const labels = [...table.matchAll(/^\| ([A-Z]) \|/gm)].map(([, label]) => label);
		assert.deepEqual(labels, [...RECOVERY_ROWS]);
	});

	it("says of a group without rows why it has none", () => {
		for (const { keys, note, title } of COVERAGE_GROUPS) assert.equal(keys.length === 0, note !== undefined, title);
	});

	it("counts by name, by cell and by row, in the order of the groups", () => {
		const counter = new CoverageCounter();
		counter.recovery("G");
		counter.transition("waiting", "approve");
		counter.transition("waiting", "approve");
		counter.count("something:new");
		counter.addFaults({ badMac: 3, powerCut: 2 });
		assert.deepEqual(Object.entries(counter.coverage()), [
			["fault:powerCut", 2],
			["fault:badMac", 3],
			["transition:waiting/approve", 2],
			["recovery:G", 1],
			["something:new", 1],
		]);
	});

	it("counts every cell of the table under a key that has a row", () => {
		const counter = new CoverageCounter();
		for (const state of STATE_NAMES) {
			for (const event of EVENTS) if (TABLE[state][event] !== undefined) counter.transition(state, event);
		}
		for (const row of RECOVERY_ROWS) counter.recovery(row);
		assert.deepEqual(summarize(counter.coverage(), {}).unknown, []);
		const counted = ["transition:", "recovery:"];
		assert.ok(summarize(counter.coverage(), {}).empty.every((key) => !counted.some((head) => key.startsWith(head))));
	});

	it("takes the rows of a mount as the journal names them", () => {
		const counter = new CoverageCounter();
		for (const cases of ["GM", "G", ""]) counter.recoveryCases(cases);
		assert.deepEqual(counter.coverage(), { "recovery:G": 2, "recovery:M": 1 });
	});

	it("adds worlds up", () => {
		const sum = { "fault:badMac": 1 };
		mergeCoverage(sum, { "fault:badMac": 2, "recovery:A": 1 });
		mergeCoverage(sum, {});
		assert.deepEqual(sum, { "fault:badMac": 3, "recovery:A": 1 });
	});

	it("names rows that never happened, and apart from them those that have a reason", () => {
		const { empty, explained, refuted } = summarize({ "recovery:A": 1 }, { "recovery:C": "no later firmware here" });
		assert.equal(empty.length, allKeys().length - 2);
		assert.ok(!empty.includes("recovery:A") && !empty.includes("recovery:C"));
		assert.deepEqual(explained, [{ key: "recovery:C", reason: "no later firmware here" }]);
		assert.deepEqual(refuted, []);
	});

	it("finds a reason wrong whose row was exercised, or is none", () => {
		const reasons = { "recovery:C": "cannot be", "recovery:Z": "cannot be either" };
		assert.deepEqual(summarize({ "recovery:C": 1 }, reasons).refuted, ["recovery:C", "recovery:Z"]);
	});

	it("names what is counted under a name that nobody knows", () => {
		assert.deepEqual(summarize({ "fault:noSuch": 1, "recovery:A": 1 }).unknown, ["fault:noSuch"]);
	});

	it("gives each reason as a sentence about a row there is", () => {
		for (const [key, reason] of Object.entries(NEVER_IN_A_WORLD)) {
			assert.ok(allKeys().includes(key), key);
			assert.ok(reason.length > 20, key);
		}
	});
});
