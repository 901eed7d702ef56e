/**
 * What a transaction log must hold, kept by whoever drives it: plain objects that know nothing of flash, positions or
 * steps. Compared with a log at each boot: every field of every record that was acknowledged, and every counter.
 */
import { strict as assert } from "node:assert";
import { CodedError } from "../../src/core/errors";
import type { StoredCard } from "../../src/security/card-seal";
import { type AdviceFacts, isAdvice, NO_ORIGINAL, type Outcome } from "../../src/transactions/records";
import { State } from "../../src/transactions/states";
import type { NewSale, TransactionLog } from "../../src/transactions/transaction-log";

export interface ModelSale {
	readonly id: number;
	stan: number;
	/** STANs it may have as well: a reservation was cut before it, and nobody can see whether it is durable. */
	stanOthers: readonly number[];
	readonly kind: number;
	readonly batch: number;
	readonly sale: NewSale;
	readonly card: StoredCard;
	/** Of an advice. */
	readonly original: AdviceFacts | undefined;
	readonly emv: Uint8Array | undefined;
	/** A settlement has carried it: it is forgotten once it has ended. */
	carried: boolean;
	state: number;
	outcome: Outcome | undefined;
	reason: string;
	/** As the last record said: what a boot begins with. */
	triesDurable: number;
	flags: number;
}

const OVER: readonly number[] = [State.declined, State.abandoned, State.reversed];
const FORWARDED: readonly number[] = [State.forwarded, State.forwardRefused];
const CARRIED: readonly number[] = [State.reversing, State.unconfirmed, State.forwarding];
const STAN_CHUNK = 64;

export const isOver = (sale: ModelSale): boolean => OVER.includes(sale.state);
export const isAnswered = (sale: ModelSale): boolean => FORWARDED.includes(sale.state);

/** May the log have forgotten it? */
const mayBeGone = (sale: ModelSale): boolean => isOver(sale) || (sale.carried && isAnswered(sale));

const wrapped = (stan: number): number => ((stan - 1) % 999_999) + 1;

export class SalesModel {
	readonly sales = new Map<number, ModelSale>();
	batch = 1;
	idLast = 0;
	/** The STAN of the newest transaction. */
	stanSold = 0;
	/** The STAN used last, for whatever, and how many behind it are reserved. */
	stanLast = 0;
	stansLeft = 0;
	/** Ends of reservations that were cut: perhaps one is durable. */
	stanMaybes: readonly number[] = [];
	/** Something was begun in this batch. */
	touched = false;
	/** `id` −1: not seen yet; then it is at least `idLast`, for a boot skips ids that may have been used. */
	settled = { batch: 0, id: 0, stan: 0 };

	clone(): SalesModel {
		const copy = new SalesModel();
		for (const [id, sale] of this.sales) copy.sales.set(id, { ...sale });
		copy.batch = this.batch;
		copy.idLast = this.idLast;
		copy.stanSold = this.stanSold;
		copy.stanLast = this.stanLast;
		copy.stansLeft = this.stansLeft;
		copy.stanMaybes = this.stanMaybes;
		copy.touched = this.touched;
		copy.settled = { ...this.settled };
		return copy;
	}

	add(sale: ModelSale): void {
		this.sales.set(sale.id, sale);
		this.idLast = sale.id;
		this.stanSold = sale.stan;
		this.touched = true;
		this.useStan(sale.stan);
	}

	useStan(stan: number): void {
		this.stansLeft = Math.max(0, this.stansLeft - ((stan - this.stanLast + 2 * 999_999) % 999_999));
		this.stanLast = stan;
		this.stanMaybes = [];
	}

	/** What the next STAN may be; `next` passes over what is live. More than one only after a reservation that was cut. */
	nextStans(next: (stan: number) => number): number[] {
		return [this.stanLast, ...this.stanMaybes].map(next);
	}

	/** A message without a record takes `stan`. */
	takeStan(stan: number): void {
		const skipped = (stan - this.stanLast + 2 * 999_999) % 999_999;
		if (skipped > this.stansLeft) this.stansLeft = skipped + STAN_CHUNK - 1;
		this.useStan(stan);
	}

	/** That was cut: its reservation may be durable, the number was given to nobody. @param stans - what it may have been */
	takeStanCut(stans: readonly number[]): void {
		const ends = stans.map((stan) => wrapped(stan + STAN_CHUNK - 1));
		this.stanMaybes = [...new Set([...this.stanMaybes, ...ends])];
	}

	/** A boot has read the newest sale: which STAN it got is seen now. */
	sawNewest(): void {
		const newest = this.sales.get(this.idLast);
		if (newest === undefined || newest.stanOthers.length === 0) return;
		newest.stanOthers = [];
		this.stanSold = newest.stan;
		this.stanLast = newest.stan;
	}

	/** Power is gone: what was reserved may have been used. */
	boot(): void {
		this.stanLast = wrapped(this.stanLast + this.stansLeft);
		this.stansLeft = 0;
	}

	of(id: number): ModelSale {
		const sale = this.sales.get(id);
		assert.ok(sale !== undefined, `the model knows ${id}`);
		return sale;
	}

	/** All but what is still open goes. */
	settle(nextBatch: number): void {
		for (const [id, sale] of this.sales) {
			if (CARRIED.includes(sale.state)) sale.carried = true;
			else this.sales.delete(id);
		}
		this.settled = { batch: this.batch, id: -1, stan: this.stanSold };
		this.batch = nextBatch;
		this.touched = false;
	}

