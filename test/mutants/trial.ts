/** Test files over mutated sources, in a process of their own: which test notices? */
import { type ChildProcess, fork } from "node:child_process";
import { join } from "node:path";
import type { FailedTest, TrialMessage, TrialTask } from "./trial-process";

/** For all files together; they take a fraction of it. */
const TRIAL_MS_MAX = 240_000;

/** Of a hunt that is ended nothing stays behind, not even a test that never gives way. */
const running = new Set<ChildProcess>();
process.once("exit", () => {
	for (const child of running) child.kill("SIGKILL");
});

export interface Trial {
	/** In the order of running; at most one with `stopAtFailure`. */
	readonly failed: readonly FailedTest[];
	/** Why there is no verdict: a file does not load, or has no test. */
	readonly broken: string | undefined;
}

export function tryTests(task: TrialTask, msMax = TRIAL_MS_MAX): Promise<Trial> {
	return new Promise((answered) => {
		const child = fork(join(__dirname, "trial-process.ts"), {
			execArgv: ["-r", "ts-node/register"],
			stdio: ["ignore", "ignore", "ignore", "ipc"],
		});
		const failed: FailedTest[] = [];
		let tests = -1;
		let broken: string | undefined;
		let done = false;
		const clock = setTimeout(() => {
			// A test that never gives way cannot be asked to stop.
			if (!done) failed.push({ title: "hangs", error: `no end within ${msMax / 1_000} s` });
			done = true;
			child.kill("SIGKILL");
		}, msMax);
		child.on("message", (message: TrialMessage) => {
			if (message.kind === "loaded") tests = message.tests;
			else if (message.kind === "failed") failed.push(message.test);
			else if (message.kind === "broken") broken = message.error;
			else done = true;
		});
		child.on("exit", (code) => {
			clearTimeout(clock);
			if (tests === 0) broken ??= "there is no test in it";
			if (tests < 0 && !done) broken ??= `it did not begin, exit code ${code}`;
			else if (!done) failed.push({ title: "the process has died", error: `exit code ${code}` });
			answered({ failed, broken });
		});
		running.add(child);
		child.on("exit", () => running.delete(child));
		child.send(task);
	});
}
