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
		if (count <= PIECE_CHARS) return this.nibblePiece(bytes, offset, first, count);
		let text = "";
		for (let done = 0; done < count; done += PIECE_CHARS) {
			text += this.nibblePiece(bytes, offset, first + done, Math.min(PIECE_CHARS, count - done));
		}
		return text;
	}

	/** The characters of `bytes[start, end)`; what is no ASCII reads as "?". */
	ascii(bytes: Uint8Array, start: number, end: number): string {
		if (end - start <= PIECE_CHARS) return this.asciiPiece(bytes, start, end);
		let text = "";
		for (let at = start; at < end; at += PIECE_CHARS)
			text += this.asciiPiece(bytes, at, Math.min(end, at + PIECE_CHARS));
		return text;
	}

	/** As {@link ascii} for track data: the separator, which travels as "=", reads as D. */
	track(bytes: Uint8Array, start: number, end: number): string {
		return this.ascii(bytes, start, end).replaceAll("=", "D");
	}

	private nibblePiece(bytes: Uint8Array, offset: number, first: number, count: number): string {
		if (((first | count) & 1) === 0) {
			const text = fromPairs(bytes, offset + (first >> 1), count);
			if (text !== undefined) return text;
		}
		const codes = this.codes(count);
		let at = offset + (first >> 1);
		let i = 0;
		if ((first & 1) !== 0 && count > 0) codes[i++] = low(bytes[at++]);
		for (; i + 1 < count; i += 2, at++) {
			codes[i] = high(bytes[at]);
			codes[i + 1] = low(bytes[at]);
		}
		if (i < count) codes[i] = high(bytes[at]);
		return String.fromCharCode.apply(String, codes);
	}

	private asciiPiece(bytes: Uint8Array, start: number, end: number): string {
		const text = fromBytes(bytes, start, end - start);
		if (text !== undefined) return text;
		const codes = this.codes(end - start);
		for (let i = 0; i < codes.length; i++) codes[i] = ascii(bytes[start + i]);
		return String.fromCharCode.apply(String, codes);
	}

	private codes(length: number): number[] {
		const kept = this.#scratch[length];
		if (kept !== undefined) return kept;
		const codes: number[] = new Array(length).fill(0);
		this.#scratch[length] = codes;
		return codes;
	}
}

/** The usual lengths of fields, without a loop: half the time. Undefined for others. */
function fromPairs(b: Uint8Array, at: number, count: number): string | undefined {
	const text = String.fromCharCode;
	switch (count) {
		case 2:
			return text(high(b[at]), low(b[at]));
		case 4:
			return text(high(b[at]), low(b[at]), high(b[at + 1]), low(b[at + 1]));
		case 6:
			return text(high(b[at]), low(b[at]), high(b[at + 1]), low(b[at + 1]), high(b[at + 2]), low(b[at + 2]));
		case 8:
			return text(
				high(b[at]),
				low(b[at]),
				high(b[at + 1]),
				low(b[at + 1]),
				high(b[at + 2]),
				low(b[at + 2]),
				high(b[at + 3]),
				low(b[at + 3]),
			);
		case 12:
			return text(
				high(b[at]),
				low(b[at]),
				high(b[at + 1]),
				low(b[at + 1]),
				high(b[at + 2]),
				low(b[at + 2]),
				high(b[at + 3]),
				low(b[at + 3]),
				high(b[at + 4]),
				low(b[at + 4]),
				high(b[at + 5]),
				low(b[at + 5]),
			);
		case 16:
			return text(
				high(b[at]),
				low(b[at]),
				high(b[at + 1]),
				low(b[at + 1]),
				high(b[at + 2]),
				low(b[at + 2]),
				high(b[at + 3]),
				low(b[at + 3]),
				high(b[at + 4]),
				low(b[at + 4]),
				high(b[at + 5]),
				low(b[at + 5]),
				high(b[at + 6]),
				low(b[at + 6]),
				high(b[at + 7]),
				low(b[at + 7]),
			);
		default:
			return undefined;
	}
}

/** As {@link fromPairs}, of whole characters. */
function fromBytes(b: Uint8Array, at: number, count: number): string | undefined {
	const text = String.fromCharCode;
	switch (count) {
		case 2:
			return text(ascii(b[at]), ascii(b[at + 1]));
		case 3:
			return text(ascii(b[at]), ascii(b[at + 1]), ascii(b[at + 2]));
		case 6:
			return text(
				ascii(b[at]),
				ascii(b[at + 1]),
				ascii(b[at + 2]),
				ascii(b[at + 3]),
				ascii(b[at + 4]),
				ascii(b[at + 5]),
			);
		case 8:
			return text(
				ascii(b[at]),
				ascii(b[at + 1]),
				ascii(b[at + 2]),
				ascii(b[at + 3]),
				ascii(b[at + 4]),
				ascii(b[at + 5]),
				ascii(b[at + 6]),
				ascii(b[at + 7]),
			);
		case 12:
			return text(
				ascii(b[at]),
				ascii(b[at + 1]),
				ascii(b[at + 2]),
				ascii(b[at + 3]),
				ascii(b[at + 4]),
				ascii(b[at + 5]),
				ascii(b[at + 6]),
				ascii(b[at + 7]),
				ascii(b[at + 8]),
				ascii(b[at + 9]),
				ascii(b[at + 10]),
				ascii(b[at + 11]),
			);
		case 15:
			return text(
				ascii(b[at]),
				ascii(b[at + 1]),
				ascii(b[at + 2]),
				ascii(b[at + 3]),
				ascii(b[at + 4]),
				ascii(b[at + 5]),
				ascii(b[at + 6]),
				ascii(b[at + 7]),
				ascii(b[at + 8]),
				ascii(b[at + 9]),
				ascii(b[at + 10]),
				ascii(b[at + 11]),
				ascii(b[at + 12]),
				ascii(b[at + 13]),
				ascii(b[at + 14]),
			);
		default:
			return undefined;
	}
}

function ascii(byte: number): number {
	return byte < 0x80 ? byte : 63;
}

/** D is also the separator of track data. */
function high(byte: number): number {
	return codeOf(byte >> 4);
}

function low(byte: number): number {
	return codeOf(byte & 15);
}

function codeOf(nibble: number): number {
	return 48 + nibble + ((nibble + 6) >> 4) * 7;
}
