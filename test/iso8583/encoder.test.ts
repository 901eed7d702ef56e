import { deepEqual, equal, throws } from "node:assert/strict";
import fc from "fast-check";
import { AssertionError } from "../../src/core/assert";
import { fromHex, toHex } from "../../src/core/bytes";
import { MessageDecoder } from "../../src/iso8583/decoder";
import type { Dialect } from "../../src/iso8583/dialect";
import type { MacWriter } from "../../src/iso8583/encoder";
import { MessageEncoder } from "../../src/iso8583/encoder";
import { UNIONPAY } from "../../src/iso8583/unionpay";
import file from "../vectors/unionpay.json";
import { coded, encodeVector, type Vector } from "./vector-helpers";

const VECTORS = file.vectors as unknown as Vector[];

function fresh(bytes = 1462): { out: Uint8Array; encoder: MessageEncoder } {
	const out = new Uint8Array(bytes);
	return { out, encoder: new MessageEncoder(UNIONPAY, out) };
}

describe("iso8583 encoder", () => {
	it("uses the dialect's TPDU and header when none are given", () => {
		const { out, encoder } = fresh();
		encoder.begin("0820");
		encoder.digits(11, "000009");
		const byteLength = encoder.finish();
		equal(toHex(out, 0, byteLength), "0018600003000060310031110808200020000000000000000009");
	});

	it("refuses fields out of order and repeated fields", () => {
		const { encoder } = fresh();
		encoder.begin("0200");
		encoder.digits(11, "000001");
		throws(() => encoder.digits(3, "000000"), coded("order", "iso8583 DE 3 +26"));
		throws(() => encoder.digits(11, "000001"), coded("order", "iso8583 DE 11 +26"));
	});

	it("refuses fields and MTIs the dialect does not know", () => {
		const { encoder } = fresh();
		throws(() => encoder.begin("0100"), coded("unknown", "iso8583 MTI"));
		throws(() => encoder.begin("02x0"), coded("unknown", "iso8583 MTI"));
		encoder.begin("0200");
		for (const de of [0, 5, 65, 129, -1, 1.5]) throws(() => encoder.digits(de, "1"), coded("unknown"));
	});

	it("wants a fixed length exact and a variable one within its limit", () => {
		const { encoder } = fresh();
		encoder.begin("0200");
		throws(() => encoder.digits(2, "6".repeat(20)), coded("length", "iso8583 DE 2 +23"));
		throws(() => encoder.digits(3, "00000"), coded("length", "iso8583 DE 3 +23"));
		throws(() => encoder.digits(3, "0000000"), coded("length", "iso8583 DE 3 +23"));
		throws(() => encoder.digits(22, "0520"), coded("length", "iso8583 DE 22 +23"));
		throws(() => encoder.ascii(41, "1234567"), coded("length", "iso8583 DE 41 +23"));
		throws(() => encoder.bytes(52, new Uint8Array(7)), coded("length", "iso8583 DE 52 +23"));
		throws(() => encoder.bytes(55, new Uint8Array(256)), coded("length", "iso8583 DE 55 +23"));
	});

	it("lets DE 62 be longer than 512 bytes in 0310 only", () => {
		const { encoder, out } = fresh();
		encoder.begin("0300");
		throws(() => encoder.bytes(62, new Uint8Array(513)), coded("length"));
		encoder.begin("0310");
		throws(() => encoder.bytes(62, new Uint8Array(1000)), coded("length"));
		encoder.bytes(62, new Uint8Array(999));
		const byteLength = encoder.finish();
		const message = new MessageDecoder(UNIONPAY);
		message.decode(out, byteLength);
		equal(message.byteLength(62), 999);
		out[14] = 0x00; // The same frame as 0300.
		throws(() => message.decode(out, byteLength), coded("length", "iso8583 DE 62 +23"));
	});

	it("refuses characters outside a field's set and names the place, not the value", () => {
		const { encoder } = fresh();
		encoder.begin("0200");
		throws(() => encoder.digits(2, "62123456789O1232"), coded("charset", "iso8583 DE 2 +29"));
		throws(() => encoder.digits(2, "621234567890123="), coded("charset", "iso8583 DE 2 +31"));
		throws(() => encoder.digits(2, "6212D4567890123"), coded("charset", "iso8583 DE 2 +26"));
		throws(() => encoder.digits(35, "6212=3012"), coded("charset", "iso8583 DE 35 +26"));
		throws(() => encoder.ascii(38, "A1B2-3"), coded("charset", "iso8583 DE 38 +27"));
		throws(() => encoder.ascii(41, "1234567\n"), coded("charset", "iso8583 DE 41 +30"));
		throws(() => encoder.ascii(63, "中文"), coded("charset", "iso8583 DE 63 +25"));
		throws(() => encoder.bytes(41, fromHex("3132333435363780")), coded("charset", "iso8583 DE 41 +30"));
	});

	it("writes a field whole or not at all: after a refused field the message goes on without it", () => {
		const { out, encoder } = fresh();
		encoder.begin("0820");
		throws(() => encoder.digits(4, "00000000123x"), coded("charset"));
		throws(() => encoder.number(4, 1e12), coded("range"));
		encoder.digits(11, "000009");
		equal(toHex(out, 0, encoder.finish()), "0018600003000060310031110808200020000000000000000009");
	});

	it("writes numbers with leading zeros and refuses negative, broken and long ones", () => {
		const { out, encoder } = fresh();
		encoder.begin("0200");
		for (const value of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, 1_000_000_000_000]) {
			throws(() => encoder.number(4, value), coded("range", "iso8583 DE 4 +23"), String(value));
		}
		encoder.number(4, 999_999_999_999);
		encoder.number(11, 7);
		encoder.number(22, 52);
		encoder.number(23, 1);
		throws(() => encoder.number(25, 100), coded("range"));
		encoder.finish();
		equal(toHex(out, 23, 36), "99999999999900000705200001");
	});

	it("pads odd counts behind the digits, and DE 23 before them", () => {
		const { out, encoder } = fresh();
		encoder.begin("0200");
		encoder.digits(2, "6221234567890123450");
		encoder.digits(22, "021");
		encoder.digits(23, "987");
		encoder.finish();
		equal(toHex(out, 23, 34 + 4), "1962212345678901234500" + "0210" + "0987");
	});

	it("wants a field above 64 announced, and an announced one written", () => {
		const { encoder } = fresh();
		encoder.begin("0200");
		throws(() => encoder.ascii(103, "13800138000"), coded("order", "iso8583 DE 103 +23"));
		encoder.begin("0200", { secondary: true });
		encoder.digits(3, "500000");
		throws(() => encoder.finish(), coded("missing", "iso8583 DE 1"));
		throws(() => encoder.bytes(64, new Uint8Array(8)), coded("order", "iso8583 DE 64 +34"));
		encoder.ascii(103, "13800138000");
		equal(encoder.finish(), 46);
	});

	it("refuses what does not fit the caller's memory or the longest frame, and touches nothing behind it", () => {
		const memory = new Uint8Array(64).fill(0xa5);
		const encoder = new MessageEncoder(UNIONPAY, memory.subarray(0, 30));
		encoder.begin("0200");
		encoder.digits(3, "000000");
		throws(() => encoder.digits(4, "000000000001"), coded("length", "iso8583 DE 4 +26"));
		throws(() => encoder.ascii(41, "12345678"), coded("length", "iso8583 DE 41 +26"));
		throws(() => encoder.bytes(55, new Uint8Array(3)), coded("length"));
		for (let i = 30; i < 64; i++) equal(memory[i], 0xa5);
		throws(() => new MessageEncoder(UNIONPAY, new Uint8Array(22)).begin("0200"), coded("length", "iso8583 frame"));
		const short: Dialect = { ...UNIONPAY, frameBytesMax: 29 };
		const limited = new MessageEncoder(short, new Uint8Array(1462));
		limited.begin("0200");
		limited.digits(3, "000000");
		throws(() => limited.number(4, 1), coded("length", "iso8583 DE 4 +26"));
	});

	it("refuses a TPDU or header of another length", () => {
		const { encoder } = fresh();
		throws(() => encoder.begin("0200", { tpdu: new Uint8Array(4) }), coded("length", "iso8583 TPDU"));
		throws(() => encoder.begin("0200", { header: new Uint8Array(7) }), coded("length", "iso8583 header"));
	});

	it("asserts its order of calls: no field without begin, nothing after finish", () => {
		const { encoder } = fresh();
		throws(() => encoder.digits(3, "000000"), AssertionError);
		throws(() => encoder.finish(), AssertionError);
		encoder.begin("0200");
		encoder.digits(3, "000000");
		encoder.finish();
		throws(() => encoder.finish(), AssertionError);
		throws(() => encoder.digits(4, "000000000001"), AssertionError);
		encoder.begin("0200");
		throws(() => encoder.begin("9999"), coded("unknown"));
		throws(() => encoder.finish(), AssertionError);
	});

	it("asks for a MAC over MTI to the field before, with the MAC's bit already in the bitmap", () => {
		for (const [name, de] of [
			["sale-chip-no-pin", 64],
			["top-up", 128],
		] as const) {
			const vector = VECTORS.find((v) => v.name === name) as Vector;
			const frame = fromHex(vector.frame);
			const calls: string[] = [];
			const scheme: MacWriter = {
				mac(bytes, start, end, out, outOffset) {
					calls.push(toHex(bytes, start, end));
					equal(outOffset, end);
					out.set(fromHex(vector.fields[de]), outOffset);
				},
			};
			const { out, encoder } = fresh();
			const byteLength = encodeVector(encoder, vector, scheme);
			deepEqual(calls, [toHex(frame, 13, frame.length - 8)]);
			equal(toHex(out, 0, byteLength), vector.frame);
		}
	});

	it("encodes any allowed values so that they decode to the same (property)", () => {
		const digit = fc.constantFrom(..."0123456789");
		const text = (unit: fc.Arbitrary<string>, min: number, max: number) =>
			fc.string({ unit, minLength: min, maxLength: max });
		const hex = (min: number, max: number) =>
			fc.uint8Array({ minLength: min, maxLength: max }).map((bytes) => toHex(bytes));
		const values: Record<number, fc.Arbitrary<string>> = {};
		for (let de = 2; de <= 128; de++) {
			const rule = UNIONPAY.fields[de];
			if (rule === undefined || de === 64) continue;
			const min = rule.prefix === 0 ? rule.lengthMax : 0;
			if (rule.format === "b") values[de] = hex(min, rule.lengthMax);
			else if (rule.format === "n") values[de] = text(digit, min, rule.lengthMax);
			else if (rule.format === "z") values[de] = text(fc.constantFrom(..."0123456789D"), min, rule.lengthMax);
			else if (rule.format === "an") values[de] = text(fc.constantFrom(..."azAZ09 "), min, rule.lengthMax);
			else values[de] = text(fc.constantFrom(..."az AZ09~!+-="), min, rule.lengthMax);
		}
		const { out, encoder } = fresh();
		const message = new MessageDecoder(UNIONPAY);
		const record = fc.record(values, { requiredKeys: [] });
		fc.assert(
			fc.property(record, (fields: Record<number, string | undefined>) => {
				const wanted: Record<string, string> = {};
				const secondary = fields[103] !== undefined || fields[128] !== undefined;
				encoder.begin("0200", { secondary });
				for (let de = 2; de <= 128; de++) {
					const value = fields[de];
					const rule = UNIONPAY.fields[de];
					if (value === undefined || rule === undefined) continue;
					try {
						if (rule.format === "b") encoder.bytes(de, fromHex(value));
						else if (rule.format === "n" || rule.format === "z") encoder.digits(de, value);
						else encoder.ascii(de, value);
						wanted[de] = value;
					} catch (error) {
						if (!coded("length")(error)) throw error; // The frame is full.
					}
				}
				if (secondary && wanted[103] === undefined && wanted[128] === undefined) return;
				const byteLength = encoder.finish();
				message.decode(out, byteLength);
				const seen: Record<string, string> = {};
				for (let de = 2; de <= 128; de++) if (message.has(de)) seen[de] = message.text(de);
				deepEqual(seen, wanted);
				for (const [de, value] of Object.entries(wanted)) {
					if (UNIONPAY.fields[Number(de)]?.format !== "b") equal(message.equals(Number(de), value), true);
				}
			}),
			{ numRuns: 300, seed: 8583 },
		);
	});
});
