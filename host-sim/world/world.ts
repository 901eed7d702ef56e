/**
 * One world from its seed to its verdict. See DESIGN.md: two phases, one clock, one generator.
 * @module
 */
import { AssertionError } from "../../src/core/assert";
import { CodedError } from "../../src/core/errors";
import { UNIONPAY } from "../../src/iso8583/unionpay";
import { UNIONPAY_DUKPT } from "../../src/iso8583/unionpay-dukpt";
import type { Terminal } from "../../src/terminal";
import { Acquirer } from "../acquirer/acquirer";
import type { FaultName } from "../acquirer/fault-names";
import { FaultPlan } from "../acquirer/faults";
import { MemoryLedgerStore } from "../acquirer/ledger-store";
import { type LedgerEntry, readStatement } from "../acquirer/statement";
import { makePack } from "../board/make-pack";
import { SeededRandom } from "../board/seeded-random";
import { type VirtualClock, VirtualTime } from "../board/virtual-clock";
import { TEST_CARDS } from "../test-cards";
import { checkMoneyOfAll, type MoneyReport } from "./check-money";
import { CoverageCounter } from "./coverage";
import { type CauseMatrix, Office } from "./office";
import { OfficePeople } from "./office-people";
import { type MoneyPromise, People } from "./people";
import type { WorldFailure, WorldOptions, WorldReport } from "./report";
import { Station } from "./station";
import { terminalEntries } from "./station-keys";
import { Story } from "./story";
import { Strikes } from "./strikes";
import { drawPlan, type WorldPlan } from "./swarm";
import { Weather } from "./weather";
import { Witness } from "./witness";

const FAILURES_MAX = 16;
/** The host says that there is no debit, and holds one. */
const CONTRADICTIONS: readonly FaultName[] = ["declinedBooked", "reversalForgotten"];
const HOUR_MS = 3_600_000;
/** The first phase ends here at the latest. */
const FAULTS_MS_MAX = 72 * HOUR_MS;
/** All is at rest by then (B2). */
const REST_MS_MAX = 24 * HOUR_MS;
/** Where the books were put out of place all of it is settled by then, or waits for people. */
const SETTLED_MS_MAX = 96 * HOUR_MS;
const SETTLED_CHECK_MS = 600_000;
/** Longer than any frame lies in the network: what comes late comes within it. */
const LATE_MS = 900_000;
const REST_CHECK_MS = 10_000;
/** A world that does not end is wrong itself. */
const STEPS_MAX = 4_000_000;
/** Of which evidence is checked at the end: so many cases of a terminal. */
const PACKS = 3;

/** The run was to end at this step. */
class Stopped extends Error {
	override readonly name = "Stopped";
}

interface Post {
	readonly station: Station;
	readonly weather: Weather;
	readonly people: People;
	readonly witness: Witness;
	readonly office: Office;
	readonly officePeople: OfficePeople;
}

/** @throws AssertionError for options that no world has */
export function runWorld(options: WorldOptions): WorldReport {
	return new World(options).run();
}

class World {
	readonly #options: WorldOptions;
	readonly #random: SeededRandom;
	readonly #plan: WorldPlan;
	readonly #time: VirtualTime;
	readonly #network: VirtualClock;
	readonly #story: Story;
	readonly #strikes: Strikes;
	readonly #faults: FaultPlan;
	readonly #store = new MemoryLedgerStore();
	readonly #posts: Post[] = [];
	readonly #promises: MoneyPromise[] = [];
	readonly #failures: WorldFailure[] = [];
	readonly #coverage = new CoverageCounter();
	readonly #entries;
	#host: Acquirer | undefined;
	#done = 0;
	#powerCuts = 0;
	#healedMs = 0;
	#matrix: CauseMatrix = {};
	#resolveMs: readonly number[] = [];
	/** Of the story up to the verdict: evidence is made by who can check it, and moves nothing. */
	#hash: string | undefined;

