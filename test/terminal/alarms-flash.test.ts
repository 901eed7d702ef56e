/**
 * Goal: flash that wears out, or loses a copy, is an alarm, in each boot anew as long as it is so. Method: a whole
 * terminal over simulated silicon with that fault.
 */
import { strict as assert } from "node:assert";
import { AlarmWatch, HOUR_MS, MINUTE_MS } from "./alarm-watch";

describe("alarms of flash", () => {
	it("a copy that does not work, until it does", () => {
		const watch = new AlarmWatch({ mirror: true });
		watch.sales(3);
		const [, mirror] = watch.rig.shop.media;
		mirror.readOnly = true;
		watch.sales(3);
		watch.raisedBy("flashCopyLost", 5 * MINUTE_MS);
		mirror.readOnly = false;
		watch.rig.shop.pullPlug();
		watch.rig.time.advance(5 * MINUTE_MS);
		assert.deepEqual([watch.now, watch.raised], [[], ["flashCopyLost"]]);
	});

	it("a block that is worn out, in each boot, until the chip is another one", () => {
		const watch = new AlarmWatch();
		watch.sales(3);
		const [medium] = watch.rig.shop.media;
		for (let block = 5; block < 8; block++) medium.faults.set(block, { erase: true, program: true, silent: false });
		for (let n = 0; n < 60 && watch.now.length === 0; n++) {
			watch.sales(4);
			watch.rig.shop.terminal.settle();
			watch.rig.time.advance(MINUTE_MS);
		}
		watch.raisedBy("flashRetired", MINUTE_MS);
		watch.rig.time.advance(HOUR_MS);
		watch.rig.shop.pullPlug();
		watch.rig.time.advance(MINUTE_MS);
		assert.deepEqual([watch.now, watch.raised], [["flashRetired"], ["flashRetired", "flashRetired"]]);
		const other = new AlarmWatch();
		other.rig.time.advance(MINUTE_MS);
		assert.deepEqual(other.raised, []);
	});

	it("blocks erased as often as the chip is good for", () => {
		const watch = new AlarmWatch({ blocks: 16, config: { flashErasesMax: 4, settleAtMinute: -1 } });
		watch.sales(3);
		assert.deepEqual(watch.now, []);
		for (let n = 0; n < 90 && watch.now.length === 0; n++) {
			watch.sales(20);
			watch.rig.shop.terminal.settle();
			watch.rig.time.advance(MINUTE_MS);
		}
		watch.raisedBy("flashWorn", MINUTE_MS);
		const [{ erases }] = watch.rig.shop.media;
		const each = erases.reduce((sum, count) => sum + count, 0) / erases.length;
		assert.ok(each >= 3 && each <= 6, `${each} erases of each block`);
	});

	it("a copy that has to be mended much, until a day has passed without", () => {
		const watch = new AlarmWatch({ mirror: true, config: { flashMendedMax: 3 } });
		watch.sales(80);
		const [, mirror] = watch.rig.shop.media;
		watch.rig.shop.pullPlug();
		mirror.image.fill(0xff);
		watch.rig.time.advance(5_000);
		watch.raisedBy("flashMended", HOUR_MS);
		watch.overBy("flashMended", 50 * HOUR_MS);
		watch.sales(1);
		assert.deepEqual(watch.now, []);
	});
});
