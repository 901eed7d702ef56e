/**
 * The transition table of a case: the only place that decides what follows from what. Which step is begun says
 * remedies.ts; the event that begins it is in BEGIN_EVENTS there.
 *
 * Invariants: no closed state is left; from every open one a way leads to a closed one; what is with support is closed by
 * the books, when they agree, or by a person, and by nothing else.
 * @module
 */

/** Numbers are what flash holds; they never change. */
export const CaseState = {
	found: 1,
	asking: 2,
	granted: 3,
	checking: 4,
	waiting: 5,
	operator: 6,
	support: 7,
	resolved: 8,
	loss: 9,
	withdrawn: 10,
} as const;
export type CaseState = (typeof CaseState)[keyof typeof CaseState];

export type CaseStateName = keyof typeof CaseState;

export const CASE_STATE_NAMES = Object.keys(CaseState) as CaseStateName[];

/** Name of a state read from flash; undefined for a number that is none. */
export function caseStateName(state: number): CaseStateName | undefined {
	return CASE_STATE_NAMES[state - 1];
}

/** What a case is from its first record on. */
export const FIRST_STATE: CaseState = CaseState.found;

/** True until the books agree, a person has decided, or nothing more can be had. */
export function isOpen(state: number): boolean {
	return state < CaseState.resolved;
}

/** True while a remedy of it is on its way, or may be: no other is begun for the same transaction. */
export function isMoving(state: number): boolean {
	return state === CaseState.asking || state === CaseState.granted;
}

/** Whose move it is. */
export type Mover = "terminal" | "host" | "merchant" | "operator" | "desk" | "nobody";

export const MOVERS: Readonly<Record<CaseStateName, Mover>> = {
	found: "terminal",
	asking: "terminal",
	granted: "host",
	checking: "terminal",
	waiting: "merchant", // Or only time's: the step says which.
	operator: "operator",
	support: "desk",
	resolved: "nobody",
	loss: "nobody",
	withdrawn: "nobody",
};

/** Numbers are places in this list, from 1, and what the ring of a case on flash holds: new ones go to its end. */
export const EVENTS = [
	"opened", // The case is on flash; no event of the table.
	"confirmed", // 402, just before a step, says what the row says.
	"asked", // A request, a resend or a reversal is durable (I1) and may leave.
	"waits", // A step begins in which only time, or the merchant, helps.
	"asksOperator", // The same for a person at the terminal,
	"supports", // and for one at the host.
	"over", // Nothing more can be had.
	"answeredDone", // The answer to 403, 404, 407 or 405.
	"answeredGranted",
	"answeredEvidence", // The host's desk wants evidence.
	"answeredRefused",
	"answeredReceived",
	"moved", // The resend or the reversal is over, whatever came of it.
	"agreed", // 402: the books agree.
	"noEffect", // 402: they do not, as before.
	"differs", // 402: they differ, and now as another row says.
	"due", // The time of the step, or of the host's desk, has come.
	"operatorYes",
	"operatorNo",
	"accountMended", // 402: the posting is no longer refused for the merchant's account, and not made either.
] as const;
export type Event = (typeof EVENTS)[number];

/** Number of an event, as the ring holds it. */
export function eventNumber(event: Event): number {
	return EVENTS.indexOf(event) + 1;
}

/** Name of an event read from flash; undefined for a number that is none. */
export function eventName(event: number): Event | undefined {
	return EVENTS[event - 1];
}

/** What is done once it is durable. */
export type CaseAct =
	| "none"
	| "confirm" // 402, before the next step.
	| "begin" // The next step: its event follows at once.
	| "send" // The request with its id; the resend or the reversal is in its own queue.
	| "sendEvidence" // The same request once more, as evidence is wanted.
	| "askOn" // 405; where evidence was wanted the request itself, once more.
	| "look" // 402: agreed, noEffect, differs or accountMended follows.
	| "ask" // The operator.
	| "show" // State and step have changed: people are told.
	| "close"; // It is over: people are told, and what else is due of the transaction may begin.

/** How a case ended. Numbers are what flash holds. */
export const Outcome = {
	open: 0,
	/** The books agree. */
	agreed: 1,
	/** The operator says that what the host holds is right. */
	stands: 2,
	/** Settled by people, outside. */
	byHand: 3,
	loss: 4,
} as const;

