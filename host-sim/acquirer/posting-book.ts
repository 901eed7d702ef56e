/**
 * The bank's book of refused postings: which merchant accounts take none, and which movements were refused for it.
 * A refusal is written before anybody is told; "mended" makes what was refused due again.
 * @module
 */
import { assert } from "../../src/core/assert";
import { CodedError } from "../../src/core/errors";
import type { LedgerStore } from "./ledger-store";
import { isMovementKey, type MovementKey, MovementMap } from "./movement";
import { isRefusal } from "./posting-reasons";

/** The shop's account as one terminal posts to it. */
export interface AccountKey {
	readonly merchantId: string;
	readonly terminalId: string;
}

/** One that takes no postings. */
export interface RefusedAccount extends AccountKey {
	readonly reason: number;
}

export type PostingFact =
	| { kind: "refusal"; key: MovementKey; reason: number; at: number }
	/** `reason` 0: mended; what was refused is due again at `dueAt`. Else the account takes nothing from now on. */
	| { kind: "account"; merchantId: string; terminalId: string; reason: number; dueAt: number; at: number };

/** A posting that was refused at some time. */
export interface RefusedPosting {
	readonly key: MovementKey;
	/** 0: mended. */
	reason: number;
	/** When it is tried again once it was mended, ms since 1970. */
	dueAt: number;
}

export class PostingBook {
	readonly #store: LedgerStore;
	readonly #refused = new MovementMap<RefusedPosting>();
	/** Those that are not in order. */
	readonly #accounts = new Map<string, RefusedAccount>();

	/** Replays what the store holds. @throws {CodedError} "damaged" */
	constructor(store: LedgerStore) {
		this.#store = store;
		for (const [index, entry] of store.load("postings").entries()) {
			const fact = entry as PostingFact;
			if (!this.#fits(fact)) throw new CodedError("damaged", "postings ledger", `entry ${index + 1}`);
			this.#apply(fact);
		}
	}

	/** Those that take nothing now, and why. */
	refusedAccounts(): RefusedAccount[] {
		return [...this.#accounts.values()];
	}

	/** Why the account takes nothing; 0 when it is in order. */
	accountReason(account: AccountKey): number {
		return this.#accounts.size === 0 ? 0 : (this.#accounts.get(accountText(account))?.reason ?? 0);
	}

	refusal(key: MovementKey): Readonly<RefusedPosting> | undefined {
		return this.#refused.get(key);
	}

	refuse(key: MovementKey, reason: number, at: number): void {
		this.#record({ kind: "refusal", key, reason, at });
	}

	/** The account takes nothing from now on. */
	refuseAccount({ merchantId, terminalId }: AccountKey, reason: number, at: number): void {
		this.#record({ kind: "account", merchantId, terminalId, reason, dueAt: 0, at });
	}

	/** The account is in order again. @returns what was refused for it and is due now at `dueAt` */
	mendAccount({ merchantId, terminalId }: AccountKey, dueAt: number, at: number): MovementKey[] {
		const waiting = this.#waiting({ merchantId, terminalId }).map(({ key }) => key);
		if (waiting.length === 0 && this.accountReason({ merchantId, terminalId }) === 0) return waiting;
		this.#record({ kind: "account", merchantId, terminalId, reason: 0, dueAt, at });
		return waiting;
	}

	#waiting({ merchantId, terminalId }: AccountKey): RefusedPosting[] {
		return [...this.#refused.values()].filter(
			({ key, reason }) => reason !== 0 && key.terminalId === terminalId && key.merchantId === merchantId,
		);
	}

	#record(fact: PostingFact): void {
		assert(this.#fits(fact), `I6 the book of postings does not admit ${fact.kind}`);
		this.#store.append("postings", fact);
		this.#apply(fact);
	}

	#fits(fact: PostingFact): boolean {
		switch (fact.kind) {
			case "refusal": // Again only after it was mended.
				return isMovementKey(fact.key) && isRefusal(fact.reason) && (this.#refused.get(fact.key)?.reason ?? 0) === 0;
			case "account":
				return (
					typeof fact.merchantId === "string" &&
					typeof fact.terminalId === "string" &&
					Number.isSafeInteger(fact.dueAt) &&
					(fact.reason === 0 || isRefusal(fact.reason))
				);
			default:
				return false;
		}
	}

	#apply(fact: PostingFact): void {
		if (fact.kind === "refusal") {
			const known = this.#refused.get(fact.key);
			if (known === undefined) this.#refused.add(fact.key, { key: fact.key, reason: fact.reason, dueAt: 0 });
			else known.reason = fact.reason;
			return;
		}
		if (fact.reason !== 0) {
			const { merchantId, terminalId, reason } = fact;
			this.#accounts.set(accountText(fact), { merchantId, terminalId, reason });
			return;
		}
		this.#accounts.delete(accountText(fact));
		for (const refused of this.#waiting(fact)) {
			refused.reason = 0;
			refused.dueAt = fact.dueAt;
		}
	}
}

function accountText({ merchantId, terminalId }: AccountKey): string {
	return `${merchantId}/${terminalId}`;
}
