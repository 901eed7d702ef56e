import { strict as assert } from "node:assert";
import { FlashMedium } from "../../host-sim/board/flash-medium";
import { NorFlash } from "../../host-sim/board/nor-flash";
import { toHex, writeU16, writeU32 } from "../../src/core/bytes";
import { CodedError } from "../../src/core/errors";
import { BlockKind, emptyHeader, encodeHeader, recordBytes, recordCrc, recordHead } from "../../src/journal/format";
import { begin, checkThings, end, type Opened, provisioned, reboot, thing } from "./checks";
import { BEGIN } from "./things";

/** Carries what is live, then settles with `mark`. */
function settle(opened: Opened, mark: number): void {
	opened.journal.beginCarry();
	const out = new Uint8Array(448);
	for (const [id, position] of opened.things.live) {
		const length = opened.journal.read(position, out);
		opened.things.live.set(id, opened.journal.append(BEGIN, out, length));
	}
	opened.journal.settle(Uint8Array.of(mark));
}

describe("journal, ring", () => {
	it("goes round many times with settlements, wears all blocks alike and keeps what is carried", () => {
		const opened = provisioned({ blocks: 16 });
		begin(opened, 1, 200);
		for (let id = 2; id < 6000; id++) {
			assert.ok(opened.journal.prepare(500));
			begin(opened, id, 100);
			end(opened, id);
			if (id % 50 === 0) settle(opened, id & 0xff);
		}
		checkThings(opened, new Map([[1, 200]]));
		const { erases } = opened.flash.medium;
		assert.ok(Math.min(...erases) > 8, `${erases}`);
		assert.ok(Math.max(...erases) - Math.min(...erases) <= 2, `${erases}`);
		checkThings(reboot(opened.flash.medium), new Map([[1, 200]]));
	});

	it("without a settlement reclaims by copying what is live, byte for byte, for many turns", () => {
		const opened = provisioned({ blocks: 10 });
		const lengths = new Map<number, number>();
		for (let id = 1; id <= 20; id++) {
			begin(opened, id, id * 20);
			lengths.set(id, id * 20);
		}
		for (let id = 100; id < 3000; id++) {
			assert.ok(opened.journal.prepare(500), `id ${id}`);
			begin(opened, id, 90);
			end(opened, id);
		}
		checkThings(opened, lengths);
		assert.ok(opened.flash.medium.erases.every((count) => count > 10));
		const again = reboot(opened.flash.medium);
		checkThings(again, lengths);
		assert.equal(again.things.mark, "07");
	});

	it("a prepared append never erases", () => {
		const opened = provisioned({ blocks: 10 });
		for (let id = 1; id < 2000; id++) {
			assert.ok(opened.journal.prepare(1000));
			const before = opened.flash.blocksErased;
			begin(opened, id, 400);
			begin(opened, id + 10000, 400);
			end(opened, id);
			end(opened, id + 10000);
			assert.equal(opened.flash.blocksErased, before, `id ${id}`);
		}
	});

	for (const how of ["settlement", "ends"]) {
		it(`when full refuses, writes nothing by refusing, and takes new things after ${how}`, () => {
			const opened = provisioned({ blocks: 12 });
			const lengths = new Map<number, number>();
			let id = 1;
			for (; opened.journal.prepare(500); id++) {
				begin(opened, id, 300);
				lengths.set(id, 300);
			}
			assert.ok(id > 30, `${id} things`);
			const before = opened.flash.operations;
			for (let n = 0; n < 10; n++) assert.equal(opened.journal.prepare(500), false);
			assert.equal(opened.flash.operations, before);
			checkThings(opened, lengths);
			checkThings(reboot(opened.flash.medium), lengths);
			for (const done of [...lengths.keys()].slice(0, -2)) {
				if (how === "ends") end(opened, done);
				else opened.things.live.delete(done);
				lengths.delete(done);
			}
			if (how === "settlement") settle(opened, 1);
			assert.ok(opened.journal.prepare(500));
			begin(opened, 1000, 10);
			lengths.set(1000, 10);
			checkThings(reboot(opened.flash.medium), lengths);
		});
	}

	it("an append that would leave too few blocks for the next boots is refused as full, and reboots still work", () => {
		const opened = provisioned({ blocks: 8 });
		const lengths = new Map<number, number>();
		const isFull = (error: unknown) => error instanceof CodedError && error.code === "full";
		let id = 1;
		assert.throws(() => {
			for (; ; id++) {
				begin(opened, id, 300);
				lengths.set(id, 300);
			}
		}, isFull);
		const { medium } = opened.flash;
		for (let boot = 0; boot < 20; boot++) {
			const again = reboot(medium);
			again.journal.pin();
			checkThings(again, lengths);
			assert.equal(again.journal.prepare(100), false);
		}
	});

	it("a log whose sequences wrap at 2^32 keeps its order, through reclaims and reboots", () => {
		const first = 0xffff_ffd0;
		const medium = new FlashMedium({ blocks: 10 });
		const bytes = new Uint8Array(64);
		const header = { ...emptyHeader(), kind: BlockKind.log, id: 1, generation: 1, blockShift: 12, sequence: first };
		encodeHeader(bytes, 0, { ...header, tailSequence: first, tailOffset: 32 });
		const put = (offset: number, type: number, payload: number[]) => {
			writeU16(bytes, offset, recordHead(type, payload.length, false));
			bytes.set(payload, offset + 2);
			writeU32(bytes, offset + 2 + payload.length, recordCrc(bytes, offset, first, offset));
			return offset + recordBytes(payload.length, 1);
		};
		const mark = new Uint8Array(6);
		writeU32(mark, 0, first);
		writeU16(mark, 4, 32);
		new NorFlash({ medium }).write(bytes.subarray(0, put(put(32, 3, [...mark, 7]), 2, [])), 4096);
		const lengths = new Map([[1, 77]]);
		let opened = reboot(medium);
		begin(opened, 1, 77);
		for (let id = 10; id < 1500; id++) {
			assert.ok(opened.journal.prepare(500));
			begin(opened, id, 150);
			end(opened, id);
			if (id % 100 === 0) {
				opened = reboot(medium);
				checkThings(opened, lengths);
				assert.equal(opened.things.mark, "07");
			}
		}
		checkThings(reboot(medium), lengths);
		assert.ok(medium.erases.every((count) => count > 2));
		assert.equal(toHex(medium.image, 0, 2), "5A4A");
	});

	it("positions that move are told: what the client holds reads right in the same run", () => {
		const opened = provisioned({ blocks: 8 });
		const position = begin(opened, 1, 33);
		for (let id = 2; id < 500; id++) {
			opened.journal.prepare(500);
			begin(opened, id, 200);
			end(opened, id);
		}
		assert.notEqual(opened.things.live.get(1), position);
		checkThings(opened, new Map([[1, 33]]));
		assert.equal(thing(1, 33).length, 33);
	});
});
