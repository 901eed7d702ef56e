/**
 * AES-DUKPT behind the seam: each exchange has keys of its own, named by its transaction counter.
 *
 * Counters are reserved in chunks of 64 before they are used (I4): the state that is written is the one after the whole
 * chunk, and only when it is durable does the chunk begin, from memory. A boot goes on from what is stored, so a cut
 * loses at most 63 counters and repeats none; and what lies in flash derives no key that was ever used.
 *
 * Ring: an answer may come late, so the keys of an exchange stay when it is over, until their place is needed. There are
 * as many places as exchanges may be open at a time: the window, a sale, and one that nobody foresaw. Those that are
 * over go first, the oldest first; only when none is over does the oldest of those open go.
 * Source: ANSI X9.24-3:2017, §6.1, §6.3; PROTOCOL.md, "Security of messages".
 * @module
 */
import { assert } from "../core/assert";
import { checkRange, writeU32 } from "../core/bytes";
import { CodedError } from "../core/errors";
import type { KeyStore, RandomSource } from "../ports";
import { Aes } from "./aes";
import { equalSecret } from "./constant-time";
import {
	COUNTER_BYTES,
	checkState,
	DUKPT_KEY_BYTES,
	DUKPT_STATE_BYTES_MAX,
	DukptRegisters,
	KEY_ID_BYTES,
	nextCounter,
	stateCounter,
	USAGE_MAC_GENERATION,
	USAGE_MAC_VERIFICATION,
	USAGE_PIN,
} from "./dukpt";
import type { KeyScheme } from "./key-scheme";
import { MAC_BYTES } from "./mac";
import { encryptPinBlock4, PIN_BLOCK_4_BYTES } from "./pin-block";

/** Counters reserved at a time. */
export const DUKPT_CHUNK = 64;
/** Exchanges whose keys are in memory. */
export const DUKPT_RING = 18;

/** Keys in a place of the ring. */
const PIN_KEY = 0;
const MAC_KEY = 1;
const VERIFICATION_KEY = 2;
const PLACE_BYTES = 3 * DUKPT_KEY_BYTES;

const PLACE = "security DUKPT";

export class DukptScheme implements KeyScheme {
	readonly pinBlockBytes = PIN_BLOCK_4_BYTES;
	readonly #keys: KeyStore;
	readonly #random: RandomSource;
	readonly #aes = new Aes();
	/** What is left of the reserved chunk; empty before the first exchange after boot. */
	readonly #registers = new DukptRegisters();
	/** The counter that is not reserved any more, as stored; 0: none comes after the chunk. */
	#limit = 0;
	readonly #state = new Uint8Array(DUKPT_STATE_BYTES_MAX);
	readonly #ring = new Uint8Array(DUKPT_RING * PLACE_BYTES);
	/** Of each place; 0: it is empty. */
	readonly #tickets = new Uint32Array(DUKPT_RING);
	/** Of each place: 1 while its exchange is open. */
	readonly #opened = new Uint8Array(DUKPT_RING);
	/** The place named last, or −1. */
	#used = -1;
	/** DE 53: initial key id, then the counter of the ticket in use. */
	readonly #control = new Uint8Array(KEY_ID_BYTES + COUNTER_BYTES);
	readonly #key = new Uint8Array(DUKPT_KEY_BYTES);
	readonly #expected = new Uint8Array(MAC_BYTES);

	/** @param random - fills PIN blocks */
	constructor(keys: KeyStore, random: RandomSource) {
		this.#keys = keys;
		this.#random = random;
	}

	provisioned(): boolean {
		return this.#registers.counter !== 0 || this.storedCounter() >= 0;
	}

	/** False also at the end of the key's life: a new initial key has to be loaded. */
	ready(): boolean {
		return this.#registers.counter !== 0 || this.storedCounter() > 0;
	}

	/** A sign-on brings no keys. @throws {CodedError} "format" when it does */
	install(block: Uint8Array): void {
		if (block.length !== 0) throw new CodedError("format", "security key block");
	}

	/** The rest of the chunk is given up with the keys of all exchanges; counters go on behind it. */
	forget(): void {
		this.#registers.wipe();
		this.wipeRing();
	}

