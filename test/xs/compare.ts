/**
 * The same worlds on two engines: equal reports, and with them equal traces, or the first step at which they part.
 * A trace's hash holds all that came before it, so that the step is found by halving.
 */
import type { StoryLine, WorldOptions, WorldReport } from "../../host-sim/world/report";
import { type Engine, reportOf, type WorldRun } from "./engines";

const STORY_STEPS_BEFORE = 3;
const LINES_AROUND = 6;

export interface Difference {
	readonly seed: number;
	/** Timers fired when the traces first differ; −1 when they are the same, and only the reports differ. */
	readonly step: number;
	/** One line for people. */
	readonly what: string;
	/** By engine: the story around that step, up to where it differs and a little more. */
	readonly sides: readonly { readonly engine: string; readonly lines: readonly StoryLine[] }[];
}

export interface SeedResult {
	readonly seed: number;
	readonly equal: boolean;
	readonly hash: string;
	readonly sales: number;
	/** Byte codes on XS, of the whole world. */
	readonly steps: number;
	readonly failures: number;
	readonly nodeMs: number;
	readonly xsMs: number;
}

/** One world on both engines, at the same time. */
export async function compareSeed(options: WorldOptions, node: Engine, xs: Engine): Promise<SeedResult> {
	const running = xs.run({ options });
	const onNode = await node.run({ options });
	const onXs = await running;
	const report = reportOf(onNode);
	return {
		seed: options.seed,
		equal: isEqual(onNode, onXs),
		hash: report?.hash ?? "",
		sales: report?.sales ?? 0,
		steps: onXs.steps,
		failures: report?.failures.length ?? 0,
		nodeMs: onNode.ms,
		xsMs: onXs.ms,
	};
}

/** A world without a report is equal to nothing. */
function isEqual(a: WorldRun, b: WorldRun): boolean {
	return a.json !== undefined && a.json === b.json;
}

/**
 * Where two engines part in a world in which they do.
 * @param onProgress - how many steps are still in question
 */
export async function findDifference(
	options: WorldOptions,
	engines: readonly [Engine, Engine],
	onProgress: (left: number) => void = () => {},
): Promise<Difference> {
	const { seed } = options;
	const runAll = (untilStep: number | undefined, storyFrom?: number) =>
		Promise.all(
			engines.map((engine) =>
				engine.run({
					options: { ...options, ...(untilStep === undefined ? {} : { untilStep }) },
					...(storyFrom === undefined ? {} : { storyFrom }),
				}),
			),
		);
	const whole = await runAll(undefined);
	const [reportA, reportB] = whole.map(reportOf);
	// The world may have stopped at its own end in one engine and died in the other: then there is no end to halve from.
	let to = Math.max(reportA?.steps ?? 0, reportB?.steps ?? 0);
	if (to === 0 || !(await partsUntil(to))) return { seed, step: -1, what: reportDifference(engines, whole), sides: [] };
	let from = -1; // Equal there, as nothing has happened.
	while (to - from > 1) {
		const middle = (from + to) >> 1;
		if (await partsUntil(middle)) to = middle;
		else from = middle;
		onProgress(to - from);
	}
	const runs = await runAll(to, Math.max(0, to - STORY_STEPS_BEFORE));
	const first = firstDifferent(runs[0].story, runs[1].story);
	const sides = runs.map(({ story }, n) => ({
		engine: engines[n].name,
		lines: story.slice(Math.max(0, first - LINES_AROUND), first + LINES_AROUND),
	}));
	return { seed, step: to, what: stepDifference(engines, runs, to), sides };

	async function partsUntil(step: number): Promise<boolean> {
		const [a, b] = await runAll(step);
		const [hashA, hashB] = [reportOf(a)?.hash, reportOf(b)?.hash];
		return hashA === undefined || hashA !== hashB;
	}
}

function firstDifferent(a: readonly StoryLine[], b: readonly StoryLine[]): number {
	const length = Math.min(a.length, b.length);
	for (let n = 0; n < length; n++) if (JSON.stringify(a[n]) !== JSON.stringify(b[n])) return n;
	return length;
}

function stepDifference(engines: readonly Engine[], runs: readonly WorldRun[], step: number): string {
	const troubles = troublesOf(engines, runs);
	return `the traces part at step ${step}${troubles === "" ? "" : `: ${troubles}`}`;
}

function reportDifference(engines: readonly Engine[], runs: readonly WorldRun[]): string {
	const troubles = troublesOf(engines, runs);
	if (troubles !== "") return troubles;
	const [a, b] = runs.map(reportOf) as [WorldReport, WorldReport];
	const keys = Object.keys(a) as (keyof WorldReport)[];
	const differing = keys.filter((key) => JSON.stringify(a[key]) !== JSON.stringify(b[key]));
	return `the traces are the same, the reports are not: ${differing.join(", ")}`;
}

function troublesOf(engines: readonly Engine[], runs: readonly WorldRun[]): string {
	return runs.flatMap(({ trouble }, n) => (trouble === undefined ? [] : `${engines[n].name}: ${trouble}`)).join("; ");
}
