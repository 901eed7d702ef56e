/**
 * How an evidence pack makes bytes of numbers and texts, and what is computed over them.
 * Source: src/settlement/EVIDENCE.md, "Chain"; FIPS 180-4; RFC 2104.
 * @module
 */
import { createHash, createHmac } from "node:crypto";
import type { PackValue } from "./verify-json";

/** A big-endian number. */
export function u(value: PackValue | undefined, byteLength: number): Buffer {
	const bytes = Buffer.alloc(byteLength);
	bytes.writeUIntBE(value as number, 0, byteLength);
	return bytes;
}

/** Two digits a byte; behind an odd count stands a zero. */
export function bcd(value: PackValue | undefined): Buffer {
	const text = String(value);
	return Buffer.from(text.length % 2 === 0 ? text : `${text}0`, "hex");
}

/** ASCII with spaces behind it; a text that is absent is one of spaces. */
export function padded(value: PackValue | undefined, byteLength: number): Buffer {
	return Buffer.from(String(value ?? "").padEnd(byteLength, " "), "latin1");
}

/** SHA-256 over all parts, in hex. */
export function hashed(...parts: readonly (Uint8Array | readonly number[])[]): string {
	return sha256(Buffer.concat(parts.map((part) => Buffer.from(part)))).toString("hex");
}

export function sha256(bytes: Uint8Array): Buffer {
	return createHash("sha256").update(bytes).digest();
}

export function hmac(key: Uint8Array, bytes: Uint8Array): Buffer {
	return createHmac("sha256", key).update(bytes).digest();
}
