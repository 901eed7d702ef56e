/**
 * The merchant's ledger: what was posted to the shop's account, by movement.
 *
 * Holds by itself: one credit at most for each movement, taken back at most once; reversal, void and refunds together
 * never take more than the credit; a credit that comes after its reversal is refused (I6). The acquirer decides when to post; this ledger only keeps the account.
 * @module
 */
import { assert } from "../../src/core/assert";
import { CodedError } from "../../src/core/errors";
import { checkAmount } from "../../src/core/money";
import type { LedgerStore } from "./ledger-store";
import { isMovementKey, type MovementKey, MovementMap, movementText } from "./movement";

export type MerchantFact =
	| { kind: "credit"; key: MovementKey; amountMinor: number; at: number }
	| { kind: "debit"; key: MovementKey; amountMinor: number; at: number }
	/** A void or a refund, a movement of its own: takes back of the original's credit. */
	| { kind: "refund"; key: MovementKey; original: MovementKey; amountMinor: number; at: number }
	/** A void is taken back: what it took is credited again; 0 when the original was reversed meanwhile. */
	| { kind: "undo"; key: MovementKey; amountMinor: number; at: number }
	/** Reversed before anything was posted: nothing may be posted any more. */
	| { kind: "tombstone"; key: MovementKey; at: number };

/** What the merchant's account holds about one movement. */
export interface MerchantMovement {
	readonly key: MovementKey;
	creditedMinor: number;
	/** Of the reversal: what was left of the credit. */
	debitedMinor: number;
	reversed: boolean;
	tombstone: boolean;
	/** Taken back of this credit by voids and refunds that stand. */
	refundedMinor: number;
	/** Set for a void or a refund: what it took back, and of which credit. */
	readonly took: { readonly original: MovementKey; readonly amountMinor: number; undone: boolean } | undefined;
}

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

	/** Posts a sale. @returns false when it is posted already or was reversed: nothing is done */
	credit(key: MovementKey, amountMinor: number, at: number): boolean {
		if (this.#movements.get(key) !== undefined) return false;
		this.#record({ kind: "credit", key, amountMinor, at });
		return true;
	}

	/** Takes back of a posting for a void or a refund that the issuer has given. Safe to repeat. */
	refund(key: MovementKey, original: MovementKey, amountMinor: number, at: number): void {
		if (this.#movements.get(key) === undefined) this.#record({ kind: "refund", key, original, amountMinor, at });
	}

	/** Takes a posting or a void back, once; a later posting of it is refused. Safe to repeat. */
	reverse(key: MovementKey, at: number): void {
		const known = this.#movements.get(key);
		if (known === undefined) this.#record({ kind: "tombstone", key, at });
		else if (known.took !== undefined) {
			const original = this.#movements.get(known.took.original)!;
			const amountMinor = original.reversed ? 0 : known.took.amountMinor;
			if (!known.took.undone) this.#record({ kind: "undo", key, amountMinor, at });
		} else if (!known.tombstone && !known.reversed) {
			this.#record({ kind: "debit", key, amountMinor: known.creditedMinor - known.refundedMinor, at });
		}
	}

	movement(key: MovementKey): Readonly<MerchantMovement> | undefined {
		return this.#movements.get(key);
	}

	/** Every movement of the account, oldest first. */
	movements(): IterableIterator<Readonly<MerchantMovement>> {
		return this.#movements.values();
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
			case "credit": // Never twice, never after its reversal.
			case "tombstone":
				return known === undefined;
			case "debit": // Once, and exactly what is left of what was posted.
				return (
					known !== undefined &&
					known.creditedMinor > 0 &&
					!known.reversed &&
					known.creditedMinor - known.refundedMinor === fact.amountMinor
				);
			case "refund": {
				// Never twice, never of a posting that was reversed, and all together never more than the posting.
				const posted = isMovementKey(fact.original) ? this.#movements.get(fact.original) : undefined;
				const rest = posted === undefined || posted.reversed ? 0 : posted.creditedMinor - posted.refundedMinor;
				const whole = Number.isSafeInteger(fact.amountMinor) && fact.amountMinor > 0;
				return known === undefined && whole && fact.amountMinor <= rest;
			}
			case "undo": {
				if (known?.took === undefined || known.took.undone) return false;
				const { reversed } = this.#movements.get(known.took.original)!;
				return fact.amountMinor === (reversed ? 0 : known.took.amountMinor);
			}
			default:
				return false;
		}
	}

	#apply(fact: MerchantFact): void {
		if (fact.kind === "debit") {
			const known = this.#movements.get(fact.key)!;
			known.debitedMinor = fact.amountMinor;
			known.reversed = true;
			return;
		}
		if (fact.kind === "undo") {
			const took = this.#movements.get(fact.key)!.took!;
			this.#movements.get(took.original)!.refundedMinor -= fact.amountMinor;
			took.undone = true;
			return;
		}
		if (fact.kind === "refund") {
			this.#movements.get(fact.original)!.refundedMinor += fact.amountMinor;
		}
		this.#movements.add(fact.key, {
			key: fact.key,
			creditedMinor: fact.kind === "credit" ? checkAmount(fact.amountMinor, "merchant credit") : 0,
			debitedMinor: 0,
			reversed: false,
			tombstone: fact.kind === "tombstone",
			refundedMinor: 0,
			took:
				fact.kind === "refund" ? { original: fact.original, amountMinor: fact.amountMinor, undone: false } : undefined,
		});
	}
}
