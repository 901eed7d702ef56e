/**
 * Customers and cashiers of one terminal: who comes, with which card, and what people do wrong. They act through the
 * keys, the reader and the till alone.
 * @module
 */
import { fromHex } from "../../src/core/bytes";
import type { Clock } from "../../src/ports";
import type { StoredCard } from "../../src/security/card-seal";
import {
	type AdviceFacts,
	intentSeconds,
	KIND_OFFLINE_SALE,
	KIND_REFUND,
	KIND_RESEND,
} from "../../src/transactions/records";
import { State } from "../../src/transactions/states";
import { PowerLost } from "../board/power";
import type { Presentation } from "../board/scripted-reader";
import type { SeededRandom } from "../board/seeded-random";
import type { TestCard } from "../test-cards";
import type { Visit } from "./shop";
import type { Station } from "./station";
import type { Story } from "./story";
import type { Strikes } from "./strikes";

const CARDS = ["chip", "chip-pin", "magstripe-pin", "contactless", "contactless", "magstripe-19", "poor", "lost"];
const RARE_CARDS = ["chip-refuses", "wrong-pin", "expired", "unknown", "bad-check-digit", "restricted"];
/** Cards of an offline sale: those that need no PIN, and one that the issuer will decline. */
const OFFLINE_CARDS = ["chip", "contactless", "magstripe-19", "poor"];
const AMOUNT_MINOR_MAX = 20_000;
/** Until the next customer tries again when the terminal is off or busy. */
const AGAIN_MS = 5_000;
const REFUSED_MAX = 40;

/**
 * What the shop has promised about money without a screen: the other half of I6, for advices. `stan` is 0 where power
 * went inside the call: flash may hold it or not, and nobody has been told.
 */
export interface MoneyPromise {
	readonly terminalId: string;
	readonly kind: "offlineSale" | "refund" | "resend";
	readonly batch: number;
	readonly stan: number;
	readonly amountMinor: number;
	/** Of a refund or a resend. */
	readonly originalBatch: number;
	readonly originalStan: number;
}

export interface PeopleOptions {
	readonly station: Station;
	readonly cards: readonly TestCard[];
	readonly network: Clock;
	readonly random: SeededRandom;
	readonly strikes: Strikes;
	readonly story: Story;
	readonly customers: number;
	/** A card is about to be held to the terminal. */
	onPresented(amountMinor: number, presentation: Presentation): void;
	/** Something may break just now. */
	beforeCustomer(): void;
	onPromise(promise: MoneyPromise): void;
	/** The sale of this trace number is the last one once more, entered by mistake. */
	onMistake(stan: number): void;
	onDone(): void;
}

/** A sale that is entered once more. */
interface Mistake {
	readonly amountMinor: number;
	readonly cardName: string;
}

export class People {
	/** Customers that came to a terminal that was on, and advices that were handed in. */
	sales = 0;
	readonly #o: PeopleOptions;
	/** Customers still to come. */
	#left: number;
	/** In a row, by a terminal that sells nothing just now. */
	#refused = 0;
	/** STANs of approved sales that a refund or a resend may belong to. */
	readonly #sold: number[] = [];
	/** What the next customer's sale is a repeat of. */
	#again: Mistake | undefined;

	constructor(options: PeopleOptions) {
		this.#o = options;
		this.#left = options.customers;
	}

	start(): void {
		this.#later(1_000 + this.#o.random.below(20_000));
	}

