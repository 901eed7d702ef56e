/**
 * A mutant: a deliberate bug, as one or more texts of `src/` replaced by others, in memory only. No file is written, so
 * that a run that is killed leaves nothing behind, and several run at a time.
 */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";

export const ROOT = resolve(__dirname, "../..");

export type Invariant = "I1" | "I2" | "I3" | "I4" | "I5" | "I6" | "I7" | "I8" | "I9" | "I10" | "I11" | "I12";

export interface Change {
	/** From the root of the repository. */
	readonly file: string;
	/** Stands there exactly once. */
	readonly from: string;
	readonly to: string;
}

export interface Mutant {
	readonly name: string;
	/** What it breaks first. */
	readonly breaks: readonly Invariant[];
	/** The bug, as the one who wrote it would tell it afterwards. */
	readonly what: string;
	readonly changes: readonly Change[];
	/** The search that should find it. */
	readonly expected: "campaign" | "tests";
	/** Test files that catch what the campaign does not. */
	readonly tests: readonly string[];
}

/** Sources by absolute path: what is to be loaded in place of the files. */
export type Sources = ReadonlyMap<string, string>;

/** The list says something of the code that is not so (any more). */
export class RottenMutant extends Error {
	override readonly name = "RottenMutant";
}

/**
 * @returns the changed files whole
 * @throws {RottenMutant} when a text does not stand exactly once in its file, or nothing changes
 */
export function mutate({ name, changes }: Pick<Mutant, "name" | "changes">): Sources {
	const sources = new Map<string, string>();
	for (const { file, from, to } of changes) {
		const path = resolve(ROOT, file);
		const text = sources.get(path) ?? read(name, path, file);
		const places = text.split(from).length - 1;
		if (places !== 1) throw new RottenMutant(`${name}: ${file} has ${places} times instead of once: ${from.trim()}`);
		if (from === to) throw new RottenMutant(`${name}: a change of ${file} changes nothing`);
		sources.set(
			path,
			text.replace(from, () => to),
		);
	}
	if (sources.size === 0) throw new RottenMutant(`${name}: it changes nothing`);
	return sources;
}

function read(name: string, path: string, file: string): string {
	if (!file.startsWith("src/")) throw new RottenMutant(`${name}: ${file} is not firmware`);
	try {
		return readFileSync(path, "utf8");
	} catch {
		throw new RottenMutant(`${name}: there is no ${file}`);
	}
}
