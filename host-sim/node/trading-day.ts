/**
 * A trading day: one shop and its host over real loopback TCP, with the faults a shop knows, in compressed time.
 * Two phases: customers and faults; then everything is healed and the terminal gets the time it needs to settle.
 * What it returns is judged by the host's ledgers and the till's notebook alone (I6).
 * @module
 */

import { type Config, makeConfig } from "../../src/config";
import { formatAmount } from "../../src/core/money";
import { UNIONPAY } from "../../src/iso8583/unionpay";
import { UNIONPAY_DUKPT } from "../../src/iso8583/unionpay-dukpt";
import type { LogSink, Screen } from "../../src/ports";
import { type FaultName, FaultPlan } from "../acquirer/faults";
import { MemoryLedgerStore } from "../acquirer/ledger-store";
import { TEST_TERMINAL } from "../acquirer/test-keys";
import { drawCutByte } from "../board/flash-cut";
import type { DamageKind } from "../board/flash-damage";
import { FlashMedium } from "../board/flash-medium";
import { PowerLost } from "../board/power";
import { SeededRandom } from "../board/seeded-random";
import { TEST_CARDS, type TestCard } from "../test-cards";
import { checkMoney, type MoneyReport } from "../world/check-money";
import { countWholeCopies, FlashLoss } from "../world/flash-loss";
import { Shop, type Visit } from "../world/shop";
import { AcquirerServer } from "./acquirer-server";
import type { DayEvent, DayOptions, DayResult, DoubtRow } from "./day-result";
import { ScaledClock } from "./scaled-clock";
import type { SocketLink } from "./socket-link";
import { TcpLink } from "./tcp-link";
import { TlsLink } from "./tls-link";

const NETWORK_RATES: Partial<Record<FaultName, number>> = {
	requestLost: 0.02,
	requestLate: 0.01,
	connectionCut: 0.02,
	answerLost: 0.04,
	answerLate: 0.015,
	answerDoubled: 0.03,
	answerSplit: 0.05,
	signOnLost: 0.05,
	signOnAnswerLost: 0.05,
};
const HOST_RATES: Partial<Record<FaultName, number>> = {
	wrongAmount: 0.015,
	badMac: 0.015,
	crash: 0.015,
	keysForgotten: 0.005,
	keysChanged: 0.005,
	replayedAnswer: 0.01,
	strangerAnswer: 0.01,
	signOnRefused: 0.05,
	wrongCheckValue: 0.05,
};

/** Parts of a thousand, for each customer. */
const LINK_DOWN = 25;
const CUT_IN_FLASH = 50;
const CUT_IN_TIME = 50;
const BROWN_OUT = 250; // Of the boots after a cut.
const BLOCK_DESTROYED = 60;

const OPENING = Date.UTC(2026, 10, 22, 1, 0, 0); // 09:00 in UTC+8.
const REST_MS_MAX = 3 * 3_600_000;
const MENDING_MS_MAX = 3_600_000;
const FLASH_BLOCKS = 256;
const STALL_MS = 20;
/** Between two looks whether the copies are alike; each reads all of both. */
const MENDING_LOOK_MS = 30_000;
/** The day has no night in which a terminal looks through its flash at leisure. */
const SCRUB_EVERY_MS = 5_000;

/** Most customers pay by contactless or chip; some cards are there to be refused. */
const CARD_MIX = [
	...Array<string>(8).fill("contactless"),
	...Array<string>(5).fill("chip"),
	...Array<string>(4).fill("chip-pin"),
	...Array<string>(3).fill("magstripe-pin"),
	...["magstripe-19", "poor", "lost", "expired", "chip-refuses", "wrong-pin", "bad-check-digit"],
];

const COPY_NAMES = ["the journal", "the mirror"];
const DAMAGE_TEXTS: Readonly<Record<DamageKind, string>> = {
	noise: "noise",
	zeros: "all 0x00",
	ones: "all 0xFF",
	stale: "old content",
	page: "a page of noise",
};

