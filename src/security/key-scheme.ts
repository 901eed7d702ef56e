/**
 * The seam between messages and keys: code outside security/ asks for a MAC or a PIN block and never sees a key byte.
 * Another scheme is one more class.
 *
 * A ticket stands for the keys of one exchange. Whoever sends takes one (`open`), names it before each operation
 * (`use`), also when the answer comes, and gives it back (`close`): an answer is verified under the keys its request
 * was sent under, whatever has happened since.
 *
 * WorkingKeyScheme: MAK and PIK as a sign-on brings them, wrapped under the terminal master key. They live in memory
 * only, in private buffers; the master key is read for one sign-on and wiped after it, also when it fails.
 * Source: the card network's terminal specification as publicly described (sign-on, DE 62); test/vectors/unionpay.json.
 * @module
 */
import { assert } from "../core/assert";
import { checkRange } from "../core/bytes";
import { CodedError } from "../core/errors";
import type { KeyStore } from "../ports";
import { equalSecret, isZero } from "./constant-time";
import { DES_BLOCK_BYTES, desEncryptBlock, isStrongDesKey, tdesDecryptBlock, tdesEncryptBlock } from "./des";
import type { MacAlgorithm, MacName } from "./mac";
import { createMac, MAC_BYTES } from "./mac";
import { encryptPinBlock, PIN_BLOCK_BYTES } from "./pin-block";

export interface KeyScheme {
	/** True when what a technician loads is there: nothing can be signed on or sold without. */
	provisioned(): boolean;
	/** True when every key that a sale may need is there. */
	ready(): boolean;
	/**
	 * Takes what a sign-on brings. On an error nothing has changed.
	 * @param block - DE 62 of the answer, empty when absent; borrowed
	 * @throws {CodedError} "auth" wrong check value, or a key that is none; "length" | "format"; "unprovisioned"
	 */
	install(block: Uint8Array): void;
	/** Keys that live in memory are gone: the terminal has signed off. Nothing durable changes. */
	forget(): void;
	/** Takes the keys of one exchange. @returns a ticket, at least 1. @throws {CodedError} see the class */
	open(): number;
	/**
	 * What follows is under the keys of this ticket, until another is named.
	 * @returns false when they are gone; what follows then fails
	 */
	use(ticket: number): boolean;
	/** The exchange is over. A late answer may still be verified for a while: `use` says. */
	close(ticket: number): void;
	/**
	 * MAC over `bytes[start, end)` into 8 bytes at `out[outOffset]`, for a message of ours.
	 * @throws {CodedError} "unprovisioned" without any keys; "length" when they are not inside their bytes
	 */
	mac(bytes: Uint8Array, start: number, end: number, out: Uint8Array, outOffset: number): void;
	/**
	 * Compares in constant time the MAC of a message of the host over `bytes[start, end)` with the 8 bytes at
	 * `bytes[macOffset]`.
	 * @throws {CodedError} "unprovisioned" without any keys; "length" when they are not inside `bytes`
	 */
	verify(bytes: Uint8Array, start: number, end: number, macOffset: number): boolean;
	/** Bytes of DE 52: 8 (format 0) or 16 (format 4). */
	readonly pinBlockBytes: number;
	/**
	 * Enciphered PIN block into the first `pinBlockBytes` of `out`.
	 * @param pin - 4 to 12 ASCII digits, zeroed by the caller
	 * @throws {CodedError} "unprovisioned" | "length" | "charset"; `out` is then untouched
	 */
	pinBlock(pin: Uint8Array, pan: string, out: Uint8Array): void;
	/** DE 53 of a message under the ticket named: digits, or bytes that are borrowed until the next call. */
	securityControl(withPin: boolean): string | Uint8Array | undefined;
}

/** Of a working key, of a wrapped one, and of a check value. */
const KEY_BYTES = 16;
const CHECK_BYTES = 4;
/** DE 62: PIK under TMK, its check value, MAK under TMK, its check value. */
const PIK_CHECK_OFFSET = KEY_BYTES;
const MAK_OFFSET = KEY_BYTES + CHECK_BYTES;
const MAK_CHECK_OFFSET = MAK_OFFSET + KEY_BYTES;
const KEY_BLOCK_BYTES = MAK_CHECK_OFFSET + CHECK_BYTES;
const TMK_BYTES_MAX = 24;

/** DE 53 with a PIN: format 0 under a double-length key. */
const CONTROL_WITH_PIN = "2600000000000000";

/** The keys of one sign-on. */
class WorkingKeys {
	readonly pik = new Uint8Array(KEY_BYTES);
	/** As it came: a single-length one has zeros in its second half. */
	readonly makBlock = new Uint8Array(KEY_BYTES);
	readonly #makShort = this.makBlock.subarray(0, 8);
	#single = false;

	/** The key itself, 8 or 16 bytes. */
	get mak(): Uint8Array {
		return this.#single ? this.#makShort : this.makBlock;
	}

	/** To be called when `makBlock` has been filled. */
	measure(): void {
		this.#single = isZero(this.makBlock, 8, KEY_BYTES);
	}

	copy(from: WorkingKeys): void {
		this.pik.set(from.pik);
		this.makBlock.set(from.makBlock);
		this.measure();
	}

	wipe(): void {
		this.pik.fill(0);
		this.makBlock.fill(0);
	}
}

export class WorkingKeyScheme implements KeyScheme {
	readonly pinBlockBytes = PIN_BLOCK_BYTES;
	readonly #keys: KeyStore;
	readonly #algorithm: MacAlgorithm;
	readonly #tmk = new Uint8Array(TMK_BYTES_MAX);
	/** What a sign-on brings, until all of it has been found right. */
	readonly #incoming = new WorkingKeys();
	/** Index = generation & 1. */
	readonly #sets = [new WorkingKeys(), new WorkingKeys()] as const;
	/** How many sets were installed since boot: the ticket of the present one. */
	#generation = 0;
	/** Sets before this one are gone. */
	#oldest = 1;
	/** The ticket named last; 0: none. */
	#used = 0;
	readonly #check = new Uint8Array(DES_BLOCK_BYTES);
	readonly #expected = new Uint8Array(MAC_BYTES);

