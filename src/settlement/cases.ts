/**
 * The cases of this terminal on the journal, under the transaction log: open ones until they are closed, the last closed
 * ones as long as there is a place for them. In memory is where each stands, in typed arrays (I10); the rest is read from
 * flash.
 *
 * Invariants
 * - A change is durable before it is told or acted on (I2). Each is one record with the whole case and a greater version.
 * - An open case never makes way, nor does a closed one that a comparison goes by, as money was given back or the
 *   difference was decided, while its batch may still be compared: forgotten, the same difference would be found anew, and
 *   a remedy begun for what is settled. Of all others the oldest does, the newest never, so that its number is not given
 *   again (I4).
 * - What has made way stays away, or comes back closed at a boot, and never open: a record is copied only while it is the
 *   newest version, so that in the log, whatever was copied, all that is left of an older version stands before the newer
 *   one; and the journal drops the oldest first. So the last record to go is the one that closed it.
 * @module
 */

import { assert } from "../core/assert";
import { readU16, readU24, readU32, writeU16, writeU32 } from "../core/bytes";
import { CodedError } from "../core/errors";
import { addAmount } from "../core/money";
import type { RandomSource } from "../ports";
import { type AppendRecord, coarseBytes, type RecordKeeper } from "../transactions/record-keeper";
import { type CaseChanges, changeCase, type NewCase, newCase, stampCase } from "./case-change";
import { CaseIndex, Lasting, type LiveBatches } from "./case-index";
import {
	CASE_RECORD_BYTES,
	CASE_RECORD_TYPE,
	CaseAt,
	type CaseRecord,
	checkCase,
	decodeCase,
	encodeCase,
	REQUEST_ID_BYTES,
	RequestState,
} from "./case-records";
import {
	type CaseAct,
	type CaseStateName,
	type CaseStep,
	caseStateName,
	type Event,
	isMoving,
	isOpen,
	Outcome,
	TABLE,
} from "./case-states";
import { NEVER_DUE } from "./due";
import type { CaseRow } from "./finding";
import { BEGIN_EVENTS, type NextStep } from "./remedies";

/** Open ones at most; a journal of few blocks gets fewer. */
export const CASES_OPEN_MAX = 64;
/** Closed ones that are kept. */
export const CASES_CLOSED_MAX = 64;
/** Of a record at the coarsest alignment. */
const RECORD_ROOM_BYTES = coarseBytes(CASE_RECORD_BYTES);
/**
 * I8: what an open case may need though nothing else gets room: its next version, perhaps the one that closes it, and once
 * more at a settlement. Each version makes the one before it dead, so that a reclaim gains what the next one takes.
 */
const OPEN_ROOM_BYTES = 2 * RECORD_ROOM_BYTES;
/** One that is not yet found, beside that its first record. */
const NEW_ROOM_BYTES = 3 * RECORD_ROOM_BYTES;
/** The part of a journal that is needed here. */
export interface CaseJournal {
	append(type: number, payload: Uint8Array, byteLength?: number): number;
	read(position: number, out: Uint8Array): number;
}

/** As many open cases as a journal of this size can always close, with sales beside them. */
export function openCasesFor(journalBytes: number, most: number = CASES_OPEN_MAX): number {
	return Math.max(2, Math.min(most, CASES_OPEN_MAX, Math.floor(journalBytes / 16 / NEW_ROOM_BYTES)));
}

export interface CasesOptions {
	/** 1 to {@link CASES_OPEN_MAX}. */
	openMax?: number;
	/** 1 to {@link CASES_CLOSED_MAX}; as many as open ones by default. */
	closedMax?: number;
	/** Of which batches a comparison may still come, asked when flash has been read: the transaction log. */
	batches: LiveBatches;
}

/** By uptime. */
const HOLD_S_MAX = 3_600;

const TYPES: readonly number[] = [CASE_RECORD_TYPE];

