import { deepEqual, equal, match, throws } from "node:assert/strict";
import { AssertionError } from "../../src/core/assert";
import { fromHex, toHex } from "../../src/core/bytes";
import { CodedError } from "../../src/core/errors";
import { MessageDecoder } from "../../src/iso8583/decoder";
import { UNIONPAY } from "../../src/iso8583/unionpay";
import file from "../vectors/unionpay.json";
import { coded, type Vector } from "./vector-helpers";

const VECTORS = file.vectors as unknown as Vector[];

function vector(name: string): Uint8Array {
	return fromHex((VECTORS.find((v) => v.name === name) as Vector).frame);
}

/** A frame of this MTI, bitmap and content, all hex, with the right length. */
function frame(mti: string, bitmap: string, content: string): Uint8Array {
	const body = `6000030000603100311108${mti}${bitmap}${content}`;
	const length = (body.length / 2).toString(16).padStart(4, "0");
	return fromHex(length + body);
}

function decode(bytes: Uint8Array): MessageDecoder {
	const message = new MessageDecoder(UNIONPAY);
	message.decode(bytes, bytes.length);
	return message;
}

describe("iso8583 decoder", () => {
	it("gives offsets and views into the frame, not copies", () => {
		const bytes = vector("sale-chip-no-pin");
		const message = decode(bytes);
		equal(message.offset(2), 24);
		equal(message.byteLength(2), 8);
		equal(message.count(35), 33);
		equal(message.byteLength(35), 17);
		const view = message.bytes(55);
		equal(view.buffer, bytes.buffer);
		equal(view.length, 91);
		bytes[message.offset(55)] = 0x77;
		equal(view[0], 0x77);
	});

	it("reads numbers, parts of digits and parts of text", () => {
		const message = decode(vector("sale-chip-no-pin"));
		equal(message.number(4), 1234);
		equal(message.number(11), 2);
		equal(message.number(22), 52);
		equal(message.number(23), 1);
		equal(message.textAt(60, 0, 2), "22");
		equal(message.numberAt(60, 2, 6), 1);
		equal(message.textAt(60, 8, 3), "000");
		equal(message.textAt(42, 12, 3), "345");
		equal(message.textAt(55, 0, 2), "9F26");
		equal(message.textAt(35, 16, 5), "D3012");
		throws(() => message.textAt(60, 12, 2), coded("length"));
		throws(() => message.textAt(60, -1, 2), coded("length"));
		throws(() => message.number(2), coded("range", "iso8583 DE 2 +24"));
	});

	it("compares digits, track data and text without making strings", () => {
		const message = decode(vector("sale-chip-no-pin"));
		equal(message.equals(2, "6212345678901232"), true);
		equal(message.equals(2, "6212345678901233"), false);
		equal(message.equals(2, "621234567890123"), false);
		equal(message.equals(22, "052"), true);
		equal(message.equals(23, "001"), true);
		equal(message.equals(35, "6212345678901232D3012220119630000"), true);
		equal(message.equals(41, "12345678"), true);
		equal(message.equals(41, "1234567"), false);
		equal(message.equals(39, "00"), false);
		equal(message.equalsAt(60, 2, "000001"), true);
		equal(message.equalsAt(60, 0, "22"), true);
		equal(message.equalsAt(60, 0, "23"), false);
		equal(message.equalsAt(60, 12, "00"), false);
		throws(() => message.equalsAt(55, 0, "9F26"), AssertionError);
	});

	it("says which fields are there, for any number asked", () => {
		const message = decode(vector("sign-off"));
		for (const de of [11, 41, 42, 60]) equal(message.has(de), true);
		for (const de of [0, 1, 2, 12, 64, 128, 129, -1, 1000, 1.5]) equal(message.has(de), false);
		throws(() => message.text(39), coded("missing", "iso8583 DE 39"));
		throws(() => message.bytes(129), coded("missing", "iso8583 DE 129"));
		throws(() => message.number(-1), coded("missing", "iso8583 DE -1"));
	});

	it("names the MAC's field and range, and verifies nothing where there is no MAC", () => {
		const asked: number[][] = [];
		const scheme = {
			verify(_bytes: Uint8Array, start: number, end: number, macOffset: number) {
				asked.push([start, end, macOffset]);
				return true;
			},
		};
		for (const [name, de] of [
			["sale-chip-no-pin", 64],
			["top-up", 128],
			["sign-off", 0],
		] as const) {
			const message = decode(vector(name));
			equal(message.macDe, de);
			equal(message.macStart, 13);
			equal(message.verify(scheme), de !== 0);
		}
		deepEqual(asked, [
			[13, 0xcd - 8, 0xcd - 8],
			[13, 0x84 - 8, 0x84 - 8],
		]);
	});

	it("refuses bytes left over behind the last field", () => {
		const bytes = new Uint8Array([...vector("sign-off"), 0]);
		bytes[1]++;
		throws(() => decode(bytes), coded("length", `iso8583 frame +${bytes.length - 1}`));
	});

	it("refuses a length that is not the frame's, too short for a message, or above the maximum", () => {
		const bytes = vector("sign-off");
		const message = new MessageDecoder(UNIONPAY);
		throws(() => message.decode(bytes, bytes.length - 1), coded("length", "iso8583 frame +0"));
		throws(() => message.decode(bytes, bytes.length + 1), coded("length", "iso8583 frame"));
		for (let i = 0; i < 23; i++) throws(() => message.decode(bytes, i), coded("length"));
		const long = new Uint8Array(1463);
		long.set(bytes);
		long[0] = 1461 >> 8;
		long[1] = 1461 & 255;
		throws(() => message.decode(long, 1463), coded("length", "iso8583 frame +0"));
	});

	it("refuses MTIs the dialect does not know", () => {
		for (const mti of ["0100", "0A00", "FFFF", "0201"]) {
			throws(() => decode(frame(mti, "0020000000000000", "000009")), coded("unknown", "iso8583 MTI +13"));
		}
	});

	it("refuses a bit for a field the dialect does not know, and names it", () => {
		throws(() => decode(frame("0200", "0820000000000000", "0".repeat(40))), coded("unknown", "iso8583 DE 5 +23"));
		const tertiary = frame("0200", "8000000000000000", "8000000000000000".concat("0".repeat(16)));
		throws(() => decode(tertiary), coded("unknown", "iso8583 DE 65 +31"));
	});

	it("refuses nibbles that are no digits, in values and in lengths, with the offset", () => {
		throws(() => decode(frame("0200", "0020000000000000", "00A009")), coded("charset", "iso8583 DE 11 +24"));
		throws(() => decode(frame("0200", "4000000000000000", "1A6212")), coded("charset", "iso8583 DE 2 +23"));
		throws(() => decode(frame("0200", "0000000000000200", "0F0100")), coded("charset", "iso8583 DE 55 +23"));
		throws(() => decode(frame("0200", "4000000000000000", "0412D4")), coded("charset", "iso8583 DE 2 +25"));
		throws(() => decode(frame("0200", "0000000020000000", "0412E4")), coded("charset", "iso8583 DE 35 +25"));
		equal(decode(frame("0200", "0000000020000000", "0412D4")).text(35), "12D4");
	});

	it("refuses lengths that lie, above the limit or past the end of the frame", () => {
		throws(
			() => decode(frame("0200", "4000000000000000", `20${"62".repeat(10)}`)),
			coded("length", "iso8583 DE 2 +23"),
		);
		throws(() => decode(frame("0200", "4000000000000000", `16${"62".repeat(7)}`)), coded("length", "iso8583 DE 2 +24"));
		throws(() => decode(frame("0200", "0000000000000200", "02")), coded("length", "iso8583 DE 55 +23"));
		throws(() => decode(frame("0200", "0000000000000200", "0256")), coded("length", "iso8583 DE 55 +23"));
		throws(() => decode(frame("0200", "0000000000000200", "9999")), coded("length", "iso8583 DE 55 +23"));
	});

	it("refuses padding that is not zero, so that one message has one encoding", () => {
		throws(() => decode(frame("0200", "0000040000000000", "0521")), coded("format", "iso8583 DE 22 +24"));
		throws(() => decode(frame("0200", "0000020000000000", "1001")), coded("format", "iso8583 DE 23 +23"));
		throws(() => decode(frame("0200", "4000000000000000", "036213")), coded("format", "iso8583 DE 2 +25"));
		throws(() => decode(frame("0200", "0000000020000000", "03621D")), coded("format", "iso8583 DE 35 +25"));
	});

	it("refuses a secondary bitmap without bits, and a MAC in 64 behind one", () => {
		throws(
			() => decode(frame("0200", "8020000000000000", "0000000000000000000009")),
			coded("format", "iso8583 DE 1 +23"),
		);
		const both = frame("0200", "8000000000000001", `0000000002000000${"00".repeat(8)}0131`);
		throws(() => decode(both), coded("format"));
	});

	it("refuses control characters in text, but lets the issuer's own language pass in DE 44 and 63", () => {
		throws(() => decode(frame("0210", "0000000002000000", "310A")), coded("charset", "iso8583 DE 39 +24"));
		throws(() => decode(frame("0210", "0000000002000000", "3180")), coded("charset", "iso8583 DE 39 +24"));
		throws(() => decode(frame("0210", "0000000002000000", "312D")), coded("charset", "iso8583 DE 39 +24"));
		throws(() => decode(frame("0210", "0000000000000002", "00020A31")), coded("charset", "iso8583 DE 63 +25"));
		const message = decode(frame("0210", "0000000000000002", "0007435550D6D0B9FA".replace("0007", "0007")));
		equal(message.text(63), "CUP????");
		equal(toHex(message.bytes(63)), "435550D6D0B9FA");
	});

	it("takes empty variable fields and authorization codes of spaces", () => {
		const message = decode(frame("0210", "0000000004100000", "20202020202000"));
		equal(message.text(38), "      ");
		equal(message.text(44), "");
		equal(message.bytes(44).length, 0);
	});

	it("is empty after a refused frame: nothing of it, nor of the one before, can be read", () => {
		const message = decode(vector("sale-chip-no-pin"));
		const bad = vector("sale-response-approved");
		bad[bad.length - 20] = 0x0a;
		throws(() => message.decode(bad, bad.length), CodedError);
		equal(message.mti, "");
		for (let de = 0; de <= 128; de++) equal(message.has(de), false);
		equal(message.macDe, 0);
		equal(message.tpdu().length, 0);
	});

	it("never puts a value into an error", () => {
		const bytes = vector("sale-magstripe-pin");
		const message = new MessageDecoder(UNIONPAY);
		for (let i = 23; i < bytes.length; i++) {
			const bad = bytes.slice();
			bad[i] = 0xff;
			try {
				message.decode(bad, bad.length);
			} catch (error) {
				const safe =
					/^iso8583 (DE \d{1,3}|MTI|frame) \+\d{1,4}: (length|charset|format|unknown)(, \d{1,4} left over)?$/;
				match((error as Error).message, safe);
			}
		}
	});
});
