/**
 * Goal: whoever wants the line gets one on which the terminal is signed on; keys differ, hosts refuse, links die, and no
 * exchange ever changes its keys. Method: a scripted far end on virtual time, the real exchange and the real scheme.
 */
import { strict as assert } from "node:assert";
import { TEST_KEYS } from "../../host-sim/acquirer/test-keys";
import { MemoryKeys } from "../../host-sim/board/memory-keys";
import { MemoryLog } from "../../host-sim/board/memory-log";
import { SeededRandom } from "../../host-sim/board/seeded-random";
import { VirtualTime } from "../../host-sim/board/virtual-clock";
import { makeConfig } from "../../src/config";
import { CodedError } from "../../src/core/errors";
import { HostExchange } from "../../src/host/host-exchange";
import { Session, type SignOnStore } from "../../src/host/session";
import { SignOnMessages } from "../../src/host/sign-on-messages";
import type { MessageDecoder } from "../../src/iso8583/decoder";
import { UNIONPAY } from "../../src/iso8583/unionpay";
import { WorkingKeyScheme } from "../../src/security/key-scheme";
import { SyncMac } from "../../src/security/sync-mac";
import { buildAnswer, buildFrame, buildSignOnAnswer, ScriptedLink } from "./scripted-link";

const SALE = buildFrame("0200", {
	3: "000000",
	4: "000000001234",
	11: "000777",
	41: "12345678",
	42: "123456789012345",
	49: "156",
	60: "2200000100060",
});

class FakeStore implements SignOnStore {
	batch = 0;
	stan = 0;
	full = false;
	sold = false;

	takeStan(): number {
		if (this.full) throw new CodedError("full", "journal");
		return ++this.stan;
	}

	adoptBatch(batch: number): "adopted" | "same" | "refused" {
		if (batch === 0) throw new CodedError("range", "batch");
		if (batch === this.batch) return "same";
		if (this.sold) return "refused";
		this.batch = batch;
		return "adopted";
	}
}

class SessionBench {
	readonly time = new VirtualTime(0);
	readonly clock = this.time.clock();
	readonly log = new MemoryLog();
	readonly store = new FakeStore();
	readonly scheme: WorkingKeyScheme;
	readonly link: ScriptedLink;
	readonly exchange: HostExchange;
	readonly session: Session;
	readonly events: string[] = [];
	/** What the far end does with a sign-on. */
	onSignOn: (request: MessageDecoder, link: ScriptedLink) => void = (request, link) =>
		link.send(buildSignOnAnswer(request));
	/** And with all else. */
	onOther: (request: MessageDecoder, link: ScriptedLink) => void = () => {};

	constructor(keys = new MemoryKeys(TEST_KEYS), connects: "opens" | "refused" = "opens") {
		this.scheme = new WorkingKeyScheme(keys, UNIONPAY.mac);
		this.link = new ScriptedLink({
			clock: this.clock,
			connects,
			onRequest: (request, link) => (request.mti === "0800" ? this.onSignOn : this.onOther)(request, link),
		});
		const config = makeConfig();
		const { clock, log, scheme } = this;
		this.exchange = new HostExchange({
			links: [this.link],
			clock,
			log,
			config,
			dialect: UNIONPAY,
			scheme,
			syncMac: new SyncMac(keys),
			onStray: () => {},
			onKeyTrouble: () => this.session.keyTrouble(),
			onQuiet: () => this.session.quiet(),
		});
		this.session = new Session({
			exchange: this.exchange,
			scheme,
			store: this.store,
			messages: new SignOnMessages(UNIONPAY, config),
			config,
			clock,
			random: new SeededRandom(1),
			log,
			onSignedOn: () => this.events.push("signed on"),
			onFailed: (why, code) => this.events.push(`${why}${code}`),
		});
	}

	get signOns(): MessageDecoder[] {
		return this.link.requests.filter(({ mti }) => mti === "0800");
	}

	/** Sends the sale of this file under the keys of now. */
	sell(): void {
		const expected = {
			mti: "0210",
			processingCode: "000000",
			amountMinor: 1_234,
			stan: 777,
			messageType: "22",
			batch: 1,
			ticket: this.scheme.open(),
			mac: "session",
		} as const;
		this.session.request(SALE, SALE.length, expected, 60_000, (end, answer) => {
			this.events.push(end === "answer" ? `answer ${answer.text(39)}` : end);
		});
	}

	connect(name = "connected"): void {
		this.session.connect((connected) => this.events.push(connected ? name : `no ${name}`));
	}
}

