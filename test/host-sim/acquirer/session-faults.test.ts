/** Goal: what goes wrong with keys and answers goes wrong as the fault says, and no ledger ever follows from it. */
import * as assert from "node:assert/strict";
import {
	FAULT_NAMES,
	FaultPlan,
	parseFault,
	SESSION_FAULT_NAMES,
	SIGN_ON_FAULT_NAMES,
} from "../../../host-sim/acquirer/faults";
import { SeededRandom } from "../../../host-sim/board/seeded-random";
import { toHex } from "../../../src/core/bytes";
import { frameOf, HostUnderTest } from "./host-under-test";

describe("host: faults of sign-ons", () => {
	it("signOnLost: no keys, no answer", () => {
		const host = new HostUnderTest({ signedOn: false });
		host.faults.arm("signOnLost");
		assert.throws(() => host.signOn(), /0 where one/);
		assert.equal(host.sale().code, "97");
	});

	it("signOnAnswerLost: keys are in force that the terminal does not have; the next sign-on works", () => {
		const host = new HostUnderTest({ signedOn: false });
		host.faults.arm("signOnAnswerLost");
		assert.throws(() => host.signOn(), /0 where one/);
		assert.equal(host.sale({ mac: "wrong" }).code, "A0");
		assert.equal(host.signOn().code, "00");
	});

	it("signOnRefused: 96, without keys", () => {
		const host = new HostUnderTest({ signedOn: false });
		host.faults.arm("signOnRefused");
		const answer = host.signOn();
		assert.deepEqual([answer.code, answer.keyBlock, answer.private60], ["96", "", "00000001003"]);
		assert.equal(host.sale().code, "97");
	});

	it("wrongCheckValue: of one of the two keys, by chance; the rest is right", () => {
		const right = new HostUnderTest({ signedOn: false }).signOn().keyBlock;
		const seen = new Set<string>();
		for (let seed = 1; seed <= 20; seed++) {
			const host = new HostUnderTest({ signedOn: false, seed });
			host.faults.arm("wrongCheckValue");
			const { keyBlock } = host.signOn();
			const places = [...keyBlock].map((digit, i) => (digit === right[i] ? -1 : i)).filter((i) => i >= 0);
			assert.equal(places.length, 1);
			seen.add(`${places[0] >> 1}`);
		}
		assert.deepEqual([...seen].sort(), ["16", "36"]);
	});

	it("wrongBatch: the answer names none", () => {
		const host = new HostUnderTest({ signedOn: false });
		host.faults.arm("wrongBatch");
		assert.equal(host.signOn({ batch: 0 }).private60, "00000000003");
		assert.equal(host.signOn({ batch: 0, stan: 2 }).private60, "00000001003");
	});

	it("they strike sign-ons only, by number of their own", () => {
		const host = new HostUnderTest({ signedOn: false });
		host.faults.at(2, "signOnRefused");
		assert.equal(host.signOn().code, "00");
		assert.equal(host.sale().code, "00");
		assert.equal(host.signOn({ stan: 2 }).code, "96");
		assert.deepEqual([host.faults.requests, host.faults.signOns], [1, 2]);
	});
});

