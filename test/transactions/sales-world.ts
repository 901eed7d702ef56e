/**
 * Thousands of sales on a small flash with settlements and power cuts, beside a plain model of what was acknowledged.
 * At each boot (cut again now and then while it recovers) every field of every transaction is compared: nothing that
 * was acknowledged may be lost or changed, nothing settled may come back, no open doubt may go, no number may be used
 * twice, and no sale may wait for an erase. Boots that never pin are compared too.
 */
import { strict as assert } from "node:assert";
import { TEST_KEYS } from "../../host-sim/acquirer/test-keys";
import { drawCutByte, FlashCut } from "../../host-sim/board/flash-cut";
import { FlashMedium } from "../../host-sim/board/flash-medium";
import { MemoryKeys } from "../../host-sim/board/memory-keys";
import { NorFlash } from "../../host-sim/board/nor-flash";
import { Power, PowerLost } from "../../host-sim/board/power";
import { SeededRandom } from "../../host-sim/board/seeded-random";
import { readU32 } from "../../src/core/bytes";
import { CodedError } from "../../src/core/errors";
import { CardSeal } from "../../src/security/card-seal";
import { encodeMark, Flag, KIND_SALE, type Outcome } from "../../src/transactions/records";
import { type Event, firstState, State } from "../../src/transactions/states";
import { TransactionLog } from "../../src/transactions/transaction-log";
import { drawOutcome, drawSale } from "./sales-draw";
import { flashUs, noResult, SalesMeter, type SalesResult, type SalesRow } from "./sales-meter";
import { isAnswered, isOver, type ModelSale, SalesModel } from "./sales-model";

export interface SalesOptions {
	sales: number;
	seed: number;
	blocks?: number;
	writeAlign?: number;
	mirror?: boolean;
	settleEvery?: number;
	/** Transactions in the index. */
	capacity?: number;
	/** Flash operations between two cuts, at most; half of it on average. 0: power never goes. */
	cutWithin?: number;
	/** Figures of each row of so many sales. */
	rowSales?: number;
	onRow?(row: SalesRow): void;
	makeLog?(flash: NorFlash, capacity: number, seal: CardSeal, mirror: NorFlash | undefined): TransactionLog;
}

const DOUBTS_MAX = 5;
/** A small ring that is full, with cuts so close that it can not be tidied between two: nothing can be sold. */
const BOOTS_WITHOUT_SALE_MAX = 2_000;
const FIRST_STAN = 999_700;

/** Checks that no nonce repeats: transaction ids rise for ever, also those whose record was torn. */
class RisingSeal extends CardSeal {
	idLast = 1;
	override seal(plain: Uint8Array, nonce: Uint8Array, aad: Uint8Array): Uint8Array {
		const id = readU32(nonce, 8);
		assert.ok(id > this.idLast, `I4 nonce of id ${id} after ${this.idLast}`);
		this.idLast = id;
		return super.seal(plain, nonce, aad);
	}
}

/** @throws AssertionError naming seed, boot and cut when anything acknowledged is not there, or something else is */
export function searchSales(options: SalesOptions): SalesResult {
	return new SalesWorld(options).run();
}

class SalesWorld {
	readonly #o: SalesOptions;
	readonly #random: SeededRandom;
	readonly #media: FlashMedium[];
	readonly #capacity: number;
	readonly #seal = new RisingSeal(new MemoryKeys(TEST_KEYS));
	#model = new SalesModel();
	/** What the operation under way would change; undefined when none is. */
	#open: ((model: SalesModel) => void) | undefined;
	#power = new Power();
	#cut = new FlashCut();
	#flashes: NorFlash[] = [];
	#log!: TransactionLog;
	readonly #meter: SalesMeter;
	#settledAt = 0;
	#bootsSinceSale = 0;
	readonly #result: SalesResult = noResult();

