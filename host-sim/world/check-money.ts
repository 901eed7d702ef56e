/**
 * I6: money is where people were told it is. Judged by the host's ledgers and the till's notebook alone; the
 * terminal's journal is not asked. Called at rest: links up, queues empty.
 * @module
 */

import type { Told } from "../../src/ports";
import type { LedgerEntry } from "../acquirer/statement";

/** What the till knows. */
export interface Witness {
	told(stan: number): Told | undefined;
	/** The amount that was told with it, minor units. */
	toldAmount(stan: number): number | undefined;
	stans(): number[];
}

export interface MoneyRow {
	readonly stan: number;
	/** undefined: nobody was told anything. */
	readonly told: Told | undefined;
	readonly cardNetMinor: number;
	readonly merchantNetMinor: number;
	/** Debits the issuer has made at any time. */
	readonly debits: number;
	/** What is wrong, in a few words; undefined when the money is where people were told it is. */
	readonly wrong: string | undefined;
}

export interface MoneyReport {
	readonly rows: readonly MoneyRow[];
	/** Sales whose money is not where people were told it is. */
	readonly oneSided: number;
	readonly conserved: boolean;
	readonly paid: number;
	readonly paidMinor: number;
	readonly notCharged: number;
	readonly cardNetMinor: number;
	readonly merchantNetMinor: number;
}

/**
 * @param entries - the host's movements, one for each sale it has seen
 * @param till - what screen and slips told people
 */
export function checkMoney(entries: readonly LedgerEntry[], till: Witness): MoneyReport {
	const rows: MoneyRow[] = [];
	const seen = new Set<number>();
	for (const entry of entries) {
		const again = seen.has(entry.stan);
		seen.add(entry.stan);
		const { stan, cardNetMinor, merchantNetMinor, debits } = entry;
		const told = till.told(stan);
		// STANs run on across batches (I4): one number, one sale.
		const wrong = again ? "two movements under one number" : judge(entry, told, till.toldAmount(stan));
		rows.push({ stan, told, cardNetMinor, merchantNetMinor, debits, wrong });
	}
	for (const stan of till.stans()) {
		if (seen.has(stan)) continue;
		const told = till.told(stan);
		const wrong = told === "paid" ? "told paid, the host knows nothing of it" : undefined;
		rows.push({ stan, told, cardNetMinor: 0, merchantNetMinor: 0, debits: 0, wrong });
	}
	rows.sort((a, b) => a.stan - b.stan);
	const paidRows = rows.filter((row) => row.told === "paid");
	const oneSided = rows.filter((row) => row.wrong !== undefined).length;
	const sum = (pick: (row: MoneyRow) => number) => rows.reduce((total, row) => total + pick(row), 0);
	const cardNetMinor = sum((row) => row.cardNetMinor);
	const merchantNetMinor = sum((row) => row.merchantNetMinor);
	return {
		rows,
		oneSided,
		conserved: oneSided === 0 && cardNetMinor === merchantNetMinor,
		paid: paidRows.length,
		paidMinor: paidRows.reduce((total, row) => total + row.merchantNetMinor, 0),
		notCharged: rows.filter((row) => row.told === "notCharged").length,
		cardNetMinor,
		merchantNetMinor,
	};
}

function judge(entry: LedgerEntry, told: Told | undefined, toldMinor: number | undefined): string | undefined {
	const { cardNetMinor, merchantNetMinor, amountMinor, debits, reversals } = entry;
	if (told === "paid") {
		if (toldMinor !== amountMinor) return "told another amount than was debited";
		if (cardNetMinor !== amountMinor) return "told paid, the card is not debited once";
		if (merchantNetMinor !== amountMinor) return "told paid, the merchant is not credited";
		return debits - reversals === 1 ? undefined : "told paid, more than one debit stands";
	}
	const what = told === "notCharged" ? "told not charged" : "told nothing";
	if (cardNetMinor !== 0 && merchantNetMinor === 0) return `${what}, the card is debited, the merchant not credited`;
	if (cardNetMinor !== 0) return `${what}, the card is debited`;
	return merchantNetMinor === 0 ? undefined : `${what}, the merchant is credited`;
}
