/**
 * Links what is new to the evidence chain ahead of a request that carries its head, a few transactions a turn: a whole
 * batch at once, as after a start, takes a board's engine longer than a customer should find it deaf.
 * @module
 */
import type { Chain } from "./chain";
import type { SyncJob } from "./sync";

/** One transaction is some 0.24 million byte codes of the engine. */
const LINKS_A_TURN = 4;

/** Who sends what carries a head. */
export interface HeadUser {
	/** A request is due that carries one. */
	needsHead(nowMs: number): boolean;
}

export class ChainWork implements SyncJob {
	readonly #chain: Chain;
	readonly #user: HeadUser;
	/** The chain cannot be computed: whoever needs its head says why. */
	#failed = false;

	constructor(chain: Chain, user: HeadUser) {
		this.#chain = chain;
		this.#user = user;
	}

	get name(): string {
		return "chain";
	}

	get local(): boolean {
		return true;
	}

	get slow(): boolean {
		return true;
	}

	dueMs(nowMs: number): number {
		const due = !this.#failed && this.#user.needsHead(nowMs) && this.#chain.isBehind(LINKS_A_TURN);
		return due ? nowMs : Number.POSITIVE_INFINITY;
	}

	step(): void {
		this.#failed = true;
		this.#chain.advance(LINKS_A_TURN);
		this.#failed = false;
	}
}
