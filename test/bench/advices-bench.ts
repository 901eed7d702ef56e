/**
 * Advices that waited for the line, drained over a round trip, on virtual time: a whole terminal, the host with its
 * ledgers, simulated flash. Some belong to one original, so that there is an order to keep.
 *
 * The time runs from the line being there to the last advice being answered: connecting and signing on are in it, the
 * wait for the next try before it is not (a person who mends a line asks for a sign-on).
 */
import { findTestCard } from "../../host-sim/test-cards";
import { type AdviceFacts, KIND_OFFLINE_SALE, KIND_REFUND } from "../../src/transactions/records";
import { Rig } from "../host-sim/world/rig";
import { decodeFrame } from "../transactions/flash-witness";

export const ADVICES_MAX = 1_000;
/** Every so many advices one is a refund of the sale before the queue, for the order of one original. */
const REFUND_EVERY = 50;
const SALE_MINOR = 1_000_000;
const AMOUNT_MINOR = 100;
/** Longer than the longest back-off of the terminal: then something is wrong. */
const DRAIN_MS_MAX = 3_600_000;
const BLOCKS = 512;

export interface AdvicesSetup {
	readonly count: number;
	readonly roundTripMs: number;
}

export interface AdvicesFigures {
	readonly setup: AdvicesSetup;
	/** Virtual time from the line being there to the last answer. */
	readonly drainS: number;
	/** The same from the first advice on the line. */
	readonly sendS: number;
	readonly inFlightMax: number;
	/** Messages on the line; more than there are advices when some were repeated. */
	readonly sent: number;
	/** Advices that went before one that is older. */
	readonly outOfOrder: number;
	/** Of those, for the same original. */
	readonly outOfOrderOfOne: number;
	/** Bytes programmed for each: to take it, and to send it and note its answer. */
	readonly flashBytesToTake: number;
	readonly flashBytesToSend: number;
	/** As the host's ledgers have it. */
	readonly accepted: number;
	readonly conserved: boolean;
}

/** @throws {Error} when the terminal does not take the advices, or they do not drain */
export function benchAdvices(setup: AdvicesSetup): AdvicesFigures {
	const { count, roundTripMs } = setup;
	/** STAN → original's STAN, 0 for none. */
	const originals = new Map<number, number>();
	const sent: number[] = [];
	let [inFlight, inFlightMax] = [0, 0];
	const rig = new Rig({
		blocks: BLOCKS,
		latencyMs: roundTripMs / 2,
		beforeWrite: (bytes) => {
			const message = decodeFrame(bytes);
			if (message.mti !== "0220") return;
			const stan = message.number(11);
			sent.push(stan);
			originals.set(stan, message.has(61) ? message.numberAt(61, 6, 6) : 0);
			inFlight++;
			inFlightMax = Math.max(inFlightMax, inFlight);
		},
		onArrival: (bytes) => {
			if (decodeFrame(bytes).mti === "0230") inFlight--;
		},
	});
	const sale = rig.sell(SALE_MINOR);
	if (!sale.screens.includes("approved")) throw new Error("the sale before the advices was not approved");
	rig.time.advance(60_000);
	rig.setLink(false);
	const before = rig.shop.bytesProgrammed;
	for (let n = 0; n < count; n++) take(rig, n, sale.stan);
	const taken = rig.shop.bytesProgrammed;
	rig.time.advance(600_000); // Tries while there is no line.
	sent.length = 0;
	inFlight = 0;
	const idle = rig.shop.bytesProgrammed;
	rig.setLink(true);
	rig.shop.terminal.signOn();
	const beganMs = rig.time.nowMs;
	if (!rig.runUntil(() => sent.length > 0, DRAIN_MS_MAX)) throw new Error("no advice was sent");
	const firstMs = rig.time.nowMs;
	const waiting = () => rig.shop.terminal.summary().advices;
	if (!rig.runUntil(() => waiting() === 0, DRAIN_MS_MAX)) throw new Error(`${waiting()} advices are left`);
	const endMs = rig.time.nowMs;
	const programmed = rig.shop.bytesProgrammed;
	rig.settle();
	const entries = rig.entries();
	return {
		setup,
		drainS: (endMs - beganMs) / 1_000,
		sendS: (endMs - firstMs) / 1_000,
		inFlightMax,
		sent: sent.length,
		outOfOrder: descents(sent),
		outOfOrderOfOne: descents(sent.filter((stan) => originals.get(stan) === sale.stan)),
		flashBytesToTake: (taken - before) / count,
		flashBytesToSend: (programmed - idle) / count,
		accepted: entries.filter(({ code, stan }) => code === "00" && stan !== sale.stan).length,
		conserved: entries.every((entry) => entry.cardNetMinor === entry.merchantNetMinor),
	};
}

/** How often one goes that is older than the one before it. */
function descents(stans: readonly number[]): number {
	return stans.filter((stan, n) => n > 0 && stan < stans[n - 1]).length;
}

function originalOf(rig: Rig, stan: number): AdviceFacts {
	const { log } = rig.shop.terminal;
	const id = log.index.ids[log.index.findStan(stan)];
	const outcome = log.outcome(id);
	if (outcome === undefined) throw new Error("the sale before the advices has no outcome");
	const { rrn, authorization } = outcome;
	return { originalBatch: log.batch, originalStan: stan, originalDate: "1122", rrn, authorization };
}

function take(rig: Rig, n: number, saleStan: number): void {
	const card = findTestCard("contactless");
	if (card === undefined) throw new Error("no test card");
	const { pan, expiry, sequence } = card;
	const refund = n % REFUND_EVERY === REFUND_EVERY - 1;
	const advice = {
		kind: refund ? KIND_REFUND : KIND_OFFLINE_SALE,
		amountMinor: AMOUNT_MINOR + (n % 100),
		timeS: Math.floor(rig.time.nowMs / 1_000),
		entryMode: "072",
		condition: "00",
		field60Rest: "00060",
		...(refund ? { original: originalOf(rig, saleStan) } : {}),
	};
	const id = rig.shop.terminal.forward(advice, { pan, expiry, sequence });
	if (typeof id !== "number") throw new Error(`advice ${n + 1} was not taken: ${id}`);
}
