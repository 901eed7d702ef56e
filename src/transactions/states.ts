/**
 * The transition table of a transaction: the only place that decides what follows from what (I2, I3, I5).
 * @module
 */
import { isAdvice, KIND_OFFLINE_SALE, KIND_RESEND } from "./records";

/** Numbers are what flash holds; they never change. */
export const State = {
	waiting: 1,
	approved: 2,
	delivered: 3,
	declined: 4,
	abandoned: 5,
	reversing: 6,
	unconfirmed: 7,
	reversed: 8,
	forwarding: 9,
	forwarded: 10,
	forwardRefused: 11,
} as const;
export type State = (typeof State)[keyof typeof State];

export type StateName = keyof typeof State;

export const STATE_NAMES = Object.keys(State) as StateName[];

/** Name of a state read from flash; undefined for a number that is none. */
export function stateName(state: number): StateName | undefined {
	return STATE_NAMES[state - 1];
}

/** What a transaction is once its intent is durable, and before anything is said of it. */
export function firstState(kind: number): State {
	return isAdvice(kind) ? State.forwarding : State.waiting;
}

export const EVENTS = [
	"approve", // A verified approval, and the card's consent where it has one; an advice is taken by the host.
	"decline", // A verified refusal.
	"refuse", // Partial approval, or the card said no after the host's approval.
	"amountDiffers", // A verified answer with another amount.
	"badMac", // The answer cannot be trusted.
	"noAnswer", // Time is up, or the link is gone after a byte may have left.
	"unsent", // Not one byte has left.
	"boot", // Power came back.
	"deliver", // The slip is out, or the approval was acknowledged on the screen.
	"notDelivered", // The operator says that the customer has nothing.
	"reversalAccepted", // 00, 12 or 25 where they end the repeating.
	"reversalRefused", // Anything else: the repeating goes on.
	"lateOriginalDue", // The longest life of a stalled frame is over.
	"reverseAgain", // The host holds a debit that must not be, though nothing is under way here.
] as const;
export type Event = (typeof EVENTS)[number];

/** What is written before anything is done; "none" writes nothing. */
export type Persist = "outcome" | "step" | "none";

/** What is done once it is durable. */
export type Act =
	| "none"
	| "deliver" // Show and print the approval.
	| "tellDeclined"
	| "tellNotSent"
	| "tellReversing" // Not charged; and the queue begins.
	| "tellInterrupted" // The same, after a restart.
	| "askDelivered"
	| "queue" // The reversal or the advice is due.
	| "watch" // Wait for lateOriginalDue.
	| "rest"; // Nothing more can come: it leaves the queue.

export interface Step {
	readonly to: StateName;
	readonly persist: Persist;
	readonly act: Act;
	/** DE 39 of the reversal that begins here. */
	readonly reason?: "98" | "A0" | "96" | "06";
}

const reverse = (reason: "98" | "A0" | "96" | "06", act: Act = "tellReversing"): Step => ({
	to: "reversing",
	persist: "step",
	act,
	reason,
});

/**
 * "Other": what the reversal is for now is none of the things it may have been for before, and the host can tell it from
 * a repeat of that one.
 */
const again = reverse("06", "queue");

/** The advice stays as it is and goes once more. */
const forward: Step = { to: "forwarding", persist: "none", act: "queue" };

const stay = (to: StateName): Step => ({ to, persist: "none", act: "none" });

/** Answers that come late, or twice, to a transaction that is past them. */
const late = (to: StateName) => ({
	approve: stay(to),
	decline: stay(to),
	refuse: stay(to),
	amountDiffers: stay(to),
	badMac: stay(to),
	noAnswer: stay(to),
});

