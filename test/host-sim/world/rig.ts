/**
 * A shop and its host on virtual time, in one process: what most tests of a transaction's life need.
 */
import { Acquirer, type OfficeOptions } from "../../../host-sim/acquirer/acquirer";
import { FaultPlan } from "../../../host-sim/acquirer/faults";
import { MemoryLedgerStore } from "../../../host-sim/acquirer/ledger-store";
import { type LedgerEntry, readStatement } from "../../../host-sim/acquirer/statement";
import { FlashMedium } from "../../../host-sim/board/flash-medium";
import { MemoryLink } from "../../../host-sim/board/memory-link";
import { MemoryLog } from "../../../host-sim/board/memory-log";
import type { NorFlash } from "../../../host-sim/board/nor-flash";
import type { Power } from "../../../host-sim/board/power";
import type { Presentation } from "../../../host-sim/board/scripted-reader";
import { SeededRandom } from "../../../host-sim/board/seeded-random";
import { testTerminalKeys } from "../../../host-sim/board/test-terminal-keys";
import { Till } from "../../../host-sim/board/till";
import { VirtualTime } from "../../../host-sim/board/virtual-clock";
import { TEST_CARDS, type TestCard } from "../../../host-sim/test-cards";
import { checkMoney, type MoneyReport } from "../../../host-sim/world/check-money";
import { Shop, type Visit } from "../../../host-sim/world/shop";
import { type ConfigOptions, makeConfig } from "../../../src/config";
import { UNIONPAY } from "../../../src/iso8583/unionpay";
import { UNIONPAY_DUKPT } from "../../../src/iso8583/unionpay-dukpt";
import type { Clock, KeyStore, Link, Screen } from "../../../src/ports";

export const MORNING = Date.UTC(2026, 10, 22, 1, 0, 0);

export interface RigOptions {
	seed?: number;
	blocks?: number;
	config?: ConfigOptions;
	/** Boot again after a power cut, this much later; 0 leaves it to the test. Default 3,000. */
	rebootMs?: number;
	beforeWrite?(bytes: Uint8Array, rig: Rig): void;
	/** Each screen, after the till has written it down. */
	onScreen?(screen: Screen, rig: Rig): void;
	/** The flash of each boot before the firmware sees it; the first time from inside the constructor. */
	onFlash?(flash: NorFlash, rig: Rig): void;
	/** In place of the link to the host: what the terminal gets at each boot. */
	makeLinks?(power: Power, clock: Clock, rig: Rig): Link[];
	/** Slips on the roll; default no end. */
	paperSlips?: number;
	till?: Till;
	/** How long the cashier takes to answer; default 2,000 ms. */
	cashierMs?: number;
	/** Silicon that holds a journal already: nothing is provisioned. */
	medium?: FlashMedium;
	/** A second chip for a copy of the journal: a blank one, or this one. */
	mirror?: true | FlashMedium;
	/** A partition for masked frames. */
	evidence?: true;
	/** Cards that the issuer knows; default: the test cards. */
	cards?: readonly TestCard[];
	/** What the terminal's key store holds; default: the test keys. */
	keys?: KeyStore;
	/** Everything the log of the terminal says, beside {@link Rig.log}. */
	onLog?(text: string): void;
	/** One way of the link; default 50 ms. */
	latencyMs?: number;
	/** What the host sends, as it arrives at the terminal. */
	onArrival?(bytes: Uint8Array): void;
	/** What the host says of itself. */
	onHostEvent?(text: string): void;
	/** False: a host that knows none of the sync messages. */
	sync?: boolean;
	/** A host without a memory of reversals of what it does not know. */
	forgetful?: boolean;
	/** The host's back office. */
	office?: OfficeOptions;
}

export class Rig {
	readonly time = new VirtualTime(MORNING);
	readonly network = this.time.clock();
	readonly random: SeededRandom;
	readonly store = new MemoryLedgerStore();
	readonly faults: FaultPlan;
	readonly medium: FlashMedium;
	readonly mirror: FlashMedium | undefined;
	readonly evidence: FlashMedium | undefined;
	readonly log = new MemoryLog(2_000);
	readonly shop: Shop;
	link: MemoryLink | undefined;
	linkUp = true;
	host: Acquirer | undefined;
	readonly cards: readonly TestCard[];
	/** The terminal's key store, which outlives its boots. */
	readonly keys: KeyStore;
	readonly #dukpt: boolean;
	readonly #options: RigOptions;

