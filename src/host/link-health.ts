/**
 * How well each link does: connects that fail, exchanges without an answer, answers slower than is usual for it. And
 * answers whose MAC is wrong, which are nobody's link's fault. Counts only; what is too much the rules of the monitor say
 * (settlement/monitor-rules.ts).
 *
 * Integers, and a fixed number of bytes a link (I10). Nothing of it is durable: a boot begins with links that are well.
 * @module
 */
import type { Config } from "../config";

/** Exchanges and connects that the recent share is of: one bit each. */
const RECENT_TRIALS = 16;
const RECENT_MASK = 0xffff;
/** A share is per mille; the usual one has eight bits more, so that one trial in 256 counts. */
const PERMILLE = 1_000;
const SHARE_SHIFT = 8;
/** One answer in 16 counts for the usual time. */
const TIME_SHIFT = 4;
/** So many times the usual time, and more than `slowAnswerMs`, is slow. */
const SLOW_TIMES = 4;
/** Wrong MACs whose times are kept. */
export const MAC_TIMES_MAX = 8;
/** So many right ones in a row end the matter, whatever was before. */
const MAC_GOOD_ENOUGH = 8;
const NEVER = -1;

export class LinkHealth {
	readonly count: number;
	readonly #config: Config;
	/** Uptime of the first failed connect of a row, of the last one, both by link; then the times of wrong MACs. */
	readonly #timesMs: Float64Array;
	/** By link: recent trials as bits, the newest lowest; usual share of bad ones; usual time of an answer, 1/16 ms. */
	readonly #trials: Uint32Array;
	#macNext = 0;
	#macGood = 0;

	constructor(links: number, config: Config) {
		this.count = links;
		this.#config = config;
		this.#timesMs = new Float64Array(2 * links + MAC_TIMES_MAX).fill(NEVER);
		this.#trials = new Uint32Array(3 * links);
	}

	/** The link stands. That is no trial yet: one that connects and never answers is none that is well. */
	connected(link: number): void {
		this.#timesMs[2 * link] = NEVER;
	}

	/** A connect has failed, or was not done in its time. However often it is tried again then, that is one trial. */
	connectFailed(link: number, nowMs: number): void {
		if (this.#timesMs[2 * link] < 0) this.trial(link, true);
		this.left(link, nowMs);
	}

	/** It stands, and nothing comes over it: another one is used from here on. */
	left(link: number, nowMs: number): void {
		if (this.#timesMs[2 * link] < 0) this.#timesMs[2 * link] = nowMs;
		this.#timesMs[2 * link + 1] = nowMs;
	}

	/** A request was not answered in its time, or its connection was lost under it. */
	unanswered(link: number): void {
		this.trial(link, true);
	}

	/**
	 * A verified answer.
	 * @param tookMs - from the request, which went alone; −1 where that says nothing of the link
	 */
	answered(link: number, tookMs: number): void {
		if (tookMs < 0) {
			this.trial(link, false);
			return;
		}
		const at = 2 * this.count + link;
		const usual = this.#trials[at];
		const slow = tookMs > Math.max(this.#config.slowAnswerMs, SLOW_TIMES * (usual >> TIME_SHIFT));
		// What is slow is not to become the usual.
		if (!slow) this.#trials[at] = usual === 0 ? tookMs << TIME_SHIFT : usual - (usual >> TIME_SHIFT) + tookMs;
		this.trial(link, slow);
	}

	macRight(): void {
		if (this.#macGood < MAC_GOOD_ENOUGH) this.#macGood++;
	}

	macWrong(nowMs: number): void {
		this.#timesMs[2 * this.count + this.#macNext] = nowMs;
		this.#macNext = (this.#macNext + 1) % MAC_TIMES_MAX;
		this.#macGood = 0;
	}

	/** For how long no connect over this link has come to a connection that is of use, ms; 0 when the last one has. */
	downMs(link: number, nowMs: number): number {
		const sinceMs = this.#timesMs[2 * link];
		return sinceMs < 0 ? 0 : nowMs - sinceMs;
	}

	/** By how much the share of bad ones among the last 16 trials is above the usual, per mille; 0 when it is not. */
	worsePermille(link: number): number {
		const bad = bitsOf(this.#trials[link]);
		return Math.max(0, Math.floor((bad * PERMILLE) / RECENT_TRIALS) - this.usualPermille(link));
	}

	/** Usual share of bad ones; times in which the link is worse than that teach nothing. */
	usualPermille(link: number): number {
		return this.#trials[this.count + link] >> SHARE_SHIFT;
	}

	/** Of an answer to what went alone; 0 before the first. */
	usualMs(link: number): number {
		return this.#trials[2 * this.count + link] >> TIME_SHIFT;
	}

	/** Wrong MACs since `fromMs`, the last eight at most; 0 when as many right ones have followed the last. */
	macFailures(fromMs: number): number {
		if (this.#macGood >= MAC_GOOD_ENOUGH) return 0;
		let count = 0;
		for (let n = 0; n < MAC_TIMES_MAX; n++) {
			const atMs = this.#timesMs[2 * this.count + n];
			if (atMs >= 0 && atMs >= fromMs) count++;
		}
		return count;
	}

	/** A link that did not connect when it was tried last, long enough ago to be tried again; −1 for none. */
	dueAgain(nowMs: number): number {
		for (let link = 0; link < this.count; link++) {
			if (this.#timesMs[2 * link] >= 0 && nowMs - this.#timesMs[2 * link + 1] >= this.#config.linkRetryMs) return link;
		}
		return -1;
	}

	private trial(link: number, bad: boolean): void {
		const trials = this.#trials;
		if (this.worsePermille(link) < this.#config.linkWorsePermille) {
			const at = this.count + link;
			const usual = trials[at];
			trials[at] = usual - (usual >> SHARE_SHIFT) + (bad ? PERMILLE : 0);
		}
		trials[link] = ((trials[link] << 1) | (bad ? 1 : 0)) & RECENT_MASK;
	}
}

function bitsOf(value: number): number {
	let count = 0;
	for (let rest = value; rest !== 0; rest &= rest - 1) count++;
	return count;
}
