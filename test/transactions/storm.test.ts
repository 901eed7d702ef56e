/**
 * Trading days in bad weather, as many as a test run has time for: at the end of each everything has settled, and the
 * money is where people were told it is (I3, I6). A failure names its seed: the same seed gives the same day.
 */
import { strict as assert } from "node:assert";
import { storm } from "../host-sim/world/storm";

const SEEDS = 40;
const SALES = 40;

describe("transactions: storm", function () {
	this.timeout(60_000);

	it(`of ${SEEDS} seeds with ${SALES} sales each ends with every doubt settled and the money where people were told`, () => {
		let cuts = 0;
		let approved = 0;
		let reversed = 0;
		for (let seed = 1; seed <= SEEDS; seed++) {
			const report = storm(seed, { sales: SALES });
			const wrong = report.money.rows.filter((row) => row.wrong !== undefined);
			assert.deepEqual(wrong, [], `seed ${seed}`);
			assert.ok(report.money.conserved, `seed ${seed}: conserved`);
			assert.ok(report.atRest, `seed ${seed}: at rest`);
			assert.equal(report.restarts, 0, `seed ${seed}: restarts by the firmware`);
			assert.equal(report.erasesInSale, 0, `seed ${seed}: flash erased while a customer waited`);
			cuts += report.cuts;
			approved += report.money.paid;
			reversed += report.rig.entries().filter((entry) => entry.reversals > 0).length;
		}
		// The weather was bad, and there was business all the same.
		assert.ok(cuts > 5 * SEEDS, `${cuts} power cuts`);
		assert.ok(approved > 8 * SEEDS, `${approved} paid`);
		assert.ok(reversed > SEEDS, `${reversed} debits reversed`);
	});

	it("gives the same day for the same seed (I12)", () => {
		const day = (seed: number) => {
			const { rig, cuts } = storm(seed, { sales: 15 });
			return JSON.stringify([cuts, rig.time.nowMs, rig.entries(), rig.shop.till.notes, rig.log.texts()]);
		};
		assert.equal(day(3), day(3));
		assert.notEqual(day(3), day(4));
	});

	it("without automatic reversals leaves one-sided entries: the check can fail", () => {
		let oneSided = 0;
		for (let seed = 1; seed <= 8; seed++) {
			oneSided += storm(seed, { sales: SALES, config: { autoReversal: false } }).money.oneSided;
		}
		assert.ok(oneSided > 8, `${oneSided} one-sided`);
	});

	it("without power cuts needs no restart and asks nobody whether an approval was delivered", () => {
		for (let seed = 1; seed <= 10; seed++) {
			const { rig, money, atRest } = storm(seed, { sales: SALES, cuts: false });
			assert.ok(money.conserved && atRest, `seed ${seed}`);
			assert.equal(rig.shop.boots, 1);
		}
	});
});
