/**
 * Numbers that never go back (I4): batch, transaction id, STAN; and how far everything is settled. The settlement mark
 * carries them all, so that nothing behind it is needed to know them.
 *
 * An id is reserved before use, in chunks; each reservation has a greater id than all before it, so that the greatest is
 * the newest. It says as well up to where STANs may have been used. A sale's STAN is in its own intent; one that no
 * record carries (sign-on, settlement, sync) comes out of a chunk that was reserved before.
 * @module
 */
import { assert } from "../core/assert";
import { CodedError } from "../core/errors";
import type { Closing, MarkData } from "./records";
import { NOWHERE } from "./transaction-index";

const STAN_MAX = 999_999;
const BATCH_MAX = 999_999;
/** One small record for each, and no id is used again after a torn intent. */
const ID_CHUNK = 64;
const STAN_CHUNK = 64;
const ID_MAX = 0xffff_ff00;
/**
 * How far the STAN of the newest intent may lie beyond the newest reservation: at most a chunk of ids and what a wrap
 * passes over. A greater distance is the other way round: a terminal that signs on for years and sells nothing.
 */
const STANS_BEYOND_MAX = 100_000;

/** "Settled up to N": where the last settlement ended; zeros before the first. */
export interface SettledUpTo {
	/** The batch that was settled last, 1 to 999999. */
	readonly batch: number;
	/** What has this id or a lower one is settled, unless the index still knows it: what was carried forward. */
	readonly id: number;
	/** The STAN a transaction used last before it. */
	readonly stan: number;
}

export class Counters {
	/** What new sales carry in DE 60.2; 0 while the host has still to give it. While a batch closes it is the one after. */
	batch = 0;
	/** Where the record of the batch that closes stands. */
	closingAt = NOWHERE;
	/** A mark was read. Without one the counters are not to be trusted: nothing may be numbered. */
	markSeen = false;
	/** Of the mark: see MarkData. */
	heads: Uint8Array | undefined;
	/** The id used last. */
	idMax = 0;
	/** Where the newest reservation stands; NOWHERE when the mark carries it. */
	reservedAt = NOWHERE;
	/** The STAN a transaction used last, and which. */
	stanMax = 0;
	stanMaxId = 0;
	/** Ids up to here may have been used. */
	#idReserved = 0;
	/** While reading: the STAN of the newest reservation. Later: the STAN used last, for whatever. */
	#stan = 0;
	/** STANs behind it that are reserved. */
	#stansLeft = 0;
	#settled = { batch: 0, id: 0, stan: 0 };
	/** While reading: the newest record of its kind, whatever batch it is about. */
	#closing: Closing | undefined;

	/** One object for good: it changes with the next settlement. */
	get settled(): SettledUpTo {
		return this.#settled;
	}

	/** The batch that closes: its sales are known, the host has still to settle it. */
	get closing(): Closing | undefined {
		return this.#closing;
	}

	/** True while no transaction has been begun since the last settlement. */
	get batchIsUntouched(): boolean {
		return this.stanMaxId <= this.#settled.id;
	}

	reset(): void {
		this.batch = 0;
		this.markSeen = false;
		this.heads = undefined;
		this.idMax = 0;
		this.reservedAt = NOWHERE;
		this.stanMax = 0;
		this.stanMaxId = 0;
		this.#idReserved = 0;
		this.#stan = 0;
		this.#stansLeft = 0;
		this.setSettled(0, 0, 0);
		this.notClosing();
	}

	/** An intent of the log, in whatever order. */
	readIntent(id: number, stan: number): void {
		this.idMax = Math.max(this.idMax, id);
		if (id < this.stanMaxId) return;
		this.stanMax = stan;
		this.stanMaxId = id;
	}

	/** A reservation of the log. One that the mark has taken over may still stand there: then the mark says the same. */
	readReserved(id: number, stan: number, position: number): void {
		const older = id < this.#idReserved || (id === this.#idReserved && this.reservedAt === NOWHERE);
		if (older) return;
		this.#idReserved = id;
		this.#stan = stan;
		this.reservedAt = position;
	}

