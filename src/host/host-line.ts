/**
 * The connection to the acquirer: connects over the first link that stands, cuts the stream into frames, notices
 * when it is gone. One connection at a time. Bounds (I10): one connect under way, one frame in memory.
 * @module
 */

import type { Config } from "../config";
import { CodedError } from "../core/errors";
import type { Dialect } from "../iso8583/dialect";
import { Framer } from "../iso8583/framer";
import type { Clock, Connection, Link, LogSink } from "../ports";
import type { LinkHealth } from "./link-health";

const READ_BYTES = 512;

export interface HostLineOptions {
	links: readonly Link[];
	clock: Clock;
	log: LogSink;
	config: Config;
	dialect: Dialect;
	/** Told of each connect that succeeds or fails. */
	health: LinkHealth;
	/** A whole frame; borrowed. */
	onFrame(frame: Uint8Array, byteLength: number): void;
	/** The connection is gone: an open request will get no answer. */
	onLost(): void;
}

export class HostLine {
	readonly #options: HostLineOptions;
	readonly #framer: Framer;
	readonly #buffer = new Uint8Array(READ_BYTES);
	#connection: Connection | undefined;
	#open = false;
	/** Counts connections, so that a callback of an older one is nobody's. */
	#serial = 0;
	#timer = 0;
	#onResult: ((connected: boolean) => void) | undefined;
	#lastHeardMs = 0;
	/** The link to begin with: one that connects and never answers makes way for the next. */
	#first = 0;
	/** A message that makes sense has come over this connection. */
	#answered = false;
	/** The link of this connection. */
	#link = 0;
	/** While a link is tried again that nobody has asked for: the one to go back to; −1 else. */
	#probing = -1;
	/** Runs from the first bytes of a frame to its last. */
	#frameTimer = 0;

	constructor(options: HostLineOptions) {
		this.#options = options;
		this.#framer = new Framer(options.dialect);
	}

	get open(): boolean {
		return this.#open;
	}

	/** It stands, and nothing was heard for so long that it is opened anew for the next who wants it. */
	get stale(): boolean {
		const { clock, config } = this.#options;
		return this.#open && clock.monotonic() - this.#lastHeardMs > config.connectionIdleMsMax;
	}

	/** The link of the connection, or of the last one. */
	get link(): number {
		return this.#link;
	}

