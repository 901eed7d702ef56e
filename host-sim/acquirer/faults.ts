/**
 * The faults of the host, by rate, by schedule or by hand. A plan outlives a crash of the host: its owner hands the
 * same plan to the next one.
 *
 * Each request draws one number for every fault of the lists, whether switched on or not, so that raising one rate does
 * not move the others of the same seed. The lists draw from sources of their own, so that a new fault in one of them moves
 * nothing in the others.
 * @module
 */
import { assert } from "../../src/core/assert";
import { CodedError } from "../../src/core/errors";
import { type MovementKey, movementText } from "./movement";
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

/** Of the same requests: what a host, or the network before it, does wrong beside that. */
export const HOST_FAULT_NAMES = [
	/** Bytes of the answer are altered: it may not even decode. */
	"answerGarbled",
	/** The answer is held until the next one on its connection has gone, or for 5 s. */
	"answerReordered",
	/** A reversal is answered 00, and nothing is done and nothing recorded; at most once for a movement. */
	"reversalForgotten",
	/** The connection stays open and is never served again; neither end is told. */
	"hostHalfOpen",
	/** The host dies after its own record, before the merchant is credited or anything is answered. */
	"crashAfterRecord",
	/** A reversal is refused with 58: nothing is done and nothing recorded. */
	"reversalRefused",
] as const;

/** They strike nothing else. */
const OF_REVERSALS: readonly string[] = ["reversalForgotten", "reversalRefused"];

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

const ALL_FAULT_NAMES = [...FAULT_NAMES, ...SESSION_FAULT_NAMES, ...HOST_FAULT_NAMES, ...SIGN_ON_FAULT_NAMES] as const;

export type FaultName = (typeof ALL_FAULT_NAMES)[number];
type SignOnFaultName = (typeof SIGN_ON_FAULT_NAMES)[number];
type RequestFaultName = Exclude<FaultName, SignOnFaultName>;

/** What strikes one request. */
export type FaultSet = Readonly<Record<RequestFaultName, boolean>>;
/** What strikes one sign-on. */
export type SignOnFaultSet = Readonly<Record<SignOnFaultName, boolean>>;

/** For what nothing strikes. */
export const NO_FAULTS: FaultSet = noneOf([...FAULT_NAMES, ...SESSION_FAULT_NAMES, ...HOST_FAULT_NAMES]);
/** The same for sign-ons. */
export const NO_SIGN_ON_FAULTS: SignOnFaultSet = noneOf(SIGN_ON_FAULT_NAMES);

/** A rate is held to a millionth. */
const RATE_PARTS = 1_000_000;

/** The faults of one list, and where they draw from. */
class FaultList {
	readonly names: readonly FaultName[];
	/** Of a million; by the name's place in the list. */
	readonly parts: number[];
	/** Requests still to be struck, by hand. */
	readonly armed: number[];
	readonly #random: IntegerSource;

	constructor(names: readonly FaultName[], random: IntegerSource) {
		this.names = names;
		this.parts = names.map(() => 0);
		this.armed = names.map(() => 0);
		this.#random = random;
	}

	/** Always drawn, whatever the rate: one rate moves no other's draws. */
	drawn(place: number): boolean {
		return this.#random.below(RATE_PARTS) < this.parts[place];
	}
}

export class FaultPlan {
	/** All there are. */
	readonly names: readonly FaultName[] = ALL_FAULT_NAMES;
	readonly #onStrike: ((name: FaultName) => boolean) | undefined;
	/** In the order they strike. */
	readonly #ofRequests: readonly FaultList[];
	readonly #ofSignOns: readonly FaultList[];
	/** Request number → faults, by schedule. */
	readonly #schedule = new Map<number, FaultName[]>();
	/** Movements whose reversal has been answered and left no trace. */
	readonly #traceless = new Set<string>();
	#requests = 0;
	#signOns = 0;

