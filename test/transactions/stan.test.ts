/**
 * I4: a trace number is used once, whoever takes it: sale, advice, or a message that no record carries. Method: a thousand
 * boots over the same flash, most of them cut at a random operation, with all that takes or moves numbers mixed; every
 * number that was handed out is written down outside the log.
 */
import { strict as assert } from "node:assert";
import { drawCutByte } from "../../host-sim/board/flash-cut";
import { PowerLost } from "../../host-sim/board/power";
import { SeededRandom } from "../../host-sim/board/seeded-random";
import { fromHex } from "../../src/core/bytes";
import { CodedError } from "../../src/core/errors";
import { Counters } from "../../src/transactions/counters";
import { encodeMark, TransactionRecord } from "../../src/transactions/records";
import { State } from "../../src/transactions/states";
import { NOWHERE } from "../../src/transactions/transaction-index";
import { APPROVED, DECLINED, LogBench } from "./log-bench";

const range = (from: number, count: number): number[] => Array.from({ length: count }, (_, n) => from + n);

/** Boots, takes numbers in every way, and is cut, again and again. @returns every STAN in the order of taking */
function life(seed: number, boots: number): { stans: number[]; struck: number; bench: LogBench; adopted: number } {
	const random = new SeededRandom(seed);
	const bench = new LogBench({ seed, blocks: 12 }).provision(0);
	const stans: number[] = [];
	let struck = 0;
	let adopted = 0;
	for (let n = 0; n < boots; n++) {
		const cuts = random.chance(7, 8);
		if (cuts) bench.flash.cutAt(1 + random.below(40), drawCutByte(random), random.u32());
		try {
			bench.log.journal.pin();
			for (let steps = random.below(30); steps > 0; steps--) step();
		} catch (error) {
			const read = error instanceof CodedError && error.code === "damaged";
			if (!(error instanceof PowerLost) && !read) throw error;
			if (!read) struck++;
		}
		if (bench.power.on) bench.power.cut();
		bench.boot();
		assert.ok(bench.log.markSeen);
	}
	return { stans, struck, bench, adopted };

	function step(): void {
		const { log } = bench;
		const what = random.below(20);
		if (what < 8 || log.batch === 0) stans.push(log.takeStan());
		if (what < 3 || log.batch === 0) {
			const before = log.batch;
			const result = log.adoptBatch(log.settledUpTo.batch + 1 + random.below(20));
			if (result === "adopted") adopted++;
			assert.ok(before !== 0 || result === "adopted");
			assert.equal(log.batch === before, result !== "adopted");
		} else if (what < 5) {
			end();
			assert.equal(log.settle(log.batch + 1 + random.below(20)), undefined);
		} else {
			if (log.index.count > 6) end();
			assert.ok(log.prepare());
			stans.push(bench.stan(what < 15 ? bench.begin() : bench.refund(2_500, 1 + random.below(9))));
		}
	}

	/** Whatever waits is over. */
	function end(): void {
		const { log } = bench;
		for (const id of [...log.index.ids.subarray(0, log.index.count)]) {
			const state = bench.state(id);
			if (state === State.waiting) log.apply(id, "decline", { outcome: DECLINED });
			else if (state === State.forwarding && random.chance(3, 4)) log.apply(id, "approve", { outcome: APPROVED });
		}
	}
}

