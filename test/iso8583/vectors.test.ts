/**
 * Goal: every golden frame of test/vectors/unionpay.json both ways, byte for byte. The file comes from an independent
 * codec. Method: its fields are fed to the encoder, its frame to the decoder; DE 22 and 23, which it shows with their
 * pad digit, are trimmed to the three digits they have.
 */
import { deepEqual, equal } from "node:assert/strict";
import { fromHex, toHex } from "../../src/core/bytes";
import { MessageDecoder } from "../../src/iso8583/decoder";
import { MessageEncoder } from "../../src/iso8583/encoder";
import { UNIONPAY } from "../../src/iso8583/unionpay";
import file from "../vectors/unionpay.json";
import { encodeVector, type Vector } from "./vector-helpers";

const VECTORS = file.vectors as unknown as Vector[];

describe("iso8583 golden vectors", () => {
	it("has all 22 of them", () => equal(VECTORS.length, 22));

	for (const vector of VECTORS) {
		it(`encodes ${vector.name} byte for byte`, () => {
			const out = new Uint8Array(1462).fill(0xa5);
			const byteLength = encodeVector(new MessageEncoder(UNIONPAY, out), vector);
			equal(toHex(out, 0, byteLength), vector.frame);
			for (let i = byteLength; i < out.length; i++) equal(out[i], 0xa5, "bytes past the result are untouched");
		});

		it(`decodes ${vector.name} to its fields`, () => {
			const frame = fromHex(vector.frame);
			const message = new MessageDecoder(UNIONPAY);
			message.decode(frame, frame.length);
			const fields: Record<string, string> = {};
			for (let de = 1; de <= 128; de++) {
				if (!message.has(de)) continue;
				fields[de] = message.text(de);
				if (de === 22) fields[de] = `${fields[de]}0`;
				if (de === 23) fields[de] = `0${fields[de]}`;
			}
			deepEqual(fields, vector.fields);
			equal(message.mti, vector.mti);
			equal(toHex(message.tpdu()), vector.tpdu);
			equal(toHex(message.header()), vector.header);
		});
	}
});
