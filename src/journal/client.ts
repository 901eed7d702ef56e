/**
 * What a journal and the owner of its records have to do with each other.
 * @module
 */
import type { MountStatus } from "./headers";

/** What the owner of the records must tell the journal. */
export interface JournalClient {
	/** A mount begins to read: forget what an earlier try has visited. */
	reset(): void;
	/** One record at mount, in log order; the bytes are borrowed. Marks come as type 3 with the client's bytes. */
	visit(type: number, position: number, bytes: Uint8Array, start: number, byteLength: number): void;
	/** May this record not be dropped when its block is reclaimed? */
	isLive(type: number, position: number, bytes: Uint8Array, start: number): boolean;
	/** A record the client may remember by position now stands elsewhere. */
	moved(from: number, to: number): void;
}

/** What a mount found. */
export interface MountResult {
	status: MountStatus;
	/** Provisioning was begun and not finished. */
	interrupted: boolean;
	/** Blocks of the log that could not be found; 0 unless flash lost a block. */
	lostBlocks: number;
	/** Places where a record was damaged after it was written; 0 unless flash lost bits. */
	damagedRecords: number;
	id: number;
	generation: number;
	/** The rows of the recovery table (DESIGN.md) that it went through, in their order: "GI". Row M is pin's. */
	cases: string;
}
