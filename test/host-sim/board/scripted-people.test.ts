/** The reader's customers and the keypad's cardholders do what their script says, and nothing on a dead board. */
import assert from "node:assert/strict";
import { Power, PowerLost } from "../../../host-sim/board/power";
import { ScriptedKeypad } from "../../../host-sim/board/scripted-keypad";
import { type Presentation, ScriptedReader } from "../../../host-sim/board/scripted-reader";
import { VirtualTime } from "../../../host-sim/board/virtual-clock";
import { findTestCard, type TestCard } from "../../../host-sim/test-cards";
import { AssertionError } from "../../../src/core/assert";
import type { CardData } from "../../../src/ports";

const card = (name: string): TestCard => findTestCard(name) ?? assert.fail(`no test card ${name}`);

function readerFixture(script: Presentation[]) {
	const time = new VirtualTime();
	const power = new Power();
	const reader = new ScriptedReader({ power, clock: time.clock(power), script });
	const seen: string[] = [];
	const cards: CardData[] = [];
	const start = () =>
		reader.start({
			amountMinor: 100,
			time: "260101120000",
			onCard: (data) => {
				cards.push(data);
				seen.push("card");
			},
			onError: (reason) => seen.push(reason),
		});
	const complete = () => reader.complete(new Uint8Array(0), (verdict) => seen.push(verdict));
	return { time, power, reader, seen, cards, start, complete };
}

describe("the scripted reader", () => {
	it("hands over the card after its delay, with all that its entry mode has and nothing else", () => {
		const { time, seen, cards, start, reader } = readerFixture([
			{ card: card("chip"), delayMs: 500 },
			{ card: card("magstripe-pin") },
		]);
		start();
		time.advance(499);
		assert.deepEqual(seen, []);
		time.advance(1);
		assert.equal(cards[0].pan, card("chip").pan);
		assert.equal(cards[0].sequence, "001");
		assert.equal(cards[0].emv?.[0], 0x9f);
		reader.stop();
		start();
		time.advance(0);
		assert.deepEqual(Object.keys(cards[1]).sort(), ["entryMode", "expiry", "pan", "pinWanted", "track2"]);
	});

	it("a card that cannot be read, or is pulled, ends the session with its reason; the next one may begin", () => {
		const { time, seen, start } = readerFixture([
			{ card: card("chip"), fault: "unreadable" },
			{ card: card("chip"), fault: "pulled" },
			{ card: card("chip") },
		]);
		for (let i = 0; i < 3; i++) {
			start();
			time.advance(1);
		}
		assert.deepEqual(seen, ["unreadable", "pulled", "card"]);
	});

	it("the card gives its own verdict once; one that is gone refuses", () => {
		const { time, seen, start, complete, reader } = readerFixture([
			{ card: card("chip"), verdictMs: 300 },
			{ card: card("chip-refuses") },
			{ card: card("chip"), fault: "gone" },
		]);
		for (let i = 0; i < 3; i++) {
			start();
			time.advance(1);
			complete();
			time.advance(1000);
			reader.stop();
			reader.stop();
		}
		assert.deepEqual(seen, ["card", "TC", "card", "AAC", "card", "AAC"]);
	});

	it("waits without a script, and takes a card given later", () => {
		const { time, seen, start, reader } = readerFixture([]);
		start();
		time.advance(60_000);
		assert.equal(reader.waiting, true);
		reader.present({ card: card("contactless"), delayMs: 10 });
		assert.equal(reader.waiting, false);
		time.advance(10);
		assert.deepEqual(seen, ["card"]);
	});

	it("after stop, and after a cut, nobody is called", () => {
		const { time, power, seen, start, reader, complete } = readerFixture([
			{ card: card("chip"), delayMs: 5 },
			{ card: card("chip"), delayMs: 5, verdictMs: 5 },
		]);
		start();
		reader.stop();
		time.advance(100);
		start();
		time.advance(5);
		complete();
		power.cut();
		time.advance(100);
		assert.deepEqual(seen, ["card"]);
		assert.throws(() => start(), PowerLost);
		assert.throws(() => reader.stop(), PowerLost);
	});

	it("two sessions at once, a verdict without a card, or of a card without a chip, are bugs", () => {
		const { time, start, complete } = readerFixture([{ card: card("contactless") }]);
		assert.throws(complete, AssertionError);
		start();
		assert.throws(start, AssertionError);
		time.advance(1);
		assert.throws(complete, AssertionError);
	});
});

describe("the scripted keypad", () => {
	function keypadFixture() {
		const time = new VirtualTime();
		const power = new Power();
		const keypad = new ScriptedKeypad({ power, clock: time.clock(power) });
		const seen: (string | undefined)[] = [];
		const request = () => keypad.requestPin(100, (pin) => seen.push(pin && String.fromCharCode(...pin)));
		return { time, power, keypad, seen, request };
	}

	it("gives the PIN after its delay, or cancel, or waits for the keys", () => {
		const { time, keypad, seen, request } = keypadFixture();
		keypad.enter({ pin: "1234", delayMs: 100 });
		keypad.enter({});
		request();
		time.advance(99);
		assert.deepEqual(seen, []);
		time.advance(1);
		request();
		time.advance(0);
		request();
		time.advance(60_000);
		assert.deepEqual([seen, keypad.waiting], [["1234", undefined], true]);
		keypad.enter({ pin: "123456" });
		time.advance(0);
		assert.deepEqual(seen, ["1234", undefined, "123456"]);
	});

	it("calls nobody after cancelPin or a cut", () => {
		const { time, power, keypad, seen, request } = keypadFixture();
		keypad.enter({ pin: "1234", delayMs: 5 });
		keypad.enter({ pin: "1234", delayMs: 5 });
		request();
		keypad.cancelPin();
		request();
		power.cut();
		time.advance(100);
		assert.deepEqual(seen, []);
		assert.throws(request, PowerLost);
	});

	it("a PIN that is none is a bug of the script", () => {
		for (const pin of ["123", "1234567890123", "12a4"]) {
			assert.throws(() => keypadFixture().keypad.enter({ pin }), AssertionError);
		}
	});
});
