/**
 * A full terminal (I8): new sales are refused with a reason, what is open ends all the same, and a settlement makes
 * room by itself, without a restart. First on the log alone, then with screen, card and host.
 */
import { strict as assert } from "node:assert";
import { CodedError } from "../../src/core/errors";
import type { Terminal } from "../../src/terminal";
import { Flag } from "../../src/transactions/records";
import { State } from "../../src/transactions/states";
import { buildAnswer } from "../host/scripted-link";
import { Rig } from "../host-sim/world/rig";
import { APPROVED, DECLINED, LogBench, snapshot } from "./log-bench";
import { ScriptedRig } from "./scripted-rig";
import { pass } from "./straddling";

function stateOf(terminal: Terminal, id: number): number {
	return terminal.log.index.states[terminal.log.find(id)];
}

/** Rings from seven blocks on (six have no block to spare after a boot), and as many doubts as a queue holds. */
const CASES = [7, 8, 20].flatMap((blocks) =>
	[0, 5, 63].flatMap((doubtsMax) => [0, 1, 3].map((boots) => ({ blocks, doubtsMax, boots }))),
);

/** Everything that may still be written about reversals, one after the other: tries, a flag, and two acceptances. */
function endReversals(bench: LogBench, ids: readonly number[]): void {
	const { log } = bench;
	const tries = () => {
		for (let n = 0; n < 257; n++) for (const id of ids) log.noteTry(id);
	};
	tries();
	for (const id of ids) {
		log.setFlags(id, Flag.reversalRefused);
		log.apply(id, "reversalAccepted");
	}
	tries();
	for (const id of ids) log.apply(id, "reversalAccepted");
	for (const id of ids) assert.ok(log.find(id) < 0 || bench.state(id) === State.reversed);
}

function bootOften(bench: LogBench, boots: number): void {
	for (let n = 0; n < boots; n++) bench.boot().log.journal.pin();
}

describe("transactions: full", () => {
	it("refuses when flash is full of sales, and sells again after each settlement, without a boot", () => {
		const bench = new LogBench({ blocks: 8, capacity: 1_024 }).provision();
		const sold: number[] = [];
		for (let batch = 2; batch < 20; batch++) {
			let sales = 0;
			for (; bench.log.prepare(); sales++) bench.deliver();
			assert.ok(bench.log.index.hasRoom, "flash is what is full");
			assert.equal(bench.log.prepare(), false, "and stays so");
			sold.push(sales);
			assert.equal(bench.log.settle(batch), undefined);
			assert.equal(bench.log.prepare(), true, `batch ${batch}`);
		}
		const [first] = sold;
		assert.ok(first > 40, `${first} sales`);
		// As much fits in each batch, give or take what shares a block with the mark.
		for (const sales of sold) assert.ok(Math.abs(sales - first) <= 34, `${sold}`);
	});

	it("refuses when the index is full, and sells again after a settlement, without a boot", () => {
		const bench = new LogBench({ blocks: 32, capacity: 64 }).provision();
		for (let batch = 2; batch < 6; batch++) {
			let sales = 0;
			for (; bench.log.prepare(); sales++) bench.deliver();
			assert.equal(sales, 64);
			assert.equal(bench.log.settle(batch), undefined);
		}
	});

	it("is not full of what is spent: that makes way", () => {
		const bench = new LogBench({ blocks: 8, capacity: 64 }).provision();
		for (let n = 0; n < 1_000; n++) {
			assert.ok(bench.log.prepare(), `sale ${n}`);
			bench.log.apply(bench.begin(), "decline", { outcome: DECLINED });
		}
	});

	for (const writeAlign of [1, 4, 16, 32]) {
		it(`has room to end whatever is open, after many boots too, alignment ${writeAlign}`, () => {
			for (const { blocks, doubtsMax, boots } of CASES) {
				const bench = new LogBench({ blocks, writeAlign, capacity: 1_024 }).provision();
				const doubts: number[] = [];
				// Filled to the last sale that is taken, which is the one that is approved and not delivered.
				let last = 0;
				while (bench.log.prepare()) {
					if (last > 0) bench.log.apply(last, "deliver");
					if (doubts.length < doubtsMax) doubts.push(bench.doubt());
					last = bench.begin();
					bench.log.apply(last, "approve", { outcome: APPROVED });
				}
				assert.ok(last > 0);
				bootOften(bench, boots);
				bench.log.apply(last, "notDelivered");
				endReversals(bench, [...doubts, last]);
				assert.equal(bench.log.settle(2), undefined);
				assert.equal(bench.log.prepare(), true);
			}
		});

		it(`settles with doubts that go on, after many boots too, alignment ${writeAlign}`, () => {
			for (const { blocks, doubtsMax, boots } of CASES) {
				const bench = new LogBench({ blocks, writeAlign, capacity: 1_024 }).provision();
				const doubts: number[] = [];
				for (; bench.log.prepare(); bench.deliver()) if (doubts.length < doubtsMax) doubts.push(bench.doubt());
				bootOften(bench, boots);
				const before = snapshot(bench.log, doubts);
				assert.equal(bench.log.settle(2), undefined);
				assert.deepEqual(snapshot(bench.log), before);
				endReversals(bench, doubts);
				assert.equal(bench.log.settle(3), undefined);
				assert.equal(bench.log.prepare(), true);
			}
		});
	}

	it("says full, and changes nothing, when not even the doubts can be carried", () => {
		// More than was ever asked room for: a log that nobody prepared, written to its end.
		let tried = 0;
		for (let before = 0; before < 8; before++) {
			const bench = new LogBench({ blocks: 8, capacity: 1_024 }).provision();
			for (let n = 0; n < before; n++) pass(bench);
			try {
				for (;;) bench.doubt();
			} catch (error) {
				assert.ok(error instanceof CodedError && error.code === "full", `${error}`);
			}
			const { index } = bench.log;
			// What began last may have found no room for its step: then it is under way.
			if (index.states[index.count - 1] === State.waiting) continue;
			tried++;
			const known = snapshot(bench.log);
			assert.equal(bench.log.settle(2), "full");
			for (const again of [bench, bench.boot()]) {
				assert.equal(again.log.batch, 1);
				assert.deepEqual(snapshot(again.log), known);
			}
		}
		assert.ok(tried > 0, "it happened");
	});
});

