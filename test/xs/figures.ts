/**
 * What the terminal takes on XS: byte codes of a sale, and slots of the machine's heap. A slot is 16 bytes on the board,
 * of which it has 4,928; its modules are preloaded there and take none, so that all that counts is what is made at run
 * time. Slots are the same in each run.
 *
 * The machine tells its count only between two commands. What a terminal holds deep inside a sale is seen by going there
 * again and again: a machine is brought to where the scene begins and written down; from that snapshot the scene runs up
 * to the n-th call of a port, collects garbage there, and stops; for each n. What it holds between two calls is at most
 * what it held at the first and all that it made up to the second.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bundleScript, GLOBAL_NAME, xsRealm } from "./bundles";
import type { MeasureCommand } from "./measure-entry";
import { LIVE_SCENE, SCENES, type Scene } from "./measure-scenes";
import { recordScene } from "./record";
import { XsWorker, type XsWorkerOptions } from "./xs-worker";

/** Slots of the board's machine, and what a terminal may take of them: the collector needs the rest. */
export const BOARD_SLOTS = 4_928;
export const BUDGET_SLOTS = 3_900;
/** Of a long scene not every call is looked at. */
const CALLS_SEEN_MAX = 120;
const LIVE_STEPS = [100, 900] as const;

export interface SceneFigures {
	readonly name: string;
	readonly what: string;
	/** Byte codes of the scene. */
	readonly steps: number;
	/** When it begins. */
	readonly before: number;
	/** The most that was seen in use at a call of a port. */
	readonly peak: number;
	/** Nowhere in the scene are more in use. */
	readonly bound: number;
	/** Made during the scene, garbage or not. */
	readonly made: number;
	/** Calls of ports; of them looked at. */
	readonly calls: number;
	readonly seen: number;
}

export interface Figures {
	/** Of all modules of the firmware, on an engine that loads them into RAM. */
	readonly modules: number;
	/** Of a terminal that was constructed, beyond modules and board; by key scheme. */
	readonly constructed: Readonly<Record<string, number>>;
	/** Signed on, and at rest after a sale. */
	readonly atRest: Readonly<Record<string, number>>;
	/** More for 100 and 1,000 live transactions (advices that wait), beyond those for one. */
	readonly live100: number;
	readonly live1000: number;
	readonly scenes: readonly SceneFigures[];
	/** The greatest peak and bound of all scenes. */
	readonly peak: number;
	readonly bound: number;
}

/** Between two calls of ports. */
interface Stretch {
	readonly from: number;
	readonly to: number;
	/** Slots in use at `from`, garbage collected, and all that are made up to `to`. */
	readonly bound: number;
}

type Ask = (command: MeasureCommand) => ReturnType<XsWorker["command"]>;

/** Passes the collector on with the first command, which is before any scene. */
const REALM = xsRealm(`(json) => {
	globalThis.${GLOBAL_NAME}.useCollector(collect);
	return globalThis.${GLOBAL_NAME}.measure(json);
}`);

/**
 * @param onProgress - what is measured now
 * @throws {XsError}
 */
export async function measureFigures(jobs: number, onProgress: (text: string) => void): Promise<Figures> {
	const folder = mkdtempSync(join(tmpdir(), "xs-figures-"));
	try {
		const script = bundleScript("measure-entry.ts");
		onProgress("modules");
		const modules = await measureModules();
		const scenes: SceneFigures[] = [];
		const constructed: Record<string, number> = {};
		const atRest: Record<string, number> = {};
		for (const scene of SCENES) {
			onProgress(scene.name);
			const bench = new SceneBench(scene, script, join(folder, `scene-${scenes.length}`), jobs);
			constructed[scene.scheme] ??= await measureConstructed(script, scene);
			const figures = await bench.run();
			if (scene.earlier === undefined) atRest[scene.scheme] ??= figures.before;
			scenes.push(figures);
		}
		onProgress("live transactions");
		const [live100, live1000] = await measureLive(script, LIVE_SCENE, LIVE_STEPS);
		const peak = Math.max(...scenes.map((scene) => scene.peak));
		const bound = Math.max(...scenes.map((scene) => scene.bound));
		return { modules, constructed, atRest, live100, live1000, scenes, peak, bound };
	} finally {
		rmSync(folder, { recursive: true, force: true });
	}
}

async function measureModules(): Promise<number> {
	return await withWorker({}, async (worker) => {
		await worker.evaluate(xsRealm('() => { collect(); return ""; }'));
		const before = (await worker.command("")).slots;
		await worker.evaluate(bundleScript("firmware-entry.ts"));
		return (await worker.command("")).slots - before;
	});
}

/** Slots of a terminal as it is constructed, beyond modules and board; a new machine, as XS holds on to what was before. */
export function measureConstructed(script: string, scene: Scene): Promise<number> {
	return withWorker({}, async (worker) => {
		const ask = await load(worker, script, scene);
		const board = await slotsOf(ask, { do: "board" });
		return (await slotsOf(ask, { do: "construct" })) - board;
	});
}

