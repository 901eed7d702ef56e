/**
 * Goal: the desk (差错处理) does what its policy says, once for each request id, and never beyond what the ledgers admit.
 */
import * as assert from "node:assert/strict";
import type { OfficeOptions } from "../../../host-sim/acquirer/acquirer";
import type { Injection } from "../../../host-sim/acquirer/mishaps";
import { Reason } from "../../../host-sim/acquirer/posting-reasons";
import { TEST_TERMINAL } from "../../../host-sim/acquirer/test-keys";
import { HostUnderTest, originalOf } from "./host-under-test";
import { CutStore, EVIDENCE, F, GOOD, idOf, NO_EVIDENCE, OfficeTerminal, S } from "./office-rig";

const HOUR_MS = 3_600_000;
/** Four hours after the sale. */
const LATER = "261122133112";
const NEVER = "000000000000";

function rig(office: OfficeOptions = {}, store = new CutStore()) {
	const injected: Injection[] = [];
	const host = new HostUnderTest({ store, office: { ...office, onInjected: (injection) => injected.push(injection) } });
	return { host, store, injected, terminal: new OfficeTerminal(host) };
}

/** A sale of 12.34 under STAN 2 whose posting never comes. */
function unposted(office: OfficeOptions = {}) {
	const made = rig(office);
	made.host.faults.arm("postingLost");
	assert.equal(made.host.sale().code, "00");
	return made;
}

/** A sale of 12.34 under STAN 2 that is as it should be. */
function sold(office: OfficeOptions = {}) {
	const made = rig(office);
	assert.equal(made.host.sale().code, "00");
	return made;
}

function nets(host: HostUnderTest, stan = 2): [number, number] {
	const { cardNetMinor, merchantNetMinor } = host.entry(stan);
	return [cardNetMinor, merchantNetMinor];
}

