import { equal, throws } from "node:assert/strict";
import { createCipheriv } from "node:crypto";
import des from "des.js";
import fc from "fast-check";
import { AssertionError } from "../../src/core/assert";
import { fromHex, toHex } from "../../src/core/bytes";
import {
	desCbcLastBlock,
	desDecryptBlock,
	desEncryptBlock,
	isStrongDesKey,
	tdesDecryptBlock,
	tdesEncryptBlock,
} from "../../src/security/des";
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

	it("decrypts what it encrypts, for any key of 8, 16 and 24 bytes (property)", () => {
		const bytes = (n: number) => fc.uint8Array({ minLength: n, maxLength: n });
		const out = new Uint8Array(8);
		fc.assert(
			fc.property(bytes(24), bytes(8), (key, block) => {
				for (const n of [16, 24]) {
					tdesEncryptBlock(key.subarray(0, n), block, 0, out, 0);
					tdesDecryptBlock(key.subarray(0, n), out, 0, out, 0);
					equal(toHex(out), toHex(block));
				}
				desEncryptBlock(key.subarray(0, 8), block, 0, out, 0);
				desDecryptBlock(key.subarray(0, 8), out, 0, out, 0);
				equal(toHex(out), toHex(block));
			}),
			{ numRuns: 100, seed: 7 },
		);
	});

	it("chains blocks as OpenSSL's CBC does, and fills the last with zeros", () => {
		const key = fromHex("0123456789ABCDEF");
		const out = new Uint8Array(8);
		for (let n = 1; n <= 24; n++) {
			const bytes = new Uint8Array(n + 2).map((_, i) => i * 11 + 3);
			const padded = new Uint8Array(Math.ceil(n / 8) * 8);
			padded.set(bytes.subarray(1, n + 1));
			const cipher = createCipheriv("des-ede3-cbc", new Uint8Array([...key, ...key, ...key]), new Uint8Array(8));
			const whole = new Uint8Array(cipher.setAutoPadding(false).update(padded));
			desCbcLastBlock(key, bytes, 1, n + 1, out);
			equal(toHex(out), toHex(whole.subarray(whole.length - 8)), `${n} bytes`);
		}
		throws(() => desCbcLastBlock(key, new Uint8Array(8), 0, 9, out), coded("length", "DES input"));
	});

	it("knows a key that is as strong as it is long, whatever its parity bits", () => {
		const strong = (key: string) => isStrongDesKey(fromHex(key), key.length / 2);
		const a = "0123456789ABCDEF";
		const parityOfA = "0022446688AACCEE";
		const b = "FEDCBA9876543210";
		equal(strong(a), true);
		equal(strong(a + b), true);
		equal(strong(a + b + a), true);
		equal(strong(a + a), false, "the second part undoes the first");
		equal(strong(a + parityOfA), false, "parity bits are no difference");
		equal(strong(a + b + b), false);
		equal(strong(a + a + b), false);
		for (const zero of ["0000000000000000", "0101010101010101"]) {
			equal(strong(zero), false);
			equal(strong(zero + a), false);
			equal(strong(a + zero), false);
			equal(strong(a + b + zero), false);
		}
		equal(strong("01234567"), false);
		equal(strong(""), false);
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
		throws(() => tdesDecryptBlock(key, eight, 0, eight, 0), AssertionError);
		throws(() => desDecryptBlock(new Uint8Array(16), eight, 0, eight, 0), AssertionError);
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
