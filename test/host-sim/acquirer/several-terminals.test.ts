/**
 * Goal: terminals on one host do not meet: not in the ledgers, though their numbers are the same, not in their sessions,
 * not in what goes wrong for one of them.
 * Method: four of them, mostly under the same batch and the same trace numbers; at the end any mixture of them against
 * each of them alone.
 */
import * as assert from "node:assert/strict";
import * as fc from "fast-check";
import { TEST_TERMINAL, type TerminalEntry } from "../../../host-sim/acquirer/test-keys";
import { CodedError } from "../../../src/core/errors";
import {
	type Answer,
	frameOf,
	frameOfKind,
	HostUnderTest,
	only,
	originalOf,
	type Request,
	readAnswer,
	signOnFrame,
	type TestKeys,
	type TestLine,
	unwrapKeys,
} from "./host-under-test";

const { merchantId } = TEST_TERMINAL;
/** Three of one shop, and one of another. */
const TERMINALS: TerminalEntry[] = [
	{ terminalId: "12345678", merchantId },
	{ terminalId: "12345677", merchantId, tmk: "1122334455667788AABBCCDDEEFF0011" },
	{ terminalId: "12345676", merchantId, tmk: "2233445566778899BBCCDDEEFF001122" },
	{ terminalId: "12345675", merchantId: "999999999999999", tmk: "33445566778899AACCDDEEFF00112233" },
];

/** Four terminals, each with keys and a connection of its own. */
class Shops {
	readonly host: HostUnderTest;
	readonly lines: TestLine[];
	readonly keys: TestKeys[];

	constructor(host = new HostUnderTest({ terminals: TERMINALS, fixedKeys: false, signedOn: false })) {
		this.host = host;
		this.lines = TERMINALS.map(() => host.call());
		this.keys = TERMINALS.map((_, n) => this.signOn(n));
	}

	signOn(n: number): TestKeys {
		const [bytes] = this.sendBytes(n, signOnFrame(TERMINALS[n]));
		return unwrapKeys(readAnswer(bytes), TERMINALS[n].tmk);
	}

	/** What the terminal's connection got at once, frame by frame. */
	sendBytes(n: number, frame: Uint8Array): Uint8Array[] {
		const line = this.lines[n];
		const before = line.pieces.length;
		line.connection?.receive(frame);
		return line.pieces.slice(before);
	}

	requestOf(n: number, request: Request): Request {
		return { ...request, terminalId: TERMINALS[n].terminalId, merchantId: TERMINALS[n].merchantId, keys: this.keys[n] };
	}

	send(n: number, mti: "0200" | "0400", request: Request = {}): Answer[] {
		return this.sendBytes(n, frameOf(mti, this.requestOf(n, request))).map((bytes) => readAnswer(bytes, this.keys[n]));
	}

	sale(n: number, request: Request = {}): Answer {
		return only(this.send(n, "0200", request));
	}
}

const ALL = TERMINALS.map((_, n) => n);

