/** Goal: the host's own ciphers are right without the terminal's. Method: published and independent known answers. */
import * as assert from "node:assert/strict";
import {
	aesEncryptBlock,
	checkValue,
	cmac8,
	DesKey,
	desDecrypt,
	desEncrypt,
	isMacAt,
	SessionMac,
	sameSecret,
	sessionMac,
} from "../../../host-sim/acquirer/ciphers";
import { initialKey, USAGE_MAC_ANSWER, USAGE_PIN, workingKey } from "../../../host-sim/acquirer/dukpt";
import { keyBlock } from "../../../host-sim/acquirer/host-keys";
import { drawDesKey, isWeakDesKey } from "../../../host-sim/acquirer/key-draw";
import { decryptFormat0, decryptFormat4 } from "../../../host-sim/acquirer/pin-blocks";
import { TEST_BDK, TEST_KEYS } from "../../../host-sim/acquirer/test-keys";
import { SeededRandom } from "../../../host-sim/board/seeded-random";
import { fromHex, toHex } from "../../../src/core/bytes";
import { CodedError } from "../../../src/core/errors";
import { MessageDecoder } from "../../../src/iso8583/decoder";
import { UNIONPAY } from "../../../src/iso8583/unionpay";
import vectors from "../../vectors/unionpay.json";

const { keys, pinBlock, macVector } = vectors;

/** The range a MAC covers: MTI to the field before it. */
function covered(frame: string): { message: Uint8Array; mac: string } {
	const bytes = fromHex(frame);
	const decoder = new MessageDecoder(UNIONPAY);
	decoder.decode(bytes, bytes.length);
	const end = decoder.offset(decoder.macDe);
	return { message: bytes.subarray(13, end), mac: toHex(bytes, end, end + 8) };
}

