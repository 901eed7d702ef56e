/**
 * Sends what the queue holds, one reversal at a time, until the host accepts each (I3). Nothing here gives up: a
 * reversal ends by an answer only. Between sales it works by itself; before a sale it gets a short time of its own.
 * @module
 */

import type { Config } from "../config";
import { CodedError } from "../core/errors";
import type { ExchangeEnd, Exchanger } from "../iso8583/exchange";
import type { Clock, Display, LogSink } from "../ports";
import type { KeyScheme } from "../security/key-scheme";
import { type MessageBuilder, readOutcome } from "./messages";
import { HOST_AWAY, ISSUER_AWAY } from "./passing-codes";
import { Flag } from "./records";
import { QUEUE_MAX, type ReversalQueue } from "./reversal-queue";
import { State } from "./states";
import type { TransactionLog } from "./transaction-log";

export interface ReversalsOptions {
	log: TransactionLog;
	queue: ReversalQueue;
	exchanger: Exchanger;
	messages: MessageBuilder;
	scheme: KeyScheme;
	clock: Clock;
	config: Config;
	display: Display;
	sink: LogSink;
}

/** Answers that end the repeating: done, invalid (nothing to reverse), original not found. */
const ACCEPTED = ["00", "12", "25"];
export class Reversals {
	readonly #o: ReversalsOptions;
	#timer = 0;
	/** Id of the reversal under way; 0 for none. */
	#current = 0;
	#paused = false;
	#deadlineMs = 0;
	#onDone: (() => void) | undefined;
	/** The one that was answered last with a wrong MAC: a fact that is durable with its next record. */
	#badMacId = 0;
	/** The queue was full: flash holds reversals that it does not. */
	#leftOut = false;

	constructor(options: ReversalsOptions) {
		this.#o = options;
	}

	/** True while a reversal is on the line. */
	get active(): boolean {
		return this.#current !== 0;
	}