	#later(ms: number): void {
		this.#o.network.setTimer(ms, () => this.#next());
	}

	#next(): void {
		const { station, random, strikes, onDone } = this.#o;
		const { shop } = station;
		if (this.#left === 0) {
			onDone();
			return;
		}
		if (!shop.power.on || shop.visit !== undefined) {
			this.#later(AGAIN_MS);
			return;
		}
		this.#left--;
		this.#o.beforeCustomer();
		if (strikes.strikes("settleKey")) this.#act("presses settle", () => shop.terminal.settle());
		if (shop.power.on && strikes.strikes("syncKey")) this.#act("presses sync", () => shop.terminal.sync());
		if (shop.power.on && strikes.strikes("signOff")) this.#act("signs the terminal off", () => shop.terminal.signOff());
		if (!shop.power.on) {
			this.#later(AGAIN_MS);
			return;
		}
		const what = random.below(16);
		if (what === 0) this.#offlineSale();
		else if (what === 1) this.#refundOrResend();
		else {
			this.#come();
			return;
		}
		this.#later(this.#pauseMs());
	}

	#pauseMs(): number {
		const { random } = this.#o;
		if (random.chance(1, 40)) return random.below(4 * 3_600_000);
		return random.chance(1, 6) ? random.below(900_000) : random.below(8_000);
	}

	#come(): void {
		const { station, random, strikes, story } = this.#o;
		const { shop } = station;
		const again = this.#again;
		const name = random.chance(1, 8) ? random.pick(RARE_CARDS) : random.pick(CARDS);
		const card = this.#card(again?.cardName ?? name);
		const drawnMinor = 1 + random.below(AMOUNT_MINOR_MAX);
		const amountMinor = again?.amountMinor ?? drawnMinor;
		const fault = strikes.strikes("readerFault")
			? strikes.random("readerFault").pick(["unreadable", "pulled", "gone"] as const)
			: undefined;
		if (strikes.strikes("paperOut")) shop.till.paperSlips = 0;
		this.sales++;
		story.line(station.number, "people", `customer pays ${amountMinor} with ${card.name}`);
		// A chip that thinks for longer than the terminal waits has not consented.
		const slow = strikes.strikes("chipSlow") ? { verdictMs: 8_000 + strikes.random("chipSlow").below(6_000) } : {};
		const presentation = { card, delayMs: 500, ...slow, ...(fault === undefined ? {} : { fault }) };
		this.#o.onPresented(amountMinor, presentation);
		const visit = shop.sell(amountMinor, presentation, (ended) => this.#went(ended), random.chance(1, 4));
		if (!visit.ended) this.#nuisances(visit);
	}

	/** What people do while a sale is under way. */
	#nuisances(visit: Visit): void {
		const { station, strikes } = this.#o;
		const { shop } = station;
		const during = (ms: number, action: () => void) => {
			const { power } = shop;
			this.#o.network.setTimer(ms, () => {
				if (visit === shop.visit) power.deliver(action);
			});
		};
		if (strikes.strikes("pressCancel")) {
			const random = strikes.random("pressCancel");
			const ms = random.chance(1, 4) ? random.below(70_000) : random.below(4_000);
			during(1 + ms, () => this.#act("presses cancel", () => shop.terminal.cancel()));
		}
		if (strikes.strikes("pressTwice")) {
			const ms = strikes.random("pressTwice").below(6_000);
			during(1 + ms, () => this.#act("begins a sale again", () => shop.terminal.sale(visit.amountMinor)));
		}
		if (strikes.strikes("switchOff")) {
			const ms = 2_000 + strikes.random("switchOff").below(60_000);
			during(ms, () => {
				this.#o.story.line(station.number, "people", "switches the terminal off");
				shop.pullPlug();
			});
		}
	}

	#went(visit: Visit): void {
		const { station, story } = this.#o;
		const { shop } = station;
		if (visit.refusal !== undefined) {
			story.line(station.number, "people", `is sent away: ${visit.refusal}`);
			// Somebody else will come; a terminal that sells nothing for long is no reason to wait for ever.
			if (++this.#refused <= REFUSED_MAX) this.#left++;
			this.#later(20_000 + this.#pauseMs());
			return;
		}
		this.#refused = 0;
		const paid = visit.stan !== 0 && shop.till.told(visit.stan) === "paid";
		const { amountMinor, cardName } = visit;
		if (paid && this.#again !== undefined) this.#o.onMistake(visit.stan);
		else if (paid) this.#sold.push(visit.stan);
		const mistaken = paid && this.#again === undefined && this.#o.strikes.strikes("enteredTwice");
		this.#again = mistaken ? { amountMinor, cardName } : undefined;
		if (mistaken) {
			this.#left++;
			this.#later(2_000);
			return;
		}
		this.#later(1 + this.#pauseMs());
	}

	#offlineSale(): void {
		const { random } = this.#o;
		const card = this.#card(random.pick(OFFLINE_CARDS));
		const amountMinor = 1 + random.below(AMOUNT_MINOR_MAX);
		const emv = card.emv === undefined || random.chance(1, 2) ? undefined : fromHex(card.emv);
		this.#forward("offlineSale", amountMinor, card, undefined, emv);
	}

	#refundOrResend(): void {
		const { station, random } = this.#o;
		const { shop } = station;
		const { log } = shop.terminal;
		if (this.#sold.length === 0) return;
		const at = random.below(this.#sold.length);
		const stan = this.#sold[at];
		const visit = shop.visits.find((candidate) => candidate.stan === stan);
		const id = log.findByStan(log.batch, stan);
		const slot = id === 0 ? -1 : log.find(id);
		if (visit === undefined || slot < 0 || log.index.states[slot] !== State.delivered) return;
		const outcome = log.outcome(id);
		if (outcome === undefined || log.openMovementOf(log.batch, stan) !== 0) return;
		const facts: AdviceFacts = {
			originalBatch: log.batch,
			originalStan: stan,
			originalDate: outcome.hostTime.slice(6, 10),
			rrn: outcome.rrn,
			authorization: outcome.authorization,
		};
		const card = this.#card(visit.cardName);
		if (random.chance(1, 4)) {
			this.#forward("resend", visit.amountMinor, card, facts);
			return;
		}
		this.#sold.splice(at, 1);
		const amountMinor = random.chance(1, 2) ? visit.amountMinor : 1 + random.below(visit.amountMinor);
		this.#forward("refund", amountMinor, card, facts);
	}

	#forward(
		kind: MoneyPromise["kind"],
		amountMinor: number,
		card: TestCard,
		original?: AdviceFacts,
		emv?: Uint8Array,
	): void {
		const { station, story } = this.#o;
		const { terminal } = station.shop;
		const { pan, expiry, sequence } = card;
		const stored: StoredCard = { pan, expiry, ...(sequence === undefined ? {} : { sequence }) };
		const timeS = intentSeconds(station.shop.clock.now());
		const advice = {
			kind: { offlineSale: KIND_OFFLINE_SALE, refund: KIND_REFUND, resend: KIND_RESEND }[kind],
			amountMinor,
			timeS,
			entryMode: card.entryMode === "contactless" ? "072" : "052",
			condition: "00",
			field60Rest: "00060",
			...(original === undefined ? {} : { original }),
		};
		const promise = (stan: number, batch: number) =>
			this.#o.onPromise({
				terminalId: station.config.terminalId,
				kind,
				batch,
				stan,
				amountMinor,
				originalBatch: original?.originalBatch ?? 0,
				originalStan: original?.originalStan ?? 0,
			});
		this.sales++;
		let taken: string | number | undefined;
		this.#act(`hands in: ${kind} ${amountMinor} ${original?.originalStan ?? ""}`, () => {
			taken = terminal.forward(advice, stored, emv);
		});
		if (taken === undefined) promise(0, 0);
		else if (typeof taken === "string") story.line(station.number, "people", `is sent away: ${taken}`);
		else promise(terminal.log.index.stans[terminal.log.find(taken)], terminal.log.batch);
	}

	/** A key that is pressed, on a board that may die of it. */
	#act(text: string, action: () => void): void {
		const { station, story } = this.#o;
		story.line(station.number, "people", text);
		try {
			action();
		} catch (error) {
			if (!(error instanceof PowerLost)) throw error;
		}
	}

	#card(name: string): TestCard {
		const card = this.#o.cards.find((candidate) => candidate.name === name);
		if (card === undefined) throw new Error(`no test card ${name}`);
		return card;
	}
}
