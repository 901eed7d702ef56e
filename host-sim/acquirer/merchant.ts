/**
 * The merchant's ledger: what was posted to the shop's account, by movement.
 *
 * Holds by itself: one posting at most for each movement, and one more where the bank has taken the first back; posting and the desk's claims together never credit more than
 * the movement's amount, which the first of them fixes; reversal, void, refunds and adjustments together never take more
 * than was credited; nothing is credited after a reversal, unless the reversal itself was taken back (I6). The acquirer
 * decides when to post; this ledger only keeps the account.
 * @module
 */
import { assert } from "../../src/core/assert";
import { CodedError } from "../../src/core/errors";
import { AMOUNT_MINOR_MAX } from "../../src/core/money";
import type { LedgerStore } from "./ledger-store";
import { isMovementKey, isSameMovement, type MovementKey, MovementMap, movementText } from "./movement";

export type MerchantFact =
	/** The bank posts. `ofMinor`: what all credits together may come to; absent: this one's amount. */
	| { kind: "credit"; key: MovementKey; amountMinor: number; ofMinor?: number; at: number }
	/** The bank takes its posting back, all of it; once. */
	| { kind: "return"; key: MovementKey; amountMinor: number; at: number }
	/** The desk posts by hand, once for each request. */
	| { kind: "claim"; key: MovementKey; request: string; amountMinor: number; ofMinor: number; at: number }
	| { kind: "debit"; key: MovementKey; amountMinor: number; at: number }
	/** A void or a refund, a movement of its own: takes back of the original's credit. */
	| { kind: "refund"; key: MovementKey; original: MovementKey; amountMinor: number; at: number }
	/** The desk has given the cardholder back: the shop's part of it, once for each request. */
	| { kind: "adjustment"; key: MovementKey; request: string; amountMinor: number; at: number }
	/** A void is taken back: what it took is credited again; 0 when the original was reversed meanwhile. */
	| { kind: "undo"; key: MovementKey; amountMinor: number; at: number }
	/** A reversal that nobody had asked for is taken back: what it took is credited again; 0 of a tombstone. */
	| { kind: "reinstate"; key: MovementKey; amountMinor: number; at: number }
	/** Reversed before anything was posted: nothing may be posted any more. */
	| { kind: "tombstone"; key: MovementKey; at: number };

/** What the merchant's account holds about one movement. */
export interface MerchantMovement {
	readonly key: MovementKey;
	/** All credits together never exceed it; 0 before the first. */
	limitMinor: number;
	/** By posting and claims. */
	creditedMinor: number;
	/** The bank has posted it. */
	posted: boolean;
	/** It had, and has taken it back: it may post it again. */
	returned: boolean;
	/** Of the last credit, ms since 1970; 0 before it. */
	creditedAt: number;
	/** Of the reversal: what was left of the credit. */
	debitedMinor: number;
	reversed: boolean;
	tombstone: boolean;
	/** Taken back of this credit by voids and refunds that stand, and by the desk. */
	refundedMinor: number;
	/** Of it by the desk. */
	adjustedMinor: number;
	/** The desk's requests that credited or took back. */
	requests: readonly string[];
	/** Set for a void or a refund: what it took back, and of which credit. */
	readonly took: { readonly original: MovementKey; amountMinor: number; undone: boolean } | undefined;
}

/** Of almost every movement. */
const NO_REQUESTS: readonly string[] = [];

export class MerchantLedger {
	readonly #store: LedgerStore;
	readonly #movements = new MovementMap<MerchantMovement>();

