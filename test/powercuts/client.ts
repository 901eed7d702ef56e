/**
 * The journal's client in the searches: things with an id and some bytes. A thing is put, put again with other bytes
 * (an update), ended, or settled: a thing belongs to a batch, and a mark says up to which batch everything is settled.
 * What is still needed then is carried forward first: put again as one of the next batch.
 */
import { readU16, readU32 } from "../../src/core/bytes";
import type { JournalClient } from "../../src/journal/client";
import { PAYLOAD_BYTES_MAX, RecordType } from "../../src/journal/format";
import { Failure } from "./failure";

/** A thing: id (4), batch (2), then its bytes. */
export const PUT = 8;
/** A thing has ended: id (4), then anything. */
export const END = 9;

export const THING_BYTES_MIN = 6;
export const BATCH_AT = 4;
/** What ends a thing: its id. */
export const END_BYTES_MIN = 4;
export const THING_BYTES_MAX = PAYLOAD_BYTES_MAX;
/** A mark: number of the mark (4), the batch that is settled with all before it (2), then anything. */
export const MARK_BYTES_MIN = 6;

/** The batch that a mark settles; 0 none. */
export function settledBatch(mark: Uint8Array): number {
	return mark.length < MARK_BYTES_MIN ? 0 : readU16(mark, 4);
}

export class Client implements JournalClient {
	/** Id → position. */
	readonly live = new Map<number, number>();
	/** Position of the record that was visited last: until a pin it may read differently the next time. */
	lastVisited = -1;
	/** Bytes of the newest mark. */
	mark = new Uint8Array(0);
	readonly #batches = new Map<number, number>(); // Id → batch, of ended things as well.
	#settled = 0;
	/** Position → id; made when a record moves for the first time, as most boots move none. */
	#ids: Map<number, number> | undefined;

	reset(): void {
		this.live.clear();
		this.lastVisited = -1;
		this.mark = new Uint8Array(0);
		this.#batches.clear();
		this.#settled = 0;
		this.#ids = undefined;
	}

	visit(type: number, position: number, bytes: Uint8Array, start: number, byteLength: number): void {
		this.lastVisited = position;
		if (type === PUT) this.put(readU32(bytes, start), readU16(bytes, start + BATCH_AT), position);
		else if (type === END) this.end(readU32(bytes, start));
		else if (type !== RecordType.mark) throw new Failure("resurrected", `a record of type ${type} that nobody wrote`);
		else this.settle(bytes.slice(start, start + byteLength));
	}

	isLive(type: number, position: number, bytes: Uint8Array, start: number): boolean {
		return type === PUT && this.live.get(readU32(bytes, start)) === position;
	}

	moved(from: number, to: number): void {
		if (this.#ids === undefined) {
			this.#ids = new Map();
			for (const [id, position] of this.live) this.#ids.set(position, id);
		}
		const id = this.#ids.get(from);
		if (id !== undefined) this.#place(id, to);
	}

	put(id: number, batch: number, position: number): void {
		this.#batches.set(id, batch);
		this.#place(id, position);
	}

	end(id: number): void {
		this.#ids?.delete(this.live.get(id) ?? -1);
		this.live.delete(id);
	}

	settle(mark: Uint8Array<ArrayBuffer>): void {
		this.mark = mark;
		const batch = settledBatch(mark);
		// Every reclaim writes the mark again: most of those that are read settle nothing more.
		if (batch <= this.#settled) return;
		this.#settled = batch;
		for (const id of this.live.keys()) if ((this.#batches.get(id) ?? 0) <= batch) this.end(id);
	}

	#place(id: number, position: number): void {
		if (this.#ids !== undefined) {
			const before = this.live.get(id);
			if (before !== undefined) this.#ids.delete(before);
			this.#ids.set(position, id);
		}
		this.live.set(id, position);
	}
}
