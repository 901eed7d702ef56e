/**
 * What a shop prints beside the slip of a sale under way: a slip once more, what became of a sale for its customer (S20), a
 * case (S17), a settlement. From the journal, so also after a restart.
 *
 * Invariants
 * - A sales slip is printed again only for what is charged, and is marked. What is not charged, or is given back, gets a slip
 *   that says so; asked for the other one, the screen says what became of it (I6).
 * - Paper never holds up a customer: all of this waits behind the slip of a sale, and begins only between sales.
 * @module
 */
import type { Config } from "../config";
import type { Clock, MoneySlip, Screen, Slip, SlipCopy } from "../ports";
import type { CaseRecord } from "../settlement/case-records";
import { caseScreen } from "../settlement/case-screens";
import { caseCard, caseSlip, returnFacts, returnOf } from "../settlement/case-slips";
import { isOpen } from "../settlement/case-states";
import type { Cases } from "../settlement/cases";
import { Row } from "../settlement/finding";
import { caseRecord, ofTransaction, type QueryHit, watchOf } from "../settlement/query";
import { type SettlementReport, settlementSlip } from "../settlement/settlement-report";
import type { Watches } from "../settlement/watch";
import { KIND_REFUND, KIND_RESEND } from "../transactions/records";
import { headOf, saleSlip } from "../transactions/sale-slip";
import { isCharged, State } from "../transactions/states";
import type { TransactionLog } from "../transactions/transaction-log";
import type { PrintQueue } from "./print-queue";

/** Why nothing is printed; each has a screen, or the screen says what became of the sale. */
export type PaperRefusal =
	| "queryNone"
	| "stillOpen"
	| "notCharged"
	| "noticeCharged"
	| "caseUnknown"
	| "settlementUnknown"
	| "printFull";

export interface PaperworkOptions {
	log: TransactionLog;
	cases: Cases;
	watches: Watches;
	printer: PrintQueue;
	clock: Clock;
	config: Config;
	/** While nobody is served; what comes later, too. */
	show(screen: Screen): void;
}

/** What a transaction is to its customer. */
type Fate = "open" | "charged" | "declined" | "notSent" | "returning" | "returned" | "refused";

export class Paperwork {
	readonly #o: PaperworkOptions;
	#settlement: SettlementReport | undefined;

	constructor(options: PaperworkOptions) {
		this.#o = options;
	}

	/**
	 * Prints the sales slip once more, marked as such.
	 * @param stan - 0: the last one that has a slip
	 * @returns why not; the screen says it, and what became of a sale that is not charged
	 * @throws {CodedError} "damaged" when flash has lost what must be on it
	 */
	reprint(stan: number, copies: readonly SlipCopy[]): PaperRefusal | undefined {
		const id = stan === 0 ? this.lastCharged() : this.find(stan);
		if (id === 0) return this.unknown(stan);
		const fate = this.fate(id);
		if (fate !== "charged") return this.notCharged(id, fate);
		const { log, config } = this.#o;
		const intent = log.intent(id);
		const outcome = log.outcome(id);
		return this.printAll(
			copies.map((copy) => saleSlip(intent, outcome, config, copy, true)),
			{ name: "printing", stan: intent.stan },
		);
	}

	/** The merchant's copy of a slip that the customer has. */
	merchantCopy(slip: MoneySlip): void {
		this.#o.printer.later({ ...slip, copy: "merchant" }, () => {});
	}

	/**
	 * Prints for the customer what became of a sale that is not charged, or of money that is given back: reference, and until
	 * when, where the host has named a time.
	 * @returns why not; "noticeCharged" for a sale that is charged, and stays so
	 * @throws {CodedError} "damaged"
	 */
	notice(stan: number): PaperRefusal | undefined {
		const id = this.find(stan);
		const slip = id === 0 ? this.noticeOfCase(stan) : this.noticeOf(id);
		if (slip !== undefined) return this.printAll([slip], { name: "printing", stan });
		if (id === 0) return this.unknown(stan);
		const hit = this.hit(id);
		if (this.fate(id) === "open") return this.refuse("stillOpen", { name: "stillOpen", stan });
		const told = hit?.kind === KIND_REFUND ? {} : ({ told: "paid" } as const);
		return this.refuse("noticeCharged", { name: "noticeCharged", ...sums(hit, stan), ...told });
	}

