/**
 * Goal: what goes wrong between the books of terminal and host, and what nears its limit, is an alarm while the shop is
 * open, and over when it is mended. Method: whole terminal and host on virtual time, with the fault itself; each alarm is
 * the only one, and is raised once.
 */
import { strict as assert } from "node:assert";
import type { VirtualClock } from "../../host-sim/board/virtual-clock";
import { makeConfig } from "../../src/config";
import { AlarmWatch, HOUR_MS, MINUTE_MS, OVER_MS } from "./alarm-watch";

describe("alarms of the books", () => {
	it("a sale that is not posted in the usual time, until it is", () => {
		const watch = new AlarmWatch({ office: { desk: { policy: "late", lateMs: 3 * HOUR_MS } } });
		watch.sales(2);
		watch.rig.faults.arm("postingLost", 1);
		watch.sales(1);
		watch.rig.time.advance(25 * MINUTE_MS);
		assert.deepEqual(watch.now, [], "half an hour is usual");
		watch.raisedBy("postingLate", 25 * MINUTE_MS);
		watch.overBy("postingLate", 6 * HOUR_MS);
		assert.equal(watch.rig.money().oneSided, 0);
	});

	it("one of a released batch that is watched, and cannot be asked about", () => {
		const watch = new AlarmWatch({
			office: { postingDelayMs: 40 * MINUTE_MS },
			config: { linkDownMsMax: 24 * HOUR_MS },
		});
		watch.sales(1);
		watch.rig.shop.terminal.settle();
		watch.rig.time.advance(2 * MINUTE_MS);
		assert.equal(watch.rig.shop.terminal.summary().watched, 1);
		watch.rig.setLink(false);
		watch.raisedBy("postingLate", 2 * HOUR_MS);
		watch.rig.setLink(true);
		watch.overBy("postingLate", HOUR_MS);
	});

	it("a merchant's account that takes nothing, until the bank has mended it", () => {
		const watch = new AlarmWatch();
		watch.sales(2);
		watch.rig.faults.arm("postingRefused", 1);
		watch.sales(1);
		watch.raisedBy("accountRefused", HOUR_MS);
		const { terminalId, merchantId } = makeConfig();
		watch.rig.host?.backOffice.mendAccount({ terminalId, merchantId }, watch.rig.time.nowMs);
		watch.rig.host?.officeChanged();
		watch.overBy("accountRefused", 3 * HOUR_MS);
		assert.equal(watch.rig.money().oneSided, 0);
	});

	it("the same card and amount twice within minutes, until the operator has said what it was", () => {
		const watch = new AlarmWatch();
		watch.sales(2);
		watch.rig.sell(8_800);
		watch.rig.time.advance(20_000);
		watch.rig.sell(8_800);
		watch.raisedBy("doubled", HOUR_MS);
		const { terminal } = watch.rig.shop;
		const asked = terminal.nextQuestion();
		assert.ok(asked > 0, "the case of it asks");
		assert.ok(terminal.answerCase(asked, false), "both stand");
		watch.overBy("doubled", OVER_MS);
	});

	it("an answer that the host has promised and does not give", () => {
		const watch = new AlarmWatch({
			office: { desk: { policy: "late", lateMs: 2 * HOUR_MS } },
			config: { linkDownMsMax: 24 * HOUR_MS, postingsLateMax: 256 },
		});
		watch.sales(2);
		watch.rig.faults.arm("postingLost", 1);
		watch.sales(1);
		watch.rig.time.advance(HOUR_MS);
		watch.rig.setLink(false);
		watch.rig.time.advance(HOUR_MS);
		assert.deepEqual(watch.now, [], "it is not yet time");
		watch.raisedBy("casesOverdue", HOUR_MS);
		watch.rig.setLink(true);
		watch.overBy("casesOverdue", HOUR_MS);
	});

	it("no place for another case, until there is one", () => {
		const watch = new AlarmWatch({ config: { casesMax: 4 } });
		watch.sales(1);
		for (let n = 0; n < 4; n++) {
			watch.rig.sell(5_500);
			watch.rig.time.advance(60_000);
		}
		watch.rig.faults.arm("postingRefused", 4);
		watch.sales(4);
		watch.rig.time.advance(HOUR_MS);
		assert.ok(watch.now.includes("casesFull"), watch.now.join());
		const { terminal } = watch.rig.shop;
		for (let id = terminal.nextQuestion(); id !== 0; id = terminal.nextQuestion()) terminal.answerCase(id, false);
		const { terminalId, merchantId } = makeConfig();
		watch.rig.host?.backOffice.mendAccount({ terminalId, merchantId }, watch.rig.time.nowMs);
		watch.rig.host?.officeChanged();
		assert.ok(watch.rig.runUntil(() => !watch.now.includes("casesFull"), 4 * HOUR_MS));
	});

	it("a batch that is nearly full, until it is settled", () => {
		const watch = new AlarmWatch({ blocks: 32, config: { batchSalesMax: 20, settleAtMinute: -1 } });
		watch.sales(18);
		assert.deepEqual(watch.now, []);
		watch.sales(1);
		watch.raisedBy("batchNear", MINUTE_MS);
		watch.rig.shop.terminal.settle();
		watch.overBy("batchNear", 5 * MINUTE_MS);
	});

	it("a journal that is nearly full, before anybody is refused, until the batch is settled", () => {
		const watch = new AlarmWatch({ config: { settleAtMinute: -1, settleRoomSales: 0 } });
		watch.sales(5);
		assert.deepEqual(watch.now, []);
		for (let n = 0; n < 200 && watch.now.length === 0; n++) watch.sales(1);
		assert.ok(watch.rig.shop.visits.every(({ refusal }) => refusal === undefined));
		watch.raisedBy("journalNear", MINUTE_MS);
		watch.rig.shop.terminal.settle();
		watch.overBy("journalNear", 5 * MINUTE_MS);
	});

	it("a settlement that comes to no end, until it does", () => {
		const watch = new AlarmWatch({ config: { linkDownMsMax: 24 * HOUR_MS } });
		watch.sales(3);
		watch.rig.setLink(false);
		watch.rig.shop.terminal.settle();
		watch.rig.time.advance(25 * MINUTE_MS);
		assert.deepEqual(watch.now, []);
		watch.raisedBy("settleWaits", 10 * MINUTE_MS);
		watch.rig.setLink(true);
		watch.overBy("settleWaits", HOUR_MS);
		assert.equal(watch.rig.shop.terminal.log.settledUpTo.batch, 1);
	});

	it("a clock that is off the host's, either way, until it is set", () => {
		for (const offMs of [6 * MINUTE_MS, -6 * MINUTE_MS]) {
			const watch = new AlarmWatch();
			watch.sales(2);
			const clock = watch.rig.shop.clock as VirtualClock;
			clock.jump(offMs / 2);
			watch.rig.time.advance(5 * MINUTE_MS);
			assert.deepEqual(watch.now, [], "three minutes are none");
			clock.jump(offMs / 2);
			watch.raisedBy("clockOff", MINUTE_MS);
			clock.jump(-offMs / 4);
			watch.rig.time.advance(5 * MINUTE_MS);
			assert.deepEqual(watch.now, ["clockOff"], "it does not flutter");
			clock.jump((-offMs * 3) / 4);
			watch.overBy("clockOff", OVER_MS);
		}
	});
});
