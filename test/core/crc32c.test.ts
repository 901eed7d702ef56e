import { equal, notEqual } from "node:assert/strict";
import fc from "fast-check";
import { fromHex } from "../../src/core/bytes";
import { CRC_START, crc32c, crcFinish, crcUpdate, crcWord } from "../../src/core/crc32c";

describe("core CRC-32C", () => {
	it("gives the values of RFC 3720 §B.4", () => {
		equal(crc32c(new Uint8Array(32)), 0x8a9136aa);
		equal(crc32c(new Uint8Array(32).fill(0xff)), 0x62a8ab43);
		equal(crc32c(new Uint8Array(32).map((_, i) => i)), 0x46dd794e);
		equal(crc32c(new Uint8Array(32).map((_, i) => 31 - i)), 0x113fdb5c);
		const read10 =
			"01C00000000000000000000000000000" + "14000000000004000000001400000018" + "28000000000000000200000000000000";
		equal(crc32c(fromHex(read10)), 0xd9963a56);
		equal(crc32c(fromHex("313233343536373839")), 0xe3069283);
		equal(crc32c(new Uint8Array(0)), 0);
	});

	it("can be computed in pieces, and by words (property)", () => {
		fc.assert(
			fc.property(fc.uint8Array({ maxLength: 64 }), fc.nat(64), fc.integer(), (bytes, cut, word) => {
				const middle = Math.min(cut, bytes.length);
				const first = crcUpdate(CRC_START, bytes, 0, middle);
				equal(crcFinish(crcUpdate(first, bytes, middle, bytes.length)), crc32c(bytes));
				const four = new Uint8Array([word >>> 24, word >>> 16, word >>> 8, word]);
				equal(crcWord(first, word), crcUpdate(first, four, 0, 4));
			}),
			{ numRuns: 300, seed: 13 },
		);
	});

	it("sees every change of one or two bits in 64 bytes, and takes its range seriously", () => {
		const bytes = new Uint8Array(64).map((_, i) => i * 37);
		const right = crc32c(bytes);
		for (let a = 0; a < 512; a++) {
			bytes[a >> 3] ^= 1 << (a & 7);
			notEqual(crc32c(bytes), right);
			for (let b = a + 1; b < 512; b += 17) {
				bytes[b >> 3] ^= 1 << (b & 7);
				notEqual(crc32c(bytes), right);
				bytes[b >> 3] ^= 1 << (b & 7);
			}
			bytes[a >> 3] ^= 1 << (a & 7);
		}
		equal(crc32c(bytes, 8, 24), crc32c(bytes.slice(8, 24)));
	});
});
