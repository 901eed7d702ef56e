/**
 * The key of a movement of money: one debit and one merchant credit at most for each (MID, TID, original batch,
 * original STAN), whatever is repeated. All three ledgers use it, and nothing else, to know a movement again.
 * @module
 */
import { assert } from "../../src/core/assert";

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

/** The greatest batch, and the greatest trace number: six digits each (DE 60.2, DE 11). */
const NUMBER_MAX = 999_999;

/** True for what {@link movementText} can name; for entries read back from a file. */
export function isMovementKey(value: unknown): value is MovementKey {
	if (typeof value !== "object" || value === null) return false;
	const key = value as Partial<MovementKey>;
	return (
		typeof key.merchantId === "string" &&
		typeof key.terminalId === "string" &&
		isNumber(key.batch) &&
		isNumber(key.stan)
	);
}

function isNumber(value: unknown): boolean {
	return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= NUMBER_MAX;
}

export function isSameMovement(a: MovementKey, b: MovementKey): boolean {
	return a.stan === b.stan && a.batch === b.batch && a.terminalId === b.terminalId && a.merchantId === b.merchantId;
}

/** The movements of one terminal, by batch and trace number together. */
interface TerminalMovements<T> {
	readonly merchantId: string;
	readonly terminalId: string;
	readonly byNumber: Map<number, T>;
}

/** What a ledger holds, by movement: no text is made to find it. Keys fit {@link isMovementKey}. */
export class MovementMap<T> {
	readonly #terminals: TerminalMovements<T>[] = [];
	/** Oldest first, over all terminals. */
	readonly #values: T[] = [];

	get(key: MovementKey): T | undefined {
		return this.#terminal(key)?.byNumber.get(numberOf(key));
	}

	/** For what is not there yet. */
	add(key: MovementKey, value: T): void {
		let terminal = this.#terminal(key);
		if (terminal === undefined) {
			terminal = { merchantId: key.merchantId, terminalId: key.terminalId, byNumber: new Map() };
			this.#terminals.push(terminal);
		}
		const number = numberOf(key);
		assert(!terminal.byNumber.has(number), "I6 a ledger holds a movement once");
		terminal.byNumber.set(number, value);
		this.#values.push(value);
	}

	/** Those of one batch of one terminal, oldest first. */
	ofBatch({ merchantId, terminalId, batch }: Omit<MovementKey, "stan">): T[] {
		const found: T[] = [];
		const terminal = this.#terminal({ merchantId, terminalId, batch, stan: 0 });
		if (terminal === undefined) return found;
		const first = numberOf({ merchantId, terminalId, batch, stan: 0 });
		for (const [number, value] of terminal.byNumber) {
			if (number >= first && number <= first + NUMBER_MAX) found.push(value);
		}
		return found;
	}

	/** Oldest first. */
	values(): IterableIterator<T> {
		return this.#values.values();
	}

	#terminal({ merchantId, terminalId }: MovementKey): TerminalMovements<T> | undefined {
		for (const terminal of this.#terminals) {
			if (terminal.terminalId === terminalId && terminal.merchantId === merchantId) return terminal;
		}
		return undefined;
	}
}

function numberOf({ batch, stan }: MovementKey): number {
	return batch * (NUMBER_MAX + 1) + stan;
}
