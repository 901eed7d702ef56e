/**
 * What is released but not yet seen posted: recorded is not credited, and the transaction's own records go with its batch. A
 * watch keeps what 402 and a case need, until the posting is seen.
 *
 * Type 14, one record for up to 15 watches of one batch, a group; the greatest version of a group counts, and one without
 * watches ends it. Numbers big-endian:
 *
 * | at | bytes | what |
 * |---|---|---|
 * | 0 | 1 | format, 1 |
 * | 1 | 4 | group id |
 * | 5 | 2 | version, from 1; compared as a signed difference |
 * | 7 | 3 | batch |
 * | 10 | 1 | watches that follow, 0: it is over |
 *
 * and for each watch, 26 bytes: STAN 3 · kind 1, bit 7: carried over the release · amount 6 BCD · RRN 12 ASCII, spaces for none · due 4, host seconds, 0: at once.
 *
 * Why an old version cannot come back: a record is copied only while it is the newest of its group, so that in the log all
 * that is left of a version stands before the next one; and the journal drops the oldest first. What is over is dead at
 * once, as nothing that it ends can outlive it. For the same reason a group id may begin again at 1 when no record of any
 * group is left: a mount sees every one that is, and goes on above it.
 * @module
 */
import { assert } from "../core/assert";
import { readBcd, writeBcd } from "../core/bcd";
import { readAscii, readU16, readU24, readU32, writeAscii, writeU16, writeU24, writeU32 } from "../core/bytes";
import { CodedError } from "../core/errors";
import { type AppendRecord, coarseBytes, type RecordKeeper } from "../transactions/record-keeper";
import { unlessGone } from "../transactions/record-reader";
import type { CaseJournal } from "./cases";
import { isDueS } from "./due";
import type { SyncParts } from "./sync-parts";

export const WATCH_RECORD_TYPE = 14;
const TYPES: readonly number[] = [WATCH_RECORD_TYPE];
/** Watches at most. */
export const WATCHES_MAX = 256;
/** Watches of one record. */
export const GROUP_MAX = 15;

/**
 * Bit of a watch's kind: it was under way when its batch was released. How it ended the journal knows, while it has it;
 * after that a sale is one that was reversed, and an advice one that the host has taken.
 */
export const CARRIED_KIND = 0x80;

const FORMAT = 1;
const HEAD_BYTES = 11;
const ENTRY_BYTES = 26;
const RRN_CHARACTERS = 12;
const RECORD_BYTES_MAX = HEAD_BYTES + GROUP_MAX * ENTRY_BYTES;
/** Where a record has what. */
const GROUP_AT = 1;
const VERSION_AT = 5;
const BATCH_AT = 7;
const COUNT_AT = 10;
/** Where a watch has what. */
const KIND_AT = 3;
const AMOUNT_AT = 4;
const RRN_AT = 10;
const DUE_AT = 22;

/** One transaction of a released batch. */
export interface Watch {
	stan: number;
	kind: number;
	amountMinor: number;
	/** 12 characters, or empty. */
	rrn: string;
	/** When it should be posted, host seconds; 0: at once. */
	dueS: number;
}

export interface KnownWatch extends Watch {
	batch: number;
}

/** As many watches as a journal of this size can hold beside what else it needs. */
export function watchesFor(journalBytes: number): number {
	return Math.max(GROUP_MAX, Math.min(WATCHES_MAX, GROUP_MAX * Math.floor(journalBytes / 16 / newBytes(GROUP_MAX))));
}

export class Watches implements RecordKeeper {
	readonly capacity: number;
	count = 0;
	readonly #journal: CaseJournal;
	/** In the order in which they were begun, or read; those of a group have one position. */
	readonly #stans: Uint32Array;
	readonly #batches: Uint32Array;
	readonly #dues: Uint32Array;
	readonly #groups: Uint32Array;
	readonly #versions: Uint16Array;
	readonly #positions: Uint32Array;
	/** Ascending: what a walk goes by. */
	readonly #serials: Uint32Array;
	readonly #arrays: readonly (Uint32Array | Uint16Array)[];
	readonly #record = new Uint8Array(RECORD_BYTES_MAX);
	#groupMax = 0;
	#serialMax = 0;

