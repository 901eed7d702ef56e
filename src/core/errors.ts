/**
 * Coded errors: bad input and broken devices. The code says what, the place says where, and neither ever
 * carries card data, a key or a PIN (I9, I11). A refusal by rule is a result, not an error.
 * @module
 */

/** What went wrong, as a stable word a program can compare. */
export type ErrorCode =
	| "length"
	| "charset"
	| "range"
	| "format"
	| "overflow"
	| "duplicate"
	| "order"
	| "unknown"
	| "missing"
	| "mismatch"
	| "full"
	| "flash"
	| "unprovisioned"
	| "foreign"
	| "newer"
	| "damaged"
	| "auth"
	| "state";

/** An error with a stable code and the place it was found; the message is safe for any log. */
export class CodedError extends Error {
	/** A field, not an assignment: where the engine's own prototypes are frozen, as on the board, that would throw. */
	override readonly name = "CodedError";
	readonly code: ErrorCode;
	/** Module and field, block or argument: "iso8583 DE 35", "journal block 7 +128". */
	readonly place: string;

	constructor(code: ErrorCode, place: string, detail = "") {
		super(detail === "" ? `${place}: ${code}` : `${place}: ${code}, ${detail}`);
		this.code = code;
		this.place = place;
	}
}
