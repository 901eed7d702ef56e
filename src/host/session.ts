/**
 * The terminal's session with its host: whoever wants the line gets one on which the terminal is signed on. Signs on at
 * start, when the host says that keys differ (A0, 97, 99; at most once a minute), and again with back-off until it
 * works; no other part of the firmware knows that keys come and go.
 *
 * Invariants: keys change only while no exchange is open and no sale holds them, so that each exchange ends under the
 * keys it began with. A sign-on that fails leaves the keys before it in place. What cannot be verified changes no outcome:
 * it only asks for a sign-on.
 * Source: the card network's terminal specification as publicly described, sign-on; DESIGN.md beside this file.
 * @module
 */
import type { Config } from "../config";
import { assert } from "../core/assert";
import { backOffMs } from "../core/back-off";
import { CodedError } from "../core/errors";
import type { MessageDecoder } from "../iso8583/decoder";
import type { ExchangeEnd, Exchanger, Expected, KeyHold } from "../iso8583/exchange";
import type { Clock, LogSink, RandomSource } from "../ports";
import type { KeyScheme } from "../security/key-scheme";
import type { HostExchange, OnEnd } from "./host-exchange";
import type { SignOnMessages } from "./sign-on-messages";

/** What a sign-on needs of the transactions. */
export interface SignOnStore {
	/** The batch that sales carry; 0 before the first sign-on. */
	readonly batch: number;
	/** A trace number, never used before or after. @throws {CodedError} "full" without room to reserve it */
	takeStan(): number;
	/** Takes the batch that the host names, durably, unless this one has sales. @throws {CodedError} "range" */
	adoptBatch(batch: number): "adopted" | "same" | "refused";
}

/** How a sign-off ended. */
export type SignOff = "done" | "unconfirmed" | "busy";

/** Why the terminal is not signed on: the line, the host's refusal, or keys that do not fit. */
export type SignOnFailure = "noLink" | "noAnswer" | "refused" | "keys" | "batch";

export interface SessionOptions {
	exchange: HostExchange;
	scheme: KeyScheme;
	store: SignOnStore;
	messages: SignOnMessages;
	config: Config;
	clock: Clock;
	random: RandomSource;
	log: LogSink;
	/** Signed on, each time. */
	onSignedOn(): void;
	/** A sign-on failed; it is tried again. `code` is DE 39, where the host refused. */
	onFailed(why: SignOnFailure, code: string): void;
}

export class Session implements Exchanger, KeyHold {
	readonly #o: SessionOptions;
	readonly #dice = new Uint8Array(2);
	#stopped = false;
	/** A sign-on is needed, or asked for. */
	#wanted = true;
	/** The exchange of a sign-on or sign-off is open. */
	#signing = false;
	/** It is a sign-off: the keys go with its end. */
	#signingOff = false;
	/** A connect of the line is under way. */
	#connecting = false;
	/** Signed off by a person: nothing signs on again by itself, only for somebody who wants the line. */
	#signedOff = false;
	/** A sale relies on the keys as they are. */
	#held = false;
	#waiter: ((connected: boolean) => void) | undefined;
	#timer = 0;
	#failures = 0;
	/** The line works and the host says no: nobody's wish is a reason to ask again before this. */
	#notBeforeMs = 0;
	#troubleAtMs = Number.NEGATIVE_INFINITY;
	/** The number used last without a reservation; see stan. */
	#spareStan = 0;

	constructor(options: SessionOptions) {
		this.#o = options;
	}

	/** True when a sale can be sent as far as keys and batch go. */
	get ready(): boolean {
		return this.#o.scheme.ready() && this.#o.store.batch !== 0 && !this.#wanted && !this.#signingOff;
	}

	get busy(): boolean {
		return this.#o.exchange.busy;
	}

	/** Nothing is posted while a sign-on waits for the line to become quiet. */
	get room(): number {
		return this.mayGoOn ? this.#o.exchange.room : 0;
	}

	/** Signs on as soon as there is a line, and goes on trying. */
	start(): void {
		this.#stopped = false;
		this.#signedOff = false;
		this.attempt();
	}

	/** Nothing more is begun; an open exchange ends as the line does. */
	stop(): void {
		this.#stopped = true;
		this.noTimer();
		this.#o.exchange.close();
		this.tell(false);
	}

