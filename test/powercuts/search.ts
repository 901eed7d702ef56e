/**
 * Runs the tasks of one search, on several threads, and adds up what they found. The result does not depend on how
 * many threads there are: tasks are counted in their order, up to the one with which there are failures enough.
 */
import { performance } from "node:perf_hooks";
import type { Outcome } from "./boots";
import { FAILURE_KINDS, type FailureKind } from "./failure";
import { type Counts, noCounts } from "./history";
import { planTasks } from "./modes";
import type { SearchOptions, Task } from "./options";
import type { Pool } from "./pool";

export interface FoundFailure {
	readonly kind: FailureKind;
	readonly message: string;
	/** `life:cut`, for --replay. */
	readonly name: string;
}

export interface SearchResult {
	readonly options: SearchOptions;
	readonly counts: Counts;
	readonly kinds: Record<FailureKind, number>;
	readonly failures: FoundFailure[];
	readonly notes: string[];
	readonly tasks: number;
	tasksDone: number;
	seconds: number;
}

export interface SearchRun {
	readonly pool: Pool;
	/** The search ends with so many. */
	readonly failuresMax: number;
	onProgress?(result: SearchResult): void;
	/** Not all tasks: for a slice in a test. */
	readonly only?: (task: Task, index: number) => boolean;
}

export async function search(options: SearchOptions, run: SearchRun): Promise<SearchResult> {
	const started = performance.now();
	const planned = planTasks(options);
	const tasks = run.only === undefined ? planned : planned.filter(run.only);
	const kinds = Object.fromEntries(FAILURE_KINDS.map((kind) => [kind, 0])) as Record<FailureKind, number>;
	const result: SearchResult = {
		options,
		counts: noCounts(),
		kinds,
		failures: [],
		notes: [],
		tasks: tasks.length,
		tasksDone: 0,
		seconds: 0,
	};
	/** @returns false when there is nothing more to do */
	const take = (task: Task, outcome: Outcome): boolean => {
		if (result.failures.length >= run.failuresMax) return false;
		const { counts } = result;
		for (const name of Object.keys(counts) as (keyof Counts)[]) counts[name] += outcome.counts[name];
		result.notes.push(...(outcome.notes ?? []));
		result.tasksDone++;
		result.seconds = (performance.now() - started) / 1000;
		const { failure } = outcome;
		if (failure !== undefined) {
			const { kind, message, cut } = failure;
			result.kinds[kind]++;
			result.failures.push({ kind, message, name: cut === "" ? task.life : `${task.life}:${cut}` });
		}
		run.onProgress?.(result);
		return result.failures.length < run.failuresMax;
	};
	await run.pool.run(options, tasks, take);
	return result;
}
