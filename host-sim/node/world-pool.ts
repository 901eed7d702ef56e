/**
 * Threads that run worlds, and a watchdog. What a world does depends on its seed alone, not on the thread. A thread
 * that dies, or in which no seed ends for long, is a failure of the seed it was at; the other seeds go on in a new one.
 * @module
 */
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import type { WorldOptions, WorldReport } from "../world/report";
import type { ShrinkProgress, Shrunk } from "../world/shrink";

/** Without a finished seed. A world takes a thousandth of it. */
export const HANG_MS = 120_000;
const LOOKS_IN_A_HANG = 60;

/** What all worlds of a campaign have in common. */
export type CommonOptions = Pick<WorldOptions, "customers" | "without" | "only">;

/** A failing seed to be made small. */
export interface ShrinkTask {
	readonly options: WorldOptions;
	readonly invariant: string;
	readonly runsMax?: number;
}

export type Task =
	| { readonly kind: "seeds"; readonly seeds: readonly number[]; readonly options: CommonOptions }
	| ({ readonly kind: "shrink" } & ShrinkTask);

export type Message =
	/** Everything is loaded. */
	| { readonly kind: "ready" }
	/** Of the next of the seeds. */
	| { readonly kind: "report"; readonly report: WorldReport }
	| { readonly kind: "progress"; readonly progress: ShrinkProgress }
	| { readonly kind: "shrunk"; readonly shrunk: Shrunk | undefined }
	| { readonly kind: "done" };

export interface PoolOptions {
	/** Threads. */
	readonly jobs: number;
	readonly hangMs?: number;
	/** Module that exports `runWorld`; default: the world. Tests bring others. */
	readonly world?: string;
}

/** How a task ended: done, or why not. */
type Ending = { readonly done: true } | { readonly done: false; readonly why: string };

export class WorldPool {
	readonly #options: PoolOptions;
	/** One for each job; made when first needed, and anew when one has gone. */
	readonly #threads: (Thread | undefined)[];
	#aborted = false;

	constructor(options: PoolOptions) {
		this.#options = options;
		this.#threads = Array.from({ length: options.jobs });
	}

	/**
	 * Runs seeds until there are no more.
	 * @param next - a few more seeds, undefined when there are none; few, as what was handed out is run
	 * @param onReport - once for each seed, as they end; its strikes are left out
	 * @throws {Error} when a thread cannot even begin
	 */
	async runSeeds(
		next: () => readonly number[] | undefined,
		options: CommonOptions,
		onReport: (report: WorldReport) => void,
	): Promise<void> {
		const serve = async (lane: number) => {
			let left: readonly number[] = [];
			while (!this.#aborted) {
				const seeds = left.length > 0 ? left : next();
				if (seeds === undefined) return;
				let ended = 0;
				const ending = await this.#ask(lane, { kind: "seeds", seeds, options }, (message) => {
					if (message.kind !== "report") return;
					ended++;
					onReport(message.report);
				});
				if (this.#aborted) return;
				if (!ending.done && ended < seeds.length) onReport(brokenReport(seeds[ended++], ending.why));
				left = seeds.slice(ended);
			}
		};
		await this.#all(serve);
	}

	/**
	 * Makes failing seeds small, several at a time.
	 * @returns for each task what is left, or why there is nothing: it did not fail again, or the thread was lost
	 */
	async shrink(
		tasks: readonly ShrinkTask[],
		onProgress?: (task: number, progress: ShrinkProgress) => void,
	): Promise<(Shrunk | string)[]> {
		const results: (Shrunk | string)[] = tasks.map(() => "interrupted");
		let next = 0;
		await this.#all(async (lane) => {
			while (next < tasks.length && !this.#aborted) {
				const number = next++;
				const ending = await this.#ask(lane, { kind: "shrink", ...tasks[number] }, (message) => {
					if (message.kind === "progress") onProgress?.(number, message.progress);
					if (message.kind === "shrunk") {
						results[number] = message.shrunk ?? "it does not fail again: the run depends on more than its seed";
					}
				});
				if (!ending.done && !this.#aborted) results[number] = ending.why;
			}
		});
		return results;
	}

	/** At once: what is under way is dropped. The pool is of no use afterwards. */
	async abort(): Promise<void> {
		this.#aborted = true;
		await this.close();
	}

	/** Ends the threads. */
	async close(): Promise<void> {
		await Promise.all(this.#threads.map((thread) => thread?.end()));
		this.#threads.fill(undefined);
	}

	/** Every lane to its end, also when one of them throws: no thread is left behind at work. */
	async #all(serve: (lane: number) => Promise<void>): Promise<void> {
		const endings = await Promise.allSettled(this.#threads.map((_, lane) => serve(lane)));
		for (const ending of endings) if (ending.status === "rejected") throw ending.reason;
	}

	async #ask(lane: number, task: Task, onMessage: (message: Message) => void): Promise<Ending> {
		const { world = join(__dirname, "checked-world"), hangMs = HANG_MS } = this.#options;
		this.#threads[lane] ??= new Thread(world);
		const thread = this.#threads[lane];
		const ending = await thread.ask(task, hangMs, onMessage);
		if (!ending.done) {
			this.#threads[lane] = undefined;
			await thread.end();
			// Nothing that a seed can be blamed for.
			if (!thread.ready && !this.#aborted) throw new Error(`a thread cannot begin: ${ending.why}`);
		}
		return ending;
	}
}

