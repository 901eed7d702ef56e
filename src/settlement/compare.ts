/**
 * Compares a batch with the host's books: digest and sums first (406), and where these do not agree the host's list (401),
 * page by page, merged against the journal in one pass with one page in memory. What differs becomes a suspicion; what is
 * done about it is not decided here. See DESIGN.md, "Compare".
 *
 * It can be interrupted at any request and goes on with the same page. A restart begins it anew: it changes nothing.
 * @module
 */
import { equalBytes } from "../core/bytes";
import { unlessGone } from "../transactions/record-reader";
import { State } from "../transactions/states";
import { BatchDigest } from "./batch-digest";
import { BatchMerge } from "./batch-merge";
import { HostFlag, type HostWord, isCaseRow, KIND_VOID, Row } from "./finding";
import type { SyncJob, SyncLine } from "./sync";
import { DigestAnswer, EntryPage } from "./sync-answers";
import { STAN_MAX, type SyncVerdict } from "./sync-messages";
import type { SyncParts } from "./sync-parts";

/** Sales recorded and not yet posted that are remembered for a batch that closes. */
export const UNPOSTED_MAX = 256;

/** Of one list: a batch closes itself at 990 records, and no host has three times as many. A list that goes on does not end. */
const PAGES_MAX = 64;

/** Comparisons of a batch that closes without waiting; then twice as long each time, up to the usual time. */
const CLOSINGS_FREE = 3;
const CLOSING_AGAIN_MS = 60_000;
const CLOSINGS_MAX = 16;

/** all: digest of what is at rest. due: what should be posted by now. list: page by page. check: the list against its sums. */
type Phase = "idle" | "all" | "due" | "list" | "check";

/** Places in what was listed. */
const Listed = { recorded: 0, recordedMinor: 1, pending: 2, refused: 3, voided: 4, stan: 5 } as const;

export class Compare implements SyncJob {
	/**
	 * A comparison of a batch that closes is over: `whole` when it went through, else the host would not show its books. One
	 * that was begun while the batch was open is none: it ends before what was sold last.
	 */
	onClosingCompared: ((batch: number, whole: boolean) => void) | undefined;
	/** Of the last comparison of a batch that closes: ids recorded and not yet posted. */
	readonly unposted = new Uint32Array(UNPOSTED_MAX);
	unpostedCount = 0;
	/** More than have a place. */
	unpostedLeftOut = false;
	/** Of the last comparison of a batch that closes: how many of it were at rest when it began; −1: none went through. */
	restedCount = -1;
	/** Of the same: it did not go through, as the host's list and its sums contradict each other. */
	contradicted = false;
	readonly #p: SyncParts;
	readonly #digest: BatchDigest;
	readonly #merge: BatchMerge;
	readonly #page = new EntryPage();
	readonly #answer = new DigestAnswer();
	readonly #host: { kind: number; amountMinor: number; flags: number } = { kind: 0, amountMinor: 0, flags: 0 };
	readonly #onPair = (id: number, at: number): void => this.pair(id, at);
	#phase: Phase = "idle";
	#batch = 0;
	/** Of the comparison under way: it was asked for by {@link requestClosing}. */
	#ofClosing = false;
	#lastId = 0;
	#fromStan = 1;
	#pages = 0;
	/** Batches to be compared at once, without waiting for their time. */
	#wanted = true;
	#closingWanted = false;
	/** Uptime from which it may begin. */
	#closingMs = 0;
	/** Of this batch so many were asked for. */
	#closingBatch = 0;
	#closings = 0;
	/** Of the comparison of the closing batch that is under way; see {@link restedCount}. */
	#resting = 0;
	#nextMs = 0;
	/** The batch whose whole list was read since the start: what this terminal has lost shows in it alone. */
	#listedBatch = 0;
	/**
	 * Of the list under way, by its flags: what stands and is recorded, and what of that is not posted, or refused; what was
	 * voided without a void in the list.
	 */
	readonly #listed = new Float64Array(6);

	constructor(parts: SyncParts) {
		this.#p = parts;
		this.#digest = new BatchDigest(parts.log.index, (batch, stan) => parts.cases.creditedMinor(batch, stan));
		this.#merge = new BatchMerge(parts.log.index);
	}

	get name(): string {
		return "compare";
	}

	/** True while a comparison is under way, or asked for. */
	get active(): boolean {
		return this.#p.supported && (this.#phase !== "idle" || this.#wanted || this.#closingWanted);
	}

