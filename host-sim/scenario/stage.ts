/**
 * Where a scenario plays: one shop and its host in one process, on virtual time, and everything around them that a script
 * can move: customers, cards, the line, power, flash, the merchant's account. It decides nothing; run-scenario.ts does.
 * @module
 */
import { type Config, makeConfig } from "../../src/config";
import { assert } from "../../src/core/assert";
import { CodedError } from "../../src/core/errors";
import { UNIONPAY } from "../../src/iso8583/unionpay";
import type { LogSink, Screen } from "../../src/ports";
import type { StoredCard } from "../../src/security/card-seal";
import type { SettlementReport } from "../../src/settlement/settlement-report";
import { KIND_OFFLINE_SALE, KIND_REFUND } from "../../src/transactions/records";
import { Acquirer } from "../acquirer/acquirer";
import { FaultPlan } from "../acquirer/faults";
import type { HostEvent } from "../acquirer/host-events";
import { MemoryLedgerStore } from "../acquirer/ledger-store";
import type { Injection } from "../acquirer/mishaps";
import { forkOf, type IntegerSource } from "../acquirer/random";
import { readStatement, type Statement } from "../acquirer/statement";
import { TEST_TERMINAL } from "../acquirer/test-keys";
import { destroyBlock } from "../board/flash-damage";
import { FlashMedium } from "../board/flash-medium";
import { MemoryLink } from "../board/memory-link";
import type { Presentation } from "../board/scripted-reader";
import { SeededRandom } from "../board/seeded-random";
import { Till } from "../board/till";
import { VirtualTime } from "../board/virtual-clock";
import { findTestCard, TEST_CARDS, type TestCard } from "../test-cards";
import { CaseFiles } from "../world/case-file";
import { checkMoney, type MoneyReport } from "../world/check-money";
import type { MoneyPromise } from "../world/people";
import { Shop, type Visit } from "../world/shop";
import type { Scenario } from "./scenario";

export interface StageOptions {
	readonly scenario: Scenario;
	readonly seed: number;
	/** False: the host knows none of the sync messages. */
	readonly sync: boolean;
	readonly startMs: number;
	onScreen(screen: Screen): void;
	onHost(event: HostEvent): void;
	onInjected(injection: Injection): void;
	onSettled(report: SettlementReport): void;
	onPower(on: boolean): void;
	/** The terminal's own. */
	readonly log: LogSink;
}

const FLASH_BLOCKS = 32;
const REBOOT_MS = 3_000;
/** The host is back from a crash. */
const HOST_BACK_MS = 10_000;
/** A customer is served, or gone, within this. */
const VISIT_S_MAX = 600;

export class Stage {
	readonly time: VirtualTime;
	readonly faults: FaultPlan;
	readonly shop: Shop;
	readonly cases: CaseFiles;
	readonly config: Config;
	readonly promises: MoneyPromise[] = [];
	/** Trace numbers of sales that the operator has promised to give back, or has said to stand. */
	readonly givenBack = new Set<number>();
	powerCuts = 0;
	hostCrashes = 0;
	linkOutages = 0;
	blocksDestroyed = 0;
	/** When the line came back last, virtual ms; 0: it was never gone. */
	lineBackMs = 0;
	readonly #o: StageOptions;
	readonly #random: SeededRandom;
	readonly #network;
	readonly #store = new MemoryLedgerStore();
	readonly #medium: FlashMedium;
	#host: Acquirer | undefined;
	#link: MemoryLink | undefined;
	#linkUp = true;
	/** Blocks that were written to while the sale of a trace number was made. */
	readonly #blocksOf = new Map<number, readonly number[]>();

