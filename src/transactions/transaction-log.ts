/**
 * Transactions on the journal: intents, what became of them, and the counters that never go back (I1–I4).
 * Every change of state goes through {@link TransactionLog.apply} and is durable when it returns.
 * @module
 */
import { assert } from "../core/assert";
import { readU32, writeU32 } from "../core/bytes";
import { CodedError } from "../core/errors";
import { addAmount } from "../core/money";
import { RecordType } from "../journal/format";
import { Journal, type JournalClient, type MountResult } from "../journal/journal";
import type { FlashPartition } from "../ports";
import { type CardSeal, packCard, type StoredCard, unpackCard } from "../security/card-seal";
import {
	decodeIntent,
	decodeMark,
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
import { type Act, type Event, isDoubt, isSpent, State, stateName, TABLE } from "./states";
import { NOWHERE, TransactionIndex } from "./transaction-index";

const STAN_MAX = 999_999;
/** Ids are taken in chunks: one small record for each, and no id is used again after a torn intent. */
const ID_CHUNK = 64;
const ID_MAX = 0xffff_ff00;
/** All that one transaction may still write after its intent, in journal bytes: outcome, steps, tries at powers of two. */
const ROOM_BYTES = 640;
/** What a reversal that was accepted once may still write. */
const UNCONFIRMED_ROOM_BYTES = 320;
/** At the greatest interval of five minutes. */
const TRIES_A_DAY = 288;
const NO_REASON = "  ";

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
	#batch = 0;
	#idMax = 0;
	#idReserved = 0;
	#stanMax = 0;
	#stanMaxId = 0;
	#reservedAt = NOWHERE;
	/** Records of a kind this firmware does not know; they are kept out of the way. */
	unknownRecords = 0;

	/** @throws {CodedError} "format" when the partition can not hold a journal */
	constructor(flash: FlashPartition, transactionsMax: number, seal: CardSeal) {
		this.#seal = seal;
		this.index = new TransactionIndex(transactionsMax);
		this.journal = new Journal(flash, this);
	}

	/** Makes the partition an empty journal for `batch`; see Journal.provision. */
	provision(journalId: number, batch: number): void {
		this.journal.provision(journalId, encodeMark({ batch, idMax: 0, stanMax: 0 }));
	}

	/** Reads what is there; writes nothing. */
	mount(): MountResult {
		const result = this.journal.mount();
		if (result.status !== "ok") return result;
		const { index } = this;
		for (let slot = index.count - 1; slot >= 0; slot--) {
			// The intent of a spent transaction was reclaimed; what it became went with the next block.
			if (index.intentAt[slot] === NOWHERE) index.remove(slot);
		}
		this.#idReserved = Math.max(this.#idReserved, this.#idMax);
		this.#idMax = this.#idReserved; // Ids that were reserved may have been used.
		return result;
	}

	get batch(): number {
		return this.#batch;
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

	/** Sales that count for the batch: all that are not spent. */
	get batchSales(): number {
		let count = 0;
		for (let slot = 0; slot < this.index.count; slot++) if (!isSpent(this.index.states[slot])) count++;
		return count;
	}

	/** True when cards can be sealed: without it no intent can be written. */
	get sealReady(): boolean {
		return this.#seal.ready();
	}

	/** Room for one more sale and all that is open, and a block erased ahead (I8). */
	prepare(): boolean {
		let unconfirmed = 0;
		for (let slot = 0; slot < this.index.count; slot++)
			if (this.index.states[slot] === State.unconfirmed) unconfirmed++;
		const bytes = ROOM_BYTES * (this.doubts + 2) + UNCONFIRMED_ROOM_BYTES * unconfirmed;
		return this.index.hasRoom && this.journal.prepare(bytes);
	}

	/**
	 * Makes the intent of a sale durable (I1).
	 * @returns its id; the STAN is in the index
	 * @throws {CodedError} "full" | "flash" from the journal, "length" | "charset" for a card it cannot hold
	 */
	begin(sale: NewSale, card: StoredCard): number {
		const id = this.#nextId();
		const stan = this.#nextStan();
		const intent: Intent = {
			...sale,
			id,
			stan,
			kind: KIND_SALE,
			batch: this.#batch,
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
		const slot = this.index.add(id);
		this.index.stans[slot] = stan;
		this.index.states[slot] = State.waiting;
		this.index.amounts[slot] = sale.amountMinor;
		this.index.intentAt[slot] = position;
		this.#stanMax = stan;
		this.#stanMaxId = id;
		return id;
	}

	/**
	 * Takes a transaction through the table: durable first, then the index, then the caller acts (I2).
	 * @returns what to do; "none" for an event that changes nothing
	 */
	apply(id: number, event: Event, facts: EventFacts = {}): Act {
		const { index } = this;
		const slot = this.#slot(id);
		const from = stateName(index.states[slot]);
		assert(from !== undefined, `I3 stan=${index.stans[slot]} has a state`);
		const step = TABLE[from][event];
		assert(step !== undefined, `I5 stan=${index.stans[slot]} ${from} takes no ${event}`);
		const flags = index.flags[slot] | (facts.flags ?? 0);
		if (step.persist === "outcome") {
			const outcome = facts.outcome ?? { code: NO_REASON, rrn: "", authorization: "", hostTime: "0000000000" };
			encodeOutcome(this.#record, id, index.steps[slot] + 1, State[step.to], outcome);
			this.#appendState(id, TransactionRecord.outcome, OUTCOME_BYTES);
		} else if (step.persist === "step") {
			const reason = step.reason ?? this.reason(id);
			const record = { reason, tries: index.tries[slot], flags };
			encodeStep(this.#record, id, index.steps[slot] + 1, State[step.to], record);
			this.#appendState(id, TransactionRecord.step, STEP_BYTES);
		}
		const now = this.#slot(id);
		index.states[now] = State[step.to];
		index.flags[now] = flags;
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
		this.index.clear();
		this.#batch = 0;
		this.#idMax = 0;
		this.#idReserved = 0;
		this.#stanMax = 0;
		this.#stanMaxId = 0;
		this.#reservedAt = NOWHERE;
		this.unknownRecords = 0;
	}

	visit(type: number, position: number, bytes: Uint8Array, start: number, byteLength: number): void {
		const { index } = this;
		if (type === RecordType.mark) {
			const mark = decodeMark(bytes, start, byteLength);
			this.#batch = mark.batch;
			this.#idMax = Math.max(this.#idMax, mark.idMax);
			if (mark.idMax >= this.#stanMaxId && mark.stanMax > 0) {
				this.#stanMax = mark.stanMax;
				this.#stanMaxId = mark.idMax;
			}
			return;
		}
		if (byteLength < 4) {
			this.unknownRecords++;
			return;
		}
		const id = readU32(bytes, start);
		if (type === TransactionRecord.reserved) {
			this.#idReserved = Math.max(this.#idReserved, id);
			this.#reservedAt = position;
			return;
		}
		const known = type >= TransactionRecord.intent && type <= TransactionRecord.step;
		if (!known) {
			this.unknownRecords++;
			return;
		}
		const found = index.find(id);
		if (found < 0 && !index.hasRoom) {
			throw new CodedError("full", "transactions", `flash holds more than the ${index.capacity} of the configuration`);
		}
		const slot = found >= 0 ? found : index.add(id);
		if (type === TransactionRecord.intent) {
			const intent = decodeIntent(bytes, start, byteLength);
			index.stans[slot] = intent.stan;
			index.amounts[slot] = intent.amountMinor;
			index.intentAt[slot] = position;
			index.intentLast[slot] = index.states[slot] === 0 ? 0 : 1;
			if (index.states[slot] === 0) index.states[slot] = State.waiting;
			this.#idMax = Math.max(this.#idMax, id);
			if (id >= this.#stanMaxId) {
				this.#stanMax = intent.stan;
				this.#stanMaxId = id;
			}
			return;
		}
		if (stateName(bytes[start + 5]) === undefined) throw new CodedError("newer", `transaction ${id}`, "unknown state");
		const step = bytes[start + 4];
		// Copies may stand in any order: the later step wins, and the comparison survives the wrap of a byte.
		const later = index.steps[slot] === 0 || (step - index.steps[slot]) << 24 >= 0;
		if (type === TransactionRecord.outcome) index.outcomeAt[slot] = position;
		else if (later || index.stepAt[slot] === NOWHERE) {
			const record = decodeStep(bytes, start, byteLength);
			index.stepAt[slot] = position;
			index.flags[slot] = record.flags;
			index.tries[slot] = record.tries;
		}
		if (later) {
			index.steps[slot] = step;
			index.states[slot] = bytes[start + 5];
			index.intentLast[slot] = 0;
		}
	}

	isLive(type: number, position: number, bytes: Uint8Array, start: number): boolean {
		const { index } = this;
		if (type === TransactionRecord.reserved) return position === this.#reservedAt;
		const slot = index.find(readU32(bytes, start));
		if (slot < 0) return false;
		// The newest transaction stays: its record carries the STAN counter. Of other spent ones the end stays as long as
		// a copy of the intent stands behind it, or the intent alone would be a doubt again.
		if (isSpent(index.states[slot]) && index.ids[slot] !== this.#stanMaxId) {
			return index.intentLast[slot] !== 0 && position === index.lastAt(slot);
		}
		return position === index.intentAt[slot] || position === index.outcomeAt[slot] || position === index.stepAt[slot];
	}

	moved(from: number, to: number): void {
		if (this.#reservedAt === from) this.#reservedAt = to;
		this.index.moved(from, to);
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

	#writeStep(slot: number): void {
		const { index } = this;
		const id = index.ids[slot];
		const record = { reason: this.reason(id), tries: index.tries[slot], flags: index.flags[slot] };
		encodeStep(this.#record, id, index.steps[slot] + 1, index.states[slot], record);
		this.#appendState(id, TransactionRecord.step, STEP_BYTES);
	}

	#appendState(id: number, type: number, byteLength: number): void {
		const position = this.journal.append(type, this.#record, byteLength);
		const slot = this.#slot(id);
		this.index.steps[slot] += 1;
		if (type === TransactionRecord.outcome) this.index.outcomeAt[slot] = position;
		else this.index.stepAt[slot] = position;
		this.index.intentLast[slot] = 0;
	}

	#nextId(): number {
		const id = this.#idMax + 1;
		if (id > ID_MAX) throw new CodedError("overflow", "transaction id", "provision again");
		if (id > this.#idReserved) {
			writeU32(this.#record, 0, this.#idMax + ID_CHUNK);
			this.#reservedAt = this.journal.append(TransactionRecord.reserved, this.#record, 4);
			this.#idReserved = this.#idMax + ID_CHUNK;
		}
		this.#idMax = id;
		return id;
	}

	/** Runs on across batches and boots; after its wrap it passes over what is still live (I4). */
	#nextStan(): number {
		let stan = this.#stanMax;
		for (let tries = 0; tries <= this.index.capacity; tries++) {
			stan = (stan % STAN_MAX) + 1;
			if (this.index.findStan(stan) < 0) return stan;
		}
		throw new CodedError("full", "STAN", "all numbers are in use");
	}
}
