/**
 * The acquirer's book of batches: each settlement with the answer it got, and what was uploaded of which batch.
 * A batch has one settlement and one answer, whatever is repeated (PROTOCOL.md, "One movement, one key"); it is closed by a
 * balanced answer or by the end of its upload, and never opened again.
 * @module
 */
import { assert } from "../../src/core/assert";
import { CodedError } from "../../src/core/errors";
import type { LedgerStore } from "./ledger-store";
import { isMovementKey, type MovementKey, MovementMap } from "./movement";
import { RESULT_BALANCED, readTotals } from "./totals";

/** A batch of one terminal. */
export type BatchKey = Omit<MovementKey, "stan">;

/** One row of an upload. No card number is kept. */
export interface UploadRow {
	/** Class of the transaction, two digits as they came. */
	readonly class: string;
	readonly stan: number;
	/** Masked. */
	readonly card: string;
	readonly amountMinor: number;
}

export interface SettlementFact extends BatchKey {
	readonly kind: "settlement";
	/** DE 11 of the first request. */
	readonly stan: number;
	/** DE 48 of the request and of the answer, 62 digits each. */
	readonly asked: string;
	readonly answer: string;
	/** DE 37 of the answer. */
	readonly rrn: string;
	/** Its DE 12, 13, 15; ms since 1970. */
	readonly at: number;
}

export interface UploadEndFact extends BatchKey {
	readonly kind: "uploadEnd";
	/** 60.3 was 207; else 202. */
	readonly balanced: boolean;
	/** Rows the terminal says it has sent, and those that are here. */
	readonly told: number;
	readonly received: number;
	readonly at: number;
}

export type BatchFact =
	| SettlementFact
	| ({ readonly kind: "upload"; readonly rows: readonly UploadRow[]; readonly at: number } & BatchKey)
	| UploadEndFact;

/** What the acquirer knows of the settlement of one batch. */
export interface SettledBatch {
	readonly key: BatchKey;
	settlement: SettlementFact | undefined;
	/** Each row once. */
	readonly rows: UploadRow[];
	uploadEnd: UploadEndFact | undefined;
}

/** Rows of one batch: counts of a settlement have three digits. */
export const UPLOAD_ROWS_MAX = 1_000;
const TOTALS_DIGITS = 62;

export class SettlementBook {
	readonly #store: LedgerStore;
	/** Under the number 0 of their batch. */
	readonly #batches = new MovementMap<SettledBatch>();
	#closedCount = 0;

	/** Replays what the store holds. @throws {CodedError} "damaged" */
	constructor(store: LedgerStore) {
		this.#store = store;
		for (const [index, entry] of store.load("batches").entries()) {
			const fact = entry as BatchFact;
			if (!this.#fits(fact)) throw new CodedError("damaged", "batches ledger", `entry ${index + 1}`);
			this.#apply(fact);
		}
	}

	find(key: BatchKey): Readonly<SettledBatch> | undefined {
		return this.#batches.get(numbered(key));
	}

	/** Nothing new is sold in it any more. */
	isClosed(key: BatchKey): boolean {
		return this.#closedCount > 0 && isClosed(this.find(key));
	}

	/** All that were settled or uploaded, oldest first. */
	batches(): IterableIterator<Readonly<SettledBatch>> {
		return this.#batches.values();
	}

	/** The highest batch of a terminal that was settled or uploaded; 0 when none was. */
	lastBatch(terminalId: string, merchantId: string): number {
		let last = 0;
		for (const { key } of this.#batches.values()) {
			if (key.terminalId === terminalId && key.merchantId === merchantId) last = Math.max(last, key.batch);
		}
		return last;
	}

	add(fact: BatchFact): void {
		assert(this.#fits(fact), `I6 the book of batches does not admit ${fact.kind}`);
		this.#store.append("batches", fact);
		this.#apply(fact);
	}

	/** Keeps the rows that are not here yet. @returns false when they are too many: nothing is kept */
	upload(key: BatchKey, rows: readonly UploadRow[], at: number): boolean {
		const known = this.find(key);
		const fresh = rows.filter((row, place) => !hasRow(known?.rows ?? [], row) && !hasRow(rows.slice(0, place), row));
		if ((known?.rows.length ?? 0) + fresh.length > UPLOAD_ROWS_MAX) return false;
		if (fresh.length === 0) return true;
		this.add({ kind: "upload", ...batchOf(key), rows: fresh, at });
		return true;
	}

	#fits(fact: BatchFact): boolean {
		if (!isMovementKey(numbered(fact))) return false;
		const known = this.find(fact);
		switch (fact.kind) {
			case "settlement":
				return known?.settlement === undefined && isTotals(fact.asked) && isTotals(fact.answer);
			case "upload":
				return (
					Array.isArray(fact.rows) &&
					fact.rows.every((row) => isRow(row) && !hasRow(known?.rows ?? [], row)) &&
					fact.rows.length + (known?.rows.length ?? 0) <= UPLOAD_ROWS_MAX
				);
			case "uploadEnd":
				return known?.uploadEnd === undefined;
			default:
				return false;
		}
	}

	#apply(fact: BatchFact): void {
		let known = this.#batches.get(numbered(fact));
		if (known === undefined) {
			known = { key: batchOf(fact), settlement: undefined, rows: [], uploadEnd: undefined };
			this.#batches.add(numbered(fact), known);
		}
		const before = isClosed(known);
		if (fact.kind === "settlement") known.settlement = fact;
		else if (fact.kind === "uploadEnd") known.uploadEnd = fact;
		else known.rows.push(...fact.rows);
		if (!before && isClosed(known)) this.#closedCount++;
	}
}

export function batchOf({ merchantId, terminalId, batch }: BatchKey): BatchKey {
	return { merchantId, terminalId, batch };
}

function numbered(key: BatchKey): MovementKey {
	return { ...batchOf(key), stan: 0 };
}

function isClosed(known: Readonly<SettledBatch> | undefined): boolean {
	if (known === undefined) return false;
	if (known.uploadEnd !== undefined) return true;
	return known.settlement !== undefined && readTotals(known.settlement.answer).result === RESULT_BALANCED;
}

function isTotals(value: unknown): boolean {
	return typeof value === "string" && value.length === TOTALS_DIGITS && /^[0-9]*$/.test(value);
}

function isRow(row: UploadRow): boolean {
	const { card, amountMinor } = row;
	return /^[0-9]{2}$/.test(row.class) && typeof card === "string" && Number.isSafeInteger(amountMinor);
}

function hasRow(rows: readonly UploadRow[], row: UploadRow): boolean {
	return rows.some(
		({ class: its, stan, card, amountMinor }) =>
			stan === row.stan && its === row.class && card === row.card && amountMinor === row.amountMinor,
	);
}
