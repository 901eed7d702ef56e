/**
 * Power goes at every flash operation while a batch closes, while sales of the next one are made, and while it is
 * released: nothing is lost, nothing is settled twice or in the wrong batch, no number is used again (I1–I4, I7).
 */
import { strict as assert } from "node:assert";
import { CUT_AFTER, CUT_BEFORE, TEAR_SHAPES } from "../../host-sim/board/flash-cut";
import { PowerLost } from "../../host-sim/board/power";
import { blocksReserved } from "../../src/journal/journal";
import { batchAfter } from "../../src/transactions/counters";
import { State, stands } from "../../src/transactions/states";
import { APPROVED, DECLINED, LogBench, snapshot } from "./log-bench";
import { pass } from "./straddling";

const FIRST = 999_998;

/** What a transaction may be after a cut: what was acknowledged, or what was being written. */
interface Known {
	batch: number;
	stan: number;
	states: number[];
}

/** A shop that does one thing after another, and writes down what it was told is done. */
class Shop {
	readonly bench: LogBench;
	readonly known = new Map<number, Known>();
	/** STANs in the books of each batch, at the moment it was released. */
	readonly books = new Map<number, number[]>();
	readonly stans: number[] = [];
	/** What {@link LogBench} is being asked for. */
	doing: "close" | "release" | "other" = "other";
	/** The batch that closes, as far as it was acknowledged. */
	closing = 0;
	settled = 0;
	waiting = 0;

	/** @param options.more - with it flash is full but for these small records: something is reclaimed in between */
	constructor(options: { blocks: number; writeAlign: number; more?: number }) {
		const { blocks, more } = options;
		this.bench = new LogBench(options).provision(FIRST);
		this.sell();
		if (more === undefined) return;
		while (this.#log.journal.freeBlocks > blocksReserved(blocks)) pass(this.bench);
		for (let n = 0; n < more; n++) pass(this.bench);
	}

	get #log() {
		return this.bench.log;
	}

	begin(): number {
		const { batch } = this.#log;
		const id = this.bench.begin();
		const stan = this.bench.stan(id);
		assert.ok(!this.known.has(id) && !this.stans.includes(stan), `id ${id}, STAN ${stan} are new`);
		this.known.set(id, { batch, stan, states: [State.waiting] });
		this.stans.push(stan);
		return id;
	}

	apply(id: number, event: Parameters<LogBench["log"]["apply"]>[1], to: number, code?: typeof APPROVED): void {
		const known = this.known.get(id);
		assert.ok(known);
		known.states.push(to);
		this.#log.apply(id, event, code === undefined ? {} : { outcome: code });
		known.states = [to];
	}

	deliver(): void {
		const id = this.begin();
		this.apply(id, "approve", State.approved, APPROVED);
		this.apply(id, "deliver", State.delivered);
	}

	/** One of each. */
	sell(): void {
		this.deliver();
		this.apply(this.begin(), "noAnswer", State.reversing);
		const reversed = this.begin();
		this.apply(reversed, "noAnswer", State.reversing);
		this.apply(reversed, "reversalAccepted", State.unconfirmed);
		this.deliver();
		this.apply(this.begin(), "decline", State.declined, DECLINED);
	}

