/** Counts what is done to flash, over one partition or two. Figures are differences of the simulator's own counters. */
import type { FlashMedium } from "../../host-sim/board/flash-medium";
import { NorFlash } from "../../host-sim/board/nor-flash";

/** NOR flash that also counts calls of `read`: on a board each one is a command on the wire. */
export class BenchFlash extends NorFlash {
	reads = 0;

	constructor(medium: FlashMedium) {
		super({ medium, marginalCells: false });
	}

	override read(byteLength: number, byteOffset: number): ArrayBuffer;
	override read(buffer: Uint8Array, byteOffset: number): number;
	override read(target: never, byteOffset: number): ArrayBuffer | number {
		this.reads++;
		return super.read(target, byteOffset);
	}
}

/** What some work has cost, of all partitions together: they are worked one after the other. */
export interface Spent {
	bytesProgrammed: number;
	pagesProgrammed: number;
	blocksErased: number;
	bytesRead: number;
	reads: number;
	/** Datasheet time of programs and erases. */
	typicalUs: number;
	maximumUs: number;
}

export function nothingSpent(): Spent {
	return {
		bytesProgrammed: 0,
		pagesProgrammed: 0,
		blocksErased: 0,
		bytesRead: 0,
		reads: 0,
		typicalUs: 0,
		maximumUs: 0,
	};
}

const KEYS = Object.keys(nothingSpent()) as (keyof Spent)[];

export function addSpent(to: Spent, spent: Spent): void {
	for (const key of KEYS) to[key] += spent[key];
}

export class Meter {
	readonly #flashes: readonly BenchFlash[];

	constructor(flashes: readonly BenchFlash[]) {
		this.#flashes = flashes;
	}

	/** Everything so far. */
	total(): Spent {
		const sum = nothingSpent();
		for (const flash of this.#flashes) addSpent(sum, flash);
		return sum;
	}

	/** What has been spent since `before`. */
	since(before: Spent): Spent {
		const spent = this.total();
		for (const key of KEYS) spent[key] -= before[key];
		return spent;
	}
}
