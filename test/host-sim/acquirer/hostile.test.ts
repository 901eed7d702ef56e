/**
 * Goal: whatever comes over the wire, the host answers with a code or hangs up and says why; no exception, no booking, no
 * memory that grows. Method: the vectors, which the host has carried out already, broken in every way PROTOCOL.md names
 * ("Hostile input"); what a key holder could send is signed again after it was broken.
 */
import * as assert from "node:assert/strict";
import * as fc from "fast-check";
import { HOST_LIMITS } from "../../../host-sim/acquirer/acquirer";
import { HostSyncMac } from "../../../host-sim/acquirer/host-keys";
import { LEDGER_NAMES } from "../../../host-sim/acquirer/ledger-store";
import { TEST_TERMINAL } from "../../../host-sim/acquirer/test-keys";
import { fromHex, toHex, writeU16 } from "../../../src/core/bytes";
import { CodedError } from "../../../src/core/errors";
import { MessageDecoder } from "../../../src/iso8583/decoder";
import { responseText } from "../../../src/iso8583/response-codes";
import { UNIONPAY } from "../../../src/iso8583/unionpay";
import vectors from "../../vectors/unionpay.json";
import { frameOf, frameOfKind, HostUnderTest, KEYS, originalOf, signOnFrame, type TestLine } from "./host-under-test";

const FRAMES = vectors.vectors.map(({ name, frame }) => ({ name, bytes: fromHex(frame) }));
/** Kinds the vectors lack. */
FRAMES.push({ name: "offline sale", bytes: frameOfKind("offlineSale", { stan: 70 }) });
FRAMES.push({ name: "resend", bytes: frameOfKind("resend", { stan: 71, original: originalOf(1, 70) }) });
FRAMES.push({ name: "query", bytes: frameOfKind("query", { stan: 72, original: originalOf(1, 70) }) });

/** A host that has carried out every frame. */
function busyHost(): HostUnderTest {
	const host = new HostUnderTest();
	for (const { name, bytes } of FRAMES) {
		if (name === "batch-upload-end") continue; // Nothing is sold in a batch that has ended.
		send(host, bytes).connection?.end();
		send(host, signOnFrame()).connection?.end(); // One of them is a sign-off.
	}
	return host;
}

/** What anybody may write: messages that carry no MAC, and the heads of chains, which move nothing. */
const NOT_BOOKED = ["batch", "settlement", "upload", "uploadEnd", "anchor"];

/** Everything that money, or a promise of it, depends on. */
function facts(host: HostUnderTest): string {
	return JSON.stringify(
		LEDGER_NAMES.map((name) =>
			host.store.load(name).filter((fact) => !NOT_BOOKED.includes((fact as { kind: string }).kind)),
		),
	);
}

function send(host: HostUnderTest, bytes: Uint8Array): TestLine {
	const line = host.call();
	line.connection?.receive(bytes);
	return line;
}

/** One outcome of three, and each is whole. @returns which */
function outcome(host: HostUnderTest, line: TestLine, what: string): string {
	const { length } = line.pieces;
	if (line.closed) {
		assert.match(host.events.at(-1)?.text ?? "", /^connection \d+ closed: .+/, what);
		return "closed";
	}
	line.connection?.end();
	if (length === 0) return "waits";
	const decoder = new MessageDecoder(UNIONPAY);
	for (const piece of line.pieces) {
		decoder.decode(piece, piece.length);
		const code = decoder.text(39);
		assert.ok(code === "00" || ["declined", "unheard"].includes(responseText(code).class), `${what}: code ${code}`);
	}
	return decoder.text(39);
}

