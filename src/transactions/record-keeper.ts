/**
 * Stores of other folders that live on the journal under the transaction log: each has record types of its own, says which
 * of its records are live, and carries them over a settlement as the log does its own (I3, I7).
 *
 * A keeper appends by `TransactionLog.journal.append`, outside of all calls below. Whatever order its records are read
 * in, and however often a copy of one, it must come to the same: a reclaim and a settlement that was cut both leave copies.
 * @module
 */
import { assert } from "../core/assert";
import { RecordType } from "../journal/format";
import { TransactionRecord } from "./records";

/** Appends one record of the keeper's own types; see Journal.append. @returns its position */
export type AppendRecord = (type: number, bytes: Uint8Array, byteLength: number) => number;

export interface RecordKeeper {
	/** Record types that are its own: from 14 to 62, and nobody else's. They never change. */
	readonly types: readonly number[];
	/**
	 * What it may still have to write so that all it has begun can end, what it carries at one settlement included: bytes
	 * of the journal at the coarsest alignment, see {@link coarseBytes}. Asked before each sale; cheap.
	 */
	readonly roomBytes: number;
	/** A mount begins to read, perhaps once more: forget what was visited. */
	reset(): void;
	/**
	 * One record at mount, in log order; the bytes are borrowed. Nothing may be appended.
	 * @throws {CodedError} "newer" | "length" | "charset" for a record that no firmware up to this one has written: the
	 * terminal does not sell then
	 */
	visit(type: number, position: number, bytes: Uint8Array, start: number, byteLength: number): void;
	/**
	 * The whole log was read, and the transactions are known, the counters and what is closing: what no longer belongs to
	 * anything may be forgotten. Nothing may be appended: what was read is provisional until Journal.pin.
	 */
	mounted(): void;
	/** May this record not be dropped? By its position: copies that are not the one remembered may go. Writes nothing. */
	isLive(type: number, position: number, bytes: Uint8Array, start: number): boolean;
	/** A record now stands elsewhere. @returns true when it was one of this keeper's */
	moved(from: number, to: number): boolean;
	/**
	 * A settlement, or a batch that the host gives, is being written: appends again whatever is still needed, and
	 * remembers the new positions; all that is older goes with the mark. It may come to no mark, and be called again.
	 * Appending may move records not yet carried; a position is good until the next append only.
	 * @throws {CodedError} what `append` throws, and "damaged" where flash has lost a record
	 */
	carry(append: AppendRecord): void;
}

/** Journal bytes of a record at the coarsest alignment of flash: its overhead is six bytes, and it is padded to 32. */
export function coarseBytes(payloadBytes: number): number {
	return (payloadBytes + 6 + 31) & ~31;
}

/** Who keeps what. */
export class RecordKeepers {
	readonly #all: RecordKeeper[] = [];
	/** By record type: which of them, from 1; 0 for none. */
	readonly #byType = new Uint8Array(RecordType.clientMax + 1);
	/** The one that a reclaim asked about last: if anything moves, it is that record. */
	#asked: RecordKeeper | undefined;

	/** Before the first mount. */
	add(keeper: RecordKeeper): void {
		for (const type of keeper.types) {
			const own = type > TransactionRecord.closing && type <= RecordType.clientMax;
			assert(own && this.#byType[type] === 0, `I7 record type ${type} is nobody's yet`);
			this.#byType[type] = this.#all.length + 1;
		}
		this.#all.push(keeper);
	}

	/** @returns whose records these are; undefined for nobody's */
	of(type: number): RecordKeeper | undefined {
		const place = this.#byType[type];
		return place === 0 ? undefined : this.#all[place - 1];
	}

	get roomBytes(): number {
		let bytes = 0;
		for (let at = 0; at < this.#all.length; at++) bytes += this.#all[at].roomBytes;
		return bytes;
	}

	reset(): void {
		for (const keeper of this.#all) keeper.reset();
	}

	mounted(): void {
		for (const keeper of this.#all) keeper.mounted();
	}

	/** See JournalClient.isLive. */
	isLive(keeper: RecordKeeper, type: number, position: number, bytes: Uint8Array, start: number): boolean {
		this.#asked = keeper;
		return keeper.isLive(type, position, bytes, start);
	}

	/** @returns true when a keeper had that record */
	moved(from: number, to: number): boolean {
		if (this.#asked?.moved(from, to)) return true;
		for (let at = 0; at < this.#all.length; at++) if (this.#all[at].moved(from, to)) return true;
		return false;
	}

	carry(append: AppendRecord): void {
		for (const keeper of this.#all) keeper.carry(append);
	}
}
