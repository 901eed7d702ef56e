/**
 * The host's ledgers and its office's books as lines for people.
 * @module
 */
import { formatAmount } from "../../src/core/money";
import { RequestState } from "../acquirer/desk";
import type { OfficeReport, ReportedBatch, ReportedRequest } from "../acquirer/office-report";
import { reasonText } from "../acquirer/posting-reasons";
import type { LedgerEntry, Statement } from "../acquirer/statement";

const STATES: Readonly<Record<number, string>> = {
	[RequestState.received]: "received",
	[RequestState.evidenceWanted]: "evidence wanted",
	[RequestState.granted]: "granted",
	[RequestState.refused]: "refused",
	[RequestState.done]: "done",
};
const REQUESTS = { "403": "manual posting", "404": "credit to the card", "407": "far side again" } as const;
const RESULTS = ["not settled", "balanced", "unbalanced", "in error"];
/** Of those that are not closed: they are for a person, all of them. Of the others the last ones. */
const CLOSED_REQUESTS_SHOWN = 20;

/** One movement as all three ledgers hold it. */
export function entryLine(entry: LedgerEntry): string {
	const { refund, posting, farSide } = entry;
	if (refund !== undefined) {
		const taken = entry.reversed ? "reversed" : entry.code || "never came";
		return `${entry.key} ${formatAmount(entry.amountMinor)} ${refund.type} of ${refund.original || "nothing known"}: ${taken}`;
	}
	const state = entry.reversals > 0 ? "reversed" : entry.debits > 0 ? "debited" : entry.code || "never came";
	const payee = farSide === undefined ? "merchant" : "far side";
	const sides = `card ${formatAmount(entry.cardNetMinor)} ${payee} ${formatAmount(entry.merchantNetMinor)}`;
	const oneSided = entry.cardNetMinor === entry.merchantNetMinor ? "" : "  ONE-SIDED";
	const late = farSide === undefined ? (posting === "posted" ? undefined : posting) : farSide;
	const why = oneSided === "" || late === undefined ? "" : ` (${farSide === undefined ? "posting " : ""}${late})`;
	return `${entry.key} ${formatAmount(entry.amountMinor)} ${state}: ${sides}${oneSided}${why}`;
}

/** Totals, what is one-sided, and what the office has. */
export function summaryLines({ entries, totals }: Statement, office: OfficeReport): string[] {
	return [
		`movements ${totals.movements}: approved ${totals.approved}, declined ${totals.declined}, ` +
			`reversed ${totals.reversed}, reversals without an original ${totals.tombstones}, ` +
			`voids and refunds ${totals.refunds}`,
		`issuer    debited ${formatAmount(totals.debitedMinor)}, credited back ` +
			`${formatAmount(totals.creditedBackMinor)}, net ${formatAmount(totals.cardNetMinor)}`,
		`merchant  net ${formatAmount(totals.merchantNetMinor - totals.farSidesNetMinor)}`,
		...(entries.some(({ farSide }) => farSide !== undefined)
			? [`far sides net ${formatAmount(totals.farSidesNetMinor)}`]
			: []),
		totals.conserved ? "conserved: no one-sided entry" : `NOT conserved: ${totals.oneSided} one-sided`,
		...entries.filter(({ cardNetMinor, merchantNetMinor }) => cardNetMinor !== merchantNetMinor).map(entryLine),
		...officeLines(office),
	];
}

function officeLines({ requests, batches, unknownUploads, refusedAccounts }: OfficeReport): string[] {
	const { refused, done } = RequestState;
	const closed = requests.filter(({ state }) => state === refused || state === done);
	const open = requests.filter((request) => !closed.includes(request));
	const left = closed.length - CLOSED_REQUESTS_SHOWN;
	return [
		...refusedAccounts.map(
			({ merchantId, terminalId, reason }) => `account   ${merchantId}/${terminalId} refused, ${reasonText(reason)}`,
		),
		...batches.map(batchLine),
		...unknownUploads.map(
			({ batch, stan, card, amountMinor, why }) =>
				`upload    batch ${batch} stan ${stan} ${formatAmount(amountMinor)} ${card}: ${why}`,
		),
		...(left > 0 ? [`desk      ${left} closed requests before these`] : []),
		...closed.slice(-CLOSED_REQUESTS_SHOWN).map(requestLine),
		...open.map(requestLine),
	];
}

function batchLine({ terminalId, batch, result, closed, rows, told }: ReportedBatch): string {
	const upload = told < 0 ? (rows === 0 ? "" : `, ${rows} rows uploaded so far`) : `, ${rows} of ${told} rows uploaded`;
	return `batch     ${terminalId}/${batch} ${RESULTS[result]}${upload}, ${closed ? "closed" : "open"}`;
}

function requestLine({ fact, reference, state, reason }: ReportedRequest): string {
	const { key, amountMinor } = fact;
	const why = state === RequestState.refused ? `: ${reasonText(reason)}` : "";
	const amount = amountMinor === 0 ? "" : ` ${formatAmount(amountMinor)}`;
	const of = `batch ${key.batch} stan ${key.stan}${amount}`;
	return `desk      ${reference} ${REQUESTS[fact.type]} ${of} ${STATES[state]}${why}`;
}
