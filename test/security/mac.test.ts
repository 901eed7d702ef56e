/**
 * Goal: every MAC algorithm as its standard and the golden vectors have it; the range of every vector's MAC.
 */
import { equal, throws } from "node:assert/strict";
import { createCipheriv } from "node:crypto";
import { AssertionError } from "../../src/core/assert";
import { fromHex, toHex } from "../../src/core/bytes";
import { MessageDecoder } from "../../src/iso8583/decoder";
import type { MacWriter } from "../../src/iso8583/encoder";
import { MessageEncoder } from "../../src/iso8583/encoder";
import { UNIONPAY } from "../../src/iso8583/unionpay";
import { Aes } from "../../src/security/aes";
import { createMac, type MacName } from "../../src/security/mac";
import { coded, encodeVector, type Vector } from "../iso8583/vector-helpers";
import standard from "../vectors/mac.json";
import file from "../vectors/unionpay.json";

const VECTORS = (file.vectors as unknown as Vector[]).filter((vector) => vector.mac !== undefined);

function ascii(text: string): string {
	return toHex(new Uint8Array([...text].map((c) => c.charCodeAt(0))));
}

function mac(key: string, bytes: Uint8Array, name: MacName = "unionpay"): string {
	const out = new Uint8Array(8);
	createMac(name).compute(fromHex(key), bytes, 0, bytes.length, out, 0);
	return toHex(out);
}

/** The algorithm again, with OpenSSL's triple DES. */
function macAgain(key24: Uint8Array, bytes: Uint8Array): string {
	const encrypt = (block: Uint8Array) => {
		const cipher = createCipheriv("des-ede3", key24, null).setAutoPadding(false);
		return new Uint8Array(Buffer.concat([cipher.update(block), cipher.final()]));
	};
	const xor = new Uint8Array(8);
	bytes.forEach((byte, i) => {
		xor[i % 8] ^= byte;
	});
	const hex = fromHex(ascii(toHex(xor)));
	const half = encrypt(hex.slice(0, 8)).map((byte, i) => byte ^ hex[8 + i]);
	return ascii(toHex(encrypt(half)).slice(0, 8));
}

