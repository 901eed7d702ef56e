/**
 * A reversal for a debit that must not be, though all was over here: only where nothing is under way, the batch is not
 * settled and flash has room for it; and then as durable as any (I3, I8).
 */
import { strict as assert } from "node:assert";
import { PowerLost } from "../../host-sim/board/power";
import { CodedError } from "../../src/core/errors";
import { blocksReserved } from "../../src/journal/journal";
import { State } from "../../src/transactions/states";
import { APPROVED, DECLINED, LogBench, snapshot } from "./log-bench";
import { pass } from "./straddling";

const ENDINGS: Record<string, (bench: LogBench, id: number) => void> = {
	declined: (bench, id) => {
		bench.log.apply(id, "decline", { outcome: DECLINED });
	},
	abandoned: (bench, id) => {
		bench.log.apply(id, "unsent");
	},
	unconfirmed: (bench, id) => {
		bench.log.apply(id, "noAnswer");
		bench.log.apply(id, "reversalAccepted");
	},
	reversed: (bench, id) => {
		bench.log.apply(id, "noAnswer");
		bench.log.apply(id, "reversalAccepted");
		bench.log.apply(id, "reversalAccepted");
	},
	"reversed after an approval": (bench, id) => {
		bench.log.apply(id, "approve", { outcome: APPROVED });
		bench.log.apply(id, "notDelivered");
		bench.log.apply(id, "reversalAccepted");
		bench.log.apply(id, "reversalAccepted");
	},
};

/**
 * Flash with no more than is kept free: first small dead records, then a sale that was approved and then reversed, its last
 * step in the block behind, and from there on doubts only. What a reclaim moves is the sale without that step.
 */
function fullOfDoubts(): { bench: LogBench; id: number; keeper: { roomBytes: number } } {
	for (let before = 150; before < 260; before++) {
		const keeper = {
			types: [],
			roomBytes: 0,
			reset: () => {},
			visit: () => {},
			mounted: () => {},
			isLive: () => false,
			moved: () => false,
			carry: () => {},
		};
		const bench = new LogBench({ blocks: 12, capacity: 1_024, onLog: (log) => log.addKeeper(keeper) }).provision();
		for (let n = 0; n < before; n++) pass(bench);
		const id = bench.begin(4_321);
		ENDINGS["reversed after an approval"](bench, id);
		const { index, journal } = bench.log;
		const block = (position: number) => Math.floor(position / bench.medium.blockLength);
		if (block(index.outcomeAt[0]) === block(index.stepAt[0])) continue;
		while (journal.freeBlocks > blocksReserved(12)) bench.doubt();
		return { bench, id, keeper };
	}
	throw new Error("no place was found where the records lie in two blocks");
}

