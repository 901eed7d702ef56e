/**
 * Transactions on the journal: intents, what became of them, and the counters that never go back (I1–I4).
 * Every change of state goes through {@link TransactionLog.apply} and is durable when it returns.
 * @module
 */
import { assert } from "../core/assert";
import { readU32 } from "../core/bytes";
import { CodedError } from "../core/errors";
import { addAmount } from "../core/money";
import type { JournalClient, MountResult } from "../journal/client";
import { Journal } from "../journal/journal";
import type { FlashPartition } from "../ports";
import type { CardSeal, StoredCard } from "../security/card-seal";
import { Counters, isAhead, isBatch, type SettledUpTo } from "./counters";
import { IntentWriter, type NewAdvice, type NewSale } from "./intent-writer";
import { LogReplay } from "./log-replay";
import {
	type AdviceFacts,
	decodeAdvice,
	decodeIntent,
	decodeOutcome,
	decodeStep,
	encodeMark,
	encodeOutcome,
	encodeStep,
	type Intent,
	isAdvice,
	KIND_OFFLINE_SALE,
	OUTCOME_BYTES,
	OUTCOME_FLAGS_AT,
	type Outcome,
	RECORD_BYTES_MAX,
	STEP_BYTES,
	TransactionRecord,
} from "./records";
import { roomBytes } from "./room";
import { SealedRecord } from "./sealed-record";
import { type SettleRefusal, Settler } from "./settler";
import { type Act, type Event, isDoubt, isSpent, State, type StateName, type Step, stateName, TABLE } from "./states";
import { NOWHERE, TransactionIndex } from "./transaction-index";

/** At the greatest interval of five minutes. */
const TRIES_A_DAY = 288;
const NO_REASON = "  ";
const NO_OUTCOME: Outcome = { code: NO_REASON, rrn: "", authorization: "", hostTime: "0000000000" };

export type { NewAdvice, NewSale } from "./intent-writer";

/** Facts that go with an event. */
export interface EventFacts {
	outcome?: Outcome;
	/** Bits of `Flag` to set. */
	flags?: number;
}

