import assert from "node:assert/strict";
import { Power, PowerLost } from "../../../host-sim/board/power";
import { ScaledClock } from "../../../host-sim/node/scaled-clock";

const realMs = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const fired = (clock: ScaledClock, ms: number) => new Promise<void>((resolve) => clock.setTimer(ms, resolve));

/** Keeps the process busy, as a long computation would. */
function hog(ms: number): void {
	const end = performance.now() + ms;
	while (performance.now() < end);
}

describe("the scaled clock", () => {
	it("runs scale times faster than real, from the given date", async () => {
		const clock = new ScaledClock({ scale: 1000, startMs: 5_000_000 });
		const before = performance.now();
		await fired(clock, 30_000);
		const took = performance.now() - before;
		assert.ok(took >= 29 && took < 2_000, `${took}`);
		assert.ok(clock.monotonic() >= 30_000, "never early");
		assert.ok(clock.now() - 5_000_000 - clock.monotonic() < 1_000);
		clock.close();
	});

	it("fires in the order of due times and never early", async () => {
		const clock = new ScaledClock({ scale: 100 });
		const seen: number[] = [];
		for (const ms of [3_000, 1_000, 2_000, 0, 5_000]) {
			const due = clock.monotonic() + ms;
			clock.setTimer(ms, () => {
				assert.ok(clock.monotonic() >= due);
				seen.push(ms);
			});
		}
		clock.clearTimer(clock.setTimer(500, () => assert.fail("cleared")));
		clock.clearTimer(0);
		await fired(clock, 6_000);
		assert.deepEqual(seen, [0, 1_000, 2_000, 3_000, 5_000]);
		clock.close();
	});

	it("a timer set for now by a timer waits for the next turn: other work is not starved", async () => {
		const clock = new ScaledClock({ scale: 100 });
		let turns = 0;
		const again = () => {
			if (turns++ < 1_000_000) clock.setTimer(0, again);
		};
		clock.setTimer(0, again);
		await realMs(20);
		assert.ok(turns > 1 && turns < 10_000, `${turns}`);
		clock.close();
	});

	it("is dead with its board: no timer fires, each call throws", async () => {
		const power = new Power();
		const clock = new ScaledClock({ scale: 1000, power });
		clock.setTimer(5_000, () => assert.fail("a timer of a dead board"));
		clock.setTimer(0, () => power.cut());
		clock.setTimer(0, () => assert.fail("due together with the cut, but after it"));
		await realMs(30);
		assert.equal(power.on, false);
		for (const call of [() => clock.now(), () => clock.monotonic(), () => clock.setTimer(1, () => {})]) {
			assert.throws(call, PowerLost);
		}
		assert.throws(() => clock.clearTimer(1), PowerLost);
	});

	it("a PowerLost inside a timer ends there", async () => {
		const power = new Power();
		const clock = new ScaledClock({ power });
		clock.setTimer(0, () => {
			power.cut();
			clock.now();
		});
		await realMs(10);
		assert.equal(power.on, false);
	});

	it("with stallMs, time that the process could not use does not pass", async () => {
		const guarded = new ScaledClock({ scale: 100, stallMs: 10 });
		const plain = new ScaledClock({ scale: 100 });
		hog(200);
		assert.ok(guarded.monotonic() <= 1_100, `${guarded.monotonic()}`);
		assert.ok(plain.monotonic() >= 19_900);
		await realMs(100);
		assert.ok(guarded.monotonic() >= 3_000, "idle time does pass");
		guarded.close();
		plain.close();
	});

	it("wall time jumps alone", () => {
		const clock = new ScaledClock({ startMs: 1_000_000 });
		clock.jump(-400_000);
		assert.ok(clock.now() < 700_000 && clock.monotonic() < 10_000);
		clock.close();
	});
});
