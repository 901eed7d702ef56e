/** A thread of a search: gets tasks, answers with outcomes. */
import { parentPort } from "node:worker_threads";
import { runTask } from "./modes";
import type { SearchOptions, Task } from "./options";

parentPort?.on("message", ({ options, task }: { options: SearchOptions; task: Task }) => {
	parentPort?.postMessage(runTask(task, options));
});