describe("transactions: full terminal", () => {
	it("refuses with a reason on the screen, settles by itself, and sells again, without a restart", () => {
		const rig = new Rig({ blocks: 8 });
		const { terminal, till } = rig.shop;
		for (let batch = 2; batch < 5; batch++) {
			let sales = 0;
			while (rig.sell(100 + sales).refusal === undefined) sales++;
			assert.ok(sales > 25, `${sales} sales in batch ${batch - 1}`);
			assert.equal(till.screen?.name, "refusedFull");
			assert.equal(terminal.sale(100), "refusedFull", "however often");
			const entries = rig.entries().length;
			assert.equal(terminal.settling, true);
			rig.time.advance(60_000);
			assert.equal(terminal.log.settledUpTo.batch, batch - 1);
			assert.equal(rig.entries().length, entries, "nothing of the refused sale has reached the host");
			assert.equal(rig.sell(100).screens.at(-1), "approved");
			assert.equal(rig.entries().at(-1)?.batch, batch);
		}
		assert.equal(rig.shop.boots, 1);
		assert.equal(rig.shop.restarts, 0);
		assert.equal(rig.shop.erasesInSale, 0);
		rig.settle();
		assert.ok(rig.money().conserved);
	});

	it("ends under its old batch what a settlement has carried, with the customer told once", () => {
		// The reversal is accepted at once, and sent once more when no stalled original can arrive any more.
		const rig = new Rig({ blocks: 12, config: { answerTimeoutMs: 1_000, lateOriginalMs: 86_400_000 } });
		const { terminal } = rig.shop;
		rig.faults.arm("answerLost", 1);
		rig.sell(777);
		assert.ok(rig.runUntil(() => terminal.log.index.states[0] === State.unconfirmed));
		while (rig.sell(100).refusal === undefined);
		assert.equal(rig.shop.till.screen?.name, "refusedFull");
		const id = terminal.log.nextLive(0);
		assert.equal(terminal.log.settle(2), undefined);
		assert.equal(terminal.log.nextLive(0), id);
		rig.shop.pullPlug();
		assert.ok(rig.runUntil(() => rig.shop.power.on));
		assert.equal(stateOf(rig.shop.terminal, id), State.unconfirmed);
		const entries = rig.entries().length;
		rig.settle(48);
		assert.ok(rig.shop.terminal.atRest);
		assert.equal(rig.entries().length, entries, "no movement of batch 2");
		assert.equal(rig.shop.terminal.log.nextLive(0), 0, "and the doubt has ended");
		assert.ok(rig.money().conserved);
		assert.equal(rig.money().oneSided, 0);
	});

	it("takes a late answer to a settled sale for one that nobody waits for", () => {
		let frame: Uint8Array | undefined;
		const rig = new ScriptedRig((request, link) => {
			if (request.mti !== "0200") return;
			frame = buildAnswer(request, "00");
			link.send(frame);
		});
		rig.sell();
		const { terminal } = rig.shop;
		assert.equal(terminal.log.settle(2), undefined);
		assert.ok(frame !== undefined);
		rig.line.send(frame);
		rig.time.advance(1_000);
		assert.match(rig.logText(), /late answer to stan=2: no such transaction/);
		assert.equal(terminal.log.index.count, 0);
		assert.equal(rig.shop.restarts, 0);
	});

	it("does not settle while a sale is under way, nor while an approval is not yet told", () => {
		const rig = new Rig();
		const { terminal } = rig.shop;
		const visit = rig.come(100);
		assert.ok(rig.runUntil(() => terminal.phase === "host"));
		assert.equal(terminal.log.settle(2), "underWay");
		assert.ok(rig.runUntil(() => terminal.phase === "printing"));
		assert.equal(terminal.log.settle(2), "undelivered");
		assert.ok(rig.runUntil(() => visit.ended));
		assert.equal(terminal.log.settle(2), undefined);
		assert.ok(rig.money().conserved);
	});
});
