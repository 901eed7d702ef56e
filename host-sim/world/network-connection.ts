/**
 * One connection of a terminal through the network of the world, with what the weather and the strikes do to it.
 *
 * What holds whatever strikes: the stream of each direction has no holes. What arrives is a beginning of what was sent,
 * in order, and the end comes behind it. Callbacks follow ECMA-419 TCP (see ports.ts): never inside a call of the
 * terminal's, never after `close()` or a power cut, `onError` at most once and last.
 *
 * Trouble strikes what is written and what the host sends, as it is put on its lane:
 * - linkHalfOpen: dead both ways, before these bytes or behind them; neither end is told.
 * - linkBreaks: dead both ways, before, in the middle of, or behind these bytes; both ends are told.
 * - linkStalls: this direction stands still for minutes, these bytes first. Its sender may be gone by then.
 * - linkSplits: these bytes come in small pieces.
 * - linkDoubles: these bytes reach the host once more, behind themselves or on a connection of their own.
 * @module
 */
import type { Connection, ConnectionOptions } from "../../src/ports";
import type { HostConnection } from "../acquirer/connection";
import type { LinkState, WorldLinkOptions } from "./network";
import { Lane } from "./network-lane";
import type { WorldKind } from "./strikes";

/** What a connection needs of its link. */
export interface LinkSide {
	readonly options: WorldLinkOptions;
	readonly state: LinkState;
	/** The terminal has no such connection any more. */
	forget(connection: WorldConnection): void;
	/** A whole frame reaches the host now, on a connection of its own, whose answers go nowhere. */
	deliverAlone(bytes: Uint8Array): void;
	/** The same in `ms`. Only while {@link roomAlone}: beyond that the network has no room, and loses it. */
	carryAlone(bytes: Uint8Array, ms: number): void;
	/** Whether one more may wait. */
	readonly roomAlone: boolean;
}

/** What a terminal may leave unread; more breaks the connection. */
const RECEIVE_BYTES_MAX = 8_192;
/** What may be under way to the host; more is not taken. */
const SEND_BYTES_MAX = 8_192;
/** Shorter than any frame: a piece of one that the host's own trouble has cut up already. */
const FRAME_BYTES_MIN = 8;

const STALL_MS_MIN = 60_000;
/**
 * With a host that lets a request lie for 120 s more, and a frame that has to wait for those before it, still less
 * than the 10 minutes after which a terminal takes it that nothing lies in the network any more (lateOriginalMs).
 */
const STALL_MS_MAX = 450_000;

/** A doubled frame on a connection of its own comes this much later. */
const DOUBLE_MS_MIN = 1_000;
const DOUBLE_MS_MAX = 30_000;

/** Where in a frame a connection breaks. */
const BREAKS = ["before", "within", "behind"] as const;
type Break = (typeof BREAKS)[number] | "not";

export class WorldConnection implements Connection {
	/** Of all connections over the same network clock, none has the same. */
	readonly number: number;
	readonly #link: LinkSide;
	readonly #callbacks: ConnectionOptions;
	readonly #up: Lane;
	readonly #down: Lane;
	/** The connect went into a silent link. */
	readonly #lostAtStart: boolean;
	#peer: HostConnection | undefined;
	/** It stood at some time. */
	#open = false;
	/** For the terminal it is over: closed, told of an error, or without power. */
	#closed = false;
	/** Nothing more that the terminal writes is put on its lane, not even an end. */
	#mute = false;
	/** Nothing more reaches the terminal, not even an end. */
	#deaf = false;
	/** The terminal is about to be told. */
	#broken = false;
	#received: Uint8Array | undefined;
	#receivedBytes = 0;
	/** Taken from the terminal, and not at the host. */
	#sendingBytes = 0;
	/** A write was not taken: the terminal is told when there is room. */
	#starved = false;

