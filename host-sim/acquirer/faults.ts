/**
 * The faults of the host, by rate, by schedule or by hand. A plan outlives a crash of the host: its owner hands the
 * same plan to the next one.
 *
 * Each request draws one number for every fault, whether switched on or not, so that raising one rate does not move
 * the others of the same seed.
 * @module
 */
import { CodedError } from "../../src/core/errors";
import type { IntegerSource } from "./random";

/** In the order they strike. */
export const FAULT_NAMES = [
	/** The request never arrives: nothing happens, no answer. */
	"requestLost",
	/** The request lies in the network longer than the terminal waits, then arrives: perhaps after its reversal. */
	"requestLate",
	/** The connection is cut, before or after the request is carried out. */
	"connectionCut",
	/** The host dies between the debit and its own record, or between a reversal's record and the credit. */
	"crash",
	/** Carried out, never answered. */
	"answerLost",
	/** The answer comes after the terminal has given up. */
	"answerLate",
	/** The answer comes twice. */
	"answerDoubled",
	/** The answer comes in pieces of a few bytes. */
	"answerSplit",
	/** A right MAC over another amount in DE 4. */
	"wrongAmount",
	/** A MAC that does not fit. */
	"badMac",
] as const;

export type FaultName = (typeof FAULT_NAMES)[number];

/** What strikes one request. */
export type FaultSet = Readonly<Record<FaultName, boolean>>;

/** A rate is held to a millionth. */
const RATE_PARTS = 1_000_000;

export class FaultPlan {
	readonly #random: IntegerSource;
	readonly #partsByName: Record<FaultName, number>;
	/** Requests still to be struck, by hand. */
	readonly #armed: Record<FaultName, number>;
	/** Request number → faults, by schedule. */
	readonly #schedule = new Map<number, FaultName[]>();
	#requests = 0;

	/** @throws {CodedError} "unknown" fault, "range" of a rate */
	constructor(random: IntegerSource, rates: Readonly<Partial<Record<FaultName, number>>> = {}) {
		this.#random = random;
		this.#partsByName = noneByName();
		this.#armed = noneByName();
		for (const [name, rate] of Object.entries(rates)) this.setRate(checkFaultName(name), rate);
	}

	/** @param rate - 0 never to 1 always. @throws {CodedError} "range" */
	setRate(name: FaultName, rate: number): void {
		checkFaultName(name);
		if (!(rate >= 0 && rate <= 1)) throw new CodedError("range", `fault ${name}`, "a rate is 0 to 1");
		this.#partsByName[name] = Math.floor(rate * RATE_PARTS + 0.5);
	}

	/** By hand: strikes the next `requests` requests. */
	arm(name: FaultName, requests = 1): void {
		this.#armed[checkFaultName(name)] += requests;
	}

	/** By schedule: strikes the `request`-th from the plan's beginning, counted from 1. */
	at(request: number, name: FaultName): void {
		const names = this.#schedule.get(request) ?? [];
		names.push(checkFaultName(name));
		this.#schedule.set(request, names);
	}

	/** No rate, nothing armed, nothing scheduled: the host is healed from now on. */
	clear(): void {
		for (const name of FAULT_NAMES) {
			this.#partsByName[name] = 0;
			this.#armed[name] = 0;
		}
		this.#schedule.clear();
	}

	/** Requests decided on so far. */
	get requests(): number {
		return this.#requests;
	}

	/** What strikes the next request. Called once for each request that can move money. */
	next(): FaultSet {
		this.#requests++;
		const scheduled = this.#schedule.get(this.#requests) ?? [];
		this.#schedule.delete(this.#requests);
		const struck = {} as Record<FaultName, boolean>;
		for (const name of FAULT_NAMES) {
			const drawn = this.#random.below(RATE_PARTS) < this.#partsByName[name];
			const byHand = this.#armed[name] > 0;
			if (byHand) this.#armed[name]--;
			struck[name] = drawn || byHand || scheduled.includes(name);
		}
		return struck;
	}
}

/**
 * Reads `NAME=RATE` as the command line has it.
 * @throws {CodedError} "format", "unknown" fault (the names are listed), "range" of the rate
 */
export function parseFault(text: string): { name: FaultName; rate: number } {
	const match = /^([A-Za-z]+)=(\d{1,3}(?:\.\d{1,9})?|\.\d{1,9})$/.exec(text);
	if (match === null) throw new CodedError("format", "fault", `NAME=RATE with a rate from 0 to 1, not "${text}"`);
	const name = checkFaultName(match[1]);
	const rate = Number(match[2]);
	if (rate > 1) throw new CodedError("range", `fault ${name}`, "a rate is 0 to 1");
	return { name, rate };
}

function checkFaultName(name: string): FaultName {
	const known = FAULT_NAMES.find((candidate) => candidate === name);
	if (known === undefined) throw new CodedError("unknown", "fault", `"${name}" is none of ${FAULT_NAMES.join(" ")}`);
	return known;
}

function noneByName(): Record<FaultName, number> {
	const parts = {} as Record<FaultName, number>;
	for (const name of FAULT_NAMES) parts[name] = 0;
	return parts;
}
