/**
 * What a pack needs to be told: plain data, so that cases and evidence know nothing of each other's inside. Texts are
 * words of the program or of the host; numbers are integers; times are ms since 1970 by the terminal's clock unless said.
 * @module
 */

/** What was asked of the host, and what it said. */
export interface EvidenceRequest {
	/** The 16 bytes that make it a request only once. */
	readonly id: Uint8Array;
	/** 403 claim, 404 credit, 407 far side; 30 resend, 4 reversal: DE 60.3, or 60.1. */
	readonly code: number;
	readonly batch: number;
	readonly stan: number;
	readonly amountMinor: number;
	/** When it was first sent. */
	readonly timeMs: number;
	/** 0 none, 1 received, 2 evidence wanted, 3 granted, 4 refused, 5 done. */
	readonly state: number;
	/** The host's reason, as it came. */
	readonly reason: number;
	/** 12 characters, empty before an answer. */
	readonly reference: string;
	/** YYMMDDhhmmss by which the host wants to have done it, empty when it told none. */
	readonly expected: string;
	readonly answeredMs: number;
}

export interface EvidenceEvent {
	readonly timeMs: number;
	/** "found", "asked", "granted"; at most 40 characters. */
	readonly what: string;
}

/** A case, as much of it as a third party has to know. */
export interface EvidenceCase {
	readonly id: number;
	/** Row of the remedies table. */
	readonly row: string;
	readonly cause: string;
	/** The facts that gave the cause, in words of the program. */
	readonly facts: readonly string[];
	readonly state: string;
	readonly step: string;
	/** Whose move it is. */
	readonly turn: string;
	/** The transaction it is about; it may have left the journal with its batch. */
	readonly transaction: {
		/** The journal's id, 0 when there is no such record. */
		readonly id: number;
		readonly batch: number;
		readonly stan: number;
		readonly amountMinor: number;
		/** First six and last four digits, empty when not known. */
		readonly panFirst: string;
		readonly panLast: string;
		readonly rrn: string;
	};
	/** Found by the host's books: its amount, −1 when it has no entry. */
	readonly hostAmountMinor: number;
	/** Host's flags of the entry that was the finding. */
	readonly hostFlags: number;
	readonly openedMs: number;
	/** When the next thing is due, 0: nothing is. */
	readonly dueMs: number;
	readonly requests: readonly EvidenceRequest[];
	readonly history: readonly EvidenceEvent[];
}

/** What a pack is about. */
export type EvidenceScope =
	/** A transaction and what belongs to it: voids, refunds, resends; by the journal's ids, at most 16. */
	| { readonly kind: "transaction"; readonly ids: readonly number[] }
	/** A case, and the same of its transaction. */
	| { readonly kind: "case"; readonly case: EvidenceCase; readonly ids: readonly number[] }
	/** What was begun from the one moment to before the other. */
	| { readonly kind: "day"; readonly fromMs: number; readonly toMs: number };

/** Whose pack it is. */
export interface EvidenceDevice {
	readonly terminalId: string;
	readonly merchantId: string;
	/** Version of the firmware. */
	readonly firmware: string;
}
