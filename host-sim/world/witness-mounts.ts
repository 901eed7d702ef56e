/**
 * Whole mounts of a terminal's flash by a second log, which has nothing in common with the terminal's but the silicon: what
 * a boot would find if power went now.
 *
 * Marginal cells read all as 0 or all as 1 in one mount: any reading is one that the firmware must be able to bear.
 * @module
 */
import { AssertionError, assert } from "../../src/core/assert";
import { CodedError } from "../../src/core/errors";
import type { FlashPartition, FlashStatus, KeyStore } from "../../src/ports";
import { CardSeal } from "../../src/security/card-seal";
import { isSpent, stateName } from "../../src/transactions/states";
import { TransactionLog } from "../../src/transactions/transaction-log";
import type { FlashMedium } from "../board/flash-medium";
import type { SeededRandom } from "../board/seeded-random";
import type { Facts } from "./witness-flash";

/** Shorter reads are copied byte by byte: a view costs more. */
const SHORT_READ_BYTES = 32;

/** A partition over silicon that only reads. */
export class ReadOnlyFlash implements FlashPartition {
	/** How marginal cells read: 0, or 0xff. */
	mood = 0;
	readonly #medium: FlashMedium;

	constructor(medium: FlashMedium) {
		this.#medium = medium;
	}

	status(): FlashStatus {
		const { size, blockLength, blocks, writeAlign } = this.#medium;
		return { size, blockLength, blocks, writeAlign, eraseValue: 0xff };
	}

	read(byteLength: number, byteOffset: number): ArrayBuffer;
	read(buffer: Uint8Array, byteOffset: number): number;
	read(target: number | Uint8Array, byteOffset: number): ArrayBuffer | number {
		if (typeof target === "number") {
			const bytes = new Uint8Array(target);
			this.#read(bytes, byteOffset);
			return bytes.buffer;
		}
		this.#read(target, byteOffset);
		return target.length;
	}

	write(): void {
		assert(false, "I7 a mount writes nothing");
	}

	eraseBlock(): void {
		assert(false, "I7 a mount erases nothing");
	}

	close(): void {}

	#read(buffer: Uint8Array, offset: number): void {
		const { image, marginal, partitionFault, blockLength } = this.#medium;
		if (partitionFault !== undefined) {
			buffer.fill(0xff);
			return;
		}
		const { length } = buffer;
		if (length <= SHORT_READ_BYTES) for (let i = 0; i < length; i++) buffer[i] = image[offset + i];
		else buffer.set(image.subarray(offset, offset + length));
		if (marginal.size === 0) return;
		for (const [block, { mask, from, to }] of marginal) {
			const base = block * blockLength;
			const end = Math.min(offset + length, base + to);
			for (let at = Math.max(offset, base + from); at < end; at++) {
				const bits = mask[at - base];
				buffer[at - offset] = (buffer[at - offset] & ~bits) | (this.mood & bits);
			}
		}
	}
}

/** True when the sealed card of a transaction opens, and is this one. */
function opensAs(log: TransactionLog, id: number, pan: string): boolean {
	try {
		return log.card(id).pan === pan;
	} catch (error) {
		if (!(error instanceof CodedError)) throw error;
		return false;
	}
}

export class WitnessMounts {
	readonly #fail: (invariant: string, text: string) => void;
	readonly #random: SeededRandom;
	readonly #views: readonly ReadOnlyFlash[];
	readonly #log: TransactionLog;

	/** @param keys - only read */
	constructor(
		media: readonly FlashMedium[],
		transactionsMax: number,
		keys: KeyStore,
		random: SeededRandom,
		fail: (invariant: string, text: string) => void,
	) {
		this.#fail = fail;
		this.#random = random;
		this.#views = media.map((medium) => new ReadOnlyFlash(medium));
		const [journal, mirror] = this.#views;
		this.#log = new TransactionLog(journal, transactionsMax, new CardSeal(keys), mirror);
	}

	/**
	 * One transaction is there, and in one of these states.
	 * @param pan - whose sealed card it has to be; default: nobody looks
	 */
	one(facts: Facts, where: string, states: readonly number[], invariant: string, pan?: string): void {
		const log = this.#mount();
		if (log === undefined) return;
		const { index } = log;
		const slot = index.findByStan(facts.batch, facts.stan);
		if (slot < 0) this.#fail(invariant, `${where}: a mount finds nothing of it`);
		else if (!states.includes(index.states[slot])) {
			this.#fail(invariant, `${where}: a mount finds it ${stateName(index.states[slot])}`);
		} else if (index.amount(slot) !== facts.amountMinor)
			this.#fail(invariant, `${where}: a mount finds another amount`);
		else if (pan !== undefined && !opensAs(log, index.ids[slot], pan)) {
			this.#fail(invariant, `${where}: a mount finds another card`);
		}
	}

	/** What the terminal holds in memory, flash holds as well, and no more than that is open (I7). */
	all(terminalLog: TransactionLog): void {
		if (!terminalLog.journal.pinned) return;
		const log = this.#mount();
		if (log === undefined) return;
		const there = log.index;
		const here = terminalLog.index;
		if (log.batch !== terminalLog.batch) this.#fail("I7", `a mount finds batch ${log.batch}, not ${terminalLog.batch}`);
		for (let slot = 0; slot < here.count; slot++) {
			const state = here.states[slot];
			const found = there.find(here.ids[slot]);
			const stan = here.stans[slot];
			if (found < 0) {
				if (!isSpent(state)) this.#fail("I7", `stan=${stan}: a mount finds nothing of it`);
			} else if (there.states[found] !== state || there.stans[found] !== stan) {
				this.#fail("I7", `stan=${stan}: a mount finds it ${stateName(there.states[found])}, not ${stateName(state)}`);
			}
		}
		for (let slot = 0; slot < there.count; slot++) {
			const state = there.states[slot];
			if (here.find(there.ids[slot]) >= 0 || isSpent(state)) continue;
			this.#fail("I7", `stan=${there.stans[slot]}: a mount finds it ${stateName(state)}, and nobody knows it`);
		}
	}

	#mount(): TransactionLog | undefined {
		const mood = this.#random.chance(1, 2) ? 0 : 0xff;
		for (const view of this.#views) view.mood = mood;
		try {
			const { status } = this.#log.mount();
			if (status === "ok" || status === "rebuilt") return this.#log;
			this.#fail("I7", `flash mounts as ${status}`);
		} catch (error) {
			// An assertion is ours as well: a mount that writes, or a log that makes no sense.
			if (!(error instanceof CodedError) && !(error instanceof AssertionError)) throw error;
			this.#fail("I7", `flash does not mount: ${error.message}`);
		}
		return undefined;
	}
}
