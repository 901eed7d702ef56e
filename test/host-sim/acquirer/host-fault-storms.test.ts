/**
 * Goal: whatever a host does wrong of what host-faults.test.ts describes, the terminal's reversals mend it (I3, I5, I6).
 * Method: trading days in bad weather, each fault beside the others; at the end of each the money is where people were
 * told it is, and the host's own log says that the fault was there.
 */
import * as assert from "node:assert/strict";
import { Acquirer } from "../../../host-sim/acquirer/acquirer";
import { type FaultName, HOST_FAULT_NAMES } from "../../../host-sim/acquirer/faults";
import { SeededRandom } from "../../../host-sim/board/seeded-random";
import { Rig } from "../world/rig";
import { type StormReport, storm } from "../world/storm";

const SALES = 15;
/** Of each test. */
const SEEDS = 40;

interface Day extends StormReport {
	/** Strikes of the fault, as the host says. */
	readonly strikes: number;
	/** Lines of the host. */
	readonly said: readonly string[];
}

/** One day with `rates` beside what the seed has drawn, on a host with or without a memory. */
function dayOf(seed: number, rates: Partial<Record<FaultName, number>>, forgetful = false): Day {
	const said: string[] = [];
	const report = storm(seed, {
		sales: SALES,
		rig: {
			// The first boot: the rates last until the weather clears.
			onFlash: ({ medium }, rig) => {
				if (medium.boots !== 1) return;
				for (const [name, rate] of Object.entries(rates)) rig.faults.setRate(name as FaultName, rate);
				if (forgetful) makeForgetful(rig, (text) => said.push(text));
			},
			onHostEvent: (text) => said.push(text),
		},
	});
	const strikes = said.filter((text) => Object.keys(rates).some((name) => text.includes(` ${name}`))).length;
	return { ...report, strikes, said };
}

/** From now on, and after each crash, this rig's host has no memory of reversals of what it does not know. */
function makeForgetful(rig: Rig, say: (text: string) => void): void {
	rig.startHost = () => {
		rig.host = new Acquirer({
			clock: rig.network,
			random: rig.random.fork("host"),
			store: rig.store,
			faults: rig.faults,
			cards: rig.cards,
			forgetful: true,
			onEvent: ({ text }) => say(text),
			onCrash: () => {
				rig.host = undefined;
				rig.network.setTimer(10_000, () => rig.startHost());
			},
		});
	};
	rig.host?.kill();
	rig.startHost();
}

function checkDay(seed: number, { money, atRest, restarts }: Day): void {
	assert.deepEqual(
		money.rows.filter((row) => row.wrong !== undefined),
		[],
		`seed ${seed}`,
	);
	assert.ok(money.conserved && atRest, `seed ${seed}: conserved and at rest`);
	assert.equal(restarts, 0, `seed ${seed}: restarts by the firmware`);
}

describe("host: faults of the host in a storm", function () {
	this.timeout(60_000);

	for (const name of HOST_FAULT_NAMES) {
		it(`${name}: ${SEEDS} days end with the money where people were told`, () => {
			let strikes = 0;
			let paid = 0;
			for (let seed = 1; seed <= SEEDS; seed++) {
				const day = dayOf(seed, { [name]: name === "reversalForgotten" ? 0.6 : 0.15 });
				checkDay(seed, day);
				strikes += day.strikes;
				paid += day.money.paid;
			}
			assert.ok(strikes > SEEDS, `${strikes} strikes`);
			assert.ok(paid > SEEDS, `${paid} paid`);
		});
	}

	it(`all of them, on hosts with and without a memory: ${SEEDS} days`, () => {
		let strikes = 0;
		let paid = 0;
		for (let seed = 1; seed <= SEEDS; seed++) {
			const random = new SeededRandom(seed).fork("host faults");
			const rates = Object.fromEntries(
				HOST_FAULT_NAMES.map((name) => [name, random.chance(1, 2) ? random.below(20) / 100 : 0]),
			);
			const day = dayOf(1_000 + seed, rates, seed % 2 === 0);
			checkDay(1_000 + seed, day);
			strikes += day.strikes;
			paid += day.money.paid;
		}
		assert.ok(strikes > SEEDS, `${strikes} strikes`);
		assert.ok(paid > 2 * SEEDS, `${paid} paid`);
	});

	it("a forgetful host debits originals after their reversals, and the second reversal takes them back", () => {
		let debitedAfter = 0;
		for (let seed = 1; seed <= 10; seed++) {
			const said: string[] = [];
			const rig = new Rig({ seed });
			makeForgetful(rig, (text) => said.push(text));
			rig.faults.setRate("requestLate", 0.4);
			rig.faults.setRate("reversalForgotten", 0.4);
			for (let n = 0; n < 10; n++) {
				rig.sell();
				// A minute to think about it; the original is still under way.
				rig.time.advance(60_000);
			}
			rig.settle();
			assert.ok(rig.money().conserved && rig.shop.terminal.atRest, `seed ${seed}`);
			debitedAfter += debitsAfterReversal(said);
		}
		assert.ok(debitedAfter > 10, `${debitedAfter} originals were debited after a reversal of theirs`);
	});
});

/** Sales that were approved when a reversal of the same movement had been answered before. */
function debitsAfterReversal(said: readonly string[]): number {
	const reversed = new Set<string>();
	let count = 0;
	for (const line of said) {
		const movement = /batch \d+ stan \d+/.exec(line)?.[0];
		if (movement === undefined) continue;
		if (line.startsWith("reversal") && /-> (25|00)/.test(line)) reversed.add(movement);
		if (line.startsWith("sale") && line.includes("-> 00") && reversed.has(movement)) count++;
	}
	return count;
}
