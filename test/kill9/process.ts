/**
 * One command of the project as a real process whose output is JSON lines, to be ended with SIGKILL.
 */
import { type ChildProcess, spawn } from "node:child_process";
import * as path from "node:path";
import * as readline from "node:readline";

const ROOT = path.join(__dirname, "../..");
/** Last lines of standard error that are kept. */
const STDERR_LINES_MAX = 40;

export interface Ended {
	readonly code: number | null;
	readonly signal: NodeJS.Signals | null;
}

export type Event = { readonly kind: string } & Record<string, unknown>;

/** So that an end of this process, however early, leaves no child behind. */
const running = new Set<ChildProcess>();
process.on("exit", () => {
	for (const child of running) child.kill("SIGKILL");
});

export class Command {
	readonly ended: Promise<Ended>;
	/** Last JSON line. */
	last: Event | undefined;
	/** Last lines of standard error. */
	readonly errors: string[] = [];
	readonly #child: ChildProcess;
	readonly #waiting: { wanted: (event: Event) => boolean; done: (event: Event | undefined) => void }[] = [];
	#over = false;

	/** @param name - host or terminal */
	constructor(name: string, argv: readonly string[], onEvent: (event: Event) => void) {
		const command = ["-r", "ts-node/register", `host-sim/cli/${name}.ts`, "--json", ...argv];
		const child = spawn(process.execPath, command, { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"] });
		this.#child = child;
		running.add(child);
		readline.createInterface({ input: child.stdout }).on("line", (line) => {
			let event: Event;
			try {
				event = JSON.parse(line) as Event;
			} catch {
				return; // A line that the kill tore.
			}
			this.last = event;
			onEvent(event);
			this.#tell(event);
		});
		readline.createInterface({ input: child.stderr }).on("line", (line) => {
			this.errors.push(line);
			if (this.errors.length > STDERR_LINES_MAX) this.errors.shift();
			this.#tell({ kind: "log", line });
		});
		this.ended = new Promise((resolve) => {
			child.on("close", (code, signal) => {
				this.#over = true;
				running.delete(child);
				for (const { done } of this.#waiting.splice(0)) done(undefined);
				resolve({ code, signal });
			});
		});
	}

	get over(): boolean {
		return this.#over;
	}

	/** @returns the next event that is wanted, or undefined when the process has ended before it */
	next(wanted: (event: Event) => boolean): Promise<Event | undefined> {
		if (this.#over) return Promise.resolve(undefined);
		return new Promise((done) => {
			this.#waiting.push({ wanted, done });
		});
	}

	/** @returns how it ended, when the kernel has buried it */
	async end(signal: NodeJS.Signals): Promise<Ended> {
		this.#child.kill(signal);
		return this.ended;
	}

	#tell(event: Event): void {
		for (let i = this.#waiting.length - 1; i >= 0; i--) {
			if (this.#waiting[i].wanted(event)) this.#waiting.splice(i, 1)[0].done(event);
		}
	}
}
