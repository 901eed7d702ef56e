/** Goal: a scenario that expects something else than what comes of it does not hold, and says what is not so. */
import assert from "node:assert/strict";
import { runScenario } from "../../../host-sim/scenario/run-scenario";
import type { Expectation, ExpectedCase, Scenario } from "../../../host-sim/scenario/scenario";
import { findScenario } from "../../../host-sim/scenario/scenarios";

function scenarioNamed(name: string): Scenario {
	const scenario = findScenario(name);
	assert.ok(scenario !== undefined, name);
	return scenario;
}

/** What is wrong of a scenario whose expectation was altered. */
function wrongOf(name: string, alter: (expected: Expectation) => Expectation): string[] {
	const scenario = scenarioNamed(name);
	const { checks, holds } = runScenario({ scenario: { ...scenario, expected: alter(scenario.expected) }, seed: 1 });
	const wrong = checks.flatMap(({ wrong: texts }) => texts);
	assert.equal(holds, wrong.length === 0);
	return wrong;
}

const withCase = (change: Partial<ExpectedCase>) => (expected: Expectation) => ({
	...expected,
	cases: expected.cases.map((one) => ({ ...one, ...change })),
});

describe("a scenario's judge", () => {
	it("has nothing to say of a scenario as it stands", () => {
		assert.deepEqual(
			wrongOf("not-found", (expected) => expected),
			[],
		);
	});

	const deliberate: [string, string, (expected: Expectation) => Expectation, RegExp][] = [
		["another cause", "not-found", withCase({ cause: "network" }), /cause systemFault, not network/],
		["another remedy", "not-found", withCase({ remedies: ["claim"] }), /remedies resend, not claim/],
		["another state", "not-found", withCase({ state: "support" }), /state resolved, not support/],
		["another row", "not-found", withCase({ rows: ["overdue"] }), /row notFound, not overdue/],
		["a case that there is not", "not-found", withCase({ of: "before" }), /"before" \(trace \d+\): no case/],
		["no case where there is one", "not-found", (e) => ({ ...e, cases: [] }), /case 1 .* that nobody expects/],
		["another settlement", "not-found", (e) => ({ ...e, settled: ["unbalanced"] }), /^balanced, not unbalanced$/],
		["no settlement", "not-found", (e) => ({ ...e, settled: [] }), /^balanced, not $/],
		[
			"money out of place that is in place",
			"not-found",
			(e) => ({ ...e, outOfPlace: [{ of: "lost", shownBy: "case" }] }),
			/"lost" is in place, and should not be/,
		],
		[
			"money in place that is not",
			"host-refuses",
			(e) => ({ ...e, outOfPlace: [] }),
			/told paid, the merchant is not credited/,
		],
		["no card left where there was one", "afternoon", (e) => ({ ...e, cardLeft: false }), /nobody had left one/],
		["a card left where there was none", "not-found", (e) => ({ ...e, cardLeft: true }), /the card was not announced/],
	];
	for (const [what, name, alter, text] of deliberate) {
		it(`does not take ${what}`, () => {
			const wrong = wrongOf(name, alter);
			assert.ok(
				wrong.some((one) => text.test(one)),
				wrong.join("\n"),
			);
		});
	}

	it("does not take a cause for right because it is expected, when something else was injected", () => {
		const scenario = scenarioNamed("not-found");
		const acts = scenario.acts.map((act) =>
			act.do === "sale" && act.as === "lost" ? { ...act, injected: "requestLate" as const } : act,
		);
		const { checks } = runScenario({ scenario: { ...scenario, acts }, seed: 1 });
		assert.ok(checks.some(({ wrong }) => wrong.some((text) => text.includes("cause systemFault, not network"))));
	});

	it("does not take a settlement that was told to be balanced for one that shows a difference", () => {
		const scenario = scenarioNamed("overdue");
		const { settled } = scenario.expectedWithoutSync;
		const altered: Expectation = { cases: [], settled, outOfPlace: [{ of: "unposted", shownBy: "settlement" }] };
		const { checks } = runScenario({ scenario: { ...scenario, expectedWithoutSync: altered }, seed: 1, sync: false });
		assert.ok(
			checks.some(({ wrong }) => wrong.some((text) => text.includes("no settlement was told to be unbalanced"))),
		);
	});
});
