/** Goal: one movement, one key, for what is sent after the fact: however often it comes, whatever came before it. */
import * as assert from "node:assert/strict";
import { toHex } from "../../../src/core/bytes";
import { frameOfKind, HostUnderTest, originalOf, type Request } from "./host-under-test";

/** Card and merchant nets of all ledgers. */
function nets(host: HostUnderTest): number[] {
	const { totals } = host.acquirer.statement();
	return [totals.cardNetMinor, totals.merchantNetMinor];
}

describe("host: offline sale", () => {
	it("debits the card and credits the merchant once; a repeat gets the same answer byte for byte", () => {
		const host = new HostUnderTest();
		const first = host.ask("offlineSale");
		assert.deepEqual([first.mti, first.code, first.macRight], ["0230", "00", true]);
		for (let n = 0; n < 3; n++) {
			host.time.advance(100_000);
			if (n === 1) host.restart();
			assert.equal(toHex(host.ask("offlineSale").frame), toHex(first.frame));
		}
		assert.deepEqual(nets(host), [1234, 1234]);
		assert.equal(host.entry().debits, 1);
	});

	it("asks for no PIN: the card is gone", () => {
		const host = new HostUnderTest();
		assert.equal(host.ask("offlineSale", { card: "wrong-pin" }).code, "00");
	});

	const declines: [string, string, Request][] = [
		["more than the card holds", "51", { card: "poor", amountMinor: 101 }],
		["an expired card", "54", { card: "expired" }],
		["a lost card", "41", { card: "lost" }],
		["an unknown card", "14", { card: "unknown" }],
		["amount 0", "13", { amountMinor: 0 }],
		["no date", "30", { without: 13 }],
	];
	for (const [why, code, request] of declines) {
		it(`answers ${code} for ${why}, and the same each time`, () => {
			const host = new HostUnderTest();
			const first = host.ask("offlineSale", request);
			assert.deepEqual([first.code, first.macRight], [code, true]);
			assert.equal(host.ask("offlineSale", request).code, code);
			assert.deepEqual(nets(host), [0, 0]);
		});
	}

	it("keeps its decline although the card could pay by now: what was told stays", () => {
		const host = new HostUnderTest();
		host.sale({ card: "poor", amountMinor: 60, stan: 1 });
		const declined = host.ask("offlineSale", { card: "poor", amountMinor: 60, stan: 2 });
		assert.equal(declined.code, "51");
		host.reversal({ card: "poor", amountMinor: 60, stan: 1 });
		assert.equal(
			toHex(host.ask("offlineSale", { card: "poor", amountMinor: 60, stan: 2 }).frame),
			toHex(declined.frame),
		);
	});

	it("another sale under its number is refused with 94, online or offline", () => {
		const host = new HostUnderTest();
		host.ask("offlineSale");
		assert.equal(host.ask("offlineSale", { amountMinor: 99 }).code, "94");
		assert.equal(host.ask("offlineSale", { card: "contactless" }).code, "94");
		assert.equal(host.sale().code, "94");
		assert.deepEqual(nets(host), [1234, 1234]);
	});

	it("a crash between debit and record is mended by the repeat: one debit, one credit", () => {
		const host = new HostUnderTest();
		host.faults.arm("crash");
		assert.deepEqual(host.send("0220", { type: "36" }), []);
		assert.equal(host.ask("offlineSale").code, "00");
		assert.deepEqual(nets(host), [1234, 1234]);
	});

	it("is never reversed: a 0400 over its number is refused with 64", () => {
		const host = new HostUnderTest();
		host.ask("offlineSale");
		assert.equal(host.reversal().code, "64");
		assert.deepEqual(nets(host), [1234, 1234]);
	});

	it("sixteen in flight are answered in the order of their arrival", () => {
		const host = new HostUnderTest();
		const stans = Array.from({ length: 16 }, (_, n) => 100 - n);
		const line = host.call();
		const frames = stans.flatMap((stan) => [...frameOfKind("offlineSale", { stan, amountMinor: stan })]);
		line.connection?.receive(Uint8Array.from(frames));
		assert.deepEqual(
			line.answers().map(({ stan, code }) => `${stan} ${code}`),
			stans.map((stan) => `${stan} 00`),
		);
	});
});

