/**
 * The rules of NOR flash, each by name, and the counters. Cuts are in flash-cut.test.ts and nor-flash-cuts.test.ts,
 * wear in flash-damage.test.ts, accidents in flash-loss.test.ts.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { FlashMedium } from "../../../host-sim/board/flash-medium";
import { NorFlash } from "../../../host-sim/board/nor-flash";
import { SeededRandom } from "../../../host-sim/board/seeded-random";
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

	it("charges the datasheet's time for larger blocks", () => {
		for (const [blockLength, typicalUs, maximumUs] of [
			[256, 45_000, 400_000],
			[4_096, 45_000, 400_000],
			[32_768, 120_000, 1_600_000],
			[65_536, 150_000, 2_000_000],
		]) {
			const flash = new NorFlash({ blocks: 4, blockLength });
			flash.eraseBlock(1);
			assert.deepEqual([flash.typicalUs, flash.maximumUs], [typicalUs, maximumUs]);
		}
	});

	it("counts erases of each block over all boots, everything else in one boot", () => {
		const { medium } = new NorFlash({ blocks: 4 });
		for (let boot = 0; boot < 3; boot++) {
			const flash = new NorFlash({ medium });
			flash.write(bytes(0), 4096);
			flash.eraseBlock(1, 3);
			assert.deepEqual([flash.operations, flash.pagesProgrammed, flash.blocksErased], [3, 1, 2]);
		}
		assert.deepEqual([...medium.erases], [0, 3, 3, 0]);
		assert.equal(medium.boots, 4);
	});

	for (const writeAlign of [1, 4, 16, 32]) {
		it(`holds what a model of NOR holds, after any work that keeps the rules, at alignment ${writeAlign}`, () => {
			const size = 3 * 512;
			const work = fc.array(
				fc.record({
					at: fc.integer({ min: 0, max: size / writeAlign - 1 }),
					units: fc.integer({ min: 1, max: Math.floor(600 / writeAlign) }),
					seed: fc.integer({ min: 1, max: 0x7fff_ffff }),
					erase: fc.boolean(),
				}),
				{ maxLength: 30 },
			);
			fc.assert(
				fc.property(work, (steps) => {
					const flash = new NorFlash({ blocks: 3, blockLength: 512, writeAlign });
					const model = new Uint8Array(size).fill(0xff);
					const written = new Set<number>();
					for (const { at, units, seed, erase } of steps) {
						const offset = at * writeAlign;
						if (erase) {
							const block = Math.floor(offset / 512);
							flash.eraseBlock(block);
							model.fill(0xff, block * 512, block * 512 + 512);
							for (let i = block * 512; i < block * 512 + 512; i++) written.delete(i);
							continue;
						}
						const data = new Uint8Array(Math.min(units * writeAlign, size - offset));
						new SeededRandom(seed).fill(data);
						const again = data.some((_, i) => written.has(offset + i));
						// At alignment 1 a second program is allowed where it only clears bits.
						if (writeAlign === 1) for (let i = 0; i < data.length; i++) data[i] &= model[offset + i];
						if (writeAlign > 1 && again) {
							assert.throws(() => flash.write(data, offset), AssertionError);
							// The pages before the one that breaks the rule were programmed: what they hold is not modelled.
							return;
						}
						flash.write(data, offset);
						model.set(data, offset);
						for (let i = 0; i < data.length; i++) written.add(offset + i);
					}
					assert.deepEqual(new Uint8Array(flash.read(size, 0)), model);
					const out = new Uint8Array(20);
					for (let offset = 0; offset + 20 <= size; offset += 7) {
						flash.read(out, offset);
						assert.deepEqual(out, model.subarray(offset, offset + 20));
					}
				}),
			);
		});
	}

	it("a write that would raise any bit anywhere is refused, and one that only clears is not", () => {
		const byte = fc.integer({ min: 0, max: 0xff });
		fc.assert(
			fc.property(byte, byte, fc.integer({ min: 0, max: 300 }), (old, next, offset) => {
				const flash = new NorFlash({ blocks: 4 });
				flash.write(bytes(old), offset);
				const data = new Uint8Array(offset + 1).fill(0xff);
				data[offset] = next;
				if ((next & ~old) === 0) flash.write(data, 0);
				else assert.throws(() => flash.write(data, 0), AssertionError);
				assert.equal(flash.medium.image[offset], old & (next & ~old ? 0xff : next));
			}),
		);
	});

	it("a clone of the medium goes its own way", () => {
		const flash = new NorFlash({ blocks: 4, writeAlign: 4 });
		flash.write(bytes(1, 2, 3, 4), 0);
		flash.failBlock(3);
		flash.stickBit(4096, 0, 0);
		flash.destroyBlock(2, "zeros");
		flash.flipBits(1, 4096, 4097);
		const copy = new NorFlash({ medium: flash.medium.clone() });
		copy.write(bytes(5, 6, 7, 8), 4);
		assert.equal(flash.medium.image[4], 0xff);
		assert.throws(() => copy.write(bytes(1, 2, 3, 4), 0), AssertionError);
		assert.throws(() => copy.eraseBlock(3), coded("flash"));
		copy.write(new Uint8Array(4).fill(0xff), 8192);
		copy.eraseBlock(1, 3);
		assert.equal(copy.medium.image[4096], 0xfe);
		assert.equal(flash.medium.image[8192], 0);
		assert.deepEqual([flash.medium.lost.size, flash.medium.flipped.size], [1, 1]);
	});

	it("impossible geometry is refused", () => {
		assert.throws(() => new FlashMedium({ blocks: 0 }), AssertionError);
		assert.throws(() => new FlashMedium({ blocks: 4, blockLength: 100 }), AssertionError);
		assert.throws(() => new FlashMedium({ blocks: 4, writeAlign: 3 }), AssertionError);
		assert.throws(() => new FlashMedium({ blocks: 4, image: new Uint8Array(5) }), AssertionError);
	});
});
