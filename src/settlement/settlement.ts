/**
 * Closes a batch (DESIGN.md, "Closing a batch"): durable closing, totals (0500), upload where the host has no list,
 * comparison, watches, release. What is durable is the closing record and the mark; all between is asked again after a cut,
 * and harmless to repeat.
 *
 * Invariants: nothing is released on a bare answer: each transaction of the batch agrees with the host's books, is watched
 * until it is posted, is carried forward, or is an open case. A batch never closes over an open doubt without saying so.
 * @module
 */
import { CodedError } from "../core/errors";
import type { MessageDecoder } from "../iso8583/decoder";
import type { SettleHold } from "../ports";
import { batchAfter } from "../transactions/counters";
import { KIND_RESEND } from "../transactions/records";
import { isCarried, stands } from "../transactions/states";
import { BatchTotals } from "./batch-totals";
import type { CarriedWork } from "./carried-work";
import type { CaseRecord } from "./case-records";
import { CaseState } from "./case-states";
import type { Cases } from "./cases";
import { Cause } from "./cause";
import type { Compare } from "./compare";
import { NEVER_DUE } from "./due";
import { isCaseRow, rowName } from "./finding";
import { isRequest, lastStep, stepAt } from "./remedies";
import type { SettleTimes } from "./settle-times";
import {
	SettlementAnswer,
	type SettlementMessages,
	type SettlementResult,
	UPLOAD_ROWS_MAX,
} from "./settlement-messages";
import { type SettlementReport, settlementReport } from "./settlement-report";
import type { SyncJob, SyncLine } from "./sync";
import type { SyncParts } from "./sync-parts";
import { CARRIED_KIND, type Watch, type Watches, watchOf } from "./watch";

/**
 * Why a batch is not settled yet. underWay, undelivered: a sale is not over. noRoom: the journal, or the list of watches, is
 * full. refused: the host does not settle. differences: what differs has to stand for a while before it is a finding.
 */
export type SettleWait = SettleHold;

export interface SettlementOptions {
	parts: SyncParts;
	messages: SettlementMessages;
	compare: Compare;
	watches: Watches;
	cases: Cases;
	carried: CarriedWork;
	times: SettleTimes;
	/** The line carries TLS: what a host without sync says over it is at least the host's. */
	secure(): boolean;
	onWait(why: SettleWait, batch: number): void;
	/** A case was opened. */
	onCase(id: number): void;
	onSettled(report: SettlementReport): void;
}

type Phase = "totals" | "upload" | "uploadEnd" | "compare" | "comparing" | "release";

/** Between two looks at what keeps a batch from being released. */
const AGAIN_MS = 60_000;
/** The same for differences that are being looked at: nothing is asked for it. */
const DIFFERENCES_MS = 5_000;
/** So long a host's list and its sums may contradict each other: then a batch is released, and a person compares. */
const CONTRADICTED_MS = 6 * 3_600_000;
const CONTRADICTED_AGAIN_MS = 900_000;

export class Settlement implements SyncJob {
	readonly #o: SettlementOptions;
	readonly #totals: BatchTotals;
	readonly #answer = new SettlementAnswer();
	#asked = false;
	#phase: Phase = "totals";
	#result: SettlementResult | undefined;
	/** The host's totals, of the answer that gave the result. */
	#host: SettlementReport["host"];
	#uploadedId = 0;
	#uploadedRows = 0;
	#notBeforeMs = 0;
	#told: SettleWait | undefined;
	/** Uptime at which the host was found to contradict itself; −1: it was not. */
	#contradictedMs = -1;

	constructor(options: SettlementOptions) {
		this.#o = options;
		this.#totals = new BatchTotals(options.parts.log.index, (batch, stan) => options.cases.creditedMinor(batch, stan));
		options.compare.onClosingCompared = (batch, whole) => this.compared(batch, whole);
	}

	get name(): string {
		return "settlement";
	}

	/** True while a batch closes, or is to. */
	get active(): boolean {
		return this.#asked || this.#o.parts.log.closing !== undefined;
	}

	/** The mark is written next: it carries the heads of the evidence chain. */
	get releases(): boolean {
		return this.#phase === "release";
	}

	/** The key, the hour, or a batch that is full. @returns false when there is nothing to settle, or one closes already */
	request(): boolean {
		const { log } = this.#o.parts;
		if (log.closing !== undefined || log.batch === 0) return false;
		this.#asked = true;
		this.#told = undefined;
		this.#notBeforeMs = 0;
		return true;
	}

