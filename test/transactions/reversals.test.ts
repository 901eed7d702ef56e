/**
 * Reversals against a host that follows the test: they are repeated until the right answer, whatever else comes, and
 * whatever happens to the terminal meanwhile (I3).
 */

import { strict as assert } from "node:assert";
import type { MessageDecoder } from "../../src/iso8583/decoder";
import { CASE_RECORD_TYPE } from "../../src/settlement/case-records";
import { TransactionRecord } from "../../src/transactions/records";
import { State } from "../../src/transactions/states";
import { buildAnswer, type ScriptedLink } from "../host/scripted-link";
import { readFlash } from "./flash-witness";
import { ScriptedRig } from "./scripted-rig";

/** A rig with one sale that got no answer: its reversal has just become due. */
function withDoubt(onReversal: (request: MessageDecoder, link: ScriptedLink, n: number) => void) {
	let reversals = 0;
	const onRequest = (request: MessageDecoder, link: ScriptedLink) => {
		if (request.mti === "0400") onReversal(request, link, ++reversals);
	};
	// No batch is settled here.
	const rig = new ScriptedRig(onRequest, { settleAtMinute: -1 });
	rig.sell();
	return rig;
}

const answer = (code: string) => (request: MessageDecoder, link: ScriptedLink) => {
	link.send(buildAnswer(request, code));
};

function stateOf(rig: ScriptedRig, slot = 0): number {
	return rig.shop.terminal.log.index.states[slot];
}

