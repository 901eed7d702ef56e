/**
 * What was carried over its batch's release: a doubt, or an advice that was still to be answered. No comparison sees it any
 * more, so once it is at rest it is asked about by itself (402): what differs is a suspicion as any other, and what is
 * recorded and not yet posted is watched. Nothing of it is released before that (I3).
 * @module
 */
import { unlessGone } from "../transactions/record-reader";
import { isCaseRow, Row } from "./finding";
import type { SyncJob, SyncLine } from "./sync";
import type { SyncParts } from "./sync-parts";
import { type Watches, watchOf } from "./watch";

/** Those whose answer is remembered; more are asked about again. */
const DONE_MAX = 128;

export class CarriedWork implements SyncJob {
	readonly #p: SyncParts;
	readonly #watches: Watches;
	/** Ids that were asked about, a ring; it is lost at a boot, and asked again. */
	readonly #done = new Uint32Array(DONE_MAX);
	#doneAt = 0;
	#notBeforeMs = 0;

	constructor(parts: SyncParts, watches: Watches) {
		this.#p = parts;
		this.#watches = watches;
	}

	get name(): string {
		return "carried";
	}

	/** Some of it is at rest, and the host has not been asked yet. */
	get waits(): boolean {
		return this.#p.supported && this.next() !== 0;
	}

	dueMs(nowMs: number): number {
		if (!this.waits) return Number.POSITIVE_INFINITY;
		return Math.max(nowMs, this.#notBeforeMs);
	}

	step(line: SyncLine): void {
		const { log } = this.#p;
		const id = this.next();
		const slot = log.index.find(id);
		if (slot < 0) return;
		const key = { batch: log.index.batch(slot), stan: log.index.stans[slot] };
		this.#p.askAbout(
			line,
			key,
			this.#p.entry,
			() => this.heard(id),
			() => this.later(),
		);
	}

	/** The first that is at rest and was not asked about. O(what is carried) */
	private next(): number {
		const { index, batch, closing } = this.#p.log;
		for (let slot = 0; slot < index.count; slot++) {
			const of = index.batch(slot);
			if (of === batch || of === closing?.batch) return 0;
			if (this.#p.log.isAtRest(slot) && this.#done.indexOf(index.ids[slot]) < 0) return index.ids[slot];
		}
		return 0;
	}

	private heard(id: number): void {
		const { log, books, cases, suspicions, clock } = this.#p;
		const entry = this.#p.entry;
		const slot = log.index.find(id);
		if (slot < 0) return;
		const [batch, stan] = [log.index.batch(slot), log.index.stans[slot]];
		const row = unlessGone(() => books.judge(id, entry.found ? entry : undefined));
		if (row === undefined) {
			this.done(id);
			return; // Its records are gone.
		}
		if (row === "pending") {
			if (!this.#watches.add(batch, [watchOf(this.#p, id)])) {
				this.later();
				return;
			}
		} else if (isCaseRow(row) && cases.findOpen(batch, stan) === 0 && !cases.isDecided(batch, stan, row)) {
			suspicions.see(Row[row], batch, stan, id, clock.monotonic());
			if (suspicions.find(batch, stan) < 0) {
				this.later();
				return;
			}
		}
		this.done(id);
	}

	private done(id: number): void {
		this.#done[this.#doneAt] = id;
		this.#doneAt = (this.#doneAt + 1) % DONE_MAX;
		// More of them than are remembered would be asked about for ever: a round at a time.
		if (this.#doneAt === 0) this.later();
	}

	private later(): void {
		this.#notBeforeMs = this.#p.clock.monotonic() + this.#p.config.reversalRepeatMsMax;
	}
}