describe("host: the desk", () => {
	describe("a claim", () => {
		it("is granted and posted at once, with a reference and the time it was done", () => {
			const { host, terminal } = unposted();
			assert.deepEqual(nets(host), [1234, 0]);
			assert.deepEqual(terminal.claim(idOf(1), 2, 1234), {
				reference: "CLM000000001",
				state: S.done,
				reason: 0,
				expectedAt: "261122093112",
			});
			assert.deepEqual(nets(host), [1234, 1234]);
			assert.equal(terminal.brief(2), `${GOOD} 0 1234`);
		});

		it("sent again gets the same answer and moves nothing, now, later and after a restart", () => {
			const { host, terminal } = unposted();
			const first = terminal.claim(idOf(1), 2, 1234);
			for (const wait of [0, HOUR_MS]) {
				host.time.advance(wait);
				assert.deepEqual(terminal.claim(idOf(1), 2, 1234), first);
				assert.deepEqual(terminal.stateOf(idOf(1)), first);
				host.restart();
			}
			assert.deepEqual(nets(host), [1234, 1234]);
		});

		it("for more than is missing at the merchant is refused, and for less leaves the rest to be claimed", () => {
			const { host, terminal } = unposted();
			assert.deepEqual(brief(terminal.claim(idOf(1), 2, 1235)), [S.refused, Reason.overAmount]);
			assert.deepEqual(nets(host), [1234, 0]);
			assert.deepEqual(brief(terminal.claim(idOf(2), 2, 1000)), [S.done, 0]);
			assert.deepEqual(brief(terminal.claim(idOf(3), 2, 235)), [S.refused, Reason.overAmount]);
			assert.deepEqual(brief(terminal.claim(idOf(4), 2, 234)), [S.done, 0]);
			assert.deepEqual(nets(host), [1234, 1234]);
			assert.deepEqual(brief(terminal.claim(idOf(5), 2, 1)), [S.refused, Reason.alreadyDone]);
		});

		it("of a sale that is posted, voided, reversed, declined or unheard of is refused, each for its reason", () => {
			const { host, terminal } = sold();
			host.ask("void", { stan: 3, original: originalOf(1, 2) });
			host.sale({ stan: 4 });
			host.reversal({ stan: 4 });
			host.sale({ stan: 5, amountMinor: 0 });
			host.sale({ stan: 6 });
			const reasons = [2, 3, 4, 5, 6, 7].map((stan) => terminal.claim(idOf(stan), stan, 100).reason);
			const { reversed, notASale, declined, alreadyDone, unknown } = Reason;
			assert.deepEqual(reasons, [reversed, notASale, reversed, declined, alreadyDone, unknown]);
			assert.deepEqual(nets(host, 6), [1234, 1234]);
		});

		it("of what only the issuer knows is recorded with its posting: then the acquirer has heard of it", () => {
			const { host, terminal, injected } = rig();
			host.faults.arm("recordLost");
			host.sale();
			assert.deepEqual(injected, [{ fault: "recordLost", key: { ...TERMINAL, batch: 1, stan: 2 }, amountMinor: 1234 }]);
			assert.equal(terminal.brief(2), `${F.debited} 0 1234`);
			assert.deepEqual(brief(terminal.claim(idOf(1), 2, 1234)), [S.done, 0]);
			assert.equal(terminal.brief(2), `${GOOD} 0 1234`);
			host.restart();
			assert.deepEqual(nets(host), [1234, 1234]);
			// The terminal's own repeat finds the sale, and debits nothing.
			assert.equal(host.sale().code, "00");
			assert.deepEqual(nets(host), [1234, 1234]);
		});

		it("of what only the issuer knows is refused where the desk does not go by the issuer alone", () => {
			const { host, terminal } = rig({ desk: { unrecorded: false } });
			host.faults.arm("recordLost");
			host.sale();
			assert.deepEqual(brief(terminal.claim(idOf(1), 2, 1234)), [S.refused, Reason.noRecord]);
			assert.equal(terminal.brief(2), `${F.debited} 0 1234`);
		});

		it("while the merchant's account takes nothing is refused for that, and granted once it is mended", () => {
			const { host, terminal } = unposted();
			const { backOffice } = host.acquirer;
			backOffice.refuseAccount(TERMINAL, host.time.nowMs, 44);
			assert.deepEqual(brief(terminal.claim(idOf(1), 2, 1234)), [S.refused, 44]);
			backOffice.mendAccount(TERMINAL, host.time.nowMs);
			assert.deepEqual(brief(terminal.claim(idOf(2), 2, 1234)), [S.done, 0]);
		});

		it("takes a refund that waited for it with it: the shop keeps what the card has still paid", () => {
			const { host, terminal } = unposted();
			assert.equal(host.ask("refund", { stan: 3, amountMinor: 234, original: originalOf(1, 2) }).code, "00");
			assert.deepEqual(nets(host), [1000, 0]);
			assert.deepEqual(brief(terminal.claim(idOf(1), 2, 1234)), [S.done, 0]);
			assert.deepEqual(nets(host), [1000, 1000]);
		});

		it("and then the bank's posting of the same: the ledger refuses it, by fault and when it is due", () => {
			const { host, terminal } = unposted();
			host.faults.arm("deskPostsTwice");
			assert.deepEqual(brief(terminal.claim(idOf(1), 2, 1000)), [S.done, 0]);
			assert.deepEqual(nets(host), [1234, 1000]);
			assert.match(host.events.map(({ text }) => text).join("\n"), /stan 2 second posting refused/);

			const late = rig({ postingDelayMs: HOUR_MS });
			late.host.sale();
			assert.deepEqual(brief(late.terminal.claim(idOf(1), 2, 1234)), [S.done, 0]);
			late.host.time.advance(2 * HOUR_MS);
			assert.deepEqual(nets(late.host), [1234, 1234]);
			assert.match(late.host.events.map(({ text }) => text).join("\n"), /stan 2 second posting refused/);
		});
	});

	describe("a credit", () => {
		it("gives back to the card and takes the same from the merchant, in parts and whole", () => {
			const { host, terminal } = sold();
			assert.deepEqual(brief(terminal.credit(idOf(1), 2, 234)), [S.done, 0]);
			assert.deepEqual(nets(host), [1000, 1000]);
			assert.equal(terminal.brief(2), `${GOOD} 0 1000`);
			assert.deepEqual(brief(terminal.credit(idOf(2), 2, 1001)), [S.refused, Reason.overAmount]);
			assert.deepEqual(brief(terminal.credit(idOf(3), 2, 1000)), [S.done, 0]);
			assert.deepEqual(nets(host), [0, 0]);
			assert.deepEqual(brief(terminal.credit(idOf(4), 2, 1)), [S.refused, Reason.alreadyDone]);
			// Taken back whole: what it was, and that it does not stand.
			assert.equal(terminal.brief(2), `${F.recorded | F.debited | F.reversed} 0 1234`);
			assert.equal(host.acquirer.statement().totals.conserved, true);
		});

		it("of a debit that the acquirer has lost takes nothing from a merchant who never had it", () => {
			const { host, terminal } = rig();
			host.faults.arm("recordLost");
			host.sale();
			assert.equal(terminal.credit(idOf(1), 2, 1234).reference, "CRD000000001");
			assert.deepEqual(nets(host), [0, 0]);
			// It never comes back: an original that lay in the network is refused.
			assert.equal(host.sale().code, "12");
			assert.deepEqual(nets(host), [0, 0]);
		});

		it("before the posting leaves that much less to be posted", () => {
			const { host, terminal } = sold({ postingDelayMs: HOUR_MS });
			assert.deepEqual(brief(terminal.credit(idOf(1), 2, 234)), [S.done, 0]);
			assert.deepEqual(nets(host), [1000, 0]);
			host.time.advance(2 * HOUR_MS);
			assert.deepEqual(nets(host), [1000, 1000]);
		});

		it("and then a reversal gives back the rest, and a refund cannot have it again", () => {
			const { host, terminal } = sold();
			terminal.credit(idOf(1), 2, 1000);
			assert.equal(host.ask("refund", { stan: 3, amountMinor: 235, original: originalOf(1, 2) }).code, "64");
			assert.equal(host.ask("void", { stan: 4, original: originalOf(1, 2) }).code, "12");
			assert.equal(host.reversal().code, "00");
			assert.deepEqual(nets(host), [0, 0]);
			assert.deepEqual(brief(terminal.credit(idOf(2), 2, 1)), [S.refused, Reason.reversed]);
		});
	});

	describe("a request id", () => {
		it("used for another amount, transaction or kind is refused, and what it was used for stands", () => {
			const { host, terminal } = unposted();
			host.faults.arm("postingLost");
			host.sale({ stan: 3 });
			const first = terminal.claim(idOf(1), 2, 1000);
			const other = { ...first, state: S.refused, reason: Reason.duplicateId, expectedAt: NEVER };
			assert.deepEqual(terminal.claim(idOf(1), 2, 234), other);
			assert.deepEqual(terminal.claim(idOf(1), 3, 1000), other);
			assert.deepEqual(terminal.credit(idOf(1), 2, 1000), other);
			assert.deepEqual(terminal.stateOf(idOf(1)), first);
			assert.deepEqual(
				[nets(host), nets(host, 3)],
				[
					[1234, 1000],
					[1234, 0],
				],
			);
		});

		it("that was refused stays refused, though its reason is gone: another one is asked with", () => {
			const { host, terminal } = unposted({ desk: { policy: "refuse" } });
			const refused = terminal.claim(idOf(1), 2, 1234);
			assert.deepEqual(refused, {
				reference: "CLM000000001",
				state: S.refused,
				reason: Reason.policy,
				expectedAt: NEVER,
			});
			const kind = new OfficeTerminal(new HostUnderTest({ store: host.store, time: host.time }));
			assert.deepEqual(kind.claim(idOf(1), 2, 1234), refused);
			assert.deepEqual(brief(kind.claim(idOf(2), 2, 1234)), [S.done, 0]);
		});

		it("that never came is unknown, and belongs to its terminal alone", () => {
			const other = { ...TEST_TERMINAL, terminalId: "12345679", hak: "000102030405060708090A0B0C0D0E0F" };
			const host = new HostUnderTest({ terminals: [TEST_TERMINAL, other] });
			const [one, two] = [new OfficeTerminal(host), new OfficeTerminal(host, other)];
			host.faults.arm("postingLost");
			host.sale();
			assert.deepEqual(two.claim(idOf(1), 2, 1234), {
				reference: "CLM000000001",
				state: S.refused,
				reason: Reason.unknown,
				expectedAt: NEVER,
			});
			assert.deepEqual(brief(one.stateOf(idOf(1))), [S.refused, Reason.unknown]);
			assert.equal(one.claim(idOf(1), 2, 1234).reference, "CLM000000002");
			assert.deepEqual(brief(two.stateOf(idOf(1))), [S.refused, Reason.unknown]);
			assert.deepEqual(nets(host), [1234, 1234]);
		});

		it("is answered as lost, by fault, and carried out: the repeat finds it done", () => {
			const { host, terminal } = unposted();
			host.faults.arm("requestAnswerLost");
			const data = `${idOf(1)}000001000002000000001234${NO_EVIDENCE}`;
			assert.equal(terminal.ask("403", data, 1), undefined);
			assert.deepEqual(nets(host), [1234, 1234]);
			assert.deepEqual(brief(terminal.claim(idOf(1), 2, 1234)), [S.done, 0]);
			assert.deepEqual(nets(host), [1234, 1234]);
		});
	});

	describe("policy", () => {
		it("late: received with the time of the grant, granted and done then by itself, over a restart too", () => {
			for (const restarts of [false, true]) {
				const { host, terminal } = unposted({ desk: { policy: "late", doneMs: HOUR_MS } });
				const doneBy = "261122143112";
				const expected = { reference: "CLM000000001", reason: 0, expectedAt: doneBy };
				assert.deepEqual(terminal.claim(idOf(1), 2, 1234), { ...expected, state: S.received });
				assert.equal(terminal.claim(idOf(2), 2, 1234).reason, Reason.otherRequest);
				host.time.advance(4 * HOUR_MS);
				if (restarts) host.restart();
				assert.deepEqual(terminal.stateOf(idOf(1)), { ...expected, state: S.granted });
				assert.deepEqual(nets(host), [1234, 0]);
				if (restarts) host.restart();
				host.time.advance(HOUR_MS);
				assert.deepEqual(nets(host), [1234, 1234]); // Nobody has asked.
				assert.deepEqual(terminal.stateOf(idOf(1)), { ...expected, state: S.done });
			}
		});

		it("late: what was reversed in the meantime is refused in the end, and nothing is posted", () => {
			const { host, terminal } = unposted({ desk: { policy: "late" } });
			assert.deepEqual(terminal.claim(idOf(1), 2, 1234).expectedAt, LATER);
			assert.equal(host.reversal().code, "00");
			host.time.advance(5 * HOUR_MS);
			assert.deepEqual(brief(terminal.stateOf(idOf(1))), [S.refused, Reason.reversed]);
			assert.deepEqual(nets(host), [0, 0]);
		});

		it("evidence: wanted until the same request comes with it; a repeat without it waits on", () => {
			const { host, terminal } = unposted({ desk: { policy: "evidence" } });
			assert.deepEqual(terminal.claim(idOf(1), 2, 1234, EVIDENCE), {
				reference: "CLM000000001",
				state: S.evidence,
				reason: 0,
				expectedAt: NEVER,
			});
			host.restart();
			assert.equal(terminal.claim(idOf(1), 2, 1234).state, S.evidence);
			assert.equal(terminal.stateOf(idOf(1)).state, S.evidence);
			assert.deepEqual(nets(host), [1234, 0]);
			assert.equal(terminal.claim(idOf(1), 2, 1234, EVIDENCE).state, S.done);
			assert.deepEqual(nets(host), [1234, 1234]);
		});

		it("may go by the request, and the desk's faults go before it, for one request each", () => {
			const { host, terminal } = unposted({ desk: { policy: ({ type }) => (type === "403" ? "grant" : "refuse") } });
			const wanted: (readonly ["deskRefuses" | "deskWantsEvidence" | "deskLate", number])[] = [
				["deskRefuses", S.refused],
				["deskWantsEvidence", S.evidence],
				["deskLate", S.received],
			];
			for (const [place, [fault, state]] of wanted.entries()) {
				const stan = 10 + place;
				host.faults.arm("postingLost");
				host.sale({ stan });
				host.faults.arm(fault);
				assert.equal(terminal.claim(idOf(stan), stan, 1234).state, state, fault);
			}
			assert.equal(terminal.claim(idOf(1), 2, 1234).state, S.done);
			assert.deepEqual(brief(terminal.credit(idOf(2), 2, 1)), [S.refused, Reason.policy]);
			host.faults.clear();
		});

		it("a request that cannot be granted draws none of the desk's faults: they wait for one that could", () => {
			const { host, terminal } = unposted();
			host.faults.arm("deskRefuses");
			assert.equal(terminal.claim(idOf(1), 9, 1).reason, Reason.unknown);
			assert.equal(terminal.claim(idOf(2), 2, 1234).reason, Reason.policy);
		});

		it("a person decides on what is open, once, and on nothing else", () => {
			const { host, terminal } = unposted({ desk: { policy: "evidence" } });
			const { desk } = host.acquirer.backOffice;
			const decide = (id: number, grant: boolean): boolean => desk.decide(TERMINAL, idOf(id), grant, host.time.nowMs);
			terminal.claim(idOf(1), 2, 1000);
			assert.equal(decide(7, true), false);
			assert.equal(decide(1, true), true);
			assert.deepEqual(nets(host), [1234, 1000]);
			assert.equal(decide(1, false), false);
			terminal.claim(idOf(2), 2, 234);
			assert.equal(decide(2, false), true);
			assert.deepEqual(brief(terminal.stateOf(idOf(2))), [S.refused, Reason.policy]);
			host.restart();
			assert.deepEqual(brief(terminal.stateOf(idOf(1))), [S.done, 0]);
			assert.deepEqual(brief(terminal.stateOf(idOf(2))), [S.refused, Reason.policy]);
		});
	});

	it("killed at any write between the question and the answer it does nothing twice, and finishes what it decided", () => {
		for (const type of ["claim", "credit"] as const) {
			for (const keeps of [false, true]) {
				for (let at = 1; ; at++) {
					const store = new CutStore();
					const { host, terminal } = rig({}, store);
					host.faults.arm("postingLost");
					host.sale();
					const data = `${idOf(1)}000001000002000000000234${EVIDENCE}`;
					store.cutAt(at, keeps);
					const answer = terminal.ask(type === "claim" ? "403" : "404", data, 1);
					store.heal();
					if (answer !== undefined) {
						assert.ok(at > 3, "request, money and its end are each a write");
						break;
					}
					assert.equal(host.crashes, 1);
					host.restart();
					assert.deepEqual(brief(terminal[type](idOf(1), 2, 234)), [S.done, 0], `${type} ${at} ${keeps}`);
					assert.deepEqual(nets(host), type === "claim" ? [1234, 234] : [1000, 0]);
				}
			}
		}
	});

	it("keeps each head of the evidence chain once, with what it came with and when, and none of zeros", () => {
		const { host, terminal } = unposted();
		terminal.digest(1, 2, "01".repeat(32));
		terminal.digest(1, 2, "01".repeat(32));
		terminal.digest(1, 2, NO_EVIDENCE);
		host.time.advance(1000);
		terminal.claim(idOf(1), 2, 1234, "02".repeat(32));
		terminal.credit(idOf(2), 2, 1, "03".repeat(32));
		host.restart();
		const { anchors } = host.acquirer.backOffice.report(host.time.nowMs);
		const at = host.time.nowMs;
		assert.deepEqual(
			anchors.map(({ head, by, at: when, stan }) => [head.slice(0, 2), by, when, stan]),
			[
				["01", "406", at - 1000, 2],
				["02", "403", at, 2],
				["03", "404", at, 2],
			],
		);
		const inChina = new Date(at + 8 * 3_600_000).toISOString().replace(/\D/g, "").slice(0, 14);
		assert.deepEqual([anchors[2].hostTime, anchors[0].hostTime.length], [inChina, 14]);
	});
});

const TERMINAL = { merchantId: TEST_TERMINAL.merchantId, terminalId: TEST_TERMINAL.terminalId };

function brief({ state, reason }: { state: number; reason: number }): number[] {
	return [state, reason];
}
