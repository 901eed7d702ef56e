/**
 * Transactions on the journal: intents, what became of them, and the counters that never go back (I1–I4).
 * Every change of state goes through {@link TransactionLog.apply} and is durable when it returns.
 * @module
 */
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
import { type RecordKeeper, RecordKeepers } from "./record-keeper";
import { RecordReader } from "./record-reader";
import {
	type AdviceFacts,
	type Closing,
	encodeMark,
	Flag,
	type Intent,
	isAdvice,
	KIND_OFFLINE_SALE,
	KIND_REFUND,
	KIND_RESEND,
	type Outcome,
	RECORD_BYTES_MAX,
	TransactionRecord,
} from "./records";
import { liveBytes, roomBytes, SALE_BYTES } from "./room";
import { SealedRecord } from "./sealed-record";
import { type MarkWitness, type SettleRefusal, Settler } from "./settler";
import { type Act, type Event, isAtRest, isDoubt, isSpent, State, type StateName } from "./states";
import { TransactionIndex } from "./transaction-index";
import { type EventFacts, type ReverseAgainRefusal, Transitions } from "./transitions";

export type { NewAdvice, NewSale } from "./intent-writer";
export type { EventFacts, ReverseAgainRefusal } from "./transitions";

const NO_FACTS: EventFacts = {};
/** What makes a movement somebody's business. */
const STUCK_FLAGS = Flag.reversalRefused | Flag.overdue | Flag.unsendable | Flag.amountDiffers;

export class TransactionLog implements JournalClient {
	readonly journal: Journal;
	readonly index: TransactionIndex;
	/** Told of each event that a transaction has taken, once what it makes durable is: for who watches from outside. */
	onTransition: ((id: number, from: StateName, event: Event, to: StateName) => void) | undefined;
	readonly #seal: CardSeal;
	readonly #counters = new Counters();
	readonly #replay: LogReplay;
	readonly #settler: Settler;
	readonly #intents: IntentWriter;
	readonly #keepers = new RecordKeepers();
	readonly #reader: RecordReader;
	readonly #transitions: Transitions;
	/** Slot that a reclaim asked about last: it is the one whose record moves, if any does. */
	#askedSlot = 0;

