/**
 * What `npm start` and `npm run days` have in common on their command lines.
 * @module
 */
import { type DayOptions, FAULT_KINDS, type FaultKind } from "../node/day-result";
import { UsageError } from "./args";

export const DAY_OPTIONS = {
	faults: { type: "text", default: "all", oneOf: FAULT_KINDS },
	mirror: { type: "flag" },
	"no-reversals": { type: "flag" },
} as const;

/** Lines of a usage text. */
export const DAY_USAGE = `  --faults KIND     ${FAULT_KINDS.join(" | ")} (default all)
  --mirror          a second flash chip with a copy of the journal. Blocks of either copy are destroyed now and then
                    (flashBlock, and all), and each copy alone must be whole in the end
  --no-reversals    switch the automatic reversals off, to see what they are for`;

/** Everything but the seed. @throws {UsageError} for faults that one copy alone does not survive */
export function readDay(values: {
	sales: number;
	faults: string;
	mirror: boolean;
	"no-reversals": boolean;
}): Omit<DayOptions, "seed"> {
	const { sales, mirror } = values;
	const faults = values.faults as FaultKind; // One of them, as the option demands.
	if (faults === "flashBlock" && !mirror) throw new UsageError("--faults flashBlock needs --mirror");
	return { sales, faults, mirror, reversals: !values["no-reversals"] };
}

/** The command that runs a day once more. */
export function replayLine(seed: number, day: Omit<DayOptions, "seed">): string {
	const flags = `${day.mirror === true ? " --mirror" : ""}${day.reversals ? "" : " --no-reversals"}`;
	return `replay: npm start -- --seed ${seed} --sales ${day.sales} --faults ${day.faults}${flags}`;
}
