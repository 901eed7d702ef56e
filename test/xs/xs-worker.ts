/**
 * A client of `xsnap-worker`, the real XS engine in a process of its own. It speaks netstrings on file descriptors 3 and
 * 4: `e` evaluates, `?` hands a message to the machine's `handleCommand`; while either runs, the machine may ask back
 * with `?` (its `issueCommand`, which waits for our `/`), and ends with `.` and its meter, or with `!`.
 * Source: xsnap-native/xsnap/sources/xsnap-worker.c of @agoric/xsnap 0.15.0, `main` and `xs_issueCommand`.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { NetstringReader, netstring } from "./netstring";

/** "absent": not compiled here; "memory": the machine's own limits; "threw": an exception left the script. */
export type XsTrouble = "absent" | "died" | "memory" | "hung" | "threw";

export class XsError extends Error {
	override readonly name = "XsError";
	readonly trouble: XsTrouble;

	constructor(trouble: XsTrouble, message: string) {
		super(message);
		this.trouble = trouble;
	}
}

export interface XsReply {
	/** What the script returned as an ArrayBuffer; empty for anything else. */
	readonly bytes: Buffer;
	/** Byte codes of this command, modulo 2^32; the same in each run. */
	readonly steps: number;
	/** Slots in use when it ended, garbage included; the same in each run. */
	readonly slots: number;
}

export interface XsWorkerOptions {
	/** Default: the worker that was compiled when the package was installed. */
	readonly path?: string;
	/** Without an answer; default ten minutes. */
	readonly hangMs?: number;
	/** A file of {@link XsWorker.snapshot}: the machine goes on from there. */
	readonly snapshot?: string;
	/** The machine asks; it waits for what is returned. Default: it may not. */
	onMessage?(message: Buffer): string;
}

const HANG_MS = 600_000;
/** Between the meter and what was returned. */
const METER_END = 0x01;
const STDERR_CHARS_MAX = 1_000;
const PLATFORMS: Readonly<Record<string, string>> = { linux: "lin", darwin: "mac" };

/** Its exit codes; the machine's own aborts are 10 and something. Source: xsnap-worker.c, `ExitCode`. */
const EXITS: Readonly<Record<number, readonly [XsTrouble, string]>> = {
	1: ["died", "it does not take its arguments"],
	2: ["died", "it cannot read or write its pipes"],
	11: ["memory", "out of memory"],
	12: ["memory", "stack overflow"],
	15: ["died", "an exception that nobody caught"],
	16: ["memory", "no more keys"],
	17: ["died", "too much computation"],
};

/** Where the worker is, compiled or not. @throws {XsError} "absent" without the package, or where it cannot run */
export function xsWorkerPath(): string {
	const platform = PLATFORMS[process.platform];
	if (platform === undefined) throw new XsError("absent", `@agoric/xsnap does not run on ${process.platform}`);
	try {
		const folder = dirname(createRequire(__filename).resolve("@agoric/xsnap/package.json"));
		return join(folder, `xsnap-native/xsnap/build/bin/${platform}/release/xsnap-worker`);
	} catch {
		throw new XsError("absent", "the XS engine is not there: @agoric/xsnap is not installed; npm ci installs it");
	}
}

interface Waiting {
	resolve(reply: XsReply): void;
	reject(error: XsError): void;
}

/** One machine. Commands are answered one at a time; after any trouble but "threw" it is of no use any more. */
export class XsWorker {
	readonly #process: ChildProcess;
	readonly #input: Writable;
	readonly #onMessage: ((message: Buffer) => string) | undefined;
	readonly #hangMs: number;
	readonly #ended: Promise<void>;
	#waiting: Waiting | undefined;
	#watch: NodeJS.Timeout | undefined;
	/** Why no command is taken any more. */
	#trouble: XsError | undefined;
	#stderr = "";

