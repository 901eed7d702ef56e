/**
 * Goal: each scenario holds, with a host that knows the sync messages and with one that does not: what was injected is found
 * by the terminal itself, its cause and remedy are right, the ledgers hold what people were told, or somebody is told that
 * they do not. Method: all of them, in virtual time, over several seeds.
 */
import assert from "node:assert/strict";
import { runScenario } from "../../../host-sim/scenario/run-scenario";
import { INJECTED_CAUSES, momentMs } from "../../../host-sim/scenario/scenario";
import { NOT_YET, SCENARIOS } from "../../../host-sim/scenario/scenarios";
import { REMEDIES } from "../../../src/settlement/remedies";

const SEEDS = [1, 2, 3];

describe("scenarios", () => {
	for (const scenario of SCENARIOS) {
		for (const sync of [true, false]) {
			it(`${scenario.name} holds${sync ? "" : ", also with a host without sync"}`, () => {
				for (const seed of SEEDS) {
					const { checks, holds, firmwareRestarts, erasesInSale } = runScenario({ scenario, seed, sync });
					const wrong = checks.flatMap(({ name, wrong: texts }) => texts.map((text) => `${name.en}: ${text}`));
					assert.deepEqual(wrong, [], `seed ${seed}`);
					assert.equal(holds, true);
					assert.deepEqual([firmwareRestarts, erasesInSale], [0, 0]);
				}
			});
		}
	}

	it("there is one for each row of the remedies table, or it is said why not", () => {
		const shown = new Set(SCENARIOS.map(({ row }) => row));
		const missing = Object.keys(REMEDIES).filter((row) => !shown.has(row as keyof typeof REMEDIES));
		assert.deepEqual(missing, ["farSide"]);
		assert.ok("far-side" in NOT_YET);
	});

	it("have names of their own, moments in order, and an expected cause that is the one of what was injected", () => {
		assert.equal(new Set(SCENARIOS.map(({ name }) => name)).size, SCENARIOS.length);
		for (const { name, acts, end, expected, what } of SCENARIOS) {
			assert.match(name, /^[a-z]+(-[a-z]+)*$/);
			assert.match(what.zh, /[\u4e00-\u9fff]/);
			const moments = [...acts.map(({ at }) => at), end].map(momentMs);
			assert.ok(moments.every(Number.isSafeInteger), name);
			assert.deepEqual(
				moments,
				[...moments].sort((a, b) => a - b),
				name,
			);
			for (const { of, cause } of expected.cases) {
				const act = acts.find((one) => "as" in one && one.as === of);
				assert.ok(act !== undefined && "as" in act, `${name}: ${of}`);
				const fault = act.injected ?? ("fault" in act ? act.fault : undefined);
				assert.equal(cause, (fault === undefined ? undefined : INJECTED_CAUSES[fault]) ?? "notKnown", `${name}: ${of}`);
			}
		}
	});
});
