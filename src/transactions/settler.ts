/**
 * The durable side of a settlement: carries forward what is still open, then one mark ends the batch (I3, I4, I10).
 * Cut anywhere, it has not happened or it has: until the mark is whole nothing is dropped, and what was carried by then
 * stands twice, with the same bytes.
 * @module
 */
import { CodedError } from "../core/errors";
import type { Journal } from "../journal/journal";
import type { Counters } from "./counters";
import { encodeMark, TransactionRecord } from "./records";
import { holdsSettlement, isCarried, State } from "./states";
import { NOWHERE, type TransactionIndex } from "./transaction-index";

/**
 * Why a batch is not settled: a sale waits for its answer; an approval may not have reached the customer, and can
 * still be taken back; the journal has no room for what must be carried forward.
 */
export type SettleRefusal = "underWay" | "undelivered" | "full";

const BATCH_MAX = 999_999;

export class Settler {
	readonly #journal: Journal;
	readonly #index: TransactionIndex;
	readonly #counters: Counters;
	/** Loads the record of a transaction into `record`. @returns its bytes */
	readonly #load: (id: number, position: number) => number;
	readonly #record: Uint8Array;

	constructor(
		journal: Journal,
		index: TransactionIndex,
		counters: Counters,
		record: Uint8Array,
		load: (id: number, position: number) => number,
	) {
		this.#journal = journal;
		this.#index = index;
		this.#counters = counters;
		this.#record = record;
		this.#load = load;
	}

	/** See TransactionLog.settle. */
	settle(nextBatch: number): SettleRefusal | undefined {
		const index = this.#index;
		const counters = this.#counters;
		const inRange = Number.isInteger(nextBatch) && nextBatch >= 1 && nextBatch <= BATCH_MAX;
		if (!inRange || nextBatch === counters.batch) throw new CodedError("range", "next batch");
		for (let slot = 0; slot < index.count; slot++) {
			if (!holdsSettlement(index.states[slot])) continue;
			return index.states[slot] === State.approved ? "undelivered" : "underWay";
		}
		try {
			this.#journal.beginCarry();
			for (let slot = 0; slot < index.count; slot++) if (isCarried(index.states[slot])) this.#carry(slot);
			this.#journal.settle(encodeMark(counters.mark(nextBatch)));
		} catch (error) {
			if (error instanceof CodedError && error.code === "full") return "full";
			throw error;
		}
		counters.settle(nextBatch);
		index.settledId = counters.settled.id;
		index.newestId = 0; // The mark carries the STAN now.
		index.removeAll((slot) => index.isSettled(slot));
		return undefined;
	}

	/** Appends again all that is said of one transaction; the step comes last, as it did at first. */
	#carry(slot: number): void {
		const { intentAt, outcomeAt, stepAt, intentLast } = this.#index;
		intentAt[slot] = this.#again(slot, TransactionRecord.intent, intentAt[slot]);
		if (outcomeAt[slot] !== NOWHERE) {
			outcomeAt[slot] = this.#again(slot, TransactionRecord.outcome, outcomeAt[slot]);
		}
		stepAt[slot] = this.#again(slot, TransactionRecord.step, stepAt[slot]);
		intentLast[slot] = 0;
	}

	#again(slot: number, type: number, position: number): number {
		const byteLength = this.#load(this.#index.ids[slot], position);
		return this.#journal.append(type, this.#record, byteLength);
	}
}
