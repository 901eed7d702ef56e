/**
 * A world that is none, for the tests of what runs worlds: each seed has ten customers and ten strikes, and some seeds
 * are broken on purpose.
 */

import { SeededRandom } from "../../../host-sim/board/seeded-random";
import type { WorldOptions, WorldReport } from "../../../host-sim/world/report";
import { Strikes } from "../../../host-sim/world/strikes";

export const THROWS = 1_000;
export const DIES = 1_001;
export const HANGS = 1_002;
/** Fails when powerCut#3 and badMac#2 both strike and there are four customers or more. */
export const FAILS = 1_003;
/** Fails when powerCut#5 strikes. */
export const FAILS_BY_ONE = 1_004;
/** Fails whatever strikes. */
export const FAILS_ALWAYS = 1_005;
/** Takes half a second. */
export const SLOW = 2_000;
const SLOW_MS = 500;

const KINDS = ["powerCut", "badMac", "paperOut", "linkBreaks"];

export function runWorld(options: WorldOptions): WorldReport {
	const { seed, customers = 10 } = options;
	if (seed === THROWS) throw new Error("out of the world");
	if (seed === DIES) process.exit(7);
	if (seed === HANGS) for (;;);
	for (const began = performance.now(); seed === SLOW && performance.now() - began < SLOW_MS; );
	const strikes = new Strikes({
		rates: {},
		random: new SeededRandom(seed),
		...(options.without === undefined ? {} : { without: options.without }),
		...(options.only === undefined ? {} : { only: options.only }),
	});
	for (let n = 0; n < 10; n++) for (const kind of KINDS) strikes.confirm(kind);
	const struck = (name: string) => strikes.struck.includes(name);
	const failing =
		(seed === FAILS && struck("powerCut#3") && struck("badMac#2") && customers >= 4) ||
		(seed === FAILS_BY_ONE && struck("powerCut#5")) ||
		seed === FAILS_ALWAYS;
	const failure = { invariant: "I6", step: 33, atMs: 1_000, terminal: 0, text: "planted" };
	// Another failure comes first where nobody strikes: not the one that is looked for.
	const other = { ...failure, invariant: "rest" };
	const lonely = seed === FAILS && strikes.struck.length === 0 ? [other, failure] : [];
	return {
		seed,
		hash: `${seed}`,
		steps: 100,
		virtualMs: 86_400_000,
		terminals: 1,
		sales: customers,
		approved: customers - 1,
		reversed: 1,
		powerCuts: 2,
		failures: failing ? [failure] : lonely,
		coverage: { "fault:powerCut": 2, "transition:waiting/approve": customers },
		strikes: strikes.struck,
		causes: {},
		resolveMs: [],
	};
}
