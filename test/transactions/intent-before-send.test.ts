/**
 * I1: no byte of a request that can move money leaves before its intent stands on flash. Judged inside the link, at
 * each write, by a second log mounted read-only over a copy of the flash bytes: nothing of the terminal is asked.
 *
 * That the check can fail is shown by terminals whose flash is a write-back cache: what they write reaches the silicon
 * only after the request has left. Everything else about them is right, and the check has to catch each of them.
 */
import { strict as assert } from "node:assert";
import { FAULT_NAMES } from "../../host-sim/acquirer/faults";
import { TEST_CARDS } from "../../host-sim/test-cards";
import { Rig, type RigOptions } from "../host-sim/world/rig";
import { storm } from "../host-sim/world/storm";
import { decodeFrame, whyNotSend } from "./flash-witness";
import { WriteBackFlash } from "./write-back-flash";

/** Counts what was judged, and notes what was wrong. */
class LinkWitness {
	sales = 0;
	reversals = 0;
	readonly wrong: string[] = [];

	readonly beforeWrite = (bytes: Uint8Array, rig: Rig): void => {
		const { mti } = decodeFrame(bytes);
		if (mti === "0200") this.sales++;
		if (mti === "0400") this.reversals++;
		const why = whyNotSend(bytes, rig.medium, rig.keys);
		if (why !== undefined) this.wrong.push(why);
	};
}

describe("transactions: intent before send (I1)", function () {
	this.timeout(30_000);

	it("holds for every card, sale and reversal", () => {
		const witness = new LinkWitness();
		for (const { name } of TEST_CARDS) {
			const rig = new Rig({ beforeWrite: witness.beforeWrite });
			rig.sell(1_000, name);
			rig.faults.arm("answerLost");
			rig.sell(2_000, name);
			rig.settle();
		}
		assert.deepEqual(witness.wrong, []);
		assert.equal(witness.sales, 22, "11 cards reach the host");
		assert.ok(witness.reversals >= 20, `${witness.reversals} reversals`);
	});

	it("holds for every fault of the host", () => {
		const witness = new LinkWitness();
		for (const fault of FAULT_NAMES) {
			const rig = new Rig({ beforeWrite: witness.beforeWrite });
			rig.faults.arm(fault, 3);
			for (let n = 0; n < 3; n++) rig.sell(1_000 + n, "chip-pin", {}, true);
			rig.settle();
		}
		assert.deepEqual(witness.wrong, []);
		assert.ok(witness.sales >= 3 * FAULT_NAMES.length - 2, `${witness.sales}: none while the host is down`);
		assert.ok(witness.reversals > 3 * FAULT_NAMES.length);
	});

	it("holds for the first request of a boot, and for those after power cuts", () => {
		const witness = new LinkWitness();
		const rig = new Rig({ beforeWrite: witness.beforeWrite });
		rig.faults.setRate("answerLost", 0.7);
		for (let n = 0; n < 20; n++) {
			rig.come(1_000 + n, "contactless", {}, true);
			rig.time.advance((n % 2) * 6_000 + 400 + 100 * n);
			rig.shop.pullPlug();
			rig.time.advance(20_000);
		}
		rig.settle();
		assert.deepEqual(witness.wrong, []);
		assert.ok(witness.sales >= 10 && witness.reversals >= 10, `${witness.sales} ${witness.reversals}`);
	});

	it("holds in storms of faults and power cuts at random flash operations", () => {
		const witness = new LinkWitness();
		for (let seed = 501; seed <= 506; seed++) storm(seed, { sales: 20, rig: { beforeWrite: witness.beforeWrite } });
		assert.deepEqual(witness.wrong, []);
		assert.ok(witness.sales > 50 && witness.reversals > 50, `${witness.sales} ${witness.reversals}`);
	});

	it("is seen to be broken by a terminal whose intent reaches flash only after the request has left", () => {
		const witness = new LinkWitness();
		const rig = new Rig({ beforeWrite: witness.beforeWrite });
		const cache = new WriteBackFlash(rig.shop.flash);
		const { log } = rig.shop.terminal;
		const begin = log.begin.bind(log);
		log.begin = (sale, card) => {
			cache.hold(); // From here on writes stay in memory …
			rig.time.clock().setTimer(1, () => cache.release()); // … until the frame is on its way.
			return begin(sale, card);
		};
		const visit = rig.sell(1_000);
		assert.equal(visit.screens.at(-1), "approved", "the terminal itself notices nothing");
		assert.deepEqual(witness.wrong, ["0200 stan 2: no record on flash"]);
		rig.sell(1_000);
		assert.deepEqual(witness.wrong.slice(1), [`0200 stan ${log.index.stans[1]}: no record on flash`]);
	});

	it("is seen to be broken by a terminal that sends a reversal before it is on flash", () => {
		const witness = new LinkWitness();
		const rig = new Rig({ beforeWrite: witness.beforeWrite });
		const cache = new WriteBackFlash(rig.shop.flash);
		const { log } = rig.shop.terminal;
		const apply = log.apply.bind(log);
		log.apply = (id, event, facts) => {
			if (event === "noAnswer") {
				cache.hold();
				rig.time.clock().setTimer(1, () => cache.release());
			}
			return apply(id, event, facts);
		};
		rig.faults.arm("answerLost");
		rig.sell(1_000);
		rig.settle();
		assert.deepEqual(witness.wrong, ["0400 stan 2: state 1 on flash"]);
	});

	it("is seen to be broken by a terminal that sends another amount or card than it wrote down", () => {
		const rig = new Rig();
		const seen: (string | undefined)[] = [];
		const elsewhere: RigOptions = {
			beforeWrite: (bytes) => {
				if (decodeFrame(bytes).mti === "0200") seen.push(whyNotSend(bytes, rig.medium, rig.keys)); // The flash of another shop.
			},
		};
		rig.faults.arm("requestLost");
		rig.come(1_000, "chip");
		rig.runUntil(() => rig.shop.terminal.phase === "host");
		new Rig(elsewhere).sell(1_000, "chip");
		new Rig(elsewhere).sell(2_000, "chip");
		new Rig(elsewhere).sell(1_000, "contactless");
		assert.deepEqual(seen, [undefined, "0200 stan 2: another amount on flash", "0200 stan 2: another card on flash"]);
	});
});
