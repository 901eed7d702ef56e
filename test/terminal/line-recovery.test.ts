/**
 * Goal: nobody waits for ever. Whatever happens to the line, a sign-on or a sign-off in the middle of somebody's wish for
 * it, that wish is answered, and sales, reversals and advices go on when the line is well. Each case here once hung.
 */
import { equal, ok } from "node:assert/strict";
import { findTestCard } from "../../host-sim/test-cards";
import { KIND_OFFLINE_SALE } from "../../src/transactions/records";
import { buildAnswer } from "../host/scripted-link";
import { Rig } from "../host-sim/world/rig";
import { ScriptedRig } from "../transactions/scripted-rig";

const CARD = findTestCard("contactless");

describe("terminal: the line recovers", () => {
	it("from a refused write, with a reversal and an advice that wait for it", () => {
		let deaf = true;
		const rig = new ScriptedRig((request, link) => {
			if (!deaf) link.send(buildAnswer(request, "00"));
		});
		rig.sell(1_000); // Not answered: reversed.
		deaf = false;
		const { terminal } = rig.shop;
		const visit = rig.come(2_000, "contactless", { delayMs: 20_000 });
		rig.runUntil(() => visit.screens.includes("presentCard"));
		if (CARD === undefined) throw new Error("no card");
		const timeS = Math.floor(rig.time.nowMs / 1000);
		const advice = { kind: KIND_OFFLINE_SALE, amountMinor: 500, timeS, entryMode: "072", condition: "00" };
		terminal.forward({ ...advice, field60Rest: "00060" }, { pan: CARD.pan, expiry: CARD.expiry });
		const { options } = rig.line as { options: { full?: boolean } };
		rig.runUntil(() => visit.screens.includes("connecting"));
		options.full = true;
		rig.runUntil(() => visit.ended);
		equal(visit.screens.at(-1), "notSent");
		options.full = false;
		rig.time.advance(6 * 3_600_000);
		ok(terminal.atRest);
		equal(terminal.summary().advices, 0);
		equal(rig.sell(3_000).screens.at(-1), "approved");
	});

	it("from a sign-off that a sale meets: the sale signs on again and goes on", () => {
		const rig = new Rig({ latencyMs: 300 });
		rig.sell();
		rig.shop.terminal.signOff();
		const visit = rig.come(1_000);
		rig.time.advance(120_000);
		ok(visit.ended);
		equal(visit.screens.at(-1), "approved");
	});

	it("from a sign-off that a reversal meets", () => {
		const rig = new Rig({ latencyMs: 300 });
		rig.faults.arm("answerLost", 2);
		rig.sell();
		rig.time.advance(30_000);
		rig.shop.terminal.signOff();
		rig.settle();
		ok(rig.shop.terminal.atRest);
		ok(rig.money().conserved);
	});

	it("asks a host that refuses the sign-on no oftener because more wait for it", () => {
		const rig = new ScriptedRig(() => {}, { doubtsMax: 30, doubtSumMinorMax: 9_000_000 });
		for (let n = 0; n < 20; n++) rig.sell(1_000 + n, "contactless", {}, true);
		rig.onSignOn = (request, link) => link.send(buildAnswer(request, "03", {}, { mac: "none" }));
		rig.shop.pullPlug();
		rig.time.advance(10_000);
		const before = rig.requests("0800").length;
		rig.time.advance(3_600_000);
		const asked = rig.requests("0800").length - before;
		ok(asked >= 10 && asked <= 75, `${asked} sign-ons in an hour`);
		rig.onSignOn = (request, link) => rig.acceptSignOn(request, link);
		rig.onRequest = (request, link) => link.send(buildAnswer(request, "00"));
		rig.time.advance(4 * 3_600_000);
		ok(rig.shop.terminal.atRest, "and all are reversed when it relents");
	});
});
