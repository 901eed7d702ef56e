/**
 * A card that its owner has left in the reader (遗留卡): announced until it is taken, and logged. While it is there no sale
 * begins, as the reader would take it for the next customer's.
 *
 * Only a card that is still in when a sale is over, or at a boot, was left: one that is put in before the amount is entered
 * belongs to whoever stands there.
 * @module
 */
import type { Config } from "../config";
import type { CardReader, Clock, LogSink } from "../ports";

export interface LeftCardOptions {
	reader: CardReader;
	clock: Clock;
	config: Config;
	sink: LogSink;
	/** Time to say it, the first time or once more. */
	onAnnounce(): void;
	/** It was taken. */
	onTaken(): void;
}

export class LeftCard {
	readonly #o: LeftCardOptions;
	#left = false;
	#sinceMs = 0;
	#announcedMs = 0;
	#timer = 0;

	constructor(options: LeftCardOptions) {
		this.#o = options;
	}

	/** A card was left, and is still in. */
	get isLeft(): boolean {
		return this.#left;
	}

	/** A sale is over, or the terminal has booted: what is in now was left. */
	look(): void {
		if (this.#left || !this.isIn) return;
		this.#left = true;
		this.#sinceMs = this.#o.clock.monotonic();
		this.#announcedMs = this.#sinceMs;
		this.log("W", "a card was left in the reader");
		this.lookAgain();
	}

	stop(): void {
		this.#o.clock.clearTimer(this.#timer);
		this.#timer = 0;
		this.#left = false;
	}

	private get isIn(): boolean {
		return this.#o.reader.cardInside?.() === true;
	}

	private lookAgain(): void {
		const { clock, config, onAnnounce, onTaken } = this.#o;
		this.#timer = clock.setTimer(config.cardLeftLookMs, () => {
			this.#timer = 0;
			const nowMs = clock.monotonic();
			if (!this.isIn) {
				this.#left = false;
				this.log("I", `the card was taken after ${Math.floor((nowMs - this.#sinceMs) / 1_000)} s`);
				onTaken();
				return;
			}
			if (nowMs - this.#announcedMs >= config.cardLeftRepeatMs) {
				this.#announcedMs = nowMs;
				onAnnounce();
			}
			this.lookAgain();
		});
	}

	private log(level: "W" | "I", text: string): void {
		this.#o.sink.write(level, this.#o.clock.monotonic(), "reader", text);
	}
}
