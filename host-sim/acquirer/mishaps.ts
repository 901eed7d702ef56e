/**
 * What befalls a new sale in the books, where a fault says so: its record is lost, it is reversed though nobody asked, its
 * amount is altered, its posting is lost, refused, late, or taken back for a while; or it is booked as it should be, and
 * the terminal is told that it was declined. At most one of them befalls one sale, and each is told to the owner once it
 * is durable, so that a cause that is found can be compared with the one that was injected.
 * @module
 */
import { AMOUNT_MINOR_MAX } from "../../src/core/money";
import { BOOKING_FAULT_NAMES, POSTING_FAULT_NAMES, SALE_FAULT_NAMES } from "./fault-names";
import type { FaultName, FaultPlan } from "./faults";
import { NO_SALE_FAULTS } from "./faults";
import type { MovementKey } from "./movement";
import type { IntegerSource } from "./random";
import type { PostingPlan } from "./records";

/** A fault that has put money, or the books, out of place. */
export interface Injection {
	readonly fault: FaultName;
	readonly key: MovementKey;
	/** The movement's; of an altered one the difference. */
	readonly amountMinor: number;
}

export type Mishap = (typeof MISHAPS)[number];

const MISHAPS = [...SALE_FAULT_NAMES, ...POSTING_FAULT_NAMES, ...BOOKING_FAULT_NAMES] as const;

/** How the books are to hold a sale. */
export interface BookedSale {
	/** At the issuer. */
	readonly debitMinor: number;
	/** In the acquirer's record. */
	readonly amountMinor: number;
	readonly posting: PostingPlan | undefined;
	/** To be told of, when it is durable. */
	readonly injected: number;
}

export interface MishapsOptions {
	readonly faults: FaultPlan;
	/** For what a mishap does; a source of its own. */
	readonly random: IntegerSource;
	/**
	 * The greatest delay of a late posting behind the usual one, ms; the least is a quarter of it. As long is one away that the
	 * bank takes back, at the latest after a quarter of it.
	 */
	readonly lateMsMax: number;
	onInjected?(injection: Injection): void;
}

/** The greatest difference of an altered amount, where the amount allows it. */
const DIFFERENCE_MINOR_MAX = 10_000;

export class Mishaps {
	readonly #options: MishapsOptions;

	constructor(options: MishapsOptions) {
		this.#options = options;
	}

	/**
	 * Drawn for each new sale.
	 * @param crashes - the request ends in a crash: nothing else befalls it
	 * @param asks - it may be declined: it does not tell what has happened
	 */
	next(crashes: boolean, asks: boolean): Mishap | undefined {
		const struck = this.#options.faults.nextSale();
		if (struck === NO_SALE_FAULTS || crashes) return undefined;
		return MISHAPS.find((name) => struck[name] && (asks || name !== "declinedBooked"));
	}

	/** @param plan - the usual posting of a sale recorded at `at` */
	book(mishap: Mishap, amountMinor: number, plan: PostingPlan | undefined, at: number): BookedSale {
		const { random, lateMsMax } = this.#options;
		const usual: BookedSale = { debitMinor: amountMinor, amountMinor, posting: plan, injected: amountMinor };
		switch (mishap) {
			case "postingLost":
				return { ...usual, posting: { ...plan, fault: "lost" } };
			case "postingRefused":
				return { ...usual, posting: { ...plan, fault: "refused" } };
			case "postingLate": {
				const least = Math.floor(lateMsMax / 4);
				return { ...usual, posting: { dueAt: (plan?.dueAt ?? at) + least + random.below(lateMsMax - least + 1) } };
			}
			case "postingChanges": {
				const quarter = Math.floor(lateMsMax / 4);
				const dueAt = plan?.dueAt ?? at;
				const backAt = dueAt + 1 + random.below(quarter + 1);
				return {
					...usual,
					posting: { dueAt, backAt, againAt: backAt + quarter + random.below(lateMsMax - quarter + 1) },
				};
			}
			case "amountAltered":
				return this.#alter(usual);
			default:
				return usual;
		}
	}

	/** It has happened. */
	tell(fault: FaultName, key: MovementKey, amountMinor: number): void {
		this.#options.onInjected?.({ fault, key, amountMinor });
	}

	/** More everywhere; or less in the record and so at the merchant; or less at the merchant alone. */
	#alter(usual: BookedSale): BookedSale {
		const { random } = this.#options;
		const { amountMinor } = usual;
		const how = random.below(3);
		const differenceMinor = 1 + random.below(Math.min(DIFFERENCE_MINOR_MAX, Math.max(1, amountMinor - 1)));
		const altered = { ...usual, injected: differenceMinor };
		const moreMinor = amountMinor + differenceMinor;
		if ((how === 0 || amountMinor === 1) && moreMinor <= AMOUNT_MINOR_MAX) {
			return { ...altered, debitMinor: moreMinor, amountMinor: moreMinor };
		}
		const lessMinor = amountMinor - differenceMinor;
		if (how === 1) return { ...altered, amountMinor: lessMinor };
		return { ...altered, posting: { ...usual.posting, amountMinor: lessMinor } };
	}
}
