/** The rules of NOR flash, each by name, and the counters. Cuts are in nor-flash-cuts.test.ts. */
import assert from "node:assert/strict";
import { FlashMedium } from "../../../host-sim/board/flash-medium";
import { NorFlash } from "../../../host-sim/board/nor-flash";
import { AssertionError } from "../../../src/core/assert";
import { CodedError } from "../../../src/core/errors";

const bytes = (...values: number[]) => Uint8Array.from(values);
const coded = (code: string) => (error: unknown) => error instanceof CodedError && error.code === code;

describe("NOR flash: rules", () => {
	it("is erased to 0xFF and says so", () => {
		const flash = new NorFlash({ blocks: 4 });
		assert.deepEqual(flash.status(), { size: 16384, blockLength: 4096, blocks: 4, writeAlign: 1, eraseValue: 255 });
		assert.ok(new Uint8Array(flash.read(16384, 0)).every((byte) => byte === 0xff));
	});

	it("a program clears bits and a second one clears more, at alignment 1", () => {
		const flash = new NorFlash({ blocks: 4 });
		flash.write(bytes(0xf0, 0x0f), 100);
		flash.write(bytes(0x30, 0x0f), 100);
		const out = new Uint8Array(3);
		assert.equal(flash.read(out, 100), 3);
		assert.deepEqual(out, bytes(0x30, 0x0f, 0xff));
	});

	it("a program that would raise a bit is our bug, and changes nothing", () => {
		const flash = new NorFlash({ blocks: 4 });
		flash.write(bytes(0xfe), 7);
		assert.throws(() => flash.write(bytes(0x00, 0xff), 6), AssertionError);
		assert.deepEqual([...flash.medium.image.subarray(6, 8)], [0xff, 0xfe]);
		assert.equal(flash.operations, 1);
	});

	it("only an erase raises bits, of whole blocks and no others", () => {
		const flash = new NorFlash({ blocks: 4 });
		for (let block = 0; block < 4; block++) flash.write(bytes(block), block * 4096 + 4095);
		flash.eraseBlock(1, 3);
		assert.deepEqual(
			[0, 1, 2, 3].map((block) => flash.medium.image[block * 4096 + 4095]),
			[0, 0xff, 0xff, 3],
		);
		assert.deepEqual([...flash.medium.erases], [0, 1, 1, 0]);
	});

	it("a write is one operation for each 256-byte page it touches", () => {
		const flash = new NorFlash({ blocks: 4 });
		flash.write(new Uint8Array(256), 0);
		assert.equal(flash.operations, 1);
		flash.write(new Uint8Array(258), 511);
		assert.equal(flash.operations, 4);
		flash.write(new Uint8Array(0), 2000);
		assert.equal(flash.operations, 4);
	});

	it("counts bytes, operations, erases and datasheet time", () => {
		const flash = new NorFlash({ blocks: 4 });
		flash.write(new Uint8Array(300), 0);
		flash.eraseBlock(0);
		flash.read(new Uint8Array(40), 0);
		flash.read(10, 5);
		assert.deepEqual(
			[flash.operations, flash.pagesProgrammed, flash.blocksErased, flash.bytesProgrammed, flash.bytesRead],
			[3, 2, 1, 300, 50],
		);
		assert.equal(flash.typicalUs, 2 * 400 + 45_000);
		assert.equal(flash.maximumUs, 2 * 3_000 + 400_000);
	});

	it("breaking the alignment is our bug", () => {
		const flash = new NorFlash({ blocks: 4, writeAlign: 16 });
		assert.throws(() => flash.write(new Uint8Array(16), 8), AssertionError);
		assert.throws(() => flash.write(new Uint8Array(15), 16), AssertionError);
		flash.write(new Uint8Array(16), 16);
	});

	it("above alignment 1 no unit is programmed twice between erases, not even with the same or with 0xFF", () => {
		const flash = new NorFlash({ blocks: 4, writeAlign: 4 });
		flash.write(bytes(1, 2, 3, 4), 8);
		assert.throws(() => flash.write(bytes(1, 2, 3, 4), 8), AssertionError);
		flash.write(bytes(255, 255, 255, 255), 12);
		assert.throws(() => flash.write(bytes(0, 0, 0, 0), 12), AssertionError);
		flash.eraseBlock(0);
		flash.write(bytes(0, 0, 0, 0), 12);
	});

	it("the next boot over the same medium knows which units were programmed, and over an image alone guesses it", () => {
		const image = new Uint8Array(4 * 4096).fill(0xff);
		const flash = new NorFlash({ blocks: 4, writeAlign: 4, image });
		flash.write(bytes(255, 255, 255, 255), 0);
		flash.write(bytes(1, 255, 255, 255), 4);
		const next = new NorFlash({ medium: flash.medium });
		assert.throws(() => next.write(bytes(0, 0, 0, 0), 0), AssertionError);
		const bare = new NorFlash({ blocks: 4, writeAlign: 4, image });
		assert.throws(() => bare.write(bytes(0, 0, 0, 0), 4), AssertionError);
		bare.write(bytes(0, 0, 0, 0), 0);
	});

	it("a range outside the flash is our bug", () => {
		const flash = new NorFlash({ blocks: 4 });
		assert.throws(() => flash.read(new Uint8Array(2), 16383), AssertionError);
		assert.throws(() => flash.read(1, -1), AssertionError);
		assert.throws(() => flash.write(bytes(0, 0), 16383), AssertionError);
		assert.throws(() => flash.eraseBlock(4), AssertionError);
		assert.throws(() => flash.eraseBlock(2, 2), AssertionError);
		assert.throws(() => flash.eraseBlock(0.5), AssertionError);
	});

	it("closes twice and is not used after", () => {
		const flash = new NorFlash({ blocks: 4 });
		flash.close();
		flash.close();
		assert.throws(() => flash.read(1, 0), AssertionError);
	});

	it("hands each finished operation to its backing, with what the cells now hold", () => {
		const seen: string[] = [];
		const flash = new NorFlash({
			blocks: 4,
			backing: {
				program: (offset, cells) => seen.push(`program ${offset} ${cells.length} ${cells[0]}`),
				erase: (offset, byteLength) => seen.push(`erase ${offset} ${byteLength}`),
			},
		});
		flash.write(bytes(0xf0), 255);
		flash.write(bytes(0x30, 7), 255);
		flash.eraseBlock(2);
		assert.deepEqual(seen, ["program 255 1 240", "program 255 1 48", "program 256 1 7", "erase 8192 4096"]);
	});
});

