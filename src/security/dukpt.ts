/**
 * AES-DUKPT, the terminal's side: 32 registers of keys for transactions to come, from which no key of a past one can be
 * had. AES-128 throughout. Source: ANSI X9.24-3:2017, §6.1 (counter), §6.3 (derivation data), Annex B.6 (terminal).
 *
 * What the standard does step by step ("Update State for next Transaction", "Update Derivation Keys") is here one rule.
 * The key of a counter is derived from the initial key along the counter's one-bits, the highest first, so the keys are
 * the nodes of a tree, and register i holds the node for "counter's bits above i, then bit i". In use, for the counter c
 * that comes next, are exactly: the register of c's lowest one-bit (the key of c itself), and those above it where c has
 * a zero. To go on to a later counter, each register that is in use then is derived from the one that is its ancestor
 * now. Test: the registers of the standard's own example after loading and after two transactions.
 *
 * Invariants: no register is an ancestor of a counter before `counter`; a counter has at most 16 one-bits; the initial
 * key is in no register (counter 0 is nobody's).
 * @module
 */
import { assert } from "../core/assert";
import { readU32, writeU32 } from "../core/bytes";
import { crc32c } from "../core/crc32c";
import { CodedError } from "../core/errors";
import { Aes } from "./aes";

export const DUKPT_KEY_BYTES = 16;
export const KEY_ID_BYTES = 8;
export const COUNTER_BYTES = 4;

/** Key usages of the derivation data (§6.3.2), as the terminal sees them. */
export const USAGE_PIN = 0x1000;
export const USAGE_MAC_GENERATION = 0x2000;
export const USAGE_MAC_VERIFICATION = 0x2001;
const USAGE_KEY_DERIVATION = 0x8000;

const REGISTERS = 32;
/** "MAX_WORK": a host derives a key in at most so many steps. */
const ONE_BITS_MAX = 16;

/** Stored state: CRC-32C of the rest 4, initial key id 8, counter 4, then the registers in use, the lowest first. */
const KEY_ID_OFFSET = 4;
const COUNTER_OFFSET = KEY_ID_OFFSET + KEY_ID_BYTES;
const REGISTERS_OFFSET = COUNTER_OFFSET + COUNTER_BYTES;
export const DUKPT_STATE_BYTES_MAX = REGISTERS_OFFSET + REGISTERS * DUKPT_KEY_BYTES;

const PLACE = "security DUKPT";

/** The counter after this one, by the rule of one-bits. @param counter - 1 to 2^32 − 1. @returns 0: there is none */
export function nextCounter(counter: number): number {
	assert(counter >= 1 && counter <= 0xffffffff, "a counter has 32 bits and is not 0");
	// With all one-bits spent, the next one that has no more of them: carry from the lowest.
	const step = oneBits(counter) < ONE_BITS_MAX ? 1 : lowestBit(counter);
	return (counter + step) >>> 0;
}

export class DukptRegisters {
	readonly #aes = new Aes();
	readonly #keyId = new Uint8Array(KEY_ID_BYTES);
	readonly #registers = new Uint8Array(REGISTERS * DUKPT_KEY_BYTES);
	readonly #key = new Uint8Array(DUKPT_KEY_BYTES);
	readonly #data = new Uint8Array(16);
	#counter = 0;

	/** The counter of the next transaction; 0: there is none, the keys are used up or were never loaded. */
	get counter(): number {
		return this.#counter;
	}

	copyKeyId(out: Uint8Array, outOffset: number): void {
		for (let i = 0; i < KEY_ID_BYTES; i++) out[outOffset + i] = this.#keyId[i];
	}

	/** The registers of an initial key, which itself is not kept. @param initialKey - 16 bytes, borrowed */
	load(initialKey: Uint8Array, keyId: Uint8Array): void {
		assert(initialKey.length === DUKPT_KEY_BYTES && keyId.length === KEY_ID_BYTES, "an initial key and its id");
		this.#keyId.set(keyId);
		for (let at = 0; at < REGISTERS; at++) {
			this.#key.set(initialKey);
			this.derive(USAGE_KEY_DERIVATION, bitOf(at));
			this.#registers.set(this.#key, at * DUKPT_KEY_BYTES);
		}
		this.#counter = 1;
		this.#key.fill(0);
	}

