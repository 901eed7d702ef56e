/**
 * Requests and their answers. An answer belongs to a request only if message type, processing code, STAN, terminal,
 * merchant, 60.1 and 60.2 are those of the request; then its MAC is checked, then its amount (I5, I9).
 * What belongs to no open request is handed on: a late answer is a fact, too.
 * @module
 */

import type { Config } from "../config";
import { assert } from "../core/assert";
import { CodedError } from "../core/errors";
import { MessageDecoder } from "../iso8583/decoder";
import type { Dialect } from "../iso8583/dialect";
import type { ExchangeEnd, Exchanger, Expected } from "../iso8583/exchange";
import { renderMasked } from "../iso8583/mask";
import type { Clock, Link, LogSink } from "../ports";
import type { KeyScheme } from "../security/key-scheme";
import { HostLine } from "./host-line";

export interface HostExchangeOptions {
	links: readonly Link[];
	clock: Clock;
	log: LogSink;
	config: Config;
	dialect: Dialect;
	scheme: KeyScheme;
	/** A verified message that answers no open request; borrowed. */
	onStray(message: MessageDecoder): void;
}

/** Messages in a row that make no sense, after which the peer is taken for somebody else. */
const NOISE_MAX = 8;
/** The host says that it could not check our MAC, or does not know our keys. */
const KEY_TROUBLE = ["A0", "97"];

export class HostExchange implements Exchanger {
	readonly #options: HostExchangeOptions;
	readonly #line: HostLine;
	readonly #decoder: MessageDecoder;
	#expected: Expected | undefined;
	#onEnd: ((end: ExchangeEnd, answer: MessageDecoder) => void) | undefined;
	#timer = 0;
	#silent = 0;
	#noise = 0;

	constructor(options: HostExchangeOptions) {
		this.#options = options;
		this.#decoder = new MessageDecoder(options.dialect);
		const { links, clock, log, config, dialect } = options;
		this.#line = new HostLine({
			links,
			clock,
			log,
			config,
			dialect,
			onFrame: (frame, byteLength) => this.#onFrame(frame, byteLength),
			onLost: () => this.#end("noAnswer"),
		});
	}

	get busy(): boolean {
		return this.#onEnd !== undefined;
	}

	get connected(): boolean {
		return this.#line.open;
	}

	connect(onResult: (connected: boolean) => void): void {
		this.#line.connect(onResult);
	}

	request(
		frame: Uint8Array,
		byteLength: number,
		expected: Expected,
		timeoutMs: number,
		onEnd: (end: ExchangeEnd, answer: MessageDecoder) => void,
	): void {
		assert(this.#onEnd === undefined, "I5 one request at a time");
		this.#expected = expected;
		this.#onEnd = onEnd;
		// From here on bytes may leave, whatever the call below returns or throws.
		if (!this.#line.write(frame.subarray(0, byteLength))) {
			this.#line.close("write refused");
			this.#end("unsent");
			return;
		}
		if (this.#onEnd !== onEnd) return; // Ended inside the call.
		this.#timer = this.#options.clock.setTimer(timeoutMs, () => {
			this.#timer = 0;
			this.#silent++;
			// A dead link may show by silence only.
			if (this.#silent >= this.#options.config.silentExchangesMax) {
				this.#silent = 0;
				this.#line.distrust("silence");
			}
			this.#end("noAnswer");
		});
	}

	giveUp(): void {
		this.#end("noAnswer");
	}

	close(): void {
		this.#line.stop();
	}

	#end(end: ExchangeEnd): void {
		const onEnd = this.#onEnd;
		if (onEnd === undefined) return;
		this.#onEnd = undefined;
		this.#expected = undefined;
		this.#options.clock.clearTimer(this.#timer);
		this.#timer = 0;
		onEnd(end, this.#decoder);
	}

	#onFrame(frame: Uint8Array, byteLength: number): void {
		const decoder = this.#decoder;
		try {
			decoder.decode(frame, byteLength);
		} catch (error) {
			if (!(error instanceof CodedError)) throw error;
			// Noise is no answer: the request's own time-out decides.
			this.#log("W", `message dropped: ${error.message}`);
			this.#noise++;
			if (this.#noise >= NOISE_MAX) this.#line.drop("nothing but noise");
			return;
		}
		this.#noise = 0;
		this.#silent = 0;
		this.#line.heard();
		this.#log("D", `< ${renderMasked(decoder)}`);
		if (!this.#fromOurHost()) {
			this.#log("W", "message dropped: for another terminal");
			return;
		}
		const verified = decoder.verify(this.#options.scheme);
		const expected = this.#expected;
		if (expected === undefined || !this.#belongs(expected)) {
			if (verified) this.#options.onStray(decoder);
			else this.#log("W", "message dropped: answers nothing and its MAC is wrong");
			return;
		}
		if (!verified) {
			if (decoder.has(39) && KEY_TROUBLE.includes(decoder.text(39))) {
				this.#log("W", "the host has key trouble and cannot prove it: nothing is concluded");
				return;
			}
			this.#log("W", `MAC of the answer to stan=${expected.stan} is wrong`);
			this.#end("badMac");
			return;
		}
		this.#end(decoder.has(4) && decoder.number(4) !== expected.amountMinor ? "amountDiffers" : "answer");
	}

	#fromOurHost(): boolean {
		const { terminalId, merchantId } = this.#options.config;
		return this.#decoder.equals(41, terminalId) && this.#decoder.equals(42, merchantId);
	}

	#belongs(expected: Expected): boolean {
		const decoder = this.#decoder;
		return (
			decoder.mti === expected.mti &&
			decoder.equals(3, expected.processingCode) &&
			decoder.has(11) &&
			decoder.number(11) === expected.stan &&
			decoder.has(39) &&
			decoder.has(60) &&
			decoder.count(60) >= 8 &&
			decoder.equalsAt(60, 0, expected.messageType) &&
			decoder.numberAt(60, 2, 6) === expected.batch
		);
	}

	#log(level: "I" | "W" | "D", text: string): void {
		this.#options.log.write(level, this.#options.clock.monotonic(), "host", text);
	}
}
