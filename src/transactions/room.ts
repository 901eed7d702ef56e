/**
 * What the transactions that are open may still write, so that a new one is begun only where all of it has room (I8). In
 * journal bytes at the coarsest alignment, with the record's overhead.
 * @module
 */
import { isAdvice, KIND_OFFLINE_SALE } from "./records";
import { isDoubt, isSpent, State } from "./states";
import type { TransactionIndex } from "./transaction-index";

/**
 * All that one transaction may still write after its intent: an outcome
 * (64), 13 steps with the tries at powers of two (32 each), and once more at a settlement intent, outcome, step (192).
 */
const ROOM_BYTES = 672;
/** What a sale usually takes that has nothing open any more: intent, outcome, step. */
export const SALE_BYTES = 192;
/** The same of a reversal that was accepted once: 11 steps, and the settlement. */
const UNCONFIRMED_ROOM_BYTES = 544;
/**
 * The same of an advice: an outcome (64), a step for its tries and one for its flags at a time, as each makes the one
 * before it dead (64), and at a settlement once more the advice, 96 or with chip data 352, and a step (32).
 */
const ADVICE_ROOM_BYTES = 256;
const OFFLINE_SALE_ROOM_BYTES = 512;
/**
 * What no transaction asks for: the marks of a settlement and of a batch that the host gives (96 each), after each a
 * reservation of ids or STANs (32 each); and the record that closes a batch, with a reservation of its own (32 each).
 */
const MARKS_ROOM_BYTES = 320;
/**
 * What is over and was begun after the batch that closes is carried over its settlement: intent, outcome and step of a
 * sale; an advice and its outcome; an advice that is still to be answered has asked for all but the outcome once more.
 */
const CARRIED_SALE_BYTES = 192;
const CARRIED_ADVICE_BYTES = 160;
const CARRIED_OFFLINE_SALE_BYTES = 416;
const CARRIED_OUTCOME_BYTES = 64;

/**
 * Bytes for all that is open, and for one transaction more with its intent. O(n)
 * @param closedId - the id used last in a batch that closes; absent while none does
 */
export function roomBytes(index: TransactionIndex, closedId = Number.POSITIVE_INFINITY): number {
	const { ids, states, count } = index;
	let bytes = 2 * ROOM_BYTES + MARKS_ROOM_BYTES;
	for (let slot = 0; slot < count; slot++) {
		const state = states[slot];
		if (isDoubt(state)) bytes += ROOM_BYTES;
		else if (state === State.unconfirmed) bytes += UNCONFIRMED_ROOM_BYTES;
		else if (state === State.forwarding) {
			bytes += index.kind(slot) === KIND_OFFLINE_SALE ? OFFLINE_SALE_ROOM_BYTES : ADVICE_ROOM_BYTES;
		}
		if (ids[slot] > closedId) bytes += carriedBytes(index, slot);
	}
	return bytes;
}

/**
 * What is live of the transactions, at the coarsest alignment: intent, outcome and step of all that is not spent. O(n)
 */
export function liveBytes(index: TransactionIndex): number {
	const { states, count } = index;
	let bytes = 0;
	for (let slot = 0; slot < count; slot++) {
		if (isSpent(states[slot])) continue;
		const kind = index.kind(slot);
		if (!isAdvice(kind)) bytes += SALE_BYTES;
		else bytes += kind === KIND_OFFLINE_SALE ? CARRIED_OFFLINE_SALE_BYTES : CARRIED_ADVICE_BYTES;
	}
	return bytes;
}

/** What the settlement of the batch before carries of a transaction, beyond what that has asked for by itself. */
function carriedBytes(index: TransactionIndex, slot: number): number {
	const state = index.states[slot];
	const offline = index.kind(slot) === KIND_OFFLINE_SALE;
	switch (state) {
		case State.forwarding:
			return CARRIED_OUTCOME_BYTES;
		case State.forwarded:
		case State.forwardRefused:
			return offline ? CARRIED_OFFLINE_SALE_BYTES : CARRIED_ADVICE_BYTES;
		case State.approved:
		case State.delivered:
			return CARRIED_SALE_BYTES;
		default:
			// Of the spent ones the newest alone is carried.
			return isSpent(state) && index.ids[slot] === index.newestId ? CARRIED_SALE_BYTES : 0;
	}
}
