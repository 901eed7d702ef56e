/**
 * The desk (差错处理): decides on requests for manual posting (403, 请款), credit adjustment (404, 贷记调整) and another try
 * at the far side (407), and carries out what it grants. The tables and the order of durable steps are in DESIGN.md.
 *
 * What a request may move is asked of the ledgers twice, when it comes and when the money moves, and each ledger has the
 * last word by its own rules: whatever is granted, credits to the card never exceed its debit, credits to the merchant
 * never exceed the amount, and what the far side has is not given back to the card.
 * @module
 */
import type { DeskBook, DeskRequest, RequestFact, RequestType } from "./desk-book";
import { isZero } from "./desk-book";
import type { FarSides } from "./far-sides";
import type { FaultPlan } from "./faults";
import type { IssuerLedger, IssuerMovement } from "./issuer";
import type { MerchantLedger } from "./merchant";
import type { MovementKey } from "./movement";
import type { AccountKey, PostingBook } from "./posting-book";
import { Reason } from "./posting-reasons";
import type { Postings } from "./postings";
import { type AcquirerRecords, limitOf, type SaleRecord } from "./records";

/** State of a request, as the answer carries it. */
export const RequestState = { received: 1, evidenceWanted: 2, granted: 3, refused: 4, done: 5 } as const;

/** How the desk treats a request that could be granted. late: {@link DeskOptions.lateMs} later. */
export type DeskPolicy = "grant" | "late" | "evidence" | "refuse";

/** What a policy may go by. */
export type PolicyRequest = Readonly<Pick<RequestFact, "type" | "key" | "amountMinor">>;

export interface DeskOptions {
	/** Default: everything is granted at once. The faults deskRefuses, deskWantsEvidence and deskLate go before it. */
	readonly policy?: DeskPolicy | ((request: PolicyRequest) => DeskPolicy);
	/** From a late request to its grant; default 4 h. */
	readonly lateMs?: number;
	/** From the grant to the money; default 0. */
	readonly doneMs?: number;
	/** A posting is claimed for what the issuer alone knows: granted, and recorded with it. Default true. */
	readonly unrecorded?: boolean;
}

/** DE 62 of 403, 404 and 407, decoded. */
export interface RequestMessage {
	readonly type: RequestType;
	/** Hex of 16 bytes. */
	readonly id: string;
	readonly key: MovementKey;
	/** At least 1; of a 407 0. */
	readonly amountMinor: number;
	/** Hex of 32 bytes. */
	readonly evidence: string;
}

/** DE 62 of the answer to 403, 404, 405 and 407. */
export interface RequestAnswer {
	/** 12 characters. */
	readonly reference: string;
	readonly state: number;
	readonly reason: number;
	/** ms since 1970; 0: there is none. Of what is done: when it was. */
	readonly expectedAt: number;
}

export interface DeskParts {
	readonly book: DeskBook;
	readonly issuer: IssuerLedger;
	readonly records: AcquirerRecords;
	readonly merchant: MerchantLedger;
	readonly farSides: FarSides;
	readonly postings: Postings;
	readonly postingBook: PostingBook;
	readonly faults: FaultPlan;
	readonly options: DeskOptions;
	newRrn(at: number): string;
	/** Something was decided or carried out. */
	onRequest(request: Readonly<DeskRequest>, text: string): void;
}

const LATE_MS = 4 * 3600 * 1000;
const REFERENCE_DIGITS = 9;
const PREFIXES: Readonly<Record<RequestType, string>> = { "403": "CLM", "404": "CRD", "407": "FAR" };

export class Desk {
	readonly #parts: DeskParts;

	constructor(parts: DeskParts) {
		this.#parts = parts;
	}

	/** When money is due to move next, ms since 1970; Infinity when none is. */
	get nextDueMs(): number {
		let next = Number.POSITIVE_INFINITY;
		for (const { decided } of this.#parts.book.open()) {
			if (decided.decision === "grant") next = Math.min(next, decided.doneAt);
		}
		return next;
	}

	/** Takes a request, or a repeat of one. */
	take(message: RequestMessage, now: number): RequestAnswer {
		const { book, faults, postings, onRequest } = this.#parts;
		const { type, id, key, amountMinor, evidence } = message;
		this.run(now);
		const known = book.find(key, id);
		if (known !== undefined) {
			if (!isSame(known.fact, message)) return { ...answerOf(known, now), ...DUPLICATE_ID };
			if (known.closed === undefined && known.decided.decision === "evidence" && !isZero(evidence)) {
				this.#decide(known, "grant", Reason.none, now);
			}
			return answerOf(known, now);
		}
		const reason = this.#judge(message, undefined);
		const struck = reason === Reason.none ? faults.nextDeskRequest() : undefined;
		let policy: DeskPolicy = this.#policyOf(message);
		if (struck?.deskLate === true) policy = "late";
		if (struck?.deskWantsEvidence === true) policy = "evidence";
		// A 407 has no place for evidence: wanting it would be an end without saying so.
		if (type === "407" && policy === "evidence") policy = "grant";
		if (struck?.deskRefuses === true) policy = "refuse";
		const refused = reason !== Reason.none ? reason : policy === "refuse" ? Reason.policy : Reason.none;
		const { lateMs = LATE_MS, doneMs = 0 } = this.#parts.options;
		const decideAt = policy === "late" ? now + lateMs : now;
		book.add({
			kind: "request",
			number: book.nextNumber,
			id,
			type,
			key,
			amountMinor,
			evidence,
			decision: refused !== Reason.none ? "refuse" : policy === "evidence" ? "evidence" : "grant",
			reason: refused,
			decideAt,
			doneAt: decideAt + doneMs,
			at: now,
		});
		const request = book.find(key, id)!;
		onRequest(request, "request");
		this.run(now);
		// The bank does not know of the desk's posting: only the ledger stands between.
		if (struck?.deskPostsTwice === true && type === "403" && request.closed?.done === true) {
			postings.postTwice(key, now);
		}
		return answerOf(request, now);
	}

