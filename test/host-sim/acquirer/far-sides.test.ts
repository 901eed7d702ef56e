/**
 * Goal: a repayment or top-up is paid once and reaches its far side once, or the card has its money back, and never both:
 * whatever fails there, whoever asks again, and wherever the host dies. Source: PROTOCOL.md, "Doubt, by kind", 407.
 */
import * as assert from "node:assert/strict";
import type { OfficeOptions } from "../../../host-sim/acquirer/acquirer";
import type { FaultName } from "../../../host-sim/acquirer/faults";
import type { IssuerFact } from "../../../host-sim/acquirer/issuer";
import { MemoryLedgerStore } from "../../../host-sim/acquirer/ledger-store";
import type { Injection } from "../../../host-sim/acquirer/mishaps";
import { Reason } from "../../../host-sim/acquirer/posting-reasons";
import { readStatement } from "../../../host-sim/acquirer/statement";
import { TEST_TERMINAL } from "../../../host-sim/acquirer/test-keys";
import { TEST_CARDS } from "../../../host-sim/test-cards";
import { CodedError } from "../../../src/core/errors";
import { frameOf, frameOfKind, HostUnderTest, originalOf } from "./host-under-test";
import {
	bcd,
	CutStore,
	F,
	idOf,
	NO_EVIDENCE,
	OfficeTerminal,
	type RequestRead,
	rowOf,
	S,
	totalsOf,
} from "./office-rig";

const HOUR_MS = 3_600_000;
const PHONE = "13800138000";
/** A card of no bank. */
const CREDIT_CARD = "6212340000000000005";
const DONE = F.recorded | F.debited | F.posted | F.farDone;
const FAILED = F.recorded | F.debited | F.farFailed;

function rig(office: OfficeOptions = {}, store = new CutStore()) {
	const injected: Injection[] = [];
	const host = new HostUnderTest({ store, office: { ...office, onInjected: (injection) => injected.push(injection) } });
	return { host, store, injected, terminal: new OfficeTerminal(host) };
}

/** A top-up of 12.34 under STAN 2, where `faults` strike. */
function toppedUp(office: OfficeOptions = {}, ...faults: FaultName[]) {
	const made = rig(office);
	for (const fault of faults) made.host.faults.arm(fault);
	assert.equal(made.host.ask("topUp", { payee: PHONE }).code, "00");
	return made;
}

/** One that the far side has not taken. */
function failed(office: OfficeOptions = {}) {
	return toppedUp(office, "farSideFailed");
}

/** What the card has paid, and what the far side has. */
function nets(host: HostUnderTest, stan = 2): [number, number] {
	const { cardNetMinor, merchantNetMinor } = host.entry(stan);
	return [cardNetMinor, merchantNetMinor];
}

function brief({ state, reason }: RequestRead): [number, number] {
	return [state, reason];
}

