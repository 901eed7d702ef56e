/**
 * The remedies table (DESIGN.md, "Remedies"): for each row of a finding what is done, in this order. Nothing else decides
 * it; case-work.ts carries a step out, and 402 says afterwards what it has done.
 *
 * Each row ends with a step that needs nothing, `support` or `loss`, so that there always is a next one; and what comes
 * round again does so a bounded number of times (I10). Places of steps are what flash holds: firmware to come adds steps
 * at the end of a row, before its last one never.
 * @module
 */
import type { Config } from "../config";
import type { ScreenName } from "../ports";
import type { Event } from "./case-states";
import type { CaseRow } from "./finding";

/** What case-work knows when a step is to begin. */
export const Fact = {
	/** The host knows the sync messages. */
	sync: 1,
	/** The transaction is known here, with its card: it can be sent. */
	recordHere: 2,
	/** The host's amount is below ours. */
	hostHasLess: 4,
	/** The host's amount is above ours. */
	hostHasMore: 8,
	/** The issuer's code may be another one tomorrow: 51, 61, 65, 91, 96. */
	codeMayChange: 16,
} as const;

/** All that a step can need: each combination of facts lies below. */
export const FACTS_END = 32;

export const STEP_KINDS = [
	"resend", // An advice of kind resend, under the host's one key: the original.
	"reverse", // The reversal once more, as any other.
	"claim", // 403.
	"credit", // 404.
	"farSide", // 407.
	"wait", // Only time helps.
	"tell", // People have to mend something; asked about until they have.
	"askOperator", // Nothing is done before they have answered.
	"support", // The device has done what it can.
	"loss", // Nothing more can be had.
] as const;
export type StepKind = (typeof STEP_KINDS)[number];

/** The event that begins a step of each kind: for case-states.ts. */
export const BEGIN_EVENTS: Readonly<Record<StepKind, Event>> = {
	resend: "asked",
	reverse: "asked",
	claim: "asked",
	credit: "asked",
	farSide: "asked",
	wait: "waits",
	tell: "waits",
	askOperator: "asksOperator",
	support: "supports",
	loss: "over",
};

/** For which the host's answer decides what is next: a request id, durable before the first byte. */
export function isRequest(kind: StepKind): boolean {
	return kind === "claim" || kind === "credit" || kind === "farSide";
}

/** What people read while the step lasts; see the texts of the user interface. */
export const CASE_TEXTS = [
	"caseResend",
	"caseReverse",
	"caseClaim",
	"caseClaimDifference",
	"caseCredit",
	"caseCreditDifference",
	"caseFarSide",
	"casePending",
	"caseOverdue",
	"caseMerchantAccount",
	"caseOfflineDeclined",
	"caseAskUnknown",
	"caseAskDoubled",
	"caseReversalStuck",
	"caseAdviceStuck",
	"caseUnbalanced",
	"caseSupport",
	"caseLoss",
] as const satisfies readonly ScreenName[];
export type CaseText = (typeof CASE_TEXTS)[number];

/** How long after its beginning a step is looked at again: the number of the configuration. */
export type DueRule = keyof Config &
	(
		| "lateOriginalMs"
		| "postingDueMs"
		| "overdueAgainMs"
		| "deskAskMs"
		| "accountAskMs"
		| "supportAskMs"
		| "reversalRefusedRepeatMs"
	);

export interface Step {
	readonly kind: StepKind;
	readonly text: CaseText;
	readonly due: DueRule;
	/** {@link Fact}: all of them, or the step is passed over. */
	readonly needs: number;
	/**
	 * What comes first when that time is there. "due": the event of this name, and its act. "look": 402, as the step goes on
	 * until that shows a change.
	 */
	readonly first: "due" | "look";
	/** The place of the step that follows it, where that is not the next one. */
	readonly next?: number;
}

const { sync, recordHere, hostHasLess, hostHasMore, codeMayChange } = Fact;

const RESEND: Step = {
	kind: "resend",
	text: "caseResend",
	due: "lateOriginalMs",
	needs: sync | recordHere,
	first: "due",
};
const REVERSE: Step = {
	kind: "reverse",
	text: "caseReverse",
	due: "lateOriginalMs",
	needs: sync | recordHere,
	first: "due",
};
const CLAIM: Step = { kind: "claim", text: "caseClaim", due: "deskAskMs", needs: sync, first: "due" };
const CREDIT: Step = { kind: "credit", text: "caseCredit", due: "deskAskMs", needs: sync, first: "due" };
const SUPPORT: Step = { kind: "support", text: "caseSupport", due: "supportAskMs", needs: 0, first: "due" };

