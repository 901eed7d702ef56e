/**
 * What `npm run campaign` and `npm run replay` have in common on their command lines: seeds, shards, kinds of trouble,
 * and the command that runs one world again.
 * @module
 */
import type { WorldOptions } from "../world/report";
import { STRIKE_KINDS } from "../world/strikes";
import { UsageError } from "./args";

export const CUSTOMERS_MAX = 100_000;

/** Part of a campaign; `index` from 0 to `count` − 1. */
export interface Shard {
	readonly index: number;
	readonly count: number;
}

export interface SeedRange {
	readonly first: number;
	readonly last: number;
}

/**
 * `A..B`, both included; one number is that seed alone.
 * @throws {UsageError}
 */
export function readSeeds(text: string): SeedRange {
	const match = /^(\d{1,16})(?:\.\.(\d{1,16}))?$/.exec(text);
	const first = Number(match?.[1]);
	const last = match?.[2] === undefined ? first : Number(match[2]);
	if (match === null || last < first || last > Number.MAX_SAFE_INTEGER) {
		throw new UsageError(
			`--seeds is A..B with A from 0 and B from A to ${Number.MAX_SAFE_INTEGER}, or one seed, not "${text}"`,
		);
	}
	return { first, last };
}

/**
 * `k/n`: k counts from 0, as Kubernetes' indexes and those of a CI matrix do. No other counting is taken: who mixes two
 * of them would run one shard twice, and another never.
 * @throws {UsageError}
 */
export function readShard(text: string): Shard {
	const match = /^(0|[1-9]\d{0,5})\/([1-9]\d{0,5})$/.exec(text);
	const index = Number(match?.[1]);
	const count = Number(match?.[2]);
	if (match === null || index >= count) {
		throw new UsageError(`--shard is k/n with n from 1 to 999999 and k from 0 to n − 1, not "${text}"`);
	}
	return { index, count };
}

/** The seeds of one shard: of A..B those A + i with i mod n = k. Nobody has to be asked who does which. */
export class ShardSeeds {
	/** How many. */
	readonly count: number;
	#next: number;
	readonly #last: number;
	readonly #step: number;

	constructor({ first, last }: SeedRange, { index, count }: Shard = { index: 0, count: 1 }) {
		this.#next = first + index;
		this.#last = last;
		this.#step = count;
		this.count = this.#next > last ? 0 : Math.floor((last - this.#next) / count) + 1;
	}

	/** @returns at most so many more, in order; none when there are no more */
	take(most: number): number[] {
		const seeds: number[] = [];
		while (seeds.length < most && this.#next <= this.#last) {
			seeds.push(this.#next);
			this.#next += this.#step;
		}
		return seeds;
	}
}

/**
 * Kinds of trouble, comma-separated or one at a time.
 * @throws {UsageError} for one that nobody knows; all are listed
 */
export function readKinds(option: string, texts: readonly string[]): string[] {
	const kinds = readNames(option, texts);
	for (const kind of kinds) {
		if (!STRIKE_KINDS.includes(kind)) {
			throw new UsageError(`--${option} names a kind of trouble, not "${kind}": ${STRIKE_KINDS.join(" ")}`);
		}
	}
	return kinds;
}

/** What stands for no strike at all. */
const NO_STRIKES = "none";

/**
 * Strikes by name, `kind#n`; "none" for none at all.
 * @throws {UsageError}
 */
export function readStrikes(option: string, texts: readonly string[]): string[] {
	if (texts.length === 1 && texts[0] === NO_STRIKES) return [];
	const names = readNames(option, texts);
	for (const name of names) {
		const [, kind, number] = /^([A-Za-z]+)#([1-9]\d{0,8})$/.exec(name) ?? [];
		if (number === undefined || !STRIKE_KINDS.includes(kind)) {
			throw new UsageError(`--${option} names strikes as kind#n, e.g. powerCut#3, or "none", not "${name}"`);
		}
	}
	return names;
}

function readNames(option: string, texts: readonly string[]): string[] {
	const names = texts.flatMap((text) => text.split(","));
	if (names.includes("")) throw new UsageError(`--${option} has an empty name`);
	return [...new Set(names)];
}

/** The one command that tells the story of this world. */
export function replayCommand({ seed, customers, without = [], only }: WorldOptions): string {
	return [
		`npm run replay -- --seed ${seed}`,
		...(customers === undefined ? [] : [`--customers ${customers}`]),
		...(without.length === 0 ? [] : [`--without ${without.join(",")}`]),
		// A shell may take # for its own.
		...(only === undefined ? [] : [`--only "${only.length === 0 ? NO_STRIKES : only.join(",")}"`]),
	].join(" ");
}
