/**
 * When something is looked at next, in host seconds.
 * @module
 */

export const NEVER_DUE = 0xffff_ffff;
/** 92 days: what a desk announces, and more than any time of the configuration. */
const AHEAD_S_MAX = 92 * 86_400;

/**
 * A time that is further ahead than anybody sets one was set by another year: the host's messages name none, and the
 * terminal's own clock may have been years off. Then it is due.
 */
export function isDueS(dueS: number, nowS: number): boolean {
	return dueS <= nowS || (nowS > 0 && dueS !== NEVER_DUE && dueS > nowS + AHEAD_S_MAX);
}
