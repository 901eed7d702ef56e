/**
 * One boot of a board: its journal, and each thing that can be done with it, with the model told before and after.
 * What a power cut interrupts so stays open in the model, and what has returned is acknowledged.
 */

import type { SeededRandom } from "../../host-sim/board/seeded-random";
import { readU16, readU32, writeU16, writeU32 } from "../../src/core/bytes";
import { CodedError } from "../../src/core/errors";
import { recordBytes } from "../../src/journal/format";
import type { Journal } from "../../src/journal/journal";
import type { Board } from "./board";
import { BATCH_AT, Client, END, END_BYTES_MIN, MARK_BYTES_MIN, PUT, THING_BYTES_MAX, THING_BYTES_MIN } from "./client";
import { Failure } from "./failure";
import type { History } from "./history";

/** The longest record that ends a thing. */
export const END_BYTES_MAX = 24;
/** A thing of the greatest length, and its record's own bytes. */
const PUT_ROOM_BYTES = 500;
const PIN_TRIES_MAX = 40;
/** Fewer blocks are accepted by the journal, and promise no room at every moment (its DESIGN.md, rule 11). */
const BLOCKS_PROMISED = 10;

const OK: readonly string[] = ["ok"];

const payload = new Uint8Array(THING_BYTES_MAX);
const carried = new Uint8Array(THING_BYTES_MAX);

export class Session {
	readonly board: Board;
	readonly journal: Journal;
	readonly client = new Client();
	readonly #history: History;
	readonly #random: SeededRandom; // Content and length of what is written.
	/** Has the journal said that there is room for the next put? */
	#prepared = false;

	constructor(history: History, board: Board, random: SeededRandom) {
		this.#history = history;
		this.#random = random;
		this.board = board;
		this.journal = history.make(board.partitions[0], this.client, board.partitions[1]);
		history.counts.boots++;
	}

	/** Mounts and compares. @param expected - the answers that are right */
	mount(expected: readonly string[] = OK): void {
		const history = this.#history;
		history.phase = "mount";
		const found = this.journal.mount();
		if (history.story !== undefined) {
			const { freeBlocks, logBlocks } = this.journal;
			const { size } = this.client.live;
			history.story(`  mounts: ${found.status}, ${size} things, ${logBlocks} blocks of log, ${freeBlocks} free`);
		}
		if (!expected.includes(found.status)) throw new Failure("unmountable", `mount answers ${found.status}`);
		history.model.compare(this.journal, this.client, false);
		if (found.lostBlocks > 0) throw new Failure("lost", `mount misses ${found.lostBlocks} blocks`);
		if (found.damagedRecords > 0) {
			throw new Failure("changed", `mount finds ${found.damagedRecords} damaged places, and nothing was damaged`);
		}
		if (this.board.cut.operations > 0) throw new Failure("other", "a mount changes flash");
	}

	/** What this boot has read is the truth from now on. */
	pin(): void {
		const history = this.#history;
		for (let tries = 0; ; tries++) {
			history.phase = "pin";
			try {
				this.journal.pin();
				break;
			} catch (error) {
				// The last record read one way in the mount and another in pin: mount again, as a restart does.
				if (!(error instanceof CodedError) || error.code !== "damaged" || tries === PIN_TRIES_MAX) throw error;
				this.mount();
			}
		}
		this.compare();
		history.story?.(`  pinned, ${this.journal.freeBlocks} blocks free`);
		history.phase = "work";
	}

	/** After the pin: everything is exactly as acknowledged. */
	compare(): void {
		this.#history.model.compare(this.journal, this.client, true);
	}

	/**
	 * Is there room for one thing of any length, and for all that is live to end (I8)? Asked before anything new.
	 * Nothing may be erased in the put that follows.
	 */
	prepare(): boolean {
		const room = PUT_ROOM_BYTES + this.client.live.size * recordBytes(END_BYTES_MAX, this.#history.geometry.writeAlign);
		this.#prepared = this.journal.prepare(room);
		if (!this.#prepared) this.#history.counts.refusals++;
		this.#history.story?.(`  prepare: ${this.#prepared ? "there is room" : "refused"}`);
		return this.#prepared;
	}

	/** A new thing, or a new version of one. @returns its id */
	put(byteLength: number, id = this.#history.model.nextId++): number {
		const { model, story, counts } = this.#history;
		const { journal } = this;
		const bytes = payload.slice(0, Math.max(THING_BYTES_MIN, byteLength));
		this.#random.fill(bytes);
		writeU32(bytes, 0, id);
		writeU16(bytes, BATCH_AT, model.batch);
		story?.(`  put ${id}, ${bytes.length} bytes`);
		const erases = journal.erasesUnprepared;
		model.opensPut(id, bytes);
		this.client.put(id, model.batch, journal.append(PUT, bytes));
		model.done();
		counts.appends++;
		if (this.#prepared && !this.#history.damaged && journal.erasesUnprepared !== erases) {
			throw new Failure("other", "an erase in a prepared append");
		}
		this.#prepared = false;
		return id;
	}

	/** @returns false when a small ring has no room for that now */
	end(id: number, byteLength = END_BYTES_MIN): boolean {
		const { model, story, counts } = this.#history;
		story?.(`  end ${id}`);
		payload.fill(0x5a, 0, byteLength);
		writeU32(payload, 0, id);
		model.opensEnd(id);
		if (!this.#hasRoom(() => this.journal.append(END, payload, byteLength))) return false;
		this.client.end(id);
		model.done();
		counts.appends++;
		return true;
	}

	/**
	 * Settles everything; what is still needed is carried forward.
	 * @param keep - is this thing still needed?	 */
	settle(keep: (id: number) => boolean): boolean {
		const history = this.#history;
		const { model } = history;
		const mark = new Uint8Array(MARK_BYTES_MIN + this.#random.below(20));
		this.#random.fill(mark);
		writeU32(mark, 0, ++model.marks);
		writeU16(mark, 4, model.batch);
		history.story?.(`  settles batch ${model.batch}`);
		return this.#hasRoom(() => {
			this.journal.beginCarry();
			for (const [id, bytes] of [...model.things]) {
				// What a settlement that was cut has carried lies before this one's beginning, and is not settled by it.
				if (keep(id) || readU16(bytes, BATCH_AT) > model.batch) this.#carry(id);
			}
			model.opensSettle(mark);
			this.journal.settle(mark);
			this.client.settle(mark);
			model.done();
		});
	}

	#carry(id: number): void {
		const { model, story } = this.#history;
		const { journal, client } = this;
		const length = journal.read(client.live.get(id) ?? -1, carried);
		const bytes = carried.slice(0, length);
		if (readU32(bytes, 0) !== id) throw new Failure("changed", `thing ${id} reads as thing ${readU32(bytes, 0)}`);
		writeU16(bytes, BATCH_AT, model.batch + 1);
		story?.(`  carries ${id}`);
		model.opensPut(id, bytes);
		client.put(id, model.batch + 1, journal.append(PUT, bytes));
		model.done();
	}

	idle(): boolean {
		this.#history.story?.("  idle");
		return this.journal.idle();
	}

	/** What is under way must find room to end (I8). */
	#hasRoom(work: () => void): boolean {
		const { model, geometry, counts, story } = this.#history;
		try {
			work();
			return true;
		} catch (error) {
			if (!(error instanceof CodedError) || error.code !== "full") throw error;
			story?.("  full");
			if (geometry.blocks >= BLOCKS_PROMISED)
				throw new Failure("other", "stranded: what is under way has no room (I8)");
			model.refused();
			counts.stranded++;
			return false;
		}
	}
}
