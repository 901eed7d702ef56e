/**
 * What time, wear and accidents do to flash: bits that flip at rest, cells that are stuck, blocks that stop working,
 * blocks and partitions whose content is gone, partitions that are dead. None of it is the firmware's fault: a
 * program that meets such cells breaks no rule, it is only not read back as it was meant.
 * @module
 */
import { assert } from "../../src/core/assert";
import { type FlashMedium, PAGE_BYTES } from "./flash-medium";
import type { SeededRandom } from "./seeded-random";

/**
 * How a block's content is gone: random bytes, all 0x00, all 0xFF, what it held before its last erase, or one page
 * of it random.
 */
export const DAMAGE_KINDS = ["noise", "zeros", "ones", "stale", "page"] as const;
export type DamageKind = (typeof DAMAGE_KINDS)[number];

/** The content of `block` is lost, and with it what is known about its cells. */
export function destroyBlock(medium: FlashMedium, block: number, kind: DamageKind, random: SeededRandom): void {
	assert(Number.isInteger(block) && block >= 0 && block < medium.blocks, "a destroyed block is one of the flash");
	const { blockLength } = medium;
	const base = block * blockLength;
	const cells = medium.image.subarray(base, base + blockLength);
	const previous = medium.previous[block];
	if (kind === "noise") random.fill(cells);
	else if (kind === "zeros") cells.fill(0);
	else if (kind === "stale" && previous !== undefined) cells.set(previous);
	else if (kind === "page") {
		const page = random.below(blockLength / PAGE_BYTES) * PAGE_BYTES;
		random.fill(cells.subarray(page, page + PAGE_BYTES));
	} else cells.fill(0xff); // Before its first erase a block is as it came from the factory.
	medium.marginal.delete(block);
	medium.flipped.delete(block);
	medium.lost.add(block);
	medium.backing?.program(base, cells);
}

/** Flips one bit at rest. */
export function flipBit(medium: FlashMedium, offset: number, bit: number): void {
	const { image, flipped, blockLength } = medium;
	const block = Math.floor(offset / blockLength);
	let mask = flipped.get(block);
	if (mask === undefined) {
		mask = new Uint8Array(blockLength);
		flipped.set(block, mask);
	}
	mask[offset % blockLength] |= 1 << bit;
	image[offset] ^= 1 << bit;
	medium.backing?.program(offset, image.subarray(offset, offset + 1));
}

/** From the next operation that touches it, for good. */
export function stickBit(medium: FlashMedium, offset: number, bit: number, value: 0 | 1): void {
	assert(Number.isInteger(offset) && offset >= 0 && offset < medium.size, "a stuck bit is one of the flash");
	const block = Math.floor(offset / medium.blockLength);
	medium.stuck.set(block, [...(medium.stuck.get(block) ?? []), { offset, mask: 1 << bit, value }]);
}
