/**
 * The host as its terminals see it: connections, messages, answers, and the faults between them. Platform-free: it
 * takes time from a Clock, chance from an IntegerSource, bytes from whoever owns the sockets, and keeps nothing that
 * matters outside its LedgerStore. It never looks at a terminal's state.
 *
 * A crash (by fault or by its owner) ends this object for good; the next one is made over the same store.
 * @module
 */
import { CodedError } from "../../src/core/errors";
import { MessageDecoder } from "../../src/iso8583/decoder";
import type { Dialect } from "../../src/iso8583/dialect";
import { UNIONPAY } from "../../src/iso8583/unionpay";
import type { Clock } from "../../src/ports";
import { TEST_CARDS, type TestCard } from "../test-cards";
import { AnswerSender } from "./answer-sender";
import { type ConnectionLimits, HostConnection, type Peer } from "./connection";
import { FaultPlan, type FaultSet, NO_FAULTS, NO_SIGN_ON_FAULTS } from "./faults";
import { type HostEvent, HostVoice } from "./host-events";
import type { ExchangeKeys } from "./host-keys";
import { HostSessions, type SessionAnswer } from "./host-sessions";
import type { LedgerStore } from "./ledger-store";
import { type OfficeAnswer, OfficeMessages, type SyncReply } from "./office-messages";
import { CODE_NOT_PERMITTED, CODE_UNKNOWN_ORIGINAL, type Outcome, refusal } from "./outcome";
import { PIN_BLOCK_PLACE } from "./pin-blocks";
import { type CrashPoint, Processor, type ProcessorOptions } from "./processor";
import { forkOf, type IntegerSource } from "./random";
import {
	canMoveMoney,
	type EchoFields,
	isRequest,
	kindOf,
	MTI_REVERSAL,
	MTI_SETTLEMENT,
	MTI_SIGN_OFF,
	MTI_SIGN_ON,
	MTI_UPLOAD,
	protectionOf,
	type RequestFields,
	readEcho,
	readRequest,
} from "./requests";
import type { Statement } from "./statement";
import { TEST_BDK, TEST_TERMINAL, type TerminalEntry } from "./test-keys";

/** The crash fault has struck, or the ledgers cannot be written any more. */
export type CrashReason = "fault" | "store";

/** Every limit of the host, with its unit. */
export interface HostLimits extends ConnectionLimits {
	readonly connectionsMax: number;
}

export const HOST_LIMITS: HostLimits = {
	idleMsMax: 300_000,
	frameMsMax: 30_000,
	piecesMax: 4096,
	connectionsMax: 64,
};

/** Later than a terminal waits (60 s): from 65 to 120 s. */
const LATE_MS_MIN = 65_000;
const LATE_MS_MAX = 120_000;
/** Messages that may lie in the network at once. */
const LATE_COUNT_MAX = 1024;
/** Bytes of the nonce that begins DE 62 of a sync message. */
const NONCE_BYTES = 8;
const NO_BYTES = new Uint8Array(0);
/** DE 37 of what no record stands behind. */
const NO_RRN = "000000000000";
/** Timers of some clocks go no further. */
const WAKE_MS_MAX = 86_400_000;

export interface AcquirerOptions {
	readonly clock: Clock;
	readonly random: IntegerSource;
	readonly store: LedgerStore;
	/** Outlives a crash with its owner; none: no faults. */
	readonly faults?: FaultPlan;
	readonly cards?: readonly TestCard[];
	readonly terminals?: readonly TerminalEntry[];
	/** The whole host speaks one; one whose DE 53 carries a key counter makes it a DUKPT host. */
	readonly dialect?: Dialect;
	/** Base derivation key of DUKPT, hex; default: the test key. */
	readonly bdk?: string;
	/** A host without a memory of reversals of what it does not know: it answers 25, and the original is debited later. */
	readonly forgetful?: boolean;
	/** Length of the MAC key that a sign-on gives out; default 8, and 16 where the algorithm takes no shorter one. */
	readonly makBytes?: 8 | 16;
	/** What every sign-on gives out, hex, instead of drawn keys: for known answers. */
	readonly workingKeys?: { readonly pik: string; readonly mak: string };
	readonly limits?: Partial<HostLimits>;
	/** False: it knows none of the sync messages, and answers them 40. */
	readonly sync?: boolean;
	/** Postings, the desk, resends, and what befalls sales in the books. */
	readonly office?: OfficeOptions;
	onEvent?(event: HostEvent): void;
	/** This object is dead already, its connections are closed. */
	onCrash?(reason: CrashReason): void;
}

