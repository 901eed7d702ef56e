/**
 * Goal: a host that lies, forgets, answers for somebody else or changes its mind costs nobody money and makes no case of what
 * is in order. Method: a whole terminal against the whole host on virtual time; each lie is injected by its name, once and for
 * hours on end; then the host is honest again.
 */
import assert from "node:assert/strict";
import type { FaultName } from "../../host-sim/acquirer/faults";
import { caseStateName } from "../../src/settlement/case-states";
import { rowName } from "../../src/settlement/finding";
import { Rig, type RigOptions } from "../host-sim/world/rig";

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
const AMOUNTS = [2_000, 68_800, 1_500];
/** By key alone: a closing at its own hour would end what is looked at here. */
const BY_KEY: RigOptions = { config: { settleAtMinute: -1 } };

function casesOf(rig: Rig): string[] {
	const { cases } = rig.shop.terminal;
	const known: string[] = [];
	for (let id = cases.next(0); id !== 0; id = cases.next(id)) {
		const { row, state } = cases.get(id);
		known.push(`${rowName(row)} ${caseStateName(state)}`);
	}
	return known;
}

/** Three sales as they should be, of any batch. */
function shop(options: RigOptions = BY_KEY): Rig {
	const rig = new Rig(options);
	for (const amountMinor of AMOUNTS) rig.sell(amountMinor);
	return rig;
}

function conserved(rig: Rig): void {
	const { oneSided, conserved: equal, cardNetMinor, merchantNetMinor, paidMinor } = rig.money();
	assert.deepEqual([oneSided, equal], [0, true], `card ${cardNetMinor}, merchant ${merchantNetMinor}`);
	assert.equal(
		paidMinor,
		AMOUNTS.reduce((sum, amountMinor) => sum + amountMinor, 0),
	);
}

/** Nothing of what a host says makes the terminal give up on itself. */
function unshaken(rig: Rig): void {
	assert.equal(rig.medium.boots, 1, "started once");
}

function struckBy(rig: Rig, fault: FaultName): () => number {
	let count = 0;
	const { nextPage, nextDigest, nextSync, nextSettlement } = rig.faults;
	rig.faults.nextPage = () => counted(nextPage.call(rig.faults));
	rig.faults.nextDigest = () => counted(nextDigest.call(rig.faults));
	rig.faults.nextSync = () => counted(nextSync.call(rig.faults));
	rig.faults.nextSettlement = () => counted(nextSettlement.call(rig.faults));
	function counted<T extends object>(struck: T): T {
		if ((struck as Partial<Record<FaultName, boolean>>)[fault] === true) count++;
		return struck;
	}
	return () => count;
}

const LIES: readonly FaultName[] = [
	"entryChanges",
	"entryLies",
	"entryRepeats",
	"entriesUnordered",
	"entryOfAnother",
	"listEndless",
	"pageGarbled",
	"digestWrong",
	"syncStranger",
	"syncBadMac",
	"syncAnswerLost",
	"syncReordered",
];

describe("a host that lies about its books", () => {
	for (const fault of LIES) {
		it(`${fault}, now and then: no case, no remedy, no loss; the batch is settled`, () => {
			for (const seed of [1, 2, 3]) {
				const rig = shop({ ...BY_KEY, seed });
				const count = struckBy(rig, fault);
				rig.faults.setRate(fault, 0.5);
				for (let quarter = 0; quarter < 8; quarter++) {
					rig.faults.arm("digestWrong"); // Or no list is read at all.
					rig.shop.terminal.sync();
					rig.time.advance(15 * MINUTE_MS);
				}
				assert.ok(count() > 0, "it has struck");
				assert.deepEqual(casesOf(rig), [], `seed ${seed}`);
				rig.shop.terminal.settle();
				rig.time.advance(HOUR_MS);
				rig.faults.clear();
				rig.shop.terminal.sync();
				rig.time.advance(3 * HOUR_MS);
				assert.deepEqual(casesOf(rig), [], `seed ${seed}, settled`);
				assert.equal(rig.shop.terminal.log.settledUpTo.batch, 1);
				assert.equal(rig.shop.terminal.summary().watched, 0);
				conserved(rig);
				unshaken(rig);
			}
		});

		it(`${fault}, always: the shop sells on, and the first honest answer brings the batch to rest`, () => {
			const rig = shop();
			rig.faults.setRate(fault, 1);
			rig.shop.terminal.settle();
			rig.time.advance(2 * HOUR_MS);
			assert.equal(rig.sell(700).ended, true);
			rig.faults.clear();
			rig.time.advance(3 * HOUR_MS);
			assert.deepEqual(casesOf(rig), []);
			assert.equal(rig.shop.terminal.log.settledUpTo.batch, 1);
			const { oneSided, conserved: equal } = rig.money();
			assert.deepEqual([oneSided, equal], [0, true]);
		});
	}
});