	constructor(journal: CaseJournal, capacity: number = WATCHES_MAX) {
		assert(capacity >= 1 && capacity <= WATCHES_MAX, "I10 watches are bounded");
		this.#journal = journal;
		this.capacity = capacity;
		this.#stans = new Uint32Array(capacity);
		this.#batches = new Uint32Array(capacity);
		this.#dues = new Uint32Array(capacity);
		this.#groups = new Uint32Array(capacity);
		this.#versions = new Uint16Array(capacity);
		this.#positions = new Uint32Array(capacity);
		this.#serials = new Uint32Array(capacity);
		this.#arrays = [
			this.#stans,
			this.#batches,
			this.#dues,
			this.#groups,
			this.#versions,
			this.#positions,
			this.#serials,
		];
	}

	get types(): readonly number[] {
		return TYPES;
	}

	/** Bytes of the arrays and the record, whatever is watched. */
	get ramBytes(): number {
		let bytes = RECORD_BYTES_MAX;
		for (const array of this.#arrays) bytes += array.byteLength;
		return bytes;
	}

	/** How many more fit. */
	get room(): number {
		return this.capacity - this.count;
	}

	/**
	 * Each group its next version, which is the shorter one, and its copy at a settlement; and a settlement that fills all
	 * places with watches.
	 */
	get roomBytes(): number {
		let bytes = 0;
		for (let at = 0; at < this.count; ) {
			const entries = this.groupEnd(at) - at;
			bytes += 2 * coarseBytes(HEAD_BYTES + entries * ENTRY_BYTES);
			at += entries;
		}
		return bytes + newBytes(this.room);
	}

	/**
	 * Durable when it returns, record by record: cut, some of them are, and the same call goes on, as what is watched already
	 * is passed over.
	 * @returns false when they do not all fit: then nothing is written
	 * @throws {CodedError} "full" | "flash" from the journal; "range" | "length" | "charset" for what a watch does not hold
	 */
	add(batch: number, watches: readonly Watch[]): boolean {
		const fresh = watches.filter(({ stan }, at) => {
			const first = watches.findIndex((other) => other.stan === stan) === at;
			return first && this.find(batch, stan) < 0;
		});
		if (fresh.length > this.room) return false;
		for (let from = 0; from < fresh.length; from += GROUP_MAX) {
			this.addGroup(batch, fresh.slice(from, from + GROUP_MAX));
		}
		return true;
	}

	/** The posting is seen, or a case has taken it over: durable when it returns. @returns false: it was not watched */
	done(batch: number, stan: number): boolean {
		return this.doneAll(batch, [stan]) > 0;
	}

	/** Several of one batch: a record for each group that they are of. @returns how many were watched */
	doneAll(batch: number, stans: readonly number[]): number {
		let done = 0;
		for (let at = 0; at < this.count; ) {
			const entries = this.groupEnd(at) - at;
			if (this.#batches[at] !== batch) {
				at += entries;
				continue;
			}
			const left = this.rewrite(at, entries, stans);
			done += entries - left;
			at += left;
		}
		return done;
	}

	/**
	 * One step through all, in the order of their beginning. What comes and goes between two steps does not disturb it.
	 * @param after - 0 to begin
	 * @returns what {@link get} takes, 0 at the end
	 */
	next(after: number): number {
		for (let at = 0; at < this.count; at++) if (this.#serials[at] > after) return this.#serials[at];
		return 0;
	}

	/** The next one that is due. @param nowS - host seconds, 0 while they are not known @returns 0 at the end */
	nextDue(nowS: number, after: number): number {
		for (let at = 0; at < this.count; at++) {
			if (this.#serials[at] > after && isDueS(this.#dues[at], nowS)) return this.#serials[at];
		}
		return 0;
	}

	/** Those that were due at `beforeS`, host seconds: nobody has been able to ask. */
	countDue(beforeS: number): number {
		let count = 0;
		for (let at = 0; at < this.count; at++) if (this.#dues[at] !== 0 && this.#dues[at] <= beforeS) count++;
		return count;
	}

	/** Looked at again not before then; in memory only, as nothing is lost by looking at it after a boot. */
	postpone(serial: number, dueS: number): void {
		const at = this.#serials.subarray(0, this.count).indexOf(serial);
		if (at >= 0) this.#dues[at] = dueS;
	}

	/** Read from flash. @throws {CodedError} "missing" for one that is done, "damaged" */
	get(serial: number): KnownWatch {
		const at = this.#serials.subarray(0, this.count).indexOf(serial);
		if (at < 0) throw new CodedError("missing", `watch ${serial}`);
		const { batch, watches } = this.load(at);
		const watch = watches.find(({ stan }) => stan === this.#stans[at]);
		if (watch === undefined) throw new CodedError("damaged", `watch ${serial}`, "flash holds another group");
		return { batch, ...watch, dueS: this.#dues[at] };
	}

	has(batch: number, stan: number): boolean {
		return this.find(batch, stan) >= 0;
	}

	reset(): void {
		this.count = 0;
		this.#groupMax = 0;
		this.#serialMax = 0;
	}

	visit(_type: number, position: number, bytes: Uint8Array, start: number, byteLength: number): void {
		const count = checkGroup(bytes, start, byteLength);
		const group = readU32(bytes, start + GROUP_AT);
		const version = readU16(bytes, start + VERSION_AT);
		this.#groupMax = Math.max(this.#groupMax, group);
		const at = this.groupAt(group);
		if (at >= 0) {
			// Of two with one version the first was never acknowledged; or it is a copy.
			if ((version - this.#versions[at]) << 16 < 0) return;
			this.remove(at, this.groupEnd(at) - at);
		}
		if (count > this.room) {
			throw new CodedError("full", "watches", `flash holds more than the ${this.capacity} of the configuration`);
		}
		this.note(position, bytes, start, count);
	}

	mounted(): void {
		// Nothing to do: what is watched belongs to no transaction that is known here.
	}

	isLive(_type: number, position: number, bytes: Uint8Array, start: number): boolean {
		const at = this.groupAt(readU32(bytes, start + GROUP_AT));
		return at >= 0 && this.#positions[at] === position;
	}

	moved(from: number, to: number): boolean {
		let found = false;
		for (let at = 0; at < this.count; at++) {
			if (this.#positions[at] !== from) continue;
			this.#positions[at] = to;
			found = true;
		}
		return found;
	}

	carry(append: AppendRecord): void {
		for (let at = 0; at < this.count; ) {
			const end = this.groupEnd(at);
			const byteLength = this.#journal.read(this.#positions[at], this.#record);
			const position = append(WATCH_RECORD_TYPE, this.#record, byteLength);
			for (; at < end; at++) this.#positions[at] = position;
		}
	}

	private addGroup(batch: number, watches: readonly Watch[]): void {
		assert(this.#groupMax < 0xffff_ffff, "I4 group ids do not come round");
		const position = this.write(this.#groupMax + 1, 1, batch, watches);
		this.#groupMax++;
		this.note(position, this.#record, 0, watches.length);
	}

	/** Writes a group again without some of its watches. @returns how many are left */
	private rewrite(at: number, entries: number, stans: readonly number[]): number {
		let some = false;
		for (let n = at; n < at + entries; n++) some ||= stans.includes(this.#stans[n]);
		if (!some) return entries;
		const { group, version, batch, watches } = this.load(at);
		const left = watches.filter(({ stan }) => !stans.includes(stan));
		// A reclaim may move its record before this one is written: what is there then is the same, elsewhere.
		const position = this.write(group, (version + 1) & 0xffff, batch, left);
		for (let n = at + entries - 1; n >= at; n--) if (stans.includes(this.#stans[n])) this.remove(n, 1);
		for (let n = at; n < at + left.length; n++) {
			this.#positions[n] = position;
			this.#versions[n] = (version + 1) & 0xffff;
		}
		return left.length;
	}

	/** @returns its position */
	private write(group: number, version: number, batch: number, watches: readonly Watch[]): number {
		const bytes = this.#record;
		bytes[0] = FORMAT;
		writeU32(bytes, GROUP_AT, group);
		writeU16(bytes, VERSION_AT, version);
		writeU24(bytes, BATCH_AT, sixDigits(batch, "watch batch"));
		bytes[COUNT_AT] = watches.length;
		for (let n = 0; n < watches.length; n++) writeWatch(bytes, HEAD_BYTES + n * ENTRY_BYTES, watches[n]);
		return this.#journal.append(WATCH_RECORD_TYPE, bytes, HEAD_BYTES + watches.length * ENTRY_BYTES);
	}

	/** The group of the watch at `at`, from flash. */
	private load(at: number): { group: number; version: number; batch: number; watches: Watch[] } {
		const bytes = this.#record;
		const count = checkGroup(bytes, 0, this.#journal.read(this.#positions[at], bytes));
		const group = readU32(bytes, GROUP_AT);
		if (group !== this.#groups[at]) throw new CodedError("damaged", "watch record", "flash holds another group");
		const watches: Watch[] = [];
		for (let n = 0; n < count; n++) watches.push(readWatch(bytes, HEAD_BYTES + n * ENTRY_BYTES));
		return { group, version: readU16(bytes, VERSION_AT), batch: readU24(bytes, BATCH_AT), watches };
	}

	private note(position: number, bytes: Uint8Array, start: number, count: number): void {
		for (let n = 0; n < count; n++) {
			const at = this.count++;
			const entry = start + HEAD_BYTES + n * ENTRY_BYTES;
			this.#stans[at] = readU24(bytes, entry);
			this.#batches[at] = readU24(bytes, start + BATCH_AT);
			this.#dues[at] = readU32(bytes, entry + DUE_AT);
			this.#groups[at] = readU32(bytes, start + GROUP_AT);
			this.#versions[at] = readU16(bytes, start + VERSION_AT);
			this.#positions[at] = position;
			this.#serials[at] = ++this.#serialMax;
		}
	}

	private remove(at: number, entries: number): void {
		for (const array of this.#arrays) array.copyWithin(at, at + entries, this.count);
		this.count -= entries;
	}

	private find(batch: number, stan: number): number {
		for (let at = 0; at < this.count; at++) {
			if (this.#stans[at] === stan && this.#batches[at] === batch) return at;
		}
		return -1;
	}

	/** The first watch of a group, −1 when it has none. */
	private groupAt(group: number): number {
		for (let at = 0; at < this.count; at++) if (this.#groups[at] === group) return at;
		return -1;
	}

	/** Behind the last watch of the group that begins at `at`: they stand together. */
	private groupEnd(at: number): number {
		let end = at + 1;
		while (end < this.count && this.#groups[end] === this.#groups[at]) end++;
		return end;
	}
}

/** Journal bytes of so many new watches: their first records, and the copies that the mark of the same settlement takes. */
function newBytes(watches: number): number {
	const full = Math.floor(watches / GROUP_MAX);
	const rest = watches % GROUP_MAX;
	const last = rest === 0 ? 0 : coarseBytes(HEAD_BYTES + rest * ENTRY_BYTES);
	return 2 * (full * coarseBytes(RECORD_BYTES_MAX) + last);
}

/** @returns watches that follow @throws {CodedError} "newer" | "length" for a record that no firmware up to this one wrote */
function checkGroup(bytes: Uint8Array, start: number, byteLength: number): number {
	if (byteLength > 0 && bytes[start] !== FORMAT) throw new CodedError("newer", "watch record", "unknown format");
	const count = byteLength < HEAD_BYTES ? -1 : bytes[start + COUNT_AT];
	if (count < 0 || count > GROUP_MAX || byteLength !== HEAD_BYTES + count * ENTRY_BYTES) {
		throw new CodedError("length", "watch record", `${byteLength} bytes`);
	}
	return count;
}

function writeWatch(bytes: Uint8Array, at: number, watch: Watch): void {
	const { stan, kind, amountMinor, rrn, dueS } = watch;
	if (!Number.isInteger(kind) || kind < 0 || kind > 0xff) throw new CodedError("range", "watch kind");
	if (!Number.isInteger(dueS) || dueS < 0 || dueS > 0xffff_ffff) throw new CodedError("range", "watch due");
	if (rrn.length > RRN_CHARACTERS) throw new CodedError("length", "watch RRN");
	writeU24(bytes, at, sixDigits(stan, "watch STAN"));
	bytes[at + KIND_AT] = kind;
	writeBcd(bytes, at + AMOUNT_AT, amountMinor, 12, "watch amount");
	bytes.fill(0x20, at + RRN_AT, at + RRN_AT + RRN_CHARACTERS);
	writeAscii(bytes, at + RRN_AT, rrn, "watch RRN");
	writeU32(bytes, at + DUE_AT, dueS);
}

function readWatch(bytes: Uint8Array, at: number): Watch {
	return {
		stan: readU24(bytes, at),
		kind: bytes[at + KIND_AT],
		amountMinor: readBcd(bytes, at + AMOUNT_AT, 6, "watch amount"),
		rrn: readAscii(bytes, at + RRN_AT, at + RRN_AT + RRN_CHARACTERS).trim(),
		dueS: readU32(bytes, at + DUE_AT),
	};
}

function sixDigits(value: number, place: string): number {
	if (!Number.isInteger(value) || value < 1 || value > 999_999) throw new CodedError("range", place);
	return value;
}

/** A watch of a transaction of the journal, due when the host should have posted it. */
export function watchOf({ log, config, hostTime }: SyncParts, id: number): Watch {
	const { index } = log;
	const slot = index.find(id);
	assert(slot >= 0, "I7 what is watched is in the journal until then");
	const outcome = unlessGone(() => log.outcome(id));
	const atMs = outcome === undefined ? undefined : hostTime.at(outcome.hostTime);
	const dueS = atMs === undefined ? 0 : Math.ceil((atMs + config.postingDueMs) / 1_000);
	const rrn = outcome?.rrn ?? "";
	return { stan: index.stans[slot], kind: index.kind(slot), amountMinor: index.amount(slot), rrn, dueS };
}
