/**
 * Links what is new to the evidence chain ahead of a request that carries its head, a few transactions a turn: a whole
 * batch at once, as after a start, takes a board's engine longer than a customer should find it deaf.
 * @module
 */
import type { Chain } from "./chain";
import type { SyncJob } from "./sync";

/** One transaction is some 0.24 million byte codes of the engine. */
const LINKS_A_TURN = 4;

export class ChainWork implements SyncJob {
	readonly name = "chain";
	readonly local = true;
	readonly slow = true;
	readonly #chain: Chain;
	readonly #isWanted: (nowMs: number) => boolean;
	/** The chain cannot be computed: whoever needs its head says why. */
	#failed = false;

	/** @param isWanted - a request is due that carries the head */
	constructor(chain: Chain, isWanted: (nowMs: number) => boolean) {
		this.#chain = chain;
		this.#isWanted = isWanted;
	}

	dueMs(nowMs: number): number {
		const due = !this.#failed && this.#isWanted(nowMs) && this.#chain.isBehind(LINKS_A_TURN);
		return due ? nowMs : Number.POSITIVE_INFINITY;
	}

	step(): void {
		this.#failed = true;
		this.#chain.advance(LINKS_A_TURN);
		this.#failed = false;
	}
}
