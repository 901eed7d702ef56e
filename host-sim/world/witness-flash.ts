/**
 * Single records of a terminal's flash, where its index says they stand, read past the terminal: from the silicon itself
 * and never from its chips, whose reads draw numbers. A run that is watched is the same run.
 *
 * A record counts when its cells are firm: what an interrupted operation has left may read otherwise next time.
 * @module
 */
import { readBcd } from "../../src/core/bcd";
import { readU16, readU24, readU32 } from "../../src/core/bytes";
import {
	decodeHeader,
	emptyHeader,
	HEADER_BYTES,
	headLength,
	headType,
	RECORD_OVERHEAD_BYTES,
	RecordType,
	recordCrc,
} from "../../src/journal/format";
import { TransactionRecord } from "../../src/transactions/records";
import { stateName } from "../../src/transactions/states";
import { NOWHERE, type TransactionIndex } from "../../src/transactions/transaction-index";
import type { FlashMedium } from "../board/flash-medium";

/** Its reason in a reversal's step. */
const REASON_AT = 6;

/** What a request says of its transaction. */
export interface Facts {
	readonly stan: number;
	readonly batch: number;
	readonly amountMinor: number;
}

export class WitnessFlash {
	readonly #media: readonly FlashMedium[];
	readonly #header = emptyHeader();
	// What #find found: the copy's content, and where the payload is in it.
	#image: Uint8Array;
	#type = 0;
	#at = 0;

	constructor(media: readonly FlashMedium[]) {
		this.#media = media;
		this.#image = media[0].image;
	}

	/** @returns what is wrong with the intent or advice of `slot`, as it stands on flash; undefined: it is all there */
	whyNoIntent(index: TransactionIndex, slot: number, facts: Facts): string | undefined {
		let why: string | undefined = "no intent on flash";
		for (const medium of this.#media) {
			why = this.#whyNoIntentOn(medium, index, slot, facts);
			if (why === undefined) return undefined;
		}
		return why;
	}

	/**
	 * @returns what is wrong with the record that makes the state of `slot`; undefined: it says so on flash, and {@link reason}
	 * is of that record
	 */
	whyNoState(index: TransactionIndex, slot: number): string | undefined {
		let why: string | undefined;
		for (const medium of this.#media) {
			why = this.#whyNoStateOn(medium, index, slot);
			if (why === undefined) return undefined;
		}
		return why;
	}

	/** Reason of the reversal that {@link whyNoState} has just found, as two character codes: high byte first. */
	get reason(): number {
		return readU16(this.#image, this.#at + REASON_AT);
	}

	#whyNoIntentOn(
		medium: FlashMedium,
		index: TransactionIndex,
		slot: number,
		{ stan, batch, amountMinor }: Facts,
	): string | undefined {
		if (!this.#find(medium, index.intentAt[slot])) return "no intent on flash";
		const image = this.#image;
		const at = this.#at;
		if (this.#type !== TransactionRecord.intent && this.#type !== TransactionRecord.advice) return "no intent on flash";
		if (readU32(image, at) !== index.ids[slot]) return "another transaction's intent on flash";
		if (readU24(image, at + 4) !== stan) return "another STAN on flash";
		if (readU24(image, at + 8) !== batch) return "another batch on flash";
		return readBcd(image, at + 11, 6, "witness amount") === amountMinor ? undefined : "another amount on flash";
	}

	#whyNoStateOn(medium: FlashMedium, index: TransactionIndex, slot: number): string | undefined {
		const state = index.states[slot];
		const position = index.stepAt[slot] === NOWHERE ? index.outcomeAt[slot] : index.stepAt[slot];
		const name = stateName(state) ?? "no state";
		if (position === NOWHERE || !this.#find(medium, position)) return `${name} is not on flash`;
		if (this.#type !== TransactionRecord.outcome && this.#type !== TransactionRecord.step)
			return `${name} is not on flash`;
		if (readU32(this.#image, this.#at) !== index.ids[slot]) return `${name} is on flash for another transaction`;
		const found = this.#image[this.#at + 5];
		return found === state ? undefined : `${stateName(found) ?? "no state"} on flash, not ${name}`;
	}

	/**
	 * A record whose cells are firm. A copy may hold another one in its place: a chip that shows what stood in the block
	 * before. So each copy is asked for the very record.
	 */
	#find(medium: FlashMedium, position: number): boolean {
		if (position === NOWHERE) return false;
		const { image, blockLength, size } = medium;
		const block = Math.floor(position / blockLength);
		const base = block * blockLength;
		const header = this.#header;
		if (position + RECORD_OVERHEAD_BYTES > size || decodeHeader(image, base, header) !== "valid") return false;
		const head = readU16(image, position);
		const total = headLength(head) + RECORD_OVERHEAD_BYTES;
		const offset = position - base;
		if (offset < HEADER_BYTES || offset + total > blockLength) return false;
		if (readU32(image, position + total - 4) !== recordCrc(image, position, header.sequence, offset)) return false;
		if (!isFirm(medium, block, offset, offset + total)) return false;
		const wraps = headType(head) === RecordType.boot;
		this.#image = image;
		this.#type = wraps ? headType(readU16(image, position + 2)) : headType(head);
		this.#at = position + (wraps ? 4 : 2);
		return true;
	}
}

/** None of these cells may read otherwise next time. */
function isFirm(medium: FlashMedium, block: number, from: number, to: number): boolean {
	const cells = medium.marginal.get(block);
	if (cells === undefined) return true;
	const end = Math.min(to, cells.to);
	for (let at = Math.max(from, cells.from); at < end; at++) if (cells.mask[at] !== 0) return false;
	return true;
}
