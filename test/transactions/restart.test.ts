/**
 * Power cuts. Method of MCUboot's simulator: the operations of a clean run are counted, then the run is repeated with
 * a cut at each one, before it, within it and after it; and again with a cut after each event of virtual time. After
 * each the terminal boots, the world settles, and the host's ledgers and the till's notes have to agree (I6).
 */
import { strict as assert } from "node:assert";
import { CUT_AFTER, CUT_BEFORE, formatCut } from "../../host-sim/board/flash-cut";
import { State } from "../../src/transactions/states";
import { Rig, type RigOptions } from "../host-sim/world/rig";

type Scene = (rig: Rig) => void;

const CUTS: readonly [byte: number, shape: number][] = [
	[CUT_BEFORE, 0],
	[CUT_AFTER, 0],
	// Within the header, within the checksum and within the payload, plainly.
	[1, 0],
	[5, 0],
	[11, 0],
	// Shapes of a torn operation, without and with marginal cells: see flash-tear.ts.
	[11, 1],
	[11, 2],
	[7, 3],
	[11, 4],
	[11, 5],
	[9, 6],
	[11, 10],
	[11, 14],
	[11, 16],
];

const SCENES: Record<string, Scene> = {
	"a PIN chip sale": (rig) => {
		rig.sell(4_321, "chip-pin", { verdictMs: 300 });
		rig.time.advance(10_000);
	},
	"a sale whose answer is lost, and its reversal": (rig) => {
		rig.faults.arm("answerLost");
		rig.sell(4_321, "contactless");
		rig.time.advance(1_000_000);
	},
	"a sale whose request is lost, and its reversal": (rig) => {
		rig.faults.arm("requestLost");
		rig.sell(4_321, "chip-pin");
		rig.time.advance(1_000_000);
	},
	"a declined sale": (rig) => {
		rig.sell(4_321, "poor");
		rig.time.advance(10_000);
	},
	"a sale the chip refuses": (rig) => {
		rig.sell(4_321, "chip-refuses");
		rig.time.advance(1_000_000);
	},
	"a sale without paper": (rig) => {
		rig.shop.till.paperSlips = 0;
		rig.sell(4_321, "contactless");
		rig.time.advance(10_000);
	},
};

function assertSettled(rig: Rig, where: string): void {
	rig.shop.till.paperSlips = 100;
	rig.settle();
	const money = rig.money();
	assert.deepEqual(
		money.rows.filter((row) => row.wrong !== undefined),
		[],
		where,
	);
	assert.ok(money.conserved, where);
	assert.ok(rig.shop.power.on && rig.shop.terminal.atRest, `${where}: at rest`);
	assert.equal(rig.shop.restarts, 0, where);
	const { states, count } = rig.shop.terminal.log.index;
	for (let slot = 0; slot < count; slot++) {
		const open: number[] = [State.waiting, State.approved, State.reversing, State.unconfirmed];
		assert.ok(!open.includes(states[slot]), `${where}: slot ${slot} in state ${states[slot]}`);
	}
}

/** Plays a scene with a cut at operation `operation` of the first boot. @returns operations of that boot */
function playCut(scene: Scene, operation: number, byte: number, shape: number): { rig: Rig; cut: boolean } {
	const rig = new Rig();
	rig.shop.flash.cutAt(rig.shop.flash.operations + operation, byte, shape);
	const { power } = rig.shop;
	scene(rig);
	return { rig, cut: !power.on };
}

/** The flash operations of a scene that nobody cuts. */
function operationsOf(scene: Scene): number {
	const rig = new Rig();
	const before = rig.shop.flash.operations;
	scene(rig);
	assert.equal(rig.shop.boots, 1);
	return rig.shop.flash.operations - before;
}

