/**
 * Goal: I6 with the whole back office under way. Method: few numbers, so that sales, what takes them back, the desk's requests,
 * settlements, faults, cuts of the store and restarts meet; after each step the rules of the ledgers; at the end all is healed
 * and what is missing is claimed: then card and merchant agree, movement by movement.
 */
import * as assert from "node:assert/strict";
import * as fc from "fast-check";
import {
	BOOKING_FAULT_NAMES,
	DESK_FAULT_NAMES,
	type FaultName,
	POSTING_FAULT_NAMES,
	REQUEST_FAULT_NAMES,
	SALE_FAULT_NAMES,
} from "../../../host-sim/acquirer/faults";
import type { IssuerFact } from "../../../host-sim/acquirer/issuer";
import type { MerchantFact } from "../../../host-sim/acquirer/merchant";
import { readOffice } from "../../../host-sim/acquirer/office-report";
import { readStatement } from "../../../host-sim/acquirer/statement";
import { TEST_TERMINAL } from "../../../host-sim/acquirer/test-keys";
import { TEST_CARDS } from "../../../host-sim/test-cards";
import { CodedError } from "../../../src/core/errors";
import { frameOf, frameOfKind, HostUnderTest, originalOf, type Request, signOnFrame } from "./host-under-test";
import { CutStore, EVIDENCE, idOf, NO_EVIDENCE, OfficeTerminal, type RequestRead, S, totalsOf } from "./office-rig";

const KINDS = [
	"sale",
	"reversal",
	"offlineSale",
	"resend",
	"refund",
	"void",
	"voidReversal",
	"claim",
	"credit",
	"claim",
	"credit",
	"stateOf",
	"settle",
	"endUpload",
	"refuseAccount",
	"mendAccount",
	"decide",
	"wait",
	"restart",
] as const;
type Kind = (typeof KINDS)[number];

interface Step {
	kind: Kind;
	stan: number;
	/** STAN of the original, for what has one. */
	of: number;
	amountMinor: number;
	/** Number of a request id: few, so that they come again. */
	id: number;
	evidence: boolean;
	fault: FaultName | undefined;
	/** The store is cut at this append, counted from now; 0: it is not. */
	cutAt: number;
	cutKeeps: boolean;
	minutes: number;
}

const step: fc.Arbitrary<Step> = fc.record({
	kind: fc.constantFrom<Kind>("sale", "sale", "claim", "claim", "credit", "credit", "wait", ...KINDS),
	stan: fc.integer({ min: 1, max: 6 }),
	of: fc.integer({ min: 1, max: 4 }),
	amountMinor: fc.constantFrom(100, 60, 40, 20),
	id: fc.integer({ min: 1, max: 12 }),
	evidence: fc.boolean(),
	fault: fc.option(
		fc.constantFrom<FaultName>(
			...SALE_FAULT_NAMES,
			...POSTING_FAULT_NAMES,
			...BOOKING_FAULT_NAMES,
			...BOOKING_FAULT_NAMES,
			...DESK_FAULT_NAMES,
			...REQUEST_FAULT_NAMES,
			"crash",
			"crashAfterRecord",
			"syncAnswerLost",
			"syncReordered",
			"totalsWrong",
		),
		{ nil: undefined, freq: 2 },
	),
	cutAt: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.integer({ min: 1, max: 5 }) }),
	cutKeeps: fc.boolean(),
	minutes: fc.integer({ min: 0, max: 600 }),
});

const personality = fc.record({
	seed: fc.integer({ min: 0, max: 1000 }),
	postingDelayMs: fc.constantFrom(0, 60_000, 3_600_000),
	policy: fc.constantFrom("grant", "grant", "grant", "late", "evidence", "refuse"),
	doneMs: fc.constantFrom(0, 600_000),
	unrecorded: fc.boolean(),
	reinstates: fc.boolean(),
});

