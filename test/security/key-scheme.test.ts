/**
 * Goal: working keys come with a sign-on, count only when they are right, and last as long as an exchange needs them.
 */
import { equal, throws } from "node:assert/strict";
import { createCipheriv } from "node:crypto";
import { AssertionError } from "../../src/core/assert";
import { fromHex, toHex } from "../../src/core/bytes";
import { MessageDecoder } from "../../src/iso8583/decoder";
import { MessageEncoder } from "../../src/iso8583/encoder";
import { UNIONPAY } from "../../src/iso8583/unionpay";
import { WorkingKeyScheme } from "../../src/security/key-scheme";
import { createMac, type MacName } from "../../src/security/mac";
import { coded, encodeVector, type Vector } from "../iso8583/vector-helpers";
import file from "../vectors/unionpay.json";
import { TestKeys } from "./keys-helper";

const { TMK, PIK, MAK } = file.keys;
const ZEROS = "00".repeat(8);
const VECTORS = file.vectors as unknown as Vector[];
const BLOCK = fromHex(VECTORS.find((v) => v.name === "sign-on-response")?.fields["62"] as string);
const SALE = VECTORS.find((v) => v.name === "sale-chip-no-pin") as Vector;
const FRAME = fromHex(SALE.frame);
const MAC_OFFSET = FRAME.length - 8;
const OTHER_MAK = "0123456789ABCDEFFEDCBA9876543210";

/** Triple DES by OpenSSL, of 8-byte blocks. */
function tdes(key: string, data: string): string {
	const key24 = key.length === 16 ? key + key + key : key.length === 32 ? key + key.slice(0, 16) : key;
	const cipher = createCipheriv("des-ede3", fromHex(key24), null).setAutoPadding(false);
	return toHex(new Uint8Array(Buffer.concat([cipher.update(fromHex(data)), cipher.final()])));
}

/** DE 62 as a host makes it. @param mak - 8 bytes: sent with zeros behind, and its check value is that of single DES */
function block(pik: string, mak: string, tmk = TMK): Uint8Array {
	const check = (key: string) => tdes(key, ZEROS).slice(0, 8);
	return fromHex(tdes(tmk, pik) + check(pik) + tdes(tmk, mak.padEnd(32, "0")) + check(mak));
}

/** With the keys of the golden sign-on in use. */
function signedOn(keys = new TestKeys({ TMK }), mac: MacName = "unionpay"): WorkingKeyScheme {
	const scheme = new WorkingKeyScheme(keys, mac);
	scheme.install(mac === "unionpay" ? BLOCK : block(PIK, OTHER_MAK));
	equal(scheme.use(scheme.open()), true);
	return scheme;
}

/** MAC of the sale under the keys in use. */
function macOf(scheme: WorkingKeyScheme): string {
	const out = new Uint8Array(8);
	scheme.mac(FRAME, 13, MAC_OFFSET, out, 0);
	return toHex(out);
}

function macUnder(mak: string, name: MacName = "unionpay"): string {
	const out = new Uint8Array(8);
	createMac(name).compute(fromHex(mak), FRAME, 13, MAC_OFFSET, out, 0);
	return toHex(out);
}

