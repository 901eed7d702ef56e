/**
 * The faults of the host, by rate, by schedule or by hand. A plan outlives a crash of the host: its owner hands the
 * same plan to the next one. Their names are in fault-names.ts.
 *
 * There are several kinds of occasion: a request that can move money, a sign-on, a new sale, a settlement, a sync message,
 * … Each occasion draws one number for every fault of its lists, whether switched on or not, so that raising one rate
 * does not move the others of the same seed. The lists draw from sources of their own, so that a new fault in one of them
 * moves nothing in the others.
 * @module
 */
import { assert } from "../../src/core/assert";
import { CodedError } from "../../src/core/errors";
import {
	ALL_FAULT_NAMES,
	BOOKING_FAULT_NAMES,
	DESK_FAULT_NAMES,
	DIGEST_FAULT_NAMES,
	FAR_RESEND_FAULT_NAMES,
	FAR_SIDE_FAULT_NAMES,
	FAULT_NAMES,
	type FaultName,
	HOST_FAULT_NAMES,
	LIST_FAULT_NAMES,
	OF_REVERSALS,
	PAGE_FAULT_NAMES,
	POSTING_FAULT_NAMES,
	REQUEST_FAULT_NAMES,
	SALE_FAULT_NAMES,
	SESSION_FAULT_NAMES,
	SETTLEMENT_ANSWER_FAULT_NAMES,
	SETTLEMENT_FAULT_NAMES,
	SIGN_ON_FAULT_NAMES,
	SYNC_ANSWER_FAULT_NAMES,
	SYNC_FAULT_NAMES,
	TOTALS_FAULT_NAMES,
} from "./fault-names";
import { type MovementKey, movementText } from "./movement";
import { forkOf, type IntegerSource } from "./random";

export {
	BOOKING_FAULT_NAMES,
	DESK_FAULT_NAMES,
	DIGEST_FAULT_NAMES,
	FAR_RESEND_FAULT_NAMES,
	FAR_SIDE_FAULT_NAMES,
	FAULT_NAMES,
	type FaultName,
	HOST_FAULT_NAMES,
	LIST_FAULT_NAMES,
	PAGE_FAULT_NAMES,
	POSTING_FAULT_NAMES,
	REQUEST_FAULT_NAMES,
	SALE_FAULT_NAMES,
	SESSION_FAULT_NAMES,
	SETTLEMENT_ANSWER_FAULT_NAMES,
	SETTLEMENT_FAULT_NAMES,
	SIGN_ON_FAULT_NAMES,
	SYNC_ANSWER_FAULT_NAMES,
	SYNC_FAULT_NAMES,
	TOTALS_FAULT_NAMES,
} from "./fault-names";

type SetOf<Names extends readonly FaultName[]> = Readonly<Record<Names[number], boolean>>;

/** What strikes one request that can move money. */
export type FaultSet = SetOf<typeof FAULT_NAMES> & SetOf<typeof SESSION_FAULT_NAMES> & SetOf<typeof HOST_FAULT_NAMES>;
/** What strikes one sign-on. */
export type SignOnFaultSet = SetOf<typeof SIGN_ON_FAULT_NAMES>;
/** What befalls one new sale in the books. */
export type SaleFaultSet = SetOf<typeof SALE_FAULT_NAMES> &
	SetOf<typeof POSTING_FAULT_NAMES> &
	SetOf<typeof BOOKING_FAULT_NAMES>;