describe("host: hostile input", () => {
	it("every truncation of every vector: it waits for the rest, then hangs up; nothing is booked", () => {
		const host = busyHost();
		const before = facts(host);
		for (const { name, bytes } of FRAMES) {
			for (let length = 1; length < bytes.length; length++) {
				const line = send(host, bytes.slice(0, length));
				assert.equal(outcome(host, line, name), "waits");
				// The same with a length that agrees: a message that breaks off.
				if (length < 3) continue;
				const short = bytes.slice(0, length);
				writeU16(short, 0, length - 2);
				assert.notEqual(outcome(host, send(host, short), `${name} ${length}`), "waits");
			}
		}
		assert.ok(facts(host) === before, "the ledgers are as they were");
	});

	it("every single-bit flip of every vector: a code or a closed connection; nothing is booked", () => {
		const host = busyHost();
		const before = facts(host);
		const seen = new Map<string, number>();
		for (const { name, bytes } of FRAMES) {
			send(host, signOnFrame()).connection?.end(); // A broken sign-off may still be one.
			for (let bit = 0; bit < bytes.length * 8; bit++) {
				const flipped = bytes.slice();
				flipped[bit >> 3] ^= 0x80 >> (bit & 7);
				const got = outcome(host, send(host, flipped), `${name} bit ${bit}`);
				seen.set(got, (seen.get(got) ?? 0) + 1);
			}
		}
		assert.ok(facts(host) === before, "the ledgers are as they were");
		for (const wanted of ["A0", "closed", "waits", "58"]) assert.ok((seen.get(wanted) ?? 0) > 0, wanted);
	});

	it("random bytes, alone and behind a right header, in any split", () => {
		const host = busyHost();
		const before = facts(host);
		const header = FRAMES[2].bytes.slice(2, 15);
		fc.assert(
			fc.property(fc.uint8Array({ minLength: 1, maxLength: 600 }), fc.boolean(), fc.nat(), (noise, headed, cut) => {
				const body = headed ? [...header, ...noise] : [...noise];
				const bytes = Uint8Array.from([0, 0, ...body]);
				writeU16(bytes, 0, body.length);
				const line = host.call();
				const at = cut % bytes.length;
				line.connection?.receive(bytes.slice(0, at));
				line.connection?.receive(bytes.slice(at));
				outcome(host, line, toHex(bytes));
			}),
			{ numRuns: 1000 },
		);
		assert.ok(facts(host) === before, "the ledgers are as they were");
	});

	it("lengths, bitmaps and BCD that lie, signed again where a MAC is left: no exception, and no money is made", () => {
		const host = busyHost();
		const sync = new HostSyncMac(TEST_TERMINAL);
		const decoder = new MessageDecoder(UNIONPAY);
		const change = fc.record({ at: fc.nat(), value: fc.oneof(fc.constantFrom(0, 0x99, 0xff, 0x9a), fc.nat(255)) });
		let carriedOut = 0;
		fc.assert(
			fc.property(
				fc.constantFrom(...FRAMES),
				fc.array(change, { minLength: 1, maxLength: 4 }),
				({ name, bytes }, changes) => {
					send(host, signOnFrame()).connection?.end();
					const broken = bytes.slice();
					for (const { at, value } of changes) broken[2 + (at % (broken.length - 2))] = value;
					try {
						decoder.decode(broken, broken.length);
						if (decoder.macDe !== 0) {
							const at = decoder.offset(decoder.macDe);
							(decoder.mti === "0300" ? sync : KEYS).mac(broken, 13, at, broken, at);
						}
					} catch (error) {
						assert.ok(error instanceof CodedError);
					}
					if (outcome(host, send(host, broken), `${name} ${JSON.stringify(changes)}`) === "00") carriedOut++;
					const { totals } = host.acquirer.statement();
					assert.equal(totals.conserved, true);
					assert.equal(totals.cardNetMinor, totals.merchantNetMinor);
				},
			),
			{ numRuns: 1500 },
		);
		assert.ok(carriedOut > 20, "deep enough to be carried out");
	});

	const floods: [string, Uint8Array][] = [
		["zeros", new Uint8Array(4)],
		["ones", Uint8Array.of(0xff)],
		["text", Uint8Array.from(Buffer.from("GET / HTTP/1.1\r\n"))],
		["sales with a wrong MAC", frameOf("0200", { mac: "wrong", stan: 80 })],
		["one sale, again and again", frameOf("0200", { stan: 81 })],
		["sign-ons", signOnFrame({ batch: 0 })],
		["sign-offs", signOnFrame({ mti: "0820" })],
		["sync messages", FRAMES.find(({ name }) => name === "sync-claim-request")?.bytes ?? Uint8Array.of()],
	];
	for (const [what, unit] of floods) {
		it(`a flood of 64 KiB of ${what} leaves no timer, at most one booking, and the host serving`, () => {
			const host = busyHost();
			const before = host.acquirer.statement().totals.debitedMinor;
			const facts0 = LEDGER_NAMES.map((name) => host.store.load(name).length).reduce((a, b) => a + b);
			const flood = new Uint8Array(65_536);
			for (let at = 0; at < flood.length; at++) flood[at] = unit[at % unit.length];
			const line = send(host, flood);
			assert.ok(line.pieces.length <= 65_536 / 40, "no more answers than frames");
			line.connection?.end();
			assert.ok(host.acquirer.statement().totals.debitedMinor - before <= 1234);
			const facts1 = LEDGER_NAMES.map((name) => host.store.load(name).length).reduce((a, b) => a + b);
			assert.ok(facts1 - facts0 <= 3, `${facts1 - facts0} facts`);
			assert.equal(host.time.pending, 0);
			host.signOn({ stan: 90 });
			assert.equal(host.sale({ stan: 91 }).code, "00");
		});
	}

	it("a byte a second: the connection is given up in the middle of the frame, and says why", () => {
		for (const { name, bytes } of FRAMES) {
			const host = new HostUnderTest();
			const line = host.call();
			for (let at = 0; at < bytes.length && !line.closed; at++) {
				line.connection?.receive(bytes.slice(at, at + 1));
				host.time.advance(1000);
			}
			assert.equal(line.closed, true, name);
			assert.match(host.events.at(-1)?.text ?? "", /too slowly/);
			assert.ok(host.time.nowMs >= HOST_LIMITS.frameMsMax);
			assert.equal(host.time.pending, 0);
		}
	});

	it("an answer sent to the host is no request: hung up on", () => {
		for (const { name, bytes } of FRAMES) {
			if (!name.includes("response")) continue;
			const host = new HostUnderTest();
			assert.equal(outcome(host, send(host, bytes), name), "closed");
		}
	});

	it("a recorded session played again word for word books nothing twice", () => {
		const host = busyHost();
		const before = facts(host);
		for (let n = 0; n < 3; n++) for (const { bytes } of FRAMES) send(host, bytes);
		assert.ok(facts(host) === before, "the ledgers are as they were");
	});
});