	connect(onResult: (connected: boolean) => void): void {
		const earlier = this.#waiter;
		this.#waiter = onResult;
		this.#signedOff = false;
		earlier?.(false); // A later caller takes over.
		if (this.#stopped) this.tell(false);
		else this.open();
	}

	request(frame: Uint8Array, byteLength: number, expected: Expected, timeoutMs: number, onEnd: OnEnd): void {
		this.#o.exchange.request(frame, byteLength, expected, timeoutMs, onEnd);
	}

	post(frame: Uint8Array, byteLength: number, expected: Expected, timeoutMs: number, onEnd: OnEnd): void {
		assert(this.room > 0, "I10 the window has room");
		this.#o.exchange.post(frame, byteLength, expected, timeoutMs, onEnd);
	}

	giveUp(): void {
		if (!this.#signing) this.#o.exchange.giveUp();
	}

	hold(): void {
		this.#held = true;
	}

	release(): void {
		this.#held = false;
		this.reopen();
	}

	/** Asks for a sign-on now, e.g. by a person. */
	signOn(): void {
		this.#wanted = true;
		this.#signedOff = false;
		this.#failures = 0;
		this.#notBeforeMs = 0;
		this.noTimer();
		this.reopen();
	}

	/** The host says that keys differ; perhaps it is not the host who says so: at most one sign-on a minute for it. */
	keyTrouble(): void {
		const nowMs = this.#o.clock.monotonic();
		if (nowMs - this.#troubleAtMs < this.#o.config.keyTroubleMs) return;
		this.#troubleAtMs = nowMs;
		this.#wanted = true;
		this.log("W", "keys differ from the host's: signing on again");
		this.reopen();
	}

	/** The last open exchange is over: the moment for a sign-on that waits. */
	quiet(): void {
		this.reopen();
	}

	/**
	 * Tells the host that the terminal stops, and forgets the working keys; the next who wants the line signs on again.
	 * @param onDone - "busy": an exchange is open or a sale under way, nothing is forgotten; "unconfirmed": the host did
	 * not answer, the keys are gone all the same
	 */
	signOff(onDone: (result: SignOff) => void): void {
		const { exchange, messages, store, scheme, config } = this.#o;
		if (exchange.open > 0 || this.#held || this.#waiter !== undefined) {
			onDone("busy");
			return;
		}
		this.noTimer();
		const forget = (result: SignOff) => {
			scheme.forget();
			this.#wanted = true;
			this.#signedOff = true;
			onDone(result);
		};
		if (!exchange.connected) {
			forget("unconfirmed");
			return;
		}
		const stan = this.stan();
		const byteLength = messages.signOff(stan, store.batch);
		this.#signing = true;
		this.#signingOff = true;
		const expected = messages.signOffAnswer(stan);
		exchange.request(messages.frame, byteLength, expected, config.signOnTimeoutMs, (end, answer) => {
			this.#signing = false;
			this.#signingOff = false;
			forget(end === "answer" && answer.equals(39, "00") ? "done" : "unconfirmed");
			if (this.#waiter !== undefined) this.open(); // Somebody has wanted the line meanwhile: signs on again.
		});
	}

	/** Keys are there, and nothing asks for others, or a sale is not to be disturbed. */
	private get mayGoOn(): boolean {
		const there = this.#o.scheme.ready() && this.#o.store.batch !== 0;
		return there && !this.#signing && (!this.#wanted || this.#held);
	}

	/** Connects, for whoever waits or by itself, and signs on where that is needed. */
	private open(): void {
		if (this.#connecting || this.#signing) return; // Whoever waits is told when that is over.
		if (!this.#o.scheme.provisioned()) {
			this.failed("keys", "");
			return;
		}
		// A refused sign-on is not repeated for each reversal that waits, nor for each customer.
		if (!this.mayGoOn && this.#o.clock.monotonic() < this.#notBeforeMs) {
			this.tell(false);
			return;
		}
		this.#connecting = true;
		this.#o.exchange.connect((connected) => {
			this.#connecting = false;
			if (connected && this.mayGoOn) this.tell(true);
			else if (connected) this.askForKeys();
			else if (this.#wanted) this.failed("noLink", "");
			else this.tell(false);
		});
	}

	/** A sign-on that nobody waits for: at start, and when one has failed. */
	private attempt(): void {
		this.noTimer();
		if (!this.#stopped && this.#wanted && !this.#held && !this.#signedOff) this.open();
	}

	private reopen(): void {
		if (!this.#wanted || this.#held || this.#signing || this.#stopped || this.#o.exchange.open > 0) return;
		// One that has failed waits for its back-off, unless somebody wants the line.
		if (this.#timer === 0 || this.#waiter !== undefined) this.attempt();
	}

	private askForKeys(): void {
		const { exchange, messages, store, config } = this.#o;
		// Others are under way under the present keys: onQuiet comes back to it.
		if (this.#held && !this.#o.scheme.ready()) {
			this.tell(false); // A sale whose keys are gone: it cannot be sent, and waits for nothing.
			return;
		}
		if (this.#signing || exchange.open > 0 || this.#held) return;
		this.noTimer();
		this.#signing = true;
		const stan = this.stan();
		const byteLength = messages.signOn(stan, store.batch);
		this.log("I", `signing on, stan=${stan}`);
		const expected = messages.signOnAnswer(stan);
		exchange.request(messages.frame, byteLength, expected, config.signOnTimeoutMs, (end, answer) => {
			this.#signing = false;
			this.ended(end, answer);
		});
	}

	private ended(end: ExchangeEnd, answer: MessageDecoder): void {
		if (end !== "answer") {
			this.failed("noAnswer", "");
			return;
		}
		const code = answer.text(39);
		if (code !== "00") {
			this.log("W", `sign-on refused: ${code}`);
			this.failed("refused", code);
			return;
		}
		const { scheme, store } = this.#o;
		const batch = answer.numberAt(60, 2, 6);
		// Keys first: the answer has no MAC, and only who knows the master key can have made them. Until then nothing of it
		// is believed, least of all a batch, which would stay.
		try {
			scheme.install(answer.has(62) ? answer.bytes(62) : NO_KEYS);
		} catch (error) {
			if (!(error instanceof CodedError)) throw error;
			this.log("E", `working keys not taken: ${error.message}`);
			this.failed("keys", "");
			return;
		}
		if (!this.takeBatch(batch)) {
			this.failed("batch", "");
			return;
		}
		if (!scheme.ready()) {
			this.log("E", "signed on, and there are no keys to go on with");
			this.failed("keys", "");
			return;
		}
		this.#wanted = false;
		this.#failures = 0;
		this.#notBeforeMs = 0;
		this.log("I", `signed on, batch ${store.batch}`);
		this.#o.onSignedOn();
		this.tell(true);
	}

	/** @returns whether there is a batch to sell in: the host's, or the one that goes on */
	private takeBatch(batch: number): boolean {
		const { store } = this.#o;
		if (store.batch !== 0 && batch === 0) return true;
		try {
			const taken = store.adoptBatch(batch);
			if (taken === "adopted") this.log("I", `batch ${batch} by the host`);
			if (taken === "refused") this.log("W", `the host names batch ${batch}; batch ${store.batch} goes on`);
		} catch (error) {
			if (!(error instanceof CodedError) || error.code === "flash") throw error;
			this.log("E", `the host's batch is not taken: ${error.message}`);
		}
		return store.batch !== 0;
	}

	/** Told to who waits, and tried again after a time that doubles. */
	private failed(why: SignOnFailure, code: string): void {
		const { clock, config, random } = this.#o;
		const { signOnRepeatMs, signOnRepeatMsMax, reversalJitterPercent } = config;
		random.fill(this.#dice);
		const dice = (this.#dice[0] << 8) | this.#dice[1];
		const waitMs = backOffMs(this.#failures, signOnRepeatMs, signOnRepeatMsMax, reversalJitterPercent, dice);
		this.#failures = Math.min(this.#failures + 1, 255);
		if (REFUSALS.includes(why)) this.#notBeforeMs = clock.monotonic() + Math.min(waitMs, config.keyTroubleMs);
		this.noTimer();
		if (!this.#stopped) {
			this.#timer = clock.setTimer(waitMs, () => {
				this.#timer = 0;
				this.attempt();
			});
		}
		this.#o.onFailed(why, code);
		this.tell(false);
	}

	private tell(connected: boolean): void {
		const waiter = this.#waiter;
		this.#waiter = undefined;
		waiter?.(connected);
	}

	/**
	 * Without room to reserve a number (a journal that is full waits for its reversals, and they for keys) the sign-on
	 * goes out under one that is not reserved: it moves no money, and the doubts of a full journal must end (I3).
	 */
	private stan(): number {
		try {
			return this.#o.store.takeStan();
		} catch (error) {
			if (!(error instanceof CodedError) || error.code !== "full") throw error;
			this.log("W", "no room to reserve a trace number for the sign-on");
			this.#spareStan = (this.#spareStan % STAN_MAX) + 1;
			return STAN_MAX + 1 - this.#spareStan;
		}
	}

	private noTimer(): void {
		this.#o.clock.clearTimer(this.#timer);
		this.#timer = 0;
	}

	private log(level: "I" | "W" | "E", text: string): void {
		this.#o.log.write(level, this.#o.clock.monotonic(), "session", text);
	}
}

const NO_KEYS = new Uint8Array(0);
/** What another try at once would only hear again. */
const REFUSALS: readonly SignOnFailure[] = ["refused", "keys", "batch"];
const STAN_MAX = 999_999;
