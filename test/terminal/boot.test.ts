/** What a terminal makes of the flash it finds, and of errors that nobody handles (I7, I11). */
import { strict as assert } from "node:assert";
import { TEST_KEYS } from "../../host-sim/acquirer/test-keys";
import { createDevice } from "../../host-sim/board/device";
import { CUT_AFTER, CUT_BEFORE, formatCut } from "../../host-sim/board/flash-cut";
import { FlashMedium } from "../../host-sim/board/flash-medium";
import { MemoryKeys } from "../../host-sim/board/memory-keys";
import { MemoryLog } from "../../host-sim/board/memory-log";
import { NorFlash } from "../../host-sim/board/nor-flash";
import { Power, PowerLost } from "../../host-sim/board/power";
import { ScriptedKeypad } from "../../host-sim/board/scripted-keypad";
import { ScriptedReader } from "../../host-sim/board/scripted-reader";
import { SeededRandom } from "../../host-sim/board/seeded-random";
import { testTerminalKeys } from "../../host-sim/board/test-terminal-keys";
import { Till } from "../../host-sim/board/till";
import { VirtualTime } from "../../host-sim/board/virtual-clock";
import { makeConfig } from "../../src/config";
import { AssertionError, assert as firmwareAssert } from "../../src/core/assert";
import { CodedError } from "../../src/core/errors";
import { Terminal } from "../../src/terminal";
import { ScriptedLink } from "../host/scripted-link";
import { Rig } from "../host-sim/world/rig";

/** A terminal on its own over `medium`; nothing is provisioned or started. */
function terminalOver(medium: FlashMedium, options: { plain?: boolean; plainLinks?: boolean } = {}) {
	const power = new Power();
	const clock = new VirtualTime(Date.UTC(2026, 10, 22)).clock(power);
	const till = new Till();
	const log = new MemoryLog();
	const flash = new NorFlash({ medium, power, random: new SeededRandom(medium.boots + 1) });
	const restarts: string[] = [];
	const device = createDevice({
		power,
		flash: { journal: flash },
		links: [new ScriptedLink({ clock, secure: options.plain !== true })],
		clock,
		reader: new ScriptedReader({ power, clock }),
		keypad: new ScriptedKeypad({ power, clock }),
		...till.attach(power, clock),
		random: new SeededRandom(medium.boots),
		keys: new MemoryKeys(TEST_KEYS),
		log,
		onRestart: (reason) => restarts.push(reason),
	});
	const terminal = new Terminal(device, makeConfig({ plainLinks: options.plainLinks === true }));
	return { terminal, till, log, flash, power, restarts };
}