export class Cases implements RecordKeeper {
	/** A change is durable, and in `get`. */
	onChange: ((id: number, event: Event, state: CaseStateName) => void) | undefined;
	readonly #journal: CaseJournal;
	readonly #index: CaseIndex;
	readonly #record = new Uint8Array(CASE_RECORD_BYTES);
	#idMax = 0;

	constructor(journal: CaseJournal, options: CasesOptions) {
		const { openMax = CASES_OPEN_MAX, closedMax = openMax } = options;
		assert(openMax >= 1 && openMax <= CASES_OPEN_MAX, "I10 open cases are bounded");
		assert(closedMax >= 1 && closedMax <= CASES_CLOSED_MAX, "I10 closed cases are bounded");
		this.#journal = journal;
		this.#index = new CaseIndex(openMax, closedMax, options.batches);
	}

	get types(): readonly number[] {
		return TYPES;
	}

	/** Bytes of the arrays and the record, whatever is open. */
	get ramBytes(): number {
		return this.#index.ramBytes + CASE_RECORD_BYTES;
	}

	/** Cases known, open and closed. */
	get count(): number {
		return this.#index.count;
	}

	get openCount(): number {
		return this.#index.openCount;
	}

	/** Open cases of a row. */
	countOpen(row: CaseRow): number {
		return this.#index.countOpen(row);
	}

	/** Open cases whose request the host has promised to decide by `beforeS`, host seconds, and has not. */
	countPromised(beforeS: number): number {
		return this.#index.countPromised(beforeS);
	}

	/** True when no case can be opened: open ones have all places, or {@link isHeld}. */
	get isFull(): boolean {
		return this.openCount >= this.#index.openMax || this.isHeld;
	}

	/** True when nobody can make a place by closing a case: only the release of a batch does. */
	get isHeld(): boolean {
		return this.#index.isHeld;
	}

	/**
	 * I8, for whatever a new sale leads to: every open case its next version and its copy at a settlement, every closed one
	 * that copy, and as many new ones as there are places for their first record, one more, and the copy.
	 */
	get roomBytes(): number {
		const { openCount, closedCount, openMax, closedMax } = this.#index;
		const places = Math.max(0, openMax - openCount - Math.max(0, closedCount - closedMax));
		return openCount * OPEN_ROOM_BYTES + closedCount * RECORD_ROOM_BYTES + places * NEW_ROOM_BYTES;
	}

