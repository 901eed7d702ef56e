import { equal, throws } from "node:assert/strict";
import { fromHex, toHex } from "../../src/core/bytes";
import { MessageDecoder } from "../../src/iso8583/decoder";
import { MessageEncoder } from "../../src/iso8583/encoder";
import { UNIONPAY } from "../../src/iso8583/unionpay";
import type { KeyScheme } from "../../src/security/key-scheme";
import { WorkingKeyScheme } from "../../src/security/key-scheme";
import { coded, encodeVector, type Vector } from "../iso8583/vector-helpers";
import file from "../vectors/unionpay.json";
import { TestKeys } from "./keys-helper";

const { PIK, MAK } = file.keys;
const SALE = (file.vectors as unknown as Vector[]).find((v) => v.name === "sale-chip-no-pin") as Vector;
const FRAME = fromHex(SALE.frame);

function scheme(keys: TestKeys): KeyScheme {
	return new WorkingKeyScheme(keys, UNIONPAY.mac);
}

describe("security working keys", () => {
	it("puts the MAC into a message and verifies it in the same bytes", () => {
		const keys = new TestKeys({ PIK, MAK });
		const out = new Uint8Array(1462);
		const byteLength = encodeVector(new MessageEncoder(UNIONPAY, out), SALE, scheme(keys));
		equal(toHex(out, 0, byteLength), SALE.frame);
		const message = new MessageDecoder(UNIONPAY);
		message.decode(out, byteLength);
		equal(message.verify(scheme(keys)), true);
		equal(keys.wiped(), true);
	});

	it("refuses every single-bit change of the MAC, and of what it covers", () => {
		const keys = new TestKeys({ PIK, MAK });
		const end = FRAME.length - 8;
		for (let bit = 13 * 8; bit < FRAME.length * 8; bit++) {
			const bad = FRAME.slice();
			bad[bit >> 3] ^= 0x80 >> (bit & 7);
			equal(scheme(keys).verify(bad, 13, end, end), false, `bit ${bit}`);
		}
		equal(scheme(keys).verify(FRAME, 13, end, end), true);
	});

	it("refuses a MAC under another key", () => {
		const other = new TestKeys({ PIK, MAK: "0123456789ABCDEF" });
		const message = new MessageDecoder(UNIONPAY);
		message.decode(FRAME, FRAME.length);
		equal(message.verify(scheme(other)), false);
	});

	it("takes a 16-byte MAK whose last 8 bytes are zero as single length", () => {
		const end = FRAME.length - 8;
		equal(scheme(new TestKeys({ MAK: `${MAK}0000000000000000` })).verify(FRAME, 13, end, end), true);
		equal(scheme(new TestKeys({ MAK: `${MAK}0000000000000001` })).verify(FRAME, 13, end, end), false);
		// K1 = K2 makes triple DES single.
		equal(scheme(new TestKeys({ MAK: MAK + MAK })).verify(FRAME, 13, end, end), true);
	});

	it("makes the golden PIN block and wipes the key", () => {
		const keys = new TestKeys({ PIK, MAK });
		const out = new Uint8Array(8);
		scheme(keys).pinBlock(fromHex("31323334"), file.pinBlock.pan, out);
		equal(toHex(out), file.pinBlock.encrypted);
		equal(keys.wiped(), true);
	});

	it("is ready only with both keys in a usable length, none of them zero", () => {
		const ready = (keys: ConstructorParameters<typeof TestKeys>[0]) => {
			const store = new TestKeys(keys);
			const answer = scheme(store).ready();
			equal(store.wiped(), true);
			return answer;
		};
		equal(ready({ PIK, MAK }), true);
		equal(ready({ PIK, MAK: MAK + MAK }), true);
		equal(ready({ PIK }), false);
		equal(ready({ MAK }), false);
		equal(ready({ PIK: PIK.slice(0, 16), MAK }), false);
		equal(ready({ PIK, MAK: MAK.slice(2) }), false);
		equal(ready({ PIK, MAK: "00".repeat(16) }), false);
		equal(ready({ PIK: "00".repeat(16), MAK }), false);
	});

	it("fails with a code and the key's name where the key is missing", () => {
		const none = scheme(new TestKeys({}));
		const eight = new Uint8Array(8);
		throws(() => none.mac(FRAME, 13, 20, eight, 0), coded("unprovisioned", "security MAK"));
		throws(() => none.verify(FRAME, 13, 20, 20), coded("unprovisioned", "security MAK"));
		throws(() => none.pinBlock(fromHex("31323334"), file.pinBlock.pan, eight), coded("unprovisioned", "security PIK"));
	});

	it("wipes keys also when the operation fails", () => {
		const keys = new TestKeys({ PIK, MAK });
		const eight = new Uint8Array(8);
		throws(() => scheme(keys).mac(FRAME, 13, FRAME.length + 1, eight, 0), coded("length"));
		throws(() => scheme(keys).pinBlock(fromHex("313233"), file.pinBlock.pan, eight), coded("length"));
		equal(keys.wiped(), true);
	});

	it("refuses to verify outside the bytes", () => {
		const keys = new TestKeys({ PIK, MAK });
		throws(() => scheme(keys).verify(FRAME, 13, 20, FRAME.length - 7), coded("length", "security MAC"));
		throws(() => scheme(keys).verify(FRAME, 13, 20, -1), coded("length", "security MAC"));
	});
});