describe("NOR flash: wear and rot", () => {
	it("a failing block says so with a coded error, in this boot and the next", () => {
		const flash = new NorFlash({ blocks: 4 });
		flash.failBlock(1);
		assert.throws(() => flash.write(new Uint8Array(64), 4096), coded("flash"));
		assert.throws(() => flash.eraseBlock(1), coded("flash"));
		const next = new NorFlash({ medium: flash.medium });
		assert.throws(() => next.eraseBlock(1), coded("flash"));
		next.write(new Uint8Array(64), 8192);
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

	it("a block that only fails to erase still programs", () => {
		const flash = new NorFlash({ blocks: 4 });
		flash.failBlock(0, { program: false });
		flash.write(bytes(0), 0);
		assert.throws(() => flash.eraseBlock(0), coded("flash"));
	});

	it("a chip that protects itself refuses programs and erases and still reads", () => {
		const flash = new NorFlash({ blocks: 4 });
		flash.write(bytes(9), 0);
		flash.medium.readOnly = true;
		assert.throws(() => flash.write(bytes(0), 0), coded("flash"));
		assert.throws(() => flash.eraseBlock(0), coded("flash"));
		assert.deepEqual(new Uint8Array(flash.read(1, 0)), bytes(9));
	});

	it("flips as many bits as asked, within the range asked", () => {
		const flash = new NorFlash({ blocks: 4 });
		const offsets = flash.flipBits(5, 4096, 8192);
		assert.equal(offsets.length, 5);
		assert.ok(offsets.every((offset) => offset >= 4096 && offset < 8192));
		assert.notDeepEqual(flash.flipBits(5), offsets);
		const changed = flash.medium.image.reduce((count, cell) => count + (cell === 0xff ? 0 : 1), 0);
		assert.ok(changed >= 6 && changed <= 10);
	});

	it("a clone of the medium goes its own way", () => {
		const flash = new NorFlash({ blocks: 4, writeAlign: 4 });
		flash.write(bytes(1, 2, 3, 4), 0);
		flash.failBlock(3);
		const copy = new NorFlash({ medium: flash.medium.clone() });
		copy.write(bytes(5, 6, 7, 8), 4);
		assert.equal(flash.medium.image[4], 0xff);
		assert.throws(() => copy.write(bytes(1, 2, 3, 4), 0), AssertionError);
		assert.throws(() => copy.eraseBlock(3), coded("flash"));
	});

	it("impossible geometry is refused", () => {
		assert.throws(() => new FlashMedium({ blocks: 0 }), AssertionError);
		assert.throws(() => new FlashMedium({ blocks: 4, blockLength: 100 }), AssertionError);
		assert.throws(() => new FlashMedium({ blocks: 4, writeAlign: 3 }), AssertionError);
		assert.throws(() => new FlashMedium({ blocks: 4, image: new Uint8Array(5) }), AssertionError);
	});
});
