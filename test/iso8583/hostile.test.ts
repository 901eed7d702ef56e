/**
 * Goal: whatever arrives, the decoder answers with a coded error or a correct message, and never reads past the end.
 * Method: truncations, single-bit flips and random bytes, read through a view that throws beyond the frame. "Correct"
 * means that what decodes encodes back to the very same bytes.
 */
import { equal, ok } from "node:assert/strict";
import fc from "fast-check";
import { fromHex } from "../../src/core/bytes";
import { UNIONPAY } from "../../src/iso8583/unionpay";
import file from "../vectors/unionpay.json";
import { Survival } from "./hostile-helpers";
import type { Vector } from "./vector-helpers";

const VECTORS = file.vectors as unknown as Vector[];
const survival = new Survival(UNIONPAY);

describe("iso8583 against hostile input", () => {
	for (const vector of VECTORS) {
		it(`refuses every truncation of ${vector.name}, with the old length and with a matching one`, () => {
			survival.truncations(fromHex(vector.frame));
		});

		it(`answers every single-bit flip of ${vector.name} with a coded error or the message those bytes are`, () => {
			ok(survival.bitFlips(fromHex(vector.frame)) > 16 + 64, "flips in length and bitmap are refused");
		});
	}

	it("refuses every length of a field that says more than the frame has", () => {
		let lies = 0;
		for (const vector of VECTORS) {
			const bytes = fromHex(vector.frame);
			survival.message.decode(bytes, bytes.length);
			for (let de = 2; de <= 128; de++) {
				const digits = UNIONPAY.fields[de]?.prefix ?? 0;
				if (digits === 0 || !survival.message.has(de)) continue;
				const at = survival.message.offset(de) - ((digits + 1) >> 1);
				for (const length of ["99", "9999", "0999", "0323", "1000"]) {
					const lying = bytes.slice();
					const prefix = fromHex(digits === 2 ? length.slice(0, 2) : length.padStart(4, "0"));
					lying.set(prefix, at);
					equal(
						survival.survives(lying, lying.length),
						lying.every((byte, i) => byte === bytes[i]),
					);
					lies++;
				}
				survival.message.decode(bytes, bytes.length);
			}
		}
		ok(lies > 200);
	});

	it("answers a lie in every byte of every bitmap", () => {
		for (const vector of VECTORS) {
			const bytes = fromHex(vector.frame);
			const bitmapBytes = "1" in vector.fields ? 16 : 8;
			for (let at = 15; at < 15 + bitmapBytes; at++) {
				for (const value of [0x00, 0x01, 0x55, 0x7f, 0x80, 0xaa, 0xff, bytes[at]]) {
					const lying = bytes.slice();
					lying[at] = value;
					const decoded = survival.survives(lying, lying.length);
					if (value === bytes[at]) ok(decoded);
				}
			}
		}
	});

	it("answers random bytes behind a right length and a known MTI (property)", () => {
		const mti = fc.constantFrom("0200", "0210", "0230", "0310", "0410", "0510", "0810");
		let decoded = 0;
		fc.assert(
			fc.property(mti, fc.uint8Array({ minLength: 8, maxLength: 200 }), (type, tail) => {
				const body = new Uint8Array(13 + tail.length);
				body.set(fromHex(type), 11);
				body.set(tail, 13);
				const bytes = new Uint8Array([body.length >> 8, body.length & 255, ...body]);
				if (survival.survives(bytes, bytes.length)) decoded++;
			}),
			{ numRuns: 2000, seed: 1 },
		);
		ok(decoded < 2000);
	});

	it("answers random bytes of any length (property)", () => {
		fc.assert(
			fc.property(fc.uint8Array({ maxLength: 1600 }), (bytes) => {
				survival.survives(bytes, bytes.length);
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
				survival.survives(bytes, bytes.length);
			}),
			{ numRuns: 3000, seed: 3 },
		);
	});
});
