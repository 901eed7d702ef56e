/**
 * Bugs of settlement, comparison and cases. Most of them were ours once: worlds with books out of place have found them.
 */
import type { Mutant } from "./mutate";

const COMPARE = "src/settlement/compare.ts";
const SETTLEMENT = "src/settlement/settlement.ts";
const CASE_WORK = "src/settlement/case-work.ts";
const CLOSING_TEST = "test/settlement/closing-whole.test.ts";
const FOUND_TEST = "test/settlement/found-and-resolved.test.ts";
const SEEDS_TEST = "test/host-sim/world/office-seeds.test.ts";

export const SETTLEMENT_MUTANTS: readonly Mutant[] = [
	{
		name: "silence-is-no-sync",
		breaks: ["I6"],
		what: "three lost answers, and a host that shows its books is settled without them",
		expected: "campaign",
		tests: [CLOSING_TEST],
		changes: [{ file: "src/settlement/sync-parts.ts", from: " && !this.#hostSync.proven", to: "" }],
	},
	{
		name: "carried-not-watched",
		breaks: ["I3", "I6"],
		what: "what goes on over a release is nobody's any more once it has ended",
		expected: "tests",
		tests: [CLOSING_TEST],
		changes: [{ file: SETTLEMENT, from: "if (supported) this.watchCarried(batch, closing.id);", to: "" }],
	},
	{
		name: "difference-not-waited-for",
		breaks: ["I6"],
		what: "a batch is released over differences that nobody has looked at",
		expected: "campaign",
		tests: [CLOSING_TEST, FOUND_TEST],
		changes: [{ file: SETTLEMENT, from: "if (suspicions.hasOutside(log.batch) || ", to: "if (" }],
	},
	{
		name: "unposted-not-watched",
		breaks: ["I6"],
		what: "recorded is taken for credited: a release watches nothing",
		expected: "campaign",
		tests: [CLOSING_TEST, FOUND_TEST],
		changes: [
			{ file: COMPARE, from: 'if (row === "pending") this.noteUnposted(id);', to: 'if (row === "pending") return;' },
		],
	},
	{
		name: "lie-of-a-page-forgotten",
		breaks: ["I6"],
		what: "what a page lied about, and is only not posted, is not watched",
		expected: "tests",
		tests: [SEEDS_TEST],
		changes: [
			{
				file: "src/settlement/findings.ts",
				from: '		else if (row === "pending" && !this.#options.onPending(batch, id)) this.postpone(at);\n',
				to: "",
			},
		],
	},
	{
		name: "room-waits-for-settlement",
		breaks: ["I10"],
		what: "a resend waits for room, the settlement that makes it waits for the resend",
		expected: "campaign",
		tests: [SEEDS_TEST],
		changes: [{ file: CASE_WORK, from: "		if (log.closing !== undefined) return false;\n", to: "" }],
	},
	{
		name: "case-confirmed-twice",
		breaks: ["I10"],
		what: "a difference that is a case already is confirmed once more, whatever it waits for",
		expected: "tests",
		tests: [SEEDS_TEST],
		changes: [{ file: CASE_WORK, from: 'if (stateOf(record) === "found") this.apply(record', to: "this.apply(record" }],
	},
	{
		name: "granted-is-done",
		breaks: ["I6"],
		what: "a case is over when the desk has said so, without a look at the books",
		expected: "tests",
		tests: [FOUND_TEST, "test/settlement/case-states.test.ts"],
		changes: [
			{
				file: "src/settlement/case-states.ts",
				from: '	answeredDone: to("checking", "look"),',
				to: '	answeredDone: close("resolved", "agreed"),',
			},
		],
	},
	{
		name: "whole-amount-for-a-difference",
		breaks: ["I6"],
		what: "where the host has another amount, all of it is claimed or given back, not the difference",
		expected: "tests",
		tests: [FOUND_TEST, "test/settlement/given-back.test.ts"],
		changes: [
			{
				file: "src/settlement/findings.ts",
				from: 'if (row === "otherAmount") return Math.abs(oursMinor - entry.amountMinor);',
				to: 'if (row === "otherAmount") return oursMinor;',
			},
		],
	},
	{
		name: "doubled-without-the-operator",
		breaks: ["I6"],
		what: "the second of two equal sales is given back, and nobody is asked whether it was a mistake",
		expected: "campaign",
		tests: [FOUND_TEST, "test/settlement/remedies.test.ts"],
		changes: [
			{
				file: "src/settlement/remedies.ts",
				from: `	doubled: [
		{ kind: "askOperator", text: "caseAskDoubled", due: "supportAskMs", needs: 0, first: "due" },
`,
				to: "	doubled: [\n",
			},
		],
	},
];
