/**
 * The ordinary customers of a scenario: when they pay, how much, and with what, drawn by the seed. No two pay the same
 * amount, so that nobody looks like somebody who was charged twice.
 * @module
 */
import { assert } from "../../src/core/assert";
import type { SeededRandom } from "../board/seeded-random";
import { type Act, momentMs, type Scenario } from "./scenario";

const CARDS = ["contactless", "contactless", "contactless", "chip", "chip-pin", "magstripe-pin", "magstripe-19"];
/** A meal for one to a table of ten, in steps of half a yuan. */
const LEAST_MINOR = 2_800;
const STEP_MINOR = 50;
const STEPS = 1_800;
const DAY_S = 86_400;
/** UTC+8. */
const LOCAL_S = 8 * 3_600;

/** One in each of as many equal parts of the time, at a moment of it that chance gives. */
export function drawGuests({ from, to, count }: NonNullable<Scenario["guests"]>, random: SeededRandom): Act[] {
	const [fromS, toS] = [momentMs(from) / 1_000, momentMs(to) / 1_000];
	assert(toS - fromS >= count && count <= STEPS / 2, "each guest has a moment and an amount of their own");
	const partS = Math.floor((toS - fromS) / count);
	const taken = new Set<number>();
	const acts: Act[] = [];
	for (let n = 0; n < count; n++) {
		let amountMinor = 0;
		do amountMinor = LEAST_MINOR + STEP_MINOR * random.below(STEPS);
		while (taken.has(amountMinor));
		taken.add(amountMinor);
		const at = clockText(fromS + n * partS + random.below(partS));
		acts.push({ at, do: "sale", as: `guest ${n + 1}`, amountMinor, card: random.pick(CARDS) });
	}
	return acts;
}

/** "13:05:30", of the scenario's first day. */
function clockText(timeS: number): string {
	const ofDay = (timeS + LOCAL_S) % DAY_S;
	const two = (value: number) => `${value}`.padStart(2, "0");
	return `${two(Math.floor(ofDay / 3_600))}:${two(Math.floor(ofDay / 60) % 60)}:${two(ofDay % 60)}`;
}
