/**
 * Stores of other folders on the same journal: their records live as long as they say, over reclaims, boots, settlements
 * and batches that the host gives, cut anywhere; and the log reads them once (I7).
 */
import { strict as assert } from "node:assert";
import { CUT_AFTER, CUT_BEFORE, TEAR_SHAPES } from "../../host-sim/board/flash-cut";
import { PowerLost } from "../../host-sim/board/power";
import { AssertionError } from "../../src/core/assert";
import { readU16, readU32, writeU16, writeU32 } from "../../src/core/bytes";
import { type AppendRecord, coarseBytes, type RecordKeeper } from "../../src/transactions/record-keeper";
import type { TransactionLog } from "../../src/transactions/transaction-log";
import { DECLINED, LogBench } from "./log-bench";
import { pass } from "./straddling";

const BYTES = 24;

/** Values by key, each write a new version; the greatest counts. */
class Shelf implements RecordKeeper {
	readonly types: readonly number[];
	roomBytes = 0;
	resets = 0;
	mounts = 0;
	visits = 0;
	carries = 0;
	readonly at = new Map<number, { version: number; value: number; position: number }>();
	readonly #log: TransactionLog;
	readonly #record = new Uint8Array(BYTES);

	constructor(log: TransactionLog, type: number) {
		this.#log = log;
		this.types = [type];
	}

