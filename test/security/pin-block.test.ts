import { equal, throws } from "node:assert/strict";
import { createDecipheriv } from "node:crypto";
import fc from "fast-check";
import { AssertionError } from "../../src/core/assert";
import { fromHex, toHex } from "../../src/core/bytes";
import type { RandomSource } from "../../src/ports";
import { Aes } from "../../src/security/aes";
import { encryptPinBlock, encryptPinBlock4 } from "../../src/security/pin-block";
import { coded } from "../iso8583/vector-helpers";
import dukpt from "../vectors/aes-dukpt.json";
import file from "../vectors/unionpay.json";

const PIK = fromHex(file.keys.PIK);
const PAN = "6221234567890123450";

function pin(digits: string): Uint8Array {
	return new Uint8Array([...digits].map((c) => c.charCodeAt(0)));
}

/** Enciphers, then deciphers with OpenSSL. @returns the clear block */
function clear(digits: string, pan: string): string {
	const out = new Uint8Array(8);
	encryptPinBlock(pin(digits), pan, PIK, out, 0);
	const key24 = new Uint8Array([...PIK, ...PIK.subarray(0, 8)]);
	const cipher = createDecipheriv("des-ede3", key24, null).setAutoPadding(false);
	return toHex(new Uint8Array(Buffer.concat([cipher.update(out), cipher.final()])));
}

describe("security PIN block", () => {
	it("makes the golden block", () => {
		const out = new Uint8Array(8);
		encryptPinBlock(pin(file.pinBlock.pin), file.pinBlock.pan, PIK, out, 0);
		equal(toHex(out), file.pinBlock.encrypted);
		equal(clear(file.pinBlock.pin, file.pinBlock.pan), file.pinBlock.clear);
	});

	it("takes PINs of 4 to 12 digits, odd counts too, and cards of 13 to 19", () => {
		// 0512345FFFFFFFFF, 06…, 0C… XOR 0000 and the rightmost 12 digits before the check digit.
		equal(clear("12345", PAN), "0512713876FEDCBA");
		equal(clear("000000", "6212345678901232"), "060023459876FEDC");
		equal(clear("123456789012", "4111111111111"), "0C127547698103EE");
	});

	it("refuses other PINs and cards without telling anything of them, and leaves the output alone", () => {
		const out = new Uint8Array(8).fill(0xa5);
		const refused = (digits: string, pan: string, code: string, place: string) =>
			throws(
				() => encryptPinBlock(pin(digits), pan, PIK, out, 0),
				(error: Error) => {
					equal(/\d/.test(error.message), false, error.message);
					return coded(code, place)(error);
				},
			);
		refused("123", PAN, "length", "PIN");
		refused("1234567890123", PAN, "length", "PIN");
		refused("", PAN, "length", "PIN");
		refused("12a4", PAN, "charset", "PIN");
		refused("1234", "411111111111", "length", "PIN block card number");
		refused("1234", "62212345678901x3450", "charset", "PIN block card number");
		equal(toHex(out), "A5".repeat(8));
		throws(() => encryptPinBlock(pin("1234"), PAN, PIK, out, 1), coded("length", "PIN block"));
		throws(() => encryptPinBlock(pin("1234"), PAN, PIK.subarray(0, 8), out, 0), AssertionError);
	});
});

/** Gives these bytes at the end of whatever is asked for. */
function fixed(hex: string): RandomSource {
	return { fill: (bytes) => bytes.set(fromHex(hex.padStart(2 * bytes.length, "E7"))) };
}

function block4(digits: string, pan: string, key: Uint8Array, random: string): Uint8Array {
	const out = new Uint8Array(16);
	encryptPinBlock4(pin(digits), pan, key, new Aes(), fixed(random), out, 0);
	return out;
}