/** What is sold first: then there is something to quarrel about. */
const opening: fc.Arbitrary<Step[]> = fc
	.tuple(step, step, step)
	.map((steps) =>
		steps.map((next, place) => ({ ...next, kind: "sale" as const, stan: place + 1, amountMinor: 100, cutAt: 0 })),
	);

type Personality = typeof personality extends fc.Arbitrary<infer T> ? T : never;

function frameOfStep({ kind, stan, of, amountMinor }: Step): Uint8Array {
	const request: Request = { stan, amountMinor };
	const original = originalOf(1, of);
	switch (kind) {
		case "offlineSale":
			return frameOfKind("offlineSale", request);
		case "resend":
		case "refund":
		case "void":
			return frameOfKind(kind, { ...request, original });
		case "voidReversal":
			return frameOf("0400", { ...request, original, processingCode: "200000", type: "23" });
		default:
			return frameOf(kind === "sale" ? "0200" : "0400", request);
	}
}

/** A host over a store that is cut, and the one that works the desk and answers the telephone there. */
class Storm {
	readonly store = new CutStore();
	readonly host: HostUnderTest;
	readonly terminal: OfficeTerminal;
	/** The last answer to each request id. */
	readonly #answers = new Map<string, RequestRead>();
	cuts = 0;

	constructor({ seed, postingDelayMs, policy, doneMs, unrecorded, reinstates }: Personality) {
		const desk = { policy, doneMs, unrecorded } as const;
		this.host = new HostUnderTest({ seed, store: this.store, office: { postingDelayMs, desk, reinstates } });
		this.terminal = new OfficeTerminal(this.host);
	}

	take(next: Step): void {
		if (next.fault !== undefined) this.host.faults.arm(next.fault);
		if (next.cutAt > 0) this.store.cutAt(next.cutAt, next.cutKeeps);
		this.alive();
		this.#carryOut(next);
		this.alive();
		this.store.heal();
	}

	/** The owner starts it again, as often as it takes. */
	alive(): void {
		for (let tries = 0; this.host.acquirer.dead; tries++) {
			assert.ok(tries < 3, "a cut strikes once");
			this.#guarded(() => this.host.restart());
		}
	}

	#carryOut(next: Step): void {
		const { kind, stan, of, amountMinor, id, evidence, minutes } = next;
		const { host, terminal } = this;
		const now = host.time.nowMs;
		const digest = evidence ? EVIDENCE : NO_EVIDENCE;
		switch (kind) {
			case "restart":
				this.#guarded(() => host.restart());
				return;
			case "wait":
				this.#guarded(() => host.time.advance(minutes * 60_000));
				return;
			case "claim":
			case "credit": {
				const data = `${idOf(id)}000001${`${of}`.padStart(6, "0")}${`${amountMinor}`.padStart(12, "0")}${digest}`;
				this.#note(id, terminal.ask(kind === "claim" ? "403" : "404", data, 1));
				return;
			}
			case "stateOf":
				this.#note(id, terminal.ask("405", idOf(id), 1));
				return;
			case "settle":
				// Only now and then, or nothing is ever sold.
				if (stan === 6) terminal.settle(1, totalsOf(of, amountMinor));
				return;
			case "endUpload":
				if (stan === 6 && of === 4) terminal.endUpload(1, 0);
				return;
			case "refuseAccount":
				this.#guarded(() => host.acquirer.backOffice.refuseAccount(TEST_TERMINAL, now));
				return;
			case "mendAccount":
				this.#guarded(() => host.acquirer.backOffice.mendAccount(TEST_TERMINAL, now));
				return;
			case "decide":
				this.#guarded(() => host.acquirer.backOffice.desk.decide(TEST_TERMINAL, idOf(id), evidence, now));
				return;
			default:
				host.tell(() => frameOfStep(next));
		}
	}

	/** What is decided stays decided, whatever came in between. */
	#note(id: number, answer: ReturnType<OfficeTerminal["ask"]>): void {
		if (answer === undefined) return;
		assert.deepEqual([answer.code, answer.macRight], ["00", true]);
		const data = answer.data.slice(16);
		const state = Number.parseInt(data.slice(24, 26), 16);
		const read = {
			reference: data.slice(0, 24),
			state,
			reason: Number.parseInt(data.slice(26, 28), 16),
			expectedAt: "",
		};
		// An id used for something else says so, and changes nothing of what it was used for.
		if (state === S.refused && (read.reason === 9 || read.reason === 2)) return;
		const before = this.#answers.get(idOf(id));
		if (before !== undefined) {
			assert.equal(read.reference, before.reference);
			if (before.state === S.refused || before.state === S.done) assert.equal(read.state, before.state);
		}
		this.#answers.set(idOf(id), read);
	}

	/** A cut ends the host, wherever it was. */
	#guarded(act: () => void): void {
		try {
			act();
		} catch (error) {
			if (!(error instanceof CodedError) || error.code !== "missing") throw error;
			this.cuts++;
			this.host.acquirer.kill();
		}
	}
}

