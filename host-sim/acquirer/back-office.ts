/**
 * The acquirer's back office: postings that are due, batches that are settled, the desk, and what the host says of a
 * batch. It knows no bytes and no connections; those are in office-messages.ts.
 * @module
 */
import { type BatchDigest, BatchView, type HostEntry } from "./batch-view";
import { Desk, type DeskOptions } from "./desk";
import { type Anchor, DeskBook } from "./desk-book";
import type { FarSides } from "./far-sides";
import type { FaultPlan } from "./faults";
import type { IssuerLedger } from "./issuer";
import type { LedgerStore } from "./ledger-store";
import type { MerchantLedger } from "./merchant";
import type { MovementKey } from "./movement";
import { type OfficeReport, reportOf } from "./office-report";
import { type AccountKey, PostingBook } from "./posting-book";
import { Reason, reasonText } from "./posting-reasons";
import { type PostingEvent, Postings } from "./postings";
import type { IntegerSource } from "./random";
import type { AcquirerRecords } from "./records";
import { type BatchKey, batchOf, SettlementBook, type SettlementFact, type UploadRow } from "./settlement-book";
import {
	NO_TOTALS,
	RESULT_BALANCED,
	RESULT_ERROR,
	RESULT_UNBALANCED,
	readTotals,
	sameTotals,
	type Totals,
	writeTotals,
} from "./totals";

export interface BackOfficeOptions {
	/** From a sale's record to its posting, ms; default 0: at once. */
	readonly postingDelayMs?: number;
	readonly desk?: DeskOptions;
	/** For what the faults of a settlement do. */
	readonly officeRandom: IntegerSource;
	/** One line for people. */
	onOffice?(kind: "posting" | "desk" | "settlement", text: string, key: BatchKey, amountMinor: number): void;
}

export interface BackOfficeParts {
	readonly store: LedgerStore;
	readonly issuer: IssuerLedger;
	readonly records: AcquirerRecords;
	readonly merchant: MerchantLedger;
	readonly farSides: FarSides;
	readonly faults: FaultPlan;
	newRrn(at: number): string;
}

/** An amount that a fault adds to a total. */
const WRONG_MINOR_MAX = 10_000;

export class BackOffice {
	readonly #parts: BackOfficeParts;
	readonly #options: BackOfficeOptions;
	readonly #settlements: SettlementBook;
	readonly #deskBook: DeskBook;
	readonly #view: BatchView;
	readonly postingBook: PostingBook;
	readonly postings: Postings;
	readonly desk: Desk;

	/** @throws {CodedError} "damaged" */
	constructor(parts: BackOfficeParts, options: BackOfficeOptions) {
		const { store, issuer, records, merchant, farSides, faults, newRrn } = parts;
		this.#parts = parts;
		this.#options = options;
		this.postingBook = new PostingBook(store);
		this.#settlements = new SettlementBook(store);
		this.#deskBook = new DeskBook(store);
		this.#view = new BatchView({ issuer, records, merchant, farSides, postingBook: this.postingBook });
		this.postings = new Postings({
			issuer,
			records,
			merchant,
			book: this.postingBook,
			delayMs: options.postingDelayMs ?? 0,
			onPosting: (what, key, amountMinor) => this.#onPosting(what, key, amountMinor),
		});
		this.desk = new Desk({
			book: this.#deskBook,
			issuer,
			records,
			merchant,
			farSides,
			postings: this.postings,
			postingBook: this.postingBook,
			faults,
			options: options.desk ?? {},
			newRrn,
			onRequest: ({ fact, decided, closed }, what) => {
				const end = closed === undefined ? decided.decision : closed.done ? "done" : reasonText(closed.reason);
				const { type, key, amountMinor } = fact;
				const of = `batch ${key.batch} stan ${key.stan}`;
				this.#options.onOffice?.("desk", `${what} ${type} ${of} -> ${end}`, key, amountMinor);
			},
		});
	}

	/** When something happens by itself, ms since 1970; Infinity when nothing does. */
	get nextDueMs(): number {
		return Math.min(this.postings.nextDueMs, this.desk.nextDueMs);
	}

	/** Does what is due. */
	run(now: number): void {
		this.postings.run(now);
		this.desk.run(now);
	}

	isClosed(key: BatchKey): boolean {
		return this.#settlements.isClosed(key);
	}

	/** The highest batch of a terminal that was settled or uploaded; 0 when none was. */
	lastBatch(terminalId: string, merchantId: string): number {
		return this.#settlements.lastBatch(terminalId, merchantId);
	}

