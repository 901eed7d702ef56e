/**
 * Goal: flash wears and rots as it does on a board and in a drawer, and the firmware is blamed for none of it. Method:
 * each kind of damage on a flash of four blocks, in this boot and in later ones. Losses are in flash-loss.test.ts.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { DAMAGE_KINDS } from "../../../host-sim/board/flash-damage";
import { FlashMedium } from "../../../host-sim/board/flash-medium";
import { NorFlash } from "../../../host-sim/board/nor-flash";
import { Power, PowerLost } from "../../../host-sim/board/power";
import { SeededRandom } from "../../../host-sim/board/seeded-random";
import { AssertionError } from "../../../src/core/assert";
import { CodedError } from "../../../src/core/errors";
import { bytes, flashError, isAll, readBlock, worked } from "./flash-checks";

describe("flash damage: blocks that stop working", () => {
	it("a failing block says so with a coded error, in this boot and the next, and its neighbours work", () => {
		const flash = new NorFlash({ blocks: 4 });
		flash.failBlock(1);
		assert.throws(() => flash.write(new Uint8Array(64), 4096), flashError("+4096: flash, program failed"));
		assert.throws(() => flash.eraseBlock(1), flashError("block 1: flash, erase failed"));
		const next = new NorFlash({ medium: flash.medium });
		assert.throws(() => next.eraseBlock(1), flashError("erase failed"));
		next.write(new Uint8Array(64), 8192);
		next.eraseBlock(2);
	});

	it("a failed program clears some of its bits, and a failed erase raises none", () => {
		const flash = new NorFlash({ blocks: 4 });
		flash.write(new Uint8Array(64), 4096 + 100);
		flash.failBlock(1);
		assert.throws(() => flash.write(new Uint8Array(64), 4096), CodedError);
		const cells = readBlock(flash, 1);
		assert.ok(cells.subarray(0, 64).some((cell) => cell !== 0) && cells.subarray(0, 64).some((cell) => cell !== 0xff));
		assert.ok(isAll(cells.subarray(64, 100), 0xff));
		assert.throws(() => flash.eraseBlock(1), CodedError);
		assert.deepEqual(readBlock(flash, 1), cells);
	});

	it("a silent failing block returns as if all were well, and reading back shows that it is not", () => {
		const flash = new NorFlash({ blocks: 4 });
		flash.failBlock(0, { silent: true });
		flash.write(new Uint8Array(64), 0);
		const cells = new Uint8Array(flash.read(64, 0));
		assert.ok(cells.some((cell) => cell !== 0));
		flash.eraseBlock(0);
		assert.deepEqual(new Uint8Array(flash.read(64, 0)), cells);
	});

	it("whoever was told that an erase went well is not blamed for programming what it left", () => {
		for (const writeAlign of [1, 16]) {
			const flash = worked({ writeAlign });
			flash.failBlock(1, { silent: true, program: false });
			flash.eraseBlock(1);
			flash.write(new Uint8Array(16).fill(0xf0), 4096);
			assert.ok(isAll(readBlock(flash, 1).subarray(0, 16), 0x20));
		}
	});

	it("whoever was told that an erase failed is blamed", () => {
		const flash = worked();
		flash.failBlock(1, { program: false });
		assert.throws(() => flash.eraseBlock(1), CodedError);
		assert.throws(() => flash.write(new Uint8Array(16).fill(0xf0), 4096), AssertionError);
	});

	it("a block may fail at only one of the two", () => {
		const flash = new NorFlash({ blocks: 4 });
		flash.failBlock(0, { program: false });
		flash.write(bytes(0), 0);
		assert.throws(() => flash.eraseBlock(0), CodedError);
		flash.failBlock(1, { erase: false });
		flash.eraseBlock(1);
		assert.throws(() => flash.write(bytes(0), 4096), CodedError);
	});

	it("a failed erase can leave a mixture, and then nothing of it is firm ground", () => {
		const flash = worked({ writeAlign: 16 });
		flash.failBlock(1, { partly: true, program: false });
		assert.throws(() => flash.eraseBlock(1), CodedError);
		assert.ok(new Set(readBlock(flash, 1)).size > 50);
		assert.equal(flash.medium.marginal.size, 0);
		assert.deepEqual(readBlock(flash, 0), readBlock(flash, 2));
		assert.throws(() => flash.write(new Uint8Array(16), 4096), AssertionError);
	});

	it("a chip that protects itself refuses programs and erases and still reads", () => {
		const flash = new NorFlash({ blocks: 4 });
		flash.write(bytes(9), 0);
		flash.medium.readOnly = true;
		assert.throws(() => flash.write(bytes(0), 0), flashError("read-only"));
		assert.throws(() => flash.eraseBlock(0), flashError("read-only"));
		assert.deepEqual(new Uint8Array(flash.read(1, 0)), bytes(9));
	});

	it("a fault can make the chip protect itself, loudly or silently: from then on no block can be written", () => {
		for (const silent of [false, true]) {
			const flash = new NorFlash({ blocks: 4 });
			flash.failBlock(2, { protects: true, silent });
			flash.write(bytes(1), 0);
			if (silent) flash.write(bytes(0), 8192);
			else assert.throws(() => flash.write(bytes(0), 8192), flashError("program failed"));
			assert.throws(() => flash.write(bytes(0), 0), flashError("read-only"));
			const next = new NorFlash({ medium: flash.medium });
			assert.throws(() => next.eraseBlock(0), flashError("read-only"));
			assert.deepEqual(new Uint8Array(next.read(1, 0)), bytes(1));
		}
	});

	it("whoever was told nothing, as power went during a silent failure, is blamed", () => {
		const flash = worked();
		flash.failBlock(1, { silent: true });
		flash.cutAt(flash.operations + 1, 4096);
		assert.throws(() => flash.eraseBlock(1), PowerLost);
		const next = new NorFlash({ medium: flash.medium });
		assert.throws(() => next.write(new Uint8Array(16).fill(0xf0), 4096), AssertionError);
	});

	it("power can go while a worn block fails, and while an operation is refused", () => {
		const doomed = (arrange: (flash: NorFlash) => void) => {
			const power = new Power();
			const flash = new NorFlash({ blocks: 4, power });
			arrange(flash);
			flash.cutAt(1, 30, 4);
			assert.throws(() => flash.write(new Uint8Array(64), 0), PowerLost);
			assert.equal(power.on, false);
			return flash.medium.image.subarray(0, 64);
		};
		assert.ok(doomed((flash) => flash.failBlock(0)).some((cell) => cell !== 0xff));
		const readOnly = doomed((flash) => {
			flash.medium.readOnly = true;
		});
		assert.ok(isAll(readOnly, 0xff));
		assert.ok(
			isAll(
				doomed((flash) => flash.failPartition()),
				0xff,
			),
		);
		assert.ok(
			isAll(
				doomed((flash) => flash.failPartition({ writes: "ignored" })),
				0xff,
			),
		);
	});
});

describe("flash damage: stuck bits", () => {
	it("a cell stuck at 0 stays 0 after an erase, in every boot, and nobody is blamed for programming a 1 there", () => {
		const flash = new NorFlash({ blocks: 4 });
		flash.stickBit(4100, 3, 0);
		assert.equal(flash.medium.image[4100], 0xff, "it shows at the next operation");
		flash.eraseBlock(1);
		assert.deepEqual(new Uint8Array(flash.read(3, 4099)), bytes(0xff, 0xf7, 0xff));
		const next = new NorFlash({ medium: flash.medium });
		next.eraseBlock(1);
		next.write(bytes(0xff, 0xff, 0x07), 4099);
		assert.deepEqual(new Uint8Array(next.read(3, 4099)), bytes(0xff, 0xf7, 0x07));
		assert.throws(() => next.write(bytes(0x0f), 4101), AssertionError, "the same bit of its neighbour is sound");
	});

	it("a cell stuck at 1 stays 1 when it is programmed", () => {
		const flash = new NorFlash({ blocks: 4 });
		flash.stickBit(10, 0, 1);
		flash.stickBit(10, 7, 1);
		flash.write(bytes(0, 0, 0), 9);
		assert.deepEqual(new Uint8Array(flash.read(3, 9)), bytes(0, 0x81, 0));
	});

	it("a program elsewhere in the block does not move it", () => {
		const flash = new NorFlash({ blocks: 4 });
		flash.stickBit(10, 0, 0);
		flash.write(bytes(0), 11);
		flash.write(bytes(0), 9);
		assert.equal(flash.medium.image[10], 0xff);
	});

	it("stays stuck through a torn operation, and what the backing holds is what the cells hold", () => {
		const cells = new Uint8Array(4 * 4096).fill(0xff);
		const backing = {
			program: (offset: number, data: Uint8Array) => cells.set(data, offset),
			erase: (offset: number, byteLength: number) => cells.fill(0xff, offset, offset + byteLength),
		};
		const medium = new FlashMedium({ blocks: 4, backing });
		for (let shape = 0; shape < 6; shape++) {
			const flash = new NorFlash({ medium });
			flash.stickBit(4096 + shape, 1, 0);
			flash.eraseBlock(1);
			assert.deepEqual(cells, medium.image);
			flash.cutAt(2, 9, shape);
			assert.throws(() => flash.eraseBlock(1), PowerLost);
			for (let i = 0; i <= shape; i++) assert.equal(medium.image[4096 + i] & 2, 0);
			assert.deepEqual(cells, medium.image);
		}
	});
});

describe("flash damage: bits that flip at rest", () => {
	it("are as many as asked, within the range asked, up or down, and others at each call", () => {
		const flash = worked();
		const before = flash.medium.image.slice();
		const offsets = flash.flipBits(40, 4096, 8192);
		assert.equal(offsets.length, 40);
		assert.ok(offsets.every((offset) => offset >= 4096 && offset < 8192));
		assert.notDeepEqual(flash.flipBits(40, 4096, 8192), offsets);
		let [up, down] = [0, 0];
		flash.medium.image.forEach((cell, i) => {
			if ((cell & ~before[i]) !== 0) up++;
			if ((before[i] & ~cell) !== 0) down++;
			if (i < 4096 || i >= 8192) assert.equal(cell, before[i]);
		});
		assert.ok(up > 10 && down > 10 && up + down <= 80, `${up} ${down}`);
	});

	it("in erased cells are not the fault of whoever programs there; the byte is simply not what was written", () => {
		const flash = new NorFlash({ blocks: 4 });
		const [offset] = flash.flipBits(1, 100, 200);
		const flipped = flash.medium.image[offset];
		flash.write(new Uint8Array(100).fill(0xff), 100);
		assert.equal(flash.medium.image[offset], flipped);
		const next = new NorFlash({ medium: flash.medium });
		next.write(new Uint8Array(100).fill(0xff), 100);
		next.write(new Uint8Array(100), 100);
		assert.throws(() => next.write(bytes(0xff), offset === 150 ? 151 : 150), AssertionError);
	});

	it("are gone after an erase, and then the rules hold there again", () => {
		const flash = new NorFlash({ blocks: 4 });
		const [offset] = flash.flipBits(1, 100, 200);
		const flipped = ~flash.medium.image[offset] & 0xff;
		flash.eraseBlock(0);
		assert.ok(isAll(readBlock(flash, 0), 0xff));
		flash.write(bytes(0), offset);
		assert.throws(() => flash.write(bytes(flipped), offset), AssertionError);
	});
});

describe("flash damage: anything at any time", () => {
	it("never blames firmware that erases before it programs and programs once", () => {
		const hits = fc.array(
			fc.record({
				step: fc.integer({ min: 0, max: 30 }),
				what: fc.integer({ min: 0, max: 5 }),
				where: fc.integer({ min: 0, max: 4 * 4096 - 1 }),
			}),
			{ maxLength: 12 },
		);
		fc.assert(
			fc.property(hits, fc.constantFrom(1, 4, 16, 32), (damage, writeAlign) => {
				const flash = new NorFlash({ blocks: 4, writeAlign });
				for (let step = 0; step < 30; step++) {
					for (const { what, where } of damage.filter((hit) => hit.step === step)) {
						const block = Math.floor(where / 4096);
						if (what === 0) flash.flipBits(3, where, where + 1);
						else if (what === 1) flash.stickBit(where, where & 7, where & 8 ? 1 : 0);
						else if (what === 2) flash.destroyBlock(block, DAMAGE_KINDS[where % DAMAGE_KINDS.length]);
						else if (what === 3) flash.failBlock(block, { silent: true, partly: (where & 1) === 1 });
						else if (what === 4) flash.destroyPartition("stale");
						else flash.failBlock(block, { silent: true, program: false });
					}
					const block = step % 4;
					flash.eraseBlock(block);
					const data = new Uint8Array(512);
					new SeededRandom(step).fill(data);
					flash.write(data, block * 4096);
					flash.write(data, block * 4096 + 512);
				}
			}),
		);
	});
});
