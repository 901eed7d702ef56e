/**
 * Calls per second of several pieces of work, in rounds: each round runs every piece for the same short time, one after
 * the other, so that what else the computer does, and how warm it is, falls on all of them alike.
 */
import { performance } from "node:perf_hooks";

export interface Work {
	readonly name: string;
	/** One call of it, often enough to be optimized; what it returns is kept from being optimized away. */
	run(): unknown;
}

/** Calls per second. */
export interface Rate {
	readonly median: number;
	readonly least: number;
	readonly greatest: number;
	/** One for each round. */
	readonly rounds: readonly number[];
}

/** Calls between two looks at the clock. */
const CALLS = 200;

let kept: unknown;

/** What the last call of any work has returned. */
export function lastResult(): unknown {
	return kept;
}

/**
 * @param sliceMs - of one piece of work in one round
 * @param onRound - after each round, and after the warm-up with 0
 * @returns by name, in the order given
 */
export function measureRates<Name extends string>(
	works: readonly (Work & { readonly name: Name })[],
	options: { readonly rounds: number; readonly sliceMs: number; onRound?(round: number): void },
): Record<Name, Rate> {
	const rates = Object.fromEntries(works.map(({ name }) => [name, [] as number[]])) as Record<Name, number[]>;
	for (const work of works) slice(work, options.sliceMs);
	options.onRound?.(0);
	for (let round = 1; round <= options.rounds; round++) {
		for (const work of works) rates[work.name].push(slice(work, options.sliceMs));
		options.onRound?.(round);
	}
	return Object.fromEntries(works.map(({ name }) => [name, summarize(rates[name])])) as Record<Name, Rate>;
}

/** @returns calls per second */
function slice(work: Work, sliceMs: number): number {
	let calls = 0;
	let passedMs = 0;
	const began = performance.now();
	do {
		for (let i = 0; i < CALLS; i++) kept = work.run();
		calls += CALLS;
		passedMs = performance.now() - began;
	} while (passedMs < sliceMs);
	return (calls * 1000) / passedMs;
}

function summarize(rounds: readonly number[]): Rate {
	const sorted = [...rounds].sort((a, b) => a - b);
	const middle = sorted.length >> 1;
	const median = sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
	return { median, least: sorted[0], greatest: sorted[sorted.length - 1], rounds };
}