	constructor(options: StageOptions) {
		const { scenario, seed } = options;
		this.#o = options;
		this.time = new VirtualTime(options.startMs);
		this.#network = this.time.clock();
		this.#random = new SeededRandom(seed);
		this.faults = new FaultPlan(this.#random.fork("faults"));
		this.#medium = new FlashMedium({ blocks: FLASH_BLOCKS });
		this.cases = new CaseFiles(() => this.time.nowMs);
		const { terminalId, merchantId } = TEST_TERMINAL;
		// By key only, where the script does not say otherwise: a settlement is one of its acts.
		this.config = makeConfig({ terminalId, merchantId, settleAtMinute: -1, ...scenario.config });
		this.#startHost();
		this.shop = this.#openShop();
		this.shop.provision();
	}

	/** A source of chance for the script. */
	random(label: string): SeededRandom {
		return this.#random.fork(label);
	}

	/** Moves on until that moment. */
	runTo(timeMs: number): void {
		if (timeMs > this.time.nowMs) this.time.advance(timeMs - this.time.nowMs);
	}

	/** At that time, whatever is under way then. */
	later(ms: number, action: () => void): void {
		this.#network.setTimer(ms, action);
	}

	/** One customer from coming to going. */
	serve(amountMinor: number, presentation: Presentation): Visit {
		const before = this.#medium.image.slice();
		const visit = this.shop.sell(amountMinor, presentation, () => {});
		for (let s = 0; s < VISIT_S_MAX && !visit.ended; s++) this.time.advance(1_000);
		assert(visit.ended, "a customer is served, or gone");
		this.#blocksOf.set(visit.stan, changedBlocks(this.#medium, before));
		return visit;
	}

	/** @returns its trace number. @throws {CodedError} "state" when the terminal does not take it */
	sellOffline(amountMinor: number, card: TestCard): number {
		const advice = { ...this.#advice(amountMinor, card), kind: KIND_OFFLINE_SALE };
		return this.#forward("offlineSale", advice, card, 0);
	}

	/** @returns its trace number. @throws {CodedError} "state" when the terminal does not take it, "missing" original */
	refund(amountMinor: number, card: TestCard, originalStan: number): number {
		const { log } = this.shop.terminal;
		const id = log.findByStan(log.batch, originalStan);
		const outcome = id === 0 ? undefined : log.outcome(id);
		if (outcome === undefined) throw new CodedError("missing", `stan ${originalStan}`, "no sale to refund");
		const original = {
			originalBatch: log.batch,
			originalStan,
			originalDate: outcome.hostTime.slice(6, 10),
			rrn: outcome.rrn,
			authorization: outcome.authorization,
		};
		const advice = { ...this.#advice(amountMinor, card), kind: KIND_REFUND, original };
		return this.#forward("refund", advice, card, originalStan);
	}

	setLink(up: boolean): void {
		if (up && !this.#linkUp) this.lineBackMs = this.time.nowMs;
		if (!up && this.#linkUp) this.linkOutages++;
		this.#linkUp = up;
		if (this.#link !== undefined) this.#link.up = up;
	}

	/** Flash loses the blocks that this sale was written to, and power goes with them. */
	loseFlash(stan: number): void {
		this.shop.pullPlug();
		for (const block of this.#blocksOf.get(stan) ?? []) {
			destroyBlock(this.#medium, block, "noise", this.#random.fork(`block ${block}`));
			this.blocksDestroyed++;
		}
	}

	mendAccount(): void {
		const { terminalId, merchantId } = this.config;
		this.#host?.backOffice.mendAccount({ terminalId, merchantId }, this.time.nowMs);
		this.#host?.officeChanged();
	}

	statement(): Statement {
		return readStatement(this.#store, TEST_CARDS);
	}

	/** The host's ledgers against what people were told: by screen, slip, and the operator's word. */
	money(): MoneyReport {
		const { till } = this.shop;
		const witness = {
			stans: () => till.stans(),
			toldAmount: (stan: number) => till.toldAmount(stan),
			told: (stan: number) => (this.givenBack.has(stan) ? ("notCharged" as const) : till.told(stan)),
		};
		return checkMoney(this.statement().entries, witness, this.promises);
	}

	#advice(amountMinor: number, card: TestCard) {
		return {
			amountMinor,
			timeS: Math.floor(this.shop.clock.now() / 1_000),
			entryMode: card.entryMode === "contactless" ? "072" : "052",
			condition: "00",
			field60Rest: "00060",
		};
	}

	#forward(
		kind: MoneyPromise["kind"],
		advice: Parameters<Shop["terminal"]["forward"]>[0],
		card: TestCard,
		originalStan: number,
	): number {
		const { terminal } = this.shop;
		const { pan, expiry, sequence } = card;
		const stored: StoredCard = { pan, expiry, ...(sequence === undefined ? {} : { sequence }) };
		const taken = terminal.forward(advice, stored);
		if (typeof taken === "string") throw new CodedError("state", kind, taken);
		const { batch, index } = terminal.log;
		const stan = index.stans[terminal.log.find(taken)];
		const { terminalId } = this.config;
		const { amountMinor } = advice;
		const originalBatch = originalStan === 0 ? 0 : batch;
		this.promises.push({ terminalId, kind, batch, stan, amountMinor, originalBatch, originalStan });
		return stan;
	}

	#openShop(): Shop {
		const { onScreen, log, onPower, onSettled } = this.#o;
		return new Shop({
			medium: this.#medium,
			config: this.config,
			log,
			random: this.#random.fork("shop"),
			till: new Till(),
			makeClock: (power) => this.time.clock(power),
			makeLinks: (power, clock) => {
				this.#link = new MemoryLink({ power, clock, network: this.#network, host: () => this.#host });
				this.#link.up = this.#linkUp;
				return [this.#link];
			},
			onTerminal: (terminal) => {
				this.cases.watch(terminal);
				terminal.onSettled = onSettled;
			},
			onScreen,
			onPowerLost: () => {
				this.powerCuts++;
				onPower(false);
				this.#network.setTimer(REBOOT_MS, () => {
					onPower(true);
					this.shop.boot();
				});
			},
		});
	}

	#startHost(): void {
		const { scenario, sync, onHost, onInjected } = this.#o;
		const random = this.#random.fork("host");
		this.#host = new Acquirer({
			clock: this.#network,
			random: new SteeredRandom(random, scenario),
			store: this.#store,
			faults: this.faults,
			dialect: UNIONPAY,
			sync,
			forgetful: scenario.forgetful === true,
			office: { ...scenario.office, onInjected },
			onEvent: onHost,
			onCrash: () => {
				this.#host = undefined;
				this.hostCrashes++;
				this.#network.setTimer(HOST_BACK_MS, () => this.#startHost());
			},
		});
	}
}

/** Chance as it is, but for the draws that say which way a fault goes, where the script says it. */
class SteeredRandom implements IntegerSource {
	readonly #random: IntegerSource;
	readonly #scenario: Scenario;

