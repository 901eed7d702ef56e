/**
 * Goal: I6 at the far sides of repayments and top-ups. Method: few numbers, so that payments, reversals, the desk's requests,
 * faults, cuts of the store and restarts meet; after each step the rules; at the end the card has back whatever the far side
 * does not have.
 */
import * as assert from "node:assert/strict";
import * as fc from "fast-check";
import type { FarSideFact } from "../../../host-sim/acquirer/far-sides";
import type { FaultName } from "../../../host-sim/acquirer/faults";
import type { IssuerFact } from "../../../host-sim/acquirer/issuer";
import { readStatement } from "../../../host-sim/acquirer/statement";
import { TEST_TERMINAL } from "../../../host-sim/acquirer/test-keys";
import { TEST_CARDS } from "../../../host-sim/test-cards";
import { CodedError } from "../../../src/core/errors";
import { frameOf, frameOfKind, HostUnderTest, originalOf, type Request } from "./host-under-test";
import { bcd, CutStore, idOf, NO_EVIDENCE, OfficeTerminal, S } from "./office-rig";

const HOUR_MS = 3_600_000;
const PHONE = "13800138000";
/** A card of no bank. */
const CREDIT_CARD = "6212340000000000005";
const TOP_UP = { processingCode: "500000", type: "52" } as const;
const POLICIES = ["grant", "grant", "late", "refuse", "evidence"] as const;

const KINDS = [
	"topUp",
	"repayment",
	"sale",
	"reversal",
	"farSide",
	"credit",
	"claim",
	"refund",
	"wait",
	"restart",
] as const;

interface Step {
	kind: (typeof KINDS)[number];
	stan: number;
	of: number;
	amountMinor: number;
	id: number;
	fault: FaultName | undefined;
	cutAt: number;
	keeps: boolean;
}

const STEP: Step = {
	kind: "topUp",
	stan: 1,
	of: 1,
	amountMinor: 100,
	id: 1,
	fault: undefined,
	cutAt: 0,
	keeps: false,
};
/** Something to quarrel about. */
const OPENING: readonly Step[] = [
	{ ...STEP, fault: "farSideFailed" },
	{ ...STEP, stan: 2 },
	{ ...STEP, stan: 3, fault: "crash" },
];

const step: fc.Arbitrary<Step> = fc.record({
	kind: fc.constantFrom<Step["kind"]>("topUp", "reversal", "farSide", "credit", "wait", ...KINDS),
	stan: fc.integer({ min: 1, max: 5 }),
	of: fc.integer({ min: 1, max: 4 }),
	amountMinor: fc.constantFrom(100, 100, 100, 60, 40),
	id: fc.integer({ min: 1, max: 9 }),
	fault: fc.option(
		fc.constantFrom<FaultName>(
			"farSideFailed",
			"farSideRefused",
			"farSideRefuses",
			"crash",
			"crashAfterRecord",
			"deskLate",
			"requestAnswerLost",
		),
		{ nil: undefined, freq: 2 },
	),
	cutAt: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.integer({ min: 1, max: 4 }) }),
	keeps: fc.boolean(),
});

function alive(host: HostUnderTest): void {
	for (let tries = 0; host.acquirer.dead && tries < 3; tries++) guarded(host, () => host.restart());
	assert.equal(host.acquirer.dead, false, "a cut strikes once");
}

/** A store that is cut while the host comes up ends it. */
function guarded(host: HostUnderTest, act: () => void): void {
	try {
		act();
	} catch (error) {
		if (!(error instanceof CodedError) || error.code !== "missing") throw error;
		host.acquirer.kill();
	}
}

function frameOfStep({ kind, stan, of, amountMinor }: Step): Uint8Array {
	const request: Request = { stan, amountMinor: 100 };
	if (kind === "topUp") return frameOfKind("topUp", { ...request, payee: PHONE });
	if (kind === "repayment") return frameOfKind("repayment", { ...request, payee: CREDIT_CARD });
	if (kind === "refund") return frameOfKind("refund", { stan: stan + 10, amountMinor, original: originalOf(1, of) });
	return frameOf(kind === "sale" ? "0200" : "0400", kind === "sale" ? request : { ...request, ...TOP_UP });
}

function carryOut(host: HostUnderTest, next: Step): void {
	const { kind, of, amountMinor, id } = next;
	const terminal = new OfficeTerminal(host);
	const about = bcd(1, 6) + bcd(of, 6);
	switch (kind) {
		case "restart":
			guarded(host, () => host.restart());
			return;
		case "wait":
			guarded(host, () => host.time.advance(HOUR_MS));
			return;
		case "farSide":
			terminal.ask("407", idOf(id) + about, 1);
			return;
		case "credit":
		case "claim":
			terminal.ask(kind === "credit" ? "404" : "403", idOf(id) + about + bcd(amountMinor, 12) + NO_EVIDENCE, 1);
			return;
		default:
			host.tell(() => frameOfStep(next));
	}
}

