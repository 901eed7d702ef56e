/**
 * Goal: keys and batch reach the terminal and nobody else; a lost answer strands nothing; a host without keys says so.
 * Method: the vectors' keys for golden bytes, drawn keys (taken out of the block as a terminal would) for the rest.
 */
import * as assert from "node:assert/strict";
import { NEW_KEYS_MS_MIN } from "../../../host-sim/acquirer/host-keys";
import { NEW_BATCH_MS_MIN } from "../../../host-sim/acquirer/host-sessions";
import { TEST_TERMINAL } from "../../../host-sim/acquirer/test-keys";
import { fromHex, toHex } from "../../../src/core/bytes";
import vectors from "../../vectors/unionpay.json";
import {
	type Answer,
	frameOf,
	type HostOptions,
	HostUnderTest,
	readAnswer,
	signOnFrame,
	type TestKeys,
	unwrapKeys,
} from "./host-under-test";

const OTHER = { terminalId: "87654321", merchantId: TEST_TERMINAL.merchantId, tmk: "1122334455667788AABBCCDDEEFF0011" };

/** A host that draws keys, and a terminal that has not signed on. */
function newHost(options: HostOptions = {}): HostUnderTest {
	return new HostUnderTest({ fixedKeys: false, signedOn: false, ...options });
}

function saleUnder(host: HostUnderTest, keys: TestKeys, stan: number): Answer {
	const line = host.call();
	line.connection?.receive(frameOf("0200", { keys, stan, card: "magstripe-19" }));
	return readAnswer(line.pieces[0], keys);
}

