/** Goal: a host without a memory of reversals of what it does not know, and why two reversals are enough for it. */
import * as assert from "node:assert/strict";
import { HostUnderTest, originalOf } from "./host-under-test";

function nets(host: HostUnderTest): number[] {
	const { totals } = host.acquirer.statement();
	return [totals.cardNetMinor, totals.merchantNetMinor];
}

function facts(host: HostUnderTest): number[] {
	return (["issuer", "acquirer", "merchant"] as const).map((ledger) => host.store.load(ledger).length);
}

describe("host: forgetful", () => {
	it("answers 25 to the reversal of what it does not know and writes nothing; the original is debited after it", () => {
		const host = new HostUnderTest({ forgetful: true });
		const answer = host.reversal();
		assert.deepEqual([answer.code, answer.macRight, answer.rrn.slice(4)], ["25", true, "00000000"]);
		assert.deepEqual(facts(host), [0, 0, 0]);
		assert.equal(host.sale().code, "00");
		assert.deepEqual(nets(host), [1234, 1234]);
		assert.equal(host.reversal().code, "00", "the terminal's second reversal mends it");
		assert.deepEqual(nets(host), [0, 0]);
		assert.equal(host.sale().code, "12", "what it knew it remembers");
	});

	it("a host with a memory refuses the original: the same story without the option", () => {
		const host = new HostUnderTest();
		assert.equal(host.reversal().code, "25");
		assert.equal(host.sale().code, "12");
		assert.deepEqual(nets(host), [0, 0]);
	});

	it("what the network has kept back arrives after its reversal and is debited", () => {
		const host = new HostUnderTest({ forgetful: true });
		host.faults.arm("requestLate");
		host.send("0200");
		host.time.advance(60_000);
		assert.equal(host.reversal().code, "25");
		host.time.advance(60_000);
		assert.deepEqual(nets(host), [1234, 1234]);
	});

	it("a decline is known, and a debit that a crash has kept from the records, too: their reversals are remembered", () => {
		const declined = new HostUnderTest({ forgetful: true });
		declined.sale({ card: "lost" });
		assert.equal(declined.reversal({ card: "lost" }).code, "00");
		assert.equal(declined.sale({ card: "lost" }).code, "12");
		const crashed = new HostUnderTest({ forgetful: true });
		crashed.faults.arm("crash");
		crashed.send("0200");
		assert.equal(crashed.reversal().code, "00");
		assert.equal(crashed.sale().code, "12");
		assert.deepEqual(nets(crashed), [0, 0]);
	});

	it("the reversal of a void that it does not know leaves nothing either", () => {
		const host = new HostUnderTest({ forgetful: true });
		host.sale();
		const request = { stan: 5, original: originalOf(1, 2) };
		assert.equal(host.voidReversal(request).code, "25");
		assert.deepEqual(facts(host), [1, 1, 1]);
		assert.equal(host.ask("void", request).code, "00");
		assert.equal(host.voidReversal(request).code, "00");
		assert.deepEqual(nets(host), [1234, 1234]);
	});

	it("a movement whose reversal it has answered 25 is not forgotten once more: two defects never eat both reversals", () => {
		for (const restarts of [false, true]) {
			const host = new HostUnderTest({ forgetful: true });
			assert.equal(host.reversal().code, "25");
			host.sale();
			if (restarts) host.restart();
			host.faults.arm("reversalForgotten");
			assert.equal(host.reversal().code, "00");
			assert.deepEqual(nets(host), [0, 0]);
		}
	});

	it("a reversal it has forgotten comes again and finds the original, which arrived meanwhile", () => {
		const host = new HostUnderTest({ forgetful: true });
		host.faults.arm("reversalForgotten");
		assert.equal(host.reversal().code, "00");
		host.sale();
		assert.equal(host.reversal().code, "00");
		assert.deepEqual(nets(host), [0, 0]);
	});
});
