/**
 * Goal: each lie of the office is what its name says, once for each time it is armed, and no ledger hears of it: what is asked
 * again is answered as it should be.
 */
import * as assert from "node:assert/strict";
import type { OfficeOptions } from "../../../host-sim/acquirer/acquirer";
import type { FaultName } from "../../../host-sim/acquirer/faults";
import type { Injection } from "../../../host-sim/acquirer/mishaps";
import { TEST_TERMINAL } from "../../../host-sim/acquirer/test-keys";
import { HostUnderTest, originalOf } from "./host-under-test";
import {
	bcd,
	CutStore,
	type EntryRead,
	F,
	GOOD,
	idOf,
	NO_EVIDENCE,
	NONCE,
	OfficeTerminal,
	S,
	totalsOf,
} from "./office-rig";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const SEEDS = [1, 2, 3, 4, 5, 6, 7, 8];
const STANS = [2, 3, 7, 11, 12];

function rig(seed = 1, office: OfficeOptions = {}) {
	const injected: Injection[] = [];
	const store = new CutStore();
	const onInjected = (injection: Injection): number => injected.push(injection);
	const host = new HostUnderTest({ store, seed, office: { ...office, onInjected } });
	return { host, store, injected, terminal: new OfficeTerminal(host) };
}

function sold(seed = 1, stans: readonly number[] = STANS) {
	const made = rig(seed);
	for (const stan of stans) assert.equal(made.host.sale({ stan, amountMinor: 100 }).code, "00");
	return made;
}

function nets(host: HostUnderTest): [number, number] {
	const { cardNetMinor, merchantNetMinor } = host.entry(2);
	return [cardNetMinor, merchantNetMinor];
}

/** The list as it is and as a fault has it, and the list after that is as it was. */
function lists(fault: FaultName, seed: number, to = 99): { whole: EntryRead[]; lie: EntryRead[]; more: boolean } {
	const { host, store, terminal } = sold(seed);
	const whole = terminal.list(1, 1, to);
	const before = store.appended;
	host.faults.arm(fault);
	const lie = terminal.list(1, 1, to);
	assert.deepEqual(terminal.list(1, 1, to), whole, `${fault} strikes once`);
	assert.equal(store.appended, before, `${fault} writes nothing`);
	assert.notDeepEqual(lie, whole);
	return { whole: whole.entries, lie: lie.entries, more: lie.more };
}

describe("host: lists that lie", () => {
	it("entryLies: one flag of one entry says the contrary, and nothing else is changed", () => {
		const flags = new Set<number>();
		for (const seed of SEEDS) {
			const { whole, lie } = lists("entryLies", seed);
			const wrong = lie.filter((entry, at) => entry.flags !== whole[at].flags);
			assert.equal(wrong.length, 1);
			flags.add(wrong[0].flags ^ GOOD);
			assert.deepEqual(
				lie.map((entry) => ({ ...entry, flags: GOOD })),
				whole,
			);
		}
		assert.ok(flags.size > 2);
		for (const bit of flags) assert.equal(bit & (bit - 1), 0);
	});

	it("entryRepeats: an entry comes twice, one behind the other", () => {
		for (const seed of SEEDS) {
			const { whole, lie, more } = lists("entryRepeats", seed);
			assert.deepEqual([lie.length, more], [STANS.length + 1, false]);
			const again = lie.findIndex((entry, at) => at > 0 && entry.stan === lie[at - 1].stan);
			assert.deepEqual(
				lie.filter((_, at) => at !== again),
				whole,
			);
		}
	});

	it("entriesUnordered: the last comes first", () => {
		const { whole, lie } = lists("entriesUnordered", 1);
		assert.deepEqual(lie, whole.slice().reverse());
	});

	it("entryOfAnother: a good sale that this terminal has not made, in its place", () => {
		for (const seed of SEEDS) {
			const { whole, lie } = lists("entryOfAnother", seed);
			const strange = lie.filter((entry) => !whole.some((right) => right.rrn === entry.rrn));
			assert.equal(strange.length, 1);
			assert.equal(strange[0].flags, GOOD);
			const stans = lie.map(({ stan }) => stan);
			assert.deepEqual(
				stans,
				stans.slice().sort((a, b) => a - b),
			);
			assert.equal(new Set(stans).size, stans.length);
		}
	});

	it("listEndless: each page is full, and there is always more, up to the last number there is", () => {
		const { host, terminal } = sold();
		host.faults.setRate("listEndless", 1);
		let from = 1;
		for (let page = 0; page < 60; page++) {
			const { entries, more } = terminal.list(1, from, 999_999);
			assert.deepEqual([entries.length, more, entries[0].stan >= from], [40, true, true]);
			from = entries[39].stan + 1;
		}
		assert.deepEqual(terminal.list(1, 999_998, 999_999).more, true);
		assert.deepEqual([terminal.list(1, 5, 5).entries.length, terminal.list(1, 5, 5).more], [1, true]);
	});

	it("a full page stays a page of 40, whatever lies in it", () => {
		for (const fault of ["entryRepeats", "entryOfAnother", "listEndless"] as const) {
			const { host, terminal } = sold(
				1,
				Array.from({ length: 41 }, (_, n) => 2 * n + 1),
			);
			host.faults.arm(fault);
			const { entries, more } = terminal.list(1, 1, 99);
			assert.deepEqual([entries.length, more], [40, true], fault);
		}
	});

	it("of an empty batch: nothing can lie but a stranger and an end that never comes", () => {
		const { host, terminal } = rig();
		for (const fault of ["entryChanges", "entryLies", "entryRepeats", "entriesUnordered"] as const) {
			host.faults.arm(fault);
			assert.deepEqual(terminal.list(1, 1, 9), { entries: [], more: false }, fault);
		}
		host.faults.arm("entryOfAnother");
		assert.equal(terminal.list(1, 1, 99).entries.length, 1);
	});
});

