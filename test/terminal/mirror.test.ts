/**
 * A terminal with two copies of its journal (S13): whichever is lost, between two runs or while it sells, nobody's money
 * is, the log says what happened, and it goes on. Two copies of different journals sell nothing.
 */
import { strict as assert } from "node:assert";
import { TEST_KEYS } from "../../host-sim/acquirer/test-keys";
import { createDevice } from "../../host-sim/board/device";
import { destroyBlock } from "../../host-sim/board/flash-damage";
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
import { countWholeCopies } from "../../host-sim/world/flash-loss";
import { makeConfig } from "../../src/config";
import { readU32 } from "../../src/core/bytes";
import { Terminal } from "../../src/terminal";
import { ScriptedLink } from "../host/scripted-link";
import { Rig } from "../host-sim/world/rig";

const config = makeConfig();
const BLOCKS = 10;
/** Longer than it takes to mend, or to look at, the whole log. */
const NIGHT_MS = 40 * 60_000;

function shopWithMirror(sales = 25): Rig {
	const rig = new Rig({ mirror: true, blocks: BLOCKS });
	for (let n = 0; n < sales; n++) {
		assert.equal(rig.sell(1_000 + n).screens.at(-1), "approved");
		rig.time.advance(4_000);
	}
	return rig;
}

/** All other blocks are destroyed. */
function leaveNewestBlock(media: readonly FlashMedium[]): void {
	const newest = newestSequence(media[0]);
	for (const medium of media) {
		for (let block = 0; block < medium.blocks; block++) {
			if (sequenceOf(medium, block) !== newest) destroyBlock(medium, block, "zeros", new SeededRandom(1));
		}
	}
}

const summaryOf = ({ shop }: Rig) => {
	const { batch, transactions, charged, chargedMinor, doubts } = shop.terminal.summary();
	return { batch, transactions, charged, chargedMinor, doubts };
};

/** Power off, something happens to the flash, power on. */
function whileOff(rig: Rig, happens: (media: readonly FlashMedium[]) => void): void {
	rig.shop.pullPlug();
	happens(rig.shop.media);
	rig.time.advance(3_500);
	assert.ok(rig.shop.power.on);
}

const LOSSES: readonly [name: string, lose: (medium: FlashMedium) => void][] = [
	["erased", (medium) => eachBlock(medium, "ones")],
	["zeroed", (medium) => eachBlock(medium, "zeros")],
	["full of noise", (medium) => eachBlock(medium, "noise")],
];

function eachBlock(medium: FlashMedium, kind: "ones" | "zeros" | "noise"): void {
	const random = new SeededRandom(8);
	for (let block = 0; block < medium.blocks; block++) destroyBlock(medium, block, kind, random.fork(block));
}

const linesWith = (rig: Rig, pattern: RegExp) => rig.log.texts().filter((line) => pattern.test(line));

