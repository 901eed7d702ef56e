/**
 * Goal: a thousand advices that waited for the link are drained in under 20 s over a round trip of 100 ms, at most 16 in
 * flight and in order for each transaction, and each ends with the money where it belongs. Method: a whole terminal and
 * the real host on virtual time; the link sees the order.
 */
import { equal, ok } from "node:assert/strict";
import { findTestCard } from "../../host-sim/test-cards";
import { KIND_OFFLINE_SALE } from "../../src/transactions/records";
import { Rig, type RigOptions } from "../host-sim/world/rig";
import { decodeFrame } from "../transactions/flash-witness";

const CARD = findTestCard("contactless");

/** Takes `count` offline sales of 1.00, 1.01, … while there is no link; nothing of them has left then. */
function queued(rig: Rig, count: number): void {
	if (CARD === undefined) throw new Error("no test card");
	const { pan, expiry, sequence } = CARD;
	rig.sell(); // Signs on, so that there is a batch.
	rig.setLink(false);
	for (let n = 0; n < count; n++) {
		const timeS = Math.floor(rig.time.nowMs / 1000);
		const advice = { kind: KIND_OFFLINE_SALE, amountMinor: 100 + n, timeS, entryMode: "072", condition: "00" };
		const id = rig.shop.terminal.forward({ ...advice, field60Rest: "00060" }, { pan, expiry, sequence });
		ok(typeof id === "number", `${id}`);
	}
}

function seen(options: RigOptions = {}) {
	const stans: number[] = [];
	const rig = new Rig({
		blocks: 512,
		latencyMs: 50,
		...options,
		beforeWrite: (bytes) => {
			const message = decodeFrame(bytes);
			if (message.mti === "0220") stans.push(message.number(11));
		},
	});
	return { rig, stans };
}

describe("terminal: advices", () => {
	it("a thousand drain in under 20 s over a round trip of 100 ms, in order", () => {
		const { rig, stans } = seen();
		queued(rig, 1_000);
		equal(rig.shop.terminal.summary().advices, 1_000);
		rig.time.advance(2_000_000); // Tries meanwhile; the link is down.
		stans.length = 0;
		rig.setLink(true);
		ok(
			rig.runUntil(() => stans.length > 0, 3_600_000),
			"they are tried again by themselves",
		);
		const beganMs = rig.time.nowMs;
		ok(rig.runUntil(() => rig.shop.terminal.summary().advices === 0, 60_000));
		const tookMs = rig.time.nowMs - beganMs;
		ok(tookMs < 20_000, `${tookMs} ms`);
		equal(stans.length, 1_000, "each once");
		// In the order of selling; those that had a try while the link was down have their next one at the end.
		const descents = stans.filter((stan, n) => n > 0 && stan < stans[n - 1]).length;
		ok(descents <= 1, `${descents} out of order`);
		equal(new Set(stans).size, 1_000);
		rig.settle();
		equal(rig.entries().filter(({ code }) => code === "00").length, 1_001);
		ok(rig.entries().every((entry) => entry.cardNetMinor === entry.merchantNetMinor));
		equal(rig.shop.restarts, 0);
	});

	it("are the identical message until they are answered, whatever happens in between, and never an 0400", () => {
		const frames = new Map<number, string>();
		let reversals = 0;
		const rig = new Rig({
			blocks: 32,
			beforeWrite: (bytes) => {
				const message = decodeFrame(bytes);
				if (message.mti === "0400") reversals++;
				if (message.mti !== "0220") return;
				const stan = message.number(11);
				// Up to DE 63: the MAC is under the keys of each sending.
				const text = Buffer.from(bytes.slice(0, message.offset(64))).toString("hex");
				equal(frames.get(stan) ?? text, text);
				frames.set(stan, text);
			},
		});
		queued(rig, 20);
		rig.faults.setRate("answerLost", 0.5);
		rig.faults.setRate("badMac", 0.2);
		rig.setLink(true);
		for (let n = 0; n < 10; n++) {
			rig.time.advance(40_000);
			if (n % 3 === 0) rig.shop.pullPlug();
		}
		rig.faults.clear();
		rig.settle();
		equal(rig.shop.terminal.summary().advices, 0);
		equal(frames.size, 20);
		equal(reversals, 0);
		equal(rig.entries().filter(({ code }) => code === "00").length, 21);
		ok(rig.entries().every((entry) => entry.cardNetMinor === entry.merchantNetMinor));
	});

	it("wait for a customer: none is sent while a sale is under way, and they go on after it", () => {
		const { rig, stans } = seen();
		queued(rig, 100);
		rig.setLink(true);
		ok(rig.runUntil(() => stans.length >= 30, 3_600_000));
		const visit = rig.come(5_000);
		rig.runUntil(() => visit.screens.includes("presentCard"));
		const during = stans.length;
		rig.runUntil(() => visit.screens.includes("approved"));
		equal(stans.length, during);
		rig.runUntil(() => visit.ended);
		ok(rig.runUntil(() => rig.shop.terminal.summary().advices === 0, 600_000));
	});
});
