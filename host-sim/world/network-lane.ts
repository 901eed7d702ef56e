/**
 * One direction of one connection: what is put on it arrives in order, whatever holds some of it up, and the end of the
 * stream behind it all. Nothing on it is ever taken back: what was sent arrives, even when its sender is dead.
 *
 * Order needs no queue: nothing is due before what was put on earlier, and timers that are due together fire in the
 * order they were set. A clean piece of the stream costs one timer.
 * @module
 */
import type { Clock } from "../../src/ports";
import type { SeededRandom } from "../board/seeded-random";

/** Pieces of one split; what is left after them comes whole. */
const PIECES_MAX = 64;
const PIECE_BYTES_MAX = 7;
const PIECE_GAP_MS_MAX = 10;
/** Three bits of the shape for each piece, over and over. */
const SHAPE_BITS = 3;
const SHAPE_BITS_MAX = 27;

/**
 * `bytes[start, end)` arrives; `bytes` is what was put on the lane, whole, and nobody's to change. `late`: it was held
 * up on its way.
 */
export type LaneArrival = (bytes: Uint8Array, start: number, end: number, late: boolean) => void;

export class Lane {
	readonly #network: Clock;
	readonly #latencyMs: number;
	readonly #onArrive: LaneArrival;
	/** Nothing put on from now on arrives before this, on the network's monotonic clock. */
	#freeMs = 0;

	/** @param network - outlives both ends */
	constructor(network: Clock, latencyMs: number, onArrive: LaneArrival) {
		this.#network = network;
		this.#latencyMs = latencyMs;
		this.#onArrive = onArrive;
	}

	/** @param bytes - the lane's from now on. @param stallMs - how long nothing moves any more, these bytes first */
	carry(bytes: Uint8Array, stallMs = 0): void {
		const ms = this.#reserve(stallMs, 0);
		this.#network.setTimer(ms, () => this.#onArrive(bytes, 0, bytes.length, ms > this.#latencyMs));
	}

	/** The same in small pieces, some ms apart. @param random - for their sizes and the gap */
	carryPieces(bytes: Uint8Array, random: SeededRandom, stallMs = 0): void {
		const gapMs = 1 + random.below(PIECE_GAP_MS_MAX);
		const shape = random.u32();
		let pieces = 0;
		for (let at = 0; at < bytes.length; at = pieceEnd(shape, pieces++, at, bytes.length)) {}
		const ms = this.#reserve(stallMs, pieces * gapMs);
		this.#network.setTimer(ms, () => this.#piece(bytes, shape, 0, 0, gapMs, ms > this.#latencyMs));
	}

	/** What comes behind everything that is on the lane: the end of the stream. */
	end(onEnd: () => void): void {
		this.#network.setTimer(this.#reserve(0, 0), onEnd);
	}

	/** @returns ms from now to the arrival; what is put on later arrives `holdMs` after that at the earliest */
	#reserve(stallMs: number, holdMs: number): number {
		const nowMs = this.#network.monotonic();
		const dueMs = Math.max(this.#freeMs, nowMs + this.#latencyMs + stallMs);
		this.#freeMs = dueMs + holdMs;
		return dueMs - nowMs;
	}

	/** One timer at a time: each piece sets that of the next. */
	#piece(bytes: Uint8Array, shape: number, number: number, start: number, gapMs: number, late: boolean): void {
		const end = pieceEnd(shape, number, start, bytes.length);
		if (end < bytes.length) {
			this.#network.setTimer(gapMs, () => this.#piece(bytes, shape, number + 1, end, gapMs, late));
		}
		this.#onArrive(bytes, start, end, late);
	}
}

/** Where the piece ends that begins at `start`. @param shape - 32 random bits, the same for all pieces of a split */
function pieceEnd(shape: number, number: number, start: number, length: number): number {
	if (number >= PIECES_MAX - 1) return length;
	const size = 1 + (((shape >>> ((number * SHAPE_BITS) % SHAPE_BITS_MAX)) & PIECE_BYTES_MAX) % PIECE_BYTES_MAX);
	return Math.min(length, start + size);
}
