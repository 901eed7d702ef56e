/** Goal: what a host or a network does wrong happens as the fault says, and the ledgers mend by what comes next. */
import * as assert from "node:assert/strict";
import {
	BOOKING_FAULT_NAMES,
	DESK_FAULT_NAMES,
	DIGEST_FAULT_NAMES,
	FAR_RESEND_FAULT_NAMES,
	FAR_SIDE_FAULT_NAMES,
	FAULT_NAMES,
	type FaultName,
	FaultPlan,
	HOST_FAULT_NAMES,
	LIST_FAULT_NAMES,
	PAGE_FAULT_NAMES,
	POSTING_FAULT_NAMES,
	parseFault,
	REQUEST_FAULT_NAMES,
	SALE_FAULT_NAMES,
	SESSION_FAULT_NAMES,
	SETTLEMENT_ANSWER_FAULT_NAMES,
	SETTLEMENT_FAULT_NAMES,
	SIGN_ON_FAULT_NAMES,
	SYNC_ANSWER_FAULT_NAMES,
	SYNC_FAULT_NAMES,
	TOTALS_FAULT_NAMES,
} from "../../../host-sim/acquirer/faults";
import { readStatement } from "../../../host-sim/acquirer/statement";
import { SeededRandom } from "../../../host-sim/board/seeded-random";
import { TEST_CARDS } from "../../../host-sim/test-cards";
import { toHex } from "../../../src/core/bytes";
import { MessageDecoder } from "../../../src/iso8583/decoder";
import { UNIONPAY } from "../../../src/iso8583/unionpay";
import {
	frameOf,
	frameOfKind,
	HostUnderTest,
	KEYS,
	only,
	originalOf,
	signOnFrame,
	type TestLine,
} from "./host-under-test";

/** What card and shop hold of the only movement. */
function nets(host: HostUnderTest): number[] {
	const { totals } = host.acquirer.statement();
	return [totals.cardNetMinor, totals.merchantNetMinor];
}

/** Facts of the three ledgers. */
function facts(host: HostUnderTest): number[] {
	return (["issuer", "acquirer", "merchant"] as const).map((ledger) => host.store.load(ledger).length);
}

function stansOf(line: TestLine): number[] {
	return line.answers().map(({ stan }) => stan);
}

describe("host: answerGarbled", () => {
	it("alters 1 to 8 bytes anywhere in the frame, and carries the request out", () => {
		const right = only(new HostUnderTest().send("0200")).frame;
		const places = new Set<number>();
		for (let seed = 1; seed <= 300; seed++) {
			const host = new HostUnderTest({ seed });
			host.faults.arm("answerGarbled");
			const line = host.call();
			line.connection?.receive(frameOf("0200"));
			const bytes = only(line.pieces);
			assert.equal(bytes.length, right.length);
			// The authorization code is the seed's own: it is no alteration.
			const clean = cleanAnswer(host);
			const altered = [...bytes].flatMap((byte, at) => (byte === clean[at] ? [] : [at]));
			assert.ok(altered.length >= 1 && altered.length <= 8, `seed ${seed}: ${altered.length} bytes`);
			for (const at of altered) places.add(at);
			assert.deepEqual(nets(host), [1234, 1234]);
		}
		assert.ok(places.has(0) || places.has(1), "its length, too");
		assert.ok(places.size > right.length / 2, `${places.size} of ${right.length} places`);
	});

	it("what covers a byte of the message is never believed: it does not decode, or its MAC is wrong", () => {
		let undecoded = 0;
		let unverified = 0;
		for (let seed = 1; seed <= 200; seed++) {
			const host = new HostUnderTest({ seed });
			host.faults.arm("answerGarbled");
			const line = host.call();
			line.connection?.receive(frameOf("0200"));
			const bytes = only(line.pieces);
			const clean = cleanAnswer(host);
			// The TPDU and the header are outside the MAC.
			if (bytes.every((byte, at) => byte === clean[at] || (at >= 2 && at < 13))) continue;
			const decoder = new MessageDecoder(UNIONPAY);
			try {
				decoder.decode(bytes, bytes.length);
				assert.equal(decoder.verify(KEYS), false, `seed ${seed}`);
				unverified++;
			} catch {
				undecoded++;
			}
		}
		assert.ok(undecoded > 20 && unverified > 20, `${undecoded} undecoded, ${unverified} unverified`);
	});

	it("the answer itself is not touched: its repeat is right", () => {
		const host = new HostUnderTest();
		host.faults.arm("answerGarbled");
		const line = host.call();
		line.connection?.receive(frameOf("0200"));
		const [again, ...more] = host.send("0200");
		assert.deepEqual([again.code, again.macRight, more.length], ["00", true, 0]);
	});
});

