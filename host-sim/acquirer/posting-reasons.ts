/**
 * Why a posting or a request of the desk is refused: one byte in an entry (DE 62 of 0310), with a text for people. The
 * numbers are this host's own and never change; a terminal that does not know one shows the number.
 * @module
 */

export const Reason = {
	/** Nothing is wrong. */
	none: 0,
	/** The bank does not take postings for the merchant's account: something about it has to be mended. */
	merchantAccount: 1,
	/** Neither acquirer nor issuer knows the transaction. */
	unknown: 2,
	/** The desk says no. */
	policy: 3,
	/** More than is missing at the merchant, or than the card has still paid. */
	overAmount: 4,
	/** The transaction was reversed or voided: nothing is owed. */
	reversed: 5,
	/** What is asked for has been done already. */
	alreadyDone: 6,
	/** The acquirer has no record of it, and the desk does not go by the issuer's alone. */
	noRecord: 7,
	/** The transaction was declined. */
	declined: 8,
	/** The request id was used for something else. */
	duplicateId: 9,
	/** Another request for this transaction is under way. */
	otherRequest: 10,
	/** A void, a refund, or not the merchant's money: the desk decides on sales. */
	notASale: 11,
	/** No far side has to do with it. */
	noFarSide: 12,
	/** The far side has refused it for good. */
	farSideRefused: 13,
} as const;

export type ReasonNumber = (typeof Reason)[keyof typeof Reason];

const TEXTS: Readonly<Record<ReasonNumber, string>> = {
	0: "in order",
	1: "merchant account: the bank does not take postings for it",
	2: "unknown transaction",
	3: "refused by the desk",
	4: "over the amount that is missing or was paid",
	5: "the transaction was reversed or voided",
	6: "done already",
	7: "the acquirer has no record of the transaction",
	8: "the transaction was declined",
	9: "request id used for something else",
	10: "another request for the transaction is under way",
	11: "not a sale",
	12: "no far side has to do with it",
	13: "the far side has refused it for good",
};

/** For people. */
export function reasonText(reason: number): string {
	return TEXTS[reason as ReasonNumber] ?? `reason ${reason}`;
}

/** True for what a book may hold as the reason of a refusal. */
export function isRefusal(value: unknown): value is number {
	return Number.isInteger(value) && (value as number) >= 1 && (value as number) <= 255;
}
