/**
 * Goal: a block or a whole partition is lost as it happens on a board, by content or by function, and the firmware is
 * not blamed for what it cannot know. Method: each kind of loss on a flash of four blocks, in this boot and in later
 * ones.
 */
import assert from "node:assert/strict";
import { FlashCut } from "../../../host-sim/board/flash-cut";
import { DAMAGE_KINDS } from "../../../host-sim/board/flash-damage";
import { FlashMedium, type PartitionFault } from "../../../host-sim/board/flash-medium";
import { NorFlash } from "../../../host-sim/board/nor-flash";
import { Power, PowerLost } from "../../../host-sim/board/power";
import { SeededRandom } from "../../../host-sim/board/seeded-random";
import { AssertionError } from "../../../src/core/assert";
import { CodedError } from "../../../src/core/errors";
import { bytes, flashError, isAll, readBlock, worked } from "./flash-checks";

describe("flash loss: destroyed content", () => {
	it("is noise, zeros, ones, an earlier turn of the block, or one page of noise", () => {
		const contents = DAMAGE_KINDS.map((kind) => {
			const flash = worked();
			flash.destroyBlock(1, kind);
			for (const block of [0, 2, 3]) assert.deepEqual(readBlock(flash, block), readBlock(worked(), block));
			return readBlock(flash, 1);
		});
		const [noise, zeros, ones, stale, page] = contents;
		assert.ok(new Set(noise).size > 200);
		assert.ok(isAll(zeros, 0) && isAll(ones, 0xff) && isAll(stale, 0x11));
		const changed = readBlock(worked(), 1).reduce((sum, cell, i) => sum + (cell === page[i] ? 0 : 1), 0);
		assert.ok(changed > 200 && changed <= 256, `${changed}`);
	});

	it("of a block that was never erased is stale as it came from the factory", () => {
		const flash = new NorFlash({ blocks: 4 });
		flash.write(new Uint8Array(10), 0);
		flash.destroyBlock(0, "stale");
		assert.ok(isAll(readBlock(flash, 0), 0xff));
	});

	it("follows from the generator given, and otherwise differs from one call to the next", () => {
		const flash = new NorFlash({ blocks: 4 });
		flash.destroyBlock(0, "noise", new SeededRandom(5));
		flash.destroyBlock(1, "noise", new SeededRandom(5));
		flash.destroyBlock(2, "noise");
		flash.destroyBlock(3, "noise");
		assert.deepEqual(readBlock(flash, 0), readBlock(flash, 1));
		assert.notDeepEqual(readBlock(flash, 2), readBlock(flash, 3));
	});

	it("is nobody's fault until the block is erased: no bit is said to rise, no unit to be programmed twice", () => {
		for (const writeAlign of [1, 4, 16, 32]) {
			for (const kind of DAMAGE_KINDS) {
				const flash = worked({ writeAlign });
				flash.destroyBlock(1, kind);
				const next = new NorFlash({ medium: flash.medium });
				for (let n = 0; n < 2; n++) next.write(new Uint8Array(4096).fill(0xa5 << n), 4096);
				assert.throws(() => next.write(new Uint8Array(32).fill(0xff), 8192), AssertionError, "other blocks");
				next.eraseBlock(1);
				next.write(new Uint8Array(32).fill(0x0f), 4096);
				assert.ok(isAll(readBlock(next, 1).subarray(0, 32), 0x0f));
				assert.throws(() => next.write(new Uint8Array(32).fill(0xff), 4096), AssertionError, "erased since");
			}
		}
	});

	it("ends marginal cells: what is there now is firm", () => {
		const flash = new NorFlash({ blocks: 4 });
		flash.cutAt(1, 50, 13);
		assert.throws(() => flash.eraseBlock(0), PowerLost);
		const next = new NorFlash({ medium: flash.medium });
		next.destroyBlock(0, "noise");
		assert.equal(flash.medium.marginal.size, 0);
		assert.deepEqual(readBlock(next, 0), readBlock(new NorFlash({ medium: flash.medium }), 0));
	});

	it("of a whole partition is every block of it", () => {
		for (const kind of DAMAGE_KINDS) {
			const flash = worked();
			flash.destroyPartition(kind);
			const all = Array.from({ length: 4 }, (_, block) => readBlock(flash, block));
			for (const cells of all) assert.notDeepEqual(cells, readBlock(worked(), 0));
			if (kind === "noise") assert.notDeepEqual(all[0], all[1]);
			assert.equal(flash.medium.lost.size, 4);
			flash.eraseBlock(0, 4);
			assert.equal(flash.medium.lost.size, 0);
		}
	});

	it("reaches the backing, and is refused for a block that is none", () => {
		const cells = new Uint8Array(4 * 4096).fill(0xff);
		const medium = new FlashMedium({
			blocks: 4,
			backing: { program: (offset, data) => cells.set(data, offset), erase: () => {} },
		});
		const flash = new NorFlash({ medium });
		flash.destroyBlock(2, "noise");
		flash.flipBits(3);
		assert.deepEqual(cells, medium.image);
		for (const block of [-1, 4, 0.5]) assert.throws(() => flash.destroyBlock(block, "ones"), AssertionError);
	});
});