const SILENT: LogSink = { write: () => {} };

export class TradingDay {
	readonly #options: DayOptions;
	readonly #random: SeededRandom;
	readonly #clock: ScaledClock;
	readonly #scale: number;
	readonly #faults: FaultPlan;
	readonly #server: AcquirerServer;
	readonly #config: Config;
	readonly #media: FlashMedium[];
	readonly #flashLoss: FlashLoss;
	readonly #flashRandom: SeededRandom;
	#shop!: Shop; // From the first line of #run on.
	readonly #why = new Map<number, { why: DoubtRow["why"]; amountMinor: number }>();
	readonly #declined = new Set<number>();
	#link: SocketLink | undefined;
	#linkUp = true;
	#healed = false;
	#powerCuts = 0;
	#hostCrashes = 0;
	#linkOutages = 0;

	private constructor(options: DayOptions) {
		this.#options = options;
		this.#scale = options.scale ?? 300;
		this.#random = new SeededRandom(options.seed);
		this.#clock = new ScaledClock({ scale: this.#scale, startMs: OPENING, stallMs: STALL_MS });
		this.#faults = new FaultPlan(this.#random.fork("faults"), this.#rates());
		this.#config = makeConfig({
			terminalId: TEST_TERMINAL.terminalId,
			merchantId: TEST_TERMINAL.merchantId,
			autoReversal: options.reversals,
			keyScheme: options.scheme ?? "session",
			plainLinks: options.tls === undefined,
			scrubEveryMs: SCRUB_EVERY_MS,
		});
		this.#media = Array.from({ length: options.mirror === true ? 2 : 1 }, () => {
			return new FlashMedium({ blocks: FLASH_BLOCKS });
		});
		this.#flashRandom = this.#random.fork("flash blocks");
		this.#flashLoss = new FlashLoss(this.#media, this.#flashRandom.fork("which"));
		this.#server = new AcquirerServer({
			port: 0,
			...(options.tls === undefined ? {} : { tls: options.tls.host }),
			dialect: options.scheme === "dukpt" ? UNIONPAY_DUKPT : UNIONPAY,
			clock: this.#clock,
			random: this.#random.fork("host"),
			store: new MemoryLedgerStore(),
			faults: this.#faults,
			restartMs: 10_000 / this.#scale,
			onCrash: () => {
				this.#hostCrashes++;
				this.#say("host", "crashed; its ledgers are on disk");
			},
			onRestart: () => this.#say("host", "is back, from its ledgers"),
			onEvent: (event) => {
				if (event.kind === "fault") this.#say("host", event.text);
			},
		});
	}

	/** Runs one day. @throws what the firmware or the host did not expect */
	static async run(options: DayOptions): Promise<DayResult> {
		const day = new TradingDay(options);
		try {
			return await day.#run();
		} finally {
			await day.#close();
		}
	}

	async #run(): Promise<DayResult> {
		const { sales, onProgress } = this.#options;
		const startedMs = performance.now();
		await this.#server.listen();
		this.#shop = this.#openShop();
		const shop = this.#shop;
		shop.provision();
		const provisioned = { bytes: shop.bytesProgrammed, erases: shop.blocksErased };
		shop.boot();
		const customers = this.#random.fork("customers");
		for (let n = 0; n < sales; n++) {
			await this.#customer(customers);
			onProgress?.(n + 1, sales);
		}
		this.#heal();
		const atRest = await this.#rest();
		const copiesWhole = await this.#mended();
		const simulatedMs = this.#clock.now() - OPENING;
		const bytes = shop.bytesProgrammed - provisioned.bytes;
		const erases = shop.blocksErased - provisioned.erases;
		const { entries, totals } = this.#server.statement();
		const money = checkMoney(entries, shop.till);
		const doubts = this.#doubtRows(money);
		const { tlsProtocol } = this.#server;
		const endedAs = (ended: DoubtRow["ended"]) => doubts.filter((row) => row.ended === ended).length;
		const declined = [...this.#declined].filter((stan) => !this.#why.has(stan)).length;
		return {
			seed: this.#options.seed,
			sales,
			faults: this.#options.faults,
			tls: this.#options.tls !== undefined,
			...(tlsProtocol === undefined ? {} : { tlsProtocol }),
			approved: money.paid,
			approvedMinor: money.paidMinor,
			declined,
			reversed: endedAs("reversed"),
			notDebited: endedAs("notDebited"),
			notBegun: sales - money.paid - declined - endedAs("reversed") - endedAs("notDebited") - endedAs("open"),
			inDoubt: doubts.length,
			doubts,
			money,
			ledgers: totals,
			oneSided: money.oneSided,
			conserved: money.conserved && totals.conserved,
			atRest,
			powerCuts: this.#powerCuts,
			hostCrashes: this.#hostCrashes,
			linkOutages: this.#linkOutages,
			firmwareRestarts: shop.restarts,
			signOns: shop.signOns,
			flashBytesPerSale: Math.round((bytes / sales) * 10) / 10,
			erasesPerThousandSales: Math.round((erases * 10_000) / sales) / 10,
			erasesInSale: shop.erasesInSale,
			copies: this.#media.length,
			copiesWhole,
			blocksDestroyed: this.#flashLoss.blocksDestroyed,
			blocksMended: shop.blocksMended,
			simulatedMs,
			realMs: Math.round(performance.now() - startedMs),
		};
	}

	/** The host listens by now: links know its port. */
	#openShop(): Shop {
		const [medium, mirror] = this.#media;
		return new Shop({
			medium,
			...(mirror === undefined ? {} : { mirror }),
			config: this.#config,
			log: this.#options.log ?? SILENT,
			random: this.#random.fork("shop"),
			makeClock: (power) =>
				new ScaledClock({ scale: this.#scale, startMs: this.#clock.now(), power, stallMs: STALL_MS }),
			makeLinks: (power) => {
				const { tls } = this.#options;
				const link = { port: this.#server.port, power };
				this.#link = tls === undefined ? new TcpLink(link) : new TlsLink({ ...link, tls: tls.terminal });
				this.#link.up = this.#linkUp;
				return [this.#link];
			},
			onPowerLost: (reason) => this.#onPowerLost(reason),
			onScreen: (screen) => this.#onScreen(screen),
			onSignedOn: (batch) => this.#say("terminal", `signed on (签到), batch ${batch}`),
		});
	}

	#rates(): Partial<Record<FaultName, number>> {
		const { faults } = this.#options;
		const network = faults === "network" || faults === "all" ? NETWORK_RATES : {};
		const host = faults === "host" || faults === "all" ? HOST_RATES : {};
		return { ...network, ...host };
	}

	/** One customer, from coming in to leaving, and the faults of the moment. */
	async #customer(random: SeededRandom): Promise<void> {
		const { faults } = this.#options;
		const power = faults === "power" || faults === "all";
		const network = faults === "network" || faults === "all";
		const blocks = this.#media.length > 1 && (faults === "flashBlock" || faults === "all");
		await this.#ready();
		if (blocks) this.#destroyBlock();
		if (network && this.#linkUp && random.below(1000) < LINK_DOWN) this.#linkDown(random);
		const card = pickCard(random);
		const amountMinor = 100 * (1 + random.below(300)) + random.pick([0, 0, 50, 80, 99]);
		const shop = this.#shop;
		if (power && random.below(1000) < CUT_IN_FLASH && shop.power.on) {
			const { flash } = shop;
			flash.cutAt(flash.operations + 1 + random.below(8), drawCutByte(random), random.u32());
		}
		if (power && random.below(1000) < CUT_IN_TIME) {
			const { power: supply } = shop;
			this.#clock.setTimer(random.below(9_000), () => supply.cut());
		}
		const visit = await new Promise<Visit>((resolve) => {
			// Without reversals doubts only grow: a manager goes on all the same, as with a terminal that has none.
			shop.sell(amountMinor, { card, delayMs: 500 + random.below(1_500) }, resolve, !this.#options.reversals);
		});
		if (visit.refusal !== undefined) {
			this.#say("cashier", `sale of ¥${formatAmount(amountMinor)} not begun: ${visit.refusal}`);
		}
		await this.#wait(1_000 + random.below(9_000));
		// Nobody rings up a queue of customers on a terminal that cannot sell: the cashier waits a little.
		const noTrade = visit.refusal !== undefined || visit.screens.includes("noLink");
		if (noTrade) await this.#wait(30_000);
	}

	/** The terminal is on and can take a customer; a question to the cashier is answered first. */
	async #ready(): Promise<void> {
		for (let n = 0; n < 600; n++) {
			const { power, terminal } = this.#shop;
			if (power.on && !terminal.asksDelivery && terminal.phase === "idle") return;
			await this.#wait(500);
		}
		throw new Error(`seed ${this.#options.seed}: the terminal takes no customer for five minutes`);
	}

	/** Now and then, and half of the times while the next customer is served. Draws of its own: the day stays the same. */
	#destroyBlock(): void {
		const random = this.#flashRandom;
		const delayMs = random.chance(1, 2) ? random.below(9_000) : 0;
		if (random.below(1000) >= BLOCK_DESTROYED) return;
		this.#clock.setTimer(delayMs, () => {
			const lost = this.#flashLoss.strike();
			if (lost === undefined) return;
			this.#say("flash", `${COPY_NAMES[lost.copy]} lost block ${lost.block}: ${DAMAGE_TEXTS[lost.kind]}`);
		});
	}

	#linkDown(random: SeededRandom): void {
		this.#linkOutages++;
		const mode = random.pick(["silent", "cut"] as const);
		const forMs = 20_000 + random.below(160_000);
		this.#say("link", `down for ${Math.round(forMs / 1000)} s (${mode})`);
		this.#setLink(false, mode);
		this.#clock.setTimer(forMs, () => {
			if (this.#linkUp) return;
			this.#say("link", "up again");
			this.#setLink(true, mode);
		});
	}

	#setLink(up: boolean, mode: "silent" | "cut"): void {
		this.#linkUp = up;
		if (this.#link === undefined) return;
		this.#link.downMode = mode;
		this.#link.up = up;
	}

	#onPowerLost(reason: string): void {
		this.#powerCuts++;
		this.#say("power", `${reason === "power cut" ? "cut" : reason}; on again in 3 s`);
		this.#clock.setTimer(3_000, () => {
			this.#shop.boot();
			const { flash, power } = this.#shop;
			// Brown-out: gone again within the first operations.
			if (!this.#healed && power.on && this.#random.below(1000) < BROWN_OUT) {
				flash.cutAt(flash.operations + 1 + this.#random.below(4), this.#random.u32(), this.#random.u32());
			}
		});
	}

	#onScreen(screen: Screen): void {
		const { name, stan = 0, amountMinor = 0 } = screen;
		const sale = `#${`${stan}`.padStart(6, "0")} ¥${formatAmount(amountMinor)}`;
		switch (name) {
			case "declined":
				this.#declined.add(stan);
				break;
			case "cardRefused":
				this.#doubt(stan, amountMinor, "card refused");
				this.#say("terminal", `${sale} the card refused: told not charged, ${this.#reversal}`);
				break;
			case "noAnswer":
				this.#doubt(stan, amountMinor, "no answer");
				this.#say("terminal", `${sale} no trusted answer: told not charged, ${this.#reversal}`);
				break;
			case "interrupted":
				this.#doubt(stan, amountMinor, "power cut");
				this.#say("terminal", `${sale} open when power went: told not charged, ${this.#reversal}`);
				break;
			case "askDelivered":
				this.#doubt(stan, amountMinor, "not delivered");
				this.#say("terminal", `${sale} approved, perhaps not delivered: asks the cashier`);
				break;
			case "deliveredNoted":
				this.#say("cashier", `${sale} the customer has it: stays approved`);
				break;
			case "reversalStarted":
				this.#say(
					"terminal",
					`${sale} told not charged: ${this.#options.reversals ? "being reversed" : "no reversal is sent"}`,
				);
				break;
			case "reversalDone":
				this.#say("terminal", `${sale} reversal accepted (冲正成功)`);
				break;
			case "reversalRefused":
				this.#say("terminal", `${sale} reversal goes on, and needs a person (code ${screen.code ?? "none"})`);
				break;
			case "approvedNoPaper":
				this.#say("terminal", `${sale} approved, no paper`);
				break;
			case "outOfService":
				this.#say("terminal", "out of service");
				break;
			default:
		}
	}

	get #reversal(): string {
		return this.#options.reversals ? "reversal durable" : "reversals are off";
	}

	#doubt(stan: number, amountMinor: number, why: DoubtRow["why"]): void {
		if (!this.#why.has(stan)) this.#why.set(stan, { why, amountMinor });
	}

	#doubtRows(money: MoneyReport): DoubtRow[] {
		const rows: DoubtRow[] = [];
		for (const [stan, { why, amountMinor }] of [...this.#why].sort(([a], [b]) => a - b)) {
			const row = money.rows.find((candidate) => candidate.stan === stan);
			let ended: DoubtRow["ended"] = this.#options.reversals ? "reversed" : "notDebited";
			if (row?.wrong !== undefined) ended = "open";
			else if ((row?.cardNetMinor ?? 0) > 0) ended = "approved";
			rows.push({ stan, amountMinor, why, ended });
		}
		return rows;
	}

	/** Phase two: no new fault, links up, power on. */
	#heal(): void {
		this.#healed = true;
		this.#faults.clear();
		if (!this.#linkUp) this.#setLink(true, "cut");
		if (!this.#server.running) this.#say("host", "is awaited");
	}

	async #rest(): Promise<boolean> {
		if (!this.#options.reversals) {
			await this.#wait(180_000); // What lies in the network arrives; nothing else will happen.
			return false;
		}
		// Two minutes for what still lies in the network, then until nothing waits.
		await this.#wait(125_000);
		const endMs = this.#clock.now() + REST_MS_MAX;
		while (this.#clock.now() < endMs) {
			if (this.#shop.power.on && this.#shop.terminal.atRest) return true;
			await this.#wait(5_000);
		}
		return false;
	}

	/** Until each copy alone holds everything, or nothing more is to be expected. @returns copies that do */
	async #mended(): Promise<number> {
		const count = () => countWholeCopies(this.#media, this.#config);
		const endMs = this.#clock.now() + MENDING_MS_MAX;
		while (count() < this.#media.length && this.#clock.now() < endMs) await this.#wait(MENDING_LOOK_MS);
		return count();
	}

	#wait(ms: number): Promise<void> {
		return new Promise((resolve) => {
			this.#clock.setTimer(ms, resolve);
		});
	}

	#say(source: DayEvent["source"], text: string): void {
		this.#options.onEvent?.({ timeMs: this.#clock.now(), source, text });
	}

	async #close(): Promise<void> {
		try {
			this.#shop?.terminal.stop();
		} catch (error) {
			if (!(error instanceof PowerLost)) throw error;
		}
		await this.#server.close();
		this.#clock.close();
	}
}

function pickCard(random: SeededRandom): TestCard {
	const name = random.pick(CARD_MIX);
	const card = TEST_CARDS.find((candidate) => candidate.name === name);
	if (card === undefined) throw new Error(`no test card ${name}`);
	return card;
}
