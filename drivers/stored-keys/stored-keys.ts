/**
 * A key store over ECMA-419 key-value storage ("embedded:storage/key-value"): NVS on an ESP32, in a partition that the
 * chip enciphers (nvs_keys), or the SDK's own storage on other chips.
 *
 * Each key has two slots. A write goes to the slot that is not in use, is read back and compared, and only then is the
 * other deleted: cut at any moment, one whole slot is there, the old one or the new one. What decides between two whole
 * slots is their sequence. Neither is believed without its CRC: the SDK's storage on some chips has none, and begins a
 * replacement by zeroing what was there.
 * The other slot is deleted, not left for later, so that a DUKPT register that was used is gone from the store.
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

	/** @throws {CodedError} "length" when `out` is too short, "state" after close */
	read(name: KeyName, out: Uint8Array): number {
		const io = this.#open(name);
		const [current, other] = this.#slots(io, name);
		if (current === undefined) return 0;
		const length = readU16(current.bytes, 4);
		const fits = length <= out.length;
		for (let i = 0; fits && i < length; i++) out[i] = current.bytes[HEAD_BYTES + i];
		wipe(current, other);
		if (!fits) throw new CodedError("length", `key ${name}`, `room for ${out.length} bytes`);
		return length;
	}

	/**
	 * @throws {CodedError} "length"; "state" after close; "flash" when it did not come to be stored, and what the storage
	 *   throws: the old one stays, unless the storage refuses to take a slot back as well
	 */
	write(name: KeyName, key: Uint8Array): void {
		const io = this.#open(name);
		if (key.length < 1 || key.length > KEY_BYTES_MAX)
			throw new CodedError("length", `key ${name}`, `${key.length} bytes`);
		const [current, other] = this.#slots(io, name);
		wipe(current, other);
		const sequence = (current?.sequence ?? 0) + 1;
		if (sequence > SEQUENCE_MAX) throw new CodedError("full", `key ${name}`, "no more writes");
		const target = current?.name === `${name}.a` ? `${name}.b` : `${name}.a`;
		const bytes = makeSlot(name, sequence, key);
		let stored = false;
		try {
			io.write(target, bytes);
			stored = isStored(io, target, bytes);
		} finally {
			bytes.fill(0);
			if (!stored) io.delete(target); // Not half a key, and none that the next boot might take.
		}
		if (!stored) throw new CodedError("flash", `key ${name}`, "is not what was written");
		if (current !== undefined) io.delete(current.name);
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

	/** The slot in use, and the other when it is whole too: a write was cut before it deleted the old one. */
	#slots(io: KeyValueIo, name: KeyName): [Slot | undefined, Slot | undefined] {
		const a = readSlot(io, name, `${name}.a`);
		const b = readSlot(io, name, `${name}.b`);
		if (a === undefined || b === undefined) return [a ?? b, undefined];
		const [current, other] = a.sequence > b.sequence ? [a, b] : [b, a];
		io.delete(other.name);
		return [current, other];
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

function wipe(current: Slot | undefined, other: Slot | undefined): void {
	current?.bytes.fill(0);
	other?.bytes.fill(0);
}
