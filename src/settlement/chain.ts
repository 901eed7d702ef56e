/**
 * The evidence chain over the journal's transactions, computed when reading, in the order of their ids; memory does not
 * grow with their number. It begins behind the settlement mark, with the heads that the mark carries, or with the
 * journal. Altering, dropping, inserting or reordering anything behind the mark gives another head.
 *
 * Invariant: a head is a function of what the journal holds behind the mark at that moment, whatever was computed or told
 * before, in this boot or in another. What is kept between two calls only saves reading, and is dropped when anything it
 * stands for has changed. What a settlement has carried forward is linked again behind the mark, as it is then.
 * @module
 */
import { CodedError } from "../core/errors";
import { type AdviceFacts, type Intent, isAdvice } from "../transactions/records";
import type { TransactionLog } from "../transactions/transaction-log";
import { CHECKPOINT_BYTES, ChainHead, ChainLeaves, type Ended } from "./chain-links";

/** What the chain knows of one transaction. */
export interface ChainFacts {
	readonly intent: Intent;
	readonly advice: AdviceFacts | undefined;
	readonly ended: Ended;
}

/** A transaction log as this folder reads it. */
export type ChainLog = Pick<
	TransactionLog,
	"index" | "intent" | "advice" | "outcome" | "reason" | "settledUpTo" | "markHeads" | "journal"
>;

/** The facts of a transaction; undefined when flash has lost its records. */
export function readFacts(log: ChainLog, id: number): ChainFacts | undefined {
	const { index } = log;
	const slot = index.find(id);
	if (slot < 0) return undefined;
	try {
		const intent = log.intent(id);
		const advice = isAdvice(intent.kind) ? log.advice(id) : undefined;
		const ended = {
			state: index.states[slot],
			flags: index.flags[slot],
			reason: log.reason(id),
			outcome: log.outcome(id),
		};
		return { intent, advice, ended };
	} catch (error) {
		// A spent transaction whose block was reclaimed, or a block that is gone: it is said so, and the chain goes on.
		if (error instanceof CodedError) return undefined;
		throw error;
	}
}

/** The first transaction behind `id` that the journal knows, 0 at the end. O(log n), no flash is read */
export function idAfter(log: ChainLog, id: number): number {
	const { ids, count } = log.index;
	let from = 0;
	let to = count;
	while (from < to) {
		const middle = (from + to) >>> 1;
		if (ids[middle] <= id) from = middle + 1;
		else to = middle;
	}
	return from < count ? ids[from] : 0;
}

/** Steps through the transactions, from wherever its head is put. */
export class ChainWalk {
	readonly head = new ChainHead();
	readonly leaves = new ChainLeaves();
	/** Of the transaction linked last; undefined when its records are lost. */
	facts: ChainFacts | undefined;
	readonly #log: ChainLog;

	constructor(log: ChainLog) {
		this.#log = log;
	}

	/** The next transaction's id, 0 at the end. O(log n) */
	peek(): number {
		return idAfter(this.#log, this.head.id);
	}

	/** Links the next transaction. @returns its id, 0 at the end */
	next(): number {
		const id = this.peek();
		if (id === 0) return 0;
		this.facts = readFacts(this.#log, id);
		if (this.facts === undefined) this.leaves.makeLost(id);
		else this.leaves.make(this.facts.intent, this.facts.advice, this.facts.ended);
		this.head.link(id, this.leaves.begun, this.leaves.ended);
		return id;
	}
}

export class Chain {
	readonly log: ChainLog;
	/** Behind the mark, before the first transaction. */
	readonly #base = new ChainHead();
	/** How far reading need not go again, and what it stands for. */
	readonly #known = new ChainHead();
	#knownPrint = 0;
	readonly #walk: ChainWalk;

	constructor(log: ChainLog) {
		this.log = log;
		this.#walk = new ChainWalk(log);
	}

	/** After a mount, and after each mark: goes on from the heads of the mark; without any the chain begins with the journal. */
	start(): void {
		const { markHeads, journal } = this.log;
		if (markHeads === undefined) this.#base.start(journal.id, journal.generation);
		else this.#base.resume(0, markHeads, 0);
		this.forget();
	}

	/** For the next mark: CHECKPOINT_BYTES bytes of its own. */
	headsUpTo(id: number): Uint8Array {
		const heads = new Uint8Array(CHECKPOINT_BYTES);
		this.headUpTo(id).write(heads, 0);
		return heads;
	}

	/** The mark is durable. */
	marked(): void {
		this.start();
	}

	/** The id that the present mark settled up to: heads of different marks are not compared. */
	get mark(): number {
		return this.log.settledUpTo.id;
	}

	/**
	 * The head behind everything up to transaction `id`; 0xFFFF_FFFF: behind all. O(what is new since the last call)
	 * @returns borrowed until the next call
	 */
	headUpTo(id: number): ChainHead {
		return this.walkTo(id, Number.POSITIVE_INFINITY);
	}

	/** True when a head behind all has more than `links` transactions to link. No flash is read */
	isBehind(links: number): boolean {
		const { ids, count } = this.log.index;
		const known = this.isKnownSound ? this.#known : this.#base;
		return count > links && ids[count - 1 - links] > known.id;
	}

	/** A part of what a head behind all has to do: so many transactions. It is kept as long as nothing of it changes. */
	advance(links: number): void {
		this.walkTo(0xffff_ffff, links);
	}

	private get isKnownSound(): boolean {
		return this.fingerprint(this.#known.id) === this.#knownPrint;
	}

	private walkTo(id: number, linksMax: number): ChainHead {
		const walk = this.#walk;
		if (!this.isKnownSound) this.forget();
		walk.head.copy(this.#known.id > id ? this.#base : this.#known);
		let left = linksMax;
		for (let next = walk.peek(); next !== 0 && next <= id && left > 0; next = walk.peek()) {
			walk.next();
			left--;
		}
		walk.facts = undefined;
		if (walk.head.id >= this.#known.id) {
			this.#known.copy(walk.head);
			this.#knownPrint = this.fingerprint(walk.head.id);
		}
		return walk.head;
	}

	/** Puts a walk at the beginning. Whoever links all of it again calls {@link passed} with each head. */
	rewind(walk: ChainWalk): void {
		walk.head.copy(this.#base);
	}

	/** A spent transaction leaves flash without a word: what was kept may know more than can be read again. */
	passed(head: ChainHead): void {
		if (head.id === this.#known.id && !head.equals(this.#known)) this.#known.copy(head);
	}

	/** Of what RAM knows of the transactions up to `id`: another one when one came, went, or changed. No flash is read. */
	fingerprint(id: number): number {
		const { ids, states, flags, steps, count } = this.log.index;
		let print = this.mark | 0;
		for (let slot = 0; slot < count && ids[slot] <= id; slot++) {
			print = Math.imul(print ^ ids[slot], 0x01000193);
			print = Math.imul(print ^ (states[slot] | (flags[slot] << 8) | (steps[slot] << 16)), 0x01000193);
			print = (print << 13) | (print >>> 19);
		}
		return print;
	}

	private forget(): void {
		this.#known.copy(this.#base);
		this.#knownPrint = this.fingerprint(0);
	}
}
