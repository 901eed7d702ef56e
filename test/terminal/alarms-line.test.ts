/**
 * Goal: what goes wrong on the line is an alarm while the shop is open, and over when it is mended. Method: whole terminal
 * and host on virtual time, with the fault itself; each alarm is the only one, and is raised once.
 */
import { strict as assert } from "node:assert";
import { MemoryLink } from "../../host-sim/board/memory-link";
import { findTestCard, TEST_CARDS } from "../../host-sim/test-cards";
import { KIND_OFFLINE_SALE } from "../../src/transactions/records";
import type { RigOptions } from "../host-sim/world/rig";
import { AlarmWatch, HOUR_MS, MINUTE_MS, OVER_MS } from "./alarm-watch";

/** Two links to one host. */
function twoLinks(options: RigOptions = {}): { watch: AlarmWatch; links: MemoryLink[] } {
	const links: MemoryLink[] = [];
	const watch = new AlarmWatch({
		...options,
		makeLinks: (power, clock, rig) => {
			links.length = 0;
			for (const name of ["wifi", "cellular"]) {
				links.push(new MemoryLink({ power, clock, network: rig.network, host: () => rig.host, name }));
			}
			return links;
		},
	});
	return { watch, links };
}

/** Cards whose issuer answers with a code. */
function cardsWith(...codes: string[]): RigOptions {
	const card = findTestCard("contactless");
	assert.ok(card !== undefined);
	const more = codes.map((code, n) => {
		const track2 = `${PANS[n]}${card.track2?.slice(card.pan.length)}`;
		return { ...card, name: `code ${code}`, pan: PANS[n], track2, issuerCode: code };
	});
	return { cards: [...TEST_CARDS, ...more] };
}

/** Test numbers with a right check digit. */
const PANS = ["6212340000000001", "6212340000000019"];

function forward(watch: AlarmWatch, count: number): void {
	const { rig } = watch;
	const card = findTestCard("contactless");
	assert.ok(card !== undefined);
	const { pan, expiry, sequence } = card;
	for (let n = 0; n < count; n++) {
		const timeS = Math.floor(rig.time.nowMs / 1000);
		const advice = { kind: KIND_OFFLINE_SALE, amountMinor: 100 + n, timeS, entryMode: "072", condition: "00" };
		const id = rig.shop.terminal.forward({ ...advice, field60Rest: "00060" }, { pan, expiry, sequence });
		assert.ok(typeof id === "number", `${id}`);
	}
}