	/** Replays what the store holds. @throws {CodedError} "damaged" */
	constructor(store: LedgerStore) {
		this.#store = store;
		for (const [index, entry] of store.load("merchant").entries()) {
			const fact = entry as MerchantFact;
			if (!this.#fits(fact)) throw new CodedError("damaged", "merchant ledger", `entry ${index + 1}`);
			this.#apply(fact);
		}
	}

	/**
	 * Posts a sale.
	 * @param ofMinor - what posting and claims together may come to, where that is not `amountMinor`
	 * @returns false when it is posted already, was reversed, or would be credited too much: nothing is done
	 */
	credit(key: MovementKey, amountMinor: number, at: number, ofMinor = amountMinor): boolean {
		const limit = ofMinor === amountMinor ? {} : { ofMinor };
		return this.#recordIfFits({ kind: "credit", key, amountMinor, ...limit, at });
	}

	/** The bank takes its posting back. @returns false where it has done so before, or something else was moved of it since */
	giveBack(key: MovementKey, at: number): boolean {
		const amountMinor = this.#movements.get(key)?.creditedMinor ?? 0;
		return this.#recordIfFits({ kind: "return", key, amountMinor, at });
	}

	/** The desk posts by hand. Safe to repeat. @returns false when the account does not admit it */
	claim(key: MovementKey, request: string, amountMinor: number, ofMinor: number, at: number): boolean {
		if (this.hasRequest(key, request)) return true;
		return this.#recordIfFits({ kind: "claim", key, request, amountMinor, ofMinor, at });
	}

	/** The desk takes back. Safe to repeat. @returns false when the account does not admit it */
	adjust(key: MovementKey, request: string, amountMinor: number, at: number): boolean {
		if (this.hasRequest(key, request)) return true;
		return this.#recordIfFits({ kind: "adjustment", key, request, amountMinor, at });
	}

	/**
	 * Takes back of a posting for a void or a refund that the issuer has given: up to this amount in all, as a posting may
	 * come in parts. Safe to repeat.
	 */
	refund(key: MovementKey, original: MovementKey, amountMinor: number, at: number): void {
		const known = this.#movements.get(key);
		if (known !== undefined && (known.took === undefined || known.took.undone)) return;
		const moreMinor = amountMinor - (known?.took?.amountMinor ?? 0);
		if (moreMinor > 0) this.#record({ kind: "refund", key, original, amountMinor: moreMinor, at });
	}

	/** Takes a posting or a void back, once; a later posting of it is refused. Safe to repeat. */
	reverse(key: MovementKey, at: number): void {
		const known = this.#movements.get(key);
		if (isUntouched(known)) this.#record({ kind: "tombstone", key, at });
		else if (known.took !== undefined) {
			const original = this.#movements.get(known.took.original)!;
			const amountMinor = original.reversed ? 0 : known.took.amountMinor;
			if (!known.took.undone) this.#record({ kind: "undo", key, amountMinor, at });
		} else if (!known.tombstone && !known.reversed) {
			this.#record({ kind: "debit", key, amountMinor: known.creditedMinor - known.refundedMinor, at });
		}
	}

	/** Takes back a reversal that nobody had asked for. @returns false when there is none */
	reinstate(key: MovementKey, at: number): boolean {
		const amountMinor = this.#movements.get(key)?.debitedMinor ?? 0;
		return this.#recordIfFits({ kind: "reinstate", key, amountMinor, at });
	}

	movement(key: MovementKey): Readonly<MerchantMovement> | undefined {
		return this.#movements.get(key);
	}

	/** What the shop has received for it. */
	netMinor(key: MovementKey): number {
		const known = this.#movements.get(key);
		return known === undefined ? 0 : known.creditedMinor - known.debitedMinor - known.refundedMinor;
	}

	hasRequest(key: MovementKey, request: string): boolean {
		return this.#movements.get(key)?.requests.includes(request) === true;
	}

	/** Every movement of the account, oldest first. */
	movements(): IterableIterator<Readonly<MerchantMovement>> {
		return this.#movements.values();
	}

	#recordIfFits(fact: MerchantFact): boolean {
		if (!this.#fits(fact)) return false;
		this.#store.append("merchant", fact);
		this.#apply(fact);
		return true;
	}

	#record(fact: MerchantFact): void {
		if (!this.#fits(fact)) assert(false, `I6 merchant ${movementText(fact.key)} does not admit ${fact.kind}`);
		this.#store.append("merchant", fact);
		this.#apply(fact);
	}

	/** The rules of the account, for a new fact before it is written and for an old one when it is read back. */
	#fits(fact: MerchantFact): boolean {
		if (!isMovementKey(fact.key)) return false;
		const known = this.#movements.get(fact.key);
		switch (fact.kind) {
			case "credit": // Never twice, never after its reversal, never beyond the amount.
				return canCredit(known, fact.amountMinor, fact.ofMinor ?? fact.amountMinor) && known?.posted !== true;
			case "return": // Once, and of a posting alone that is there whole.
				return (
					known?.posted === true &&
					!known.returned &&
					!known.reversed &&
					known.refundedMinor === 0 &&
					known.requests.length === 0 &&
					known.creditedMinor === fact.amountMinor
				);
			case "claim": // Once for a request.
				return canCredit(known, fact.amountMinor, fact.ofMinor) && isNew(known, fact.request);
			case "tombstone":
				return isUntouched(known);
			case "debit": // Once, and exactly what is left of what was posted.
				return (
					known !== undefined &&
					known.creditedMinor > 0 &&
					!known.reversed &&
					known.creditedMinor - known.refundedMinor === fact.amountMinor
				);
			case "refund": {
				// Of one posting, and all together never more than it.
				if (!isMovementKey(fact.original)) return false;
				const took = known?.took;
				const goesOn = took !== undefined && !took.undone && isSameMovement(took.original, fact.original);
				if (known !== undefined && !goesOn) return false;
				return isAmount(fact.amountMinor) && fact.amountMinor <= restOf(this.#movements.get(fact.original));
			}
			case "adjustment":
				return isNew(known, fact.request) && isAmount(fact.amountMinor) && fact.amountMinor <= restOf(known);
			case "undo": {
				if (known?.took === undefined || known.took.undone) return false;
				const { reversed } = this.#movements.get(known.took.original)!;
				return fact.amountMinor === (reversed ? 0 : known.took.amountMinor);
			}
			case "reinstate": // Exactly what the reversal took.
				return known !== undefined && (known.reversed || known.tombstone) && known.debitedMinor === fact.amountMinor;
			default:
				return false;
		}
	}

	#apply(fact: MerchantFact): void {
		switch (fact.kind) {
			case "credit":
			case "claim": {
				const known = this.#open(fact.key);
				if (known.limitMinor === 0) known.limitMinor = fact.ofMinor ?? fact.amountMinor;
				known.creditedMinor += fact.amountMinor;
				known.creditedAt = fact.at;
				if (fact.kind === "credit") known.posted = true;
				else known.requests = [...known.requests, fact.request];
				return;
			}
			case "return": {
				const known = this.#open(fact.key);
				known.creditedMinor = 0;
				known.creditedAt = 0;
				known.posted = false;
				known.returned = true;
				return;
			}
			case "debit": {
				const known = this.#open(fact.key);
				known.debitedMinor = fact.amountMinor;
				known.reversed = true;
				return;
			}
			case "refund": {
				const { original, amountMinor } = fact;
				this.#open(original).refundedMinor += amountMinor;
				this.#open(fact.key, { original, amountMinor: 0, undone: false }).took!.amountMinor += amountMinor;
				return;
			}
			case "adjustment": {
				const known = this.#open(fact.key);
				known.refundedMinor += fact.amountMinor;
				known.adjustedMinor += fact.amountMinor;
				known.requests = [...known.requests, fact.request];
				return;
			}
			case "undo": {
				const took = this.#open(fact.key).took!;
				this.#open(took.original).refundedMinor -= fact.amountMinor;
				took.undone = true;
				return;
			}
			case "reinstate": {
				const known = this.#open(fact.key);
				known.debitedMinor = 0;
				known.reversed = false;
				known.tombstone = false;
				return;
			}
			case "tombstone":
				this.#open(fact.key).tombstone = true;
		}
	}

