/**
 * The arithmetic of the evidence chain: which bytes of a transaction are linked, and how one head follows from the
 * other. Only what may be published goes in: never sealed bytes, of a card number the first six and last four digits.
 *
 * There are two chains side by side. The one of beginnings is final as soon as an intent is durable; the one of ends
 * holds the state that a transaction has reached, which may change later (a reversal succeeds). So a head that the host
 * was told long ago still proves what was begun, whatever has become of it since.
 * Source: SHA-256, FIPS 180-4; EVIDENCE.md beside this file.
 * @module
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { writeBcdText } from "../core/bcd";
import { equalBytes, writeAscii, writeU16, writeU32 } from "../core/bytes";
import {
	ADVICE_CLEAR_BYTES,
	type AdviceFacts,
	encodeAdvice,
	encodeIntent,
	INTENT_CLEAR_BYTES,
	type Intent,
	type Outcome,
} from "../transactions/records";

export const HASH_BYTES = 32;
/** What a checkpoint takes: both heads. */
export const CHECKPOINT_BYTES = 2 * HASH_BYTES;
const END_BYTES = 33;
/** First byte of what is hashed, so that nothing of one kind can be taken for another. */
const Tag = { start: 0, begun: 1, ended: 2, link: 3, head: 4, lost: 5 } as const;

/** What became of a transaction, as far as it is known. */
export interface Ended {
	/** `State`. */
	readonly state: number;
	/** Bits of `Flag`. */
	readonly flags: number;
	/** DE 39 of the reversal, two characters, or two spaces. */
	readonly reason: string;
	readonly outcome: Outcome | undefined;
}

const NO_OUTCOME: Outcome = { code: "", rrn: "", authorization: "", hostTime: "0000000000" };

/** Both heads behind one transaction. The arrays are its own, and change with each link. */
export class ChainHead {
	readonly begun = new Uint8Array(HASH_BYTES);
	readonly ended = new Uint8Array(HASH_BYTES);
	/** The transaction linked last; everything up to it is in. */
	id = 0;

	/** The beginning of a journal's chain. */
	start(journalId: number, generation: number): void {
		const bytes = new Uint8Array(7);
		bytes[0] = Tag.start;
		writeU32(bytes, 1, journalId);
		writeU16(bytes, 5, generation);
		sha256.create().update(bytes).digestInto(this.begun);
		this.ended.set(this.begun);
		this.id = 0;
	}

	/** Goes on from a checkpoint: both heads one behind the other at `bytes[offset]`. */
	resume(id: number, bytes: Uint8Array, offset: number): void {
		for (let i = 0; i < HASH_BYTES; i++) {
			this.begun[i] = bytes[offset + i];
			this.ended[i] = bytes[offset + HASH_BYTES + i];
		}
		this.id = id;
	}

	/** Writes what {@link resume} reads: CHECKPOINT_BYTES bytes. */
	write(bytes: Uint8Array, offset: number): void {
		bytes.set(this.begun, offset);
		bytes.set(this.ended, offset + HASH_BYTES);
	}

	copy(from: ChainHead): void {
		this.begun.set(from.begun);
		this.ended.set(from.ended);
		this.id = from.id;
	}

	equals(other: ChainHead): boolean {
		return this.id === other.id && equalBytes(this.begun, other.begun) && equalBytes(this.ended, other.ended);
	}

	/** One transaction more; ids only rise. */
	link(id: number, begunLeaf: Uint8Array, endedLeaf: Uint8Array): void {
		follow(this.begun, begunLeaf);
		follow(this.ended, endedLeaf);
		this.id = id;
	}

	/** The one head that stands for both, and is told to the host. @param out - HASH_BYTES bytes */
	digest(out: Uint8Array): void {
		const hash = sha256.create();
		hash.update(TAGS.head);
		hash.update(this.begun);
		hash.update(this.ended);
		hash.digestInto(out);
	}
}

const TAGS = {
	link: Uint8Array.of(Tag.link),
	head: Uint8Array.of(Tag.head),
} as const;

function follow(head: Uint8Array, leaf: Uint8Array): void {
	const hash = sha256.create();
	hash.update(TAGS.link);
	hash.update(head);
	hash.update(leaf);
	hash.digestInto(head);
}

/** Makes leaves; its scratch is made once. */
export class ChainLeaves {
	readonly #bytes = new Uint8Array(1 + ADVICE_CLEAR_BYTES);
	readonly begun = new Uint8Array(HASH_BYTES);
	readonly ended = new Uint8Array(HASH_BYTES);

	/**
	 * Both leaves of one transaction, in {@link begun} and {@link ended}.
	 * @param advice - what an advice has beyond an intent; undefined for a sale
	 * @throws {CodedError} for facts that no record can have
	 */
	make(intent: Intent, advice: AdviceFacts | undefined, end: Ended): void {
		const bytes = this.#bytes;
		const clear = bytes.subarray(1);
		bytes[0] = Tag.begun;
		encodeIntent(clear, intent);
		if (advice !== undefined) encodeAdvice(clear, advice);
		const clearBytes = advice === undefined ? INTENT_CLEAR_BYTES : ADVICE_CLEAR_BYTES;
		hashInto(bytes, 1 + clearBytes, this.begun);
		const outcome = end.outcome ?? NO_OUTCOME;
		bytes[0] = Tag.ended;
		bytes.fill(0x20, 1, 1 + END_BYTES);
		writeU32(bytes, 1, intent.id);
		bytes[5] = end.state;
		bytes[6] = end.flags;
		writeAscii(bytes, 7, end.reason, "chain reason");
		writeAscii(bytes, 9, outcome.code, "chain code");
		writeAscii(bytes, 11, outcome.rrn, "chain RRN");
		writeAscii(bytes, 23, outcome.authorization, "chain authorization");
		writeBcdText(bytes, 29, outcome.hostTime, "chain host time");
		hashInto(bytes, 1 + END_BYTES, this.ended);
	}

	/** Both leaves of a transaction whose records flash has lost. */
	makeLost(id: number): void {
		const bytes = this.#bytes;
		bytes[0] = Tag.lost;
		writeU32(bytes, 1, id);
		hashInto(bytes, 5, this.begun);
		this.ended.set(this.begun);
	}
}

function hashInto(bytes: Uint8Array, byteLength: number, out: Uint8Array): void {
	sha256.create().update(bytes.subarray(0, byteLength)).digestInto(out);
}
