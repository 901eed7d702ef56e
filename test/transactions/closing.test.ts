/**
 * A batch that closes while the shop goes on selling: from the durable "closing" on sales carry the next batch, all of the
 * old one stays until its settlement, and nothing of the new one is lost by that (I3, I4, I8).
 */
import { strict as assert } from "node:assert";
import { PowerLost } from "../../host-sim/board/power";
import { fromHex, toHex } from "../../src/core/bytes";
import { CodedError } from "../../src/core/errors";
import { batchAfter } from "../../src/transactions/counters";
import { CLOSING_BYTES, decodeClosing, encodeClosing, Flag, TransactionRecord } from "../../src/transactions/records";
import { State } from "../../src/transactions/states";
import { APPROVED, DECLINED, LogBench, snapshot } from "./log-bench";
import { pass } from "./straddling";

const NOW_MS = 1_700_000_123_456;

const failsWith = (code: string) => (error: unknown) => error instanceof CodedError && error.code === code;

function ids(bench: LogBench): number[] {
	return [...bench.log.index.ids.subarray(0, bench.log.index.count)];
}

/** A batch with what a settlement ends, and what it carries. @returns what it carries */
function sellBatch(bench: LogBench): number[] {
	const { log } = bench;
	bench.deliver(1);
	const reversing = bench.doubt(2);
	log.apply(bench.begin(3), "decline", { outcome: DECLINED });
	const unconfirmed = bench.doubt(4);
	log.apply(unconfirmed, "reversalAccepted");
	const advice = bench.offlineSale(5);
	bench.deliver(6);
	return [reversing, unconfirmed, advice];
}

