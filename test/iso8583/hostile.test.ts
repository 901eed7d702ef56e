/**
 * Goal: whatever arrives, the decoder answers with a coded error or a correct message, and never reads past the end.
 * Method: truncations, single-bit flips and random bytes, read through a view that throws beyond the frame. "Correct"
 * means that what decodes encodes back to the very same bytes.
 */
import { equal, ok } from "node:assert/strict";
import fc from "fast-check";
import { fromHex, toHex } from "../../src/core/bytes";
import { CodedError } from "../../src/core/errors";
import { MessageDecoder } from "../../src/iso8583/decoder";
import { MessageEncoder } from "../../src/iso8583/encoder";
import { renderMasked } from "../../src/iso8583/mask";
import { UNIONPAY } from "../../src/iso8583/unionpay";
import file from "../vectors/unionpay.json";
import { encodeAgain, guarded, type Vector } from "./vector-helpers";

const VECTORS = file.vectors as unknown as Vector[];
const message = new MessageDecoder(UNIONPAY);
const out = new Uint8Array(1462);
const encoder = new MessageEncoder(UNIONPAY, out);

/** @returns true when it decoded; anything but a message or a coded error escapes and fails the test */
function survives(bytes: Uint8Array, byteLength: number): boolean {
	try {
		message.decode(guarded(bytes, byteLength), byteLength);
	} catch (error) {
		if (!(error instanceof CodedError)) throw error;
		equal(message.mti, "");
		return false;
	}
	renderMasked(message);
	const again = encodeAgain(encoder, message);
	equal(toHex(out, 0, again), toHex(bytes, 0, byteLength));
	return true;
}

describe("iso8583 against hostile input", () => {
	for (const vector of VECTORS) {
		it(`refuses every truncation of ${vector.name}, with the old length and with a matching one`, () => {
			const bytes = fromHex(vector.frame);
			ok(survives(bytes, bytes.length));
			for (let byteLength = 0; byteLength < bytes.length; byteLength++) {
				equal(survives(bytes, byteLength), false, `old length, ${byteLength} bytes`);
				const lying = bytes.slice();
				const body = Math.max(0, byteLength - 2);
				lying[0] = body >> 8;
				lying[1] = body & 255;
				equal(survives(lying, byteLength), false, `matching length, ${byteLength} bytes`);
			}
		});

		it(`answers every single-bit flip of ${vector.name} with a coded error or the message those bytes are`, () => {
			const bytes = fromHex(vector.frame);
			let refused = 0;
			for (let bit = 0; bit < bytes.length * 8; bit++) {
				bytes[bit >> 3] ^= 0x80 >> (bit & 7);
				if (!survives(bytes, bytes.length)) refused++;
				else ok(bit >= 16, "a flip in the length was believed");
				bytes[bit >> 3] ^= 0x80 >> (bit & 7);
			}
			ok(refused > 16 + 64, "flips in length and bitmap are refused");
		});
	}

	it("answers random bytes behind a right length and a known MTI (property)", () => {
		const mti = fc.constantFrom("0200", "0210", "0230", "0310", "0410", "0510", "0810");
		let decoded = 0;
		fc.assert(
			fc.property(mti, fc.uint8Array({ minLength: 8, maxLength: 200 }), (type, tail) => {
				const body = new Uint8Array(13 + tail.length);
				body.set(fromHex(type), 11);
				body.set(tail, 13);
				const bytes = new Uint8Array([body.length >> 8, body.length & 255, ...body]);
				if (survives(bytes, bytes.length)) decoded++;
			}),
			{ numRuns: 2000, seed: 1 },
		);
		ok(decoded < 2000);
	});

	it("answers random bytes of any length (property)", () => {
		fc.assert(
			fc.property(fc.uint8Array({ maxLength: 1600 }), (bytes) => {
				survives(bytes, bytes.length);
			}),
			{ numRuns: 500, seed: 2 },
		);
	});

	it("answers several bytes of a vector replaced at random (property)", () => {
		const change = fc.tuple(fc.nat(10_000), fc.nat(255));
		fc.assert(
			fc.property(fc.constantFrom(...VECTORS), fc.array(change, { minLength: 1, maxLength: 6 }), (vector, changes) => {
				const bytes = fromHex(vector.frame);
				for (const [at, value] of changes) bytes[2 + (at % (bytes.length - 2))] = value;
				survives(bytes, bytes.length);
			}),
			{ numRuns: 3000, seed: 3 },
		);
	});
});
