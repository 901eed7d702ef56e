/**
 * Goal: a comparison is cheap and nobody waits for it. Method: a whole terminal with a full batch against the whole host on
 * virtual time, 100 ms there and back; requests are counted on the wire, waiting is the customer's. Figures: SHOW=1.
 */
import assert from "node:assert/strict";
import { MessageDecoder } from "../../src/iso8583/decoder";
import { UNIONPAY } from "../../src/iso8583/unionpay";
import { causeName } from "../../src/settlement/cause";
import { rowName } from "../../src/settlement/finding";
import { Rig, type RigOptions } from "../host-sim/world/rig";

const HOUR_MS = 3_600_000;

/** Network codes of the sync requests that a terminal has sent. */
class Counter {
	readonly codes: string[] = [];

	count(code?: string): number {
		return code === undefined ? this.codes.length : this.codes.filter((known) => known === code).length;
	}
}

function show(text: string): void {
	if (process.env.SHOW !== undefined) process.stdout.write(`${text}\n`);
}

/** A terminal with so many sales in its batch, which compares when it is told to. */
function shopOf(sales: number, faults: readonly [number, string][] = [], options: RigOptions = {}): [Rig, Counter] {
	const counter = new Counter();
	const message = new MessageDecoder(UNIONPAY);
	const rig = new Rig({
		blocks: 256,
		beforeWrite: (bytes) => {
			message.decode(bytes.slice(), bytes.length);
			if (message.mti === "0300") counter.codes.push(message.text(60).slice(8, 11));
		},
		...options,
		config: { settleAtMinute: -1, settleAtSales: 990, syncEveryMs: 86_400_000, ...options.config },
	});
	for (let n = 0; n < sales; n++) {
		for (const [at, fault] of faults) if (at === n) rig.faults.arm(fault as Parameters<typeof rig.faults.arm>[0], 1);
		assert.equal(rig.sell(1_000 + n).screens.at(-1), "approved", `sale ${n}`);
	}
	rig.time.advance(HOUR_MS);
	counter.codes.length = 0;
	return [rig, counter];
}

function cases(rig: Rig): string[] {
	const { cases: all } = rig.shop.terminal;
	const known: string[] = [];
	for (let id = all.next(0); id !== 0; id = all.next(id)) {
		const record = all.get(id);
		known.push(`${rowName(record.row)} ${causeName(record.cause)}`);
	}
	return known.sort();
}

describe("a comparison of a full batch", function () {
	this.timeout(60_000);

	it("finds three mismatches among 990 with at most 30 requests", () => {
		const [rig, counter] = shopOf(989, [
			[100, "recordLost"],
			[500, "reversedWrongly"],
			[900, "amountAltered"],
		]);
		rig.sell(50_000); // The batch is full: it closes, and is compared whole.
		assert.ok(rig.runUntil(() => rig.shop.terminal.cases.count === 3, 60_000));
		const found = counter.count();
		show(`990 sales, 3 mismatches: ${found} requests to find them: ${counter.count("401")} pages of the list`);
		assert.deepEqual(cases(rig), ["notFound systemFault", "otherAmount hostMismatch", "reversedAtHost hostMismatch"]);
		assert.ok(found <= 30, `${found} requests`);
		rig.time.advance(3 * HOUR_MS);
		assert.equal(rig.money().oneSided, 0);
	});

	it("finds a sale that is recorded and never posted, though totals and digest agree", () => {
		const [rig, counter] = shopOf(989, [[300, "postingLost"]]);
		rig.shop.terminal.sync();
		assert.ok(rig.runUntil(() => rig.shop.terminal.cases.count === 1, 60_000));
		const found = counter.count();
		show(`989 sales, 1 not posted: ${found} requests to find it: ${counter.count("406")} digests, then the list`);
		assert.ok(found > 0 && found <= 30, `${found} requests`);
		assert.deepEqual(cases(rig), ["overdue bankDelay"]);
		rig.time.advance(2 * HOUR_MS);
		assert.equal(rig.money().oneSided, 0);
	});

	it("that agrees takes two requests", () => {
		const [rig, counter] = shopOf(300);
		rig.shop.terminal.sync();
		rig.time.advance(60_000);
		// Once a boot the whole list is read: what this terminal has lost shows in it alone.
		counter.codes.length = 0;
		rig.shop.terminal.sync();
		rig.time.advance(60_000);
		show(`300 sales that agree: ${counter.codes.join(" ")}`);
		assert.ok(counter.count() <= 2, counter.codes.join(" "));
	});

	it("keeps no customer waiting: a sale during it takes as long as one without", () => {
		const alone = shopOf(20)[0];
		const usualMs = saleMs(alone);
		let worstMs = 0;
		let during = 0;
		const [rig, counter] = shopOf(500, [
			[50, "recordLost"],
			[250, "reversedWrongly"],
		]);
		for (let wait = 0; wait < 40; wait++) {
			rig.shop.terminal.sync();
			// The customer comes at another moment of the comparison each time.
			rig.time.advance(1 + wait * 37);
			const before = counter.count();
			const ms = saleMs(rig);
			if (rig.shop.terminal.cases.openCount > 0 || counter.count() > before) during++;
			worstMs = Math.max(worstMs, ms);
		}
		show(`a sale alone: ${usualMs} ms; the slowest of 40 during a comparison of 500: ${worstMs} ms`);
		assert.ok(during > 0);
		assert.ok(worstMs <= usualMs + 1, `${worstMs} ms, alone ${usualMs} ms`);
	});
});

/** From the amount to the end of the visit. */
function saleMs(rig: Rig): number {
	const fromMs = rig.time.nowMs;
	const visit = rig.come(777_00 + (fromMs % 1_000));
	rig.runUntil(() => visit.ended);
	assert.equal(visit.screens.at(-1), "approved");
	return rig.time.nowMs - fromMs;
}
