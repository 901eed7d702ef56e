/**
 * The host's side of the working keys: MAC as the terminal computes it, and the PIN out of its block, which only a
 * host may do. Errors say neither PIN nor key (I9).
 * Source of the block: ISO 9564-1:2017, §9.3.2, format 0.
 * @module
 */
/// <reference path="../../src/security/des-js.d.ts" />
import des from "des.js";
import { fromHex } from "../../src/core/bytes";
import { CodedError } from "../../src/core/errors";
import type { Dialect } from "../../src/iso8583/dialect";
import type { KeyName, KeyStore } from "../../src/ports";
import { WorkingKeyScheme } from "../../src/security/key-scheme";

const PIN_BLOCK_BYTES = 8;
/** Place of the errors of {@link HostKeys.decryptPin}: they are answered with a code of their own. */
export const PIN_BLOCK_PLACE = "PIN block";

export class HostKeys {
	readonly #scheme: WorkingKeyScheme;
	readonly #pik: Uint8Array;

	/** @param table - hex by name; PIK of 16 bytes and MAK are needed. @throws {CodedError} "length" | "charset" */
	constructor(table: Readonly<Partial<Record<KeyName, string>>>, dialect: Dialect) {
		const keys: KeyStore = {
			read(name, out) {
				const key = fromHex(table[name] ?? "", `key ${name}`);
				out.set(key);
				return key.length;
			},
		};
		this.#scheme = new WorkingKeyScheme(keys, dialect.mac);
		this.#pik = fromHex(table.PIK ?? "", "key PIK");
		if (this.#pik.length !== 16 || !this.#scheme.ready()) throw new CodedError("length", "host keys");
	}

	/** Computes and verifies MACs under the MAK. */
	get macs(): WorkingKeyScheme {
		return this.#scheme;
	}

	/**
	 * @param block - 8 bytes, DE 52
	 * @returns the digits as typed
	 * @throws {CodedError} "format" when no PIN of 4–12 digits for this card comes out of it
	 */
	decryptPin(block: Uint8Array, pan: string): string {
		if (block.length !== PIN_BLOCK_BYTES || pan.length < 13) throw new CodedError("format", PIN_BLOCK_PLACE);
		const clear = block.slice();
		// Two-key triple DES backwards: D(K1), E(K2), D(K1).
		this.#des("decrypt", 0, clear);
		this.#des("encrypt", 8, clear);
		this.#des("decrypt", 0, clear);
		for (let i = 0; i < 12; i++) {
			const digit = pan.charCodeAt(pan.length - 13 + i) - 48;
			clear[2 + (i >> 1)] ^= (i & 1) === 0 ? digit << 4 : digit;
		}
		const digits = clear[0];
		if (digits < 4 || digits > 12) throw new CodedError("format", PIN_BLOCK_PLACE);
		let pin = "";
		for (let i = 0; i < 14; i++) {
			const nibble = (i & 1) === 0 ? clear[1 + (i >> 1)] >> 4 : clear[1 + (i >> 1)] & 15;
			if (i < digits ? nibble > 9 : nibble !== 15) throw new CodedError("format", PIN_BLOCK_PLACE);
			if (i < digits) pin += String.fromCharCode(48 + nibble);
		}
		return pin;
	}

	#des(type: "encrypt" | "decrypt", keyOffset: number, block: Uint8Array): void {
		const cipher = des.DES.create({ type, key: this.#pik.subarray(keyOffset, keyOffset + 8) });
		cipher._update(block, 0, block, 0);
	}
}
