/** What `npm run test:xs` prints: for people, and the object for programs. */
import { StoryPrinter } from "../../host-sim/cli/campaign-story";
import { table } from "../bench/table";
import type { Difference, SeedResult } from "./compare";
import { BOARD_SLOTS, BUDGET_SLOTS, type Figures, type SceneFigures } from "./figures";

export interface XsResult {
	readonly results: readonly SeedResult[];
	readonly differences: readonly Difference[];
	readonly figures: Figures | undefined;
	readonly seconds: number;
}

/** True when all is as it should be. */
export function isGood({ results, figures }: XsResult): boolean {
	return results.every(({ equal }) => equal) && (figures === undefined || meetsBudget(figures));
}

export function meetsBudget({ bound, live100, live1000 }: Figures): boolean {
	return bound <= BUDGET_SLOTS && live100 === 0 && live1000 === 0;
}

export function resultLines(result: XsResult): string[] {
	const { results, differences, figures, seconds } = result;
	const different = results.filter(({ equal }) => !equal);
	const { sales, failures, stepsPerSale, nodeMs, xsMs } = totals(results);
	const lines = differences.flatMap(differenceLines);
	if (results.length > 0) {
		lines.push(
			`${results.length} seeds, ${grouped(sales)} sales, ${seconds.toFixed(1)} s: ${results.length - different.length} with ` +
				`equal reports and traces on XS and Node, ${different.length} different`,
			`${grouped(stepsPerSale)} byte codes a sale, for all of the world; XS takes ${(xsMs / Math.max(1, nodeMs)).toFixed(1)} times as long`,
		);
	}
	if (different.length > 0) lines.push(`DIFFERENT: ${different.map(({ seed }) => seed).join(" ")}`);
	if (failures > 0)
		lines.push(`${failures} worlds broke a promise, on both engines alike: npm run campaign tells which`);
	if (figures !== undefined) lines.push("", ...figuresLines(figures));
	return lines;
}

/** Both sides' stories where they part. */
export function differenceLines({ seed, what, sides }: Difference): string[] {
	const lines = [`DIFFERENT seed ${seed}: ${what}`];
	for (const { engine, lines: story } of sides) {
		lines.push(`  on ${engine}:`);
		const printer = new StoryPrinter((line) => lines.push(`  ${line}`), true);
		for (const line of story) printer.line(line);
	}
	return lines;
}

function figuresLines(figures: Figures): string[] {
	const { modules, constructed, atRest, live100, live1000, scenes, peak, bound } = figures;
	const byScheme = (slots: Readonly<Record<string, number>>) =>
		Object.entries(slots)
			.map(([scheme, count]) => `${grouped(count)} (${scheme} keys)`)
			.join(", ");
	return [
		"Slots of the heap, garbage collected",
		`  modules: ${grouped(modules)}; on the board they are preloaded, and take none`,
		`  terminal constructed: ${byScheme(constructed)}`,
		`  at rest, signed on, after a sale: ${byScheme(atRest)}`,
		`  100 live transactions more: ${live100}; 1,000 more: ${live1000}`,
		"",
		...table([
			["scene", "before", "peak", "at most", "made", "byte codes", "points", "seen"],
			...scenes.map((scene) => [
				scene.name,
				...[scene.before, scene.peak, scene.bound, scene.made, scene.steps, scene.points, scene.seen].map(grouped),
			]),
		])
			.trimEnd()
			.split("\n"),
		"before: when it begins; peak: the most that was seen; at most: nowhere more, with all the garbage of the stretch",
		"between two places; made: in all of it, garbage or not; points: where it can be looked at; seen: so many looks",
		"",
		...scenes.flatMap(comparedLine),
		"",
		`${grouped(peak)} slots at the peak, ${grouped(bound)} at most, of ${grouped(BUDGET_SLOTS)} that it may take ` +
			`(the board has ${grouped(BOARD_SLOTS)}): ${meetsBudget(figures) ? "it fits" : "TOO MANY"}`,
	];
}

/** What a comparison takes for each transaction that is compared. */
function syncFigures({ name, what, compared, steps, before, peak, bound }: SceneFigures) {
	return {
		name,
		what,
		compared,
		steps,
		stepsPerTransaction: Math.round(steps / compared),
		slots: peak - before,
		peak,
		bound,
	};
}

function comparedLine(scene: SceneFigures): string[] {
	if (scene.compared === 0) return [];
	const { name, what, stepsPerTransaction, slots } = syncFigures(scene);
	return [
		`${name}: ${grouped(stepsPerTransaction)} byte codes a transaction, ${grouped(slots)} slots more at its peak; ${what}`,
	];
}

/** The last line of `--json`. */
export function toJson(result: XsResult): Record<string, unknown> {
	const { results, differences, figures, seconds } = result;
	const { sales, failures, stepsPerSale, nodeMs, xsMs } = totals(results);
	const equal = results.filter((seed) => seed.equal).length;
	return {
		seeds: results.length,
		equal,
		different: results.length - equal,
		sales,
		failures,
		stepsPerSale,
		seconds: Math.round(seconds * 1_000) / 1_000,
		nodeSeconds: Math.round(nodeMs) / 1_000,
		xsSeconds: Math.round(xsMs) / 1_000,
		differences: differences.map(({ seed, step, what }) => ({ seed, step, what })),
		...(figures === undefined
			? {}
			: {
					figures: {
						...figures,
						sync: figures.scenes.filter(({ compared }) => compared > 0).map(syncFigures),
						budget: BUDGET_SLOTS,
						board: BOARD_SLOTS,
						good: meetsBudget(figures),
					},
				}),
	};
}

function totals(results: readonly SeedResult[]) {
	const sum = (of: (result: SeedResult) => number) => results.reduce((total, result) => total + of(result), 0);
	const sales = sum((result) => result.sales);
	return {
		sales,
		failures: results.filter((result) => result.failures > 0).length,
		stepsPerSale: Math.round(sum((result) => result.steps) / Math.max(1, sales)),
		nodeMs: sum((result) => result.nodeMs),
		xsMs: sum((result) => result.xsMs),
	};
}

/** Thousands apart. */
function grouped(count: number): string {
	return String(count).replace(/\B(?=(\d{3})+$)/g, ",");
}