/** What holds at every moment. */
function checkRules({ host, store }: Storm): void {
	const { entries, totals } = host.acquirer.statement();
	const now = host.time.nowMs;
	let net = 0;
	for (const entry of entries) {
		assert.ok(entry.debits <= 1 && entry.reversals <= entry.debits, entry.key);
		assert.ok(entry.cardNetMinor >= 0 && entry.cardNetMinor <= (entry.debits > 0 ? entry.amountMinor : 0), entry.key);
		assert.ok(entry.merchantNetMinor >= 0, entry.key);
		assert.ok(entry.merchantNetMinor <= (entry.debits > 0 ? entry.amountMinor : 0), entry.key);
		if (entry.reversals > 0) assert.equal(entry.cardNetMinor, 0, entry.key);
		net += entry.cardNetMinor;
	}
	assert.equal(totals.cardNetMinor, net);
	const held = TEST_CARDS.filter(({ atIssuer }) => atIssuer);
	const spent = held.reduce((sum, { name, balanceMinor }) => sum + balanceMinor - host.acquirer.balance(name), 0);
	assert.equal(spent, net, "balances and movements agree");
	// Who reads the books finds what the running host knows.
	assert.deepEqual(readStatement(store, TEST_CARDS), host.acquirer.statement());
	assert.deepEqual(readOffice(store, now), host.acquirer.backOffice.report(now));
	const report = host.acquirer.backOffice.report(now);
	checkRequests(
		store,
		report.requests.map(({ fact, state }) => ({ id: fact.id, type: fact.type, state })),
	);
}

/** One effect of a request at most, of its own kind, and none of what was refused. */
function checkRequests(store: CutStore, requests: readonly { id: string; type: string; state: number }[]): void {
	const claims = (store.load("merchant") as MerchantFact[]).filter((fact) => fact.kind === "claim");
	const credits = (store.load("issuer") as IssuerFact[]).filter((fact) => fact.kind === "adjustment");
	const ids = [...claims, ...credits].map(({ request }) => request);
	assert.equal(new Set(ids).size, ids.length, "one effect of one request");
	for (const { id, type, state } of requests) {
		const moved = (type === "403" ? claims : credits).filter(({ request }) => request === id).length;
		const other = (type === "403" ? credits : claims).filter(({ request }) => request === id).length;
		assert.equal(other, 0);
		if (state === S.done) assert.equal(moved, 1, id);
		if (state === S.refused) assert.equal(moved, 0, id);
	}
	assert.equal(new Set(requests.map(({ id }) => id)).size, requests.length);
}

/**
 * A terminal's number names one refund or void, however often it is sent: what dies between two of the host's steps is
 * mended by that very repeat.
 */
