/**
 * When the terminal and its host compare their books, and who goes first: jobs in the order of their urgency, one of
 * them and one request at a time, or two where the job can do with that, in the window of the line. A customer waits
 * for none of it: from the amount to the slip nothing is begun, and what is on the line then keeps no sale from its own
 * place (DESIGN.md, "Fairness").
 *
 * What a job knows is durable, or is found again by the next comparison: nothing here has to survive a restart.
 * @module
 */
import type { Config } from "../config";
import { assert } from "../core/assert";
import { backOffMs } from "../core/back-off";
import { CodedError, type ErrorCode } from "../core/errors";
import type { MessageDecoder } from "../iso8583/decoder";
import type { Exchanger, Expected } from "../iso8583/exchange";
import type { Journal } from "../journal/journal";
import type { Clock, LogSink, RandomSource } from "../ports";
import { QUESTIONS_MAX } from "./sync-messages";

/** One thing to do with the host. What never changes is a getter: as a field it takes a slot of the board's heap. */
export interface SyncJob {
	/** For the log. */
	readonly name: string;
	/** It asks nobody: it needs no line, and no back-off holds it. */
	readonly local?: boolean;
	/** Local, and each of its steps takes as long as a turn may: whatever came meanwhile goes before the next one. */
	readonly slow?: boolean;
	/** While a request of it is on the line it may have something to do that does not wait for the answer: a second one. */
	readonly beside?: boolean;
	/** Uptime from which it has something to do, ms; Infinity: nothing. */
	dueMs(nowMs: number): number;
	/** Does its next step: posts one request over `line`, or does without. */
	step(line: SyncLine): void;
}

/** The line as a job sees it: one request, one end. */
export interface SyncLine {
	/**
	 * @param onAnswer - the answer, verified and borrowed; may throw a CodedError for one that says nothing
	 * @param onNone - there was none, or it could not be trusted: the job goes on from here after the back-off
	 */
	post(
		frame: Uint8Array,
		byteLength: number,
		expected: Expected,
		onAnswer: (answer: MessageDecoder) => void,
		onNone?: () => void,
	): void;
}

export interface SyncOptions {
	/** The most urgent first. */
	jobs: readonly SyncJob[];
	exchanger: Exchanger;
	clock: Clock;
	config: Config;
	random: RandomSource;
	sink: LogSink;
	/** Pinned before the first byte that follows from what a mount has read. */
	journal: Pick<Journal, "pin">;
	/** False while something more urgent wants the line: a customer, a reversal, an advice that waits for a line. */
	mayBegin(): boolean;
}

/** What a restart, or a person, has to see to. */
const NOT_OURS: readonly ErrorCode[] = ["flash", "damaged"];
/** Steps without a request in a row, after which others have their turn: flash may be written in each. */
const STEPS_MAX = 64;

export class Sync implements SyncLine {
	readonly #o: SyncOptions;
	readonly #dice = new Uint8Array(2);
	#paused = false;
	#stopped = true;
	#connecting = false;
	/** Requests on the line, all of one job. */
	#asking = 0;
	/** Its place among the jobs. */
	#askingAt = 0;
	/** The same of the job whose step it is. */
	#at = 0;
	/** Of each job: how often in a row it has come to nothing. */
	readonly #vain: Uint8Array;
	#stepping = false;
	#notBeforeMs = 0;
	#failures = 0;
	#timer = 0;

	constructor(options: SyncOptions) {
		this.#o = options;
		this.#vain = new Uint8Array(options.jobs.length);
	}

	/** True while a request is on the line, or a line is being made for one. */
	get active(): boolean {
		return this.#asking > 0 || this.#connecting;
	}

	start(): void {
		this.#stopped = false;
		this.soon();
	}

	/** Something may be due now. */
	kick(): void {
		this.soon();
	}

	/** The line works: what was backing off need not wait any longer. */
	hurry(): void {
		this.#notBeforeMs = 0;
		this.#failures = 0;
		this.#vain.fill(0);
		this.soon();
	}

	/** Begins no more; what is on the line gets its answer. */
	pause(): void {
		this.#paused = true;
		this.noTimer();
	}

	/** The line is free again. */
	resume(): void {
		this.#paused = false;
		this.soon();
	}

	stop(): void {
		this.#stopped = true;
		this.noTimer();
	}

	post(
		frame: Uint8Array,
		byteLength: number,
		expected: Expected,
		onAnswer: (answer: MessageDecoder) => void,
		onNone?: () => void,
	): void {
		const at = this.#at;
		assert(this.#asking < QUESTIONS_MAX, "I10 so many questions at a time");
		assert(this.#asking === 0 || this.#askingAt === at, "one job asks at a time");
		const { exchanger, config } = this.#o;
		this.#asking++;
		this.#askingAt = at;
		exchanger.post(frame, byteLength, expected, config.syncTimeoutMs, (end, answer) => {
			this.#asking--;
			if (end === "answer" && this.taken(expected, answer, onAnswer)) {
				this.#failures = 0;
				this.#vain[at] = 0;
			} else {
				onNone?.();
				this.inVain(at);
			}
			this.soon();
		});
	}

	private taken(expected: Expected, answer: MessageDecoder, onAnswer: (answer: MessageDecoder) => void): boolean {
		try {
			onAnswer(answer);
			return true;
		} catch (error) {
			// An answer that says nothing is none. What flash throws is another matter.
			if (!(error instanceof CodedError) || NOT_OURS.includes(error.code)) throw error;
			this.log("W", `the answer to ${expected.networkCode ?? expected.mti} is not taken: ${error.message}`);
			return false;
		}
	}

	/**
	 * In a turn of its own, always: what calls here stands in the callback of a frame, with a session or a sale behind it, and
	 * the stack of the board is small.
	 */
	private soon(): void {
		if (!this.idle) return;
		this.noTimer();
		this.#timer = this.#o.clock.setTimer(0, () => {
			this.#timer = 0;
			this.run();
		});
	}