	constructor(options: SalesOptions) {
		this.#o = options;
		const { seed, blocks = 16, writeAlign = 1, mirror = false, capacity = 128 } = options;
		this.#random = new SeededRandom(seed);
		this.#capacity = capacity;
		this.#media = [new FlashMedium({ blocks, writeAlign })];
		if (mirror) this.#media.push(new FlashMedium({ blocks, writeAlign }));
		this.#meter = new SalesMeter(this.#result.rows, options.rowSales ?? 10_000);
		this.#assemble();
		// The STAN begins short of its wrap, and the batch does.
		this.#model.batch = 999_998;
		this.#model.idLast = 1;
		this.#model.stanSold = FIRST_STAN;
		this.#model.stanLast = FIRST_STAN;
		this.#model.settled = { batch: 0, id: 1, stan: FIRST_STAN };
		const counters = { idMax: 1, idReserved: 1, stanMax: FIRST_STAN, stanReserved: FIRST_STAN };
		const mark = { batch: 999_998, settledBatch: 0, ...counters };
		this.#log.journal.provision(seed, encodeMark(mark));
		this.#power.cut();
		this.#meter.endBoot(this.#flashes);
	}

	run(): SalesResult {
		const { cutWithin = 90 } = this.#o;
		const result = this.#result;
		while (result.sales < this.#o.sales) {
			this.#assemble();
			if (cutWithin > 0) {
				// A third of the cuts strikes while the boot still recovers.
				const within = this.#random.chance(1, 3) ? 5 : cutWithin;
				const shape = this.#random.below(0x10000);
				this.#cut.cutAt(1 + this.#random.below(within), drawCutByte(this.#random), shape);
			}
			this.#work(() => {
				if (!this.#boot(cutWithin > 0)) return;
				while (result.sales < this.#o.sales) this.#step();
			});
			this.#power.cut();
			this.#meter.endBoot(this.#flashes);
		}
		// The power stays: everything can end, and the last batch as well.
		this.#assemble();
		this.#work(() => {
			this.#boot(false);
			for (const sale of [...this.#model.sales.values()]) while (!this.#atRest(sale)) this.#advance(sale, true);
			this.#settle();
			assert.equal(this.#log.index.count, 0, this.#where());
			assert.ok(this.#log.prepare(), `no room although nothing is live, ${this.#where()}`);
		});
		assert.ok(this.#power.on);
		const wear = this.#media.flatMap((medium) => [...medium.erases]);
		result.wearMax = Math.max(...wear);
		result.wearMin = Math.min(...wear);
		return result;
	}

	#where(): string {
		const { seed, writeAlign = 1, mirror = false } = this.#o;
		const { sales, boots } = this.#result;
		return `seed=${seed} align=${writeAlign} mirror=${mirror} sale ${sales} boot ${boots} cut=${this.#cut.name}`;
	}

	#assemble(): void {
		this.#power = new Power();
		this.#cut = new FlashCut();
		const random = this.#random.fork(this.#result.boots);
		this.#flashes = this.#media.map((medium) => {
			return new NorFlash({ medium, power: this.#power, cut: this.#cut, random });
		});
		const [flash, mirror] = this.#flashes;
		const make = this.#o.makeLog ?? ((...parts) => new TransactionLog(...parts));
		this.#log = make(flash, this.#capacity, this.#seal, mirror);
	}

	/** Runs what power may go away from. */
	#work(work: () => void): void {
		try {
			work();
		} catch (error) {
			if (!(error instanceof PowerLost)) throw error;
			this.#result.cuts++;
		}
	}

