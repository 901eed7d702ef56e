/**
 * The campaign over one mutant: firmware and world become one bundle with the mutated texts in place of the files, which
 * runs seed after seed in a thread of its own. A seed that never ends counts as failed: the thread is ended.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { build } from "esbuild";
import type { SeedResult } from "./campaign-seed";
import type { ThreadData } from "./campaign-thread";
import { ROOT, type Sources } from "./mutate";

/** Without a seed that ends. A world takes a hundredth of it. */
export const HANG_MS = 60_000;
const LOOKS_IN_A_HANG = 60;
/** A mutant that hoards ends before it takes the machine with it. */
const HEAP_MB_MAX = 1_024;

export interface Bundle {
	readonly code: string;
	/** False: no mutated file is part of it, so that no seed can fail of it. */
	readonly mutated: boolean;
}

/**
 * @param search - module that exports `searchSeed`; default: the world. Tests bring others
 * @throws {Error} when the mutated text is no program
 */
export async function bundle(sources: Sources, search = join(__dirname, "campaign-seed.ts")): Promise<Bundle> {
	let mutated = false;
	const { outputFiles } = await build({
		stdin: {
			contents: `import { searchSeed } from ${JSON.stringify(search)};
import { serve } from ${JSON.stringify(join(__dirname, "campaign-thread.ts"))};
serve(searchSeed);`,
			resolveDir: ROOT,
		},
		bundle: true,
		write: false,
		platform: "node",
		format: "cjs",
		target: "node20",
		logLevel: "silent",
		plugins: [
			{
				name: "mutant",
				setup({ onLoad }) {
					onLoad({ filter: /\.ts$/ }, ({ path }) => {
						const contents = sources.get(path);
						if (contents !== undefined) mutated = true;
						return { contents: contents ?? readFileSync(path, "utf8"), loader: "ts" };
					});
				},
			},
		],
	});
	return { code: outputFiles[0].text, mutated };
}

/**
 * Runs seeds in their order until one fails, or with `stopAtFailure` false all of them.
 * @returns what came of each, in order; a seed that hung or died is the last
 */
export function runSeeds(
	code: string,
	data: ThreadData,
	options: { readonly hangMs?: number; onResult?(result: SeedResult): void } = {},
): Promise<SeedResult[]> {
	const { hangMs = HANG_MS, onResult } = options;
	return new Promise((answered) => {
		const results: SeedResult[] = [];
		const take = (result: SeedResult) => {
			results.push(result);
			onResult?.(result);
		};
		const worker = new Worker(code, {
			eval: true,
			workerData: data,
			resourceLimits: { maxOldGenerationSizeMb: HEAP_MB_MAX },
		});
		let ended = false;
		let since = performance.now();
		const watch = setInterval(() => {
			if (performance.now() - since > hangMs) end(`hangs: no end within ${hangMs / 1_000} s`);
		}, hangMs / LOOKS_IN_A_HANG);
		const end = (failure?: string) => {
			if (ended) return;
			ended = true;
			clearInterval(watch);
			const seed = data.seeds[results.length];
			if (failure !== undefined && seed !== undefined) take({ seed, failure, sales: 0 });
			void worker.terminate().then(() => answered(results));
		};
		worker.on("message", (result: SeedResult) => {
			since = performance.now();
			if (!ended) take(result);
		});
		worker.on("error", (error: unknown) => end(`the thread has died: ${(error as Error).message}`));
		worker.on("exit", () => end());
	});
}

/**
 * Seeds on several threads at a time, all of them; a thread that hangs or dies gives up that seed only.
 * @returns in the order of the seeds
 */
export async function runAllSeeds(
	code: string,
	seeds: readonly number[],
	jobs: number,
	onResult?: (result: SeedResult) => void,
): Promise<SeedResult[]> {
	const serve = async (lane: number): Promise<SeedResult[]> => {
		const mine = seeds.filter((_, at) => at % jobs === lane);
		const results: SeedResult[] = [];
		while (results.length < mine.length) {
			const rest = mine.slice(results.length);
			const more = await runSeeds(
				code,
				{ seeds: rest, stopAtFailure: false },
				onResult === undefined ? {} : { onResult },
			);
			if (more.length === 0) throw new Error("a thread ends without a word");
			results.push(...more);
		}
		return results;
	};
	const lanes = await Promise.all(Array.from({ length: jobs }, (_, lane) => serve(lane)));
	return lanes.flat().sort((a, b) => a.seed - b.seed);
}
