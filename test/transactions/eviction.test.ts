/**
 * An index that is full gives away slots of spent transactions. Goal: none of them is ever a doubt again, which would
 * reverse what people were told long ago, and nothing that is open is given away. Method: the newest transaction is
 * spent and its intent was copied behind its end; then the index is too small, in RAM and while the log is read.
 */
import { strict as assert } from "node:assert";
import { CodedError } from "../../src/core/errors";
import {
	encodeIntent,
	encodeOutcome,
	encodeStep,
	INTENT_BYTES,
	TransactionRecord,
} from "../../src/transactions/records";
import { State } from "../../src/transactions/states";
import { APPROVED, DECLINED, LogBench, newSale, snapshot } from "./log-bench";
import { pass, straddling } from "./straddling";

/** Moves the log on until `until`, with nothing that lives. */
function churn(bench: LogBench, until: () => boolean): void {
	for (let n = 0; n < 3_000 && !until(); n++) {
		if (n % 20 === 0) bench.log.journal.prepare(2_000);
		pass(bench);
	}
	assert.ok(until(), "the log moved on far enough");
}

function turn(bench: LogBench): void {
	const from = bench.medium.erases[0];
	churn(bench, () => bench.medium.erases[0] > from);
}

/** A spent transaction whose intent was copied behind its end, in an index of `capacity`; a doubt beside it. */
function copiedApart(ending: string, capacity: number): { bench: LogBench; id: number; state: number } {
	const { bench, id } = straddling(ending, capacity);
	const { index } = bench.log;
	churn(bench, () => index.intentLast[index.find(id)] === 1);
	return { bench, id, state: bench.state(id) };
}

