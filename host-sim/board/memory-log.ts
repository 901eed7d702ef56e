/**
 * The last log lines, outside the terminal: a bounded ring (I10) that outlives power cuts.
 * @module
 */
import { assert } from "../../src/core/assert";
import type { LogLevel, LogSink } from "../../src/ports";

export interface LogLine {
	readonly level: LogLevel;
	readonly uptimeMs: number;
	readonly tag: string;
	readonly text: string;
}

/** A line as ESP-IDF prints it, without its end: `I (12345) journal: mounted 499 live`. */
export function formatLogLine(line: LogLine): string {
	return `${line.level} (${Math.floor(line.uptimeMs)}) ${line.tag}: ${line.text}`;
}

export class MemoryLog implements LogSink {
	/** Lines ever written. */
	written = 0;
	readonly #ring: LogLine[] = [];
	readonly #linesMax: number;

	constructor(linesMax = 1000) {
		assert(linesMax > 0, "a log has lines");
		this.#linesMax = linesMax;
	}

	write(level: LogLevel, uptimeMs: number, tag: string, text: string): void {
		this.#ring[this.written % this.#linesMax] = { level, uptimeMs, tag, text };
		this.written += 1;
	}

	/** Oldest first. */
	lines(): LogLine[] {
		const split = this.written > this.#linesMax ? this.written % this.#linesMax : 0;
		return [...this.#ring.slice(split), ...this.#ring.slice(0, split)];
	}

	/** Oldest first, as ESP-IDF prints them. */
	texts(): string[] {
		return this.lines().map(formatLogLine);
	}
}
