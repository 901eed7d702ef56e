/**
 * Watches of released batches: each is asked about (402) when it should be posted, until it is. What is overdue or was
 * refused becomes a case, which takes it over.
 * @module
 */
import { isAdvice } from "../transactions/records";
import { finding, isCaseRow, type TerminalWord } from "./finding";
import { openCase } from "./findings";
import type { SyncJob, SyncLine } from "./sync";
import type { SyncParts } from "./sync-parts";
import { CARRIED_KIND, type KnownWatch, type Watches } from "./watch";

export class WatchWork implements SyncJob {
	readonly #p: SyncParts;
	readonly #watches: Watches;
	readonly #onFull: () => void;
	#turn = 0;
	/** Uptime at which the round began in which each has its turn. */
	#roundMs = Number.NEGATIVE_INFINITY;
	#notBeforeMs = 0;

	/** @param onFull - there is no place for another case */
	constructor(parts: SyncParts, watches: Watches, onFull: () => void) {
		this.#p = parts;
		this.#watches = watches;
		this.#onFull = onFull;
	}

	get name(): string {
		return "watches";
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
		const nowMs = this.#p.clock.monotonic();
		const { reversalRepeatMsMax } = this.#p.config;
		this.#turn = watches.nextDue(books.nowS, this.#turn);
		if (this.#turn === 0) {
			// All had their turn. The next round is some uptime later, whatever the host's clock says meanwhile.
			if (nowMs >= this.#roundMs + reversalRepeatMsMax) this.#turn = watches.nextDue(books.nowS, 0);
			this.#notBeforeMs = this.#turn === 0 ? Math.max(nowMs, this.#roundMs) + reversalRepeatMsMax : 0;
			if (this.#turn === 0) return;
			this.#roundMs = nowMs;
		}
		const serial = this.#turn;
		const watch = watches.get(serial);
		if (this.isUnderWay(watch)) {
			this.again(serial);
			return;
		}
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
		const { batch, stan } = watch;
		const { books, cases } = this.#p;
		const carried = (watch.kind & CARRIED_KIND) !== 0;
		const id = carried ? this.idOf(watch) : 0;
		const word = id === 0 ? this.wordOf(watch) : books.word(id);
		const row = finding(word, entry.found ? entry : undefined, !carried || books.isDue(0, entry.recordedAt));
		if (row === "pending" || row === "underWay") this.again(serial);
		else if (!isCaseRow(row)) this.#watches.done(batch, stan);
		else if (cases.findOpen(batch, stan) !== 0) this.#watches.done(batch, stan);
		else if (cases.isDecided(batch, stan, row)) this.#watches.done(batch, stan);
		else if (openCase(this.#p, { row, batch, stan, id, word, entry }) !== 0) this.#watches.done(batch, stan);
		else {
			this.#onFull();
			this.again(serial);
		}
	}

	private wordOf({ batch, stan, kind, amountMinor }: KnownWatch): TerminalWord {
		const plain = kind & ~CARRIED_KIND;
		const notCharged = plain !== kind && !isAdvice(plain);
		const creditedMinor = this.#p.cases.creditedMinor(batch, stan);
		return { said: notCharged ? "notCharged" : "charged", kind: plain, amountMinor, creditedMinor, twin: false };
	}

	private isUnderWay(watch: KnownWatch): boolean {
		const { log } = this.#p;
		const slot = log.index.find((watch.kind & CARRIED_KIND) === 0 ? 0 : this.idOf(watch));
		return slot >= 0 && !log.isAtRest(slot);
	}

	/** 0: the journal has it no more. */
	private idOf({ batch, stan }: KnownWatch): number {
		return this.#p.log.findByStan(batch, stan);
	}

	private again(serial: number): void {
		const { books, config } = this.#p;
		this.#watches.postpone(serial, books.nowS + Math.ceil(config.reversalRepeatMsMax / 1_000));
	}
}
