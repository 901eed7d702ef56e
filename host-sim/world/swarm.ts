/**
 * What a seed picks before anything happens: the terminals, their flash and links, the day, and which troubles there are
 * in this world and how often they strike. A trouble that is always on hides others, so that each world has about half
 * of them.
 * @module
 */
import type { SeededRandom } from "../board/seeded-random";
import { STRIKE_KINDS } from "./strikes";

export interface TerminalPlan {
	readonly blocks: number;
	readonly blockLength: number;
	readonly writeAlign: number;
	readonly mirror: boolean;
	/** One way, ms, of each of its links. */
	readonly latenciesMs: readonly number[];
	/** Slots of its index. */
	readonly transactionsMax: number;
}

export interface WorldPlan {
	/** ms since 1970. */
	readonly startMs: number;
	readonly keyScheme: "session" | "dukpt";
	/** The host keeps no memory of reversals of what it does not know. */
	readonly forgetful: boolean;
	readonly terminals: readonly TerminalPlan[];
	/** Of all terminals together. */
	readonly customers: number;
	/** Per mille, by kind of trouble. */
	readonly rates: Readonly<Record<string, number>>;
}

/** UTC. Local time is eight hours later: two of these are minutes before a local midnight. */
const DAYS: readonly number[] = [
	Date.UTC(2026, 10, 22, 1, 0, 0),
	Date.UTC(2026, 11, 31, 15, 58, 30), // Local new year in 90 s.
	Date.UTC(2026, 11, 31, 23, 58, 30), // New year in UTC.
	Date.UTC(2028, 1, 28, 15, 59, 0), // Into a leap day.
	Date.UTC(2028, 1, 29, 15, 59, 0), // Out of it.
	Date.UTC(2027, 5, 30, 15, 59, 50),
];

/** Greatest rate of a kind, per mille of its occasions; 120 where nothing is said. */
const GREATEST: Readonly<Record<string, number>> = {
	powerCut: 250,
	flashCut: 300,
	brownOut: 350,
	brownOutLoop: 60,
	keyCut: 400,
	clockJump: 80,
	linkRefuses: 120,
	linkSilent: 120,
	linkStalls: 60,
	linkHalfOpen: 60,
	linkSplits: 200,
	linkDoubles: 100,
	linkFull: 60,
	linkBreaks: 80,
	hostKilled: 60,
	flashLoss: 100,
	flashBitFlip: 100,
	flashBlockWorn: 15,
	flashChipNew: 10,
	readerFault: 120,
	pressCancel: 150,
	pressTwice: 100,
	switchOff: 60,
	paperOut: 80,
	printerSlow: 80,
	cashierSlow: 200,
	cashierDenies: 150,
	signOff: 40,
	reversalRefused: 40,
};
const GREATEST_OTHER = 120;

/** @param random - the seed's own, for nothing else */
export function drawPlan(random: SeededRandom): WorldPlan {
	const rates: Record<string, number> = {};
	for (const kind of STRIKE_KINDS) {
		// A draw of its own for each kind: a new kind moves no other.
		const draw = random.fork(kind);
		if (draw.chance(1, 2)) rates[kind] = 1 + draw.below(GREATEST[kind] ?? GREATEST_OTHER);
	}
	const terminals = random.pick([1, 1, 1, 1, 1, 2, 2, 2, 3, 4]);
	return {
		startMs: random.pick(DAYS) + random.below(60_000),
		keyScheme: random.chance(1, 6) ? "dukpt" : "session",
		forgetful: random.chance(1, 8),
		terminals: Array.from({ length: terminals }, (_, n) => drawTerminal(random.fork(n))),
		// A long day now and then: some counters turn only after many sales without a boot.
		customers: random.chance(1, 40) ? 150 + random.below(200) : 20 + random.below(60),
		rates,
	};
}

function drawTerminal(random: SeededRandom): TerminalPlan {
	const blockLength = random.pick([4_096, 4_096, 4_096, 2_048, 1_024]);
	return {
		// Ten blocks are advised as the least; the crowded ones are small in bytes.
		blocks: 10 + random.below(blockLength === 4_096 ? 8 : 16),
		blockLength,
		writeAlign: random.pick([1, 1, 1, 1, 4, 16, 32]),
		mirror: random.chance(1, 5),
		latenciesMs: Array.from({ length: random.pick([1, 1, 2, 2, 3]) }, () => 5 + random.below(300)),
		transactionsMax: random.pick([64, 128, 256]),
	};
}
