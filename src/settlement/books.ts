/**
 * The terminal's side of a comparison: what it says of a movement, whether a posting is due, and what that comes to with
 * the host's word (finding.ts). One place for the list of a batch, for a single answer, for cases and for watches.
 * @module
 */
import type { Config } from "../config";
import type { Clock } from "../ports";
import { NO_REASON, unlessGone } from "../transactions/record-reader";
import { isAdvice, KIND_SALE } from "../transactions/records";
import { isCharged, State } from "../transactions/states";
import type { TransactionLog } from "../transactions/transaction-log";
import type { CaseRecord } from "./case-records";
import type { Cases } from "./cases";
import { factsOf, type Recorded } from "./cause";
import {
	type CaseRow,
	finding,
	type HostWord,
	Row,
	type RowName,
	SAID_NOTHING,
	saidOf,
	type TerminalWord,
} from "./finding";
import type { HostTime } from "./host-time";
import type { Entry } from "./sync-answers";

/** A sale that was entered twice stands this near to its twin: so many others lie between at most. */
const TWIN_SLOTS = 16;

export interface BooksOptions {
	log: TransactionLog;
	cases: Cases;
	hostTime: HostTime;
	clock: Clock;
	config: Config;
	/** Flash has lost blocks or records since. */
	flashError(): boolean;
}

export class Books {
	readonly #o: BooksOptions;

	constructor(options: BooksOptions) {
		this.#o = options;
	}

	/** Host seconds, 0 while they are not known. */
	get nowS(): number {
		const nowMs = this.#o.hostTime.now();
		return nowMs === undefined ? 0 : Math.floor(nowMs / 1_000);
	}

	/**
	 * What the terminal says of a transaction.
	 * @param id - 0: it knows none with that number
	 * @throws {CodedError} "damaged" when flash has lost what must be read for it
	 */
	word(id: number, twin = false): TerminalWord {
		const { log, cases } = this.#o;
		const { index } = log;
		const slot = index.find(id);
		if (slot < 0) return SAID_NOTHING;
		const kind = index.kind(slot);
		const creditedMinor = cases.creditedMinor(index.batch(slot), index.stans[slot]);
		return { said: saidOf(index.states[slot], kind), kind, amountMinor: index.amount(slot), creditedMinor, twin };
	}

	/** The same for a case, whose transaction may have been released long ago: then the case says it. */
	wordOfCase(record: CaseRecord): TerminalWord {
		const twin = record.row === Row.doubled;
		if (this.isKnown(record)) return this.word(record.transactionId, twin);
		if (record.amountMinor === 0) return SAID_NOTHING;
		const { kind, amountMinor, creditedMinor } = record;
		const notCharged = record.row === Row.debited;
		const refused = record.row === Row.offlineDeclined;
		return {
			said: notCharged ? "notCharged" : refused ? "refused" : "charged",
			kind,
			amountMinor,
			creditedMinor,
			twin,
		};
	}

	/** True while the journal has the transaction of a case: its number is not another's by now. */
	isKnown({ transactionId, batch, stan }: Pick<CaseRecord, "transactionId" | "batch" | "stan">): boolean {
		const { index } = this.#o.log;
		const slot = transactionId === 0 ? -1 : index.find(transactionId);
		return slot >= 0 && index.batch(slot) === batch && index.stans[slot] === stan;
	}

	/** True when nobody can be about to change it: no movement of it is under way. */
	isAtRest(batch: number, stan: number): boolean {
		return this.#o.log.openMovementOf(batch, stan) === 0;
	}

	/**
	 * Should the host have posted it by now? Never, while the host's time is not known. Of what was spent, or flash has lost,
	 * the host's own record is left to go by.
	 * @param id - 0: the terminal knows none
	 * @param recordedAt - of the host's record, ms since 1970, 0: it was not told
	 */
	isDue(id: number, recordedAt = 0): boolean {
		const { log, hostTime, config } = this.#o;
		if (!hostTime.known) return false;
		const outcome = log.find(id) < 0 ? undefined : unlessGone(() => log.outcome(id));
		const atMs = outcome === undefined ? recordedAt : (hostTime.at(outcome.hostTime) ?? 0);
		return atMs > 0 && hostTime.isOlder(atMs, config.postingDueMs);
	}

