/**
 * From a suspicion to a case: what a comparison saw to differ, and has stood long enough, is asked about once more (402);
 * when the host still says the same, it is a finding, and becomes a case with its facts and its cause, durably. What the
 * host will not speak of, though it lists it so, is a case too, after {@link UNHEARD_MAX} questions: with support, as no remedy
 * is begun without its word, and with no cause.
 * @module
 */
import { unlessGone } from "../transactions/record-reader";
import { type CaseRecord, RequestState } from "./case-records";
import { Cause, causeOf } from "./cause";
import { type CaseRow, isCaseRow, Row, type RowName, rowName, type TerminalWord } from "./finding";
import { UNHEARD_MAX } from "./suspicions";
import type { SyncJob, SyncLine } from "./sync";
import type { Entry } from "./sync-answers";
import type { SyncParts } from "./sync-parts";

/** Who hears of what was found. */
export interface FindingsOwner {
	/** There is no place for another open case. */
	onFull(): void;
	/** Nothing differs after all, but it is recorded and not yet posted. @returns false when that cannot be remembered now */
	onPending(batch: number, id: number): boolean;
	/** A case was opened. @param heard - what the host says of it was heard just now; false: it has not spoken of it */
	onOpened(id: number, heard: boolean): void;
}

export class Findings implements SyncJob {
	readonly #p: SyncParts;
	readonly #owner: FindingsOwner;

	constructor(parts: SyncParts, owner: FindingsOwner) {
		this.#p = parts;
		this.#owner = owner;
	}

	get name(): string {
		return "findings";
	}

	dueMs(nowMs: number): number {
		const { suspicions, supported, cases } = this.#p;
		let dueMs = Number.POSITIVE_INFINITY;
		// Without a place for a case there is nothing to ask for; the next comparison drops what has gone by itself.
		if (!supported || cases.isFull) return dueMs;
		for (let at = 0; at < suspicions.count; at++) dueMs = Math.min(dueMs, this.dueMsOf(at, nowMs));
		return dueMs;
	}

	step(line: SyncLine): void {
		const { suspicions, clock, books } = this.#p;
		const nowMs = clock.monotonic();
		for (let at = 0; at < suspicions.count; at++) {
			if (this.dueMsOf(at, nowMs) > nowMs) continue;
			const key = { batch: suspicions.batches[at], stan: suspicions.stans[at] };
			if (!books.isAtRest(key.batch, key.stan)) {
				this.postpone(at);
				return;
			}
			if (suspicions.unheard(at) === UNHEARD_MAX) {
				this.giveUp(at, key.batch, key.stan);
				return;
			}
			const wasTwin = suspicions.rows[at] === Row.doubled;
			this.#p.askAbout(
				line,
				key,
				this.#p.entry,
				() => this.heard(key.batch, key.stan, wasTwin),
				// It will not say: not asked again at once.
				() => this.unheard(key.batch, key.stan, this.#p.config.reversalRepeatMsMax),
				() => this.unheard(key.batch, key.stan, 0),
			);
			return;
		}
	}

	/** A difference that is older than any frame can be is a finding at once; else it has to stand that long. */
	private dueMsOf(at: number, nowMs: number): number {
		const { suspicions, config, books } = this.#p;
		const notBeforeMs = suspicions.notBeforeMs[at];
		if (notBeforeMs > nowMs) return notBeforeMs;
		const matureMs = suspicions.sinceMs[at] + config.lateOriginalMs;
		if (matureMs <= nowMs || suspicions.rows[at] === Row.doubled) return nowMs;
		const ageMs = books.ageMs(suspicions.ids[at]);
		return ageMs !== undefined && ageMs >= config.lateOriginalMs ? nowMs : matureMs;
	}

