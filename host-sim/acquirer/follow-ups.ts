/**
 * What refers to an earlier sale: void, refund, resend, query. Same rules as processor.ts: each durable step may be
 * repeated without effect.
 *
 * A void or a refund is a movement of its own, kept with its answer, refusals too: a copy that lay in the network must
 * not succeed after the terminal was told that it had failed. A resend is no movement of its own: it stands for its
 * original and is kept under the original's number.
 * @module
 */

import type { MovementKey } from "./movement";
import {
	CODE_AFTER_REVERSAL,
	CODE_BATCH_CLOSED,
	CODE_NOT_PERMITTED,
	CODE_NOT_SUPPORTED,
	CODE_NUMBER_USED,
	CODE_ORIGINAL_DIFFERS,
	CODE_UNKNOWN_ORIGINAL,
	type Outcome,
	refusal,
} from "./outcome";
import type { Books, CrashPoint } from "./processor";
import { askedOf, limitOf, type RefundRecord, type ReversalRecord, type SaleRecord } from "./records";
import type { RequestFields } from "./requests";

export interface FollowUpOptions {
	/** Takes resends. */
	readonly resends: boolean;
	/** At a resend it takes a reversal back that nobody had asked for. */
	readonly reinstates: boolean;
}

export class FollowUps {
	readonly #books: Books;
	readonly #options: FollowUpOptions;

	constructor(books: Books, options: FollowUpOptions) {
		this.#books = books;
		this.#options = options;
	}

