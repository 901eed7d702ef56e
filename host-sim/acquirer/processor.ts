/**
 * What the acquirer does with a sale and with a reversal: the durable steps over the three ledgers, in their order,
 * and nothing of connections or bytes. What refers to an earlier sale is in follow-ups.ts, what the back office does in
 * back-office.ts. See DESIGN.md, "Order of durable steps".
 *
 * Each step may be repeated without effect, so a crash between any two is mended by whatever comes next: the restart
 * (which finishes what the acquirer has recorded), the terminal's repeat, or its reversal.
 * @module
 */
import { assert } from "../../src/core/assert";
import type { TestCard } from "../test-cards";
import { BackOffice, type BackOfficeOptions } from "./back-office";
import { FarSides } from "./far-sides";
import { FAR_SIDE_FAULT_NAMES } from "./fault-names";
import type { FaultPlan } from "./faults";
import { FollowUps } from "./follow-ups";
import { hostDate, hostMonth } from "./host-time";
import { IssuerLedger } from "./issuer";
import type { LedgerStore } from "./ledger-store";
import { MerchantLedger } from "./merchant";
import { type BookedSale, type Injection, Mishaps } from "./mishaps";
import type { MovementKey } from "./movement";
import {
	CODE_AFTER_REVERSAL,
	CODE_BATCH_CLOSED,
	CODE_FUNDS,
	CODE_NO_ACTION,
	CODE_NUMBER_USED,
	CODE_ORIGINAL_DIFFERS,
	CODE_UNKNOWN_ORIGINAL,
	type Outcome,
	refusal,
} from "./outcome";
import type { Postings } from "./postings";
import type { IntegerSource } from "./random";
import { AcquirerRecords, askedOf, type ReversalRecord, type SaleRecord } from "./records";
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
	readonly postings: Postings;
	/** Nothing new is sold in this batch any more. */
	isClosed(key: MovementKey): boolean;
	/** Retrieval reference number: MMDD and a running number, which the records carry on across restarts. */
	newRrn(at: number): string;
	/** Makes a debit that the acquirer has no record of: authorizes, records, posts. Undefined: crashed in between. */
	debit(request: RequestFields, sale: NewSale, crash: CrashPoint): Outcome | undefined;
}

/** What is debited, beside the card. */
export interface NewSale extends Pick<SaleRecord, "key" | "by" | "slipRrn" | "payee"> {}

const RRN_NUMBERS = 100_000_000;
const BATCH_MAX = 999_999;
/** Six hours: long after the usual time. */
export const POSTING_LATE_MS = 6 * 3600 * 1000;

export interface ProcessorOptions extends BackOfficeOptions {
	readonly store: LedgerStore;
	readonly cards: readonly TestCard[];
	readonly random: IntegerSource;
	/** No memory of reversals of what it does not know. */
	readonly forgetful: boolean;
	readonly faults: FaultPlan;
	/** For what mishaps do. */
	readonly mishapRandom: IntegerSource;
	/** See {@link AcquirerOptions}. */
	readonly postingLateMs?: number;
	readonly resends?: boolean;
	readonly reinstates?: boolean;
	readonly closedBatchReversal25?: boolean;
	onInjected?(injection: Injection): void;
}

export class Processor {
	readonly #options: ProcessorOptions;
	readonly #issuer: IssuerLedger;
	readonly #merchant: MerchantLedger;
	readonly #records: AcquirerRecords;
	readonly #postings: Postings;
	readonly #farSides: FarSides;
	readonly #followUps: FollowUps;
	readonly #mishaps: Mishaps;
	/** Postings, settlements, the desk: what is not answered to a card. */
	readonly backOffice: BackOffice;

