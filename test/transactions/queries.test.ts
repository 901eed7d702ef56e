/** Questions to the log without a heap: what each answers, and in which order, against a plain list. */
import { strict as assert } from "node:assert";
import fc from "fast-check";
import {
	encodeIntent,
	encodeOutcome,
	INTENT_BYTES,
	OUTCOME_BYTES,
	TransactionRecord,
} from "../../src/transactions/records";
import { isSpent, State } from "../../src/transactions/states";
import { TransactionIndex } from "../../src/transactions/transaction-index";
import { APPROVED, DECLINED, LogBench, newSale } from "./log-bench";

const walk = (next: (after: number) => number): number[] => {
	const found: number[] = [];
	for (let at = next(0); at !== 0; at = next(at)) found.push(at);
	return found;
};

/** Writes a delivered sale as it would stand on flash: for keys that selling gives only after a million sales. */
function put(bench: LogBench, id: number, batch: number, stan: number): void {
	const intent = new Uint8Array(INTENT_BYTES);
	const rest = { kind: 1, panFirst: "621234", panLast: "1232", panDigits: 16 };
	encodeIntent(intent, { ...newSale(id), id, stan, batch, ...rest });
	bench.log.journal.append(TransactionRecord.intent, intent);
	const outcome = new Uint8Array(OUTCOME_BYTES);
	encodeOutcome(outcome, id, 1, State.delivered, APPROVED);
	bench.log.journal.append(TransactionRecord.outcome, outcome);
}