	/** A void or a refund. @returns undefined when it crashed, at the point that it was told */
	refund(request: RequestFields, crash: CrashPoint): Outcome | undefined {
		const { issuer, records } = this.#books;
		const { key, at, amountMinor, maskedPan } = request;
		const type = request.kind === "void" ? "void" : "refund";
		const known = records.find(key);
		if (known?.reversal !== undefined) return refusal(CODE_AFTER_REVERSAL, at);
		if (known?.refund !== undefined) {
			const { refund } = known;
			const same = refund.type === type && askedOf(refund) === amountMinor && refund.card === maskedPan;
			return same ? answerOf(refund) : refusal(CODE_NUMBER_USED, at);
		}
		if (known !== undefined) return refusal(CODE_NUMBER_USED, at);
		// What the issuer holds was begun before a crash: it is no new one, and this repeat finishes it.
		const begun = issuer.movement(key) !== undefined;
		if (type === "void" && !begun && this.#books.isClosed(key)) return refusal(CODE_BATCH_CLOSED, at);
		const original = this.#originalOf(request);
		let code = this.#judge(request, original);
		const givenMinor = code === "00" && original !== undefined ? this.#given(type, original, amountMinor) : amountMinor;
		if (code === "00" && original !== undefined) {
			code = issuer.refund({ key, original: original.key, maskedPan, amountMinor: givenMinor, at });
			if (crash === "betweenSteps") return undefined;
			// These two speak of what the issuer holds under this number: they settle nothing.
			if (code === CODE_AFTER_REVERSAL || code === CODE_NUMBER_USED) return refusal(code, at);
		}
		if (crash === "betweenSteps") return undefined;
		// The issuer holds a debit under this number that a crash has kept from the records: the number is not free.
		if ((issuer.movement(key)?.debits ?? 0) > 0) return refusal(CODE_NUMBER_USED, at);
		const record: RefundRecord = {
			kind: "refund",
			type,
			key,
			...(original === undefined ? {} : { original: original.key }),
			card: maskedPan,
			amountMinor: givenMinor,
			...(givenMinor === amountMinor ? {} : { askedMinor: amountMinor }),
			code,
			rrn: this.#books.newRrn(at),
			authorization: code === "00" ? (original?.authorization ?? "") : "",
			at,
		};
		records.add(record);
		if (crash === "afterRecord") return undefined;
		this.#books.postings.enterRefund(record);
		return { ...answerOf(record), repeat: false };
	}

	/**
	 * The terminal holds an approval and the host may not know of it: what stands is confirmed, what is unknown is made
	 * good under the original's number, what was taken back is refused, unless nobody had asked for that.
	 */
	resend(request: RequestFields, crash: CrashPoint): Outcome | undefined {
		const { at, original } = request;
		const key = original?.key;
		if (key === undefined) return refusal(CODE_UNKNOWN_ORIGINAL, at);
		if (!this.#options.resends) return refusal(CODE_NOT_SUPPORTED, at);
		const known = this.#books.records.find(key);
		if (known?.reversal !== undefined) return this.#reinstate(request, known.sale, known.reversal);
		if (known?.refund !== undefined) return refusal(CODE_NUMBER_USED, at);
		if (known?.sale === undefined) {
			const slip = original?.rrn ?? "";
			return this.#books.debit(request, { key, by: "resend", ...(slip === "" ? {} : { slipRrn: slip }) }, crash);
		}
		const { sale } = known;
		if (!this.#agrees(request, sale)) return refusal(CODE_ORIGINAL_DIFFERS, at);
		if (this.#rest(sale) === 0 && sale.code === "00") return refusal(CODE_AFTER_REVERSAL, at);
		return answerOf(sale);
	}

	/** Safe to begin again after a crash: until the record is there, a restart takes all of it back. */
	#reinstate(request: RequestFields, sale: SaleRecord | undefined, reversal: ReversalRecord): Outcome {
		const { issuer, records, merchant, postings } = this.#books;
		const { at } = request;
		const possible = this.#options.reinstates && reversal.by === "host" && sale !== undefined;
		if (!possible) return refusal(CODE_AFTER_REVERSAL, at);
		if (!this.#agrees(request, sale)) return refusal(CODE_ORIGINAL_DIFFERS, at);
		const { key } = sale;
		issuer.reinstate(key, at);
		merchant.reinstate(key, at);
		records.add({ kind: "reinstated", key, at });
		postings.enter(sale, at);
		return answerOf(sale);
	}

	/** How a transaction stands: its recorded answer, 12 when it was taken back, 25 when nobody knows it. */
	query(request: RequestFields): Outcome {
		const { at, original } = request;
		const known = original?.key === undefined ? undefined : this.#books.records.find(original.key);
		const record = known?.sale ?? known?.refund;
		if (record === undefined) return refusal(CODE_UNKNOWN_ORIGINAL, at);
		const takenBack = record.kind === "sale" && record.code === "00" && this.#rest(record) === 0;
		if (known?.reversal !== undefined || takenBack) return refusal(CODE_AFTER_REVERSAL, at);
		return { ...answerOf(record), repeat: false, amountMinor: record.amountMinor };
	}

	/** By batch and STAN, or by the RRN of the slip; an RRN that contradicts the number names no transaction. */
	#originalOf({ original, key }: RequestFields): SaleRecord | undefined {
		if (original === undefined) return undefined;
		const { records } = this.#books;
		if (original.key === undefined) return records.findByRrn(key.merchantId, original.rrn);
		const sale = records.find(original.key)?.sale;
		const fits = original.rrn === "" || original.rrn === sale?.rrn || original.rrn === sale?.slipRrn;
		return fits ? sale : undefined;
	}

	/** DE 39 as the acquirer sees it; the issuer decides after it, by its own ledger. */
	#judge(request: RequestFields, original: SaleRecord | undefined): string {
		if (original === undefined || original.code !== "00") return CODE_UNKNOWN_ORIGINAL;
		// What a far side may have is given back by the desk alone.
		if (original.payee !== undefined) return CODE_NOT_PERMITTED;
		if (this.#books.records.find(original.key)?.reversal !== undefined) return CODE_AFTER_REVERSAL;
		if (original.card !== request.maskedPan) return CODE_ORIGINAL_DIFFERS;
		const rest = this.#rest(original);
		if (rest === 0) return CODE_AFTER_REVERSAL;
		if (request.kind === "refund") return request.amountMinor <= rest ? "00" : CODE_ORIGINAL_DIFFERS;
		// A void takes all of it back: of a sale partly refunded there is no void any more.
		if (request.amountMinor !== askedOf(original)) return CODE_ORIGINAL_DIFFERS;
		const untouched = this.#books.records.standingRefunds(original.key).length === 0;
		return untouched && rest >= askedOf(original) ? "00" : CODE_AFTER_REVERSAL;
	}

	/** A void takes back all that was booked, also where that is not what was asked for. */
	#given(type: RefundRecord["type"], { key, amountMinor: bookedMinor }: SaleRecord, askedMinor: number): number {
		if (type === "refund") return askedMinor;
		return (this.#books.issuer.movement(key)?.debitedMinor ?? bookedMinor) - this.#adjusted(key);
	}

	#adjusted(key: MovementKey): number {
		return this.#books.issuer.movement(key)?.adjustedMinor ?? 0;
	}

	#agrees(request: RequestFields, sale: SaleRecord): boolean {
		return sale.payee === undefined && askedOf(sale) === request.amountMinor && sale.card === request.maskedPan;
	}

	/** What voids, refunds and the desk have left of an approved sale that was not reversed. */
	#rest(sale: SaleRecord): number {
		const { records } = this.#books;
		const refunds = records.standingRefunds(sale.key);
		const backMinor = refunds.reduce((sum, { amountMinor }) => sum + amountMinor, 0);
		return limitOf(sale) - backMinor - this.#adjusted(sale.key);
	}
}

/** Given again, unchanged. */
function answerOf(record: SaleRecord | RefundRecord): Outcome {
	return { code: record.code, rrn: record.rrn, authorization: record.authorization, at: record.at, repeat: true };
}
