/**
 * Goal: what our own request has had given back is no difference any more: the batch is balanced, and one digest is enough.
 * Method: two equal sales, one of them given back on the operator's word, then comparisons and the settlement.
 */
import assert from "node:assert/strict";
import { Rig } from "../host-sim/world/rig";

const HOUR_MS = 3_600_000;

describe("settlement: a sale that a request of ours has had given back", () => {
	it("is in no total and in no digest: the host's books are without it as well", () => {
		const said: string[] = [];
		const rig = new Rig({ onHostEvent: (text) => said.push(text), config: { settleAtMinute: -1 } });
		rig.sell(2_000);
		rig.sell(5_000);
		rig.sell(5_000);
		rig.time.advance(HOUR_MS);
		const { terminal } = rig.shop;
		assert.equal(terminal.answerCase(terminal.nextQuestion(), true), true);
		rig.time.advance(HOUR_MS);
		said.length = 0;
		rig.time.advance(2 * HOUR_MS);
		const lists = said.filter((text) => text.startsWith("sync 401"));
		assert.deepEqual(lists, [], "the digest agrees: no list is asked for");
		const results: unknown[] = [];
		terminal.onSettled = ({ result, debits, debitMinor }) => results.push([result, debits, debitMinor]);
		terminal.settle();
		rig.time.advance(60_000);
		assert.deepEqual(results, [["balanced", 2, 7_000]]);
	});
});