describe("terminal with a mirror", () => {
	for (const [copy, which] of ["the journal", "the mirror"].entries()) {
		for (const [how, lose] of LOSSES) {
			it(`finds ${which} ${how} at boot: nothing is lost, one line says so, and the copy is made anew`, () => {
				const rig = shopWithMirror();
				const before = summaryOf(rig);
				whileOff(rig, (media) => lose(media[copy]));
				assert.equal(rig.shop.till.screen?.name, "ready");
				assert.deepEqual(summaryOf(rig), before);
				const said = linesWith(rig, /one copy of the journal/);
				assert.equal(said.length, 1, rig.logText());
				assert.match(said[0], /^W .*held nothing of it: it is made anew from the other/);
				assert.equal(rig.sell(5_000).screens.at(-1), "approved");
				rig.time.advance(NIGHT_MS);
				assert.equal(countWholeCopies(rig.shop.media, config), 2);
				assert.ok(rig.shop.blocksMended > 0);
				assert.match(rig.logText(), /W .*blocks mended from the other copy/);
				// Now the other one may go.
				const after = summaryOf(rig);
				whileOff(rig, (media) => lose(media[1 - copy]));
				assert.deepEqual(summaryOf(rig), after);
				assert.equal(rig.sell(6_000).screens.at(-1), "approved");
				rig.settle();
				assert.ok(rig.money().conserved);
			});
		}

		it(`loses ${which} while it sells, each block of it in turn, and mends every one`, () => {
			const rig = shopWithMirror(5);
			const random = new SeededRandom(4);
			for (let n = 0; n < 2 * BLOCKS; n++) {
				const block = n % BLOCKS;
				const visit = rig.come(2_000 + n);
				rig.runUntil(() => visit.screens.includes(n % 2 === 0 ? "presentCard" : "waitForHost"));
				destroyBlock(rig.shop.media[copy], block, n % 3 === 0 ? "noise" : "zeros", random.fork(n));
				assert.ok(rig.runUntil(() => visit.ended));
				assert.equal(visit.screens.at(-1), "approved", `block ${block}`);
				rig.time.advance(NIGHT_MS);
				assert.equal(countWholeCopies(rig.shop.media, config), 2, `block ${block}`);
			}
			assert.equal(rig.shop.restarts, 0);
			assert.equal(rig.shop.terminal.summary().charged, 5 + 2 * BLOCKS);
			assert.equal(rig.shop.erasesInSale, 0);
			assert.ok(rig.money().conserved);
		});

		it(`sells on when ${which} refuses everything, says so once, and takes it back when it works again`, () => {
			const rig = shopWithMirror(5);
			rig.shop.media[copy].readOnly = true;
			for (let n = 0; n < 10; n++) {
				assert.equal(rig.sell(3_000 + n).screens.at(-1), "approved");
				rig.time.advance(4_000);
			}
			const name = copy === 0 ? "first" : "second";
			const said = linesWith(rig, /copy of the journal does not work/);
			assert.equal(said.length, 1, rig.logText());
			assert.match(said[0], new RegExp(`^E .*the ${name} copy of the journal does not work: sales go on`));
			assert.equal(rig.shop.terminal.summary().copies, 1);
			assert.equal(rig.shop.restarts, 0);
			whileOff(rig, (media) => {
				media[copy].readOnly = false;
			});
			rig.sell(4_000);
			rig.time.advance(NIGHT_MS);
			assert.equal(rig.shop.terminal.summary().copies, 2);
			assert.equal(countWholeCopies(rig.shop.media, config), 2);
			assert.ok(rig.money().conserved);
		});

		it(`reverses a doubt although ${which} was lost together with the power`, () => {
			const rig = shopWithMirror(3);
			rig.faults.arm("answerLost");
			const visit = rig.come(7_000);
			rig.runUntil(() => visit.screens.includes("waitForHost"));
			rig.time.advance(2_000);
			whileOff(rig, (media) => eachBlock(media[copy], "noise"));
			assert.match(rig.logText(), new RegExp(`stan=${visit.stan} was interrupted: it is reversed`));
			rig.settle();
			assert.equal(rig.shop.till.told(visit.stan ?? 0), "notCharged");
			assert.ok(rig.money().conserved);
		});
	}

	it("gets its first mirror without being provisioned again", () => {
		const alone = new Rig({ blocks: BLOCKS });
		for (let n = 0; n < 5; n++) alone.sell(1_000 + n);
		const rig = new Rig({ medium: alone.medium, mirror: true });
		assert.deepEqual(summaryOf(rig), summaryOf(alone));
		rig.sell(100);
		rig.time.advance(NIGHT_MS);
		assert.equal(countWholeCopies(rig.shop.media, config), 2);
	});

	it("looks at its copies again and again while nobody is served, and comes to rest all the same", () => {
		const rig = shopWithMirror();
		rig.settle(1);
		assert.ok(rig.shop.terminal.atRest);
		const operations = () => rig.shop.flash.operations;
		const [writes, reads] = [operations(), rig.shop.flash.bytesRead];
		rig.time.advance(NIGHT_MS);
		assert.equal(operations(), writes, "alike: nothing is written");
		assert.ok(rig.shop.flash.bytesRead > reads + 50_000, "and all of it is read");
		assert.ok(rig.time.pending > 0, "there is always a next look");
		assert.ok(rig.shop.terminal.atRest);
	});

	it("is out of service over two different journals, says so in one line, and writes to neither", () => {
		const media = [1, 2].map((seed) => {
			const medium = new FlashMedium({ blocks: BLOCKS });
			terminalOver(medium, undefined, seed).terminal.provision(1);
			return medium;
		});
		const before = media.map((medium) => medium.image.slice());
		const { terminal, till, log, flash } = terminalOver(media[0], media[1], 3);
		assert.equal(terminal.start(), "foreign");
		assert.equal(till.screen?.name, "outOfService");
		assert.equal(terminal.sale(100), "refusedStopped");
		assert.deepEqual(
			log.texts().map((line) => line.replace(/^(.) .*?: /, "$1 ")),
			["E journal foreign: nothing is sold, nothing is formatted", "I sale refused: refusedStopped"],
		);
		assert.equal(flash.operations, 0);
		assert.deepEqual(
			media.map((medium) => medium.image),
			before,
		);
	});

	it("is out of service over two copies that went on apart", () => {
		const rig = shopWithMirror(3);
		rig.shop.pullPlug();
		const media = rig.shop.media.map((medium) => medium.clone());
		for (const medium of media) {
			const apart = new Rig({ medium });
			apart.sell(media.indexOf(medium) + 500);
			apart.shop.pullPlug();
		}
		const { terminal, till } = terminalOver(media[0], media[1], 4);
		assert.equal(terminal.start(), "foreign");
		assert.equal(till.screen?.name, "outOfService");
	});

	it("sells nothing when the settlement mark is lost, with one copy or on both", () => {
		for (const mirror of [false, true]) {
			const rig = new Rig({ blocks: 24, ...(mirror ? { mirror: true } : {}) });
			let broken = 0;
			// Where the mark is not in the newest block it is gone with all others.
			for (let n = 0; n < 45; n++) {
				rig.sell(1_000 + n);
				if (mirror) rig.time.advance(4_000);
				const media = rig.shop.media.map((medium) => medium.clone());
				leaveNewestBlock(media);
				const { terminal, till, log } = terminalOver(media[0], media[1], 5);
				if (terminal.start() !== "broken") continue;
				broken++;
				assert.equal(till.screen?.name, "outOfService");
				assert.equal(terminal.sale(100), "refusedStopped");
				assert.equal(log.texts().filter((line) => /settlement mark is lost/.test(line)).length, 1);
			}
			assert.ok(broken > 0, `mirror ${mirror}`);
		}
	});

	it("refuses a mirror of other blocks before anything begins", () => {
		assert.throws(() => terminalOver(new FlashMedium({ blocks: 10 }), new FlashMedium({ blocks: 12 }), 1), {
			code: "format",
			message: /mirror partition/,
		});
	});
});

