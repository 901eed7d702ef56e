/**
 * The host as its terminals see it: connections, messages, answers, and the faults between them. Platform-free: it
 * takes time from a Clock, chance from an IntegerSource, bytes from whoever owns the sockets, and keeps nothing that
 * matters outside its LedgerStore. It never looks at a terminal's state.
 *
 * A crash (by fault or by its owner) ends this object for good; the next one is made over the same store.
 * @module
 */
import { CodedError } from "../../src/core/errors";
import { AMOUNT_MINOR_MAX } from "../../src/core/money";
import { MessageDecoder } from "../../src/iso8583/decoder";
import { type Dialect, LENGTH_BYTES, MAC_BYTES } from "../../src/iso8583/dialect";
import { MessageEncoder } from "../../src/iso8583/encoder";
import { UNIONPAY } from "../../src/iso8583/unionpay";
import type { Clock, KeyName } from "../../src/ports";
import { TEST_CARDS, type TestCard } from "../test-cards";
import { type ConnectionLimits, HostConnection, type Peer } from "./connection";
import { FAULT_NAMES, FaultPlan, type FaultSet } from "./faults";
import { HostKeys, PIN_BLOCK_PLACE } from "./host-keys";
import type { LedgerStore } from "./ledger-store";
import {
	type AnswerOptions,
	describe,
	type EchoFields,
	isSupported,
	MTI_REVERSAL,
	MTI_SALE,
	type RequestFields,
	readEcho,
	readRequest,
	writeAnswer,
} from "./messages";
import { type Outcome, Processor } from "./processor";
import type { IntegerSource } from "./random";
import type { Statement } from "./statement";
import { TEST_KEYS, TEST_TERMINAL, type TerminalEntry } from "./test-keys";

/** What a log or a screen may say; nothing in it is secret. */
export interface HostEvent {
	/** message: a request and its answer. fault: struck. refused: not carried out. The others: what they say. */
	readonly kind: "message" | "fault" | "refused" | "connection" | "crash";
	/** One line, masked. */
	readonly text: string;
	readonly at: number;
	/** Movement, where there is one. */
	readonly batch?: number;
	readonly stan?: number;
	readonly amountMinor?: number;
	/** DE 39 of the answer. */
	readonly code?: string;
}

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
const PIECE_BYTES_MAX = 7;

export interface AcquirerOptions {
	readonly clock: Clock;
	readonly random: IntegerSource;
	readonly store: LedgerStore;
	/** Outlives a crash with its owner; none: no faults. */
	readonly faults?: FaultPlan;
	readonly cards?: readonly TestCard[];
	readonly terminals?: readonly TerminalEntry[];
	/** Hex by name. */
	readonly keys?: Readonly<Partial<Record<KeyName, string>>>;
	readonly dialect?: Dialect;
	readonly limits?: Partial<HostLimits>;
	onEvent?(event: HostEvent): void;
	/** This object is dead already, its connections are closed. */
	onCrash?(reason: CrashReason): void;
}

export class Acquirer {
	readonly #options: AcquirerOptions;
	readonly #clock: Clock;
	readonly #dialect: Dialect;
	readonly #limits: HostLimits;
	readonly #faults: FaultPlan;
	readonly #keys: HostKeys;
	readonly #processor: Processor;
	readonly #decoder: MessageDecoder;
	readonly #encoder: MessageEncoder;
	readonly #out: Uint8Array;
	readonly #connections = new Set<HostConnection>();
	readonly #timers = new Set<number>();
	#connectionCount = 0;
	#dead = false;

