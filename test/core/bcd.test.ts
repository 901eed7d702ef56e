import { equal, throws } from "node:assert/strict";
import fc from "fast-check";
import { bcdBytes, readBcd, readBcdText, writeBcd, writeBcdText } from "../../src/core/bcd";
import { toHex } from "../../src/core/bytes";
import { coded } from "../iso8583/vector-helpers";

describe("core BCD", () => {
	it("writes numbers right-aligned with leading zeros, inside their bytes", () => {
		const bytes = new Uint8Array(8).fill(0xaa);
		writeBcd(bytes, 1, 1234, 12, "x");
		equal(toHex(bytes), "AA000000001234AA");
		equal(readBcd(bytes, 1, 6, "x"), 1234);
	});

	it("refuses numbers that are negative, broken or too long, and places without room", () => {
		const bytes = new Uint8Array(2);
		for (const value of [-1, 1.5, Number.NaN, 2 ** 53, 10_000]) {
			throws(() => writeBcd(bytes, 0, value, 4, "x"), coded("range", "x"), String(value));
		}
		throws(() => writeBcd(bytes, 1, 1, 4, "x"), coded("length", "x"));
		throws(() => readBcd(bytes, 1, 2, "x"), coded("length", "x"));
		throws(() => readBcd(new Uint8Array(9), 0, 8, "x"), coded("length", "x"));
	});

	it("refuses every nibble above 9, wherever it stands", () => {
		for (let nibble = 10; nibble < 16; nibble++) {
			throws(() => readBcd(new Uint8Array([0x12, nibble]), 0, 2, "x"), coded("charset", "x"));
			throws(() => readBcd(new Uint8Array([0x12, nibble << 4]), 0, 2, "x"), coded("charset", "x"));
			throws(() => readBcdText(new Uint8Array([0x12, nibble << 4]), 0, 3, "x"), coded("charset", "x"));
		}
		equal(readBcdText(new Uint8Array([0x12, 0x3f]), 0, 3, "x"), "123");
	});

	it("reads back any number of up to 14 digits (property)", () => {
		fc.assert(
			fc.property(fc.integer({ min: 0, max: 99_999_999_999_999 }), (value) => {
				const bytes = new Uint8Array(7);
				writeBcd(bytes, 0, value, 14, "x");
				equal(readBcd(bytes, 0, 7, "x"), value);
				equal(toHex(bytes), String(value).padStart(14, "0"));
			}),
			{ numRuns: 500, seed: 9 },
		);
	});

	it("packs and unpacks any digits, odd counts padded with a zero nibble (property)", () => {
		const digits = fc.string({ unit: fc.constantFrom(..."0123456789"), maxLength: 30 });
		fc.assert(
			fc.property(digits, (text) => {
				const bytes = new Uint8Array(bcdBytes(text.length));
				equal(writeBcdText(bytes, 0, text, "x"), bytes.length);
				equal(readBcdText(bytes, 0, text.length, "x"), text);
				equal(toHex(bytes), text.length % 2 === 0 ? text : `${text}0`);
			}),
			{ numRuns: 300, seed: 10 },
		);
	});

	it("refuses text that is not digits, with the position", () => {
		const bytes = new Uint8Array(4);
		throws(() => writeBcdText(bytes, 0, "12a4", "x"), /x: charset, position 2/);
		throws(() => writeBcdText(bytes, 0, "12 ", "x"), /x: charset, position 2/);
		throws(() => writeBcdText(bytes, 0, "1:34", "x"), /x: charset, position 1/);
		throws(() => writeBcdText(bytes, 0, "123456789", "x"), coded("length", "x"));
		throws(() => writeBcdText(bytes, 0, "１２", "x"), coded("charset"));
	});
});
