/**
 * I6: money is where people were told it is. Judged by the host's ledgers and by what the shop knows alone: the till's
 * notebook, and what was promised without a screen (offline sales, refunds, resends); no terminal's journal is asked.
 * Called at rest: links up, queues empty.
 * @module
 */

import type { Told } from "../../src/ports";
import type { LedgerEntry } from "../acquirer/statement";
import type { MoneyPromise } from "./people";

/** What the till knows. */
export interface Witness {
	told(stan: number): Told | undefined;
	/** The amount that was told with it, minor units. */
	toldAmount(stan: number): number | undefined;
	stans(): number[];
}

/** What one terminal's shop knows. */
export interface MoneyBook {
	/** DE 41. */
	readonly terminalId: string;
	readonly till: Witness;
	/** In the order they were made; those of other terminals do not count. */
	readonly promises: readonly MoneyPromise[];
}

export interface MoneyRow {
	readonly terminalId: string;
	readonly stan: number;
	/** What people were told, or promised; undefined: nobody was told anything. */
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
	/** Offline sales that the issuer has declined: the goods are gone, nobody has paid. */
	readonly losses: number;
	readonly lossMinor: number;
	/** Refunds that stand: what they gave back is missing in both nets of their originals. */
	readonly refunds: number;
	readonly refundedMinor: number;
}

const APPROVED = "00";

/**
 * One shop, all of the host's movements being its own.
 * @param entries - the host's movements, one for each number it has seen
 * @param till - what screen and slips told people
 * @param promises - what was promised beside it
 */
export function checkMoney(
	entries: readonly LedgerEntry[],
	till: Witness,
	promises: readonly MoneyPromise[] = [],
): MoneyReport {
	const judge = new Judge("", till, promises);
	judge.read(entries);
	return reportOf([judge]);
}

/** Several shops on one host. A movement of a terminal that is nobody's is wrong. */
export function checkMoneyOfAll(entries: readonly LedgerEntry[], books: readonly MoneyBook[]): MoneyReport {
	const judges = books.map(({ terminalId, till, promises }) => {
		const judge = new Judge(terminalId, till, promises);
		judge.read(entries.filter((entry) => entry.terminalId === terminalId));
		return judge;
	});
	const strangers = entries.filter((entry) => !books.some(({ terminalId }) => terminalId === entry.terminalId));
	return reportOf(
		judges,
		strangers.map((entry) => rowOf(entry.terminalId, entry, undefined, "of a terminal that is nobody's")),
	);
}

/** A promise, and whether the host's ledgers have shown what became of it. */
interface Promised {
	readonly promise: MoneyPromise;
	met: boolean;
}

class Judge {
	readonly rows: MoneyRow[] = [];
	losses = 0;
	lossMinor = 0;
	refunds = 0;
	refundedMinor = 0;
	readonly #terminalId: string;
	readonly #till: Witness;
	/** By trace number. */
	readonly #promised = new Map<number, Promised>();
	/** Power went inside the call: nobody was told, and the host may hear of it or not. */
	readonly #uncertain: Promised[] = [];
	/** What stands of refunds against an original, by its key. */
	readonly #given = new Map<string, number>();

	constructor(terminalId: string, till: Witness, promises: readonly MoneyPromise[]) {
		this.#terminalId = terminalId;
		this.#till = till;
		for (const promise of promises) {
			if (terminalId !== "" && promise.terminalId !== terminalId) continue;
			if (promise.stan === 0) this.#uncertain.push({ promise, met: false });
			else this.#promised.set(promise.stan, { promise, met: false });
		}
	}

