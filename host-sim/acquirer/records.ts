/**
 * The acquirer's own records: what each terminal asked and what it was answered, and the tombstones of reversals.
 *
 * A sale is recorded once, with its answer, declines too; a void or a refund likewise; a reversal once, whether or not
 * its original is known. A record of a reversal alone is the tombstone that refuses the original when it comes after
 * all (I5). A batch number given to a terminal is recorded before it is told: it is never given again (I4).
 * @module
 */
import { assert } from "../../src/core/assert";
import { CodedError } from "../../src/core/errors";
import type { LedgerStore } from "./ledger-store";
import { isMovementKey, type MovementKey, MovementMap, movementText } from "./movement";

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
	/** Absent: an online sale. resend: the acquirer knew nothing of it until the terminal sent it again. */
	readonly by?: "offline" | "resend";
	/** DE 37 of the slip, where a resend quotes it: what the customer's paper says. */
	readonly slipRrn?: string;
}

/** A void or a refund, and its answer. */
export interface RefundRecord {
	readonly kind: "refund";
	readonly type: "void" | "refund";
	/** Of its own. */
	readonly key: MovementKey;
	/** Undefined when none was found. */
	readonly original?: MovementKey;
	readonly card: string;
	readonly amountMinor: number;
	readonly code: string;
	readonly rrn: string;
	readonly authorization: string;
	readonly at: number;
}

export interface ReversalRecord {
	readonly kind: "reversal";
	readonly key: MovementKey;
	/** Absent: a sale. */
	readonly of?: "void";
	readonly card: string;
	readonly amountMinor: number;
	/** Reason, DE 39 of the request. */
	readonly reason: string;
	/** DE 37 of the answer. */
	readonly rrn: string;
	readonly at: number;
}

/** A batch number given to a terminal that had none. */
export interface BatchRecord {
	readonly kind: "batch";
	readonly merchantId: string;
	readonly terminalId: string;
	readonly batch: number;
	readonly at: number;
}

type AnyRecord = SaleRecord | RefundRecord | ReversalRecord;

/** What the acquirer knows of one movement; at least one of them is there, and never both of the first two. */
export interface MovementRecord {
	sale?: SaleRecord;
	refund?: RefundRecord;
	reversal?: ReversalRecord;
}

export class AcquirerRecords {
	readonly #store: LedgerStore;
	readonly #movements = new MovementMap<MovementRecord>();
	/** Approved sales by merchant, by RRN. */
	readonly #salesByRrn = new Map<string, Map<string, SaleRecord>>();
	/** Highest batch given to a terminal. */
	readonly #batches = new Map<string, number>();
	#count = 0;

	/** Replays what the store holds. @throws {CodedError} "damaged" */
	constructor(store: LedgerStore) {
		this.#store = store;
		for (const [index, entry] of store.load("acquirer").entries()) {
			const record = entry as AnyRecord | BatchRecord;
			const fits = record.kind === "batch" ? this.#fitsBatch(record) : this.#fits(record);
			if (!fits) throw new CodedError("damaged", "acquirer ledger", `entry ${index + 1}`);
			if (record.kind === "batch") this.#batches.set(terminalText(record), record.batch);
			else this.#apply(record);
		}
	}

	/** Records of movements made so far: the next number for a retrieval reference. */
	get count(): number {
		return this.#count;
	}

	find(key: MovementKey): Readonly<MovementRecord> | undefined {
		return this.#movements.get(key);
	}

	/** The approved sale of that merchant which a slip names. */
	findByRrn(merchantId: string, rrn: string): SaleRecord | undefined {
		return this.#salesByRrn.get(merchantId)?.get(rrn);
	}

	add(record: AnyRecord): void {
		if (!this.#fits(record)) assert(false, `I6 acquirer ${movementText(record.key)} does not admit ${record.kind}`);
		this.#store.append("acquirer", record);
		this.#apply(record);
	}

	/** The highest batch given to a terminal, 0 when none was. */
	batchGiven(terminal: { merchantId: string; terminalId: string }): number {
		return this.#batches.get(terminalText(terminal)) ?? 0;
	}

	addBatch(record: BatchRecord): void {
		assert(this.#fitsBatch(record), "I4 a batch is given once");
		this.#store.append("acquirer", record);
		this.#batches.set(terminalText(record), record.batch);
	}

	/** Every movement, oldest first. */
	movements(): IterableIterator<Readonly<MovementRecord>> {
		return this.#movements.values();
	}

	/** The rules of the records, for a new one before it is written and for an old one when it is read back. */
	#fits(record: AnyRecord): boolean {
		if (!isMovementKey(record.key)) return false;
		const known = this.#movements.get(record.key);
		// Never twice, never after its reversal.
		if (record.kind === "sale" || record.kind === "refund") return known === undefined;
		if (record.kind !== "reversal" || known?.reversal !== undefined) return false;
		return known === undefined || (record.of === "void" ? known.refund?.type === "void" : known.sale !== undefined);
	}

	#fitsBatch(record: BatchRecord): boolean {
		const { merchantId, terminalId, batch } = record;
		if (typeof merchantId !== "string" || typeof terminalId !== "string") return false;
		return Number.isSafeInteger(batch) && batch > this.batchGiven(record);
	}

	#apply(record: AnyRecord): void {
		let known = this.#movements.get(record.key);
		if (known === undefined) {
			known = {};
			this.#movements.add(record.key, known);
		}
		if (record.kind === "sale") {
			known.sale = record;
			this.#index(record, record.rrn);
			if (record.slipRrn !== undefined) this.#index(record, record.slipRrn);
		} else if (record.kind === "refund") known.refund = record;
		else known.reversal = record;
		this.#count++;
	}

	/** A number that is taken stays with its first owner. */
	#index(sale: SaleRecord, rrn: string): void {
		if (sale.code !== "00" || rrn === "") return;
		const { merchantId } = sale.key;
		let sales = this.#salesByRrn.get(merchantId);
		if (sales === undefined) {
			sales = new Map();
			this.#salesByRrn.set(merchantId, sales);
		}
		if (!sales.has(rrn)) sales.set(rrn, sale);
	}
}

function terminalText({ merchantId, terminalId }: { merchantId: string; terminalId: string }): string {
	return `${merchantId}/${terminalId}`;
}
