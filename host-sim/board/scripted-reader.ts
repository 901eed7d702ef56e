/**
 * A card reader whose customers follow a script: each card comes some time after the session has started, or not at
 * all, is read or not, and stays for the second GENERATE AC or not. A customer without a script waits until one is
 * given, so the same reader serves a person at a command line.
 * @module
 */
import { assert } from "../../src/core/assert";
import { fromHex } from "../../src/core/bytes";
import type { CardData, CardReader, CardSessionOptions, CardVerdict, Clock } from "../../src/ports";
import type { TestCard } from "../test-cards";
import type { Power } from "./power";

/** What goes wrong between customer and reader; "pulled" is before it was read, "gone" before the card's verdict. */
export type ReaderFault = "unreadable" | "pulled" | "gone";

export interface Presentation {
	card: TestCard;
	/** From the start of the session, or from now when one waits. Default 0: with the next turn of the clock. */
	delayMs?: number;
	/** The chip's time for its verdict; default 0. */
	verdictMs?: number;
	fault?: ReaderFault;
	/** A contact chip stays in the slot for so long after its session; default 0: its owner takes it at once. */
	leftMs?: number;
}

const PRESENTATIONS_MAX = 1024;

export class ScriptedReader implements CardReader {
	/** Sessions begun, cards handed over, verdicts given. */
	sessions = 0;
	cardsRead = 0;
	verdicts = 0;
	readonly #power: Power;
	readonly #clock: Clock;
	readonly #script: Presentation[] = [];
	#session: CardSessionOptions | undefined;
	#presented: Presentation | undefined;
	#read = false;
	#timer = 0;
	/** A card is in the slot, though its session is over. */
	#left = false;

	constructor(options: { power: Power; clock: Clock; script?: readonly Presentation[] }) {
		this.#power = options.power;
		this.#clock = options.clock;
		for (const presentation of options.script ?? []) this.present(presentation);
	}

	/** True while a session waits for a card that no script brings. */
	get waiting(): boolean {
		return this.#session !== undefined && this.#presented === undefined;
	}

	/** The card of the next session; of the one that waits, when one does. */
	present(presentation: Presentation): void {
		assert(this.#script.length < PRESENTATIONS_MAX, "the reader's script is full (I10)");
		this.#script.push(presentation);
		if (this.waiting) this.#next();
	}

	/** The customer walks off with cards that were not held to the reader yet. */
	withdraw(): void {
		this.#script.length = 0;
	}

	start(options: CardSessionOptions): void {
		this.#power.check();
		assert(this.#session === undefined, "one card session at a time");
		this.sessions += 1;
		this.#session = options;
		this.#next();
	}

	complete(issuerData: Uint8Array, onVerdict: (verdict: CardVerdict) => void): void {
		this.#power.check();
		assert(issuerData.length <= 255, "issuer data is at most 255 bytes");
		const presented = this.#presented;
		assert(
			this.#session !== undefined && presented !== undefined && this.#read,
			"a verdict needs a card that was read",
		);
		assert(presented.card.entryMode === "chip", "only a contact chip gives a verdict");
		// A card that is gone cannot consent.
		const verdict = presented.fault === "gone" ? "AAC" : (presented.card.verdict ?? "TC");
		this.#later(presented.verdictMs ?? 0, () => {
			this.verdicts += 1;
			onVerdict(verdict);
		});
	}

	/** Contact chips alone stay in a slot: from when they were read until they are taken. */
	cardInside(): boolean {
		this.#power.check();
		return this.#left || (this.#read && this.#presented?.card.entryMode === "chip");
	}

	stop(): void {
		this.#power.check();
		const leftMs = this.cardInside() ? (this.#presented?.leftMs ?? 0) : 0;
		if (leftMs > 0 && !this.#left) {
			this.#left = true;
			this.#clock.setTimer(leftMs, () => {
				this.#left = false;
			});
		}
		if (this.#timer !== 0) this.#clock.clearTimer(this.#timer);
		this.#timer = 0;
		this.#session = undefined;
		this.#presented = undefined;
		this.#read = false;
	}

	#next(): void {
		const session = this.#session;
		const presented = this.#script.shift();
		if (session === undefined || presented === undefined) return;
		this.#presented = presented;
		this.#later(presented.delayMs ?? 0, () => {
			if (presented.fault === "unreadable" || presented.fault === "pulled") {
				this.stop(); // A failed session is over, so that the firmware can begin another.
				session.onError(presented.fault);
				return;
			}
			this.#read = true;
			this.cardsRead += 1;
			session.onCard(cardData(presented.card));
		});
	}

	#later(ms: number, callback: () => void): void {
		assert(this.#timer === 0, "the reader does one thing at a time");
		this.#timer = this.#clock.setTimer(ms, () => {
			this.#timer = 0;
			this.#power.deliver(callback);
		});
	}
}

/** What a reader hands over of `card`; absent fields are absent, not undefined. */
export function cardData(card: TestCard): CardData {
	const data: CardData = { entryMode: card.entryMode, pan: card.pan, expiry: card.expiry, pinWanted: card.pinWanted };
	if (card.sequence !== undefined) data.sequence = card.sequence;
	if (card.track2 !== undefined) data.track2 = card.track2;
	if (card.emv !== undefined) data.emv = fromHex(card.emv, `test card ${card.name}`);
	return data;
}