	/** Replays the store. @throws {CodedError} "damaged" */
	constructor(options: AcquirerOptions) {
		this.#options = options;
		this.#clock = options.clock;
		this.#dialect = options.dialect ?? UNIONPAY;
		this.#limits = { ...HOST_LIMITS, ...options.limits };
		this.#faults = options.faults ?? new FaultPlan(options.random);
		this.#keys = new HostKeys(options.keys ?? TEST_KEYS, this.#dialect);
		this.#processor = new Processor({
			store: options.store,
			cards: options.cards ?? TEST_CARDS,
			random: options.random,
		});
		this.#decoder = new MessageDecoder(this.#dialect);
		this.#out = new Uint8Array(LENGTH_BYTES + this.#dialect.frameBytesMax);
		this.#encoder = new MessageEncoder(this.#dialect, this.#out);
	}

	/** A terminal calls. @returns its connection, or undefined when there are too many: the caller hangs up */
	connect(peer: Peer): HostConnection | undefined {
		if (this.#dead) return undefined;
		if (this.#connections.size >= this.#limits.connectionsMax) {
			this.#say("refused", "connection refused: too many");
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
					if (reason !== "") this.#say("connection", `connection ${closed.number} closed: ${reason}`);
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
		for (const timer of this.#timers) this.#clock.clearTimer(timer);
		this.#timers.clear();
		for (const connection of [...this.#connections]) connection.close("");
	}

	/** The three ledgers side by side. */
	statement(): Statement {
		return this.#processor.statement();
	}

	/** What a card holds now. @throws {CodedError} "unknown" card name */
	balance(card: string): number {
		return this.#processor.balance(card);
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
		if (mti !== MTI_SALE && mti !== MTI_REVERSAL) {
			this.#handle(connection, undefined);
			return;
		}
		const faults = this.#faults.next();
		const what = `${mti} stan ${this.#decoder.has(11) ? this.#decoder.text(11) : "?"}`;
		const struck = FAULT_NAMES.filter((name) => faults[name]);
		if (struck.length > 0) this.#say("fault", `${what} fault ${struck.join(" ")}`);
		if (faults.requestLost) return;
		if (faults.connectionCut && this.#options.random.below(2) === 0) {
			connection.close(`fault connectionCut before ${what}`);
			return;
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

	/** Carries out the request in the decoder and answers it. @param faults - undefined for what moves no money */
	#handle(connection: HostConnection, faults: FaultSet | undefined): void {
		const message = this.#decoder;
		const at = this.#clock.now();
		const echo = readEcho(message);
		const verified = message.macDe !== 0 && message.verify(this.#keys.macs);
		const mac = verified || faults !== undefined ? this.#keys.macs : undefined;
		let code = faults === undefined ? "40" : this.#refusalOf(message, verified);
		let place = "";
		let request: RequestFields | undefined;
		let pin: string | undefined;
		if (code === "") {
			try {
				request = readRequest(message, echo);
				if (message.has(52)) pin = this.#keys.decryptPin(message.bytes(52), request.pan);
			} catch (error) {
				if (!(error instanceof CodedError)) throw error;
				place = ` ${error.message}`;
				code = error.place === PIN_BLOCK_PLACE ? "99" : "30";
			}
		}
		if (code === "" && request !== undefined && faults !== undefined) {
			this.#carryOut(connection, request, pin, at, faults);
			return;
		}
		this.#say("refused", `${echo.mti} stan ${echo.stan ?? "?"} refused${place} -> ${code}`, { code });
		this.#answer(connection, echo, this.#processor.refuse(code, at), { mac }, faults);
	}

	/** What is wrong before a field of it is believed: DE 39, or empty when nothing is. */
	#refusalOf(message: MessageDecoder, verified: boolean): string {
		if (!verified) return "A0";
		const terminals = this.#options.terminals ?? [TEST_TERMINAL];
		const terminal = terminals.find(({ terminalId }) => message.equals(41, terminalId));
		if (terminal === undefined) return "58";
		if (!message.equals(42, terminal.merchantId)) return "03";
		return isSupported(message) ? "" : "40";
	}

	#carryOut(
		connection: HostConnection,
		request: RequestFields,
		pin: string | undefined,
		at: number,
		faults: FaultSet,
	): void {
		let outcome: Outcome | undefined;
		try {
			const known = { ...request, pin, at };
			if (request.mti === MTI_SALE) outcome = this.#processor.sale(known, faults.crash);
			else outcome = this.#processor.reversal(known, faults.crash);
		} catch (error) {
			if (!(error instanceof CodedError)) throw error;
			// What is not durable must not be answered, and what was promised is unknown: start anew from the store.
			this.#crash("store", `ledgers cannot be written: ${error.message}`);
			return;
		}
		if (outcome === undefined) {
			this.#crash("fault", `crash in the middle of batch ${request.key.batch} stan ${request.key.stan}`);
			return;
		}
		const { batch, stan } = request.key;
		const { amountMinor } = request;
		this.#say("message", describe(request, outcome), { batch, stan, amountMinor, code: outcome.code });
		const options: AnswerOptions = { mac: this.#keys.macs, contactChip: request.contactChip };
		const wrong = faults.wrongAmount ? { amountMinor: this.#otherAmount(amountMinor) } : {};
		this.#answer(connection, request.echo, outcome, { ...options, ...wrong }, faults);
	}

	#answer(
		connection: HostConnection,
		echo: EchoFields,
		outcome: Outcome,
		options: AnswerOptions,
		faults: FaultSet | undefined,
	): void {
		const byteLength = writeAnswer(this.#encoder, echo, outcome, options);
		if (faults?.badMac === true) this.#out[byteLength - MAC_BYTES] ^= 1; // The MAC is the last field.
		if (faults?.answerLost === true) return;
		if (faults?.connectionCut === true) {
			connection.close(`fault connectionCut after ${echo.mti} stan ${echo.stan ?? "?"}`);
			return;
		}
		const pieceBytes = faults?.answerSplit === true ? 1 + this.#options.random.below(PIECE_BYTES_MAX) : 0;
		const copies = faults?.answerDoubled === true ? 2 : 1;
		if (faults?.answerLate !== true) {
			for (let i = 0; i < copies; i++) connection.send(this.#out, byteLength, pieceBytes);
			return;
		}
		const late = this.#out.slice(0, byteLength);
		this.#late(() => {
			for (let i = 0; i < copies; i++) connection.send(late, byteLength, pieceBytes);
		});
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

	#otherAmount(amountMinor: number): number {
		const other = amountMinor + 1 + this.#options.random.below(100);
		return other <= AMOUNT_MINOR_MAX ? other : amountMinor - 1;
	}

	#crash(reason: CrashReason, text: string): void {
		this.#say("crash", text);
		this.kill();
		this.#options.onCrash?.(reason);
	}

	#say(kind: HostEvent["kind"], text: string, details: Partial<HostEvent> = {}): void {
		this.#options.onEvent?.({ kind, text, at: this.#clock.now(), ...details });
	}
}
