/**
 * Why the books differ, from recorded facts and nothing else: what the transaction's records say, what the host's entry
 * says. A fact speaks only where it has to do with the difference (RELEVANT); of several the table ORDER takes the first.
 * Without one the cause is not known, and that is said.
 * @module
 */
import { Flag, KIND_REFUND } from "../transactions/records";
import { State } from "../transactions/states";
import { type CaseRow, HostFlag, type HostWord, type TerminalWord } from "./finding";

/** Numbers are what flash holds; they never change. */
export const Cause = {
	notKnown: 1,
	/** At the host. */
	systemFault: 2,
	network: 3,
	/** At the till. */
	operatorError: 4,
	bankDelay: 5,
	terminalDevice: 6,
	merchantAccount: 7,
	/** The host's books say something else than its answer. */
	hostMismatch: 8,
	/** No fault at all: the card's issuer has refused what was sold without asking it. */
	issuer: 9,
} as const;
export type Cause = (typeof Cause)[keyof typeof Cause];

export type CauseName = keyof typeof Cause;

export const CAUSE_NAMES = Object.keys(Cause) as CauseName[];

/** Name of a cause read from flash; undefined for a number that is none. */
export function causeName(cause: number): CauseName | undefined {
	return CAUSE_NAMES[cause - 1];
}

/** Bits, as flash holds them: 3 bytes. */
export const CauseFact = {
	/** Power went, or the firmware began anew, between the first byte and the answer. */
	restarted: 0x1,
	lineLost: 0x2,
	/** Silence, on a line that was there. */
	noAnswer: 0x4,
	badMac: 0x8,
	/** Reader, keypad, printer. */
	deviceFault: 0x10,
	/** A verified answer had another amount. */
	answerDiffers: 0x20,
	/** The host's records begin later than any answer was waited for: the request lay in a network. */
	arrivedLate: 0x40,
	/** The host has declined, or accepted the reversal, and holds the debit for all that. */
	contradicted: 0x80,
	/** The host knows of no such movement. */
	notFound: 0x100,
	/** The card is debited, and the acquirer has no record. */
	unrecorded: 0x200,
	/** The acquirer has a record, and the card is not debited. */
	undebited: 0x400,
	/** Recorded, and not posted. */
	unposted: 0x800,
	postingRefused: 0x1000,
	hostReversed: 0x2000,
	amountDiffers: 0x4000,
	farSideFailed: 0x8000,
	doubled: 0x1_0000,
	issuerRefused: 0x2_0000,
	/** The journal is younger than the batch: another board has sold it. */
	boardSwapped: 0x4_0000,
	/** Flash has lost or damaged records since. */
	flashError: 0x8_0000,
	/** The host has refused a reversal, for good as it seems. */
	hostRefused: 0x10_0000,
} as const;

export type CauseFactName = keyof typeof CauseFact;

/** All facts that there are lie below. */
export const CAUSE_FACTS_END = 0x20_0000;

const F = CauseFact;

/** What can have made each difference. */
export const RELEVANT: Readonly<Record<CaseRow, number>> = {
	notFound: F.notFound | F.unrecorded | F.undebited,
	pending: F.unposted,
	overdue: F.unposted,
	merchantAccount: F.postingRefused,
	reversedAtHost: F.hostReversed,
	otherAmount: F.amountDiffers,
	debited:
		F.unrecorded |
		F.arrivedLate |
		F.contradicted |
		F.restarted |
		F.lineLost |
		F.noAnswer |
		F.badMac |
		F.deviceFault |
		F.answerDiffers,
	unknownHere: F.boardSwapped | F.flashError,
	doubled: F.doubled,
	farSide: F.farSideFailed,
	offlineDeclined: F.issuerRefused,
	reversalStuck: F.hostRefused | F.noAnswer,
	adviceStuck: F.noAnswer | F.deviceFault | F.answerDiffers,
	unbalanced: 0, // Totals alone do not say why.
	refundDiffers:
		F.notFound | F.unrecorded | F.undebited | F.hostReversed | F.amountDiffers | F.unposted | F.postingRefused,
};

/** The first fact that is there decides: what names one party alone stands before what several may have done. */
export const ORDER: readonly (readonly [fact: CauseFactName, cause: CauseName])[] = [
	["doubled", "operatorError"],
	["issuerRefused", "issuer"],
	["farSideFailed", "systemFault"],
	["postingRefused", "merchantAccount"],
	["boardSwapped", "terminalDevice"],
	["flashError", "terminalDevice"],
	["notFound", "systemFault"],
	["unrecorded", "systemFault"],
	["undebited", "systemFault"],
	["hostReversed", "hostMismatch"],
	["amountDiffers", "hostMismatch"],
	["unposted", "bankDelay"],
	// Of a debit that should not be. A request that came late explains it whatever else was wrong; a host that has said
	// that there is none, and has had it all the time, is at fault whatever made us ask.
	["arrivedLate", "network"],
	["contradicted", "systemFault"],
	["hostRefused", "systemFault"],
	["answerDiffers", "hostMismatch"],
	["deviceFault", "terminalDevice"],
	["restarted", "terminalDevice"],
	["badMac", "network"],
	["lineLost", "network"],
	["noAnswer", "network"],
];

