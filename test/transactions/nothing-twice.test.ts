/**
 * I4: transaction ids, trace numbers and nonces are used once, whatever power does. Method: hundreds of boots over
 * the same flash, each cut at a random operation; every number that was handed out, and every nonce a card was sealed
 * under, also when the record was torn, is written down outside the log.
 */
import { strict as assert } from "node:assert";
import { drawCutByte } from "../../host-sim/board/flash-cut";
import { PowerLost } from "../../host-sim/board/power";
import { SeededRandom } from "../../host-sim/board/seeded-random";
import { State } from "../../src/transactions/states";
import { DECLINED, LogBench } from "./log-bench";

/** @returns how many cuts struck, what was handed out, and the bench with its nonces */
function manyCuts(seed: number, cuts: number): { ids: number[]; stans: number[]; struck: number; bench: LogBench } {
	const random = new SeededRandom(seed);
	const bench = new LogBench({ seed, blocks: 12 }).provision();
	const ids: number[] = [];
	const stans: number[] = [];
	let struck = 0;
	while (struck < cuts) {
		bench.flash.cutAt(bench.flash.operations + 1 + random.below(30), drawCutByte(random), random.u32());
		try {
			const { log } = bench;
			log.journal.pin(); // As a terminal does before it acts on what was read.
			for (let slot = 0; slot < log.index.count; slot++) {
				const id = log.index.ids[slot];
				if (log.index.states[slot] === State.waiting) log.apply(id, "boot");
				if (log.index.states[slot] === State.reversing) log.apply(id, "reversalAccepted");
				if (log.index.states[slot] === State.unconfirmed) log.apply(id, "reversalAccepted");
			}
			for (let n = 0; n < 12; n++) {
				assert.ok(log.prepare());
				const id = bench.begin();
				ids.push(id);
				stans.push(bench.stan(id));
				if (random.chance(1, 2)) log.apply(id, "decline", { outcome: DECLINED });
			}
		} catch (error) {
			if (!(error instanceof PowerLost)) throw error;
			struck++;
		}
		if (bench.power.on) bench.power.cut();
		bench.boot();
	}
	return { ids, stans, struck, bench };
}

describe("transactions: nothing is used twice (I4)", () => {
	it("repeats no id, no STAN and no nonce across 200 power cuts and reboots", () => {
		const { ids, stans, struck, bench } = manyCuts(1, 200);
		assert.equal(struck, 200);
		assert.ok(ids.length > 200, `${ids.length} sales were begun`);
		assert.equal(new Set(ids).size, ids.length, "ids");
		assert.equal(new Set(stans).size, stans.length, "STANs");
		const { nonces } = bench.seal;
		assert.ok(nonces.length > ids.length, "some records were torn after their card had been sealed");
		assert.equal(new Set(nonces).size, nonces.length, "nonces");
	});

	it("repeats nothing with ten other seeds", () => {
		for (let seed = 2; seed < 12; seed++) {
			const { ids, stans, bench } = manyCuts(seed, 40);
			for (const numbers of [ids, stans, bench.seal.nonces]) {
				assert.equal(new Set<unknown>(numbers).size, numbers.length, `seed ${seed}`);
			}
		}
	});

	it("goes on above the reserved ids after a boot, and reserves again", () => {
		const bench = new LogBench().provision();
		assert.equal(bench.begin(), 1);
		assert.equal(bench.begin(), 2);
		bench.boot();
		assert.equal(bench.begin(), 65);
		bench.boot();
		assert.equal(bench.begin(), 129);
	});

	it("seals under another nonce after provisioning again, though ids begin anew", () => {
		const bench = new LogBench().provision(1, 1);
		bench.begin();
		bench.provision(1, 1);
		assert.equal(bench.begin(), 1);
		assert.equal(new Set(bench.seal.nonces).size, 2);
	});
});
