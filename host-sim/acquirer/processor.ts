/**
 * What the acquirer does with a sale and with a reversal: the durable steps over the three ledgers, in their order,
 * and nothing of connections or bytes. What refers to an earlier sale is in follow-ups.ts. See DESIGN.md, "Order of
 * durable steps".
 *
 * Each step may be repeated without effect, so a crash between any two is mended by whatever comes next: the restart
 * (which finishes what the acquirer has recorded), the terminal's repeat, or its reversal.
 * @module
 */
import type { TestCard } from "../test-cards";
import { FollowUps } from "./follow-ups";
import { hostDate, hostMonth } from "./host-time";
import { IssuerLedger } from "./issuer";
import type { LedgerStore } from "./ledger-store";
import { MerchantLedger } from "./merchant";
import type { MovementKey } from "./movement";
import {
	CODE_AFTER_REVERSAL,
	CODE_NUMBER_USED,
	CODE_ORIGINAL_DIFFERS,
	CODE_UNKNOWN_ORIGINAL,
	type Outcome,
	refusal,
} from "./outcome";
import type { IntegerSource } from "./random";
import { AcquirerRecords, type ReversalRecord, type SaleRecord } from "./records";
import type { RequestFields } from "./requests";
import { type Statement, statementOf } from "./statement";
import type { TerminalEntry } from "./test-keys";

/**
 * Where a dying host leaves a request half-done.
 * betweenSteps: after the issuer's step and before the acquirer's record; of a reversal after the record.
 * afterRecord: after both, before the merchant's account is touched or anything is answered.
 */
export type CrashPoint = "none" | "betweenSteps" | "afterRecord";

/** The three ledgers, and what they need together. */
export interface Books {
	readonly issuer: IssuerLedger;
	readonly records: AcquirerRecords;
	readonly merchant: MerchantLedger;
	/** Retrieval reference number: MMDD and a running number, which the records carry on across restarts. */
	newRrn(at: number): string;
	/** Makes a debit that the acquirer has no record of: authorizes, records, posts. Undefined: crashed in between. */
	debit(request: RequestFields, sale: NewSale, crash: CrashPoint): Outcome | undefined;
}

/** What is debited, beside the card. */
export interface NewSale extends Pick<SaleRecord, "key" | "by" | "slipRrn"> {}

const RRN_NUMBERS = 100_000_000;
const BATCH_MAX = 999_999;

export interface ProcessorOptions {
	readonly store: LedgerStore;
	readonly cards: readonly TestCard[];
	readonly random: IntegerSource;
	/** No memory of reversals of what it does not know. */
	readonly forgetful: boolean;
}

export class Processor {
	readonly #issuer: IssuerLedger;
	readonly #merchant: MerchantLedger;
	readonly #records: AcquirerRecords;
	readonly #followUps: FollowUps;
	readonly #forgetful: boolean;