/** Deciphers with OpenSSL, with the card number's field taken from the standard's text. @returns the PIN field */
function clear4(block: Uint8Array, pan: string, key: Uint8Array): string {
	const decrypt = (bytes: Uint8Array) => {
		const cipher = createDecipheriv(`aes-${8 * key.length}-ecb`, key, null).setAutoPadding(false);
		return new Uint8Array(Buffer.concat([cipher.update(bytes), cipher.final()]));
	};
	const field = fromHex(`${pan.length - 12}${pan}`.padEnd(32, "0"));
	return toHex(decrypt(decrypt(block).map((byte, i) => byte ^ field[i])));
}

describe("security PIN block, format 4", () => {
	const key = fromHex("00112233445566778899AABBCCDDEEFF");

	it("makes the blocks of X9.24-3's supplement", () => {
		const { pin: digits, pan, random, blocks } = dukpt.pinBlocks;
		for (const { counter, block } of blocks) {
			const pinKey = dukpt.transactions.find((row) => row.counter === counter)?.pin as string;
			equal(toHex(block4(digits, pan, fromHex(pinKey), random)), block);
		}
	});

	it("agrees with another library's blocks: their PIN comes out", () => {
		// psec, a Python library for retail payments: the clear field that its block has, made again.
		const block = fromHex("E4BE5B623AF7E006AC319E5B93544564");
		const field = clear4(block, "1234567890123456", key);
		equal(field.slice(0, 16), "441234AAAAAAAAAA");
		equal(toHex(block4("1234", "1234567890123456", key, field.slice(16))), toHex(block));
	});

	it("takes PINs of 4 to 12 digits, cards of 12 to 19 and keys of 16, 24 and 32 bytes (property)", () => {
		const digits = (min: number, max: number) =>
			fc.array(fc.nat(9), { minLength: min, maxLength: max }).map((list) => list.join(""));
		const keys = fc.constantFrom(16, 24, 32).chain((n) => fc.uint8Array({ minLength: n, maxLength: n }));
		const random = fc.uint8Array({ minLength: 8, maxLength: 8 }).map((bytes) => toHex(bytes));
		fc.assert(
			fc.property(digits(4, 12), digits(12, 19), keys, random, (code, pan, anyKey, fill) => {
				const field = clear4(block4(code, pan, anyKey, fill), pan, anyKey);
				equal(field, `4${code.length.toString(16).toUpperCase()}${code}`.padEnd(16, "A") + fill);
			}),
			{ numRuns: 200, seed: 4 },
		);
	});

	it("differs each time, and does not fit another card", () => {
		const pan = "4111111111111111";
		const one = block4("1234", pan, key, "0000000000000001");
		equal(toHex(one) === toHex(block4("1234", pan, key, "0000000000000002")), false);
		equal(clear4(one, "4111111111111112", key).startsWith("441234"), false);
	});

	it("refuses other PINs and cards without telling anything of them, and leaves the output alone", () => {
		const out = new Uint8Array(16).fill(0xa5);
		const refused = (digits: string, pan: string, code: string, place: string) =>
			throws(
				() => encryptPinBlock4(pin(digits), pan, key, new Aes(), fixed("00"), out, 0),
				(error: Error) => {
					equal(/\d/.test(error.message), false, error.message);
					return coded(code, place)(error);
				},
			);
		refused("123", PAN, "length", "PIN");
		refused("1234567890123", PAN, "length", "PIN");
		refused("12:4", PAN, "charset", "PIN");
		refused("1234", "41111111111", "length", "PIN block card number");
		refused("1234", `${PAN}0`, "length", "PIN block card number");
		refused("1234", "x221234567890123450", "charset", "PIN block card number");
		equal(toHex(out), "A5".repeat(16));
		const short = out.subarray(1);
		throws(
			() => encryptPinBlock4(pin("1234"), PAN, key, new Aes(), fixed("00"), short, 0),
			coded("length", "PIN block"),
		);
		throws(() => encryptPinBlock4(pin("1234"), PAN, key.subarray(1), new Aes(), fixed("00"), out, 0), AssertionError);
	});
});