describe("terminal: boot", () => {
	it("on blank flash sells nothing, formats nothing, and says so", () => {
		const medium = new FlashMedium({ blocks: 8 });
		const { terminal, till, flash, log } = terminalOver(medium);
		assert.equal(terminal.start(), "unprovisioned");
		assert.equal(till.screen?.name, "outOfService");
		assert.equal(terminal.sale(100), "refusedStopped");
		assert.equal(flash.operations, 0);
		assert.match(log.texts().join("\n"), /journal unprovisioned: nothing is sold, nothing is formatted/);
	});

	it("on flash that holds something else sells nothing and leaves it as it is", () => {
		for (let seed = 1; seed <= 20; seed++) {
			const medium = new FlashMedium({ blocks: 8 });
			new SeededRandom(seed).fill(medium.image);
			const before = medium.image.slice();
			const { terminal, flash } = terminalOver(medium);
			assert.notEqual(terminal.start(), "ok");
			assert.equal(terminal.sale(100), "refusedStopped");
			assert.equal(flash.operations, 0);
			assert.deepEqual(medium.image, before);
		}
	});

	it("after a provisioning cut at any operation is not ready, and can be provisioned again", () => {
		const cuts: [byte: number, shape: number][] = [
			[CUT_BEFORE, 0],
			[CUT_AFTER, 0],
			[3, 0],
			[9, 4],
			[9, 10],
			[9, 16],
		];
		const clean = terminalOver(new FlashMedium({ blocks: 6 }));
		clean.terminal.provision(5);
		const { operations } = clean.flash;
		assert.ok(operations >= 8);
		for (let operation = 1; operation <= operations; operation++) {
			for (const [byte, shape] of cuts) {
				const where = formatCut({ operation, byte, shape });
				const medium = new FlashMedium({ blocks: 6 });
				const first = terminalOver(medium);
				first.flash.cutAt(operation, byte, shape);
				assert.throws(() => first.terminal.provision(5), PowerLost, where);
				const status = terminalOver(medium).terminal.start();
				assert.ok(["ok", "unprovisioned", "foreign"].includes(status), `${where}: ${status}`);
				const again = terminalOver(medium);
				again.terminal.provision(6);
				const booted = terminalOver(medium);
				assert.equal(booted.terminal.start(), "ok", where);
				assert.equal(booted.terminal.summary().batch, 6);
			}
		}
	});

	it("refuses to be provisioned for a batch that is none, or while it works", () => {
		const { terminal } = terminalOver(new FlashMedium({ blocks: 8 }));
		for (const batch of [-1, 1.5, 1_000_000, Number.NaN]) {
			assert.throws(
				() => terminal.provision(batch),
				(error: unknown) => error instanceof CodedError && error.code === "range",
			);
		}
		terminal.provision(999_999);
		assert.equal(terminal.start(), "ok");
		assert.throws(() => terminal.provision(1), AssertionError);
		assert.equal(terminal.summary().batch, 999_999);
	});

	it("a thousand times without a sale and without a line wears nothing", () => {
		const rig = new Rig();
		rig.sell();
		rig.time.advance(10_000);
		rig.setLink(false);
		const erases = Array.from(rig.medium.erases);
		const image = rig.medium.image.slice();
		for (let n = 0; n < 1_000; n++) {
			rig.shop.pullPlug();
			rig.time.advance(3_500);
		}
		assert.ok(rig.shop.boots > 1_000);
		assert.deepEqual(Array.from(rig.medium.erases), erases);
		assert.deepEqual(rig.medium.image, image);
	});

	it("that signs on writes one small record, for its trace number: a block of the ring each, evenly worn", () => {
		const rig = new Rig();
		rig.sell();
		rig.time.advance(10_000);
		const before = Array.from(rig.medium.erases);
		for (let n = 0; n < 100; n++) {
			rig.shop.pullPlug();
			rig.time.advance(3_500);
			assert.equal(rig.shop.terminal.signedOn, true);
		}
		const worn = Array.from(rig.medium.erases, (erases, block) => erases - before[block]);
		const sum = worn.reduce((total, erases) => total + erases, 0);
		assert.ok(sum <= 101, `${sum} erases in 100 boots`);
		assert.ok(Math.max(...worn) - Math.min(...worn) <= 2, worn.join(" "));
	});

	it("with a link without TLS says so, loudly, where configuration allows it", () => {
		const allowed = terminalOver(new FlashMedium({ blocks: 8 }), { plain: true, plainLinks: true });
		allowed.terminal.provision(1);
		allowed.terminal.start();
		assert.ok(allowed.log.texts().some((line) => line.startsWith("W") && line.includes("without TLS")));
	});

	it("shows that it is ready, and how many doubts wait", () => {
		const rig = new Rig({ config: { doubtsMax: 9 } });
		assert.equal(rig.shop.till.screen?.name, "ready");
		assert.equal(rig.shop.till.screen?.count, 0);
		rig.faults.setRate("requestLost", 1);
		rig.sell();
		rig.time.advance(10_000);
		assert.equal(rig.shop.till.screen?.name, "ready");
		assert.equal(rig.shop.till.screen?.count, 1);
	});
});