export class TransactionLog implements JournalClient {
	readonly journal: Journal;
	readonly index: TransactionIndex;
	/** Told of each event that a transaction has taken, once what it makes durable is: for who watches from outside. */
	onTransition: ((id: number, from: StateName, event: Event, to: StateName) => void) | undefined;
	readonly #seal: CardSeal;
	readonly #record = new Uint8Array(RECORD_BYTES_MAX);
	readonly #sealed: SealedRecord;
	readonly #counters = new Counters();
	readonly #replay: LogReplay;
	readonly #settler: Settler;
	readonly #intents: IntentWriter;
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
		this.#sealed = new SealedRecord(seal, this.journal, this.#record);
		this.#intents = new IntentWriter(this.journal, this.index, this.#counters, this.#sealed, this.#record);
		const load = (id: number, position: number) => this.#load(id, position);
		this.#settler = new Settler(this.journal, this.index, this.#counters, this.#record, load);
	}

	/**
	 * Makes the partition an empty journal; see Journal.provision.
	 * @param batch - 1 to 999999; 0: the host has still to give it, and nothing is begun before (I4)
	 * @throws {CodedError} "range"
	 */
	provision(journalId: number, batch: number): void {
		if (batch !== 0 && !isBatch(batch)) throw new CodedError("range", "batch");
		const mark = { batch, idMax: 0, stanMax: 0, idReserved: 0, settledBatch: 0, stanReserved: 0 };
		this.journal.provision(journalId, encodeMark(mark));
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

	/** What new sales carry in DE 60.2; 0 while the host has still to give it. */
	get batch(): number {
		return this.#counters.batch;
	}

	/**
	 * True when the mount has read a settlement mark. One that is lost is not to be taken for a terminal that has no batch
	 * yet: it carries counters that nothing else does (I4).
	 */
	get markSeen(): boolean {
		return this.#counters.markSeen;
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

	/**
	 * The movement that is under way for an original: its own sale or reversal, or an advice that belongs to it. While
	 * there is one, no other is begun.
	 * @returns its id, 0 when there is none. O(n), and one record where there is one
	 * @throws {CodedError} "damaged" when flash has lost that record
	 */
	openMovementOf(batch: number, stan: number): number {
		const { index } = this;
		for (let slot = 0; slot < index.count; slot++) {
			slot = index.nextUnderWay(batch, stan, slot);
			if (slot < 0) return 0;
			if (this.#belongsTo(slot, batch, stan)) return index.ids[slot];
		}
		return 0;
	}

	/** Advices that the host has still to be told. */
	get forwarding(): number {
		const { states, count } = this.index;
		let forwarding = 0;
		for (let slot = 0; slot < count; slot++) if (states[slot] === State.forwarding) forwarding++;
		return forwarding;
	}

	/** True when cards can be sealed: without it no intent can be written. */
	get sealReady(): boolean {
		return this.#seal.ready();
	}

	/** Room for one more sale and all that is open, and a block erased ahead (I8). */
	prepare(): boolean {
		// In this order: making room on flash may move records, so that a transaction can not make way just now.
		return this.journal.prepare(roomBytes(this.index)) && this.index.hasRoom;
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
	 * Takes the batch that the host gives at sign-on: durable when it returns, with every counter as it was. Cut anywhere,
	 * the old one holds or the new one.
	 * @param batch - 1 to 999999
	 * @returns "refused" when something was begun in the open batch, which then goes on, and for the batch settled last
	 * and those before it: a batch that is settled is closed at the host for good
	 * @throws {CodedError} "range"; "full" | "flash"; "damaged" | "missing" when flash has lost what must be carried
	 */
	adoptBatch(batch: number): "adopted" | "same" | "refused" {
		if (!isBatch(batch)) throw new CodedError("range", "batch");
		const counters = this.#counters;
		if (batch === counters.batch) return "same";
		if (!isAhead(batch, counters.settled.batch) || !counters.batchIsUntouched) return "refused";
		this.#settler.adopt(batch);
		return "adopted";
	}

	/**
	 * A STAN for a message that no record carries: sign-on, settlement, sync. Reserved durably in chunks (I4); within a
	 * chunk nothing is written.
	 * @throws {CodedError} "full" without room for the reservation | "overflow" | "flash"
	 */
	takeStan(): number {
		return this.#intents.takeStan();
	}

	/**
	 * Makes the intent of a sale durable (I1).
	 * @returns its id; the STAN is in the index
	 * @throws {CodedError} "full" | "flash" from the journal, "length" | "charset" for a card it cannot hold
	 */
	begin(sale: NewSale, card: StoredCard): number {
		return this.#intents.begin(sale, card);
	}

	/**
	 * Makes an advice durable, in one record: whole, or it never was (I1). From here on it is due until the host answers
	 * it.
	 * @param emv - DE 55 of an offline sale, 1 to 255 bytes, borrowed; on flash only sealed
	 * @returns its id; the STAN is in the index
	 * @throws {CodedError} as {@link begin}; "range" | "length" | "charset" for facts that no advice can have
	 */
	beginAdvice(advice: NewAdvice, card: StoredCard, emv?: Uint8Array): number {
		return this.#intents.beginAdvice(advice, card, emv);
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
		this.onTransition?.(id, from, event, step.to);
		return step.act;
	}

	/** One more try of a reversal or an advice; durable at powers of two, then about daily. */
	noteTry(id: number): number {
		const { index } = this;
		const slot = this.#slot(id);
		const tries = Math.min(0xffff, index.tries[slot] + 1);
		index.tries[slot] = tries;
		const early = tries < TRIES_A_DAY && (tries & (tries - 1)) === 0;
		// An advice is mostly answered at once: its first try is not worth a record.
		if (tries === 1 && index.states[slot] === State.forwarding) return tries;
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
		return this.#sealed.card(id, this.#load(id, this.index.intentAt[this.#slot(id)]));
	}

	/** What an advice has beyond its intent. @throws {CodedError} "missing"; "length" for what is none */
	advice(id: number): AdviceFacts {
		return decodeAdvice(this.#record, 0, this.#load(id, this.index.intentAt[this.#slot(id)]));
	}

	/**
	 * The sealed chip data of an offline sale, opened; undefined where there are none.
	 * @returns bytes that the caller zeroes after use
	 * @throws {CodedError} "missing" | "auth"
	 */
	adviceEmv(id: number): Uint8Array | undefined {
		return this.#sealed.emv(id, this.#load(id, this.index.intentAt[this.#slot(id)]));
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

	/** Its own key, or that of a refund's or resend's original: the index knows a part of that only. */
	#belongsTo(slot: number, batch: number, stan: number): boolean {
		const { index } = this;
		const kind = index.kind(slot);
		if (!isAdvice(kind) || kind === KIND_OFFLINE_SALE) return index.batch(slot) === batch && index.stans[slot] === stan;
		const { originalBatch, originalStan } = this.advice(index.ids[slot]);
		return originalBatch === batch && originalStan === stan;
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
			encodeOutcome(bytes, id, index.steps[slot] + 1, to, outcome, flags);
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
		if (type === TransactionRecord.outcome) {
			index.outcomeAt[slot] = position;
			index.endsSteps(slot, this.#record[OUTCOME_FLAGS_AT]);
		} else index.stepAt[slot] = position;
		index.intentLast[slot] = 0;
	}
}