describe("security working keys", () => {
	it("takes the key block of the golden sign-on, and wipes the master key", () => {
		const keys = new TestKeys({ TMK });
		const scheme = new WorkingKeyScheme(keys, "unionpay");
		equal(scheme.provisioned(), true);
		equal(scheme.ready(), false);
		scheme.install(BLOCK);
		equal(scheme.ready(), true);
		equal(keys.wiped(), true);
		equal(scheme.use(scheme.open()), true);
		const out = new Uint8Array(8);
		scheme.pinBlock(fromHex("31323334"), file.pinBlock.pan, out);
		equal(toHex(out), file.pinBlock.encrypted);
		equal(toHex(block(PIK, MAK)), toHex(BLOCK), "and the tests make the same block");
	});

	it("puts the MAC into a message and verifies it in the same bytes", () => {
		const scheme = signedOn();
		const out = new Uint8Array(1462);
		const byteLength = encodeVector(new MessageEncoder(UNIONPAY, out), SALE, scheme);
		equal(toHex(out, 0, byteLength), SALE.frame);
		const message = new MessageDecoder(UNIONPAY);
		message.decode(out, byteLength);
		equal(message.verify(scheme), true);
	});

	it("refuses every single-bit change of the MAC, and of what it covers", () => {
		const scheme = signedOn();
		for (let bit = 13 * 8; bit < FRAME.length * 8; bit++) {
			const bad = FRAME.slice();
			bad[bit >> 3] ^= 0x80 >> (bit & 7);
			equal(scheme.verify(bad, 13, MAC_OFFSET, MAC_OFFSET), false, `bit ${bit}`);
		}
		equal(scheme.verify(FRAME, 13, MAC_OFFSET, MAC_OFFSET), true);
	});

	it("refuses every single-bit change of the key block, and keeps the keys it has", () => {
		const keys = new TestKeys({ TMK });
		const scheme = signedOn(keys);
		const good = block(PIK, OTHER_MAK);
		for (let bit = 0; bit < good.length * 8; bit++) {
			const bad = good.slice();
			bad[bit >> 3] ^= 0x80 >> (bit & 7);
			const name = bit < 160 ? "security PIK" : "security MAK";
			throws(() => scheme.install(bad), coded("auth", name), `bit ${bit}`);
			equal(keys.wiped(), true);
		}
		equal(scheme.open(), 1);
		equal(macOf(scheme), macUnder(MAK));
		scheme.install(good);
		equal(scheme.open(), 2);
	});

	it("refuses a key block of any other length, and every truncation", () => {
		const scheme = signedOn();
		for (let n = 0; n < BLOCK.length; n++) {
			throws(() => scheme.install(BLOCK.subarray(0, n)), coded("length", "security key block"));
		}
		throws(() => scheme.install(new Uint8Array([...BLOCK, 0])), coded("length", "security key block"));
		equal(scheme.open(), 1);
	});

	it("refuses keys that are none, though their check values fit", () => {
		const [a, b] = [PIK.slice(0, 16), PIK.slice(16)];
		for (const pik of [a + a, ZEROS + b, a + ZEROS, ZEROS + ZEROS, a + "01".repeat(8)]) {
			const scheme = new WorkingKeyScheme(new TestKeys({ TMK }), "unionpay");
			throws(() => scheme.install(block(pik, MAK)), coded("auth", "security PIK"), pik);
			equal(scheme.ready(), false);
		}
		for (const mak of [ZEROS, ZEROS + a, a + "01".repeat(8)]) {
			const scheme = new WorkingKeyScheme(new TestKeys({ TMK }), "unionpay");
			throws(() => scheme.install(block(PIK, mak)), coded("auth", "security MAK"), mak);
			equal(scheme.ready(), false);
		}
	});

	it("takes a MAK of single and of double length, and one whose halves are the same, which is the single one", () => {
		const mac = (mak: string) => {
			const scheme = new WorkingKeyScheme(new TestKeys({ TMK }), "unionpay");
			scheme.install(block(PIK, mak));
			scheme.use(scheme.open());
			return macOf(scheme);
		};
		equal(mac(MAK), toHex(FRAME, MAC_OFFSET));
		equal(mac(MAK + MAK), toHex(FRAME, MAC_OFFSET));
		equal(mac(OTHER_MAK), macUnder(OTHER_MAK));
	});

	it("gives X9.19 and CMAC only keys of their length", () => {
		for (const name of ["x9.19", "cmac"] as const) {
			equal(macOf(signedOn(undefined, name)), macUnder(OTHER_MAK, name));
			const scheme = new WorkingKeyScheme(new TestKeys({ TMK }), name);
			throws(() => scheme.install(block(PIK, MAK)), coded("auth", "security MAK"), name);
		}
		const scheme = new WorkingKeyScheme(new TestKeys({ TMK }), "x9.19");
		throws(() => scheme.install(block(PIK, MAK + MAK)), coded("auth", "security MAK"));
	});

	it("unwraps under a master key of 24 bytes too", () => {
		const long = `${TMK}89ABCDEF01234567`;
		const scheme = new WorkingKeyScheme(new TestKeys({ TMK: long }), "unionpay");
		scheme.install(block(PIK, MAK, long));
		scheme.use(scheme.open());
		equal(macOf(scheme), toHex(FRAME, MAC_OFFSET));
	});

	it("without a master key, or with one that is none, is not provisioned and takes nothing", () => {
		const weak = [undefined, "", TMK.slice(2), TMK.slice(0, 16), ZEROS + ZEROS, TMK.slice(0, 16) + TMK.slice(0, 16)];
		for (const tmk of weak) {
			const keys = new TestKeys(tmk === undefined ? {} : { TMK: tmk });
			const scheme = new WorkingKeyScheme(keys, "unionpay");
			equal(scheme.provisioned(), false, tmk);
			throws(() => scheme.install(BLOCK), coded("unprovisioned", "security TMK"), tmk);
			equal(keys.wiped(), true);
		}
	});

	it("verifies a late answer under the keys before, and no older ones", () => {
		const scheme = signedOn();
		scheme.install(block(PIK, OTHER_MAK));
		equal(scheme.open(), 2);
		equal(macOf(scheme), macUnder(MAK), "a sign-on changes nothing for the exchange in use");
		equal(scheme.use(2), true);
		equal(macOf(scheme), macUnder(OTHER_MAK));
		equal(scheme.use(1), true);
		equal(scheme.verify(FRAME, 13, MAC_OFFSET, MAC_OFFSET), true);
		scheme.close();
		equal(scheme.use(1), true, "closed, but not gone");
		scheme.install(BLOCK);
		throws(() => macOf(scheme), AssertionError);
		equal(scheme.use(1), false);
		equal(scheme.use(2), true);
		equal(scheme.use(3), true);
		for (const never of [0, 4, -1]) equal(scheme.use(never), false);
	});

	it("forgets all keys at a sign-off, and never gives a ticket twice", () => {
		const scheme = signedOn();
		scheme.install(block(PIK, OTHER_MAK));
		scheme.forget();
		equal(scheme.ready(), false);
		equal(scheme.provisioned(), true);
		equal(scheme.use(1), false);
		equal(scheme.use(2), false);
		throws(() => macOf(scheme), coded("unprovisioned", "security MAK"));
		throws(() => scheme.open(), AssertionError);
		scheme.install(BLOCK);
		equal(scheme.open(), 3);
		equal(scheme.use(2), false, "the keys before the sign-off are not the ones before these");
		equal(scheme.use(3), true);
		equal(macOf(scheme), macUnder(MAK));
	});

	it("fails with a code and the key's name where no keys are installed", () => {
		const none = new WorkingKeyScheme(new TestKeys({ TMK }), "unionpay");
		const eight = new Uint8Array(8);
		throws(() => none.mac(FRAME, 13, 20, eight, 0), coded("unprovisioned", "security MAK"));
		throws(() => none.verify(FRAME, 13, 20, 20), coded("unprovisioned", "security MAK"));
		throws(() => none.pinBlock(fromHex("31323334"), file.pinBlock.pan, eight), coded("unprovisioned", "security PIK"));
	});

	it("asserts that keys are named before they are used", () => {
		const scheme = new WorkingKeyScheme(new TestKeys({ TMK }), "unionpay");
		scheme.install(BLOCK);
		const eight = new Uint8Array(8);
		throws(() => scheme.mac(FRAME, 13, 20, eight, 0), AssertionError);
		throws(() => scheme.verify(FRAME, 13, 20, 20), AssertionError);
		throws(() => scheme.pinBlock(fromHex("31323334"), file.pinBlock.pan, eight), AssertionError);
	});

	it("leaves the output alone when the PIN is none, and refuses to verify outside the bytes", () => {
		const scheme = signedOn();
		const out = new Uint8Array(8).fill(0xa5);
		throws(() => scheme.pinBlock(fromHex("313233"), file.pinBlock.pan, out), coded("length", "PIN"));
		equal(toHex(out), "A5".repeat(8));
		throws(() => scheme.mac(FRAME, 13, FRAME.length + 1, out, 0), coded("length", "MAC input"));
		throws(() => scheme.verify(FRAME, 13, 20, FRAME.length - 7), coded("length", "security MAC"));
		throws(() => scheme.verify(FRAME, 13, 20, -1), coded("length", "security MAC"));
	});

	it("says in DE 53 how the PIN is enciphered, and nothing without one", () => {
		const scheme = signedOn();
		equal(scheme.pinBlockBytes, 8);
		equal(scheme.securityControl(true), "2600000000000000");
		equal(scheme.securityControl(false), undefined);
	});
});
