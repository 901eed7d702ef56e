/** The journal's client in its tests: things that begin with some bytes, and end. */
import { readU32, toHex } from "../../src/core/bytes";
import type { JournalClient } from "../../src/journal/client";

export const BEGIN = 8;
export const END = 9;

export class Things implements JournalClient {
	readonly live = new Map<number, number>(); // id → position
	mark = "";

	reset(): void {
		this.live.clear();
		this.mark = "";
	}
	visit(type: number, position: number, bytes: Uint8Array, start: number, byteLength: number): void {
		if (type === BEGIN) this.live.set(readU32(bytes, start), position);
		else if (type === END) this.live.delete(readU32(bytes, start));
		else this.mark = toHex(bytes, start, start + byteLength);
	}
	isLive(type: number, position: number, bytes: Uint8Array, start: number): boolean {
		return type === BEGIN && this.live.get(readU32(bytes, start)) === position;
	}
	moved(from: number, to: number): void {
		for (const [id, position] of this.live) if (position === from) this.live.set(id, to);
	}
}
