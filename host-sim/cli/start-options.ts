/**
 * The command line of `npm start`: a scenario, a list of them, or the trading day; and which options belong to which.
 * @module
 */
import { KEY_SCHEMES } from "../../src/config";
import type { Language } from "../../src/ui/texts";
import { FAULT_KINDS } from "../node/day-result";
import type { Scenario } from "../scenario/scenario";
import { DEFAULT_SCENARIO, findScenario, NOT_YET, SCENARIOS } from "../scenario/scenarios";
import { type OptionValues, UsageError } from "./args";
import { DAY_DEFAULTS, DAY_USAGE } from "./day-options";

/** The name under which the trading day is reached. */
export const DAY = "day";

const LANGUAGES = ["zh", "en"] as const satisfies readonly Language[];

/** Those of the trading day have no default here: whether one is given decides what runs. */
export const START_OPTIONS = {
	scenario: { type: "text" },
	list: { type: "flag" },
	"no-sync": { type: "flag" },
	seed: { type: "number", min: 0, max: 0xffff_ffff, default: 1 },
	lang: { type: "text", oneOf: LANGUAGES },
	log: { type: "flag" },
	json: { type: "flag" },
	sales: { type: "number", min: 1, max: 990 },
	faults: { type: "text", oneOf: FAULT_KINDS },
	mirror: { type: "flag" },
	"no-reversals": { type: "flag" },
	tls: { type: "flag" },
	scheme: { type: "text", oneOf: KEY_SCHEMES },
} as const;

export type StartValues = OptionValues<typeof START_OPTIONS>;

export const START_USAGE = `
npm start -- [options]

A restaurant's afternoon, 13:00 to 15:00, in virtual time: two cards are debited and the shop is not credited, one of them
for a banquet, and a card is left in the reader. The terminal finds both by itself, says why, and has them put right; then
the day's end by key. What was injected is compared with what was found, the ledgers with what people were told.

  --scenario NAME   another story: one for each row of the remedies table, and more; "${DAY}" is the trading day
  --list            their names, with a line each
  --no-sync         a host that knows none of the sync messages: what can be is resolved, the rest are settlement
                    differences, or nothing the host tells, with a person's next step
  --seed N          ordinary customers and chance (default 1); the same seed gives the same bytes
  --lang zh|en      one language (default: what the terminal's screen says in both, all else in English)
  --log             the terminal's own log as well, on stderr
  --json            the last line is one JSON object; with --list the list
  --help

The trading day (--scenario ${DAY}; any of these options implies it): a terminal and its host over real loopback TCP, with
answers lost, the link down, power cut and the host crashing, in compressed time; then the day's end by key.

  --sales N         customers, 1 to 990: one batch (default ${DAY_DEFAULTS.sales})
${DAY_USAGE}

In the JSON object, beside the figures that both have: cases, one object for each, with cause, injected (the cause that it
should have), fault, row, remedy (the last step), remedies, state and its seconds. secondsToResolveMax is the longest of
secondsToResolve: virtual seconds from the moment a difference could be found (old enough to be a finding, a line there)
to its case being resolved; the time until the next comparison of the books is in it (secondsToFind), what the case waited
for others is not: waits.desk, waits.bank (or the merchant), waits.operator, waits.network (a reversal is sent once more
when nothing can lie in a network any more). deliberateSeconds is what lay before that moment on purpose: how long a frame
may lie in a network, or a posting may take. realMs is the one figure that two runs of a seed differ in.

Exit code: 0 everything is as the scenario expects it (the trading day: every sale's money is where people were told it is,
and every copy of the journal is whole); 1 not so; 2 a mistake on the command line.
`;

export type Start =
	| { readonly run: "list" }
	| { readonly run: "day" }
	| { readonly run: "scenario"; readonly scenario: Scenario; readonly language: Language | undefined };

const OF_THE_DAY = ["sales", "faults", "mirror", "no-reversals", "tls", "scheme"] as const;

/** @throws {UsageError} for a scenario that there is not, and for options that do not go together */
export function readStart(values: StartValues): Start {
	const ofDay = OF_THE_DAY.filter((name) => values[name] !== undefined && values[name] !== false);
	const { scenario: name, list, lang } = values;
	if (list) {
		const others = [...ofDay, ...(name === undefined ? [] : ["scenario"]), ...(values["no-sync"] ? ["no-sync"] : [])];
		if (others.length > 0) throw new UsageError(`--list only lists: --${others[0]} does not go with it`);
		return { run: "list" };
	}
	if (name === DAY || (name === undefined && ofDay.length > 0)) {
		if (values["no-sync"]) throw new UsageError("--no-sync is for scenarios: the trading day's host knows sync");
		if (lang !== undefined) throw new UsageError("--lang is for scenarios: the trading day has its one form");
		return { run: "day" };
	}
	if (ofDay.length > 0) {
		throw new UsageError(`--${ofDay[0]} belongs to the trading day: --scenario ${DAY}, not "${name}"`);
	}
	const wanted = name ?? DEFAULT_SCENARIO;
	const scenario = findScenario(wanted);
	if (scenario === undefined) {
		const why = NOT_YET[wanted];
		if (why !== undefined) throw new UsageError(`there is no scenario "${wanted}" yet: ${why.en}`);
		const names = [...SCENARIOS.map((one) => one.name), DAY].join(", ");
		throw new UsageError(`there is no scenario "${wanted}"; there are ${names}`);
	}
	return { run: "scenario", scenario, language: LANGUAGES.find((one) => one === lang) };
}
