/**
 * Reads frames and anchors out of the ring for a pack, one at a time, in the order they were written. A frame belongs to
 * a pack by its own key, by the transaction it is about, or as the answer to a request that does.
 * @module
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { FRAME_ID_BYTES, FRAME_TAG_BYTES } from "../security/device-key-frames";
import type { EvidenceRing, RingPlace } from "./evidence-ring";
import {
	type Anchor,
	decodeAnchor,
	decodeFrame,
	ENTRY_HEAD_BYTES,
	FRAME_CLEAR_BYTES,
	newFrameFacts,
	RingType,
} from "./evidence-ring-format";

/** Keys that a pack follows: its own, and those of requests about them. */
const KEYS_MAX = 64;

/** Which frames are wanted. */
export type FrameChoice =
	| { readonly fromMs: number; readonly toMs: number }
	/** [batch, STAN] of what the pack is about. */
	| { readonly keys: readonly (readonly [number, number])[] };

export class EvidenceFrameReader {
	readonly facts = newFrameFacts();
	readonly id = new Uint8Array(FRAME_ID_BYTES);
	readonly tag = new Uint8Array(FRAME_TAG_BYTES);
	/** SHA-256 of the line's bytes. */
	readonly digest = new Uint8Array(32);
	line = "";
	readonly #ring: EvidenceRing;
	readonly #choice: FrameChoice;
	readonly #place: RingPlace;
	readonly #keys: (readonly [number, number])[];

	constructor(ring: EvidenceRing, choice: FrameChoice) {
		this.#ring = ring;
		this.#choice = choice;
		this.#place = ring.begin();
		this.#keys = "keys" in choice ? choice.keys.slice(0, KEYS_MAX) : [];
	}

	/**
	 * One entry of the ring.
	 * @returns "frame": one that belongs to the pack is in the fields above; "other": it was something else
	 */
	next(): "frame" | "other" | "end" {
		const found = this.#ring.read(this.#place);
		if (found === 0) return "end";
		if (found >>> 16 !== RingType.frame) return "other";
		const { entry } = this.#ring;
		decodeFrame(entry, ENTRY_HEAD_BYTES, this.id, this.facts, this.tag);
		if (!this.wanted()) return "other";
		const from = ENTRY_HEAD_BYTES + FRAME_CLEAR_BYTES;
		const end = ENTRY_HEAD_BYTES + (found & 0xffff);
		sha256.create().update(entry.subarray(from, end)).digestInto(this.digest);
		this.line = readUtf8(entry, from, end);
		return "frame";
	}

	private wanted(): boolean {
		const { batch, stan, subjectBatch, subjectStan, timeMs } = this.facts;
		const choice = this.#choice;
		if (!("keys" in choice)) return timeMs >= choice.fromMs && timeMs < choice.toMs;
		if (stan !== 0 && this.follows(batch, stan)) return true;
		if (subjectStan === 0 || !this.follows(subjectBatch, subjectStan)) return false;
		// Its answer has only its own key.
		if (stan !== 0 && this.#keys.length < KEYS_MAX) this.#keys.push([batch, stan]);
		return true;
	}

	private follows(batch: number, stan: number): boolean {
		for (const key of this.#keys) if (key[0] === batch && key[1] === stan) return true;
		return false;
	}
}

/**
 * The anchors behind one mark, of heads from `idMin` to `idMax`, in the order they were told; at most twice `half`: the
 * first ones and the last ones.
 */
export function* readAnchors(
	ring: EvidenceRing,
	mark: number,
	idMin: number,
	idMax: number,
	half: number,
): Generator<undefined, Anchor[], undefined> {
	const anchors: Anchor[] = [];
	const place = ring.begin();
	for (let found = ring.read(place); found !== 0; found = ring.read(place)) {
		if (found >>> 16 !== RingType.anchor) {
			yield;
			continue;
		}
		const anchor = decodeAnchor(ring.entry, ENTRY_HEAD_BYTES);
		if (anchor.mark !== mark || anchor.id < idMin || anchor.id > idMax) continue;
		if (anchors.length === 2 * half) anchors.splice(half, 1);
		anchors.push(anchor);
	}
	return anchors;
}

/** UTF-8 as the ring writes it; what no writer of ours can have written, though its CRC fits, reads as "?". */
function readUtf8(bytes: Uint8Array, start: number, end: number): string {
	let text = "";
	for (let at = start; at < end; ) {
		const first = bytes[at++];
		const more = first < 0xc0 ? 0 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
		let point = more === 0 ? first : first & (0x3f >> more);
		for (let n = 0; n < more && at < end; n++) point = (point << 6) | (bytes[at++] & 0x3f);
		text += point <= 0x10ffff ? String.fromCodePoint(point) : "?";
	}
	return text;
}
