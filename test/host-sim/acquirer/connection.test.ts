import * as assert from "node:assert/strict";
import * as fc from "fast-check";
import { HOST_LIMITS } from "../../../host-sim/acquirer/acquirer";
import { fromHex } from "../../../src/core/bytes";
import vectors from "../../vectors/unionpay.json";
import { frameOf, HostUnderTest } from "./host-under-test";

describe("host: connections", () => {
	it("a request is answered whatever way the network splits it", () => {
		const frame = frameOf("0200");
		for (const size of [1, 2, 3, 7, frame.length - 1]) {
			const host = new HostUnderTest();
			const line = host.call();
			for (let at = 0; at < frame.length; at += size) line.connection?.receive(frame.slice(at, at + size));
			assert.equal(line.answers().length, 1, `pieces of ${size}`);
		}
	});

	it("two requests in one piece get two answers", () => {
		const host = new HostUnderTest();
		const line = host.call();
		line.connection?.receive(Uint8Array.from([...frameOf("0200"), ...frameOf("0200", { stan: 3 })]));
		assert.deepEqual(
			line.answers().map(({ stan }) => stan),
			[2, 3],
		);
	});

	it("an HTTP client is hung up on, with a line that says so", () => {
		const host = new HostUnderTest();
		const line = host.call();
		line.connection?.receive(Uint8Array.from(Buffer.from("GET / HTTP/1.1\r\nHost: x\r\n\r\n")));
		assert.equal(line.closed, true);
		assert.equal(line.pieces.length, 0);
		assert.match(host.events[0].text, /HTTP/);
		assert.equal(host.acquirer.connections, 0);
	});

	it("random bytes end in a closed connection or in waiting, never in an exception or a booking", () => {
		fc.assert(
			fc.property(fc.uint8Array({ minLength: 1, maxLength: 300 }), (bytes) => {
				const host = new HostUnderTest();
				const line = host.call();
				line.connection?.receive(bytes);
				assert.equal(host.acquirer.statement().entries.length, 0);
			}),
			{ numRuns: 300 },
		);
	});

	it("no single-bit flip of a sale or a top-up debits another amount or card; it is refused or the connection is closed", () => {
		// Goal: noise never moves money. Method: every bit of the frame once.
		const topUp = vectors.vectors.find(({ name }) => name === "top-up")?.frame ?? "";
		for (const frame of [frameOf("0200"), fromHex(topUp)]) {
			for (let bit = 0; bit < frame.length * 8; bit++) {
				const host = new HostUnderTest();
				const bytes = frame.slice();
				bytes[bit >> 3] ^= 0x80 >> (bit & 7);
				const line = host.call();
				line.connection?.receive(bytes);
				const { entries } = host.acquirer.statement();
				// TPDU and header are outside the MAC and mean nothing to the host.
				const outside = bit >> 3 >= 2 && bit >> 3 < 13;
				assert.equal(entries.length, outside ? 1 : 0, `bit ${bit}`);
			}
		}
	});

	it("of the vectors' messages it books the sales and the top-up, and none of the others", () => {
		const office = ["settlement-request", "batch-upload", "batch-upload-end"];
		office.push("sync-list-request", "sync-digest-request", "sync-claim-request");
		for (const { name, mti, frame } of vectors.vectors) {
			if (name.startsWith("sale-") || name.startsWith("reversal")) continue;
			const host = new HostUnderTest();
			const line = host.call();
			line.connection?.receive(fromHex(frame));
			const { debitedMinor, farSidesNetMinor } = host.acquirer.statement().totals;
			if (name === "top-up") {
				assert.deepEqual([line.answers()[0].code, debitedMinor, farSidesNetMinor], ["00", 5000, 5000]);
				continue;
			}
			assert.equal(debitedMinor, 0, name);
			if (office.includes(name)) assert.equal(line.answers()[0].code, "00", name);
			// An answer is no request: whoever sends one is not a terminal.
			else assert.equal(line.closed, mti[2] === "1" || mti[2] === "3", name);
		}
	});

	it("a silent connection is closed after its time, one that talks is not", () => {
		const host = new HostUnderTest();
		const silent = host.call();
		const talking = host.call();
		host.time.advance(HOST_LIMITS.idleMsMax - 1);
		talking.connection?.receive(frameOf("0200"));
		assert.equal(silent.closed, false);
		host.time.advance(1);
		assert.deepEqual([silent.closed, talking.closed], [true, false]);
	});

	it("a frame that comes a byte at a time, too slowly, is given up", () => {
		const host = new HostUnderTest();
		const line = host.call();
		const frame = frameOf("0200");
		for (let at = 0; at < frame.length && !line.closed; at++) {
			line.connection?.receive(frame.slice(at, at + 1));
			host.time.advance(1000);
		}
		assert.equal(line.closed, true);
		assert.equal(host.acquirer.statement().entries.length, 0);
	});

	it("more connections than the limit are refused, and one that ends makes room", () => {
		const host = new HostUnderTest({ limits: { connectionsMax: 2 } });
		const first = host.call();
		host.call();
		assert.equal(host.call().connection, undefined);
		first.connection?.end();
		assert.notEqual(host.call().connection, undefined);
	});

	it("a flood of requests whose split answers are never taken is cut off", () => {
		const host = new HostUnderTest({ limits: { piecesMax: 100 } });
		host.faults.setRate("answerSplit", 1);
		const line = host.call();
		for (let stan = 1; stan < 100 && !line.closed; stan++) line.connection?.receive(frameOf("0200", { stan }));
		assert.equal(line.closed, true);
		assert.equal(host.time.pending, 0, "no timer is left behind");
	});

	it("what comes after a close is ignored", () => {
		const host = new HostUnderTest();
		const line = host.call();
		line.connection?.close("test");
		line.connection?.close("test");
		line.connection?.receive(frameOf("0200"));
		assert.equal(host.acquirer.statement().entries.length, 0);
	});
});
