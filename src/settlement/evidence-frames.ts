/**
 * Frames on their way into the evidence ring: masked and tagged at once, as the frame itself is kept nowhere, then held
 * in bounded memory until there is time to write. What does not fit is counted and never awaited: evidence holds up no
 * sale, and no error of it reaches one.
 * @module
 */
import { assert } from "../core/assert";
import { readU16, writeU16 } from "../core/bytes";
import { CodedError } from "../core/errors";
import { MessageDecoder } from "../iso8583/decoder";
import type { Dialect } from "../iso8583/dialect";
import { renderMasked } from "../iso8583/mask";
import type { Clock } from "../ports";
import { FRAME_ID_BYTES, FRAME_TAG_BYTES, type FrameTags } from "../security/device-key-frames";
import type { Chain } from "./chain";
import { CHECKPOINT_BYTES, type ChainHead } from "./chain-links";
import type { EvidenceRing } from "./evidence-ring";
import {
	ANCHOR_BYTES,
	ENTRY_HEAD_BYTES,
	encodeAnchor,
	encodeFrame,
	FRAME_CLEAR_BYTES,
	FrameFlag,
	LINE_BYTES_MAX,
	newFrameFacts,
	RingType,
	utf8Bytes,
	writeUtf8,
} from "./evidence-ring-format";

const QUEUE_BYTES = 6_144;
const HEAD_BYTES = 3;
/** Nonce 8; of a request also its id 16. */
const SUBJECT_AT: Readonly<Record<string, number>> = { "402": 8, "403": 24, "404": 24, "407": 24 };

export interface EvidenceFramesOptions {
	readonly ring: EvidenceRing;
	readonly tags: FrameTags;
	readonly dialect: Dialect;
	readonly clock: Clock;
}

export class EvidenceFrames {
	readonly #o: EvidenceFramesOptions;
	readonly #decoder: MessageDecoder;
	/** Payloads one behind the other, each behind its length and type; what is written moves the rest to the front. */
	readonly #queue = new Uint8Array(QUEUE_BYTES);
	#queued = 0;
	readonly #id = new Uint8Array(FRAME_ID_BYTES);
	readonly #tag = new Uint8Array(FRAME_TAG_BYTES);
	readonly #facts = newFrameFacts();
	/** Since the last one that was taken. */
	#lost = 0;
	/** Not recorded since boot: for the status. */
	lostTotal = 0;

	constructor(options: EvidenceFramesOptions) {
		this.#o = options;
		this.#decoder = new MessageDecoder(options.dialect);
	}

