/**
 * Advices on the line: many at a time, none before what is older for the same original, the identical message until the
 * host answers, and nothing that one of them meets stops the others for good (I3, I5, I10).
 */
import { strict as assert } from "node:assert";
import { SeededRandom } from "../../host-sim/board/seeded-random";
import { RESPONSE_CODES } from "../../src/iso8583/response-codes";
import { Flag, KIND_RESEND } from "../../src/transactions/records";
import { State } from "../../src/transactions/states";
import { AdviceBench, type Request } from "./advice-bench";

const DAY_MS = 86_400_000;
const AGAIN = ["68", "90", "91", "92", "96", "97", "98", "99", "A0"];

/** Advices of all kinds; every third belongs to an original that others belong to as well. */
function queue(bench: AdviceBench, count: number): void {
	const random = new SeededRandom(5);
	for (let n = 0; n < count; n++) {
		assert.ok(bench.log.prepare(), `room for advice ${n}`);
		const original = random.chance(1, 3) ? 1 + random.below(20) : 1_000 + n;
		if (n % 4 === 0) bench.offlineSale(1_000 + n);
		else bench.refund(1, original, 1_000 + n, n % 4 === 1 ? KIND_RESEND : 3);
	}
}

/** No request of an original left before all that were older and the same original's had ended. */
function assertOrder(bench: AdviceBench): number {
	const open = new Map<string, Request>();
	let followers = 0;
	for (const request of bench.exchanger.requests) {
		if (!request.message.has(61)) continue;
		const key = request.message.text(61);
		const before = open.get(key);
		if (before !== undefined && before.stan !== request.stan) {
			followers++;
			assert.ok(before.stan < request.stan, `${key}: ${request.stan} after ${before.stan}`);
			assert.ok(before.endedMs >= 0 && before.endedMs <= request.atMs, `${key}: ${request.stan} overtook`);
		}
		open.set(key, request);
	}
	return followers;
}

