/**
 * The faults of the host by name, and what they strike. Those of one list strike in its order and draw from one source, in
 * turns: a new name goes into a list of its own, and then the draws of the others stay where they are.
 * @module
 */

/** Of requests that can move money, in the order they strike. */
export const FAULT_NAMES = [
	/** The request never arrives: nothing happens, no answer. */
	"requestLost",
	/** The request lies in the network longer than the terminal waits, then arrives: perhaps after its reversal. */
	"requestLate",
	/** The connection is cut, before or after the request is carried out. */
	"connectionCut",
	/** The host dies between the debit and its own record, or between a reversal's record and the credit. */
	"crash",
	/** Carried out, never answered. */
	"answerLost",
	/** The answer comes after the terminal has given up. */
	"answerLate",
	/** The answer comes twice. */
	"answerDoubled",
	/** The answer comes in pieces of a few bytes. */
	"answerSplit",
	/** A right MAC over another amount in DE 4. */
	"wrongAmount",
	/** A MAC that does not fit. */
	"badMac",
] as const;

/** Of the same requests: what a session, or somebody in the middle, does wrong. */
export const SESSION_FAULT_NAMES = [
	/** The host has lost the terminal's working keys: it answers 97 without a MAC. */
	"keysForgotten",
	/** The host has changed the terminal's keys without telling: A0, under keys the terminal does not have. */
	"keysChanged",
	/** An earlier answer of the connection comes before the right one, or in its place. */
	"replayedAnswer",
	/** An answer for another terminal, or another trace number, comes before the right one. */
	"strangerAnswer",
	/** The answer comes a byte a second. */
	"slowAnswer",
] as const;

/** Of the same requests: what a host, or the network before it, does wrong beside that. */
export const HOST_FAULT_NAMES = [
	/** Bytes of the answer are altered: it may not even decode. */
	"answerGarbled",
	/** The answer is held until the next one on its connection has gone, or for 5 s. */
	"answerReordered",
	/** A reversal is answered 00, and nothing is done and nothing recorded; at most once for a movement. */
	"reversalForgotten",
	/** The connection stays open and is never served again; neither end is told. */
	"hostHalfOpen",
	/** The host dies after its own record, before the merchant is credited or anything is answered. */
	"crashAfterRecord",
	/** A reversal is refused with 58: nothing is done and nothing recorded. */
	"reversalRefused",
] as const;

/** They strike nothing else. */
export const OF_REVERSALS: readonly string[] = ["reversalForgotten", "reversalRefused"];

/** Of sign-ons. */
export const SIGN_ON_FAULT_NAMES = [
	/** The sign-on never arrives. */
	"signOnLost",
	/** Keys are given out, and the answer is lost. */
	"signOnAnswerLost",
	/** Refused with 96. */
	"signOnRefused",
	/** A check value that does not fit its key. */
	"wrongCheckValue",
	/** The answer names no batch. */
	"wrongBatch",
] as const;

/** Of new sales, offline sales and resends: what befalls them in the books. At most one of them befalls one sale. */
export const SALE_FAULT_NAMES = [
	/** The acquirer's record vanishes: the card stays debited, the merchant is not credited. */
	"recordLost",
	/** Acquirer and issuer reverse it, and nobody has asked for it. */
	"reversedWrongly",
	/** Another amount in the books: at card and merchant more, or at the merchant alone less. */
	"amountAltered",
	/** The merchant is never credited by itself. */
	"postingLost",
	/** The bank refuses the posting: merchant account. */
	"postingRefused",
	/** The merchant is credited hours later than usual. */
	"postingLate",
] as const;

/** Of the same sales. */
export const POSTING_FAULT_NAMES = [
	/** The bank changes its mind: posted, hours later taken back, hours later posted again. */
	"postingChanges",
] as const;

/** Of the same sales; of an offline sale or a resend, which tell what has happened, nothing. */
export const BOOKING_FAULT_NAMES = [
	/** Debited and recorded as any other, and the terminal is told 51: insufficient funds. */
	"declinedBooked",
] as const;

/** Of settlements and batch uploads, whichever message. */
export const SETTLEMENT_FAULT_NAMES = [
	/** Carried out, never answered. */
	"settlementAnswerLost",
] as const;

/** Of the same messages: an answer that belongs to something else comes before the right one, or in its place. */
export const SETTLEMENT_ANSWER_FAULT_NAMES = [
	/** An answer for another batch, and it says that all is balanced. */
	"settlementOtherBatch",
	/** The same for another terminal, or another trace number. */
	"settlementStranger",
] as const;

/** Of settlements of a batch that was not settled before. */
export const TOTALS_FAULT_NAMES = [
	/** The answer's totals are not those of the books: unbalanced, or in error, though all is well. */
	"totalsWrong",
] as const;

/** Of sync messages, whichever. */
export const SYNC_FAULT_NAMES = [
	/** Carried out, never answered. */
	"syncAnswerLost",
	/** A MAC that does not fit. */
	"syncBadMac",
	/** Sent behind the next answer, or 5 s later. */
	"syncReordered",
] as const;

/** Of the same: an answer that belongs to something else comes before the right one, or in its place. */
export const SYNC_ANSWER_FAULT_NAMES = [
	/** Of another nonce, another trace number or another terminal, with a right MAC. */
	"syncStranger",
] as const;

/** Of digests (406). */
export const DIGEST_FAULT_NAMES = [
	/** Another digest than that of the books, or another sum beside it, though all is well. */
	"digestWrong",
] as const;

/** Of pages of a list (401). */
export const PAGE_FAULT_NAMES = [
	/** An entry has another amount in this page than it has when it is asked for again. */
	"entryChanges",
	/** A byte of the page is another one: whatever that makes of it. */
	"pageGarbled",
] as const;

/** Of the same pages: lists that lie, each with a right MAC. Asked again, the page is as it should be. */
export const LIST_FAULT_NAMES = [
	/** One flag of an entry says the contrary. */
	"entryLies",
	/** An entry comes twice. */
	"entryRepeats",
	/** The entries come in the wrong order. */
	"entriesUnordered",
	/** Among the entries is one of another terminal's. */
	"entryOfAnother",
	/** The page is filled up with what was never sold, and more is to come, always. */
	"listEndless",
] as const;

/** Of messages with a request for the desk (403, 404, 407), repeats too. */
export const REQUEST_FAULT_NAMES = [
	/** The request is decided on and carried out, and the answer is lost. */
	"requestAnswerLost",
] as const;

/** Of new requests for the desk that could be granted. The first of the first three decides. */
export const DESK_FAULT_NAMES = [
	/** Refused. */
	"deskRefuses",
	/** Evidence is wanted first. */
	"deskWantsEvidence",
	/** Granted hours later. */
	"deskLate",
	/** Granted, and the bank posts the same once more: the ledger refuses it. */
	"deskPostsTwice",
] as const;

/** Of repayments and top-ups that the issuer has paid. */
export const FAR_SIDE_FAULT_NAMES = [
	/** The card is debited and the answer an approval, and the far side has not taken it: it may be sent there again. */
	"farSideFailed",
	/** The same, and the far side never will. */
	"farSideRefused",
] as const;

/** Of what is sent to the far side again (407). */
export const FAR_RESEND_FAULT_NAMES = [
	/** The far side refuses it, for good. */
	"farSideRefuses",
] as const;

export const ALL_FAULT_NAMES = [
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
	...FAR_SIDE_FAULT_NAMES,
	...FAR_RESEND_FAULT_NAMES,
] as const;

export type FaultName = (typeof ALL_FAULT_NAMES)[number];
