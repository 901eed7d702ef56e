/**
 * What one terminal has sent, heard and told, by trace number: the wire and the till as somebody beside the terminal
 * writes them down. Judges what the wire alone can show: numbers that are used twice (I4), the order of what belongs to
 * one transaction (I5), what is reversed and never may be (I3).
 *
 * Nothing here asks the terminal. Bounds (I10): one entry for each trace number of the run.
 * @module
 */
import type { MessageDecoder } from "../../src/iso8583/decoder";
import { responseText } from "../../src/iso8583/response-codes";
import type { Told } from "../../src/ports";

const STAN_MAX = 999_999;
/** A number that comes round again has this many others behind it. */
const WRAP_MIN = 900_000;
/** From here on a sign-on may go under a number that nobody reserved: session.ts, "Without room". */
const SPARE_STAN_MIN = 990_000;

const ADVICE_OFFLINE = "36";

/** One trace number. */
export interface Entry {
	readonly stan: number;
	/** Numbers used before this one, in all. */
	readonly order: number;
	/** What it is for is known: a request has left. */
	known: boolean;
	advice: boolean;
	processingCode: string;
	amountMinor: number;
	batch: number;
	pan: string;
	/** DE 61 of a refund or a resend: batch and STAN; 0 without one. */
	originalBatch: number;
	originalStan: number;
	/** Of an advice's fields: the repeat has the same. */
	digest: number;
	/** 0200 or 0220 that have left. */
	requests: number;
	/** 0400 that have left. */
	reversals: number;
	/** Answers that the terminal may have believed, by what they say of the money. */
	approvals: number;
	declines: number;
	/** In part, another amount, or not heard by the host: no outcome, and a reason to reverse. */
	otherAnswers: number;
	/** The host has said that there is no debit, and holds it: by its own word to the world, not by the terminal's. */
	contradicted: boolean;
	/** Final answers to the advice. */
	adviceAnswers: number;
	/** 0410 that end the repeating, since the last state that waited for one. */
	reversalAnswers: number;
	told: Told | undefined;
	/** The cashier was asked whether it was delivered, and the till has told nothing since. */
	asked: boolean;
	/** What the cashier has last answered to that. */
	delivered: boolean | undefined;
	/** The card has refused, or was gone: its sale may never be told paid. */
	cardRefuses: boolean;
}

export class WitnessBook {
	readonly #fail: (invariant: string, text: string) => void;
	readonly #entries = new Map<number, Entry>();
	readonly #signOns = new Set<number>();
	/** Of DUKPT. */
	readonly #counters = new Set<number>();
	#newestStan = 0;
	#order = 0;

	constructor(fail: (invariant: string, text: string) => void) {
		this.#fail = fail;
	}

	get size(): number {
		return this.#entries.size;
	}

	find(stan: number): Entry | undefined {
		return this.#entries.get(stan);
	}

	all(): IterableIterator<Entry> {
		return this.#entries.values();
	}

	/** The entry of `stan`; made when there is none. */
	entry(stan: number): Entry {
		return this.#entries.get(stan) ?? this.#open(stan);
	}

