/**
 * Deliberate bugs, each such as a tired engineer writes, in their places as data: `npm run mutants` runs the campaign over
 * each, and the tests over those that it does not catch. A text that no longer stands once in its file is an error, so
 * that the list keeps up with the code.
 */
import type { Mutant } from "./mutate";
import { JOURNAL_MUTANTS } from "./of-journal";
import { KEY_MUTANTS } from "./of-keys";
import { LINE_MUTANTS } from "./of-line";
import { LOG_MUTANTS } from "./of-log";
import { QUEUE_MUTANTS } from "./of-queue";
import { SALE_MUTANTS } from "./of-sale";
import { SETTLEMENT_MUTANTS } from "./of-settlement";
import { STATE_MUTANTS } from "./of-states";

export const MUTANTS: readonly Mutant[] = [
	...SALE_MUTANTS,
	...STATE_MUTANTS,
	...QUEUE_MUTANTS,
	...LOG_MUTANTS,
	...LINE_MUTANTS,
	...KEY_MUTANTS,
	...JOURNAL_MUTANTS,
	...SETTLEMENT_MUTANTS,
];
