/**
 * The far sides: the bank of a card that is paid off, the carrier of a phone that is topped up. Their ledger holds by itself:
 * one credit at most for each movement, and none after it was barred; what was credited cannot be taken back, and what the
 * far side has refused for good is not tried again (I6).
 * @module
 */
import { assert } from "../../src/core/assert";
import { CodedError } from "../../src/core/errors";
import { AMOUNT_MINOR_MAX } from "../../src/core/money";
import type { LedgerStore } from "./ledger-store";
import { isMovementKey, type MovementKey, MovementMap, movementText } from "./movement";
import type { SaleRecord } from "./records";

/** By DE 60.1: 51, 52. */
export type FarSideType = "repayment" | "topUp";

export type FarSideFact =
	/** `request`: the desk's, where a resend has brought it about. */
	| { kind: "credit"; key: MovementKey; amountMinor: number; request?: string; at: number }
	/** It was not taken; `final`: and never will be. */
	| { kind: "failed"; key: MovementKey; final: boolean; at: number }
	/** The card gets it back, or has it already: nothing may be credited any more. */
	| { kind: "barred"; key: MovementKey; at: number };

/** What a far side holds about one movement. */
export interface FarSideMovement {
	readonly key: MovementKey;
	/** 0: nothing. */
	creditedMinor: number;
	/** ms since 1970; 0: never. */
	creditedAt: number;
	/** Of the desk; empty where the first try did it. */
	request: string;
	failed: boolean;
	final: boolean;
	barred: boolean;
}

export class FarSides {
	readonly #store: LedgerStore;
	readonly #movements = new MovementMap<FarSideMovement>();

	/** Replays what the store holds. @throws {CodedError} "damaged" */
	constructor(store: LedgerStore) {
		this.#store = store;
		for (const [index, entry] of store.load("farSides").entries()) {
			const fact = entry as FarSideFact;
			if (!this.#fits(fact)) throw new CodedError("damaged", "farSides ledger", `entry ${index + 1}`);
			this.#apply(fact);
		}
	}

	movement(key: MovementKey): Readonly<FarSideMovement> | undefined {
		return this.#movements.get(key);
	}

	/** What the far side has of it. */
	creditedMinor(key: MovementKey): number {
		return this.#movements.get(key)?.creditedMinor ?? 0;
	}

	/** The first try, of what is in the records. Safe to repeat. */
	enter({ key, code, amountMinor, payee, farFault, at }: SaleRecord): void {
		if (payee === undefined || code !== "00" || this.#movements.get(key) !== undefined) return;
		if (farFault === undefined) this.#record({ kind: "credit", key, amountMinor, at });
		else this.#record({ kind: "failed", key, final: farFault === "refused", at });
	}

	/** Another try, for a request of the desk. Safe to repeat. @returns false when the ledger does not admit it */
	resend(key: MovementKey, request: string, amountMinor: number, at: number): boolean {
		if (this.#movements.get(key)?.request === request) return true;
		return this.#recordIfFits({ kind: "credit", key, amountMinor, request, at });
	}

	/** The far side refuses it for good. */
	refuse(key: MovementKey, at: number): void {
		this.#record({ kind: "failed", key, final: true, at });
	}

	/** Nothing is credited any more. Safe to repeat. @returns false when it was credited: it cannot be taken back */
	bar(key: MovementKey, at: number): boolean {
		return this.#movements.get(key)?.barred === true || this.#recordIfFits({ kind: "barred", key, at });
	}

	/** Every movement, oldest first. */
	movements(): IterableIterator<Readonly<FarSideMovement>> {
		return this.#movements.values();
	}

	#recordIfFits(fact: FarSideFact): boolean {
		if (!this.#fits(fact)) return false;
		this.#store.append("farSides", fact);
		this.#apply(fact);
		return true;
	}

	#record(fact: FarSideFact): void {
		const done = this.#recordIfFits(fact);
		assert(done, `I6 far side ${movementText(fact.key)} does not admit ${fact.kind}`);
	}

	/** The rules of the ledger, for a new fact before it is written and for an old one when it is read back. */
	#fits(fact: FarSideFact): boolean {
		if (!isMovementKey(fact.key)) return false;
		const known = this.#movements.get(fact.key);
		if (known !== undefined && (known.creditedMinor > 0 || known.barred)) return false;
		switch (fact.kind) {
			case "credit": {
				const { amountMinor, request } = fact;
				const whole = Number.isSafeInteger(amountMinor) && amountMinor >= 1 && amountMinor <= AMOUNT_MINOR_MAX;
				return whole && (request === undefined || typeof request === "string") && known?.final !== true;
			}
			case "failed":
				return typeof fact.final === "boolean" && known?.final !== true;
			case "barred":
				return true;
			default:
				return false;
		}
	}

	#apply(fact: FarSideFact): void {
		let known = this.#movements.get(fact.key);
		if (known === undefined) {
			const { key } = fact;
			known = { key, creditedMinor: 0, creditedAt: 0, request: "", failed: false, final: false, barred: false };
			this.#movements.add(key, known);
		}
		if (fact.kind === "credit") {
			known.creditedMinor = fact.amountMinor;
			known.creditedAt = fact.at;
			known.request = fact.request ?? "";
		} else if (fact.kind === "barred") known.barred = true;
		else {
			known.failed = true;
			known.final = fact.final;
		}
	}
}