function likeATerminal(steps: readonly Step[]): Step[] {
	const firsts = new Map<number, Step>();
	return steps.map((next) => {
		if (next.kind !== "refund" && next.kind !== "void") return next;
		const { kind, of, amountMinor } = firsts.get(next.stan) ?? next;
		if (!firsts.has(next.stan)) firsts.set(next.stan, next);
		return { ...next, kind, of, amountMinor };
	});
}

/** Healed: what the desk has open is decided, the account is in order, and what is due is posted. */
function heal(storm: Storm, asked: readonly Step[]): void {
	const { host, store } = storm;
	host.faults.clear();
	store.heal();
	storm.alive();
	host.sendFrame(() => signOnFrame());
	for (const { fact } of host.acquirer.backOffice.report(host.time.nowMs).requests) {
		host.acquirer.backOffice.desk.decide(TEST_TERMINAL, fact.id, false, host.time.nowMs);
	}
	// What died between two steps is mended by its repeat.
	for (const next of asked) if (isRepeated(next.kind)) host.sendFrame(() => frameOfStep(next));
	// What the bank refuses it refuses when it is due; mended, it is due again.
	for (let round = 0; round < 2; round++) {
		host.time.advance(48 * 3_600_000);
		host.acquirer.backOffice.mendAccount(TEST_TERMINAL, host.time.nowMs);
		host.acquirer.officeChanged();
	}
	host.time.advance(48 * 3_600_000);
	checkRules(storm);
}

function isRepeated(kind: Kind): boolean {
	return ["sale", "offlineSale", "resend", "refund", "void"].includes(kind);
}

describe("host: the back office under way", () => {
	it("I6 no interleaving of money, desk, faults, cuts and restarts gives anybody too much, or one request two effects", function () {
		this.timeout(120_000);
		const seen = { cuts: 0, done: 0, claimed: 0 };
		fc.assert(
			fc.property(opening, fc.array(step, { minLength: 8, maxLength: 40 }), personality, (first, more, who) => {
				const storm = new Storm(who);
				const steps = likeATerminal([...first, ...more]);
				for (const next of steps) {
					storm.take(next);
					checkRules(storm);
				}
				const asked = steps.filter(({ kind }) => isRepeated(kind));
				heal(storm, asked);
				seen.claimed += claimWhatIsMissing(storm);
				seen.cuts += storm.cuts + storm.host.crashes;
				const { requests } = storm.host.acquirer.backOffice.report(storm.host.time.nowMs);
				seen.done += requests.filter(({ state }) => state === S.done).length;
			}),
			{ numRuns: 400 },
		);
		assert.ok(seen.cuts > 50 && seen.done > 50 && seen.claimed > 10, JSON.stringify(seen));
	});
});

/** By then the merchant has nothing that no card has paid; and whatever the card has paid can be claimed, to the fen. */
function claimWhatIsMissing(storm: Storm): number {
	const { host, store, terminal } = storm;
	const grants = new HostUnderTest({ store, time: host.time, office: { desk: { policy: "grant" } } });
	const desk = new OfficeTerminal(grants);
	assert.ok(terminal !== undefined);
	let count = 0;
	for (const { stan, cardNetMinor, merchantNetMinor, key, refund } of grants.acquirer.statement().entries) {
		if (refund !== undefined || cardNetMinor === merchantNetMinor) continue;
		assert.ok(merchantNetMinor < cardNetMinor, key);
		const missingMinor = cardNetMinor - merchantNetMinor;
		// A refund that waits for something to be taken of is taken with the claim.
		const waitingMinor = grants.acquirer.backOffice.postings.waitingRefundsMinor({ ...TEST_TERMINAL, batch: 1, stan });
		const { state, reason } = desk.claim(idOf(1000 + count), stan, missingMinor + waitingMinor);
		assert.deepEqual([state, reason], [S.done, 0], key);
		count++;
	}
	const { totals } = grants.acquirer.statement();
	assert.deepEqual([totals.oneSided, totals.conserved], [0, true]);
	return count;
}
