import { deepEqual, equal } from "node:assert/strict";
import { RESPONSE_CODES, responseText } from "../../src/iso8583/response-codes";

const DECLINES =
	"01 02 03 04 05 12 13 14 15 30 40 41 43 51 54 55 57 58 59 61 62 65 68 75 90 91 92 94 96 97 98 99 A0".split(" ");

describe("iso8583 response codes", () => {
	it("takes money for 00, 11, A2, A4, A5 and A6 alone", () => {
		const approved = Object.keys(RESPONSE_CODES).filter((code) => RESPONSE_CODES[code].class === "approved");
		deepEqual(approved.sort(), ["00", "11", "A2", "A4", "A5", "A6"]);
	});

	it("knows a partial approval as such, so that it is reversed", () => {
		const partial = Object.keys(RESPONSE_CODES).filter((code) => RESPONSE_CODES[code].class === "partial");
		deepEqual(partial, ["10"]);
	});

	it("has a text in both languages for every decline a cashier can meet", () => {
		for (const code of DECLINES) {
			equal(Object.hasOwn(RESPONSE_CODES, code), true, code);
			const text = responseText(code);
			// The host did not believe the request: a doubt, not a decline.
			equal(text.class, code === "A0" || code === "97" ? "unheard" : "declined", code);
			equal(/[\u4e00-\u9fff]{3}/.test(text.zh), true, code);
			equal(/^[A-Z][a-zA-Z ,:'-]{5,}$/.test(text.en), true, code);
		}
	});

	it("declines a code it does not know, with a plain text, whatever the host sends", () => {
		for (const code of ["ZZ", "", "  ", "0", "000", "a0", "__proto__", "constructor", "toString"]) {
			equal(responseText(code).class, "declined", code);
			equal(responseText(code).en, "Declined by the bank");
		}
	});
});
