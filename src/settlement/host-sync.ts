/**
 * That this host knows the sync messages, durably: it has answered one under its own key. From then on its silence is a
 * line that loses frames, never a host that knows nothing of sync, and no batch is released on a bare 0510 because of it.
 *
 * Type 16, 1 byte: version 1. The newest counts; one is live.
 * @module
 */
import { CodedError } from "../core/errors";
import { type AppendRecord, coarseBytes, type RecordKeeper } from "../transactions/record-keeper";
import type { CaseJournal } from "./cases";

export const HOST_SYNC_RECORD_TYPE = 16;
const RECORD_BYTES = 1;
const VERSION = 1;
/** To be written, and its copy at a settlement. */
const ROOM_BYTES = 2 * coarseBytes(RECORD_BYTES);
const NOWHERE = -1;
const TYPES: readonly number[] = [HOST_SYNC_RECORD_TYPE];
/** Only ever read. */
const RECORD = Uint8Array.of(VERSION);

export class HostSync implements RecordKeeper {
	readonly #journal: CaseJournal;
	#position = NOWHERE;

	constructor(journal: CaseJournal) {
		this.#journal = journal;
	}

	get types(): readonly number[] {
		return TYPES;
	}

	get roomBytes(): number {
		return ROOM_BYTES;
	}

	get proven(): boolean {
		return this.#position !== NOWHERE;
	}

	/** A sync message was answered, and the answer is the host's. Durable when it returns. @throws {CodedError} "full" | "flash" */
	prove(): void {
		if (!this.proven) this.#position = this.#journal.append(HOST_SYNC_RECORD_TYPE, RECORD, RECORD_BYTES);
	}

	reset(): void {
		this.#position = NOWHERE;
	}

	visit(_type: number, position: number, bytes: Uint8Array, start: number, byteLength: number): void {
		if (byteLength < RECORD_BYTES) throw new CodedError("length", "host sync record", `${byteLength} bytes`);
		if (bytes[start] !== VERSION) throw new CodedError("newer", "host sync record");
		if (byteLength !== RECORD_BYTES) throw new CodedError("length", "host sync record", `${byteLength} bytes`);
		this.#position = position;
	}

	mounted(): void {}

	isLive(_type: number, position: number): boolean {
		return position === this.#position;
	}

	moved(from: number, to: number): boolean {
		if (from !== this.#position) return false;
		this.#position = to;
		return true;
	}

	carry(append: AppendRecord): void {
		if (this.proven) this.#position = append(HOST_SYNC_RECORD_TYPE, RECORD, RECORD_BYTES);
	}
}