/** @param facts - bits of {@link CauseFact}; {@link factsOf} */
export function causeOf(facts: number): CauseName {
	for (const [fact, cause] of ORDER) if ((facts & CauseFact[fact]) !== 0) return cause;
	return "notKnown";
}

/** Names of the facts in a number from flash, in the order of their bits. */
export function factNames(facts: number): CauseFactName[] {
	const names = Object.keys(CauseFact) as CauseFactName[];
	return names.filter((name) => (facts & CauseFact[name]) !== 0);
}

/** What {@link factsOf} goes by. */
export interface Recorded {
	readonly row: CaseRow;
	readonly word: TerminalWord;
	/** State of the transaction, 0 where there is none. */
	readonly state: number;
	/** Its flags; see Flag in transactions/records.ts. */
	readonly flags: number;
	/** Reason of its reversal (DE 39), spaces for none. */
	readonly reason: string;
	/** undefined: the host has never heard of it. */
	readonly entry: HostWord | undefined;
	/** From its first byte to the host's record of it, ms, by the host's clock; undefined while either is not known. */
	readonly recordedAfterMs: number | undefined;
	/** So long an answer was waited for. */
	readonly answerTimeoutMs: number;
	/** The journal was provisioned after the batch began. */
	readonly boardSwapped: boolean;
	/** The journal reports lost blocks or damaged records. */
	readonly flashError: boolean;
}

/** Flags of a transaction that tell what went wrong while it waited for its answer. */
const TRANSACTION_FACTS: readonly (readonly [flag: number, fact: number])[] = [
	[Flag.amountDiffers, F.answerDiffers],
	[Flag.restarted, F.restarted],
	[Flag.lineLost, F.lineLost],
	[Flag.badMac, F.badMac],
	[Flag.deviceFault, F.deviceFault],
];

/** DE 39 of a reversal. Source: PROTOCOL "Doubt, by kind". */
const REASON_NO_ANSWER = "98";

/** The facts that have to do with the difference: bits of {@link CauseFact}. */
export function factsOf(recorded: Recorded): number {
	const { row, flags, boardSwapped, flashError } = recorded;
	let facts = hostFacts(recorded);
	for (const [flag, fact] of TRANSACTION_FACTS) if ((flags & flag) !== 0) facts |= fact;
	// Reason 98 stands for a restart and a lost line as well: silence is what is left.
	const explained = (facts & (F.restarted | F.lineLost | F.deviceFault)) !== 0;
	if (recorded.reason === REASON_NO_ANSWER && !explained) facts |= F.noAnswer;
	if (row === "doubled") facts |= F.doubled;
	if (recorded.word.said === "refused" && recorded.word.kind !== KIND_REFUND) facts |= F.issuerRefused;
	if (boardSwapped) facts |= F.boardSwapped;
	if (flashError) facts |= F.flashError;
	return facts & RELEVANT[row];
}

function hostFacts({ word, state, entry, recordedAfterMs, answerTimeoutMs }: Recorded): number {
	if (entry === undefined) return F.notFound;
	const { flags } = entry;
	const has = (flag: number) => (flags & flag) !== 0;
	let facts = 0;
	if (has(HostFlag.debited) && !has(HostFlag.recorded)) facts |= F.unrecorded;
	// What the host has refused it need not have moved: it has said so.
	const refused = word.said === "refused";
	if (has(HostFlag.recorded) && !has(HostFlag.debited) && !refused) facts |= F.undebited;
	if (has(HostFlag.recorded) && !has(HostFlag.posted) && !refused) facts |= F.unposted;
	if (has(HostFlag.refused)) facts |= F.postingRefused;
	if (has(HostFlag.reversed) || has(HostFlag.voided)) facts |= F.hostReversed;
	if (has(HostFlag.farSideFailed)) facts |= F.farSideFailed;
	if (entry.amountMinor !== word.amountMinor - word.creditedMinor) facts |= F.amountDiffers;
	// It has told us that there is no debit: in its answer, which was in time whatever a clock that was set since makes of
	// it; or by taking the reversal, and not of a debit that came only later.
	if (state === State.declined) facts |= F.contradicted;
	else if (recordedAfterMs !== undefined && recordedAfterMs > answerTimeoutMs) facts |= F.arrivedLate;
	else if (toldReversed(state) && recordedAfterMs !== undefined) facts |= F.contradicted;
	return facts;
}

function toldReversed(state: number): boolean {
	return state === State.reversed || state === State.unconfirmed;
}
