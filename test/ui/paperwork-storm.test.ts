/**
 * Goal: whatever is printed, whenever, and whatever happens to host, line and power meanwhile, nobody reads anything else of
 * the money than what the ledgers hold at rest (I6). Method: days of sales with the host's faults, lines that break and plugs
 * that are pulled, while somebody prints all that can be printed; the till's notes are the witness.
 */
import assert from "node:assert/strict";
import type { FaultName } from "../../host-sim/acquirer/faults";
import { PowerLost } from "../../host-sim/board/power";
import { SeededRandom } from "../../host-sim/board/seeded-random";
import { slipLines } from "../../src/ui/slips";
import { Rig } from "../host-sim/world/rig";

const SEEDS = 40;
const FAULTS: readonly FaultName[] = [
	...([
		"answerLost",
		"requestLost",
		"answerLate",
		"connectionCut",
		"badMac",
		"reversalForgotten",
		"recordLost",
	] as const),
	...(["reversedWrongly", "amountAltered", "postingLost", "crash", "wrongAmount"] as const),
];
const CARDS = ["contactless", "chip", "chip-pin", "poor", "chip-refuses", "magstripe-19"];

interface Day {
	printed: number;
	refused: number;
	slips: Map<string, number>;
}

function press(action: () => void): void {
	try {
		action();
	} catch (error) {
		if (!(error instanceof PowerLost)) throw error;
	}
}

function storm(seed: number): Day {
	const random = new SeededRandom(seed).fork("paper");
	const rig = new Rig({ seed, blocks: 32, config: { settleAtMinute: -1 } });
	const day: Day = { printed: 0, refused: 0, slips: new Map() };
	rig.shop.till.onSlip = (slip) => {
		day.slips.set(slip.name, (day.slips.get(slip.name) ?? 0) + 1);
		for (const language of ["zh", "en"] as const) assert.ok(slipLines(slip, language).length > 5);
	};
	for (let step = 0; step < 60; step++) {
		const { shop } = rig;
		if (!shop.power.on) {
			rig.time.advance(5_000);
			continue;
		}
		const { terminal } = shop;
		const stans = shop.till.stans();
		const stan = stans.length === 0 ? 1 : random.pick(stans);
		const note = (refusal: string | undefined) => {
			if (refusal === undefined) day.printed++;
			else day.refused++;
		};
		switch (random.below(12)) {
			case 0:
			case 1:
			case 2:
				if (random.chance(1, 2)) rig.faults.arm(random.pick(FAULTS));
				// Twins among them: the same amount within minutes.
				rig.sell(random.pick([1_000, 1_000, 2_500, 68_800]), random.pick(CARDS));
				break;
			case 3:
				press(() => note(terminal.reprint()));
				break;
			case 4:
			case 5:
				press(() => note(terminal.reprint(stan, [random.pick(["merchant", "customer"] as const)])));
				break;
			case 6:
			case 7:
				press(() => note(terminal.notice(stan)));
				break;
			case 8:
				press(() => {
					const id = terminal.nextQuestion();
					if (id !== 0) terminal.answerCase(id, random.chance(1, 2));
					const last = terminal.cases.next(0);
					if (last !== 0) note(terminal.printCase(last));
				});
				break;
			case 9:
				press(() => {
					if (random.chance(1, 3)) terminal.settle();
					else note(terminal.printSettlement());
				});
				break;
			case 10:
				if (random.chance(1, 3)) shop.pullPlug();
				else rig.setLink(random.chance(2, 3));
				break;
			default:
				rig.time.advance(random.below(30) * 60_000);
		}
		rig.time.advance(random.below(3_000));
	}
	heal(rig);
	const { rows } = rig.money();
	for (const { stan, told, wrong } of rows) assert.equal(wrong, undefined, `seed ${seed} stan=${stan} told ${told}`);
	assert.equal(rig.shop.restarts, 0, `seed ${seed}`);
	return day;
}

/** Questions are answered, and everything gets its time. */
function heal(rig: Rig): void {
	rig.setLink(true);
	rig.faults.clear();
	for (let quarter = 0; quarter < 200; quarter++) {
		rig.time.advance(15 * 60_000);
		const { terminal, power } = rig.shop;
		if (!power.on) continue;
		const id = terminal.nextQuestion();
		if (id !== 0) terminal.answerCase(id, true);
		if (terminal.atRest && terminal.cases.openCount === 0 && quarter > 8) break;
	}
	// Whoever was given money back, or has it coming, is told so: what the case says is what the paper says.
	const { terminal, till } = rig.shop;
	for (const stan of till.stans()) {
		terminal.notice(stan);
		rig.time.advance(3_000);
	}
}

describe("paper in a storm (I6)", function () {
	this.timeout(60_000);

	it("says nothing else of the money than the ledgers", () => {
		const slips = new Map<string, number>();
		let [printed, refused] = [0, 0];
		for (let seed = 1; seed <= SEEDS; seed++) {
			const day = storm(seed);
			printed += day.printed;
			refused += day.refused;
			for (const [name, count] of day.slips) slips.set(name, (slips.get(name) ?? 0) + count);
		}
		assert.ok(printed > 5 * SEEDS && refused > 5 * SEEDS, `${printed} printed, ${refused} refused`);
		for (const name of ["sale", "notCharged", "returning", "returned", "case", "settlement"]) {
			assert.ok((slips.get(name) ?? 0) > 0, `a slip ${name}`);
		}
	});
});
