/**
 * Goal: whatever moment power goes, what cases and watches have acknowledged is there at the next boot, and nothing old comes
 * back, over full turns of the ring (I2, I7).
 * Method: boot after boot does some steps on a real journal. Each boot is repeated with power going before, within and
 * behind each of its flash operations; what is found then must be what the clean run had before the step, or after it.
 */
import { strict as assert } from "node:assert";
import { CUT_AFTER, CUT_BEFORE } from "../../host-sim/board/flash-cut";
import type { FlashMedium } from "../../host-sim/board/flash-medium";
import { PowerLost } from "../../host-sim/board/power";
import { SeededRandom } from "../../host-sim/board/seeded-random";
import { CodedError } from "../../src/core/errors";
import { CaseState, EVENTS, isOpen } from "../../src/settlement/case-states";
import { type CaseRow, isCaseRow, ROW_NAMES, rowName } from "../../src/settlement/finding";
import { FACTS_END, nextStep } from "../../src/settlement/remedies";
import { type BenchOptions, KeeperBench, type KeeperBoot } from "./keeper-bench";
import { someCase } from "./some-cases";

const ROWS = ROW_NAMES.filter(isCaseRow);
const STEPS = 7;
const PIN_TRIES = 40;

/** What must be the same after a boot, and what may come back or go: closed cases, as they were. */
interface View {
	lasting: string;
	closed: Map<number, string>;
	newest: number;
}

function view({ cases, watches }: KeeperBoot): View {
	const open: string[] = [];
	const closed = new Map<number, string>();
	let newest = 0;
	for (let id = cases.next(0); id !== 0; id = cases.next(id)) {
		const record = cases.get(id);
		const text = JSON.stringify({ ...record, requestId: [...record.requestId] });
		assert.equal(record.state, cases.state(id));
		if (isOpen(record.state)) open.push(text);
		else closed.set(id, text);
		newest = id;
	}
	const watched: string[] = [];
	for (let n = watches.next(0); n !== 0; n = watches.next(n)) watched.push(JSON.stringify(watches.get(n)));
	return { lasting: JSON.stringify([open, watched.sort()]), closed, newest };
}

/** One record at most, by what is there and by chance. */
function step(boot: KeeperBoot, random: SeededRandom): void {
	const { cases, watches, journal } = boot;
	const what = random.below(20);
	if (what < 3) boot.fill(200 + random.below(200));
	else if (what === 3) boot.settle();
	else if (what === 4) journal.idle();
	else if (what === 5) journal.prepare(300);
	else if (what < 8) {
		const from = 1 + random.below(500);
		const count = 1 + random.below(15);
		const list = Array.from({ length: count }, (_, at) => ({ ...WATCH, stan: from + at }));
		watches.add(1 + random.below(3), list);
	} else if (what < 13) {
		let n = watches.next(0);
		for (let skip = random.below(20); skip > 0 && watches.next(n) !== 0; skip--) n = watches.next(n);
		if (n === 0) return;
		const { batch, stan } = watches.get(n);
		watches.done(batch, stan);
	} else if (what < 15) cases.open(someCase(1 + random.below(900), random.pick(ROWS)), random.below(9_999));
	else move(boot, random);
}

const WATCH = { kind: 1, amountMinor: 500, rrn: "112200000001", dueS: 77 };

/** Any event that some open case takes. */
function move({ cases }: KeeperBoot, random: SeededRandom): void {
	let id = cases.nextOpen(0);
	for (let skip = random.below(3); skip > 0 && cases.nextOpen(id) !== 0; skip--) id = cases.nextOpen(id);
	if (id === 0) return;
	const taken = EVENTS.filter((event) => cases.takes(id, event));
	const event = random.pick(taken);
	const { row, step: done, turns } = cases.get(id);
	const name = rowName(row) as CaseRow;
	if (["asked", "waits", "asksOperator", "supports", "over"].includes(event)) {
		const next = nextStep(name, done, turns, random.below(FACTS_END));
		if (!cases.takes(id, "waits")) return;
		cases.beginStep(id, next, 5, { requestId: cases.newRequestId(id, random), requestMinor: 100 });
	} else if (event === "differs") {
		const others = ROWS.filter((other) => other !== name);
		const state = cases.state(id);
		if (state !== CaseState.asking && state !== CaseState.granted && state !== CaseState.support) {
			cases.apply(id, event, 6, { row: random.pick(others) });
		}
	} else cases.apply(id, event, 7, random.chance(1, 2) ? { tries: random.below(99) } : {});
}

class Life {
	readonly options: BenchOptions;
	readonly bench: KeeperBench;
	/** Every closed case, as it was closed. */
	readonly ended = new Map<number, string>();
	cuts = 0;
	readonly #seed: number;

	constructor(options: BenchOptions) {
		this.options = options;
		this.bench = new KeeperBench(options);
		this.#seed = options.seed ?? 1;
	}

