/**
 * A key store over ECMA-419 key-value storage ("embedded:storage/key-value"): NVS on an ESP32, in a partition that the
 * chip enciphers (nvs_keys), or the SDK's own storage on other chips.
 *
 * Each key has three slots. A write goes to one that is not in use, is read back and compared, and only then are the
 * others deleted: cut at any moment, one whole slot is there, the old one or the new one. What decides between whole
 * slots is their sequence. None is believed without its CRC: the SDK's storage on some chips has none, and begins a
 * replacement by zeroing what was there.
 * The other slots are deleted, not left for later, so that a DUKPT register that was used is gone from the store.
 *
 * A write that was cut may read as whole now and not later: its cells are marginal. So where the old slot is still there,
 * nothing is given out before what the newest says has been written once more, to the third slot: the old one stays until
 * then, and no counter comes back that was handed out before.
 *
 *     slot = sequence u32 | length u16 | key | CRC-32C u32 over name and all before     big-endian
 *
 * Source: ECMA-419, 2nd edition, "Key-value storage"; Moddable SDK 8.2, modules/io/storage/{esp32,flash}; ANSI
 * X9.24-3:2017 (used keys are erased).
 * @module
 */
import { equalBytes, readU16, readU32, writeU16, writeU32 } from "../../src/core/bytes";
import { CRC_START, crcFinish, crcUpdate, crcWord } from "../../src/core/crc32c";
import { CodedError } from "../../src/core/errors";
import { KEY_BYTES_MAX, type KeyName, type KeyStore } from "../../src/ports";

/** What is used of a storage. */
export interface KeyValueIo {
	/** @returns undefined when there is none; a zeroed entry is one of any content */
	read(key: string): ArrayBuffer | undefined;
	/** Replaces. @throws on a device error */
	write(key: string, value: Uint8Array): void;
	/** Of one that is not there: nothing. */
	delete(key: string): void;
	close(): void;
}

export interface KeyValueClass {
	open(options: { path: string; mode: "r+"; format: "buffer" }): KeyValueIo;
}

export interface StoredKeysOptions {
	/** The class, and the name of the keys' own domain: of an encrypted partition, by the board's partition table. */
	storage: { io: KeyValueClass; path: string };
}

const HEAD_BYTES = 6;
const CRC_BYTES = 4;
const SLOT_BYTES_MAX = HEAD_BYTES + KEY_BYTES_MAX + CRC_BYTES;
const SLOT_LETTERS = ["a", "b", "c"] as const;
const SEQUENCE_MAX = 0xffff_ffff;

/** A slot that is whole. */
interface Slot {
	readonly name: string;
	readonly sequence: number;
	/** As stored; to be wiped. */
	readonly bytes: Uint8Array;
}

export class StoredKeys implements KeyStore {
	#io: KeyValueIo | undefined;

	/** @throws what the storage throws when there is no such partition */
	constructor(options: StoredKeysOptions) {
		const { io, path } = options.storage;
		this.#io = io.open({ path, mode: "r+", format: "buffer" });
	}

	/** @throws {CodedError} "length" when `out` is too short, "state" after close; "flash" as {@link write} */
	read(name: KeyName, out: Uint8Array): number {
		const io = this.#open(name);
		const slots = wholeSlots(io, name);
		try {
			if (slots.length === 0) return 0;
			const { bytes } = slots[0];
			const length = readU16(bytes, 4);
			if (slots.length > 1) replace(io, name, slots, bytes.subarray(HEAD_BYTES, HEAD_BYTES + length));
			if (length > out.length) throw new CodedError("length", `key ${name}`, `room for ${out.length} bytes`);
			for (let i = 0; i < length; i++) out[i] = bytes[HEAD_BYTES + i];
			return length;
		} finally {
			wipe(slots);
		}
	}

	/**
	 * @throws {CodedError} "length"; "state" after close; "flash" when it did not come to be stored: the old one stays,
	 *   unless the storage refuses to take a slot back as well
	 */
	write(name: KeyName, key: Uint8Array): void {
		const io = this.#open(name);
		if (key.length < 1 || key.length > KEY_BYTES_MAX)
			throw new CodedError("length", `key ${name}`, `${key.length} bytes`);
		const slots = wholeSlots(io, name);
		try {
			replace(io, name, slots, key);
		} finally {
			wipe(slots);
		}
	}

