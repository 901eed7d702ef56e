/**
 * A sale against answers no honest host would give: another sale's, another amount's, unsigned, partial, late, twice,
 * contradicting. Each leads to what the table says, or to nothing.
 */
import { strict as assert } from "node:assert";
import { TEST_CARDS } from "../../host-sim/test-cards";
import type { MessageDecoder } from "../../src/iso8583/decoder";
import { RESPONSE_CODES } from "../../src/iso8583/response-codes";
import { Flag, KIND_OFFLINE_SALE } from "../../src/transactions/records";
import { State } from "../../src/transactions/states";
import { type AnswerOptions, buildAnswer, buildFrame, type Changes, type ScriptedLink } from "../host/scripted-link";
import { ScriptedRig } from "./scripted-rig";

/** One sale whose 0200 is answered with `code` and `changes`; reversals are answered 00. */
function sold(code: string, changes: Changes = {}, options: AnswerOptions = {}, card = "contactless"): ScriptedRig {
	const rig = new ScriptedRig((request, link) => {
		if (request.mti === "0200") link.send(buildAnswer(request, code, changes, options));
		else link.send(buildAnswer(request, "00"));
	});
	rig.sell(1_234, card);
	return rig;
}

function stateOf(rig: ScriptedRig, slot = 0): number {
	return rig.shop.terminal.log.index.states[slot];
}

/** The sale waits until its time is up, as if this answer had never come. */
function assertNotTaken(rig: ScriptedRig, what: string): void {
	assert.equal(rig.shop.till.notesOf(2).at(0)?.name, "noAnswer", what);
	assert.equal(rig.requests("0400")[0].text(39), "98", what);
	assert.equal(rig.shop.till.told(2), "notCharged", what);
	assert.equal(rig.shop.restarts, 0, what);
}

