/**
 * The faults of the host, by rate, by schedule or by hand. A plan outlives a crash of the host: its owner hands the
 * same plan to the next one.
 *
 * Each request draws one number for every fault that can strike it, whether switched on or not, so that raising one
 * rate does not move the others of the same seed. The three lists draw from sources of their own, so that a new fault in
 * one of them moves nothing in the others.
 * @module
 */
import { CodedError } from "../../src/core/errors";
import { forkOf, type IntegerSource } from "./random";

/** Of requests that can move money, in the order they strike. */
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

/** Of the same requests: what a session, or somebody in the middle, does wrong. */
export const SESSION_FAULT_NAMES = [
	/** The host has lost the terminal's working keys: it answers 97 without a MAC. */
	"keysForgotten",
	/** The host has changed the terminal's keys without telling: A0, under keys the terminal does not have. */
	"keysChanged",
	/** An earlier answer of the connection comes before the right one, or in its place. */
	"replayedAnswer",
	/** An answer for another terminal, or another trace number, comes before the right one. */
	"strangerAnswer",
	/** The answer comes a byte a second. */
	"slowAnswer",
] as const;

/** Of sign-ons. */
export const SIGN_ON_FAULT_NAMES = [
	/** The sign-on never arrives. */
	"signOnLost",
	/** Keys are given out, and the answer is lost. */
	"signOnAnswerLost",
	/** Refused with 96. */
	"signOnRefused",
	/** A check value that does not fit its key. */
	"wrongCheckValue",
	/** The answer names no batch. */
	"wrongBatch",
] as const;

const ALL_FAULT_NAMES = [...FAULT_NAMES, ...SESSION_FAULT_NAMES, ...SIGN_ON_FAULT_NAMES] as const;

export type FaultName = (typeof ALL_FAULT_NAMES)[number];
type SignOnFaultName = (typeof SIGN_ON_FAULT_NAMES)[number];

/** What strikes one request. */
export type FaultSet = Readonly<Record<Exclude<FaultName, SignOnFaultName>, boolean>>;
/** What strikes one sign-on. */
export type SignOnFaultSet = Readonly<Record<SignOnFaultName, boolean>>;

/** A rate is held to a millionth. */
const RATE_PARTS = 1_000_000;

export class FaultPlan {
	readonly #random: IntegerSource;
	readonly #sessionRandom: IntegerSource;
	readonly #signOnRandom: IntegerSource;
	readonly #partsByName: Record<FaultName, number>;
	/** Requests still to be struck, by hand. */
	readonly #armed: Record<FaultName, number>;
	/** Request number → faults, by schedule. */
	readonly #schedule = new Map<number, FaultName[]>();
	#requests = 0;
	#signOns = 0;

	/** @throws {CodedError} "unknown" fault, "range" of a rate */
	constructor(random: IntegerSource, rates: Readonly<Partial<Record<FaultName, number>>> = {}) {
		this.#random = random;
		this.#sessionRandom = forkOf(random, "session faults");
		this.#signOnRandom = forkOf(random, "sign-on faults");
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

	/** By hand: strikes the next `requests` requests, or sign-ons. */
	arm(name: FaultName, requests = 1): void {
		this.#armed[checkFaultName(name)] += requests;
	}

	/** By schedule: strikes the `request`-th from the plan's beginning, counted from 1; sign-ons have their own count. */
	at(request: number, name: FaultName): void {
		const names = this.#schedule.get(request) ?? [];
		names.push(checkFaultName(name));
		this.#schedule.set(request, names);
	}

	/** No rate, nothing armed, nothing scheduled: the host is healed from now on. */
	clear(): void {
		for (const name of ALL_FAULT_NAMES) {
			this.#partsByName[name] = 0;
			this.#armed[name] = 0;
		}
		this.#schedule.clear();
	}

	/** Requests decided on so far. */
	get requests(): number {
		return this.#requests;
	}

	/** Sign-ons decided on so far. */
	get signOns(): number {
		return this.#signOns;
	}

	/** What strikes the next request. Called once for each request that can move money. */
	next(): FaultSet {
		this.#requests++;
		const common = this.#draw(FAULT_NAMES, this.#random, this.#requests);
		return { ...common, ...this.#draw(SESSION_FAULT_NAMES, this.#sessionRandom, this.#requests) };
	}

	/** What strikes the next sign-on. Called once for each. */
	nextSignOn(): SignOnFaultSet {
		this.#signOns++;
		return this.#draw(SIGN_ON_FAULT_NAMES, this.#signOnRandom, this.#signOns);
	}

	#draw<T extends FaultName>(names: readonly T[], random: IntegerSource, number: number): Record<T, boolean> {
		const scheduled = this.#schedule.get(number) ?? [];
		const struck = {} as Record<T, boolean>;
		for (const name of names) {
			const drawn = random.below(RATE_PARTS) < this.#partsByName[name];
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
	const known = ALL_FAULT_NAMES.find((candidate) => candidate === name);
	if (known !== undefined) return known;
	throw new CodedError("unknown", "fault", `"${name}" is none of ${ALL_FAULT_NAMES.join(" ")}`);
}

function noneByName(): Record<FaultName, number> {
	const parts = {} as Record<FaultName, number>;
	for (const name of ALL_FAULT_NAMES) parts[name] = 0;
	return parts;
}