	/** A sign-on or a sign-off leaves. */
	numberOfItsOwn(stan: number): void {
		if (stan >= SPARE_STAN_MIN) return;
		if (this.#signOns.has(stan)) this.#fail("I4", `stan=${stan}: two messages under one number`);
		if (this.#entries.has(stan)) this.#fail("I4", `stan=${stan}: a sign-on under the number of a transaction`);
		this.#signOns.add(stan);
	}

	/** A key counter is named. */
	counter(stan: number, counter: number): void {
		if (this.#counters.has(counter)) this.#fail("I4", `stan=${stan}: key counter ${counter} is used a second time`);
		this.#counters.add(counter);
	}

	/** A sale leaves. @returns its entry */
	sale(message: MessageDecoder): Entry {
		const stan = message.number(11);
		const before = this.#entries.get(stan);
		if (before !== undefined && !this.#cameRound(before)) {
			if (before.reversals > 0) this.#fail("I5", `stan=${stan}: the sale leaves after its reversal`);
			else if (before.requests > 0) this.#fail("I4", `stan=${stan}: a second 0200 under one number`);
			else if (before.told !== undefined) this.#fail("I4", `stan=${stan}: the number was told of before`);
		}
		const entry = this.#begin(stan, message, false);
		entry.requests++;
		return entry;
	}

	/** A reversal leaves. @returns the entry of its original */
	reversal(message: MessageDecoder): Entry {
		const stan = message.number(11);
		let entry = this.#entries.get(stan);
		if (entry === undefined || !entry.known) {
			// The sale itself was never sent: power went before, and nobody could know.
			const told = entry;
			entry = this.#begin(stan, message, false);
			if (told !== undefined) {
				entry.told = told.told;
				entry.asked = told.asked;
				entry.delivered = told.delivered;
			}
		} else if (entry.advice) this.#fail("I3", `stan=${stan}: an advice is reversed`);
		else this.#compare(entry, message, "the reversal");
		if (entry.told === "paid") this.#fail("I5", `stan=${stan}: a reversal leaves of what was told paid`);
		entry.reversals++;
		return entry;
	}

	/** An advice leaves. @returns its entry */
	advice(message: MessageDecoder, frame: Uint8Array): Entry {
		const stan = message.number(11);
		const digest = digestOf(message, frame);
		let entry = this.#entries.get(stan);
		if (entry === undefined || !entry.known || this.#cameRound(entry)) {
			entry = this.#begin(stan, message, true);
			entry.digest = digest;
			if (!message.equalsAt(60, 0, ADVICE_OFFLINE) && message.has(61)) {
				entry.originalBatch = message.numberAt(61, 0, 6);
				entry.originalStan = message.numberAt(61, 6, 6);
			}
		} else if (!entry.advice) this.#fail("I4", `stan=${stan}: an advice under the number of a sale`);
		else if (entry.digest !== digest) this.#fail("I3", `stan=${stan}: the advice was changed`);
		entry.requests++;
		return entry;
	}

	/** People read what has become of their money; `where` is the screen's name, or that it is a slip. */
	told(stan: number, told: Told, amountMinor: number | undefined, where: string): void {
		const entry = this.entry(stan);
		const broken = (invariant: string, why: string): void => this.#fail(invariant, `stan=${stan}: ${where}${why}`);
		if (told === "paid" && entry.told === "notCharged") broken("I5", ' after "not charged"');
		if (told === "notCharged" && entry.told === "paid" && !entry.asked)
			broken("I5", ' after "paid", and nobody was asked');
		if (told === "paid" && entry.cardRefuses) broken("I3", ", and the card did not consent");
		if (entry.known && amountMinor !== undefined && amountMinor !== entry.amountMinor)
			broken("I6", " with another amount");
		if (where === "notSent" && entry.requests > 0) broken("I3", ", and it has left");
		if (where === "reversalDone" && entry.reversals === 0) broken("I3", ", and no reversal has left");
		entry.told = told;
		entry.asked = false;
	}

	/** An answer that the terminal may believe; one that belongs to no request of its own is nobody's. */
	answered(message: MessageDecoder): void {
		const entry = this.#entries.get(message.number(11));
		if (entry === undefined || !this.#belongs(entry, message)) return;
		const code = message.text(39);
		const { mti } = message;
		if (mti === "0410") {
			if (!entry.advice && ACCEPTED.includes(code)) entry.reversalAnswers++;
			return;
		}
		if (entry.advice !== (mti === "0230")) return;
		if (entry.advice) {
			entry.adviceAnswers++;
			return;
		}
		const differs = message.has(4) && message.number(4) !== entry.amountMinor;
		const verdict = responseText(code).class;
		if (differs || verdict === "partial" || verdict === "unheard") entry.otherAnswers++;
		else if (verdict === "approved") entry.approvals++;
		else entry.declines++;
		// A late one is taken for its word, whatever amount it carries.
		if (differs && verdict === "approved") entry.otherAnswers++;
	}

	#belongs(entry: Entry, message: MessageDecoder): boolean {
		return (
			entry.known &&
			message.equals(3, entry.processingCode) &&
			message.has(60) &&
			message.count(60) >= 8 &&
			message.numberAt(60, 2, 6) === entry.batch
		);
	}

	#compare(entry: Entry, message: MessageDecoder, what: string): void {
		const { stan, processingCode, amountMinor, batch, pan } = entry;
		const same =
			message.equals(3, processingCode) &&
			message.number(4) === amountMinor &&
			message.numberAt(60, 2, 6) === batch &&
			message.equals(2, pan);
		if (!same) this.#fail("I4", `stan=${stan}: ${what} is not of the sale that left under this number`);
	}

	#begin(stan: number, message: MessageDecoder, advice: boolean): Entry {
		if (stan < 1 || stan > STAN_MAX) this.#fail("I4", `stan=${stan} is no trace number`);
		if (this.#signOns.has(stan)) this.#fail("I4", `stan=${stan}: a transaction under the number of another message`);
		const batch = message.numberAt(60, 2, 6);
		if (batch === 0) this.#fail("I4", `stan=${stan}: sold before the host has given a batch`);
		const entry = this.#open(stan);
		entry.known = true;
		entry.advice = advice;
		entry.processingCode = message.text(3);
		entry.amountMinor = message.number(4);
		entry.batch = batch;
		entry.pan = message.text(2);
		if (entry.amountMinor === 0) this.#fail("I6", `stan=${stan}: of nothing`);
		return entry;
	}

	#open(stan: number): Entry {
		// Numbers go forward, by gaps where a boot has passed over what was reserved.
		const ahead = (stan - this.#newestStan + STAN_MAX) % STAN_MAX;
		if (ahead < STAN_MAX / 2) {
			this.#order += ahead;
			this.#newestStan = stan;
		}
		const entry: Entry = {
			stan,
			order: this.#order,
			known: false,
			advice: false,
			processingCode: "",
			amountMinor: 0,
			batch: 0,
			pan: "",
			originalBatch: 0,
			originalStan: 0,
			digest: 0,
			requests: 0,
			reversals: 0,
			approvals: 0,
			declines: 0,
			otherAnswers: 0,
			contradicted: false,
			adviceAnswers: 0,
			reversalAnswers: 0,
			told: undefined,
			asked: false,
			delivered: undefined,
			cardRefuses: false,
		};
		this.#entries.set(stan, entry);
		return entry;
	}

	/** All other numbers were used since. */
	#cameRound(entry: Entry): boolean {
		return this.#order - entry.order >= WRAP_MIN;
	}
}

/** Answers that end the repeating of a reversal. */
const ACCEPTED: readonly string[] = ["00", "12", "25"];

/** Over all fields but the key counter and the MAC: FNV-1a, not for secrets. */
function digestOf(message: MessageDecoder, frame: Uint8Array): number {
	const end = message.macDe === 0 ? frame.length : message.offset(message.macDe);
	const skipFrom = message.has(53) ? message.offset(53) : end;
	const skipTo = message.has(53) ? skipFrom + message.byteLength(53) : end;
	let hash = 0x811c9dc5;
	for (let at = message.macStart; at < end; at++) {
		if (at >= skipFrom && at < skipTo) continue;
		hash = Math.imul(hash ^ frame[at], 0x01000193);
	}
	return hash;
}
