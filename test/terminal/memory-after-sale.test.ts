/**
 * I9: when the request has left, nothing of card number, track data and PIN block is in the terminal's memory. Seen from
 * outside, in every array that the terminal's parts are made with.
 */
import { strict as assert } from "node:assert";
import { TEST_KEYS } from "../../host-sim/acquirer/test-keys";
import { createDevice } from "../../host-sim/board/device";
import { FlashMedium } from "../../host-sim/board/flash-medium";
import { MemoryKeys } from "../../host-sim/board/memory-keys";
import { MemoryLog } from "../../host-sim/board/memory-log";
import { NorFlash } from "../../host-sim/board/nor-flash";
import { Power } from "../../host-sim/board/power";
import { ScriptedKeypad } from "../../host-sim/board/scripted-keypad";
import { ScriptedReader } from "../../host-sim/board/scripted-reader";
import { SeededRandom } from "../../host-sim/board/seeded-random";
import { Till } from "../../host-sim/board/till";
import { VirtualTime } from "../../host-sim/board/virtual-clock";
import { TEST_CARDS } from "../../host-sim/test-cards";
import { makeConfig } from "../../src/config";
import { Terminal } from "../../src/terminal";
import { buildSignOnAnswer, ScriptedLink } from "../host/scripted-link";
import { MemoryWatch } from "../security/memory-watch";

describe("terminal: memory when a request has left (I9)", () => {
	it("holds no card number, no track and no PIN block, while the host is still waited for", () => {
		const power = new Power();
		const time = new VirtualTime(Date.UTC(2026, 10, 22));
		const clock = time.clock(power);
		const random = new SeededRandom(1);
		const link = new ScriptedLink({
			clock,
			onRequest: (request, from) => {
				if (request.mti === "0800") from.send(buildSignOnAnswer(request));
			},
		});
		const reader = new ScriptedReader({ power, clock });
		const keypad = new ScriptedKeypad({ power, clock });
		const device = createDevice({
			power,
			flash: { journal: new NorFlash({ medium: new FlashMedium({ blocks: 16 }), power, random }) },
			links: [link],
			clock,
			reader,
			keypad,
			...new Till().attach(power, clock),
			random,
			keys: new MemoryKeys(TEST_KEYS),
			log: new MemoryLog(),
			onRestart: () => {},
		});
		const watch = new MemoryWatch();
		const terminal = watch.watch(() => new Terminal(device, makeConfig()));
		terminal.provision();
		terminal.start();
		time.advance(5_000);
		const card = TEST_CARDS.find(({ name }) => name === "magstripe-pin");
		assert.ok(card?.pin);
		reader.present({ card, delayMs: 500 });
		keypad.enter({ pin: card.pin, delayMs: 500 });
		assert.equal(terminal.sale(1_000), undefined);
		time.advance(2_000);
		const sale = link.requests.find(({ mti }) => mti === "0200");
		assert.ok(sale, "the request has left");
		assert.ok(sale.has(52), "with a PIN");
		assert.equal(terminal.phase, "host");
		assert.equal(watch.holds(card.pan.slice(0, card.pan.length & ~1)), false, "card number, as it is packed");
		assert.equal(watch.holds(Buffer.from(sale.bytes(52)).toString("hex")), false, "PIN block");
	});
});