	/** Mounts, compares, pins, compares, and takes the open ends through "boot". @returns false when it stopped before */
	#boot(mayStop: boolean): boolean {
		this.#result.boots++;
		this.#meter.row.boots++;
		assert.ok(++this.#bootsSinceSale <= BOOTS_WITHOUT_SALE_MAX, `no sale in so many boots, ${this.#where()}`);
		const log = this.#log;
		const read = this.#flashes[0].bytesRead;
		for (let tries = 0; ; tries++) {
			const mounted = log.mount();
			assert.equal(mounted.status, "ok", `unmountable, ${this.#where()}`);
			assert.equal(mounted.lostBlocks + mounted.damagedRecords, 0, `a cut looks like damage, ${this.#where()}`);
			this.#meter.row.bytesReadAtMount += this.#flashes[0].bytesRead - read;
			this.#compare(false);
			if (mayStop && this.#random.chance(1, 8)) return false;
			try {
				log.journal.pin();
				break;
			} catch (error) {
				// The last record read one way in mount and another in pin: mount again.
				if (!(error instanceof CodedError) || error.code !== "damaged" || tries > 40) throw error;
			}
		}
		this.#compare(true);
		assert.deepEqual(this.#model.queryDifferences(log), [], this.#where());
		for (const sale of this.#model.sales.values()) {
			if (sale.state !== State.waiting) continue;
			this.#result.interrupted++;
			this.#apply(sale, "boot", { state: State.reversing, reason: "98" });
		}
		return true;
	}

	#compare(pinned: boolean): void {
		let differences = this.#model.differences(this.#log);
		// Before the pin the last record may read one way in the mount and another way now: one record only.
		if (!pinned && differences.length === 1 && differences[0].startsWith("unreadable")) return;
		if (differences.length > 0 && this.#open !== undefined) {
			// One thing at most may differ: the operation that was cut.
			const after = this.#model.clone();
			this.#open(after);
			differences = after.differences(this.#log);
			if (pinned && differences.length === 0) {
				this.#model = after;
				after.sawNewest();
			}
			if (!pinned && differences.length === 1 && differences[0].startsWith("unreadable")) return;
		}
		assert.deepEqual(differences, [], this.#where());
		if (!pinned) return;
		this.#open = undefined;
		this.#model.settled.id = this.#log.settledUpTo.id;
		this.#model.boot();
	}

	/** One operation on the log: the model has it when it returns, and may or may not have it when power goes. */
	#do<T>(change: (model: SalesModel) => void, operation: () => T): T {
		this.#open = change;
		const result = operation();
		change(this.#model);
		this.#open = undefined;
		return result;
	}

	#step(): void {
		const random = this.#random;
		const open = [...this.#model.sales.values()].filter((sale) => !this.#atRest(sale));
		if (open.length > 0 && random.chance(1, 2)) this.#advance(random.pick(open), random.chance(1, 2));
		const due = this.#result.sales - this.#settledAt >= (this.#o.settleEvery ?? 50);
		if (due && !this.#settle()) return;
		if (open.length >= DOUBTS_MAX) return;
		if (random.chance(1, 20)) this.#contradict();
		if (random.chance(1, 8)) this.#takeStan();
		if (random.chance(1, 30)) this.#adopt();
		if (this.#log.prepare()) this.#sell();
		else {
			this.#result.refused++;
			this.#settle();
		}
		if (random.chance(3, 4)) this.#log.journal.idle();
	}

	#sell(): void {
		const random = this.#random;
		const log = this.#log;
		const unprepared = log.journal.erasesUnprepared;
		const us = flashUs(this.#flashes);
		const drawn = drawSale(random);
		const { kind, sale, card, original, emv } = drawn;
		const stans = this.#nextStans();
		const { batch } = this.#model;
		let id = 0;
		const model = (): ModelSale => {
			const none = { outcome: undefined, reason: "  ", triesDurable: 0, flags: 0, carried: false };
			// Torn or whole, its id is the one that its card was sealed under.
			const numbers = { id: this.#seal.idLast, stan: stans[0], stanOthers: stans.slice(1), batch };
			return { ...drawn, ...numbers, state: firstState(kind), ...none };
		};
		const before = this.#seal.idLast;
		this.#do(
			// Where not even the reservation of its id is whole there is no such sale.
			(to) => {
				if (this.#seal.idLast > before) to.add(model());
			},
			() => {
				if (kind === KIND_SALE) id = log.begin(sale, card);
				else id = log.beginAdvice({ ...sale, kind, ...(original === undefined ? {} : { original }) }, card, emv);
				const stan = log.index.stans[log.find(id)];
				assert.ok(stans.includes(stan), `I4 STAN ${stan}, not ${stans}, ${this.#where()}`);
				stans.splice(0, stans.length, stan);
			},
		);
		this.#result.sales++;
		this.#bootsSinceSale = 0;
		if (this.#meter.countSale(this.#flashes, log)) this.#o.onRow?.(this.#result.rows[this.#result.rows.length - 1]);
		const begun = this.#model.of(id);
		if (kind !== KIND_SALE) {
			if (random.chance(1, 3)) this.#advance(begun, true);
			return;
		}
		const what = random.below(100);
		if (what < 4) {
			this.#apply(begun, "unsent", { state: State.abandoned, outcome: NO_OUTCOME });
			this.#result.abandoned++;
		} else if (what < 20) {
			this.#apply(begun, "decline", { state: State.declined, outcome: this.#outcome("51") });
			this.#result.declined++;
		} else if (what < 24) this.#apply(begun, "badMac", { state: State.reversing, reason: "A0" });
		else if (what < 27) {
			this.#apply(begun, "amountDiffers", { state: State.reversing, reason: "06", flags: Flag.amountDiffers });
		} else if (what < 36) this.#apply(begun, "noAnswer", { state: State.reversing, reason: "98" });
		else {
			this.#apply(begun, "approve", { state: State.approved, outcome: this.#outcome("00") });
			this.#deliver(begun);
		}
		assert.equal(log.journal.erasesUnprepared, unprepared, `an erase in a sale's path, ${this.#where()}`);
		this.#meter.noteSaleMs((flashUs(this.#flashes) - us) / 1000);
	}

	#outcome(code: string): Outcome {
		return drawOutcome(this.#random, code);
	}

	/** What the next STAN may be: the next one that nothing known has. */
	#nextStans(): number[] {
		return this.#model.nextStans((last) => {
			let stan = last;
			do stan = (stan % 999_999) + 1;
			while (this.#log.index.findStan(stan) >= 0);
			return stan;
		});
	}

	/** A message that no record carries: a sign-on. */
	#takeStan(): void {
		const stans = this.#nextStans();
		try {
			const stan = this.#log.takeStan();
			assert.ok(stans.includes(stan), `I4 STAN ${stan}, not ${stans}, ${this.#where()}`);
			this.#model.takeStan(stan);
			this.#result.stansTaken++;
		} catch (error) {
			if (error instanceof PowerLost) this.#model.takeStanCut(stans);
			else if (error instanceof CodedError && error.code === "full") return;
			throw error;
		}
	}

	/** The host names a batch. */
	#adopt(): void {
		const random = this.#random;
		const model = this.#model;
		const batch = random.pick([1 + random.below(999_999), model.batch, model.settled.batch || 1]);
		const expected = model.adopts(batch);
		try {
			const result = this.#do(
				(to) => {
					if (expected === "adopted") to.batch = batch;
				},
				() => this.#log.adoptBatch(batch),
			);
			assert.equal(result, expected, this.#where());
			if (result === "adopted") this.#result.adopted++;
		} catch (error) {
			// Like a settlement it carries; unlike one it may be had without.
			if (!(error instanceof CodedError) || error.code !== "full") throw error;
			this.#open = undefined;
		}
	}

	#deliver(sale: ModelSale): void {
		this.#apply(sale, "deliver", { state: State.delivered });
		this.#result.delivered++;
	}

	/** The host contradicts its refusal: what was spent is open again, unless its records have gone. */
	#contradict(): void {
		const log = this.#log;
		const declined = [...this.#model.sales.values()].filter((sale) => sale.state === State.declined);
		if (declined.length === 0) return;
		const sale = this.#random.pick(declined);
		if (log.find(sale.id) < 0) return;
		try {
			log.intent(sale.id);
		} catch (error) {
			if (!(error instanceof CodedError)) throw error;
			return;
		}
		this.#apply(sale, "approve", { state: State.reversing, reason: "06" });
	}

	/** The next thing that happens to a transaction that is not at rest. */
	#advance(sale: ModelSale, accepted: boolean): void {
		const log = this.#log;
		const { id } = sale;
		if (sale.state === State.approved) {
			if (accepted) this.#deliver(sale);
			else this.#apply(sale, "notDelivered", { state: State.reversing, reason: "96" });
			return;
		}
		const forwarding = sale.state === State.forwarding;
		const tries = log.index.tries[log.find(id)] + 1;
		const durable = (tries & (tries - 1)) === 0 && !(forwarding && tries === 1);
		this.#do(
			(to) => {
				if (durable) to.of(id).triesDurable = tries;
			},
			() => log.noteTry(id),
		);
		if (accepted && forwarding) {
			const refused = this.#random.chance(1, 4);
			const change = refused
				? { state: State.forwardRefused, outcome: this.#outcome("51") }
				: { state: State.forwarded, outcome: this.#outcome("00") };
			this.#apply(sale, refused ? "decline" : "approve", change);
			this.#result.forwarded++;
		} else if (accepted) {
			const over = sale.state === State.unconfirmed;
			this.#apply(sale, "reversalAccepted", { state: over ? State.reversed : State.unconfirmed });
			if (over) this.#result.reversed++;
		} else if (this.#random.chance(1, 3)) {
			const flag = forwarding ? Flag.overdue : Flag.reversalRefused;
			const flags = this.#model.of(id).flags | flag;
			const isNew = flags !== this.#model.of(id).flags;
			this.#do(
				(to) => {
					const entry = to.of(id);
					entry.flags = flags;
					if (isNew) entry.triesDurable = tries;
				},
				() => log.setFlags(id, flag),
			);
		}
	}

	#atRest(sale: ModelSale): boolean {
		return isOver(sale) || isAnswered(sale) || sale.state === State.delivered;
	}