	/**
	 * Replays the ledgers and finishes what the acquirer has recorded.
	 * @param now - ms since 1970: what is due by then is posted
	 * @throws {CodedError} "damaged"
	 */
	constructor(options: ProcessorOptions, now: number) {
		const { store } = options;
		this.#options = options;
		this.#issuer = new IssuerLedger(options.cards, store, options.random);
		this.#merchant = new MerchantLedger(store);
		this.#records = new AcquirerRecords(store);
		this.#mishaps = new Mishaps({
			faults: options.faults,
			random: options.mishapRandom,
			lateMsMax: options.postingLateMs ?? POSTING_LATE_MS,
			...(options.onInjected === undefined ? {} : { onInjected: options.onInjected }),
		});
		this.#farSides = new FarSides(store);
		const ledgers = { issuer: this.#issuer, records: this.#records, merchant: this.#merchant };
		const newRrn = (at: number): string => this.newRrn(at);
		const parts = { ...ledgers, farSides: this.#farSides, store, faults: options.faults, newRrn };
		this.backOffice = new BackOffice(parts, options);
		this.#postings = this.backOffice.postings;
		this.#followUps = new FollowUps(
			{
				...ledgers,
				postings: this.#postings,
				isClosed: (key) => this.backOffice.isClosed(key),
				newRrn,
				debit: (request, sale, crash) => this.#debit(request, sale, crash),
			},
			{ resends: options.resends !== false, reinstates: options.reinstates !== false },
		);
		for (const { sale, refund, reversal } of this.#records.movements()) {
			if (sale !== undefined && reversal === undefined) this.#enter(sale, now);
			if (refund !== undefined && reversal === undefined) this.#postings.enterRefund(refund);
			if (reversal !== undefined) this.#takeBack(reversal, now);
		}
		this.backOffice.run(now);
	}

	/** When something is due by itself, ms since 1970; Infinity when nothing is. */
	get nextDueMs(): number {
		return this.backOffice.nextDueMs;
	}

	/** Does what is due by then. */
	run(now: number): void {
		this.backOffice.run(now);
	}

	/** @returns undefined when it crashed, at the point that it was told */
	handle(request: RequestFields, crash: CrashPoint): Outcome | undefined {
		if (this.nextDueMs <= request.at) this.run(request.at);
		switch (request.kind) {
			case "sale":
			case "offlineSale":
			case "repayment":
			case "topUp":
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
	forget({ at, key, amountMinor }: RequestFields): Outcome {
		if (this.#isOneSided(key)) this.#mishaps.tell("reversalForgotten", key, amountMinor);
		return { code: "00", rrn: this.newRrn(at), authorization: "", at, repeat: false };
	}

	/** The host dies between two steps of a request: what no restart will finish is told to the owner. */
	crashed({ key, amountMinor }: RequestFields): void {
		const recorded = this.#records.find(key) !== undefined;
		if (!recorded && this.#isOneSided(key)) this.#mishaps.tell("crash", key, amountMinor);
	}

	/**
	 * The batch a terminal without one shall use: above every batch it has used or was given. Durable before it is told.
	 * @returns undefined when there are no more
	 */
	newBatch(terminal: TerminalEntry, at: number): number | undefined {
		const { merchantId, terminalId } = terminal;
		let last = Math.max(this.#records.batchGiven(terminal), this.backOffice.lastBatch(terminalId, merchantId));
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
		const { postingBook } = this.backOffice;
		return statementOf(this.#issuer, this.#records, this.#merchant, postingBook, this.#farSides);
	}

	#sale(request: RequestFields, crash: CrashPoint): Outcome | undefined {
		const { key, at } = request;
		const by = request.kind === "offlineSale" ? "offline" : request.farSide;
		const known = this.#records.find(key);
		if (known?.reversal !== undefined) return refusal(CODE_AFTER_REVERSAL, at);
		if (known?.sale !== undefined) {
			const { sale } = known;
			// An original that arrives after its resend or its claim is the same sale; one for another payee never is.
			const samePayee = request.farSide === undefined || sale.payee === request.payee;
			const same = askedOf(sale) === request.amountMinor && sale.card === request.maskedPan && samePayee;
			const bySomebodyElse = request.farSide === undefined && (sale.by === "resend" || sale.by === "claim");
			const sameKind = sale.by === by || bySomebodyElse;
			return same && sameKind ? answerOf(sale) : refusal(CODE_NUMBER_USED, at);
		}
		if (known !== undefined) return refusal(CODE_NUMBER_USED, at);
		// What the issuer holds was begun before a crash: it is no new one, and this repeat finishes it.
		const begun = this.#issuer.movement(key) !== undefined;
		if (by !== "offline" && !begun && this.backOffice.isClosed(key)) return refusal(CODE_BATCH_CLOSED, at);
		const payee = request.farSide === undefined ? {} : { payee: request.payee };
		return this.#debit(request, { key, ...(by === undefined ? {} : { by }), ...payee }, crash);
	}

	#debit(request: RequestFields, sale: NewSale, crash: CrashPoint): Outcome | undefined {
		const { at, amountMinor, maskedPan } = request;
		const ofMerchant = sale.payee === undefined;
		const mishap = ofMerchant ? this.#mishaps.next(crash !== "none", sale.by === undefined) : undefined;
		const posting = ofMerchant ? this.#postings.planAt(at) : undefined;
		const usual: BookedSale = { debitMinor: amountMinor, amountMinor, posting, injected: 0 };
		let booked = mishap === undefined ? usual : this.#mishaps.book(mishap, amountMinor, posting, at);
		let { code, authorization } = this.#authorize(request, sale, booked.debitMinor);
		if (code !== "00" && booked.debitMinor !== amountMinor) {
			booked = usual; // The card does not have that much, or has been debited already.
			({ code, authorization } = this.#authorize(request, sale, amountMinor));
		}
		if (crash === "betweenSteps") return undefined;
		// These two speak of what the issuer holds under this number, not of this request: they settle nothing.
		if (code === CODE_AFTER_REVERSAL || code === CODE_NUMBER_USED) return refusal(code, at);
		if (code !== "00") booked = usual;
		const rrn = this.newRrn(at);
		// Of what the desk has sent there meanwhile nothing fails any more.
		const firstTry = !ofMerchant && code === "00" && this.#farSides.movement(sale.key) === undefined;
		const farFault = firstTry && crash === "none" ? this.#farFault() : undefined;
		const { amountMinor: recordedMinor } = booked;
		const record: SaleRecord = {
			kind: "sale",
			...sale,
			card: maskedPan,
			amountMinor: recordedMinor,
			code,
			rrn,
			authorization,
			at,
			...(recordedMinor === amountMinor ? {} : { askedMinor: amountMinor }),
			...(booked.posting === undefined ? {} : { posting: booked.posting }),
			...(farFault === undefined ? {} : { farFault: farFault === "farSideFailed" ? "failed" : "refused" }),
		};
		this.#records.add(record);
		if (crash === "afterRecord") return undefined;
		if (code === "00" && mishap !== undefined && booked !== usual) {
			if (mishap === "recordLost") this.#records.add({ kind: "lost", key: sale.key, at });
			else this.#postings.enter(record, at);
			if (mishap === "reversedWrongly") this.#reverseWrongly(record, at);
			this.#mishaps.tell(mishap, sale.key, booked.injected);
			if (mishap === "declinedBooked") return refusal(CODE_FUNDS, at);
		} else this.#enter(record, at);
		if (farFault !== undefined) this.#mishaps.tell(farFault, sale.key, amountMinor);
		return { ...answerOf(record), repeat: false };
	}

	/** What strikes at the far side's first try. */
	#farFault(): (typeof FAR_SIDE_FAULT_NAMES)[number] | undefined {
		const struck = this.#options.faults.nextFarSide();
		return FAR_SIDE_FAULT_NAMES.find((name) => struck[name]);
	}

	#authorize(request: RequestFields, sale: NewSale, amountMinor: number): { code: string; authorization: string } {
		const { at, pan, expiry, pin } = request;
		const { farSide } = request;
		const afterTheFact = sale.by !== undefined && sale.payee === undefined;
		return this.#issuer.authorize({
			key: sale.key,
			pan,
			expiry,
			amountMinor,
			pin,
			afterTheFact,
			farSide,
			at,
			month: hostMonth(at),
		});
	}

	/** Safe to repeat: the same answer each time. */
	#reversal(request: RequestFields, crash: CrashPoint): Outcome | undefined {
		const { key, at, amountMinor, maskedPan, farSide } = request;
		const ofVoid = request.kind === "voidReversal";
		const known = this.#records.find(key);
		const original = ofVoid ? known?.refund : known?.sale;
		const other = ofVoid ? known?.sale : known?.refund;
		const differs = original !== undefined && (askedOf(original) !== amountMinor || original.card !== maskedPan);
		// A number that belongs to a transaction of another kind, or was buried as one.
		const of = ofVoid ? "void" : farSide === undefined ? undefined : "farSide";
		const held = this.#issuer.movement(key);
		const otherFarSide = (held?.debits ?? 0) > 0 && held?.farSide !== farSide;
		const otherKind = (known?.reversal !== undefined && known.reversal.of !== of) || otherFarSide;
		// Advices are repeated, never reversed.
		const advice = known?.refund?.type === "refund" || known?.sale?.by === "offline";
		if (differs || other !== undefined || otherKind || advice) return refusal(CODE_ORIGINAL_DIFFERS, at);
		// What the far side has is not taken back: 402 tells, and the desk.
		if (this.#farSides.creditedMinor(key) > 0) return refusal(CODE_NO_ACTION, at);
		// One that the host made by itself is not this one.
		const repeat = known?.reversal !== undefined && known.reversal.by === undefined;
		if (!repeat && this.#options.closedBatchReversal25 === true && this.backOffice.isClosed(key)) {
			return refusal(CODE_UNKNOWN_ORIGINAL, at);
		}
		// Where the books hold another amount than was asked, that is what comes back.
		const booked = known?.sale?.askedMinor === undefined ? undefined : held?.debitedMinor;
		const takenMinor = (ofVoid ? held?.gave?.amountMinor : booked) ?? amountMinor;
		// Before a crash the issuer may have acted without a record: what is not the same is not buried either.
		const atIssuer = this.#issuer.canReverse(key, ofVoid ? "void" : "debit", maskedPan, takenMinor);
		if (atIssuer === "mismatch") return refusal(CODE_ORIGINAL_DIFFERS, at);
		const nobodyKnows = known === undefined && held === undefined;
		if (nobodyKnows && this.#options.forgetful) return refusal(CODE_UNKNOWN_ORIGINAL, at);
		// Recorded first: from here on the original is refused and the reversal is finished even after a crash.
		const record: ReversalRecord = repeat
			? known.reversal!
			: {
					kind: "reversal",
					key,
					...(of === undefined ? {} : { of }),
					card: maskedPan,
					amountMinor: takenMinor,
					reason: request.reason,
					rrn: this.newRrn(at),
					at,
				};
		if (!repeat) this.#records.add(record);
		if (crash === "betweenSteps") return undefined;
		const barred = this.#bar(record);
		assert(barred, "I6 what a far side has is not reversed");
		// Passed on to the issuer even without a record of the original: it may have debited before a crash.
		const result = this.#issuer.reverse(key, ofVoid ? "void" : "debit", maskedPan, takenMinor, at);
		if (crash === "afterRecord") return undefined;
		if (result !== "mismatch") this.#takeFromMerchant(record, at);
		const originalKnown = original !== undefined || result === "credited";
		const code = originalKnown ? "00" : CODE_UNKNOWN_ORIGINAL;
		return { code, rrn: record.rrn, authorization: "", at: record.at, repeat };
	}

	/** A fault: acquirer and issuer take it back, and nobody has asked for it. */
	#reverseWrongly({ key, card, amountMinor }: SaleRecord, at: number): void {
		const record: ReversalRecord = {
			kind: "reversal",
			key,
			by: "host",
			card,
			amountMinor,
			reason: "",
			rrn: this.newRrn(at),
			at,
		};
		this.#records.add(record);
		this.#takeBack(record, at);
	}

	/** What the card holds, for its holder; no ledger moves. */
	#balanceOf(request: RequestFields): Outcome {
		const { pan, expiry, pin, at } = request;
		const held = this.#issuer.inquire({ pan, expiry, pin, month: hostMonth(at) });
		if (typeof held === "string") return refusal(held, at);
		return { ...refusal("00", at), balanceMinor: held };
	}

	/**
	 * Issuer first: the shop gives back only what the card has got back, or was never taken from it. But before the card has
	 * anything back, nothing may come to the far side any more.
	 */
	#takeBack(record: ReversalRecord, now: number): void {
		const { card, amountMinor, at } = record;
		if (!this.#bar(record)) return;
		const result = this.#issuer.reverse(record.key, record.of === "void" ? "void" : "debit", card, amountMinor, at);
		if (result !== "mismatch") this.#takeFromMerchant(record, now);
	}

	/** Of a repayment or top-up: its far side takes nothing any more. Safe to repeat. @returns false when it has it already */
	#bar({ key, of, at }: ReversalRecord): boolean {
		return of !== "farSide" || this.#farSides.bar(key, at);
	}

	/** Of what a reversal has taken back at the issuer. Safe to repeat. */
	#takeFromMerchant({ key, of, at }: ReversalRecord, now: number): void {
		if (of !== "farSide") this.#postings.reverse(key, at, now);
	}

	/** A sale is in the records: it goes to whom it is for. Safe to repeat. */
	#enter(sale: SaleRecord, now: number): void {
		if (sale.payee === undefined) this.#postings.enter(sale, now);
		else this.#farSides.enter(sale);
	}

	/** The card has paid something. */
	#isOneSided(key: MovementKey): boolean {
		const held = this.#issuer.movement(key);
		return held !== undefined && held.debits > held.credits;
	}

	/** Books.newRrn. */
	newRrn(at: number): string {
		return hostDate(at) + String((this.#records.count + 1) % RRN_NUMBERS).padStart(8, "0");
	}
}

/** Given again, unchanged. */
function answerOf(record: SaleRecord): Outcome {
	return { code: record.code, rrn: record.rrn, authorization: record.authorization, at: record.at, repeat: true };
}
