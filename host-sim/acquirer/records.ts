/**
 * The acquirer's own records: what each terminal asked and what it was answered, and the tombstones of reversals.
 *
 * A sale is recorded once, with its answer, declines too; a reversal once, whether or not its original is known.
 * A record of a reversal without a sale is the tombstone that refuses the original when it comes after all (I5).
 * @module
 */
import { assert } from "../../src/core/assert";
import { CodedError } from "../../src/core/errors";
import type { LedgerStore } from "./ledger-store";
import { isMovementKey, type MovementKey, movementText } from "./movement";

/** The answer to a sale, enough to give it again unchanged. */
export interface SaleRecord {
	readonly kind: "sale";
	readonly key: MovementKey;
	/** Masked card number: enough to tell a repeat from another sale under the same number. */
	readonly card: string;
	readonly amountMinor: number;
	/** DE 39. */
	readonly code: string;
	/** DE 37. */
	readonly rrn: string;
	/** DE 38, empty when declined. */
	readonly authorization: string;
	/** Host's wall time of the answer, ms since 1970: DE 12 and 13. */
	readonly at: number;
}

export interface ReversalRecord {
	readonly kind: "reversal";
	readonly key: MovementKey;
	readonly card: string;
	readonly amountMinor: number;
	/** Reason, DE 39 of the request. */
	readonly reason: string;
	/** DE 37 of the answer. */
	readonly rrn: string;
	readonly at: number;
}

/** What the acquirer knows of one movement; at least one of the two is there. */
export interface MovementRecord {
	sale?: SaleRecord;
	reversal?: ReversalRecord;
}

export class AcquirerRecords {
	readonly #store: LedgerStore;
	readonly #movements = new Map<string, MovementRecord>();
	#count = 0;

	/** Replays what the store holds. @throws {CodedError} "damaged" */
	constructor(store: LedgerStore) {
		this.#store = store;
		for (const [index, entry] of store.load("acquirer").entries()) {
			const record = entry as SaleRecord | ReversalRecord;
			if (!this.#fits(record)) throw new CodedError("damaged", "acquirer ledger", `entry ${index + 1}`);
			this.#apply(record);
		}
	}

	/** Records made so far: the next number for a retrieval reference. */
	get count(): number {
		return this.#count;
	}

	find(key: MovementKey): Readonly<MovementRecord> | undefined {
		return this.#movements.get(movementText(key));
	}

	add(record: SaleRecord | ReversalRecord): void {
		assert(this.#fits(record), `I6 acquirer ${movementText(record.key)} does not admit ${record.kind}`);
		this.#store.append("acquirer", record);
		this.#apply(record);
	}

	/** Every movement, oldest first. */
	movements(): IterableIterator<Readonly<MovementRecord>> {
		return this.#movements.values();
	}

	/** The rules of the records, for a new one before it is written and for an old one when it is read back. */
	#fits(record: SaleRecord | ReversalRecord): boolean {
		if (!isMovementKey(record.key)) return false;
		const known = this.#movements.get(movementText(record.key));
		if (record.kind === "sale") return known === undefined; // Never twice, never after its reversal.
		return record.kind === "reversal" && known?.reversal === undefined;
	}

	#apply(record: SaleRecord | ReversalRecord): void {
		const text = movementText(record.key);
		let known = this.#movements.get(text);
		if (known === undefined) {
			known = {};
			this.#movements.set(text, known);
		}
		if (record.kind === "sale") known.sale = record;
		else known.reversal = record;
		this.#count++;
	}
}
