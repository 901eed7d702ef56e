/** The same script on two engines: V8, in a context of its own in this process, and XS, in a process of its own. */
import * as vm from "node:vm";
import type { StoryLine, WorldReport } from "../../host-sim/world/report";
import { BARE_REALM, bundleScript, GLOBAL_NAME, xsRealm } from "./bundles";
import type { WorldJob } from "./world-entry";
import { XsError, XsWorker, type XsWorkerOptions } from "./xs-worker";

const HANG_MS = 600_000;

/** What an engine made of a world. */
export interface WorldRun {
	/** The report as its JSON, which is compared; undefined when there is none. */
	readonly json: string | undefined;
	/** Why there is none. */
	readonly trouble: string | undefined;
	readonly story: readonly StoryLine[];
	/** Byte codes; 0 where the engine does not count them. */
	readonly steps: number;
	readonly ms: number;
}

export interface Engine {
	readonly name: string;
	/** Never throws for what the script does. */
	run(job: WorldJob): Promise<WorldRun>;
	close(): Promise<void>;
}

export function reportOf({ json }: WorldRun): WorldReport | undefined {
	return json === undefined ? undefined : (JSON.parse(json) as WorldReport);
}

/** @returns firmware and world as one script */
export function bundleWorld(): string {
	return bundleScript("world-entry.ts");
}

export class NodeEngine implements Engine {
	readonly name = "Node";
	readonly #context: vm.Context;
	readonly #call = new vm.Script(`${GLOBAL_NAME}.runWorldJson(job, tell)`);
	#story: StoryLine[] = [];

	constructor(script: string) {
		// An ordinary global object: one that is watched over makes each global name slow.
		this.#context = vm.createContext(vm.constants.DONT_CONTEXTIFY);
		vm.runInContext(BARE_REALM, this.#context);
		vm.runInContext(script, this.#context, { filename: "world-on-node.js" });
		this.#context.tell = (line: string) => {
			this.#story.push(JSON.parse(line) as StoryLine);
		};
	}

	async run(job: WorldJob): Promise<WorldRun> {
		this.#context.job = JSON.stringify(job);
		this.#story = [];
		const began = performance.now();
		let json: string | undefined;
		let trouble: string | undefined;
		try {
			json = this.#call.runInContext(this.#context, { timeout: HANG_MS }) as string;
		} catch (error) {
			trouble = String(error);
		}
		return { json, trouble, story: this.#story, steps: 0, ms: performance.now() - began };
	}

	async close(): Promise<void> {}
}

/** A machine that has died is replaced by a new one for the next world. */
export class XsEngine implements Engine {
	readonly name = "XS";
	readonly #script: string;
	readonly #options: XsWorkerOptions;
	#worker: XsWorker | undefined;
	#story: StoryLine[] = [];

	constructor(script: string, options: XsWorkerOptions = {}) {
		this.#script = script;
		this.#options = options;
	}

	/** @throws {XsError} "absent" */
	async run(job: WorldJob): Promise<WorldRun> {
		this.#story = [];
		const began = performance.now();
		let json: string | undefined;
		let trouble: string | undefined;
		let steps = 0;
		try {
			this.#worker ??= await this.#start();
			const reply = await this.#worker.command(JSON.stringify(job));
			json = reply.bytes.toString("latin1");
			steps = reply.steps;
		} catch (error) {
			if (!(error instanceof XsError) || error.trouble === "absent") throw error;
			trouble = error.message;
			if (error.trouble !== "threw") await this.close();
		}
		return { json, trouble, story: this.#story, steps, ms: performance.now() - began };
	}

	async close(): Promise<void> {
		await this.#worker?.close();
		this.#worker = undefined;
	}

	async #start(): Promise<XsWorker> {
		const worker = new XsWorker({
			...this.#options,
			onMessage: (line) => {
				this.#story.push(JSON.parse(line.toString("latin1")) as StoryLine);
				return "";
			},
		});
		try {
			await worker.evaluate(xsRealm(`(json) => globalThis.${GLOBAL_NAME}.runWorldJson(json, tell)`));
			await worker.evaluate(this.#script);
		} catch (error) {
			await worker.close();
			throw error;
		}
		return worker;
	}
}