describe("transactions: reversals", () => {
	it("are repeated over hours of silence, ever more slowly, and never given up", () => {
		const rig = withDoubt(() => {});
		rig.time.advance(6 * 3_600_000);
		const tries = rig.requests("0400");
		// 60 s for an answer and at most 360 s between: 6 h hold at least 48; the doubling wait saves most of the first.
		assert.ok(tries.length >= 48 && tries.length <= 80, `${tries.length} tries`);
		for (const request of tries) {
			assert.equal(request.text(11), "000002");
			assert.equal(request.text(39), "98");
			assert.equal(request.text(4), "000000001234");
		}
		assert.equal(stateOf(rig), State.reversing);
		assert.equal(rig.shop.terminal.atRest, false);
		rig.onRequest = answer("00");
		rig.time.advance(3_600_000);
		assert.equal(stateOf(rig), State.reversed);
		assert.ok(rig.shop.terminal.atRest);
	});

	it("are repeated over hours of a link that does not connect, and go out at once when it does", () => {
		const rig = withDoubt(() => {});
		rig.connects = "refused";
		rig.line.hangUp();
		const before = rig.requests("0400").length;
		rig.time.advance(5 * 3_600_000);
		assert.equal(rig.requests("0400").length, before);
		assert.ok(rig.line.connections > 50);
		rig.connects = "opens";
		rig.onRequest = answer("00");
		rig.time.advance(370_000);
		assert.equal(rig.requests("0400").length, before + 1);
		assert.equal(stateOf(rig), State.unconfirmed);
	});

	it("are accepted by an answer that is always a little too late, and then once more in time or late", () => {
		for (const code of ["00", "12", "25"]) {
			const rig = withDoubt(() => {});
			rig.onRequest = (request, link) => {
				rig.time.clock().setTimer(61_000, () => link.send(buildAnswer(request, code)));
			};
			rig.time.advance(240_000);
			assert.equal(stateOf(rig), State.unconfirmed, code);
			assert.ok(rig.requests("0400").length <= 3);
			rig.time.advance(590_000);
			assert.equal(stateOf(rig), State.unconfirmed, "a late answer to the first round proves nothing for the second");
		}
	});

	it("are not ended by a late refusal", () => {
		const rig = withDoubt(() => {});
		let late = 0;
		rig.onRequest = (request, link) => {
			if (late++ === 0) rig.time.clock().setTimer(61_000, () => link.send(buildAnswer(request, "94")));
			else link.send(buildAnswer(request, "00"));
		};
		rig.time.advance(200_000);
		assert.equal(rig.screensNamed("reversalRefused").length, 0);
		assert.equal(stateOf(rig), State.unconfirmed);
	});

	it("write a try to flash at powers of two, and about once a day later on", () => {
		const rig = withDoubt(() => {});
		const { log } = rig.shop.terminal;
		let appends = 0;
		let cases = 0;
		const append = log.journal.append.bind(log.journal);
		log.journal.append = (type, payload, byteLength) => {
			assert.ok(type === TransactionRecord.step || type === CASE_RECORD_TYPE, `${type}`);
			if (type === CASE_RECORD_TYPE) cases++;
			else appends++;
			return append(type, payload, byteLength);
		};
		const before = log.index.tries[0];
		rig.time.advance(48 * 3_600_000);
		const tries = log.index.tries[0];
		assert.ok(tries > 300, `${tries} tries`);
		let powers = 0;
		for (let power = 1; power <= 256; power *= 2) if (power > before) powers++;
		const days = Math.floor(tries / 288);
		// One more for the flag that says that a person is needed.
		assert.equal(appends, powers + days + 1);
		// The case of it, and its only step.
		assert.equal(cases, 2);
		assert.equal(readFlash(rig.medium).index.tries[0], 288 * days);
	});

	for (const code of ["00", "12", "25"]) {
		it(`end their repeating with ${code}, and go once more when no stalled original can arrive any more`, () => {
			const rig = withDoubt(answer(code));
			rig.time.advance(1_000);
			assert.equal(rig.requests("0400").length, 1);
			assert.equal(stateOf(rig), State.unconfirmed);
			rig.time.advance(595_000);
			assert.equal(rig.requests("0400").length, 1, "not before lateOriginalMs");
			rig.time.advance(10_000);
			assert.equal(rig.requests("0400").length, 2);
			assert.equal(stateOf(rig), State.reversed);
			assert.ok(rig.shop.terminal.atRest);
			rig.time.advance(24 * 3_600_000);
			assert.equal(rig.requests("0400").length, 2);
		});
	}

	for (const code of ["68", "90", "91", "92", "96", "97", "98", "99", "A0"]) {
		it(`go on after ${code} as after no answer`, () => {
			const rig = withDoubt((request, link, n) => link.send(buildAnswer(request, n < 4 ? code : "00")));
			rig.time.advance(60_000);
			assert.equal(rig.requests("0400").length, 4);
			assert.equal(stateOf(rig), State.unconfirmed);
		});
	}

	for (const code of ["03", "40", "58", "64", "94", "ZZ"]) {
		it(`are tried again daily after ${code}, and shown to a person`, () => {
			const rig = withDoubt(answer(code));
			rig.time.advance(1_000);
			assert.deepEqual(rig.screensNamed("reversalRefused").length, 1);
			assert.equal(rig.screensNamed("reversalRefused")[0].code, code);
			rig.time.advance(23 * 3_600_000);
			assert.equal(rig.requests("0400").length, 1);
			rig.time.advance(2 * 3_600_000);
			assert.equal(rig.requests("0400").length, 2);
			rig.time.advance(24 * 3_600_000);
			assert.equal(rig.requests("0400").length, 3);
			assert.equal(stateOf(rig), State.reversing);
			rig.onRequest = answer("00");
			rig.time.advance(25 * 3_600_000);
			assert.equal(stateOf(rig), State.reversed);
		});
	}

	it("are shown to a person after the configured tries without an answer, and go on", () => {
		const rig = withDoubt(() => {});
		const shown = () => rig.screensNamed("reversalRefused").length;
		rig.runUntil(() => rig.requests("0400").length === 15, 6 * 3_600_000);
		assert.equal(shown(), 0);
		rig.runUntil(() => rig.requests("0400").length === 16, 3_600_000);
		assert.equal(shown(), 1);
		rig.runUntil(() => rig.requests("0400").length === 40, 6 * 3_600_000);
		assert.equal(shown(), 1, "once");
	});

	for (const code of ["12", "25"]) {
		it(`do not end with ${code} when the host had answered this number with another amount`, () => {
			const rig = new ScriptedRig((request, link) => {
				if (request.mti === "0200") link.send(buildAnswer(request, "00", { 4: "000000009999" }));
				else link.send(buildAnswer(request, code));
			});
			rig.sell();
			rig.time.advance(3_600_000);
			assert.equal(stateOf(rig), State.reversing);
			assert.equal(rig.requests("0400")[0].text(39), "06");
			rig.onRequest = answer("00");
			rig.time.advance(25 * 3_600_000);
			assert.equal(stateOf(rig), State.reversed);
		});
	}

	it("do not end with an answer that carries another amount", () => {
		const rig = withDoubt((request, link, n) => {
			link.send(buildAnswer(request, "00", n < 3 ? { 4: "000000009999" } : {}));
		});
		rig.time.advance(1_000);
		assert.equal(stateOf(rig), State.reversing);
		rig.time.advance(60_000);
		assert.equal(rig.requests("0400").length, 3);
		assert.equal(stateOf(rig), State.unconfirmed);
	});

	it("do not end with an answer whose MAC is wrong", () => {
		const rig = withDoubt((request, link, n) => {
			link.send(buildAnswer(request, "00", {}, { mac: n < 3 ? "bad" : "good" }));
		});
		rig.time.advance(2_000);
		assert.equal(stateOf(rig), State.reversing);
		rig.time.advance(60_000);
		assert.equal(rig.requests("0400").length, 3);
		assert.equal(stateOf(rig), State.unconfirmed);
	});

	it("do not end with the answer to another terminal, merchant, batch, STAN or kind of message", () => {
		const others = [
			{ 41: "12345679" },
			{ 42: "123456789012346" },
			{ 60: "2200000200060" },
			{ 60: "2300000100060" },
			{ 11: "000009" },
			{ 3: "200000" },
		];
		for (const changes of others) {
			const rig = withDoubt((request, link) => link.send(buildAnswer(request, "00", changes)));
			rig.time.advance(30_000);
			assert.equal(stateOf(rig), State.reversing, JSON.stringify(changes));
		}
		const rig = withDoubt((request, link) => link.send(buildAnswer(request, "00", {}, { mti: "0210" })));
		rig.time.advance(30_000);
		assert.equal(stateOf(rig), State.reversing, "0210");
	});

	it("take a doubled answer once: the second has no effect", () => {
		const rig = withDoubt((request, link) => {
			link.send(buildAnswer(request, "00"));
			link.send(buildAnswer(request, "00"));
		});
		rig.time.advance(5_000);
		assert.equal(stateOf(rig), State.unconfirmed);
		assert.equal(rig.requests("0400").length, 1);
		assert.match(rig.logText(), /late 0410: nothing waits for it/);
		assert.equal(rig.shop.restarts, 0);
	});

	it("go once more after lateOriginalMs also when power was off in between", () => {
		const rig = withDoubt(answer("25"));
		rig.time.advance(300_000);
		assert.equal(stateOf(rig), State.unconfirmed);
		rig.shop.pullPlug();
		rig.time.advance(10_000);
		assert.equal(stateOf(rig), State.unconfirmed);
		assert.equal(rig.requests("0400").length, 1);
		// The terminal does not know how long it was off, so it waits the whole time again.
		rig.time.advance(580_000);
		assert.equal(rig.requests("0400").length, 1);
		rig.time.advance(30_000);
		assert.equal(rig.requests("0400").length, 2);
		assert.equal(stateOf(rig), State.reversed);
	});

	it("go on after any number of power cuts, under the number and with the reason they had", () => {
		const rig = withDoubt(() => {});
		for (let n = 0; n < 30; n++) {
			rig.time.advance(20_000);
			rig.shop.pullPlug();
			rig.time.advance(4_000);
		}
		rig.onRequest = answer("00");
		rig.time.advance(1_000_000);
		assert.equal(stateOf(rig), State.reversed);
		const requests = rig.requests("0400");
		assert.ok(requests.length >= 30);
		for (const request of requests) assert.equal(`${request.text(11)} ${request.text(39)}`, "000002 98");
	});

	it("carry the fields of their sale, and no track, PIN or chip data", () => {
		const rig = new ScriptedRig();
		rig.sell(777, "chip-pin");
		rig.time.advance(1_000);
		const [sale] = rig.requests("0200");
		const [reversal] = rig.requests("0400");
		for (const de of [2, 3, 4, 11, 14, 22, 23, 25, 41, 42, 49, 60]) {
			assert.equal(reversal.text(de), sale.text(de), `DE ${de}`);
		}
		for (const de of [26, 35, 36, 38, 52, 53, 55]) assert.equal(reversal.has(de), false, `DE ${de}`);
		assert.equal(reversal.text(39), "98");
	});

	it("come one at a time, the oldest first", () => {
		const rig = new ScriptedRig(undefined, { doubtsMax: 10 });
		for (let n = 0; n < 4; n++) rig.sell(100 + n);
		rig.shop.pullPlug();
		const before = rig.requests("0400").length;
		rig.onRequest = answer("00");
		rig.time.advance(100_000);
		const stans = rig
			.requests("0400")
			.slice(before)
			.map((request) => request.number(11));
		assert.deepEqual(stans.slice(0, 4), [2, 3, 4, 5]);
	});

	it("hurry when the host answers one of them: the others need not wait out their time", () => {
		const rig = new ScriptedRig(undefined, { doubtsMax: 10 });
		for (let n = 0; n < 3; n++) rig.sell();
		rig.time.advance(2 * 3_600_000);
		rig.onRequest = answer("00");
		const unconfirmed = () => [0, 1, 2].filter((slot) => stateOf(rig, slot) === State.unconfirmed).length;
		assert.ok(rig.runUntil(() => unconfirmed() === 1, 1_000_000));
		rig.time.advance(500);
		assert.equal(unconfirmed(), 3);
	});

	it("get their attempt before the next sale, five seconds together, and then leave the line to it", () => {
		const rig = new ScriptedRig();
		rig.sell();
		rig.runUntil(() => rig.requests("0400").length === 1);
		rig.time.advance(50_000);
		const visit = rig.come();
		rig.runUntil(() => visit.screens.includes("presentCard"));
		rig.runUntil(() => visit.screens.includes("waitForHost"), 10_000);
		assert.ok(rig.requests("0200").length === 2, "the sale has the line");
		rig.runUntil(() => visit.ended, 70_000);
		assert.equal(rig.shop.restarts, 0);
	});

	it("go on when the sale they made room for was cancelled in the meantime", () => {
		// A cancelled sale once left its five-second limit behind, which stopped the queue until the next sale.
		const rig = new ScriptedRig();
		rig.sell();
		rig.runUntil(() => rig.requests("0400").length === 1);
		rig.come();
		assert.equal(rig.shop.terminal.phase, "reversals");
		assert.equal(rig.shop.terminal.cancel(), true);
		rig.time.advance(3_600_000);
		assert.ok(rig.requests("0400").length > 5, `${rig.requests("0400").length} tries`);
	});

	it("are all sent in the end even when there were more than the queue holds", () => {
		const rig = new ScriptedRig((request, link) => link.send(buildAnswer(request, "51")), {
			doubtsMax: 64,
			doubtSumMinorMax: 999_999_999,
		});
		for (let n = 0; n < 80; n++) rig.sell();
		// The host contradicts every decline: 80 reversals at once, the queue holds 64.
		rig.onRequest = undefined;
		for (const request of rig.requests("0200")) rig.line.send(buildAnswer(request, "00"));
		rig.time.advance(5_000);
		assert.equal(rig.shop.restarts, 0);
		rig.shop.pullPlug();
		rig.time.advance(10_000);
		assert.equal(rig.shop.restarts, 0);
		rig.onRequest = answer("00");
		rig.time.advance(24 * 3_600_000);
		const { index } = rig.shop.terminal.log;
		assert.equal(index.count, 80);
		for (let slot = 0; slot < 80; slot++) assert.equal(index.states[slot], State.reversed, `slot ${slot}`);
		assert.ok(rig.shop.terminal.atRest);
	});
});
