/**
 * Trading days in bad weather on a terminal with a mirror, while blocks of either copy lose their content: power is cut
 * within any operation on either of the two, and the money is where people were told it is (I3, I6, I7). A failure names
 * its seed: the same seed gives the same day.
 */
import { strict as assert } from "node:assert";
import { storm } from "../host-sim/world/storm";

const SEEDS = 40;
const SALES = 40;

describe("terminal with a mirror: storm", function () {
	this.timeout(60_000);

	it(`of ${SEEDS} seeds with ${SALES} sales each ends with nothing lost and two whole copies`, () => {
		let cuts = 0;
		let blocksDestroyed = 0;
		let blocksMended = 0;
		for (let seed = 1; seed <= SEEDS; seed++) {
			const report = storm(seed, { sales: SALES, mirror: true });
			const wrong = report.money.rows.filter((row) => row.wrong !== undefined);
			assert.deepEqual(wrong, [], `seed ${seed}`);
			assert.ok(report.money.conserved, `seed ${seed}: conserved`);
			assert.ok(report.atRest, `seed ${seed}: at rest`);
			assert.equal(report.copiesWhole, 2, `seed ${seed}: whole copies`);
			assert.equal(report.restarts, 0, `seed ${seed}: restarts by the firmware`);
			assert.equal(report.erasesInSale, 0, `seed ${seed}: flash erased while a customer waited`);
			cuts += report.cuts;
			blocksDestroyed += report.blocksDestroyed;
			blocksMended += report.blocksMended;
		}
		assert.ok(cuts > 5 * SEEDS, `${cuts} power cuts`);
		assert.ok(blocksDestroyed > 4 * SEEDS, `${blocksDestroyed} blocks destroyed`);
		assert.ok(blocksMended > SEEDS, `${blocksMended} blocks mended`);
	});

	it("gives the same day for the same seed (I12)", () => {
		const day = (seed: number) => {
			const { rig, cuts, blocksDestroyed } = storm(seed, { sales: 15, mirror: true });
			return JSON.stringify([cuts, blocksDestroyed, rig.time.nowMs, rig.entries(), rig.log.texts()]);
		};
		assert.equal(day(3), day(3));
		assert.notEqual(day(3), day(4));
	});
});
