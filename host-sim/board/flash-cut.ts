/**
 * When power goes, named by flash operation and byte: `12.37` is the twelfth operation of the boot, at byte 37 of it;
 * `12.37/5` leaves another shape behind (flash-tear.ts). Page programs and block erases of all partitions that share
 * a FlashCut are counted together, from 1, so one name says a moment of the whole board.
 *
 * Byte 0 is before the operation, its length is after it and before the call returns, anything between is within it.
 * The name printed is the exact one: what is torn follows from it and the seed of the run alone.
 * @module
 */
import { assert } from "../../src/core/assert";
import { CodedError } from "../../src/core/errors";
import type { SeededRandom } from "./seeded-random";

/** Nothing of the operation has happened. */
export const CUT_BEFORE = 0;
/** All of the operation has happened, whatever its length; the call never returns. */
export const CUT_AFTER = 0xffff_ffff;
/** What a torn operation may leave: flash-tear.ts has the kinds. */
export const SHAPE_KINDS = 6;
/** Each kind with each share of marginal cells: none, some, all. */
export const TEAR_SHAPES = 3 * SHAPE_KINDS;

export interface Cut {
	/** From 1, in one boot. */
	operation: number;
	byte: number;
	/** 0 to 17. */
	shape: number;
}

/** "12.37", or "12.37/5" when the shape is not 0. */
export function formatCut(cut: Cut): string {
	const { operation, byte, shape } = cut;
	return shape === 0 ? `${operation}.${byte}` : `${operation}.${byte}/${shape}`;
}

/**
 * The cut that {@link formatCut} names; "cut=" may stand before it.
 * @throws {CodedError} "format" for anything else, "range" for a number that no cut has; place "cut"
 */
export function parseCut(text: string): Cut {
	const match = /^(?:cut=)?(\d{1,10})\.(\d{1,10})(?:\/(\d{1,2}))?$/.exec(text);
	if (match === null) throw new CodedError("format", "cut", "expected operation.byte or operation.byte/shape");
	const operation = Number(match[1]);
	const byte = Number(match[2]);
	const shape = Number(match[3] ?? 0);
	if (operation < 1 || operation > 0xffff_ffff) throw new CodedError("range", "cut", "operations count from 1");
	if (byte > CUT_AFTER) throw new CodedError("range", "cut", "a byte is at most 2^32 - 1");
	if (shape >= TEAR_SHAPES) throw new CodedError("range", "cut", `shapes are 0 to ${TEAR_SHAPES - 1}`);
	return { operation, byte, shape };
}

/** A byte to cut at: before, after, and twice as often within, whatever the operation's length. */
export function drawCutByte(random: SeededRandom): number {
	const where = random.below(4);
	return where === 0 ? CUT_BEFORE : where === 1 ? CUT_AFTER : random.u32();
}

/** The operation counter of one boot of a board, and the cut that waits for it. */
export class FlashCut {
	/** Page programs and block erases begun in this boot; the number of the last one. */
	operations = 0;
	/** Partitions that share this counter: each has a number, in the order they were made. */
	partitions = 0;
	#operation = 0;
	#byte = 0;
	#shape = 0;

	/**
	 * Power goes at operation `operation` of this boot; one cut waits at a time.
	 * @param byte - counts modulo the operation's length + 1; {@link CUT_AFTER} is after it, whatever its length
	 * @param shape - modulo {@link TEAR_SHAPES}
	 */
	cutAt(operation: number, byte: number, shape = 0): void {
		assert(Number.isInteger(operation) && operation > this.operations, "a cut lies in the future");
		assert(Number.isInteger(byte) && byte >= 0 && byte <= CUT_AFTER, "a byte is an unsigned 32-bit number");
		assert(Number.isInteger(shape) && shape >= 0, "a shape is a count");
		this.#operation = operation;
		this.#byte = byte;
		this.#shape = shape % TEAR_SHAPES;
	}

	/** Of the cut that waits or has struck, and then the exact one; empty when there is none. */
	get name(): string {
		if (this.#operation === 0) return "";
		return formatCut({ operation: this.#operation, byte: this.#byte, shape: this.#shape });
	}

	get shape(): number {
		return this.#shape;
	}

	/** Counts an operation of `byteLength`. @returns the byte of it at which power goes, or -1 */
	begin(byteLength: number): number {
		this.operations += 1;
		if (this.operations !== this.#operation) return -1;
		this.#byte = this.#byte === CUT_AFTER ? byteLength : this.#byte % (byteLength + 1);
		return this.#byte;
	}
}
