/** Goal: the devices that are none on the desktop's board keep the promises of their ports. */
import assert from "node:assert/strict";
import { TEST_CARD, TEST_CARD_EMV, TEST_KEYS } from "../../drivers/boards/lin/test-keys";
import { LogDisplay } from "../../drivers/log-display/log-display";
import { LogPrinter } from "../../drivers/log-printer/log-printer";
import { MemoryKeypad } from "../../drivers/memory-keypad/memory-keypad";
import { filledMemory, MemoryKeys } from "../../drivers/memory-keys/memory-keys";
import { MemoryReader } from "../../drivers/memory-reader/memory-reader";
import { TraceLog } from "../../drivers/trace-log/trace-log";
import { TEST_KEYS as HOST_KEYS } from "../../host-sim/acquirer/test-keys";
import { findTestCard } from "../../host-sim/test-cards";
import { type CardData, KEY_BYTES_MAX, type Slip } from "../../src/ports";
import { fakeTime } from "./fake-clock";

const CARD: CardData = { entryMode: "chip", pan: "6212345678901232", expiry: "3012", pinWanted: false };

function session(events: string[]) {
	return {
		amountMinor: 100,
		time: "261122090000",
		onCard: (card: CardData) => events.push(`card ${card.pan}`),
		onError: (reason: string) => events.push(reason),
	};
}

describe("trace log", () => {
	it("prints lines as ESP-IDF does, down to the level it was given", () => {
		let out = "";
		const log = new TraceLog({ trace: (text) => (out += text), level: "W" });
		log.write("E", 12_345.9, "journal", "block 7");
		log.write("I", 12_346, "journal", "mounted");
		log.write("W", 0, "host", "lost");
		assert.equal(out, "E (12345) journal: block 7\nW (0) host: lost\n");
	});

	it("makes one line of a text, whatever is in it", () => {
		let out = "";
		new TraceLog({ trace: (text) => (out += text) }).write("I", 1, "a\nb", "x\r\ny\u001b[31m\u0085z 中\u007f");
		assert.equal(out, "I (1) a b: x  y [31m z 中 \n");
	});
});

describe("memory reader", () => {
	it("hands a waiting session its card, after the call, and the next session no old one", () => {
		const time = fakeTime();
		const reader = new MemoryReader({ clock: time.clock() });
		const events: string[] = [];
		reader.start(session(events));
		time.advance(60_000);
		reader.hold({ data: CARD });
		assert.deepEqual(events, []);
		time.advance(1);
		assert.deepEqual(events, [`card ${CARD.pan}`]);
		reader.stop();
		reader.stop();
		reader.start(session(events));
		time.advance(60_000);
		assert.equal(events.length, 1);
	});

	it("keeps a card that was held before the session began, also when that ended without reading it", () => {
		const time = fakeTime();
		const reader = new MemoryReader({ clock: time.clock() });
		const events: string[] = [];
		reader.hold({ data: CARD });
		reader.start(session(events));
		reader.stop();
		time.advance(1);
		assert.deepEqual(events, []);
		reader.start(session(events));
		time.advance(1);
		assert.deepEqual(events, [`card ${CARD.pan}`]);
	});

	it("asks the card for its verdict, once, and not without a card", () => {
		const time = fakeTime();
		const reader = new MemoryReader({ clock: time.clock() });
		const verdicts: string[] = [];
		const ask = () => reader.complete(new Uint8Array(0), (verdict) => verdicts.push(verdict));
		assert.throws(ask, /a verdict needs a card/);
		for (const verdict of [undefined, "AAC"] as const) {
			reader.hold(verdict === undefined ? { data: CARD } : { data: CARD, verdict });
			reader.start(session([]));
			time.advance(1);
			ask();
			time.advance(1);
			reader.stop();
		}
		assert.deepEqual(verdicts, ["TC", "AAC"]);
	});

	it("is dead after close, twice", () => {
		const time = fakeTime();
		const reader = new MemoryReader({ clock: time.clock() });
		const events: string[] = [];
		reader.hold({ data: CARD });
		reader.start(session(events));
		reader.close();
		reader.close();
		time.advance(1);
		assert.deepEqual(events, []);
		assert.throws(() => reader.start(session(events)), { code: "state" });
	});
});

describe("memory keypad", () => {
	it("answers a request with what is typed, cancel included, after the call", () => {
		const time = fakeTime();
		const keypad = new MemoryKeypad({ clock: time.clock() });
		const answers: (string | undefined)[] = [];
		const ask = () => keypad.requestPin(100, (pin) => answers.push(pin && String.fromCharCode(...pin)));
		ask();
		keypad.type(Uint8Array.of(49, 50, 51, 52));
		assert.deepEqual(answers, []);
		time.advance(1);
		ask();
		keypad.type(undefined);
		time.advance(1);
		assert.deepEqual(answers, ["1234", undefined]);
	});

	it("wipes digits that nobody took, and calls nobody after a cancel (I9)", () => {
		const time = fakeTime();
		const keypad = new MemoryKeypad({ clock: time.clock() });
		const pin = Uint8Array.of(49, 50, 51, 52);
		keypad.requestPin(100, () => assert.fail("called after a cancel"));
		keypad.type(pin);
		keypad.cancelPin();
		time.advance(1);
		assert.deepEqual([...pin], [0, 0, 0, 0]);
		const late = Uint8Array.of(53, 54, 55, 56);
		keypad.type(late);
		keypad.close();
		keypad.close();
		assert.deepEqual([...late], [0, 0, 0, 0]);
	});
});

