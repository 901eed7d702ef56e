/**
 * What an interrupted flash operation leaves behind. A program leaves any subset of the bits it was to clear; an
 * erase leaves any mixture of old, 0x00 (chips program a block before they erase it) and 0xFF; and any of the cells
 * concerned may be marginal.
 *
 * The choice: the byte at which power went, and `shape`, 0 to 17: kind = shape mod 6, share of marginal cells
 * (none, some, all) = shape / 6. The rest follows from the generator, which the caller forks by the cut's name.
 * Shape 0 is the plain one, and the least a search tries is all 18 of them.
 * @module
 */
import { SHAPE_KINDS } from "./flash-cut";
import type { FlashMedium } from "./flash-medium";
import type { SeededRandom } from "./seeded-random";

/** A byte of a half-erased block: programmed first, erased, or (undefined) as it was. */
const MIXTURE = [0, 0xff, undefined];

/** A byte each of whose bits is 1 with a chance of `eighths` in 8: 8 three-bit numbers, compared side by side. */
export function randomMask(random: SeededRandom, eighths: number): number {
	if (eighths === 8) return 0xff;
	const word = random.u32();
	let below = 0;
	let equal = 0xff;
	for (let place = 2; place >= 0; place--) {
		const digits = (word >>> (8 * place)) & 0xff;
		if (((eighths >> place) & 1) === 1) {
			below |= equal & ~digits;
			equal &= digits;
		} else equal &= ~digits;
	}
	return below;
}

/**
 * Interrupts the program of `bytes[from, from + length)` at `at`, all in one page, at its byte `split`. Kinds: 0 the
 * bytes before done, that one half; 1 nothing done; 2 all done; 3 the bytes after done, that one half; 4 any bits;
 * 5 any bytes.
 * @param marginal - false: no cell is left marginal, whatever the shape
 */
export function tearProgram(
	medium: FlashMedium,
	bytes: Uint8Array,
	from: number,
	at: number,
	length: number,
	split: number,
	shape: number,
	random: SeededRandom,
	marginal: boolean,
): void {
	const { image } = medium;
	const kind = shape % SHAPE_KINDS;
	const share = marginal ? Math.floor(shape / SHAPE_KINDS) : 0;
	const density = 1 + random.below(7);
	const start = at % medium.blockLength;
	const masks = share === 0 ? undefined : medium.marginalMask((at - start) / medium.blockLength, start, start + length);
	for (let i = 0; i < length; i++) {
		const changing = image[at + i] & ~bytes[from + i];
		let done = 0;
		if (kind === 0) done = i < split ? 0xff : i === split ? randomMask(random, density) : 0;
		else if (kind === 2) done = 0xff;
		else if (kind === 3) done = i > split ? 0xff : i === split ? randomMask(random, density) : 0;
		else if (kind === 4) done = randomMask(random, density);
		else if (kind === 5) done = random.chance(density, 8) ? 0xff : 0;
		image[at + i] &= ~(changing & done);
		if (masks !== undefined) masks[start + i] |= changing & (share === 2 ? 0xff : randomMask(random, density));
	}
}

/**
 * Interrupts the erase of `block` at its byte `split`. Kinds: 0 the bytes before erased, that one half, the rest old;
 * 1 all old; 2 all erased; 3 programmed first, all of it or up to that byte; 4 any mixture of bytes; 5 of bits.
 */
export function tearErase(
	medium: FlashMedium,
	block: number,
	split: number,
	shape: number,
	random: SeededRandom,
	marginal: boolean,
): void {
	const { image, blockLength } = medium;
	const kind = shape % SHAPE_KINDS;
	const share = marginal ? Math.floor(shape / SHAPE_KINDS) : 0;
	const density = 1 + random.below(7);
	const programmedTo = random.chance(1, 2) ? blockLength : split;
	const base = block * blockLength;
	const masks = share === 0 ? undefined : medium.marginalMask(block, 0, blockLength);
	for (let i = 0; i < blockLength; i++) {
		const old = image[base + i];
		let now = old;
		if (kind === 0) now = i < split ? 0xff : i === split ? old | randomMask(random, density) : old;
		else if (kind === 2) now = 0xff;
		else if (kind === 3) now = i < programmedTo ? 0 : old;
		else if (kind === 4) now = MIXTURE[random.below(3)] ?? old;
		else if (kind === 5) {
			// Bit by bit: risen cells, cells programmed first, cells not yet touched.
			const risen = randomMask(random, density);
			now = (old & randomMask(random, 8 - density)) | risen;
		}
		image[base + i] = now;
		if (masks === undefined) continue;
		// Cells on their way up are those that were 0. Where the block was programmed first, that is every cell.
		// So one mood of the cells reads the old block as it was, and another an erased one: both look sound.
		const moving = kind >= 3 ? 0xff : ~old & 0xff;
		masks[i] |= moving & (share === 2 ? 0xff : randomMask(random, density));
	}
}
