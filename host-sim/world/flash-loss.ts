/**
 * Flash that loses blocks, and the proof that a mirror makes up for it (S13): one block of one copy after the other is
 * destroyed while the terminal sells; in the end each copy alone must hold the whole journal.
 *
 * What no mirror can cover is never done to it: a block is left alone while the other copy's block at the same place is
 * destroyed and not yet made good. Platform-free.
 * @module
 */
import type { Config } from "../../src/config";
import { CodedError } from "../../src/core/errors";
import { HEADER_BYTES } from "../../src/journal/format";
import { CardSeal } from "../../src/security/card-seal";
import { TransactionLog } from "../../src/transactions/transaction-log";
import { TEST_KEYS } from "../acquirer/test-keys";
import { DAMAGE_KINDS, type DamageKind, destroyBlock, flipBit } from "../board/flash-damage";
import type { FlashMedium } from "../board/flash-medium";
import { MemoryKeys } from "../board/memory-keys";
import { NorFlash } from "../board/nor-flash";
import type { SeededRandom } from "../board/seeded-random";

/** Most blocks of a young flash are blank, and nobody misses one of those: it is any block once in so many times. */
const BLANK_ONE_IN = 16;

export interface LostBlock {
	/** 0 the journal's flash, 1 the mirror. */
	readonly copy: number;
	readonly block: number;
	readonly kind: DamageKind;
}

export class FlashLoss {
	/** Blocks destroyed so far. */
	blocksDestroyed = 0;
	readonly #media: readonly FlashMedium[];
	readonly #random: SeededRandom;
	/** Blocks of either copy that were destroyed, until both copies hold the same again. */
	readonly #open = new Map<number, number>();

	/** @param media - the two copies */
	constructor(media: readonly FlashMedium[], random: SeededRandom) {
		this.#media = media;
		this.#random = random;
	}

	/** Destroys one block of one copy, mostly one that holds something. @returns which, or undefined for none */
	strike(): LostBlock | undefined {
		const random = this.#random;
		const copy = random.below(this.#media.length);
		const medium = this.#media[copy];
		const blocks = Array.from({ length: medium.blocks }, (_, block) => block);
		const written = blocks.filter((block) => !isBlank(medium, block));
		const block = random.pick(written.length === 0 || random.chance(1, BLANK_ONE_IN) ? blocks : written);
		if (this.#isOpen(block) && this.#open.get(block) !== copy) return undefined;
		const kind = random.pick(DAMAGE_KINDS);
		destroyBlock(medium, block, kind, random.fork(this.blocksDestroyed));
		this.#open.set(block, copy);
		this.blocksDestroyed++;
		return { copy, block, kind };
	}

	/** A blank chip takes the place of one copy: to be called while power is off. @returns which, or undefined for none */
	renewCopy(random: SeededRandom): number | undefined {
		const copy = random.below(this.#media.length);
		const medium = this.#media[copy];
		for (const [block, lacks] of this.#open) if (lacks !== copy && this.#isOpen(block)) return undefined;
		for (let block = 0; block < medium.blocks; block++) {
			destroyBlock(medium, block, "ones", random);
			this.#open.set(block, copy);
		}
		return copy;
	}

	/** Flips one bit at rest on one copy. @returns its block, or undefined where the other copy lacks that block */
	flipBit(random: SeededRandom): number | undefined {
		const copy = random.below(this.#media.length);
		const medium = this.#media[copy];
		const offset = random.below(medium.size);
		const block = Math.floor(offset / medium.blockLength);
		if (this.#isOpen(block) && this.#open.get(block) !== copy) return undefined;
		flipBit(medium, offset, random.below(8));
		this.#open.set(block, copy);
		return block;
	}

	/** Destroyed on one copy, and not the same on both since then. */
	#isOpen(block: number): boolean {
		if (!this.#open.has(block)) return false;
		const [first, second] = this.#media.map((medium) => cells(medium, block));
		const firm = this.#media.every((medium) => !medium.marginal.has(block));
		const open = !firm || first.some((cell, at) => cell !== second[at]);
		if (!open) this.#open.delete(block);
		return open;
	}
}

/**
 * How many of `media` hold, without the other, all that they hold together. Asked of copies of the silicon: the
 * terminal above goes on undisturbed.
 */
export function countWholeCopies(media: readonly FlashMedium[], config: Config): number {
	const together = contents(media, config);
	return media.filter((medium) => contents([medium], config) === together).length;
}

/** All transactions of a journal as text; with what is missing, if anything is. */
function contents(media: readonly FlashMedium[], config: Config): string {
	const [journal, mirror] = media.map((medium) => new NorFlash({ medium: medium.clone() }));
	const log = new TransactionLog(journal, config.transactionsMax, new CardSeal(new MemoryKeys(TEST_KEYS)), mirror);
	let mount: ReturnType<TransactionLog["mount"]>;
	try {
		mount = log.mount();
	} catch (error) {
		if (error instanceof CodedError) return `${media.length} of 2: ${error.message}`; // Like nothing else.
		throw error;
	}
	const { status, id, lostBlocks, damagedRecords } = mount;
	const state = status === "rebuilt" ? "ok" : status; // What both hold together is all there, on one of them.
	const lines = [`${state} ${id} ${lostBlocks} ${damagedRecords} ${log.batch}`];
	const { index } = log;
	for (let slot = 0; slot < index.count; slot++) {
		lines.push(`${index.ids[slot]} ${index.stans[slot]} ${index.states[slot]} ${index.amount(slot)}`);
	}
	return lines.join("\n");
}

/** What is in use begins with a header. */
function isBlank(medium: FlashMedium, block: number): boolean {
	const start = block * medium.blockLength;
	return medium.image.subarray(start, start + HEADER_BYTES).every((cell) => cell === 0xff);
}

function cells(medium: FlashMedium, block: number): Uint8Array {
	const { blockLength } = medium;
	return medium.image.subarray(block * blockLength, (block + 1) * blockLength);
}