	/** @returns undefined for what nobody here has heard of */
	entry(key: MovementKey): HostEntry | undefined {
		return this.#view.entry(key);
	}

	/** See {@link BatchView.entries}. */
	entries(batch: BatchKey, from: number, to: number): HostEntry[] {
		return this.#view.entries(batch, from, to);
	}

	/** See {@link BatchView.digest}. */
	digest(batch: BatchKey, to: number): BatchDigest {
		return this.#view.digest(batch, to);
	}

	/** The head of a terminal's evidence chain came with a message. */
	anchor(fact: Omit<Anchor, "kind">): void {
		const { merchantId, terminalId, batch, stan, head, by, at } = fact;
		this.#deskBook.anchor({ kind: "anchor", merchantId, terminalId, batch, stan, head, by, at });
	}

	/**
	 * Settles a batch, once: a repeat gets the stored answer.
	 * @param asked - DE 48, 62 digits
	 * @throws {CodedError} "length" | "charset" of DE 48
	 */
	settle(batch: BatchKey, stan: number, asked: string, now: number): SettlementFact {
		const known = this.#settlements.find(batch)?.settlement;
		if (known !== undefined) return known;
		const domestic = readTotals(asked);
		const foreign = readTotals(asked, true);
		const held = this.#view.totals(batch);
		const answer = writeTotals(
			this.#falsify(
				held === undefined
					? { ...NO_TOTALS, result: RESULT_ERROR }
					: { ...held, result: sameTotals(held, domestic) ? RESULT_BALANCED : RESULT_UNBALANCED },
			),
			{ ...NO_TOTALS, result: sameTotals(NO_TOTALS, foreign) ? RESULT_BALANCED : RESULT_UNBALANCED },
		);
		const rrn = this.#parts.newRrn(now);
		const fact: SettlementFact = { kind: "settlement", ...batchOf(batch), stan, asked, answer, rrn, at: now };
		this.#settlements.add(fact);
		const { result } = readTotals(answer);
		this.#options.onOffice?.("settlement", `settlement batch ${batch.batch} -> result ${result}`, batch, 0);
		return fact;
	}

	/** Rows of an upload. @returns false when they are too many */
	upload(batch: BatchKey, rows: readonly UploadRow[], now: number): boolean {
		return this.#settlements.upload(batch, rows, now);
	}

	/** The upload's end closes the batch, once. @param told - rows the terminal says it has sent */
	endUpload(batch: BatchKey, balanced: boolean, told: number, now: number): void {
		const known = this.#settlements.find(batch);
		if (known?.uploadEnd !== undefined) return;
		const received = known?.rows.length ?? 0;
		this.#settlements.add({ kind: "uploadEnd", ...batchOf(batch), balanced, told, received, at: now });
		const text = `upload batch ${batch.batch} ended: ${received} of ${told} rows`;
		this.#options.onOffice?.("settlement", text, batch, 0);
	}

	/** The bank takes nothing for this account from now on. @param reason - {@link Reason}; default merchant account */
	refuseAccount(account: AccountKey, now: number, reason: number = Reason.merchantAccount): void {
		this.postings.refuseAccount(account, reason, now);
	}

	/** The account is in order again. @returns how many postings that were refused are due again, after the usual delay */
	mendAccount(account: AccountKey, now: number): number {
		return this.postings.mendAccount(account, now);
	}

	report(now: number): OfficeReport {
		return reportOf(this.#deskBook, this.#settlements, this.#parts.records, this.postingBook, now);
	}

	/** A fault: other totals, or an error, though all is well. */
	#falsify(totals: Totals): Totals {
		if (!this.#parts.faults.nextTotals().totalsWrong) return totals;
		const { officeRandom } = this.#options;
		if (officeRandom.below(2) === 0) return { ...totals, result: RESULT_ERROR };
		const debitMinor = totals.debitMinor + 1 + officeRandom.below(WRONG_MINOR_MAX);
		return { ...totals, debitMinor, result: RESULT_UNBALANCED };
	}

	#onPosting(what: PostingEvent, key: MovementKey, amountMinor: number): void {
		if (this.#options.onOffice === undefined) return;
		const why = what === "refused" ? `: ${reasonText(this.postingBook.refusal(key)?.reason ?? 0)}` : "";
		const text = `posting batch ${key.batch} stan ${key.stan} ${what}${why}`;
		this.#options.onOffice("posting", text, key, amountMinor);
	}
}