/** The answer to the same request, asked again. */
function cleanAnswer(host: HostUnderTest): Uint8Array {
	return only(host.send("0200")).frame;
}

describe("host: answerReordered", () => {
	it("the answer leaves behind the next one of its connection", () => {
		const host = new HostUnderTest();
		host.faults.arm("answerReordered");
		const line = host.call();
		line.connection?.receive(frameOf("0200"));
		assert.deepEqual(stansOf(line), []);
		assert.deepEqual(nets(host), [1234, 1234]);
		line.connection?.receive(frameOf("0200", { stan: 3 }));
		assert.deepEqual(stansOf(line), [3, 2]);
		host.time.advance(60_000);
		assert.deepEqual(stansOf(line), [3, 2], "once");
	});

	it("without a next one it leaves after 5 s, and not before", () => {
		const host = new HostUnderTest();
		host.faults.arm("answerReordered");
		const line = host.call();
		line.connection?.receive(frameOf("0200"));
		host.time.advance(4_999);
		assert.deepEqual(stansOf(line), []);
		host.time.advance(1);
		assert.deepEqual(stansOf(line), [2]);
	});

	it("the answer to a sign-on is a next one, that of another connection is none", () => {
		const host = new HostUnderTest();
		host.faults.arm("answerReordered");
		const line = host.call();
		line.connection?.receive(frameOf("0200"));
		host.call().connection?.receive(frameOf("0200", { stan: 3 }));
		assert.deepEqual(stansOf(line), []);
		line.connection?.receive(signOnFrame({ stan: 9 }));
		assert.deepEqual(stansOf(line), [9, 2]);
	});

	it("of two in a row the second is the first one's next: nothing waits for ever", () => {
		const host = new HostUnderTest();
		host.faults.arm("answerReordered", 2);
		const line = host.call();
		line.connection?.receive(frameOf("0200"));
		line.connection?.receive(frameOf("0200", { stan: 3 }));
		assert.deepEqual(stansOf(line), [3, 2]);
	});

	it("one that is held goes with its connection, and leaves no timer behind", () => {
		const host = new HostUnderTest();
		host.faults.arm("answerReordered");
		const line = host.call();
		line.connection?.receive(frameOf("0200"));
		line.connection?.end();
		assert.equal(host.time.pending, 0);
		assert.equal(line.pieces.length, 0);
	});
});

describe("host: reversalRefused", () => {
	it("answers 58 under a right MAC, no ledger holds anything of it, and the next one is carried out", () => {
		const host = new HostUnderTest();
		host.sale();
		const before = facts(host);
		host.faults.arm("reversalRefused");
		const answer = host.reversal();
		assert.deepEqual([answer.mti, answer.code, answer.macRight], ["0410", "58", true]);
		assert.deepEqual(facts(host), before);
		assert.deepEqual(nets(host), [1234, 1234]);
		assert.equal(host.reversal().code, "00");
		assert.deepEqual(nets(host), [0, 0]);
	});

	it("strikes reversals only", () => {
		const host = new HostUnderTest();
		host.faults.arm("reversalRefused");
		assert.equal(host.sale().code, "00");
		assert.equal(host.reversal().code, "58");
	});
});

