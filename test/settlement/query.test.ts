/**
 * Goal: whoever asks about a transaction hears what this terminal knows, the newest first, and then what the host's books
 * hold, in one plain word; and nobody waits for it, neither a customer nor for ever. Method: a whole terminal against the
 * whole host with its faults armed; the host's word is compared with what was injected.
 */
import assert from "node:assert/strict";
import type { FaultName } from "../../host-sim/acquirer/faults";
import { toHex } from "../../src/core/bytes";
import { CodedError } from "../../src/core/errors";
import { HostFlag } from "../../src/settlement/finding";
import { type HostView, hostSays } from "../../src/settlement/inquiry";
import { QUERY_MAX, type QueryHit, type QueryKey } from "../../src/settlement/query";
import { HOST_TEXTS, LOCAL_TEXTS } from "../../src/ui/case-texts";
import { columnsOf } from "../../src/ui/columns";
import { SCREEN_COLUMNS } from "../../src/ui/texts";
import { Rig, type RigOptions } from "../host-sim/world/rig";

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

function shop(options: RigOptions = {}): Rig {
	return new Rig({ config: { settleAtMinute: -1 }, ...options });
}

/** Asks, and runs on until there is an answer. */
function ask(rig: Rig, batch: number, stan: number, ms = 120_000): HostView | undefined {
	let view: HostView | undefined;
	const begun = rig.shop.terminal.askHost(batch, stan, (heard) => {
		assert.equal(view, undefined, "told once");
		view = heard;
	});
	assert.equal(begun, true);
	assert.equal(view, undefined, "never inside the call");
	rig.runUntil(() => view !== undefined, ms);
	return view;
}

function brief(hits: readonly QueryHit[]): [number, string][] {
	return hits.map(({ stan, local }) => [stan, local]);
}

describe("what this terminal knows of a transaction (S3)", () => {
	it("by trace number, amount and last four digits, the newest first", () => {
		const rig = shop();
		const first = rig.sell(1_500, "contactless");
		const second = rig.sell(1_500, "chip");
		const poor = rig.sell(900, "poor");
		const { terminal } = rig.shop;
		const [hit] = terminal.query({ stan: first.stan });
		assert.deepEqual(
			[hit.local, hit.batch, hit.stan, hit.amountMinor, hit.card, hit.code, hit.caseId],
			["delivered", 1, first.stan, 1_500, "621234******4020", "00", 0],
		);
		assert.match(hit.rrn, /^\d{12}$/);
		assert.ok(Math.abs(hit.time - rig.time.nowMs) < 10 * MINUTE_MS);
		assert.deepEqual(brief(terminal.query({ amountMinor: 1_500 })), [
			[second.stan, "delivered"],
			[first.stan, "delivered"],
		]);
		assert.deepEqual(brief(terminal.query({ last4: "4020" })), [[first.stan, "delivered"]]);
		const [declined] = terminal.query({ stan: poor.stan });
		assert.deepEqual([declined.local, declined.code], ["declined", "51"]);
		assert.deepEqual(terminal.query({ stan: 4_711 }), []);
		assert.deepEqual(terminal.query({ last4: "9999" }), []);
	});

	it("finds at most so many", () => {
		const rig = shop({ blocks: 32 });
		for (let n = 0; n < QUERY_MAX + 5; n++) rig.sell(1_500);
		const hits = rig.shop.terminal.query({ amountMinor: 1_500 });
		assert.equal(hits.length, QUERY_MAX);
		assert.equal(hits[0].stan, rig.shop.visits.at(-1)?.stan);
	});

	it("also of a batch that is settled, while it is watched, and of what only a case knows", () => {
		const rig = shop({ office: { postingDelayMs: 20 * MINUTE_MS } });
		const { stan } = rig.sell(2_000);
		rig.shop.terminal.settle();
		rig.time.advance(2 * MINUTE_MS);
		const [watched] = rig.shop.terminal.query({ stan });
		assert.deepEqual([watched.local, watched.batch, watched.amountMinor], ["released", 1, 2_000]);
		assert.deepEqual(brief(rig.shop.terminal.query({ amountMinor: 2_000 })), [[stan, "released"]]);
		assert.deepEqual(brief(rig.shop.terminal.query({ last4: "4020" })), [], "a watch knows no card");

		const other = shop();
		other.faults.arm("postingLost");
		const lost = other.sell(68_800);
		other.time.advance(3 * HOUR_MS);
		other.shop.terminal.settle();
		other.time.advance(HOUR_MS);
		const [known] = other.shop.terminal.query({ stan: lost.stan });
		assert.deepEqual([known.local, known.caseId, known.amountMinor], ["caseOnly", 1, 68_800]);
		assert.deepEqual(brief(other.shop.terminal.query({ last4: "4020" })), [[lost.stan, "caseOnly"]]);
		assert.deepEqual(brief(other.shop.terminal.query({ amountMinor: 68_800 })), [[lost.stan, "caseOnly"]]);
	});

	it("what no transaction can have is a coded error, and changes nothing", () => {
		const rig = shop();
		rig.sell(1_500);
		const wrong: QueryKey[] = [
			...[{ stan: 0 }, { stan: 1_000_000 }, { stan: 1.5 }, { stan: Number.NaN }, { amountMinor: 0 }],
			...[
				{ amountMinor: -1 },
				{ amountMinor: 1e12 },
				{ last4: "" },
				{ last4: "123" },
				{ last4: "12345" },
				{ last4: "１２３４" },
			],
		];
		for (const key of wrong) {
			assert.throws(() => rig.shop.terminal.query(key), CodedError, JSON.stringify(key));
		}
		assert.equal(rig.shop.restarts, 0);
		assert.equal(rig.shop.terminal.query({ amountMinor: 1_500 }).length, 1);
	});
});

