/**
 * Where the host's three ledgers are kept. Each is a list of facts that is only ever appended to; everything the host
 * knows is derived by reading it again. What `append` has returned for survives a crash of the host.
 * @module
 */

/** Who keeps the ledger. They never look into each other's. */
export const LEDGER_NAMES = ["issuer", "acquirer", "merchant"] as const;

export type LedgerName = (typeof LEDGER_NAMES)[number];

/** Plain data only: what JSON can carry. */
export type LedgerFact = object;

export interface LedgerStore {
	/** Durable when it returns. @throws {CodedError} when it is not: the host must then answer nothing */
	append(ledger: LedgerName, entry: LedgerFact): void;
	/** Every entry acknowledged so far, oldest first, as new objects. */
	load(ledger: LedgerName): LedgerFact[];
}

/** Survives {@link Acquirer.crash} but not the process. Keeps text, so that no object is shared with its writer. */
export class MemoryLedgerStore implements LedgerStore {
	readonly #lines: Record<LedgerName, string[]> = { issuer: [], acquirer: [], merchant: [] };

	append(ledger: LedgerName, entry: LedgerFact): void {
		this.#lines[ledger].push(JSON.stringify(entry));
	}

	load(ledger: LedgerName): LedgerFact[] {
		return this.#lines[ledger].map((line) => JSON.parse(line) as LedgerFact);
	}
}