describe("host: reversalForgotten", () => {
	it("answers 00 as if it were done, and no ledger holds anything of it", () => {
		const host = new HostUnderTest();
		const sale = host.sale();
		const before = facts(host);
		host.faults.arm("reversalForgotten");
		const answer = host.reversal();
		assert.deepEqual([answer.mti, answer.code, answer.macRight], ["0410", "00", true]);
		assert.notEqual(answer.rrn.slice(4), "00000000", "as good as any other answer");
		assert.notEqual(answer.rrn, sale.rrn);
		assert.deepEqual(facts(host), before);
		assert.deepEqual(nets(host), [1234, 1234]);
		assert.equal(host.entry().reversed, false);
	});

	it("the next one of the movement is carried out, however often the fault strikes", () => {
		const host = new HostUnderTest();
		host.sale();
		host.sale({ stan: 3 });
		host.faults.setRate("reversalForgotten", 1);
		host.reversal();
		assert.equal(host.reversal().code, "00");
		assert.deepEqual([host.entry(2).cardNetMinor, host.entry(2).merchantNetMinor], [0, 0]);
		assert.equal(host.reversal({ stan: 3 }).code, "00");
		assert.equal(host.entry(3).cardNetMinor, 1234, "another movement has its own once");
	});

	it("that holds across a restart of the host: the plan remembers", () => {
		const host = new HostUnderTest();
		host.sale();
		host.faults.setRate("reversalForgotten", 1);
		host.reversal();
		host.restart();
		host.reversal();
		assert.deepEqual(nets(host), [0, 0]);
	});

	it("forgets a reversal that comes before its original: the original is debited, the second reversal mends it", () => {
		const host = new HostUnderTest();
		host.faults.arm("reversalForgotten");
		assert.equal(host.reversal().code, "00");
		assert.equal(host.sale().code, "00");
		assert.deepEqual(nets(host), [1234, 1234]);
		host.reversal();
		assert.deepEqual(nets(host), [0, 0]);
	});

	it("the reversal of a void, too: what the void gave back stays given until the next one", () => {
		const host = new HostUnderTest();
		host.sale();
		const request = { stan: 5, original: originalOf(1, 2) };
		assert.equal(host.ask("void", request).code, "00");
		host.faults.arm("reversalForgotten");
		assert.equal(host.voidReversal(request).code, "00");
		assert.deepEqual(nets(host), [0, 0]);
		assert.equal(host.voidReversal(request).code, "00");
		assert.deepEqual(nets(host), [1234, 1234]);
	});

	it("strikes reversals only: armed by hand it waits for one", () => {
		const host = new HostUnderTest();
		host.faults.arm("reversalForgotten");
		host.sale();
		host.ask("offlineSale", { stan: 4 });
		assert.equal(host.events.filter(({ kind }) => kind === "fault").length, 0);
		host.reversal();
		assert.equal(host.entry(2).cardNetMinor, 1234);
	});

	it("a reversal that nobody may believe is refused all the same", () => {
		const host = new HostUnderTest();
		host.sale();
		host.faults.arm("reversalForgotten");
		assert.equal(host.reversal({ mac: "wrong" }).code, "A0");
	});
});

describe("host: hostHalfOpen", () => {
	it("stays open, answers nothing and tells nobody, before the debit or after it by chance", () => {
		const seen = new Set<number>();
		for (let seed = 1; seed <= 20; seed++) {
			const host = new HostUnderTest({ seed });
			host.faults.arm("hostHalfOpen");
			const line = host.call();
			line.connection?.receive(frameOf("0200"));
			seen.add(nets(host)[0]);
			line.connection?.receive(frameOf("0200", { stan: 3 }));
			line.connection?.receive(signOnFrame());
			host.time.advance(3_600_000);
			assert.deepEqual([line.pieces.length, line.closed, host.acquirer.connections], [0, false, 1]);
			assert.equal(host.store.load("acquirer").length, nets(host)[0] === 0 ? 0 : 1, "nothing is read any more");
			assert.equal(host.time.pending, 0, "not even its silence is watched");
			line.connection?.end();
			assert.equal(host.acquirer.connections, 0);
			assert.equal(host.sale().code, "00", "another connection is served");
		}
		assert.deepEqual([...seen].sort(), [0, 1234]);
	});

	it("what waits to go out on it does not go: split answers, held answers, late answers", () => {
		for (const name of ["slowAnswer", "answerReordered", "answerLate"] as const) {
			const host = new HostUnderTest();
			const line = host.call();
			host.faults.arm(name);
			line.connection?.receive(frameOf("0200"));
			const before = line.pieces.length;
			host.faults.arm("hostHalfOpen");
			line.connection?.receive(frameOf("0200", { stan: 3 }));
			host.time.advance(600_000);
			assert.deepEqual([name, line.pieces.length, line.closed], [name, before, false]);
		}
	});

	it("a frame behind the struck one in the same piece is not read", () => {
		const host = new HostUnderTest();
		host.faults.at(1, "hostHalfOpen");
		host.call().connection?.receive(Uint8Array.from([...frameOf("0200"), ...frameOf("0200", { stan: 3 })]));
		assert.equal(host.faults.requests, 1);
	});

	it("when the host needs its place it is the first to go, and one that is served never goes", () => {
		const host = new HostUnderTest({ limits: { connectionsMax: 2 } });
		const served = host.call();
		const stuck = host.call();
		host.faults.arm("hostHalfOpen");
		stuck.connection?.receive(frameOf("0200"));
		assert.notEqual(host.call().connection, undefined);
		assert.deepEqual([served.closed, stuck.closed, host.acquirer.connections], [false, true, 2]);
		assert.equal(host.call().connection, undefined, "now both are served");
	});

	it("ends with its host, as every connection does", () => {
		const host = new HostUnderTest();
		const line = host.call();
		host.faults.arm("hostHalfOpen");
		line.connection?.receive(frameOf("0200"));
		host.acquirer.kill();
		assert.equal(line.closed, true);
	});
});

