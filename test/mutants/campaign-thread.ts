/**
 * A thread of the campaign, bundled together with the mutated firmware and one search: runs its seeds and tells of each
 * at once, so that a seed that never ends is seen from outside.
 */
import { parentPort, workerData } from "node:worker_threads";
import type { SearchSeed, SeedResult } from "./campaign-seed";

export interface ThreadData {
	readonly seeds: readonly number[];
	/** False: all of them, whatever fails. */
	readonly stopAtFailure: boolean;
}

export function serve(searchSeed: SearchSeed): void {
	const { seeds, stopAtFailure } = workerData as ThreadData;
	for (const seed of seeds) {
		const result = run(searchSeed, seed);
		parentPort?.postMessage(result);
		if (stopAtFailure && result.failure !== undefined) return;
	}
}

/** An exception that leaves the world is a failure like any other. */
function run(searchSeed: SearchSeed, seed: number): SeedResult {
	try {
		return searchSeed(seed);
	} catch (error) {
		return { seed, failure: `threw ${(error as Error).name}: ${(error as Error).message}`, sales: 0 };
	}
}
