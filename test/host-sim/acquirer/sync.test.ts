import * as assert from "node:assert/strict";
import { HostSyncMac } from "../../../host-sim/acquirer/host-keys";
import { TEST_TERMINAL } from "../../../host-sim/acquirer/test-keys";
import { fromHex } from "../../../src/core/bytes";
import { MessageDecoder } from "../../../src/iso8583/decoder";
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

describe("host: sync messages, which it does not know yet", () => {
	it("are answered 40 under their own MAC with the nonce given back, signed on or not", () => {
		assert.equal(REQUESTS.length, 3);
		for (const signedOn of [true, false]) {
			for (const { frame } of REQUESTS) {
				const host = new HostUnderTest({ signedOn });
				assert.equal(ask(host, fromHex(frame)), "0310 40 right 0102030405060708");
			}
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
