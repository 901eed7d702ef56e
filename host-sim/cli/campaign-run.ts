/**
 * A campaign: many seeds on many threads, what came of them added up, and the first failing ones made small.
 * @module
 */
import type { CommonOptions, PoolOptions } from "../node/world-pool";
import { WorldPool } from "../node/world-pool";
import { mergeCoverage } from "../world/coverage";
import type { Coverage, WorldFailure, WorldReport } from "../world/report";
import type { ShrinkProgress } from "../world/shrink";
import { replayCommand, type SeedRange, type Shard, ShardSeeds } from "./campaign-options";

/** Handed to a thread at once: it is asked again before the next second is over. */
const SEEDS_AT_ONCE = 4;
/** Of failing seeds whose failure is kept; the rest are counted. */
const FAILING_MAX = 1_000;

export interface CampaignOptions extends PoolOptions {
	readonly seeds: SeedRange;
	readonly shard?: Shard;
	/** No new seeds after this. */
	readonly seconds?: number;
	readonly common: CommonOptions;
	/** Failing seeds that are made small. */
	readonly shrinkMax: number;
	readonly shrinkRunsMax?: number;
}

/** A seed that failed, by its first broken promise. */
export interface FailingSeed {
	readonly seed: number;
	readonly failure: WorldFailure;
	readonly replay: string;
	/** After shrinking: the smaller run, and what it takes. */
	shrunk?: { readonly replay: string; readonly strikes: number; readonly sales: number; readonly complete: boolean };
	/** Why it could not be made small. */
	unshrunk?: string;
}

export interface CampaignResult {
	/** Of this shard; more than were done when time was up. */
	readonly planned: number;
	seeds: number;
	sales: number;
	approved: number;
	reversed: number;
	powerCuts: number;
	/** Virtual, of all worlds together. */
	virtualMs: number;
	steps: number;
	/** Failing seeds. */
	failures: number;
	readonly coverage: Coverage;
	/** See WorldReport.causes, added up. */
	readonly causes: Coverage;
	/** See WorldReport.resolveMs, of all worlds. */
	readonly resolveMs: number[];
	/** Of the greatest of them; 0 while there is none. */
	slowestSeed: number;
	/** At most 1,000, the lowest seeds that were seen first. */
	failing: FailingSeed[];
	/** Real, until the last seed had ended. */
	seconds: number;
	interrupted: boolean;
}

export interface CampaignWatcher {
	onReport(result: CampaignResult): void;
	onShrink(failing: FailingSeed, progress: ShrinkProgress): void;
}

export class Campaign {
	readonly result: CampaignResult;
	readonly #options: CampaignOptions;
	readonly #seeds: ShardSeeds;
	readonly #pool: WorldPool;
	#slowestMs = -1;

	constructor(options: CampaignOptions) {
		this.#options = options;
		this.#seeds = new ShardSeeds(options.seeds, options.shard);
		this.#pool = new WorldPool({ ...options, jobs: Math.max(1, Math.min(options.jobs, this.#seeds.count)) });
		this.result = {
			planned: this.#seeds.count,
			seeds: 0,
			sales: 0,
			approved: 0,
			reversed: 0,
			powerCuts: 0,
			virtualMs: 0,
			steps: 0,
			failures: 0,
			coverage: {},
			causes: {},
			resolveMs: [],
			slowestSeed: 0,
			failing: [],
			seconds: 0,
			interrupted: false,
		};
	}

	/** @throws {Error} when a thread cannot begin */
	async run(watcher: CampaignWatcher): Promise<CampaignResult> {
		const { result } = this;
		const { seconds: secondsMax = Number.POSITIVE_INFINITY, common } = this.#options;
		const began = performance.now();
		const next = () => {
			if ((performance.now() - began) / 1_000 >= secondsMax) return undefined;
			const seeds = this.#seeds.take(SEEDS_AT_ONCE);
			return seeds.length === 0 ? undefined : seeds;
		};
		try {
			await this.#pool.runSeeds(next, common, (report) => {
				this.#add(report);
				result.seconds = (performance.now() - began) / 1_000;
				watcher.onReport(result);
			});
			result.failing.sort((a, b) => a.seed - b.seed);
			if (!result.interrupted) await this.#shrink(watcher);
		} finally {
			await this.#pool.close();
		}
		return result;
	}

	/** At once, with what there is. */
	interrupt(): void {
		this.result.interrupted = true;
		void this.#pool.abort();
	}

	#add(report: WorldReport): void {
		const { result } = this;
		result.seeds++;
		result.sales += report.sales;
		result.approved += report.approved;
		result.reversed += report.reversed;
		result.powerCuts += report.powerCuts;
		result.virtualMs += report.virtualMs;
		result.steps += report.steps;
		mergeCoverage(result.coverage, report.coverage);
		mergeCoverage(result.causes, report.causes);
		for (const ms of report.resolveMs) {
			result.resolveMs.push(ms);
			if (ms <= this.#slowestMs) continue;
			this.#slowestMs = ms;
			result.slowestSeed = report.seed;
		}
		const [failure] = report.failures;
		if (failure === undefined) return;
		result.failures++;
		if (result.failing.length >= FAILING_MAX) return;
		const { seed } = report;
		result.failing.push({ seed, failure, replay: replayCommand({ ...this.#options.common, seed }) });
	}

	async #shrink(watcher: CampaignWatcher): Promise<void> {
		const { common, shrinkMax, shrinkRunsMax } = this.#options;
		const chosen = this.result.failing.slice(0, shrinkMax);
		const tasks = chosen.map(({ seed, failure }) => ({
			options: { ...common, seed },
			invariant: failure.invariant,
			...(shrinkRunsMax === undefined ? {} : { runsMax: shrinkRunsMax }),
		}));
		const results = await this.#pool.shrink(tasks, (n, progress) => watcher.onShrink(chosen[n], progress));
		chosen.forEach((failing, n) => {
			const shrunk = results[n];
			if (typeof shrunk === "string") {
				failing.unshrunk = shrunk;
				return;
			}
			const { options, report, complete } = shrunk;
			const { sales, strikes } = report;
			failing.shrunk = { replay: replayCommand(options), strikes: strikes.length, sales, complete };
		});
	}
}
