/** A thread of the campaign: gets seeds, or a failing seed to make small, and answers with what came of them. */
import { parentPort, workerData } from "node:worker_threads";
import type { WorldOptions, WorldReport } from "../world/report";
import { shrink } from "../world/shrink";
import { brokenReport, type Message, shortly, type Task } from "./world-pool";

const { runWorld } = require(workerData as string) as { runWorld(options: WorldOptions): WorldReport };

/** An exception out of a world is a failure like any other: the thread goes on with the next seed. */
function run(options: WorldOptions): WorldReport {
	try {
		return runWorld(options);
	} catch (error) {
		const at = error instanceof Error ? (/\n\s+(at .+)/.exec(error.stack ?? "")?.[1] ?? "") : "";
		return brokenReport(options.seed, `${shortly(error)} ${at.replaceAll(`${process.cwd()}/`, "")}`.trimEnd());
	}
}

function post(message: Message): void {
	parentPort?.postMessage(message);
}

parentPort?.on("message", (task: Task) => {
	if (task.kind === "seeds") {
		for (const seed of task.seeds) {
			// Thousands of names that nobody asks for: shrinking makes its own.
			post({ kind: "report", report: { ...run({ ...task.options, seed }), strikes: [] } });
		}
	} else {
		const { options, invariant, runsMax } = task;
		const shrunk = shrink({
			run,
			options,
			invariant,
			...(runsMax === undefined ? {} : { runsMax }),
			onProgress: (progress) => post({ kind: "progress", progress }),
		});
		post({ kind: "shrunk", shrunk });
	}
	post({ kind: "done" });
});

post({ kind: "ready" });
