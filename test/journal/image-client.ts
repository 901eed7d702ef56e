/**
 * The journal's client where an image may hold anything: also records too short to be its own. Things are known by
 * the first four bytes of their record.
 */
import { readU32, toHex, writeU32 } from "../../src/core/bytes";
import { CodedError } from "../../src/core/errors";
import type { JournalClient } from "../../src/journal/client";
import type { Journal } from "../../src/journal/journal";

export const BEGIN = 8;
export const END = 9;

export class ImageClient implements JournalClient {
	/** Id → position. */
	readonly live = new Map<number, number>();
	/** Bytes of the last mark in hex. */
	mark = "";
	readonly #out = new Uint8Array(448);

	reset(): void {
		this.live.clear();
		this.mark = "";
	}

	visit(type: number, position: number, bytes: Uint8Array, start: number, byteLength: number): void {
		if (byteLength < 0 || start < 0 || start + byteLength > bytes.length)
			throw new Error(`visit of ${byteLength} bytes`);
		if (type === 3) this.mark = toHex(bytes, start, start + byteLength);
		else if (byteLength < 4) return;
		else if (type === BEGIN) this.live.set(readU32(bytes, start), position);
		else if (type === END) this.live.delete(readU32(bytes, start));
	}

	isLive(type: number, position: number, bytes: Uint8Array, start: number): boolean {
		return type === BEGIN && this.live.get(readU32(bytes, start)) === position;
	}

	moved(from: number, to: number): void {
		for (const [id, position] of this.live) if (position === from) this.live.set(id, to);
	}

	begin(journal: Journal, id: number, payload: Uint8Array, byteLength: number): void {
		writeU32(payload, 0, id);
		this.live.set(id, journal.append(BEGIN, payload, byteLength));
	}

	end(journal: Journal, id: number): void {
		const payload = new Uint8Array(4);
		writeU32(payload, 0, id);
		journal.append(END, payload);
		this.live.delete(id);
	}

	/**
	 * Between `beginCarry` and `settle`: everything live once more.
	 * @param owed - only what is among these must be readable; all by default
	 */
	carry(journal: Journal, owed?: ReadonlyMap<number, string>): void {
		for (const id of [...this.live.keys()]) {
			let byteLength: number;
			try {
				byteLength = journal.read(this.live.get(id)!, this.#out);
			} catch (error) {
				if (!(error instanceof CodedError) || owed === undefined || owed.has(id)) throw error;
				this.live.delete(id);
				continue;
			}
			this.live.set(id, journal.append(BEGIN, this.#out, byteLength));
		}
	}

	/** Id → hex of its record, read anew: of all that is live, or of those asked for. */
	contents(journal: Journal, ids: Iterable<number> = this.live.keys()): Map<number, string> {
		const contents = new Map<number, string>();
		for (const id of ids) {
			const position = this.live.get(id);
			if (position === undefined) continue;
			contents.set(id, toHex(this.#out, 0, journal.read(position, this.#out)));
		}
		return contents;
	}
}
