import { strict as assert } from "node:assert";
import { NorFlash } from "../../host-sim/board/nor-flash";
import { CodedError } from "../../src/core/errors";
import { Journal } from "../../src/journal/journal";
import {
	begin,
	checkFlippedBits,
	checkRecordInPayload,
	checkThings,
	end,
	makeJournal,
	provisioned,
	reboot,
} from "./checks";
import { Things } from "./things";

describe("journal, damage", () => {
	it("any flipped bit of a record loses that record only, and is reported", () => {
		checkFlippedBits(makeJournal);
	});

	it("a record inside a payload is not taken for one when the record around it is damaged", () => {
		checkRecordInPayload(makeJournal);
	});

	for (const silent of [true, false]) {
		it(`a block that fails ${silent ? "silently" : "with an error"} is passed over, and nothing is lost`, () => {
			for (let bad = 0; bad < 10; bad++) {
				const opened = provisioned({ blocks: 10 });
				opened.flash.failBlock(bad, { silent });
				const lengths = new Map<number, number>();
				for (let id = 1; id <= 400; id++) {
					assert.ok(opened.journal.prepare(500), `block ${bad}, id ${id}`);
					begin(opened, id, 150);
					if (id % 100 === 0) lengths.set(id, 150);
					else end(opened, id);
				}
				checkThings(opened, lengths);
				checkThings(reboot(opened.flash.medium), lengths);
			}
		});
	}

	it("a block that erases but does not program is passed over too", () => {
		const opened = provisioned({ blocks: 10 });
		for (const block of [3, 4]) opened.flash.failBlock(block, { erase: false, silent: true });
		for (let id = 1; id <= 200; id++) {
			assert.ok(opened.journal.prepare(500));
			begin(opened, id, 150);
			end(opened, id);
		}
		checkThings(reboot(opened.flash.medium), new Map());
	});

	it("flash that takes nothing any more is a coded error, what is there stays readable, and it recovers", () => {
		const opened = provisioned({ blocks: 10 });
		begin(opened, 1, 50);
		opened.flash.medium.readOnly = true;
		for (let n = 0; n < 20; n++) assert.throws(() => begin(opened, 2, 50), CodedError);
		assert.throws(() => reboot(opened.flash.medium).journal.pin(), CodedError);
		checkThings(reboot(opened.flash.medium), new Map([[1, 50]]));
		opened.flash.medium.readOnly = false;
		const again = reboot(opened.flash.medium);
		begin(again, 2, 50);
		checkThings(
			reboot(opened.flash.medium),
			new Map([
				[1, 50],
				[2, 50],
			]),
		);
	});

	it("a block of the log that is destroyed is reported as lost; the others are still read and the journal goes on", () => {
		const opened = provisioned({ blocks: 16 });
		for (let id = 1; id <= 60; id++) begin(opened, id, 300);
		const { medium } = opened.flash;
		const inBlock = (block: number) =>
			[...opened.things.live].filter(([, position]) => Math.floor(position / 4096) === block).map(([id]) => id);
		const used = [...new Set([...opened.things.live.values()].map((position) => Math.floor(position / 4096)))];
		for (const block of used.slice(0, -1)) {
			const copy = medium.clone();
			copy.image.fill(0, block * 4096, block * 4096 + 4096);
			const things = new Things();
			const journal = new Journal(new NorFlash({ medium: copy }), things);
			const result = journal.mount();
			assert.deepEqual([result.status, result.lostBlocks], ["ok", 1], `block ${block}`);
			const lost = inBlock(block);
			assert.ok(lost.length > 0);
			assert.deepEqual(
				[...things.live.keys()],
				[...opened.things.live.keys()].filter((id) => !lost.includes(id)),
			);
			begin({ flash: new NorFlash({ medium: copy }), things, journal }, 1000, 10);
			assert.ok(reboot(copy).things.live.has(1000));
		}
	});
});
