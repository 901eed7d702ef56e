/**
 * Carries out what the tables say of a case (remedies.ts, case-states.ts): asks the host about it (402), begins the next
 * step, sends what the step asks for under its one request id, and asks on. It decides nothing by itself.
 *
 * Invariants: what may move money is durable before its first byte leaves (I1, I3): an advice, a reversal, a request id.
 * After each remedy 402 has the last word; one remedy at a time for a transaction, and none while a movement of it is under
 * way. Cut anywhere, the same step goes on with the same bytes.
 * @module
 */

import { assert } from "../core/assert";
import type { MessageDecoder } from "../iso8583/decoder";
import { unlessGone } from "../transactions/record-reader";
import { KIND_RESEND } from "../transactions/records";
import { isUnderWay, State } from "../transactions/states";
import { type CaseRecord, OperatorAnswer, RequestState, RequestType } from "./case-records";
import { type CaseAct, CaseState, type CaseStateName, caseStateName, type Event } from "./case-states";
import { Cause, causeOf } from "./cause";
import { isDueS, promiseDueS } from "./due";
import { type CaseRow, finding, isCaseRow, type RowName, rowName } from "./finding";
import { requestMinor } from "./findings";
import { Fact, isRequest, lastStep, type NextStep, nextStep, type Step, stepAt } from "./remedies";
import type { SyncJob, SyncLine } from "./sync";
import { RequestAnswer } from "./sync-answers";
import { type MovementKey, QUESTIONS_MAX, type SyncVerdict } from "./sync-messages";
import type { SyncParts } from "./sync-parts";

export interface CaseWorkOptions {
	parts: SyncParts;
	/** A resend is durable: it goes as any advice. */
	onResend(): void;
	/** A reversal is durable once more: it goes as any other. */
	onReverse(id: number): void;
	owner: CaseOwner;
}

/** Who hears of the cases. */
export interface CaseOwner {
	/** A case has changed: people are told. */
	onCase(id: number): void;
	/** A remedy finds no room on flash: only a settlement makes some. */
	onNoRoom(): void;
}

/** Codes of an issuer that may be others tomorrow: funds, limits, away. */
const CODES_THAT_CHANGE = ["51", "61", "65", "91", "96"];
/** What a sale that was made twice by mistake may be beside that: it is given back all the same, and whole. */
const BESIDE_DOUBLED: readonly CaseRow[] = ["otherAmount", "merchantAccount"];
const ANSWERS: { readonly [S in number]: Event } = {
	[RequestState.received]: "answeredReceived",
	[RequestState.evidenceWanted]: "answeredEvidence",
	[RequestState.granted]: "answeredGranted",
	[RequestState.refused]: "answeredRefused",
	[RequestState.done]: "answeredDone",
};

export class CaseWork implements SyncJob {
	readonly #o: CaseWorkOptions;
	readonly #p: SyncParts;
	readonly #answer = new RequestAnswer();
	/** Cases that a request of is on the line; 0: a free place. */
	readonly #asked = new Uint32Array(QUESTIONS_MAX);
	/** The case that had its turn last: each has one before it comes round. */
	#turn = 0;
	/** While the host's time is not known nothing can be postponed by it: then all of it waits until this uptime. */
	#notBeforeMs = 0;

	constructor(options: CaseWorkOptions) {
		this.#o = options;
		this.#p = options.parts;
	}

	get name(): string {
		return "cases";
	}

	get beside(): boolean {
		return true;
	}