	/** The key of the next transaction for a usage. @param out - 16 bytes at `outOffset` */
	workingKey(usage: number, out: Uint8Array, outOffset: number): void {
		this.node(this.#counter);
		this.derive(usage, this.#counter);
		for (let i = 0; i < DUKPT_KEY_BYTES; i++) out[outOffset + i] = this.#key[i];
		this.#key.fill(0);
	}

	/** The transaction is taken: its key, and whatever it could be derived from, is gone. */
	advance(): void {
		const next = nextCounter(this.#counter);
		// A register's ancestor is the same register or a higher one, so the lowest comes first.
		for (let at = 0; at < REGISTERS; at++) {
			const offset = at * DUKPT_KEY_BYTES;
			if (!inUse(at, next)) {
				this.#registers.fill(0, offset, offset + DUKPT_KEY_BYTES);
				continue;
			}
			const node = nodeOf(at, next);
			if (inUse(at, this.#counter) && nodeOf(at, this.#counter) === node) continue; // Most of them stay.
			this.node(node);
			this.#registers.set(this.#key, offset);
		}
		this.#counter = next;
		this.#key.fill(0);
	}

	/**
	 * The state as it will be when `counter` comes next; nothing changes here.
	 * @param counter - the present one or a later one that the rule allows, or 0
	 * @param out - at least DUKPT_STATE_BYTES_MAX bytes
	 * @returns bytes written
	 */
	writeState(counter: number, out: Uint8Array): number {
		this.copyKeyId(out, KEY_ID_OFFSET);
		writeU32(out, COUNTER_OFFSET, counter);
		let end = REGISTERS_OFFSET;
		for (let at = 0; at < REGISTERS; at++) {
			if (!inUse(at, counter)) continue;
			this.node(nodeOf(at, counter));
			out.set(this.#key, end);
			end += DUKPT_KEY_BYTES;
		}
		this.#key.fill(0);
		writeU32(out, 0, crc32c(out, KEY_ID_OFFSET, end));
		return end;
	}

	/** Takes a stored state. @throws {CodedError} "damaged" for bytes that writeState cannot have written; wiped then */
	readState(bytes: Uint8Array, byteLength: number): void {
		this.wipe();
		checkState(bytes, byteLength);
		const counter = readU32(bytes, COUNTER_OFFSET);
		for (let i = 0; i < KEY_ID_BYTES; i++) this.#keyId[i] = bytes[KEY_ID_OFFSET + i];
		let from = REGISTERS_OFFSET;
		for (let at = 0; at < REGISTERS; at++) {
			if (!inUse(at, counter)) continue;
			const offset = at * DUKPT_KEY_BYTES;
			for (let i = 0; i < DUKPT_KEY_BYTES; i++) this.#registers[offset + i] = bytes[from + i];
			from += DUKPT_KEY_BYTES;
		}
		this.#counter = counter;
	}

	wipe(): void {
		this.#registers.fill(0);
		this.#key.fill(0);
		this.#data.fill(0);
		this.#keyId.fill(0);
		this.#counter = 0;
	}

	/** The derivation key of a counter into #key, from the register that is its ancestor. */
	private node(counter: number): void {
		let done = 0;
		let found = false;
		for (let at = REGISTERS - 1; at >= 0; at--) {
			const bit = bitOf(at);
			if ((counter & bit) === 0) continue;
			done = (done | bit) >>> 0;
			if (found) this.derive(USAGE_KEY_DERIVATION, done);
			else if (inUse(at, this.#counter) && nodeOf(at, this.#counter) === done) {
				const offset = at * DUKPT_KEY_BYTES;
				for (let i = 0; i < DUKPT_KEY_BYTES; i++) this.#key[i] = this.#registers[offset + i];
				found = true;
			}
		}
		assert(found, "I4 a key of the past cannot be derived");
	}

	/** One step from the key in #key to the next (§6.3). */
	private derive(usage: number, counter: number): void {
		const data = this.#data;
		data[0] = 1; // Version.
		data[1] = 1; // First and only block of the key.
		data[2] = usage >>> 8;
		data[3] = usage;
		data[4] = 0;
		data[5] = 2; // AES-128,
		data[6] = 0;
		data[7] = 8 * DUKPT_KEY_BYTES; // of 128 bits.
		for (let i = 0; i < 4; i++) data[8 + i] = this.#keyId[4 + i];
		writeU32(data, 12, counter);
		this.#aes.encryptBlock(this.#key, data, 0, this.#key, 0);
	}
}

/** @throws {CodedError} "damaged" for bytes that {@link DukptRegisters.writeState} cannot have written */
export function checkState(bytes: Uint8Array, byteLength: number): void {
	if (byteLength < REGISTERS_OFFSET || byteLength > DUKPT_STATE_BYTES_MAX) throw new CodedError("damaged", PLACE);
	const counter = readU32(bytes, COUNTER_OFFSET);
	let registers = 0;
	for (let at = 0; at < REGISTERS; at++) if (inUse(at, counter)) registers++;
	const whole = byteLength === REGISTERS_OFFSET + registers * DUKPT_KEY_BYTES;
	const right = whole && readU32(bytes, 0) === crc32c(bytes, KEY_ID_OFFSET, byteLength);
	if (!right || oneBits(counter) > ONE_BITS_MAX) throw new CodedError("damaged", PLACE);
}

/** The counter in a stored state that {@link checkState} has passed; 0: its keys are used up. */
export function stateCounter(bytes: Uint8Array): number {
	return readU32(bytes, COUNTER_OFFSET);
}

/** Whether a stored state, damaged or not, is of this initial key. */
export function isStateOf(bytes: Uint8Array, byteLength: number, keyId: Uint8Array): boolean {
	if (byteLength < KEY_ID_OFFSET + KEY_ID_BYTES) return false;
	for (let i = 0; i < KEY_ID_BYTES; i++) if (bytes[KEY_ID_OFFSET + i] !== keyId[i]) return false;
	return true;
}

/** Whether register `at` holds a key while `counter` comes next. */
function inUse(at: number, counter: number): boolean {
	if (counter === 0) return false;
	const bit = bitOf(at);
	const lowest = lowestBit(counter);
	return bit === lowest || (bit > lowest && (counter & bit) === 0);
}

/** Whose key register `at` holds while `counter` comes next: the bits above, then this one. */
function nodeOf(at: number, counter: number): number {
	const bit = bitOf(at);
	return ((counter & ~((bit << 1) - 1)) | bit) >>> 0;
}

function bitOf(at: number): number {
	return (1 << at) >>> 0;
}

function lowestBit(value: number): number {
	return (value & -value) >>> 0;
}

function oneBits(value: number): number {
	let count = 0;
	for (let rest = value; rest !== 0; rest &= rest - 1) count++;
	return count;
}
