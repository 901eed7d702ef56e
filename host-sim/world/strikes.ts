/**
 * Every kind of trouble that a world knows, by name, and when each strikes. A kind draws from a generator of its own, so
 * that holding one back moves no other.
 * @module
 */
import {
	BOOKING_FAULT_NAMES,
	DESK_FAULT_NAMES,
	DIGEST_FAULT_NAMES,
	FAULT_NAMES,
	HOST_FAULT_NAMES,
	LIST_FAULT_NAMES,
	PAGE_FAULT_NAMES,
	POSTING_FAULT_NAMES,
	REQUEST_FAULT_NAMES,
	SALE_FAULT_NAMES,
	SESSION_FAULT_NAMES,
	SETTLEMENT_ANSWER_FAULT_NAMES,
	SETTLEMENT_FAULT_NAMES,
	SIGN_ON_FAULT_NAMES,
	SYNC_ANSWER_FAULT_NAMES,
	SYNC_FAULT_NAMES,
	TOTALS_FAULT_NAMES,
} from "../acquirer/fault-names";
import type { SeededRandom } from "../board/seeded-random";

/** Trouble outside the host; the host's own has the names of its fault plan. */
export const WORLD_KINDS = [
	/** The plug: power goes at a moment. */
	"powerCut",
	/** Power goes at a flash operation: before it, within it, after it. */
	"flashCut",
	/** Power goes again within the first operations or milliseconds of a boot. */
	"brownOut",
	/** Many times in a row. */
	"brownOutLoop",
	/** Power goes while a key is written. */
	"keyCut",
	/** Wall time jumps, forwards or back. */
	"clockJump",
	/** One link refuses. */
	"linkRefuses",
	/** One link swallows everything, without an error. */
	"linkSilent",
	/** A connection stops carrying, one way, and delivers minutes late. */
	"linkStalls",
	/** A connection is dead, and neither end is told. */
	"linkHalfOpen",
	/** Bytes come in small pieces. */
	"linkSplits",
	/** A frame reaches the host twice. */
	"linkDoubles",
	/** A connection takes not one byte of what is written. */
	"linkFull",
	/** A connection breaks. */
	"linkBreaks",
	/** The host dies and comes back. */
	"hostKilled",
	/** One block of one copy of the journal is lost (with a mirror only). */
	"flashLoss",
	/** A bit flips at rest (with a mirror only). */
	"flashBitFlip",
	/** A block stops erasing or programming. */
	"flashBlockWorn",
	/** A blank chip in place of one of the two, while power is off. */
	"flashChipNew",
	/** The customer's card cannot be read, is pulled too early, or is gone before its verdict. */
	"readerFault",
	/** A chip takes about as long for its verdict as the terminal waits, or longer. */
	"chipSlow",
	/** Somebody presses cancel at any moment. */
	"pressCancel",
	/** Somebody begins another sale while one is under way. */
	"pressTwice",
	/** Somebody switches the terminal off because it takes too long. */
	"switchOff",
	/** Paper is out. */
	"paperOut",
	/** The printer takes longer for a slip than the terminal waits. */
	"printerSlow",
	/** The cashier answers late. */
	"cashierSlow",
	/** The cashier says "not delivered" of what the customer has been told. */
	"cashierDenies",
	/** Somebody signs the terminal off between two sales. */
	"signOff",
	/** Somebody settles the batch at any moment. */
	"settleKey",
	/** Somebody has the books compared at any moment. */
	"syncKey",
	/** The operator answers a case's question hours late. */
	"operatorSlow",
	/** The operator says no to a case's question, whatever is true. */
	"operatorSaysNo",
	/** The same sale is entered once more, by mistake. */
	"enteredTwice",
] as const;

export type WorldKind = (typeof WORLD_KINDS)[number];

/** All of them: also the host's. */
export const STRIKE_KINDS: readonly string[] = [
	...WORLD_KINDS,
	...FAULT_NAMES,
	...SESSION_FAULT_NAMES,
	...HOST_FAULT_NAMES,
	...SIGN_ON_FAULT_NAMES,
	...SALE_FAULT_NAMES,
	...POSTING_FAULT_NAMES,
	...BOOKING_FAULT_NAMES,
	...SETTLEMENT_FAULT_NAMES,
	...SETTLEMENT_ANSWER_FAULT_NAMES,
	...TOTALS_FAULT_NAMES,
	...SYNC_FAULT_NAMES,
	...SYNC_ANSWER_FAULT_NAMES,
	...DIGEST_FAULT_NAMES,
	...PAGE_FAULT_NAMES,
	...LIST_FAULT_NAMES,
	...REQUEST_FAULT_NAMES,
	...DESK_FAULT_NAMES,
];

/** They put money or books out of place, or keep it there: in some worlds only. */
export const OFFICE_KINDS: readonly string[] = [
	...SALE_FAULT_NAMES,
	...POSTING_FAULT_NAMES,
	...BOOKING_FAULT_NAMES,
	...TOTALS_FAULT_NAMES,
	...DIGEST_FAULT_NAMES,
	...PAGE_FAULT_NAMES,
	...LIST_FAULT_NAMES,
	...REQUEST_FAULT_NAMES,
	...DESK_FAULT_NAMES,
	"enteredTwice",
];

const STRIKES_MAX = 4_096;
const RATE_PARTS = 1_000;

export interface StrikesOptions {
	/** Per mille, by kind; a kind that is not there never strikes. */
	readonly rates: Readonly<Record<string, number>>;
	readonly random: SeededRandom;
	readonly without?: readonly string[];
	readonly only?: readonly string[];
	/** Each one, as it strikes. */
	onStrike?(kind: string, name: string): void;
}

export class Strikes {
	/** Names of those that struck, in order; at most 4,096. */
	readonly struck: string[] = [];
	/** How often each kind struck. */
	readonly counts: Record<string, number> = {};
	readonly #options: StrikesOptions;
	readonly #only: ReadonlySet<string> | undefined;
	readonly #draws = new Map<string, SeededRandom>();
	readonly #numbers: Record<string, number> = {};
	#over = false;

	constructor(options: StrikesOptions) {
		this.#options = options;
		this.#only = options.only === undefined ? undefined : new Set(options.only);
	}

	/** Whether this kind strikes here and now. */
	strikes(kind: string): boolean {
		if (this.#over) return false;
		const rate = this.#options.rates[kind] ?? 0;
		if (rate === 0) return false;
		return this.random(kind).below(RATE_PARTS) < rate && this.confirm(kind);
	}

	/** A strike that was drawn elsewhere: counted, and held back where the run says so. @returns whether it happens */
	confirm(kind: string): boolean {
		if (this.#over) return false;
		const number = (this.#numbers[kind] ?? 0) + 1;
		this.#numbers[kind] = number;
		const name = `${kind}#${number}`;
		if (this.#options.without?.includes(kind) === true) return false;
		if (this.#only !== undefined && !this.#only.has(name)) return false;
		this.counts[kind] = (this.counts[kind] ?? 0) + 1;
		if (this.struck.length < STRIKES_MAX) this.struck.push(name);
		this.#options.onStrike?.(kind, name);
		return true;
	}

	/** The kind's own generator: for what its strikes do, too. */
	random(kind: string): SeededRandom {
		let random = this.#draws.get(kind);
		if (random === undefined) {
			random = this.#options.random.fork(kind);
			this.#draws.set(kind, random);
		}
		return random;
	}

	/** Nothing strikes any more. */
	end(): void {
		this.#over = true;
	}
}
