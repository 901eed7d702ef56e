import { equal } from "node:assert/strict";
import { luhnValid } from "../../src/core/luhn";

describe("core check digit", () => {
	it("takes test card numbers of any length from 12 to 19", () => {
		for (const pan of [
			"4111111111111111",
			"5555555555554444",
			"378282246310005",
			"6011111111111117",
			"4222222222222",
		]) {
			equal(luhnValid(pan), true, pan);
		}
	});

	it("refuses every wrong last digit, and every other single digit wrong", () => {
		const pan = "4111111111111111";
		for (let i = 0; i < pan.length; i++) {
			for (let digit = 0; digit < 10; digit++) {
				const other = pan.slice(0, i) + digit + pan.slice(i + 1);
				equal(luhnValid(other), other === pan, other);
			}
		}
	});

	it("refuses what is no card number", () => {
		for (const bad of [
			"",
			"0",
			"00000000000",
			"4111 1111 1111 1111",
			"411111111111111x",
			"0".repeat(20),
			"4111111111111111\n",
		]) {
			equal(luhnValid(bad), false, JSON.stringify(bad));
		}
	});
});