	private get idle(): boolean {
		return !(this.#stopped || this.#paused || this.#connecting || this.#stepping || this.waits);
	}

	/** For an answer, before anything else can be asked. */
	private get waits(): boolean {
		return this.#asking === QUESTIONS_MAX || (this.#asking > 0 && this.#o.jobs[this.#askingAt].beside !== true);
	}

	private run(): void {
		if (!this.idle) return;
		this.noTimer();
		this.#stepping = true;
		try {
			for (let steps = 0; steps < STEPS_MAX; steps++) if (!this.step()) return;
		} finally {
			this.#stepping = false;
		}
		if (this.#asking === 0) this.wakeIn(1);
	}

	/** @returns true when there may be more to do at once */
	private step(): boolean {
		const { clock, config, exchanger, jobs } = this.#o;
		const nowMs = clock.monotonic();
		let dueMs = Number.POSITIVE_INFINITY;
		let job: SyncJob | undefined;
		// The most urgent; but one message that a host never answers does not keep all the others waiting.
		for (let at = 0; at < jobs.length; at++) {
			const candidateMs = jobs[at].dueMs(nowMs);
			if (candidateMs < dueMs) dueMs = candidateMs;
			if (candidateMs > nowMs || (job !== undefined && this.#vain[at] >= this.#vain[this.#at])) continue;
			job = jobs[at];
			this.#at = at;
			if (this.#vain[at] === 0) break;
		}
		if (job === undefined) {
			if (dueMs !== Number.POSITIVE_INFINITY) this.wakeIn(Math.min(dueMs - nowMs, config.syncEveryMs));
			return false;
		}
		// What is more urgent than the rest of a job that asks already comes when its answers are there.
		if (this.#asking > 0 && this.#at !== this.#askingAt && job.local !== true) return false;
		if (job.slow === true) this.wakeIn(1);
		if (job.local === true) return this.begin(job) && job.slow !== true;
		if (nowMs < this.#notBeforeMs) this.wakeIn(this.#notBeforeMs - nowMs);
		else if (!this.#o.mayBegin()) this.wakeIn(config.reversalRepeatMs);
		else if (exchanger.room === 0) {
			if (this.#asking === 0) this.connect();
		} else {
			this.#o.journal.pin();
			return this.begin(job) && !this.waits && !this.#paused && !this.#stopped;
		}
		return false;
	}

	/** @returns false when it cannot be done now */
	private begin(job: SyncJob): boolean {
		try {
			job.step(this);
			return true;
		} catch (error) {
			// No room for a number or a record, a key that is not there: later it may be otherwise. Flash is another matter.
			if (!(error instanceof CodedError) || NOT_OURS.includes(error.code)) throw error;
			this.log("W", `${job.name} goes on later: ${error.message}`);
			this.inVain(this.#at);
			return true;
		}
	}

	private connect(): void {
		const { exchanger } = this.#o;
		this.#connecting = true;
		exchanger.connect((connected) => {
			if (!this.#connecting) return;
			this.#connecting = false;
			if (!connected || exchanger.room === 0) this.trouble();
			this.soon();
		});
		// Told at once, inside the step: nobody else wakes it.
		if (!this.#connecting) this.wakeIn(this.#notBeforeMs - this.#o.clock.monotonic());
	}

	/** A step has come to nothing: the next turn is another job's, where one is due that has failed less often. */
	private inVain(at: number): void {
		this.#vain[at] = Math.min(255, this.#vain[at] + 1);
		this.trouble();
	}

	/** Line or host is not well: one back-off for all. */
	private trouble(): void {
		const { clock, random, config } = this.#o;
		const { reversalRepeatMs, reversalRepeatMsMax, reversalJitterPercent } = config;
		random.fill(this.#dice);
		const dice = (this.#dice[0] << 8) | this.#dice[1];
		const waitMs = backOffMs(this.#failures, reversalRepeatMs, reversalRepeatMsMax, reversalJitterPercent, dice);
		this.#failures = Math.min(255, this.#failures + 1);
		this.#notBeforeMs = clock.monotonic() + waitMs;
	}

	private wakeIn(ms: number): void {
		this.noTimer();
		this.#timer = this.#o.clock.setTimer(Math.max(1, ms), () => {
			this.#timer = 0;
			this.run();
		});
	}

	private noTimer(): void {
		this.#o.clock.clearTimer(this.#timer);
		this.#timer = 0;
	}

	private log(level: "W", text: string): void {
		this.#o.sink.write(level, this.#o.clock.monotonic(), "sync", text);
	}
}