	/** Replays the ledgers and finishes what the acquirer has recorded. @throws {CodedError} "damaged" */
	constructor(options: ProcessorOptions) {
		this.#issuer = new IssuerLedger(options.cards, options.store, options.random);
		this.#forgetful = options.forgetful;
		this.#merchant = new MerchantLedger(options.store);
		this.#records = new AcquirerRecords(options.store);
		this.#followUps = new FollowUps({
			issuer: this.#issuer,
			records: this.#records,
			merchant: this.#merchant,
			newRrn: (at) => this.#newRrn(at),
			debit: (request, sale, crash) => this.#debit(request, sale, crash),
		});
		for (const { sale, refund, reversal } of this.#records.movements()) {
			if (sale !== undefined && reversal === undefined) this.#post(sale);
			if (refund !== undefined && reversal === undefined) this.#followUps.post(refund);
			if (reversal !== undefined) this.#takeBack(reversal);
		}
	}

	/** @returns undefined when it crashed, at the point that it was told */
	handle(request: RequestFields, crash: CrashPoint): Outcome | undefined {
		switch (request.kind) {
			case "sale":
			case "offlineSale":
				return this.#sale(request, crash);
			case "reversal":
			case "voidReversal":
				return this.#reversal(request, crash);
			case "void":
			case "refund":
				return this.#followUps.refund(request, crash);
			case "resend":
				return this.#followUps.resend(request, crash);
			case "query":
				return this.#followUps.query(request);
			case "balance":
				return this.#balanceOf(request);
		}
	}

	/** What a host answers that has forgotten a reversal at once: as if it were done, and no ledger holds anything of it. */
	forget({ at }: RequestFields): Outcome {
		return { code: "00", rrn: this.#newRrn(at), authorization: "", at, repeat: false };
	}

	/**
	 * The batch a terminal without one shall use: above every batch it has used or was given. Durable before it is told.
	 * @returns undefined when there are no more
	 */
	newBatch(terminal: TerminalEntry, at: number): number | undefined {
		const { merchantId, terminalId } = terminal;
		let last = this.#records.batchGiven(terminal);
		const look = (key: MovementKey | undefined): void => {
			if (key?.terminalId === terminalId && key.merchantId === merchantId) last = Math.max(last, key.batch);
		};
		for (const { key } of this.#issuer.movements()) look(key);
		for (const { sale, refund, reversal } of this.#records.movements()) look((sale ?? refund ?? reversal)?.key);
		if (last >= BATCH_MAX) return undefined;
		this.#records.addBatch({ kind: "batch", merchantId, terminalId, batch: last + 1, at });
		return last + 1;
	}

	/** What a card holds. @throws {CodedError} "unknown" */
	balance(card: string): number {
		return this.#issuer.balance(card);
	}

	statement(): Statement {
		return statementOf(this.#issuer, this.#records, this.#merchant);
	}

	#sale(request: RequestFields, crash: CrashPoint): Outcome | undefined {
		const { key, at } = request;
		const by = request.kind === "offlineSale" ? "offline" : undefined;
		const known = this.#records.find(key);
		if (known?.reversal !== undefined) return refusal(CODE_AFTER_REVERSAL, at);
		if (known?.sale !== undefined) {
			const { sale } = known;
			// An original that arrives after its resend is the same sale.
			const same = sale.amountMinor === request.amountMinor && sale.card === request.maskedPan;
			const sameKind = sale.by === by || sale.by === "resend";
			return same && sameKind ? answerOf(sale) : refusal(CODE_NUMBER_USED, at);
		}
		if (known !== undefined) return refusal(CODE_NUMBER_USED, at);
		return this.#debit(request, by === undefined ? { key } : { key, by }, crash);
	}

	#debit(request: RequestFields, sale: NewSale, crash: CrashPoint): Outcome | undefined {
		const { at, amountMinor, maskedPan } = request;
		const { code, authorization } = this.#issuer.authorize({
			key: sale.key,
			pan: request.pan,
			expiry: request.expiry,
			amountMinor,
			pin: request.pin,
			afterTheFact: sale.by !== undefined,
			at,
			month: hostMonth(at),
		});
		if (crash === "betweenSteps") return undefined;
		// These two speak of what the issuer holds under this number, not of this request: they settle nothing.
		if (code === CODE_AFTER_REVERSAL || code === CODE_NUMBER_USED) return refusal(code, at);
		const rrn = this.#newRrn(at);
		const record: SaleRecord = { kind: "sale", ...sale, card: maskedPan, amountMinor, code, rrn, authorization, at };
		this.#records.add(record);
		if (crash === "afterRecord") return undefined;
		this.#post(record);
		return { ...answerOf(record), repeat: false };
	}

	/** Safe to repeat: the same answer each time. */
	#reversal(request: RequestFields, crash: CrashPoint): Outcome | undefined {
		const { key, at, amountMinor, maskedPan } = request;
		const ofVoid = request.kind === "voidReversal";
		const known = this.#records.find(key);
		const original = ofVoid ? known?.refund : known?.sale;
		const other = ofVoid ? known?.sale : known?.refund;
		const differs = original !== undefined && (original.amountMinor !== amountMinor || original.card !== maskedPan);
		// A number that belongs to a transaction of another kind, or was buried as one.
		const otherKind = known?.reversal !== undefined && (known.reversal.of === "void") !== ofVoid;
		// Advices are repeated, never reversed.
		const advice = known?.refund?.type === "refund" || known?.sale?.by === "offline";
		if (differs || other !== undefined || otherKind || advice) return refusal(CODE_ORIGINAL_DIFFERS, at);
		const repeat = known?.reversal !== undefined;
		// Before a crash the issuer may have acted without a record: what is not the same is not buried either.
		const atIssuer = this.#issuer.canReverse(key, ofVoid ? "void" : "debit", maskedPan, amountMinor);
		if (atIssuer === "mismatch") return refusal(CODE_ORIGINAL_DIFFERS, at);
		const nobodyKnows = known === undefined && this.#issuer.movement(key) === undefined;
		if (nobodyKnows && this.#forgetful) return refusal(CODE_UNKNOWN_ORIGINAL, at);
		// Recorded first: from here on the original is refused and the reversal is finished even after a crash.
		const record: ReversalRecord = known?.reversal ?? {
			kind: "reversal",
			key,
			...(ofVoid ? { of: "void" as const } : {}),
			card: maskedPan,
			amountMinor,
			reason: request.reason,
			rrn: this.#newRrn(at),
			at,
		};
		if (!repeat) this.#records.add(record);
		if (crash === "betweenSteps") return undefined;
		// Passed on to the issuer even without a record of the original: it may have debited before a crash.
		const result = this.#issuer.reverse(key, ofVoid ? "void" : "debit", maskedPan, amountMinor, at);
		if (crash === "afterRecord") return undefined;
		if (result !== "mismatch") this.#merchant.reverse(key, at);
		const originalKnown = original !== undefined || result === "credited";
		const code = originalKnown ? "00" : CODE_UNKNOWN_ORIGINAL;
		return { code, rrn: record.rrn, authorization: "", at: record.at, repeat };
	}

	/** What the card holds, for its holder; no ledger moves. */
	#balanceOf(request: RequestFields): Outcome {
		const { pan, expiry, pin, at } = request;
		const held = this.#issuer.inquire({ pan, expiry, pin, month: hostMonth(at) });
		if (typeof held === "string") return refusal(held, at);
		return { ...refusal("00", at), balanceMinor: held };
	}

	/** Credits the merchant with an approved sale. */
	#post(sale: SaleRecord): void {
		if (sale.code === "00") this.#merchant.credit(sale.key, sale.amountMinor, sale.at);
	}

	/** Issuer first: the shop gives back only what the card has got back, or was never taken from it. */
	#takeBack({ key, of, card, amountMinor, at }: ReversalRecord): void {
		const result = this.#issuer.reverse(key, of ?? "debit", card, amountMinor, at);
		if (result !== "mismatch") this.#merchant.reverse(key, at);
	}

	/** Books.newRrn. */
	#newRrn(at: number): string {
		return hostDate(at) + String((this.#records.count + 1) % RRN_NUMBERS).padStart(8, "0");
	}
}

/** Given again, unchanged. */
function answerOf(record: SaleRecord): Outcome {
	return { code: record.code, rrn: record.rrn, authorization: record.authorization, at: record.at, repeat: true };
}