describe("host: crashAfterRecord", () => {
	it("a sale is debited and recorded, not posted and not answered; the restart posts it", () => {
		const host = new HostUnderTest();
		host.faults.arm("crashAfterRecord");
		assert.deepEqual(host.send("0200"), []);
		assert.deepEqual([host.crashes, host.acquirer.dead, facts(host)], [1, true, [1, 1, 0]]);
		assert.equal(readStatement(host.store, TEST_CARDS).totals.oneSided, 1);
		host.restart();
		assert.deepEqual(nets(host), [1234, 1234]);
		const again = host.sale();
		assert.equal(again.code, "00", "the repeat gets the recorded answer");
		assert.deepEqual(facts(host), [1, 1, 1]);
	});

	it("a decline is recorded, not answered; its repeat gets it", () => {
		const host = new HostUnderTest();
		host.faults.arm("crashAfterRecord");
		assert.deepEqual(host.send("0200", { card: "lost" }), []);
		host.restart();
		assert.equal(host.sale({ card: "lost" }).code, "41");
		assert.deepEqual(facts(host), [0, 1, 0]);
	});

	it("a reversal is recorded and credited, the merchant still has the money; the restart takes it back", () => {
		const host = new HostUnderTest();
		host.sale();
		host.faults.arm("crashAfterRecord");
		assert.deepEqual(host.send("0400"), []);
		assert.equal(readStatement(host.store, TEST_CARDS).totals.oneSided, 1);
		assert.deepEqual(facts(host), [2, 2, 1]);
		host.restart();
		assert.deepEqual(nets(host), [0, 0]);
		assert.equal(host.reversal().code, "00");
	});

	it("a void and a refund have given back, the merchant not; the restart debits the merchant", () => {
		for (const kind of ["void", "refund"] as const) {
			const host = new HostUnderTest();
			host.sale();
			host.faults.arm("crashAfterRecord");
			assert.deepEqual(
				host.sendFrame(() => frameOfKind(kind, { stan: 5, original: originalOf(1, 2) })),
				[],
			);
			assert.equal(readStatement(host.store, TEST_CARDS).totals.oneSided, 1, kind);
			host.restart();
			assert.deepEqual(nets(host), [0, 0], kind);
		}
	});

	it("what records nothing has no such point: a query is answered", () => {
		const host = new HostUnderTest();
		host.sale();
		host.faults.arm("crashAfterRecord");
		assert.equal(host.ask("query", { stan: 6, original: originalOf(1, 2) }).code, "00");
		assert.equal(host.crashes, 0);
	});

	it("with the other crash it dies at the earlier point", () => {
		const host = new HostUnderTest();
		host.faults.arm("crash");
		host.faults.arm("crashAfterRecord");
		host.send("0200");
		assert.deepEqual(facts(host), [1, 0, 0]);
	});
});