describe("transactions: power cut at every flash operation", function () {
	this.timeout(60_000);
	for (const [name, scene] of Object.entries(SCENES)) {
		it(`of ${name}: everything settles`, () => {
			const operations = operationsOf(scene);
			assert.ok(operations >= 4, `${operations} operations: pin, intent, outcome, step at least`);
			for (let operation = 1; operation <= operations; operation++) {
				for (const [byte, shape] of CUTS) {
					const { rig, cut } = playCut(scene, operation, byte, shape);
					assert.ok(cut, `operation ${operation} was reached`);
					assertSettled(rig, `${name}, cut=${formatCut({ operation, byte, shape })}`);
				}
			}
			assert.equal(playCut(scene, operations + 1, CUT_BEFORE, 0).cut, false, "and these were all");
		});
	}

	it("of the boot after a cut: everything settles", () => {
		for (const operation of [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]) {
			for (const [byte, shape] of CUTS) {
				let boots = 0;
				const rig = new Rig({
					onFlash: (flash) => {
						boots++;
						if (boots > 1 && boots < 5) flash.cutAt(operation, byte, shape + boots);
					},
				});
				rig.come(4_321, "chip-pin", { verdictMs: 300 });
				rig.runUntil(() => rig.shop.terminal.phase === "verdict");
				rig.shop.pullPlug();
				rig.time.advance(60_000);
				assertSettled(rig, `boot cut=${formatCut({ operation, byte, shape })}`);
			}
		}
	});
});

describe("transactions: power cut at every moment", function () {
	this.timeout(60_000);

	/** Pulls the plug after `steps` timer events of the scene's sale. @returns false when it was over before */
	function cutAfter(steps: number, card: string, prepare: Scene, options: RigOptions = {}): Rig | undefined {
		const rig = new Rig(options);
		prepare(rig);
		const visit = rig.come(4_321, card, { verdictMs: 300 });
		const end = rig.time.nowMs + 700_000;
		for (let n = 0; n < steps; n++) {
			if (rig.time.nextDueMs > end) return undefined;
			rig.time.step();
		}
		if (visit.ended && rig.shop.terminal.atRest) return undefined;
		rig.shop.pullPlug();
		rig.time.advance(60_000);
		return rig;
	}

	const weathers: Record<string, Scene> = {
		"with an honest host": () => {},
		"with the answer lost": (rig) => rig.faults.arm("answerLost"),
		"with the request late": (rig) => rig.faults.arm("requestLate"),
		"with the answer late": (rig) => rig.faults.arm("answerLate"),
		"without paper": (rig) => {
			rig.shop.till.paperSlips = 0;
		},
	};
	for (const [weather, prepare] of Object.entries(weathers)) {
		it(`of a sale ${weather}: everything settles`, () => {
			for (const card of ["chip-pin", "contactless", "poor", "chip-refuses"]) {
				let moments = 0;
				for (; moments < 200; moments++) {
					const rig = cutAfter(moments, card, prepare);
					if (rig === undefined) break;
					assertSettled(rig, `${card}, cut after event ${moments}`);
				}
				assert.ok(moments >= 4 && moments < 200, `${card}: ${moments} moments`);
			}
		});
	}

	it("of a reversal: everything settles, and the host is asked again under the same number", () => {
		for (let ms = 0; ms < 300; ms += 10) {
			const rig = new Rig();
			rig.faults.arm("answerLost");
			const visit = rig.come(4_321);
			rig.runUntil(() => visit.ended);
			rig.time.advance(ms);
			rig.shop.pullPlug();
			rig.time.advance(60_000);
			assertSettled(rig, `${ms} ms after the time-out`);
			assert.equal(rig.entries()[0].stan, 2);
			assert.equal(rig.entries().length, 1);
		}
	});
});

