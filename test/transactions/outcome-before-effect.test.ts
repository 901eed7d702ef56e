/**
 * I2: nothing is shown or printed before its outcome stands on flash. Judged at each screen that tells somebody
 * something about their money, and at each slip, by a second log over a copy of the flash bytes.
 */
import { strict as assert } from "node:assert";
import { FAULT_NAMES } from "../../host-sim/acquirer/faults";
import { TEST_CARDS } from "../../host-sim/test-cards";
import type { Screen, Slip } from "../../src/ports";
import { Rig, type RigOptions } from "../host-sim/world/rig";
import { storm } from "../host-sim/world/storm";
import { whyNotTell } from "./flash-witness";
import { WriteBackFlash } from "./write-back-flash";

class TillWitness {
	screens = 0;
	slips = 0;
	readonly wrong: string[] = [];

	/** Options of a rig whose screens are judged. */
	readonly options: RigOptions = { onScreen: (screen, rig) => this.#screen(screen, rig) };

	/** Slips are judged when the printer gets them; what a whole day shows goes through `options`. */
	watchSlips(rig: Rig): Rig {
		rig.shop.till.onSlip = (slip) => this.#slip(slip, rig);
		return rig;
	}

	#screen(screen: Screen, rig: Rig): void {
		if (screen.told === undefined || screen.stan === undefined) return;
		this.screens++;
		const why = whyNotTell(screen.stan, screen.told, rig.medium);
		if (why !== undefined) this.wrong.push(`screen ${screen.name}: ${why}`);
	}

	#slip(slip: Slip, rig: Rig): void {
		if (slip.told === undefined) return;
		this.slips++;
		const why = whyNotTell(slip.stan, slip.told, rig.medium);
		if (why !== undefined) this.wrong.push(`slip: ${why}`);
	}
}

describe("transactions: outcome before effect (I2)", function () {
	this.timeout(30_000);

	it("holds for every card", () => {
		const witness = new TillWitness();
		for (const { name } of TEST_CARDS) {
			const rig = witness.watchSlips(new Rig(witness.options));
			rig.sell(1_000, name);
			rig.faults.arm("answerLost");
			rig.sell(2_000, name);
			rig.settle();
		}
		assert.deepEqual(witness.wrong, []);
		assert.ok(witness.screens > 30, `${witness.screens} screens`);
		assert.equal(witness.slips, 5);
	});

	it("holds for every fault of the host, and without paper", () => {
		const witness = new TillWitness();
		for (const fault of FAULT_NAMES) {
			for (const paperSlips of [0, 100]) {
				const rig = witness.watchSlips(new Rig({ ...witness.options, paperSlips }));
				rig.faults.arm(fault, 2);
				for (let n = 0; n < 3; n++) rig.sell(1_000 + n, "chip-pin", {}, true);
				rig.settle();
			}
		}
		assert.deepEqual(witness.wrong, []);
		assert.ok(witness.screens > 60, `${witness.screens} screens`);
	});

	it("holds for what is told after a restart", () => {
		const witness = new TillWitness();
		const rig = witness.watchSlips(new Rig(witness.options));
		for (let n = 0; n < 24; n++) {
			rig.come(1_000 + n, "contactless", {}, true);
			rig.time.advance(500 + 70 * n);
			rig.shop.pullPlug();
			rig.time.advance(20_000);
		}
		rig.settle();
		assert.deepEqual(witness.wrong, []);
		assert.ok(rig.shop.till.notes.some((note) => note.name === "interrupted"));
		assert.ok(rig.shop.till.notes.some((note) => note.name === "deliveredNoted"));
	});

	it("holds in storms of faults and power cuts at random flash operations", () => {
		const witness = new TillWitness();
		for (let seed = 601; seed <= 606; seed++) storm(seed, { sales: 20, rig: witness.options });
		assert.deepEqual(witness.wrong, []);
		assert.ok(witness.screens > 100, `${witness.screens} screens`);
	});

	const mistakes = [
		["approve", "screen approved: told paid of stan 2: state 1 on flash"],
		["decline", "screen declined: told notCharged of stan 2: state 1 on flash"],
		["noAnswer", "screen noAnswer: told notCharged of stan 2: state 1 on flash"],
	] as const;
	for (const [event, wrong] of mistakes) {
		it(`is seen to be broken by a terminal that shows "${event}" before it is on flash`, () => {
			const witness = new TillWitness();
			const rig = new Rig(witness.options);
			const cache = new WriteBackFlash(rig.shop.flash);
			const { log } = rig.shop.terminal;
			const apply = log.apply.bind(log);
			log.apply = (id, name, facts) => {
				if (name === event) {
					cache.hold();
					rig.time.clock().setTimer(1, () => cache.release());
				}
				return apply(id, name, facts);
			};
			if (event === "noAnswer") rig.faults.arm("answerLost");
			rig.sell(1_000, event === "decline" ? "lost" : "contactless");
			assert.deepEqual(witness.wrong, [wrong]);
		});
	}

	it("is seen to be broken by a slip that is out before its approval is on flash", () => {
		const witness = new TillWitness();
		const rig = witness.watchSlips(new Rig());
		const cache = new WriteBackFlash(rig.shop.flash);
		const { log } = rig.shop.terminal;
		const apply = log.apply.bind(log);
		log.apply = (id, name, facts) => {
			if (name === "approve") {
				cache.hold();
				rig.time.clock().setTimer(5_000, () => cache.release());
			}
			return apply(id, name, facts);
		};
		rig.sell(1_000);
		assert.deepEqual(witness.wrong, ["slip: told paid of stan 2: state 1 on flash"]);
	});
});
