/** A thread of the search: gets blocks, answers with what came of them; the case it is at is in shared memory. */
import { parentPort, workerData } from "node:worker_threads";
import { type BlockTask, runBlock } from "./block";
import { findTarget } from "./targets";

const at = new Float64Array(workerData as SharedArrayBuffer);

parentPort?.on("message", (task: BlockTask) => {
	const target = findTarget(task.target);
	if (target === undefined) throw new Error(`no target ${task.target}`);
	const result = runBlock(target, task, (number) => {
		at[0] = number;
	});
	parentPort?.postMessage(result);
});