	/** The movement, made where it is not there yet. */
	#open(key: MovementKey, took?: MerchantMovement["took"]): MerchantMovement {
		const known = this.#movements.get(key);
		if (known !== undefined) return known;
		const movement: MerchantMovement = {
			key,
			limitMinor: 0,
			creditedMinor: 0,
			posted: false,
			returned: false,
			creditedAt: 0,
			debitedMinor: 0,
			reversed: false,
			tombstone: false,
			refundedMinor: 0,
			adjustedMinor: 0,
			requests: NO_REQUESTS,
			took,
		};
		this.#movements.add(key, movement);
		return movement;
	}
}

/** Nothing was ever credited or taken under this number, or that was taken back whole. */
function isUntouched(known: MerchantMovement | undefined): known is undefined {
	return known === undefined || (known.creditedMinor === 0 && !known.tombstone && known.took === undefined);
}

function canCredit(known: MerchantMovement | undefined, amountMinor: number, ofMinor: number): boolean {
	if (!isAmount(amountMinor) || !isAmount(ofMinor)) return false;
	if (known === undefined) return amountMinor <= ofMinor;
	if (known.took !== undefined || known.reversed || known.tombstone) return false;
	const limit = known.limitMinor === 0 ? ofMinor : known.limitMinor;
	return known.creditedMinor + amountMinor <= limit;
}

function isNew(known: MerchantMovement | undefined, request: unknown): boolean {
	return typeof request === "string" && known?.requests.includes(request) !== true;
}

/** What can still be taken back. */
function restOf(posted: MerchantMovement | undefined): number {
	return posted === undefined || posted.reversed ? 0 : posted.creditedMinor - posted.refundedMinor;
}

function isAmount(value: unknown): boolean {
	return Number.isSafeInteger(value) && (value as number) >= 1 && (value as number) <= AMOUNT_MINOR_MAX;
}
