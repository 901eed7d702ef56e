/**
 * Where the host's ledgers and its back office's books are kept. Each is a list of facts that is only ever appended to;
 * everything the host knows is derived by reading it again. What `append` has returned for survives a crash of the host.
 * @module
 */

/**
 * Who keeps it: the three ledgers of money, which never look into each other's, and three books of the acquirer's back
 * office: postings refused, batches settled, the desk's requests; and the ledger of those whom a repayment or a top-up is
 * for. Money is in the first three and the last.
 */
export const LEDGER_NAMES = ["issuer", "acquirer", "merchant", "postings", "batches", "desk", "farSides"] as const;

export type LedgerName = (typeof LEDGER_NAMES)[number];

/** Plain data only: what JSON can carry, nothing undefined. From `append` on it never changes. */
export type LedgerFact = object;

export interface LedgerStore {
	/** Durable when it returns. @throws {CodedError} when it is not: the host must then answer nothing */
	append(ledger: LedgerName, entry: LedgerFact): void;
	/** Every entry acknowledged so far, oldest first. */
	load(ledger: LedgerName): LedgerFact[];
}

/**
 * Survives {@link Acquirer.kill} but not the process. It freezes what it is given, all the way down: a fact that is in
 * here is the same for its writer and for whoever reads it, and nobody can change it.
 */
export class MemoryLedgerStore implements LedgerStore {
	readonly #facts: Record<LedgerName, LedgerFact[]> = {
		issuer: [],
		acquirer: [],
		merchant: [],
		postings: [],
		batches: [],
		desk: [],
		farSides: [],
	};

	append(ledger: LedgerName, entry: LedgerFact): void {
		freezeWhole(entry);
		this.#facts[ledger].push(entry);
	}

	load(ledger: LedgerName): LedgerFact[] {
		return this.#facts[ledger].slice();
	}
}

function freezeWhole(value: object): void {
	Object.freeze(value);
	for (const name in value) {
		const held: unknown = value[name as keyof typeof value];
		if (typeof held === "object" && held !== null) freezeWhole(held);
	}
}
