/**
 * BER-TLV as chip cards use it: walked over without copying, never past the end. Constructed values are not entered.
 * Source: EMV 4.3 Book 3, Annex B; ISO/IEC 8825-1.
 * @module
 */
import { toHex } from "../core/bytes";

/** Of a tag in the longest form EMV has. */
const TAG_BYTES_MAX = 3;

export interface TlvItem {
	/** Upper-case hex, "9F26". */
	readonly tag: string;
	/** Of the value in the bytes given. */
	readonly offset: number;
	readonly byteLength: number;
}

export interface TlvResult {
	readonly items: readonly TlvItem[];
	/** Where it stops being TLV; undefined when all of it is. */
	readonly badOffset: number | undefined;
}

/** The tags of `bytes`, in order, as far as they are tags. */
export function readTlv(bytes: Uint8Array): TlvResult {
	const items: TlvItem[] = [];
	let at = 0;
	while (at < bytes.length) {
		const start = at;
		const tagBytes = tagLength(bytes, at);
		if (tagBytes === 0) return { items, badOffset: start };
		at += tagBytes;
		let byteLength = bytes[at++]; // Undefined at the end compares false below.
		if (byteLength >= 0x80) {
			// 0x81 and 0x82 announce one and two bytes of length; others do not occur in a field of 255 bytes.
			const more = byteLength - 0x80;
			if (more < 1 || more > 2 || at + more > bytes.length) return { items, badOffset: start };
			byteLength = more === 1 ? bytes[at] : (bytes[at] << 8) | bytes[at + 1];
			at += more;
		}
		if (!(at + byteLength <= bytes.length)) return { items, badOffset: start };
		items.push({ tag: toHex(bytes, start, start + tagBytes), offset: at, byteLength });
		at += byteLength;
	}
	return { items, badOffset: undefined };
}

/** Bytes of the tag at `offset`; 0 when there is none. */
function tagLength(bytes: Uint8Array, offset: number): number {
	const first = bytes[offset];
	if (first === 0 || first === 0xff) return 0; // Padding between tags; EMV data in a message has none.
	if ((first & 0x1f) !== 0x1f) return 1;
	for (let length = 2; length <= TAG_BYTES_MAX; length++) {
		const next = bytes[offset + length - 1];
		if (next === undefined) return 0;
		if ((next & 0x80) === 0) return length;
	}
	return 0;
}
