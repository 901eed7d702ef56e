/**
 * When a batch is settled without a key (DESIGN.md, "Closing a batch"): at a minute of the day, with so many sales, or
 * when the journal has no room for a few more. All of it is computed from what flash holds and the clock says now:
 * nothing to remember, so a terminal that was off at the hour settles when it is on again.
 * @module
 */
import { type Config, LOCAL_OFFSET_MS } from "../config";
import type { Clock } from "../ports";
import { unlessGone } from "../transactions/record-reader";
import type { TransactionLog } from "../transactions/transaction-log";
import type { Cases } from "./cases";

/**
 * hour: `settleAtMinute` has passed since its first sale. sales: `settleAtSales`. room: the journal is nearly full. cases:
 * what was settled of it takes all places for cases.
 */
export type SettleReason = "hour" | "sales" | "room" | "cases";

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;
/** Below so many sales a full journal has other reasons, and settling would not help it. */
const ROOM_SALES_LEAST = 16;

export interface SettleTimesOptions {
	log: TransactionLog;
	clock: Clock;
	config: Config;
	cases: Cases;
}

export class SettleTimes {
	readonly #o: SettleTimesOptions;
	/** The first transaction of the open batch, and when it was begun by the terminal's clock. */
	#firstId = 0;
	#firstMs = 0;
	#noRoom = false;

	constructor(options: SettleTimesOptions) {
		this.#o = options;
	}

	/** Why the open batch is to be settled now; undefined while it is not. */
	get reason(): SettleReason | undefined {
		const { log, clock, config } = this.#o;
		if (!this.seeFirst()) return undefined;
		const { settleAtMinute, settleAtSales } = config;
		const nowMs = clock.now();
		if (settleAtMinute >= 0 && this.#firstMs < lastAt(settleAtMinute, nowMs)) return "hour";
		// What is known of a batch is at least what counts in it: the sum is made only near the limit.
		if (log.index.count >= settleAtSales && log.batchSales >= settleAtSales) return "sales";
		if (this.#noRoom) return "room";
		return this.#o.cases.isHeld ? "cases" : undefined;
	}

	/** Until the next look at the clock, ms: at the hour, and often enough for a clock that is set in between. */
	get waitMs(): number {
		const { clock, config } = this.#o;
		if (config.settleAtMinute < 0) return config.syncEveryMs;
		const nowMs = clock.now();
		const leftMs = lastAt(config.settleAtMinute, nowMs) + DAY_MS - nowMs;
		return Math.max(1, Math.min(leftMs, config.syncEveryMs));
	}

	/** Nobody is served: does the journal have room for `settleRoomSales` more? May move records and erase. */
	look(): void {
		const { log, config } = this.#o;
		// Before a boot has anything to write its flash is left alone.
		const looks = log.journal.pinned && log.closing === undefined && log.batchSales >= ROOM_SALES_LEAST;
		if (!looks) this.#noRoom = false;
		else this.#noRoom = !log.prepareRoom(config.settleRoomSales);
	}

	/** A batch has closed. */
	closed(): void {
		this.#noRoom = false;
	}

	/** @returns false while nothing was begun in the open batch */
	private seeFirst(): boolean {
		const { log } = this.#o;
		const id = log.batch === 0 ? 0 : log.nextInBatch(log.batch, 0);
		if (id === 0) return false;
		if (id !== this.#firstId) this.#firstMs = this.begunMs(id);
		this.#firstId = id;
		return true;
	}

	/** One that flash has lost counts as begun now: the batch is settled at the next hour. */
	private begunMs(id: number): number {
		const { log, clock } = this.#o;
		const intent = unlessGone(() => log.intent(id));
		return intent === undefined ? clock.now() : intent.timeS * 1_000;
	}
}

/** The last time, up to now, that the local clock showed this minute of the day; ms since 1970. */
function lastAt(minute: number, nowMs: number): number {
	const localMs = nowMs + LOCAL_OFFSET_MS;
	const atMs = localMs - (localMs % DAY_MS) + minute * MINUTE_MS;
	return (atMs <= localMs ? atMs : atMs - DAY_MS) - LOCAL_OFFSET_MS;
}
