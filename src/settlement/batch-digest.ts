/**
 * The digest of what stands in a batch, as the host makes it of its own books (406): SHA-256 over STAN 3 BCD, kind 1,
 * amount 6 BCD of each, in the order of selling, where 1 follows 999999. From the index alone, in steps, so that a customer
 * does not wait for a batch of a thousand. Source: PROTOCOL.md, "Sync messages".
 *
 * What changes behind the walk is not seen by it: the digest is then not the host's, and the comparison looks closer.
 * @module
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { assert } from "../core/assert";
import { writeBcd } from "../core/bcd";
import { stands } from "../transactions/states";
import type { TransactionIndex } from "../transactions/transaction-index";
import { type CreditedMinor, nothingCredited } from "./batch-totals";

export const DIGEST_BYTES = 32;
const ENTRY_BYTES = 10;

type Hash = ReturnType<typeof sha256.create>;

/** The digest of entries as they come, whoever has them: of the index, or of the host's list. */
export class EntryDigest {
	/** Of the last {@link end}; borrowed. */
	readonly bytes = new Uint8Array(DIGEST_BYTES);
	entries = 0;
	readonly #entry = new Uint8Array(ENTRY_BYTES);
	#hash: Hash | undefined;

	/** Between {@link begin} and {@link end}. */
	get underWay(): boolean {
		return this.#hash !== undefined;
	}

	/** Begins anew. */
	begin(): void {
		this.#hash?.destroy();
		this.#hash = sha256.create();
		this.entries = 0;
	}

	add(stan: number, kind: number, amountMinor: number): void {
		const entry = this.#entry;
		const hash = this.#hash;
		assert(hash !== undefined, "add() follows begin()");
		writeBcd(entry, 0, stan, 6, "digest STAN");
		entry[3] = kind;
		writeBcd(entry, 4, amountMinor, 12, "digest amount");
		hash.update(entry);
		this.entries++;
	}

	end(): void {
		this.#hash?.digestInto(this.bytes);
		this.#hash?.destroy();
		this.#hash = undefined;
	}
}

export class BatchDigest {
	readonly #index: TransactionIndex;
	readonly #creditedMinor: CreditedMinor;
	/** What it is made with; who does not need both at once makes others with it. */
	readonly digest = new EntryDigest();
	#batch = 0;
	#lastId = 0;
	/** The transaction that was passed last. */
	#after = 0;

	/** @param creditedMinor - what our own requests have had given back: the host's books are without it */
	constructor(index: TransactionIndex, creditedMinor: CreditedMinor = nothingCredited) {
		this.#index = index;
		this.#creditedMinor = creditedMinor;
	}

	/** Of the last {@link begin} that went through; borrowed. */
	get bytes(): Uint8Array {
		return this.digest.bytes;
	}

	/** Transactions in it. */
	get entries(): number {
		return this.digest.entries;
	}

	/** Begins anew. @param lastId - up to this transaction */
	begin(batch: number, lastId: number): void {
		this.digest.begin();
		this.#batch = batch;
		this.#lastId = lastId;
		this.#after = 0;
	}

	/**
	 * Goes on for at most so many transactions. Reads flash only for what a case has had given back; the hash is all it needs memory for.
	 * @returns true when it is through: {@link bytes} has the digest
	 */
	step(transactionsMax: number): boolean {
		const index = this.#index;
		assert(this.digest.underWay, "step() follows begin(), until it says that it is through");
		for (let n = 0; n < transactionsMax; n++) {
			const slot = index.nextInBatch(this.#batch, this.#after);
			if (slot < 0 || index.ids[slot] > this.#lastId) {
				this.digest.end();
				return true;
			}
			this.#after = index.ids[slot];
			if (stands(index.states[slot], index.kind(slot))) this.add(slot);
		}
		return false;
	}

	private add(slot: number): void {
		const index = this.#index;
		const leftMinor = index.amount(slot) - this.#creditedMinor(this.#batch, index.stans[slot]);
		if (leftMinor === 0) return; // All given back: the host's books have nothing of it that stands.
		this.digest.add(index.stans[slot], index.kind(slot), leftMinor);
	}
}
