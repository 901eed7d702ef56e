/**
 * Carries a scenario out, in virtual time, and hands back everything that can be said of it: what the clerk sees, the
 * cases, the ledgers against what people were told, and whether all of it is as the scenario expects (judge.ts).
 *
 * The same scenario and seed give the same lines and the same result, to the byte.
 * @module
 */
import { assert } from "../../src/core/assert";
import type { LogSink, Screen, Slip } from "../../src/ports";
import type { SettlementReport } from "../../src/settlement/settlement-report";
import type { TerminalSummary } from "../../src/terminal";
import type { Injection } from "../acquirer/mishaps";
import type { LedgerTotals } from "../acquirer/statement";
import type { CaseFile } from "../world/case-file";
import type { MoneyReport } from "../world/check-money";
import type { Visit } from "../world/shop";
import { drawGuests } from "./guests";
import { hostWords, injectionWords } from "./host-words";
import { type Check, type Finding, judge } from "./judge";
import { type Act, type Injected, type Label, momentMs, type Scenario, type Words } from "./scenario";
import { cardNamed, Stage } from "./stage";
import { screenWords, type TimelineLine, type Who, yuan } from "./timeline";

export interface ScenarioOptions {
	readonly scenario: Scenario;
	readonly seed: number;
	/** False: a host that knows none of the sync messages. Default true. */
	readonly sync?: boolean;
	/** Each line as it happens. */
	onLine?(line: TimelineLine): void;
	/** The terminal's own log. */
	readonly log?: LogSink;
	/** A case has been opened or has changed: whoever attaches evidence to it asks the terminal now. */
	onCase?(file: CaseFile, stage: Stage): void;
}

/** What was done to a sale on purpose. */
export interface InjectedAt {
	readonly label: Label;
	readonly stan: number;
	readonly batch: number;
	readonly injected: Injected;
	/** Since when money or books are out of place, virtual ms. */
	readonly timeMs: number;
}

export interface ScenarioResult {
	readonly scenario: Scenario;
	readonly seed: number;
	readonly sync: boolean;
	/** Everything is as the scenario expects it. */
	readonly holds: boolean;
	readonly checks: readonly Check[];
	readonly findings: readonly Finding[];
	readonly cases: readonly CaseFile[];
	readonly settled: readonly SettlementReport[];
	readonly money: MoneyReport;
	readonly ledgers: LedgerTotals;
	readonly summary: TerminalSummary;
	/** The last screen, and the last one that told of a settlement. */
	readonly lastScreen: Screen | undefined;
	readonly settledScreen: Screen | undefined;
	/** What came out of the printer whole, in order. */
	readonly slips: readonly Slip[];
	readonly visits: readonly Visit[];
	/** Trace numbers of what was in doubt at some moment. */
	readonly doubts: readonly number[];
	readonly declined: readonly number[];
	readonly atRest: boolean;
	readonly powerCuts: number;
	readonly hostCrashes: number;
	readonly linkOutages: number;
	readonly blocksDestroyed: number;
	readonly firmwareRestarts: number;
	readonly signOns: number;
	readonly bytesProgrammed: number;
	readonly blocksErased: number;
	readonly erasesInSale: number;
	readonly simulatedMs: number;
}

/** Before the first act: the terminal boots, and signs on. */
const BEFORE_MS = 5 * 60_000;
/** A customer finds the card, from the moment it is asked for. */
const CARD_DELAY_MS = 1_500;
const SILENT: LogSink = { write: () => {} };
const DOUBTFUL: readonly Screen["name"][] = ["noAnswer", "cardRefused", "interrupted", "askDelivered"];

/** @throws what the firmware or the host did not expect */
export function runScenario(options: ScenarioOptions): ScenarioResult {
	return new ScenarioRun(options).run();
}

class ScenarioRun {
	readonly #o: ScenarioOptions;
	readonly #stage: Stage;
	readonly #startMs: number;
	readonly #stans = new Map<Label, number>();
	readonly #injected: InjectedAt[] = [];
	readonly #settled: SettlementReport[] = [];
	readonly #slips: Slip[] = [];
	readonly #doubts: number[] = [];
	readonly #declined: number[] = [];
	#settledScreen: Screen | undefined;
	/** How often the terminal has asked somebody to take a card. */
	#cardAnnounced = 0;
	#provisioned = { bytes: 0, erases: 0 };