	/**
	 * Tries whether a link connects that was of no use last time, as nobody else does while another one works. Not one byte
	 * is written, and the link that works stays the one to begin with: that this one connects does not prove that it
	 * answers. Only where nobody wants the line, and what stands would be opened anew for the next who does; whoever comes
	 * meanwhile goes first.
	 */
	probe(): void {
		const { clock, health } = this.#options;
		const link = health.dueAgain(clock.monotonic());
		if (link < 0 || this.#onResult !== undefined || this.#probing >= 0) return;
		if (this.#open && !this.stale) return;
		if (this.#connection !== undefined) this.close("idle");
		const { length } = this.#options.links;
		this.#probing = this.#first;
		this.#first = (link + 1) % length; // The last of a round: none is tried behind it.
		this.tryLink(length - 1);
	}

	/**
	 * Calls back once: at once when the line stands, otherwise when one link does or all have failed. A later caller
	 * takes over a connect under way; the earlier one is told false.
	 */
	connect(onResult: (connected: boolean) => void): void {
		if (this.#probing >= 0) this.endProbe("the line is wanted");
		const earlier = this.#onResult;
		if (earlier !== undefined) {
			this.#onResult = onResult;
			earlier(false);
			return;
		}
		if (this.stale) this.close("idle");
		if (this.#open) {
			onResult(true);
			return;
		}
		this.#onResult = onResult;
		this.tryLink(0);
	}

	/** @returns false when not one byte was taken */
	write(frame: Uint8Array): boolean {
		return this.#open && this.#connection?.write(frame) === true;
	}

	/** A message that makes sense was received. */
	heard(): void {
		this.#answered = true;
		this.#lastHeardMs = this.#options.clock.monotonic();
	}

	/** Connected, and no answer comes: the next connect begins with another link. */
	distrust(why: string): void {
		const { clock, health } = this.#options;
		this.#answered = false;
		health.left(this.#link, clock.monotonic());
		this.close(why);
	}

	/** Drops the connection; whoever waits for one is told no. */
	stop(): void {
		this.close("stopped");
	}

	/** Drops the connection without a word to the owner; a connect under way ends with it, and is told so. */
	close(why: string): void {
		this.shut(why);
		this.report(false);
	}

	private shut(why: string): void {
		this.#serial++;
		this.#options.clock.clearTimer(this.#timer);
		this.#timer = 0;
		this.noFrameTimer();
		if (this.#connection === undefined) return;
		this.log("I", `${this.name} closed: ${why}`);
		if (this.#open && !this.#answered) this.#first = (this.#first + 1) % this.#options.links.length;
		const connection = this.#connection;
		this.#connection = undefined;
		this.#open = false;
		this.#framer.reset();
		connection.close();
	}

	/** The next connect begins with the link that worked. */
	private endProbe(why: string): void {
		const first = this.#probing;
		this.#probing = -1;
		this.shut(why);
		this.#first = first;
	}

	/** @param tried - links that have failed in this connect */
	private tryLink(tried: number): void {
		const { links, clock, config, health } = this.#options;
		const index = (this.#first + tried) % links.length;
		const link = links[index];
		if (tried >= links.length || link === undefined) {
			this.report(false);
			return;
		}
		if (!link.secure && !config.plainLinks) {
			this.log("W", `${link.name} is not secure: refused by configuration`);
			this.tryLink(tried + 1);
			return;
		}
		const serial = ++this.#serial;
		const mine = () => serial === this.#serial;
		const failed = (why: string) => {
			health.connectFailed(index, clock.monotonic());
			this.shut(why);
			this.tryLink(tried + 1);
		};
		this.#link = index;
		this.#timer = clock.setTimer(config.connectTimeoutMs, () => {
			if (mine()) failed("no connection in time");
		});
		let inside = true;
		let writable = false;
		const connection = link.connect({
			onReadable: () => {
				if (mine()) this.read();
			},
			onWritable: () => {
				if (!mine() || this.#open) return;
				if (inside) writable = true;
				else this.opened();
			},
			onError: () => {
				if (!mine()) return;
				const why = link.why?.();
				if (this.#open) this.drop(why === undefined ? "lost" : `lost, ${why}`);
				else failed(why ?? "not reachable");
			},
		});
		inside = false;
		if (!mine()) {
			connection.close(); // It failed, and was replaced, inside the call.
			return;
		}
		this.#connection = connection;
		if (writable) this.opened(); // It stood at once.
	}

	private opened(): void {
		this.#options.clock.clearTimer(this.#timer);
		this.#timer = 0;
		this.#options.health.connected(this.#link);
		if (this.#probing >= 0) {
			this.endProbe("it connects");
			return;
		}
		this.#open = true;
		this.#answered = false;
		this.#first = this.#link;
		this.#lastHeardMs = this.#options.clock.monotonic();
		this.#framer.reset();
		this.log("I", `${this.name} connected`);
		this.report(true);
	}

	private report(connected: boolean): void {
		if (this.#probing >= 0) this.endProbe("it does not connect");
		const onResult = this.#onResult;
		this.#onResult = undefined;
		onResult?.(connected);
	}

	/** The connection is of no use any more, and the owner is told. */
	drop(why: string): void {
		this.close(why);
		this.#options.onLost();
	}

	private get name(): string {
		return this.#options.links[this.#link].name;
	}

	private read(): void {
		const serial = this.#serial;
		while (serial === this.#serial && this.#connection !== undefined) {
			const count = this.#connection.read(this.#buffer);
			if (count === 0) return;
			this.watchFrame();
			let inner: unknown;
			try {
				this.#framer.push(this.#buffer, count, (frame, byteLength) => {
					this.noFrameTimer();
					try {
						this.#options.onFrame(frame, byteLength);
					} catch (error) {
						inner = error; // Ours, not the stream's.
						throw error;
					}
				});
			} catch (error) {
				if (inner !== undefined || !(error instanceof CodedError)) throw error;
				this.log("W", `the stream makes no sense: ${error.message}`);
				this.drop("broken stream");
				return;
			}
		}
	}

	/** A peer that sends a byte now and then holds the line no longer than this. */
	private watchFrame(): void {
		if (this.#frameTimer !== 0) return;
		const { clock, config } = this.#options;
		this.#frameTimer = clock.setTimer(config.frameMsMax, () => {
			this.#frameTimer = 0;
			this.drop("a frame came too slowly");
		});
	}

	private noFrameTimer(): void {
		this.#options.clock.clearTimer(this.#frameTimer);
		this.#frameTimer = 0;
	}

	private log(level: "I" | "W", text: string): void {
		this.#options.log.write(level, this.#options.clock.monotonic(), "host", text);
	}
}
