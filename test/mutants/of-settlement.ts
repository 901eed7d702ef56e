/**
 * Bugs of settlement, comparison and cases. Most of them were ours once: worlds with books out of place have found them.
 */
import type { Mutant } from "./mutate";

const COMPARE = "src/settlement/compare.ts";
const SETTLEMENT = "src/settlement/settlement.ts";
const CASE_WORK = "src/settlement/case-work.ts";
const CLOSING_TEST = "test/settlement/closing-whole.test.ts";
const FOUND_TEST = "test/settlement/found-and-resolved.test.ts";
const SAID_TEST = "test/settlement/said-once.test.ts";
const TWO_TEST = "test/settlement/two-questions.test.ts";
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
		changes: [{ file: SETTLEMENT, from: "if ((suspicions.hasOutside(log.batch) && !beyond) || ", to: "if (" }],
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
		name: "room-waits-for-settlement",
		breaks: ["I10"],
		what: "a resend waits for room, the settlement that makes it waits for the resend",
		expected: "campaign",
		tests: [SEEDS_TEST],
		changes: [{ file: CASE_WORK, from: "		if (log.closing !== undefined) return false;\n", to: "" }],
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
	{
		name: "given-back-forgotten",
		breaks: ["I6"],
		what: "a case that gave money back makes way while its batch is compared: what is settled is found anew, and sent again",
		expected: "tests",
		tests: ["test/settlement/cases.test.ts", SEEDS_TEST],
		changes: [
			{
				file: "src/settlement/case-index.ts",
				from: "this.firstClosed((at) => !this.#batches.isLiveBatch(this.batches[at]), keptId)",
				to: "this.firstClosed(() => true, keptId)",
			},
		],
	},
	{
		name: "more-than-cases-forgotten",
		breaks: ["I6"],
		what: "differences that find no place for a case go with the batch, and nobody is told",
		expected: "tests",
		tests: ["test/settlement/given-back.test.ts"],
		changes: [
			{
				file: SETTLEMENT,
				from: "if ((beyond || compare.contradicted) && !this.openUnbalanced(batch)) {",
				to: "if (false) {",
			},
		],
	},
	{
		name: "named-before-it-was-sold",
		breaks: ["I6"],
		what: "what a list named before its sale is unknown here for good: the operator is asked to give a good sale back",
		expected: "tests",
		tests: ["test/settlement/lying-host.test.ts"],
		changes: [
			{
				file: "src/settlement/findings.ts",
				from: "suspicions.ids[at] || this.#p.log.index.findListed(batch, stan)",
				to: "suspicions.ids[at]",
			},
		],
	},
	{
		name: "spent-read-as-if-there",
		breaks: ["I6", "I10"],
		what: "the age of a transaction whose records made room is read from flash: the terminal restarts",
		expected: "campaign",
		tests: ["test/settlement/spent.test.ts"],
		changes: [
			{
				file: "src/settlement/books.ts",
				from: `		const outcome = unlessGone(() => log.outcome(id));
		return outcome === undefined ? undefined : hostTime.ageOf`,
				to: `		const outcome = log.outcome(id);
		return outcome === undefined ? undefined : hostTime.ageOf`,
			},
		],
	},
	{
		name: "request-under-a-new-id",
		breaks: ["I4", "I6"],
		what: "a request whose answer was lost goes out again under another id: granted twice",
		expected: "tests",
		tests: [SAID_TEST],
		changes: [
			{
				file: CASE_WORK,
				from: "const { requestType, requestId, requestMinor: amountMinor } = record;",
				to: `const { requestType, requestMinor: amountMinor } = record;
		const requestId = this.#p.cases.newRequestId(record.id, this.#p.random);`,
			},
		],
	},
	{
		name: "unbalanced-and-silent",
		breaks: ["I6"],
		what: "a host without sync says that a batch is not balanced, and it is released as if it were",
		expected: "tests",
		tests: [SAID_TEST],
		changes: [
			{
				file: SETTLEMENT,
				from: '} else if ((this.#result !== "balanced" || parts',
				to: "} else if ((false || parts",
			},
		],
	},
	{
		name: "digest-not-compared",
		breaks: ["I6"],
		what: "where the host's digest is another the batch is taken for compared",
		expected: "tests",
		tests: [FOUND_TEST, "test/settlement/lying-host.test.ts", "test/settlement/sync-cost.test.ts"],
		changes: [{ file: COMPARE, from: 'if ((phase === "all" && !same) || !whole) this', to: "if (!whole) this" }],
	},
	{
		name: "nonce-not-checked",
		breaks: ["I11"],
		what: "an answer to another question is believed when its MAC is right",
		expected: "tests",
		tests: ["test/settlement/sync-messages.test.ts"],
		changes: [
			{
				file: "src/settlement/sync-messages.ts",
				from: "if (!isOurs) throw",
				to: "if (bytes.length === 0) throw",
			},
		],
	},
	{
		name: "decision-not-kept",
		breaks: ["I6"],
		what: "what people have decided about a difference is found once more at the next comparison",
		expected: "tests",
		tests: ["test/settlement/cases.test.ts"],
		changes: [
			{
				file: "src/settlement/cases.ts",
				from: "if ((index.lasting[index.find(id)] & Lasting.decided) !== 0) return true;",
				to: "",
			},
		],
	},
	{
		name: "no-is-yes",
		breaks: ["I6"],
		what: "the operator says that both sales stand, and one is given back",
		expected: "tests",
		tests: [SAID_TEST],
		changes: [
			{
				file: CASE_WORK,
				from: 'const event = yes ? "operatorYes" : "operatorNo";',
				to: 'const event = "operatorYes";',
			},
		],
	},
	{
		name: "watch-ends-at-recorded",
		breaks: ["I6"],
		what: "a sale of a settled batch is watched until it is recorded, not until it is posted",
		expected: "tests",
		tests: [CLOSING_TEST],
		changes: [
			{
				file: "src/settlement/watch-work.ts",
				from: 'if (row === "pending" || row === "underWay") this.again(serial);',
				to: 'if (row === "pending") this.#watches.done(batch, stan);\n\t\telse if (row === "underWay") this.again(serial);',
			},
		],
	},
	{
		name: "given-back-sent-again",
		breaks: ["I6"],
		what: "what our own request has had given back whole is judged as any sale: forgotten by the host, it is sent again",
		expected: "tests",
		tests: ["test/settlement/adversary.test.ts", "test/settlement/finding.test.ts"],
		changes: [
			{
				file: "src/settlement/finding.ts",
				from: "isGivenBack && !isRefund ? GIVEN_BACK : RULES",
				to: "RULES",
			},
		],
	},
	{
		name: "two-remedies-at-once",
		breaks: ["I6"],
		what: "a second case is opened beside the first: what is claimed is given back meanwhile",
		expected: "tests",
		tests: ["test/settlement/adversary.test.ts"],
		changes: [
			{
				file: "src/settlement/findings.ts",
				from: "if (cases.findOpen(batch, stan) !== 0) {",
				to: "if (false) {",
			},
		],
	},
	{
		name: "books-shown-and-forgotten",
		breaks: ["I6"],
		what: "a host that has shown its books says in the middle of a closing that it knows no such message, and is believed",
		expected: "tests",
		tests: ["test/settlement/adversary.test.ts"],
		changes: [{ file: SETTLEMENT, from: " || parts.hasShownBooks) &&", to: ") &&" }],
	},
	{
		name: "released-batch-compared-on",
		breaks: ["I6"],
		what: "a list begun before the release is gone on with behind it: each sale of it is unknown here",
		expected: "tests",
		tests: ["test/settlement/adversary.test.ts"],
		changes: [
			{
				file: COMPARE,
				from: "if (this.#batch !== this.#p.log.batch && this.#batch !== this.#p.log.closing?.batch) this.#phase",
				to: "if (this.#batch < 0) this.#phase",
			},
		],
	},
	{
		name: "lists-believed",
		breaks: ["I6"],
		what: "a batch is released by a list that the host's own digest contradicts",
		expected: "tests",
		tests: [CLOSING_TEST, SEEDS_TEST],
		changes: [{ file: COMPARE, from: "if (this.#ofClosing && !this.#merge.comesRound) {", to: "if (false) {" }],
	},
	{
		name: "watch-ends-with-any-case",
		breaks: ["I6"],
		what: "an operator's word about a debit ends the watch of its posting",
		expected: "tests",
		tests: [CLOSING_TEST, SEEDS_TEST],
		changes: [
			{
				file: "src/settlement/reconciliation.ts",
				from: "if (record.outcome === Outcome.agreed) this.watches",
				to: "if (record.outcome !== Outcome.open) this.watches",
			},
		],
	},
	{
		name: "silent-desk-asked-for-ever",
		breaks: ["I3"],
		what: "a request that the desk never answers is nobody's: asked and asked, and no person hears of it",
		expected: "tests",
		tests: ["test/settlement/adversary.test.ts"],
		changes: [
			{ file: CASE_WORK, from: "else if (!this.giveUp(record)) this.sendRequest", to: "else this.sendRequest" },
		],
	},
	{
		name: "no-room-waits-for-the-hour",
		breaks: ["I6"],
		what: "a remedy for which flash has no room waits until the batch is settled for another reason",
		expected: "tests",
		tests: [FOUND_TEST],
		changes: [{ file: CASE_WORK, from: "this.#o.owner.onNoRoom();", to: "" }],
	},
	{
		name: "two-questions-of-one-transaction",
		breaks: ["I5"],
		what: "two cases of one transaction are asked about at the same time",
		expected: "tests",
		tests: [TWO_TEST],
		changes: [
			{
				file: CASE_WORK,
				from: "const same = cases.stan(other) === cases.stan(id) && cases.batch(other) === cases.batch(id);",
				to: "const same = other === id;",
			},
		],
	},
	{
		name: "answer-read-for-the-other-question",
		breaks: ["I11"],
		what: "an answer is read as one to the question that was asked last",
		expected: "tests",
		tests: [TWO_TEST, "test/settlement/sync-messages.test.ts"],
		changes: [{ file: "src/settlement/sync-messages.ts", from: "		this.#place = place;\n", to: "" }],
	},
	{
		name: "head-anchored-by-an-older-answer",
		breaks: ["I11"],
		what: "a head of the evidence chain counts as the host's though it was another one that the host has acknowledged",
		expected: "tests",
		tests: [TWO_TEST],
		changes: [
			{
				file: "src/settlement/sync-parts.ts",
				from: "head !== 0 && head === this.#headsTold;",
				to: "head !== 0;",
			},
		],
	},
	{
		name: "unheard-holds-its-batch",
		breaks: ["I6"],
		what: "a difference that the host lists and will not speak of holds its batch for ever",
		expected: "tests",
		tests: ["test/settlement/adversary.test.ts"],
		changes: [
			{
				file: "src/settlement/findings.ts",
				from: "if (suspicions.unheard(at) === UNHEARD_MAX) {",
				to: "if (suspicions.unheard(at) > UNHEARD_MAX) {",
			},
		],
	},
	{
		name: "no-at-once-sleeps",
		breaks: ["I3", "I6"],
		what: "told inside the call that there is no line, the sync waits for somebody to wake it",
		expected: "tests",
		tests: ["test/settlement/sync.test.ts"],
		changes: [
			{
				file: "src/settlement/sync.ts",
				from: "if (!this.#connecting) this.wakeIn(this.#notBeforeMs - this.#o.clock.monotonic());",
				to: "",
			},
		],
	},
];