export type OutcomeName = keyof typeof Outcome;

export interface CaseStep {
	readonly to: CaseStateName;
	/** False: nothing is written, as a cut here only makes the same event come again. */
	readonly durable: boolean;
	readonly act: CaseAct;
	/** Of a step that closes. */
	readonly outcome?: OutcomeName;
}

const to = (state: CaseStateName, act: CaseAct): CaseStep => ({ to: state, durable: true, act });
const stay = (state: CaseStateName, act: CaseAct = "none"): CaseStep => ({ to: state, durable: false, act });
const close = (state: "resolved" | "loss" | "withdrawn", outcome: OutcomeName): CaseStep => ({
	to: state,
	durable: true,
	act: "close",
	outcome,
});

/** How each kind of step begins. */
const BEGIN = {
	asked: to("asking", "send"),
	waits: to("waiting", "show"),
	asksOperator: to("operator", "ask"),
	supports: to("support", "show"),
	over: close("loss", "loss"),
} as const;

/** The host has taken the request, and decides. */
const TAKEN = {
	answeredGranted: to("granted", "show"),
	answeredReceived: to("granted", "show"),
} as const;

/** It has decided. What that is worth says 402. */
const ANSWERED = {
	answeredDone: to("checking", "look"),
	answeredRefused: to("checking", "look"),
} as const;

export const TABLE: { readonly [S in CaseStateName]: { readonly [E in Event]?: CaseStep } } = {
	found: {
		confirmed: stay("found", "begin"),
		...BEGIN,
		agreed: close("withdrawn", "agreed"),
		noEffect: stay("found", "begin"), // "As before" is what confirms it.
		differs: to("found", "confirm"),
		due: stay("found", "confirm"),
	},
	asking: {
		...TAKEN,
		...ANSWERED,
		answeredEvidence: to("granted", "sendEvidence"),
		moved: to("checking", "look"),
		due: stay("asking", "send"), // The same bytes under the same id.
		// A host that has not answered for long: a person goes on, the request may still be carried out, and no other begins.
		supports: BEGIN.supports,
		agreed: stay("asking"), // Not before the request has its answer: it is still on its way.
		noEffect: stay("asking"),
		differs: stay("asking"),
	},
	granted: {
		...TAKEN,
		...ANSWERED,
		answeredEvidence: to("granted", "show"), // Once a due time: no answer makes a request at once.
		due: stay("granted", "askOn"),
		supports: BEGIN.supports,
		agreed: stay("granted"),
		noEffect: stay("granted"),
		differs: stay("granted"),
	},
	checking: {
		...BEGIN,
		agreed: close("resolved", "agreed"),
		noEffect: stay("checking", "begin"),
		differs: to("found", "confirm"),
		accountMended: stay("checking", "begin"),
		due: stay("checking", "look"),
	},
	waiting: {
		...BEGIN, // Nothing is under way: what a person, or a host that knows nothing of sync, makes of it may begin.
		due: to("checking", "look"),
		accountMended: to("checking", "begin"),
		agreed: close("resolved", "agreed"),
		noEffect: stay("waiting"),
		differs: to("found", "confirm"),
	},
	operator: {
		operatorYes: to("found", "confirm"), // 402 before anything is asked of the host, as always.
		operatorNo: close("resolved", "stands"), // Both stand; what the host holds is right.
		supports: BEGIN.supports,
		due: stay("operator", "ask"),
		agreed: close("withdrawn", "agreed"),
		noEffect: stay("operator"),
		differs: to("found", "confirm"),
	},
	support: {
		agreed: close("resolved", "agreed"),
		operatorYes: close("resolved", "byHand"), // Settled by hand, outside.
		operatorNo: close("loss", "loss"), // Nobody will.
		due: stay("support", "look"),
		noEffect: stay("support"),
		differs: stay("support"),
		accountMended: stay("support"),
		// Of the request that was still on its way. Noted: people see it, and it may be worth a look.
		answeredDone: to("support", "look"),
		answeredRefused: to("support", "show"),
		answeredGranted: to("support", "show"),
		answeredReceived: to("support", "show"),
		answeredEvidence: to("support", "show"),
		moved: stay("support", "look"),
	},
	resolved: {},
	loss: {},
	withdrawn: {},
};