	close(): void {
		this.doing = "close";
		assert.equal(this.#log.close(batchAfter(this.#log.batch), 1_700_000_000_000), undefined);
		this.closed();
	}

	closed(): void {
		this.doing = "other";
		this.closing = this.#log.closing?.batch ?? 0;
		assert.ok(this.closing > 0);
	}

	release(): void {
		const { closing, index } = this.#log;
		assert.ok(closing);
		const books: number[] = [];
		for (let id = this.#log.nextInBatch(closing.batch, 0); id !== 0; id = this.#log.nextInBatch(closing.batch, id)) {
			const slot = index.find(id);
			if (stands(index.states[slot], index.kind(slot))) books.push(index.stans[slot]);
		}
		this.books.set(closing.batch, books);
		this.doing = "release";
		assert.equal(this.#log.release(), undefined);
		this.released(closing.batch);
	}

	released(batch: number): void {
		this.doing = "other";
		this.closing = 0;
		this.settled = batch;
	}

	/** Closes, sells in the next batch, is released with a sale waiting, and ends that sale. */
	run(): void {
		this.close();
		this.sell();
		this.waiting = this.begin();
		this.release();
		this.stans.push(this.#log.takeStan());
		this.apply(this.waiting, "approve", State.approved, APPROVED);
		this.waiting = 0;
	}

	/** After a cut: what was acknowledged is there, and what was being written is there or not. */
	check(name: string): void {
		const { index, settledUpTo, closing, batch } = this.#log;
		if (closing === undefined) assert.ok(this.closing === 0 || this.doing === "release", `${name}: closing is known`);
		else {
			assert.equal(batch, batchAfter(closing.batch), name);
			assert.ok(this.closing === closing.batch || this.doing === "close", `${name}: it was not closing`);
			if (this.doing === "close") this.closed();
		}
		if (settledUpTo.batch !== this.settled) {
			assert.equal(this.doing, "release", `${name}: batch ${settledUpTo.batch} is settled`);
			assert.equal(settledUpTo.batch, this.closing, name);
			this.released(this.closing);
		}
		assert.equal(batch, closing === undefined ? batchAfter(this.settled || FIRST - 1) : batchAfter(this.closing), name);
		this.doing = "other";
		for (let slot = 0; slot < index.count; slot++) {
			const known = this.known.get(index.ids[slot]);
			if (known === undefined) {
				// Its intent was written when power went: it is there, and nobody was told.
				assert.equal(index.states[slot], State.waiting, `${name}: transaction ${index.ids[slot]}`);
				assert.equal(slot, index.count - 1, name);
				assert.ok(!this.stans.includes(index.stans[slot]), name);
				this.stans.push(index.stans[slot]);
				this.known.set(index.ids[slot], {
					batch: index.batch(slot),
					stan: index.stans[slot],
					states: [State.waiting],
				});
				this.waiting = index.ids[slot];
			} else {
				assert.ok(known.states.includes(index.states[slot]), `${name}: state of ${index.ids[slot]}`);
				assert.deepEqual([index.batch(slot), index.stans[slot]], [known.batch, known.stan], name);
				known.states = [index.states[slot]];
			}
		}
		const spent: number[] = [State.declined, State.abandoned, State.reversed];
		for (const [id, { states }] of this.known) {
			if (index.find(id) >= 0) continue;
			const gone = states.some((state) => spent.includes(state));
			const over = states.includes(State.delivered) && id <= settledUpTo.id;
			assert.ok(gone || over, `${name}: ${id} is lost`);
			if (gone) continue;
			const { batch: ofBatch, stan } = this.known.get(id) as Known;
			assert.ok(this.books.get(ofBatch)?.includes(stan), `${name}: ${id} is in the books of its batch`);
		}
	}

	/** What a boot makes of what is open; then all batches are closed and released. */
	end(name: string): void {
		const { index } = this.#log;
		for (const [id, known] of this.known) {
			const slot = index.find(id);
			if (slot < 0) continue;
			if (index.states[slot] === State.waiting) this.apply(id, "boot", State.reversing);
			else if (index.states[slot] === State.approved) this.apply(id, "deliver", State.delivered);
			else known.states = [index.states[slot]];
		}
		while (this.settled === 0 || batchAfter(this.settled) !== 2) {
			if (this.closing === 0) this.close();
			this.deliver();
			this.release();
		}
		const paid = new Map<number, number[]>();
		for (const { batch, stan, states } of this.known.values()) {
			if (states[0] !== State.delivered) continue;
			const stans = paid.get(batch) ?? [];
			paid.set(
				batch,
				[...stans, stan].sort((a, b) => a - b),
			);
		}
		for (const [batch, books] of this.books) {
			assert.deepEqual(
				books.sort((a, b) => a - b),
				paid.get(batch) ?? [],
				`${name}: the books of batch ${batch}`,
			);
		}
		for (const [id, { states }] of this.known) {
			const open = states[0] === State.reversing || states[0] === State.unconfirmed;
			if (open) assert.equal(this.bench.state(id), states[0], `${name}: ${id} is still open`);
		}
		const { nonces } = this.bench.seal;
		assert.equal(new Set(nonces).size, nonces.length, `${name}: a nonce came twice`);
	}
}

/** Boots twice, with the same result, and goes on to the end. */
function assertHolds(shop: Shop, name: string): void {
	shop.bench.bootPinned();
	shop.check(name);
	const before = snapshot(shop.bench.log);
	const { closing, batch } = shop.bench.log;
	shop.bench.boot();
	assert.deepEqual(snapshot(shop.bench.log), before, `${name}, later`);
	assert.deepEqual([shop.bench.log.closing, shop.bench.log.batch], [closing, batch], `${name}, later`);
	shop.end(name);
}

/** @returns false when it came to its end */
function cut(run: () => void): boolean {
	try {
		run();
		return false;
	} catch (error) {
		if (!(error instanceof PowerLost)) throw error;
		return true;
	}
}

describe("transactions: power cuts while a batch closes", () => {
	for (const [writeAlign, blocks] of [
		[1, 8],
		[16, 8],
		[32, 7],
	]) {
		it(`loses nothing and settles all once, cut before, within and after each operation, alignment ${writeAlign}`, () => {
			const make = () => new Shop({ blocks, writeAlign });
			const whole = make();
			const from = whole.bench.flash.operations;
			whole.run();
			const operations = whole.bench.flash.operations - from;
			assert.ok(operations > 30, `${operations} operations`);
			const seen = { close: 0, release: 0, other: 0 };
			for (let n = 1; n <= operations; n++) {
				const places: [number, number][] = [
					[CUT_BEFORE, 0],
					[CUT_AFTER, 0],
				];
				for (const shape of [0, 5, 9, 13, TEAR_SHAPES - 1]) places.push([5 + 7 * shape + n, shape]);
				for (const [byte, shape] of places) {
					const shop = make();
					shop.bench.flash.cutAt(shop.bench.flash.operations + n, byte, shape);
					assert.ok(
						cut(() => shop.run()),
						`operation ${n} is reached`,
					);
					seen[shop.doing]++;
					assertHolds(shop, `operation ${n} byte ${byte} shape ${shape}`);
				}
			}
			assert.ok(seen.close >= 7 && seen.release > 70 && seen.other > 70, JSON.stringify(seen));
		}).timeout(60_000);
	}

	it("loses nothing when flash is reclaimed meanwhile, and cut in that", () => {
		let reclaims = 0;
		for (let more = 380; more < 480; more += 3) {
			const make = () => new Shop({ blocks: 8, writeAlign: 1, more });
			const whole = make();
			const from = whole.bench.flash.operations;
			let moves = 0;
			const { log } = whole.bench;
			const { moved } = log;
			log.moved = (...positions) => {
				moves++;
				moved.apply(log, positions);
			};
			whole.run();
			const operations = whole.bench.flash.operations - from;
			if (moves === 0) continue;
			reclaims++;
			for (let n = 1; n <= operations; n++) {
				const shop = make();
				shop.bench.flash.cutAt(shop.bench.flash.operations + n, 7 + n, (n + more) % TEAR_SHAPES);
				assert.ok(cut(() => shop.run()));
				assertHolds(shop, `${more} more, operation ${n}`);
			}
		}
		assert.ok(reclaims > 5, `${reclaims} runs reclaimed`);
	}).timeout(60_000);

	it("loses nothing when the recovery from such a cut is cut as well", () => {
		const make = () => new Shop({ blocks: 8, writeAlign: 1 });
		const whole = make();
		const from = whole.bench.flash.operations;
		whole.run();
		const operations = whole.bench.flash.operations - from;
		for (let n = 1; n <= operations; n++) {
			for (let second = 1; second <= 6; second++) {
				const shop = make();
				shop.bench.flash.cutAt(shop.bench.flash.operations + n, 20 + n, n + second);
				assert.ok(cut(() => shop.run()));
				const name = `cut ${n}, then ${second}`;
				shop.bench.boot();
				shop.bench.flash.cutAt(second, 3 + 11 * second, 2 * n + second);
				// The boot's own record is as uncertain as what it copies: only what is pinned is acted on.
				cut(() => {
					shop.bench.log.journal.pin();
					shop.check(name);
					if (shop.bench.log.closing === undefined) shop.deliver();
					else shop.release();
				});
				assertHolds(shop, name);
			}
		}
	}).timeout(60_000);
});