describe("host: sign-on", () => {
	it("is the vectors' answer byte for byte, but for the reference number and the time", () => {
		const host = new HostUnderTest({ signedOn: false });
		const [request, expected] = ["sign-on-request", "sign-on-response"].map((wanted) => {
			const found = vectors.vectors.find(({ name }) => name === wanted);
			assert.ok(found);
			return found.frame;
		});
		const line = host.call();
		line.connection?.receive(fromHex(request));
		const digits = (text: string): string => Buffer.from(text).toString("hex").toUpperCase();
		// TPDU (ours swaps the addresses), time and RRN are the vector's own: no record stands behind a sign-on.
		const ours = expected
			.replace("6000030000", "6000000003")
			.replace("0930001122", "0931121122")
			.replace(digits("112209300001"), digits("112200000000"));
		assert.equal(toHex(line.pieces[0]), ours);
		assert.equal(readAnswer(line.pieces[0]).hasMac, false);
	});

	it("gives keys with right check values under which sales with PIN are taken and answered", () => {
		for (const makBytes of [8, 16] as const) {
			const host = newHost({ makBytes });
			const keys = unwrapKeys(host.signOn());
			assert.equal(keys.mak.length, makBytes);
			const answer = saleUnder(host, keys, 2);
			assert.deepEqual([answer.code, answer.macRight], ["00", true]);
		}
	});

	it("before it, and after a restart of the host, every message is answered 97 without a MAC, and nothing moves", () => {
		const host = newHost();
		assert.deepEqual([host.sale().code, host.sale().hasMac], ["97", false]);
		const keys = unwrapKeys(host.signOn());
		assert.equal(saleUnder(host, keys, 2).code, "00");
		host.time.advance(1);
		host.restart();
		for (const mti of ["0200", "0220", "0400"] as const) {
			const line = host.call();
			line.connection?.receive(frameOf(mti, { keys, stan: 3, type: mti === "0220" ? "36" : "22" }));
			const answer = readAnswer(line.pieces[0], keys);
			assert.deepEqual([answer.code, answer.hasMac], ["97", false], mti);
		}
		assert.equal(host.acquirer.statement().entries.length, 1);
		const anew = unwrapKeys(host.signOn());
		assert.notDeepEqual(anew, keys);
		assert.equal(saleUnder(host, anew, 3).code, "00");
	});

	it("a lost answer strands nothing: the keys in use go on until a message under the new ones arrives", () => {
		const host = newHost();
		const old = unwrapKeys(host.signOn());
		assert.equal(saleUnder(host, old, 2).code, "00");
		let latest = old;
		for (let n = 0; n < 3; n++) {
			host.time.advance(NEW_KEYS_MS_MIN);
			latest = unwrapKeys(host.signOn({ stan: 10 + n }));
			const answer = saleUnder(host, old, 20 + n);
			assert.deepEqual([answer.code, answer.macRight], ["00", true], "also the third time");
		}
		const answer = saleUnder(host, latest, 30);
		assert.deepEqual([answer.code, answer.macRight], ["00", true]);
		assert.equal(saleUnder(host, old, 31).code, "A0", "from now on only the new ones");
	});

	it("keys that were replaced before they were used are no longer good", () => {
		const host = newHost();
		const first = unwrapKeys(host.signOn());
		host.time.advance(NEW_KEYS_MS_MIN);
		const second = unwrapKeys(host.signOn({ stan: 2 }));
		assert.notDeepEqual(first, second);
		assert.equal(saleUnder(host, first, 3).code, "A0");
		assert.equal(saleUnder(host, second, 3).code, "00");
	});

	it("a wrong MAC is answered A0 under the keys given out last, and nothing moves", () => {
		const host = newHost();
		const keys = unwrapKeys(host.signOn());
		const line = host.call();
		for (const mac of ["wrong", "none"] as const) line.connection?.receive(frameOf("0200", { keys, mac }));
		for (const piece of line.pieces) {
			const answer = readAnswer(piece, keys);
			assert.deepEqual([answer.code, answer.macRight], ["A0", true]);
		}
		assert.equal(line.pieces.length, 2);
		assert.equal(host.acquirer.statement().entries.length, 0);
	});

	it("each terminal has keys of its own under its own master key", () => {
		const host = newHost({ terminals: [TEST_TERMINAL, OTHER] });
		const mine = unwrapKeys(host.signOn());
		const others = unwrapKeys(host.signOn({ terminalId: OTHER.terminalId }), OTHER.tmk);
		const line = host.call();
		line.connection?.receive(frameOf("0200", { keys: mine, terminalId: OTHER.terminalId }));
		line.connection?.receive(frameOf("0200", { keys: others, terminalId: OTHER.terminalId }));
		assert.deepEqual(
			line.pieces.map((piece) => readAnswer(piece, others).code),
			["A0", "00"],
		);
	});

	it("sign-off: the keys are forgotten, messages are answered 97 until the next sign-on", () => {
		const host = newHost();
		const keys = unwrapKeys(host.signOn());
		const answer = host.signOn({ mti: "0820", stan: 9 });
		assert.deepEqual(
			[answer.mti, answer.code, answer.stan, answer.hasMac, answer.keyBlock, answer.private60],
			["0830", "00", 9, false, "", "00000001002"],
		);
		assert.equal(saleUnder(host, keys, 2).code, "97");
		assert.equal(host.signOn({ mti: "0820", stan: 10 }).code, "00", "twice is as good as once");
		assert.equal(saleUnder(host, unwrapKeys(host.signOn({ stan: 11 })), 2).code, "00");
	});

	const refusals: [string, string, Parameters<typeof signOnFrame>[0]][] = [
		["a terminal it does not serve", "58", { terminalId: "00000000" }],
		["another merchant", "03", { merchantId: "543210987654321" }],
		["no trace number", "30", { without: 11 }],
		["no DE 60", "30", { without: 60 }],
		["keys of single length", "40", { networkCode: "001" }],
	];
	for (const [why, code, request] of refusals) {
		it(`answers ${code} without keys for ${why}`, () => {
			const host = newHost();
			const answer = host.signOn(request ?? {});
			assert.deepEqual([answer.code, answer.keyBlock, answer.hasMac], [code, "", false]);
			assert.equal(host.sale().code, "97");
		});
	}

	it("a flood draws no keys: within a second the same are given again, unless they are used", () => {
		const host = newHost();
		const first = host.signOn().keyBlock;
		const line = host.call();
		for (let stan = 2; stan <= 200; stan++) line.connection?.receive(signOnFrame({ stan }));
		assert.deepEqual(new Set(line.answers().map(({ keyBlock }) => keyBlock)), new Set([first]));
		assert.equal(line.pieces.length, 199);
		host.time.advance(NEW_KEYS_MS_MIN);
		assert.notEqual(host.signOn({ stan: 600 }).keyBlock, first);
		const keys = unwrapKeys(host.signOn({ stan: 601 }));
		saleUnder(host, keys, 2);
		assert.notDeepEqual(unwrapKeys(host.signOn({ stan: 602 })), keys, "used: a sign-on means new ones");
		assert.equal(host.acquirer.statement().entries.length, 1);
	});
});

