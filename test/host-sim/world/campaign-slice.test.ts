/**
 * Goal: every run of the tests searches a little; what it finds is a seed that anybody can replay.
 * Method: the first seeds of a campaign, by the campaign's own pool of threads.
 */
import assert from "node:assert/strict";
import { availableParallelism } from "node:os";
import { Campaign } from "../../../host-sim/cli/campaign-run";
import { summarize } from "../../../host-sim/world/coverage";

const SEEDS = { first: 1, last: 320 };
/** Ten seconds on two cores that have nothing else to do. */
const PATIENCE_MS = 180_000;

describe("a slice of the campaign", function () {
	this.timeout(PATIENCE_MS);

	it(`finds no broken promise in ${SEEDS.last} worlds`, async () => {
		const campaign = new Campaign({ jobs: availableParallelism(), seeds: SEEDS, common: {}, shrinkMax: 0 });
		const result = await campaign.run({ onReport: () => {}, onShrink: () => {} });
		const failing = result.failing.map(({ failure, replay }) => `${failure.invariant}: ${failure.text}\n  ${replay}`);
		assert.deepEqual([result.seeds, failing], [SEEDS.last, []]);
		assert.deepEqual(summarize(result.coverage).refuted, [], "reasons in coverage.ts hold");
		assert.deepEqual(summarize(result.coverage).unknown, [], "all that is counted has a row");
	});
});
