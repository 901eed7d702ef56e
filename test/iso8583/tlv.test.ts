import { deepEqual, equal } from "node:assert/strict";
import fc from "fast-check";
import { fromHex } from "../../src/core/bytes";
import { readTlv } from "../../src/iso8583/tlv";

function read(hex: string) {
	return readTlv(fromHex(hex));
}

describe("iso8583 BER-TLV", () => {
	it("reads tags of one, two and three bytes, and lengths in one, two and three", () => {
		deepEqual(read("9A03261122").items, [{ tag: "9A", offset: 2, byteLength: 3 }]);
		deepEqual(read("9F2601AA9F36020042").items, [
			{ tag: "9F26", offset: 3, byteLength: 1 },
			{ tag: "9F36", offset: 7, byteLength: 2 },
		]);
		deepEqual(read("DF810101AA").items, [{ tag: "DF8101", offset: 4, byteLength: 1 }]);
		equal(read(`708180${"00".repeat(128)}`).items[0].byteLength, 128);
		equal(read(`70820100${"00".repeat(256)}`).items[0].byteLength, 256);
		equal(read("9A00").items[0].byteLength, 0);
		deepEqual(read(""), { items: [], badOffset: undefined });
	});

	it("does not enter constructed values", () => {
		deepEqual(read("71058603842400").items, [{ tag: "71", offset: 2, byteLength: 5 }]);
	});

	it("keeps the tags before the place where it stops being TLV, and says where that is", () => {
		for (const [hex, badOffset] of [
			["9A03261122" + "9F", 5],
			["9A03261122" + "9F26", 5],
			["9A03261122" + "9F2608AABB", 5],
			["9A03261122" + "00", 5],
			["9A03261122" + "FF00", 5],
			["9A03261122" + "9F8181", 5],
			["9A03261122" + "9F81818101AA", 5],
			["9A03261122" + "8280AA", 5],
			["9A03261122" + "828300000101", 5],
			["9A03261122" + "8281", 5],
			["9A03261122" + "828201", 5],
		] as const) {
			const { items, badOffset: found } = read(hex);
			equal(items.length, 1, hex);
			equal(found, badOffset, hex);
		}
	});

	it("never reads past the end (property)", () => {
		fc.assert(
			fc.property(fc.uint8Array({ maxLength: 260 }), (bytes) => {
				let end = 0;
				const { items, badOffset } = readTlv(bytes);
				for (const { offset, byteLength } of items) {
					equal(offset > end && offset + byteLength <= bytes.length, true);
					end = offset + byteLength;
				}
				equal(badOffset ?? bytes.length, end);
			}),
			{ numRuns: 2000, seed: 55 },
		);
	});
});
