/**
 * One terminal of a world: its shop, and what of it outlives a boot beside flash: keys, links, the clock's error. It
 * boots again by itself whenever power has gone.
 * @module
 */
import { type Config, makeConfig } from "../../src/config";
import type { Clock, Link, Screen, Slip } from "../../src/ports";
import type { Terminal } from "../../src/terminal";
import type { Acquirer } from "../acquirer/acquirer";
import type { TerminalEntry } from "../acquirer/test-keys";
import { FlashMedium } from "../board/flash-medium";
import type { NorFlash } from "../board/nor-flash";
import type { Power } from "../board/power";
import type { SeededRandom } from "../board/seeded-random";
import { type PaperState, Till } from "../board/till";
import type { VirtualClock, VirtualTime } from "../board/virtual-clock";
import { CuttableKeys } from "./cuttable-keys";
import { WorldLink } from "./network";
import { Shop } from "./shop";
import { stationKeys } from "./station-keys";
import type { Story } from "./story";
import type { Strikes } from "./strikes";
import type { TerminalPlan } from "./swarm";

export interface StationOptions {
	readonly number: number;
	readonly plan: TerminalPlan;
	readonly keyScheme: "session" | "dukpt";
	readonly entry: TerminalEntry;
	readonly time: VirtualTime;
	/** Outlives every power cut. */
	readonly network: Clock;
	readonly random: SeededRandom;
	readonly strikes: Strikes;
	readonly story: Story;
	host(): Acquirer | undefined;
	/** The flash of each boot before the firmware sees it. */
	onFlash(flash: NorFlash): void;
	onBooted(): void;
	/** The terminal of each boot but the first, before it starts. */
	onTerminal(terminal: Terminal): void;
	onPowerLost(reason: string): void;
	onScreen(screen: Screen): void;
	onSlip(slip: Slip, paper: PaperState): void;
	onLog(level: string, tag: string, text: string): void;
	/** Before a byte of it leaves. */
	onWrite(bytes: Uint8Array, connection: number): void;
	onArrival(bytes: Uint8Array, connection: number): void;
	/** How long the cashier takes to answer this time, ms. */
	cashierMs(): number;
	/** The cashier says "not delivered" of what the till has told, this time. */
	cashierDenies(): boolean;
	/** Before the terminal hears it. */
	onDeliveryAnswer(stan: number, delivered: boolean): void;
}

/** Power comes back after this long, ms. */
const REBOOT_MS_MIN = 200;
const REBOOT_MS_MORE = 20_000;
const EVIDENCE_BLOCKS = 8;
/** Around the time that the terminal waits for a slip. */
const SLOW_PRINT_MS = 25_000;

export class Station {
	readonly number: number;
	readonly config: Config;
	readonly media: readonly FlashMedium[];
	/** Of masked frames. */
	readonly evidence: FlashMedium | undefined;
	readonly keys: CuttableKeys;
	readonly shop: Shop;
	/** Of this boot. */
	links: readonly WorldLink[] = [];
	/** What weather has made of each link; outlives boots. */
	readonly linkStates: WorldLink["state"][];
	readonly #options: StationOptions;
	readonly #rebootRandom: SeededRandom;
	#clock: VirtualClock | undefined;
	#clockErrorMs = 0;
	#quickBoots = 0;

