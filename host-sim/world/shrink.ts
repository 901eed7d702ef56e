/**
 * A failing world made small: fewer kinds of trouble, then fewer strikes, then fewer customers, as long as the same
 * promise is broken first. Strikes are reduced by delta debugging (Zeller and Hildebrandt, "Simplifying and Isolating
 * Failure-Inducing Input", 2002). A run that strikes less is another run: nothing is believed that was not run.
 * @module
 */
import type { WorldOptions, WorldReport } from "./report";
import { STRIKE_KINDS } from "./strikes";

/** Of worlds run in one shrinking. */
export const SHRINK_RUNS_MAX = 400;

export interface ShrinkOptions {
	run(options: WorldOptions): WorldReport;
	/** The run that failed. */
	readonly options: WorldOptions;
	/** What has to be broken first in each run that counts as the same failure. */
	readonly invariant: string;
	readonly runsMax?: number;
	/** After each run. */
	onProgress?(progress: ShrinkProgress): void;
}

export interface ShrinkProgress {
	readonly runs: number;
	/** Of the smallest run that fails so far. */
	readonly strikes: number;
	readonly sales: number;
}

export interface Shrunk {
	/** What is left: run it, and it fails. */
	readonly options: WorldOptions;
	readonly report: WorldReport;
	readonly runs: number;
	/** Every way to make it smaller was tried; else the runs were used up. */
	readonly complete: boolean;
}

/** @returns undefined when the run does not fail again as it did: then it does not depend on its seed alone */
export function shrink(task: ShrinkOptions): Shrunk | undefined {
	const shrinking = new Shrinking(task);
	if (!shrinking.tries(task.options)) return undefined;
	shrinking.fewerKinds();
	shrinking.fewerStrikes();
	// With fewer customers there may be strikes that matter no more.
	if (shrinking.fewerCustomers()) shrinking.fewerStrikes();
	return shrinking.result();
}

class Shrinking {
	readonly #task: ShrinkOptions;
	readonly #runsMax: number;
	#runs = 0;
	#complete = true;
	#options: WorldOptions;
	#report: WorldReport | undefined;

	constructor(task: ShrinkOptions) {
		this.#task = task;
		this.#runsMax = task.runsMax ?? SHRINK_RUNS_MAX;
		this.#options = task.options;
	}

	/** Runs it; when it fails as it should, it is what there is from now on. */
	tries(options: WorldOptions): boolean {
		if (this.#runs >= this.#runsMax) {
			this.#complete = false;
			return false;
		}
		this.#runs++;
		const report = this.#task.run(options);
		const same = report.failures[0]?.invariant === this.#task.invariant;
		if (same) {
			this.#options = options;
			this.#report = report;
		}
		this.#task.onProgress?.({
			runs: this.#runs,
			strikes: this.#report?.strikes.length ?? 0,
			sales: this.#report?.sales ?? 0,
		});
		return same;
	}

	/** Kinds that are not needed are left out as a whole. */
	fewerKinds(): void {
		const held = this.#options.without ?? [];
		const struck = this.#struckKinds();
		// A run that ended with an exception tells no strikes: then it may be any of them.
		const kinds = (struck.length > 0 ? struck : STRIKE_KINDS).filter((kind) => !held.includes(kind));
		fewest(kinds, (kept) => {
			const without = [...held, ...kinds.filter((kind) => !kept.includes(kind))];
			if (!this.tries({ ...this.#options, without })) return undefined;
			// A kind that did not strike in this run is not needed either.
			const needed = this.#struckKinds();
			return needed.length > 0 ? kept.filter((kind) => needed.includes(kind)) : kept;
		});
	}

	fewerStrikes(): void {
		const { seed, customers } = this.#options;
		// The list of strikes makes the list of kinds needless.
		const all = { seed, ...(customers === undefined ? {} : { customers }), only: this.#strikes() };
		if (!this.tries(all)) return;
		fewest(this.#strikes(), (only) => {
			if (!this.tries({ ...this.#options, only })) return undefined;
			// What did not strike in this run, as nothing came to it, is not needed: the run is the same without it.
			const struck = this.#strikes();
			this.#options = { ...this.#options, only: struck };
			return struck;
		});
	}

	/** @returns whether it got smaller */
	fewerCustomers(): boolean {
		// How many the seed picks is not told: somewhat more than those that found the terminal on.
		const came = this.#report?.sales ?? 0;
		const asMany = this.#options.customers === undefined ? [came, came * 2] : [this.#options.customers];
		const before = asMany.find((customers) => customers > 1 && this.tries({ ...this.#options, customers }));
		if (before === undefined) return false;
		let enough = before;
		let tooFew = 0;
		while (enough - tooFew > 1) {
			const middle = Math.floor((tooFew + enough) / 2);
			if (this.tries({ ...this.#options, customers: middle })) enough = middle;
			else tooFew = middle;
		}
		return enough < before;
	}

	result(): Shrunk | undefined {
		if (this.#report === undefined) return undefined;
		return { options: this.#options, report: this.#report, runs: this.#runs, complete: this.#complete };
	}

	#strikes(): readonly string[] {
		return this.#report?.strikes ?? [];
	}

	#struckKinds(): string[] {
		return [...new Set(this.#strikes().map((name) => name.slice(0, name.indexOf("#"))))];
	}
}

/**
 * Delta debugging: leaves out halves, quarters, … single items, as long as `holds` says that what is left is enough.
 * @param holds - true of all items, that is known; it answers what is left, perhaps still fewer; undefined: not enough
 */
function fewest<T>(items: readonly T[], holds: (kept: readonly T[]) => readonly T[] | undefined): readonly T[] {
	if (items.length === 0) return items;
	const none = holds([]);
	if (none !== undefined) return none;
	let kept = items;
	let parts = 2;
	while (kept.length > 1) {
		const less = fewerByPart(kept, Math.min(parts, kept.length), holds);
		if (less !== undefined) {
			kept = less.kept;
			parts = less.parts;
		} else if (parts >= kept.length) {
			break;
		} else {
			parts *= 2;
		}
	}
	return kept;
}

/** One part alone, or all but one part. */
function fewerByPart<T>(
	items: readonly T[],
	parts: number,
	holds: (kept: readonly T[]) => readonly T[] | undefined,
): { kept: readonly T[]; parts: number } | undefined {
	const begin = (part: number) => Math.floor((part * items.length) / parts);
	for (let part = 0; part < parts; part++) {
		const kept = holds(items.slice(begin(part), begin(part + 1)));
		if (kept !== undefined) return { kept, parts: 2 };
	}
	if (parts === 2) return undefined; // All but one half is the other half.
	for (let part = 0; part < parts; part++) {
		const kept = holds([...items.slice(0, begin(part)), ...items.slice(begin(part + 1))]);
		if (kept !== undefined) return { kept, parts: Math.max(parts - 1, 2) };
	}
	return undefined;
}
