/**
 * One connection to the host, bounded in everything (I10): a silent peer is closed, a frame that comes too slowly is
 * closed, what is not a frame is closed, and answers waiting to go out are limited.
 *
 * Answers leave in order. One that goes out in pieces holds back those behind it, so that no two frames mix. Two faults
 * live here: an answer that is held until the next one has gone, and a connection that is never served again.
 * @module
 */
import { CodedError } from "../../src/core/errors";
import type { Dialect } from "../../src/iso8583/dialect";
import { Framer } from "../../src/iso8583/framer";
import type { Clock } from "../../src/ports";

/** The network's side of a connection. */
export interface Peer {
	/** DE 41 that the peer's certificate names: messages of another terminal are refused. Undefined: nobody knows. */
	readonly terminalId?: string;
	/** Never blocks, and nothing is received before it has returned. The bytes are the peer's from now on. */
	send(bytes: Uint8Array): void;
	/** The host hangs up. No call follows. */
	close(): void;
}

export interface ConnectionLimits {
	/** No whole frame for so long: closed. Unit: ms; longer than any answer may take. */
	readonly idleMsMax: number;
	/** From a frame's first bytes to its last. Unit: ms. */
	readonly frameMsMax: number;
	/** Pieces of answers that may wait to go out. */
	readonly piecesMax: number;
}

export interface ConnectionEvents {
	/** `frame` is borrowed until the call returns. */
	onFrame(connection: HostConnection, frame: Uint8Array, byteLength: number): void;
	/** Called once, whoever hung up. `reason` is empty when the peer did. */
	onClosed(connection: HostConnection, reason: string): void;
}

const NO_BYTES = new Uint8Array(0);
/** Between two pieces of a split answer. */
const PIECE_GAP_MS = 20;

/** An answer that waits for the next one goes after this long by itself. */
const HOLD_MS = 5_000;

/** How an answer goes out. */
export interface SendPace {
	/** Bytes of a piece. */
	readonly pieceBytes: number;
	/** From one piece to the next. */
	readonly gapMs?: number;
}

interface Piece {
	readonly bytes: Uint8Array;
	/** From this piece to the next one. */
	readonly gapMs: number;
}

export class HostConnection {
	/** For the log. */
	readonly number: number;
	readonly #clock: Clock;
	readonly #peer: Peer;
	readonly #limits: ConnectionLimits;
	readonly #events: ConnectionEvents;
	readonly #framer: Framer;
	readonly #outgoing: Piece[] = [];
	/** The last answer that was to go out, for {@link replay}; its bytes are the first ones here. */
	#last = NO_BYTES;
	#lastBytes = 0;
	/** Sends the answer that is held back. */
	#held: (() => void) | undefined;
	/** Monotonic ms of the last whole frame. */
	#idleSinceMs = 0;
	#idleTimer = 0;
	#frameTimer = 0;
	#pieceTimer = 0;
	#holdTimer = 0;
	/** Whole frames in what is being received. */
	#frames = 0;
	#received = false;
	#halfOpen = false;
	#closed = false;

	constructor(
		number: number,
		options: { clock: Clock; dialect: Dialect; peer: Peer; limits: ConnectionLimits; events: ConnectionEvents },
	) {
		this.number = number;
		this.#clock = options.clock;
		this.#peer = options.peer;
		this.#limits = options.limits;
		this.#events = options.events;
		this.#framer = new Framer(options.dialect);
		this.#idleSinceMs = this.#clock.monotonic();
		this.#idleTimer = this.#clock.setTimer(this.#limits.idleMsMax, this.#onIdle);
	}

	get closed(): boolean {
		return this.#closed;
	}

	/** Nobody serves it: see {@link leaveHalfOpen}. */
	get halfOpen(): boolean {
		return this.#halfOpen;
	}

	/** DE 41 of the peer's certificate, if it has one. */
	get terminalId(): string | undefined {
		return this.#peer.terminalId;
	}

