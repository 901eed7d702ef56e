import { equal, throws } from "node:assert/strict";
import { fromHex, toHex } from "../../src/core/bytes";
import { MessageDecoder } from "../../src/iso8583/decoder";
import { MessageEncoder } from "../../src/iso8583/encoder";
import { UNIONPAY } from "../../src/iso8583/unionpay";
import { SyncMac } from "../../src/security/sync-mac";
import { coded, encodeVector, type Vector } from "../iso8583/vector-helpers";
import standard from "../vectors/mac.json";
import file from "../vectors/unionpay.json";
import { TestKeys } from "./keys-helper";

const { HAK } = file.keys;
const SYNC = (file.vectors as unknown as Vector[]).filter((v) => v.name.startsWith("sync-"));

describe("security sync MAC", () => {
	it("makes and verifies the MAC of every golden sync message, and wipes the key", () => {
		equal(SYNC.length, 6);
		for (const vector of SYNC) {
			const keys = new TestKeys({ HAK });
			const mac = new SyncMac(keys);
			const out = new Uint8Array(1462);
			const byteLength = encodeVector(new MessageEncoder(UNIONPAY, out), vector, mac);
			equal(toHex(out, 0, byteLength), vector.frame, vector.name);
			const message = new MessageDecoder(UNIONPAY);
			message.decode(out, byteLength);
			equal(message.verify(mac), true);
			equal(keys.wiped(), true);
		}
	});

	it("refuses every single-bit change of the MAC, and of what it covers", () => {
		const mac = new SyncMac(new TestKeys({ HAK }));
		const frame = fromHex(SYNC[1].frame);
		const end = frame.length - 8;
		for (let bit = 13 * 8; bit < frame.length * 8; bit++) {
			frame[bit >> 3] ^= 0x80 >> (bit & 7);
			equal(mac.verify(frame, 13, end, end), false, `bit ${bit}`);
			frame[bit >> 3] ^= 0x80 >> (bit & 7);
		}
		equal(mac.verify(frame, 13, end, end), true);
	});

	it("takes keys of 16, 24 and 32 bytes", () => {
		for (const { key, bytes, tag } of standard.cmac.longKeys) {
			const out = new Uint8Array(8);
			new SyncMac(new TestKeys({ HAK: key })).mac(fromHex(standard.cmac.message), 0, bytes, out, 0);
			equal(toHex(out), tag.slice(0, 16));
		}
	});

	it("fails with a code where the key is missing, of another length, or zero, and wipes it all the same", () => {
		for (const hak of ["", HAK.slice(2), "00".repeat(16)]) {
			const keys = new TestKeys({ HAK: hak });
			const mac = new SyncMac(keys);
			throws(() => mac.mac(new Uint8Array(8), 0, 8, new Uint8Array(8), 0), coded("unprovisioned", "security HAK"));
			throws(() => mac.verify(new Uint8Array(16), 0, 8, 8), coded("unprovisioned", "security HAK"));
			equal(keys.wiped(), true);
		}
	});

	it("refuses ranges outside the bytes, and wipes the key", () => {
		const keys = new TestKeys({ HAK });
		const mac = new SyncMac(keys);
		const bytes = new Uint8Array(16);
		throws(() => mac.mac(bytes, 0, 17, bytes, 0), coded("length", "MAC input"));
		throws(() => mac.mac(bytes, 0, 8, bytes, 9), coded("length", "MAC output"));
		throws(() => mac.verify(bytes, 0, 8, 9), coded("length", "security MAC"));
		equal(keys.wiped(), true);
	});
});
