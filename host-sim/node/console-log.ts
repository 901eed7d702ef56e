/**
 * Log lines as ESP-IDF prints them, so that its monitors colour and filter them: `I (12345) journal: mounted 499`.
 * One line each: control characters in a text become spaces.
 * Source: ESP-IDF, "Logging library", output format of version 1.
 * @module
 */
import { createColors } from "picocolors";
import type { LogLevel, LogSink } from "../../src/ports";
import { formatLogLine } from "../board/memory-log";

/** The part of a stream that a log needs; a TTY says so. */
export interface LogStream {
	write(text: string): unknown;
	readonly isTTY?: boolean;
}

export interface ConsoleLogOptions {
	/** Default standard error. */
	stream?: LogStream;
	/** Least important level printed; default I. */
	level?: LogLevel;
	/** Default: only when the stream is a terminal and NO_COLOR is not set. */
	colours?: boolean;
	/** Before each line: whose log it is, when several share a stream. */
	prefix?: string;
}

const LEVELS = "EWIDV";

export class ConsoleLog implements LogSink {
	readonly #stream: LogStream;
	readonly #least: number;
	readonly #prefix: string;
	readonly #paint: Record<LogLevel, (text: string) => string>;

	constructor(options: ConsoleLogOptions = {}) {
		const { stream = process.stderr, level = "I", prefix = "" } = options;
		const colours = options.colours ?? (stream.isTTY === true && process.env.NO_COLOR === undefined);
		const { red, yellow, green } = createColors(colours);
		this.#stream = stream;
		this.#least = LEVELS.indexOf(level);
		this.#prefix = prefix;
		this.#paint = { E: red, W: yellow, I: green, D: String, V: String };
	}

	write(level: LogLevel, uptimeMs: number, tag: string, text: string): void {
		if (LEVELS.indexOf(level) > this.#least) return;
		// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not reach a terminal.
		const line = formatLogLine({ level, uptimeMs, tag, text }).replace(/[\u0000-\u001f\u007f-\u009f]+/g, " ");
		this.#stream.write(`${this.#prefix}${this.#paint[level](line)}\n`);
	}
}
