/**
 * Requests and their answers. One request that must not be overtaken (sale, reversal, sign-on) and a window of others
 * (advices, uploads) may be open at once; an answer belongs to one of them only if message type, processing code, STAN,
 * terminal, merchant and DE 60 are those of the request. Then its MAC is checked under the keys the request was sent
 * under, then its amount (I5, I9).
 *
 * A late answer is a fact, too: what belongs to an exchange that is over is verified like any other and handed on. What
 * belongs to nothing is noise, and a peer that sends nothing else is hung up on.
 * @module
 */

import type { Config } from "../config";
import { assert } from "../core/assert";
import { CodedError } from "../core/errors";
import { MessageDecoder } from "../iso8583/decoder";
import type { Dialect } from "../iso8583/dialect";
import type { ExchangeEnd, Expected } from "../iso8583/exchange";
import { renderMasked } from "../iso8583/mask";
import { responseText } from "../iso8583/response-codes";
import type { Clock, Link, LogSink } from "../ports";
import type { KeyScheme } from "../security/key-scheme";
import type { SyncMac } from "../security/sync-mac";
import { HostLine } from "./host-line";

export interface HostExchangeOptions {
	links: readonly Link[];
	clock: Clock;
	log: LogSink;
	config: Config;
	dialect: Dialect;
	scheme: KeyScheme;
	syncMac: SyncMac;
	/** A verified answer to an exchange that is over; borrowed. */
	onStray(message: MessageDecoder): void;
	/** The host says that our keys are not its own: perhaps it did, its word may be unverified. */
	onKeyTrouble(): void;
	/** The last open exchange is over. */
	onQuiet(): void;
}

export type OnEnd = (end: ExchangeEnd, answer: MessageDecoder) => void;

/** An exchange that waits for its answer; the objects are reused. */
interface Slot {
	/** Which exchange it holds; 0 when it is free. A callback may serve many, so it cannot tell. */
	serial: number;
	expected: Expected | undefined;
	onEnd: OnEnd | undefined;
	timer: number;
}

/** Messages in a row that are nobody's answer, after which the peer is taken for somebody else. */
const NOISE_MAX = 8;
/** Exchanges that are over and whose late answers are still known: as many that went alone, and of the window. */
const PAST_MAX = 16;
/** MAC wrong, terminal not signed on, PIN not readable: the host's keys are not ours. */
const KEY_TROUBLE = ["A0", "97", "99"];

export class HostExchange {
	readonly #options: HostExchangeOptions;
	readonly #line: HostLine;
	readonly #decoder: MessageDecoder;
	/** The first is for what goes alone; the others are the window. */
	readonly #slots: Slot[] = [];
	/** Two rings, one behind the other, so that a thousand advices do not push a sale out. */
	readonly #past: (Expected | undefined)[] = [];
	#pastAt = 0;
	#pastWindowAt = 0;
	#lastTicket = 0;
	#serial = 0;
	#silent = 0;
	#noise = 0;