	/** Where a request stands. @returns undefined for an id that never came */
	stateOf(terminal: AccountKey, id: string, now: number): RequestAnswer | undefined {
		this.run(now);
		const known = this.#parts.book.find(terminal, id);
		return known === undefined ? undefined : answerOf(known, now);
	}

	/** A person decides on a request that is not closed. @returns false when there is none with that id */
	decide(terminal: AccountKey, id: string, grant: boolean, now: number): boolean {
		const known = this.#parts.book.find(terminal, id);
		if (known === undefined || known.closed !== undefined) return false;
		this.#decide(known, grant ? "grant" : "refuse", grant ? Reason.none : Reason.policy, now);
		return true;
	}

	/** Carries out what is granted and due. */
	run(now: number): void {
		for (const request of this.#parts.book.open()) {
			const { decision, doneAt } = request.decided;
			if (decision === "grant" && doneAt <= now) this.#close(request, now);
		}
	}

	#decide(request: Readonly<DeskRequest>, decision: "grant" | "refuse", reason: number, now: number): void {
		const { book, options, onRequest } = this.#parts;
		const { number } = request.fact;
		const doneAt = now + (options.doneMs ?? 0);
		book.add({ kind: "decision", number, decision, reason, decideAt: now, doneAt, at: now });
		onRequest(request, "decided");
		this.run(now);
	}

	#policyOf({ type, key, amountMinor }: RequestMessage): DeskPolicy {
		const { policy = "grant" } = this.#parts.options;
		return typeof policy === "string" ? policy : policy({ type, key, amountMinor });
	}

	/** Moves the money, and closes the request with what the ledgers say. Safe to begin again after a crash. */
	#close(request: Readonly<DeskRequest>, now: number): void {
		const { book, onRequest } = this.#parts;
		const { fact } = request;
		const reason = this.#carryOut(fact, now);
		book.add({ kind: "closed", number: fact.number, done: reason === Reason.none, reason, at: now });
		onRequest(request, "closed");
	}

	#carryOut(fact: RequestFact, now: number): number {
		switch (fact.type) {
			case "403":
				return this.#claim(fact, now);
			case "404":
				return this.#adjust(fact, now);
			case "407":
				return this.#sendAgain(fact, now);
		}
	}

	#claim(fact: RequestFact, now: number): number {
		const { issuer, records, merchant, postings, newRrn } = this.#parts;
		const { key, id, amountMinor } = fact;
		if (!merchant.hasRequest(key, id)) {
			const reason = this.#judge(fact, id);
			if (reason !== Reason.none) return reason;
			const debit = issuer.movement(key)!;
			let sale = records.find(key)?.sale;
			if (sale === undefined) {
				sale = recordOf(debit, issuer.maskedCard(key), newRrn(now), now);
				records.add(sale);
			}
			if (!merchant.claim(key, id, amountMinor, limitOf(sale), now)) return Reason.overAmount;
		}
		postings.credited(key);
		return Reason.none;
	}

	#adjust(fact: RequestFact, now: number): number {
		const { issuer, merchant, postings, farSides } = this.#parts;
		const { key, id, amountMinor } = fact;
		if (issuer.movement(key)?.requests.includes(id) !== true) {
			const reason = this.#judge(fact, id);
			if (reason !== Reason.none) return reason;
			// The door is shut before the card has its money back.
			if (issuer.movement(key)?.farSide !== undefined && !farSides.bar(key, now)) return Reason.alreadyDone;
			if (!issuer.adjust(key, id, amountMinor, now)) return Reason.overAmount;
		}
		// The shop gives up what it holds beyond what the card has still paid; what is more than this is for a refund to take
		// that the issuer has made and the records do not know yet.
		const excessMinor = merchant.netMinor(key) - postings.waitingRefundsMinor(key) - netOf(issuer.movement(key));
		if (excessMinor > 0) merchant.adjust(key, id, Math.min(amountMinor, excessMinor), now);
		return Reason.none;
	}

	#sendAgain(fact: RequestFact, now: number): number {
		const { issuer, farSides, faults } = this.#parts;
		const { key, id } = fact;
		if (farSides.movement(key)?.request === id) return Reason.none;
		const reason = this.#judge(fact, id);
		if (reason !== Reason.none) return reason;
		if (faults.nextFarResend().farSideRefuses) {
			farSides.refuse(key, now);
			return Reason.farSideRefused;
		}
		const done = farSides.resend(key, id, issuer.movement(key)!.debitedMinor, now);
		return done ? Reason.none : Reason.alreadyDone;
	}

	/** Why it cannot be granted. @param id - of the request itself, when it is in the book already */
	#judge({ type, key, amountMinor }: Pick<RequestMessage, "type" | "key" | "amountMinor">, id: string | undefined) {
		const { issuer, records, book, farSides } = this.#parts;
		const record = records.find(key);
		const debit = issuer.movement(key);
		if (record?.refund !== undefined || debit?.gave !== undefined) return Reason.notASale;
		if (record?.sale !== undefined && record.sale.code !== "00") return Reason.declined;
		if (debit === undefined || debit.debits === 0) return Reason.unknown;
		for (const { fact } of book.open()) {
			if (fact.id !== id && isSameKey(fact.key, key)) return Reason.otherRequest;
		}
		if (debit.credits > 0 || record?.reversal !== undefined) return Reason.reversed;
		if (type === "407") return this.#judgeFarSide(key, debit);
		if (type === "404") return amountWithin(amountMinor, netOf(debit) - farSides.creditedMinor(key));
		if (debit.farSide !== undefined) return Reason.notASale;
		return this.#judgeClaim(key, amountMinor, record?.sale, debit);
	}

	#judgeFarSide(key: MovementKey, debit: Readonly<IssuerMovement>) {
		const far = this.#parts.farSides.movement(key);
		if (debit.farSide === undefined) return Reason.noFarSide;
		if (far?.final === true) return Reason.farSideRefused;
		if ((far?.creditedMinor ?? 0) > 0) return Reason.alreadyDone;
		// Whole or not at all: a part of it is with the card again.
		return far?.barred === true || netOf(debit) !== debit.debitedMinor ? Reason.reversed : Reason.none;
	}

	#judgeClaim(key: MovementKey, amountMinor: number, sale: SaleRecord | undefined, debit: Readonly<IssuerMovement>) {
		const { records, merchant, postings, postingBook, options } = this.#parts;
		if (records.standingVoid(key) !== undefined) return Reason.reversed;
		if (sale === undefined && options.unrecorded === false) return Reason.noRecord;
		const refusal = postingBook.refusal(key)?.reason ?? Reason.none;
		if (refusal !== Reason.none) return refusal;
		const account = postingBook.accountReason(key);
		if (account !== Reason.none) return account;
		return amountWithin(amountMinor, netOf(debit) - merchant.netMinor(key) + postings.waitingRefundsMinor(key));
	}
}