	/** @param entries - all movements of this terminal */
	read(entries: readonly LedgerEntry[]): void {
		const seen = new Map<number, LedgerEntry>();
		const originals = new Map<string, LedgerEntry>();
		for (const entry of entries) originals.set(entry.key, entry);
		// Refunds first: what they give back is expected to be missing at their originals.
		const refundsWrong = new Map<LedgerEntry, string | undefined>();
		for (const entry of entries) {
			if (entry.refund === undefined) continue;
			refundsWrong.set(entry, this.#judgeRefund(entry, originals));
			if (entry.code !== APPROVED || entry.reversed) continue;
			const { original } = entry.refund;
			this.#given.set(original, (this.#given.get(original) ?? 0) + entry.amountMinor);
			this.refunds++;
			this.refundedMinor += entry.amountMinor;
		}
		for (const entry of entries) {
			const { stan } = entry;
			// STANs run on across batches (I4): one number, one movement.
			const wrong = seen.has(stan)
				? "two movements under one number"
				: entry.refund === undefined
					? this.#judgeMovement(entry)
					: refundsWrong.get(entry);
			seen.set(stan, entry);
			this.rows.push(rowOf(this.#terminalId, entry, this.#promiseAt(stan) ?? this.#till.told(stan), wrong));
		}
		for (const stan of this.#till.stans()) {
			if (seen.has(stan)) continue;
			const told = this.#till.told(stan);
			const wrong = told === "paid" ? "told paid, the host knows nothing of it" : undefined;
			this.#rowWithout(stan, told, wrong);
		}
		for (const [stan, { promise, met }] of this.#promised) {
			if (met) continue;
			if (promise.kind !== "resend") {
				if (!seen.has(stan)) this.#rowWithout(stan, "paid", `${promise.kind} promised, the host knows nothing of it`);
			} else if (!seen.has(promise.originalStan)) {
				this.#rowWithout(stan, "paid", "a resend, and the host does not know its original");
			}
		}
		this.rows.sort((a, b) => a.stan - b.stan);
	}

	/** A debit, or what might have become one. */
	#judgeMovement(entry: LedgerEntry): string | undefined {
		const { stan, amountMinor } = entry;
		const told = this.#till.told(stan);
		const promised = this.#promised.get(stan) ?? (told === undefined ? this.#findUncertain(entry) : undefined);
		const givenMinor = this.#given.get(entry.key) ?? 0;
		if (promised === undefined) return judgeSale(entry, told, this.#till.toldAmount(stan), givenMinor);
		const { promise } = promised;
		promised.met = true;
		if (promise.kind === "resend") return "a resend has moved money under its own number";
		if (promise.kind === "refund") return "a refund has debited the card";
		if (told === "notCharged") return "told not charged of an offline sale";
		if (entry.code === APPROVED) return judgeSale(entry, "paid", promise.amountMinor, givenMinor);
		if (promise.amountMinor !== amountMinor) return "an offline sale of another amount";
		// The issuer does not pay: the goods are gone, and that is all that may be.
		if (entry.cardNetMinor !== 0 || entry.merchantNetMinor !== 0)
			return "an offline sale was declined, and money moved";
		if (entry.reversed) return "an offline sale was reversed";
		this.losses++;
		this.lossMinor += amountMinor;
		return undefined;
	}

	#judgeRefund(entry: LedgerEntry, originals: ReadonlyMap<string, LedgerEntry>): string | undefined {
		const { stan, amountMinor, refund, code } = entry;
		if (refund?.type !== "refund") return "a void that nobody has made";
		const promised = this.#promised.get(stan) ?? this.#findUncertain(entry);
		if (promised === undefined) return "a refund that nobody has promised";
		promised.met = true;
		const { promise } = promised;
		const original = originals.get(refund.original);
		if (promise.kind !== "refund") return `a refund in place of ${promise.kind}`;
		if (promise.amountMinor !== amountMinor) return "a refund of another amount";
		if (entry.reversed) return "a refund was reversed";
		const isItsOriginal =
			original !== undefined && original.stan === promise.originalStan && original.batch === promise.originalBatch;
		if (code === APPROVED) return isItsOriginal ? undefined : "a refund of another sale";
		// Refused with good reason only: what is left of the original is less than that.
		const left = [...originals.values()].find(
			({ stan: at, batch }) => at === promise.originalStan && batch === promise.originalBatch,
		);
		const couldBe = left !== undefined && left.cardNetMinor >= amountMinor;
		return couldBe ? "a refund was refused, and its original stands" : undefined;
	}

	/** A call in which power went: that may be what the host has heard of. */
	#findUncertain(entry: LedgerEntry): Promised | undefined {
		const { amountMinor, refund } = entry;
		return this.#uncertain.find(({ promise, met }) => {
			// Of another amount the difference may have been given back.
			if (met || (promise.amountMinor !== amountMinor && promise.amountMinor !== entry.cardNetMinor)) return false;
			if (refund === undefined) return promise.kind === "offlineSale";
			return promise.kind === "refund" && refund.original.endsWith(`/${promise.originalBatch}/${promise.originalStan}`);
		});
	}

	/** What the shop has said of a number by handing it in. */
	#promiseAt(stan: number): Told | undefined {
		return this.#promised.get(stan)?.promise.kind === "offlineSale" ? "paid" : undefined;
	}

	#rowWithout(stan: number, told: Told | undefined, wrong: string | undefined): void {
		const { rows } = this;
		rows.push({ terminalId: this.#terminalId, stan, told, cardNetMinor: 0, merchantNetMinor: 0, debits: 0, wrong });
	}
}