describe("transactions: restart in every state", () => {
	/** Cut when the sale has reached a state on flash. */
	function cutInState(state: number, options: RigOptions = {}, card = "chip-pin"): Rig {
		const rig = new Rig({ rebootMs: 0, ...options });
		if (state === State.reversing || state === State.unconfirmed || state === State.reversed) {
			rig.faults.arm("answerLost");
			if (state === State.reversing) rig.faults.arm("requestLost", 9);
		}
		rig.come(4_321, card, { verdictMs: 300 });
		assert.ok(
			rig.runUntil(() => rig.shop.terminal.log.index.states[0] === state, 2_000_000),
			`state ${state} is reached`,
		);
		rig.shop.pullPlug();
		return rig;
	}

	const questions: [state: keyof typeof State, asked: boolean, told: string | undefined][] = [
		["waiting", false, "notCharged"],
		["approved", true, "paid"],
		["delivered", false, "paid"],
		["reversing", false, "notCharged"],
		["unconfirmed", false, "notCharged"],
		["reversed", false, "notCharged"],
	];
	for (const [name, asked, told] of questions) {
		it(`${name}: the operator is ${asked ? "" : "not "}asked, and everything settles`, () => {
			const rig = cutInState(State[name]);
			rig.shop.boot();
			assert.equal(rig.shop.terminal.asksDelivery, asked);
			assert.equal(rig.shop.till.screen?.name === "askDelivered", asked);
			rig.settle();
			assertSettled(rig, name);
			assert.equal(rig.shop.till.told(2), told);
		});
	}

	it("declined: nobody is asked and nothing is reversed", () => {
		const rig = cutInState(State.declined, {}, "poor");
		rig.shop.boot();
		assert.equal(rig.shop.terminal.asksDelivery, false);
		rig.settle();
		assertSettled(rig, "declined");
		assert.equal(rig.shop.terminal.log.index.states[0], State.declined);
		assert.equal(rig.entries()[0].reversed, false);
	});

	it("waiting: the customer is told at once that nothing is charged, with number, amount and masked card", () => {
		const rig = cutInState(State.waiting);
		const seen: string[] = [];
		rig.shop.till.onScreen = (screen) => seen.push(JSON.stringify(screen));
		rig.shop.boot();
		const expected = { name: "interrupted", stan: 2, amountMinor: 4_321, card: "621234******2008", told: "notCharged" };
		assert.equal(seen[0], JSON.stringify(expected));
	});

	it("approved: nothing is sold before the question is answered", () => {
		const rig = cutInState(State.approved, { cashierMs: 3_600_000 });
		rig.shop.boot();
		for (let n = 0; n < 3; n++) assert.equal(rig.shop.terminal.sale(100), "refusedDelivery");
		assert.equal(rig.shop.terminal.sale(100, true), "refusedDelivery", "nor with a manager");
		assert.equal(rig.shop.till.screen?.name, "askDelivered", "the question stays on the screen");
		assert.equal(rig.shop.terminal.summary().charged, 1, "until answered it is approved everywhere");
		rig.shop.pullPlug();
		rig.shop.boot();
		assert.equal(rig.shop.terminal.asksDelivery, true, "and is asked again after the next cut");
		rig.shop.terminal.answerDelivery(true);
		assert.equal(rig.shop.terminal.asksDelivery, false);
		assert.equal(rig.shop.terminal.log.index.states[0], State.delivered);
		assert.equal(rig.shop.terminal.sale(100), undefined);
	});

	it('approved and "not delivered" is reversed with reason 96, and that is final', () => {
		const rig = cutInState(State.approved, { cashierMs: 3_600_000 });
		rig.shop.boot();
		rig.shop.terminal.answerDelivery(false);
		assert.equal(rig.shop.terminal.log.index.states[0], State.reversing);
		assert.equal(rig.shop.terminal.log.reason(1), "96");
		assert.equal(rig.shop.till.told(2), "notCharged");
		rig.shop.terminal.answerDelivery(true); // Nothing is asked any more.
		assert.equal(rig.shop.terminal.log.index.states[0], State.reversing);
		rig.settle();
		assertSettled(rig, "not delivered");
		assert.equal(rig.shop.terminal.log.index.states[0], State.reversed);
		assert.equal(rig.shop.terminal.log.reason(1), "96");
		assert.equal(rig.money().paid, 0);
	});

	it("approved with the slip whole but not reported: the cashier has seen it, and it stays paid", () => {
		const rig = new Rig();
		rig.come(4_321);
		rig.runUntil(() => rig.shop.till.slipOut(2));
		assert.equal(rig.shop.terminal.log.index.states[0], State.approved);
		rig.shop.pullPlug();
		rig.time.advance(60_000);
		assertSettled(rig, "slip out");
		assert.equal(rig.shop.till.told(2), "paid");
		assert.equal(rig.money().paidMinor, 4_321);
	});

	it("in any state a sale can be made again after it, under another number", () => {
		for (const [name] of questions) {
			const rig = cutInState(State[name]);
			rig.shop.boot();
			rig.faults.clear();
			rig.time.advance(10_000);
			const visit = rig.sell(100);
			assert.equal(visit.screens.at(-1), "approved", name);
			assert.ok(visit.stan > 2, name);
			rig.settle();
			assertSettled(rig, name);
		}
	});

	it("a hundred times in a row, with or without sales between: everything settles", () => {
		const rig = new Rig();
		for (let n = 0; n < 100; n++) {
			if (n % 3 === 0) rig.come(100 + n, "contactless", {}, true);
			rig.time.advance(300 * (n % 7));
			rig.shop.pullPlug();
			rig.time.advance(8_000);
		}
		assertSettled(rig, "100 cuts");
		assert.ok(rig.shop.boots > 100);
	});
});
