/** The modes by name: how each divides into tasks that run by themselves, and how one of them is run. */
import { parseCut } from "../../host-sim/board/flash-cut";
import { SeededRandom } from "../../host-sim/board/seeded-random";
import { UsageError } from "../../host-sim/cli/args";
import { type Aimer, aimAnywhere, aimAtBrownOuts, aimAtErases, aimAtRecovery, aimMarginal } from "./aims";
import type { Outcome } from "./boots";
import { journalMaker } from "./broken";
import { runDestroy } from "./destroy";
import { cutOperation, DAYS, type DayName, dayOperations, replayDay } from "./exhaustive";
import { Failure } from "./failure";
import { type MakeJournal, noCounts, type Story } from "./history";
import { runLife } from "./life";
import type { SearchOptions, Task, Wishes } from "./options";
import { runReboots } from "./reboots";
import { runSales } from "./sales";

/** One history, given by its seed and how long it is. */
type RunHistory = (seed: number, amount: number, wishes: Wishes, make: MakeJournal, story?: Story) => Outcome;

export interface Mode {
	readonly brief: string;
	/** What `--cuts` counts. */
	readonly unit: "cuts" | "sales" | "reboots" | "losses" | "operations";
	readonly amountDefault: number;
	/** Needs two copies, and has them without being asked. */
	readonly mirror?: boolean;
	plan(options: SearchOptions, make: MakeJournal): Task[];
	run(task: Task, options: SearchOptions, make: MakeJournal, story?: Story): Outcome;
}

const CUTS_DEFAULT = 10_000;

/** Many histories of `each`, with seeds of their own. */
function histories(brief: string, unit: Mode["unit"], amountDefault: number, each: number, run: RunHistory): Mode {
	return {
		brief,
		unit,
		amountDefault,
		plan: ({ seed, amount }) => {
			const random = new SeededRandom(seed);
			const tasks: Task[] = [];
			for (let left = amount; left > 0; left -= each) {
				const own = Math.min(each, left);
				// The name says how long a life is when it is shorter than others: its end is part of it.
				const short = own === each ? "" : `x${own}`;
				tasks.push({ life: `${random.fork(tasks.length).u32()}${short}` });
			}
			return tasks;
		},
		run: ({ life }, options, make, story) => {
			const [seed, own = `${each}`] = life.split("x");
			return run(Number(seed), Number(own), options, make, story);
		},
	};
}

function lives(brief: string, each: number, aimer: () => Aimer, crowdedOneIn = 5): Mode {
	const kind = { aimer, crowdedOneIn };
	return histories(brief, "cuts", CUTS_DEFAULT, each, (seed, cuts, wishes, make, story) =>
		runLife(seed, cuts, wishes, kind, make, story),
	);
}

function operationsOf(day: DayName, options: SearchOptions, make: MakeJournal): number[] {
	try {
		return dayOperations(day, options, make);
	} catch {
		return [1]; // The day fails uncut: whoever cuts its first operation will say how.
	}
}

const exhaustive: Mode = {
	brief: "a short day cut before, within and after every operation, and each boot after it as well; takes no --cuts",
	unit: "operations",
	amountDefault: 0,
	plan: (options, make) => {
		const tasks: Task[] = [];
		for (const day of Object.keys(DAYS) as DayName[]) {
			for (const [n, byteLength] of operationsOf(day, options, make).entries()) {
				tasks.push({ life: day, operation: n + 1, byteLength });
			}
		}
		return tasks;
	},
	run: ({ life, operation = 1, byteLength = 1, cuts }, options, make, story) =>
		story === undefined
			? cutOperation(life as DayName, operation, byteLength, options, make)
			: replayDay(life as DayName, cuts ?? "", options, make, story),
};

export const MODES: Readonly<Record<string, Mode>> = {
	random: lives("power goes at any operation, any byte of it, in any shape", 100, aimAnywhere),
	erase: lives("at erases, and at the operations just before and after them", 100, aimAtErases),
	double: lives("a cut, and then more within the next boots' own operations, up to 200 in a row", 250, aimAtRecovery),
	marginal: lives("torn operations with marginal cells, and boots that read them in many moods", 100, aimMarginal),
	exhaustive,
	brownouts: lives("rows of 200 cuts in the first operations after a boot", 402, aimAtBrownOuts, 2),
	sales: histories(
		"--cuts counts sales on 16 blocks, settled every 50, power goes every hundred",
		"sales",
		100_000,
		Number.POSITIVE_INFINITY,
		runSales,
	),
	reboots: histories(
		"--cuts counts boots without a sale: they wear nothing",
		"reboots",
		10_000,
		Number.POSITIVE_INFINITY,
		runReboots,
	),
	destroy: {
		...histories(
			"--cuts counts losses of a block, or a copy, of two (implies --mirror)",
			"losses",
			10_000,
			25,
			runDestroy,
		),
		mirror: true,
	},
};

/** What runs when no mode is named. */
export const COMMON_MODES = ["random", "erase", "double", "marginal"];

export function modeOf(name: string): Mode {
	const mode = MODES[name];
	if (mode === undefined) throw new UsageError(`--mode is one of ${Object.keys(MODES).join(", ")}, not "${name}"`);
	return mode;
}

const makers = new Map<string | undefined, MakeJournal>();

function makerOf({ broken }: SearchOptions): MakeJournal {
	const make = makers.get(broken) ?? journalMaker(broken);
	makers.set(broken, make);
	return make;
}

export function planTasks(options: SearchOptions): Task[] {
	return modeOf(options.mode).plan(options, makerOf(options));
}

/** @param story - told what happens, a line each */
export function runTask(task: Task, options: SearchOptions, story?: Story): Outcome {
	const make = makerOf(options);
	try {
		return modeOf(options.mode).run(task, options, make, story);
	} catch (error) {
		// Before its first cut: what can not be provisioned, or not even used for an evening.
		const { stack = "", message } = error as Error;
		story?.(stack);
		const kind = error instanceof Failure ? error.kind : "other";
		return { counts: noCounts(), failure: { kind, message, cut: "" } };
	}
}

const REPLAY = /^(\d{1,10}(?:x\d{1,9})?|[a-z]+)(?::([-\d./+]+))?$/;

/** @throws {UsageError} when no failure of this mode has such a name */
export function parseReplay(name: string, mode: string): Task {
	const match = REPLAY.exec(name);
	const isDay = match !== null && match[1] in DAYS;
	if (match === null || isDay !== (mode === "exhaustive")) {
		throw new UsageError(`--replay takes a name as a failure of the mode prints it, not "${name}"`);
	}
	const [, life, cuts = ""] = match;
	if (isDay && cuts !== "") for (const cut of cuts.split("+")) parseCut(cut);
	return { life, cuts };
}