	#apply(sale: ModelSale, event: Event, change: Partial<ModelSale>): void {
		const { id } = sale;
		// An outcome ends what steps had said.
		const tries = change.outcome === undefined ? this.#log.index.tries[this.#log.find(id)] : 0;
		const { outcome, flags } = change;
		const facts = { ...(outcome === undefined ? {} : { outcome }), ...(flags === undefined ? {} : { flags }) };
		this.#do(
			(to) => Object.assign(to.of(id), { ...change, triesDurable: tries }),
			() => this.#log.apply(id, event, facts),
		);
	}

	/** @returns false when an approval had to be delivered first */
	#settle(): boolean {
		const log = this.#log;
		const approved = [...this.#model.sales.values()].find((sale) => sale.state === State.approved);
		if (approved !== undefined) {
			assert.equal(log.settle((this.#model.batch % 999_999) + 1), "undelivered", this.#where());
			this.#deliver(approved);
			return false;
		}
		const nextBatch = (this.#model.batch % 999_999) + 1;
		const refusal = this.#do(
			(to) => to.settle(nextBatch),
			() => log.settle(nextBatch),
		);
		assert.equal(refusal, undefined, `a settlement finds room, ${this.#where()}`);
		this.#settledAt = this.#result.sales;
		this.#result.settlements++;
		this.#result.carried += log.index.count;
		assert.deepEqual(this.#model.differences(log, "any"), [], this.#where());
		this.#model.settled.id = log.settledUpTo.id;
		while (this.#random.chance(1, 3)) this.#adopt();
		return true;
	}
}

const NO_OUTCOME: Outcome = { code: "", rrn: "", authorization: "", hostTime: "0000000000" };