/** How the back office works; see {@link ProcessorOptions}. */
export type OfficeOptions = Pick<
	ProcessorOptions,
	"postingDelayMs" | "desk" | "postingLateMs" | "resends" | "reinstates" | "closedBatchReversal25" | "onInjected"
>;

/** `request` is undefined when DE 39 says why. */
interface ReadResult {
	readonly code: string;
	readonly place: string;
	readonly request?: RequestFields;
}

export class Acquirer {
	readonly #options: AcquirerOptions;
	readonly #clock: Clock;
	readonly #dialect: Dialect;
	readonly #limits: HostLimits;
	readonly #faults: FaultPlan;
	readonly #sessions: HostSessions;
	readonly #processor: Processor;
	readonly #office: OfficeMessages;
	readonly #decoder: MessageDecoder;
	readonly #sender: AnswerSender;
	readonly #voice: HostVoice;
	readonly #connections = new Set<HostConnection>();
	readonly #timers = new Set<number>();
	#connectionCount = 0;
	#dead = false;
	/** For what is due by itself, and when that is, ms since 1970. */
	#dueTimer = 0;
	#dueMs = Number.POSITIVE_INFINITY;

	/** Replays the store. @throws {CodedError} "damaged" */
	constructor(options: AcquirerOptions) {
		this.#options = options;
		this.#clock = options.clock;
		this.#dialect = options.dialect ?? UNIONPAY;
		this.#limits = { ...HOST_LIMITS, ...options.limits };
		this.#faults = options.faults ?? new FaultPlan(options.random);
		this.#voice = new HostVoice(options);
		this.#processor = new Processor(
			{
				...options.office,
				store: options.store,
				cards: options.cards ?? TEST_CARDS,
				random: options.random,
				forgetful: options.forgetful === true,
				faults: this.#faults,
				mishapRandom: forkOf(options.random, "mishaps"),
				officeRandom: forkOf(options.random, "office"),
				onOffice: (kind, text, { batch }, amountMinor) => this.#voice.say(kind, text, { batch, amountMinor }),
			},
			this.#clock.now(),
		);
		this.#office = new OfficeMessages({
			office: this.#processor.backOffice,
			faults: this.#faults,
			random: forkOf(options.random, "pages"),
			sync: options.sync !== false,
		});
		this.#sessions = new HostSessions({
			terminals: options.terminals ?? [TEST_TERMINAL],
			dialect: this.#dialect,
			clock: options.clock,
			random: options.random,
			processor: this.#processor,
			bdk: options.bdk ?? TEST_BDK,
			makBytes: options.makBytes ?? (this.#dialect.mac === "unionpay" ? 8 : 16),
			workingKeys: options.workingKeys,
		});
		this.#decoder = new MessageDecoder(this.#dialect);
		this.#sender = new AnswerSender({
			dialect: this.#dialect,
			random: options.random,
			late: (callback) => this.#late(callback),
		});
		this.#wake();
	}

	/** A terminal calls. @returns its connection, or undefined when there are too many: the caller hangs up */
	connect(peer: Peer): HostConnection | undefined {
		if (this.#dead) return undefined;
		if (this.#connections.size >= this.#limits.connectionsMax) this.#makeRoom();
		if (this.#connections.size >= this.#limits.connectionsMax) {
			this.#voice.say("refused", "connection refused: too many");
			return undefined;
		}
		const connection = new HostConnection(++this.#connectionCount, {
			clock: this.#clock,
			dialect: this.#dialect,
			peer,
			limits: this.#limits,
			events: {
				onFrame: (from, frame, byteLength) => this.#onFrame(from, frame, byteLength),
				onClosed: (closed, reason) => {
					this.#connections.delete(closed);
					if (reason !== "") this.#voice.say("connection", `connection ${closed.number} closed: ${reason}`);
				},
			},
		});
		this.#connections.add(connection);
		return connection;
	}

	/** Connections open now. */
	get connections(): number {
		return this.#connections.size;
	}

	/** True once it has crashed or was shut down: every call is then without effect. */
	get dead(): boolean {
		return this.#dead;
	}

	/** Ends at once, as a crash or an orderly end does: what is not in the store is gone. May be called twice. */
	kill(): void {
		if (this.#dead) return;
		this.#dead = true;
		this.#clock.clearTimer(this.#dueTimer);
		this.#dueTimer = 0;
		for (const timer of this.#timers) this.#clock.clearTimer(timer);
		this.#timers.clear();
		for (const connection of [...this.#connections]) connection.close("");
	}

	/** The three ledgers side by side. */
	statement(): Statement {
		return this.#processor.statement();
	}

	/** The back office: its books for checkers, its doors for people. Not after a crash. */
	get backOffice(): Processor["backOffice"] {
		return this.#processor.backOffice;
	}

	/**
	 * A person at the office does something.
	 * @returns undefined when the store did not take it: this host has crashed then, or was dead before
	 */
	byHand<T>(act: (office: Processor["backOffice"], now: number) => T): T | undefined {
		if (this.#dead) return undefined;
		try {
			const done = act(this.backOffice, this.#clock.now());
			this.#wake();
			return done;
		} catch (error) {
			this.#storeCrash(error);
			return undefined;
		}
	}

	/** Something was changed from outside: it may be due earlier. */
	officeChanged(): void {
		this.#wake();
	}

	/** What a card holds now. @throws {CodedError} "unknown" card name */
	balance(card: string): number {
		return this.#processor.balance(card);
	}

	/** Gives up the oldest of those that are half-open: nobody is served on it. */
	#makeRoom(): void {
		for (const connection of this.#connections) {
			if (!connection.halfOpen) continue;
			connection.close("half-open, and its place is needed");
			return;
		}
	}

	#onFrame(connection: HostConnection, frame: Uint8Array, byteLength: number): void {
		try {
			this.#decoder.decode(frame, byteLength);
		} catch (error) {
			if (!(error instanceof CodedError)) throw error;
			// Nothing of it can be trusted, not even whom to answer.
			connection.close(`no message: ${error.message}`);
			return;
		}
		const mti = this.#decoder.mti;
		if (!isRequest(mti)) {
			connection.close(`no request: ${mti}`);
			return;
		}
		if (mti === MTI_SIGN_ON || mti === MTI_SIGN_OFF) {
			this.#session(connection);
			return;
		}
		if (mti === MTI_SETTLEMENT || mti === MTI_UPLOAD) {
			this.#settlement(connection);
			return;
		}
		if (!canMoveMoney(mti)) {
			this.#handle(connection, undefined);
			return;
		}
		const faults = this.#faults.next(mti === MTI_REVERSAL);
		if (faults !== NO_FAULTS) {
			this.#voice.faults(() => this.#what(), faults);
			if (faults.requestLost || this.#isCutBefore(connection, faults)) return;
		}
		if (!faults.requestLate) {
			this.#handle(connection, faults);
			return;
		}
		// It arrives even when its connection is gone by then; only its answer does not.
		const copy = frame.slice(0, byteLength);
		this.#late(() => {
			this.#decoder.decode(copy, byteLength);
			this.#handle(connection, faults);
		});
	}

	/** A connection that is cut, or left half-open, before the request in the decoder is carried out; else after it. */
	#isCutBefore(connection: HostConnection, faults: FaultSet): boolean {
		const { random } = this.#options;
		if (faults.connectionCut && random.below(2) === 0) {
			connection.close(`fault connectionCut before ${this.#what()}`);
			return true;
		}
		if (!faults.hostHalfOpen || random.below(2) !== 0) return false;
		connection.leaveHalfOpen();
		return true;
	}

	/** The request in the decoder, for a line. */
	#what(): string {
		const message = this.#decoder;
		return `${message.mti} stan ${message.has(11) ? message.text(11) : "?"}`;
	}

	/** The sign-on or sign-off in the decoder. */
	#session(connection: HostConnection): void {
		const message = this.#decoder;
		const echo = readEcho(message);
		const at = this.#clock.now();
		const signOn = message.mti === MTI_SIGN_ON;
		const faults = signOn ? this.#faults.nextSignOn() : undefined;
		const what = `${signOn ? "sign-on" : "sign-off"} terminal ${echo.terminalId ?? "?"} stan ${echo.stan ?? "?"}`;
		if (faults !== undefined && faults !== NO_SIGN_ON_FAULTS) this.#voice.faults(() => what, faults);
		if (faults?.signOnLost === true) return;
		const terminal = this.#sessions.terminalOf(message);
		const refusedAs = this.#partyRefusal(connection, message, terminal);
		let answer: SessionAnswer = { code: refusedAs, batch: "000000", keys: NO_BYTES };
		if (refusedAs === "" && terminal !== undefined) {
			try {
				if (faults !== undefined) answer = this.#sessions.signOn(terminal, message, faults, at);
				else answer = this.#sessions.signOff(terminal, message);
			} catch (error) {
				this.#storeCrash(error);
				return;
			}
		}
		const done = answer.code === "00";
		const text = done && signOn ? `${what} -> 00 batch ${answer.batch}` : `${what} -> ${answer.code}`;
		this.#voice.say(done ? "session" : "refused", text, { code: answer.code });
		// 60.1, the batch, and the rest as it was asked.
		const private60 = `00${answer.batch}${(echo.private60 ?? "").slice(8, 11)}`;
		if (faults?.signOnAnswerLost === true) return;
		this.#sender.sendSignOn(connection, echo, { code: answer.code, private60, keys: answer.keys, at });
	}

	/** Carries out the request in the decoder and answers it. @param faults - undefined for what moves no money */
	#handle(connection: HostConnection, faults: FaultSet | undefined): void {
		const message = this.#decoder;
		const at = this.#clock.now();
		const echo = readEcho(message);
		const terminal = this.#sessions.terminalOf(message);
		const protection = protectionOf(message.mti);
		if (protection === "sync") {
			this.#sync(connection, terminal, echo, at);
			return;
		}
		if (terminal !== undefined && faults?.keysForgotten === true) this.#sessions.spoilKeys(terminal, "forget");
		if (terminal !== undefined && faults?.keysChanged === true) this.#sessions.spoilKeys(terminal, "change");
		const check = terminal === undefined || protection === "none" ? undefined : this.#sessions.check(terminal, message);
		const keys = check?.keys;
		let code = this.#partyRefusal(connection, message, terminal);
		// What is wrong before a field of it is believed.
		if (check?.verdict === "wrong") code = "A0";
		if (check?.verdict === "none") code = "97";
		let place = "";
		if (code === "") {
			const read = this.#read(message, keys, at);
			if (read.request !== undefined && keys !== undefined && faults !== undefined) {
				this.#carryOut(connection, read.request, echo, keys, faults);
				return;
			}
			code = read.code;
			place = read.place;
		}
		this.#voice.refused(echo, place, code);
		this.#sender.send(connection, { echo, outcome: refusal(code, at), mac: keys, contactChip: false }, faults);
	}

	/** The request in the decoder, or DE 39 and the place of what is wrong with it. */
	#read(message: MessageDecoder, keys: ExchangeKeys | undefined, at: number): ReadResult {
		const kind = kindOf(message);
		if (kind === undefined || keys === undefined) return { code: "40", place: "" };
		try {
			return { code: "", place: "", request: readRequest(kind, message, keys, at) };
		} catch (error) {
			if (!(error instanceof CodedError)) throw error;
			return { code: error.place === PIN_BLOCK_PLACE ? "99" : "30", place: ` ${error.message}` };
		}
	}

	/** Who sends it, before anything else: DE 39, or empty when that is as it should be. */
	#partyRefusal(connection: HostConnection, message: MessageDecoder, terminal: TerminalEntry | undefined): string {
		if (terminal === undefined) return "58";
		if (connection.terminalId !== undefined && connection.terminalId !== terminal.terminalId) return "58";
		return message.equals(42, terminal.merchantId) ? "" : "03";
	}

	#sync(connection: HostConnection, terminal: TerminalEntry | undefined, echo: EchoFields, at: number): void {
		const message = this.#decoder;
		const mac = terminal === undefined ? undefined : this.#sessions.syncMac(terminal);
		const right = mac !== undefined && message.verify(mac);
		const sent = message.has(62) ? message.bytes(62) : NO_BYTES;
		const faults = this.#faults.nextSync();
		const code = right || terminal === undefined ? this.#partyRefusal(connection, message, terminal) : "A0";
		if (code !== "" || terminal === undefined || echo.stan === undefined) {
			const as = code === "" ? "30" : code;
			this.#voice.refused(echo, "", as);
			const data = sent.length < NONCE_BYTES ? NO_BYTES : sent.slice(0, NONCE_BYTES);
			this.#sender.sendSync(connection, echo, { code: as, data, at, mac });
			return;
		}
		let reply: SyncReply;
		try {
			reply = this.#office.sync(message, terminal, at);
		} catch (error) {
			this.#storeCrash(error);
			return;
		}
		this.#wake();
		if (reply.code === "00") this.#voice.say("sync", `${reply.what} -> 00`, { code: "00" });
		else this.#voice.refused(echo, "", reply.code);
		this.#voice.faults(() => reply.what, { ...faults, requestAnswerLost: reply.lost });
		if (faults.syncAnswerLost || reply.lost) return;
		this.#sender.sendSync(connection, echo, { code: reply.code, data: reply.data, at, mac }, faults);
	}

	/** A settlement or an upload in the decoder. */
	#settlement(connection: HostConnection): void {
		const message = this.#decoder;
		const echo = readEcho(message);
		const at = this.#clock.now();
		const terminal = this.#sessions.terminalOf(message);
		const faults = this.#faults.nextSettlement();
		let code = this.#partyRefusal(connection, message, terminal);
		if (code === "" && (echo.stan === undefined || !message.has(48) || !message.has(60) || message.count(60) !== 11)) {
			code = "30";
		}
		let answer: OfficeAnswer = { code, totals: "", rrn: NO_RRN, at };
		if (code === "" && terminal !== undefined) {
			try {
				answer = this.#office.settlement(message, terminal, at, () => this.#processor.newRrn(at));
			} catch (error) {
				this.#storeCrash(error);
				return;
			}
		}
		if (answer.code !== "00") this.#voice.refused(echo, "", answer.code);
		this.#voice.faults(() => this.#what(), faults);
		if (faults.settlementAnswerLost) return;
		this.#sender.sendBatch(connection, echo, answer, message.has(48) ? message.text(48) : "", faults);
	}

	/** What is due by itself is done when it is due, and not only when somebody asks. */
	#wake(): void {
		if (this.#dead) return;
		const dueMs = this.#processor.nextDueMs;
		if (dueMs === this.#dueMs && this.#dueTimer !== 0) return;
		this.#clock.clearTimer(this.#dueTimer);
		this.#dueTimer = 0;
		this.#dueMs = dueMs;
		if (dueMs === Number.POSITIVE_INFINITY) return;
		const waitMs = Math.max(1, Math.min(WAKE_MS_MAX, dueMs - this.#clock.now()));
		this.#dueTimer = this.#clock.setTimer(waitMs, () => {
			this.#dueTimer = 0;
			try {
				this.#processor.run(this.#clock.now());
			} catch (error) {
				this.#storeCrash(error);
				return;
			}
			this.#wake();
		});
	}

	#carryOut(
		connection: HostConnection,
		request: RequestFields,
		echo: EchoFields,
		mac: ExchangeKeys,
		faults: FaultSet,
	): void {
		const { kind, key, amountMinor } = request;
		const isReversal = kind === "reversal" || kind === "voidReversal";
		if (isReversal && faults.reversalRefused) {
			this.#voice.refused(echo, "", CODE_NOT_PERMITTED);
			const outcome = refusal(CODE_NOT_PERMITTED, this.#clock.now());
			this.#sender.send(connection, { echo, outcome, mac, contactChip: false }, faults);
			return;
		}
		let outcome: Outcome | undefined;
		try {
			if (isReversal && faults.reversalForgotten && !faults.crash && this.#faults.leaveNoTrace(key)) {
				outcome = this.#processor.forget(request);
			} else outcome = this.#processor.handle(request, crashPointOf(faults));
		} catch (error) {
			this.#storeCrash(error);
			return;
		}
		if (outcome === undefined) {
			this.#processor.crashed(request);
			this.#crash("fault", `crash in the middle of batch ${key.batch} stan ${key.stan}`);
			return;
		}
		if (isReversal && this.#options.forgetful === true && outcome.code === CODE_UNKNOWN_ORIGINAL) {
			this.#faults.leaveNoTrace(key);
		}
		this.#wake();
		this.#voice.message(request, outcome);
		const contactChip = kind === "sale" && request.contactChip;
		this.#sender.send(connection, { echo, outcome, mac, contactChip, amountMinor }, faults);
	}

	/** After the terminal has given up. Beyond a number of those that wait, the network loses them. */
	#late(callback: () => void): void {
		if (this.#timers.size >= LATE_COUNT_MAX) return;
		const delayMs = LATE_MS_MIN + this.#options.random.below(LATE_MS_MAX - LATE_MS_MIN + 1);
		const timer = this.#clock.setTimer(delayMs, () => {
			this.#timers.delete(timer);
			callback();
		});
		this.#timers.add(timer);
	}

	/** What is not durable must not be answered, and what was promised is unknown: start anew from the store. */
	#storeCrash(error: unknown): void {
		if (!(error instanceof CodedError)) throw error;
		this.#crash("store", `ledgers cannot be written: ${error.message}`);
	}

	#crash(reason: CrashReason, text: string): void {
		this.#voice.say("crash", text);
		this.kill();
		this.#options.onCrash?.(reason);
	}
}

/** Of two that strike one request, the one that leaves less done. */
function crashPointOf(faults: FaultSet): CrashPoint {
	if (faults.crash) return "betweenSteps";
	return faults.crashAfterRecord ? "afterRecord" : "none";
}
