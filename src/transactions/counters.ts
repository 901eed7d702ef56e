/**
 * Numbers that never go back (I4): batch, transaction id, STAN; and how far everything is settled. The settlement mark
 * carries them all, so that nothing behind it is needed to know them.
 * @module
 */
import type { MarkData } from "./records";
import { NOWHERE } from "./transaction-index";

/** "Settled up to N": where the last settlement ended; zeros before the first. */
export interface SettledUpTo {
	/** The batch that was settled last, 1 to 999999. */
	readonly batch: number;
	/** What has this id or a lower one is settled, unless the index still knows it: a doubt that was carried forward. */
	readonly id: number;
	/** The STAN used last before it. */
	readonly stan: number;
}

export class Counters {
	/** What new sales carry in DE 60.2. */
	batch = 0;
	/** The id used last. */
	idMax = 0;
	/** Ids up to here may have been used. */
	idReserved = 0;
	/** Where the newest reservation stands; NOWHERE when the mark carries it. */
	reservedAt = NOWHERE;
	/** The STAN used last, and the transaction it was used for. */
	stanMax = 0;
	stanMaxId = 0;
	#settled = { batch: 0, id: 0, stan: 0 };

	/** One object for good: it changes with the next settlement. */
	get settled(): SettledUpTo {
		return this.#settled;
	}

	reset(): void {
		this.batch = 0;
		this.idMax = 0;
		this.idReserved = 0;
		this.reservedAt = NOWHERE;
		this.stanMax = 0;
		this.stanMaxId = 0;
		this.#setSettled(0, 0, 0);
	}

	takeIntent(id: number, stan: number): void {
		this.idMax = Math.max(this.idMax, id);
		if (id < this.stanMaxId) return;
		this.stanMax = stan;
		this.stanMaxId = id;
	}

	takeReserved(id: number, position: number): void {
		this.idReserved = Math.max(this.idReserved, id);
		this.reservedAt = position;
	}

	/** The newest mark is visited last: the log holds one that counts, and copies of it with the same bytes. */
	takeMark(mark: MarkData): void {
		this.batch = mark.batch;
		this.idReserved = Math.max(this.idReserved, mark.idReserved);
		this.#setSettled(mark.settledBatch, mark.idMax, mark.stanMax);
		// The counters and the intents of the log may say the same; a mark knows a STAN only when one was used.
		if (mark.stanMax > 0) this.takeIntent(mark.idMax, mark.stanMax);
		else this.idMax = Math.max(this.idMax, mark.idMax);
	}

	/** The log has been read: ids that were reserved may have been used. */
	afterMount(): void {
		this.idReserved = Math.max(this.idReserved, this.idMax);
		this.idMax = this.idReserved;
	}

	/** The mark of a settlement: the batch now open is settled, `nextBatch` begins. */
	mark(nextBatch: number): MarkData {
		const { idMax, idReserved, stanMax } = this;
		return { batch: nextBatch, idMax, stanMax, idReserved, settledBatch: this.batch };
	}

	/** The mark is durable. */
	settle(nextBatch: number): void {
		this.#setSettled(this.batch, this.idMax, this.stanMax);
		this.batch = nextBatch;
		this.stanMaxId = this.idMax;
		this.reservedAt = NOWHERE;
	}

	#setSettled(batch: number, id: number, stan: number): void {
		this.#settled.batch = batch;
		this.#settled.id = id;
		this.#settled.stan = stan;
	}
}