/** A terminal on its own; nothing is provisioned or started. */
function terminalOver(medium: FlashMedium, mirror: FlashMedium | undefined, seed: number) {
	const power = new Power();
	const clock = new VirtualTime(Date.UTC(2026, 10, 22)).clock(power);
	const till = new Till();
	const log = new MemoryLog();
	const flash = new NorFlash({ medium, power });
	const device = createDevice({
		power,
		flash: { journal: flash, ...(mirror === undefined ? {} : { mirror: new NorFlash({ medium: mirror, power }) }) },
		links: [new ScriptedLink({ clock })],
		clock,
		reader: new ScriptedReader({ power, clock }),
		keypad: new ScriptedKeypad({ power, clock }),
		...till.attach(power, clock),
		random: new SeededRandom(seed),
		keys: new MemoryKeys(TEST_KEYS),
		log,
	});
	return { terminal: new Terminal(device, config), till, log, flash };
}

const sequenceOf = (medium: FlashMedium, block: number) => readU32(medium.image, block * medium.blockLength + 12);

function newestSequence(medium: FlashMedium): number {
	let newest = 0;
	for (let block = 0; block < medium.blocks; block++) {
		const sequence = sequenceOf(medium, block);
		if (sequence !== 0xffff_ffff) newest = Math.max(newest, sequence);
	}
	return newest;
}
