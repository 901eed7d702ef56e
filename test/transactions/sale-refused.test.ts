/** Sales that are not begun: each has a reason, a screen, and no trace on flash or at the host (I8, I11). */
import { strict as assert } from "node:assert";
import { TEST_KEYS } from "../../host-sim/acquirer/test-keys";
import { createDevice } from "../../host-sim/board/device";
import { MemoryKeys } from "../../host-sim/board/memory-keys";
import { MemoryLog } from "../../host-sim/board/memory-log";
import { NorFlash } from "../../host-sim/board/nor-flash";
import { Power } from "../../host-sim/board/power";
import { ScriptedKeypad } from "../../host-sim/board/scripted-keypad";
import { ScriptedReader } from "../../host-sim/board/scripted-reader";
import { SeededRandom } from "../../host-sim/board/seeded-random";
import { Till } from "../../host-sim/board/till";
import { VirtualTime } from "../../host-sim/board/virtual-clock";
import { makeConfig } from "../../src/config";
import type { KeyName } from "../../src/ports";
import { Terminal } from "../../src/terminal";
import { Rig } from "../host-sim/world/rig";

function assertUntouched(rig: Rig, transactions = 0): void {
	assert.equal(rig.shop.terminal.log.index.count, transactions);
	assert.equal(rig.shop.terminal.phase, "idle");
	assert.equal(rig.shop.restarts, 0);
}

describe("transactions: sale refused", () => {
	for (const amount of [
		0,
		-1,
		-0.5,
		0.5,
		1.000001,
		Number.NaN,
		Number.POSITIVE_INFINITY,
		100_000_001,
		1e12,
		2 ** 53,
		"12" as unknown as number,
		undefined as unknown as number,
	]) {
		it(`for the amount ${String(amount)}${typeof amount === "string" ? " as text" : ""}`, () => {
			const rig = new Rig();
			assert.equal(rig.shop.terminal.sale(amount), "refusedAmount");
			assert.equal(rig.shop.till.screen?.name, "refusedAmount");
			assertUntouched(rig);
		});
	}

	it("not for the least and the greatest amount", () => {
		const rig = new Rig();
		assert.equal(rig.sell(1).screens.at(-1), "approved");
		assert.equal(rig.sell(100_000_000).screens.at(-1), "approved");
	});

	it("while another sale is under way, in every phase of it", () => {
		for (const phase of ["card", "pin", "host", "verdict", "printing"]) {
			const rig = new Rig();
			const visit = rig.come(1_000, "chip-pin", { verdictMs: 500 });
			assert.ok(
				rig.runUntil(() => rig.shop.terminal.phase === phase),
				phase,
			);
			assert.equal(rig.shop.terminal.sale(2_000), "refusedBusy", phase);
			rig.runUntil(() => visit.ended);
			rig.settle();
			assert.equal(rig.entries().length, 1, phase);
			assert.equal(rig.money().paidMinor, 1_000);
		}
	});

	it("without a master key, or with one of zeros, which nobody has set", () => {
		for (const TMK of [undefined, "00000000000000000000000000000000"]) {
			const { terminal, till } = terminalWithKeys({ ...TEST_KEYS, TMK });
			assert.equal(terminal.sale(1_000), "refusedKeys", TMK);
			assert.equal(till.screen?.name, "refusedKeys");
			assert.equal(terminal.log.index.count, 0);
		}
	});

	it("without the key that seals the card for the reversal", () => {
		const { terminal } = terminalWithKeys(TEST_KEYS, "STORE");
		assert.equal(terminal.sale(1_000), "refusedKeys");
		assert.equal(terminal.log.index.count, 0);
	});

	it("when the doubts have reached their number, but not for a manager", () => {
		const full = doubtful({ doubtsMax: 2 }, 2);
		assert.equal(full.shop.terminal.sale(500), "refusedDoubts");
		assert.equal(full.shop.till.screen?.count, 2, "the screen says how many");
		assert.equal(full.sell(500, "contactless", {}, true).refusal, undefined);
		assert.match(full.logText(), /manager goes on with 2 doubts/);
		full.settle();
		assert.ok(full.money().conserved);
		assert.equal(full.shop.terminal.sale(500), undefined, "at rest nobody is asked");
	});

	it("when the doubts have reached their sum, but not for a manager", () => {
		const rig = doubtful({ doubtSumMinorMax: 1_500 }, 1);
		assert.equal(rig.sell(500).refusal, undefined, "1,000 of 1,500");
		const more = doubtful({ doubtSumMinorMax: 1_500 }, 2);
		assert.equal(more.shop.terminal.sale(1), "refusedDoubts");
		assert.equal(more.sell(1, "contactless", {}, true).refusal, undefined);
	});

	it("even for a manager when the queue of reversals is full: none may be forgotten (I3)", () => {
		const rig = doubtful({ doubtsMax: 64, doubtSumMinorMax: 999_999_999 }, 63);
		assert.equal(rig.shop.terminal.log.doubts, 63);
		assert.equal(rig.shop.terminal.sale(100, true), "refusedDoubts");
		rig.settle(100);
		assert.ok(rig.money().conserved);
		assert.ok(rig.shop.terminal.atRest);
		assert.equal(rig.shop.restarts, 0);
	});

	it("when the batch is full", () => {
		const rig = new Rig({ config: { batchSalesMax: 3 } });
		for (let n = 0; n < 3; n++) rig.sell();
		assert.equal(rig.shop.terminal.sale(100), "refusedBatch");
		assert.equal(rig.shop.till.screen?.name, "refusedBatch");
		assertUntouched(rig, 3);
	});

	it("does not count declined sales for the batch", () => {
		const rig = new Rig({ config: { batchSalesMax: 2 } });
		for (let n = 0; n < 5; n++) assert.equal(rig.sell(1_000, "lost").screens.at(-1), "declined");
		assert.equal(rig.sell().screens.at(-1), "approved");
	});

	it("when the journal has no room for all that is open, and goes on when there is room again (I8)", () => {
		const rig = new Rig({ blocks: 8, config: { doubtsMax: 64, doubtSumMinorMax: 999_999_999 } });
		let refused = 0;
		for (let n = 0; n < 400; n++) {
			if (rig.shop.terminal.log.doubts < 20) rig.faults.arm("requestLost", 40);
			const visit = rig.sell(100, "contactless", {}, true);
			if (visit.refusal === "refusedFull") {
				refused++;
				break;
			}
			rig.faults.clear();
			if (n % 2 === 0) rig.sell(100, "contactless", {}, true);
		}
		assert.equal(refused, 1, "it was filled");
		assert.equal(rig.shop.till.screen?.name, "refusedFull");
		assert.equal(rig.shop.restarts, 0);
		rig.settle(60);
		assert.ok(rig.shop.terminal.atRest, "whatever was open had room to end");
		assert.ok(rig.money().conserved);
		assert.equal(rig.money().oneSided, 0);
	});

	it("before the terminal has booted, and after it was stopped", () => {
		const { terminal, till } = terminalWithKeys(TEST_KEYS, undefined, false);
		assert.equal(terminal.sale(1_000), "refusedStopped");
		assert.equal(till.screen?.name, "refusedStopped");
		const rig = new Rig();
		rig.shop.terminal.stop();
		assert.equal(rig.shop.terminal.sale(1_000), "refusedStopped");
	});
});