describe("host: the plan of its faults", () => {
	const OTHERS = [...FAULT_NAMES, ...SESSION_FAULT_NAMES, ...SIGN_ON_FAULT_NAMES];

	it("the fourth list moves no draw of the others: the same seed strikes the same requests", () => {
		const struck = (names: readonly FaultName[], rates: object): string => {
			const plan = new FaultPlan(new SeededRandom(3), { ...ratesOf(names), ...rates });
			return Array.from({ length: 300 }, (_, n) => {
				const signOn: Partial<Record<FaultName, boolean>> = n % 7 === 0 ? plan.nextSignOn() : {};
				const all: Partial<Record<FaultName, boolean>> = { ...plan.next(n % 3 === 0), ...signOn };
				return names.map((name) => (all[name] === true ? "x" : ".")).join("");
			}).join(" ");
		};
		assert.equal(struck(OTHERS, {}), struck(OTHERS, ratesOf(HOST_FAULT_NAMES)));
		assert.equal(struck(HOST_FAULT_NAMES, {}), struck(HOST_FAULT_NAMES, ratesOf(OTHERS)));
		// As drawn from the seed's own source: one number for each fault of the first list.
		const random = new SeededRandom(3);
		const plan = new FaultPlan(random, ratesOf([...OTHERS, ...HOST_FAULT_NAMES]));
		plan.next();
		assert.equal(random.u32(), afterDraws(FAULT_NAMES.length).u32());
	});

	it("which reversals are forgotten does not depend on what else is asked", () => {
		const struck = (reversals: (n: number) => boolean): string => {
			const plan = new FaultPlan(new SeededRandom(4), { reversalForgotten: 0.5, answerGarbled: 0.5 });
			return Array.from({ length: 100 }, (_, n) => {
				const { reversalForgotten, answerGarbled } = plan.next(reversals(n));
				return `${n % 2 === 0 && reversalForgotten ? "f" : "."}${answerGarbled ? "g" : "."}`;
			}).join("");
		};
		assert.equal(
			struck(() => true),
			struck((n) => n % 2 === 0),
		);
	});

	it("onStrike is asked once for each fault that would strike, in order, and no other", () => {
		const asked: FaultName[] = [];
		const plan = new FaultPlan(new SeededRandom(1), {}, (name) => {
			asked.push(name);
			return true;
		});
		for (const name of ["crashAfterRecord", "keysChanged", "requestLost"] as const) plan.arm(name);
		const set = plan.next();
		assert.deepEqual(asked, ["requestLost", "keysChanged", "crashAfterRecord"]);
		assert.deepEqual(
			asked.filter((name) => !(name in set) || set[name as keyof typeof set] !== true),
			[],
		);
		plan.next();
		plan.nextSignOn();
		assert.equal(asked.length, 3);
	});

	it("false holds a fault back, and every other one strikes as it would have", () => {
		const all = ratesOf([...OTHERS, ...HOST_FAULT_NAMES]);
		const run = (held: FaultName | undefined): string[] => {
			const plan = new FaultPlan(new SeededRandom(5), all, (name) => name !== held);
			return Array.from({ length: 200 }, () => {
				const set: Partial<Record<FaultName, boolean>> = { ...plan.next(true), ...plan.nextSignOn() };
				return plan.names.filter((name) => set[name] === true && name !== "badMac").join(" ");
			});
		};
		assert.deepEqual(run("badMac"), run(undefined));
		const plan = new FaultPlan(new SeededRandom(5), all, (name) => name !== "badMac");
		for (let n = 0; n < 200; n++) assert.equal(plan.next().badMac, false);
	});

	it("knows all names, in the order of their lists, and a command line can name each", () => {
		const plan = new FaultPlan(new SeededRandom(1));
		assert.deepEqual([...plan.names].sort(), [...OTHERS, ...HOST_FAULT_NAMES, ...OFFICE].sort());
		for (const name of HOST_FAULT_NAMES) assert.deepEqual(parseFault(`${name}=0.5`), { name, rate: 0.5 });
	});

	it("clear() heals them all", () => {
		const host = new HostUnderTest();
		for (const name of HOST_FAULT_NAMES) host.faults.setRate(name, 1);
		host.faults.arm("hostHalfOpen", 5);
		host.faults.clear();
		assert.equal(toHex(host.sale().frame), toHex(host.sale().frame));
	});
});

/** Of the back office: settlement, sync, desk, and what befalls sales in the books. */
const OFFICE: readonly FaultName[] = [
	...SALE_FAULT_NAMES,
	...POSTING_FAULT_NAMES,
	...BOOKING_FAULT_NAMES,
	...SETTLEMENT_ANSWER_FAULT_NAMES,
	...SYNC_ANSWER_FAULT_NAMES,
	...DIGEST_FAULT_NAMES,
	...LIST_FAULT_NAMES,
	...SETTLEMENT_FAULT_NAMES,
	...TOTALS_FAULT_NAMES,
	...SYNC_FAULT_NAMES,
	...PAGE_FAULT_NAMES,
	...REQUEST_FAULT_NAMES,
	...DESK_FAULT_NAMES,
	...FAR_SIDE_FAULT_NAMES,
	...FAR_RESEND_FAULT_NAMES,
];

function ratesOf(names: readonly FaultName[]): Partial<Record<FaultName, number>> {
	return Object.fromEntries(names.map((name) => [name, 0.3]));
}

function afterDraws(count: number): SeededRandom {
	const random = new SeededRandom(3);
	for (let n = 0; n < count; n++) random.below(1_000_000);
	return random;
}
