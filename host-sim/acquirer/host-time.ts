/**
 * The host's wall time as messages carry it. The host lives in one time zone; UTC methods only, so that no
 * machine's own zone comes in (I12).
 * @module
 */

/** China Standard Time. */
const UTC_OFFSET_MS = 8 * 3600 * 1000;
const DAY_MS = 24 * 3600 * 1000;

function twoDigits(value: number): string {
	return value < 10 ? `0${value}` : `${value}`;
}

/** DE 12: hhmmss. @param at - ms since 1970, as in all functions here */
export function hostTime(at: number): string {
	const date = new Date(at + UTC_OFFSET_MS);
	return twoDigits(date.getUTCHours()) + twoDigits(date.getUTCMinutes()) + twoDigits(date.getUTCSeconds());
}

/** DE 13: MMDD. */
export function hostDate(at: number): string {
	const date = new Date(at + UTC_OFFSET_MS);
	return twoDigits(date.getUTCMonth() + 1) + twoDigits(date.getUTCDate());
}

/** DE 15: MMDD of the day the movement is settled between banks, the next one. */
export function settlementDate(at: number): string {
	return hostDate(at + DAY_MS);
}

/** YYMM, to compare with a card's expiry. */
export function hostMonth(at: number): string {
	const date = new Date(at + UTC_OFFSET_MS);
	return twoDigits(date.getUTCFullYear() % 100) + twoDigits(date.getUTCMonth() + 1);
}

/** YYYYMMDDhhmmss, for whoever reads the books: as an evidence pack and `verify --head` have times. */
export function hostDateTime(at: number): string {
	return `${new Date(at + UTC_OFFSET_MS).getUTCFullYear()}`.padStart(4, "0") + hostDate(at) + hostTime(at);
}

/** YYMMDDhhmmss, as the sync messages have times. */
export function hostStamp(at: number): string {
	return hostMonth(at) + hostDate(at).slice(2) + hostTime(at);
}