describe("transactions: advices", () => {
	for (const jitterMs of [0, 50]) {
		it(`drain by the thousand over a round trip of 100 ms${jitterMs > 0 ? ", answered in any order" : ""}`, function () {
			this.timeout(30_000);
			const bench = new AdviceBench({}, { blocks: 512, capacity: 1_024 });
			queue(bench, 1_000);
			assert.equal(bench.advices.waiting, 1_000);
			const random = new SeededRandom(3);
			bench.exchanger.reply = () => {
				bench.exchanger.roundTripMs = 100 + random.below(2 * jitterMs + 1) - jitterMs;
				return "00";
			};
			const from = bench.time.nowMs;
			bench.advices.resume();
			while (bench.advices.waiting > 0 && bench.time.step());
			const tookMs = bench.time.nowMs - from;
			assert.equal(bench.advices.waiting, 0);
			assert.ok(tookMs < 20_000, `${tookMs} ms`);
			assert.equal(bench.exchanger.requests.length, 1_000, "once each");
			assert.equal(bench.exchanger.inFlightMax, 16);
			assert.ok(assertOrder(bench) > 200);
			assert.ok(!bench.advices.active);
			assert.equal(bench.time.pending, 0, "no timer is left");
			for (let slot = 0; slot < 1_000; slot++) assert.equal(bench.log.index.states[slot], State.forwarded);
		});
	}

	it("go out oldest first", () => {
		const bench = new AdviceBench();
		for (let n = 0; n < 20; n++) bench.refund(1, 100 + n);
		bench.advices.kick();
		bench.time.advance(5_000);
		assert.deepEqual(
			bench.sent(),
			Array.from({ length: 20 }, (_, n) => n + 1),
		);
	});

	it("are no more in flight than the configuration and the line allow", () => {
		const bench = new AdviceBench({ windowMax: 5 });
		for (let n = 0; n < 20; n++) bench.refund(1, 100 + n);
		bench.advices.kick();
		bench.time.advance(5_000);
		assert.equal(bench.exchanger.inFlightMax, 5);
		assert.equal(bench.advices.waiting, 0);
		for (let n = 0; n < 20; n++) bench.refund(1, 200 + n);
		bench.exchanger.window = 3;
		bench.advices.kick();
		bench.time.advance(5_000);
		assert.equal(bench.advices.waiting, 0);
	});

	it("are the identical message until they are answered, over hours of silence, after boots and settlements", () => {
		const bench = new AdviceBench();
		bench.offlineSale();
		bench.refund(1, 77);
		bench.exchanger.reply = () => undefined;
		bench.advices.resume();
		for (let hour = 0; hour < 6; hour++) {
			bench.time.advance(3_600_000);
			if (hour === 2) assert.equal(bench.log.settle(2), undefined);
			if (hour === 3) {
				bench.reboot();
				bench.advices.resume();
			}
		}
		const { requests } = bench.exchanger;
		assert.ok(requests.length > 90 && requests.length < 200, `${requests.length} tries`);
		for (const stan of [1, 2]) {
			const frames = requests.filter((request) => request.stan === stan).map((request) => request.hex);
			assert.ok(frames.length > 40);
			assert.equal(new Set(frames).size, 1, `STAN ${stan}`);
		}
		assert.equal(bench.advices.waiting, 2);
		bench.exchanger.reply = () => "00";
		bench.time.advance(400_000);
		assert.equal(bench.advices.waiting, 0);
	});

	it("wait for one another: one back-off for all, 5 s and doubling to 300 s", () => {
		const bench = new AdviceBench({ answerTimeoutMs: 1_000, reversalTimeoutMs: 1_000 });
		for (let n = 0; n < 3; n++) bench.refund(1, 100 + n);
		bench.exchanger.reply = () => undefined;
		bench.advices.resume();
		bench.time.advance(1_400_000);
		const times = bench.exchanger.requests.filter((request) => request.stan === 1).map((request) => request.atMs);
		const waits = times.slice(1).map((ms, n) => ms - times[n] - 1_010);
		assert.deepEqual(waits.slice(0, 8), [5_000, 10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000]);
		for (const stan of [2, 3]) {
			assert.deepEqual(
				bench.exchanger.requests.filter((request) => request.stan === stan).map((request) => request.atMs),
				times,
				"all at the same times",
			);
		}
	});

	it("need not wait any longer when somebody finds that the link works", () => {
		const bench = new AdviceBench();
		bench.refund(1, 100);
		bench.exchanger.works = false;
		bench.advices.resume();
		bench.time.advance(1_200_000);
		assert.equal(bench.exchanger.requests.length, 0);
		const { connects } = bench.exchanger;
		assert.ok(connects > 5 && connects < 12, `${connects}`);
		bench.exchanger.works = true;
		bench.advices.hurry();
		bench.time.advance(111);
		assert.equal(bench.advices.waiting, 0);
	});

	it("are sent again, all of them, when the link is lost with the window full", () => {
		const bench = new AdviceBench({}, { blocks: 64, capacity: 128 });
		queue(bench, 40);
		bench.exchanger.reply = () => undefined;
		bench.advices.resume();
		bench.time.advance(1_000);
		assert.equal(bench.exchanger.inFlight, 16);
		bench.exchanger.hangUp();
		bench.exchanger.reply = () => "00";
		bench.time.advance(4_000);
		assert.equal(bench.exchanger.requests.length, 16, "nothing before the back-off");
		bench.time.advance(8_000);
		assert.equal(bench.advices.waiting, 0);
		assert.equal(bench.exchanger.requests.length, 56);
		assertOrder(bench);
	});

	it("survive a line that takes no byte, and one that ends inside the call", () => {
		const bench = new AdviceBench();
		for (let n = 0; n < 20; n++) bench.refund(1, 100 + n);
		bench.exchanger.connectMs = 0;
		bench.exchanger.reply = () => "unsent";
		bench.advices.resume();
		assert.equal(bench.exchanger.requests.length, 1, "one is enough to see it");
		bench.time.advance(60_000);
		assert.ok(bench.exchanger.requests.length < 8);
		bench.exchanger.reply = () => "00";
		bench.time.advance(300_000);
		assert.equal(bench.advices.waiting, 0);
	});

	for (const [code, { class: verdict }] of Object.entries(RESPONSE_CODES)) {
		const again = AGAIN.includes(code);
		const taken = verdict === "approved" || code === "94";
		it(`answered ${code} are ${again ? "sent again" : taken ? "taken" : "refused"}`, () => {
			const bench = new AdviceBench();
			const id = bench.offlineSale();
			bench.exchanger.reply = () => code;
			bench.advices.resume();
			bench.time.advance(4_000);
			const state = again ? State.forwarding : taken ? State.forwarded : State.forwardRefused;
			assert.equal(bench.state(id), state);
			assert.equal(bench.exchanger.requests.length, 1);
			assert.equal(bench.log.outcome(id)?.code, again ? undefined : code);
			bench.time.advance(60_000);
			assert.equal(bench.exchanger.requests.length > 1, again);
			assert.equal(bench.boot().state(id), state);
		});
	}

	for (const passing of ["badMac", "noAnswer"] as const) {
		it(`that end as ${passing} are sent again`, () => {
			const bench = new AdviceBench();
			const id = bench.refund(1, 5);
			bench.exchanger.reply = () => passing;
			bench.advices.resume();
			bench.time.advance(60_000);
			assert.ok(bench.exchanger.requests.length >= 3);
			assert.equal(bench.state(id), State.forwarding);
			bench.exchanger.reply = () => "00";
			bench.time.advance(60_000);
			assert.equal(bench.state(id), State.forwarded);
		});
	}

	it("go past one whose issuer is away for days, and that one is tried ever more rarely", () => {
		const bench = new AdviceBench({}, { blocks: 64, capacity: 128 });
		const away = bench.refund(1, 5);
		bench.exchanger.reply = ({ stan }) => (stan === 1 ? "91" : "00");
		bench.advices.resume();
		queue(bench, 40);
		bench.advices.kick();
		bench.time.advance(2_000);
		assert.equal(bench.advices.waiting, 1, "the others are through");
		bench.time.advance(3_600_000);
		const tries = bench.sent().filter((stan) => stan === 1).length;
		assert.ok(tries >= 12 && tries < 24, `${tries} tries in an hour`);
		const fresh = bench.refund(1, 6);
		bench.advices.kick();
		bench.time.advance(200);
		assert.equal(bench.state(fresh), State.forwarded, "a new one does not wait for the old one's turn");
		assert.equal(bench.state(away), State.forwarding);
		bench.exchanger.reply = () => "00";
		bench.time.advance(400_000);
		assert.equal(bench.advices.waiting, 0);
	});

	it("are not hurried against a host that is not well: nothing is begun after the first 96", () => {
		const bench = new AdviceBench({}, { blocks: 64, capacity: 128 });
		queue(bench, 60);
		bench.exchanger.reply = () => "96";
		bench.advices.resume();
		bench.time.advance(4_000);
		assert.equal(bench.exchanger.requests.length, 16);
		bench.exchanger.reply = () => "00";
		bench.time.advance(60_000);
		assert.equal(bench.advices.waiting, 0);
		assertOrder(bench);
	});

	it("wait for the reversal of their own original, and for no other", () => {
		const bench = new AdviceBench();
		const sale = bench.doubt();
		const held = bench.refund(1, bench.stan(sale));
		const second = bench.refund(1, bench.stan(sale));
		const free = bench.refund(1, 99);
		bench.advices.resume();
		bench.time.advance(60_000);
		assert.deepEqual(bench.sent(), [bench.stan(free)]);
		bench.log.apply(sale, "reversalAccepted");
		bench.time.advance(600_000);
		assert.deepEqual(bench.sent(), [bench.stan(free)], "accepted once is not over");
		bench.log.apply(sale, "reversalAccepted");
		bench.time.advance(400_000);
		assert.deepEqual(bench.sent(), [bench.stan(free), bench.stan(held), bench.stan(second)]);
		assertOrder(bench);
	});

	it("stay away from the line while they are paused, and take the answers of those in flight", () => {
		const bench = new AdviceBench({}, { blocks: 64, capacity: 128 });
		queue(bench, 40);
		bench.advices.resume();
		bench.time.advance(50);
		assert.equal(bench.exchanger.inFlight, 16);
		bench.advices.pause();
		assert.ok(bench.advices.active);
		bench.time.advance(3_600_000);
		assert.equal(bench.exchanger.requests.length, 16);
		assert.equal(bench.advices.waiting, 24);
		assert.ok(!bench.advices.active);
		bench.offlineSale();
		bench.advices.kick();
		bench.advices.hurry();
		bench.time.advance(10_000);
		assert.equal(bench.exchanger.requests.length, 16, "a kick does not end a pause");
		bench.advices.resume();
		bench.time.advance(2_000);
		assert.equal(bench.advices.waiting, 0);
	});

	it("that were paused while a connection was made go when they may", () => {
		const bench = new AdviceBench();
		bench.refund(1, 5);
		bench.exchanger.works = false;
		bench.advices.resume();
		bench.advices.pause();
		bench.time.advance(20);
		bench.exchanger.works = true;
		bench.advices.resume();
		bench.time.advance(200);
		assert.equal(bench.advices.waiting, 0, "a connect that a customer took over is no failure of the line");
	});

	it("stop for good: no timer, nothing sent", () => {
		const bench = new AdviceBench();
		for (let n = 0; n < 20; n++) bench.refund(1, 100 + n);
		bench.advices.resume();
		bench.time.advance(50);
		bench.advices.stop();
		bench.time.advance(DAY_MS);
		bench.advices.kick();
		bench.advices.resume();
		bench.time.advance(DAY_MS);
		assert.equal(bench.exchanger.requests.length, 16);
		assert.equal(bench.advices.waiting, 4);
		assert.equal(bench.time.pending, 0);
	});

	it("let whatever is more urgent go first, and look again without being called", () => {
		const bench = new AdviceBench();
		for (let n = 0; n < 20; n++) bench.refund(1, 100 + n);
		bench.mayBegin = false;
		bench.advices.resume();
		bench.time.advance(60_000);
		assert.equal(bench.exchanger.connects, 0);
		bench.mayBegin = true;
		bench.time.advance(5_100);
		assert.ok(bench.exchanger.requests.length >= 16);
		bench.mayBegin = false;
		bench.time.advance(60_000);
		assert.equal(bench.exchanger.inFlight, 0);
		const { length } = bench.exchanger.requests;
		bench.mayBegin = true;
		bench.time.advance(6_000);
		assert.equal(bench.advices.waiting, 0);
		assert.ok(length <= 20);
	});

	it("that cannot be built are shown, tried daily, and hold nobody else back", () => {
		const bench = new AdviceBench({}, { blocks: 64, capacity: 128 });
		const broken = bench.refund(1, 5);
		const behind = bench.refund(1, 5);
		const card = bench.log.card.bind(bench.log);
		let opens = 0;
		let works = false;
		bench.log.card = (id) => {
			if (id === broken && ++opens > 0 && !works) return { ...card(id), pan: "62123456789O1232" };
			return card(id);
		};
		queue(bench, 20);
		bench.advices.resume();
		bench.time.advance(3_600_000);
		assert.equal(bench.advices.waiting, 2);
		assert.equal(opens, 1);
		assert.equal(bench.log.index.flags[bench.log.index.find(broken)], Flag.unsendable);
		const errors = bench.lines.filter((line) => line.startsWith("E"));
		assert.equal(errors.length, 1);
		assert.match(errors[0], /stan=1 cannot be built/);
		assert.ok(!errors[0].includes("6212345678901232"));
		bench.time.advance(3 * DAY_MS);
		assert.equal(opens, 4, "once a day");
		assert.equal(bench.state(behind), State.forwarding, "in order, also behind one that does not go");
		works = true;
		bench.time.advance(DAY_MS + 400_000);
		assert.equal(bench.state(broken), State.forwarded);
		assert.equal(bench.state(behind), State.forwarded);
	});

	it("that come while only the daily ones wait are sent again soon, and begin with the first wait", () => {
		const bench = new AdviceBench();
		bench.offlineSale();
		bench.exchanger.reply = () => "amountDiffers";
		bench.advices.resume();
		bench.time.advance(60_000);
		for (const code of ["91", "96"]) {
			bench.refund(1, 500);
			const from = bench.exchanger.requests.length;
			bench.exchanger.reply = () => (bench.exchanger.requests.length > from + 3 ? "00" : code);
			bench.advices.kick();
			bench.time.advance(60_000);
			const times = bench.exchanger.requests.slice(from).map((request) => request.atMs);
			const waits = times.slice(1).map((ms, n) => ms - times[n] - 110);
			assert.deepEqual(waits, [5_000, 10_000, 20_000], code);
			assert.equal(bench.advices.waiting, 1);
		}
	});

	it("are not lost with the key of what is sealed: each is shown, none is sent, all go when it is back", () => {
		const bench = new AdviceBench({}, { blocks: 512, capacity: 1_024 });
		queue(bench, 600);
		bench.exchanger.connectMs = 0;
		const { open } = bench.seal;
		bench.seal.open = (sealed, nonce, aad) => {
			const wrong = sealed.slice();
			wrong[0] ^= 1;
			return open.call(bench.seal, wrong, nonce, aad);
		};
		bench.advices.resume();
		assert.equal(bench.exchanger.requests.length, 0);
		assert.equal(bench.lines.length, bench.lines.filter((line) => line.startsWith("E")).length);
		bench.seal.open = open;
		bench.reboot();
		bench.advices.resume();
		bench.time.advance(3_600_000);
		assert.equal(bench.advices.waiting, 0);
		assertOrder(bench);
	});

	it("that the host answers with another amount are shown and tried daily: no repeat will change that", () => {
		const bench = new AdviceBench();
		const id = bench.offlineSale();
		bench.exchanger.reply = () => "amountDiffers";
		bench.advices.resume();
		bench.time.advance(3_600_000);
		assert.equal(bench.exchanger.requests.length, 1);
		assert.equal(bench.state(id), State.forwarding);
		assert.equal(bench.boot().log.index.flags[0], Flag.amountDiffers);
	});

	it("whose try of the day nobody answers go again soon, not the next day (world seed 93)", () => {
		const bench = new AdviceBench();
		const id = bench.offlineSale();
		bench.exchanger.reply = () => "amountDiffers";
		bench.advices.resume();
		bench.time.advance(3_600_000);
		for (const trouble of ["noAnswer", "97", "91"] as const) {
			const from = bench.exchanger.requests.length;
			bench.exchanger.reply = () => (bench.exchanger.requests.length > from + 3 ? "amountDiffers" : trouble);
			bench.time.advance(DAY_MS);
			assert.equal(bench.exchanger.requests.length, from + 4, trouble);
		}
		bench.exchanger.reply = () => "00";
		bench.time.advance(DAY_MS + 60_000);
		assert.equal(bench.state(id), State.forwarded);
	});

	it("are flagged as overdue at the configured number of tries, durably, and go on", () => {
		const bench = new AdviceBench({ reversalTriesAlarm: 4 });
		const id = bench.offlineSale();
		bench.exchanger.reply = ({ stan }) => (stan === 1 ? "98" : "00");
		bench.advices.resume();
		bench.time.advance(30_000);
		assert.equal(bench.log.index.flags[0], 0);
		bench.time.advance(30_000);
		assert.equal(bench.log.index.flags[0], Flag.overdue);
		bench.reboot();
		assert.equal(bench.log.index.flags[0], Flag.overdue);
		bench.advices.resume();
		bench.time.advance(3_600_000);
		assert.ok(bench.exchanger.requests.length > 12);
		assert.equal(bench.state(id), State.forwarding);
	});

	it("are sent because of what a boot has read only when that is certain (I7)", () => {
		const bench = new AdviceBench();
		bench.offlineSale();
		bench.reboot();
		assert.equal(bench.log.journal.pinned, false);
		let pinned = false;
		bench.exchanger.reply = () => {
			pinned = bench.log.journal.pinned;
			return "00";
		};
		bench.advices.resume();
		bench.time.advance(500);
		assert.equal(bench.advices.waiting, 0);
		assert.ok(pinned);
	});

	it("leave no card number in the frame buffer, and no key open", () => {
		const bench = new AdviceBench();
		let opened = 0;
		let closed = 0;
		const { open, close } = bench.scheme;
		bench.scheme.open = () => {
			opened++;
			return open.call(bench.scheme);
		};
		bench.scheme.close = (ticket) => {
			closed++;
			close.call(bench.scheme, ticket);
		};
		const card = bench.log.card.bind(bench.log);
		const broken = bench.refund(1, 500);
		bench.log.card = (id) => (id === broken ? { ...card(id), pan: "62123456789O1232" } : card(id));
		for (let n = 0; n < 30; n++) bench.offlineSale();
		bench.advices.resume();
		bench.time.advance(60_000);
		assert.ok(bench.messages.frame.every((byte) => byte === 0));
		assert.equal(opened, 31);
		assert.equal(closed, opened);
	});
});
