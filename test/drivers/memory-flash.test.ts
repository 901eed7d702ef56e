/** Goal: the rules of NOR flash hold in RAM, so that firmware that runs here runs on a chip. */
import assert from "node:assert/strict";
import { blankMemory, MemoryFlash } from "../../drivers/memory-flash/memory-flash";

const make = (memory = blankMemory(4 * 256)) => new MemoryFlash({ memory, blockLength: 256 });
const bytesAt = (flash: MemoryFlash, offset: number, length: number) => [...new Uint8Array(flash.read(length, offset))];

describe("memory flash", () => {
	it("is blank at first and says what it is", () => {
		const flash = make();
		assert.deepEqual(flash.status(), { size: 1024, blockLength: 256, blocks: 4 });
		assert.ok(bytesAt(flash, 0, 1024).every((byte) => byte === 0xff));
	});

	it("only clears bits when it programs", () => {
		const flash = make();
		flash.write(Uint8Array.of(0b1100_1100), 7);
		flash.write(Uint8Array.of(0b1010_1010), 7);
		assert.deepEqual(bytesAt(flash, 6, 3), [0xff, 0b1000_1000, 0xff]);
	});

	it("erases whole blocks and no others", () => {
		const flash = make();
		flash.write(new Uint8Array(1024), 0);
		flash.eraseBlock(1);
		flash.eraseBlock(2, 3);
		assert.deepEqual(
			[0, 255, 256, 511, 512, 767, 768, 1023].map((at) => bytesAt(flash, at, 1)[0]),
			[0, 0, 0xff, 0xff, 0xff, 0xff, 0, 0],
		);
	});

	it("reads into the caller's buffer and gives the count, or new bytes that are a copy", () => {
		const flash = make();
		flash.write(Uint8Array.of(1, 2, 3), 254);
		const buffer = new Uint8Array(3);
		assert.equal(flash.read(buffer, 254), 3);
		assert.deepEqual([...buffer], [1, 2, 3]);
		new Uint8Array(flash.read(3, 254)).fill(9);
		assert.deepEqual(bytesAt(flash, 254, 3), [1, 2, 3]);
	});

	it("refuses what lies outside, and changes nothing", () => {
		const flash = make();
		for (const act of [
			() => flash.read(2, 1023),
			() => flash.read(new Uint8Array(1), -1),
			() => flash.read(-1, 0),
			() => flash.write(new Uint8Array(2), 1023),
			() => flash.write(new Uint8Array(1), 0.5),
			() => flash.eraseBlock(4),
			() => flash.eraseBlock(2, 2),
			() => flash.eraseBlock(-1),
			() => flash.eraseBlock(3, 5),
		]) {
			assert.throws(act, { code: "flash" });
		}
		assert.ok(bytesAt(flash, 0, 1024).every((byte) => byte === 0xff));
	});

	it("refuses memory that is no whole number of blocks", () => {
		assert.throws(() => make(new Uint8Array(0)), { code: "range" });
		assert.throws(() => make(new Uint8Array(300)), { code: "range" });
	});

	it("is shut after close, while the memory keeps what it holds for the next boot", () => {
		const memory = blankMemory(1024);
		const flash = make(memory);
		flash.write(Uint8Array.of(5), 0);
		flash.close();
		flash.close();
		for (const act of [
			() => flash.status(),
			() => flash.read(1, 0),
			() => flash.write(new Uint8Array(1), 0),
			() => flash.eraseBlock(0),
		]) {
			assert.throws(act, { code: "state" });
		}
		assert.deepEqual(bytesAt(make(memory), 0, 1), [5]);
	});
});
