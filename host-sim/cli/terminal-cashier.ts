/**
 * `--sales N`: a cashier who sells N times with seeded amounts and cards, is honest when the terminal asks her
 * something, tries again while the host is away, and at the end waits until the terminal is at rest.
 * @module
 */
import type { Screen, ScreenName } from "../../src/ports";
import { amountText, type Language, screenLines, screenTitle, stanText } from "../../src/ui/texts";
import { SeededRandom } from "../board/seeded-random";
import { TEST_CARDS, type TestCard } from "../test-cards";
import type { Station } from "./terminal-station";

export interface CashierOptions {
	station: Station;
	sales: number;
	seed: number;
	language: Language;
	/** Always this card; absent: a mix. */
	card?: TestCard;
	/** Always this amount; absent: seeded. */
	amountMinor?: number;
	/** Real ms that the host may stay away, and that the end may take. */
	waitMs: number;
	speed: number;
	/** False: reversals are switched off, and nothing is waited for. */
	autoReversal: boolean;
	/** How long until a reversal is sent once more, terminal's ms. */
	lateOriginalMs: number;
	report(event: { kind: string; text: string } & Record<string, unknown>): void;
}

/** How a customer left. The names of screens, and "skipped": never served. */
type Outcome = ScreenName | "skipped";

export interface SalesResult {
	readonly sales: number;
	/** Sales that ended, in whatever way: no customer was sent away unserved. */
	readonly ended: number;
	readonly approved: number;
	readonly approvedMinor: number;
	readonly declined: number;
	/** Told that nothing is charged because no answer came: reversed. */
	readonly noAnswer: number;
	/** Card refused by the terminal, cancelled, not sent: no money was asked for. */
	readonly notBegun: number;
	/** Nothing waits any more. */
	readonly atRest: boolean;
	/** Why it ended early; empty when it did not. */
	readonly gaveUp: string;
}

/** Outcomes of which a later try may be better: the customer waits. */
const PASSING: readonly Outcome[] = ["noLink", "refusedDoubts", "refusedBusy", "refusedDelivery", "refusedCardLeft"];
/** Nobody can be served until something else has been done. */
const CLOSED: readonly Outcome[] = ["refusedFull", "refusedBatch", "refusedKeys", "refusedStopped", "outOfService"];
/** Screens that end a visit. */
const ENDS: readonly ScreenName[] = [
	...(["approved", "approvedNoPaper", "declined", "noAnswer", "notSent", "noLink", "cancelled"] as const),
	...(["cardRefused", "cardUnreadable", "cardInvalid", "cardExpired"] as const),
];

/** Most customers pay by contactless or chip; some cards are there to be refused. */
const CARD_MIX = [
	...Array<string>(8).fill("contactless"),
	...Array<string>(6).fill("chip"),
	...Array<string>(4).fill("chip-pin"),
	...Array<string>(2).fill("magstripe-pin"),
	...["magstripe-19", "poor", "expired", "chip-refuses"],
];

/** Terminal's ms. */
const RETRY_MS = 2_000;
const CASHIER_MS = 1_000;
const PIN_MS = 1_500;
const PAUSE_MS = 500;

export class Cashier {
	readonly #o: CashierOptions;
	readonly #random: SeededRandom;
	#end: Screen | undefined;
	#stan = 0;
	#onSaleEnd: (() => void) | undefined;
	#stopped = false;
	readonly #counts = { ended: 0, approved: 0, approvedMinor: 0, declined: 0, noAnswer: 0, notBegun: 0 };

	constructor(options: CashierOptions) {
		this.#o = options;
		this.#random = new SeededRandom(options.seed).fork("customers");
		options.station.terminal.onSaleEnd = () => this.#onSaleEnd?.();
	}

