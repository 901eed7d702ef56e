/** Wall time may jump at any moment: nothing that waits goes by it (I3). */
import { strict as assert } from "node:assert";
import type { VirtualClock } from "../../host-sim/board/virtual-clock";
import { Rig } from "../host-sim/world/rig";

const DAY_MS = 86_400_000;

describe("transactions: wall time jumps", () => {
	for (const [direction, ms] of [
		["back", -400 * DAY_MS],
		["forwards", 400 * DAY_MS],
	] as const) {
		it(`${direction} while reversals wait: each goes out when it is due, and once more after lateOriginalMs`, () => {
			const rig = new Rig();
			const sent: number[] = [];
			const { link } = rig;
			assert.ok(link);
			rig.faults.arm("requestLost", 2); // The sale, and the first try of its reversal.
			assert.equal(rig.sell().screens.at(-1), "noAnswer");
			link.beforeWrite = (bytes) => {
				if (bytes[13] === 0x04) sent.push(rig.time.nowMs); // MTI behind length, TPDU and header.
			};
			const begin = rig.time.nowMs;
			(rig.shop.clock as VirtualClock).jump(ms);
			rig.time.advance(120_000);
			assert.equal(sent.length, 1, "one try, after the first one's time-out");
			(rig.shop.clock as VirtualClock).jump(-ms / 2);
			rig.time.advance(900_000);
			assert.equal(sent.length, 2);
			assert.ok(sent[1] - sent[0] >= 600_000 && sent[1] - begin < 1_000_000, `${sent[1] - sent[0]}`);
			assert.ok(rig.shop.terminal.atRest);
		});
	}
});
