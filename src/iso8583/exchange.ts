/**
 * One request and its one end, as the line to the host gives it (`host/`) and a transaction needs it (`transactions/`).
 * @module
 */
import type { MessageDecoder } from "./decoder";

/**
 * How a request ended. "amountDiffers": a verified answer to it with another amount. "badMac": an answer that cannot
 * be trusted. "unsent": not one byte left. "noAnswer" covers the time-out and a link lost after bytes may have left.
 */
export type ExchangeEnd = "answer" | "amountDiffers" | "badMac" | "unsent" | "noAnswer";

/** What makes an answer belong to its request (ISO 8583 fields in brackets). */
export interface Expected {
	/** Of the answer. */
	readonly mti: string;
	/** [3] Absent where the message has none. */
	readonly processingCode?: string;
	/** [4] Compared where the answer carries it. */
	readonly amountMinor?: number;
	/** [11] */
	readonly stan: number;
	/** [60.1] */
	readonly messageType: string;
	/** [60.2] Absent where the answer brings it. */
	readonly batch?: number;
	/** [60.3] Where it tells messages of one MTI apart. */
	readonly networkCode?: string;
	/** The keys it is sent under: KeyScheme.open. The exchange closes them when it ends. 0: it carries no MAC of theirs. */
	readonly ticket: number;
	/** What protects the answer. */
	readonly mac: "none" | "session" | "sync";
}

export interface Exchanger {
	/** True while a request waits for its end. */
	readonly busy: boolean;
	/** How many more messages {@link post} takes now; 0 without a connection. */
	readonly room: number;
	/** Makes sure of a connection on which the terminal is signed on; calls back once, perhaps at once. */
	connect(onResult: (connected: boolean) => void): void;
	/**
	 * Sends a frame and waits: one at a time, what must not be overtaken. Calls back exactly once; `answer` is borrowed
	 * and only there for "answer"; `stan` is the request's. The frame must be durable as an intent before this is called (I1).
	 */
	request(
		frame: Uint8Array,
		byteLength: number,
		expected: Expected,
		timeoutMs: number,
		onEnd: (end: ExchangeEnd, answer: MessageDecoder, stan: number) => void,
	): void;
	/** The same for what may be in flight beside others: advices, uploads. Only while {@link room} is above 0. */
	post(
		frame: Uint8Array,
		byteLength: number,
		expected: Expected,
		timeoutMs: number,
		onEnd: (end: ExchangeEnd, answer: MessageDecoder, stan: number) => void,
	): void;
	/** Gives the open {@link request} up now, as "noAnswer". */
	giveUp(): void;
}

/** A sale relies on the keys it has: they do not change between {@link hold} and {@link release}. */
export interface KeyHold {
	/** True when keys and batch are there and nobody asks for others. */
	readonly ready: boolean;
	hold(): void;
	/** May be called twice. */
	release(): void;
}
