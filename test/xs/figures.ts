/**
 * What the terminal takes on XS: byte codes of a sale, and slots of the machine's heap. A slot is 16 bytes on the board,
 * of which it has 4,928; its modules are preloaded there and take none, so that all that counts is what is made at run
 * time. Slots are the same in each run.
 *
 * The machine tells its count only between two commands. What a terminal holds deep inside a sale is seen by going there
 * again and again: a machine is brought to where the scene begins and written down; from that snapshot the scene runs up
 * to the n-th point, collects garbage there, and stops. Points are the calls of ports, and the beginnings of functions and
 * of turns of loops. Between two of them it holds at most what it held at the first and all that was made up to the
 * second; where that is more than was seen, it is looked for closer by.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bundlePointed, bundleScript, GLOBAL_NAME, xsRealm } from "./bundles";
import type { MeasureCommand } from "./measure-entry";
import { LIVE_SCENE, SCENES, type Scene } from "./measure-scenes";
import { recordScene } from "./record";
import { XsWorker, type XsWorkerOptions } from "./xs-worker";

/** Slots of the board's machine, and what a terminal may take of them: the collector needs the rest. */
export const BOARD_SLOTS = 4_928;
export const BUDGET_SLOTS = 3_900;
/** A scene is cut into so many at first. */
const STRETCHES = 40;
/** So many of the worst are cut in two at a time. */
const WORST = 16;
/** What is promised may be so much more than what was seen; then it is near enough. */
const NEAR_SLOTS = 32;
/** Of one scene, when what is promised keeps to the budget by then. It holds in any case, only not so near. */
const REPLAYS_MAX = 200;
/** When it does not seem to. */
const REPLAYS_IN_DOUBT = 1_600;
const LIVE_STEPS = [100, 900] as const;

export interface SceneFigures {
	readonly name: string;
	readonly what: string;
	/** Byte codes of the scene. */
	readonly steps: number;
	/** Transactions that are compared with the host's books in it; 0: none are. */
	readonly compared: number;
	/** When it begins. */
	readonly before: number;
	/** The most that was seen in use, garbage collected. */
	readonly peak: number;
	/** Nowhere in the scene are more in use. */
	readonly bound: number;
	/** Made during the scene, garbage or not. */
	readonly made: number;
	/** Where it can be looked at, and how often it was. */
	readonly points: number;
	readonly seen: number;
}

/** The same program twice: as it is, and with points. */
export interface MeasureScripts {
	readonly plain: string;
	readonly pointed: string;
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

/** Between two points. */
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
		const pointed = await bundlePointed("measure-entry.ts");
		onProgress("modules");
		const modules = await measureModules();
		const scenes: SceneFigures[] = [];
		const constructed: Record<string, number> = {};
		const atRest: Record<string, number> = {};
		for (const scene of SCENES) {
			onProgress(scene.name);
			constructed[scene.scheme] ??= await measureConstructed(script, scene);
			const figures = await measureScene({ plain: script, pointed }, scene, jobs, folder);
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

/**
 * @param folder - for the snapshot that each run begins from
 * @param replaysMax - the fewer, the less was seen, and the more is promised
 */
export function measureScene(
	scripts: MeasureScripts,
	scene: Scene,
	jobs: number,
	folder: string,
	replaysMax?: number,
): Promise<SceneFigures> {
	return new SceneBench(scene, scripts, join(folder, `${scene.name}.snapshot`), jobs, replaysMax).run();
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
	readonly #scripts: MeasureScripts;
	readonly #snapshot: string;
	readonly #jobs: number;
	readonly #replaysMax: number;
	readonly #replaysInDoubt: number;
	#replays = 0;

	constructor(scene: Scene, scripts: MeasureScripts, snapshot: string, jobs: number, replaysMax?: number) {
		this.#replaysMax = replaysMax ?? REPLAYS_MAX;
		this.#replaysInDoubt = replaysMax ?? REPLAYS_IN_DOUBT;
		this.#scene = scene;
		this.#scripts = scripts;
		this.#snapshot = snapshot;
		this.#jobs = jobs;
	}

	async run(): Promise<SceneFigures> {
		const { name, what, compared = 0 } = this.#scene;
		const { steps, made } = await this.#play();
		const start = await withWorker({}, async (worker) => {
			const ask = await load(worker, this.#scripts.pointed, this.#scene);
			const board = await slotsOf(ask, { do: "board" });
			const before = (await slotsOf(ask, { do: "prepare" })) - board;
			await worker.snapshot(this.#snapshot);
			return { board, before };
		});
		const points = (await this.#replay(0, 0)).calls;
		let peak = start.before;
		const slotsAt = async (at: number, stop: number) => (await this.#replay(at, stop)).slots - start.board;
		const peakAt = async (at: number) => {
			peak = Math.max(peak, await slotsAt(at, at));
		};
		/** `from`: garbage is collected before this point, 0: the beginning; `to`: it is not passed, or is the end. */
		const stretch = async (from: number, to: number): Promise<Stretch> => {
			return { from, to, bound: await slotsAt(from, to > points ? 0 : to) };
		};
		const stride = Math.ceil(points / Math.min(STRETCHES, Math.ceil(this.#replaysMax / 2)));
		const stretches: Stretch[] = [];
		const begins = Array.from({ length: Math.floor(points / stride) + 1 }, (_, n) => n * stride);
		await inParallel(this.#jobs, begins, async (from) => {
			if (from > 0) await peakAt(from);
			stretches.push(await stretch(from, Math.min(from + stride, points + 1)));
		});
		// A long stretch promises too little: the worst are looked at more closely until they promise what was seen.
		for (;;) {
			stretches.sort((a, b) => a.bound - b.bound);
			const worst = stretches.filter(({ from, to, bound }) => to - from > 1 && bound > peak + NEAR_SLOTS);
			if (worst.length === 0 || this.isEnough(Math.max(...worst.map((one) => one.bound)))) break;
			const long = worst.slice(-WORST);
			await inParallel(this.#jobs, long, async (one) => {
				const middle = (one.from + one.to) >> 1;
				// In doubt it is only to be promised less.
				if (this.#replays < this.#replaysMax) await peakAt(middle);
				stretches.splice(stretches.indexOf(one), 1);
				stretches.push(await stretch(one.from, middle), await stretch(middle, one.to));
			});
		}
		const bound = Math.max(peak, ...stretches.map((one) => one.bound));
		return { name, what, steps, compared, before: start.before, peak, bound, made, points, seen: this.#replays };
	}

	private isEnough(bound: number): boolean {
		return this.#replays >= (bound <= BUDGET_SLOTS ? this.#replaysMax : this.#replaysInDoubt);
	}

	/** The scene as it is, without points. */
	#play(): Promise<{ steps: number; made: number }> {
		return withWorker({}, async (worker) => {
			const ask = await load(worker, this.#scripts.plain, this.#scene);
			await ask({ do: "board" });
			const before = await slotsOf(ask, { do: "prepare" });
			const { slots, steps } = await ask({ do: "act", collectAt: 0, stopAt: 0 });
			return { steps, made: slots - before };
		});
	}

	#replay(collectAt: number, stopAt: number): Promise<{ slots: number; calls: number }> {
		this.#replays++;
		return withWorker({ snapshot: this.#snapshot }, async (worker) => {
			const ask: Ask = (command) => worker.command(JSON.stringify(command));
			const { slots } = await ask({ do: "act", collectAt, stopAt });
			const calls = Number((await ask({ do: "calls" })).bytes.toString("latin1"));
			return { slots, calls };
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