	/**
	 * Durable when it returns. What is open already for the same transaction and row stays as it is.
	 * @param nowS - host seconds, 0 while they are not known
	 * @returns its id; 0 when there is no place. A batch as a whole, "unbalanced", has one where {@link isHeld}
	 * @throws {CodedError} "full" | "flash" from the journal; "range" | "length" | "charset" for what a case does not hold
	 */
	open(found: NewCase, nowS: number): number {
		const { row, batch, stan } = found;
		const known = this.findOpen(batch, stan, row);
		if (known !== 0) return known;
		if (this.isFull && !(row === "unbalanced" && this.#index.hasOneMore)) return 0;
		assert(this.#idMax < 0xffff_ffff, "I4 case ids do not come round");
		const id = this.#idMax + 1;
		const record = newCase(found, id, nowS);
		const position = this.write(record, "opened", nowS);
		this.#idMax = id;
		const slot = this.#index.add(id);
		this.#index.batches[slot] = batch;
		this.#index.stans[slot] = stan;
		this.note(slot, record, position);
		this.#index.makeWay(id);
		this.onChange?.(id, "opened", "found");
		return id;
	}

	/** The whole case, read from flash. @throws {CodedError} "missing" for none that is known, "damaged" */
	get(id: number): CaseRecord {
		const slot = this.#index.find(id);
		if (slot < 0) throw new CodedError("missing", `case ${id}`);
		const byteLength = this.#journal.read(this.#index.positions[slot], this.#record);
		const record = decodeCase(this.#record, 0, byteLength);
		if (record.id !== id) throw new CodedError("damaged", `case ${id}`, "flash holds another record");
		return record;
	}

	/** Does a case in its state take this event? @returns false also for one that is not known */
	takes(id: number, event: Event): boolean {
		const slot = this.#index.find(id);
		return slot >= 0 && this.step(slot, event) !== undefined;
	}

	/**
	 * Takes a case through the table: durable first, then the caller acts (I2). What follows from the event by itself is
	 * written with it: state and outcome, what is known of the request, the operator's answer, what was given back.
	 * @param nowS - host seconds, 0 while they are not known
	 * @returns what to do
	 * @throws {CodedError} "full" | "flash"; "damaged" when flash has lost the case; as {@link open} for changes
	 */
	apply(id: number, event: Event, nowS: number, changes: CaseChanges = {}): CaseAct {
		const slot = this.slot(id);
		const step = this.step(slot, event);
		assert(step !== undefined, `case ${id}: ${caseStateName(this.#index.states[slot])} takes no ${event}`);
		const { dueS, ...lasting } = changes;
		if (step.durable || Object.keys(lasting).length > 0) {
			const record = this.get(id);
			changeCase(record, event, step, changes);
			const position = this.write(record, event, nowS);
			this.note(slot, record, position);
			this.#index.makeWay(id);
			this.onChange?.(id, event, step.to);
		} else if (dueS !== undefined) this.#index.dues[slot] = dueS;
		return step.act;
	}

	/** Begins the step that remedies.ts gives; see {@link apply}. */
	beginStep(id: number, next: NextStep, nowS: number, changes: CaseChanges = {}): CaseAct {
		const { step, number, turn } = next;
		const turns = Math.min(0xff, this.get(id).turns + (turn ? 1 : 0));
		return this.apply(id, BEGIN_EVENTS[step.kind], nowS, { tries: 0, ...changes, step: number, turns });
	}

	/** Looked at again not before then; in memory only, as nothing is lost by looking at it after a boot. */
	postpone(id: number, dueS: number): void {
		const slot = this.slot(id);
		this.#index.dues[slot] = dueS;
	}

	/** The same by uptime, an hour at most: the host's clock may say something else at each answer. @param waitMs - 0: no longer */
	hold(id: number, waitMs: number, uptimeMs: number): void {
		const waitS = Math.min(HOLD_S_MAX, Math.ceil(waitMs / 1_000));
		this.#index.holds[this.slot(id)] = waitS === 0 ? 0 : (Math.ceil(uptimeMs / 1_000) + waitS) & 0xffff || 1;
	}

	/** Uptime until which it is held, ms; 0: it is not. */
	heldMs(id: number, uptimeMs: number): number {
		const slot = this.#index.find(id);
		if (slot < 0 || this.#index.holds[slot] === 0) return 0;
		const nowS = Math.floor(uptimeMs / 1_000);
		const leftS = (this.#index.holds[slot] - nowS) & 0xffff;
		return leftS === 0 || leftS > HOLD_S_MAX + 1 ? 0 : (nowS + leftS) * 1_000;
	}

	/** The host says nothing to its request, or says something again. */
	silent(id: number, is: boolean, uptimeMs: number): void {
		const { silents } = this.#index;
		const slot = this.slot(id);
		if (!is) silents[slot] = 0;
		else if (silents[slot] === 0) silents[slot] = Math.floor(uptimeMs / 60_000) & 0xffff || 1;
	}

	/** For how long it has said nothing, ms; 0: it does, or for less than a minute. Of 45 days at most. */
	silentMs(id: number, uptimeMs: number): number {
		const since = this.#index.silents[this.slot(id)];
		return since === 0 ? 0 : ((Math.floor(uptimeMs / 60_000) - since) & 0xffff) * 60_000;
	}

	/**
	 * An id for the next request of a case, never used before (I4): the number of the case and the version that will carry it
	 * come once, and ten bytes of chance tell this journal from any other of the same terminal.
	 */
	newRequestId(id: number, random: RandomSource): Uint8Array {
		const slot = this.slot(id);
		const bytes = new Uint8Array(REQUEST_ID_BYTES);
		random.fill(bytes);
		writeU32(bytes, 0, id);
		writeU16(bytes, 4, (this.#index.versions[slot] + 1) & 0xffff);
		return bytes;
	}

	/** Number of its state; 0 when it is not known. */
	state(id: number): number {
		const slot = this.#index.find(id);
		return slot < 0 ? 0 : this.#index.states[slot];
	}

	/** Batch of its transaction; 0 when it is not known. */
	batch(id: number): number {
		const slot = this.#index.find(id);
		return slot < 0 ? 0 : this.#index.batches[slot];
	}

	/** STAN of its transaction; 0 when it is not known. */
	stan(id: number): number {
		const slot = this.#index.find(id);
		return slot < 0 ? 0 : this.#index.stans[slot];
	}

	/** When it is looked at next, host seconds; 0: at once. */
	dueS(id: number): number {
		const slot = this.#index.find(id);
		return slot < 0 ? NEVER_DUE : this.#index.dues[slot];
	}

	/** The next known case, open or closed, in the order of their numbers. @param after - 0 to begin @returns 0 at the end */
	next(after: number): number {
		return this.idAt(this.#index.firstFrom(after + 1));
	}

	/** The next open one. @param after - 0 to begin @returns 0 at the end */
	nextOpen(after: number): number {
		return this.idAt(this.#index.nextDue(NEVER_DUE, after));
	}

	/** The next open one of a transaction. @param row - of that row only @returns 0 when there is none */
	findOpen(batch: number, stan: number, row?: CaseRow, after = 0): number {
		return this.idAt(this.#index.nextOf(batch, stan, row, true, after));
	}

	/** The same, whether open or closed: what was asked once is not asked again. */
	findAny(batch: number, stan: number, row?: CaseRow, after = 0): number {
		return this.idAt(this.#index.nextOf(batch, stan, row, false, after));
	}

	/**
	 * True when people, or the table, have had the last word about this difference: it is not found once more, though the
	 * books go on to differ.
	 */
	isDecided(batch: number, stan: number, row: CaseRow): boolean {
		const index = this.#index;
		for (let id = this.findAny(batch, stan, row); id !== 0; id = this.findAny(batch, stan, row, id)) {
			if ((index.lasting[index.find(id)] & Lasting.decided) !== 0) return true;
		}
		return false;
	}

	/**
	 * The case whose remedy is on its way for a transaction, or may be: no other is begun while there is one.
	 * @returns 0 when there is none
	 */
	movingOf(batch: number, stan: number): number {
		for (let id = this.findOpen(batch, stan); id !== 0; id = this.findOpen(batch, stan, undefined, id)) {
			if (isMoving(this.state(id))) return id;
		}
		return 0;
	}

	/**
	 * The next open one that is due. Times that are not known yet, 0, count as "at once".
	 * @param nowS - host seconds, 0 while they are not known: then only what is due at once
	 * @returns 0 at the end
	 */
	dueBefore(nowS: number, after = 0): number {
		return this.idAt(this.#index.nextDue(nowS, after));
	}

	/**
	 * What requests of its cases have had given back to the card: the sale stands for less by as much.
	 * @throws {CodedError} "damaged" when flash has lost the case
	 */
	creditedMinor(batch: number, stan: number): number {
		const index = this.#index;
		let sumMinor = 0;
		for (let id = this.findAny(batch, stan); id !== 0; id = this.findAny(batch, stan, undefined, id)) {
			if ((index.lasting[index.find(id)] & Lasting.credited) === 0) continue;
			sumMinor = addAmount(sumMinor, this.get(id).creditedMinor, "case credits");
		}
		return sumMinor;
	}

	reset(): void {
		this.#index.clear();
		this.#idMax = 0;
	}

	visit(_type: number, position: number, bytes: Uint8Array, start: number, byteLength: number): void {
		checkCase(bytes, start, byteLength);
		const index = this.#index;
		const id = readU32(bytes, start + CaseAt.id);
		const version = readU16(bytes, start + CaseAt.version);
		this.#idMax = Math.max(this.#idMax, id, readU32(bytes, start + CaseAt.idMax));
		let slot = index.find(id);
		// Of two with one version the first was never acknowledged; or it is a copy.
		if (slot >= 0 && (version - index.versions[slot]) << 16 < 0) return;
		if (slot < 0) {
			index.makeWayUnread();
			slot = index.add(id);
		}
		index.batches[slot] = readU24(bytes, start + CaseAt.batch);
		index.stans[slot] = readU24(bytes, start + CaseAt.stan);
		index.versions[slot] = version;
		index.rows[slot] = bytes[start + CaseAt.row];
		index.dues[slot] = readU32(bytes, start + CaseAt.due);
		index.positions[slot] = position;
		index.promises[slot] = promiseS(
			bytes[start + CaseAt.state],
			bytes[start + CaseAt.requestState],
			readU32(bytes, start + CaseAt.expected),
		);
		index.lasting[slot] = lastingOf(!isZero(bytes, start + CaseAt.credited, 6), bytes[start + CaseAt.outcome]);
		index.setState(slot, bytes[start + CaseAt.state]);
		if (index.openCount > index.openMax) {
			throw new CodedError("full", "cases", `flash holds more than the ${index.openMax} of the configuration`);
		}
	}

	mounted(): void {
		this.#index.makeWay();
	}

	isLive(_type: number, position: number, bytes: Uint8Array, start: number): boolean {
		const slot = this.#index.find(readU32(bytes, start + CaseAt.id));
		return slot >= 0 && this.#index.positions[slot] === position;
	}

	moved(from: number, to: number): boolean {
		return this.#index.moved(from, to);
	}

	carry(append: AppendRecord): void {
		const { count, positions } = this.#index;
		for (let slot = 0; slot < count; slot++) {
			const byteLength = this.#journal.read(positions[slot], this.#record);
			positions[slot] = append(CASE_RECORD_TYPE, this.#record, byteLength);
		}
	}

	private slot(id: number): number {
		const slot = this.#index.find(id);
		assert(slot >= 0, `case ${id} is known`);
		return slot;
	}

	private idAt(slot: number): number {
		return slot < 0 || slot >= this.#index.count ? 0 : this.#index.ids[slot];
	}

	private step(slot: number, event: Event): CaseStep | undefined {
		const state = caseStateName(this.#index.states[slot]);
		assert(state !== undefined, `case ${this.#index.ids[slot]} has a state`);
		return TABLE[state][event];
	}

	/** Nothing is noted before it is durable. @returns its position */
	private write(record: CaseRecord, event: Event, nowS: number): number {
		stampCase(record, event, nowS);
		record.idMax = Math.max(this.#idMax, record.id);
		encodeCase(this.#record, record);
		return this.#journal.append(CASE_RECORD_TYPE, this.#record, CASE_RECORD_BYTES);
	}

	private note(slot: number, record: CaseRecord, position: number): void {
		const index = this.#index;
		index.versions[slot] = record.version;
		index.rows[slot] = record.row;
		index.dues[slot] = record.dueS;
		index.promises[slot] = promiseS(record.state, record.requestState, record.expectedS);
		index.lasting[slot] = lastingOf(record.creditedMinor > 0, record.outcome);
		index.positions[slot] = position;
		index.setState(slot, record.state);
	}
}

/** By when the host has promised to decide; 0 where nothing of it is undecided. */
function promiseS(state: number, requestState: number, expectedS: number): number {
	const undecided = requestState !== RequestState.none && requestState < RequestState.refused;
	return undecided && isOpen(state) ? expectedS : 0;
}

function lastingOf(credited: boolean, outcome: number): number {
	const decided = outcome !== Outcome.open && outcome !== Outcome.agreed;
	return (credited ? Lasting.credited : 0) | (decided ? Lasting.decided : 0);
}

function isZero(bytes: Uint8Array, start: number, byteLength: number): boolean {
	for (let at = start; at < start + byteLength; at++) if (bytes[at] !== 0) return false;
	return true;
}
