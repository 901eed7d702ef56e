/**
 * Builds index and counters from the records of the log, in the order they stand in (DESIGN.md, "Reading the log").
 *
 * Flash may hold more spent transactions than the index: the oldest make way while reading. Where a record of one
 * that had made way turns up later, it may have been given up by what was only half of its story; then the log is read
 * a second time for those that are left (I3).
 * @module
 */
import { readU32 } from "../core/bytes";
import { CodedError } from "../core/errors";
import { RecordType } from "../journal/format";
import type { Counters } from "./counters";
import {
	decodeAdvice,
	decodeClosing,
	decodeIntent,
	decodeMark,
	decodeStep,
	INTENT_KIND_AT,
	isAdvice,
	KIND_SALE,
	OUTCOME_FLAGS_AT,
	reservedStan,
	TransactionRecord,
} from "./records";
import { firstState, stateName } from "./states";
import { NOWHERE, type TransactionIndex } from "./transaction-index";

export class LogReplay {
	readonly #index: TransactionIndex;
	readonly #counters: Counters;
	#records = 0;
	#again = false;
	/** A record came after its transaction had made way. */
	#tooEarly = false;
	/** Records of a kind this firmware does not know; they are kept out of the way. */
	unknownRecords = 0;

	constructor(index: TransactionIndex, counters: Counters) {
		this.#index = index;
		this.#counters = counters;
	}

	reset(): void {
		this.#index.clear();
		this.#counters.reset();
		this.#records = 0;
		this.#again = false;
		this.#tooEarly = false;
		this.unknownRecords = 0;
	}

	/**
	 * One record of the log, marks included.
	 * @throws {CodedError} "full" when more is open than the index holds, "newer" | "length" | "charset" for a record
	 * that no firmware up to this one has written
	 */
	visit(type: number, position: number, bytes: Uint8Array, start: number, byteLength: number): void {
		const index = this.#index;
		if (type === RecordType.mark) {
			this.#counters.readMark(decodeMark(bytes, start, byteLength));
			index.settledId = this.#counters.settled.id;
			this.noteNewest();
			return;
		}
		this.#records++;
		const known = type >= TransactionRecord.intent && type <= TransactionRecord.closing;
		if (byteLength < 4 || !known) {
			this.unknownRecords++;
			return;
		}
		if (type === TransactionRecord.closing) {
			this.#counters.readClosing(decodeClosing(bytes, start, byteLength), position);
			return;
		}
		const id = readU32(bytes, start);
		if (type === TransactionRecord.reserved) {
			this.#counters.readReserved(id, reservedStan(bytes, start, byteLength), position);
			return;
		}
		const slot = this.slot(id);
		if (slot < 0) return;
		const advice = type === TransactionRecord.advice;
		if (advice || type === TransactionRecord.intent) this.intent(slot, advice, position, bytes, start, byteLength);
		else this.end(slot, type, position, bytes, start, byteLength);
	}

	/**
	 * The log has been read: what is settled or spent and gone leaves the index.
	 * @param readAgain - visits every record but the marks once more
	 * @throws {CodedError} "damaged" when flash reads otherwise the second time: mount again
	 */
	finish(readAgain: () => void): void {
		const index = this.#index;
		if (this.#tooEarly) {
			const records = this.#records;
			index.removeAll((slot) => index.mayGo(slot));
			for (let slot = 0; slot < index.count; slot++) index.forget(slot);
			this.#records = 0;
			this.#again = true;
			this.unknownRecords = 0;
			readAgain();
			if (this.#records !== records) throw new CodedError("damaged", "transactions", "the log reads differently now");
		}
		// The intent of a spent transaction was reclaimed, what became of it goes with the next block; and what a
		// settlement has ended may have been copied while the settlement was written.
		index.removeAll((slot) => index.intentAt[slot] === NOWHERE || index.isSettled(slot));
		this.#counters.afterMount();
	}

	private get indexFull(): CodedError {
		return new CodedError(
			"full",
			"transactions",
			`flash holds more than the ${this.#index.capacity} of the configuration`,
		);
	}

	private slot(id: number): number {
		const index = this.#index;
		const found = index.find(id);
		if (found >= 0 || this.#again) return found;
		if (!index.takesMore) throw this.indexFull;
		if (id <= index.evictedIdMax) this.#tooEarly = true;
		return index.add(id);
	}

	private intent(
		slot: number,
		advice: boolean,
		position: number,
		bytes: Uint8Array,
		start: number,
		byteLength: number,
	): void {
		const index = this.#index;
		// Later firmware may know more kinds; taken for a sale they would be reversed.
		const kind = bytes[start + INTENT_KIND_AT];
		const known = advice ? isAdvice(kind) : kind === KIND_SALE;
		if (!known) throw new CodedError("newer", `transaction ${index.ids[slot]}`, "unknown kind");
		const intent = decodeIntent(bytes, start, byteLength);
		const original = advice ? decodeAdvice(bytes, start, byteLength) : undefined;
		index.stans[slot] = intent.stan;
		index.setAmount(slot, intent.amountMinor);
		index.setBatchKind(slot, intent.batch, intent.kind);
		index.setMovement(slot, original?.originalBatch || intent.batch, original?.originalStan || intent.stan);
		index.intentAt[slot] = position;
		index.intentLast[slot] = index.states[slot] === 0 ? 0 : 1;
		if (index.states[slot] === 0) index.states[slot] = firstState(intent.kind);
		this.#counters.readIntent(intent.id, intent.stan);
		this.noteNewest();
	}

	private end(
		slot: number,
		type: number,
		position: number,
		bytes: Uint8Array,
		start: number,
		byteLength: number,
	): void {
		const index = this.#index;
		const state = bytes[start + 5];
		if (stateName(state) === undefined) {
			throw new CodedError("newer", `transaction ${index.ids[slot]}`, "unknown state");
		}
		const step = bytes[start + 4];
		// Copies may stand in any order: the later step wins, and the comparison survives the wrap of a byte.
		const later = index.steps[slot] === 0 || (step - index.steps[slot]) << 24 >= 0;
		if (type === TransactionRecord.outcome) {
			index.outcomeAt[slot] = position;
			if (later) index.endsSteps(slot, bytes[start + OUTCOME_FLAGS_AT]);
		} else if (later) {
			const record = decodeStep(bytes, start, byteLength);
			index.stepAt[slot] = position;
			index.flags[slot] = record.flags;
			index.tries[slot] = record.tries;
		}
		if (later) {
			index.steps[slot] = step;
			index.states[slot] = state;
			index.intentLast[slot] = 0;
		}
	}

	/** A transaction behind the last settlement carries the STAN by itself. */
	private noteNewest(): void {
		const { stanMaxId, settled } = this.#counters;
		this.#index.newestId = stanMaxId > settled.id ? stanMaxId : 0;
	}
}
