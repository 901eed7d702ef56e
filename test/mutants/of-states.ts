/** Bugs of the transition table, and of what an answer means. */
import type { Mutant } from "./mutate";

const STATES = "src/transactions/states.ts";
const CODES = "src/iso8583/response-codes.ts";

const STATES_TEST = "test/transactions/states.test.ts";
const ANSWERS_TEST = "test/transactions/sale-answers.test.ts";

export const STATE_MUTANTS: readonly Mutant[] = [
	{
		name: "approval-written-with-delivery",
		breaks: ["I2", "I6"],
		what: "approval and delivery become one record, written when the slip is out: half the flash writes",
		expected: "campaign",
		tests: [STATES_TEST],
		changes: [
			{
				file: STATES,
				from: `		approve: { to: "approved", persist: "outcome", act: "deliver" },`,
				to: `		approve: { to: "approved", persist: "none", act: "deliver" },`,
			},
		],
	},
	{
		name: "boot-abandons-waiting",
		breaks: ["I3", "I6"],
		what: "a boot takes a sale without an outcome for one that was never sent",
		expected: "campaign",
		tests: [STATES_TEST],
		changes: [
			{
				file: STATES,
				from: `		boot: reverse("98", "tellInterrupted"),`,
				to: `		boot: { to: "abandoned", persist: "outcome", act: "none" },`,
			},
		],
	},
	{
		name: "late-approval-undoes-reversal",
		breaks: ["I5"],
		what: "an approval that comes while its reversal waits makes the sale approved again",
		expected: "campaign",
		tests: [STATES_TEST],
		changes: [
			{
				file: STATES,
				from: `		...late("reversing"), // I5: a late answer never undoes a reversal.
`,
				to: `		...late("reversing"),
		approve: { to: "approved", persist: "outcome", act: "deliver" },
`,
			},
		],
	},
	{
		name: "late-approval-undoes-reversed",
		breaks: ["I5"],
		what: "an approval that comes after its reversal was answered makes the sale approved again",
		expected: "campaign",
		tests: [STATES_TEST],
		changes: [
			{
				file: STATES,
				from: `		...late("unconfirmed"),
`,
				to: `		...late("unconfirmed"),
		approve: { to: "approved", persist: "outcome", act: "deliver" },
`,
			},
		],
	},
	{
		name: "late-approval-of-declined-ignored",
		breaks: ["I6"],
		what: "an approval that comes after the refusal of the same sale is taken for noise",
		expected: "tests",
		tests: [STATES_TEST],
		changes: [
			{
				file: STATES,
				from: `		approve: reverse("06"),
		refuse: reverse("06"), // In part, that is.
`,
				to: "",
			},
		],
	},
	{
		name: "no-second-reversal-after-late-original",
		breaks: ["I3", "I6"],
		what: "the first answer of 00, 12 or 25 ends a reversal for good: the original may still lie in the network",
		expected: "campaign",
		tests: [STATES_TEST],
		changes: [
			{
				file: STATES,
				from: `		reversalAccepted: { to: "unconfirmed", persist: "step", act: "watch" },`,
				to: `		reversalAccepted: { to: "reversed", persist: "step", act: "rest" },`,
			},
		],
	},
	{
		name: "bad-mac-is-a-decline",
		breaks: ["I3"],
		what: "an answer that cannot be trusted is shown as declined and nothing is reversed",
		expected: "campaign",
		tests: [STATES_TEST],
		changes: [
			{
				file: STATES,
				from: `		badMac: reverse("A0"),`,
				to: `		badMac: { to: "declined", persist: "outcome", act: "tellDeclined" },`,
			},
		],
	},
	{
		name: "partial-approval-taken",
		breaks: ["I6"],
		what: "code 10 is taken for an approval like the others",
		expected: "tests",
		tests: ["test/iso8583/response-codes.test.ts", ANSWERS_TEST],
		changes: [
			{
				file: CODES,
				from: `Approved in part only: not accepted", class: "partial" }`,
				to: `Approved in part only: not accepted", class: "approved" }`,
			},
		],
	},
	{
		name: "a0-is-a-decline",
		breaks: ["I6"],
		what: "a verified A0 is told as a refusal, and the untouched request arrives later",
		expected: "tests",
		tests: ["test/iso8583/response-codes.test.ts", ANSWERS_TEST],
		changes: [
			{
				file: CODES,
				from: `en: "Message check failed, sign on again", class: "unheard" }`,
				to: `en: "Message check failed, sign on again", class: "declined" }`,
			},
		],
	},
	{
		name: "97-is-a-decline",
		breaks: ["I6"],
		what: "a verified 97 is told as a refusal, and the untouched request arrives later",
		expected: "tests",
		tests: ["test/iso8583/response-codes.test.ts", ANSWERS_TEST],
		changes: [
			{
				file: CODES,
				from: `en: "Terminal not known, sign on again", class: "unheard" }`,
				to: `en: "Terminal not known, sign on again", class: "declined" }`,
			},
		],
	},
	{
		name: "delivery-not-asked",
		breaks: ["I6"],
		what: "a boot takes an approved sale for one that the customer knows of",
		expected: "campaign",
		tests: [STATES_TEST],
		changes: [
			{
				file: STATES,
				from: `		boot: { to: "approved", persist: "none", act: "askDelivered" },`,
				to: `		boot: { to: "delivered", persist: "step", act: "none" },`,
			},
		],
	},
	{
		name: "unsent-is-reversed",
		breaks: ["I5"],
		what: "a request of which no byte has left is reversed like one in doubt",
		expected: "tests",
		tests: [STATES_TEST],
		changes: [
			{
				file: STATES,
				from: `		unsent: { to: "abandoned", persist: "outcome", act: "tellNotSent" },`,
				to: `		unsent: reverse("98"),`,
			},
		],
	},
];
