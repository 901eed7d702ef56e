/**
 * Goal: what the host's books have wrong is found by the terminal itself, explained, and settled; then card and merchant hold
 * what people were told. Method: a whole terminal against the whole host on virtual time; the host's faults are injected, and
 * the cause of the case is compared with what was injected.
 */
import assert from "node:assert/strict";
import type { FaultName } from "../../host-sim/acquirer/faults";
import { makeConfig } from "../../src/config";
import { caseStateName } from "../../src/settlement/case-states";
import { causeName } from "../../src/settlement/cause";
import { rowName } from "../../src/settlement/finding";
import { Rig, type RigOptions } from "../host-sim/world/rig";

const HOUR_MS = 3_600_000;

interface Known {
	row: string | undefined;
	state: string | undefined;
	cause: string | undefined;
}

function casesOf(rig: Rig): Known[] {
	const { cases } = rig.shop.terminal;
	const known: Known[] = [];
	for (let id = cases.next(0); id !== 0; id = cases.next(id)) {
		const record = cases.get(id);
		known.push({ row: rowName(record.row), state: caseStateName(record.state), cause: causeName(record.cause) });
	}
	return known;
}

/** One sale that a fault befalls, and time for the terminal to find it. */
function afflicted(fault: FaultName, options: RigOptions = {}, hours = 3): Rig {
	const rig = new Rig(options);
	rig.sell(2_000);
	rig.faults.arm(fault, 1);
	rig.sell(68_800);
	rig.sell(1_500);
	rig.time.advance(hours * HOUR_MS);
	return rig;
}

function conserved(rig: Rig): void {
	const { oneSided, conserved: equal, cardNetMinor, merchantNetMinor } = rig.money();
	assert.deepEqual([oneSided, equal], [0, true], `card ${cardNetMinor}, merchant ${merchantNetMinor}`);
}

describe("what the books have wrong is found and resolved", () => {
	it("a record that the host has lost is sent again", () => {
		const rig = afflicted("recordLost");
		assert.deepEqual(casesOf(rig), [{ row: "notFound", state: "resolved", cause: "systemFault" }]);
		conserved(rig);
	});

	it("a posting that never comes is claimed", () => {
		const rig = afflicted("postingLost");
		assert.deepEqual(casesOf(rig), [{ row: "overdue", state: "resolved", cause: "bankDelay" }]);
		conserved(rig);
	});

	it("a reversal that nobody had asked for is taken back", () => {
		const rig = afflicted("reversedWrongly");
		assert.deepEqual(casesOf(rig), [{ row: "reversedAtHost", state: "resolved", cause: "hostMismatch" }]);
		conserved(rig);
	});

	it("an amount that is another one in the books is claimed or given back", () => {
		for (const seed of [1, 2, 3, 4]) {
			const rig = afflicted("amountAltered", { seed });
			assert.deepEqual(casesOf(rig), [{ row: "otherAmount", state: "resolved", cause: "hostMismatch" }]);
			conserved(rig);
		}
	});

	it("a merchant's account that takes nothing is told, and what was refused is claimed once it is mended", () => {
		const rig = afflicted("postingRefused");
		assert.deepEqual(casesOf(rig), [{ row: "merchantAccount", state: "waiting", cause: "merchantAccount" }]);
		const { terminalId, merchantId } = makeConfig();
		rig.host?.backOffice.mendAccount({ terminalId, merchantId }, rig.time.nowMs);
		rig.host?.officeChanged();
		rig.time.advance(3 * HOUR_MS);
		assert.deepEqual(casesOf(rig)[0].state, "resolved");
		conserved(rig);
	});

	it("a reversal that the host has acknowledged and forgotten is made once more", () => {
		const rig = new Rig();
		rig.faults.arm("answerLost", 1);
		rig.faults.arm("reversalForgotten", 1);
		rig.sell(5_000);
		rig.time.advance(5 * HOUR_MS);
		conserved(rig);
	});

	it("and a remedy for which flash has no room settles the batch, rather than wait for the hour", () => {
		const rig = new Rig({ config: { settleAtMinute: -1 } });
		const { journal } = rig.shop.terminal.log;
		const prepare = journal.prepare.bind(journal);
		rig.sell(2_000);
		rig.faults.arm("recordLost", 1);
		rig.sell(68_800);
		const { batch } = rig.shop.terminal.log;
		// Full, whatever is moved, until the batch has made way.
		journal.prepare = (byteLength) => rig.shop.terminal.log.settledUpTo.batch === batch && prepare(byteLength);
		rig.time.advance(3 * HOUR_MS);
		assert.deepEqual(casesOf(rig), [{ row: "notFound", state: "resolved", cause: "systemFault" }]);
		assert.notEqual(rig.shop.terminal.log.batch, batch);
		conserved(rig);
	});
});

describe("a batch is settled", () => {
	it("by key: closed, compared, released; sales go on in the next one", () => {
		const rig = new Rig();
		for (let n = 0; n < 5; n++) rig.sell(1_000 + n);
		assert.equal(rig.shop.terminal.settle(), true);
		rig.time.advance(60_000);
		assert.equal(rig.shop.terminal.log.settledUpTo.batch, 1);
		assert.equal(rig.shop.terminal.log.batch, 2);
		assert.equal(rig.sell(700).ended, true);
		conserved(rig);
	});

	it("and a difference in it is a case before it is released", () => {
		const rig = new Rig({ config: { settleAtMinute: -1 } });
		rig.sell(2_000);
		rig.faults.arm("recordLost", 1);
		rig.sell(68_800);
		rig.shop.terminal.settle();
		rig.time.advance(2 * HOUR_MS);
		assert.equal(rig.shop.terminal.log.settledUpTo.batch, 1);
		assert.deepEqual(casesOf(rig), [{ row: "notFound", state: "resolved", cause: "systemFault" }]);
		conserved(rig);
	});

	it("with a host that knows nothing of sync: totals, upload, release", () => {
		const rig = new Rig({ sync: false });
		for (let n = 0; n < 10; n++) rig.sell(1_000 + n);
		rig.shop.terminal.settle();
		rig.time.advance(HOUR_MS);
		assert.equal(rig.shop.terminal.log.settledUpTo.batch, 1);
		conserved(rig);
	});

	it("what is recorded and not yet posted is watched until it is", () => {
		const rig = new Rig({ office: { postingDelayMs: 20 * 60_000 } });
		rig.sell(2_000);
		rig.shop.terminal.settle();
		rig.time.advance(120_000);
		assert.equal(rig.shop.terminal.log.settledUpTo.batch, 1);
		assert.equal(rig.shop.terminal.summary().watched, 1);
		rig.time.advance(2 * HOUR_MS);
		assert.equal(rig.shop.terminal.summary().watched, 0);
		assert.deepEqual(casesOf(rig), []);
		conserved(rig);
	});
});
