/**
 * From what the terminal says of a movement and what the host says of it to the row of the remedies table (DESIGN.md,
 * "Findings: rows"). Both are turned into bits, and a table of rules decides: the first one that fits, and the last one
 * of each word fits everything, so that nothing is without an answer.
 *
 * Invariant (I6): `agree` is answered only where the money is where people were told it is. Whatever is contradictory,
 * incomplete or unheard of at the host, from a host that errs or one that lies, is something else.
 * @module
 */
import { KIND_OFFLINE_SALE, KIND_REFUND, KIND_RESEND, KIND_SALE } from "../transactions/records";
import { isCharged, State } from "../transactions/states";

/** Numbers are what flash holds; they never change. */
export const Row = {
	/** The money is where people were told. No case. */
	agree: 1,
	notFound: 2,
	pending: 3,
	overdue: 4,
	merchantAccount: 5,
	reversedAtHost: 6,
	otherAmount: 7,
	debited: 8,
	unknownHere: 9,
	doubled: 10,
	farSide: 11,
	offlineDeclined: 12,
	/** A refund that the host has not made as this terminal has told the customer, or one that nobody here has made. */
	refundDiffers: 13,
	/** A movement of it is under way: there is nothing to compare yet. No case. */
	underWay: 14,
	/** A reversal, an advice, that does not get through; see stuck-work.ts. Its own queue goes on with it. */
	reversalStuck: 15,
	adviceStuck: 16,
	/** Of a whole batch, at a host that knows nothing of sync: its totals are others, and the list was uploaded. */
	unbalanced: 17,
} as const;
export type Row = (typeof Row)[keyof typeof Row];

export type RowName = keyof typeof Row;

export const ROW_NAMES = Object.keys(Row) as RowName[];

/** Rows that a case can have. */
export type CaseRow = Exclude<RowName, "agree" | "underWay">;

/** Name of a row read from flash; undefined for a number that is none. */
export function rowName(row: number): RowName | undefined {
	return ROW_NAMES[row - 1];
}

/** True for what a person or a remedy has to do something about, now or later. */
export function isCaseRow(row: RowName): row is CaseRow {
	return row !== "agree" && row !== "underWay";
}

/** Flags of the host's entry. Source: PROTOCOL "Sync messages". */
export const HostFlag = {
	/** In the acquirer's records. */
	recorded: 1,
	/** The card was debited (of a void or a refund: credited), also when that was taken back later. */
	debited: 2,
	/** Taken back whole: by a reversal, or by the desk. */
	reversed: 4,
	/** The merchant's account stands as it should for this movement. */
	posted: 8,
	/** The bank has refused to post it. */
	refused: 16,
	/** A void of it stands. */
	voided: 32,
	/** Repayment, top-up. */
	farSideDone: 64,
	farSideFailed: 128,
} as const;

/** A void is an entry of its own in the host's books. */
export const KIND_VOID = 5;

/** What the host says of a movement that it knows: 402's entry, the only one that counts. */
export interface HostWord {
	/** The terminal's numbers of the kinds; {@link KIND_VOID}. */
	readonly kind: number;
	/** What stands: of a sale that was altered or adjusted what that has left. */
	readonly amountMinor: number;
	/** {@link HostFlag}. */
	readonly flags: number;
	/** Of a single answer (402): ms since 1970, 0 for none. Lists have no times. */
	readonly recordedAt?: number;
}

export const SAID = [
	"nothing", // No such record, and the number is not one that is still under way.
	"underWay", // Waiting, reversing, not yet forwarded: nobody was told, or it is being seen to.
	"charged", // The customer has paid. Of a refund: the customer gets it back.
	"notCharged", // Declined, abandoned, reversed; unconfirmed too: people were told so.
	"refused", // An advice that the host has refused.
] as const;
export type Said = (typeof SAID)[number];