	/** Age of the host's answer to a transaction, ms; undefined where nobody can tell. */
	ageMs(id: number): number | undefined {
		const { log, hostTime } = this.#o;
		if (!hostTime.known || log.find(id) < 0) return undefined;
		const outcome = unlessGone(() => log.outcome(id));
		return outcome === undefined ? undefined : hostTime.ageOf(outcome.hostTime);
	}

	/** The row of a transaction of this terminal, or of a stranger with id 0. */
	judge(id: number, entry: HostWord | undefined, twin = false): RowName {
		return this.rowOf(this.word(id, twin), entry, id);
	}

	/** The row of a case, now. */
	judgeCase(record: CaseRecord, entry: Entry): RowName {
		const word = this.wordOfCase(record);
		const host = entry.found ? entry : undefined;
		return this.rowOf(word, host, this.isKnown(record) ? record.transactionId : 0);
	}

	private rowOf(word: TerminalWord, entry: HostWord | undefined, id: number): RowName {
		const row = finding(word, entry, false);
		// Only what is not posted has to be read from flash.
		return row === "pending" || row === "refundDiffers" ? finding(word, entry, this.isDue(id, entry?.recordedAt)) : row;
	}

	/** Facts of a finding, for its cause. Of what was spent those that its records held are missing. */
	facts(row: CaseRow, id: number, entry: Entry, word: TerminalWord): number {
		const { log, config } = this.#o;
		const slot = log.find(id);
		const recorded: Recorded = {
			row,
			word,
			state: slot < 0 ? 0 : log.index.states[slot],
			flags: slot < 0 ? 0 : log.index.flags[slot],
			reason: slot < 0 ? NO_REASON : (unlessGone(() => log.reason(id)) ?? NO_REASON),
			entry: entry.found ? entry : undefined,
			recordedAfterMs: this.recordedAfterMs(id, entry),
			answerTimeoutMs: config.answerTimeoutMs,
			// Provisioned since: its batch has begun on another board.
			boardSwapped: slot < 0 && log.settledUpTo.batch === 0,
			flashError: this.#o.flashError(),
		};
		return factsOf(recorded);
	}

	/**
	 * The sale of the same card and amount shortly before this one, both charged here and nobody asked yet: the earlier one's
	 * id, 0 for none. Reads flash only where amounts are equal.
	 */
	twinOf(id: number): number {
		const { log, cases, config } = this.#o;
		const { index } = log;
		const slot = index.find(id);
		if (slot < 0 || !isSaleCharged(index.states[slot], index.kind(slot))) return 0;
		if (cases.findAny(index.batch(slot), index.stans[slot], "doubled") !== 0) return 0;
		for (let other = slot - 1; other >= 0 && other >= slot - TWIN_SLOTS; other--) {
			if (index.amount(other) !== index.amount(slot)) continue;
			if (!isSaleCharged(index.states[other], index.kind(other))) continue;
			const [later, earlier] = [log.intent(id), log.intent(index.ids[other])];
			const sameCard = later.panFirst === earlier.panFirst && later.panLast === earlier.panLast;
			const apartMs = (later.timeS - earlier.timeS) * 1_000;
			if (!sameCard || later.panDigits !== earlier.panDigits || apartMs < 0 || apartMs > config.doubledMs) continue;
			if (this.isSameCard(id, index.ids[other])) return index.ids[other];
		}
		return 0;
	}

	/** First six and last four digits are not the card: another one may have the same. */
	private isSameCard(a: number, b: number): boolean {
		const { log } = this.#o;
		// One that does not open: nobody is asked about what is not known.
		return unlessGone(() => log.card(a).pan === log.card(b).pan) === true;
	}

	/** From the intent to the host's record: the ages of both, each by its own clock. */
	private recordedAfterMs(id: number, entry: Entry): number | undefined {
		const { log, hostTime, clock } = this.#o;
		if (log.find(id) < 0 || !entry.found || entry.recordedAt === 0) return undefined;
		const intent = unlessGone(() => log.intent(id));
		const ageMs = hostTime.ageMs(entry.recordedAt);
		if (intent === undefined || isAdvice(intent.kind) || ageMs === undefined) return undefined;
		return Math.max(0, clock.now() - intent.timeS * 1_000 - ageMs);
	}
}

function isSaleCharged(state: number, kind: number): boolean {
	return kind === KIND_SALE && isCharged(state, kind) && state !== State.approved;
}
