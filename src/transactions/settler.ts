/**
 * The durable side of a settlement, in two records: "closing" ends a batch, so that sales carry the next one while the
 * host settles it; then, with what is still needed carried forward, one mark releases it (I3, I4, I10). A batch that the
 * host gives in place of an untouched one comes with such a mark, too.
 * Cut anywhere, a record has not happened or it has: until the mark is whole nothing is dropped, and what was carried by
 * then stands twice, with the same bytes.
 * @module
 */
import { CodedError } from "../core/errors";
import type { Journal } from "../journal/journal";
import { type Counters, isBatch } from "./counters";
import type { IntentWriter } from "./intent-writer";
import type { RecordKeepers } from "./record-keeper";
import { NO_REASON, type RecordReader } from "./record-reader";
import {
	CLOSING_BYTES,
	type Closing,
	encodeClosing,
	encodeMark,
	encodeStep,
	intentSeconds,
	isAdvice,
	type MarkData,
	STEP_BYTES,
	TransactionRecord,
} from "./records";
import { holdsSettlement, isCarried, isSpent, State } from "./states";
import { NOWHERE, type TransactionIndex } from "./transaction-index";

/**
 * Why a batch is not closed or settled: a sale of it waits for its answer; an approval may not have reached the customer,
 * and can still be taken back; the journal has no room for what must be written; another batch is closing already.
 */
export type SettleRefusal = "underWay" | "undelivered" | "full" | "closing";

/** Who keeps the heads of the evidence chain: the mark carries them. */
export interface MarkWitness {
	/** Both heads behind everything up to this id, MARK_HEADS_BYTES bytes; not borrowed. */
	headsUpTo(id: number): Uint8Array;
	/** A mark is durable, with the heads that were given for it. */
	marked(): void;
}

export class Settler {
	/** Absent: marks carry on the heads that the last one had. */
	witness: MarkWitness | undefined;
	readonly #journal: Journal;
	readonly #index: TransactionIndex;
	readonly #counters: Counters;
	readonly #intents: IntentWriter;
	readonly #keepers: RecordKeepers;
	readonly #reader: RecordReader;
	readonly #record: Uint8Array;

	constructor(parts: {
		journal: Journal;
		index: TransactionIndex;
		counters: Counters;
		intents: IntentWriter;
		keepers: RecordKeepers;
		reader: RecordReader;
		/** Shared: where `reader` reads to. */
		record: Uint8Array;
	}) {
		this.#journal = parts.journal;
		this.#index = parts.index;
		this.#counters = parts.counters;
		this.#intents = parts.intents;
		this.#keepers = parts.keepers;
		this.#reader = parts.reader;
		this.#record = parts.record;
	}

