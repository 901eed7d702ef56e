/**
 * A shop and its host on virtual time, in one process: what most tests of a transaction's life need.
 */
import { Acquirer } from "../../../host-sim/acquirer/acquirer";
import { FaultPlan } from "../../../host-sim/acquirer/faults";
import { MemoryLedgerStore } from "../../../host-sim/acquirer/ledger-store";
import { readStatement } from "../../../host-sim/acquirer/statement";
import { FlashMedium } from "../../../host-sim/board/flash-medium";
import { MemoryLink } from "../../../host-sim/board/memory-link";
import { MemoryLog } from "../../../host-sim/board/memory-log";
import { SeededRandom } from "../../../host-sim/board/seeded-random";
import { VirtualTime } from "../../../host-sim/board/virtual-clock";
import { findTestCard, TEST_CARDS } from "../../../host-sim/test-cards";
import { checkMoney, type MoneyReport } from "../../../host-sim/world/check-money";
import { Shop, type Visit } from "../../../host-sim/world/shop";
import { type ConfigOptions, makeConfig } from "../../../src/config";

export const MORNING = Date.UTC(2026, 10, 22, 1, 0, 0);

export interface RigOptions {
	seed?: number;
	blocks?: number;
	config?: ConfigOptions;
	/** Boot again after a power cut, this much later; 0 leaves it to the test. Default 3,000. */
	rebootMs?: number;
	beforeWrite?(bytes: Uint8Array, rig: Rig): void;
}

export class Rig {
	readonly time = new VirtualTime(MORNING);
	readonly network = this.time.clock();
	readonly random: SeededRandom;
	readonly store = new MemoryLedgerStore();
	readonly faults: FaultPlan;
	readonly medium: FlashMedium;
	readonly log = new MemoryLog(2_000);
	readonly shop: Shop;
	link: MemoryLink | undefined;
	linkUp = true;
	host: Acquirer | undefined;

	constructor(options: RigOptions = {}) {
		this.random = new SeededRandom(options.seed ?? 1);
		this.faults = new FaultPlan(this.random.fork("faults"));
		this.medium = new FlashMedium({ blocks: options.blocks ?? 16 });
		this.startHost();
		const rebootMs = options.rebootMs ?? 3_000;
		this.shop = new Shop({
			medium: this.medium,
			config: makeConfig(options.config ?? {}),
			log: this.log,
			random: this.random.fork("shop"),
			makeClock: (power) => this.time.clock(power),
			makeLinks: (power, clock) => {
				const { beforeWrite } = options;
				this.link = new MemoryLink({ power, clock, network: this.network, host: () => this.host });
				if (beforeWrite !== undefined) this.link.beforeWrite = (bytes) => beforeWrite(bytes, this);
				this.link.up = this.linkUp;
				return [this.link];
			},
			onPowerLost: () => {
				if (rebootMs > 0) this.network.setTimer(rebootMs, () => this.shop.boot());
			},
		});
		this.shop.provision();
		this.shop.boot();
	}

	startHost(): void {
		this.host = new Acquirer({
			clock: this.network,
			random: this.random.fork("host"),
			store: this.store,
			faults: this.faults,
			onCrash: () => {
				this.host = undefined;
				this.network.setTimer(10_000, () => this.startHost());
			},
		});
	}

	setLink(up: boolean): void {
		this.linkUp = up;
		if (this.link !== undefined) this.link.up = up;
	}

	/** One sale from beginning to end, at most ten minutes. */
	sell(amountMinor = 1_234, cardName = "contactless"): Visit {
		const card = findTestCard(cardName);
		if (card === undefined) throw new Error(`no card ${cardName}`);
		const visit = this.shop.sell(amountMinor, { card, delayMs: 500 }, () => {});
		for (let s = 0; s < 600 && !visit.ended; s++) this.time.advance(1_000);
		return visit;
	}

	/** Runs on until nothing waits; at most `hours` of virtual time. */
	settle(hours = 24): void {
		this.setLink(true);
		this.faults.clear();
		const end = this.time.nowMs + hours * 3_600_000;
		while (this.time.nowMs < end) {
			this.time.advance(10_000);
			if (this.shop.power.on && this.shop.terminal.atRest) return;
		}
	}

	money(): MoneyReport {
		return checkMoney(readStatement(this.store, TEST_CARDS).entries, this.shop.till);
	}
}