describe("security MAC", () => {
	it("computes the public UnionPay example", () => {
		equal(mac(file.macVector.key, fromHex(file.macVector.xor)), ascii(file.macVector.value));
	});

	it("uses triple DES under a 16-byte key", () => {
		const key = "0123456789ABCDEFFEDCBA9876543210";
		const bytes = fromHex(VECTORS[0].frame);
		equal(mac(key, bytes), macAgain(fromHex(key + key.slice(0, 16)), bytes));
	});

	it("pads the last block with zeros", () => {
		const key = "0123456789ABCDEF";
		const key24 = fromHex(key + key + key);
		for (let n = 0; n <= 24; n++) {
			const bytes = new Uint8Array(n).map((_, i) => i * 7 + 1);
			equal(mac(key, bytes), macAgain(key24, bytes), `${n} bytes`);
		}
	});

	it("refuses ranges outside the memory", () => {
		const key = fromHex("0123456789ABCDEFFEDCBA9876543210");
		const eight = new Uint8Array(8);
		for (const name of ["unionpay", "x9.19", "cmac"] as const) {
			const algorithm = createMac(name);
			throws(() => algorithm.compute(key, eight, 0, 9, new Uint8Array(8), 0), coded("length", "MAC input"));
			throws(() => algorithm.compute(key, eight, 0, 8, new Uint8Array(8), 1), coded("length", "MAC output"));
			throws(() => algorithm.compute(key, eight, 5, 4, new Uint8Array(8), 0), AssertionError);
		}
	});

	it("computes the X9.19 examples of ISO/IEC 9797-1, and what OpenSSL's DES makes of any length", () => {
		const { key, macs } = standard["x9.19"];
		for (const { message, mac: expected } of macs) equal(mac(key, fromHex(ascii(message)), "x9.19"), expected);
		const [left, right] = [fromHex(key).slice(0, 8), fromHex(key).slice(8)];
		const triple = new Uint8Array([...left, ...right, ...left]);
		for (let n = 1; n <= 25; n++) {
			const bytes = new Uint8Array(Math.ceil(n / 8) * 8).map((_, i) => (i < n ? i * 7 + 1 : 0));
			// Triple DES of the last block, XORed with what single DES in a chain makes of those before.
			const chain = new Uint8Array(8);
			for (let at = 0; at < bytes.length; at += 8) {
				const last = at + 8 === bytes.length;
				const cipher = createCipheriv("des-ede3", last ? triple : new Uint8Array([...left, ...left, ...left]), null);
				const block = bytes.slice(at, at + 8).map((byte, i) => byte ^ chain[i]);
				chain.set(cipher.setAutoPadding(false).update(block));
			}
			equal(mac(key, bytes.subarray(0, n), "x9.19"), toHex(chain), `${n} bytes`);
		}
	});

	it("computes the AES-CMAC examples of RFC 4493 and SP 800-38B, whole and cut to 8 bytes", () => {
		const { key, message, tags, longKeys } = standard.cmac;
		const tag = new Uint8Array(16);
		for (const example of [...tags.map((one) => ({ key, ...one })), ...longKeys]) {
			const bytes = fromHex(message).slice(0, example.bytes);
			new Aes().cmac(fromHex(example.key), bytes, 0, bytes.length, tag, 0, 16);
			equal(toHex(tag), example.tag);
			equal(mac(example.key, bytes, "cmac"), example.tag.slice(0, 16));
		}
	});

	it("takes a range anywhere, writes behind it in the same memory, and says the same twice", () => {
		for (const name of ["unionpay", "x9.19", "cmac"] as const) {
			const key = fromHex("0123456789ABCDEFFEDCBA9876543210");
			const algorithm = createMac(name);
			const memory = new Uint8Array(40).map((_, i) => i * 5 + 1);
			const before = memory.slice();
			const expected = mac(toHex(key), memory.slice(3, 26), name);
			for (let n = 0; n < 2; n++) {
				algorithm.compute(key, memory, 3, 26, memory, 26);
				equal(toHex(memory, 26, 34), expected, name);
				equal(toHex(memory, 0, 26) + toHex(memory, 34), toHex(before, 0, 26) + toHex(before, 34), name);
			}
		}
	});

	it("says which keys are keys: of the right length, not zero, and as strong as they are long", () => {
		const zeros = "00".repeat(8);
		const parity = "01".repeat(8);
		const [a, b] = ["0123456789ABCDEF", "FEDCBA9876543210"];
		const takes = (name: MacName, hex: string) => createMac(name).takes(fromHex(hex), hex.length / 2);
		for (const key of [a, a + b, a + a]) equal(takes("unionpay", key), true, key);
		for (const key of ["", zeros, parity, zeros + a, a + zeros, a + parity, a + b + a]) {
			equal(takes("unionpay", key), false, key);
		}
		equal(takes("x9.19", a + b), true);
		for (const key of [a, a + a, a + zeros, zeros + a, a + b + a]) equal(takes("x9.19", key), false, key);
		for (const key of [a + b, a + a, a + b + a, a + b + a + b, a + zeros]) equal(takes("cmac", key), true, key);
		for (const key of [a, zeros + zeros, a + b + a + b + a]) equal(takes("cmac", key), false, key);
	});

	for (const vector of VECTORS) {
		it(`makes and finds the MAC of ${vector.name}`, () => {
			const { algorithm, key, value } = vector.mac as NonNullable<Vector["mac"]>;
			const unionpay = algorithm.startsWith("UnionPay");
			const scheme: MacWriter = {
				mac(bytes, start, end, out, outOffset) {
					createMac(unionpay ? "unionpay" : "cmac").compute(fromHex(key), bytes, start, end, out, outOffset);
				},
			};
			const out = new Uint8Array(1462);
			const byteLength = encodeVector(new MessageEncoder(UNIONPAY, out), vector, scheme);
			equal(toHex(out, 0, byteLength), vector.frame);
			const message = new MessageDecoder(UNIONPAY);
			message.decode(out, byteLength);
			equal(message.text(message.macDe), unionpay ? ascii(value) : value);
			const again = new Uint8Array(8);
			const { macStart } = message;
			scheme.mac(out, macStart, message.offset(message.macDe), again, 0);
			equal(toHex(again), message.text(message.macDe));
		});
	}
});
