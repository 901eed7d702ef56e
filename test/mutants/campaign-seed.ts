/** One seed of the search that every mutant meets first: a world. */
import { runWorld } from "../../host-sim/world/world";

export interface SeedResult {
	readonly seed: number;
	/** What is wrong with it, in one line that begins with the invariant; undefined when nothing is. */
	readonly failure: string | undefined;
	readonly sales: number;
}

export type SearchSeed = (seed: number) => SeedResult;

export const searchSeed: SearchSeed = (seed) => {
	const { failures, sales } = runWorld({ seed });
	const first = failures[0];
	return { seed, failure: first === undefined ? undefined : `${first.invariant} ${first.text}`, sales };
};