	/** Each screen of the terminal; comes from inside the firmware. */
	onScreen(screen: Screen): void {
		const { station } = this.#o;
		const { name, stan } = screen;
		if (name === "waitForHost" && stan !== undefined) this.#stan = stan;
		// A late word about an older sale does not end this one.
		if (ENDS.includes(name) && (stan === undefined || stan === this.#stan)) this.#end = screen;
		if (name === "askDelivered" && stan !== undefined) {
			station.later(CASHIER_MS, () => station.terminal.answerDelivery(station.notes.told(stan) === "paid"));
		}
		if (name === "approvedNoPaper") station.later(CASHIER_MS, () => station.terminal.acknowledge());
	}

	/** No further customer; one whose request has not left yet is sent away. */
	stop(): void {
		this.#stopped = true;
		this.#o.station.attempt(() => this.#o.station.terminal.cancel());
	}

	async run(): Promise<SalesResult> {
		const { sales, report } = this.#o;
		let gaveUp = "";
		for (let n = 1; n <= sales && gaveUp === "" && !this.#stopped; n++) gaveUp = await this.#customer(n);
		if (gaveUp !== "") report({ kind: "gaveUp", text: `gave up: ${gaveUp}` });
		const atRest = await this.#rest();
		return { sales, ...this.#counts, atRest, gaveUp };
	}

	/** @returns why nobody can be served any more, or "" */
	async #customer(n: number): Promise<string> {
		const { sales, language, report, waitMs } = this.#o;
		const card = this.#o.card ?? pickCard(this.#random);
		const seeded = 100 * (1 + this.#random.below(300)) + this.#random.pick([0, 0, 50, 80, 99]);
		const amountMinor = this.#o.amountMinor ?? seeded;
		const delayMs = 200 + this.#random.below(800);
		const patienceEnd = performance.now() + waitMs;
		for (;;) {
			const outcome = await this.#try(amountMinor, card, delayMs);
			const unserved = outcome === "cancelled" || PASSING.includes(outcome);
			if (outcome === "skipped" || (this.#stopped && unserved)) return "stopped";
			const title = screenTitle(outcome, language);
			if (CLOSED.includes(outcome)) return title;
			if (PASSING.includes(outcome)) {
				if (performance.now() >= patienceEnd) return title;
				await this.#o.station.wait(RETRY_MS);
				continue;
			}
			this.#count(outcome, amountMinor);
			const code = this.#end?.code;
			const words = screenLines(code === undefined ? { name: outcome } : { name: outcome, code }, language);
			const stan = this.#stan === 0 ? "------" : stanText(this.#stan);
			const text = `${n}/${sales} ${stan} ${amountText(amountMinor)} ${card.name}: ${words.join(" ")}`;
			report({ kind: "sale", n, stan: this.#stan, amountMinor, card: card.name, outcome, text });
			await this.#o.station.wait(PAUSE_MS);
			return "";
		}
	}

	/** How the terminal ended the visit; a method, as the field changes while the caller waits. */
	#outcome(): Outcome {
		return this.#end?.name ?? "skipped";
	}

	async #try(amountMinor: number, card: TestCard, delayMs: number): Promise<Outcome> {
		const { station, autoReversal } = this.#o;
		const { terminal, reader, keypad } = station;
		while (terminal.phase !== "idle" || terminal.asksDelivery) await station.wait(100);
		if (this.#stopped) return "skipped";
		this.#end = undefined;
		this.#stan = 0;
		let refusal: ScreenName | undefined;
		const ended = new Promise<void>((resolve) => {
			this.#onSaleEnd = resolve;
		});
		station.attempt(() => {
			reader.present({ card, delayMs });
			if (card.pinWanted && card.pin !== undefined) keypad.enter({ pin: card.pin, delayMs: PIN_MS });
			// Without reversals doubts only grow: the manager lets it happen, to show where that leads.
			refusal = terminal.sale(amountMinor, !autoReversal);
		});
		if (refusal === undefined) await ended;
		this.#onSaleEnd = undefined;
		reader.withdraw();
		keypad.withdraw();
		return refusal ?? this.#outcome();
	}

	#count(outcome: Outcome, amountMinor: number): void {
		const counts = this.#counts;
		counts.ended++;
		if (outcome === "approved" || outcome === "approvedNoPaper") {
			counts.approved++;
			counts.approvedMinor += amountMinor;
		} else if (outcome === "declined") counts.declined++;
		else if (outcome === "noAnswer" || outcome === "cardRefused") counts.noAnswer++;
		else counts.notBegun++;
	}

	/** Until nothing waits, or for as long as is allowed; a reversal that is due later than that is not waited for. */
	async #rest(): Promise<boolean> {
		const { station, waitMs, speed, lateOriginalMs, autoReversal } = this.#o;
		const endMs = performance.now() + waitMs;
		const watchIsLong = lateOriginalMs / speed > waitMs;
		for (;;) {
			const { terminal } = station;
			if (terminal.atRest) return true;
			const idle = terminal.phase === "idle" && !terminal.asksDelivery;
			const hopeless = this.#stopped || !autoReversal || (terminal.log.doubts === 0 && watchIsLong);
			if ((idle && hopeless) || performance.now() >= endMs) return false;
			await station.wait(Math.min(1_000, 50 * speed));
		}
	}
}

function pickCard(random: SeededRandom): TestCard {
	const name = random.pick(CARD_MIX);
	const card = TEST_CARDS.find((candidate) => candidate.name === name);
	if (card === undefined) throw new Error(`no test card ${name}`);
	return card;
}
