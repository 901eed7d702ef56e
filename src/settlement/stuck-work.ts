/**
 * What does not get through is also somebody's business (I3): a reversal that the host refuses, or that nobody has answered
 * for as often as the alarm says; an advice of which the same holds. Its own queue goes on with it whatever happens here;
 * beside that it is a case, so that a person sees it, with its number, and it closes by itself when the movement is over.
 *
 * All of it is the terminal's own knowledge: nothing is asked, and it works with a host that knows nothing of sync, and
 * with none at all. What the host's books make of the movement in the end is for the comparison.
 * @module
 */
import type { Config } from "../config";
import type { Clock } from "../ports";
import { Flag } from "../transactions/records";
import { State } from "../transactions/states";
import type { TransactionLog } from "../transactions/transaction-log";
import type { Books } from "./books";
import { CaseState } from "./case-states";
import type { Cases } from "./cases";
import { Cause, CauseFact, causeOf } from "./cause";
import { NEVER_DUE } from "./due";
import { Row } from "./finding";
import { lastStep } from "./remedies";
import type { SyncJob } from "./sync";

export type StuckRow = "reversalStuck" | "adviceStuck";

export interface StuckWorkOptions {
	log: TransactionLog;
	cases: Cases;
	books: Books;
	clock: Clock;
	config: Config;
	/** A case was opened, or is over. */
	onCase(id: number): void;
	/** There is no place for another open case. */
	onFull(): void;
}

/** Flags of an advice that its queue does not get through. */
const ADVICE_FLAGS = Flag.overdue | Flag.unsendable | Flag.amountDiffers;

export class StuckWork implements SyncJob {
	readonly #o: StuckWorkOptions;
	/** Uptime of the next look; what may have happened before a boot is looked at first of all. */
	#lookMs = 0;

	constructor(options: StuckWorkOptions) {
		this.#o = options;
	}

	get name(): string {
		return "stuck";
	}

	get local(): boolean {
		return true;
	}

	/** Something of what is stuck, or was, has changed. */
	look(): void {
		this.#lookMs = 0;
	}

	dueMs(nowMs: number): number {
		return Math.max(nowMs, this.#lookMs);
	}

	step(): void {
		this.#lookMs = Number.POSITIVE_INFINITY;
		this.closeWhatIsOver();
		this.openWhatIsStuck();
	}

	private closeWhatIsOver(): void {
		const { cases, books } = this.#o;
		for (let id = cases.nextOpen(0); id !== 0; id = cases.nextOpen(id)) {
			const { row, transactionId, batch, stan } = cases.get(id);
			if (row !== Row.reversalStuck && row !== Row.adviceStuck) continue;
			// Cut behind its opening: a person is still to see it.
			if (cases.state(id) === CaseState.found) this.support(id, row);
			const known = books.isKnown({ transactionId, batch, stan });
			if (known && this.stuckAs(this.#o.log.find(transactionId)) !== undefined) continue;
			cases.apply(id, "agreed", books.nowS);
			this.#o.onCase(id);
		}
	}

	private openWhatIsStuck(): void {
		const { log, cases, clock, config, onFull } = this.#o;
		const { index } = log;
		for (let slot = 0; slot < index.count; slot++) {
			const row = this.stuckAs(slot);
			// A person who has closed it by hand is not told of it again.
			if (row === undefined || cases.findAny(index.batch(slot), index.stans[slot], row) !== 0) continue;
			if (cases.isFull) {
				this.#lookMs = clock.monotonic() + config.syncEveryMs;
				onFull();
				return;
			}
			this.open(slot, row);
		}
	}

	private stuckAs(slot: number): StuckRow | undefined {
		const { index } = this.#o.log;
		const flags = index.flags[slot];
		if (index.states[slot] === State.reversing)
			return (flags & Flag.reversalRefused) === 0 ? undefined : "reversalStuck";
		const advice = index.states[slot] === State.forwarding && (flags & ADVICE_FLAGS) !== 0;
		return advice ? "adviceStuck" : undefined;
	}

	private open(slot: number, row: StuckRow): void {
		const { log, cases, books } = this.#o;
		const { index } = log;
		const id = index.ids[slot];
		const { batch, stan, kind, amountMinor, panFirst, panLast, panDigits } = log.intent(id);
		const facts = this.facts(slot, row);
		const caseId = cases.open(
			{
				...{ row, batch, stan, kind, amountMinor, panFirst, panLast, panDigits, facts },
				cause: Cause[causeOf(facts)],
				hostMinor: 0,
				hostFlags: 0,
				rrn: log.outcome(id)?.rrn ?? "",
				transactionId: id,
				dueS: NEVER_DUE,
			},
			books.nowS,
		);
		this.support(caseId, Row[row]);
	}

	private support(caseId: number, row: number): void {
		const { cases, books, onCase } = this.#o;
		const next = lastStep(row === Row.reversalStuck ? "reversalStuck" : "adviceStuck");
		cases.beginStep(caseId, next, books.nowS, { dueS: NEVER_DUE });
		onCase(caseId);
	}

	private facts(slot: number, row: StuckRow): number {
		const { log, config } = this.#o;
		const { flags, tries } = log.index;
		if (row === "reversalStuck") {
			return tries[slot] >= config.reversalTriesAlarm ? CauseFact.noAnswer : CauseFact.hostRefused;
		}
		if ((flags[slot] & Flag.unsendable) !== 0) return CauseFact.deviceFault;
		return (flags[slot] & Flag.amountDiffers) !== 0 ? CauseFact.answerDiffers : CauseFact.noAnswer;
	}
}