	/**
	 * Takes the next transaction counter, which is the ticket. Each DUKPT_CHUNK times it writes to the key store.
	 * @throws {CodedError} "unprovisioned" | "damaged"; "overflow" at the end of the key's life; what the key store throws
	 */
	open(): number {
		if (this.#registers.counter === 0) this.reserve();
		const registers = this.#registers;
		const ticket = registers.counter;
		const place = this.freePlace();
		const offset = place * PLACE_BYTES;
		registers.workingKey(USAGE_PIN, this.#ring, offset + PIN_KEY * DUKPT_KEY_BYTES);
		registers.workingKey(USAGE_MAC_GENERATION, this.#ring, offset + MAC_KEY * DUKPT_KEY_BYTES);
		registers.workingKey(USAGE_MAC_VERIFICATION, this.#ring, offset + VERIFICATION_KEY * DUKPT_KEY_BYTES);
		if (this.#used === place) this.#used = -1;
		this.#tickets[place] = ticket;
		this.#opened[place] = 1;
		registers.advance();
		if (registers.counter === this.#limit) registers.wipe();
		return ticket;
	}

	use(ticket: number): boolean {
		this.#used = this.placeOf(ticket);
		return this.#used >= 0;
	}

	/** The keys stay until their place in the ring is needed. */
	close(ticket: number): void {
		const place = this.placeOf(ticket);
		if (place >= 0) this.#opened[place] = 0;
	}

	mac(bytes: Uint8Array, start: number, end: number, out: Uint8Array, outOffset: number): void {
		this.cmac(MAC_KEY, bytes, start, end, out, outOffset);
	}

	verify(bytes: Uint8Array, start: number, end: number, macOffset: number): boolean {
		checkRange(bytes, macOffset, MAC_BYTES, "security MAC");
		const expected = this.#expected;
		this.cmac(VERIFICATION_KEY, bytes, start, end, expected, 0);
		const same = equalSecret(expected, 0, bytes, macOffset, MAC_BYTES);
		expected.fill(0);
		return same;
	}

	pinBlock(pin: Uint8Array, pan: string, out: Uint8Array): void {
		try {
			encryptPinBlock4(pin, pan, this.need(PIN_KEY), this.#aes, this.#random, out, 0);
		} finally {
			this.#key.fill(0);
		}
	}

	/** Initial key id 8, transaction counter 4: the host derives the same keys from them, with a PIN or without. */
	securityControl(): Uint8Array {
		assert(this.#used >= 0, "keys are named by a ticket before they are used");
		writeU32(this.#control, KEY_ID_BYTES, this.#tickets[this.#used]);
		return this.#control;
	}

	/** Makes the next chunk ours: durable first, then in memory. On an error nothing is reserved. */
	private reserve(): void {
		const state = this.#state;
		const registers = this.#registers;
		let reserved = false;
		try {
			const byteLength = this.#keys.read("DUKPT", state);
			if (byteLength === 0) throw new CodedError("unprovisioned", PLACE);
			registers.readState(state, byteLength);
			if (registers.counter === 0) throw new CodedError("overflow", PLACE, "end of the initial key's life");
			let limit = registers.counter;
			for (let n = 0; n < DUKPT_CHUNK && limit !== 0; n++) limit = nextCounter(limit);
			const nextByteLength = registers.writeState(limit, state);
			this.#keys.write("DUKPT", state.subarray(0, nextByteLength));
			this.#limit = limit;
			reserved = true;
		} finally {
			state.fill(0);
			if (!reserved) registers.wipe();
		}
		this.adoptKeyId();
	}

	/** Counters of another initial key begin anew: tickets of the one before would name its keys. */
	private adoptKeyId(): void {
		const control = this.#control;
		const fresh = this.#key;
		this.#registers.copyKeyId(fresh, 0);
		let same = true;
		for (let i = 0; i < KEY_ID_BYTES; i++) if (control[i] !== fresh[i]) same = false;
		if (!same) this.wipeRing();
		for (let i = 0; i < KEY_ID_BYTES; i++) control[i] = fresh[i];
		fresh.fill(0);
	}

	/** @returns the counter of the stored state, 0 when its keys are used up, −1 when there is none that can be used */
	private storedCounter(): number {
		const state = this.#state;
		try {
			const byteLength = this.#keys.read("DUKPT", state);
			if (byteLength === 0) return -1;
			checkState(state, byteLength);
			return stateCounter(state);
		} catch (error) {
			if (error instanceof CodedError && error.code === "damaged") return -1;
			throw error;
		} finally {
			state.fill(0);
		}
	}

	/** An empty place, else of those whose exchange is over the oldest, else the oldest of all. */
	private freePlace(): number {
		const tickets = this.#tickets;
		const opened = this.#opened;
		let best = 0;
		for (let place = 0; place < DUKPT_RING; place++) {
			if (tickets[place] === 0) return place;
			const older = tickets[place] < tickets[best];
			if (opened[place] < opened[best] || (opened[place] === opened[best] && older)) best = place;
		}
		return best;
	}

	/** @returns −1 when its keys are gone, and for 0, which is nobody's ticket */
	private placeOf(ticket: number): number {
		return ticket === 0 ? -1 : this.#tickets.indexOf(ticket);
	}

	/** A key of the ticket in use, copied into the private buffer. @throws {CodedError} "unprovisioned" */
	private need(which: number): Uint8Array {
		if (this.#used < 0 && !this.provisioned()) throw new CodedError("unprovisioned", PLACE);
		assert(this.#used >= 0, "keys are named by a ticket before they are used");
		const offset = this.#used * PLACE_BYTES + which * DUKPT_KEY_BYTES;
		for (let i = 0; i < DUKPT_KEY_BYTES; i++) this.#key[i] = this.#ring[offset + i];
		return this.#key;
	}

	private cmac(which: number, bytes: Uint8Array, start: number, end: number, out: Uint8Array, outOffset: number): void {
		try {
			this.#aes.cmac(this.need(which), bytes, start, end, out, outOffset, MAC_BYTES);
		} finally {
			this.#key.fill(0);
		}
	}

	private wipeRing(): void {
		this.#ring.fill(0);
		this.#tickets.fill(0);
		this.#opened.fill(0);
		this.#used = -1;
	}
}
