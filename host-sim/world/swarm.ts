/**
 * What a seed picks before anything happens: the terminals, their flash and links, the day, and which troubles there are
 * in this world and how often they strike. A trouble that is always on hides others, so that each world has about half
 * of them.
 * @module
 */
import type { DeskPolicy } from "../acquirer/desk";
import { BOOKING_FAULT_NAMES, POSTING_FAULT_NAMES, SALE_FAULT_NAMES } from "../acquirer/fault-names";
import type { SeededRandom } from "../board/seeded-random";
import { OFFICE_KINDS, STRIKE_KINDS } from "./strikes";

export interface TerminalPlan {
	readonly blocks: number;
	readonly blockLength: number;
	readonly writeAlign: number;
	readonly mirror: boolean;
	/** One way, ms, of each of its links. */
	readonly latenciesMs: readonly number[];
	/** Slots of its index. */
	readonly transactionsMax: number;
	/** It has a partition for masked frames. */
	readonly evidence: boolean;
}

/** The host's back office, and the people around it. */
export interface OfficePlan {
	/** Faults in the books and at the desk strike in this world. */
	readonly faulty: boolean;
	/** False: the host knows none of the sync messages. */
	readonly sync: boolean;
	/** From a sale's record to its posting, ms. */
	readonly postingDelayMs: number;
	/** The greatest delay of a late posting behind that, ms. */
	readonly postingLateMs: number;
	/** How the desk treats what it could grant. */
	readonly deskPolicy: DeskPolicy;
	/** From a late request to its grant, and from a grant to the money, ms. */
	readonly deskLateMs: number;
	readonly deskDoneMs: number;
	/** From a posting that is refused to the account's being in order again, ms; never: nobody mends it. */
	readonly accountMendedMs: number | "never";
	/** Somebody answers what a case asks. */
	readonly operatorAnswers: boolean;
	/** The host accepts both reversals of a sale, and forgets both. */
	readonly forgetsTwice: boolean;
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
	readonly office: OfficePlan;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

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
	settleKey: 60,
	syncKey: 100,
	operatorSlow: 500,
	operatorSaysNo: 300,
	enteredTwice: 60,
	recordLost: 150,
	reversedWrongly: 150,
	amountAltered: 150,
	postingLost: 150,
	postingRefused: 150,
	postingLate: 150,
	settlementAnswerLost: 300,
	totalsWrong: 400,
	requestAnswerLost: 300,
	deskRefuses: 200,
	deskWantsEvidence: 400,
	deskLate: 300,
	deskPostsTwice: 300,
};
const GREATEST_OTHER = 120;

const OF_BOOKS: readonly string[] = [...SALE_FAULT_NAMES, ...POSTING_FAULT_NAMES, ...BOOKING_FAULT_NAMES];

/** @param random - the seed's own, for nothing else */
export function drawPlan(random: SeededRandom): WorldPlan {
	const rates: Record<string, number> = {};
	for (const kind of STRIKE_KINDS) {
		// A draw of its own for each kind: a new kind moves no other.
		const draw = random.fork(kind);
		if (draw.chance(1, 2)) rates[kind] = 1 + draw.below(GREATEST[kind] ?? GREATEST_OTHER);
	}
	const office = drawOffice(random.fork("office"));
	if (!office.faulty) for (const kind of OFFICE_KINDS) delete rates[kind];
	// What a host without sync messages has in its books and does not tell nobody at the terminal can find.
	if (!office.sync) for (const kind of OF_BOOKS) delete rates[kind];
	const terminals = random.pick([1, 1, 1, 1, 1, 2, 2, 2, 3, 4]);
	return {
		startMs: random.pick(DAYS) + random.below(60_000),
		keyScheme: random.chance(1, 6) ? "dukpt" : "session",
		forgetful: random.chance(1, 8),
		terminals: Array.from({ length: terminals }, (_, n) => drawTerminal(random.fork(n))),
		// A long day now and then: some counters turn only after many sales without a boot.
		customers: random.chance(1, 40) ? 150 + random.below(200) : 20 + random.below(60),
		rates,
		office,
	};
}

/** From a generator of its own: what else a seed picks does not move. */
function drawOffice(random: SeededRandom): OfficePlan {
	const faulty = random.chance(2, 5);
	const plan: OfficePlan = {
		faulty,
		sync: !random.chance(1, 8),
		postingDelayMs: random.chance(1, 2) ? 0 : random.below(20 * MINUTE_MS),
		postingLateMs: HOUR_MS + random.below(5 * HOUR_MS),
		deskPolicy: random.pick(["grant", "grant", "grant", "grant", "grant", "late", "evidence", "refuse"]),
		deskLateMs: 5 * MINUTE_MS + random.below(4 * HOUR_MS),
		deskDoneMs: random.chance(2, 3) ? 0 : random.below(HOUR_MS),
		accountMendedMs: random.chance(1, 10) ? "never" : MINUTE_MS + random.below(3 * HOUR_MS),
		operatorAnswers: !random.chance(1, 12),
		forgetsTwice: random.fork("forgets").chance(1, 2),
	};
	if (!faulty) return { ...plan, postingDelayMs: 0, deskPolicy: "grant", deskDoneMs: 0, forgetsTwice: false };
	// Only what compares the books finds that debit.
	return plan.sync ? plan : { ...plan, forgetsTwice: false };
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
		evidence: random.fork("evidence").chance(1, 4),
	};
}