	constructor(options: ScenarioOptions) {
		this.#o = options;
		const { scenario, seed, sync = true } = options;
		const firstMs = Math.min(
			...scenario.acts.map(({ at }) => momentMs(at)),
			...(scenario.guests === undefined ? [] : [momentMs(scenario.guests.from)]),
		);
		assert(Number.isSafeInteger(firstMs), `the moments of ${scenario.name} can be read`);
		this.#startMs = firstMs - BEFORE_MS;
		this.#stage = new Stage({
			scenario,
			seed,
			sync,
			startMs: this.#startMs,
			onScreen: (screen) => this.#onScreen(screen),
			onHost: (event) => {
				const said = hostWords(event);
				if (said !== undefined) this.#say(said.who, said.words);
			},
			onInjected: (injection) => this.#onInjected(injection),
			onSettled: (report) => this.#settled.push(report),
			onPower: (on) => this.#say("power", on ? { zh: "恢复供电", en: "on again" } : { zh: "断电", en: "off" }),
			log: options.log ?? SILENT,
		});
		this.#stage.cases.onChange = (file) => options.onCase?.(file, this.#stage);
	}

	run(): ScenarioResult {
		const { scenario } = this.#o;
		const stage = this.#stage;
		const { shop } = stage;
		this.#provisioned = { bytes: shop.bytesProgrammed, erases: shop.blocksErased };
		shop.till.onSlip = (slip, paper) => {
			if (paper === "whole") this.#slips.push(slip);
		};
		shop.boot();
		for (const act of this.#script()) {
			stage.runTo(momentMs(act.at));
			this.#carryOut(act);
		}
		stage.runTo(momentMs(scenario.end));
		return this.#result();
	}

	/** The acts with the ordinary customers between them, by time; of one moment in the order of the script. */
	#script(): Act[] {
		const { scenario } = this.#o;
		const guests = scenario.guests === undefined ? [] : drawGuests(scenario.guests, this.#stage.random("guests"));
		const acts = [...scenario.acts, ...guests];
		return acts
			.map((act, n) => ({ act, n, ms: momentMs(act.at) }))
			.sort((a, b) => a.ms - b.ms || a.n - b.n)
			.map(({ act }) => act);
	}

	#carryOut(act: Act): void {
		const stage = this.#stage;
		switch (act.do) {
			case "sale":
				this.#sale(act);
				return;
			case "offlineSale": {
				const stan = stage.sellOffline(act.amountMinor, cardNamed(act.card));
				this.#note(act.as, stan, act.injected);
				this.#say("cashier", {
					zh: `脱机收款 ${yuan(act.amountMinor)}，卡 ${act.card}`,
					en: `sells offline: ${yuan(act.amountMinor)}, card ${act.card}`,
				});
				return;
			}
			case "refund": {
				const of = this.#stanOf(act.of);
				const card = stage.shop.visits.find(({ stan }) => stan === of)?.cardName ?? "";
				const stan = stage.refund(act.amountMinor, cardNamed(card), of);
				this.#note(act.as, stan, act.injected);
				this.#say("cashier", {
					zh: `退货 ${yuan(act.amountMinor)}，原交易 ${of}`,
					en: `refunds ${yuan(act.amountMinor)} of sale ${of}`,
				});
				return;
			}
			case "fault":
				stage.faults.arm(act.fault, act.times ?? 1);
				return;
			case "answer":
				this.#answer(act.yes);
				return;
			case "settle":
				this.#say("cashier", { zh: "按批结算键", en: "presses the settlement key" });
				assert(stage.shop.terminal.settle(), "there is a batch to settle");
				return;
			case "link":
				this.#link(act.up);
				return;
			case "powerCut":
				stage.shop.pullPlug();
				return;
			case "loseFlash":
				this.#say("power", { zh: "闪存块损坏", en: "flash blocks die" });
				stage.loseFlash(this.#stanOf(act.of));
				return;
			case "mendAccount":
				this.#say("bank", { zh: "商户账户已恢复", en: "the merchant's account is in order again" });
				stage.mendAccount();
		}
	}

	#sale(act: Extract<Act, { do: "sale" }>): void {
		const stage = this.#stage;
		const { amountMinor, card = "contactless", fault, leftS, lineGoneAfterS } = act;
		if (fault !== undefined) stage.faults.arm(fault, 1);
		if (lineGoneAfterS !== undefined) stage.later(lineGoneAfterS * 1_000, () => this.#link(false));
		const delayMs = CARD_DELAY_MS;
		const visit = stage.serve(amountMinor, {
			card: cardNamed(card),
			delayMs,
			...(leftS === undefined ? {} : { leftMs: leftS * 1_000 }),
		});
		if (visit.refusal !== undefined) {
			const what = `${yuan(amountMinor)}: ${visit.refusal}`;
			this.#say("cashier", { zh: `未能收款 ${what}`, en: `cannot sell ${what}` });
		}
		this.#note(act.as, visit.stan, act.injected ?? fault);
		if (leftS !== undefined) this.#leaveCard(leftS);
	}

	/** The one who has just paid goes without the card. */
	#leaveCard(leftS: number): void {
		this.#say("customer", { zh: "离开，卡片遗留在读卡器中", en: "leaves, the card still in the reader" });
		this.#stage.later(leftS * 1_000, () => {
			this.#say("customer", { zh: "回来取走卡片", en: "comes back for the card" });
		});
	}

	#link(up: boolean): void {
		this.#say("line", up ? { zh: "线路恢复", en: "is back" } : { zh: "线路中断", en: "is down" });
		this.#stage.setLink(up);
	}

	#answer(yes: boolean): void {
		const { shop, cases, givenBack } = this.#stage;
		const id = shop.terminal.nextQuestion();
		const file = cases.files.find((candidate) => candidate.id === id);
		this.#say(
			"cashier",
			yes
				? { zh: `答复差错 ${id} 号：是`, en: `answers case ${id}: yes` }
				: { zh: `答复差错 ${id} 号：否`, en: `answers case ${id}: no` },
		);
		if (id === 0 || file === undefined) return; // The judge finds what is missing then.
		// The operator's word is what the customer is told: the money comes back.
		if (yes) givenBack.add(file.stan);
		shop.terminal.answerCase(id, yes);
	}

	#note(label: Label, stan: number, injected: Injected | undefined): void {
		this.#stans.set(label, stan);
		if (injected === undefined) return;
		const { time, shop } = this.#stage;
		this.#injected.push({ label, stan, batch: shop.terminal.log.batch, injected, timeMs: time.nowMs });
	}

	#stanOf(label: Label): number {
		const stan = this.#stans.get(label);
		assert(stan !== undefined && stan !== 0, `the sale "${label}" has a number`);
		return stan;
	}

	#onScreen(screen: Screen): void {
		const { name, stan = 0 } = screen;
		if (DOUBTFUL.includes(name) && !this.#doubts.includes(stan)) this.#doubts.push(stan);
		if (name === "declined") this.#declined.push(stan);
		if (name === "settled") this.#settledScreen = screen;
		if (name === "takeCard") this.#cardAnnounced++;
		const words = name === "takeCard" && this.#cardAnnounced > 1 ? undefined : screenWords(screen);
		if (words !== undefined) this.#say("terminal", words, screen);
	}

	#onInjected(injection: Injection): void {
		this.#say("host", injectionWords(injection));
	}

	#say(who: Who, words: Words, screen?: Screen): void {
		const timeMs = this.#stage.time.nowMs;
		this.#o.onLine?.({ timeMs, who, words, ...(screen === undefined ? {} : { screen }) });
	}

	#result(): ScenarioResult {
		const { scenario, seed, sync = true } = this.#o;
		const stage = this.#stage;
		const { shop, cases, time } = stage;
		const money = stage.money();
		const verdict = judge({
			expected: sync ? scenario.expected : scenario.expectedWithoutSync,
			stans: this.#stans,
			injected: this.#injected,
			cases: cases.files,
			settled: this.#settled,
			money,
			config: stage.config,
			lineBackMs: stage.lineBackMs,
			cardAnnounced: this.#cardAnnounced,
			cardStillIn: shop.power.on && shop.cardLeft,
		});
		return {
			scenario,
			seed,
			sync,
			holds: verdict.checks.every(({ holds }) => holds),
			checks: verdict.checks,
			findings: verdict.findings,
			cases: cases.files,
			settled: this.#settled,
			money,
			ledgers: stage.statement().totals,
			summary: shop.terminal.summary(),
			lastScreen: shop.till.screen,
			settledScreen: this.#settledScreen,
			slips: this.#slips,
			visits: shop.visits,
			doubts: this.#doubts,
			declined: this.#declined,
			atRest: shop.power.on && shop.terminal.atRest,
			powerCuts: stage.powerCuts,
			hostCrashes: stage.hostCrashes,
			linkOutages: stage.linkOutages,
			blocksDestroyed: stage.blocksDestroyed,
			firmwareRestarts: shop.restarts,
			signOns: shop.signOns,
			bytesProgrammed: shop.bytesProgrammed - this.#provisioned.bytes,
			blocksErased: shop.blocksErased - this.#provisioned.erases,
			erasesInSale: shop.erasesInSale,
			simulatedMs: time.nowMs - this.#startMs,
		};
	}
}
