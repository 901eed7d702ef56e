/**
 * The search: blocks of every target, so that each gets its share of the time; one seed gives the same cases, however
 * many of them there is time for.
 */
import { type BlockResult, blockStart, type FoundEscape } from "./block";
import { runBlocks } from "./pool";
import type { Target } from "./target";

export interface SearchOptions {
	readonly seed: number;
	readonly seconds: number;
	readonly jobs: number;
	/** Of each target, whatever the time. */
	readonly casesMax?: number | undefined;
	readonly hangMs?: number | undefined;
}

export interface TargetResult {
	readonly name: string;
	cases: number;
	/** Of one thread, at this target. */
	seconds: number;
	escapes: number;
}

export interface SearchResult {
	readonly options: SearchOptions;
	readonly targets: TargetResult[];
	/** The first ones of each target. */
	readonly found: FoundEscape[];
	/** Since the beginning. */
	seconds: number;
}

/** Of a target, after which it has failed and the time is for the others. */
const ESCAPES_MAX = 5;

export async function search(
	targets: readonly Target[],
	options: SearchOptions,
	onProgress?: (result: SearchResult) => void,
): Promise<SearchResult> {
	const began = performance.now();
	const elapsed = () => (performance.now() - began) / 1_000;
	const states = targets.map((target) => ({
		target,
		result: { name: target.name, cases: 0, seconds: 0, escapes: 0 },
		nextCase: 0,
		/** Of blocks handed out, the running ones by what one has taken so far. */
		charged: 0,
	}));
	const result: SearchResult = { options, targets: states.map((state) => state.result), found: [], seconds: 0 };
	const casesMax = options.casesMax ?? Number.MAX_SAFE_INTEGER;
	const next = () => {
		// Time is up for those that have begun: a target without a case would say nothing, and look as if it had.
		const over = elapsed() >= options.seconds;
		const open = states.filter(
			({ nextCase, result: { escapes } }) => (!over || nextCase === 0) && nextCase < casesMax && escapes < ESCAPES_MAX,
		);
		if (open.length === 0) return undefined;
		const due = open.reduce((least, state) =>
			state.charged / state.target.weight < least.charged / least.target.weight ? state : least,
		);
		const { target } = due;
		const from = due.nextCase;
		const to = Math.min(from + target.blockCases, casesMax);
		due.nextCase = to;
		due.charged += expectedSeconds(due.result, to - from);
		return { target: target.name, seed: options.seed, from, to };
	};
	await runBlocks(
		options.jobs,
		next,
		(task, block: BlockResult) => {
			const state = states.find(({ target }) => target.name === task.target);
			if (state === undefined) return;
			state.charged += block.seconds - expectedSeconds(state.result, task.to - task.from);
			state.result.cases += block.cases;
			state.result.seconds += block.seconds;
			const room = Math.max(0, ESCAPES_MAX - state.result.escapes);
			state.result.escapes += block.escapes.length;
			result.found.push(...block.escapes.slice(0, room));
			result.seconds = elapsed();
			onProgress?.(result);
		},
		options.hangMs,
	);
	result.seconds = elapsed();
	return result;
}

/** Before there is a figure, a little: so that each target has its turn. */
function expectedSeconds({ cases, seconds }: TargetResult, more: number): number {
	return cases === 0 ? 0.5 : (seconds / cases) * more;
}

/** One case again, behind those that ran before it on the same instance. */
export async function replay(target: Target, seed: number, number: number, hangMs?: number): Promise<BlockResult> {
	const task = { target: target.name, seed, from: blockStart(target, number), to: number + 1 };
	const results: BlockResult[] = [];
	let handedOut = false;
	const next = () => {
		if (handedOut) return undefined;
		handedOut = true;
		return task;
	};
	await runBlocks(1, next, (_task, result) => results.push(result), hangMs);
	return results[0];
}