describe("transactions: answers to a sale", () => {
	it("lead to approval or decline by the table of codes, each of them", () => {
		for (const [code, text] of Object.entries(RESPONSE_CODES)) {
			const rig = sold(code);
			const expected = {
				approved: State.delivered,
				declined: State.declined,
				partial: State.unconfirmed,
				unheard: State.unconfirmed,
			}[text.class];
			assert.equal(stateOf(rig), expected, code);
			assert.equal(rig.shop.till.told(2), text.class === "approved" ? "paid" : "notCharged", code);
			assert.equal(rig.requests("0400").length, ["partial", "unheard"].includes(text.class) ? 1 : 0, code);
		}
	});

	it("with a code nobody knows are a decline", () => {
		for (const code of ["ZZ", "77", "0A"]) assert.equal(stateOf(sold(code)), State.declined, code);
	});

	it("that approve a part only (10) are reversed with reason 06", () => {
		const rig = sold("10");
		assert.equal(rig.requests("0400")[0].text(39), "06");
		assert.equal(rig.shop.till.told(2), "notCharged");
		const lower = sold("10", { 4: "000000000500" });
		assert.equal(lower.requests("0400")[0].text(39), "06");
		assert.equal(lower.requests("0400")[0].text(4), "000000001234", "over the amount that was asked for");
	});

	it("over another amount are reversed with reason 06, whatever they say", () => {
		for (const code of ["00", "51"]) {
			const rig = sold(code, { 4: "000000001235" });
			assert.equal(rig.requests("0400")[0].text(39), "06", code);
			assert.equal(rig.shop.terminal.log.index.flags[0] & Flag.amountDiffers, Flag.amountDiffers);
			assert.equal(rig.shop.till.told(2), "notCharged");
		}
	});

	it("without an amount are taken: not every host repeats it", () => {
		assert.equal(stateOf(sold("00", { 4: undefined })), State.delivered);
	});

	it("whose MAC is wrong are reversed with reason A0, approval or not", () => {
		for (const code of ["00", "51", "10"]) {
			for (const mac of ["bad", "none"] as const) {
				const rig = sold(code, {}, { mac });
				assert.equal(rig.requests("0400")[0].text(39), "A0", `${code} ${mac}`);
				assert.equal(rig.shop.till.told(2), "notCharged");
			}
		}
	});

	it("that complain about our MAC (A0) or keys (97), and prove nothing, change nothing", () => {
		for (const code of ["A0", "97"]) {
			for (const mac of ["bad", "none"] as const) assertNotTaken(sold(code, {}, { mac }), `${code} ${mac}`);
			assert.equal(stateOf(sold(code)), State.unconfirmed, `${code}, verified: the untouched request may still arrive`);
		}
	});

	it("that complain unproven are still followed by the true one", () => {
		const rig = new ScriptedRig((request, link) => {
			link.send(buildAnswer(request, "A0", {}, { mac: "bad" }));
			link.send(buildAnswer(request, "00"));
		});
		rig.sell();
		assert.equal(rig.shop.till.told(2), "paid");
	});

	const others: [what: string, changes: Changes, options?: AnswerOptions][] = [
		["STAN", { 11: "000009" }],
		["no STAN", { 11: undefined }],
		["terminal", { 41: "12345679" }],
		["no terminal", { 41: undefined }],
		["merchant", { 42: "123456789012346" }],
		["batch", { 60: "2200000200060" }],
		["kind of message", { 60: "2300000100060" }],
		["no batch", { 60: undefined }],
		["short field 60", { 60: "22" }],
		["processing code", { 3: "200000" }],
		["no processing code", { 3: undefined }],
		["no response code", { 39: undefined }],
		["message type", {}, { mti: "0410" }],
	];
	for (const [what, changes, options] of others) {
		it(`that belong to another sale are not taken: ${what}`, () => {
			assertNotTaken(sold("00", changes, options), "approval");
			assertNotTaken(sold("51", changes, options), "decline");
		});
	}

	it("that belong to another sale do not keep the right one from being taken", () => {
		const rig = new ScriptedRig((request, link) => {
			for (const [, changes, options] of others) link.send(buildAnswer(request, "51", changes, options));
			link.send(buildAnswer(request, "00"));
		});
		rig.sell();
		assert.equal(rig.shop.till.told(2), "paid");
	});

	it("that come after the time-out have no effect on the reversal (I5)", () => {
		for (const code of ["00", "51", "10"]) {
			const rig = new ScriptedRig();
			rig.sell();
			assert.equal(stateOf(rig), State.reversing);
			const [request] = rig.requests("0200");
			rig.line.send(buildAnswer(request, code));
			rig.time.advance(1_000);
			assert.equal(stateOf(rig), State.reversing, code);
			assert.equal(rig.shop.till.told(2), "notCharged");
			rig.onRequest = (reversal, link) => link.send(buildAnswer(reversal, "00"));
			rig.settle();
			assert.equal(stateOf(rig), State.reversed);
			rig.line.send(buildAnswer(request, code));
			rig.time.advance(1_000);
			if (code === "51") assert.equal(stateOf(rig), State.reversed);
			assert.equal(rig.shop.till.told(2), "notCharged");
		}
	});

	it("that approve when the reversal was over long ago begin it anew: the host has debited an original that was stalled", () => {
		for (const code of ["00", "10"]) {
			const rig = new ScriptedRig((request, link) => {
				if (request.mti === "0400") link.send(buildAnswer(request, "25"));
			});
			rig.sell();
			rig.settle();
			assert.equal(stateOf(rig), State.reversed);
			const [request] = rig.requests("0200");
			const before = rig.requests("0400").length;
			rig.shop.terminal.signOn();
			rig.time.advance(5_000);
			rig.line.send(buildAnswer(request, code));
			rig.time.advance(5_000);
			assert.equal(rig.requests("0400").length, before + 1);
			assert.equal(rig.shop.till.told(2), "notCharged");
			rig.settle();
			assert.equal(stateOf(rig), State.reversed);
			assert.equal(rig.requests("0400").length, before + 2);
			assert.equal(rig.shop.restarts, 0);
		}
	});

	it("that name the number of an advice have no effect on it: only its own answer ends an advice", () => {
		for (const code of ["00", "51"]) {
			const rig = new ScriptedRig((request, link) => {
				if (request.mti === "0200") link.send(buildAnswer(request, "00"));
			});
			rig.sell();
			const card = TEST_CARDS.find(({ name }) => name === "contactless");
			assert.ok(card !== undefined);
			const advice = {
				kind: KIND_OFFLINE_SALE,
				amountMinor: 700,
				timeS: 1_795_000_000,
				entryMode: "072",
				condition: "00",
			};
			const { terminal } = rig.shop;
			const id = terminal.forward({ ...advice, field60Rest: "00060" }, { pan: card.pan, expiry: card.expiry });
			assert.ok(typeof id === "number");
			rig.time.advance(2_000);
			const [sent] = rig.requests("0220");
			const [stan, batch] = [sent.text(11), sent.textAt(60, 2, 6)];
			const fields = { 3: "000000", 11: stan, 39: code, 41: sent.text(41), 42: sent.text(42), 60: `22${batch}00050` };
			rig.line.send(buildFrame("0210", fields));
			rig.time.advance(2_000);
			assert.equal(terminal.log.index.states[terminal.log.find(id)], State.forwarding);
			rig.time.advance(3_600_000);
			assert.ok(rig.requests("0220").length > 5);
		}
	});

	it("that carry another amount are reversed whatever their code says, 99 as well", () => {
		for (const code of ["00", "51", "97", "99", "A0"]) {
			const rig = sold(code, { 4: "000000009999" });
			rig.time.advance(60_000);
			assert.equal(rig.requests("0400").length, 1, code);
			assert.equal(rig.shop.till.told(2), "notCharged");
		}
	});

	it("that approve after a decline are reversed: people were told that they are not charged", () => {
		for (const code of ["00", "11", "10"]) {
			const rig = new ScriptedRig((request, link) => {
				if (request.mti === "0200") {
					link.send(buildAnswer(request, "51"));
					link.send(buildAnswer(request, code));
				} else link.send(buildAnswer(request, "00"));
			});
			rig.sell();
			rig.time.advance(10_000);
			assert.equal(rig.requests("0400").length, 1, code);
			assert.equal(rig.requests("0400")[0].text(39), "06");
			rig.settle();
			assert.equal(stateOf(rig), State.reversed);
			assert.equal(rig.shop.till.told(2), "notCharged");
		}
	});

	it("that decline after an approval change nothing: the customer has the slip", () => {
		const rig = new ScriptedRig((request, link) => {
			link.send(buildAnswer(request, "00"));
			link.send(buildAnswer(request, "51"));
		});
		rig.sell();
		rig.time.advance(10_000);
		assert.equal(stateOf(rig), State.delivered);
		assert.equal(rig.shop.till.told(2), "paid");
		assert.equal(rig.requests("0400").length, 0);
	});

	it("that come twice are taken once, in every state", () => {
		for (const code of ["00", "51", "10"]) {
			const rig = new ScriptedRig((request, link) => {
				if (request.mti === "0400") link.send(buildAnswer(request, "00"));
				else for (let n = 0; n < 5; n++) link.send(buildAnswer(request, code));
			});
			rig.sell(1_234, "chip");
			const notes = rig.shop.till.notesOf(2).filter((note) => note.source === "slip");
			assert.equal(notes.length, code === "00" ? 1 : 0, code);
			assert.equal(rig.shop.restarts, 0);
			rig.settle();
			assert.ok(rig.shop.terminal.atRest);
		}
	});

	it("that come while the chip thinks about the first do not disturb it", () => {
		const rig = new ScriptedRig((request, link) => {
			link.send(buildAnswer(request, "00"));
			link.send(buildAnswer(request, "51"));
		});
		const visit = rig.sell(1_234, "chip", { verdictMs: 3_000 });
		assert.ok(visit.ended);
		assert.equal(rig.shop.till.told(2), "paid");
	});

	it("about a sale that is long gone are noted, and nothing else", () => {
		const rig = sold("51");
		const [request] = rig.requests("0200");
		for (const changes of [{ 11: "000099" }, { 60: "2200009900060" }]) {
			rig.line.send(buildAnswer(request, "00", changes));
		}
		rig.time.advance(1_000);
		assert.match(rig.logText(), /late answer to stan=99: no such transaction/);
		assert.match(rig.logText(), /late answer to stan=2: no such transaction/);
		assert.equal(rig.shop.terminal.log.index.count, 1);
		assert.equal(stateOf(rig), State.declined);
	});

	it("about a declined sale whose records are gone from flash do not restart the terminal", () => {
		const rig = new ScriptedRig(
			(request: MessageDecoder, link: ScriptedLink) => link.send(buildAnswer(request, "51")),
			{},
			{ blocks: 8 },
		);
		for (let n = 0; n < 250; n++) rig.sell();
		const requests = rig.requests("0200");
		assert.equal(requests.length, 250);
		for (const request of requests.slice(0, 100)) {
			rig.line.send(buildAnswer(request, "00"));
			rig.time.advance(100);
		}
		assert.equal(rig.shop.restarts, 0);
		assert.match(rig.logText(), /no such transaction/);
	});

	it("to a request that never left cannot be: not one byte taken is told as not sent", () => {
		const rig = new ScriptedRig();
		const visit = rig.come();
		rig.runUntil(() => rig.shop.terminal.phase === "card");
		(rig.line.options as { full?: boolean }).full = true;
		rig.runUntil(() => visit.ended);
		assert.equal(visit.screens.at(-1), "notSent");
		assert.equal(stateOf(rig), State.abandoned);
		assert.equal(rig.shop.till.told(2), "notCharged");
		rig.time.advance(3_600_000);
		assert.equal(rig.requests("0400").length, 0, "what never left needs no reversal");
	});
});
