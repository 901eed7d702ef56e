/**
 * The workload by which flash stores are compared: 1 MiB of 4 KiB blocks, 10,000 sales, each a durable 120-byte intent
 * and a durable 32-byte outcome (152 bytes of payload), settled and released every 500. Measured after one full turn
 * of the ring, `prepare()` before and `idle()` after each sale, as the terminal calls them.
 *
 * A sale's path is what happens between card and receipt: the two appends. Everything that flash does in the measured
 * time is booked on exactly one of four: sale, prepare, idle, settle.
 */
import { FlashMedium } from "../../host-sim/board/flash-medium";
import { writeU32 } from "../../src/core/bytes";
import { recordBytes } from "../../src/journal/format";
import { Journal } from "../../src/journal/journal";
import { addSpent, BenchFlash, Meter, nothingSpent, type Spent } from "./meter";
import { type MountFigures, measureMount, summarizeMounts } from "./mount-bench";
import { type Quantiles, quantiles } from "./quantiles";
import { INTENT, INTENT_BYTES, OUTCOME, OUTCOME_BYTES, PAYLOAD_BYTES, Sales } from "./sales";

/** What a terminal asks room for before a sale. */
const ROOM_BYTES = 700;
const MARK_BYTES = 11;
/** As many as there are batches in some: for a time that does not hang on one. */
const MOUNTS_AT_END = 10;

export interface Setup {
	readonly writeAlign: number;
	readonly mirror: boolean;
	readonly blocks: number;
	readonly sales: number;
	readonly settleEvery: number;
	/** Mounts are measured in every batch with so many sales live, fewer than a batch has. */
	readonly liveInBatch: readonly number[];
	/** And once at the end with so many, without a settlement before. */
	readonly liveAtEnd: number;
	/** False: a client that calls neither `prepare()` nor `idle()`, to see that its erases are counted. */
	readonly erasesAhead: boolean;
}

/** The workload of the table. */
export const COMMON: Setup = {
	writeAlign: 1,
	mirror: false,
	blocks: 256,
	sales: 10_000,
	settleEvery: 500,
	liveInBatch: [0, 499],
	liveAtEnd: 1_000,
	erasesAhead: true,
};

export const PHASES = ["sale", "prepare", "idle", "settle"] as const;
export type Phase = (typeof PHASES)[number];

export interface JournalFigures {
	setup: Setup;
	/** Everything in the measured time, and the same by what it was done for. */
	total: Spent;
	phases: Record<Phase, Spent>;
	bytesPerSale: number;
	writeAmplification: number;
	readPerSale: number;
	erasesPerThousandSales: number;
	erasesInSalePath: number;
	salesWithErase: number;
	/** Erases of one block: the most in the measured sales, the most and the greatest difference in all its life. */
	wearInRun: number;
	wearWorst: number;
	wearSpread: number;
	saleTypicalMs: Quantiles;
	saleMaximumMs: Quantiles;
	/** The longest single `idle()`. */
	idleTypicalMs: number;
	idleMaximumMs: number;
	/** By the number of live sales: the most that any of the mounts has read, and the time that half of them took. */
	mounts: MountFigures[];
}

export class JournalBench {
	readonly setup: Setup;
	readonly flashes: readonly BenchFlash[];
	readonly #meter: Meter;
	readonly #client = new Sales();
	readonly #journal: Journal;
	readonly #intent = new Uint8Array(INTENT_BYTES);
	readonly #outcome = new Uint8Array(OUTCOME_BYTES);
	#phases = noPhases();
	#sold = 0;
	/** Of each sale and each idle since the measured time began. */
	readonly #sales: Spent[] = [];
	readonly #idles: Spent[] = [];
	/** By the number of live sales. */
	readonly #mounts = new Map<number, MountFigures[]>();

