/**
 * Tells the host what has happened at the till: offline sales, refunds, resends. Each advice goes as the identical message
 * under its own number until the host answers it, and nothing ever reverses it (I3). Up to a window of them is in flight,
 * oldest first; none overtakes a movement for the same original (I5).
 *
 * Flash is the queue: this class remembers what is in flight, and how far it has come. In a pass each advice has one turn;
 * what is left after it waits for the next pass. So one that the host cannot take now holds nobody else back, and nothing
 * has to be remembered of it (I10). Trouble with line or host stops everything for a while: one back-off for all.
 * @module
 */
import type { Config } from "../config";
import { assert } from "../core/assert";
import { backOffMs } from "../core/back-off";
import { CodedError } from "../core/errors";
import type { MessageDecoder } from "../iso8583/decoder";
import type { ExchangeEnd, Exchanger } from "../iso8583/exchange";
import { responseText } from "../iso8583/response-codes";
import type { Clock, LogSink, RandomSource } from "../ports";
import type { KeyScheme } from "../security/key-scheme";
import { type MessageBuilder, readOutcome } from "./messages";
import { HOST_AWAY, ISSUER_AWAY } from "./passing-codes";
import { Flag, type Outcome } from "./records";
import type { TransactionLog } from "./transaction-log";

export interface AdvicesOptions {
	log: TransactionLog;
	exchanger: Exchanger;
	messages: MessageBuilder;
	scheme: KeyScheme;
	clock: Clock;
	config: Config;
	random: RandomSource;
	sink: LogSink;
	/** False while something more urgent waits for the line: a reversal, a customer. */
	mayBegin(): boolean;
}

/** Most advices in flight; the configuration may ask for fewer. */
const WINDOW_MAX = 16;
/**
 * The host has this number already: it was our own earlier try, as no number is used twice (I4). What it did with it is
 * what an answer to that try would have said; a comparison of the batch finds whatever is wrong with it.
 */
const DUPLICATE = "94";
/** Tried once in this time only: nothing but a person changes it. */
/** In flight, beside which the line has room for single questions. */
const BESIDE_OTHERS_MAX = 2;
const DAILY = Flag.unsendable | Flag.amountDiffers;

export class Advices {
	readonly #o: AdvicesOptions;
	/** Ids in flight, 0 for a free place; behind each its STAN, which is no other's in flight (I4). */
	readonly #flights = new Uint32Array(2 * WINDOW_MAX);
	/** For all in flight, made once. */
	readonly #onEnd = (end: ExchangeEnd, answer: MessageDecoder, stan: number) => this.ended(stan, end, answer);
	readonly #dice = new Uint8Array(2);
	#inFlight = 0;
	#paused = false;
	#stopped = false;
	#connecting = false;
	/** An advice is being begun: what ends at once is looked at by the loop that began it. */
	#filling = false;
	/** Ids up to here have had their turn in this pass; before the first pass all have. */
	#turn = 0xffff_ffff;
	/** Something of this pass has to be tried again. */
	#left = false;
	/** This pass has waited for line or host already: what is left of it need not wait once more. */
	#waited = false;
	/** All had their turn: the next pass has its time. */
	#passOver = true;
	/** No advice before this: line or host is not well. */
	#notBeforeMs = 0;
	/** No new pass before this. */
	#nextPassMs = 0;
	/** What only a person can change has its turn in a pass from here on. */
	#dailyMs = 0;
	#withDaily = false;
	#failures = 0;
	#timer = 0;

	constructor(options: AdvicesOptions) {
		this.#o = options;
	}

	/** True while an advice is on the line, or a line is being made for one. */
	get active(): boolean {
		return this.#connecting || this.#inFlight > 0;
	}

	/** True while a line is being made for one, or so many are in flight that nothing may be put between them. */
	get crowded(): boolean {
		return this.#connecting || this.#inFlight > BESIDE_OTHERS_MAX;
	}

	/** Advices that the host has still to be told. O(n) */
	get waiting(): number {
		return this.#o.log.forwarding;
	}

	/** An advice has become durable: it goes as soon as nothing more urgent waits. */
	kick(): void {
		this.fill();
	}

	/** The link works: what was backing off need not wait any longer. */
	hurry(): void {
		this.#notBeforeMs = 0;
		this.#nextPassMs = 0;
		this.fill();
	}

	/** Begins no more; what is in flight gets its answers. */
	pause(): void {
		this.#paused = true;
		this.noTimer();
	}

	/** The line is free again. */
	resume(): void {
		this.#paused = false;
		this.fill();
	}

	/** Sends nothing more; flash keeps what waits. */
	stop(): void {
		this.#stopped = true;
		this.pause();
	}