describe("host: the far sides of repayments and top-ups", () => {
	describe("when all is well", () => {
		for (const [kind, payee, masked, number] of [
			["repayment", CREDIT_CARD, "621234*********0005", 6],
			["topUp", PHONE, "*******8000", 7],
		] as const) {
			it(`a ${kind} debits the card and pays its far side, nobody else; no payee is kept in full`, () => {
				const { host, store, terminal } = rig();
				const answer = host.ask(kind, { payee });
				assert.deepEqual([answer.code, answer.macRight], ["00", true]);
				assert.deepEqual(nets(host), [1234, 1234]);
				assert.deepEqual(terminal.transaction(1, 2), {
					stan: 2,
					kind: number,
					amountMinor: 1234,
					flags: DONE,
					reason: 0,
					rrn: answer.rrn,
					recordedAt: "261122093112",
					postedAt: "261122093112",
				});
				const { totals } = host.acquirer.statement();
				assert.deepEqual([totals.merchantNetMinor, totals.farSidesNetMinor, totals.conserved], [1234, 1234, true]);
				assert.deepEqual(store.load("merchant"), [], "it is no money of the shop's");
				const records = JSON.stringify([store.load("acquirer"), store.load("farSides")]);
				assert.ok(records.includes(`"payee":"${masked}"`), records);
				assert.ok(!records.includes(payee));
			});
		}

		it("a repeat gets the first answer and moves nothing; another payee under the number is another transaction", () => {
			const { host } = toppedUp();
			const first = host.ask("topUp", { payee: PHONE });
			host.restart();
			assert.deepEqual(host.ask("topUp", { payee: PHONE }).frame, first.frame);
			assert.deepEqual(nets(host), [1234, 1234]);
			assert.equal(host.ask("topUp", { payee: "13800139999" }).code, "94");
			assert.equal(host.ask("repayment", { payee: CREDIT_CARD }).code, "94");
			assert.equal(host.sale().code, "94");
			assert.deepEqual(nets(host), [1234, 1234]);
		});

		it("a payee that none can be is answered 30, and a decline reaches no far side", () => {
			const { host, store } = rig();
			const wrong: [kind: "repayment" | "topUp", payee: string][] = [
				["topUp", CREDIT_CARD],
				["topUp", "1380013800"],
				["topUp", "1380013800X"],
				["topUp", " "],
				["repayment", PHONE],
				["repayment", "62123400000000000059"],
			];
			for (const [kind, payee] of wrong) assert.equal(host.ask(kind, { payee }).code, "30", payee);
			assert.equal(host.ask("topUp", { payee: PHONE, card: "poor", amountMinor: 101 }).code, "51");
			assert.deepEqual(store.load("farSides"), []);
			assert.equal(host.acquirer.statement().totals.debitedMinor, 0);
		});

		it("a MAC that does not cover the payee is refused: one who changes the number on the way gets nothing", () => {
			const { host, store } = rig();
			const line = host.call();
			const frame = frameOfKind("topUp", { payee: PHONE });
			frame[Buffer.from(frame).indexOf(PHONE) + 5] ^= 1;
			line.connection?.receive(frame);
			assert.equal(line.answers()[0].code, "A0");
			assert.deepEqual(store.load("issuer"), []);
		});

		it("void, refund and resend of one are refused; totals, list and digest have it as what it is", () => {
			const { host, terminal } = toppedUp();
			host.sale({ stan: 3 });
			assert.equal(host.ask("void", { stan: 4, original: originalOf(1, 2) }).code, "58");
			assert.equal(host.ask("refund", { stan: 5, original: originalOf(1, 2) }).code, "58");
			assert.equal(host.ask("resend", { stan: 6, original: originalOf(1, 2) }).code, "64");
			assert.deepEqual(nets(host), [1234, 1234]);
			assert.deepEqual(terminal.digest(1, 3).sums, ["2/2468", "2/2468", "0/0", "0/0"]);
			assert.deepEqual(
				terminal.list(1, 1, 9).entries.map(({ kind, flags }) => `${kind} ${flags}`),
				[`7 ${DONE}`, `1 ${F.recorded | F.debited | F.posted}`],
			);
			assert.equal(terminal.settle(1, totalsOf(2, 2468))?.totals[30], "1");
			assert.equal(terminal.upload(1, [rowOf(2, CREDIT_CARD, 1234)])?.code, "00");
		});
	});

	describe("a far side that fails after the debit", () => {
		it("leaves an approval and a one-sided entry that says so, also after a restart, and is told as injected", () => {
			for (const [fault, state] of [
				["farSideFailed", "failed"],
				["farSideRefused", "refused"],
			] as const) {
				const { host, terminal, injected } = toppedUp({}, fault);
				for (let n = 0; n < 2; n++) {
					assert.deepEqual(nets(host), [1234, 0]);
					assert.equal(host.entry(2).farSide, state);
					assert.equal(terminal.brief(2), `${FAILED} 0 1234`);
					assert.deepEqual(terminal.digest(1, 2).sums, ["1/1234", "0/0", "0/0", "1/1234"]);
					host.restart();
				}
				assert.deepEqual(injected, [{ fault, key: { ...KEY, stan: 2 }, amountMinor: 1234 }]);
				assert.equal(host.ask("topUp", { payee: PHONE }).code, "00", "a repeat is the first answer");
				assert.deepEqual(nets(host), [1234, 0]);
			}
		});

		it("for now: 407 has it done, once, with a reference and a time; a repeat of its id gets the same", () => {
			const { host, terminal } = failed();
			host.time.advance(HOUR_MS);
			const first = terminal.farSide(idOf(1), 2);
			assert.deepEqual(first, { reference: "FAR000000001", state: S.done, reason: 0, expectedAt: "261122103112" });
			host.time.advance(HOUR_MS);
			for (let n = 0; n < 2; n++) {
				assert.deepEqual(terminal.farSide(idOf(1), 2), first);
				assert.deepEqual(terminal.stateOf(idOf(1)), first);
				assert.equal(terminal.brief(2), `${DONE} 0 1234`);
				assert.equal(terminal.transaction(1, 2)?.postedAt, "261122103112");
				assert.deepEqual(nets(host), [1234, 1234]);
				host.restart();
			}
			assert.deepEqual(brief(terminal.farSide(idOf(2), 2)), [S.refused, Reason.alreadyDone]);
			assert.deepEqual(brief(terminal.credit(idOf(3), 2, 1234)), [S.refused, Reason.alreadyDone]);
			assert.deepEqual(nets(host), [1234, 1234]);
		});

		it("for good, at the first try or at the next: 407 says so, and 404 gives the card its money", () => {
			const atOnce = toppedUp({}, "farSideRefused");
			const later = failed();
			later.host.faults.arm("farSideRefuses");
			for (const { host, terminal } of [atOnce, later]) {
				assert.deepEqual(brief(terminal.farSide(idOf(1), 2)), [S.refused, Reason.farSideRefused]);
				assert.deepEqual(brief(terminal.farSide(idOf(2), 2)), [S.refused, Reason.farSideRefused]);
				assert.equal(host.entry(2).farSide, "refused");
				host.restart();
				assert.deepEqual(brief(terminal.credit(idOf(3), 2, 1234)), [S.done, 0]);
				assert.deepEqual(nets(host), [0, 0]);
				assert.equal(terminal.brief(2), `${FAILED | F.reversed} 0 1234`);
				assert.equal(host.acquirer.statement().totals.conserved, true);
			}
		});

		it("and then the card has its money back: nothing goes to the far side any more", () => {
			const { host, terminal, store } = failed();
			assert.deepEqual(brief(terminal.credit(idOf(1), 2, 1234)), [S.done, 0]);
			assert.equal(host.entry(2).farSide, "barred");
			assert.deepEqual(brief(terminal.farSide(idOf(2), 2)), [S.refused, Reason.reversed]);
			assert.deepEqual(brief(terminal.credit(idOf(3), 2, 1)), [S.refused, Reason.alreadyDone]);
			host.restart();
			assert.deepEqual(nets(host), [0, 0]);
			assert.deepEqual(
				(store.load("farSides") as { kind: string }[]).map(({ kind }) => kind),
				["failed", "barred"],
			);
		});

		it("a part of it back on the card bars the rest from the far side; the rest goes back to the card, too", () => {
			const { host, terminal } = failed();
			assert.deepEqual(brief(terminal.credit(idOf(1), 2, 34)), [S.done, 0]);
			assert.deepEqual(brief(terminal.farSide(idOf(2), 2)), [S.refused, Reason.reversed]);
			assert.deepEqual(brief(terminal.credit(idOf(3), 2, 1201)), [S.refused, Reason.overAmount]);
			assert.deepEqual(brief(terminal.credit(idOf(4), 2, 1200)), [S.done, 0]);
			assert.deepEqual(nets(host), [0, 0]);
		});

		it("the desk's refusal moves nothing, and is given for that id for ever", () => {
			const { host, terminal } = failed();
			host.faults.arm("deskRefuses");
			for (let n = 0; n < 2; n++) {
				assert.deepEqual(brief(terminal.farSide(idOf(1), 2)), [S.refused, Reason.policy]);
				host.restart();
			}
			assert.deepEqual(nets(host), [1234, 0]);
			assert.deepEqual(brief(terminal.farSide(idOf(2), 2)), [S.done, 0]);
		});

		it("a host that dies behind any step of a 407 has it done once, and says so", () => {
			for (let cut = 1; cut <= 3; cut++) {
				for (const keeps of [false, true]) {
					const { host, store, terminal } = failed();
					store.cutAt(cut, keeps);
					assert.equal(terminal.ask("407", idOf(1) + bcd(1, 6) + bcd(2, 6), 1), undefined);
					store.heal();
					host.restart();
					assert.deepEqual(brief(terminal.farSide(idOf(1), 2)), [S.done, 0], `append ${cut}`);
					assert.deepEqual(nets(host), [1234, 1234]);
					const { requests } = host.acquirer.backOffice.report(host.time.nowMs);
					assert.equal(requests.length, 1);
				}
			}
		});

		it("granted late, it is received, then done by itself; until then no other request has its way", () => {
			const { host, terminal } = failed({ desk: { policy: "late" } });
			const first = terminal.farSide(idOf(1), 2);
			assert.deepEqual(first, { ...first, state: S.received, expectedAt: "261122133112" });
			assert.deepEqual(brief(terminal.credit(idOf(2), 2, 1234)), [S.refused, Reason.otherRequest]);
			assert.deepEqual(brief(terminal.farSide(idOf(3), 2)), [S.refused, Reason.otherRequest]);
			host.restart();
			host.time.advance(4 * HOUR_MS);
			assert.deepEqual(nets(host), [1234, 1234]);
			assert.deepEqual(brief(terminal.stateOf(idOf(1))), [S.done, 0]);
		});

		it("late, and reversed meanwhile: the card has it, and the desk's grant moves nothing", () => {
			const { host, terminal } = failed({ desk: { policy: "late" } });
			assert.equal(terminal.farSide(idOf(1), 2).state, S.received);
			assert.equal(host.farReversal({}, "topUp").code, "00");
			host.time.advance(4 * HOUR_MS);
			assert.deepEqual(brief(terminal.stateOf(idOf(1))), [S.refused, Reason.reversed]);
			assert.deepEqual(nets(host), [0, 0]);
		});

		it("an answer that is lost is no second try: 405 and a repeat of the id tell what became of it", () => {
			const { host, terminal } = failed();
			host.faults.arm("requestAnswerLost");
			assert.equal(terminal.ask("407", idOf(1) + bcd(1, 6) + bcd(2, 6), 1), undefined);
			assert.deepEqual(nets(host), [1234, 1234]);
			assert.deepEqual(brief(terminal.stateOf(idOf(1))), [S.done, 0]);
			assert.deepEqual(brief(terminal.farSide(idOf(1), 2)), [S.done, 0]);
			assert.deepEqual(nets(host), [1234, 1234]);
		});

		it("an id that was used for something else makes no request, of whichever kind", () => {
			const { host, terminal } = failed();
			host.ask("topUp", { stan: 3, payee: PHONE });
			assert.deepEqual(brief(terminal.farSide(idOf(1), 2)), [S.done, 0]);
			assert.deepEqual(brief(terminal.farSide(idOf(1), 3)), [S.refused, Reason.duplicateId]);
			assert.deepEqual(brief(terminal.credit(idOf(1), 2, 1234)), [S.refused, Reason.duplicateId]);
			assert.deepEqual(brief(terminal.stateOf(idOf(1))), [S.done, 0]);
		});

		it("a desk that wants evidence grants it all the same: the message has no place for any", () => {
			const { host, terminal } = failed({ desk: { policy: "evidence" } });
			assert.deepEqual(brief(terminal.farSide(idOf(1), 2)), [S.done, 0]);
			assert.deepEqual(nets(host), [1234, 1234]);
			const struck = failed();
			struck.host.faults.arm("deskWantsEvidence");
			assert.deepEqual(brief(struck.terminal.farSide(idOf(1), 2)), [S.done, 0]);
		});

		it("407 for a sale, a void, or what nobody knows is refused, and 403 for a top-up", () => {
			const { host, terminal } = failed();
			host.sale({ stan: 3 });
			host.ask("void", { stan: 4, original: originalOf(1, 3) });
			assert.deepEqual(brief(terminal.farSide(idOf(1), 3)), [S.refused, Reason.noFarSide]);
			assert.deepEqual(brief(terminal.farSide(idOf(2), 4)), [S.refused, Reason.notASale]);
			assert.deepEqual(brief(terminal.farSide(idOf(3), 5)), [S.refused, Reason.unknown]);
			assert.deepEqual(brief(terminal.claim(idOf(4), 2, 1234)), [S.refused, Reason.notASale]);
		});
	});

	describe("a reversal of what is in doubt", () => {
		it("gets 21 where the far side has it, each time: nothing moves, and 402 tells the outcome", () => {
			const { host, terminal, store } = toppedUp();
			const before = store.appended;
			for (let n = 0; n < 2; n++) {
				const answer = host.farReversal({}, "topUp");
				assert.deepEqual([answer.code, answer.macRight], ["21", true]);
				host.restart();
			}
			assert.equal(store.appended, before, "and leaves no trace");
			assert.deepEqual(nets(host), [1234, 1234]);
			assert.equal(terminal.brief(2), `${DONE} 0 1234`);
		});

		it("gets 21 of what a 407 has brought there, also where the acquirer has no record of the debit", () => {
			const { host, terminal } = rig();
			host.faults.arm("crash");
			host.tell(() => frameOfKind("topUp", { payee: PHONE }));
			assert.equal(host.acquirer.dead, true);
			host.restart();
			assert.equal(host.entry(2).farSide, "pending");
			assert.equal(terminal.brief(2), `${F.debited} 0 1234`);
			assert.deepEqual(brief(terminal.farSide(idOf(1), 2)), [S.done, 0]);
			assert.equal(host.farReversal({}, "topUp").code, "21");
			// The repeat is recorded, and fails at no far side any more.
			host.faults.arm("farSideFailed");
			assert.equal(host.ask("topUp", { payee: PHONE }).code, "00");
			assert.deepEqual(nets(host), [1234, 1234]);
			assert.equal(terminal.brief(2), `${DONE} 0 1234`);
		});

		it("gets 00 where the far side has failed, for now or for good: the card has it back, and no 407 has its way", () => {
			for (const fault of ["farSideFailed", "farSideRefused"] as const) {
				const { host, terminal } = toppedUp({}, fault);
				for (let n = 0; n < 2; n++) {
					assert.equal(host.farReversal({}, "topUp").code, "00");
					assert.deepEqual(nets(host), [0, 0]);
					host.restart();
				}
				assert.deepEqual(brief(terminal.farSide(idOf(1), 2)), [S.refused, Reason.reversed]);
				assert.deepEqual(brief(terminal.credit(idOf(2), 2, 1)), [S.refused, Reason.reversed]);
				assert.equal(host.ask("topUp", { payee: PHONE }).code, "12");
				assert.deepEqual(nets(host), [0, 0]);
			}
		});

		it("gets 25 where nobody knows it; the original that comes after it is refused", () => {
			const { host, store } = rig();
			assert.equal(host.farReversal().code, "25");
			host.restart();
			assert.equal(host.ask("repayment", { payee: CREDIT_CARD }).code, "12");
			assert.equal(host.farReversal().code, "25");
			assert.equal(host.acquirer.statement().totals.debitedMinor, 0);
			assert.deepEqual(
				(store.load("farSides") as { kind: string }[]).map(({ kind }) => kind),
				["barred"],
			);
		});

		it("gets 64 for a sale that is reversed as a top-up, a top-up as a sale, or another amount or card", () => {
			const { host } = failed();
			host.sale({ stan: 3 });
			const wrong: [string, () => string][] = [
				["a sale as a top-up", () => host.farReversal({ stan: 3 }, "topUp").code],
				["a top-up as a sale", () => host.reversal({}).code],
				["a top-up as a repayment", () => host.farReversal({}, "repayment").code],
				["another amount", () => host.farReversal({ amountMinor: 1235 }, "topUp").code],
				["another card", () => host.farReversal({ card: "contactless" }, "topUp").code],
			];
			for (const [what, ask] of wrong) assert.equal(ask(), "64", what);
			assert.deepEqual(nets(host), [1234, 0]);
			assert.deepEqual(nets(host, 3), [1234, 1234]);
		});

		it("whatever step the host dies behind, the far side is barred before the card is credited", () => {
			for (const [act, failing] of [
				[(host: HostUnderTest) => host.tell(() => frameOf("0400", { ...TOP_UP })), "reversal"],
				[(host: HostUnderTest) => new OfficeTerminal(host).ask("404", idOf(1) + CREDIT_ALL, 1), "credit adjustment"],
			] as const) {
				let ends = 0;
				for (let cut = 1; cut < 8; cut++) {
					for (const keeps of [false, true]) {
						const { host, store } = failed();
						store.cutAt(cut, keeps);
						act(host);
						ends += host.acquirer.dead ? 1 : 0;
						const credited = (store.load("issuer") as IssuerFact[]).some(({ kind }) => kind !== "debit");
						const barred = (store.load("farSides") as { kind: string }[]).some(({ kind }) => kind === "barred");
						assert.ok(barred || !credited, `${failing}, append ${cut}`);
						store.heal();
						host.restart();
						act(host);
						assert.deepEqual(nets(host), [0, 0], `${failing}, append ${cut}`);
					}
				}
				assert.ok(ends >= 6, `${failing} was cut ${ends} times`);
			}
		});
	});

	it("a far side with money that no card has paid shows as one-sided", () => {
		const store = new MemoryLedgerStore();
		store.append("farSides", { kind: "credit", key: { ...KEY, stan: 2 }, amountMinor: 1234, at: 1 });
		const { entries, totals } = readStatement(store, TEST_CARDS);
		assert.deepEqual([entries.length, entries[0].merchantNetMinor, totals.oneSided], [1, 1234, 1]);
		assert.equal(totals.conserved, false);
	});

	it("a ledger of far sides that breaks its rules is damaged, whatever the rule", () => {
		const key = { ...KEY, stan: 2 };
		const credit = { kind: "credit", key, amountMinor: 1234, at: 1 };
		const wrong: object[][] = [
			[credit, credit],
			[{ kind: "barred", key, at: 1 }, credit],
			[credit, { kind: "barred", key, at: 2 }],
			[credit, { kind: "failed", key, final: false, at: 2 }],
			[{ kind: "failed", key, final: true, at: 1 }, credit],
			[
				{ kind: "failed", key, final: true, at: 1 },
				{ kind: "failed", key, final: false, at: 1 },
			],
			[
				{ kind: "barred", key, at: 1 },
				{ kind: "barred", key, at: 1 },
			],
			[{ ...credit, amountMinor: 0 }],
			[{ ...credit, amountMinor: 0.5 }],
			[{ ...credit, amountMinor: 1e12 }],
			[{ ...credit, request: 1 }],
			[{ ...credit, key: { ...key, stan: -1 } }],
			[{ ...credit, key: undefined }],
			[{ kind: "failed", key, at: 1 }],
			[{ kind: "gone", key, at: 1 }],
		];
		for (const facts of wrong) {
			const store = new MemoryLedgerStore();
			for (const fact of facts) store.append("farSides", fact);
			assert.throws(
				() => new HostUnderTest({ store }),
				(error) => error instanceof CodedError && error.code === "damaged",
				JSON.stringify(facts),
			);
		}
	});
});

const KEY = { merchantId: TEST_TERMINAL.merchantId, terminalId: TEST_TERMINAL.terminalId, batch: 1 };
const TOP_UP = { processingCode: "500000", type: "52" } as const;
const CREDIT_ALL = bcd(1, 6) + bcd(2, 6) + bcd(1234, 12) + NO_EVIDENCE;