	constructor(setup: Partial<Setup> = {}, makeFlash = (medium: FlashMedium) => new BenchFlash(medium)) {
		this.setup = { ...COMMON, ...setup };
		const { blocks, writeAlign, mirror } = this.setup;
		const media = [new FlashMedium({ blocks, writeAlign })];
		if (mirror) media.push(new FlashMedium({ blocks, writeAlign }));
		this.flashes = media.map(makeFlash);
		this.#meter = new Meter(this.flashes);
		const [flash, second] = this.flashes;
		new Journal(flash, this.#client, second).provision(1, new Uint8Array(MARK_BYTES));
		this.#journal = new Journal(flash, this.#client, second);
		this.#journal.mount();
	}

	/** @param onProgress - told when the measured time begins, and after each settlement in it */
	run(onProgress?: (sold: number, sales: number) => void): JournalFigures {
		const { sales, settleEvery, liveAtEnd } = this.setup;
		this.#turn();
		const before = this.#meter.total();
		const wearBefore = this.#wear();
		this.#phases = noPhases();
		this.#sales.length = 0;
		this.#idles.length = 0;
		this.#mounts.clear();
		onProgress?.(0, sales);
		for (let sold = 0; sold < sales; sold += settleEvery) {
			this.#batch();
			onProgress?.(sold + settleEvery, sales);
		}
		const figures = this.#figures(this.#meter.since(before), wearBefore);
		// What follows is no part of the workload, and booked nowhere.
		this.#phases = noPhases();
		while (this.#client.live.size < liveAtEnd) this.#sell();
		for (let n = 0; n < MOUNTS_AT_END; n++) this.#mount();
		return { ...figures, mounts: [...this.#mounts.values()].map(summarizeMounts) };
	}

	/** Until every block has been written once and the first ones a second time. */
	#turn(): void {
		const { blocks, settleEvery } = this.setup;
		const last = this.flashes[0].medium;
		// Provisioning erases each block once. No sale takes less flash than its payload.
		const salesMax = Math.ceil((2 * last.size) / PAYLOAD_BYTES) + settleEvery;
		while (last.erases[blocks - 1] < 2) {
			if (this.#sold > salesMax) throw new Error(`the ring has not come round after ${this.#sold} sales`);
			this.#sell();
			if (this.#client.live.size === settleEvery) this.#settle();
		}
		while (this.#client.live.size < settleEvery) this.#sell();
		this.#settle();
	}

	#batch(): void {
		const { settleEvery, liveInBatch } = this.setup;
		for (let live = 0; live < settleEvery; live++) {
			if (liveInBatch.includes(live)) this.#mount();
			this.#sell();
		}
		this.#settle();
	}

	#sell(): void {
		const journal = this.#journal;
		const { live } = this.#client;
		const id = ++this.#sold;
		if (this.setup.erasesAhead) {
			this.#measure("prepare", () => {
				if (!journal.prepare(ROOM_BYTES)) throw new Error(`no room before sale ${id}`);
			});
		}
		const sale = this.#measure("sale", () => {
			writeU32(this.#intent, 0, id);
			live.set(id, journal.append(INTENT, this.#intent));
			writeU32(this.#outcome, 0, id);
			journal.append(OUTCOME, this.#outcome);
		});
		this.#sales.push(sale);
		if (this.setup.erasesAhead) this.#idles.push(this.#measure("idle", () => journal.idle()));
	}

	#settle(): void {
		this.#measure("settle", () => {
			this.#journal.beginCarry();
			this.#client.live.clear();
			this.#journal.settle(new Uint8Array(MARK_BYTES));
		});
	}

	#measure(phase: Phase, work: () => void): Spent {
		const before = this.#meter.total();
		work();
		const spent = this.#meter.since(before);
		addSpent(this.#phases[phase], spent);
		return spent;
	}

	/** A boot on the same silicon, with counters of its own. */
	#mount(): void {
		const { writeAlign } = this.setup;
		const live = this.#client.live.size;
		const media = this.flashes.map((flash) => flash.medium);
		const liveBytes = live * (recordBytes(INTENT_BYTES, writeAlign) + recordBytes(OUTCOME_BYTES, writeAlign));
		const before = this.#mounts.get(live) ?? [];
		this.#mounts.set(live, [...before, measureMount(media, this.#client, liveBytes)]);
	}

	/** Erases of each block; with a mirror of the blocks of both partitions. */
	#wear(): number[] {
		return this.flashes.flatMap((flash) => [...flash.medium.erases]);
	}

	#figures(total: Spent, wearBefore: readonly number[]): Omit<JournalFigures, "mounts"> {
		const { sales } = this.setup;
		const wear = this.#wear();
		return {
			setup: this.setup,
			total,
			phases: this.#phases,
			bytesPerSale: total.bytesProgrammed / sales,
			writeAmplification: total.bytesProgrammed / (sales * PAYLOAD_BYTES),
			readPerSale: total.bytesRead / sales,
			erasesPerThousandSales: (total.blocksErased * 1_000) / sales,
			erasesInSalePath: this.#phases.sale.blocksErased,
			salesWithErase: this.#sales.filter((sale) => sale.blocksErased > 0).length,
			wearInRun: Math.max(...wear.map((erases, n) => erases - wearBefore[n])),
			wearWorst: Math.max(...wear),
			wearSpread: Math.max(...wear) - Math.min(...wear),
			saleTypicalMs: quantiles(this.#sales.map((sale) => sale.typicalUs / 1_000)),
			saleMaximumMs: quantiles(this.#sales.map((sale) => sale.maximumUs / 1_000)),
			idleTypicalMs: Math.max(0, ...this.#idles.map((idle) => idle.typicalUs / 1_000)),
			idleMaximumMs: Math.max(0, ...this.#idles.map((idle) => idle.maximumUs / 1_000)),
		};
	}
}

function noPhases(): Record<Phase, Spent> {
	return { sale: nothingSpent(), prepare: nothingSpent(), idle: nothingSpent(), settle: nothingSpent() };
}
