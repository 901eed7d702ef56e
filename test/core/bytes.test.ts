import { deepEqual, equal, throws } from "node:assert/strict";
import fc from "fast-check";
import {
	checkRange,
	equalBytes,
	fromHex,
	readAscii,
	readU16,
	readU24,
	readU32,
	toHex,
	writeAscii,
	writeU16,
	writeU24,
	writeU32,
} from "../../src/core/bytes";
import { coded } from "../iso8583/vector-helpers";

describe("core bytes", () => {
	it("writes and reads big-endian numbers over their whole range (property)", () => {
		const bytes = new Uint8Array(6);
		fc.assert(
			fc.property(fc.integer({ min: 0, max: 0xffff_ffff }), (value) => {
				bytes.fill(0xaa);
				writeU32(bytes, 1, value);
				equal(readU32(bytes, 1), value);
				equal(toHex(bytes), `AA${value.toString(16).toUpperCase().padStart(8, "0")}AA`);
				writeU24(bytes, 1, value & 0xff_ffff);
				equal(readU24(bytes, 1), value & 0xff_ffff);
				writeU16(bytes, 1, value & 0xffff);
				equal(readU16(bytes, 1), value & 0xffff);
			}),
			{ numRuns: 500, seed: 11, examples: [[0], [0x8000_0000], [0xffff_ffff]] },
		);
	});

	it("reads hex of either case and refuses anything else with its position", () => {
		deepEqual([...fromHex("00fFaB")], [0, 255, 171]);
		throws(() => fromHex("0"), coded("length", "hex"));
		throws(() => fromHex("0g", "key"), /key: charset, position 1/);
		throws(() => fromHex("g0"), /hex: charset, position 0/);
		for (const bad of ["/0", ":0", "@0", "G0", "`0", " 0"]) throws(() => fromHex(bad), coded("charset"));
	});

	it("turns any bytes to hex and back (property)", () => {
		fc.assert(
			fc.property(fc.uint8Array({ maxLength: 50 }), (bytes) => equal(equalBytes(fromHex(toHex(bytes)), bytes), true)),
			{ numRuns: 200, seed: 12 },
		);
	});

	it("writes printable ASCII only, and only where there is room", () => {
		const bytes = new Uint8Array(6);
		equal(writeAscii(bytes, 1, "a ~", "x"), 4);
		equal(readAscii(bytes, 1, 4), "a ~");
		for (const bad of ["\n", "\x7f", "é", "中", "\x1f"]) {
			throws(() => writeAscii(bytes, 0, `ok${bad}`, "x"), /x: charset, position 2/);
		}
		throws(() => writeAscii(bytes, 4, "abc", "x"), coded("length", "x"));
	});

	it("bounds ranges on both sides", () => {
		const bytes = new Uint8Array(4);
		checkRange(bytes, 0, 4, "x");
		checkRange(bytes, 4, 0, "x");
		for (const [offset, byteLength] of [
			[0, 5],
			[4, 1],
			[-1, 1],
			[1, -1],
			[5, 0],
		]) {
			throws(() => checkRange(bytes, offset, byteLength, "x"), coded("length", "x"));
		}
	});

	it("compares length and every byte", () => {
		equal(equalBytes(fromHex("0102"), fromHex("0102")), true);
		equal(equalBytes(fromHex("0102"), fromHex("0103")), false);
		equal(equalBytes(fromHex("0102"), fromHex("010203")), false);
		equal(equalBytes(fromHex("010203"), fromHex("0102")), false);
		equal(equalBytes(fromHex(""), fromHex("")), true);
	});
});
