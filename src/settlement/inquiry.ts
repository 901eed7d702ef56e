/**
 * What the host says of one transaction (402), for a person who waits for it: before all other jobs of the sync, and behind
 * every reversal and every customer, as all of them are. Asks once; the person may ask again.
 * @module
 */
import { HostFlag } from "./finding";
import type { SyncJob, SyncLine } from "./sync";
import { Entry } from "./sync-answers";
import type { MovementKey } from "./sync-messages";
import type { SyncParts } from "./sync-parts";

/** What the host's books come to, for a person. Of what is contradictory the word that needs a person. */
export const HOST_SAYS = [
	"unknown", // It does not know it.
	"posted",
	"pending", // Recorded, not posted yet.
	"postingRefused",
	"reversed",
	"voided",
	"unrecorded", // The card is debited, and the host has no record of it.
	"undebited", // The host has a record, and the card is not debited.
	"farSideFailed",
	"noAnswer",
	"noLine", // Not asked at all: no line, or it had more urgent things to do.
	"unsupported", // The host does not know the question.
	"refused", // It does, and will not say.
] as const;
export type HostSays = (typeof HOST_SAYS)[number];

export interface HostView {
	readonly says: HostSays;
	readonly batch: number;
	readonly stan: number;
	/** Of its books; all 0 and empty where it knows of none. Times are the host's, ms since 1970. */
	readonly amountMinor: number;
	readonly rrn: string;
	readonly recordedAt: number;
	readonly postedAt: number;
	/** Why the posting was refused: the host's number, 0 for none. */
	readonly reason: number;
}

type OnEnd = (view: HostView) => void;

export class Inquiry implements SyncJob {
	readonly #p: SyncParts;
	readonly #entry = new Entry();
	#key: MovementKey | undefined;
	#onEnd: OnEnd | undefined;
	#asked = false;
	/** Counts questions, so that an answer to an older one is nobody's. */
	#serial = 0;
	#timer = 0;

	constructor(parts: SyncParts) {
		this.#p = parts;
	}

	get name(): string {
		return "query";
	}

	/** True while a question waits for its answer. */
	get active(): boolean {
		return this.#key !== undefined;
	}

	/**
	 * @param onEnd - once, also when nobody answers: after `queryTimeoutMs` at the latest. Never inside the call
	 * @returns false while another question waits
	 */
	ask(key: MovementKey, onEnd: OnEnd): boolean {
		if (this.#key !== undefined) return false;
		const { clock, config, supported } = this.#p;
		this.#key = { batch: key.batch, stan: key.stan };
		this.#onEnd = onEnd;
		this.#asked = false;
		this.#serial++;
		const serial = this.#serial;
		// A host that knows none of this is not asked; it may have been another one at the last sign-on.
		const waitMs = supported ? config.queryTimeoutMs : 0;
		this.#timer = clock.setTimer(waitMs, () => {
			if (serial === this.#serial) this.end(supported ? (this.#asked ? "noAnswer" : "noLine") : "unsupported");
		});
		return true;
	}

	/** The terminal stops: nobody is told any more. */
	stop(): void {
		this.#p.clock.clearTimer(this.#timer);
		this.#key = undefined;
		this.#onEnd = undefined;
		this.#serial++;
	}

	dueMs(nowMs: number): number {
		const waits = this.#key !== undefined && !this.#asked && this.#p.supported;
		return waits ? nowMs : Number.POSITIVE_INFINITY;
	}

	step(line: SyncLine): void {
		const key = this.#key;
		if (key === undefined) return;
		this.#asked = true;
		const serial = this.#serial;
		const mine = (action: () => void) => {
			if (serial === this.#serial) action();
		};
		this.#p.askAbout(
			line,
			key,
			this.#entry,
			() => mine(() => this.end(hostSays(this.#entry))),
			(verdict) => mine(() => this.end(verdict === "unsupported" ? "unsupported" : "refused")),
			() => mine(() => this.end("noAnswer")),
		);
	}

	private end(says: HostSays): void {
		const { batch = 0, stan = 0 } = this.#key ?? {};
		const onEnd = this.#onEnd;
		const heard = says !== "noAnswer" && says !== "noLine" && says !== "unsupported" && says !== "refused";
		if (!heard) this.#entry.clear();
		const { amountMinor, rrn, recordedAt, postedAt, reason } = this.#entry;
		this.#p.clock.clearTimer(this.#timer);
		this.#key = undefined;
		this.#onEnd = undefined;
		this.#serial++;
		onEnd?.({ says, batch, stan, amountMinor, rrn, recordedAt, postedAt, reason });
	}
}

/** From the flags of an entry to one word. */
export function hostSays(entry: Pick<Entry, "found" | "flags">): HostSays {
	const has = (flag: number) => (entry.flags & flag) !== 0;
	if (!entry.found) return "unknown";
	if (has(HostFlag.reversed)) return "reversed";
	if (has(HostFlag.voided)) return "voided";
	if (!has(HostFlag.recorded)) return has(HostFlag.debited) ? "unrecorded" : "unknown";
	if (!has(HostFlag.debited)) return "undebited";
	if (has(HostFlag.farSideFailed)) return "farSideFailed";
	if (has(HostFlag.posted)) return "posted";
	return has(HostFlag.refused) ? "postingRefused" : "pending";
}