describe("host: ciphers and MACs", () => {
	it("the MAC of every vector that has one, session and sync", () => {
		let session = 0;
		let sync = 0;
		for (const vector of vectors.vectors) {
			if (!("mac" in vector) || vector.mac === undefined) continue;
			const { message, mac } = covered(vector.frame);
			if (vector.mac.algorithm.startsWith("UnionPay")) {
				assert.equal(toHex(sessionMac("unionpay", fromHex(keys.MAK), message)), mac, vector.name);
				session++;
			} else {
				assert.equal(toHex(cmac8(fromHex(keys.HAK), message)), mac, vector.name);
				sync++;
			}
		}
		assert.deepEqual([session, sync], [9, 6]);
	});

	it("the public UnionPay MAC example", () => {
		const mac = sessionMac("unionpay", fromHex(macVector.key), fromHex(macVector.xor));
		assert.equal(Buffer.from(mac).toString(), macVector.value);
	});

	it("a MAC key of 16 bytes takes triple DES: with equal halves it is the single one", () => {
		const single = sessionMac("unionpay", fromHex(keys.MAK), fromHex("0102030405"));
		assert.deepEqual(sessionMac("unionpay", fromHex(keys.MAK + keys.MAK), fromHex("0102030405")), single);
		const other = sessionMac("unionpay", fromHex(`${keys.MAK}0123456789ABCDEF`), fromHex("0102030405"));
		assert.notDeepEqual(other, single);
	});

	it("one object for many messages gives what one for each gives, in any order, and also after it was wiped", () => {
		for (const name of ["unionpay", "x9.19", "cmac"] as const) {
			const key = fromHex("0123456789ABCDEFFEDCBA9876543210");
			const mac = new SessionMac(name, key);
			const random = new SeededRandom(7);
			for (let n = 0; n < 40; n++) {
				const message = new Uint8Array(random.below(60));
				random.fill(message);
				const framed = new Uint8Array(message.length + 20);
				framed.fill(0xee);
				framed.set(message, 5);
				const found = mac.over(framed, 5, 5 + message.length);
				assert.equal(toHex(found), toHex(sessionMac(name, key, message)), `${name} ${message.length} bytes`);
				if (n % 10 === 9) mac.wipe();
			}
		}
	});

	it("a key for many blocks deciphers what it has enciphered, single and triple", () => {
		for (const hex of [keys.MAK, keys.PIK]) {
			const key = new DesKey(fromHex(hex));
			for (let n = 0; n < 3; n++) {
				const bytes = fromHex("00112233445566778899AABBCCDDEEFF");
				const once = bytes.slice();
				key.encrypt(bytes);
				desEncrypt(fromHex(hex), once);
				assert.deepEqual(bytes, once);
				key.decrypt(bytes);
				assert.equal(toHex(bytes), "00112233445566778899AABBCCDDEEFF");
			}
			assert.equal(toHex(key.checkValue()), toHex(checkValue(fromHex(hex))));
		}
	});

	it("a MAC is found only where it stands whole", () => {
		const bytes = fromHex("0001020304050607FF");
		const mac = fromHex("01020304050607FF");
		assert.deepEqual([isMacAt(mac, bytes, 1), isMacAt(mac, bytes, 0), isMacAt(mac, bytes, 2)], [true, false, false]);
		assert.equal(isMacAt(fromHex("07FF00"), bytes, 7), false, "zeros behind the end are none");
	});

	it("X9.19 as ISO/IEC 9797-1 gives it for algorithm 3", () => {
		const message = Uint8Array.from(Buffer.from("Now is the time for all "));
		const key = fromHex("0123456789ABCDEFFEDCBA9876543210");
		assert.equal(toHex(sessionMac("x9.19", key, message)), "A1C72E74EA3FA9B6");
	});

	it("CMAC as RFC 4493 gives it, cut to 8 bytes", () => {
		const key = fromHex("2B7E151628AED2A6ABF7158809CF4F3C");
		assert.equal(toHex(cmac8(key, new Uint8Array(0))), "BB1D6929E9593728");
		assert.equal(toHex(cmac8(key, fromHex("6BC1BEE22E409F96E93D7E117393172A"))), "070A16B46B4D4144");
		assert.equal(toHex(sessionMac("cmac", key, new Uint8Array(0))), "BB1D6929E9593728");
	});

	it("check values and the key block of a sign-on are those of the vectors", () => {
		assert.equal(toHex(checkValue(fromHex(keys.PIK))), keys.pikCheckValue);
		assert.equal(toHex(checkValue(fromHex(keys.MAK))), keys.makCheckValue);
		const block = keyBlock(fromHex(TEST_KEYS.TMK), { pik: fromHex(keys.PIK), mak: fromHex(keys.MAK) });
		const answer = vectors.vectors.find(({ name }) => name === "sign-on-response");
		assert.ok(answer);
		assert.equal(toHex(block), (answer.fields as Record<string, string>)["62"]);
	});

	it("what was enciphered comes back, in single and double length", () => {
		for (const key of [keys.MAK, keys.PIK]) {
			const bytes = fromHex("00112233445566778899AABBCCDDEEFF");
			desEncrypt(fromHex(key), bytes);
			assert.notEqual(toHex(bytes), "00112233445566778899AABBCCDDEEFF");
			desDecrypt(fromHex(key), bytes);
			assert.equal(toHex(bytes), "00112233445566778899AABBCCDDEEFF");
		}
	});

	it("two secrets are equal when all of them is", () => {
		const bytes = fromHex("0102030405060708");
		assert.equal(sameSecret(bytes, bytes.slice()), true);
		for (let i = 0; i < 64; i++) {
			const other = bytes.slice();
			other[i >> 3] ^= 1 << (i & 7);
			assert.equal(sameSecret(bytes, other), false);
		}
		assert.equal(sameSecret(bytes, bytes.subarray(0, 7)), false);
	});
});

