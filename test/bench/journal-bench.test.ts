/**
 * Goal: the figures that `npm run bench -- journal` prints are what happened on the flash.
 * Method: the same workload in small, its figures beside the simulator's counters, beside a count of the calls made by
 * the test, and beside what the bytes of the format add up to.
 */
import * as assert from "node:assert/strict";
import type { FlashMedium } from "../../host-sim/board/flash-medium";
import { Journal } from "../../src/journal/journal";
import { budgetLines, isHeld, mountReadBytesMax } from "./budgets";
import { benchCuts, type CutFigures } from "./cut-bench";
import { COMMON, JournalBench, type JournalFigures, PHASES, type Setup } from "./journal-bench";
import { journalJson, reportJournal, resultsJson } from "./journal-report";
import { addSpent, BenchFlash, Meter, nothingSpent, type Spent } from "./meter";
import { quantiles } from "./quantiles";

const SMALL: Partial<Setup> = { blocks: 24, sales: 400, settleEvery: 50, liveInBatch: [0, 49], liveAtEnd: 100 };
const RECORDS_BYTES = 126 + 38; // Intent and outcome, six bytes of overhead each.
const MARK_RECORD_BYTES = 6 + 7 + 11; // Overhead, the journal's own bytes of a mark, the client's.
const HEADER_BYTES = 32;
const SEVEN_KEYS = [
	"writeAmplification",
	"erasesPerThousandSales",
	"wearSpread",
	"erasesInSalePath",
	"mountReadBytes",
	"liveBytes",
	"ramBytesPerLive",
];

/** Counts what it is asked for by itself. */
class Witness extends BenchFlash {
	written = 0;
	erased = 0;

	override write(buffer: Uint8Array, byteOffset: number): void {
		this.written += buffer.length;
		super.write(buffer, byteOffset);
	}

	override eraseBlock(start: number, end = start + 1): void {
		this.erased += end - start;
		super.eraseBlock(start, end);
	}
}

interface Run {
	figures: JournalFigures;
	/** Of the measured time: by the simulator's counters, and by the calls. */
	counted: Spent;
	written: number;
	erased: number;
}

function run(setup: Partial<Setup> = {}): Run {
	const witnesses: Witness[] = [];
	const bench = new JournalBench({ ...SMALL, ...setup }, (medium: FlashMedium) => {
		const witness = new Witness(medium);
		witnesses.push(witness);
		return witness;
	});
	const meter = new Meter(witnesses);
	const calls = () => ({
		written: witnesses.reduce((sum, witness) => sum + witness.written, 0),
		erased: witnesses.reduce((sum, witness) => sum + witness.erased, 0),
	});
	let begin = { total: nothingSpent(), ...calls() };
	let end = begin;
	const figures = bench.run((sold, sales) => {
		if (sold === 0) begin = { total: meter.total(), ...calls() };
		if (sold === sales) end = { total: meter.total(), ...calls() };
	});
	const counted = nothingSpent();
	for (const key of Object.keys(counted) as (keyof Spent)[]) counted[key] = end.total[key] - begin.total[key];
	return { figures, counted, written: end.written - begin.written, erased: end.erased - begin.erased };
}

function noFailures(cuts: number): CutFigures {
	return { cuts, failures: 0, byKind: { lost: 0, changed: 0, resurrected: 0, unmountable: 0, other: 0 }, replays: [] };
}