	/** @throws {CodedError} "damaged" */
	case(id: number): PaperRefusal | undefined {
		const { cases, config, clock } = this.#o;
		if (cases.state(id) === 0) return this.refuse("caseUnknown", { name: "caseUnknown", caseId: id });
		return this.printAll([caseSlip(cases.get(id), config, clock.now())], { name: "printing", caseId: id });
	}

	/** A batch is settled: its slip is printed when there is time. */
	settled(report: SettlementReport): void {
		const { printer, config, clock } = this.#o;
		this.#settlement = report;
		printer.later(settlementSlip(report, config, clock.now(), false), () => {});
	}

	/** The last settlement once more; of this start only, as the records of a batch go with it. */
	settlement(): PaperRefusal | undefined {
		const { config, clock } = this.#o;
		const report = this.#settlement;
		if (report === undefined) return this.refuse("settlementUnknown", { name: "settlementUnknown" });
		const slip = settlementSlip(report, config, clock.now(), true);
		return this.printAll([slip], { name: "printing", batch: report.batch });
	}

	private printAll(slips: readonly Slip[], screen: Screen): PaperRefusal | undefined {
		const { printer, show } = this.#o;
		if (!printer.takes(slips.length)) return this.refuse("printFull", { name: "printFull" });
		show(screen);
		for (const slip of slips) {
			printer.later(slip, (printed) => {
				if (!printed) show({ name: "notPrinted" });
			});
		}
		return undefined;
	}

	private refuse(why: PaperRefusal, screen: Screen): PaperRefusal {
		this.#o.show(screen);
		return why;
	}

	/** Its number may be that of a settled batch: what is left of that is said. */
	private unknown(stan: number): PaperRefusal {
		const { watches } = this.#o;
		for (let serial = watches.next(0); serial !== 0; serial = watches.next(serial)) {
			const watch = watchOf(watches, serial);
			if (watch?.stan !== stan) continue;
			const { amountMinor } = watch;
			return this.refuse("queryNone", { name: "queryFound", local: "released", stan, amountMinor });
		}
		return this.refuse("queryNone", stan === 0 ? { name: "queryNone" } : { name: "queryNone", stan });
	}

	/** What became of it, on the screen. */
	private notCharged(id: number, fate: Fate): PaperRefusal {
		const hit = this.hit(id);
		const stan = this.#o.log.index.stans[this.#o.log.find(id)];
		if (fate === "open") return this.refuse("stillOpen", { name: "stillOpen", stan });
		const about = sums(hit, stan);
		const told = "notCharged" as const;
		const record = this.caseAbout(id);
		switch (fate) {
			case "declined":
				return this.refuse("notCharged", { name: "declined", ...about, code: hit?.code ?? "", told });
			case "notSent":
				return this.refuse("notCharged", { name: "notSent", ...about, told });
			case "refused":
				return this.refuse("notCharged", { name: "queryFound", ...about, local: "forwardRefused" });
			case "returning":
				if (record !== undefined) return this.refuse("notCharged", caseScreen(record));
				return this.refuse("notCharged", { name: "reversalStarted", ...about, told });
			default:
				if (record !== undefined) {
					return this.refuse("notCharged", { name: "moneyReturned", ...about, caseId: record.id, told });
				}
				return this.refuse("notCharged", { name: "reversalDone", ...about, told });
		}
	}

	/** The newest with that number that is a movement of its own; 0 for none. */
	private find(stan: number): number {
		const { index } = this.#o.log;
		for (let slot = index.count - 1; slot >= 0; slot--) {
			if (index.stans[slot] === stan && index.kind(slot) !== KIND_RESEND) return index.ids[slot];
		}
		return 0;
	}

	private lastCharged(): number {
		const { index } = this.#o.log;
		for (let slot = index.count - 1; slot >= 0; slot--) {
			if (index.kind(slot) !== KIND_RESEND && this.fate(index.ids[slot]) === "charged") return index.ids[slot];
		}
		return 0;
	}

