import * as assert from "node:assert/strict";
import { HostSyncMac } from "../../../host-sim/acquirer/host-keys";
import { TEST_TERMINAL } from "../../../host-sim/acquirer/test-keys";
import { fromHex } from "../../../src/core/bytes";
import { MessageDecoder } from "../../../src/iso8583/decoder";
import { MessageEncoder } from "../../../src/iso8583/encoder";
import { UNIONPAY } from "../../../src/iso8583/unionpay";
import vectors from "../../vectors/unionpay.json";
import { HostUnderTest } from "./host-under-test";

const REQUESTS = vectors.vectors.filter(({ name }) => name.startsWith("sync-") && name.endsWith("-request"));

/** DE 39, with whether the answer's own MAC is right, and the nonce. */
function ask(host: HostUnderTest, bytes: Uint8Array): string {
	const line = host.call();
	line.connection?.receive(bytes);
	const decoder = new MessageDecoder(UNIONPAY);
	decoder.decode(line.pieces[0], line.pieces[0].length);
	const right = decoder.verify(new HostSyncMac(TEST_TERMINAL));
	return `${decoder.mti} ${decoder.text(39)} ${right ? "right" : "wrong"} ${decoder.has(62) ? decoder.text(62) : "-"}`;
}

/** A 0300 with this DE 62, under the right MAC. */
function syncFrame(code: string, data: Uint8Array): Uint8Array {
	const frame = new Uint8Array(400);
	const encoder = new MessageEncoder(UNIONPAY, frame);
	encoder.begin("0300");
	encoder.number(11, 12);
	encoder.ascii(41, TEST_TERMINAL.terminalId);
	encoder.ascii(42, TEST_TERMINAL.merchantId);
	encoder.digits(60, `00000001${code}`);
	encoder.bytes(62, data);
	return frame.slice(0, encoder.finishWithMac(new HostSyncMac(TEST_TERMINAL)));
}

describe("host: sync messages", () => {
	it("are answered under their own MAC, the nonce given back before the answer, signed on or not", () => {
		assert.equal(REQUESTS.length, 3);
		for (const signedOn of [true, false]) {
			for (const { frame } of REQUESTS) {
				const host = new HostUnderTest({ signedOn });
				assert.match(ask(host, fromHex(frame)), /^0310 00 right 0102030405060708.+/);
			}
		}
	});

	it("are answered 40 by a host that knows none of them, with the nonce alone", () => {
		for (const { frame } of REQUESTS) {
			assert.equal(ask(new HostUnderTest({ sync: false }), fromHex(frame)), "0310 40 right 0102030405060708");
		}
	});

	it("with data of another length, or numbers that nothing has, are answered 30", () => {
		for (const change of [
			(bytes: Uint8Array) => bytes.fill(0, 8, 11), // Batch 000000.
			(bytes: Uint8Array) => bytes.fill(0xff, 8, 11),
			(bytes: Uint8Array) => bytes.slice(0, -1),
		]) {
			const message = new MessageDecoder(UNIONPAY);
			const bytes = fromHex(REQUESTS[1].frame);
			message.decode(bytes, bytes.length);
			const data = message.bytes(62).slice();
			const changed = change(data);
			assert.equal(ask(new HostUnderTest(), syncFrame("406", changed)), "0310 30 right 0102030405060708");
		}
	});

	it("with a wrong MAC are answered A0: the answer has the right one", () => {
		const bytes = fromHex(REQUESTS[0].frame);
		bytes[bytes.length - 1] ^= 1;
		assert.equal(ask(new HostUnderTest(), bytes), "0310 A0 right 0102030405060708");
	});

	it("of a terminal with another key are answered under that key", () => {
		const hak = "000102030405060708090A0B0C0D0E0F";
		const host = new HostUnderTest({ terminals: [{ ...TEST_TERMINAL, hak }] });
		assert.match(ask(host, fromHex(REQUESTS[0].frame)), /^0310 A0 wrong/);
	});
});
