/**
 * The bank's side of a sale: what is recorded is posted to the merchant's account, at once or when it is due.
 *
 * A movement is posted once at most, unless the bank changes its mind: then it is taken back, and posted again. What was reversed or voided before it was due is never posted; a void that is taken
 * back makes it due again. Nothing here is durable by itself: when a posting is due stands in the sale's record, a
 * refusal in the bank's book, the posting in the merchant's ledger, so that a restart comes to the same.
 * @module
 */
import type { IssuerLedger } from "./issuer";
import type { MerchantLedger } from "./merchant";
import type { MovementKey } from "./movement";
import type { AccountKey, PostingBook } from "./posting-book";
import { Reason } from "./posting-reasons";
import { type AcquirerRecords, limitOf, type PostingPlan, type RefundRecord, type SaleRecord } from "./records";

/** What became of a posting that was due, for a line. */
export type PostingEvent = "posted" | "refused" | "second posting refused" | "taken back";

export interface PostingsOptions {
	readonly issuer: IssuerLedger;
	readonly records: AcquirerRecords;
	readonly merchant: MerchantLedger;
	readonly book: PostingBook;
	/** From a sale's record to its posting, ms. */
	readonly delayMs: number;
	/** Of those that were not posted with their record. */
	onPosting(what: PostingEvent, key: MovementKey, amountMinor: number): void;
}

type Step = "post" | "giveBack";

interface Due {
	readonly dueAt: number;
	readonly sale: SaleRecord;
}

export class Postings {
	readonly #options: PostingsOptions;
	/** By due time, soonest first; of equal ones the one that came first. What is not wanted any more is passed over. */
	readonly #queue: Due[] = [];

	constructor(options: PostingsOptions) {
		this.#options = options;
	}

	/** When something is due next, ms since 1970; Infinity when nothing is. */
	get nextDueMs(): number {
		return this.#queue.length === 0 ? Number.POSITIVE_INFINITY : this.#queue[0].dueAt;
	}

	/** How a sale recorded at `at` is posted; undefined: at once. */
	planAt(at: number): PostingPlan | undefined {
		const { delayMs } = this.#options;
		return delayMs === 0 ? undefined : { dueAt: at + delayMs };
	}

