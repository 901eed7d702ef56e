/**
 * What the transactions that are open may still write, so that a new one is begun only where all of it has room (I8). In
 * journal bytes at the coarsest alignment, with the record's overhead.
 * @module
 */
import { KIND_OFFLINE_SALE } from "./records";
import { isDoubt, State } from "./states";
import type { TransactionIndex } from "./transaction-index";

/**
 * All that one transaction may still write after its intent: an outcome
 * (64), 13 steps with the tries at powers of two (32 each), and once more at a settlement intent, outcome, step (192).
 */
const ROOM_BYTES = 672;
/** The same of a reversal that was accepted once: 11 steps, and the settlement. */
const UNCONFIRMED_ROOM_BYTES = 544;
/**
 * The same of an advice: an outcome (64), a step for its tries and one for its flags at a time, as each makes the one
 * before it dead (64), and at a settlement once more the advice, 96 or with chip data 352, and a step (32).
 */
const ADVICE_ROOM_BYTES = 256;
const OFFLINE_SALE_ROOM_BYTES = 512;
/**
 * What no transaction asks for: the marks of a settlement and of a batch that the host gives (64 each), and after each a
 * reservation of ids or STANs (32 each).
 */
const MARKS_ROOM_BYTES = 192;

/** Bytes for all that is open, and for one transaction more with its intent. O(n) */
export function roomBytes(index: TransactionIndex): number {
	const { states, count } = index;
	let bytes = 2 * ROOM_BYTES + MARKS_ROOM_BYTES;
	for (let slot = 0; slot < count; slot++) {
		if (isDoubt(states[slot])) bytes += ROOM_BYTES;
		else if (states[slot] === State.unconfirmed) bytes += UNCONFIRMED_ROOM_BYTES;
		else if (states[slot] === State.forwarding) {
			bytes += index.kind(slot) === KIND_OFFLINE_SALE ? OFFLINE_SALE_ROOM_BYTES : ADVICE_ROOM_BYTES;
		}
	}
	return bytes;
}
