/**
 * The host's time, as far as verified answers tell it (ISO 8583:1987, DE 12 hhmmss and DE 13 MMDD, UTC+8 all year), and
 * how old something is by it. Between two answers it goes on with the terminal's uptime, so that nobody who sets the
 * terminal's clock moves it.
 *
 * Which year: answers carry none. The first one is read in the year nearest to the terminal's wall clock, each later one in
 * the year nearest to what is known by then, so that New Year and 29 February are no leap. A terminal whose clock is
 * years off has the host's time in its own years, a whole number of them off: ages stay right, as both ends of an age are
 * read in the same years. What has a year of its own (a stamp of 402, something stored before a restart) is for that
 * reason moved to the year nearest to now before its age is taken. The price: nothing is ever half a year old.
 *
 * Invariant: an age is never more than what has passed, whatever the host's clock does. A clock that leaps back makes
 * things younger. One that leaps ahead would make them older; and one that is reset from November to January looks the
 * same. So what it leaps over counts as no time at all: nothing is older than it was just before, and the uptime since.
 * @module
 */
import { LOCAL_OFFSET_MS } from "../config";
import { readBcd } from "../core/bcd";
import { CodedError } from "../core/errors";
import type { MessageDecoder } from "../iso8583/decoder";
import type { Clock } from "../ports";

/** YYMMDDhhmmss. */
export const STAMP_BYTES = 6;
/** hhmmssMMDD, as an outcome has it. */
const HOST_TIME_DIGITS = 10;
const DAY_MS = 86_400_000;
/** Answers to what is sent once, or has a nonce. */
const FRESH = ["0210", "0310"];
/** What an answer may take on its way, and two clocks may differ by, without being a leap ahead. */
const LEAP_MS = 60_000;
/** Leaps ahead that are remembered, the greatest ones. */
const LEAPS_MAX = 4;
/** Between two leap years are at most eight years: 2096 and 2104. */
const YEARS_MAX = 8;
const LEAP_DAY = 229;
const FIRST_YEAR = 1970;

export class HostTime {
	readonly #clock: Clock;
	/** Host's time at #atUptimeMs, since 1970; −1 before the first answer. */
	#hostMs = -1;
	#atUptimeMs = 0;
	/** Of each leap: what the time was taken for just before, by how much it leapt, and when. */
	readonly #leapFromMs = new Float64Array(LEAPS_MAX);
	readonly #leapByMs = new Float64Array(LEAPS_MAX);
	readonly #leapUptimeMs = new Float64Array(LEAPS_MAX);

	constructor(clock: Clock) {
		this.#clock = clock;
	}

	/** True once a verified answer has told the time. */
	get known(): boolean {
		return this.#hostMs >= 0;
	}

	/** The host's time, ms since 1970; undefined before the first verified answer since the start. */
	now(): number | undefined {
		return this.known ? this.nowMs() : undefined;
	}

	/** How far the host's clock is ahead of the terminal's, ms; 0 while it is not known. In a year's terms: see above. */
	get offMs(): number {
		return this.known ? this.nowMs() - this.#clock.now() : 0;
	}

	/**
	 * Takes what a verified answer says, if it says what time it is: only 0210 and 0310 do. Others may come from the host's
	 * store, where a repeat finds the time of the first one.
	 * @param answer - in its time, not one that came late; of 0310 one whose nonce is the request's
	 * @returns false when it says none
	 */
	learn(answer: MessageDecoder): boolean {
		if (!FRESH.includes(answer.mti) || !answer.has(12) || !answer.has(13)) return false;
		const nearMs = this.known ? this.nowMs() : this.#clock.now();
		const monthDay = answer.numberAt(13, 0, 4);
		const hostMs = nearest(monthDay, answer.numberAt(12, 0, 6), nearMs);
		if (hostMs < 0) return false;
		const uptimeMs = this.#clock.monotonic();
		let fromMs = nearMs;
		if (monthDay === LEAP_DAY) {
			// That day is only in some years: what was known goes there as well, and no time has passed by that.
			fromMs = inYearOf(nearMs, hostMs);
			for (let n = 0; n < LEAPS_MAX; n++) this.#leapFromMs[n] = inYearOf(this.#leapFromMs[n], hostMs);
		}
		if (hostMs > fromMs + LEAP_MS) this.leap(fromMs, hostMs - fromMs, uptimeMs);
		this.#hostMs = hostMs;
		this.#atUptimeMs = uptimeMs;
		return true;
	}

	/**
	 * When something was, by the host.
	 * @param hostTime - hhmmssMMDD, as an outcome has it
	 * @returns ms since 1970, in the year nearest to now; undefined while that is not known, or when it is no time
	 */
	at(hostTime: string): number | undefined {
		if (!this.known || hostTime.length !== HOST_TIME_DIGITS) return undefined;
		for (let i = 0; i < HOST_TIME_DIGITS; i++) {
			const code = hostTime.charCodeAt(i);
			if (code < 48 || code > 57) return undefined;
		}
		const atMs = nearest(Number(hostTime.slice(6)), Number(hostTime.slice(0, 6)), this.nowMs());
		return atMs < 0 ? undefined : atMs;
	}