	constructor(options: HostExchangeOptions) {
		this.#options = options;
		this.#decoder = new MessageDecoder(options.dialect);
		const { links, clock, log, config, dialect } = options;
		for (let n = 0; n <= config.windowMax; n++) {
			this.#slots.push({ serial: 0, expected: undefined, onEnd: undefined, timer: 0 });
		}
		for (let n = 0; n < 2 * PAST_MAX; n++) this.#past.push(undefined);
		this.#line = new HostLine({
			links,
			clock,
			log,
			config,
			dialect,
			onFrame: (frame, byteLength) => this.#onFrame(frame, byteLength),
			onLost: () => this.#endAll(),
		});
	}

	get connected(): boolean {
		return this.#line.open;
	}

	/** True while the request that goes alone is open. */
	get busy(): boolean {
		return this.#slots[0].onEnd !== undefined;
	}

	/** Exchanges that wait for their answers. */
	get open(): number {
		let count = 0;
		for (const slot of this.#slots) if (slot.onEnd !== undefined) count++;
		return count;
	}

	/** Free places in the window. */
	get room(): number {
		const windowed = this.open - (this.busy ? 1 : 0);
		return this.#line.open ? this.#slots.length - 1 - windowed : 0;
	}

	/** See HostLine.connect. */
	connect(onResult: (connected: boolean) => void): void {
		this.#line.connect(onResult);
	}

	/** Sends what goes alone. See Exchanger.request. */
	request(frame: Uint8Array, byteLength: number, expected: Expected, timeoutMs: number, onEnd: OnEnd): void {
		assert(!this.busy, "I5 one such request at a time");
		this.#send(this.#slots[0], frame, byteLength, expected, timeoutMs, onEnd);
	}

	/** Sends beside others. See Exchanger.post. */
	post(frame: Uint8Array, byteLength: number, expected: Expected, timeoutMs: number, onEnd: OnEnd): void {
		for (let at = 1; at < this.#slots.length; at++) {
			if (this.#slots[at].onEnd !== undefined) continue;
			this.#send(this.#slots[at], frame, byteLength, expected, timeoutMs, onEnd);
			return;
		}
		assert(false, "I10 the window has room: the caller asks before");
	}

	/** Gives up what goes alone. */
	giveUp(): void {
		this.#end(this.#slots[0], "noAnswer");
	}

	close(): void {
		this.#line.stop();
	}

	#send(slot: Slot, frame: Uint8Array, byteLength: number, expected: Expected, timeoutMs: number, onEnd: OnEnd): void {
		slot.serial = ++this.#serial;
		slot.expected = expected;
		slot.onEnd = onEnd;
		if (expected.ticket !== 0) this.#lastTicket = expected.ticket;
		// From here on bytes may leave, whatever the call below returns or throws.
		if (!this.#line.write(frame.subarray(0, byteLength))) {
			// A peer that takes nothing any more is of no use to the others either. It is closed first: what is begun when
			// they hear of it is new, and has a connection of its own.
			const serial = this.#serial;
			this.#line.close("write refused");
			this.#end(slot, "unsent");
			this.#endAll(serial);
			return;
		}
		if (slot.serial === 0) return; // Ended inside the call.
		slot.timer = this.#options.clock.setTimer(timeoutMs, () => {
			slot.timer = 0;
			this.#silent++;
			// A dead link may show by silence only.
			if (this.#silent >= this.#options.config.silentExchangesMax) {
				const serial = this.#serial;
				this.#silent = 0;
				this.#line.distrust("silence");
				this.#end(slot, "noAnswer");
				this.#endAll(serial);
			} else this.#end(slot, "noAnswer");
		});
	}

	#end(slot: Slot, end: ExchangeEnd): void {
		const { onEnd, expected } = slot;
		if (onEnd === undefined || expected === undefined) return;
		slot.serial = 0;
		slot.onEnd = undefined;
		slot.expected = undefined;
		this.#options.clock.clearTimer(slot.timer);
		slot.timer = 0;
		this.#remember(slot, expected);
		if (expected.ticket !== 0) this.#options.scheme.close(expected.ticket);
		onEnd(end, this.#decoder);
		if (this.open === 0) this.#options.onQuiet();
	}

	#remember(slot: Slot, expected: Expected): void {
		if (slot === this.#slots[0]) {
			this.#past[this.#pastAt] = expected;
			this.#pastAt = (this.#pastAt + 1) % PAST_MAX;
		} else {
			this.#past[PAST_MAX + this.#pastWindowAt] = expected;
			this.#pastWindowAt = (this.#pastWindowAt + 1) % PAST_MAX;
		}
	}

	/** The connection is gone: none of the exchanges up to `serial` gets an answer; later ones have another connection. */
	#endAll(serial = this.#serial): void {
		for (const slot of this.#slots) if (slot.serial !== 0 && slot.serial <= serial) this.#end(slot, "noAnswer");
	}

	#onFrame(frame: Uint8Array, byteLength: number): void {
		const decoder = this.#decoder;
		try {
			decoder.decode(frame, byteLength);
		} catch (error) {
			if (!(error instanceof CodedError)) throw error;
			// Noise is no answer: the request's own time-out decides.
			this.#dropped(error.message);
			return;
		}
		this.#log("D", `< ${renderMasked(decoder)}`);
		const { terminalId, merchantId } = this.#options.config;
		if (!decoder.equals(41, terminalId) || !decoder.equals(42, merchantId)) {
			this.#dropped("for another terminal");
			return;
		}
		for (const slot of this.#slots) {
			if (slot.expected !== undefined && this.#belongs(slot.expected)) {
				this.#answered(slot, slot.expected);
				return;
			}
		}
		this.#late(this.#past.find((expected) => expected !== undefined && this.#belongs(expected)));
	}

	/** An answer that comes late or twice, under the keys of its request where these are still known, else of the last. */
	#late(past: Expected | undefined): void {
		const { scheme } = this.#options;
		const known = past !== undefined && past.mac !== "none";
		const ticket = this.#lastTicket;
		const verified = known ? this.#verified(past) : ticket !== 0 && scheme.use(ticket) && this.#decoder.verify(scheme);
		if (verified) {
			this.#heard();
			this.#options.onStray(this.#decoder);
		} else this.#dropped(known ? "a late answer whose MAC is wrong" : "answers nothing");
	}

	#answered(slot: Slot, expected: Expected): void {
		const decoder = this.#decoder;
		const verified = this.#verified(expected);
		const trouble = KEY_TROUBLE.includes(decoder.text(39));
		if (!verified) {
			this.#noise++;
			if (trouble) {
				this.#log("W", "the host has key trouble and cannot prove it: nothing is concluded");
				this.#options.onKeyTrouble();
				return;
			}
			this.#log("W", `MAC of the answer to stan=${expected.stan} is wrong`);
			this.#end(slot, "badMac");
			return;
		}
		this.#heard();
		if (trouble && expected.mac !== "none") this.#options.onKeyTrouble();
		const { amountMinor } = expected;
		// Who did not believe the request carried nothing out, whatever amount its answer echoes.
		const heard = responseText(decoder.text(39)).class !== "unheard";
		const differs = heard && amountMinor !== undefined && decoder.has(4) && decoder.number(4) !== amountMinor;
		this.#end(slot, differs ? "amountDiffers" : "answer");
	}

	/** Something that only our host can have said. */
	#heard(): void {
		this.#noise = 0;
		this.#silent = 0;
		this.#line.heard();
	}

	#dropped(why: string): void {
		this.#log("W", `message dropped: ${why}`);
		this.#noise++;
		if (this.#noise < NOISE_MAX) return;
		this.#noise = 0;
		this.#line.drop("nothing but noise");
	}

	/** Under the keys of its request. Keys that are gone verify nothing. */
	#verified(expected: Expected): boolean {
		const { scheme, syncMac } = this.#options;
		if (expected.mac === "none") return true;
		if (expected.mac === "sync") return this.#decoder.verify(syncMac);
		return scheme.use(expected.ticket) && this.#decoder.verify(scheme);
	}

	#belongs(expected: Expected): boolean {
		const decoder = this.#decoder;
		const { processingCode, batch, networkCode } = expected;
		return (
			decoder.mti === expected.mti &&
			(processingCode === undefined ? !decoder.has(3) : decoder.equals(3, processingCode)) &&
			decoder.has(11) &&
			decoder.number(11) === expected.stan &&
			decoder.has(39) &&
			decoder.has(60) &&
			decoder.count(60) >= 8 &&
			decoder.equalsAt(60, 0, expected.messageType) &&
			(batch === undefined || decoder.numberAt(60, 2, 6) === batch) &&
			(networkCode === undefined || decoder.equalsAt(60, 8, networkCode))
		);
	}

	#log(level: "I" | "W" | "D", text: string): void {
		this.#options.log.write(level, this.#options.clock.monotonic(), "host", text);
	}
}