describe("transactions: a batch that closes", () => {
	it("gets no more sales: they carry the next batch, and all of it stays as it is, over any number of boots", () => {
		const bench = new LogBench().provision(7);
		sellBatch(bench);
		const before = snapshot(bench.log);
		assert.equal(bench.log.closing, undefined);
		assert.equal(bench.log.batchSales, 5);
		assert.equal(bench.log.close(8, NOW_MS), undefined);
		const closing = bench.log.closing;
		assert.deepEqual(closing, { batch: 7, nextBatch: 8, id: 7, stan: 6, timeS: 1_700_000_123 });
		for (let boots = 0; boots < 3; boots++) {
			assert.deepEqual(bench.log.closing, closing);
			assert.equal(bench.log.batch, 8);
			assert.equal(bench.log.batchSales, 0);
			assert.equal(bench.log.settledUpTo.batch, 0);
			assert.deepEqual(snapshot(bench.log), before);
			bench.boot();
		}
		const next = bench.deliver();
		assert.equal(bench.log.intent(next).batch, 8);
		assert.equal(bench.log.batchSales, 1);
		assert.equal(bench.log.nextInBatch(8, 0), next);
		assert.equal(bench.log.nextInBatch(7, 0), 1);
		bench.boot();
		assert.deepEqual(bench.log.closing, closing);
		assert.equal(bench.log.batchSales, 1);
	});

	it("is settled up to its own last number; what was sold meanwhile stays, whatever state it is in", () => {
		const bench = new LogBench().provision(7);
		const carried = sellBatch(bench);
		assert.equal(bench.log.close(8, NOW_MS), undefined);
		const { log } = bench;
		const taken = bench.begin(20);
		log.apply(taken, "approve", { outcome: APPROVED });
		const goes = bench.begin(21);
		log.apply(goes, "decline", { outcome: DECLINED });
		const sold = bench.deliver(22);
		log.setFlags(sold, Flag.overdue);
		const doubt = bench.doubt(23);
		for (let n = 0; n < 4; n++) log.noteTry(doubt);
		const opened = bench.begin(24);
		log.apply(opened, "decline", { outcome: DECLINED });
		log.apply(opened, "approve", { outcome: APPROVED });
		const forwarded = bench.offlineSale(25);
		log.apply(forwarded, "approve", { outcome: APPROVED });
		const forwarding = bench.refund(8, 2, 26);
		const waiting = bench.begin(27);
		const kept = [...carried, taken, sold, doubt, opened, forwarded, forwarding, waiting];
		const before = snapshot(log, kept);
		assert.equal(log.release(), undefined);
		for (const when of ["at once", "after a boot", "after two"]) {
			assert.deepEqual(ids(bench), kept, when);
			assert.deepEqual(snapshot(bench.log), before, when);
			assert.equal(bench.log.closing, undefined, when);
			assert.equal(bench.log.batch, 8, when);
			assert.deepEqual(bench.log.settledUpTo, { batch: 7, id: 7, stan: 6 }, when);
			bench.boot();
		}
		assert.equal(bench.state(waiting), State.waiting, "its answer may still come");
		bench.log.apply(waiting, "approve", { outcome: APPROVED });
		assert.equal(bench.log.settle(9), "undelivered");
		bench.log.apply(waiting, "deliver");
		bench.log.apply(taken, "deliver");
		assert.equal(bench.log.settle(9), undefined);
		assert.deepEqual(ids(bench.boot()), [...carried, doubt, opened, forwarding]);
	});

	for (const ending of ["decline", "unsent", "reversed"]) {
		it(`leaves the newest sale of the next one (${ending}) in the index: that batch is not untouched`, () => {
			const bench = new LogBench().provision(7);
			bench.deliver();
			bench.log.close(8, NOW_MS);
			bench.log.apply(bench.begin(), "unsent");
			const newest = bench.begin();
			if (ending === "decline") bench.log.apply(newest, "decline", { outcome: DECLINED });
			else if (ending === "unsent") bench.log.apply(newest, "unsent");
			else {
				bench.log.apply(newest, "noAnswer");
				bench.log.apply(newest, "reversalAccepted");
				bench.log.apply(newest, "reversalAccepted");
			}
			const before = snapshot(bench.log, [newest]);
			assert.equal(bench.log.release(), undefined);
			for (let boots = 0; boots < 3; boots++) {
				assert.deepEqual(ids(bench), [newest]);
				assert.deepEqual(snapshot(bench.log), before);
				assert.equal(bench.log.adoptBatch(20), "refused");
				bench.boot();
			}
			assert.equal(bench.stan(bench.deliver()), 4);
		});
	}

	it("may have no sale at all, and the next one neither", () => {
		const bench = new LogBench().provision(7);
		for (let batch = 8; batch < 14; batch++) {
			assert.equal(bench.log.close(batch, NOW_MS), undefined);
			if (batch % 2 === 0) bench.boot();
			assert.equal(bench.log.closing?.batch, batch - 1);
			assert.equal(bench.log.release(), undefined);
			if (batch % 3 === 0) bench.boot();
			assert.equal(bench.log.settledUpTo.batch, batch - 1);
			assert.equal(bench.log.batch, batch);
		}
		assert.equal(bench.log.adoptBatch(30), "adopted");
		assert.equal(bench.stan(bench.deliver()), 1);
	});

	it("is followed by batch 1 after 999999", () => {
		assert.equal(batchAfter(999_998), 999_999);
		assert.equal(batchAfter(999_999), 1);
		const bench = new LogBench().provision(999_999);
		bench.deliver();
		assert.equal(bench.log.close(batchAfter(bench.log.batch), NOW_MS), undefined);
		const next = bench.boot().deliver();
		assert.equal(bench.log.intent(next).batch, 1);
		assert.equal(bench.log.release(), undefined);
		assert.deepEqual(ids(bench.boot()), [next]);
		assert.equal(bench.log.batch, 1);
		assert.equal(bench.log.settledUpTo.batch, 999_999);
	});

	it("does not begin to close while a sale waits or was not delivered, and then nothing is written", () => {
		const bench = new LogBench().provision();
		bench.deliver();
		const id = bench.begin();
		const operations = bench.flash.operations;
		assert.equal(bench.log.close(2, NOW_MS), "underWay");
		assert.equal(bench.flash.operations, operations);
		bench.log.apply(id, "approve", { outcome: APPROVED });
		assert.equal(bench.log.close(2, NOW_MS), "undelivered");
		assert.equal(bench.log.closing, undefined);
		bench.log.apply(id, "deliver");
		assert.equal(bench.log.close(2, NOW_MS), undefined);
	});

	it("is the only one: no other begins to close, is settled or taken from the host meanwhile", () => {
		const bench = new LogBench().provision(7);
		bench.log.close(8, NOW_MS);
		for (let boots = 0; boots < 2; boots++) {
			const operations = bench.flash.operations;
			assert.equal(bench.log.close(9, NOW_MS), "closing");
			assert.equal(bench.log.settle(9), "closing");
			assert.equal(bench.log.adoptBatch(7), "refused");
			assert.equal(bench.log.adoptBatch(9), "refused");
			assert.equal(bench.log.adoptBatch(8), "same");
			assert.equal(bench.flash.operations, operations);
			assert.deepEqual([bench.log.closing?.batch, bench.log.batch], [7, 8]);
			bench.boot();
		}
		assert.equal(bench.log.release(), undefined);
		assert.throws(() => bench.log.release(), failsWith("state"));
		assert.equal(bench.log.adoptBatch(9), "adopted");
	});

	for (const batch of [0, -1, 1_000_000, 1.5, Number.NaN, 5]) {
		it(`is not followed by ${batch} after 5`, () => {
			const bench = new LogBench().provision(5);
			const operations = bench.flash.operations;
			assert.throws(() => bench.log.close(batch, NOW_MS), failsWith("range"));
			assert.equal(bench.flash.operations, operations);
		});
	}

	it("is none while the host has given no batch", () => {
		const bench = new LogBench();
		bench.log.provision(1, 0);
		bench.boot();
		assert.throws(() => bench.log.close(2, NOW_MS), failsWith("state"));
		assert.throws(() => bench.log.release(), failsWith("state"));
	});

	it("closes at any time a clock may show", () => {
		for (const [nowMs, timeS] of [
			[-1, 0],
			[4_294_967_295_999, 0xffff_ffff],
			[1e15, 0xffff_ffff],
		]) {
			const bench = new LogBench().provision(5);
			assert.equal(bench.log.close(6, nowMs), undefined);
			assert.equal(bench.boot().log.closing?.timeS, timeS);
		}
	});

	it("waits for an approval that a boot found without its end, as flash had lost that", () => {
		const bench = new LogBench().provision(7);
		const id = bench.deliver();
		bench.log.close(8, NOW_MS);
		// The step "delivered" is damaged at rest.
		const { stepAt } = bench.log.index;
		bench.medium.image.fill(0, stepAt[0], stepAt[0] + 8);
		bench.boot();
		assert.equal(bench.state(id), State.approved);
		assert.equal(bench.log.closing?.batch, 7);
		assert.equal(bench.log.release(), "undelivered");
		const next = bench.begin();
		bench.log.apply(id, "deliver");
		assert.equal(bench.log.release(), undefined);
		assert.deepEqual(ids(bench), [next]);
	});

	it("carries a sale of its own that is open again, though it was spent when it closed", () => {
		const bench = new LogBench().provision(7);
		const id = bench.begin(4_321);
		bench.log.apply(id, "decline", { outcome: DECLINED });
		bench.log.close(8, NOW_MS);
		bench.log.apply(id, "approve", { outcome: APPROVED });
		const before = snapshot(bench.log, [id]);
		assert.equal(bench.log.release(), undefined);
		assert.deepEqual(snapshot(bench.log), before);
		assert.deepEqual(snapshot(bench.boot().log), before);
	});

	it("stays known while the ring turns over many times, and costs a boot nothing", () => {
		const bench = new LogBench({ blocks: 8 }).provision(7);
		sellBatch(bench);
		bench.log.close(8, NOW_MS);
		const closing = bench.log.closing;
		for (let turns = 0; turns < 12; turns++) {
			for (let n = 0; n < 700; n++) {
				if (n % 50 === 0) assert.ok(bench.log.prepare());
				pass(bench);
			}
			assert.deepEqual(bench.boot().log.closing, closing, `turn ${turns}`);
			assert.equal(bench.log.batch, 8);
		}
		assert.ok(bench.medium.erases[0] > 5);
		const programs = bench.medium.image.slice();
		for (let boots = 0; boots < 10_000; boots++) bench.boot();
		assert.deepEqual(bench.medium.image, programs, "mounting writes nothing");
		assert.deepEqual(bench.log.closing, closing);
	}).timeout(60_000);

	it("closes and settles the same few blocks over and over, with sales between, and uses no number twice (I4)", () => {
		const bench = new LogBench({ blocks: 10 }).provision();
		const seen = new Set<string>();
		const stans: number[] = [];
		const note = (id: number) => {
			assert.ok(!seen.has(`id ${id}`));
			seen.add(`id ${id}`);
			stans.push(bench.stan(id));
		};
		for (let batch = 2; batch < 120; batch++) {
			for (let n = 0; n < batch % 9; n++) {
				assert.ok(bench.log.prepare());
				note(bench.deliver());
			}
			assert.equal(bench.log.close(batch, NOW_MS), undefined);
			if (batch % 4 === 0) bench.boot();
			for (let n = 0; n < batch % 5; n++) {
				assert.ok(bench.log.prepare());
				note(n % 2 === 0 ? bench.deliver() : bench.doubt());
			}
			if (batch % 7 === 0) bench.boot();
			assert.equal(bench.log.release(), undefined);
			if (batch % 3 === 0) bench.boot();
			for (let slot = 0; slot < bench.log.index.count; slot++) {
				const id = bench.log.index.ids[slot];
				if (bench.state(id) !== State.reversing) continue;
				bench.log.apply(id, "reversalAccepted");
				bench.log.apply(id, "reversalAccepted");
			}
			stans.push(bench.log.takeStan());
		}
		assert.equal(new Set(stans).size, stans.length);
		assert.equal(new Set(bench.seal.nonces).size, bench.seal.nonces.length);
		assert.ok(bench.log.journal.freeBlocks >= 6, `${bench.log.journal.freeBlocks} blocks free`);
	});

	it("has numbers that ascend though its record was torn, and nothing was begun between", () => {
		const bench = new LogBench().provision(7);
		bench.deliver();
		bench.flash.cutAt(bench.flash.operations + 1, 14, 5);
		assert.throws(() => bench.log.close(8, NOW_MS), PowerLost);
		bench.bootPinned();
		const torn = bench.log.closing;
		if (torn === undefined) assert.equal(bench.log.close(8, NOW_MS), undefined);
		const { id } = bench.log.closing ?? { id: 0 };
		assert.ok(id > 1);
		bench.log.release();
		bench.log.close(9, NOW_MS);
		assert.ok((bench.boot().log.closing?.id ?? 0) > id);
	});

	it("gives no id again under which a card was sealed meanwhile, though that intent was torn (I4)", () => {
		const bench = new LogBench().provision(7);
		bench.deliver();
		bench.log.close(8, NOW_MS);
		bench.flash.cutAt(bench.flash.operations + 1, 20);
		assert.throws(() => bench.begin(), PowerLost);
		bench.bootPinned();
		assert.equal(bench.log.index.count, 1, "it never was");
		assert.equal(bench.log.release(), undefined);
		bench.boot();
		bench.deliver();
		assert.equal(bench.seal.nonces.length, 3);
		assert.equal(new Set(bench.seal.nonces).size, 3);
	});

	it("makes no doubt of a spent sale when its settlement comes to nothing half-way", () => {
		for (const kind of [TransactionRecord.outcome, TransactionRecord.step]) {
			const bench = new LogBench({ blocks: 8 }).provision(7);
			bench.doubt();
			bench.log.close(8, NOW_MS);
			const id = bench.begin();
			bench.log.apply(id, "noAnswer");
			bench.log.apply(id, "reversalAccepted");
			bench.log.apply(id, "reversalAccepted");
			for (let n = 0; n < 260; n++) pass(bench); // A block between.
			const { journal } = bench.log;
			const { append } = journal;
			// Full at the end of what is carried last: its intent stands behind its own end by then.
			journal.append = function (type, bytes, byteLength) {
				if (type === kind && bytes[3] === id) throw new CodedError("full", "journal");
				return append.call(this, type, bytes, byteLength);
			};
			assert.equal(bench.log.release(), kind === TransactionRecord.step ? "full" : undefined);
			journal.append = append;
			bench.deliver();
			for (let n = 0; n < 1_500; n++) {
				if (n % 20 === 0) bench.log.journal.prepare(2_000);
				pass(bench);
				if (n % 10 !== 0) continue;
				const read = new LogBench({ medium: bench.medium.clone() }).boot();
				if (read.log.find(id) >= 0) assert.equal(read.state(id), State.reversed, `${n} records later`);
			}
		}
	});

	for (const order of ["as written", "the newest first", "twice"]) {
		it(`is told by its own record, whatever other ones lie beside it (${order})`, () => {
			const records = [
				{ batch: 5, nextBatch: 6, id: 70, stan: 3, timeS: 1 },
				{ batch: 6, nextBatch: 7, id: 80, stan: 4, timeS: 2 },
				{ batch: 7, nextBatch: 8, id: 90, stan: 5, timeS: 3 },
			];
			const written =
				order === "as written" ? records : order === "twice" ? [...records, ...records] : [...records].reverse();
			const bench = new LogBench().provision(7);
			const bytes = new Uint8Array(CLOSING_BYTES);
			for (const record of written) {
				encodeClosing(bytes, record);
				bench.log.journal.append(TransactionRecord.closing, bytes);
			}
			assert.deepEqual(bench.boot().log.closing, records[2]);
			assert.equal(bench.log.batch, 8);
			// Of a batch that is not open it says nothing.
			const other = new LogBench().provision(8);
			for (const record of written) {
				encodeClosing(bytes, record);
				other.log.journal.append(TransactionRecord.closing, bytes);
			}
			assert.equal(other.boot().log.closing, undefined);
			assert.equal(other.log.batch, 8);
		});
	}

	it("has a record of 17 bytes, and no other length is one", () => {
		const bytes = new Uint8Array(CLOSING_BYTES);
		const closing = { batch: 999_999, nextBatch: 1, id: 0xfffe_fdfc, stan: 123_456, timeS: 0x8000_0001 };
		encodeClosing(bytes, closing);
		assert.equal(toHex(bytes), "0F423F".concat("000001", "FFFEFDFC", "01E240", "80000001"));
		assert.deepEqual(decodeClosing(bytes, 0, CLOSING_BYTES), closing);
		for (const byteLength of [0, 16, 18]) {
			assert.throws(() => decodeClosing(new Uint8Array(20), 0, byteLength), failsWith("length"));
		}
	});

	for (const [version, mark] of [
		[1, "01000003000000000000".concat("00")],
		[2, "02000003000000000000".concat("0000000000", "000002")],
		[3, "03000003000000000000".concat("0000000000", "000002", "000000")],
	] as const) {
		it(`closes a batch of a journal whose mark is of version ${version}`, () => {
			const bench = new LogBench();
			bench.log.journal.provision(1, fromHex(mark));
			bench.boot();
			bench.deliver();
			const doubt = bench.doubt();
			assert.equal(bench.log.close(4, NOW_MS), undefined);
			const next = bench.boot().deliver();
			assert.equal(bench.log.release(), undefined);
			assert.deepEqual(ids(bench.boot()), [doubt, next]);
			assert.equal(bench.log.settledUpTo.batch, 3);
			assert.equal(bench.log.batch, 4);
		});
	}
});

