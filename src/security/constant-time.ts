/**
 * Comparison of secrets and of codes that an attacker may try to guess byte by byte: it reads every byte of both, and
 * takes the same time wherever they differ.
 *
 * Invariant: nothing in the loop depends on a difference found so far: no branch, no early return. An engine that
 * interprets, as XS does, runs what is written here.
 * @module
 */
import { checkRange } from "../core/bytes";

/**
 * @returns whether the `byteLength` bytes at `a[aOffset]` and at `b[bOffset]` are the same
 * @throws {CodedError} "length" when they are not inside; the lengths are no secret
 */
export function equalSecret(
	a: Uint8Array,
	aOffset: number,
	b: Uint8Array,
	bOffset: number,
	byteLength: number,
): boolean {
	checkRange(a, aOffset, byteLength, "comparison");
	checkRange(b, bOffset, byteLength, "comparison");
	let difference = 0;
	for (let i = 0; i < byteLength; i++) difference |= a[aOffset + i] ^ b[bOffset + i];
	return difference === 0;
}

/** True when all of `bytes[start, end)` are zero; looks at every one of them. */
export function isZero(bytes: Uint8Array, start: number, end: number): boolean {
	let any = 0;
	for (let i = start; i < end; i++) any |= bytes[i];
	return any === 0;
}
