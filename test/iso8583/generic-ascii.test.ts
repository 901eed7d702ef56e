/**
 * Goal: a dialect is a table. ASCII digits and lengths, hex bitmap and bytes, no TPDU, a length that counts itself: the
 * same codec, with nothing but generic-ascii.ts. The first golden frame is what npm's iso_8583 makes of the same fields
 * (a test asks it), behind our own four digits of length; the other two are put together by hand.
 */
/// <reference path="../bench/iso-8583.d.ts" />
import { deepEqual, equal, ok, throws } from "node:assert/strict";
import Peer from "iso_8583";
import { fromHex, readAscii, toHex } from "../../src/core/bytes";
import type { MacVerifier } from "../../src/iso8583/decoder";
import { MessageDecoder } from "../../src/iso8583/decoder";
import type { MacWriter } from "../../src/iso8583/encoder";
import { MessageEncoder } from "../../src/iso8583/encoder";
import { Framer } from "../../src/iso8583/framer";
import { renderMasked } from "../../src/iso8583/mask";
import { GENERIC_ASCII } from "./generic-ascii";
import { Survival } from "./hostile-helpers";
import { coded, putFields } from "./vector-helpers";

interface Golden {
	readonly mti: string;
	readonly frame: string;
	readonly fields: Readonly<Record<number, string>>;
}

const SALE: Golden = {
	mti: "0200",
	frame:
		"02460200F23C048028C19000000000000400000119622123456789012345000000000000000123411220931120000020931121122301202100" +
		"346221234567890123450=30122201196301112209311201TERM0001MERCHANT 000001005A B/C156978C5DA363D4956D" +
		"1662123456789012320123456789ABCDEF",
	fields: {
		2: "6221234567890123450",
		3: "000000",
		4: "000000001234",
		7: "1122093112",
		11: "000002",
		12: "093112",
		13: "1122",
		14: "3012",
		22: "021",
		25: "00",
		35: "6221234567890123450D30122201196301",
		37: "112209311201",
		41: "TERM0001",
		42: "MERCHANT 000001",
		48: "A B/C",
		49: "156",
		52: "978C5DA363D4956D",
		102: "6212345678901232",
		128: "0123456789ABCDEF",
	},
};

const DECLINED: Golden = {
	mti: "0110",
	frame: "005801103020000002800000000000000000001234000002" + "05TERM0001",
	fields: { 3: "000000", 4: "000000001234", 11: "000002", 39: "05", 41: "TERM0001" },
};

/** The length of DE 55 counts bytes, not the characters that spell them. */
const CHIP: Golden = {
	mti: "0210",
	frame: "003502100000000002000200000039F2601",
	fields: { 39: "00", 55: "9F2601" },
};

const ALL = [SALE, DECLINED, CHIP];

