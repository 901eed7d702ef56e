/** One request, one end: answers, strays, silence, and that each callback comes exactly once. */
import { strict as assert } from "node:assert";
import { TEST_KEYS } from "../../host-sim/acquirer/test-keys";
import { MemoryKeys } from "../../host-sim/board/memory-keys";
import { MemoryLog } from "../../host-sim/board/memory-log";
import { VirtualTime } from "../../host-sim/board/virtual-clock";
import { type ConfigOptions, makeConfig } from "../../src/config";
import { AssertionError } from "../../src/core/assert";
import { HostExchange } from "../../src/host/host-exchange";
import type { MessageDecoder } from "../../src/iso8583/decoder";
import type { Expected } from "../../src/iso8583/exchange";
import { UNIONPAY } from "../../src/iso8583/unionpay";
import { SyncMac } from "../../src/security/sync-mac";
import {
	buildAnswer,
	buildFrame,
	type Changes,
	ScriptedLink,
	type ScriptedLinkOptions,
	signedOnScheme,
} from "./scripted-link";

const EXPECTED: Expected = {
	mti: "0210",
	processingCode: "000000",
	amountMinor: 1_234,
	stan: 7,
	messageType: "22",
	batch: 1,
	ticket: 1,
	mac: "session",
};
const REQUEST = buildFrame("0200", {
	3: "000000",
	4: "000000001234",
	11: "000007",
	41: "12345678",
	42: "123456789012345",
	49: "156",
	60: "2200000100060",
});

class ExchangeBench {
	readonly time = new VirtualTime(0);
	readonly clock = this.time.clock();
	readonly log = new MemoryLog();
	readonly link: ScriptedLink;
	readonly exchange: HostExchange;
	readonly strays: string[] = [];
	readonly ends: string[] = [];
	onStray: (() => void) | undefined;
	keyTroubles = 0;
	quiets = 0;

	/** A peer that frames its messages and says nothing that makes sense. */
	noise(messages: number): void {
		for (let n = 0; n < messages; n++) this.link.send(Uint8Array.of(0, 5, 104, 101, 108, 108, 111));
		this.time.advance(2_000);
	}

	constructor(
		onRequest?: (request: MessageDecoder, link: ScriptedLink) => void,
		config: ConfigOptions = {},
		link: Partial<ScriptedLinkOptions> = {},
	) {
		const answering = onRequest === undefined ? {} : { onRequest };
		this.link = new ScriptedLink({ clock: this.clock, ...answering, ...link });
		this.exchange = new HostExchange({
			links: [this.link],
			clock: this.clock,
			log: this.log,
			config: makeConfig(config),
			dialect: UNIONPAY,
			scheme: signedOnScheme(),
			syncMac: new SyncMac(new MemoryKeys(TEST_KEYS)),
			onStray: (message) => {
				this.strays.push(`${message.mti} ${message.has(11) ? message.text(11) : ""}`);
				this.onStray?.();
			},
			onKeyTrouble: () => {
				this.keyTroubles++;
			},
			onQuiet: () => {
				this.quiets++;
			},
		});
		this.exchange.connect(() => {});
		this.time.advance(20);
	}

	request(timeoutMs = 60_000): void {
		this.exchange.request(REQUEST, REQUEST.length, EXPECTED, timeoutMs, (end, answer) => {
			this.ends.push(end === "answer" ? `answer ${answer.text(39)}` : end);
		});
	}
}

const answering =
	(code: string, changes: Changes = {}) =>
	(request: MessageDecoder, link: ScriptedLink) => {
		link.send(buildAnswer(request, code, changes));
	};