	/**
	 * How old something is, ms, at least 0: never more than what has passed since, as long as the host's clock is less than half
	 * a year from where it was then: what it sends has no year.
	 * @param atMs - host's time, since 1970: of {@link at}, a stamp of 402, or stored
	 * @returns undefined while the host's time is not known: nothing is overdue then
	 */
	ageMs(atMs: number): number | undefined {
		if (!this.known) return undefined;
		const nowMs = this.nowMs();
		const fromMs = inYearOf(atMs, nowMs);
		const uptimeMs = this.#clock.monotonic();
		let ageMs = nowMs - fromMs;
		for (let n = 0; n < LEAPS_MAX; n++) {
			if (this.#leapByMs[n] === 0) continue;
			const mostMs = uptimeMs - this.#leapUptimeMs[n] + Math.max(0, this.#leapFromMs[n] - fromMs);
			ageMs = Math.min(ageMs, mostMs);
		}
		return Math.max(0, ageMs);
	}

	/** The same of an outcome's hhmmssMMDD; undefined for what is no time, too. */
	ageOf(hostTime: string): number | undefined {
		const atMs = this.at(hostTime);
		return atMs === undefined ? undefined : this.ageMs(atMs);
	}

	/** True when it is at least `afterMs` old by the host; false while nobody can tell. */
	isOlder(atMs: number, afterMs: number): boolean {
		const ageMs = this.ageMs(atMs);
		return ageMs !== undefined && ageMs >= afterMs;
	}

	private nowMs(): number {
		return this.#hostMs + this.#clock.monotonic() - this.#atUptimeMs;
	}

	/** The smallest leap makes way for a greater one. */
	private leap(fromMs: number, byMs: number, uptimeMs: number): void {
		let least = 0;
		for (let n = 1; n < LEAPS_MAX; n++) if (this.#leapByMs[n] < this.#leapByMs[least]) least = n;
		if (byMs < this.#leapByMs[least]) return;
		this.#leapFromMs[least] = fromMs;
		this.#leapByMs[least] = byMs;
		this.#leapUptimeMs[least] = uptimeMs;
	}
}

/**
 * YYMMDDhhmmss of this century, UTC+8.
 * @returns ms since 1970; 0 for zeros
 * @throws {CodedError} "charset" | "range" for what is no time
 */
export function readStamp(bytes: Uint8Array, offset: number, place: string): number {
	const date = readBcd(bytes, offset, 3, place);
	const time = readBcd(bytes, offset + 3, 3, place);
	if (date === 0 && time === 0) return 0;
	const year = 2000 + Math.floor(date / 10_000);
	const sinceMidnightMs = sinceMidnight(time);
	const dayMs = startOfDay(year, date % 10_000);
	if (dayMs === undefined || sinceMidnightMs < 0) throw new CodedError("range", place, "no time");
	return dayMs + sinceMidnightMs;
}

/** The same day and time, in the year that brings it nearest. */
function inYearOf(atMs: number, nearMs: number): number {
	const localMs = atMs + LOCAL_OFFSET_MS;
	const day = new Date(localMs);
	const monthDay = (day.getUTCMonth() + 1) * 100 + day.getUTCDate();
	return nearestDay(monthDay, localMs - Math.floor(localMs / DAY_MS) * DAY_MS, nearMs);
}

/** @returns ms since 1970; −1 for what is no time */
function nearest(monthDay: number, time: number, nearMs: number): number {
	const sinceMidnightMs = sinceMidnight(time);
	return sinceMidnightMs < 0 ? -1 : nearestDay(monthDay, sinceMidnightMs, nearMs);
}

/**
 * In the year that brings it nearest; 29 February has only some. Never before 1970, where a clock begins that nobody has
 * set.
 * @returns −1 for what is no day
 */
function nearestDay(monthDay: number, sinceMidnightMs: number, nearMs: number): number {
	const middle = Math.max(FIRST_YEAR, new Date(nearMs + LOCAL_OFFSET_MS).getUTCFullYear());
	const years = monthDay === LEAP_DAY ? YEARS_MAX : 1;
	let bestMs = -1;
	for (let year = Math.max(FIRST_YEAR, middle - years); year <= middle + years; year++) {
		const dayMs = startOfDay(year, monthDay);
		if (dayMs === undefined) continue;
		const atMs = dayMs + sinceMidnightMs;
		if (atMs < 0) continue;
		if (bestMs < 0 || Math.abs(atMs - nearMs) < Math.abs(bestMs - nearMs)) bestMs = atMs;
	}
	return bestMs;
}

/** Of hhmmss, ms; −1 for what is none. */
function sinceMidnight(time: number): number {
	const hours = Math.floor(time / 10_000);
	const minutes = Math.floor(time / 100) % 100;
	const seconds = time % 100;
	if (hours > 23 || minutes > 59 || seconds > 59) return -1;
	return ((hours * 60 + minutes) * 60 + seconds) * 1_000;
}

/** Midnight UTC+8, ms since 1970; undefined for a day that the year does not have. */
function startOfDay(year: number, monthDay: number): number | undefined {
	const month = Math.floor(monthDay / 100);
	const day = monthDay % 100;
	if (month < 1 || month > 12 || day < 1 || day > 31) return undefined;
	const atMs = Date.UTC(year, month - 1, day);
	// A day too many is one of the next month.
	return new Date(atMs).getUTCDate() === day ? atMs - LOCAL_OFFSET_MS : undefined;
}
