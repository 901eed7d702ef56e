/**
 * Runs the list, in three rounds. The campaign: the code as it is has to pass every seed, then each mutant meets them, one
 * after the other, until one fails. The control of the tests: those that fail over the code as it is prove nothing. The
 * tests: what no seed has caught meets the test files named for it.
 *
 * What is found does not depend on how much is done at a time.
 */
import { bundle, runAllSeeds, runSeeds } from "./campaign";
import { type Mutant, mutate, RottenMutant, type Sources } from "./mutate";
import { tryTests } from "./trial";

export interface HuntOptions {
	readonly mutants: readonly Mutant[];
	/** The campaign has the seeds from 1 to this one; 0: tests only. */
	readonly seeds: number;
	/** Mutants at a time. */
	readonly jobs: number;
	/** Module that exports `searchSeed`; default: the world. */
	readonly search?: string;
	readonly hangMs?: number;
	onControl?(control: SeedControl): void;
	onVerdict?(verdict: Verdict): void;
}

/** The campaign over the code as it is. */
export interface SeedControl {
	readonly seeds: number;
	readonly sales: number;
	readonly seconds: number;
	/** Seeds that fail without any mutant: no mutant is judged by them. */
	readonly failures: readonly { readonly seed: number; readonly failure: string }[];
}

interface Tried {
	readonly name: string;
	readonly seconds: number;
	/** Seeds that were run over it. */
	readonly seeds: number;
	/** What failed, which test, or what is wrong with the entry; of one that survives the bug itself. */
	readonly how: string;
}

export type Verdict =
	| (Tried & { readonly caught: "campaign"; readonly seed: number })
	| (Tried & { readonly caught: "tests" | "no" | "rotten" });

export interface Hunt {
	readonly control: SeedControl;
	/** In the order of the list. */
	readonly verdicts: readonly Verdict[];
	/** Tests that fail over the code as it is, of the files that were needed. */
	readonly failingTests: readonly string[];
	/** Everything caught, nothing rotten, and the code as it is passes. */
	readonly good: boolean;
}

/** In the control, on a machine that has other work as well. */
const CONTROL_FILE_MS_MAX = 120_000;

export async function hunt(options: HuntOptions): Promise<Hunt> {
	const { mutants, jobs } = options;
	const verdicts = new Map<Mutant, Verdict>();
	const settle = (mutant: Mutant, verdict: Verdict) => {
		verdicts.set(mutant, verdict);
		options.onVerdict?.(verdict);
	};
	// Before anything slow: a list that is not true any more is told at once.
	const sources = new Map<Mutant, Sources>();
	for (const mutant of mutants) {
		try {
			sources.set(mutant, mutate(mutant));
		} catch (error) {
			if (!(error instanceof RottenMutant)) throw error;
			settle(mutant, { name: mutant.name, seconds: 0, seeds: 0, caught: "rotten", how: error.message });
		}
	}
	const control = await controlSeeds(options);
	options.onControl?.(control);
	const bad = new Set(control.failures.map(({ seed }) => seed));
	const seeds = upTo(options.seeds).filter((seed) => !bad.has(seed));
	/** Seeds that each of those left has passed. */
	const left = new Map<Mutant, Tried>();
	await inLanes(jobs, [...sources], async ([mutant, text]) => {
		const result = await meetCampaign(mutant, text, seeds, options);
		if ("caught" in result) settle(mutant, result);
		else left.set(mutant, result);
	});
	const failingTests = await controlTests([...left.keys()], jobs);
	await inLanes(jobs, mutants, async (mutant) => {
		const tried = left.get(mutant);
		const text = sources.get(mutant);
		if (tried !== undefined && text !== undefined) settle(mutant, await meetTests(mutant, text, tried, failingTests));
	});
	const ordered = mutants.map((mutant) => verdicts.get(mutant)).filter((verdict) => verdict !== undefined);
	const caught = ordered.every((verdict) => verdict.caught === "campaign" || verdict.caught === "tests");
	return {
		control,
		verdicts: ordered,
		failingTests,
		good: caught && control.failures.length === 0 && failingTests.length === 0,
	};
}

async function controlSeeds({ seeds, jobs, search }: HuntOptions): Promise<SeedControl> {
	const begin = performance.now();
	let sales = 0;
	const failures: { seed: number; failure: string }[] = [];
	if (seeds > 0) {
		const { code } = await bundle(new Map(), search);
		for (const { seed, failure, sales: more } of await runAllSeeds(code, upTo(seeds), jobs)) {
			sales += more;
			if (failure !== undefined) failures.push({ seed, failure });
		}
	}
	return { seeds, sales, seconds: secondsSince(begin), failures };
}

/** @returns a verdict, or what it has passed so far */
async function meetCampaign(
	{ name, what }: Mutant,
	sources: Sources,
	seeds: readonly number[],
	{ search, hangMs }: HuntOptions,
): Promise<Verdict | Tried> {
	const begin = performance.now();
	if (seeds.length === 0) return { name, seconds: 0, seeds: 0, how: what };
	let code: string;
	let mutated: boolean;
	try {
		({ code, mutated } = await bundle(sources, search));
	} catch (error) {
		const how = `${name} is no program: ${(error as Error).message.split("\n")[1] ?? ""}`;
		return { name, seconds: secondsSince(begin), seeds: 0, caught: "rotten", how };
	}
	// What is not part of the world needs no seeds.
	if (!mutated) return { name, seconds: secondsSince(begin), seeds: 0, how: what };
	const results = await runSeeds(code, { seeds, stopAtFailure: true }, hangMs === undefined ? {} : { hangMs });
	const tried = { name, seconds: secondsSince(begin), seeds: results.length, how: what };
	const last = results.at(-1);
	if (last?.failure === undefined) return tried;
	return { ...tried, caught: "campaign", seed: last.seed, how: last.failure };
}

/** @param ignored - tests that prove nothing */
async function meetTests(
	{ name, tests }: Mutant,
	sources: Sources,
	tried: Tried,
	ignored: readonly string[],
): Promise<Verdict> {
	const begin = performance.now();
	const { failed, broken } = await tryTests({ sources: [...sources], files: tests, stopAtFailure: true, ignored });
	const seconds = tried.seconds + secondsSince(begin);
	if (broken !== undefined) return { ...tried, seconds, caught: "rotten", how: `tests of ${name}: ${broken}` };
	if (failed.length === 0) return { ...tried, seconds, caught: "no" };
	return { ...tried, seconds, caught: "tests", how: failed[0].title };
}

/** @returns tests that fail over the code as it is */
async function controlTests(mutants: readonly Mutant[], jobs: number): Promise<string[]> {
	const titles: string[] = [];
	await inLanes(jobs, [...new Set(mutants.flatMap(({ tests }) => tests))], async (file) => {
		const task = { sources: [], files: [file], stopAtFailure: false, ignored: [] };
		const { failed, broken } = await tryTests(task, CONTROL_FILE_MS_MAX);
		if (broken !== undefined) titles.push(`${file}: ${broken}`);
		for (const { title } of failed) titles.push(title);
	});
	return titles.sort();
}

/** Every item once, so many at a time. */
async function inLanes<T>(lanes: number, items: readonly T[], serve: (item: T) => Promise<void>): Promise<void> {
	let next = 0;
	const lane = async () => {
		while (next < items.length) await serve(items[next++]);
	};
	await Promise.all(Array.from({ length: lanes }, lane));
}

function upTo(seeds: number): number[] {
	return Array.from({ length: seeds }, (_, at) => at + 1);
}

function secondsSince(begin: number): number {
	return (performance.now() - begin) / 1_000;
}