	/** From then on the store is dead. May be called twice. */
	close(): void {
		const io = this.#io;
		this.#io = undefined;
		io?.close();
	}

	#open(name: KeyName): KeyValueIo {
		if (this.#io === undefined) throw new CodedError("state", `key ${name}`, "closed");
		return this.#io;
	}
}

/** The slots that are whole, the newest first. */
function wholeSlots(io: KeyValueIo, name: KeyName): Slot[] {
	const slots: Slot[] = [];
	for (const letter of SLOT_LETTERS) {
		const slot = readSlot(io, name, `${name}.${letter}`);
		if (slot !== undefined) slots.push(slot);
	}
	return slots.sort((a, b) => b.sequence - a.sequence);
}

/**
 * Puts `key` in the place of what `slots` hold.
 * @throws {CodedError} "flash" | "full"; then the slots are as they were, as far as the storage lets them
 */
function replace(io: KeyValueIo, name: KeyName, slots: readonly Slot[], key: Uint8Array): void {
	const sequence = (slots[0]?.sequence ?? 0) + 1;
	if (sequence > SEQUENCE_MAX) throw new CodedError("full", `key ${name}`, "no more writes");
	const taken = slots.map((slot) => slot.name);
	// Where all three are whole, the two newest say the same.
	const free = SLOT_LETTERS.map((letter) => `${name}.${letter}`).find((slot) => !taken.includes(slot));
	const target = free ?? slots[slots.length - 1].name;
	const bytes = makeSlot(name, sequence, key);
	let stored = false;
	let why = "is not what was written";
	try {
		io.write(target, bytes);
		stored = isStored(io, target, bytes);
	} catch {
		why = "the storage refuses"; // In its own words, which differ from platform to platform.
	}
	bytes.fill(0);
	if (!stored) {
		tryDelete(io, target); // Not half a key, and none that the next boot might take.
		throw new CodedError("flash", `key ${name}`, why);
	}
	for (const slot of taken) if (slot !== target) tryDelete(io, slot);
}

/** A slot that stays is an older one, or none at all: the next read puts that right. */
function tryDelete(io: KeyValueIo, slot: string): void {
	try {
		io.delete(slot);
	} catch {
		// Nothing is lost by it.
	}
}

function readSlot(io: KeyValueIo, name: KeyName, slot: string): Slot | undefined {
	const buffer = io.read(slot);
	if (buffer === undefined) return undefined;
	const bytes = new Uint8Array(buffer);
	const { length } = bytes;
	const whole =
		length > HEAD_BYTES + CRC_BYTES &&
		length <= SLOT_BYTES_MAX &&
		readU16(bytes, 4) === length - HEAD_BYTES - CRC_BYTES &&
		readU32(bytes, length - CRC_BYTES) === checkOf(name, bytes);
	if (whole) return { name: slot, sequence: readU32(bytes, 0), bytes };
	bytes.fill(0); // Of a torn slot, too, no copy stays.
	return undefined;
}

function isStored(io: KeyValueIo, slot: string, bytes: Uint8Array): boolean {
	const buffer = io.read(slot);
	if (buffer === undefined) return false;
	const stored = new Uint8Array(buffer);
	const same = equalBytes(stored, bytes);
	stored.fill(0);
	return same;
}

function makeSlot(name: KeyName, sequence: number, key: Uint8Array): Uint8Array {
	const bytes = new Uint8Array(HEAD_BYTES + key.length + CRC_BYTES);
	writeU32(bytes, 0, sequence);
	writeU16(bytes, 4, key.length);
	bytes.set(key, HEAD_BYTES);
	writeU32(bytes, bytes.length - CRC_BYTES, checkOf(name, bytes));
	return bytes;
}

/** Over the name too: a slot that was written for another key is none of this one. */
function checkOf(name: KeyName, bytes: Uint8Array): number {
	let crc = CRC_START;
	for (let i = 0; i < name.length; i++) crc = crcWord(crc, name.charCodeAt(i));
	return crcFinish(crcUpdate(crc, bytes, 0, bytes.length - CRC_BYTES));
}

function wipe(slots: readonly Slot[]): void {
	for (const { bytes } of slots) bytes.fill(0);
}
