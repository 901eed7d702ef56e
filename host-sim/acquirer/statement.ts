/**
 * What the three ledgers say, side by side, as plain data: for checkers, for files and for people. Only here are the
 * ledgers looked at together, and nothing of it goes back into them.
 *
 * Signs: both nets are positive for a sale that stands. `cardNetMinor` is what the card has paid (debits − credits
 * back), `merchantNetMinor` what the shop has received (credits − taken back). Voids and refunds are entries of their
 * own, but what they give back counts at their original: there both nets fall. Conserved means: equal, movement by
 * movement.
 * @module
 */

import { assert } from "../../src/core/assert";
import { addAmount, subtractAmount } from "../../src/core/money";
import type { TestCard } from "../test-cards";
import { type FarSideMovement, FarSides } from "./far-sides";
import { IssuerLedger } from "./issuer";
import type { LedgerStore } from "./ledger-store";
import { MerchantLedger, type MerchantMovement } from "./merchant";
import { type MovementKey, MovementMap, movementText } from "./movement";
import { PostingBook } from "./posting-book";
import { AcquirerRecords, limitOf, type MovementRecord } from "./records";

/** One movement as all three ledgers hold it. */
export interface LedgerEntry {
	/** {@link movementText}. */
	readonly key: string;
	/** DE 41. Terminals count by themselves: equal trace numbers of two are two movements. */
	readonly terminalId: string;
	readonly batch: number;
	readonly stan: number;
	/** Amount of the debit; where there is none, of the acquirer's record. */
	readonly amountMinor: number;
	/** What the card has paid: the amount, less what was given back. */
	readonly cardNetMinor: number;
	/** What the shop has received: the amount, less what was taken back. Of a repayment or top-up: what the far side has. */
	readonly merchantNetMinor: number;
	/** Debits at the issuer: 0 or 1. */
	readonly debits: number;
	/** Credits back at the issuer: 0 or 1. */
	readonly reversals: number;
	/** DE 39 the acquirer recorded for it; empty where it has no record of it. */
	readonly code: string;
	/** The acquirer has recorded a reversal, with or without its original. */
	readonly reversed: boolean;
	/** A repayment or top-up: how the far side's part of it is coming along. */
	readonly farSide?: FarSideState;
	/** How the merchant's part of an approved sale that stands is coming along. */
	readonly posting?: PostingState;
	/** A void or a refund: what it is, and the {@link key} of its original, empty where there is none. */
	readonly refund?: { readonly type: "void" | "refund"; readonly original: string };
}

export interface LedgerTotals {
	readonly movements: number;
	readonly approved: number;
	readonly declined: number;
	/** Approved at some time, and taken back. */
	readonly reversed: number;
	/** Reversals whose original nobody has seen. */
	readonly tombstones: number;
	/** Voids and refunds that stand. */
	readonly refunds: number;
	readonly debitedMinor: number;
	/** By reversals, voids and refunds. */
	readonly creditedBackMinor: number;
	readonly cardNetMinor: number;
	readonly merchantNetMinor: number;
	/** Of that: what the far sides of repayments and top-ups have. */
	readonly farSidesNetMinor: number;
	/** Movements where card and merchant differ. */
	readonly oneSided: number;
	/** No movement is one-sided. */
	readonly conserved: boolean;
}

export interface Statement {
	readonly entries: LedgerEntry[];
	readonly totals: LedgerTotals;
}

/**
 * The ledgers as a store holds them now: nothing is finished, nothing is written.
 * @throws {CodedError} "damaged"
 */
export function readStatement(store: LedgerStore, cards: readonly TestCard[]): Statement {
	const noChance = {
		below(): number {
			assert(false, "reading ledgers draws no number");
		},
	};
	const issuer = new IssuerLedger(cards, store, noChance);
	const records = new AcquirerRecords(store);
	return statementOf(issuer, records, new MerchantLedger(store), new PostingBook(store), new FarSides(store));
}

/** Reads the three ledgers; order of first appearance at the issuer, then at the acquirer, then at the merchant. */
export function statementOf(
	issuer: IssuerLedger,
	records: AcquirerRecords,
	merchant: MerchantLedger,
	postings: PostingBook,
	farSides: FarSides,
): Statement {
	const keys = new MovementMap<MovementKey>();
	const note = (key: MovementKey | undefined): void => {
		if (key !== undefined && keys.get(key) === undefined) keys.add(key, key);
	};
	for (const { key } of issuer.movements()) note(key);
	for (const { sale, refund, reversal } of records.movements()) note((sale ?? refund ?? reversal)?.key);
	for (const { key } of merchant.movements()) note(key);
	for (const { key } of farSides.movements()) note(key);

	const entries: LedgerEntry[] = [];
	for (const key of keys.values()) entries.push(entryOf(key, issuer, records, merchant, postings, farSides));
	return { entries, totals: totalsOf(entries) };
}

