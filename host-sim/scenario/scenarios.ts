/**
 * All scenarios by name, in the order of a list.
 * @module
 */
import { AFTERNOON } from "./afternoon";
import { DESK_SCENARIOS } from "./desk-scenarios";
import { REMEDY_SCENARIOS } from "./remedy-scenarios";
import type { Scenario, Words } from "./scenario";
import { SETTLEMENT_SCENARIOS } from "./settlement-scenarios";

export const SCENARIOS: readonly Scenario[] = [
	AFTERNOON,
	...REMEDY_SCENARIOS,
	...DESK_SCENARIOS,
	...SETTLEMENT_SCENARIOS,
];

export const DEFAULT_SCENARIO = AFTERNOON.name;

/** Names of which there is no scenario yet, and why. */
export const NOT_YET: Readonly<Record<string, Words>> = {
	"far-side": {
		zh: "本版固件尚无信用卡还款和手机充值",
		en: "this firmware sells no credit-card repayment and no mobile top-up yet",
	},
};

export function findScenario(name: string): Scenario | undefined {
	return SCENARIOS.find((scenario) => scenario.name === name);
}