describe("host: resend of an approved sale", () => {
	const original = originalOf(1, 2);

	it("of one that stands is confirmed with its own RRN, and moves nothing", () => {
		const host = new HostUnderTest();
		const sale = host.sale();
		const { rrn, authorization } = sale;
		const first = host.ask("resend", { stan: 50, original, rrn, authorization });
		assert.deepEqual([first.mti, first.code, first.rrn, first.authorization], ["0230", "00", rrn, authorization]);
		host.time.advance(100_000);
		assert.equal(toHex(host.ask("resend", { stan: 50, original, rrn, authorization }).frame), toHex(first.frame));
		assert.deepEqual(nets(host), [1234, 1234]);
		assert.equal(host.acquirer.statement().entries.length, 1, "it is no movement of its own");
	});

	it("of one nobody knows is made good under the original's number, once", () => {
		const host = new HostUnderTest();
		const request = { stan: 50, original, rrn: "112209300001", authorization: "A1B2C3" };
		const first = host.ask("resend", request);
		assert.equal(first.code, "00");
		assert.equal(toHex(host.ask("resend", request).frame), toHex(first.frame));
		assert.equal(host.ask("resend", { ...request, stan: 51 }).rrn, first.rrn, "under another number of its own, too");
		assert.deepEqual([host.entry().stan, host.entry().cardNetMinor, host.entry().merchantNetMinor], [2, 1234, 1234]);
		assert.equal(host.sale().rrn, first.rrn, "the late original is the same sale");
		assert.equal(host.sale({ amountMinor: 99 }).code, "94");
		assert.deepEqual(nets(host), [1234, 1234]);
	});

	it("of one that the issuer alone knows (crash) records and credits it without another debit", () => {
		const host = new HostUnderTest();
		host.faults.arm("crash");
		host.send("0200");
		host.restart();
		assert.deepEqual(nets(host), [1234, 0]);
		assert.equal(host.ask("resend", { stan: 50, original }).code, "00");
		assert.deepEqual(nets(host), [1234, 1234]);
		assert.equal(host.entry().debits, 1);
	});

	it("of one that was reversed is refused with 12, known or not", () => {
		const host = new HostUnderTest();
		host.sale();
		host.reversal();
		host.reversal({ stan: 3 });
		assert.equal(host.ask("resend", { stan: 50, original }).code, "12");
		assert.equal(host.ask("resend", { stan: 51, original: originalOf(1, 3) }).code, "12");
		assert.deepEqual(nets(host), [0, 0]);
	});

	it("a reversal after it takes all of it back", () => {
		const host = new HostUnderTest();
		host.ask("resend", { stan: 50, original });
		assert.equal(host.reversal().code, "00");
		assert.deepEqual(nets(host), [0, 0]);
		assert.equal(host.ask("resend", { stan: 50, original }).code, "12");
	});

	it("of one that was voided is refused with 12", () => {
		const host = new HostUnderTest();
		host.sale();
		host.ask("void", { stan: 60, original });
		assert.equal(host.ask("resend", { stan: 50, original }).code, "12");
		assert.deepEqual(nets(host), [0, 0]);
	});

	it("over another amount or card is refused with 64; what the issuer declines is declined", () => {
		const host = new HostUnderTest();
		host.sale();
		assert.equal(host.ask("resend", { stan: 50, original, amountMinor: 99 }).code, "64");
		assert.equal(host.ask("resend", { stan: 50, original, card: "contactless" }).code, "64");
		assert.equal(host.ask("resend", { stan: 51, original: originalOf(1, 9), card: "lost" }).code, "41");
		assert.equal(host.ask("resend", { stan: 52, original: originalOf(0, 0) }).code, "30");
		assert.deepEqual(nets(host), [1234, 1234]);
	});
});
