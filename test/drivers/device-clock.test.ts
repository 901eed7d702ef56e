/**
 * Goal: time-outs that can be trusted on a counter that wraps and a wall clock that jumps.
 * Method: the SDK's Timer and Time are replaced by ones the test moves by hand.
 */
import assert from "node:assert/strict";
import { DeviceClock } from "../../drivers/device-clock/device-clock";

interface FakeTimer {
	callback(): void;
	dueMs: number;
	everyMs: number;
}

/** 32 bits of ms, signed, as an ESP32 counts. */
class Rig {
	timers = new Set<FakeTimer>();
	ticks: number;
	wallMs = 1_800_000_000_000;
	readonly clock: DeviceClock<FakeTimer>;

	constructor(ticks = 0) {
		this.ticks = ticks;
		const rig = this;
		const add = (callback: () => void, ms: number, everyMs: number) => {
			const timer = { callback, dueMs: ms, everyMs };
			this.timers.add(timer);
			return timer;
		};
		this.clock = new DeviceClock<FakeTimer>({
			timer: {
				set: (callback, ms) => add(callback, ms, 0),
				repeat: (callback, ms) => add(callback, ms, ms),
				clear: (timer) => assert.ok(this.timers.delete(timer), "a timer that is gone is not cleared"),
			},
			time: {
				get ticks() {
					return rig.ticks;
				},
				delta: (start, end) => (end - start) | 0,
			},
			wall: { now: () => this.wallMs },
		});
	}

	pass(ms: number): void {
		this.ticks = (this.ticks + ms) | 0;
		for (const timer of [...this.timers]) {
			timer.dueMs -= ms;
			if (timer.dueMs > 0 || !this.timers.has(timer)) continue;
			if (timer.everyMs > 0) timer.dueMs += timer.everyMs;
			else this.timers.delete(timer);
			timer.callback();
		}
	}
}

describe("device clock", () => {
	it("counts ms since boot from whatever the counter says at boot", () => {
		const rig = new Rig(123_456);
		assert.equal(rig.clock.monotonic(), 0);
		rig.pass(70);
		assert.equal(rig.clock.monotonic(), 70);
	});

	it("runs on across the end of the counter", () => {
		const rig = new Rig(0x7fffffff - 10);
		rig.pass(30);
		assert.equal(rig.clock.monotonic(), 30);
	});

	it("runs on over many turns of the counter with nobody asking", () => {
		const rig = new Rig();
		for (let day = 0; day < 100; day++) rig.pass(86_400_000);
		assert.equal(rig.clock.monotonic(), 8_640_000_000);
	});

	it("never goes back when the counter does", () => {
		const rig = new Rig(1_000);
		rig.pass(500);
		assert.equal(rig.clock.monotonic(), 500);
		rig.ticks = 200;
		assert.equal(rig.clock.monotonic(), 500);
		rig.pass(40);
		assert.equal(rig.clock.monotonic(), 540);
	});

	it("gives the wall's time, jumps and all, without touching monotonic time", () => {
		const rig = new Rig();
		rig.pass(5);
		rig.wallMs -= 3_600_000;
		assert.equal(rig.clock.now(), 1_800_000_000_000 - 3_600_000);
		assert.equal(rig.clock.monotonic(), 5);
	});

	it("fires a timer once, never early for a fraction of a ms", () => {
		const rig = new Rig();
		let fired = 0;
		assert.notEqual(
			rig.clock.setTimer(9.2, () => fired++),
			0,
		);
		rig.pass(9);
		assert.equal(fired, 0);
		rig.pass(1);
		rig.pass(100);
		assert.equal(fired, 1);
	});

	it("clears a timer, and takes 0, an unknown id and one that has fired for nothing", () => {
		const rig = new Rig();
		let fired = 0;
		const id = rig.clock.setTimer(10, () => fired++);
		rig.clock.clearTimer(id);
		rig.clock.clearTimer(id);
		rig.clock.clearTimer(0);
		const spent = rig.clock.setTimer(1, () => fired++);
		rig.pass(20);
		rig.clock.clearTimer(spent);
		assert.equal(fired, 1);
	});

	it("keeps intervals within what the SDK's timers take", () => {
		const rig = new Rig();
		rig.clock.setTimer(1e12, () => {});
		rig.clock.setTimer(-5, () => {});
		assert.deepEqual(
			[...rig.timers].slice(1).map((timer) => timer.dueMs),
			[0x7fffffff, 0],
		);
	});

	it("has room for a bounded number of timers (I10)", () => {
		const rig = new Rig();
		assert.throws(() => {
			for (let i = 0; i < 1_000; i++) rig.clock.setTimer(1, () => {});
		}, /I10/);
	});

	it("lets an error of a callback out, but not one of a callback that found the board dead", () => {
		const rig = new Rig();
		rig.clock.setTimer(1, () => assert.fail("I0 a bug"));
		assert.throws(() => rig.pass(1), /I0 a bug/);
		rig.clock.setTimer(1, () => {
			rig.clock.close();
			rig.clock.monotonic();
		});
		rig.pass(1);
	});

	it("is dead after close: no timer fires, every call throws, closing again does nothing", () => {
		const rig = new Rig();
		rig.clock.setTimer(10, () => assert.fail("a dead clock fires"));
		rig.clock.close();
		rig.clock.close();
		rig.pass(86_400_000);
		assert.equal(rig.timers.size, 0);
		for (const call of [
			() => rig.clock.now(),
			() => rig.clock.monotonic(),
			() => rig.clock.setTimer(1, () => {}),
			() => rig.clock.clearTimer(1),
		]) {
			assert.throws(call, { code: "state" });
		}
	});
});
