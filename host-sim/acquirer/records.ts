/**
 * The acquirer's own records: what each terminal asked and what it was answered, and the tombstones of reversals.
 *
 * A sale is recorded once, with its answer, declines too; a void or a refund likewise; a reversal once, whether or not
 * its original is known. A record of a reversal alone is the tombstone that refuses the original when it comes after
 * all (I5). A batch number given to a terminal is recorded before it is told: it is never given again (I4).
 *
 * Two facts are of the simulation, not of an acquirer: "lost" is how a list that is only appended to forgets a record, and
 * "reinstated" is how a reversal goes that nobody had asked for.
 * @module
 */
import { assert } from "../../src/core/assert";
import { CodedError } from "../../src/core/errors";
import type { FarSideType } from "./far-sides";
import type { LedgerStore } from "./ledger-store";
import { isMovementKey, isSameMovement, type MovementKey, MovementMap, movementText } from "./movement";

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
	/**
	 * Absent: an online sale. resend, claim: the acquirer knew nothing of it until the terminal sent it again, or claimed
	 * its posting.
	 */
	readonly by?: "offline" | "resend" | "claim" | FarSideType;
	/** Of a repayment or top-up whom it is for, masked: it is no money of the merchant's. */
	readonly payee?: string;
	/** The far side does not take it at the first try; refused: nor ever. */
	readonly farFault?: "failed" | "refused";
	/** DE 37 of the slip, where a resend quotes it: what the customer's paper says. */
	readonly slipRrn?: string;
	/** What the terminal asked, where a fault has put another amount into the books. */
	readonly askedMinor?: number;
	/** Absent: posted at once, whole. */
	readonly posting?: PostingPlan;
}

/** How a sale is to be posted, where that is not at once and whole. */
export interface PostingPlan {
	/** Not before, ms since 1970. */
	readonly dueAt?: number;
	/** lost: never by itself. refused: by the merchant's account. claimed: a claim has posted it, or is about to. */
	readonly fault?: "lost" | "refused" | "claimed";
	/** Instead of the record's amount. */
	readonly amountMinor?: number;
	/** The bank takes the posting back then, unless the shop or the desk has moved of it; and posts it again. */
	readonly backAt?: number;
	readonly againAt?: number;
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
	/** What was asked for, where that is another amount: a void gives back all that was booked. */
	readonly askedMinor?: number;
	readonly code: string;
	readonly rrn: string;
	readonly authorization: string;
	readonly at: number;
}

export interface ReversalRecord {
	readonly kind: "reversal";
	readonly key: MovementKey;
	/** Absent: a sale. */
	readonly of?: "void" | "farSide";
	/** Nobody asked for it. */
	readonly by?: "host";
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

/** The record of an approved sale is gone, and the acquirer knows nothing of it. */
export interface LostRecord {
	readonly kind: "lost";
	readonly key: MovementKey;
	readonly at: number;
}

/** The host has taken back its own reversal. */
export interface ReinstatedRecord {
	readonly kind: "reinstated";
	readonly key: MovementKey;
	readonly at: number;
}

type AnyRecord = SaleRecord | RefundRecord | ReversalRecord | LostRecord | ReinstatedRecord;

/** What the acquirer knows of one movement; at least one of the first three is there, and never both of the first two. */
export interface MovementRecord {
	sale?: SaleRecord | undefined;
	refund?: RefundRecord;
	reversal?: ReversalRecord | undefined;
	/** Of a sale: approved voids and refunds of it, also those that were taken back. */
	refunds?: RefundRecord[];
}

/** What the terminal asked, which what it sends later is compared with. */
export function askedOf({ askedMinor, amountMinor }: SaleRecord | RefundRecord): number {
	return askedMinor ?? amountMinor;
}

/** What the card was debited, as the books can tell: posting and claims together never come to more. */
export function limitOf(sale: SaleRecord): number {
	return Math.max(sale.amountMinor, askedOf(sale));
}

/** Of almost every sale. */
const NO_REFUNDS: readonly RefundRecord[] = [];

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
		const known = this.#movements.get(key);
		// Nothing is left of one that was lost.
		return known === undefined || isEmpty(known) ? undefined : known;
	}

	/** Voids and refunds of a sale that stand, oldest first. */
	standingRefunds(original: MovementKey): readonly RefundRecord[] {
		const refunds = this.#movements.get(original)?.refunds;
		if (refunds === undefined) return NO_REFUNDS;
		return refunds.filter(({ key }) => this.#movements.get(key)?.reversal === undefined);
	}

	/** The void of a sale that stands. */
	standingVoid(original: MovementKey): RefundRecord | undefined {
		return this.standingRefunds(original).find(({ type }) => type === "void");
	}

	/** Those of one batch of one terminal, oldest first. */
	ofBatch(batch: Omit<MovementKey, "stan">): readonly Readonly<MovementRecord>[] {
		return this.#movements.ofBatch(batch).filter((known) => !isEmpty(known));
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
		const known = this.find(record.key);
		switch (record.kind) {
			case "sale":
			case "refund": // Never twice, never after its reversal.
				return known === undefined;
			case "reversal": {
				// One that the terminal asks for stands beside the host's own, and cannot be taken back any more.
				const own = known?.reversal?.by === "host" && record.by === undefined;
				if (known?.reversal !== undefined && !own) return false;
				return known === undefined || (record.of === "void" ? known.refund?.type === "void" : known.sale !== undefined);
			}
			case "lost": // Of what nothing else refers to.
				return known?.sale?.code === "00" && known.reversal === undefined && known.refunds === undefined;
			case "reinstated":
				return known?.sale !== undefined && known.reversal?.by === "host";
			default:
				return false;
		}
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
		switch (record.kind) {
			case "sale":
				known.sale = record;
				this.#index(record, record.rrn);
				if (record.slipRrn !== undefined) this.#index(record, record.slipRrn);
				break;
			case "refund": {
				known.refund = record;
				const original = record.code !== "00" || record.original === undefined ? undefined : record.original;
				const of = original === undefined ? undefined : this.#movements.get(original);
				if (of !== undefined) of.refunds = [...(of.refunds ?? NO_REFUNDS), record];
				break;
			}
			case "reversal":
				known.reversal = record;
				break;
			case "lost":
				this.#forget(known.sale!);
				known.sale = undefined;
				return;
			case "reinstated":
				known.reversal = undefined;
				return;
		}
		this.#count++;
	}

	#forget({ key, rrn, slipRrn }: SaleRecord): void {
		const sales = this.#salesByRrn.get(key.merchantId);
		for (const number of [rrn, slipRrn]) {
			if (number !== undefined && isSameKey(sales?.get(number)?.key, key)) sales?.delete(number);
		}
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

function isEmpty({ sale, refund, reversal }: MovementRecord): boolean {
	return sale === undefined && refund === undefined && reversal === undefined;
}

function isSameKey(a: MovementKey | undefined, b: MovementKey): boolean {
	return a !== undefined && isSameMovement(a, b);
}

function terminalText({ merchantId, terminalId }: { merchantId: string; terminalId: string }): string {
	return `${merchantId}/${terminalId}`;
}
