/** Cases on a journal: what is durable when, what is found again after a boot, what makes way. */
import { strict as assert } from "node:assert";
import { SeededRandom } from "../../host-sim/board/seeded-random";
import { toHex } from "../../src/core/bytes";
import { CodedError } from "../../src/core/errors";
import { RequestState, RequestType } from "../../src/settlement/case-records";
import { CaseState, Outcome } from "../../src/settlement/case-states";
import { CASES_OPEN_MAX, openCasesFor } from "../../src/settlement/cases";
import { Row } from "../../src/settlement/finding";
import { Fact, lastStep, nextStep } from "../../src/settlement/remedies";
import { contents, KeeperBench } from "./keeper-bench";
import { requestId, someCase } from "./some-cases";

const ALL = 31;
const MESSAGE = { message: /I4/ };

/** Through its first request and the books' agreement. */
function close({ cases }: KeeperBench, id: number): void {
	cases.apply(id, "agreed", 50);
}

/** The same, with all of it given back to the card. */
function giveBack(bench: KeeperBench, id: number): void {
	const changes = { requestId: requestId(id), requestMinor: 12_345 };
	bench.cases.beginStep(id, nextStep("debited", 1, 0, ALL), 2, changes);
	bench.cases.apply(id, "answeredDone", 3);
	close(bench, id);
}