describe("host: faults of a session", () => {
	it("keysForgotten: 97 without a MAC, nothing moves; a sign-on mends it", () => {
		const host = new HostUnderTest();
		host.faults.arm("keysForgotten");
		const answer = host.sale();
		assert.deepEqual([answer.code, answer.hasMac], ["97", false]);
		assert.equal(host.sale().code, "97");
		assert.equal(host.acquirer.statement().entries.length, 0);
		host.signOn();
		assert.equal(host.sale().code, "00");
	});

	it("keysChanged: A0 under a MAC that the terminal cannot verify; a sign-on mends it", () => {
		const host = new HostUnderTest({ fixedKeys: false, signedOn: false });
		host.signOn();
		host.faults.arm("keysChanged");
		const answer = host.sale();
		assert.deepEqual([answer.code, answer.hasMac, answer.macRight], ["A0", true, false]);
		assert.equal(host.acquirer.statement().entries.length, 0);
	});

	it("replayedAnswer: the connection's last answer comes before the right one, or in its place", () => {
		const seen = new Set<string>();
		for (let seed = 1; seed <= 20; seed++) {
			const host = new HostUnderTest({ seed });
			const first = host.sale();
			host.faults.arm("replayedAnswer");
			const answers = host.send("0200", { stan: 3 });
			assert.equal(toHex(answers[0].frame), toHex(first.frame));
			assert.equal(host.entry(3).debits, 1, "carried out all the same");
			seen.add(answers.map(({ stan }) => stan).join());
		}
		assert.deepEqual([...seen].sort(), ["2", "2,3"]);
	});

	it("replayedAnswer: a connection without an earlier answer has nothing to replay", () => {
		const host = new HostUnderTest();
		host.faults.arm("replayedAnswer");
		assert.equal(host.sale().stan, 2);
	});

	it("strangerAnswer: another terminal's or another number's comes first, with a right MAC", () => {
		const seen = new Set<string>();
		for (let seed = 1; seed <= 20; seed++) {
			const host = new HostUnderTest({ seed });
			host.faults.arm("strangerAnswer");
			const [stranger, right, ...more] = host.send("0200");
			assert.deepEqual([more.length, right.stan, right.terminalId, right.macRight], [0, 2, "12345678", true]);
			assert.equal(stranger.macRight, true);
			seen.add(`${stranger.stan} ${stranger.terminalId}`);
		}
		assert.deepEqual([...seen].sort(), ["2 87654321", "500003 12345678"]);
	});

	it("slowAnswer: a byte a second, and those behind it wait", () => {
		const host = new HostUnderTest();
		host.faults.arm("slowAnswer");
		const line = host.call();
		line.connection?.receive(frameOf("0200"));
		line.connection?.receive(frameOf("0200", { stan: 3 }));
		assert.equal(line.pieces.length, 1);
		host.time.advance(59_999);
		assert.equal(line.pieces.length, 60);
		assert.ok(line.pieces.every((piece) => piece.length === 1));
		host.time.advance(200_000);
		assert.deepEqual(
			line.answers().map(({ stan }) => stan),
			[2, 3],
		);
		assert.equal(host.time.pending, 1, "only the idle timer is left");
	});

	it("the faults of requests strike advices, too", () => {
		for (const name of FAULT_NAMES) {
			const host = new HostUnderTest();
			host.faults.arm(name);
			host.send("0220", { type: "36" });
			assert.match(host.events.map(({ text }) => text).join("\n"), new RegExp(`0220 stan 000002 fault ${name}`));
		}
	});

	it("new faults move no draw of the old ones: the same seed strikes the same requests", () => {
		const struck = (rates: object): string => {
			const plan = new FaultPlan(new SeededRandom(3), { answerLost: 0.3, ...rates });
			return Array.from({ length: 200 }, (_, n) => {
				if (n % 7 === 0) plan.nextSignOn();
				return plan.next().answerLost ? "x" : ".";
			}).join("");
		};
		const session = Object.fromEntries(SESSION_FAULT_NAMES.map((name) => [name, 0.5]));
		const signOn = Object.fromEntries(SIGN_ON_FAULT_NAMES.map((name) => [name, 0.5]));
		assert.equal(struck({}), struck({ ...session, ...signOn }));
		// As drawn before there were any others: one number for each of the ten faults.
		const random = new SeededRandom(3);
		const old = Array.from({ length: 200 }, () => {
			const drawn = FAULT_NAMES.map(() => random.below(1_000_000));
			return drawn[FAULT_NAMES.indexOf("answerLost")] < 300_000 ? "x" : ".";
		}).join("");
		assert.equal(struck({}), old);
	});

	it("a command line names them as it names the others", () => {
		for (const name of [...SESSION_FAULT_NAMES, ...SIGN_ON_FAULT_NAMES]) {
			assert.deepEqual(parseFault(`${name}=0.5`), { name, rate: 0.5 });
		}
	});

	it("clear() heals them all", () => {
		const host = new HostUnderTest();
		for (const name of [...SESSION_FAULT_NAMES, ...SIGN_ON_FAULT_NAMES]) host.faults.setRate(name, 1);
		host.faults.arm("keysForgotten", 5);
		host.faults.clear();
		assert.equal(host.sale().code, "00");
		assert.equal(host.signOn().code, "00");
	});
});
