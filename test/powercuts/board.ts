/**
 * The board of one boot in the searches: one partition, or two that share the power and the count of operations, over
 * silicon that outlives it. Says on request what happens on the flash: for the story of a failure, and for aiming.
 */
import { FlashCut } from "../../host-sim/board/flash-cut";
import { FlashMedium } from "../../host-sim/board/flash-medium";
import { NorFlash } from "../../host-sim/board/nor-flash";
import { Power } from "../../host-sim/board/power";
import type { SeededRandom } from "../../host-sim/board/seeded-random";
import type { FlashPartition, FlashStatus } from "../../src/ports";

export interface Geometry {
	readonly blocks: number;
	readonly blockLength: number;
	readonly writeAlign: number;
	readonly mirror: boolean;
}

export function newSilicon(geometry: Geometry): FlashMedium[] {
	const { blocks, blockLength, writeAlign, mirror } = geometry;
	const media = [new FlashMedium({ blocks, blockLength, writeAlign })];
	if (mirror) media.push(new FlashMedium({ blocks, blockLength, writeAlign }));
	return media;
}

/** Told before each call that changes flash. */
export type FlashWatch = (
	what: "erase" | "write",
	operation: number,
	copy: number,
	block: number,
	text: () => string,
) => void;

export class Board {
	readonly power = new Power();
	readonly cut: FlashCut;
	readonly flashes: NorFlash[] = [];
	/** What the journal is given. */
	readonly partitions: FlashPartition[];

	/** @param random - of this boot: torn results and marginal reads */
	constructor(media: readonly FlashMedium[], random: SeededRandom, watch?: FlashWatch, cut = new FlashCut()) {
		const { power } = this;
		this.cut = cut;
		for (const medium of media) this.flashes.push(new NorFlash({ medium, power, cut, random }));
		this.partitions =
			watch === undefined ? this.flashes : this.flashes.map((flash, copy) => new Watched(flash, copy, cut, watch));
	}
}

class Watched implements FlashPartition {
	readonly #flash: NorFlash;
	readonly #copy: number;
	readonly #cut: FlashCut;
	readonly #watch: FlashWatch;

	constructor(flash: NorFlash, copy: number, cut: FlashCut, watch: FlashWatch) {
		this.#flash = flash;
		this.#copy = copy;
		this.#cut = cut;
		this.#watch = watch;
	}
	status(): FlashStatus {
		return this.#flash.status();
	}
	read(byteLength: number, byteOffset: number): ArrayBuffer;
	read(buffer: Uint8Array, byteOffset: number): number;
	read(target: never, byteOffset: number): ArrayBuffer | number {
		return this.#flash.read(target, byteOffset);
	}
	write(buffer: Uint8Array, byteOffset: number): void {
		const { blockLength } = this.#flash.medium;
		const block = Math.floor(byteOffset / blockLength);
		const offset = byteOffset % blockLength;
		const text = () => `program ${buffer.length} at block ${block} +${offset}`;
		this.#watch("write", this.#cut.operations + 1, this.#copy, block, text);
		this.#flash.write(buffer, byteOffset);
	}
	eraseBlock(start: number, end = start + 1): void {
		this.#watch("erase", this.#cut.operations + 1, this.#copy, start, () => `erase block ${start}`);
		this.#flash.eraseBlock(start, end);
	}
	close(): void {
		this.#flash.close();
	}
}
