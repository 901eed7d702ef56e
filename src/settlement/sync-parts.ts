/**
 * What the jobs of the sync share: the messages, the answers read into, what is known of the host.
 * @module
 */
import type { Config } from "../config";
import type { MessageDecoder } from "../iso8583/decoder";
import type { Clock, LogLevel, LogSink, RandomSource } from "../ports";
import type { TransactionLog } from "../transactions/transaction-log";
import type { Books } from "./books";
import type { Cases } from "./cases";
import type { HostSync } from "./host-sync";
import type { HostTime } from "./host-time";
import type { Suspicions } from "./suspicions";
import type { SyncLine } from "./sync";
import { Entry } from "./sync-answers";
import type { MovementKey, SyncMessages, SyncVerdict } from "./sync-messages";

/** Silences in a row behind which the host is taken for one that does not know the sync messages. */
const SILENT_MAX = 3;
/** Comparisons that are left out behind it, before it is asked again. */
const SILENT_AGAIN = 4;

export interface SyncPartsOptions {
	log: TransactionLog;
	cases: Cases;
	books: Books;
	suspicions: Suspicions;
	hostTime: HostTime;
	hostSync: HostSync;
	messages: SyncMessages;
	clock: Clock;
	config: Config;
	random: RandomSource;
	sink: LogSink;
	heads: EvidenceHeads;
}

/** Of the evidence chain. */
export interface EvidenceHeads {
	/** The digest that goes with 403, 404 and 406: 32 bytes, borrowed. */
	head(): Uint8Array;
	/** The host has acknowledged the digest given last, in a verified answer. @param code - DE 60.3 of the request */
	anchored(code: number): void;
}

export class SyncParts {
	readonly log: TransactionLog;
	readonly cases: Cases;
	readonly books: Books;
	readonly suspicions: Suspicions;
	readonly hostTime: HostTime;
	readonly messages: SyncMessages;
	/** Of the 402 that is on the line, or was just answered: for all jobs that need it no longer than that. */
	readonly entry = new Entry();
	readonly clock: Clock;
	readonly config: Config;
	readonly random: RandomSource;
	readonly #hostSync: HostSync;
	readonly #sink: LogSink;
	readonly #heads: EvidenceHeads;
	/** The request that is being built carries a head; of all that have, it is the one of this number. */
	#headTold = false;
	#headsTold = 0;
	#silent = 0;
	/** The host has said, or shown, that it does not know sync messages; until the next sign-on. */
	#unsupported = false;
	#askAgainMs = Number.POSITIVE_INFINITY;

	constructor(options: SyncPartsOptions) {
		this.log = options.log;
		this.cases = options.cases;
		this.books = options.books;
		this.suspicions = options.suspicions;
		this.hostTime = options.hostTime;
		this.messages = options.messages;
		this.clock = options.clock;
		this.config = options.config;
		this.random = options.random;
		this.#hostSync = options.hostSync;
		this.#sink = options.sink;
		this.#heads = options.heads;
	}

	/** False for a host that knows none of the sync messages. */
	get supported(): boolean {
		return !this.#unsupported || this.clock.monotonic() >= this.#askAgainMs;
	}

	/** The host has answered a sync message at some time, whatever it says now. */
	get hasShownBooks(): boolean {
		return this.#hostSync.proven;
	}

	/** Uptime from which one that was silent is asked again; Infinity for one that has always said so itself. */
	get askAgainMs(): number {
		return this.#askAgainMs;
	}

	/** A batch is to be released by its books: silence alone is no reason to do without. */
	askAgain(): void {
		if (!this.#unsupported || this.#askAgainMs === Number.POSITIVE_INFINITY) return;
		this.#unsupported = false;
		this.#silent = 0;
	}

	/** The head of the evidence chain for the request that is built next; it is anchored when the answer is verified. */
	get evidence(): Uint8Array {
		this.#headTold = true;
		this.#headsTold++;
		return this.#heads.head();
	}

	/** Signed on: the host may be another one, or know more. */
	signedOn(): void {
		this.#unsupported = false;
		this.#silent = 0;
	}

	/**
	 * Asks with the message built last.
	 * @param onVerdict - with what reading it came to; may throw a CodedError: then it was no answer
	 * @param onNone - there was no answer
	 */
	ask(
		line: SyncLine,
		byteLength: number,
		read: (answer: MessageDecoder) => SyncVerdict,
		onVerdict: (verdict: SyncVerdict) => void,
		onNone?: () => void,
	): void {
		const head = this.#headTold ? this.#headsTold : 0;
		const { messages } = this;
		const { expected } = messages;
		const place = messages.sent();
		this.#headTold = false;
		line.post(
			messages.frame,
			byteLength,
			expected,
			(answer) => {
				messages.ended(place);
				const verdict = read(answer);
				this.#silent = 0;
				// Its nonce was ours: it was said just now.
				this.hostTime.learn(answer);
				// The digest given last, and none before it.
				const isLast = head !== 0 && head === this.#headsTold;
				if (isLast && verdict === "taken") this.#heads.anchored(Number(expected.networkCode));
				if (verdict === "unsupported")
					this.unknownToHost("says so", this.hasShownBooks ? this.againMs : Number.POSITIVE_INFINITY);
				else {
					this.#unsupported = false;
					this.#hostSync.prove();
				}
				onVerdict(verdict);
			},
			() => {
				messages.ended(place);
				this.#silent++;
				// One that has ever answered knows them: then it is the line.
				if (this.#silent >= SILENT_MAX && !this.#hostSync.proven) {
					this.unknownToHost("does not answer them", this.againMs);
				}
				onNone?.();
			},
		);
	}

	/** 402. @param onEntry - `entry` is what the books hold; not called when the host refuses to say */
	askAbout(
		line: SyncLine,
		key: MovementKey,
		entry: Entry,
		onEntry: () => void,
		onRefused: (verdict: SyncVerdict) => void,
		onNone?: () => void,
	): void {
		const { messages, log } = this;
		const byteLength = messages.transaction(log.takeStan(), key);
		this.ask(
			line,
			byteLength,
			(answer) => messages.readEntry(answer, entry),
			(verdict) => (verdict === "taken" ? onEntry() : onRefused(verdict)),
			onNone,
		);
	}

	note(level: LogLevel, text: string): void {
		this.#sink.write(level, this.clock.monotonic(), "sync", text);
	}

	/** Uptime from which one that may know them after all is asked again. */
	private get againMs(): number {
		return this.clock.monotonic() + SILENT_AGAIN * this.config.syncEveryMs;
	}

	private unknownToHost(why: string, askAgainMs: number): void {
		if (!this.#unsupported) this.note("W", `the host does not know the sync messages: it ${why}`);
		this.#unsupported = true;
		this.#askAgainMs = askAgainMs;
	}
}