describe("host: keys by chance", () => {
	it("have odd parity, no weak half, halves that differ, and no two are equal", () => {
		const random = new SeededRandom(1);
		const seen = new Set<string>();
		for (let n = 0; n < 2000; n++) {
			const key = drawDesKey(random, n % 2 === 0 ? 16 : 8);
			for (const byte of key) assert.equal([...byte.toString(2)].filter((bit) => bit === "1").length % 2, 1);
			assert.equal(isWeakDesKey(key), false);
			seen.add(toHex(key));
		}
		assert.equal(seen.size, 2000);
	});

	it("a generator that draws a weak key first is asked again", () => {
		const rest = new SeededRandom(2);
		let zeros = 8;
		const random = { below: (bound: number) => (zeros-- > 0 ? 0 : rest.below(bound)) };
		const key = drawDesKey(random, 8);
		assert.notEqual(toHex(key), "0101010101010101");
		assert.equal(isWeakDesKey(fromHex("0101010101010101")), true);
		assert.equal(isWeakDesKey(fromHex(keys.MAK + keys.MAK)), true, "single DES in disguise");
	});
});

describe("host: PIN blocks", () => {
	it("format 0 of the vectors", () => {
		assert.equal(
			decryptFormat0(fromHex(pinBlock.encrypted), pinBlock.pan, new DesKey(fromHex(keys.PIK))),
			pinBlock.pin,
		);
	});

	it("format 0: nothing but digits, right fill and the right card", () => {
		const pik = new DesKey(fromHex(keys.PIK));
		const wrong = ["0412719876FEDCB0", "1412719876FEDCBA", "0312719876FEDCBA", "04FF719876FEDCBA", "0D12719876FEDCBA"];
		for (const clear of wrong) {
			const block = fromHex(clear);
			pik.encrypt(block);
			assert.throws(() => decryptFormat0(block, pinBlock.pan, pik), CodedError, clear);
		}
		// Another card gives another PIN, or none.
		const block = fromHex(pinBlock.encrypted);
		assert.throws(() => decryptFormat0(block, "6212345678901232", pik), CodedError);
		assert.throws(() => decryptFormat0(block.subarray(1), pinBlock.pan, pik), CodedError);
	});

	it("format 4 of every PIN length, built here by the standard's own steps", () => {
		const key = fromHex("AF8CB133A78F8DC2D1359F18527593FB");
		for (const pin of ["1234", "12345", "123456789012"]) {
			for (const pan of ["6221234567890123450", "6212345678901232", "621234567890"]) {
				const clear = fromHex(`4${pin.length.toString(16)}${pin.padEnd(14, "A")}0011223344556677`);
				const middle = aesEncryptBlock(key, clear);
				const panField = fromHex(`${pan.length - 12}${pan}`.padEnd(32, "0"));
				const block = aesEncryptBlock(
					key,
					middle.map((byte, i) => byte ^ panField[i]),
				);
				assert.equal(decryptFormat4(block, pan, key), pin);
				block[3] ^= 1;
				assert.throws(() => decryptFormat4(block, pan, key), CodedError);
			}
		}
	});
});

describe("host: AES-DUKPT", () => {
	const keyId = fromHex("1234567890123456");

	it("the published initial key and the PIN key of counter 1", () => {
		const initial = initialKey(fromHex(TEST_BDK), keyId);
		assert.equal(toHex(initial), "1273671EA26AC29AFA4D1084127652A1");
		assert.equal(toHex(workingKey(initial, keyId, 1, USAGE_PIN)), "AF8CB133A78F8DC2D1359F18527593FB");
	});

	it("keys of other counters, usages and terminals differ", () => {
		const initial = initialKey(fromHex(TEST_BDK), keyId);
		const other = fromHex("1234567890123457");
		const all = [1, 2, 3, 4, 0xffff, 0x10000, 0xffff0000].map((n) => workingKey(initial, keyId, n, USAGE_PIN));
		all.push(workingKey(initial, keyId, 1, USAGE_MAC_ANSWER));
		all.push(workingKey(initialKey(fromHex(TEST_BDK), other), other, 1, USAGE_PIN));
		assert.equal(new Set(all.map((key) => toHex(key))).size, all.length);
	});
});
