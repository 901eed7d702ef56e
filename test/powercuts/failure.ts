/**
 * What a search looks for, and counts. "other" is what breaks a promise and loses nothing: an erase in a prepared append,
 * a write while mounting, no room for what is under way, something never mended.
 */
export const FAILURE_KINDS = ["lost", "changed", "resurrected", "unmountable", "other"] as const;
export type FailureKind = (typeof FAILURE_KINDS)[number];

/** The journal broke a promise. */
export class Failure extends Error {
	override readonly name = "Failure";
	readonly kind: FailureKind;

	constructor(kind: FailureKind, message: string) {
		super(message);
		this.kind = kind;
	}
}
