/**
 * Record keepers over a real journal on simulated NOR flash, boot after boot; beside them records of nobody, that fill
 * the ring and are dead at once, as sales that are over.
 */
import { FlashMedium } from "../../host-sim/board/flash-medium";
import { NorFlash } from "../../host-sim/board/nor-flash";
import { Power } from "../../host-sim/board/power";
import { SeededRandom } from "../../host-sim/board/seeded-random";
import type { JournalClient } from "../../src/journal/client";
import { RecordType } from "../../src/journal/format";
import { Journal } from "../../src/journal/journal";
import { Cases, type CasesOptions } from "../../src/settlement/cases";
import { Watches } from "../../src/settlement/watch";
import { type AppendRecord, type RecordKeeper, RecordKeepers } from "../../src/transactions/record-keeper";

/** Of no keeper: dead from the beginning. */
const FILLER = 40;
const BALLAST = 41;

/** Records that stay, as a batch of sales does. */
class Ballast implements RecordKeeper {
	readonly types: readonly number[] = [BALLAST];
	readonly roomBytes = 0;
	readonly #positions = new Set<number>();
	readonly #bytes = new Uint8Array(300);

	put(append: AppendRecord): void {
		this.#positions.add(append(BALLAST, this.#bytes, this.#bytes.length));
	}
	reset(): void {
		this.#positions.clear();
	}
	visit(_type: number, position: number): void {
		this.#positions.add(position);
	}
	mounted(): void {}
	isLive(_type: number, position: number): boolean {
		return this.#positions.has(position);
	}
	moved(from: number, to: number): boolean {
		if (!this.#positions.delete(from)) return false;
		this.#positions.add(to);
		return true;
	}
	carry(): void {
		this.#positions.clear(); // The batch is settled.
	}
}

export interface BenchOptions extends Partial<CasesOptions> {
	blocks?: number;
	writeAlign?: number;
	watchesMax?: number;
	seed?: number;
	medium?: FlashMedium;
}

/** One boot. */
export class KeeperBoot implements JournalClient {
	readonly power = new Power();
	readonly flash: NorFlash;
	readonly journal: Journal;
	readonly cases: Cases;
	readonly watches: Watches;
	readonly #keepers = new RecordKeepers();
	readonly #ballast = new Ballast();
	readonly #filler = new Uint8Array(400);

	constructor(medium: FlashMedium, options: BenchOptions, random: SeededRandom) {
		this.flash = new NorFlash({ medium, power: this.power, random });
		this.journal = new Journal(this.flash, this);
		this.cases = new Cases(this.journal, { batches: { isLiveBatch: () => true }, ...options });
		this.watches = new Watches(this.journal, options.watchesMax);
		this.#keepers.add(this.cases);
		this.#keepers.add(this.watches);
		this.#keepers.add(this.#ballast);
	}

	mount(): this {
		const { status, lostBlocks, damagedRecords } = this.journal.mount();
		if (status !== "ok" || lostBlocks + damagedRecords > 0) throw new Error(`mount: ${status}`);
		if (this.flash.operations > 0) throw new Error("the mount wrote");
		this.#keepers.mounted();
		return this;
	}

	/** Something else goes on: its record is of no use at once. */
	fill(byteLength = 300): void {
		this.journal.append(FILLER, this.#filler, byteLength);
	}

	/** Something that stays until the settlement. */
	load(): void {
		this.#ballast.put((type, bytes, byteLength) => this.journal.append(type, bytes, byteLength));
	}

	/** As the settler does it: everything live once more, then the mark. */
	settle(): void {
		this.journal.beginCarry();
		this.#keepers.carry((type, bytes, byteLength) => this.journal.append(type, bytes, byteLength));
		this.journal.settle(new Uint8Array([7]));
	}

	get roomBytes(): number {
		return this.#keepers.roomBytes;
	}

	reset(): void {
		this.#keepers.reset();
	}

	visit(type: number, position: number, bytes: Uint8Array, start: number, byteLength: number): void {
		if (type !== RecordType.mark) this.#keepers.of(type)?.visit(type, position, bytes, start, byteLength);
	}

	isLive(type: number, position: number, bytes: Uint8Array, start: number): boolean {
		const keeper = this.#keepers.of(type);
		return keeper !== undefined && this.#keepers.isLive(keeper, type, position, bytes, start);
	}

	moved(from: number, to: number): void {
		this.#keepers.moved(from, to);
	}
}

export class KeeperBench {
	readonly medium: FlashMedium;
	readonly random: SeededRandom;
	readonly options: BenchOptions;
	now: KeeperBoot;

	constructor(options: BenchOptions = {}) {
		const { blocks = 16, writeAlign = 1, seed = 1 } = options;
		this.options = options;
		this.medium = options.medium ?? new FlashMedium({ blocks, writeAlign });
		this.random = new SeededRandom(seed);
		this.now = new KeeperBoot(this.medium, options, this.random.fork("first"));
		if (options.medium === undefined) {
			this.now.journal.mount();
			this.now.journal.provision(0xcafe0001, new Uint8Array([1]));
		}
		this.boot();
	}

	get cases(): Cases {
		return this.now.cases;
	}

	get watches(): Watches {
		return this.now.watches;
	}

	boot(): this {
		this.now = this.next(this.medium).mount();
		return this;
	}

	/** A boot that has not mounted yet. */
	next(medium: FlashMedium): KeeperBoot {
		return new KeeperBoot(medium, this.options, this.random.fork(`boot ${medium.boots}`));
	}
}

/** All that is known, read from flash, to be compared across boots. */
export function contents(boot: KeeperBoot): string {
	const { cases, watches } = boot;
	const rows: unknown[] = [];
	for (let id = cases.next(0); id !== 0; id = cases.next(id)) {
		const { requestId, ...rest } = cases.get(id);
		rows.push({ ...rest, requestId: [...requestId], indexed: cases.state(id) });
	}
	const watched: string[] = [];
	for (let n = watches.next(0); n !== 0; n = watches.next(n)) watched.push(JSON.stringify(watches.get(n)));
	return JSON.stringify([rows, watched.sort()]);
}