describe("terminal: errors nobody handles", () => {
	it("restart the terminal, are logged by name only, and lose nothing", () => {
		const rig = new Rig();
		const { log } = rig.shop.terminal;
		const apply = log.apply.bind(log);
		log.apply = (id, event, facts) => {
			if (event === "approve") firmwareAssert(false, "I2 a test breaks it");
			return apply(id, event, facts);
		};
		const visit = rig.sell(2_000);
		assert.ok(visit.cut);
		assert.equal(rig.shop.restarts, 1);
		assert.match(rig.logText(), /restart: I2 a test breaks it/);
		rig.settle();
		assert.ok(rig.money().conserved);
		assert.equal(rig.shop.till.told(2), "notCharged");
		assert.equal(rig.sell().screens.at(-1), "approved");
	});

	it("inside an answer are not taken for a broken stream", () => {
		const rig = new Rig();
		const { log } = rig.shop.terminal;
		log.apply = () => {
			throw new CodedError("charset", "a place of ours");
		};
		rig.sell(2_000);
		assert.equal(rig.shop.restarts, 1);
		assert.match(rig.logText(), /restart: a place of ours: charset/);
		assert.doesNotMatch(rig.logText(), /makes no sense/);
		rig.settle();
		assert.ok(rig.money().conserved);
	});

	it("of an unknown kind show no text of the engine, which could hold anything (I9, I12)", () => {
		const rig = new Rig();
		rig.shop.terminal.log.begin = () => {
			throw new TypeError("6212345678904020");
		};
		rig.sell(2_000);
		assert.equal(rig.shop.restarts, 1);
		assert.match(rig.logText(), /restart: unexpected TypeError/);
		assert.doesNotMatch(rig.logText(), /6212345678904020/);
	});

	it("in a call from outside restart it as well", () => {
		const rig = new Rig();
		rig.shop.terminal.log.prepare = () => {
			throw new CodedError("flash", "journal", "gives up");
		};
		const visit = rig.sell(2_000);
		assert.ok(visit.cut);
		assert.equal(rig.shop.restarts, 1);
		rig.time.advance(5_000);
		assert.equal(rig.sell().screens.at(-1), "approved");
	});

	it("of a flash that takes nothing any more restart it before a byte has left", () => {
		const rig = new Rig({ rebootMs: 0 });
		rig.come(2_000, "chip-pin");
		rig.runUntil(() => rig.shop.terminal.phase === "pin");
		rig.medium.readOnly = true;
		rig.runUntil(() => !rig.shop.power.on, 100_000);
		assert.equal(rig.shop.power.on, false);
		assert.equal(rig.shop.restarts, 1);
		assert.equal(rig.entries().length, 0, "the host has never heard of it");
		rig.medium.readOnly = false;
		rig.shop.boot();
		assert.equal(rig.sell().screens.at(-1), "approved");
	});

	it("of a device at boot are tried again in a while: doubts wait, and nobody should have to pull the plug", () => {
		const keys = testTerminalKeys();
		let fails = 0;
		const rig = new Rig({
			keys: {
				read: (name, out) => {
					if (fails-- > 0) throw new CodedError("flash", `key ${name}`, "the storage refuses");
					return keys.read(name, out);
				},
				write: (name, key) => keys.write(name, key),
			},
		});
		rig.faults.arm("answerLost");
		assert.equal(rig.sell().screens.at(-1), "noAnswer");
		fails = 1;
		rig.shop.pullPlug();
		assert.throws(() => rig.time.advance(5_000), /I7/, "the shop's own check of a boot");
		assert.equal(rig.shop.till.screen?.name, "outOfService");
		rig.time.advance(120_000);
		assert.equal(rig.shop.restarts, 1);
		rig.settle();
		assert.ok(rig.shop.terminal.atRest);
		assert.equal(rig.money().oneSided, 0);
	});

	it("of a flash that is broken at boot leave it out of service", () => {
		const medium = new FlashMedium({ blocks: 8 });
		terminalOver(medium).terminal.provision(1);
		const first = terminalOver(medium);
		first.terminal.start();
		first.terminal.log.begin(
			{ amountMinor: 1, timeS: 0, entryMode: "071", condition: "00", field60Rest: "00060" },
			{ pan: "6212345678904020", expiry: "3012" },
		);
		medium.readOnly = true;
		const second = terminalOver(medium);
		assert.equal(second.terminal.start(), "broken");
		assert.equal(second.till.screen?.name, "outOfService");
		assert.equal(second.terminal.sale(100), "refusedStopped");
		medium.readOnly = false;
		assert.equal(terminalOver(medium).terminal.start(), "ok");
	});
});

describe("terminal: at work", () => {
	it("counts what is charged, in doubt and queued", () => {
		const rig = new Rig({ config: { doubtsMax: 9 } });
		rig.sell(1_000);
		rig.sell(2_000, "poor");
		rig.faults.arm("requestLost", 3);
		rig.sell(4_000);
		const { batch, transactions, charged, chargedMinor, doubts, doubtSumMinor, queued } = rig.shop.terminal.summary();
		assert.deepEqual(
			{ batch, transactions, charged, chargedMinor, doubts, doubtSumMinor, queued },
			{ batch: 1, transactions: 3, charged: 1, chargedMinor: 1_000, doubts: 1, doubtSumMinor: 4_000, queued: 1 },
		);
		assert.equal(rig.shop.terminal.atRest, false);
		rig.settle();
		assert.equal(rig.shop.terminal.summary().doubts, 0);
		assert.equal(rig.shop.terminal.summary().queued, 0);
	});

	it("erases ahead when the customer has gone, never while one waits", () => {
		const rig = new Rig();
		for (let n = 0; n < 150; n++) {
			assert.equal(rig.sell(100 + n).screens.at(-1), "approved", `sale ${n}`);
			rig.time.advance(4_000);
		}
		assert.equal(rig.shop.erasesInSale, 0);
		assert.ok(rig.shop.flash.blocksErased > 0);
	});

	it("stopped, closes its line and is settled by the next boot", () => {
		const rig = new Rig();
		rig.faults.arm("answerLost");
		const visit = rig.come(2_000);
		rig.runUntil(() => visit.screens.includes("waitForHost"));
		rig.time.advance(1_000);
		rig.shop.terminal.stop();
		rig.time.advance(1_000);
		assert.equal(rig.host?.connections, 0);
		rig.shop.pullPlug();
		rig.settle();
		assert.ok(rig.money().conserved);
		assert.ok(rig.shop.terminal.atRest);
	});
});