	constructor(link: LinkSide, callbacks: ConnectionOptions) {
		this.#link = link;
		this.#callbacks = callbacks;
		const { network, latencyMs } = link.options;
		this.#up = new Lane(network, latencyMs, (bytes, start, end, late) => this.#reachHost(bytes, start, end, late));
		this.#down = new Lane(network, latencyMs, (bytes, start, end) => this.#reachTerminal(bytes, start, end));
		this.#lostAtStart = link.state === "silent";
		const refused = link.state === "refuses";
		// A timer's number is used once, so that it can be the connection's.
		this.number = network.setTimer(latencyMs, () => this.#establish(refused));
		this.#trace("begins");
	}

	read(buffer: Uint8Array): number {
		this.#link.options.power.check();
		const received = this.#received;
		if (received === undefined) return 0;
		const count = Math.min(buffer.length, this.#receivedBytes);
		buffer.set(received.subarray(0, count));
		received.copyWithin(0, count, this.#receivedBytes);
		this.#receivedBytes -= count;
		return count;
	}

	write(buffer: Uint8Array): boolean {
		const { power, beforeWrite, onTrace } = this.#link.options;
		power.check();
		if (!this.#open || this.#closed) return false;
		if (buffer.length > SEND_BYTES_MAX - this.#sendingBytes) {
			this.#starved = true;
			return false;
		}
		if (this.#link.options.strikes.strikes("linkFull")) {
			this.#trace("takes no byte");
			return false;
		}
		beforeWrite?.(buffer, this.number);
		power.check(); // Who looks on may have cut it: then not one byte leaves.
		const bytes = buffer.slice();
		onTrace?.("writes", bytes);
		// What vanishes counts as under way for good: a dead connection takes no more than its room.
		this.#sendingBytes += bytes.length;
		if (!this.#mute && this.#link.state === "silent") {
			this.#mute = true;
			this.#trace("loses what is written");
		}
		if (!this.#mute) this.#send(bytes);
		return true;
	}

	close(): void {
		this.#received = undefined;
		this.#receivedBytes = 0;
		this.#leave("closed");
	}

	/** The terminal is without power. What it has written arrives, and its end behind that. */
	powerLost(): void {
		this.#leave("loses its terminal");
	}

	/** The link carries nothing any more, and says so. */
	linkLost(): void {
		this.#trace("breaks with its link");
		this.#break("at once");
	}

	#establish(refused: boolean): void {
		if (this.#closed || this.#broken || this.#lostAtStart) return;
		const { state, options } = this.#link;
		if (state === "silent") return;
		if (!refused) {
			this.#peer = options.host()?.connect({
				send: (bytes) => this.#hostSends(bytes),
				close: () => this.#hostCloses(),
			});
		}
		if (this.#peer === undefined) {
			this.#trace("is refused");
			this.#fail();
			return;
		}
		this.#open = true;
		this.#trace("stands");
		options.power.deliver(() => this.#callbacks.onWritable(SEND_BYTES_MAX));
	}

	/** Puts on the lane what the terminal has written, with what strikes it. */
	#send(bytes: Uint8Array): void {
		const { strikes } = this.#link.options;
		let dies = false;
		if (strikes.strikes("linkHalfOpen")) {
			dies = true;
			if (strikes.random("linkHalfOpen").chance(1, 2)) {
				this.#die();
				return;
			}
		}
		const breaks = dies ? "not" : this.#drawBreak(bytes.length);
		if (breaks === "before") {
			this.#break("at once");
			return;
		}
		if (breaks === "within") this.#carry(this.#up, this.#part(bytes));
		else {
			this.#carry(this.#up, bytes);
			if (this.#link.roomAlone && strikes.strikes("linkDoubles")) this.#double(bytes);
		}
		if (dies) this.#die();
		if (breaks !== "not") this.#break("at once");
	}

	/** The host's bytes are ours from now on. */
	#hostSends(bytes: Uint8Array): void {
		if (this.#closed || this.#deaf || this.#broken) return;
		if (bytes.length < FRAME_BYTES_MIN || this.#link.state !== "up") {
			this.#down.carry(bytes);
			return;
		}
		const breaks = this.#drawBreak(bytes.length);
		if (breaks !== "before") this.#carry(this.#down, breaks === "within" ? this.#part(bytes) : bytes);
		if (breaks !== "not") this.#break("behind");
	}

	#hostCloses(): void {
		if (this.#closed || this.#deaf || this.#broken) return;
		this.#down.end(() => {
			if (this.#closed || this.#lostOnArrival()) return;
			this.#trace("was closed by the host");
			this.#fail();
		});
	}

	#carry(lane: Lane, bytes: Uint8Array): void {
		const { strikes } = this.#link.options;
		let stallMs = 0;
		if (strikes.strikes("linkStalls")) {
			stallMs = STALL_MS_MIN + strikes.random("linkStalls").below(STALL_MS_MAX - STALL_MS_MIN + 1);
			this.#trace(`stalls ${lane === this.#up ? "to" : "from"} the host for ${stallMs} ms`);
		}
		if (strikes.strikes("linkSplits")) lane.carryPieces(bytes, strikes.random("linkSplits"), stallMs);
		else lane.carry(bytes, stallMs);
	}

	#double(bytes: Uint8Array): void {
		const random = this.#link.options.strikes.random("linkDoubles");
		if (random.chance(1, 2)) {
			this.#trace("doubles a frame");
			this.#sendingBytes += bytes.length;
			this.#up.carry(bytes);
		} else {
			const ms = DOUBLE_MS_MIN + random.below(DOUBLE_MS_MAX - DOUBLE_MS_MIN + 1);
			this.#trace(`doubles a frame, alone in ${ms} ms`);
			this.#link.carryAlone(bytes, ms);
		}
	}

	#drawBreak(byteCount: number): Break {
		const { strikes } = this.#link.options;
		const kind: WorldKind = "linkBreaks";
		if (!strikes.strikes(kind)) return "not";
		const where = strikes.random(kind).pick(BREAKS);
		this.#trace(`breaks ${where} ${byteCount} bytes`);
		// Nothing lies within a single byte.
		return where === "within" && byteCount < 2 ? "before" : where;
	}

