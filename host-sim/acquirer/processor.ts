/**
 * What the acquirer does with a sale and with a reversal: the durable steps over the three ledgers, in their order,
 * and nothing of connections or bytes. See DESIGN.md, "Order of durable steps".
 *
 * Each step may be repeated without effect, so a crash between any two is mended by whatever comes next: the restart
 * (which finishes what the acquirer has recorded), the terminal's repeat, or its reversal.
 * @module
 */
import type { TestCard } from "../test-cards";
import { hostDate, hostMonth } from "./host-time";
import { IssuerLedger, type ReversalResult } from "./issuer";
import type { LedgerStore } from "./ledger-store";
import { MerchantLedger } from "./merchant";
import type { MovementKey } from "./movement";
import type { IntegerSource } from "./random";
import { AcquirerRecords, type ReversalRecord, type SaleRecord } from "./records";
import { type Statement, statementOf } from "./statement";

/** A sale, decoded and authenticated. */
export interface SaleRequest {
	readonly key: MovementKey;
	readonly pan: string;
	/** The card number as logs and records show it. */
	readonly maskedPan: string;
	/** YYMM. */
	readonly expiry: string;
	readonly amountMinor: number;
	/** Decrypted; undefined when the message carries no PIN block. */
	readonly pin: string | undefined;
	/** Host's wall time of arrival, ms since 1970. */
	readonly at: number;
}

/** A reversal, decoded and authenticated. */
export interface ReversalRequest {
	/** Of the original. */
	readonly key: MovementKey;
	readonly maskedPan: string;
	readonly amountMinor: number;
	/** DE 39 of the request. */
	readonly reason: string;
	readonly at: number;
}

/** What the answer says. */
export interface Outcome {
	/** DE 39. */
	readonly code: string;
	/** DE 37. */
	readonly rrn: string;
	/** DE 38, empty when there is none. */
	readonly authorization: string;
	/** DE 12, 13, 15: of the first answer, also when it is given again. */
	readonly at: number;
	/** The same request was answered before. */
	readonly repeat: boolean;
}

/** DE 39 for an original that comes after its reversal: invalid transaction. */
export const CODE_AFTER_REVERSAL = "12";
/** DE 39 for another sale under a number that is used: duplicate transmission. */
export const CODE_NUMBER_USED = "94";
/** DE 39 for a reversal that does not agree with its original: original amount incorrect. It ends no repeating. */
export const CODE_REVERSAL_MISMATCH = "64";
/** DE 39 for a reversal whose original nobody knows. */
export const CODE_UNKNOWN_ORIGINAL = "25";

const RRN_NUMBERS = 100_000_000;

export interface ProcessorOptions {
	readonly store: LedgerStore;
	readonly cards: readonly TestCard[];
	readonly random: IntegerSource;
}

export class Processor {
	readonly #issuer: IssuerLedger;
	readonly #merchant: MerchantLedger;
	readonly #records: AcquirerRecords;

	/** Replays the store and finishes what a crash interrupted. @throws {CodedError} "damaged" */
	constructor(options: ProcessorOptions) {
		this.#issuer = new IssuerLedger(options.cards, options.store, options.random);
		this.#merchant = new MerchantLedger(options.store);
		this.#records = new AcquirerRecords(options.store);
		for (const { sale, reversal } of this.#records.movements()) {
			if (reversal !== undefined) this.#takeBack(reversal);
			else if (sale !== undefined) this.#post(sale);
		}
	}