	/** A digest is asked for next: it carries the head of the evidence chain. */
	get asksDigest(): boolean {
		return this.#phase === "all" || this.#phase === "due" || this.#phase === "check";
	}

	/** The open batch as soon as the line allows. */
	request(): void {
		this.#wanted = true;
	}

	/** The batch that closes, whole. Each time later, where one comparison after the other brings no release (I10). */
	requestClosing(): void {
		const { clock, config, log } = this.#p;
		const batch = log.closing?.batch ?? 0;
		if (batch !== this.#closingBatch) this.#closings = 0;
		this.#closingBatch = batch;
		const waitMs = this.#closings < CLOSINGS_FREE ? 0 : CLOSING_AGAIN_MS * (1 << (this.#closings - CLOSINGS_FREE));
		this.#closingMs = clock.monotonic() + Math.min(waitMs, config.syncEveryMs);
		this.#closings = Math.min(this.#closings + 1, CLOSINGS_MAX);
		this.#closingWanted = true;
	}

	/** A batch begins to close, or is released: what was seen of another one says nothing of it. */
	forgetClosing(): void {
		this.#closingWanted = false;
		this.unpostedCount = 0;
		this.unpostedLeftOut = false;
		this.restedCount = -1;
	}

	dueMs(nowMs: number): number {
		if (!this.#p.supported) return Math.max(this.#nextMs, this.#p.askAgainMs);
		if (this.#phase !== "idle" || this.#wanted) return nowMs;
		return this.#closingWanted ? Math.min(this.#closingMs, this.#nextMs) : this.#nextMs;
	}

	step(line: SyncLine): void {
		// Released meanwhile, as a host without sync is settled: all that its list names would be unknown here.
		if (this.#batch !== this.#p.log.batch && this.#batch !== this.#p.log.closing?.batch) this.#phase = "idle";
		if (this.#phase === "idle") {
			this.begin();
			return; // Before a digest the evidence chain is linked.
		}
		if (this.#phase === "list") this.askPage(line);
		else this.askDigest(line);
	}

	private begin(): void {
		const { log, clock, config, suspicions } = this.#p;
		const { closing } = log;
		const closes = this.#closingWanted && closing !== undefined && clock.monotonic() >= this.#closingMs;
		const closingBatch = closes ? closing.batch : 0;
		if (closes || closing === undefined) this.#closingWanted = false;
		if (closingBatch === 0) {
			this.#wanted = false;
			this.#nextMs = clock.monotonic() + config.syncEveryMs;
		}
		this.#ofClosing = closingBatch !== 0;
		this.#batch = closingBatch === 0 ? log.batch : closingBatch;
		if (this.#batch === 0) return;
		this.#lastId = closingBatch === 0 ? this.newestId() : (closing?.id ?? 0);
		if (this.#ofClosing) {
			// Else the list stays: the batch that closes may still wait for its differences, and is not compared again.
			this.contradicted = false;
			this.unpostedCount = 0;
			this.unpostedLeftOut = false;
			this.restedCount = -1;
			this.#resting = this.countRested(closingBatch, this.#lastId);
		}
		suspicions.beginPass(this.#batch);
		this.seeTwins();
		// The first time, and before a batch is given up, everything is looked at: what nobody here knows of, too.
		const whole = closingBatch !== 0 || this.#listedBatch !== this.#batch || !this.isAllAtRest();
		if (whole || this.#lastId === 0) this.beginList();
		else this.#phase = "all";
	}

	private beginList(): void {
		this.#phase = "list";
		this.#listed.fill(0);
		if (this.#ofClosing) this.#digest.digest.begin();
		this.#fromStan = 1;
		this.#pages = 0;
		this.#merge.begin(this.#batch, this.#lastId);
	}

	private askDigest(line: SyncLine): void {
		const { log, messages } = this.#p;
		const phase = this.#phase;
		const lastId = phase === "due" ? this.newestDueId() : this.#lastId;
		const slot = log.index.find(lastId);
		const ownStan = slot < 0 ? 0 : log.index.stans[slot];
		const toStan = phase === "check" ? Math.max(ownStan, this.#listed[Listed.stan]) : ownStan;
		if (toStan === 0) {
			this.done();
			return;
		}
		if (phase === "all") {
			this.#digest.begin(this.#batch, lastId);
			while (!this.#digest.step(this.#p.config.transactionsMax));
		}
		const byteLength = messages.digest(log.takeStan(), this.#batch, toStan, this.#p.evidence);
		this.#p.ask(
			line,
			byteLength,
			(answer) => messages.readDigest(answer, this.#answer),
			(verdict) => this.digestTaken(phase, verdict),
		);
	}

	private digestTaken(phase: Phase, verdict: SyncVerdict): void {
		if (verdict !== "taken") {
			this.refused(verdict);
			return;
		}
		if (phase === "check") {
			this.checkList();
			return;
		}
		const { recorded, posted, pending, refused, digest } = this.#answer;
		// What the issuer has debited and the acquirer has lost is in the digest, and not in its sums.
		const same = equalBytes(digest, this.#digest.bytes) && recorded.count === this.#digest.entries;
		// What is recorded is posted, pending or refused: sums that say otherwise say nothing.
		const whole = posted.count + pending.count + refused.count === recorded.count;
		if ((phase === "all" && !same) || !whole) this.beginList();
		else if (refused.count > 0) this.beginList();
		else if (pending.count === 0) this.done();
		else if (phase === "due") this.beginList();
		else this.#phase = "due";
	}

	private askPage(line: SyncLine): void {
		const { log, messages } = this.#p;
		const byteLength = messages.list(log.takeStan(), this.#batch, this.#fromStan, STAN_MAX);
		this.#p.ask(
			line,
			byteLength,
			(answer) => messages.readPage(answer, this.#page),
			(verdict) => {
				if (verdict === "taken") this.pageTaken();
				else this.refused(verdict);
			},
		);
	}

	private pageTaken(): void {
		const page = this.#page;
		this.tally();
		this.#merge.page(page, this.#onPair);
		if (page.more) {
			this.#fromStan = page.nextStan;
			if (++this.#pages === PAGES_MAX) this.endless();
			return;
		}
		this.#merge.end(this.#onPair);
		this.#listedBatch = this.#batch;
		// With the release all that a list has hidden would be forgotten: its sums have to say the same.
		// Where STANs come round, sums up to a number are of another part of it.
		if (this.#ofClosing && !this.#merge.comesRound) {
			this.#digest.digest.end();
			this.#phase = "check";
		} else this.done();
	}

	private tally(): void {
		const listed = this.#listed;
		const page = this.#page;
		for (let at = 0; at < page.count; at++) {
			const flags = page.flags[at];
			listed[Listed.stan] = page.stans[at];
			if ((flags & HostFlag.reversed) !== 0) continue;
			if (this.#ofClosing) this.#digest.digest.add(page.stans[at], page.kinds[at], page.amounts[at]);
			const recorded = (flags & HostFlag.recorded) !== 0;
			if (recorded) {
				listed[Listed.recorded]++;
				listed[Listed.recordedMinor] += page.amounts[at];
			}
			if ((flags & HostFlag.voided) !== 0) listed[Listed.voided]++;
			if (page.kinds[at] === KIND_VOID) listed[Listed.voided]--;
			if ((flags & HostFlag.posted) !== 0) continue;
			if ((flags & (HostFlag.refused | HostFlag.farSideFailed)) !== 0) listed[Listed.refused]++;
			else if (recorded) listed[Listed.pending]++;
		}
	}

	/** Less may wait than a moment ago, as the bank goes on; nothing may be there that the list has not named. */
	private checkList(): void {
		const { recorded, pending, refused, digest } = this.#answer;
		const listed = this.#listed;
		const sameRecords =
			recorded.count === listed[Listed.recorded] && recorded.sumMinor === listed[Listed.recordedMinor];
		const same = sameRecords && equalBytes(digest, this.#digest.digest.bytes);
		if (
			same &&
			listed[Listed.voided] <= 0 &&
			pending.count <= listed[Listed.pending] &&
			refused.count <= listed[Listed.refused]
		) {
			this.done();
			return;
		}
		this.#p.note("W", `batch ${this.#batch}: the host's list and its sums contradict each other`);
		this.contradicted = true;
		this.restedCount = this.#resting; // All that it has named was looked at.
		this.giveUp();
	}

	private pair(id: number, at: number): void {
		const { log, books, cases, suspicions, clock } = this.#p;
		const slot = log.index.find(id);
		if (slot >= 0 && !log.isAtRest(slot)) return;
		const stan = slot >= 0 ? log.index.stans[slot] : this.#page.stans[at];
		const row = unlessGone(() => books.judge(id, this.hostWord(at)));
		if (row === undefined) return; // Its records are gone; a spent one's may be.
		if (row === "pending") this.noteUnposted(id);
		else if (isCaseRow(row) && cases.findOpen(this.#batch, stan) === 0 && !cases.isDecided(this.#batch, stan, row)) {
			suspicions.see(Row[row], this.#batch, stan, id, clock.monotonic());
		}
	}

	private hostWord(at: number): HostWord | undefined {
		if (at < 0) return undefined;
		const page = this.#page;
		const host = this.#host;
		host.kind = page.kinds[at];
		host.amountMinor = page.amounts[at];
		host.flags = page.flags[at];
		return host;
	}

	private noteUnposted(id: number): void {
		if (!this.#ofClosing) return;
		if (this.unpostedCount < UNPOSTED_MAX) this.unposted[this.unpostedCount++] = id;
		else this.unpostedLeftOut = true;
	}

	/** Sales that were perhaps entered twice: only this terminal can see it. */
	private seeTwins(): void {
		const { log, books, suspicions, clock } = this.#p;
		const { index } = log;
		for (
			let slot = index.nextInBatch(this.#batch, 0);
			slot >= 0;
			slot = index.nextInBatch(this.#batch, index.ids[slot])
		) {
			const id = index.ids[slot];
			if (id > this.#lastId) return;
			const twin = unlessGone(() => books.twinOf(id)) ?? 0;
			if (twin !== 0) suspicions.see(Row.doubled, this.#batch, index.stans[slot], id, clock.monotonic());
		}
	}

	private done(): void {
		const batch = this.#batch;
		this.#phase = "idle";
		this.#p.suspicions.endPass(batch);
		const { count, leftOut } = this.#p.suspicions;
		if (count > 0)
			this.#p.note("W", `batch ${batch} compared: ${count} differences to look at${leftOut > 0 ? ", and more" : ""}`);
		if (!this.#ofClosing) return;
		this.restedCount = this.#resting;
		this.onClosingCompared?.(batch, true);
	}

	/** The host answers, and not with its books: again at the usual time. */
	private refused(verdict: SyncVerdict): void {
		if (verdict === "refused") this.#p.note("W", `batch ${this.#batch}: the host refuses to show its books`);
		this.giveUp();
	}

	/** What it has named so far is a suspicion at most, and confirmed or dropped as any other. */
	private endless(): void {
		this.#p.note("W", `batch ${this.#batch}: the host's list does not end`);
		if (this.#ofClosing) this.#closings = CLOSINGS_MAX;
		this.giveUp();
	}

	private giveUp(): void {
		this.#phase = "idle";
		if (this.#ofClosing) this.onClosingCompared?.(this.#batch, false);
	}

	/** How many of a batch nothing is under way for. O(n) */
	countRested(batch: number, lastId: number): number {
		const { log } = this.#p;
		const { index } = log;
		let count = 0;
		for (let slot = index.nextInBatch(batch, 0); slot >= 0; slot = index.nextInBatch(batch, index.ids[slot])) {
			if (index.ids[slot] <= lastId && log.isAtRest(slot)) count++;
		}
		return count;
	}

	private newestId(): number {
		const { index } = this.#p.log;
		for (let slot = index.count - 1; slot >= 0; slot--) if (index.batch(slot) === this.#batch) return index.ids[slot];
		return 0;
	}

	/**
	 * True when each of the batch has its last word, STANs do not come round in it, and nothing is in it that no digest
	 * holds: an advice that the host has refused and that no case has taken up. Then one digest is enough.
	 */
	private isAllAtRest(): boolean {
		const { log, cases } = this.#p;
		const { index } = log;
		let before = 0;
		for (
			let slot = index.nextInBatch(this.#batch, 0);
			slot >= 0;
			slot = index.nextInBatch(this.#batch, index.ids[slot])
		) {
			if (!log.isAtRest(slot) || index.stans[slot] < before) return false;
			before = index.stans[slot];
			if (index.states[slot] === State.forwardRefused && cases.findAny(this.#batch, before) === 0) return false;
		}
		return true;
	}

	/** The newest that should be posted by now; 0 when there is none. */
	private newestDueId(): number {
		const { index } = this.#p.log;
		for (let slot = index.count - 1; slot >= 0; slot--) {
			if (index.batch(slot) !== this.#batch || index.ids[slot] > this.#lastId) continue;
			if (index.isCharged(slot) && this.#p.books.isDue(index.ids[slot])) return index.ids[slot];
		}
		return 0;
	}
}
