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
import { Expectations } from "./expectations";
import { HostLine } from "./host-line";
import { LinkHealth } from "./link-health";

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
	/** A frame has left, or was received and what it is for is done; borrowed. For the evidence. */
	onFrame?(direction: "sent" | "received", frame: Uint8Array, byteLength: number): void;
}

/** `stan` is the request's: a callback may serve many. */
export type OnEnd = (end: ExchangeEnd, answer: MessageDecoder, stan: number) => void;

/** The place of what goes alone; those behind it are the window. */
const ALONE = 0;
/** Numbers of a place: which exchange it holds, 0 when it is free; its timer. */
const PLACE_NUMBERS = 2;
const SERIAL = 0;
const TIMER = 1;

/** Messages in a row that are nobody's answer, after which the peer is taken for somebody else. */
const NOISE_MAX = 8;
/** Exchanges that are over and whose late answers are still known: as many that went alone, and of the window. */
const PAST_MAX = 16;
/** Row of a message that answers nothing known. */
const NOBODYS = -1;
/** MAC wrong, terminal not signed on, PIN not readable: the host's keys are not ours. */
const KEY_TROUBLE = ["A0", "97", "99"];

export class HostExchange {
	/** How the links do, and wrong MACs: for the monitor. */
	readonly health: LinkHealth;
	readonly #options: HostExchangeOptions;
	readonly #line: HostLine;
	readonly #decoder: MessageDecoder;
	/** By place: who waits for the end. */
	readonly #onEnds: (OnEnd | undefined)[] = [];
	readonly #numbers: Float64Array;
	/** Rows: the places; then two rings of what is over, so that a thousand advices do not push a sale out. */
	readonly #expected: Expectations;
	readonly #places: number;
	#pastAt = 0;
	#pastWindowAt = 0;
	#lastTicket = 0;
	#serial = 0;
	#silent = 0;
	#noise = 0;
	/** Uptime at the sending of what goes alone. */
	#sentMs = 0;

	constructor(options: HostExchangeOptions) {
		this.#options = options;
		this.#decoder = new MessageDecoder(options.dialect);
		const { links, clock, log, config, dialect } = options;
		this.#places = config.windowMax + 1;
		for (let place = 0; place < this.#places; place++) this.#onEnds.push(undefined);
		this.#numbers = new Float64Array(this.#places * PLACE_NUMBERS);
		this.#expected = new Expectations(this.#places + 2 * PAST_MAX);
		this.health = new LinkHealth(links.length, config);
		this.#line = new HostLine({
			links,
			clock,
			log,
			config,
			dialect,
			health: this.health,
			onFrame: (frame, byteLength) => {
				this.onFrame(frame, byteLength);
				this.#options.onFrame?.("received", frame, byteLength);
			},
			onLost: () => {
				if (this.open > 0) this.health.unanswered(this.#line.link);
				this.endAll();
			},
		});
	}

	get connected(): boolean {
		return this.#line.open;
	}

	/** True while the request that goes alone is open. */
	get busy(): boolean {
		return this.#onEnds[ALONE] !== undefined;
	}

