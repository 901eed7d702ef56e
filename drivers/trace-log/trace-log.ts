/**
 * Log lines over XS's `trace`, as ESP-IDF prints them: `I (12345) journal: mounted 499`. One line each: control
 * characters become spaces.
 * Source: ESP-IDF, "Logging library", output format of version 1.
 * @module
 */
import type { LogLevel, LogSink } from "../../src/ports";

export interface TraceLogOptions {
	/** XS's `trace`: takes text, adds no end of line. */
	trace(text: string): void;
	/** Least important level that is printed; default I. */
	level?: LogLevel;
}

const LEVELS = "EWIDV";

export class TraceLog implements LogSink {
	readonly #trace: (text: string) => void;
	readonly #least: number;

	constructor(options: TraceLogOptions) {
		this.#trace = options.trace;
		this.#least = LEVELS.indexOf(options.level ?? "I");
	}

	write(level: LogLevel, uptimeMs: number, tag: string, text: string): void {
		if (LEVELS.indexOf(level) > this.#least) return;
		this.#trace(`${level} (${Math.floor(uptimeMs)}) ${oneLine(tag)}: ${oneLine(text)}\n`);
	}
}

/** The text itself, as nearly always, or a copy without control characters (C0, DEL, C1). */
function oneLine(text: string): string {
	let clean: string | undefined;
	for (let i = 0; i < text.length; i++) {
		const code = text.charCodeAt(i);
		const control = code < 0x20 || (code >= 0x7f && code < 0xa0);
		if (control && clean === undefined) clean = text.slice(0, i);
		if (clean !== undefined) clean += control ? " " : text[i];
	}
	return clean ?? text;
}