	/**
	 * Takes a frame that was sent or received; borrowed. After what the frame is for is under way: 11 blocks of SHA-256
	 * and one decoding.
	 */
	capture(direction: "sent" | "received", frame: Uint8Array, byteLength: number): void {
		if (this.#o.ring.broken) return;
		try {
			this.take(direction, frame, byteLength);
		} catch (error) {
			// The key store fails, or holds no seed: the terminal sells on, and the gap is in the evidence.
			if (!(error instanceof CodedError)) throw error;
			this.drop();
		} finally {
			this.#decoder.clear();
		}
	}

	/**
	 * The host has acknowledged a head, in a verified answer.
	 * @param head - as Chain.headUpTo gave it for the request
	 * @param code - DE 60.3 of the request
	 * @param hostTime - YYYYMMDDhhmmss of the answer, 14 zeros when it told none
	 * @throws {CodedError} "length" | "charset" for a time that is none
	 */
	anchored(chain: Chain, head: ChainHead, code: number, hostTime: string): void {
		if (this.#o.ring.broken) return;
		if (!this.room(ANCHOR_BYTES)) {
			this.drop();
			return;
		}
		const heads = new Uint8Array(CHECKPOINT_BYTES);
		head.write(heads, 0);
		const { mark } = chain;
		const anchor = { mark, id: head.id, timeMs: this.#o.clock.now(), code, hostTime, heads };
		encodeAnchor(this.#queue, this.#queued + HEAD_BYTES, anchor);
		this.push(RingType.anchor, ANCHOR_BYTES);
	}

	/** Something waits to be written. */
	get waiting(): boolean {
		return this.#queued > 0;
	}

	/** Writes what needs no erase: a page program an entry. For a pause as short as waiting for the host. */
	flush(): void {
		const { ring } = this.#o;
		while (this.#queued > 0) {
			const payloadBytes = readU16(this.#queue, 0);
			if (!ring.hasRoom(payloadBytes)) return;
			const type = this.#queue[2];
			const { entry } = ring;
			for (let i = 0; i < payloadBytes; i++) entry[ENTRY_HEAD_BYTES + i] = this.#queue[HEAD_BYTES + i];
			if (!ring.append(type, payloadBytes)) return; // A block that failed: after the next erase.
			this.#queue.copyWithin(0, HEAD_BYTES + payloadBytes, this.#queued);
			this.#queued -= HEAD_BYTES + payloadBytes;
		}
	}

	/** For when nothing else is to be done: writes what waits, and erases a block ahead. @returns true when it did erase */
	idle(): boolean {
		this.flush();
		const erased = this.#o.ring.idle(this.waiting);
		this.flush();
		return erased;
	}

	private take(direction: "sent" | "received", frame: Uint8Array, byteLength: number): void {
		const facts = this.#facts;
		const line = this.decode(frame, byteLength);
		const lineBytes = Math.min(LINE_BYTES_MAX, utf8Bytes(line));
		if (!this.room(FRAME_CLEAR_BYTES + lineBytes)) {
			this.drop();
			return;
		}
		this.#o.tags.tag(frame, byteLength, this.#id, this.#tag);
		const at = this.#queued + HEAD_BYTES;
		const written = writeUtf8(this.#queue, at + FRAME_CLEAR_BYTES, LINE_BYTES_MAX, line);
		facts.flags = direction === "received" ? FrameFlag.received : 0;
		if (utf8Bytes(line) > written) facts.flags |= FrameFlag.cut;
		facts.lost = this.#lost;
		facts.timeMs = this.#o.clock.now();
		facts.frameBytes = byteLength;
		encodeFrame(this.#queue, at, this.#id, facts, this.#tag);
		this.#lost = 0;
		this.push(RingType.frame, FRAME_CLEAR_BYTES + written);
	}

	/** The masked line, and whose frame it is. Of what cannot be decoded nothing is shown: it may hold anything. */
	private decode(frame: Uint8Array, byteLength: number): string {
		const decoder = this.#decoder;
		const facts = this.#facts;
		facts.batch = 0;
		facts.stan = 0;
		facts.subjectBatch = 0;
		facts.subjectStan = 0;
		try {
			decoder.decode(frame, byteLength);
		} catch (error) {
			if (!(error instanceof CodedError)) throw error;
			return "";
		}
		if (decoder.has(11)) facts.stan = decoder.number(11);
		if (decoder.has(60) && decoder.count(60) >= 8) facts.batch = decoder.numberAt(60, 2, 6);
		if (decoder.has(61) && decoder.count(61) >= 12) {
			facts.subjectBatch = decoder.numberAt(61, 0, 6);
			facts.subjectStan = decoder.numberAt(61, 6, 6);
		} else if (decoder.mti === "0300" && decoder.has(62) && decoder.has(60) && decoder.count(60) >= 11) {
			this.subjectOfSync(decoder.bytes(62), SUBJECT_AT[decoder.text(60).slice(8, 11)]);
		}
		return renderMasked(decoder);
	}

	private subjectOfSync(data: Uint8Array, at: number | undefined): void {
		if (at === undefined || data.length < at + 6) return;
		this.#facts.subjectBatch = packed(data, at);
		this.#facts.subjectStan = packed(data, at + 3);
	}

	private room(payloadBytes: number): boolean {
		return this.#queued + HEAD_BYTES + payloadBytes <= QUEUE_BYTES;
	}

	private push(type: number, payloadBytes: number): void {
		writeU16(this.#queue, this.#queued, payloadBytes);
		this.#queue[this.#queued + 2] = type;
		this.#queued += HEAD_BYTES + payloadBytes;
		assert(this.#queued <= QUEUE_BYTES, "I10 the queue of frames has room");
	}

	private drop(): void {
		this.#lost++;
		this.lostTotal++;
	}
}

/** Six digits of BCD; what is no digit counts as it comes: it is a key to search by, nothing more. */
function packed(bytes: Uint8Array, at: number): number {
	let value = 0;
	for (let i = at; i < at + 3; i++) value = value * 100 + (bytes[i] >> 4) * 10 + (bytes[i] & 15);
	return value;
}