	/**
	 * A closing of the log, in whatever order: ids of closings ascend, so that the greatest is the newest, and of equal ones
	 * the bytes are the same. Whether it counts is known when the mark is.
	 */
	readClosing(closing: Closing, position: number): void {
		if (this.#closing !== undefined && closing.id < this.#closing.id) return;
		this.#closing = closing;
		this.closingAt = position;
	}

	/** The newest mark is visited last: the log holds one that counts, and copies of it with the same bytes. */
	readMark(mark: MarkData): void {
		this.batch = mark.batch;
		this.heads = mark.heads;
		this.markSeen = true;
		this.setSettled(mark.settledBatch, mark.idMax, mark.stanMax);
		// The counters and the intents of the log may say the same; a mark knows a STAN only when one was used.
		if (mark.stanMax > 0) this.readIntent(mark.idMax, mark.stanMax);
		else this.idMax = Math.max(this.idMax, mark.idMax);
		// Copies of the mark stand behind reservations that are newer.
		if (mark.idReserved < this.#idReserved) return;
		this.#idReserved = mark.idReserved;
		this.#stan = mark.stanReserved;
		this.reservedAt = NOWHERE;
	}

	/** The log has been read: numbers that were reserved may have been used. */
	afterMount(): void {
		this.#idReserved = Math.max(this.#idReserved, this.idMax);
		this.idMax = this.#idReserved;
		this.#stansLeft = 0;
		const beyond = (this.stanMax - this.#stan + STAN_MAX) % STAN_MAX;
		if (this.#stan === 0 || (this.stanMax > 0 && beyond <= STANS_BEYOND_MAX)) this.#stan = this.stanMax;
		// What closed a batch that is settled by now may still lie there.
		if (this.#closing?.batch === this.batch && this.batch !== 0) this.batch = this.#closing.nextBatch;
		else this.notClosing();
	}

	/** True when the next id has to be reserved before it is used: see {@link reservation}. */
	get idNeedsReserve(): boolean {
		return this.idMax + 1 > this.#idReserved;
	}

	/** @returns the next id, used from here on whatever becomes of its record */
	takeId(): number {
		assert(!this.idNeedsReserve, "I4 an id is reserved before it is used");
		return ++this.idMax;
	}

	/**
	 * The id of the reservation that would be written now.
	 * @throws {CodedError} "overflow" when there are no more: provision again
	 */
	nextReserved(): number {
		const id = Math.max(this.#idReserved + 1, this.idMax + ID_CHUNK);
		if (id > ID_MAX) throw new CodedError("overflow", "transaction id", "provision again");
		return id;
	}

	/** STANs up to here may have been used. */
	get stanReserved(): number {
		return this.#stan === 0 ? this.#stansLeft : wrapped(this.#stan + this.#stansLeft);
	}

	/** Where a chunk ends that begins with `stan`. */
	chunkEnd(stan: number): number {
		return wrapped(stan + STAN_CHUNK - 1);
	}

	/** A reservation is durable: up to this id, and to this STAN. */
	reserved(id: number, stanReserved: number, position: number): void {
		assert(id > this.#idReserved, "I4 each reservation is beyond all before it");
		this.#idReserved = id;
		this.reservedAt = position;
		this.#stansLeft = distance(this.#stan, stanReserved);
	}

	/**
	 * The next STAN; it runs on across batches and boots, and after its wrap it passes over what is still known (I4).
	 * Nothing is used by asking.
	 * @throws {CodedError} "full" when all are in use
	 */
	nextStan(isKnown: (stan: number) => boolean, known: number): number {
		let stan = this.#stan;
		for (let tries = 0; tries <= known; tries++) {
			stan = (stan % STAN_MAX) + 1;
			if (!isKnown(stan)) return stan;
		}
		throw new CodedError("full", "STAN", "all numbers are in use");
	}

	/** True when `stan`, the next one, lies within what is reserved. */
	isReserved(stan: number): boolean {
		return distance(this.#stan, stan) <= this.#stansLeft;
	}

	/** `stan` is used from here on: it is in an intent that is durable, or it is reserved. */
	useStan(stan: number): void {
		this.#stansLeft = Math.max(0, this.#stansLeft - distance(this.#stan, stan));
		this.#stan = stan;
	}

	/** The intent of a transaction is durable. */
	began(id: number, stan: number): void {
		this.stanMax = stan;
		this.stanMaxId = id;
		this.useStan(stan);
	}

	/** The open batch ends with what has been begun by now. */
	closes(nextBatch: number, id: number, timeS: number): Closing {
		return { batch: this.batch, nextBatch, id, stan: this.stanMax, timeS };
	}

	/** That closing is durable: from here on sales carry the next batch. */
	close(closing: Closing, position: number): void {
		this.#closing = closing;
		this.closingAt = position;
		this.batch = closing.nextBatch;
	}

	/**
	 * The mark of a settlement: the batch that closed is settled, with what was begun before that; the next one goes on.
	 * What is reserved is told as it is by now, so that all numbers used since are known without any other record.
	 */
	mark(closing: Closing): MarkData {
		const { stanReserved } = this;
		const idReserved = this.#idReserved;
		const { batch: settledBatch, nextBatch: batch, id: idMax, stan: stanMax } = closing;
		return { batch, idMax, stanMax, idReserved, settledBatch, stanReserved };
	}

	/** The settlement's mark is durable. */
	settle(closing: Closing): void {
		this.setSettled(closing.batch, closing.id, closing.stan);
		this.batch = closing.nextBatch;
		this.stanMaxId = Math.max(this.stanMaxId, closing.id);
		this.reservedAt = NOWHERE;
		this.notClosing();
	}

	/** The mark of a batch that the host gives in place of one in which nothing was begun: all else is as it was. */
	markOfBatch(batch: number): MarkData {
		const { settled, stanReserved } = this;
		const idReserved = this.#idReserved;
		const { batch: settledBatch, id: idMax, stan: stanMax } = settled;
		return { batch, idMax, stanMax, idReserved, settledBatch, stanReserved };
	}

	/** That mark is durable. */
	adopt(batch: number): void {
		this.batch = batch;
		this.reservedAt = NOWHERE;
	}

	private notClosing(): void {
		this.#closing = undefined;
		this.closingAt = NOWHERE;
	}

	private setSettled(batch: number, id: number, stan: number): void {
		this.#settled.batch = batch;
		this.#settled.id = id;
		this.#settled.stan = stan;
	}
}

/** True for what DE 60.2 can carry. */
export function isBatch(batch: number): boolean {
	return Number.isInteger(batch) && batch >= 1 && batch <= BATCH_MAX;
}

/** The batch that follows: 1 after 999999. */
export function batchAfter(batch: number): number {
	return (batch % BATCH_MAX) + 1;
}

/** Is `a` the earlier of two batches? Numbers come round: the nearer way counts. */
export function isBatchBefore(a: number, b: number): boolean {
	const ahead = (b - a + BATCH_MAX) % BATCH_MAX;
	return ahead > 0 && ahead < BATCH_MAX / 2;
}

/** 1 follows 999999. */
function wrapped(stan: number): number {
	return ((stan - 1) % STAN_MAX) + 1;
}

/** STANs from `from` to `to`, going up; from 0, which is none, as from the last. */
function distance(from: number, to: number): number {
	return (to - from + 2 * STAN_MAX) % STAN_MAX;
}

/** True when a batch comes after the one settled last, within half of the ring: 1 follows 999999. */
export function isAhead(batch: number, settled: number): boolean {
	if (settled === 0) return true;
	const ahead = (batch - settled + BATCH_MAX) % BATCH_MAX;
	return ahead !== 0 && 2 * ahead <= BATCH_MAX;
}
