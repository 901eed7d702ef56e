/**
 * What the flash must hold: everything that was acknowledged, and what a pinned boot has handed out. One operation at
 * most is open, the one that power cut off: it may have happened or not, a boot that is never pinned may see it either
 * way each time, and the first pinned boot decides it for good. Everything is compared byte for byte (I7).
 */
import { readU16, toHex } from "../../src/core/bytes";
import { CodedError } from "../../src/core/errors";
import type { Journal } from "../../src/journal/journal";
import { BATCH_AT, type Client, settledBatch, THING_BYTES_MAX } from "./client";
import { Failure } from "./failure";

type Open =
	| { readonly what: "put"; readonly id: number; readonly bytes: Uint8Array }
	| { readonly what: "end"; readonly id: number }
	| { readonly what: "settle"; readonly mark: Uint8Array; readonly batch: number };

const out = new Uint8Array(THING_BYTES_MAX);
const DAMAGED = -1;

export class Model {
	/** Id → bytes of its record. */
	readonly things = new Map<number, Uint8Array>();
	mark: Uint8Array;
	nextId = 1;
	/** New things belong to it. */
	batch = 1;
	marks = 0;
	#open: Open | undefined;

	/** @param mark - bytes given at provisioning */
	constructor(mark: Uint8Array) {
		this.mark = mark;
	}

	clone(): Model {
		const copy = new Model(this.mark);
		for (const [id, bytes] of this.things) copy.things.set(id, bytes);
		copy.nextId = this.nextId;
		copy.batch = this.batch;
		copy.marks = this.marks;
		copy.#open = this.#open;
		return copy;
	}

	/** The operation that was cut, if any. */
	get open(): string {
		const open = this.#open;
		return open === undefined ? "" : open.what === "settle" ? "settle" : `${open.what} ${open.id}`;
	}

	opensPut(id: number, bytes: Uint8Array): void {
		this.#open = { what: "put", id, bytes };
	}

	opensEnd(id: number): void {
		this.#open = { what: "end", id };
	}

	opensSettle(mark: Uint8Array): void {
		this.#open = { what: "settle", mark, batch: settledBatch(mark) };
	}

	/** The open operation has happened, for good. */
	done(): void {
		const open = this.#open;
		this.#open = undefined;
		if (open === undefined) return;
		if (open.what === "put") this.things.set(open.id, open.bytes);
		else if (open.what === "end") this.things.delete(open.id);
		else {
			this.mark = open.mark;
			this.batch = open.batch + 1;
			for (const [id, bytes] of this.things) if (isSettled(bytes, open)) this.things.delete(id);
		}
	}

	/** The open operation was refused: it has not happened. */
	refused(): void {
		this.#open = undefined;
	}

	/**
	 * Compares what a boot has read with what must be there.
	 * @param pinned - what it has read is the truth from now on
	 * @throws {Failure} that names what differs
	 */
	compare(journal: Journal, client: Client, pinned: boolean): void {
		const open = this.#open;
		const happened = open !== undefined && this.#hasHappened(open, journal, client, pinned);
		const { live } = client;
		let expected = 0;
		for (const [id, bytes] of this.things) {
			if (happened) {
				// Compared above, or gone.
				if (open.what === "put" && id === open.id) continue;
				if (open.what === "end" && id === open.id) continue;
				if (open.what === "settle" && isSettled(bytes, open)) continue;
			}
			expected++;
			const position = live.get(id);
			if (position === undefined) throw new Failure("lost", `thing ${id} of ${bytes.length} bytes is lost`);
			const length = read(journal, position);
			// The last fact is provisional until it is pinned: a boot block that was torn may read as whole in the mount and
			// not now. Then a pin says "damaged", and the next mount goes by what that block repeated.
			if (length === DAMAGED && !pinned && position === client.lastVisited) continue;
			if (length === DAMAGED) throw new Failure("lost", `thing ${id} at ${position} can not be read`);
			if (!same(bytes, out, length)) throw changed(id, bytes, length);
		}
		if (happened && open.what === "put") expected++;
		if (live.size !== expected) this.#failExtra(client, happened);
		const mark = happened && open.what === "settle" ? open.mark : this.mark;
		if (!same(mark, client.mark, client.mark.length)) {
			throw new Failure("changed", `the mark reads ${toHex(client.mark)}, not ${toHex(mark)}`);
		}
		if (!pinned) return;
		if (happened) this.done();
		this.#open = undefined;
	}

	#hasHappened(open: Open, journal: Journal, client: Client, pinned: boolean): boolean {
		if (open.what === "end") return !client.live.has(open.id) && this.things.has(open.id);
		if (open.what === "settle") return same(open.mark, client.mark, client.mark.length);
		const position = client.live.get(open.id);
		if (position === undefined) return false;
		const length = read(journal, position);
		// Before the pin a torn record may read one way in the mount and another way now.
		if (length === DAMAGED && !pinned) return true;
		if (length === DAMAGED)
			throw new Failure("changed", `thing ${open.id} at ${position} was taken, and can not be read`);
		if (same(open.bytes, out, length)) return true;
		if (!this.things.has(open.id)) throw changed(open.id, open.bytes, length);
		return false; // The version before, which is compared with the others.
	}

	#failExtra(client: Client, happened: boolean): never {
		const open = this.#open;
		const ids: number[] = [];
		for (const id of client.live.keys()) {
			const bytes = this.things.get(id);
			if (open?.what === "put" && open.id === id && happened) continue;
			if (bytes === undefined || (happened && open?.what === "settle" && isSettled(bytes, open))) ids.push(id);
		}
		throw new Failure("resurrected", `things ${ids.join(", ")} are back, or never were acknowledged`);
	}
}

function isSettled(thing: Uint8Array, by: { readonly batch: number }): boolean {
	return readU16(thing, BATCH_AT) <= by.batch;
}

/** Reads into `out`. @returns its length, or DAMAGED */
function read(journal: Journal, position: number): number {
	try {
		return journal.read(position, out);
	} catch (error) {
		if (!(error instanceof CodedError) || error.code !== "damaged") throw error;
		return DAMAGED;
	}
}

function changed(id: number, bytes: Uint8Array, length: number): Failure {
	return new Failure("changed", `thing ${id} reads ${toHex(out, 0, length)}, not ${toHex(bytes)}`);
}

function same(a: Uint8Array, b: Uint8Array, byteLength: number): boolean {
	if (a.length !== byteLength) return false;
	for (let i = 0; i < byteLength; i++) if (a[i] !== b[i]) return false;
	return true;
}