describe("transactions: reversed again", () => {
	for (const [name, end] of Object.entries(ENDINGS)) {
		it(`goes from ${name} to reversing, reason 06, with card and answer; durable, and over as any reversal`, () => {
			const bench = new LogBench().provision();
			const id = bench.begin(4_321);
			end(bench, id);
			bench.log.apply(bench.begin(), "unsent");
			const outcome = bench.log.outcome(id);
			assert.equal(bench.log.reverseAgain(id), undefined);
			const before = snapshot(bench.log, [id]);
			for (let boots = 0; boots < 3; boots++) {
				assert.equal(bench.state(id), State.reversing);
				assert.equal(bench.log.reason(id), "06");
				assert.deepEqual(bench.log.outcome(id), outcome);
				assert.deepEqual(snapshot(bench.log, [id]), before);
				assert.equal(bench.log.doubts, 1);
				assert.equal(bench.log.reverseAgain(id), "notNow");
				bench.boot();
			}
			for (let batch = 2; batch < 5; batch++) {
				assert.equal(bench.log.settle(batch), undefined);
				assert.deepEqual(snapshot(bench.log), before, "a settlement carries it");
			}
			bench.log.apply(id, "reversalAccepted");
			bench.log.apply(id, "reversalAccepted");
			assert.equal(bench.state(id), State.reversed);
			assert.equal(bench.boot().log.find(id), -1);
		});

		it(`is whole or has not happened when it is cut (${name})`, () => {
			const make = () => {
				const bench = new LogBench({ writeAlign: 16 }).provision();
				const id = bench.begin(4_321);
				end(bench, id);
				bench.deliver();
				return { bench, id };
			};
			const seen = new Set<number>();
			for (let operation = 1; operation <= 3; operation++) {
				for (let byte = 0; byte < 40; byte++) {
					const { bench, id } = make();
					const old = bench.state(id);
					bench.flash.cutAt(bench.flash.operations + operation, byte === 39 ? 0xffff_ffff : byte, byte % 18);
					try {
						assert.equal(bench.log.reverseAgain(id), undefined);
						bench.power.cut();
					} catch (error) {
						if (!(error instanceof PowerLost)) throw error;
					}
					bench.bootPinned();
					const state = bench.state(id);
					assert.ok(state === old || state === State.reversing, `${operation}.${byte}: ${state}`);
					seen.add(state);
					assert.equal(bench.boot().state(id), state);
				}
			}
			assert.equal(seen.size, 2);
		});
	}

	it("is not for what stands, waits or goes on, nor for an advice, and writes nothing then", () => {
		const bench = new LogBench().provision();
		const delivered = bench.deliver();
		const doubt = bench.doubt();
		const forwarding = bench.offlineSale();
		const forwarded = bench.offlineSale();
		bench.log.apply(forwarded, "approve", { outcome: APPROVED });
		const refused = bench.refund(1, 1);
		bench.log.apply(refused, "decline", { outcome: DECLINED });
		const approved = bench.begin();
		bench.log.apply(approved, "approve", { outcome: APPROVED });
		const waiting = bench.begin();
		const operations = bench.flash.operations;
		for (const id of [delivered, doubt, forwarding, forwarded, refused, approved, waiting]) {
			assert.equal(bench.log.reverseAgain(id), "notNow", `${id}`);
		}
		assert.equal(bench.log.reverseAgain(99), "unknown");
		assert.equal(bench.flash.operations, operations);
	});

	it("is not for a batch that is settled; while one closes, it is", () => {
		const bench = new LogBench().provision();
		const [carried, closing] = [bench.doubt(), bench.doubt()];
		bench.log.apply(carried, "reversalAccepted");
		assert.equal(bench.log.settle(2), undefined);
		assert.equal(bench.log.reverseAgain(carried), "released");
		bench.log.apply(closing, "reversalAccepted");
		const declined = bench.begin();
		bench.log.apply(declined, "decline", { outcome: DECLINED });
		bench.log.close(3, 0);
		assert.equal(bench.log.reverseAgain(declined), undefined);
		assert.equal(bench.log.release(), undefined);
		assert.equal(bench.boot().state(declined), State.reversing);
		assert.equal(bench.state(carried), State.unconfirmed);
	});

	it("says unknown when its records have gone, and changes nothing", () => {
		const bench = new LogBench({ blocks: 6 }).provision();
		const id = bench.begin();
		bench.log.apply(id, "decline", { outcome: DECLINED });
		bench.log.apply(bench.begin(), "unsent");
		for (let n = 0; n < 3_000; n++) {
			if (n % 20 === 0) bench.log.journal.prepare(2_000);
			pass(bench);
		}
		assert.equal(bench.state(id), State.declined);
		assert.equal(bench.log.reverseAgain(id), "unknown");
		assert.equal(bench.state(id), State.declined);
		assert.equal(bench.log.doubts, 0);
	});

	for (const ending of ["declined", "reversed after an approval"]) {
		it(`says full when flash has no room for another reversal, and it stays over (${ending})`, () => {
			for (let before = 0; before < 240; before += 8) {
				const bench = new LogBench({ blocks: 8, capacity: 1_024 }).provision();
				for (let n = 0; n < before; n++) pass(bench);
				while (bench.log.prepare()) bench.deliver();
				const id = bench.begin();
				ENDINGS[ending](bench, id);
				bench.log.apply(bench.begin(), "unsent");
				const state = bench.state(id);
				const operations = bench.flash.operations;
				assert.equal(bench.log.reverseAgain(id), "full");
				assert.ok(bench.flash.operations < operations + 40, "at most flash was tidied");
				assert.equal(bench.log.doubts, 0);
				for (let boots = 0; boots < 6; boots++) {
					if (bench.log.find(id) >= 0) assert.equal(bench.state(id), state, `${before} before, ${boots} boots`);
					for (let n = 0; n < 200; n++) {
						try {
							pass(bench);
						} catch (error) {
							assert.ok(error instanceof CodedError && error.code === "full");
						}
					}
					bench.bootPinned();
				}
				assert.equal(bench.log.settle(2), undefined);
				assert.equal(bench.boot().log.find(id), -1);
			}
		});
	}

	it("leaves no half of it behind when there is no room, though its records were moved in looking for some", () => {
		const { bench, id, keeper } = fullOfDoubts();
		const { index } = bench.log;
		const before = index.intentAt[index.find(id)];
		keeper.roomBytes = 12 * bench.medium.blockLength;
		assert.equal(bench.log.reverseAgain(id), "full");
		const slot = index.find(id);
		assert.notEqual(index.intentAt[slot], before, "intent and approval were copied, the last step was not");
		assert.ok(index.stepAt[slot] < index.intentAt[slot] - bench.medium.blockLength);
		keeper.roomBytes = 0;
		for (let slot = 0; slot < index.count; slot++) {
			if (index.states[slot] !== State.reversing) continue;
			bench.log.apply(index.ids[slot], "reversalAccepted");
			bench.log.apply(index.ids[slot], "reversalAccepted");
		}
		for (let n = 0; n < 1_500; n++) {
			if (n % 20 === 0) bench.log.journal.prepare(2_000);
			pass(bench);
			if (n % 10 !== 0) continue;
			const read = new LogBench({ medium: bench.medium.clone(), capacity: 1_024 }).boot();
			if (read.log.find(id) >= 0) assert.equal(read.state(id), State.reversed, `${n} records later`);
		}
	}).timeout(20_000);

	it("takes no other record for an intent that was dropped, though it begins alike", () => {
		const bench = new LogBench().provision();
		const id = bench.begin();
		bench.log.apply(id, "decline", { outcome: DECLINED });
		for (const byteLength of [27, 64, 90]) {
			const bytes = new Uint8Array(byteLength);
			bytes[3] = id;
			bench.log.index.intentAt[0] = bench.log.journal.append(14, bytes);
			assert.equal(bench.log.reverseAgain(id), "unknown");
			assert.throws(
				() => bench.log.intent(id),
				(error) => error instanceof CodedError && error.code === "missing",
			);
		}
	});

	it("is at rest where nothing is under way", () => {
		const bench = new LogBench().provision();
		const delivered = bench.deliver();
		const doubt = bench.doubt();
		const atRest = (id: number) => bench.log.isAtRest(bench.log.find(id));
		assert.deepEqual([delivered, doubt].map(atRest), [true, false]);
		bench.log.apply(doubt, "reversalAccepted");
		assert.equal(atRest(doubt), true);
		assert.equal(bench.log.reverseAgain(doubt), undefined);
		assert.equal(atRest(doubt), false);
	});
});
