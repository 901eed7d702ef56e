/**
 * What a comparison found to differ, until it has stood long enough to be a finding: a frame may still lie in a network, a
 * posting may be on its way. In memory only, as a comparison after the next boot finds it again; bounded (I10): what has no
 * place waits for a later comparison, and is counted.
 * @module
 */

const NONE = -1;
/** Of a mark: the comparison under way has seen it. */
const SEEN = 0x80;

/** Most at once. */
export const SUSPICIONS_MAX = 64;
/** Questions after which the host is not going to say: some six hours, as each comes minutes after the one before. */
export const UNHEARD_MAX = 72;

export class Suspicions {
	readonly batches = new Uint32Array(SUSPICIONS_MAX);
	readonly stans = new Uint32Array(SUSPICIONS_MAX);
	/** Of the transaction, 0: the terminal has none with that number. */
	readonly ids = new Uint32Array(SUSPICIONS_MAX);
	/** Number of the row; see finding.ts. */
	readonly rows = new Uint8Array(SUSPICIONS_MAX);
	/** Uptime at which it was seen first, ms. */
	readonly sinceMs = new Float64Array(SUSPICIONS_MAX);
	/** Uptime before which it is not asked about, ms: a host that would not say, a movement under way. */
	readonly notBeforeMs = new Float64Array(SUSPICIONS_MAX);
	/** How often in a row the host was asked about it and did not say; and {@link SEEN}. */
	readonly #marks = new Uint8Array(SUSPICIONS_MAX);
	count = 0;
	/** What had no place in the last comparison. */
	leftOut = 0;

	/** True when there is one of any batch but this. */
	hasOutside(batch: number): boolean {
		for (let at = 0; at < this.count; at++) if (this.batches[at] !== batch) return true;
		return false;
	}

	/** A comparison of a batch begins: what it does not see again is over. */
	beginPass(batch: number): void {
		this.leftOut = 0;
		for (let at = 0; at < this.count; at++) if (this.batches[at] === batch) this.#marks[at] &= ~SEEN;
	}

	/** Another row begins its time anew, as it is another difference. */
	see(row: number, batch: number, stan: number, id: number, nowMs: number): void {
		let at = this.find(batch, stan);
		if (at === NONE) {
			if (this.count === SUSPICIONS_MAX) {
				this.leftOut++;
				return;
			}
			at = this.count++;
			this.batches[at] = batch;
			this.stans[at] = stan;
			this.rows[at] = 0;
			this.notBeforeMs[at] = 0;
			this.#marks[at] = 0;
		}
		this.#marks[at] |= SEEN;
		this.ids[at] = id;
		if (this.rows[at] === row) return;
		this.rows[at] = row;
		this.sinceMs[at] = nowMs;
	}

	/** The comparison went through to its end. */
	endPass(batch: number): void {
		for (let at = this.count - 1; at >= 0; at--) {
			if (this.batches[at] === batch && (this.#marks[at] & SEEN) === 0) this.removeAt(at);
		}
	}

	/** How often in a row the host was asked about it and did not say, up to {@link UNHEARD_MAX}. */
	unheard(at: number): number {
		return this.#marks[at] & ~SEEN;
	}

	/** The host has spoken of it, or not. */
	asked(at: number, heard: boolean): void {
		const count = heard ? 0 : Math.min(UNHEARD_MAX, this.unheard(at) + 1);
		this.#marks[at] = (this.#marks[at] & SEEN) | count;
	}

	/** All but those of this batch: what nobody can look into any more. */
	dropOutside(batch: number): void {
		for (let at = this.count - 1; at >= 0; at--) if (this.batches[at] !== batch) this.removeAt(at);
	}

	/** It has become a case, or agrees after all. */
	remove(batch: number, stan: number): void {
		const at = this.find(batch, stan);
		if (at !== NONE) this.removeAt(at);
	}

	/** @returns its place, −1 when there is none. O(n) */
	find(batch: number, stan: number): number {
		for (let at = 0; at < this.count; at++) {
			if (this.stans[at] === stan && this.batches[at] === batch) return at;
		}
		return NONE;
	}

	/** How many are of a row. */
	countOf(row: number): number {
		let count = 0;
		for (let at = 0; at < this.count; at++) if (this.rows[at] === row) count++;
		return count;
	}

	/** True while something of that batch is not yet a finding. */
	has(batch: number): boolean {
		for (let at = 0; at < this.count; at++) if (this.batches[at] === batch) return true;
		return false;
	}

	private removeAt(at: number): void {
		this.count--;
		const { batches, stans, ids, rows, sinceMs, notBeforeMs } = this;
		for (const array of [batches, stans, ids, rows, sinceMs, notBeforeMs, this.#marks]) {
			array.copyWithin(at, at + 1, this.count + 1);
		}
	}
}
