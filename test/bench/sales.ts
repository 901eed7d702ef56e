/** The sales of the bench, as a terminal's index would know them. */
import { readU32 } from "../../src/core/bytes";
import type { JournalClient } from "../../src/journal/client";

export const INTENT = 8;
export const OUTCOME = 9;
export const INTENT_BYTES = 120;
export const OUTCOME_BYTES = 32;
export const PAYLOAD_BYTES = INTENT_BYTES + OUTCOME_BYTES;

/** Everything since the last settlement is live, as it is in a terminal whose sales are all approved. */
export class Sales implements JournalClient {
	/** Id → position of the intent. */
	readonly live = new Map<number, number>();
	outcomes = 0;

	reset(): void {
		this.live.clear();
		this.outcomes = 0;
	}

	visit(type: number, position: number, bytes: Uint8Array, start: number): void {
		if (type === INTENT) this.live.set(readU32(bytes, start), position);
		if (type === OUTCOME) this.outcomes++;
	}

	isLive(_type: number, _position: number, bytes: Uint8Array, start: number): boolean {
		return this.live.has(readU32(bytes, start));
	}

	moved(from: number, to: number): void {
		for (const [id, position] of this.live) if (position === from) this.live.set(id, to);
	}
}
