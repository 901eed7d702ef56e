/**
 * The key of a movement of money: one debit and one merchant credit at most for each (MID, TID, original batch,
 * original STAN), whatever is repeated. All three ledgers use it, and nothing else, to know a movement again.
 * @module
 */

export interface MovementKey {
	/** Merchant id, DE 42. */
	readonly merchantId: string;
	/** Terminal id, DE 41. */
	readonly terminalId: string;
	/** Batch of the original, DE 60.2. */
	readonly batch: number;
	/** System trace number of the original, DE 11. */
	readonly stan: number;
}

/** The key as text, for maps and for people: "123456789012345/12345678/1/2". */
export function movementText(key: MovementKey): string {
	return `${key.merchantId}/${key.terminalId}/${key.batch}/${key.stan}`;
}

/** True for what {@link movementText} can name; for entries read back from a file. */
export function isMovementKey(value: unknown): value is MovementKey {
	if (typeof value !== "object" || value === null) return false;
	const key = value as Partial<MovementKey>;
	return (
		typeof key.merchantId === "string" &&
		typeof key.terminalId === "string" &&
		Number.isSafeInteger(key.batch) &&
		Number.isSafeInteger(key.stan)
	);
}

export function isSameMovement(a: MovementKey, b: MovementKey): boolean {
	return movementText(a) === movementText(b);
}
