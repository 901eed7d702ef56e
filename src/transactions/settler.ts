/**
 * The durable side of a settlement: carries forward what is still open, then one mark ends the batch (I3, I4, I10). A
 * batch that the host gives in place of an untouched one comes the same way.
 * Cut anywhere, it has not happened or it has: until the mark is whole nothing is dropped, and what was carried by then
 * stands twice, with the same bytes.
 * @module
 */
import { CodedError } from "../core/errors";
import type { Journal } from "../journal/journal";
import { type Counters, isBatch } from "./counters";
import { encodeMark, encodeStep, isAdvice, type MarkData, STEP_BYTES, TransactionRecord } from "./records";
import { holdsSettlement, isCarried, State } from "./states";
import { NOWHERE, type TransactionIndex } from "./transaction-index";

/**
 * Why a batch is not settled: a sale waits for its answer; an approval may not have reached the customer, and can
 * still be taken back; the journal has no room for what must be carried forward.
 */
export type SettleRefusal = "underWay" | "undelivered" | "full";

const NO_REASON = "  ";

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
		if (!isBatch(nextBatch) || nextBatch === counters.batch) throw new CodedError("range", "next batch");
		if (counters.batch === 0) throw new CodedError("state", "settlement", "the host has given no batch yet");
		for (let slot = 0; slot < index.count; slot++) {
			if (!holdsSettlement(index.states[slot])) continue;
			return index.states[slot] === State.approved ? "undelivered" : "underWay";
		}
		try {
			this.#write(counters.mark(nextBatch));
		} catch (error) {
			if (error instanceof CodedError && error.code === "full") return "full";
			throw error;
		}
		counters.settle(nextBatch);
		this.#written();
		return undefined;
	}

	/**
	 * Another batch in place of the open one, in which nothing was begun. See TransactionLog.adoptBatch.
	 * @throws {CodedError} "full" | "flash" | "damaged" | "missing"
	 */
	adopt(batch: number): void {
		this.#write(this.#counters.markOfBatch(batch));
		this.#counters.adopt(batch);
		this.#written();
	}

	#write(mark: MarkData): void {
		const { count, states } = this.#index;
		this.#journal.beginCarry();
		for (let slot = 0; slot < count; slot++) if (isCarried(states[slot])) this.#carry(slot);
		this.#journal.settle(encodeMark(mark));
	}

	/** The mark is durable: it carries the STAN, and what it settles is over. */
	#written(): void {
		const index = this.#index;
		index.settledId = this.#counters.settled.id;
		index.newestId = 0;
		index.removeAll((slot) => index.isSettled(slot));
	}

	/**
	 * Appends again all that is said of one transaction; the step comes last, as it did at first. An advice that has none
	 * gets one, which says what a boot would read without it: nothing carried is without a step.
	 */
	#carry(slot: number): void {
		const index = this.#index;
		const { intentAt, outcomeAt, stepAt, intentLast } = index;
		const type = isAdvice(index.kind(slot)) ? TransactionRecord.advice : TransactionRecord.intent;
		intentAt[slot] = this.#again(slot, type, intentAt[slot]);
		if (outcomeAt[slot] !== NOWHERE) {
			outcomeAt[slot] = this.#again(slot, TransactionRecord.outcome, outcomeAt[slot]);
		}
		if (stepAt[slot] === NOWHERE) {
			const step = { reason: NO_REASON, tries: 0, flags: 0 };
			encodeStep(this.#record, index.ids[slot], index.steps[slot] + 1, index.states[slot], step);
			stepAt[slot] = this.#journal.append(TransactionRecord.step, this.#record, STEP_BYTES);
			index.steps[slot] += 1;
		} else stepAt[slot] = this.#again(slot, TransactionRecord.step, stepAt[slot]);
		intentLast[slot] = 0;
	}

	#again(slot: number, type: number, position: number): number {
		const byteLength = this.#load(this.#index.ids[slot], position);
		return this.#journal.append(type, this.#record, byteLength);
	}
}
