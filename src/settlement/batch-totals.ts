/**
 * What stands in a batch, from the index alone: counts and sums as a settlement has them. Sales, and offline sales that the
 * host has taken, are debits; refunds that it has taken are credits. A resend is the sale it stands for and not counted.
 * What counts is in the table of states (`stands`).
 *
 * Invariant: a total is never clipped. Source: PROTOCOL.md, "Messages": settlement.
 * @module
 */
import { addAmount } from "../core/money";
import { KIND_REFUND } from "../transactions/records";
import { stands } from "../transactions/states";
import type { TransactionIndex } from "../transactions/transaction-index";

/** One side of DE 48. Amounts in minor units. */
export interface Totals {
	readonly debitMinor: number;
	readonly debits: number;
	readonly creditMinor: number;
	readonly credits: number;
}

/** What requests of our own cases have had given back to the card; see Cases.creditedMinor. */
export type CreditedMinor = (batch: number, stan: number) => number;

export const nothingCredited: CreditedMinor = () => 0;

export function sameTotals(a: Totals, b: Totals): boolean {
	const amounts = a.debitMinor === b.debitMinor && a.creditMinor === b.creditMinor;
	return amounts && a.debits === b.debits && a.credits === b.credits;
}

export class BatchTotals implements Totals {
	debitMinor = 0;
	debits = 0;
	creditMinor = 0;
	credits = 0;
	readonly #index: TransactionIndex;
	readonly #creditedMinor: CreditedMinor;

	/** @param creditedMinor - what our own requests have had given back: the host's books are without it */
	constructor(index: TransactionIndex, creditedMinor: CreditedMinor = nothingCredited) {
		this.#index = index;
		this.#creditedMinor = creditedMinor;
	}

	/**
	 * Adds the batch up anew: one walk, no garbage, and flash is read only for what a case has had given back.
	 * @param lastId - up to this transaction: where a batch that closes ends
	 * @throws {CodedError} "overflow" for a sum of more than 12 digits
	 */
	count(batch: number, lastId: number): void {
		const index = this.#index;
		this.debitMinor = 0;
		this.debits = 0;
		this.creditMinor = 0;
		this.credits = 0;
		let slot = index.nextInBatch(batch, 0);
		while (slot >= 0 && index.ids[slot] <= lastId) {
			const kind = index.kind(slot);
			if (stands(index.states[slot], kind)) {
				this.add(kind, index.amount(slot) - this.#creditedMinor(batch, index.stans[slot]));
			}
			slot = index.nextInBatch(batch, index.ids[slot]);
		}
	}

	/** @param amountMinor - what is left of it; nothing, and it is in no total */
	private add(kind: number, amountMinor: number): void {
		if (amountMinor === 0) return;
		if (kind === KIND_REFUND) {
			this.creditMinor = addAmount(this.creditMinor, amountMinor, "batch credits");
			this.credits++;
		} else {
			this.debitMinor = addAmount(this.debitMinor, amountMinor, "batch debits");
			this.debits++;
		}
	}
}
