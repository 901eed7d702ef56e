/**
 * Begins transactions: takes their numbers and makes intent or advice durable, in one record each (I1, I4). Takes as
 * well the trace numbers that no record carries.
 * @module
 */
import { assert } from "../core/assert";
import { CodedError } from "../core/errors";
import type { Journal } from "../journal/journal";
import type { StoredCard } from "../security/card-seal";
import type { Counters } from "./counters";
import {
	ADVICE_EMV_BYTES_MAX,
	type AdviceFacts,
	encodeAdvice,
	encodeIntent,
	encodeReserved,
	type Intent,
	isAdvice,
	KIND_OFFLINE_SALE,
	KIND_SALE,
	NO_ORIGINAL,
	RESERVED_BYTES,
	TransactionRecord,
} from "./records";
import type { SealedRecord } from "./sealed-record";
import { firstState } from "./states";
import type { TransactionIndex } from "./transaction-index";

/** What a sale adds to its counters. */
export type NewSale = Omit<Intent, "id" | "stan" | "kind" | "batch" | "panFirst" | "panLast" | "panDigits">;

/** What an advice adds to its counters. */
export interface NewAdvice extends NewSale {
	/** KIND_OFFLINE_SALE, KIND_REFUND or KIND_RESEND. */
	kind: number;
	/** What a refund or a resend belongs to; an offline sale has none. */
	original?: AdviceFacts;
}

export class IntentWriter {
	readonly #journal: Journal;
	readonly #index: TransactionIndex;
	readonly #counters: Counters;
	readonly #sealed: SealedRecord;
	readonly #record: Uint8Array;
	readonly #knowsStan: (stan: number) => boolean;

	/** @param record - shared; `sealed` writes to it as well */
	constructor(journal: Journal, index: TransactionIndex, counters: Counters, sealed: SealedRecord, record: Uint8Array) {
		this.#journal = journal;
		this.#index = index;
		this.#counters = counters;
		this.#sealed = sealed;
		this.#record = record;
		this.#knowsStan = (stan) => index.findStan(stan) >= 0;
	}

	/** See TransactionLog.takeStan. */
	takeStan(): number {
		const counters = this.#counters;
		const stan = this.nextStan();
		if (!counters.isReserved(stan)) this.reserve(counters.chunkEnd(stan));
		counters.useStan(stan);
		return stan;
	}

	/**
	 * An id that is used from here on, whatever becomes of what is to carry it.
	 * @throws {CodedError} "full" without room for the reservation | "overflow" | "flash"
	 */
	takeId(): number {
		const counters = this.#counters;
		if (counters.idNeedsReserve) this.reserve(counters.stanReserved);
		return counters.takeId();
	}

	/** See TransactionLog.begin. */
	begin(sale: NewSale, card: StoredCard): number {
		return this.write(sale, KIND_SALE, NO_ORIGINAL, card);
	}

	/** See TransactionLog.beginAdvice. */
	beginAdvice(advice: NewAdvice, card: StoredCard, emv?: Uint8Array): number {
		const { kind, original, ...sale } = advice;
		if (!isAdvice(kind)) throw new CodedError("range", "advice kind");
		const offline = kind === KIND_OFFLINE_SALE;
		if (offline !== (original === undefined)) throw new CodedError("mismatch", "advice original");
		if (!offline && emv !== undefined) throw new CodedError("mismatch", "advice chip data");
		if (sale.amountMinor < 1) throw new CodedError("range", "advice amount");
		if (emv !== undefined && (emv.length === 0 || emv.length > ADVICE_EMV_BYTES_MAX)) {
			throw new CodedError("length", "advice chip data", `${emv.length} bytes`);
		}
		return this.write(sale, kind, original ?? NO_ORIGINAL, card, emv);
	}

	private write(sale: NewSale, kind: number, facts: AdviceFacts, card: StoredCard, emv?: Uint8Array): number {
		const index = this.#index;
		const counters = this.#counters;
		const { batch } = counters;
		assert(index.takesMore, "I10 the index has room: a sale asks before it begins");
		assert(batch !== 0, "I4 nothing is begun before sign-on has given the batch");
		const id = this.takeId();
		const stan = this.nextStan();
		const intent: Intent = {
			...sale,
			id,
			stan,
			kind,
			batch,
			panFirst: card.pan.slice(0, 6),
			panLast: card.pan.slice(-4),
			panDigits: card.pan.length,
		};
		const advice = isAdvice(kind);
		encodeIntent(this.#record, intent);
		if (advice) encodeAdvice(this.#record, facts);
		const byteLength = this.#sealed.close(id, card, emv);
		const type = advice ? TransactionRecord.advice : TransactionRecord.intent;
		const position = this.#journal.append(type, this.#record, byteLength);
		counters.began(id, stan);
		index.newestId = id;
		const slot = index.add(id);
		index.stans[slot] = stan;
		index.states[slot] = firstState(kind);
		index.setAmount(slot, sale.amountMinor);
		index.setBatchKind(slot, batch, kind);
		index.setMovement(slot, facts.originalBatch || batch, facts.originalStan || stan);
		index.intentAt[slot] = position;
		return id;
	}

	/** Ids and STANs up to here may be used from now on. @throws {CodedError} "full" | "overflow" | "flash" */
	private reserve(stan: number): void {
		const id = this.#counters.nextReserved();
		encodeReserved(this.#record, id, stan);
		const position = this.#journal.append(TransactionRecord.reserved, this.#record, RESERVED_BYTES);
		this.#counters.reserved(id, stan, position);
	}

	private nextStan(): number {
		return this.#counters.nextStan(this.#knowsStan, this.#index.count);
	}
}
