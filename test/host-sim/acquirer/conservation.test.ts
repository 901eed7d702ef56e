import * as assert from "node:assert/strict";
import * as fc from "fast-check";
import { FAULT_NAMES, type FaultName, HOST_FAULT_NAMES, SESSION_FAULT_NAMES } from "../../../host-sim/acquirer/faults";
import { TEST_CARDS } from "../../../host-sim/test-cards";
import { frameOf, frameOfKind, HostUnderTest, originalOf, type Request, signOnFrame } from "./host-under-test";

const KINDS = [
	"sale",
	"reversal",
	"offlineSale",
	"resend",
	"refund",
	"void",
	"voidReversal",
	"restart",
	"wait",
] as const;
type Kind = (typeof KINDS)[number];

interface Step {
	kind: Kind;
	stan: number;
	/** STAN of the original, for what has one. */
	of: number;
	card: string;
	amountMinor: number;
	fault: FaultName | undefined;
	seconds: number;
}

const step: fc.Arbitrary<Step> = fc.record({
	kind: fc.constantFrom<Kind>("sale", "sale", "sale", "reversal", ...KINDS),
	stan: fc.integer({ min: 1, max: 6 }),
	of: fc.integer({ min: 1, max: 4 }),
	card: fc.constantFrom("chip", "contactless", "poor"),
	amountMinor: fc.constantFrom(50, 60, 20),
	fault: fc.option(fc.constantFrom(...FAULT_NAMES, ...SESSION_FAULT_NAMES, ...HOST_FAULT_NAMES), {
		nil: undefined,
		freq: 2,
	}),
	seconds: fc.integer({ min: 0, max: 130 }),
});

function frameOfStep({ kind, stan, of, card, amountMinor }: Step): Uint8Array {
	const request: Request = { stan, card, amountMinor };
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

// Goal: I6 on the host's side, whatever comes in whatever order. Method: few numbers, so that repeats, reversals, refunds,
// collisions of one number and crashes meet; after each step the rules of the ledgers; after repeating what was asked no
// entry is one-sided; after reversing what can be reversed only advices and what they gave back is left.
describe("host: conservation", () => {
	it("I6 no interleaving of requests, repeats, crashes and faults debits twice, gives too much or loses money", () => {
		fc.assert(
			fc.property(fc.array(step, { maxLength: 30 }), fc.integer({ min: 0, max: 1000 }), (steps, seed) => {
				const host = new HostUnderTest({ seed });
				const asked = steps.filter(({ kind }) => kind !== "restart" && kind !== "wait");
				for (const next of steps) {
					if (next.fault !== undefined && next.kind !== "restart") host.faults.arm(next.fault);
					if (next.kind === "restart") host.restart();
					else if (next.kind === "wait") host.time.advance(next.seconds * 1000);
					else host.tell(() => frameOfStep(next));
					checkRules(host);
				}
				// Healed: everything that lies in the network arrives, then everything is asked again.
				host.faults.clear();
				if (host.acquirer.dead) host.restart();
				host.time.advance(300_000);
				host.hangUp();
				host.sendFrame(() => signOnFrame());
				for (const next of asked) {
					if (next.kind === "reversal" || next.kind === "voidReversal") continue;
					host.sendFrame(() => frameOfStep(next));
					checkRules(host);
				}
				const { totals } = host.acquirer.statement();
				assert.equal(totals.oneSided, 0);
				assert.equal(totals.conserved, true);
				reverseAll(host, asked);
			}),
			{ numRuns: 250 },
		);
	});
});

/** Every sale that can be reversed is; what an offline sale took stays taken. */
function reverseAll(host: HostUnderTest, asked: readonly Step[]): void {
	for (const next of asked) {
		if (next.kind !== "sale" && next.kind !== "resend") continue;
		const stan = next.kind === "sale" ? next.stan : next.of;
		const { code } = host.reversal({ stan, card: next.card, amountMinor: next.amountMinor });
		// Another transaction under the same number has another amount, card or kind: that is not this one's.
		assert.ok(["00", "25", "64"].includes(code), code);
	}
	checkRules(host);
	const offline = host.store.load("acquirer").filter((fact) => (fact as { by?: string }).by === "offline");
	const stans = new Set(offline.map((fact) => (fact as { key: { stan: number } }).key.stan));
	for (const entry of host.acquirer.statement().entries) {
		assert.equal(entry.cardNetMinor, entry.merchantNetMinor, entry.key);
		if (!stans.has(entry.stan)) assert.equal(entry.cardNetMinor, 0, entry.key);
	}
}

/** What holds at every moment. */
function checkRules(host: HostUnderTest): void {
	const { entries, totals } = host.acquirer.statement();
	let net = 0;
	for (const entry of entries) {
		assert.ok(entry.debits <= 1 && entry.reversals <= entry.debits, entry.key);
		assert.ok(entry.cardNetMinor >= 0 && entry.cardNetMinor <= (entry.debits > 0 ? entry.amountMinor : 0), entry.key);
		if (entry.reversals > 0) assert.equal(entry.cardNetMinor, 0, entry.key);
		// The shop never has money that no card has paid, but for what a void or refund has given back a moment ago.
		assert.ok(entry.merchantNetMinor <= (entry.debits > 0 ? entry.amountMinor : 0), entry.key);
		if (entry.refund !== undefined) assert.deepEqual([entry.cardNetMinor, entry.merchantNetMinor], [0, 0]);
		net += entry.cardNetMinor;
	}
	assert.equal(totals.cardNetMinor, net);
	const held = TEST_CARDS.filter(({ atIssuer }) => atIssuer);
	const spent = held.reduce((sum, { name, balanceMinor }) => sum + balanceMinor - host.acquirer.balance(name), 0);
	assert.equal(spent, net, "balances and movements agree");
}
