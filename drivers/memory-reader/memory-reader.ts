/**
 * A card reader without a slot: cards are held to it by the program. A session without a card waits for one.
 * @module
 */
import { assert } from "../../src/core/assert";
import { CodedError } from "../../src/core/errors";
import type { CardData, CardReader, CardSessionOptions, CardVerdict, Clock } from "../../src/ports";

export interface HeldCard {
	data: CardData;
	/** What a contact chip says to the host's approval; default TC. */
	verdict?: CardVerdict;
}

export class MemoryReader implements CardReader {
	readonly #clock: Clock;
	#session: CardSessionOptions | undefined;
	/** The card at the reader, and whether the session under way has read it. */
	#card: HeldCard | undefined;
	#read = false;
	#timer = 0;
	#closed = false;

	constructor(options: { clock: Clock }) {
		this.#clock = options.clock;
	}

	/** A card for the session that waits, else for the next one. */
	hold(card: HeldCard): void {
		this.#check();
		this.#card = card;
		if (this.#session !== undefined && !this.#read) this.#readCard();
	}

	start(options: CardSessionOptions): void {
		this.#check();
		assert(this.#session === undefined, "one card session at a time");
		this.#session = options;
		this.#read = false;
		if (this.#card !== undefined) this.#readCard();
	}

	complete(issuerData: Uint8Array, onVerdict: (verdict: CardVerdict) => void): void {
		this.#check();
		assert(issuerData.length <= 255, "issuer data has at most 255 bytes");
		const card = this.#card;
		assert(card !== undefined && this.#read, "a verdict needs a card that was read");
		this.#later(() => onVerdict(card.verdict ?? "TC"));
	}

	stop(): void {
		this.#check();
		this.#end();
	}

	/** May be called twice. */
	close(): void {
		if (this.#closed) return;
		this.#end();
		this.#closed = true;
	}

	#end(): void {
		if (this.#timer !== 0) this.#clock.clearTimer(this.#timer);
		this.#timer = 0;
		this.#session = undefined;
		if (this.#read) this.#card = undefined; // The customer takes it back.
		this.#read = false;
	}

	/** Never inside the firmware's call, as no real reader is that fast. */
	#readCard(): void {
		this.#later(() => {
			const session = this.#session;
			const card = this.#card;
			if (session === undefined || card === undefined) return;
			this.#read = true;
			session.onCard(card.data);
		});
	}

	#later(callback: () => void): void {
		if (this.#timer !== 0) this.#clock.clearTimer(this.#timer);
		this.#timer = this.#clock.setTimer(0, () => {
			this.#timer = 0;
			callback();
		});
	}

	#check(): void {
		if (this.#closed) throw new CodedError("state", "reader", "closed");
	}
}