	dueMs(nowMs: number): number {
		if (!this.active) return this.#o.times.reason === undefined ? nowMs + this.#o.times.waitMs : nowMs;
		// A host that turns out to know nothing of sync in the middle of it: the list goes to it.
		if (this.#phase === "comparing" && this.#o.parts.supported) return Number.POSITIVE_INFINITY;
		return Math.max(nowMs, this.#notBeforeMs);
	}

	step(line: SyncLine): void {
		const { log } = this.#o.parts;
		if (log.closing === undefined) {
			this.close();
			return;
		}
		switch (this.#phase) {
			case "totals":
				this.askTotals(line);
				return;
			case "upload":
				this.upload(line);
				return;
			case "uploadEnd":
				this.endUpload(line);
				return;
			case "compare":
				this.#phase = "comparing";
				this.#o.compare.requestClosing();
				return;
			case "comparing":
				this.#phase = "upload";
				return;
			default:
				this.release();
		}
	}

	private close(): void {
		const { log, clock } = this.#o.parts;
		const { batch } = log;
		if (!this.#asked) {
			const reason = this.#o.times.reason;
			if (reason === undefined || !this.request()) return;
			this.#o.parts.note("I", `batch ${batch} is to be settled: ${reason}`);
		}
		const refusal = log.close(batchAfter(batch), clock.now());
		if (refusal !== undefined) {
			this.wait(refusal === "full" ? "noRoom" : refusal === "closing" ? "refused" : refusal, batch);
			return;
		}
		this.#asked = false;
		this.#o.parts.askAgain();
		this.#o.times.closed();
		this.begin();
		this.#o.parts.note("I", `batch ${batch} closes; sales go on in batch ${log.batch}`);
	}

	private begin(): void {
		this.#o.compare.forgetClosing();
		this.#phase = "totals";
		this.#result = undefined;
		this.#host = undefined;
		this.#uploadedId = 0;
		this.#uploadedRows = 0;
		this.#notBeforeMs = 0;
		this.#told = undefined;
		this.#contradictedMs = -1;
	}

	private askTotals(line: SyncLine): void {
		const { parts, messages } = this.#o;
		const { log } = parts;
		const closing = log.closing!;
		this.#totals.count(closing.batch, closing.id);
		let byteLength = 0;
		try {
			byteLength = messages.settlement(log.takeStan(), closing.batch, this.#totals);
		} catch (error) {
			// More than the message can say: the list is what is left.
			if (!(error instanceof CodedError) || error.code !== "overflow") throw error;
			this.settledAs("error");
			return;
		}
		this.post(line, byteLength, (answer) => {
			if (messages.readSettlement(answer, this.#answer) === "refused") this.wait("refused", closing.batch);
			else {
				this.#host = this.hostTotals();
				this.settledAs(this.#answer.result);
			}
		});
	}

	private hostTotals(): SettlementReport["host"] {
		const { domestic, foreign, result } = this.#answer;
		if (result === "error") return undefined; // It has none, or contradicts itself.
		const sum = (count: number, sumMinor: number) => ({ count, sumMinor });
		return {
			debits: sum(domestic.debits + foreign.debits, domestic.debitMinor + foreign.debitMinor),
			credits: sum(domestic.credits + foreign.credits, domestic.creditMinor + foreign.creditMinor),
		};
	}

	private settledAs(result: SettlementResult): void {
		const { parts } = this.#o;
		this.#result = result;
		parts.note(result === "balanced" ? "I" : "W", `batch ${parts.log.closing?.batch}: ${result}`);
		if (parts.supported) this.#phase = "compare";
		else this.#phase = result === "balanced" && this.#o.secure() ? "release" : "upload";
	}

	/** Up to 8 rows of the batch; at their end the end. */
	private upload(line: SyncLine): void {
		const { parts, messages } = this.#o;
		const { log } = parts;
		const { index } = log;
		const closing = log.closing!;
		messages.beginPage();
		let lastId = this.#uploadedId;
		for (
			let slot = index.nextInBatch(closing.batch, lastId);
			slot >= 0;
			slot = index.nextInBatch(closing.batch, lastId)
		) {
			if (index.ids[slot] > closing.id || messages.rows === UPLOAD_ROWS_MAX) break;
			lastId = index.ids[slot];
			const kind = index.kind(slot);
			if (stands(index.states[slot], kind))
				messages.addRow(kind, index.stans[slot], log.card(lastId).pan, index.amount(slot));
		}
		const { rows } = messages;
		if (rows === 0) {
			this.#phase = "uploadEnd";
			return;
		}
		const byteLength = messages.upload(log.takeStan(), closing.batch);
		try {
			this.post(line, byteLength, (answer) => {
				if (messages.readUpload(answer) === "refused") this.wait("refused", closing.batch);
				else {
					this.#uploadedId = lastId;
					this.#uploadedRows += rows;
				}
			});
		} finally {
			messages.wipe(); // The card numbers have left with it (I9).
		}
	}

	private endUpload(line: SyncLine): void {
		const { parts, messages } = this.#o;
		const closing = parts.log.closing!;
		const balanced = this.#result === "balanced";
		const byteLength = messages.uploadEnd(parts.log.takeStan(), closing.batch, this.#uploadedRows, balanced);
		this.post(line, byteLength, (answer) => {
			if (messages.readUpload(answer) === "refused") this.wait("refused", closing.batch);
			else this.#phase = "release";
		});
	}

	private post(line: SyncLine, byteLength: number, onAnswer: (answer: MessageDecoder) => void): void {
		line.post(this.#o.messages.frame, byteLength, this.#o.messages.expected, onAnswer);
	}

	private compared(batch: number, whole: boolean): void {
		if (this.#phase !== "comparing" || batch !== this.#o.parts.log.closing?.batch) return;
		const { compare, parts } = this.#o;
		const nowMs = parts.clock.monotonic();
		const again = this.#contradictedMs >= 0;
		if (compare.contradicted && !again) this.#contradictedMs = nowMs;
		this.#phase = whole || this.isContradictory(nowMs) ? "release" : "compare";
		if (this.#phase !== "compare") return;
		// What changed between list and sums is in both the next time.
		if (compare.contradicted) this.wait("differences", batch, again ? CONTRADICTED_AGAIN_MS : DIFFERENCES_MS);
		else this.wait("refused", batch);
	}

	/** The host contradicts itself, and has gone on to for hours: what its list says is all there is, and a person compares. */
	private isContradictory(nowMs: number): boolean {
		return this.#o.compare.contradicted && nowMs - this.#contradictedMs >= CONTRADICTED_MS;
	}

	private release(): void {
		const { parts, compare, watches } = this.#o;
		const { log, suspicions, supported } = parts;
		const closing = log.closing!;
		const { batch } = closing;
		if (supported) {
			// What was compared once needs no second time: each difference becomes a case, or goes.
			// The same holds for what older batches have left: with this release its records go.
			const beyond = this.isBeyondCases(batch);
			if ((suspicions.hasOutside(log.batch) && !beyond) || this.needsCards() || this.#o.carried.waits) {
				this.wait("differences", batch, DIFFERENCES_MS);
				return;
			}
			// More differences than places, and these come free with the release only; or a host that contradicts itself, and
			// goes on to: a person compares.
			if ((beyond || compare.contradicted) && !this.openUnbalanced(batch)) {
				this.wait("noRoom", batch);
				return;
			}
			// What has come to rest since was passed over.
			if (compare.countRested(batch, closing.id) !== compare.restedCount) {
				this.#phase = "compare";
				return;
			}
			if (suspicions.leftOut > 0 && !beyond) {
				this.#phase = "compare";
				this.wait("differences", batch);
				return;
			}
			if (compare.unpostedLeftOut || !watches.add(batch, this.unposted())) {
				this.#phase = "compare";
				this.wait("noRoom", batch);
				return;
			}
			// One that has shown its books at other times: what they hold of this batch nobody has seen.
		} else if ((this.#result !== "balanced" || parts.hasShownBooks) && !this.openUnbalanced(batch)) {
			this.wait("noRoom", batch);
			return;
		}
		if (supported) this.watchCarried(batch, closing.id);
		const report = this.report();
		const refusal = log.release();
		if (refusal !== undefined) {
			this.wait(refusal === "full" || refusal === "closing" ? "noRoom" : refusal, batch);
			return;
		}
		this.begin();
		this.dropOutside();
		parts.note(
			"I",
			`batch ${batch} is settled: ${report.debits} sales, ${report.carried} carried, ${report.cases} cases`,
		);
		this.#o.onSettled(report);
	}

	/** Something of it differs, and no case can be opened for it before it is released. */
	private isBeyondCases(batch: number): boolean {
		const { cases, parts } = this.#o;
		if (!parts.suspicions.hasOutside(parts.log.batch)) return false;
		return cases.isHeld || cases.findOpen(batch, 0, "unbalanced") !== 0;
	}

	/** What is left of the batch, or before it, no comparison sees again. One case stands for all of it. */
	private dropOutside(): void {
		const { parts } = this.#o;
		const { log, suspicions } = parts;
		for (let at = 0; at < suspicions.count; at++) {
			if (suspicions.batches[at] === log.batch) continue;
			parts.note("W", `batch ${suspicions.batches[at]} stan=${suspicions.stans[at]} differs: with its batch's case`);
		}
		suspicions.dropOutside(log.batch);
	}

	/** A case whose next step may need a card that goes with the batch, or was carried into it. */
	private needsCards(): boolean {
		const { cases } = this.#o;
		for (let id = cases.nextOpen(0); id !== 0; id = cases.nextOpen(id)) {
			const state = cases.state(id);
			if (state !== CaseState.found && state !== CaseState.checking && state !== CaseState.asking) continue;
			const record = cases.get(id);
			const waits = record.batch !== this.#o.parts.log.batch && this.#o.parts.books.isKnown(record);
			if (waits && !this.isUnanswered(record)) return true;
		}
		return false;
	}

	/** A request that the desk does not answer: it needs no card, and no batch waits for it for ever. */
	private isUnanswered({ row, step, state, events }: CaseRecord): boolean {
		const { books, config } = this.#o.parts;
		const name = rowName(row);
		const begun = name === undefined || !isCaseRow(name) ? undefined : stepAt(name, step);
		if (state !== CaseState.asking || begun === undefined || !isRequest(begun.kind)) return false;
		const askedS = events[events.length - 1]?.timeS ?? 0;
		return askedS > 0 && books.nowS >= askedS + Math.ceil(config.lateOriginalMs / 1_000);
	}

	/**
	 * Totals that differ, at a host that cannot show its books: it has the list, and a person has to compare. Before the batch
	 * is released, durably; once, however often that is tried.
	 * @returns false when there is no place for it
	 */
	private openUnbalanced(batch: number): boolean {
		const { parts, cases, onCase } = this.#o;
		const { debitMinor, creditMinor } = this.#totals;
		const known = cases.findAny(batch, 0, "unbalanced");
		const id =
			known ||
			cases.open(
				{
					...{ row: "unbalanced", batch, stan: 0, kind: 0, cause: Cause.notKnown, facts: 0 },
					amountMinor: Math.abs(debitMinor - creditMinor),
					...{ hostMinor: 0, hostFlags: 0, rrn: "", panFirst: "", panLast: "", panDigits: 0, transactionId: 0 },
					dueS: NEVER_DUE,
				},
				parts.books.nowS,
			);
		if (id === 0) return false;
		if (cases.state(id) !== CaseState.found) return true;
		cases.beginStep(id, lastStep("unbalanced"), parts.books.nowS, { dueS: NEVER_DUE });
		onCase(id);
		return true;
	}

	private unposted(): Watch[] {
		const { parts, compare } = this.#o;
		const list: Watch[] = [];
		for (let n = 0; n < compare.unpostedCount; n++) {
			const id = compare.unposted[n];
			if (parts.log.index.find(id) >= 0) list.push(watchOf(parts, id));
		}
		return list;
	}

	/**
	 * What goes on over the release, as far as there are places: no comparison sees it any more, and once it has ended a boot
	 * does not know it either. What finds no place is asked about by CarriedWork, until the next boot.
	 */
	private watchCarried(batch: number, lastId: number): void {
		const { parts, watches } = this.#o;
		const { index } = parts.log;
		const list: Watch[] = [];
		for (let slot = index.nextInBatch(batch, 0); slot >= 0; slot = index.nextInBatch(batch, index.ids[slot])) {
			const id = index.ids[slot];
			const kind = index.kind(slot);
			if (id > lastId || list.length >= watches.room) break;
			if (!isCarried(index.states[slot]) || kind === KIND_RESEND) continue;
			list.push({ ...watchOf(parts, id), kind: kind | CARRIED_KIND, dueS: 0 });
		}
		watches.add(batch, list);
	}

	private report(): SettlementReport {
		const { parts, cases, compare } = this.#o;
		const { log, suspicions, supported } = parts;
		const { batch, id: lastId } = log.closing!;
		this.#totals.count(batch, lastId);
		return settlementReport({
			index: log.index,
			cases,
			suspicions,
			totals: this.#totals,
			batch,
			lastId,
			result: this.#result,
			host: this.#host,
			watched: supported ? compare.unpostedCount : 0,
		});
	}

	/** Later; people are told once for each reason. */
	private wait(why: SettleWait, batch: number, againMs = AGAIN_MS): void {
		const { parts, onWait } = this.#o;
		this.#notBeforeMs = parts.clock.monotonic() + againMs;
		if (this.#told === why) return;
		this.#told = why;
		parts.note("W", `batch ${batch} is not settled yet: ${why}`);
		onWait(why, batch);
	}
}
