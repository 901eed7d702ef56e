/**
 * One connection to the host, bounded in everything (I10): a silent peer is closed, a frame that comes too slowly is
 * closed, what is not a frame is closed, and answers waiting to go out are limited.
 *
 * Answers leave in order. One that goes out in pieces holds back those behind it, so that no two frames mix.
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

/** Between two pieces of a split answer. */
const PIECE_GAP_MS = 20;

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
	/** The last answer that went out whole: to be replayed by a fault. */
	lastAnswer: Uint8Array | undefined;
	readonly #clock: Clock;
	readonly #peer: Peer;
	readonly #limits: ConnectionLimits;
	readonly #events: ConnectionEvents;
	readonly #framer: Framer;
	readonly #outgoing: Piece[] = [];
	#idleTimer = 0;
	#frameTimer = 0;
	#pieceTimer = 0;
	#received = false;
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
		this.#watchIdle();
	}

	get closed(): boolean {
		return this.#closed;
	}

	/** DE 41 of the peer's certificate, if it has one. */
	get terminalId(): string | undefined {
		return this.#peer.terminalId;
	}

	/** Bytes from the network, in any split. */
	receive(bytes: Uint8Array, byteCount = bytes.length): void {
		if (this.#closed || byteCount === 0) return;
		const first = !this.#received;
		this.#received = true;
		let frames = 0;
		try {
			this.#framer.push(bytes, byteCount, (frame, byteLength) => {
				if (this.#closed) return;
				frames++;
				this.#events.onFrame(this, frame, byteLength);
			});
		} catch (error) {
			if (!(error instanceof CodedError)) throw error;
			this.close(first && looksLikeText(bytes, byteCount) ? "speaks HTTP or text, not ISO 8583" : error.message);
			return;
		}
		if (this.#closed) return;
		if (frames > 0) {
			this.#clock.clearTimer(this.#frameTimer);
			this.#frameTimer = 0;
			this.#watchIdle();
		} else if (this.#frameTimer === 0) {
			this.#frameTimer = this.#clock.setTimer(this.#limits.frameMsMax, () => this.close("a frame came too slowly"));
		}
	}

	/** Sends a copy of `bytes[0, byteLength)`; with a pace in pieces. */
	send(bytes: Uint8Array, byteLength: number, pace?: SendPace): void {
		if (this.#closed) return;
		if (pace === undefined && this.#outgoing.length === 0) {
			this.#peer.send(bytes.slice(0, byteLength));
			return;
		}
		const step = pace?.pieceBytes ?? byteLength;
		const gapMs = pace?.gapMs ?? PIECE_GAP_MS;
		for (let at = 0; at < byteLength; at += step) {
			this.#outgoing.push({ bytes: bytes.slice(at, Math.min(at + step, byteLength)), gapMs });
		}
		if (this.#outgoing.length > this.#limits.piecesMax) this.close("takes its answers too slowly");
		else if (this.#pieceTimer === 0) this.#sendPiece();
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
		this.#clock.clearTimer(this.#idleTimer);
		this.#clock.clearTimer(this.#frameTimer);
		this.#clock.clearTimer(this.#pieceTimer);
		this.#outgoing.length = 0;
		this.#framer.reset();
		this.#events.onClosed(this, reason);
	}

	#watchIdle(): void {
		this.#clock.clearTimer(this.#idleTimer);
		this.#idleTimer = this.#clock.setTimer(this.#limits.idleMsMax, () => this.close("silent too long"));
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