describe("host: a digest that is wrong", () => {
	it("differs in the digest or in a count, and is right when it is asked for again", () => {
		const kinds = new Set<string>();
		for (const seed of SEEDS) {
			const { host, terminal } = sold(seed);
			const right = terminal.digest(1, 99);
			host.faults.arm("digestWrong");
			const wrong = terminal.digest(1, 99);
			kinds.add(wrong.digest === right.digest ? "sums" : "digest");
			assert.notDeepEqual(wrong, right);
			assert.deepEqual(terminal.digest(1, 99), right);
		}
		assert.deepEqual([...kinds].sort(), ["digest", "sums"]);
	});
});

/** DE 60.2, trace number and terminal of each answer that came, and what it says. */
function answersTo(host: HostUnderTest, frame: Uint8Array): string[] {
	const line = host.call();
	line.connection?.receive(frame);
	const answers = line.answers().map(({ mti, private60, stan, terminalId }) => {
		return `${mti} ${private60.slice(2, 8)} ${stan} ${terminalId}`;
	});
	line.hangUp();
	return answers;
}

describe("host: answers that belong to something else", () => {
	it("settlementOtherBatch, settlementStranger: before the right answer, or in its place; the batch is settled once", () => {
		const right = `0510 000001 501 ${TEST_TERMINAL.terminalId}`;
		const strays: Record<string, RegExp> = {
			settlementOtherBatch: /^0510 000002 501 12345678$/,
			settlementStranger: /^0510 000001 (501 87654321|\d+ 12345678)$/,
		};
		for (const [fault, stray] of Object.entries(strays)) {
			const seen = new Set<number>();
			for (let seed = 1; seed <= 30; seed++) {
				const { host, store, terminal } = sold(seed);
				host.faults.arm(fault as FaultName);
				const answers = answersTo(host, terminal.settleFrame(1, totalsOf(5, 499)));
				seen.add(answers.length);
				assert.match(answers[0], stray);
				assert.notEqual(answers[0], right);
				if (answers.length > 1) assert.equal(answers[1], right);
				assert.equal(store.load("batches").length, 1);
				assert.equal(terminal.settle(1, totalsOf(5, 499))?.totals[30], "2", "the repeat is told the truth");
			}
			assert.deepEqual([...seen].sort(), [1, 2], fault);
		}
	});

	it("say of a batch that does not balance that it does, to the fen", () => {
		const { host, terminal } = sold(1);
		host.faults.arm("settlementOtherBatch");
		const totals = terminal.settle(1, totalsOf(5, 499))?.totals;
		const asked = totalsOf(5, 499);
		assert.equal(totals, `${asked.slice(0, 30)}1${asked.slice(31, 61)}1`);
	});

	it("of an upload, too", () => {
		const { host, terminal } = sold(1);
		host.faults.arm("settlementOtherBatch");
		assert.equal(terminal.endUpload(1, 0)?.private60, "00000002207");
		assert.equal(terminal.endUpload(1, 0)?.private60, "00000001207");
	});

	it("syncStranger: another nonce, trace number or terminal under a right MAC, before the right answer or in its place", () => {
		const kinds = new Set<string>();
		const counts = new Set<number>();
		for (let seed = 1; seed <= 30; seed++) {
			const { host, terminal } = sold(seed);
			host.faults.arm("syncStranger");
			const line = host.call();
			line.connection?.receive(terminal.syncFrame("402", `${NONCE}${bcd(1, 6)}${bcd(2, 6)}`, 1));
			counts.add(line.pieces.length);
			const [stray, right] = line.pieces.map((piece) => terminal.read(piece));
			assert.equal(stray?.macRight, true);
			const { terminalId } = line.answers()[0];
			if (stray.data.slice(0, 16) !== NONCE) kinds.add("nonce");
			else kinds.add(terminalId === TEST_TERMINAL.terminalId ? "stan" : "terminal");
			if (right !== undefined) assert.deepEqual([right.stan, right.data.slice(0, 16)], [501, NONCE]);
		}
		assert.deepEqual([...kinds].sort(), ["nonce", "stan", "terminal"]);
		assert.deepEqual([...counts].sort(), [1, 2]);
	});
});

