/**
 * Assertions stay on in production: a broken invariant restarts the terminal and the journal recovers (I1–I12).
 * @module
 */

/** Our own bug, never bad input: the firmware logs it and restarts. */
export class AssertionError extends Error {
	/** A field, not an assignment: where the engine's own prototypes are frozen, as on the board, that would throw. */
	override readonly name = "AssertionError";
}

/**
 * @param condition - what must hold
 * @param message - begins with the invariant's number where there is one: "I3 stan=12 has no owner"
 * @throws {AssertionError} when it does not hold
 */
export function assert(condition: boolean, message: string): asserts condition {
	if (!condition) throw new AssertionError(message);
}
