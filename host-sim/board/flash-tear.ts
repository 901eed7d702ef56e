/**
 * What an interrupted flash operation leaves behind. A program leaves any subset of the bits it was to clear; an
 * erase leaves any mixture of old, 0x00 (chips program a block before they erase it) and 0xFF; and any of the cells
 * concerned may be marginal.
 *
 * `variant` is the whole choice: shape = variant mod 6, share of marginal cells (none, some, all) = variant / 6
 * mod 3, and the random rest follows from the generator, which the caller forks by operation and variant. Variants
 * 0 to 17 so cover every shape once; a search draws any 32-bit variant.
 * @module
 */
import type { FlashMedium } from "./flash-medium";
import type { SeededRandom } from "./seeded-random";

/** Distinct pairs of shape and share: an exhaustive search tries at least these. */
export const TEAR_VARIANTS = 18;

/** A byte of a half-erased block: programmed first, erased, or (undefined) as it was. */
const MIXTURE = [0, 0xff, undefined];

/** A byte each of whose bits is 1 with a chance of `eighths` in 8: 8 three-bit numbers, compared side by side. */
function randomMask(random: SeededRandom, eighths: number): number {
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

/** Interrupts the program of `bytes[from, from + length)` at `at`; all in one page. */
export function tearProgram(
	medium: FlashMedium,
	bytes: Uint8Array,
	from: number,
	at: number,
	length: number,
	variant: number,
	random: SeededRandom,
	marginal: boolean,
): void {
	const { image } = medium;
	const shape = variant % 6;
	const share = marginal ? Math.floor(variant / 6) % 3 : 0;
	const split = random.below(length);
	const density = 1 + random.below(7);
	const start = at % medium.blockLength;
	const masks = share === 0 ? undefined : medium.marginalMask((at - start) / medium.blockLength);
	for (let i = 0; i < length; i++) {
		const changing = image[at + i] & ~bytes[from + i];
		let done = 0;
		if (shape === 1) done = 0xff;
		else if (shape === 2) done = i < split ? 0xff : i === split ? randomMask(random, density) : 0;
		else if (shape === 3) done = i > split ? 0xff : i === split ? randomMask(random, density) : 0;
		else if (shape === 4) done = randomMask(random, density);
		else if (shape === 5) done = random.chance(density, 8) ? 0xff : 0;
		image[at + i] &= ~(changing & done);
		if (masks !== undefined) masks[start + i] |= changing & (share === 2 ? 0xff : randomMask(random, density));
	}
}

/** Interrupts the erase of `block`. */
export function tearErase(
	medium: FlashMedium,
	block: number,
	variant: number,
	random: SeededRandom,
	marginal: boolean,
): void {
	const { image, blockLength } = medium;
	const shape = variant % 6;
	const share = marginal ? Math.floor(variant / 6) % 3 : 0;
	const split = random.below(blockLength);
	const density = 1 + random.below(7);
	const base = block * blockLength;
	const masks = share === 0 ? undefined : medium.marginalMask(block);
	for (let i = 0; i < blockLength; i++) {
		const old = image[base + i];
		let now = old;
		if (shape === 1) now = 0xff;
		else if (shape === 2) now = 0;
		else if (shape === 3) now = i < split ? 0xff : old;
		else if (shape === 4) now = MIXTURE[random.below(3)] ?? old;
		else if (shape === 5) {
			// Bit by bit: risen cells, cells programmed first, cells not yet touched.
			const risen = randomMask(random, density);
			now = (old & randomMask(random, 8 - density)) | risen;
		}
		image[base + i] = now;
		if (masks === undefined) continue;
		// Cells on their way up are those that were 0. Where the block was programmed first, that is every cell.
		// So one mood of the cells reads the old block as it was, and another an erased one: both look sound.
		const moving = shape === 2 || shape >= 4 ? 0xff : ~old & 0xff;
		masks[i] |= moving & (share === 2 ? 0xff : randomMask(random, density));
	}
}
