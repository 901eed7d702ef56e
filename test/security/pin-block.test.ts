import { equal, throws } from "node:assert/strict";
import { createDecipheriv } from "node:crypto";
import { AssertionError } from "../../src/core/assert";
import { fromHex, toHex } from "../../src/core/bytes";
import { encryptPinBlock } from "../../src/security/pin-block";
import { coded } from "../iso8583/vector-helpers";
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