describe("host: a sale that is booked, and told to be declined", () => {
	it("is answered 51, and stands in all ledgers; the same request once more is told what is so", () => {
		for (const seed of SEEDS) {
			const { host, injected, terminal } = rig(seed);
			host.faults.arm("declinedBooked");
			assert.equal(host.sale().code, "51");
			assert.deepEqual(
				injected.map(({ fault }) => fault),
				["declinedBooked"],
			);
			assert.equal(terminal.brief(2), `${GOOD} 0 1234`);
			assert.deepEqual(nets(host), [1_234, 1_234]);
			host.restart();
			assert.equal(host.sale().code, "00");
			assert.equal(host.acquirer.statement().totals.conserved, true);
		}
	});
});

describe("host: a posting that changes its mind", () => {
	function changing(seed = 1, office: OfficeOptions = {}) {
		const made = rig(seed, office);
		made.host.faults.arm("postingChanges");
		assert.equal(made.host.sale().code, "00");
		return made;
	}

	/** What the account holds, each minute of a day, without repeats. */
	function course(host: HostUnderTest, restarts = false): string {
		const seen: string[] = [];
		for (let minute = 0; minute < 24 * 60; minute++) {
			const now = `${nets(host)[1]} ${host.entry(2).posting}`;
			if (seen[seen.length - 1] !== now) seen.push(now);
			host.time.advance(60_000);
			if (restarts && minute % 30 === 0) host.restart();
		}
		return seen.join(", ");
	}

	it("is posted, taken back within hours, and posted again for good; a restart comes to the same", () => {
		for (const seed of SEEDS) {
			const { host, injected, terminal } = changing(seed);
			assert.deepEqual(
				injected.map(({ fault }) => fault),
				["postingChanges"],
			);
			assert.equal(terminal.brief(2), `${GOOD} 0 1234`);
			const wanted = "1234 posted, 0 pending, 1234 posted";
			assert.equal(course(host, seed % 2 === 0), wanted, `seed ${seed}`);
			const lines = host.events.map(({ text }) => text).filter((text) => text.startsWith("posting"));
			if (seed % 2 === 1) assert.equal(lines.length, 3, lines.join());
			assert.equal(host.acquirer.statement().totals.conserved, true);
		}
		const delayed = changing(1, { postingDelayMs: HOUR_MS });
		assert.equal(course(delayed.host), "0 pending, 1234 posted, 0 pending, 1234 posted");
	});

	it("with the host down all the while, all of it is done when it comes back", () => {
		const { host, store } = changing();
		host.acquirer.kill();
		host.time.advance(2 * DAY_MS);
		host.restart();
		assert.deepEqual(nets(host), [1234, 1234]);
		assert.equal((store.load("merchant") as { kind: string }[]).map(({ kind }) => kind).join(), "credit,return,credit");
	});

	it("while it is away its entry is pending; a claim then stands, and the bank's second posting is refused", () => {
		const { host, terminal } = changing();
		while (nets(host)[1] !== 0) host.time.advance(60_000);
		assert.equal(terminal.brief(2), `${F.recorded | F.debited} 0 1234`);
		assert.deepEqual(terminal.digest(1, 2).sums, ["1/1234", "0/0", "1/1234", "0/0"]);
		assert.equal(terminal.claim(idOf(1), 2, 1234).state, S.done);
		host.time.advance(DAY_MS);
		assert.deepEqual(nets(host), [1234, 1234]);
		assert.match(host.events.map(({ text }) => text).join("\n"), /stan 2 second posting refused/);
	});

	it("is not taken back once the shop or the desk has moved of it, and never comes of what is voided or reversed", () => {
		const refunded = changing();
		refunded.host.ask("refund", { stan: 3, amountMinor: 234, original: originalOf(1, 2) });
		const credited = changing();
		assert.equal(credited.terminal.credit(idOf(1), 2, 234, NO_EVIDENCE).state, S.done);
		for (const { host } of [refunded, credited]) {
			for (let minutes = 0; minutes < 24 * 60; minutes += 5) {
				assert.deepEqual(nets(host), [1000, 1000]);
				host.time.advance(5 * 60_000);
			}
		}
		for (const takesBack of [
			(host: HostUnderTest) => host.ask("void", { stan: 3, original: originalOf(1, 2) }),
			(host: HostUnderTest) => host.reversal(),
		]) {
			for (const away of [false, true]) {
				const { host } = changing();
				while (away && nets(host)[1] !== 0) host.time.advance(60_000);
				assert.equal(takesBack(host).code, "00");
				host.time.advance(DAY_MS);
				host.restart();
				assert.deepEqual(nets(host), [0, 0]);
			}
		}
	});

	it("is taken back once at most, and whole: a ledger that says otherwise is damaged", () => {
		const key = { merchantId: TEST_TERMINAL.merchantId, terminalId: TEST_TERMINAL.terminalId, batch: 1, stan: 2 };
		const credit = { kind: "credit", key, amountMinor: 1234, at: 1 };
		const back = { kind: "return", key, amountMinor: 1234, at: 2 };
		const refund = { kind: "refund", key: { ...key, stan: 3 }, original: key, amountMinor: 234, at: 2 };
		const claim = { kind: "claim", key, request: idOf(1), amountMinor: 34, ofMinor: 1234, at: 1 };
		const histories: [object[], boolean][] = [
			[[credit, back, credit], true],
			[[back], false],
			[[credit, { ...back, amountMinor: 1233 }], false],
			[[credit, back, back], false],
			[[credit, back, credit, back], false],
			[[credit, refund, back], false],
			[[claim, { ...credit, amountMinor: 1200, ofMinor: 1234 }, back], false],
			[[credit, { kind: "debit", key, amountMinor: 1234, at: 2 }, back], false],
		];
		for (const [facts, right] of histories) {
			const store = new CutStore();
			for (const fact of facts) store.append("merchant", fact);
			const start = (): HostUnderTest => new HostUnderTest({ store });
			if (right) assert.equal(start().entry(2).merchantNetMinor, 1234);
			else assert.throws(start, /damaged/, JSON.stringify(facts));
		}
	});

	it("a refund while it is away waits, and is taken when it is there again", () => {
		const { host } = changing();
		while (nets(host)[1] !== 0) host.time.advance(60_000);
		assert.equal(host.ask("refund", { stan: 3, amountMinor: 234, original: originalOf(1, 2) }).code, "00");
		assert.deepEqual(nets(host), [1000, 0]);
		host.time.advance(DAY_MS);
		assert.deepEqual(nets(host), [1000, 1000]);
	});
});
