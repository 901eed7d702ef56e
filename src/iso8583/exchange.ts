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
	mti: string;
	/** [3] */
	processingCode: string;
	/** [4] compared where the answer carries it. */
	amountMinor: number;
	/** [11] */
	stan: number;
	/** [60.1] */
	messageType: string;
	/** [60.2] */
	batch: number;
}

export interface Exchanger {
	/** True while a request waits for its end. */
	readonly busy: boolean;
	/** Makes sure of a connection; calls back once, perhaps at once. */
	connect(onResult: (connected: boolean) => void): void;
	/**
	 * Sends a frame and waits. Calls back exactly once; `answer` is borrowed and only there for "answer".
	 * The frame must be durable as an intent before this is called (I1).
	 */
	request(
		frame: Uint8Array,
		byteLength: number,
		expected: Expected,
		timeoutMs: number,
		onEnd: (end: ExchangeEnd, answer: MessageDecoder) => void,
	): void;
	/** Gives the open request up now, as "noAnswer". */
	giveUp(): void;
}