describe("what the host says of it (402)", () => {
	it("posted, with the times and the reference of its books", () => {
		const rig = shop();
		const { stan } = rig.sell(1_500);
		rig.time.advance(HOUR_MS);
		const view = ask(rig, 1, stan);
		assert.deepEqual([view?.says, view?.amountMinor, view?.stan, view?.batch], ["posted", 1_500, stan, 1]);
		assert.equal(view?.rrn, rig.shop.terminal.query({ stan })[0].rrn);
		const ageMs = rig.time.nowMs - (view?.recordedAt ?? 0);
		assert.ok(ageMs > 0 && ageMs < 2 * HOUR_MS && (view?.postedAt ?? 0) >= (view?.recordedAt ?? 0));
		assert.equal(rig.shop.till.screen?.name, "queryFound");
	});

	const AFFLICTED: readonly [fault: FaultName, says: HostView["says"]][] = [
		["recordLost", "unrecorded"],
		["reversedWrongly", "reversed"],
		["postingLost", "pending"],
		["postingRefused", "postingRefused"],
	];
	for (const [fault, says] of AFFLICTED) {
		it(`${says} where ${fault} has struck`, () => {
			const rig = shop();
			rig.faults.arm(fault);
			const { stan } = rig.sell(68_800);
			assert.equal(ask(rig, 1, stan)?.says, says);
		});
	}

	it("not known to the host: one that was declined by nobody, and one of a batch that was released", () => {
		const rig = shop();
		const { stan } = rig.sell(1_500);
		assert.equal(ask(rig, 1, 4_711)?.says, "unknown");
		assert.equal(rig.shop.till.screen?.name, "queryNone");
		rig.shop.terminal.settle();
		rig.time.advance(HOUR_MS);
		assert.deepEqual(rig.shop.terminal.query({ stan }), [], "nothing is left of it here");
		assert.deepEqual([ask(rig, 1, stan)?.says, ask(rig, 2, stan)?.says], ["posted", "unknown"]);
	});

	it("no line, no answer, a host that knows no sync: each is said, and in time", () => {
		const rig = shop();
		const { stan } = rig.sell(1_500);
		rig.setLink(false);
		rig.time.advance(5 * MINUTE_MS);
		const begun = rig.time.nowMs;
		assert.equal(ask(rig, 1, stan)?.says, "noLine");
		assert.ok(rig.time.nowMs - begun <= 20_000);
		rig.setLink(true);
		rig.time.advance(10 * MINUTE_MS);
		rig.faults.arm("syncAnswerLost", 1);
		assert.equal(ask(rig, 1, stan)?.says, "noAnswer");
		rig.time.advance(MINUTE_MS);
		assert.equal(ask(rig, 1, stan)?.says, "posted");

		const plain = shop({ sync: false });
		const sold = plain.sell(1_500);
		plain.time.advance(MINUTE_MS);
		assert.equal(ask(plain, 1, sold.stan)?.says, "unsupported");
	});

	it("one question at a time; a customer comes before it, and neither is lost", () => {
		const rig = shop();
		const { stan } = rig.sell(1_500);
		let view: HostView | undefined;
		const heard = (said: HostView) => {
			view = said;
		};
		rig.time.advance(HOUR_MS);
		rig.setLink(false);
		assert.equal(rig.shop.terminal.askHost(1, stan, heard), true);
		assert.equal(rig.shop.terminal.askHost(1, stan, heard), false);
		rig.setLink(true);
		const visit = rig.come(700);
		assert.equal(rig.shop.terminal.askHost(1, stan, heard), false, "a customer is served");
		rig.runUntil(() => visit.ended);
		assert.equal(rig.shop.till.told(visit.stan), "paid");
		rig.runUntil(() => view !== undefined, MINUTE_MS);
		assert.notEqual(view, undefined);
	});

	it("reversals go first: a question of the host waits until they have gone", () => {
		const sent: string[] = [];
		// Behind the length 2, TPDU 5 and header 6.
		const note = (bytes: Uint8Array) => sent.push(toHex(bytes, 13, 15));
		const rig = shop({ beforeWrite: note, onArrival: note });
		const { stan } = rig.sell(1_500);
		rig.time.advance(HOUR_MS);
		rig.come(2_000);
		rig.runUntil(() => rig.shop.till.screen?.name === "waitForHost");
		rig.setLink(false);
		sent.length = 0;
		rig.runUntil(() => rig.shop.till.screen?.name === "noAnswer");
		let view: HostView | undefined;
		rig.setLink(true);
		for (let tries = 0; tries < 20 && view?.says !== "posted"; tries++) view = ask(rig, 1, stan);
		assert.equal(view?.says, "posted");
		assert.deepEqual(sent.slice(0, 4), ["0400", "0410", "0300", "0310"]);
		rig.settle();
		assert.equal(rig.money().oneSided, 0);
	});

	it("an answer that is lost is not waited for longer than any of its kind", () => {
		const rig = shop({ config: { settleAtMinute: -1, queryTimeoutMs: 120_000, syncTimeoutMs: 10_000 } });
		const { stan } = rig.sell(1_500);
		rig.time.advance(HOUR_MS);
		rig.faults.arm("syncAnswerLost", 1);
		const begun = rig.time.nowMs;
		assert.equal(ask(rig, 1, stan)?.says, "noAnswer");
		assert.ok(rig.time.nowMs - begun <= 15_000, `${rig.time.nowMs - begun} ms`);
	});

	it("a boot meanwhile forgets the question, and the next one is answered", () => {
		const rig = shop();
		const { stan } = rig.sell(1_500);
		let told = 0;
		rig.shop.terminal.askHost(1, stan, () => told++);
		rig.shop.pullPlug();
		rig.time.advance(MINUTE_MS);
		assert.equal(told, 0);
		assert.equal(ask(rig, 1, stan)?.says, "posted");
	});

	it("flags come to one word, and what is contradictory to the one that needs a person", () => {
		const { recorded, debited, reversed, posted, refused, voided, farSideFailed } = HostFlag;
		const said: [flags: number, says: string][] = [
			[recorded | debited | posted, "posted"],
			[recorded | debited, "pending"],
			[recorded | debited | refused, "postingRefused"],
			[recorded | debited | posted | reversed, "reversed"],
			[recorded | debited | posted | voided, "voided"],
			[debited, "unrecorded"],
			[recorded, "undebited"],
			[recorded | posted, "undebited"],
			[recorded | debited | posted | farSideFailed, "farSideFailed"],
			[0, "unknown"],
		];
		for (const [flags, says] of said) assert.equal(hostSays({ found: true, flags }), says);
		assert.equal(hostSays({ found: false, flags: 0xff }), "unknown");
	});

	it("each word of either side fits a line of the smallest display", () => {
		for (const table of [LOCAL_TEXTS, HOST_TEXTS]) {
			for (const [name, { zh, en }] of Object.entries(table)) {
				for (const text of [zh, en]) assert.ok(columnsOf(text) <= SCREEN_COLUMNS, `${name}: "${text}"`);
			}
		}
	});
});
