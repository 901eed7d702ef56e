import * as assert from "node:assert/strict";
import { FAULT_NAMES, FaultPlan, parseFault } from "../../../host-sim/acquirer/faults";
import { SeededRandom } from "../../../host-sim/board/seeded-random";
import { toHex } from "../../../src/core/bytes";
import { CodedError } from "../../../src/core/errors";
import { frameOf, HostUnderTest } from "./host-under-test";

/** Of the only movement, or zeros where there is none. */
function nets(host: HostUnderTest): number[] {
	const { totals } = host.acquirer.statement();
	return [totals.cardNetMinor, totals.merchantNetMinor];
}

describe("host: faults", () => {
	it("requestLost: nothing happens and nothing is answered", () => {
		const host = new HostUnderTest();
		host.faults.arm("requestLost");
		assert.deepEqual(host.send("0200"), []);
		host.time.advance(200_000);
		assert.deepEqual([host.answers().length, host.acquirer.statement().entries.length], [0, 0]);
		assert.equal(host.sale().code, "00", "the next one is not struck");
	});

	it("answerLost: both sides are booked and nothing is answered", () => {
		const host = new HostUnderTest();
		host.faults.arm("answerLost");
		assert.deepEqual(host.send("0200"), []);
		host.time.advance(200_000);
		assert.equal(host.answers().length, 0);
		assert.deepEqual(nets(host), [1234, 1234]);
		assert.equal(host.reversal().code, "00");
		assert.deepEqual(nets(host), [0, 0]);
	});

	it("answerLost strikes a reversal too, and its repeat is answered", () => {
		const host = new HostUnderTest();
		host.sale();
		host.faults.arm("answerLost");
		assert.deepEqual(host.send("0400"), []);
		assert.deepEqual(nets(host), [0, 0]);
		assert.equal(host.reversal().code, "00");
	});

	it("answerLate: the answer comes 65 to 120 s later, booked at once", () => {
		const host = new HostUnderTest();
		host.faults.arm("answerLate");
		host.send("0200");
		assert.deepEqual(nets(host), [1234, 1234]);
		host.time.advance(64_999);
		assert.equal(host.answers().length, 0);
		host.time.advance(55_001);
		assert.deepEqual(
			host.answers().map(({ code }) => code),
			["00"],
		);
	});

	it("requestLate: the original arrives after its reversal and is refused", () => {
		const host = new HostUnderTest();
		host.faults.arm("requestLate");
		assert.deepEqual(host.send("0200"), []);
		host.time.advance(60_000);
		assert.equal(host.reversal().code, "25");
		host.time.advance(60_000);
		assert.deepEqual(
			host.answers().map(({ mti, code }) => `${mti} ${code}`),
			["0410 25", "0210 12"],
		);
		assert.deepEqual(nets(host), [0, 0]);
	});

	it("requestLate: it arrives even when its connection is gone, but not at a host that has died", () => {
		for (const dies of [false, true]) {
			const host = new HostUnderTest();
			host.faults.arm("requestLate");
			const line = host.call();
			line.connection?.receive(frameOf("0200"));
			line.connection?.end();
			if (dies) host.restart();
			host.time.advance(120_000);
			assert.equal(host.store.load("issuer").length, dies ? 0 : 1);
			assert.deepEqual(nets(host), dies ? [0, 0] : [1234, 1234]);
			assert.equal(line.pieces.length, 0);
		}
	});

	it("answerDoubled: two equal answers, one debit", () => {
		const host = new HostUnderTest();
		host.faults.arm("answerDoubled");
		const [first, second, ...more] = host.send("0200");
		assert.equal(more.length, 0);
		assert.equal(toHex(first.frame), toHex(second.frame));
		assert.equal(host.entry().debits, 1);
	});

	it("answerSplit: pieces of a few bytes in time, and the answer behind it is not mixed in", () => {
		const host = new HostUnderTest();
		host.faults.arm("answerSplit");
		assert.deepEqual(host.send("0200"), []);
		assert.deepEqual(host.send("0200", { stan: 3 }), []);
		host.time.advance(10_000);
		assert.deepEqual(
			host.answers().map(({ stan, code, macRight }) => [stan, code, macRight]),
			[
				[2, "00", true],
				[3, "00", true],
			],
		);
	});

	it("connectionCut: hangs up without an answer, sometimes before the debit and sometimes after", () => {
		const seen = new Set<number>();
		for (let seed = 1; seed <= 20; seed++) {
			const host = new HostUnderTest({ seed });
			host.faults.arm("connectionCut");
			assert.deepEqual(host.send("0200"), []);
			assert.equal(host.hungUp, true);
			seen.add(nets(host)[0]);
		}
		assert.deepEqual([...seen].sort(), [0, 1234]);
	});

	it("wrongAmount: a right MAC over another amount; the ledgers hold the amount that was asked", () => {
		const host = new HostUnderTest();
		host.faults.arm("wrongAmount", 2);
		const answer = host.sale();
		assert.deepEqual([answer.code, answer.macRight], ["00", true]);
		assert.notEqual(answer.amountMinor, 1234);
		assert.deepEqual(nets(host), [1234, 1234]);
		assert.notEqual(host.reversal().amountMinor, 1234);
		assert.deepEqual(nets(host), [0, 0]);
	});

	it("badMac: the MAC does not fit, the booking stands", () => {
		const host = new HostUnderTest();
		host.faults.arm("badMac");
		const answer = host.sale();
		assert.deepEqual([answer.code, answer.macRight], ["00", false]);
		assert.deepEqual(nets(host), [1234, 1234]);
	});

	it("crash: the host is dead, and tells its owner once", () => {
		const host = new HostUnderTest();
		host.faults.arm("crash");
		host.send("0200");
		assert.deepEqual([host.crashes, host.acquirer.dead, host.acquirer.connections], [1, true, 0]);
		assert.equal(host.call().connection, undefined);
	});

	it("by schedule: the named request is struck and no other", () => {
		const host = new HostUnderTest();
		host.faults.at(2, "answerLost");
		const answered = [1, 2, 3].map((stan) => host.send("0200", { stan }).length);
		assert.deepEqual(answered, [1, 0, 1]);
	});

	it("by rate: about that share of requests, the same ones for the same seed", () => {
		const run = (seed: number): string => {
			const plan = new FaultPlan(new SeededRandom(seed), { answerLost: 0.25, badMac: 1 });
			return Array.from({ length: 2000 }, () => {
				const struck = plan.next();
				assert.equal(struck.badMac, true);
				assert.equal(struck.crash, false);
				return struck.answerLost ? "x" : ".";
			}).join("");
		};
		assert.equal(run(7), run(7));
		assert.notEqual(run(7), run(8));
		const share = run(7).split("x").length - 1;
		assert.ok(share > 420 && share < 580, `${share} of 2000`);
	});

	it("raising one rate does not move the others of the same seed", () => {
		const lost = (rates: object): string => {
			const plan = new FaultPlan(new SeededRandom(3), { answerLost: 0.3, ...rates });
			return Array.from({ length: 200 }, () => (plan.next().answerLost ? "x" : ".")).join("");
		};
		assert.equal(lost({}), lost({ requestLost: 0.9, badMac: 0.5 }));
	});

	it("clear() heals: rates, armed and scheduled faults are gone", () => {
		const host = new HostUnderTest();
		host.faults.setRate("requestLost", 1);
		host.faults.arm("badMac", 5);
		host.faults.at(1, "crash");
		host.faults.clear();
		assert.equal(host.sale().macRight, true);
	});

	it("a command line's fault is read, or refused with a clear error", () => {
		assert.deepEqual(parseFault("answerLost=0.1"), { name: "answerLost", rate: 0.1 });
		assert.deepEqual(parseFault("crash=1"), { name: "crash", rate: 1 });
		for (const text of ["answerLost", "answerLost=", "answerLost=-1", "answerLost=1.01", "answerLost=1e-3", "=1"]) {
			assert.throws(() => parseFault(text), CodedError, text);
		}
		assert.throws(() => parseFault("toString=1"), /none of requestLost/);
		assert.throws(() => new FaultPlan(new SeededRandom(1), { crash: Number.NaN }), CodedError);
		for (const name of FAULT_NAMES) assert.equal(parseFault(`${name}=0`).name, name);
	});
});