	/**
	 * Begins whatever may go now, or sets the timer for what will be.
	 * @param connected - just now: nothing is in flight that would show whether the line works
	 */
	private fill(connected = false): void {
		const { clock, config, exchanger, log } = this.#o;
		if (this.#paused || this.#stopped || this.#filling || this.#connecting) return;
		this.noTimer();
		if (log.index.nextForwarding(0) < 0) return;
		const nowMs = clock.monotonic();
		if (this.#inFlight === 0 && !connected) {
			// Reversals take seconds, and nobody says when they have gone.
			if (nowMs < this.#notBeforeMs) this.wakeIn(this.#notBeforeMs - nowMs);
			else if (!this.#o.mayBegin()) this.wakeIn(config.reversalRepeatMs);
			else if (this.next() !== 0) this.connect();
			return;
		}
		this.#filling = true;
		try {
			while (this.#inFlight < config.windowMax && exchanger.room > 0 && this.mayGoOn()) {
				const id = this.next();
				if (id === 0) break;
				this.#turn = id;
				this.send(id);
			}
		} finally {
			this.#filling = false;
		}
		// Nothing in flight will come back here, and nothing has been said of when to go on.
		if (this.#inFlight === 0 && this.#timer === 0) {
			this.wakeIn(this.#notBeforeMs > nowMs ? this.#notBeforeMs - nowMs : config.reversalRepeatMs);
		}
	}

	private mayGoOn(): boolean {
		return !this.#paused && !this.#stopped && this.#o.clock.monotonic() >= this.#notBeforeMs && this.#o.mayBegin();
	}

	/**
	 * The oldest advice that has not had its turn and that nothing older holds back; where there is none, a new pass begins
	 * when its time has come.
	 * @returns its id, or 0; then either an answer is still to come, or the timer is set
	 */
	private next(): number {
		const { clock } = this.#o;
		const id = this.nextInPass();
		if (id !== 0 || this.#inFlight > 0) return id;
		const nowMs = clock.monotonic();
		if (!this.#passOver) this.endPass(nowMs);
		if (nowMs >= this.#nextPassMs) {
			this.beginPass(nowMs);
			const first = this.nextInPass();
			if (first !== 0) return first;
			this.endPass(nowMs);
		}
		this.wakeIn(Math.max(1, this.#nextPassMs - nowMs));
		return 0;
	}

	private beginPass(nowMs: number): void {
		this.#turn = 0;
		this.#left = false;
		this.#waited = false;
		this.#passOver = false;
		this.#withDaily = nowMs >= this.#dailyMs;
		if (this.#withDaily) this.#dailyMs = nowMs + this.#o.config.reversalRefusedRepeatMs;
	}

	/** What is left waits for its back-off; where nothing is, only what needs a person waits, for the next day. */
	private endPass(nowMs: number): void {
		this.#passOver = true;
		if (!this.#left) this.#nextPassMs = this.#dailyMs;
		else this.#nextPassMs = this.#waited ? nowMs : nowMs + this.backOff();
	}

	private nextInPass(): number {
		const { index } = this.#o.log;
		for (let id = this.#turn; ; ) {
			const slot = index.nextForwarding(id);
			if (slot < 0) return 0;
			id = index.ids[slot];
			if (!this.#withDaily && (index.flags[slot] & DAILY) !== 0) continue;
			if (!index.isHeldBack(slot)) return id;
			this.#left = true;
		}
	}

	private connect(): void {
		const { exchanger } = this.#o;
		this.#connecting = true;
		exchanger.connect((connected) => {
			if (!this.#connecting) return;
			this.#connecting = false;
			if (this.#paused || this.#stopped) return;
			if (!connected || exchanger.room === 0) this.trouble();
			// Nothing is sent because of what a mount has read before that is certain (journal, rule 2).
			else this.#o.log.journal.pin();
			this.fill(connected);
		});
	}

	private send(id: number): void {
		const { log, messages, exchanger, scheme, config } = this.#o;
		const intent = log.intent(id);
		let ticket = 0;
		try {
			ticket = scheme.open();
		} catch (error) {
			// A key counter that cannot be reserved now.
			if (!(error instanceof CodedError)) throw error;
			this.log("E", `no keys for advice stan=${intent.stan}: ${error.message}`);
			this.again(id);
			this.trouble();
			return;
		}
		let byteLength = 0;
		try {
			const emv = log.adviceEmv(id);
			try {
				byteLength = messages.advice(intent, log.advice(id), log.card(id), emv, ticket);
			} finally {
				emv?.fill(0);
			}
		} catch (error) {
			// The sealed card cannot be opened or does not fit: no try of ours will change that, a person has to.
			if (!(error instanceof CodedError)) throw error;
			scheme.close(ticket);
			messages.frame.fill(0);
			this.log("E", `advice stan=${intent.stan} cannot be built: ${error.message}`);
			log.setFlags(id, Flag.unsendable);
			return;
		}
		const tries = log.noteTry(id);
		this.log("I", `advice stan=${intent.stan} try ${tries}`);
		if (tries >= config.reversalTriesAlarm) log.setFlags(id, Flag.overdue);
		const at = this.flightAt(0);
		this.#flights[at] = id;
		this.#flights[at + 1] = intent.stan;
		this.#inFlight++;
		const expected = messages.adviceAnswer(intent, ticket);
		exchanger.post(messages.frame, byteLength, expected, config.reversalTimeoutMs, this.#onEnd);
		messages.frame.fill(0, 0, byteLength); // The card number has left with it (I9).
	}

	/** Where the flight with this STAN is; 0: the first free place. */
	private flightAt(stan: number): number {
		for (let at = 0; at < this.#flights.length; at += 2) if (this.#flights[at + 1] === stan) return at;
		assert(false, "I10 what ends is in flight, and no more than have a place");
	}

	private ended(stan: number, end: ExchangeEnd, answer: MessageDecoder): void {
		const { log } = this.#o;
		const at = this.flightAt(stan);
		const id = this.#flights[at];
		this.#flights[at] = 0;
		this.#flights[at + 1] = 0;
		this.#inFlight--;
		if (end === "answer") this.answered(id, readOutcome(answer));
		else if (end === "amountDiffers") {
			// Its own stored answer, to be sure: no repeat will bring another one.
			this.log("E", `advice stan=${this.stan(id)}: the host answers with another amount`);
			log.apply(id, "amountDiffers");
			log.setFlags(id, Flag.amountDiffers);
		} else {
			log.apply(id, end);
			this.again(id);
			this.trouble();
		}
		this.fill();
	}

	private answered(id: number, outcome: Outcome): void {
		const { log } = this.#o;
		const { code } = outcome;
		const hostAway = HOST_AWAY.includes(code);
		if (hostAway || ISSUER_AWAY.includes(code)) {
			this.log("W", `advice stan=${this.stan(id)} answered ${code}: again later`);
			log.apply(id, "noAnswer");
			this.again(id);
			if (hostAway) this.trouble();
			return;
		}
		const verdict = code === DUPLICATE ? "approved" : responseText(code).class;
		const event = verdict === "approved" ? "approve" : verdict === "partial" ? "refuse" : "decline";
		this.log(code === "00" ? "I" : "W", `advice stan=${this.stan(id)} answered ${code}: ${event}`);
		log.apply(id, event, { outcome });
		this.#failures = 0;
		this.letNextGo(id);
	}

	/** An advice is over: another one for the same original, which it held back, need not wait for the next pass. */
	private letNextGo(id: number): void {
		const { log, exchanger } = this.#o;
		const { index } = log;
		const slot = index.nextOfSameMovement(index.find(id));
		if (slot < 0 || index.ids[slot] > this.#turn) return;
		const daily = (index.flags[slot] & DAILY) !== 0;
		if (daily || exchanger.room === 0 || !this.mayGoOn() || index.isHeldBack(slot)) return;
		this.send(index.ids[slot]);
	}

	/** It goes once more in the next pass, for which a time is to be found anew. */
	private again(id: number): void {
		const { index } = this.#o.log;
		this.#left = true;
		this.#passOver = false;
		// Nobody has answered: this was no try of the day.
		if ((index.flags[index.find(id)] & DAILY) !== 0) this.#dailyMs = 0;
	}

	/** Line or host is not well: nothing is begun for a while; what is in flight with it is the same trouble. */
	private trouble(): void {
		const nowMs = this.#o.clock.monotonic();
		this.#waited = true;
		if (nowMs >= this.#notBeforeMs) this.#notBeforeMs = nowMs + this.backOff();
	}

	private backOff(): number {
		const { random, config } = this.#o;
		const { reversalRepeatMs, reversalRepeatMsMax, reversalJitterPercent } = config;
		random.fill(this.#dice);
		const dice = (this.#dice[0] << 8) | this.#dice[1];
		const waitMs = backOffMs(this.#failures, reversalRepeatMs, reversalRepeatMsMax, reversalJitterPercent, dice);
		this.#failures = Math.min(255, this.#failures + 1);
		return waitMs;
	}

	private wakeIn(ms: number): void {
		this.noTimer();
		this.#timer = this.#o.clock.setTimer(ms, () => {
			this.#timer = 0;
			this.fill();
		});
	}

	private noTimer(): void {
		this.#o.clock.clearTimer(this.#timer);
		this.#timer = 0;
	}

	private stan(id: number): number {
		const { index } = this.#o.log;
		return index.stans[index.find(id)];
	}

	private log(level: "I" | "W" | "E", text: string): void {
		this.#o.sink.write(level, this.#o.clock.monotonic(), "saf", text);
	}
}