/** @param givenMinor - what refunds that stand have given back of it */
function judgeSale(
	entry: LedgerEntry,
	told: Told | undefined,
	toldMinor: number | undefined,
	givenMinor: number,
): string | undefined {
	const { cardNetMinor, merchantNetMinor, amountMinor, debits, reversals } = entry;
	if (told === "paid") {
		// What counts is what people were told, not what the books have: a difference may have been given back since.
		const leftMinor = (toldMinor ?? -1) - givenMinor;
		const less = givenMinor === 0 ? "" : ", less its refunds";
		if (cardNetMinor !== leftMinor && toldMinor !== amountMinor) return "told another amount than was debited";
		if (cardNetMinor !== leftMinor) return `told paid, the card is not debited once${less}`;
		if (merchantNetMinor !== leftMinor) return `told paid, the merchant is not credited${less}`;
		return debits - reversals === 1 ? undefined : "told paid, more than one debit stands";
	}
	const what = told === "notCharged" ? "told not charged" : "told nothing";
	if (givenMinor !== 0) return `${what}, and refunded`;
	if (cardNetMinor !== 0 && merchantNetMinor === 0) return `${what}, the card is debited, the merchant not credited`;
	if (cardNetMinor !== 0) return `${what}, the card is debited`;
	return merchantNetMinor === 0 ? undefined : `${what}, the merchant is credited`;
}

function rowOf(terminalId: string, entry: LedgerEntry, told: Told | undefined, wrong: string | undefined): MoneyRow {
	const { stan, cardNetMinor, merchantNetMinor, debits } = entry;
	return { terminalId, stan, told, cardNetMinor, merchantNetMinor, debits, wrong };
}

function reportOf(judges: readonly Judge[], more: readonly MoneyRow[] = []): MoneyReport {
	const rows = [...judges.flatMap((judge) => judge.rows), ...more];
	const sum = (pick: (row: MoneyRow) => number) => rows.reduce((total, row) => total + pick(row), 0);
	const total = (pick: (judge: Judge) => number) => judges.reduce((all, judge) => all + pick(judge), 0);
	const paidRows = rows.filter((row) => row.told === "paid");
	const oneSided = rows.filter((row) => row.wrong !== undefined).length;
	const cardNetMinor = sum((row) => row.cardNetMinor);
	const merchantNetMinor = sum((row) => row.merchantNetMinor);
	return {
		rows,
		oneSided,
		conserved: oneSided === 0 && cardNetMinor === merchantNetMinor,
		paid: paidRows.length,
		paidMinor: paidRows.reduce((all, row) => all + row.merchantNetMinor, 0),
		notCharged: rows.filter((row) => row.told === "notCharged").length,
		cardNetMinor,
		merchantNetMinor,
		losses: total((judge) => judge.losses),
		lossMinor: total((judge) => judge.lossMinor),
		refunds: total((judge) => judge.refunds),
		refundedMinor: total((judge) => judge.refundedMinor),
	};
}