describe("host: exchange", () => {
	it("ends with the answer, and is free again", () => {
		const bench = new ExchangeBench(answering("51"));
		bench.request();
		assert.equal(bench.exchange.busy, true);
		bench.time.advance(100);
		assert.deepEqual(bench.ends, ["answer 51"]);
		assert.equal(bench.exchange.busy, false);
		bench.request();
		bench.time.advance(100_000);
		assert.deepEqual(bench.ends, ["answer 51", "answer 51"]);
	});

	it("takes one request at a time (I5)", () => {
		const bench = new ExchangeBench();
		bench.request();
		assert.throws(() => bench.request(), AssertionError);
		assert.equal(bench.link.requests.length, 1);
	});

	it("may begin the next request from inside the end of the last", () => {
		const bench = new ExchangeBench(answering("00"));
		bench.exchange.request(REQUEST, REQUEST.length, EXPECTED, 1_000, () => bench.request());
		bench.time.advance(200);
		assert.deepEqual(bench.ends, ["answer 00"]);
	});

	it("ends with no answer when the time is up, not before and only once", () => {
		const bench = new ExchangeBench();
		bench.request(5_000);
		bench.time.advance(4_999);
		assert.deepEqual(bench.ends, []);
		bench.time.advance(1);
		assert.deepEqual(bench.ends, ["noAnswer"]);
		bench.link.send(buildAnswer(bench.link.requests[0], "00"));
		bench.time.advance(100_000);
		assert.deepEqual(bench.ends, ["noAnswer"]);
		assert.deepEqual(bench.strays, ["0210 000007"], "what comes later is handed on");
	});

	it("ends with no answer at once when the line is lost after bytes may have left", () => {
		const bench = new ExchangeBench();
		bench.request();
		bench.link.hangUp();
		assert.deepEqual(bench.ends, ["noAnswer"]);
		bench.time.advance(100_000);
		assert.deepEqual(bench.ends, ["noAnswer"]);
	});

	it("ends as unsent when not one byte was taken", () => {
		const full = new ExchangeBench(undefined, {}, { full: true });
		full.request();
		assert.deepEqual(full.ends, ["unsent"]);
		const gone = new ExchangeBench();
		gone.link.hangUp();
		gone.request();
		assert.deepEqual(gone.ends, ["unsent"]);
		gone.time.advance(100_000);
		assert.deepEqual(gone.ends, ["unsent"]);
	});

	it("closes the line after two silent exchanges in a row: it may be dead without an error", () => {
		const bench = new ExchangeBench();
		bench.request(1_000);
		bench.time.advance(1_000);
		assert.equal(bench.exchange.connected, true);
		bench.request(1_000);
		bench.time.advance(1_000);
		assert.equal(bench.exchange.connected, false);
		assert.match(bench.log.texts().join("\n"), /closed: silence/);
		assert.deepEqual(bench.ends, ["noAnswer", "noAnswer"]);
	});

	it("does not close a line on which anything was heard between two silences", () => {
		const bench = new ExchangeBench();
		for (let n = 0; n < 5; n++) {
			bench.request(1_000);
			bench.time.advance(1_000);
			bench.link.send(buildAnswer(bench.link.requests[n], "00"));
			bench.time.advance(100);
			assert.equal(bench.exchange.connected, true);
		}
		assert.equal(bench.strays.length, 5);
	});

	it("ends with no answer when it is given up, and counts that as no silence", () => {
		const bench = new ExchangeBench();
		for (let n = 1; n <= 4; n++) {
			bench.request();
			bench.exchange.giveUp();
			assert.equal(bench.ends.length, n);
		}
		bench.exchange.giveUp();
		assert.deepEqual(new Set(bench.ends), new Set(["noAnswer"]));
		assert.equal(bench.exchange.connected, true);
	});

	it("tells an answer over another amount, and one that cannot be trusted", () => {
		const other = new ExchangeBench(answering("00", { 4: "000000001235" }));
		other.request();
		other.time.advance(100);
		assert.deepEqual(other.ends, ["amountDiffers"]);
		const bad = new ExchangeBench((request, link) => link.send(buildAnswer(request, "00", {}, { mac: "bad" })));
		bad.request();
		bad.time.advance(100);
		assert.deepEqual(bad.ends, ["badMac"]);
	});

	it("believes an amount only under a right MAC", () => {
		const bench = new ExchangeBench((request, link) => {
			link.send(buildAnswer(request, "00", { 4: "000000001235" }, { mac: "bad" }));
		});
		bench.request();
		bench.time.advance(100);
		assert.deepEqual(bench.ends, ["badMac"]);
	});

	it("hands on late answers and whatever else is under a right MAC, and drops all other messages that answer nothing", () => {
		const bench = new ExchangeBench(answering("00"));
		bench.request();
		bench.time.advance(100);
		const [request] = bench.link.requests;
		bench.link.send(buildAnswer(request, "00"));
		bench.link.send(buildAnswer(request, "00", {}, { mac: "bad" }));
		bench.link.send(buildAnswer(request, "00", {}, { mac: "none" }));
		bench.link.send(buildAnswer(request, "00", { 11: "000008" }));
		bench.link.send(buildAnswer(request, "00", {}, { mti: "0410" }));
		bench.time.advance(100);
		assert.deepEqual(bench.strays, ["0210 000007", "0210 000008", "0410 000007"]);
		assert.deepEqual(bench.ends, ["answer 00"]);
	});

	it("takes 16 more beside the one that goes alone, each with its own answer in any order", () => {
		const bench = new ExchangeBench();
		const ended: string[] = [];
		bench.request();
		for (let n = 0; n < 16; n++) {
			assert.equal(bench.exchange.room, 16 - n);
			const stan = 20 + n;
			bench.exchange.post(REQUEST, REQUEST.length, { ...EXPECTED, stan }, 60_000, (end) =>
				ended.push(`${stan} ${end}`),
			);
		}
		assert.equal(bench.exchange.room, 0);
		assert.throws(() => bench.exchange.post(REQUEST, REQUEST.length, EXPECTED, 60_000, () => {}), AssertionError);
		const [request] = bench.link.requests;
		for (const stan of ["000035", "000020", "000027"]) bench.link.send(buildAnswer(request, "00", { 11: stan }));
		bench.time.advance(100);
		assert.deepEqual(ended, ["35 answer", "20 answer", "27 answer"]);
		assert.equal(bench.exchange.room, 3);
		assert.equal(bench.quiets, 0);
		bench.link.hangUp();
		assert.equal(ended.length, 16, "the others end with the line");
		assert.deepEqual(bench.ends, ["noAnswer"]);
		assert.equal(bench.exchange.open, 0);
		assert.equal(bench.quiets, 1);
	});

	it("concludes nothing from A0 or 97 that cannot be verified, and asks for a sign-on", () => {
		for (const [code, mac] of [
			["A0", "bad"],
			["97", "none"],
			["99", "none"],
		] as const) {
			const bench = new ExchangeBench((request, link) => link.send(buildAnswer(request, code, {}, { mac })));
			bench.request(5_000);
			bench.time.advance(4_000);
			assert.deepEqual(bench.ends, [], code);
			assert.equal(bench.keyTroubles, 1);
			bench.time.advance(2_000);
			assert.deepEqual(bench.ends, ["noAnswer"], code);
		}
	});

	it("ends with a verified A0, and asks for a sign-on as well", () => {
		const bench = new ExchangeBench(answering("A0"));
		bench.request();
		bench.time.advance(100);
		assert.deepEqual(bench.ends, ["answer A0"]);
		assert.equal(bench.keyTroubles, 1);
	});

	it("closes a line on which a byte a second comes", () => {
		const bench = new ExchangeBench((request, link) => link.send(buildAnswer(request, "00"), 1, 1_000));
		bench.request(120_000);
		bench.time.advance(59_000);
		assert.equal(bench.exchange.connected, true);
		bench.time.advance(3_000);
		assert.equal(bench.exchange.connected, false);
		assert.deepEqual(bench.ends, ["noAnswer"]);
		assert.match(bench.log.texts().join("\n"), /a frame came too slowly/);
	});

	it("drops messages for another terminal or merchant before it looks at anything else", () => {
		const bench = new ExchangeBench();
		bench.request();
		const [request] = bench.link.requests;
		for (const changes of [{ 41: "87654321" }, { 42: "543210987654321" }, { 41: undefined }, { 42: undefined }]) {
			bench.link.send(buildAnswer(request, "00", changes));
		}
		bench.time.advance(100);
		assert.deepEqual(bench.strays, []);
		assert.deepEqual(bench.ends, []);
		assert.match(bench.log.texts().join("\n"), /for another terminal/);
	});

	it("takes a frame that is no message for noise: the line and the request stand", () => {
		const noise = Uint8Array.from([0, 30, ...new Uint8Array(30).fill(0x55)]);
		const bench = new ExchangeBench((request, link) => {
			link.send(noise);
			link.send(buildAnswer(request, "00"));
		});
		bench.request();
		bench.time.advance(100);
		assert.deepEqual(bench.ends, ["answer 00"]);
		assert.match(bench.log.texts().join("\n"), /message dropped/);
	});

	it("survives every truncation and every flipped bit of an answer: an end, or nothing", () => {
		const good = buildAnswer(new ExchangeBenchRequest().message, "00");
		for (let at = 0; at < good.length * 8; at += 3) {
			const frame = good.slice();
			frame[at >> 3] ^= 1 << (at & 7);
			const bench = new ExchangeBench((_request, link) => link.send(frame));
			bench.request(1_000);
			bench.time.advance(5_000);
			assert.equal(bench.ends.length, 1, `bit ${at}`);
			// TPDU and header stand outside the MAC, and change nothing.
			if (at >= 13 * 8) assert.ok(!bench.ends[0].startsWith("answer"), `bit ${at}: ${bench.ends[0]}`);
		}
		for (let byteLength = 2; byteLength < good.length; byteLength++) {
			const frame = good.slice(0, byteLength);
			frame[0] = (byteLength - 2) >> 8;
			frame[1] = byteLength - 2;
			const bench = new ExchangeBench((_request, link) => link.send(frame));
			bench.request(1_000);
			bench.time.advance(5_000);
			assert.ok(["noAnswer", "badMac"].includes(bench.ends[0]), `${byteLength} bytes: ${bench.ends[0]}`);
		}
	});

	it("shows no card number in its log", () => {
		const bench = new ExchangeBench(answering("00", { 2: "6212345678901232" }));
		bench.request();
		bench.time.advance(100);
		assert.match(bench.log.texts().join("\n"), /621234\*{6}1232/);
		assert.doesNotMatch(bench.log.texts().join("\n"), /6212345678901232/);
	});

	it("hangs up on a peer that sends nothing but noise, and bears a little of it", () => {
		const bench = new ExchangeBench();
		bench.time.advance(20);
		bench.noise(7);
		assert.equal(bench.exchange.connected, true);
		bench.noise(1);
		assert.equal(bench.exchange.connected, false);
		assert.match(bench.log.texts().join("\n"), /nothing but noise/);
	});
});

/** The request as the far end reads it. */
class ExchangeBenchRequest {
	readonly message: MessageDecoder;

	constructor() {
		const bench = new ExchangeBench();
		bench.request();
		this.message = bench.link.requests[0];
	}
}
