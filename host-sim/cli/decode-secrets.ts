/**
 * Which bytes of a frame may not be shown. A frame that decodes says so by its field table; a bad one may have its fields
 * in other places than its bitmap says, so card numbers and tracks are looked for as well, wherever they stand.
 * @module
 */
import { luhnValid } from "../../src/core/luhn";
import type { MessageDecoder } from "../../src/iso8583/decoder";
import { DE_MAX } from "../../src/iso8583/dialect";

const PAN_DIGITS_MIN = 12;
const PAN_DIGITS_MAX = 19;
/** Of the longest track, as it travels. */
const TRACK_BYTES = 52;
const SEPARATOR = 13;

/** A flag for each byte of the frame. */
export class SecretBytes {
	readonly #secret: Uint8Array;

	/** @param message - what decode() or examine() made of the frame */
	constructor(message: MessageDecoder, frame: Uint8Array) {
		this.#secret = new Uint8Array(frame.length);
		for (let de = 2; de <= DE_MAX; de++) {
			if (!message.has(de) || message.dialect.fields[de]?.masking === "show") continue;
			const start = message.offset(de);
			this.hide(start, start + message.byteLength(de));
		}
		this.#findNumbers(frame);
		this.#findTracks(frame);
	}

	has(offset: number): boolean {
		return this.#secret[offset] === 1;
	}

	/** True when one of the bytes is secret. */
	any(start: number, end: number): boolean {
		return this.#secret.subarray(start, end).includes(1);
	}

	hide(start: number, end: number): void {
		this.#secret.fill(1, start, end);
	}

	/** A length of 12 to 19 in BCD, then that many digits, packed or in ASCII, with a right check digit. */
	#findNumbers(frame: Uint8Array): void {
		for (let at = 0; at < frame.length; at++) {
			const digits = (frame[at] >> 4) * 10 + (frame[at] & 15);
			if ((frame[at] & 15) > 9 || digits < PAN_DIGITS_MIN || digits > PAN_DIGITS_MAX) continue;
			const packed = nibbles(frame, 2 * (at + 1), digits);
			const ascii = String.fromCharCode(...frame.subarray(at + 1, at + 1 + digits));
			if (isCardNumber(packed)) this.hide(at + 1, at + 1 + ((digits + 1) >> 1));
			if (isCardNumber(ascii)) this.hide(at + 1, at + 1 + digits);
		}
	}

	/** A separator, before it a number with a right check digit. */
	#findTracks(frame: Uint8Array): void {
		for (let at = 0; at < 2 * frame.length; at++) {
			if (nibbleAt(frame, at) !== SEPARATOR) continue;
			for (let digits = PAN_DIGITS_MIN; digits <= PAN_DIGITS_MAX && digits <= at; digits++) {
				if (isCardNumber(nibbles(frame, at - digits, digits))) this.hide((at - digits) >> 1, (at >> 1) + TRACK_BYTES);
			}
		}
	}
}

/** No issuer's number begins with 0. Source: ISO/IEC 7812-1, §4.2. */
function isCardNumber(digits: string): boolean {
	return !digits.startsWith("0") && luhnValid(digits);
}

function nibbleAt(frame: Uint8Array, index: number): number {
	return (index & 1) === 0 ? frame[index >> 1] >> 4 : frame[index >> 1] & 15;
}

/** In hex; shorter at the frame's end. */
function nibbles(frame: Uint8Array, index: number, count: number): string {
	let text = "";
	for (let at = index; at < index + count && at < 2 * frame.length; at++) text += nibbleAt(frame, at).toString(16);
	return text;
}
