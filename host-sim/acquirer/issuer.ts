/**
 * The issuer's ledger: cards, balances, and every debit and credit by movement.
 *
 * Holds by itself, whatever order things arrive in: at most one debit for each movement; a reversal credits back at
 * most once and never more than the debit; an original that arrives after its reversal is refused (I5, I6).
 * A fact is durable before the ledger in memory shows it, so a crash at any moment leaves the two equal.
 * @module
 */
import { assert } from "../../src/core/assert";
import { CodedError } from "../../src/core/errors";
import { addAmount, checkAmount, subtractAmount } from "../../src/core/money";
import { maskPan } from "../../src/iso8583/mask";
import type { TestCard } from "../test-cards";
import type { LedgerStore } from "./ledger-store";
import { isMovementKey, type MovementKey, movementText } from "./movement";
import type { IntegerSource } from "./random";

/** What the issuer writes down. Cards go by name: no card number is kept on disk. */
export type IssuerFact =
	| { kind: "debit"; key: MovementKey; card: string; amountMinor: number; authorization: string; at: number }
	| { kind: "credit"; key: MovementKey; amountMinor: number; at: number }
	/** A reversal came for a debit that was never made: it must not be made any more. */
	| { kind: "tombstone"; key: MovementKey; at: number };

/** One request for money, decoded and authenticated. */
export interface AuthorizationRequest {
	readonly key: MovementKey;
	readonly pan: string;
	/** YYMM as the card says. */
	readonly expiry: string;
	readonly amountMinor: number;
	/** As typed; undefined when the terminal sent none. */
	readonly pin: string | undefined;
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

/**
 * credited: the debit is taken back, now or before. unknown: no such debit, and none will be made any more.
 * mismatch: amount or card is not the debit's; nothing was done.
 */
export type ReversalResult = "credited" | "unknown" | "mismatch";

/** What the issuer holds about one movement. */
export interface IssuerMovement {
	readonly key: MovementKey;
	/** Name of the card, empty where there was no debit. */
	card: string;
	authorization: string;
	/** Amount of the debit, 0 where there is none. */
	debitedMinor: number;
	creditedMinor: number;
	debits: number;
	credits: number;
	tombstone: boolean;
}

const AUTHORIZATION_ALPHABET = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ";
const AUTHORIZATION_CHARACTERS = 6;

export class IssuerLedger {
	readonly #store: LedgerStore;
	readonly #random: IntegerSource;
	readonly #cardsByPan = new Map<string, TestCard>();
	readonly #maskedByName = new Map<string, string>();
	readonly #balances = new Map<string, number>();
	readonly #movements = new Map<string, IssuerMovement>();

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
		const known = this.#movements.get(movementText(request.key));
		const card = this.#cardsByPan.get(request.pan);
		if (known !== undefined) {
			// After its reversal an original is refused: the cardholder has been told "not charged".
			if (known.tombstone || known.credits > 0) return declined("12");
			if (known.card !== card?.name || known.debitedMinor !== request.amountMinor) return declined("94");
			return { code: "00", authorization: known.authorization };
		}
		if (request.amountMinor === 0) return declined("13");
		if (card === undefined) return declined("14");
		if (card.issuerCode !== undefined) return declined(card.issuerCode);
		if (request.expiry < request.month || request.expiry !== card.expiry) return declined("54");
		const pin = card.issuerPin ?? card.pin;
		if (card.pinWanted || request.pin !== undefined) {
			if (request.pin === undefined || request.pin !== pin) return declined("55");
		}
		if (this.balance(card.name) < request.amountMinor) return declined("51");
		const authorization = this.#newAuthorization();
		this.#record({
			kind: "debit",
			key: request.key,
			card: card.name,
			amountMinor: request.amountMinor,
			authorization,
			at: request.at,
		});
		return { code: "00", authorization };
	}

	/** Takes a debit back, once; remembers the reversal of a debit it has not seen. Safe to repeat. */
	reverse(key: MovementKey, maskedPan: string, amountMinor: number, at: number): ReversalResult {
		const known = this.#movements.get(movementText(key));
		if (known === undefined) {
			this.#record({ kind: "tombstone", key, at });
			return "unknown";
		}
		if (known.debits === 0) return "unknown";
		if (known.debitedMinor !== amountMinor || this.#maskedByName.get(known.card) !== maskedPan) return "mismatch";
		if (known.credits === 0) this.#record({ kind: "credit", key, amountMinor, at });
		return "credited";
	}

	/** What the card holds now. @throws {CodedError} "unknown" */
	balance(card: string): number {
		const balanceMinor = this.#balances.get(card);
		if (balanceMinor === undefined) throw new CodedError("unknown", "issuer card");
		return balanceMinor;
	}

	/** The approval the issuer holds for a movement, if any. */
	movement(key: MovementKey): Readonly<IssuerMovement> | undefined {
		return this.#movements.get(movementText(key));
	}

	/** Every movement the issuer has heard of, oldest first. */
	movements(): IterableIterator<Readonly<IssuerMovement>> {
		return this.#movements.values();
	}

	#newAuthorization(): string {
		let text = "";
		for (let i = 0; i < AUTHORIZATION_CHARACTERS; i++) {
			text += AUTHORIZATION_ALPHABET[this.#random.below(AUTHORIZATION_ALPHABET.length)];
		}
		return text;
	}

	#record(fact: IssuerFact): void {
		assert(this.#fits(fact), `I6 issuer ${movementText(fact.key)} does not admit ${fact.kind}`);
		this.#store.append("issuer", fact);
		this.#apply(fact);
	}

	/** The rules of the ledger, for a new fact before it is written and for an old one when it is read back. */
	#fits(fact: IssuerFact): boolean {
		if (!isMovementKey(fact.key)) return false;
		const known = this.#movements.get(movementText(fact.key));
		switch (fact.kind) {
			case "debit": // Never twice, never after its reversal, never more than the card holds.
				return known === undefined && fact.amountMinor <= (this.#balances.get(fact.card) ?? -1);
			case "credit": // Once, and exactly what was debited.
				return known?.debits === 1 && known.credits === 0 && known.debitedMinor === fact.amountMinor;
			case "tombstone":
				return known === undefined;
			default:
				return false;
		}
	}

	#apply(fact: IssuerFact): void {
		const text = movementText(fact.key);
		if (fact.kind === "credit") {
			const known = this.#movements.get(text)!;
			this.#balances.set(known.card, addAmount(this.balance(known.card), fact.amountMinor, "issuer balance"));
			known.creditedMinor = fact.amountMinor;
			known.credits = 1;
			return;
		}
		const movement: IssuerMovement = {
			key: fact.key,
			card: "",
			authorization: "",
			debitedMinor: 0,
			creditedMinor: 0,
			debits: 0,
			credits: 0,
			tombstone: fact.kind === "tombstone",
		};
		if (fact.kind === "debit") {
			const balanceMinor = subtractAmount(this.balance(fact.card), fact.amountMinor, "issuer balance");
			this.#balances.set(fact.card, balanceMinor);
			movement.card = fact.card;
			movement.authorization = fact.authorization;
			movement.debitedMinor = fact.amountMinor;
			movement.debits = 1;
		}
		this.#movements.set(text, movement);
	}
}

function declined(code: string): AuthorizationResult {
	return { code, authorization: "" };
}