const DUPLICATE_ID = { state: RequestState.refused, reason: Reason.duplicateId, expectedAt: 0 };

/** Of a request that this host never has anything to do for. */
export function refusedRequest(reason: number): RequestAnswer {
	return { reference: "".padStart(12, "0"), state: RequestState.refused, reason, expectedAt: 0 };
}

function isSame({ type, key, amountMinor }: RequestFact, message: RequestMessage): boolean {
	return type === message.type && amountMinor === message.amountMinor && isSameKey(key, message.key);
}

/** Of one terminal. */
function isSameKey(a: MovementKey, b: MovementKey): boolean {
	return a.stan === b.stan && a.batch === b.batch && a.terminalId === b.terminalId && a.merchantId === b.merchantId;
}

/** Where a request stands at `now`. */
export function answerOf({ fact, decided, closed }: Readonly<DeskRequest>, now: number): RequestAnswer {
	const reference = PREFIXES[fact.type] + `${fact.number}`.padStart(REFERENCE_DIGITS, "0");
	if (closed !== undefined) {
		const state = closed.done ? RequestState.done : RequestState.refused;
		return { reference, state, reason: closed.reason, expectedAt: closed.done ? closed.at : 0 };
	}
	if (decided.decision === "evidence") {
		return { reference, state: RequestState.evidenceWanted, reason: Reason.none, expectedAt: 0 };
	}
	const state = now < decided.decideAt ? RequestState.received : RequestState.granted;
	return { reference, state, reason: Reason.none, expectedAt: decided.doneAt };
}

/** What the card has still paid. */
function netOf(debit: Readonly<IssuerMovement> | undefined): number {
	return debit === undefined ? 0 : debit.debitedMinor - debit.creditedMinor - debit.refundedMinor;
}

function amountWithin(amountMinor: number, mostMinor: number): number {
	if (mostMinor <= 0) return Reason.alreadyDone;
	return amountMinor <= mostMinor ? Reason.none : Reason.overAmount;
}

/** What the acquirer writes down of a sale that only the issuer knows. The claim posts it; the bank never does. */
function recordOf(debit: Readonly<IssuerMovement>, card: string, rrn: string, at: number): SaleRecord {
	const { key, debitedMinor, authorization } = debit;
	return {
		kind: "sale",
		key,
		card,
		amountMinor: debitedMinor,
		code: "00",
		rrn,
		authorization,
		at,
		by: "claim",
		posting: { fault: "claimed" },
	};
}