	/** What a batch that the host gives must come to. */
	adopts(batch: number): "adopted" | "same" | "refused" {
		if (batch === this.batch) return "same";
		// What was settled, and what lies before it, is closed at the host; the numbers are a ring.
		const settled = this.settled.batch;
		const behind = settled === 0 ? 0 : (settled - batch + 999_999) % 999_999;
		const closed = settled !== 0 && (behind === 0 || behind < 500_000);
		return this.touched || closed ? "refused" : "adopted";
	}

	/** What the queries must answer, in the order of selling. @returns what differs */
	queryDifferences(log: TransactionLog): string[] {
		const found: string[] = [];
		const ids = [...this.sales.keys()].sort((a, b) => a - b);
		const walk = (next: (after: number) => number): number[] => {
			const seen: number[] = [];
			for (let id = next(0); id !== 0; id = next(id)) seen.push(id);
			return seen;
		};
		const same = (what: string, is: number[], must: number[]) => {
			if (is.join() !== must.join()) found.push(`${what}: ${is}, not ${must}`);
		};
		same(
			"live",
			walk((after) => log.nextLive(after)),
			ids.filter((id) => !isOver(this.of(id)) && (log.find(id) >= 0 || !mayBeGone(this.of(id)))),
		);
		const known = ids.filter((id) => log.find(id) >= 0);
		for (const batch of new Set([this.batch, ...ids.map((id) => this.of(id).batch)])) {
			const must = known.filter((id) => this.of(id).batch === batch);
			same(
				`batch ${batch}`,
				walk((after) => log.nextInBatch(batch, after)),
				must,
			);
		}
		const byStan = (id: number) => log.findByStan(this.of(id).batch, this.of(id).stan);
		same("by STAN", known.map(byStan), known);
		return found;
	}

	/** @returns what differs, empty when `log` holds this model; spent sales may be missing in it */
	differences(log: TransactionLog, tries: "durable" | "any" = "durable"): string[] {
		const found: string[] = [];
		const { index } = log;
		for (const [id, sale] of this.sales) if (!mayBeGone(sale) && index.find(id) < 0) found.push(`lost ${id}`);
		for (let slot = 0; slot < index.count; slot++) {
			const sale = this.sales.get(index.ids[slot]);
			if (sale === undefined) found.push(`resurrected ${index.ids[slot]} state ${index.states[slot]}`);
			else found.push(...differencesOf(log, slot, sale, tries));
		}
		if (log.batch !== this.batch) found.push(`batch ${log.batch}, not ${this.batch}`);
		const { settledUpTo } = log;
		const { settled } = this;
		if (settledUpTo.batch !== settled.batch) found.push(`settled batch ${settledUpTo.batch}, not ${settled.batch}`);
		if (settledUpTo.stan !== settled.stan) found.push(`settled STAN ${settledUpTo.stan}, not ${settled.stan}`);
		const wrong = settled.id < 0 ? settledUpTo.id < this.idLast : settledUpTo.id !== settled.id;
		if (wrong) found.push(`settled id ${settledUpTo.id}, not ${settled.id}, last ${this.idLast}`);
		return found;
	}
}

function differencesOf(log: TransactionLog, slot: number, sale: ModelSale, tries: "durable" | "any"): string[] {
	const { index } = log;
	const { id } = sale;
	const found: string[] = [];
	const check = (what: string, is: unknown, must: unknown) => {
		if (is !== must) found.push(`changed ${id} ${what}: ${is}, not ${must}`);
	};
	if (sale.stanOthers.includes(index.stans[slot])) sale.stan = index.stans[slot];
	check("state", index.states[slot], sale.state);
	check("STAN", index.stans[slot], sale.stan);
	check("batch", index.batch(slot), sale.batch);
	check("kind", index.kind(slot), sale.kind);
	check("amount", index.amount(slot), sale.sale.amountMinor);
	check("flags", index.flags[slot], sale.flags);
	if (tries === "durable") check("tries", index.tries[slot], sale.triesDurable);
	try {
		const intent = log.intent(id);
		const card = log.card(id);
		const outcome = log.outcome(id);
		for (const key of ["amountMinor", "timeS", "entryMode", "condition", "field60Rest"] as const) {
			check(key, intent[key], sale.sale[key]);
		}
		check("intent's id", intent.id, id);
		check("intent's STAN", intent.stan, sale.stan);
		check("intent's batch", intent.batch, sale.batch);
		check("panFirst", intent.panFirst, sale.card.pan.slice(0, 6));
		check("panLast", intent.panLast, sale.card.pan.slice(-4));
		check("pan", card.pan, sale.card.pan);
		check("expiry", card.expiry, sale.card.expiry);
		check("sequence", card.sequence, sale.card.sequence);
		check("reason", log.reason(id), sale.reason);
		if (isAdvice(sale.kind)) {
			const facts = log.advice(id);
			const original = sale.original ?? NO_ORIGINAL;
			for (const key of Object.keys(original) as (keyof AdviceFacts)[]) check(key, facts[key], original[key]);
			check("chip data", `${log.adviceEmv(id)}`, `${sale.emv}`);
		}
		// What a reversed sale was before may be gone already.
		if (outcome === undefined && sale.state === State.reversed) return found;
		for (const key of ["code", "rrn", "authorization", "hostTime"] as const) {
			check(key, outcome?.[key], sale.outcome?.[key]);
		}
	} catch (error) {
		if (!(error instanceof CodedError)) throw error;
		// The records of a spent sale may have gone from under its entry while the terminal runs on.
		if (!isOver(sale) || tries === "durable") found.push(`unreadable ${id} state ${sale.state}: ${error.message}`);
	}
	return found;
}
