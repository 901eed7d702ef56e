/**
 * The issuer's ledger: cards, balances, and every debit and credit by movement.
 *
 * Holds by itself, whatever order things arrive in: at most one debit for each movement; reversal, void, refunds and
 * the desk's adjustments together never credit more than the debit; an original that arrives after its reversal is refused (I5, I6).
 * A fact is durable before the ledger in memory shows it, so a crash at any moment leaves the two equal.
 * @module
 */
import { assert } from "../../src/core/assert";
import { CodedError } from "../../src/core/errors";
import { AMOUNT_MINOR_MAX, checkAmount, subtractAmount } from "../../src/core/money";
import { maskPan } from "../../src/iso8583/mask";
import type { TestCard } from "../test-cards";
import type { FarSideType } from "./far-sides";
import type { LedgerStore } from "./ledger-store";
import { isMovementKey, isSameMovement, type MovementKey, MovementMap, movementText } from "./movement";
import { CODE_FUNDS } from "./outcome";
import type { IntegerSource } from "./random";

/** What the issuer writes down. Cards go by name: no card number is kept on disk. */
export type IssuerFact =
	| {
			kind: "debit";
			key: MovementKey;
			card: string;
			amountMinor: number;
			authorization: string;
			/** DE 3 was that of a repayment or top-up. */
			farSide?: FarSideType;
			at: number;
	  }
	| { kind: "credit"; key: MovementKey; amountMinor: number; at: number }
	/** A void or a refund, a movement of its own: gives back of the original's debit. */
	| { kind: "refund"; key: MovementKey; original: MovementKey; amountMinor: number; at: number }
	/** A void is taken back: what it gave is debited again; 0 when the original was reversed meanwhile. */
	| { kind: "undo"; key: MovementKey; amountMinor: number; at: number }
	/** The desk's credit to the cardholder: gives back of the debit, once for each request. */
	| { kind: "adjustment"; key: MovementKey; request: string; amountMinor: number; at: number }
	/** A reversal that nobody had asked for is taken back: what it credited is debited again. */
	| { kind: "reinstate"; key: MovementKey; amountMinor: number; at: number }
	/** A reversal came for what was never made: it must not be made any more. */
	| { kind: "tombstone"; key: MovementKey; at: number };

/** One request for money, decoded and authenticated. */
export interface AuthorizationRequest {
	readonly key: MovementKey;
	readonly pan: string;
	/** YYMM as the card says; undefined where the message has none: the issuer's own record decides. */
	readonly expiry: string | undefined;
	readonly amountMinor: number;
	/** As typed; undefined when the terminal sent none. */
	readonly pin: string | undefined;
	/** The sale was made without the issuer, or is sent again: no PIN is asked for any more. */
	readonly afterTheFact?: boolean;
	/** What it is, where it is no sale. */
	readonly farSide?: FarSideType | undefined;
	/** Host's wall time, ms since 1970. */
	readonly at: number;
	/** YYMM of today at the host's place. */
	readonly month: string;
}

/** DE 39, and DE 38 when the answer is "00". */
export interface AuthorizationResult {
	readonly code: string;
	readonly authorization: string;
}

/** A void or a refund, decoded and authenticated. */
export interface RefundRequest {
	/** Of its own. */
	readonly key: MovementKey;
	readonly original: MovementKey;
	readonly maskedPan: string;
	readonly amountMinor: number;
	readonly at: number;
}

/**
 * credited: what was done is taken back, now or before. unknown: nothing was done, and nothing will be any more.
 * mismatch: amount or card is not the original's; nothing was done.
 */
export type ReversalResult = "credited" | "unknown" | "mismatch";

/** What the issuer holds about one movement. */
export interface IssuerMovement {
	readonly key: MovementKey;
	/** Name of the card, empty where there was no debit. */
	card: string;
	authorization: string;
	/** A repayment or top-up. */
	farSide: FarSideType | undefined;
	/** Amount of the debit, 0 where there is none. */
	debitedMinor: number;
	/** Of the reversal: what was left of the debit. */
	creditedMinor: number;
	debits: number;
	credits: number;
	tombstone: boolean;
	/** Given back of this debit by voids and refunds that stand, and by the desk. */
	refundedMinor: number;
	/** Of it by the desk. */
	adjustedMinor: number;
	/** The desk's requests that it was given back for. */
	requests: readonly string[];
	/** Set for a void or a refund: what it gave back, and of which debit. */
	readonly gave: { readonly original: MovementKey; readonly amountMinor: number; undone: boolean } | undefined;
}

