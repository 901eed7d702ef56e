/**
 * Goal: an alarm disturbs nobody, and on a day on which nothing is wrong there is none. Method: whole terminal and host on
 * virtual time; the till has every screen.
 */
import { strict as assert } from "node:assert";
import { SeededRandom } from "../../host-sim/board/seeded-random";
import type { VirtualClock } from "../../host-sim/board/virtual-clock";
import type { ScreenName } from "../../src/ports";
import type { Alarm } from "../../src/settlement/monitor";
import { AlarmWatch, HOUR_MS, MINUTE_MS } from "./alarm-watch";

const CARDS = ["chip", "chip-pin", "magstripe-pin", "contactless", "magstripe-19", "poor", "lost", "wrong-pin"];

describe("alarms", () => {
	for (const seed of [1, 2, 3]) {
		it(`none on a quiet day of 500 sales, with its settlement and the night (seed ${seed})`, () => {
			const watch = new AlarmWatch({ seed, blocks: 256, mirror: true, office: { postingDelayMs: 10 * MINUTE_MS } });
			const { rig } = watch;
			const random = new SeededRandom(seed).fork("day");
			for (let n = 0; n < 500; n++) {
				// Mostly cards that pay; now and then a wrong PIN, no money, a lost card.
				const card = CARDS[random.below(20) === 0 ? 5 + random.below(3) : random.below(5)];
				rig.sell(500 + 7 * n + random.below(7), card);
				rig.time.advance(random.below(160_000));
				if (random.below(200) === 0) rig.shop.pullPlug();
				rig.time.advance(5_000);
			}
			assert.ok(rig.shop.visits.every(({ refusal }) => refusal === undefined));
			// By key, so that what was sold last is still to be posted then, and is watched.
			assert.ok(rig.shop.terminal.settle());
			rig.time.advance(2 * MINUTE_MS);
			assert.ok(rig.shop.terminal.summary().watched > 0);
			rig.time.advance(14 * HOUR_MS);
			assert.deepEqual([rig.shop.terminal.settling, rig.shop.terminal.summary().watched], [false, 0]);
			assert.deepEqual([watch.raised, watch.over], [[], []]);
			assert.equal(rig.money().oneSided, 0);
		});
	}

	it("are not shown while a customer is served, nor over what was told: after it, one after another, then the ready screen", () => {
		const screens: ScreenName[] = [];
		const watch = new AlarmWatch({ onScreen: ({ name }) => screens.push(name) });
		const { rig } = watch;
		watch.sales(2);
		const visit = rig.come(4_400, "chip-pin", { delayMs: 50_000 });
		(rig.shop.clock as VirtualClock).jump(HOUR_MS);
		screens.length = 0;
		assert.ok(rig.runUntil(() => visit.ended));
		assert.deepEqual(watch.now, ["clockOff"], "raised while the card was waited for");
		assert.ok(!screens.includes("alarm"), screens.join());
		rig.time.advance(2_900);
		assert.equal(rig.shop.till.screen?.name, "approved");
		rig.time.advance(200);
		assert.deepEqual([rig.shop.till.screen?.name, rig.shop.till.screen?.alarm], ["alarm", "clockOff"]);
		rig.time.advance(3_000);
		assert.deepEqual([rig.shop.till.screen?.name, rig.shop.till.screen?.alarms], ["ready", 1]);
		rig.time.advance(HOUR_MS);
		assert.equal(screens.filter((name) => name === "alarm").length, 1, "once");
	});

	it("leave a result on the screen for its time, when the monitor looks just then", () => {
		const watch = new AlarmWatch();
		const { rig } = watch;
		const clock = rig.shop.clock as VirtualClock;
		watch.sales(2);
		rig.time.advance(26_500 - clock.monotonic());
		assert.equal(rig.sell(4_400).ended, true);
		assert.ok(clock.monotonic() > 27_200 && clock.monotonic() < 30_000, `${clock.monotonic()}`);
		clock.jump(HOUR_MS);
		rig.time.advance(30_100 - clock.monotonic());
		assert.deepEqual([watch.now, rig.shop.till.screen?.name], [["clockOff"], "approved"]);
		rig.time.advance(3_000);
		assert.equal(rig.shop.till.screen?.name, "alarm");
	});

	it("are not shown while the operator is asked something", () => {
		const watch = new AlarmWatch({ cashierMs: 20 * MINUTE_MS, config: { linkDownMsMax: 2 * MINUTE_MS } });
		const { rig } = watch;
		watch.sales(1);
		const visit = rig.come(4_400);
		rig.runUntil(() => visit.screens.includes("approved"));
		rig.setLink(false);
		rig.shop.pullPlug();
		rig.time.advance(10 * MINUTE_MS);
		assert.deepEqual([rig.shop.till.screen?.name, watch.now], ["askDelivered", ["linkDown"]]);
	});

	it("are told to whoever listens, and listed with what was read, the limit and the time", () => {
		const told: [boolean, Alarm][] = [];
		const watch = new AlarmWatch();
		const { terminal } = watch.rig.shop;
		terminal.onAlarm = (raised, alarm) => told.push([raised, alarm]);
		watch.sales(2);
		const clock = watch.rig.shop.clock as VirtualClock;
		clock.jump(-HOUR_MS);
		watch.rig.time.advance(MINUTE_MS);
		const [alarm] = terminal.alarms;
		assert.deepEqual([alarm.name, alarm.severity, alarm.link, alarm.limit], ["clockOff", "warning", "", 300_000]);
		assert.ok(Math.abs(alarm.value - HOUR_MS) < 2_000, `${alarm.value}`);
		assert.ok(alarm.raisedMs > 0 && alarm.raisedMs <= clock.monotonic());
		clock.jump(HOUR_MS);
		watch.rig.time.advance(5 * MINUTE_MS);
		assert.deepEqual(
			told.map(([raised, { name }]) => [raised, name]),
			[
				[true, "clockOff"],
				[false, "clockOff"],
			],
		);
		assert.match(watch.rig.logText(), /W \(\d+\) terminal: alarm clockOff: 3[56]\d{5}, limit 300000/);
		assert.match(watch.rig.logText(), /I \(\d+\) terminal: alarm clockOff is over/);
	});

	it("are shown once more when somebody asks", () => {
		const watch = new AlarmWatch();
		const { rig } = watch;
		watch.sales(2);
		(rig.shop.clock as VirtualClock).jump(HOUR_MS);
		watch.raisedBy("clockOff", MINUTE_MS);
		rig.shop.terminal.showAlarms();
		assert.equal(rig.shop.till.screen?.name, "alarm");
		rig.time.advance(3_000);
		assert.equal(rig.shop.till.screen?.name, "ready");
	});

	it("are forgotten by a restart, and found again", () => {
		const watch = new AlarmWatch();
		const { rig } = watch;
		watch.sales(2);
		rig.faults.arm("postingRefused", 1);
		watch.sales(1);
		watch.raisedBy("accountRefused", HOUR_MS);
		rig.shop.pullPlug();
		rig.time.advance(MINUTE_MS);
		assert.deepEqual([watch.now, watch.raised], [["accountRefused"], ["accountRefused", "accountRefused"]]);
	});
});
