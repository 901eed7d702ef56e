/**
 * DE 62 of the sync messages, byte for byte: requests read, answers written. Numbers are BCD unless said.
 * Source: PROTOCOL.md, "Sync messages"; test/vectors/unionpay.json, sync-*.
 * @module
 */
import { readBcd, writeBcd, writeBcdText } from "../../src/core/bcd";
import { toHex, writeAscii } from "../../src/core/bytes";
import { CodedError } from "../../src/core/errors";
import { AMOUNT_MINOR_MAX } from "../../src/core/money";
import type { BatchDigest, HostEntry, Sum } from "./batch-view";
import type { RequestAnswer } from "./desk";
import { hostStamp } from "./host-time";

/** Begins every request and every answer. */
export const NONCE_BYTES = 8;
export const ENTRY_BYTES = 24;
/** Entries of one page. */
export const PAGE_ENTRIES_MAX = 40;

/** 60.3. */
export const SyncCode = {
	list: "401",
	transaction: "402",
	claim: "403",
	adjustment: "404",
	requestState: "405",
	digest: "406",
	farSide: "407",
} as const;

/** Fields of a request, behind the nonce; each number named where the message has it. */
export interface SyncFields {
	readonly batch: number;
	/** 401: the first one. 402, 403, 404, 407: the transaction. 406: up to it. */
	readonly stan: number;
	/** 401: the last one. */
	readonly toStan: number;
	readonly amountMinor: number;
	/** Hex of 16 bytes. */
	readonly id: string;
	/** Hex of 32 bytes: evidence digest, chain head. */
	readonly digest: string;
}

const ID_BYTES = 16;
const DIGEST_BYTES = 32;
const NUMBER_BYTES = 3;
const AMOUNT_BYTES = 6;
const TIME_BYTES = 6;
const REFERENCE_BYTES = 12;
const SUM_BYTES = 2 + AMOUNT_BYTES;
/** Two bytes. */
const COUNT_MAX = 0xffff;

type Part = "id" | "batch" | "stan" | "toStan" | "amount" | "digest";

/** What each request carries, in this order. */
const PARTS: Readonly<Record<string, readonly Part[]>> = {
	[SyncCode.list]: ["batch", "stan", "toStan"],
	[SyncCode.transaction]: ["batch", "stan"],
	[SyncCode.claim]: ["id", "batch", "stan", "amount", "digest"],
	[SyncCode.adjustment]: ["id", "batch", "stan", "amount", "digest"],
	[SyncCode.requestState]: ["id"],
	[SyncCode.digest]: ["batch", "stan", "digest"],
	[SyncCode.farSide]: ["id", "batch", "stan"],
};

const PART_BYTES: Readonly<Record<Part, number>> = {
	id: ID_BYTES,
	batch: NUMBER_BYTES,
	stan: NUMBER_BYTES,
	toStan: NUMBER_BYTES,
	amount: AMOUNT_BYTES,
	digest: DIGEST_BYTES,
};

/** True for a sync message that this host knows. */
export function isSyncCode(code: string): boolean {
	return PARTS[code] !== undefined;
}

/**
 * @param bytes - DE 62
 * @throws {CodedError} "length" | "charset": to be answered 30
 */
export function readSync(code: string, bytes: Uint8Array): SyncFields {
	const parts = PARTS[code];
	const length = parts.reduce((sum, part) => sum + PART_BYTES[part], NONCE_BYTES);
	if (bytes.length !== length) throw new CodedError("length", "DE 62", `${bytes.length} bytes of ${length}`);
	const fields = { batch: 0, stan: 0, toStan: 0, amountMinor: 0, id: "", digest: "" };
	let at = NONCE_BYTES;
	for (const part of parts) {
		const end = at + PART_BYTES[part];
		if (part === "id" || part === "digest") fields[part] = toHex(bytes, at, end);
		else fields[part === "amount" ? "amountMinor" : part] = readBcd(bytes, at, end - at, `DE 62 ${part}`);
		at = end;
	}
	return fields;
}

/** 401: count 1 binary, more 1, entries. */
export function writePage(entries: readonly HostEntry[], more: boolean): Uint8Array {
	const bytes = new Uint8Array(2 + ENTRY_BYTES * entries.length);
	bytes[0] = entries.length;
	bytes[1] = more ? 1 : 0;
	for (const [place, entry] of entries.entries()) writeEntry(bytes, 2 + ENTRY_BYTES * place, entry);
	return bytes;
}

/** 402: found 1, entry, recorded at 6, posted at 6; zeros where nobody has heard of it. */
export function writeTransaction(entry: HostEntry | undefined): Uint8Array {
	const bytes = new Uint8Array(1 + ENTRY_BYTES + 2 * TIME_BYTES);
	if (entry === undefined) return bytes;
	bytes[0] = 1;
	writeEntry(bytes, 1, entry);
	writeTime(bytes, 1 + ENTRY_BYTES, entry.recordedAt);
	writeTime(bytes, 1 + ENTRY_BYTES + TIME_BYTES, entry.postedAt);
	return bytes;
}

/** 403, 404, 405, 407: reference 12 ASCII, state 1, reason 1, expected by 6. */
export function writeRequest({ reference, state, reason, expectedAt }: RequestAnswer): Uint8Array {
	const bytes = new Uint8Array(REFERENCE_BYTES + 2 + TIME_BYTES);
	writeAscii(bytes, 0, reference, "reference");
	bytes[REFERENCE_BYTES] = state;
	bytes[REFERENCE_BYTES + 1] = reason;
	writeTime(bytes, REFERENCE_BYTES + 2, expectedAt);
	return bytes;
}

/** False for counts and sums with more digits than an answer has: none of them is ever clipped. */
export function fitsDigest({ recorded, posted, pending, refused }: BatchDigest): boolean {
	return [recorded, posted, pending, refused].every(
		({ count, sumMinor }) => count <= COUNT_MAX && sumMinor <= AMOUNT_MINOR_MAX,
	);
}

/** 406: SHA-256 32, then [count 2 binary, sum 6] for recorded, posted, pending, refused. */
export function writeDigest({ digest, recorded, posted, pending, refused }: BatchDigest): Uint8Array {
	const sums: readonly Sum[] = [recorded, posted, pending, refused];
	const bytes = new Uint8Array(DIGEST_BYTES + sums.length * SUM_BYTES);
	bytes.set(digest);
	for (const [place, { count, sumMinor }] of sums.entries()) {
		const at = DIGEST_BYTES + place * SUM_BYTES;
		bytes[at] = count >> 8;
		bytes[at + 1] = count;
		writeBcd(bytes, at + 2, sumMinor, 2 * AMOUNT_BYTES, "digest sum");
	}
	return bytes;
}

/** 24 bytes. */
function writeEntry(bytes: Uint8Array, offset: number, entry: HostEntry): void {
	writeBcd(bytes, offset, entry.stan, 2 * NUMBER_BYTES, "entry STAN");
	bytes[offset + 3] = entry.kind;
	writeBcd(bytes, offset + 4, entry.amountMinor, 2 * AMOUNT_BYTES, "entry amount");
	bytes[offset + 10] = entry.flags;
	bytes[offset + 11] = entry.reason;
	writeAscii(bytes, offset + 12, entry.rrn, "entry RRN");
}

/** YYMMDDhhmmss; zeros for 0. */
function writeTime(bytes: Uint8Array, offset: number, at: number): void {
	if (at > 0) writeBcdText(bytes, offset, hostStamp(at), "time");
}
