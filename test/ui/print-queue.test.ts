/**
 * Goal: a customer's slip never waits behind paper that has time, no slip is lost or printed twice, and a printer that says
 * nothing holds up nobody for ever. Method: a printer of which the test says when it is done.
 */
import assert from "node:assert/strict";
import { VirtualTime } from "../../host-sim/board/virtual-clock";
import type { MoneySlip, Slip } from "../../src/ports";
import { PrintQueue, WAITING_MAX } from "../../src/ui/print-queue";

const SLIP_MS_MAX = 30_000;

function slip(stan: number): MoneySlip {
	return {
		...{ name: "sale", copy: "customer", reprint: true, stan, batch: 1, amountMinor: 1, card: "", rrn: "" },
		...{ authorization: "", time: 0, terminalId: "12345678", merchantId: "123456789012345", told: "paid" },
	};
}

function scene() {
	const time = new VirtualTime(0);
	const given: number[] = [];
	const reports: ((printed: boolean) => void)[] = [];
	const printer = {
		print(one: Slip, onDone: (printed: boolean) => void): void {
			given.push((one as MoneySlip).stan);
			reports.push(onDone);
		},
	};
	const queue = new PrintQueue(printer, time.clock(), SLIP_MS_MAX);
	const done: string[] = [];
	const onDone = (stan: number) => (printed: boolean) => done.push(`${stan} ${printed}`);
	const later = (stan: number) => queue.later(slip(stan), onDone(stan));
	const print = (stan: number) => queue.print(slip(stan), onDone(stan));
	return { time, given, reports, queue, done, later, print };
}

describe("print queue", () => {
	it("gives a slip to the printer in the same call while nothing is printed, and the next when it is out", () => {
		const { given, reports, done, later, queue } = scene();
		assert.equal(later(1), true);
		assert.deepEqual(given, [1]);
		later(2);
		later(3);
		assert.deepEqual([given, queue.waiting, queue.busy], [[1], 2, true]);
		reports[0](true);
		reports[1](false);
		reports[2](true);
		assert.deepEqual([given, done, queue.busy], [[1, 2, 3], ["1 true", "2 false", "3 true"], false]);
	});

	it("lets the slip of a sale go before all that waits", () => {
		const { given, reports, later, print } = scene();
		later(1);
		later(2);
		print(3);
		reports[0](true);
		assert.deepEqual(given, [1, 3]);
		reports[1](true);
		assert.deepEqual(given, [1, 3, 2]);
	});

	it("refuses what has time when too much waits, and never the slip of a sale", () => {
		const { given, reports, queue, later, print, done } = scene();
		later(1);
		for (let stan = 2; stan < 2 + WAITING_MAX; stan++) assert.equal(later(stan), true);
		assert.deepEqual([queue.takes(1), later(50)], [false, false]);
		print(99);
		reports[0](true);
		assert.deepEqual([given, done], [[1, 99], ["1 true"]]);
		assert.deepEqual([queue.waiting, queue.takes(1)], [WAITING_MAX, false]);
	});

	it("asks a printer that says nothing again after a while; its late word frees nobody else's place", () => {
		const { time, given, reports, later, done, queue } = scene();
		later(1);
		later(2);
		later(3);
		time.advance(SLIP_MS_MAX - 1);
		assert.deepEqual(given, [1]);
		time.advance(1);
		assert.deepEqual(given, [1, 2]);
		reports[0](true);
		assert.deepEqual([given, done, queue.busy], [[1, 2], ["1 true"], true]);
		reports[1](false);
		assert.deepEqual(
			[given, done],
			[
				[1, 2, 3],
				["1 true", "2 false"],
			],
		);
	});
});