	private fate(id: number): Fate {
		const { log, cases } = this.#o;
		const { index } = log;
		const slot = index.find(id);
		const [state, kind, batch, stan] = [index.states[slot], index.kind(slot), index.batch(slot), index.stans[slot]];
		switch (state) {
			case State.waiting:
			case State.approved:
				return "open";
			case State.declined:
				return this.isComingBack(batch, stan) ? "returning" : "declined";
			case State.abandoned:
				return this.isComingBack(batch, stan) ? "returning" : "notSent";
			case State.reversing:
				return "returning";
			case State.unconfirmed:
			case State.reversed:
				return this.isComingBack(batch, stan) ? "returning" : "returned";
			case State.forwardRefused:
				return "refused";
			default: {
				// Delivered; an advice that goes its way. A credit for the whole takes a sale back.
				const given = isCharged(state, kind) && cases.creditedMinor(batch, stan) >= index.amount(slot);
				return given ? "returned" : "charged";
			}
		}
	}

	/** The host holds a debit that must not be, and a case has still to bring it back. */
	private isComingBack(batch: number, stan: number): boolean {
		return this.#o.cases.findOpen(batch, stan, "debited") !== 0;
	}

	/** The case that gives a card its money back, or did; undefined for none. */
	private caseAbout(id: number): CaseRecord | undefined {
		const { log, cases } = this.#o;
		const slot = log.find(id);
		return returning(cases, log.index.batch(slot), log.index.stans[slot]);
	}

	/** @returns undefined for what is charged and stays so, and for what is not over */
	private noticeOf(id: number): MoneySlip | undefined {
		const { log, config } = this.#o;
		const fate = this.fate(id);
		if (fate === "open") return undefined;
		const record = this.caseAbout(id);
		const outcome = log.outcome(id);
		const head = headOf(log.intent(id), outcome, config);
		const facts = record === undefined ? {} : returnFacts(record);
		if (fate === "charged") {
			if (record === undefined || head.kind === "refund") return undefined;
			// Until it is given back it is charged; a difference leaves the sale as it was told.
			return { name: returnOf(record) === "done" ? "returned" : "returning", ...head, ...facts, told: "paid" };
		}
		const name = fate === "returning" || fate === "returned" ? fate : "notCharged";
		const code = outcome === undefined || name !== "notCharged" ? {} : { code: outcome.code };
		return { name, ...head, ...facts, ...code, told: "notCharged" };
	}

	/** Of a batch that is settled the case is what is left. */
	private noticeOfCase(stan: number): MoneySlip | undefined {
		const { cases, config } = this.#o;
		let record: CaseRecord | undefined;
		for (let id = cases.next(0); id !== 0; id = cases.next(id)) {
			if (cases.stan(id) === stan) record = returning(cases, cases.batch(id), stan) ?? record;
		}
		if (record === undefined) return undefined;
		const { batch, amountMinor, hostMinor, rrn, row, openedS } = record;
		const done = returnOf(record) === "done";
		const whole = row !== Row.otherAmount;
		// What was never charged here stays so; what was, until it is given back.
		const told = whole && (done || row === Row.debited) ? "notCharged" : "paid";
		return {
			name: done ? "returned" : "returning",
			copy: "customer",
			reprint: false,
			stan,
			batch,
			amountMinor: amountMinor || hostMinor,
			card: caseCard(record),
			rrn,
			authorization: "",
			time: openedS * 1_000,
			terminalId: config.terminalId,
			merchantId: config.merchantId,
			...returnFacts(record),
			told,
		};
	}

	private hit(id: number): QueryHit | undefined {
		const { log, cases, watches } = this.#o;
		return ofTransaction({ log, cases, watches }, id);
	}
}

/** The newest case of a transaction that gives money back: an open one before a closed one. */
function returning(cases: Cases, batch: number, stan: number): CaseRecord | undefined {
	let found: CaseRecord | undefined;
	for (let id = cases.findAny(batch, stan); id !== 0; id = cases.findAny(batch, stan, undefined, id)) {
		const record = caseRecord(cases, id);
		if (record === undefined || returnOf(record) === "none") continue;
		if (found === undefined || isOpen(record.state) || !isOpen(found.state)) found = record;
	}
	return found;
}

function sums(hit: QueryHit | undefined, stan: number): { stan: number; amountMinor?: number; card?: string } {
	return hit === undefined ? { stan } : { stan, amountMinor: hit.amountMinor, card: hit.card };
}
