/**
 * When something is looked at next, in host seconds.
 * @module
 */

export const NEVER_DUE = 0xffff_ffff;
/** 7 days: nothing is left alone for longer, and no time of the configuration is longer. */
const WAIT_S_MAX = 7 * 86_400;
/** A day more, as a clock may be set. */
const AHEAD_S_MAX = WAIT_S_MAX + 86_400;
/** 92 days: more than any desk announces. */
const PROMISE_S_MAX = 92 * 86_400;

/**
 * A time that is further ahead than anybody sets one was set while the host's clock was off, or by another year: the host's
 * messages name none, and the terminal's own clock may have been years off. Then it is due.
 */
export function isDueS(dueS: number, nowS: number): boolean {
	return dueS <= nowS || (nowS > 0 && dueS !== NEVER_DUE && dueS > nowS + AHEAD_S_MAX);
}

/**
 * When a request is asked about that the host's desk has promised to decide.
 * @param promisedS - 0: it names no time; a time that has passed, or that nobody can mean, is none either
 * @param soonestS - a desk that says "in a second" each time is not asked each second (I10)
 * @param laterS - where it has named none
 */
export function promiseDueS(promisedS: number, nowS: number, soonestS: number, laterS: number): number {
	if (promisedS <= nowS || promisedS > nowS + PROMISE_S_MAX) return laterS;
	return Math.min(Math.max(promisedS, soonestS), nowS + WAIT_S_MAX);
}
