/**
 * Watches of released batches: each is asked about (402) when it should be posted, until it is. What is overdue or was
 * refused becomes a case, which takes it over.
 * @module
 */
import { finding, isCaseRow, type TerminalWord } from "./finding";
import { openCase } from "./findings";
import type { SyncJob, SyncLine } from "./sync";
import type { SyncParts } from "./sync-parts";
import type { KnownWatch, Watches } from "./watch";

export class WatchWork implements SyncJob {
	readonly name = "watches";
	readonly #p: SyncParts;
	readonly #watches: Watches;
	readonly #onFull: () => void;
	#turn = 0;
	#notBeforeMs = 0;

	/** @param onFull - there is no place for another case */
	constructor(parts: SyncParts, watches: Watches, onFull: () => void) {
		this.#p = parts;
		this.#watches = watches;
		this.#onFull = onFull;
	}

	dueMs(nowMs: number): number {
		const { books, supported, config } = this.#p;
		const never = Number.POSITIVE_INFINITY;
		if (!supported || this.#watches.count === 0) return never;
		if (nowMs < this.#notBeforeMs) return this.#notBeforeMs;
		// While the host's time is not known nothing is due; the next answer of the host tells it.
		if (books.nowS === 0) return never;
		return this.#watches.nextDue(books.nowS, 0) === 0 ? nowMs + config.reversalRepeatMsMax : nowMs;
	}

	step(line: SyncLine): void {
		const { books } = this.#p;
		const watches = this.#watches;
		this.#turn = watches.nextDue(books.nowS, this.#turn) || watches.nextDue(books.nowS, 0);
		if (this.#turn === 0) {
			this.#notBeforeMs = this.#p.clock.monotonic() + this.#p.config.reversalRepeatMsMax;
			return;
		}
		const serial = this.#turn;
		const watch = watches.get(serial);
		this.#p.askAbout(
			line,
			watch,
			this.#p.entry,
			() => this.seen(serial, watch),
			() => this.again(serial),
		);
	}

	private seen(serial: number, watch: KnownWatch): void {
		const entry = this.#p.entry;
		const { batch, stan, kind, amountMinor } = watch;
		const { cases } = this.#p;
		const word: TerminalWord = {
			said: "charged",
			kind,
			amountMinor,
			creditedMinor: cases.creditedMinor(batch, stan),
			twin: false,
		};
		const row = finding(word, entry.found ? entry : undefined, true);
		if (!isCaseRow(row)) this.#watches.done(batch, stan);
		else if (cases.findOpen(batch, stan) !== 0) this.#watches.done(batch, stan);
		else if (openCase(this.#p, { row, batch, stan, id: 0, word, entry }) !== 0) this.#watches.done(batch, stan);
		else {
			this.#onFull();
			this.again(serial);
		}
	}

	private again(serial: number): void {
		const { books, config } = this.#p;
		this.#watches.postpone(serial, books.nowS + Math.ceil(config.reversalRepeatMsMax / 1_000));
	}
}
