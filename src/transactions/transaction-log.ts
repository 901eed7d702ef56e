/**
 * Transactions on the journal: intents, what became of them, and the counters that never go back (I1–I4).
 * Every change of state goes through {@link TransactionLog.apply} and is durable when it returns.
 * @module
 */
import { assert } from "../core/assert";
import { readU32, writeU32 } from "../core/bytes";
import { CodedError } from "../core/errors";
import { addAmount } from "../core/money";
import type { JournalClient, MountResult } from "../journal/client";
import { Journal } from "../journal/journal";
import type { FlashPartition } from "../ports";
import { type CardSeal, packCard, type StoredCard, unpackCard } from "../security/card-seal";
import { Counters, type SettledUpTo } from "./counters";
import { LogReplay } from "./log-replay";
import {
	decodeIntent,
	decodeOutcome,
	decodeStep,
	encodeIntent,
	encodeMark,
	encodeOutcome,
	encodeStep,
	INTENT_BYTES,
	INTENT_CLEAR_BYTES,
	type Intent,
	intentNonce,
	KIND_SALE,
	OUTCOME_BYTES,
	type Outcome,
	STEP_BYTES,
	TransactionRecord,
} from "./records";
import { type SettleRefusal, Settler } from "./settler";
import { type Act, type Event, isDoubt, isSpent, State, type Step, stateName, TABLE } from "./states";
import { NOWHERE, TransactionIndex } from "./transaction-index";

const STAN_MAX = 999_999;
/** Ids are taken in chunks: one small record for each, and no id is used again after a torn intent. */
const ID_CHUNK = 64;
const ID_MAX = 0xffff_ff00;
/**
 * All that one transaction may still write after its intent, in journal bytes at the coarsest alignment: an outcome
 * (64), 13 steps with the tries at powers of two (32 each), and once more at a settlement intent, outcome, step (192).
 */
const ROOM_BYTES = 672;
/** The same of a reversal that was accepted once: 11 steps, and the settlement. */
const UNCONFIRMED_ROOM_BYTES = 544;
/** The settlement's mark, and the reservation of ids that may follow it. */
const MARK_ROOM_BYTES = 96;
/** At the greatest interval of five minutes. */
const TRIES_A_DAY = 288;
const NO_REASON = "  ";
const NO_OUTCOME: Outcome = { code: NO_REASON, rrn: "", authorization: "", hostTime: "0000000000" };

/** What a sale adds to its counters. */
export type NewSale = Omit<Intent, "id" | "stan" | "kind" | "batch" | "panFirst" | "panLast" | "panDigits">;

/** Facts that go with an event. */
export interface EventFacts {
	outcome?: Outcome;
	/** Bits of `Flag` to set. */
	flags?: number;
}

export class TransactionLog implements JournalClient {
	readonly journal: Journal;
	readonly index: TransactionIndex;
	readonly #seal: CardSeal;
	readonly #record = new Uint8Array(INTENT_BYTES);
	readonly #nonce = new Uint8Array(12);
	readonly #counters = new Counters();
	readonly #replay: LogReplay;
	readonly #settler: Settler;
	/** Slot that a reclaim asked about last: it is the one whose record moves, if any does. */
	#askedSlot = 0;

	/**
	 * @param mirror - a second partition of the same blocks, for a copy of everything
	 * @throws {CodedError} "format" when a partition can not hold a journal
	 */
	constructor(flash: FlashPartition, transactionsMax: number, seal: CardSeal, mirror?: FlashPartition) {
		this.#seal = seal;
		this.index = new TransactionIndex(transactionsMax);
		this.#replay = new LogReplay(this.index, this.#counters);
		this.journal = new Journal(flash, this, mirror);
		const load = (id: number, position: number) => this.#load(id, position);
		this.#settler = new Settler(this.journal, this.index, this.#counters, this.#record, load);
	}

	/** Makes the partition an empty journal for `batch`; see Journal.provision. */
	provision(journalId: number, batch: number): void {
		this.journal.provision(journalId, encodeMark({ batch, idMax: 0, stanMax: 0, idReserved: 0, settledBatch: 0 }));
	}