const AUTHORIZATION_ALPHABET = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ";
const AUTHORIZATION_CHARACTERS = 6;
/** Of almost every movement. */
const NO_REQUESTS: readonly string[] = [];

export class IssuerLedger {
	readonly #store: LedgerStore;
	readonly #random: IntegerSource;
	readonly #cardsByPan = new Map<string, TestCard>();
	readonly #maskedByName = new Map<string, string>();
	readonly #balances = new Map<string, number>();
	readonly #movements = new MovementMap<IssuerMovement>();

	/** Opens the accounts of `cards` and replays what the store holds. @throws {CodedError} "damaged" */
	constructor(cards: readonly TestCard[], store: LedgerStore, random: IntegerSource) {
		this.#store = store;
		this.#random = random;
		for (const card of cards) {
			if (!card.atIssuer) continue;
			this.#cardsByPan.set(card.pan, card);
			this.#maskedByName.set(card.name, maskPan(card.pan));
			this.#balances.set(card.name, checkAmount(card.balanceMinor, "issuer balance"));
		}
		for (const [index, entry] of store.load("issuer").entries()) {
			const fact = entry as IssuerFact;
			if (!this.#fits(fact)) throw new CodedError("damaged", "issuer ledger", `entry ${index + 1}`);
			this.#apply(fact);
		}
	}

	/** Decides, and debits durably when it approves. A repeat of an approved movement gets the same answer. */
	authorize(request: AuthorizationRequest): AuthorizationResult {
		const known = this.#movements.get(request.key);
		if (known !== undefined) {
			// After its reversal an original is refused: the cardholder has been told "not charged".
			if (known.tombstone || known.credits > 0 || known.adjustedMinor > 0) return declined("12");
			const card = this.#cardsByPan.get(request.pan);
			const same = known.card === card?.name && known.farSide === request.farSide;
			if (!same || known.debitedMinor !== request.amountMinor) return declined("94");
			return { code: "00", authorization: known.authorization };
		}
		if (request.amountMinor === 0) return declined("13");
		const card = this.#checkCard(request);
		if (typeof card === "string") return declined(card);
		if (this.balance(card.name) < request.amountMinor) return declined(CODE_FUNDS);
		const authorization = this.#newAuthorization();
		this.#record({
			kind: "debit",
			key: request.key,
			card: card.name,
			amountMinor: request.amountMinor,
			authorization,
			...(request.farSide === undefined ? {} : { farSide: request.farSide }),
			at: request.at,
		});
		return { code: "00", authorization };
	}

	/** What the card holds, for its holder. @returns DE 39 when the issuer does not tell */
	inquire(request: Omit<AuthorizationRequest, "key" | "amountMinor" | "at">): number | string {
		const card = this.#checkCard(request);
		return typeof card === "string" ? card : this.balance(card.name);
	}

	/** Gives back of a debit, durably, for a void or a refund. Safe to repeat. @returns DE 39 */
	refund(request: RefundRequest): string {
		const { key, original, amountMinor, at } = request;
		const known = this.#movements.get(key);
		if (known !== undefined) {
			if (known.tombstone || known.gave?.undone === true) return "12";
			const same = known.gave?.amountMinor === amountMinor && isSameMovement(known.gave.original, original);
			return same ? "00" : "94";
		}
		const debit = this.#movements.get(original);
		if (amountMinor === 0) return "13";
		if (debit === undefined || debit.debits === 0) return "25";
		if (debit.credits > 0) return "12";
		if (this.#maskedByName.get(debit.card) !== request.maskedPan) return "64";
		if (amountMinor > debit.debitedMinor - debit.refundedMinor) return "64";
		this.#record({ kind: "refund", key, original, amountMinor, at });
		return "00";
	}

	/** What {@link reverse} would say, without doing it. */
	canReverse(key: MovementKey, what: "debit" | "void", maskedPan: string, amountMinor: number): ReversalResult {
		const known = this.#movements.get(key);
		if (known === undefined || known.tombstone) return "unknown";
		if (known.gave === undefined ? what === "void" : what === "debit") return "mismatch";
		const debit = known.gave === undefined ? known : this.#movements.get(known.gave.original)!;
		if (this.#maskedByName.get(debit.card) !== maskedPan) return "mismatch";
		return (known.gave?.amountMinor ?? known.debitedMinor) === amountMinor ? "credited" : "mismatch";
	}

	/** Takes a debit back, or a void; remembers the reversal of what it has not seen. Safe to repeat. */
	reverse(
		key: MovementKey,
		what: "debit" | "void",
		maskedPan: string,
		amountMinor: number,
		at: number,
	): ReversalResult {
		const result = this.canReverse(key, what, maskedPan, amountMinor);
		const known = this.#movements.get(key);
		if (known === undefined) this.#record({ kind: "tombstone", key, at });
		if (result !== "credited" || known === undefined) return result;
		if (known.gave === undefined) {
			// What voids and refunds have given back already is not given twice.
			const rest = subtractAmount(known.debitedMinor, known.refundedMinor, "issuer reversal");
			if (known.credits === 0) this.#record({ kind: "credit", key, amountMinor: rest, at });
		} else if (!known.gave.undone) {
			const reversed = this.#movements.get(known.gave.original)!.credits > 0;
			this.#record({ kind: "undo", key, amountMinor: reversed ? 0 : amountMinor, at });
		}
		return result;
	}

	/** The desk gives back of a debit. Safe to repeat. @returns false when the ledger does not admit it */
	adjust(key: MovementKey, request: string, amountMinor: number, at: number): boolean {
		if (this.#movements.get(key)?.requests.includes(request) === true) return true;
		return this.#recordIfFits({ kind: "adjustment", key, request, amountMinor, at });
	}

	/** Takes a reversal back that nobody had asked for. @returns false when there is none */
	reinstate(key: MovementKey, at: number): boolean {
		const amountMinor = this.#movements.get(key)?.creditedMinor ?? 0;
		return this.#recordIfFits({ kind: "reinstate", key, amountMinor, at });
	}

	/** The card of a debit as records show it; empty where there is none. */
	maskedCard(key: MovementKey): string {
		return this.#maskedByName.get(this.#movements.get(key)?.card ?? "") ?? "";
	}

	/** What the card holds now; below zero when a void was taken back too late. @throws {CodedError} "unknown" */
	balance(card: string): number {
		const balanceMinor = this.#balances.get(card);
		if (balanceMinor === undefined) throw new CodedError("unknown", "issuer card");
		return balanceMinor;
	}

	/** The approval the issuer holds for a movement, if any. */
	movement(key: MovementKey): Readonly<IssuerMovement> | undefined {
		return this.#movements.get(key);
	}

	/** Those of one batch of one terminal, oldest first. */
	ofBatch(batch: Omit<MovementKey, "stan">): readonly Readonly<IssuerMovement>[] {
		return this.#movements.ofBatch(batch);
	}

	/** Every movement the issuer has heard of, oldest first. */
	movements(): IterableIterator<Readonly<IssuerMovement>> {
		return this.#movements.values();
	}

	/** @returns DE 39 when the card cannot pay at all */
	#checkCard(
		request: Pick<AuthorizationRequest, "pan" | "expiry" | "pin" | "month" | "afterTheFact">,
	): TestCard | string {
		const card = this.#cardsByPan.get(request.pan);
		if (card === undefined) return "14";
		if (card.issuerCode !== undefined) return card.issuerCode;
		if (card.expiry < request.month || (request.expiry !== undefined && request.expiry !== card.expiry)) return "54";
		if (request.afterTheFact === true) return card;
		const pin = card.issuerPin ?? card.pin;
		const wrongPin = request.pin === undefined || request.pin !== pin;
		return wrongPin && (card.pinWanted || request.pin !== undefined) ? "55" : card;
	}

	#newAuthorization(): string {
		let text = "";
		for (let i = 0; i < AUTHORIZATION_CHARACTERS; i++) {
			text += AUTHORIZATION_ALPHABET[this.#random.below(AUTHORIZATION_ALPHABET.length)];
		}
		return text;
	}

	/** For what depends on more than a message: the ledger decides. */
	#recordIfFits(fact: IssuerFact): boolean {
		if (!this.#fits(fact)) return false;
		this.#store.append("issuer", fact);
		this.#apply(fact);
		return true;
	}

	#record(fact: IssuerFact): void {
		if (!this.#fits(fact)) assert(false, `I6 issuer ${movementText(fact.key)} does not admit ${fact.kind}`);
		this.#store.append("issuer", fact);
		this.#apply(fact);
	}

	/** The rules of the ledger, for a new fact before it is written and for an old one when it is read back. */
	#fits(fact: IssuerFact): boolean {
		if (!isMovementKey(fact.key)) return false;
		const known = this.#movements.get(fact.key);
		switch (fact.kind) {
			case "debit": // Never twice, never after its reversal, never more than the card holds.
				return known === undefined && fact.amountMinor <= (this.#balances.get(fact.card) ?? -1);
			case "credit": // Once, and exactly what is left of the debit.
				return (
					known?.debits === 1 && known.credits === 0 && known.debitedMinor - known.refundedMinor === fact.amountMinor
				);
			case "refund": {
				// Never twice, never of a debit that was reversed, and all together never more than the debit.
				const debit = isMovementKey(fact.original) ? this.#movements.get(fact.original) : undefined;
				const rest = debit?.debits === 1 && debit.credits === 0 ? debit.debitedMinor - debit.refundedMinor : 0;
				return known === undefined && Number.isSafeInteger(fact.amountMinor) && inRange(fact.amountMinor, 1, rest);
			}
			case "adjustment": {
				// Once for a request, and together with all else never more than the debit.
				const rest = known?.debits === 1 && known.credits === 0 ? known.debitedMinor - known.refundedMinor : 0;
				const whole = Number.isSafeInteger(fact.amountMinor) && inRange(fact.amountMinor, 1, rest);
				return whole && typeof fact.request === "string" && known?.requests.includes(fact.request) === false;
			}
			case "reinstate": // Exactly what the reversal gave.
				return known?.credits === 1 && known.creditedMinor === fact.amountMinor;
			case "undo": {
				// Once, and exactly what the void gave back, unless the original's reversal has given all.
				if (known?.gave === undefined || known.gave.undone) return false;
				const reversed = this.#movements.get(known.gave.original)!.credits > 0;
				return fact.amountMinor === (reversed ? 0 : known.gave.amountMinor);
			}
			case "tombstone":
				return known === undefined;
			default:
				return false;
		}
	}

	#apply(fact: IssuerFact): void {
		if (fact.kind === "credit") {
			const known = this.#movements.get(fact.key)!;
			this.#credit(known.card, fact.amountMinor);
			known.creditedMinor = fact.amountMinor;
			known.credits = 1;
			return;
		}
		if (fact.kind === "adjustment") {
			const known = this.#movements.get(fact.key)!;
			this.#credit(known.card, fact.amountMinor);
			known.refundedMinor += fact.amountMinor;
			known.adjustedMinor += fact.amountMinor;
			known.requests = [...known.requests, fact.request];
			return;
		}
		if (fact.kind === "reinstate") {
			const known = this.#movements.get(fact.key)!;
			// As with a void: the holder may have spent it.
			this.#balances.set(known.card, this.balance(known.card) - fact.amountMinor);
			known.creditedMinor = 0;
			known.credits = 0;
			return;
		}
		if (fact.kind === "undo") {
			const gave = this.#movements.get(fact.key)!.gave!;
			const debit = this.#movements.get(gave.original)!;
			debit.refundedMinor -= fact.amountMinor;
			// The holder may have spent it: what a void gave by mistake is owed, even below zero.
			this.#balances.set(debit.card, this.balance(debit.card) - fact.amountMinor);
			gave.undone = true;
			return;
		}
		const movement: IssuerMovement = {
			key: fact.key,
			card: "",
			authorization: "",
			farSide: undefined,
			debitedMinor: 0,
			creditedMinor: 0,
			debits: 0,
			credits: 0,
			tombstone: fact.kind === "tombstone",
			refundedMinor: 0,
			adjustedMinor: 0,
			requests: NO_REQUESTS,
			gave:
				fact.kind === "refund" ? { original: fact.original, amountMinor: fact.amountMinor, undone: false } : undefined,
		};
		if (fact.kind === "debit") {
			this.#balances.set(fact.card, subtractAmount(this.balance(fact.card), fact.amountMinor, "issuer balance"));
			movement.card = fact.card;
			movement.authorization = fact.authorization;
			movement.farSide = fact.farSide;
			movement.debitedMinor = fact.amountMinor;
			movement.debits = 1;
		} else if (fact.kind === "refund") {
			const debit = this.#movements.get(fact.original)!;
			debit.refundedMinor += fact.amountMinor;
			this.#credit(debit.card, fact.amountMinor);
		}
		this.#movements.add(fact.key, movement);
	}

	#credit(card: string, amountMinor: number): void {
		const balanceMinor = this.balance(card) + amountMinor;
		assert(balanceMinor <= AMOUNT_MINOR_MAX, "I6 an issuer gives back only what it took");
		this.#balances.set(card, balanceMinor);
	}
}

function inRange(value: number, least: number, greatest: number): boolean {
	return value >= least && value <= greatest;
}

function declined(code: string): AuthorizationResult {
	return { code, authorization: "" };
}
