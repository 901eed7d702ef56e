/**
 * The desk's book (差错处理): requests for manual posting (403), credit adjustment (404) and another try at the far side
 * (407), what was decided, what came of it; and the heads of the terminals' evidence chains with the time they came.
 *
 * A request id is one request, however often it is sent (I4, I6): it is written with its decision before it is answered
 * and before any money moves, and closed once.
 * @module
 */
import { assert } from "../../src/core/assert";
import { CodedError } from "../../src/core/errors";
import type { LedgerStore } from "./ledger-store";
import { isMovementKey, type MovementKey } from "./movement";
import type { AccountKey } from "./posting-book";
import { isRefusal } from "./posting-reasons";

/** What is asked for, by DE 60.3. */
export type RequestType = "403" | "404" | "407";

/** grant: from `decideAt` on, carried out at `doneAt`. evidence: waits for it. refuse: for `reason`. */
export type Decision = "grant" | "evidence" | "refuse";

interface Decided {
	readonly decision: Decision;
	readonly reason: number;
	/** ms since 1970, as all times here. */
	readonly decideAt: number;
	/** The money moves then. */
	readonly doneAt: number;
	readonly at: number;
}

export interface RequestFact extends Decided {
	readonly kind: "request";
	/** Running number: its reference. */
	readonly number: number;
	/** Hex of 16 bytes; one terminal's alone. */
	readonly id: string;
	readonly type: RequestType;
	readonly key: MovementKey;
	/** 0 of a 407, which names none: it is all of it. */
	readonly amountMinor: number;
	/** Hex of 32 bytes; of zeros: none. */
	readonly evidence: string;
}

export type DeskFact =
	| RequestFact
	/** Evidence has come, or a person has decided. */
	| ({ readonly kind: "decision"; readonly number: number } & Decided)
	/** The end: carried out, or not possible any more. */
	| {
			readonly kind: "closed";
			readonly number: number;
			readonly done: boolean;
			readonly reason: number;
			readonly at: number;
	  }
	| {
			readonly kind: "anchor";
			readonly merchantId: string;
			readonly terminalId: string;
			readonly batch: number;
			readonly stan: number;
			/** Hex of 32 bytes. */
			readonly head: string;
			readonly by: "403" | "404" | "406";
			readonly at: number;
	  };

export type Anchor = Extract<DeskFact, { kind: "anchor" }>;

/** A request and where it stands. */
export interface DeskRequest {
	readonly fact: RequestFact;
	/** The last one. */
	decided: Decided;
	closed: { readonly done: boolean; readonly reason: number; readonly at: number } | undefined;
}

const ID_DIGITS = 32;
const HEAD_DIGITS = 64;

export class DeskBook {
	readonly #store: LedgerStore;
	/** By number, from 1 on. */
	readonly #requests: DeskRequest[] = [];
	readonly #byId = new Map<string, DeskRequest>();
	/** Not closed yet, oldest first. */
	readonly #open = new Set<DeskRequest>();
	readonly #anchors: Anchor[] = [];
	readonly #heads = new Map<string, string>();

