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
import { IssuerLedger } from "./issuer";
import type { LedgerStore } from "./ledger-store";
import { MerchantLedger } from "./merchant";
import { type MovementKey, MovementMap, movementText } from "./movement";
import { AcquirerRecords } from "./records";

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
	/** What the shop has received: the amount, less what was taken back. */
	readonly merchantNetMinor: number;
	/** Debits at the issuer: 0 or 1. */
	readonly debits: number;
	/** Credits back at the issuer: 0 or 1. */
	readonly reversals: number;
	/** DE 39 the acquirer recorded for it; empty where it has no record of it. */
	readonly code: string;
	/** The acquirer has recorded a reversal, with or without its original. */
	readonly reversed: boolean;
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
	return statementOf(new IssuerLedger(cards, store, noChance), new AcquirerRecords(store), new MerchantLedger(store));
}

/** Reads the three ledgers; order of first appearance at the issuer, then at the acquirer, then at the merchant. */
export function statementOf(issuer: IssuerLedger, records: AcquirerRecords, merchant: MerchantLedger): Statement {
	const keys = new MovementMap<MovementKey>();
	const note = (key: MovementKey | undefined): void => {
		if (key !== undefined && keys.get(key) === undefined) keys.add(key, key);
	};
	for (const { key } of issuer.movements()) note(key);
	for (const { sale, refund, reversal } of records.movements()) note((sale ?? refund ?? reversal)?.key);
	for (const { key } of merchant.movements()) note(key);

	const entries: LedgerEntry[] = [];
	for (const key of keys.values()) entries.push(entryOf(key, issuer, records, merchant));
	return { entries, totals: totalsOf(entries) };
}

function entryOf(
	key: MovementKey,
	issuer: IssuerLedger,
	records: AcquirerRecords,
	merchant: MerchantLedger,
): LedgerEntry {
	const held = issuer.movement(key);
	const posted = merchant.movement(key);
	const record = records.find(key);
	const debitedMinor = held?.debitedMinor ?? 0;
	const cardBackMinor = (held?.creditedMinor ?? 0) + (held?.refundedMinor ?? 0);
	const shopBackMinor = (posted?.debitedMinor ?? 0) + (posted?.refundedMinor ?? 0);
	const gave = held?.gave;
	const recordedMinor = (record?.sale ?? record?.refund ?? record?.reversal)?.amountMinor ?? gave?.amountMinor ?? 0;
	const original = record?.refund?.original ?? gave?.original;
	// One that died between the issuer's step and the acquirer's record has no type yet.
	const type = record?.refund?.type ?? (gave === undefined ? undefined : "refund");
	return {
		key: movementText(key),
		terminalId: key.terminalId,
		batch: key.batch,
		stan: key.stan,
		amountMinor: debitedMinor !== 0 ? debitedMinor : recordedMinor,
		cardNetMinor: subtractAmount(debitedMinor, cardBackMinor, "issuer net"),
		merchantNetMinor: subtractAmount(posted?.creditedMinor ?? 0, shopBackMinor, "merchant net"),
		debits: held?.debits ?? 0,
		reversals: held?.credits ?? 0,
		code: (record?.sale ?? record?.refund)?.code ?? "",
		reversed: record?.reversal !== undefined,
		...(type === undefined ? {} : { refund: { type, original: original === undefined ? "" : movementText(original) } }),
	};
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
		oneSided,
		conserved: oneSided === 0,
	};
}
