import { equal, throws } from "node:assert/strict";
import { fromHex, toHex } from "../../src/core/bytes";
import { CardSeal } from "../../src/security/card-seal";
import { combineComponents, loadKey, makeStoreKey } from "../../src/security/key-loading";
import { coded } from "../iso8583/vector-helpers";
import file from "../vectors/unionpay.json";
import { CutKeys, PowerCut, TestKeys } from "./keys-helper";

const TMK = fromHex(file.keys.TMK);
const HAK = fromHex(file.keys.HAK);
/** Of the test keys: triple DES of eight zero bytes; AES-CMAC of sixteen. By OpenSSL. */
const TMK_CHECK = fromHex("08D7B4FB");
const HAK_CHECK = fromHex("7AD386C376");

const ONE = { fill: (bytes: Uint8Array) => bytes.fill(0x5a) };

describe("security key loading", () => {
	it("loads a key with its check value, of every length allowed", () => {
		for (const n of [3, 4]) {
			const keys = new TestKeys({});
			loadKey(keys, "TMK", TMK, TMK_CHECK.subarray(0, n));
			equal(keys.keys.TMK, file.keys.TMK);
		}
		for (const n of [3, 4, 5]) {
			const keys = new TestKeys({});
			loadKey(keys, "HAK", HAK, HAK_CHECK.subarray(0, n));
			equal(keys.keys.HAK, file.keys.HAK);
		}
		equal(toHex(TMK), file.keys.TMK, "the caller's bytes are the caller's to wipe");
	});

	it("refuses a check value that is wrong in any bit, with the key before untouched", () => {
		const cases = [
			["TMK", TMK, TMK_CHECK],
			["HAK", HAK, HAK_CHECK],
		] as const;
		for (const [name, key, check] of cases) {
			const keys = new TestKeys({ [name]: "AB".repeat(16) });
			for (let bit = 0; bit < check.length * 8; bit++) {
				const wrong = check.slice();
				wrong[bit >> 3] ^= 0x80 >> (bit & 7);
				throws(() => loadKey(keys, name, key, wrong), coded("auth", `security ${name}`));
			}
			const tooLong = new Uint8Array([...check, 0]);
			for (const bad of [tooLong, check.subarray(0, 2), check.subarray(0, 0)]) {
				throws(() => loadKey(keys, name, key, bad), coded("length", `security ${name}`));
			}
			equal(keys.writes.length, 0);
			equal(keys.keys[name], "AB".repeat(16));
		}
	});

	it("refuses keys of another length, of zeros, or with parts that undo each other, though their check values fit", () => {
		const keys = new TestKeys({});
		for (const n of [0, 8, 15, 17, 32]) {
			throws(() => loadKey(keys, "TMK", new Uint8Array(n).fill(3), TMK_CHECK), coded("length", "security TMK"));
		}
		for (const n of [0, 8, 15, 17, 20]) {
			throws(() => loadKey(keys, "HAK", new Uint8Array(n).fill(3), HAK_CHECK), coded("length", "security HAK"));
		}
		// Single DES of zeros under 0123456789ABCDEF is D5D44FF720683D0D; under zeros, 8CA64DE9C1B123A7.
		throws(() => loadKey(keys, "TMK", fromHex("0123456789ABCDEF0123456789ABCDEF"), fromHex("D5D44F")), coded("auth"));
		throws(() => loadKey(keys, "TMK", new Uint8Array(16), fromHex("8CA64DE9")), coded("auth", "security TMK"));
		throws(() => loadKey(keys, "HAK", new Uint8Array(16), fromHex("763CBCDE81")), coded("auth", "security HAK"));
		equal(keys.writes.length, 0);
	});

	it("takes parity bits as they come: the same key without odd parity has the same check value", () => {
		const keys = new TestKeys({});
		const even = TMK.map((byte) => byte ^ 1);
		loadKey(keys, "TMK", even, TMK_CHECK);
		equal(keys.keys.TMK, toHex(even));
	});

	it("tells nothing of the key in its errors", () => {
		for (const check of [fromHex("00000000"), fromHex("00")]) {
			throws(
				() => loadKey(new TestKeys({}), "TMK", TMK, check),
				(error: Error) => !error.message.includes("0123") && !error.message.includes("08D7"),
			);
		}
	});

	it("cut at its write has the old key or the new one", () => {
		for (const after of [false, true]) {
			const keys = new CutKeys({ TMK: "AB".repeat(16) }, 0, after);
			throws(() => loadKey(keys, "TMK", TMK, TMK_CHECK), PowerCut);
			equal(keys.keys.TMK, after ? file.keys.TMK : "AB".repeat(16));
		}
	});

	it("puts components together by XOR", () => {
		const out = new Uint8Array(4);
		combineComponents([fromHex("01020304"), fromHex("10203040"), fromHex("FF00FF00")], out);
		equal(toHex(out), "EE22CC44");
		combineComponents([fromHex("01020304"), fromHex("10203040")], out);
		equal(toHex(out), "11223344");
		combineComponents([fromHex("01020304")], out);
		equal(toHex(out), "01020304");
	});

	it("refuses none, more than three, one of another length and one of zeros, and leaves no half of a key", () => {
		const part = fromHex("01020304");
		const refused = (parts: Uint8Array[], code: string, place: string) => {
			const out = new Uint8Array(4).fill(9);
			throws(() => combineComponents(parts, out), coded(code, place));
			equal(toHex(out), "00000000");
		};
		refused([], "length", "key components");
		refused([part, part, part, part], "length", "key components");
		refused([part, part.subarray(1)], "length", "key component");
		refused([part, new Uint8Array(4)], "range", "key component");
		// The same component twice gives zeros, which no key may be.
		const out = new Uint8Array(16).fill(1);
		combineComponents([TMK, TMK], out);
		throws(() => loadKey(new TestKeys({}), "TMK", out, fromHex("8CA64DE9")), coded("auth", "security TMK"));
	});

	it("makes the key of what is sealed, and another one for each new journal", () => {
		const keys = new TestKeys({});
		makeStoreKey(keys, ONE);
		equal(keys.keys.STORE, "5A".repeat(32));
		equal(new CardSeal(keys).ready(), true);
		const other = { fill: (bytes: Uint8Array) => bytes.fill(0x77) };
		makeStoreKey(keys, other);
		equal(keys.keys.STORE, "77".repeat(32), "the nonces of a new journal begin anew: so does their key");
		equal(keys.wiped(), true);
		equal(new CardSeal(new TestKeys({ STORE: "00".repeat(32) })).ready(), false, "a key of zeros is none");
	});

	it("stores no key of zeros when the generator is broken, and wipes the key when the store fails", () => {
		const keys = new TestKeys({});
		throws(() => makeStoreKey(keys, { fill: () => {} }), coded("range", "security STORE"));
		equal(keys.writes.length, 0);
		const cut = new CutKeys({}, 0, false);
		throws(() => makeStoreKey(cut, ONE), PowerCut);
		equal(cut.wiped(), true);
	});
});
