/**
 * What the rules of the monitor read: numbers, each by one question to whoever knows. Nothing here reads or writes
 * flash, and nothing is durable: after a boot the same numbers come from what the journal holds and what happens then.
 * @module
 */
import type { Config } from "../config";
import type { LinkHealth } from "../host/link-health";
import { KIND_RESEND } from "../transactions/records";
import { isDoubt, isSpent, State } from "../transactions/states";
import type { TransactionLog } from "../transactions/transaction-log";
import { DeclineRun } from "./decline-run";
import type { Reconciliation } from "./reconciliation";

/** The part of the reconciliation that is looked at. */
export type WatchedBooks = Pick<Reconciliation, "noticed" | "cases" | "watches" | "hostTime" | "settling">;

export interface MonitorSignsOptions {
	log: TransactionLog;
	books: WatchedBooks;
	health: LinkHealth;
	config: Config;
}

export class MonitorSigns {
	readonly declines: DeclineRun;
	/** Uptime of this look, ms. */
	nowMs = 0;
	/** Reversals and advices that wait for the host. */
	waiting = 0;
	/** For how long the oldest of them has been the oldest, ms: since the boot at most. */
	oldestMs = 0;
	/** The nearer of the doubts and their sum to what is allowed, per cent. */
	doubtsPercent = 0;
	/** Sales of the open batch, of what it takes. */
	batchPercent = 0;
	/** For how long a settlement has been asked for or under way, ms. */
	settlingMs = 0;
	/** Of the window that runs. */
	mended = 0;
	readonly #o: MonitorSignsOptions;
	#oldestId = 0;
	#oldestSinceMs = 0;
	#settlingSinceMs = -1;
	#mendedBefore = 0;
	#mendWindowMs = 0;

	constructor(options: MonitorSignsOptions) {
		this.#o = options;
		this.declines = new DeclineRun(options.config);
	}

	/** Looks at everything that takes a walk through the transactions, and at what is to be timed. O(n) */
	look(nowMs: number): void {
		const { log, books, config } = this.#o;
		const { index, batch } = log;
		const { states } = index;
		let doubts = 0;
		let doubtSumMinor = 0;
		let sales = 0;
		let oldestId = 0;
		this.nowMs = nowMs;
		this.waiting = 0;
		for (let slot = 0; slot < index.count; slot++) {
			const state = states[slot];
			if (isDoubt(state)) {
				doubts++;
				doubtSumMinor += index.amount(slot);
			}
			if (state === State.reversing || state === State.forwarding) {
				this.waiting++;
				if (oldestId === 0) oldestId = index.ids[slot];
			}
			if (!isSpent(state) && index.batch(slot) === batch && index.kind(slot) !== KIND_RESEND) sales++;
		}
		const byCount = Math.floor((doubts * 100) / config.doubtsMax);
		this.doubtsPercent = Math.max(byCount, Math.floor((doubtSumMinor * 100) / config.doubtSumMinorMax));
		this.batchPercent = Math.floor((sales * 100) / config.batchSalesMax);
		if (oldestId !== this.#oldestId) this.#oldestSinceMs = nowMs;
		this.#oldestId = oldestId;
		this.oldestMs = oldestId === 0 ? 0 : nowMs - this.#oldestSinceMs;
		if (!books.settling) this.#settlingSinceMs = -1;
		else if (this.#settlingSinceMs < 0) this.#settlingSinceMs = nowMs;
		this.settlingMs = this.#settlingSinceMs < 0 ? 0 : nowMs - this.#settlingSinceMs;
		this.lookAtMending();
	}

	/** Sales that should be posted and are not, as far as the host's books were seen. */
	get postingsLate(): number {
		const { books, config } = this.#o;
		return books.noticed("overdue") + books.watches.countDue(this.hostS(config.promiseGraceMs));
	}

	get accountRefused(): number {
		return this.#o.books.noticed("merchantAccount");
	}

	get doubled(): number {
		return this.#o.books.noticed("doubled");
	}

	get casesOverdue(): number {
		const { books, config } = this.#o;
		return books.cases.countPromised(this.hostS(config.promiseGraceMs));
	}

	get casesFull(): number {
		return this.#o.books.cases.isFull ? 1 : 0;
	}

	/** What the journal needs, of what it can give. */
	get journalPercent(): number {
		return this.#o.log.usedPercent;
	}

	/** Either way, ms; 0 while the host's time is not known. */
	get clockOffMs(): number {
		return Math.abs(this.#o.books.hostTime.offMs);
	}

	get macFailures(): number {
		return this.#o.health.macFailures(this.nowMs - this.#o.config.macWindowMs);
	}

	linkDownMs(link: number): number {
		return this.#o.health.downMs(link, this.nowMs);
	}

	linkWorsePermille(link: number): number {
		return this.#o.health.worsePermille(link);
	}

	get copyLost(): number {
		return this.#o.log.journal.lostCopy >= 0 ? 1 : 0;
	}

	get retiredBlocks(): number {
		return this.#o.log.journal.retiredBlocks;
	}

	get erasesEach(): number {
		return this.#o.log.journal.erasesEach;
	}

	/** Blocks mended in this window, which begins anew when it has run its time. */
	private lookAtMending(): void {
		const { log, config } = this.#o;
		const { mendedBlocks } = log.journal;
		if (this.nowMs - this.#mendWindowMs >= config.flashMendWindowMs) {
			this.#mendWindowMs = this.nowMs;
			this.#mendedBefore = mendedBlocks;
		}
		this.mended = mendedBlocks - this.#mendedBefore;
	}

	/** The host's time so long ago, seconds; 0 while it is not known: then nothing is late. */
	private hostS(agoMs: number): number {
		const nowMs = this.#o.books.hostTime.now();
		return nowMs === undefined ? 0 : Math.max(0, Math.floor((nowMs - agoMs) / 1_000));
	}
}
