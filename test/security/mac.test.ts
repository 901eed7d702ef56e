/**
 * Goal: the UnionPay MAC as the public example and the golden vectors have it; the range of every vector's MAC.
 * The AES-CMAC of the sync vectors is computed by the library here: it checks which bytes the codec offers.
 */
import { equal, throws } from "node:assert/strict";
import { createCipheriv } from "node:crypto";
import { cmac } from "@noble/ciphers/aes.js";
import { fromHex, toHex } from "../../src/core/bytes";
import { MessageDecoder } from "../../src/iso8583/decoder";
import type { MacWriter } from "../../src/iso8583/encoder";
import { MessageEncoder } from "../../src/iso8583/encoder";
import { UNIONPAY } from "../../src/iso8583/unionpay";
import { createMac } from "../../src/security/mac";
import { coded, encodeVector, type Vector } from "../iso8583/vector-helpers";
import file from "../vectors/unionpay.json";

const VECTORS = (file.vectors as unknown as Vector[]).filter((vector) => vector.mac !== undefined);

function ascii(text: string): string {
	return toHex(new Uint8Array([...text].map((c) => c.charCodeAt(0))));
}

function mac(key: string, bytes: Uint8Array): string {
	const out = new Uint8Array(8);
	createMac("unionpay").compute(fromHex(key), bytes, 0, bytes.length, out, 0);
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
		const algorithm = createMac("unionpay");
		const key = fromHex("0123456789ABCDEF");
		throws(() => algorithm.compute(key, new Uint8Array(8), 0, 9, new Uint8Array(8), 0), coded("length", "MAC input"));
		throws(() => algorithm.compute(key, new Uint8Array(8), 0, 8, new Uint8Array(8), 1), coded("length", "MAC output"));
	});

	for (const vector of VECTORS) {
		it(`makes and finds the MAC of ${vector.name}`, () => {
			const { algorithm, key, value } = vector.mac as NonNullable<Vector["mac"]>;
			const unionpay = algorithm.startsWith("UnionPay");
			const scheme: MacWriter = {
				mac(bytes, start, end, out, outOffset) {
					if (unionpay) createMac("unionpay").compute(fromHex(key), bytes, start, end, out, outOffset);
					else out.set(cmac(bytes.slice(start, end), fromHex(key)).subarray(0, 8), outOffset);
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