/** What holds at every moment. */
function checkRules(host: HostUnderTest, store: CutStore): void {
	const { entries } = host.acquirer.statement();
	for (const { key, cardNetMinor, merchantNetMinor, amountMinor, debits, farSide } of entries) {
		const debitMinor = debits > 0 ? amountMinor : 0;
		assert.ok(cardNetMinor >= 0 && cardNetMinor <= debitMinor, key);
		if (farSide === undefined) continue;
		// What is back on the card and what the far side has are together never more than was paid, nor both at once.
		assert.ok(merchantNetMinor === 0 || merchantNetMinor === debitMinor, key);
		assert.ok(debitMinor - cardNetMinor + merchantNetMinor <= debitMinor, key);
		assert.ok(merchantNetMinor === 0 || cardNetMinor === debitMinor, key);
		if (cardNetMinor < debitMinor) assert.equal(farSide, "barred", key);
	}
	assert.deepEqual(readStatement(store, TEST_CARDS), host.acquirer.statement());
	checkRequests(host, store);
}

/** One effect of a request at most, and none of what was refused. */
function checkRequests(host: HostUnderTest, store: CutStore): void {
	const sent = (store.load("farSides") as FarSideFact[]).flatMap((fact) =>
		fact.kind === "credit" ? [fact.request] : [],
	);
	const back = (store.load("issuer") as IssuerFact[]).flatMap((fact) =>
		fact.kind === "adjustment" ? [fact.request] : [],
	);
	for (const { fact, state } of host.acquirer.backOffice.report(host.time.nowMs).requests) {
		const effects = (fact.type === "407" ? sent : back).filter((request) => request === fact.id).length;
		if (state === S.done && fact.type !== "403") assert.equal(effects, 1, fact.id);
		if (state === S.refused) assert.equal(effects, 0, fact.id);
	}
}

/** Healed: what is due is done, and whatever the far side does not have goes back to the card, to the fen. */
function heal(host: HostUnderTest): void {
	host.faults.clear();
	alive(host);
	host.time.advance(2 * HOUR_MS);
	for (const { fact } of host.acquirer.backOffice.report(host.time.nowMs).requests) {
		host.acquirer.backOffice.desk.decide(TEST_TERMINAL, fact.id, false, host.time.nowMs);
	}
	const desk = new OfficeTerminal(new HostUnderTest({ store: host.store, time: host.time }));
	let id = 100;
	for (const { key, stan, farSide, cardNetMinor, merchantNetMinor } of host.acquirer.statement().entries) {
		if (farSide === undefined || cardNetMinor === merchantNetMinor) continue;
		assert.equal(desk.credit(idOf(id++), stan, cardNetMinor).state, S.done, key);
	}
	const { entries } = readStatement(host.store, TEST_CARDS);
	for (const { key, farSide, cardNetMinor, merchantNetMinor } of entries) {
		if (farSide !== undefined) assert.equal(cardNetMinor, merchantNetMinor, key);
	}
}

describe("host: far sides under way", () => {
	it("I6 no interleaving of payments, reversals, desk, faults, cuts and restarts pays twice or gives back what is there", function () {
		this.timeout(60_000);
		const seen = { far: 0, back: 0, cuts: 0 };
		fc.assert(
			fc.property(fc.array(step, { minLength: 6, maxLength: 30 }), fc.integer({ min: 0, max: 999 }), (steps, seed) => {
				const store = new CutStore();
				const policy = POLICIES[seed % POLICIES.length];
				const host = new HostUnderTest({ seed, store, office: { desk: { policy, lateMs: HOUR_MS } } });
				for (const next of [...OPENING, ...steps]) {
					alive(host);
					if (next.fault !== undefined) host.faults.arm(next.fault);
					if (next.cutAt > 0) store.cutAt(next.cutAt, next.keeps);
					carryOut(host, next);
					seen.cuts += host.acquirer.dead ? 1 : 0;
					store.heal();
					alive(host);
					checkRules(host, store);
				}
				heal(host);
				for (const { farSide, cardNetMinor } of host.acquirer.statement().entries) {
					seen.far += farSide === "done" ? 1 : 0;
					seen.back += farSide === "barred" && cardNetMinor === 0 ? 1 : 0;
				}
			}),
			{ numRuns: 250 },
		);
		assert.ok(seen.far > 50 && seen.back > 50 && seen.cuts > 50, JSON.stringify(seen));
	});
});
