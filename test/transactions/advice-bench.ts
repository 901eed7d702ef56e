/**
 * Advices over a line that follows the test: every request is decoded and kept, its answer comes after a round trip, on a
 * virtual clock.
 */
import { strict as assert } from "node:assert";
import { SeededRandom } from "../../host-sim/board/seeded-random";
import { type VirtualClock, VirtualTime } from "../../host-sim/board/virtual-clock";
import { type Config, type ConfigOptions, makeConfig } from "../../src/config";
import { toHex } from "../../src/core/bytes";
import { MessageDecoder } from "../../src/iso8583/decoder";
import type { ExchangeEnd, Exchanger, Expected } from "../../src/iso8583/exchange";
import { UNIONPAY } from "../../src/iso8583/unionpay";
import type { LogSink } from "../../src/ports";
import type { KeyScheme } from "../../src/security/key-scheme";
import { Advices } from "../../src/transactions/advices";
import { MessageBuilder } from "../../src/transactions/messages";
import { buildAnswer, signedOnScheme } from "../host/scripted-link";
import { LogBench } from "./log-bench";

/** A code of DE 39, an end that is no answer, or nothing: then the time-out ends it. */
export type Reply = string | Exclude<ExchangeEnd, "answer"> | undefined;

export interface Request {
	readonly message: MessageDecoder;
	readonly stan: number;
	readonly hex: string;
	readonly atMs: number;
	/** −1 while it is in flight. */
	endedMs: number;
	/** Ends it as the line would; once only. */
	end(end: ExchangeEnd): void;
}

export class ScriptedExchanger implements Exchanger {
	readonly requests: Request[] = [];
	connects = 0;
	inFlight = 0;
	inFlightMax = 0;
	busy = false;
	/** What a connect comes to. */
	works = true;
	connectMs = 10;
	roundTripMs = 100;
	window = 16;
	reply: (request: Request) => Reply = () => "00";
	#connected = false;
	readonly #clock: VirtualClock;
	readonly #scheme: KeyScheme;

	constructor(clock: VirtualClock, scheme: KeyScheme) {
		this.#clock = clock;
		this.#scheme = scheme;
	}

	get room(): number {
		return this.#connected ? this.window - this.inFlight : 0;
	}

	connect(onResult: (connected: boolean) => void): void {
		this.connects++;
		const done = () => {
			this.#connected = this.works;
			onResult(this.works);
		};
		if (this.connectMs === 0) done();
		else this.#clock.setTimer(this.connectMs, done);
	}

	request(): void {
		assert.fail("an advice goes beside others");
	}

	giveUp(): void {
		assert.fail("an advice is never given up");
	}

	post(
		frame: Uint8Array,
		byteLength: number,
		expected: Expected,
		timeoutMs: number,
		onEnd: (end: ExchangeEnd, answer: MessageDecoder, stan: number) => void,
	): void {
		assert.ok(this.room > 0, "I10 the window has room");
		const bytes = frame.slice(0, byteLength);
		const message = decoded(bytes);
		assert.equal(message.mti, "0220");
		this.inFlight++;
		this.inFlightMax = Math.max(this.inFlightMax, this.inFlight);
		const atMs = this.#clock.monotonic();
		let answer = message;
		const request: Request = {
			message,
			stan: message.number(11),
			hex: toHex(bytes),
			atMs,
			endedMs: -1,
			end: (end) => {
				if (request.endedMs >= 0) return;
				request.endedMs = this.#clock.monotonic();
				this.inFlight--;
				this.#scheme.close(expected.ticket);
				onEnd(end, answer, expected.stan);
			},
		};
		this.requests.push(request);
		assert.equal(expected.stan, request.stan);
		assert.equal(expected.mti, "0230");
		const reply = this.reply(request);
		if (reply === "unsent") request.end("unsent");
		else if (reply === undefined) this.#clock.setTimer(timeoutMs, () => request.end("noAnswer"));
		else {
			const code = reply.length === 2 ? reply : undefined;
			if (code !== undefined) answer = decoded(buildAnswer(message, code));
			this.#clock.setTimer(this.roundTripMs, () => request.end(code === undefined ? (reply as ExchangeEnd) : "answer"));
		}
	}

	/** The connection is gone, and with it every answer. */
	hangUp(): void {
		this.#connected = false;
		for (const request of [...this.requests]) request.end("noAnswer");
	}
}

function decoded(bytes: Uint8Array): MessageDecoder {
	const decoder = new MessageDecoder(UNIONPAY);
	decoder.decode(bytes, bytes.length);
	return decoder;
}

export class AdviceBench extends LogBench {
	readonly time = new VirtualTime(1_700_000_000_000);
	readonly config: Config;
	readonly lines: string[] = [];
	readonly scheme: KeyScheme = signedOnScheme();
	readonly messages: MessageBuilder;
	mayBegin = true;
	clock: VirtualClock;
	exchanger: ScriptedExchanger;
	advices: Advices;

	constructor(config: ConfigOptions = {}, options: ConstructorParameters<typeof LogBench>[0] = {}) {
		super(options);
		this.config = makeConfig({ reversalJitterPercent: 0, ...config });
		this.messages = new MessageBuilder(UNIONPAY, this.config, this.scheme);
		this.provision();
		this.clock = this.time.clock();
		this.exchanger = new ScriptedExchanger(this.clock, this.scheme);
		this.advices = this.#advices();
	}

	/** Power goes and comes; what the host has seen stays. */
	reboot(): void {
		this.advices.stop();
		this.boot();
		this.clock = this.time.clock();
		const { requests, reply } = this.exchanger;
		this.exchanger = new ScriptedExchanger(this.clock, this.scheme);
		this.exchanger.requests.push(...requests);
		this.exchanger.reply = reply;
		this.advices = this.#advices();
	}

	/** STANs that were sent since `from` requests. */
	sent(from = 0): number[] {
		return this.exchanger.requests.slice(from).map((request) => request.stan);
	}

	#advices(): Advices {
		const sink: LogSink = { write: (level, _ms, tag, text) => this.lines.push(`${level} ${tag}: ${text}`) };
		const { log, clock, config, scheme, exchanger, messages } = this;
		const random = new SeededRandom(9);
		const mayBegin = () => this.mayBegin;
		return new Advices({ log, exchanger, messages, scheme, clock, config, random, sink, mayBegin });
	}
}
