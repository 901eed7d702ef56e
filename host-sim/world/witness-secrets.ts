/**
 * Looks for secrets in whatever a terminal lets out of its hands (I9): cheaply in each line, screen and slip, and once
 * in a while in all of its flash: card numbers and tracks as text and as packed digits, PIN blocks and keys as bytes.
 *
 * Sound: what is looked for is long enough that ciphertext does not hold it by chance, and numbers that may be shown
 * (terminal, merchant, the ends of a card number) are not looked for. The firmware's own words are never repeated in a
 * finding: it says which secret and where.
 * @module
 */
import { fromHex, toHex } from "../../src/core/bytes";
import type { KeyName, KeyStore } from "../../src/ports";
import { KEY_BYTES_MAX } from "../../src/ports";
import type { FlashMedium } from "../board/flash-medium";
import type { TestCard } from "../test-cards";

/** Digits of a card number in a row that give it away in a text: at least four of them are never shown. */
const TEXT_DIGITS = 10;
const SHOWN_FIRST = 6;
const SHOWN_LAST = 4;
const HIDDEN_MIN = 4;
/** Characters of a number that a garbled frame may change. */
const NOISE_DIGITS = 3;
/** The same in flash, where ciphertext lies beside it: 56 bits. */
const FLASH_DIGITS = 14;
/** Bytes of a key or a PIN block. */
const PART_BYTES = 8;
/** Of the firmware's keys those that are never derived; the registers of DUKPT are looked for as they are stored. */
const KEY_NAMES: readonly KeyName[] = ["TMK", "HAK", "STORE", "DUKPT"];
/** CRC, key id and counter before the registers: everybody may see them. */
const DUKPT_HEADER_BYTES = 16;
/** PIN blocks remembered. */
const BLOCKS_MAX = 256;

/** A row of bytes; `mask` clears nibbles that do not count. */
interface Pattern {
	readonly name: string;
	readonly bytes: Uint8Array;
	/** The first and the last byte count by half only: digits at the odd nibble. */
	readonly odd: boolean;
}

export class SecretSearch {
	readonly #keys: KeyStore;
	readonly #cards: readonly TestCard[];
	/** Ten characters each. */
	readonly #texts = new Map<string, string>();
	readonly #blocks: Uint8Array[] = [];

	/** @param shown - texts that may be seen by anybody, also garbled ones, e.g. the merchant's number */
	constructor(cards: readonly TestCard[], keys: KeyStore, shown: readonly string[]) {
		this.#cards = cards;
		this.#keys = keys;
		const add = (text: string, name: string): void => {
			if (!shown.some((other) => isNear(text, other))) this.#texts.set(text, name);
		};
		for (const { name, pan, track2 } of cards) {
			for (const digits of windows(pan, TEXT_DIGITS)) add(digits, `card number of ${name}`);
			if (track2 !== undefined)
				add(track2.slice(track2.indexOf("D"), track2.indexOf("D") + TEXT_DIGITS), `track 2 of ${name}`);
		}
		for (const { name, bytes } of this.#keyParts()) {
			const hex = toHex(bytes).toUpperCase().slice(0, TEXT_DIGITS);
			add(hex, name);
			add(hex.toLowerCase(), name);
		}
	}

	/** @returns which secret a text holds, never the secret; undefined: none */
	inText(text: string): string | undefined {
		// A row of ten covers one place in ten: between those nothing has to be looked at.
		for (let at = TEXT_DIGITS - 1; at < text.length; at += TEXT_DIGITS) {
			if (!isHexDigit(text, at)) continue;
			let from = at;
			while (from > 0 && isHexDigit(text, from - 1)) from--;
			while (at + 1 < text.length && isHexDigit(text, at + 1)) at++;
			for (; from + TEXT_DIGITS <= at + 1; from++) {
				const found = this.#texts.get(text.slice(from, from + TEXT_DIGITS));
				if (found !== undefined) return found;
			}
		}
		return undefined;
	}

