/** What every dialect has to stand: see hostile.test.ts. */
import { deepEqual, equal, ok } from "node:assert/strict";
import { toHex } from "../../src/core/bytes";
import { CodedError } from "../../src/core/errors";
import { MessageDecoder } from "../../src/iso8583/decoder";
import type { Dialect } from "../../src/iso8583/dialect";
import { MessageEncoder } from "../../src/iso8583/encoder";
import { layoutOf, writeFrameLength } from "../../src/iso8583/layout";
import { renderMasked } from "../../src/iso8583/mask";
import { encodeAgain, guarded } from "./vector-helpers";

export class Survival {
	readonly message: MessageDecoder;
	readonly #dialect: Dialect;
	readonly #out: Uint8Array;
	readonly #encoder: MessageEncoder;
	readonly #examiner: MessageDecoder;

	constructor(dialect: Dialect) {
		this.#dialect = dialect;
		this.message = new MessageDecoder(dialect);
		this.#examiner = new MessageDecoder(dialect);
		this.#out = new Uint8Array(layoutOf(dialect).frameBytesMax);
		this.#encoder = new MessageEncoder(dialect, this.#out);
	}

	/** @returns true when it decoded; anything but a message or a coded error escapes and fails the test */
	survives(bytes: Uint8Array, byteLength: number): boolean {
		const { message } = this;
		const view = guarded(bytes, byteLength);
		const found = this.#examiner.examine(view, byteLength);
		try {
			message.decode(view, byteLength);
		} catch (error) {
			if (!(error instanceof CodedError)) throw error;
			equal(message.mti, "");
			for (let de = 0; de <= 128; de++) if (message.has(de)) ok(false, `DE ${de} of a refused frame can be read`);
			equal(found?.message, error.message);
			this.#readPart(byteLength);
			return false;
		}
		equal(found, undefined);
		renderMasked(message);
		const again = encodeAgain(this.#encoder, message);
		equal(toHex(this.#out, 0, again), toHex(bytes, 0, byteLength));
		return true;
	}

	/** All truncations are refused, also when the length matches. */
	truncations(bytes: Uint8Array): void {
		ok(this.survives(bytes, bytes.length));
		const { lengthBytes } = layoutOf(this.#dialect);
		for (let byteLength = 0; byteLength < bytes.length; byteLength++) {
			equal(this.survives(bytes, byteLength), false, `old length, ${byteLength} bytes`);
			const lying = bytes.slice();
			writeFrameLength(this.#dialect, lying, Math.max(0, byteLength - lengthBytes));
			equal(this.survives(lying, byteLength), false, `matching length, ${byteLength} bytes`);
		}
	}

	/** @returns how many single-bit flips were refused; the others decoded, as the message that those bytes are */
	bitFlips(bytes: Uint8Array): number {
		const { lengthBytes } = layoutOf(this.#dialect);
		let refused = 0;
		for (let bit = 0; bit < bytes.length * 8; bit++) {
			bytes[bit >> 3] ^= 0x80 >> (bit & 7);
			if (!this.survives(bytes, bytes.length)) refused++;
			else ok(bit >= 8 * lengthBytes, "a flip in the length was believed");
			bytes[bit >> 3] ^= 0x80 >> (bit & 7);
		}
		return refused;
	}

	/** What examine() left readable lies inside the frame, in order. */
	#readPart(byteLength: number): void {
		const offsets: number[] = [];
		for (let de = 2; de <= 128; de++) {
			if (!this.#examiner.has(de)) continue;
			this.#examiner.text(de);
			ok(this.#examiner.offset(de) + this.#examiner.byteLength(de) <= byteLength);
			offsets.push(this.#examiner.offset(de));
		}
		deepEqual(
			offsets,
			offsets.slice().sort((a, b) => a - b),
		);
	}
}