/**
 * Slots that transactions take while they are live. An advice is until the host has answered it: with the line gone as
 * many wait as the journal holds.
 * @param steps - how many more each time
 * @returns after each, beyond what one takes
 */
export async function measureLive(script: string, scene: Scene, steps: readonly number[]): Promise<number[]> {
	return await withWorker({}, async (worker) => {
		const ask = await load(worker, script, scene);
		await ask({ do: "board" });
		await ask({ do: "prepare" });
		const one = await slotsOf(ask, { do: "forward", count: 1 });
		const more: number[] = [];
		for (const count of steps) more.push((await slotsOf(ask, { do: "forward", count })) - one);
		return more;
	});
}

class SceneBench {
	readonly #scene: Scene;
	readonly #script: string;
	readonly #snapshot: string;
	readonly #jobs: number;

	constructor(scene: Scene, script: string, snapshot: string, jobs: number) {
		this.#scene = scene;
		this.#script = script;
		this.#snapshot = snapshot;
		this.#jobs = jobs;
	}

	async run(): Promise<SceneFigures> {
		const scene = this.#scene;
		const start = await withWorker({}, async (worker) => {
			const ask = await load(worker, this.#script, scene);
			const board = await slotsOf(ask, { do: "board" });
			const before = (await slotsOf(ask, { do: "prepare" })) - board;
			await worker.snapshot(this.#snapshot);
			return { board, before };
		});
		const whole = await this.#replay(0, 0);
		const { calls } = whole;
		const stride = Math.ceil(calls / CALLS_SEEN_MAX);
		const peaks: number[] = [start.before];
		const slotsAt = async (at: number, stop: number) => (await this.#replay(at, stop)).slots - start.board;
		/** `from`: garbage is collected before this call, 0: the beginning; `to`: it does not happen, or is the end. */
		const stretch = async (from: number, to: number): Promise<Stretch> => {
			return { from, to, bound: await slotsAt(from, to > calls ? 0 : to) };
		};
		const stretches: Stretch[] = [];
		const begins = Array.from({ length: Math.floor(calls / stride) + 1 }, (_, n) => n * stride);
		await inParallel(this.#jobs, begins, async (from) => {
			if (from > 0) peaks.push(await slotsAt(from, from));
			stretches.push(await stretch(from, Math.min(from + stride, calls + 1)));
		});
		// A stretch of many calls promises too little: the worst are looked at more closely until the worst has only one.
		const worst = () => stretches.sort((a, b) => a.bound - b.bound).at(-1);
		for (let top = worst(); top !== undefined && top.to - top.from > 1; top = worst()) {
			const long = stretches.splice(-this.#jobs).filter((one) => one.to - one.from > 1 || !stretches.push(one));
			await inParallel(this.#jobs, long, async ({ from, to }) => {
				const middle = (from + to) >> 1;
				peaks.push(await slotsAt(middle, middle));
				stretches.push(await stretch(from, middle), await stretch(middle, to));
			});
		}
		return {
			name: scene.name,
			what: scene.what,
			steps: whole.steps,
			before: start.before,
			peak: Math.max(...peaks),
			bound: Math.max(...peaks, worst()?.bound ?? 0),
			made: whole.slots - start.board - start.before,
			calls,
			seen: peaks.length - 1,
		};
	}

	#replay(collectAt: number, stopAt: number): Promise<{ slots: number; steps: number; calls: number }> {
		return withWorker({ snapshot: this.#snapshot }, async (worker) => {
			const ask: Ask = (command) => worker.command(JSON.stringify(command));
			const { slots, steps } = await ask({ do: "act", collectAt, stopAt });
			const calls = Number((await ask({ do: "calls" })).bytes.toString("latin1"));
			return { slots, steps, calls };
		});
	}
}

async function load(worker: XsWorker, script: string, scene: Scene): Promise<Ask> {
	await worker.evaluate(REALM);
	await worker.evaluate(script);
	const ask: Ask = (command) => worker.command(JSON.stringify(command));
	await ask({ do: "load", scene: scene.name, script: recordScene(scene) });
	return ask;
}

async function slotsOf(ask: Ask, command: MeasureCommand): Promise<number> {
	return (await ask(command)).slots;
}

async function withWorker<T>(options: XsWorkerOptions, use: (worker: XsWorker) => Promise<T>): Promise<T> {
	const worker = new XsWorker(options);
	try {
		return await use(worker);
	} finally {
		await worker.close();
	}
}

/** Some at a time. Every one to its end, also when one throws: no process is left behind. */
export async function inParallel<T>(
	jobs: number,
	items: readonly T[],
	work: (item: T) => Promise<void>,
): Promise<void> {
	let next = 0;
	const lane = async () => {
		while (next < items.length) {
			const item = items[next++];
			await work(item);
		}
	};
	const endings = await Promise.allSettled(Array.from({ length: Math.min(jobs, items.length) }, lane));
	for (const ending of endings) if (ending.status === "rejected") throw ending.reason;
}