describe("alarms of the line", () => {
	it("one of two links is dead: trade goes on over the other, and the dead one is named until it connects again", () => {
		const { watch, links } = twoLinks();
		watch.sales(3);
		links[0].up = false;
		watch.rig.sell(5_000);
		watch.sales(2);
		assert.equal(watch.rig.shop.visits.at(-1)?.screens.at(-1), "approved", "over cellular");
		watch.raisedBy("linkDown", HOUR_MS);
		assert.deepEqual(watch.raised, ["linkDown wifi"]);
		assert.equal(watch.rig.shop.terminal.alarms[0].link, "wifi");
		watch.sales(3);
		watch.rig.time.advance(2 * HOUR_MS);
		assert.deepEqual(watch.now, ["linkDown"], "and stays, without a second one");
		links[0].up = true;
		watch.overBy("linkDown", HOUR_MS);
		assert.equal(watch.rig.money().oneSided, 0);
	});

	it("the only link is dead", () => {
		const watch = new AlarmWatch();
		watch.sales(2);
		watch.rig.setLink(false);
		watch.raisedBy("linkDown", HOUR_MS);
		watch.rig.setLink(true);
		watch.overBy("linkDown", HOUR_MS);
	});

	it("a link that connects and does not answer is worse than usual, until it answers", () => {
		const watch = new AlarmWatch({ config: { answerTimeoutMs: 5_000, reversalTimeoutMs: 5_000 } });
		watch.sales(10);
		for (let n = 0; n < 8 && watch.now.length === 0; n++) {
			watch.rig.faults.arm("answerLost", 1);
			watch.sales(1);
		}
		watch.raisedBy("linkWorse", MINUTE_MS);
		watch.sales(16);
		watch.overBy("linkWorse", OVER_MS);
	});

	it("answers that take much longer than usual are a worse link, too", () => {
		const watch = new AlarmWatch();
		watch.sales(10);
		const link = watch.rig.link;
		assert.ok(link !== undefined);
		link.options.latencyMs = 4_000;
		watch.sales(7);
		watch.raisedBy("linkWorse", MINUTE_MS);
		link.options.latencyMs = 50;
		watch.sales(16);
		watch.overBy("linkWorse", OVER_MS);
	});

	it("wrong MACs that come again and again, until answers are genuine", () => {
		const watch = new AlarmWatch();
		watch.sales(2);
		for (let n = 0; n < 2; n++) {
			watch.rig.faults.arm("badMac", 1);
			watch.sales(1);
		}
		watch.rig.time.advance(MINUTE_MS);
		assert.deepEqual(watch.now, [], "two are chance");
		watch.rig.faults.arm("badMac", 1);
		watch.sales(1);
		watch.raisedBy("macFailures", MINUTE_MS);
		watch.sales(8);
		watch.overBy("macFailures", OVER_MS);
	});

	it("three sales in a row whose issuer is away, until one is approved", () => {
		const watch = new AlarmWatch(cardsWith("91", "96"));
		watch.sales(2, "code 91");
		watch.sales(1);
		watch.sales(2, "code 91");
		assert.deepEqual(watch.raised, [], "an approval is between them");
		watch.sales(1, "code 96");
		watch.raisedBy("declines", MINUTE_MS);
		watch.sales(1);
		watch.overBy("declines", OVER_MS);
	});

	it("eight with one code, and not eight with what is the customers' own", () => {
		const watch = new AlarmWatch(cardsWith("05"));
		watch.sales(8, "poor");
		assert.deepEqual(watch.raised, []);
		watch.sales(8, "code 05");
		watch.raisedBy("declines", MINUTE_MS);
		watch.sales(1);
		watch.overBy("declines", OVER_MS);
	});

	it("a queue that grows while nothing can be sent", () => {
		const watch = new AlarmWatch({ blocks: 64, config: { linkDownMsMax: HOUR_MS, queueAgeMsMax: HOUR_MS } });
		watch.sales(1);
		watch.rig.setLink(false);
		forward(watch, 7);
		watch.rig.time.advance(5 * MINUTE_MS);
		assert.deepEqual(watch.now, []);
		forward(watch, 1);
		const beganMs = watch.rig.time.nowMs;
		watch.raisedBy("queueGrows", 5 * MINUTE_MS);
		assert.ok(watch.rig.time.nowMs - beganMs >= MINUTE_MS, "not for a burst");
		watch.rig.setLink(true);
		watch.overBy("queueGrows", 20 * MINUTE_MS);
	});

	it("a reversal that waits longer than ten minutes", () => {
		const watch = new AlarmWatch({ config: { linkDownMsMax: 5 * HOUR_MS } });
		watch.sales(2);
		const visit = watch.rig.come(7_700);
		watch.rig.runUntil(() => visit.screens.includes("waitForHost"));
		watch.rig.setLink(false);
		assert.ok(watch.rig.runUntil(() => visit.ended));
		watch.rig.time.advance(9 * MINUTE_MS);
		assert.deepEqual(watch.now, []);
		watch.raisedBy("queueOld", 3 * MINUTE_MS);
		watch.rig.setLink(true);
		watch.overBy("queueOld", 20 * MINUTE_MS);
		assert.equal(watch.rig.money().oneSided, 0);
	});

	it("doubts near their limit, until they are reversed", () => {
		const watch = new AlarmWatch({ config: { linkWorsePermille: 1_000, queueAgeMsMax: HOUR_MS } });
		watch.sales(2);
		watch.rig.faults.setRate("answerLost", 1);
		watch.sales(3);
		assert.deepEqual(watch.now, []);
		watch.sales(1);
		watch.raisedBy("doubtsNear", MINUTE_MS);
		watch.rig.faults.clear();
		watch.overBy("doubtsNear", 20 * MINUTE_MS);
		assert.equal(watch.rig.money().oneSided, 0);
	});
});
