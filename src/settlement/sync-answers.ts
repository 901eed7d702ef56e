/**
 * What the answers to sync messages say, as objects that are made once and read into again: see sync-messages.ts.
 * @module
 */
import { readAscii } from "../core/bytes";
import { DIGEST_BYTES } from "./batch-digest";

/** Entries of one page at most. */
export const PAGE_ENTRIES_MAX = 40;
/** Of an entry's DE 37. */
export const RRN_BYTES = 12;

/** Entries of a batch, one page of 401; reused. Typed arrays, the first `count` places hold. */
export class EntryPage {
	count = 0;
	/** The host has more behind the last one. */
	more = false;
	/** Ascending. */
	readonly stans = new Uint32Array(PAGE_ENTRIES_MAX);
	/** EntryKind */
	readonly kinds = new Uint8Array(PAGE_ENTRIES_MAX);
	/** Minor units. */
	readonly amounts = new Float64Array(PAGE_ENTRIES_MAX);
	/** EntryFlag */
	readonly flags = new Uint8Array(PAGE_ENTRIES_MAX);
	/** Of a refused posting, else 0. */
	readonly reasons = new Uint8Array(PAGE_ENTRIES_MAX);
	/** 12 ASCII bytes each. */
	readonly rrns = new Uint8Array(PAGE_ENTRIES_MAX * RRN_BYTES);

	clear(): void {
		this.count = 0;
		this.more = false;
	}

	/** Where the next page begins, while there is {@link more}. */
	get nextStan(): number {
		return this.count === 0 ? 0 : this.stans[this.count - 1] + 1;
	}

	/** DE 37 of an entry; empty where the host has none. Makes a text. */
	rrn(at: number): string {
		return readAscii(this.rrns, at * RRN_BYTES, (at + 1) * RRN_BYTES).trim();
	}
}

/** Answer to 402; reused. All zero and empty but when it is found. Times are ms since 1970, 0: never. */
export class Entry {
	found = false;
	/** EntryKind */
	kind = 0;
	amountMinor = 0;
	/** EntryFlag */
	flags = 0;
	/** Of a refused posting, else 0. */
	reason = 0;
	/** 12 characters, or empty. */
	rrn = "";
	recordedAt = 0;
	postedAt = 0;

	clear(): void {
		this.found = false;
		this.kind = 0;
		this.amountMinor = 0;
		this.flags = 0;
		this.reason = 0;
		this.rrn = "";
		this.recordedAt = 0;
		this.postedAt = 0;
	}
}

/** Answer to 403, 404, 405 and 407; reused. */
export class RequestAnswer {
	/** 12 characters, spaces at the end left out. */
	reference = "";
	/** 1 received, 2 evidence wanted, 3 granted, 4 refused, 5 done; 0 before the first answer. */
	state = 0;
	/** The host's number, 0 for none. */
	reason = 0;
	/** ms since 1970, 0: it names no time. */
	expectedAt = 0;

	clear(): void {
		this.reference = "";
		this.state = 0;
		this.reason = 0;
		this.expectedAt = 0;
	}
}

/** How many, and how much of it. */
export interface Sum {
	count: number;
	sumMinor: number;
}

/** Answer to 406; reused. */
export class DigestAnswer {
	readonly digest = new Uint8Array(DIGEST_BYTES);
	readonly recorded: Sum = { count: 0, sumMinor: 0 };
	readonly posted: Sum = { count: 0, sumMinor: 0 };
	readonly pending: Sum = { count: 0, sumMinor: 0 };
	readonly refused: Sum = { count: 0, sumMinor: 0 };
	/** In the order of the message. */
	readonly sums: readonly Sum[] = [this.recorded, this.posted, this.pending, this.refused];

	clear(): void {
		this.digest.fill(0);
		for (const sum of this.sums) {
			sum.count = 0;
			sum.sumMinor = 0;
		}
	}
}
