/**
 * The merchant's ledger: what was posted to the shop's account, by movement.
 *
 * Holds by itself: one credit at most for each movement, taken back at most once and to the fen; a credit that comes
 * after its reversal is refused (I6). The acquirer decides when to post; this ledger only keeps the account.
 * @module
 */
import { assert } from "../../src/core/assert";
import { CodedError } from "../../src/core/errors";
import { checkAmount } from "../../src/core/money";
import type { LedgerStore } from "./ledger-store";
import { isMovementKey, type MovementKey, movementText } from "./movement";

export type MerchantFact =
	| { kind: "credit"; key: MovementKey; amountMinor: number; at: number }
	| { kind: "debit"; key: MovementKey; amountMinor: number; at: number }
	/** Reversed before anything was posted: nothing may be posted any more. */
	| { kind: "tombstone"; key: MovementKey; at: number };

/** What the merchant's account holds about one movement. */
export interface MerchantMovement {
	readonly key: MovementKey;
	creditedMinor: number;
	debitedMinor: number;
	tombstone: boolean;
}

export class MerchantLedger {
	readonly #store: LedgerStore;
	readonly #movements = new Map<string, MerchantMovement>();

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
		if (this.#movements.has(movementText(key))) return false;
		this.#record({ kind: "credit", key, amountMinor, at });
		return true;
	}

	/** Takes the posting of a movement back, once; a later posting of it is refused. Safe to repeat. */
	reverse(key: MovementKey, at: number): void {
		const known = this.#movements.get(movementText(key));
		if (known === undefined) this.#record({ kind: "tombstone", key, at });
		else if (known.creditedMinor > known.debitedMinor) {
			this.#record({ kind: "debit", key, amountMinor: known.creditedMinor, at });
		}
	}

	movement(key: MovementKey): Readonly<MerchantMovement> | undefined {
		return this.#movements.get(movementText(key));
	}

	/** Every movement of the account, oldest first. */
	movements(): IterableIterator<Readonly<MerchantMovement>> {
		return this.#movements.values();
	}

	#record(fact: MerchantFact): void {
		assert(this.#fits(fact), `I6 merchant ${movementText(fact.key)} does not admit ${fact.kind}`);
		this.#store.append("merchant", fact);
		this.#apply(fact);
	}

	/** The rules of the account, for a new fact before it is written and for an old one when it is read back. */
	#fits(fact: MerchantFact): boolean {
		if (!isMovementKey(fact.key)) return false;
		const known = this.#movements.get(movementText(fact.key));
		switch (fact.kind) {
			case "credit": // Never twice, never after its reversal.
			case "tombstone":
				return known === undefined;
			case "debit": // Once, and exactly what was posted.
				return known?.debitedMinor === 0 && known.creditedMinor === fact.amountMinor;
			default:
				return false;
		}
	}

	#apply(fact: MerchantFact): void {
		const text = movementText(fact.key);
		if (fact.kind === "debit") {
			this.#movements.get(text)!.debitedMinor = fact.amountMinor;
			return;
		}
		const creditedMinor = fact.kind === "credit" ? checkAmount(fact.amountMinor, "merchant credit") : 0;
		const tombstone = fact.kind === "tombstone";
		this.#movements.set(text, { key: fact.key, creditedMinor, debitedMinor: 0, tombstone });
	}
}