/** Of a seed that came to no report: the thread has died or hangs. */
export function brokenReport(seed: number, text: string): WorldReport {
	return {
		seed,
		hash: "",
		steps: 0,
		virtualMs: 0,
		terminals: 0,
		sales: 0,
		approved: 0,
		reversed: 0,
		powerCuts: 0,
		failures: [{ invariant: "world", step: 0, atMs: 0, terminal: -1, text }],
		coverage: {},
		strikes: [],
		causes: {},
		resolveMs: [],
	};
}

class Thread {
	/** It has loaded everything once. */
	ready = false;
	readonly #worker: Worker;
	/** Why it has ended; undefined while it runs. */
	#why: string | undefined;
	/** Of the task under way. */
	#finish: ((ending: Ending) => void) | undefined;
	#onMessage: ((message: Message) => void) | undefined;

	constructor(world: string) {
		this.#worker = new Worker(join(__dirname, "world-worker.ts"), {
			execArgv: ["-r", "ts-node/register"],
			workerData: world,
		});
		let error: unknown;
		this.#worker.on("message", (message: Message) => {
			if (message.kind === "ready") this.ready = true;
			this.#onMessage?.(message);
			if (message.kind === "done") this.#finish?.({ done: true });
		});
		this.#worker.on("error", (thrown) => {
			error = thrown;
		});
		// Last of all, when every message of it has come.
		this.#worker.on("exit", (code) => {
			this.#why = `the thread has died: ${error === undefined ? `exit code ${code}` : shortly(error)}`;
			this.#finish?.({ done: false, why: this.#why });
		});
	}

	ask(task: Task, hangMs: number, onMessage: (message: Message) => void): Promise<Ending> {
		return new Promise((answer) => {
			const lookMs = hangMs / LOOKS_IN_A_HANG;
			if (this.#why !== undefined) {
				answer({ done: false, why: this.#why });
				return;
			}
			// Looks, not time: a process that was stopped for an hour has not hung for an hour.
			let quietLooks = 0;
			const watch = setInterval(() => {
				quietLooks++;
				// Loading is no seed's doing, and on a busy machine it takes its time.
				const patienceMs = this.ready ? hangMs : Math.max(hangMs, HANG_MS);
				if (quietLooks * lookMs <= patienceMs) return;
				// It cannot be asked: a world never waits. Its end comes from outside.
				this.#finish?.({ done: false, why: `no seed has ended for ${patienceMs / 1_000} s` });
			}, lookMs);
			this.#onMessage = (message) => {
				quietLooks = 0;
				onMessage(message);
			};
			this.#finish = (ending) => {
				clearInterval(watch);
				this.#finish = undefined;
				this.#onMessage = undefined;
				answer(ending);
			};
			this.#worker.postMessage(task);
		});
	}

	async end(): Promise<void> {
		await this.#worker.terminate();
	}
}

/** What was thrown, in one line. */
export function shortly(error: unknown): string {
	return error instanceof Error ? `${error.name}: ${error.message}`.replace(/\s+/g, " ") : String(error);
}