	/**
	 * Reads what is there; writes nothing.
	 * @throws {CodedError} "damaged" when flash reads otherwise at each try: mount again
	 */
	mount(): MountResult {
		const result = this.journal.mount();
		if (result.status !== "ok" && result.status !== "rebuilt") return result;
		this.#replay.finish(() =>
			this.journal.forEach((type, position, bytes, start, byteLength) => {
				this.#replay.visit(type, position, bytes, start, byteLength);
			}),
		);
		return result;
	}

	/** What new sales carry in DE 60.2. */
	get batch(): number {
		return this.#counters.batch;
	}

	/** Where the last settlement ended: one object, which changes with the next one. */
	get settledUpTo(): SettledUpTo {
		return this.#counters.settled;
	}

	/** Records of a kind this firmware does not know; they are kept out of the way. */
	get unknownRecords(): number {
		return this.#replay.unknownRecords;
	}

	get doubts(): number {
		let count = 0;
		for (let slot = 0; slot < this.index.count; slot++) if (isDoubt(this.index.states[slot])) count++;
		return count;
	}

	get doubtSumMinor(): number {
		let sum = 0;
		for (let slot = 0; slot < this.index.count; slot++) {
			if (isDoubt(this.index.states[slot])) sum = addAmount(sum, this.index.amounts[slot], "doubts");
		}
		return sum;
	}

	/** Sales that count for the batch: all of it that are not spent. */
	get batchSales(): number {
		const { index, batch } = this;
		let count = 0;
		for (let slot = 0; slot < index.count; slot++) {
			if (index.batch(slot) === batch && !isSpent(index.states[slot])) count++;
		}
		return count;
	}

	/** @returns the slot of transaction `id` in the index, −1 when it is not known (any more). O(log n) */
	find(id: number): number {
		return this.index.find(id);
	}

	/**
	 * The transaction that the host knows by this key; the newest where a STAN came round within one batch.
	 * @returns its id, 0 when it is not known (any more). O(n), no flash is read
	 */
	findByStan(batch: number, stan: number): number {
		return this.#idAt(this.index.findByStan(batch, stan));
	}

	/**
	 * One step through all that is not spent, in the order of selling. What comes and goes between two steps does not
	 * disturb it.
	 * @param after - the id of the step before, 0 to begin
	 * @returns an id, 0 at the end. O(log n), and what is passed over
	 */
	nextLive(after: number): number {
		return this.#idAt(this.index.nextLive(after));
	}

	/**
	 * One step through all that is known of a batch, whatever became of it, in the order of selling: STANs ascend, and
	 * 1 follows 999999. Of a settled batch only what was carried forward is known.
	 * @param after - the id of the step before, 0 to begin
	 * @returns an id, 0 at the end. O(log n), and what is passed over
	 */
	nextInBatch(batch: number, after: number): number {
		return this.#idAt(this.index.nextInBatch(batch, after));
	}

	/** True when cards can be sealed: without it no intent can be written. */
	get sealReady(): boolean {
		return this.#seal.ready();
	}

	/** Room for one more sale and all that is open, and a block erased ahead (I8). */
	prepare(): boolean {
		const { states, count } = this.index;
		let bytes = 2 * ROOM_BYTES + MARK_ROOM_BYTES;
		for (let slot = 0; slot < count; slot++) {
			if (isDoubt(states[slot])) bytes += ROOM_BYTES;
			else if (states[slot] === State.unconfirmed) bytes += UNCONFIRMED_ROOM_BYTES;
		}
		// In this order: making room on flash may move records, so that a transaction can not make way just now.
		return this.journal.prepare(bytes) && this.index.hasRoom;
	}

	/**
	 * Settles the batch that is open and begins `nextBatch`. What a settlement carries forward stays, under its own
	 * batch; all else leaves flash and index with one mark. Cut anywhere, it has not happened or it has.
	 * @param nextBatch - 1 to 999999, another than the open one
	 * @returns why not, or undefined when it is durable
	 * @throws {CodedError} "range"; "damaged" | "missing" when flash has lost what must be carried; "flash"
	 */
	settle(nextBatch: number): SettleRefusal | undefined {
		return this.#settler.settle(nextBatch);
	}

	/**
	 * Makes the intent of a sale durable (I1).
	 * @returns its id; the STAN is in the index
	 * @throws {CodedError} "full" | "flash" from the journal, "length" | "charset" for a card it cannot hold
	 */
	begin(sale: NewSale, card: StoredCard): number {
		assert(this.index.takesMore, "I10 the index has room: a sale asks before it begins");
		const id = this.#nextId();
		const stan = this.#nextStan();
		const intent: Intent = {
			...sale,
			id,
			stan,
			kind: KIND_SALE,
			batch: this.batch,
			panFirst: card.pan.slice(0, 6),
			panLast: card.pan.slice(-4),
			panDigits: card.pan.length,
		};
		const bytes = this.#record;
		encodeIntent(bytes, intent);
		const plain = packCard(card);
		intentNonce(this.#nonce, this.journal.id, this.journal.generation, id);
		bytes.set(this.#seal.seal(plain, this.#nonce, bytes.subarray(0, INTENT_CLEAR_BYTES)), INTENT_CLEAR_BYTES);
		plain.fill(0);
		const position = this.journal.append(TransactionRecord.intent, bytes, INTENT_BYTES);
		this.#counters.takeIntent(id, stan);
		this.index.newestId = id;
		const slot = this.index.add(id);
		this.index.stans[slot] = stan;
		this.index.states[slot] = State.waiting;
		this.index.amounts[slot] = sale.amountMinor;
		this.index.setBatchKind(slot, intent.batch, intent.kind);
		this.index.intentAt[slot] = position;
		return id;
	}

	/**
	 * Takes a transaction through the table: durable first, then the index, then the caller acts (I2).
	 * @returns what to do; "none" for an event that changes nothing
	 * @throws {CodedError} "missing" | "range" | "damaged" for a spent one whose records have gone; "full" | "flash"
	 */
	apply(id: number, event: Event, facts: EventFacts = {}): Act {
		const { index } = this;
		const slot = this.#slot(id);
		const before = index.states[slot];
		const from = stateName(before);
		assert(from !== undefined, `I3 stan=${index.stans[slot]} has a state`);
		const step = TABLE[from][event];
		assert(step !== undefined, `I5 stan=${index.stans[slot]} ${from} takes no ${event}`);
		const flags = index.flags[slot] | (facts.flags ?? 0);
		const to = State[step.to];
		if (isSpent(before) && !isSpent(to)) {
			// Open again: from here on its records are live, or making room for the next one could drop them.
			this.#load(id, index.intentAt[slot]);
			index.states[slot] = to;
		}
		try {
			this.#persist(slot, step, to, flags, facts.outcome);
		} catch (error) {
			index.states[slot] = before;
			throw error;
		}
		index.states[slot] = to;
		index.flags[slot] = flags;
		return step.act;
	}

	/** One more try of a reversal; durable at powers of two, then about daily. */
	noteTry(id: number): number {
		const { index } = this;
		const slot = this.#slot(id);
		const tries = Math.min(0xffff, index.tries[slot] + 1);
		index.tries[slot] = tries;
		const early = tries < TRIES_A_DAY && (tries & (tries - 1)) === 0;
		if (early || tries % TRIES_A_DAY === 0) this.#writeStep(slot);
		return tries;
	}

	/** Sets bits of `Flag`, durably when they are new. */
	setFlags(id: number, flags: number): void {
		const slot = this.#slot(id);
		if ((this.index.flags[slot] & flags) === flags) return;
		this.index.flags[slot] |= flags;
		this.#writeStep(slot);
	}

	/** @throws {CodedError} "missing" when its records were dropped */
	intent(id: number): Intent {
		return decodeIntent(this.#record, 0, this.#load(id, this.index.intentAt[this.#slot(id)]));
	}

	/** The sealed card of an intent, opened. @throws {CodedError} "missing" | "auth" */
	card(id: number): StoredCard {
		const byteLength = this.#load(id, this.index.intentAt[this.#slot(id)]);
		intentNonce(this.#nonce, this.journal.id, this.journal.generation, id);
		const sealed = this.#record.slice(INTENT_CLEAR_BYTES, byteLength);
		const plain = this.#seal.open(sealed, this.#nonce, this.#record.subarray(0, INTENT_CLEAR_BYTES));
		const card = unpackCard(plain);
		plain.fill(0);
		return card;
	}

	/** What the host said, or undefined before it did. */
	outcome(id: number): Outcome | undefined {
		const position = this.index.outcomeAt[this.#slot(id)];
		if (position === NOWHERE) return undefined;
		return decodeOutcome(this.#record, 0, this.#load(id, position));
	}

	/** Reason code of the reversal, two spaces where there is none. */
	reason(id: number): string {
		const position = this.index.stepAt[this.#slot(id)];
		if (position === NOWHERE) return NO_REASON;
		return decodeStep(this.#record, 0, this.#load(id, position)).reason;
	}

	reset(): void {
		this.#replay.reset();
	}

	visit(type: number, position: number, bytes: Uint8Array, start: number, byteLength: number): void {
		this.#replay.visit(type, position, bytes, start, byteLength);
	}

	isLive(type: number, position: number, bytes: Uint8Array, start: number): boolean {
		const { index } = this;
		if (type === TransactionRecord.reserved) return position === this.#counters.reservedAt;
		const slot = index.find(readU32(bytes, start));
		if (slot < 0) return false;
		this.#askedSlot = slot;
		// The newest transaction stays: its record carries the STAN counter. Of other spent ones the end stays as long as
		// a copy of the intent stands behind it, or the intent alone would be a doubt again.
		if (isSpent(index.states[slot]) && index.ids[slot] !== index.newestId) {
			return index.intentLast[slot] !== 0 && position === index.lastAt(slot);
		}
		return position === index.intentAt[slot] || position === index.outcomeAt[slot] || position === index.stepAt[slot];
	}

	moved(from: number, to: number): void {
		const { index } = this;
		if (this.#counters.reservedAt === from) this.#counters.reservedAt = to;
		if (this.#askedSlot < index.count && index.moved(this.#askedSlot, from, to)) return;
		for (let slot = 0; slot < index.count; slot++) if (index.moved(slot, from, to)) return;
	}

	#idAt(slot: number): number {
		return slot < 0 ? 0 : this.index.ids[slot];
	}

	#slot(id: number): number {
		const slot = this.index.find(id);
		assert(slot >= 0, `I3 transaction ${id} is known`);
		return slot;
	}

	/** Reads a record into #record and makes sure that it is still this transaction's. */
	#load(id: number, position: number): number {
		const gone = () => new CodedError("missing", `transaction ${id}`, "its records were dropped");
		if (position === NOWHERE) throw gone();
		const byteLength = this.journal.read(position, this.#record);
		if (byteLength < 4 || readU32(this.#record, 0) !== id) throw gone();
		return byteLength;
	}

	#persist(slot: number, step: Step, to: State, flags: number, outcome: Outcome = NO_OUTCOME): void {
		const { index } = this;
		const id = index.ids[slot];
		const bytes = this.#record;
		if (step.persist === "outcome") {
			encodeOutcome(bytes, id, index.steps[slot] + 1, to, outcome);
			this.#appendState(slot, TransactionRecord.outcome, OUTCOME_BYTES);
		} else if (step.persist === "step") {
			const record = { reason: step.reason ?? this.reason(id), tries: index.tries[slot], flags };
			encodeStep(bytes, id, index.steps[slot] + 1, to, record);
			this.#appendState(slot, TransactionRecord.step, STEP_BYTES);
		}
	}

	#writeStep(slot: number): void {
		const { index } = this;
		const id = index.ids[slot];
		const record = { reason: this.reason(id), tries: index.tries[slot], flags: index.flags[slot] };
		encodeStep(this.#record, id, index.steps[slot] + 1, index.states[slot], record);
		this.#appendState(slot, TransactionRecord.step, STEP_BYTES);
	}

	#appendState(slot: number, type: number, byteLength: number): void {
		const { index } = this;
		const position = this.journal.append(type, this.#record, byteLength);
		index.steps[slot] += 1;
		if (type === TransactionRecord.outcome) index.outcomeAt[slot] = position;
		else index.stepAt[slot] = position;
		index.intentLast[slot] = 0;
	}

	#nextId(): number {
		const counters = this.#counters;
		const id = counters.idMax + 1;
		if (id > ID_MAX) throw new CodedError("overflow", "transaction id", "provision again");
		if (id > counters.idReserved) {
			const reserved = counters.idMax + ID_CHUNK;
			writeU32(this.#record, 0, reserved);
			counters.takeReserved(reserved, this.journal.append(TransactionRecord.reserved, this.#record, 4));
		}
		counters.idMax = id;
		return id;
	}

	/** Runs on across batches and boots; after its wrap it passes over what is still live (I4). */
	#nextStan(): number {
		let stan = this.#counters.stanMax;
		for (let tries = 0; tries <= this.index.count; tries++) {
			stan = (stan % STAN_MAX) + 1;
			if (this.index.findStan(stan) < 0) return stan;
		}
		throw new CodedError("full", "STAN", "all numbers are in use");
	}
}
