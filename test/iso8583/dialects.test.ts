/**
 * Goal: the tables themselves are sound, and every column of the dialect works with every other.
 * Method: rules that each row has to keep; then dialects put together at random, whose messages go both ways.
 */
import { deepEqual, equal, ok } from "node:assert/strict";
import fc from "fast-check";
import { fromHex, toHex } from "../../src/core/bytes";
import { MessageDecoder } from "../../src/iso8583/decoder";
import type { Dialect, FieldRule } from "../../src/iso8583/dialect";
import { fieldRule, MAC_BYTES, mtiWord } from "../../src/iso8583/dialect";
import { MessageEncoder } from "../../src/iso8583/encoder";
import { Framer } from "../../src/iso8583/framer";
import { layoutOf } from "../../src/iso8583/layout";
import { UNIONPAY } from "../../src/iso8583/unionpay";
import { UNIONPAY_DUKPT } from "../../src/iso8583/unionpay-dukpt";
import { GENERIC_ASCII } from "./generic-ascii";
import { encodeAgain, putFields } from "./vector-helpers";

const CODINGS: Readonly<Record<string, readonly string[]>> = {
	n: ["bcd", "ascii"],
	z: ["bcd", "ascii"],
	an: ["ascii"],
	ans: ["ascii"],
	b: ["binary", "hex"],
};

function checkRow(de: number, rule: FieldRule): void {
	ok(CODINGS[rule.format].includes(rule.coding), `DE ${de}: ${rule.format} does not travel as ${rule.coding}`);
	ok(rule.lengthMax > 0, `DE ${de}: length`);
	if (rule.prefix > 0) {
		const longest = Math.max(rule.lengthMax, rule.longer?.lengthMax ?? 0);
		ok(longest < 10 ** rule.prefix, `DE ${de}: the prefix can say the length`);
	}
	if (rule.wide) equal(rule.format, "ans", `DE ${de}: only text of people is wide`);
	if ([2, 35, 36, 52].includes(de)) ok(rule.masking !== "show", `DE ${de}: is masked`);
}

function checkDialect(dialect: Dialect): void {
	const layout = layoutOf(dialect);
	equal(fromHex(dialect.tpdu).length + fromHex(dialect.header).length, layout.tpduBytes + layout.headerBytes);
	equal(dialect.fields.length, 129);
	equal(dialect.fields[0], undefined);
	dialect.fields.forEach((rule, de) => {
		if (rule !== undefined) checkRow(de, rule);
	});
	const secondary = dialect.fields[1];
	if (secondary !== undefined) {
		equal(secondary.coding, dialect.bitmapCoding, "DE 1 travels as the bitmap before it");
		equal(secondary.prefix === 0 && secondary.lengthMax === 8, true);
	} else ok(dialect.fields.slice(65).every((rule) => rule === undefined));
	for (const de of [64, 128]) {
		const rule = dialect.fields[de];
		if (rule !== undefined) equal(rule.format === "b" && rule.prefix === 0 && rule.lengthMax === MAC_BYTES, true);
	}
	for (const rule of dialect.messages) {
		ok(mtiWord(rule.mti) >= 0 && mtiWord(rule.answer) >= 0, rule.name);
		equal(mtiWord(rule.answer), mtiWord(rule.mti) + 0x10, `${rule.name}: an answer is its request's MTI + 10`);
	}
}

