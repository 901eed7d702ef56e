/**
 * What `npm start` and `npm run days` have in common on their command lines.
 * @module
 */
import { KEY_SCHEMES, type KeySchemeName } from "../../src/config";
import { TEST_TERMINAL } from "../acquirer/test-keys";
import { type DayOptions, FAULT_KINDS, type FaultKind } from "../node/day-result";
import { UsageError } from "./args";

/** Of a day for which nothing else is said. */
export const DAY_DEFAULTS = { sales: 200, faults: "all", scheme: "session" } as const;

export const DAY_OPTIONS = {
	faults: { type: "text", default: DAY_DEFAULTS.faults, oneOf: FAULT_KINDS },
	mirror: { type: "flag" },
	"no-reversals": { type: "flag" },
	tls: { type: "flag" },
	scheme: { type: "text", oneOf: KEY_SCHEMES, default: DAY_DEFAULTS.scheme },
} as const;

/** Lines of a usage text. */
export const DAY_USAGE = `  --faults KIND     ${FAULT_KINDS.join(" | ")} (default all)
  --mirror          a second flash chip with a copy of the journal. Blocks of either copy are destroyed now and then
                    (flashBlock, and all), and each copy alone must be whole in the end
  --no-reversals    switch the automatic reversals off, to see what they are for
  --scheme NAME     of the terminal's keys: session (working keys by sign-on, default), or dukpt (AES-DUKPT)
  --tls             everything over TLS with the certificates of both sides, made for this run; else plain TCP, which
                    the terminal is configured to allow`;

/**
 * Everything but the seed; certificates are made here, once for all days.
 * @throws {UsageError} for faults that one copy alone does not survive
 */
export async function readDay(values: {
	sales?: number | undefined;
	faults?: string | undefined;
	mirror: boolean;
	"no-reversals": boolean;
	tls: boolean;
	scheme?: string | undefined;
}): Promise<Omit<DayOptions, "seed">> {
	const { mirror, sales = DAY_DEFAULTS.sales } = values;
	// One of them, as the options demand.
	const faults = (values.faults ?? DAY_DEFAULTS.faults) as FaultKind;
	const scheme = (values.scheme ?? DAY_DEFAULTS.scheme) as KeySchemeName;
	if (faults === "flashBlock" && !mirror) throw new UsageError("--faults flashBlock needs --mirror");
	const day = { sales, faults, mirror, reversals: !values["no-reversals"], scheme };
	if (!values.tls) return day;
	const { makeTlsPair } = await import("../node/test-ca"); // Only now: it brings a library of its own.
	return { ...day, tls: await makeTlsPair(TEST_TERMINAL.terminalId) };
}

/** The command that runs a day once more. */
export function replayLine(seed: number, day: Omit<DayOptions, "seed">): string {
	const flags = [
		...(day.mirror === true ? [" --mirror"] : []),
		...(day.reversals ? [] : [" --no-reversals"]),
		...(day.tls === undefined ? [] : [" --tls"]),
		...(day.scheme === "dukpt" ? [" --scheme dukpt"] : []),
	];
	return `replay: npm start -- --seed ${seed} --sales ${day.sales} --faults ${day.faults}${flags.join("")}`;
}