	/** A beginning of `bytes` that is neither nothing nor all. */
	#part(bytes: Uint8Array): Uint8Array {
		return bytes.subarray(0, 1 + this.#link.options.strikes.random("linkBreaks").below(bytes.length - 1));
	}

	/** @param late - held up: the network still has it when the host has hung up, and looks for another way in */
	#reachHost(bytes: Uint8Array, start: number, end: number, late: boolean): void {
		this.#sendingBytes -= end - start;
		const peer = this.#peer;
		if (peer === undefined) return;
		if (!peer.closed) {
			if (start === 0 && late) this.#trace("carries late bytes to the host");
			if (start === 0) peer.receive(bytes, end);
			else peer.receive(bytes.subarray(start, end));
		} else if (late && start === 0) this.#link.deliverAlone(bytes);
		const room = SEND_BYTES_MAX - this.#sendingBytes;
		if (!this.#starved || room <= 0 || this.#closed || this.#broken) return;
		this.#starved = false;
		this.#link.options.power.deliver(() => this.#callbacks.onWritable(room));
	}

	#reachTerminal(bytes: Uint8Array, start: number, end: number): void {
		if (this.#closed || this.#lostOnArrival()) return;
		if (end - start > RECEIVE_BYTES_MAX - this.#receivedBytes) {
			this.#trace("breaks: what came before is not read");
			this.#deaf = true; // Bytes that lie behind these would leave a hole.
			this.#break("at once");
			return;
		}
		const { onArrival, onTrace, power } = this.#link.options;
		const arrived = end - start === bytes.length ? bytes : bytes.subarray(start, end);
		onTrace?.("hears", arrived);
		onArrival?.(arrived, this.number);
		this.#received ??= new Uint8Array(RECEIVE_BYTES_MAX);
		this.#received.set(arrived, this.#receivedBytes);
		this.#receivedBytes += arrived.length;
		power.deliver(() => this.#callbacks.onReadable(this.#receivedBytes));
	}

	/** What comes to a terminal whose link is silent is lost, and all behind it. */
	#lostOnArrival(): boolean {
		if (!this.#deaf && this.#link.state === "silent") {
			this.#deaf = true;
			this.#trace("loses what arrives");
		}
		return this.#deaf;
	}

	#die(): void {
		this.#trace("is half open");
		this.#mute = true;
		this.#deaf = true;
	}

	/** Both ends are told. @param when - the terminal: now, or behind what is on its way to it */
	#break(when: "at once" | "behind"): void {
		if (this.#closed) return;
		this.#broken = true;
		this.#endAtHost();
		if (when === "behind") this.#down.end(() => this.#fail());
		else this.#link.options.network.setTimer(this.#link.options.latencyMs, () => this.#fail());
	}

	#fail(): void {
		if (this.#closed) return;
		this.#closed = true;
		this.#link.forget(this);
		this.#link.options.power.deliver(() => this.#callbacks.onError());
	}

	#leave(what: string): void {
		if (this.#closed) return;
		this.#closed = true;
		this.#trace(what);
		this.#link.forget(this);
		this.#endAtHost();
	}

	/** Behind all that was written. */
	#endAtHost(): void {
		const peer = this.#peer;
		const silent = this.#link.state === "silent";
		if (peer !== undefined && !this.#mute && !silent) this.#up.end(() => peer.end());
		this.#mute = true;
	}

	#trace(what: string): void {
		this.#link.options.onTrace?.(`connection ${this.number} ${what}`);
	}
}
