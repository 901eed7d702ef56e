/** Bugs of the transaction log: numbers, room, what is live, reading it back, settlement. */
import type { Mutant } from "./mutate";

const COUNTERS = "src/transactions/counters.ts";
const INTENTS = "src/transactions/intent-writer.ts";
const LOG = "src/transactions/transaction-log.ts";
const REPLAY = "src/transactions/log-replay.ts";
const STATES = "src/transactions/states.ts";
const ROOM = "src/transactions/room.ts";
const SETTLER = "src/transactions/settler.ts";
const INDEX = "src/transactions/transaction-index.ts";

const STAN_TEST = "test/transactions/stan.test.ts";
const LOG_TEST = "test/transactions/transaction-log.test.ts";
const FULL_TEST = "test/transactions/full.test.ts";
const EVICTION_TEST = "test/transactions/eviction.test.ts";
const SETTLE_TEST = "test/transactions/settle.test.ts";
const ADOPT_TEST = "test/transactions/adopt-batch.test.ts";
const STATES_TEST = "test/transactions/states.test.ts";
const SEARCH_TEST = "test/transactions/sales-search.test.ts";

export const LOG_MUTANTS: readonly Mutant[] = [
	{
		name: "stan-not-restored",
		breaks: ["I4"],
		what: "after a boot STANs go on from the last reservation, though sales have gone beyond it",
		expected: "tests",
		tests: [STAN_TEST],
		changes: [
			{
				file: COUNTERS,
				from: "if (this.#stan === 0 || (this.stanMax > 0 && beyond <= STANS_BEYOND_MAX)) this.#stan = this.stanMax;",
				to: "if (this.#stan === 0 && beyond >= 0) this.#stan = this.stanMax;",
			},
		],
	},
	{
		name: "stan-taken-without-reservation",
		breaks: ["I4"],
		what: "a sign-on takes the next STAN, and nothing durable says so",
		expected: "campaign",
		tests: [STAN_TEST],
		changes: [
			{
				file: INTENTS,
				from: "		if (!counters.isReserved(stan)) this.reserve(counters.chunkEnd(stan));\n",
				to: "",
			},
		],
	},
	{
		name: "reservation-of-ids-forgets-stans",
		breaks: ["I4"],
		what: "a reservation of ids does not carry on up to where STANs are reserved",
		expected: "campaign",
		tests: [STAN_TEST],
		changes: [
			{
				file: INTENTS,
				from: "if (counters.idNeedsReserve) this.reserve(counters.stanReserved);",
				to: "if (counters.idNeedsReserve) this.reserve(counters.stanMax);",
			},
		],
	},
	{
		name: "batch-mark-forgets-stans",
		breaks: ["I4"],
		what: "the mark of a batch that the host gives does not carry the STANs that are reserved",
		expected: "campaign",
		tests: [STAN_TEST, ADOPT_TEST],
		changes: [
			{
				file: COUNTERS,
				from: "		return { batch, idMax, stanMax, idReserved, settledBatch, stanReserved };\n	}\n\n	/** That mark",
				to: "		return { batch, idMax, stanMax, idReserved, settledBatch, stanReserved: Math.min(stanReserved, stanMax) };\n	}\n\n	/** That mark",
			},
		],
	},
	{
		name: "id-reused-after-cut",
		breaks: ["I4"],
		what: "after a boot ids go on from the last intent that can be read: a torn one has used the nonce already",
		expected: "tests",
		tests: [LOG_TEST, STAN_TEST, "test/transactions/restart.test.ts"],
		changes: [
			{
				file: COUNTERS,
				from: "		this.idMax = this.#idReserved;\n		this.#stansLeft = 0;\n",
				to: "		this.#stansLeft = 0;\n",
			},
		],
	},
	{
		name: "newest-intent-reclaimed",
		breaks: ["I4"],
		what: "the newest transaction goes when it is spent, and with it the STAN counter",
		expected: "tests",
		tests: [LOG_TEST, EVICTION_TEST, SEARCH_TEST],
		changes: [
			{
				file: LOG,
				from: "if (isSpent(index.states[slot]) && index.ids[slot] !== index.newestId) {",
				to: "if (isSpent(index.states[slot])) {",
			},
		],
	},
	{
		name: "reclaim-drops-live-reversal",
		breaks: ["I3", "I7"],
		what: "of a sale that is being reversed a reclaim keeps the step alone",
		expected: "campaign",
		tests: [LOG_TEST, SEARCH_TEST],
		changes: [
			{
				file: LOG,
				from: "		this.#askedSlot = slot;\n		// The newest",
				to: `		this.#askedSlot = slot;
		if (index.states[slot] === State.reversing) return position === index.stepAt[slot];
		// The newest`,
			},
		],
	},
	{
		name: "reclaim-drops-steps",
		breaks: ["I3", "I7"],
		what: "a reclaim keeps intents and outcomes and drops the steps after them",
		expected: "campaign",
		tests: [LOG_TEST, SEARCH_TEST],
		changes: [
			{
				file: LOG,
				from: " || position === index.outcomeAt[slot] || position === index.stepAt[slot];",
				to: " || position === index.outcomeAt[slot];",
			},
		],
	},
	{
		name: "unconfirmed-is-spent",
		breaks: ["I3"],
		what: "a reversal that was accepted once counts as spent: its records go when room is needed",
		expected: "campaign",
		tests: [STATES_TEST, EVICTION_TEST],
		changes: [
			{
				file: STATES,
				from: "	return state === State.declined || state === State.abandoned || state === State.reversed;",
				to: `	const reversed = state === State.unconfirmed || state === State.reversed;
	return state === State.declined || state === State.abandoned || reversed;`,
			},
		],
	},
	{
		name: "later-step-does-not-win",
		breaks: ["I3", "I5"],
		what: "when the log is read, what stands last is true, copies of older steps included",
		expected: "campaign",
		tests: [LOG_TEST, EVICTION_TEST, SEARCH_TEST],
		changes: [
			{
				file: REPLAY,
				from: "const later = index.steps[slot] === 0 || (step - index.steps[slot]) << 24 >= 0;",
				to: "const later = index.steps[slot] === 0 || step > 0;",
			},
		],
	},
	{
		name: "reserve-not-kept",
		breaks: ["I8"],
		what: "a sale begins whatever room there is",
		expected: "tests",
		tests: [FULL_TEST, "test/transactions/sale-refused.test.ts"],
		changes: [
			{
				file: LOG,
				from: "		return this.prepareRoom() && this.index.hasRoom;\n",
				to: "		this.prepareRoom();\n		return true;\n",
			},
		],
	},
	{
		name: "room-for-this-sale-only",
		breaks: ["I8"],
		what: "the reserve counts the sale that begins and not what is still open",
		expected: "tests",
		tests: [FULL_TEST, "test/transactions/advice-log.test.ts", SEARCH_TEST],
		changes: [
			{
				file: ROOM,
				from: "	for (let slot = 0; slot < count; slot++) {\n		const state = states[slot];\n",
				to: "	for (let slot = count; slot < count; slot++) {\n		const state = states[slot];\n",
			},
		],
	},
	{
		name: "index-gives-away-doubts",
		breaks: ["I3"],
		what: "a full index gives away the oldest transaction, whatever it is",
		expected: "tests",
		tests: [EVICTION_TEST, FULL_TEST],
		changes: [
			{
				file: INDEX,
				from: "		return isSpent(this.states[slot]) && this.intentLast[slot] === 0 && this.ids[slot] !== newestId;\n",
				to: "		return this.intentLast[slot] === 0 && this.ids[slot] !== newestId;\n",
			},
		],
	},
	{
		name: "spent-comes-back",
		breaks: ["I5"],
		what: "a spent transaction may make way though a copy of its intent stands behind its end",
		expected: "tests",
		tests: [EVICTION_TEST, SEARCH_TEST],
		changes: [
			{
				file: INDEX,
				from: "		return isSpent(this.states[slot]) && this.intentLast[slot] === 0 && this.ids[slot] !== newestId;\n",
				to: "		return isSpent(this.states[slot]) && this.ids[slot] !== newestId;\n",
			},
		],
	},
	{
		name: "pin-skipped-at-boot",
		breaks: ["I7"],
		what: "a boot acts on what it has read before it has made that certain",
		expected: "campaign",
		tests: [
			"test/terminal/pinned-at-boot.test.ts",
			"test/terminal/boot.test.ts",
			"test/transactions/restart.test.ts",
			"test/terminal/mirror.test.ts",
		],
		changes: [
			{
				file: "src/terminal.ts",
				from: "		if (journal.copiesDiffer || this.hasOpenEnds()) journal.pin(); // Only now may what was read be acted on.\n",
				to: "",
			},
		],
	},
	{
		name: "advice-sent-before-pin",
		breaks: ["I7"],
		what: "an advice goes out because of what a mount has read before that is certain",
		expected: "tests",
		tests: ["test/terminal/advices.test.ts", "test/transactions/advices.test.ts"],
		changes: [
			{
				file: "src/transactions/advices.ts",
				from: "			// Nothing is sent because of what a mount has read before that is certain (journal, rule 2).\n			else this.#o.log.journal.pin();\n",
				to: "",
			},
		],
	},
	{
		name: "batch-adopted-over-sales",
		breaks: ["I6"],
		what: "the host's batch is taken though sales were made in the open one",
		expected: "tests",
		tests: [ADOPT_TEST, "test/host/session.test.ts"],
		changes: [{ file: LOG, from: ' || !counters.batchIsUntouched) return "refused";', to: ') return "refused";' }],
	},
	{
		name: "settlement-forgets-reversals",
		breaks: ["I3"],
		what: "a settlement carries advices forward and no reversals",
		expected: "tests",
		tests: [SETTLE_TEST, FULL_TEST],
		changes: [
			{
				file: SETTLER,
				from: "else if (isCarried(states[slot])) this.carryEnded(slot);",
				to: "else if (states[slot] === State.forwarding) this.carryEnded(slot);",
			},
		],
	},
	{
		name: "settlement-over-undelivered",
		breaks: ["I6"],
		what: "a batch is settled while an approval may still be taken back",
		expected: "tests",
		tests: [SETTLE_TEST, FULL_TEST],
		changes: [
			{
				file: STATES,
				from: "	return state === State.waiting || state === State.approved;\n}\n",
				to: "	return state === State.waiting;\n}\n",
			},
		],
	},
	{
		name: "nonce-from-journal-alone",
		breaks: ["I4"],
		what: "the nonce of a sealed card leaves the transaction's id out",
		expected: "tests",
		tests: ["test/transactions/records.test.ts", LOG_TEST, "test/transactions/advice-log.test.ts"],
		changes: [
			{ file: "src/transactions/records.ts", from: "	writeU32(out, 8, id);\n", to: "	writeU32(out, 8, id >>> 8);\n" },
		],
	},
];
