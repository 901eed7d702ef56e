/**
 * The cases of a terminal as they come and go, written down from outside while it runs: each change with its time, and the
 * steps in their order. A case's own record keeps the last 14 events only, and its seconds are the host's.
 * @module
 */
import type { CaseRecord } from "../../src/settlement/case-records";
import { type CaseStateName, caseStateName, type Event, eventName, isOpen } from "../../src/settlement/case-states";
import { type CauseFactName, type CauseName, causeName, factNames } from "../../src/settlement/cause";
import { type CaseRow, isCaseRow, rowName } from "../../src/settlement/finding";
import { BEGIN_EVENTS, type StepKind, stepAt } from "../../src/settlement/remedies";
import type { Terminal } from "../../src/terminal";

export interface CaseChange {
	/** Virtual time, ms since 1970. */
	readonly timeMs: number;
	readonly event: Event;
	readonly state: CaseStateName;
	/** The step that began with it. */
	readonly step?: StepKind;
}

export interface CaseFile {
	readonly id: number;
	readonly batch: number;
	readonly stan: number;
	/** As it was found. */
	readonly cause: CauseName;
	readonly facts: readonly CauseFactName[];
	/** In the order it had them. */
	readonly rows: CaseRow[];
	readonly remedies: StepKind[];
	readonly changes: CaseChange[];
	/** As it is now. */
	record: CaseRecord;
}

/** States in which somebody else has to move, or only time helps. */
const WAITS: Readonly<Partial<Record<CaseStateName, "desk" | "operator" | "bank">>> = {
	granted: "desk",
	support: "desk",
	operator: "operator",
	waiting: "bank",
};

/** Seconds that a case has waited for others, or on purpose. */
export interface CaseWaits {
	/** Until a frame that still lay in a network could not come any more: a reversal is sent once more then. */
	readonly network: number;
	/** For the host's desk, and for what it has granted to be done. */
	readonly desk: number;
	/** For the operator's answer. */
	readonly operator: number;
	/** For the bank, or for a merchant who has to mend something. */
	readonly bank: number;
}

export class CaseFiles {
	/** By number. */
	readonly files: CaseFile[] = [];
	/** A change has been written down. */
	onChange: ((file: CaseFile) => void) | undefined;
	readonly #nowMs: () => number;

	/** @param nowMs - virtual time */
	constructor(nowMs: () => number) {
		this.#nowMs = nowMs;
	}

	/** The terminal of a boot: what changes from now on is written down. */
	watch(terminal: Terminal): void {
		const { cases } = terminal;
		const before = cases.onChange;
		cases.onChange = (id, event, state) => {
			before?.(id, event, state);
			this.#note(cases.get(id), event, state);
		};
	}

	/** Power may have gone between a change and the word of it. */
	readAgain({ cases }: Terminal): void {
		for (let id = cases.next(0); id !== 0; id = cases.next(id)) {
			const record = cases.get(id);
			if (this.files.find((file) => file.id === id)?.record.version === record.version) continue;
			const last = record.events[record.events.length - 1];
			const event = eventName(last.event);
			const state = caseStateName(last.state);
			if (event !== undefined && state !== undefined) this.#note(record, event, state);
		}
	}

	of(stan: number): CaseFile | undefined {
		return this.files.find((file) => file.stan === stan);
	}

	#note(record: CaseRecord, event: Event, state: CaseStateName): void {
		const row = rowOf(record);
		let file = this.files.find(({ id }) => id === record.id);
		if (file === undefined) {
			const { id, batch, stan } = record;
			const cause = causeName(record.cause) ?? "notKnown";
			file = { id, batch, stan, cause, facts: factNames(record.facts), rows: [], remedies: [], changes: [], record };
			this.files.push(file);
		}
		file.record = record;
		if (file.rows[file.rows.length - 1] !== row) file.rows.push(row);
		const step = stepAt(row, record.step)?.kind;
		const begun = step !== undefined && BEGIN_EVENTS[step] === event;
		if (begun) file.remedies.push(step);
		file.changes.push({ timeMs: this.#nowMs(), event, state, ...(begun ? { step } : {}) });
		this.onChange?.(file);
	}
}

export function rowOf(record: CaseRecord): CaseRow {
	const row = rowName(record.row);
	return row !== undefined && isCaseRow(row) ? row : "notFound";
}

export function isClosed(file: CaseFile): boolean {
	return !isOpen(file.record.state);
}

/** What a case has waited for others, up to now or to its end. @param lateOriginalMs - of the configuration */
export function waitsOf(file: CaseFile, lateOriginalMs: number): CaseWaits {
	const waits = { network: 0, desk: 0, operator: 0, bank: 0 };
	const { changes } = file;
	for (const [n, { state, timeMs, event }] of changes.entries()) {
		const next = changes[n + 1];
		if (next === undefined) continue;
		const ms = next.timeMs - timeMs;
		const kind = WAITS[state];
		if (kind !== undefined) waits[kind] += ms / 1_000;
		else if (event === "moved" && changes[n - 1]?.step === "reverse")
			waits.network += Math.min(ms, lateOriginalMs) / 1_000;
	}
	return waits;
}