describe("transactions: queries", () => {
	it("walk through all that is not spent, in the order of selling, also after a boot", () => {
		const bench = new LogBench().provision();
		const { log } = bench;
		assert.equal(log.nextLive(0), 0);
		const live: number[] = [];
		for (let n = 0; n < 12; n++) {
			const id = bench.begin();
			if (n % 4 === 0) log.apply(id, "decline", { outcome: DECLINED });
			else if (n % 4 === 1) log.apply(id, "unsent");
			else live.push(id);
		}
		assert.deepEqual(
			walk((after) => log.nextLive(after)),
			live,
		);
		bench.boot();
		assert.deepEqual(
			walk((after) => bench.log.nextLive(after)),
			live,
		);
		assert.equal(bench.log.nextLive(0xffff_ffff), 0);
	});

	it("go on where they were when transactions come and go between two steps", () => {
		const bench = new LogBench({ capacity: 64 }).provision();
		const ids = Array.from({ length: 6 }, () => bench.doubt());
		const { log } = bench;
		assert.equal(log.nextLive(0), ids[0]);
		assert.equal(log.nextLive(ids[0]), ids[1]);
		for (const id of [ids[0], ids[1], ids[2]]) {
			log.apply(id, "reversalAccepted");
			log.apply(id, "reversalAccepted");
		}
		assert.equal(log.settle(2), undefined);
		assert.equal(log.find(ids[1]), -1);
		const later = bench.deliver();
		assert.deepEqual(
			walk((after) => log.nextLive(Math.max(after, ids[1]))),
			[ids[3], ids[4], ids[5], later],
		);
	});

	it("walk through a batch in the order of selling, spent ones too, across the wrap of the STAN", () => {
		const bench = new LogBench().provision(3);
		put(bench, 10, 3, 999_997);
		bench.boot();
		const { log } = bench;
		const ids = [10];
		for (let n = 0; n < 5; n++) ids.push(n % 2 === 0 ? bench.deliver() : bench.doubt());
		log.apply(ids[2], "reversalAccepted");
		log.apply(ids[2], "reversalAccepted");
		const seen = walk((after) => log.nextInBatch(3, after));
		assert.deepEqual(seen, ids);
		assert.deepEqual(
			seen.map((id) => bench.stan(id)),
			[999_997, 999_998, 999_999, 1, 2, 3],
		);
		assert.deepEqual(
			walk((after) => log.nextInBatch(4, after)),
			[],
		);
		assert.equal(log.index.kind(log.find(10)), 1);
		assert.equal(log.index.batch(log.find(10)), 3);
	});

	it("know one STAN in two batches apart", () => {
		const bench = new LogBench().provision(3);
		put(bench, 10, 3, 77);
		put(bench, 11, 4, 77);
		put(bench, 12, 4, 78);
		bench.boot();
		const { log } = bench;
		assert.equal(log.findByStan(3, 77), 10);
		assert.equal(log.findByStan(4, 77), 11);
		assert.equal(log.findByStan(4, 78), 12);
		assert.equal(log.findByStan(3, 78), 0);
		assert.equal(log.findByStan(5, 77), 0);
		assert.deepEqual(
			walk((after) => log.nextInBatch(4, after)),
			[11, 12],
		);
	});

	it("answer for the greatest batch, STAN and id there are", () => {
		const bench = new LogBench().provision();
		put(bench, 0xffff_fe00, 999_999, 999_999);
		bench.boot();
		assert.equal(bench.log.findByStan(999_999, 999_999), 0xffff_fe00);
		assert.equal(bench.log.nextInBatch(999_999, 0xffff_fdff), 0xffff_fe00);
		assert.equal(bench.log.nextLive(0), 0xffff_fe00);
		assert.equal(bench.log.nextLive(0xffff_fe00), 0);
		assert.equal(bench.log.find(0xffff_fe00), 0);
		assert.equal(bench.log.find(0xffff_fe01), -1);
	});

	it("read no flash", () => {
		const bench = new LogBench().provision();
		for (let n = 0; n < 10; n++) bench.deliver();
		const { log, flash } = bench;
		const read = flash.bytesRead;
		walk((after) => log.nextLive(after));
		walk((after) => log.nextInBatch(1, after));
		log.findByStan(1, 5);
		log.find(5);
		assert.equal(log.settledUpTo.batch, 0);
		assert.equal(flash.bytesRead, read);
	});

	it("agree with a plain list, whatever was added and removed in whatever order", () => {
		const row = fc.record({
			id: fc.integer({ min: 1, max: 60 }),
			batch: fc.integer({ min: 1, max: 3 }),
			state: fc.integer({ min: 1, max: 8 }),
		});
		const script = fc.array(fc.tuple(row, fc.boolean()), { maxLength: 80 });
		fc.assert(
			fc.property(script, (steps) => {
				const index = new TransactionIndex(64);
				const list = new Map<number, { id: number; batch: number; state: number }>();
				for (const [entry, removes] of steps) {
					if (removes) {
						index.removeAll((slot) => index.ids[slot] === entry.id);
						list.delete(entry.id);
					} else if (!list.has(entry.id)) {
						const slot = index.add(entry.id);
						index.stans[slot] = entry.id * 10;
						index.states[slot] = entry.state;
						index.setBatchKind(slot, entry.batch, 1);
						list.set(entry.id, entry);
					}
				}
				const rows = [...list.values()].sort((a, b) => a.id - b.id);
				const ids = (next: (after: number) => number) => {
					const found: number[] = [];
					for (let slot = next(0); slot >= 0; slot = next(index.ids[slot])) found.push(index.ids[slot]);
					return found;
				};
				assert.equal(index.count, rows.length);
				assert.deepEqual(
					ids((after) => index.nextLive(after)),
					rows.filter((entry) => !isSpent(entry.state)).map((entry) => entry.id),
				);
				for (const batch of [1, 2, 3]) {
					assert.deepEqual(
						ids((after) => index.nextInBatch(batch, after)),
						rows.filter((entry) => entry.batch === batch).map((entry) => entry.id),
					);
				}
				for (let id = 0; id <= 61; id++) {
					const entry = list.get(id);
					const slot = index.find(id);
					assert.equal(slot >= 0, entry !== undefined);
					if (entry === undefined) continue;
					assert.equal(index.ids[slot], id);
					assert.equal(index.findStan(id * 10), slot);
					assert.equal(index.findByStan(entry.batch, id * 10), slot);
					assert.equal(index.findByStan(entry.batch + 1, id * 10), -1);
				}
			}),
		);
	});

	it("are answered from 39 bytes a slot, whatever is live", () => {
		const index = new TransactionIndex(1_024);
		const empty = index.ramBytes;
		for (let id = 1; id <= 1_024; id++) index.add(id);
		assert.equal(index.ramBytes, empty);
		assert.equal(empty / 39, 1_024 + 8);
	});
});
