import { equal, throws } from "node:assert/strict";
import { createCipheriv } from "node:crypto";
import des from "des.js";
import fc from "fast-check";
import { AssertionError } from "../../src/core/assert";
import { fromHex, toHex } from "../../src/core/bytes";
import { desEncryptBlock, tdesEncryptBlock } from "../../src/security/des";
import { coded } from "../iso8583/vector-helpers";

/** Triple DES by OpenSSL; with three equal keys it is single DES. */
function openssl(key24: Uint8Array, block: Uint8Array): string {
	const cipher = createCipheriv("des-ede3", key24, null).setAutoPadding(false);
	return toHex(new Uint8Array(Buffer.concat([cipher.update(block), cipher.final()])));
}

describe("security DES", () => {
	it("encrypts the blocks of the standards", () => {
		const out = new Uint8Array(8);
		desEncryptBlock(fromHex("133457799BBCDFF1"), fromHex("0123456789ABCDEF"), 0, out, 0);
		equal(toHex(out), "85E813540F0AB405");
		// NIST SP 800-67, appendix B: "The qufc".
		const key = fromHex("0123456789ABCDEF23456789ABCDEF01456789ABCDEF0123");
		tdesEncryptBlock(key, fromHex("5468652071756663"), 0, out, 0);
		equal(toHex(out), "A826FD8CE53B855F");
	});

	it("agrees with another implementation for any key of 8, 16 and 24 bytes (property)", () => {
		const bytes = (n: number) => fc.uint8Array({ minLength: n, maxLength: n });
		const out = new Uint8Array(8);
		fc.assert(
			fc.property(bytes(24), bytes(8), (key, block) => {
				tdesEncryptBlock(key, block, 0, out, 0);
				equal(toHex(out), openssl(key, block));
				tdesEncryptBlock(key.subarray(0, 16), block, 0, out, 0);
				equal(toHex(out), openssl(new Uint8Array([...key.subarray(0, 16), ...key.subarray(0, 8)]), block));
				const k1 = key.subarray(0, 8);
				desEncryptBlock(k1, block, 0, out, 0);
				equal(toHex(out), openssl(new Uint8Array([...k1, ...k1, ...k1]), block));
			}),
			{ numRuns: 100, seed: 6 },
		);
	});

	it("works in place and at offsets, and leaves the bytes around alone", () => {
		const memory = fromHex("AABB0123456789ABCDEFCCDD");
		desEncryptBlock(fromHex("133457799BBCDFF1"), memory, 2, memory, 2);
		equal(toHex(memory), "AABB85E813540F0AB405CCDD");
	});

	it("refuses blocks outside their memory, and asserts key lengths", () => {
		const key = new Uint8Array(8).fill(1);
		const eight = new Uint8Array(8);
		throws(() => desEncryptBlock(key, eight, 1, eight, 0), coded("length", "DES input"));
		throws(() => desEncryptBlock(key, eight, 0, eight, 1), coded("length", "DES output"));
		throws(() => desEncryptBlock(new Uint8Array(16), eight, 0, eight, 0), AssertionError);
		throws(() => tdesEncryptBlock(key, eight, 0, eight, 0), AssertionError);
	});

	it("wipes the library's round keys and scratch after each block", () => {
		const create = des.DES.create;
		const made: ReturnType<typeof create>[] = [];
		des.DES.create = (options) => {
			const cipher = create(options);
			equal(
				cipher._desState.keys.some((word) => word !== 0),
				true,
			);
			made.push(cipher);
			return cipher;
		};
		try {
			const out = new Uint8Array(8);
			tdesEncryptBlock(fromHex("0123456789ABCDEFFEDCBA9876543210"), out, 0, out, 0);
		} finally {
			des.DES.create = create;
		}
		equal(made.length, 3);
		for (const { _desState } of made)
			equal(
				[..._desState.keys, ..._desState.tmp].every((word) => word === 0),
				true,
			);
	});
});
