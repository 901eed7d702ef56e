/**
 * Threads that run blocks, and a watchdog: a case that does not end is ended, with its thread, and told like any other
 * escape. The result of a case does not depend on the thread it runs in.
 */
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import type { BlockResult, BlockTask } from "./block";

/** No case takes a hundredth of it. */
export const HANG_MS = 15_000;
const LOOK_EVERY_MS = 500;

/** @returns the next block; undefined when there are no more */
export type NextTask = () => BlockTask | undefined;

interface Thread {
	worker: Worker;
	/** Case under way. */
	readonly at: Float64Array;
}

export async function runBlocks(
	jobs: number,
	next: NextTask,
	done: (task: BlockTask, result: BlockResult) => void,
	hangMs = HANG_MS,
): Promise<void> {
	const serve = async () => {
		let thread = startThread();
		for (let task = next(); task !== undefined; task = next()) {
			const result = await ask(thread, task, hangMs);
			done(task, result);
			if (result.hung) thread = startThread();
		}
		await thread.worker.terminate();
	};
	await Promise.all(Array.from({ length: jobs }, serve));
}

function startThread(): Thread {
	const shared = new SharedArrayBuffer(8);
	const worker = new Worker(join(__dirname, "worker.ts"), {
		execArgv: ["-r", "ts-node/register"],
		workerData: shared,
	});
	return { worker, at: new Float64Array(shared) };
}

function ask({ worker, at }: Thread, task: BlockTask, hangMs: number): Promise<BlockResult & { hung: boolean }> {
	return new Promise((answered, failed) => {
		const began = performance.now();
		at[0] = task.from;
		let [last, since] = [task.from, began];
		const watch = setInterval(() => {
			if (at[0] !== last) [last, since] = [at[0], performance.now()];
			else if (performance.now() - since > hangMs) {
				finish();
				// It cannot be asked to stop.
				void worker.terminate();
				answered({ ...hangResult(task, last, hangMs), seconds: (performance.now() - began) / 1_000, hung: true });
			}
		}, LOOK_EVERY_MS);
		const onError = (error: Error) => {
			finish();
			failed(error);
		};
		const onMessage = (result: BlockResult) => {
			finish();
			answered({ ...result, hung: false });
		};
		const finish = () => {
			clearInterval(watch);
			worker.off("error", onError);
			worker.off("message", onMessage);
		};
		worker.on("error", onError);
		worker.on("message", onMessage);
		worker.postMessage(task);
	});
}

function hangResult(task: BlockTask, number: number, hangMs: number): Omit<BlockResult, "seconds"> {
	const { target, seed } = task;
	const message = `a case did not end in ${hangMs / 1_000} s`;
	const hang = { target, seed, case: number, kind: "endless" as const, message, input: [], stack: "" };
	return { cases: number - task.from + 1, escapes: [hang] };
}