	put(key: number, value: number): void {
		const version = (this.at.get(key)?.version ?? 0) + 1;
		this.#record.fill(0);
		writeU16(this.#record, 0, key);
		writeU16(this.#record, 2, version);
		writeU32(this.#record, 4, value);
		const position = this.#log.journal.append(this.types[0], this.#record);
		this.at.set(key, { version, value, position });
	}

	/** From flash, not from memory. */
	values(): Record<number, number> {
		const values: Record<number, number> = {};
		for (const [key, { position, value }] of this.at) {
			assert.equal(this.#log.journal.read(position, this.#record), BYTES);
			assert.deepEqual([readU16(this.#record, 0), readU32(this.#record, 4)], [key, value]);
			values[key] = value;
		}
		return values;
	}

	reset(): void {
		this.resets++;
		this.visits = 0;
		this.at.clear();
	}

	visit(type: number, position: number, bytes: Uint8Array, start: number, byteLength: number): void {
		assert.equal(type, this.types[0]);
		assert.equal(byteLength, BYTES);
		this.visits++;
		const key = readU16(bytes, start);
		const version = readU16(bytes, start + 2);
		if (version < (this.at.get(key)?.version ?? 0)) return;
		this.at.set(key, { version, value: readU32(bytes, start + 4), position });
	}

	mounted(): void {
		assert.ok(this.#log.markSeen && this.#log.batch > 0, "the log knows its batch by now");
		this.mounts++;
	}

	isLive(type: number, position: number, bytes: Uint8Array, start: number): boolean {
		assert.equal(type, this.types[0]);
		return this.at.get(readU16(bytes, start))?.position === position;
	}

	moved(from: number, to: number): boolean {
		for (const entry of this.at.values()) {
			if (entry.position !== from) continue;
			entry.position = to;
			return true;
		}
		return false;
	}

	carry(append: AppendRecord): void {
		this.carries++;
		for (const entry of this.at.values()) {
			const byteLength = this.#log.journal.read(entry.position, this.#record);
			entry.position = append(this.types[0], this.#record, byteLength);
		}
	}
}

class ShelfBench extends LogBench {
	readonly #shelves: Shelf[];

	constructor(options: { blocks?: number; writeAlign?: number; capacity?: number } = {}) {
		const shelves: Shelf[] = [];
		super({
			...options,
			onLog: (log) => {
				shelves.splice(0, 2, new Shelf(log, 14), new Shelf(log, 15));
				for (const shelf of shelves) log.addKeeper(shelf);
			},
		});
		this.#shelves = shelves;
	}

	/** Of this boot. */
	get watches(): Shelf {
		return this.#shelves[0];
	}

	get cases(): Shelf {
		return this.#shelves[1];
	}

	/** What stands on both shelves. */
	get values(): unknown {
		return [this.watches.values(), this.cases.values()];
	}
}

function filled(bench: ShelfBench): ShelfBench {
	for (let key = 1; key <= 6; key++) {
		bench.watches.put(key, 100 + key);
		bench.cases.put(key, 200 + key);
		bench.deliver();
	}
	for (let n = 0; n < 5; n++) bench.cases.put(3, 900 + n);
	return bench;
}

const VALUES = [
	{ 1: 101, 2: 102, 3: 103, 4: 104, 5: 105, 6: 106 },
	{ 1: 201, 2: 202, 3: 904, 4: 204, 5: 205, 6: 206 },
];

describe("transactions: records of other keepers", () => {
	it("are read at each mount, once, and are nobody's unknown records", () => {
		const bench = filled(new ShelfBench().provision(7));
		for (let boots = 0; boots < 3; boots++) {
			bench.boot();
			assert.deepEqual(bench.values, VALUES);
			assert.equal(bench.log.unknownRecords, 0);
			assert.deepEqual([bench.watches.resets, bench.watches.mounts], [1, 1]);
			assert.deepEqual([bench.cases.visits, bench.watches.visits], [11, 6]);
		}
		const without = new LogBench({ medium: bench.medium }).boot();
		assert.equal(without.log.unknownRecords, 17);
		assert.equal(without.log.index.count, 6);
	});

	it("are not read a second time where the transactions are", () => {
		// Refused, then approved after all: between the two records stand more spent ones than the index holds.
		const bench = new ShelfBench({ blocks: 16, capacity: 8 }).provision();
		const large = new LogBench({ medium: bench.medium, capacity: 64 });
		large.boot();
		const again = large.begin(4_321);
		large.log.apply(again, "decline", { outcome: DECLINED });
		for (let n = 0; n < 40; n++) large.log.apply(large.begin(), "decline", { outcome: DECLINED });
		large.log.apply(again, "approve");
		bench.boot();
		let readings = 0;
		const { forEach } = bench.log.journal;
		filled(bench);
		bench.boot();
		bench.log.journal.forEach = function (visit) {
			readings++;
			forEach.call(this, visit);
		};
		bench.log.mount();
		assert.equal(readings, 1, "the log was read again");
		assert.deepEqual([bench.cases.visits, bench.cases.mounts], [11, 2]);
		assert.deepEqual(bench.values, VALUES);
		assert.ok(bench.log.find(again) >= 0);
	});

	it("stay over many turns of the ring, and follow what a boot moves", () => {
		const bench = filled(new ShelfBench({ blocks: 6 }).provision());
		bench.log.settle(2);
		for (let n = 0; n < 4_000; n++) {
			if (n % 20 === 0) assert.ok(bench.log.prepare());
			pass(bench);
			if (n % 333 === 0) {
				bench.cases.put(9, n);
				bench.boot().log.journal.pin();
				assert.equal(bench.cases.values()[9], n);
				bench.boot();
				assert.equal(bench.cases.values()[9], n);
			}
		}
		assert.ok(bench.medium.erases[0] > 3);
		assert.deepEqual(bench.watches.values(), VALUES[0]);
	});

	it("are carried over settlements, and over a batch that the host gives", () => {
		const bench = filled(new ShelfBench({ blocks: 8 }).provision(7));
		assert.equal(bench.log.settle(8), undefined);
		assert.deepEqual([bench.watches.carries, bench.cases.carries], [1, 1]);
		assert.deepEqual(bench.values, VALUES);
		assert.equal(bench.log.adoptBatch(20), "adopted");
		assert.equal(bench.cases.carries, 2);
		assert.deepEqual(bench.values, VALUES);
		bench.boot();
		assert.deepEqual(bench.values, VALUES);
		for (let batch = 21; batch < 80; batch++) {
			bench.deliver();
			assert.equal(bench.log.close(batch, 0), undefined);
			assert.equal(bench.log.release(), undefined);
		}
		assert.deepEqual(bench.values, VALUES);
		bench.boot();
		assert.deepEqual(bench.values, VALUES);
		assert.ok(bench.log.journal.freeBlocks >= 5);
	});

	for (const writeAlign of [1, 16]) {
		it(`are whole after a settlement that was cut anywhere, alignment ${writeAlign}`, () => {
			const make = () => filled(new ShelfBench({ blocks: 8, writeAlign }).provision(7));
			const whole = make();
			const from = whole.flash.operations;
			assert.equal(whole.log.settle(8), undefined);
			const operations = whole.flash.operations - from;
			assert.ok(operations > 12);
			const seen = { 7: 0, 8: 0 };
			for (let n = 1; n <= operations; n++) {
				const places: [number, number][] = [
					[CUT_BEFORE, 0],
					[CUT_AFTER, 0],
				];
				for (const shape of [0, 5, 9, 13, TEAR_SHAPES - 1]) places.push([5 + 7 * shape + n, shape]);
				for (const [byte, shape] of places) {
					const bench = make();
					bench.flash.cutAt(bench.flash.operations + n, byte, shape);
					assert.throws(() => bench.log.settle(8), PowerLost);
					bench.bootPinned();
					seen[bench.log.batch as 7 | 8]++;
					assert.deepEqual(bench.values, VALUES);
					bench.boot();
					assert.deepEqual(bench.values, VALUES);
					if (bench.log.batch === 7) assert.equal(bench.log.settle(8), undefined);
					bench.boot();
					assert.deepEqual(bench.values, VALUES);
				}
			}
			assert.ok(seen[7] > operations && seen[8] > 0, JSON.stringify(seen));
		});
	}

	it("have their room asked for before each sale", () => {
		const bench = new ShelfBench({ blocks: 8 }).provision();
		assert.equal(bench.log.prepare(), true);
		bench.cases.roomBytes = 8 * 4_096;
		assert.equal(bench.log.prepare(), false);
		bench.cases.roomBytes = 3_000;
		bench.watches.roomBytes = 3_000;
		let withRoom = 0;
		for (; bench.log.prepare(); withRoom++) bench.deliver();
		bench.cases.roomBytes = 0;
		bench.watches.roomBytes = 0;
		let without = withRoom;
		for (; bench.log.prepare(); without++) bench.deliver();
		assert.ok(without > withRoom + 20, `${withRoom} sales, and ${without}`);
	});

	it("take as much of flash as is said, at the coarsest alignment", () => {
		assert.deepEqual([1, 26, 27, 58, 59, 448].map(coarseBytes), [32, 32, 64, 64, 96, 480]);
	});

	it("are of types that nobody else has", () => {
		const bench = new LogBench();
		for (const type of [3, 8, 13, 63]) {
			assert.throws(() => bench.log.addKeeper(new Shelf(bench.log, type)), AssertionError, `${type}`);
		}
		bench.log.addKeeper(new Shelf(bench.log, 14));
		assert.throws(() => bench.log.addKeeper(new Shelf(bench.log, 14)), AssertionError);
	});
});