	constructor(options: RigOptions = {}) {
		this.#options = options;
		this.#dukpt = options.config?.keyScheme === "dukpt";
		this.keys = options.keys ?? testTerminalKeys();
		this.cards = options.cards ?? TEST_CARDS;
		this.random = new SeededRandom(options.seed ?? 1);
		this.faults = new FaultPlan(this.random.fork("faults"));
		this.medium = options.medium ?? new FlashMedium({ blocks: options.blocks ?? 16 });
		const { blocks } = this.medium;
		this.mirror = options.mirror === true ? new FlashMedium({ blocks }) : options.mirror;
		this.evidence = options.evidence === undefined ? undefined : new FlashMedium({ blocks: 16 });
		this.startHost();
		const rebootMs = options.rebootMs ?? 3_000;
		const { onFlash, onScreen, onLog, makeLinks, cashierMs, paperSlips, latencyMs, onArrival } = options;
		this.shop = new Shop({
			medium: this.medium,
			...(this.mirror === undefined ? {} : { mirror: this.mirror }),
			...(this.evidence === undefined ? {} : { evidence: this.evidence }),
			config: makeConfig(options.config ?? {}),
			log: {
				write: (level, uptimeMs, tag, text) => {
					this.log.write(level, uptimeMs, tag, text);
					onLog?.(`${level} ${tag}: ${text}`);
				},
			},
			keys: this.keys,
			random: this.random.fork("shop"),
			till: options.till ?? new Till(paperSlips === undefined ? {} : { paperSlips }),
			makeClock: (power) => this.time.clock(power),
			makeLinks: (power, clock) => {
				if (makeLinks !== undefined) return makeLinks(power, clock, this);
				const { beforeWrite } = options;
				this.link = new MemoryLink({
					power,
					clock,
					network: this.network,
					host: () => this.host,
					...(latencyMs === undefined ? {} : { latencyMs }),
					...(onArrival === undefined ? {} : { onArrival }),
				});
				if (beforeWrite !== undefined) this.link.beforeWrite = (bytes) => beforeWrite(bytes, this);
				this.link.up = this.linkUp;
				return [this.link];
			},
			onPowerLost: () => {
				if (rebootMs > 0) this.network.setTimer(rebootMs, () => this.shop.boot());
			},
			...(cashierMs === undefined ? {} : { cashierMs }),
			...(onScreen === undefined ? {} : { onScreen: (screen: Screen) => onScreen(screen, this) }),
			...(onFlash === undefined ? {} : { onFlash: (flash: NorFlash) => onFlash(flash, this) }),
		});
		if (options.medium === undefined) this.shop.provision();
		this.shop.boot();
	}

	startHost(): void {
		this.host = new Acquirer({
			clock: this.network,
			random: this.random.fork("host"),
			store: this.store,
			faults: this.faults,
			cards: this.cards,
			dialect: this.#dukpt ? UNIONPAY_DUKPT : UNIONPAY,
			onEvent: ({ text }) => this.#options.onHostEvent?.(text),
			...(this.#options.forgetful === undefined ? {} : { forgetful: this.#options.forgetful }),
			...(this.#options.sync === undefined ? {} : { sync: this.#options.sync }),
			...(this.#options.office === undefined ? {} : { office: this.#options.office }),
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

	/** A customer comes; time does not move yet. */
	come(amountMinor = 1_234, cardName = "contactless", more: Partial<Presentation> = {}, manager = false): Visit {
		const card = this.cards.find(({ name }) => name === cardName);
		if (card === undefined) throw new Error(`no card ${cardName}`);
		return this.shop.sell(amountMinor, { card, delayMs: 500, ...more }, () => {}, manager);
	}

	/** One sale from beginning to end, at most ten minutes. */
	sell(amountMinor = 1_234, cardName = "contactless", more: Partial<Presentation> = {}, manager = false): Visit {
		const visit = this.come(amountMinor, cardName, more, manager);
		for (let s = 0; s < 600 && !visit.ended; s++) this.time.advance(1_000);
		return visit;
	}

	/** Moves on until `reached`, timer by timer, at most `ms`. @returns whether it was reached */
	runUntil(reached: () => boolean, ms = 600_000): boolean {
		const end = this.time.nowMs + ms;
		while (!reached()) {
			if (this.time.nextDueMs > end) return false;
			this.time.step();
		}
		return true;
	}

	/** Runs on until nothing waits; at most `hours` of virtual time. */
	settle(hours = 30): void {
		this.setLink(true);
		this.faults.clear();
		const end = this.time.nowMs + hours * 3_600_000;
		while (this.time.nowMs < end) {
			this.time.advance(10_000);
			if (this.shop.power.on && this.shop.terminal.atRest) return;
		}
	}

	entries(): LedgerEntry[] {
		return readStatement(this.store, this.cards).entries;
	}

	money(): MoneyReport {
		return checkMoney(this.entries(), this.shop.till);
	}

	/** What the log says in one text, for a match. */
	logText(): string {
		return this.log.texts().join("\n");
	}
}