	private heard(batch: number, stan: number, wasTwin: boolean): void {
		const { books, suspicions, cases } = this.#p;
		const at = suspicions.find(batch, stan);
		if (at < 0) return;
		suspicions.asked(at, true);
		// One case of a transaction at a time, whatever its row: two would have two remedies under way at once.
		if (cases.findOpen(batch, stan) !== 0) {
			suspicions.remove(batch, stan);
			return;
		}
		// What nobody here knew of when a list named it may have been sold since.
		const id = suspicions.ids[at] || this.#p.log.index.findListed(batch, stan);
		const entry = this.#p.entry;
		const twin = wasTwin && books.twinOf(id) !== 0;
		const row = books.judge(id, entry.found ? entry : undefined, twin);
		if (row === "underWay") this.postpone(at);
		else if (row === "pending" && !this.#owner.onPending(batch, id)) this.postpone(at);
		else if (!isCaseRow(row) || row === "pending") suspicions.remove(batch, stan);
		else if (this.open(row, batch, stan, id, books.word(id, twin))) suspicions.remove(batch, stan);
		else this.postpone(at);
	}

	/** @returns false when all places are taken by open ones */
	private open(row: CaseRow, batch: number, stan: number, id: number, word: TerminalWord): boolean {
		const caseId = openCase(this.#p, { row, batch, stan, id, word, entry: this.#p.entry });
		if (caseId === 0) this.#owner.onFull();
		else this.#owner.onOpened(caseId, true);
		return caseId !== 0;
	}

	private postpone(at: number, byMs = this.#p.config.reversalRepeatMs): void {
		this.#p.suspicions.notBeforeMs[at] = this.#p.clock.monotonic() + byMs;
	}

	private unheard(batch: number, stan: number, byMs: number): void {
		const { suspicions } = this.#p;
		const at = suspicions.find(batch, stan);
		if (at < 0) return;
		suspicions.asked(at, false);
		this.postpone(at, byMs);
	}

	/** The list says so, and nothing more is to be had: else its batch would never be released. */
	private giveUp(at: number, batch: number, stan: number): void {
		const { suspicions, cases, books, entry, log } = this.#p;
		const row = rowName(suspicions.rows[at]);
		if (row !== undefined && isCaseRow(row) && cases.findOpen(batch, stan) === 0) {
			entry.clear();
			const id = suspicions.ids[at] || log.index.findListed(batch, stan);
			const caseId = openCase(this.#p, { row, batch, stan, id, word: books.word(id, row === "doubled"), entry }, 0);
			if (caseId === 0) this.#owner.onFull();
			else this.#owner.onOpened(caseId, false);
			if (caseId === 0) return;
		}
		suspicions.remove(batch, stan);
	}
}

/** What is found, with the host's word just heard. */
export interface Found {
	row: CaseRow;
	batch: number;
	stan: number;
	/** Of the transaction, 0 for none here. */
	id: number;
	word: TerminalWord;
	entry: Entry;
}

/**
 * Makes a finding a case, durably.
 * @param facts - what tells the cause; default: what is recorded, and the host's word
 * @returns its number, 0 when all places are taken
 */
export function openCase(parts: SyncParts, { row, batch, stan, id, word, entry }: Found, facts?: number): number {
	const { log, cases, books } = parts;
	// Of a spent one the records may have gone: the index still has what it was.
	const known = log.find(id) >= 0 ? unlessGone(() => log.intent(id)) : undefined;
	const recorded = facts ?? books.facts(row, id, entry, word);
	const cause = causeOf(recorded);
	const outcome = known === undefined ? undefined : unlessGone(() => log.outcome(id));
	const caseId = cases.open(
		{
			row,
			cause: Cause[cause],
			facts: recorded,
			batch,
			stan,
			kind: known?.kind ?? (word.kind || entry.kind),
			amountMinor: known?.amountMinor ?? word.amountMinor,
			hostMinor: entry.amountMinor,
			hostFlags: entry.flags,
			rrn: entry.rrn || outcome?.rrn || "",
			panFirst: known?.panFirst ?? "",
			panLast: known?.panLast ?? "",
			panDigits: known?.panDigits ?? 0,
			transactionId: log.find(id) >= 0 ? id : 0,
			dueS: 0,
		},
		books.nowS,
	);
	if (caseId !== 0) parts.note("W", `case ${caseId}: batch ${batch} stan=${stan} ${row}, cause ${cause}`);
	return caseId;
}

/** The amount that a request is about: what the row says is missing, or too much. */
export function requestMinor(record: CaseRecord, row: RowName, word: TerminalWord, entry: Entry): number {
	const oursMinor = word.amountMinor - word.creditedMinor;
	if (row === "otherAmount") return Math.abs(oursMinor - entry.amountMinor);
	if (row === "debited" || row === "unknownHere") return entry.amountMinor;
	return row === "doubled" ? oursMinor : Math.max(0, oursMinor || record.hostMinor);
}

/** True once the host has said its last word on a request. */
export function isDecided(requestState: number): boolean {
	return requestState === RequestState.refused || requestState === RequestState.done;
}
