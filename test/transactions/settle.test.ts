/**
 * A settlement on flash: what is over goes, what is open is carried, no number is used twice (I3, I4, I10); and cut at
 * each flash operation, before, within and after it, the old batch is whole or the new one has begun.
 */
import { strict as assert } from "node:assert";
import { CUT_AFTER, CUT_BEFORE, TEAR_SHAPES } from "../../host-sim/board/flash-cut";
import type { FlashMedium } from "../../host-sim/board/flash-medium";
import { PowerLost } from "../../host-sim/board/power";
import { fromHex } from "../../src/core/bytes";
import { CodedError } from "../../src/core/errors";
import { blocksReserved } from "../../src/journal/journal";
import { Flag } from "../../src/transactions/records";
import {
	holdsSettlement,
	isCarried,
	isCharged,
	isDoubt,
	isSpent,
	STATE_NAMES,
	State,
} from "../../src/transactions/states";
import { APPROVED, DECLINED, LogBench, snapshot } from "./log-bench";

/** A batch with everything in it that may be there when it is settled. @returns the ids that are carried */
function fullBatch(bench: LogBench): number[] {
	const { log } = bench;
	bench.deliver(1);
	const reversing = bench.doubt(2);
	log.setFlags(reversing, Flag.reversalRefused);
	for (let n = 0; n < 4; n++) log.noteTry(reversing);
	log.apply(bench.begin(3), "decline", { outcome: DECLINED });
	const unconfirmed = bench.doubt(4);
	log.apply(unconfirmed, "reversalAccepted");
	const taken = bench.begin(5);
	log.apply(taken, "approve", { outcome: APPROVED });
	log.apply(taken, "notDelivered");
	const reversed = bench.doubt(6);
	log.apply(reversed, "reversalAccepted");
	log.apply(reversed, "reversalAccepted");
	log.apply(bench.begin(7), "unsent");
	bench.deliver(8);
	return [reversing, unconfirmed, taken];
}

const walk = (next: (after: number) => number): number[] => {
	const ids: number[] = [];
	for (let id = next(0); id !== 0; id = next(id)) ids.push(id);
	return ids;
};