	/** See TransactionLog.close. */
	close(nextBatch: number, nowMs: number): SettleRefusal | undefined {
		const counters = this.#counters;
		const refusal = this.refusal(nextBatch);
		if (refusal !== undefined) return refusal;
		return this.unlessFull(() => {
			// An id of its own: of two closings the greater id is the newer one, also where nothing was begun between them.
			const closing = counters.closes(nextBatch, this.#intents.takeId(), intentSeconds(nowMs));
			encodeClosing(this.#record, closing);
			counters.close(closing, this.#journal.append(TransactionRecord.closing, this.#record, CLOSING_BYTES));
		});
	}

	/** See TransactionLog.release. */
	release(): SettleRefusal | undefined {
		const { closing } = this.#counters;
		if (closing === undefined) throw new CodedError("state", "settlement", "no batch is closing");
		return this.held(closing.id) ?? this.end(closing);
	}

	/** See TransactionLog.settle. */
	settle(nextBatch: number): SettleRefusal | undefined {
		const counters = this.#counters;
		return this.refusal(nextBatch) ?? this.end(counters.closes(nextBatch, counters.idMax, 0));
	}

	/**
	 * Another batch in place of the open one, in which nothing was begun. See TransactionLog.adoptBatch.
	 * @throws {CodedError} "full" | "flash" | "damaged" | "missing"
	 */
	adopt(batch: number): void {
		this.write(this.#counters.markOfBatch(batch));
		this.#counters.adopt(batch);
		this.written();
	}

	/** @throws {CodedError} "range" | "state" */
	private refusal(nextBatch: number): SettleRefusal | undefined {
		const counters = this.#counters;
		if (counters.closing !== undefined) return "closing";
		if (!isBatch(nextBatch) || nextBatch === counters.batch) throw new CodedError("range", "next batch");
		if (counters.batch === 0) throw new CodedError("state", "settlement", "the host has given no batch yet");
		return this.held(counters.idMax);
	}

	/** What stands in the way among the transactions up to `idMax`. */
	private held(idMax: number): SettleRefusal | undefined {
		const { count, ids, states } = this.#index;
		for (let slot = 0; slot < count && ids[slot] <= idMax; slot++) {
			if (holdsSettlement(states[slot])) return states[slot] === State.approved ? "undelivered" : "underWay";
		}
		return undefined;
	}

	private end(closing: Closing): SettleRefusal | undefined {
		return this.unlessFull(() => {
			this.write(this.#counters.mark(closing));
			this.#counters.settle(closing);
			this.written();
		});
	}

	private unlessFull(write: () => void): SettleRefusal | undefined {
		try {
			write();
			return undefined;
		} catch (error) {
			if (error instanceof CodedError && error.code === "full") return "full";
			throw error;
		}
	}

	private write(mark: MarkData): void {
		const { count, ids, states } = this.#index;
		// Before anything is written: they are computed by reading.
		const heads = this.witness?.headsUpTo(mark.idMax) ?? this.#counters.heads;
		this.#journal.beginCarry();
		for (let slot = 0; slot < count; slot++) {
			if (ids[slot] > mark.idMax) {
				if (this.staysOpen(slot)) this.carry(slot);
			} else if (isCarried(states[slot])) this.carryEnded(slot);
		}
		this.#keepers.carry((type, bytes, byteLength) => this.#journal.append(type, bytes, byteLength));
		this.#journal.settle(encodeMark({ ...mark, heads }));
		this.#counters.heads = heads;
	}

	/**
	 * Of the batch that goes on: all that is not spent. The newest stays even so, as at any other time: the mark has its
	 * numbers as well, but by its record a boot knows that something was begun in the batch, and an approval that comes
	 * late finds it.
	 */
	private staysOpen(slot: number): boolean {
		const index = this.#index;
		return !isSpent(index.states[slot]) || index.ids[slot] === index.newestId;
	}

	/** The mark is durable: it carries the counters, and what it settles is over. */
	private written(): void {
		const index = this.#index;
		index.settledId = this.#counters.settled.id;
		if (index.newestId <= index.settledId) index.newestId = 0;
		index.removeAll((slot) => (index.ids[slot] > index.settledId ? !this.staysOpen(slot) : index.isSettled(slot)));
		this.witness?.marked();
	}

	/**
	 * Of a batch that is settled: nothing carried is without a step, so an advice that has none gets one, which says what a
	 * boot would read without it.
	 */
	private carryEnded(slot: number): void {
		const { ids, steps, states, stepAt } = this.#index;
		this.carry(slot);
		if (stepAt[slot] !== NOWHERE) return;
		encodeStep(this.#record, ids[slot], steps[slot] + 1, states[slot], { reason: NO_REASON, tries: 0, flags: 0 });
		stepAt[slot] = this.#journal.append(TransactionRecord.step, this.#record, STEP_BYTES);
		steps[slot] += 1;
	}

	/** Appends again all that is said of one transaction, in the order in which it was said at first. */
	private carry(slot: number): void {
		const index = this.#index;
		const { intentAt, outcomeAt, stepAt, intentLast } = index;
		const type = isAdvice(index.kind(slot)) ? TransactionRecord.advice : TransactionRecord.intent;
		intentAt[slot] = this.again(slot, type, intentAt[slot]);
		// Until its end stands behind it once more: appending may fail half-way.
		intentLast[slot] = 1;
		if (outcomeAt[slot] !== NOWHERE) outcomeAt[slot] = this.again(slot, TransactionRecord.outcome, outcomeAt[slot]);
		if (stepAt[slot] !== NOWHERE) stepAt[slot] = this.again(slot, TransactionRecord.step, stepAt[slot]);
		intentLast[slot] = 0;
	}

	private again(slot: number, type: number, position: number): number {
		const byteLength = this.#reader.load(this.#index.ids[slot], position);
		return this.#journal.append(type, this.#record, byteLength);
	}
}