describe("host: the batch of a sign-on", () => {
	const batchOf = (answer: Answer): number => Number(answer.private60.slice(2, 8));

	it("a terminal that has one keeps it; one that has none gets the lowest that was never used or given", () => {
		const host = new HostUnderTest({ signedOn: false });
		assert.equal(batchOf(host.signOn({ batch: 7 })), 7);
		assert.equal(batchOf(host.signOn({ batch: 0, stan: 2 })), 1);
		host.sale({ batch: 7 });
		assert.equal(batchOf(host.signOn({ batch: 0, stan: 3 })), 8);
		host.time.advance(NEW_BATCH_MS_MIN);
		assert.equal(batchOf(host.signOn({ batch: 0, stan: 4 })), 9, "8 was given to somebody");
	});

	it("I4 a batch is given once, also across a restart: a swapped board never sells under the numbers of the first", () => {
		const host = new HostUnderTest({ signedOn: false });
		assert.equal(batchOf(host.signOn({ batch: 0 })), 1);
		host.restart();
		assert.equal(batchOf(host.signOn({ batch: 0 })), 2);
		host.faults.arm("crash");
		host.send("0200", { batch: 5 }); // Known to the issuer alone.
		host.restart();
		assert.equal(batchOf(host.signOn({ batch: 0 })), 6);
		host.reversal({ batch: 9, stan: 77 }); // A tombstone is a use, too.
		assert.equal(batchOf(host.signOn({ batch: 0, stan: 8 })), 10);
	});

	it("a lost answer or a flood uses up no numbers: the same is given again until the terminal has shown itself", () => {
		const host = new HostUnderTest({ signedOn: false });
		const given = Array.from({ length: 50 }, (_, n) => batchOf(host.signOn({ batch: 0, stan: n + 1 })));
		assert.deepEqual(new Set(given), new Set([1]));
		assert.equal(host.store.load("acquirer").length, 1);
	});

	it("other terminals count for themselves", () => {
		const host = new HostUnderTest({ signedOn: false, terminals: [TEST_TERMINAL, OTHER] });
		host.signOn({ batch: 0 });
		assert.equal(batchOf(host.signOn({ batch: 0, terminalId: OTHER.terminalId })), 1);
	});
});

describe("host: certificates", () => {
	it("a connection whose certificate names a terminal carries that terminal's messages only: 58 for others", () => {
		const host = new HostUnderTest({ terminals: [TEST_TERMINAL, OTHER] });
		const mine = host.call(TEST_TERMINAL.terminalId);
		mine.connection?.receive(frameOf("0200"));
		assert.equal(mine.answers()[0].code, "00");
		const stranger = host.call(OTHER.terminalId);
		for (const frame of [frameOf("0200", { stan: 3 }), frameOf("0400"), signOnFrame(), signOnFrame({ mti: "0820" })]) {
			stranger.connection?.receive(frame);
		}
		const answers = stranger.answers();
		assert.deepEqual(
			answers.map(({ code, keyBlock }) => `${code}${keyBlock}`),
			["58", "58", "58", "58"],
		);
		assert.equal(host.entry().cardNetMinor, 1234, "neither debited nor reversed");
		assert.equal(host.sale({ stan: 4 }).code, "00", "nor signed off");
	});
});
