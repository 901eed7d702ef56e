/**
 * Facts by which the cause of a doubt is told later: durable with what is written anyway, and not lost by what is written
 * after it.
 */
import { strict as assert } from "node:assert";
import { Flag } from "../../src/transactions/records";
import { State } from "../../src/transactions/states";
import { buildAnswer } from "../host/scripted-link";
import type { Rig } from "../host-sim/world/rig";
import { APPROVED, LogBench } from "./log-bench";
import { type OnRequest, ScriptedRig } from "./scripted-rig";

const FACTS = Flag.restarted | Flag.lineLost | Flag.badMac | Flag.deviceFault;

/** What is said of the first transaction now, and after a boot. */
function facts(rig: Rig): number {
	const { log } = rig.shop.terminal;
	const flags = log.index.flags[0] & FACTS;
	const stepsWritten = log.index.steps[0];
	rig.shop.pullPlug();
	rig.time.advance(10_000);
	const again = rig.shop.terminal.log;
	assert.equal(again.index.flags[0] & FACTS, flags, "after a boot");
	assert.ok(again.index.steps[0] >= stepsWritten);
	return flags;
}

function sold(onSale: OnRequest, card = "contactless", more = {}): ScriptedRig {
	const rig = new ScriptedRig((request, link) => {
		if (request.mti === "0200") onSale(request, link);
		else link.send(buildAnswer(request, "00"));
	});
	rig.sell(1_234, card, more);
	return rig;
}

describe("transactions: facts for a cause", () => {
	it("tell nothing of a sale that went as it should, was refused, or that nobody answered", () => {
		for (const code of ["00", "51", "10"]) {
			assert.equal(facts(sold((request, link) => link.send(buildAnswer(request, code)))), 0, code);
		}
		const silent = sold(() => {});
		assert.equal(silent.shop.terminal.log.reason(1), "98");
		assert.equal(facts(silent), 0, "silence");
	});

	it("tell of a line that was lost while the answer was waited for, as against silence", () => {
		assert.equal(facts(sold((_, link) => link.hangUp())), Flag.lineLost);
	});

	it("tell of an answer whose MAC is wrong", () => {
		const rig = sold((request, link) => link.send(buildAnswer(request, "00", {}, { mac: "bad" })));
		assert.equal(rig.shop.terminal.log.reason(1), "A0");
		assert.equal(facts(rig), Flag.badMac);
	});

	it("tell of a wrong MAC in the answer to a reversal, with the next record of it", () => {
		for (const bad of [1, 2, 4]) {
			let reversals = 0;
			const rig = new ScriptedRig((request, link) => {
				if (request.mti !== "0400") return;
				reversals++;
				link.send(buildAnswer(request, reversals > bad ? "00" : "96", {}, { mac: reversals === bad ? "bad" : "good" }));
			});
			rig.sell();
			rig.runUntil(() => reversals > bad);
			rig.time.advance(5_000);
			assert.equal(rig.shop.terminal.log.index.states[0], State.unconfirmed);
			assert.equal(facts(rig), Flag.badMac, `try ${bad}`);
		}
	});

	it("tell of power that came back between request and answer, and of nothing when it was gone at another time", () => {
		const rig = sold(() => {});
		rig.settle(1);
		assert.equal(facts(rig), 0, "the boot found a reversal");
		const cut = new ScriptedRig((request, link) => {
			if (request.mti === "0200") cut.shop.pullPlug();
			else link.send(buildAnswer(request, "00"));
		});
		cut.come();
		cut.time.advance(60_000);
		const { log } = cut.shop.terminal;
		assert.equal(log.index.states[0], State.unconfirmed);
		assert.equal(facts(cut), Flag.restarted);
		cut.settle(1);
		assert.equal(cut.shop.terminal.log.index.flags[0] & FACTS, Flag.restarted, "when it is over, too");
	});

	it("tell of a reader that gave no verdict of the card, as against a card that refused", () => {
		const approve: OnRequest = (request, link) => link.send(buildAnswer(request, "00"));
		assert.equal(facts(sold(approve, "chip", { verdictMs: 3_600_000 })), Flag.deviceFault);
		const gone = sold(approve, "chip", { fault: "gone" });
		assert.equal(gone.shop.terminal.log.reason(1), "06");
		assert.equal(facts(gone), 0);
	});

	it("tell of flash that failed meanwhile", () => {
		for (const fails of [false, true]) {
			const rig = new ScriptedRig((request, link) => {
				const { journal } = rig.shop.terminal.log;
				if (fails) rig.shop.flash.failBlock(8, { program: false });
				// Somebody else's records, until that block is opened.
				for (let n = 0; n < 4_000 && journal.retiredBlocks === 0; n++) journal.append(60, new Uint8Array(16));
				assert.equal(journal.retiredBlocks > 0, fails);
				link.send(buildAnswer(request, "00"));
			});
			rig.sell();
			assert.equal(rig.shop.terminal.log.index.states[0], State.delivered);
			assert.equal(rig.shop.terminal.log.index.flags[0] & FACTS, fails ? Flag.deviceFault : 0);
		}
	});

	it("outlast each other, an outcome that ends the steps, a settlement and any number of boots", () => {
		const bench = new LogBench().provision();
		const id = bench.begin();
		bench.log.apply(id, "decline", { flags: Flag.deviceFault, outcome: { ...APPROVED, code: "51" } });
		bench.log.apply(id, "approve", { flags: Flag.lineLost });
		const { noteTry } = bench.log;
		noteTry.call(bench.log, id, Flag.badMac);
		bench.log.setFlags(id, Flag.reversalRefused);
		const all = Flag.deviceFault | Flag.lineLost | Flag.badMac | Flag.reversalRefused;
		const flags = () => bench.log.index.flags[bench.log.find(id)];
		assert.equal(flags(), all);
		bench.boot();
		assert.equal(flags(), all);
		bench.log.apply(id, "reversalAccepted");
		bench.log.settle(2);
		bench.boot();
		assert.equal(flags(), all);
		const advice = bench.refund(1, 1);
		bench.log.setFlags(advice, Flag.overdue);
		bench.log.apply(advice, "approve", { outcome: APPROVED });
		bench.boot();
		assert.equal(bench.log.index.flags[bench.log.find(advice)], Flag.overdue);
	});

	it("are never told before they are durable: what memory says is what a boot reads", () => {
		const bench = new LogBench().provision();
		const id = bench.deliver();
		bench.log.apply(id, "approve", { flags: FACTS });
		assert.equal(bench.log.index.flags[0], 0, "a late answer writes nothing");
		const doubt = bench.doubt();
		for (let n = 1; n < 20; n++) {
			bench.log.noteTry(doubt, n === 5 ? Flag.badMac : 0);
			const flags = bench.log.index.flags[1];
			const read = new LogBench({ medium: bench.medium.clone() }).boot();
			assert.equal(read.log.index.flags[1], flags, `try ${n}`);
		}
	});
});
