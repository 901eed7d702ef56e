/**
 * I7: what a terminal knew when power went, it knows when power comes back. Follows each transaction from outside, by
 * the states it has been told of, and compares them with what the next boot reads.
 *
 * Only what was pinned counts: until then a mount may have read a record that the next one does not see. A cut within
 * the writing of one more state leaves either; which states can come is judged by what the terminal had heard, so that
 * an approval that is lost does not pass for a reversal that somebody has asked for.
 * @module
 */
import type { Event, StateName } from "../../src/transactions/states";
import { EVENTS, firstState, isSpent, STATE_NAMES, State, stateName, TABLE } from "../../src/transactions/states";
import type { TransactionLog } from "../../src/transactions/transaction-log";
import type { Entry, WitnessBook } from "./witness-book";

interface Known {
	readonly stan: number;
	readonly amountMinor: number;
	readonly batch: number;
	/** What was pinned; undefined: nothing was, this boot is the first that reads it. */
	state: StateName | undefined;
	/** In this boot. */
	now: StateName;
}

/** By state: those that one event leads to. */
const NEXT: Readonly<Record<string, readonly StateName[]>> = Object.fromEntries(
	STATE_NAMES.map((state) => [
		state,
		STATE_NAMES.filter((to) => EVENTS.some((event) => TABLE[state][event]?.to === to)),
	]),
);

export class WitnessMemory {
	readonly #fail: (invariant: string, text: string) => void;
	readonly #book: WitnessBook;
	/** By id. */
	readonly #known = new Map<number, Known>();
	/** The greatest id that was pinned. */
	#idMax = 0;
	/** The greatest that was ever read or begun. */
	#idEver = 0;
	/** The same before this boot began anything: what it begins lies beyond (I4). */
	#idBefore = 0;

	constructor(book: WitnessBook, fail: (invariant: string, text: string) => void) {
		this.#book = book;
		this.#fail = fail;
	}

	/** A transition was taken, and is durable as far as the table says. */
	transition(log: TransactionLog, id: number, from: StateName, event: Event, to: StateName): void {
		const { index } = log;
		const slot = index.find(id);
		if (slot < 0) {
			this.#fail("I3", `transaction ${id} is gone in the middle of ${event}`);
			return;
		}
		const stan = index.stans[slot];
		const known = this.#known.get(id);
		const entry = this.#book.find(stan);
		if (event === "boot") this.#checkBoot(log, slot, known, from, entry);
		else if (known !== undefined && known.now !== from) {
			this.#fail("I7", `stan=${stan}: it was ${known.now}, and is ${from} when ${event} comes`);
		}
		if (TABLE[from][event]?.to !== to) this.#fail("I5", `stan=${stan}: ${from} and ${event} do not lead to ${to}`);
		if (event !== "boot" && from !== to && !mayBecome(from, to, entry)) {
			this.#fail("I3", `stan=${stan}: ${from} became ${to} by ${event}, and nobody has said so`);
		}
		if (entry !== undefined && (to === "unconfirmed" || to === "reversing") && from !== to) entry.reversalAnswers = 0;
		if (known !== undefined) known.now = to;
		else this.#add(log, slot, to, event !== "boot");
	}

