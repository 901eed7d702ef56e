/**
 * What flash says of one transaction. Each record is read anew, and made sure to be that transaction's: the records of one
 * that is spent may have been dropped, and others may stand there by now.
 * @module
 */
import { assert } from "../core/assert";
import { readU24, readU32 } from "../core/bytes";
import { CodedError } from "../core/errors";
import type { Journal } from "../journal/journal";
import type { StoredCard } from "../security/card-seal";
import {
	type AdviceFacts,
	decodeAdvice,
	decodeIntent,
	decodeOutcome,
	decodeStep,
	INTENT_BYTES,
	type Intent,
	type Outcome,
} from "./records";
import type { SealedRecord } from "./sealed-record";
import { NOWHERE, type TransactionIndex } from "./transaction-index";

/** In a step: no reversal. */
export const NO_REASON = "  ";

export class RecordReader {
	readonly #journal: Journal;
	readonly #index: TransactionIndex;
	readonly #sealed: SealedRecord;
	readonly #record: Uint8Array;

	/** @param record - where records are read to; shared, and what `sealed` works on */
	constructor(journal: Journal, index: TransactionIndex, sealed: SealedRecord, record: Uint8Array) {
		this.#journal = journal;
		this.#index = index;
		this.#sealed = sealed;
		this.#record = record;
	}

	/** The slot of a transaction that is known. */
	slot(id: number): number {
		const slot = this.#index.find(id);
		assert(slot >= 0, `I3 transaction ${id} is known`);
		return slot;
	}

	/**
	 * Reads a record of transaction `id` into the shared buffer.
	 * @returns its bytes
	 * @throws {CodedError} "missing" when its records were dropped; "range" | "damaged" by the journal, the same of a spent one
	 */
	load(id: number, position: number): number {
		if (position === NOWHERE) throw gone(id);
		const byteLength = this.#journal.read(position, this.#record);
		if (byteLength < 4 || readU32(this.#record, 0) !== id) throw gone(id);
		return byteLength;
	}

	/** The same of its intent or advice; a record of any keeper may begin with the same four bytes. */
	loadIntent(id: number): number {
		const slot = this.slot(id);
		const byteLength = this.load(id, this.#index.intentAt[slot]);
		if (byteLength < INTENT_BYTES || readU24(this.#record, 4) !== this.#index.stans[slot]) throw gone(id);
		return byteLength;
	}

	/** False when a spent transaction's intent was dropped to make room. */
	hasIntent(id: number): boolean {
		try {
			this.loadIntent(id);
			return true;
		} catch (error) {
			if (!(error instanceof CodedError)) throw error;
			return false;
		}
	}

	/** See TransactionLog.intent. */
	intent(id: number): Intent {
		return decodeIntent(this.#record, 0, this.loadIntent(id));
	}

	/** See TransactionLog.card. */
	card(id: number): StoredCard {
		return this.#sealed.card(id, this.loadIntent(id));
	}

	/** See TransactionLog.advice. */
	advice(id: number): AdviceFacts {
		return decodeAdvice(this.#record, 0, this.loadIntent(id));
	}

	/** See TransactionLog.adviceEmv. */
	emv(id: number): Uint8Array | undefined {
		return this.#sealed.emv(id, this.loadIntent(id));
	}

	/** See TransactionLog.outcome. */
	outcome(id: number): Outcome | undefined {
		const position = this.#index.outcomeAt[this.slot(id)];
		if (position === NOWHERE) return undefined;
		return decodeOutcome(this.#record, 0, this.load(id, position));
	}

	/** See TransactionLog.reason. */
	reason(id: number): string {
		const position = this.#index.stepAt[this.slot(id)];
		if (position === NOWHERE) return NO_REASON;
		return decodeStep(this.#record, 0, this.load(id, position)).reason;
	}
}

/**
 * What can be read of a transaction that may be spent, or of anything else that flash may have lost.
 * @returns undefined when its records were dropped, or flash has lost them
 * @throws {CodedError} "flash" when flash does not work
 */
export function unlessGone<T>(read: () => T): T | undefined {
	try {
		return read();
	} catch (error) {
		if (!(error instanceof CodedError) || error.code === "flash") throw error;
		return undefined;
	}
}

function gone(id: number): CodedError {
	return new CodedError("missing", `transaction ${id}`, "its records were dropped");
}
