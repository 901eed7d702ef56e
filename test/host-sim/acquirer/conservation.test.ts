import * as assert from "node:assert/strict";
import * as fc from "fast-check";
import { FAULT_NAMES, type FaultName } from "../../../host-sim/acquirer/faults";
import { TEST_CARDS } from "../../../host-sim/test-cards";
import { HostUnderTest } from "./host-under-test";

interface Step {
	kind: "sale" | "reversal" | "restart" | "wait";
	stan: number;
	card: string;
	amountMinor: number;
	fault: FaultName | undefined;
	seconds: number;
}

const step: fc.Arbitrary<Step> = fc.record({
	kind: fc.constantFrom<Step["kind"]>("sale", "sale", "sale", "reversal", "reversal", "restart", "wait"),
	stan: fc.integer({ min: 1, max: 4 }),
	card: fc.constantFrom("chip", "contactless", "poor"),
	amountMinor: fc.constantFrom(50, 60),
	fault: fc.option(fc.constantFrom(...FAULT_NAMES), { nil: undefined, freq: 2 }),
	seconds: fc.integer({ min: 0, max: 130 }),
});

// Goal: I6 on the host's side, whatever comes in whatever order. Method: few numbers, so that repeats, reversals,
// collisions of one number and crashes meet; after each step the rules of the ledgers, after reversing all, net zero.
describe("host: conservation", () => {
	it("I6 no interleaving of sales, repeats, reversals, crashes and faults debits twice or loses money", () => {
		fc.assert(
			fc.property(fc.array(step, { maxLength: 30 }), fc.integer({ min: 0, max: 1000 }), (steps, seed) => {
				const host = new HostUnderTest({ seed });
				const asked = new Map<number, Step[]>();
				for (const next of steps) {
					if (next.fault !== undefined && next.kind !== "restart") host.faults.arm(next.fault);
					if (next.kind === "restart") host.restart();
					else if (next.kind === "wait") host.time.advance(next.seconds * 1000);
					else host.send(next.kind === "sale" ? "0200" : "0400", next);
					if (next.kind === "sale") asked.set(next.stan, [...(asked.get(next.stan) ?? []), next]);
					checkRules(host);
				}
				// Healed: everything that lies in the network arrives, then every sale is reversed.
				host.faults.clear();
				if (host.acquirer.dead) host.restart();
				host.time.advance(300_000);
				for (const [stan, sales] of asked) {
					for (const sale of sales) {
						const { code } = host.reversal({ ...sale, stan });
						// Other sales under the same number have another amount or card: those are not this one's.
						assert.ok(["00", "25", "64"].includes(code), code);
					}
				}
				checkRules(host);
				const { totals } = host.acquirer.statement();
				assert.deepEqual([totals.cardNetMinor, totals.merchantNetMinor], [0, 0]);
				for (const { name, balanceMinor, atIssuer } of TEST_CARDS) {
					if (atIssuer) assert.equal(host.acquirer.balance(name), balanceMinor, name);
				}
			}),
			{ numRuns: 300 },
		);
	});
});

/** What holds at every moment. */
function checkRules(host: HostUnderTest): void {
	const { entries, totals } = host.acquirer.statement();
	let net = 0;
	for (const entry of entries) {
		assert.ok(entry.debits <= 1 && entry.reversals <= entry.debits, entry.key);
		assert.ok(entry.cardNetMinor === 0 || entry.cardNetMinor === entry.amountMinor, entry.key);
		// The shop never has money that no card has paid.
		assert.ok(entry.merchantNetMinor === 0 || entry.merchantNetMinor === entry.cardNetMinor, entry.key);
		net += entry.cardNetMinor;
	}
	assert.equal(totals.cardNetMinor, net);
	const held = TEST_CARDS.filter(({ atIssuer }) => atIssuer);
	const spent = held.reduce((sum, { name, balanceMinor }) => sum + balanceMinor - host.acquirer.balance(name), 0);
	assert.equal(spent, net, "balances and movements agree");
}