	/** A boot has come to its end: everything that must be there was seen. */
	booted(log: TransactionLog): void {
		const { index } = log;
		for (const [id, known] of this.#known) {
			if (index.find(id) >= 0) continue;
			const { stan, state } = known;
			const settled = id <= log.settledUpTo.id;
			if (state === undefined || settled || mayBeSpent(state, this.#book.find(stan))) {
				if (log.journal.pinned) this.#known.delete(id);
				continue;
			}
			this.#fail("I7", `stan=${stan}: ${state} before power went, and now unknown`);
			this.#known.delete(id);
		}
	}

	/** Power has gone: what was pinned is what has to be there next time. */
	powerLost(log: TransactionLog): void {
		const { index } = log;
		const { pinned } = log.journal;
		if (pinned) {
			// What was begun, and has met with no event yet.
			for (let slot = 0; slot < index.count; slot++) {
				if (!this.#known.has(index.ids[slot])) this.#add(log, slot, firstName(index.kind(slot)), true);
			}
		}
		for (const [id, known] of this.#known) {
			if (pinned) {
				known.state = known.now;
				this.#idMax = Math.max(this.#idMax, id);
			} else if (known.state === undefined) this.#known.delete(id);
			else known.now = known.state;
		}
		this.#idBefore = this.#idEver;
	}

	#checkBoot(
		log: TransactionLog,
		slot: number,
		known: Known | undefined,
		from: StateName,
		entry: Entry | undefined,
	): void {
		const { index } = log;
		const id = index.ids[slot];
		const stan = index.stans[slot];
		if (known === undefined) {
			// Its intent was being written when power went: nothing of it can have left.
			if (id <= this.#idMax && !isSpentName(from)) {
				this.#fail("I7", `stan=${stan}: ${from}, of a transaction that was gone`);
			}
			if (entry !== undefined && entry.requests > 0 && !isSpentName(from)) {
				this.#fail("I7", `stan=${stan}: it was on the wire, and was not known before power went`);
			}
			return;
		}
		if (known.stan !== stan || known.amountMinor !== index.amount(slot) || known.batch !== index.batch(slot)) {
			this.#fail("I7", `transaction ${id}: stan=${stan} ${index.amount(slot)} in batch ${index.batch(slot)} now`);
		}
		const { state } = known;
		if (state !== undefined && state !== from && !mayBecome(state, from, entry)) {
			this.#fail("I7", `stan=${stan}: ${state} before power went, ${from} after it`);
		}
	}

	/** @param begun - in this boot; otherwise it was read */
	#add(log: TransactionLog, slot: number, now: StateName, begun: boolean): void {
		const { index } = log;
		const id = index.ids[slot];
		if (begun && id <= this.#idBefore)
			this.#fail("I4", `stan=${index.stans[slot]}: transaction ${id} for a second time`);
		this.#idEver = Math.max(this.#idEver, id);
		if (!begun) this.#idBefore = Math.max(this.#idBefore, id);
		this.#known.set(id, {
			stan: index.stans[slot],
			amountMinor: index.amount(slot),
			batch: index.batch(slot),
			state: undefined,
			now,
		});
	}
}

function firstName(kind: number): StateName {
	return stateName(firstState(kind)) ?? "waiting";
}

function isSpentName(name: StateName): boolean {
	return isSpent(State[name]);
}

function mayBeSpent(state: StateName, entry: Entry | undefined): boolean {
	if (isSpentName(state)) return true;
	return NEXT[state].some((to) => isSpentName(to) && mayBecome(state, to, entry));
}

/** Whether one event leads from one state to another, and whoever has to say so has said it. */
export function mayBecome(from: StateName, to: StateName, entry: Entry | undefined): boolean {
	if (!NEXT[from].includes(to)) return false;
	switch (to) {
		case "approved":
			return entry !== undefined && entry.approvals > 0;
		case "declined":
			return entry !== undefined && entry.declines > 0;
		case "abandoned":
			return entry === undefined || entry.requests === 0;
		case "unconfirmed":
		case "reversed":
			return entry !== undefined && entry.reversalAnswers > 0;
		case "forwarded":
		case "forwardRefused":
			return entry !== undefined && entry.adviceAnswers > 0;
		case "reversing":
			if (from === "approved") return entry === undefined || entry.asked;
			// A refusal that the host takes back or does not keep to, or an original that comes when all was over.
			if (from === "declined" || from === "reversed") {
				return entry !== undefined && (entry.contradicted || entry.approvals + entry.otherAnswers > 0);
			}
			return true;
		default:
			return true;
	}
}
