/** Who watches the log is told of each event once it is durable, and never of one that did not happen. */
import { strict as assert } from "node:assert";
import { PowerLost } from "../../host-sim/board/power";
import { State, stateName } from "../../src/transactions/states";
import { APPROVED, LogBench } from "./log-bench";

describe("transactions: who watches the transitions", () => {
	it("is told of each, in order, when flash has it", () => {
		const bench = new LogBench().provision(7);
		const { log } = bench;
		const id = bench.begin(1_000);
		const told: string[] = [];
		log.onTransition = (of, from, event, to) => {
			const there = new LogBench({ medium: bench.medium.clone() }).boot().log.index;
			assert.equal(of, id);
			assert.equal(stateName(there.states[there.find(id)]), to, "it is on flash when it is told");
			assert.equal(stateName(log.index.states[log.index.find(id)]), to, "and in the index");
			told.push(`${from}/${event}/${to}`);
		};
		log.apply(id, "approve", { outcome: APPROVED });
		log.apply(id, "noAnswer");
		log.apply(id, "deliver");
		assert.deepEqual(told, ["waiting/approve/approved", "approved/noAnswer/approved", "approved/deliver/delivered"]);
	});

	it("is not told of what power has broken off", () => {
		const bench = new LogBench().provision(7);
		const { log } = bench;
		const id = bench.begin(1_000);
		let told = 0;
		log.onTransition = () => {
			told++;
		};
		bench.flash.cutAt(bench.flash.operations + 1, 3);
		assert.throws(() => log.apply(id, "approve", { outcome: APPROVED }), PowerLost);
		assert.equal(told, 0);
		assert.equal(log.index.states[log.index.find(id)], State.waiting);
	});
});