function bytesOf(text: string): Uint8Array {
	return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

function encode({ mti, fields }: Golden, scheme?: MacWriter): Uint8Array {
	const out = new Uint8Array(2004);
	const encoder = new MessageEncoder(GENERIC_ASCII, out);
	encoder.begin(mti, { secondary: Object.keys(fields).some((de) => Number(de) > 64) });
	putFields(encoder, GENERIC_ASCII, fields, scheme !== undefined);
	return out.slice(0, scheme === undefined ? encoder.finish() : encoder.finishWithMac(scheme));
}

function decode(frame: string): MessageDecoder {
	const message = new MessageDecoder(GENERIC_ASCII);
	const bytes = bytesOf(frame);
	message.decode(bytes, bytes.length);
	return message;
}

/** The frame of an 0210 with this bitmap and content. */
function answer(bitmap: string, content: string): string {
	const body = `0210${bitmap}${content}`;
	return String(body.length + 4).padStart(4, "0") + body;
}

/** As the peer calls them: it has no hex, and its bitmap is always the long one. */
function peerFormats() {
	const format = (ContentType: string, LenType: string, MaxLen: number) => ({
		ContentType,
		Label: "",
		LenType,
		MaxLen,
	});
	return {
		1: format("an", "fixed", 32),
		14: format("n", "fixed", 4),
		22: format("n", "fixed", 3),
		35: format("ans", "llvar", 37),
		49: format("n", "fixed", 3),
		52: format("an", "fixed", 16),
		102: format("ans", "llvar", 28),
		128: format("an", "fixed", 16),
	};
}

describe("iso8583 in a second dialect", () => {
	for (const golden of ALL) {
		it(`encodes an ${golden.mti} character for character`, () => {
			const bytes = encode(golden);
			equal(readAscii(bytes, 0, bytes.length), golden.frame);
		});

		it(`decodes an ${golden.mti} to its fields`, () => {
			const message = decode(golden.frame);
			const seen: Record<string, string> = {};
			for (let de = 2; de <= 128; de++) if (message.has(de)) seen[de] = message.text(de);
			deepEqual(seen, { ...golden.fields });
			equal(message.mti, golden.mti);
			equal(message.tpdu().length + message.header().length, 0);
		});

		it(`refuses every truncation of an ${golden.mti}`, () => {
			new Survival(GENERIC_ASCII).truncations(bytesOf(golden.frame));
		});

		it(`answers every single-bit flip of an ${golden.mti} with a coded error or the message those bytes are`, () => {
			ok(new Survival(GENERIC_ASCII).bitFlips(bytesOf(golden.frame)) > 8 * 4 + 8 * 16);
		});
	}

	it("makes the frame that npm's iso_8583 makes of the same fields", () => {
		const fields = { ...SALE.fields, 35: SALE.fields[35].replace("D", "=") };
		const frame = new Peer({ 0: SALE.mti, ...fields }, peerFormats()).getBufferMessage();
		ok(Buffer.isBuffer(frame), JSON.stringify(frame));
		equal(frame.subarray(2).toString("latin1"), SALE.frame.slice(4));
	});

	it("reads numbers, parts and comparisons as in any dialect", () => {
		const message = decode(SALE.frame);
		equal(message.number(4), 1234);
		equal(message.numberAt(7, 0, 4), 1122);
		equal(message.equals(2, "6221234567890123450"), true);
		equal(message.equals(35, "6221234567890123450D30122201196301"), true);
		equal(message.equals(35, "6221234567890123450=30122201196301"), false);
		equal(message.textAt(35, 18, 5), "0D301");
		equal(message.textAt(52, 1, 2), "8C5D");
		equal(message.count(52), 8);
		equal(message.byteLength(52), 16);
		equal(toHex(message.bytes(52)), "978C5DA363D4956D");
		equal(message.text(1), "0000000004000001");
		equal(message.rule?.name, "sale");
		equal(decode(DECLINED.frame).rule?.name, "authorization");
		equal(decode(CHIP.frame).rule, undefined);
	});

	it("masks by the table's column", () => {
		const line = renderMasked(decode(SALE.frame));
		ok(line.startsWith("0200 2=622123*********3450 3=000000 "), line);
		ok(line.includes(" 35=<34> ") && line.includes(" 52=<8> ") && line.includes(" 102=************1232 "), line);
	});

	it("hands the MAC to a scheme as bytes, whatever spells them in the frame", () => {
		const seen: string[] = [];
		const scheme: MacWriter & MacVerifier = {
			mac(bytes, start, end, out, outOffset) {
				seen.push(readAscii(bytes, start, end));
				out.set(fromHex(SALE.fields[128]), outOffset);
			},
			verify(bytes, start, end, macOffset) {
				seen.push(readAscii(bytes, start, end));
				return toHex(bytes, macOffset, macOffset + 8) === SALE.fields[128];
			},
		};
		const bytes = encode(SALE, scheme);
		equal(readAscii(bytes, 0, bytes.length), SALE.frame);
		equal(decode(SALE.frame).verify(scheme), true);
		equal(decode(SALE.frame.replace(/F$/, "E")).verify(scheme), false);
		equal(decode(DECLINED.frame).verify(scheme), false);
		const covered = SALE.frame.slice(4, -16);
		deepEqual(seen, [covered, covered, covered]);
	});

	it("refuses what is no digit, no upper-case hex, and lengths that lie, with the offset", () => {
		throws(() => decode(SALE.frame.replace("0246", "0245")), coded("length", "iso8583 frame +0"));
		throws(() => decode(SALE.frame.replace("0246", "02 6")), coded("length", "iso8583 frame +0"));
		throws(() => decode(CHIP.frame.replace("0210", "02A0")), coded("unknown", "iso8583 MTI +4"));
		throws(() => decode(CHIP.frame.replace("0210", "0300")), coded("unknown", "iso8583 MTI +4"));
		throws(() => decode(SALE.frame.replace("F23C", "f23C")), coded("charset", "iso8583 bitmap +8"));
		throws(() => decode(answer("0000000002000200", "0000A9F2601")), coded("charset", "iso8583 DE 55 +28"));
		throws(() => decode(answer("0000000002000200", "000039f2601")), coded("charset", "iso8583 DE 55 +30"));
		throws(() => decode(answer("0000000002000200", "000049F2601")), coded("length", "iso8583 DE 55 +29"));
		throws(() => decode(answer("0000000002000200", "00256")), coded("length", "iso8583 DE 55 +26"));
		throws(() => decode(answer("0000000002000200", "000029F2601")), coded("length", "iso8583 frame +33"));
		throws(() => decode(answer("3000000000000000", "00000000000000123=")), coded("charset", "iso8583 DE 4 +41"));
		throws(() => decode(answer("0000000020000000", "0412D4")), coded("charset", "iso8583 DE 35 +28"));
		throws(() => decode(answer("8000000000000000", "0000000000000000")), coded("format", "iso8583 DE 1 +24"));
		throws(() => decode(answer("8000000000000000", "000000000400000")), coded("length", "iso8583 DE 1 +24"));
		throws(() => decode(answer("8000000000000000", "000000000400000G")), coded("charset", "iso8583 bitmap +39"));
		throws(() => decode(answer("0000000000000040", "")), coded("unknown", "iso8583 DE 58 +24"));
		equal(decode(answer("0000000020000000", "0412=4")).text(35), "12D4");
	});

	it("names characters that a field does not have, in the encoder too", () => {
		const encoder = new MessageEncoder(GENERIC_ASCII, new Uint8Array(2004));
		encoder.begin("0200");
		throws(() => encoder.digits(2, "62123456789O1232"), coded("charset", "iso8583 DE 2 +37"));
		throws(() => encoder.number(3, 1_000_000), coded("range", "iso8583 DE 3 +24"));
		encoder.number(3, 1234);
		throws(() => encoder.digits(35, "12=4"), coded("charset", "iso8583 DE 35 +34"));
		throws(() => encoder.bytes(52, new Uint8Array(7)), coded("length", "iso8583 DE 52 +30"));
		encoder.bytes(52, fromHex("FF00978C5DA363D4956D0A"), 2, 10);
		const byteLength = encoder.finish();
		equal(byteLength, 46);
	});

	it("is framed by its four digits, at any split", () => {
		const stream = bytesOf(ALL.map((golden) => golden.frame).join(""));
		for (let cut = 0; cut <= stream.length; cut++) {
			const framer = new Framer(GENERIC_ASCII);
			const seen: string[] = [];
			for (const piece of [stream.subarray(0, cut), stream.subarray(cut)]) {
				framer.push(piece, piece.length, (frame, byteLength) => seen.push(readAscii(frame, 0, byteLength)));
			}
			deepEqual(
				seen,
				ALL.map((golden) => golden.frame),
			);
		}
	});

	it("ends a stream whose length is none, is itself only, or is above the maximum", () => {
		for (const [start, why] of [
			["HTTP/1.1", /peer speaks HTTP/],
			["\u0016\u0003\u0001\u0002", /peer speaks TLS/],
			["00A0", /no length/],
			["0003", /no length/],
			["0004", /0 of at most 2000/],
			["2005", /2001 of at most 2000/],
		] as const) {
			const bytes = bytesOf(start);
			throws(() => new Framer(GENERIC_ASCII).push(bytes, bytes.length, () => ok(false)), why, start);
		}
	});
});