export const REMEDIES: Readonly<Record<CaseRow, readonly Step[]>> = {
	notFound: [RESEND, CLAIM, SUPPORT],
	pending: [
		// Once it is due, 402 says the row `overdue`; or another time to wait for, while the host's clock is not known.
		{ kind: "wait", text: "casePending", due: "postingDueMs", needs: sync, first: "due", next: 0 },
		SUPPORT,
	],
	overdue: [CLAIM, { kind: "wait", text: "caseOverdue", due: "overdueAgainMs", needs: sync, first: "due" }, SUPPORT],
	merchantAccount: [
		{ kind: "tell", text: "caseMerchantAccount", due: "accountAskMs", needs: sync, first: "look" },
		CLAIM,
		SUPPORT,
	],
	reversedAtHost: [RESEND, SUPPORT],
	otherAmount: [
		{ ...CLAIM, text: "caseClaimDifference", needs: sync | hostHasLess },
		{ ...CREDIT, text: "caseCreditDifference", needs: sync | hostHasMore },
		SUPPORT,
	],
	debited: [REVERSE, CREDIT, SUPPORT],
	unknownHere: [
		{ kind: "askOperator", text: "caseAskUnknown", due: "supportAskMs", needs: 0, first: "due" },
		CREDIT,
		SUPPORT,
	],
	doubled: [
		{ kind: "askOperator", text: "caseAskDoubled", due: "supportAskMs", needs: 0, first: "due" },
		CREDIT,
		SUPPORT,
	],
	farSide: [{ kind: "farSide", text: "caseFarSide", due: "deskAskMs", needs: sync, first: "due" }, CREDIT, SUPPORT],
	offlineDeclined: [
		// Once a day, as a permanent refusal of a reversal.
		{
			kind: "wait",
			text: "caseOfflineDeclined",
			due: "reversalRefusedRepeatMs",
			needs: sync | recordHere | codeMayChange,
			first: "due",
		},
		{ ...RESEND, needs: sync | recordHere | codeMayChange, next: 0 },
		{ kind: "loss", text: "caseLoss", due: "supportAskMs", needs: 0, first: "due" },
	],
	refundDiffers: [SUPPORT],
	// Never asked about at the host: the first two end with their movement, the third by a person's word.
	reversalStuck: [{ ...SUPPORT, text: "caseReversalStuck" }],
	adviceStuck: [{ ...SUPPORT, text: "caseAdviceStuck" }],
	unbalanced: [{ ...SUPPORT, text: "caseUnbalanced" }],
};

/**
 * Turns of a case: steps that come round again, and changes of its row. Beyond, the last step of the row. Daily tries of an
 * offline sale end with them, and a host that says something else each time.
 */
export const TURNS_MAX = 30;

export interface NextStep {
	readonly step: Step;
	/** Its number, from 1: what the case record has as `step` once it has begun. */
	readonly number: number;
	/** It comes round again: one turn more. */
	readonly turn: boolean;
}

/** The step that has begun, or undefined before the first one. */
export function stepAt(row: CaseRow, number: number): Step | undefined {
	return REMEDIES[row][number - 1];
}

/** The end of a row, support or loss: what a person begins, or a host that has been silent for too long. */
export function lastStep(row: CaseRow): NextStep {
	const steps = REMEDIES[row];
	return { step: steps[steps.length - 1], number: steps.length, turn: false };
}

/**
 * What is done next. Each row ends with a step that needs nothing: there is always one, and behind the last one the last
 * one again.
 * @param done - number of the step that was the last to begin, 0 for none
 * @param turns - see {@link TURNS_MAX}
 * @param facts - bits of {@link Fact}
 */
export function nextStep(row: CaseRow, done: number, turns: number, facts: number): NextStep {
	const steps = REMEDIES[row];
	const last = steps.length - 1;
	let at = Math.min(last, steps[done - 1]?.next ?? done);
	if (turns >= TURNS_MAX) at = last;
	while (at < last && (facts & steps[at].needs) !== steps[at].needs) at++;
	return { step: steps[at], number: at + 1, turn: at < done };
}