	constructor(options: WorldOptions) {
		this.#options = options;
		this.#random = new SeededRandom(options.seed).fork("world");
		this.#plan = drawPlan(this.#random.fork("plan"));
		this.#time = new VirtualTime(this.#plan.startMs);
		this.#network = this.#time.clock();
		this.#story = new Story(this.#time, options.onStory);
		this.#strikes = new Strikes({
			rates: this.#plan.rates,
			random: this.#random.fork("strikes"),
			...(options.without === undefined ? {} : { without: options.without }),
			...(options.only === undefined ? {} : { only: options.only }),
			onStrike: (_kind, name) => {
				this.#story.line(-1, "world", name);
			},
		});
		this.#faults = new FaultPlan(this.#random.fork("faults"), {}, (name) => this.#strikes.confirm(name));
		this.#entries = terminalEntries(this.#plan.terminals.length);
	}

	run(): WorldReport {
		try {
			this.#begin();
			this.#runUntil(() => this.#done === this.#posts.length, FAULTS_MS_MAX);
			this.#heal();
			this.#rest();
			this.#settleBooks();
			this.#judgeMoney();
			this.#bootOnceMore();
			this.#settleBooks();
			this.#judge();
			this.#hash = this.#story.hash;
			this.#verifyEvidence();
		} catch (error) {
			if (!(error instanceof Stopped)) this.#fail("world", -1, textOf(error));
		}
		return this.#report();
	}

	#begin(): void {
		for (const kind of this.#faults.names) {
			const rate = this.#plan.rates[kind];
			if (rate !== undefined) this.#faults.setRate(kind, rate / 1_000);
		}
		this.#startHost();
		const customers = this.#options.customers ?? this.#plan.customers;
		const count = this.#plan.terminals.length;
		for (let n = 0; n < count; n++) {
			// The first terminals get what does not divide.
			this.#open(n, Math.floor(customers / count) + (n < customers % count ? 1 : 0));
		}
	}

	#open(number: number, customers: number): void {
		const plan = this.#plan.terminals[number];
		const random = this.#random.fork(`terminal ${number}`);
		const story = this.#story;
		const strikes = this.#strikes;
		let weather: Weather | undefined;
		let witness: Witness | undefined;
		const office = new Office({
			terminalId: this.#entries[number].terminalId,
			nowMs: () => this.#time.nowMs,
			lateOriginalMs: () => station.config.lateOriginalMs,
			isDenied: (stan) => officePeople.denied.has(stan),
			onCase: ({ id, stan, cause, rows, changes }) => {
				const { event, state, step } = changes[changes.length - 1];
				const row = rows[rows.length - 1];
				story.line(number, "case", `${id} stan=${stan} ${row} ${cause}: ${event} -> ${state} ${step ?? ""}`);
				if (changes.length === 1) this.#coverage.count(`case:${row}`);
				if (step !== undefined) this.#coverage.count(`remedy:${step}`);
				this.#coverage.count(`caseState:${state}`);
				officePeople.look();
			},
		});
		const station: Station = new Station({
			number,
			plan,
			keyScheme: this.#plan.keyScheme,
			entry: this.#entries[number],
			time: this.#time,
			network: this.#network,
			random: random.fork("station"),
			strikes,
			story,
			host: () => this.#host,
			onFlash: (flash) => weather?.onFlash(flash),
			onTerminal: (terminal) => {
				witness?.attach(terminal);
				office.attach(terminal);
			},
			onBooted: () => {
				witness?.booted(station.shop.terminal);
				officePeople.look();
			},
			onPowerLost: () => {
				this.#powerCuts++;
				witness?.powerLost();
			},
			onScreen: (screen) => witness?.screen(screen),
			onSlip: (slip, paper) => witness?.slip(slip, paper),
			onLog: (level, tag, text) => witness?.logLine(level, tag, text),
			onWrite: (bytes, connection) => witness?.frameWritten(bytes, connection),
			onArrival: (bytes, connection) => witness?.frameArrived(bytes, connection),
			cashierDenies: () => strikes.strikes("cashierDenies"),
			onDeliveryAnswer: (stan, delivered) => witness?.deliveryAnswered(stan, delivered),
			cashierMs: () => (strikes.strikes("cashierSlow") ? strikes.random("cashierSlow").below(300_000) : 2_000),
		});
		witness = new Witness({
			fail: (invariant, text) => this.#fail(invariant, number, text),
			terminalId: station.config.terminalId,
			config: station.config,
			media: station.media,
			evidence: station.evidence,
			keys: station.keys,
			cards: TEST_CARDS,
			random: random.fork("witness"),
			count: (key) => this.#coverage.count(key),
		});
		witness.attach(station.shop.terminal);
		office.attach(station.shop.terminal);
		const o = { station, network: this.#network, strikes, story };
		const mistakes = new Set<number>();
		const officePeople: OfficePeople = new OfficePeople({
			...o,
			plan: this.#plan.office,
			host: () => this.#host,
			isMistake: (stan) => mistakes.has(stan),
			isSold: (stan) =>
				station.shop.till.told(stan) === "paid" ||
				this.#promises.some((promise) => promise.terminalId === station.config.terminalId && promise.stan === stan),
		});
		weather = new Weather({ ...o, random: random.fork("weather") });
		const people = new People({
			...o,
			cards: TEST_CARDS,
			random: random.fork("people"),
			customers,
			onPresented: (amountMinor, presentation) => witness.presented(amountMinor, presentation),
			beforeCustomer: () => {
				weather.beforeCustomer();
				if (strikes.strikes("hostKilled")) this.#killHost();
			},
			onPromise: (promise) => this.#promises.push(promise),
			onMistake: (stan) => {
				mistakes.add(stan);
				office.note(stan, "enteredTwice");
			},
			onDone: () => {
				this.#done++;
			},
		});
		this.#posts.push({ station, weather, people, witness, office, officePeople });
		station.shop.provision();
		station.keys.inService = true;
		station.boot();
		people.start();
	}

	#startHost(): void {
		const { office } = this.#plan;
		if (office.forgetsTwice) this.#faults.tracelessMax = 2;
		this.#host = new Acquirer({
			clock: this.#network,
			random: this.#random.fork("host"),
			store: this.#store,
			faults: this.#faults,
			cards: TEST_CARDS,
			terminals: this.#entries,
			dialect: this.#plan.keyScheme === "dukpt" ? UNIONPAY_DUKPT : UNIONPAY,
			...(this.#plan.forgetful ? { forgetful: true } : {}),
			sync: office.sync,
			office: {
				postingDelayMs: office.postingDelayMs,
				postingLateMs: office.postingLateMs,
				desk: { policy: office.deskPolicy, lateMs: office.deskLateMs, doneMs: office.deskDoneMs },
				onInjected: (injection) => {
					for (const post of this.#posts) {
						post.office.inject(injection);
						const own = injection.key.terminalId === post.station.config.terminalId;
						if (own && injection.fault === "postingRefused") post.officePeople.postingRefused();
						if (own && CONTRADICTIONS.includes(injection.fault)) post.witness.contradicted(injection.key.stan);
					}
				},
			},
			// What it says is in its answers, which the trace has: texts are made for a reader only.
			...(this.#story.read ? { onEvent: ({ text }) => this.#story.tell(-1, "host", text) } : {}),
			onCrash: () => this.#restartHost(),
		});
	}

	#killHost(): void {
		if (this.#host === undefined) return;
		this.#story.line(-1, "host", "killed");
		this.#host.kill();
		this.#restartHost();
	}

	#restartHost(): void {
		this.#host = undefined;
		const ms = 500 + this.#strikes.random("hostKilled").below(60_000);
		this.#network.setTimer(ms, () => {
			this.#story.line(-1, "host", "starts again");
			this.#startHost();
		});
	}

	/** The second phase begins. */
	#heal(): void {
		this.#story.line(-1, "world", "healed: nothing breaks any more");
		this.#strikes.end();
		this.#faults.clear();
		this.#healedMs = this.#time.nowMs;
		for (const { station, weather, officePeople } of this.#posts) {
			weather.heal();
			officePeople.heal();
			station.shop.till.paperSlips = 1_000_000;
		}
	}

	#rest(): void {
		if (!this.#runUntil(() => this.#atRest, REST_MS_MAX)) {
			this.#fail("rest", -1, `not at rest ${REST_MS_MAX / HOUR_MS} h after the last fault: ${this.#unrest()}`);
			return;
		}
		// What lies in the network still comes, and must not stir anything up for long.
		this.#advance(LATE_MS);
		if (!this.#runUntil(() => this.#atRest, REST_MS_MAX)) this.#fail("rest", -1, `stirred up late: ${this.#unrest()}`);
	}

	/** Books that were put out of place: found, explained and settled by the terminals, or somebody else's to move. */
	#settleBooks(): void {
		if (!this.#plan.office.faulty) return;
		const end = this.#time.nowMs + SETTLED_MS_MAX;
		while (!this.#booksSettled) {
			if (this.#time.nowMs >= end) return; // The verdict says what is not.
			this.#advance(SETTLED_CHECK_MS);
		}
	}

	get #booksSettled(): boolean {
		if (!this.#atRest) return false;
		const { rows } = this.#money();
		return this.#posts.every(({ office, station }) =>
			office.isSettled(rows.filter(({ terminalId }) => terminalId === station.config.terminalId)),
		);
	}

	/** What flash says must be what the terminal did: a boot that finds work to do has been told something else. */
	#bootOnceMore(): void {
		for (const { witness } of this.#posts) witness.rest();
		for (const { station } of this.#posts) station.shop.pullPlug();
		if (!this.#runUntil(() => this.#atRest, REST_MS_MAX))
			this.#fail("rest", -1, `after a last boot: ${this.#unrest()}`);
	}

	get #atRest(): boolean {
		if (this.#host === undefined) return false;
		return this.#posts.every(
			({ station: { shop } }) => shop.power.on && shop.visit === undefined && shop.terminal.atRest,
		);
	}

	#unrest(): string {
		const restless = this.#posts.filter(({ station: { shop } }) => !shop.power.on || !shop.terminal.atRest);
		return restless
			.map(({ station: { number, shop } }) => {
				if (!shop.power.on) return `terminal ${number} is off`;
				const { queued, advices, doubts } = shop.terminal.summary();
				return `terminal ${number}: ${queued} reversals, ${advices} advices, ${doubts} doubts, ${shop.terminal.phase}`;
			})
			.join("; ");
	}

	#judge(): void {
		for (const { witness } of this.#posts) witness.end();
		this.#judgeMoney();
	}

	/** Of each terminal with a partition for frames: the newest cases, for somebody who has neither its firmware nor its word. */
	#verifyEvidence(): void {
		const { verifyPack } = this.#options;
		if (verifyPack === undefined) return;
		for (const [number, { station, witness }] of this.#posts.entries()) {
			const { terminal } = station.shop;
			if (station.evidence === undefined) continue;
			let newest = 0;
			for (let id = terminal.cases.next(0); id !== 0; id = terminal.cases.next(id)) newest = id;
			for (let id = terminal.cases.next(Math.max(0, newest - PACKS)); id !== 0; id = terminal.cases.next(id)) {
				const pack = this.#pack(terminal, id);
				if (pack === undefined) continue;
				const wrong = verifyPack(pack);
				if (wrong !== undefined) this.#fail("evidence", number, `case ${id}: ${wrong}`);
				this.#coverage.count("evidence:case");
				witness.pack(pack);
			}
		}
	}

	/** As soon as nothing is on the line. @returns undefined when the case has made way meanwhile */
	#pack(terminal: Terminal, id: number): Uint8Array | undefined {
		for (const end = this.#time.nowMs + HOUR_MS; ; this.#advance(REST_CHECK_MS)) {
			try {
				return makePack(terminal, { case: id });
			} catch (error) {
				if (terminal.cases.state(id) === 0) return undefined;
				if (!(error instanceof CodedError && error.code === "state" && this.#time.nowMs < end)) throw error;
			}
		}
	}

	/** Before the last boot as well: what was forgotten is taken up again there. */
	#judgeMoney(): void {
		const money = this.#money();
		this.#matrix = {};
		const resolveMs: number[] = [];
		for (const [number, { office, station }] of this.#posts.entries()) {
			const { terminalId } = station.config;
			const rows = money.rows.filter((row) => row.terminalId === terminalId);
			const verdict = office.judge(this.#plan.office.faulty ? rows : [], this.#healedMs);
			for (const { stan, text } of verdict.wrong) this.#fail("I6", number, `stan=${stan}: ${text}`);
			for (const key of Object.keys(verdict.matrix)) {
				this.#matrix[key] = (this.#matrix[key] ?? 0) + verdict.matrix[key];
			}
			resolveMs.push(...verdict.resolveMs);
		}
		this.#resolveMs = resolveMs;
		for (const { terminalId, stan, wrong } of money.rows) {
			const number = this.#posts.findIndex(({ station }) => station.config.terminalId === terminalId);
			// Where nothing puts the books out of place a case is no excuse.
			if (wrong !== undefined && !(this.#plan.office.faulty && number >= 0)) {
				this.#fail("I6", number, `stan=${stan}: ${wrong}`);
			}
		}
		if (!money.conserved && money.oneSided === 0) {
			this.#fail("I6", -1, `cards ${money.cardNetMinor}, merchants ${money.merchantNetMinor}`);
		}
	}

	/** The ledgers against what people were told: by screen, slip, and the operator's word. */
	#money(): MoneyReport {
		const books = this.#posts.map(({ station, officePeople: { givenBack } }) => {
			const { till } = station.shop;
			return {
				terminalId: station.config.terminalId,
				till: {
					stans: () => till.stans(),
					toldAmount: (stan: number) => till.toldAmount(stan),
					told: (stan: number) => (givenBack.has(stan) ? ("notCharged" as const) : till.told(stan)),
				},
				promises: this.#promises,
			};
		});
		return checkMoneyOfAll(this.#ledger(), books);
	}

	#ledger(): LedgerEntry[] {
		return readStatement(this.#store, TEST_CARDS).entries;
	}

	/** @returns false when `ms` have gone before it was reached */
	#runUntil(reached: () => boolean, ms: number): boolean {
		const end = this.#time.nowMs + ms;
		while (!reached()) {
			if (this.#time.nowMs >= end) return false;
			this.#advance(REST_CHECK_MS);
		}
		return true;
	}

	#advance(ms: number): void {
		const time = this.#time;
		const story = this.#story;
		const untilStep = this.#options.untilStep ?? STEPS_MAX;
		const end = time.nowMs + ms;
		while (time.nextDueMs <= end) {
			if (story.step >= untilStep) {
				if (this.#options.untilStep === undefined) throw new CodedError("overflow", "world", "it does not end");
				throw new Stopped();
			}
			story.step++;
			time.step();
		}
		time.advance(end - time.nowMs);
	}

	#fail(invariant: string, terminal: number, text: string): void {
		this.#story.tell(terminal, "check", `${invariant} BROKEN: ${text}`);
		if (this.#failures.length >= FAILURES_MAX) return;
		this.#failures.push({ invariant, step: this.#story.step, atMs: this.#time.nowMs, terminal, text });
	}

	#report(): WorldReport {
		this.#coverage.addFaults(this.#strikes.counts);
		const entries = this.#ledger();
		return {
			seed: this.#options.seed,
			hash: this.#hash ?? this.#story.hash,
			steps: this.#story.step,
			virtualMs: this.#time.nowMs - this.#plan.startMs,
			terminals: this.#posts.length,
			sales: this.#posts.reduce((sum, { people }) => sum + people.sales, 0),
			approved: entries.filter(({ code }) => code === "00").length,
			reversed: entries.filter(({ reversed }) => reversed).length,
			powerCuts: this.#powerCuts,
			failures: this.#failures,
			coverage: this.#coverage.coverage(),
			strikes: this.#strikes.struck,
			causes: this.#matrix,
			resolveMs: this.#resolveMs,
		};
	}
}

/** Engines differ in their own texts (I12): only ours are told. */
function textOf(error: unknown): string {
	if (error instanceof AssertionError || error instanceof CodedError) return error.message;
	return `unexpected ${(error as Error).name}`;
}
