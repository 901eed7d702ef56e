/** A technician's file of keys: all of it is right, or none of it is loaded, and the error names file and key (I9, I11). */
import assert from "node:assert/strict";
import { TEST_DUKPT, TEST_KEYS } from "../../../host-sim/acquirer/test-keys";
import { parseKeys } from "../../../host-sim/cli/key-file";
import { CodedError } from "../../../src/core/errors";

const RIGHT = {
	TMK: { key: TEST_KEYS.TMK, check: "08D7B4FB" },
	HAK: { key: TEST_KEYS.HAK, check: "7AD386C3" },
	DUKPT: { id: TEST_DUKPT.id, key: TEST_DUKPT.key, check: TEST_DUKPT.check },
};

describe("key file", () => {
	it("gives all keys of a file that is right, what a terminal may still refuse first", () => {
		const names = parseKeys(JSON.stringify(RIGHT), "key file k.json").map(({ name }) => name);
		assert.deepEqual(names, ["DUKPT", "TMK", "HAK"]);
	});

	it("gives none when one does not fit its check value, and names it without a digit of it", () => {
		for (const name of Object.keys(RIGHT) as (keyof typeof RIGHT)[]) {
			const wrong = { ...RIGHT, [name]: { ...RIGHT[name], check: "00000000" } };
			assert.throws(
				() => parseKeys(JSON.stringify(wrong), "key file k.json"),
				(error) =>
					error instanceof CodedError &&
					error.code === "auth" &&
					error.message.startsWith(`key file k.json ${name}`) &&
					!error.message.includes(RIGHT[name].key.slice(0, 6)),
			);
		}
	});

	it("gives none when one has a length that no such key has", () => {
		const wrong = { ...RIGHT, TMK: { key: TEST_KEYS.TMK.slice(2), check: "08D7B4FB" } };
		assert.throws(() => parseKeys(JSON.stringify(wrong), "key file k.json"), { code: "length" });
	});

	it("takes a key in components", () => {
		const parts = ["00112233445566778899AABBCCDDEEFF", ""];
		const key = TEST_KEYS.TMK;
		let other = "";
		for (let i = 0; i < key.length; i += 2) {
			const byte = Number.parseInt(key.slice(i, i + 2), 16) ^ Number.parseInt(parts[0].slice(i, i + 2), 16);
			other += byte.toString(16).padStart(2, "0");
		}
		const file = { TMK: { components: [parts[0], other], check: "08D7B4FB" } };
		assert.equal(
			Buffer.from(parseKeys(JSON.stringify(file), "f")[0].key)
				.toString("hex")
				.toUpperCase(),
			key,
		);
	});
});