describe("transactions: trace numbers (I4)", () => {
	it("come once in a thousand boots that were cut anywhere, whoever takes them", function () {
		this.timeout(60_000);
		for (let seed = 1; seed <= 4; seed++) {
			const { stans, struck, bench, adopted } = life(seed, 250);
			assert.ok(stans.length > 500 && struck > 100 && adopted > 5, `${stans.length}, ${struck}, ${adopted}`);
			assert.equal(new Set(stans).size, stans.length, `seed ${seed}`);
			assert.deepEqual(
				[...stans].sort((a, b) => a - b),
				stans,
				`seed ${seed}: each above all before it`,
			);
			const { nonces } = bench.seal;
			assert.equal(new Set(nonces).size, nonces.length, `seed ${seed}: nonces`);
			assert.ok((stans.at(-1) as number) < 64 * 250 + stans.length, "and not wasted");
		}
	});

	it("run on without a gap while the terminal runs, sales and other messages in turn", () => {
		const bench = new LogBench().provision();
		const taken: number[] = [];
		for (let n = 0; n < 200; n++) {
			taken.push(n % 3 === 0 ? bench.stan(bench.deliver()) : bench.log.takeStan());
			if (n % 20 === 0) assert.equal(bench.log.settle(n + 2), undefined);
		}
		assert.deepEqual(taken, range(1, 200));
	});

	it("cost one small record for 64 of them", () => {
		const bench = new LogBench().provision();
		bench.log.journal.pin();
		let appends = 0;
		const append = bench.log.journal.append.bind(bench.log.journal);
		bench.log.journal.append = (type, payload, byteLength) => {
			assert.equal(type, TransactionRecord.reserved);
			assert.equal(byteLength, 7);
			appends++;
			return append(type, payload, byteLength);
		};
		assert.deepEqual(
			range(1, 640).map(() => bench.log.takeStan()),
			range(1, 640),
		);
		assert.equal(appends, 10);
	});

	it("go on above the chunk after a boot, and above a sale beyond it", () => {
		const bench = new LogBench().provision();
		assert.equal(bench.log.takeStan(), 1);
		assert.equal(bench.boot().log.takeStan(), 65);
		assert.equal(bench.stan(bench.deliver()), 66);
		assert.equal(bench.stan(bench.boot().deliver()), 129);
		for (let n = 0; n < 100; n++) bench.log.apply(bench.begin(), "decline", { outcome: DECLINED });
		assert.equal(bench.stan(bench.begin()), 230);
		assert.equal(bench.stan(bench.boot().begin()), 231, "sales alone leave no gap");
		bench.boot();
		assert.equal(bench.log.takeStan(), 232);
	});

	it("are carried by the mark of a settlement and of a batch, used or only reserved", () => {
		const bench = new LogBench().provision(0);
		assert.equal(bench.log.takeStan(), 1);
		assert.equal(bench.log.adoptBatch(7), "adopted");
		assert.equal(bench.log.takeStan(), 2);
		assert.equal(bench.boot().log.takeStan(), 65);
		assert.equal(bench.log.settle(8), undefined);
		assert.equal(bench.log.takeStan(), 66, "the chunk goes on");
		assert.equal(bench.boot().boot().stan(bench.deliver()), 129);
		assert.equal(bench.log.settle(9), undefined);
		assert.equal(bench.boot().log.takeStan(), 130);
	});

	it("wrap at 999999 with a chunk over the end, and pass over what is live", () => {
		const bench = new LogBench();
		const counters = { idMax: 500, idReserved: 512, settledBatch: 0 };
		const mark = { batch: 1, stanMax: 999_990, stanReserved: 999_995, ...counters };
		bench.log.journal.provision(1, encodeMark(mark));
		bench.boot();
		assert.equal(bench.log.takeStan(), 999_996);
		assert.equal(bench.stan(bench.doubt()), 999_997);
		assert.equal(bench.log.takeStan(), 999_998);
		assert.equal(bench.log.takeStan(), 999_999);
		const low = bench.doubt();
		assert.equal(bench.stan(low), 1);
		assert.equal(bench.log.takeStan(), 2);
		bench.boot();
		assert.equal(bench.log.takeStan(), 61, "above the chunk that began at 999996");
		// Once round: what is live is passed over, also by a chunk.
		const full = new LogBench({ medium: bench.medium }).boot();
		for (let n = 0; n < 16_000; n++) {
			const stan = full.log.takeStan();
			assert.ok(stan !== 1 && stan !== 999_997, `${stan} is live`);
			if (n % 100 === 0) full.boot();
		}
	});

	it("stay above a chunk though nothing was sold in half a million of them", () => {
		// The newest intent lies so far behind that the shorter way round would be the wrong one.
		const bench = new LogBench();
		const counters = { idMax: 9, idReserved: 700_000, settledBatch: 0 };
		bench.log.journal.provision(1, encodeMark({ batch: 1, stanMax: 10, stanReserved: 700_000, ...counters }));
		bench.boot();
		assert.equal(bench.stan(bench.deliver()), 700_001);
		assert.equal(bench.boot().stan(bench.deliver()), 700_002);
	});

	it("go on above what earlier firmware had used: marks and reservations without a STAN", () => {
		for (const mark of ["0100000300000007000009", "020000030000000700000900000040000002"]) {
			const bench = new LogBench();
			bench.log.journal.provision(1, fromHex(mark));
			bench.boot();
			bench.log.journal.append(TransactionRecord.reserved, fromHex("00000080"));
			bench.boot();
			assert.equal(bench.log.batch, 3);
			assert.equal(bench.log.takeStan(), 10);
			assert.equal(bench.log.intent(bench.deliver()).id, 129);
			assert.equal(bench.boot().log.takeStan(), 74);
		}
	});

	it("are not taken back by a reservation that the mark has taken over, in whatever order the log is read", () => {
		const counters = new Counters();
		const mark = { batch: 2, idMax: 50, stanMax: 50, idReserved: 64, settledBatch: 1, stanReserved: 130 };
		counters.readReserved(64, 66, 4_200);
		counters.readMark(mark);
		counters.readReserved(64, 66, 4_200); // A second reading goes through everything but the marks.
		counters.afterMount();
		assert.equal(counters.stanReserved, 130);
		assert.equal(counters.reservedAt, NOWHERE);
	});

	it("say full when the journal has no room to reserve them, and nothing is used by that", () => {
		const bench = new LogBench({ blocks: 6, capacity: 512 }).provision();
		const first = bench.log.takeStan();
		let live = 0;
		const fill = () => {
			try {
				for (; live < 500; live++) bench.deliver();
			} catch (error) {
				assert.ok(error instanceof CodedError && error.code === "full");
			}
		};
		fill();
		assert.ok(live > 50 && live < 500, `${live} sales fill it`);
		let last = 0;
		const taken = () => {
			for (let n = 0; n < 200; n++) last = bench.log.takeStan();
		};
		assert.throws(taken, (error) => error instanceof CodedError && error.code === "full");
		assert.ok(last === 0 || last > first);
		const operations = bench.flash.operations;
		assert.throws(() => bench.log.takeStan(), /full/);
		assert.equal(bench.flash.operations, operations);
		assert.equal(bench.log.settle(2), undefined);
		const next = bench.log.takeStan();
		assert.equal(next, Math.max(last, bench.log.settledUpTo.stan) + 1);
	});
});