	/** A sale is in the records, or is wanted again: posts it when it is due. Safe to repeat. */
	enter(sale: SaleRecord, now: number): void {
		const step = this.#stepOf(sale);
		if (step === undefined) return;
		const dueAt = this.#dueOf(sale, step);
		if (dueAt <= now) {
			const done = step === "post" ? this.#post(sale, now) : this.#giveBack(sale, now);
			// A bank that changes its mind has another step before it.
			if (done && sale.posting?.backAt !== undefined) this.enter(sale, now);
			return;
		}
		let place = this.#queue.length;
		while (place > 0 && this.#queue[place - 1].dueAt > dueAt) place--;
		this.#queue.splice(place, 0, { dueAt, sale });
	}

	/** Posts what is due. */
	run(now: number): void {
		while (this.nextDueMs <= now) {
			const { sale } = this.#queue.shift()!;
			this.enter(sale, now);
		}
	}

	/** A void or refund is in the records: takes back what was posted, or waits until something is. Safe to repeat. */
	enterRefund({ key, original, amountMinor, code, at }: RefundRecord): void {
		if (code !== "00" || original === undefined) return;
		const { merchant } = this.#options;
		// Where less is posted than was sold, as yet or by a fault, there is less to take back.
		const takenMinor = merchant.movement(key)?.took?.amountMinor ?? 0;
		const amount = Math.min(amountMinor, takenMinor + merchant.netMinor(original));
		if (amount > 0) merchant.refund(key, original, amount, at);
	}

	/** Takes back at the merchant what a reversal of `at` took back at the issuer. Safe to repeat. */
	reverse(key: MovementKey, at: number, now: number): void {
		const { merchant, records } = this.#options;
		merchant.reverse(key, at);
		const original = records.find(key)?.refund?.original;
		const sale = original === undefined ? undefined : records.find(original)?.sale;
		// The void that kept it from being posted does not stand any more.
		if (sale !== undefined) this.enter(sale, now);
	}

	/** Something was credited to this movement by the desk: what it is to give back of that. */
	credited(key: MovementKey): void {
		for (const refund of this.#options.records.standingRefunds(key)) this.enterRefund(refund);
	}

	/** Given back to cards by refunds, and not yet taken from the merchant, as there is nothing to take it of. */
	waitingRefundsMinor(key: MovementKey): number {
		const { records, merchant } = this.#options;
		let sumMinor = 0;
		for (const refund of records.standingRefunds(key)) {
			if (refund.type !== "refund") continue;
			sumMinor += refund.amountMinor - (merchant.movement(refund.key)?.took?.amountMinor ?? 0);
		}
		return sumMinor;
	}

	/** The bank takes nothing for this account from now on. */
	refuseAccount(account: AccountKey, reason: number, now: number): void {
		this.#options.book.refuseAccount(account, reason, now);
	}

	/** The account is in order again. @returns how many postings that were refused are due again, after the usual delay */
	mendAccount(account: AccountKey, now: number): number {
		const { book, records, delayMs } = this.#options;
		const waiting = book.mendAccount(account, now + delayMs, now);
		for (const key of waiting) {
			const sale = records.find(key)?.sale;
			if (sale !== undefined) this.enter(sale, now);
		}
		return waiting.length;
	}

	/** A fault: the bank posts the whole sale, though the desk has posted of it. The ledger refuses it: it is too much. */
	postTwice(key: MovementKey, now: number): void {
		const { merchant, onPosting } = this.#options;
		const limitMinor = merchant.movement(key)?.limitMinor ?? 0;
		const done = merchant.credit(key, limitMinor, now, limitMinor);
		onPosting(done ? "posted" : "second posting refused", key, limitMinor);
	}

	/**
	 * What the bank does with it next, if anything: of the merchant's money, approved, still in the records, neither reversed nor
	 * voided, and to be posted by the bank at all.
	 */
	#stepOf(sale: SaleRecord): Step | undefined {
		const { records, merchant } = this.#options;
		const fault = sale.posting?.fault;
		if (sale.code !== "00" || sale.payee !== undefined || fault === "lost" || fault === "claimed") return undefined;
		const known = records.find(sale.key);
		if (known?.sale !== sale || known.reversal !== undefined) return undefined;
		if (known.refunds !== undefined && records.standingVoid(sale.key) !== undefined) return undefined;
		const account = merchant.movement(sale.key);
		if (account?.posted !== true) return "post";
		return sale.posting?.backAt === undefined || account.returned ? undefined : "giveBack";
	}

	#dueOf({ key, posting, at }: SaleRecord, step: Step): number {
		const { book, merchant } = this.#options;
		if (step === "giveBack") return posting?.backAt ?? at;
		const refused = book.refusal(key);
		if (refused !== undefined && refused.reason === 0) return refused.dueAt;
		const again = merchant.movement(key)?.returned === true ? posting?.againAt : undefined;
		return again ?? posting?.dueAt ?? at;
	}

	/** A fault: the bank takes back what it has posted. @returns false where something else was moved of it since */
	#giveBack({ key, amountMinor }: SaleRecord, now: number): boolean {
		const { merchant, onPosting } = this.#options;
		const done = merchant.giveBack(key, now);
		if (done) onPosting("taken back", key, amountMinor);
		return done;
	}

	/** @returns false when nothing was posted */
	#post(sale: SaleRecord, now: number): boolean {
		const { issuer, merchant, book, onPosting } = this.#options;
		const { key, posting } = sale;
		const refused = book.refusal(key);
		if (refused !== undefined && refused.reason !== 0) return false;
		const byFault = posting?.fault === "refused" && refused === undefined ? Reason.merchantAccount : Reason.none;
		const reason = book.accountReason(key) || byFault;
		if (reason !== Reason.none) {
			book.refuse(key, reason, now);
			onPosting("refused", key, sale.amountMinor);
			return false;
		}
		const limitMinor = limitOf(sale);
		// What the desk has given back to the card is not the shop's any more.
		const leftMinor = limitMinor - (issuer.movement(key)?.adjustedMinor ?? 0);
		const wantedMinor = Math.min(posting?.amountMinor ?? sale.amountMinor, leftMinor);
		if (wantedMinor <= 0) return false;
		const creditedMinor = merchant.movement(key)?.creditedMinor ?? 0;
		const restMinor = Math.min(wantedMinor, leftMinor - creditedMinor);
		// Where a claim has credited all of it the bank comes too late, and the ledger says so.
		const amountMinor = restMinor > 0 ? restMinor : wantedMinor;
		if (restMinor <= 0 && creditedMinor + wantedMinor <= limitMinor) return false;
		const undelayed = posting?.dueAt === undefined && refused === undefined;
		const done = merchant.credit(key, amountMinor, undelayed ? sale.at : now, limitMinor);
		if (!done) onPosting("second posting refused", key, amountMinor);
		else if (!undelayed) onPosting("posted", key, amountMinor);
		if (done) this.credited(key);
		return done;
	}
}
