/**
 * What an answer says, and the codes of DE 39 that the acquirer itself gives.
 * @module
 */
import { hostDate } from "./host-time";

/** What the answer says. */
export interface Outcome {
	/** DE 39. */
	readonly code: string;
	/** DE 37. */
	readonly rrn: string;
	/** DE 38, empty when there is none. */
	readonly authorization: string;
	/** DE 12, 13, 15: of the first answer, also when it is given again. */
	readonly at: number;
	/** The same request was answered before. */
	readonly repeat: boolean;
	/** DE 4, where it is not the request's: a query's. */
	readonly amountMinor?: number;
	/** DE 54. */
	readonly balanceMinor?: number;
}

/** An original that comes after its reversal, or one that stands no longer: invalid transaction. */
export const CODE_AFTER_REVERSAL = "12";
/** Another request under a number that is used: duplicate transmission. */
export const CODE_NUMBER_USED = "94";
/** Amount or card do not agree with the original: original amount incorrect. It ends no repeating of a reversal. */
export const CODE_ORIGINAL_DIFFERS = "64";
/** Transaction not permitted to the terminal. */
export const CODE_NOT_PERMITTED = "58";
/** A sale or a void in a batch that is settled: cutoff. */
export const CODE_BATCH_CLOSED = "90";
/** Insufficient funds. */
export const CODE_FUNDS = "51";
/** What this host does not carry out. */
export const CODE_NOT_SUPPORTED = "40";
/** A repayment or top-up that the far side has: no action taken. */
export const CODE_NO_ACTION = "21";
/** Nobody knows the original. */
export const CODE_UNKNOWN_ORIGINAL = "25";

/** An answer that leaves no trace in any ledger. Number 0: no record stands behind it. */
export function refusal(code: string, at: number): Outcome {
	return { code, rrn: `${hostDate(at)}00000000`, authorization: "", at, repeat: false };
}