	/** An enciphered PIN block leaves: from now on it may be nowhere in flash. */
	pinBlock(bytes: Uint8Array): void {
		if (this.#blocks.length < BLOCKS_MAX) this.#blocks.push(bytes.slice());
	}

	/** @returns what was found in the silicon, and where; nothing when it holds no secret */
	inFlash(media: readonly FlashMedium[]): string[] {
		const patterns = this.#patterns();
		// By the first byte that counts whole, and the next: the chain of patterns that begin so.
		const first = new Int16Array(0x1_0000).fill(-1);
		const next = new Int16Array(patterns.length).fill(-1);
		for (let n = 0; n < patterns.length; n++) {
			const { bytes, odd } = patterns[n];
			const key = odd ? (bytes[1] << 8) | bytes[2] : (bytes[0] << 8) | bytes[1];
			next[n] = first[key];
			first[key] = n;
		}
		const found: string[] = [];
		for (let copy = 0; copy < media.length; copy++) {
			const { image } = media[copy];
			for (let at = 0; at + 1 < image.length; at++) {
				for (let n = first[(image[at] << 8) | image[at + 1]]; n >= 0; n = next[n]) {
					if (matches(image, at, patterns[n])) found.push(`${patterns[n].name} in copy ${copy} +${at}`);
				}
			}
		}
		return found;
	}

	#patterns(): Pattern[] {
		const patterns: Pattern[] = [];
		const add = (name: string, bytes: Uint8Array, odd = false): void => {
			patterns.push({ name, bytes, odd });
		};
		const addDigits = (name: string, digits: string): void => {
			add(name, asciiOf(digits));
			const even = digits.length % 2 === 0;
			add(name, fromHex(even ? digits : `${digits.slice(0, -1)}`));
			// Shifted by half a byte: what stands beside the first and the last digit is somebody else's.
			add(name, fromHex(even ? `0${digits}0` : `0${digits}`), true);
		};
		for (const { name, pan, track2, pin } of this.#cards) {
			for (const digits of windows(pan, FLASH_DIGITS)) addDigits(`card number of ${name}`, digits);
			if (pin !== undefined) add(`PIN of ${name}`, clearPinBlock(pin, pan));
			if (track2 === undefined) continue;
			const tail = track2.slice(track2.indexOf("D"));
			add(`track 2 of ${name}`, asciiOf(tail));
			add(`track 2 of ${name}`, asciiOf(tail.replace("D", "=")));
			if (tail.length % 2 === 0) add(`track 2 of ${name}`, fromHex(tail));
			else {
				add(`track 2 of ${name}`, fromHex(`${tail.slice(0, -1)}`));
				add(`track 2 of ${name}`, fromHex(`0${tail}`), true);
			}
		}
		for (const { name, bytes } of this.#keyParts()) add(name, bytes);
		for (const bytes of this.#blocks) add("a PIN block", bytes);
		return patterns;
	}

	/** Eight bytes each, of what the key store holds now. */
	#keyParts(): { name: string; bytes: Uint8Array }[] {
		const parts: { name: string; bytes: Uint8Array }[] = [];
		const key = new Uint8Array(KEY_BYTES_MAX);
		for (const name of KEY_NAMES) {
			const byteLength = this.#keys.read(name, key);
			for (let at = name === "DUKPT" ? DUKPT_HEADER_BYTES : 0; at + PART_BYTES <= byteLength; at += PART_BYTES) {
				const bytes = key.slice(at, at + PART_BYTES);
				// Empty registers are no secrets.
				const zeros = bytes.reduce((count, byte) => (byte === 0 ? count + 1 : count), 0);
				if (zeros < 2) parts.push({ name: `key ${name}`, bytes });
			}
		}
		return parts;
	}
}

/** Rows of `count` digits of a card number that hold at least four that are never shown. */
function windows(pan: string, count: number): string[] {
	const rows: string[] = [];
	for (let at = 0; at + count <= pan.length; at++) {
		const hidden = Math.min(at + count, pan.length - SHOWN_LAST) - Math.max(at, SHOWN_FIRST);
		if (hidden >= HIDDEN_MIN) rows.push(pan.slice(at, at + count));
	}
	return rows;
}

/** Digits, and the separator of a track among the letters. */
function isHexDigit(text: string, at: number): boolean {
	const code = text.charCodeAt(at);
	return (code >= 48 && code <= 57) || (code >= 65 && code <= 70) || (code >= 97 && code <= 102);
}

/** True when a few changed characters make `text` a part of `other`: noise on a line may do that. */
function isNear(text: string, other: string): boolean {
	for (let start = 0; start + text.length <= other.length; start++) {
		let different = 0;
		for (let i = 0; i < text.length; i++) if (text[i] !== other[start + i]) different++;
		if (different <= NOISE_DIGITS) return true;
	}
	return false;
}

/** Source: ISO 9564-1:2017, §9.3.2, format 0. */
function clearPinBlock(pin: string, pan: string): Uint8Array {
	const block = fromHex(`0${pin.length.toString(16)}${pin}`.padEnd(2 * PART_BYTES, "f"));
	const account = fromHex(pan.slice(-13, -1).padStart(2 * PART_BYTES, "0"));
	for (let i = 0; i < PART_BYTES; i++) block[i] ^= account[i];
	return block;
}

function matches(image: Uint8Array, at: number, { bytes, odd }: Pattern): boolean {
	const start = odd ? at - 1 : at;
	if (start < 0 || start + bytes.length > image.length) return false;
	const last = bytes.length - 1;
	for (let i = 0; i <= last; i++) {
		const mask = !odd ? 0xff : i === 0 ? 0x0f : i === last ? 0xf0 : 0xff;
		if (((image[start + i] ^ bytes[i]) & mask) !== 0) return false;
	}
	return true;
}

function asciiOf(text: string): Uint8Array {
	const bytes = new Uint8Array(text.length);
	for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
	return bytes;
}
