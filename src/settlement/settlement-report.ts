/**
 * How a batch stands, taken apart to the single transaction (S11): totals by kind, what is carried on, what differs from the
 * host's books. From index and cases, just before the batch is released: its records go with it.
 * @module
 */
import { CodedError } from "../core/errors";
import { addAmount } from "../core/money";
import type { SettlementSlip, SlipLine, SlipSum } from "../ports";
import { KIND_OFFLINE_SALE, KIND_REFUND, KIND_RESEND } from "../transactions/records";
import { isCarried, stands, stateName } from "../transactions/states";
import type { TransactionIndex } from "../transactions/transaction-index";
import type { BatchTotals } from "./batch-totals";
import { caseStateName } from "./case-states";
import type { Cases } from "./cases";
import { rowName } from "./finding";
import type { SettlementResult } from "./settlement-messages";
import type { Suspicions } from "./suspicions";

/** Lines of each list: what is beyond is only counted. All of it can be asked for, case by case. */
export const REPORT_LINES_MAX = 32;

/** How a settlement stands, for screen, slip and log. */
export interface SettlementReport {
	readonly batch: number;
	/** undefined until the host has answered. */
	readonly result: SettlementResult | undefined;
	readonly debits: number;
	readonly debitMinor: number;
	readonly credits: number;
	readonly creditMinor: number;
	/** Doubts and advices that go on under the old batch. */
	readonly carried: number;
	/** Open cases of the batch. */
	readonly cases: number;
	/** Recorded, and still to be seen posted. */
	readonly watched: number;
	readonly sales: SlipSum;
	readonly offlineSales: SlipSum;
	readonly refunds: SlipSum;
	/** What the host has told of the batch; undefined where it has told nothing. */
	readonly host: { readonly debits: SlipSum; readonly credits: SlipSum } | undefined;
	/** At most {@link REPORT_LINES_MAX}, as these. */
	readonly carriedLines: readonly SlipLine[];
	readonly differences: readonly SlipLine[];
	readonly differencesCount: number;
	/** Open cases of all batches. */
	readonly openCases: number;
}

export interface ReportSources {
	index: TransactionIndex;
	cases: Cases;
	suspicions: Suspicions;
	/** Counted for that batch. */
	totals: BatchTotals;
	/** The batch, and where it ends. */
	batch: number;
	lastId: number;
	result: SettlementResult | undefined;
	host: SettlementReport["host"];
	watched: number;
}

export function settlementReport(sources: ReportSources): SettlementReport {
	const { index, cases, suspicions, totals, batch, lastId, result, host, watched } = sources;
	const { debits, debitMinor, credits, creditMinor } = totals;
	const carriedLines: SlipLine[] = [];
	let carried = 0;
	for (let slot = 0; slot < index.count; slot++) {
		const state = index.states[slot];
		if (index.ids[slot] > lastId || index.kind(slot) === KIND_RESEND || !isCarried(state)) continue;
		carried++;
		if (carriedLines.length === REPORT_LINES_MAX) continue;
		const what = stateName(state) ?? "";
		carriedLines.push({ stan: index.stans[slot], amountMinor: index.amount(slot), what, caseId: 0, state: "" });
	}
	const all = differencesOf(batch, cases, suspicions, index);
	return {
		batch,
		result,
		debits,
		debitMinor,
		credits,
		creditMinor,
		carried,
		cases: openOf(batch, cases),
		watched,
		...sumsOf(batch, lastId, index),
		host,
		carriedLines,
		differences: all.slice(0, REPORT_LINES_MAX),
		differencesCount: all.length,
		openCases: cases.openCount,
	};
}

/**
 * What differs in a batch: its cases, those that are closed by now included, and what is still being checked. Bounded as
 * these are.
 */
export function differencesOf(
	batch: number,
	cases: Cases,
	suspicions: Suspicions,
	index: TransactionIndex,
): SlipLine[] {
	const lines: SlipLine[] = [];
	for (let id = cases.next(0); id !== 0; id = cases.next(id)) {
		if (cases.batch(id) === batch) lines.push(caseLine(id, cases));
	}
	for (let at = 0; at < suspicions.count; at++) {
		if (suspicions.batches[at] !== batch) continue;
		const slot = index.find(suspicions.ids[at]);
		const amountMinor = slot < 0 ? 0 : index.amount(slot);
		const what = rowName(suspicions.rows[at]) ?? "";
		lines.push({ stan: suspicions.stans[at], amountMinor, what, caseId: 0, state: "" });
	}
	return lines;
}

export function settlementSlip(
	report: SettlementReport,
	config: { readonly terminalId: string; readonly merchantId: string },
	time: number,
	reprint: boolean,
): SettlementSlip {
	const { result, host } = report;
	return {
		name: "settlement",
		copy: "merchant",
		reprint,
		terminalId: config.terminalId,
		merchantId: config.merchantId,
		time,
		batch: report.batch,
		...(result === undefined ? {} : { result }),
		sales: report.sales,
		offlineSales: report.offlineSales,
		refunds: report.refunds,
		...(host === undefined ? {} : { hostDebits: host.debits, hostCredits: host.credits }),
		carried: report.carriedLines,
		carriedCount: report.carried,
		differences: report.differences,
		differencesCount: report.differencesCount,
		openCases: report.openCases,
		watched: report.watched,
	};
}

/** A case that flash has lost is named all the same: its list is no reason not to settle. */
function caseLine(id: number, cases: Cases): SlipLine {
	const line = { stan: cases.stan(id), caseId: id, state: caseStateName(cases.state(id)) ?? "" };
	try {
		const { amountMinor, hostMinor, row } = cases.get(id);
		return { ...line, amountMinor: amountMinor || hostMinor, what: rowName(row) ?? "" };
	} catch (error) {
		if (!(error instanceof CodedError) || error.code === "flash") throw error;
		return { ...line, amountMinor: 0, what: "" };
	}
}

function openOf(batch: number, cases: Cases): number {
	let open = 0;
	for (let id = cases.nextOpen(0); id !== 0; id = cases.nextOpen(id)) {
		if (cases.batch(id) === batch) open++;
	}
	return open;
}

function sumsOf(
	batch: number,
	lastId: number,
	index: TransactionIndex,
): { sales: SlipSum; offlineSales: SlipSum; refunds: SlipSum } {
	const sales = { count: 0, sumMinor: 0 };
	const offlineSales = { count: 0, sumMinor: 0 };
	const refunds = { count: 0, sumMinor: 0 };
	let slot = index.nextInBatch(batch, 0);
	while (slot >= 0 && index.ids[slot] <= lastId) {
		const kind = index.kind(slot);
		if (stands(index.states[slot], kind)) {
			const sum = kind === KIND_REFUND ? refunds : kind === KIND_OFFLINE_SALE ? offlineSales : sales;
			sum.count++;
			sum.sumMinor = addAmount(sum.sumMinor, index.amount(slot), "batch totals");
		}
		slot = index.nextInBatch(batch, index.ids[slot]);
	}
	return { sales, offlineSales, refunds };
}