describe("flash loss: a dead partition", () => {
	it("refuses every write with a coded error and reads as 0xFF, unless asked otherwise", () => {
		const flash = worked();
		const before = flash.medium.image.slice();
		const { pagesProgrammed, blocksErased, typicalUs } = flash;
		flash.failPartition();
		assert.throws(() => flash.write(bytes(0), 3000), flashError("no answer"));
		assert.throws(() => flash.eraseBlock(0), flashError("no answer"));
		assert.ok(isAll(readBlock(flash, 0), 0xff));
		assert.deepEqual(flash.medium.image, before);
		assert.deepEqual(
			[flash.pagesProgrammed, flash.blocksErased, flash.typicalUs],
			[pagesProgrammed, blocksErased, typicalUs],
		);
		assert.equal(flash.status().blocks, 4);
	});

	it("can swallow writes without a word: nothing changes, and no rule is broken by what it does not hold", () => {
		const flash = worked({ writeAlign: 16 });
		const before = flash.medium.image.slice();
		const erases = flash.medium.erases.slice();
		flash.failPartition({ writes: "ignored" });
		flash.write(new Uint8Array(32).fill(0xff), 0);
		flash.write(new Uint8Array(32).fill(0xff), 0);
		flash.eraseBlock(0);
		assert.deepEqual(flash.medium.image, before);
		assert.deepEqual(flash.medium.erases, erases);
		assert.throws(() => flash.write(bytes(0), 1), AssertionError, "alignment is still the caller's");
	});

	it("reads as its content, as noise that differs each time, as a line stuck low or high, or not at all", () => {
		const read = (reads: PartitionFault["reads"]) => {
			const flash = worked();
			flash.failPartition({ reads });
			return [new Uint8Array(flash.read(100, 2000)), new Uint8Array(flash.read(100, 2000))];
		};
		const content = worked().medium.image.subarray(2000, 2100);
		assert.deepEqual(read("content"), [content, content]);
		assert.ok(read("zeros").every((cells) => isAll(cells, 0)) && read("ones").every((cells) => isAll(cells, 0xff)));
		const [first, second] = read("noise");
		assert.notDeepEqual(first, second);
		assert.deepEqual(read("noise"), [first, second], "the same seed, the same noise");
		assert.throws(() => read("refused"), flashError("+2000: flash, no answer"));
	});

	it("stays dead in later boots, or comes back at the boot asked for with what it held", () => {
		for (const boots of [1, 2, 5, Infinity]) {
			const { medium } = worked();
			new NorFlash({ medium }).failPartition({ writes: "ignored" }, boots);
			for (let boot = 1; boot < 8; boot++) {
				const flash = new NorFlash({ medium });
				assert.equal(isAll(readBlock(flash, 0).subarray(0, 2048), 0x22), boot >= boots, `${boot} of ${boots}`);
				if (boot < boots) continue;
				flash.eraseBlock(0);
				flash.write(new Uint8Array(2048).fill(0x22), 0);
			}
		}
	});

	it("leaves the other partition of the board alone, and its operations count all the same", () => {
		const power = new Power();
		const cut = new FlashCut();
		const [journal, mirror] = [new NorFlash({ blocks: 4, power, cut }), new NorFlash({ blocks: 4, power, cut })];
		mirror.failPartition();
		assert.throws(() => mirror.write(bytes(0), 0), CodedError);
		journal.write(bytes(0), 0);
		assert.equal(cut.operations, 2);
		assert.equal(journal.medium.image[0], 0);
	});

	it("survives into a clone, with the boot at which it ends", () => {
		const flash = worked();
		flash.failPartition({ reads: "zeros" }, 2);
		const medium = flash.medium.clone();
		assert.ok(isAll(readBlock(new NorFlash({ medium }), 0), 0));
		assert.ok(!isAll(readBlock(new NorFlash({ medium }), 0), 0));
	});
});