/** A shop with `count` sales of 1,000 whose reversals nobody answers. */
function doubtful(config: Parameters<typeof makeConfig>[0], count: number): Rig {
	const rig = new Rig({ blocks: 64, config: { ...config, answerTimeoutMs: 1_000, reversalTimeoutMs: 1_000 } });
	rig.faults.setRate("requestLost", 1);
	for (let n = 0; n < count; n++) assert.equal(rig.sell(1_000, "contactless", {}, true).refusal, undefined);
	assert.equal(rig.shop.terminal.log.doubts, count);
	return rig;
}

/** A terminal on its own with the keys given; one of them gone after it was provisioned. */
function terminalWithKeys(
	keys: Partial<Record<KeyName, string | undefined>>,
	lost?: KeyName,
	start = true,
): { terminal: Terminal; till: Till } {
	const power = new Power();
	const clock = new VirtualTime(Date.UTC(2026, 10, 22)).clock(power);
	const till = new Till();
	const held = Object.fromEntries(Object.entries(keys).filter(([, key]) => key !== undefined)) as typeof TEST_KEYS;
	const store = new MemoryKeys(held);
	const device = createDevice({
		power,
		flash: { journal: new NorFlash({ blocks: 8, power }) },
		links: [],
		clock,
		reader: new ScriptedReader({ power, clock }),
		keypad: new ScriptedKeypad({ power, clock }),
		...till.attach(power, clock),
		random: new SeededRandom(1),
		keys: {
			read: (name, out) => (name === lost ? 0 : store.read(name, out)),
			write: (name, key) => store.write(name, key),
		},
		log: new MemoryLog(),
	});
	const terminal = new Terminal(device, makeConfig());
	terminal.provision(1);
	if (start) assert.equal(terminal.start(), "ok");
	return { terminal, till };
}
