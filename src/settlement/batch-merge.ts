/**
 * The host's list of a batch against the transactions of the index: one pass in the order of STANs, one page in memory,
 * whatever their number. It reads no flash and judges nothing: it says which entry belongs to which transaction, and what
 * has no counterpart.
 *
 * The list comes with ascending STANs. In the index the order is that of selling, where 1 may follow 999999: then the walk
 * begins behind that place, and comes round.
 * @module
 */
import { assert } from "../core/assert";
import { KIND_RESEND } from "../transactions/records";
import type { TransactionIndex } from "../transactions/transaction-index";

/** One page of the host's list, as far as the merge looks at it. */
export interface EntryStans {
	readonly count: number;
	/** Ascending, also from page to page. */
	readonly stans: ArrayLike<number>;
}

/**
 * One pair.
 * @param id - of the transaction, 0: the terminal knows none with that number
 * @param at - place of the entry in the page, −1: the host's list has none
 */
export type OnPair = (id: number, at: number) => void;

export class BatchMerge {
	/** 1 follows 999999 within the batch that was begun. */
	comesRound = false;
	readonly #index: TransactionIndex;
	#batch = 0;
	/** What was begun later is not missed in the list. */
	#lastId = 0;
	/** The transaction whose turn is next; 0 at the end. */
	#cursor = 0;
	/** Where the order of STANs begins; the walk ends before it. */
	#first = 0;
	#cameRound = false;
	#lastStan = 0;

	constructor(index: TransactionIndex) {
		this.#index = index;
	}

	/** @param lastId - transactions up to this id are expected in the list */
	begin(batch: number, lastId: number): void {
		this.#batch = batch;
		this.#lastId = lastId;
		this.comesRound = false;
		this.#first = this.begins();
		this.#cursor = this.#first;
		this.#cameRound = false;
		this.#lastStan = 0;
		this.passOver();
	}

	/** The next page. What the list has passed over is told first. */
	page(entries: EntryStans, onPair: OnPair): void {
		for (let at = 0; at < entries.count; at++) {
			const stan = entries.stans[at];
			assert(stan > this.#lastStan, "the list ascends: its reader refuses another");
			this.#lastStan = stan;
			while (this.#cursor !== 0 && this.stan() < stan) this.alone(onPair);
			if (this.#cursor !== 0 && this.stan() === stan) {
				const id = this.#cursor;
				this.advance();
				onPair(id, at);
			} else onPair(this.#index.findListed(this.#batch, stan), at); // Begun since, perhaps.
		}
	}

	/** The list is over: what it has not named is told. */
	end(onPair: OnPair): void {
		while (this.#cursor !== 0) this.alone(onPair);
	}

	private alone(onPair: OnPair): void {
		const id = this.#cursor;
		this.advance();
		onPair(id, -1);
	}

	private stan(): number {
		const slot = this.#index.find(this.#cursor);
		return slot < 0 ? 0 : this.#index.stans[slot];
	}

	private advance(): void {
		this.step();
		this.passOver();
	}

	/** Passes over what the list does not name, and what has left the index since. */
	private passOver(): void {
		const index = this.#index;
		while (this.#cursor !== 0) {
			const slot = index.find(this.#cursor);
			if (slot >= 0 && index.kind(slot) !== KIND_RESEND && this.#cursor <= this.#lastId) return;
			this.step();
		}
	}

	private step(): void {
		const index = this.#index;
		let slot = index.nextInBatch(this.#batch, this.#cursor);
		if (slot < 0 && !this.#cameRound) {
			this.#cameRound = true;
			slot = index.nextInBatch(this.#batch, 0);
		}
		const over = slot < 0 || (this.#cameRound && index.ids[slot] >= this.#first);
		this.#cursor = over ? 0 : index.ids[slot];
	}

	/** The transaction behind the place where 1 follows 999999, else the first. O(n) */
	private begins(): number {
		const index = this.#index;
		const first = index.nextInBatch(this.#batch, 0);
		if (first < 0) return 0;
		let before = first;
		for (let slot = first; slot >= 0; slot = index.nextInBatch(this.#batch, index.ids[slot])) {
			if (index.stans[slot] < index.stans[before]) {
				this.comesRound = true;
				return index.ids[slot];
			}
			before = slot;
		}
		return index.ids[first];
	}
}
