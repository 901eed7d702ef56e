/** Power cuts in the bench: the searches of `npm run powercuts`, as many cuts as the other stores were given. */
import { Journal } from "../../src/journal/journal";
import type { FailureKind } from "../powercuts/failure";
import type { MakeJournal } from "../powercuts/history";
import { modeOf } from "../powercuts/modes";

/** The same cuts in every run. */
const SEED = 1;

export interface CutFigures {
	cuts: number;
	failures: number;
	byKind: Record<FailureKind, number>;
	/** One command for each failure. */
	replays: string[];
}

/**
 * @param name - where power goes: anywhere, or at erases and the operations beside them
 * @param amount - fewer are made when something fails, as the life it fails in ends there
 * @param make - the journal under test
 */
export function benchCuts(
	name: "random" | "erase",
	amount: number,
	wishes: { align: number; mirror: boolean },
	make: MakeJournal = (flash, client, mirror) => new Journal(flash, client, mirror),
): CutFigures {
	const mode = modeOf(name);
	const options = { mode: name, seed: SEED, amount, ...wishes };
	const byKind = { lost: 0, changed: 0, resurrected: 0, unmountable: 0, other: 0 };
	const figures: CutFigures = { cuts: 0, failures: 0, byKind, replays: [] };
	for (const task of mode.plan(options, make)) {
		const { counts, failure } = mode.run(task, options, make);
		figures.cuts += counts.cuts;
		if (failure === undefined) continue;
		figures.failures++;
		byKind[failure.kind]++;
		const mirror = wishes.mirror ? " --mirror" : "";
		figures.replays.push(
			`npm run powercuts -- --mode ${name} --align ${wishes.align}${mirror} --replay ${task.life}:${failure.cut}`,
		);
	}
	return figures;
}