describe("transactions: room while a batch closes", () => {
	for (const writeAlign of [1, 16, 32]) {
		it(`is asked for all that its settlement carries: it can always be settled, alignment ${writeAlign}`, () => {
			for (const blocks of [7, 8, 12, 20]) {
				for (const before of [0, 1, 2, 11, 1_000]) {
					for (const kind of ["delivered", "doubt", "offline", "forwarded", "mixed"]) {
						const bench = new LogBench({ blocks, writeAlign, capacity: 1_024 }).provision();
						const { log } = bench;
						const name = `${blocks} blocks, ${before} before, ${kind}`;
						for (let n = 0; n < before && log.prepare(); n++) bench.deliver();
						assert.equal(log.close(2, NOW_MS), undefined, name);
						const doubts: number[] = [];
						const sell = (n: number) => {
							const what = kind === "mixed" ? ["delivered", "doubt", "offline", "forwarded"][n % 4] : kind;
							if (what === "delivered") bench.deliver();
							else if (what === "doubt") doubts.push(bench.doubt());
							else {
								const id = bench.offlineSale(1, new Uint8Array(255).fill(1));
								if (what === "forwarded") log.apply(id, "approve", { outcome: APPROVED });
							}
						};
						let sold = 0;
						while (log.prepare()) sell(sold++);
						if (before === 0) assert.ok(sold > 0, name);
						for (let n = 0; n < 257; n++) for (const id of doubts) log.noteTry(id);
						for (const id of doubts) log.setFlags(id, Flag.reversalRefused);
						const kept = ids(bench).slice(-sold || undefined);
						for (let boots = 0; boots < before % 3; boots++) bench.bootPinned();
						assert.equal(bench.log.release(), undefined, name);
						if (sold > 0) assert.deepEqual(ids(bench.boot()), kept, name);
						if (kind === "delivered" || before === 1_000) {
							assert.equal(bench.log.settle(3), undefined);
							assert.equal(bench.log.prepare(), true, name);
						}
					}
				}
			}
		}).timeout(60_000);
	}

	it("says full, and changes nothing, when the journal takes no more", () => {
		const bench = new LogBench({ blocks: 6, capacity: 1_024 }).provision();
		const { journal } = bench.log;
		bench.deliver();
		// Somebody else's records, which live: the room that was asked for is gone.
		const { isLive } = bench.log;
		bench.log.isLive = function (type, ...rest) {
			return type === 60 || isLive.call(this, type, ...rest);
		};
		assert.throws(() => {
			for (;;) journal.append(60, new Uint8Array(400));
		}, failsWith("full"));
		assert.throws(() => {
			for (;;) journal.append(60, new Uint8Array(1));
		}, failsWith("full"));
		const before = snapshot(bench.log);
		assert.equal(bench.log.close(2, NOW_MS), "full");
		assert.equal(bench.log.closing, undefined);
		assert.equal(bench.log.batch, 1);
		assert.deepEqual(snapshot(bench.log), before);
		assert.equal(bench.boot().log.closing, undefined);
	});
});