describe("a list that never ends", () => {
	it("is given up after 64 pages, said so, and asked for again; the batch stays open, and closes on an honest list", () => {
		let pages = 0;
		const onHostEvent = (text: string): void => {
			if (text.startsWith("sync 401")) pages++;
		};
		const rig = shop({ ...BY_KEY, onHostEvent });
		rig.faults.setRate("listEndless", 1);
		pages = 0;
		rig.shop.terminal.settle();
		assert.ok(rig.runUntil(() => rig.logText().includes("the host's list does not end"), HOUR_MS));
		assert.equal(pages, 64);
		rig.time.advance(2 * HOUR_MS);
		assert.ok(pages < 64 * 200, `${pages} pages in two hours`);
		assert.equal(rig.shop.terminal.log.settledUpTo.batch, 0);
		rig.faults.clear();
		rig.time.advance(HOUR_MS);
		assert.equal(rig.shop.terminal.log.settledUpTo.batch, 1);
		assert.deepEqual(casesOf(rig), []);
		conserved(rig);
		unshaken(rig);
	});
});

describe("an answer to a settlement that belongs to something else", () => {
	for (const fault of ["settlementOtherBatch", "settlementStranger"] as const) {
		for (const sync of [true, false]) {
			it(`${fault}, host ${sync ? "with" : "without"} sync: is not taken; the right one closes the batch`, () => {
				for (const seed of [1, 2, 3, 4]) {
					const rig = shop({ ...BY_KEY, seed, sync });
					const count = struckBy(rig, fault);
					rig.faults.arm(fault, 2);
					rig.shop.terminal.settle();
					rig.time.advance(HOUR_MS);
					assert.ok(count() > 0, "it has struck");
					assert.equal(rig.shop.terminal.log.settledUpTo.batch, 1, `seed ${seed}`);
					assert.deepEqual(casesOf(rig), []);
					conserved(rig);
					unshaken(rig);
					unshaken(rig);
				}
			});
		}
	}
});

describe("a list that names what is not sold yet", () => {
	it("is no case when it is sold in the meantime, though the host confirms it then", () => {
		for (const seed of [1, 2, 3]) {
			const rig = new Rig({ ...BY_KEY, seed });
			rig.faults.arm("listEndless", 1);
			rig.shop.terminal.sync();
			rig.time.advance(MINUTE_MS);
			assert.match(rig.logText(), /differences to look at/, "numbers that nobody here has sold");
			for (const amountMinor of AMOUNTS) rig.sell(amountMinor);
			rig.time.advance(4 * HOUR_MS);
			assert.deepEqual(casesOf(rig), [], `seed ${seed}`);
			conserved(rig);
			unshaken(rig);
		}
	});
});

describe("an answer for another batch that says all is balanced, where nothing is", () => {
	for (const fault of ["settlementOtherBatch", "settlementStranger"] as const) {
		it(`${fault}: the host has lost a sale, and gets the list all the same`, () => {
			for (const seed of [1, 2, 3, 4, 5, 6]) {
				const told: string[] = [];
				const rig = new Rig({ ...BY_KEY, seed, sync: false, onHostEvent: (text) => told.push(text) });
				rig.sell(AMOUNTS[0]);
				rig.faults.arm("recordLost");
				rig.sell(AMOUNTS[1]);
				rig.sell(AMOUNTS[2]);
				rig.faults.arm(fault, 1);
				rig.shop.terminal.settle();
				rig.time.advance(HOUR_MS);
				assert.ok(told.includes("upload batch 1 ended: 3 of 3 rows"), `seed ${seed}`);
			}
		});
	}
});

describe("a posting that changes its mind", () => {
	it("after the terminal has seen it: while the batch is open it is found again, claimed or waited for, and paid once", () => {
		for (const seed of [1, 2, 3, 4, 5, 6]) {
			const told: string[] = [];
			const rig = new Rig({ ...BY_KEY, seed, onHostEvent: (text) => told.push(text) });
			rig.sell(AMOUNTS[0]);
			rig.faults.arm("postingChanges");
			rig.sell(AMOUNTS[1]);
			rig.sell(AMOUNTS[2]);
			rig.time.advance(30 * HOUR_MS);
			assert.equal(told.filter((text) => text.endsWith("taken back")).length, 1);
			for (const known of casesOf(rig)) assert.match(known, /^(overdue|pending) resolved$/, `seed ${seed}`);
			conserved(rig);
			unshaken(rig);
			rig.shop.terminal.settle();
			rig.time.advance(2 * HOUR_MS);
			assert.equal(rig.shop.terminal.log.settledUpTo.batch, 1);
			conserved(rig);
			unshaken(rig);
		}
	});

	it("while its batch is being closed: watched until it is there, and paid once", () => {
		for (const seed of [1, 2, 3]) {
			const rig = new Rig({ ...BY_KEY, seed });
			rig.faults.arm("postingChanges");
			for (const amountMinor of AMOUNTS) rig.sell(amountMinor);
			const away = (): boolean => rig.entries().some(({ posting }) => posting === "pending");
			assert.ok(rig.runUntil(away, 12 * HOUR_MS), "it was taken back");
			rig.shop.terminal.settle();
			rig.time.advance(30 * HOUR_MS);
			for (const known of casesOf(rig)) assert.match(known, /^(overdue|pending) resolved$/, `seed ${seed}`);
			assert.equal(rig.shop.terminal.summary().watched, 0);
			conserved(rig);
			unshaken(rig);
		}
	});
});
