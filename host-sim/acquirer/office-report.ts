/**
 * What the back office has in its books, as plain data: for checkers, for files and for people.
 * @module
 */
import { answerOf, type RequestAnswer } from "./desk";
import { type Anchor, DeskBook, type RequestFact } from "./desk-book";
import { hostDateTime } from "./host-time";
import type { LedgerStore } from "./ledger-store";
import { PostingBook, type RefusedAccount } from "./posting-book";
import { AcquirerRecords, askedOf, type MovementRecord } from "./records";
import { SettlementBook, type UploadRow } from "./settlement-book";
import { readTotals } from "./totals";

/** A request and where it stands. */
export interface ReportedRequest extends RequestAnswer {
	readonly fact: RequestFact;
}

export interface ReportedBatch {
	readonly terminalId: string;
	readonly batch: number;
	/** Domestic result of its settlement; 0: there was none. */
	readonly result: number;
	readonly closed: boolean;
	/** Rows uploaded, and rows the terminal says it has sent; −1 before the upload's end. */
	readonly rows: number;
	readonly told: number;
}

/** An uploaded row that the records do not bear out. It is for a person: nothing is debited for it. */
export interface UnknownUpload extends UploadRow {
	readonly terminalId: string;
	readonly batch: number;
	readonly why: "no record" | "declined" | "reversed" | "other amount" | "other card";
}

/** A head of an evidence chain, and when the host was told it. */
export interface ReportedAnchor extends Anchor {
	/** YYYYMMDDhhmmss by the host's clock (UTC+8): what `verify --head HEX@T` takes. */
	readonly hostTime: string;
}

export interface OfficeReport {
	readonly requests: ReportedRequest[];
	readonly anchors: readonly ReportedAnchor[];
	readonly batches: ReportedBatch[];
	readonly unknownUploads: UnknownUpload[];
	/** Accounts that take no postings, until they are mended. */
	readonly refusedAccounts: RefusedAccount[];
}

/** The books as a store holds them now: nothing is finished, nothing is written. @throws {CodedError} "damaged" */
export function readOffice(store: LedgerStore, now: number): OfficeReport {
	const settlements = new SettlementBook(store);
	return reportOf(new DeskBook(store), settlements, new AcquirerRecords(store), new PostingBook(store), now);
}

export function reportOf(
	desk: DeskBook,
	settlements: SettlementBook,
	records: AcquirerRecords,
	postings: PostingBook,
	now: number,
): OfficeReport {
	const batches: ReportedBatch[] = [];
	const unknownUploads: UnknownUpload[] = [];
	for (const { key, settlement, rows, uploadEnd } of settlements.batches()) {
		batches.push({
			terminalId: key.terminalId,
			batch: key.batch,
			result: settlement === undefined ? 0 : readTotals(settlement.answer).result,
			closed: settlements.isClosed(key),
			rows: rows.length,
			told: uploadEnd?.told ?? -1,
		});
		for (const row of rows) {
			const why = whyUnknown(row, records.find({ ...key, stan: row.stan }));
			if (why !== undefined) unknownUploads.push({ ...row, terminalId: key.terminalId, batch: key.batch, why });
		}
	}
	return {
		requests: desk.requests().map((request) => ({ fact: request.fact, ...answerOf(request, now) })),
		anchors: desk.anchors().map((anchor) => ({ ...anchor, hostTime: hostDateTime(anchor.at) })),
		batches,
		unknownUploads,
		refusedAccounts: postings.refusedAccounts(),
	};
}

function whyUnknown(row: UploadRow, known: Readonly<MovementRecord> | undefined): UnknownUpload["why"] | undefined {
	const record = known?.sale ?? known?.refund;
	if (known?.reversal !== undefined) return "reversed";
	if (record === undefined) return "no record";
	if (record.code !== "00") return "declined";
	if (record.card !== row.card) return "other card";
	const amountMinor = record.kind === "sale" ? askedOf(record) : record.amountMinor;
	return amountMinor === row.amountMinor && record.amountMinor === row.amountMinor ? undefined : "other amount";
}