describe("host: several terminals", () => {
	it("equal batch and trace number of four terminals are four movements, each with its own amount and reversal", () => {
		const shops = new Shops();
		const rrns = new Set(ALL.map((n) => shops.sale(n, { amountMinor: 100 + n }).rrn));
		assert.equal(rrns.size, 4);
		assert.equal(only(shops.send(1, "0400", { amountMinor: 101 })).code, "00");
		const { entries } = shops.host.acquirer.statement();
		assert.deepEqual(
			entries.map(({ terminalId, batch, stan, amountMinor, cardNetMinor, merchantNetMinor, reversed }) =>
				[terminalId, batch, stan, amountMinor, cardNetMinor, merchantNetMinor, reversed].join(" "),
			),
			[
				"12345678 1 2 100 100 100 false",
				"12345677 1 2 101 0 0 true",
				"12345676 1 2 102 102 102 false",
				"12345675 1 2 103 103 103 false",
			],
		);
		assert.equal(new Set(entries.map(({ key }) => key)).size, 4);
		shops.host.restart();
		assert.deepEqual(shops.host.acquirer.statement().entries, entries);
	});

	it("a reversal that was there before its original shuts the door for its own terminal only", () => {
		const shops = new Shops();
		assert.equal(only(shops.send(2, "0400")).code, "25");
		assert.deepEqual(
			ALL.map((n) => shops.sale(n).code),
			["00", "00", "12", "00"],
		);
	});

	it("a reversal is forgotten once for each of them", () => {
		const shops = new Shops();
		for (const n of ALL) shops.sale(n);
		shops.host.faults.setRate("reversalForgotten", 1);
		for (const n of ALL) shops.send(n, "0400");
		assert.equal(shops.host.acquirer.statement().totals.cardNetMinor, 4 * 1234);
		for (const n of ALL) shops.send(n, "0400");
		assert.equal(shops.host.acquirer.statement().totals.cardNetMinor, 0);
	});

	it("keys that are forgotten or changed, a sign-off and a new sign-on are one terminal's alone", () => {
		const shops = new Shops();
		shops.host.faults.arm("keysForgotten");
		assert.equal(shops.sale(0).code, "97");
		shops.host.faults.arm("keysChanged");
		assert.equal(shops.sale(1).code, "A0");
		const signOff = signOnFrame({ mti: "0820", ...TERMINALS[2] });
		assert.equal(readAnswer(only(shops.sendBytes(2, signOff))).code, "00");
		assert.equal(shops.sale(2).code, "97");
		assert.equal(shops.sale(3).code, "00");
		for (const n of [0, 1, 2]) {
			shops.keys[n] = shops.signOn(n);
			assert.equal(shops.sale(n).code, "00");
		}
		assert.equal(shops.sale(3, { stan: 3 }).code, "00");
	});

	it("no terminal's keys are good for another", () => {
		const shops = new Shops();
		for (const n of ALL) {
			for (const other of ALL) {
				const request = { ...shops.requestOf(n, { stan: 10 + other }), keys: shops.keys[other] };
				const [bytes] = shops.sendBytes(n, frameOf("0200", request));
				assert.equal(readAnswer(bytes, shops.keys[n]).code, n === other ? "00" : "A0");
			}
		}
	});

	it("one connection that stalls holds up no other: slow, held, split, half-open or lost", () => {
		for (const name of ["slowAnswer", "answerReordered", "answerSplit", "hostHalfOpen", "answerLate"] as const) {
			const shops = new Shops();
			shops.host.faults.arm(name);
			shops.lines[0].connection?.receive(frameOf("0200", shops.requestOf(0, {})));
			for (const n of [1, 2, 3]) {
				const answer = shops.sale(n);
				assert.deepEqual([answer.code, answer.macRight, answer.stan], ["00", true, 2], `${name} ${n}`);
				assert.equal(shops.sale(n, { stan: 3 }).code, "00");
			}
		}
	});

	it("half-open connections of one terminal never keep the others out", () => {
		const host = new HostUnderTest({ terminals: TERMINALS, limits: { connectionsMax: 4 }, fixedKeys: false });
		host.faults.setRate("hostHalfOpen", 1);
		for (let n = 0; n < 20; n++) host.call().connection?.receive(frameOf("0200"));
		assert.equal(host.acquirer.connections, 4);
		host.faults.clear();
		assert.equal(new Shops(host).sale(3).code, "00");
	});

	it("two terminals under one id are refused: nothing would tell their movements apart", () => {
		const twice = [TERMINALS[0], { ...TERMINALS[1], terminalId: TERMINALS[0].terminalId }];
		assert.throws(() => new HostUnderTest({ terminals: twice }), CodedError);
	});

	it("a refund is found by the slip of another terminal of the same shop, and not of another shop", () => {
		const shops = new Shops();
		const { rrn } = shops.sale(0, { stan: 7 });
		const refund = (n: number): string => {
			const request = shops.requestOf(n, { stan: 8, amountMinor: 100, rrn, original: "000000000000" });
			return readAnswer(only(shops.sendBytes(n, frameOfKind("refund", request))), shops.keys[n]).code;
		};
		assert.deepEqual([refund(1), refund(3)], ["00", "25"]);
	});

	it("any mixture of four answers each of them as if it were alone, and keeps the same of it", () => {
		// None that draws numbers of its own: chance is the whole host's.
		const FAULTS = ["answerLost", "answerDoubled", "answerReordered", "keysForgotten", "reversalForgotten"] as const;
		const KINDS = ["sale", "sale", "reversal", "offlineSale", "refund", "signOn", "wait"] as const;
		const step = fc.record({
			n: fc.integer({ min: 0, max: 3 }),
			kind: fc.constantFrom(...KINDS),
			stan: fc.integer({ min: 1, max: 3 }),
			amountMinor: fc.constantFrom(50, 60),
			fault: fc.option(fc.constantFrom(...FAULTS), { nil: undefined, freq: 3 }),
		});
		type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;
		/** What each terminal was told, and what the ledgers hold of it. */
		const run = (steps: readonly Step[]): string[] => {
			const shops = new Shops();
			const { host } = shops;
			for (const { n, kind, stan, amountMinor, fault } of steps) {
				if (kind === "wait") host.time.advance(1_000);
				else if (kind === "signOn") shops.keys[n] = shops.signOn(n);
				else {
					if (fault !== undefined && (fault !== "reversalForgotten" || kind === "reversal")) host.faults.arm(fault);
					shops.lines[n].connection?.receive(frameOfStep(kind, shops.requestOf(n, { stan, amountMinor })));
				}
			}
			host.time.advance(300_000);
			const { entries } = host.acquirer.statement();
			return TERMINALS.map(({ terminalId }, n) => {
				const told = shops.lines[n].answers().map(({ mti, code, stan, amountMinor }) => [mti, code, stan, amountMinor]);
				const held = entries.filter((entry) => entry.terminalId === terminalId);
				return JSON.stringify([told, held]);
			});
		};
		fc.assert(
			fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
				const together = run(steps);
				for (const n of ALL) {
					// The others' time passes, too.
					const alone = run(steps.filter((next) => next.n === n || next.kind === "wait"));
					assert.equal(together[n], alone[n]);
				}
			}),
			{ numRuns: 60 },
		);
	});
});

function frameOfStep(kind: "sale" | "reversal" | "offlineSale" | "refund", request: Request): Uint8Array {
	switch (kind) {
		case "refund":
			return frameOfKind("refund", {
				...request,
				stan: (request.stan ?? 0) + 10,
				amountMinor: 20,
				original: originalOf(1, 1),
			});
		case "offlineSale":
			return frameOfKind("offlineSale", request);
		default:
			return frameOf(kind === "sale" ? "0200" : "0400", request);
	}
}