describe("host: session", () => {
	it("signs on at start, with the keys of the answer and the batch it names", () => {
		const bench = new SessionBench();
		assert.equal(bench.session.ready, false);
		bench.session.start();
		bench.time.advance(1_000);
		assert.deepEqual(bench.events, ["signed on"]);
		assert.equal(bench.session.ready, true);
		assert.equal(bench.store.batch, 1);
		const [signOn] = bench.signOns;
		assert.equal(signOn.text(60), "00000000003", "a terminal without a batch asks for one");
		assert.equal(signOn.text(63), "01 ");
		assert.equal(signOn.has(64), false, "there is no key for a MAC yet");
	});

	it("gives whoever wants the line a signed-on one, and signs on once for it", () => {
		const bench = new SessionBench();
		bench.connect();
		bench.time.advance(1_000);
		assert.deepEqual(bench.events, ["signed on", "connected"]);
		bench.connect("again");
		assert.equal(bench.events.at(-1), "again", "at once, the line stands");
		assert.equal(bench.signOns.length, 1);
	});

	it("joins a sign-on under way instead of starting another, and the later caller takes over", () => {
		const bench = new SessionBench();
		bench.session.start();
		bench.connect("first");
		bench.time.advance(5);
		bench.connect("second");
		bench.time.advance(1_000);
		assert.deepEqual(bench.events, ["no first", "signed on", "second"]);
		assert.equal(bench.signOns.length, 1);
	});

	it("goes on trying with back-off when there is no link, no answer, or a refusal", () => {
		const dead = new SessionBench(undefined, "refused");
		dead.session.start();
		dead.time.advance(3_600_000);
		assert.ok(dead.link.connections > 8 && dead.link.connections < 40, `${dead.link.connections}`);
		assert.ok(dead.events.every((event) => event === "noLink"));
		const refusing = new SessionBench();
		refusing.onSignOn = (request, link) => link.send(buildAnswer(request, "96", {}, { mac: "none" }));
		refusing.session.start();
		refusing.time.advance(3_000);
		assert.deepEqual(refusing.events, ["refused96"]);
		refusing.onSignOn = (request, link) => link.send(buildSignOnAnswer(request));
		refusing.time.advance(10_000);
		assert.deepEqual(refusing.events, ["refused96", "signed on"]);
		const stans = refusing.signOns.map((request) => request.text(11));
		assert.equal(new Set(stans).size, stans.length, "I4: each sign-on has a number of its own");
	});

	it("a customer does not wait for the back-off", () => {
		const bench = new SessionBench();
		bench.onSignOn = () => {};
		bench.session.start();
		bench.time.advance(61_000);
		assert.deepEqual(bench.events, ["noAnswer"]);
		bench.onSignOn = (request, link) => link.send(buildSignOnAnswer(request));
		bench.connect();
		bench.time.advance(100);
		assert.deepEqual(bench.events, ["noAnswer", "signed on", "connected"]);
		bench.time.advance(600_000);
		assert.equal(bench.signOns.length, 2, "and the back-off is over");
	});

	it("takes no key whose check value is wrong, and leaves those before it in place", () => {
		const bench = new SessionBench();
		bench.session.start();
		bench.time.advance(100);
		const block = bench.signOns[0];
		assert.ok(block);
		bench.onSignOn = (request, link) => {
			const good = Buffer.from(buildSignOnAnswer(request));
			good[good.length - 1] ^= 1; // In the last check value; DE 62 stands last.
			link.send(new Uint8Array(good));
		};
		bench.session.signOn();
		bench.time.advance(100);
		assert.equal(bench.events.at(-1), "keys");
		assert.match(bench.log.texts().join("\n"), /working keys not taken/);
		assert.equal(bench.scheme.ready(), true);
		bench.onOther = (request, link) => link.send(buildAnswer(request, "00"));
		bench.sell();
		bench.time.advance(100);
		assert.equal(bench.events.at(-1), "answer 00", "the old keys still verify");
	});

	it("does not dead-lock when keys differ: A0 under another MAC brings new keys once the exchange is over", () => {
		const bench = new SessionBench();
		bench.session.start();
		bench.time.advance(100);
		bench.onOther = (request, link) => link.send(buildAnswer(request, "A0", {}, { mac: "bad" }));
		bench.sell();
		bench.time.advance(59_000);
		assert.equal(bench.signOns.length, 1, "keys do not change under an open exchange");
		bench.time.advance(2_000);
		assert.deepEqual(bench.events, ["signed on", "noAnswer", "signed on"]);
		assert.equal(bench.signOns.length, 2);
	});

	it("signs on for A0 and 97 at most once a minute, whoever sends them", () => {
		const bench = new SessionBench();
		bench.session.start();
		bench.time.advance(100);
		bench.onOther = (request, link) => link.send(buildAnswer(request, "97", {}, { mac: "none" }));
		for (let n = 0; n < 30; n++) {
			bench.sell();
			bench.time.advance(500);
			bench.session.giveUp();
			bench.time.advance(9_500);
		}
		const minutes = 5;
		assert.ok(bench.signOns.length <= 2 + minutes && bench.signOns.length >= minutes, `${bench.signOns.length}`);
	});

	it("changes no key while a sale holds them, and signs on when it lets go", () => {
		const bench = new SessionBench();
		bench.session.start();
		bench.time.advance(100);
		bench.session.hold();
		bench.session.keyTrouble();
		bench.time.advance(10_000);
		assert.equal(bench.signOns.length, 1);
		bench.connect();
		assert.equal(bench.events.at(-1), "connected", "the sale that holds them goes on");
		bench.session.release();
		bench.time.advance(100);
		assert.equal(bench.signOns.length, 2);
	});

	it("posts nothing while a sign-on waits for the window to become quiet", () => {
		const bench = new SessionBench();
		bench.session.start();
		bench.time.advance(100);
		const expected = { mti: "0230", stan: 5, messageType: "36", ticket: bench.scheme.open(), mac: "session" } as const;
		bench.session.post(SALE, SALE.length, expected, 20_000, (end) => bench.events.push(`posted ${end}`));
		assert.equal(bench.session.room, 15);
		bench.session.keyTrouble();
		assert.equal(bench.session.room, 0);
		bench.connect();
		bench.time.advance(19_000);
		assert.equal(bench.signOns.length, 1);
		bench.time.advance(2_000);
		assert.deepEqual(bench.events, ["signed on", "posted noAnswer", "signed on", "connected"]);
		assert.equal(bench.session.room, 16);
	});

	it("keeps a batch that has sales, whatever the host names", () => {
		const bench = new SessionBench();
		bench.session.start();
		bench.time.advance(100);
		bench.store.sold = true;
		bench.onSignOn = (request, link) => link.send(buildSignOnAnswer(request, 9));
		bench.session.signOn();
		bench.time.advance(100);
		assert.equal(bench.store.batch, 1);
		assert.equal(bench.session.ready, true);
		assert.match(bench.log.texts().join("\n"), /names batch 9; batch 1 goes on/);
	});

	it("takes no batch from an answer whose keys do not fit: nothing in it is proven", () => {
		const bench = new SessionBench();
		bench.onSignOn = (request, link) => link.send(buildSignOnAnswer(request, 7, { 62: "00".repeat(40) }));
		bench.session.start();
		bench.time.advance(100);
		assert.deepEqual(bench.events, ["keys"]);
		assert.equal(bench.store.batch, 0);
	});

	it("is not signed on by an answer that names no batch to a terminal that has none", () => {
		const bench = new SessionBench();
		bench.onSignOn = (request, link) => link.send(buildSignOnAnswer(request, 0));
		bench.session.start();
		bench.time.advance(100);
		assert.deepEqual(bench.events, ["batch"]);
		assert.equal(bench.session.ready, false);
	});

	it("takes no replayed sign-on answer: it carries the trace number of its own request", () => {
		const bench = new SessionBench();
		let first: Uint8Array | undefined;
		bench.onSignOn = (request, link) => {
			first = buildSignOnAnswer(request);
			link.send(first);
		};
		bench.session.start();
		bench.time.advance(100);
		bench.onSignOn = (_request, link) => {
			if (first !== undefined) link.send(first);
		};
		bench.session.signOn();
		bench.time.advance(100);
		assert.deepEqual(bench.events, ["signed on"]);
		assert.match(bench.log.texts().join("\n"), /message dropped: answers nothing/);
	});

	it("asks nobody without a master key, and says that keys are missing", () => {
		const bench = new SessionBench(new MemoryKeys({ HAK: TEST_KEYS.HAK }));
		bench.session.start();
		bench.connect();
		bench.time.advance(1_000);
		assert.equal(bench.link.connections, 0);
		assert.deepEqual(bench.events, ["keys", "keys", "no connected"]);
	});

	it("signs on even when the journal has no room for a trace number: its doubts need keys to end (I3)", () => {
		const bench = new SessionBench();
		bench.store.full = true;
		bench.session.start();
		bench.time.advance(100);
		assert.deepEqual(bench.events, ["signed on"]);
		assert.match(bench.log.texts().join("\n"), /no room to reserve/);
	});

	it("signs off: the host is told, the keys are gone, and the next who wants the line signs on again", () => {
		const bench = new SessionBench();
		bench.onOther = (request, link) => link.send(buildAnswer(request, "00", {}, { mac: "none" }));
		bench.session.start();
		bench.time.advance(100);
		bench.session.signOff((result) => bench.events.push(result));
		bench.time.advance(100);
		assert.equal(bench.link.requests.at(-1)?.mti, "0820");
		assert.equal(bench.events.at(-1), "done");
		assert.equal(bench.scheme.ready(), false);
		bench.time.advance(600_000);
		assert.equal(bench.signOns.length, 1, "not by itself");
		bench.connect();
		bench.time.advance(100);
		assert.deepEqual(bench.events.slice(-2), ["signed on", "connected"]);
	});

	it("signs off nobody while an exchange is open or a sale holds the keys", () => {
		const bench = new SessionBench();
		bench.session.start();
		bench.time.advance(100);
		bench.sell();
		bench.session.signOff((result) => bench.events.push(result));
		bench.session.giveUp();
		bench.session.hold();
		bench.session.signOff((result) => bench.events.push(result));
		assert.deepEqual(bench.events.slice(-3), ["busy", "noAnswer", "busy"]);
		assert.equal(bench.scheme.ready(), true);
	});
});