	/** @param mac - the name in the dialect */
	constructor(keys: KeyStore, mac: MacName) {
		this.#keys = keys;
		this.#algorithm = createMac(mac);
	}

	provisioned(): boolean {
		try {
			return this.readTmk() > 0;
		} finally {
			this.#tmk.fill(0);
		}
	}

	ready(): boolean {
		return this.#generation >= this.#oldest;
	}

	/**
	 * The present keys become the previous ones, whose answers may still come; the previous ones are wiped.
	 * @param block - 40 bytes: PIK under TMK 16, check value 4, MAK under TMK 16, check value 4. A MAK of single length
	 * has zeros in its second half, before it was wrapped
	 */
	install(block: Uint8Array): void {
		if (block.length !== KEY_BLOCK_BYTES) throw new CodedError("length", "security key block");
		const { pik, makBlock } = this.#incoming;
		try {
			const byteLength = this.readTmk();
			if (byteLength === 0) throw new CodedError("unprovisioned", "security TMK");
			const tmk = this.#tmk.subarray(0, byteLength);
			unwrap(tmk, block, 0, pik);
			unwrap(tmk, block, MAK_OFFSET, makBlock);
			this.#incoming.measure();
			const { mak } = this.#incoming;
			// Both are looked at before either is judged: which one was wrong is not to be had from the time it takes.
			const pikRight = this.checked(pik, block, PIK_CHECK_OFFSET);
			const makRight = this.checked(mak, block, MAK_CHECK_OFFSET);
			if (!pikRight) throw new CodedError("auth", "security PIK", "check value");
			if (!makRight) throw new CodedError("auth", "security MAK", "check value");
			// A right check value only says that the host sent this key: what it sent must be a key as well.
			if (!isStrongDesKey(pik, KEY_BYTES)) throw new CodedError("auth", "security PIK", "no double-length key");
			if (!this.#algorithm.takes(mak, mak.length)) throw new CodedError("auth", "security MAK", "no key of its length");
			this.#generation++;
			this.set(this.#generation).copy(this.#incoming);
			this.#oldest = Math.max(this.#oldest, this.#generation - 1);
			if (this.#used < this.#oldest) this.#used = 0;
		} finally {
			this.#tmk.fill(0);
			this.#incoming.wipe();
		}
	}

	forget(): void {
		for (const set of this.#sets) set.wipe();
		this.#oldest = this.#generation + 1;
		this.#used = 0;
	}

	/** @returns the generation of the keys; several exchanges share it */
	open(): number {
		assert(this.ready(), "an exchange begins when there are keys");
		return this.#generation;
	}

	use(ticket: number): boolean {
		const there = ticket >= this.#oldest && ticket <= this.#generation;
		this.#used = there ? ticket : 0;
		return there;
	}

	/** The keys stay for other exchanges. */
	close(): void {}

	mac(bytes: Uint8Array, start: number, end: number, out: Uint8Array, outOffset: number): void {
		this.#algorithm.compute(this.need("MAK").mak, bytes, start, end, out, outOffset);
	}

	verify(bytes: Uint8Array, start: number, end: number, macOffset: number): boolean {
		checkRange(bytes, macOffset, MAC_BYTES, "security MAC");
		const expected = this.#expected;
		this.mac(bytes, start, end, expected, 0);
		const same = equalSecret(expected, 0, bytes, macOffset, MAC_BYTES);
		expected.fill(0);
		return same;
	}

	pinBlock(pin: Uint8Array, pan: string, out: Uint8Array): void {
		encryptPinBlock(pin, pan, this.need("PIK").pik, out, 0);
	}

	securityControl(withPin: boolean): string | undefined {
		return withPin ? CONTROL_WITH_PIN : undefined;
	}

	/** The keys of the ticket in use. @throws {CodedError} "unprovisioned" */
	private need(name: "MAK" | "PIK"): WorkingKeys {
		if (!this.ready()) throw new CodedError("unprovisioned", `security ${name}`);
		assert(this.#used !== 0, "keys are named by a ticket before they are used");
		return this.set(this.#used);
	}

	private set(generation: number): WorkingKeys {
		return this.#sets[(generation & 1) as 0 | 1];
	}

	/** @returns bytes of the key now in the private buffer, 0 when there is none that can be used */
	private readTmk(): number {
		const byteLength = this.#keys.read("TMK", this.#tmk);
		const usable = byteLength >= KEY_BYTES && isStrongDesKey(this.#tmk, byteLength);
		return usable ? byteLength : 0;
	}

	/** Whether the first bytes of the key's encryption of zeros are those at `block[offset]`. */
	private checked(key: Uint8Array, block: Uint8Array, offset: number): boolean {
		const check = this.#check;
		check.fill(0);
		if (key.length === 8) desEncryptBlock(key, check, 0, check, 0);
		else tdesEncryptBlock(key, check, 0, check, 0);
		const same = equalSecret(check, 0, block, offset, CHECK_BYTES);
		check.fill(0);
		return same;
	}
}

/** 16 bytes at `block[offset]`, block by block. */
function unwrap(tmk: Uint8Array, block: Uint8Array, offset: number, out: Uint8Array): void {
	tdesDecryptBlock(tmk, block, offset, out, 0);
	tdesDecryptBlock(tmk, block, offset + DES_BLOCK_BYTES, out, DES_BLOCK_BYTES);
}