function entryOf(
	key: MovementKey,
	issuer: IssuerLedger,
	records: AcquirerRecords,
	merchant: MerchantLedger,
	postings: PostingBook,
	farSides: FarSides,
): LedgerEntry {
	const held = issuer.movement(key);
	const far = farSides.movement(key);
	// Counted wherever it is: a far side with money that no card has paid for must show.
	const farMinor = far?.creditedMinor ?? 0;
	const posted = merchant.movement(key);
	const record = records.find(key);
	const debitedMinor = held?.debitedMinor ?? 0;
	const cardBackMinor = (held?.creditedMinor ?? 0) + (held?.refundedMinor ?? 0);
	const shopBackMinor = (posted?.debitedMinor ?? 0) + (posted?.refundedMinor ?? 0);
	const gave = held?.gave;
	const recordedMinor = (record?.sale ?? record?.refund ?? record?.reversal)?.amountMinor ?? gave?.amountMinor ?? 0;
	const original = record?.refund?.original ?? gave?.original;
	const posting = record === undefined ? undefined : postingOf(record, posted, postings, records);
	// One that died between the issuer's step and the acquirer's record has no type yet.
	const type = record?.refund?.type ?? (gave === undefined ? undefined : "refund");
	return {
		key: movementText(key),
		terminalId: key.terminalId,
		batch: key.batch,
		stan: key.stan,
		amountMinor: debitedMinor !== 0 ? debitedMinor : recordedMinor,
		cardNetMinor: subtractAmount(debitedMinor, cardBackMinor, "issuer net"),
		merchantNetMinor: addAmount(
			subtractAmount(posted?.creditedMinor ?? 0, shopBackMinor, "merchant net"),
			farMinor,
			"merchant net",
		),
		debits: held?.debits ?? 0,
		reversals: held?.credits ?? 0,
		code: (record?.sale ?? record?.refund)?.code ?? "",
		reversed: record?.reversal !== undefined,
		...(held?.farSide === undefined && farMinor === 0 ? {} : { farSide: farSideStateOf(far) }),
		...(posting === undefined ? {} : { posting }),
		...(type === undefined ? {} : { refund: { type, original: original === undefined ? "" : movementText(original) } }),
	};
}

/** pending: died before it was told. failed: may be sent again. refused: for good. barred: the card has it back. */
export type FarSideState = "pending" | "done" | "failed" | "refused" | "barred";

function farSideStateOf(far: Readonly<FarSideMovement> | undefined): FarSideState {
	if (far === undefined) return "pending";
	if (far.creditedMinor > 0) return "done";
	if (far.barred) return "barred";
	return far.final ? "refused" : "failed";
}

/** lost: never by itself; nobody but this simulation knows. */
export type PostingState = "pending" | "posted" | "refused" | "lost";

function postingOf(
	{ sale, reversal }: Readonly<MovementRecord>,
	account: Readonly<MerchantMovement> | undefined,
	postings: PostingBook,
	records: AcquirerRecords,
): PostingState | undefined {
	if (
		sale?.code !== "00" ||
		sale.payee !== undefined ||
		reversal !== undefined ||
		records.standingVoid(sale.key) !== undefined
	)
		return undefined;
	if (account?.posted === true || (account?.creditedMinor ?? 0) >= limitOf(sale)) return "posted";
	if ((postings.refusal(sale.key)?.reason ?? 0) !== 0) return "refused";
	return sale.posting?.fault === "lost" ? "lost" : "pending";
}

function totalsOf(entries: readonly LedgerEntry[]): LedgerTotals {
	let approved = 0;
	let declined = 0;
	let reversed = 0;
	let tombstones = 0;
	let refunds = 0;
	let debitedMinor = 0;
	let creditedBackMinor = 0;
	let cardNetMinor = 0;
	let merchantNetMinor = 0;
	let farSidesNetMinor = 0;
	let oneSided = 0;
	for (const entry of entries) {
		if (entry.refund !== undefined) {
			if (entry.code === "00" && !entry.reversed) refunds++;
		} else if (entry.code === "00") approved++;
		else if (entry.code !== "") declined++;
		else if (entry.reversed && entry.debits === 0) tombstones++;
		if (entry.reversals > 0) reversed++;
		if (entry.debits > 0) {
			debitedMinor = addAmount(debitedMinor, entry.amountMinor, "total");
			const backMinor = subtractAmount(entry.amountMinor, entry.cardNetMinor, "total");
			creditedBackMinor = addAmount(creditedBackMinor, backMinor, "total");
		}
		cardNetMinor = addAmount(cardNetMinor, entry.cardNetMinor, "total");
		merchantNetMinor = addAmount(merchantNetMinor, entry.merchantNetMinor, "total");
		if (entry.farSide !== undefined) {
			farSidesNetMinor = addAmount(farSidesNetMinor, entry.merchantNetMinor, "total");
		}
		if (entry.cardNetMinor !== entry.merchantNetMinor) oneSided++;
	}
	return {
		movements: entries.length,
		approved,
		declined,
		reversed,
		tombstones,
		refunds,
		debitedMinor,
		creditedBackMinor,
		cardNetMinor,
		merchantNetMinor,
		farSidesNetMinor,
		oneSided,
		conserved: oneSided === 0,
	};
}