	/**
	 * @param onStrike - asked once for each fault that would strike, in order; false holds it back, and moves no other
	 * @throws {CodedError} "unknown" fault, "range" of a rate
	 */
	constructor(
		random: IntegerSource,
		rates: Readonly<Partial<Record<FaultName, number>>> = {},
		onStrike?: (name: FaultName) => boolean,
	) {
		this.#onStrike = onStrike;
		this.#ofRequests = [
			new FaultList(FAULT_NAMES, random),
			new FaultList(SESSION_FAULT_NAMES, forkOf(random, "session faults")),
			new FaultList(HOST_FAULT_NAMES, forkOf(random, "host faults")),
		];
		this.#ofSignOns = [new FaultList(SIGN_ON_FAULT_NAMES, forkOf(random, "sign-on faults"))];
		for (const [name, rate] of Object.entries(rates)) this.setRate(checkFaultName(name), rate);
	}

	/** @param rate - 0 never to 1 always. @throws {CodedError} "range" */
	setRate(name: FaultName, rate: number): void {
		const list = this.#listOf(name);
		if (!(rate >= 0 && rate <= 1)) throw new CodedError("range", `fault ${name}`, "a rate is 0 to 1");
		list.parts[list.names.indexOf(name)] = Math.floor(rate * RATE_PARTS + 0.5);
	}

	/** By hand: strikes the next `requests` requests (of reversalForgotten and reversalRefused: reversals), or sign-ons. */
	arm(name: FaultName, requests = 1): void {
		const list = this.#listOf(name);
		list.armed[list.names.indexOf(name)] += requests;
	}

	/** By schedule: strikes the `request`-th from the plan's beginning, counted from 1; sign-ons have their own count. */
	at(request: number, name: FaultName): void {
		const names = this.#schedule.get(request) ?? [];
		names.push(checkFaultName(name));
		this.#schedule.set(request, names);
	}

	/** No rate, nothing armed, nothing scheduled: the host is healed from now on. */
	clear(): void {
		for (const { parts, armed } of [...this.#ofRequests, ...this.#ofSignOns]) {
			parts.fill(0);
			armed.fill(0);
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

	/**
	 * What strikes the next request. Called once for each request that can move money.
	 * @param reversal - only a reversal can be forgotten
	 */
	next(reversal = false): FaultSet {
		return this.#draw(this.#ofRequests, ++this.#requests, NO_FAULTS, reversal);
	}

	/** What strikes the next sign-on. Called once for each. */
	nextSignOn(): SignOnFaultSet {
		return this.#draw(this.#ofSignOns, ++this.#signOns, NO_SIGN_ON_FAULTS, false);
	}

	/**
	 * A reversal of this movement is about to be answered without a trace in any ledger. What a host has answered so once
	 * it must carry out the next time: a terminal whose reversal was accepted sends it once more, and then no more.
	 * @returns false when that has happened before
	 */
	leaveNoTrace(key: MovementKey): boolean {
		const text = movementText(key);
		if (this.#traceless.has(text)) return false;
		this.#traceless.add(text);
		return true;
	}

	/** @returns `none` itself, which nobody changes, when nothing strikes: most requests make no garbage here */
	#draw<S extends Readonly<Partial<Record<FaultName, boolean>>>>(
		lists: readonly FaultList[],
		number: number,
		none: S,
		reversal: boolean,
	): S {
		const scheduled = this.#schedule.size === 0 ? undefined : this.#schedule.get(number);
		let struck: Partial<Record<FaultName, boolean>> | undefined;
		for (const list of lists) {
			const { names, armed } = list;
			for (let place = 0; place < names.length; place++) {
				const name = names[place];
				const drawn = list.drawn(place);
				if (!reversal && OF_REVERSALS.includes(name)) continue;
				const byHand = armed[place] > 0;
				if (byHand) armed[place]--;
				if (!drawn && !byHand && scheduled?.includes(name) !== true) continue;
				if (this.#onStrike?.(name) === false) continue;
				struck ??= { ...none };
				struck[name] = true;
			}
		}
		return (struck as S | undefined) ?? none;
	}

	/** @throws {CodedError} "unknown" */
	#listOf(name: string): FaultList {
		const known = checkFaultName(name);
		const list = [...this.#ofRequests, ...this.#ofSignOns].find(({ names }) => names.includes(known));
		assert(list !== undefined, "each fault is in a list");
		return list;
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

/** Frozen: it is handed out again and again. */
function noneOf<T extends FaultName>(names: readonly T[]): Readonly<Record<T, boolean>> {
	const none = {} as Record<T, boolean>;
	for (const name of names) none[name] = false;
	return Object.freeze(none);
}
