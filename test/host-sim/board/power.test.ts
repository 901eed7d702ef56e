import assert from "node:assert/strict";
import { Power, PowerLost } from "../../../host-sim/board/power";
import { VirtualTime } from "../../../host-sim/board/virtual-clock";

describe("the power supply", () => {
	it("goes once, tells those who asked in their order, and then every check throws", () => {
		const power = new Power();
		const seen: string[] = [];
		power.onCut(() => seen.push(`first, on=${power.on}`));
		const forget = power.onCut(() => seen.push("forgotten"));
		power.onCut(() => seen.push("second"));
		forget();
		power.check();
		power.cut();
		power.cut();
		assert.deepEqual(seen, ["first, on=false", "second"]);
		assert.throws(() => power.check(), PowerLost);
	});

	it("delivers nothing after the cut, ends a PowerLost there, and lets bugs through", () => {
		const power = new Power();
		assert.throws(() => power.deliver(() => assert.fail("a bug")), /a bug/);
		power.deliver(() => {
			power.cut();
			power.check();
		});
		power.deliver(() => assert.fail("delivered to a dead board"));
	});

	it("a PowerLost of another board is not swallowed", () => {
		const power = new Power();
		assert.throws(() => {
			power.deliver(() => {
				throw new PowerLost();
			});
		}, PowerLost);
	});
});

describe("the virtual clock", () => {
	it("fires timers at their time, in order, those of the same time as they were set", () => {
		const time = new VirtualTime(1_000_000);
		const clock = time.clock();
		const seen: string[] = [];
		const note = (name: string) => () => seen.push(`${name}@${clock.monotonic()}`);
		clock.setTimer(20, note("c"));
		clock.setTimer(10, () => {
			note("a")();
			clock.setTimer(0, note("nested"));
		});
		clock.setTimer(10, note("b"));
		clock.clearTimer(clock.setTimer(15, note("cleared")));
		clock.clearTimer(0);
		time.advance(19);
		assert.deepEqual(seen, ["a@10", "b@10", "nested@10"]);
		time.advance(1);
		assert.deepEqual(seen, ["a@10", "b@10", "nested@10", "c@20"]);
		assert.equal(clock.now(), 1_000_020);
	});

	it("begins each boot at 0, runs on outside, and is dead with its board", () => {
		const time = new VirtualTime(0);
		const power = new Power();
		const clock = time.clock(power);
		clock.setTimer(10, () => assert.fail("a timer of a dead board"));
		time.advance(5);
		power.cut();
		time.advance(100);
		assert.throws(() => clock.now(), PowerLost);
		assert.throws(() => clock.monotonic(), PowerLost);
		assert.throws(() => clock.setTimer(1, () => {}), PowerLost);
		assert.throws(() => clock.clearTimer(1), PowerLost);
		const next = time.clock(new Power());
		assert.deepEqual([next.monotonic(), next.now()], [0, 105]);
	});

	it("wall time may jump; monotonic time and timers do not", () => {
		const time = new VirtualTime(1000);
		const clock = time.clock();
		let fired = 0;
		clock.setTimer(10, () => fired++);
		clock.jump(-500);
		assert.deepEqual([clock.now(), clock.monotonic()], [500, 0]);
		assert.equal(time.step(), true);
		assert.deepEqual([fired, clock.monotonic(), time.step()], [1, 10, false]);
	});
});
