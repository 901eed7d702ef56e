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

	it("stays known as long as its batch; what has no place beside it becomes one case of the whole batch", () => {
		const log: string[] = [];
		const rig = new Rig({ config: { settleAtMinute: -1, casesMax: 4 }, onLog: (text) => log.push(text) });
		const { terminal } = rig.shop;
		const settled: unknown[] = [];
		terminal.onSettled = ({ batch, debits, differencesCount }) => settled.push([batch, debits, differencesCount]);
		const answerAll = () => {
			for (let id = terminal.nextQuestion(); id !== 0; id = terminal.nextQuestion()) terminal.answerCase(id, true);
			rig.time.advance(HOUR_MS);
		};
		for (let n = 0; n < 10; n++) {
			rig.sell(5_000 + n);
			rig.sell(5_000 + n);
		}
		rig.time.advance(HOUR_MS / 2);
		assert.equal(terminal.cases.openCount, 4);
		for (let round = 0; round < 6; round++) answerAll();
		const rows = rig.money().rows.filter(({ debits }) => debits > 0);
		const givenBack = rows.filter(({ cardNetMinor }) => cardNetMinor === 0).length;
		assert.deepEqual([rows.length, givenBack], [20, 8], "nobody asks twice, and nothing is given back twice");
		// The batch's eight cases, the case of the whole batch, and the two pairs that it stands for.
		assert.deepEqual(settled, [[1, 12, 11]]);
		assert.equal(terminal.cases.openCount, 1);
		assert.notEqual(terminal.cases.findOpen(1, 0, "unbalanced"), 0);
		assert.equal(log.filter((line) => line.includes("with its batch's case")).length, 2);
		rig.sell(7_000);
		rig.sell(7_000);
		rig.time.advance(HOUR_MS);
		assert.notEqual(terminal.nextQuestion(), 0, "the release has freed the places");
	});
});