describe("log display and log printer", () => {
	const SLIP: Slip = {
		...{ name: "sale", copy: "customer", reprint: false, stan: 7, batch: 1, amountMinor: 1_234 },
		...{ card: "621234******1232", rrn: "112300000001", authorization: "A1B2C3", time: 0 },
		...{ terminalId: "12345678", merchantId: "123456789012345", told: "paid" },
	};

	it("say each screen and each slip in one line", () => {
		const time = fakeTime();
		const clock = time.clock();
		let out = "";
		const log = new TraceLog({ trace: (text) => (out += text) });
		const display = new LogDisplay({ log, clock });
		display.show({ name: "ready", count: 0 });
		display.show({
			name: "declined",
			stan: 7,
			amountMinor: 5,
			card: "621234******1232",
			code: "51",
			told: "notCharged",
		});
		new LogPrinter({ log, clock }).print(SLIP, () => {});
		assert.deepEqual(out.split("\n"), [
			"I (0) display: ready",
			"I (0) display: declined stan=7 amount=0.05 card=621234******1232 code=51 told=notCharged",
			"I (0) printer: sale slip, customer copy: batch=1 stan=7 amount=12.34 card=621234******1232 " +
				"rrn=112300000001 authorization=A1B2C3 told=paid",
			"",
		]);
	});

	it("print one slip at a time and report it after the call", () => {
		const time = fakeTime();
		const clock = time.clock();
		const printer = new LogPrinter({ log: { write: () => {} }, clock });
		const done: boolean[] = [];
		printer.print(SLIP, (printed) => done.push(printed));
		assert.throws(() => printer.print(SLIP, () => {}), /one slip at a time/);
		assert.equal(done.length, 0);
		time.advance(1);
		printer.print(SLIP, (printed) => done.push(printed));
		time.advance(1);
		assert.deepEqual(done, [true, true]);
	});
});

describe("memory keys", () => {
	it("hold what they were given, through a restart of the firmware too", () => {
		const memory = filledMemory({ TMK: "0123456789ABCDEF" });
		const first = new MemoryKeys({ memory });
		const out = new Uint8Array(32);
		assert.equal(first.read("TMK", out), 8);
		assert.deepEqual([out[0], out[7], out[8]], [0x01, 0xef, 0]);
		assert.equal(first.read("HAK", out), 0);
		const written = Uint8Array.of(9, 8, 7);
		first.write("DUKPT", written);
		written.fill(0);
		first.close();
		const second = new MemoryKeys({ memory });
		assert.deepEqual([second.read("DUKPT", out), ...out.subarray(0, 3)], [3, 9, 8, 7]);
		second.write("DUKPT", Uint8Array.of(1, 2));
		assert.deepEqual([second.read("DUKPT", out), ...out.subarray(0, 2)], [2, 1, 2]);
	});

	it("leave nothing of a key that is replaced", () => {
		const memory = filledMemory({ TMK: "0102", HAK: "0304" });
		const old = [memory.get("TMK"), memory.get("HAK")];
		const keys = new MemoryKeys({ memory });
		keys.write("TMK", Uint8Array.of(5, 6, 7));
		keys.write("HAK", Uint8Array.of(8, 9));
		assert.deepEqual([...(old[0] ?? [])], [0, 0]);
		assert.deepEqual([...(old[1] ?? [])], [8, 9]);
	});

	it("are dead after close, twice, and say no digit in an error (I9)", () => {
		const keys = new MemoryKeys({ memory: filledMemory({ TMK: "0123456789ABCDEF" }) });
		assert.throws(() => keys.read("TMK", new Uint8Array(7)), { code: "length", message: /^((?!0123).)*$/ });
		for (const length of [0, KEY_BYTES_MAX + 1]) {
			assert.throws(() => keys.write("TMK", new Uint8Array(length)), { code: "length" });
		}
		keys.close();
		keys.close();
		assert.throws(() => keys.read("TMK", new Uint8Array(16)), { code: "state" });
		assert.throws(() => keys.write("TMK", Uint8Array.of(1)), { code: "state" });
		assert.throws(() => filledMemory({ HAK: "12G4" }), { code: "charset", message: /^((?!12).)*$/ });
	});
});

describe("the desktop's board", () => {
	it("has the keys of the simulated host and a card that its issuer knows", () => {
		assert.deepEqual(TEST_KEYS, HOST_KEYS);
		const { emv, pan, expiry, sequence, track2, entryMode, pinWanted, atIssuer } = findTestCard("contactless") ?? {};
		assert.deepEqual(TEST_CARD, { entryMode, pan, expiry, sequence, track2, pinWanted });
		assert.deepEqual([TEST_CARD_EMV, atIssuer], [emv, true]);
	});
});
