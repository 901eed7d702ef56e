import { deepEqual, equal, throws } from "node:assert/strict";
import fc from "fast-check";
import { AssertionError } from "../../src/core/assert";
import { fromHex, toHex } from "../../src/core/bytes";
import { CodedError } from "../../src/core/errors";
import { CARD_BYTES, CardSeal, packCard, unpackCard } from "../../src/security/card-seal";
import { coded } from "../iso8583/vector-helpers";
import { TestKeys } from "./keys-helper";

const STORE = "808182838485868788898A8B8C8D8E8F909192939495969798999A9B9C9D9E9F";
const NONCE = fromHex("070000004041424344454647");
const AAD = fromHex("50515253C0C1C2C3C4C5C6C7");
const CARD = { pan: "6212345678901232", expiry: "3012", sequence: "001" };

describe("security card seal", () => {
	it("is ChaCha20-Poly1305: the vector of RFC 8439 §2.8.2", () => {
		const text =
			"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.";
		const plain = new Uint8Array([...text].map((c) => c.charCodeAt(0)));
		const sealed = new CardSeal(new TestKeys({ STORE })).seal(plain, NONCE, AAD);
		equal(sealed.length, plain.length + 16);
		equal(toHex(sealed, 0, 16), "D31A8D34648E60DB7B86AFBC53EF7EC2");
		equal(toHex(sealed, plain.length), "1AE10B594F09E26A7E902ECBD0600691");
	});

	it("opens what it sealed, and wipes the key each time", () => {
		const keys = new TestKeys({ STORE });
		const seal = new CardSeal(keys);
		const sealed = seal.seal(packCard(CARD), NONCE, AAD);
		equal(sealed.length, CARD_BYTES + 16);
		equal(keys.wiped(), true);
		deepEqual(unpackCard(seal.open(sealed, NONCE, AAD)), CARD);
		equal(keys.wiped(), true);
	});

	it("opens again after the key was wiped: nothing is remembered between two operations", () => {
		const keys = new TestKeys({ STORE });
		const seal = new CardSeal(keys);
		const sealed = seal.seal(packCard(CARD), NONCE, AAD);
		keys.keys.STORE = STORE.replace("80", "81");
		throws(() => seal.open(sealed, NONCE, AAD), coded("auth", "card seal"));
		keys.keys.STORE = STORE;
		deepEqual(unpackCard(seal.open(sealed, NONCE, AAD)), CARD);
	});

	it("refuses every single-bit change of text, nonce and associated data, and wipes the key", () => {
		const keys = new TestKeys({ STORE });
		const seal = new CardSeal(keys);
		const sealed = seal.seal(packCard(CARD), NONCE, AAD);
		const inputs = [sealed, NONCE.slice(), AAD.slice()] as const;
		for (const bytes of inputs) {
			for (let bit = 0; bit < bytes.length * 8; bit++) {
				bytes[bit >> 3] ^= 0x80 >> (bit & 7);
				throws(() => seal.open(inputs[0], inputs[1], inputs[2]), coded("auth", "card seal"));
				bytes[bit >> 3] ^= 0x80 >> (bit & 7);
			}
		}
		equal(keys.wiped(), true);
		deepEqual(unpackCard(seal.open(...inputs)), CARD);
	});

	it("refuses every truncation, and a nonce of another length", () => {
		const seal = new CardSeal(new TestKeys({ STORE }));
		const sealed = seal.seal(packCard(CARD), NONCE, AAD);
		for (let n = 0; n < sealed.length; n++) throws(() => seal.open(sealed.subarray(0, n), NONCE, AAD), coded("auth"));
		throws(() => seal.open(sealed, NONCE.subarray(1), AAD), coded("auth"));
		throws(() => seal.seal(packCard(CARD), NONCE.subarray(1), AAD), AssertionError);
	});

	it("shows nothing of the card in the sealed bytes", () => {
		const sealed = toHex(new CardSeal(new TestKeys({ STORE })).seal(packCard(CARD), NONCE, AAD));
		equal(sealed.includes("62123456"), false);
		equal(sealed.includes("78901232"), false);
	});

	it("fails with a code where the key is missing or of another length", () => {
		for (const keys of [new TestKeys({}), new TestKeys({ STORE: STORE.slice(2) })]) {
			const seal = new CardSeal(keys);
			equal(seal.ready(), false);
			throws(() => seal.seal(packCard(CARD), NONCE, AAD), coded("unprovisioned", "security STORE"));
			throws(() => seal.open(new Uint8Array(31), NONCE, AAD), coded("unprovisioned", "security STORE"));
			equal(keys.wiped(), true);
		}
		equal(new CardSeal(new TestKeys({ STORE })).ready(), true);
	});

	it("packs a card into 15 bytes", () => {
		equal(toHex(packCard(CARD)), "10621234567890123200003012" + "1001");
		equal(toHex(packCard({ pan: "6221234567890123450", expiry: "3012" })), "13622123456789012345003012" + "0000");
	});

	it("packs and unpacks any card (property)", () => {
		const digits = (min: number, max: number) =>
			fc.string({ unit: fc.constantFrom(..."0123456789"), minLength: min, maxLength: max });
		const card = fc.record(
			{ pan: digits(12, 19), expiry: digits(4, 4), sequence: digits(3, 3) },
			{ requiredKeys: ["pan", "expiry"] },
		);
		fc.assert(
			fc.property(card, (value) => deepEqual(unpackCard(packCard(value)), { ...value })),
			{ numRuns: 300, seed: 7 },
		);
	});

	it("refuses cards it cannot pack, without their digits in the error", () => {
		const refused = (card: Parameters<typeof packCard>[0], code: string) =>
			throws(
				() => packCard(card),
				(error: Error) => coded(code)(error) && !/\d{3}/.test(error.message),
			);
		refused({ pan: "62123456789", expiry: "3012" }, "length");
		refused({ pan: "62123456789012345678", expiry: "3012" }, "length");
		refused({ pan: "62123456789x1232", expiry: "3012" }, "charset");
		refused({ pan: CARD.pan, expiry: "301" }, "length");
		refused({ pan: CARD.pan, expiry: "30-2" }, "charset");
		refused({ pan: CARD.pan, expiry: "3012", sequence: "01" }, "length");
		refused({ pan: CARD.pan, expiry: "3012", sequence: "0x1" }, "charset");
	});

	it("unpacks only what it can have packed: other bytes are a coded error, or pack to the same again (property)", () => {
		throws(() => unpackCard(new Uint8Array(14)), coded("length"));
		throws(() => unpackCard(new Uint8Array(15)), coded("format"));
		const base = packCard(CARD);
		fc.assert(
			fc.property(fc.array(fc.tuple(fc.nat(14), fc.nat(255)), { minLength: 1, maxLength: 4 }), (changes) => {
				const bytes = base.slice();
				for (const [at, value] of changes) bytes[at] = value;
				try {
					equal(toHex(packCard(unpackCard(bytes))), toHex(bytes));
				} catch (error) {
					if (!(error instanceof CodedError)) throw error;
				}
			}),
			{ numRuns: 2000, seed: 8 },
		);
	});
});