	/**
	 * @param mirror - a second partition of the same blocks, for a copy of everything
	 * @throws {CodedError} "format" when a partition can not hold a journal
	 */
	constructor(flash: FlashPartition, transactionsMax: number, seal: CardSeal, mirror?: FlashPartition) {
		this.#seal = seal;
		const record = new Uint8Array(RECORD_BYTES_MAX);
		const index = new TransactionIndex(transactionsMax);
		const counters = this.#counters;
		const journal = new Journal(flash, this, mirror);
		this.index = index;
		this.journal = journal;
		this.#replay = new LogReplay(index, counters);
		const sealed = new SealedRecord(seal, journal, record);
		const reader = new RecordReader(journal, index, sealed, record);
		this.#reader = reader;
		this.#intents = new IntentWriter(journal, index, counters, sealed, record);
		this.#settler = new Settler({
			journal,
			index,
			counters,
			intents: this.#intents,
			keepers: this.#keepers,
			reader,
			record,
		});
		this.#transitions = new Transitions({
			journal,
			index,
			counters,
			reader,
			record,
			owner: this,
		});
	}

	/** A movement that does not get through, or did not up to now, has changed: its flags, or its state. */
	onStuck: (() => void) | undefined;

	/**
	 * Records of these types are this keeper's: it is told of them as the log is of its own. Before the first mount; a type
	 * without a keeper is an unknown record.
	 */
	addKeeper(keeper: RecordKeeper): void {
		this.#keepers.add(keeper);
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
				// The second reading is for transactions only: keepers have had theirs.
				if (this.#keepers.of(type) === undefined) this.#replay.visit(type, position, bytes, start, byteLength);
			}),
		);
		this.#keepers.mounted();
		return result;
	}

	/**
	 * What new sales carry in DE 60.2; 0 while the host has still to give it. While a batch closes it is the one after it.
	 */
	get batch(): number {
		return this.#counters.batch;
	}

	/** The batch that closes: it gets no more sales, and the host has still to settle it. Survives any restart. */
	get closing(): Closing | undefined {
		return this.#counters.closing;
	}

	/** The open one, the one that closes, and any with a transaction that is still known. O(n) */
	isLiveBatch(batch: number): boolean {
		if (batch === this.batch || batch === this.closing?.batch) return true;
		return this.index.nextInBatch(batch, 0) >= 0;
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

	/** Both heads of the evidence chain at that mark; undefined at the beginning of a journal. */
	get markHeads(): Uint8Array | undefined {
		return this.#counters.heads;
	}

	/** Who gives the heads of the next mark, before the first one. */
	set markWitness(witness: MarkWitness) {
		this.#settler.witness = witness;
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
			if (isDoubt(this.index.states[slot])) sum = addAmount(sum, this.index.amount(slot), "doubts");
		}
		return sum;
	}

	/**
	 * Sales that count for the batch that is open for them: all of it that are not spent. A resend is no sale of its own:
	 * it stands for its original.
	 */
	get batchSales(): number {
		const { index, batch } = this;
		let count = 0;
		for (let slot = 0; slot < index.count; slot++) {
			const sale = index.batch(slot) === batch && index.kind(slot) !== KIND_RESEND;
			if (sale && !isSpent(index.states[slot])) count++;
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
		return this.idAt(this.index.findByStan(batch, stan));
	}

	/**
	 * One step through all that is not spent, in the order of selling. What comes and goes between two steps does not
	 * disturb it.
	 * @param after - the id of the step before, 0 to begin
	 * @returns an id, 0 at the end. O(log n), and what is passed over
	 */
	nextLive(after: number): number {
		return this.idAt(this.index.nextLive(after));
	}

	/**
	 * One step through all that is known of a batch, whatever became of it, in the order of selling: STANs ascend, and
	 * 1 follows 999999. Of a settled batch only what was carried forward is known.
	 * @param after - the id of the step before, 0 to begin
	 * @returns an id, 0 at the end. O(log n), and what is passed over
	 */
	nextInBatch(batch: number, after: number): number {
		return this.idAt(this.index.nextInBatch(batch, after));
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
			if (this.belongsTo(slot, batch, stan)) return index.ids[slot];
		}
		return 0;
	}

	/**
	 * True when a refund of this sale was taken by the host, in a batch that is not yet settled. O(n), and one record for each
	 * that may be one
	 * @throws {CodedError} "damaged" when flash has lost that record
	 */
	isRefunded(batch: number, stan: number): boolean {
		const { index } = this;
		for (let slot = index.nextForwarded(batch, stan, 0); slot >= 0; slot = index.nextForwarded(batch, stan, slot + 1)) {
			if (index.kind(slot) === KIND_REFUND && this.belongsTo(slot, batch, stan)) return true;
		}
		return false;
	}

	/** True when nothing is under way for the transaction in `slot`: what the host says of it now is its last word. */
	isAtRest(slot: number): boolean {
		return isAtRest(this.index.states[slot]);
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
		return this.prepareRoom() && this.index.hasRoom;
	}

	/**
	 * What of the journal is needed, of what it can give, per cent: live records and room for all that is open, one sale
	 * included, by the greatest lengths and the coarsest alignment; above 100 {@link prepare} may still find room. O(n)
	 */
	get usedPercent(): number {
		const neededBytes = liveBytes(this.index) + this.roomBytes;
		return Math.floor((neededBytes * 100) / Math.max(1, this.journal.usableBytes));
	}

	/**
	 * The same without a slot for the sale: for what is known already, and begins to write once more.
	 * @param moreSales - room for so many sales behind it
	 */
	prepareRoom(moreSales = 0): boolean {
		return this.journal.prepare(this.roomBytes + moreSales * SALE_BYTES);
	}

	/**
	 * Closes the batch that is open: durable when it returns, and from then on sales carry `nextBatch`. Nothing is
	 * settled yet: all of it stays until {@link release}. A batch without a sale closes as well.
	 * @param nextBatch - 1 to 999999, another than the open one: `batchAfter`
	 * @param nowMs - since 1970
	 * @returns why not, or undefined when it is durable
	 * @throws {CodedError} "range"; "state" while the host has given no batch; "overflow" | "flash"
	 */
	close(nextBatch: number, nowMs: number): SettleRefusal | undefined {
		return this.#settler.close(nextBatch, nowMs);
	}

	/**
	 * Settles the batch that closes. What a settlement carries forward stays, under its own batch, and so does what was
	 * sold in the next one but for what is spent; all else leaves flash and index with one mark. Cut anywhere, it has not
	 * happened or it has.
	 * @returns why not, or undefined when it is durable
	 * @throws {CodedError} "state" when none closes; "damaged" | "missing" when flash has lost what must be carried; "flash"
	 */
	release(): SettleRefusal | undefined {
		return this.#settler.release();
	}

	/**
	 * {@link close} and {@link release} with nothing between them: one mark, all or nothing.
	 * @param nextBatch - 1 to 999999, another than the open one
	 * @returns why not, or undefined when it is durable
	 * @throws {CodedError} "range"; "state"; "damaged" | "missing" when flash has lost what must be carried; "flash"
	 */
	settle(nextBatch: number): SettleRefusal | undefined {
		return this.#settler.settle(nextBatch);
	}

	/**
	 * Takes the batch that the host gives at sign-on: durable when it returns, with every counter as it was. Cut anywhere,
	 * the old one holds or the new one.
	 * @param batch - 1 to 999999
	 * @returns "refused" when something was begun in the open batch, which then goes on, and for the batch settled last
	 * and those before it: a batch that is settled is closed at the host for good. So while one is closing
	 * @throws {CodedError} "range"; "full" | "flash"; "damaged" | "missing" when flash has lost what must be carried
	 */
	adoptBatch(batch: number): "adopted" | "same" | "refused" {
		if (!isBatch(batch)) throw new CodedError("range", "batch");
		const counters = this.#counters;
		if (batch === counters.batch) return "same";
		if (counters.closing !== undefined || !counters.batchIsUntouched) return "refused";
		if (!isAhead(batch, counters.settled.batch)) return "refused";
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
	apply(id: number, event: Event, facts: EventFacts = NO_FACTS): Act {
		const act = this.#transitions.apply(id, event, facts);
		const slot = this.index.find(id);
		if (slot >= 0 && (this.index.flags[slot] & STUCK_FLAGS) !== 0) this.onStuck?.();
		return act;
	}

	/**
	 * Takes a transaction to "reversing" once more, for a host that holds a debit which must not be; only while its batch
	 * is not settled. It is due from then on as any reversal is: the caller has it sent.
	 * @returns why not, or undefined when it is durable
	 * @throws {CodedError} "damaged" when flash has lost its records; "flash"
	 */
	reverseAgain(id: number): ReverseAgainRefusal | undefined {
		return this.#transitions.reverseAgain(id);
	}

	/**
	 * One more try of a reversal or an advice; durable at powers of two, then about daily.
	 * @param flags - bits of `Flag` that go with it when it is
	 */
	noteTry(id: number, flags = 0): number {
		return this.#transitions.noteTry(id, flags);
	}

	/** Sets bits of `Flag`, durably when they are new. */
	setFlags(id: number, flags: number): void {
		this.#transitions.setFlags(id, flags);
		if ((flags & STUCK_FLAGS) !== 0) this.onStuck?.();
	}

	/** @throws {CodedError} "missing" when its records were dropped */
	intent(id: number): Intent {
		return this.#reader.intent(id);
	}

	/** The sealed card of an intent, opened. @throws {CodedError} "missing" | "auth" */
	card(id: number): StoredCard {
		return this.#reader.card(id);
	}

	/** What an advice has beyond its intent. @throws {CodedError} "missing"; "length" for what is none */
	advice(id: number): AdviceFacts {
		return this.#reader.advice(id);
	}

	/**
	 * The sealed chip data of an offline sale, opened; undefined where there are none.
	 * @returns bytes that the caller zeroes after use
	 * @throws {CodedError} "missing" | "auth"
	 */
	adviceEmv(id: number): Uint8Array | undefined {
		return this.#reader.emv(id);
	}

	/** What the host said, or undefined before it did. */
	outcome(id: number): Outcome | undefined {
		return this.#reader.outcome(id);
	}

	/** Reason code of the reversal, two spaces where there is none. */
	reason(id: number): string {
		return this.#reader.reason(id);
	}

	reset(): void {
		this.#replay.reset();
		this.#keepers.reset();
	}

	visit(type: number, position: number, bytes: Uint8Array, start: number, byteLength: number): void {
		const keeper = this.#keepers.of(type);
		if (keeper !== undefined) keeper.visit(type, position, bytes, start, byteLength);
		else this.#replay.visit(type, position, bytes, start, byteLength);
	}

	isLive(type: number, position: number, bytes: Uint8Array, start: number): boolean {
		const { index } = this;
		const keeper = this.#keepers.of(type);
		if (keeper !== undefined) return this.#keepers.isLive(keeper, type, position, bytes, start);
		if (type === TransactionRecord.reserved) return position === this.#counters.reservedAt;
		if (type === TransactionRecord.closing) return position === this.#counters.closingAt;
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
		if (this.#counters.closingAt === from) this.#counters.closingAt = to;
		if (this.#askedSlot < index.count && index.moved(this.#askedSlot, from, to)) return;
		if (this.#keepers.moved(from, to)) return;
		for (let slot = 0; slot < index.count; slot++) if (index.moved(slot, from, to)) return;
	}

	/** What all that is open, and one sale more, may still write. */
	private get roomBytes(): number {
		return roomBytes(this.index, this.#counters.closing?.id) + this.#keepers.roomBytes;
	}

	private idAt(slot: number): number {
		return slot < 0 ? 0 : this.index.ids[slot];
	}

	/** Its own key, or that of a refund's or resend's original: the index knows a part of that only. */
	private belongsTo(slot: number, batch: number, stan: number): boolean {
		const { index } = this;
		const kind = index.kind(slot);
		if (!isAdvice(kind) || kind === KIND_OFFLINE_SALE) return index.batch(slot) === batch && index.stans[slot] === stan;
		const { originalBatch, originalStan } = this.advice(index.ids[slot]);
		return originalBatch === batch && originalStan === stan;
	}
}
