/** Causes come from facts, all combinations of which are tried; and facts from what was recorded, and nothing else. */
import { strict as assert } from "node:assert";
import {
	CAUSE_FACTS_END,
	CAUSE_NAMES,
	Cause,
	CauseFact,
	type CauseFactName,
	type CauseName,
	causeName,
	causeOf,
	factNames,
	factsOf,
	ORDER,
	RELEVANT,
	type Recorded,
} from "../../src/settlement/cause";
import {
	type CaseRow,
	HostFlag,
	isCaseRow,
	ROW_NAMES,
	SAID_NOTHING,
	type TerminalWord,
} from "../../src/settlement/finding";
import { Flag, KIND_OFFLINE_SALE, KIND_SALE } from "../../src/transactions/records";
import { State } from "../../src/transactions/states";

const ROWS = ROW_NAMES.filter(isCaseRow);
const NAMES = Object.keys(CauseFact) as CauseFactName[];

/** One fact alone. Written down on its own. */
const ALONE: Record<CauseFactName, CauseName> = {
	restarted: "terminalDevice",
	lineLost: "network",
	noAnswer: "network",
	badMac: "network",
	deviceFault: "terminalDevice",
	answerDiffers: "hostMismatch",
	arrivedLate: "network",
	contradicted: "systemFault",
	notFound: "systemFault",
	unrecorded: "systemFault",
	undebited: "systemFault",
	unposted: "bankDelay",
	postingRefused: "merchantAccount",
	hostReversed: "hostMismatch",
	amountDiffers: "hostMismatch",
	farSideFailed: "systemFault",
	doubled: "operatorError",
	issuerRefused: "issuer",
	boardSwapped: "terminalDevice",
	flashError: "terminalDevice",
	hostRefused: "systemFault",
};

const SALE: TerminalWord = { said: "charged", kind: KIND_SALE, amountMinor: 100, creditedMinor: 0, twin: false };
const { recorded, debited, reversed, posted, refused, farSideFailed } = HostFlag;

/** Of one row: the least that leads to it. */
function recordedOf(row: CaseRow, changes: Partial<Recorded> = {}): Recorded {
	return {
		row,
		word: SALE,
		state: State.delivered,
		flags: 0,
		reason: "  ",
		entry: { kind: KIND_SALE, amountMinor: 100, flags: recorded | debited | posted },
		recordedAfterMs: undefined,
		answerTimeoutMs: 60_000,
		boardSwapped: false,
		flashError: false,
		...changes,
	};
}

function host(flags: number, amountMinor = 100): Recorded["entry"] {
	return { kind: KIND_SALE, amountMinor, flags };
}

const NOT_CHARGED: TerminalWord = { ...SALE, said: "notCharged" };
const held = recorded | debited;

/** A debit that should not be there. */
function heldAfter(changes: Partial<Recorded>): Recorded {
	return recordedOf("debited", { word: NOT_CHARGED, state: State.reversed, entry: host(held), ...changes });
}