	/** Exchanges that wait for their answers. */
	get open(): number {
		let count = 0;
		for (const onEnd of this.#onEnds) if (onEnd !== undefined) count++;
		return count;
	}

	/**
	 * Free places in the window. None on a line that nothing has come over for long: whoever would post connects, and has a
	 * new one. Else what is posted now and then, and may go unanswered, would keep a dead line for ever.
	 */
	get room(): number {
		const { open } = this;
		if (!this.#line.open || (open === 0 && this.#line.stale)) return 0;
		return this.#places - 1 - (open - (this.busy ? 1 : 0));
	}

	/** See HostLine.connect. */
	connect(onResult: (connected: boolean) => void): void {
		this.#line.connect(onResult);
	}

	/** Nobody wants the line: see HostLine.probe. */
	probe(): void {
		if (this.open === 0) this.#line.probe();
	}

	/** Sends what goes alone. See Exchanger.request. */
	request(frame: Uint8Array, byteLength: number, expected: Expected, timeoutMs: number, onEnd: OnEnd): void {
		assert(!this.busy, "I5 one such request at a time");
		this.send(ALONE, frame, byteLength, expected, timeoutMs, onEnd);
	}

	/** Sends beside others. See Exchanger.post. */
	post(frame: Uint8Array, byteLength: number, expected: Expected, timeoutMs: number, onEnd: OnEnd): void {
		const place = this.#onEnds.indexOf(undefined, ALONE + 1);
		assert(place > 0, "I10 the window has room: the caller asks before");
		this.send(place, frame, byteLength, expected, timeoutMs, onEnd);
	}

	/** Gives up what goes alone. */
	giveUp(): void {
		this.end(ALONE, "noAnswer");
	}

	close(): void {
		this.#line.stop();
	}

	private send(
		place: number,
		frame: Uint8Array,
		byteLength: number,
		expected: Expected,
		timeoutMs: number,
		onEnd: OnEnd,
	): void {
		const serial = ++this.#serial;
		this.#numbers[place * PLACE_NUMBERS + SERIAL] = serial;
		this.#expected.put(place, expected);
		this.#onEnds[place] = onEnd;
		if (expected.ticket !== 0) this.#lastTicket = expected.ticket;
		// From here on bytes may leave, whatever the call below returns or throws.
		if (!this.#line.write(frame.subarray(0, byteLength))) {
			// A peer that takes nothing any more is of no use to the others either. It is closed first: what is begun when
			// they hear of it is new, and has a connection of its own.
			this.health.unanswered(this.#line.link);
			this.#line.close("write refused");
			this.end(place, "unsent");
			this.endAll(serial);
			return;
		}
		this.#options.onFrame?.("sent", frame, byteLength);
		if (this.#numbers[place * PLACE_NUMBERS + SERIAL] === 0) return; // Ended inside the call.
		if (place === ALONE) this.#sentMs = this.#options.clock.monotonic();
		const timer = this.#options.clock.setTimer(timeoutMs, () => this.timedOut(place));
		this.#numbers[place * PLACE_NUMBERS + TIMER] = timer;
	}

	private timedOut(place: number): void {
		this.#numbers[place * PLACE_NUMBERS + TIMER] = 0;
		// A host may not know the sync messages: no reason to hang up on whoever else waits.
		if (this.#expected.mac(place) !== "sync") {
			this.#silent++;
			this.health.unanswered(this.#line.link);
		}
		// A dead link may show by silence only.
		if (this.#silent >= this.#options.config.silentExchangesMax) {
			const serial = this.#serial;
			this.#silent = 0;
			this.#line.distrust("silence");
			this.end(place, "noAnswer");
			this.endAll(serial);
		} else this.end(place, "noAnswer");
	}

	private end(place: number, end: ExchangeEnd): void {
		const onEnd = this.#onEnds[place];
		if (onEnd === undefined) return;
		const numbers = this.#numbers;
		const at = place * PLACE_NUMBERS;
		const stan = this.#expected.stan(place);
		const ticket = this.#expected.ticket(place);
		this.#onEnds[place] = undefined;
		this.#options.clock.clearTimer(numbers[at + TIMER]);
		numbers[at + SERIAL] = 0;
		numbers[at + TIMER] = 0;
		this.remember(place);
		if (ticket !== 0) this.#options.scheme.close(ticket);
		onEnd(end, this.#decoder, stan);
		if (this.open === 0) this.#options.onQuiet();
	}

	private remember(place: number): void {
		if (place === ALONE) {
			this.#expected.move(place, this.#places + this.#pastAt);
			this.#pastAt = (this.#pastAt + 1) % PAST_MAX;
		} else {
			this.#expected.move(place, this.#places + PAST_MAX + this.#pastWindowAt);
			this.#pastWindowAt = (this.#pastWindowAt + 1) % PAST_MAX;
		}
	}

	/** The connection is gone: none of the exchanges up to `serial` gets an answer; later ones have another connection. */
	private endAll(serial = this.#serial): void {
		for (let place = 0; place < this.#places; place++) {
			const other = this.#numbers[place * PLACE_NUMBERS + SERIAL];
			if (other !== 0 && other <= serial) this.end(place, "noAnswer");
		}
	}

	private onFrame(frame: Uint8Array, byteLength: number): void {
		const decoder = this.#decoder;
		try {
			decoder.decode(frame, byteLength);
		} catch (error) {
			if (!(error instanceof CodedError)) throw error;
			// Noise is no answer: the request's own time-out decides.
			this.dropped(error.message);
			return;
		}
		this.log("D", `< ${renderMasked(decoder)}`);
		const { terminalId, merchantId } = this.#options.config;
		if (!decoder.equals(41, terminalId) || !decoder.equals(42, merchantId)) {
			this.dropped("for another terminal");
			return;
		}
		const rows = this.#places + 2 * PAST_MAX;
		for (let row = 0; row < rows; row++) {
			if (!this.#expected.fits(row, decoder)) continue;
			if (row < this.#places) this.answered(row);
			else this.late(row);
			return;
		}
		this.late(NOBODYS);
	}

	/** An answer that comes late or twice, under the keys of its request where these are still known, else of the last. */
	private late(past: number): void {
		const { scheme } = this.#options;
		const known = past !== NOBODYS && this.#expected.mac(past) !== "none";
		const ticket = this.#lastTicket;
		const verified = known ? this.verified(past) : ticket !== 0 && scheme.use(ticket) && this.#decoder.verify(scheme);
		if (known && !verified) this.health.macWrong(this.#options.clock.monotonic());
		if (verified) {
			this.heard();
			this.#options.onStray(this.#decoder);
		} else this.dropped(known ? "a late answer whose MAC is wrong" : "answers nothing");
	}

	private answered(place: number): void {
		const decoder = this.#decoder;
		const verified = this.verified(place);
		const trouble = KEY_TROUBLE.includes(decoder.text(39));
		this.noteAnswer(place, verified);
		if (!verified) {
			this.#noise++;
			if (trouble) {
				this.log("W", "the host has key trouble and cannot prove it: nothing is concluded");
				this.#options.onKeyTrouble();
				return;
			}
			this.log("W", `MAC of the answer to stan=${this.#expected.stan(place)} is wrong`);
			this.end(place, "badMac");
			return;
		}
		this.heard();
		if (trouble && this.#expected.mac(place) !== "none") this.#options.onKeyTrouble();
		const amountMinor = this.#expected.amountMinor(place);
		// Who did not believe the request carried nothing out, whatever amount its answer echoes.
		const heard = responseText(decoder.text(39)).class !== "unheard";
		const differs = heard && amountMinor !== undefined && decoder.has(4) && decoder.number(4) !== amountMinor;
		this.end(place, differs ? "amountDiffers" : "answer");
	}

	/** For the health of link and keys. */
	private noteAnswer(place: number, verified: boolean): void {
		const { health } = this;
		const nowMs = this.#options.clock.monotonic();
		if (!verified) health.macWrong(nowMs);
		else {
			if (this.#expected.mac(place) !== "none") health.macRight();
			health.answered(this.#line.link, place === ALONE ? nowMs - this.#sentMs : -1);
		}
	}

	/** Something that only our host can have said. */
	private heard(): void {
		this.#noise = 0;
		this.#silent = 0;
		this.#line.heard();
	}

	private dropped(why: string): void {
		this.log("W", `message dropped: ${why}`);
		this.#noise++;
		if (this.#noise < NOISE_MAX) return;
		this.#noise = 0;
		this.#line.drop("nothing but noise");
	}

	/** Under the keys of its request. Keys that are gone verify nothing. */
	private verified(row: number): boolean {
		const { scheme, syncMac } = this.#options;
		const mac = this.#expected.mac(row);
		if (mac === "none") return true;
		if (mac === "sync") return this.#decoder.verify(syncMac);
		return scheme.use(this.#expected.ticket(row)) && this.#decoder.verify(scheme);
	}

	private log(level: "I" | "W" | "D", text: string): void {
		this.#options.log.write(level, this.#options.clock.monotonic(), "host", text);
	}
}
