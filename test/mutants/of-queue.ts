/** Bugs of the store-and-forward queue: reversals and advices. */
import type { Mutant } from "./mutate";

const REVERSALS = "src/transactions/reversals.ts";
const ADVICES = "src/transactions/advices.ts";
const QUEUE = "src/transactions/reversal-queue.ts";
const STATES = "src/transactions/states.ts";
const SALE = "src/transactions/sale.ts";

const REVERSALS_TEST = "test/transactions/reversals.test.ts";
const ADVICES_TEST = "test/transactions/advices.test.ts";
const STATES_TEST = "test/transactions/states.test.ts";

const REVERSED_INTENT = "		const intent = log.intent(id);\n		const tries = log.noteTry(id, this.facts(id));\n";

export const QUEUE_MUTANTS: readonly Mutant[] = [
	{
		name: "reversal-dropped-after-3-tries",
		breaks: ["I3"],
		what: "a reversal that has failed three times in a row leaves the queue",
		expected: "campaign",
		tests: [REVERSALS_TEST],
		changes: [
			{
				file: QUEUE,
				from: `		if (at < 0) return;
		const { firstMs, greatestMs, jitterPercent } = this.#backOff;
`,
				to: `		if (at < 0) return;
		if (this.#failures[at] >= 3) {
			this.remove(id);
			return;
		}
		const { firstMs, greatestMs, jitterPercent } = this.#backOff;
`,
			},
		],
	},
	{
		name: "reversal-carries-new-stan",
		breaks: ["I4", "I6"],
		what: "a reversal gets a trace number of its own in place of the original's",
		expected: "campaign",
		tests: [REVERSALS_TEST],
		changes: [
			{
				file: REVERSALS,
				from: REVERSED_INTENT,
				to: `		const intent = { ...log.intent(id), stan: log.takeStan() };
		const tries = log.noteTry(id);
`,
			},
		],
	},
	{
		name: "reversal-of-another-amount",
		breaks: ["I6"],
		what: "a reversal takes its amount from the newest slot of the index: right as long as nothing was sold since",
		expected: "campaign",
		tests: [REVERSALS_TEST],
		changes: [
			{
				file: REVERSALS,
				from: REVERSED_INTENT,
				to: `		const intent = { ...log.intent(id), amountMinor: log.index.amount(log.index.count - 1) };
		const tries = log.noteTry(id);
`,
			},
		],
	},
	{
		name: "reversal-25-is-a-refusal",
		breaks: ["I3"],
		what: "25, original not found, does not end the repeating: it is tried once a day for ever",
		expected: "campaign",
		tests: [REVERSALS_TEST],
		changes: [{ file: REVERSALS, from: `const ACCEPTED = ["00", "12", "25"];`, to: `const ACCEPTED = ["00", "12"];` }],
	},
	{
		name: "reversal-any-answer-ends",
		breaks: ["I3", "I6"],
		what: "whatever the host answers to a reversal ends it",
		expected: "tests",
		tests: [REVERSALS_TEST],
		changes: [
			{
				file: REVERSALS,
				from: `const accepted = end === "answer" && this.accepts(id, code);`,
				to: `const accepted = end === "answer";`,
			},
		],
	},
	{
		name: "reversal-25-after-another-amount-ends",
		breaks: ["I3"],
		what: "12 and 25 end a reversal also where the host had answered the sale with another amount",
		expected: "tests",
		tests: [REVERSALS_TEST, "test/transactions/sale-answers.test.ts"],
		changes: [
			{
				file: REVERSALS,
				from: `return code === "00" || (ACCEPTED.includes(code) && !known);`,
				to: `return code === "00" || ACCEPTED.includes(code) || known;`,
			},
		],
	},
	{
		name: "late-acceptance-ends-the-second-reversal",
		breaks: ["I3"],
		what: "a late answer to the first reversal ends the one that is sent once more: the late original may come between",
		expected: "campaign",
		tests: [REVERSALS_TEST],
		changes: [
			{
				file: REVERSALS,
				from: "!queue.has(id) || log.index.states[log.find(id)] !== State.reversing) return false;",
				to: "!queue.has(id)) return false;",
			},
		],
	},
	{
		name: "refused-reversal-dropped",
		breaks: ["I3"],
		what: "a reversal that the host refuses leaves the queue: a person was told of it",
		expected: "tests",
		tests: [REVERSALS_TEST],
		changes: [
			{
				file: REVERSALS,
				from: `			queue.postpone(id, clock.monotonic() + config.reversalRefusedRepeatMs);
			this.needsPerson(id, code);
`,
				to: `			queue.remove(id);
			this.needsPerson(id, code);
`,
			},
		],
	},
	{
		name: "reversal-key-trouble-waits-a-day",
		breaks: ["I3"],
		what: "A0 and 97 of a reversal, which a sign-on mends in seconds, count as a refusal for the day",
		expected: "tests",
		tests: [REVERSALS_TEST, "test/host-sim/acquirer/both-sides.test.ts"],
		changes: [
			{
				file: REVERSALS,
				from: "	return ISSUER_AWAY.includes(code) || HOST_AWAY.includes(code);\n",
				to: '	return ISSUER_AWAY.includes(code) || (HOST_AWAY.includes(code) && code < "97");\n',
			},
		],
	},
	{
		name: "sale-before-due-reversals",
		breaks: ["I5"],
		what: "a sale does not give due reversals their attempt",
		expected: "campaign",
		tests: [REVERSALS_TEST],
		changes: [
			{
				file: REVERSALS,
				from: "			if (this.#onDone !== undefined) this.finishBeforeSale();\n		});\n		this.next();\n",
				to: "			if (this.#onDone !== undefined) this.finishBeforeSale();\n		});\n		this.finishBeforeSale();\n",
			},
		],
	},
	{
		name: "reversals-stay-paused-after-cancel",
		breaks: ["I3"],
		what: "a sale that was cancelled leaves the queue paused",
		expected: "campaign",
		tests: [REVERSALS_TEST],
		changes: [
			{
				file: "src/terminal.ts",
				from: "		this.#reversals.resume();\n		this.#advices.resume();\n		this.#reconciliation.resume();\n		this.#leftCard.look();\n		this.whenReady();\n		this.onSaleEnd?.();\n",
				to: "		this.#advices.resume();\n		this.#reconciliation.resume();\n		this.#leftCard.look();\n		this.whenReady();\n		this.onSaleEnd?.();\n",
			},
			{
				file: "src/terminal.ts",
				from: "			this.#reversals.resume();\n			this.#advices.hurry();\n",
				to: "			this.#advices.hurry();\n",
			},
		],
	},
	{
		name: "queue-loses-what-does-not-fit",
		breaks: ["I3"],
		what: "what a full queue has left to flash is not taken in when another one ends",
		expected: "tests",
		tests: [REVERSALS_TEST],
		changes: [{ file: REVERSALS, from: "		else this.#leftOut = true;\n", to: "" }],
	},
	{
		name: "queue-removes-the-wrong-one",
		breaks: ["I3"],
		what: "one array of the queue is not shifted when an entry leaves: due times move to their neighbours",
		expected: "tests",
		tests: ["test/transactions/reversal-queue.test.ts", REVERSALS_TEST],
		changes: [
			{
				file: QUEUE,
				from: "for (const array of [this.#ids, this.#dueMs, this.#failures, this.#watching]) {",
				to: "for (const array of [this.#ids, this.#failures, this.#watching]) {",
			},
		],
	},
	{
		name: "wall-clock-in-queue",
		breaks: ["I3", "I5"],
		what: "reversals fall due by the wall clock, which jumps",
		expected: "campaign",
		tests: [
			"test/transactions/clock-jump.test.ts",
			"test/transactions/reversals.test.ts",
			"test/terminal/boot.test.ts",
		],
		changes: [
			{
				file: "src/guarded-device.ts",
				from: "monotonic: () => clock.monotonic(),",
				to: "monotonic: () => clock.now(),",
			},
		],
	},
	{
		name: "advice-dropped-after-first-silence",
		breaks: ["I3", "I6"],
		what: "an advice that nobody answers counts as refused",
		expected: "campaign",
		tests: [STATES_TEST],
		changes: [
			{
				file: STATES,
				from: "		noAnswer: forward,\n",
				to: `		noAnswer: { to: "forwardRefused", persist: "outcome", act: "rest" },
`,
			},
		],
	},
	{
		name: "advice-reversed",
		breaks: ["I3", "I6"],
		what: "an advice that nobody answers is reversed like a sale",
		expected: "campaign",
		tests: [STATES_TEST],
		changes: [{ file: STATES, from: "		noAnswer: forward,\n", to: `		noAnswer: reverse("98"),\n` }],
	},
	{
		name: "advice-bad-mac-ends",
		breaks: ["I3", "I6"],
		what: "an answer that cannot be trusted ends an advice as refused",
		expected: "campaign",
		tests: [STATES_TEST],
		changes: [
			{
				file: STATES,
				from: "		badMac: forward,\n",
				to: `		badMac: { to: "forwardRefused", persist: "outcome", act: "rest" },
`,
			},
		],
	},
	{
		name: "advice-repeated-under-new-stan",
		breaks: ["I4", "I6"],
		what: "each try of an advice has a trace number of its own: the host takes each for another one",
		expected: "campaign",
		tests: [ADVICES_TEST],
		changes: [
			{
				file: ADVICES,
				from: "		const intent = log.intent(id);\n		let ticket = 0;\n",
				to: `		const first = log.index.tries[log.index.find(id)] === 0;
		const intent = first ? log.intent(id) : { ...log.intent(id), stan: log.takeStan() };
		let ticket = 0;
`,
			},
		],
	},
	{
		name: "advice-forgotten-by-host-away",
		breaks: ["I3", "I6"],
		what: "a host that has a fault (96, 97, A0) has refused the advice for good",
		expected: "tests",
		tests: [ADVICES_TEST],
		changes: [
			{
				file: ADVICES,
				from: "		if (hostAway || ISSUER_AWAY.includes(code)) {\n",
				to: "		if (hostAway && ISSUER_AWAY.includes(code)) {\n",
			},
		],
	},
	{
		name: "advice-overtakes",
		breaks: ["I5"],
		what: "an advice does not wait for what is older and under way for the same original",
		expected: "tests",
		tests: [ADVICES_TEST, "test/transactions/advice-log.test.ts"],
		changes: [
			{
				file: ADVICES,
				from: "			if (!index.isHeldBack(slot)) return id;\n			this.#left = true;\n",
				to: "			return id;\n",
			},
		],
	},
	{
		name: "advices-forgotten-on-restart",
		breaks: ["I3"],
		what: "a boot begins no pass over the advices that wait: only a new one does",
		expected: "campaign",
		tests: ["test/terminal/advices.test.ts"],
		changes: [
			{
				file: "src/terminal.ts",
				from: "		this.#advices.resume();\n		this.#evidence.start();\n		this.#reconciliation.start();\n",
				to: "		this.#evidence.start();\n		this.#reconciliation.start();\n",
			},
			{
				file: "src/terminal.ts",
				from: "			this.#reversals.resume();\n			this.#advices.hurry();\n",
				to: "			this.#reversals.resume();\n",
			},
		],
	},
	{
		name: "duplicate-answer-is-a-refusal",
		breaks: ["I6"],
		what: "94 to an advice, which is our own earlier try, counts as refused",
		expected: "tests",
		tests: [ADVICES_TEST],
		changes: [
			{
				file: ADVICES,
				from: `code === DUPLICATE ? "approved" : responseText(code).class;`,
				to: "responseText(code).class;",
			},
		],
	},
	{
		name: "doubts-without-limit",
		breaks: ["I8", "I10"],
		what: "a manager's yes also goes beyond what the queue of reversals holds",
		expected: "tests",
		tests: ["test/transactions/sale-refused.test.ts"],
		changes: [
			{
				file: SALE,
				from: `		if (log.doubts >= QUEUE_MAX - 1 || queue.count >= QUEUE_MAX - 1) return "refusedDoubts";
`,
				to: "",
			},
		],
	},
];
