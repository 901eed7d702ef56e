/**
 * How long to wait before the next try: a time that doubles up to a greatest one, with jitter, so that a thousand
 * terminals that lost the host together do not come back together.
 * @module
 */

/** Two random bytes: 0 to 65535. */
const DICE_MIDDLE = 32_768;

/**
 * @param failures - tries in a row that have failed before this one: 0 waits `firstMs`
 * @param firstMs - at least 1
 * @param greatestMs - the jitter may go beyond it
 * @param jitterPercent - 0 to 100, either way
 * @param dice - random, 0 to 65535: from −jitter to +jitter
 * @returns ms, whole, at least 0
 */
export function backOffMs(
	failures: number,
	firstMs: number,
	greatestMs: number,
	jitterPercent: number,
	dice: number,
): number {
	let wait = Math.min(firstMs, greatestMs);
	for (let n = 0; n < failures && wait < greatestMs; n++) wait *= 2;
	wait = Math.min(wait, greatestMs);
	return wait + Math.floor((wait * jitterPercent * (dice - DICE_MIDDLE)) / (DICE_MIDDLE * 100));
}