describe("settlement: cause", () => {
	it("of one fact is the one of the table, of none it is not known", () => {
		assert.equal(causeOf(0), "notKnown");
		for (const name of NAMES) assert.equal(causeOf(CauseFact[name]), ALONE[name], name);
		assert.deepEqual([...new Set(ORDER.map(([fact]) => fact))].sort(), [...NAMES].sort());
		assert.equal(ORDER.length, NAMES.length);
	});

	it("of a debit behind a decline is the host's: its answer was in time, whatever a clock that was set since says", () => {
		for (const recordedAfterMs of [undefined, 0, 61_000, 86_400_000]) {
			const facts = factsOf(heldAfter({ state: State.declined, recordedAfterMs }));
			assert.equal(factNames(facts).join(), "contradicted");
			assert.equal(causeOf(facts), "systemFault");
		}
	});

	it("of every combination of facts is that of the first of them in the order", () => {
		// Bit by bit: the expectation is made from smaller combinations, not by searching as the code does.
		const rank = new Map(ORDER.map(([fact], at) => [CauseFact[fact] as number, at]));
		const best = new Int8Array(CAUSE_FACTS_END).fill(127);
		for (let facts = 1; facts < CAUSE_FACTS_END; facts++) {
			const lowest = facts & -facts;
			best[facts] = Math.min(best[facts - lowest], rank.get(lowest) ?? 127);
			const cause = causeOf(facts);
			if (cause !== ORDER[best[facts]][1]) assert.fail(`facts ${facts.toString(16)}: ${cause}`);
		}
	});

	it("is never guessed: a row without a fact of its own is not known, whatever else went wrong", () => {
		for (const row of ROWS) {
			for (let bits = 0; bits < 256; bits++) {
				const quiet = { word: SALE, flags: bits, reason: "98", boardSwapped: true, flashError: true };
				const facts = factsOf(recordedOf(row, quiet));
				assert.equal(facts & ~RELEVANT[row], 0, row);
			}
		}
		assert.equal(causeOf(factsOf(recordedOf("unknownHere", { word: SAID_NOTHING, state: 0 }))), "notKnown");
		assert.equal(causeOf(factsOf(heldAfter({ state: State.abandoned }))), "notKnown");
		assert.equal(causeOf(factsOf(recordedOf("notFound"))), "notKnown");
	});

	it("is told of each row by its facts", () => {
		const word = { ...SALE, said: "refused" as const, kind: KIND_OFFLINE_SALE };
		const rows: [Recorded, string, CauseName][] = [
			[recordedOf("notFound", { entry: undefined }), "notFound", "systemFault"],
			[recordedOf("notFound", { entry: host(debited) }), "unrecorded", "systemFault"],
			[recordedOf("notFound", { entry: host(recorded) }), "undebited", "systemFault"],
			[recordedOf("overdue", { entry: host(held) }), "unposted", "bankDelay"],
			[recordedOf("pending", { entry: host(held) }), "unposted", "bankDelay"],
			[recordedOf("merchantAccount", { entry: host(held | refused) }), "postingRefused", "merchantAccount"],
			[recordedOf("reversedAtHost", { entry: host(held | reversed) }), "hostReversed", "hostMismatch"],
			[recordedOf("otherAmount", { entry: host(held | posted, 40) }), "amountDiffers", "hostMismatch"],
			[recordedOf("farSide", { entry: host(held | farSideFailed) }), "farSideFailed", "systemFault"],
			[recordedOf("doubled"), "doubled", "operatorError"],
			[recordedOf("offlineDeclined", { word, state: State.forwardRefused }), "issuerRefused", "issuer"],
			[recordedOf("unknownHere", { word: SAID_NOTHING, boardSwapped: true }), "boardSwapped", "terminalDevice"],
			[recordedOf("unknownHere", { word: SAID_NOTHING, flashError: true }), "flashError", "terminalDevice"],
		];
		for (const [facts, names, cause] of rows) {
			assert.equal(factNames(factsOf(facts)).join(), names, facts.row);
			assert.equal(causeOf(factsOf(facts)), cause, facts.row);
		}
	});

	it("of a debit that should not be tells the network from the host by when the host has recorded it", () => {
		const late = heldAfter({ flags: Flag.lineLost, reason: "98", recordedAfterMs: 90_000 });
		assert.equal(factNames(factsOf(late)).join(), "lineLost,arrivedLate");
		assert.equal(causeOf(factsOf(late)), "network");
		const forgotten = heldAfter({ flags: Flag.lineLost, reason: "98", recordedAfterMs: 800 });
		assert.equal(factNames(factsOf(forgotten)).join(), "lineLost,contradicted");
		assert.equal(causeOf(factsOf(forgotten)), "systemFault");
		const unrecorded = heldAfter({ flags: Flag.restarted, entry: host(debited) });
		assert.equal(causeOf(factsOf(unrecorded)), "systemFault");
		assert.equal(causeOf(factsOf(heldAfter({ state: State.declined }))), "systemFault");
	});

	it("takes silence for a fact only where nothing else explains it", () => {
		const names = (flags: number, reason: string) => factNames(factsOf(heldAfter({ flags, reason }))).join();
		assert.equal(names(0, "98"), "noAnswer");
		assert.equal(names(0, "06"), "");
		assert.equal(names(Flag.restarted, "98"), "restarted");
		assert.equal(names(Flag.lineLost, "98"), "lineLost");
		assert.equal(names(Flag.deviceFault, "98"), "deviceFault");
		assert.equal(names(Flag.badMac, "A0"), "badMac");
		assert.equal(names(Flag.amountDiffers, "06"), "answerDiffers");
		assert.equal(names(Flag.overdue | Flag.unsendable | Flag.reversalRefused, "06"), "");
	});

	it("has numbers that never change", () => {
		assert.equal(CAUSE_NAMES.map((name) => Cause[name]).join(), "1,2,3,4,5,6,7,8,9");
		for (const name of CAUSE_NAMES) assert.equal(causeName(Cause[name]), name);
		assert.equal(causeName(0), undefined);
		assert.equal(causeName(10), undefined);
		assert.deepEqual(
			NAMES.map((name) => CauseFact[name]),
			NAMES.map((_, at) => 2 ** at),
		);
		assert.equal(CAUSE_FACTS_END, 2 ** NAMES.length);
	});
});
