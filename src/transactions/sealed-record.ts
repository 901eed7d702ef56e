/**
 * The sealed part of an intent or an advice: card number, expiry and sequence number, behind them an advice's chip data,
 * as one text under one nonce. The clear part before it is the associated data, so that neither fits another record.
 *
 * Invariant (I4): a nonce is journal id, generation, record type and transaction id; an id is reserved durably before
 * it is used, so that it comes once, also when the record was torn.
 * @module
 */
import type { Journal } from "../journal/journal";
import {
	CARD_BYTES,
	type CardSeal,
	packCard,
	SEAL_NONCE_BYTES,
	type StoredCard,
	unpackCard,
} from "../security/card-seal";
import {
	ADVICE_BYTES_MIN,
	ADVICE_CLEAR_BYTES,
	INTENT_CLEAR_BYTES,
	INTENT_KIND_AT,
	intentNonce,
	isAdvice,
	TransactionRecord,
} from "./records";

const NO_EMV = new Uint8Array(0);

export class SealedRecord {
	readonly #seal: CardSeal;
	readonly #journal: Journal;
	readonly #record: Uint8Array;
	readonly #nonce = new Uint8Array(SEAL_NONCE_BYTES);

	/** @param record - where the caller has the clear part, and gets the sealed one */
	constructor(seal: CardSeal, journal: Journal, record: Uint8Array) {
		this.#seal = seal;
		this.#journal = journal;
		this.#record = record;
	}

	/**
	 * Seals behind the clear part of transaction `id`.
	 * @param emv - borrowed; at most ADVICE_EMV_BYTES_MAX bytes, of an advice only
	 * @returns bytes of the record
	 * @throws {CodedError} "unprovisioned"; "length" | "charset" for a card it cannot hold
	 */
	close(id: number, card: StoredCard, emv: Uint8Array = NO_EMV): number {
		const record = this.#record;
		const clearBytes = this.clearBytes(id);
		const packed = packCard(card);
		const plain = emv.length === 0 ? packed : new Uint8Array(CARD_BYTES + emv.length);
		if (plain !== packed) {
			plain.set(packed);
			plain.set(emv, CARD_BYTES);
		}
		try {
			const sealed = this.#seal.seal(plain, this.#nonce, record.subarray(0, clearBytes));
			record.set(sealed, clearBytes);
			return clearBytes + sealed.length;
		} finally {
			packed.fill(0);
			plain.fill(0);
		}
	}

	/** The card of the record that is loaded. @throws {CodedError} "auth" | "unprovisioned" */
	card(id: number, byteLength: number): StoredCard {
		const plain = this.open(id, byteLength);
		try {
			return unpackCard(plain.subarray(0, CARD_BYTES));
		} finally {
			plain.fill(0);
		}
	}

	/**
	 * The chip data of the advice that is loaded, or undefined when it has none.
	 * @returns bytes that the caller zeroes after use
	 * @throws {CodedError} "auth" | "unprovisioned"
	 */
	emv(id: number, byteLength: number): Uint8Array | undefined {
		if (!isAdvice(this.#record[INTENT_KIND_AT]) || byteLength <= ADVICE_BYTES_MIN) return undefined;
		const plain = this.open(id, byteLength);
		const emv = plain.slice(CARD_BYTES);
		plain.fill(0);
		return emv;
	}

	private open(id: number, byteLength: number): Uint8Array {
		const clearBytes = this.clearBytes(id);
		const sealed = this.#record.subarray(clearBytes, byteLength);
		return this.#seal.open(sealed, this.#nonce, this.#record.subarray(0, clearBytes));
	}

	/** Sets the nonce as well. @returns how long the clear part is, by the kind that stands in it */
	private clearBytes(id: number): number {
		const advice = isAdvice(this.#record[INTENT_KIND_AT]);
		const type = advice ? TransactionRecord.advice : TransactionRecord.intent;
		intentNonce(this.#nonce, this.#journal.id, this.#journal.generation, id, type);
		return advice ? ADVICE_CLEAR_BYTES : INTENT_CLEAR_BYTES;
	}
}
