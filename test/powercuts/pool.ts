/** Threads that run tasks; they serve one search after the other, as starting one takes longer than many lives. */
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import type { Outcome } from "./boots";
import { runTask } from "./modes";
import type { SearchOptions, Task } from "./options";

/** Takes the outcomes in the order of their tasks. @returns false when no more are wanted */
export type Take = (task: Task, outcome: Outcome) => boolean;

export class Pool {
	readonly #jobs: number;
	readonly #workers: Worker[] = [];

	/** @param jobs - 1: no thread but this one */
	constructor(jobs: number) {
		this.#jobs = jobs;
	}

	async run(options: SearchOptions, tasks: readonly Task[], take: Take): Promise<void> {
		if (this.#jobs === 1 || tasks.length === 1) {
			for (const task of tasks) if (!take(task, runTask(task, options))) return;
			return;
		}
		while (this.#workers.length < Math.min(this.#jobs, tasks.length)) {
			const execArgv = ["-r", "ts-node/register"];
			this.#workers.push(new Worker(join(__dirname, "worker.ts"), { execArgv }));
		}
		const outcomes = new Map<number, Outcome>();
		let handedOut = 0;
		let taken = 0;
		let ended = false;
		const arrived = (index: number, outcome: Outcome) => {
			outcomes.set(index, outcome);
			for (let next = outcomes.get(taken); next !== undefined && !ended; next = outcomes.get(taken)) {
				outcomes.delete(taken);
				ended = !take(tasks[taken++], next);
			}
		};
		const serve = async (worker: Worker) => {
			while (!ended && handedOut < tasks.length) {
				const index = handedOut++;
				arrived(index, await ask(worker, options, tasks[index]));
			}
		};
		await Promise.all(this.#workers.map(serve));
	}

	async close(): Promise<void> {
		for (const worker of this.#workers) await worker.terminate();
		this.#workers.length = 0;
	}
}

function ask(worker: Worker, options: SearchOptions, task: Task): Promise<Outcome> {
	return new Promise((answered, failed) => {
		const onError = (error: Error) => failed(error);
		worker.once("error", onError);
		worker.once("message", (outcome: Outcome) => {
			worker.off("error", onError);
			answered(outcome);
		});
		worker.postMessage({ options, task });
	});
}
