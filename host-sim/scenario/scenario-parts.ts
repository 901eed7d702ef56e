/**
 * What several scenarios have in common: the sales around, and what a host without sync messages leaves of a difference.
 * @module
 */
import { type Act, type Expectation, type ExpectedCase, THE_BATCH } from "./scenario";

/** A sale before and one behind, as a shop has them. */
export const BEFORE: Act = { at: "10:00", do: "sale", as: "before", amountMinor: 2_000 };
export const AFTER: Act = { at: "10:04", do: "sale", as: "after", amountMinor: 1_500, card: "chip" };
export const MINUTE_MS = 60_000;
/** From a sale to its posting, where that takes a while. */
export const POSTED_AFTER_MS = MINUTE_MS;

/** Nothing is seen, nothing is wrong. */
export const NOTHING: Expectation = { cases: [], settled: ["balanced"] };

/** A host without sync tells nothing of postings. */
export const statement = (of: string): Expectation => ({
	cases: [],
	settled: ["balanced"],
	outOfPlace: [{ of, shownBy: "statement" }],
});

/** Totals that differ at a host that cannot show its books: it has the list, and a person has to compare. */
export const BATCH_CASE: ExpectedCase = {
	of: THE_BATCH,
	rows: ["unbalanced"],
	cause: "notKnown",
	remedies: ["support"],
	state: "support",
};

export const unbalanced = (of: string): Expectation => ({
	cases: [BATCH_CASE],
	settled: ["unbalanced"],
	outOfPlace: [{ of, shownBy: "settlement" }],
});