	/** @returns what is there before each step and after the last one */
	run(boot: KeeperBoot, number: number, onStep: (at: number) => void = () => {}): View[] {
		const trace: View[] = [];
		boot.journal.pin();
		trace.push(view(boot));
		for (let at = 0; at < STEPS; at++) {
			onStep(at);
			try {
				step(boot, new SeededRandom(this.#seed).fork(`${number} ${at}`));
			} catch (error) {
				if (!(error instanceof CodedError) || error.code !== "full") throw error;
			}
			trace.push(view(boot));
		}
		return trace;
	}

	/** A boot over `medium` that finds what it must. */
	mount(medium: FlashMedium, found: readonly View[], where: string): KeeperBoot {
		for (let tries = 0; ; tries++) {
			const boot = this.bench.next(medium).mount();
			try {
				boot.journal.pin();
			} catch (error) {
				// The last record read one way in the mount and another in the pin.
				if (!(error instanceof CodedError) || error.code !== "damaged" || tries === PIN_TRIES) throw error;
				continue;
			}
			const { lasting, closed, newest } = view(boot);
			const fits = found.some((one) => one.lasting === lasting && one.newest === newest);
			assert.ok(fits, `${where}\n${lasting}\nis none of\n${found.map((one) => one.lasting).join("\n")}`);
			for (const [id, text] of closed) assert.equal(text, this.ended.get(id) ?? text, `${where} case ${id}`);
			return boot;
		}
	}

	note(trace: readonly View[]): void {
		for (const { closed } of trace) {
			for (const [id, text] of closed) {
				assert.equal(this.ended.get(id) ?? text, text, `a closed case has changed: ${id}`);
				this.ended.set(id, text);
			}
		}
	}

	/** One boot, and the same with every cut; then once more without, for good. */
	boot(number: number): void {
		const { bench } = this;
		const start = bench.medium.clone();
		const boot = bench.next(bench.medium).mount();
		const trace = this.run(boot, number);
		this.note(trace);
		const { operations } = boot.flash;
		for (let operation = 1; operation <= operations; operation++) {
			for (const byte of [CUT_BEFORE, 1 + ((operation * 37) % 200), CUT_AFTER]) {
				this.#cut(start.clone(), number, operation, byte, trace);
			}
		}
		bench.boot();
		assert.equal(view(bench.now).lasting, trace[STEPS].lasting, `boot ${number}`);
	}

	#cut(medium: FlashMedium, number: number, operation: number, byte: number, trace: readonly View[]): void {
		const where = `seed ${this.#seed} boot ${number} cut ${operation}.${byte}`;
		const boot = this.bench.next(medium).mount();
		boot.flash.cutAt(operation, byte, operation + byte);
		let at = -1;
		try {
			this.run(boot, number, (n) => {
				at = n;
			});
			assert.fail(`${where}: no cut`);
		} catch (error) {
			if (!(error instanceof PowerLost)) throw error;
		}
		this.cuts++;
		const found = at < 0 ? [trace[0]] : [trace[at], trace[at + 1]];
		const next = this.mount(medium, found, where);
		// What it has found is the truth from now on, whatever the old cells read as later.
		const seen = view(next);
		next.fill();
		this.mount(medium, [seen], `${where}, once more`);
	}
}

function lives(options: BenchOptions, boots: number): Life {
	const life = new Life(options);
	for (let number = 0; number < boots; number++) life.boot(number);
	return life;
}

describe("settlement: cases and watches, with power going at every operation", function () {
	this.timeout(60_000);

	for (const [seed, writeAlign] of [
		[1, 1],
		[2, 32],
	]) {
		it(`are what was acknowledged, over turns of the ring; write unit ${writeAlign}`, () => {
			const options = { seed, writeAlign, blocks: 10, openMax: 3, closedMax: 2, watchesMax: 40 };
			const life = lives(options, 24);
			assert.ok(life.cuts > 600, `${life.cuts} cuts`);
			assert.ok(life.ended.size > 2, `${life.ended.size} closed`);
		});
	}

	it("never come back once done, where the ring has come round many times", () => {
		for (let seed = 1; seed <= 12; seed++) {
			const options = { seed, blocks: 8 + (seed % 5), openMax: 3, closedMax: 2, watchesMax: 40 };
			const life = new Life(options);
			let written = 0;
			for (let number = 0; number < 120; number++) {
				const boot = life.bench.next(life.bench.medium).mount();
				const trace = life.run(boot, number);
				life.note(trace);
				written += boot.flash.bytesProgrammed;
				const { lasting, newest } = trace[STEPS];
				const after = view(life.bench.next(life.bench.medium).mount());
				assert.deepEqual([after.lasting, after.newest], [lasting, newest], `seed ${seed} boot ${number}`);
			}
			const turns = written / (options.blocks * 4_096);
			assert.ok(turns > 3, `seed ${seed}: ${turns} turns`);
		}
	});
});