export const TABLE: { readonly [S in StateName]: { readonly [E in Event]?: Step } } = {
	waiting: {
		approve: { to: "approved", persist: "outcome", act: "deliver" },
		decline: { to: "declined", persist: "outcome", act: "tellDeclined" },
		refuse: reverse("06"),
		amountDiffers: reverse("06"),
		badMac: reverse("A0"),
		noAnswer: reverse("98"),
		unsent: { to: "abandoned", persist: "outcome", act: "tellNotSent" },
		boot: reverse("98", "tellInterrupted"),
	},
	approved: {
		...late("approved"),
		deliver: { to: "delivered", persist: "step", act: "none" },
		notDelivered: reverse("96"),
		boot: { to: "approved", persist: "none", act: "askDelivered" },
	},
	delivered: { ...late("delivered"), boot: stay("delivered") },
	declined: {
		...late("declined"),
		// The host contradicts itself: it may hold a debit that people were told does not exist.
		approve: reverse("06"),
		refuse: reverse("06"), // In part, that is.
		reverseAgain: again,
		boot: stay("declined"),
	},
	abandoned: { reverseAgain: again, boot: stay("abandoned") },
	reversing: {
		...late("reversing"), // I5: a late answer never undoes a reversal.
		reversalAccepted: { to: "unconfirmed", persist: "step", act: "watch" },
		reversalRefused: { to: "reversing", persist: "none", act: "queue" },
		boot: { to: "reversing", persist: "none", act: "tellInterrupted" },
	},
	unconfirmed: {
		...late("unconfirmed"),
		lateOriginalDue: { to: "unconfirmed", persist: "none", act: "queue" },
		reversalAccepted: { to: "reversed", persist: "step", act: "rest" },
		reversalRefused: { to: "unconfirmed", persist: "none", act: "queue" },
		reverseAgain: again,
		boot: { to: "unconfirmed", persist: "none", act: "watch" },
	},
	reversed: {
		...late("reversed"),
		// An original that lay in a network for longer than any should: the host has just debited it.
		approve: reverse("98"),
		refuse: reverse("98"),
		reverseAgain: again,
		boot: stay("reversed"),
	},
	// An advice tells what has happened at the till: it is repeated unchanged, and nothing reverses it (I3).
	forwarding: {
		approve: { to: "forwarded", persist: "outcome", act: "rest" },
		decline: { to: "forwardRefused", persist: "outcome", act: "rest" },
		refuse: { to: "forwardRefused", persist: "outcome", act: "rest" }, // In part: the rest is nobody's.
		amountDiffers: forward,
		badMac: forward,
		noAnswer: forward,
		unsent: forward,
		boot: forward,
	},
	forwarded: { ...late("forwarded"), boot: stay("forwarded") },
	forwardRefused: { ...late("forwardRefused"), boot: stay("forwardRefused") },
};

/**
 * True while the card may be debited without a trusted outcome, and must not be: it is reversed. An advice never is, so
 * that it is no doubt in this sense.
 */
export function isDoubt(state: number): boolean {
	return state === State.waiting || state === State.reversing;
}

/**
 * True when the card is charged and the merchant credited, as far as this terminal knows. An offline sale is from its
 * intent on, as the goods are gone, until the host refuses it; a refund and a resend charge nobody anew.
 */
export function isCharged(state: number, kind: number): boolean {
	const forwarded = state === State.forwarding || state === State.forwarded;
	return state === State.approved || state === State.delivered || (forwarded && kind === KIND_OFFLINE_SALE);
}

/** True when nothing more can come of it: its records may go when room is needed. */
export function isSpent(state: number): boolean {
	return state === State.declined || state === State.abandoned || state === State.reversed;
}

/** True for what a settlement carries into the next batch: the host may still debit it, or still has to be told. */
export function isCarried(state: number): boolean {
	return state === State.reversing || state === State.unconfirmed || state === State.forwarding;
}

/** True while a movement is under way at the host: no other begins for the same original, or goes before it (I5). */
export function isUnderWay(state: number): boolean {
	return state === State.waiting || isCarried(state);
}

/** True while a transaction stands in the way of a settlement: nobody knows yet what it will have been. */
export function holdsSettlement(state: number): boolean {
	return state === State.waiting || state === State.approved;
}

/**
 * True when nothing is under way for a transaction: the host's books about it are to be taken at their word. A reversal
 * that was accepted once is over in this sense, though it is sent once more.
 */
export function isAtRest(state: number): boolean {
	return state !== State.reversing && state !== State.forwarding && !holdsSettlement(state);
}

/**
 * True for what stands in its batch, under its own STAN: what totals and digest of the batch are made of. A resend has no
 * entry of its own: its original has.
 */
export function stands(state: number, kind: number): boolean {
	if (isAdvice(kind)) return state === State.forwarded && kind !== KIND_RESEND;
	return state === State.approved || state === State.delivered;
}