describe("transactions: eviction from a full index", () => {
	for (const ending of ["decline", "unsent", "reversed"]) {
		it(`makes no doubt again of a spent transaction (${ending}) that has to make way for a new sale`, () => {
			const { bench, id, state } = copiedApart(ending, 2);
			let sold = 0;
			for (let turns = 0; turns < 12; turns++) {
				let moves = 0; // At another place of the ring each time.
				churn(bench, () => moves++ >= 50 * turns);
				if (bench.log.prepare()) {
					bench.log.apply(bench.begin(), "unsent");
					sold++;
				}
				turn(bench);
				bench.boot();
				if (bench.log.find(id) >= 0) assert.equal(bench.state(id), state, `turn ${turns}`);
			}
			assert.equal(bench.log.find(id), -1, "in the end nothing of it is left");
			assert.ok(sold > 0, "and sales went on");
		});

		it(`makes no doubt again of one (${ending}) that has to make way while the log is read`, () => {
			const { bench, id, state } = copiedApart(ending, 64);
			const small = new LogBench({ medium: bench.medium, capacity: 1 }).boot();
			assert.equal(small.state(id), state);
			assert.equal(small.log.doubts, 1, "the doubt beside it");
			for (let turns = 0; turns < 4; turns++) {
				turn(small);
				small.boot();
				if (small.log.find(id) >= 0) assert.equal(small.state(id), state, `turn ${turns}`);
			}
		});
	}

	it("keeps what was spent for a while and is open again, though it had made way while the log was read", () => {
		// Refused, then approved after all: between the two records stand more spent ones than the index holds.
		const bench = new LogBench({ blocks: 16, capacity: 64 }).provision();
		const again = bench.begin(4_321);
		bench.log.apply(again, "decline", { outcome: DECLINED });
		for (let n = 0; n < 40; n++) bench.log.apply(bench.begin(), "decline", { outcome: DECLINED });
		bench.log.apply(again, "approve", { outcome: APPROVED });
		const before = snapshot(bench.log, [again]);
		for (const capacity of [1, 2, 8, 39, 64]) {
			const small = new LogBench({ medium: bench.medium.clone(), capacity }).boot();
			assert.deepEqual(snapshot(small.log, [again]), before, `capacity ${capacity}`);
			assert.equal(small.log.nextLive(0), again);
			assert.equal(small.log.nextLive(again), 0);
		}
	});

	it("keeps a refused sale that the host approves after all, also when flash is reclaimed at that moment", () => {
		// Its records are dead until it is open again: the append that says so may be what makes room. A record of
		// the same length shows at which append that is.
		const prepared = () => {
			const bench = new LogBench().provision();
			const id = bench.begin(4_321);
			bench.log.apply(id, "decline", { outcome: DECLINED });
			bench.log.apply(bench.begin(), "unsent");
			return { bench, id };
		};
		const probe = prepared();
		const { intentAt } = probe.bench.log.index;
		const newestAt = intentAt[1];
		let appends = 0;
		for (; intentAt[1] === newestAt; appends++) pass(probe.bench);
		// The records of the newest one stand in the same block: it was reclaimed, and the other's were dropped.
		assert.throws(() => probe.bench.log.apply(probe.id, "approve"), CodedError);
		assert.equal(probe.bench.state(probe.id), State.declined, "too late: nothing was written");
		const { bench, id } = prepared();
		for (let n = 1; n < appends; n++) pass(bench);
		const position = bench.log.index.intentAt[0];
		bench.log.apply(id, "approve");
		assert.notEqual(bench.log.index.intentAt[0], position, "the append moved its records");
		const before = snapshot(bench.log, [id]);
		assert.equal(bench.state(id), State.reversing);
		assert.equal(bench.log.intent(id).amountMinor, 4_321);
		assert.deepEqual(snapshot(bench.boot().log, [id]), before);
	});

	it("mounts with more open transactions than a smaller configuration allows by a few, and sells none before they end", () => {
		const bench = new LogBench({ blocks: 16, capacity: 64 }).provision();
		const ids = [1, 2, 3, 4].map(() => bench.doubt());
		const small = new LogBench({ medium: bench.medium, capacity: 3 }).boot();
		assert.equal(small.log.doubts, 4);
		assert.equal(small.log.prepare(), false);
		for (const id of ids.slice(0, 2)) {
			small.log.apply(id, "reversalAccepted");
			small.log.apply(id, "reversalAccepted");
		}
		assert.equal(small.log.prepare(), true);
		small.begin();
	});

	it("keeps the newest while the log is read, though it is spent and the only one that could go: it has the STAN", () => {
		const bench = new LogBench({ blocks: 8 }).provision();
		const intent = new Uint8Array(INTENT_BYTES);
		const put = (id: number) => {
			const rest = { kind: 1, batch: 1, panFirst: "621234", panLast: "1232", panDigits: 16 };
			encodeIntent(intent, { ...newSale(), id, stan: id, ...rest });
			bench.log.journal.append(TransactionRecord.intent, intent);
		};
		// The newest first, as where the others were copied behind it.
		put(50);
		const bytes = new Uint8Array(32);
		encodeOutcome(bytes, 50, 1, State.declined, DECLINED);
		bench.log.journal.append(TransactionRecord.outcome, bytes);
		for (let id = 1; id <= 4; id++) put(id);
		const small = new LogBench({ medium: bench.medium, capacity: 2 }).boot();
		assert.equal(small.state(50), State.declined);
		for (let turns = 0; turns < 3; turns++) {
			turn(small);
			small.boot();
		}
		assert.equal(small.log.settledUpTo.batch, 0);
		const large = new LogBench({ medium: bench.medium }).boot();
		assert.equal(large.stan(large.begin()), 51);
	});

	it("reads on past records in any order, however small the index", () => {
		// Written by hand: the end stands before its intent, as copies may, with others between them.
		const bench = new LogBench({ blocks: 16 }).provision();
		const intent = new Uint8Array(INTENT_BYTES);
		const put = (id: number) => {
			const rest = { kind: 1, batch: 1, panFirst: "621234", panLast: "1232", panDigits: 16 };
			encodeIntent(intent, { ...newSale(), id, stan: id, ...rest });
			bench.log.journal.append(TransactionRecord.intent, intent);
		};
		const decline = (id: number) => {
			const bytes = new Uint8Array(32);
			encodeOutcome(bytes, id, 1, State.declined, DECLINED);
			bench.log.journal.append(TransactionRecord.outcome, bytes);
		};
		const reverse = (id: number) => {
			const bytes = new Uint8Array(11);
			encodeStep(bytes, id, 2, State.reversing, { reason: "06", tries: 0, flags: 0 });
			bench.log.journal.append(TransactionRecord.step, bytes);
		};
		decline(5);
		decline(6);
		for (let id = 10; id < 40; id++) {
			put(id);
			decline(id);
		}
		put(5);
		reverse(6);
		put(6);
		for (const capacity of [1, 4, 20, 64]) {
			const small = new LogBench({ medium: bench.medium.clone(), capacity }).boot();
			assert.equal(small.state(6), State.reversing, `capacity ${capacity}`);
			assert.deepEqual(small.log.outcome(6), DECLINED, `capacity ${capacity}`);
			if (small.log.find(5) >= 0) assert.equal(small.state(5), State.declined, `capacity ${capacity}`);
		}
	});
});