	/**
	 * @param crash - stop between the issuer's debit and the acquirer's record, as a dying host would
	 * @returns undefined when it crashed
	 */
	sale(request: SaleRequest, crash: boolean): Outcome | undefined {
		const known = this.#records.find(request.key);
		if (known?.reversal !== undefined) return this.#refusal(CODE_AFTER_REVERSAL, request.at);
		if (known?.sale !== undefined) {
			const same = known.sale.amountMinor === request.amountMinor && known.sale.card === request.maskedPan;
			return same ? { ...answerOf(known.sale), repeat: true } : this.#refusal(CODE_NUMBER_USED, request.at);
		}
		const { code, authorization } = this.#issuer.authorize({
			key: request.key,
			pan: request.pan,
			expiry: request.expiry,
			amountMinor: request.amountMinor,
			pin: request.pin,
			at: request.at,
			month: hostMonth(request.at),
		});
		if (crash) return undefined;
		// These two speak of what the issuer holds under this number, not of this request: they settle nothing.
		if (code === CODE_AFTER_REVERSAL || code === CODE_NUMBER_USED) return this.#refusal(code, request.at);
		const record: SaleRecord = {
			kind: "sale",
			key: request.key,
			card: request.maskedPan,
			amountMinor: request.amountMinor,
			code,
			rrn: this.#newRrn(request.at),
			authorization,
			at: request.at,
		};
		this.#records.add(record);
		this.#post(record);
		return { ...answerOf(record), repeat: false };
	}

	/**
	 * Safe to repeat: the same answer each time.
	 * @param crash - stop between the acquirer's record of the reversal and the issuer's credit
	 * @returns undefined when it crashed
	 */
	reversal(request: ReversalRequest, crash: boolean): Outcome | undefined {
		const known = this.#records.find(request.key);
		const sale = known?.sale;
		if (sale !== undefined && (sale.amountMinor !== request.amountMinor || sale.card !== request.maskedPan)) {
			return this.#refusal(CODE_REVERSAL_MISMATCH, request.at);
		}
		const repeat = known?.reversal !== undefined;
		// Recorded first: from here on the original is refused and the reversal is finished even after a crash.
		const record = known?.reversal ?? {
			kind: "reversal" as const,
			key: request.key,
			card: request.maskedPan,
			amountMinor: request.amountMinor,
			reason: request.reason,
			rrn: this.#newRrn(request.at),
			at: request.at,
		};
		if (!repeat) this.#records.add(record);
		if (crash) return undefined;
		// Passed on to the issuer even without a record of the original: it may have debited before a crash.
		const result = this.#takeBack({
			...record,
			amountMinor: request.amountMinor,
			card: request.maskedPan,
			at: request.at,
		});
		if (result === "mismatch") return this.#refusal(CODE_REVERSAL_MISMATCH, request.at);
		const originalKnown = sale !== undefined || result === "credited";
		const code = originalKnown ? "00" : CODE_UNKNOWN_ORIGINAL;
		return { code, rrn: record.rrn, authorization: "", at: record.at, repeat };
	}

	/** An answer that leaves no trace in any ledger. */
	refuse(code: string, at: number): Outcome {
		return this.#refusal(code, at);
	}

	/** What a card holds. @throws {CodedError} "unknown" */
	balance(card: string): number {
		return this.#issuer.balance(card);
	}

	statement(): Statement {
		return statementOf(this.#issuer, this.#records, this.#merchant);
	}

	/** Credits the merchant with an approved sale. */
	#post(sale: SaleRecord): void {
		if (sale.code === "00") this.#merchant.credit(sale.key, sale.amountMinor, sale.at);
	}

	/** Issuer first: the shop gives back only what the card has got back, or was never taken from it. */
	#takeBack(reversal: Pick<ReversalRecord, "key" | "card" | "amountMinor" | "at">): ReversalResult {
		const { key, card, amountMinor, at } = reversal;
		const result = this.#issuer.reverse(key, card, amountMinor, at);
		if (result !== "mismatch") this.#merchant.reverse(key, at);
		return result;
	}

	/** Number 0: no record stands behind this answer. */
	#refusal(code: string, at: number): Outcome {
		return { code, rrn: `${hostDate(at)}00000000`, authorization: "", at, repeat: false };
	}

	/** Retrieval reference number: MMDD and a running number, which the records carry on across restarts. */
	#newRrn(at: number): string {
		return hostDate(at) + String((this.#records.count + 1) % RRN_NUMBERS).padStart(8, "0");
	}
}

function answerOf(record: SaleRecord): Omit<Outcome, "repeat"> {
	return { code: record.code, rrn: record.rrn, authorization: record.authorization, at: record.at };
}