describe("bench of the journal", () => {
	it("is the workload of the table, unless a test says otherwise", () => {
		assert.deepEqual(COMMON, {
			writeAlign: 1,
			mirror: false,
			blocks: 256,
			sales: 10_000,
			settleEvery: 500,
			liveInBatch: [0, 499],
			liveAtEnd: 1_000,
			erasesAhead: true,
		});
	});

	for (const setup of [{}, { writeAlign: 16 }, { mirror: true }, { erasesAhead: false }]) {
		const name = JSON.stringify(setup);

		it(`counts what the simulator counts, and what was asked of it: ${name}`, () => {
			const { figures, counted, written, erased } = run(setup);
			assert.deepEqual(figures.total, counted);
			assert.equal(figures.total.bytesProgrammed, written);
			assert.equal(figures.total.blocksErased, erased);
			assert.ok(erased > 0);
		});

		it(`books everything on the sale, before it, in idle time or on the settlement: ${name}`, () => {
			const { figures } = run(setup);
			const sum = nothingSpent();
			for (const phase of PHASES) addSpent(sum, figures.phases[phase]);
			assert.deepEqual(sum, figures.total);
		});
	}

	it("programs the records, the marks and the headers of the blocks, and nothing else", () => {
		const { figures } = run();
		const { sales, settleEvery } = figures.setup;
		const records = sales * RECORDS_BYTES + (sales / settleEvery) * MARK_RECORD_BYTES;
		const headers = (figures.total.bytesProgrammed - records) / HEADER_BYTES;
		assert.ok(Number.isInteger(headers), `${headers} headers`);
		assert.ok(Math.abs(headers - figures.total.blocksErased) <= 1, `${headers} headers`);
		assert.equal(figures.bytesPerSale, figures.total.bytesProgrammed / sales);
		assert.equal(figures.writeAmplification, figures.total.bytesProgrammed / (sales * 152));
	});

	it("a mirror doubles programs and erases, and no more", () => {
		const one = run().figures.total;
		const two = run({ mirror: true }).figures.total;
		assert.equal(two.bytesProgrammed, 2 * one.bytesProgrammed);
		assert.equal(two.blocksErased, 2 * one.blocksErased);
		assert.equal(two.typicalUs, 2 * one.typicalUs);
	});

	it("a client that never prepares nor idles has its erases counted in its sales' path", () => {
		const { figures, erased } = run({ erasesAhead: false });
		const { phases } = figures;
		assert.ok(figures.salesWithErase > 0);
		assert.equal(figures.erasesInSalePath, erased - phases.settle.blocksErased);
		assert.equal(figures.salesWithErase, figures.erasesInSalePath); // No sale fills two blocks.
		assert.equal(phases.prepare.bytesRead + phases.idle.bytesRead, 0);
		assert.ok(figures.saleTypicalMs.p50 < 45 && figures.saleTypicalMs.worst >= 45);
		assert.ok(figures.saleMaximumMs.p50 < 400 && figures.saleMaximumMs.worst >= 400);
	});

	it("a client that does both has none there, and the time is booked on idle", () => {
		const { figures, erased } = run();
		assert.equal(figures.erasesInSalePath, 0);
		assert.equal(figures.salesWithErase, 0);
		assert.ok(figures.saleTypicalMs.worst < 45);
		assert.equal(figures.phases.idle.typicalUs, 45_000 * erased);
		assert.deepEqual([figures.idleTypicalMs, figures.idleMaximumMs], [45, 400]);
	});

	it("mounts are measured with nothing live, with a batch less one sale, and with more", () => {
		const { mounts } = run().figures;
		assert.deepEqual(
			mounts.map(({ live, liveBytes }) => [live, liveBytes]),
			[0, 49, 100].map((live) => [live, live * RECORDS_BYTES]),
		);
		for (const mount of mounts) {
			assert.ok(mount.readBytes >= mount.liveBytes + 24 * HEADER_BYTES, `${mount.readBytes} bytes`);
			assert.ok(mount.reads > 24 && mount.wireMs > mount.readBytes / 5_000 && mount.ms > 0);
			assert.ok(mount.ramBytes > 512);
		}
		const [, padded] = run({ writeAlign: 16 }).figures.mounts;
		assert.equal(padded.liveBytes, 49 * (128 + 48)); // Each record is filled up to the write unit.
		assert.equal(mountReadBytesMax(mounts[1].liveBytes, 24, 4096), 1.1 * 49 * RECORDS_BYTES + 24 * 32 + 4096);
	});

	it("quantiles are values that were measured", () => {
		const values = Array.from({ length: 200 }, (_, n) => 200 - n);
		assert.deepEqual(quantiles(values), { p50: 100, p99: 198, worst: 200 });
		assert.deepEqual(quantiles([7]), { p50: 7, p99: 7, worst: 7 });
	});

	it("power cuts are made, and what a journal forgets is counted", () => {
		const wishes = { align: 1, mirror: false };
		for (const mode of ["random", "erase"] as const) assert.deepEqual(benchCuts(mode, 30, wishes), noFailures(30));
		const forgetful = benchCuts("random", 30, wishes, (flash, client) => {
			let seen = 0;
			return new Journal(flash, {
				reset: () => client.reset(),
				visit: (...record) => {
					if (++seen % 5 !== 0) client.visit(...record);
				},
				isLive: (...record) => client.isLive(...record),
				moved: (from, to) => client.moved(from, to),
			});
		});
		assert.ok(forgetful.failures > 0, JSON.stringify(forgetful));
		assert.equal(forgetful.replays.length, forgetful.failures);
		assert.match(forgetful.replays[0], /^npm run powercuts -- --mode random --align 1 --replay \d+/);
		assert.equal(
			forgetful.failures,
			Object.values(forgetful.byKind).reduce((sum, count) => sum + count, 0),
		);
	});

	it("--json is one line with exactly the seven figures for each setup", () => {
		const { figures } = run();
		const cuts = { random: noFailures(600), erase: noFailures(600) };
		const results = [
			{ name: "write unit 1", key: "journal", figures, ...cuts },
			{ name: "mirror", key: "journalMirror", figures: run({ mirror: true }).figures, ...cuts },
		];
		const text = resultsJson(results);
		assert.ok(!text.includes("\n"));
		const parsed = JSON.parse(text) as Record<string, Record<string, number>>;
		assert.deepEqual(Object.keys(parsed), ["journal", "journalMirror"]);
		for (const one of Object.values(parsed)) {
			assert.deepEqual(Object.keys(one), SEVEN_KEYS);
			for (const value of Object.values(one)) assert.ok(Number.isFinite(value));
		}
		const [, mount] = figures.mounts;
		assert.equal(parsed.journal.mountReadBytes, mount.readBytes);
		assert.equal(parsed.journal.liveBytes, 49 * RECORDS_BYTES);
		assert.equal(parsed.journal.ramBytesPerLive, (mount.ramBytes - figures.mounts[0].ramBytes) / 49);
		assert.equal(parsed.journalMirror.liveBytes, 49 * RECORDS_BYTES);
	});

	it("a budget that is exceeded is said to be, with the ratio", () => {
		const { figures } = run();
		const [random, erase] = [noFailures(600), noFailures(600)];
		const result = { name: "write unit 1", key: "journal", figures, random, erase };
		const lines = budgetLines(figures, [random, erase], 4096);
		assert.ok(lines.some((line) => isHeld(line)));
		assert.ok(!lines.filter(({ bound }) => bound === 0).some((line) => !isHeld(line)));
		const worse = { ...figures, erasesInSalePath: 3, writeAmplification: 2.24 };
		const bad = { ...noFailures(600), failures: 1, byKind: { ...random.byKind, lost: 1 }, replays: ["npm run replay"] };
		const text = reportJournal([{ ...result, figures: worse, erase: bad }]);
		assert.match(text, /^bytes programmed, times the payload +≤ 1\.120 +2\.240 +EXCEEDED +2\.00$/m);
		assert.match(text, /^erases in a sale's path +≤ 0 +3 +EXCEEDED +–$/m);
		assert.match(text, /^failures in 1,200 power cuts +≤ 0 +1 +EXCEEDED +–$/m);
		assert.match(text, /^ours, write unit 1 .* 0 \/ 1 lost$/m);
		assert.match(text, /^npm run replay$/m);
		assert.match(text, /^FCB .* 102 \/ 187 mounts fail$/m);
		assert.equal(journalJson(worse).erasesInSalePath, 3);
	});
});
