/**
 * Keys by chance: odd parity, none of the weak and semi-weak ones, halves that differ.
 * Source: NIST SP 800-67 rev. 2, §3.1 (parity), §3.3.2 (weak keys).
 * @module
 */
import { toHex } from "../../src/core/bytes";
import type { IntegerSource } from "./random";

/** 4 weak and 12 semi-weak keys of DES. */
const WEAK = [
	...["0101010101010101", "FEFEFEFEFEFEFEFE", "E0E0E0E0F1F1F1F1", "1F1F1F1F0E0E0E0E"],
	...["01FE01FE01FE01FE", "FE01FE01FE01FE01", "1FE01FE00EF10EF1", "E01FE01FF10EF10E"],
	...["01E001E001F101F1", "E001E001F101F101", "1FFE1FFE0EFE0EFE", "FE1FFE1FFE0EFE0E"],
	...["011F011F010E010E", "1F011F010E010E01", "E0FEE0FEF1FEF1FE", "FEE0FEE0FEF1FEF1"],
];

/** The byte with its lowest bit set so that the count of ones is odd. */
function oddParity(byte: number): number {
	let ones = 0;
	for (let bit = 1; bit < 8; bit++) ones += (byte >> bit) & 1;
	return (byte & 0xfe) | (ones % 2 === 0 ? 1 : 0);
}

/** @returns a new key of `byteLength` bytes */
export function drawDesKey(random: IntegerSource, byteLength: 8 | 16): Uint8Array {
	const key = new Uint8Array(byteLength);
	do {
		for (let i = 0; i < byteLength; i++) key[i] = oddParity(random.below(256));
	} while (isWeakDesKey(key));
	return key;
}

/** True for a key that must not be used: a weak half, or two equal halves, which would be single DES. */
export function isWeakDesKey(key: Uint8Array): boolean {
	const halves = [toHex(key, 0, 8)];
	if (key.length === 16) halves.push(toHex(key, 8, 16));
	if (halves.length === 2 && halves[0] === halves[1]) return true;
	return halves.some((half) => WEAK.includes(half));
}