/** What the terminal says of a movement. */
export interface TerminalWord {
	readonly said: Said;
	/** 0 where there is no record. */
	readonly kind: number;
	readonly amountMinor: number;
	/** What requests of our own cases have had given back to the card; see Cases.creditedMinor. */
	readonly creditedMinor: number;
	/** Another sale of the same card and amount shortly before it is charged here and debited there, and nobody was asked. */
	readonly twin: boolean;
}

/** The terminal has no record of it. */
export const SAID_NOTHING: TerminalWord = {
	said: "nothing",
	kind: 0,
	amountMinor: 0,
	creditedMinor: 0,
	twin: false,
};

/** What a transaction of this state and kind says. A resend says nothing by itself: it is the sale it stands for. */
export function saidOf(state: number, kind: number): Said {
	if (kind === KIND_RESEND) return "underWay";
	if (state === State.waiting || state === State.reversing || state === State.forwarding) return "underWay";
	if (state === State.forwardRefused) return "refused";
	return isCharged(state, kind) || state === State.forwarded ? "charged" : "notCharged";
}

const {
	recorded: RECORDED,
	debited: DEBITED,
	reversed: REVERSED,
	posted: POSTED,
	refused: REFUSED,
	voided: VOIDED,
	farSideFailed: FAR_FAILED,
} = HostFlag;
/** What follows from both words, beside the host's flags. */
const FOUND = 0x100;
const OTHER_AMOUNT = 0x200;
/** The host's books have another kind under this number. */
const OTHER_KIND = 0x400;
const DUE = 0x800;
const TWIN = 0x1000;
/** A void or a refund: it moves money to the card. */
const GIVES_BACK = 0x2000;

interface Rule {
	/** All of these, */
	readonly has?: number;
	/** and none of these. */
	readonly hasNot?: number;
	readonly row: RowName;
}

/** Of what was sold and stands here: what is wrong with the debit first, then with the credit to the merchant. */
const CHARGED: readonly Rule[] = [
	{ hasNot: FOUND, row: "notFound" },
	{ has: OTHER_KIND, row: "notFound" },
	{ has: REVERSED, row: "reversedAtHost" },
	{ has: VOIDED, row: "reversedAtHost" },
	{ hasNot: RECORDED, row: "notFound" },
	{ hasNot: DEBITED, row: "notFound" },
	{ has: FAR_FAILED, row: "farSide" },
	// Before the amount: while the account takes nothing, no claim for a difference is granted either.
	{ has: REFUSED, row: "merchantAccount" },
	{ has: OTHER_AMOUNT, row: "otherAmount" },
	{ has: TWIN, row: "doubled" },
	{ has: POSTED, row: "agree" },
	{ has: DUE, row: "overdue" },
	{ row: "pending" },
];

/**
 * Of what was sold, and given back whole on our own request: the host may show it as taken back, as an amount of 0, or not
 * at all. Whatever else it shows is for a person: never is it sent again, claimed, or given back a second time.
 */
const GIVEN_BACK: readonly Rule[] = [
	{ hasNot: FOUND, row: "agree" },
	{ has: OTHER_KIND, row: "refundDiffers" },
	{ has: VOIDED, row: "agree" },
	{ has: REVERSED, hasNot: POSTED, row: "agree" },
	{ hasNot: DEBITED | POSTED, row: "agree" },
	{ has: REVERSED, row: "refundDiffers" },
	{ hasNot: DEBITED, row: "refundDiffers" },
	{ has: OTHER_AMOUNT, row: "refundDiffers" },
	{ row: "agree" },
];

/** Of what nobody has paid for here: the card has to have its money, and the merchant none of it. */
const NOT_CHARGED: readonly Rule[] = [
	{ hasNot: FOUND, row: "agree" },
	{ has: GIVES_BACK | DEBITED, hasNot: REVERSED, row: "refundDiffers" },
	{ has: VOIDED, row: "agree" },
	{ has: POSTED, row: "debited" },
	{ has: REVERSED, row: "agree" },
	{ has: DEBITED, row: "debited" },
	{ row: "agree" },
];

