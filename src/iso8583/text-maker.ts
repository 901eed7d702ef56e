/**
 * Texts from the bytes of a frame, each with one allocation: its own. Adding characters one by one would leave a string
 * behind for each of them, so the character codes go to a scratch array of the right length, kept for the next text of
 * that length. Bounded: texts above {@link PIECE_CHARS} are put together from pieces.
 * @module
 */

/** No text a terminal asks for often is longer: track 2 has 37 characters. */
const PIECE_CHARS = 40;

export class TextMaker {
	/** Index = length; made when first needed. */
	readonly #scratch: (number[] | undefined)[] = new Array(PIECE_CHARS + 1).fill(undefined);

	/** `count` nibbles from the `first`-th behind `offset` on: packed digits, or bytes as hex. */
	nibbles(bytes: Uint8Array, offset: number, first: number, count: number): string {
		if (count <= PIECE_CHARS) return this.#nibbles(bytes, offset, first, count);
		let text = "";
		for (let done = 0; done < count; done += PIECE_CHARS) {
			text += this.#nibbles(bytes, offset, first + done, Math.min(PIECE_CHARS, count - done));
		}
		return text;
	}

	/** The characters of `bytes[start, end)`; what is no ASCII reads as "?". */
	ascii(bytes: Uint8Array, start: number, end: number): string {
		if (end - start <= PIECE_CHARS) return this.#ascii(bytes, start, end);
		let text = "";
		for (let at = start; at < end; at += PIECE_CHARS) text += this.#ascii(bytes, at, Math.min(end, at + PIECE_CHARS));
		return text;
	}

	/** As {@link ascii} for track data: the separator, which travels as "=", reads as D. */
	track(bytes: Uint8Array, start: number, end: number): string {
		return this.ascii(bytes, start, end).replaceAll("=", "D");
	}

	#nibbles(bytes: Uint8Array, offset: number, first: number, count: number): string {
		const codes = this.#codes(count);
		let at = offset + (first >> 1);
		let i = 0;
		if ((first & 1) !== 0 && count > 0) codes[i++] = codeOf(bytes[at++] & 15);
		for (; i + 1 < count; i += 2, at++) {
			codes[i] = codeOf(bytes[at] >> 4);
			codes[i + 1] = codeOf(bytes[at] & 15);
		}
		if (i < count) codes[i] = codeOf(bytes[at] >> 4);
		return String.fromCharCode.apply(String, codes);
	}

	#ascii(bytes: Uint8Array, start: number, end: number): string {
		const codes = this.#codes(end - start);
		for (let i = 0; i < codes.length; i++) {
			const byte = bytes[start + i];
			codes[i] = byte < 0x80 ? byte : 63;
		}
		return String.fromCharCode.apply(String, codes);
	}

	#codes(length: number): number[] {
		const kept = this.#scratch[length];
		if (kept !== undefined) return kept;
		const codes: number[] = new Array(length).fill(0);
		this.#scratch[length] = codes;
		return codes;
	}
}

/** D is also the separator of track data. */
function codeOf(nibble: number): number {
	return nibble < 10 ? 48 + nibble : 55 + nibble;
}