	/** Replays what the store holds. @throws {CodedError} "damaged" */
	constructor(store: LedgerStore) {
		this.#store = store;
		for (const [index, entry] of store.load("desk").entries()) {
			const fact = entry as DeskFact;
			if (!this.#fits(fact)) throw new CodedError("damaged", "desk ledger", `entry ${index + 1}`);
			this.#apply(fact);
		}
	}

	/** The number of the next request. */
	get nextNumber(): number {
		return this.#requests.length + 1;
	}

	/** @param id - hex */
	find(terminal: AccountKey, id: string): Readonly<DeskRequest> | undefined {
		return this.#byId.get(idText(terminal, id));
	}

	/** Those that are not closed, oldest first. */
	open(): IterableIterator<Readonly<DeskRequest>> {
		return this.#open.values();
	}

	/** All there were, oldest first. */
	requests(): readonly Readonly<DeskRequest>[] {
		return this.#requests;
	}

	/** Heads of evidence chains, oldest first. */
	anchors(): readonly Anchor[] {
		return this.#anchors;
	}

	add(fact: DeskFact): void {
		if (!this.#fits(fact)) assert(false, `I6 the desk's book does not admit ${fact.kind}`);
		this.#store.append("desk", fact);
		this.#apply(fact);
	}

	/** Keeps a head that is another one than the terminal's last; one of zeros is none. */
	anchor(fact: Anchor): void {
		if (isZero(fact.head) || this.#heads.get(terminalText(fact)) === fact.head) return;
		this.add(fact);
	}

	#fits(fact: DeskFact): boolean {
		switch (fact.kind) {
			case "request": // Once for an id.
				return (
					isMovementKey(fact.key) &&
					isHex(fact.id, ID_DIGITS) &&
					isHex(fact.evidence, HEAD_DIGITS) &&
					["403", "404", "407"].includes(fact.type) &&
					fact.number === this.nextNumber &&
					Number.isSafeInteger(fact.amountMinor) &&
					(fact.type === "407" ? fact.amountMinor === 0 : fact.amountMinor >= 1) &&
					isDecided(fact) &&
					!this.#byId.has(idText(fact.key, fact.id))
				);
			case "decision": // Never of what is closed, and evidence is wanted only at first.
				return this.#isOpen(fact.number) && isDecided(fact) && fact.decision !== "evidence";
			case "closed": // Once. What was refused was closed with its decision.
				return (
					this.#isOpen(fact.number) &&
					typeof fact.done === "boolean" &&
					(fact.done ? fact.reason === 0 : isRefusal(fact.reason)) &&
					this.#requests[fact.number - 1].decided.decision === "grant"
				);
			case "anchor":
				return isHex(fact.head, HEAD_DIGITS) && isMovementKey(fact) && ["403", "404", "406"].includes(fact.by);
			default:
				return false;
		}
	}

	#isOpen(number: number): boolean {
		const known = this.#requests[number - 1];
		return known !== undefined && known.closed === undefined;
	}

	#apply(fact: DeskFact): void {
		if (fact.kind === "anchor") {
			this.#anchors.push(fact);
			this.#heads.set(terminalText(fact), fact.head);
			return;
		}
		if (fact.kind === "request") {
			const request: DeskRequest = { fact, decided: fact, closed: undefined };
			this.#requests.push(request);
			this.#byId.set(idText(fact.key, fact.id), request);
			this.#open.add(request);
			this.#closeIfRefused(request);
			return;
		}
		const request = this.#requests[fact.number - 1];
		if (fact.kind === "decision") {
			request.decided = fact;
			this.#closeIfRefused(request);
			return;
		}
		request.closed = fact;
		this.#open.delete(request);
	}

	#closeIfRefused(request: DeskRequest): void {
		const { decision, reason, at } = request.decided;
		if (decision !== "refuse") return;
		request.closed = { done: false, reason, at };
		this.#open.delete(request);
	}
}

/** True for a digest of zeros, in hex: there is none. */
export function isZero(hex: string): boolean {
	return /^0*$/.test(hex);
}

function isDecided({ decision, reason, decideAt, doneAt }: Decided): boolean {
	if (!Number.isSafeInteger(decideAt) || !Number.isSafeInteger(doneAt) || doneAt < decideAt) return false;
	if (decision === "refuse") return isRefusal(reason);
	return reason === 0 && (decision === "grant" || decision === "evidence");
}

function isHex(value: unknown, digits: number): boolean {
	return typeof value === "string" && value.length === digits && /^[0-9A-F]*$/.test(value);
}

function terminalText({ merchantId, terminalId }: AccountKey): string {
	return `${merchantId}/${terminalId}`;
}

function idText(terminal: AccountKey, id: string): string {
	return `${terminalText(terminal)}/${id}`;
}