const NOTHING: readonly Rule[] = [
	{ hasNot: FOUND, row: "agree" },
	{ has: GIVES_BACK | DEBITED, hasNot: REVERSED, row: "refundDiffers" },
	{ has: VOIDED, row: "agree" },
	{ has: POSTED, row: "unknownHere" },
	{ has: REVERSED, row: "agree" },
	{ has: DEBITED, row: "unknownHere" },
	{ row: "agree" },
];

/** An offline sale that the host refused, and has debited for all that, is what the customer was told: charged. */
const REFUSED_SALE: readonly Rule[] = [
	{ hasNot: FOUND, row: "offlineDeclined" },
	{ hasNot: DEBITED, row: "offlineDeclined" },
	{ has: REVERSED, row: "offlineDeclined" },
	{ has: VOIDED, row: "offlineDeclined" },
	...CHARGED,
];

/** The card gets it; when the merchant's account pays for it is the host's business, until it is late. */
const REFUNDED: readonly Rule[] = [
	{ hasNot: FOUND, row: "refundDiffers" },
	{ has: OTHER_KIND, row: "refundDiffers" },
	{ has: OTHER_AMOUNT, row: "refundDiffers" },
	{ has: REVERSED, row: "refundDiffers" },
	{ has: VOIDED, row: "refundDiffers" },
	{ hasNot: RECORDED, row: "refundDiffers" },
	{ hasNot: DEBITED, row: "refundDiffers" },
	{ has: REFUSED, row: "refundDiffers" },
	{ has: POSTED, row: "agree" },
	{ has: DUE, row: "refundDiffers" },
	{ row: "pending" },
];

const UNDER_WAY: readonly Rule[] = [{ row: "underWay" }];

/** For what moves money to the merchant, and for what gives it back. */
const RULES: Readonly<Record<Said, readonly [sale: readonly Rule[], refund: readonly Rule[]]>> = {
	nothing: [NOTHING, NOTHING],
	underWay: [UNDER_WAY, UNDER_WAY],
	charged: [CHARGED, REFUNDED],
	notCharged: [NOT_CHARGED, NOT_CHARGED],
	// A refund that was promised, and refused: only what the host has done for all that agrees.
	refused: [REFUSED_SALE, REFUNDED],
};

/**
 * @param entry - undefined: the host has never heard of it
 * @param due - by the host's time it should have been posted; false while that time is not known
 */
export function finding(word: TerminalWord, entry: HostWord | undefined, due: boolean): RowName {
	const isGivenBack = word.said === "charged" && word.creditedMinor > 0 && word.creditedMinor >= word.amountMinor;
	const isRefund = givesBack(word.kind);
	const rules = isGivenBack && !isRefund ? GIVEN_BACK : RULES[word.said][isRefund ? 1 : 0];
	const bits = bitsOf(word, entry, due);
	for (const { has = 0, hasNot = 0, row } of rules) if ((bits & has) === has && (bits & hasNot) === 0) return row;
	return "underWay"; // Never: each list ends with a rule for everything.
}

function bitsOf(word: TerminalWord, entry: HostWord | undefined, due: boolean): number {
	if (entry === undefined) return 0;
	const standsMinor = word.amountMinor - word.creditedMinor;
	return (
		(entry.flags & 0xff) |
		FOUND |
		bit(entry.amountMinor !== standsMinor, OTHER_AMOUNT) |
		bit(sideOf(entry.kind) !== sideOf(word.kind), OTHER_KIND) |
		bit(due, DUE) |
		bit(word.twin, TWIN) |
		bit(givesBack(entry.kind), GIVES_BACK)
	);
}

function bit(set: boolean, mask: number): number {
	return set ? mask : 0;
}

function givesBack(kind: number): boolean {
	return kind === KIND_REFUND || kind === KIND_VOID;
}

/** Sold with or without the host is one thing to the money: a claim books an offline sale as a sale. */
function sideOf(kind: number): number {
	return kind === KIND_OFFLINE_SALE ? KIND_SALE : kind;
}
