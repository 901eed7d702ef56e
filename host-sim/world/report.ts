/**
 * What goes into a world and what comes out of it, as plain data.
 * @module
 */

/** Who speaks in a world's story. */
export type StorySource =
	| "people"
	| "screen"
	| "slip"
	| "log"
	| "link"
	| "host"
	| "case"
	| "power"
	| "flash"
	| "clock"
	| "check"
	| "world";

/** One line of the timeline that a replay prints. Nothing in it is secret. */
export interface StoryLine {
	readonly step: number;
	/** Virtual time, ms since 1970. */
	readonly atMs: number;
	/** From 0; −1: no terminal's. */
	readonly terminal: number;
	readonly source: StorySource;
	readonly text: string;
}

export interface WorldOptions {
	/** 0 to 2^53 − 1. */
	readonly seed: number;
	/** Customers of all terminals together; default: what the seed picks. */
	readonly customers?: number;
	/** Kinds of trouble that never strike. */
	readonly without?: readonly string[];
	/** The only strikes that happen, by name (`kind#n`); default: all. */
	readonly only?: readonly string[];
	/** The run ends at this step, unjudged; default: never. */
	readonly untilStep?: number;
	onStory?(line: StoryLine): void;
	/**
	 * Evidence of cases, made when all is over and its hash is taken: whether it proves what it says.
	 * @returns what is wrong with it
	 */
	verifyPack?(pack: Uint8Array): string | undefined;
}

/** A promise that was broken. */
export interface WorldFailure {
	/** I1 to I12; "rest": not at rest in time; "world": the simulation itself is wrong. */
	readonly invariant: string;
	readonly step: number;
	readonly atMs: number;
	/** From 0; −1: no terminal's. */
	readonly terminal: number;
	readonly text: string;
}

/** Things that happened, by name: `fault:answerLost`, `transition:waiting/approve`, `recovery:G`. */
export type Coverage = Record<string, number>;

export interface WorldReport {
	readonly seed: number;
	/** Of everything that could be observed, in order: two unsigned 32-bit numbers in hex. */
	readonly hash: string;
	/** Timers fired. */
	readonly steps: number;
	readonly virtualMs: number;
	readonly terminals: number;
	/** Customers that came to a terminal that was on, and advices that were handed in. */
	readonly sales: number;
	readonly approved: number;
	readonly reversed: number;
	readonly powerCuts: number;
	/** At most 16; the first one is what to look at. */
	readonly failures: readonly WorldFailure[];
	readonly coverage: Coverage;
	/** Names of the strikes, in order; at most 4,096. */
	readonly strikes: readonly string[];
	/** Cases by what was injected and the cause they came to: `recordLost>systemFault`; `other` is no fault of the books. */
	readonly causes: Readonly<Record<string, number>>;
	/** Of each case that was closed after the world was healed: ms, without what it waited for others or on purpose. */
	readonly resolveMs: readonly number[];
}