	constructor(random: IntegerSource, scenario: Scenario) {
		this.#random = random;
		this.#scenario = scenario;
	}

	below(bound: number): number {
		return this.#random.below(bound);
	}

	fork(label: string): IntegerSource {
		const fork = forkOf(this.#random, label);
		const { altered, totals } = this.#scenario;
		// Mishaps, of three ways to alter an amount: 0 more everywhere, 1 less in the record.
		if (label === "mishaps" && altered !== undefined) return steer(fork, 3, altered === "more" ? 0 : 1);
		// BackOffice, of two ways to falsify totals: 0 an error, 1 another sum.
		if (label === "office" && totals !== undefined) return steer(fork, 2, totals === "error" ? 0 : 1);
		return fork;
	}
}

/** Each draw of that bound comes to `draw`. */
function steer(random: IntegerSource, bound: number, draw: number): IntegerSource {
	return { below: (wanted) => (wanted === bound ? draw : random.below(wanted)) };
}

function changedBlocks(medium: FlashMedium, before: Uint8Array): number[] {
	const { image, blocks, blockLength } = medium;
	const changed: number[] = [];
	for (let block = 0; block < blocks; block++) {
		for (let at = block * blockLength; at < (block + 1) * blockLength; at++) {
			if (image[at] === before[at]) continue;
			changed.push(block);
			break;
		}
	}
	return changed;
}

/** @throws {CodedError} "unknown" */
export function cardNamed(name: string): TestCard {
	const card = findTestCard(name);
	if (card === undefined) throw new CodedError("unknown", `card ${name}`);
	return card;
}