	/** A reversal is durable: it is due now. */
	add(id: number): void {
		this.put(id, this.#o.clock.monotonic(), false);
	}

	/** Accepted once: due again when no stalled original can arrive any more. */
	watch(id: number): void {
		this.put(id, this.#o.clock.monotonic() + this.#o.config.lateOriginalMs, true);
	}

	/** A full queue leaves it to flash, which holds every reversal: it is taken in when another ends (I3, I10). */
	private put(id: number, dueMs: number, watching: boolean): void {
		const { queue } = this.#o;
		if (queue.count < QUEUE_MAX || queue.has(id)) queue.put(id, dueMs, watching);
		else this.#leftOut = true;
	}

	private takeLeftOut(): void {
		const { index } = this.#o.log;
		this.#leftOut = false;
		for (let slot = 0; slot < index.count; slot++) {
			const id = index.ids[slot];
			if (this.#o.queue.has(id)) continue;
			if (index.states[slot] === State.reversing) this.add(id);
			else if (index.states[slot] === State.unconfirmed) this.watch(id);
		}
	}

	/**
	 * Lets due reversals have the line for at most `limitMs`, together, then calls back and stays quiet until
	 * {@link resume}: a customer is waiting.
	 */
	beforeSale(limitMs: number, onDone: () => void): void {
		this.#paused = true;
		this.#deadlineMs = this.#o.clock.monotonic() + limitMs;
		this.#onDone = onDone;
		this.noTimer();
		this.#timer = this.#o.clock.setTimer(limitMs, () => {
			this.#timer = 0;
			if (this.#current !== 0 && this.#o.exchanger.busy) this.#o.exchanger.giveUp();
			// Giving up may have gone on by itself, and then set the timer of the next try: that one stays.
			if (this.#onDone !== undefined) this.finishBeforeSale();
		});
		this.next();
	}

	/** Sends nothing more; flash keeps what waits. */
	stop(): void {
		this.#paused = true;
		this.#onDone = undefined;
		this.noTimer();
	}

	/** The line is free again. */
	resume(): void {
		this.#paused = false;
		this.#onDone = undefined;
		this.noTimer(); // The limit before a sale that was cancelled holds for nobody now.
		this.next();
	}

	/** Begins what is due, or sets the timer for what will be. */
	private next(): void {
		const { queue, clock, config, exchanger } = this.#o;
		if (this.#current !== 0) return;
		const nowMs = clock.monotonic();
		const id = config.autoReversal && !exchanger.busy ? queue.due(nowMs) : 0;
		const allowed = !this.#paused || (this.#onDone !== undefined && nowMs < this.#deadlineMs);
		if (id !== 0 && allowed) {
			this.begin(id);
			return;
		}
		if (this.#onDone !== undefined) {
			this.finishBeforeSale();
			return;
		}
		if (this.#paused || !config.autoReversal) return;
		this.noTimer();
		const dueMs = queue.nextDueMs();
		if (dueMs === Number.POSITIVE_INFINITY) return;
		this.#timer = clock.setTimer(Math.max(1, dueMs - nowMs), () => {
			this.#timer = 0;
			this.next();
		});
	}

	private finishBeforeSale(): void {
		const onDone = this.#onDone;
		this.#onDone = undefined;
		this.noTimer();
		onDone?.();
	}

	private noTimer(): void {
		this.#o.clock.clearTimer(this.#timer);
		this.#timer = 0;
	}

	private begin(id: number): void {
		const { log, exchanger } = this.#o;
		this.#current = id;
		if (log.index.states[log.index.find(id)] === State.unconfirmed) log.apply(id, "lateOriginalDue");
		exchanger.connect((connected) => {
			if (this.#current !== id) return;
			// The time before a sale may be over: the line belongs to the sale then.
			if (!connected || exchanger.busy || (this.#paused && this.#onDone === undefined)) this.failed(id);
			else this.send(id);
		});
	}

	private send(id: number): void {
		const { log, messages, exchanger, scheme, config } = this.#o;
		const intent = log.intent(id);
		const tries = log.noteTry(id, this.facts(id));
		if (tries === config.reversalTriesAlarm) this.needsPerson(id);
		let ticket = 0;
		try {
			ticket = scheme.open();
		} catch (error) {
			// A key counter that cannot be reserved now.
			if (!(error instanceof CodedError)) throw error;
			this.log("E", `no keys for the reversal of stan=${intent.stan}: ${error.message}`);
			this.failed(id);
			return;
		}
		let byteLength = 0;
		try {
			byteLength = messages.reversal(intent, log.card(id), log.outcome(id), log.reason(id), ticket);
		} catch (error) {
			// The sealed card cannot be opened or does not fit: a person has to change that.
			if (!(error instanceof CodedError)) throw error;
			scheme.close(ticket);
			this.log("E", `reversal stan=${intent.stan} cannot be built: ${error.message}`);
			this.#current = 0;
			this.#o.queue.postpone(id, this.#o.clock.monotonic() + config.reversalRefusedRepeatMs);
			this.needsPerson(id);
			this.next();
			return;
		}
		this.log("I", `reversal stan=${intent.stan} reason=${log.reason(id)} try ${tries}`);
		exchanger.request(
			messages.frame,
			byteLength,
			messages.reversalAnswer(intent, ticket),
			config.reversalTimeoutMs,
			(end, answer) => {
				if (end === "badMac") this.#badMacId = id;
				if (end === "answer" || end === "amountDiffers") this.answered(id, end, readOutcome(answer).code);
				else this.failed(id);
			},
		);
	}

	private answered(id: number, end: ExchangeEnd, code: string): void {
		const { log, queue, clock, config } = this.#o;
		const accepted = end === "answer" && this.accepts(id, code);
		const stan = log.index.stans[log.index.find(id)];
		this.log(accepted ? "I" : "W", `reversal stan=${stan} answered ${code}${accepted ? "" : ": goes on"}`);
		this.#current = 0;
		if (accepted) this.accepted(id, code);
		else if (end !== "answer" || isPassing(code)) queue.backOff(id, clock.monotonic());
		else {
			log.apply(id, "reversalRefused");
			queue.postpone(id, clock.monotonic() + config.reversalRefusedRepeatMs);
			this.needsPerson(id, code);
		}
		this.next();
	}

	private facts(id: number): number {
		return id === this.#badMacId ? Flag.badMac : 0;
	}

	/** A host that has answered this number with another amount knows something of it: 12 and 25 prove nothing then. */
	private accepts(id: number, code: string): boolean {
		const { flags } = this.#o.log.index;
		const known = (flags[this.#o.log.find(id)] & Flag.amountDiffers) !== 0;
		return code === "00" || (ACCEPTED.includes(code) && !known);
	}

	private accepted(id: number, code: string): void {
		const { log, queue, clock, display } = this.#o;
		const slot = log.find(id);
		const stan = log.index.stans[slot];
		const amountMinor = log.index.amount(slot);
		const act = log.apply(id, "reversalAccepted", { flags: this.facts(id) });
		if (act === "watch") {
			this.watch(id);
			display.show({ name: "reversalDone", stan, amountMinor, code, told: "notCharged" });
		} else {
			queue.remove(id);
			if (this.#leftOut) this.takeLeftOut();
		}
		queue.hurry(clock.monotonic());
	}

	/**
	 * A verified answer to an earlier try: an acceptance is worth as much as one in time, or a host that is always a little
	 * too slow would never be done with. Not while a try of its own is on the line, and not for what is sent once more
	 * after a while: that has to be answered itself.
	 * @returns false when it has no effect
	 */
	lateAnswer(id: number, code: string): boolean {
		const { log, queue } = this.#o;
		if (this.#current === id || !queue.has(id) || log.index.states[log.find(id)] !== State.reversing) return false;
		if (!this.accepts(id, code)) return false;
		this.log("I", `reversal stan=${log.index.stans[log.find(id)]} answered ${code} late`);
		this.accepted(id, code);
		this.next();
		return true;
	}

	private failed(id: number): void {
		this.#current = 0;
		this.#o.queue.backOff(id, this.#o.clock.monotonic());
		this.next();
	}

	/** Still queued, and from now on also somebody's business. */
	private needsPerson(id: number, code?: string): void {
		const { log, display } = this.#o;
		log.setFlags(id, Flag.reversalRefused);
		const slot = log.index.find(id);
		const screen = {
			name: "reversalRefused",
			stan: log.index.stans[slot],
			amountMinor: log.index.amount(slot),
		} as const;
		display.show(code === undefined ? screen : { ...screen, code });
	}

	private log(level: "I" | "W" | "E", text: string): void {
		this.#o.sink.write(level, this.#o.clock.monotonic(), "saf", text);
	}
}

function isPassing(code: string): boolean {
	return ISSUER_AWAY.includes(code) || HOST_AWAY.includes(code);
}
