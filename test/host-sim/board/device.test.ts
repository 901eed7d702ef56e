import assert from "node:assert/strict";
import { createDevice } from "../../../host-sim/board/device";
import { FlashCut } from "../../../host-sim/board/flash-cut";
import { MemoryKeys } from "../../../host-sim/board/memory-keys";
import { MemoryLog } from "../../../host-sim/board/memory-log";
import { NorFlash } from "../../../host-sim/board/nor-flash";
import { Power, PowerLost } from "../../../host-sim/board/power";
import { ScriptedKeypad } from "../../../host-sim/board/scripted-keypad";
import { ScriptedReader } from "../../../host-sim/board/scripted-reader";
import { SeededRandom } from "../../../host-sim/board/seeded-random";
import { Till } from "../../../host-sim/board/till";
import { VirtualTime } from "../../../host-sim/board/virtual-clock";
import { CodedError } from "../../../src/core/errors";
import type { Device } from "../../../src/ports";

const MAK = "0123456789ABCDEFFEDCBA9876543210";

function board(
	onRestart?: (reason: string) => void,
	makeFlash = (power: Power): Device["flash"] => ({ journal: new NorFlash({ blocks: 4, power }) }),
) {
	const power = new Power();
	const clock = new VirtualTime().clock(power);
	const log = new MemoryLog(3);
	const device: Device = createDevice({
		power,
		clock,
		flash: makeFlash(power),
		links: [],
		reader: new ScriptedReader({ power, clock }),
		keypad: new ScriptedKeypad({ power, clock }),
		...new Till().attach(power, clock),
		random: new SeededRandom(1),
		keys: new MemoryKeys({ HAK: MAK }),
		log,
		...(onRestart === undefined ? {} : { onRestart }),
	});
	return { power, log, device };
}

describe("a simulated board", () => {
	it("after a cut every port throws PowerLost", () => {
		const { power, device } = board();
		power.cut();
		const calls: Record<string, () => unknown> = {
			flash: () => device.flash.journal.read(1, 0),
			clock: () => device.clock.now(),
			random: () => device.random.fill(new Uint8Array(1)),
			keys: () => device.keys.read("HAK", new Uint8Array(32)),
			reader: () => device.reader.stop(),
			keypad: () => device.keypad.cancelPin(),
			display: () => device.display.show({ name: "ready" }),
			printer: () => device.printer.print({} as never, () => {}),
			log: () => device.log.write("I", 0, "test", "text"),
			restart: () => device.restart("again"),
		};
		for (const [port, call] of Object.entries(calls)) assert.throws(call, PowerLost, port);
	});

	it("has a mirror where one was given, behind the same supply and counter, and none otherwise", () => {
		assert.equal("mirror" in board().device.flash, false);
		const cut = new FlashCut();
		const { power, device } = board(undefined, (supply) => ({
			journal: new NorFlash({ blocks: 4, power: supply, cut }),
			mirror: new NorFlash({ blocks: 4, power: supply, cut }),
		}));
		const { journal, mirror } = device.flash;
		assert.ok(mirror);
		cut.cutAt(2, 0);
		journal.write(new Uint8Array(1), 0);
		assert.throws(() => mirror.write(new Uint8Array(1), 0), PowerLost);
		assert.equal(power.on, false);
		for (const flash of [journal, mirror]) assert.throws(() => flash.read(1, 0), PowerLost);
	});

	it("a restart says why, cuts the power and never returns", () => {
		const reasons: string[] = [];
		const { power, device } = board((reason) => reasons.push(`${reason}, on=${power.on}`));
		assert.throws(() => device.restart("I3 broken"), PowerLost);
		assert.deepEqual([reasons, power.on], [["I3 broken, on=true"], false]);
	});

	it("keeps the last log lines, oldest first, as ESP-IDF prints them", () => {
		const { log, device } = board();
		for (let i = 1; i <= 5; i++) device.log.write("W", i * 1000.7, "journal", `line ${i}`);
		assert.deepEqual(log.texts(), ["W (3002) journal: line 3", "W (4002) journal: line 4", "W (5003) journal: line 5"]);
		assert.equal(log.written, 5);
	});

	it("holds the keys it was given and no others, and refuses broken ones without showing them", () => {
		const { device } = board();
		const out = new Uint8Array(32);
		assert.deepEqual([device.keys.read("HAK", out), out[0], out[15]], [16, 0x01, 0x10]);
		assert.equal(device.keys.read("TMK", out), 0);
		assert.throws(() => device.keys.read("HAK", new Uint8Array(8)), CodedError);
		for (const TMK of ["0123456789ABCDEX", "01234567", "0"]) {
			assert.throws(
				() => new MemoryKeys({ TMK }),
				(error) => error instanceof CodedError && error.place === "key TMK" && !error.message.includes(TMK.slice(0, 4)),
			);
		}
	});
});
