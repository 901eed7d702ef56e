/**
 * What this terminal knows of a transaction, for a person who asks (S3): by trace number, by amount, by the last four digits
 * of the card; the newest first. From the journal; of batches that are settled what is left of them: watches and cases.
 *
 * Reads flash only for what is found, and for a card number each transaction once; bounded in what it gives back (I10).
 * @module
 */
import { CodedError } from "../core/errors";
import { AMOUNT_MINOR_MAX } from "../core/money";
import { unlessGone } from "../transactions/record-reader";
import { KIND_RESEND, maskedCard } from "../transactions/records";
import { type StateName, stateName } from "../transactions/states";
import type { TransactionLog } from "../transactions/transaction-log";
import type { CaseRecord } from "./case-records";
import { caseCard } from "./case-slips";
import type { Cases } from "./cases";
import type { KnownWatch, Watches } from "./watch";

/** What is asked for: exactly one of these. */
export type QueryKey = { readonly stan: number } | { readonly amountMinor: number } | { readonly last4: string };

/** Most that one query finds. */
export const QUERY_MAX = 20;

/** released: its batch is settled, and it is watched until its posting is seen. caseOnly: only a case knows of it. */
export type LocalWord = StateName | "released" | "caseOnly";

export interface QueryHit {
	readonly local: LocalWord;
	readonly batch: number;
	readonly stan: number;
	/** As in transactions/records.ts; 0 where nobody here knows. */
	readonly kind: number;
	readonly amountMinor: number;
	/** Masked; empty where it is not known. */
	readonly card: string;
	/** Terminal's time of it, ms since 1970; 0 where it is not known. */
	readonly time: number;
	/** What the host had answered; empty where it had not. */
	readonly code: string;
	readonly rrn: string;
	readonly authorization: string;
	/** Transaction id, 0 where its records have gone. */
	readonly id: number;
	/** The case about it: an open one before a closed one, else the newest; 0 for none. */
	readonly caseId: number;
}

export interface QuerySources {
	log: TransactionLog;
	cases: Cases;
	watches: Watches;
}

/** @throws {CodedError} "range" | "format" for what no transaction can have */
export function query(sources: QuerySources, key: QueryKey): QueryHit[] {
	checkKey(key);
	const hits: QueryHit[] = [];
	const { log, cases, watches } = sources;
	const { index } = log;
	for (let slot = index.count - 1; slot >= 0 && hits.length < QUERY_MAX; slot--) {
		if (index.kind(slot) === KIND_RESEND) continue; // It stands for its original.
		if ("stan" in key && index.stans[slot] !== key.stan) continue;
		if ("amountMinor" in key && index.amount(slot) !== key.amountMinor) continue;
		const hit = ofTransaction(sources, index.ids[slot]);
		if (hit !== undefined && (!("last4" in key) || hit.card.endsWith(key.last4))) hits.push(hit);
	}
	const known = (batch: number, stan: number) => hits.some((hit) => hit.batch === batch && hit.stan === stan);
	const older: QueryHit[] = [];
	if (!("last4" in key)) {
		for (let serial = watches.next(0); serial !== 0; serial = watches.next(serial)) {
			const watch = watchOf(watches, serial);
			if (watch === undefined) continue;
			const { batch, stan, kind, amountMinor, rrn } = watch;
			const wanted = "stan" in key ? stan === key.stan : amountMinor === key.amountMinor;
			if (!wanted || known(batch, stan)) continue;
			const caseId = caseOf(cases, batch, stan);
			older.push({ ...NOTHING, local: "released", batch, stan, kind, amountMinor, rrn, caseId });
		}
	}
	for (let id = cases.next(0); id !== 0; id = cases.next(id)) {
		if ("stan" in key && cases.stan(id) !== key.stan) continue;
		const record = caseRecord(cases, id);
		if (record === undefined || !isOfCase(record, key)) continue;
		const { batch, stan } = record;
		if (known(batch, stan) || older.some((hit) => hit.batch === batch && hit.stan === stan)) continue;
		older.push(ofCase(record, caseOf(cases, batch, stan)));
	}
	older.reverse();
	return hits.concat(older).slice(0, QUERY_MAX);
}

/** One transaction of the journal. @returns undefined when flash has lost what it was */
export function ofTransaction({ log, cases }: QuerySources, id: number): QueryHit | undefined {
	const slot = log.find(id);
	const local = slot < 0 ? undefined : stateName(log.index.states[slot]);
	if (local === undefined) return undefined;
	// Of a spent one the records may have gone.
	const known = unlessGone(() => ({ intent: log.intent(id), outcome: log.outcome(id) }));
	if (known === undefined) return undefined;
	const { intent, outcome } = known;
	const { batch, stan, kind, amountMinor, timeS } = intent;
	return {
		local,
		batch,
		stan,
		kind,
		amountMinor,
		card: maskedCard(intent),
		time: timeS * 1_000,
		code: outcome?.code ?? "",
		rrn: outcome?.rrn ?? "",
		authorization: outcome?.authorization ?? "",
		id,
		caseId: caseOf(cases, batch, stan),
	};
}

/** The case about a transaction: an open one before a closed one, of these the newest; 0 for none. */
export function caseOf(cases: Cases, batch: number, stan: number): number {
	let found = 0;
	for (let id = cases.findAny(batch, stan); id !== 0; id = cases.findAny(batch, stan, undefined, id)) found = id;
	for (let id = cases.findOpen(batch, stan); id !== 0; id = cases.findOpen(batch, stan, undefined, id)) found = id;
	return found;
}

const NOTHING = { card: "", time: 0, code: "", rrn: "", authorization: "", id: 0 };

function checkKey(key: QueryKey): void {
	if ("stan" in key) checkNumber(key.stan, 999_999, "query STAN");
	else if ("amountMinor" in key) checkNumber(key.amountMinor, AMOUNT_MINOR_MAX, "query amount");
	else if (!/^\d{4}$/.test(key.last4)) throw new CodedError("format", "query card", "4 digits");
}

function checkNumber(value: number, most: number, place: string): void {
	if (!Number.isSafeInteger(value) || value < 1 || value > most) throw new CodedError("range", place);
}

/** @returns undefined when flash has lost it */
export function watchOf(watches: Watches, serial: number): KnownWatch | undefined {
	return unlessGone(() => watches.get(serial));
}

/** @returns undefined when flash has lost it */
export function caseRecord(cases: Cases, id: number): CaseRecord | undefined {
	return unlessGone(() => cases.get(id));
}

function isOfCase(record: CaseRecord, key: QueryKey): boolean {
	if ("stan" in key) return record.stan === key.stan;
	if ("last4" in key) return record.panLast === key.last4;
	return record.amountMinor === key.amountMinor || record.hostMinor === key.amountMinor;
}

function ofCase(record: CaseRecord, caseId: number): QueryHit {
	const { batch, stan, kind, amountMinor, hostMinor, rrn } = record;
	const money = amountMinor || hostMinor;
	return { ...NOTHING, local: "caseOnly", batch, stan, kind, amountMinor: money, card: caseCard(record), rrn, caseId };
}