describe("iso8583 dialect tables", () => {
	for (const dialect of [UNIONPAY, UNIONPAY_DUKPT, GENERIC_ASCII]) {
		it(`${dialect.name} is sound`, () => checkDialect(dialect));
	}

	it("has DE 52 of 16 bytes and DE 53 of 12 for an acquirer with AES-DUKPT, and all else as UnionPay's", () => {
		const differ = UNIONPAY.fields.flatMap((rule, de) => (rule === UNIONPAY_DUKPT.fields[de] ? [] : [de]));
		deepEqual(differ, [52, 53]);
		equal(UNIONPAY_DUKPT.mac, "cmac");
		const out = new Uint8Array(1462);
		const encoder = new MessageEncoder(UNIONPAY_DUKPT, out);
		encoder.begin("0200");
		encoder.bytes(52, new Uint8Array(16).fill(0x5a));
		encoder.bytes(53, fromHex("123456789012345600000001"));
		const byteLength = encoder.finish();
		equal(toHex(out, 15, byteLength), `0000000000001800${"5A".repeat(16)}123456789012345600000001`);
		const message = new MessageDecoder(UNIONPAY_DUKPT);
		message.decode(out, byteLength);
		equal(message.text(53), "123456789012345600000001");
	});

	it("names what protects each message", () => {
		const macs = new Map(UNIONPAY.messages.map((rule) => [rule.name, rule.mac]));
		for (const name of ["sign-on", "sign-off", "settlement", "batch upload"]) equal(macs.get(name), "none", name);
		for (const name of ["sale", "void", "refund", "reversal", "top-up"]) equal(macs.get(name), "session", name);
		equal(macs.get("sync"), "sync");
	});

	it("works with every mixture of columns: what is encoded is framed and decodes to the same values (property)", () => {
		const digits = fc.constantFrom("bcd" as const, "ascii" as const);
		const bytes = fc.constantFrom("binary" as const, "hex" as const);
		const columns = fc.record({
			frameLength: fc.constantFrom("u16" as const, "ascii4" as const),
			frameLengthCountsItself: fc.boolean(),
			tpdu: fc.constantFrom("", "6000030000"),
			header: fc.constantFrom("", "603100311108", "49534F"),
			mtiCoding: digits,
			bitmapCoding: bytes,
		});
		const row = fc.record({
			format: fc.constantFrom("n" as const, "z" as const, "an" as const, "b" as const),
			length: fc.integer({ min: 1, max: 30 }),
			prefix: fc.constantFrom(0 as const, 2 as const, 3 as const),
			justify: fc.constantFrom("left" as const, "right" as const),
			digitCoding: digits,
			byteCoding: bytes,
			prefixCoding: digits,
		});
		const rows = fc.array(fc.tuple(fc.integer({ min: 2, max: 127 }), row), { minLength: 1, maxLength: 20 });
		fc.assert(
			fc.property(columns, rows, fc.string({ minLength: 60, maxLength: 60 }), (frame, listed, noise) => {
				const fields: (FieldRule | undefined)[] = new Array(129).fill(undefined);
				const values: Record<number, string> = {};
				for (const [de, { format, length, prefix, justify, digitCoding, byteCoding, prefixCoding }] of listed) {
					if (de === 64) continue;
					const coding = format === "b" ? byteCoding : format === "an" ? "ascii" : digitCoding;
					fields[de] = fieldRule({ format, coding, lengthMax: length, prefix, justify, prefixCoding });
					const alphabet = { n: "0123456789", z: "0123456789D", an: "ABC xyz 019", b: "0123456789ABCDEF" }[format];
					const count = format === "b" ? 2 * length : length;
					const pick = (_: unknown, i: number) => alphabet[(noise.charCodeAt(i % 60) * 7 + i + de) % alphabet.length];
					values[de] = Array.from({ length: count }, pick).join("");
				}
				fields[1] = fieldRule({ format: "b", coding: frame.bitmapCoding, lengthMax: 8 });
				const dialect: Dialect = { ...GENERIC_ASCII, ...frame, fields };
				const out = new Uint8Array(layoutOf(dialect).frameBytesMax);
				const encoder = new MessageEncoder(dialect, out);
				encoder.begin("0200", { secondary: Object.keys(values).some((de) => Number(de) > 64) });
				putFields(encoder, dialect, values);
				const byteLength = encoder.finish();
				let framed = 0;
				new Framer(dialect).push(out, byteLength, (piece, pieceBytes) => {
					framed++;
					const message = new MessageDecoder(dialect);
					message.decode(piece, pieceBytes);
					const seen: Record<number, string> = {};
					for (let de = 2; de <= 128; de++) if (message.has(de)) seen[de] = message.text(de);
					deepEqual(seen, values);
					for (const [de, value] of Object.entries(values)) {
						if (fields[Number(de)]?.format !== "b") ok(message.equals(Number(de), value), `DE ${de}`);
					}
					equal(toHex(message.tpdu()) + toHex(message.header()), dialect.tpdu + dialect.header);
					const again = new Uint8Array(out.length);
					equal(toHex(again, 0, encodeAgain(new MessageEncoder(dialect, again), message)), toHex(out, 0, byteLength));
				});
				equal(framed, 1);
			}),
			{ numRuns: 400, seed: 87 },
		);
	});
});