	dueMs(nowMs: number): number {
		const { cases, books, supported } = this.#p;
		if (!supported) return Number.POSITIVE_INFINITY;
		const { nowS } = books;
		let dueMs = Number.POSITIVE_INFINITY;
		if (nowS === 0 && nowMs < this.#notBeforeMs && cases.openCount > 0) return this.#notBeforeMs;
		for (let id = cases.nextOpen(0); id !== 0; id = cases.nextOpen(id)) {
			if (this.isAsked(id)) continue;
			const dueS = cases.dueS(id);
			const heldMs = cases.heldMs(id, nowMs);
			if (isDueS(dueS, nowS) && heldMs <= nowMs) return nowMs;
			if (isDueS(dueS, nowS)) dueMs = Math.min(dueMs, heldMs);
			// While the host's time is not known nothing is due but at once: the next answer of the host tells it.
			else if (nowS > 0) dueMs = Math.min(dueMs, nowMs + (dueS - nowS) * 1_000);
		}
		return dueMs;
	}

	step(line: SyncLine): void {
		const { cases } = this.#p;
		this.#turn = this.nextTurn(this.#turn) || this.nextTurn(0);
		if (this.#turn !== 0) this.work(line, cases.get(this.#turn));
	}

	private nextTurn(after: number): number {
		const { cases, books, clock } = this.#p;
		const { nowS } = books;
		const nowMs = clock.monotonic();
		let id = cases.dueBefore(nowS, after);
		while (id !== 0 && (cases.heldMs(id, nowMs) > nowMs || this.isAsked(id))) id = cases.dueBefore(nowS, id);
		return id;
	}

	/** A request of it is on the line, or of another case of the same transaction: its answer comes first. */
	private isAsked(id: number): boolean {
		const { cases } = this.#p;
		for (const other of this.#asked) {
			const same = cases.stan(other) === cases.stan(id) && cases.batch(other) === cases.batch(id);
			if (other !== 0 && same) return true;
		}
		return false;
	}

	/** Sends what was built last, about this case; see SyncParts.ask. */
	private ask(
		line: SyncLine,
		{ id }: CaseRecord,
		byteLength: number,
		read: (answer: MessageDecoder) => SyncVerdict,
		onVerdict: (verdict: SyncVerdict) => void,
		onNone: () => void,
	): void {
		const asked = this.#asked;
		const at = asked.indexOf(0);
		assert(at >= 0, "I10 no more questions at a time");
		asked[at] = id;
		this.#p.ask(
			line,
			byteLength,
			read,
			(verdict) => {
				asked[at] = 0;
				onVerdict(verdict);
			},
			() => {
				if (asked[at] === id) asked[at] = 0;
				onNone();
			},
		);
	}

	/** Looked at again not before then, whatever the host's clock says meanwhile: a while of it is uptime. */
	private hold(id: number, dueS: number): void {
		const { cases, books, clock, config } = this.#p;
		const waitMs = Math.min(config.reversalRepeatMsMax, Math.max(0, dueS - books.nowS) * 1_000);
		if (books.nowS > 0 && waitMs > 0) cases.hold(id, waitMs, clock.monotonic());
		cases.postpone(id, dueS);
	}

	/**
	 * A case was opened.
	 * @param heard - by what the host has said just now: that confirms it, and its first step begins; else by a list alone, of
	 * what it says nothing about: a person's business from the start
	 */
	opened(id: number, heard: boolean): void {
		const record = this.#p.cases.get(id);
		// The same difference may be a case already, which goes its own way.
		if (stateOf(record) !== "found") return;
		if (heard) this.apply(record, "confirmed", {});
		else this.toSupport(record);
	}

	/** A resend or a reversal may be over: whoever waits for it looks. @returns false when nobody does */
	movementOver(): boolean {
		const { cases } = this.#p;
		let waits = false;
		for (let id = cases.nextOpen(0); id !== 0; id = cases.nextOpen(id)) {
			if (cases.state(id) !== CaseState.asking) continue;
			const record = cases.get(id);
			const step = stepAt(rowOf(record), record.step);
			if (step === undefined || isRequest(step.kind) || this.isMoving(record)) continue;
			cases.hold(id, 0, 0);
			cases.postpone(id, 0);
			waits = true;
		}
		return waits;
	}

	/** The operator's answer to a case that asks, or to one with support: settled outside, or never. */
	operatorSays(id: number, yes: boolean): boolean {
		const { cases } = this.#p;
		const event = yes ? "operatorYes" : "operatorNo";
		if (!cases.takes(id, event)) return false;
		this.apply(cases.get(id), event, { dueS: 0 });
		return true;
	}

	/** The next case that waits for the operator's answer, 0 for none. */
	nextQuestion(after: number): number {
		const { cases } = this.#p;
		for (let id = cases.nextOpen(after); id !== 0; id = cases.nextOpen(id)) {
			if (cases.state(id) === CaseState.operator) return id;
		}
		return 0;
	}

	private work(line: SyncLine, record: CaseRecord): void {
		const state = stateOf(record);
		const step = stepAt(rowOf(record), record.step);
		switch (state) {
			case "found":
			case "checking":
			case "support":
				this.lookAt(line, record);
				return;
			case "asking":
				if (step === undefined || !isRequest(step.kind)) this.afterMovement(record);
				else if (!this.giveUp(record)) this.sendRequest(line, record);
				return;
			case "granted":
				this.askOn(line, record);
				return;
			case "waiting":
				if (step?.first === "look") this.lookAt(line, record);
				else this.apply(record, "due", { dueS: 0 });
				return;
			case "operator":
				this.apply(record, "due", {});
				this.postpone(record, step);
				return;
			default:
				assert(false, `case ${record.id} is open`);
		}
	}

	/** 402, and what it says is taken through the table. */
	private lookAt(line: SyncLine, record: CaseRecord): void {
		const { books } = this.#p;
		if (books.isKnown(record) && !books.isAtRest(record.batch, record.stan)) {
			this.soon(record);
			return;
		}
		const { messages, log, entry } = this.#p;
		this.ask(
			line,
			record,
			messages.transaction(log.takeStan(), record),
			(answer) => messages.readEntry(answer, entry),
			(verdict) => (verdict === "taken" ? this.seen(record) : this.later(record)),
			() => undefined,
		);
	}

	private seen(record: CaseRecord): void {
		const { books, cases } = this.#p;
		const state = stateOf(record);
		const row = books.judgeCase(record, this.#p.entry);
		const before = rowOf(record);
		const toGiveBack = before === "doubled" && record.answer === OperatorAnswer.yes;
		if (row === "underWay") this.soon(record);
		else if (!isCaseRow(row)) this.apply(record, "agreed", this.hostFacts());
		else if (toGiveBack) this.seenToGiveBack(record, state);
		else if (row === before || (before === "doubled" && BESIDE_DOUBLED.includes(row))) this.asBefore(record, state);
		else if (
			before === "merchantAccount" &&
			(row === "pending" || row === "overdue") &&
			cases.takes(record.id, "accountMended")
		) {
			this.apply(record, "accountMended", this.hostFacts());
		} else if (state === "support") this.postpone(record, stepAt(before, record.step));
		else this.apply(record, "differs", { ...this.hostFacts(), ...this.causeOf(record, row), row, dueS: 0 });
	}

	/**
	 * A person has said that it is to be given back: from then on nothing sends it again, whatever the books say. Where the
	 * bank has taken it back by itself it stands for nothing, as if our own request had done it.
	 */
	private seenToGiveBack(record: CaseRecord, state: CaseStateName): void {
		const { books, cases } = this.#p;
		const word = books.wordOfCase(record);
		const entry = this.#p.entry;
		const host = entry.found ? entry : undefined;
		const isBack = !isCaseRow(finding({ ...word, creditedMinor: word.amountMinor }, host, false));
		if (!isBack) this.asBefore(record, state);
		else {
			const othersMinor = word.creditedMinor - record.creditedMinor;
			const creditedMinor = word.amountMinor - othersMinor;
			this.act(record.id, cases.apply(record.id, "agreed", books.nowS, { ...this.hostFacts(), creditedMinor }));
		}
	}

	/** The same as before: what has been tried had no effect, or nothing has been tried yet. */
	private asBefore(record: CaseRecord, state: CaseStateName): void {
		if (state === "found") this.apply(record, "confirmed", {});
		else if (state === "checking") this.apply(record, "noEffect", {});
		else this.postpone(record, stepAt(rowOf(record), record.step));
	}

	/** Takes an event through the table, and does what the table says. */
	private apply(record: CaseRecord, event: Event, changes: Parameters<SyncParts["cases"]["apply"]>[3]): void {
		const { cases, books } = this.#p;
		this.act(record.id, cases.apply(record.id, event, books.nowS, changes));
	}

	private act(id: number, act: CaseAct): void {
		const { cases } = this.#p;
		switch (act) {
			case "begin":
				this.begin(cases.get(id));
				return;
			case "ask":
			case "show":
			case "close":
				this.#o.owner.onCase(id);
				return;
			default: // What is to be sent or looked at is due at once.
				return;
		}
	}

	private begin(record: CaseRecord): void {
		const row = rowOf(record);
		let facts = this.facts(record);
		// A host may show what a refund of ours has given back as reversed: it is not sold once more for that.
		if (row === "reversedAtHost" && this.#p.log.isRefunded(record.batch, record.stan)) facts &= ~Fact.recordHere;
		for (;;) {
			const next = nextStep(row, record.step, record.turns, facts);
			if (this.beginStep(record, row, next)) return;
			// It cannot be done here after all: the step that needs nothing of this terminal.
			assert((facts & Fact.recordHere) !== 0, `case ${record.id} has a step that can begin`);
			facts &= ~Fact.recordHere;
		}
	}

	/** @returns false when the step is none for this terminal */
	private beginStep(record: CaseRecord, row: CaseRow, next: NextStep): boolean {
		switch (next.step.kind) {
			case "resend":
				return this.resend(record, next);
			case "reverse":
				return this.reverse(record, next);
			case "claim":
			case "credit":
			case "farSide":
				this.request(record, row, next);
				return true;
			default: {
				const { cases, books, config } = this.#p;
				const dueS = books.nowS + Math.ceil(config[next.step.due] / 1_000);
				this.act(record.id, cases.beginStep(record.id, next, books.nowS, { dueS, ...this.hostFacts() }));
				return true;
			}
		}
	}

	private resend(record: CaseRecord, next: NextStep): boolean {
		const { log, cases, books } = this.#p;
		const { transactionId, batch, stan } = record;
		const outcome = log.outcome(transactionId);
		if (outcome === undefined || outcome.rrn.length !== 12) return false;
		if (!log.prepare()) return this.waitForRoom(record);
		const { amountMinor, timeS, entryMode, condition, field60Rest } = log.intent(transactionId);
		const original = {
			originalBatch: batch,
			originalStan: stan,
			originalDate: outcome.hostTime.slice(6),
			rrn: outcome.rrn,
			authorization: outcome.authorization,
		};
		const sale = { amountMinor, timeS, entryMode, condition, field60Rest };
		// The advice first: cut here, the case finds a movement under way, and looks at the books behind it.
		const resendId = log.beginAdvice({ ...sale, kind: KIND_RESEND, original }, log.card(transactionId));
		const dueS = this.soonS();
		this.act(record.id, cases.beginStep(record.id, next, books.nowS, { resendId, dueS, ...this.hostFacts() }));
		this.#o.owner.onCase(record.id);
		this.#o.onResend();
		return true;
	}

	private reverse(record: CaseRecord, next: NextStep): boolean {
		const { log, cases, books } = this.#p;
		const refusal = log.reverseAgain(record.transactionId);
		if (refusal === "full") return this.waitForRoom(record);
		if (refusal === "notNow") {
			this.soon(record);
			return true;
		}
		if (refusal !== undefined) return false;
		const dueS = this.soonS();
		this.act(record.id, cases.beginStep(record.id, next, books.nowS, { dueS, ...this.hostFacts() }));
		this.#o.owner.onCase(record.id);
		this.#o.onReverse(record.transactionId);
		return true;
	}

	/**
	 * A settlement makes room; one that is under way may wait for this very case, so that the step is none for this terminal.
	 * @returns true when it is tried again
	 */
	private waitForRoom(record: CaseRecord): boolean {
		const { log, books, config } = this.#p;
		if (log.closing !== undefined) return false;
		this.#o.owner.onNoRoom();
		this.hold(record.id, books.nowS + Math.ceil(config.reversalRepeatMsMax / 1_000));
		return true;
	}

	/** A request id of its own, durable before the first byte leaves (I1). */
	private request(record: CaseRecord, row: CaseRow, next: NextStep): void {
		const { cases, books, random } = this.#p;
		const word = books.wordOfCase(record);
		const changes = {
			...this.hostFacts(),
			requestId: cases.newRequestId(record.id, random),
			requestMinor: requestMinor(record, row, word, this.#p.entry),
			dueS: 0,
		};
		if (changes.requestMinor > 0) {
			this.act(record.id, cases.beginStep(record.id, next, books.nowS, changes));
			this.#o.owner.onCase(record.id);
			return;
		}
		// There is nothing to ask for: what is wrong is not the money.
		this.toSupport(record);
	}

	private sendRequest(line: SyncLine, record: CaseRecord): void {
		const { messages, log, evidence } = this.#p;
		const { requestType, requestId, requestMinor: amountMinor } = record;
		const key: MovementKey = record;
		const trace = log.takeStan();
		let byteLength = 0;
		if (requestType === RequestType.claim) byteLength = messages.claim(trace, key, requestId, amountMinor, evidence);
		else if (requestType === RequestType.credit)
			byteLength = messages.credit(trace, key, requestId, amountMinor, evidence);
		else byteLength = messages.farSide(trace, key, requestId);
		this.askDesk(line, record, byteLength);
	}

	/** 405; where evidence is wanted the request itself once more, with it. */
	private askOn(line: SyncLine, record: CaseRecord): void {
		if (record.requestState === RequestState.evidenceWanted) {
			this.sendRequest(line, record);
			return;
		}
		const { messages, log } = this.#p;
		this.askDesk(line, record, messages.requestState(log.takeStan(), record.batch, record.requestId));
	}

	private askDesk(line: SyncLine, record: CaseRecord, byteLength: number): void {
		this.ask(
			line,
			record,
			byteLength,
			(answer) => this.#p.messages.readRequest(answer, this.#answer),
			(verdict) => this.deskSays(record, verdict),
			() => this.deskIsSilent(record),
		);
	}

	private deskSays(record: CaseRecord, verdict: SyncVerdict): void {
		const { cases, books, config } = this.#p;
		if (verdict !== "taken") {
			this.deskIsSilent(record);
			this.later(record);
			return;
		}
		cases.silent(record.id, false, 0);
		const { reference, reason, state, expectedAt } = this.#answer;
		const event = ANSWERS[state];
		const laterS = books.nowS + Math.ceil(config.deskAskMs / 1_000);
		const expectedS = Math.floor(expectedAt / 1_000);
		const decided = state === RequestState.done || state === RequestState.refused;
		const soonestS = record.requestState === RequestState.none ? 0 : this.laterS();
		const dueS = decided ? 0 : promiseDueS(expectedS, books.nowS, soonestS, laterS);
		const news = state !== record.requestState || reference !== record.reference || expectedS !== record.expectedS;
		if (!news || !cases.takes(record.id, event)) this.hold(record.id, laterS);
		else {
			this.apply(record, event, { reference, reason, expectedS, dueS });
			if (!decided) this.hold(record.id, dueS);
		}
	}

	/** No answer to a request, or one that says nothing. */
	private deskIsSilent({ id }: CaseRecord): void {
		const { cases, clock } = this.#p;
		cases.silent(id, true, clock.monotonic());
	}

	/**
	 * A request that was sent again and again for so long, and never answered, is a person's business; it stays open, and no
	 * other is begun.
	 * @returns true when that was so
	 */
	private giveUp(record: CaseRecord): boolean {
		const { cases, clock, config } = this.#p;
		const silentMs = cases.silentMs(record.id, clock.monotonic());
		if (silentMs === 0 || silentMs < config.overdueAgainMs) return false;
		this.toSupport(record);
		cases.silent(record.id, false, 0);
		return true;
	}

	/** The last step of its row. */
	private toSupport(record: CaseRecord): void {
		const { cases, books, config } = this.#p;
		const dueS = books.nowS + Math.ceil(config.supportAskMs / 1_000);
		this.act(record.id, cases.beginStep(record.id, lastStep(rowOf(record)), books.nowS, { dueS }));
	}

	/** A resend, or a reversal: it is over when nothing of the transaction is under way any more. */
	private afterMovement(record: CaseRecord): void {
		if (this.isMoving(record)) this.soon(record);
		else this.apply(record, "moved", { dueS: 0 });
	}

	private isMoving(record: CaseRecord): boolean {
		const { log, books } = this.#p;
		const { index } = log;
		const slot = books.isKnown(record) ? index.find(record.transactionId) : -1;
		// What was accepted once is sent once more later: the books can be looked at in between.
		const reversing = slot >= 0 && index.states[slot] !== State.unconfirmed && isUnderWay(index.states[slot]);
		const resend = record.resendId === 0 ? -1 : index.find(record.resendId);
		const resending = resend >= 0 && index.states[resend] === State.forwarding;
		return reversing || resending;
	}

	private facts(record: CaseRecord): number {
		const { log, books, supported } = this.#p;
		const entry = this.#p.entry;
		const word = books.wordOfCase(record);
		const oursMinor = word.amountMinor - word.creditedMinor;
		let facts = supported ? Fact.sync : 0;
		if (books.isKnown(record) && this.cardOpens(record.transactionId)) facts |= Fact.recordHere;
		if (entry.found && entry.amountMinor < oursMinor) facts |= Fact.hostHasLess;
		if (entry.found && entry.amountMinor > oursMinor) facts |= Fact.hostHasMore;
		const outcome = books.isKnown(record) ? unlessGone(() => log.outcome(record.transactionId)) : undefined;
		const code = outcome?.code ?? "";
		return CODES_THAT_CHANGE.includes(code) ? facts | Fact.codeMayChange : facts;
	}

	private cardOpens(id: number): boolean {
		return (unlessGone(() => this.#p.log.card(id).pan) ?? "") !== "";
	}

	/** What the host's entry says, for the record of the case. */
	private hostFacts(): { hostMinor: number; hostFlags: number } {
		return { hostMinor: this.#p.entry.amountMinor, hostFlags: this.#p.entry.flags };
	}

	private causeOf(record: CaseRecord, row: CaseRow): { facts: number; cause: number } {
		const { books } = this.#p;
		const id = books.isKnown(record) ? record.transactionId : 0;
		const facts = books.facts(row, id, this.#p.entry, books.wordOfCase(record));
		return { facts, cause: Cause[causeOf(facts)] };
	}

	/** The host has answered, and will not say: it is not asked again at once. */
	private later(record: CaseRecord): void {
		const { clock, config, books } = this.#p;
		if (books.nowS === 0) this.#notBeforeMs = clock.monotonic() + config.reversalRepeatMsMax;
		this.hold(record.id, this.laterS());
	}

	private laterS(): number {
		const { books, config } = this.#p;
		return books.nowS === 0 ? 0 : books.nowS + Math.ceil(config.reversalRepeatMsMax / 1_000);
	}

	private soonS(): number {
		const { books, config } = this.#p;
		return books.nowS === 0 ? 0 : books.nowS + Math.max(1, Math.ceil(config.reversalRepeatMs / 1_000));
	}

	private soon(record: CaseRecord): void {
		const { clock, config, books } = this.#p;
		if (books.nowS === 0) this.#notBeforeMs = clock.monotonic() + config.reversalRepeatMs;
		this.hold(record.id, this.soonS());
	}

	private postpone(record: CaseRecord, step: Step | undefined): void {
		const { books, config } = this.#p;
		const waitMs = step === undefined ? config.supportAskMs : config[step.due];
		this.hold(record.id, books.nowS + Math.ceil(waitMs / 1_000));
	}
}

function stateOf(record: CaseRecord): CaseStateName {
	const state = caseStateName(record.state);
	assert(state !== undefined, `case ${record.id} has a state`);
	return state;
}

function rowOf(record: CaseRecord): CaseRow {
	const row: RowName | undefined = rowName(record.row);
	assert(row !== undefined && isCaseRow(row), `case ${record.id} has a row`);
	return row;
}