describe("transactions: settlement on flash", () => {
	it("has one answer for each state: it waits for it, carries it, or ends it", () => {
		for (const name of STATE_NAMES) {
			const state = State[name];
			const over = [State.delivered, State.forwarded, State.forwardRefused] as number[];
			const answers = [holdsSettlement(state), isCarried(state), isSpent(state) || over.includes(state)];
			assert.equal(answers.filter(Boolean).length, 1, name);
			// No doubt ends with its batch (I3), and nobody's money is settled that may still be taken back.
			if (isDoubt(state)) assert.ok(holdsSettlement(state) || isCarried(state), name);
			if (isCharged(state, 1) && !holdsSettlement(state)) assert.equal(state, State.delivered);
		}
	});

	it("ends what is over, carries what is open unchanged under its own batch, and begins the next batch", () => {
		const bench = new LogBench().provision(7);
		const carried = fullBatch(bench);
		const idLast = bench.log.index.ids[bench.log.index.count - 1];
		const before = snapshot(bench.log, carried);
		assert.deepEqual(bench.log.settledUpTo, { batch: 0, id: 0, stan: 0 });
		assert.equal(bench.log.settle(8), undefined);
		for (const when of ["at once", "after a boot", "after two"]) {
			assert.deepEqual(snapshot(bench.log), before, when);
			assert.equal(bench.log.batch, 8, when);
			assert.deepEqual(bench.log.settledUpTo, { batch: 7, id: idLast, stan: idLast }, when);
			assert.equal(bench.log.batchSales, 0, when);
			assert.equal(bench.log.doubts, 2, when);
			assert.deepEqual(
				walk((after) => bench.log.nextInBatch(7, after)),
				carried,
				when,
			);
			assert.equal(bench.log.nextInBatch(8, 0), 0, when);
			bench.boot();
		}
		const next = bench.deliver();
		assert.equal(bench.log.intent(next).batch, 8);
		assert.equal(bench.log.nextInBatch(8, 0), next);
		assert.equal(bench.log.batchSales, 1);
	});

	it("lets a carried doubt end in a later batch, over many settlements, and forgets it then", () => {
		const bench = new LogBench().provision(1);
		const id = bench.doubt(4_321);
		for (let batch = 2; batch < 40; batch++) {
			for (let n = 0; n < 5; n++) bench.deliver();
			assert.equal(bench.log.settle(batch), undefined);
			if (batch % 3 === 0) bench.boot();
			assert.equal(bench.state(id), State.reversing, `batch ${batch}`);
			assert.equal(bench.log.intent(id).amountMinor, 4_321);
			assert.equal(bench.log.reason(id), "98");
			assert.equal(bench.log.findByStan(1, 1), id);
		}
		bench.log.apply(id, "reversalAccepted");
		bench.log.settle(40);
		bench.boot();
		assert.equal(bench.state(id), State.unconfirmed);
		bench.log.apply(id, "reversalAccepted");
		bench.boot();
		assert.equal(bench.log.find(id), -1, "over, and its batch is settled");
		assert.equal(bench.log.nextLive(0), 0);
	});

	it("waits for a sale under way and for an approval that may not have reached the customer, and writes nothing", () => {
		const bench = new LogBench().provision();
		bench.deliver();
		const id = bench.begin();
		const before = bench.medium.image.slice();
		assert.equal(bench.log.settle(2), "underWay");
		assert.deepEqual(bench.medium.image, before);
		bench.log.apply(id, "approve", { outcome: APPROVED });
		bench.boot();
		const operations = bench.flash.operations;
		assert.equal(bench.log.settle(2), "undelivered");
		assert.equal(bench.flash.operations, operations);
		assert.equal(bench.log.batch, 1);
		assert.equal(bench.log.index.count, 2);
		bench.log.apply(id, "deliver");
		assert.equal(bench.log.settle(2), undefined);
		assert.equal(bench.log.index.count, 0);
	});

	for (const batch of [0, -1, 1_000_000, 1.5, Number.NaN, 5, "6" as unknown as number]) {
		it(`refuses ${typeof batch === "string" ? "a text" : batch} as the batch after 5, and changes nothing`, () => {
			const bench = new LogBench().provision(5);
			bench.deliver();
			const operations = bench.flash.operations;
			const range = (error: unknown) => error instanceof CodedError && error.code === "range";
			assert.throws(() => bench.log.settle(batch), range);
			assert.equal(bench.flash.operations, operations);
			assert.equal(bench.log.batch, 5);
			assert.equal(bench.log.index.count, 1);
		});
	}

	it("uses no id and no STAN twice, though nothing but the mark is left to know them (I4)", () => {
		const bench = new LogBench().provision();
		const ids: number[] = [];
		const stans: number[] = [];
		const note = (id: number) => {
			ids.push(id);
			stans.push(bench.stan(id));
		};
		for (let batch = 2; batch < 60; batch++) {
			for (let n = 0; n < batch % 4; n++) note(bench.deliver());
			assert.equal(bench.log.settle(batch), undefined);
			assert.equal(bench.log.index.count, 0);
			if (batch % 2 === 0) bench.boot();
			if (batch % 6 === 0) bench.boot().boot();
		}
		assert.equal(new Set(ids).size, ids.length);
		assert.deepEqual(
			stans,
			stans.map((_, n) => n + 1),
			"without a gap",
		);
		assert.equal(new Set(bench.seal.nonces).size, bench.seal.nonces.length);
	});

	it("does not use an id again under which a card was sealed after the settlement, though its intent was torn (I4)", () => {
		const bench = new LogBench().provision();
		bench.deliver();
		assert.equal(bench.log.settle(2), undefined);
		bench.flash.cutAt(bench.flash.operations + 1, 20);
		assert.throws(() => bench.begin(), PowerLost);
		bench.boot();
		assert.equal(bench.log.index.count, 0, "it never was");
		bench.deliver();
		assert.equal(bench.seal.nonces.length, 3);
		assert.equal(new Set(bench.seal.nonces).size, 3);
	});

	it("settles a journal whose mark is of version 1", () => {
		const bench = new LogBench();
		bench.log.journal.provision(1, fromHex("01000003000000000000".concat("00")));
		bench.boot();
		assert.equal(bench.log.batch, 3);
		bench.deliver();
		const id = bench.doubt();
		assert.equal(bench.log.settle(4), undefined);
		bench.boot();
		assert.equal(bench.log.batch, 4);
		assert.equal(bench.state(id), State.reversing);
		assert.equal(bench.log.settledUpTo.batch, 3);
	});

	it("frees the flash of what is settled at once: the same few blocks hold batch after batch", () => {
		const bench = new LogBench({ blocks: 10 }).provision();
		const { journal } = bench.log;
		for (let batch = 2; batch < 100; batch++) {
			for (let n = 0; n < 30; n++) {
				assert.ok(bench.log.prepare(), `batch ${batch}`);
				bench.deliver();
			}
			assert.equal(bench.log.settle(batch), undefined);
			assert.ok(journal.freeBlocks >= 8, `${journal.freeBlocks} free after batch ${batch}`);
		}
	});

	it("does not bring back what was copied while the settlement was carried out", () => {
		// So little is free that the carrying itself makes room, by copying sales that the mark then ends.
		let copied = 0;
		for (let more = 0; more < 40; more++) {
			const bench = new LogBench({ blocks: 16, capacity: 1_024 }).provision();
			const { log } = bench;
			const doubts = Array.from({ length: 10 }, () => bench.doubt());
			const sellTwo = () => {
				bench.deliver();
				log.apply(bench.begin(), "decline", { outcome: DECLINED });
			};
			while (log.journal.freeBlocks > blocksReserved(16)) sellTwo();
			for (let n = 0; n < more; n++) sellTwo();
			const settled = new Set(log.index.ids.subarray(0, log.index.count));
			for (const id of doubts) settled.delete(id);
			const { moved } = log;
			let moves = 0;
			log.moved = (from, to) => {
				moves++;
				moved.call(log, from, to);
			};
			assert.equal(log.settle(2), undefined);
			if (moves > 10) copied++;
			for (let boots = 0; boots < 3; boots++) {
				assert.deepEqual([...bench.log.index.ids.subarray(0, bench.log.index.count)], doubts, `more ${more}`);
				for (const id of doubts) assert.equal(bench.state(id), State.reversing);
				bench.boot();
			}
			for (let n = 0; n < 300; n++) if (bench.log.prepare()) bench.log.apply(bench.begin(), "unsent");
			bench.boot();
			const known = [...bench.log.index.ids.subarray(0, bench.log.index.count)];
			assert.deepEqual(
				known.filter((id) => settled.has(id)),
				[],
				`more ${more}`,
			);
		}
		assert.ok(copied > 0, "it happened");
	});

	for (const writeAlign of [1, 16]) {
		it(`is all or nothing, cut before, within and after each of its operations, alignment ${writeAlign}`, function () {
			this.timeout(60_000);
			const make = () => {
				const bench = new LogBench({ blocks: 8, writeAlign }).provision(7);
				for (let n = 0; n < 5; n++) fullBatch(bench);
				bench.log.settle(8);
				fullBatch(bench);
				return bench;
			};
			const whole = make();
			const from = whole.flash.operations;
			const old = world(whole);
			assert.equal(whole.log.settle(9), undefined);
			const operations = whole.flash.operations - from;
			const settled = world(whole);
			assert.ok(operations > 20, `${operations} operations`);
			const seen = { old: 0, settled: 0 };
			const whichIs = (bench: LogBench, name: string): "old" | "settled" => {
				const which = bench.log.batch === 8 ? "old" : "settled";
				assert.deepEqual(world(bench), which === "old" ? old : settled, name);
				return which;
			};
			for (let n = 1; n <= operations; n++) {
				const places: [number, number][] = [
					[CUT_BEFORE, 0],
					[CUT_AFTER, 0],
				];
				for (const shape of [0, 5, 9, 13, TEAR_SHAPES - 1]) places.push([5 + 7 * shape + n, shape]);
				for (const [byte, shape] of places) {
					const bench = make();
					bench.flash.cutAt(bench.flash.operations + n, byte, shape);
					assert.throws(() => bench.log.settle(9), PowerLost);
					const name = `operation ${n} byte ${byte} shape ${shape}`;
					const which = rebootsHold(bench, (held) => whichIs(held, name));
					seen[which]++;
					// What was not settled is settled now; what was goes on.
					if (which === "old") assert.equal(bench.log.settle(9), undefined, name);
					assert.deepEqual(world(bench), settled, name);
					assert.deepEqual(world(bench.boot()), settled, name);
				}
			}
			assert.ok(seen.old > operations && seen.settled >= 1, JSON.stringify(seen));
		});
	}

	it("is all or nothing when the recovery from its cut is cut as well", () => {
		const make = (medium?: FlashMedium) => {
			if (medium !== undefined) return new LogBench({ medium }).boot();
			const bench = new LogBench({ blocks: 8 }).provision(7);
			fullBatch(bench);
			return bench;
		};
		const whole = make();
		const from = whole.flash.operations;
		whole.log.settle(8);
		const operations = whole.flash.operations - from;
		const settled = world(whole);
		const old = world(make());
		for (let n = 1; n <= operations; n++) {
			for (let second = 1; second <= 6; second++) {
				const bench = make();
				bench.flash.cutAt(bench.flash.operations + n, 20 + n, n + second);
				assert.throws(() => bench.log.settle(8), PowerLost);
				bench.boot();
				bench.flash.cutAt(second, 3 + 11 * second, 2 * n + second);
				try {
					bench.log.settle(bench.log.batch + 1);
				} catch (error) {
					if (!(error instanceof PowerLost)) throw error;
				}
				rebootsHold(bench, (held) => {
					const { batch } = held.log;
					if (batch === 7) assert.deepEqual(world(held), old, `cut ${n}, then ${second}`);
					if (batch === 8) assert.deepEqual(world(held), settled, `cut ${n}, then ${second}`);
					assert.ok(batch >= 7 && batch <= 9);
					return batch === 7 ? "old" : "settled";
				});
			}
		}
	});
});

/** Everything a log knows but the tries that no record has, and how it is settled. */
function world(bench: LogBench): unknown {
	const { log } = bench;
	// Of spent ones a log may keep what it likes.
	const open = walk((after) => log.nextLive(after));
	const { batch, id, stan } = log.settledUpTo;
	// A boot skips ids that may have been used.
	assert.ok(id >= stan && id < stan + 128, `settled up to id ${id}`);
	return { batch: log.batch, settled: { batch, stan }, open: snapshot(log, open) };
}

/** Boots until one has pinned what it read: then it holds for good. */
function rebootsHold<T>(bench: LogBench, check: (bench: LogBench) => T): T {
	for (let tries = 0; ; tries++) {
		bench.boot();
		try {
			bench.log.journal.pin();
			break;
		} catch (error) {
			// The last record read one way in mount and another in pin.
			if (!(error instanceof CodedError) || error.code !== "damaged" || tries > 40) throw error;
		}
	}
	const held = check(bench);
	bench.boot();
	assert.deepEqual(check(bench), held);
	return held;
}