/** What strikes one 0500 or 0320. */
export type SettlementFaultSet = SetOf<typeof SETTLEMENT_FAULT_NAMES> & SetOf<typeof SETTLEMENT_ANSWER_FAULT_NAMES>;
/** What strikes one settlement of a batch that was not settled before. */
export type TotalsFaultSet = SetOf<typeof TOTALS_FAULT_NAMES>;
/** What strikes one sync message. */
export type SyncFaultSet = SetOf<typeof SYNC_FAULT_NAMES> & SetOf<typeof SYNC_ANSWER_FAULT_NAMES>;
/** What strikes one digest. */
export type DigestFaultSet = SetOf<typeof DIGEST_FAULT_NAMES>;
/** What strikes one page of a list. */
export type PageFaultSet = SetOf<typeof PAGE_FAULT_NAMES> & SetOf<typeof LIST_FAULT_NAMES>;
/** What strikes one message with a request for the desk. */
export type RequestFaultSet = SetOf<typeof REQUEST_FAULT_NAMES>;
/** How the desk treats one new request. */
export type DeskFaultSet = SetOf<typeof DESK_FAULT_NAMES>;
/** What a far side does with one repayment or top-up. */
export type FarSideFaultSet = SetOf<typeof FAR_SIDE_FAULT_NAMES>;
/** What it does with one that is sent again. */
export type FarResendFaultSet = SetOf<typeof FAR_RESEND_FAULT_NAMES>;

/** For what nothing strikes. */
export const NO_FAULTS: FaultSet = noneOf([...FAULT_NAMES, ...SESSION_FAULT_NAMES, ...HOST_FAULT_NAMES]);
/** The same for sign-ons. */
export const NO_SIGN_ON_FAULTS: SignOnFaultSet = noneOf(SIGN_ON_FAULT_NAMES);
/** The same for new sales. */
export const NO_SALE_FAULTS: SaleFaultSet = noneOf([
	...SALE_FAULT_NAMES,
	...POSTING_FAULT_NAMES,
	...BOOKING_FAULT_NAMES,
]);
const NO_SETTLEMENT_FAULTS: SettlementFaultSet = noneOf([...SETTLEMENT_FAULT_NAMES, ...SETTLEMENT_ANSWER_FAULT_NAMES]);
const NO_TOTALS_FAULTS: TotalsFaultSet = noneOf(TOTALS_FAULT_NAMES);
const NO_SYNC_FAULTS: SyncFaultSet = noneOf([...SYNC_FAULT_NAMES, ...SYNC_ANSWER_FAULT_NAMES]);
const NO_DIGEST_FAULTS: DigestFaultSet = noneOf(DIGEST_FAULT_NAMES);
const NO_PAGE_FAULTS: PageFaultSet = noneOf([...PAGE_FAULT_NAMES, ...LIST_FAULT_NAMES]);
const NO_REQUEST_FAULTS: RequestFaultSet = noneOf(REQUEST_FAULT_NAMES);
const NO_DESK_FAULTS: DeskFaultSet = noneOf(DESK_FAULT_NAMES);
const NO_FAR_SIDE_FAULTS: FarSideFaultSet = noneOf(FAR_SIDE_FAULT_NAMES);
const NO_FAR_RESEND_FAULTS: FarResendFaultSet = noneOf(FAR_RESEND_FAULT_NAMES);

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

/** One kind of occasion: its lists, in the order they strike, and how often it came. */
class Occasion<S extends Readonly<Partial<Record<FaultName, boolean>>>> {
	readonly lists: readonly FaultList[];
	/** Handed out when nothing strikes. */
	readonly none: S;
	count = 0;

	constructor(none: S, ...lists: FaultList[]) {
		this.none = none;
		this.lists = lists;
	}
}

