/**
 * Changes of a transaction's state: looked up in the table, made durable, then in the index (I2). What is told of a
 * transaction is what flash holds of it, also before the next boot.
 * @module
 */
import { assert } from "../core/assert";
import { CodedError } from "../core/errors";
import type { Journal } from "../journal/journal";
import type { Counters } from "./counters";
import type { RecordReader } from "./record-reader";
import {
	encodeOutcome,
	encodeStep,
	OUTCOME_BYTES,
	OUTCOME_FLAGS_AT,
	type Outcome,
	STEP_BYTES,
	TransactionRecord,
} from "./records";
import { type Act, type Event, isSpent, State, type StateName, type Step, stateName, TABLE } from "./states";
import type { TransactionIndex } from "./transaction-index";

/** At the greatest interval of five minutes. */
const TRIES_A_DAY = 288;
const NO_OUTCOME: Outcome = { code: "", rrn: "", authorization: "", hostTime: "0000000000" };

/** Facts that go with an event. */
export interface EventFacts {
	outcome?: Outcome | undefined;
	/** Bits of `Flag` to set, where the event writes something. */
	flags?: number;
}

/**
 * Why a transaction is not reversed again: nothing is known of it any more; a movement of it is under way, or it stands;
 * its batch is settled; the journal has no room for another reversal.
 */
export type ReverseAgainRefusal = "unknown" | "notNow" | "released" | "full";

/** Whose transactions they are: the log. */
export interface TransitionsOwner {
	/** See TransactionLog.onTransition. */
	readonly onTransition: ((id: number, from: StateName, event: Event, to: StateName) => void) | undefined;
	/** Room on flash for all that is open, and one transaction more. */
	prepareRoom(): boolean;
}

export class Transitions {
	readonly #journal: Journal;
	readonly #index: TransactionIndex;
	readonly #counters: Counters;
	readonly #reader: RecordReader;
	readonly #record: Uint8Array;
	readonly #owner: TransitionsOwner;

	constructor(parts: {
		journal: Journal;
		index: TransactionIndex;
		counters: Counters;
		reader: RecordReader;
		/** Shared. */
		record: Uint8Array;
		owner: TransitionsOwner;
	}) {
		this.#journal = parts.journal;
		this.#index = parts.index;
		this.#counters = parts.counters;
		this.#reader = parts.reader;
		this.#record = parts.record;
		this.#owner = parts.owner;
	}

	/** See TransactionLog.apply. */
	apply(id: number, event: Event, facts: EventFacts): Act {
		const index = this.#index;
		const slot = this.#reader.slot(id);
		const before = index.states[slot];
		const from = stateName(before);
		assert(from !== undefined, `I3 stan=${index.stans[slot]} has a state`);
		const step = TABLE[from][event];
		assert(step !== undefined, `I5 stan=${index.stans[slot]} ${from} takes no ${event}`);
		const flags = index.flags[slot] | (facts.flags ?? 0);
		const to = State[step.to];
		const opens = isSpent(before) && !isSpent(to);
		if (opens) {
			// Open again: from here on its records are live, or making room for the next one could drop them.
			this.#reader.loadIntent(id);
			index.states[slot] = to;
		}
		try {
			const room = event !== "reverseAgain" || this.#owner.prepareRoom();
			if (!room) throw new CodedError("full", "reversal", "no room for another one");
			this.persist(slot, step, to, flags, facts.outcome);
		} catch (error) {
			index.states[slot] = before;
			// Its records may have moved as those of an open one do: its end stays until it stands behind them all.
			if (opens) index.intentLast[slot] = 1;
			throw error;
		}
		index.states[slot] = to;
		if (step.persist !== "none") index.flags[slot] = flags;
		this.#owner.onTransition?.(id, from, event, step.to);
		return step.act;
	}

	/** See TransactionLog.reverseAgain. */
	reverseAgain(id: number): ReverseAgainRefusal | undefined {
		const index = this.#index;
		const slot = index.find(id);
		if (slot < 0) return "unknown";
		const name = stateName(index.states[slot]);
		if (name === undefined || TABLE[name].reverseAgain === undefined) return "notNow";
		if (id <= this.#counters.settled.id) return "released";
		if (isSpent(index.states[slot]) && !this.#reader.hasIntent(id)) return "unknown";
		try {
			this.apply(id, "reverseAgain", {});
			return undefined;
		} catch (error) {
			if (error instanceof CodedError && error.code === "full") return "full";
			throw error;
		}
	}

	/** See TransactionLog.noteTry. */
	noteTry(id: number, flags: number): number {
		const index = this.#index;
		const slot = this.#reader.slot(id);
		const tries = Math.min(0xffff, index.tries[slot] + 1);
		index.tries[slot] = tries;
		const early = tries < TRIES_A_DAY && (tries & (tries - 1)) === 0;
		// An advice is mostly answered at once: its first try is not worth a record.
		if (tries === 1 && index.states[slot] === State.forwarding) return tries;
		if (early || tries % TRIES_A_DAY === 0) this.writeStep(slot, index.flags[slot] | flags);
		return tries;
	}

	/** See TransactionLog.setFlags. */
	setFlags(id: number, flags: number): void {
		const slot = this.#reader.slot(id);
		const now = this.#index.flags[slot] | flags;
		if (now !== this.#index.flags[slot]) this.writeStep(slot, now);
	}

	private persist(slot: number, step: Step, to: State, flags: number, outcome: Outcome = NO_OUTCOME): void {
		const index = this.#index;
		const id = index.ids[slot];
		if (step.persist === "outcome") {
			encodeOutcome(this.#record, id, index.steps[slot] + 1, to, outcome, flags);
			this.append(slot, TransactionRecord.outcome, OUTCOME_BYTES);
		} else if (step.persist === "step") {
			const record = { reason: step.reason ?? this.#reader.reason(id), tries: index.tries[slot], flags };
			encodeStep(this.#record, id, index.steps[slot] + 1, to, record);
			this.append(slot, TransactionRecord.step, STEP_BYTES);
		}
	}

	private writeStep(slot: number, flags: number): void {
		const index = this.#index;
		const id = index.ids[slot];
		const record = { reason: this.#reader.reason(id), tries: index.tries[slot], flags };
		encodeStep(this.#record, id, index.steps[slot] + 1, index.states[slot], record);
		this.append(slot, TransactionRecord.step, STEP_BYTES);
		index.flags[slot] = flags;
	}

	private append(slot: number, type: number, byteLength: number): void {
		const index = this.#index;
		const position = this.#journal.append(type, this.#record, byteLength);
		index.steps[slot] += 1;
		if (type === TransactionRecord.outcome) {
			index.outcomeAt[slot] = position;
			index.endsSteps(slot, this.#record[OUTCOME_FLAGS_AT]);
		} else index.stepAt[slot] = position;
		index.intentLast[slot] = 0;
	}
}