	constructor(options: StationOptions) {
		this.#options = options;
		const { plan, entry, random, story, number } = options;
		this.number = number;
		this.#rebootRandom = random.fork("reboot");
		this.linkStates = plan.latenciesMs.map(() => "up");
		this.config = makeConfig({
			terminalId: entry.terminalId,
			merchantId: entry.merchantId,
			keyScheme: options.keyScheme,
			transactionsMax: plan.transactionsMax,
			// A host that refuses a reversal for good is asked again several times within a world's time.
			reversalRefusedRepeatMs: 4 * 3_600_000,
			doubtsMax: 12,
			doubtSumMinorMax: 5_000_000,
		});
		const makeMedium = () =>
			new FlashMedium({ blocks: plan.blocks, blockLength: plan.blockLength, writeAlign: plan.writeAlign });
		const medium = makeMedium();
		const mirror = plan.mirror ? makeMedium() : undefined;
		this.media = mirror === undefined ? [medium] : [medium, mirror];
		this.evidence = plan.evidence ? new FlashMedium({ blocks: EVIDENCE_BLOCKS }) : undefined;
		const keys = stationKeys(entry, options.keyScheme === "dukpt");
		this.keys = new CuttableKeys(keys, options.strikes, () => this.shop.power);
		const { strikes } = options;
		const till = new Till({
			printMs: () =>
				strikes.strikes("printerSlow") ? SLOW_PRINT_MS + strikes.random("printerSlow").below(60_000) : 800,
		});
		till.onSlip = (slip, paper) => {
			const about = slip.told === undefined ? "" : ` stan=${slip.stan} ${slip.told}`;
			story.line(number, "slip", `${slip.copy} ${slip.name}${about} ${paper}`);
			options.onSlip(slip, paper);
		};
		this.shop = new Shop({
			medium,
			...(mirror === undefined ? {} : { mirror }),
			...(this.evidence === undefined ? {} : { evidence: this.evidence }),
			till,
			keys: this.keys,
			config: this.config,
			log: {
				write: (level, _uptimeMs, tag, text) => {
					story.line(number, "log", `${level} ${tag}: ${text}`);
					options.onLog(level, tag, text);
				},
			},
			random: random.fork("shop"),
			makeClock: (power) => this.#makeClock(power),
			makeLinks: (power) => this.#makeLinks(power),
			cashierMs: () => options.cashierMs(),
			cashierDenies: () => options.cashierDenies(),
			onDeliveryAnswer: (stan, delivered) => {
				story.line(number, "people", `cashier says ${delivered ? "delivered" : "not delivered"} stan=${stan}`);
				options.onDeliveryAnswer(stan, delivered);
			},
			onFlash: (flash) => options.onFlash(flash),
			onTerminal: (terminal) => options.onTerminal(terminal),
			onScreen: (screen) => this.#onScreen(screen),
			onPowerLost: (reason) => this.#onPowerLost(reason),
		});
	}

	/** Wall time is off by this much more from now on, in this boot and in later ones. */
	jumpClock(ms: number): void {
		this.#clockErrorMs += ms;
		this.#clock?.jump(ms);
	}

	setLink(index: number, state: WorldLink["state"]): void {
		this.linkStates[index] = state;
		const link = this.links[index];
		if (link !== undefined) link.state = state;
	}

	/** The next boots come at once. */
	bootQuickly(boots: number): void {
		this.#quickBoots = boots;
	}

	boot(): void {
		const { story, number } = this.#options;
		story.line(number, "power", "on");
		this.shop.boot();
		if (this.shop.power.on) this.#options.onBooted();
	}

	#makeClock(power: Power): Clock {
		const clock = this.#options.time.clock(power);
		clock.jump(this.#clockErrorMs);
		this.#clock = clock;
		return clock;
	}

	#makeLinks(power: Power): Link[] {
		const { plan, network, strikes, host, onWrite, onArrival, story, number } = this.#options;
		const links = plan.latenciesMs.map((latencyMs, n) => {
			const link = new WorldLink({
				name: `link${n + 1}`,
				power,
				network,
				host,
				latencyMs,
				strikes,
				beforeWrite: onWrite,
				onArrival,
				onTrace: (what, bytes) => {
					if (bytes === undefined) story.line(number, "link", `link${n + 1} ${what}`);
					else story.bytes(number, bytes, "link", () => `link${n + 1} ${what} ${bytes.length} bytes`);
				},
			});
			link.state = this.linkStates[n];
			return link;
		});
		this.links = links;
		return links;
	}

	#onScreen(screen: Screen): void {
		const { story, number } = this.#options;
		const { name, stan = 0, told = "", code = "" } = screen;
		story.line(number, "screen", `${name} stan=${stan} ${told} ${code}`);
		this.#options.onScreen(screen);
	}

	#onPowerLost(reason: string): void {
		const { story, number, network } = this.#options;
		story.line(number, "power", `off: ${reason}`);
		this.#options.onPowerLost(reason);
		let ms = REBOOT_MS_MIN + this.#rebootRandom.below(REBOOT_MS_MORE);
		if (this.#quickBoots > 0) {
			this.#quickBoots--;
			ms = 1 + this.#rebootRandom.below(50);
		}
		network.setTimer(ms, () => this.boot());
	}
}