	/** @throws {XsError} "absent" */
	constructor(options: XsWorkerOptions = {}) {
		const path = options.path ?? xsWorkerPath();
		if (!existsSync(path)) {
			throw new XsError(
				"absent",
				`the XS engine is not there: ${path} is missing. It is compiled when @agoric/xsnap is installed, with a C ` +
					"compiler and make, in about a minute: npm rebuild @agoric/xsnap (npm 11 also wants: npm install-scripts " +
					"approve @agoric/xsnap)",
			);
		}
		this.#onMessage = options.onMessage;
		this.#hangMs = options.hangMs ?? HANG_MS;
		// A build for tests writes what it hears into its folder: not into ours.
		const from = options.snapshot === undefined ? [] : ["-r", options.snapshot];
		this.#process = spawn(path, ["xs", ...from], {
			cwd: tmpdir(),
			stdio: ["ignore", "ignore", "pipe", "pipe", "pipe"],
		});
		const [, , stderr, input, output] = this.#process.stdio as unknown as [null, null, Readable, Writable, Readable];
		this.#input = input;
		stderr.on("data", (text: Buffer) => {
			this.#stderr = (this.#stderr + text.toString("latin1")).slice(0, STDERR_CHARS_MAX);
		});
		// Its exit says why; a broken pipe only that.
		input.on("error", () => {});
		const reader = new NetstringReader((message) => this.#take(message));
		output.on("data", (bytes: Buffer) => this.#guard(() => reader.push(bytes)));
		this.#ended = new Promise((resolve) => {
			this.#process.on("error", (error) => {
				this.#fail(new XsError("died", `the XS engine does not start: ${error.message}`));
				resolve();
			});
			// After its pipes are closed: what it said last has come.
			this.#process.on("close", (code, signal) => {
				this.#fail(this.#exitError(code, signal));
				resolve();
			});
		});
	}

	/** Runs a script in the machine's global scope. @throws {XsError} */
	evaluate(code: string): Promise<XsReply> {
		return this.#ask("e", code);
	}

	/** Hands `message` to the machine's `handleCommand(ArrayBuffer)`. @throws {XsError} */
	command(message: string): Promise<XsReply> {
		return this.#ask("?", message);
	}

	/** Writes the machine as it is to a file that does not exist yet; absolute path. @throws {XsError} */
	async snapshot(path: string): Promise<void> {
		await this.#ask("w", path);
	}

	/** Ends the process; what is under way fails. */
	async close(): Promise<void> {
		this.#fail(new XsError("died", "the XS engine was closed"));
		this.#process.kill("SIGKILL");
		await this.#ended;
	}

	#ask(kind: string, text: string): Promise<XsReply> {
		return new Promise((resolve, reject) => {
			if (this.#waiting !== undefined) throw new Error("one command at a time");
			if (this.#trouble !== undefined) {
				reject(this.#trouble);
				return;
			}
			this.#waiting = { resolve, reject };
			this.#watch = setTimeout(() => {
				this.#fail(new XsError("hung", `the XS engine has not answered for ${this.#hangMs / 1_000} s`));
				this.#process.kill("SIGKILL");
			}, this.#hangMs);
			this.#input.write(netstring(`${kind}${text}`));
		});
	}

	/** What it sends is no netstring, or our own answer failed: nothing it says from now on means anything. */
	#guard(action: () => void): void {
		try {
			action();
		} catch (error) {
			this.#fail(new XsError("died", `the XS engine was given up: ${(error as Error).message}`));
			this.#process.kill("SIGKILL");
		}
	}

	#take(message: Buffer): void {
		const kind = String.fromCharCode(message[0] ?? 0);
		if (kind === "?" && this.#onMessage !== undefined) {
			this.#input.write(netstring(`/${this.#onMessage(message.subarray(1))}`));
			return;
		}
		const waiting = this.#waiting;
		if (waiting === undefined || (kind !== "." && kind !== "!")) throw new Error(`"${kind}" was not expected`);
		this.#settle();
		if (kind === "!") waiting.reject(new XsError("threw", message.toString("utf8", 1)));
		else waiting.resolve(readReply(message));
	}

	#settle(): void {
		clearTimeout(this.#watch);
		this.#waiting = undefined;
	}

	#fail(error: XsError): void {
		this.#trouble ??= error;
		const waiting = this.#waiting;
		this.#settle();
		waiting?.reject(this.#trouble);
	}

	#exitError(code: number | null, signal: string | null): XsError {
		const said = this.#stderr.trim().replace(/\s+/g, " ");
		const [trouble, what] = EXITS[code ?? -1] ?? ["died", signal === null ? `exit code ${code}` : `signal ${signal}`];
		return new XsError(trouble, `the XS engine has died: ${what}${said === "" ? "" : `; it said: ${said}`}`);
	}
}

/** `.` and the meter as JSON, a byte 1, and what was returned. */
function readReply(message: Buffer): XsReply {
	const end = message.indexOf(METER_END);
	const meter = JSON.parse(message.toString("latin1", 1, end)) as { compute: number; currentHeapCount: number };
	return { bytes: message.subarray(end + 1), steps: meter.compute, slots: meter.currentHeapCount };
}