export class FaultPlan {
	/** All there are. */
	readonly names: readonly FaultName[] = ALL_FAULT_NAMES;
	readonly #onStrike: ((name: FaultName) => boolean) | undefined;
	readonly #ofRequests: Occasion<FaultSet>;
	readonly #ofSignOns: Occasion<SignOnFaultSet>;
	readonly #ofSales: Occasion<SaleFaultSet>;
	readonly #ofSettlements: Occasion<SettlementFaultSet>;
	readonly #ofTotals: Occasion<TotalsFaultSet>;
	readonly #ofSyncs: Occasion<SyncFaultSet>;
	readonly #ofDigests: Occasion<DigestFaultSet>;
	readonly #ofPages: Occasion<PageFaultSet>;
	readonly #ofDeskMessages: Occasion<RequestFaultSet>;
	readonly #ofDesk: Occasion<DeskFaultSet>;
	readonly #ofFarSides: Occasion<FarSideFaultSet>;
	readonly #ofFarResends: Occasion<FarResendFaultSet>;
	/** Of all occasions. */
	readonly #lists: readonly FaultList[];
	/** Number of the occasion → faults, by schedule. */
	readonly #schedule = new Map<number, FaultName[]>();
	/** Movements of which a reversal has been answered and left no trace: how many. */
	readonly #traceless = new Map<string, number>();
	/**
	 * Of one movement at most. A terminal whose reversal was accepted sends it once more: beyond one, only what compares the
	 * books finds the debit.
	 */
	tracelessMax = 1;

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
		const listOf = (names: readonly FaultName[], label: string): FaultList =>
			new FaultList(names, forkOf(random, label));
		this.#ofRequests = new Occasion(
			NO_FAULTS,
			new FaultList(FAULT_NAMES, random),
			listOf(SESSION_FAULT_NAMES, "session faults"),
			listOf(HOST_FAULT_NAMES, "host faults"),
		);
		this.#ofSignOns = new Occasion(NO_SIGN_ON_FAULTS, listOf(SIGN_ON_FAULT_NAMES, "sign-on faults"));
		this.#ofSales = new Occasion(
			NO_SALE_FAULTS,
			listOf(SALE_FAULT_NAMES, "sale faults"),
			listOf(POSTING_FAULT_NAMES, "posting faults"),
			listOf(BOOKING_FAULT_NAMES, "booking faults"),
		);
		this.#ofSettlements = new Occasion(
			NO_SETTLEMENT_FAULTS,
			listOf(SETTLEMENT_FAULT_NAMES, "settlement faults"),
			listOf(SETTLEMENT_ANSWER_FAULT_NAMES, "settlement answer faults"),
		);
		this.#ofTotals = new Occasion(NO_TOTALS_FAULTS, listOf(TOTALS_FAULT_NAMES, "totals faults"));
		this.#ofSyncs = new Occasion(
			NO_SYNC_FAULTS,
			listOf(SYNC_FAULT_NAMES, "sync faults"),
			listOf(SYNC_ANSWER_FAULT_NAMES, "sync answer faults"),
		);
		this.#ofDigests = new Occasion(NO_DIGEST_FAULTS, listOf(DIGEST_FAULT_NAMES, "digest faults"));
		this.#ofPages = new Occasion(
			NO_PAGE_FAULTS,
			listOf(PAGE_FAULT_NAMES, "page faults"),
			listOf(LIST_FAULT_NAMES, "list faults"),
		);
		this.#ofDeskMessages = new Occasion(NO_REQUEST_FAULTS, listOf(REQUEST_FAULT_NAMES, "request faults"));
		this.#ofDesk = new Occasion(NO_DESK_FAULTS, listOf(DESK_FAULT_NAMES, "desk faults"));
		this.#ofFarSides = new Occasion(NO_FAR_SIDE_FAULTS, listOf(FAR_SIDE_FAULT_NAMES, "far side faults"));
		this.#ofFarResends = new Occasion(NO_FAR_RESEND_FAULTS, listOf(FAR_RESEND_FAULT_NAMES, "far resend faults"));
		const occasions: { readonly lists: readonly FaultList[] }[] = [this.#ofRequests, this.#ofSignOns, this.#ofSales];
		occasions.push(this.#ofSettlements, this.#ofTotals, this.#ofSyncs, this.#ofPages, this.#ofDeskMessages);
		occasions.push(this.#ofDesk, this.#ofFarSides, this.#ofFarResends, this.#ofDigests);
		this.#lists = occasions.flatMap(({ lists }) => lists);
		for (const [name, rate] of Object.entries(rates)) this.setRate(checkFaultName(name), rate);
	}

	/** @param rate - 0 never to 1 always. @throws {CodedError} "range" */
	setRate(name: FaultName, rate: number): void {
		const list = this.#listOf(name);
		if (!(rate >= 0 && rate <= 1)) throw new CodedError("range", `fault ${name}`, "a rate is 0 to 1");
		list.parts[list.names.indexOf(name)] = Math.floor(rate * RATE_PARTS + 0.5);
	}

	/** By hand: strikes the next `requests` of the occasions it is a fault of (of reversalForgotten, …: reversals). */
	arm(name: FaultName, requests = 1): void {
		const list = this.#listOf(name);
		list.armed[list.names.indexOf(name)] += requests;
	}

	/** By schedule: strikes the `request`-th from the plan's beginning, counted from 1; each kind of occasion by itself. */
	at(request: number, name: FaultName): void {
		const names = this.#schedule.get(request) ?? [];
		names.push(checkFaultName(name));
		this.#schedule.set(request, names);
	}

	/** No rate, nothing armed, nothing scheduled: the host is healed from now on. */
	clear(): void {
		for (const { parts, armed } of this.#lists) {
			parts.fill(0);
			armed.fill(0);
		}
		this.#schedule.clear();
	}

	/** Requests decided on so far. */
	get requests(): number {
		return this.#ofRequests.count;
	}

	/** Sign-ons decided on so far. */
	get signOns(): number {
		return this.#ofSignOns.count;
	}

	/**
	 * What strikes the next request. Called once for each request that can move money.
	 * @param reversal - only a reversal can be forgotten
	 */
	next(reversal = false): FaultSet {
		return this.#draw(this.#ofRequests, reversal);
	}

	/** What strikes the next sign-on. Called once for each. */
	nextSignOn(): SignOnFaultSet {
		return this.#draw(this.#ofSignOns);
	}

	/** What befalls the next new sale, offline sale or resend in the books. Of one that is declined: nothing. */
	nextSale(): SaleFaultSet {
		return this.#draw(this.#ofSales);
	}

	/** What strikes the next 0500 or 0320. */
	nextSettlement(): SettlementFaultSet {
		return this.#draw(this.#ofSettlements);
	}

	/** What strikes the next settlement of a batch, not its repeats. */
	nextTotals(): TotalsFaultSet {
		return this.#draw(this.#ofTotals);
	}

	/** What strikes the next sync message. */
	nextSync(): SyncFaultSet {
		return this.#draw(this.#ofSyncs);
	}

	/** What strikes the next digest. */
	nextDigest(): DigestFaultSet {
		return this.#draw(this.#ofDigests);
	}

	/** What strikes the next page of a list. */
	nextPage(): PageFaultSet {
		return this.#draw(this.#ofPages);
	}

	/** What strikes the next message with a request for the desk, repeats too. */
	nextDeskMessage(): RequestFaultSet {
		return this.#draw(this.#ofDeskMessages);
	}

	/** How the desk treats the next new request. */
	nextDeskRequest(): DeskFaultSet {
		return this.#draw(this.#ofDesk);
	}

	/** What the far side does with the next repayment or top-up that the issuer has paid. */
	nextFarSide(): FarSideFaultSet {
		return this.#draw(this.#ofFarSides);
	}

	/** What it does with the next one that is sent to it again. */
	nextFarResend(): FarResendFaultSet {
		return this.#draw(this.#ofFarResends);
	}

	/**
	 * A reversal of this movement is about to be answered without a trace in any ledger.
	 * @returns false when that has happened as often as may be: the host must carry it out
	 */
	leaveNoTrace(key: MovementKey): boolean {
		const text = movementText(key);
		const times = this.#traceless.get(text) ?? 0;
		if (times >= this.tracelessMax) return false;
		this.#traceless.set(text, times + 1);
		return true;
	}

	/** @returns `none` itself, which nobody changes, when nothing strikes: most requests make no garbage here */
	#draw<S extends Readonly<Partial<Record<FaultName, boolean>>>>(occasion: Occasion<S>, reversal = false): S {
		const { lists, none } = occasion;
		const number = ++occasion.count;
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
		const list = this.#lists.find(({ names }) => names.includes(known));
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