describe("settlement: cases", () => {
	it("are found again after a boot with everything that was written, though nothing else was", () => {
		const bench = new KeeperBench();
		const { cases } = bench;
		const id = cases.open(someCase(11), 1_000);
		assert.equal(id, 1);
		cases.beginStep(id, nextStep("notFound", 0, 0, Fact.sync), 1_010, {
			requestId: requestId(1),
			requestMinor: 12_345,
		});
		cases.apply(id, "answeredGranted", 1_020, { reference: "CLM000000001", expectedS: 5_000, dueS: 5_000 });
		const before = contents(bench.now);
		const known = cases.get(id);
		assert.deepEqual(
			[known.state, known.step, known.requestType, known.requestState, known.reference],
			[CaseState.granted, 2, RequestType.claim, RequestState.granted, "CLM000000001"],
		);
		assert.deepEqual(
			known.events.map(({ state, timeS }) => [state, timeS]),
			[
				[CaseState.found, 1_000],
				[CaseState.asking, 1_010],
				[CaseState.granted, 1_020],
			],
		);
		assert.equal(contents(bench.boot().now), before);
		assert.equal(bench.cases.findOpen(7, 11), id);
		assert.equal(bench.cases.findOpen(7, 11, "debited"), 0);
		assert.equal(bench.cases.findOpen(8, 11), 0);
		assert.equal(bench.cases.dueS(id), 5_000);
		assert.equal(bench.cases.movingOf(7, 11), id);
	});

	it("are one for a transaction and row; another row of it is another case", () => {
		const { cases } = new KeeperBench();
		const id = cases.open(someCase(11), 1);
		assert.equal(cases.open(someCase(11), 2), id);
		assert.equal(cases.get(id).version, 1);
		assert.notEqual(cases.open(someCase(11, "otherAmount"), 3), id);
		assert.equal(cases.openCount, 2);
	});

	it("tell that all places are taken by open ones, and never let one of these go", () => {
		const bench = new KeeperBench({ openMax: 4, closedMax: 2 });
		for (let stan = 1; stan <= 4; stan++) assert.equal(bench.cases.open(someCase(stan), stan), stan);
		assert.ok(bench.cases.isFull);
		assert.equal(bench.cases.open(someCase(5), 5), 0);
		close(bench, 2);
		assert.equal(bench.cases.open(someCase(6), 6), 5);
		for (const stan of [1, 3, 4, 6]) assert.notEqual(bench.boot().cases.findOpen(7, stan), 0);
	});

	it("of the closed ones the oldest makes way, the newest never, and one that gave money back after all others", () => {
		const bench = new KeeperBench({ openMax: 4, closedMax: 2 });
		const { cases } = bench;
		const credited = cases.open(someCase(1, "debited"), 1);
		const id = requestId(1);
		cases.beginStep(credited, nextStep("debited", 0, 0, Fact.sync), 2, { requestId: id, requestMinor: 12_345 });
		cases.apply(credited, "answeredDone", 3);
		close(bench, credited);
		for (let stan = 2; stan <= 6; stan++) close(bench, cases.open(someCase(stan), stan));
		const left = [];
		for (let n = cases.next(0); n !== 0; n = cases.next(n)) left.push(n);
		assert.deepEqual(left, [1, 6]);
		assert.equal(cases.creditedMinor(7, 1), 12_345);
		assert.equal(cases.creditedMinor(7, 2), 0);
		assert.equal(bench.boot().cases.creditedMinor(7, 1), 12_345);
	});

	it("keep what was given back while its batch is known, whatever else closes; behind the release it makes way", () => {
		let open = 7;
		const bench = new KeeperBench({
			openMax: 2,
			closedMax: 2,
			blocks: 8,
			batches: { isLiveBatch: (batch) => batch >= open },
		});
		for (let stan = 1; stan <= 3; stan++) giveBack(bench, bench.cases.open(someCase(stan, "debited"), stan));
		assert.ok(!bench.cases.isHeld);
		for (let stan = 11; stan <= 40; stan++) {
			close(bench, bench.cases.open(someCase(stan), stan));
			if (stan % 4 === 0) bench.boot();
			for (let kept = 1; kept <= 3; kept++) assert.equal(bench.cases.creditedMinor(7, kept), 12_345, `stan ${stan}`);
		}
		giveBack(bench, bench.cases.open(someCase(4, "debited"), 50));
		assert.ok(bench.cases.isHeld && bench.cases.isFull && bench.boot().cases.isHeld);
		assert.equal(bench.cases.open(someCase(5), 51), 0);
		const whole = bench.cases.open({ ...someCase(0, "unbalanced"), transactionId: 0 }, 52);
		assert.notEqual(whole, 0);
		assert.equal(bench.boot().cases.findOpen(7, 0, "unbalanced"), whole);
		assert.equal(bench.cases.open(someCase(0, "unbalanced", 8), 53), 0);
		open = 8;
		assert.ok(!bench.cases.isFull);
		assert.notEqual(bench.cases.open(someCase(5, "notFound", 8), 54), 0);
		assert.equal(bench.cases.count, 4);
		assert.equal(bench.cases.creditedMinor(7, 1), 0);
		assert.notEqual(bench.boot().cases.findOpen(8, 5), 0);
		assert.equal(bench.cases.findOpen(7, 0, "unbalanced"), whole);
	});

	it("keep a decision while its batch is known, so that the same difference is not found once more", () => {
		const bench = new KeeperBench({ openMax: 2, closedMax: 1 });
		const id = bench.cases.open(someCase(1), 1);
		bench.cases.beginStep(id, lastStep("notFound"), 2, { dueS: 0 });
		bench.cases.apply(id, "operatorYes", 3);
		for (let stan = 2; stan <= 9; stan++) close(bench, bench.cases.open(someCase(stan), stan));
		assert.ok(bench.cases.isDecided(7, 1, "notFound") && bench.boot().cases.isDecided(7, 1, "notFound"));
		assert.ok(!bench.cases.isDecided(7, 9, "notFound"));
	});

	it("never give an id twice, whatever made way and however often power came back (I4)", () => {
		const bench = new KeeperBench({ openMax: 2, closedMax: 1, blocks: 8 });
		const seen = new Set<number>();
		for (let n = 1; n <= 300; n++) {
			const id = bench.cases.open(someCase(n), n);
			assert.ok(id > 0 && !seen.has(id), `id ${id}`);
			seen.add(id);
			close(bench, id);
			if (n % 7 === 0) bench.boot();
		}
		assert.ok(bench.now.journal.logBlocks < 8);
	});

	it("never give the newest id again, though only older ones are needed and all else is gone from flash (I4)", () => {
		const bench = new KeeperBench({ openMax: 2, closedMax: 2, blocks: 8 });
		for (let stan = 1; stan <= 2; stan++) {
			const id = bench.cases.open(someCase(stan, "debited"), 1);
			bench.cases.beginStep(id, nextStep("debited", 1, 0, ALL), 2, { requestId: requestId(stan), requestMinor: 1 });
			bench.cases.apply(id, "answeredDone", 3);
			close(bench, id);
		}
		close(bench, bench.cases.open(someCase(3), 4));
		for (let n = 0; n < 250; n++) bench.now.fill();
		assert.equal(bench.boot().cases.open(someCase(4), 5), 4);
	});

	it("have request ids that never come again (I4)", () => {
		const { cases } = new KeeperBench();
		/** The worst there is: the same bytes each time. */
		const random = { fill: (bytes: Uint8Array) => void bytes.fill(1) };
		const ids = new Set<string>();
		for (let stan = 1; stan <= 3; stan++) {
			const id = cases.open(someCase(stan), 1);
			const first = cases.newRequestId(id, random);
			cases.beginStep(id, nextStep("notFound", 1, 0, Fact.sync), 2, { requestId: first, requestMinor: 1 });
			cases.apply(id, "answeredRefused", 3);
			cases.apply(id, "differs", 4, { row: "debited" });
			const second = cases.newRequestId(id, random);
			ids.add(toHex(first)).add(toHex(second));
		}
		assert.equal(ids.size, 6);
		const different = new SeededRandom(3);
		assert.notEqual(toHex(cases.newRequestId(1, different)), toHex(cases.newRequestId(1, different)));
	});

	it("begin no request without an id, or with the one before (I4)", () => {
		const { cases } = new KeeperBench();
		const id = cases.open(someCase(1), 1);
		const claim = nextStep("notFound", 1, 0, ALL);
		assert.throws(() => cases.beginStep(id, claim, 2), MESSAGE);
		cases.beginStep(id, claim, 2, { requestId: requestId(1), requestMinor: 1 });
		cases.apply(id, "answeredRefused", 3);
		cases.apply(id, "differs", 4, { row: "debited" });
		const credit = nextStep("debited", 1, 1, ALL);
		assert.throws(() => cases.beginStep(id, credit, 5, { requestMinor: 1 }), MESSAGE);
		assert.throws(() => cases.beginStep(id, credit, 5, { requestId: requestId(1), requestMinor: 1 }), MESSAGE);
		assert.equal(cases.get(id).state, CaseState.found);
		cases.beginStep(id, credit, 5, { requestId: requestId(2), requestMinor: 1 });
		assert.equal(cases.get(id).requestType, RequestType.credit);
	});

	it("begin only a step of their row, by the event of its kind", () => {
		const { cases } = new KeeperBench();
		const id = cases.open(someCase(1), 1);
		assert.throws(() => cases.apply(id, "waits", 2, { step: 1 }), /begins a step of its row/);
		assert.throws(() => cases.apply(id, "asked", 2, { step: 3 }), /begins a step of its row/);
		assert.throws(() => cases.apply(id, "asked", 2, { step: 0 }), /begins a step of its row/);
		assert.throws(() => cases.apply(id, "operatorYes", 2), /takes no operatorYes/);
	});

	it("count what was given back once, however often the host says that it is done", () => {
		const { cases } = new KeeperBench();
		const id = cases.open(someCase(1, "debited"), 1);
		cases.beginStep(id, nextStep("debited", 1, 0, ALL), 2, { requestId: requestId(1), requestMinor: 700 });
		cases.apply(id, "supports", 3, { step: lastStep("debited").number });
		for (let n = 0; n < 3; n++) cases.apply(id, "answeredDone", 4 + n);
		cases.apply(id, "answeredReceived", 8);
		assert.equal(cases.get(id).requestState, RequestState.done);
		assert.equal(cases.creditedMinor(7, 1), 700);
	});

	it("do not count a claim, or a credit that was refused", () => {
		const { cases } = new KeeperBench();
		const claimed = cases.open(someCase(1), 1);
		cases.beginStep(claimed, nextStep("notFound", 1, 0, ALL), 2, { requestId: requestId(1), requestMinor: 700 });
		cases.apply(claimed, "answeredDone", 3);
		const refused = cases.open(someCase(2, "debited"), 1);
		cases.beginStep(refused, nextStep("debited", 1, 0, ALL), 2, { requestId: requestId(2), requestMinor: 700 });
		cases.apply(refused, "answeredRefused", 3, { reason: 3 });
		assert.equal(cases.creditedMinor(7, 1) + cases.creditedMinor(7, 2), 0);
	});

	it("begin the steps of another row anew when the books differ otherwise", () => {
		const { cases } = new KeeperBench();
		const id = cases.open(someCase(1, "overdue"), 1);
		cases.beginStep(id, nextStep("overdue", 0, 0, ALL), 2, { requestId: requestId(1), requestMinor: 1 });
		cases.apply(id, "answeredRefused", 3);
		assert.equal(cases.apply(id, "differs", 4, { row: "merchantAccount" }), "confirm");
		const { row, step, turns, state } = cases.get(id);
		assert.deepEqual([row, step, turns, state], [Row.merchantAccount, 0, 1, CaseState.found]);
		assert.equal(cases.findOpen(7, 1, "merchantAccount"), id);
		assert.throws(() => cases.apply(id, "differs", 5, { row: "merchantAccount" }), /another row/);
	});

	it("write nothing for an event that changes nothing, and all changes at once for any other", () => {
		const bench = new KeeperBench();
		const { cases } = bench;
		const id = cases.open(someCase(1), 1);
		const { operations } = bench.now.flash;
		assert.equal(cases.apply(id, "confirmed", 2), "begin");
		cases.apply(id, "due", 3, { dueS: 99 });
		cases.postpone(id, 98);
		assert.equal(bench.now.flash.operations, operations);
		assert.equal(cases.dueS(id), 98);
		assert.equal(cases.get(id).dueS, 0);
		cases.apply(id, "confirmed", 4, { hostMinor: 5, hostFlags: 3 });
		assert.equal(bench.now.flash.operations, operations + 1);
		assert.deepEqual([cases.get(id).hostMinor, cases.get(id).hostFlags], [5, 3]);
	});

	it("keep the last fourteen events", () => {
		const { cases } = new KeeperBench();
		const id = cases.open(someCase(1), 1);
		for (let n = 2; n <= 40; n++) cases.apply(id, "confirmed", n, { tries: n });
		const { events, version, tries } = cases.get(id);
		assert.deepEqual([events.length, events[0].timeS, events[13].timeS, version, tries], [14, 27, 40, 40, 40]);
	});

	it("say how they ended", () => {
		const { cases } = new KeeperBench();
		const ended = (id: number) => [cases.get(id).state, cases.get(id).outcome, cases.get(id).answer];
		const stands = cases.open(someCase(1, "doubled"), 1);
		cases.beginStep(stands, nextStep("doubled", 0, 0, ALL), 2);
		assert.equal(cases.apply(stands, "operatorNo", 3), "close");
		assert.deepEqual(ended(stands), [CaseState.resolved, Outcome.stands, 2]);
		const byHand = cases.open(someCase(2, "refundDiffers"), 1);
		cases.beginStep(byHand, nextStep("refundDiffers", 0, 0, 0), 2);
		cases.apply(byHand, "operatorYes", 3);
		assert.deepEqual(ended(byHand), [CaseState.resolved, Outcome.byHand, 1]);
		const loss = cases.open(someCase(3, "offlineDeclined"), 1);
		cases.beginStep(loss, nextStep("offlineDeclined", 0, 0, 0), 2);
		assert.deepEqual(ended(loss), [CaseState.loss, Outcome.loss, 0]);
		const withdrawn = cases.open(someCase(4), 1);
		cases.apply(withdrawn, "agreed", 2);
		assert.deepEqual(ended(withdrawn), [CaseState.withdrawn, Outcome.agreed, 0]);
		assert.equal(cases.openCount, 0);
		assert.equal(cases.findOpen(7, 1), 0);
		assert.equal(cases.findAny(7, 1, "doubled"), stands);
	});

	it("are gone through in order, and told when due; without the host's time only what is due at once", () => {
		const { cases } = new KeeperBench();
		for (let stan = 1; stan <= 4; stan++) cases.open({ ...someCase(stan), dueS: (stan - 1) * 10 }, 1);
		cases.apply(2, "agreed", 5);
		const walk = (step: (after: number) => number) => {
			const ids = [];
			for (let id = step(0); id !== 0; id = step(id)) ids.push(id);
			return ids;
		};
		assert.deepEqual(
			walk((after) => cases.next(after)),
			[1, 2, 3, 4],
		);
		assert.deepEqual(
			walk((after) => cases.nextOpen(after)),
			[1, 3, 4],
		);
		assert.deepEqual(
			walk((after) => cases.dueBefore(20, after)),
			[1, 3],
		);
		assert.deepEqual(
			walk((after) => cases.dueBefore(0, after)),
			[1],
		);
	});

	it("tell of each durable change, once it is in flash (I2)", () => {
		const bench = new KeeperBench();
		const told: string[] = [];
		bench.cases.onChange = (id, event, state) => {
			const boot = new KeeperBench({ medium: bench.medium.clone() });
			told.push(`${id} ${event} ${state} ${boot.cases.get(id).state === CaseState[state]}`);
		};
		const id = bench.cases.open(someCase(1), 1);
		bench.cases.apply(id, "confirmed", 2);
		bench.cases.apply(id, "agreed", 3);
		assert.deepEqual(told, ["1 opened found true", "1 agreed withdrawn true"]);
	});

	it("are as they were where the journal has no room for a change", () => {
		const bench = new KeeperBench();
		const id = bench.cases.open(someCase(1), 1);
		const before = contents(bench.now);
		const { append } = bench.now.journal;
		bench.now.journal.append = () => {
			throw new CodedError("full", "test");
		};
		assert.throws(() => bench.cases.apply(id, "agreed", 2), { code: "full" });
		assert.throws(() => bench.cases.open(someCase(2), 2), { code: "full" });
		bench.now.journal.append = append;
		assert.equal(contents(bench.now), before);
		assert.equal(bench.cases.open(someCase(2), 3), 2);
	});

	it("refuse a mount with more open ones than the configuration allows, and cases of firmware to come", () => {
		const bench = new KeeperBench({ openMax: 4 });
		for (let stan = 1; stan <= 4; stan++) bench.cases.open(someCase(stan), 1);
		assert.throws(() => new KeeperBench({ openMax: 3, medium: bench.medium }), { code: "full" });
	});

	it("stand in bounded memory, and fewer in a small journal", () => {
		const { cases } = new KeeperBench();
		assert.equal(cases.ramBytes, 130 * 33 + 208);
		assert.equal(openCasesFor(1 << 20), CASES_OPEN_MAX);
		assert.equal(openCasesFor(64 * 1_024), 6);
		assert.equal(openCasesFor(6 * 4_096), 2);
		assert.equal(openCasesFor(1 << 20, 10), 10);
	});

	it("ask for room: of an open one for two records, a closed one for one, one that may come for three (I8)", () => {
		const bench = new KeeperBench({ openMax: 4, closedMax: 4 });
		const room = () => bench.cases.roomBytes / 224;
		assert.equal(room(), 12);
		for (let stan = 1; stan <= 3; stan++) bench.cases.open(someCase(stan), 1);
		assert.equal(room(), 3 * 2 + 3);
		close(bench, 1);
		assert.equal(room(), 2 * 2 + 1 + 2 * 3);
	});

	it("can all be closed, and one more settled, in the room they ask for (I8)", () => {
		for (const writeAlign of [1, 32]) {
			const bench = new KeeperBench({ openMax: 6, closedMax: 6, blocks: 16, writeAlign });
			for (let stan = 1; stan <= 6; stan++) bench.cases.open(someCase(stan), 1);
			// Full to the last: no sale may begin any more, but what has begun goes on.
			while (bench.now.journal.prepare(bench.now.roomBytes + 330)) bench.now.load();
			for (let round = 0; round < 40; round++) {
				for (let id = 1; id <= 6; id++) bench.cases.apply(id, "confirmed", 2 + round, { tries: round });
			}
			bench.now.settle();
			for (let id = 1; id <= 6; id++) close(bench, id);
			assert.equal(bench.boot().cases.openCount, 0);
		}
	});
});