	/** Bytes from the network, in any split. */
	receive(bytes: Uint8Array, byteCount = bytes.length): void {
		if (this.#closed || this.#halfOpen || byteCount === 0) return;
		const first = !this.#received;
		this.#received = true;
		this.#frames = 0;
		try {
			this.#framer.push(bytes, byteCount, this.#onFrame);
		} catch (error) {
			if (!(error instanceof CodedError)) throw error;
			this.close(first && looksLikeText(bytes, byteCount) ? "speaks HTTP or text, not ISO 8583" : error.message);
			return;
		}
		if (this.#closed || this.#halfOpen) return;
		if (this.#frames > 0) {
			this.#noTimer(this.#frameTimer);
			this.#frameTimer = 0;
			this.#idleSinceMs = this.#clock.monotonic();
		} else if (this.#frameTimer === 0) {
			this.#frameTimer = this.#clock.setTimer(this.#limits.frameMsMax, () => this.close("a frame came too slowly"));
		}
	}

	/** Sends a copy of `bytes[0, byteLength)`; with a pace in pieces. An answer that is held follows it. */
	send(bytes: Uint8Array, byteLength: number, pace?: SendPace): void {
		if (this.#closed || this.#halfOpen) return;
		if (pace === undefined && this.#outgoing.length === 0) this.#peer.send(bytes.slice(0, byteLength));
		else this.#queue(bytes, byteLength, pace);
		if (this.#held !== undefined) this.#release();
	}

	/** Calls `send` when the next answer has gone, or in 5 s. Where one is held already, at once: it is the next. */
	hold(send: () => void): void {
		if (this.#closed || this.#halfOpen) return;
		if (this.#held !== undefined) {
			send();
			return;
		}
		this.#held = send;
		this.#holdTimer = this.#clock.setTimer(HOLD_MS, () => {
			this.#holdTimer = 0;
			this.#release();
		});
	}

	/** Keeps a copy of `bytes[0, byteLength)` for {@link replay}. */
	keep(bytes: Uint8Array, byteLength: number): void {
		if (this.#last.length < byteLength) this.#last = new Uint8Array(bytes.length);
		for (let i = 0; i < byteLength; i++) this.#last[i] = bytes[i];
		this.#lastBytes = byteLength;
	}

	/** Sends what was kept last. @returns false when there is nothing */
	replay(): boolean {
		if (this.#lastBytes === 0) return false;
		this.send(this.#last, this.#lastBytes);
		return true;
	}

	/**
	 * Open for both ends, and never served again: nothing is read, nothing is sent, not even what waits to go out, and
	 * silence ends it no more. It ends when the peer hangs up, or when the host needs its place.
	 */
	leaveHalfOpen(): void {
		if (this.#closed) return;
		this.#halfOpen = true;
		this.#drop();
	}

	/** The peer has hung up. */
	end(): void {
		this.#shut("");
	}

	/** The host hangs up. May be called twice. */
	close(reason: string): void {
		if (this.#closed) return;
		this.#shut(reason);
		this.#peer.close();
	}

	#shut(reason: string): void {
		if (this.#closed) return;
		this.#closed = true;
		this.#drop();
		this.#events.onClosed(this, reason);
	}

	/** Nothing waits any more, and nothing is due. */
	#drop(): void {
		for (const timer of [this.#idleTimer, this.#frameTimer, this.#pieceTimer, this.#holdTimer]) this.#noTimer(timer);
		this.#outgoing.length = 0;
		this.#held = undefined;
		this.#framer.reset();
	}

	#noTimer(timer: number): void {
		if (timer !== 0) this.#clock.clearTimer(timer);
	}

	/** After {@link #drop} none comes any more, not even of the same push. */
	readonly #onFrame = (frame: Uint8Array, byteLength: number): void => {
		this.#frames++;
		this.#events.onFrame(this, frame, byteLength);
	};

	/** One timer lasts as long as the connection: a frame only moves what it looks at. */
	readonly #onIdle = (): void => {
		const restMs = this.#limits.idleMsMax - (this.#clock.monotonic() - this.#idleSinceMs);
		if (restMs > 0) this.#idleTimer = this.#clock.setTimer(restMs, this.#onIdle);
		else this.close("silent too long");
	};

	#release(): void {
		const send = this.#held;
		this.#held = undefined;
		this.#noTimer(this.#holdTimer);
		this.#holdTimer = 0;
		send?.();
	}

	#queue(bytes: Uint8Array, byteLength: number, pace: SendPace | undefined): void {
		const step = pace?.pieceBytes ?? byteLength;
		const gapMs = pace?.gapMs ?? PIECE_GAP_MS;
		for (let at = 0; at < byteLength; at += step) {
			this.#outgoing.push({ bytes: bytes.slice(at, Math.min(at + step, byteLength)), gapMs });
		}
		if (this.#outgoing.length > this.#limits.piecesMax) this.close("takes its answers too slowly");
		else if (this.#pieceTimer === 0) this.#sendPiece();
	}

	#sendPiece(): void {
		this.#pieceTimer = 0;
		const piece = this.#outgoing.shift();
		if (piece === undefined) return;
		this.#peer.send(piece.bytes);
		if (this.#outgoing.length > 0) {
			this.#pieceTimer = this.#clock.setTimer(piece.gapMs, () => this.#sendPiece());
		}
	}
}

/** A frame of at most 1,460 bytes begins with 0x00–0x05; letters say that somebody else is calling. */
function looksLikeText(bytes: Uint8Array, byteCount: number): boolean {
	for (let i = 0; i < Math.min(byteCount, 2); i++) if (bytes[i] < 0x20 || bytes[i] > 0x7e) return false;
	return true;
}
